/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_tuple.h"

#include "plx_wire_eth.h"
#include "plx_wire_ip.h"

#define ETHERTYPE_TEB 0x6558 /* Ethernet within GRE (RFC 7637) */
#define GRE_CKSUM     0x8000
#define GRE_KEY	      0x2000
#define GRE_SEQ	      0x1000
#define GRE_VERSION   0x0007
#define VXLAN_BYTES   8
#define VXLAN_VNI_SET 0x08

/* How far into the packet we got: what the IP headers told. */
struct reach {
	uint32_t at;	   /* offset of the upper layer */
	uint16_t frag_off; /* 0 unless a later fragment */
	bool whole;	   /* false: the packet ends within the headers */
};

static bool reach_ip4(struct plx_tuple *t, struct reach *r, const uint8_t *b, uint32_t len)
{
	uint16_t frag;

	if (len < PLX_IP4_BYTES || (b[0] & 0xf) < 5)
		return false;
	frag = plx_get_be16(b + 6);
	t->src = plx_addr_from_v4(b + 12);
	t->dst = plx_addr_from_v4(b + 16);
	t->proto = b[9];
	t->frag = (frag & 0x3fff) != 0;
	r->at = (b[0] & 0xfu) * 4;
	r->frag_off = frag & 0x1fff;
	r->whole = r->at <= len;
	return true;
}

/* Walk over what may precede the upper layer. Fragments end it: the rest is of one piece only. */
static void walk_ip6(struct plx_tuple *t, struct reach *r, const uint8_t *b, uint32_t len)
{
	for (unsigned int n = 0; n < PLX_IP6_EXT_MAX; n++) {
		uint8_t proto = t->proto;
		uint32_t bytes = 8;

		if (plx_likely(proto != PLX_IPPROTO_HOPOPTS && proto != PLX_IPPROTO_DSTOPTS &&
			       proto != PLX_IPPROTO_ROUTING && proto != PLX_IPPROTO_FRAGMENT))
			break;
		if (len - r->at < 8)
			goto cut;
		if (proto != PLX_IPPROTO_FRAGMENT)
			bytes = (b[r->at + 1] + 1u) * 8;
		if (len - r->at < bytes)
			goto cut;
		t->proto = b[r->at];
		r->at += bytes;
		if (proto == PLX_IPPROTO_FRAGMENT) {
			uint16_t word = plx_get_be16(b + r->at - 6);

			r->frag_off = word >> 3;
			t->frag = (word & 0xfff9) != 0; /* RFC 6946: an atomic one is none */
			if (t->frag)
				break;
		}
	}
	return;
cut:
	r->whole = false;
}

static bool reach_ip6(struct plx_tuple *t, struct reach *r, const uint8_t *b, uint32_t len)
{
	if (len < PLX_IP6_BYTES)
		return false;
	t->src = plx_addr_from_v6(b + 8);
	t->dst = plx_addr_from_v6(b + 24);
	t->proto = b[6];
	t->frag = false;
	*r = (struct reach){.at = PLX_IP6_BYTES, .whole = true};
	walk_ip6(t, r, b, len);
	return true;
}

static bool reach_ip(struct plx_tuple *t, struct reach *r, const uint8_t *b, uint32_t len)
{
	if (plx_unlikely(len == 0))
		return false;
	if (b[0] >> 4 == 4)
		return reach_ip4(t, r, b, len);
	return b[0] >> 4 == 6 && reach_ip6(t, r, b, len);
}

static bool has_ports(uint8_t proto)
{
	return proto == PLX_IPPROTO_TCP || proto == PLX_IPPROTO_UDP || proto == PLX_IPPROTO_SCTP;
}

static void take_ports(struct plx_tuple *t, const uint8_t *l4)
{
	t->sport = plx_get_be16(l4);
	t->dport = plx_get_be16(l4 + 2);
}

bool plx_wire_tuple_l3(struct plx_tuple *t, const void *p, uint32_t len)
{
	const uint8_t *b = p;
	struct reach r;

	t->sport = t->dport = 0;
	if (!reach_ip(t, &r, b, len))
		return false;
	if (!t->frag && r.whole && has_ports(t->proto) && len - r.at >= 4)
		take_ports(t, b + r.at);
	return true;
}

/* The IP packet of a frame. @return its offset, or 0. */
static uint32_t ip_of_frame(const void *frame, uint32_t len)
{
	struct plx_eth eth;

	if (plx_wire_eth_parse(&eth, frame, len) != PLX_DROP_NONE)
		return 0;
	if (eth.type != PLX_ETHERTYPE_IP4 && eth.type != PLX_ETHERTYPE_IP6)
		return 0;
	return eth.hdr_bytes;
}

bool plx_wire_tuple(struct plx_tuple *t, const void *frame, uint32_t len)
{
	uint32_t at = ip_of_frame(frame, len);

	return at && plx_wire_tuple_l3(t, (const uint8_t *)frame + at, len - at);
}

/* What stands in a tunnel: a frame, or an IP packet of a version that the tunnel told. */
static bool inner_frame(struct plx_tuple *t, const uint8_t *b, uint32_t len)
{
	struct plx_tuple in;

	if (!plx_wire_tuple(&in, b, len))
		return false;
	*t = in;
	return true;
}

static bool inner_ip(struct plx_tuple *t, uint8_t version, const uint8_t *b, uint32_t len)
{
	struct plx_tuple in;

	if (len == 0 || b[0] >> 4 != version || !plx_wire_tuple_l3(&in, b, len))
		return false;
	*t = in;
	return true;
}

static bool inner_gre(struct plx_tuple *t, const uint8_t *b, uint32_t len)
{
	uint16_t flags, type;
	uint32_t at = 4;

	if (len < at)
		return false;
	flags = plx_get_be16(b);
	type = plx_get_be16(b + 2);
	at += (flags & GRE_CKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQ ? 4 : 0);
	/* Bit 1 was RFC 1701's routing, whose length is not told here. */
	if (flags & (GRE_VERSION | 0x4000) || len < at)
		return false;
	switch (type) {
	case PLX_ETHERTYPE_IP4:
		return inner_ip(t, 4, b + at, len - at);
	case PLX_ETHERTYPE_IP6:
		return inner_ip(t, 6, b + at, len - at);
	case ETHERTYPE_TEB:
		return inner_frame(t, b + at, len - at);
	default:
		return false;
	}
}

/* @param b the UDP header. */
static bool inner_vxlan(struct plx_tuple *t, const uint8_t *b, uint32_t len)
{
	const uint32_t at = 8 + VXLAN_BYTES;

	if (len < at || plx_get_be16(b + 2) != PLX_VXLAN_PORT || !(b[8] & VXLAN_VNI_SET))
		return false;
	return inner_frame(t, b + at, len - at);
}

bool plx_wire_tuple_inner(struct plx_tuple *t, const void *frame, uint32_t len)
{
	uint32_t l3 = ip_of_frame(frame, len);
	const uint8_t *b = (const uint8_t *)frame + l3;
	struct plx_tuple out;
	struct reach r;

	if (l3 == 0 || !reach_ip(&out, &r, b, len - l3) || !r.whole || out.frag)
		return false;
	b += r.at;
	len -= l3 + r.at;
	switch (out.proto) {
	case PLX_IPPROTO_IPIP:
		return inner_ip(t, 4, b, len);
	case PLX_IPPROTO_IPV6:
		return inner_ip(t, 6, b, len);
	case PLX_IPPROTO_GRE:
		return inner_gre(t, b, len);
	case PLX_IPPROTO_UDP:
		return inner_vxlan(t, b, len);
	default:
		return false;
	}
}

enum plx_drop plx_wire_icmp_quote(
	struct plx_tuple *t, uint32_t *l4_off, const void *p, uint32_t len)
{
	const uint8_t *b = p;
	struct reach r;

	t->sport = t->dport = 0;
	if (!reach_ip(t, &r, b, len) || !r.whole || r.frag_off != 0 || len - r.at < 8)
		return PLX_DROP_ICMP_QUOTE;
	/* A mapped address in an IPv6 header would pass for an IPv4 flow of ours. */
	if (b[0] >> 4 == 6 && (plx_addr_is_v4(&t->src) || plx_addr_is_v4(&t->dst)))
		return PLX_DROP_ICMP_QUOTE;
	if (has_ports(t->proto))
		take_ports(t, b + r.at);
	*l4_off = r.at;
	return PLX_DROP_NONE;
}
