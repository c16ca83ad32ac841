/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_rng.h>
#include <plx_base_seq.h>

T(order_holds_across_the_wrap)
{
	static const uint32_t starts[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint32_t steps[] = {1, 2, 1000, 0x3fffffff, 0x7fffffff};

	for (size_t i = 0; i < PLX_DIM(starts); i++) {
		uint32_t a = starts[i];

		ok(plx_seq_le(a, a) && plx_seq_ge(a, a) && !plx_seq_lt(a, a) && !plx_seq_gt(a, a));
		for (size_t j = 0; j < PLX_DIM(steps); j++) {
			uint32_t b = a + steps[j];

			ok(plx_seq_lt(a, b) && plx_seq_le(a, b) && plx_seq_gt(b, a) &&
				plx_seq_ge(b, a));
			ok(!plx_seq_lt(b, a) && !plx_seq_le(b, a) && !plx_seq_gt(a, b) &&
				!plx_seq_ge(a, b));
			eq(plx_seq_max(a, b), b);
			eq(plx_seq_max(b, a), b);
			eq(plx_seq_min(a, b), a);
			eq(plx_seq_min(b, a), a);
			eq(plx_seq_diff(b, a), (int32_t)steps[j]);
			eq(plx_seq_diff(a, b), -(int32_t)steps[j]);
		}
	}
}

/* RFC 1982 3.2 leaves the order of these undefined; ours is as the header says. */
T(half_the_circle_apart)
{
	ok(plx_seq_lt(0, 0x80000000) && plx_seq_lt(0x80000000, 0));
	ok(plx_seq_gt(0, 0x80000000) && plx_seq_gt(0x80000000, 0));
}

T(ranges_are_half_open)
{
	ok(plx_seq_in_range(10, 10, 11));
	ok(!plx_seq_in_range(11, 10, 11));
	ok(!plx_seq_in_range(9, 10, 11));
	ok(!plx_seq_in_range(10, 10, 10)); /* empty */
	ok(plx_seq_in_range(5, 0xfffffff0, 6));
	ok(plx_seq_in_range(0xfffffff0, 0xfffffff0, 6));
	ok(!plx_seq_in_range(6, 0xfffffff0, 6));
	ok(plx_seq_in_range(0xfffffffe, 0, 0xffffffff)); /* longer than half the circle */
}

/* Serial numbers of 64-bit offsets compare as the offsets do. */
T(agrees_with_offsets)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 100000; i++) {
		uint64_t a = plx_rng_u64(&r) >> 1, b = a + plx_rng_below(&r, 0x80000000);
		uint64_t c = a + plx_rng_below(&r, 0x80000000);
		uint32_t sa = (uint32_t)a, sb = (uint32_t)b, sc = (uint32_t)c;

		eq(plx_seq_lt(sb, sc), b < c);
		eq(plx_seq_le(sb, sc), b <= c);
		eq(plx_seq_gt(sb, sc), b > c);
		eq(plx_seq_ge(sb, sc), b >= c);
		eq(plx_seq_max(sb, sc), (uint32_t)PLX_MAX(b, c));
		eq(plx_seq_min(sb, sc), (uint32_t)PLX_MIN(b, c));
		eq(plx_seq_in_range(sc, sa, sb), c < b);
	}
}

RUN(T_(order_holds_across_the_wrap), T_(half_the_circle_apart), T_(ranges_are_half_open),
	T_(agrees_with_offsets))
