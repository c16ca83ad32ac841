/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define SYN "c000 0050 00000001 00000000 5002 faf0 0000 0000"

static enum plx_drop opts(struct plx_tcp_opts *o, const char *text, bool syn)
{
	struct pkt k = hex(text);
	void *p = exact(k.b, k.len);
	enum plx_drop drop = plx_wire_tcp_opts_parse(o, p, k.len, syn);

	exact_free(p, k.len);
	return drop;
}

T(a_segment)
{
	struct pkt k =
		hex("c000 0050 01020304 05060708 81d2 faf0 abcd 0009 0101080a 00000001 00000002");
	struct plx_tcp_hdr tcp = {0};

	eq(plx_wire_tcp_parse(&tcp, k.b, k.len), PLX_DROP_NONE);
	eq(tcp.sport, 49152);
	eq(tcp.dport, 80);
	eq(tcp.seq, 0x01020304);
	eq(tcp.ack, 0x05060708);
	eq(tcp.flags, PLX_TCP_AE | PLX_TCP_CWR | PLX_TCP_ECE | PLX_TCP_ACK | PLX_TCP_SYN);
	eq(tcp.win, 0xfaf0);
	mem_eq(&tcp.check, k.b + 16, 2);
	eq(tcp.urg, 9);
	eq(tcp.hdr_bytes, 32);
}

T(every_wrong_length_has_its_reason)
{
	struct pkt k = hex(SYN "020405b4");
	struct plx_tcp_hdr tcp = {0};

	k.b[12] = 0x60;
	EACH_TRUNCATION(k, n, p,
		eq(plx_wire_tcp_parse(&tcp, p, n),
			n < 20 ? PLX_DROP_TCP_SHORT : PLX_DROP_TCP_OFFSET));
	for (unsigned int words = 0; words < 16; words++) {
		k.b[12] = (uint8_t)(words << 4);
		eq(plx_wire_tcp_parse(&tcp, k.b, k.len),
			words == 5 || words == 6 ? PLX_DROP_NONE : PLX_DROP_TCP_OFFSET);
	}
}

T(options_of_a_syn)
{
	struct plx_tcp_opts o;

	eq(opts(&o, "020405b4 0402080a 00000007 00000000 01030307", true), PLX_DROP_NONE);
	eq(o.present, PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK | PLX_TCP_OPT_TS | PLX_TCP_OPT_WSCALE);
	eq(o.mss, 1460);
	eq(o.ts_val, 7);
	eq(o.ts_ecr, 0);
	eq(o.wscale, 7);
}

T(options_of_a_syn_mean_nothing_later)
{
	struct plx_tcp_opts o;

	eq(opts(&o, "020405b4 0402080a 00000007 00000008 01030307", false), PLX_DROP_NONE);
	eq(o.present, PLX_TCP_OPT_TS);
	eq(o.mss, 0);
	eq(o.ts_val, 7);
	eq(o.ts_ecr, 8);
}

T(sack_blocks)
{
	struct plx_tcp_opts o;

	eq(opts(&o, "0101 0512 00000001 00000002 fffffff0 00000010", false), PLX_DROP_NONE);
	eq(o.present, PLX_TCP_OPT_SACK);
	eq(o.n_sack, 2);
	eq(o.sack[0].start, 1);
	eq(o.sack[0].end, 2);
	eq(o.sack[1].start, 0xfffffff0);
	eq(o.sack[1].end, 16);
}

T(what_may_stand_among_options)
{
	static const struct {
		const char *text;
		uint8_t present;
	} rows[] = {
		{"", 0},
		{"01010101", 0},
		{"00 020405", 0},				 /* nothing counts after the end */
		{"fe04f989 020405b4", PLX_TCP_OPT_MSS},		 /* experimental */
		{"220a 0102030405060708 0000", 0},		 /* Fast Open cookie */
		{"02040400 020405b4", PLX_TCP_OPT_MSS},		 /* the later one counts */
		{"080a 00000001 00000002 0000", PLX_TCP_OPT_TS}, /* not aligned, no NOPs */
		{"01 020405b4 01 01 00", PLX_TCP_OPT_MSS},
	};
	struct plx_tcp_opts o;

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		eq(opts(&o, rows[i].text, true), PLX_DROP_NONE);
		eq(o.present, rows[i].present);
		if (o.present & PLX_TCP_OPT_MSS)
			eq(o.mss, 1460);
	}
}

static bool length_is_right(unsigned int kind, unsigned int len)
{
	switch (kind) {
	case 2:
		return len == 4;
	case 3:
		return len == 3;
	case 4:
		return len == 2;
	case 5:
		return len == 10 || len == 18 || len == 26 || len == 34;
	case 8:
		return len == 10;
	default:
		return len >= 2;
	}
}

/* Each kind with each length, at each place of a full set of options. */
T(every_wrong_option_length_drops_the_segment)
{
	for (unsigned int kind = 2; kind < 256; kind++)
		for (unsigned int len = 0; len < 256; len++)
			for (uint32_t at = 0; at < 40; at += 3) {
				uint8_t b[40], *p;
				struct plx_tcp_opts o;
				bool good = length_is_right(kind, len) && at + len <= 40;

				memset(b, 1, at);
				memset(b + at, 0, 40 - at);
				b[at] = (uint8_t)kind;
				if (at + 1 < 40)
					b[at + 1] = (uint8_t)len;
				else
					good = false;
				p = exact(b, 40);
				eq(plx_wire_tcp_opts_parse(&o, p, 40, true),
					good ? PLX_DROP_NONE : PLX_DROP_TCP_OPTIONS);
				exact_free(p, 40);
			}
}

T(options_cut_anywhere_are_read_to_the_cut)
{
	struct pkt k = hex("020405b4 0402080a 00000007 00000000 01030307");
	/* where one option ends and the next has not begun */
	static const uint32_t whole[] = {0, 4, 6, 16, 17, 20};

	EACH_TRUNCATION(k, n, p, {
		struct plx_tcp_opts o;
		bool good = false;

		for (size_t i = 0; i < PLX_DIM(whole); i++)
			good |= whole[i] == n;
		eq(plx_wire_tcp_opts_parse(&o, p, n, true),
			good ? PLX_DROP_NONE : PLX_DROP_TCP_OPTIONS);
	});
	k = hex("0101080a 00000001 00000002");
	EACH_TRUNCATION(k, n, p, {
		struct plx_tcp_opts o;

		eq(plx_wire_tcp_opts_parse(&o, p, n, true),
			n <= 2 ? PLX_DROP_NONE : PLX_DROP_TCP_OPTIONS);
	});
}

/* The layouts that Linux sends; captures of it look like this. */
T(options_are_laid_out_as_linux_does)
{
	static const struct {
		struct plx_tcp_opts o;
		const char *text;
	} rows[] = {
		{{.present = PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK | PLX_TCP_OPT_TS |
			     PLX_TCP_OPT_WSCALE,
			 .mss = 1460,
			 .ts_val = 1,
			 .wscale = 7},
			"020405b4 0402080a 00000001 00000000 01030307"},
		{{.present = PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK | PLX_TCP_OPT_WSCALE,
			 .mss = 1460,
			 .wscale = 7},
			"020405b4 01010402 01030307"},
		{{.present = PLX_TCP_OPT_MSS | PLX_TCP_OPT_TS,
			 .mss = 536,
			 .ts_val = 1,
			 .ts_ecr = 2},
			"02040218 0101080a 00000001 00000002"},
		{{.present = PLX_TCP_OPT_MSS, .mss = 536}, "02040218"},
		{{.present = PLX_TCP_OPT_TS, .ts_val = 3, .ts_ecr = 4},
			"0101080a 00000003 00000004"},
		{{.present = PLX_TCP_OPT_SACK, .n_sack = 1, .sack = {{5, 6}}},
			"0101050a 00000005 00000006"},
		{{.present = PLX_TCP_OPT_TS | PLX_TCP_OPT_SACK,
			 .ts_val = 3,
			 .ts_ecr = 4,
			 .n_sack = 4,
			 .sack = {{5, 6}, {7, 8}, {9, 10}, {11, 12}}},
			"0101080a 00000003 00000004 0101051a 00000005 00000006 00000007 00000008"
			"00000009 0000000a"}, /* the fourth does not fit */
		{{.present = PLX_TCP_OPT_SACK,
			 .n_sack = 4,
			 .sack = {{5, 6}, {7, 8}, {9, 10}, {11, 12}}},
			"01010522 00000005 00000006 00000007 00000008 00000009 0000000a"
			"0000000b 0000000c"},
		{{.present = 0}, ""},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].text);
		uint8_t *p = exact(k.b, k.len);

		memset(p, 0xee, k.len);
		eq(plx_wire_tcp_opts_bytes(&rows[i].o), k.len);
		eq(plx_wire_tcp_opts_emit(p, &rows[i].o), k.len);
		mem_eq(p, k.b, k.len);
		exact_free(p, k.len);
	}
}

static struct plx_tcp_opts random_opts(struct plx_rng *rng)
{
	struct plx_tcp_opts o;

	memset(&o, 0, sizeof(o));
	o.present = plx_rng_u32(rng) & 0xf;
	if (o.present & PLX_TCP_OPT_MSS)
		o.mss = (uint16_t)plx_rng_u32(rng);
	if (o.present & PLX_TCP_OPT_WSCALE)
		o.wscale = (uint8_t)plx_rng_u32(rng);
	if (o.present & PLX_TCP_OPT_TS) {
		o.ts_val = plx_rng_u32(rng);
		o.ts_ecr = plx_rng_u32(rng);
	}
	o.n_sack = (uint8_t)plx_rng_below(rng, (40 - plx_wire_tcp_opts_bytes(&o) - 4) / 8 + 1);
	if (o.n_sack)
		o.present |= PLX_TCP_OPT_SACK;
	plx_rng_bytes(rng, o.sack, o.n_sack * sizeof(o.sack[0]));
	return o;
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(11));
	for (int i = 0; i < 50000; i++) {
		struct plx_tcp_hdr in, out;
		struct plx_tcp_opts oin = random_opts(&rng), oout;
		uint8_t b[PLX_TCP_MAX_BYTES];
		uint32_t n = plx_wire_tcp_opts_emit(b + 20, &oin);

		eq(n, plx_wire_tcp_opts_bytes(&oin));
		eq(plx_wire_tcp_opts_parse(&oout, b + 20, n, true), PLX_DROP_NONE);
		mem_eq(&oin, &oout, sizeof(oin));

		memset(&in, 0, sizeof(in));
		memset(&out, 0, sizeof(out));
		in.sport = (uint16_t)plx_rng_u32(&rng);
		in.dport = (uint16_t)plx_rng_u32(&rng);
		in.seq = plx_rng_u32(&rng);
		in.ack = plx_rng_u32(&rng);
		in.flags = plx_rng_u32(&rng) & 0x1ff;
		in.win = (uint16_t)plx_rng_u32(&rng);
		in.check = (uint16_t)plx_rng_u32(&rng);
		in.urg = (uint16_t)plx_rng_u32(&rng);
		in.hdr_bytes = (uint8_t)(20 + n);
		eq(plx_wire_tcp_emit(b, &in), 20);
		eq(plx_wire_tcp_parse(&out, b, 20 + n), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

RUN(T_(a_segment), T_(every_wrong_length_has_its_reason), T_(options_of_a_syn),
	T_(options_of_a_syn_mean_nothing_later), T_(sack_blocks), T_(what_may_stand_among_options),
	T_(every_wrong_option_length_drops_the_segment),
	T_(options_cut_anywhere_are_read_to_the_cut), T_(options_are_laid_out_as_linux_does),
	T_(what_is_emitted_is_parsed))
