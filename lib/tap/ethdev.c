/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_tap_ethdev.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

/*
 * A callback is all that an lcore passes here, so it is there that it holds a list of taps: online
 * when it begins, offline at its end, and only if somebody looks at all.
 */

#define QUEUES 32 /* the bits of plx_tap_conf.queues */

struct queue {
	const struct rte_eth_rxtx_callback *rx, *tx;
};

struct port {
	bool added;
	char name[RTE_ETH_NAME_MAX_LEN];
	struct queue queue[QUEUES];
};

static struct {
	struct plx_taps *taps; /* NULL: there are none */
	struct rte_rcu_qsbr *rcu;
	uint64_t zero, hz;
	struct port port[PLX_PORT_MAX];
} dpdk;

/* Who looks, from an lcore that is online. */
static const struct plx_pkt_watch *watch_of(unsigned int lcore, enum plx_pkt_point point)
{
	return __atomic_load_n(&plx_pkt_watches[lcore].at[point], __ATOMIC_ACQUIRE);
}

static void show(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	for (uint16_t done = 0, part; done < n; done = (uint16_t)(done + part)) {
		part = (uint16_t)PLX_MIN(n - done, PLX_PKT_WATCH_MAX);
		w->see(w, s, pkts + done, part);
		if (s->point == PLX_PKT_AT_TX)
			w->took(w, s, part);
	}
}

static void pass(
	enum plx_pkt_point point, uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct plx_pkt_seen s = {.point = (uint8_t)point,
		.out = point == PLX_PKT_AT_TX,
		.port = port,
		.queue = (uint8_t)queue};
	unsigned int lcore = rte_lcore_id();
	const struct plx_pkt_watch *w;

	if (!n || lcore >= RTE_MAX_LCORE || plx_likely(!watch_of(lcore, point)))
		return;
	rte_rcu_qsbr_thread_online(dpdk.rcu, lcore);
	w = watch_of(lcore, point);
	if (w)
		show(w, &s, pkts, n);
	rte_rcu_qsbr_thread_offline(dpdk.rcu, lcore);
}

static uint16_t on_rx(
	uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, uint16_t room, void *arg)
{
	pass(PLX_PKT_AT_RX, port, queue, pkts, n);
	return n;
}

static uint16_t on_tx(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, void *arg)
{
	pass(PLX_PKT_AT_TX, port, queue, pkts, n);
	return n;
}

/* ---- what taps want to know ---- */

static plx_ns now(const struct tap_host *h)
{
	uint64_t t = rte_get_tsc_cycles() - dpdk.zero;

	return PLX_SEC(t / dpdk.hz) + (plx_ns)(t % dpdk.hz * 1000000000 / dpdk.hz);
}

static bool describe(const struct tap_host *h, uint16_t id, struct tap_port *p)
{
	struct rte_ether_addr mac;
	struct rte_eth_link link;

	*p = (struct tap_port){.name = dpdk.port[id].name};
	if (!dpdk.port[id].added)
		return false;
	if (rte_eth_macaddr_get(id, &mac) == 0) {
		p->has_mac = true;
		memcpy(p->mac, &mac, sizeof(p->mac));
	}
	if (rte_eth_link_get_nowait(id, &link) == 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		p->bps = link.link_speed * UINT64_C(1000000);
	return true;
}

/* ---- set-up ---- */

static void forget(struct tap_host *h)
{
	for (uint16_t p = 0; p < PLX_PORT_MAX; p++) {
		struct port *port = &dpdk.port[p];

		for (uint16_t q = 0; q < QUEUES && port->added; q++) {
			struct queue *queue = &port->queue[q];

			if (queue->rx && rte_eth_remove_rx_callback(p, q, queue->rx) == 0)
				rte_free((void *)(uintptr_t)queue->rx);
			if (queue->tx && rte_eth_remove_tx_callback(p, q, queue->tx) == 0)
				rte_free((void *)(uintptr_t)queue->tx);
		}
		*port = (struct port){0};
	}
	rte_free(dpdk.rcu);
	dpdk.rcu = NULL;
	dpdk.taps = NULL;
}

static int find_lcores(struct tap_host *h)
{
	for (uint32_t i = 0; i < RTE_MAX_LCORE; i++) {
		if (rte_eal_lcore_role(i) == ROLE_OFF)
			continue;
		if (h->n_lcores == PLX_DIM(h->lcore))
			return -E2BIG;
		h->lcore[h->n_lcores++] = i;
		rte_rcu_qsbr_thread_register(h->rcu, i);
	}
	return 0;
}

struct plx_taps *plx_taps_create_ethdev(struct plx_error *e)
{
	struct tap_host h = {.now = now, .port = describe, .fini = forget};
	int err = dpdk.taps ? -EBUSY : 0;

	if (!err) {
		h.rcu = rte_zmalloc(
			NULL, rte_rcu_qsbr_get_memsize(RTE_MAX_LCORE), RTE_CACHE_LINE_SIZE);
		err = h.rcu ? rte_rcu_qsbr_init(h.rcu, RTE_MAX_LCORE) : -ENOMEM;
	}
	if (!err)
		err = find_lcores(&h);
	if (err) {
		rte_free(h.rcu);
		plx_error_set(e, err, PLX_ERR_RUN, "taps of DPDK's ports", strerror(-err));
		return NULL;
	}
	dpdk.rcu = h.rcu;
	dpdk.zero = rte_get_tsc_cycles();
	dpdk.hz = rte_get_tsc_hz();
	dpdk.taps = tap__taps_new(&h, e);
	if (!dpdk.taps)
		forget(&h);
	return dpdk.taps;
}

static int add_callbacks(struct port *p, uint16_t id)
{
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(id, &info);

	if (!err && !info.nb_rx_queues && !info.nb_tx_queues)
		return -EINVAL; /* not configured */
	if (!err && (info.nb_rx_queues > QUEUES || info.nb_tx_queues > QUEUES))
		return -E2BIG;
	for (uint16_t q = 0; !err && q < info.nb_rx_queues; q++) {
		p->queue[q].rx = rte_eth_add_rx_callback(id, q, on_rx, NULL);
		err = p->queue[q].rx ? 0 : -rte_errno;
	}
	for (uint16_t q = 0; !err && q < info.nb_tx_queues; q++) {
		p->queue[q].tx = rte_eth_add_tx_callback(id, q, on_tx, NULL);
		err = p->queue[q].tx ? 0 : -rte_errno;
	}
	return err;
}

int plx_taps_add_port(struct plx_taps *ts, uint16_t port, struct plx_error *e)
{
	struct port *p = port < PLX_PORT_MAX ? &dpdk.port[port] : NULL;
	char number[8];
	int err = 0;

	snprintf(number, sizeof(number), "%u", port);
	if (ts != dpdk.taps)
		err = -EINVAL;
	else if (!p || rte_eth_dev_get_name_by_port(port, p->name) != 0)
		err = -ENODEV;
	else if (p->added)
		err = -EEXIST;
	if (!err) {
		p->added = true; /* what was added of it goes with the taps */
		err = add_callbacks(p, port);
		if (err && !p->queue[0].rx && !p->queue[0].tx)
			p->added = false; /* nothing was: it may be tried again */
	}
	return err ? plx_error_set(e, err, PLX_ERR_PORT_OPEN, number, "adding its callbacks",
			     strerror(-err), "configure the port first, and add it once")
		   : 0;
}
