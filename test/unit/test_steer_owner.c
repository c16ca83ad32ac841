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

RUN(T_(buckets_go_round_the_lcores_as_the_reta_goes_round_the_queues),
	T_(one_bucket_moves_and_no_other), T_(bad_maps_are_refused_and_leave_no_trace))
