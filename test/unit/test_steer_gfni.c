/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash by GFNI on CPUs without it, too: its code is compiled here with a model of the one
 * instruction, after Intel's manual ("GF2P8AFFINEQB"). The rest is AVX2.
 */
#include "t.h"

#include <plx_base_rng.h>

#include <immintrin.h>

#define STEER_GFNI_TARGET __attribute__((target("avx2")))

/* Bit b of a byte: the parity of the byte and of row 7 - b of its lane's matrix. */
STEER_GFNI_TARGET static __m256i affine(__m256i x, __m256i matrix)
{
	uint8_t in[32], m[32], out[32] = {0};

	_mm256_storeu_si256((void *)in, x);
	_mm256_storeu_si256((void *)m, matrix);
	for (unsigned int i = 0; i < 32; i++)
		for (unsigned int b = 0; b < 8; b++)
			if (__builtin_parity(in[i] & m[i / 8 * 8 + 7 - b]))
				out[i] |= (uint8_t)(1u << b);
	return _mm256_loadu_si256((const void *)out);
}

#undef _mm256_gf2p8affine_epi64_epi8
#define _mm256_gf2p8affine_epi64_epi8(x, matrix, add) affine(x, matrix)
#define steer__gfni				      model
#define steer__gfni_there			      model_there
#include "../../lib/steer/gfni.c"

T(any_key_and_input_match_the_definition)
{
	struct plx_rng rng;

	if (!__builtin_cpu_supports("avx2"))
		skip();
	plx_rng_init(&rng, t_seed(7));
	for (int round = 0; round < 100; round++) {
		uint8_t key[PLX_STEER_KEY_MAX], in[4 * STEER_WORDS_MAX];
		size_t len = 40 + plx_rng_below(&rng, 25);
		struct plx_toeplitz t;

		plx_rng_bytes(&rng, key, len);
		plx_rng_bytes(&rng, in, sizeof(in));
		eq(plx_steer_toeplitz_init(&t, key, len), 0);
		for (unsigned int n = 1; n <= STEER_WORDS_MAX; n++) {
			uint32_t w[STEER_WORDS_MAX];

			for (unsigned int i = 0; i < n; i++)
				w[i] = plx_get_be32(in + 4 * i);
			eq(model(&t, w, n), plx_steer_hash_bits(key, len, in, 4 * n));
		}
	}
}

RUN(T_(any_key_and_input_match_the_definition))
