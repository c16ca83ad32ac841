/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Linux's get_rps_cpu(), for what is forwarded: what is for us goes to its owner. It is asked once
 * the route is known, so that a packet for us never takes the detour; what has come from another
 * lcore is not asked again.
 */

static uint32_t hash_of(
	const struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	const struct plx_port *port = nl->way->q->port;
	bool hashed = m->ol_flags & RTE_MBUF_F_RX_RSS_HASH &&
		      plx_port_features(port) & PLX_PORT_F_RX_HASH;
	struct plx_tuple t;

	if (!plx_wire_tuple_l3(&t, rte_pktmbuf_mtod(m, const void *), m->data_len))
		t = (struct plx_tuple){.src = rx->ip.src, .dst = rx->ip.dst, .frag = true};
	return plx_steer_rps_hash(
		&nl->net->sorted, &t, hashed ? plx_port_rss_types(port) : 0, m->hash.rss);
}

bool net__rps(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	const struct net_rps *r = nl->way->rps;
	const struct plx_rxq *q = nl->way->q;
	const struct plx_rps_map *map = &r->map[q->port->id][q->id];
	uint16_t lcore;

	if (!map->len)
		return false;
	lcore = plx_steer_rps(map, hash_of(nl, m, rx), &r->online);
	if (lcore == PLX_STEER_NO_LCORE || lcore == nl->sn->index)
		return false;
	net__stage(m, NET_STAGE_IP, rx->iface,
		NET_F_FORWARDED | (rx->link_group ? NET_F_LINK_GROUP : 0) |
			(rx->looped ? NET_F_LOOPED : 0));
	plx_softnet_hand(nl->sn, lcore, m);
	return true;
}

/* ---- control ---- */

/** A change. */
struct change {
	struct plx_net *net;
	uint16_t port;
	int queue; /**< or PLX_NET_ALL_QUEUES */
	struct plx_lcore_set want;
	int result;
};

static void free_rps(struct net_retired *r)
{
	free(plx_container_of(r, struct net_rps, retired));
}

/* @return the new maps, or NULL: no memory. */
static struct net_rps *changed(const struct change *c)
{
	const struct net_rps *old = c->net->rps;
	struct net_rps *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (old)
		memcpy(r->map, old->map, sizeof(r->map));
	plx_lcore_set_first(&r->online, c->net->n_lcores);
	for (uint16_t q = 0; q < PLX_PORT_QUEUES_MAX; q++)
		if (c->queue == PLX_NET_ALL_QUEUES || q == c->queue)
			plx_steer_rps_set(&r->map[c->port][q], &c->want, &r->online);
	return r;
}

static bool is_empty(const struct net_rps *r)
{
	for (uint16_t p = 0; p < PLX_PORT_MAX; p++)
		for (uint16_t q = 0; q < PLX_PORT_QUEUES_MAX; q++)
			if (r->map[p][q].len)
				return false;
	return true;
}

static void do_set(struct plx_softnet *sn, void *arg)
{
	struct change *c = arg;
	struct plx_net *net = c->net;
	struct net_rps *old = net->rps, *fresh = changed(c);

	c->result = fresh ? 0 : -ENOMEM;
	if (!fresh)
		return;
	if (is_empty(fresh)) {
		free(fresh);
		fresh = NULL;
	}
	__atomic_store_n(&net->rps, fresh, __ATOMIC_RELEASE);
	if (old)
		net__retire(net, &old->retired, free_rps);
}

int plx_net_rps_set(
	struct plx_net *net, uint16_t port, int queue, const struct plx_lcore_set *lcores)
{
	const struct plx_port *p = plx_port_get(port);
	struct change c = {.net = net, .port = port, .queue = queue};
	int err;

	if (!p || !plx_engine_has_port(net->eng, port))
		return -ENODEV;
	if (queue != PLX_NET_ALL_QUEUES && (queue < 0 || queue >= p->n_rxq))
		return -EINVAL;
	for (uint16_t i = 0; lcores && i < net->n_lcores; i++)
		if (plx_lcore_set_has(lcores, net->lcore[i]->sn->lcore))
			plx_lcore_set_add(&c.want, i);
	err = net__control(net, do_set, &c);
	return err ? err : c.result;
}

void net__rps_free(struct plx_net *net)
{
	free(net->rps);
}
