/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

/*
 * Which lcore polls which queue.
 *
 * Each port gets as many queues as there are lcores, as far as its driver goes; queue i belongs to
 * lcore (i + first), where first moves on with each port that has fewer queues than lcores, so that
 * single-queue ports are spread. Every port has as many tx queues as rx queues; an lcore without
 * one hands its packets to an lcore that has one.
 */

static uint16_t queues_of(const struct plx_port *p, uint16_t lcores)
{
	uint32_t n = PLX_MIN(p->caps.max_rxq, p->caps.max_txq);

	if (p->upper) /* opened and polled by the port that wraps it */
		return 0;
	n = PLX_MIN(n, (uint32_t)lcores);
	n = PLX_MIN(n, plx_quirk_max_queues(p->caps.driver));
	return (uint16_t)PLX_MIN(n, (uint32_t)PLX_PORT_QUEUES_MAX);
}

void plx_engine_place(uint16_t lcores, struct plx_place *place)
{
	uint16_t first = 0;

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		uint16_t n = queues_of(plx_port_get(i), lcores);

		place[i] = (struct plx_place){.queues = n, .first = first};
		if (n && n < lcores)
			first = (uint16_t)((first + n) % lcores);
	}
}

/* The lcore of a port's queue. */
static uint16_t lcore_of(
	const struct plx_engine *eng, const struct plx_place *place, uint16_t queue)
{
	return (uint16_t)((place->first + queue) % eng->n);
}

/* An lcore without a queue: which limit is to blame? */
static int no_queue(const struct plx_engine *eng, uint16_t index, struct plx_error *e)
{
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);

		if (plx_quirk_max_queues(p->caps.driver) < eng->n)
			return plx_error_set(e, -EINVAL, PLX_ERR_TAP_QUEUES, p->name, eng->n);
	}
	return plx_error_set(e, -EINVAL, PLX_ERR_LCORE_NO_QUEUE, eng->sn[index]->lcore);
}

static int check_lcores(
	const struct plx_engine *eng, const struct plx_place *place, struct plx_error *e)
{
	uint16_t total[PLX_ENGINE_LCORES_MAX] = {0};

	for (uint16_t i = 0; i < plx_port_count(); i++)
		for (uint16_t q = 0; q < place[i].queues; q++)
			total[lcore_of(eng, &place[i], q)]++;
	for (uint16_t i = 0; i < eng->n; i++)
		if (total[i] == 0 && !eng->conf.spare_lcores)
			return no_queue(eng, i, e);
	return 0;
}

static int open_port(struct plx_engine *eng, struct plx_port *p, const struct plx_place *place,
	struct plx_error *e)
{
	uint16_t n = place->queues;
	struct plx_port_conf conf = {
		.n_rxq = n,
		.n_txq = n,
		.rxd = eng->conf.rxd,
		.txd = eng->conf.txd,
		.rx_intr = eng->conf.idle == PLX_IDLE_SLEEP,
		.promisc = eng->conf.promisc,
		.features_off = eng->conf.features_off,
		.tx_limit = (uint32_t)engine__tun(eng, PLX_TUN_TX_QUEUE_LEN),
	};
	int err;

	for (uint16_t q = 0; q < n; q++)
		conf.pool[q] = eng->sn[lcore_of(eng, place, q)]->pool;
	err = plx_port_open(p, &conf, e);
	if (err)
		return err;
	for (uint16_t i = 0; i < eng->n; i++)
		eng->sn[i]->tx_via[p->id] = lcore_of(eng, place, (uint16_t)(i % n));
	for (uint16_t q = 0; q < n; q++) {
		struct plx_softnet *sn = eng->sn[lcore_of(eng, place, q)];

		p->rxq[q]->lcore = p->txq[q]->lcore = sn->lcore;
		if (!eng->conf.no_rx)
			sn->rxq[sn->n_rxq++] = p->rxq[q];
		sn->txq[p->id] = p->txq[q];
	}
	return 0;
}

/* Mbufs that the busiest lcore's pool must hold, plus what caches and hand-overs keep away from it.
 */
static uint32_t pool_size(const struct plx_engine *eng)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);
		struct plx_port_conf conf = {
			.n_rxq = 1,
			.n_txq = queues_of(
				p, eng->n), /* a packet may wait in any lcore's tx queue */
			.rxd = eng->conf.rxd,
			.txd = eng->conf.txd,
			.tx_limit = (uint32_t)engine__tun(eng, PLX_TUN_TX_QUEUE_LEN),
		};

		n += plx_port_mbufs(p, &conf);
	}
	n += eng->n * 512u; /* mempool caches, flushed at 1.5 times 256 */
	n += (eng->n - 1u) * (PLX_ENGINE_BACKLOG + PLX_PORT_BURST);
	return n + 2048; /* fragments, packets that wait for a neighbour */
}

int engine__pools(struct plx_engine *eng, struct plx_error *e)
{
	eng->pool_size = eng->conf.mbufs ? eng->conf.mbufs : pool_size(eng);
	for (uint16_t i = 0; i < eng->n; i++) {
		struct plx_softnet *sn = eng->sn[i];
		char name[RTE_MEMPOOL_NAMESIZE];
		struct plx_pkt_pool_conf conf = {
			.name = name,
			.pkts = eng->pool_size,
			.room_bytes = eng->conf.room_bytes,
			.socket = (int)rte_lcore_to_socket_id(sn->lcore),
			.shared_cpu = sn->shared_cpu,
		};

		snprintf(name, sizeof(name), "plx_lcore%u", sn->lcore);
		sn->pool = plx_pkt_pool_create(&conf, e);
		if (!sn->pool)
			return -ENOMEM;
	}
	return 0;
}

int plx_engine_open_ports(struct plx_engine *eng, struct plx_error *e)
{
	struct plx_place place[PLX_PORT_MAX];
	int err = plx_port_count() ? 0 : plx_error_set(e, -ENODEV, PLX_ERR_NO_PORTS);

	plx_engine_place(eng->n, place);
	if (!err)
		err = check_lcores(eng, place, e);
	if (!err)
		err = engine__pools(eng, e);
	for (uint16_t i = 0; !err && i < plx_port_count(); i++)
		if (place[i].queues)
			err = open_port(eng, plx_port_get(i), &place[i], e);
	for (uint16_t i = 0; !err && i < eng->n; i++) {
		err = engine__idle_init(eng->sn[i]);
		if (err)
			plx_error_set(e, err, PLX_ERR_NO_MEMORY, "an epoll set", 0u, 0u);
	}
	if (err)
		for (uint16_t i = 0; i < plx_port_count(); i++)
			plx_port_close(plx_port_get(i));
	return err;
}
