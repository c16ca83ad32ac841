/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

#include <rte_malloc.h>

#include <plx_offload.h>

/*
 * GRO, between the driver and rx(): what came in a row goes up as one. As with Linux's
 * napi_gro_flush(), what is held goes up at the end of its poll, unless gro_flush_timeout lets it
 * wait for more; each receive queue has its own.
 */

int engine__gro_init(struct plx_softnet *sn, struct plx_rxq *q)
{
	const struct plx_gro_conf conf = {.raw_ip = q->port->caps.features & PLX_PORT_F_NO_ETH};

	if (!sn->eng->conf.ops->merges)
		return 0;
	q->gro = plx_pkt_mem_alloc(sizeof(*q->gro), (int)rte_lcore_to_socket_id(sn->lcore));
	if (!q->gro)
		return -ENOMEM;
	plx_gro_init(q->gro, &conf);
	plx_port_odd_forms();
	return 0;
}

static void up(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += PLX_PORT_BURST)
		engine__up(sn, q, pkts + i, (uint16_t)PLX_MIN(n - i, (uint32_t)PLX_PORT_BURST));
}

PLX_NOINLINE void engine__gro_rx(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_ns wait = engine__tun(sn->eng, PLX_TUN_GRO_FLUSH_TIMEOUT);
	uint32_t features = __atomic_load_n(&q->port->features, __ATOMIC_RELAXED), k = 0;
	struct rte_mbuf *out[PLX_GRO_OUT_MAX];
	struct plx_gro *g = q->gro;

	if (plx_unlikely(g->conf.udp != !!(features & PLX_PORT_F_UDP_GRO)))
		up(sn, q, out, plx_gro_flush(g, PLX_NEVER, out));
	g->conf.udp = features & PLX_PORT_F_UDP_GRO;
	g->conf.timeout_ns = wait;
	if (plx_unlikely(!(features & PLX_PORT_F_GRO))) { /* switched off: in front of them */
		k = plx_gro_flush(g, PLX_NEVER, out);
		up(sn, q, out, k);
		up(sn, q, pkts, n);
		return;
	}
	k = plx_gro_receive(g, pkts, n, sn->now_ns, out);
	k += plx_gro_flush(g, wait ? sn->now_ns - wait : PLX_NEVER, out + k);
	up(sn, q, out, k);
}

void engine__gro_release(struct plx_softnet *sn, struct plx_rxq *q)
{
	struct rte_mbuf *out[PLX_GRO_HELD_MAX];

	if (q->gro)
		up(sn, q, out, plx_gro_flush(q->gro, PLX_NEVER, out));
}

void engine__gro_stop(struct plx_softnet *sn)
{
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		engine__gro_release(sn, sn->rxq[i]);
}

uint32_t engine__gro_held(const struct plx_softnet *sn)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < sn->n_rxq; i++)
		if (sn->rxq[i]->gro)
			n += plx_gro_held_pkts(sn->rxq[i]->gro);
	return n;
}

plx_ns engine__gro_deadline(const struct plx_softnet *sn)
{
	plx_ns when = PLX_NEVER;

	for (uint16_t i = 0; i < sn->n_rxq; i++)
		if (sn->rxq[i]->gro)
			when = PLX_MIN(when, plx_gro_deadline(sn->rxq[i]->gro));
	return when;
}

void engine__gro_fini(struct plx_softnet *sn)
{
	for (uint16_t i = 0; i < sn->n_rxq; i++) {
		rte_free(sn->rxq[i]->gro);
		sn->rxq[i]->gro = NULL;
	}
}
