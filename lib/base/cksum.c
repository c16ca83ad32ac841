/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_cksum.h"

static inline uint64_t load64(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return w;
}

/* 0..7 bytes as a word whose other bytes are zero. */
static inline uint64_t load_few(const uint8_t *b, size_t len)
{
	uint64_t w = 0;

	if (len & 4) {
		uint32_t v;

		memcpy(&v, b, sizeof(v));
		w = v;
		b += 4;
	}
	if (len & 2) {
		uint16_t v;

		memcpy(&v, b, sizeof(v));
		w |= (uint64_t)v << (len & 4) * 8;
		b += 2;
	}
	if (len & 1)
		w |= (uint64_t)*b << (len & 6) * 8;
	return w;
}

/*
 * 64-bit words, because a ones' complement sum may be taken in any wider word and folded at the end
 * (RFC 1071 2 (C)). Carries are counted apart, which keeps them out of the adds' dependency chain.
 */
uint32_t plx_cksum_add_bytes(uint32_t sum, const void *p, size_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	uint64_t acc = sum, carries = 0;

	if (plx_unlikely(len < 8))
		return plx_cksum_fold64(plx_cksum_add64(acc, load_few(b, len)));
	for (; len >= 32; b += 32, len -= 32) {
		uint64_t w0 = load64(b), w1 = load64(b + 8);
		uint64_t w2 = load64(b + 16), w3 = load64(b + 24);

		carries += __builtin_add_overflow(w0, w1, &w0);
		carries += __builtin_add_overflow(w2, w3, &w2);
		carries += __builtin_add_overflow(w0, w2, &w0);
		carries += __builtin_add_overflow(acc, w0, &acc);
	}
	for (; len >= 8; b += 8, len -= 8)
		carries += __builtin_add_overflow(acc, load64(b), &acc);
	if (len) /* of the last 8 bytes those that are left */
		carries += __builtin_add_overflow(acc, load64(b + len - 8) >> (64 - len * 8), &acc);
	return plx_cksum_fold64(plx_cksum_add64(acc, carries));
}
