/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Seeded random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.
 *
 * The same seed gives the same sequence everywhere. For models, tests, back-offs and jitter;
 * **not** for secrets, as the state follows from a few outputs: keys of hashes come from
 * getrandom(2) at start. Each user owns its generator.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

struct plx_rng {
	uint64_t s[4];
};

/** Any seed will do, 0 too. */
PLX_API void plx_rng_init(struct plx_rng *r, uint64_t seed);
/** Even over 0 .. n-1, without bias; 0 when n is 0. */
PLX_API uint64_t plx_rng_below(struct plx_rng *r, uint64_t n);
/** len random bytes. */
PLX_API void plx_rng_bytes(struct plx_rng *r, void *p, size_t len);

static inline uint64_t plx_rng_u64(struct plx_rng *r)
{
	uint64_t *s = r->s, m = s[1] * 5, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return (m << 7 | m >> 57) * 9;
}

/** The upper half, which is the better one. */
static inline uint32_t plx_rng_u32(struct plx_rng *r)
{
	return (uint32_t)(plx_rng_u64(r) >> 32);
}

/** In [0, 1), all multiples of 2^-53 equally likely. */
static inline double plx_rng_double(struct plx_rng *r)
{
	return (double)(plx_rng_u64(r) >> 11) * (1.0 / 9007199254740992.0);
}

/** True with probability p; never for p <= 0, always for p >= 1. */
static inline bool plx_rng_chance(struct plx_rng *r, double p)
{
	return plx_rng_double(r) < p;
}

PLX_C_END
