/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

/* UDP from 10.0.0.1:4660 to 10.0.0.2:22136, "hi": its checksum was worked out by hand. */
#define DATAGRAM "1234 5678 000a 1ac2 6869"

static struct plx_ip between(const char *src, const char *dst, uint8_t proto)
{
	struct plx_ip ip = {.src = addr(src), .dst = addr(dst), .proto = proto};

	ip.version = plx_addr_is_v4(&ip.src) ? 4 : 6;
	return ip;
}

T(a_datagram)
{
	struct pkt k = hex(DATAGRAM);
	struct plx_ip ip = between("10.0.0.1", "10.0.0.2", PLX_IPPROTO_UDP);
	struct plx_udp udp = {0};

	eq(plx_wire_udp_parse(&udp, k.b, k.len), PLX_DROP_NONE);
	eq(udp.sport, 0x1234);
	eq(udp.dport, 0x5678);
	eq(udp.len, 10);
	eq(plx_wire_udp_check(&udp, &ip, k.b), PLX_DROP_NONE);
}

T(every_wrong_udp_length_has_its_reason)
{
	struct pkt k = hex("1234 5678 0008 0000");
	struct plx_udp udp = {0};

	EACH_TRUNCATION(k, n, p, eq(plx_wire_udp_parse(&udp, p, n), PLX_DROP_UDP_SHORT));
	k = hex("1234 5678 0000 0000 0102030405060708");
	for (unsigned int len = 0; len <= UINT16_MAX; len++) { /* shorter than the packet is fine */
		plx_put_be16(k.b + 4, (uint16_t)len);
		eq(plx_wire_udp_parse(&udp, k.b, k.len),
			len < 8 || len > 16 ? PLX_DROP_UDP_LENGTH : PLX_DROP_NONE);
	}
}

T(the_udp_checksum_covers_what_its_length_says)
{
	struct pkt k = hex(DATAGRAM "ffff");
	struct plx_ip ip = between("10.0.0.1", "10.0.0.2", PLX_IPPROTO_UDP);
	struct plx_udp udp = {0};

	eq(plx_wire_udp_parse(&udp, k.b, k.len), PLX_DROP_NONE);
	eq(plx_wire_udp_check(&udp, &ip, k.b), PLX_DROP_NONE);
	for (unsigned int bit = 0; bit < 8 * 10; bit++) {
		struct pkt bad = hex(DATAGRAM);

		if (bit / 8 == 4 || bit / 8 == 5) /* the length */
			continue;
		bad.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		eq(plx_wire_udp_parse(&udp, bad.b, bad.len), PLX_DROP_NONE);
		eq(plx_wire_udp_check(&udp, &ip, bad.b), PLX_DROP_UDP_CHECKSUM);
	}
}

T(no_udp_checksum_is_fine_in_ipv4_only)
{
	struct pkt k = hex("1234 5678 0008 0000");
	struct plx_ip v4 = between("10.0.0.1", "10.0.0.2", PLX_IPPROTO_UDP);
	struct plx_ip v6 = between("fe80::1", "fe80::2", PLX_IPPROTO_UDP);
	struct plx_udp udp = {0};

	eq(plx_wire_udp_parse(&udp, k.b, k.len), PLX_DROP_NONE);
	eq(plx_wire_udp_check(&udp, &v4, k.b), PLX_DROP_NONE);
	eq(plx_wire_udp_check(&udp, &v6, k.b), PLX_DROP_UDP_ZERO_CHECKSUM);
}

/* A datagram that sums to ffff: its checksum 0 would mean "none" (RFC 768). */
T(a_udp_checksum_of_zero_is_sent_as_ffff)
{
	struct plx_ip ip = between("10.0.0.1", "10.0.0.2", PLX_IPPROTO_UDP);
	struct pkt k = hex("1234 5678 000a 0000 0000");
	struct plx_udp udp = {0};
	uint16_t check = plx_wire_l4_cksum(&ip.src, &ip.dst, PLX_IPPROTO_UDP, k.b, k.len);

	memcpy(k.b + 8, &check, 2); /* text that makes up for the rest */
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, PLX_IPPROTO_UDP, k.b, k.len);
	eq(plx_get_be16(k.b + 6), 0xffff);
	eq(plx_wire_udp_parse(&udp, k.b, k.len), PLX_DROP_NONE);
	eq(plx_wire_udp_check(&udp, &ip, k.b), PLX_DROP_NONE);
}

T(a_filled_checksum_is_right_for_each_protocol)
{
	static const uint8_t protos[] = {PLX_IPPROTO_ICMP, PLX_IPPROTO_IGMP, PLX_IPPROTO_TCP,
		PLX_IPPROTO_UDP, PLX_IPPROTO_ICMP6};
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(9));
	for (int i = 0; i < 5000; i++) {
		uint8_t proto = protos[i % 5], b[64];
		bool v6 = proto == PLX_IPPROTO_ICMP6 || (i & 1 && proto > PLX_IPPROTO_IGMP);
		struct plx_ip ip = {.version = v6 ? 6 : 4, .proto = proto};
		uint32_t len = 20 + (uint32_t)plx_rng_below(&rng, 44);

		ip.src = random_addr(&rng, ip.version);
		ip.dst = random_addr(&rng, ip.version);
		plx_rng_bytes(&rng, b, len);
		plx_wire_l4_cksum_fill(&ip.src, &ip.dst, proto, b, len);
		ok(plx_wire_l4_cksum_ok(&ip, b, len));
		b[plx_rng_below(&rng, len)] ^= 0x40;
		ok(!plx_wire_l4_cksum_ok(&ip, b, len));
	}
}

T(icmp_has_no_pseudo_header_and_icmp6_has)
{
	struct pkt k = hex("08 00 f7fd 0001 0001"); /* 0800 + 0001 + 0001 = ~f7fd */
	struct plx_ip ip = between("10.0.0.1", "10.0.0.2", PLX_IPPROTO_ICMP);

	ok(plx_wire_l4_cksum_ok(&ip, k.b, k.len));
	ip = between("fe80::1", "fe80::2", PLX_IPPROTO_ICMP6);
	ok(!plx_wire_l4_cksum_ok(&ip, k.b, k.len));
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(10));
	for (int i = 0; i < 1000; i++) {
		struct plx_udp in, out;
		struct plx_sctp sin, sout;
		uint8_t b[64];

		plx_rng_bytes(&rng, &in, sizeof(in));
		in.len = (uint16_t)(8 + plx_rng_below(&rng, 57));
		eq(plx_wire_udp_emit(b, &in), PLX_UDP_BYTES);
		eq(plx_wire_udp_parse(&out, b, sizeof(b)), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));

		plx_rng_bytes(&rng, &sin, sizeof(sin));
		eq(plx_wire_sctp_emit(b, &sin), PLX_SCTP_BYTES);
		eq(plx_wire_sctp_parse(&sout, b, PLX_SCTP_BYTES), PLX_DROP_NONE);
		mem_eq(&sin, &sout, sizeof(sin));
	}
}

T(a_short_sctp_header)
{
	struct pkt k = hex("1234 5678 00000001 00000000");
	struct plx_sctp sctp;

	EACH_TRUNCATION(k, n, p, eq(plx_wire_sctp_parse(&sctp, p, n), PLX_DROP_SCTP_SHORT));
	eq(plx_wire_sctp_parse(&sctp, k.b, k.len), PLX_DROP_NONE);
	eq(sctp.vtag, 1);
}

RUN(T_(a_datagram), T_(every_wrong_udp_length_has_its_reason),
	T_(the_udp_checksum_covers_what_its_length_says), T_(no_udp_checksum_is_fine_in_ipv4_only),
	T_(a_udp_checksum_of_zero_is_sent_as_ffff),
	T_(a_filled_checksum_is_right_for_each_protocol),
	T_(icmp_has_no_pseudo_header_and_icmp6_has), T_(what_is_emitted_is_parsed),
	T_(a_short_sctp_header))
