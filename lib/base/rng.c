/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_rng.h"

/* Steele, Lea, Flood 2014: a bijection, so the four words of the state can't all be zero. */
static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void plx_rng_init(struct plx_rng *r, uint64_t seed)
{
	for (size_t i = 0; i < PLX_DIM(r->s); i++)
		r->s[i] = splitmix64(&seed);
}

/*
 * Lemire 2019: the product of a random word and n falls into n intervals of 2^64; the values in the
 * first (2^64 mod n) of each are one too many and drawn again. The division is rarely reached.
 */
uint64_t plx_rng_below(struct plx_rng *r, uint64_t n)
{
	unsigned __int128 m = (unsigned __int128)plx_rng_u64(r) * n;

	if (plx_unlikely((uint64_t)m < n)) {
		uint64_t surplus = n ? -n % n : 0;

		while ((uint64_t)m < surplus)
			m = (unsigned __int128)plx_rng_u64(r) * n;
	}
	return (uint64_t)(m >> 64);
}

void plx_rng_bytes(struct plx_rng *r, void *p, size_t len)
{
	uint8_t *b = (uint8_t *)p;

	for (uint64_t w; len > 0;) {
		size_t n = PLX_MIN(len, sizeof(w));

		w = plx_rng_u64(r);
		memcpy(b, &w, n);
		b += n;
		len -= n;
	}
}
