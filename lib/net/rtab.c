/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtab.h"

#include <errno.h>
#include <stdlib.h>

int net__rtab_init(struct net_rtab *t, uint32_t n, const uint64_t key[2])
{
	uint32_t size = 16;

	while (size < n)
		size *= 2;
	*t = (struct net_rtab){
		.bucket = calloc(size, sizeof(struct net_rnode *)),
		.mask = size - 1,
		.key = {key[0], key[1]},
	};
	return t->bucket ? 0 : -ENOMEM;
}

void net__rtab_fini(struct net_rtab *t)
{
	for (uint32_t i = 0; t->bucket && i <= t->mask; i++)
		while (t->bucket[i]) {
			struct net_rnode *e = t->bucket[i];

			t->bucket[i] = e->next;
			free(e); /* the node is the entry's first member */
		}
	free(t->bucket);
	t->bucket = NULL;
}

void net__rtab_add(struct net_rtab *t, struct net_rnode *e)
{
	struct net_rnode **b = &t->bucket[net__rtab_slot(t, &e->addr, e->iface)];

	e->next = *b;
	__atomic_store_n(b, e, __ATOMIC_RELEASE);
	__atomic_store_n(&t->n, t->n + 1, __ATOMIC_RELAXED);
}

void net__rtab_del(struct net_rtab *t, struct net_rnode *e)
{
	struct net_rnode **p = &t->bucket[net__rtab_slot(t, &e->addr, e->iface)];

	while (*p && *p != e)
		p = &(*p)->next;
	if (!*p)
		return;
	__atomic_store_n(p, e->next, __ATOMIC_RELEASE);
	__atomic_store_n(&t->n, t->n - 1, __ATOMIC_RELAXED);
}
