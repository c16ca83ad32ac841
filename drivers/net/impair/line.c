/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair.h"

#include <rte_cycles.h>

#include <plx_wire_eth.h>
#include <plx_wire_ip.h>

static plx_ns (*clock_now)(void);

static plx_ns tsc_now(void)
{
	static uint64_t hz;

	if (!hz)
		hz = rte_get_tsc_hz();
	return (plx_ns)((unsigned __int128)rte_rdtsc() * 1000000000 / hz);
}

void plx_net_impair_clock(plx_ns (*now)(void))
{
	clock_now = now;
}

plx_ns impair__now(void)
{
	return clock_now ? clock_now() : tsc_now();
}

static void lose(const struct impair_line *l, struct rte_mbuf *m, enum plx_drop reason)
{
	if (l->tx)
		plx_txq_lost(m, reason);
	else
		plx_rxq_lost(m, reason);
}

static void hold(struct impair_line *l, uint16_t queue, struct rte_mbuf *m, plx_ns at)
{
	impair__heap_push(
		&l->heap[queue], &(struct impair_held){.at = at, .seq = l->seq++, .m = m});
	plx_count(l->held, 1);
}

static bool is_extension(uint8_t proto)
{
	return proto == PLX_IPPROTO_HOPOPTS || proto == PLX_IPPROTO_ROUTING ||
	       proto == PLX_IPPROTO_FRAGMENT || proto == PLX_IPPROTO_DSTOPTS;
}

/* Where the transport header begins; 0 when there is none: IPv6 extension headers end the search.
 */
static uint32_t l4_offset(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct plx_eth eth;
	uint32_t len;

	if (plx_wire_eth_parse(&eth, ip, m->data_len) != PLX_DROP_NONE)
		return 0;
	ip += eth.hdr_bytes;
	len = m->data_len - eth.hdr_bytes;
	if (eth.type == PLX_ETHERTYPE_IP4 && len >= PLX_IP4_BYTES &&
		(plx_get_be16(ip + 6) & 0x1fff) == 0)
		return eth.hdr_bytes + (ip[0] & 0xfu) * 4;
	if (eth.type == PLX_ETHERTYPE_IP6 && len >= PLX_IP6_BYTES && !is_extension(ip[6]))
		return eth.hdr_bytes + PLX_IP6_BYTES;
	return 0;
}

static void flip(struct rte_mbuf *m, uint32_t off, uint8_t mask)
{
	while (m && off >= m->data_len) {
		off -= m->data_len;
		m = m->next;
	}
	if (m)
		*rte_pktmbuf_mtod_offset(m, uint8_t *, off) ^= mask;
}

/* @return m or its copy, with its bits flipped; NULL when there is no memory for a copy. */
static struct rte_mbuf *corrupt(struct rte_mbuf *m, const struct plx_impair_verdict *v)
{
	m = plx_pkt_own(m);
	if (!m)
		return NULL;
	/* A device that sums after us would hide it; one that summed before us did not see it. */
	if (m->ol_flags & plx_pkt_partial_flag && plx_pkt_complete(m, true) != 0)
		plx_pkt_complete(m, false);
	plx_pkt_csum_fill(m);
	m->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	for (unsigned int i = 0; i < v->flips; i++)
		flip(m, v->flip[i].off, v->flip[i].mask);
	return m;
}

/* Let one packet onto the link. */
static void enter(struct impair_line *l, uint16_t queue, struct rte_mbuf *m, plx_ns now)
{
	struct plx_impair_pkt pkt = {
		.bytes = m->pkt_len,
		.data = rte_pktmbuf_mtod(m, const void *),
		.data_len = m->data_len,
		.l4_off = l->needs_l4 ? l4_offset(m) : 0,
		.held = l->held,
	};
	struct rte_mbuf *dup = NULL, *bad;
	struct plx_impair_verdict v;

	plx_impair_decide(&l->model, now, &pkt, &v);
	if (v.drop) {
		lose(l, m, v.drop);
		return;
	}
	if (v.copies > 1) /* deep: both are to be written to */
		dup = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);
	if (v.flips) {
		bad = corrupt(m, &v);
		if (!bad)
			lose(l, m, PLX_DROP_NO_MBUF);
		m = bad;
	}
	if (m)
		hold(l, queue, m, v.depart_ns);
	if (dup)
		hold(l, queue, dup, v.depart_ns);
}

static bool due(const struct impair_heap *h, plx_ns now)
{
	return h->n && h->v[0].at <= now;
}

/* Send on what is due on a queue. The line is locked. @return false when the lower port is full. */
static bool pump(struct impair_port *ip, uint16_t queue, plx_ns now)
{
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_TX];
	struct plx_txq *to = ip->lower->txq[queue];
	struct impair_heap *h = &l->heap[queue];

	while (due(h, now)) {
		struct impair_held held[PLX_PORT_BURST];
		struct rte_mbuf *m[PLX_PORT_BURST];
		uint16_t n = 0, sent;

		for (; n < PLX_PORT_BURST && due(h, now); n++) {
			held[n] = impair__heap_pop(h);
			m[n] = held[n].m;
		}
		sent = plx_txq_give(to, m, n);
		plx_count(to->pkts, sent);
		plx_count(l->held, -(uint32_t)sent);
		for (uint16_t i = sent; i < n; i++)
			impair__heap_push(h, &held[i]);
		if (sent < n)
			return false;
	}
	return true;
}

/* Delayed packets of the tx queues that go with an rx queue. */
static void pump_for(struct impair_port *ip, const struct plx_rxq *q, plx_ns now)
{
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_TX];

	if (__atomic_load_n(&l->held, __ATOMIC_RELAXED) == 0 || !rte_spinlock_trylock(&l->lock))
		return;
	for (uint16_t i = q->id; i < ip->port->n_txq; i += ip->port->n_rxq)
		pump(ip, i, now);
	rte_spinlock_unlock(&l->lock);
}

uint16_t impair__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct impair_port *ip = q->port->priv;
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_TX];
	plx_ns now = impair__now();
	uint16_t done = 0;

	if (!rte_spinlock_trylock(&l->lock))
		return 0;
	/* A lower port that is full holds us up, and we the sender: that is no loss of the link's.
	 */
	while (done < n && pump(ip, q->id, now)) {
		uint16_t end = (uint16_t)PLX_MIN(done + PLX_PORT_BURST, n);

		while (done < end)
			enter(l, q->id, pkts[done++], now);
	}
	pump(ip, q->id, now);
	rte_spinlock_unlock(&l->lock);
	return done;
}

/* Move what is due to pkts. */
static uint16_t give_out(
	struct impair_line *l, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, plx_ns now)
{
	struct impair_heap *h = &l->heap[queue];
	uint16_t out = 0;

	for (; out < n && due(h, now); out++)
		pkts[out] = impair__heap_pop(h).m;
	plx_count(l->held, -(uint32_t)out);
	return out;
}

/* Take in up to n. */
static uint16_t take_in(struct impair_port *ip, uint16_t queue, uint16_t n, plx_ns now)
{
	struct plx_rxq *from = ip->lower->rxq[queue];
	struct rte_mbuf *m[PLX_PORT_BURST];
	uint16_t got = plx_rxq_take(from, m, n);

	plx_count(from->pkts, got);
	for (uint16_t i = 0; i < got; i++)
		enter(&ip->line[PLX_NET_IMPAIR_RX], queue, m[i], now);
	return got;
}

/*
 * As a loss must not look like an empty queue, take in until there are n to give out or a burst has
 * been looked at; but not more than can be given out, as that would fill the line. It is locked.
 */
static uint16_t receive(
	struct impair_port *ip, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, plx_ns now)
{
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_RX];
	uint16_t out = give_out(l, queue, pkts, n, now), taken = 0, got;

	while (out < n && taken < PLX_PORT_BURST) {
		got = take_in(ip, queue, PLX_MIN(n - out, PLX_PORT_BURST - taken), now);
		if (got == 0)
			break;
		taken += got;
		out += give_out(l, queue, pkts + out, (uint16_t)(n - out), now);
	}
	return out;
}

uint16_t impair__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct impair_port *ip = q->port->priv;
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_RX];
	plx_ns now = impair__now();
	uint16_t got = 0;

	pump_for(ip, q, now);
	if (rte_spinlock_trylock(&l->lock)) {
		got = receive(ip, q->id, pkts, n, now);
		rte_spinlock_unlock(&l->lock);
	}
	return got;
}

void impair__give_up(struct impair_port *ip, uint16_t queue)
{
	struct impair_line *l = &ip->line[PLX_NET_IMPAIR_TX];
	plx_ns now = impair__now();

	rte_spinlock_lock(&l->lock);
	for (; due(&l->heap[queue], now); plx_count(l->held, -1u), plx_count(l->given_up, 1))
		lose(l, impair__heap_pop(&l->heap[queue]).m, PLX_DROP_TX_TIMEOUT);
	rte_spinlock_unlock(&l->lock);
}

void impair__line_stop(struct impair_line *l)
{
	for (unsigned int q = 0; q < PLX_DIM(l->heap); q++) {
		while (l->heap[q].v && l->heap[q].n)
			lose(l, impair__heap_pop(&l->heap[q]).m, PLX_DROP_STOPPED);
		impair__heap_free(&l->heap[q]);
	}
	l->held = 0;
}
