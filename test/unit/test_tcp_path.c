/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

static uint32_t seq(const struct tt *t, uint32_t rel)
{
	return tt_iss(t) + rel;
}

static void flight(struct tt *t)
{
	tt_up(t);
	tt_write(t, 3010);
	plx_tcp_set_nodelay(&t->c, true);
	eq(tt_drain(t), 4);
}

T(what_is_too_long_is_sent_again_in_shorter_pieces)
{
	static struct tt t;

	flight(&t);
	ok(plx_tcp_path_mtu(&t.c, 552, seq(&t, 1), t.now));
	eq(t.c.snd.mss, 500);
	eq(t.c.ca, PLX_TCP_CA_LOSS);
	eq(t.c.cwnd, 10); /* it says nothing of congestion */
	for (int i = 0; i < 6; i++) {
		char s[64];

		sprintf(s, ". %d:%d(500) ack 1", 1 + 500 * i, 501 + 500 * i);
		tt_out(&t, s);
	}
	tt_down(&t);
}

T(a_short_segment_behind_a_long_one_does_not_hide_it)
{
	static struct tt t;

	tt_up(&t);
	tt_write(&t, 1010);
	plx_tcp_set_nodelay(&t.c, true);
	eq(tt_drain(&t), 2);
	eq(t.c.snd.run_n, 1);
	ok(plx_tcp_path_mtu(&t.c, 852, seq(&t, 1), t.now));
	tt_out(&t, ". 1:801(800) ack 1");
	tt_down(&t);
}

/* RFC 5927 7. */
T(who_quotes_what_is_not_in_flight_is_not_believed)
{
	static struct tt t;

	flight(&t);
	ok(!plx_tcp_path_mtu(&t.c, 552, seq(&t, 3011), t.now));
	ok(!plx_tcp_path_mtu(&t.c, 552, seq(&t, 0), t.now));
	ok(!plx_tcp_path_mtu(&t.c, 1500, seq(&t, 1), t.now)); /* no less than it is */
	eq(t.c.snd.mss, 1000);
	eq(tt_stat(&t, TCPEXT_TCPMTUPFAIL), 3);
	eq(plx_tcp_error(&t.c, EHOSTUNREACH, true, seq(&t, 3011), t.now), 0);
	eq(t.c.err, 0);
	tt_down(&t);
}

T(an_mtu_that_cannot_be_is_bounded)
{
	static struct tt t;

	flight(&t);
	ok(plx_tcp_path_mtu(&t.c, 0, seq(&t, 1), t.now));
	eq(t.c.pmtu, 68);
	eq(t.c.snd.mss, 36);
	tt_down(&t);
}

T(an_mtu_that_changes_nothing_sends_nothing_again)
{
	static struct tt t;

	flight(&t); /* the peer's MSS is 1012 */
	ok(plx_tcp_path_mtu(&t.c, 1400, seq(&t, 1), t.now));
	eq(t.c.lost_out, 0);
	tt_none(&t, IDLE);
	tt_down(&t);
}

/* RFC 1122 4.2.3.9, RFC 5461. */
T(a_hard_error_ends_a_handshake_only)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	eq(plx_tcp_error(&t.c, ENETUNREACH, false, seq(&t, 0), t.now), 0);
	eq(t.c.id.state, PLX_TCP_SYN_SENT);
	eq(plx_tcp_error(&t.c, ECONNREFUSED, true, seq(&t, 1), t.now), 0);
	eq(plx_tcp_error(&t.c, ECONNREFUSED, true, seq(&t, 0), t.now), PLX_TCP_EV_RESET);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	eq(t.c.err, ECONNREFUSED);
	tt_down(&t);
	flight(&t);
	eq(plx_tcp_error(&t.c, ECONNREFUSED, true, seq(&t, 1), t.now), 0);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	eq(t.c.err, 0);
	eq(t.c.cold->soft_err, ECONNREFUSED); /* remembered */
	tt_down(&t);
}

RUN(T_(what_is_too_long_is_sent_again_in_shorter_pieces),
	T_(a_short_segment_behind_a_long_one_does_not_hide_it),
	T_(who_quotes_what_is_not_in_flight_is_not_believed), T_(an_mtu_that_cannot_be_is_bounded),
	T_(an_mtu_that_changes_nothing_sends_nothing_again), T_(a_hard_error_ends_a_handshake_only))
