/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Keyed hashes for tables: SipHash (Aumasson and Bernstein, 2012) and a faster one.
 *
 * Which one: keys that a stranger on the network chooses (addresses, ports) and that he could pile
 * up in one bucket go through plx_siphash13_words(); plx_hash_words() is for keys that he has no
 * hand in, or for tables whose chains are bounded anyway. Keys are 128 secret random bits, drawn
 * once a start. Pure; any thread.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

struct plx_siphash_state {
	uint64_t v0, v1, v2, v3;
};

/** SipHash-2-4 of len bytes: a pseudo-random function, fit for cookies and secret port numbers. */
PLX_API uint64_t plx_siphash(const uint64_t key[2], const void *p, size_t len);

static inline uint64_t plx_rotl64(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void plx_siphash_start(struct plx_siphash_state *s, const uint64_t key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575; /* "somepseudorandomlygeneratedbytes" */
	s->v1 = key[1] ^ 0x646f72616e646f6d;
	s->v2 = key[0] ^ 0x6c7967656e657261;
	s->v3 = key[1] ^ 0x7465646279746573;
}

static inline void plx_siphash_round(struct plx_siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = plx_rotl64(s->v1, 13) ^ s->v0;
	s->v3 = plx_rotl64(s->v3, 16) ^ s->v2;
	s->v0 = plx_rotl64(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v3 = plx_rotl64(s->v3, 21) ^ s->v0;
	s->v1 = plx_rotl64(s->v1, 17) ^ s->v2;
	s->v2 = plx_rotl64(s->v2, 32);
}

/**
 * SipHash-1-3 of n words (of their 8n bytes as they stand in memory): the short-input variant that
 * others too use for hash tables. With a secret key nobody is known to be able to aim collisions;
 * it's no message authentication code.
 */
static inline uint64_t plx_siphash13_words(const uint64_t key[2], const uint64_t *w, unsigned int n)
{
	struct plx_siphash_state s;
	uint64_t last = (uint64_t)n << 59; /* the length in bytes, modulo 256, on top */

	plx_siphash_start(&s, key);
	for (unsigned int i = 0; i < n; i++) {
		s.v3 ^= w[i];
		plx_siphash_round(&s);
		s.v0 ^= w[i];
	}
	s.v3 ^= last;
	plx_siphash_round(&s);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	plx_siphash_round(&s);
	plx_siphash_round(&s);
	plx_siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/** Both halves of the 128-bit product, folded: each bit depends on all bits below it in a and b. */
static inline uint64_t plx_hash_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/**
 * A fast hash of n words: one multiplication for two words and one at the end.
 *
 * It is keyed and not linear: without the key one can't compute a collision as one can for CRC or
 * Toeplitz, and all output bits are usable. It promises no more than that: it isn't a pseudo-random
 * function, nobody has analysed it, and he who can measure which of his keys collide may learn
 * enough of the key to make more of them.
 */
static inline uint64_t plx_hash_words(const uint64_t key[2], const uint64_t *w, unsigned int n)
{
	uint64_t h = key[0] ^ n;
	unsigned int i;

	/* Both factors are blinded by the key, so that no known input makes one of them zero. */
	for (i = 0; i + 2 <= n; i += 2)
		h = plx_hash_fold(h ^ w[i], key[1] ^ w[i + 1]) ^ plx_rotl64(h, 32);
	if (i < n)
		h = plx_hash_fold(h ^ w[i], key[1] ^ 0x9e3779b97f4a7c15) ^ plx_rotl64(h, 32);
	return plx_hash_fold(h ^ key[1], 0x9e3779b97f4a7c15);
}

PLX_C_END
