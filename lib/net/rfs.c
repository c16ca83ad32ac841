/* SPDX-License-Identifier: BSD-3-Clause */
#include "rfs.h"

#include <stdlib.h>

/*
 * Linux's rps_record_sock_flow(), and what becomes of it. There the next packets of a flow go to
 * the CPU that its socket was used on; here the flow moves as a whole (flow.c), so that it is asked
 * for only when the use is steady.
 *
 * A flow has the entry of its slot as long as no other flow of that slot is used; one that has lost
 * it begins anew, as if it had not been used before. So the table is to be several times as large
 * as there are flows, as Linux's.
 */

static bool is_on(const struct plx_net *net)
{
	return __atomic_load_n(&net->rfs, __ATOMIC_RELAXED);
}

bool plx_net_rfs_on(const struct plx_net *net)
{
	return plx_unlikely(is_on(net));
}

bool net__rfs_used(const struct net_lcore *nl, const struct plx_tcp_id *id, uint16_t lcore,
	struct plx_rfs_streak *streak)
{
	struct net_rfs *r = __atomic_load_n(&nl->net->rfs, __ATOMIC_ACQUIRE);
	uint32_t hash;
	uint16_t was;

	if (!r)
		return false;
	hash = net__tcp_hash(nl->net, id);
	was = plx_steer_rfs_find(&r->socks, hash);
	plx_steer_rfs_record(&r->socks, hash, lcore);
	if (was != lcore || lcore == nl->sn->index) { /* by another socket of this flow, too */
		streak->calls = 0;
		return false;
	}
	return plx_steer_rfs_steady(streak, lcore, (uint32_t)(nl->sn->now_ns / 1000));
}

bool plx_net_tcp_used(struct plx_softnet *sn, const struct plx_net_tcp *tc, uint16_t lcore,
	struct plx_rfs_streak *streak)
{
	return net__rfs_used(net__self(sn), &tc->c.id, lcore, streak);
}

uint16_t net__rfs_of(const struct plx_net *net, const struct plx_tcp_id *id)
{
	const struct net_rfs *r = __atomic_load_n(&net->rfs, __ATOMIC_ACQUIRE);

	return r ? plx_steer_rfs_find(&r->socks, net__tcp_hash(net, id)) : PLX_STEER_NO_LCORE;
}

/* ---- control ---- */

static void free_rfs(struct net_retired *r)
{
	free(plx_container_of(r, struct net_rfs, retired));
}

static struct net_rfs *rfs_new(const struct plx_net *net, uint32_t entries)
{
	struct net_rfs *r = malloc(sizeof(*r) + plx_steer_rfs_socks_bytes(entries));

	if (r)
		plx_steer_rfs_socks_init(&r->socks, r->ent, entries, net->n_lcores);
	return r;
}

/* Without memory for a larger one it goes on with what it has. */
void net__rfs_watch(struct plx_net *net)
{
	uint32_t want = (uint32_t)net__tun(net, PLX_TUN_RPS_SOCK_FLOW_ENTRIES);
	struct net_rfs *old = net->rfs, *fresh;

	if (plx_likely(want == net->rfs_entries) || net->n_lcores == 1)
		return;
	fresh = want ? rfs_new(net, want) : NULL;
	net->rfs_entries = want;
	if (want && !fresh)
		return;
	__atomic_store_n(&net->rfs, fresh, __ATOMIC_RELEASE);
	if (old)
		net__retire(net, &old->retired, free_rfs);
}

void net__rfs_free(struct plx_net *net)
{
	free(net->rfs);
}
