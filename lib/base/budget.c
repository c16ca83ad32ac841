/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_budget.h"

/* Whole batches, and when some are given back, one of them stays. */
void plx_quota_settle(struct plx_quota *q)
{
	int64_t idle = q->taken - q->used, take;

	if (idle < 0)
		take = (q->batch - 1 - idle) / q->batch * q->batch;
	else if (idle > 2 * q->batch)
		take = -(idle / q->batch - 1) * q->batch;
	else
		return;
	q->taken += take;
	__atomic_fetch_add(&q->of->taken, take, __ATOMIC_RELAXED);
}
