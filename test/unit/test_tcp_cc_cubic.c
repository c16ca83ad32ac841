/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

#include <math.h>

/* RFC 9438 in doubles. */
#define C    0.4
#define BETA 0.7

static void up(struct tt *t, uint32_t cwnd, uint32_t rtt_us)
{
	tt_up(t);
	eq(plx_tcp_set_cc(&t->c, "cubic", t->now), 0);
	t->c.cwnd = cwnd;
	t->c.rtt.srtt8_us = rtt_us * 8;
}

static void loss(struct tt *t)
{
	t->c.ssthresh = t->c.cc->ssthresh(&t->c);
	t->c.cwnd = t->c.ssthresh;
}

/* A round trip: each segment of the window acknowledged, in pairs. */
static void round_trip(struct tt *t, uint32_t rtt_us)
{
	uint32_t pairs = t->c.cwnd / 2 ? t->c.cwnd / 2 : 1;

	for (uint32_t i = 0; i < pairs; i++) {
		t->now += PLX_US(rtt_us) / pairs;
		t->c.cc->avoid(&t->c, 2, t->now);
	}
}

/* 4.6: beta. */
T(a_loss_takes_three_tenths)
{
	static struct tt t;

	up(&t, 1000, 100000);
	loss(&t);
	eq(t.c.cwnd, 700);
	t.c.cwnd = 2;
	loss(&t);
	eq(t.c.cwnd, 2); /* no less */
	tt_down(&t);
}

/* 4.2, figure 1: within two segments and two hundredths of C (t - K)^3 + W_max. */
T(the_window_follows_the_cubic_function)
{
	static const uint32_t windows[] = {100, 500, 2000, 10000};

	for (size_t w = 0; w < PLX_DIM(windows); w++) {
		static struct tt t;
		const uint32_t rtt_us = 100000;
		double k, at;
		plx_ns begin;

		up(&t, windows[w], rtt_us);
		loss(&t);
		begin = t.now;
		k = cbrt((windows[w] - t.c.cwnd) / C);
		do {
			round_trip(&t, rtt_us);
			at = (double)(t.now - begin) / 1e9;
			if (at > 3 * rtt_us / 1e6) {
				double want = C * pow(at - k, 3) + windows[w];

				ok(fabs(t.c.cwnd - want) < 3 + want / 50);
			}
		} while (at < 1.5 * k);
		ok(t.c.cwnd > windows[w]);
		tt_down(&t);
	}
}

/* 4.7. */
T(fast_convergence_leaves_room_for_others)
{
	static struct tt t;
	uint32_t *w_max;

	up(&t, 1000, 100000);
	w_max = (uint32_t *)t.c.cc_priv;
	loss(&t);
	eq(*w_max, 1000);
	t.c.cwnd = 800;
	loss(&t);
	eq(*w_max, (uint32_t)(800 * (1 + BETA) / 2));
	t.c.cwnd = 900;
	loss(&t);
	eq(*w_max, 900);
	tt_down(&t);
}

/* 4.3: over short paths as fast as Reno, whatever the window. */
T(it_is_no_slower_than_reno)
{
	static const uint32_t windows[] = {10, 100, 1000, 5000};

	for (size_t w = 0; w < PLX_DIM(windows); w++) {
		static struct tt t;
		const double alpha = 3 * (1 - BETA) / (1 + BETA);
		double est;

		up(&t, windows[w], 1000);
		loss(&t);
		est = t.c.cwnd;
		for (int i = 0; i < 200; i++) {
			est += est >= windows[w] ? 1 : alpha;
			round_trip(&t, 1000);
			ok(t.c.cwnd + 3 + est / 50 >= est);
		}
		tt_down(&t);
	}
}

/* 4.8. */
T(idle_time_is_not_time)
{
	static struct tt t;
	uint32_t had;

	up(&t, 1000, 100000);
	loss(&t);
	for (int i = 0; i < 10; i++)
		round_trip(&t, 100000);
	had = t.c.cwnd;
	t.now += PLX_SEC(600);
	t.c.cc->restart(&t.c, PLX_SEC(600), t.now);
	round_trip(&t, 100000);
	ok(t.c.cwnd < had + had / 20);
	/* and more of it than there was is no future */
	t.c.cc->restart(&t.c, PLX_SEC(600), t.now);
	round_trip(&t, 100000);
	ok(t.c.cwnd < had + had / 5);
	tt_down(&t);
}

T(a_time_out_forgets)
{
	static struct tt t;

	up(&t, 1000, 100000);
	loss(&t);
	tcp__set_ca(&t.c, PLX_TCP_CA_LOSS, t.now);
	eq(t.c.cc_priv[0], 0);
	t.c.rec.prior_cwnd = 1000;
	eq(t.c.cc->undo(&t.c), 1000);
	tt_down(&t);
}

RUN(T_(a_loss_takes_three_tenths), T_(the_window_follows_the_cubic_function),
	T_(fast_convergence_leaves_room_for_others), T_(it_is_no_slower_than_reno),
	T_(idle_time_is_not_time), T_(a_time_out_forgets))
