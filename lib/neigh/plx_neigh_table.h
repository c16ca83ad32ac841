/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The neighbour cache: one table for ARP and ND, keyed by interface and address.
 *
 * States and transitions are those of RFC 4861 7.3 and of Linux's net/core/neighbour.c, for both
 * families (RFC 1122 2.3.2.1 asks IPv4 for no less).
 *
 * The caller's loop, after any of its calls of use, input or timer:
 *
 *     while (plx_neigh_output(t, now, &tx))         // send each
 *     while ((what = plx_neigh_event(t, &n)) != 0)  // publish, flush or drop what waits
 *
 * The table belongs to one lcore, the control lcore. Others read snapshots which it makes from the
 * events; they report the first use of an entry whose snapshot says `stale`, and no other use.
 *
 * Memory is one block of the caller's. The number of entries is bounded: when the table is full,
 * the least recently used FAILED entry makes way, then the least recently used STALE one. At most
 * half of the table may be INCOMPLETE: beyond, the oldest of those makes way, so that a scan of a
 * prefix through us evicts its own victims and not the neighbours in use (RFC 6583 7.1).
 */
#include "plx_neigh_tx.h"

PLX_C_BEGIN

struct plx_arp;
struct plx_rng;
struct plx_neigh_table; /**< opaque: lives in the caller's block */

/** Linux's NUD_* values, so that masks work. */
enum plx_neigh_state {
	PLX_NEIGH_INCOMPLETE = 0x01, /**< asked, no answer yet */
	PLX_NEIGH_REACHABLE = 0x02,  /**< confirmed within the reachable time */
	PLX_NEIGH_STALE = 0x04,	     /**< not confirmed lately; the next use begins to check */
	PLX_NEIGH_DELAY = 0x08,	     /**< used while stale: waits for upper layers to confirm */
	PLX_NEIGH_PROBE = 0x10,	     /**< asks by unicast whether it is still there */
	PLX_NEIGH_FAILED = 0x20,     /**< did not answer */
	PLX_NEIGH_NOARP = 0x40,	     /**< needs no resolution, set by hand */
	PLX_NEIGH_PERMANENT = 0x80,  /**< set by hand */
};

/** States whose MAC may be sent to. */
#define PLX_NEIGH_USABLE                                                                           \
	(PLX_NEIGH_REACHABLE | PLX_NEIGH_STALE | PLX_NEIGH_DELAY | PLX_NEIGH_PROBE |               \
		PLX_NEIGH_NOARP | PLX_NEIGH_PERMANENT)

/** One neighbour. Read-only for the caller but for the last three fields. */
struct plx_neigh {
	struct plx_addr addr;
	struct plx_mac mac; /**< meaningful in PLX_NEIGH_USABLE states */
	uint16_t iface;
	uint8_t state;	     /**< enum plx_neigh_state */
	bool router;	     /**< RFC 4861 5.1 IsRouter */
	uint8_t probes;	     /**< solicitations sent in this state */
	plx_ns used_ns;	     /**< last use */
	plx_ns confirmed_ns; /**< last proof of reachability */
	plx_ns updated_ns;   /**< last change of state or MAC */
	/**
	 * Source address for solicitations: that of the packet which made us ask (RFC 4861 7.2.2).
	 * The caller writes it after use(); :: when it has no wish.
	 */
	struct plx_addr src_hint;
	void *user[2];	     /**< the caller's: head and tail of its pending packets */
	uint16_t user_count; /**< the caller's */
};

static inline bool plx_neigh_is_usable(const struct plx_neigh *n)
{
	return n->state & PLX_NEIGH_USABLE;
}

struct plx_neigh_conf {
	uint64_t hash_key[2];	 /**< secret, drawn once a start: strangers choose addresses */
	uint32_t gc_thresh3;	 /**< most entries, 8 or more */
	uint16_t max_ifaces;	 /**< interface numbers are below this */
	uint8_t mcast_solicit;	 /**< multicast (broadcast) solicitations before FAILED, >= 1 */
	uint8_t ucast_solicit;	 /**< unicast solicitations before FAILED, >= 1 */
	plx_ns gc_stale_time_ns; /**< a STALE or FAILED entry unused so long is removed */
	plx_ns base_reachable_time_ns; /**< mean; the real one is 0.5 to 1.5 times this */
	plx_ns retrans_time_ns;	       /**< between solicitations */
	plx_ns delay_first_probe_ns;   /**< DELAY lasts so long */
};

/** The defaults of RFC 4861 10 and Linux: 1024 entries, 3 + 3 probes, 30 s, 1 s, 5 s, 60 s. */
#define PLX_NEIGH_CONF_DEFAULT                                                                     \
	{                                                                                          \
		.gc_thresh3 = 1024, .max_ifaces = 64, .mcast_solicit = 3, .ucast_solicit = 3,      \
		.gc_stale_time_ns = PLX_SEC(60), .base_reachable_time_ns = PLX_SEC(30),            \
		.retrans_time_ns = PLX_SEC(1), .delay_first_probe_ns = PLX_SEC(5),                 \
	}

/** Bytes that the table needs, to be aligned to 64. */
PLX_API size_t plx_neigh_table_size(const struct plx_neigh_conf *conf);

/**
 * Make an empty table in mem.
 *
 * @param mem plx_neigh_table_size(conf) bytes, aligned to 64, which stay the caller's to free.
 * @param rng for the jitter of reachable times; outlives the table.
 * @return the table, or NULL if conf is out of bounds.
 */
PLX_API struct plx_neigh_table *plx_neigh_table_init(
	void *mem, const struct plx_neigh_conf *conf, struct plx_rng *rng);

/** Remove every entry. The REMOVED events can then be pulled a last time, and mem freed. */
PLX_API void plx_neigh_table_fini(struct plx_neigh_table *t);

/**
 * New times and probe counts, for all interfaces, also where a router advertised others. They hold
 * from the next change of an entry's state on. hash_key, gc_thresh3 and max_ifaces stay as they
 * are.
 * @return 0, or -EINVAL and nothing changed.
 */
PLX_API int plx_neigh_table_set_conf(struct plx_neigh_table *t, const struct plx_neigh_conf *conf);

/**
 * Times of one interface's IPv6 neighbours, as a router advertised them (RFC 4861 6.3.4).
 * 0 leaves a value as it is. @return 0, -EINVAL.
 */
PLX_API int plx_neigh_iface_set_times(struct plx_neigh_table *t, uint16_t iface,
	plx_ns base_reachable_time_ns, plx_ns retrans_time_ns);

/** Number of entries in the table. */
PLX_API uint32_t plx_neigh_count(const struct plx_neigh_table *t);

/** Look up without using. @return the entry or NULL. */
PLX_API struct plx_neigh *plx_neigh_find(
	const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr);

/**
 * The next hop of a packet is about to be used.
 *
 * Creates an INCOMPLETE entry if there is none, turns FAILED into INCOMPLETE and STALE into DELAY.
 * If the result is not plx_neigh_is_usable(), the packet has to wait for an event. When packets
 * that waited are sent, that is a use too.
 *
 * @param addr unicast.
 * @return the entry, valid until its REMOVED event; NULL if the table is full or addr not unicast.
 */
PLX_API struct plx_neigh *plx_neigh_use(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr, plx_ns now);

/** An upper layer saw forward progress through this neighbour (RFC 4861 7.3.1). */
PLX_API void plx_neigh_confirm(struct plx_neigh_table *t, struct plx_neigh *n, plx_ns now);

/**
 * An upper layer waits in vain for answers by way of this neighbour (RFC 1122 3.3.1.4, 4.2.3.5): it
 * is asked, if it was not confirmed within delay_first_probe_ns.
 */
PLX_API void plx_neigh_doubt(struct plx_neigh_table *t, struct plx_neigh *n, plx_ns now);

/**
 * An ARP message came (RFC 826; gratuitous forms RFC 5227).
 *
 * The caller has asked its claims first: a message whose sender address is ours does not come here.
 *
 * @param ours the target address is an address of ours on this interface.
 * @return PLX_DROP_NONE: fit and of interest; the caller answers it if it is a request and `ours`.
 * PLX_DROP_ARP_IGNORED: impossible sender, or nothing to do with us.
 * PLX_DROP_NEIGH_TABLE_FULL: a request for us whose sender found no room; may be answered.
 */
PLX_API enum plx_drop plx_neigh_input_arp(struct plx_neigh_table *t, uint16_t iface,
	const struct plx_arp *arp, bool ours, plx_ns now);

/**
 * A neighbour discovery message came: NS, NA, RA or Redirect (RFC 4861 7.2.3, 7.2.5, 6.3.4, 8.3).
 *
 * The message was validated on parsing (RFC 4861 7.1). The caller has asked its claims first: a
 * solicitation or advertisement for a tentative address does not come here.
 *
 * @param src the packet's source address.
 * @param ours NS: the target is an address of ours on this interface; others: not read.
 * @return PLX_DROP_NONE: used; the caller answers an NS. PLX_DROP_ND_IGNORED: nothing to do with
 * us. PLX_DROP_NEIGH_TABLE_FULL: as for ARP.
 */
PLX_API enum plx_drop plx_neigh_input_nd(struct plx_neigh_table *t, uint16_t iface,
	const struct plx_nd *nd, const struct plx_addr *src, bool ours, plx_ns now);

/**
 * Set an entry by hand, as `ip neigh replace` does.
 *
 * @param state PLX_NEIGH_PERMANENT, NOARP, REACHABLE or STALE.
 * @return 0; -ENOSPC table full; -EINVAL for another state, address or interface.
 */
PLX_API int plx_neigh_add(struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr,
	const struct plx_mac *mac, enum plx_neigh_state state, plx_ns now);

/** Remove one entry. @return 0, -ENOENT. */
PLX_API int plx_neigh_del(struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr);

/** Remove an interface's entries; PERMANENT and NOARP ones only if `all`. */
PLX_API void plx_neigh_flush(struct plx_neigh_table *t, uint16_t iface, bool all);

/** Pull one solicitation. @return false when there is none left. */
PLX_API bool plx_neigh_output(struct plx_neigh_table *t, plx_ns now, struct plx_neigh_tx *tx);

/** Run what is due. */
PLX_API void plx_neigh_timer(struct plx_neigh_table *t, plx_ns now);

/** When timer() has to be called next, or PLX_NEVER. After timer(t, now) it is later than now. */
PLX_API plx_ns plx_neigh_deadline(const struct plx_neigh_table *t);

/** What became of an entry, as bits; several changes between two pulls come as one event. */
enum plx_neigh_what {
	PLX_NEIGH_EV_USABLE = 0x01,  /**< has a MAC now: send what waits */
	PLX_NEIGH_EV_MAC = 0x02,     /**< usable as before, with another MAC */
	PLX_NEIGH_EV_FAILED = 0x04,  /**< no MAC (any more): drop what waits, unpublish it */
	PLX_NEIGH_EV_STALE = 0x08,   /**< became STALE or ceased to be: see state */
	PLX_NEIGH_EV_HOST = 0x10,    /**< was a router, is none now: drop it as default router */
	PLX_NEIGH_EV_REMOVED = 0x20, /**< gone; the only bit when set: drop what waits, forget it */
};

/**
 * Pull one event.
 *
 * @param n the entry. After REMOVED the pointer ends with the next call of plx_neigh_event().
 * @return bits of enum plx_neigh_what; 0: no more.
 */
PLX_API unsigned int plx_neigh_event(struct plx_neigh_table *t, struct plx_neigh **n);

/**
 * Walk the entries in pages. Entries made or removed in between may or may not be seen, the others
 * are seen once.
 *
 * @param cursor 0 to begin, then untouched by the caller.
 * @return the next entry, NULL at the end.
 */
PLX_API const struct plx_neigh *plx_neigh_next(const struct plx_neigh_table *t, uint32_t *cursor);

/** "REACHABLE" and so on, as `ip neigh` prints. */
PLX_API const char *plx_neigh_state_name(uint8_t state);

PLX_C_END
