/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Private to the library: what a tap may cost an lcore, and how many packets it looks at so.
 *
 * The share is of the lcore's whole time, busy or not: of an lcore that is saturated that is the
 * part of its work, and one that is idle has time to spare. Two things hold it: one packet in N is
 * looked at, with N so that the share is a little below what it may be; and a bucket that time
 * fills, a millisecond's worth, which is what a tap has when the load comes at once: when it is
 * empty nothing is looked at.
 *
 * N rises at once when a period (10 ms) cost more than it may, by as much as that says; it falls
 * when several in a row would have cost less than 70 % of it with the next smaller one. N is of a
 * ladder, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20..., so that a byte says it. To pass packets by
 * costs as well, which no N makes less: a tenth of the ceiling is for looking in any case.
 *
 * What is measured may be wrong: the lcore's thread may lose its CPU, clocks may jump. So a call
 * counts for at most 16 times as much as calls have cost lately, or 0.1 ms.
 *
 * Pure: times, cycles of the TSC, come from the caller, one lcore.
 */
#include "plx_tap.h"

#define TAP_COST_RUNG_MAX 60 /* of plx_tap_every(): 65536 */

/* Where things were, for a share of lately. */
struct tap_cost_mark {
	uint64_t at, total;
};

struct tap_cost {
	/* what does not change */
	uint64_t share;	 /* of 2^32 */
	uint64_t period; /* cycles between two decisions */
	uint64_t asking; /* cycles that it takes to ask for the time once */
	uint64_t own;	 /* that measuring takes in all */
	uint64_t sudden; /* cycles of a call that are believed in any case */
	uint64_t second; /* cycles */
	int64_t full;	 /* of the bucket */
	/* what is known */
	uint64_t now;  /* of the last call */
	uint64_t mean; /* of a call, cycles */
	int64_t bucket;
	bool closed;   /* it is empty */
	uint8_t rung;  /* of plx_tap_every() */
	uint16_t calm; /* periods that would have cost little */
	/* this period */
	uint64_t began;
	uint64_t looking,
		passing; /* cycles: where something was looked at, and where nothing was */
	uint64_t open;	 /* cycles of it in which the bucket was not empty */
	/* for who asks; single writer */
	uint64_t total; /* cycles */
	struct tap_cost_mark mark, before;
};

/**
 * @param ppm of an lcore's time, PLX_TAP_COST_MIN to PLX_TAP_COST_ALL. @param hz cycles a second.
 * What measuring takes itself, asking and own, is the caller's to find out, and 0 until then.
 */
void tap__cost_init(struct tap_cost *c, uint32_t ppm, uint64_t hz, uint64_t now);
/**
 * A call took from begin to end, as the clock said. Nothing was looked at if it stands for several.
 * @return whether N, or whether anything is looked at, is another one now.
 */
bool tap__cost_spent(struct tap_cost *c, uint64_t begin, uint64_t end, uint32_t times);
/** The share of the last second or two, in ppm. Any thread. */
uint32_t tap__cost_ppm(const struct tap_cost *c, uint64_t now);
