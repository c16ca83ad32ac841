/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The room that received text takes: an mbuf each, however little is in it. What comes in small
 * pieces is copied together; when there is too much of it all the same, text out of order goes
 * first, then what is in order is packed tight, then what comes is refused (Linux's
 * tcp_try_rmem_schedule(), tcp_prune_queue()).
 */

/* May be written behind its data. */
static bool writable(const struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
}

static void copy_all(const struct rte_mbuf *m, uint8_t *to)
{
	for (; m; to += m->data_len, m = m->next)
		memcpy(to, rte_pktmbuf_mtod(m, const void *), m->data_len);
}

bool net__tcp_copy_behind(struct rte_mbuf *tail, struct rte_mbuf *m)
{
	uint32_t len = m->pkt_len;

	if (tail->nb_segs > 1 || !writable(tail) || rte_pktmbuf_tailroom(tail) < len)
		return false;
	copy_all(m, (uint8_t *)rte_pktmbuf_append(tail, (uint16_t)len));
	*net__tcp_place(m) = 0;
	rte_pktmbuf_free(m);
	plx_stat_inc(PLX_STAT_TCPEXT_TCPRCVCOALESCE);
	return true;
}

void net__tcp_squeeze(struct rte_mbuf *m)
{
	for (struct rte_mbuf *s = m; s; s = s->next)
		while (s->next && writable(s) && rte_pktmbuf_tailroom(s) >= s->next->data_len) {
			struct rte_mbuf *next = s->next;

			memcpy(rte_pktmbuf_mtod_offset(s, void *, s->data_len),
				rte_pktmbuf_mtod(next, const void *), next->data_len);
			s->data_len = (uint16_t)(s->data_len + next->data_len);
			s->next = next->next;
			m->nb_segs--;
			next->next = NULL;
			next->nb_segs = 1;
			rte_pktmbuf_free_seg(next);
		}
}

/* ---- packing what is in order ---- */

/* As much as there is room for, from the begin of m. */
static void fill_up(struct rte_mbuf *to, struct rte_mbuf *m)
{
	uint16_t n = (uint16_t)PLX_MIN(rte_pktmbuf_tailroom(to), m->data_len);

	memcpy(rte_pktmbuf_append(to, n), rte_pktmbuf_mtod(m, const void *), n);
	rte_pktmbuf_adj(m, n);
}

/* Its data at the front, where they leave all room behind them. */
static void move_to_front(struct rte_mbuf *m)
{
	uint8_t *front = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;

	if (m->data_off <= RTE_PKTMBUF_HEADROOM)
		return;
	memmove(front, rte_pktmbuf_mtod(m, const void *), m->data_len);
	m->data_off = RTE_PKTMBUF_HEADROOM;
}

/* A segment of a chain as a packet of its own. */
static struct rte_mbuf *unchain(struct rte_mbuf **chain)
{
	struct rte_mbuf *s = *chain;

	*chain = s->next;
	s->next = NULL;
	s->nb_segs = 1;
	s->pkt_len = s->data_len;
	s->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	return s;
}

static void pack_one(
	struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *s, struct rte_mbuf **to)
{
	if (*to)
		fill_up(*to, s);
	if (!s->data_len) {
		net__tcp_hold(nl, tc, -(int32_t)net__room_of(s));
		rte_pktmbuf_free(s);
		plx_stat_inc(PLX_STAT_TCPEXT_TCPRCVCOLLAPSED);
		return;
	}
	net__tcp_in_link(tc->buf, s);
	*to = writable(s) ? s : NULL;
	if (*to)
		move_to_front(s);
}

/* All that is in order in as few mbufs as it takes: Linux's tcp_collapse(). */
static void collapse(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct rte_mbuf *m = tc->buf->in_head, *to = NULL;

	tc->buf->in_head = NULL;
	while (m) {
		struct rte_mbuf *next = *net__tcp_next(m);

		while (m)
			pack_one(nl, tc, unchain(&m), &to);
		m = next;
	}
}

/* ---- when it is too much ---- */

static bool enough(struct net_lcore *nl, const struct plx_tcp *c, uint32_t n)
{
	return !plx_tcp_is_full(c) && net__mem_may_receive(nl, c->rcv.room, n);
}

/* Where the last of what is out of order begins, so that about that much room is behind it. */
static uint64_t far_end(const struct net_tcp_buf *b, uint32_t room)
{
	struct rte_mbuf *m;
	uint64_t all = 0;

	for (m = b->ofo_head; m; m = *net__tcp_next(m))
		all += net__room_of(m);
	for (m = b->ofo_head; *net__tcp_next(m) && all > room; m = *net__tcp_next(m))
		all -= net__room_of(m);
	return *net__tcp_place(m);
}

/*
 * Linux's tcp_prune_ofo_queue(): from its far end, an eighth of the buffer at a time; not for what
 * would itself be the end.
 */
static bool prune(
	struct net_lcore *nl, struct plx_net_tcp *tc, const struct plx_tcp_seg *seg, uint32_t n)
{
	struct plx_tcp *c = &tc->c;
	struct net_tcp_buf *b = tc->buf;
	uint64_t at = c->bytes_received + (uint64_t)(int64_t)plx_seq_diff(seg->seq, c->rcv.nxt);

	while (b->ofo_head && (int64_t)(*net__tcp_place(b->ofo_tail) - at) > 0) {
		uint64_t from = far_end(b, c->rcv.buf / 4);

		plx_tcp_prune(c, (uint32_t)(from - c->bytes_received));
		net__tcp_give_up(nl, tc, from);
		if (enough(nl, c, n))
			return true;
	}
	return false;
}

/* Would any of it be kept? */
static bool is_new(const struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	return plx_tcp_window(c) && plx_seq_gt(seg->seq + seg->len, c->rcv.nxt) &&
	       plx_seq_lt(seg->seq, c->rcv.nxt + plx_tcp_window(c));
}

enum plx_drop net__tcp_make_room(
	struct net_lcore *nl, struct plx_net_tcp *tc, const struct plx_tcp_seg *seg, uint32_t n)
{
	struct plx_tcp *c = &tc->c;

	if (plx_likely(enough(nl, c, n)) || !is_new(c, seg))
		return PLX_DROP_NONE;
	plx_tcp_clamp(c);
	if (enough(nl, c, n) || prune(nl, tc, seg, n))
		return PLX_DROP_NONE;
	if (c->rcv.room / 3 * 2 > plx_tcp_readable(c)) /* else there is little to be won */
		collapse(nl, tc);
	if (enough(nl, c, n))
		return PLX_DROP_NONE;
	return plx_tcp_is_full(c) ? PLX_DROP_TCP_TEXT_RCVBUF : PLX_DROP_TCP_TEXT_BUDGET;
}
