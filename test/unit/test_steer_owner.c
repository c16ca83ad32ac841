/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_steer.h>

static const uint16_t lcores[] = {3, 5, 9};

T(buckets_go_round_the_lcores_as_the_reta_goes_round_the_queues)
{
	struct plx_owner_map m;
	struct plx_reta r;

	eq(plx_steer_owner_init(&m, 128, lcores, 3), 0);
	eq(plx_steer_reta_equal(&r, 128, 0, 3), 0);
	for (uint32_t h = 0; h < 1000; h++)
		eq(plx_steer_owner(&m, h), lcores[plx_steer_reta_queue(&r, h)]);
}

T(one_bucket_moves_and_no_other)
{
	struct plx_owner_map m;

	eq(plx_steer_owner_init(&m, 128, lcores, 3), 0);
	eq(plx_steer_owner_bucket(&m, 0x51ccc178), 0x78);
	eq(plx_steer_owner_set(&m, 0x78, 7), 0);
	eq(plx_steer_owner(&m, 0x51ccc178), 7);
	for (uint16_t b = 0; b < 128; b++)
		if (b != 0x78)
			eq(plx_steer_owner(&m, b), lcores[b % 3]);
}

T(bad_maps_are_refused_and_leave_no_trace)
{
	struct plx_owner_map m = {.size = 9};

	eq(plx_steer_owner_init(&m, 0, lcores, 3), -EINVAL);
	eq(plx_steer_owner_init(&m, 100, lcores, 3), -EINVAL);
	eq(plx_steer_owner_init(&m, 2048, lcores, 3), -EINVAL);
	eq(plx_steer_owner_init(&m, 128, lcores, 0), -EINVAL);
	eq(m.size, 9);
	eq(plx_steer_owner_init(&m, 1, lcores, 3), 0);
	eq(plx_steer_owner(&m, UINT32_MAX), 3);
	eq(plx_steer_owner_set(&m, 1, 3), -EINVAL);
}

static uint32_t count(const uint16_t *want, uint16_t size, uint16_t lcore)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < size; i++)
		n += want[i] == lcore;
	return n;
}

static uint32_t moved(const struct plx_owner_map *m, const uint16_t *want)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < m->size; i++)
		n += want[i] != m->lcore[i];
	return n;
}

T(shares)
{
	static const uint16_t four[] = {0, 1, 2, 3}, two[] = {0, 2};
	static const uint32_t weight[] = {1, 3, 0, 4}, none[] = {0, 0};
	uint16_t want[PLX_OWNER_BUCKETS_MAX];
	struct plx_owner_map m;

	eq(plx_steer_owner_init(&m, 128, four, 4), 0);
	/* as it is */
	eq(plx_steer_owner_share(&m, want, four, NULL, 4), 0);
	eq(moved(&m, want), 0);
	/* two go: theirs are shared, the others keep what they have */
	eq(plx_steer_owner_share(&m, want, two, NULL, 2), 0);
	eq(moved(&m, want), 64);
	eq(count(want, 128, 0), 64);
	eq(count(want, 128, 2), 64);
	/* and come back */
	for (uint16_t i = 0; i < 128; i++)
		plx_steer_owner_set(&m, i, want[i]);
	eq(plx_steer_owner_share(&m, want, four, NULL, 4), 0);
	eq(moved(&m, want), 64);
	for (uint16_t i = 0; i < 4; i++)
		eq(count(want, 128, i), 32);
	eq(plx_steer_owner_share(&m, want, four, weight, 4), 0);
	eq(count(want, 128, 0), 16);
	eq(count(want, 128, 1), 48);
	eq(count(want, 128, 2), 0);
	eq(count(want, 128, 3), 64);
	/* fewer buckets than lcores */
	eq(plx_steer_owner_init(&m, 2, two, 2), 0);
	eq(plx_steer_owner_share(&m, want, four, NULL, 4), 0);
	ok(want[0] != want[1]);

	eq(plx_steer_owner_share(&m, want, four, NULL, 0), -EINVAL);
	eq(plx_steer_owner_share(&m, want, two, none, 2), -EINVAL);
	eq(plx_steer_owner_share(&m, want, (const uint16_t[]){1, 1}, NULL, 2), -EINVAL);
}

/* Of whatever there was: none moves that need not, and each has its part. */
T(random_shares)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(3));
	for (int i = 0; i < 2000; i++) {
		uint16_t size = (uint16_t)(1u << plx_rng_below(&r, 11)), some[64], want[1024];
		uint16_t n = (uint16_t)(1 + plx_rng_below(&r, 64));
		uint32_t weight[64], all = 0, excess = 0;
		struct plx_owner_map m = {.size = size};

		for (uint16_t k = 0; k < n; k++) {
			some[k] = k;
			weight[k] = (uint32_t)plx_rng_below(&r, 5);
			all += weight[k];
		}
		for (uint16_t b = 0; b < size; b++)
			m.lcore[b] = (uint16_t)plx_rng_below(&r, 64);
		if (!all) {
			eq(plx_steer_owner_share(&m, want, some, weight, n), -EINVAL);
			continue;
		}
		eq(plx_steer_owner_share(&m, want, some, weight, n), 0);
		for (uint16_t k = 0; k < 64; k++) {
			uint32_t has = count(m.lcore, size, k), gets = count(want, size, k);

			if (k < n)
				ok((gets + 1) * all >= weight[k] * size &&
					gets * all <= weight[k] * size + all);
			else
				eq(gets, 0);
			excess += has > gets ? has - gets : 0;
		}
		eq(moved(&m, want), excess);
	}
}

RUN(T_(shares), T_(random_shares),
	T_(buckets_go_round_the_lcores_as_the_reta_goes_round_the_queues),
	T_(one_bucket_moves_and_no_other), T_(bad_maps_are_refused_and_leave_no_trace))
