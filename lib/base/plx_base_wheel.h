/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A hierarchical timer wheel for millions of timers (Varghese and Lauck, 1987, scheme 7).
 *
 * Adding and deleting take constant time. Each level has 64 slots, each slot of a level is as long
 * as the whole level below; a timer sits in the level of the highest digit (base 64) in which its
 * tick differs from the wheel's, and moves down when the wheel reaches its slot. Empty time costs
 * nothing: the wheel goes from one occupied slot to the next by bit maps.
 *
 * - A timer never fires early. It fires in the first plx_wheel_run() whose now is at or past its
 *   time rounded up to a tick, as far as the budget reaches.
 * - Work per call is bounded: each timer that fires and each that moves down counts one. What is
 *   left over is done first by the next call, and plx_wheel_deadline() lies in the past until then.
 * - Timers of one tick fire in no particular order.
 *
 * No clock, no allocation, no lock: one owner. Wheel and timers must not move while armed.
 */
#include "plx_base_list.h"

PLX_C_BEGIN

#define PLX_WHEEL_BITS	 6
#define PLX_WHEEL_SLOTS	 (1 << PLX_WHEEL_BITS)
#define PLX_WHEEL_LEVELS 11 /**< 66 bits: all of plx_ns at a tick of 1 ns */

/** Embedded in what it times. All zero = not armed. */
struct plx_timer {
	struct plx_list node;
	plx_ns when;   /**< time it was armed for */
	uint16_t slot; /**< where it is, plus 1; 0 = not armed */
	uint16_t kind; /**< the owner's, never touched: which kind of object it is embedded in */
	uint32_t tag;  /**< the owner's, never touched */
};

/** About 11 KB; one for each lcore. */
struct plx_wheel {
	uint64_t cur;	      /**< tick reached; all armed timers outside of `work` are later */
	plx_ns origin;	      /**< time of tick 0 */
	uint64_t armed;	      /**< timers armed */
	struct plx_list work; /**< content of the slot reached: to fire or to move down */
	uint8_t shift;	      /**< a tick is 2^shift ns */
	uint16_t levels;      /**< bit l: map[l] isn't 0 */
	uint64_t map[PLX_WHEEL_LEVELS]; /**< bit s: slot s has timers */
	struct plx_list slots[PLX_WHEEL_LEVELS * PLX_WHEEL_SLOTS];
};

/**
 * Called for each timer that fires. It is no longer armed: the callback may arm it again, arm or
 * delete any other, and free what it is embedded in; it must not call plx_wheel_run(). What it arms
 * for a time that has passed counts as armed for the tick after the one that is being run.
 */
typedef void plx_timer_fn(struct plx_timer *t, void *arg);

/** @param tick_ns > 0; rounded down to a power of two (plx_wheel_tick()). */
PLX_API void plx_wheel_init(struct plx_wheel *w, plx_ns now, plx_ns tick_ns);

/**
 * Arm t for `when`; an armed one is moved. PLX_NEVER disarms. A time that has passed is as good as
 * the wheel's next tick.
 */
PLX_API void plx_wheel_add(struct plx_wheel *w, struct plx_timer *t, plx_ns when);

/** Disarm t; harmless when it isn't armed. */
PLX_API void plx_wheel_del(struct plx_wheel *w, struct plx_timer *t);

/**
 * Fire what is due at now. A now that lies before that of an earlier call does nothing new.
 * @param budget most units of work; a unit is one timer fired or moved.
 * @return units done; when it is the budget, work may be left.
 */
PLX_API unsigned int plx_wheel_run(
	struct plx_wheel *w, plx_ns now, unsigned int budget, plx_timer_fn *fn, void *arg);

/**
 * A lower bound of when the next timer fires: there is nothing for plx_wheel_run() to do before. It
 * is exact to the tick within 64 ticks, else it may be early (the wheel then moves timers down).
 * @return PLX_NEVER when none is armed.
 */
PLX_API plx_ns plx_wheel_deadline(const struct plx_wheel *w);

static inline bool plx_timer_is_armed(const struct plx_timer *t)
{
	return t->slot != 0;
}

/** The tick in force. */
static inline plx_ns plx_wheel_tick(const struct plx_wheel *w)
{
	return (plx_ns)1 << w->shift;
}

/** Timers armed. */
static inline uint64_t plx_wheel_count(const struct plx_wheel *w)
{
	return w->armed;
}

PLX_C_END
