/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

#include <errno.h>

#define DEFAULT_DESCS 1024

static int failed(const struct plx_port *p, const char *step, int err, struct plx_error *e)
{
	const char *remedy = "see EAL's log (--log-level=8)";

	if (err == -ENOMEM)
		remedy = "raise EAL's -m (MiB), or use fewer descriptors (--rxd, --txd)";
	else if (err == -EPERM || err == -EACCES)
		remedy = "run as root, or give the binary cap_net_admin";
	return plx_error_set(e, err, PLX_ERR_PORT_OPEN, p->name, step, strerror(-err), remedy);
}

static uint16_t descs(uint16_t asked, uint16_t wish)
{
	return asked ? asked : wish ? wish : DEFAULT_DESCS;
}

/*
 * Offloads in use: those that we asked for and the device has. They cannot be changed while it
 * runs, so there is no set_features: a transmit offload may be left unused, receive checksums stay.
 */
static void offloads(
	const struct plx_port *p, const struct rte_eth_dev_info *info, struct rte_eth_conf *c)
{
	uint64_t rx = 0, tx = 0;

	if (p->features & PLX_PORT_F_RX_CSUM)
		rx |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
		      RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	if (p->features & PLX_PORT_F_RX_HASH)
		rx |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
	if (p->mtu > 1500)
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (p->features & PLX_PORT_F_LRO)
		rx |= RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER;
	if (p->features & PLX_PORT_F_TX_CSUM_IP4)
		tx |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if (p->features & PLX_PORT_F_TX_CSUM_L4)
		tx |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if (p->features & PLX_PORT_F_SG)
		tx |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (p->features & PLX_PORT_F_TSO)
		tx |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	c->rxmode.offloads = rx & info->rx_offload_capa;
	c->txmode.offloads = tx & info->tx_offload_capa;
}

static int configure(struct plx_port *p, const struct plx_port_conf *conf, struct ethdev *d)
{
	struct rte_eth_conf c = {
		.intr_conf.rxq = conf->rx_intr && (p->features & PLX_PORT_F_RX_INTR)};

	offloads(p, &d->info, &c);
	if (conf->n_rxq > 1 && p->features & PLX_PORT_F_RSS) {
		c.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		c.rx_adv_conf.rss_conf.rss_hf = d->info.flow_type_rss_offloads & ETHDEV_RSS_TYPES;
	}
	d->intr = c.intr_conf.rxq;
	return rte_eth_dev_configure(d->port_id, conf->n_rxq, conf->n_txq, &c);
}

static int setup_queues(struct plx_port *p, const struct plx_port_conf *conf, struct ethdev *d)
{
	uint16_t rxd = descs(conf->rxd, p->caps.rxd), txd = descs(conf->txd, p->caps.txd);
	unsigned int socket = (unsigned int)p->caps.socket;
	int err = rte_eth_dev_adjust_nb_rx_tx_desc(d->port_id, &rxd, &txd);

	d->txd = txd;
	/* transmit before receive, as Linux brings a device up */
	for (uint16_t i = 0; !err && i < conf->n_txq; i++)
		err = rte_eth_tx_queue_setup(d->port_id, i, txd, socket, NULL);
	for (uint16_t i = 0; !err && i < conf->n_rxq; i++)
		err = rte_eth_rx_queue_setup(d->port_id, i, rxd, socket, NULL, conf->pool[i]);
	return err;
}

/* No function of ours stands between, unless there is something for it to do. */
static void hook_up(struct plx_port *p, uint16_t port_id)
{
	for (uint16_t i = 0; i < p->n_rxq; i++) {
		p->rxq[i]->dev_id = port_id;
		if (p->quirks & PLX_QUIRK_PARTIAL)
			p->rxq[i]->burst = ethdev__rx_burst;
	}
	for (uint16_t i = 0; i < p->n_txq; i++) {
		p->txq[i]->dev_id = port_id;
		if (p->features & PLX_PORT_F_TSO)
			p->txq[i]->burst = ethdev__tx_burst;
	}
}

int ethdev__open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	struct ethdev *d = p->priv;
	int err;

	if (p->quirks & PLX_QUIRK_MTU_ROOM && p->mtu > 1500)
		return failed(p, "an MTU over 1500", -EINVAL, e);
	err = configure(p, conf, d);
	if (err)
		return failed(p, "configuring", err, e);
	err = setup_queues(p, conf, d);
	if (err)
		return failed(p, "setting up queues", err, e);
	if (conf->mtu) {
		err = rte_eth_dev_set_mtu(d->port_id, p->mtu);
		if (err && err != -ENOTSUP)
			return failed(p, "setting the MTU", err, e);
	}
	if (p->quirks & PLX_QUIRK_TX_WAITS)
		ethdev__packet_no_wait(d->info.if_index);
	err = rte_eth_dev_start(d->port_id);
	if (err)
		return failed(p, "starting", err, e);
	d->started = true;
	if (!ethdev__takes_rules(p))
		p->features &= ~PLX_PORT_F_NTUPLE;
	hook_up(p, d->port_id);
	return 0;
}

void ethdev__stop(struct plx_port *p)
{
	struct ethdev *d = p->priv;

	if (d->started) {
		ethdev__ntuple_drop(p);
		rte_eth_dev_stop(d->port_id);
	}
	d->started = false;
}
