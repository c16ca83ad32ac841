/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Frames as text, both ways, so that tests read as conversations:
 *
 *   arp who-has 10.0.0.2 tell 10.0.0.1
 *   arp 10.0.0.2 is-at 02:00:00:00:00:02
 *   ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4
 *   ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 56
 *   ip 10.0.0.2 > 10.0.0.1 icmp unreach 3 quote 32
 *   ip fe80::1 > ff02::1:ff00:2 nd ns 2001:db8::2 slla 02:00:00:00:00:01
 *   ip fe80::1 > 2001:db8::2 nd redirect 2001:db8:9::1 > fe80::3 tlla 02:00:00:00:00:03
 *
 * Between the addresses and the protocol may stand: ttl N, tos N, id N, df, +N (a fragment that
 * more follow, at offset N), @N (the last one); before all: vlan N, to MAC, from MAC. Left out when
 * they are as usual: ttl 64 (255 for nd), tos 0, id, MACs. What is written from a frame has had its
 * checksums and lengths verified. Payloads count up from 0.
 */
#include "t.h"

#include <plx_wire.h>

struct t_frame {
	uint8_t b[70000];
	uint32_t bytes;
};

struct t_words {
	char text[512];
	char *w[64];
	unsigned int n, at;
};

static void t_split(struct t_words *s, const char *text)
{
	s->n = s->at = 0;
	snprintf(s->text, sizeof(s->text), "%s", text);
	for (char *w = strtok(s->text, " "); w; w = strtok(NULL, " ")) {
		ok(s->n < PLX_DIM(s->w) - 1);
		s->w[s->n++] = w;
	}
	s->w[s->n] = NULL;
}

static char *t_next(struct t_words *s)
{
	if (s->at >= s->n)
		fail_msg("a frame's text ends too early");
	return s->w[s->at++];
}

static bool t_is(struct t_words *s, const char *word)
{
	if (s->at >= s->n || strcmp(s->w[s->at], word) != 0)
		return false;
	s->at++;
	return true;
}

static uint32_t t_number(struct t_words *s)
{
	return (uint32_t)strtoul(t_next(s), NULL, 0);
}

static struct plx_addr t_addr(const char *text)
{
	struct plx_addr a = {0};

	if (plx_addr_parse(&a, text) != 0)
		fail_msg("not an address: %s", text);
	return a;
}

static struct plx_mac t_mac(const char *text)
{
	struct plx_mac m = {{0}};

	if (plx_mac_parse(&m, text) != 0)
		fail_msg("not a MAC: %s", text);
	return m;
}

static struct plx_prefix t_prefix(const char *text)
{
	struct plx_prefix p = {0};

	if (plx_prefix_parse(&p, text) != 0)
		fail_msg("not a prefix: %s", text);
	return p;
}

/* ---- text to frame ---- */

static uint32_t t_payload(uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)i;
	return len;
}

static uint32_t t_udp_to(uint8_t *p, struct t_words *s, struct plx_ip *ip)
{
	struct plx_udp udp = {.sport = (uint16_t)t_number(s)};
	uint32_t len;

	t_next(s); /* > */
	udp.dport = (uint16_t)t_number(s);
	t_next(s); /* len */
	len = t_number(s);
	udp.len = (uint16_t)(PLX_UDP_BYTES + len);
	plx_wire_udp_emit(p, &udp);
	t_payload(p + PLX_UDP_BYTES, len);
	ip->proto = PLX_IPPROTO_UDP;
	return PLX_UDP_BYTES + len;
}

static const struct {
	const char *name;
	uint8_t v4, v6;
	bool code;
} t_icmp_names[] = {
	{"echo-request", PLX_ICMP_ECHO_REQUEST, PLX_ICMP6_ECHO_REQUEST, false},
	{"echo-reply", PLX_ICMP_ECHO_REPLY, PLX_ICMP6_ECHO_REPLY, false},
	{"timestamp", PLX_ICMP_TIMESTAMP, 255, false},
	{"timestamp-reply", PLX_ICMP_TIMESTAMP_REPLY, 255, false},
	{"unreach", PLX_ICMP_UNREACH, PLX_ICMP6_UNREACH, true},
	{"quench", PLX_ICMP_SOURCE_QUENCH, 255, true},
	{"time", PLX_ICMP_TIME_EXCEEDED, PLX_ICMP6_TIME_EXCEEDED, true},
	{"param", PLX_ICMP_PARAM_PROBLEM, PLX_ICMP6_PARAM_PROBLEM, true},
	{"too-big", 255, PLX_ICMP6_TOO_BIG, true},
	{"redirect", PLX_ICMP_REDIRECT, PLX_ICMP6_REDIRECT, true},
};

/* icmp TYPE [CODE] [rest N] len N, or quote N: the packet given, or its first N bytes */
static uint32_t t_icmp_to(
	uint8_t *p, struct t_words *s, struct plx_ip *ip, const uint8_t *quote, uint32_t have)
{
	bool v6 = ip->version == 6;
	const char *name = t_next(s);
	struct plx_icmp icmp = {.type = 254};
	uint32_t len;

	for (unsigned int i = 0; i < PLX_DIM(t_icmp_names); i++)
		if (strcmp(name, t_icmp_names[i].name) == 0) {
			icmp.type = v6 ? t_icmp_names[i].v6 : t_icmp_names[i].v4;
			if (t_icmp_names[i].code)
				icmp.code = (uint8_t)t_number(s);
		}
	if (icmp.type == 254)
		icmp.type = (uint8_t)strtoul(name, NULL, 0);
	if (t_is(s, "rest"))
		icmp.rest = t_number(s);
	ip->proto = v6 ? PLX_IPPROTO_ICMP6 : PLX_IPPROTO_ICMP;
	plx_wire_icmp_emit(p, &icmp);
	if (t_is(s, "quote")) {
		len = t_number(s);
		assert_non_null(quote);
		ok(len <= have);
		memcpy(p + PLX_ICMP_BYTES, quote, len);
		return PLX_ICMP_BYTES + len;
	}
	t_next(s); /* len */
	len = t_number(s);
	return PLX_ICMP_BYTES + t_payload(p + PLX_ICMP_BYTES, len);
}

static uint32_t t_nd_to(uint8_t *p, struct t_words *s, struct plx_ip *ip)
{
	const char *what = t_next(s);
	struct plx_nd nd = {.type = !strcmp(what, "ns")		? PLX_ICMP6_NS
				    : !strcmp(what, "na")	? PLX_ICMP6_NA
				    : !strcmp(what, "ra")	? PLX_ICMP6_RA
				    : !strcmp(what, "redirect") ? PLX_ICMP6_REDIRECT
								: PLX_ICMP6_RS};

	if (nd.type == PLX_ICMP6_NS || nd.type == PLX_ICMP6_NA)
		nd.target = t_addr(t_next(s));
	if (nd.type == PLX_ICMP6_REDIRECT) {
		nd.dst = t_addr(t_next(s));
		t_next(s); /* > */
		nd.target = t_addr(t_next(s));
	}
	while (s->at < s->n) {
		if (t_is(s, "slla")) {
			nd.has_slla = true;
			nd.slla = t_mac(t_next(s));
		} else if (t_is(s, "tlla")) {
			nd.has_tlla = true;
			nd.tlla = t_mac(t_next(s));
		} else if (t_is(s, "solicited")) {
			nd.solicited = true;
		} else if (t_is(s, "override")) {
			nd.override = true;
		} else if (t_is(s, "router")) {
			nd.router = true;
		} else if (t_is(s, "lifetime")) {
			nd.lifetime_s = (uint16_t)t_number(s);
		} else if (t_is(s, "mtu")) {
			nd.mtu = t_number(s);
		} else if (t_is(s, "preferred")) {
			nd.prefix[nd.n_prefix - 1].preferred_s = t_number(s);
		} else if (t_is(s, "prefix")) {
			nd.prefix[nd.n_prefix++] = (struct plx_nd_prefix){
				.prefix = t_prefix(t_next(s)),
				.on_link = true,
				.autonomous = true,
				.valid_s = 3600,
				.preferred_s = 1800,
			};
		} else {
			fail_msg("nd: %s?", t_next(s));
		}
	}
	ip->proto = PLX_IPPROTO_ICMP6;
	ip->ttl = PLX_ND_HOP_LIMIT;
	return plx_wire_nd_emit(p, &nd);
}

/* @param quote an IP packet for "quote N", or NULL. @return bytes. */
static uint32_t t_ip_to(uint8_t *p, struct t_words *s, const uint8_t *quote, uint32_t have)
{
	struct plx_ip ip = {.ttl = 64};
	uint32_t ttl = 0, hdr;
	uint8_t *l4;

	ip.src = t_addr(t_next(s));
	t_next(s); /* > */
	ip.dst = t_addr(t_next(s));
	ip.version = plx_addr_is_v4(&ip.dst) ? 4 : 6;
	hdr = ip.version == 4 ? PLX_IP4_BYTES : PLX_IP6_BYTES;
	l4 = p + hdr;
	for (;;) {
		if (t_is(s, "ttl"))
			ttl = t_number(s);
		else if (t_is(s, "tos"))
			ip.tos = (uint8_t)t_number(s);
		else if (t_is(s, "id"))
			ip.id = t_number(s);
		else if (t_is(s, "df"))
			ip.df = true;
		else
			break;
	}
	if (t_is(s, "udp"))
		ip.l4_bytes = (uint16_t)t_udp_to(l4, s, &ip);
	else if (t_is(s, "icmp"))
		ip.l4_bytes = (uint16_t)t_icmp_to(l4, s, &ip, quote, have);
	else if (t_is(s, "nd"))
		ip.l4_bytes = (uint16_t)t_nd_to(l4, s, &ip);
	else if (t_is(s, "proto")) {
		ip.proto = (uint8_t)t_number(s);
		t_next(s); /* len */
		ip.l4_bytes = (uint16_t)t_payload(l4, t_number(s));
	} else
		fail_msg("ip: %s?", t_next(s));
	if (ttl)
		ip.ttl = (uint8_t)ttl;
	if (ip.proto == PLX_IPPROTO_UDP || ip.proto == PLX_IPPROTO_ICMP ||
		ip.proto == PLX_IPPROTO_ICMP6)
		plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, l4, ip.l4_bytes);
	if (ip.version == 4)
		plx_wire_ip4_emit(p, &ip);
	else
		plx_wire_ip6_emit(p, &ip);
	return hdr + ip.l4_bytes;
}

static uint32_t t_arp_to(uint8_t *p, struct t_words *s, const struct plx_mac *from)
{
	struct plx_arp arp = {.sha = *from};

	if (t_is(s, "who-has")) {
		arp.op = PLX_ARP_REQUEST;
		arp.tpa = t_addr(t_next(s));
		t_next(s); /* tell */
		arp.spa = t_addr(t_next(s));
	} else {
		arp.op = PLX_ARP_REPLY;
		arp.spa = t_addr(t_next(s));
		t_next(s); /* is-at */
		arp.sha = t_mac(t_next(s));
		arp.tpa = t_is(s, "tell") ? t_addr(t_next(s)) : arp.spa;
	}
	return plx_wire_arp_emit(p, &arp);
}

/* Where a frame of this text goes when it does not say. */
static struct plx_mac t_default_dst(const struct t_words *s, const struct plx_mac *us)
{
	static const struct plx_mac ones = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct plx_addr dst;

	if (strcmp(s->w[s->at], "arp") == 0)
		return strcmp(s->w[s->at + 1], "who-has") == 0 ? ones : *us;
	if (strcmp(s->w[s->at], "ip") != 0)
		return *us;
	dst = t_addr(s->w[s->at + 3]);
	if (plx_addr_is_mcast(&dst))
		return plx_wire_group_mac(&dst);
	return strcmp(s->w[s->at + 3], "255.255.255.255") == 0 ? ones : *us;
}

/** Make the frame that text tells of, from peer to us. @param quote what "quote" quotes. */
static void t_frame_of(struct t_frame *f, const char *text, const struct plx_mac *peer,
	const struct plx_mac *us, const uint8_t *quote, uint32_t have)
{
	struct plx_eth eth = {.src = *peer};
	struct t_words s;
	bool to = false;
	uint32_t at;

	t_split(&s, text);
	for (;;) {
		if (t_is(&s, "vlan")) {
			eth.vlan[eth.n_vlan++] = (uint16_t)t_number(&s);
		} else if (t_is(&s, "to")) {
			eth.dst = t_mac(t_next(&s));
			to = true;
		} else if (t_is(&s, "from")) {
			eth.src = t_mac(t_next(&s));
		} else {
			break;
		}
	}
	if (!to)
		eth.dst = t_default_dst(&s, us);
	at = PLX_ETH_BYTES + 4u * eth.n_vlan;
	if (t_is(&s, "arp")) {
		eth.type = PLX_ETHERTYPE_ARP;
		f->bytes = at + t_arp_to(f->b + at, &s, &eth.src);
	} else if (t_is(&s, "ip")) {
		f->bytes = at + t_ip_to(f->b + at, &s, quote, have);
		eth.type = f->b[at] >> 4 == 4 ? PLX_ETHERTYPE_IP4 : PLX_ETHERTYPE_IP6;
	} else if (t_is(&s, "ethertype")) {
		eth.type = (uint16_t)t_number(&s);
		f->bytes = at + t_payload(f->b + at, 46);
	} else {
		fail_msg("%s?", t_next(&s));
	}
	plx_wire_eth_emit(f->b, &eth);
}

/* ---- frame to text ---- */

struct t_text {
	char s[1024];
	size_t n;
};

PLX_PRINTF(2, 3) static void t_put(struct t_text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->n += (size_t)vsnprintf(t->s + t->n, sizeof(t->s) - t->n, format, ap);
	va_end(ap);
	ok(t->n < sizeof(t->s));
}

static void t_put_addr(struct t_text *t, const struct plx_addr *a)
{
	char s[PLX_ADDR_STRLEN];

	t_put(t, "%s", plx_addr_format(a, s));
}

static void t_put_mac(struct t_text *t, const struct plx_mac *m)
{
	char s[PLX_MAC_STRLEN];

	t_put(t, "%s", plx_mac_format(m, s));
}

static void t_nd_from(struct t_text *t, const struct plx_ip *ip, const uint8_t *p)
{
	static const char *const name[] = {"rs", "ra", "ns", "na", "redirect"};
	struct plx_nd nd;

	eq(plx_wire_nd_parse(&nd, ip, p, ip->l4_bytes), PLX_DROP_NONE);
	t_put(t, " nd %s", name[nd.type - PLX_ICMP6_RS]);
	if (nd.type == PLX_ICMP6_NS || nd.type == PLX_ICMP6_NA) {
		t_put(t, " ");
		t_put_addr(t, &nd.target);
	}
	if (nd.type == PLX_ICMP6_REDIRECT) {
		t_put(t, " ");
		t_put_addr(t, &nd.dst);
		t_put(t, " > ");
		t_put_addr(t, &nd.target);
	}
	if (nd.router)
		t_put(t, " router");
	if (nd.solicited)
		t_put(t, " solicited");
	if (nd.override)
		t_put(t, " override");
	if (nd.has_slla) {
		t_put(t, " slla ");
		t_put_mac(t, &nd.slla);
	}
	if (nd.has_tlla) {
		t_put(t, " tlla ");
		t_put_mac(t, &nd.tlla);
	}
}

static void t_icmp_from(struct t_text *t, const struct plx_ip *ip, const uint8_t *p)
{
	bool v6 = ip->version == 6;
	struct plx_icmp icmp = {0};

	ok(plx_wire_l4_cksum_ok(ip, p, ip->l4_bytes));
	eq(plx_wire_icmp_parse(&icmp, p, ip->l4_bytes), PLX_DROP_NONE);
	if (v6 && icmp.type >= PLX_ICMP6_RS && icmp.type <= PLX_ICMP6_REDIRECT) {
		t_nd_from(t, ip, p);
		return;
	}
	if (v6 && icmp.type == PLX_ICMP6_MLD2_REPORT) {
		t_put(t, " mld2");
		for (uint32_t n = icmp.rest & 0xffff, at = PLX_ICMP_BYTES; n; n--, at += 20) {
			struct plx_addr g = plx_addr_from_v6(p + at + 4);

			t_put(t, " %u:", p[at]);
			t_put_addr(t, &g);
		}
		return;
	}
	t_put(t, " icmp ");
	for (unsigned int i = 0; i < PLX_DIM(t_icmp_names); i++)
		if (icmp.type == (v6 ? t_icmp_names[i].v6 : t_icmp_names[i].v4)) {
			t_put(t, "%s", t_icmp_names[i].name);
			if (!t_icmp_names[i].code) {
				t_put(t, " len %u", ip->l4_bytes - PLX_ICMP_BYTES);
				return;
			}
			t_put(t, " %u", icmp.code);
			if (icmp.rest)
				t_put(t, " rest %u", icmp.rest);
			t_put(t, " quote %u", ip->l4_bytes - PLX_ICMP_BYTES);
			return;
		}
	t_put(t, "%u", icmp.type);
}

static void t_l4_from(struct t_text *t, const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_udp udp;

	switch (ip->proto) {
	case PLX_IPPROTO_UDP:
		eq(plx_wire_udp_parse(&udp, p, ip->l4_bytes), PLX_DROP_NONE);
		eq(udp.len, ip->l4_bytes);
		eq(plx_wire_udp_check(&udp, ip, p), PLX_DROP_NONE);
		t_put(t, " udp %u > %u len %u", udp.sport, udp.dport, udp.len - PLX_UDP_BYTES);
		break;
	case PLX_IPPROTO_ICMP:
	case PLX_IPPROTO_ICMP6:
		t_icmp_from(t, ip, p);
		break;
	case PLX_IPPROTO_IGMP:
		ok(plx_wire_l4_cksum_ok(ip, p, ip->l4_bytes));
		t_put(t, " igmp");
		break;
	default:
		t_put(t, " proto %u len %u", ip->proto, ip->l4_bytes);
	}
}

static void t_ip_from(struct t_text *t, const uint8_t *p, uint32_t len, struct plx_ip *ip)
{
	bool nd, tail;
	uint8_t code;

	if (p[0] >> 4 == 4)
		eq(plx_wire_ip4_parse(ip, p, len, true), PLX_DROP_NONE);
	else
		eq(plx_wire_ip6_parse(ip, p, len, &code), PLX_DROP_NONE);
	eq(ip->hdr_bytes + ip->l4_bytes, len);
	t_put(t, "ip ");
	t_put_addr(t, &ip->src);
	t_put(t, " > ");
	t_put_addr(t, &ip->dst);
	nd = ip->proto == PLX_IPPROTO_ICMP6 && !ip->is_frag && p[ip->hdr_bytes] >= PLX_ICMP6_RS &&
	     p[ip->hdr_bytes] <= PLX_ICMP6_REDIRECT;
	if (ip->ttl != (nd ? PLX_ND_HOP_LIMIT : 64))
		t_put(t, " ttl %u", ip->ttl);
	if (ip->tos)
		t_put(t, " tos %u", ip->tos);
	if (ip->df)
		t_put(t, " df");
	tail = ip->is_frag;
	if (tail)
		t_put(t, " %s%u proto %u len %u", ip->mf ? "+" : "@", ip->frag_off, ip->proto,
			ip->l4_bytes);
	else
		t_l4_from(t, ip, p + ip->hdr_bytes);
}

/** The text of a frame that us sent; peer is whom unicast should go to. */
static const char *t_text_of(struct t_text *t, const uint8_t *f, uint32_t len,
	const struct plx_mac *us, const struct plx_mac *peer)
{
	struct plx_mac expected = *peer;
	struct plx_eth eth;
	struct plx_ip ip;

	t->n = 0;
	t->s[0] = '\0';
	eq(plx_wire_eth_parse(&eth, f, len), PLX_DROP_NONE);
	mem_eq(&eth.src, us, 6);
	for (unsigned int i = 0; i < eth.n_vlan; i++)
		t_put(t, "vlan %u ", eth.vlan[i]);
	if (eth.type == PLX_ETHERTYPE_ARP) {
		struct plx_arp arp;

		eq(plx_wire_arp_parse(&arp, f + eth.hdr_bytes, len - eth.hdr_bytes), PLX_DROP_NONE);
		mem_eq(&arp.sha, us, 6);
		if (arp.op == PLX_ARP_REQUEST) {
			t_put(t, "arp who-has ");
			t_put_addr(t, &arp.tpa);
			t_put(t, " tell ");
			t_put_addr(t, &arp.spa);
			memset(&expected, 0xff, 6);
		} else {
			t_put(t, "arp ");
			t_put_addr(t, &arp.spa);
			t_put(t, " is-at ");
			t_put_mac(t, &arp.sha);
		}
	} else {
		t_ip_from(t, f + eth.hdr_bytes, len - eth.hdr_bytes, &ip);
		if (plx_addr_is_mcast(&ip.dst))
			expected = plx_wire_group_mac(&ip.dst);
	}
	if (!plx_mac_eq(&eth.dst, &expected)) {
		t_put(t, " to ");
		t_put_mac(t, &eth.dst);
	}
	return t->s;
}
