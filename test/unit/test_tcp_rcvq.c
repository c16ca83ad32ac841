/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* ---- by hand ---- */

T(a_gap_is_kept_beside_and_acknowledged_selectively)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(t.rx.n_keep, 1);
	eq(t.rx.keep[0].at, 1000);
	eq(t.rx.ready, 0);
	ok(t.rx.ack_now);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:2001");
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	eq(t.rx.ready, 2000);
	ok(t.rx.ack_now); /* RFC 5681 4.2: a gap is filled */
	tt_out(&t, ". 1:1(0) ack 2001");
	assert_null(t.c.rcv.ofo);
	tt_down(&t);
}

/* RFC 2018 4: the block of the segment that came comes first; the others in the order of theirs. */
T(the_most_recent_block_comes_first)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:1101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:1101");
	eq(tt_in(&t, ". 3001:3101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 3001:3101 sack 1001:1101");
	eq(tt_in(&t, ". 2001:2101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 2001:2101 sack 3001:3101 sack 1001:1101");
	eq(tt_in(&t, ". 1101:1201(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:1201 sack 2001:2101 sack 3001:3101");
	eq(tt_in(&t, ". 4001:4101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 4001:4101 sack 1001:1201 sack 2001:2101");
	/* one that was told long ago is told again when others are gone */
	eq(tt_in(&t, ". 1:2001(2000) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 2101 sack 1001:1201 sack 4001:4101 sack 3001:3101");
	tt_down(&t);
}

T(without_timestamps_there_is_room_for_four_blocks)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	for (int i = 1; i <= 5; i++) {
		char s[64];

		sprintf(s, ". %d001:%d101(100) ack 1", i, i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
		ok(tt_pull(&t));
	}
	str_eq(tt_show(&t, &t.tx, ""),
		". 1:1(0) ack 1 sack 5001:5101 sack 4001:4101 sack 3001:3101 sack 2001:2101");
	tt_down(&t);
}

T(without_sack_nothing_is_told)
{
	static struct tt t;

	tt_up(&t, .no_sack = true);
	eq(tt_in(&t, ". 1001:1101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, ". 1001:1101(100) ack 1"), PLX_DROP_TCP_TEXT_OLD);
	tt_out(&t, ". 1:1(0) ack 1");
	tt_down(&t);
}

/* ---- D-SACK (RFC 2883) ---- */

/* 4.1.1, 4.1.2. */
T(a_duplicate_below_the_ack_is_told_in_the_first_block)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 2001:3001(1000) ack 1"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 501:1501(1000) ack 1"), PLX_DROP_NONE); /* partly */
	eq(t.rx.n_keep, 1);
	eq(t.rx.keep[0].off, 500);
	eq(t.rx.keep[0].len, 500);
	tt_out(&t, ". 1:1(0) ack 1501 sack 501:1001 sack 2001:3001");
	eq(tt_in(&t, ". 1601:1701(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1501 sack 1601:1701 sack 2001:3001"); /* told once */
	tt_down(&t);
}

/* 4.2.2: the second block is the one that it lies in, or the sender can't tell it from a SACK. */
T(a_duplicate_above_the_ack_is_followed_by_its_block)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:1501(500) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 1501:2001(500) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 3001:4001(1000) ack 1"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 1001:1501(500) ack 1"), PLX_DROP_TCP_TEXT_OLD);
	eq(t.rx.n_keep, 0);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:1501 sack 1001:2001 sack 3001:4001");
	eq(tt_stat(&t, TCPEXT_TCPDSACKOFOSENT), 1);
	tt_down(&t);
}

T(an_overlap_above_the_ack_is_told_with_the_block_that_it_made)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 3001:4001(1000) ack 1"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 501:1501(1000) ack 1"), PLX_DROP_NONE);
	eq(t.rx.n_keep, 1);
	eq(t.rx.keep[0].len, 500);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:1501 sack 501:2001 sack 3001:4001");
	tt_down(&t);
}

T(duplicates_are_not_told_to_who_does_not_want_to_know)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_DSACK, 0);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_TCP_TEXT_OLD);
	tt_out(&t, ". 1:1(0) ack 1001");
	tt_down(&t);
}

/* ---- FIN ---- */

T(a_fin_waits_for_what_is_before_it)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "F 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	ok(!(t.rx.events & PLX_TCP_EV_FIN));
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:2002"); /* as Linux: the FIN's number too */
	eq(tcp__ofo_bytes(&t.c), 1000);
	/* there is nothing behind it, and no other one */
	eq(tt_in(&t, ". 2001:2101(100) ack 1"), PLX_DROP_TCP_TEXT_AFTER_FIN);
	eq(tt_in(&t, "F 501:601(100) ack 1"), PLX_DROP_TCP_TEXT_AFTER_FIN);
	eq(tt_in(&t, "F 2001:2001(0) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	eq(t.rx.ready, 2000);
	ok(t.rx.events & PLX_TCP_EV_FIN);
	eq(t.c.rcv.nxt - TT_IRS, 2002);
	tt_down(&t);
}

T(a_fin_before_text_that_is_here_is_none)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, "F 1:501(500) ack 1"), PLX_DROP_TCP_TEXT_AFTER_FIN);
	eq(t.rx.n_keep, 0);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	tt_down(&t);
}

/* ---- bounds ---- */

T(what_lies_beyond_the_window_is_cut_off)
{
	static struct tt t;
	uint32_t wnd;
	char s[64];

	tt_up(&t, .rcv_buf = 4096);
	wnd = tcp__rcv_wnd(&t.c);
	sprintf(s, "F 1:%u(%u) ack 1", wnd + 101, wnd + 100);
	eq(tt_in(&t, s), PLX_DROP_NONE);
	eq(t.rx.ready, wnd);
	ok(!(t.rx.events & PLX_TCP_EV_FIN));
	ok(t.rx.ack_now);
	tt_down(&t);
}

/*
 * What the window scale rounds off is announced. Who sends in small pieces, and never in whole
 * units of the scale, could push the edge on for ever (Linux drops by rmem).
 */
T(a_trickle_does_not_fill_more_than_the_buffer)
{
	static struct tt t;
	uint32_t at = 1;

	tt_up(&t, .rcv_buf = 8192);
	ok(t.c.rcv_wscale == 7);
	for (int i = 0; i < 100000; i++) {
		uint32_t edge = t.c.rcv.nxt + tcp__rcv_wnd(&t.c);
		char s[64];

		sprintf(s, ". %u:%u(1) ack 1", at, at + 1);
		if (tt_in(&t, s) == PLX_DROP_NONE)
			at++;
		tt_in(&t, s); /* which is answered at once */
		tt_drain(&t);
		ok(plx_seq_ge(t.c.rcv.nxt + tcp__rcv_wnd(&t.c), edge)); /* it never shrinks */
	}
	ok(plx_tcp_readable(&t.c) <= 2 * t.c.rcv.buf);
	plx_tcp_read(&t.c, plx_tcp_readable(&t.c), t.now);
	tt_drain(&t);
	ok(tcp__rcv_wnd(&t.c) >= 1000);
	tt_down(&t);
}

T(without_memory_for_another_gap_text_is_left_to_be_sent_again)
{
	static struct tt t;
	char s[64];

	tt_up(&t);
	tt_tun(&t, TCP_OFO_RANGES, 8);
	for (int i = 1; i <= 9; i++) {
		sprintf(s, ". %d001:%d101(100) ack 1", i, i);
		eq(tt_in(&t, s), i <= 8 ? PLX_DROP_NONE : PLX_DROP_TCP_TEXT_MEMORY);
	}
	eq(t.rx.n_keep, 0);
	eq(tt_stat(&t, TCPEXT_TCPOFODROP), 1);
	eq(tt_in(&t, ". 8101:9001(900) ack 1"), PLX_DROP_NONE); /* no other gap */
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);	/* in order: always */
	eq(t.rx.ready, 1100);
	tt_down(&t);
}

T(what_is_pruned_is_given_up)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, "F 3001:4001(1000) ack 1"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(plx_tcp_prune(&t.c, 1500), 1500);
	eq(tt_in(&t, ". 1:501(500) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 501 sack 1001:1501");
	eq(tt_in(&t, ". 501:5001(4500) ack 1"), PLX_DROP_NONE);
	eq(t.rx.n_keep, 2);
	eq(t.rx.ready, 4500);
	ok(!(t.rx.events & PLX_TCP_EV_FIN));
	eq(plx_tcp_prune(&t.c, 0), 0);
	tt_down(&t);
}

/* ---- random segments against a flag for each byte ---- */

#define M_BYTES 12000u

static struct {
	bool have[M_BYTES];
	uint32_t nxt; /* in order up to there */
	uint32_t end; /* length of the stream; the FIN lies there */
	bool fin_known, over;
	uint32_t last; /* where the last segment out of order began */
} m;

static uint32_t m_run_end(uint32_t at)
{
	while (at < m.end && m.have[at])
		at++;
	return at;
}

static void m_keep(const struct plx_tcp_rx *rx, uint32_t from, uint32_t len, uint32_t edge)
{
	uint32_t to = PLX_MIN(from + len, edge), base = m.nxt;

	for (uint32_t i = 0; i < rx->n_keep; i++) {
		const struct plx_tcp_keep *k = &rx->keep[i];

		ok(k->len > 0 && k->off + k->len <= len);
		eq(base + k->at, from + k->off);
		for (uint32_t b = 0; b < k->len; b++) {
			ok(!m.have[from + k->off + b]); /* the first copy wins */
			m.have[from + k->off + b] = true;
		}
	}
	for (uint32_t at = PLX_MAX(from, m.nxt); at < to && rx->n_keep < PLX_TCP_KEEP_MAX; at++)
		ok(m.have[at]); /* none is forgotten */
	m.nxt = m_run_end(m.nxt);
	eq(rx->ready, m.nxt - base);
}

/* Is [start, end) one of the blocks that a receiver may report? The FIN's number counts. */
static void m_block(uint32_t start, uint32_t end, bool first)
{
	uint32_t stop = m_run_end(start);

	if (start == m.end)
		stop = start;
	ok(start > m.nxt || (start == m.end && m.fin_known));
	ok(start == m.end || m.have[start]);
	ok(start == 0 || start == m.end || !m.have[start - 1] || start == m.nxt);
	if (stop == m.end && m.fin_known)
		stop++;
	eq(end, stop);
	if (first)
		ok(m.last >= start && m.last < end);
}

static void m_sacks(struct tt *t, bool disorder)
{
	const struct plx_tcp_opts *o = &t->tx.opts;
	uint32_t n = o->present & PLX_TCP_OPT_SACK ? o->n_sack : 0, i = 0;

	if (n && (plx_seq_lt(o->sack[0].start, t->tx.ack) ||
			 (n > 1 && plx_seq_le(o->sack[0].end, o->sack[1].end) &&
				 plx_seq_ge(o->sack[0].start, o->sack[1].start))))
		i = 1; /* a D-SACK */
	for (uint32_t k = i; k < n; k++) {
		m_block(o->sack[k].start - TT_IRS - 1, o->sack[k].end - TT_IRS - 1,
			k == i && disorder);
		for (uint32_t l = i; l < k; l++)
			ne(o->sack[k].start, o->sack[l].start);
	}
	if (i)
		for (uint32_t at = o->sack[0].start; at != o->sack[0].end; at++)
			ok(at - TT_IRS - 1 == m.end || m.have[at - TT_IRS - 1]);
	if (disorder)
		ok(n > i);
}

static void m_step(struct tt *t, struct plx_rng *r)
{
	uint32_t ahead = plx_rng_below(r, 3) ? 2500 : 200, most = plx_rng_below(r, 8) ? 300 : 2500;
	uint32_t back = (uint32_t)plx_rng_below(r, plx_rng_below(r, 4) ? 1 : 500);
	uint32_t on = (uint32_t)plx_rng_below(r, ahead), some = (uint32_t)plx_rng_below(r, most);
	uint32_t from = PLX_MIN(m.nxt - PLX_MIN(m.nxt, back) + on, m.end);
	uint32_t len = PLX_MIN(some, m.end - from), edge;
	struct plx_tcp_seg seg = {.ack = t->c.snd.una, .flags = PLX_TCP_ACK, .win = 65535};
	enum plx_drop drop;
	bool disorder;

	seg.seq = TT_IRS + 1 + from;
	seg.len = len;
	if (from + len == m.end && plx_rng_below(r, 2))
		seg.flags |= PLX_TCP_FIN;
	if (!len && !(seg.flags & PLX_TCP_FIN))
		return;
	edge = m.nxt + tcp__rcv_wnd(&t->c);
	disorder = from > m.nxt;
	drop = plx_tcp_input(&t->c, &seg, t->now, &t->rx);
	if (drop == PLX_DROP_TCP_SEQ_OUT || drop == PLX_DROP_TCP_TEXT_MEMORY) {
		eq(t->rx.n_keep, 0);
		tt_drain(t);
		return;
	}
	m_keep(&t->rx, from, len, edge);
	if (drop == PLX_DROP_NONE && seg.flags & PLX_TCP_FIN && from + len <= edge &&
		m_run_end(from) == m.end)
		m.fin_known = true;
	m.over = m.nxt == m.end && m.fin_known;
	eq(!!(t->rx.events & PLX_TCP_EV_FIN), m.over);
	m.last = from;
	if (tt_pull(t))
		m_sacks(t, disorder && drop != PLX_DROP_TCP_TEXT_OVERRUN);
	tt_drain(t);
}

T(random_segments_against_a_flag_for_each_byte)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(0x5ac));
	for (int round = 0; round < 200; round++) {
		static struct tt t;

		tt_up(&t, .no_ts = true, .rcv_buf = 4096u << plx_rng_below(&r, 4));
		memset(&m, 0, sizeof(m));
		m.end = 1 + (uint32_t)plx_rng_below(&r, M_BYTES);
		for (int i = 0; i < 20000 && !m.over; i++) {
			m_step(&t, &r);
			tt_ms(&t, (int64_t)plx_rng_below(&r, 2));
			plx_tcp_read(&t.c, (uint32_t)plx_rng_below(&r, plx_tcp_readable(&t.c) + 1),
				t.now);
			tt_drain(&t);
		}
		ok(m.over);
		eq(t.c.bytes_received, m.end);
		tt_down(&t);
	}
}

RUN(T_(a_gap_is_kept_beside_and_acknowledged_selectively), T_(the_most_recent_block_comes_first),
	T_(without_timestamps_there_is_room_for_four_blocks), T_(without_sack_nothing_is_told),
	T_(a_duplicate_below_the_ack_is_told_in_the_first_block),
	T_(a_duplicate_above_the_ack_is_followed_by_its_block),
	T_(an_overlap_above_the_ack_is_told_with_the_block_that_it_made),
	T_(duplicates_are_not_told_to_who_does_not_want_to_know),
	T_(a_fin_waits_for_what_is_before_it), T_(a_fin_before_text_that_is_here_is_none),
	T_(what_lies_beyond_the_window_is_cut_off),
	T_(a_trickle_does_not_fill_more_than_the_buffer),
	T_(without_memory_for_another_gap_text_is_left_to_be_sent_again),
	T_(what_is_pruned_is_given_up), T_(random_segments_against_a_flag_for_each_byte))
