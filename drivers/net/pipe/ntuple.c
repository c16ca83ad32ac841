/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Rules for single flows, as the "signature" filters of some NICs: what the peer's lcores look up
 * is the hash, so that what has the same one goes along. The words that they read are made anew
 * from the list whenever it or the key changes, one by one.
 */

struct pipe_rule {
	struct plx_list node;
	struct plx_tuple flow;
	uint16_t queue;
};

static uint32_t hash_of(const struct pipe_end *e, const struct plx_tuple *flow)
{
	return plx_steer_hash_tuple(e->key, flow);
}

static uint32_t slot_of(uint32_t hash)
{
	return hash & (PIPE_RULES - 1);
}

void pipe__rules_build(struct pipe_end *e)
{
	uint64_t word[PIPE_RULES] = {0};
	const struct pipe_rule *r;

	plx_list_foreach (r, &e->rules, node) {
		uint32_t hash = hash_of(e, &r->flow);

		word[slot_of(hash)] = (uint64_t)hash << 32 | (r->queue + 1u);
	}
	for (uint32_t i = 0; i < PIPE_RULES; i++)
		__atomic_store_n(&e->rule[i], word[i], __ATOMIC_RELAXED);
	__atomic_store_n(&e->has_rules, !plx_list_empty(&e->rules), __ATOMIC_RELAXED);
}

int pipe__rule_find(const struct pipe_end *e, uint32_t hash)
{
	uint64_t word = __atomic_load_n(&e->rule[slot_of(hash)], __ATOMIC_RELAXED);

	return word && word >> 32 == hash ? (int)(uint32_t)word - 1 : -1;
}

int pipe__ntuple_add(struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule)
{
	struct pipe_end *e = p->priv;
	struct pipe_rule *r;

	if (e->rule[slot_of(hash_of(e, flow))])
		return -ENOSPC;
	r = malloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct pipe_rule){.flow = *flow, .queue = queue};
	plx_list_add_tail(&e->rules, &r->node);
	pipe__rules_build(e);
	*rule = r;
	return 0;
}

void pipe__ntuple_del(struct plx_port *p, void *rule)
{
	struct pipe_rule *r = rule;

	plx_list_del(&r->node);
	free(r);
	pipe__rules_build(p->priv);
}

void pipe__rules_drop(struct pipe_end *e)
{
	struct pipe_rule *r;

	while ((r = plx_list_first(&e->rules, struct pipe_rule, node))) {
		plx_list_del(&r->node);
		free(r);
	}
	pipe__rules_build(e);
}
