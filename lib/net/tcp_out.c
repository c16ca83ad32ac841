/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Segments out. lib/tcp's output() takes for sent what it names, so mbufs and room in the transmit
 * queue are made sure of before it is asked.
 */

PLX_NOINLINE static bool fill_up(
	struct net_spare *s, struct rte_mempool *pool, uint32_t n, uint32_t full)
{
	struct rte_mbuf *m;

	if (n > full)
		return false;
	if (rte_pktmbuf_alloc_bulk(pool, s->m + s->n, full - s->n) == 0) {
		s->n = full;
		return true;
	}
	while (s->n < n && (m = rte_pktmbuf_alloc(pool)))
		s->m[s->n++] = m;
	return s->n >= n;
}

/* n are at hand, as far as they go. @param full so many if memory is not short. */
static bool have(struct net_spare *s, struct rte_mempool *pool, uint32_t n, uint32_t full)
{
	return plx_likely(s->n >= n) || fill_up(s, pool, n, full);
}

bool net__tcp_reserve(struct net_lcore *nl, uint32_t n)
{
	return have(&nl->tcp->spare, nl->sn->pool, n, TCP_SPARE);
}

struct rte_mbuf *net__tcp_spare(struct net_lcore *nl)
{
	struct net_spare *s = nl->tcp->from;

	return s->m[--s->n];
}

uint16_t net__tcp_mtu(const struct net_lcore *nl, const struct net_dst *d)
{
	uint32_t mtu = PLX_MIN(d->mtu, TCP_MTU_MAX);

	if (!d->local && !(d->ifc->features & PLX_PORT_F_SG)) /* takes no chain of mbufs */
		mtu = PLX_MIN(mtu, nl->tcp->mbuf_room);
	return (uint16_t)mtu;
}

enum plx_drop net__tcp_route(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t iface, struct net_dst *d)
{
	return plx_likely(!iface) || plx_addr_is_linklocal(dst) ? net__route(nl, dst, iface, d)
								: net__route_by(nl, dst, iface, d);
}

/* How many segments can be queued on this way: super-segments count as those they are to be. */
static uint32_t queue_room(struct net_lcore *nl, const struct net_dst *d)
{
	struct plx_txq *q;
	uint32_t limit;

	if (d->local)
		return NET_PEND_MAX - PLX_MIN(nl->loop_n, NET_PEND_MAX);
	q = nl->sn->txq[d->ifc->port];
	limit = q ? plx_count_read(q->limit) : 0;
	if (!limit) /* another lcore's, or down: dropped with its reason */
		return UINT32_MAX;
	if (plx_txq_wire(q) >= limit)
		plx_txq_flush(q);
	return limit - PLX_MIN(plx_txq_wire(q), limit);
}

/* How much text a segment on this way may have at most, to be cut behind us; 0 = what fits. */
static uint32_t super_len(
	const struct net_lcore *nl, const struct plx_tcp *c, const struct net_dst *d)
{
	/* it may have to be copied */
	uint32_t most =
		PLX_MIN(TCP_SUPER, (TCP_SPARE - 1) * nl->tcp->mbuf_room - PLX_TCP_MAX_BYTES);

	/* identifications of what may be fragmented are all different: who cuts counts on */
	if (plx_addr_is_v4(&c->id.raddr) && net__tun(nl->net, PLX_TUN_IP_NO_PMTU_DISC))
		return 0;
	if (d->local)
		return most;
	/* what takes no chains would have it copied twice */
	if (!(d->ifc->features & PLX_PORT_F_SG))
		return 0;
	return d->ifc->features & (PLX_PORT_F_TSO | PLX_PORT_F_GSO) ? most : 0;
}

static uint8_t tcp_bytes(const uint8_t *p)
{
	return (uint8_t)((p[12] >> 4) * 4);
}

/* To be cut into segments of mss: what DPDK and plx_gso_segment() ask for. */
static void ask_cut(struct rte_mbuf *m, const struct plx_ip *ip, uint16_t mss)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t check = plx_cksum_fold(plx_cksum_pseudo(&ip->src, &ip->dst, PLX_IPPROTO_TCP, 0));

	memcpy(p + 16, &check, 2);
	m->l4_len = tcp_bytes(p);
	m->tso_segsz = mss;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG |
		       (ip->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
}

static void fill_sum(struct rte_mbuf *m, const struct plx_ip *ip, const struct net_dst *d)
{
	uint32_t pseudo = plx_cksum_pseudo(&ip->src, &ip->dst, PLX_IPPROTO_TCP, m->pkt_len);
	bool whole = m->pkt_len + (ip->version == 4 ? PLX_IP4_BYTES : PLX_IP6_BYTES) <= d->mtu;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t check;

	if (whole && !d->local && d->ifc->features & PLX_PORT_F_TX_CSUM_L4) {
		check = plx_cksum_fold(pseudo);
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM |
			       (ip->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
	} else if (plx_likely(m->nb_segs == 1)) {
		check = plx_cksum_finish(plx_cksum_add(pseudo, p, m->pkt_len));
	} else {
		check = plx_cksum_finish(
			plx_cksum_combine(pseudo, plx_pkt_csum_sum(m, 0, m->pkt_len), 0));
	}
	memcpy(p + 16, &check, 2);
}

/* The text behind the header, lent: nobody may write to it. */
static void lend_text(struct net_lcore *nl, struct rte_mbuf *m, const struct net_tcp_buf *b,
	uint32_t off, uint32_t len)
{
	struct net_spare *s = &nl->tcp->lent;
	struct rte_mbuf *last = m;

	for (uint32_t part; len; off += part, len -= part) {
		last->next = s->m[--s->n];
		last = last->next;
		part = net__tcp_lend(b, off, last, len);
		m->pkt_len += part;
		m->nb_segs++;
	}
}

/* The text behind the header; more mbufs where one has no room. */
static void copy_text(struct net_lcore *nl, struct rte_mbuf *m, const struct net_tcp_buf *b,
	uint32_t off, uint32_t len)
{
	struct rte_mbuf *s = m;

	for (;;) {
		uint32_t part = PLX_MIN(len, (uint32_t)rte_pktmbuf_tailroom(s));

		net__tcp_copy(b, off, rte_pktmbuf_mtod_offset(s, void *, s->data_len), part);
		s->data_len = (uint16_t)(s->data_len + part);
		m->pkt_len += part;
		off += part;
		len -= part;
		if (plx_likely(len == 0))
			return;
		s->next = net__tcp_spare(nl);
		s = s->next;
		m->nb_segs++;
	}
}

static void emit_header(
	struct rte_mbuf *m, const struct plx_tcp_id *id, const struct plx_tcp_tx *tx)
{
	const struct plx_tcp_hdr h = {
		.sport = id->lport,
		.dport = id->rport,
		.seq = tx->seq,
		.ack = tx->ack,
		.flags = tx->flags,
		.win = tx->win,
		.urg = tx->urg,
		.hdr_bytes = (uint8_t)(PLX_TCP_BYTES + plx_wire_tcp_opts_bytes(&tx->opts)),
	};
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, h.hdr_bytes);

	plx_wire_tcp_emit(p, &h);
	if (h.hdr_bytes > PLX_TCP_BYTES)
		plx_wire_tcp_opts_emit(p + PLX_TCP_BYTES, &tx->opts);
}

/* What its IP header says. */
struct look {
	uint8_t ttl, tos;
};

static struct look look_of(const struct plx_net_tcp *tc, uint8_t ecn)
{
	uint32_t f = tc->timer.tag;

	return (struct look){
		(uint8_t)(f >> TCPF_TTL_SHIFT), (uint8_t)((f & TCPF_IP) >> TCPF_TOS_SHIFT) | ecn};
}

/* m is a whole segment, or several of cut bytes, but for its checksum. @param drop why there is no
 * way. */
static void send_made(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_tcp_id *id,
	struct look look, uint16_t cut, const struct net_dst *d, enum plx_drop drop)
{
	bool v6 = !plx_addr_is_v4(&id->raddr);
	struct plx_ip ip = {
		.src = id->laddr,
		.dst = id->raddr,
		.proto = PLX_IPPROTO_TCP,
		.ttl = look.ttl,
		.tos = look.tos,
		.df = !v6 && !net__tun(nl->net, PLX_TUN_IP_NO_PMTU_DISC),
	};

	plx_pkt_originate(plx_pkt_wire(m));
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		net__drop_out(m, drop, v6);
		return;
	}
	net__ip_defaults(nl, &ip, d);
	if (cut)
		ask_cut(m, &ip, cut);
	else
		fill_sum(m, &ip, d);
	net__ip_out(nl, m, &ip, d);
}

/* ---- of a connection ---- */

/* Linux's tcpOutSegs: all but what was sent before. */
static void count(const struct plx_tcp *c, const struct plx_tcp_tx *tx, uint32_t nxt, uint32_t segs)
{
	uint32_t space = tx->len + !!(tx->flags & PLX_TCP_FIN);

	if (tx->flags & PLX_TCP_SYN ? c->retransmits == 0
				    : space == 0 || plx_seq_gt(tx->seq + space, nxt))
		plx_count(plx_acct_self()->stat[PLX_STAT_TCP_OUTSEGS], segs);
	if (plx_unlikely(tx->flags & PLX_TCP_RST))
		plx_stat_inc(PLX_STAT_TCP_OUTRSTS);
}

/* What it has learned of the way there goes with its next segment (Linux's dst_confirm()). */
static uint8_t advice(struct plx_net_tcp *tc)
{
	uint32_t f = *net__tcp_flags(tc);

	*net__tcp_flags(tc) = f & ~(TCPF_PROGRESS | TCPF_DOUBT);
	return (f & TCPF_PROGRESS ? NET_F_PROGRESS : 0) | (f & TCPF_DOUBT ? NET_F_DOUBT : 0);
}

/* The mbufs that a segment of b with so much text takes at most. */
static bool reserve_for(struct net_lcore *nl, const struct net_tcp_buf *b, uint32_t text, bool lend)
{
	bool loans = lend && b && plx_unlikely(b->extra);
	uint32_t copied = lend && nl->tcp->lends && !loans ? PLX_MIN(text, TCP_LEND) : text;

	if (!net__tcp_reserve(nl, (PLX_TCP_MAX_BYTES + copied) / nl->tcp->mbuf_room + 1))
		return false;
	if (loans) /* in whatever pieces: what there are too many of is copied */
		have(&nl->tcp->lent, nl->sn->clones, PLX_MIN(b->n, TCP_LENT), TCP_LENT);
	if (copied == text)
		return true;
	/* it begins and ends within a chunk */
	return have(&nl->tcp->lent, nl->sn->clones, text / TCP_CHUNK + 2, TCP_SPARE);
}

/* In one piece down to the queue, as plx_net_udp_send() is. */
PLX_NOINLINE PLX_FLATTEN static void send_segment(struct net_lcore *nl, struct plx_net_tcp *tc,
	const struct plx_tcp_tx *tx, uint32_t segs, bool lend, const struct net_dst *d,
	enum plx_drop drop)
{
	struct rte_mbuf *m = net__tcp_spare(nl);

	emit_header(m, &tc->c.id, tx);
	if (lend && tx->len && net__tcp_lendable(nl->tcp, tc->buf, tx->off, tx->len, tx->mss))
		lend_text(nl, m, tc->buf, tx->off, tx->len);
	else if (tx->len)
		copy_text(nl, m, tc->buf, tx->off, tx->len);
	if (segs > 1)
		plx_pkt_set_wire(m, segs);
	send_made(nl, m, &tc->c.id, look_of(tc, tx->ecn), segs > 1 ? tx->mss : 0, d, drop);
}

/*
 * The pool is empty. What lets the peer go on, and makes it let go of what we hold, is made of the
 * reserve: ACKs, and what was sent before, a segment at a time; new text waits.
 */
PLX_NOINLINE static bool output_last(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t left,
	struct net_dst *d, enum plx_drop drop)
{
	/* to ourselves no text: it might wait there until it is read */
	bool here = drop == PLX_DROP_NONE && d->local;
	const struct plx_tcp_room room = {
		.segs = 1, .bytes = here ? 0 : UINT32_MAX, .no_new = true};
	struct net_tcp *t = nl->tcp;
	struct plx_tcp *c = &tc->c;
	uint32_t n = (PLX_TCP_MAX_BYTES + TCP_MTU_MAX) / nl->tcp->mbuf_room + 1;
	struct plx_tcp_tx tx;

	for (; left && have(&t->last, nl->sn->reserve, n, n); left--) {
		uint32_t nxt = c->snd.nxt;

		if (!plx_tcp_output(c, nl->sn->now_ns, &room, &tx))
			return tx.why != PLX_TCP_WHY_ROOM;
		count(c, &tx, nxt, 1);
		d->advice = advice(tc);
		t->from = &t->last;
		send_segment(nl, tc, &tx, 1, false, d, drop);
		t->from = &t->spare;
	}
	return false;
}

bool net__tcp_output(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_tcp_room room = {.segs = TCP_SUPER_SEGS, .bytes = UINT32_MAX};
	struct plx_tcp *c = &tc->c;
	plx_ns now = nl->sn->now_ns;
	struct plx_tcp_tx tx;
	struct net_dst d;
	enum plx_drop drop;
	uint32_t left = UINT32_MAX;
	bool lend = false;

	if (plx_tcp_idle(c, now))
		return true;
	drop = net__tcp_route(nl, &c->id.raddr, c->id.iface, &d);
	if (plx_likely(drop == PLX_DROP_NONE)) {
		plx_tcp_route_mtu(c, net__tcp_mtu(nl, &d), now);
		left = queue_room(nl, &d);
		room.max_len = super_len(nl, c, &d);
		lend = d.local || d.ifc->features & PLX_PORT_F_SG;
	}
	do {
		uint32_t most = PLX_MAX(room.max_len, (uint32_t)c->snd.mss);
		uint32_t nxt = c->snd.nxt, segs;

		room.segs = PLX_MIN(left, TCP_SUPER_SEGS);
		most = PLX_MIN(most, PLX_MAX(plx_tcp_unacked(c), (uint32_t)c->snd.mss));
		if (plx_unlikely(left == 0))
			return false;
		if (plx_unlikely(!reserve_for(nl, tc->buf, most, lend)))
			return output_last(nl, tc, left, &d, drop);
		if (!plx_tcp_output(c, now, &room, &tx))
			return true;
		segs = tx.len > tx.mss ? (tx.len + tx.mss - 1) / tx.mss : 1;
		count(c, &tx, nxt, segs);
		d.advice = advice(tc);
		send_segment(nl, tc, &tx, segs, lend, &d, drop);
		left -= segs;
	} while (!plx_tcp_idle(c, now));
	return true;
}

/* ---- of others ---- */

void net__tcp_send_bare(struct net_lcore *nl, const struct plx_tcp_id *id,
	const struct plx_tcp_listener *l, const struct plx_tcp_tx *tx)
{
	const struct net_tcp_replica *r = l ? plx_container_of(l, struct net_tcp_replica, l) : NULL;
	bool last = tx->flags == PLX_TCP_ACK; /* of TIME-WAIT, or a challenge */
	struct rte_mbuf *m = last ? plx_softnet_alloc_last(nl->sn) : plx_softnet_alloc(nl->sn);
	struct look look = {.tos = tx->ecn};
	enum plx_drop drop;
	struct net_dst d;

	if (!m)
		return;
	if (r)
		look = (struct look){r->ttl, (uint8_t)(r->tos & ~PLX_IP_ECN_MASK) | tx->ecn};
	drop = l && l->id.iface ? net__tcp_route(nl, &id->raddr, l->id.iface, &d)
				: net__route(nl, &id->raddr, id->iface, &d);
	emit_header(m, id, tx);
	send_made(nl, m, id, look, 0, &d, drop);
}

void net__tcp_send_reset(
	struct net_lcore *nl, const struct plx_tcp_id *id, const struct plx_tcp_tx *tx)
{
	struct net_tcp *t = nl->tcp;

	if (!plx_tcp_limit_take(&t->ctx.reset, nl->sn->now_ns,
		    (uint32_t)net__tun(nl->net, PLX_TUN_TCP_RST_LIMIT)))
		return;
	plx_stat_inc(PLX_STAT_TCP_OUTSEGS);
	plx_stat_inc(PLX_STAT_TCP_OUTRSTS);
	net__tcp_send_bare(nl, id, NULL, tx);
}
