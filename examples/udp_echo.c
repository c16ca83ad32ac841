/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A UDP echo server on the stack: each of EAL's ports gets an address, one service answers on all.
 *
 *   cc udp_echo.c -o udp_echo $(pkg-config --cflags --libs libplx_net libplx_net_ethdev)
 *   ./udp_echo --no-huge --no-pci -m 128 --vdev=net_tap0,iface=plx0 -- 7 10.9.0.2/24
 *
 * Then, as root: ip link set plx0 up && ip address add 10.9.0.1/24 dev plx0; ping 10.9.0.2;
 * echo hello | nc -u -W 1 10.9.0.2 7. Ctrl-C ends it and prints the account.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <plx_net.h>
#include <plx_net_ethdev.h>

static struct plx_engine *eng;
static struct plx_net *net;
static struct plx_net_udp sock[PLX_ENGINE_LCORES_MAX];

/* A datagram: m holds the payload and is ours. It becomes the answer, without a copy. */
static void echo(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	struct plx_net_udp_msg reply = {
		.dst = msg->src,
		.sport = msg->dport,
		.dport = msg->sport,
		.iface = plx_addr_is_linklocal(&msg->src) ? msg->iface : 0,
	};

	if (!plx_addr_is_mcast(&msg->dst)) /* else the route chooses the source */
		reply.src = msg->dst;
	plx_net_udp_send(sn, m, &reply);
}

static const struct plx_net_udp_ops echo_ops = {.rx = echo};

/* One socket for each lcore shares the port, so that a flow is answered where it lives. */
static int open_sockets(uint16_t port)
{
	int err = 0;

	for (uint16_t i = 0; !err && i < plx_engine_lcores(eng); i++) {
		sock[i] = (struct plx_net_udp){
			.ops = &echo_ops,
			.lport = port, /* laddr stays ::, which hears IPv4 too */
			.home = i,
			.reuseport = true,
		};
		err = plx_net_udp_open(net, &sock[i]);
	}
	return err;
}

static int add_interfaces(int n, char **address)
{
	if (n > plx_port_count()) {
		fprintf(stderr, "%d addresses for %u ports\n", n, plx_port_count());
		return -1;
	}
	for (int i = 0; i < n; i++) {
		struct plx_prefix p;
		int iface = plx_net_if_add(net, (uint16_t)i, 0, 0);

		if (iface < 0 || plx_prefix_parse(&p, address[i]) != 0 ||
			plx_net_addr_add(net, (uint16_t)iface, &p) != 0) {
			fprintf(stderr, "bad address '%s'\n", address[i]);
			return -1;
		}
	}
	return 0;
}

static void on_signal(int sig)
{
	plx_engine_stop(eng); /* async-signal-safe */
}

/* What came in went out by one of three doors. @return the exit code. */
static int settle(void)
{
	struct plx_acct a;
	uint64_t in, out;
	uint32_t leaked;

	plx_engine_close_ports(eng);
	plx_acct_sum(&a);
	plx_port_fini_all();
	leaked = plx_engine_destroy(eng);
	in = a.rx_pkts + a.originated_pkts;
	out = a.tx_pkts + a.delivered_pkts + plx_acct_drops(&a);
	printf("rx %" PRIu64 " + originated %" PRIu64 " = transmitted %" PRIu64
	       " + delivered %" PRIu64 " + dropped %" PRIu64 "; %u mbufs leaked\n",
		a.rx_pkts, a.originated_pkts, a.tx_pkts, a.delivered_pkts, plx_acct_drops(&a),
		leaked);
	return in == out && leaked == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct plx_tunables tun;
	struct plx_error e;
	int used = rte_eal_init(argc, argv), code;

	if (used < 0 || plx_pkt_init() != 0)
		return EXIT_FAILURE;
	argc -= used;
	argv += used;
	if (argc < 3) {
		fprintf(stderr, "usage: udp_echo [EAL ARGUMENTS] -- UDP-PORT ADDRESS/LENGTH...\n");
		return EXIT_FAILURE;
	}
	plx_tunables_init(&tun);
	if (plx_net_ethdev_probe(&e) < 0)
		return die(&e);

	/* The stack, the engine that runs it, the ports, and the stack again: what is on them. */
	net = plx_net_create(&(struct plx_net_conf){0}, &tun, &e);
	if (!net)
		return die(&e);
	eng = plx_engine_create(&(struct plx_engine_conf){.ops = &plx_net_ops,
					.arg = net,
					.tun = &tun,
					.idle = PLX_IDLE_SLEEP,
					.spare_lcores = true},
		&e);
	if (!eng || plx_engine_open_ports(eng, &e) != 0 || plx_net_attach(net, eng, &e) != 0)
		return die(&e);
	if (add_interfaces(argc - 2, argv + 2) != 0 || open_sockets((uint16_t)atoi(argv[1])) != 0)
		return EXIT_FAILURE;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	plx_engine_run(eng); /* on all lcores, this one too, until plx_engine_stop() */

	for (uint16_t i = 0; i < plx_engine_lcores(eng); i++)
		plx_net_udp_close(net, &sock[i]);
	code = settle();
	plx_net_destroy(net);
	rte_eal_cleanup();
	return code;
}
