/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <errno.h>

#include <plx_base_cksum.h>
#include <plx_offload.h>

#define REFUSALS  64   /* between two looks at the link */
#define PARTS_MAX 2048 /* of 65,535 bytes by Linux's least MSS, 48, with timestamps */
#define SUPER	  (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

static uint32_t mask(const struct plx_txq *q)
{
	return q->cap - 1;
}

/* The control thread writes it when the link comes or goes. */
static uint32_t limit(const struct plx_txq *q)
{
	return __atomic_load_n(&q->limit, __ATOMIC_RELAXED);
}

/* As is with what follows from the port's features. */
static uint16_t max_segs(const struct plx_txq *q)
{
	return __atomic_load_n(&q->max_segs, __ATOMIC_RELAXED);
}

static uint64_t fix_flags(const struct plx_txq *q)
{
	return __atomic_load_n(&q->fix_flags, __ATOMIC_RELAXED);
}

/* How who watches is told of what q sends. */
static struct plx_pkt_seen seen_at(const struct plx_txq *q)
{
	bool ip = plx_port_features(q->port) & PLX_PORT_F_NO_ETH;

	return (struct plx_pkt_seen){.point = PLX_PKT_AT_TX,
		.link = ip ? PLX_PKT_LINK_IP : PLX_PKT_LINK_ETHER,
		.out = true,
		.port = q->port->id,
		.queue = (uint8_t)q->id};
}

void plx_txq_drop(struct plx_txq *q, struct rte_mbuf *m, enum plx_drop reason)
{
	const struct plx_pkt_seen s = seen_at(q);

	plx_count(q->drops, 1);
	plx_pkt_drop_out(m, reason, &s);
}

static void drop_head(struct plx_txq *q, enum plx_drop reason)
{
	struct rte_mbuf *m = q->fifo[q->head & mask(q)];

	plx_count(q->head, 1);
	plx_count(q->more, 1 - plx_pkt_wire(m));
	plx_txq_drop(q, m, reason);
}

void plx_txq_drop_all(struct plx_txq *q, enum plx_drop reason)
{
	while (plx_txq_len(q))
		drop_head(q, reason);
}

static bool too_long(const struct plx_txq *q, const struct rte_mbuf *m)
{
	uint16_t max_bytes = __atomic_load_n(&q->max_bytes, __ATOMIC_RELAXED);
	uint32_t bytes = m->pkt_len;

	if (m->ol_flags & SUPER) /* on the wire */
		bytes = (uint32_t)m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
	return max_bytes && bytes > max_bytes;
}

/* A device that makes no sums of IPv4 headers gets them right. */
static void fill_ip4_sum(const struct plx_txq *q, struct rte_mbuf *m)
{
	uint8_t *h = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	uint16_t check;

	if (!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) ||
		plx_port_features(q->port) & PLX_PORT_F_TX_CSUM_IP4)
		return;
	memset(h + 10, 0, 2);
	check = plx_cksum_ip4(h, m->l3_len);
	memcpy(h + 10, &check, sizeof(check));
	m->ol_flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
}

/* What came merged becomes a super-segment, what came without a checksum gets one. */
static bool ask(struct plx_txq *q, struct rte_mbuf *m)
{
	uint32_t features = plx_port_features(q->port);
	bool eth = !(features & PLX_PORT_F_NO_ETH);
	struct plx_pkt_layers l;

	if (m->ol_flags & RTE_MBUF_F_RX_LRO)
		return plx_pkt_layers(&l, m, eth) && plx_gso_from_gro(m, l.l2_bytes) == 0;
	if (plx_pkt_ask(m, eth) != 0)
		return false;
	if (!(features & PLX_PORT_F_TX_CSUM_L4))
		plx_pkt_csum_fill(m);
	return true;
}

static struct rte_mbuf *came(struct plx_txq *q, struct rte_mbuf *m)
{
	struct rte_mbuf *own = plx_pkt_own_head(m);

	if (own && ask(q, own))
		return own;
	plx_txq_drop(q, own ? own : m, own ? PLX_DROP_TX_NO_OFFLOAD : PLX_DROP_NO_MBUF);
	return NULL;
}

/* In software (GSO). The parts go into the queue, as far as there is room. */
static void cut(struct plx_txq *q, struct rte_mbuf *m)
{
	uint32_t features = plx_port_features(q->port);
	const struct plx_gso_conf conf = {
		.pool = q->pool,
		.clones = q->clones,
		.linear = max_segs(q) == 1,
		.ip_cksum = features & PLX_PORT_F_TX_CSUM_IP4,
		.l4_cksum = features & PLX_PORT_F_TX_CSUM_L4,
	};
	struct rte_mbuf *part[PARTS_MAX];
	int n = q->pool ? plx_gso_segment(m, &conf, part, PARTS_MAX) : -EINVAL;

	if (n < 0) {
		plx_txq_drop(q, m, n == -ENOMEM ? PLX_DROP_NO_MBUF : PLX_DROP_TX_NO_OFFLOAD);
		return;
	}
	for (int i = 0; i < n; i++)
		plx_txq_push(q, part[i]);
}

/* Datagrams without a checksum: a device would make one, of a pseudo-header that is not there. */
static bool has_no_sum(const struct rte_mbuf *m)
{
	uint16_t check;

	if (!(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG))
		return false;
	memcpy(&check, rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len + m->l3_len + 6),
		sizeof(check));
	return check == 0;
}

/* Of a super-segment: its features, then, as Linux, the device itself is asked. */
static bool device_cuts(struct plx_txq *q, struct rte_mbuf *m)
{
	const struct plx_port_ops *ops = q->port->ops;

	if (m->ol_flags & __atomic_load_n(&q->cut_flags, __ATOMIC_RELAXED) || has_no_sum(m))
		return false;
	fill_ip4_sum(q, m);
	return !ops->features_check || ops->features_check(q, m);
}

/* @return what goes into the queue; NULL: it was dropped, or cut. */
static struct rte_mbuf *form(struct plx_txq *q, struct rte_mbuf *m)
{
	if (m->ol_flags & (plx_pkt_partial_flag | RTE_MBUF_F_RX_LRO)) {
		m = came(q, m);
		if (!m)
			return NULL;
	}
	if (!(m->ol_flags & SUPER)) {
		fill_ip4_sum(q, m);
		return m;
	}
	if (device_cuts(q, m))
		return m;
	cut(q, m);
	return NULL;
}

/* A super-segment's mbufs are the device's own affair: it has been asked. */
static struct rte_mbuf *in_segs(struct plx_txq *q, struct rte_mbuf *m)
{
	struct rte_mbuf *fewer;

	if (m->nb_segs <= max_segs(q) || m->ol_flags & SUPER)
		return m;
	fewer = plx_pkt_in_segs(m, max_segs(q));
	if (!fewer)
		plx_txq_drop(q, m, PLX_DROP_TX_NO_OFFLOAD);
	return fewer;
}

PLX_NOINLINE struct rte_mbuf *plx_txq_fix(struct plx_txq *q, struct rte_mbuf *m)
{
	if (!limit(q)) {
		plx_txq_drop_all(q, PLX_DROP_TX_DOWN);
		plx_txq_drop(q, m, PLX_DROP_TX_DOWN);
		return NULL;
	}
	if (m->ol_flags & fix_flags(q)) {
		m = form(q, m);
		if (!m)
			return NULL;
	}
	if (too_long(q, m)) {
		plx_txq_drop(q, m, PLX_DROP_TX_TOO_LONG);
		return NULL;
	}
	if (plx_txq_len(q) >= limit(q) && (plx_txq_flush(q), plx_txq_len(q) >= limit(q))) {
		plx_txq_drop(q, m, PLX_DROP_TX_FULL);
		return NULL;
	}
	return in_segs(q, m);
}

static bool link_is_down(const struct plx_txq *q)
{
	struct plx_link link;

	if (!(plx_port_features(q->port) & PLX_PORT_F_LINK))
		return false;
	plx_port_link(q->port, &link);
	return !link.up;
}

/*
 * The driver takes nothing at all. What it never will is dropped, or the queue stands still for
 * ever and its lcore awake: a frame that was queued before the MTU shrank, and everything while
 * there is no link (asked for now and then), as Linux does without a carrier.
 * @return true when the next frame may be tried.
 */
static bool unblock(struct plx_txq *q)
{
	if (too_long(q, q->fifo[q->head & mask(q)])) {
		drop_head(q, PLX_DROP_TX_TOO_LONG);
		return true;
	}
	plx_count(q->refused, 1);
	if (q->refused % REFUSALS == 1 && link_is_down(q))
		plx_txq_drop_all(q, PLX_DROP_TX_DOWN);
	return false;
}

static uint32_t beyond(struct rte_mbuf **pkts, uint16_t n)
{
	uint32_t more = 0;

	for (uint16_t i = 0; i < n; i++)
		more += plx_pkt_wire(pkts[i]) - 1;
	return more;
}

/* Packets to be looked at next: looking at what a full driver will not take is work for nothing. */
static uint16_t look_at_most(const struct plx_txq *q)
{
	return (uint16_t)(PLX_PKT_WATCH_MAX - q->watch_less);
}

/* As many as it took, or twice as many if that was all of them. */
static void looked_at(struct plx_txq *q, uint16_t n, uint16_t sent)
{
	uint16_t next = sent < n ? PLX_MAX(sent, 1) : (uint16_t)(2 * n);

	if (sent < n || next > look_at_most(q))
		q->watch_less = (uint16_t)(PLX_PKT_WATCH_MAX - PLX_MIN(next, PLX_PKT_WATCH_MAX));
}

/* What the driver takes may be gone at once: it is looked at before, and noted after. */
PLX_NOINLINE static uint16_t give_watched(
	struct plx_txq *q, const struct plx_pkt_watch *w, struct rte_mbuf **pkts, uint16_t n)
{
	const struct plx_pkt_seen s = seen_at(q);
	uint16_t done = 0, part, sent;

	do {
		part = (uint16_t)PLX_MIN(n - done, look_at_most(q));
		w->see(w, &s, pkts + done, part);
		sent = plx_txq_give(q, pkts + done, part);
		w->took(w, &s, sent);
		looked_at(q, part, sent);
		done = (uint16_t)(done + sent);
	} while (sent == part && done < n);
	return done;
}

/* n packets from at on are offered. @return how many were taken. */
static uint16_t give(struct plx_txq *q, uint32_t at, uint16_t n)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_TX);
	uint32_t more = 0;
	uint16_t sent;

	if (plx_unlikely(q->more)) /* which the driver cannot be asked afterwards */
		more = beyond(&q->fifo[at], n);
	sent = plx_unlikely(w) ? give_watched(q, w, &q->fifo[at], n)
			       : plx_txq_give(q, &q->fifo[at], n);
	plx_count(q->head, sent);
	if (plx_unlikely(more))
		plx_count(q->more, beyond(&q->fifo[at + sent], (uint16_t)(n - sent)) - more);
	return sent;
}

uint32_t plx_txq_flush(struct plx_txq *q)
{
	uint32_t total = 0;

	if (plx_unlikely(!limit(q)))
		plx_txq_drop_all(q, PLX_DROP_TX_DOWN);
	while (plx_txq_len(q)) {
		uint32_t at = q->head & mask(q);
		uint16_t n = (uint16_t)PLX_MIN(
			PLX_MIN(plx_txq_len(q), q->cap - at), (uint32_t)UINT16_MAX);
		uint16_t sent = give(q, at, n);

		plx_count(q->bursts, 1);
		total += sent;
		if (plx_unlikely(sent < n)) {
			plx_count(q->requeues, 1);
			if (sent == 0 && unblock(q))
				continue;
			break;
		}
	}
	if (total)
		plx_txq_sent(q, total);
	return total;
}

void plx_txq_requeue(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_count(q->requeues, 1);
	for (uint16_t i = 0; i < n; i++)
		plx_txq_push(q, pkts[i]);
}

void plx_txq_burst_slow(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		plx_txq_push(q, pkts[i]);
	plx_txq_flush(q);
}

/* A first time-out, or the first since the driver took something: to be reported. */
static void note_stuck(struct plx_txq *q, plx_ns waited_ns)
{
	struct plx_tx_watch *w = &q->watch;

	plx_count(w->timeouts, 1);
	if (w->stuck && w->pkts == q->pkts)
		return;
	w->pkts = q->pkts;
	__atomic_store_n(&w->waited, plx_txq_len(q), __ATOMIC_RELAXED);
	__atomic_store_n(&w->waited_ns, waited_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&w->stuck, w->stuck + 1, __ATOMIC_RELEASE);
}

bool plx_txq_watch(struct plx_txq *q, plx_ns now, plx_ns timeout_ns)
{
	struct plx_tx_watch *w = &q->watch;

	/* Whatever the way that a waiting frame left by, the head has moved. */
	if (w->head != q->head || !w->since_ns) {
		w->head = q->head;
		w->since_ns = now;
		return false;
	}
	if (now - w->since_ns < timeout_ns)
		return false;
	note_stuck(q, now - w->since_ns);
	plx_txq_drop_all(q, PLX_DROP_TX_TIMEOUT);
	if (q->port->ops->tx_timeout)
		q->port->ops->tx_timeout(q);
	return true;
}
