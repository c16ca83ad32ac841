/* SPDX-License-Identifier: BSD-3-Clause */
#include "cost.h"

#define PERIODS	 100	/* a second */
#define COARSE	 10000u /* ppm: below it periods are longer, so that something happens in them */
#define CALM	 4	/* periods in a row, before N falls */
#define AIM	 90	/* percent of the ceiling: where N goes when it rises */
#define LOW	 70	/* percent: N falls if it stays below that */
#define BELIEVED 16	/* times the mean */

void tap__cost_init(struct tap_cost *c, uint32_t ppm, uint64_t hz, uint64_t now)
{
	uint64_t longer = ppm < COARSE ? COARSE / PLX_MAX(ppm, PLX_TAP_COST_MIN) : 1;

	*c = (struct tap_cost){.share = ((uint64_t)ppm << 32) / PLX_TAP_COST_ALL,
		.period = hz / PERIODS * longer,
		.sudden = hz / 10000,
		.second = hz,
		.now = now,
		.rung = 1,
		.began = now,
		.mark = {.at = now},
		.before = {.at = now}};
	c->full = (int64_t)(c->period / 10 * c->share >> 32);
	c->bucket = c->full;
}

/* What may be spent in so many cycles; 2^56 at most. */
static uint64_t allowed(const struct tap_cost *c, uint64_t cycles)
{
	unsigned __int128 n = (unsigned __int128)cycles * c->share >> 32;

	return n >> 56 ? UINT64_C(1) << 56 : (uint64_t)n;
}

/* Cycles as they count, of all the calls that this one stands for; of which it alone was measured.
 */
static uint64_t believe(struct tap_cost *c, uint64_t begin, uint64_t end, uint32_t times)
{
	uint64_t took = end > begin + c->asking ? end - begin - c->asking : 0;

	took = took * times + c->own;
	took = PLX_MIN(took, PLX_MAX(c->mean * BELIEVED, c->sudden));
	if (times == 1)
		c->mean = (uint64_t)((int64_t)c->mean + ((int64_t)took - (int64_t)c->mean) / 8);
	return took;
}

/* With this rung, had looking cost no more than so much? */
static bool would_do(const struct tap_cost *c, uint8_t rung, uint64_t most)
{
	return (unsigned __int128)c->looking * plx_tap_every(c->rung) <=
	       (unsigned __int128)most * plx_tap_every(rung);
}

/* Of what may be spent so many percent, for looking. */
static uint64_t left(const struct tap_cost *c, uint64_t may, uint32_t percent)
{
	uint64_t most = may * percent / 100;

	return PLX_MAX(most > c->passing ? most - c->passing : 0, may / 10);
}

static void set_rung(struct tap_cost *c, uint8_t rung)
{
	__atomic_store_n(&c->rung, rung, __ATOMIC_RELAXED);
}

static void rise(struct tap_cost *c, uint64_t may)
{
	uint64_t most = left(c, may, AIM);
	uint8_t rung = c->rung;

	while (rung < TAP_COST_RUNG_MAX && !would_do(c, rung, most))
		rung++;
	set_rung(c, rung);
}

/* By half at most, of each period that has passed. */
static void fall(struct tap_cost *c, uint64_t may, uint64_t periods)
{
	uint32_t least = plx_tap_every(c->rung) >> PLX_MIN(periods, UINT64_C(31));
	uint64_t most = left(c, may, LOW);
	uint8_t rung = c->rung;

	while (rung > 1 && plx_tap_every((uint8_t)(rung - 1)) >= least &&
		would_do(c, (uint8_t)(rung - 1), most))
		rung--;
	set_rung(c, rung);
}

/* From what it cost while something could be looked at. */
static void learn(struct tap_cost *c)
{
	uint64_t may = allowed(c, c->open), periods = (c->now - c->began) / c->period;

	if (c->looking + c->passing > may) {
		rise(c, may);
		c->calm = 0;
	} else if (c->rung > 1 && would_do(c, (uint8_t)(c->rung - 1), left(c, may, LOW))) {
		c->calm = (uint16_t)PLX_MIN(c->calm + periods, UINT64_C(1000));
		if (c->calm >= CALM) {
			fall(c, may, periods);
			c->calm = 0;
		}
	} else {
		c->calm = 0;
	}
}

static void put_mark(struct tap_cost_mark *to, uint64_t at, uint64_t total)
{
	__atomic_store_n(&to->total, total, __ATOMIC_RELAXED);
	__atomic_store_n(&to->at, at, __ATOMIC_RELAXED);
}

/* Marks are a second apart, or more. */
static void keep_marks(struct tap_cost *c)
{
	if (c->now - c->mark.at < c->second)
		return;
	put_mark(&c->before, c->mark.at, c->mark.total);
	put_mark(&c->mark, c->now, c->total);
}

static void end_period(struct tap_cost *c)
{
	if (c->open)
		learn(c);
	c->began = c->now;
	c->looking = c->passing = c->open = 0;
	keep_marks(c);
}

/* Time goes on, and fills the bucket. A clock that went back begins anew. @return by how much. */
static uint64_t pass(struct tap_cost *c, uint64_t now)
{
	uint64_t passed = now - c->now, more;

	if (now < c->now) {
		c->began = c->mark.at = now;
		passed = 0;
	}
	c->now = now;
	if (!c->closed)
		c->open += passed;
	more = PLX_MIN(passed, 2 * c->period) * c->share >> 32;
	c->bucket = PLX_MIN(c->bucket + (int64_t)more, c->full);
	return more;
}

bool tap__cost_spent(struct tap_cost *c, uint64_t begin, uint64_t end, uint32_t times)
{
	uint64_t took = believe(c, begin, end, times);
	uint64_t more = pass(c, end);
	uint8_t rung = c->rung;
	bool closed = c->closed;

	plx_count(c->total, took);
	if (!closed && times == 1)
		c->looking += took;
	else if (!closed)
		c->passing += took;
	if (times > 1) /* a tenth is for looking */
		took = PLX_MIN(took, more - more / 10);
	/* of what it is in debt for no more than a period's worth is kept */
	c->bucket = PLX_MAX(c->bucket - (int64_t)took, -10 * c->full);
	c->closed = c->bucket <= 0;
	if (c->now - c->began >= c->period)
		end_period(c);
	return c->rung != rung || c->closed != closed;
}

uint32_t tap__cost_ppm(const struct tap_cost *c, uint64_t now)
{
	uint64_t at = plx_count_read(c->before.at);
	uint64_t spent = plx_count_read(c->total) - plx_count_read(c->before.total);
	uint64_t passed = now > at ? now - at : 0;
	unsigned __int128 ppm;

	if (!passed || (int64_t)spent < 0)
		return 0;
	ppm = (unsigned __int128)spent * PLX_TAP_COST_ALL / passed;
	return ppm > PLX_TAP_COST_ALL ? PLX_TAP_COST_ALL : (uint32_t)ppm;
}
