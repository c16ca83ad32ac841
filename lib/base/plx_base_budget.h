/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A budget of bytes that several lcores share, without a counter that all of them write for each
 * packet: each lcore takes a part of it in batches and counts its use of that part alone (Linux's
 * sk_forward_alloc and its reserve of each CPU).
 *
 * What is used is counted whatever the budget says; how much of it is too much is the caller's to
 * say, by plx_budget_taken().
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

/** Of all. Zeroed to begin with. */
struct plx_budget {
	int64_t taken; /**< bytes that lcores have taken; those not in use among them */
} PLX_ALIGNED;

/** One lcore's part, written by it alone. */
struct plx_quota {
	struct plx_budget *of;
	int64_t used;  /**< bytes */
	int64_t taken; /**< of the budget; never less than used */
	int64_t batch; /**< taken and given back at a time; at most twice that lies idle */
};

static inline void plx_quota_init(struct plx_quota *q, struct plx_budget *of, int64_t batch)
{
	q->of = of;
	q->used = 0;
	q->taken = 0;
	q->batch = batch;
}

/** Take what it lacks, or give back what it does not need. */
PLX_API void plx_quota_settle(struct plx_quota *q);

/** Can n bytes more be used without asking the budget? */
static inline bool plx_quota_has(const struct plx_quota *q, uint32_t n)
{
	return q->used + n <= q->taken;
}

/** n bytes more (less, when negative) are in use. */
static inline void plx_quota_use(struct plx_quota *q, int64_t n)
{
	int64_t idle;

	plx_count(q->used, n);
	idle = q->taken - q->used;
	if (plx_unlikely((uint64_t)idle > 2 * (uint64_t)q->batch)) /* negative, too */
		plx_quota_settle(q);
}

/** What is in use by one lcore, bytes. Any thread. */
static inline int64_t plx_quota_used(const struct plx_quota *q)
{
	return plx_count_read(q->used);
}

/** What all lcores have taken, bytes: at most two batches of each are not in use. Any thread. */
static inline int64_t plx_budget_taken(const struct plx_budget *b)
{
	return plx_count_read(b->taken);
}

PLX_C_END
