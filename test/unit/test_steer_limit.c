/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

static uint8_t mem[PLX_FLOW_LIMIT_BUCKETS_MAX];

static struct plx_flow_limit limit(uint32_t buckets)
{
	struct plx_flow_limit l;

	eq(plx_steer_limit_init(&l, mem, buckets), 0);
	return l;
}

T(a_flow_alone_is_dropped_from_its_65th_packet_on)
{
	struct plx_flow_limit l = limit(PLX_FLOW_LIMIT_BUCKETS);

	for (int i = 0; i < 64; i++)
		ok(!plx_steer_limit(&l, 0x1234567, 600, 1000));
	for (int i = 0; i < 200; i++)
		ok(plx_steer_limit(&l, 0x1234567, 600, 1000));
	eq(l.count, 200);
}

T(what_is_forgotten_is_not_held_against_a_flow)
{
	struct plx_flow_limit l = limit(PLX_FLOW_LIMIT_BUCKETS);

	for (int i = 0; i < 100; i++)
		plx_steer_limit(&l, 0x1234567, 600, 1000);
	plx_steer_limit_forget(&l);
	eq(l.count, 36); /* stays */
	for (int i = 0; i < 64; i++)
		ok(!plx_steer_limit(&l, 0x1234567, 600, 1000));
	ok(plx_steer_limit(&l, 0x1234567, 600, 1000));
	eq(l.count, 37);
}

T(below_half_of_the_backlog_nothing_is_noted)
{
	struct plx_flow_limit l = limit(PLX_FLOW_LIMIT_BUCKETS), before = l;

	for (int i = 0; i < 200; i++)
		ok(!plx_steer_limit(&l, 1, 499, 1000));
	mem_eq(&l, &before, sizeof(l));
	for (int i = 0; i < 64; i++)
		ok(!plx_steer_limit(&l, 1, 500, 1001)); /* 1001 / 2 */
	ok(plx_steer_limit(&l, 1, 500, 1000));
}

T(two_flows_that_share_evenly_both_pass)
{
	struct plx_flow_limit l = limit(PLX_FLOW_LIMIT_BUCKETS);

	ne(plx_steer_hash_slot(1, l.log), plx_steer_hash_slot(2, l.log));
	for (int i = 0; i < 1000; i++)
		ok(!plx_steer_limit(&l, 1 + (uint32_t)(i & 1), 1000, 1000));
	eq(l.count, 0);
}

T(a_small_flow_passes_beside_a_large_one)
{
	struct plx_flow_limit l = limit(PLX_FLOW_LIMIT_BUCKETS);

	for (int i = 0; i < 2000; i++)
		if (i % 10 == 0)
			ok(!plx_steer_limit(&l, 2, 1000, 1000));
		else
			plx_steer_limit(&l, 1, 1000, 1000);
	ok(l.count > 1500);
}

T(without_buckets_nothing_is_limited)
{
	struct plx_flow_limit l = {0};
	uint32_t n;

	for (int i = 0; i < 300; i++)
		ok(!plx_steer_limit(&l, 1, 1000, 1000));
	ok(!plx_steer_limit_look(&l, 1, 1000, 1000, &n));
	eq(n, 0);
}

/* The model: buckets of all packets noted, of which the last 128 are counted anew each time. */
struct model {
	uint32_t buckets, max_backlog;
	unsigned int seen[2000], n; /* of noted packets */
	uint32_t count;
};

static struct model model;

static unsigned int in_bucket(unsigned int bucket)
{
	unsigned int n = 0, first = model.n > 128 ? model.n - 128 : 0;

	for (unsigned int i = first; i < model.n; i++)
		n += model.seen[i] == bucket;
	return n;
}

static bool model_drops(uint32_t hash, uint32_t qlen)
{
	unsigned int log = 0, bucket, n;

	while (1u << log < model.buckets)
		log++;
	bucket = log ? (hash * 0x61c88647u) >> (32 - log) : 0;
	if (qlen < model.max_backlog / 2)
		return false;
	model.seen[model.n++] = bucket;
	n = in_bucket(bucket);
	model.count += n > 64;
	return n > 64;
}

T(it_drops_what_a_list_of_the_last_128_says)
{
	static const uint32_t sizes[] = {16, 256, 4096, 65536};
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(11));
	for (int round = 0; round < 24; round++) {
		struct plx_flow_limit l = limit(sizes[round % 4]);
		uint32_t heavy = plx_rng_u32(&rng), share = (uint32_t)plx_rng_below(&rng, 100);

		model = (struct model){.buckets = sizes[round % 4],
			.max_backlog = 1 + (uint32_t)plx_rng_below(&rng, 2000)};
		for (int i = 0; i < 2000; i++) {
			bool big = plx_rng_below(&rng, 100) < share;
			uint32_t hash = big ? heavy : 1 + (uint32_t)plx_rng_below(&rng, 30), n;
			uint32_t qlen = (uint32_t)plx_rng_below(&rng, model.max_backlog + 1);
			bool would, does;

			/* Bucket 0 is Linux's special case, in the next test. */
			if (plx_steer_hash_slot(hash, l.log) == 0)
				continue;
			would = plx_steer_limit_look(&l, hash, qlen, model.max_backlog, &n);
			eq(n, in_bucket(plx_steer_hash_slot(hash, l.log)));
			does = plx_steer_limit(&l, hash, qlen, model.max_backlog);
			eq(does, model_drops(hash, qlen));
			eq(does, would);
			eq(l.count, model.count);
		}
	}
}

/* As in Linux: each of the first 128 packets pushes out a packet of bucket 0 that never was. */
T(bucket_0_is_undercounted_until_the_history_is_full)
{
	struct plx_flow_limit l = limit(4096);

	eq(plx_steer_hash_slot(0, l.log), 0);
	for (int i = 0; i < 128; i++)
		ok(!plx_steer_limit(&l, 0, 1000, 1000)); /* each takes the one before with it */
	eq(l.bucket[0], 1);
	for (int i = 0; i < 128; i++)
		ok(!plx_steer_limit(&l, 0, 1000, 1000));
	eq(l.bucket[0], 1);
}

T(sizes_that_are_no_power_of_two_are_refused)
{
	static const uint32_t bad[] = {0, 3, 4095, 65537, 131072, UINT32_MAX};
	struct plx_flow_limit l = {.count = 7};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		eq(plx_steer_limit_init(&l, mem, bad[i]), -EINVAL);
	eq(l.count, 7);
	l = limit(1);
	for (int i = 0; i < 300; i++)
		plx_steer_limit(&l, (uint32_t)i, 1, 1);
	eq(l.log, 0);
}

RUN(T_(what_is_forgotten_is_not_held_against_a_flow),
	T_(a_flow_alone_is_dropped_from_its_65th_packet_on),
	T_(below_half_of_the_backlog_nothing_is_noted), T_(two_flows_that_share_evenly_both_pass),
	T_(a_small_flow_passes_beside_a_large_one), T_(without_buckets_nothing_is_limited),
	T_(it_drops_what_a_list_of_the_last_128_says),
	T_(bucket_0_is_undercounted_until_the_history_is_full),
	T_(sizes_that_are_no_power_of_two_are_refused))
