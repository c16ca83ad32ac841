/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance_t.h"

#include <errno.h>

/*
 * The four known failures of irqbalance come first, by name; then the rules one by one.
 */

static struct world w;

static uint64_t rounds(enum plx_balance_why why)
{
	return w.b.rounds[why];
}

static void all_on(uint16_t lcore)
{
	for (uint16_t i = 0; i < w.map.size; i++)
		w.map.lcore[i] = lcore;
}

static void even(double of_lcore)
{
	for (uint16_t i = 0; i < w.map.size; i++)
		w.rate[i] = of_lcore * w.lcores / w.map.size;
}

/* --- irqbalance: wrong balance -----------------------------------------------------------------
 */

T(wrong_balance_two_heavy_buckets_do_not_share_an_lcore)
{
	w_up(&w, 128, 4);
	even(40000);
	w.rate[0] += 60000; /* both are lcore 0's */
	w.rate[4] += 60000;
	w_run(&w, PLX_SEC(1));
	ne(w.map.lcore[0], w.map.lcore[4]);
	ok(w_worst(&w) <= 1.15 * w_best(&w));
}

T(wrong_balance_load_is_what_packets_cost_not_their_number)
{
	w_up(&w, 128, 2);
	even(100000);
	for (int i = 0; i < 20; i++) {
		/* lcore 0 needs four times as long for a packet; both have half of them */
		w.lcore[0].busy_permille = (uint16_t)(800 * w_load(&w, 0) / 100000);
		w.lcore[1].busy_permille = (uint16_t)(200 * w_load(&w, 1) / 100000);
		w_round(&w);
	}
	/* even is 40,000 of 200,000 packets on the one, 160,000 on the other */
	ok(w_load(&w, 0) > 35000 && w_load(&w, 0) < 50000);
	eq(w.b.said.why, PLX_BALANCE_WHY_BALANCED);
}

T(wrong_balance_what_no_bucket_brings_counts)
{
	w_up(&w, 128, 2);
	even(100000);
	for (int i = 0; i < 20; i++) {
		w.lcore[0].busy_permille = (uint16_t)(200 + 300 * w_load(&w, 0) / 100000);
		w.lcore[0].other_permille = 200; /* it polls for the other */
		w.lcore[1].busy_permille = (uint16_t)(300 * w_load(&w, 1) / 100000);
		w_round(&w);
	}
	/* 800 in all; 400 each: 200 of buckets on the one */
	ok(w_load(&w, 0) > 60000 && w_load(&w, 0) < 78000);
}

/* While buckets are on their way their packets are handled here and counted there: what a packet
 * costs is not learned from that. */
T(wrong_balance_moves_under_way_do_not_make_packets_dear)
{
	w_up(&w, 128, 2);
	all_on(0);
	even(100000);
	w.slow = 5;
	for (int i = 0; i < 40; i++) {
		w.lcore[0].busy_permille = (uint16_t)(800 * w_load(&w, 0) / 200000);
		w.lcore[1].busy_permille = (uint16_t)(800 * w_load(&w, 1) / 200000);
		w_round(&w);
	}
	ok(w.moves >= 60 && w.moves <= 64);
	eq(w.b.said.why, PLX_BALANCE_WHY_BALANCED);
}

/* --- irqbalance: everything on the first after idle --------------------------------------------
 */

T(after_idle_the_spread_is_as_it_was)
{
	struct plx_owner_map before;

	w_up(&w, 128, 4);
	w_zipf(&w, 1000, 1, 400000);
	w_run(&w, PLX_SEC(3));
	before = w.map;
	memset(w.rate, 0, sizeof(w.rate));
	w.moves = 0;
	w_run(&w, PLX_SEC(120));
	eq(w.b.said.why, PLX_BALANCE_WHY_IDLE);
	mem_eq(&w.map, &before, sizeof(before));
	for (uint16_t i = 0; i < 128; i++)
		w.rate[i] = 1; /* a little, unevenly: still idle */
	w.rate[0] = 300;
	w_run(&w, PLX_SEC(10));
	eq(w.b.said.why, PLX_BALANCE_WHY_IDLE);
	eq(w.moves, 0);
}

T(lcores_that_are_hardly_busy_are_idle_however_many_packets)
{
	w_up(&w, 128, 4);
	w_zipf(&w, 1000, 1, 4000000);
	for (int i = 0; i < 4; i++)
		w.lcore[i].busy_permille = 49;
	w_run(&w, PLX_SEC(2));
	eq(w.b.said.why, PLX_BALANCE_WHY_IDLE);
	eq(w.moves, 0);
}

T(a_burst_on_the_first_lcore_alone_is_spread_within_a_second)
{
	w_up(&w, 128, 8);
	all_on(0);
	w_run(&w, PLX_SEC(60));
	w_zipf(&w, 1000, 1, 800000);
	w_run(&w, PLX_SEC(1));
	ok(w_worst(&w) <= 1.15 * w_best(&w));
}

/* --- irqbalance: flapping ----------------------------------------------------------------------
 */

T(flapping_chance_alone_moves_nothing)
{
	w_up(&w, 256, 8);
	for (double rate = 200; rate < 1e7; rate *= 10) {
		even(rate);
		w_run(&w, PLX_SEC(100));
		eq(w.moves, 0);
	}
}

T(flapping_load_at_the_threshold_moves_once)
{
	w_up(&w, 128, 4);
	even(100000);
	w.rate[0] += 4000; /* lcore 0 has 1.1 times the mean, now more, now less */
	for (uint16_t i = 4; i < 128; i += 4)
		w.rate[i] += 250;
	w_run(&w, PLX_SEC(120));
	ok(w.moves <= 8);
	ok(w.moves == 0 || w.b.said.why == PLX_BALANCE_WHY_BALANCED);
}

/* Whoever has the load keeps changing, faster than can be followed: each bucket rests longer and
 * longer. Eight minutes. */
T(flapping_load_that_comes_and_goes_moves_a_bucket_seldom)
{
	static double rate[2][PLX_OWNER_BUCKETS_MAX];

	w_up(&w, 128, 8);
	for (int i = 0; i < 2; i++) {
		w_zipf(&w, 1000, 1, 800000);
		memcpy(rate[i], w.rate, sizeof(w.rate));
	}
	for (int i = 0; i < 4800; i++) {
		memcpy(w.rate, rate[i / 7 % 2], sizeof(w.rate));
		w_round(&w);
		if (i == 2400)
			memset(w.moves_of, 0, sizeof(w.moves_of));
	}
	for (uint16_t k = 0; k < 128; k++)
		ok(w.moves_of[k] <= 240 / 16); /* 500 ms, doubled, come to 32 s */
	ok(rounds(PLX_BALANCE_WHY_RESTING) > 0);
}

T(flapping_a_load_that_changes_each_round_is_not_followed_at_all)
{
	w_up(&w, 128, 4);
	for (int i = 0; i < 600; i++) {
		for (uint16_t k = 0; k < 128; k++)
			w.rate[k] = (k % 4 == 0) == (i % 2) ? 5000 : 1000;
		w_round(&w);
	}
	eq(w.moves, 0);
	ok(rounds(PLX_BALANCE_WHY_NEW) > 0);
}

T(flapping_an_elephant_does_not_bounce)
{
	w_up(&w, 128, 4);
	even(40000);
	w.rate[5] = 400000; /* more than all others, and now it is this one that is beside it */
	for (int i = 0; i < 1200; i++) {
		w.rate[1] = i / 40 % 2 ? 30000 : 1000;
		w.rate[2] = i / 40 % 2 ? 1000 : 30000;
		w_round(&w);
	}
	eq(w.moves_of[5], 0);
	ok(w_load(&w, 1) < 1.1 * 400000); /* and all but alone */
	ok(rounds(PLX_BALANCE_WHY_ELEPHANT) > 1000);
}

/* The shortest way to even would be one move of the elephant. */
T(flapping_an_elephant_stays_and_the_others_leave)
{
	w_up(&w, 128, 2);
	w.rate[0] = 100000;
	for (uint16_t i = 2; i < 102; i += 2)
		w.rate[i] = 1000; /* with it on lcore 0 */
	w.rate[1] = 20000;
	w_run(&w, PLX_SEC(2));
	eq(w.moves_of[0], 0);
	ok(w.moves > 40);
	ok(w_worst(&w) < 1.08 * 100000);
}

/* And this is what it may do, once: another lcore is empty. */
T(an_elephant_settles_where_nobody_is)
{
	w_up(&w, 128, 4);
	w.rate[0] = 100000;
	for (uint16_t i = 4; i < 104; i += 4)
		w.rate[i] = 1000;
	w.rate[1] = w.rate[2] = 25000;
	w_run(&w, PLX_SEC(2));
	eq(w.moves_of[0], 1);
	eq(w.moves, 1);
	eq(w.map.lcore[0], 3);
}

/* --- irqbalance: silently off ------------------------------------------------------------------
 */

T(silently_off_each_round_has_its_reason_and_is_counted)
{
	uint64_t sum = 0;

	w_up(&w, 128, 4);
	plx_steer_balance_set(&w.b, PLX_BALANCE_OFF);
	eq(plx_steer_balance_deadline(&w.b), PLX_NEVER);
	eq(w_round(&w), PLX_BALANCE_WHY_OFF);
	plx_steer_balance_set(&w.b, PLX_BALANCE_ON);
	eq(plx_steer_balance_deadline(&w.b), 0);
	w_zipf(&w, 1000, 1, 400000);
	for (int i = 0; i < 99; i++)
		w_round(&w);
	eq(w.b.said.at, w.now);
	eq(plx_steer_balance_deadline(&w.b), w.now + PLX_MS(100));
	for (int i = 0; i < PLX_BALANCE_WHY_N; i++)
		sum += rounds(i);
	eq(sum, 100);
	eq(rounds(PLX_BALANCE_WHY_OFF), 1);
	eq(rounds(PLX_BALANCE_WHY_LEARNING), 1);
	ok(rounds(PLX_BALANCE_WHY_MOVES) > 0);
	eq(w.b.asked, w.moves);
	eq(w.b.done, w.moves);
	eq(w.b.refused, 0);
}

T(silently_off_moves_that_nobody_makes_are_told)
{
	w_up(&w, 128, 2);
	all_on(0);
	even(100000);
	w.refuse = true;
	w_run(&w, PLX_SEC(60));
	ok(w.b.asked > 0);
	eq(w.b.done, 0);
	ok(w.b.refused >= w.b.asked - PLX_BALANCE_MOVES_MAX && w.b.refused <= w.b.asked);
	eq(w.b.said.why, PLX_BALANCE_WHY_REFUSED);
	ok(w.b.asked < 128 * 10); /* and it does not nag */
	w.refuse = false;
	w_run(&w, PLX_SEC(60));
	eq(w.b.said.why, PLX_BALANCE_WHY_BALANCED);
}

T(silently_off_an_lcore_that_cannot_be_left_is_asked_for_seldom)
{
	w_up(&w, 128, 4);
	even(100000);
	w.lcore[0].weight = 0;
	w.refuse = true;
	w_run(&w, PLX_SEC(60));
	eq(w.b.said.stranded, 32);
	ok(w.b.asked < 32 * 10);
}

T(silently_off_busy_lcores_without_counts_are_told)
{
	w_up(&w, 128, 2);
	w.lcore[0].busy_permille = 900;
	w.lcore[1].busy_permille = 100;
	w_run(&w, PLX_SEC(1));
	eq(w.b.said.why, PLX_BALANCE_WHY_BLIND);
}

T(silently_off_advice_is_given_and_nothing_else)
{
	struct plx_balance_move m;

	w_up(&w, 128, 4);
	plx_steer_balance_set(&w.b, PLX_BALANCE_ADVISE);
	w_zipf(&w, 1000, 1, 400000);
	w_run(&w, PLX_SEC(2));
	eq(w.b.said.why, PLX_BALANCE_WHY_ADVISED);
	ok(w.b.said.moves > 0);
	ok(w.b.said.after_permille < w.b.said.worst_permille);
	eq(w.b.move[0].from, w.b.said.lcore);
	ok(!plx_steer_balance_output(&w.b, &m));
	eq(w.b.asked, 0);
	plx_steer_balance_set(&w.b, PLX_BALANCE_ON); /* what was measured still holds */
	eq(w_round(&w), PLX_BALANCE_WHY_MOVES);
}

T(each_reason_has_a_name_and_words)
{
	for (int i = 0; i < PLX_BALANCE_WHY_N; i++) {
		ok(strlen(plx_steer_balance_text(i)) > 2);
		for (int k = 0; k < i; k++)
			ok(strcmp(plx_steer_balance_text(i), plx_steer_balance_text(k)));
	}
	str_eq(plx_steer_balance_name(PLX_BALANCE_WHY_GAIN), "GAIN");
	str_eq(plx_steer_balance_text(PLX_BALANCE_WHY_ELEPHANT), "one bucket is the load");
	str_eq(plx_steer_balance_text(PLX_BALANCE_WHY_N), "?");
	str_eq(plx_steer_balance_name(PLX_BALANCE_WHY_N), "?");
}

/* --- lcores come and go ------------------------------------------------------------------------
 */

T(an_lcore_that_is_to_own_nothing_is_left)
{
	w_up(&w, 128, 4);
	even(100000);
	w_run(&w, PLX_SEC(1));
	w.lcore[0].weight = 0;
	w_set(w.pinned, 4, true);
	w_run(&w, PLX_SEC(1));
	eq(w.moves, 31);
	eq(w.map.lcore[4], 0);
	eq(w.b.said.stranded, 1);
	ok(w_worst(&w) <= 1.15 * 400000 / 3);
	w_set(w.pinned, 4, false);
	w_run(&w, PLX_SEC(1));
	ne(w.map.lcore[4], 0);
	eq(w.b.said.stranded, 0);
}

T(idle_or_not_an_lcore_that_went_is_left_and_the_others_share)
{
	unsigned int of[3] = {0};

	w_up(&w, 128, 4);
	w_run(&w, PLX_SEC(1));
	w.lcores = 3; /* lcore 3 is gone */
	w_run(&w, PLX_SEC(1));
	for (uint16_t i = 0; i < 128; i++)
		of[w.map.lcore[i]]++;
	for (int i = 0; i < 3; i++)
		ok(of[i] >= 42 && of[i] <= 43);
}

T(an_lcore_that_comes_gets_its_part)
{
	static const uint16_t n[] = {1, 2, 7, 32, 64, 128};

	for (size_t i = 0; i < PLX_DIM(n); i++) {
		uint16_t m = n[i];

		w_up(&w, 1024, m);
		even(200000);
		w_run(&w, PLX_SEC(2));
		eq(w.moves, 0);
		w.lcore[m] = w.lcore[0];
		w.lcores++;
		w_run(&w, PLX_SEC(2));
		ok(w_load(&w, m) > 0.65 * w_sum(&w) / (m + 1));
		ok(w.moves <= 1024u / (m + 1) + 2);
	}
}

T(a_lone_lcore_has_nobody_to_give_to)
{
	w_up(&w, 128, 2);
	even(100000);
	w.lcore[1].weight = 0;
	w_run(&w, PLX_SEC(2));
	eq(w.b.said.why, PLX_BALANCE_WHY_ALONE);
	eq(w_load(&w, 1), 0);
	w.lcore[0].weight = 0;
	w_run(&w, PLX_SEC(1));
	eq(w.b.said.why, PLX_BALANCE_WHY_ALONE);
	eq(w.b.said.stranded, 128);
}

T(a_faster_lcore_gets_more)
{
	w_up(&w, 256, 4);
	even(100000);
	w.lcore[2].weight = 3;
	w_run(&w, PLX_SEC(2));
	ok(w_worst(&w) <= 1.1 * 400000 / 6);
	ok(w_load(&w, 2) > 0.85 * 200000);
}

/* --- what may move, and when -------------------------------------------------------------------
 */

T(what_is_pinned_stays)
{
	w_up(&w, 128, 2);
	all_on(0);
	even(100000);
	for (uint16_t i = 0; i < 128; i++)
		w_set(w.pinned, i, true);
	w_run(&w, PLX_SEC(1));
	eq(w.b.said.why, PLX_BALANCE_WHY_PINNED);
	eq(w.moves, 0);
	ok(w.b.said.worst_permille > 1990 && w.b.said.worst_permille <= 2000);
	for (uint16_t i = 0; i < 64; i++)
		w_set(w.pinned, i, false);
	w_run(&w, PLX_SEC(1));
	ok(w_worst(&w) <= 1.05 * 100000);
}

T(what_is_on_its_way_counts_where_it_goes_and_is_not_asked_for_again)
{
	unsigned int n;

	w_up(&w, 128, 2);
	all_on(0);
	even(100000);
	w.slow = 5;
	w.exact = true;
	while (w_round(&w) != PLX_BALANCE_WHY_MOVES)
		;
	n = w.moves;
	ok(n >= 61 && n <= 63); /* of 128, down to 1.03 */
	for (int i = 0; i < 4; i++)
		eq(w_round(&w), PLX_BALANCE_WHY_UNDER_WAY);
	eq(w_round(&w), PLX_BALANCE_WHY_BALANCED);
	eq(w.b.done, n);
	eq(w.b.asked, n);
}

T(a_bucket_that_somebody_moved_is_left_there_for_a_while)
{
	w_up(&w, 4, 2);
	for (uint16_t i = 0; i < 4; i++)
		w.rate[i] = 50000;
	w_run(&w, PLX_SEC(2));
	w.map.lcore[1] = 0;
	w_round(&w);
	w_run(&w, PLX_MS(400));
	eq(w.map.lcore[1], 0);
	w.moves_of[1] = 0;
	w_run(&w, PLX_SEC(1));
	eq(w.b.said.why, PLX_BALANCE_WHY_BALANCED);
	ok(w_load(&w, 0) == w_load(&w, 1));
}

T(two_elephants_part_and_stay)
{
	w_up(&w, 128, 4);
	w.rate[0] = w.rate[4] = 100000; /* alike, and both lcore 0's */
	w_run(&w, PLX_SEC(1));
	ne(w.map.lcore[0], w.map.lcore[4]);
	w_run(&w, PLX_SEC(60));
	eq(w.moves, 1);
	eq(w.b.said.why, PLX_BALANCE_WHY_ELEPHANT);
}

T(beside_an_elephant_the_others_are_evened_out)
{
	w_up(&w, 128, 4);
	w.rate[0] = 1000000;
	for (uint16_t i = 4; i < 128; i++)
		w.rate[i] = i % 4 == 0 ? 0 : i % 4 == 1 ? 3000 : 1000;
	w_run(&w, PLX_SEC(1));
	eq(w.b.said.why, PLX_BALANCE_WHY_ELEPHANT);
	for (uint16_t l = 1; l < 4; l++)
		ok(w_load(&w, l) < 1.1 * 155000 / 3);
}

T(what_cannot_be_better_is_not_moved)
{
	w_up(&w, 128, 4);
	for (uint16_t i = 0; i < 5; i++)
		w.rate[i] = 50000; /* five on four lcores: one has two */
	w_run(&w, PLX_SEC(60));
	eq(w.moves, 0);
	eq(w.b.said.why, PLX_BALANCE_WHY_GAIN);
	eq(w.b.said.lcore, 0);
}

T(the_most_loaded_lcore_is_relieved_first)
{
	w_up(&w, 128, 8);
	even(10000);
	for (uint16_t i = 0; i < 128; i += 8)
		w.rate[i + 3] *= 3;
	for (uint16_t i = 0; i < 128; i += 8)
		w.rate[i + 5] *= 2;
	while (w_round(&w) != PLX_BALANCE_WHY_MOVES)
		;
	eq(w.b.said.lcore, 3);
	eq(w.b.move[0].from, 3);
	eq(w.b.move[w.b.said.moves - 1].from, 5);
}

T(a_round_has_as_many_moves_as_allowed)
{
	struct plx_balance_conf c;

	w_up(&w, 1024, 4);
	plx_steer_balance_defaults(&c);
	c.moves = 7;
	eq(plx_steer_balance_init(&w.b, &c), 0);
	plx_steer_balance_set(&w.b, PLX_BALANCE_ON);
	all_on(0);
	even(100000);
	w_run(&w, PLX_SEC(5));
	eq(w.most_in_a_round, 7);
	w_run(&w, PLX_SEC(10));
	ok(w_worst(&w) <= 1.1 * 100000);
}

/* --- time and counters -------------------------------------------------------------------------
 */

T(early_calls_change_nothing)
{
	w_up(&w, 128, 4);
	even(100000);
	w_run(&w, PLX_SEC(1));
	w.now += PLX_MS(49);
	eq(w_input(&w), 0);
	eq(w.b.said.why, PLX_BALANCE_WHY_EARLY);
	eq(plx_steer_balance_deadline(&w.b), w.now + PLX_MS(51));
}

T(late_calls_are_as_good)
{
	w_up(&w, 128, 4);
	w_zipf(&w, 1000, 1, 400000);
	w.step = PLX_SEC(30);
	w_run(&w, 5 * w.step);
	ok(w_worst(&w) <= 1.15 * w_best(&w));
	w.step = PLX_SEC(3600) * 24 * 30;
	w_run(&w, 5 * w.step);
	ok(w_worst(&w) <= 1.15 * w_best(&w));
}

T(a_clock_that_goes_back_begins_anew)
{
	w_up(&w, 128, 4);
	even(100000);
	w_run(&w, PLX_SEC(1));
	w.now = PLX_MS(1);
	eq(w_round(&w), PLX_BALANCE_WHY_LEARNING);
}

T(counters_wrap_and_may_begin_anew)
{
	w_up(&w, 128, 4);
	even(100000);
	for (uint16_t i = 0; i < 128; i++)
		w.count[i] = UINT64_MAX - i * 1000;
	w_run(&w, PLX_SEC(30)); /* all have wrapped */
	eq(w.moves, 0);
	ok(plx_steer_balance_rate(&w.b, 7) > 2500 && plx_steer_balance_rate(&w.b, 7) < 4000);
	w.count[7] = 0; /* seen as nothing for one round */
	w_round(&w);
	ok(plx_steer_balance_rate(&w.b, 7) < 4000);
	eq(plx_steer_balance_rate(&w.b, 128), 0);
}

T(any_unit_will_do)
{
	static const double unit[] = {1, 300, 1e5};

	for (size_t i = 0; i < PLX_DIM(unit); i++) {
		w_up(&w, 128, 8);
		w_zipf(&w, 1000, 1, 800000 * unit[i]);
		w_run(&w, PLX_SEC(1));
		ok(w_worst(&w) <= 1.15 * w_best(&w));
	}
}

T(another_size_of_the_map_begins_anew)
{
	w_up(&w, 128, 4);
	even(100000);
	w_run(&w, PLX_SEC(1));
	w.map.size = 64;
	eq(w_round(&w), PLX_BALANCE_WHY_LEARNING);
	w_round(&w);
	eq(plx_steer_balance_rate(&w.b, 64), 0);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

#define BAD(field, v)                                                                              \
	do {                                                                                       \
		plx_steer_balance_defaults(&c);                                                    \
		c.field = v;                                                                       \
		eq(plx_steer_balance_init(&b, &c), -EINVAL);                                       \
	} while (0)

T(a_bad_configuration_is_refused)
{
	static struct plx_balance b;
	struct plx_balance_conf c;

	memset(&b, 0x55, sizeof(b));
	BAD(interval_ns, 0);
	BAD(interval_ns, -1);
	BAD(smooth_ns, 0);
	BAD(rest_ns, PLX_NEVER);
	BAD(stop_permille, 80);
	BAD(start_permille, 1001);
	BAD(gain_permille, 1001);
	BAD(moves, 1);
	BAD(moves, PLX_BALANCE_MOVES_MAX + 1);
	for (size_t i = 0; i < sizeof(b); i++)
		eq(((const uint8_t *)&b)[i], 0x55);
	plx_steer_balance_defaults(&c);
	eq(plx_steer_balance_init(&b, &c), 0);
}

T(bad_input_is_refused)
{
	w_up(&w, 128, 4);
	w.map.size = 127;
	eq(w_input(&w), -EINVAL);
	w.map.size = 2048;
	eq(w_input(&w), -EINVAL);
	w.map.size = 0;
	eq(w_input(&w), -EINVAL);
	w.map.size = 128;
	w.lcores = 0;
	eq(w_input(&w), -EINVAL);
	w.lcores = PLX_STEER_LCORES_MAX + 1;
	eq(w_input(&w), -EINVAL);
	w.lcores = 4;
	w.lcore[3].weight = PLX_BALANCE_WEIGHT_MAX + 1;
	eq(w_input(&w), -EINVAL);
	w.lcore[3] = (struct plx_balance_lcore){1, 1001, 0};
	eq(w_input(&w), -EINVAL);
	w.lcore[3] = (struct plx_balance_lcore){1, 500, 501};
	eq(w_input(&w), -EINVAL);
	w.lcore[3] = (struct plx_balance_lcore){1, 500, 500};
	eq(w_input(&w), 0);
	eq(rounds(PLX_BALANCE_WHY_LEARNING), 1);
}

RUN(T_(wrong_balance_two_heavy_buckets_do_not_share_an_lcore),
	T_(wrong_balance_load_is_what_packets_cost_not_their_number),
	T_(wrong_balance_what_no_bucket_brings_counts),
	T_(wrong_balance_moves_under_way_do_not_make_packets_dear),
	T_(silently_off_an_lcore_that_cannot_be_left_is_asked_for_seldom),
	T_(after_idle_the_spread_is_as_it_was),
	T_(lcores_that_are_hardly_busy_are_idle_however_many_packets),
	T_(a_burst_on_the_first_lcore_alone_is_spread_within_a_second),
	T_(flapping_chance_alone_moves_nothing), T_(flapping_load_at_the_threshold_moves_once),
	T_(flapping_load_that_comes_and_goes_moves_a_bucket_seldom),
	T_(flapping_a_load_that_changes_each_round_is_not_followed_at_all),
	T_(flapping_an_elephant_does_not_bounce),
	T_(flapping_an_elephant_stays_and_the_others_leave),
	T_(an_elephant_settles_where_nobody_is),
	T_(silently_off_each_round_has_its_reason_and_is_counted),
	T_(silently_off_moves_that_nobody_makes_are_told),
	T_(silently_off_busy_lcores_without_counts_are_told),
	T_(silently_off_advice_is_given_and_nothing_else), T_(each_reason_has_a_name_and_words),
	T_(an_lcore_that_is_to_own_nothing_is_left),
	T_(idle_or_not_an_lcore_that_went_is_left_and_the_others_share),
	T_(an_lcore_that_comes_gets_its_part), T_(a_lone_lcore_has_nobody_to_give_to),
	T_(a_faster_lcore_gets_more), T_(what_is_pinned_stays),
	T_(what_is_on_its_way_counts_where_it_goes_and_is_not_asked_for_again),
	T_(a_bucket_that_somebody_moved_is_left_there_for_a_while), T_(two_elephants_part_and_stay),
	T_(beside_an_elephant_the_others_are_evened_out), T_(what_cannot_be_better_is_not_moved),
	T_(the_most_loaded_lcore_is_relieved_first), T_(a_round_has_as_many_moves_as_allowed),
	T_(early_calls_change_nothing), T_(late_calls_are_as_good),
	T_(a_clock_that_goes_back_begins_anew), T_(counters_wrap_and_may_begin_anew),
	T_(any_unit_will_do), T_(another_size_of_the_map_begins_anew),
	T_(a_bad_configuration_is_refused), T_(bad_input_is_refused))
