/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A bounded, ordered set of half-open intervals [start, end) of 64-bit offsets.
 *
 * What has arrived of a datagram or a stream, what has been acknowledged: sequence numbers are
 * extended to offsets first, so nothing here wraps. Intervals that overlap or touch are merged, so
 * the array is always the shortest that says the same. Memory is the caller's; a change that would
 * not fit in it is refused whole. One owner.
 *
 * Each [start, end) that is passed has start < end, unless said otherwise.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

struct plx_range {
	uint64_t start; /**< first offset inside */
	uint64_t end;	/**< first offset behind it */
};

/** v[0..n-1] is sorted, and v[i].end < v[i + 1].start. */
struct plx_ranges {
	struct plx_range *v;
	uint32_t n;
	uint32_t cap;
};

/** An empty set of at most cap intervals; v is kept. */
static inline void plx_ranges_init(struct plx_ranges *r, struct plx_range *v, uint32_t cap)
{
	r->v = v;
	r->n = 0;
	r->cap = cap;
}

static inline void plx_ranges_clear(struct plx_ranges *r)
{
	r->n = 0;
}

/**
 * Add [start, end), merging.
 * @return 0; -ENOSPC when one more interval would be needed than fit; -EINVAL unless start < end;
 *         the set is unchanged on errors.
 */
PLX_API int plx_ranges_add(struct plx_ranges *r, uint64_t start, uint64_t end);

/**
 * Take [start, end) out, where present. What starts at or below the set's first offset, or reaches
 * the end of its last interval, never needs room.
 * @return 0; -ENOSPC when it would split an interval of a full set; -EINVAL unless start < end; the
 *         set is unchanged on errors.
 */
PLX_API int plx_ranges_remove(struct plx_ranges *r, uint64_t start, uint64_t end);

/** The interval that offset at lies in, or NULL. Valid until the set changes. */
PLX_API const struct plx_range *plx_ranges_find(const struct plx_ranges *r, uint64_t at);

/** All of [start, end) is in the set. */
PLX_API bool plx_ranges_contains(const struct plx_ranges *r, uint64_t start, uint64_t end);

/** Some of [start, end) is in the set. */
PLX_API bool plx_ranges_overlaps(const struct plx_ranges *r, uint64_t start, uint64_t end);

/**
 * The first part of [from, to) that is missing; from >= to has none. Its own end is where to go on:
 *
 *     for (at = from; plx_ranges_gap(&r, at, to, &gap); at = gap.end)
 *
 * @return false, *gap untouched, when nothing is missing.
 */
PLX_API bool plx_ranges_gap(
	const struct plx_ranges *r, uint64_t from, uint64_t to, struct plx_range *gap);

/** The opposite: the first part of [from, to) that is present. */
PLX_API bool plx_ranges_piece(
	const struct plx_ranges *r, uint64_t from, uint64_t to, struct plx_range *piece);

/** How many offsets are in the set. */
PLX_API uint64_t plx_ranges_total(const struct plx_ranges *r);

PLX_C_END
