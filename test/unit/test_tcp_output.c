/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* ---- the ladder ---- */

T(text_is_cut_and_the_last_of_it_pushed)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 2500);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(t.tx.off, 0);
	tt_out(&t, "P 1001:2001(1000) ack 1");
	eq(t.tx.off, 1000);
	tt_out(&t, "P 2001:2501(500) ack 1");
	eq(t.tx.mss, 1000);
	tt_none(&t, IDLE);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	eq(t.rx.acked, 1000);
	tt_write(&t, 1000);
	tt_out(&t, "P 2501:3501(1000) ack 1");
	eq(t.tx.off, 1500);
	tt_down(&t);
}

/* rst, syn, lost text, probe, new text, ack: in this order. */
T(the_most_urgent_goes_first)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 5000);
	eq(tt_drain(&t), 5);
	eq(tt_in(&t, ". ack 1 sack 1001:5001"), PLX_DROP_NONE);
	tt_write(&t, 100);
	eq(tt_in(&t, "P 1:101(100) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 101"); /* lost; carries the ACK */
	tt_out(&t, "P 5001:5101(100) ack 101");
	tt_none(&t, IDLE);
	plx_tcp_abort(&t.c, t.now);
	tt_out(&t, "R 5101:5101(0) ack 101");
	tt_none(&t, IDLE);
	tt_down(&t);
}

T(the_congestion_window_holds)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 20000);
	eq(tt_drain(&t), 10); /* RFC 6928 */
	eq(t.tx.why, PLX_TCP_WHY_CWND);
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE);
	eq(tt_drain(&t), 4); /* slow start */
	tt_down(&t);
}

T(nothing_leaves_without_room)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 3000);
	t.room.segs = 0;
	tt_none(&t, ROOM);
	t.room = (struct plx_tcp_room){.segs = 1, .bytes = 999};
	tt_none(&t, ROOM);
	t.room.bytes = 1 << 20;
	eq(tt_drain(&t), 3);
	eq(tt_in(&t, ". ack 1 sack 1001:3001"), PLX_DROP_NONE);
	tt_ms(&t, 100); /* the reordering window is over: lost */
	t.room.bytes = 500;
	tt_none(&t, ROOM);
	t.room.segs = 0;
	tt_none(&t, ROOM);
	t.room = (struct plx_tcp_room){.segs = 1, .bytes = 1000};
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_down(&t);
}

T(a_super_segment_is_whole_segments_within_all_bounds)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_MIN_TSO_SEGS, 100);
	tt_write(&t, 25500);
	t.room.max_len = 4500;
	tt_out(&t, "P 1:4001(4000) ack 1");
	eq(t.tx.mss, 1000);
	t.room.segs = 2;
	tt_out(&t, "P 4001:6001(2000) ack 1");
	t.room.segs = 100;
	t.room.max_len = 65000;
	tt_out(&t, "P 6001:10001(4000) ack 1"); /* cwnd */
	tt_none(&t, CWND);
	tt_down(&t);
}

/* Linux's tcp_tso_autosize(), and half a window at most. */
T(a_super_segment_is_a_millisecond_at_the_pace)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	t.room.max_len = 65000;
	tt_write(&t, 100000);
	tt_out(&t, "P 1:2001(2000) ack 1"); /* ten segments in 100 ms */
	tt_tun(&t, TCP_MIN_TSO_SEGS, 3);
	tt_out(&t, "P 2001:5001(3000) ack 1");
	t.c.rtt.srtt8_us = 8 * 4000; /* 2 * 10000 bytes / 4 ms */
	tt_out(&t, "P 5001:9001(4000) ack 1");
	tt_down(&t);
}

T(a_super_segment_is_long_where_the_round_trip_is_short)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	t.room.max_len = 65000;
	tt_write(&t, 100000);
	t.c.cwnd = 100;
	t.c.rtt.min_us = 511;
	tt_out(&t, "P 1:50001(50000) ack 1"); /* half of the window */
	t.c.rtt.min_us = 4 * 512;
	tt_out(&t, "P 50001:56001(6000) ack 1"); /* 64 KB / 2^4, and the pace's 2 KB */
	tt_down(&t);
}

/* What SACK blocks take is not left for text, in each segment that it is cut into. */
T(sack_blocks_take_from_the_text)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_MIN_TSO_SEGS, 4);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	tt_write(&t, 5000);
	tt_out(&t, ". 1:989(988) ack 1 sack 1001:2001");
	eq(t.tx.mss, 988);
	t.room.max_len = 4000;
	tt_out(&t, "P 989:4941(3952) ack 1 sack 1001:2001");
	eq(t.tx.mss, 988);
	tt_down(&t);
}

/* After 4 GiB the first byte may have the SYN's number. */
T(a_byte_that_has_the_isns_number_is_no_syn)
{
	static struct tt t;

	tt_up(&t);
	t.c.iss = t.c.snd.una;
	tt_write(&t, 100);
	eq(plx_tcp_unacked(&t.c), 100);
	tt_out(&t, "P 1:101(100) ack 1");
	eq(t.tx.off, 0);
	tt_down(&t);
}

/* ---- Nagle (RFC 9293 3.7.4), cork ---- */

T(a_small_segment_waits_for_the_last_small_one)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 100);
	tt_out(&t, "P 1:101(100) ack 1");
	tt_write(&t, 100);
	tt_none(&t, NAGLE);
	tt_write(&t, 900);
	tt_out(&t, "P 101:1101(1000) ack 1"); /* it is full now */
	tt_write(&t, 10);
	tt_none(&t, NAGLE);
	eq(tt_in(&t, ". ack 101"), PLX_DROP_NONE);
	tt_out(&t, "P 1101:1111(10) ack 1"); /* Minshall: the full one does not matter */
	tt_write(&t, 10);
	tt_none(&t, NAGLE);
	plx_tcp_set_nodelay(&t.c, true);
	tt_out(&t, "P 1111:1121(10) ack 1");
	tt_down(&t);
}

T(the_end_does_not_wait)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 100);
	ok(tt_pull(&t));
	tt_write(&t, 100);
	tt_none(&t, NAGLE);
	plx_tcp_shutdown(&t.c, t.now);
	tt_out(&t, "PF 101:201(100) ack 1");
	tt_down(&t);
}

T(a_cork_holds_what_is_not_full_for_a_while)
{
	static struct tt t;
	int64_t us;

	tt_up(&t);
	plx_tcp_set_cork(&t.c, true);
	plx_tcp_set_nodelay(&t.c, true);
	tt_write(&t, 1100);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_none(&t, NAGLE);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	tt_none(&t, NAGLE);
	us = tt_timer(&t); /* Linux: about 200 ms */
	ok(us >= 200000 && us <= 250000);
	tt_out(&t, "P 1001:1101(100) ack 1");
	eq(t.c.backoff, 0); /* no probe that was not answered */
	tt_write(&t, 50);
	tt_none(&t, NAGLE);
	plx_tcp_set_cork(&t.c, false);
	tt_out(&t, "P 1101:1151(50) ack 1");
	tt_down(&t);
}

/* ---- urgent data (RFC 6093) ---- */

T(urgent_data_is_pointed_at_until_it_is_acknowledged)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 100);
	ok(tt_pull(&t));
	tt_write(&t, 1);
	plx_tcp_urgent(&t.c);
	tt_out(&t, "UP 101:102(1) ack 1 urg 1"); /* does not wait for Nagle */
	tt_write(&t, 1000);
	tt_out(&t, "P 102:1102(1000) ack 1");
	eq(tt_in(&t, ". ack 1102"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	ok(!t.c.urg_due); /* or it would be ahead again after 2 GiB */
	tt_down(&t);
}

/* ---- the peer's window ---- */

T(a_full_segment_must_fit_into_the_window)
{
	static struct tt t;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 2500"), PLX_DROP_NONE);
	tt_write(&t, 5000);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_out(&t, "P 1001:2001(1000) ack 1");
	tt_none(&t, RWND); /* silly windows (RFC 9293 3.8.6.2.1) */
	eq(tt_in(&t, ". ack 2001 win 3000"), PLX_DROP_NONE);
	eq(tt_drain(&t), 3);
	tt_down(&t);
}

/* RFC 9293 3.8.6.2.1 (3): half of the largest window is enough. */
T(a_tiny_window_is_used_by_halves)
{
	static struct tt t;

	tt_up(&t, .win = 1000, .no_wscale = true);
	tt_write(&t, 2000);
	tt_out(&t, ". 1:501(500) ack 1");
	tt_out(&t, "P 501:1001(500) ack 1");
	tt_none(&t, RWND);
	tt_down(&t);
}

T(a_fin_waits_for_the_window)
{
	static struct tt t;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 1000"), PLX_DROP_NONE);
	t.c.snd.max_wnd = 65535;
	tt_write(&t, 1000);
	plx_tcp_shutdown(&t.c, t.now);
	tt_out(&t, "P 1:1001(1000) ack 1");
	tt_none(&t, RWND);
	eq(tt_in(&t, ". ack 1001 win 0"), PLX_DROP_NONE);
	tt_none(&t, RWND);
	eq(t.c.rtx_kind, PLX_TCP_RTX_PROBE); /* and asks for it */
	tt_timer(&t);
	tt_out(&t, ". 1000:1000(0) ack 1");
	eq(tt_in(&t, ". ack 1001 win 1"), PLX_DROP_NONE);
	tt_out(&t, "F 1001:1001(0) ack 1");
	eq(t.c.rtx_kind, PLX_TCP_RTX_TLP);
	tt_down(&t);
}

/* ---- acknowledgements ---- */

T(text_carries_the_ack)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "P 1:101(100) ack 1"), PLX_DROP_NONE);
	tt_write(&t, 10);
	tt_out(&t, "P 1:11(10) ack 101");
	tt_none(&t, IDLE);
	tt_down(&t);
}

/* ---- ECN, the sender's part (RFC 3168 6.1.2) ---- */

T(an_echo_reduces_once_a_round_trip)
{
	static struct tt t;

	tt_up(&t, .ecn = true, .reno = true);
	tt_write(&t, 20000);
	tt_out(&t, ". 1:1001(1000) ack 1 ect");
	eq(tt_drain(&t), 9);
	eq(tt_in(&t, "E ack 1001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_CWR);
	eq(t.c.ssthresh, 5);
	for (int i = 2; i < 6; i++) {
		char s[32];

		sprintf(s, "E ack %d001", i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
		eq(t.c.ssthresh, 5);
	}
	eq(tt_in(&t, ". ack 6001"), PLX_DROP_NONE);
	tt_out(&t, "W 10001:11001(1000) ack 1 ect"); /* told once */
	if (tt_pull(&t))
		ok(!(t.tx.flags & PLX_TCP_CWR));
	tt_down(&t);
}

T(a_retransmission_is_not_ecn_capable)
{
	static struct tt t;

	tt_up(&t, .ecn = true);
	tt_write(&t, 5000);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 1 sack 1001:5001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(t.tx.ecn, PLX_TCP_NOT_ECT); /* RFC 3168 6.1.5 */
	tt_down(&t);
}

/* ---- idle time (RFC 2861), pacing ---- */

T(after_idle_time_the_window_is_halved_for_each_time_out)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	t.c.cwnd = 100;
	t.c.ssthresh = 50;
	tt_ms(&t, 700); /* time-out 210: three of them */
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	eq(t.c.cwnd, 12);
	eq(t.c.ssthresh, 75); /* it can be there again soon */
	tt_down(&t);
}

/* RFC 2861 3.2, Linux's tcp_cwnd_application_limited(). */
static void little_used(struct tt *t, bool orphan)
{
	tt_up(t, .reno = true);
	t->c.cwnd = 100;
	t->c.ssthresh = 50;
	t->c.orphan = orphan;
	for (int i = 1; i <= 30; i++) { /* 300 ms; the time-out is 210, but ACKs come */
		char s[32];

		tt_write(t, 20000);
		tt_drain(t);
		tt_ms(t, 10);
		sprintf(s, ". ack %d", 1 + 20000 * i);
		eq(tt_in(t, s), PLX_DROP_NONE);
		eq(t->c.cwnd, 100);
	}
	tt_ms(t, 110);
	tt_write(t, 19000);
	tt_drain(t);
	tt_ms(t, 105);
	tt_write(t, 1000);
	tt_drain(t);
}

T(what_is_little_used_is_half_forgotten)
{
	static struct tt t;

	little_used(&t, false);
	eq(t.c.cwnd, 60);
	eq(t.c.ssthresh, 75); /* it can be there again soon */
	tt_down(&t);
	little_used(&t, true);
	eq(t.c.cwnd, 100); /* no program limits it */
	tt_down(&t);
}

T(a_closed_window_is_no_idle_time_again_and_again)
{
	static struct tt t;
	uint32_t epoch;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	t.c.cwnd = 100;
	((uint32_t *)t.c.cc_priv)[3] = epoch = 99000; /* epoch_ms */
	tt_write(&t, 1000);
	tt_ms(&t, 300);
	for (int i = 0; i < 5; i++)
		tt_drain(&t);
	eq(t.c.cwnd, 100);
	eq(((uint32_t *)t.c.cc_priv)[3], epoch);
	tt_down(&t);
}

T(pacing_spreads_segments)
{
	static struct tt t;
	int64_t us;

	tt_up(&t, .rtt_ms = 100);
	tt_tun(&t, TCP_PACING, 1);
	tt_write(&t, 10000);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_none(&t, PACE);
	us = tt_timer(&t); /* 1000 bytes of 10 * 1000 in 100 ms, at twice that */
	ok(us >= 4900 && us <= 5100);
	tt_out(&t, ". 1001:2001(1000) ack 1");
	tt_none(&t, PACE);
	tt_down(&t);
}

/* ---- events ---- */

static struct plx_tcp_tx seen;
static void see(void *arg, const struct plx_tcp_event *ev)
{
	if (ev->type == PLX_TCP_EVENT_OUT)
		seen = *ev->tx;
}

T(who_listens_sees_a_segment_as_it_leaves)
{
	static struct tt t;

	tt_up(&t, .ecn = true);
	t.ctx.event = see;
	tt_write(&t, 10);
	plx_tcp_urgent(&t.c);
	tt_out(&t, "UP 1:11(10) ack 1 urg 10 ect");
	mem_eq(&seen, &t.tx, sizeof(seen));
	plx_tcp_abort(&t.c, t.now);
	tt_out(&t, "R 11:11(0) ack 1 win 0");
	mem_eq(&seen, &t.tx, sizeof(seen));
	tt_down(&t);
}

RUN(T_(text_is_cut_and_the_last_of_it_pushed), T_(the_most_urgent_goes_first),
	T_(the_congestion_window_holds), T_(nothing_leaves_without_room),
	T_(a_super_segment_is_whole_segments_within_all_bounds),
	T_(a_super_segment_is_a_millisecond_at_the_pace),
	T_(a_super_segment_is_long_where_the_round_trip_is_short),
	T_(sack_blocks_take_from_the_text), T_(a_byte_that_has_the_isns_number_is_no_syn),
	T_(a_small_segment_waits_for_the_last_small_one), T_(the_end_does_not_wait),
	T_(a_cork_holds_what_is_not_full_for_a_while),
	T_(urgent_data_is_pointed_at_until_it_is_acknowledged),
	T_(a_full_segment_must_fit_into_the_window), T_(a_tiny_window_is_used_by_halves),
	T_(a_fin_waits_for_the_window), T_(text_carries_the_ack),
	T_(an_echo_reduces_once_a_round_trip), T_(a_retransmission_is_not_ecn_capable),
	T_(after_idle_time_the_window_is_halved_for_each_time_out),
	T_(what_is_little_used_is_half_forgotten),
	T_(a_closed_window_is_no_idle_time_again_and_again), T_(pacing_spreads_segments),
	T_(who_listens_sees_a_segment_as_it_leaves))
