/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <errno.h>

#include <rte_malloc.h>

#include <plx_base_defs.h>

#include "feature.h"
#include "rss.h"

#define DEFAULT_DESCS	 1024
#define DEFAULT_TX_LIMIT 1000
#define PKT_CLONES	 2 /* a segment's text, and the border of two buffers in it */

static uint16_t descs(uint16_t asked, uint16_t wish)
{
	return asked ? asked : wish ? wish : DEFAULT_DESCS;
}

/*
 * A driver that refuses a long frame for ever must never be shown one: its MTU, an Ethernet header
 * and a VLAN tag. All others look for themselves.
 */
static uint16_t frame_limit(const struct plx_port *p)
{
	uint32_t link = plx_port_features(p) & PLX_PORT_F_NO_ETH ? 0 : 14 + 4;

	if (!(p->quirks & (PLX_QUIRK_REFUSES_LONG | PLX_QUIRK_MTU_ROOM)))
		return 0;
	return (uint16_t)PLX_MIN(p->mtu + link, (uint32_t)UINT16_MAX);
}

static void queues_free(struct plx_port *p)
{
	for (unsigned int i = 0; i < PLX_PORT_QUEUES_MAX; i++) {
		if (p->txq[i]) {
			p->past_tx_pkts += p->txq[i]->pkts;
			p->past_tx_drops += p->txq[i]->drops;
			rte_free(p->txq[i]->fifo);
		}
		if (p->rxq[i])
			p->past_rx_pkts += p->rxq[i]->pkts;
		rte_free(p->txq[i]);
		rte_free(p->rxq[i]);
		p->txq[i] = NULL;
		p->rxq[i] = NULL;
	}
	p->n_rxq = p->n_txq = 0;
}

static struct plx_rxq *rxq_new(struct plx_port *p, uint16_t id)
{
	struct plx_rxq *q = plx_pkt_mem_alloc(sizeof(*q), p->caps.socket);

	if (q)
		*q = (struct plx_rxq){.port = p, .id = id, .lcore = LCORE_ID_ANY};
	return q;
}

static struct plx_txq *txq_new(struct plx_port *p, uint16_t id, uint32_t limit)
{
	struct plx_txq *q = plx_pkt_mem_alloc(sizeof(*q), p->caps.socket);
	uint32_t cap = rte_align32pow2(limit + PLX_PORT_BURST);

	if (!q)
		return NULL;
	*q = (struct plx_txq){
		.port = p,
		.id = id,
		.lcore = LCORE_ID_ANY,
		.cap = cap,
		.limit = limit,
		.max_segs = port__max_segs(p, plx_port_features(p)),
		.max_bytes = frame_limit(p),
		.fifo = plx_pkt_mem_alloc(cap * sizeof(void *), p->caps.socket),
	};
	if (!q->fifo) {
		rte_free(q);
		return NULL;
	}
	return q;
}

static int queues_new(struct plx_port *p, const struct plx_port_conf *conf)
{
	uint32_t limit = conf->tx_limit ? conf->tx_limit : DEFAULT_TX_LIMIT;

	p->tx_limit = limit;
	p->lost_link = false;
	p->n_rxq = conf->n_rxq;
	p->n_txq = conf->n_txq;
	for (uint16_t i = 0; i < p->n_rxq; i++) {
		p->rxq[i] = rxq_new(p, i);
		if (!p->rxq[i])
			return -ENOMEM;
	}
	for (uint16_t i = 0; i < p->n_txq; i++) {
		p->txq[i] = txq_new(p, i, limit);
		if (!p->txq[i])
			return -ENOMEM;
	}
	return 0;
}

uint16_t plx_port_max_queues(const struct plx_port *p)
{
	uint32_t n = PLX_MIN(p->caps.max_rxq, p->caps.max_txq);

	n = PLX_MIN(n, plx_quirk_max_queues(p->caps.driver));
	return (uint16_t)PLX_MIN(n, (uint32_t)PLX_PORT_QUEUES_MAX);
}

int plx_port_check_queues(const struct plx_port *p, uint16_t n, struct plx_error *e)
{
	uint16_t max = plx_port_max_queues(p);

	if (n > plx_quirk_max_queues(p->caps.driver))
		return plx_error_set(e, -EINVAL, PLX_ERR_TAP_QUEUES, p->name, n);
	return n <= max ? 0 : plx_error_set(e, -EINVAL, PLX_ERR_PORT_QUEUES, p->name, n, max);
}

static void set_pools(struct plx_txq *q, const struct plx_port_conf *conf, uint16_t rxq)
{
	q->pool = conf->pool[rxq];
	q->clones = conf->clones[q->id];
}

int plx_port_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	int err = plx_port_check_queues(p, PLX_MAX(conf->n_rxq, conf->n_txq), e);
	uint16_t mtu = p->mtu;

	if (err)
		return err;
	if (p->open)
		return plx_error_set(e, -EBUSY, PLX_ERR_PORT_OPEN, p->name, "opening",
			"it is open already", "close it first");
	port__features_begin(p, conf->features_off);
	if (conf->mtu)
		p->mtu = conf->mtu;
	if (queues_new(p, conf) != 0)
		err = plx_error_set(e, -ENOMEM, PLX_ERR_PORT_OPEN, p->name, "allocating queues",
			"no memory", "raise EAL's -m");
	if (!err)
		err = p->ops->open(p, conf, e);
	if (err) {
		queues_free(p);
		p->features = p->wanted = p->caps.features;
		p->mtu = mtu;
		return err;
	}
	p->open = p->admin_up = true;
	p->opening++;
	for (uint16_t i = 0; i < p->n_txq; i++)
		set_pools(p->txq[i], conf, PLX_MIN(i, p->n_rxq - 1));
	port__features_opened(p);
	port__rss_opened(p);
	if (conf->promisc)
		plx_port_set_rx_mode(p, true, p->allmulti);
	return 0;
}

/* Take back what only its receive queues can give. */
static void receive_rest(struct plx_port *p)
{
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	uint16_t n;

	for (uint16_t i = 0; i < p->n_rxq; i++)
		while ((n = plx_rxq_burst(p->rxq[i], pkts, PLX_PORT_BURST)))
			plx_pkt_drop_bulk(pkts, n, PLX_DROP_STOPPED);
}

void plx_port_close(struct plx_port *p)
{
	if (!p->open)
		return;
	for (uint16_t i = 0; i < p->n_txq; i++) {
		struct plx_txq *q = p->txq[i];

		plx_txq_flush(q);
		plx_txq_drop_all(q, PLX_DROP_STOPPED);
	}
	if (p->quirks & PLX_QUIRK_HOLDS)
		receive_rest(p);
	p->ops->stop(p);
	p->open = p->admin_up = false;
	queues_free(p);
}

uint32_t plx_port_mbufs(const struct plx_port *p, const struct plx_port_conf *conf)
{
	uint32_t limit = conf->tx_limit ? conf->tx_limit : DEFAULT_TX_LIMIT;
	uint32_t burst = PLX_PORT_BURST * PLX_MAX(p->caps.rx_segs, 1u);
	uint32_t n = conf->n_rxq * (descs(conf->rxd, p->caps.rxd) + burst);

	if (p->quirks & PLX_QUIRK_PREALLOC) /* fills its ring before it frees what it has */
		n += conf->n_rxq * descs(conf->rxd, p->caps.rxd);
	n += conf->n_txq * limit;
	if (!(p->quirks & PLX_QUIRK_COPIES))
		n += conf->n_txq * descs(conf->txd, p->caps.txd);
	return n;
}

uint32_t plx_port_clones(const struct plx_port *p, const struct plx_port_conf *conf)
{
	uint32_t pkts = conf->tx_limit ? conf->tx_limit : DEFAULT_TX_LIMIT;

	if (!(p->caps.features & PLX_PORT_F_SG))
		return 0;
	if (!(p->quirks & PLX_QUIRK_COPIES))
		pkts += descs(conf->txd, p->caps.txd);
	return conf->n_txq * pkts * PKT_CLONES;
}

int plx_port_set_mtu(struct plx_port *p, uint16_t mtu)
{
	int err;

	if (mtu < p->caps.min_mtu || mtu > p->caps.max_mtu)
		return -EINVAL;
	if (!p->ops->set_mtu || !(plx_port_features(p) & PLX_PORT_F_SET_MTU))
		return -EOPNOTSUPP;
	err = p->ops->set_mtu(p, mtu);
	if (err)
		return err;
	p->mtu = mtu;
	for (uint16_t i = 0; i < p->n_txq; i++)
		__atomic_store_n(&p->txq[i]->max_bytes, frame_limit(p), __ATOMIC_RELAXED);
	port__features_mtu(p);
	return 0;
}

int plx_port_set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	int err;

	if (plx_mac_is_mcast(mac) || plx_mac_is_zero(mac))
		return -EADDRNOTAVAIL; /* as Linux's eth_validate_addr() */
	if (!p->ops->set_mac || !(plx_port_features(p) & PLX_PORT_F_SET_MAC))
		return -EOPNOTSUPP;
	err = p->ops->set_mac(p, mac);
	if (!err)
		p->mac = *mac;
	return err;
}

int plx_port_set_rx_mode(struct plx_port *p, bool promisc, bool allmulti)
{
	int err = p->ops->set_rx_mode ? p->ops->set_rx_mode(p, promisc, allmulti) : 0;

	/* A port without a filter passes everything as it is; the stack filters by MAC. */
	if (err && err != -EOPNOTSUPP)
		return err;
	p->promisc = promisc;
	p->allmulti = allmulti;
	return 0;
}

int plx_port_set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n)
{
	int err = -EOPNOTSUPP;

	if (!(plx_port_features(p) & PLX_PORT_F_RX_FILTER))
		return 0;
	if (p->ops->set_mcast && n <= PLX_PORT_MCAST_MAX)
		err = p->ops->set_mcast(p, mac, n);
	if (err)
		err = plx_port_set_rx_mode(p, p->promisc, true);
	if (err)
		err = plx_port_set_rx_mode(p, true, true);
	return err;
}

int plx_port_set_link(struct plx_port *p, bool up)
{
	int err = p->ops->set_link ? p->ops->set_link(p, up) : 0;

	if (err && err != -EOPNOTSUPP)
		return err;
	p->admin_up = up;
	plx_port_link_check(p);
	return 0;
}

void plx_port_link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){.up = p->open};
	if (p->open && p->ops->link)
		p->ops->link(p, link);
	link->up = link->up && p->admin_up;
}

bool plx_port_link_check(struct plx_port *p)
{
	struct plx_link link;

	if (!p->open)
		return false;
	if (plx_port_features(p) & PLX_PORT_F_LINK)
		plx_port_link(p, &link);
	else
		link.up = p->admin_up;
	if (link.up != p->lost_link)
		return false;
	__atomic_store_n(&p->lost_link, !link.up, __ATOMIC_RELAXED);
	for (uint16_t i = 0; i < p->n_txq; i++)
		__atomic_store_n(&p->txq[i]->limit, link.up ? p->tx_limit : 0, __ATOMIC_RELAXED);
	return true;
}
