/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Linux's get_rps_cpu(), for what is forwarded: what is for us goes to its owner. It is asked once
 * the route is known, so that a packet for us never takes the detour; what has come from another
 * lcore is not asked again.
 */

/* Linux's __flow_hash_consistentify(): both directions of a flow alike. */
static void sort(struct plx_tuple *t)
{
	struct plx_addr addr = t->src;
	uint16_t port = t->sport;

	if (memcmp(t->dst.b, t->src.b, sizeof(addr.b)) < 0) {
		t->src = t->dst;
		t->dst = addr;
	}
	if (t->dport < port) {
		t->sport = t->dport;
		t->dport = port;
	}
}

/* skb_get_hash(): the device's, if it is of ports, else one of our own. Never 0. */
static uint32_t hash_of(
	const struct plx_net *net, const struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	struct plx_tuple t;

	if (!plx_wire_tuple_l3(&t, rte_pktmbuf_mtod(m, const void *), m->data_len))
		t = (struct plx_tuple){.src = rx->ip.src, .dst = rx->ip.dst, .frag = true};
	if (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH && !t.frag &&
		(t.proto == PLX_IPPROTO_TCP || t.proto == PLX_IPPROTO_UDP))
		return plx_steer_hash_nonzero(m->hash.rss);
	sort(&t);
	return plx_steer_hash_nonzero(plx_steer_hash_tuple(&net->toeplitz, &t));
}

bool net__rps(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	const struct net_rps *r = __atomic_load_n(&nl->net->rps, __ATOMIC_ACQUIRE);
	const struct plx_rxq *q = nl->way->q;
	const struct plx_rps_map *map = r ? r->by[q->port->id][q->id] : NULL;
	uint16_t lcore;

	if (!map)
		return false;
	lcore = plx_steer_rps(map, hash_of(nl->net, m, rx), &r->online);
	if (lcore == PLX_STEER_NO_LCORE || lcore == nl->sn->index)
		return false;
	net__stage(m, NET_STAGE_IP, rx->iface,
		NET_F_HANDED | NET_F_FORWARDED | (rx->link_group ? NET_F_LINK_GROUP : 0) |
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

static bool is_meant(const struct change *c, uint16_t port, uint16_t queue)
{
	return port == c->port && (c->queue == PLX_NET_ALL_QUEUES || queue == c->queue);
}

/* @return the new maps, or NULL: no memory. *n: how many. */
static struct net_rps *changed(const struct change *c, unsigned int *n)
{
	const struct net_rps *old = c->net->rps;
	struct net_rps *r =
		calloc(1, sizeof(*r) + sizeof(r->map[0]) * PLX_PORT_MAX * PLX_PORT_QUEUES_MAX);

	*n = 0;
	if (!r)
		return NULL;
	plx_lcore_set_first(&r->online, c->net->n_lcores);
	for (uint16_t p = 0; p < PLX_PORT_MAX; p++)
		for (uint16_t q = 0; q < PLX_PORT_QUEUES_MAX; q++) {
			struct plx_rps_map *map = &r->map[*n];

			if (is_meant(c, p, q))
				plx_steer_rps_set(map, &c->want, &r->online);
			else if (old && old->by[p][q])
				*map = *old->by[p][q];
			if (map->len) {
				r->by[p][q] = map;
				++*n;
			}
		}
	return r;
}

static void do_set(struct plx_softnet *sn, void *arg)
{
	struct change *c = arg;
	struct plx_net *net = c->net;
	struct net_rps *old = net->rps, *fresh;
	unsigned int n;

	fresh = changed(c, &n);
	c->result = fresh ? 0 : -ENOMEM;
	if (!fresh)
		return;
	if (n == 0) {
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
