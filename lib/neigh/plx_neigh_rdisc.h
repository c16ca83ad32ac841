/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Router discovery, the host's side, for one interface (RFC 4861 6.3, RFC 4862 5.5).
 *
 * Solicits routers, reads their advertisements, keeps lifetimes, and says by events what the
 * interface should have: default routers, on-link prefixes, addresses, MTU, hop limit, times.
 * Addresses it asks for are claimed by the caller (plx_neigh_claim.h); a duplicate is told back.
 *
 * Memory is fixed: what does not fit is not learnt. Belongs to one lcore.
 */
#include "plx_neigh_tx.h"

PLX_C_BEGIN

struct plx_rng;

#define PLX_RDISC_ROUTERS  8
#define PLX_RDISC_PREFIXES 16
#define PLX_RDISC_ADDRS	   16 /**< as Linux's max_addresses */

/** How the lower 64 bits of an address are made. */
enum plx_rdisc_iid {
	PLX_RDISC_EUI64,  /**< from the MAC (RFC 4291 appendix A) */
	PLX_RDISC_STABLE, /**< from a secret and the prefix (RFC 7217) */
};

struct plx_rdisc_conf {
	uint16_t iface;
	struct plx_mac mac;
	enum plx_rdisc_iid iid;
	uint8_t secret[16];    /**< STABLE: kept over restarts, or addresses change */
	uint8_t solicits;      /**< router solicitations; 0: none */
	bool backoff;	       /**< go on soliciting, ever slower (RFC 7559), past `solicits` */
	bool accept_defrtr;    /**< learn default routers */
	bool accept_pinfo;     /**< learn on-link prefixes */
	bool autoconf;	       /**< make addresses from prefixes */
	bool accept_rtr_pref;  /**< heed router preferences (RFC 4191) */
	uint8_t min_hop_limit; /**< a lower advertised one is ignored: it would cut us off */
	uint32_t max_mtu;      /**< the link's own; a larger advertised one is ignored */
};

/** Designators: everything accepted, three solicitations. The caller adds iface, mac, max_mtu. */
#define PLX_RDISC_CONF_DEFAULT                                                                     \
	.solicits = 3, .accept_defrtr = true, .accept_pinfo = true, .autoconf = true,              \
	.accept_rtr_pref = true, .min_hop_limit = 1

enum plx_rdisc_kind {
	PLX_RDISC_DEL_ADDR,	/**< addr */
	PLX_RDISC_DEL_ONLINK,	/**< prefix */
	PLX_RDISC_DEL_ROUTER,	/**< addr */
	PLX_RDISC_ADD_ADDR,	/**< addr in prefix: claim it, use it; or: preferred again */
	PLX_RDISC_DEPRECATE,	/**< addr: no new use (RFC 4862 5.5.4) */
	PLX_RDISC_ADD_ONLINK,	/**< prefix */
	PLX_RDISC_ADD_ROUTER,	/**< addr, preference; or: another preference */
	PLX_RDISC_SET_MTU,	/**< mtu */
	PLX_RDISC_SET_HOPLIMIT, /**< hop_limit */
	PLX_RDISC_SET_TIMES,	/**< reachable_ns, retrans_ns: plx_neigh_iface_set_times() */
};

/**
 * A wish, told once: lifetimes that are merely renewed make no event. Who shows them reads the
 * records of struct plx_rdisc.
 */
struct plx_rdisc_event {
	enum plx_rdisc_kind kind;
	struct plx_addr addr;
	struct plx_prefix prefix;
	int8_t preference; /**< 1 high, 0 medium, -1 low (RFC 4191 2.1) */
	uint8_t hop_limit;
	uint32_t mtu;
	plx_ns reachable_ns, retrans_ns; /**< 0: not advertised */
};

struct plx_rdisc_router {
	struct plx_addr addr;
	plx_ns until; /**< PLX_NEVER = for ever, here and below */
	int8_t preference;
	bool live;
	bool told; /**< private, here and below */
	int8_t told_preference;
};

struct plx_rdisc_prefix {
	struct plx_prefix prefix;
	plx_ns until;
	bool live, told;
};

struct plx_rdisc_addr {
	struct plx_addr addr;
	struct plx_prefix prefix;
	plx_ns preferred_until, valid_until;
	bool live;
	bool deprecated;
	bool barred;	     /**< duplicate: keeps its prefix from being tried again */
	uint8_t dad_counter; /**< RFC 7217 5 */
	bool told, told_deprecated;
};

/** Read-only for the caller, by the functions below and by its records where `live`. */
struct plx_rdisc {
	struct plx_rdisc_conf conf;
	struct plx_rng *rng;
	plx_ns next_rs, rs_interval;
	plx_ns reachable_ns, retrans_ns; /**< as advertised; 0: not */
	uint32_t mtu;
	uint8_t hop_limit;
	bool started;
	bool found; /**< a default router advertised itself since start() */
	bool rs_due;
	uint32_t rs_sent;
	uint8_t news; /**< scalars to be told */
	struct plx_rdisc_router routers[PLX_RDISC_ROUTERS];
	struct plx_rdisc_prefix prefixes[PLX_RDISC_PREFIXES];
	struct plx_rdisc_addr addrs[PLX_RDISC_ADDRS];
};

/** An idle machine. @param rng outlives it. */
PLX_API void plx_neigh_rdisc_init(
	struct plx_rdisc *r, const struct plx_rdisc_conf *conf, struct plx_rng *rng);

/** The link is up: solicit after a random delay of up to 1 s (RFC 4861 6.3.7). What is known stays
 * known. */
PLX_API void plx_neigh_rdisc_start(struct plx_rdisc *r, plx_ns now);

/** The interface goes down: forget all, with DEL events for what the caller was told.
 * What SET events changed the caller restores by itself. */
PLX_API void plx_neigh_rdisc_stop(struct plx_rdisc *r);

/**
 * A router advertisement came, validated on parsing (RFC 4861 6.1.2; prefixes RFC 4862 5.5.3 b, c).
 * The neighbour cache wants to see it too: plx_neigh_input_nd().
 * @param src link-local source of the packet.
 * @return PLX_DROP_NONE, or PLX_DROP_ND_IGNORED when not started.
 */
PLX_API enum plx_drop plx_neigh_rdisc_input(
	struct plx_rdisc *r, const struct plx_nd *nd, const struct plx_addr *src, plx_ns now);

/**
 * An address it asked for is a duplicate: DEL_ADDR follows. STABLE: so does another address, three
 * times at most (RFC 7217 6). Else its prefix gets none any more while it is advertised.
 */
PLX_API void plx_neigh_rdisc_duplicate(struct plx_rdisc *r, const struct plx_addr *addr);

/** A router is none any more: PLX_NEIGH_EV_HOST (RFC 4861 7.2.5). */
PLX_API void plx_neigh_rdisc_not_router(struct plx_rdisc *r, const struct plx_addr *addr);

/** Pull one solicitation. @return false when there is none. */
PLX_API bool plx_neigh_rdisc_output(struct plx_rdisc *r, plx_ns now, struct plx_neigh_tx *tx);

/** Run what is due: solicitations and expiry. */
PLX_API void plx_neigh_rdisc_timer(struct plx_rdisc *r, plx_ns now);

/** When timer() has to be called next, or PLX_NEVER. After timer(r, now) it is later than now. */
PLX_API plx_ns plx_neigh_rdisc_deadline(const struct plx_rdisc *r);

/** Pull one event; removals come first. @return false when there is none. */
PLX_API bool plx_neigh_rdisc_event(struct plx_rdisc *r, struct plx_rdisc_event *ev);

/** An address in a /64, fe80::/64 too, from a MAC: modified EUI-64 (RFC 4291 appendix A). */
PLX_API struct plx_addr plx_neigh_addr_eui64(
	const struct plx_prefix *prefix, const struct plx_mac *mac);

/**
 * A stable, opaque address in a /64 (RFC 7217 5). Reserved identifiers (RFC 5453) are skipped.
 * @param secret 16 bytes. @param dad_counter 0, and one more for each duplicate met.
 */
PLX_API struct plx_addr plx_neigh_addr_stable(const struct plx_prefix *prefix,
	const struct plx_mac *mac, const uint8_t secret[16], uint8_t dad_counter);

PLX_C_END
