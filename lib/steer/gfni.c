/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Toeplitz hash by GFNI. Bytes k and k + 1 of the key make an 8 x 8 matrix over GF(2), by which
 * input byte i gives what it adds to byte k - i of the hash. So lane k takes the matrix k and the
 * four input bytes k, k - 1, k - 2, k - 3; the sum of all lanes is the hash.
 *
 * A file of its own, and the instructions are allowed to its one function rather than to the file:
 * inline functions of headers that a file with -mavx2 emits may be what the linker keeps for all.
 */
#include "toeplitz.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifndef STEER_GFNI_TARGET /* the test brings its own, and a model of the instruction */
#define STEER_GFNI_TARGET __attribute__((target("gfni,avx2")))
#endif

bool steer__gfni_there(void)
{
	return __builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx2");
}

STEER_GFNI_TARGET uint32_t steer__gfni(
	const struct plx_toeplitz *t, const uint32_t *w, unsigned int n)
{
	/* Of 7 bytes that end at input byte k of the last lane; the upper half of a lane is 0. */
	const __m256i spread =
		_mm256_set_epi64x((long long)0x8080808003040506, (long long)0x8080808002030405,
			(long long)0x8080808001020304, (long long)0x8080808000010203);
	uint32_t in[1 + STEER_WORDS_MAX + 4] = {0}; /* zeros before the first byte and behind */
	__m256i sum = _mm256_setzero_si256();
	__m128i half;

	for (unsigned int i = 0; i < n; i++)
		in[1 + i] = __builtin_bswap32(w[i]);
	for (unsigned int g = 0; g <= n; g++) {
		const uint8_t *at = (const uint8_t *)in + 4 * g + 1;
		__m256i bytes = _mm256_shuffle_epi8(
			_mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)at)), spread);
		__m256i matrix = _mm256_loadu_si256((const void *)&t->matrix[4 * g]);

		sum = _mm256_xor_si256(sum, _mm256_gf2p8affine_epi64_epi8(bytes, matrix, 0));
	}
	half = _mm_xor_si128(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
	half = _mm_xor_si128(half, _mm_unpackhi_epi64(half, half));
	return __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(half));
}
#else
bool steer__gfni_there(void)
{
	return false;
}

uint32_t steer__gfni(const struct plx_toeplitz *t, const uint32_t *w, unsigned int n)
{
	return 0; /* never called */
}
#endif
