/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe.h"

#include <plx_wire_tuple.h>

/* Frames on their way to the peer's queues, in order for each. */
struct stage {
	uint32_t used;			    /* a bit for each queue below that has been looked at */
	uint16_t n[PLX_PORT_QUEUES_MAX];    /* staged */
	uint16_t room[PLX_PORT_QUEUES_MAX]; /* of the ring, when first looked at */
	struct rte_mbuf *m[PLX_PORT_QUEUES_MAX][PLX_PORT_BURST];
};

#define SUPER (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/* A super-segment's length on a wire is that of its parts. */
static bool too_long(const struct rte_mbuf *m, const struct plx_port *p)
{
	uint32_t bytes = m->pkt_len;

	if (plx_unlikely(m->ol_flags & SUPER))
		bytes = (uint32_t)m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
	return bytes > (uint32_t)p->mtu + PIPE_LINK_BYTES;
}

/* Not all types are hashed by ports. @return false: this one not at all. */
PLX_NOINLINE static bool hash_some(const struct plx_port *p, const struct plx_toeplitz *key,
	const struct plx_tuple *t, uint32_t *hash)
{
	enum plx_rss_how how = plx_steer_rss_how(plx_port_rss_types(p), t);

	*hash = how == PLX_RSS_NONE ? 0
				    : plx_steer_hash(key, &t->src, &t->dst, t->sport, t->dport,
					      how == PLX_RSS_PORTS);
	return how != PLX_RSS_NONE;
}

/* @return the queue. */
PLX_NOINLINE static uint16_t lie_about(const struct pipe_end *peer, uint32_t *hash)
{
	uint16_t queue;

	if (peer->lie == PIPE_LIE_HASH)
		*hash = *hash << 7 | *hash >> 25;
	queue = plx_steer_reta_queue(&peer->reta, *hash);
	if (peer->lie == PIPE_LIE_QUEUE)
		queue = (uint16_t)((queue + 1) % peer->spread);
	else if (peer->lie == PIPE_LIE_MUTE)
		*hash = 0; /* none */
	return queue;
}

/* What the peer's NIC does first: the queue of a frame, and its hash if it has one. */
static uint16_t classify(const struct pipe_end *peer, const struct rte_mbuf *m, uint32_t *hash)
{
	const struct plx_toeplitz *key = __atomic_load_n(&peer->key, __ATOMIC_ACQUIRE);
	struct plx_tuple t;

	*hash = 0;
	if (peer->spread == 1 ||
		!plx_wire_tuple(&t, rte_pktmbuf_mtod(m, const void *), m->data_len))
		return 0;
	*hash = plx_steer_hash_tuple(key, &t);
	if (plx_unlikely(plx_port_rss_types(peer->port) != PLX_RSS_ALL) &&
		!hash_some(peer->port, key, &t, hash))
		return 0;
	if (plx_unlikely(peer->lie))
		return lie_about(peer, hash);
	if (plx_unlikely(__atomic_load_n(&peer->has_rules, __ATOMIC_RELAXED))) {
		int queue = pipe__rule_find(peer, *hash);

		if (queue >= 0)
			return (uint16_t)queue;
	}
	return plx_steer_reta_queue(&peer->reta, *hash);
}

/* What the device had to do and the other end does not want done. */
static uint64_t leave(struct rte_mbuf *m)
{
	uint64_t rx = plx_pkt_partial_flag | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	if (m->ol_flags & SUPER)
		rx |= RTE_MBUF_F_RX_LRO |
		      (m->ol_flags & (plx_pkt_merged_flag | plx_pkt_fixed_id_flag));
	m->ol_flags &= ~(SUPER | RTE_MBUF_F_TX_L4_MASK);
	return rx;
}

/*
 * Make of m what the peer's driver would have made of the frame; NULL when it cannot be sent. What
 * was queued as a super-segment before the peer's LRO went off still comes as one.
 */
static struct rte_mbuf *cross(const struct pipe_end *peer, struct rte_mbuf *m, uint32_t hash)
{
	const uint32_t features = plx_port_features(peer->port);
	uint64_t tx = m->ol_flags, rx = 0;
	uint16_t part;

	if (plx_unlikely(tx & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | SUPER))) {
		uint32_t takes = tx & SUPER ? peer->port->caps.features : features;

		if (takes & PLX_PORT_F_LRO && tx & (RTE_MBUF_F_TX_L4_MASK | SUPER))
			rx = leave(m);
		if (m->ol_flags & SUPER || plx_pkt_csum_fill(m) != 0)
			return NULL;
		if (features & PLX_PORT_F_RX_CSUM) {
			rx |= tx & RTE_MBUF_F_TX_IP_CKSUM ? RTE_MBUF_F_RX_IP_CKSUM_GOOD : 0;
			rx |= tx & RTE_MBUF_F_TX_L4_MASK ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0;
		}
	}
	part = rx & RTE_MBUF_F_RX_LRO ? m->tso_segsz : 0;
	m->tx_offload = 0;
	m->tso_segsz = part;
	if (hash && features & PLX_PORT_F_RX_HASH) {
		m->hash.rss = hash;
		rx |= RTE_MBUF_F_RX_RSS_HASH;
	}
	m->ol_flags = rx;
	m->packet_type = 0;
	m->port = peer->port->id;
	return m;
}

/* The ring is ours to fill, so what room there was stays until we use it. */
static bool has_room(struct stage *s, const struct plx_ring *ring, uint16_t to)
{
	if (!(s->used & 1u << to)) {
		s->used |= 1u << to;
		s->n[to] = 0;
		s->room[to] = (uint16_t)PLX_MIN(
			plx_ring_capacity(ring) - plx_ring_count(ring), (uint32_t)PLX_PORT_BURST);
	}
	return s->n[to] < s->room[to];
}

/* Take one frame. @return false to hold up the sender. */
static bool take(struct plx_txq *q, struct pipe_txq *t, struct stage *s, struct rte_mbuf *m)
{
	struct pipe_end *e = q->port->priv, *peer = e->peer;
	uint32_t hash, bytes = m->pkt_len;
	struct rte_mbuf *own;
	uint16_t to;

	if (plx_unlikely(too_long(m, q->port))) {
		plx_txq_lost(m, PLX_DROP_TX_TOO_LONG);
		plx_count(t->dropped, 1);
		return true;
	}
	if (plx_unlikely(too_long(m, peer->port))) {
		plx_txq_merged(q, m);
		rte_pktmbuf_free(m);
		plx_count(t->giants, 1);
		return true;
	}
	to = classify(peer, m, &hash);
	if (plx_unlikely(!has_room(s, peer->rxq[to].ring[q->id], to))) {
		if (!e->drop_when_full)
			return false;
		plx_txq_merged(q, m);
		rte_pktmbuf_free(m);
		plx_count(t->missed, 1);
		return true;
	}
	own = plx_pkt_own_head(m);
	if (plx_unlikely(!own))
		return false;
	m = cross(peer, own, hash);
	if (plx_unlikely(!m)) {
		plx_txq_lost(
			own, own->ol_flags & SUPER ? PLX_DROP_TX_NO_OFFLOAD : PLX_DROP_TX_ERROR);
		plx_count(t->dropped, 1);
		return true;
	}
	if (plx_unlikely(m->ol_flags & plx_pkt_merged_flag))
		plx_txq_merged(q, m);
	s->m[to][s->n[to]++] = m;
	plx_count(t->bytes, bytes);
	return true;
}

static uint16_t no_carrier(struct pipe_txq *t, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		plx_txq_lost(pkts[i], PLX_DROP_TX_DOWN);
	plx_count(t->dropped, n);
	return n;
}

static void deliver(struct plx_txq *q, struct pipe_end *peer, struct stage *s)
{
	for (uint32_t left = s->used; left; left &= left - 1) {
		unsigned int to = (unsigned int)__builtin_ctz(left);
		struct pipe_rxq *r = &peer->rxq[to];

		if (s->n[to] == 0)
			continue;
		plx_ring_enqueue(r->ring[q->id], (void *const *)s->m[to], s->n[to]);
		pipe__wake(r);
	}
}

/* At most PLX_PORT_BURST frames. */
static uint16_t send_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct pipe_end *e = q->port->priv;
	struct pipe_txq *t = &e->txq[q->id];
	uint16_t done = 0;
	struct stage s;

	if (plx_unlikely(!pipe__carrier(e)))
		return no_carrier(t, pkts, n);
	s.used = 0;
	while (done < n && take(q, t, &s, pkts[done]))
		done++;
	deliver(q, e->peer, &s);
	return done;
}

uint16_t pipe__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t done = 0;

	while (done < n) {
		uint16_t chunk = (uint16_t)PLX_MIN(n - done, PLX_PORT_BURST);
		uint16_t sent = send_burst(q, pkts + done, chunk);

		done += sent;
		if (sent < chunk)
			break;
	}
	return done;
}

uint16_t pipe__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct pipe_end *e = q->port->priv;
	struct pipe_rxq *r = &e->rxq[q->id];
	unsigned int got = 0;

	for (uint16_t i = 0, at = r->next; i < e->queues && got < n; i++) {
		got += plx_ring_dequeue(r->ring[at], (void **)pkts + got, n - got);
		at = at + 1 < e->queues ? at + 1 : 0;
	}
	r->next = r->next + 1 < e->queues ? r->next + 1 : 0;
	if (plx_unlikely(q->port->caps.features & PLX_PORT_F_LRO))
		for (unsigned int i = 0; i < got; i++)
			plx_rxq_merged(q, pkts[i]);
	return (uint16_t)got;
}

uint32_t plx_net_pipe_rx_pending(const struct plx_rxq *q)
{
	const struct pipe_end *e = q->port->priv;
	uint32_t n = 0;

	for (uint16_t i = 0; i < e->queues; i++)
		n += plx_ring_count(e->rxq[q->id].ring[i]);
	return n;
}
