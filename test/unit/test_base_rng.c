/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_rng.h>

/* The values that the authors' reference programs print. */
T(known_sequences)
{
	static const uint64_t splitmix[4] = {6457827717110365317u, 3203168211198807973u,
		9817491932198370423u, 4593380528125082431u};
	static const uint64_t xoshiro[10] = {11520u, 0u, 1509978240u, 1215971899390074240u,
		1216172134540287360u, 607988272756665600u, 16172922978634559625u,
		8476171486693032832u, 10595114339597558777u, 2904607092377533576u};
	struct plx_rng r;

	plx_rng_init(&r, 1234567);
	for (int i = 0; i < 4; i++)
		eq(r.s[i], splitmix[i]);
	r = (struct plx_rng){{1, 2, 3, 4}};
	for (int i = 0; i < 10; i++)
		eq(plx_rng_u64(&r), xoshiro[i]);
}

T(same_seed_same_sequence)
{
	struct plx_rng a, b, c;
	bool differs = false;

	plx_rng_init(&a, 0);
	plx_rng_init(&b, 0);
	plx_rng_init(&c, 1);
	for (int i = 0; i < 100; i++) {
		uint64_t v = plx_rng_u64(&a);

		eq(plx_rng_u64(&b), v);
		differs |= plx_rng_u64(&c) != v;
	}
	ok(differs);
}

T(below_stays_below)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 10000; i++) {
		uint64_t n = plx_rng_u64(&r) >> i % 64;

		if (n)
			ok(plx_rng_below(&r, n) < n);
	}
	for (int i = 0; i < 100; i++) {
		eq(plx_rng_below(&r, 1), 0);
		eq(plx_rng_below(&r, 0), 0);
	}
}

/*
 * With n = 3/4 of 2^64, scaling alone makes multiples of 3 twice as likely as the rest, and a
 * remainder makes the lowest third twice as likely. 60,000 draws: 20,000 each, deviation 115.
 */
T(below_has_no_bias)
{
	uint64_t n = UINT64_C(3) << 62;
	int mod[3] = {0}, third[3] = {0}, dice[6] = {0};
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	for (int i = 0; i < 60000; i++) {
		uint64_t v = plx_rng_below(&r, n);

		mod[v % 3]++;
		third[v >> 62]++;
		dice[plx_rng_below(&r, 6)]++;
	}
	for (int i = 0; i < 3; i++) {
		assert_in_range(mod[i], 19300, 20700);
		assert_in_range(third[i], 19300, 20700);
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(dice[i], 9400, 10600);
}

T(doubles_and_chances)
{
	struct plx_rng r;
	double sum = 0;
	int hits = 0;

	plx_rng_init(&r, t_seed(3));
	for (int i = 0; i < 100000; i++) {
		double d = plx_rng_double(&r);

		ok(d >= 0 && d < 1);
		sum += d;
		hits += plx_rng_chance(&r, 0.01);
		ok(!plx_rng_chance(&r, 0));
		ok(plx_rng_chance(&r, 1));
	}
	ok(sum > 49500 && sum < 50500);
	assert_in_range(hits, 800, 1200);
	/* All bits set is the largest there is, and still below 1. */
	r = (struct plx_rng){{0, 0, 0, 0}};
	ok(plx_rng_double(&r) == 0);
}

T(bytes_are_the_words_and_no_more)
{
	for (size_t len = 0; len < 40; len++) {
		uint8_t got[48], want[48];
		struct plx_rng a, b;

		memset(got, 0xa5, sizeof(got));
		plx_rng_init(&a, len);
		b = a;
		plx_rng_bytes(&a, got, len);
		for (size_t i = 0; i < 48; i += 8) {
			uint64_t w = plx_rng_u64(&b);

			memcpy(want + i, &w, 8);
		}
		mem_eq(got, want, len);
		for (size_t i = len; i < sizeof(got); i++)
			eq(got[i], 0xa5);
	}
}

RUN(T_(known_sequences), T_(same_seed_same_sequence), T_(below_stays_below), T_(below_has_no_bias),
	T_(doubles_and_chances), T_(bytes_are_the_words_and_no_more))
