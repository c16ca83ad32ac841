/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define TARGET "fe80 0000 0000 0000 0000 0000 0000 0002"
#define NS     "87 00 0000 00000000" TARGET
#define NA     "88 00 0000 60000000" TARGET
#define RS     "85 00 0000 00000000"
#define RA     "86 00 0000 40 c0 0708 00007530 000003e8"
#define SLLA   "01 01 020000000001"
#define TLLA   "02 01 020000000002"
#define MTU    "05 01 0000 000005dc"
#define PREFIX "03 04 40 c0 00000e10 00000708 00000000 20010db8 00000000 00000000 00000000"
#define OTHER  "19 03 0000 00000e10 20010db8000000000000000000000053" /* RDNSS */
#define REDIR  "89 00 0000 00000000" TARGET "20010db8000000000000000000000009"

static enum plx_drop parse(
	struct plx_nd *nd, const char *src, const char *dst, uint8_t ttl, const char *text)
{
	struct plx_ip ip = {.src = addr(src), .dst = addr(dst), .ttl = ttl, .version = 6};
	struct pkt k = hex(text);
	void *p = exact(k.b, k.len);
	enum plx_drop drop = plx_wire_nd_parse(nd, &ip, p, k.len);

	exact_free(p, k.len);
	return drop;
}

T(a_solicitation)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::1", "ff02::1:ff00:2", 255, NS SLLA "0e 01 010203040506"),
		PLX_DROP_NONE);
	eq(nd.type, PLX_ICMP6_NS);
	addr_eq(nd.target, "fe80::2");
	ok(nd.has_slla && !nd.has_tlla && nd.has_nonce);
	mac_eq(nd.slla, "02:00:00:00:00:01");
	mem_eq(nd.nonce, "\1\2\3\4\5\6", 6);
}

T(an_advertisement)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::2", "fe80::1", 255, NA TLLA), PLX_DROP_NONE);
	eq(nd.type, PLX_ICMP6_NA);
	ok(!nd.router && nd.solicited && nd.override);
	ok(nd.has_tlla && !nd.has_slla);
	mac_eq(nd.tlla, "02:00:00:00:00:02");
}

T(a_router_advertisement)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::1", "ff02::1", 255, RA SLLA MTU PREFIX OTHER), PLX_DROP_NONE);
	eq(nd.type, PLX_ICMP6_RA);
	eq(nd.hop_limit, 64);
	ok(nd.managed && nd.other_config);
	eq(nd.lifetime_s, 1800);
	eq(nd.reachable_ms, 30000);
	eq(nd.retrans_ms, 1000);
	eq(nd.mtu, 1500);
	mac_eq(nd.slla, "02:00:00:00:00:01");
	eq(nd.n_prefix, 1);
	addr_eq(nd.prefix[0].prefix.addr, "2001:db8::");
	eq(nd.prefix[0].prefix.len, 64);
	ok(nd.prefix[0].on_link && nd.prefix[0].autonomous);
	eq(nd.prefix[0].valid_s, 3600);
	eq(nd.prefix[0].preferred_s, 1800);
}

T(a_router_preference)
{
	static const struct {
		const char *flags_and_lifetime;
		int preference;
	} rows[] = {
		{"00 0708", 0}, {"08 0708", 1}, {"18 0708", -1}, {"10 0708", 0}, {"08 0000", 0}};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_nd nd;
		char text[80];

		snprintf(text, sizeof(text), "86 00 0000 40 %s 00000000 00000000",
			rows[i].flags_and_lifetime);
		eq(parse(&nd, "fe80::1", "ff02::1", 255, text), PLX_DROP_NONE);
		eq(nd.preference, rows[i].preference);
	}
}

T(a_redirect)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::1", "2001:db8::1", 255, REDIR TLLA), PLX_DROP_NONE);
	eq(nd.type, PLX_ICMP6_REDIRECT);
	addr_eq(nd.target, "fe80::2");
	addr_eq(nd.dst, "2001:db8::9");
	ok(nd.has_tlla);
}

T(what_the_rules_refuse)
{
	static const struct {
		const char *what, *src, *dst, *text;
		bool good;
	} rows[] = {
		/* RFC 4861 7.1.1 */
		{"NS", "fe80::1", "fe80::2", NS, true},
		{"NS, DAD probe", "::", "ff02::1:ff00:2", NS, true},
		{"NS, DAD probe to another group", "::", "ff02::1", NS, false},
		{"NS, DAD probe to one host", "::", "fe80::2", NS, false},
		{"NS, DAD probe with a MAC", "::", "ff02::1:ff00:2", NS SLLA, false},
		{"NS with a code", "fe80::1", "fe80::2", "87 01 0000 00000000" TARGET, false},
		{"NS for a group", "fe80::1", "fe80::2",
			"87 00 0000 00000000 ff02000000000000000000000000 0001", false},
		{"NS for a mapped address", "fe80::1", "fe80::2",
			"87 00 0000 00000000 00000000000000000000ffff0a000001", false},
		{"NS for nobody", "fe80::1", "fe80::2",
			"87 00 0000 00000000 00000000000000000000000000000000", false},
		/* 7.1.2 */
		{"NA, unsolicited to all", "fe80::2", "ff02::1", "88 00 0000 20000000" TARGET,
			true},
		{"NA, solicited to all", "fe80::2", "ff02::1", NA, false},
		{"NA for a group", "fe80::2", "fe80::1",
			"88 00 0000 60000000 ff02000000000000000000000000 0001", false},
		/* 6.1.1 */
		{"RS", "fe80::1", "ff02::2", RS SLLA, true},
		{"RS from nobody", "::", "ff02::2", RS, true},
		{"RS from nobody with a MAC", "::", "ff02::2", RS SLLA, false},
		/* 6.1.2 */
		{"RA", "fe80::1", "ff02::1", RA, true},
		{"RA, source not of the link", "2001:db8::1", "ff02::1", RA, false},
		/* 8.1 */
		{"redirect to a neighbour", "fe80::1", "2001:db8::1",
			"89 00 0000 00000000 20010db8000000000000000000000009"
			"20010db8000000000000000000000009",
			true},
		{"redirect to a host that is neither", "fe80::1", "2001:db8::1",
			"89 00 0000 00000000 20010db8000000000000000000000008"
			"20010db8000000000000000000000009",
			false},
		{"redirect, source not of the link", "2001:db8::5", "2001:db8::1", REDIR, false},
		{"redirect of a group", "fe80::1", "2001:db8::1",
			"89 00 0000 00000000" TARGET "ff020000000000000000000000000001", false},
		/* options, all */
		{"option of length 0", "fe80::1", "fe80::2", NS "01 00 020000000001", false},
		{"unknown option of length 0", "fe80::1", "fe80::2", NS "63 00 000000000000",
			false},
		{"option beyond the message", "fe80::1", "fe80::2", NS "63 02 000000000000", false},
		{"half an option", "fe80::1", "fe80::2", NS "01 01 0200", false},
		{"MAC of 14 bytes", "fe80::1", "fe80::2", NS "01 02 020000000001 0000000000000000",
			false},
		{"unknown option", "fe80::1", "fe80::2", NS "63 01 000000000000" SLLA, true},
		{"option of another message", "fe80::1", "fe80::2", NS TLLA PREFIX, true},
		{"an echo request", "fe80::1", "fe80::2", "80 00 0000 00000000", false},
		{"a type between", "fe80::1", "fe80::2", "8a 00 0000 00000000" TARGET, false},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_nd nd;

		print_message("%s\n", rows[i].what);
		eq(parse(&nd, rows[i].src, rows[i].dst, 255, rows[i].text),
			rows[i].good ? PLX_DROP_NONE : PLX_DROP_ND_MALFORMED);
	}
}

T(nothing_from_beyond_the_link_counts)
{
	static const char *const all[] = {NS, NA, RS, RA, REDIR};
	struct plx_nd nd;

	for (size_t i = 0; i < PLX_DIM(all); i++)
		for (unsigned int ttl = 0; ttl < 256; ttl++)
			eq(parse(&nd, "fe80::1", "fe80::2", (uint8_t)ttl, all[i]),
				ttl == 255 ? PLX_DROP_NONE : PLX_DROP_ND_HOPLIMIT);
}

T(prefixes_that_nobody_may_use_are_left_out)
{
	static const struct {
		const char *what, *opt;
	} rows[] = {
		{"longer than an address",
			"03 04 81 c0 00000e10 00000708 00000000 20010db8000000000000000000000000"},
		{"preferred for longer than valid",
			"03 04 40 c0 00000708 00000709 00000000 20010db8000000000000000000000000"},
		{"link-local",
			"03 04 40 c0 00000e10 00000708 00000000 fe800000000000000000000000000000"},
		{"link-local by its length",
			"03 04 09 c0 00000e10 00000708 00000000 feff0000000000000000000000000000"},
		{"a group",
			"03 04 40 c0 00000e10 00000708 00000000 ff020000000000000000000000000000"},
		{"mapped",
			"03 04 60 c0 00000e10 00000708 00000000 00000000000000000000ffff0a000000"},
		{"an option of another length", "03 01 40 c0 00000e10"},
		{"an MTU below IPv6's least", "05 01 0000 000004ff"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		char text[512];
		struct plx_nd nd;

		print_message("%s\n", rows[i].what);
		snprintf(text, sizeof(text), "%s%s%s", RA, rows[i].opt, PREFIX);
		eq(parse(&nd, "fe80::1", "ff02::1", 255, text), PLX_DROP_NONE);
		eq(nd.n_prefix, 1);
		eq(nd.mtu, 0);
		addr_eq(nd.prefix[0].prefix.addr, "2001:db8::");
	}
}

T(the_least_that_is_taken)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::1", "ff02::1", 255,
		   RA "05 01 0000 00000500"
		      "03 04 40 c0 00000708 00000708 00000000 20010db8000000000000000000000000"),
		PLX_DROP_NONE);
	eq(nd.mtu, 1280);
	eq(nd.n_prefix, 1);
	eq(nd.prefix[0].preferred_s, nd.prefix[0].valid_s);
}

T(options_of_another_message_are_ignored)
{
	struct plx_nd nd;

	eq(parse(&nd, "fe80::1", "fe80::2", 255,
		   NS TLLA MTU PREFIX "0e 02 0102030405060708 090a0b0c0d0e"),
		PLX_DROP_NONE);
	ok(!nd.has_tlla && !nd.has_nonce);
	eq(nd.mtu, 0);
	eq(nd.n_prefix, 0);
	eq(parse(&nd, "fe80::2", "fe80::1", 255, NA SLLA "0e 01 010203040506"), PLX_DROP_NONE);
	ok(!nd.has_slla && !nd.has_nonce);
	eq(parse(&nd, "fe80::1", "ff02::1", 255, RA TLLA), PLX_DROP_NONE);
	ok(!nd.has_tlla);
}

T(bits_beyond_a_prefix_are_cleared)
{
	static const struct {
		const char *len, *left;
	} rows[] = {
		{"00", "::"},
		{"01", "8000::"},
		{"3f", "ffff:ffff:ffff:fffe::"},
		{"40", "ffff:ffff:ffff:ffff::"},
		{"44", "ffff:ffff:ffff:ffff:f000::"},
		{"80", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_ip ip = {
			.src = addr("fe80::1"), .dst = addr("ff02::1"), .ttl = 255, .version = 6};
		struct pkt k = hex(RA "03 04");
		struct plx_nd nd;

		hex_add(&k, rows[i].len);
		/* 7f: ff would be a group */
		hex_add(&k, "c0 00000e10 00000708 00000000 7fffffffffffffffffffffffffffffff");
		eq(plx_wire_nd_parse(&nd, &ip, k.b, k.len), PLX_DROP_NONE);
		eq(nd.n_prefix, 1);
		nd.prefix[0].prefix.addr.b[0] |= nd.prefix[0].prefix.len ? 0x80 : 0;
		addr_eq(nd.prefix[0].prefix.addr, rows[i].left);
	}
}

T(surplus_prefixes_are_left_out)
{
	char text[2048] = RA;
	struct plx_nd nd;

	for (int i = 0; i < PLX_ND_PREFIXES + 2; i++)
		strcat(text, PREFIX);
	eq(parse(&nd, "fe80::1", "ff02::1", 255, text), PLX_DROP_NONE);
	eq(nd.n_prefix, PLX_ND_PREFIXES);
}

T(every_wrong_length_is_malformed)
{
	static const struct {
		const char *text;
		uint32_t fixed;
	} rows[] = {{NS SLLA, 24}, {NA TLLA, 24}, {RS SLLA, 8}, {RA SLLA, 16}, {REDIR TLLA, 40}};
	struct plx_ip ip = {
		.src = addr("fe80::1"), .dst = addr("fe80::2"), .ttl = 255, .version = 6};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].text);
		struct plx_nd nd;

		EACH_TRUNCATION(k, n, p,
			eq(plx_wire_nd_parse(&nd, &ip, p, n),
				n == rows[i].fixed ? PLX_DROP_NONE : PLX_DROP_ND_MALFORMED));
		eq(plx_wire_nd_parse(&nd, &ip, k.b, k.len), PLX_DROP_NONE);
	}
}

static void random_prefixes(struct plx_nd *nd, struct plx_rng *rng)
{
	nd->n_prefix = (uint8_t)plx_rng_below(rng, PLX_ND_PREFIXES + 1);
	for (int i = 0; i < nd->n_prefix; i++) {
		struct plx_nd_prefix *p = &nd->prefix[i];

		plx_rng_bytes(rng, p->prefix.addr.b, 8);
		p->prefix.addr.b[0] = 0x20;
		p->prefix.len = 64;
		p->on_link = plx_rng_below(rng, 2);
		p->autonomous = plx_rng_below(rng, 2);
		p->valid_s = plx_rng_u32(rng);
		p->preferred_s = (uint32_t)plx_rng_below(rng, p->valid_s + 1ull);
	}
}

static void random_message(struct plx_nd *nd, struct plx_rng *rng)
{
	memset(nd, 0, sizeof(*nd));
	nd->type = (uint8_t)(PLX_ICMP6_RS + plx_rng_below(rng, 5));
	if (nd->type == PLX_ICMP6_NS || nd->type == PLX_ICMP6_NA)
		nd->target = random_addr(rng, 6);
	if (nd->type == PLX_ICMP6_REDIRECT) {
		nd->dst = random_addr(rng, 6);
		nd->target = addr("fe80::5");
	}
	if (nd->type == PLX_ICMP6_NA) {
		nd->router = plx_rng_below(rng, 2);
		nd->solicited = plx_rng_below(rng, 2);
		nd->override = plx_rng_below(rng, 2);
	}
	if (nd->type == PLX_ICMP6_RA) {
		nd->managed = plx_rng_below(rng, 2);
		nd->other_config = plx_rng_below(rng, 2);
		nd->hop_limit = (uint8_t)plx_rng_u32(rng);
		nd->lifetime_s = (uint16_t)plx_rng_below(rng, 3) * 9000;
		if (nd->lifetime_s != 0)
			nd->preference = (int8_t)(1 - (int)plx_rng_below(rng, 3));
		nd->reachable_ms = plx_rng_u32(rng);
		nd->retrans_ms = plx_rng_u32(rng);
		nd->mtu = (uint32_t)plx_rng_below(rng, 2) * 9000;
		random_prefixes(nd, rng);
	}
	nd->has_nonce = nd->type == PLX_ICMP6_NS && plx_rng_below(rng, 2);
	if (nd->has_nonce)
		plx_rng_bytes(rng, nd->nonce, sizeof(nd->nonce));
	if (plx_rng_below(rng, 2))
		return;
	if (nd->type == PLX_ICMP6_NA || nd->type == PLX_ICMP6_REDIRECT) {
		nd->has_tlla = true;
		plx_rng_bytes(rng, &nd->tlla, 6);
	} else {
		nd->has_slla = true;
		plx_rng_bytes(rng, &nd->slla, 6);
	}
}

T(what_is_emitted_is_parsed)
{
	struct plx_ip ip = {
		.src = addr("fe80::1"), .dst = addr("fe80::2"), .ttl = 255, .version = 6};
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(12));
	for (int i = 0; i < 20000; i++) {
		uint8_t b[PLX_ND_MAX_BYTES];
		struct plx_nd in, out;
		uint32_t n;

		random_message(&in, &rng);
		n = plx_wire_nd_emit(b, &in);
		ok(n >= 8 && n <= sizeof(b) && n % 8 == 0);
		memset(&out, 0xee, sizeof(out));
		eq(plx_wire_nd_parse(&out, &ip, b, n), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

T(other_types_are_not_emitted)
{
	struct plx_nd nd = {.type = PLX_ICMP6_ECHO_REQUEST};
	uint8_t b[PLX_ND_MAX_BYTES];

	eq(plx_wire_nd_emit(b, &nd), 0);
}

T(groups_and_their_macs)
{
	struct plx_addr a = addr("2001:db8::1234:5678:9abc"), g = plx_wire_nd_solicited_node(&a);
	struct plx_mac m = plx_wire_group_mac(&g);

	addr_eq(g, "ff02::1:ff78:9abc");
	mac_eq(m, "33:33:ff:78:9a:bc");
	a = addr("239.129.2.3"); /* the high bit of the second byte is lost, RFC 1112 6.4 */
	m = plx_wire_group_mac(&a);
	mac_eq(m, "01:00:5e:01:02:03");
}

RUN(T_(a_solicitation), T_(an_advertisement), T_(a_router_advertisement), T_(a_router_preference),
	T_(a_redirect), T_(what_the_rules_refuse), T_(nothing_from_beyond_the_link_counts),
	T_(prefixes_that_nobody_may_use_are_left_out), T_(the_least_that_is_taken),
	T_(options_of_another_message_are_ignored), T_(bits_beyond_a_prefix_are_cleared),
	T_(surplus_prefixes_are_left_out), T_(every_wrong_length_is_malformed),
	T_(what_is_emitted_is_parsed), T_(other_types_are_not_emitted), T_(groups_and_their_macs))
