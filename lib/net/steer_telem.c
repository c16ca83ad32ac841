/* SPDX-License-Identifier: BSD-3-Clause */
#include "arfs.h"
#include "rps.h"
#include "tcp.h"

#include <plx_telem.h>

/* By what flows are given to lcores, for `pollux-ctl steer`. Lcores by EAL's numbers. */

static void add_owners(struct plx_telem_row *r, const struct plx_net *net)
{
	uint64_t owner[PLX_OWNER_BUCKETS_MAX], lcore[PLX_ENGINE_LCORES_MAX];

	for (uint16_t i = 0; i < net->n_lcores; i++)
		lcore[i] = net->lcore[i]->sn->lcore;
	for (uint16_t i = 0; i < net->owners.size; i++)
		owner[i] = lcore[__atomic_load_n(&net->owners.lcore[i], __ATOMIC_RELAXED)];
	plx_telem_row_u64s(r, "lcores", lcore, net->n_lcores);
	plx_telem_row_u64s(r, "owners", owner, net->owners.size);
}

static void add_moves(struct plx_telem_row *r, const struct plx_net *net)
{
	struct plx_net_moves m;

	plx_net_moves_get(net, &m);
	plx_telem_row_u64(r, "moving", m.waiting);
	plx_telem_row_u64(r, "moved_conns", m.conns);
	plx_telem_row_u64(r, "stayed_conns", m.stayed);
	plx_telem_row_u64(r, "abandoned", m.abandoned);
	plx_telem_row_u64(r, "parked", m.parked);
	plx_telem_row_u64(r, "park_drops", m.dropped);
	plx_telem_row_u64(r, "steer_reordered", m.reordered);
	plx_telem_row_u64(r, "flows", m.flows);
	plx_telem_row_u64(r, "flows_moved", m.flows_moved);
	plx_telem_row_u64(r, "flows_refused", m.flows_refused);
	plx_telem_row_u64(r, "arfs_rules", m.rules);
	plx_telem_row_u64(r, "arfs_made", m.rules_made);
	plx_telem_row_u64(r, "arfs_refused", m.rules_refused);
	plx_telem_row_u64(r, "rfs_entries",
		plx_net_rfs_on(net) ? (uint64_t)net__tun(net, PLX_TUN_RPS_SOCK_FLOW_ENTRIES) : 0);
}

enum plx_telem_more net__steer_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t key[PLX_STEER_KEY_MIN];
	const struct plx_net *net = arg;

	if (*cursor > 0)
		return PLX_TELEM_END;
	++*cursor;
	for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
		key[i] = net->toeplitz_key[i];
	plx_telem_row_u64s(r, "key", key, PLX_STEER_KEY_MIN);
	plx_telem_row_u64(r, "soft_steer", (uint64_t)net__tun(net, PLX_TUN_SOFT_STEER));
	plx_telem_row_u64(r, "forward4", (uint64_t)net__tun(net, PLX_TUN_IP_FORWARD));
	plx_telem_row_u64(r, "forward6", (uint64_t)net__tun(net, PLX_TUN_IP6_FORWARDING));
	add_owners(r, net);
	add_moves(r, net);
	return PLX_TELEM_MORE;
}

/* A row for each flow that lives elsewhere than its bucket; a cursor is a slot of their table. */
enum plx_telem_more net__flows_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_net *net = arg;
	uint16_t lcore, port, queue;
	uint32_t hash, slot;

	if (*cursor > net->flows.mask)
		return PLX_TELEM_END;
	slot = (uint32_t)(*cursor)++;
	if (!plx_steer_flows_at(&net->flows, slot, &hash, &lcore))
		return PLX_TELEM_MORE;
	plx_telem_row_u64(r, "hash", hash);
	plx_telem_row_u64(r, "lcore", net->lcore[lcore]->sn->lcore);
	if (net__arfs_at(net, slot, &port, &queue)) {
		plx_telem_row_str(r, "ifname", plx_port_get(port)->name);
		plx_telem_row_u64(r, "queue", queue);
	}
	return PLX_TELEM_MORE;
}

/* A row for each receive queue with a map; a cursor is how many queues, of all ports, come before.
 */
enum plx_telem_more net__rps_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_net *net = arg;
	uint64_t port = *cursor / PLX_PORT_QUEUES_MAX, queue = *cursor % PLX_PORT_QUEUES_MAX;
	const struct plx_rps_map *map;
	uint64_t lcore[PLX_ENGINE_LCORES_MAX];

	if (!net->rps || port >= plx_port_count())
		return PLX_TELEM_END;
	++*cursor;
	map = &net->rps->map[port][queue];
	if (!map->len || queue >= plx_port_get((uint16_t)port)->n_rxq)
		return PLX_TELEM_MORE;
	for (uint16_t i = 0; i < map->len; i++)
		lcore[i] = net->lcore[map->lcore[i]]->sn->lcore;
	plx_telem_row_str(r, "ifname", plx_port_get((uint16_t)port)->name);
	plx_telem_row_u64(r, "queue", queue);
	plx_telem_row_u64s(r, "lcores", lcore, map->len);
	return PLX_TELEM_MORE;
}
