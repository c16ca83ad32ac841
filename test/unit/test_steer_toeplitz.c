/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>
#include <plx_wire_ip.h>

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static struct plx_toeplitz toeplitz(const uint8_t *key, size_t len)
{
	struct plx_toeplitz t;

	eq(plx_steer_toeplitz_init(&t, key, len), 0);
	return t;
}

/* "Verifying the RSS Hash Calculation": source, destination, hash of addresses, hash with ports. */
static const struct {
	const char *src, *dst;
	uint16_t sport, dport;
	uint32_t hash, with_ports;
} suite[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea},
	{"24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
	{"38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f},
	{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2},
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
		0x4b61e985, 0x02d1feef},
};

T(microsofts_verification_suite_holds)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));

	for (size_t i = 0; i < PLX_DIM(suite); i++) {
		struct plx_addr s = addr(suite[i].src), d = addr(suite[i].dst);

		for (int by = 0; by < PLX_TOEPLITZ_WAYS; by++) {
			struct plx_toeplitz u = t;

			if (plx_steer_toeplitz_use(&u, by) != 0)
				continue;
			eq(plx_steer_hash(&u, &s, &d, 0, 0, false), suite[i].hash);
			eq(plx_steer_hash(&u, &s, &d, suite[i].sport, suite[i].dport, true),
				suite[i].with_ports);
		}
	}
}

T(without_ports_the_ports_do_not_matter)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	struct plx_addr s = addr(suite[0].src), d = addr(suite[0].dst);

	eq(plx_steer_hash(&t, &s, &d, 2794, 1766, false), suite[0].hash);
}

static struct plx_addr random_addr(struct plx_rng *rng, bool v4)
{
	uint8_t b[16];

	plx_rng_bytes(rng, b, sizeof(b));
	return v4 ? plx_addr_from_v4(b) : plx_addr_from_v6(b);
}

static size_t put_tuple(
	uint8_t *in, const struct plx_addr *s, const struct plx_addr *d, uint16_t sp, uint16_t dp)
{
	size_t skip = plx_addr_is_v4(s) ? 12 : 0, n = 16 - skip;

	memcpy(in, s->b + skip, n);
	memcpy(in + n, d->b + skip, n);
	plx_put_be16(in + 2 * n, sp);
	plx_put_be16(in + 2 * n + 2, dp);
	return 2 * n;
}

T(any_key_and_tuple_match_the_definition)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int round = 0; round < 200; round++) {
		uint8_t key[PLX_STEER_KEY_MAX], in[36];
		size_t len = 40 + plx_rng_below(&rng, 25);
		struct plx_toeplitz t;

		plx_rng_bytes(&rng, key, len);
		t = toeplitz(key, len);
		mem_eq(t.key, key, len);
		eq(t.key_len, len);
		for (int i = 0; i < 40; i++) {
			bool v4 = i & 1;
			struct plx_addr s = random_addr(&rng, v4), d = random_addr(&rng, v4);
			uint16_t sp = (uint16_t)plx_rng_u32(&rng), dp = (uint16_t)plx_rng_u32(&rng);
			size_t n = put_tuple(in, &s, &d, sp, dp);
			struct plx_toeplitz u = t;

			/* By whichever the CPU has: each in its turn, else as init chose. */
			plx_steer_toeplitz_use(&u, i / 2 % PLX_TOEPLITZ_WAYS);
			eq(plx_steer_hash(&u, &s, &d, sp, dp, true),
				plx_steer_hash_bits(key, len, in, n + 4));
			eq(plx_steer_hash(&u, &s, &d, sp, dp, false),
				plx_steer_hash_bits(key, len, in, n));
		}
	}
}

T(a_key_that_ends_early_goes_on_with_zeros)
{
	static const uint8_t key[] = {0, 0, 0, 1, 0xff, 0xff}, in[] = {0, 1};

	/* The last of 16 input bits takes key bits 15..46: of four bytes only the 1 at 31. */
	eq(plx_steer_hash_bits(key, 4, in, sizeof(in)), 1u << 15);
	eq(plx_steer_hash_bits(key, 6, in, sizeof(in)), (1u << 15) | 0x7fff);
}

T(a_mapped_peer_of_a_real_ipv6_address_is_hashed_as_ipv6)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	struct plx_addr s = addr("10.0.0.1"), d = addr("2001:db8::1");
	uint8_t in[32];

	memcpy(in, s.b, 16);
	memcpy(in + 16, d.b, 16);
	eq(plx_steer_hash(&t, &s, &d, 0, 0, false),
		plx_steer_hash_bits(t.key, t.key_len, in, sizeof(in)));
}

T(keys_too_short_or_long_are_refused)
{
	uint8_t key[65] = {1};
	struct plx_toeplitz t = {.key_len = 7};

	eq(plx_steer_toeplitz_init(&t, key, 39), -EINVAL);
	eq(plx_steer_toeplitz_init(&t, key, 65), -EINVAL);
	eq(plx_steer_toeplitz_init(&t, key, 0), -EINVAL);
	eq(t.key_len, 7);
	eq(plx_steer_toeplitz_init(&t, key, 40), 0);
	eq(plx_steer_toeplitz_init(&t, key, 64), 0);
}

T(sorted_both_directions_hash_alike)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	unsigned int asymmetric = 0;
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(2));
	for (int i = 0; i < 1000; i++) {
		bool v4 = i & 1;
		struct plx_addr a = random_addr(&rng, v4), b = random_addr(&rng, v4);
		uint16_t ap = (uint16_t)plx_rng_u32(&rng), bp = (uint16_t)plx_rng_u32(&rng);

		t.symmetric = true;
		eq(plx_steer_hash(&t, &a, &b, ap, bp, true),
			plx_steer_hash(&t, &b, &a, bp, ap, true));
		t.symmetric = false;
		asymmetric += plx_steer_hash(&t, &a, &b, ap, bp, true) !=
			      plx_steer_hash(&t, &b, &a, bp, ap, true);
	}
	ok(asymmetric > 990);
}

/* By the first byte that differs, wherever that is. */
T(sorting_puts_the_greater_last)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(3));
	for (int i = 0; i < 1000; i++) {
		struct plx_addr a = random_addr(&rng, i & 1), b = random_addr(&rng, i & 1);
		uint16_t low = (uint16_t)plx_rng_below(&rng, 1 << 15), high = low + 1;
		struct plx_toeplitz u = t;
		bool less;

		memcpy(b.b, a.b, plx_rng_below(&rng, sizeof(b.b)));
		less = memcmp(a.b, b.b, sizeof(a.b)) < 0;
		plx_steer_toeplitz_use(&u, i / 2 % PLX_TOEPLITZ_WAYS);
		u.symmetric = true;
		eq(plx_steer_hash(&u, &a, &b, high, low, true),
			plx_steer_hash(&t, less ? &a : &b, less ? &b : &a, low, high, true));
		eq(plx_steer_hash(&u, &a, &b, high, low, false),
			plx_steer_hash(&t, less ? &a : &b, less ? &b : &a, 0, 0, false));
	}
}

/* The repeated-pattern key leaves half of these buckets empty; sorting leaves none. */
T(sorting_keeps_the_keys_entropy)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	unsigned int hits[128] = {0};

	t.symmetric = true;
	for (uint32_t i = 0; i < 4096; i++) {
		uint8_t s[4] = {10, 0, 0, i & 63}, d[4] = {10, 0, 1, (uint8_t)(i >> 6)};
		struct plx_addr src = plx_addr_from_v4(s), dst = plx_addr_from_v4(d);

		hits[plx_steer_hash(&t, &src, &dst, 1000, 2000, true) & 127]++;
	}
	for (int i = 0; i < 128; i++) {
		ok(hits[i] > 0);
		ok(hits[i] <= 64);
	}
}

T(tuples_have_ports_only_where_they_are_real)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	struct plx_tuple u = {.src = addr(suite[0].src),
		.dst = addr(suite[0].dst),
		.sport = suite[0].sport,
		.dport = suite[0].dport};
	static const uint8_t with[] = {PLX_IPPROTO_TCP, PLX_IPPROTO_UDP, PLX_IPPROTO_SCTP};

	for (size_t i = 0; i < PLX_DIM(with); i++) {
		u.proto = with[i];
		u.frag = false;
		eq(plx_steer_hash_tuple(&t, &u), suite[0].with_ports);
		u.frag = true;
		eq(plx_steer_hash_tuple(&t, &u), suite[0].hash);
	}
	u.proto = PLX_IPPROTO_ICMP;
	u.frag = false;
	eq(plx_steer_hash_tuple(&t, &u), suite[0].hash);
}

T(ways_that_the_cpu_lacks_are_refused)
{
	struct plx_toeplitz t = toeplitz(plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	uint8_t by = t.by;

	eq(plx_steer_toeplitz_use(&t, PLX_TOEPLITZ_WAYS), -ENOTSUP);
	eq(t.by, by);
	eq(plx_steer_toeplitz_use(&t, PLX_TOEPLITZ_TABLE), 0);
	eq(t.by, PLX_TOEPLITZ_TABLE);
#if defined(__x86_64__)
	eq(by, __builtin_cpu_supports("pclmul") ? PLX_TOEPLITZ_CLMUL : PLX_TOEPLITZ_TABLE);
	eq(plx_steer_toeplitz_use(&t, PLX_TOEPLITZ_CLMUL),
		__builtin_cpu_supports("pclmul") ? 0 : -ENOTSUP);
	eq(plx_steer_toeplitz_use(&t, PLX_TOEPLITZ_GFNI),
		__builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx2") ? 0 : -ENOTSUP);
#endif
}

T(a_slot_is_the_top_of_a_product)
{
	eq(plx_steer_hash_slot(1, 32), 0x61c88647);
	eq(plx_steer_hash_slot(1, 12), 0x61c);
	eq(plx_steer_hash_slot(2, 4), 0xc);
	eq(plx_steer_hash_slot(UINT32_MAX, 1), 1);
	eq(plx_steer_hash_slot(UINT32_MAX, 0), 0);
}

T(scaling_covers_all_and_only_n)
{
	eq(plx_steer_reciprocal_scale(0, 5), 0);
	eq(plx_steer_reciprocal_scale(UINT32_MAX, 5), 4);
	eq(plx_steer_reciprocal_scale(0x80000000, 2), 1);
	eq(plx_steer_reciprocal_scale(0x7fffffff, 2), 0);
	eq(plx_steer_reciprocal_scale(UINT32_MAX, 1), 0);
	eq(plx_steer_hash_nonzero(0), 1);
	eq(plx_steer_hash_nonzero(2), 2);
}

RUN(T_(microsofts_verification_suite_holds), T_(without_ports_the_ports_do_not_matter),
	T_(any_key_and_tuple_match_the_definition), T_(a_key_that_ends_early_goes_on_with_zeros),
	T_(a_mapped_peer_of_a_real_ipv6_address_is_hashed_as_ipv6),
	T_(keys_too_short_or_long_are_refused), T_(sorted_both_directions_hash_alike),
	T_(sorting_puts_the_greater_last), T_(sorting_keeps_the_keys_entropy),
	T_(tuples_have_ports_only_where_they_are_real), T_(ways_that_the_cpu_lacks_are_refused),
	T_(a_slot_is_the_top_of_a_product), T_(scaling_covers_all_and_only_n))
