/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A message that the neighbour cache, a claim or router discovery wants sent.
 *
 * One struct for all of them, so that the caller needs one emitter.
 */
#include <plx_wire_nd.h>

PLX_C_BEGIN

enum plx_neigh_tx_kind {
	PLX_NEIGH_TX_ARP_REQUEST,  /**< who has `target`? (RFC 826) */
	PLX_NEIGH_TX_ARP_PROBE,	   /**< sender address 0.0.0.0 (RFC 5227 2.1.1) */
	PLX_NEIGH_TX_ARP_ANNOUNCE, /**< sender and target address are both `target` (RFC 5227 2.3)
				    */
	PLX_NEIGH_TX_NS,	   /**< neighbour solicitation (RFC 4861 4.3) */
	PLX_NEIGH_TX_NS_DAD,	   /**< source ::, no link-layer option (RFC 4862 5.4.2) */
	PLX_NEIGH_TX_NA_ANNOUNCE,  /**< unsolicited, Override set (RFC 4861 7.2.6, RFC 9131) */
	PLX_NEIGH_TX_RS,	   /**< router solicitation (RFC 4861 4.1) */
};

struct plx_neigh_tx {
	enum plx_neigh_tx_kind kind;
	uint16_t iface;
	struct plx_mac dst_mac; /**< where the frame goes: unicast, broadcast or group */
	struct plx_addr dst;	/**< IPv6 destination; for ARP the same as `target` */
	struct plx_addr target; /**< the address asked for or claimed; unset for RS */
	/**
	 * Source address. :: or 0.0.0.0 says: for ARP_REQUEST and NS the sender's choice (of the
	 * link, RFC 4861 7.2.2), for the probes literally so; for RS a valid link-local address if
	 * there is one.
	 */
	struct plx_addr src;
	bool has_nonce; /**< NS_DAD: add the Nonce option (RFC 7527 4.1) */
	uint8_t nonce[PLX_ND_NONCE_BYTES];
};

PLX_C_END
