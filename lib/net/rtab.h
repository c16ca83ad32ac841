/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A hash table of chains with one writer and any number of readers without locks.
 *
 * The writer links and unlinks whole entries; a reader that holds an unlinked one may go on reading
 * it until its next quiescent point, so the writer frees it only after that (net__retire()).
 */
#include <plx_base_addr.h>
#include <plx_base_hash.h>

struct net_rnode {
	struct net_rnode *next;
	struct plx_addr addr;
	uint16_t iface;
};

struct net_rtab {
	struct net_rnode **bucket;
	uint32_t mask;
	uint32_t n; /**< entries; readers may look whether it is 0 */
	uint64_t key[2];
};

/** Buckets for about n entries. @return 0 or -ENOMEM. */
int net__rtab_init(struct net_rtab *t, uint32_t n, const uint64_t key[2]);
void net__rtab_fini(struct net_rtab *t);
void net__rtab_add(struct net_rtab *t, struct net_rnode *e);
void net__rtab_del(struct net_rtab *t, struct net_rnode *e);

static inline uint32_t net__rtab_slot(
	const struct net_rtab *t, const struct plx_addr *a, uint16_t iface)
{
	const uint64_t w[3] = {a->q[0], a->q[1], iface};

	return (uint32_t)plx_hash_words(t->key, w, 3) & t->mask;
}

static inline struct net_rnode *net__rtab_find(
	const struct net_rtab *t, const struct plx_addr *a, uint16_t iface)
{
	struct net_rnode *e =
		__atomic_load_n(&t->bucket[net__rtab_slot(t, a, iface)], __ATOMIC_ACQUIRE);

	while (e && !(e->iface == iface && plx_addr_eq(&e->addr, a)))
		e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
	return e;
}
