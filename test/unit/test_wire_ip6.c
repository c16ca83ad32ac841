/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define UDP    "1234 5678 0008 0000"
#define TCP    "1234 5678 00000001 00000002 5010 0100 0000 0000"
#define PAD_TO "00 01 04 00000000" /* a hop-by-hop or destination header after its next header */
#define SILENT PLX_IP6_SILENT

#define UNICAST "2001:db8::2"
#define GROUP	"ff02::1"

static struct pkt ip6(uint8_t nh, const char *dst, const char *rest)
{
	struct pkt k = hex("6000 0000 0000 00 40 20010db8000000000000000000000001");
	struct plx_addr a = addr(dst);

	k.b[6] = nh;
	memcpy(k.b + 24, &a, 16);
	k.len = 40;
	hex_add(&k, rest);
	plx_put_be16(k.b + 4, (uint16_t)(k.len - 40));
	return k;
}

T(a_header_and_all_its_fields)
{
	struct pkt k = ip6(PLX_IPPROTO_UDP, UNICAST, UDP);
	struct plx_ip ip = {0};
	uint8_t code;

	plx_put_be32(k.b, 0x6abcdef1);
	hex_add(&k, "0000"); /* padding */
	eq(plx_wire_ip6_parse(&ip, k.b, k.len, &code), PLX_DROP_NONE);
	addr_eq(ip.src, "2001:db8::1");
	addr_eq(ip.dst, "2001:db8::2");
	eq(ip.version, 6);
	eq(ip.tos, 0xab);
	eq(ip.flow_label, 0xcdef1);
	eq(ip.proto, PLX_IPPROTO_UDP);
	eq(ip.nh_off, 6);
	eq(ip.ttl, 64);
	eq(ip.hdr_bytes, 40);
	eq(ip.l4_bytes, 8);
	ok(!ip.is_frag && !ip.has_options && !ip.router_alert);
}

T(addresses_that_cannot_be)
{
	static const struct {
		const char *src, *dst;
		enum plx_drop drop;
	} rows[] = {
		{"fe80::1", "ff02::1", PLX_DROP_NONE},
		{"::", "ff02::1:ff00:1", PLX_DROP_NONE},
		{"::1.2.3.4", "::5.6.7.8", PLX_DROP_NONE}, /* compatible, not mapped */
		{"10.0.0.1", "fe80::1", PLX_DROP_IP6_MAPPED},
		{"fe80::1", "10.0.0.1", PLX_DROP_IP6_MAPPED},
		{"0.0.0.0", "fe80::1", PLX_DROP_IP6_MAPPED},
		{"ff02::1", "fe80::1", PLX_DROP_IP6_MARTIAN_SRC},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = ip6(PLX_IPPROTO_UDP, rows[i].dst, UDP);
		struct plx_addr src = addr(rows[i].src);
		struct plx_ip ip = {0};
		uint8_t code;

		memcpy(k.b + 8, &src, 16);
		eq(plx_wire_ip6_parse(&ip, k.b, k.len, &code), rows[i].drop);
		eq(code, SILENT);
	}
}

T(chains)
{
	static const struct {
		const char *what, *dst;
		uint8_t nh;
		const char *rest;
		enum plx_drop drop;
		uint8_t code;
		uint16_t err_ptr;
		/* when not dropped */
		uint8_t proto;
		uint16_t hdr_bytes, nh_off;
		bool alert;
	} rows[] = {
		{"UDP", UNICAST, 17, UDP, 0, SILENT, 0, 17, 40, 6, false},
		{"no next header", UNICAST, 59, "", 0, SILENT, 0, 59, 40, 6, false},
		{"nothing after it counts", UNICAST, 59, UDP, 0, SILENT, 0, 59, 40, 6, false},
		{"unknown upper layer", UNICAST, 253, UDP, 0, SILENT, 0, 253, 40, 6, false},
		{"AH is somebody's upper layer", UNICAST, 51, UDP, 0, SILENT, 0, 51, 40, 6, false},

		/* hop-by-hop options */
		{"hop-by-hop", UNICAST, 0, "11" PAD_TO UDP, 0, SILENT, 0, 17, 48, 40, false},
		{"router alert for MLD", UNICAST, 0, "3a 00 05 02 0000 01 00" UDP, 0, SILENT, 0, 58,
			48, 40, true},
		{"router alert for RSVP", UNICAST, 0, "11 00 05 02 0001 01 00" UDP, 0, SILENT, 0,
			17, 48, 40, false},
		{"router alert of length 3", UNICAST, 0, "11 00 05 03 0000 00 00" UDP,
			PLX_DROP_IP6_EXTHDR, 0, 43, 0, 0, 0, false},
		{"router alert elsewhere is unknown, skipped", UNICAST, 60,
			"11 00 05 02 0000 01 00" UDP, 0, SILENT, 0, 17, 48, 40, false},
		{"jumbo payload", UNICAST, 0, "11 00 c2 04 00010000" UDP, PLX_DROP_IP6_OPTION, 2,
			42, 0, 0, 0, false},
		{"hop-by-hop in second place", UNICAST, 60, "00" PAD_TO "11" PAD_TO UDP,
			PLX_DROP_IP6_EXTHDR_UNKNOWN, 1, 40, 0, 0, 0, false},
		{"hop-by-hop twice", UNICAST, 0, "00" PAD_TO "11" PAD_TO UDP,
			PLX_DROP_IP6_EXTHDR_UNKNOWN, 1, 40, 0, 0, 0, false},

		/* unknown options, by the two high bits of their type */
		{"skip", UNICAST, 60, "11 00 3e 04 00000000" UDP, 0, SILENT, 0, 17, 48, 40, false},
		{"discard", UNICAST, 60, "11 00 7e 04 00000000" UDP, PLX_DROP_IP6_OPTION, SILENT,
			42, 0, 0, 0, false},
		{"discard and tell", UNICAST, 60, "11 00 be 04 00000000" UDP, PLX_DROP_IP6_OPTION,
			2, 42, 0, 0, 0, false},
		{"discard and tell, to a group too", GROUP, 60, "11 00 be 04 00000000" UDP,
			PLX_DROP_IP6_OPTION, 2, 42, 0, 0, 0, false},
		{"discard and tell one", UNICAST, 60, "11 00 01 00 01 00 fe 00" UDP,
			PLX_DROP_IP6_OPTION, 2, 46, 0, 0, 0, false},
		{"discard and tell one, not a group", GROUP, 60, "11 00 fe 04 00000000" UDP,
			PLX_DROP_IP6_OPTION, SILENT, 42, 0, 0, 0, false},

		/* their form */
		{"option beyond its header", UNICAST, 60, "11 00 3e 05 00000000" UDP,
			PLX_DROP_IP6_EXTHDR, SILENT, 0, 0, 0, 0, false},
		{"option without a length", UNICAST, 60, "11 00 01 03 000000 3e" UDP,
			PLX_DROP_IP6_EXTHDR, SILENT, 0, 0, 0, 0, false},
		{"six bytes of Pad1", UNICAST, 60, "11 00 00 00 00000000" UDP, 0, SILENT, 0, 17, 48,
			40, false},
		{"seven bytes of Pad1", UNICAST, 60, "11 01 00000000000000 3e 05 0000000000" UDP, 0,
			SILENT, 0, 17, 56, 40, false},
		{"seven bytes of padding", UNICAST, 60,
			"11 01 3e 05 0000000000 01 05 0000000000" UDP, 0, SILENT, 0, 17, 56, 40,
			false},
		{"eight bytes of padding", UNICAST, 60,
			"11 01 3e 04 00000000 01 06 000000000000" UDP, PLX_DROP_IP6_EXTHDR, SILENT,
			0, 0, 0, 0, false},
		{"eight bytes of Pad1", UNICAST, 60, "11 01 3e 04 00000000 0000000000000000" UDP,
			PLX_DROP_IP6_EXTHDR, SILENT, 0, 0, 0, 0, false},
		{"padding with something in it", UNICAST, 60, "11 00 01 04 00000001" UDP,
			PLX_DROP_IP6_EXTHDR, SILENT, 0, 0, 0, 0, false},
		{"eight options", UNICAST, 60,
			"11 02 3e00 3e00 3e00 3e00 3e00 3e00 3e00 3e00"
			"01 04 00000000" UDP,
			0, SILENT, 0, 17, 64, 40, false},
		{"nine options", UNICAST, 60,
			"11 02 3e00 3e00 3e00 3e00 3e00 3e00 3e00 3e00"
			"3e 04 00000000" UDP,
			PLX_DROP_IP6_EXTHDR, 9, 58, 0, 0, 0, false},
		{"header cut short", UNICAST, 60, "11 00 01 04 000000", PLX_DROP_IP6_EXTHDR, SILENT,
			0, 0, 0, 0, false},
		{"header longer than the payload", UNICAST, 60, "11 01 01 04 00000000",
			PLX_DROP_IP6_EXTHDR, SILENT, 0, 0, 0, 0, false},
		{"a next header with nothing there", UNICAST, 60, "2b" PAD_TO, PLX_DROP_IP6_EXTHDR,
			SILENT, 0, 0, 0, 0, false},

		/* routing headers */
		{"type 0 at its end", UNICAST, 43, "11 00 00 00 00000000" UDP, 0, SILENT, 0, 17, 48,
			40, false},
		{"type 0", UNICAST, 43, "11 00 00 01 00000000" UDP, PLX_DROP_IP6_RH0, 0, 42, 0, 0,
			0, false},
		{"type 4 (segment routing)", UNICAST, 43, "11 00 04 01 00000000" UDP,
			PLX_DROP_IP6_EXTHDR, 0, 42, 0, 0, 0, false},
		{"unknown type at its end", UNICAST, 43, "11 00 63 00 00000000" UDP, 0, SILENT, 0,
			17, 48, 40, false},
		{"unknown type behind another header", UNICAST, 60,
			"2b" PAD_TO "11 00 63 ff 00000000" UDP, PLX_DROP_IP6_EXTHDR, 0, 50, 0, 0, 0,
			false},

		/* how many */
		{"eight headers", UNICAST, 0,
			"3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO
			"3c" PAD_TO "11" PAD_TO UDP,
			0, SILENT, 0, 17, 104, 96, false},
		{"nine headers", UNICAST, 0,
			"3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO "3c" PAD_TO
			"3c" PAD_TO "3c" PAD_TO "11" PAD_TO UDP,
			PLX_DROP_IP6_EXTHDR, 8, 104, 0, 0, 0, false},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = ip6(rows[i].nh, rows[i].dst, rows[i].rest);
		uint8_t *p = exact(k.b, k.len), code = 77;
		struct plx_ip ip = {0};

		print_message("%s\n", rows[i].what);
		eq(plx_wire_ip6_parse(&ip, p, k.len, &code), rows[i].drop);
		eq(code, rows[i].code);
		eq(ip.err_ptr, rows[i].err_ptr);
		if (rows[i].drop == PLX_DROP_NONE) {
			eq(ip.proto, rows[i].proto);
			eq(ip.hdr_bytes, rows[i].hdr_bytes);
			eq(ip.l4_bytes, k.len - ip.hdr_bytes);
			eq(ip.nh_off, rows[i].nh_off);
			eq(ip.router_alert, rows[i].alert);
			eq(ip.has_options, ip.hdr_bytes > 40);
		}
		exact_free(p, k.len);
	}
}

T(fragments)
{
	static const struct {
		const char *what;
		uint8_t nh;
		const char *rest;
		enum plx_drop drop;
		uint8_t code;
		uint16_t err_ptr;
		/* when not dropped */
		bool is_frag, mf;
		uint16_t frag_off, frag_hdr_off, unfrag_nh_off;
		uint8_t proto;
		uint16_t hdr_bytes;
	} rows[] = {
		{"first", 44, "11 00 0001 0000002a" UDP, 0, SILENT, 0, true, true, 0, 40, 6, 17,
			48},
		{"middle", 44, "11 00 0009 0000002a" UDP, 0, SILENT, 0, true, true, 8, 40, 6, 17,
			48},
		{"last, of any length", 44, "11 00 0010 0000002a 000000", 0, SILENT, 0, true, false,
			16, 40, 6, 17, 48},
		{"reserved bits", 44, "11 ff 000f 0000002a" UDP, 0, SILENT, 0, true, true, 8, 40, 6,
			17, 48},
		{"behind another header", 60, "2c" PAD_TO "11 00 0008 0000002a" UDP, 0, SILENT, 0,
			true, false, 8, 48, 40, 17, 56},
		{"atomic", 44, "11 00 0000 0000002a" UDP, 0, SILENT, 0, false, false, 0, 40, 6, 17,
			48},
		{"atomic, more headers behind", 44, "3c 00 0000 0000002a 11" PAD_TO UDP, 0, SILENT,
			0, false, false, 0, 40, 6, 17, 56},
		{"a later one is not looked into", 44, "2b 00 0008 0000002a 11 00 00 01 00000000",
			0, SILENT, 0, true, false, 8, 40, 6, 43, 48},
		{"header cut short", 44, "11 00 0001 0000", PLX_DROP_IP6_EXTHDR, SILENT, 0, false,
			false, 0, 0, 0, 0, 0},
		{"more to come, of a length that is no multiple of 8", 44,
			"11 00 0009 0000002a" UDP "00", PLX_DROP_FRAG_MALFORMED, 0, 4, false, false,
			0, 0, 0, 0, 0},
		{"ends at 65,535", 44, "11 00 fff8 0000002a 00000000000000", 0, SILENT, 0, true,
			false, 65528, 40, 6, 17, 48},
		{"ends at 65,536", 44, "11 00 fff8 0000002a 0000000000000000",
			PLX_DROP_FRAG_TOO_BIG, 0, 42, false, false, 0, 0, 0, 0, 0},
		{"the headers before it count", 60,
			"2c" PAD_TO "11 00 fff0 0000002a 0000000000000000", PLX_DROP_FRAG_TOO_BIG,
			0, 50, false, false, 0, 0, 0, 0, 0},
		/* RFC 7112: the first holds the whole chain */
		{"first, with TCP", 44, "06 00 0001 0000002a" TCP "00000000", 0, SILENT, 0, true,
			true, 0, 40, 6, 6, 48},
		{"first, 8 bytes of TCP", 44, "06 00 0001 0000002a" UDP, PLX_DROP_IP6_EXTHDR, 3, 0,
			false, false, 0, 0, 0, 0, 0},
		{"first, ends with a header", 44, "3c 00 0001 0000002a 11" PAD_TO,
			PLX_DROP_IP6_EXTHDR, 3, 0, false, false, 0, 0, 0, 0, 0},
		{"first, ends within a header", 44, "3c 00 0001 0000002a 11 01 01 04 00000000",
			PLX_DROP_IP6_EXTHDR, 3, 0, false, false, 0, 0, 0, 0, 0},
		{"first, chain whole", 44, "3c 00 0001 0000002a 3a" PAD_TO UDP, 0, SILENT, 0, true,
			true, 0, 40, 6, 60, 48},
		{"first, empty", 44, "11 00 0001 0000002a", PLX_DROP_IP6_EXTHDR, 3, 0, false, false,
			0, 0, 0, 0, 0},
		{"first, nothing of an unknown upper layer", 44, "fd 00 0001 0000002a",
			PLX_DROP_IP6_EXTHDR, 3, 0, false, false, 0, 0, 0, 0, 0},
		{"first, no next header", 44, "3b 00 0001 0000002a", 0, SILENT, 0, true, true, 0,
			40, 6, 59, 48},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = ip6(rows[i].nh, UNICAST, rows[i].rest);
		uint8_t *p = exact(k.b, k.len), code = 77;
		struct plx_ip ip = {0};

		print_message("%s\n", rows[i].what);
		eq(plx_wire_ip6_parse(&ip, p, k.len, &code), rows[i].drop);
		eq(code, rows[i].code);
		eq(ip.err_ptr, rows[i].err_ptr);
		if (rows[i].drop == PLX_DROP_NONE) {
			eq(ip.is_frag, rows[i].is_frag);
			eq(ip.mf, rows[i].mf);
			eq(ip.id, 0x2a);
			eq(ip.frag_off, rows[i].frag_off);
			eq(ip.frag_hdr_off, rows[i].frag_hdr_off);
			eq(ip.unfrag_nh_off, rows[i].unfrag_nh_off);
			eq(p[ip.unfrag_nh_off], PLX_IPPROTO_FRAGMENT);
			eq(ip.proto, rows[i].proto);
			eq(p[ip.nh_off], rows[i].proto);
			eq(ip.hdr_bytes, rows[i].hdr_bytes);
			eq(ip.l4_bytes, k.len - ip.hdr_bytes);
		}
		exact_free(p, k.len);
	}
}

T(a_router_reads_the_hop_by_hop_options_only)
{
	struct pkt k = ip6(0, UNICAST, "3c" PAD_TO "11 00 be 04 00000000" UDP);
	struct plx_ip ip = {0};
	uint8_t code;

	eq(plx_wire_ip6_parse_hop(&ip, k.b, k.len, &code), PLX_DROP_NONE);
	eq(ip.proto, PLX_IPPROTO_DSTOPTS);
	eq(ip.hdr_bytes, 48);
	eq(plx_wire_ip6_parse_rest(&ip, k.b, k.len, &code), PLX_DROP_IP6_OPTION);
	eq(code, 2);
	eq(ip.err_ptr, 50);

	k = ip6(0, UNICAST, "11 00 be 04 00000000" UDP);
	eq(plx_wire_ip6_parse_hop(&ip, k.b, k.len, &code), PLX_DROP_IP6_OPTION);
	eq(code, 2);
}

T(the_rest_is_not_looked_for_beyond_the_packet)
{
	struct pkt k = ip6(60, UNICAST, "11" PAD_TO UDP);
	struct plx_ip ip = {0};
	uint8_t code;

	eq(plx_wire_ip6_parse_hop(&ip, k.b, k.len, &code), PLX_DROP_NONE);
	eq(plx_wire_ip6_parse_rest(&ip, k.b, k.len - 1, &code), PLX_DROP_IP6_LENGTH);
	eq(code, SILENT);
}

T(every_wrong_length_has_its_reason)
{
	/* hop-by-hop, destination, routing, fragment (atomic), UDP */
	struct pkt k = ip6(
		0, UNICAST, "3c" PAD_TO "2b" PAD_TO "2c 00 00 00 00000000 11 00 0000 0000002a" UDP);
	struct plx_ip ip = {0};
	uint8_t code;

	eq(plx_wire_ip6_parse(&ip, k.b, k.len, &code), PLX_DROP_NONE);
	eq(ip.hdr_bytes, 72);
	EACH_TRUNCATION(k, n, p, {
		eq(plx_wire_ip6_parse(&ip, p, n, &code),
			n < 40 ? PLX_DROP_IP6_SHORT : PLX_DROP_IP6_LENGTH);
		eq(code, SILENT);
	});
	for (uint32_t n = 0; n <= k.len - 40; n++) { /* the length field follows the cut */
		struct pkt cut = k;
		uint8_t *p;

		plx_put_be16(cut.b + 4, (uint16_t)n);
		p = exact(cut.b, 40 + n);
		eq(plx_wire_ip6_parse(&ip, p, 40 + n, &code),
			n < 32 ? PLX_DROP_IP6_EXTHDR : PLX_DROP_NONE);
		eq(code, SILENT);
		exact_free(p, 40 + n);
	}
	for (unsigned int payload = k.len - 39; payload <= UINT16_MAX; payload++) {
		plx_put_be16(k.b + 4, (uint16_t)payload);
		eq(plx_wire_ip6_parse(&ip, k.b, k.len, &code), PLX_DROP_IP6_LENGTH);
	}
}

T(every_other_version_is_refused)
{
	for (unsigned int v = 0; v < 16; v++) {
		struct pkt k = ip6(PLX_IPPROTO_UDP, UNICAST, UDP);
		struct plx_ip ip = {0};
		uint8_t code;

		k.b[0] = (uint8_t)(v << 4);
		eq(plx_wire_ip6_parse(&ip, k.b, k.len, &code),
			v == 6 ? PLX_DROP_NONE : PLX_DROP_IP6_VERSION);
	}
}

/* Small numbers in random places make chains that go on for a while. */
T(any_chain_is_read_within_the_packet)
{
	static const uint8_t next[] = {0, 43, 44, 60, 17, 59};
	struct plx_rng rng;
	unsigned int good = 0;

	plx_rng_init(&rng, t_seed(6));
	for (int i = 0; i < 200000; i++) {
		struct pkt k = ip6(next[plx_rng_below(&rng, 6)], UNICAST, "");
		struct plx_ip ip = {0};
		uint8_t code, *p;

		k.len = 40 + (uint32_t)plx_rng_below(&rng, 80);
		for (uint32_t at = 40; at < k.len; at++)
			k.b[at] = at % 8 == 0 ? next[plx_rng_below(&rng, 6)]
					      : (uint8_t)plx_rng_below(&rng, 3);
		plx_put_be16(k.b + 4, (uint16_t)(k.len - 40));
		p = exact(k.b, k.len);
		if (plx_wire_ip6_parse(&ip, p, k.len, &code) == PLX_DROP_NONE) {
			eq(ip.hdr_bytes + ip.l4_bytes, k.len);
			eq(p[ip.nh_off], ip.proto);
			eq(code, SILENT);
			good++;
		} else {
			ok(ip.err_ptr < k.len);
		}
		exact_free(p, k.len);
	}
	ok(good > 1000);
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(7));
	for (int i = 0; i < 20000; i++) {
		struct plx_ip in, out;
		uint8_t b[48 + 64], code;
		uint32_t n;

		memset(&in, 0, sizeof(in));
		memset(&out, 0, sizeof(out));
		in.src = random_addr(&rng, 6);
		in.dst = random_addr(&rng, 6);
		in.flow_label = plx_rng_u32(&rng) >> 12;
		in.l4_bytes = (uint16_t)(8 * plx_rng_below(&rng, 8));
		in.version = 6;
		in.proto = PLX_IPPROTO_UDP;
		in.ttl = (uint8_t)plx_rng_u32(&rng);
		in.tos = (uint8_t)plx_rng_u32(&rng);
		in.hdr_bytes = 40;
		in.nh_off = 6;
		switch (plx_rng_below(&rng, 3)) {
		case 0:
			n = plx_wire_ip6_emit(b, &in);
			break;
		case 1:
			in.is_frag = in.has_options = true;
			in.frag_off = (uint16_t)(8 + 8 * plx_rng_below(&rng, 8000));
			in.mf = plx_rng_below(&rng, 2);
			in.id = plx_rng_u32(&rng);
			in.hdr_bytes = 48;
			in.frag_hdr_off = in.nh_off = 40;
			in.unfrag_nh_off = 6;
			n = plx_wire_ip6_emit(b, &in);
			n += plx_wire_ip6_frag_emit(b + n, &in);
			break;
		default:
			in.router_alert = in.has_options = true;
			in.hdr_bytes = 48;
			in.nh_off = 40;
			n = plx_wire_ip6_emit_ra(b, &in);
			break;
		}
		eq(n, in.hdr_bytes);
		eq(plx_wire_ip6_parse(&out, b, n + in.l4_bytes, &code), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

RUN(T_(a_header_and_all_its_fields), T_(addresses_that_cannot_be), T_(chains), T_(fragments),
	T_(a_router_reads_the_hop_by_hop_options_only),
	T_(the_rest_is_not_looked_for_beyond_the_packet), T_(every_wrong_length_has_its_reason),
	T_(every_other_version_is_refused), T_(any_chain_is_read_within_the_packet),
	T_(what_is_emitted_is_parsed))
