/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The neighbour cache from inside: entries, their links, the table.
 *
 *   table.c     memory, look-up, making and removing entries, events
 *   heap.c      deadlines in order
 *   nud.c       states, their timers, solicitations
 *   learn.c     what ARP and ND messages say
 */
#include "plx_neigh_table.h"

#include <plx_base_list.h>

#define NEIGH__NOT_IN_HEAP UINT32_MAX

struct neigh__entry {
	struct plx_neigh n; /**< first: a pointer to it is a pointer to the entry */
	struct neigh__entry *hash_next;
	struct plx_list lru; /**< on failed, stale or incomplete of the table, by state; or free */
	struct plx_list tx;  /**< a solicitation is due */
	struct plx_list ev;  /**< `what` is to be told */
	plx_ns deadline;
	uint32_t heap_at;
	uint8_t what; /**< enum plx_neigh_what */
	bool live;    /**< in the hash; else free, or removed and not yet told */
};

/** Times that a router may advertise for the IPv6 neighbours of an interface. */
struct neigh__times {
	plx_ns base_reachable_ns, retrans_ns;
};

struct plx_neigh_table {
	struct plx_neigh_conf conf;
	struct plx_rng *rng;
	uint32_t n_live, n_incomplete;
	uint32_t n_slots;
	uint32_t bucket_mask;
	uint32_t heap_n;
	struct neigh__entry *slots;
	struct neigh__entry **buckets;
	struct neigh__entry **heap;
	struct neigh__times *nd_times;			 /**< by interface */
	struct plx_list free, failed, stale, incomplete; /**< oldest first */
	struct plx_list tx, events;
	struct neigh__entry *told; /**< removed, the caller still looks at it */
};

/** Put e at its deadline, wherever it was; PLX_NEVER takes it out. */
void neigh__heap_set(struct plx_neigh_table *t, struct neigh__entry *e, plx_ns deadline);

struct neigh__entry *neigh__find(
	const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr);

/** May addr have a neighbour entry on iface? */
bool neigh__addr_ok(const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr);

/** A new entry without a state, which the caller sets at once; evicts if it has to. NULL: full. */
struct neigh__entry *neigh__create(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr, plx_ns now);

void neigh__remove(struct plx_neigh_table *t, struct neigh__entry *e);

/** Note bits of enum plx_neigh_what. */
void neigh__tell(struct plx_neigh_table *t, struct neigh__entry *e, unsigned int what);

/** The one door through which a state changes: lists, deadline, solicitation and events follow. */
void neigh__set_state(
	struct plx_neigh_table *t, struct neigh__entry *e, enum plx_neigh_state state, plx_ns now);

/** Before neigh__set_state(), so that one who was usable is told of the change. */
void neigh__set_mac(
	struct plx_neigh_table *t, struct neigh__entry *e, const struct plx_mac *mac, plx_ns now);
