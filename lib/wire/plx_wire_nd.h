/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Neighbour discovery (RFC 4861): solicitations, advertisements and redirects, with their options.
 */
#include "plx_wire_icmp.h"
#include "plx_wire_ip.h"

PLX_C_BEGIN

#define PLX_ND_PREFIXES	   8   /**< prefix options kept of one router advertisement */
#define PLX_ND_NONCE_BYTES 6   /**< RFC 7527 */
#define PLX_ND_HOP_LIMIT   255 /**< of every message: nothing from beyond the link has it */

/** Prefix information option (RFC 4861 4.6.2). */
struct plx_nd_prefix {
	struct plx_prefix prefix;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /**< UINT32_MAX = infinity; preferred_s <= valid_s */
};

/** One message of any of the five types; what the type lacks is 0. */
struct plx_nd {
	uint8_t type;			  /**< PLX_ICMP6_RS, RA, NS, NA or REDIRECT */
	struct plx_addr target;		  /**< NS, NA; redirect: the better first hop */
	struct plx_addr dst;		  /**< redirect: the destination that is redirected */
	bool router, solicited, override; /**< NA */
	bool managed, other_config;	  /**< RA */
	int8_t preference;		  /**< RA: 1 high, 0, -1 low (RFC 4191 2.1) */
	uint8_t hop_limit;		  /**< RA; 0 = unspecified */
	uint16_t lifetime_s;		  /**< RA; 0 = no default router */
	uint32_t reachable_ms;		  /**< RA; 0 = unspecified */
	uint32_t retrans_ms;		  /**< RA; 0 = unspecified */
	uint32_t mtu;			  /**< RA option; 0 = none */
	bool has_slla, has_tlla, has_nonce;
	struct plx_mac slla;		   /**< source link-layer address option */
	struct plx_mac tlla;		   /**< target link-layer address option */
	uint8_t nonce[PLX_ND_NONCE_BYTES]; /**< NS (RFC 7527) */
	uint8_t n_prefix;
	struct plx_nd_prefix prefix[PLX_ND_PREFIXES]; /**< RA; surplus ones are left out */
};

/** Longest message that plx_wire_nd_emit() writes. */
#define PLX_ND_MAX_BYTES (40 + 4 * 8 + 32 * PLX_ND_PREFIXES)

/**
 * Parse and validate (RFC 4861 6.1, 7.1, 8.1) a message whose checksum has been verified.
 * Unknown options are skipped.
 * @param ip the header it came in: hop limit, source and destination are part of the checks.
 * @param p  from the ICMPv6 type on, len bytes.
 * @return NONE, ND_MALFORMED, or ND_HOPLIMIT.
 */
PLX_API enum plx_drop plx_wire_nd_parse(
	struct plx_nd *nd, const struct plx_ip *ip, const void *p, uint32_t len);
/**
 * Write a message, checksum 0: plx_wire_l4_cksum_fill() follows. The struct is taken at its word.
 * @param p room for PLX_ND_MAX_BYTES. @return bytes written; 0 when type is none of
 * the five.
 */
PLX_API uint32_t plx_wire_nd_emit(void *p, const struct plx_nd *nd);

#define PLX_ND_REDIRECTED_BYTES 8 /**< what plx_wire_nd_redirected_emit() writes */
/**
 * The head of a redirected header option (RFC 4861 4.6.3), behind a redirect of plx_wire_nd_emit();
 * so many bytes of the packet follow, a multiple of 8.
 */
PLX_API void plx_wire_nd_redirected_emit(void *p, uint32_t bytes);

/** ff02::1:ffXX:XXXX of a (RFC 4291 2.7.1). */
static inline struct plx_addr plx_wire_nd_solicited_node(const struct plx_addr *a)
{
	struct plx_addr g;

	memset(&g, 0, sizeof(g));
	g.b[0] = 0xff;
	g.b[1] = 0x02;
	g.b[11] = 0x01;
	g.b[12] = 0xff;
	memcpy(g.b + 13, a->b + 13, 3);
	return g;
}

/** The MAC of a group: 01:00:5e... (RFC 1112 6.4) or 33:33... (RFC 2464 7). */
static inline struct plx_mac plx_wire_group_mac(const struct plx_addr *group)
{
	struct plx_mac m;

	if (plx_addr_is_v4(group)) {
		m.b[0] = 0x01;
		m.b[1] = 0x00;
		m.b[2] = 0x5e;
		m.b[3] = group->b[13] & 0x7f;
		m.b[4] = group->b[14];
		m.b[5] = group->b[15];
	} else {
		m.b[0] = m.b[1] = 0x33;
		memcpy(m.b + 2, group->b + 12, 4);
	}
	return m;
}

PLX_C_END
