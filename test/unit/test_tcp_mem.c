/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* What memory says: the room that received text takes, and that it is short for all. */

static enum plx_drop text(struct tt *t, uint32_t n)
{
	char s[64];
	uint32_t at = t->c.rcv.nxt - TT_IRS;

	sprintf(s, ". %u:%u(%u) ack %u", at, at + n, n, t->c.snd.nxt - tt_iss(t));
	return tt_in(t, s);
}

/* A peer that sends a byte at a time fills the buffer with mbufs, not with text. */
T(the_window_closes_by_the_room_that_text_takes)
{
	static struct tt t;
	uint32_t n = 0;

	tt_up(&t, .rcv_buf = 100000, .no_ts = true);
	eq(t.c.rcv.buf, 50000);
	while (!plx_tcp_is_full(&t.c) && n < 1000) {
		eq(text(&t, 1), PLX_DROP_NONE);
		plx_tcp_hold(&t.c, 2304);
		tt_drain(&t);
		n++;
	}
	eq(n, 44); /* 100000 / 2304 = 43.4 */
	eq(tcp__rwnd_free(&t.c), 0);
	plx_tcp_hold(&t.c, -44 * 2304);
	plx_tcp_read(&t.c, 44, t.now);
	ok(tt_pull(&t)); /* it is open again, and that is told */
	ok(t.tx.win > 0);
	tt_down(&t);
}

/* Twice the text's room is what the buffer is made for: there the window is as without. */
T(room_that_is_half_full_changes_nothing)
{
	static struct tt t;
	uint32_t without;

	tt_up(&t, .rcv_buf = 100000, .no_ts = true);
	eq(text(&t, 20000), PLX_DROP_NONE);
	without = tcp__rwnd_free(&t.c);
	plx_tcp_hold(&t.c, 40000);
	eq(tcp__rwnd_free(&t.c), without);
	plx_tcp_hold(&t.c, 20000);
	ok(tcp__rwnd_free(&t.c) < without);
	tt_down(&t);
}

T(a_tuned_buffer_grows_with_its_room_and_a_fixed_one_does_not)
{
	static struct tt t;

	tt_up(&t, .rcv_buf = 100000);
	plx_tcp_hold(&t.c, 150000);
	plx_tcp_clamp(&t.c);
	eq(t.c.rcv.buf, 75000);
	eq(tt_stat(&t, TCPEXT_PRUNECALLED), 1);
	tt_tun(&t, TCP_RMEM_MAX, 160000);
	plx_tcp_hold(&t.c, 150000);
	plx_tcp_clamp(&t.c);
	eq(t.c.rcv.buf, 80000);
	ok(t.c.rcv.ssthresh <= 2u * tcp__adv_mss(&t.c));
	tt_down(&t);

	tt_up(&t);
	eq(plx_tcp_set_rcvbuf(&t.c, 100000), 0);
	plx_tcp_hold(&t.c, 150000);
	plx_tcp_clamp(&t.c);
	eq(t.c.rcv.buf, 50000);
	tt_down(&t);
}

T(under_pressure_nothing_grows)
{
	static struct tt t;
	uint32_t buf, ssthresh;

	tt_up(&t, .no_ts = true);
	t.ctx.pressure = true;
	buf = t.c.rcv.buf;
	ssthresh = t.c.rcv.ssthresh;
	eq(text(&t, 1000), PLX_DROP_NONE);
	eq(t.c.rcv.ssthresh, ssthresh);
	t.c.rcv.rtt_us = 1;
	t.c.rcv.space = 1;
	t.c.rcv.read = t.c.rcv.nxt;
	tcp__rwnd_tune(&t.c, t.now += PLX_MS(1));
	eq(t.c.rcv.buf, buf);
	plx_tcp_hold(&t.c, (int32_t)(4 * buf));
	plx_tcp_clamp(&t.c);
	eq(t.c.rcv.buf, buf);
	tt_down(&t);
}

/* Linux's __tcp_select_window(): with half of the buffer in use, four segments at most. */
T(under_pressure_little_is_announced)
{
	static struct tt t;
	uint32_t had;

	tt_up(&t, .rcv_buf = 200000, .no_ts = true);
	eq(text(&t, 40000), PLX_DROP_NONE);
	eq(text(&t, 20000), PLX_DROP_NONE);
	tt_drain(&t);
	had = t.c.rcv.ssthresh;
	ok(had > 4u * tcp__adv_mss(&t.c));
	t.ctx.pressure = true;
	eq(text(&t, 100), PLX_DROP_NONE);
	t.c.ack_now = true;
	tt_drain(&t);
	eq(t.c.rcv.ssthresh, 4u * tcp__adv_mss(&t.c));
	tt_down(&t);
}

T(under_pressure_the_send_buffer_is_as_at_first)
{
	static struct tt t;

	tt_up(&t);
	t.c.cwnd = 1000;
	ok(plx_tcp_sndbuf(&t.c) > 1000000);
	t.ctx.pressure = true;
	eq(plx_tcp_sndbuf(&t.c), 16384);
	eq(plx_tcp_set_sndbuf(&t.c, 300000), 0); /* the program's word */
	eq(plx_tcp_sndbuf(&t.c), 300000);
	tt_down(&t);
}

/* It is said at once, and the peer probes instead of sending again and again until it gives up. */
T(text_that_is_refused_closes_the_window)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	eq(text(&t, 1000), PLX_DROP_NONE);
	tt_drain(&t);
	ok(tcp__rcv_wnd(&t.c) > 10000);
	plx_tcp_refuse(&t.c);
	tt_out(&t, ". 1:1(0) ack 1001 win 0");
	eq(tcp__rcv_wnd(&t.c), 0);
	eq(tt_stat(&t, TCPEXT_RCVPRUNED), 1);
	eq(tt_stat(&t, TCPEXT_TCPTOZEROWINDOWADV), 1);
	/* the peer's probe finds it open again */
	eq(tt_in(&t, ". 1000:1000(0) ack 1"), PLX_DROP_TCP_SEQ_OUT);
	ok(tt_pull(&t));
	ok(t.tx.win > 0);
	eq(tt_in(&t, ". 1001:2001(1000) ack 1"), PLX_DROP_NONE);
	eq(t.c.id.state, PLX_TCP_ESTABLISHED);
	tt_down(&t);
}

/* For a caller that has memory for what is urgent only. */
T(no_new_text_but_acks_and_retransmissions)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	tt_write(&t, 3000);
	ok(tt_pull(&t));
	ok(tt_pull(&t)); /* 2000 are in flight */
	t.room.no_new = true;
	tt_none(&t, ROOM);
	eq(tt_in(&t, ". 1:1001(1000) ack 1"), PLX_DROP_NONE);
	t.c.ack_now = true;
	tt_out(&t, ". 2001:2001(0) ack 1001");
	tt_timer(&t); /* a tail loss probe: what was sent, not what is new */
	tt_out(&t, ". 1001:2001(1000) ack 1001");
	tt_timer(&t);
	tt_out(&t, ". 1:1001(1000) ack 1001");
	tt_none(&t, ROOM);
	t.room.no_new = false;
	eq(tt_in(&t, ". ack 2001"), PLX_DROP_NONE);
	tt_out(&t, "P 2001:3001(1000) ack 1001");
	tt_down(&t);
}

T(an_end_without_text_is_not_new_text)
{
	static struct tt t;

	tt_up(&t, .no_ts = true);
	t.room.no_new = true;
	plx_tcp_shutdown(&t.c, t.now);
	tt_out(&t, "F 1:1(0) ack 1");
	tt_down(&t);
}

RUN(T_(the_window_closes_by_the_room_that_text_takes), T_(room_that_is_half_full_changes_nothing),
	T_(a_tuned_buffer_grows_with_its_room_and_a_fixed_one_does_not),
	T_(under_pressure_nothing_grows), T_(under_pressure_little_is_announced),
	T_(under_pressure_the_send_buffer_is_as_at_first),
	T_(text_that_is_refused_closes_the_window), T_(no_new_text_but_acks_and_retransmissions),
	T_(an_end_without_text_is_not_new_text))
