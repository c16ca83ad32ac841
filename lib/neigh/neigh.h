/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of this library share.
 */
#include <plx_base_rng.h>

/** Even over [lo, hi]. */
static inline plx_ns neigh__between(struct plx_rng *rng, plx_ns lo, plx_ns hi)
{
	return lo + (plx_ns)plx_rng_below(rng, (uint64_t)(hi - lo) + 1);
}
