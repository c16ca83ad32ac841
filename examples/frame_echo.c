/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of an EtherType for experiments (88b5) are sent back to who sent them, by a packet socket:
 * what an arping is to ARP, this is to them.
 *
 *   cc frame_echo.c -o frame_echo $(pkg-config --cflags --libs libplx_sock libplx_net_ethdev)
 *   ./frame_echo --no-huge --no-pci -m 128 --vdev=net_tap0,iface=plx0
 *
 * Then, as root: ip link set plx0 up; python3 -c '
 * import socket
 * s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88b5))
 * s.sendto(b"hello", ("plx0", 0x88b5, 0, 0, b"\xff" * 6)); print(s.recvfrom(2000))'
 *
 * Ctrl-C ends it and prints the account. With an argument such as v=vtap,iface=plx0 it takes that
 * port in place of EAL's, if libplx_net_vtap is linked, too.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <plx_net_ethdev.h>
#include <plx_sock.h>

#define ETHERTYPE 0x88b5

static struct plx_engine *eng;
static struct plx_net *net;
static struct plx_sock *socks;
static int fd, set;
static uint64_t echoes;

/* On the lcore, before its first pass. */
static int start(struct plx_softnet *sn, void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN};

	fd = plx_socket(AF_PACKET, SOCK_DGRAM, htons(ETHERTYPE));
	set = plx_epoll_create1(0);
	if (fd < 0 || set < 0 || plx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) != 0) {
		perror("packet socket");
		return -1;
	}
	printf("ready\n");
	fflush(stdout);
	return 0;
}

/* On the lcore, when something has come. The address of the sender is that of the answer. */
static plx_ns echo(struct plx_softnet *sn, void *arg)
{
	static char frame[9000];
	struct sockaddr_ll from;
	struct epoll_event ev;

	while (plx_epoll_wait(set, &ev, 1, 0) == 1) {
		socklen_t len = sizeof(from);
		ssize_t n =
			plx_recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &len);

		if (n >= 0 && plx_sendto(fd, frame, (size_t)n, 0, (struct sockaddr *)&from,
				      sizeof(from)) == n)
			echoes++;
	}
	return PLX_NEVER;
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

	plx_sock_destroy(socks);
	plx_engine_close_ports(eng);
	plx_acct_sum(&a);
	plx_port_fini_all();
	leaked = plx_engine_destroy(eng);
	in = a.rx_pkts + a.originated_pkts;
	out = a.tx_pkts + a.delivered_pkts + plx_acct_drops(&a);
	printf("%" PRIu64 " echoes; unhandled frames: %" PRIu64 "; leaked %u\n", echoes,
		a.drop[PLX_DROP_ETH_PROTO], leaked);
	return in == out && leaked == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct plx_sock_program program = {.start = start, .run = echo};
	struct plx_tunables tun;
	struct plx_error e;
	int used = rte_eal_init(argc, argv), code;

	if (used < 0 || plx_pkt_init() != 0)
		return EXIT_FAILURE;
	plx_tunables_init(&tun);
	if (argc - used > 1 ? plx_port_create(argv[used + 1], &e) < 0
			    : plx_net_ethdev_probe(&e) < 0)
		return die(&e);
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
	for (uint16_t i = 0; i < plx_port_count(); i++)
		if (plx_net_if_add(net, i, 0, 0) < 0)
			return EXIT_FAILURE;
	socks = plx_sock_create(net, NULL, &e);
	if (!socks)
		return die(&e);
	plx_sock_program_add(socks, 0, &program);

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	plx_engine_run(eng); /* on all lcores, this one too, until plx_engine_stop() */

	code = settle();
	plx_net_destroy(net);
	rte_eal_cleanup();
	return code;
}
