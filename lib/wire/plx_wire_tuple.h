/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The flow a packet belongs to, read as quickly as is safe: for receive-side scaling and for
 * matching ICMP errors. Not a validation: the packet is parsed in full later.
 */
#include <plx_base.h>

PLX_C_BEGIN

struct plx_tuple {
	struct plx_addr src, dst;
	uint16_t sport, dport; /**< TCP, UDP and SCTP that are no fragments; 0 otherwise */
	uint8_t proto; /**< upper protocol; IPv6: as far as the extension headers were read */
	bool frag;     /**< a fragment, the first one included: has no ports */
};

/**
 * The tuple of an Ethernet frame, under up to two VLAN tags.
 * @return false, and *t unspecified, for what is not IP or too short to tell.
 */
PLX_API bool plx_wire_tuple(struct plx_tuple *t, const void *frame, uint32_t len);
/** The tuple of an IP packet of either family. @return as above. */
PLX_API bool plx_wire_tuple_l3(struct plx_tuple *t, const void *p, uint32_t len);

#define PLX_VXLAN_PORT 4789 /**< RFC 7348 */

/**
 * The tuple of the packet within a tunnel, if the frame carries one that is read here:
 *
 *  - IP in IP, either family in either (protocols 4 and 41: RFC 2003, RFC 2473, RFC 4213);
 *  - GRE of version 0 with IPv4, IPv6 or Ethernet within; checksum, key and sequence number are
 *    passed over (RFC 2784, RFC 2890);
 *  - VXLAN: UDP to PLX_VXLAN_PORT, Ethernet within (RFC 7348).
 *
 * One tunnel is opened, not one within it. A fragment of the outer packet is not: only the first
 * has the inner headers, and the others have to go where it goes.
 * @return whether *t is the inner one; else it is untouched.
 */
PLX_API bool plx_wire_tuple_inner(struct plx_tuple *t, const void *frame, uint32_t len);

/**
 * The tuple of a packet that an ICMP error quotes: cut short as may be, with its total length as it
 * was. A first fragment's ports are read (frag is set too).
 * @param p      the quoted packet, len bytes: the IP header and 8 bytes at least.
 * @param l4_off where the upper layer's 8 bytes or more stand.
 * @return NONE or ICMP_QUOTE.
 */
PLX_API enum plx_drop plx_wire_icmp_quote(
	struct plx_tuple *t, uint32_t *l4_off, const void *p, uint32_t len);

PLX_C_END
