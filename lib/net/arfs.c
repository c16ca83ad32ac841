/* SPDX-License-Identifier: BSD-3-Clause */
#include "arfs.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Linux's set_rps_cpu() asks ndo_rx_flow_steer() when a flow's packets come by a queue of another
 * CPU than its socket's, and the driver asks rps_may_expire_flow() whether the rule is still of
 * use. Here a flow that has an lcore of its own (flow.c) asks for its rule in its slot, once; the
 * control thread talks to the device, which may take its time, and looks there from time to time
 * whether the flow is still so. What a device has refused is not tried again before that.
 */

#define RULES_AT_ONCE 64 /* and up to 63 more: a device may take a millisecond for each */

enum rule_state {
	RULE_NONE,
	RULE_FILLING, /* an lcore is about to ask */
	RULE_ASKED,
	RULE_SETTLED, /* the device has it, or has refused it */
};

struct net_rule {
	uint32_t state; /* atomic, enum rule_state */
	uint32_t at;	/* atomic: the device has it: at_of(); 0: not */
	uint32_t
		opening; /* of the port, which has dropped its rules since when it is another one */
	uint16_t port, queue, lcore;
	uint32_t hash;
	struct plx_tuple flow;
	void *rule; /* the driver's */
};

struct net_arfs {
	struct net_rule rule[NET_FLOWS]; /* by the flow's slot */
	uint64_t used[NET_FLOWS / 64];	 /* atomic: rules that are asked for or settled */
	uint32_t next;			 /* of used[] */
	uint64_t rules, made, refused;	 /* single-writer: the control thread */
};

static bool is_on(const struct plx_port *p)
{
	return plx_port_features(p) & PLX_PORT_F_NTUPLE;
}

void net__arfs_ask(
	struct net_lcore *nl, const struct plx_tuple *flow, uint32_t hash, uint16_t lcore)
{
	const struct plx_rxq *q = nl->way ? nl->way->q : NULL; /* NULL: it comes from here */
	uint32_t slot = hash & (NET_FLOWS - 1), none = RULE_NONE;
	struct net_arfs *a = nl->net->arfs;
	struct net_rule *r = &a->rule[slot];

	if (!q || !is_on(q->port) || __atomic_load_n(&r->state, __ATOMIC_RELAXED) != RULE_NONE ||
		!__atomic_compare_exchange_n(
			&r->state, &none, RULE_FILLING, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	r->port = q->port->id;
	r->lcore = lcore;
	r->hash = hash;
	r->flow = *flow;
	__atomic_store_n(&r->state, RULE_ASKED, __ATOMIC_RELEASE);
	__atomic_fetch_or(&a->used[slot / 64], UINT64_C(1) << slot % 64, __ATOMIC_RELEASE);
}

/* ---- control thread ---- */

static bool polls(
	const struct plx_net *net, const struct plx_port *p, uint16_t queue, uint16_t lcore)
{
	return __atomic_load_n(&p->rxq[queue]->lcore, __ATOMIC_ACQUIRE) ==
	       net->lcore[lcore]->sn->lcore;
}

/* One of those that its lcore polls, the same for the same flow. @return -1: it polls none. */
static int queue_for(const struct plx_net *net, const struct plx_port *p, const struct net_rule *r)
{
	uint16_t at[PLX_PORT_QUEUES_MAX], n = 0;

	for (uint16_t q = 0; q < p->n_rxq; q++)
		if (polls(net, p, q, r->lcore))
			at[n++] = q;
	return n ? at[r->hash % n] : -1;
}

static uint32_t at_of(const struct net_rule *r)
{
	return ((uint32_t)r->port << 16 | r->queue) + 1;
}

static void make(struct plx_net *net, struct net_rule *r)
{
	struct plx_port *p = plx_port_get(r->port);
	int queue = queue_for(net, p, r);
	bool in = queue >= 0 && plx_port_ntuple_add(p, &r->flow, (uint16_t)queue, &r->rule) == 0;

	plx_count(*(in ? &net->arfs->made : &net->arfs->refused), 1);
	plx_count(net->arfs->rules, in);
	r->queue = (uint16_t)queue;
	r->opening = p->opening;
	__atomic_store_n(&r->at, in ? at_of(r) : 0, __ATOMIC_RELAXED);
	__atomic_store_n(&r->state, RULE_SETTLED, __ATOMIC_RELAXED);
}

static void drop(struct plx_net *net, struct net_rule *r)
{
	struct plx_port *p = plx_port_get(r->port);

	if (!r->at)
		return;
	if (p && p->opening == r->opening)
		plx_port_ntuple_del(p, r->rule);
	plx_count(net->arfs->rules, -UINT64_C(1));
	__atomic_store_n(&r->at, 0, __ATOMIC_RELAXED);
}

/* Does its flow live there as before? */
static bool is_of_use(const struct plx_net *net, const struct net_rule *r)
{
	const struct plx_port *p = plx_port_get(r->port);

	return plx_steer_flows_find(&net->flows, r->hash) == r->lcore && p && p->open && is_on(p) &&
	       (!r->at || (p->opening == r->opening && polls(net, p, r->queue, r->lcore)));
}

/* @return whether the device had to be asked. */
static bool serve(struct plx_net *net, uint32_t slot)
{
	struct net_arfs *a = net->arfs;
	struct net_rule *r = &a->rule[slot];

	if (is_of_use(net, r)) {
		if (__atomic_load_n(&r->state, __ATOMIC_ACQUIRE) != RULE_ASKED)
			return false;
		make(net, r);
		return true;
	}
	drop(net, r);
	__atomic_fetch_and(&a->used[slot / 64], ~(UINT64_C(1) << slot % 64), __ATOMIC_RELAXED);
	__atomic_store_n(&r->state, RULE_NONE, __ATOMIC_RELEASE);
	return true;
}

/* As many slots as there are, from where it left off. */
void plx_net_arfs_serve(struct plx_net *net)
{
	struct net_arfs *a = net->arfs;
	uint32_t asked = 0;

	for (uint32_t i = 0; a && i < PLX_DIM(a->used) && asked < RULES_AT_ONCE; i++) {
		uint32_t at = a->next;
		uint64_t w = __atomic_load_n(&a->used[at], __ATOMIC_ACQUIRE);

		for (; w; w &= w - 1)
			asked += serve(net, at * 64 + (uint32_t)__builtin_ctzll(w));
		a->next = (at + 1) % PLX_DIM(a->used);
	}
}

/* ---- life ---- */

void net__arfs_get(const struct plx_net *net, struct plx_net_moves *m)
{
	m->rules = plx_count_read(net->arfs->rules);
	m->rules_made = plx_count_read(net->arfs->made);
	m->rules_refused = plx_count_read(net->arfs->refused);
}

bool net__arfs_at(const struct plx_net *net, uint32_t slot, uint16_t *port, uint16_t *queue)
{
	uint32_t at = __atomic_load_n(&net->arfs->rule[slot].at, __ATOMIC_RELAXED);

	*port = (uint16_t)((at - 1) >> 16);
	*queue = (uint16_t)(at - 1);
	return at;
}

int net__arfs_new(struct plx_net *net)
{
	net->arfs = calloc(1, sizeof(*net->arfs));
	return net->arfs ? 0 : -ENOMEM;
}

void net__arfs_free(struct plx_net *net)
{
	for (uint32_t i = 0; net->arfs && i < NET_FLOWS; i++)
		drop(net, &net->arfs->rule[i]);
	free(net->arfs);
}
