/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Longest-prefix match over both families: a path-compressed binary trie (Sklower, "A Tree-Based
 * Packet Routing Table for Berkeley Unix", 1991) laid out in one array, and in front of it, for
 * IPv4, a table that takes 16, 8 and 8 bits at a time, made from the trie.
 *
 * Built once, then only read; a change builds a new one. An IPv4 lookup is one to three loads; an
 * IPv6 lookup visits a node for each bit position at which the routes on its way differ.
 */
#include <plx_base_addr.h>

#define NET_LPM_NONE (-1)

struct net_lpm_node {
	uint64_t key[2]; /**< host order; bits from len on are 0 */
	int32_t child[2];
	int32_t value; /**< of the prefix that ends here, or NET_LPM_NONE */
	uint8_t len;
};

#define NET_LPM_EXT   0x8000 /**< in a table's entry: the rest is the number of a chunk */
#define NET_LPM_EMPTY 0x7fff
#define NET_LPM_MAX   0x7fff /**< values, and chunks, are below */

struct net_lpm {
	struct net_lpm_node *node; /**< node[0] is the root: length 0 */
	uint32_t n, cap;
	uint16_t *t16;		/**< by the upper 16 bits of an IPv4 address: value or chunk */
	uint16_t (*chunk)[256]; /**< by the next 8 bits */
	uint32_t n_chunk, cap_chunk;
};

/** Room for max prefixes. @return 0 or -ENOMEM. */
int net__lpm_init(struct net_lpm *t, uint32_t max);
void net__lpm_fini(struct net_lpm *t);
/** Make the IPv4 table, after the last net__lpm_add(). @return 0 or -ENOMEM. */
int net__lpm_finish(struct net_lpm *t);
/** Put a value (0 .. NET_LPM_MAX - 1) at a prefix; the first one put there stays. Within the max
 * given at init. */
void net__lpm_add(struct net_lpm *t, const struct plx_prefix *p, int32_t value);

/** By the trie alone: IPv6, and what the table is made from and tested against. */
PLX_NOINLINE int32_t net__lpm_walk(const struct net_lpm *t, const struct plx_addr *a);

/** The value of the longest prefix that holds a, or NET_LPM_NONE. */
static inline int32_t net__lpm_lookup(const struct net_lpm *t, const struct plx_addr *a)
{
	uint16_t e;

	if (!plx_addr_is_v4(a))
		return net__lpm_walk(t, a);
	e = t->t16[plx_get_be16(a->b + 12)];
	if (e & NET_LPM_EXT) {
		e = t->chunk[e & ~NET_LPM_EXT][a->b[14]];
		if (e & NET_LPM_EXT)
			e = t->chunk[e & ~NET_LPM_EXT][a->b[15]];
	}
	return plx_likely(e != NET_LPM_EMPTY) ? e : NET_LPM_NONE;
}
