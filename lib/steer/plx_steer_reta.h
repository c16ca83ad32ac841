/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The redirection table: the low bits of the hash choose a receive queue.
 *
 * Fills like `ethtool -X`. A plain value; the port that has it serialises changes. An entry is one
 * aligned 16-bit store, so an lcore that looks up meanwhile sees the old queue or the new one.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

#define PLX_RETA_SIZE_MIN 128
#define PLX_RETA_SIZE_MAX 1024

struct plx_reta {
	uint16_t size; /**< entries: a power of two, PLX_RETA_SIZE_MIN..PLX_RETA_SIZE_MAX */
	uint16_t q[PLX_RETA_SIZE_MAX];
};

/**
 * Spread over n queues from first on: `ethtool -X ... start first equal n`.
 * @return 0, or -EINVAL (size, n of 0 or more than size) and *r untouched.
 */
PLX_API int plx_steer_reta_equal(struct plx_reta *r, uint16_t size, uint16_t first, uint16_t n);

/**
 * Spread over n queues from first on in proportion to w: `ethtool -X ... start first weight w0 w1
 * ...`. A queue of weight 0 gets nothing.
 * @return 0, or -EINVAL (size; sum of weights 0 or more than size) and *r untouched.
 */
PLX_API int plx_steer_reta_weights(
	struct plx_reta *r, uint16_t size, uint16_t first, const uint32_t *w, uint16_t n);

/** True when the size is legal and every entry names one of nqueues queues. */
PLX_API bool plx_steer_reta_valid(const struct plx_reta *r, uint16_t nqueues);

/** The queue of a hash. */
static inline uint16_t plx_steer_reta_queue(const struct plx_reta *r, uint32_t hash)
{
	return r->q[hash & (r->size - 1u)];
}

PLX_C_END
