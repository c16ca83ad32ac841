/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_hash.h"

static void compress(struct plx_siphash_state *s, uint64_t w)
{
	s->v3 ^= w;
	plx_siphash_round(s);
	plx_siphash_round(s);
	s->v0 ^= w;
}

uint64_t plx_siphash(const uint64_t key[2], const void *p, size_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	struct plx_siphash_state s;
	uint64_t w, last = (uint64_t)len << 56;
	size_t tail = len % 8;

	plx_siphash_start(&s, key);
	for (const uint8_t *end = b + (len - tail); b != end; b += 8) {
		memcpy(&w, b, sizeof(w));
		compress(&s, w);
	}
	for (size_t i = 0; i < tail; i++)
		last |= (uint64_t)b[i] << 8 * i;
	compress(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		plx_siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
