/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

/*
 * A few large buckets can be stuck in an order in which no single move and no exchange helps, and
 * yet another order is better. So they are dealt out anew: the largest first, each to the lcore
 * that is coolest with it, or left on its own if that is nearly as cool.
 *
 * Source: Graham, Bounds on multiprocessing timing anomalies, 1969: no lcore gets more than 4/3 of
 * the best so. With single moves tried before, the worst that tests have found is less.
 */

#define BUCKETS 128 /* with load that may move: more are not dealt out */
#define LCORES	64

struct deal {
	uint16_t n, bucket[BUCKETS], to[BUCKETS];
	uint64_t load[LCORES];
};

/* Those that may move, the largest first; the rest is load that lies. @return whether they are few.
 */
static bool gather(const struct plx_balance *b, struct deal *d)
{
	d->n = 0;
	if (b->lcores > LCORES)
		return false;
	for (uint16_t i = 0; i < b->lcores; i++)
		d->load[i] = b->lcore[i].load;
	for (uint16_t i = 0; i < b->size; i++) {
		const struct plx_balance_of_bucket *k = &b->bucket[i];
		uint16_t at = d->n;

		if (!balance_may_move(k) || k->owner >= b->lcores)
			continue;
		if (balance_anchored(b, k->owner, i))
			continue;
		if (d->n == BUCKETS)
			return false;
		d->load[k->owner] -= k->load;
		for (d->n++; at && b->bucket[d->bucket[at - 1]].load < k->load; at--)
			d->bucket[at] = d->bucket[at - 1];
		d->bucket[at] = i;
	}
	return true;
}

/* @param slack how much hotter than another its own lcore may be */
static uint16_t place(const struct plx_balance *b, struct deal *d,
	const struct plx_balance_of_bucket *k, uint64_t slack)
{
	uint64_t least = UINT64_MAX, own = UINT64_MAX;
	uint16_t best = k->owner;

	for (uint16_t i = 0; i < b->lcores; i++) {
		uint64_t level = balance_level(&b->lcore[i], d->load[i] + k->load);

		if (!b->lcore[i].weight)
			continue;
		if (i == k->owner)
			own = level;
		if (level < least) {
			least = level;
			best = i;
		}
	}
	if (own <= least + slack)
		best = k->owner;
	d->load[best] += k->load;
	return best;
}

/* @return moves. */
static uint32_t deal(const struct plx_balance *b, struct deal *d, uint64_t slack)
{
	uint32_t moves = 0;

	for (uint16_t i = 0; i < d->n; i++) {
		const struct plx_balance_of_bucket *k = &b->bucket[d->bucket[i]];

		d->to[i] = place(b, d, k, slack);
		moves += d->to[i] != k->owner;
	}
	return moves;
}

static uint64_t worst(const struct plx_balance *b, const struct deal *d)
{
	uint64_t most = 0;

	for (uint16_t i = 0; i < b->lcores; i++)
		if (b->lcore[i].weight)
			most = PLX_MAX(most, balance_level(&b->lcore[i], d->load[i]));
	return most;
}

bool steer__balance_repack(struct plx_balance *b, uint64_t than)
{
	static const uint8_t slack[] = {3, 5, 63}; /* of the share, 2^-n; the first that does */
	uint64_t enough = balance_permille(b->share, b->conf.start_permille) + balance_worth(b);
	struct deal d;
	uint32_t moves;

	for (size_t s = 0; s < PLX_DIM(slack); s++) {
		if (!gather(b, &d))
			return false;
		moves = deal(b, &d, b->share >> slack[s]);
		if (worst(b, &d) + enough > than || moves + b->said.moves > b->conf.moves)
			continue;
		for (uint16_t i = 0; i < d.n; i++)
			if (d.to[i] != b->bucket[d.bucket[i]].owner)
				steer__balance_move(b, d.bucket[i], d.to[i]);
		return true;
	}
	return false;
}
