/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

#include <errno.h>

#include <rte_malloc.h>

#include <plx_wire.h>

/*
 * The generator: UDP datagrams of zeros from 198.18.0.1 to 198.19.0.1, port 9 (the addresses and
 * the port that RFC 2544 C.2.6.2 and RFC 863 set apart); the source port tells the flows apart. All
 * checksums are right: the datagram's is the template's plus the source port.
 */

#define FIRST_SPORT 1024
#define DISCARD	    9
#define CHUNK	    64 /* bytes that are copied at least: one cache line */

/** A stream: one port's transmit queue on one lcore. */
struct gen {
	struct plx_poller poller;
	struct plx_txq *q;
	uint32_t flow;	 /**< of the next packet */
	uint32_t sum;	 /**< of the datagram without its source port and checksum */
	uint32_t size;	 /**< of the frame */
	uint32_t copy;	 /**< bytes of the template to copy */
	uint8_t frame[]; /**< template of `copy` bytes */
};

static uint32_t udp_sum(const struct plx_ip *ip, const uint8_t *udp)
{
	uint32_t sum = plx_cksum_pseudo(&ip->src, &ip->dst, PLX_IPPROTO_UDP, ip->l4_bytes);

	return plx_cksum_add(sum, udp, ip->l4_bytes);
}

static void make_template(struct gen *g, uint16_t port)
{
	const struct plx_eth eth = {
		.dst = fwd.dst[port], .src = fwd.src[port], .type = PLX_ETHERTYPE_IP4};
	const struct plx_ip ip = {
		.src = plx_addr_from_v4((const uint8_t[]){198, 18, 0, 1}),
		.dst = plx_addr_from_v4((const uint8_t[]){198, 19, 0, 1}),
		.l4_bytes = (uint16_t)(g->size - PLX_ETH_BYTES - PLX_IP4_BYTES),
		.proto = PLX_IPPROTO_UDP,
		.ttl = 64,
		.df = true,
	};
	const struct plx_udp udp = {.dport = DISCARD, .len = ip.l4_bytes};
	uint8_t *p = g->frame;

	p += plx_wire_eth_emit(p, &eth);
	p += plx_wire_ip4_emit(p, &ip);
	plx_wire_udp_emit(p, &udp);
	g->sum = udp_sum(&ip, p);
}

static void fill(struct gen *g, struct rte_mbuf *m)
{
	const uint16_t sport = __builtin_bswap16((uint16_t)(FIRST_SPORT + g->flow));
	const uint16_t check = plx_cksum_finish_udp(g->sum + sport);
	uint8_t *p, *udp;

	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->ol_flags = 0;
	m->pkt_len = g->size;
	m->data_len = (uint16_t)g->size;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	if (plx_likely(g->copy == CHUNK))
		memcpy(p, g->frame, CHUNK);
	else
		memcpy(p, g->frame, g->copy);
	udp = p + PLX_ETH_BYTES + PLX_IP4_BYTES;
	memcpy(udp, &sport, sizeof(sport));
	memcpy(udp + 6, &check, sizeof(check));
	if (++g->flow >= fwd.flows)
		g->flow = 0;
}

/* A burst, when the one before is gone. */
static uint32_t generate(struct plx_softnet *sn, void *arg)
{
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	struct gen *g = arg;
	uint16_t n = fwd.burst;

	if (plx_txq_len(g->q) || rte_mempool_get_bulk(sn->pool, (void **)pkts, n) != 0)
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		if (i + FWD_AHEAD < n)
			__builtin_prefetch(pkts[i + FWD_AHEAD], 1);
		fill(g, pkts[i]);
	}
	plx_pkt_originate(n);
	plx_softnet_tx_burst(sn, g->q->port->id, pkts, n);
	return n;
}

static struct gen *gen_new(struct plx_softnet *sn, uint16_t port)
{
	uint32_t copy = PLX_MAX(fwd.size, (uint32_t)CHUNK);
	struct gen *g = rte_zmalloc(NULL, sizeof(*g) + copy, RTE_CACHE_LINE_SIZE);

	if (!g)
		return NULL;
	g->poller = (struct plx_poller){.run = generate, .arg = g};
	g->q = sn->txq[port];
	g->size = fwd.size;
	g->copy = copy;
	make_template(g, port);
	return g;
}

static int add_stream(struct plx_softnet *sn, uint16_t port)
{
	struct gen *g = gen_new(sn, port);

	if (!g)
		return -ENOMEM;
	plx_softnet_add_poller(sn, &g->poller);
	return 0;
}

int fwd_gen_prime(struct plx_softnet *sn)
{
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		struct gen *g = sn->txq[i] ? gen_new(sn, i) : NULL;

		if (sn->txq[i] && !g)
			return -ENOMEM;
		for (uint32_t n = 0; g && n < fwd.tx_first; n++)
			generate(sn, g);
		rte_free(g);
	}
	return 0;
}

int fwd_gen_start(struct plx_softnet *sn)
{
	int err = 0;

	for (uint16_t i = 0; !err && i < plx_port_count(); i++)
		if (sn->txq[i])
			err = add_stream(sn, i);
	return err;
}

void fwd_gen_end(struct plx_softnet *sn)
{
	while (sn->pollers) {
		struct gen *g = sn->pollers->arg;

		sn->pollers = sn->pollers->next;
		rte_free(g);
	}
}
