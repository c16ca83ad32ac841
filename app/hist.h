/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A histogram of times that keeps three significant digits, as Tene's HdrHistogram does it.
 *
 * Log-linear: below 2,048 each value has a bucket of its own, above it each doubling has 1,024
 * equal ones, so that a value is known to within a thousandth whatever its size. A quarter of a
 * MiB, constant time to record. One writer; histograms of several are merged.
 */
#include <plx_base.h>

#define HIST_BITS    40 /**< values from 2^40 on share the last bucket: 18 minutes in ns */
#define HIST_BUCKETS ((HIST_BITS - 10 + 1) << 10)

struct hist {
	uint64_t count, sum;
	uint64_t min, max; /**< exact; of no values 0 */
	uint64_t bucket[HIST_BUCKETS];
};

static inline uint32_t hist_index(uint64_t v)
{
	uint32_t shift;

	if (v < 2048)
		return (uint32_t)v;
	shift = 63u - (uint32_t)__builtin_clzll(v) - 10;
	if (shift > HIST_BITS - 11)
		return HIST_BUCKETS - 1;
	return (shift << 10) + (uint32_t)(v >> shift);
}

static inline void hist_record(struct hist *h, uint64_t v)
{
	if (h->count == 0 || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->count++;
	h->sum += v;
	h->bucket[hist_index(v)]++;
}

/** The largest value that shares the bucket. */
uint64_t hist_upper(uint32_t index);
void hist_merge(struct hist *h, const struct hist *other);
/** A value that so many percent are not above; the smallest of those it can name. Of none: 0. */
uint64_t hist_percentile(const struct hist *h, double percent);
/** Of no values 0. */
double hist_mean(const struct hist *h);
