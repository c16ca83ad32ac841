/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The bytes of connections: received text in its mbufs, in order or waiting to be; text to be sent
 * in chunks of one size. lib/tcp says which bytes, here they are.
 */

#define CHUNKS_MIN 8u

static struct net_tcp_buf *buf_of(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (!tc->buf) {
		tc->buf = plx_arena_alloc(&nl->tcp->arena, sizeof(*tc->buf));
		if (tc->buf)
			memset(tc->buf, 0, sizeof(*tc->buf));
	}
	return tc->buf;
}

/* ---- received: cutting mbufs ---- */

/* Without its first n bytes, of which it has more. */
static struct rte_mbuf *behead(struct rte_mbuf *m, uint32_t n)
{
	while (n >= m->data_len && m->next) {
		struct rte_mbuf *next = m->next;

		n -= m->data_len;
		next->pkt_len = m->pkt_len - m->data_len;
		next->nb_segs = (uint16_t)(m->nb_segs - 1);
		m->next = NULL;
		m->nb_segs = 1;
		rte_pktmbuf_free_seg(m);
		m = next;
	}
	rte_pktmbuf_adj(m, (uint16_t)n);
	return m;
}

/*
 * What is behind the first n bytes, as a packet of its own. At most one segment is in both, and has
 * a second mbuf then, which was reserved.
 */
static struct rte_mbuf *split(struct net_lcore *nl, struct rte_mbuf *m, uint32_t n)
{
	struct rte_mbuf *s = m, *rest;
	uint32_t total = m->pkt_len, left = n;
	uint16_t segs = m->nb_segs, before = 1;

	while (left >= s->data_len && s->next) {
		left -= s->data_len;
		if (left == 0)
			break;
		s = s->next;
		before++;
	}
	if (left == 0) {
		rest = s->next;
		rest->nb_segs = (uint16_t)(segs - before);
	} else {
		rest = net__tcp_spare(nl);
		rte_pktmbuf_attach(rest, s);
		rte_pktmbuf_adj(rest, (uint16_t)left);
		rest->next = s->next;
		rest->nb_segs = (uint16_t)(segs - before + 1);
		s->data_len = (uint16_t)left;
	}
	s->next = NULL;
	m->nb_segs = before;
	m->pkt_len = n;
	rest->pkt_len = total - n;
	return rest;
}

/* ---- received: queues ---- */

/*
 * A piece that fills less than half of its room is copied behind what came before it, or else
 * together, if it is in pieces itself. @return whether it is gone.
 */
static bool compact(struct rte_mbuf *before, struct rte_mbuf *m)
{
	if (plx_likely(2 * m->pkt_len >= net__room_of(m)))
		return false;
	if (before && net__tcp_copy_behind(before, m))
		return true;
	if (m->nb_segs > 1)
		net__tcp_squeeze(m);
	return false;
}

void net__tcp_in_link(struct net_tcp_buf *b, struct rte_mbuf *m)
{
	*net__tcp_next(m) = NULL;
	if (b->in_head)
		*net__tcp_next(b->in_tail) = m;
	else
		b->in_head = m;
	b->in_tail = m;
}

static void append_in(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m)
{
	struct net_tcp_buf *b = tc->buf;

	if (compact(b->in_head ? b->in_tail : NULL, m))
		return;
	net__tcp_hold(nl, tc, (int32_t)net__room_of(m));
	net__tcp_in_link(b, m);
}

/* What it belongs behind: most often all that wait. NULL: it is the first. */
static struct rte_mbuf *ofo_before(const struct net_tcp_buf *b, uint64_t at)
{
	struct rte_mbuf *prev = NULL, *m = b->ofo_head;

	if (m && *net__tcp_place(b->ofo_tail) < at)
		return b->ofo_tail;
	for (; m && *net__tcp_place(m) < at; m = *net__tcp_next(m))
		prev = m;
	return prev;
}

static void insert_ofo(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m)
{
	struct net_tcp_buf *b = tc->buf;
	uint64_t at = *net__tcp_place(m);
	struct rte_mbuf *prev = ofo_before(b, at), **link;
	bool joins = prev && *net__tcp_place(prev) + prev->pkt_len == at;

	if (compact(joins ? prev : NULL, m))
		return;
	net__tcp_hold(nl, tc, (int32_t)net__room_of(m));
	link = prev ? net__tcp_next(prev) : &b->ofo_head;
	*net__tcp_next(m) = *link;
	*link = m;
	if (!*net__tcp_next(m))
		b->ofo_tail = m;
}

enum plx_drop net__tcp_can_keep(struct net_lcore *nl, struct plx_net_tcp *tc,
	const struct rte_mbuf *m, const struct plx_tcp_seg *seg)
{
	uint32_t n = net__room_of(m);
	enum plx_drop drop;

	if (plx_unlikely(!buf_of(nl, tc)))
		return PLX_DROP_TCP_NO_MEMORY;
	if (plx_unlikely(plx_tcp_is_full(&tc->c) || !plx_quota_has(&nl->tcp->rx, n) ||
			 nl->tcp->ctx.pressure)) {
		drop = net__tcp_make_room(nl, tc, seg, n);
		if (drop != PLX_DROP_NONE)
			return drop;
	}
	/* what fills gaps may be cut at each of them */
	if (plx_likely(!tc->c.rcv.ofo) || net__tcp_reserve(nl, PLX_TCP_KEEP_MAX - 1))
		return PLX_DROP_NONE;
	return PLX_DROP_NO_MBUF;
}

void net__tcp_keep(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m,
	uint32_t text_off, const struct plx_tcp_rx *r, uint64_t stream)
{
	struct net_tcp_buf *b = tc->buf;

	if (net__tcp_is(tc, TCPF_RELEASED)) {
		rte_pktmbuf_free(m);
		return;
	}
	m = behead(m, text_off + r->keep[0].off);
	for (uint32_t i = 0; i < r->n_keep; i++) {
		const struct plx_tcp_keep *k = &r->keep[i];
		struct rte_mbuf *rest = NULL;

		if (plx_unlikely(i + 1u < r->n_keep)) {
			rest = split(nl, m, k->len);
			rest = behead(rest, k[1].off - k->off - k->len);
		} else {
			net__trim(m, k->len);
		}
		*net__tcp_place(m) = stream + k->at;
		if (plx_likely(k->at == 0))
			append_in(nl, tc, m);
		else
			insert_ofo(nl, tc, m);
		m = rest;
	}
	stream = tc->c.bytes_received; /* in order up to here now */
	while (plx_unlikely(b->ofo_head && *net__tcp_place(b->ofo_head) < stream)) {
		struct rte_mbuf *first = b->ofo_head;

		b->ofo_head = *net__tcp_next(first);
		net__tcp_hold(nl, tc, -(int32_t)net__room_of(first));
		append_in(nl, tc, first);
	}
}

static void free_chain(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m)
{
	while (m) {
		struct rte_mbuf *next = *net__tcp_next(m);

		net__tcp_hold(nl, tc, -(int32_t)net__room_of(m));
		m->tx_offload = 0;
		rte_pktmbuf_free(m);
		m = next;
	}
}

/* Each was kept between two gaps: it goes as a whole, or the part of it that is too far. */
void net__tcp_give_up(struct net_lcore *nl, struct plx_net_tcp *tc, uint64_t from)
{
	struct net_tcp_buf *b = tc->buf;
	struct rte_mbuf **at, *last = NULL;

	if (!b)
		return;
	for (at = &b->ofo_head; *at && *net__tcp_place(*at) < from; at = net__tcp_next(*at))
		last = *at;
	free_chain(nl, tc, *at);
	*at = NULL;
	b->ofo_tail = last;
	if (last && *net__tcp_place(last) + last->pkt_len > from) {
		net__tcp_hold(nl, tc, -(int32_t)net__room_of(last));
		net__trim(last, (uint32_t)(from - *net__tcp_place(last)));
		net__tcp_hold(nl, tc, (int32_t)net__room_of(last));
	}
}

struct rte_mbuf *net__tcp_in_pop(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct rte_mbuf *m = tc->buf ? tc->buf->in_head : NULL;

	if (!m)
		return NULL;
	tc->buf->in_head = *net__tcp_next(m);
	net__tcp_hold(nl, tc, -(int32_t)net__room_of(m));
	m->tx_offload = 0;
	m->ol_flags &= ~plx_pkt_came_flags; /* a part of a merged packet still has its own */
	return m;
}

static void copy_out(const struct rte_mbuf *m, uint32_t off, void *to, uint32_t n)
{
	const void *from = rte_pktmbuf_read(m, off, n, to);

	if (from != to)
		memcpy(to, from, n);
}

uint32_t net__tcp_in_peek(const struct plx_net_tcp *tc, uint32_t off, void *to, uint32_t n)
{
	struct rte_mbuf *m = tc->buf ? tc->buf->in_head : NULL;
	uint8_t *p = to;
	uint32_t done = 0;

	for (; m && done < n; m = *net__tcp_next(m)) {
		uint32_t part;

		if (off >= m->pkt_len) {
			off -= m->pkt_len;
			continue;
		}
		part = PLX_MIN(n - done, m->pkt_len - off);
		copy_out(m, off, p + done, part);
		done += part;
		off = 0;
	}
	return done;
}

uint32_t net__tcp_in_copy(struct net_lcore *nl, struct plx_net_tcp *tc, void *to, uint32_t n)
{
	uint8_t *p = to;
	uint32_t done = 0;

	while (done < n && tc->buf && tc->buf->in_head) {
		struct rte_mbuf *m = tc->buf->in_head;
		uint32_t part = PLX_MIN(n - done, m->pkt_len);

		if (p)
			copy_out(m, 0, p + done, part);
		done += part;
		if (part == m->pkt_len) {
			rte_pktmbuf_free(net__tcp_in_pop(nl, tc));
		} else {
			struct rte_mbuf *next = *net__tcp_next(m), *rest;
			bool tail = m == tc->buf->in_tail;

			net__tcp_hold(nl, tc, -(int32_t)net__room_of(m));
			rest = behead(m, part);
			net__tcp_hold(nl, tc, (int32_t)net__room_of(rest));
			*net__tcp_next(rest) = next;
			tc->buf->in_head = rest;
			if (tail)
				tc->buf->in_tail = rest;
		}
	}
	return done;
}

void net__tcp_in_drop(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_tcp_buf *b = tc->buf;

	if (!b)
		return;
	free_chain(nl, tc, b->in_head);
	free_chain(nl, tc, b->ofo_head);
	b->in_head = b->ofo_head = NULL;
}

/* ---- to be sent ---- */

static void chunk_free(struct net_tcp *t, struct net_tcp_chunk *ch)
{
	plx_quota_use(&t->tx, -(int64_t)sizeof(*ch));
	plx_arena_free(&t->arena, ch, sizeof(*ch));
}

/* The last packet that held it is gone, on whatever lcore or thread. */
static void come_home(void *text, void *chunk)
{
	struct net_tcp_chunk *ch = chunk;
	struct net_tcp *t = ch->owner;

	if (rte_lcore_id() == t->lcore)
		chunk_free(t, ch);
	else
		plx_mpsc_push(&t->home, &ch->node);
}

void net__tcp_chunks_home(struct net_tcp *t)
{
	struct plx_mpsc_node *n;

	while ((n = plx_mpsc_pop(&t->home)))
		chunk_free(t, plx_container_of(n, struct net_tcp_chunk, node));
}

static struct net_tcp_chunk *chunk_new(struct net_tcp *t)
{
	struct net_tcp_chunk *ch = plx_arena_alloc(&t->arena, sizeof(*ch));

	if (!ch)
		return NULL;
	plx_quota_use(&t->tx, sizeof(*ch));
	ch->owner = t;
	ch->shared.free_cb = come_home;
	ch->shared.fcb_opaque = ch;
	rte_mbuf_ext_refcnt_set(&ch->shared, 1);
	return ch;
}

static void chunk_put(struct net_tcp *t, struct net_tcp_chunk *ch)
{
	if (rte_mbuf_ext_refcnt_update(&ch->shared, -1) == 0)
		chunk_free(t, ch);
}

static struct net_tcp_chunk **chunk_at(const struct net_tcp_buf *b, uint32_t i)
{
	return &b->chunk[(b->first + i) & (b->cap - 1)];
}

static bool grow(struct net_tcp *t, struct net_tcp_buf *b)
{
	uint32_t cap = b->cap ? b->cap * 2 : CHUNKS_MIN;
	struct net_tcp_chunk **p = plx_arena_alloc(&t->arena, cap * sizeof(*p));

	if (!p)
		return false;
	for (uint32_t i = 0; i < b->n; i++)
		p[i] = *chunk_at(b, i);
	plx_arena_free(&t->arena, b->chunk, b->cap * sizeof(*p));
	b->chunk = p;
	b->cap = cap;
	b->first = 0;
	return true;
}

static bool add_chunk(struct net_lcore *nl, struct net_tcp_buf *b)
{
	struct net_tcp *t = nl->tcp;
	struct net_tcp_chunk *ch;

	net__tcp_chunks_home(t);
	if (!net__mem_may_send(nl, b->n * (uint32_t)sizeof(*ch), sizeof(*ch)))
		return false;
	if (b->n == b->cap && !grow(t, b))
		return false;
	ch = chunk_new(t);
	if (!ch)
		return false;
	*chunk_at(b, b->n++) = ch;
	return true;
}

uint32_t net__tcp_append(
	struct net_lcore *nl, struct plx_net_tcp *tc, const uint8_t *data, uint32_t n)
{
	struct net_tcp_buf *b = buf_of(nl, tc);
	uint32_t done = 0;

	while (b && done < n) {
		uint32_t end = b->skip + b->bytes, at = end % TCP_CHUNK;
		uint32_t part = PLX_MIN(TCP_CHUNK - at, n - done);

		if (end / TCP_CHUNK == b->n && !add_chunk(nl, b))
			break;
		memcpy((*chunk_at(b, end / TCP_CHUNK))->text + at, data + done, part);
		b->bytes += part;
		done += part;
	}
	return done;
}

void net__tcp_copy(const struct net_tcp_buf *b, uint32_t off, void *to, uint32_t len)
{
	uint8_t *p = to;

	for (off += b->skip; len;) {
		uint32_t at = off % TCP_CHUNK, part = PLX_MIN(TCP_CHUNK - at, len);

		memcpy(p, (*chunk_at(b, off / TCP_CHUNK))->text + at, part);
		p += part;
		off += part;
		len -= part;
	}
}

uint32_t net__tcp_lend(const struct net_tcp_buf *b, uint32_t off, struct rte_mbuf *m, uint32_t len)
{
	uint32_t at = (b->skip + off) % TCP_CHUNK, part = PLX_MIN(TCP_CHUNK - at, len);
	struct net_tcp_chunk *ch = *chunk_at(b, (b->skip + off) / TCP_CHUNK);

	rte_mbuf_ext_refcnt_update(&ch->shared, 1);
	rte_pktmbuf_attach_extbuf(m, ch->text + at, (rte_iova_t)(uintptr_t)(ch->text + at),
		(uint16_t)part, &ch->shared);
	m->data_off = 0;
	m->data_len = (uint16_t)part;
	m->pkt_len = part;
	return part;
}

static void free_chunks(struct net_tcp *t, struct net_tcp_buf *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		chunk_put(t, *chunk_at(b, i));
	b->first = (b->first + n) & (b->cap - 1);
	b->n -= n;
}

void net__tcp_acked(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t n)
{
	struct net_tcp_buf *b = tc->buf;

	b->skip += n;
	b->bytes -= n;
	free_chunks(nl->tcp, b, b->bytes ? b->skip / TCP_CHUNK : b->n);
	b->skip = b->bytes ? b->skip % TCP_CHUNK : 0;
}

void net__tcp_buf_idle(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_tcp_buf *b = tc->buf;

	if (b && !b->in_head && !b->ofo_head && !b->bytes)
		net__tcp_buf_free(nl, tc);
}

void net__tcp_buf_free(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_tcp *t = nl->tcp;
	struct net_tcp_buf *b = tc->buf;

	if (!b)
		return;
	net__tcp_in_drop(nl, tc);
	free_chunks(t, b, b->n);
	plx_arena_free(&t->arena, b->chunk, b->cap * sizeof(*b->chunk));
	plx_arena_free(&t->arena, b, sizeof(*b));
	tc->buf = NULL;
}
