/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* Tunables that no rule's own test sets: each one has its effect at once. */

T(the_initial_window)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_INIT_CWND, 4);
	eq(tcp__init_cwnd(&t.c), 4);
	tt_down(&t);
}

T(the_send_buffer)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_WMEM_DEFAULT, 100000);
	eq(plx_tcp_sndbuf(&t.c), 100000);
	tt_tun(&t, TCP_WMEM_MAX, 50000);
	eq(plx_tcp_sndbuf(&t.c), 50000);
	tt_down(&t);
}

T(keep_alive)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_KEEPALIVE_TIME, 100);
	tt_tun(&t, TCP_KEEPALIVE_INTVL, 7);
	tt_tun(&t, TCP_KEEPALIVE_PROBES, 1);
	eq(plx_tcp_set_keepalive(&t.c, true, 0, 0, 0, t.now), 0);
	eq(t.c.keep_ns, t.now + PLX_SEC(100));
	eq(plx_tcp_timer(&t.c, t.now += PLX_SEC(100)), 0);
	eq(t.c.keep_ns, t.now + PLX_SEC(7));
	eq(plx_tcp_timer(&t.c, t.now += PLX_SEC(7)), PLX_TCP_EV_RESET);
	tt_down(&t);
}

T(reordering)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_REORDERING, 5);
	tt_tun(&t, TCP_MAX_REORDERING, 8);
	plx_tcp_fini(&t.c);
	plx_tcp_init(&t.c, t.c.ctx, &(struct plx_tcp_id){.lport = 1});
	eq(t.c.reordering, 5);
	t.c.snd.mss = 1000;
	t.c.rack.fack = 100000;
	tcp__reordered(&t.c, 1000, false);
	eq(t.c.reordering, 8);
	plx_tcp_fini(&t.c);
}

T(an_orphan_behind_a_closed_window_is_given_up)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_ORPHAN_RETRIES, 1);
	eq(tt_in(&t, ". ack 1 win 0"), PLX_DROP_NONE);
	tt_write(&t, 100);
	tt_none(&t, RWND);
	plx_tcp_close(&t.c, t.now);
	eq(plx_tcp_timer(&t.c, t.now += PLX_SEC(1)), 0);
	ok(tt_pull(&t));
	eq(plx_tcp_timer(&t.c, t.now += PLX_SEC(10)), PLX_TCP_EV_RESET);
	tt_down(&t);
}

T(the_receive_buffer_is_tuned_or_not)
{
	static struct tt t;
	uint32_t buf;

	tt_up(&t);
	buf = t.c.rcv.buf;
	t.c.rcv.rtt_us = 1;
	t.c.rcv.space = 1;
	t.c.rcv.read += 1000000;
	tt_tun(&t, TCP_MODERATE_RCVBUF, 0);
	tcp__rwnd_tune(&t.c, t.now += PLX_MS(1));
	eq(t.c.rcv.buf, buf);
	t.c.rcv.read += 2000000;
	tt_tun(&t, TCP_MODERATE_RCVBUF, 1);
	tcp__rwnd_tune(&t.c, t.now += PLX_MS(1));
	ok(t.c.rcv.buf > buf);
	tt_down(&t);
}

T(delays_of_acks)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_DELACK_MIN, 10);
	tcp__delack_quick(&t.c, 2);
	eq(t.c.rcv.ato_us, 10000);
	tt_tun(&t, TCP_DELACK_MAX, 100);
	t.c.rcv.quick = 0;
	t.c.pingpong = true;
	t.c.rcv.ato_us = 400000;
	t.c.rtt.srtt8_us = 0;
	ok(!tcp__delack_due(&t.c, t.now));
	eq(t.c.delack_ns, t.now + PLX_MS(100));
	tt_down(&t);
}

static void paced(struct tt *t)
{
	tt_up(t);
	tt_tun(t, TCP_PACING, 1);
	t->c.rtt.srtt8_us = 8 * 100000;
}

T(paces)
{
	static struct tt t;
	plx_ns slow, fast;

	paced(&t);
	tt_tun(&t, TCP_PACING_SS_RATIO, 100);
	tt_write(&t, 5000);
	ok(tt_pull(&t));
	slow = t.c.pace_ns - t.now;
	tt_down(&t);
	paced(&t);
	tt_tun(&t, TCP_PACING_SS_RATIO, 200);
	tt_write(&t, 5000);
	ok(tt_pull(&t));
	fast = t.c.pace_ns - t.now;
	tt_down(&t);
	ok(slow > fast * 3 / 2);
	paced(&t);
	t.c.ssthresh = 2; /* congestion avoidance */
	tt_tun(&t, TCP_PACING_CA_RATIO, 400);
	tt_write(&t, 5000);
	ok(tt_pull(&t));
	ok(fast > (t.c.pace_ns - t.now) * 3 / 2);
	tt_down(&t);
}

T(small_segments_are_joined_to_be_sent_again)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_set_nodelay(&t.c, true);
	for (int i = 0; i < 3; i++) {
		tt_write(&t, 100);
		ok(tt_pull(&t));
		t.now += PLX_MS(1);
	}
	eq(t.c.snd.run_n, 3);
	for (uint32_t i = 0; i < 3; i++)
		tcp__mark_lost(&t.c, i);
	tt_tun(&t, TCP_RETRANS_COLLAPSE, 0);
	tcp__sndq_join(&t.c, 0);
	eq(t.c.snd.run_n, 3);
	tt_tun(&t, TCP_RETRANS_COLLAPSE, 1);
	tcp__sndq_join(&t.c, 0);
	eq(t.c.snd.run_n, 1);
	tt_down(&t);
}

RUN(T_(the_initial_window), T_(the_send_buffer), T_(keep_alive), T_(reordering),
	T_(an_orphan_behind_a_closed_window_is_given_up), T_(the_receive_buffer_is_tuned_or_not),
	T_(delays_of_acks), T_(paces), T_(small_segments_are_joined_to_be_sent_again))
