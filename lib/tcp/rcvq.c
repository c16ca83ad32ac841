/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Received text, in numbers: what is in order is rcv.nxt, what is not is a set of intervals of
 * offsets in the stream (so that nothing wraps), which exists only while there is any. A FIN takes
 * its place in the sequence as a byte would, so that SACK blocks cover it as Linux's do.
 */

#define OFO_MIN 8u

struct tcp_ofo {
	struct plx_ranges set;
	uint64_t fin_at; /* offset of the FIN, when fin */
	bool fin;
	uint64_t recent[PLX_TCP_SACKS_MAX]; /* in blocks that arrived lately, newest first */
	uint32_t n_recent;
	struct plx_range v[]; /* set.cap */
};

static size_t ofo_size(uint32_t cap)
{
	return sizeof(struct tcp_ofo) + cap * sizeof(struct plx_range);
}

static uint64_t offset(const struct plx_tcp *c, uint32_t seq)
{
	return c->bytes_received + (uint64_t)(int64_t)plx_seq_diff(seq, c->rcv.nxt);
}

static uint32_t sequence(const struct plx_tcp *c, uint64_t off)
{
	return c->rcv.nxt + (uint32_t)(off - c->bytes_received);
}

void tcp__rcvq_free(struct plx_tcp *c)
{
	if (c->rcv.ofo)
		plx_arena_free(c->ctx->mem, c->rcv.ofo, ofo_size(c->rcv.ofo->set.cap));
	c->rcv.ofo = NULL;
}

bool tcp__rcvq_copy(struct plx_tcp *to, const struct plx_tcp *c)
{
	const struct tcp_ofo *o = c->rcv.ofo;

	to->rcv.ofo = NULL;
	if (!o)
		return true;
	to->rcv.ofo = plx_arena_alloc(to->ctx->mem, ofo_size(o->set.cap));
	if (!to->rcv.ofo)
		return false;
	memcpy(to->rcv.ofo, o, ofo_size(o->set.n));
	to->rcv.ofo->set.v = to->rcv.ofo->v;
	return true;
}

static bool grow(struct plx_tcp *c)
{
	struct tcp_ofo *old = c->rcv.ofo, *new;
	uint32_t max = (uint32_t)tcp_tun(c, TCP_OFO_RANGES);
	uint32_t cap = old ? old->set.cap * 2 : OFO_MIN;

	cap = PLX_MIN(cap, max);
	if (old && cap <= old->set.cap)
		return false;
	new = plx_arena_alloc(c->ctx->mem, ofo_size(cap));
	if (!new)
		return false;
	if (old) {
		memcpy(new, old, ofo_size(old->set.n));
		tcp__rcvq_free(c);
	} else {
		memset(new, 0, sizeof(*new));
	}
	new->set.v = new->v;
	new->set.cap = cap;
	c->rcv.ofo = new;
	return true;
}

uint32_t tcp__ofo_bytes(const struct plx_tcp *c)
{
	return c->rcv.ofo ? (uint32_t)plx_ranges_total(&c->rcv.ofo->set) - c->rcv.ofo->fin : 0;
}

void tcp__rcvq_dsack(struct plx_tcp *c, uint32_t seq, uint32_t end)
{
	struct tcp_cold *cold;

	if (!c->sack_ok || !tcp_tun(c, TCP_DSACK) || c->dsack_due)
		return;
	cold = tcp__cold(c);
	if (!cold)
		return;
	if (plx_seq_lt(seq, c->rcv.nxt))
		tcp_stat(c, TCPEXT_TCPDSACKOLDSENT);
	else
		tcp_stat(c, TCPEXT_TCPDSACKOFOSENT);
	cold->dsack_start = seq;
	cold->dsack_end = end;
	c->dsack_due = true;
}

/* The segment's block becomes the newest one (RFC 2018 4). */
static void remember(struct tcp_ofo *o, uint64_t at)
{
	const struct plx_range *new = plx_ranges_find(&o->set, at);
	uint64_t keep[PLX_DIM(o->recent)];
	uint32_t n = 0;

	keep[n++] = at;
	for (uint32_t i = 0; i < o->n_recent && n < PLX_DIM(keep); i++) {
		const struct plx_range *r = plx_ranges_find(&o->set, o->recent[i]);

		if (r && r != new)
			keep[n++] = o->recent[i];
	}
	memcpy(o->recent, keep, sizeof(keep));
	o->n_recent = n;
}

static bool add_block(const struct plx_tcp *c, const struct plx_range *r, struct plx_tcp_sack *sack,
	uint32_t from, uint32_t n)
{
	uint32_t start = sequence(c, r->start);

	for (uint32_t i = from; i < n; i++)
		if (sack[i].start == start)
			return false;
	sack[n] = (struct plx_tcp_sack){.start = start, .end = sequence(c, r->end)};
	return true;
}

uint32_t tcp__rcvq_sacks(const struct plx_tcp *c, struct plx_tcp_sack *sack, uint32_t max)
{
	const struct tcp_ofo *o = c->rcv.ofo;
	uint32_t n = 0, from;

	if (c->dsack_due && max)
		sack[n++] = (struct plx_tcp_sack){
			.start = c->cold->dsack_start, .end = c->cold->dsack_end};
	from = n;
	if (!o)
		return n;
	for (uint32_t i = 0; i < o->n_recent && n < max; i++) {
		const struct plx_range *r = plx_ranges_find(&o->set, o->recent[i]);

		if (r)
			n += add_block(c, r, sack, from, n);
	}
	/* room is left: those that were never told, or long ago */
	for (uint32_t i = 0; i < o->set.n && n < max; i++)
		n += add_block(c, &o->set.v[i], sack, from, n);
	return n;
}

/* Which parts of [start, end) are new: at most PLX_TCP_KEEP_MAX. @return where that ends. */
static uint64_t new_parts(const struct plx_tcp *c, const struct plx_tcp_seg *seg, uint64_t start,
	uint64_t end, struct plx_tcp_rx *rx)
{
	uint64_t seg_at = offset(c, seg->seq);
	struct plx_range gap;

	for (uint64_t at = start; plx_ranges_gap(&c->rcv.ofo->set, at, end, &gap); at = gap.end) {
		if (rx->n_keep == PLX_TCP_KEEP_MAX)
			return gap.start;
		rx->keep[rx->n_keep++] = (struct plx_tcp_keep){
			.off = (uint32_t)(gap.start - seg_at),
			.len = (uint32_t)(gap.end - gap.start),
			.at = (uint32_t)(gap.start - c->bytes_received),
		};
	}
	return end;
}

/* rcv.nxt moves to `to`, and over what was waiting there: this never needs memory. */
static void advance(struct plx_tcp *c, uint64_t to, bool fin, struct plx_tcp_rx *rx)
{
	struct tcp_ofo *o = c->rcv.ofo;
	uint64_t from = c->bytes_received, end = to + fin;

	for (uint32_t i = 0; i < o->set.n && o->set.v[i].start <= end; i++)
		end = PLX_MAX(end, o->set.v[i].end);
	if (end > from)
		plx_ranges_remove(&o->set, from, end);
	fin = fin || (o->fin && end == o->fin_at + 1);
	rx->ready = (uint32_t)(end - from) - fin;
	c->bytes_received += rx->ready;
	c->rcv.nxt += rx->ready;
	if (fin)
		rx->events |= PLX_TCP_EV_FIN;
	if (o->set.n == 0)
		tcp__rcvq_free(c);
}

/* D-SACK: the first part of it that we had already (RFC 2883 4). */
static void report_overlap(struct plx_tcp *c, uint64_t start, uint64_t end)
{
	struct plx_range had;

	if (!c->rcv.ofo || !plx_ranges_piece(&c->rcv.ofo->set, start, end, &had))
		return;
	tcp_stat(c, TCPEXT_TCPOFOMERGE);
	tcp__rcvq_dsack(c, sequence(c, had.start), sequence(c, had.end));
}

static enum plx_drop no_memory(struct plx_tcp *c, struct plx_tcp_rx *rx)
{
	rx->n_keep = 0;
	rx->ack_now = true;
	tcp_stat(c, TCPEXT_TCPOFODROP);
	if (c->rcv.ofo && c->rcv.ofo->set.n == 0)
		tcp__rcvq_free(c);
	return PLX_DROP_TCP_TEXT_MEMORY;
}

/* There is one end: no text behind a FIN, and no FIN before text that is here. */
static bool beyond_end(const struct tcp_ofo *o, uint64_t end, bool fin)
{
	if (o->fin)
		return fin ? end != o->fin_at : end > o->fin_at;
	return fin && o->set.n && o->set.v[o->set.n - 1].end > end;
}

/* Not the next text, or text was waiting: by the set of intervals. */
PLX_NOINLINE static enum plx_drop disorder(struct plx_tcp *c, const struct plx_tcp_seg *seg,
	uint64_t start, uint64_t end, bool fin, struct plx_tcp_rx *rx)
{
	bool in_order = start == c->bytes_received;
	struct tcp_ofo *o;
	uint64_t to;

	rx->ack_now = true; /* RFC 5681 4.2: when a gap opens, and when one is filled */
	if (!c->rcv.ofo && !grow(c))
		return no_memory(c, rx);
	if (beyond_end(c->rcv.ofo, end, fin))
		return PLX_DROP_TCP_TEXT_AFTER_FIN;
	report_overlap(c, start, end);
	to = new_parts(c, seg, start, end, rx);
	fin = fin && to == end;
	if (!rx->n_keep && !fin) {
		/* the block that it lies in must follow (RFC 2883 4) */
		remember(c->rcv.ofo, start);
		tcp__rcvq_dsack(c, sequence(c, start), sequence(c, end));
		return PLX_DROP_TCP_TEXT_OLD;
	}
	if (in_order) {
		advance(c, to, fin, rx);
		return PLX_DROP_NONE;
	}
	while (plx_ranges_add(&c->rcv.ofo->set, start, to + fin) == -ENOSPC)
		if (!grow(c))
			return no_memory(c, rx);
	o = c->rcv.ofo;
	if (fin) {
		o->fin = true;
		o->fin_at = to;
	}
	tcp_stat(c, TCPEXT_TCPOFOQUEUE);
	remember(o, start);
	return PLX_DROP_NONE;
}

/*
 * Where the text that is taken ends: at the window; but who sends less than a unit of the window
 * scale at a time pushes that on, since it never shrinks. As Linux's rmem, twice the buffer is all.
 */
static uint32_t right_edge(const struct plx_tcp *c)
{
	return plx_seq_min(c->rcv.nxt + tcp__rcv_wnd(c), c->rcv.read + 2 * c->rcv.buf);
}

enum plx_drop tcp__rcvq_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	uint32_t seq = seg->seq, end = seq + seg->len;
	uint32_t edge = right_edge(c);
	bool fin = seg->flags & PLX_TCP_FIN;

	if (plx_seq_le(end + fin, c->rcv.nxt)) { /* nothing new */
		tcp__rcvq_dsack(c, seq, end + fin);
		tcp__delack_quick(c, TCP_QUICK_MAX);
		rx->ack_now = true;
		return PLX_DROP_TCP_TEXT_OLD;
	}
	if (plx_seq_lt(seq, c->rcv.nxt)) { /* its head is old */
		tcp__rcvq_dsack(c, seq, c->rcv.nxt);
		seq = c->rcv.nxt;
	}
	if (plx_seq_gt(end, edge)) { /* its tail is beyond the window (RFC 9293 3.10.7.4) */
		end = edge;
		fin = false;
		rx->ack_now = true;
		if (plx_seq_ge(seq, end)) {
			tcp_stat(c, TCPEXT_TCPZEROWINDOWDROP);
			tcp__delack_quick(c, TCP_QUICK_MAX);
			return PLX_DROP_TCP_TEXT_OVERRUN;
		}
	}
	if (plx_unlikely(seq != c->rcv.nxt || c->rcv.ofo))
		return disorder(c, seg, offset(c, seq), offset(c, end), fin, rx);
	if (end != seq) {
		rx->keep[0] = (struct plx_tcp_keep){.off = seq - seg->seq, .len = end - seq};
		rx->n_keep = 1;
		rx->ready = end - seq;
		c->rcv.nxt = end;
		c->bytes_received += rx->ready;
	}
	if (fin)
		rx->events |= PLX_TCP_EV_FIN;
	return PLX_DROP_NONE;
}

uint32_t plx_tcp_prune(struct plx_tcp *c, uint32_t from)
{
	struct tcp_ofo *o = c->rcv.ofo;
	uint32_t before = tcp__ofo_bytes(c);
	uint64_t at = c->bytes_received + from;

	if (!o)
		return 0;
	plx_ranges_remove(&o->set, at, UINT64_MAX);
	if (o->fin && o->fin_at >= at)
		o->fin = false;
	if (o->set.n == 0)
		tcp__rcvq_free(c);
	tcp_stat(c, TCPEXT_OFOPRUNED);
	return before - tcp__ofo_bytes(c);
}
