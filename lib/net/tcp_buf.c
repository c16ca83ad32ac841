/* SPDX-License-Identifier: BSD-3-Clause */
#include "loan.h"

#include <errno.h>

/*
 * The bytes of connections: received text in its mbufs, in order or waiting to be; text to be sent
 * in chunks of one size, or where a program has lent it. lib/tcp says which bytes, here they are.
 */

#define COALESCE   512u /* text as short as this is copied behind what came before it */
#define PIECES_MIN 4u
#define PIECE_MAX  32768u /* of memory that is lent: an mbuf has 16 bits for its length */

/* Where an mbuf of a receive queue belongs in the stream: it is not going to be sent. */
static uint64_t *place(struct rte_mbuf *m)
{
	return &m->tx_offload;
}

static struct rte_mbuf **next_of(struct rte_mbuf *m)
{
	return &plx_pkt_meta(m)->next;
}

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

/* Small pieces would hold a whole buffer each. */
static bool coalesce(struct rte_mbuf *tail, struct rte_mbuf *m)
{
	uint32_t len = m->pkt_len;

	if (len > COALESCE || !tail || m->nb_segs > 1 || tail->nb_segs > 1 ||
		!RTE_MBUF_DIRECT(tail) || rte_mbuf_refcnt_read(tail) != 1 ||
		rte_pktmbuf_tailroom(tail) < len)
		return false;
	memcpy(rte_pktmbuf_append(tail, (uint16_t)len), rte_pktmbuf_mtod(m, void *), len);
	rte_pktmbuf_free(m);
	return true;
}

static void append_in(struct net_tcp *t, struct net_tcp_buf *b, struct rte_mbuf *m)
{
	uint16_t segs = m->nb_segs;

	if (coalesce(b->in_head ? b->in_tail : NULL, m)) {
		t->held -= segs;
		return;
	}
	*next_of(m) = NULL;
	if (b->in_head)
		*next_of(b->in_tail) = m;
	else
		b->in_head = m;
	b->in_tail = m;
}

/* Most often it belongs behind all that wait. */
static void insert_ofo(struct net_tcp_buf *b, struct rte_mbuf *m)
{
	struct rte_mbuf **at = &b->ofo_head;

	if (b->ofo_head && *place(b->ofo_tail) < *place(m))
		at = next_of(b->ofo_tail);
	else
		while (*at && *place(*at) < *place(m))
			at = next_of(*at);
	*next_of(m) = *at;
	*at = m;
	if (!*next_of(m))
		b->ofo_tail = m;
}

bool net__tcp_can_keep(struct net_lcore *nl, struct plx_net_tcp *tc, const struct rte_mbuf *m,
	const struct plx_tcp_seg *seg)
{
	struct net_tcp *t = nl->tcp;

	if (plx_unlikely(!buf_of(nl, tc)))
		return false;
	if (plx_unlikely(t->held + m->nb_segs > t->held_max)) {
		/* what is in order is worth more than what is not */
		if (!tc->c.rcv.ofo || seg->seq != tc->c.rcv.nxt)
			return false;
		plx_tcp_prune(&tc->c, 0);
		net__tcp_give_up(nl, tc, tc->c.bytes_received);
		if (t->held + m->nb_segs > t->held_max)
			return false;
	}
	/* what fills gaps may be cut at each of them */
	return plx_likely(!tc->c.rcv.ofo) || net__tcp_reserve(nl, PLX_TCP_KEEP_MAX - 1);
}

void net__tcp_keep(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m,
	uint32_t text_off, const struct plx_tcp_rx *r, uint64_t stream)
{
	struct net_tcp *t = nl->tcp;
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
		*place(m) = stream + k->at;
		t->held += m->nb_segs;
		if (plx_likely(k->at == 0))
			append_in(t, b, m);
		else
			insert_ofo(b, m);
		m = rest;
	}
	stream = tc->c.bytes_received; /* in order up to here now */
	while (plx_unlikely(b->ofo_head && *place(b->ofo_head) < stream)) {
		struct rte_mbuf *next = *next_of(b->ofo_head);

		append_in(t, b, b->ofo_head);
		b->ofo_head = next;
	}
}

static void free_chain(struct net_tcp *t, struct rte_mbuf *m)
{
	while (m) {
		struct rte_mbuf *next = *next_of(m);

		t->held -= m->nb_segs;
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
	for (at = &b->ofo_head; *at && *place(*at) < from; at = next_of(*at))
		last = *at;
	free_chain(nl->tcp, *at);
	*at = NULL;
	b->ofo_tail = last;
	if (last && *place(last) + last->pkt_len > from) {
		uint16_t segs = last->nb_segs;

		net__trim(last, (uint32_t)(from - *place(last)));
		nl->tcp->held -= segs - last->nb_segs;
	}
}

struct rte_mbuf *net__tcp_in_pop(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct rte_mbuf *m = tc->buf ? tc->buf->in_head : NULL;

	if (!m)
		return NULL;
	tc->buf->in_head = *next_of(m);
	nl->tcp->held -= m->nb_segs;
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

	for (; m && done < n; m = *next_of(m)) {
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
			struct rte_mbuf *next = *next_of(m), *rest;
			uint16_t segs = m->nb_segs;
			bool tail = m == tc->buf->in_tail;

			rest = behead(m, part);
			nl->tcp->held -= segs - rest->nb_segs;
			*next_of(rest) = next;
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
	free_chain(nl->tcp, b->in_head);
	free_chain(nl->tcp, b->ofo_head);
	b->in_head = b->ofo_head = NULL;
}

/* ---- to be sent: pieces ---- */

/* The last packet that held it is gone, on whatever lcore or thread. */
static void come_home(void *text, void *chunk)
{
	struct net_tcp_chunk *ch = chunk;
	struct net_tcp *t = ch->owner;

	if (rte_lcore_id() == t->lcore)
		plx_arena_free(&t->arena, ch, sizeof(*ch));
	else
		plx_mpsc_push(&t->home, &ch->node);
}

void net__tcp_chunks_home(struct net_tcp *t)
{
	struct plx_mpsc_node *n;

	while ((n = plx_mpsc_pop(&t->home)))
		plx_arena_free(&t->arena, plx_container_of(n, struct net_tcp_chunk, node),
			sizeof(struct net_tcp_chunk));
}

static struct net_tcp_chunk *chunk_new(struct net_tcp *t)
{
	struct net_tcp_chunk *ch = plx_arena_alloc(&t->arena, sizeof(*ch));

	if (!ch)
		return NULL;
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

/* Some of the memory is for what is not bytes: connections, and what they know of their segments.
 */
static bool is_short(struct net_tcp *t)
{
	net__tcp_chunks_home(t);
	return plx_arena_used(&t->arena) > plx_arena_size(&t->arena) / 8 * 7;
}

/* A chunk with room at its end. */
static struct net_tcp_piece *with_room(struct net_tcp *t, struct net_tcp_buf *b)
{
	struct net_tcp_piece *last = b->n ? piece_at(b, b->n - 1) : NULL;
	struct net_tcp_chunk *ch;

	if (last && last->len < TCP_CHUNK && is_chunk(last))
		return last;
	if (is_short(t) || !reserve(t, b, 1))
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
		struct net_tcp_piece *p = with_room(nl->tcp, b);
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

	if (!b || is_short(nl->tcp) || !reserve(nl->tcp, b, m->nb_segs))
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

	if (!b || is_short(nl->tcp) || !reserve(nl->tcp, b, n / PIECE_MAX + 1))
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

void net__tcp_acked(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t n)
{
	struct net_tcp_buf *b = tc->buf;

	b->skip += n;
	b->bytes -= n;
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
	net__tcp_out_drop(tc);
	plx_arena_free(&t->arena, b->piece, b->cap * sizeof(*b->piece));
	plx_arena_free(&t->arena, b, sizeof(*b));
	tc->buf = NULL;
}
