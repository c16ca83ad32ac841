/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* SACK blocks that came (RFC 2018, RFC 2883, RFC 6675): the twin of Linux's
 * tcp_sacktag_write_queue().
 */

/*
 * Can a block be (Linux's tcp_is_sackblock_valid())? What begins at snd.una would have been
 * acknowledged; what lies below is one of ours only as a D-SACK about this recovery.
 */
static bool valid(
	const struct plx_tcp *c, const struct tcp_ack *a, bool dsack, uint32_t start, uint32_t end)
{
	uint32_t una = plx_seq_max(c->snd.una, a->seg->ack); /* what this ACK makes of it */

	if (plx_seq_gt(end, c->snd.nxt) || !plx_seq_lt(start, end) ||
		!plx_seq_lt(start, c->snd.nxt))
		return false;
	if (plx_seq_gt(start, una))
		return true;
	if (!dsack || !c->undo_ok || plx_seq_gt(end, una))
		return false;
	if (plx_seq_ge(start, c->rec.marker))
		return true;
	/* partly of the time before: only if it is not older than a window */
	return plx_seq_gt(end, c->rec.marker) && plx_seq_ge(start, end - c->snd.max_wnd);
}

/* The first block is about a duplicate if it lies below the ACK, or within the second one. */
static bool is_dsack(const struct plx_tcp_seg *seg)
{
	const struct plx_tcp_sack *s = seg->opts.sack;

	if (plx_seq_lt(s[0].start, seg->ack))
		return true;
	return seg->opts.n_sack > 1 && plx_seq_le(s[0].end, s[1].end) &&
	       plx_seq_ge(s[0].start, s[1].start);
}

/* Is [start, end) what was sent again in this recovery? Below snd.una that is forgotten, */
static bool undoes(const struct plx_tcp *c, uint32_t start, uint32_t end)
{
	uint32_t i;

	if (!c->undo_ok || c->rec.undo_retrans <= 0 || !plx_seq_gt(end, c->rec.marker))
		return false;
	if (plx_seq_le(end, c->snd.una))
		return true;
	i = tcp__sndq_find(c, start); /* above it is noted */
	return i < c->snd.run_n && tcp__run(c, i)->flags & RUN_EVER;
}

/* Who reports more duplicates than we have made is not believed. One of a tail loss probe is no
 * sign that the reordering window is too small (Linux's tcp_dsack_seen()). */
static void dsack(struct plx_tcp *c, struct tcp_ack *a, uint32_t start, uint32_t end)
{
	struct tcp_cold *cold = c->cold;
	uint32_t bytes = end - start, segs = tcp__segs(bytes, c->snd.mss);

	if (plx_seq_lt(start, a->seg->ack))
		tcp_stat(c, TCPEXT_TCPDSACKRECV);
	else
		tcp_stat(c, TCPEXT_TCPDSACKOFORECV);
	if (!cold || bytes > c->snd.max_wnd || cold->dsack_dups + segs > cold->total_retrans) {
		tcp_stat(c, TCPEXT_TCPDSACKIGNOREDDUBIOUS);
		if (c->tlp_out) /* it still answers the probe */
			a->flags |= ACK_DSACK;
		return;
	}
	a->flags |= ACK_DSACK;
	a->dsack_segs = segs;
	cold->dsack_dups += segs;
	c->rack_dsack |= c->reord_seen && !(c->tlp_out && end == c->rec.tlp_end);
	if (undoes(c, start, end))
		c->rec.undo_retrans = PLX_MAX(0, c->rec.undo_retrans - (int32_t)segs);
}

/* Run i, as a whole, has arrived. */
static void tag(struct plx_tcp *c, struct tcp_ack *a, uint32_t i)
{
	struct tcp_run *r = tcp__run(c, i);

	if (r->flags & RUN_SACKED)
		return;
	tcp__rack_advance(c, r, a->seg->opts.ts_ecr, a->now);
	if (!(r->flags & RUN_EVER)) {
		if (plx_seq_lt(r->seq, a->prior_fack)) {
			if (!(a->flags & ACK_REORDERED) || plx_seq_lt(r->seq, a->reord_seq))
				a->reord_seq = r->seq;
			a->flags |= ACK_REORDERED;
		}
		if (!plx_seq_gt(r->end, c->rec.recover))
			a->flags |= ACK_ORIG_SACKED;
		a->sack_rtt_us = (a->now - r->sent_ns) / 1000;
		tcp__rtt_min(c, (uint32_t)a->sack_rtt_us, a->now);
	}
	tcp__run_flag(c, r, RUN_SACKED, RUN_LOST | RUN_RETRANS);
	c->delivered += r->segs;
	a->flags |= ACK_SACKED;
	if (plx_seq_gt(r->end, c->rack.fack))
		c->rack.fack = r->end;
}

/* Where a block that ends inside of a run is taken to end: whole segments only, since a receiver
 * has or has not a segment, and since who invents edges shall not make us cut text to pieces. */
static uint32_t whole(const struct tcp_run *r, uint32_t at, bool up)
{
	uint32_t into = at - r->seq, mss = r->mss;

	return r->seq + (up ? (into + mss - 1) : into) / mss * mss;
}

static void block(struct plx_tcp *c, struct tcp_ack *a, uint32_t start, uint32_t end)
{
	uint32_t first, i;

	start = plx_seq_max(start, c->snd.una);
	first = i = tcp__sndq_find(c, start);
	for (; i < c->snd.run_n && plx_seq_lt(tcp__run(c, i)->seq, end); i++) {
		struct tcp_run *r = tcp__run(c, i);
		uint32_t from, to;

		if (r->flags & RUN_SACKED)
			continue;
		from = plx_seq_gt(start, r->seq) ? whole(r, start, true) : r->seq;
		to = plx_seq_lt(end, r->end) ? whole(r, end, false) : r->end;
		if (!plx_seq_lt(from, to))
			continue;
		if (to != r->end && !tcp__sndq_split(c, i, to))
			return;
		if (from != tcp__run(c, i)->seq && !tcp__sndq_split(c, i++, from))
			return;
		tag(c, a, i);
	}
	if (a->flags & ACK_SACKED && c->snd.run_n)
		for (i = PLX_MIN(i, c->snd.run_n - 1u) + 1; i-- > first;)
			tcp__sndq_join(c, PLX_MIN(i, c->snd.run_n - 1u));
}

void tcp__sack_input(struct plx_tcp *c, struct tcp_ack *a)
{
	const struct plx_tcp_sack *s = a->seg->opts.sack;
	uint32_t i = 0;

	if (!(a->seg->opts.present & PLX_TCP_OPT_SACK))
		return;
	if (c->sacked_out == 0)
		c->rack.fack = plx_seq_max(c->snd.una, c->rack.fack);
	if (is_dsack(a->seg)) {
		dsack(c, a, s[0].start, s[0].end);
		if (!valid(c, a, true, s[0].start, s[0].end))
			plx_count(c->ctx->stat[c->undo_ok ? PLX_STAT_TCPEXT_TCPDSACKIGNOREDOLD
							  : PLX_STAT_TCPEXT_TCPDSACKIGNOREDNOUNDO],
				1);
		i = 1;
	}
	for (; i < a->seg->opts.n_sack; i++) {
		if (plx_seq_le(s[i].end, c->snd.una) && plx_seq_lt(s[i].start, s[i].end))
			continue; /* an old ACK's */
		if (valid(c, a, false, s[i].start, s[i].end))
			block(c, a, s[i].start, s[i].end);
		else
			tcp_stat(c, TCPEXT_TCPSACKDISCARD);
	}
}
