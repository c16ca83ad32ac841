/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

static uint32_t edge(const struct tt *t)
{
	return t->tx.ack + ((uint32_t)t->tx.win << t->c.rcv_wscale);
}

static enum plx_drop text(struct tt *t, uint32_t n)
{
	char s[64];
	uint32_t at = t->c.rcv.nxt - TT_IRS;

	sprintf(s, ". %u:%u(%u) ack %u", at, at + n, n, t->c.snd.nxt - tt_iss(t));
	return tt_in(t, s);
}

/* RFC 9293 3.8.6: whatever comes, whatever is read. */
T(it_never_shrinks)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(0x111));
	for (int round = 0; round < 100; round++) {
		static struct tt t;
		uint32_t last;

		tt_up(&t, .rcv_buf = 3000 + (uint32_t)plx_rng_below(&r, 200000),
			.no_wscale = plx_rng_below(&r, 2), .no_ts = true);
		last = t.c.rcv.nxt;
		for (int i = 0; i < 300; i++) {
			uint32_t n = (uint32_t)plx_rng_below(&r, 3000);

			n = PLX_MIN(n, tcp__rcv_wnd(&t.c));
			if (n) /* a smaller SO_RCVBUF may refuse what was announced */
				ok(!text(&t, n) || t.c.fixed_buf);
			n = (uint32_t)plx_rng_below(&r, plx_tcp_readable(&t.c) + 1);
			if (plx_rng_below(&r, 3) == 0)
				plx_tcp_read(&t.c, n, t.now);
			if (plx_rng_below(&r, 50) == 0)
				eq(plx_tcp_set_rcvbuf(&t.c, (uint32_t)plx_rng_below(&r, 90000)), 0);
			tt_ms(&t, (int64_t)plx_rng_below(&r, 60));
			while (tt_pull(&t)) {
				ok(plx_seq_ge(edge(&t), last));
				last = edge(&t);
			}
		}
		tt_down(&t);
	}
}

/* RFC 9293 3.8.6.2.2. */
T(a_closed_window_opens_by_a_segment_at_least)
{
	static struct tt t;

	tt_up(&t, .rcv_buf = 20000, .no_wscale = true, .no_ts = true);
	while (tcp__rcv_wnd(&t.c)) {
		text(&t, PLX_MIN(tcp__rcv_wnd(&t.c), 1000u));
		tt_drain(&t);
	}
	t.c.rcv.mss = 1000;
	for (; t.c.rcv.buf - plx_tcp_readable(&t.c) < 1000; plx_tcp_read(&t.c, 50, t.now)) {
		ok(!t.c.ack_now);
		eq(tcp__rwnd_free(&t.c), 0); /* less than a segment is none */
	}
	ok(t.c.ack_now);
	ok(tt_pull(&t));
	eq(t.tx.win, 1000);
	tt_down(&t);
}

T(less_than_a_segment_is_announced_as_nothing)
{
	static struct tt t;

	tt_up(&t, .rcv_buf = 20000, .no_ts = true);
	text(&t, 1000);
	t.c.rcv.wnd = t.c.rcv.wup = t.c.rcv.nxt; /* nothing was promised */
	t.c.rcv.wnd = 0;
	t.c.rcv.read = t.c.rcv.nxt - (t.c.rcv.buf - 900);
	eq(tcp__rwnd_announce(&t.c), 0);
	eq(tt_stat(&t, TCPEXT_TCPTOZEROWINDOWADV) + tt_stat(&t, TCPEXT_TCPWANTZEROWINDOWADV), 0);
	t.c.rcv.read += 4000;
	ok(tcp__rwnd_announce(&t.c) > 0);
	eq(tt_stat(&t, TCPEXT_TCPFROMZEROWINDOWADV), 1);
	tt_down(&t);
}

/* A small SO_RCVBUF set late, and a window scale that does not divide it. */
T(the_window_of_a_small_buffer_opens)
{
	for (uint32_t bytes = 0; bytes < 4000; bytes += 7) {
		static struct tt t;

		tt_up(&t, .no_ts = true);
		ok(t.c.rcv_wscale > 0);
		eq(plx_tcp_set_rcvbuf(&t.c, bytes), 0);
		t.c.rcv.mss = 1000;
		ok(tcp__rwnd_free(&t.c) > 0);
		tt_down(&t);
	}
}

T(it_grows_with_full_segments_and_not_with_small_ones)
{
	static struct tt t;
	uint32_t had;

	tt_up(&t, .no_ts = true);
	t.c.rcv.ssthresh = had = 20000;
	text(&t, 1000);
	eq(t.c.rcv.ssthresh, had + 2000);
	had = t.c.rcv.ssthresh;
	text(&t, 10);
	text(&t, 300); /* less than half a segment */
	eq(t.c.rcv.ssthresh, had);
	tt_down(&t);
}

/* Dynamic right-sizing: twice what was read in a round trip. */
T(a_program_that_reads_fast_gets_a_larger_buffer)
{
	static struct tt t;
	uint32_t had;

	tt_up(&t);
	had = t.c.rcv.buf;
	for (int i = 0; i < 200; i++) {
		uint32_t n = tcp__rcv_wnd(&t.c) / 1000 * 1000;

		text(&t, n);
		plx_tcp_read(&t.c, n, t.now);
		tt_drain(&t);
		tt_ms(&t, 10);
		tt_drain(&t);
	}
	ok(t.c.rcv.buf > 4 * had);
	ok(t.c.rcv.buf <= 6291456 / 2);
	tt_down(&t);
	tt_up(&t);
	eq(plx_tcp_set_rcvbuf(&t.c, 100000), 0);
	for (int i = 0; i < 50; i++) {
		uint32_t n = PLX_MIN(tcp__rcv_wnd(&t.c), 40000u);

		if (n)
			text(&t, n);
		plx_tcp_read(&t.c, n, t.now);
		tt_drain(&t);
		tt_ms(&t, 10);
	}
	eq(t.c.rcv.buf, 50000); /* SO_RCVBUF ends that */
	tt_down(&t);
}

RUN(T_(it_never_shrinks), T_(a_closed_window_opens_by_a_segment_at_least),
	T_(less_than_a_segment_is_announced_as_nothing), T_(the_window_of_a_small_buffer_opens),
	T_(it_grows_with_full_segments_and_not_with_small_ones),
	T_(a_program_that_reads_fast_gets_a_larger_buffer))
