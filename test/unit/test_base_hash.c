/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_hash.h>
#include <plx_base_rng.h>

/* Key 00 01 .. 0f, input 00 01 .. n - 1: the vectors published with SipHash-2-4. */
static const uint64_t sip24[64] = {
	0x726fdb47dd0e0e31,
	0x74f839c593dc67fd,
	0x0d6c8009d9a94f5a,
	0x85676696d7fb7e2d,
	0xcf2794e0277187b7,
	0x18765564cd99a68d,
	0xcbc9466e58fee3ce,
	0xab0200f58b01d137,
	0x93f5f5799a932462,
	0x9e0082df0ba9e4b0,
	0x7a5dbbc594ddb9f3,
	0xf4b32f46226bada7,
	0x751e8fbc860ee5fb,
	0x14ea5627c0843d90,
	0xf723ca908e7af2ee,
	0xa129ca6149be45e5,
	0x3f2acc7f57c29bdb,
	0x699ae9f52cbe4794,
	0x4bc1b3f0968dd39c,
	0xbb6dc91da77961bd,
	0xbed65cf21aa2ee98,
	0xd0f2cbb02e3b67c7,
	0x93536795e3a33e88,
	0xa80c038ccd5ccec8,
	0xb8ad50c6f649af94,
	0xbce192de8a85b8ea,
	0x17d835b85bbb15f3,
	0x2f2e6163076bcfad,
	0xde4daaaca71dc9a5,
	0xa6a2506687956571,
	0xad87a3535c49ef28,
	0x32d892fad841c342,
	0x7127512f72f27cce,
	0xa7f32346f95978e3,
	0x12e0b01abb051238,
	0x15e034d40fa197ae,
	0x314dffbe0815a3b4,
	0x027990f029623981,
	0xcadcd4e59ef40c4d,
	0x9abfd8766a33735c,
	0x0e3ea96b5304a7d0,
	0xad0c42d6fc585992,
	0x187306c89bc215a9,
	0xd4a60abcf3792b95,
	0xf935451de4f21df2,
	0xa9538f0419755787,
	0xdb9acddff56ca510,
	0xd06c98cd5c0975eb,
	0xe612a3cb9ecba951,
	0xc766e62cfcadaf96,
	0xee64435a9752fe72,
	0xa192d576b245165a,
	0x0a8787bf8ecb74b2,
	0x81b3e73d20b49b6f,
	0x7fa8220ba3b2ecea,
	0x245731c13ca42499,
	0xb78dbfaf3a8d83bd,
	0xea1ad565322a1a0b,
	0x60e61c23a3795013,
	0x6606d7e446282b93,
	0x6ca4ecb15c5f91e1,
	0x9f626da15c9625f3,
	0xe51b38608ef25f57,
	0x958a324ceb064572,
};

/* The same for SipHash-1-3, inputs of 0, 8, .. 56 bytes. */
static const uint64_t sip13[8] = {0xabac0158050fc4dc, 0x369095118d299a8e, 0xcc4fdd1a7d908b66,
	0xf464aeb267349c8c, 0x81157b6c16a7b60d, 0xc1d2363299e41531, 0x9f3143f8df074c46,
	0xb4bcc0db243c6d75};

static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

T(siphash_gives_the_published_values)
{
	uint8_t in[64];

	for (size_t n = 0; n < 64; n++) {
		uint8_t *copy = malloc(n ? n : 1); /* so that a sanitizer sees one byte too many */

		in[n] = (uint8_t)n;
		memcpy(copy, in, n);
		eq(plx_siphash(key, copy, n), sip24[n]);
		free(copy);
	}
}

T(siphash13_gives_the_published_values)
{
	uint64_t w[7];

	for (size_t i = 0; i < sizeof(w); i++)
		((uint8_t *)w)[i] = (uint8_t)i;
	for (unsigned int n = 0; n < 8; n++)
		eq(plx_siphash13_words(key, w, n), sip13[n]);
}

typedef uint64_t hash_fn(const uint64_t k[2], const uint64_t *w, unsigned int n);

/* Each flipped input bit flips each output bit about half of the time. */
static void avalanche(hash_fn *hash, unsigned int n)
{
	enum { TRIALS = 400 };
	static unsigned int flips[5 * 64][64];
	struct plx_rng r;
	uint64_t w[5], k[2];

	memset(flips, 0, sizeof(flips));
	plx_rng_init(&r, t_seed(n));
	for (int t = 0; t < TRIALS; t++) {
		uint64_t h;

		plx_rng_bytes(&r, k, sizeof(k));
		plx_rng_bytes(&r, w, sizeof(w));
		h = hash(k, w, n);
		for (unsigned int in = 0; in < n * 64; in++) {
			uint64_t d;

			w[in / 64] ^= UINT64_C(1) << in % 64;
			d = h ^ hash(k, w, n);
			w[in / 64] ^= UINT64_C(1) << in % 64;
			for (; d; d &= d - 1)
				flips[in][__builtin_ctzll(d)]++;
		}
	}
	/* Half +- 7 standard deviations, which are sqrt(400) / 2 = 10. */
	for (unsigned int in = 0; in < n * 64; in++)
		for (unsigned int out = 0; out < 64; out++)
			assert_in_range(flips[in][out], TRIALS / 2 - 70, TRIALS / 2 + 70);
}

T(every_bit_counts)
{
	for (unsigned int n = 1; n <= 5; n++)
		avalanche(plx_hash_words, n);
	avalanche(plx_siphash13_words, 5);
}

/*
 * Keys as tables see them, counting up in one place, fall evenly into 2^10 buckets, by the hash's
 * lowest and by its highest bits: chi-square with 1023 degrees of freedom, mean 1023, standard
 * deviation 45.
 */
static void spread(hash_fn *hash, unsigned int word, unsigned int shift)
{
	enum { KEYS = 64 * 1024, BUCKETS = 1024 };
	static unsigned int low[BUCKETS], high[BUCKETS];
	double chi_low = 0, chi_high = 0, mean = (double)KEYS / BUCKETS;
	uint64_t w[5] = {0, 0x0100007fffff0000, 0, 0x0200007fffff0000, 0x5000};

	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	for (uint64_t i = 0; i < KEYS; i++) {
		uint64_t v[5], h;

		memcpy(v, w, sizeof(v));
		v[word] ^= i << shift;
		h = hash(key, v, 5);
		low[h % BUCKETS]++;
		high[h >> 54]++;
	}
	for (int b = 0; b < BUCKETS; b++) {
		chi_low += (low[b] - mean) * (low[b] - mean) / mean;
		chi_high += (high[b] - mean) * (high[b] - mean) / mean;
	}
	ok(chi_low > 700 && chi_low < 1350);
	ok(chi_high > 700 && chi_high < 1350);
}

T(counting_keys_spread_evenly)
{
	for (unsigned int word = 0; word < 5; word++)
		for (unsigned int shift = 0; shift <= 48; shift += 8) {
			spread(plx_hash_words, word, shift);
			spread(plx_siphash13_words, word, shift);
		}
}

T(key_length_and_order_matter)
{
	uint64_t w[4] = {0}, h = plx_hash_words(key, w, 4), other[2] = {key[0], key[1] + 1};

	ne(plx_hash_words(other, w, 4), h);
	for (unsigned int n = 0; n < 4; n++)
		ne(plx_hash_words(key, w, n), plx_hash_words(key, w, n + 1));
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int j = 0; j < i; j++) {
			uint64_t a[4] = {0}, b[4] = {0};

			a[i] = b[j] = 7;
			ne(plx_hash_words(key, a, 4), plx_hash_words(key, b, 4));
		}
}

/* What makes Toeplitz useless here: h(a ^ b) = h(a) ^ h(b) ^ h(0). */
T(not_linear)
{
	static const uint64_t zero[2];
	struct plx_rng r;

	plx_rng_init(&r, t_seed(9));
	for (int i = 0; i < 1000; i++) {
		uint64_t a[2], b[2], c[2];

		plx_rng_bytes(&r, a, sizeof(a));
		plx_rng_bytes(&r, b, sizeof(b));
		c[0] = a[0] ^ b[0];
		c[1] = a[1] ^ b[1];
		ne(plx_hash_words(key, c, 2), plx_hash_words(key, a, 2) ^
						      plx_hash_words(key, b, 2) ^
						      plx_hash_words(key, zero, 2));
	}
}

RUN(T_(siphash_gives_the_published_values), T_(siphash13_gives_the_published_values),
	T_(every_bit_counts), T_(counting_keys_spread_evenly), T_(key_length_and_order_matter),
	T_(not_linear))
