/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_ip.h"

#include "plx_wire_icmp.h"

/* Options (RFC 8200 4.2, RFC 2711). The two high bits of a type say what to do when unknown. */
#define OPT_PAD1 0x00
#define OPT_PADN 0x01
#define OPT_RA	 0x05

#define OPT_ACTION(type) ((type) >> 6)

/*
 * Padding aligns what follows to 8 bytes; more of it, or anything in it, is a covert channel
 * (RFC 4942 2.1.9.5).
 */
#define PAD_MAX 7

/* The walk along the chain; what it finds goes to ip. */
struct walk {
	struct plx_ip *ip;
	const uint8_t *b; /* the packet */
	uint32_t end;	  /* of its payload, as offset in b */
	uint8_t *icmp_code;
	unsigned int n_ext;
};

static enum plx_drop refuse(const struct walk *w, enum plx_drop why, uint8_t code, uint32_t ptr)
{
	*w->icmp_code = code;
	w->ip->err_ptr = (uint16_t)ptr;
	return why;
}

static enum plx_drop refuse_silently(const struct walk *w)
{
	return refuse(w, PLX_DROP_IP6_EXTHDR, PLX_IP6_SILENT, 0);
}

/* RFC 8200 4.2: skip, discard, discard and tell, discard and tell unless it went to a group. */
static enum plx_drop unknown_option(const struct walk *w, uint32_t at)
{
	uint8_t action = OPT_ACTION(w->b[at]);
	bool tell = action == 2 || (action == 3 && !plx_addr_is_mcast(&w->ip->dst));

	if (action == 0)
		return PLX_DROP_NONE;
	return refuse(w, PLX_DROP_IP6_OPTION, tell ? PLX_ICMP6_PARAM_OPTION : PLX_IP6_SILENT, at);
}

static enum plx_drop router_alert(const struct walk *w, uint32_t at)
{
	if (w->b[at + 1] != 2)
		return refuse(w, PLX_DROP_IP6_EXTHDR, PLX_ICMP6_PARAM_FIELD, at + 1);
	w->ip->router_alert = plx_get_be16(w->b + at + 2) == 0;
	return PLX_DROP_NONE;
}

static bool is_zero(const uint8_t *b, uint32_t len)
{
	uint8_t bits = 0;

	for (uint32_t i = 0; i < len; i++)
		bits |= b[i];
	return bits == 0;
}

/* The options from at to end, of a hop-by-hop or a destination options header. */
static enum plx_drop options(const struct walk *w, uint32_t at, uint32_t end, bool hop)
{
	unsigned int n = 0, pad = 0;

	while (at < end) {
		uint8_t type = w->b[at];
		enum plx_drop drop;
		uint32_t len;

		if (type == OPT_PAD1) {
			if (++pad > PAD_MAX)
				return refuse_silently(w);
			at++;
			continue;
		}
		if (end - at < 2 || w->b[at + 1] > end - at - 2)
			return refuse_silently(w);
		len = 2u + w->b[at + 1];
		if (type == OPT_PADN) {
			pad += len;
			if (pad > PAD_MAX || !is_zero(w->b + at + 2, len - 2))
				return refuse_silently(w);
			at += len;
			continue;
		}
		pad = 0;
		if (++n > PLX_IP6_OPTS_MAX)
			return refuse(w, PLX_DROP_IP6_EXTHDR, PLX_ICMP6_PARAM_MANY_OPTS, at);
		drop = hop && type == OPT_RA ? router_alert(w, at) : unknown_option(w, at);
		if (drop != PLX_DROP_NONE)
			return drop;
		at += len;
	}
	return PLX_DROP_NONE;
}

/* RFC 8200 4.4: nothing left to visit, and it is ignored. We are nobody's waypoint. */
static enum plx_drop routing(const struct walk *w, uint32_t at)
{
	uint8_t type = w->b[at + 2], segments_left = w->b[at + 3];

	if (segments_left == 0)
		return PLX_DROP_NONE;
	return refuse(w, type == 0 ? PLX_DROP_IP6_RH0 : PLX_DROP_IP6_EXTHDR, PLX_ICMP6_PARAM_FIELD,
		at + 2);
}

/* Bytes of the header at `at`; 0 when it does not fit. All but Fragment have this form. */
static uint32_t ext_bytes(const uint8_t *b, uint32_t at, uint32_t end)
{
	uint32_t len;

	if (end - at < 8)
		return 0;
	len = (b[at + 1] + 1u) * 8;
	return len <= end - at ? len : 0;
}

/* Step over len bytes of extension header at ip->hdr_bytes, whose first byte names the next. */
static void step(struct plx_ip *ip, const uint8_t *b, uint32_t len)
{
	ip->nh_off = ip->hdr_bytes;
	ip->proto = b[ip->nh_off];
	ip->hdr_bytes = (uint16_t)(ip->hdr_bytes + len);
	ip->l4_bytes = (uint16_t)(ip->l4_bytes - len);
	ip->has_options = true;
}

/* Up to the upper layer's header, as far as a filter needs it (RFC 7112 3). */
static bool chain_is_whole(const uint8_t *b, uint32_t at, uint32_t end, uint8_t nh)
{
	while (nh == PLX_IPPROTO_DSTOPTS || nh == PLX_IPPROTO_ROUTING) {
		uint32_t len = ext_bytes(b, at, end);

		if (len == 0)
			return false;
		nh = b[at];
		at += len;
	}
	switch (nh) {
	case PLX_IPPROTO_NONE:
		return true;
	case PLX_IPPROTO_TCP:
		return end - at >= 20;
	case PLX_IPPROTO_UDP:
	case PLX_IPPROTO_ICMP6:
		return end - at >= 8;
	default:
		return end > at;
	}
}

/* RFC 8200 4.5; a datagram in one piece (RFC 6946) is no fragment. */
static enum plx_drop fragment(const struct walk *w)
{
	struct plx_ip *ip = w->ip;
	uint16_t at = ip->hdr_bytes, word;

	if (ip->l4_bytes < PLX_IP6_FRAG_BYTES)
		return refuse_silently(w);
	word = plx_get_be16(w->b + at + 2);
	ip->frag_hdr_off = at;
	ip->unfrag_nh_off = ip->nh_off;
	ip->frag_off = word & 0xfff8;
	ip->mf = word & 1;
	ip->is_frag = ip->mf || ip->frag_off;
	ip->id = plx_get_be32(w->b + at + 4);
	step(ip, w->b, PLX_IP6_FRAG_BYTES);
	if (!ip->is_frag)
		return PLX_DROP_NONE;
	if (ip->mf && ip->l4_bytes % 8 != 0)
		return refuse(w, PLX_DROP_FRAG_MALFORMED, PLX_ICMP6_PARAM_FIELD, 4);
	if (at - PLX_IP6_BYTES + ip->frag_off + ip->l4_bytes > UINT16_MAX)
		return refuse(w, PLX_DROP_FRAG_TOO_BIG, PLX_ICMP6_PARAM_FIELD, at + 2u);
	if (ip->frag_off == 0 && !chain_is_whole(w->b, ip->hdr_bytes, w->end, ip->proto))
		return refuse(w, PLX_DROP_IP6_EXTHDR, PLX_ICMP6_PARAM_FIRST_FRAG, 0);
	return PLX_DROP_NONE;
}

/* One extension header of the general form. */
static enum plx_drop extension(const struct walk *w)
{
	struct plx_ip *ip = w->ip;
	uint32_t at = ip->hdr_bytes, len = ext_bytes(w->b, at, w->end);
	uint8_t type = ip->proto;
	enum plx_drop drop;

	if (len == 0)
		return refuse_silently(w);
	if (type == PLX_IPPROTO_ROUTING)
		drop = routing(w, at);
	else
		drop = options(w, at + 2, at + len, type == PLX_IPPROTO_HOPOPTS);
	if (drop == PLX_DROP_NONE)
		step(ip, w->b, len);
	return drop;
}

enum plx_drop plx_wire_ip6_parse_hop(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code)
{
	struct walk w = {.ip = ip, .b = p, .icmp_code = icmp_code};
	enum plx_drop drop = plx_wire_ip6_parse_fixed(ip, p, len);

	*icmp_code = PLX_IP6_SILENT;
	if (drop != PLX_DROP_NONE || ip->proto != PLX_IPPROTO_HOPOPTS)
		return drop;
	w.end = (uint32_t)PLX_IP6_BYTES + ip->l4_bytes;
	return extension(&w);
}

enum plx_drop plx_wire_ip6_parse_rest(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code)
{
	struct walk w = {.ip = ip,
		.b = p,
		.end = (uint32_t)ip->hdr_bytes + ip->l4_bytes,
		.icmp_code = icmp_code,
		.n_ext = ip->has_options};
	enum plx_drop drop = PLX_DROP_NONE;

	*icmp_code = PLX_IP6_SILENT;
	if (w.end > len)
		return PLX_DROP_IP6_LENGTH;
	while (drop == PLX_DROP_NONE && !ip->is_frag) {
		switch (ip->proto) {
		case PLX_IPPROTO_HOPOPTS: /* is first or nowhere, RFC 8200 4.1 */
			return refuse(&w, PLX_DROP_IP6_EXTHDR_UNKNOWN, PLX_ICMP6_PARAM_NEXTHDR,
				ip->nh_off);
		case PLX_IPPROTO_DSTOPTS:
		case PLX_IPPROTO_ROUTING:
		case PLX_IPPROTO_FRAGMENT:
			break;
		default:
			return PLX_DROP_NONE;
		}
		if (++w.n_ext > PLX_IP6_EXT_MAX)
			return refuse(
				&w, PLX_DROP_IP6_EXTHDR, PLX_ICMP6_PARAM_MANY_HDRS, ip->hdr_bytes);
		drop = ip->proto == PLX_IPPROTO_FRAGMENT ? fragment(&w) : extension(&w);
	}
	return drop;
}

uint32_t plx_wire_ip6_emit_ra(void *p, const struct plx_ip *ip)
{
	uint8_t *b = p;

	plx_wire_ip6_emit(p, ip);
	plx_put_be16(b + 4, (uint16_t)(ip->l4_bytes + 8));
	b[6] = PLX_IPPROTO_HOPOPTS;
	b[40] = ip->proto;
	b[41] = 0; /* 8 bytes in all: the option, and two of padding */
	plx_put_be32(b + 42, (uint32_t)OPT_RA << 24 | 2 << 16);
	b[46] = OPT_PADN;
	b[47] = 0;
	return PLX_IP6_RA_BYTES;
}

uint32_t plx_wire_ip6_frag_emit(void *p, const struct plx_ip *ip)
{
	uint8_t *b = p;

	b[0] = ip->proto;
	b[1] = 0;
	plx_put_be16(b + 2, (uint16_t)((ip->frag_off & 0xfff8) | ip->mf));
	plx_put_be32(b + 4, ip->id);
	return PLX_IP6_FRAG_BYTES;
}
