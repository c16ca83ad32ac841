/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The header that ICMP (RFC 792) and ICMPv6 (RFC 4443) share, and their numbers.
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_ICMP_ECHO_REPLY	 0
#define PLX_ICMP_UNREACH	 3
#define PLX_ICMP_SOURCE_QUENCH	 4 /**< deprecated (RFC 6633); still an error */
#define PLX_ICMP_REDIRECT	 5
#define PLX_ICMP_ECHO_REQUEST	 8
#define PLX_ICMP_TIME_EXCEEDED	 11
#define PLX_ICMP_PARAM_PROBLEM	 12
#define PLX_ICMP_TIMESTAMP	 13
#define PLX_ICMP_TIMESTAMP_REPLY 14

#define PLX_ICMP_UNREACH_NET	    0
#define PLX_ICMP_UNREACH_HOST	    1
#define PLX_ICMP_UNREACH_PROTO	    2
#define PLX_ICMP_UNREACH_PORT	    3
#define PLX_ICMP_UNREACH_NEEDFRAG   4
#define PLX_ICMP_UNREACH_SRCFAIL    5
#define PLX_ICMP_UNREACH_NET_ADMIN  9
#define PLX_ICMP_UNREACH_HOST_ADMIN 10
#define PLX_ICMP_UNREACH_ADMIN	    13 /**< communication administratively prohibited */

#define PLX_ICMP_REDIRECT_NET  0
#define PLX_ICMP_REDIRECT_HOST 1

#define PLX_ICMP_TIME_TTL  0 /**< in transit */
#define PLX_ICMP_TIME_FRAG 1 /**< reassembly */

#define PLX_ICMP6_UNREACH	1
#define PLX_ICMP6_TOO_BIG	2
#define PLX_ICMP6_TIME_EXCEEDED 3
#define PLX_ICMP6_PARAM_PROBLEM 4
#define PLX_ICMP6_INFO		128 /**< types below are errors */
#define PLX_ICMP6_ECHO_REQUEST	128
#define PLX_ICMP6_ECHO_REPLY	129
#define PLX_ICMP6_MLD_QUERY	130
#define PLX_ICMP6_MLD_REPORT	131
#define PLX_ICMP6_MLD_DONE	132
#define PLX_ICMP6_RS		133
#define PLX_ICMP6_RA		134
#define PLX_ICMP6_NS		135
#define PLX_ICMP6_NA		136
#define PLX_ICMP6_REDIRECT	137
#define PLX_ICMP6_MLD2_REPORT	143

#define PLX_ICMP6_UNREACH_NOROUTE 0
#define PLX_ICMP6_UNREACH_ADMIN	  1
#define PLX_ICMP6_UNREACH_SCOPE	  2 /**< beyond the scope of the source address */
#define PLX_ICMP6_UNREACH_ADDR	  3
#define PLX_ICMP6_UNREACH_PORT	  4
#define PLX_ICMP6_UNREACH_POLICY  5
#define PLX_ICMP6_UNREACH_REJECT  6

#define PLX_ICMP6_TIME_HOPS 0
#define PLX_ICMP6_TIME_FRAG 1

#define PLX_ICMP6_PARAM_FIELD	   0 /**< erroneous header field */
#define PLX_ICMP6_PARAM_NEXTHDR	   1 /**< unrecognized next header */
#define PLX_ICMP6_PARAM_OPTION	   2 /**< unrecognized option */
#define PLX_ICMP6_PARAM_FIRST_FRAG 3 /**< incomplete header chain (RFC 7112) */
#define PLX_ICMP6_PARAM_MANY_HDRS  8 /**< too many extension headers (RFC 8883) */
#define PLX_ICMP6_PARAM_MANY_OPTS  9 /**< too many options in one (RFC 8883) */

#define PLX_ICMP_BYTES		 8
#define PLX_ICMP_TIMESTAMP_BYTES 20 /**< and the times of originate, receive and transmit */

/** What rest holds depends on the type; the helpers below name its parts. */
struct plx_icmp {
	uint8_t type, code;
	uint16_t check; /**< as it stands in memory */
	uint32_t rest;	/**< identifier and sequence, pointer, MTU, gateway */
};

/** @param p the message, len bytes. @return NONE or ICMP_SHORT. Both families; no checksum done. */
static inline enum plx_drop plx_wire_icmp_parse(struct plx_icmp *icmp, const void *p, uint32_t len)
{
	const uint8_t *b = (const uint8_t *)p;

	if (plx_unlikely(len < PLX_ICMP_BYTES))
		return PLX_DROP_ICMP_SHORT;
	icmp->type = b[0];
	icmp->code = b[1];
	memcpy(&icmp->check, b + 2, 2);
	icmp->rest = plx_get_be32(b + 4);
	return PLX_DROP_NONE;
}

/** @param p room for PLX_ICMP_BYTES. @return bytes written. */
static inline uint32_t plx_wire_icmp_emit(void *p, const struct plx_icmp *icmp)
{
	uint8_t *b = (uint8_t *)p;

	b[0] = icmp->type;
	b[1] = icmp->code;
	memcpy(b + 2, &icmp->check, 2);
	plx_put_be32(b + 4, icmp->rest);
	return PLX_ICMP_BYTES;
}

/** Echo: the identifier. */
static inline uint16_t plx_icmp_echo_id(const struct plx_icmp *icmp)
{
	return (uint16_t)(icmp->rest >> 16);
}

/** Echo: the sequence number. */
static inline uint16_t plx_icmp_echo_seq(const struct plx_icmp *icmp)
{
	return (uint16_t)icmp->rest;
}

/** Is it an error, about which no error may be sent (RFC 1122 3.2.2, RFC 4443 2.4 e)? */
static inline bool plx_icmp_is_error(uint8_t version, uint8_t type)
{
	if (version == 6)
		return type < PLX_ICMP6_INFO;
	return type == PLX_ICMP_UNREACH || type == PLX_ICMP_SOURCE_QUENCH ||
	       type == PLX_ICMP_REDIRECT || type == PLX_ICMP_TIME_EXCEEDED ||
	       type == PLX_ICMP_PARAM_PROBLEM;
}

PLX_C_END
