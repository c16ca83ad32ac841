/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * UDP (RFC 768) and the common header of SCTP (RFC 9260 3.1).
 */
#include "plx_wire_ip.h"

PLX_C_BEGIN

#define PLX_UDP_BYTES  8
#define PLX_SCTP_BYTES 12

struct plx_udp {
	uint16_t sport, dport;
	uint16_t len;	/**< header and payload, >= 8 */
	uint16_t check; /**< as it stands in memory; 0 = none */
};

/**
 * @param p   the datagram, len bytes (ip.l4_bytes); it may be longer than its length field says.
 * @return NONE, UDP_SHORT, or UDP_LENGTH.
 */
static inline enum plx_drop plx_wire_udp_parse(struct plx_udp *udp, const void *p, uint32_t len)
{
	const uint8_t *b = (const uint8_t *)p;

	if (plx_unlikely(len < PLX_UDP_BYTES))
		return PLX_DROP_UDP_SHORT;
	udp->sport = plx_get_be16(b);
	udp->dport = plx_get_be16(b + 2);
	udp->len = plx_get_be16(b + 4);
	memcpy(&udp->check, b + 6, 2);
	if (plx_unlikely(udp->len < PLX_UDP_BYTES || udp->len > len))
		return PLX_DROP_UDP_LENGTH;
	return PLX_DROP_NONE;
}

/** @param p room for PLX_UDP_BYTES. @return bytes written. */
static inline uint32_t plx_wire_udp_emit(void *p, const struct plx_udp *udp)
{
	uint8_t *b = (uint8_t *)p;

	plx_put_be16(b, udp->sport);
	plx_put_be16(b + 2, udp->dport);
	plx_put_be16(b + 4, udp->len);
	memcpy(b + 6, &udp->check, 2);
	return PLX_UDP_BYTES;
}

/**
 * Verify the checksum of a parsed datagram of one piece at p: none is fine in IPv4 and not in IPv6
 * (RFC 8200 8.1). @return NONE, UDP_CHECKSUM or UDP_ZERO_CHECKSUM.
 */
PLX_API enum plx_drop plx_wire_udp_check(
	const struct plx_udp *udp, const struct plx_ip *ip, const void *p);

struct plx_sctp {
	uint16_t sport, dport;
	uint32_t vtag;
	uint32_t check; /**< CRC32c, as it stands in memory; not verified */
};

/** @return NONE or SCTP_SHORT. */
PLX_API enum plx_drop plx_wire_sctp_parse(struct plx_sctp *sctp, const void *p, uint32_t len);
/** @param p room for PLX_SCTP_BYTES. @return bytes written. */
PLX_API uint32_t plx_wire_sctp_emit(void *p, const struct plx_sctp *sctp);

PLX_C_END
