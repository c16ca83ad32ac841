/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_steer_reta.h>

static unsigned int share(const struct plx_reta *r, uint16_t q)
{
	unsigned int n = 0;

	for (int i = 0; i < r->size; i++)
		n += r->q[i] == q;
	return n;
}

T(equal_goes_round)
{
	struct plx_reta r;

	eq(plx_steer_reta_equal(&r, 128, 0, 3), 0);
	eq(r.size, 128);
	eq(r.q[0], 0);
	eq(r.q[1], 1);
	eq(r.q[2], 2);
	eq(r.q[3], 0);
	eq(r.q[127], 127 % 3);
	eq(plx_steer_reta_equal(&r, 512, 4, 2), 0);
	eq(r.q[0], 4);
	eq(r.q[511], 5);
}

T(weights_are_laid_out_as_ethtool_does)
{
	/* ethtool -X weight 1 2 on 128 entries: the first queue's share ends at 128 * 1 / 3 = 42.
	 */
	static const uint32_t one_two[] = {1, 2}, whole[] = {127, 1}, holes[] = {0, 3, 0, 1, 0},
			      even[] = {7, 7, 7};
	struct plx_reta r;

	eq(plx_steer_reta_weights(&r, 128, 0, one_two, 2), 0);
	eq(r.q[0], 0);
	eq(r.q[41], 0);
	eq(r.q[42], 1);
	eq(r.q[127], 1);

	eq(plx_steer_reta_weights(&r, 128, 2, holes, 5), 0);
	eq(share(&r, 2 + 0), 0);
	eq(share(&r, 2 + 1), 96);
	eq(share(&r, 2 + 2), 0);
	eq(share(&r, 2 + 3), 32);
	eq(share(&r, 2 + 4), 0);

	eq(plx_steer_reta_weights(&r, 128, 0, whole, 2), 0);
	eq(share(&r, 0), 127);
	eq(r.q[127], 1);

	eq(plx_steer_reta_weights(&r, 128, 0, even, 3), 0);
	eq(share(&r, 0), 42);
	eq(share(&r, 1), 43);
	eq(share(&r, 2), 43);
}

T(bad_tables_are_refused_and_leave_no_trace)
{
	static const uint32_t none[] = {0, 0}, many[] = {128, 1}, wrap[] = {UINT32_MAX, 1, 1};
	static const uint16_t sizes[] = {0, 1, 64, 100, 129, 2048};
	struct plx_reta r = {.size = 7};

	for (size_t i = 0; i < PLX_DIM(sizes); i++) {
		eq(plx_steer_reta_equal(&r, sizes[i], 0, 1), -EINVAL);
		eq(plx_steer_reta_weights(&r, sizes[i], 0, (const uint32_t[]){1}, 1), -EINVAL);
	}
	eq(plx_steer_reta_equal(&r, 128, 0, 0), -EINVAL);
	eq(plx_steer_reta_equal(&r, 128, 0, 129), -EINVAL);
	eq(plx_steer_reta_weights(&r, 128, 0, none, 2), -EINVAL);
	eq(plx_steer_reta_weights(&r, 128, 0, many, 2), -EINVAL);
	eq(plx_steer_reta_weights(&r, 128, 0, wrap, 3), -EINVAL);
	eq(plx_steer_reta_weights(&r, 128, 0, none, 0), -EINVAL);
	eq(r.size, 7);
}

T(a_table_is_valid_for_the_queues_it_names)
{
	struct plx_reta r;

	eq(plx_steer_reta_equal(&r, 128, 0, 4), 0);
	ok(plx_steer_reta_valid(&r, 4));
	ok(!plx_steer_reta_valid(&r, 3));
	eq(plx_steer_reta_equal(&r, 128, 0, 1), 0);
	r.q[0] = 1;
	ok(!plx_steer_reta_valid(&r, 1));
	r.q[0] = 0;
	r.q[127] = 1;
	ok(!plx_steer_reta_valid(&r, 1));
	r.q[127] = 0;
	ok(plx_steer_reta_valid(&r, 1));
	r.size = 96;
	ok(!plx_steer_reta_valid(&r, 4));
}

T(the_low_bits_choose)
{
	struct plx_reta r;

	eq(plx_steer_reta_equal(&r, 128, 0, 128), 0);
	eq(plx_steer_reta_queue(&r, 0x51ccc178), 0x78);
	eq(plx_steer_reta_equal(&r, 1024, 0, 1024), 0);
	eq(plx_steer_reta_queue(&r, 0x51ccc178), 0x178);
}

RUN(T_(equal_goes_round), T_(weights_are_laid_out_as_ethtool_does),
	T_(bad_tables_are_refused_and_leave_no_trace), T_(a_table_is_valid_for_the_queues_it_names),
	T_(the_low_bits_choose))
