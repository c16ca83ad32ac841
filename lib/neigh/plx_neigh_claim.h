/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The claim on one address of ours: is it free, and does it stay ours?
 *
 * IPv6: duplicate address detection (RFC 4862 5.4), enhanced by a nonce so that our own
 * solicitation, looped back by the link, is not taken for somebody else's (RFC 7527).
 * IPv4: address conflict detection (RFC 5227): probe, announce, defend.
 *
 * One small machine for each address. The caller embeds it in its address record, shows it each ARP
 * or ND message that names the address, pulls output after init, input and timer, and looks at
 * `state`. Joining the solicited-node group before the first probe is the caller's.
 */
#include "plx_neigh_tx.h"

PLX_C_BEGIN

struct plx_arp;
struct plx_rng;

enum plx_claim_state {
	PLX_CLAIM_TENTATIVE, /**< being probed: may not be used, is not answered for */
	PLX_CLAIM_VALID,     /**< ours */
	PLX_CLAIM_DUPLICATE, /**< somebody else has it: must not be used */
};

/** What to do when a valid IPv4 address is claimed by another (RFC 5227 2.4). */
enum plx_claim_policy {
	PLX_CLAIM_DEFEND, /**< (b) announce once; give up if it comes again within 10 s */
	PLX_CLAIM_YIELD,  /**< (a) give up at once */
	PLX_CLAIM_HOLD,	  /**< (c) never give up; announce at most every 10 s */
};

struct plx_claim_conf {
	uint8_t transmits; /**< probes; 0: the address is valid at once (RFC 4862 5.1) */
	uint8_t announces; /**< IPv4: announcements, RFC 5227 has 2; IPv6: unsolicited NAs */
	bool delay;	   /**< random delay before the first probe (up to 1 s) */
	bool nonce;	   /**< IPv6: enhanced DAD (RFC 7527) */
	enum plx_claim_policy policy;
	/** IPv6: RetransTimer. IPv4: 0 for RFC 5227's 1 to 2 s between probes and 2 s after the
	 * last, else this in place of both, for links that are known to be quick. */
	plx_ns retrans_ns;
};

#define PLX_CLAIM_CONF_V4                                                                          \
	{                                                                                          \
		.transmits = 3, .announces = 2, .delay = true                                      \
	}
#define PLX_CLAIM_CONF_V6                                                                          \
	{                                                                                          \
		.transmits = 1, .delay = true, .nonce = true, .retrans_ns = PLX_SEC(1)             \
	}

#define PLX_CLAIM_NONCES 4 /**< probes that can be told when they come back */

/** Fields are private but for the first group, which is read-only. */
struct plx_claim {
	struct plx_addr addr;
	struct plx_mac mac;   /**< ours */
	struct plx_mac rival; /**< who claimed it last; zero: unknown */
	uint16_t iface;
	uint8_t state;	    /**< enum plx_claim_state */
	uint16_t conflicts; /**< seen since init */
	uint16_t loops;	    /**< own probes that came back (RFC 7527 4.2) */

	uint16_t sent; /**< probes, or announcements once valid */
	uint16_t goal; /**< probes to send; more than conf.transmits when they came back */
	bool looped;   /**< a probe came back in this round */
	bool due;      /**< a message waits for output */
	bool defended; /**< defend_ns is set */
	uint8_t nonce[PLX_CLAIM_NONCES][PLX_ND_NONCE_BYTES]; /**< of the last probes */
	plx_ns next_ns;
	plx_ns defend_ns; /**< last conflict (DEFEND) or last defence (HOLD) */
	struct plx_claim_conf conf;
	struct plx_rng *rng;
};

/** Begin to claim addr. @param mac our MAC on iface. @param rng outlives the claim. */
PLX_API void plx_neigh_claim_init(struct plx_claim *c, const struct plx_claim_conf *conf,
	uint16_t iface, const struct plx_addr *addr, const struct plx_mac *mac, struct plx_rng *rng,
	plx_ns now);

/** Claim again: after a link came back, or to retry a DUPLICATE one. After 10 conflicts it waits a
 * minute before it probes (RFC 5227 2.1.1). */
PLX_API void plx_neigh_claim_restart(struct plx_claim *c, plx_ns now);

/**
 * An ARP message whose sender or target address is the claim's.
 * @return true: a conflict; state tells what came of it, rival whose it was.
 */
PLX_API bool plx_neigh_claim_input_arp(struct plx_claim *c, const struct plx_arp *arp, plx_ns now);

/**
 * An NS or NA whose target is the claim's address.
 * @param src the packet's source address.
 * @return true: a conflict.
 */
PLX_API bool plx_neigh_claim_input_nd(
	struct plx_claim *c, const struct plx_nd *nd, const struct plx_addr *src, plx_ns now);

/** Pull one message. @return false when there is none. */
PLX_API bool plx_neigh_claim_output(struct plx_claim *c, plx_ns now, struct plx_neigh_tx *tx);

/** Run what is due. @return true: the state changed. */
PLX_API bool plx_neigh_claim_timer(struct plx_claim *c, plx_ns now);

/** When timer() has to be called next, or PLX_NEVER. After timer(c, now) it is later than now. */
PLX_API plx_ns plx_neigh_claim_deadline(const struct plx_claim *c);

/** "tentative", "valid", "duplicate". */
PLX_API const char *plx_neigh_claim_state_name(uint8_t state);

PLX_C_END
