/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

T(there_are_two)
{
	const struct plx_tcp_cc *cc = plx_tcp_cc_next(NULL);

	str_eq(cc->name, "reno");
	cc = plx_tcp_cc_next(cc);
	str_eq(cc->name, "cubic");
	assert_null(plx_tcp_cc_next(cc));
	assert_ptr_equal(plx_tcp_cc_find("cubic"), &plx_tcp_cubic);
	assert_null(plx_tcp_cc_find("vegas"));
}

T(one_may_be_chosen)
{
	static struct tt t;

	tt_up(&t);
	assert_ptr_equal(t.c.cc, &plx_tcp_cubic);
	t.c.cc_priv[0] = 1;
	eq(plx_tcp_set_cc(&t.c, "reno", t.now), 0);
	assert_ptr_equal(t.c.cc, &plx_tcp_reno);
	eq(t.c.cc_priv[0], 0);
	eq(plx_tcp_set_cc(&t.c, "bbr", t.now), -ENOENT);
	tt_down(&t);
}

/* RFC 5681 3.1. */
T(slow_start_ends_at_ssthresh_and_the_rest_counts)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	t.c.cwnd = 10;
	t.c.ssthresh = 15;
	eq(tcp__slow_start(&t.c, 3), 0);
	eq(t.c.cwnd, 13);
	eq(tcp__slow_start(&t.c, 5), 3);
	eq(t.c.cwnd, 15);
	tt_down(&t);
}

T(then_one_segment_for_each_window)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	t.c.cwnd = t.c.ssthresh = 10;
	for (int i = 0; i < 9; i++)
		t.c.cc->avoid(&t.c, 1, t.now);
	eq(t.c.cwnd, 10);
	t.c.cc->avoid(&t.c, 1, t.now);
	eq(t.c.cwnd, 11);
	t.c.cc->avoid(&t.c, 22, t.now); /* a stretch ACK counts for all */
	eq(t.c.cwnd, 13);
	tt_down(&t);
}

T(a_loss_halves_and_is_undone)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	t.c.cwnd = 21;
	eq(t.c.cc->ssthresh(&t.c), 10);
	t.c.cwnd = 3;
	eq(t.c.cc->ssthresh(&t.c), 2);
	t.c.rec.prior_cwnd = 30;
	eq(t.c.cc->undo(&t.c), 30);
	t.c.cwnd = 40;
	eq(t.c.cc->undo(&t.c), 40);
	tt_down(&t);
}

/* RFC 7661: who does not fill the window gets no larger one. */
T(a_window_that_is_not_used_does_not_grow)
{
	static struct tt t;

	tt_up(&t, .reno = true);
	for (int i = 1; i <= 20; i++) {
		char s[32];

		tt_write(&t, 1000);
		ok(tt_pull(&t));
		tt_ms(&t, 10);
		sprintf(s, ". ack %d", 1 + 1000 * i);
		eq(tt_in(&t, s), PLX_DROP_NONE);
	}
	eq(t.c.cwnd, 10);
	tt_down(&t);
}

RUN(T_(there_are_two), T_(one_may_be_chosen), T_(slow_start_ends_at_ssthresh_and_the_rest_counts),
	T_(then_one_segment_for_each_window), T_(a_loss_halves_and_is_undone),
	T_(a_window_that_is_not_used_does_not_grow))
