/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protocols of one's own on the stack: an IP protocol whose packets are sent back, and an EtherType
 * whose frames are counted. The numbers are those set apart for experiments: IP protocol 253
 * (RFC 3692), EtherType 88b5 (IEEE 802, local experimental).
 *
 *   cc proto_handler.c -o proto_handler $(pkg-config --cflags --libs libplx_net libplx_net_ethdev)
 *   ./proto_handler --no-huge --no-pci -m 128 --vdev=net_tap0,iface=plx0 -- 10.9.0.2/24
 *
 * The stack has looked at all below: the frame is for us, the IP header is right, fragments are
 * joined, an unknown next hop is asked for before the answer leaves.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <plx_net.h>
#include <plx_net_ethdev.h>

#define PROTO	  253
#define ETHERTYPE 0x88b5

static struct plx_engine *eng;
static struct plx_net *net;

/** One for each lcore, each with its own cache line: nobody shares, nobody locks. */
static struct {
	uint64_t packets, frames, bytes;
} PLX_ALIGNED count[PLX_ENGINE_LCORES_MAX];

/* Of either family: data begin at the IP header, and m is ours. */
static void on_proto(struct plx_net_rx *rx, struct rte_mbuf *m)
{
	struct plx_ip reply = {
		.src = rx->ip.dst,
		.dst = rx->ip.src,
		.proto = PROTO,
		.tos = rx->ip.tos,
	};

	count[rx->sn->index].packets++;
	if (rx->link_group || plx_addr_is_mcast(&rx->ip.dst)) {
		plx_pkt_deliver(m); /* a group is not answered: the answers would be many */
		return;
	}
	/* This packet has arrived; what goes out in the same mbuf is a new one (send counts it). */
	plx_pkt_deliver_keep(m);
	rte_pktmbuf_adj(m, rx->ip.hdr_bytes);
	plx_net_ip_send(rx->sn, m, &reply, plx_addr_is_linklocal(&reply.dst) ? rx->iface : 0);
}

/* Data begin behind the Ethernet header, and m is ours. */
static void on_frame(struct plx_net_rx *rx, struct rte_mbuf *m)
{
	count[rx->sn->index].frames++;
	count[rx->sn->index].bytes += m->pkt_len;
	plx_pkt_deliver(m); /* or plx_pkt_drop() with a reason: every packet has one door out */
}

static void on_signal(int sig)
{
	plx_engine_stop(eng);
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return EXIT_FAILURE;
}

static int add_interface(const char *address)
{
	struct plx_prefix p;
	int iface = plx_net_if_add(net, 0, 0, 0);

	if (iface < 0 || plx_prefix_parse(&p, address) != 0)
		return -1;
	return plx_net_addr_add(net, (uint16_t)iface, &p);
}

/* @return the exit code. */
static int settle(void)
{
	uint64_t packets = 0, frames = 0, bytes = 0;
	uint32_t leaked;

	for (uint16_t i = 0; i < plx_engine_lcores(eng); i++) {
		packets += count[i].packets;
		frames += count[i].frames;
		bytes += count[i].bytes;
	}
	plx_engine_close_ports(eng);
	plx_port_fini_all();
	leaked = plx_engine_destroy(eng);
	printf("protocol %d: %" PRIu64 " packets; EtherType %04x: %" PRIu64 " frames, %" PRIu64
	       " bytes; leaked %u\n",
		PROTO, packets, ETHERTYPE, frames, bytes, leaked);
	return leaked ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct plx_tunables tun;
	struct plx_error e;
	int used = rte_eal_init(argc, argv), code;

	if (used < 0 || plx_pkt_init() != 0)
		return EXIT_FAILURE;
	if (argc - used != 2) {
		fprintf(stderr, "usage: proto_handler [EAL ARGUMENTS] -- ADDRESS/LENGTH\n");
		return EXIT_FAILURE;
	}
	plx_tunables_init(&tun);
	if (plx_net_ethdev_probe(&e) < 0)
		return die(&e);
	net = plx_net_create(&(struct plx_net_conf){0}, &tun, &e);
	if (!net)
		return die(&e);

	/* Before the run. UDP, ICMP, ARP and the like are taken: -EEXIST. */
	if (plx_net_ipproto_register(net, PROTO, on_proto) != 0 ||
		plx_net_ethertype_register(net, ETHERTYPE, on_frame) != 0)
		return EXIT_FAILURE;

	eng = plx_engine_create(&(struct plx_engine_conf){.ops = &plx_net_ops,
					.arg = net,
					.tun = &tun,
					.idle = PLX_IDLE_SLEEP,
					.spare_lcores = true},
		&e);
	if (!eng || plx_engine_open_ports(eng, &e) != 0 || plx_net_attach(net, eng, &e) != 0)
		return die(&e);
	if (add_interface(argv[used + 1]) != 0) {
		fprintf(stderr, "bad address '%s'\n", argv[used + 1]);
		return EXIT_FAILURE;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	plx_engine_run(eng);
	code = settle();
	plx_net_destroy(net);
	rte_eal_cleanup();
	return code;
}
