/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

#define COST_MAX  (UINT64_C(1) << 46)
#define RESTS_MAX 6	/* doublings */
#define RATE_MIN  16000 /* of an lcore, in sixteenths: less says nothing of its cost */
#define RATE_MAX  (UINT64_C(1) << 40)
#define ONE_COST  65536 /* that of the mean */
#define ELEPHANTS 16	/* rounds of looking for more of them, at most */

static uint64_t smooth(uint64_t old, uint64_t now, uint32_t part256)
{
	if (now >= old)
		return old + ((now - old) * part256 >> 8);
	return old - ((old - now) * part256 >> 8);
}

/* What is new counts for dt / (dt + smooth), so that late rounds are as good. */
static uint32_t part256(const struct plx_balance *b, plx_ns dt)
{
	double part = (double)dt / ((double)dt + (double)b->conf.smooth_ns);

	return b->known ? (uint32_t)(part * 256) : 256;
}

static bool bit(const uint64_t *set, uint16_t i)
{
	return set && set[i / 64] >> i % 64 & 1;
}

/* --- who owns what -----------------------------------------------------------------------------
 */

static void changed(struct plx_balance *b, uint16_t lcore)
{
	if (lcore < b->lcores)
		b->lcore[lcore].changed = true;
}

static plx_ns rest_ns(const struct plx_balance *b, const struct plx_balance_of_bucket *k)
{
	return b->conf.rest_ns << k->rests;
}

/* It stays for a while: for twice as long each time, and for half as long again after each time
 * that it was quiet for twice the longest rest. */
static void rest(const struct plx_balance *b, struct plx_balance_of_bucket *k, plx_ns now)
{
	plx_ns quiet = 2 * (b->conf.rest_ns << RESTS_MAX);

	if (k->moved != PLX_NEVER) {
		if (now - k->moved < quiet)
			k->rests = (uint8_t)PLX_MIN(k->rests + 1, RESTS_MAX);
		else
			k->rests -= (uint8_t)PLX_MIN((now - k->moved) / quiet, k->rests);
	}
	k->moved = now;
}

/* What became of the move that was asked for. */
static void answered(
	struct plx_balance *b, struct plx_balance_of_bucket *k, uint16_t owner, plx_ns now)
{
	k->flags &= (uint8_t) ~(BALANCE_ASKED | BALANCE_REFUSED);
	rest(b, k, now);
	if (owner == k->to) {
		plx_count(b->done, 1);
		return;
	}
	k->flags |= BALANCE_REFUSED;
	plx_count(b->refused, 1);
}

static void note_owner(struct plx_balance *b, uint16_t i, const struct plx_balance_input *in)
{
	struct plx_balance_of_bucket *k = &b->bucket[i];
	uint16_t owner = in->map->lcore[i], was = k->owner;
	bool moving = bit(in->moving, i), moved = k->flags & (BALANCE_ASKED | BALANCE_MOVING);

	k->flags &=
		(uint8_t) ~(BALANCE_PINNED | BALANCE_MOVING | BALANCE_RESTING | BALANCE_PLANNED);
	k->flags |= (uint8_t)((bit(in->pinned, i) ? BALANCE_PINNED : 0) |
			      (moving ? BALANCE_MOVING : 0));
	if (k->flags & BALANCE_ASKED && !moving)
		answered(b, k, owner, in->now);
	else if (k->flags & BALANCE_ASKED)
		owner = k->to;
	else if (b->based && owner != was)
		rest(b, k, in->now); /* somebody's hand: left alone like ours */
	k->owner = owner;
	if (owner != was || moving || moved) {
		changed(b, was);
		changed(b, owner);
		changed(b, k->from);
	}
	if (k->moved != PLX_NEVER && in->now < k->moved + rest_ns(b, k))
		k->flags |= BALANCE_RESTING;
	b->under_way += moving;
}

/* --- counters to rates -------------------------------------------------------------------------
 */

/* @param per what each counted makes in sixteenths a second, times 2^16 */
static uint64_t count_bucket(struct plx_balance_of_bucket *k, uint64_t count, uint64_t per)
{
	uint64_t n = count - k->count;

	k->count = count;
	return n > INT64_MAX / per ? 0 : n; /* a counter that fell began anew */
}

static void begin(struct plx_balance *b, const struct plx_balance_input *in)
{
	for (uint16_t i = 0; i < in->lcores; i++) {
		struct plx_balance_of_lcore *l = &b->lcore[i];

		if (i >= b->lcores)
			*l = (struct plx_balance_of_lcore){0};
		l->weight = in->lcore[i].weight;
		l->inverse = (1u << 24) / PLX_MAX(l->weight, 1);
		l->load = l->other = l->rate = l->largest = 0;
		l->owned = 0;
		l->head = l->top = BALANCE_NONE;
		l->aside = false;
	}
	b->lcores = in->lcores;
	b->under_way = 0;
	b->counted = 0;
}

void steer__balance_measure(struct plx_balance *b, const struct plx_balance_input *in)
{
	plx_ns dt = PLX_MAX(in->now - b->last, 1);
	uint64_t per = PLX_MAX((UINT64_C(16000000000) << 16) / (uint64_t)dt, 1);
	uint32_t part = part256(b, dt);

	begin(b, in);
	for (uint16_t i = 0; i < b->size; i++) {
		struct plx_balance_of_bucket *k = &b->bucket[i];
		uint64_t n = count_bucket(k, in->count[i], per);
		uint64_t rate = PLX_MIN(n * per >> 16, RATE_MAX);

		note_owner(b, i, in);
		if (!b->based)
			continue;
		b->counted += n;
		k->rate = smooth(k->rate, rate, part);
		if (k->owner < b->lcores)
			b->lcore[k->owner].rate += rate;
	}
}

/* --- rates to loads ----------------------------------------------------------------------------
 *
 * Where an lcore's busy time is known, what its buckets count is worth that time; a faster lcore
 * does more in it, hence times weight. Shares of time are never taken for loads themselves: so a
 * bucket that has moved is seen on its new lcore at once.
 */

static uint64_t work(const struct plx_balance_lcore *l)
{
	if (l->busy_permille == PLX_BALANCE_NO_BUSY)
		return 0;
	return (uint64_t)(l->busy_permille - l->other_permille) * l->weight;
}

/* The mean time for each counted, over the lcores of which it is known; 0: of none. */
static uint64_t mean_cost(const struct plx_balance *b, const struct plx_balance_input *in)
{
	uint64_t time = 0, rate = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		uint64_t t = work(&in->lcore[i]);

		time += t;
		rate += t ? b->lcore[i].rate : 0;
	}
	return rate ? PLX_MIN((time << 32) / rate, COST_MAX) : 0;
}

/* Each lcore's own. One that got or lost buckets meanwhile has mixed time and counts: it waits. */
static void learn_costs(struct plx_balance *b, const struct plx_balance_input *in, uint32_t part)
{
	for (uint16_t i = 0; i < b->lcores; i++) {
		struct plx_balance_of_lcore *l = &b->lcore[i];
		uint64_t t = work(&in->lcore[i]), cost;

		if (t && !l->changed && l->rate >= RATE_MIN) {
			cost = PLX_MIN(PLX_MAX((t << 32) / l->rate, 1), COST_MAX);
			l->cost = l->cost ? smooth(l->cost, cost, part) : cost;
		} else if (!t) {
			l->cost = 0;
		}
		l->changed = false;
	}
}

/* What counts on this lcore for one counted, in 65536ths; a wild measure is held to four times. */
static uint64_t factor(const struct plx_balance_of_lcore *l, uint64_t mean)
{
	uint64_t f = l->cost && mean ? (l->cost << 16) / mean : ONE_COST;

	return PLX_MIN(PLX_MAX(f, ONE_COST / 4), ONE_COST * 4);
}

static uint64_t raw_loads(struct plx_balance *b, const struct plx_balance_input *in)
{
	uint64_t mean = mean_cost(b, in), sum = 0;
	uint32_t f[PLX_STEER_LCORES_MAX];

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_lcore *l = &in->lcore[i];

		f[i] = (uint32_t)factor(&b->lcore[i], mean);
		if (mean && l->busy_permille != PLX_BALANCE_NO_BUSY)
			b->lcore[i].other = ((uint64_t)l->other_permille * l->weight << 32) / mean;
		sum += b->lcore[i].other;
	}
	for (uint16_t i = 0; i < b->size; i++) {
		struct plx_balance_of_bucket *k = &b->bucket[i];

		k->load = k->rate * (k->owner < b->lcores ? f[k->owner] : ONE_COST) >> 16;
		sum += k->load;
	}
	return sum;
}

/* To a sum of weights * BALANCE_ONE, whatever was counted. */
static void scale(struct plx_balance *b, uint64_t sum)
{
	int bits = sum ? 64 - __builtin_clzll(sum) : 1, shift = PLX_MAX(bits - 32, 0);
	uint64_t f = ((uint64_t)b->weights * BALANCE_ONE << 26) / PLX_MAX(sum >> shift, 1);

	for (uint16_t i = 0; i < b->lcores; i++) {
		struct plx_balance_of_lcore *l = &b->lcore[i];

		l->other = (l->other >> shift) * f >> 26;
		l->load = l->other;
	}
	for (uint16_t i = b->size; i-- > 0;) {
		b->bucket[i].load = (b->bucket[i].load >> shift) * f >> 26;
		if (b->bucket[i].owner < b->lcores)
			steer__balance_put(b, b->bucket[i].owner, i);
	}
}

/* --- the share ---------------------------------------------------------------------------------
 */

/* One round: what is larger than the share so far has an lcore to itself. @return the new share. */
static uint64_t share_of_rest(const struct plx_balance *b, uint64_t share, uint32_t lcores)
{
	uint64_t left = (uint64_t)b->weights * BALANCE_ONE, weights = b->weights;
	uint64_t bound = share * b->weights / lcores;
	uint32_t elephants = 0, slots = lcores;

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_of_lcore *l = &b->lcore[i];

		if (l->weight && balance_level(l, l->other) > share) {
			left -= l->other;
			weights -= l->weight;
			slots--;
		}
	}
	for (uint16_t i = 0; i < b->size; i++)
		if (b->bucket[i].load > bound) {
			left -= b->bucket[i].load;
			elephants++;
		}
	if (elephants >= slots)
		return share;
	return left * slots / (weights * (slots - elephants));
}

static void find_share(struct plx_balance *b)
{
	uint64_t share = BALANCE_ONE, next;
	uint32_t lcores = 0;

	for (uint16_t i = 0; i < b->lcores; i++)
		lcores += b->lcore[i].weight != 0;
	for (int n = 0; lcores && n < ELEPHANTS; n++) {
		next = share_of_rest(b, share, lcores);
		if (next >= share)
			break;
		share = next;
	}
	b->share = PLX_MAX(share, BALANCE_ONE / 16);
}

void steer__balance_weigh(struct plx_balance *b, const struct plx_balance_input *in)
{
	b->weights = 0;
	for (uint16_t i = 0; i < b->lcores; i++)
		b->weights += b->lcore[i].weight;
	learn_costs(b, in, part256(b, in->now - b->last));
	scale(b, raw_loads(b, in));
	find_share(b);
}
