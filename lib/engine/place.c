/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

/*
 * Which lcore polls which queue.
 *
 * Each port gets as many queues as there are lcores, as far as its driver goes, or as many as were
 * asked for; queue i belongs to lcore (i + first), where first moves on with each port that has
 * fewer queues than lcores, so that single-queue ports are spread. Every port has as many tx queues
 * as rx queues; an lcore without one hands its packets to an lcore that has one.
 */

/* One where its peer has to have as many: who wants more tells both. */
static uint16_t usual_queues(const struct plx_port *p, uint16_t lcores)
{
	if (p->quirks & PLX_QUIRK_PEER_QUEUES)
		return 1;
	return PLX_MIN(plx_port_max_queues(p), lcores);
}

void plx_engine_place(uint16_t lcores, uint16_t queues, struct plx_place *place)
{
	uint16_t first = 0;

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		uint16_t n = queues;

		if (!n)
			n = usual_queues(plx_port_get(i), lcores);
		place[i] = (struct plx_place){.queues = n, .first = first};
		first = (uint16_t)((first + n) % lcores);
	}
}

/* The ports of others have no queues, and no part in how ours are spread. */
static void place_own(const struct plx_engine *eng, struct plx_place *place)
{
	uint16_t first = 0;

	plx_engine_place(eng->n, eng->conf.queues, place);
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		if (!engine__owns(eng, i))
			place[i].queues = 0;
		place[i].first = first;
		first = (uint16_t)((first + place[i].queues) % eng->n);
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

		if (engine__owns(eng, i) && plx_quirk_max_queues(p->caps.driver) < eng->n)
			return plx_error_set(e, -EINVAL, PLX_ERR_TAP_QUEUES, p->name, eng->n);
	}
	return plx_error_set(e, -EINVAL, PLX_ERR_LCORE_NO_QUEUE, eng->sn[index]->lcore);
}

static int check_lcores(
	const struct plx_engine *eng, const struct plx_place *place, struct plx_error *e)
{
	uint16_t total[PLX_ENGINE_LCORES_MAX] = {0};

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		int err = place[i].queues
				  ? plx_port_check_queues(plx_port_get(i), place[i].queues, e)
				  : 0;

		if (err)
			return err;
		for (uint16_t q = 0; q < place[i].queues; q++)
			total[lcore_of(eng, &place[i], q)]++;
	}
	for (uint16_t i = 0; i < eng->n; i++)
		if (total[i] == 0 && !eng->conf.spare_lcores)
			return no_queue(eng, i, e);
		else if (total[i] > PLX_ENGINE_RXQ_MAX)
			return plx_error_set(e, -EINVAL, PLX_ERR_LCORE_QUEUES, eng->sn[i]->lcore,
				total[i], PLX_ENGINE_RXQ_MAX);
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

	for (uint16_t q = 0; q < n; q++) {
		conf.pool[q] = eng->sn[lcore_of(eng, place, q)]->pool;
		conf.clones[q] = eng->sn[lcore_of(eng, place, q)]->clones;
	}
	err = plx_port_open(p, &conf, e);
	if (err)
		return err;
	for (uint16_t i = 0; i < eng->n; i++)
		eng->sn[i]->tx_via[p->id] =
			lcore_of(eng, place, (uint16_t)(i % PLX_MIN(n, eng->n)));
	for (uint16_t q = 0; q < n; q++) {
		struct plx_softnet *sn = eng->sn[lcore_of(eng, place, q)];

		p->rxq[q]->lcore = p->txq[q]->lcore = sn->lcore;
		if (!eng->conf.no_rx) {
			sn->rxq[sn->n_rxq++] = p->rxq[q];
			if (engine__gro_init(sn, p->rxq[q]) != 0)
				return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "GRO");
		}
		if (!sn->txq[p->id]) /* one is enough for an lcore */
			sn->txq[p->id] = p->txq[q];
	}
	return 0;
}

/** What the pools of an lcore have to hold. */
struct need {
	uint32_t mbufs, clones;
};

/* Of the busiest lcore, plus what caches and hand-overs keep away from it. */
static struct need pool_sizes(const struct plx_engine *eng, const struct plx_place *place)
{
	uint32_t caches = eng->n * 512u; /* of mempools, flushed at 1.5 times 256 */
	struct need n = {.mbufs = caches, .clones = caches};

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);
		struct plx_port_conf conf = {
			.n_rxq = (uint16_t)((place[i].queues + eng->n - 1) / eng->n),
			.n_txq = place[i].queues, /* a packet may wait in any lcore's tx queue */
			.rxd = eng->conf.rxd,
			.txd = eng->conf.txd,
			.tx_limit = (uint32_t)engine__tun(eng, PLX_TUN_TX_QUEUE_LEN),
		};

		if (!place[i].queues)
			continue;
		n.mbufs += plx_port_mbufs(p, &conf);
		n.clones += plx_port_clones(p, &conf);
	}
	n.mbufs += (eng->n - 1u) * (PLX_ENGINE_BACKLOG + PLX_PORT_BURST);
	n.mbufs += 2048; /* fragments, packets that wait for a neighbour */
	return n;
}

/* @param conf of which size and kind */
static int make_pool(const struct plx_engine *eng, const struct plx_softnet *sn, const char *kind,
	struct plx_pkt_pool_conf conf, struct rte_mempool **pool, struct plx_error *e)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	conf.name = name;
	conf.room_bytes = eng->conf.room_bytes;
	conf.socket = (int)rte_lcore_to_socket_id(sn->lcore);
	conf.shared_cpu = sn->shared_cpu;
	snprintf(name, sizeof(name), "plx_%s%u", kind, sn->lcore);
	*pool = plx_pkt_pool_create(&conf, e);
	return *pool ? 0 : -ENOMEM;
}

static int make_pools_of(
	struct plx_engine *eng, struct plx_softnet *sn, uint32_t clones, struct plx_error *e)
{
	const struct plx_pkt_pool_conf lcore = {.pkts = eng->pool_size};
	const struct plx_pkt_pool_conf bare = {.pkts = clones, .bare = true};
	const struct plx_pkt_pool_conf reserve = {
		.pkts = (uint32_t)engine__tun(eng, PLX_TUN_RESERVE_MBUFS), .uncached = true};
	int err = make_pool(eng, sn, "lcore", lcore, &sn->pool, e);

	if (!err)
		err = make_pool(eng, sn, "clones", bare, &sn->clones, e);
	if (!err)
		err = make_pool(eng, sn, "reserve", reserve, &sn->reserve, e);
	return err;
}

static int make_pools(struct plx_engine *eng, const struct plx_place *place, struct plx_error *e)
{
	struct need need = pool_sizes(eng, place);
	int err = 0;

	eng->pool_size = eng->conf.mbufs ? eng->conf.mbufs : need.mbufs;
	for (uint16_t i = 0; !err && i < eng->n; i++)
		err = make_pools_of(eng, eng->sn[i], need.clones, e);
	return err;
}

int plx_engine_open_ports(struct plx_engine *eng, struct plx_error *e)
{
	struct plx_place place[PLX_PORT_MAX];
	int err = plx_port_count() ? 0 : plx_error_set(e, -ENODEV, PLX_ERR_NO_PORTS);

	place_own(eng, place);
	if (!err)
		err = check_lcores(eng, place, e);
	if (!err)
		err = make_pools(eng, place, e);
	for (uint16_t i = 0; !err && i < plx_port_count(); i++)
		if (place[i].queues)
			err = open_port(eng, plx_port_get(i), &place[i], e);
	for (uint16_t i = 0; !err && i < eng->n; i++) {
		err = engine__idle_init(eng->sn[i]);
		if (err)
			plx_error_set(e, err, PLX_ERR_RUN, "an epoll set", strerror(-err));
	}
	if (err)
		plx_engine_close_ports(eng);
	return err;
}
