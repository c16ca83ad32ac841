/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the rebalancer's files share: balance.c (the rounds), balance_measure.c (counters to loads),
 * balance_plan.c (loads to moves).
 */
#include "plx_steer_balance.h"

#define BALANCE_NONE UINT16_MAX		 /* no bucket, no lcore */
#define BALANCE_ONE  (UINT64_C(1) << 20) /* the mean level */

/* Of a bucket. */
#define BALANCE_PINNED	1
#define BALANCE_MOVING	2 /* says the caller */
#define BALANCE_ASKED	4 /* output() gave its move */
#define BALANCE_REFUSED 8 /* which was not carried out */
#define BALANCE_RESTING 16
#define BALANCE_PLANNED 32 /* to move, by this round */

#define BALANCE_PATIENCE 3 /* rounds that an lcore is too hot, or cold, before it is helped */

static inline uint64_t balance_level(const struct plx_balance_of_lcore *l, uint64_t load)
{
	return load * l->inverse >> 24;
}

static inline uint64_t balance_permille(uint64_t v, uint32_t permille)
{
	return v * permille / 1000;
}

/** A level that this lcore will have at best: the share, its largest bucket, or what stays. */
static inline uint64_t balance_floor(
	const struct plx_balance *b, const struct plx_balance_of_lcore *l)
{
	uint64_t most = balance_level(l, PLX_MAX(l->largest, l->other));

	return PLX_MAX(b->share, most);
}

/** Over this an lcore is too hot. */
static inline uint64_t balance_limit(
	const struct plx_balance *b, const struct plx_balance_of_lcore *l)
{
	return balance_permille(
		balance_floor(b, l), 1000u + b->conf.start_permille + b->noise_permille);
}

static inline uint64_t balance_level_of(const struct plx_balance *b, uint16_t lcore)
{
	return balance_level(&b->lcore[lcore], b->lcore[lcore].load);
}

/** An lcore's level must fall by so much: less may be chance. */
static inline uint64_t balance_worth(const struct plx_balance *b)
{
	return balance_permille(b->share, (uint32_t)b->conf.gain_permille + b->noise_permille);
}

static inline bool balance_may_move(const struct plx_balance_of_bucket *k)
{
	return k->load && !(k->flags & (BALANCE_PINNED | BALANCE_MOVING | BALANCE_ASKED |
					       BALANCE_RESTING | BALANCE_PLANNED));
}

/** An elephant, where it is the largest. */
static inline bool balance_anchored(const struct plx_balance *b, uint16_t lcore, uint16_t bucket)
{
	const struct plx_balance_of_lcore *l = &b->lcore[lcore];

	return bucket == l->top && balance_level(l, l->largest) > b->share;
}

/** The level of the hottest lcore, as the lists stand. */
static inline uint64_t balance_worst(const struct plx_balance *b)
{
	uint64_t most = 0;

	for (uint16_t i = 0; i < b->lcores; i++)
		if (b->lcore[i].weight)
			most = PLX_MAX(most, balance_level_of(b, i));
	return most;
}

/** Counters to smoothed rates; who owns what; which moves were made. */
void steer__balance_measure(struct plx_balance *b, const struct plx_balance_input *in);
/** Rates to loads of buckets and lcores, and the share. */
void steer__balance_weigh(struct plx_balance *b, const struct plx_balance_input *in);

/** A bucket is an lcore's, in this round's lists. */
void steer__balance_put(struct plx_balance *b, uint16_t lcore, uint16_t bucket);
/** Move it there, and note the move. */
void steer__balance_move(struct plx_balance *b, uint16_t bucket, uint16_t to);
/** Away from lcores that are to own nothing. */
void steer__balance_evacuate(struct plx_balance *b);
/**
 * Relieve those that are hot, feed those that are cold.
 * @return the hottest lcore that could not be relieved, or BALANCE_NONE.
 */
uint16_t steer__balance_plan(struct plx_balance *b);
/** All anew, if buckets are few. @return whether the worst level is well below `than` so. */
bool steer__balance_repack(struct plx_balance *b, uint64_t than);
