/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

/* The interface of a frame: the port's own, or that of its VLAN tag. A tag of VLAN 0 is priority
 * only. */
static uint16_t if_of(const struct net_cfg *cfg, uint16_t port, const struct plx_eth *eth)
{
	uint16_t vid;

	if (plx_likely(eth->n_vlan == 0))
		return cfg->port_if[port];
	vid = PLX_VLAN_VID(eth->vlan[0]);
	if (vid == 0 && eth->n_vlan == 1)
		return cfg->port_if[port];
	return eth->n_vlan == 1 && cfg->vlan_if[port] ? cfg->vlan_if[port][vid] : 0;
}

static void to_handler(
	struct net_lcore *nl, struct rte_mbuf *m, uint16_t type, uint16_t iface, bool group)
{
	struct plx_net *net = nl->net;
	struct plx_net_rx rx = {.sn = nl->sn, .iface = iface, .link_group = group};

	for (uint32_t i = 0; i < net->n_ethertype; i++)
		if (net->ethertype[i].type == type) {
			net->ethertype[i].fn(&rx, m);
			return;
		}
	if (net__taps_want(nl, m, iface, type)) /* they have their copies */
		plx_pkt_deliver(m);
	else
		plx_pkt_drop(m, PLX_DROP_ETH_PROTO);
}

void net__l3_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t port)
{
	uint16_t iface = nl->cfg->port_if[port];
	uint8_t version = m->data_len ? *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 : 0;

	if (!iface)
		plx_pkt_drop(m, PLX_DROP_RX_NO_IFACE);
	else if (!nl->cfg->ifs[iface].up)
		plx_pkt_drop(m, PLX_DROP_RX_DOWN);
	else if (version == 4)
		net__ip4_in(nl, m, iface, 0);
	else if (version == 6)
		net__ip6_in(nl, m, iface, 0);
	else
		plx_pkt_drop(m, PLX_DROP_ETH_PROTO);
}

static enum plx_drop check(
	const struct net_lcore *nl, const struct plx_eth *eth, uint16_t port, uint16_t *iface)
{
	const struct net_if *ifc;

	*iface = if_of(nl->cfg, port, eth);
	if (plx_unlikely(*iface == 0))
		return eth->n_vlan ? PLX_DROP_VLAN_UNKNOWN : PLX_DROP_RX_NO_IFACE;
	ifc = net__if(nl, *iface);
	if (plx_unlikely(!ifc->up))
		return PLX_DROP_RX_DOWN;
	if (plx_unlikely(plx_mac_is_mcast(&eth->src)))
		return PLX_DROP_ETH_SRC_MCAST;
	if (!plx_mac_is_mcast(&eth->dst) && !plx_mac_eq(&eth->dst, &ifc->mac))
		return PLX_DROP_ETH_OTHERHOST;
	return PLX_DROP_NONE;
}

/* rtnl_link_stats64's multicast: of the device, whatever becomes of the frame. */
static void count_group(struct net_lcore *nl, const struct plx_mac *dst, uint16_t port)
{
	if (plx_unlikely(plx_mac_is_mcast(dst)) && !plx_mac_is_bcast(dst))
		plx_count(nl->sn->rx_mcast[port], 1);
}

void net__eth_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t port)
{
	struct plx_eth eth;
	enum plx_drop drop;
	uint16_t iface;
	uint8_t flags;

	drop = plx_wire_eth_parse(&eth, rte_pktmbuf_mtod(m, const void *), m->data_len);
	if (drop == PLX_DROP_NONE) {
		count_group(nl, &eth.dst, port);
		drop = check(nl, &eth, port, &iface);
	}
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		plx_pkt_drop(m, drop);
		return;
	}
	flags = plx_mac_is_mcast(&eth.dst) ? NET_F_LINK_GROUP : 0;
	rte_pktmbuf_adj(m, eth.hdr_bytes);
	if (plx_likely(eth.type == PLX_ETHERTYPE_IP4))
		net__ip4_in(nl, m, iface, flags);
	else if (eth.type == PLX_ETHERTYPE_IP6)
		net__ip6_in(nl, m, iface, flags);
	else if (eth.type == PLX_ETHERTYPE_ARP)
		net__to_control(nl, m, NET_STAGE_ARP, iface, flags);
	else
		to_handler(nl, m, eth.type, iface, flags & NET_F_LINK_GROUP);
}

/* Tagged, without room in front, or somebody watches. */
PLX_NOINLINE static void tx_any(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc,
	const struct plx_mac *dst, uint16_t type)
{
	struct plx_eth eth = {.dst = *dst, .src = ifc->mac, .type = type};
	uint16_t bytes = PLX_ETH_BYTES;

	if (!ifc->up) {
		plx_pkt_drop(m, PLX_DROP_TX_DOWN);
		return;
	}
	if (ifc->vlan) {
		eth.vlan[0] = ifc->vlan;
		eth.n_vlan = 1;
		bytes += 4;
	}
	m = net__headroom(nl, m, bytes);
	if (!m)
		return;
	net__push(m, bytes);
	plx_wire_eth_emit(rte_pktmbuf_mtod(m, void *), &eth);
	m->l2_len = bytes;
	if (nl->taps)
		net__taps_out(nl, m, ifc, NULL);
	plx_softnet_tx(nl->sn, ifc->port, m);
}

void net__eth_tx(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc,
	const struct plx_mac *dst, uint16_t type)
{
	struct plx_eth eth = {.dst = *dst, .src = ifc->mac, .type = type};

	if (plx_unlikely(
		    !ifc->up || ifc->vlan || nl->taps || !net__has_headroom(m, PLX_ETH_BYTES))) {
		tx_any(nl, m, ifc, dst, type);
		return;
	}
	plx_wire_eth_emit(net__push(m, PLX_ETH_BYTES), &eth);
	m->l2_len = PLX_ETH_BYTES;
	plx_softnet_tx(nl->sn, ifc->port, m);
}
