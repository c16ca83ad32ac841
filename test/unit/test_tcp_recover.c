/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* n segments of 1000 bytes are in flight, sent in one burst. */
static void flight(struct tt *t, uint32_t n)
{
	t->c.cwnd = PLX_MAX(t->c.cwnd, n);
	tt_write(t, n * 1000);
	eq(tt_drain(t), n);
}

/* ---- entering: SACK ---- */

T(three_sacks_begin_a_recovery)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	flight(&t, 10);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 1001:2001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_DISORDER);
	tt_write(&t, 2000);
	tt_out(&t, ". 10001:11001(1000) ack 1"); /* limited transmit (RFC 3042) */
	tt_none(&t, CWND);
	eq(tt_in(&t, ". ack 1 sack 1001:3001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_DISORDER);
	tt_out(&t, "P 11001:12001(1000) ack 1");
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	eq(t.c.lost_out, 1);
	eq(t.c.ssthresh, 5);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(tt_stat(&t, TCPEXT_TCPSACKRECOVERY), 1);
	eq(tt_stat(&t, TCPEXT_TCPFASTRETRANS), 1);
	/* RecoveryPoint: all that was sent when it began */
	eq(tt_in(&t, ". ack 4001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	eq(tt_in(&t, ". ack 11001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	eq(tt_in(&t, ". ack 12001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	ok(t.c.cwnd == 5 || t.c.cwnd == 6); /* ssthresh, and what this ACK adds */
	tt_down(&t);
}

/* RFC 8985 6.2: less than three, but later than the reordering window. */
T(fewer_sacks_wait_for_the_reordering_window)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	flight(&t, 2);
	tt_ms(&t, 100);
	eq(tt_in(&t, ". ack 1 sack 1001:2001"), PLX_DROP_NONE);
	tt_none(&t, IDLE);
	eq(t.c.rtx_kind, PLX_TCP_RTX_REO);
	ok(plx_tcp_deadline(&t.c) - t.now >= PLX_US(24000));
	ok(plx_tcp_deadline(&t.c) - t.now <= PLX_US(26000)); /* min_rtt / 4 */
	tt_timer(&t);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_down(&t);
}

/* ---- entering: duplicate ACKs (RFC 6582) ---- */

T(three_duplicates_begin_a_recovery_and_each_partial_ack_repairs_one)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_sack = true, .no_ts = true);
	flight(&t, 10);
	eq(tt_in(&t, ". ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 1"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_DISORDER);
	tt_none(&t, IDLE);
	eq(tt_in(&t, ". ack 1"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	eq(t.c.ssthresh, 5);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_none(&t, IDLE);
	eq(tt_in(&t, ". ack 5001"), PLX_DROP_NONE);
	tt_out(&t, ". 5001:6001(1000) ack 1");
	tt_none(&t, IDLE);
	eq(tt_in(&t, ". ack 10001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY); /* until more than RecoveryPoint is acknowledged (RFC 6582
					    4) */
	tt_write(&t, 1000);
	tt_out(&t, "P 10001:11001(1000) ack 1");
	eq(tt_in(&t, ". ack 11001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	ok(t.c.cwnd == 5 || t.c.cwnd == 6); /* ssthresh, and what this ACK adds */
	tt_down(&t);
}

/* RFC 9293 3.10.7.4, RFC 5681 2: what brings text or another window is no duplicate ACK. */
T(text_and_window_updates_are_no_duplicates)
{
	static struct tt t;

	tt_up(&t, .no_sack = true);
	flight(&t, 5);
	eq(tt_in(&t, ". ack 1"), PLX_DROP_NONE); /* this is one */
	eq(t.c.ca, PLX_TCP_CA_DISORDER);
	for (int i = 0; i < 5; i++) {
		char s[64];

		sprintf(s, ". %d:%d(10) ack 1", 1 + 10 * i, 11 + 10 * i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
		sprintf(s, ". ack 1 win %d", 60000 + i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
	}
	eq(t.c.sacked_out, 1);
	eq(t.c.ca, PLX_TCP_CA_DISORDER);
	tt_down(&t);
}

/* ---- SACK blocks ---- */

T(a_block_cuts_whole_segments_only)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 2501:4501"), PLX_DROP_NONE);
	eq(t.c.sacked_out, 1); /* 3001:4001 */
	eq(t.c.snd.run_n, 3);
	tt_down(&t);
}

T(blocks_that_cannot_be_are_not_believed)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 5);
	eq(tt_in(&t, ". ack 1 sack 4001:6001"), PLX_DROP_NONE); /* never sent */
	eq(tt_in(&t, ". ack 1 sack 3001:2001"), PLX_DROP_NONE); /* the wrong way round */
	eq(tt_in(&t, ". ack 1 sack 1:1001"), PLX_DROP_NONE);	/* it would be acknowledged */
	eq(tt_stat(&t, TCPEXT_TCPSACKDISCARD), 3);
	eq(t.c.sacked_out, 0);
	tt_down(&t);
}

T(an_old_ack_may_bring_news)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 6);
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 1001 sack 3001:4001"), PLX_DROP_NONE);
	eq(t.c.sacked_out, 1);
	tt_down(&t);
}

/* RFC 2018 8. */
T(who_takes_a_sack_back_is_sent_all_again)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 5);
	eq(tt_in(&t, ". ack 1 sack 1001:5001"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE); /* and not 5001? */
	tt_timer(&t);
	eq(tt_stat(&t, TCPEXT_TCPSACKRENEGING), 1);
	eq(t.c.sacked_out, 0);
	eq(t.c.lost_out, 4);
	tt_out(&t, ". 1001:2001(1000) ack 1");
	tt_down(&t);
}

/* ---- RACK (RFC 8985) ---- */

T(a_lost_retransmission_is_found)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	flight(&t, 10);
	tt_ms(&t, 100);
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 1);
	tt_write(&t, 3000);
	t.c.cwnd = 20;
	eq(tt_drain(&t), 3);
	tt_ms(&t, 100);
	/* what was sent behind it has arrived */
	eq(tt_in(&t, ". ack 1 sack 1001:13001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPLOSTRETRANSMIT), 1);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_down(&t);
}

T(the_reordering_window_grows_with_dsacks_once_a_round_trip)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100); /* its ISN lies in the upper half */
	t.c.reord_seen = true;
	eq(tcp__rack_reo_wnd_us(&t.c), 25000);
	flight(&t, 10);
	tt_ms(&t, 100);
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	tt_ms(&t, 30);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 4001 sack 1:1001"), PLX_DROP_NONE);
	eq(t.c.rack_steps, 2);
	eq(tcp__rack_reo_wnd_us(&t.c), 50000);
	t.c.cold->total_retrans = 10;
	eq(tt_in(&t, ". ack 5001 sack 1:1001"), PLX_DROP_NONE); /* the same round trip */
	eq(t.c.rack_steps, 2);
	t.c.rack_steps = 200;
	ok(tcp__rack_reo_wnd_us(&t.c) <= t.c.rtt.srtt8_us >> 3);
	tt_down(&t);
}

T(without_reordering_there_is_no_window_in_recovery)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	eq(tcp__rack_reo_wnd_us(&t.c), 25000);
	t.c.ca = PLX_TCP_CA_RECOVERY;
	eq(tcp__rack_reo_wnd_us(&t.c), 0);
	t.c.ca = PLX_TCP_CA_OPEN;
	t.c.sacked_out = 3;
	eq(tcp__rack_reo_wnd_us(&t.c), 0);
	tt_tun(&t, TCP_RECOVERY, 5); /* without that threshold */
	eq(tcp__rack_reo_wnd_us(&t.c), 25000);
	t.c.sacked_out = 0;
	tt_down(&t);
}

T(reordering_is_noticed)
{
	static struct tt t;

	tt_up(&t, .rtt_ms = 100);
	flight(&t, 10);
	tt_ms(&t, 100);
	eq(tt_in(&t, ". ack 1 sack 5001:6001"), PLX_DROP_NONE);
	ok(!t.c.reord_seen);
	eq(tt_in(&t, ". ack 6001"), PLX_DROP_NONE); /* five segments late, none sent twice */
	ok(t.c.reord_seen);
	eq(t.c.reordering, 6);
	eq(tt_stat(&t, TCPEXT_TCPSACKREORDER), 1);
	tt_down(&t);
}

/* ---- PRR (RFC 6937) ---- */

static uint32_t prr(
	struct tt *t, uint32_t flight_now, uint32_t delivered, uint32_t lost, uint32_t flags)
{
	t->c.packets_out = flight_now;
	tcp__prr(&t->c, delivered, lost, flags);
	return t->c.cwnd - flight_now;
}

T(prr_reduces_in_proportion_and_then_up_to_the_bound)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	t.c.cwnd = 20;
	tcp__prr_init(&t.c);
	eq(t.c.ssthresh, 10);
	eq(t.c.rec.prior_cwnd, 20);
	/* one for each two that are delivered, beginning with the retransmission itself */
	eq(prr(&t, 19, 1, 1, 0), 1);
	t.c.rec.prr_out = 1;
	eq(prr(&t, 18, 1, 0, 0), 0);
	eq(prr(&t, 17, 1, 0, 0), 1);
	t.c.rec.prr_out = 2;
	eq(prr(&t, 16, 2, 0, 0), 1);
	t.c.rec.prr_out = 3;
	/* below ssthresh: as much as was delivered; one more when it goes well, none too many */
	eq(prr(&t, 4, 2, 1, ACK_ADVANCED), 4);
	t.c.rec.prr_out = 7;
	eq(prr(&t, 5, 1, 0, ACK_ADVANCED), 2);
	t.c.rec.prr_out = 0;
	eq(prr(&t, 8, 1, 0, ACK_ADVANCED), 2);
	/* nothing delivered: nothing changes */
	t.c.cwnd = 77;
	tcp__prr(&t.c, 0, 0, 0);
	eq(t.c.cwnd, 77);
	t.c.packets_out = 0;
	tt_down(&t);
}

/* ---- undo ---- */

T(an_echo_from_before_the_retransmission_undoes)
{
	static struct tt t;

	tt_up(&t, .reno = true); /* RFC 3522 */
	flight(&t, 10);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 1);
	eq(tt_in(&t, ". ack 10001 ts 105100 ecr 100010"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	ok(t.c.cwnd >= 10);
	ok(t.c.ssthresh > 1000);
	eq(tt_stat(&t, TCPEXT_TCPFULLUNDO), 1);
	tt_down(&t);
}

T(an_echo_of_the_retransmission_does_not)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	flight(&t, 10);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 10001 ts 105100 ecr 100020"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	ok(t.c.cwnd == 5 || t.c.cwnd == 6); /* ssthresh, and what this ACK adds */
	eq(t.c.ssthresh, 5);
	tt_down(&t);
}

T(dsacks_for_all_that_was_sent_again_undo)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 10);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 1001:4001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(t.c.rec.undo_retrans, 1);
	eq(tt_in(&t, ". ack 4001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_RECOVERY);
	eq(tt_in(&t, ". ack 4001 sack 1:1001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPDSACKUNDO), 1);
	ok(t.c.cwnd >= 10);
	tt_down(&t);
}

T(a_dsack_above_a_hole_counts_too)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 10);
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1 sack 2001:6001"), PLX_DROP_NONE);
	tt_out(&t, ". 1:1001(1000) ack 1");
	t.c.cwnd = 10;
	tt_out(&t, ". 1001:2001(1000) ack 1");
	eq(t.c.rec.undo_retrans, 2);
	/* both originals were late, the second one's copy is told of before the first one comes */
	eq(tt_in(&t, ". ack 1 sack 1001:6001"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 1 sack 1001:2001 sack 1001:6001"), PLX_DROP_NONE);
	eq(t.c.rec.undo_retrans, 1);
	eq(tt_in(&t, ". ack 6001"), PLX_DROP_NONE);
	eq(tt_in(&t, ". ack 6001 sack 1:1001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPDSACKUNDO), 1);
	tt_down(&t);
}

T(more_duplicates_than_were_made_are_not_believed)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 5);
	eq(tt_in(&t, ". ack 5001"), PLX_DROP_NONE);
	flight(&t, 5);
	t.c.undo_ok = true;
	t.c.rec.marker = t.c.snd.una - 3000;
	eq(tt_in(&t, ". ack 5001 sack 4001:5001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPDSACKIGNOREDDUBIOUS), 1);
	eq(t.c.rack_dsack, false);
	tt_down(&t);
}

/* ---- the time-out, F-RTO (RFC 5682 3.1) ---- */

static void time_out(struct tt *t)
{
	t->c.rtx_kind = PLX_TCP_RTX_RTO;
	tt_timer(t);
	eq(t->c.ca, PLX_TCP_CA_LOSS);
}

T(a_time_out_begins_anew_with_one_segment)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	flight(&t, 10);
	time_out(&t);
	eq(t.c.cwnd, 1); /* RFC 5681 3.1 */
	eq(t.c.ssthresh, 5);
	eq(t.c.lost_out, 10);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_none(&t, CWND);
	/* a second one does not reduce again */
	time_out(&t);
	eq(t.c.ssthresh, 5);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_down(&t);
}

T(new_text_is_sent_to_see_and_the_acks_of_it_undo)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 10);
	tt_write(&t, 3000);
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE); /* 1001:2001 was never sent again: 3.b */
	eq(tt_stat(&t, TCPEXT_TCPSPURIOUSRTOS), 1);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	eq(t.c.lost_out, 0);
	ok(t.c.cwnd >= 10);
	tt_down(&t);
}

T(step_2b_sends_new_text_before_any_other_retransmission)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 10);
	tt_write(&t, 3000);
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	tt_out(&t, ". 10001:11001(1000) ack 1");
	tt_out(&t, "P 11001:12001(1000) ack 1");
	tt_none(&t, CWND);
	/* 3.a: a SACK of it says that the rest is lost */
	eq(tt_in(&t, ". ack 1001 sack 10001:11001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_LOSS);
	tt_out(&t, ". 1001:2001(1000) ack 1");
	eq(tt_stat(&t, TCPEXT_TCPSPURIOUSRTOS), 0);
	tt_down(&t);
}

T(step_3b_the_original_of_something_lost_arrives)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 10);
	tt_write(&t, 3000);
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	tt_out(&t, ". 10001:11001(1000) ack 1");
	eq(tt_in(&t, ". ack 1001 sack 2001:3001"), PLX_DROP_NONE);
	eq(tt_stat(&t, TCPEXT_TCPSPURIOUSRTOS), 1);
	eq(t.c.ca, PLX_TCP_CA_OPEN + 1); /* undone: DISORDER, by what is still missing */
	tt_down(&t);
}

T(without_new_text_the_rest_is_sent_again)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	flight(&t, 5);
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	tt_out(&t, ". 1001:2001(1000) ack 1");
	tt_out(&t, ". 2001:3001(1000) ack 1");
	tt_none(&t, CWND);
	eq(tt_in(&t, ". ack 3001"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(tt_in(&t, ". ack 5001"), PLX_DROP_NONE);
	eq(t.c.ca, PLX_TCP_CA_OPEN);
	tt_down(&t);
}

T(without_frto_all_is_sent_again)
{
	static struct tt t;

	tt_up(&t, .reno = true, .no_ts = true);
	tt_tun(&t, TCP_FRTO, 0);
	flight(&t, 5);
	tt_write(&t, 3000);
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	tt_out(&t, ". 1001:2001(1000) ack 1");
	tt_down(&t);
}

/* Karn (RFC 6298 3). */
T(what_was_sent_again_is_no_measure)
{
	static struct tt t;
	uint32_t srtt;

	tt_up(&t, .no_ts = true);
	flight(&t, 1);
	srtt = t.c.rtt.srtt8_us;
	time_out(&t);
	tt_out(&t, "P 1:1001(1000) ack 1");
	tt_ms(&t, 300);
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE);
	eq(t.c.rtt.srtt8_us, srtt);
	tt_down(&t);
}

T(what_a_retransmission_has_let_out_is_none_either)
{
	static struct tt t;
	uint32_t srtt;

	tt_up(&t, .no_ts = true);
	flight(&t, 2);
	srtt = t.c.rtt.srtt8_us;
	time_out(&t);
	tt_out(&t, ". 1:1001(1000) ack 1");
	tt_ms(&t, 10);
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE);
	eq(t.c.rtt.srtt8_us, srtt);
	tt_down(&t);
}

T(but_its_timestamp_is)
{
	static struct tt t;

	tt_up(&t);
	flight(&t, 1);
	time_out(&t);
	tt_out(&t, "P 1:1001(1000) ack 1");
	eq(tt_in(&t, ". ack 1001"), PLX_DROP_NONE); /* within the clock's tick */
	eq(t.c.rtt.srtt8_us, 80000 - 10000 + 1000);
	tt_down(&t);
}

RUN(T_(three_sacks_begin_a_recovery), T_(fewer_sacks_wait_for_the_reordering_window),
	T_(three_duplicates_begin_a_recovery_and_each_partial_ack_repairs_one),
	T_(text_and_window_updates_are_no_duplicates), T_(a_block_cuts_whole_segments_only),
	T_(blocks_that_cannot_be_are_not_believed), T_(an_old_ack_may_bring_news),
	T_(who_takes_a_sack_back_is_sent_all_again), T_(a_lost_retransmission_is_found),
	T_(the_reordering_window_grows_with_dsacks_once_a_round_trip),
	T_(without_reordering_there_is_no_window_in_recovery), T_(reordering_is_noticed),
	T_(prr_reduces_in_proportion_and_then_up_to_the_bound),
	T_(an_echo_from_before_the_retransmission_undoes),
	T_(an_echo_of_the_retransmission_does_not), T_(dsacks_for_all_that_was_sent_again_undo),
	T_(a_dsack_above_a_hole_counts_too), T_(more_duplicates_than_were_made_are_not_believed),
	T_(a_time_out_begins_anew_with_one_segment),
	T_(new_text_is_sent_to_see_and_the_acks_of_it_undo),
	T_(step_2b_sends_new_text_before_any_other_retransmission),
	T_(step_3b_the_original_of_something_lost_arrives),
	T_(without_new_text_the_rest_is_sent_again), T_(without_frto_all_is_sent_again),
	T_(what_was_sent_again_is_no_measure), T_(what_a_retransmission_has_let_out_is_none_either),
	T_(but_its_timestamp_is))
