/* SPDX-License-Identifier: BSD-3-Clause */
#include "loan.h"

#include <errno.h>

/*
 * The bytes of connections: received text in its mbufs, in order or waiting to be; text to be sent
 * in chunks of one size, or where a program has lent it. lib/tcp says which bytes, here they are.
 */

#define PIECES_MIN 4u
#define PIECE_MAX  32768u /* of memory that is lent: an mbuf has 16 bits for its length */

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

/* ---- to be sent: pieces ---- */

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

static bool is_chunk(const struct net_tcp_piece *p)
{
	return p->shared->free_cb == come_home;
}

static struct net_loan *loan_of(const struct net_tcp_piece *p)
{
	return plx_container_of(plx_pkt_loan_of(p->shared), struct net_loan, pkt);
}

static struct net_tcp_piece *piece_at(const struct net_tcp_buf *b, uint32_t i)
{
	return &b->piece[(b->first + i) & (b->cap - 1)];
}

/* Where one would begin that is appended. */
static uint32_t end_of(const struct net_tcp_buf *b)
{
	const struct net_tcp_piece *last = b->n ? piece_at(b, b->n - 1) : NULL;

	return last ? last->at + last->len : 0;
}

/* Room for n more. */
static bool reserve(struct net_tcp *t, struct net_tcp_buf *b, uint32_t n)
{
	uint32_t cap = b->cap ? b->cap : PIECES_MIN;
	struct net_tcp_piece *p;

	while (cap < b->n + n)
		cap *= 2;
	if (cap == b->cap)
		return true;
	p = plx_arena_alloc(&t->arena, cap * sizeof(*p));
	if (!p)
		return false;
	for (uint32_t i = 0; i < b->n; i++)
		p[i] = *piece_at(b, i);
	plx_arena_free(&t->arena, b->piece, b->cap * sizeof(*p));
	b->piece = p;
	b->cap = cap;
	b->first = 0;
	return true;
}

/* There is room for it; the share is handed over. */
static struct net_tcp_piece *push(struct net_tcp_buf *b, struct rte_mbuf_ext_shared_info *shared,
	const void *text, rte_iova_t iova, uint32_t len)
{
	uint32_t at = end_of(b);
	struct net_tcp_piece *p = piece_at(b, b->n++);

	*p = (struct net_tcp_piece){
		.text = text, .iova = iova, .shared = shared, .at = at, .len = len};
	b->bytes += len;
	return p;
}

/* All pieces of a loan are in a row: what it is charged goes with the last one. */
static void pop(struct net_tcp_buf *b)
{
	struct net_tcp_piece *p = piece_at(b, 0);
	struct rte_mbuf_ext_shared_info *shared = p->shared;

	if (plx_unlikely(!is_chunk(p)) && (b->n == 1 || piece_at(b, 1)->shared != shared))
		b->extra -= loan_of(p)->charge;
	b->first = (b->first + 1) & (b->cap - 1);
	b->n--;
	if (rte_mbuf_ext_refcnt_update(shared, -1) == 0)
		shared->free_cb((void *)(uintptr_t)p->text, shared->fcb_opaque);
}

/* Which piece has byte *off behind the first one not acknowledged; *off becomes its place there. */
static uint32_t find(const struct net_tcp_buf *b, uint32_t *off)
{
	uint32_t from = b->skip + *off, lo = 0, hi = b->n, base = piece_at(b, 0)->at;

	if (plx_likely(!b->extra)) { /* all chunks but the last are full */
		*off = from % TCP_CHUNK;
		return from / TCP_CHUNK;
	}
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (piece_at(b, mid)->at - base <= from)
			lo = mid;
		else
			hi = mid;
	}
	*off = from - (piece_at(b, lo)->at - base);
	return lo;
}

/* ---- to be sent: appending ---- */

/* May who has so many bytes of memory have n more? */
static bool may_have(struct net_lcore *nl, uint32_t has, uint32_t n)
{
	net__tcp_chunks_home(nl->tcp);
	return net__mem_may_send(nl, has, n);
}

/* A chunk with room at its end. */
static struct net_tcp_piece *with_room(struct net_lcore *nl, struct net_tcp_buf *b)
{
	struct net_tcp *t = nl->tcp;
	struct net_tcp_piece *last = b->n ? piece_at(b, b->n - 1) : NULL;
	struct net_tcp_chunk *ch;

	if (last && last->len < TCP_CHUNK && is_chunk(last))
		return last;
	if (!may_have(nl, b->n * (uint32_t)sizeof(*ch), sizeof(*ch)) || !reserve(t, b, 1))
		return NULL;
	ch = chunk_new(t);
	return ch ? push(b, &ch->shared, ch->text, (rte_iova_t)(uintptr_t)ch->text, 0) : NULL;
}

uint32_t net__tcp_append(
	struct net_lcore *nl, struct plx_net_tcp *tc, const uint8_t *data, uint32_t n)
{
	struct net_tcp_buf *b = buf_of(nl, tc);
	uint32_t done = 0;

	while (b && done < n) {
		struct net_tcp_piece *p = with_room(nl, b);
		uint32_t part;

		if (!p)
			break;
		part = PLX_MIN(TCP_CHUNK - p->len, n - done);
		memcpy((uint8_t *)(uintptr_t)p->text + p->len, data + done, part);
		p->len += part;
		b->bytes += part;
		done += part;
	}
	return done;
}

static void push_lent(
	struct net_tcp_buf *b, struct net_loan *l, const void *p, rte_iova_t iova, uint32_t n)
{
	rte_mbuf_ext_refcnt_update(&l->pkt.shared, 1);
	push(b, &l->pkt.shared, p, iova, n);
}

int net__tcp_append_chain(
	struct net_lcore *nl, struct plx_net_tcp *tc, struct net_loan *l, const struct rte_mbuf *m)
{
	struct net_tcp_buf *b = buf_of(nl, tc);

	if (!b || !may_have(nl, 0, 0) || !reserve(nl->tcp, b, m->nb_segs))
		return -ENOBUFS;
	if (m->pkt_len)
		b->extra += l->charge;
	for (; m; m = m->next)
		if (m->data_len)
			push_lent(b, l, rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_iova(m),
				m->data_len);
	return 0;
}

int net__tcp_append_lent(struct net_lcore *nl, struct plx_net_tcp *tc, struct net_loan *l,
	const void *p, rte_iova_t iova, uint32_t n)
{
	struct net_tcp_buf *b = buf_of(nl, tc);

	if (!b || !may_have(nl, 0, 0) || !reserve(nl->tcp, b, n / PIECE_MAX + 1))
		return -ENOBUFS;
	b->extra += l->charge;
	for (uint32_t off = 0; off < n; off += PIECE_MAX)
		push_lent(b, l, (const uint8_t *)p + off, iova + off, PLX_MIN(n - off, PIECE_MAX));
	return 0;
}

/* ---- to be sent: into packets ---- */

static void note_copy(const struct net_tcp_piece *p)
{
	if (plx_unlikely(!is_chunk(p)))
		__atomic_store_n(&loan_of(p)->pkt.copied, true, __ATOMIC_RELAXED);
}

void net__tcp_copy(const struct net_tcp_buf *b, uint32_t off, void *to, uint32_t len)
{
	uint8_t *to_p = to;

	for (uint32_t i = find(b, &off); len; i++, off = 0) {
		const struct net_tcp_piece *p = piece_at(b, i);
		uint32_t part = PLX_MIN(p->len - off, len);

		memcpy(to_p, p->text + off, part);
		note_copy(p);
		to_p += part;
		len -= part;
	}
}

/* Few pieces in each part, for drivers; and those of chunks where devices can read them. */
bool net__tcp_lendable(const struct net_tcp *t, const struct net_tcp_buf *b, uint32_t off,
	uint32_t len, uint32_t mss)
{
	uint32_t left = mss, here = 0, total = 0;

	if (plx_likely(!b->extra))
		return t->lends && len > TCP_LEND;
	for (uint32_t i = find(b, &off); len; i++, off = 0) {
		const struct net_tcp_piece *p = piece_at(b, i);
		uint32_t part = PLX_MIN(p->len - off, len);

		if (++total > t->lent.n || (is_chunk(p) && !t->lends))
			return false;
		len -= part;
		for (; part >= left; left = mss, here = 0) {
			if (here == NET_LOAN_PIECES)
				return false;
			part -= left;
		}
		if (part && ++here > NET_LOAN_PIECES)
			return false;
		left -= part;
	}
	return true;
}

uint32_t net__tcp_lend(const struct net_tcp_buf *b, uint32_t off, struct rte_mbuf *m, uint32_t len)
{
	const struct net_tcp_piece *p = piece_at(b, find(b, &off));
	uint32_t part = PLX_MIN(p->len - off, len);

	rte_mbuf_ext_refcnt_update(p->shared, 1);
	rte_pktmbuf_attach_extbuf(
		m, (void *)(uintptr_t)(p->text + off), p->iova + off, (uint16_t)part, p->shared);
	m->data_off = 0;
	m->data_len = (uint16_t)part;
	m->pkt_len = part;
	return part;
}

/* All of it is acknowledged: if nobody else holds its only chunk, what is written next begins there
 * anew. */
static bool reuse(struct net_tcp_buf *b)
{
	struct net_tcp_piece *p = piece_at(b, 0);

	if (b->bytes || b->n != 1 || !is_chunk(p) || rte_mbuf_ext_refcnt_read(p->shared) != 1)
		return false;
	p->len = b->skip = 0;
	return true;
}

void net__tcp_acked(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t n)
{
	struct net_tcp_buf *b = tc->buf;

	b->skip += n;
	b->bytes -= n;
	if (reuse(b))
		return;
	while (b->n && (!b->bytes || b->skip >= piece_at(b, 0)->len)) {
		b->skip -= PLX_MIN(b->skip, piece_at(b, 0)->len);
		pop(b);
	}
}

void net__tcp_out_drop(struct plx_net_tcp *tc)
{
	struct net_tcp_buf *b = tc->buf;

	while (b && b->n)
		pop(b);
	if (b)
		b->bytes = b->skip = 0;
}

void net__tcp_buf_idle(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	const struct net_tcp_buf *b = tc->buf;

	if (!b || b->bytes)
		return;
	if (!b->in_head && !b->ofo_head)
		net__tcp_buf_free(nl, tc);
	else
		net__tcp_out_drop(tc);
}

void net__tcp_buf_free(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_tcp *t = nl->tcp;
	struct net_tcp_buf *b = tc->buf;

	if (!b)
		return;
	net__tcp_in_drop(nl, tc);
	net__tcp_out_drop(tc);
	plx_arena_free(&t->arena, b->piece, b->cap * sizeof(*b->piece));
	plx_arena_free(&t->arena, b, sizeof(*b));
	tc->buf = NULL;
}
