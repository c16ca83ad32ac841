/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include "../../app/hist.h"

static struct hist h, other;

static void clear(void)
{
	h = (struct hist){0};
	other = (struct hist){0};
}

T(small_values_are_exact)
{
	clear();
	for (uint64_t v = 0; v < 2048; v++) {
		eq(hist_index(v), v);
		eq(hist_upper(hist_index(v)), v);
		hist_record(&h, v);
	}
	eq(h.count, 2048);
	eq(h.min, 0);
	eq(h.max, 2047);
	eq(hist_percentile(&h, 50), 1023);
	eq(hist_percentile(&h, 0), 0);
	eq(hist_percentile(&h, 100), 2047);
	ok(hist_mean(&h) == 1023.5);
}

T(buckets_follow_each_other)
{
	for (uint32_t i = 1; i < HIST_BUCKETS; i++) {
		eq(hist_index(hist_upper(i)), i);
		eq(hist_index(hist_upper(i - 1) + 1), i);
	}
	eq(hist_upper(HIST_BUCKETS - 1), (1ull << HIST_BITS) - 1);
}

T(a_value_is_known_to_a_thousandth)
{
	for (uint64_t v = 1; v < 1ull << HIST_BITS; v += v / 7 + 1) {
		uint64_t upper = hist_upper(hist_index(v));

		ok(upper >= v);
		ok((upper - v) * 1000 <= v);
	}
}

T(what_is_too_long_is_in_the_last_bucket)
{
	clear();
	hist_record(&h, UINT64_MAX);
	hist_record(&h, 1ull << HIST_BITS);
	eq(h.bucket[HIST_BUCKETS - 1], 2);
	ok(hist_percentile(&h, 50) == UINT64_MAX); /* no less is known */
}

T(percentiles_are_not_below)
{
	clear();
	for (int i = 0; i < 999; i++)
		hist_record(&h, 100);
	hist_record(&h, 5000000);
	eq(hist_percentile(&h, 50), 100);
	eq(hist_percentile(&h, 99.9), 100);
	eq(hist_percentile(&h, 99.91), 5000000); /* the highest is exact */
	eq(hist_percentile(&h, 100), 5000000);
}

T(of_none_all_is_0)
{
	clear();
	eq(hist_percentile(&h, 50), 0);
	eq(hist_percentile(&h, 100), 0);
	ok(hist_mean(&h) == 0);
	hist_merge(&h, &other);
	eq(h.count, 0);
	eq(h.min, 0);
}

T(merged_they_are_as_one)
{
	static struct hist all;
	struct plx_rng rng;

	clear();
	all = h;
	plx_rng_init(&rng, t_seed(1));
	for (int i = 0; i < 100000; i++) {
		uint64_t v = plx_rng_u64(&rng) >> (24 + plx_rng_below(&rng, 40));

		hist_record(i % 3 ? &h : &other, v);
		hist_record(&all, v);
	}
	hist_merge(&h, &other);
	mem_eq(&h, &all, sizeof(h));
	other = (struct hist){0};
	hist_merge(&h, &other);
	mem_eq(&h, &all, sizeof(h));
}

/* As sorting them says, but for the thousandth. */
T(percentiles_are_those_of_a_sorted_list)
{
	static const double percent[] = {0.1, 1, 10, 50, 90, 99, 99.9, 99.99, 100};
	static uint64_t v[2000];
	struct plx_rng rng;

	clear();
	plx_rng_init(&rng, t_seed(2));
	for (size_t i = 0; i < PLX_DIM(v); i++) {
		uint64_t n = plx_rng_u64(&rng) >> (30 + plx_rng_below(&rng, 30));
		size_t at = i;

		hist_record(&h, n);
		for (; at > 0 && v[at - 1] > n; at--)
			v[at] = v[at - 1];
		v[at] = n;
	}
	for (size_t i = 0; i < PLX_DIM(percent); i++) {
		double rank = 2000 * percent[i] / 100;
		uint64_t exact = v[(size_t)rank + ((double)(size_t)rank < rank) - 1];
		uint64_t said = hist_percentile(&h, percent[i]);

		ok(said >= exact);
		ok((said - exact) * 1000 <= exact);
	}
}

RUN(T_(small_values_are_exact), T_(buckets_follow_each_other), T_(a_value_is_known_to_a_thousandth),
	T_(what_is_too_long_is_in_the_last_bucket), T_(percentiles_are_not_below),
	T_(of_none_all_is_0), T_(merged_they_are_as_one),
	T_(percentiles_are_those_of_a_sorted_list))
