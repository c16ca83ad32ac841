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

/* RFC 1191 6.3, RFC 8201 4: a record of the path ends some day. */
T(the_mss_rises_with_the_route)
{
	static struct tt t;

	flight(&t);
	ok(plx_tcp_path_mtu(&t.c, 552, seq(&t, 1), t.now));
	eq(tt_drain(&t), 7);
	tt_in(&t, ". ack 3011");
	plx_tcp_route_mtu(&t.c, 1500, t.now);
	eq(t.c.snd.mss, 500); /* it has just been told */
	tt_tun(&t, MTU_EXPIRES, 1);
	ok(plx_tcp_path_mtu(&t.c, 452, seq(&t, 3011), t.now) == false); /* nothing is in flight */
	tt_ms(&t, 599999);
	plx_tcp_route_mtu(&t.c, 1500, t.now);
	eq(t.c.snd.mss, 500);
	tt_ms(&t, 1);
	plx_tcp_route_mtu(&t.c, 1052, t.now);
	eq(t.c.snd.mss, 1000);
	plx_tcp_route_mtu(&t.c, 9000, t.now);
	eq(t.c.snd.mss, 1000); /* the peer's */
	eq(t.c.pmtu, 9000);
	tt_down(&t);
}

/* Segments of two sizes are under way: what is SACKed, lost and sent again is counted right. */
T(what_left_before_keeps_its_size)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_route_mtu(&t.c, 552, t.now);
	tt_write(&t, 7000);
	for (int i = 0; i < 10; i++)
		ok(tt_pull(&t)); /* ten of 500 bytes */
	plx_tcp_route_mtu(&t.c, 1500, t.now);
	eq(t.c.snd.mss, 1000);
	eq(t.c.packets_out, 10);
	tt_none(&t, CWND);
	tt_ms(&t, 10);
	tt_in(&t, ". ack 1 sack 501:1001");
	eq(t.c.sacked_out, 1);
	tt_in(&t, ". ack 1 sack 501:2501");
	eq(t.c.sacked_out, 4);
	eq(t.c.lost_out, 1);
	tt_out(&t, ". 1:501(500) ack 1");
	tt_in(&t, ". ack 3001");
	eq(t.c.packets_out, 4);
	eq(t.c.sacked_out, 0);
	tt_out(&t, ". 5001:6001(1000) ack 1");
	eq(t.c.packets_out, 5);
	tt_down(&t);
}

/* All that is sent again is cut anew. */
T(what_is_sent_again_is_of_the_new_size)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_route_mtu(&t.c, 552, t.now);
	tt_write(&t, 3000);
	eq(tt_drain(&t), 6);
	plx_tcp_route_mtu(&t.c, 1500, t.now);
	while (t.c.ca != PLX_TCP_CA_LOSS) {
		tt_timer(&t);
		if (t.c.ca != PLX_TCP_CA_LOSS)
			tt_drain(&t); /* a tail loss probe */
	}
	tt_out(&t, ". 1:1001(1000) ack 1");
	eq(t.c.retrans_out, 1);
	eq(t.c.packets_out, 5);
	tt_in(&t, ". ack 1001");
	tt_out(&t, ". 1001:2001(1000) ack 1");
	tt_down(&t);
}

RUN(T_(what_is_too_long_is_sent_again_in_shorter_pieces),
	T_(a_short_segment_behind_a_long_one_does_not_hide_it),
	T_(who_quotes_what_is_not_in_flight_is_not_believed), T_(an_mtu_that_cannot_be_is_bounded),
	T_(an_mtu_that_changes_nothing_sends_nothing_again), T_(a_hard_error_ends_a_handshake_only),
	T_(the_mss_rises_with_the_route), T_(what_left_before_keeps_its_size),
	T_(what_is_sent_again_is_of_the_new_size))
