/* SPDX-License-Identifier: BSD-3-Clause */
#include "toeplitz.h"

#include <errno.h>

#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

#include <plx_wire_ip.h>

const uint8_t plx_steer_key_microsoft[PLX_STEER_KEY_MIN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b,
	0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae,
	0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b,
	0xbe, 0xac, 0x01, 0xfa};

struct words {
	uint32_t w[STEER_WORDS_MAX];
	unsigned int n;
};

uint32_t plx_steer_hash_bits(const uint8_t *key, size_t key_len, const uint8_t *input, size_t n)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < n * 8; i++) {
		uint64_t window = 0;

		if (!(input[i / 8] >> (7 - i % 8) & 1))
			continue;
		for (size_t k = i / 8; k < i / 8 + 5; k++)
			window = window << 8 | (k < key_len ? key[k] : 0);
		hash ^= (uint32_t)(window >> (8 - i % 8));
	}
	return hash;
}

static unsigned int key_bit(const uint8_t *key, unsigned int i)
{
	return key[i / 8] >> (7 - i % 8) & 1;
}

static bool cpu_multiplies(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("pclmul");
#else
	return false;
#endif
}

static bool cpu_can(enum plx_toeplitz_by by)
{
	switch (by) {
	case PLX_TOEPLITZ_TABLE:
		return true;
	case PLX_TOEPLITZ_CLMUL:
		return cpu_multiplies();
	case PLX_TOEPLITZ_GFNI:
		return steer__gfni_there();
	default:
		return false;
	}
}

static enum plx_toeplitz_by best(void)
{
	return cpu_can(PLX_TOEPLITZ_CLMUL) ? PLX_TOEPLITZ_CLMUL : PLX_TOEPLITZ_TABLE;
}

int plx_steer_toeplitz_use(struct plx_toeplitz *t, enum plx_toeplitz_by by)
{
	if (!cpu_can(by))
		return -ENOTSUP;
	t->by = (uint8_t)by;
	return 0;
}

/* Row o of a matrix gives bit o of a hash's byte, the first bit highest: which bits of the input's
 * byte go into it. */
static void make_matrices(struct plx_toeplitz *t)
{
	for (unsigned int k = 0; k < PLX_DIM(t->matrix); k++) {
		unsigned int next = k + 1 < t->key_len ? t->key[k + 1] : 0;
		unsigned int two = (unsigned int)t->key[k] << 8 | next;

		for (unsigned int o = 0; o < 8; o++)
			t->matrix[k] |= (uint64_t)(two >> (8 - o) & 0xff) << 8 * o;
	}
}

int plx_steer_toeplitz_init(struct plx_toeplitz *t, const uint8_t *key, size_t len)
{
	if (len < PLX_STEER_KEY_MIN || len > PLX_STEER_KEY_MAX)
		return -EINVAL;
	*t = (struct plx_toeplitz){.by = (uint8_t)best(), .key_len = (uint8_t)len};
	memcpy(t->key, key, len);
	make_matrices(t);
	for (unsigned int i = 0; i < PLX_DIM(t->window); i++)
		for (unsigned int j = 0; j < 63; j++)
			t->window[i] |= (uint64_t)key_bit(key, 32 * i + j) << j;
	for (unsigned int i = 0; i < PLX_DIM(t->half); i++)
		for (unsigned int v = 0; v < 16; v++) {
			uint8_t in[36] = {0};

			in[i / 2] = (uint8_t)(i % 2 ? v : v << 4);
			t->half[i][v] = plx_steer_hash_bits(key, len, in, sizeof(in));
		}
	return 0;
}

/* In the order of memcmp(), whose call costs more than the rest of the hash. */
static bool addr_less(const struct plx_addr *a, const struct plx_addr *b)
{
	uint64_t x = plx_get_be64(a->b), y = plx_get_be64(b->b);

	return x != y ? x < y : plx_get_be64(a->b + 8) < plx_get_be64(b->b + 8);
}

/* Without a branch: nothing foretells which of the two is less. */
static inline void put_two(uint32_t *first, uint32_t *last, uint32_t a, uint32_t b, bool sorted)
{
	*first = sorted ? PLX_MIN(a, b) : a;
	*last = sorted ? PLX_MAX(a, b) : b;
}

static inline void lay_out(struct words *in, const struct plx_addr *src, const struct plx_addr *dst,
	uint32_t ports, bool sorted)
{
	if (plx_likely(plx_addr_is_v4(src) && plx_addr_is_v4(dst))) {
		put_two(&in->w[0], &in->w[1], plx_addr_v4(src), plx_addr_v4(dst), sorted);
		in->n = 2;
	} else {
		bool swap = sorted && addr_less(dst, src);
		const struct plx_addr *a = swap ? dst : src, *b = swap ? src : dst;

		for (unsigned int i = 0; i < 4; i++) {
			in->w[i] = __builtin_bswap32(a->w[i]);
			in->w[4 + i] = __builtin_bswap32(b->w[i]);
		}
		in->n = 8;
	}
	in->w[in->n++] = ports;
}

static uint32_t look_up(const struct plx_toeplitz *t, const struct words *in)
{
	uint32_t hash = 0;

	for (unsigned int i = 0; i < in->n; i++)
		for (unsigned int j = 0; j < 8; j++)
			hash ^= t->half[8 * i + j][in->w[i] >> (28 - 4 * j) & 15];
	return hash;
}

#if defined(__x86_64__)
static uint32_t reverse_bits(uint32_t x)
{
	x = __builtin_bswap32(x);
	x = (x & 0x0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f);
	x = (x & 0x33333333) << 2 | (x >> 2 & 0x33333333);
	return (x & 0x55555555) << 1 | (x >> 1 & 0x55555555);
}

/*
 * Input bit i of a word (0 = first) stands at power 31 - i, key bit l of its window at power l.
 * Hash bit j is the sum over i of input bit i times key bit i + j: the product's coefficient at 31
 * + j.
 */
__attribute__((target("pclmul"))) static uint32_t multiply(const struct plx_toeplitz *t,
	const struct plx_addr *src, const struct plx_addr *dst, uint32_t ports)
{
	__m128i sum = _mm_setzero_si128();
	struct words in; /* of IPv4, these stay in registers */

	lay_out(&in, src, dst, ports, t->symmetric);
	for (unsigned int i = 0; i < in.n; i++)
		sum = _mm_xor_si128(
			sum, _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)in.w[i]),
				     _mm_loadl_epi64((const __m128i *)&t->window[i]), 0));
	return reverse_bits((uint32_t)((uint64_t)_mm_cvtsi128_si64(sum) >> 31));
}
#else
static uint32_t multiply(const struct plx_toeplitz *t, const struct plx_addr *src,
	const struct plx_addr *dst, uint32_t ports)
{
	return 0; /* never called */
}
#endif

uint32_t plx_steer_hash(const struct plx_toeplitz *t, const struct plx_addr *src,
	const struct plx_addr *dst, uint16_t sport, uint16_t dport, bool with_ports)
{
	uint32_t first, last, ports;
	struct words in;

	put_two(&first, &last, sport, dport, t->symmetric);
	ports = with_ports ? first << 16 | last : 0; /* zeros add nothing */
	if (plx_likely(t->by == PLX_TOEPLITZ_CLMUL))
		return multiply(t, src, dst, ports);
	lay_out(&in, src, dst, ports, t->symmetric);
	return t->by == PLX_TOEPLITZ_GFNI ? steer__gfni(t, in.w, in.n) : look_up(t, &in);
}

static bool has_ports(uint8_t proto)
{
	switch (proto) {
	case PLX_IPPROTO_TCP:
	case PLX_IPPROTO_UDP:
	case PLX_IPPROTO_SCTP:
		return true;
	default:
		return false;
	}
}

uint32_t plx_steer_hash_tuple(const struct plx_toeplitz *t, const struct plx_tuple *tuple)
{
	return plx_steer_hash(t, &tuple->src, &tuple->dst, tuple->sport, tuple->dport,
		!tuple->frag && has_ports(tuple->proto));
}
