/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * 32-bit serial numbers that wrap (RFC 1982 with SERIAL_BITS = 32, RFC 9293 3.4).
 *
 * Comparisons hold for numbers less than 2^31 apart. At exactly 2^31, which RFC 1982 3.2 leaves
 * undefined, each is less than the other; so callers keep windows below 2^30 (RFC 7323 2.3).
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

/** a - b: how far a is ahead of b; negative when behind. */
static inline int32_t plx_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool plx_seq_lt(uint32_t a, uint32_t b)
{
	return plx_seq_diff(a, b) < 0;
}

static inline bool plx_seq_le(uint32_t a, uint32_t b)
{
	return plx_seq_diff(a, b) <= 0;
}

static inline bool plx_seq_gt(uint32_t a, uint32_t b)
{
	return plx_seq_lt(b, a);
}

static inline bool plx_seq_ge(uint32_t a, uint32_t b)
{
	return plx_seq_le(b, a);
}

/** v in [begin, end), whatever the length of the range: 0 .. 2^32 - 1. */
static inline bool plx_seq_in_range(uint32_t v, uint32_t begin, uint32_t end)
{
	return v - begin < end - begin;
}

static inline uint32_t plx_seq_max(uint32_t a, uint32_t b)
{
	return plx_seq_lt(a, b) ? b : a;
}

static inline uint32_t plx_seq_min(uint32_t a, uint32_t b)
{
	return plx_seq_lt(b, a) ? b : a;
}

PLX_C_END
