/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_budget.h>
#include <plx_base_rng.h>

T(what_is_used_is_taken_in_batches)
{
	struct plx_budget b = {0};
	struct plx_quota q;

	plx_quota_init(&q, &b, 100);
	ok(!plx_quota_has(&q, 1));
	plx_quota_use(&q, 1);
	eq(plx_budget_taken(&b), 100);
	ok(plx_quota_has(&q, 99));
	ok(!plx_quota_has(&q, 100));
	plx_quota_use(&q, 99); /* the last of the batch: nothing to ask for yet */
	eq(plx_budget_taken(&b), 100);
	plx_quota_use(&q, 250);
	eq(plx_quota_used(&q), 350);
	eq(plx_budget_taken(&b), 400);
}

T(what_is_not_needed_is_given_back)
{
	struct plx_budget b = {0};
	struct plx_quota q;

	plx_quota_init(&q, &b, 100);
	plx_quota_use(&q, 1000);
	plx_quota_use(&q, -200); /* one byte more or less must not cost a batch each time */
	eq(plx_budget_taken(&b), 1000);
	plx_quota_use(&q, -1);
	eq(plx_budget_taken(&b), 900);
	plx_quota_use(&q, -799);
	eq(plx_quota_used(&q), 0);
	eq(plx_budget_taken(&b), 100);
}

T(the_budget_is_that_of_all)
{
	struct plx_budget b = {0};
	struct plx_quota q[3];

	for (int i = 0; i < 3; i++) {
		plx_quota_init(&q[i], &b, 10);
		plx_quota_use(&q[i], 35);
	}
	eq(plx_budget_taken(&b), 120);
	plx_quota_use(&q[1], -35);
	eq(plx_budget_taken(&b), 90);
}

/* Never less than is used, never more than two batches beyond it. */
T(random_use_is_covered)
{
	struct plx_budget b = {0};
	struct plx_quota q[4];
	int64_t used[4] = {0};
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 4; i++)
		plx_quota_init(&q[i], &b, 1 + (int64_t)plx_rng_below(&r, 70000));
	for (int n = 0; n < 100000; n++) {
		unsigned int i = (unsigned int)plx_rng_below(&r, 4);
		int64_t more = (int64_t)plx_rng_below(&r, 5000), taken = 0;

		if (plx_rng_below(&r, 2))
			more = -PLX_MIN(more, used[i]);
		used[i] += more;
		plx_quota_use(&q[i], more);
		eq(plx_quota_used(&q[i]), used[i]);
		ok(q[i].taken >= used[i]);
		ok(q[i].taken <= used[i] + 2 * q[i].batch);
		for (int k = 0; k < 4; k++)
			taken += q[k].taken;
		eq(plx_budget_taken(&b), taken);
	}
}

RUN(T_(what_is_used_is_taken_in_batches), T_(what_is_not_needed_is_given_back),
	T_(the_budget_is_that_of_all), T_(random_use_is_covered))
