/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * What was sent and is not acknowledged yet: a ring of runs in sequence order, each of which was
 * sent at one time and has one fate. The ring exists only while something is in flight, and until
 * plx_tcp_idle() then: a program often answers what acknowledges all. Counters of segments
 * (packets_out and so on) change here and nowhere else, but for those that count duplicate ACKs
 * where there is no SACK.
 */

#define CAP_MIN 8u
#define CAP_MAX 32768u

static size_t ring_bytes(uint32_t cap)
{
	return cap * sizeof(struct tcp_run);
}

static bool grow(struct plx_tcp *c)
{
	uint32_t cap = c->snd.run_cap ? c->snd.run_cap * 2u : CAP_MIN;
	struct tcp_run *ring;

	if (cap > CAP_MAX)
		return false;
	ring = plx_arena_alloc(c->ctx->mem, ring_bytes(cap));
	if (!ring)
		return false;
	for (uint32_t i = 0; i < c->snd.run_n; i++)
		ring[i] = *tcp__run(c, i);
	if (c->snd.run)
		plx_arena_free(c->ctx->mem, c->snd.run, ring_bytes(c->snd.run_cap));
	c->snd.run = ring;
	c->snd.run_head = 0;
	c->snd.run_cap = (uint16_t)cap;
	return true;
}

bool tcp__sndq_reserve(struct plx_tcp *c, uint32_t n)
{
	while (plx_unlikely(c->snd.run_n + n > c->snd.run_cap))
		if (!grow(c))
			return false;
	return true;
}

bool tcp__sndq_copy(struct plx_tcp *to, const struct plx_tcp *c)
{
	to->snd.run = NULL;
	if (!c->snd.run)
		return true;
	to->snd.run = plx_arena_alloc(to->ctx->mem, ring_bytes(c->snd.run_cap));
	if (to->snd.run)
		memcpy(to->snd.run, c->snd.run, ring_bytes(c->snd.run_cap));
	return to->snd.run;
}

void tcp__sndq_free(struct plx_tcp *c)
{
	if (c->snd.run)
		plx_arena_free(c->ctx->mem, c->snd.run, ring_bytes(c->snd.run_cap));
	c->snd.run = NULL;
	c->snd.run_head = c->snd.run_n = c->snd.run_cap = 0;
	c->packets_out = c->sacked_out = c->lost_out = c->retrans_out = 0;
}

/* The counters of a run's segments go up (or down, n < 0). */
static void count(struct plx_tcp *c, uint8_t flags, int32_t n)
{
	if (flags & RUN_SACKED)
		c->sacked_out += (uint32_t)n;
	if (flags & RUN_LOST)
		c->lost_out += (uint32_t)n;
	if (flags & RUN_RETRANS)
		c->retrans_out += (uint32_t)n;
}

/* In how many segments; a FIN rides on the last one. */
static uint32_t segs_of(const struct tcp_run *r)
{
	return tcp__segs(r->end - r->seq - !!(r->flags & RUN_FIN), r->mss);
}

static void set_segs(struct plx_tcp *c, struct tcp_run *r, uint32_t segs)
{
	int32_t d = (int32_t)(segs - r->segs);

	c->packets_out += (uint32_t)d;
	count(c, r->flags, d);
	r->segs = segs;
}

void tcp__sndq_recount(struct plx_tcp *c, struct tcp_run *r)
{
	r->mss = c->snd.mss;
	set_segs(c, r, segs_of(r));
}

void tcp__run_flag(struct plx_tcp *c, struct tcp_run *r, uint8_t set, uint8_t clear)
{
	count(c, (uint8_t)(r->flags & clear), -(int32_t)r->segs);
	r->flags &= (uint8_t)~clear;
	count(c, (uint8_t)(set & ~r->flags), (int32_t)r->segs);
	r->flags |= set;
}

/* Full segments only: where they were cut must still be known. */
static bool joins(const struct plx_tcp *c, const struct tcp_run *a, const struct tcp_run *b)
{
	if (a->flags != b->flags || a->end != b->seq || a->flags & (RUN_SYN | RUN_FIN))
		return false;
	if (a->flags & RUN_SACKED) /* only its bounds matter now */
		return true;
	if (a->mss != b->mss)
		return false;
	if (a->flags & RUN_LOST && !(a->flags & RUN_RETRANS)) /* will be cut anew */
		return tcp_tun(c, TCP_RETRANS_COLLAPSE) || (a->end - a->seq) % a->mss == 0;
	return a->sent_ns == b->sent_ns && a->end - a->seq == a->segs * a->mss;
}

void tcp__sndq_add(struct plx_tcp *c, uint32_t seq, uint32_t end, uint8_t flags, plx_ns now)
{
	struct tcp_run *r, new = {.seq = seq, .end = end, .mss = c->snd.mss, .flags = flags};

	new.sent_ns = now;
	new.segs = segs_of(&new);
	c->packets_out += new.segs;
	if (c->snd.run_n) {
		r = tcp__run(c, c->snd.run_n - 1u);
		if (joins(c, r, &new)) {
			r->end = end;
			r->segs += new.segs;
			return;
		}
	}
	*tcp__run(c, c->snd.run_n++) = new;
}

uint32_t tcp__sndq_find(const struct plx_tcp *c, uint32_t seq)
{
	uint32_t lo = 0, hi = c->snd.run_n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (plx_seq_le(tcp__run(c, mid)->end, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool tcp__sndq_split(struct plx_tcp *c, uint32_t i, uint32_t seq)
{
	struct tcp_run *r, *next;
	uint32_t segs, first, rest;

	assert(plx_seq_gt(seq, tcp__run(c, i)->seq) && plx_seq_lt(seq, tcp__run(c, i)->end));
	if (!tcp__sndq_reserve(c, 1))
		return false;
	for (uint32_t k = c->snd.run_n++; k > i + 1; k--)
		*tcp__run(c, k) = *tcp__run(c, k - 1);
	r = tcp__run(c, i);
	next = tcp__run(c, i + 1);
	*next = *r;
	segs = r->segs;
	r->end = next->seq = seq;
	r->flags &= (uint8_t)~RUN_FIN;
	next->flags &= (uint8_t)~RUN_SYN;
	first = segs_of(r);
	rest = segs_of(next);
	/* small segments that were joined: as many as there were, where they are is not known */
	if (first + rest < segs)
		rest = segs - first;
	next->segs = 0;
	set_segs(c, r, first);
	set_segs(c, next, rest);
	return true;
}

static void take_out(struct plx_tcp *c, uint32_t i)
{
	for (; i + 1 < c->snd.run_n; i++)
		*tcp__run(c, i) = *tcp__run(c, i + 1);
	c->snd.run_n--;
}

void tcp__sndq_join(struct plx_tcp *c, uint32_t i)
{
	struct tcp_run *r, *next;

	if (i > 0 && joins(c, tcp__run(c, i - 1), tcp__run(c, i)))
		i--;
	while (i + 1 < c->snd.run_n) {
		r = tcp__run(c, i);
		next = tcp__run(c, i + 1);
		if (!joins(c, r, next))
			return;
		r->end = next->end;
		r->segs += next->segs;
		r->sent_ns = PLX_MAX(r->sent_ns, next->sent_ns);
		take_out(c, i + 1);
	}
}

void tcp__sndq_pop(struct plx_tcp *c)
{
	struct tcp_run *r = tcp__run(c, 0);

	count(c, r->flags, -(int32_t)r->segs);
	c->packets_out -= r->segs;
	c->snd.run_head = (uint16_t)((c->snd.run_head + 1u) & (c->snd.run_cap - 1u));
	c->snd.run_n--;
}

void tcp__sndq_trim(struct plx_tcp *c, uint32_t seq)
{
	struct tcp_run *r = tcp__run(c, 0);

	r->seq = seq;
	set_segs(c, r, PLX_MIN(r->segs, segs_of(r)));
}
