/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * What the control lcore's machines have to say, as frames: ARP, ND, IGMP and MLD. They know the
 * MAC that it goes to, so nothing is looked up.
 */

static struct rte_mbuf *new_frame(struct net_lcore *nl)
{
	struct rte_mbuf *m = plx_softnet_alloc_last(nl->sn);

	if (m)
		plx_pkt_originate(1);
	return m;
}

void net__send_arp(struct net_lcore *nl, const struct net_if *ifc, const struct plx_arp *arp,
	const struct plx_mac *dst)
{
	struct rte_mbuf *m = new_frame(nl);

	if (!m)
		return;
	rte_pktmbuf_append(m, (uint16_t)plx_wire_arp_emit(rte_pktmbuf_mtod(m, void *), arp));
	net__eth_tx(nl, m, ifc, dst, PLX_ETHERTYPE_ARP);
}

static void send_arp_tx(
	struct net_lcore *nl, const struct net_if *ifc, const struct plx_neigh_tx *tx)
{
	static const uint8_t zero[4];
	struct plx_arp arp = {
		.op = PLX_ARP_REQUEST,
		.sha = ifc->mac,
		.spa = plx_addr_from_v4(zero),
		.tpa = tx->target,
	};

	if (tx->kind == PLX_NEIGH_TX_ARP_ANNOUNCE)
		arp.spa = tx->target;
	else if (tx->kind == PLX_NEIGH_TX_ARP_REQUEST)
		arp.spa = plx_addr_is_v4(&tx->src) && !plx_addr_is_any(&tx->src)
				  ? tx->src
				  : net__src_pick(nl->cfg, ifc->index, &tx->target);
	if (!plx_addr_is_v4(&arp.spa)) /* no address of our own: ask as a prober does */
		arp.spa = plx_addr_from_v4(zero);
	net__send_arp(nl, ifc, &arp, &tx->dst_mac);
}

void net__send_nd(struct net_lcore *nl, const struct net_if *ifc, const struct plx_nd *nd,
	const struct plx_addr *src, const struct plx_addr *dst, const struct plx_mac *mac)
{
	struct plx_ip ip = {.src = *src,
		.dst = *dst,
		.version = 6,
		.proto = PLX_IPPROTO_ICMP6,
		.ttl = PLX_ND_HOP_LIMIT};
	struct rte_mbuf *m = new_frame(nl);
	uint8_t *p;

	if (!m)
		return;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	ip.l4_bytes = (uint16_t)plx_wire_nd_emit(p + PLX_IP6_BYTES, nd);
	plx_wire_l4_cksum_fill(src, dst, PLX_IPPROTO_ICMP6, p + PLX_IP6_BYTES, ip.l4_bytes);
	rte_pktmbuf_append(m, (uint16_t)(plx_wire_ip6_emit(p, &ip) + ip.l4_bytes));
	plx_stat_inc(PLX_STAT_ICMP6_OUTMSGS);
	net__eth_tx(nl, m, ifc, mac, PLX_ETHERTYPE_IP6);
}

static void send_nd_tx(
	struct net_lcore *nl, const struct net_if *ifc, const struct plx_neigh_tx *tx)
{
	struct plx_addr src = tx->src;
	struct plx_nd nd = {.target = tx->target};

	switch (tx->kind) {
	case PLX_NEIGH_TX_NS_DAD:
		nd.type = PLX_ICMP6_NS;
		nd.has_nonce = tx->has_nonce;
		memcpy(nd.nonce, tx->nonce, sizeof(nd.nonce));
		plx_stat_inc(PLX_STAT_ICMP6_OUTNEIGHBORSOLICITS);
		break;
	case PLX_NEIGH_TX_NA_ANNOUNCE:
		nd.type = PLX_ICMP6_NA;
		nd.override = nd.has_tlla = true;
		nd.tlla = ifc->mac;
		plx_stat_inc(PLX_STAT_ICMP6_OUTNEIGHBORADVERTISEMENTS);
		break;
	case PLX_NEIGH_TX_RS:
		nd.type = PLX_ICMP6_RS;
		src = net__src_pick(nl->cfg, ifc->index, &tx->dst);
		nd.has_slla = !plx_addr_is_any(&src);
		nd.slla = ifc->mac;
		plx_stat_inc(PLX_STAT_ICMP6_OUTROUTERSOLICITS);
		break;
	default:
		nd.type = PLX_ICMP6_NS;
		if (plx_addr_is_any(&src))
			src = net__src_pick(nl->cfg, ifc->index, &tx->target);
		if (plx_addr_is_any(&src)) /* no valid address yet: nobody could answer */
			return;
		nd.has_slla = true;
		nd.slla = ifc->mac;
		plx_stat_inc(PLX_STAT_ICMP6_OUTNEIGHBORSOLICITS);
	}
	net__send_nd(nl, ifc, &nd, &src, &tx->dst, &tx->dst_mac);
}

void net__send_tx(struct net_lcore *nl, const struct plx_neigh_tx *tx)
{
	const struct net_if *ifc = net__if(nl, tx->iface);

	if (!ifc->index || !ifc->up || !ifc->eth)
		return;
	switch (tx->kind) {
	case PLX_NEIGH_TX_ARP_REQUEST:
	case PLX_NEIGH_TX_ARP_PROBE:
	case PLX_NEIGH_TX_ARP_ANNOUNCE:
		send_arp_tx(nl, ifc, tx);
		break;
	default:
		send_nd_tx(nl, ifc, tx);
	}
}

static uint32_t emit_report(uint8_t *p, uint32_t room, const struct plx_mcast_report *r, bool v4)
{
	if (r->msg.kind == PLX_GROUP_REPORTS)
		return v4 ? plx_wire_igmp3_report_emit(p, room, r->rec, r->n)
			  : plx_wire_mld2_report_emit(p, room, r->rec, r->n);
	return v4 ? plx_wire_igmp_emit(p, &r->msg) : plx_wire_mld_emit(p, &r->msg);
}

void net__send_report(
	struct net_lcore *nl, const struct net_if *ifc, const struct plx_mcast_report *r)
{
	bool v4 = plx_addr_is_v4(&r->dst);
	uint32_t hdr = v4 ? PLX_IP4_RA_BYTES : PLX_IP6_RA_BYTES;
	struct plx_ip ip = {.dst = r->dst, .ttl = 1, .tos = v4 ? 0xc0 : 0}; /* RFC 3376 4 */
	struct plx_mac mac = plx_wire_group_mac(&r->dst);
	struct rte_mbuf *m = new_frame(nl);
	uint8_t *p;

	if (!m)
		return;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	ip.version = v4 ? 4 : 6;
	ip.proto = v4 ? PLX_IPPROTO_IGMP : PLX_IPPROTO_ICMP6;
	ip.src = net__src_pick(nl->cfg, ifc->index, &r->dst);
	if (v4 && !plx_addr_is_v4(&ip.src))
		ip.src = plx_addr_from_v4((const uint8_t[4]){0});
	else if (!v4 && !plx_addr_is_linklocal(&ip.src)) /* RFC 3810 5.2.13 */
		ip.src = (struct plx_addr){0};
	ip.l4_bytes = (uint16_t)emit_report(p + hdr, rte_pktmbuf_tailroom(m) - hdr, r, v4);
	if (v4)
		plx_wire_ip4_emit_ra(p, &ip);
	else
		plx_wire_ip6_emit_ra(p, &ip);
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, p + hdr, ip.l4_bytes);
	rte_pktmbuf_append(m, (uint16_t)(hdr + ip.l4_bytes));
	if (!v4)
		plx_stat_inc(PLX_STAT_ICMP6_OUTMSGS);
	net__eth_tx(nl, m, ifc, &mac, v4 ? PLX_ETHERTYPE_IP4 : PLX_ETHERTYPE_IP6);
}
