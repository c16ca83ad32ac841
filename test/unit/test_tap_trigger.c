/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <string.h>

#include <plx_base.h>

#include "../../lib/tap/trigger.h"

static struct trigger t;
static struct trigger_event e;
static uint64_t count[3];

static void begin(enum plx_tap_trigger_kind kind, uint64_t over, plx_ns ns)
{
	const struct plx_tap_trigger conf = {.kind = kind, .over = over, .ns = ns};

	trigger__init(&t, &conf, count, 3, 0);
}

static bool look(plx_ns now)
{
	return trigger__look(&t, count, now, &e);
}

T(what_was_before_does_not_count)
{
	count[1] = 7;
	begin(PLX_TAP_ON_RTO, 100, PLX_SEC(1)); /* neither is for this kind */
	ok(!look(PLX_MS(2)));
	count[1]++;
	ok(look(PLX_MS(4)));
	eq(e.n, 1);
	eq(e.lcore, 1);
	ok(!look(PLX_MS(6)));
}

T(who_had_most)
{
	begin(PLX_TAP_ON_SQUEEZE, 0, 0);
	count[0] += 2;
	count[2] += 3;
	ok(look(PLX_MS(2)));
	eq(e.n, 5);
	eq(e.lcore, 2);
	count[0]++;
	ok(look(PLX_MS(4)));
	eq(e.lcore, 0);
}

T(more_than_so_many_within_a_time)
{
	begin(PLX_TAP_ON_DROPS, 10, PLX_MS(100));
	for (int i = 1; i < 100; i++) { /* 10 in 100 ms are not more than 10 */
		count[0] += i % 5 == 0;
		ok(!look(PLX_MS(2) * i));
	}
	count[2] += 3;
	ok(look(PLX_MS(200)));
	ok(e.n > 10 && e.n <= 13);
	eq(e.lcore, 2);
	count[0] += 10; /* anew */
	ok(!look(PLX_MS(202)));
	count[0]++;
	ok(look(PLX_MS(204)));
	eq(e.n, 11);
}

/* Each number of drops is asked of a list of all that came. */
T(no_false_alarm_and_few_missed)
{
	enum { LOOKS = 20000 };
	static uint64_t n[LOOKS];
	static plx_ns at[LOOKS];
	struct plx_rng rng;
	int fired = 0, missed = 0, since = 0;

	plx_rng_init(&rng, t_seed(1));
	begin(PLX_TAP_ON_DROPS, 20, PLX_MS(100));
	n[0] = count[0] + count[1] + count[2];
	for (int i = 1; i < LOOKS; i++) {
		uint64_t most = 0, well = 0;

		at[i] = at[i - 1] + PLX_MS(1) + (plx_ns)plx_rng_below(&rng, PLX_MS(4));
		if (plx_rng_below(&rng, 12) == 0)
			count[plx_rng_below(&rng, 3)] += 1 + plx_rng_below(&rng, 6);
		n[i] = count[0] + count[1] + count[2];
		for (int j = since; j < i; j++) {
			if (at[i] - at[j] <= PLX_MS(100))
				most = PLX_MAX(most, n[i] - n[j]);
			if (at[i] - at[j] <= PLX_MS(90))
				well = PLX_MAX(well, n[i] - n[j]);
		}
		if (look(at[i])) {
			ok(most > 20);
			fired++;
			since = i;
		} else {
			missed += well > 20;
		}
	}
	print_message("%d bursts\n", fired);
	ok(fired > 20);
	eq(missed, 0);
}

/* Who did not look for a while knows only how many there were in all. */
T(a_thread_that_slept)
{
	begin(PLX_TAP_ON_DROPS, 10, PLX_MS(10));
	count[0] += 30;
	ok(!look(PLX_MS(30))); /* maybe 10 in each 10 ms */
	count[0] += 31;
	ok(look(PLX_MS(60))); /* 11 in one of them */
	eq(e.n, 31);
	count[0] += 11;
	ok(look(PLX_MS(69)));
	ok(!look(PLX_SEC(1000)));
	ok(!look(PLX_SEC(1001)));
}

RUN(T_(what_was_before_does_not_count), T_(who_had_most), T_(more_than_so_many_within_a_time),
	T_(no_false_alarm_and_few_missed), T_(a_thread_that_slept))
