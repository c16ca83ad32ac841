/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#include "../../app/replay.h"

/*
 * What is rewritten in a frame: checksums that were right are right afterwards, those that were
 * wrong are wrong, and no byte is read or written beyond the frame, wherever it is cut off.
 */

static struct replay_rewrite rw;

static void maps(const char *text, ...)
{
	va_list ap;

	rw = (struct replay_rewrite){0};
	va_start(ap, text);
	for (; text; text = va_arg(ap, const char *))
		assert_null(replay_map_parse(&rw.map[rw.n_maps++], text));
	va_end(ap);
}

/** A frame in the making. */
struct frame {
	uint32_t len;
	uint32_t l3, l4; /* where these begin */
	uint8_t b[2048];
};

static void put(struct frame *f, const void *p, uint32_t n)
{
	memcpy(f->b + f->len, p, n);
	f->len += n;
}

static void put_hex(struct frame *f, const char *text)
{
	struct pkt k = hex(text);

	put(f, k.b, k.len);
}

static void ethernet(struct frame *f, uint16_t type, const char *tags)
{
	*f = (struct frame){0};
	put_hex(f, "020000000001 020000000002");
	put_hex(f, tags);
	plx_put_be16(f->b + f->len, type);
	f->len += 2;
	f->l3 = f->len;
}

struct l4 {
	uint8_t proto;
	uint32_t bytes;
	uint32_t check; /* where it stands */
};
static const struct l4 l4s[] = {
	{PLX_IPPROTO_TCP, 20, 16}, {PLX_IPPROTO_UDP, 8, 6}, {PLX_IPPROTO_ICMP6, 8, 2}};

static void payload(struct frame *f, struct plx_rng *rng, uint32_t n)
{
	f->l4 = f->len;
	plx_rng_bytes(rng, f->b + f->len, n);
	f->len += n;
}

/* Of IPv4 without options, or IPv6, with a random payload and a right checksum. */
static void datagram(struct frame *f, struct plx_rng *rng, const struct plx_addr *src,
	const struct plx_addr *dst, const struct l4 *l4)
{
	uint32_t n = l4->bytes + (uint32_t)plx_rng_below(rng, 100);
	struct plx_ip ip = {.src = *src,
		.dst = *dst,
		.l4_bytes = (uint16_t)n,
		.proto = l4->proto,
		.ttl = 255,
		.id = 77};
	bool v4 = plx_addr_is_v4(src);

	ethernet(f, v4 ? PLX_ETHERTYPE_IP4 : PLX_ETHERTYPE_IP6, "");
	f->len += v4 ? plx_wire_ip4_emit(f->b + f->l3, &ip) : plx_wire_ip6_emit(f->b + f->l3, &ip);
	payload(f, rng, n);
	f->b[f->l4] = 3; /* of ICMPv6: no neighbour discovery */
	plx_wire_l4_cksum_fill(src, dst, l4->proto, f->b + f->l4, n);
}

static bool parse(struct plx_ip *ip, const struct frame *f)
{
	uint8_t code;

	if (f->b[f->l3] >> 4 == 4)
		return plx_wire_ip4_parse(ip, f->b + f->l3, f->len - f->l3, true) == PLX_DROP_NONE;
	return plx_wire_ip6_parse(ip, f->b + f->l3, f->len - f->l3, &code) == PLX_DROP_NONE;
}

static bool l4_ok(const struct plx_ip *ip, const struct frame *f)
{
	return plx_wire_l4_cksum_ok(ip, f->b + f->l4, ip->l4_bytes);
}

/* On the heap, of just that size. @return did it change? */
static bool rewrite(struct frame *f)
{
	uint8_t *p = exact(f->b, f->len);
	bool changed = replay_rewrite(&rw, p, f->len, true);

	eq(changed, memcmp(p, f->b, f->len) != 0);
	memcpy(f->b, p, f->len);
	exact_free(p, f->len);
	return changed;
}

static void becomes(const char *was, const char *now)
{
	struct plx_addr a = addr(was), b = addr("192.0.2.1"), b6 = addr("2001:db8::1");
	struct plx_rng rng;
	struct plx_ip ip;
	struct frame f;

	plx_rng_init(&rng, 1);
	for (size_t i = 0; i < PLX_DIM(l4s); i++) {
		datagram(&f, &rng, &a, plx_addr_is_v4(&a) ? &b : &b6, &l4s[i]);
		eq(rewrite(&f), strcmp(was, now) != 0);
		ok(parse(&ip, &f));
		addr_eq(ip.src, now);
		if (!plx_addr_is_v4(&a) || l4s[i].proto != PLX_IPPROTO_ICMP6)
			ok(l4_ok(&ip, &f));
	}
}

T(prefixes_of_each_length)
{
	maps("10.0.0.0/8=172.0.0.0/8", NULL);
	becomes("10.1.2.3", "172.1.2.3");
	becomes("11.1.2.3", "11.1.2.3");
	maps("10.128.0.0/9=10.0.0.0/9", NULL);
	becomes("10.129.2.3", "10.1.2.3");
	becomes("10.1.2.3", "10.1.2.3");
	maps("10.1.2.3=10.9.9.9", NULL);
	becomes("10.1.2.3", "10.9.9.9");
	becomes("10.1.2.2", "10.1.2.2");
	maps("10.0.0.0/30=10.0.0.252/30", NULL);
	becomes("10.0.0.3", "10.0.0.255");
	maps("2001:db8::/32=fd00:9::/32", NULL);
	becomes("2001:db8:1::5", "fd00:9:1::5");
	maps("2001:db8::/61=2001:db8:0:8::/61", NULL);
	becomes("2001:db8:0:7::5", "2001:db8:0:f::5");
	maps("2001:db8::5/128=::1/128", NULL);
	becomes("2001:db8::5", "::1");
	/* host bits count for nothing */
	maps("10.1.2.3/8=172.9.9.9/8", NULL);
	becomes("10.1.2.3", "172.1.2.3");
}

T(the_first_map_that_matches)
{
	maps("10.1.0.0/16=10.2.0.0/16", "10.0.0.0/8=172.0.0.0/8", "10.2.0.0/16=10.3.0.0/16", NULL);
	becomes("10.1.2.3", "10.2.2.3");
	becomes("10.9.2.3", "172.9.2.3");
	becomes("10.2.2.3", "172.2.2.3");
}

/* All of one family are none of the other. */
T(families_do_not_mix)
{
	maps("::/0=::/0", "::/8=fd00::/8", NULL);
	becomes("10.1.2.3", "10.1.2.3");
	maps("0.0.0.0/1=128.0.0.0/1", NULL);
	becomes("10.1.2.3", "138.1.2.3");
	becomes("2001:db8::1", "2001:db8::1");
	maps("0.0.0.0/0=1.2.3.4/0", NULL);
	becomes("10.1.2.3", "10.1.2.3");
}

T(maps_in_words)
{
	static const char *const bad[] = {"", "=", "10.0.0.0/8", "10.0.0.0/8=", "=10.0.0.0/8",
		"10.0.0.0/8=10.0.0.0/9", "10.0.0.0/8=10.0.0.1", "10.0.0.0/8=fd00::/8",
		"fd00::/104=10.0.0.0/8", "10.0.0.0/33=10.0.0.0/33", "a=b",
		"10.0.0.0/8=10.0.0.0/8=", "10.0.0.0/8:10.0.0.0/8",
		"2001:db8:1111:2222:3333:4444:5555:6666/128/128/128/128=::1"};
	struct replay_map m, was;

	memset(&m, 0x55, sizeof(m));
	was = m;
	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		if (!replay_map_parse(&m, bad[i]))
			fail_msg("'%s' is no map", bad[i]);
		mem_eq(&m, &was, sizeof(m));
	}
	assert_null(replay_map_parse(&m, "fd00::/8=2001:db8::/8"));
	eq(m.from.len, 8);
}

/* Random addresses and payload: right stays right, wrong stays wrong by as much. */
T(checksums_against_recomputed_ones)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int i = 0; i < 20000; i++) {
		const struct l4 *l4 = &l4s[plx_rng_below(&rng, PLX_DIM(l4s))];
		uint8_t version = plx_rng_below(&rng, 2) ? 4 : 6;
		struct plx_addr src = random_addr(&rng, version), dst = random_addr(&rng, version);
		uint32_t len = (uint32_t)plx_rng_below(&rng, version == 4 ? 33 : 129);
		bool spoil = plx_rng_below(&rng, 4) == 0;
		struct frame f;
		struct plx_ip ip;

		if (version == 4 && l4->proto == PLX_IPPROTO_ICMP6)
			continue;
		datagram(&f, &rng, &src, &dst, l4);
		if (spoil)
			f.b[f.len - 1] ^= 0x5a;
		rw = (struct replay_rewrite){.n_maps = 2};
		for (int k = 0; k < 2; k++) {
			rw.map[k].from.addr = k ? dst : src;
			rw.map[k].to.addr = random_addr(&rng, version);
			rw.map[k].to.len = rw.map[k].from.len =
				(uint8_t)(len + (version == 4 ? 96 : 0));
		}
		rewrite(&f);
		ok(parse(&ip, &f));
		ok(plx_prefix_contains(&rw.map[0].to, &ip.src));
		if (version == 4) {
			eq(plx_addr_v4(&ip.src) << len % 32,
				plx_addr_v4(len == 32 ? &rw.map[0].to.addr : &src) << len % 32);
		}
		eq(l4_ok(&ip, &f), !spoil);
		if (l4->proto == PLX_IPPROTO_UDP)
			ok(f.b[f.l4 + 6] || f.b[f.l4 + 7]);
	}
}

/* RFC 768: what comes out as 0 is sent as ffff; a 0 that was there is "none". */
T(udp_without_a_checksum)
{
	struct plx_addr a = addr("10.0.0.1"), b = addr("10.0.0.2");
	struct plx_rng rng;
	struct plx_ip ip;
	struct frame f;
	uint32_t ffff = 0;

	plx_rng_init(&rng, 1);
	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	datagram(&f, &rng, &a, &b, &l4s[1]);
	memset(f.b + f.l4 + 6, 0, 2);
	ok(rewrite(&f));
	mem_eq(f.b + f.l4 + 6, "\0\0", 2);
	for (uint32_t i = 0; i < 65536; i++) { /* each sum there is */
		datagram(&f, &rng, &a, &b, &l4s[1]);
		plx_put_be16(f.b + f.l4, (uint16_t)i);
		memset(f.b + f.l4 + 6, 0, 2);
		memset(f.b + f.l4 + 8, 0, f.len - f.l4 - 8);
		plx_put_be16(f.b + f.l4 + 2, 0);
		plx_put_be16(f.b + f.l4 + 4, 8);
		plx_wire_l4_cksum_fill(&a, &b, PLX_IPPROTO_UDP, f.b + f.l4, f.len - f.l4);
		ok(rewrite(&f));
		ok(parse(&ip, &f));
		ok(l4_ok(&ip, &f));
		ok(f.b[f.l4 + 6] || f.b[f.l4 + 7]);
		ffff += f.b[f.l4 + 6] == 0xff && f.b[f.l4 + 7] == 0xff;
	}
	ok(ffff);
}

/* Only the first fragment has a checksum of the transport's. */
T(fragments)
{
	struct plx_addr a = addr("10.0.0.1"), b = addr("10.0.0.2");
	struct plx_rng rng;
	struct plx_ip ip;
	struct frame f, was;

	plx_rng_init(&rng, 1);
	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	datagram(&f, &rng, &a, &b, &l4s[1]);
	plx_put_be16(f.b + f.l3 + 6, 0x2000); /* more follow */
	ip4_mend(f.b + f.l3);
	ok(rewrite(&f));
	ok(parse(&ip, &f));
	ok(l4_ok(&ip, &f));
	datagram(&f, &rng, &a, &b, &l4s[1]);
	plx_put_be16(f.b + f.l3 + 6, 0x2001);
	ip4_mend(f.b + f.l3);
	was = f;
	ok(rewrite(&f));
	ok(parse(&ip, &f));
	addr_eq(ip.src, "10.77.0.1");
	addr_eq(ip.dst, "10.77.0.2");
	mem_eq(f.b + f.l4, was.b + f.l4, f.len - f.l4);
}

/* IPv6 with extension headers, in hex; then UDP. */
static void chain(struct frame *f, uint8_t first, const char *ext)
{
	struct plx_addr a = addr("2001:db8::1"), b = addr("2001:db8::2");
	struct pkt k = hex(ext);
	struct plx_ip ip = {
		.src = a, .dst = b, .l4_bytes = (uint16_t)(k.len + 16), .proto = first, .ttl = 64};

	ethernet(f, PLX_ETHERTYPE_IP6, "");
	f->len += plx_wire_ip6_emit(f->b + f->l3, &ip);
	put(f, k.b, k.len);
	f->l4 = f->len;
	put_hex(f, "0400 0007 0010 0000 6162636465666768");
	plx_wire_l4_cksum_fill(&a, &b, PLX_IPPROTO_UDP, f->b + f->l4, 16);
}

/* Is the datagram's checksum right for these addresses, wherever they stand? */
static void sum_is_for(const struct frame *f, const char *src, const char *dst)
{
	struct plx_ip ip = {
		.src = addr(src), .dst = addr(dst), .proto = PLX_IPPROTO_UDP, .l4_bytes = 16};

	ok(plx_wire_l4_cksum_ok(&ip, f->b + f->l4, 16));
}

T(extension_headers)
{
	static const char *const ext[] = {"11 00 0104 00000000", /* to the hop */
		"2c 00 0104 00000000 3c 00 0001 00000009 11 01 010c 00000000 00000000 00000000",
		"11 04 0000 00000000 00000000 00000000 00000000 00000000"};
	static const uint8_t first[] = {PLX_IPPROTO_HOPOPTS, PLX_IPPROTO_HOPOPTS, PLX_IPPROTO_AH};
	struct frame f;

	maps("2001:db8::/64=fd00:9::/64", NULL);
	for (size_t i = 0; i < PLX_DIM(ext); i++) {
		chain(&f, first[i], ext[i]);
		ok(rewrite(&f));
		sum_is_for(&f, "fd00:9::1", "fd00:9::2");
	}
	/* a later fragment: nothing of the transport's is there */
	chain(&f, PLX_IPPROTO_FRAGMENT, "11 00 0008 00000009");
	ok(rewrite(&f));
	sum_is_for(&f, "2001:db8::1", "2001:db8::2");
	/* on its way by a route: the checksum is about the last address of it */
	chain(&f, PLX_IPPROTO_ROUTING, "11 02 02 01 00000000 20010db8000000010000000000000001");
	ok(rewrite(&f));
	sum_is_for(&f, "fd00:9::1", "2001:db8::2");
	chain(&f, PLX_IPPROTO_ROUTING, "11 02 02 00 00000000 20010db8000000010000000000000001");
	ok(rewrite(&f));
	sum_is_for(&f, "fd00:9::1", "fd00:9::2");
	/* a header that is longer than the packet; one that hides what follows */
	chain(&f, PLX_IPPROTO_HOPOPTS, "11 ff 0104 00000000");
	ok(rewrite(&f));
	sum_is_for(&f, "2001:db8::1", "2001:db8::2");
	chain(&f, PLX_IPPROTO_ESP, "11 00 0104 00000000");
	ok(rewrite(&f));
	sum_is_for(&f, "2001:db8::1", "2001:db8::2");
}

T(tags_are_passed_over)
{
	static const char *const tags[] = {
		"8100 0007", "88a8 0007 8100 0008", "9100 0007 9100 0008 8100 0001"};
	struct plx_addr a = addr("10.0.0.1"), b = addr("10.0.0.2");
	struct plx_rng rng;
	struct frame plain, f;

	plx_rng_init(&rng, 1);
	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	for (size_t i = 0; i < PLX_DIM(tags); i++) {
		datagram(&plain, &rng, &a, &b, &l4s[0]);
		ethernet(&f, PLX_ETHERTYPE_IP4, tags[i]);
		put(&f, plain.b + plain.l3, plain.len - plain.l3);
		ok(rewrite(&f));
		ok(rewrite(&plain));
		eq(f.len - f.l3, plain.len - plain.l3);
		mem_eq(f.b + f.l3, plain.b + plain.l3, f.len - f.l3);
	}
}

T(options_and_padding)
{
	struct frame f;
	struct plx_ip ip;
	struct plx_addr a = addr("10.0.0.1"), b = addr("10.0.0.2");

	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	ethernet(&f, PLX_ETHERTYPE_IP4, "");
	put_hex(&f, "46000020 00010000 40110000 0a000001 0a000002 01010101 04000007 00080000");
	ip4_mend(f.b + f.l3);
	f.l4 = f.l3 + 24;
	plx_wire_l4_cksum_fill(&a, &b, PLX_IPPROTO_UDP, f.b + f.l4, 8);
	put_hex(&f, "ffffffff ffffffff ffffffff");
	ok(rewrite(&f));
	ok(parse(&ip, &f));
	ok(l4_ok(&ip, &f));
	mem_eq(f.b + f.l4 + 8, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	/* a length that ends before the checksum: padding is no checksum */
	ethernet(&f, PLX_ETHERTYPE_IP4, "");
	put_hex(&f, "45000018 00010000 40110000 0a000001 0a000002 04000007 00081234");
	ip4_mend(f.b + f.l3);
	ok(rewrite(&f));
	mem_eq(f.b + f.l3 + 26, "\x12\x34", 2);
}

T(arp)
{
	static const char request[] = "0001 0800 06 04 0001 020000000002 0a000001 "
				      "000000000000 0a000002 ffffffff";
	struct frame f;

	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	ethernet(&f, PLX_ETHERTYPE_ARP, "8100 0001");
	put_hex(&f, request);
	ok(rewrite(&f));
	mem_eq(f.b + f.l3 + 14, "\x0a\x4d\0\1", 4);
	mem_eq(f.b + f.l3 + 24, "\x0a\x4d\0\2\xff\xff\xff\xff", 8);
	mem_eq(f.b + f.l3 + 8, "\2\0\0\0\0\2", 6);
	/* its MACs, where they are the frame's */
	rw = (struct replay_rewrite){
		.src = {mac("02:aa:00:00:00:01"), true}, .dst = {mac("02:bb:00:00:00:01"), true}};
	ethernet(&f, PLX_ETHERTYPE_ARP, "");
	put_hex(&f, request);
	ok(rewrite(&f));
	mem_eq(f.b, "\2\xbb\0\0\0\1\2\xaa\0\0\0\1", 12);
	mem_eq(f.b + f.l3 + 8, "\2\xaa\0\0\0\1", 6);
	mem_eq(f.b + f.l3 + 18, "\0\0\0\0\0\0", 6);
	/* of another link, or another protocol */
	maps("10.0.0.0/16=10.77.0.0/16", NULL);
	ethernet(&f, PLX_ETHERTYPE_ARP, "");
	put_hex(&f, "0001 0800 08 04 0001 020000000002 0a000001 000000000000 0a000002 ffff");
	ok(!rewrite(&f));
	ethernet(&f, PLX_ETHERTYPE_ARP, "");
	put_hex(&f, "0001 86dd 06 04 0001 020000000002 0a000001 000000000000 0a000002");
	ok(!rewrite(&f));
}

T(neighbour_discovery)
{
	struct plx_addr a = addr("fe80::1"), b = addr("fe80::2");
	struct plx_ip ip = {.src = a, .dst = b, .proto = PLX_IPPROTO_ICMP6, .ttl = 255};
	struct frame f;

	maps("2001:db8::/32=2001:db9::/32", NULL);
	for (uint8_t type = 133; type <= 137; type++) {
		uint32_t n = type == 137 ? 40 : 24;
		bool has_target = type >= 135;

		ethernet(&f, PLX_ETHERTYPE_IP6, "");
		ip.l4_bytes = (uint16_t)n;
		f.len += plx_wire_ip6_emit(f.b + f.l3, &ip);
		f.l4 = f.len;
		put_hex(&f, "ff000000 00000000 20010db8 00000000 00000000 00000005");
		f.b[f.l4] = type;
		if (type == 137)
			put_hex(&f, "20010db8 00000000 00000000 00000006");
		plx_wire_l4_cksum_fill(&a, &b, PLX_IPPROTO_ICMP6, f.b + f.l4, n);
		eq(rewrite(&f), has_target);
		ok(plx_wire_l4_cksum_ok(&ip, f.b + f.l4, n));
		eq(f.b[f.l4 + 11], has_target ? 0xb9 : 0xb8);
		if (type == 137)
			eq(f.b[f.l4 + 27], 0xb9);
	}
}

T(macs_alone)
{
	struct frame f;

	rw = (struct replay_rewrite){.src = {mac("02:aa:00:00:00:01"), true}};
	ethernet(&f, 0x88cc, "");
	put_hex(&f, "0011");
	ok(rewrite(&f));
	mem_eq(f.b, "\2\0\0\0\0\1\2\xaa\0\0\0\1\x88\xcc\0\x11", 16);
	ok(!rewrite(&f));
	rw = (struct replay_rewrite){0};
	ok(!rewrite(&f));
}

T(bare_ip)
{
	struct plx_addr a = addr("10.0.0.1"), b = addr("10.0.0.2");
	struct plx_addr a6 = addr("2001:db8::1"), b6 = addr("2001:db8::2");
	struct plx_rng rng;
	struct plx_ip ip;
	struct frame f;

	plx_rng_init(&rng, 1);
	maps("10.0.0.0/16=10.77.0.0/16", "2001:db8::/32=2001:db9::/32", NULL);
	datagram(&f, &rng, &a, &b, &l4s[0]);
	ok(replay_rewrite(&rw, f.b + f.l3, f.len - f.l3, false));
	ok(parse(&ip, &f) && l4_ok(&ip, &f));
	addr_eq(ip.dst, "10.77.0.2");
	datagram(&f, &rng, &a6, &b6, &l4s[0]);
	ok(replay_rewrite(&rw, f.b + f.l3, f.len - f.l3, false));
	ok(parse(&ip, &f) && l4_ok(&ip, &f));
	addr_eq(ip.dst, "2001:db9::2");
	ok(!replay_rewrite(&rw, f.b, 0, false));
	memset(f.b, 0x55, sizeof(f.b));
	ok(!replay_rewrite(&rw, f.b, sizeof(f.b), false));
}

/* What is left of a frame is as it is in the whole one, but for a checksum that is not there. */
T(cut_off_anywhere)
{
	struct plx_addr a[2] = {addr("10.0.0.1"), addr("2001:db8::1")};
	struct plx_addr b[2] = {addr("10.0.0.2"), addr("2001:db8::2")};
	struct plx_rng rng;

	plx_rng_init(&rng, 1);
	maps("10.0.0.0/16=10.77.0.0/16", "2001:db8::/32=2001:db9::/32", NULL);
	rw.src = (struct opt_mac){mac("02:aa:00:00:00:01"), true};
	for (int v = 0; v < 2; v++) {
		struct frame whole, was;

		datagram(&whole, &rng, &a[v], &b[v], &l4s[0]);
		was = whole;
		ok(rewrite(&whole));
		for (uint32_t n = 0; n < whole.len; n++) {
			struct frame f = was;
			bool all = n >= f.l4 && (n >= f.l4 + 18 || n < f.l4 + 16);

			f.len = n;
			eq(rewrite(&f), n >= 14);
			if (all)
				mem_eq(f.b, whole.b, n);
			else if (n < f.l4) /* no IP header that is whole */
				mem_eq(f.b + 14, was.b + 14, n > 14 ? n - 14 : 0);
		}
	}
}

/* Nothing that comes is more than bytes. */
T(noise)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(2));
	maps("0.0.0.0/1=128.0.0.0/1", "128.0.0.0/1=0.0.0.0/1", "::/1=8000::/1", "8000::/1=::/1",
		NULL);
	for (int i = 0; i < 50000; i++) {
		static const uint16_t types[] = {
			PLX_ETHERTYPE_IP4, PLX_ETHERTYPE_IP6, PLX_ETHERTYPE_ARP, 0x8100};
		uint32_t n = (uint32_t)plx_rng_below(&rng, 120);
		struct frame f;

		ethernet(&f, types[plx_rng_below(&rng, 4)], "");
		payload(&f, &rng, n);
		if (plx_rng_below(&rng, 4))
			f.b[f.l3] = plx_rng_below(&rng, 2) ? 0x45 : 0x60;
		if (plx_rng_below(&rng, 2))
			f.b[f.l3 + 6] = (uint8_t)(uint8_t[]){0, 43, 44, 60}[plx_rng_below(&rng, 4)];
		rewrite(&f);
	}
}

RUN(T_(prefixes_of_each_length), T_(the_first_map_that_matches), T_(families_do_not_mix),
	T_(maps_in_words), T_(checksums_against_recomputed_ones), T_(udp_without_a_checksum),
	T_(fragments), T_(extension_headers), T_(tags_are_passed_over), T_(options_and_padding),
	T_(arp), T_(neighbour_discovery), T_(macs_alone), T_(bare_ip), T_(cut_off_anywhere),
	T_(noise))
