/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_rng.h>
#include <plx_tap_clock.h>

#define WALL0 INT64_C(1800000000000000000) /* some day in 2027 */

/* A crystal that is off by ppm, in wall time. */
static plx_ns wall_of(plx_ns mono, int64_t ppm)
{
	return WALL0 + mono + mono / 1000000 * ppm;
}

static plx_ns worst;

/* Hours of a life: corrected each every_ns by readings that are late by up to 50 us. */
static void live(plx_ns every_ns, int64_t ppm, plx_ns hours)
{
	struct plx_tap_clock c;
	struct plx_rng r;
	plx_ns last = 0;

	plx_rng_init(&r, 1);
	plx_tap_clock_init(&c, 0, WALL0);
	worst = 0;
	for (plx_ns t = every_ns; t < hours * PLX_SEC(3600); t += every_ns) {
		for (int i = 1; i <= 4; i++) {
			plx_ns at = t - every_ns + every_ns * i / 4 - 1;
			plx_ns got = plx_tap_clock_wall(&c, at), err = got - wall_of(at, ppm);

			ok(got >= last);
			last = got;
			if (at > PLX_SEC(10))
				worst = PLX_MAX(worst, err < 0 ? -err : err);
		}
		plx_tap_clock_set(&c, t, wall_of(t, ppm) + (plx_ns)plx_rng_below(&r, 50000));
	}
}

T(within_a_millisecond_after_an_hour)
{
	live(PLX_MS(100), 0, 1);
	ok(worst < PLX_US(100));
	live(PLX_MS(100), 300, 1);
	ok(worst < PLX_MS(1));
	live(PLX_MS(100), -300, 1);
	ok(worst < PLX_MS(1));
	live(PLX_SEC(1), 200, 3);
	ok(worst < PLX_MS(1));
	live(PLX_SEC(1), -200, 3);
	ok(worst < PLX_MS(1));
}

T(signed_in_front_of_its_start)
{
	struct plx_tap_clock c;

	plx_tap_clock_init(&c, PLX_SEC(5), WALL0);
	eq(plx_tap_clock_wall(&c, PLX_SEC(5)), WALL0);
	eq(plx_tap_clock_wall(&c, PLX_SEC(5) - 1), WALL0 - 1);
	eq(plx_tap_clock_wall(&c, 0), WALL0 - PLX_SEC(5));
}

/* Wall time is set by half a minute: forwards at once, backwards by going slowly. */
T(jumps_go_forwards_only)
{
	struct plx_tap_clock c;
	plx_ns last = 0;

	plx_tap_clock_init(&c, 0, WALL0);
	plx_tap_clock_set(&c, PLX_SEC(1), WALL0 + PLX_SEC(31));
	eq(plx_tap_clock_wall(&c, PLX_SEC(1)), WALL0 + PLX_SEC(31));
	eq(plx_tap_clock_wall(&c, PLX_SEC(1) - 5), WALL0 + PLX_SEC(1) - 5);
	for (plx_ns t = PLX_SEC(2); t < PLX_SEC(120); t += PLX_SEC(1)) {
		plx_ns got = plx_tap_clock_wall(&c, t);

		ok(got > last);
		last = got;
		plx_tap_clock_set(&c, t, WALL0 + t);
	}
	ok(last - (WALL0 + PLX_SEC(119)) < PLX_MS(1));
}

T(a_correction_of_the_past_is_none)
{
	struct plx_tap_clock c;

	plx_tap_clock_init(&c, PLX_SEC(5), WALL0);
	plx_tap_clock_set(&c, PLX_SEC(5), WALL0 + 9);
	plx_tap_clock_set(&c, PLX_SEC(4), WALL0 + 9);
	eq(plx_tap_clock_wall(&c, PLX_SEC(6)), WALL0 + PLX_SEC(1));
}

/* What lay in a ring while the clock was corrected stays in front of what came after. */
T(corrections_keep_the_order)
{
	struct plx_tap_clock c;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	plx_tap_clock_init(&c, 0, WALL0);
	for (plx_ns t = PLX_MS(100); t < PLX_SEC(600); t += PLX_MS(100)) {
		plx_ns a = t - (plx_ns)plx_rng_below(&r, 90000000);
		plx_ns was = plx_tap_clock_wall(&c, a);
		plx_ns jitter = (plx_ns)plx_rng_below(&r, 2000000) - 1000000;

		plx_tap_clock_set(&c, t, WALL0 + t + jitter);
		eq(plx_tap_clock_wall(&c, a), was);
		ok(plx_tap_clock_wall(&c, t) >= was);
		ok(plx_tap_clock_wall(&c, t + 1) >= plx_tap_clock_wall(&c, t));
	}
}

/* Whether there is room for it in 64 bits or not. */
T(near_and_far_are_one_line)
{
	const plx_ns far = INT64_C(1) << 32;
	struct plx_tap_clock c;

	plx_tap_clock_init(&c, 0, PLX_SEC(1000));
	plx_tap_clock_set(&c, PLX_SEC(10), PLX_SEC(1010) + PLX_MS(19)); /* it gains 500 ppm */
	for (plx_ns d = far - 3000; d <= far + 3000; d += 1000) {
		plx_ns wall = plx_tap_clock_wall(&c, PLX_SEC(10) + d);

		eq(wall, PLX_SEC(1010) + d + d / 2000);
	}
	plx_tap_clock_set(&c, PLX_SEC(20), PLX_SEC(1010)); /* half as fast */
	for (plx_ns d = far - 3000; d <= far + 3000; d += 1000)
		eq(plx_tap_clock_wall(&c, PLX_SEC(20) + d) - plx_tap_clock_wall(&c, PLX_SEC(20)),
			d - d / 2);
}

RUN(T_(near_and_far_are_one_line), T_(within_a_millisecond_after_an_hour),
	T_(signed_in_front_of_its_start), T_(jumps_go_forwards_only),
	T_(a_correction_of_the_past_is_none), T_(corrections_keep_the_order))
