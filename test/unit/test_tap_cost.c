/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_rng.h>

#include "../../lib/tap/cost.h"

#define HZ     UINT64_C(2000000000)
#define MS     (HZ / 1000)
#define ASKING 20

/* An lcore that lives on a clock of its own, and a tap of it. */
static struct {
	struct tap_cost c;
	struct plx_rng rng;
	uint64_t now;
	uint64_t miss;
	/* what comes */
	uint64_t gap;	 /* cycles from a burst to the next one */
	uint32_t pkts;	 /* of a burst */
	uint64_t cycles; /* of a packet that is looked at */
	/* what came of it */
	uint64_t seen, missed, spent;
	uint32_t changes; /* of N */
	uint32_t calls;	  /* in which nothing was looked at */
	uint8_t rung;
} l;

static void start(uint32_t ppm)
{
	memset(&l, 0, sizeof(l));
	l.now = 5 * HZ;
	plx_rng_init(&l.rng, t_seed(1));
	tap__cost_init(&l.c, ppm, HZ, l.now);
	l.c.asking = ASKING;
	l.c.own = 3 * ASKING;
}

static void load(uint64_t pps, uint32_t pkts, uint64_t cycles)
{
	l.gap = HZ * pkts / pps;
	l.pkts = pkts;
	l.cycles = cycles;
}

static void draw(void)
{
	l.miss = plx_rng_below(&l.rng, 2 * (uint64_t)plx_tap_every(l.c.rung) - 1);
}

/* As lane.c has it. */
static void burst(void)
{
	uint64_t begin = l.now, looked = 0;

	for (uint32_t i = 0; i < l.pkts; i++) {
		if (l.c.closed || l.miss) {
			l.miss -= l.miss > 0;
			l.missed++;
			continue;
		}
		looked++;
		draw();
	}
	l.seen += l.pkts;
	l.now += 10 + looked * l.cycles;
	l.spent += l.now - begin;
	if ((looked || l.calls++ % 16 == 0) &&
		tap__cost_spent(&l.c, begin, l.now + ASKING, looked ? 1 : 16))
		draw();
	l.changes += l.c.rung != l.rung;
	l.rung = l.c.rung;
}

/* For so long. @return ppm of it that the tap took. */
static uint64_t run(uint64_t cycles)
{
	uint64_t begin = l.now, next = l.now;

	l.spent = l.seen = l.missed = l.changes = 0;
	while (l.now < begin + cycles) {
		burst();
		next += l.gap;
		l.now = PLX_MAX(l.now, next);
	}
	return l.spent * PLX_TAP_COST_ALL / (l.now - begin);
}

T(a_byte_says_one_of_how_many)
{
	eq(plx_tap_every(0), 1);
	for (uint8_t r = 1; r <= 8; r++)
		eq(plx_tap_every(r), r);
	eq(plx_tap_every(9), 10);
	eq(plx_tap_every(12), 16);
	eq(plx_tap_every(TAP_COST_RUNG_MAX), 65536);
	for (uint8_t r = 1; r < TAP_COST_RUNG_MAX; r++) {
		ok(plx_tap_every(r + 1) > plx_tap_every(r));
		ok(plx_tap_every(r + 1) <= 2 * plx_tap_every(r));
	}
}

/* More than the ceiling goes for passing by: N does not rise for ever. */
T(it_looks_at_some_in_any_case)
{
	uint64_t is;

	start(1000);
	load(10000000, 32, 300); /* 10 cycles a burst are 0.15 % */
	run(HZ);
	is = run(HZ);
	ok(is <= 2500);
	ok(plx_tap_every(l.c.rung) < 30000);
	ok(l.seen - l.missed > 100);
}

T(what_costs_little_is_all_seen)
{
	start(50000);
	load(100000, 4, 300); /* 1.5 % */
	ok(run(HZ) < 50000);
	eq(l.missed, 0);
	eq(plx_tap_every(l.c.rung), 1);
}

/* Whatever the load and the ceiling: below it, not far below, and N stands still. */
T(it_converges)
{
	static const struct {
		uint32_t ppm;
		uint64_t pps;
		uint32_t pkts;
		uint64_t cycles;
	} at[] = {
		{50000, 1000000, 32, 300},
		{50000, 10000000, 64, 100},
		{50000, 300000, 1, 1000},
		{10000, 1000000, 32, 500},
		{200000, 5000000, 32, 250},
		{500000, 800000, 8, 2000},
		{1000, 100000, 16, 1000},
		{1000, 500000, 32, 200},
		{20000, 200000, 64, 5000},
		{1000000, 3000000, 32, 300},
	};

	for (size_t i = 0; i < PLX_DIM(at); i++) {
		uint64_t is, ppm = at[i].ppm;

		start(at[i].ppm);
		load(at[i].pps, at[i].pkts, at[i].cycles);
		run(HZ); /* it settles */
		is = run(2 * HZ);
		ok(is <= ppm);
		ok(is >= ppm / 2 || l.c.rung == 1);
		ok(l.changes <= 20);
	}
}

/* The first second as well is what it may be, but for what the bucket held. */
T(what_comes_at_once_is_held_too)
{
	start(50000);
	load(10000000, 64, 400);
	ok(run(10 * MS) <= 2 * 50000);
	ok(run(90 * MS) <= 55000);
	ok(run(HZ) <= 50000);
}

T(the_first_burst_is_not_free)
{
	start(10000);
	load(1000000, 64, 300); /* 19200 cycles; a millisecond's worth is 20000 */
	burst();
	eq(l.missed, 0);
	eq(l.c.total, 64 * 300 + 10 + 3 * ASKING);
	ok(!l.c.closed);
	burst();
	ok(l.c.closed);
	l.missed = 0;
	burst();
	eq(l.missed, 64);
}

/* Many come and all are looked at; then many come; then few again. */
T(it_comes_back)
{
	start(50000);
	load(100000, 8, 300);
	run(HZ);
	eq(l.missed, 0);
	load(5000000, 32, 300);
	run(HZ);
	ok(plx_tap_every(l.c.rung) > 10);
	load(100000, 8, 300);
	run(HZ / 2);
	eq(plx_tap_every(l.c.rung), 1);
	run(HZ);
	eq(l.missed, 0);
}

/* Nothing for a long time is few, too; what had not been spent then is not there to be spent now.
 */
T(silence_saves_nothing)
{
	start(50000);
	load(5000000, 32, 300);
	run(HZ);
	l.now += 100 * HZ;
	burst();
	eq(plx_tap_every(l.c.rung), 1);
	ok(run(10 * MS) <= 2 * 50000);
	ok(run(HZ) <= 50000);
}

/* Ten times as many and as few again, ten times a second: N does not run after each. */
T(it_does_not_flap)
{
	uint32_t changes = 0;

	start(50000);
	for (int i = 0; i < 20; i++) {
		load(i & 1 ? 300000 : 3000000, 32, 300);
		ok(i < 2 || run(50 * MS) <= 60000);
		changes += l.changes;
	}
	ok(changes <= 80);
	/* steady with noise: packets cost more or less */
	load(2000000, 32, 300);
	run(HZ);
	changes = 0;
	for (int i = 0; i < 100; i++) {
		load(2000000, 32, 250 + plx_rng_below(&l.rng, 100));
		run(10 * MS);
		changes += l.changes;
	}
	ok(changes <= 10);
}

/* The thread may lose its CPU in the middle of a burst. */
T(what_is_not_ours_is_not_believed)
{
	start(50000);
	load(100000, 8, 300);
	run(HZ);
	for (int i = 0; i < 10; i++) {
		uint64_t begin = l.now;

		l.now += 40 * MS;
		tap__cost_spent(&l.c, begin, l.now, 1);
		run(100 * MS);
		ok(l.missed * 20 <= l.seen);
	}
}

T(clocks_that_jump)
{
	start(50000);
	load(1000000, 32, 300);
	run(HZ);
	l.now -= 3 * HZ; /* back, between two bursts */
	ok(run(HZ) <= 50000);
	ok(l.missed < l.seen);
	tap__cost_spent(&l.c, l.now, l.now - 2 * HZ, 1); /* and within one */
	ok(run(HZ) <= 50000);
	ok(l.missed < l.seen);
	l.now += UINT64_C(1) << 62; /* far ahead */
	burst();
	ok(run(HZ) <= 50000);
	ok(l.missed < l.seen);
}

/* One of eight that are alike is measured. */
T(one_stands_for_many)
{
	start(50000);
	for (int i = 0; i < 80; i++) {
		l.now += 1000;
		if (i % 8 == 0)
			tap__cost_spent(&l.c, l.now - 30, l.now, 8);
	}
	eq(l.c.total, 10 * (8 * (30 - ASKING) + 3 * ASKING));
}

T(the_share_that_is_shown)
{
	uint64_t is;

	start(50000);
	eq(tap__cost_ppm(&l.c, l.now), 0);
	load(100000, 4, 300);
	run(3 * HZ);
	is = run(3 * HZ);
	ok(tap__cost_ppm(&l.c, l.now) >= is);
	ok(tap__cost_ppm(&l.c, l.now) <= is + is / 5);
	ok(tap__cost_ppm(&l.c, l.now + 1000 * HZ) < 100); /* nothing any more */
	eq(tap__cost_ppm(&l.c, l.now - 100 * HZ), 0);
}

RUN(T_(a_byte_says_one_of_how_many), T_(it_looks_at_some_in_any_case),
	T_(what_costs_little_is_all_seen), T_(it_converges), T_(what_comes_at_once_is_held_too),
	T_(the_first_burst_is_not_free), T_(it_comes_back), T_(silence_saves_nothing),
	T_(it_does_not_flap), T_(what_is_not_ours_is_not_believed), T_(clocks_that_jump),
	T_(one_stands_for_many), T_(the_share_that_is_shown))
