/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A flow moves as a bucket does (move.c), behind all that has its hash. Whoever wants it to asks in
 * the flow's slot, so that no memory is needed and nothing waits: control finds it by a bit. What
 * has been asked for last counts; of two flows in a slot the first.
 *
 * An override ends as it began, by a move: when a connection of its hash is over, all that has the
 * hash goes home. So a connection that only shares the hash is not cut off, and what comes for the
 * same four-tuple again finds its handshake.
 */

static uint64_t ask_of(uint32_t hash, uint16_t lcore)
{
	return (uint64_t)hash << 32 | (uint32_t)(lcore + 1);
}

static uint16_t bucket_of(const struct plx_net *net, uint32_t hash)
{
	return plx_steer_owner(&net->owners, hash);
}

static void refuse(struct net_flows *fl)
{
	__atomic_add_fetch(&fl->refused, 1, __ATOMIC_RELAXED);
}

static void look(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_flows *fl = plx_container_of(msg, struct net_flows, msg);

	__atomic_store_n(&fl->posted, false, __ATOMIC_RELEASE);
	net__move_begin(fl->net);
}

static void mark(struct net_flows *fl, uint32_t slot)
{
	__atomic_fetch_or(&fl->asked[slot / 64], UINT64_C(1) << slot % 64, __ATOMIC_ACQ_REL);
}

static void wake(struct net_flows *fl)
{
	if (!__atomic_exchange_n(&fl->posted, true, __ATOMIC_ACQ_REL))
		plx_softnet_post(fl->net->lcore[0]->sn, &fl->msg);
}

/* Who goes home has the slot, whatever another one wants in it. */
static bool put(struct net_flows *fl, uint32_t hash, uint16_t lcore)
{
	uint64_t *ask = &fl->ask[hash & (NET_FLOWS - 1)], was;

	if (lcore == NET_FLOW_HOME) {
		__atomic_store_n(ask, ask_of(hash, lcore), __ATOMIC_RELEASE);
		return true;
	}
	was = __atomic_load_n(ask, __ATOMIC_RELAXED);
	return (!was || was >> 32 == hash) &&
	       __atomic_compare_exchange_n(
		       ask, &was, ask_of(hash, lcore), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool net__flow_ask(struct net_lcore *nl, uint32_t hash, uint16_t lcore)
{
	struct plx_net *net = nl->net;
	struct net_flows *fl = net->flows_asked;

	if (net->n_lcores == 1 || (lcore != NET_FLOW_HOME && !net__tun(net, PLX_TUN_SOFT_STEER)))
		return false;
	if (!put(fl, hash, lcore)) {
		refuse(fl);
		return false;
	}
	mark(fl, hash & (NET_FLOWS - 1));
	wake(fl);
	return true;
}

void net__flow_missed(struct net_lcore *nl, uint32_t hash)
{
	if (plx_steer_flows_find(&nl->net->flows, hash) == nl->sn->index)
		net__flow_ask(nl, hash, NET_FLOW_HOME);
}

void net__flow_over(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	if (!nl->tcp->stopping)
		net__flow_missed(nl, net__tcp_hash(nl->net, id));
}

bool plx_net_tcp_move(struct plx_softnet *sn, struct plx_net_tcp *tc, uint16_t lcore)
{
	struct net_lcore *nl = net__self(sn);

	if (lcore >= nl->net->n_lcores || net__tcp_is_over(tc) || net__tcp_is(tc, TCPF_AWAY))
		return false;
	return net__flow_ask(nl, net__tcp_hash(nl->net, &tc->c.id), lcore);
}

/* ---- control ---- */

/** What is asked for a flow. */
struct wish {
	uint32_t hash;
	uint16_t from, to;
	bool home; /* its bucket is there: without an override */
};

static struct wish wish_of(const struct net_moves *ms, uint64_t ask)
{
	const struct plx_net *net = ms->net;
	struct wish w = {.hash = (uint32_t)(ask >> 32), .to = (uint16_t)((uint32_t)ask - 1)};
	uint16_t home = bucket_of(net, w.hash);

	if (w.to == NET_FLOW_HOME || !ms->weight[w.to])
		w.to = home;
	w.from = plx_steer_flows_owner(&net->flows, &net->owners, w.hash);
	w.home = w.to == home;
	return w;
}

/* @return whether it joins those that move; else there is nothing to move. */
static bool join(struct net_moves *ms, const struct wish *w)
{
	struct plx_net *net = ms->net;

	if (w->from == w->to) {
		if (w->home) /* its bucket has come to it */
			plx_steer_flows_clear(&net->flows, w->hash);
		return false;
	}
	if (!w->home && !plx_steer_flows_can(&net->flows, w->hash)) {
		refuse(net->flows_asked);
		return false;
	}
	ms->from = w->from;
	ms->to = w->to;
	ms->set.flow[ms->set.n_flows++] = w->hash;
	return true;
}

/* What is asked for meanwhile marks it anew. */
static void take(struct net_moves *ms, uint32_t slot)
{
	struct net_flows *fl = ms->net->flows_asked;
	uint64_t bit = UINT64_C(1) << slot % 64;
	uint64_t ask = __atomic_load_n(&fl->ask[slot], __ATOMIC_ACQUIRE);
	struct wish w = wish_of(ms, ask);

	if (ask && ms->set.n_flows && w.from != w.to && (w.from != ms->from || w.to != ms->to))
		return; /* another time */
	__atomic_fetch_and(&fl->asked[slot / 64], ~bit, __ATOMIC_ACQ_REL);
	if (!ask)
		return;
	if (!__atomic_compare_exchange_n(
		    &fl->ask[slot], &ask, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		mark(fl, slot);
		return;
	}
	join(ms, &w);
}

bool net__flows_choose(struct net_moves *ms)
{
	struct net_flows *fl = ms->net->flows_asked;

	ms->set.n_flows = 0;
	for (uint32_t i = 0; i < PLX_DIM(fl->asked); i++)
		for (uint64_t w = __atomic_load_n(&fl->asked[i], __ATOMIC_ACQUIRE); w; w &= w - 1) {
			if (ms->set.n_flows == MOVE_FLOWS)
				return true;
			take(ms, i * 64 + (uint32_t)__builtin_ctzll(w));
		}
	return ms->set.n_flows;
}

void net__flows_flip(struct net_moves *ms)
{
	struct plx_net *net = ms->net;

	for (uint16_t i = 0; i < ms->set.n_flows; i++) {
		uint32_t hash = ms->set.flow[i];

		if (bucket_of(net, hash) == ms->to) {
			plx_steer_flows_clear(&net->flows, hash);
		} else {
			plx_steer_flows_set(&net->flows, hash, ms->to);
			plx_count(net->flows_asked->moved, 1);
		}
	}
}

void net__flows_leave(struct plx_net *net)
{
	for (uint32_t slot = 0; slot < NET_FLOWS; slot++) {
		uint16_t lcore;
		uint32_t hash;

		if (plx_steer_flows_at(&net->flows, slot, &hash, &lcore) &&
			!net->moves->weight[lcore]) {
			put(net->flows_asked, hash, NET_FLOW_HOME);
			mark(net->flows_asked, slot);
		}
	}
}

/* ---- life ---- */

void net__flows_get(const struct plx_net *net, struct plx_net_moves *m)
{
	m->flows = __atomic_load_n(&net->flows.used, __ATOMIC_RELAXED);
	m->flows_moved = plx_count_read(net->flows_asked->moved);
	m->flows_refused = plx_count_read(net->flows_asked->refused);
}

int net__flows_new(struct plx_net *net)
{
	struct net_flows *fl = calloc(1, sizeof(*fl));

	net->flows_asked = fl;
	if (!fl)
		return -ENOMEM;
	fl->net = net;
	fl->msg.fn = look;
	return plx_steer_flows_init(&net->flows, fl->ent, NET_FLOWS, net->n_lcores);
}

void net__flows_free(struct plx_net *net)
{
	free(net->flows_asked);
}
