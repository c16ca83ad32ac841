/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a UDP echo costs: `up`'s stack on one end of an in-memory pipe, a client on the other end,
 * both on one lcore. The client keeps a number of 64-byte frames going round. Printed are round
 * trips a second and the cycles that the stack's side of one takes: parse, checks, lookup, echo,
 * emit and the hand to the driver.
 *
 *   bench echo [EAL arguments] -- [seconds] [frames in flight] [flows]
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_net.h>

#define BATCHES 4096

static struct {
	struct plx_net *net;
	struct plx_engine *eng;
	uint16_t stack, client; /* ports */
	uint32_t flight, flows;
	uint64_t round_trips, cycles, pkts;
	double best, best_tx; /* cycles a packet in the best batch: the stack, and with the driver's
				 tx */
	uint64_t until;
} b;

/* ---- the client ---- */

static void build(struct rte_mbuf *m, uint32_t flow)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 60); /* 64 with the frame check sequence */
	struct plx_eth eth = {.src = plx_port_get(b.client)->mac,
		.dst = plx_port_get(b.stack)->mac,
		.type = PLX_ETHERTYPE_IP4};
	struct plx_ip ip = {
		.version = 4, .l4_bytes = 26, .ttl = 64, .proto = PLX_IPPROTO_UDP, .df = true};
	struct plx_udp udp = {.sport = (uint16_t)(1024 + flow), .dport = 7, .len = 26};

	memset(p, 0, 60);
	plx_addr_parse(&ip.src, "10.0.0.1");
	plx_addr_parse(&ip.dst, "10.0.0.2");
	plx_wire_eth_emit(p, &eth);
	plx_wire_ip4_emit(p + 14, &ip);
	plx_wire_udp_emit(p + 34, &udp);
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, PLX_IPPROTO_UDP, p + 34, 26);
}

/* An answer becomes the next question: swap back what the stack swapped; the checksums stay right.
 */
static void again(struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), t[6];

	memcpy(t, p, 6);
	memcpy(p, p + 6, 6);
	memcpy(p + 6, t, 6);
	memcpy(t, p + 26, 4);
	memcpy(p + 26, p + 30, 4);
	memcpy(p + 30, t, 4);
	memcpy(t, p + 34, 2);
	memcpy(p + 34, p + 36, 2);
	memcpy(p + 36, t, 2);
}

static void answer_arp(struct plx_softnet *sn, struct rte_mbuf *m)
{
	struct plx_arp arp;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	struct plx_eth eth = {.src = plx_port_get(b.client)->mac,
		.dst = plx_port_get(b.stack)->mac,
		.type = PLX_ETHERTYPE_ARP};

	if (plx_wire_arp_parse(&arp, p + 14, m->data_len - 14u) != PLX_DROP_NONE ||
		arp.op != PLX_ARP_REQUEST || plx_addr_eq(&arp.spa, &arp.tpa)) {
		plx_pkt_deliver(m);
		return;
	}
	plx_pkt_deliver_keep(m);
	plx_pkt_originate(1);
	arp = (struct plx_arp){.op = PLX_ARP_REPLY,
		.sha = eth.src,
		.spa = arp.tpa,
		.tha = arp.sha,
		.tpa = arp.spa};
	plx_wire_eth_emit(p, &eth);
	plx_wire_arp_emit(p + 14, &arp);
	plx_softnet_tx(sn, b.client, m);
}

static void client_rx(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *p = rte_pktmbuf_mtod(pkts[i], uint8_t *);
		uint16_t type = plx_get_be16(p + 12);

		if (type == PLX_ETHERTYPE_ARP) {
			answer_arp(sn, pkts[i]);
		} else if (type == PLX_ETHERTYPE_IP4 && p[23] == PLX_IPPROTO_UDP) {
			b.round_trips++;
			plx_pkt_deliver_keep(pkts[i]);
			plx_pkt_originate(1);
			again(pkts[i]);
			plx_softnet_tx(sn, b.client, pkts[i]);
		} else {
			plx_pkt_deliver(pkts[i]);
		}
	}
}

/* ---- both ends on one lcore ---- */

static void keep_best(double *best, uint64_t cycles, uint64_t pkts)
{
	double each = (double)cycles / (double)pkts;

	if (*best == 0 || each < *best)
		*best = each;
}

static void on_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	static uint64_t batch_stack, batch_tx, batch_pkts;
	uint64_t begin, middle;

	if (q->port->id == b.client) {
		client_rx(sn, pkts, n);
		return;
	}
	begin = rte_rdtsc();
	plx_net_ops.rx(sn, q, pkts, n);
	middle = rte_rdtsc();
	plx_txq_flush(sn->txq[b.stack]);
	batch_stack += middle - begin;
	batch_tx += rte_rdtsc() - begin;
	batch_pkts += n;
	if (batch_pkts < BATCHES)
		return;
	b.cycles += batch_stack;
	b.pkts += batch_pkts;
	keep_best(&b.best, batch_stack, batch_pkts);
	keep_best(&b.best_tx, batch_tx, batch_pkts);
	batch_stack = batch_tx = batch_pkts = 0;
}

static uint32_t start(struct plx_softnet *sn, void *arg)
{
	static bool started;

	if (rte_rdtsc() > b.until)
		plx_engine_stop(b.eng);
	if (started)
		return 0;
	started = true;
	for (uint32_t i = 0; i < b.flight; i++) {
		struct rte_mbuf *m = plx_softnet_alloc(sn);

		if (!m)
			break;
		plx_pkt_originate(1);
		build(m, i % b.flows);
		plx_softnet_tx(sn, b.client, m);
	}
	return 1;
}

static void echo(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	const struct plx_net_udp_msg reply = {
		.src = msg->dst, .dst = msg->src, .sport = msg->dport, .dport = msg->sport};

	plx_net_udp_send(sn, m, &reply);
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return 1;
}

int bench_echo(int argc, char **argv)
{
	static const struct plx_net_udp_ops echo_ops = {.rx = echo};
	struct plx_net_udp sock = {.ops = &echo_ops, .lport = 7};
	struct plx_poller poller = {.run = start};
	struct plx_engine_ops ops = plx_net_ops;
	struct plx_tunables tun;
	struct plx_prefix addr;
	struct plx_error e;
	int used = rte_eal_init(argc, argv), index;
	double s;

	if (used < 0 || plx_pkt_init() != 0)
		return 1;
	argc -= used;
	argv += used;
	s = argc > 1 ? atof(argv[1]) : 2;
	b.flight = argc > 2 ? (uint32_t)atoi(argv[2]) : 32;
	b.flows = argc > 3 ? (uint32_t)atoi(argv[3]) : 1;
	plx_tunables_init(&tun);
	if (plx_port_create("stack=pipe,peer=client,depth=2048", &e) != 0)
		return die(&e);
	b.stack = plx_port_find("stack")->id;
	b.client = plx_port_find("client")->id;
	b.net = plx_net_create(&(struct plx_net_conf){.seed = 1}, &tun, &e);
	ops.rx = on_rx;
	b.eng = plx_engine_create(
		&(struct plx_engine_conf){.ops = &ops, .tun = &tun, .arg = b.net}, &e);
	if (!b.net || !b.eng || plx_engine_open_ports(b.eng, &e) != 0 ||
		plx_net_attach(b.net, b.eng, &e) != 0)
		return die(&e);
	index = plx_net_if_add(b.net, b.stack, 0, 0);
	plx_prefix_parse(&addr, "10.0.0.2/24");
	plx_net_addr_add(b.net, (uint16_t)index, &addr);
	plx_prefix_parse(&addr, "0.0.0.0");
	sock.laddr = addr.addr;
	plx_net_udp_open(b.net, &sock);
	plx_softnet_add_poller(plx_engine_softnet(b.eng, 0), &poller);
	b.until = rte_rdtsc() + (uint64_t)(s * (double)rte_get_tsc_hz());
	plx_engine_run(b.eng);
	printf("{\"round_trips_per_second\":%.0f,\"stack_cycles_mean\":%.1f,\"stack_cycles_best\":%"
	       ".1f,"
	       "\"with_tx_cycles_best\":%.1f,\"in_flight\":%u,\"flows\":%u}\n",
		(double)b.round_trips / s, (double)b.cycles / (double)PLX_MAX(b.pkts, UINT64_C(1)),
		b.best, b.best_tx, b.flight, b.flows);
	plx_net_udp_close(b.net, &sock);
	return plx_engine_destroy(b.eng) ? 1 : 0;
}
