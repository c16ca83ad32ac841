/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

#define SLOTS  64
#define LCORES 6

static uint32_t mem[1024];
static struct plx_owner_flows f;

static void up(void)
{
	eq(plx_steer_flows_init(&f, mem, SLOTS, LCORES), 0);
}

/* All bits of the hash count, those that the lcore has taken the place of too. */
T(a_flow_is_its_whole_hash)
{
	const uint32_t hash = 0x51ccc178;

	up();
	eq(plx_steer_flows_find(&f, hash), PLX_STEER_NO_LCORE);
	eq(plx_steer_flows_set(&f, hash, 4), 0);
	eq(f.used, 1);
	eq(plx_steer_flows_find(&f, hash), 4);
	for (int bit = 0; bit < 32; bit++)
		eq(plx_steer_flows_find(&f, hash ^ UINT32_C(1) << bit), PLX_STEER_NO_LCORE);
	eq(plx_steer_flows_set(&f, hash, 0), 0);
	eq(f.used, 1);
	eq(plx_steer_flows_find(&f, hash), 0);
	plx_steer_flows_clear(&f, hash ^ 1u << 31);
	eq(plx_steer_flows_find(&f, hash), 0);
	plx_steer_flows_clear(&f, hash);
	plx_steer_flows_clear(&f, hash);
	eq(f.used, 0);
	eq(plx_steer_flows_find(&f, hash), PLX_STEER_NO_LCORE);
}

/* The first has the slot. */
T(two_flows_in_a_slot)
{
	up();
	eq(plx_steer_flows_set(&f, 0x10000007, 1), 0);
	ok(!plx_steer_flows_can(&f, 0x20000007));
	eq(plx_steer_flows_set(&f, 0x20000007, 2), -ENOSPC);
	eq(plx_steer_flows_find(&f, 0x20000007), PLX_STEER_NO_LCORE);
	eq(plx_steer_flows_find(&f, 0x10000007), 1);
	ok(plx_steer_flows_can(&f, 0x10000007));
	ok(plx_steer_flows_can(&f, 0x20000008));
	plx_steer_flows_clear(&f, 0x10000007);
	eq(plx_steer_flows_set(&f, 0x20000007, 2), 0);
	eq(plx_steer_flows_find(&f, 0x20000007), 2);
}

/* No hash is taken for known in an empty table; each can be told in it. */
T(any_hash)
{
	const uint32_t hash[] = {0, 1, UINT32_MAX, UINT32_MAX - 1, 0xffff, 0x80000000};

	for (size_t i = 0; i < PLX_DIM(hash); i++) {
		uint32_t what;
		uint16_t lcore;

		up();
		eq(plx_steer_flows_set(&f, hash[i] ^ 0x20, 0), 0); /* another: used is not 0 */
		for (size_t j = 0; j < PLX_DIM(hash); j++)
			eq(plx_steer_flows_find(&f, hash[j]), PLX_STEER_NO_LCORE);
		eq(plx_steer_flows_set(&f, hash[i], LCORES - 1), 0);
		eq(plx_steer_flows_find(&f, hash[i]), LCORES - 1);
		ok(plx_steer_flows_at(&f, hash[i] % SLOTS, &what, &lcore));
		eq(what, hash[i]);
		eq(lcore, LCORES - 1);
	}
}

T(the_bucket_decides_for_the_others)
{
	static const uint16_t lcores[] = {3, 5};
	struct plx_owner_map m;

	up();
	eq(plx_steer_owner_init(&m, 128, lcores, 2), 0);
	eq(plx_steer_flows_owner(&f, &m, 0x101), 5);
	eq(plx_steer_flows_set(&f, 0x101, 2), 0);
	eq(plx_steer_flows_owner(&f, &m, 0x101), 2);
	eq(plx_steer_flows_owner(&f, &m, 0x201), 5);
	eq(plx_steer_owner_set(&m, 1, 3), 0);
	eq(plx_steer_flows_owner(&f, &m, 0x101), 2);
	plx_steer_flows_clear(&f, 0x101);
	eq(plx_steer_flows_owner(&f, &m, 0x101), 3);
}

T(bad_tables_are_refused)
{
	struct plx_owner_flows g = {.mask = 9};

	eq(plx_steer_flows_init(&g, mem, 100, 2), -EINVAL);
	eq(plx_steer_flows_init(&g, mem, 0, 2), -EINVAL);
	eq(plx_steer_flows_init(&g, mem, 64, 0), -EINVAL);
	eq(plx_steer_flows_init(&g, mem, 1024, PLX_STEER_LCORES_MAX + 1), -EINVAL);
	eq(plx_steer_flows_init(&g, mem, 4, 4), -EINVAL); /* as many slots as numbers */
	eq(plx_steer_flows_init(&g, mem, PLX_OWNER_FLOWS_MAX * 2, 4), -EINVAL);
	eq(g.mask, 9);
	eq(plx_steer_flows_init(&g, mem, 8, 4), 0);
	eq(plx_steer_flows_init(&g, mem, 1024, PLX_STEER_LCORES_MAX), 0);
}

/* Against a list of who has which slot. */
T(any_order)
{
	struct {
		uint32_t hash;
		uint16_t lcore;
		bool is;
	} model[SLOTS] = {0};
	struct plx_rng rng;
	uint32_t used = 0;

	plx_rng_init(&rng, t_seed(1));
	up();
	for (int i = 0; i < 100000; i++) {
		/* few, so that they meet */
		uint32_t hash = (uint32_t)plx_rng_u64(&rng) & 0xc000007f, slot = hash % SLOTS;
		uint16_t lcore = (uint16_t)(plx_rng_u64(&rng) % LCORES);
		bool mine = model[slot].is && model[slot].hash == hash;

		if (plx_rng_u64(&rng) % 2) {
			bool can = mine || !model[slot].is;

			eq(plx_steer_flows_set(&f, hash, lcore), can ? 0 : -ENOSPC);
			if (can) {
				used += !mine;
				model[slot].hash = hash;
				model[slot].lcore = lcore;
				model[slot].is = true;
			}
		} else {
			plx_steer_flows_clear(&f, hash);
			used -= mine;
			model[slot].is &= !mine;
		}
		hash ^= (uint32_t)(plx_rng_u64(&rng) % 2) << 30;
		eq(plx_steer_flows_find(&f, hash), model[slot].is && model[slot].hash == hash
							   ? model[slot].lcore
							   : PLX_STEER_NO_LCORE);
		eq(f.used, used);
	}
}

RUN(T_(a_flow_is_its_whole_hash), T_(two_flows_in_a_slot), T_(any_hash),
	T_(the_bucket_decides_for_the_others), T_(bad_tables_are_refused), T_(any_order))
