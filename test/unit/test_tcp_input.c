/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* RFC 9293 3.10.7, step by step. */

/* ---- SYN-SENT (3.10.7.3) ---- */

T(syn_sent_an_ack_of_something_else_is_reset)
{
	static struct tt t;

	tt_up(&t, .wait = true, .no_ts = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, ". 5:5(0) ack 0"), PLX_DROP_TCP_ACK_FUTURE);
	tt_reply(&t, "R 0:0(0)");
	eq(tt_in(&t, "S 0:0(0) ack 2"), PLX_DROP_TCP_ACK_FUTURE);
	tt_reply(&t, "R 2:2(0)");
	eq(tt_in(&t, "R 0:0(0) ack 2"), PLX_DROP_TCP_RST_BAD_ACK);
	ok(!t.rx.reply);
	eq(t.c.id.state, PLX_TCP_SYN_SENT);
	tt_down(&t);
}

T(syn_sent_only_a_reset_that_acknowledges_the_syn_counts)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "R 0:0(0)"), PLX_DROP_TCP_RST_BAD_ACK);
	eq(t.c.id.state, PLX_TCP_SYN_SENT);
	eq(tt_in(&t, "R 0:0(0) ack 1"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(t.c.err, ECONNREFUSED);
	eq(tt_stat(&t, TCP_ATTEMPTFAILS), 1);
	tt_none(&t, IDLE);
	tt_down(&t);
}

T(syn_sent_an_ack_without_syn_says_nothing)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, ". 0:0(0) ack 1"), PLX_DROP_TCP_FLAGS);
	eq(tt_in(&t, "F 0:0(0)"), PLX_DROP_TCP_FLAGS);
	eq(t.c.id.state, PLX_TCP_SYN_SENT);
	tt_down(&t);
}

T(syn_sent_a_strange_echo_is_reset)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	tt_ms(&t, 10);
	eq(tt_in(&t, "S 0:0(0) ack 1 ts 7 ecr 99000"), PLX_DROP_TCP_PAWS);
	tt_reply(&t, "R 1:1(0)");
	eq(tt_stat(&t, TCPEXT_PAWSACTIVE), 1);
	eq(tt_in(&t, "S 0:0(0) ack 1 ts 7 ecr 100000 mss 500"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	eq(t.c.snd.mss, 488);
	tt_down(&t);
}

T(the_options_that_both_ends_have_named_count)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	tt_out(&t, "S 0:0(0) win 64240 mss 1460 wscale 7 sackok ts 100000 ecr 0");
	tt_ms(&t, 10);
	eq(tt_in(&t, "S 0:0(0) ack 1 win 1000"), PLX_DROP_NONE);
	/* t.c.ts_ok made the driver send a timestamp, but no wscale, no SACK, no MSS */
	ok(t.c.ts_ok && !t.c.sack_ok && !t.c.wscale_ok);
	eq(t.c.rcv_wscale, 0);
	eq(t.c.snd.mss, 536 - 12);
	eq(t.c.snd.wnd, 1000);
	eq(t.rx.events, PLX_TCP_EV_ESTABLISHED);
	ok(t.c.ack_now && !t.rx.ack_now); /* what the program sends at once may have the ACK */
	tt_down(&t);
	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0) ack 1 mss 1460 nots wscale 15 sackok"), PLX_DROP_NONE);
	ok(!t.c.ts_ok && t.c.sack_ok && t.c.wscale_ok);
	eq(t.c.snd_wscale, 14); /* RFC 7323 2.3 */
	eq(t.c.snd.wnd, 65535); /* not scaled in a SYN */
	tt_down(&t);
}

/* RFC 9293 3.5, figure 7. */
T(two_opens_that_cross_become_one_connection)
{
	static struct tt t;

	tt_up(&t, .wait = true, .no_ts = true);
	ok(tt_pull(&t));
	tt_ms(&t, 5);
	eq(tt_in(&t, "S 0:0(0) mss 1000"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_SYN_RECEIVED);
	tt_out(&t, "S 0:0(0) ack 1 mss 1460");
	tt_none(&t, IDLE);
	tt_ms(&t, 5);
	eq(tt_in(&t, "S 0:0(0) ack 1 mss 1000"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	eq(t.rx.events, PLX_TCP_EV_ESTABLISHED);
	eq(t.c.rtt.srtt8_us, 0); /* which of two SYNs was it? (Karn) */
	tt_write(&t, 10);
	tt_out(&t, "P 1:11(10) ack 1");
	tt_down(&t);
}

T(crossed_opens_end_by_a_plain_ack_too_and_not_by_a_wrong_one)
{
	static struct tt t;

	tt_up(&t, .wait = true, .no_ts = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0) mss 1000"), PLX_DROP_NONE);
	tt_out(&t, "S 0:0(0) ack 1");
	eq(tt_in(&t, ". 1:1(0) ack 0"), PLX_DROP_TCP_ACK_FUTURE);
	tt_reply(&t, "R 0:0(0)");
	eq(tt_in(&t, ". 1:1(0) ack 2"), PLX_DROP_TCP_ACK_FUTURE);
	tt_reply(&t, "R 2:2(0)");
	eq(tt_in(&t, "S 0:0(0)"), PLX_DROP_TCP_SYN_BLIND);
	eq(t.c.id.state, PLX_TCP_SYN_RECEIVED);
	eq(tt_in(&t, ". 1:11(10) ack 1"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_ESTABLISHED | PLX_TCP_EV_READABLE);
	tt_down(&t);
}

/* Text rides behind a SYN's number. It may be left to be sent again, but not put a byte off. */
T(text_of_a_syn_ack_is_not_misplaced)
{
	static struct tt t;

	tt_up(&t, .wait = true, .no_ts = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0)"), PLX_DROP_NONE);
	tt_out(&t, "S 0:0(0) ack 1");
	eq(tt_in(&t, "S 0:5(5) ack 1"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	eq(t.rx.n_keep, 0);
	eq(t.rx.ready, 0);
	eq(t.c.rcv.nxt - TT_IRS, 1);
	tt_down(&t);
}

T(a_reset_ends_crossed_opens)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0)"), PLX_DROP_NONE);
	ok(tt_pull(&t));
	eq(tt_in(&t, "R 1:1(0) ack 1"), PLX_DROP_NONE);
	eq(t.c.err, ECONNREFUSED);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	tt_down(&t);
}

/* ---- first: the sequence number ---- */

T(what_lies_outside_of_the_window_is_answered)
{
	static struct tt t;
	uint32_t wnd;
	char s[64];

	tt_up(&t, .no_ts = true);
	wnd = tcp__rcv_wnd(&t.c);
	sprintf(s, ". %u:%u(10) ack 1", wnd + 2, wnd + 12);
	eq(tt_in(&t, s), PLX_DROP_TCP_SEQ_OUT);
	ok(t.rx.ack_now);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(t.rx.n_keep, 0);
	/* text is answered each time */
	eq(tt_in(&t, s), PLX_DROP_TCP_SEQ_OUT);
	tt_out(&t, ". 1:1(0) ack 1");
	tt_down(&t);
}

/* Or two that are out of step answer each other for ever. */
T(what_is_empty_and_outside_is_answered_twice_a_second)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(tt_in(&t, ". 1000001:1000001(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, ". 1000001:1000001(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_none(&t, IDLE);
	eq(tt_stat(&t, TCPEXT_TCPACKSKIPPEDSEQ), 1);
	tt_ms(&t, 499);
	eq(tt_in(&t, ". 1000001:1000001(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_none(&t, IDLE);
	tt_ms(&t, 1);
	eq(tt_in(&t, ". 1000001:1000001(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_out(&t, ". 1:1(0) ack 1");
	/* a FIN takes room: no part of such a loop (Linux's tcp_oow_rate_limited()) */
	eq(tt_in(&t, "F 1000001:1000001(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_out(&t, ". 1:1(0) ack 1");
	tt_down(&t);
}

T(text_that_was_acknowledged_is_reported_as_a_duplicate)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1001");
	eq(tt_in(&t, ". 1:501(500) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	tt_out(&t, ". 1:1(0) ack 1001 sack 1:501"); /* RFC 2883 4 */
	eq(tt_stat(&t, TCPEXT_TCPDSACKOLDSENT), 1);
	tt_down(&t);
}

T(a_closed_window_takes_acks_and_no_text)
{
	static struct tt t;
	char s[64];

	tt_up(&t, .no_ts = true, .rcv_buf = 4096);
	tt_write(&t, 100);
	tt_out(&t, "P 1:101(100) ack 1");
	while (tcp__rcv_wnd(&t.c)) {
		uint32_t at = t.c.rcv.nxt - TT_IRS, n = PLX_MIN(tcp__rcv_wnd(&t.c), 1000u);

		sprintf(s, ". %u:%u(%u) ack 1", at, at + n, n);
		eq(tt_in(&t, s), PLX_DROP_NONE);
		tt_drain(&t);
	}
	eq(tt_in(&t, ". ack 101"), PLX_DROP_NONE);
	eq(t.rx.acked, 100);
	sprintf(s, ". %u:%u(1) ack 101", t.c.rcv.nxt - TT_IRS, t.c.rcv.nxt - TT_IRS + 1);
	eq(tt_in(&t, s), PLX_DROP_TCP_TEXT_OVERRUN);
	ok(t.rx.ack_now && !t.rx.n_keep);
	eq(tt_stat(&t, TCPEXT_TCPZEROWINDOWDROP), 1);
	tt_down(&t);
}

/* ---- PAWS (RFC 7323 5) ---- */

T(an_old_timestamp_drops_text_and_answers)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:101(100) ack 1 ts 200000 ecr 100000"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 101:201(100) ack 1 ts 199999 ecr 100000"), PLX_DROP_TCP_PAWS);
	eq(tt_stat(&t, TCPEXT_PAWSESTAB), 1);
	tt_out(&t, ". 1:1(0) ack 101");
	eq(tt_in(&t, ". 101:201(100) ack 1 ts 200000 ecr 100000"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 201:301(100) ack 1 ts 200001 ecr 100000"), PLX_DROP_NONE);
	eq(t.rx.ready, 100);
	tt_down(&t);
}

T(a_reset_is_not_judged_by_its_timestamp)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "R 1:1(0) ts 1 ecr 0"), PLX_DROP_NONE); /* RFC 7323 5.2 */
	eq(t.c.id.state, PLX_TCP_CLOSED);
	tt_down(&t);
}

T(after_24_days_a_timestamp_is_trusted_no_more)
{
	static struct tt t;

	tt_up(&t);
	t.now += PLX_SEC(24 * 86400) + PLX_SEC(1);
	eq(tt_in(&t, ". 1:101(100) ack 1 ts 1000 ecr 100000"), PLX_DROP_NONE);
	eq(t.c.rcv.ts_recent, 1000);
	tt_down(&t);
}

/* Some send 0 in their SYN, and a clock behind it afterwards (Linux's tcp_paws_check()). */
T(a_first_timestamp_of_zero_says_nothing)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0) ack 1 ts 0 ecr 0 mss 1000"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". 1:101(100) ack 1 ts 3000000000 ecr 100000"), PLX_DROP_NONE);
	eq(t.rx.ready, 100);
	eq(t.c.rcv.ts_recent, 3000000000u);
	tt_down(&t);
}

T(an_ack_that_was_overtaken_is_no_attack)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". ack 1 ts 105100 ecr 100000"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 1 ts 105050 ecr 100000"), PLX_DROP_NONE);
	eq(t.c.rcv.ts_recent, 105100);
	eq(tt_in(&t, ". ack 1 ts 100 ecr 100000"), PLX_DROP_TCP_PAWS);
	tt_down(&t);
}

/* RFC 7323 4.3: of the segment in which the last ACK's edge lies. */
T(what_is_echoed_is_the_first_of_what_was_not_acknowledged)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:101(100) ack 1 ts 200001 ecr 0"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 101:201(100) ack 1 ts 200002 ecr 0"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 201 ts 100010 ecr 200001");
	eq(tt_in(&t, ". 301:401(100) ack 1 ts 200003 ecr 0"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 201 sack 301:401 ts 100010 ecr 200001");
	tt_down(&t);
}

/* ---- second: RST (RFC 5961 3.2) ---- */

T(a_reset_must_hit_rcv_nxt)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(tt_in(&t, "R 2:2(0)"), PLX_DROP_TCP_RST_BLIND);
	eq(tt_stat(&t, TCPEXT_TCPCHALLENGEACK), 1);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, "R 2:2(0)"), PLX_DROP_TCP_RST_BLIND);
	tt_none(&t, IDLE);
	eq(tt_stat(&t, TCPEXT_TCPACKSKIPPEDCHALLENGE), 1);
	eq(tt_in(&t, "R 0:0(0)"), PLX_DROP_TCP_SEQ_OUT);
	eq(tt_in(&t, "R 1000000:1000000(0)"), PLX_DROP_TCP_SEQ_OUT);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	tt_ms(&t, 500);
	eq(tt_in(&t, "R 1:1(0)"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	eq(t.c.err, ECONNRESET);
	eq(tt_stat(&t, TCP_ESTABRESETS), 1);
	tt_down(&t);
}

T(challenges_are_limited_for_all_together)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	tt_tun(&t, TCP_CHALLENGE_ACK_LIMIT, 1);
	tt_tun(&t, TCP_INVALID_RATELIMIT, 0);
	eq(tt_in(&t, "R 2:2(0)"), PLX_DROP_TCP_RST_BLIND);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, "R 2:2(0)"), PLX_DROP_TCP_RST_BLIND);
	tt_none(&t, IDLE);
	tt_ms(&t, 1000);
	eq(tt_in(&t, "R 2:2(0)"), PLX_DROP_TCP_RST_BLIND);
	tt_out(&t, ". 1:1(0) ack 1");
	tt_down(&t);
}

T(a_reset_may_hit_the_edge_of_what_was_sacked)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 1 sack 1001:2001");
	eq(tt_in(&t, "R 1001:1001(0)"), PLX_DROP_TCP_RST_BLIND);
	eq(tt_in(&t, "R 2001:2001(0)"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	tt_down(&t);
}

/* Some reset where their FIN was (Linux's tcp_reset_check()). */
T(after_a_fin_a_reset_may_hit_the_byte_before)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(tt_in(&t, "R 0:0(0)"), PLX_DROP_TCP_SEQ_OUT);
	eq(tt_in(&t, "F 1:1(0) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 2");
	eq(tt_in(&t, "R 1:1(0)"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(t.c.err, EPIPE);
	tt_down(&t);
}

/* ---- fourth: SYN (RFC 5961 4) ---- */

T(a_syn_is_challenged_wherever_it_lies)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	tt_tun(&t, TCP_INVALID_RATELIMIT, 0);
	eq(tt_in(&t, "S 500:500(0)"), PLX_DROP_TCP_SYN_BLIND);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, "S 1000000:1000000(0)"), PLX_DROP_TCP_SYN_BLIND);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_in(&t, "S 0:0(0) ack 1"), PLX_DROP_TCP_SYN_BLIND);
	tt_out(&t, ". 1:1(0) ack 1");
	eq(tt_stat(&t, TCPEXT_TCPSYNCHALLENGE), 3);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	tt_down(&t);
}

/* ---- fifth: ACK ---- */

T(without_ack_a_segment_is_dropped)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:101(100)"), PLX_DROP_TCP_NO_ACK);
	eq(t.c.rcv.nxt - TT_IRS, 1);
	tt_down(&t);
}

T(an_ack_of_what_was_never_sent_is_challenged)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(tt_in(&t, ". 1:101(100) ack 2"), PLX_DROP_TCP_ACK_FUTURE);
	eq(t.rx.n_keep, 0);
	tt_out(&t, ". 1:1(0) ack 1");
	tt_down(&t);
}

/* RFC 5961 5: one that lies more than the largest window behind. */
T(an_ack_far_behind_is_challenged_and_its_text_dropped)
{
	static struct tt t;

	tt_up(&t, .no_ts = true, .win = 2000);
	for (int i = 0; i < 3; i++) {
		char s[32];

		tt_write(&t, 1000);
		ok(tt_pull(&t));
		sprintf(s, ". ack %d", 1001 + 1000 * i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
	}
	eq(tt_in(&t, ". 1:101(100) ack 1000"), PLX_DROP_TCP_ACK_OLD);
	eq(t.rx.n_keep, 0);
	eq(tt_stat(&t, TCPEXT_TCPCHALLENGEACK), 1);
	eq(tt_in(&t, ". 1:101(100) ack 1001"), PLX_DROP_NONE); /* as old as may be */
	eq(t.rx.ready, 100);
	eq(tt_rel(&t, t.c.snd.una), 3001);
	tt_down(&t);
}

T(an_ack_forgets_a_soft_error)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 100);
	ok(tt_pull(&t));
	eq(plx_tcp_error(&t.c, EHOSTUNREACH, false, tt_iss(&t) + 1, t.now), 0);
	eq(t.c.cold->soft_err, EHOSTUNREACH);
	eq(t.c.err, 0);
	eq(tt_in(&t, ". ack 101"), PLX_DROP_NONE);
	eq(t.c.cold->soft_err, 0); /* Linux's tcp_ack() */
	tt_down(&t);
}

/* RFC 9293 3.10.7.4: SND.WL1, SND.WL2. */
T(an_older_segment_does_not_set_the_window)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(tt_in(&t, ". 1:101(100) ack 1 win 1000"), PLX_DROP_NONE);
	eq(t.c.snd.wnd, 1000);
	eq(tt_in(&t, ". 1:101(100) ack 1 win 500"), PLX_DROP_TCP_TEXT_OLD);
	eq(t.c.snd.wnd, 1000); /* of the same number: only what is larger (Linux) */
	eq(tt_in(&t, ". 101:201(100) ack 1 win 700"), PLX_DROP_NONE);
	eq(t.c.snd.wnd, 700);
	eq(tt_in(&t, ". 1:101(100) ack 1 win 5000"), PLX_DROP_TCP_TEXT_OLD);
	eq(t.c.snd.wnd, 700);
	tt_down(&t);
}

/* ---- sixth: URG ---- */

T(the_urgent_pointer_is_told_once)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "U 1:101(100) ack 1 urg 50"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_URGENT | PLX_TCP_EV_READABLE);
	eq(t.c.cold->rcv_up - TT_IRS, 51);
	eq(tt_in(&t, "U 101:201(100) ack 1 urg 0"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_READABLE);
	eq(tt_in(&t, "U 201:301(100) ack 1 urg 100"), PLX_DROP_NONE);
	ok(t.rx.events & PLX_TCP_EV_URGENT);
	plx_tcp_read(&t.c, 300, t.now);
	eq(tt_in(&t, "U 301:401(100) ack 1"), PLX_DROP_NONE);
	ok(!(t.rx.events & PLX_TCP_EV_URGENT));
	tt_down(&t);
}

/* ---- seventh and eighth: text, FIN; the ends (RFC 9293 3.6) ---- */

T(text_becomes_readable)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "P 1:101(100) ack 1"), PLX_DROP_NONE);
	eq(t.rx.n_keep, 1);
	eq(t.rx.keep[0].len, 100);
	eq(t.rx.events, PLX_TCP_EV_READABLE);
	eq(plx_tcp_readable(&t.c), 100);
	plx_tcp_read(&t.c, 60, t.now);
	eq(plx_tcp_readable(&t.c), 40);
	tt_down(&t);
}

T(a_fin_ends_the_stream_and_waits_for_ours)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, "F 1:101(100) ack 1"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_READABLE | PLX_TCP_EV_FIN);
	eq(t.c.id.state, PLX_TCP_CLOSE_WAIT);
	eq(plx_tcp_readable(&t.c), 100);
	tt_out(&t, ". 1:1(0) ack 102");
	/* text behind it, and the FIN again */
	eq(tt_in(&t, ". 102:112(10) ack 1"), PLX_DROP_TCP_TEXT_AFTER_FIN);
	tt_out(&t, ". 1:1(0) ack 102");
	eq(tt_in(&t, "F 101:101(0) ack 1"), PLX_DROP_TCP_TEXT_OLD);
	tt_out(&t, ". 1:1(0) ack 102 sack 101:102");
	plx_tcp_shutdown(&t.c, t.now);
	eq(t.c.id.state, PLX_TCP_LAST_ACK);
	tt_out(&t, "F 1:1(0) ack 102");
	/* the last ACK is of use: it is no drop */
	eq(tt_in(&t, ". 102:102(0) ack 2"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_FIN_ACKED | PLX_TCP_EV_CLOSED);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(t.c.err, 0);
	tt_down(&t);
}

T(we_end_first)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_shutdown(&t.c, t.now);
	eq(t.c.id.state, PLX_TCP_FIN_WAIT_1);
	tt_out(&t, "F 1:1(0) ack 1");
	eq(tt_in(&t, ". ack 2"), PLX_DROP_NONE);
	eq(t.rx.events, PLX_TCP_EV_FIN_ACKED);
	eq(t.c.id.state, PLX_TCP_FIN_WAIT_2);
	eq(tt_in(&t, ". 1:101(100) ack 2"), PLX_DROP_NONE);
	eq(t.rx.ready, 100);
	eq(tt_in(&t, "F 101:101(0) ack 2"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_TIME_WAIT);
	eq(t.rx.events, PLX_TCP_EV_FIN | PLX_TCP_EV_TIME_WAIT);
	tt_out(&t, ". 2:2(0) ack 102");
	tt_down(&t);
}

T(fin_and_the_ack_of_ours_in_one_segment)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_shutdown(&t.c, t.now);
	ok(tt_pull(&t));
	eq(tt_in(&t, "F ack 2"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_TIME_WAIT);
	eq(t.rx.events, PLX_TCP_EV_FIN_ACKED | PLX_TCP_EV_FIN | PLX_TCP_EV_TIME_WAIT);
	tt_down(&t);
}

T(two_closes_cross)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_shutdown(&t.c, t.now);
	ok(tt_pull(&t));
	eq(tt_in(&t, "F ack 1"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_CLOSING);
	tt_out(&t, ". 2:2(0) ack 2");
	eq(tt_in(&t, ". ack 2"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_TIME_WAIT);
	eq(t.rx.events, PLX_TCP_EV_FIN_ACKED | PLX_TCP_EV_TIME_WAIT);
	tt_down(&t);
}

T(text_for_a_program_that_is_gone_is_reset)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	plx_tcp_close(&t.c, t.now);
	tt_out(&t, "F 1:1(0) ack 1");
	eq(tt_in(&t, "P 1:101(100) ack 2"), PLX_DROP_TCP_TEXT_CLOSED);
	tt_reply(&t, "R 2:2(0)");
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(tt_stat(&t, TCPEXT_TCPABORTONDATA), 1);
	tt_down(&t);
}

T(closed_answers_all_but_resets_by_a_reset)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	plx_tcp_abort(&t.c, t.now);
	tt_out(&t, "R 1:1(0) ack 1");
	tt_none(&t, IDLE);
	eq(tt_in(&t, ". 1:11(10) ack 1"), PLX_DROP_TCP_CLOSED);
	tt_reply(&t, "R 1:1(0)");
	eq(tt_in(&t, "F 1:11(10)"), PLX_DROP_TCP_CLOSED);
	tt_reply(&t, "R 8192:8192(0) ack 12");
	eq(tt_in(&t, "R 1:1(0)"), PLX_DROP_TCP_CLOSED);
	ok(!t.rx.reply);
	tt_down(&t);
}

/* ---- ECN (RFC 3168 6.1.3) ---- */

T(congestion_is_echoed_until_the_sender_has_reduced)
{
	static struct tt t;

	tt_up(&t, .ecn = true);
	ok(t.c.ecn_ok);
	eq(tt_in(&t, ". 1:1001(1000) ack 1 ce"), PLX_DROP_NONE);
	ok(t.rx.ack_now);
	tt_out(&t, "E 1:1(0) ack 1001");
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 2001:3001(1000) ack 1"), PLX_DROP_NONE);
	tt_out(&t, "E 1:1(0) ack 3001");
	eq(tt_in(&t, "W 3001:4001(1000) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". 4001:5001(1000) ack 1"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1(0) ack 5001");
	/* CWR and CE in one: anew */
	eq(tt_in(&t, "W 5001:6001(1000) ack 1 ce"), PLX_DROP_NONE);
	tt_out(&t, "E 1:1(0) ack 6001");
	tt_down(&t);
}

RUN(T_(syn_sent_an_ack_of_something_else_is_reset),
	T_(syn_sent_only_a_reset_that_acknowledges_the_syn_counts),
	T_(syn_sent_an_ack_without_syn_says_nothing), T_(syn_sent_a_strange_echo_is_reset),
	T_(the_options_that_both_ends_have_named_count),
	T_(two_opens_that_cross_become_one_connection),
	T_(crossed_opens_end_by_a_plain_ack_too_and_not_by_a_wrong_one),
	T_(text_of_a_syn_ack_is_not_misplaced), T_(a_reset_ends_crossed_opens),
	T_(what_lies_outside_of_the_window_is_answered),
	T_(what_is_empty_and_outside_is_answered_twice_a_second),
	T_(text_that_was_acknowledged_is_reported_as_a_duplicate),
	T_(a_closed_window_takes_acks_and_no_text), T_(an_old_timestamp_drops_text_and_answers),
	T_(a_reset_is_not_judged_by_its_timestamp),
	T_(after_24_days_a_timestamp_is_trusted_no_more),
	T_(a_first_timestamp_of_zero_says_nothing), T_(an_ack_that_was_overtaken_is_no_attack),
	T_(what_is_echoed_is_the_first_of_what_was_not_acknowledged), T_(a_reset_must_hit_rcv_nxt),
	T_(challenges_are_limited_for_all_together),
	T_(a_reset_may_hit_the_edge_of_what_was_sacked),
	T_(after_a_fin_a_reset_may_hit_the_byte_before), T_(a_syn_is_challenged_wherever_it_lies),
	T_(without_ack_a_segment_is_dropped), T_(an_ack_of_what_was_never_sent_is_challenged),
	T_(an_ack_far_behind_is_challenged_and_its_text_dropped), T_(an_ack_forgets_a_soft_error),
	T_(an_older_segment_does_not_set_the_window), T_(the_urgent_pointer_is_told_once),
	T_(text_becomes_readable), T_(a_fin_ends_the_stream_and_waits_for_ours), T_(we_end_first),
	T_(fin_and_the_ack_of_ours_in_one_segment), T_(two_closes_cross),
	T_(text_for_a_program_that_is_gone_is_reset), T_(closed_answers_all_but_resets_by_a_reset),
	T_(congestion_is_echoed_until_the_sender_has_reduced))
