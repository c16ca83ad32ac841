/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_cksum.h>
#include <plx_base_rng.h>

static uint16_t be16(uint16_t v)
{
	return __builtin_bswap16(v);
}

/* RFC 1071 read literally: 16-bit words in network order, one at a time. */
static uint16_t naive_sum(const uint8_t *b, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

T(rfc1071_example)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint16_t check = plx_cksum(data, sizeof(data));
	uint8_t stored[2];

	eq(plx_cksum_fold(plx_cksum_add(0, data, sizeof(data))), be16(0xddf2));
	memcpy(stored, &check, 2);
	eq(stored[0], 0x22);
	eq(stored[1], 0x0d);
}

T(ipv4_header)
{
	uint8_t h[60] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61,
		0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	eq(plx_cksum_ip4(h, 20), 0);
	h[8]--;
	ne(plx_cksum_ip4(h, 20), 0);
	h[8]++;
	h[10] = h[11] = 0;
	eq(plx_cksum_ip4(h, 20), be16(0xb861));

	for (unsigned int ihl = 20; ihl <= 60; ihl += 4) {
		uint16_t check;

		for (unsigned int i = 20; i < ihl; i++)
			h[i] = (uint8_t)(i * 37);
		h[0] = (uint8_t)(0x40 | ihl / 4);
		h[10] = h[11] = 0;
		check = plx_cksum_ip4(h, ihl);
		eq(check, be16((uint16_t)~naive_sum(h, ihl)));
		memcpy(h + 10, &check, 2);
		eq(plx_cksum_ip4(h, ihl), 0);
	}
}

/* The sums that tell 0 from ffff: only nothing but zeros sums to 0. */
T(zero_and_minus_zero)
{
	static const uint8_t zeros[64], minus[2] = {0xff, 0xff},
					cancels[4] = {0x12, 0x34, 0xed, 0xcb};

	eq(plx_cksum(zeros, sizeof(zeros)), 0xffff);
	eq(plx_cksum(zeros, 0), 0xffff);
	eq(plx_cksum(minus, 2), 0);
	eq(plx_cksum(cancels, 4), 0);
	eq(plx_cksum_finish_udp(plx_cksum_add(0, cancels, 4)), 0xffff);
	eq(plx_cksum_finish_udp(plx_cksum_add(0, zeros, 4)), 0xffff);
	eq(plx_cksum_finish_udp(plx_cksum_add(0, cancels, 2)), be16(0xedcb));
}

static void fill(struct plx_rng *r, uint8_t *b, size_t len)
{
	unsigned int kind = (unsigned int)plx_rng_below(r, 4);

	plx_rng_bytes(r, b, len);
	for (size_t i = 0; i < len && kind < 2; i++)
		if (kind == 0 || plx_rng_chance(r, 0.9))
			b[i] = 0xff; /* every addition carries */
}

T(any_length_alignment_and_content)
{
	struct plx_rng r;
	uint8_t buf[2200];

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 20000; i++) {
		size_t at = plx_rng_below(&r, 64), max = i % 8 ? 100 : 2000;
		size_t len = plx_rng_below(&r, max);

		fill(&r, buf + at, len);
		eq(plx_cksum(buf + at, len), be16((uint16_t)~naive_sum(buf + at, len)));
	}
}

T(constant_lengths_agree_with_variable_ones)
{
	struct plx_rng r;
	uint8_t b[80];

	plx_rng_init(&r, t_seed(2));
	for (int i = 0; i < 1000; i++) {
		uint32_t start = plx_rng_u32(&r);

		fill(&r, b, sizeof(b));
#define SAME(n)                                                                                    \
	eq(plx_cksum_fold(plx_cksum_add(start, b + i % 8, n)),                                     \
		plx_cksum_fold(plx_cksum_add_bytes(start, b + i % 8, n)))
		SAME(4);
		SAME(8);
		SAME(12);
		SAME(13);
		SAME(20);
		SAME(40);
		SAME(64);
		SAME(68);
#undef SAME
	}
}

T(pieces_are_joined_at_any_offset)
{
	struct plx_rng r;
	uint8_t b[600];

	plx_rng_init(&r, t_seed(3));
	for (int i = 0; i < 5000; i++) {
		size_t len = plx_rng_below(&r, sizeof(b)), at = 0;
		uint32_t sum = 0;

		fill(&r, b, len);
		while (at < len) {
			size_t n = 1 + plx_rng_below(&r, len - at);

			sum = plx_cksum_combine(sum, plx_cksum_add(0, b + at, n), at);
			at += n;
		}
		eq(plx_cksum_finish(sum), plx_cksum(b, len));
	}
}

static uint16_t naive_pseudo4(
	const struct plx_addr *s, const struct plx_addr *d, uint8_t proto, uint16_t len)
{
	uint8_t b[12] = {[9] = proto, [10] = (uint8_t)(len >> 8), [11] = (uint8_t)len};

	memcpy(b, &s->b[12], 4);
	memcpy(b + 4, &d->b[12], 4);
	return naive_sum(b, sizeof(b));
}

static uint16_t naive_pseudo6(
	const struct plx_addr *s, const struct plx_addr *d, uint8_t proto, uint32_t len)
{
	uint8_t b[40] = {[39] = proto};

	memcpy(b, s->b, 16);
	memcpy(b + 16, d->b, 16);
	plx_put_be32(b + 32, len);
	return naive_sum(b, sizeof(b));
}

T(pseudo_headers_of_both_families)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(4));
	for (int i = 0; i < 5000; i++) {
		uint8_t raw[32], proto = (uint8_t)(1 + plx_rng_below(&r, 255));
		uint32_t len = plx_rng_u32(&r) >> plx_rng_below(&r, 32);
		struct plx_addr s, d;

		fill(&r, raw, sizeof(raw));
		s = plx_addr_from_v4(raw);
		d = plx_addr_from_v4(raw + 4);
		eq(plx_cksum_fold(plx_cksum_pseudo(&s, &d, proto, len & 0xffff)),
			be16(naive_pseudo4(&s, &d, proto, (uint16_t)len)));
		s = plx_addr_from_v6(raw);
		d = plx_addr_from_v6(raw + 16);
		eq(plx_cksum_fold(plx_cksum_pseudo(&s, &d, proto, len)),
			be16(naive_pseudo6(&s, &d, proto, len)));
	}
}

/* A DNS query, from 10.0.0.1:4660 to 10.0.0.2:53, and its pseudo-header. */
T(udp_datagram)
{
	uint8_t udp[] = {0x12, 0x34, 0x00, 0x35, 0x00, 0x0b, 0x00, 0x00, 'a', 'b', 'c'};
	struct plx_addr s, d;
	uint32_t pseudo;
	uint16_t check;

	eq(plx_addr_parse(&s, "10.0.0.1") | plx_addr_parse(&d, "10.0.0.2"), 0);
	pseudo = plx_cksum_pseudo(&s, &d, 17, sizeof(udp));
	check = plx_cksum_finish_udp(plx_cksum_add(pseudo, udp, sizeof(udp)));
	/* 0a00+0001+0a00+0002 + 0011+000b + 1234+0035+000b + 6162+6300 = eaf5 */
	eq(check, be16((uint16_t)~0xeaf5));
	memcpy(udp + 6, &check, 2);
	eq(plx_cksum_finish(plx_cksum_add(pseudo, udp, sizeof(udp))), 0);
}

/* RFC 1624 4: where equation 2 of RFC 1141 gives ffff. */
T(rfc1624_example)
{
	eq(plx_cksum_adjust16(be16(0xdd2f), be16(0x5555), be16(0x3285)), 0x0000);
}

T(adjusted_is_recomputed)
{
	struct plx_rng r;
	uint8_t b[40];

	plx_rng_init(&r, t_seed(5));
	for (int i = 0; i < 20000; i++) {
		size_t at2 = 2 * plx_rng_below(&r, 19), at4 = 2 * plx_rng_below(&r, 18);
		uint16_t check, old2, new2;
		uint32_t old4, new4;

		fill(&r, b, 38);
		b[38] = b[39] = 0x55; /* never nothing but zeros, whose sum has no other form */
		check = plx_cksum(b, sizeof(b));

		memcpy(&old2, b + at2, 2);
		new2 = i % 3 ? (uint16_t)plx_rng_u32(&r) : i % 2 ? 0 : 0xffff;
		memcpy(b + at2, &new2, 2);
		check = plx_cksum_adjust16(check, old2, new2);
		eq(check, plx_cksum(b, sizeof(b)));

		memcpy(&old4, b + at4, 4);
		new4 = i % 3 ? plx_rng_u32(&r) : i % 2 ? 0 : 0xffffffff;
		memcpy(b + at4, &new4, 4);
		eq(plx_cksum_adjust32(check, old4, new4), plx_cksum(b, sizeof(b)));
	}
}

RUN(T_(rfc1071_example), T_(ipv4_header), T_(zero_and_minus_zero),
	T_(any_length_alignment_and_content), T_(constant_lengths_agree_with_variable_ones),
	T_(pieces_are_joined_at_any_offset), T_(pseudo_headers_of_both_families), T_(udp_datagram),
	T_(rfc1624_example), T_(adjusted_is_recomputed))
