/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* ---- the program's calls in each state (RFC 9293 3.10) ---- */

static void take(struct tt *t, enum plx_tcp_state state)
{
	tt_up(t, .wait = state == PLX_TCP_SYN_SENT || state == PLX_TCP_SYN_RECEIVED, .no_ts = true);
	switch (state) {
	case PLX_TCP_SYN_RECEIVED:
		ok(tt_pull(t));
		eq(tt_in(t, "S 0:0(0)"), PLX_DROP_NONE);
		break;
	case PLX_TCP_CLOSE_WAIT:
	case PLX_TCP_LAST_ACK:
		eq(tt_in(t, "F 1:1(0) ack 1"), PLX_DROP_NONE);
		break;
	case PLX_TCP_CLOSED:
		plx_tcp_abort(&t->c, t->now);
		break;
	default:
		break;
	}
	if (state == PLX_TCP_FIN_WAIT_1 || state == PLX_TCP_FIN_WAIT_2 ||
		state == PLX_TCP_CLOSING || state == PLX_TCP_LAST_ACK || state == PLX_TCP_TIME_WAIT)
		plx_tcp_shutdown(&t->c, t->now);
	tt_drain(t);
	if (state == PLX_TCP_FIN_WAIT_2)
		eq(tt_in(t, ". ack 2"), PLX_DROP_NONE);
	if (state == PLX_TCP_CLOSING)
		eq(tt_in(t, "F ack 1"), PLX_DROP_NONE);
	if (state == PLX_TCP_TIME_WAIT)
		eq(tt_in(t, "F ack 2"), PLX_DROP_NONE);
	tt_drain(t);
	eq(t->c.id.state, state);
}

static const struct {
	enum plx_tcp_state state, shut;
	bool fin, rst; /* what leaves: on shutdown, on abort */
	enum plx_tcp_state close;
} calls[] = {
	{PLX_TCP_SYN_SENT, PLX_TCP_SYN_SENT, false, false, PLX_TCP_CLOSED},
	{PLX_TCP_SYN_RECEIVED, PLX_TCP_SYN_RECEIVED, false, true, PLX_TCP_SYN_RECEIVED},
	{PLX_TCP_ESTABLISHED, PLX_TCP_FIN_WAIT_1, true, true, PLX_TCP_FIN_WAIT_1},
	{PLX_TCP_FIN_WAIT_1, PLX_TCP_FIN_WAIT_1, false, true, PLX_TCP_FIN_WAIT_1},
	{PLX_TCP_FIN_WAIT_2, PLX_TCP_FIN_WAIT_2, false, true, PLX_TCP_FIN_WAIT_2},
	{PLX_TCP_CLOSE_WAIT, PLX_TCP_LAST_ACK, true, true, PLX_TCP_LAST_ACK},
	{PLX_TCP_CLOSING, PLX_TCP_CLOSING, false, true, PLX_TCP_CLOSING},
	{PLX_TCP_LAST_ACK, PLX_TCP_LAST_ACK, false, true, PLX_TCP_LAST_ACK},
	{PLX_TCP_TIME_WAIT, PLX_TCP_TIME_WAIT, false, false, PLX_TCP_TIME_WAIT},
	{PLX_TCP_CLOSED, PLX_TCP_CLOSED, false, false, PLX_TCP_CLOSED},
};

T(shutdown_in_each_state)
{
	for (size_t i = 0; i < PLX_DIM(calls); i++) {
		static struct tt t;

		take(&t, calls[i].state);
		plx_tcp_shutdown(&t.c, t.now);
		eq(t.c.id.state, calls[i].shut);
		eq(tt_pull(&t), calls[i].fin);
		if (calls[i].fin)
			ok(t.tx.flags & PLX_TCP_FIN);
		plx_tcp_shutdown(&t.c, t.now); /* once is enough */
		ok(!tt_pull(&t));
		tt_down(&t);
	}
}

T(close_in_each_state)
{
	for (size_t i = 0; i < PLX_DIM(calls); i++) {
		static struct tt t;

		take(&t, calls[i].state);
		plx_tcp_close(&t.c, t.now);
		eq(t.c.id.state, calls[i].close);
		eq(tt_pull(&t), calls[i].fin);
		ok(t.c.orphan);
		if (t.c.id.state == PLX_TCP_FIN_WAIT_2)
			eq(plx_tcp_deadline(&t.c), t.now + PLX_SEC(60));
		tt_down(&t);
	}
}

T(abort_in_each_state)
{
	for (size_t i = 0; i < PLX_DIM(calls); i++) {
		static struct tt t;

		take(&t, calls[i].state);
		plx_tcp_abort(&t.c, t.now);
		eq(t.c.id.state, PLX_TCP_CLOSED);
		eq(plx_tcp_deadline(&t.c), PLX_NEVER);
		plx_tcp_abort(&t.c, t.now); /* the RST is still due */
		eq(tt_pull(&t), calls[i].rst);
		if (calls[i].rst)
			eq(t.tx.flags, PLX_TCP_RST | PLX_TCP_ACK);
		ok(!tt_pull(&t));
		eq((int64_t)t.stat[PLX_STAT_TCP_CURRESTAB], 0);
		tt_down(&t);
	}
}

/* RFC 1122 4.2.2.13. */
T(unread_text_is_answered_by_a_reset)
{
	static struct tt t;

	tt_up(&t);
	eq(tt_in(&t, ". 1:11(10) ack 1"), PLX_DROP_NONE);
	plx_tcp_close(&t.c, t.now);
	eq(t.c.id.state, PLX_TCP_CLOSED);
	tt_out(&t, "R 1:1(0) ack 11");
	eq(tt_stat(&t, TCPEXT_TCPABORTONCLOSE), 1);
	tt_down(&t);
}

T(closed_while_it_was_opened)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	ok(tt_pull(&t));
	tt_write(&t, 100);
	plx_tcp_shutdown(&t.c, t.now);
	tt_none(&t, IDLE);
	eq(tt_in(&t, "S 0:0(0) ack 1"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_FIN_WAIT_1);
	tt_out(&t, "PF 1:101(100) ack 1");
	tt_down(&t);
}

T(what_is_unacknowledged_and_unsent)
{
	static struct tt t;

	tt_up(&t, .wait = true);
	tt_write(&t, 100);
	eq(plx_tcp_unacked(&t.c), 100);
	ok(tt_pull(&t));
	eq(tt_in(&t, "S 0:0(0) ack 1"), PLX_DROP_NONE);
	eq(plx_tcp_unsent(&t.c), 100);
	plx_tcp_shutdown(&t.c, t.now);
	ok(tt_pull(&t));
	eq(plx_tcp_unsent(&t.c), 0);
	eq(plx_tcp_unacked(&t.c), 100);
	eq(tt_in(&t, ". ack 102"), PLX_DROP_NONE);
	eq(t.rx.acked, 100);
	eq(plx_tcp_unacked(&t.c), 0);
	tt_down(&t);
}

T(a_state_has_a_name)
{
	str_eq(plx_tcp_state_name(PLX_TCP_FIN_WAIT_2), "FIN-WAIT-2");
	str_eq(plx_tcp_state_name(0), "?");
	str_eq(plx_tcp_state_name(99), "?");
}

/* RFC 6691: options are the sender's business. */
T(the_mss_is_the_least_of_all)
{
	static struct tt t;

	tt_up(&t, .mss = 9000);
	eq(t.c.snd.mss, 1460 - 12);
	plx_tcp_set_maxseg(&t.c, 600);
	eq(t.c.snd.mss, 588);
	plx_tcp_set_maxseg(&t.c, 1);
	eq(t.c.snd.mss, 48 - 12);
	tt_down(&t);
	tt_up(&t, .mss = 1);
	eq(t.c.snd.mss, 48 - 12); /* tcp_min_snd_mss */
	tt_down(&t);
}

RUN(T_(shutdown_in_each_state), T_(close_in_each_state), T_(abort_in_each_state),
	T_(unread_text_is_answered_by_a_reset), T_(closed_while_it_was_opened),
	T_(what_is_unacknowledged_and_unsent), T_(a_state_has_a_name),
	T_(the_mss_is_the_least_of_all))
