/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_net_ethdev.h"

#include <errno.h>
#include <stdio.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "ethdev.h"

#define MERGED_SEGS 33 /* 65,535 bytes and an Ethernet header in mbufs of 2,048 */

static void fini(struct plx_port *p)
{
	struct ethdev *d = p->priv;

	rte_eth_dev_close(d->port_id);
	rte_free(d);
}

static const struct plx_port_ops ops = {
	.name = "ethdev",
	.open = ethdev__open,
	.stop = ethdev__stop,
	.fini = fini,
	.set_rx_mode = ethdev__set_rx_mode,
	.set_mcast = ethdev__set_mcast,
	.set_mac = ethdev__set_mac,
	.set_mtu = ethdev__set_mtu,
	.set_link = ethdev__set_link,
	.features_check = ethdev__features_check,
	.link = ethdev__link,
	.stats = ethdev__stats,
	.xstats = ethdev__xstats,
	.rss_set = ethdev__rss_set,
	.rss_get = ethdev__rss_get,
	.rss_types = ethdev__rss_types,
	.ntuple_add = ethdev__ntuple_add,
	.ntuple_del = ethdev__ntuple_del,
	.rx_intr = ethdev__rx_intr,
	.rx_intr_arm = ethdev__rx_intr_arm,
};

/* All frames come, and by no rule: a TAP's follow what is sent. */
#define SOFT_LACKS (PLX_PORT_F_RX_FILTER | PLX_PORT_F_NTUPLE)

/* What ethdev's capability bits do not say, seen by running the drivers. */
static const struct {
	const char *driver;
	uint32_t has, lacks;
} seen[] = {
	{"net_tap", PLX_PORT_F_RX_INTR, SOFT_LACKS},
	/* its receive checksums would be those of an Ethernet frame */
	{"net_tun", PLX_PORT_F_RX_INTR | PLX_PORT_F_NO_ETH,
		SOFT_LACKS | PLX_PORT_F_RX_CSUM | PLX_PORT_F_SET_MAC | PLX_PORT_F_PROMISC |
			PLX_PORT_F_ALLMULTI},
	{"net_virtio_user", PLX_PORT_F_RX_INTR, SOFT_LACKS},
	{"net_vhost", PLX_PORT_F_RX_INTR, SOFT_LACKS},
	{"net_pcap", PLX_PORT_F_SG, SOFT_LACKS},
	{"net_null", PLX_PORT_F_SG, SOFT_LACKS},
	{"net_ring", PLX_PORT_F_SG, SOFT_LACKS},
	{"net_memif", 0, SOFT_LACKS},
	{"net_af_packet", 0, SOFT_LACKS},
	{"net_af_xdp", 0, SOFT_LACKS},
};

static uint32_t offload_features(const struct rte_eth_dev_info *info, uint32_t quirks)
{
	const uint64_t rx = info->rx_offload_capa, tx = info->tx_offload_capa;
	const uint64_t l4 = RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	uint32_t f = 0;

	/* that of IPv4's header too or not: each packet's flags say */
	if (rx & RTE_ETH_RX_OFFLOAD_TCP_CKSUM && rx & RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
		f |= PLX_PORT_F_RX_CSUM;
	if (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		f |= PLX_PORT_F_TX_CSUM_IP4;
	if ((tx & l4) == l4)
		f |= PLX_PORT_F_TX_CSUM_L4;
	if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		f |= PLX_PORT_F_SG;
	/* RTE_ETH_TX_OFFLOAD_UDP_TSO is no USO: by DPDK's word it makes fragments, not datagrams */
	if (tx & RTE_ETH_TX_OFFLOAD_TCP_TSO && !(quirks & PLX_QUIRK_TSO_LIES))
		f |= PLX_PORT_F_TSO;
	/* a hash of the addresses alone is not that of the flow */
	if (rx & RTE_ETH_RX_OFFLOAD_RSS_HASH &&
		(info->flow_type_rss_offloads & ETHDEV_RSS_UDP) == ETHDEV_RSS_UDP)
		f |= PLX_PORT_F_RX_HASH;
	return f;
}

static uint32_t features(const struct rte_eth_dev_info *info, uint32_t quirks)
{
	uint32_t f = offload_features(info, quirks) | PLX_PORT_F_SET_MAC | PLX_PORT_F_SET_MTU |
		     PLX_PORT_F_PROMISC | PLX_PORT_F_ALLMULTI | PLX_PORT_F_RX_FILTER;

	if (info->flow_type_rss_offloads && info->reta_size && !(quirks & PLX_QUIRK_RSS_LIES))
		f |= PLX_PORT_F_RSS;
	if (!(quirks & PLX_QUIRK_LINK_LIES))
		f |= PLX_PORT_F_LINK;
	if (info->max_rx_queues > 1) /* until it is open, when it is asked */
		f |= PLX_PORT_F_NTUPLE;
	for (size_t i = 0; i < PLX_DIM(seen); i++)
		if (strcmp(info->driver_name, seen[i].driver) == 0)
			f = (f | seen[i].has) & ~seen[i].lacks;
	return f;
}

static const char *args_of(const struct rte_eth_dev_info *info)
{
	const struct rte_devargs *args = rte_dev_devargs(info->device);

	return args && args->args ? args->args : "";
}

/*
 * Does it say of a merged packet how long its parts were? Many say that it is merged at most, and
 * then it can neither be counted nor be cut again: their LRO is left off. A vhost's guest may send
 * such when the device was made with tso=1, which no capability tells of.
 */
static bool tells_parts(const struct rte_eth_dev_info *info)
{
	const uint64_t lro = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER;

	if (strcmp(info->driver_name, "net_vhost") == 0)
		return strstr(args_of(info), "tso=1");
	if (strncmp(info->driver_name, "net_virtio", strlen("net_virtio")) != 0)
		return false;
	return (info->rx_offload_capa & lro) == lro;
}

/* Was a net_pcap device made with iface=, rx_iface= or tx_iface=? */
static bool on_interface(const struct rte_eth_dev_info *info)
{
	const char *args = args_of(info);

	return !*args || strstr(args, "iface");
}

static uint16_t max_segs(const struct rte_eth_desc_lim *lim)
{
	return lim->nb_mtu_seg_max == UINT16_MAX ? 0 : lim->nb_mtu_seg_max;
}

/* rte_eth_dev_info and friends into what our ports know. */
static int describe(struct ethdev *d, struct plx_port_caps *caps, struct plx_mac *mac, char *name)
{
	struct rte_ether_addr a;
	int err = rte_eth_dev_info_get(d->port_id, &d->info);

	if (!err)
		err = rte_eth_dev_get_name_by_port(d->port_id, name);
	if (!err)
		err = rte_eth_macaddr_get(d->port_id, &a);
	if (err)
		return err;
	memcpy(mac->b, a.addr_bytes, sizeof(mac->b));
	/* two hosts, not one: else they have one link-local address, and each thinks the other's
	 * frames its own */
	if (plx_quirk_flags(d->info.driver_name) & PLX_QUIRK_SAME_MAC)
		mac->b[1] ^= 0x80;
	*caps = (struct plx_port_caps){
		.max_rxq = d->info.max_rx_queues,
		.max_txq = d->info.max_tx_queues,
		.rxd = d->info.default_rxportconf.ring_size,
		.txd = d->info.default_txportconf.ring_size,
		.min_mtu = PLX_MAX(d->info.min_mtu, (uint16_t)68),
		.max_mtu = d->info.max_mtu,
		.reta_size = d->info.reta_size,
		.key_bytes = d->info.hash_key_size,
		.rss_types =
			(uint32_t)(d->info.flow_type_rss_offloads & ETHDEV_RSS_TYPES & PLX_RSS_ALL),
		.max_segs = max_segs(&d->info.tx_desc_lim),
		.socket = rte_eth_dev_socket_id(d->port_id),
		.features = features(&d->info, plx_quirk_flags(d->info.driver_name)),
	};
	if (tells_parts(&d->info)) {
		caps->features |= PLX_PORT_F_LRO;
		caps->rx_segs = MERGED_SEGS;
	}
	snprintf(caps->driver, sizeof(caps->driver), "%s", d->info.driver_name);
	/* net_pcap on files takes any length; on an interface it does not */
	if (strcmp(caps->driver, "net_pcap") == 0 && !on_interface(&d->info))
		caps->no_quirks = PLX_QUIRK_REFUSES_LONG;
	return 0;
}

static int probe_one(uint16_t port_id)
{
	struct ethdev *d = rte_zmalloc(NULL, sizeof(*d), 0);
	char name[RTE_ETH_NAME_MAX_LEN];
	struct plx_port_caps caps;
	struct plx_mac mac;
	uint16_t mtu = 1500;
	int err;

	if (!d)
		return -ENOMEM;
	d->port_id = port_id;
	plx_list_init(&d->rules);
	err = describe(d, &caps, &mac, name);
	if (!err) {
		rte_eth_dev_get_mtu(port_id, &mtu);
		err = plx_port_add(name, &ops, d, &caps, &mac, mtu) ? 0 : -ENOSPC;
	}
	if (err)
		rte_free(d);
	return err;
}

int plx_net_ethdev_probe(struct plx_error *e)
{
	uint16_t port_id;
	int n = 0;

	RTE_ETH_FOREACH_DEV(port_id)
	{
		int err = probe_one(port_id);

		if (err)
			return plx_error_set(e, err, PLX_ERR_PORT_OPEN, "ethdev", "probe",
				strerror(-err), "see EAL's log (--log-level=8)");
		n++;
	}
	return n;
}
