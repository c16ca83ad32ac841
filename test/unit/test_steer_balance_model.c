/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance_t.h"

/*
 * The rebalancer against what can be known of small worlds: the best assignment there is, found by
 * trying all; and that whatever happens, no move is illegal, none makes the hottest lcore hotter,
 * and the account of rounds and moves closes.
 */

static struct world w;

/* --- the best assignment, by trying all --------------------------------------------------------
 */

static struct search {
	double bucket[16], load[8], best;
	unsigned int n, lcores;
} se;

static void search(unsigned int i, double worst)
{
	if (worst >= se.best)
		return;
	if (i == se.n) {
		se.best = worst;
		return;
	}
	for (unsigned int j = 0; j < se.lcores; j++) {
		bool seen = false;

		for (unsigned int k = 0; k < j; k++)
			seen |= se.load[k] == se.load[j];
		if (seen)
			continue;
		se.load[j] += se.bucket[i];
		search(i + 1, fmax(worst, se.load[j]));
		se.load[j] -= se.bucket[i];
	}
}

static double best_of_all(void)
{
	memset(se.load, 0, sizeof(se.load));
	se.best = 1e18;
	qsort(se.bucket, se.n, sizeof(se.bucket[0]), w_falling);
	search(0, 0);
	return se.best;
}

enum kind { SMALL_NUMBERS, ANY, ZIPF, NEARLY_ALIKE, KINDS };

static double a_load(enum kind kind, unsigned int i, struct plx_rng *rng)
{
	switch (kind) {
	case SMALL_NUMBERS:
		return 1 + (double)plx_rng_below(rng, 4);
	case ANY:
		return 1 + (double)plx_rng_below(rng, 100);
	case ZIPF:
		return 100.0 / (i + 1);
	default:
		return 3 + (double)plx_rng_below(rng, 5);
	}
}

/* A few buckets with load, anywhere, owned by anybody. */
static void small_world(struct plx_rng *rng)
{
	enum kind kind = plx_rng_below(rng, KINDS);

	se.lcores = 2 + (unsigned int)plx_rng_below(rng, 4);
	se.n = 3 + (unsigned int)plx_rng_below(rng, 10);
	w_up(&w, 128, (uint16_t)se.lcores);
	w.exact = true;
	for (unsigned int i = 0; i < se.n; i++) {
		uint16_t at;

		do
			at = (uint16_t)plx_rng_below(rng, 128);
		while (w.rate[at] > 0);
		w.rate[at] = se.bucket[i] = 20000 * a_load(kind, i, rng);
	}
	for (uint16_t i = 0; i < 128; i++)
		w.map.lcore[i] = (uint16_t)plx_rng_below(rng, se.lcores);
}

T(within_a_second_it_is_close_to_the_best_of_all_assignments)
{
	double worst = 0, moves = 0;
	const int worlds = 4000;
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(7));
	for (int i = 0; i < worlds; i++) {
		double best;

		small_world(&rng);
		best = best_of_all();
		w_run(&w, PLX_SEC(1));
		ok(w_worst(&w) <= 1.15 * best + 1e-6);
		worst = fmax(worst, w_worst(&w) / best);
		w_run(&w, PLX_SEC(1));
		moves += w.moves;
	}
	printf("worst %.3f of the best, %.1f moves\n", worst, moves / worlds);
	ok(moves / worlds < 5);
}

/* Load that stays: sooner or later it is quiet, and moves were few. */
T(what_does_not_change_is_left_alone_in_the_end)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(8));
	for (int i = 0; i < 300; i++) {
		unsigned int before;

		small_world(&rng);
		w_run(&w, PLX_SEC(20));
		before = w.moves;
		w_run(&w, PLX_SEC(40));
		eq(w.moves, before);
		ok(w.moves <= 3 * se.n);
	}
}

/* With many small buckets a few moves are enough. A plan that heats another lcore and is given up
 * for dealing out all anew would take fifty. */
T(skewed_load_takes_few_moves)
{
	const unsigned int worlds = 50;
	unsigned int moves = 0;

	for (unsigned int i = 0; i < worlds; i++) {
		w_up(&w, 128, 8);
		plx_rng_init(&w.rng, i);
		w_zipf(&w, 10000, 0.8, 1600000);
		w_run(&w, PLX_SEC(1));
		ok(w_worst(&w) <= 1.15 * w_best(&w));
		moves += w.moves;
	}
	printf("%.1f moves\n", (double)moves / worlds);
	ok(moves <= 8 * worlds);
}

/* --- anything may happen -----------------------------------------------------------------------
 */

static void something_happens(struct plx_rng *rng)
{
	uint16_t i = (uint16_t)plx_rng_below(rng, w.map.size);
	uint16_t l = (uint16_t)plx_rng_below(rng, w.lcores);

	switch (plx_rng_below(rng, 12)) {
	case 0:
		w_zipf(&w, 200, (double)plx_rng_below(rng, 3) / 2, w.lcores * 100000.0);
		break;
	case 1:
		memset(w.rate, 0, sizeof(w.rate));
		break;
	case 2:
		w.rate[i] = (double)plx_rng_below(rng, 1000000);
		break;
	case 3:
		w_set(w.pinned, i, plx_rng_below(rng, 2));
		break;
	case 4:
		w.lcore[l].weight = (uint16_t)plx_rng_below(rng, PLX_BALANCE_WEIGHT_MAX + 1);
		break;
	case 5:
		w.slow = (int)plx_rng_below(rng, 4);
		break;
	case 6:
		w.refuse = plx_rng_below(rng, 2);
		break;
	case 7:
		if (!w.over[i])
			w.map.lcore[i] = l;
		break;
	case 8:
		plx_steer_balance_set(&w.b, plx_rng_below(rng, 3));
		break;
	case 9:
		w.count[i] = plx_rng_u64(rng);
		break;
	case 10:
		w.lcore[l].busy_permille = (uint16_t)plx_rng_below(rng, 1001);
		w.lcore[l].other_permille =
			(uint16_t)plx_rng_below(rng, w.lcore[l].busy_permille + 1u);
		break;
	default:
		w.step = PLX_MS(1 + (plx_ns)plx_rng_below(rng, 400));
	}
}

/* What the round says of itself. That each move is legal is w_move()'s to find. */
static void check_round(enum plx_balance_why why)
{
	const struct plx_balance_said *s = &w.b.said;
	bool moves = why == PLX_BALANCE_WHY_MOVES || why == PLX_BALANCE_WHY_ADVISED;
	uint64_t sum = 0;

	if (why != PLX_BALANCE_WHY_EARLY)
		eq(moves, s->moves > 0);
	ok(s->moves <= w.b.conf.moves);
	ok(!moves || (why == PLX_BALANCE_WHY_MOVES) == (w.b.mode == PLX_BALANCE_ON));
	for (uint16_t i = 0; i < s->moves && moves; i++)
		for (uint16_t k = 0; k < i; k++) /* once, each */
			ne(w.b.move[i].bucket, w.b.move[k].bucket);
	for (int i = 0; i < PLX_BALANCE_WHY_N; i++)
		sum += w.b.rounds[i];
	ok(w.b.done + w.b.refused <= w.b.asked);
	eq(sum, w.rounds);
}

T(whatever_happens_moves_are_legal_and_the_account_closes)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(9));
	for (int i = 0; i < 150; i++) {
		w_up(&w, (uint16_t)(1u << plx_rng_below(&rng, 8)),
			(uint16_t)(1 + plx_rng_below(&rng, 12)));
		plx_rng_init(&w.rng, (uint64_t)i);
		for (int n = 0; n < 400; n++) {
			if (plx_rng_below(&rng, 3) == 0)
				something_happens(&rng);
			check_round(w_round(&w));
		}
	}
}

/* In a world where counters tell the truth, by lists kept here: what a round's moves do. */
T(no_round_makes_the_hottest_lcore_hotter)
{
	struct plx_rng rng;
	int better = 0;

	plx_rng_init(&rng, t_seed(10));
	for (int i = 0; i < 300; i++) {
		w_up(&w, 256, (uint16_t)(2 + plx_rng_below(&rng, 14)));
		w.exact = true;
		plx_rng_init(&w.rng, (uint64_t)i);
		w_zipf(&w, 300, (double)plx_rng_below(&rng, 4) / 2, w.lcores * 100000.0);
		for (uint16_t l = 0; l < w.lcores; l++)
			w.lcore[l].weight = (uint16_t)(1 + plx_rng_below(&rng, 4));
		for (int n = 0; n < 20; n++) {
			double before = w_worst(&w);
			enum plx_balance_why why = w_round(&w);

			ok(w_worst(&w) <= before * 1.001);
			better += why == PLX_BALANCE_WHY_MOVES && w_worst(&w) < 0.99 * before;
		}
	}
	ok(better > 200);
}

RUN(T_(within_a_second_it_is_close_to_the_best_of_all_assignments),
	T_(what_does_not_change_is_left_alone_in_the_end), T_(skewed_load_takes_few_moves),
	T_(whatever_happens_moves_are_legal_and_the_account_closes),
	T_(no_round_makes_the_hottest_lcore_hotter))
