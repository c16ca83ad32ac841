/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Longest-prefix match over both families: a path-compressed binary trie (Sklower, "A Tree-Based
 * Packet Routing Table for Berkeley Unix", 1991) laid out in one array, and in front of it, for
 * IPv4, a table that takes 16, 8 and 8 bits at a time.
 *
 * One thread writes, any number read at the same time without locks: what is found is as before or
 * as after a change. An IPv4 lookup is one to three loads; an IPv6 lookup visits a node for each
 * bit position at which the routes on its way differ. Room is taken once, and given back with the
 * whole table: a new one is made when it is used up.
 */
#include <plx_base_addr.h>

#define NET_LPM_NONE (-1)

struct net_lpm_node {
	uint64_t key[2]; /**< host order; bits from len on are 0 */
	int32_t child[2];
	int32_t value; /**< the first of the prefix that ends here, or NET_LPM_NONE */
	uint8_t len;
};

/** What the table knows of a value. */
struct net_lpm_value {
	int32_t next;  /**< of the same prefix, or NET_LPM_NONE */
	uint8_t plen;  /**< of that prefix */
	bool used;     /**< the writer's, as is rank */
	uint64_t rank; /**< values of a prefix stand in this order, equal ones by age */
};

#define NET_LPM_EXT   0x8000 /**< in a table's entry: the rest is the number of a chunk */
#define NET_LPM_EMPTY 0x7fff
#define NET_LPM_MAX   0x7fff /**< values, and chunks, are below */

struct net_lpm {
	struct net_lpm_node *node; /**< node[0] is the root: length 0 */
	uint32_t n, cap;
	struct net_lpm_value *value;
	uint16_t *t16;		/**< by the upper 16 bits of an IPv4 address: value or chunk */
	uint16_t (*chunk)[256]; /**< by the next 8 bits */
	uint32_t n_chunk, cap_chunk;
};

/** Room for the values 0 .. max - 1, each put once. @return 0, -EINVAL or -ENOMEM. */
int net__lpm_init(struct net_lpm *t, uint32_t max);
void net__lpm_fini(struct net_lpm *t);
/** Put a value at a prefix. @return 0, or -ENOSPC and nothing is changed. */
int net__lpm_add(struct net_lpm *t, const struct plx_prefix *p, int32_t value, uint64_t rank);
/** Take a value from its prefix again. */
void net__lpm_del(struct net_lpm *t, const struct plx_prefix *p, int32_t value);
/** The first value of exactly this prefix, or NET_LPM_NONE. */
int32_t net__lpm_exact(const struct net_lpm *t, const struct plx_prefix *p);

/** By the trie alone: the value of the longest prefix that fits (NULL: all do), or NET_LPM_NONE. */
PLX_NOINLINE int32_t net__lpm_walk(const struct net_lpm *t, const struct plx_addr *a,
	bool (*fits)(const void *arg, int32_t value), const void *arg);

/** The value of the longest prefix that holds a, or NET_LPM_NONE. */
static inline int32_t net__lpm_lookup(const struct net_lpm *t, const struct plx_addr *a)
{
	uint16_t e;

	if (!plx_addr_is_v4(a))
		return net__lpm_walk(t, a, NULL, NULL);
	e = __atomic_load_n(&t->t16[plx_get_be16(a->b + 12)], __ATOMIC_ACQUIRE);
	if (e & NET_LPM_EXT) {
		e = __atomic_load_n(&t->chunk[e & ~NET_LPM_EXT][a->b[14]], __ATOMIC_ACQUIRE);
		if (e & NET_LPM_EXT)
			e = __atomic_load_n(
				&t->chunk[e & ~NET_LPM_EXT][a->b[15]], __ATOMIC_ACQUIRE);
	}
	return plx_likely(e != NET_LPM_EMPTY) ? e : NET_LPM_NONE;
}
