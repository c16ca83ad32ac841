/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <stdio.h>

#include <plx_wire.h>

/*
 * A frame may have been cut off anywhere when it was captured, so nothing here is parsed as a host
 * would: each field is touched if its bytes are there. Checksums are never computed, since what
 * they are about may be missing.
 */

#define ETHERTYPE_OLD_QINQ 0x9100
#define PROTO_DCCP	   33
#define PROTO_MOBILITY	   135 /* these three have the form of destination options */
#define PROTO_HIP	   139
#define PROTO_SHIM6	   140
#define PROTO_UDPLITE	   136
#define ND_SOLICIT	   135
#define ND_ADVERT	   136
#define ND_REDIRECT	   137

/** Bytes that are there. */
struct span {
	uint8_t *p;
	uint32_t len;
};

static struct span behind(struct span s, uint32_t n)
{
	n = PLX_MIN(n, s.len);
	return (struct span){s.p + n, s.len - n};
}

/* --- prefixes -------------------------------------------------------------------------------- */

static bool is_v4(const struct plx_prefix *p)
{
	return p->len >= 96 && plx_addr_is_v4(&p->addr);
}

const char *replay_map_parse(struct replay_map *m, const char *text)
{
	char from[PLX_PREFIX_STRLEN];
	const char *to = strchr(text, '=');
	struct replay_map r;

	if (!to || (size_t)(to - text) >= sizeof(from))
		return "form: 10.0.0.0/8=10.9.0.0/8";
	snprintf(from, sizeof(from), "%.*s", (int)(to - text), text);
	if (plx_prefix_parse(&r.from, from) != 0 || plx_prefix_parse(&r.to, to + 1) != 0)
		return "form: 10.0.0.0/8=10.9.0.0/8";
	if (is_v4(&r.from) != is_v4(&r.to))
		return "both prefixes must be of IPv4, or both of IPv6";
	if (r.from.len != r.to.len)
		return "both prefixes must have the same length";
	*m = r;
	return NULL;
}

/* @return the map for an address, or NULL. */
static const struct replay_map *map_of(
	const struct replay_rewrite *r, const struct plx_addr *a, bool v4)
{
	for (uint32_t i = 0; i < r->n_maps; i++)
		if (is_v4(&r->map[i].from) == v4 && plx_prefix_contains(&r->map[i].from, a))
			return &r->map[i];
	return NULL;
}

/* The first len bits of the other prefix, the rest of a. */
static void put_prefix(struct plx_addr *a, const struct plx_prefix *to)
{
	uint32_t whole = to->len / 8;
	uint8_t mask = (uint8_t) ~(0xff >> to->len % 8);

	memcpy(a->b, to->addr.b, whole);
	if (mask)
		a->b[whole] = (uint8_t)((a->b[whole] & ~mask) | (to->addr.b[whole] & mask));
}

/* The address of n bytes, 4 or 16, at p. @return is it another one now? */
static bool map_addr(const struct replay_rewrite *r, uint8_t *p, uint32_t n)
{
	struct plx_addr a = n == 4 ? plx_addr_from_v4(p) : plx_addr_from_v6(p);
	const struct replay_map *m = map_of(r, &a, n == 4);
	struct plx_addr was = a;

	if (!m)
		return false;
	put_prefix(&a, &m->to);
	memcpy(p, a.b + sizeof(a) - n, n);
	return !plx_addr_eq(&a, &was);
}

/* --- checksums ------------------------------------------------------------------------------- */

/* What was at `was` is now at `now`: n bytes, a multiple of 4. */
static void adjust(uint8_t *field, const uint8_t *was, const uint8_t *now, uint32_t n)
{
	uint16_t check;

	memcpy(&check, field, sizeof(check));
	for (uint32_t i = 0; i < n; i += 4) {
		uint32_t a, b;

		memcpy(&a, was + i, sizeof(a));
		memcpy(&b, now + i, sizeof(b));
		if (a != b)
			check = plx_cksum_adjust32(check, a, b);
	}
	memcpy(field, &check, sizeof(check));
}

/** The checksum of a transport header, which the addresses are part of. */
struct check {
	uint8_t *field; /* NULL: there is none */
	bool udp;
};

static void mend(const struct check *c, const uint8_t *was, const uint8_t *now, uint32_t n)
{
	uint16_t check;

	if (!c->field)
		return;
	memcpy(&check, c->field, sizeof(check));
	if (c->udp && check == 0) /* the sender wanted none */
		return;
	adjust(c->field, was, now, n);
	memcpy(&check, c->field, sizeof(check));
	if (c->udp && check == 0)
		memset(c->field, 0xff, sizeof(check));
}

static struct check check_at(struct span l4, uint8_t proto, bool v6)
{
	struct check c = {.udp = proto == PLX_IPPROTO_UDP || proto == PROTO_UDPLITE};
	uint32_t at;

	switch (proto) {
	case PLX_IPPROTO_TCP:
		at = 16;
		break;
	case PLX_IPPROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_DCCP:
		at = 6;
		break;
	case PLX_IPPROTO_ICMP6:
		at = 2;
		break;
	default:
		return c;
	}
	if (l4.len >= at + 2 && (v6 || proto != PLX_IPPROTO_ICMP6))
		c.field = l4.p + at;
	return c;
}

/* --- headers --------------------------------------------------------------------------------- */

static bool rewrite_ip4(const struct replay_rewrite *r, struct span s)
{
	uint8_t was[8];
	uint32_t hdr, total;
	struct check c = {0};
	bool changed;

	if (s.len < PLX_IP4_BYTES || s.p[0] >> 4 != 4)
		return false;
	hdr = (s.p[0] & 0xfu) * 4;
	if (hdr < PLX_IP4_BYTES)
		return false;
	memcpy(was, s.p + 12, sizeof(was));
	changed = map_addr(r, s.p + 12, 4);
	changed |= map_addr(r, s.p + 16, 4);
	if (!changed)
		return false;
	adjust(s.p + 10, was, s.p + 12, sizeof(was));
	total = plx_get_be16(s.p + 2);
	if (total) /* 0: more than fits, as a device was to cut it */
		s.len = PLX_MIN(s.len, total);
	if ((plx_get_be16(s.p + 6) & 0x1fff) == 0)
		c = check_at(behind(s, hdr), s.p[9], false);
	mend(&c, was, s.p + 12, sizeof(was));
	return true;
}

/** What stands behind an IPv6 header and its extension headers. */
struct upper {
	struct span s; /* len 0: nothing that was captured, or not the begin of it */
	uint8_t proto;
	bool routed; /* on its way: the checksum is about the last address of the route */
};

/* @return bytes of an extension header, 0: it is none, or is not all there. */
static uint32_t ext_bytes(uint8_t proto, struct span s)
{
	uint32_t n;

	if (s.len < 8)
		return 0;
	switch (proto) {
	case PLX_IPPROTO_HOPOPTS:
	case PLX_IPPROTO_DSTOPTS:
	case PLX_IPPROTO_ROUTING:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		n = (s.p[1] + 1u) * 8;
		break;
	case PLX_IPPROTO_FRAGMENT:
		n = PLX_IP6_FRAG_BYTES;
		break;
	case PLX_IPPROTO_AH:
		n = (s.p[1] + 2u) * 4;
		break;
	default:
		return 0;
	}
	return n <= s.len ? n : 0;
}

static struct upper upper_of(struct span s)
{
	struct upper u = {.s = behind(s, PLX_IP6_BYTES), .proto = s.p[6]};
	uint32_t n;

	while ((n = ext_bytes(u.proto, u.s)) != 0) {
		if (u.proto == PLX_IPPROTO_ROUTING && u.s.p[3])
			u.routed = true;
		if (u.proto == PLX_IPPROTO_FRAGMENT && plx_get_be16(u.s.p + 2) & 0xfff8) {
			u.s.len = 0;
			return u;
		}
		u.proto = u.s.p[0];
		u.s = behind(u.s, n);
	}
	return u;
}

static bool rewrite_target(
	const struct replay_rewrite *r, const struct check *c, struct span s, uint32_t at)
{
	uint8_t was[16];

	if (s.len < at + sizeof(was))
		return false;
	memcpy(was, s.p + at, sizeof(was));
	if (!map_addr(r, s.p + at, sizeof(was)))
		return false;
	mend(c, was, s.p + at, sizeof(was));
	return true;
}

/* What neighbour discovery says of addresses (RFC 4861 4.3, 4.4, 4.5). */
static bool rewrite_nd(const struct replay_rewrite *r, const struct upper *u, const struct check *c)
{
	uint8_t type = u->s.len ? u->s.p[0] : 0;
	bool changed = false;

	if (u->proto != PLX_IPPROTO_ICMP6)
		return false;
	if (type == ND_SOLICIT || type == ND_ADVERT || type == ND_REDIRECT)
		changed = rewrite_target(r, c, u->s, 8);
	if (type == ND_REDIRECT)
		changed |= rewrite_target(r, c, u->s, 24);
	return changed;
}

static bool rewrite_ip6(const struct replay_rewrite *r, struct span s)
{
	uint8_t was[32];
	uint32_t payload;
	struct upper u;
	struct check c;
	bool changed;

	if (s.len < PLX_IP6_BYTES || s.p[0] >> 4 != 6)
		return false;
	payload = plx_get_be16(s.p + 4);
	if (payload) /* 0: a jumbogram, or one that a device was to cut */
		s.len = PLX_MIN(s.len, PLX_IP6_BYTES + payload);
	memcpy(was, s.p + 8, sizeof(was));
	changed = map_addr(r, s.p + 8, 16);
	changed |= map_addr(r, s.p + 24, 16);
	u = upper_of(s);
	c = check_at(u.s, u.proto, true);
	mend(&c, was, s.p + 8, u.routed ? 16 : 32);
	return rewrite_nd(r, &u, &c) || changed;
}

/* --- the link -------------------------------------------------------------------------------- */

/** The MACs of a frame, before and after. */
struct macs {
	struct plx_mac dst, src;
};

static bool set_mac(uint8_t *p, const struct plx_mac *mac)
{
	bool same = memcmp(p, mac, sizeof(*mac)) == 0;

	memcpy(p, mac, sizeof(*mac));
	return !same;
}

/* ARP of Ethernet and IPv4. Its MACs follow the frame's where they were the same. */
static bool rewrite_arp(const struct replay_rewrite *r, struct span s, const struct macs *was)
{
	bool changed = false;

	if (s.len < PLX_ARP_BYTES || plx_get_be16(s.p + 2) != PLX_ETHERTYPE_IP4 || s.p[4] != 6 ||
		s.p[5] != 4)
		return false;
	if (r->src.set && memcmp(s.p + 8, &was->src, sizeof(was->src)) == 0)
		changed = set_mac(s.p + 8, &r->src.mac);
	if (r->dst.set && memcmp(s.p + 18, &was->dst, sizeof(was->dst)) == 0)
		changed |= set_mac(s.p + 18, &r->dst.mac);
	changed |= map_addr(r, s.p + 14, 4);
	changed |= map_addr(r, s.p + 24, 4);
	return changed;
}

static bool is_tag(uint16_t type)
{
	return type == PLX_ETHERTYPE_8021Q || type == PLX_ETHERTYPE_8021AD ||
	       type == ETHERTYPE_OLD_QINQ;
}

static bool rewrite_eth(const struct replay_rewrite *r, struct span s)
{
	uint32_t at = PLX_ETH_BYTES;
	bool changed = false;
	struct macs was;
	uint16_t type;

	if (s.len < PLX_ETH_BYTES)
		return false;
	memcpy(&was, s.p, sizeof(was));
	if (r->dst.set)
		changed = set_mac(s.p, &r->dst.mac);
	if (r->src.set)
		changed |= set_mac(s.p + 6, &r->src.mac);
	type = plx_get_be16(s.p + 12);
	for (; is_tag(type) && s.len >= at + 4; at += 4)
		type = plx_get_be16(s.p + at + 2);
	s = behind(s, at);
	if (type == PLX_ETHERTYPE_IP4)
		changed |= rewrite_ip4(r, s);
	else if (type == PLX_ETHERTYPE_IP6)
		changed |= rewrite_ip6(r, s);
	else if (type == PLX_ETHERTYPE_ARP)
		changed |= rewrite_arp(r, s, &was);
	return changed;
}

bool replay_rewrite(const struct replay_rewrite *r, void *frame, uint32_t len, bool eth)
{
	struct span s = {frame, len};

	if (eth)
		return rewrite_eth(r, s);
	return rewrite_ip4(r, s) || rewrite_ip6(r, s);
}
