/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200): one struct for both.
 *
 * Parsing checks everything that the header alone can tell: lengths, checksum, options, the chain
 * of extension headers. Whether an address makes sense here is the caller's question, but for what
 * can never be in an IPv6 header: a multicast source, an IPv4-mapped address.
 *
 * The common case (no options, no extension headers) is inline, the rest in ip4.c and ip6.c.
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_IPPROTO_HOPOPTS  0
#define PLX_IPPROTO_ICMP     1
#define PLX_IPPROTO_IGMP     2
#define PLX_IPPROTO_IPIP     4 /**< IPv4 within IP (RFC 2003, RFC 2473) */
#define PLX_IPPROTO_TCP	     6
#define PLX_IPPROTO_UDP	     17
#define PLX_IPPROTO_IPV6     41 /**< IPv6 within IP (RFC 4213, RFC 2473) */
#define PLX_IPPROTO_ROUTING  43
#define PLX_IPPROTO_FRAGMENT 44
#define PLX_IPPROTO_GRE	     47
#define PLX_IPPROTO_ESP	     50
#define PLX_IPPROTO_AH	     51
#define PLX_IPPROTO_ICMP6    58
#define PLX_IPPROTO_NONE     59 /**< no next header: to be dropped without an answer */
#define PLX_IPPROTO_DSTOPTS  60
#define PLX_IPPROTO_SCTP     132

#define PLX_IP4_BYTES	   20
#define PLX_IP4_RA_BYTES   24 /**< with a router alert option (RFC 2113) */
#define PLX_IP4_MAX_BYTES  60
#define PLX_IP4_OPTS_MAX   (PLX_IP4_MAX_BYTES - PLX_IP4_BYTES)
#define PLX_IP6_BYTES	   40
#define PLX_IP6_RA_BYTES   48 /**< with a hop-by-hop header holding a router alert (RFC 2711) */
#define PLX_IP6_FRAG_BYTES 8

#define PLX_IP_ECN_MASK	 3 /**< the ECN bits of tos (RFC 3168) */
#define PLX_IP6_EXT_MAX	 8 /**< most extension headers of a packet (RFC 8504 5.3) */
#define PLX_IP6_OPTS_MAX 8 /**< most options of one header, padding apart (the same) */

/** No ICMPv6 error is to be sent for this packet. */
#define PLX_IP6_SILENT 0xff

/** A valid header, in host order. One cache line. */
struct plx_ip {
	struct plx_addr src, dst;
	uint32_t id;	     /**< fragment identification; IPv4: 16 bits */
	uint32_t flow_label; /**< IPv6: 20 bits */
	uint16_t hdr_bytes;  /**< to the upper layer, options and extension headers included */
	uint16_t l4_bytes;   /**< from there, as the header says; what follows is padding */
	uint16_t frag_off;   /**< of this fragment in the datagram, bytes */
	uint16_t nh_off;     /**< IPv6: where the byte that names proto stands */
	/** IPv6: where the fragment header stands, 0 = none; and the byte that names it. */
	uint16_t frag_hdr_off, unfrag_nh_off;
	uint16_t err_ptr; /**< after a drop: offset for a parameter problem */
	/*
	 * ttl, tos and proto apart from each other: the compiler reads neighbours as one word, and
	 * that waits until the bytes, written one by one, have reached the cache.
	 */
	uint8_t version; /**< 4 or 6 */
	uint8_t ttl;	 /**< or hop limit */
	bool mf;
	uint8_t tos; /**< or traffic class */
	bool df;
	uint8_t proto;	   /**< upper protocol, after the extension headers */
	bool is_frag;	   /**< needs reassembly: mf or frag_off */
	bool router_alert; /**< RFC 2113, RFC 2711 with value 0, which MLD uses */
	bool has_options;  /**< IPv4 options, IPv6 extension headers */
};

static_assert(sizeof(struct plx_ip) <= 64, "a parsed IP header fits a cache line");

/** The options of a header of ip->hdr_bytes: plx_wire_ip4_parse() calls it when there are any. */
PLX_API enum plx_drop plx_wire_ip4_options_parse(struct plx_ip *ip, const void *p);

/**
 * Parse an IPv4 header.
 *
 * Source routes are refused (RFC 7126 4.3, 4.4), unknown options skipped (RFC 1122 3.2.1.8).
 *
 * @param p          the packet, len bytes; bytes beyond the total length are padding.
 * @param check_csum verify the header checksum (false: the device did).
 * @return NONE, IP4_SHORT, IP4_VERSION, IP4_IHL, IP4_LENGTH, IP4_CHECKSUM, or IP4_OPTIONS: then *ip
 *         is filled, and err_ptr the byte at fault (ICMP parameter problem).
 */
static inline enum plx_drop plx_wire_ip4_parse(
	struct plx_ip *ip, const void *p, uint32_t len, bool check_csum)
{
	const uint8_t *b = (const uint8_t *)p;
	uint16_t hdr = PLX_IP4_BYTES, total, frag;

	if (plx_unlikely(len < PLX_IP4_BYTES))
		return PLX_DROP_IP4_SHORT;
	if (plx_unlikely(b[0] != 0x45)) { /* not as most are */
		if (b[0] >> 4 != 4)
			return PLX_DROP_IP4_VERSION;
		hdr = (uint16_t)((b[0] & 0xf) * 4);
		if (hdr < PLX_IP4_BYTES)
			return PLX_DROP_IP4_IHL;
		if (hdr > len)
			return PLX_DROP_IP4_SHORT;
	}
	total = plx_get_be16(b + 2);
	if (plx_unlikely(total < hdr || total > len))
		return PLX_DROP_IP4_LENGTH;
	if (check_csum && plx_unlikely(plx_cksum_ip4(b, hdr) != 0))
		return PLX_DROP_IP4_CHECKSUM;
	frag = plx_get_be16(b + 6);
	ip->src = plx_addr_from_v4(b + 12);
	ip->dst = plx_addr_from_v4(b + 16);
	ip->id = plx_get_be16(b + 4);
	ip->flow_label = 0;
	ip->hdr_bytes = hdr;
	ip->l4_bytes = (uint16_t)(total - hdr);
	ip->nh_off = ip->frag_hdr_off = ip->unfrag_nh_off = ip->err_ptr = 0;
	ip->version = 4;
	ip->proto = b[9];
	ip->ttl = b[8];
	ip->tos = b[1];
	ip->df = frag >> 14 & 1;
	ip->mf = ip->is_frag = ip->router_alert = ip->has_options = false;
	ip->frag_off = 0;
	if (plx_unlikely(frag & 0x3fff)) {
		ip->is_frag = true;
		ip->mf = frag >> 13 & 1;
		ip->frag_off = (uint16_t)((frag & 0x1fff) * 8);
	}
	if (plx_likely(hdr == PLX_IP4_BYTES))
		return PLX_DROP_NONE;
	ip->has_options = true;
	return plx_wire_ip4_options_parse(ip, p);
}

/**
 * Parse an IPv6 fixed header: as far as a packet without extension headers needs.
 * @return NONE, IP6_SHORT, IP6_VERSION, IP6_LENGTH, IP6_MAPPED, or IP6_MARTIAN_SRC.
 */
static inline enum plx_drop plx_wire_ip6_parse_fixed(struct plx_ip *ip, const void *p, uint32_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	uint32_t word;

	if (plx_unlikely(len < PLX_IP6_BYTES))
		return PLX_DROP_IP6_SHORT;
	word = plx_get_be32(b);
	if (plx_unlikely(word >> 28 != 6))
		return PLX_DROP_IP6_VERSION;
	ip->l4_bytes = plx_get_be16(b + 4);
	if (plx_unlikely(ip->l4_bytes > len - PLX_IP6_BYTES))
		return PLX_DROP_IP6_LENGTH;
	ip->src = plx_addr_from_v6(b + 8);
	ip->dst = plx_addr_from_v6(b + 24);
	if (plx_unlikely(plx_addr_is_v4(&ip->src) || plx_addr_is_v4(&ip->dst)))
		return PLX_DROP_IP6_MAPPED;
	if (plx_unlikely(ip->src.b[0] == 0xff)) /* RFC 4291 2.7 */
		return PLX_DROP_IP6_MARTIAN_SRC;
	ip->id = 0;
	ip->flow_label = word & 0xfffff;
	ip->hdr_bytes = PLX_IP6_BYTES;
	ip->frag_off = 0;
	ip->nh_off = 6;
	ip->frag_hdr_off = ip->unfrag_nh_off = ip->err_ptr = 0;
	ip->version = 6;
	ip->proto = b[6];
	ip->ttl = b[7];
	ip->tos = (uint8_t)(word >> 20);
	ip->mf = ip->df = ip->is_frag = ip->router_alert = ip->has_options = false;
	return PLX_DROP_NONE;
}

/**
 * What a router reads: the fixed header and the hop-by-hop options. proto and hdr_bytes are those
 * after them. Parameters and result as for plx_wire_ip6_parse().
 */
PLX_API enum plx_drop plx_wire_ip6_parse_hop(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code);
/**
 * What the destination reads then: the rest of the chain.
 * @param ip as plx_wire_ip6_parse_hop() left it for the same packet.
 */
PLX_API enum plx_drop plx_wire_ip6_parse_rest(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code);

/**
 * Parse an IPv6 header and its extension headers up to the upper layer, as a host does: the
 * functions above in one.
 *
 * A fragment ends the walk: is_frag is set, proto and hdr_bytes are those after the fragment
 * header. The caller reassembles and parses the whole again. A first fragment must hold the whole
 * chain (RFC 7112). An atomic fragment (RFC 6946) is no fragment. AH, ESP and any other upper layer
 * end the walk too: the caller knows whether it has a handler for proto.
 *
 * @param p         the packet, len bytes; bytes beyond the payload length are padding.
 * @param icmp_code always written. When dropped: the code of the ICMPv6 parameter problem to answer
 *                  with (RFC 4443 3.4, RFC 7112, RFC 8883), its pointer in ip->err_ptr, the
 *                  addresses filled; or PLX_IP6_SILENT. A code but 2 is not for packets to a group
 *                  (RFC 4443 2.4 e.3): the caller's rule for all errors.
 * @return NONE, IP6_SHORT, IP6_VERSION, IP6_LENGTH, IP6_MAPPED, IP6_MARTIAN_SRC, IP6_EXTHDR,
 *         IP6_EXTHDR_UNKNOWN, IP6_OPTION, IP6_RH0, FRAG_MALFORMED or FRAG_TOO_BIG.
 */
static inline enum plx_drop plx_wire_ip6_parse(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code)
{
	uint8_t proto = plx_likely(len > 6) ? ((const uint8_t *)p)[6] : PLX_IPPROTO_NONE;
	enum plx_drop drop;

	if (plx_likely(proto == PLX_IPPROTO_UDP || proto == PLX_IPPROTO_TCP ||
		       proto == PLX_IPPROTO_ICMP6)) {
		*icmp_code = PLX_IP6_SILENT;
		return plx_wire_ip6_parse_fixed(ip, p, len);
	}
	drop = plx_wire_ip6_parse_hop(ip, p, len, icmp_code);
	return drop == PLX_DROP_NONE ? plx_wire_ip6_parse_rest(ip, p, len, icmp_code) : drop;
}

/**
 * Write an IPv4 header without options, checksum included; total length = 20 + l4_bytes.
 * Takes src, dst, l4_bytes, id, frag_off, mf, df, proto, ttl, tos. @return 20.
 */
static inline uint32_t plx_wire_ip4_emit(void *p, const struct plx_ip *ip)
{
	/*
	 * In memory order, as words, and the checksum from these: to read back what was just
	 * written in pieces costs more than all the rest.
	 */
	uint16_t total = __builtin_bswap16((uint16_t)(PLX_IP4_BYTES + ip->l4_bytes));
	uint16_t id = __builtin_bswap16((uint16_t)ip->id);
	uint16_t frag =
		__builtin_bswap16((uint16_t)(ip->df << 14 | ip->mf << 13 | ip->frag_off / 8));
	uint32_t w[5] = {
		0x45u | (uint32_t)ip->tos << 8 | (uint32_t)total << 16,
		id | (uint32_t)frag << 16,
		ip->ttl | (uint32_t)ip->proto << 8,
		ip->src.w[3],
		ip->dst.w[3],
	};
	uint64_t sum = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];

	w[2] |= (uint32_t)plx_cksum_finish(plx_cksum_fold64(sum)) << 16;
	memcpy(p, w, sizeof(w));
	return PLX_IP4_BYTES;
}

/**
 * The same with options.
 * @param opt bytes of options, a multiple of 4, at most 40; may stand in place already.
 * @return 20 + bytes.
 */
PLX_API uint32_t plx_wire_ip4_emit_opts(
	void *p, const struct plx_ip *ip, const void *opt, uint32_t bytes);
/** The same with a router alert option, for IGMP. @return 24. */
PLX_API uint32_t plx_wire_ip4_emit_ra(void *p, const struct plx_ip *ip);

/** What a host or router writes into the options that ask for it. */
struct plx_ip4_record {
	struct plx_addr addr; /**< of the interface by which the packet leaves */
	uint32_t time;	      /**< ms since midnight UT, or with bit 31 set of any clock */
	/** Is that address ours? For timestamps that name who is to write them. */
	bool (*ours)(const void *arg, const struct plx_addr *a);
	const void *arg;
};

/**
 * Record route and timestamp (RFC 791 3.1): take the next slot, if there is one.
 * @param opt options that plx_wire_ip4_parse() has found good, bytes of them.
 * @return true; or false: a timestamp's count of those who found no room has no room itself, and
 *         *fault is the offset in opt of the byte to complain about.
 */
PLX_API bool plx_wire_ip4_options_record(
	void *opt, uint32_t bytes, const struct plx_ip4_record *r, uint32_t *fault);
/** Which options to keep. */
enum plx_ip4_options_keep {
	PLX_IP4_OPTIONS_COPIED, /**< what all fragments have: the copied flag (RFC 791 3.1) */
	PLX_IP4_OPTIONS_ECHOED, /**< what an echo reply takes over: records (RFC 1122 3.2.2.6) */
};
/** Copy some of the options to out, padded to whole words. @return bytes, 0 to 40. */
PLX_API uint32_t plx_wire_ip4_options_pick(
	void *out, const void *opt, uint32_t bytes, enum plx_ip4_options_keep keep);

/**
 * Write an IPv6 header. Takes src, dst, flow_label, l4_bytes, is_frag, proto, ttl, tos. With
 * is_frag it names a fragment header and counts its bytes: follow it with plx_wire_ip6_frag_emit().
 * @return 40.
 */
static inline uint32_t plx_wire_ip6_emit(void *p, const struct plx_ip *ip)
{
	uint8_t *b = (uint8_t *)p;

	plx_put_be32(b, 6u << 28 | (uint32_t)ip->tos << 20 | (ip->flow_label & 0xfffff));
	plx_put_be16(b + 4, (uint16_t)(ip->l4_bytes + (ip->is_frag ? PLX_IP6_FRAG_BYTES : 0)));
	b[6] = ip->is_frag ? PLX_IPPROTO_FRAGMENT : ip->proto;
	b[7] = ip->ttl;
	memcpy(b + 8, ip->src.b, 16);
	memcpy(b + 24, ip->dst.b, 16);
	return PLX_IP6_BYTES;
}

/** The same with a hop-by-hop header holding a router alert, for MLD; no fragment. @return 48. */
PLX_API uint32_t plx_wire_ip6_emit_ra(void *p, const struct plx_ip *ip);
/** Write a fragment header. Takes proto, frag_off, mf, id. @return 8. */
PLX_API uint32_t plx_wire_ip6_frag_emit(void *p, const struct plx_ip *ip);

/**
 * Take one from the time to live (which is not 0) of the IPv4 header at p and mend its checksum.
 * @return what is left.
 */
static inline uint8_t plx_wire_ip4_ttl_dec(void *p)
{
	uint8_t *b = (uint8_t *)p;
	uint16_t old_word, new_word, check;

	memcpy(&old_word, b + 8, 2); /* TTL and protocol */
	b[8]--;
	memcpy(&new_word, b + 8, 2);
	memcpy(&check, b + 10, 2);
	check = plx_cksum_adjust16(check, old_word, new_word);
	memcpy(b + 10, &check, 2);
	return b[8];
}

/**
 * Is the transport checksum right? With the pseudo header of ip, but for ICMP and IGMP, which have
 * none. UDP without a checksum is plx_wire_udp_check()'s matter.
 * @param l4 header and payload, len bytes in one piece.
 */
PLX_API bool plx_wire_l4_cksum_ok(const struct plx_ip *ip, const void *l4, uint32_t len);
/**
 * The transport checksum, as it stands in memory; never 0 for UDP (RFC 768).
 * @param l4 header with a zeroed checksum field, and payload, len bytes in one piece.
 */
PLX_API uint16_t plx_wire_l4_cksum(const struct plx_addr *src, const struct plx_addr *dst,
	uint8_t proto, const void *l4, uint32_t len);
/** Compute and store it where proto (ICMP, IGMP, TCP, UDP, ICMPv6) has it. */
PLX_API void plx_wire_l4_cksum_fill(const struct plx_addr *src, const struct plx_addr *dst,
	uint8_t proto, void *l4, uint32_t len);

PLX_C_END
