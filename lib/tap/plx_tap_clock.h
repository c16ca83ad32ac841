/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Times of packets as wall time: one clock, which never goes back.
 *
 * Packets carry the time of the taps, the TSC's. Its rate is known to some 100 ppm only, which is a
 * third of a second in an hour, and the wall clock is adjusted meanwhile. So the caller tells both
 * times now and then, and from that moment on the clock runs a little faster or slower, so that it
 * would be right a second later: with an error of 100 ppm it is 0.1 ms off for good, and no more.
 *
 * Pure: no clock is read. What is older than the last correction is told by the line before it, so
 * that packets which lie in a ring meanwhile stay in order with those behind them.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

/** A straight line: wall time at mono, gaining slew_ppb each second. */
struct plx_tap_line {
	plx_ns mono, wall;
	int64_t slew_ppb;
};

/** Owned by one thread. */
struct plx_tap_clock {
	struct plx_tap_line now, before;
};

#define PLX_TAP_CLOCK_SLEW_PPB 500000	  /**< at most: 500 ppm, as NTP */
#define PLX_TAP_CLOCK_JUMP_NS  PLX_MS(20) /**< who is further off does not get there by that */

/** @param mono of the engine's clock. @param wall of the same moment, since 1970. */
PLX_API void plx_tap_clock_init(struct plx_tap_clock *c, plx_ns mono, plx_ns wall);
/**
 * Correct it: the two times are of now. Every second or more often.
 * A clock that is more than 20 ms slow jumps; one that is as much fast runs at half its speed.
 */
PLX_API void plx_tap_clock_set(struct plx_tap_clock *c, plx_ns mono, plx_ns wall);
/** Wall time. Does not fall as mono grows, whatever happens in between, for mono >= that of the
 * last correction but one. */
PLX_API plx_ns plx_tap_clock_wall(const struct plx_tap_clock *c, plx_ns mono);

PLX_C_END
