/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

static struct plx_lcore_set set(const char *text)
{
	struct plx_lcore_set s;

	eq(plx_lcore_set_parse(&s, text), 0);
	return s;
}

T(a_map_has_those_wanted_that_are_online_in_order)
{
	struct plx_lcore_set want = set("7,1-3,200"), online = set("0-2,7,200-255");
	struct plx_rps_map m;

	plx_steer_rps_set(&m, &want, &online);
	eq(m.len, 4);
	eq(m.lcore[0], 1);
	eq(m.lcore[1], 2);
	eq(m.lcore[2], 7);
	eq(m.lcore[3], 200);
	online = set("9");
	plx_steer_rps_set(&m, &want, &online);
	eq(m.len, 0);
}

T(a_hash_is_scaled_not_cut)
{
	struct plx_lcore_set all = set("0-3");
	struct plx_rps_map m;

	plx_steer_rps_set(&m, &all, &all);
	eq(plx_steer_rps(&m, 1, &all), 0);
	eq(plx_steer_rps(&m, 0x3fffffff, &all), 0);
	eq(plx_steer_rps(&m, 0x40000000, &all), 1);
	eq(plx_steer_rps(&m, 0xbfffffff, &all), 2);
	eq(plx_steer_rps(&m, 0xffffffff, &all), 3);
}

T(without_a_hash_or_a_map_it_stays)
{
	struct plx_lcore_set all = set("0-3");
	struct plx_rps_map m;

	plx_steer_rps_set(&m, &all, &all);
	eq(plx_steer_rps(&m, 0, &all), PLX_STEER_NO_LCORE);
	m.len = 0;
	eq(plx_steer_rps(&m, 1, &all), PLX_STEER_NO_LCORE);
}

/* The model: the map as a list, the place as a fraction of the numbers there are. */
T(offline_lcores_are_skipped_not_replaced)
{
	struct plx_rng rng;
	unsigned int stayed = 0, went = 0;

	plx_rng_init(&rng, t_seed(5));
	for (int round = 0; round < 400; round++) {
		bool on[PLX_STEER_LCORES_MAX] = {0};
		struct plx_lcore_set want = {0}, all, online = {0};
		struct plx_rps_map m;
		unsigned int list[PLX_STEER_LCORES_MAX], n = 0;

		plx_lcore_set_first(&all, PLX_STEER_LCORES_MAX);
		for (uint16_t i = 0; i < PLX_STEER_LCORES_MAX; i++) {
			if (plx_rng_below(&rng, 40) == 0) {
				plx_lcore_set_add(&want, i);
				list[n++] = i;
			}
			on[i] = plx_rng_below(&rng, 4) != 0;
			if (on[i])
				plx_lcore_set_add(&online, i);
		}
		plx_steer_rps_set(&m, &want, &all);
		eq(m.len, n);
		for (int i = 0; i < 50 && n; i++) {
			uint32_t hash = plx_rng_u32(&rng) | 1;
			unsigned int pick = list[(unsigned int)((double)hash * n / 4294967296.0)];
			uint16_t got = plx_steer_rps(&m, hash, &online);

			eq(got, on[pick] ? pick : PLX_STEER_NO_LCORE);
			on[pick] ? went++ : stayed++;
		}
	}
	ok(stayed > 1000 && went > 1000);
}

T(sets_are_written_as_lists)
{
	struct plx_lcore_set s = set("0");

	ok(plx_lcore_set_has(&s, 0));
	ok(!plx_lcore_set_has(&s, 1));
	s = set("255,63-64");
	ok(plx_lcore_set_has(&s, 63) && plx_lcore_set_has(&s, 64) && plx_lcore_set_has(&s, 255));
	ok(!plx_lcore_set_has(&s, 65) && !plx_lcore_set_has(&s, 62));
	ok(!plx_lcore_set_has(&s, 256) && !plx_lcore_set_has(&s, PLX_STEER_NO_LCORE));
	plx_lcore_set_del(&s, 64);
	ok(!plx_lcore_set_has(&s, 64) && plx_lcore_set_has(&s, 63));
}

T(lists_that_are_none_are_refused)
{
	static const char *const bad[] = {"", ",", "1,", ",1", "1-", "-1", "2-1", "256", "0-256",
		"1 2", "a", "1-2-3", "99999999999", "+1", "0x1"};

	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		struct plx_lcore_set s = {{7}};

		print_message("'%s'\n", bad[i]);
		eq(plx_lcore_set_parse(&s, bad[i]), -EINVAL);
		eq(s.w[0], 7);
	}
}

RUN(T_(a_map_has_those_wanted_that_are_online_in_order), T_(a_hash_is_scaled_not_cut),
	T_(without_a_hash_or_a_map_it_stays), T_(offline_lcores_are_skipped_not_replaced),
	T_(sets_are_written_as_lists), T_(lists_that_are_none_are_refused))
