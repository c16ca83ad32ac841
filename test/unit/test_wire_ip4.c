/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

/* A 28-byte UDP packet; its checksum was worked out by hand. */
#define HEADER "45 00 001c 0001 4000 40 11 26ce 0a000001 0a000002"
#define UDP    "1234 5678 0008 0000"

static enum plx_drop parse(struct plx_ip *ip, const struct pkt *k)
{
	return plx_wire_ip4_parse(ip, k->b, k->len, true);
}

/* A packet whose options are these, padded to whole words with the byte of their own end. */
static struct pkt with_options(const char *options)
{
	struct pkt k = hex("45 00 0000 0001 4000 40 11 0000 0a000001 0a000002");

	hex_add(&k, options);
	eq(k.len % 4, 0);
	k.b[0] = (uint8_t)(0x40 | k.len / 4);
	hex_add(&k, UDP);
	plx_put_be16(k.b + 2, (uint16_t)k.len);
	ip4_mend(k.b);
	return k;
}

T(a_header_and_all_its_fields)
{
	struct pkt k = hex(HEADER UDP "0000 0000");
	struct plx_ip ip = {0};

	eq(parse(&ip, &k), PLX_DROP_NONE);
	addr_eq(ip.src, "10.0.0.1");
	addr_eq(ip.dst, "10.0.0.2");
	eq(ip.version, 4);
	eq(ip.proto, PLX_IPPROTO_UDP);
	eq(ip.ttl, 64);
	eq(ip.tos, 0);
	eq(ip.id, 1);
	eq(ip.hdr_bytes, 20);
	eq(ip.l4_bytes, 8); /* what follows is padding */
	ok(ip.df && !ip.mf && !ip.is_frag && !ip.has_options && !ip.router_alert);
}

T(fragments)
{
	static const struct {
		uint16_t word, off;
		bool mf, df, frag;
	} rows[] = {
		{0x0000, 0, false, false, false}, {0x4000, 0, false, true, false},
		{0x2000, 0, true, false, true}, {0x2001, 8, true, false, true},
		{0x00b9, 1480, false, false, true}, {0x1fff, 65528, false, false, true},
		{0x8000, 0, false, false, false}, /* reserved */
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(HEADER UDP);
		struct plx_ip ip = {0};

		plx_put_be16(k.b + 6, rows[i].word);
		ip4_mend(k.b);
		eq(parse(&ip, &k), PLX_DROP_NONE);
		eq(ip.frag_off, rows[i].off);
		eq(ip.mf, rows[i].mf);
		eq(ip.df, rows[i].df);
		eq(ip.is_frag, rows[i].frag);
	}
}

T(every_wrong_length_has_its_reason)
{
	struct pkt k = hex(HEADER UDP);
	struct plx_ip ip = {0};

	EACH_TRUNCATION(k, n, p,
		eq(plx_wire_ip4_parse(&ip, p, n, true),
			n < 20 ? PLX_DROP_IP4_SHORT : PLX_DROP_IP4_LENGTH));
	for (unsigned int total = 0; total <= UINT16_MAX; total++) {
		bool good = total >= 20 && total <= k.len;

		plx_put_be16(k.b + 2, (uint16_t)total);
		ip4_mend(k.b);
		eq(parse(&ip, &k), good ? PLX_DROP_NONE : PLX_DROP_IP4_LENGTH);
		if (good)
			eq(ip.l4_bytes, total - 20);
	}
	for (uint8_t ihl = 0; ihl < 16; ihl++) {
		k = hex(HEADER UDP "00 00 00 00"); /* 32 bytes, 28 of them packet */
		k.b[0] = 0x40 | ihl;
		memset(k.b + 20, 0, 12); /* end of options */
		ip4_mend(k.b);
		eq(parse(&ip, &k), ihl < 5	  ? PLX_DROP_IP4_IHL
				   : ihl > 8	  ? PLX_DROP_IP4_SHORT
				   : ihl * 4 > 28 ? PLX_DROP_IP4_LENGTH
						  : PLX_DROP_NONE);
	}
}

T(every_other_version_is_refused)
{
	for (unsigned int v = 0; v < 16; v++) {
		struct pkt k = hex(HEADER UDP);
		struct plx_ip ip = {0};

		k.b[0] = (uint8_t)(v << 4 | 5);
		ip4_mend(k.b);
		eq(parse(&ip, &k), v == 4 ? PLX_DROP_NONE : PLX_DROP_IP4_VERSION);
	}
}

T(every_flipped_bit_breaks_the_checksum)
{
	for (unsigned int bit = 8 * 4; bit < 8 * 20; bit++) { /* beyond the length fields */
		struct pkt k = hex(HEADER UDP);
		struct plx_ip ip = {0};

		k.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		eq(parse(&ip, &k), PLX_DROP_IP4_CHECKSUM);
		eq(plx_wire_ip4_parse(&ip, k.b, k.len, false), PLX_DROP_NONE);
	}
}

T(options)
{
	static const struct {
		const char *what, *options;
		enum plx_drop drop;
		uint16_t err_ptr;
		bool alert;
	} rows[] = {
		{"end of options", "00 ff ff ff", PLX_DROP_NONE, 0, false},
		{"no operation", "01 01 01 01", PLX_DROP_NONE, 0, false},
		{"router alert", "94 04 0000", PLX_DROP_NONE, 0, true},
		{"router alert, reserved value", "94 04 0001", PLX_DROP_NONE, 0, false},
		{"router alert, wrong length", "94 03 00 00", PLX_DROP_IP4_OPTIONS, 21, false},
		{"unknown", "1e 04 0000", PLX_DROP_NONE, 0, false},
		{"length 0", "1e 00 0000", PLX_DROP_IP4_OPTIONS, 20, false},
		{"length 1", "1e 01 0000", PLX_DROP_IP4_OPTIONS, 20, false},
		{"length beyond the header", "01 1e 04 00", PLX_DROP_IP4_OPTIONS, 21, false},
		{"no room for a length", "01 01 01 1e", PLX_DROP_IP4_OPTIONS, 23, false},
		{"loose source route", "01 83 07 04 0a000003", PLX_DROP_IP4_OPTIONS, 21, false},
		{"strict source route", "01 89 07 04 0a000003", PLX_DROP_IP4_OPTIONS, 21, false},
		{"record route", "01 07 07 04 00000000", PLX_DROP_NONE, 0, false},
		{"record route, full", "01 07 07 08 0a000003", PLX_DROP_NONE, 0, false},
		{"record route, no pointer", "07 02 01 01", PLX_DROP_IP4_OPTIONS, 21, false},
		{"record route, pointer low", "01 07 07 03 00000000", PLX_DROP_IP4_OPTIONS, 23,
			false},
		{"record route, half a slot", "01 07 07 05 00000000", PLX_DROP_IP4_OPTIONS, 23,
			false},
		{"record route, pointer at its last byte", "01 07 07 07 00000000",
			PLX_DROP_IP4_OPTIONS, 23, false},
		{"of its least length, at the end", "01 01 1e 02", PLX_DROP_NONE, 0, false},
		{"timestamp without slots", "44 04 05 00", PLX_DROP_NONE, 0, false},
		{"timestamp", "44 08 05 00 00000000", PLX_DROP_NONE, 0, false},
		{"timestamp, full", "44 08 09 f0 00000001", PLX_DROP_NONE, 0, false},
		{"timestamp with addresses", "44 0c 05 01 00000000 00000000", PLX_DROP_NONE, 0,
			false},
		{"the same, half a slot", "44 08 05 01 00000000", PLX_DROP_IP4_OPTIONS, 22, false},
		{"timestamp, short", "44 03 05 00", PLX_DROP_IP4_OPTIONS, 21, false},
		{"timestamp, pointer low", "44 08 04 00 00000000", PLX_DROP_IP4_OPTIONS, 22, false},
		{"timestamp, flag 2", "44 08 05 02 00000000", PLX_DROP_IP4_OPTIONS, 23, false},
		{"after another one", "94 04 0000 07 03 03 00", PLX_DROP_IP4_OPTIONS, 26, true},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = with_options(rows[i].options);
		void *p = exact(k.b, k.len);
		struct plx_ip ip = {0};

		print_message("%s\n", rows[i].what);
		eq(plx_wire_ip4_parse(&ip, p, k.len, true), rows[i].drop);
		eq(ip.err_ptr, rows[i].err_ptr);
		eq(ip.router_alert, rows[i].alert);
		ok(ip.has_options);
		eq(ip.hdr_bytes, k.len - 8);
		eq(ip.l4_bytes, 8);
		addr_eq(ip.src, "10.0.0.1"); /* for the ICMP error */
		exact_free(p, k.len);
	}
}

T(any_options_are_read_within_the_header)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(3));
	for (int i = 0; i < 100000; i++) {
		struct pkt k = hex("45 00 0000 0001 4000 40 11 0000 0a000001 0a000002");
		struct plx_ip ip = {0};
		enum plx_drop drop;
		uint8_t *p;

		k.len = 20 + 4 * (1 + (uint32_t)plx_rng_below(&rng, 10));
		plx_rng_bytes(&rng, k.b + 20, k.len - 20);
		for (uint32_t at = 21; at < k.len; at += 4)
			k.b[at] &= 0xf; /* lengths that lead on */
		k.b[0] = (uint8_t)(0x40 | k.len / 4);
		plx_put_be16(k.b + 2, (uint16_t)k.len);
		p = exact(k.b, k.len);
		drop = plx_wire_ip4_parse(&ip, p, k.len, false);
		ok(drop == PLX_DROP_NONE ||
			(drop == PLX_DROP_IP4_OPTIONS && ip.err_ptr >= 20 && ip.err_ptr < k.len));
		exact_free(p, k.len);
	}
}

static struct plx_ip random_ip(struct plx_rng *rng)
{
	struct plx_ip ip = {0};

	memset(&ip, 0, sizeof(ip));
	ip.src = random_addr(rng, 4);
	ip.dst = random_addr(rng, 4);
	ip.id = (uint16_t)plx_rng_u32(rng);
	ip.hdr_bytes = 20;
	ip.l4_bytes = (uint16_t)plx_rng_below(rng, 64);
	ip.frag_off = (uint16_t)(plx_rng_below(rng, 3) ? 0 : 8 * plx_rng_below(rng, 8192));
	ip.version = 4;
	ip.proto = (uint8_t)plx_rng_u32(rng);
	ip.ttl = (uint8_t)plx_rng_u32(rng);
	ip.tos = (uint8_t)plx_rng_u32(rng);
	ip.mf = plx_rng_below(rng, 2);
	ip.df = plx_rng_below(rng, 2);
	ip.is_frag = ip.mf || ip.frag_off;
	return ip;
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(4));
	for (int i = 0; i < 20000; i++) {
		struct plx_ip in = random_ip(&rng), out;
		uint8_t b[24 + 64];

		memset(&out, 0, sizeof(out));
		eq(plx_wire_ip4_emit(b, &in), 20);
		eq(plx_wire_ip4_parse(&out, b, 20u + in.l4_bytes, true), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));

		in.hdr_bytes = 24;
		in.has_options = in.router_alert = true;
		eq(plx_wire_ip4_emit_ra(b, &in), 24);
		eq(plx_wire_ip4_parse(&out, b, 24u + in.l4_bytes, true), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

T(emitted_bytes_are_those_of_the_vector)
{
	struct pkt k = hex(HEADER);
	struct plx_ip ip = {.src = addr("10.0.0.1"),
		.dst = addr("10.0.0.2"),
		.l4_bytes = 8,
		.id = 1,
		.df = true,
		.ttl = 64,
		.proto = PLX_IPPROTO_UDP};
	uint8_t b[20];

	plx_wire_ip4_emit(b, &ip);
	mem_eq(b, k.b, 20);
}

T(a_lowered_ttl_keeps_the_checksum_right)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(5));
	for (unsigned int id = 0; id <= UINT16_MAX; id++) { /* every checksum there is */
		struct plx_ip in = random_ip(&rng), out;
		uint8_t b[20];

		in.l4_bytes = 0;
		in.id = id;
		in.ttl = (uint8_t)(1 + id % 255);
		plx_wire_ip4_emit(b, &in);
		eq(plx_wire_ip4_ttl_dec(b), in.ttl - 1);
		eq(plx_wire_ip4_parse(&out, b, 20, true), PLX_DROP_NONE);
		eq(out.ttl, in.ttl - 1);
	}
}

RUN(T_(a_header_and_all_its_fields), T_(fragments), T_(every_wrong_length_has_its_reason),
	T_(every_other_version_is_refused), T_(every_flipped_bit_breaks_the_checksum), T_(options),
	T_(any_options_are_read_within_the_header), T_(what_is_emitted_is_parsed),
	T_(emitted_bytes_are_those_of_the_vector), T_(a_lowered_ttl_keeps_the_checksum_right))
