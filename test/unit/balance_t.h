/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A world for the rebalancer: buckets with true rates, counters that follow them by chance, a
 * clock, and moves that take a while.
 */
#include "t.h"

#include <math.h>
#include <string.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

struct world {
	struct plx_balance b;
	struct plx_owner_map map;
	struct plx_balance_lcore lcore[PLX_STEER_LCORES_MAX];
	uint16_t lcores;
	double rate[PLX_OWNER_BUCKETS_MAX]; /* a second, in truth */
	uint64_t count[PLX_OWNER_BUCKETS_MAX];
	double part[PLX_OWNER_BUCKETS_MAX]; /* not counted yet: less than 1 */
	uint64_t pinned[PLX_OWNER_BUCKETS_MAX / 64], moving[PLX_OWNER_BUCKETS_MAX / 64];
	int over[PLX_OWNER_BUCKETS_MAX]; /* rounds until a move is */
	uint16_t to[PLX_OWNER_BUCKETS_MAX];
	unsigned int moves_of[PLX_OWNER_BUCKETS_MAX];
	unsigned int rounds, moves, most_in_a_round;
	plx_ns now, step;
	int slow;    /* rounds that a move takes */
	bool refuse; /* moves are not made */
	bool exact;  /* counters follow the rates without chance */
	double flow; /* rate of each flow, if all are alike; 0 */
	struct plx_rng rng;
};

static inline void w_up(struct world *w, uint16_t buckets, uint16_t lcores)
{
	uint16_t l[PLX_STEER_LCORES_MAX];

	memset(w, 0, sizeof(*w));
	for (uint16_t i = 0; i < lcores; i++) {
		l[i] = i;
		w->lcore[i] = (struct plx_balance_lcore){
			.weight = 1, .busy_permille = PLX_BALANCE_NO_BUSY};
	}
	w->lcores = lcores;
	w->step = PLX_MS(100);
	eq(plx_steer_owner_init(&w->map, buckets, l, lcores), 0);
	eq(plx_steer_balance_init(&w->b, NULL), 0);
	plx_steer_balance_set(&w->b, PLX_BALANCE_ON);
	plx_rng_init(&w->rng, 1);
}

static inline void w_set(uint64_t *set, uint16_t i, bool v)
{
	set[i / 64] = (set[i / 64] & ~(UINT64_C(1) << i % 64)) | (uint64_t)v << i % 64;
}

/* As many as come in a time in which mean are expected. */
static inline double w_draw(struct world *w, double mean)
{
	double sum = 0;

	if (w->exact)
		return mean;
	for (int i = 0; i < 12; i++)
		sum += plx_rng_double(&w->rng);
	return fmax(0, mean + sqrt(mean) * (sum - 6));
}

static inline void w_traffic(struct world *w, double seconds)
{
	for (uint16_t i = 0; i < w->map.size; i++) {
		double n = w->part[i] + w_draw(w, w->rate[i] * seconds);

		w->part[i] = n - floor(n);
		w->count[i] += (uint64_t)n;
	}
}

static inline void w_arrive(struct world *w)
{
	for (uint16_t i = 0; i < w->map.size; i++)
		if (w->over[i] && --w->over[i] == 0) {
			w_set(w->moving, i, false);
			plx_steer_owner_set(&w->map, i, w->to[i]);
		}
}

static inline void w_move(struct world *w, const struct plx_balance_move *m)
{
	ok(m->bucket < w->map.size && m->to < w->lcores && m->from != m->to);
	eq(m->from, w->map.lcore[m->bucket]);
	ok(w->lcore[m->to].weight);
	ok(!(w->pinned[m->bucket / 64] >> m->bucket % 64 & 1));
	ok(!(w->moving[m->bucket / 64] >> m->bucket % 64 & 1));
	if (w->refuse)
		return;
	w->moves++;
	w->moves_of[m->bucket]++;
	w->to[m->bucket] = m->to;
	w->over[m->bucket] = w->slow;
	if (w->slow)
		w_set(w->moving, m->bucket, true);
	else
		plx_steer_owner_set(&w->map, m->bucket, m->to);
}

static inline int w_input(struct world *w)
{
	struct plx_balance_input in = {.now = w->now,
		.map = &w->map,
		.count = w->count,
		.lcore = w->lcore,
		.lcores = w->lcores,
		.pinned = w->pinned,
		.moving = w->moving};

	return plx_steer_balance_input(&w->b, &in);
}

/* An interval of traffic and the round after it. @return why. */
static inline enum plx_balance_why w_round(struct world *w)
{
	struct plx_balance_move m;
	unsigned int n = 0;

	w->now += w->step;
	w_traffic(w, (double)w->step / 1e9);
	w_arrive(w);
	eq(w_input(w), 0);
	w->rounds++;
	while (plx_steer_balance_output(&w->b, &m)) {
		w_move(w, &m);
		n++;
	}
	w->most_in_a_round = PLX_MAX(w->most_in_a_round, n);
	return w->b.said.why;
}

static inline void w_run(struct world *w, plx_ns time)
{
	for (plx_ns end = w->now + time; w->now < end;)
		w_round(w);
}

/* --- the truth ---------------------------------------------------------------------------------
 */

static inline double w_load(const struct world *w, uint16_t lcore)
{
	double sum = 0;

	for (uint16_t i = 0; i < w->map.size; i++)
		sum += w->map.lcore[i] == lcore ? w->rate[i] : 0;
	return sum;
}

static inline double w_sum(const struct world *w)
{
	double sum = 0;

	for (uint16_t i = 0; i < w->map.size; i++)
		sum += w->rate[i];
	return sum;
}

static inline double w_worst(const struct world *w)
{
	double load[PLX_STEER_LCORES_MAX] = {0}, worst = 0;

	for (uint16_t i = 0; i < w->map.size; i++)
		load[w->map.lcore[i]] += w->rate[i];
	for (uint16_t i = 0; i < w->lcores; i++)
		if (w->lcore[i].weight)
			worst = fmax(worst, load[i] / w->lcore[i].weight);
	return worst;
}

static inline int w_falling(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* No assignment to lcores alike is better than this: the mean; the largest; and of the k * lcores +
 * 1 largest some lcore has k + 1. With flows alike it is of whole ones. */
static inline double w_best(const struct world *w)
{
	double v[PLX_OWNER_BUCKETS_MAX], best = w_sum(w) / w->lcores, sum;

	memcpy(v, w->rate, sizeof(v));
	qsort(v, w->map.size, sizeof(v[0]), w_falling);
	for (unsigned int k = 0; k * w->lcores < w->map.size; k++) {
		sum = 0;
		for (unsigned int i = 0; i <= k; i++)
			sum += v[k * w->lcores - i];
		best = fmax(best, sum);
	}
	return w->flow > 0 ? ceil(best / w->flow - 1e-9) * w->flow : best;
}

/* Flows of which the i-th has 1 / i^s of the first's rate, over the buckets by chance. */
static inline void w_zipf(struct world *w, unsigned int flows, double s, double total)
{
	double sum = 0;

	memset(w->rate, 0, sizeof(w->rate));
	for (unsigned int i = 1; i <= flows; i++) {
		double r = s > 0 ? pow(i, -s) : 1;

		w->rate[plx_rng_below(&w->rng, w->map.size)] += r;
		sum += r;
	}
	for (uint16_t i = 0; i < w->map.size; i++)
		w->rate[i] *= total / sum;
	w->flow = s > 0 ? 0 : total / flows;
}
