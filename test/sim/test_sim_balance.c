/* SPDX-License-Identifier: BSD-3-Clause */
#include "../unit/balance_t.h"
#include "table.h"

/*
 * The rebalancer on machines that we do not have: how even it makes up to 256 lcores, by how many
 * moves, and how soon; held against golden tables. Counters follow the traffic by chance, a move
 * takes 100 ms.
 */

#define LCORE_RATE 200000.0 /* packets a second of a mean lcore */

static struct world w;

static const struct traffic {
	const char *name;
	double s; /* the i-th flow has 1 / i^s of the first's load */
	unsigned int flows;
} traffics[] = {
	{"even", 0, 10000},
	{"zipf 0.8", 0.8, 10000},
	{"zipf 1.0", 1.0, 10000},
	{"zipf 1.0, few", 1.0, 500},
	{"zipf 1.2", 1.2, 10000},
};

static const uint16_t lcores[] = {2, 4, 8, 16, 32, 64, 128, 256};

/* The busiest lcore over the best that these buckets allow. */
static double now_over(double best)
{
	return w_worst(&w) / best;
}

/* A second from now, round by round. @return when it was close to the best for good, ms. */
static int a_second(double best)
{
	int since = 0;

	for (int ms = 100; ms <= 1000; ms += 100) {
		w_round(&w);
		if (now_over(best) > 1.15)
			since = ms + 100;
	}
	return since;
}

/* From an equal spread, and from one that was good for other flows. */
static void row(struct table *t, const struct traffic *tr, uint16_t buckets, uint16_t n)
{
	double best, before, after;
	unsigned int moves;
	int since;

	w_up(&w, buckets, n);
	plx_rng_init(&w.rng, buckets + n);
	w.slow = 1;
	fprintf(t->f, "%-14s %4u %4u |", tr->name, n, buckets);
	for (int shift = 0; shift < 2; shift++) {
		w_zipf(&w, tr->flows, tr->s, LCORE_RATE * n);
		best = w_best(&w);
		before = now_over(best);
		moves = w.moves;
		since = a_second(best);
		after = now_over(best);
		fprintf(t->f, " %5.2f %5.2f %5.2f %5u %4d |", best * n / w_sum(&w), before, after,
			w.moves - moves, since);
		if (tr->s > 0)
			ok(after <= 1.15);
		w_run(&w, PLX_SEC(9));
	}
	moves = w.moves;
	w_run(&w, PLX_SEC(30));
	fprintf(t->f, " %5.2f %5u  %s\n", now_over(best), w.moves - moves,
		plx_steer_balance_text(w.b.said.why));
}

T(how_even_and_how_soon)
{
	struct table t;

	table_open(&t,
		"The rebalancer, a round each 100 ms; a move takes as long. best: what these "
		"buckets allow at best (at least),\n"
		"over the mean. was, is: the busiest lcore over that, at the start and after a "
		"second; moves in this second;\n"
		"ms: until it was at most 1.15 for good. At first from an equal spread; then, all "
		"flows being others at once,\n"
		"from one that was good before. At last after 40 seconds: is, and the moves of the "
		"last 30.\n"
		"                         |       from an equal spread     |        flows are "
		"others        |   at last\n"
		"flows          lcor buck |  best   was    is moves   ms |  best   was    is moves "
		" "
		" ms |    is moves  because");
	for (size_t i = 0; i < PLX_DIM(traffics); i++)
		for (size_t k = 0; k < PLX_DIM(lcores); k++)
			for (uint16_t buckets = 128; buckets <= 1024; buckets *= 8)
				if (lcores[k] * 4 <= buckets)
					row(&t, &traffics[i], buckets, lcores[k]);
	ok(table_close(&t, "steer_balance"));
}

/* --- load that comes and goes ------------------------------------------------------------------
 */

static void flap_row(struct table *t, int period)
{
	static double rate[2][PLX_OWNER_BUCKETS_MAX];
	unsigned int most = 0, moves[2] = {0};

	w_up(&w, 128, 8);
	plx_rng_init(&w.rng, 1);
	w.slow = 1;
	for (int i = 0; i < 2; i++) {
		w_zipf(&w, 1000, 1, 8 * LCORE_RATE);
		memcpy(rate[i], w.rate, sizeof(w.rate));
	}
	for (int i = 0; i < 6000; i++) {
		if (i == 600)
			moves[0] = w.moves;
		if (i == 3000)
			moves[1] = w.moves;
		memcpy(w.rate, rate[i / period % 2], sizeof(w.rate));
		w_round(&w);
	}
	for (uint16_t i = 0; i < 128; i++)
		most = PLX_MAX(most, w.moves_of[i]);
	fprintf(t->f, "%6d %8u %8u %8u\n", period * 100, moves[0], (w.moves - moves[1]) / 5, most);
}

T(how_much_it_flaps)
{
	struct table t;

	table_open(&t,
		"Two sets of flows (1,000, Zipf 1.0) take turns on 8 lcores with 128 buckets, for "
		"ten minutes: moves of all\n"
		"buckets in the first minute and in each of the last five; and those of the bucket "
		"that moved most, in all.\n"
		"    ms |   first    later     most");
	for (int period = 1; period <= 256; period *= 2)
		flap_row(&t, period);
	ok(table_close(&t, "steer_balance_flaps"));
}

RUN(T_(how_even_and_how_soon), T_(how_much_it_flaps))
