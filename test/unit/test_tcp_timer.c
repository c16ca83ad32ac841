/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* The time-out of a connection with tt_up()'s round trip of 10 ms: 10 + 200 ms. */
#define RTO_US 210000

static void near_us(int64_t got, int64_t want)
{
	if (got < want - 2000 || got > want + 2000)
		fail_msg("%lld us, not %lld", (long long)got, (long long)want);
}

/* ---- SYN ---- */

/* tcp_syn_linear_timeouts, then tcp_syn_retries with back-off. */
static void syns(int64_t linear)
{
	static struct tt t;
	int64_t s = 1;

	tt_up(&t, .wait = true);
	tt_tun(&t, TCP_SYN_LINEAR_TIMEOUTS, linear);
	tt_out(&t, "S 0:0(0)");
	for (int i = 0; i<linear + 6; i++, s *= i> linear ? 2 : 1) {
		near_us(tt_timer(&t), s * 1000000);
		tt_out(&t, "S 0:0(0)");
		tt_none(&t, IDLE);
	}
	near_us(tt_timer(&t), s * 1000000);
	eq(t.events, PLX_TCP_EV_RESET | PLX_TCP_EV_DOUBT);
	eq(t.c.err, ETIMEDOUT);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(tt_stat(&t, TCPEXT_TCPSYNRETRANS), linear + 6);
	tt_none(&t, IDLE);
	tt_down(&t);
}

T(a_syn_is_sent_again_at_doubled_intervals)
{
	syns(0);
	syns(4);
}

T(a_syn_ack_where_opens_cross_too)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0)"), PLX_DROP_NONE);
	tt_out(&t, "S 0:0(0) ack 1");
	for (int i = 0; i < 5; i++) {
		near_us(tt_timer(&t), 1000000 << i);
		tt_out(&t, "S 0:0(0) ack 1");
	}
	tt_timer(&t);
	eq(t.events, PLX_TCP_EV_RESET | PLX_TCP_EV_DOUBT);
	tt_down(&t);
}

T(the_user_waits_so_long_for_a_handshake)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	tt_tun(&t, TCP_SYN_LINEAR_TIMEOUTS, 0);
	eq(plx_tcp_set_user_timeout(&t.c, 4500), 0);
	ok(tt_pull(&t));
	near_us(tt_timer(&t), 1000000);
	ok(tt_pull(&t));
	near_us(tt_timer(&t), 2000000);
	ok(tt_pull(&t));
	near_us(tt_timer(&t), 1500000);
	eq(t.events, PLX_TCP_EV_RESET | PLX_TCP_EV_DOUBT);
	eq(t.c.err, ETIMEDOUT);
	tt_down(&t);
}

/* RFC 6298 5.7, RFC 6928 2. */
T(a_syn_that_was_sent_again_gives_no_sample_and_a_small_window)
{
	static struct tt t;

	tt_up(&t, .wait = true, .no_ts = true);
	for (int i = 0; i < 2; i++) {
		ok(tt_pull(&t));
		tt_timer(&t);
	}
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0) ack 1"), PLX_DROP_NONE);
	eq(t.c.rtt.srtt8_us, 0);
	eq(tcp__rto_us(&t.c), 3000000);
	eq(t.c.cwnd, 1);
	tt_down(&t);
}

/* ---- retransmission time-out ---- */

/* Without tail loss probes: RFC 6298 5. */
static void up(struct tt *t)
{
	tt_up(t);
	tt_tun(t, TCP_EARLY_RETRANS, 0);
}

T(a_time_out_begins_with_the_first_segment_and_anew_with_each_ack)
{
	static struct tt t;

	up(&t);
	tt_write(&t, 3000);
	ok(tt_pull(&t)); /* 5.1 */
	tt_ms(&t, 50);
	ok(tt_pull(&t));
	near_us((t.c.rtx_ns - t.now) / 1000, RTO_US - 50000);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE); /* 5.3 */
	near_us((t.c.rtx_ns - t.now) / 1000, tcp__rto_us(&t.c));
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE); /* 5.2 */
	eq(t.c.rtx_ns, PLX_NEVER);
	tt_down(&t);
}

T(it_doubles_and_ends)
{
	static struct tt t;
	int64_t total = 0;
	int n = 0;

	up(&t);
	tt_write(&t, 3000);
	eq(tt_drain(&t), 3);
	for (; !(t.events & PLX_TCP_EV_RESET); n++) {
		int64_t us = tt_timer(&t);

		total += us;
		near_us(us, PLX_MIN((int64_t)RTO_US << n, 120000000));
		if (t.events & PLX_TCP_EV_RESET)
			break;
		tt_out(&t, ". 1:1001(1000) ack 1"); /* 5.4 */
		tt_none(&t, CWND);
	}
	eq(n, 15); /* tcp_retries2 */
	ok(total > 924000000 && total < 940000000);
	eq(t.events, PLX_TCP_EV_RESET | PLX_TCP_EV_DOUBT);
	eq(t.c.err, ETIMEDOUT);
	eq(tt_stat(&t, TCPEXT_TCPABORTONTIMEOUT), 1);
	tt_down(&t);
}

/* RFC 9293 3.8.3, Linux's tcp_write_timeout(): how many time-outs until the way is doubted? */
static int doubted_after(int64_t retries1, bool wait)
{
	static struct tt t;
	int n = 0;

	tt_up(&t, .wait = wait);
	tt_tun(&t, TCP_EARLY_RETRANS, 0);
	tt_tun(&t, TCP_RETRIES1, retries1);
	tt_write(&t, 1000);
	tt_drain(&t);
	while (!(t.events & PLX_TCP_EV_DOUBT)) {
		eq(t.events, 0);
		tt_timer(&t);
		tt_drain(&t);
		n++;
	}
	t.events = 0;
	tt_timer(&t); /* and with each from there on */
	eq(t.events, PLX_TCP_EV_DOUBT);
	tt_down(&t);
	return n;
}

T(the_way_is_doubted_after_r1)
{
	eq(doubted_after(0, false), 2); /* 0.2 s */
	eq(doubted_after(3, false), 5); /* 3 s, from the first one on: .4, 1.3, 2.9, 6.3 */
	eq(doubted_after(5, false), 6); /* 12.6 s: 13 */
	eq(doubted_after(3, true), 2);	/* a SYN: at once */
}

T(what_icmp_said_is_told_in_the_end)
{
	static struct tt t;

	up(&t);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	eq(plx_tcp_error(&t.c, EHOSTUNREACH, false, tt_iss(&t) + 1, t.now), 0);
	while (!(t.events & PLX_TCP_EV_RESET)) {
		tt_timer(&t);
		tt_drain(&t);
	}
	eq(t.c.err, EHOSTUNREACH);
	tt_down(&t);
}

T(the_back_off_stays_until_there_is_a_sample)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	tt_tun(&t, TCP_EARLY_RETRANS, 0);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	tt_timer(&t);
	ok(tt_pull(&t));
	eq(t.c.backoff, 1);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE); /* Karn: of which one? */
	eq(t.c.backoff, 1);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	near_us((t.c.rtx_ns - t.now) / 1000, 2 * RTO_US);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE);
	eq(t.c.backoff, 0);
	tt_down(&t);
}

T(an_orphan_is_given_up_sooner)
{
	static struct tt t;
	int n = 0;

	up(&t);
	tt_write(&t, 1000);
	plx_tcp_close(&t.c, t.now);
	tt_drain(&t);
	for (; !(t.events & PLX_TCP_EV_RESET); n++) {
		tt_timer(&t);
		tt_drain(&t);
	}
	eq(n, 9); /* 8 times again */
	tt_down(&t);
}

/* RFC 5482: to the millisecond, not with the next retransmission. */
T(the_user_waits_so_long)
{
	static struct tt t;
	int64_t us = 0;

	up(&t);
	eq(plx_tcp_set_user_timeout(&t.c, 5000), 0);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	tt_timer(&t);
	tt_drain(&t);
	while (!t.events) {
		us += tt_timer(&t);
		tt_drain(&t);
	}
	near_us(us, 5000000); /* from the first retransmission */
	eq(t.c.err, ETIMEDOUT);
	tt_down(&t);
}

/* A timer that stands in for it does not put it off. */
T(the_reordering_windows_timer_does_not_put_it_off)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	tt_write(&t, 3000);
	eq(tt_drain(&t), 3);
	tt_ms(&t, 100);
	eq(tt_in(&t, ". ack 1 sack 1001:2001"), PLX_DROP_NONE);
	eq(t.c.rtx_kind, PLX_TCP_RTX_REO);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1001 sack 1001:2001"), PLX_DROP_NONE);
	tt_down(&t);
	tt_up(&t, .rtt_ms = 100);
	tt_write(&t, 2000);
	eq(tt_drain(&t), 2);
	t.c.rtx_kind = PLX_TCP_RTX_REO; /* one that finds nothing */
	t.c.rtx_ns = t.now + PLX_MS(50);
	tt_timer(&t);
	eq(t.c.rtx_kind, PLX_TCP_RTX_RTO);
	near_us((t.c.rtx_ns - t.now) / 1000, 300000 - 50000);
	tt_down(&t);
}

/* ---- tail loss probe (RFC 8985 7) ---- */

T(a_tail_is_probed_after_two_round_trips)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 40);
	tt_write(&t, 3000);
	eq(tt_drain(&t), 3);
	near_us(tt_timer(&t), 82000);
	tt_out(&t, "P 2001:3001(1000) ack 1");
	tt_none(&t, IDLE);
	eq(tt_stat(&t, TCPEXT_TCPLOSSPROBES), 1);
	eq(t.c.rtx_kind, PLX_TCP_RTX_RTO);
	near_us((t.c.rtx_ns - t.now) / 1000, 240000); /* 7.3: from now */
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	tt_down(&t);
}

T(a_lone_segment_is_given_time_for_a_delayed_ack)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 10);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	near_us(tt_timer(&t), RTO_US); /* not after the time-out, and in its stead */
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	tt_out(&t, "P 1:1001(1000) ack 1");
	tt_down(&t);
}

T(new_text_is_a_better_probe)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 40);
	tt_write(&t, 11000);
	eq(tt_drain(&t), 10);
	tt_timer(&t);
	tt_out(&t, "P 10001:11001(1000) ack 1"); /* although the window is full */
	tt_down(&t);
}

/* 7.4.2 */
T(what_a_probe_has_repaired_was_a_loss)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 40, .reno = true);
	tt_write(&t, 10000);
	eq(tt_drain(&t), 10);
	tt_timer(&t);
	ok(tt_pull(&t));
	tt_ms(&t, 40);
	eq(tt_in(&t, ". ack 10001"), PLX_DROP_NONE); /* not told which: perhaps both */
	eq(t.c.cwnd, 20);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	tt_ms(&t, 40);
	eq(tt_in(&t, ". ack 11001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPLOSSPROBERECOVERY), 1);
	eq(t.c.cwnd, 10);
	eq(t.c.ssthresh, 10);
	tt_down(&t);
}

T(a_dsack_of_the_probe_says_that_nothing_was_lost)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 40, .reno = true);
	tt_write(&t, 10000);
	eq(tt_drain(&t), 10);
	tt_timer(&t);
	ok(tt_pull(&t));
	eq(tt_in(&t, ". ack 10001"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 10001 sack 9001:10001"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	eq(tt_in(&t, ". ack 11001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPLOSSPROBERECOVERY), 0);
	ok(t.c.cwnd >= 10);
	tt_down(&t);
}

/* ---- zero-window probe (RFC 9293 3.8.6.1) ---- */

T(a_closed_window_is_asked_for_as_long_as_answers_come)
{
	static struct tt t;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	tt_none(&t, RWND);
	for (int i = 0; i < 40; i++) {
		near_us(tt_timer(&t), PLX_MIN((int64_t)RTO_US << PLX_MIN(i, 20), 120000000));
		eq(t.events, 0);
		tt_out(&t, ". 0:0(0) ack 1"); /* from before the window: it is answered */
		tt_none(&t, RWND);
		eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	}
	eq(tt_in(&t, ". ack 1 win 1000"), PLX_DROP_NONE);
	tt_out(&t, "P 1:1001(1000) ack 1");
	eq(t.c.backoff, 0);
	tt_down(&t);
}

T(without_answers_it_ends)
{
	static struct tt t;
	int n = 0;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	tt_drain(&t);
	for (; !t.events; n++) {
		tt_timer(&t);
		tt_drain(&t);
	}
	eq(n, 16);
	eq(t.c.err, ETIMEDOUT);
	tt_down(&t);
}

T(answers_do_not_hold_an_orphan_for_ever)
{
	static struct tt t;
	int n = 0;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	plx_tcp_close(&t.c, t.now);
	tt_drain(&t);
	for (; !t.events && n < 100; n++) {
		tt_timer(&t);
		tt_drain(&t);
		if (!t.events)
			eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	}
	ok(n >= 8 && n <= 12);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	tt_down(&t);
}

T(the_user_waits_so_long_for_a_window)
{
	static struct tt t;
	plx_ns begin;

	tt_up(&t, .no_wscale = true);
	eq(plx_tcp_set_user_timeout(&t.c, 3000), 0);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	begin = t.now;
	tt_write(&t, 1000);
	tt_drain(&t);
	while (!t.events) {
		tt_timer(&t);
		tt_drain(&t);
	}
	ok(t.now - begin >= PLX_SEC(3) && t.now - begin <= PLX_SEC(7));
	tt_down(&t);
}

T(what_fits_into_a_small_window_is_sent_in_time)
{
	static struct tt t;

	tt_up(&t, .no_wscale = true);
	eq(tt_in(&t, ". ack 1 win 300"), PLX_DROP_NONE);
	tt_write(&t, 1000);
	tt_none(&t, RWND);
	near_us(tt_timer(&t), RTO_US);
	tt_out(&t, "P 1:301(300) ack 1");
	eq(tt_stat(&t, TCPEXT_TCPWINPROBE), 0);
	eq(tcp__rto_us(&t.c), RTO_US); /* not doubled */
	tt_down(&t);
}

/* ---- keep-alive (RFC 9293 3.8.4) ---- */

T(an_idle_peer_is_asked_and_given_up)
{
	static struct tt t;

	tt_up(&t);
	eq(plx_tcp_set_keepalive(&t.c, true, 100, 10, 3, t.now), 0);
	near_us(tt_timer(&t), 100000000);
	tt_out(&t, ". 0:0(0) ack 1");
	eq(tt_in(&t, ". ack 1"), PLX_DROP_NONE); /* it lives */
	near_us(tt_timer(&t), 100000000);
	for (int i = 0; i < 3; i++) {
		tt_out(&t, ". 0:0(0) ack 1");
		near_us(tt_timer(&t), 10000000);
	}
	eq(t.events, PLX_TCP_EV_RESET);
	eq(t.c.err, ETIMEDOUT);
	tt_out(&t, "R 1:1(0) ack 1");
	tt_down(&t);
}

T(text_in_flight_asks_by_itself)
{
	static struct tt t;

	tt_up(&t);
	eq(plx_tcp_set_keepalive(&t.c, true, 1, 1, 3, t.now), 0);
	tt_write(&t, 100);
	ok(tt_pull(&t));
	t.c.rtx_ns = PLX_NEVER;
	near_us(tt_timer(&t), 1000000);
	eq(t.c.probes, 0);
	tt_none(&t, IDLE);
	tt_down(&t);
}

/* Linux's tcp_keepalive_timer(): since something came. */
T(the_user_waits_so_long_for_an_idle_peer)
{
	static struct tt t;

	tt_up(&t);
	eq(plx_tcp_set_keepalive(&t.c, true, 10, 10, 9, t.now), 0);
	eq(plx_tcp_set_user_timeout(&t.c, 15000), 0);
	near_us(tt_timer(&t), 10000000);
	ok(tt_pull(&t));
	near_us(tt_timer(&t), 10000000);
	eq(t.events, PLX_TCP_EV_RESET);
	tt_down(&t);
}

/* ---- FIN-WAIT-2 ---- */

T(an_orphan_does_not_wait_for_a_fin_for_ever)
{
	static struct tt t;

	tt_up(&t);
	eq(plx_tcp_set_keepalive(&t.c, true, 7, 7, 7, t.now), 0);
	plx_tcp_close(&t.c, t.now);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 2"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_FIN_WAIT_2);
	tt_ms(&t, 30000);
	eq(tt_in(&t, ". ack 2"), PLX_DROP_NONE); /* which does not prolong it */
	near_us(tt_timer(&t), 30000000);
	eq(t.events, PLX_TCP_EV_FIN_ACKED | PLX_TCP_EV_CLOSED);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	tt_none(&t, IDLE);
	tt_down(&t);
}

T(a_program_that_still_reads_may_wait)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_shutdown(&t.c, t.now);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 2"), PLX_DROP_NONE);
	eq(plx_tcp_deadline(&t.c), PLX_NEVER);
	tt_down(&t);
}

RUN(T_(a_syn_is_sent_again_at_doubled_intervals), T_(a_syn_ack_where_opens_cross_too),
	T_(the_user_waits_so_long_for_a_handshake),
	T_(a_syn_that_was_sent_again_gives_no_sample_and_a_small_window),
	T_(a_time_out_begins_with_the_first_segment_and_anew_with_each_ack),
	T_(it_doubles_and_ends), T_(the_way_is_doubted_after_r1),
	T_(what_icmp_said_is_told_in_the_end), T_(the_back_off_stays_until_there_is_a_sample),
	T_(an_orphan_is_given_up_sooner), T_(the_user_waits_so_long),
	T_(the_reordering_windows_timer_does_not_put_it_off),
	T_(a_tail_is_probed_after_two_round_trips),
	T_(a_lone_segment_is_given_time_for_a_delayed_ack), T_(new_text_is_a_better_probe),
	T_(what_a_probe_has_repaired_was_a_loss),
	T_(a_dsack_of_the_probe_says_that_nothing_was_lost),
	T_(a_closed_window_is_asked_for_as_long_as_answers_come), T_(without_answers_it_ends),
	T_(answers_do_not_hold_an_orphan_for_ever), T_(the_user_waits_so_long_for_a_window),
	T_(what_fits_into_a_small_window_is_sent_in_time), T_(an_idle_peer_is_asked_and_given_up),
	T_(text_in_flight_asks_by_itself), T_(the_user_waits_so_long_for_an_idle_peer),
	T_(an_orphan_does_not_wait_for_a_fin_for_ever), T_(a_program_that_still_reads_may_wait))
