/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200): one struct for both.
 *
 * Parsing checks everything that the header alone can tell: lengths, checksum, options, the chain
 * of extension headers. Whether an address makes sense here is the caller's question, but for what
 * can never be in an IPv6 header: a multicast source, an IPv4-mapped address.
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_IPPROTO_HOPOPTS  0
#define PLX_IPPROTO_ICMP     1
#define PLX_IPPROTO_IGMP     2
#define PLX_IPPROTO_TCP	     6
#define PLX_IPPROTO_UDP	     17
#define PLX_IPPROTO_ROUTING  43
#define PLX_IPPROTO_FRAGMENT 44
#define PLX_IPPROTO_ESP	     50
#define PLX_IPPROTO_AH	     51
#define PLX_IPPROTO_ICMP6    58
#define PLX_IPPROTO_NONE     59 /**< no next header: to be dropped without an answer */
#define PLX_IPPROTO_DSTOPTS  60
#define PLX_IPPROTO_SCTP     132

#define PLX_IP4_BYTES	   20
#define PLX_IP4_RA_BYTES   24 /**< with a router alert option (RFC 2113) */
#define PLX_IP4_MAX_BYTES  60
#define PLX_IP6_BYTES	   40
#define PLX_IP6_RA_BYTES   48 /**< with a hop-by-hop header holding a router alert (RFC 2711) */
#define PLX_IP6_FRAG_BYTES 8

#define PLX_IP_ECN_MASK	 3 /**< the ECN bits of tos (RFC 3168) */
#define PLX_IP6_EXT_MAX	 8 /**< most extension headers of a packet (RFC 8504 5.3) */
#define PLX_IP6_OPTS_MAX 8 /**< most options of one header, padding apart (the same) */

/** No ICMPv6 error is to be sent for this packet. */
#define PLX_IP6_SILENT 0xff

/** A valid header, in host order. Fits a cache line. */
struct plx_ip {
	struct plx_addr src, dst;
	uint32_t id;		/**< fragment identification; IPv4: 16 bits */
	uint32_t flow_label;	/**< IPv6: 20 bits */
	uint16_t hdr_bytes;	/**< to the upper layer, options and extension headers included */
	uint16_t l4_bytes;	/**< from there, as the header says; what follows is padding */
	uint16_t frag_off;	/**< of this fragment in the datagram, bytes */
	uint16_t frag_hdr_off;	/**< IPv6: where the first fragment header stands; 0 = none */
	uint16_t unfrag_nh_off; /**< IPv6: where the byte that names the fragment header stands */
	uint16_t err_ptr;	/**< after a drop: offset for a parameter problem */
	uint8_t version;	/**< 4 or 6 */
	uint8_t proto;		/**< upper protocol, after the extension headers */
	uint8_t ttl;		/**< or hop limit */
	uint8_t tos;		/**< or traffic class */
	bool mf, df;
	bool is_frag;	   /**< needs reassembly: mf or frag_off */
	bool router_alert; /**< RFC 2113, RFC 2711 */
	bool has_options;  /**< IPv4 options, IPv6 extension headers */
};

/**
 * Parse an IPv4 header.
 *
 * Source routes are refused (RFC 7126 4.3, 4.4), unknown options skipped (RFC 1122 3.2.1.8).
 *
 * @param p          the packet, len bytes; bytes beyond the total length are padding.
 * @param check_csum verify the header checksum (false: the device did).
 * @return NONE, IP4_SHORT, IP4_VERSION, IP4_IHL, IP4_LENGTH, IP4_CHECKSUM or IP4_OPTIONS, for which
 *         ip->err_ptr is the byte at fault (ICMP parameter problem).
 */
PLX_API enum plx_drop plx_wire_ip4_parse(
	struct plx_ip *ip, const void *p, uint32_t len, bool check_csum);

/**
 * Parse an IPv6 header and its extension headers up to the upper layer, as a host does: the two
 * functions below in one.
 *
 * A fragment ends the walk: is_frag is set, proto and hdr_bytes are those after the fragment
 * header. The caller reassembles and parses the whole again. A first fragment must hold the whole
 * chain (RFC 7112). An atomic fragment (RFC 6946) is no fragment. AH, ESP and any other upper layer
 * end the walk too: the caller knows whether it has a handler for proto.
 *
 * @param p         the packet, len bytes; bytes beyond the payload length are padding.
 * @param icmp_code when dropped: the code of the ICMPv6 parameter problem to answer with (RFC 4443
 *                  3.4, RFC 7112, RFC 8883), its pointer in ip->err_ptr; PLX_IP6_SILENT for none.
 *                  Only code 2 is to be sent for a packet to a group (RFC 4443 2.4 e.3).
 * @return NONE, IP6_SHORT, IP6_VERSION, IP6_LENGTH, IP6_MAPPED, IP6_MARTIAN_SRC, IP6_EXTHDR,
 *         IP6_EXTHDR_UNKNOWN, IP6_OPTION, IP6_RH0, FRAG_MALFORMED or FRAG_TOO_BIG.
 */
PLX_API enum plx_drop plx_wire_ip6_parse(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code);
/**
 * What a router reads: the fixed header and the hop-by-hop options. proto and hdr_bytes are those
 * after them.
 */
PLX_API enum plx_drop plx_wire_ip6_parse_hop(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code);
/** What the destination reads then: the rest of the chain. */
PLX_API enum plx_drop plx_wire_ip6_parse_rest(
	struct plx_ip *ip, const void *p, uint32_t len, uint8_t *icmp_code);

/**
 * Write an IPv4 header without options, checksum included; total length = 20 + l4_bytes.
 * Takes src, dst, l4_bytes, id, frag_off, mf, df, proto, ttl, tos. @return 20.
 */
PLX_API uint32_t plx_wire_ip4_emit(void *p, const struct plx_ip *ip);
/** The same with a router alert option, for IGMP. @return 24. */
PLX_API uint32_t plx_wire_ip4_emit_ra(void *p, const struct plx_ip *ip);
/**
 * Write an IPv6 header. Takes src, dst, flow_label, l4_bytes, is_frag, proto, ttl, tos. With
 * is_frag it names a fragment header and counts its bytes: follow it with plx_wire_ip6_frag_emit().
 * @return 40.
 */
PLX_API uint32_t plx_wire_ip6_emit(void *p, const struct plx_ip *ip);
/** The same with a hop-by-hop header holding a router alert, for MLD; no fragment. @return 48. */
PLX_API uint32_t plx_wire_ip6_emit_ra(void *p, const struct plx_ip *ip);
/** Write a fragment header. Takes proto, frag_off, mf, id. @return 8. */
PLX_API uint32_t plx_wire_ip6_frag_emit(void *p, const struct plx_ip *ip);
/** Take one from the time to live (which is not 0) and mend the checksum (RFC 1624). @return what
 * is left. */
PLX_API uint8_t plx_wire_ip4_ttl_dec(void *p);

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
