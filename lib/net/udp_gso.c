/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp.h"

/*
 * Many datagrams by one call (UDP_SEGMENT): as one packet, cut by the device or when it is queued
 * (lib/port/txq.c), wherever that makes no difference to anybody; else one by one.
 */

/* What DPDK and plx_gso_segment() ask for. */
static void ask_cut(struct rte_mbuf *m, const struct plx_ip *ip, uint16_t bytes)
{
	uint16_t check = plx_cksum_fold(plx_cksum_pseudo(&ip->src, &ip->dst, PLX_IPPROTO_UDP, 0));

	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, 6), &check, 2);
	m->l4_len = PLX_UDP_BYTES;
	m->tso_segsz = bytes;
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG |
		       (ip->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
}

static enum plx_drop refuse(struct rte_mbuf *m, enum plx_drop drop, bool v6)
{
	net__drop_out(m, drop, v6);
	return drop;
}

/* By itself each has an identification of its own, its copy for those here, and what it takes. */
static enum plx_drop one_by_one(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	enum plx_drop drop = PLX_DROP_NONE;
	struct plx_net_udp_msg one = *msg;

	one.gso = 0;
	one.keep = false;
	plx_pkt_loan_copied(m);
	for (uint32_t off = 0; off < m->pkt_len && drop == PLX_DROP_NONE; off += msg->gso) {
		struct rte_mbuf *part =
			rte_pktmbuf_copy(m, nl->sn->pool, off, PLX_MIN(msg->gso, m->pkt_len - off));

		if (!part) {
			plx_pkt_originate(1);
			plx_pkt_drop(m, PLX_DROP_NO_MBUF);
			return PLX_DROP_NO_MBUF;
		}
		drop = plx_net_udp_send(nl->sn, part, &one);
	}
	if (!msg->keep || drop == PLX_DROP_NONE || drop == PLX_DROP_NO_MBUF)
		rte_pktmbuf_free(m);
	return drop;
}

static enum plx_drop as_one(struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip *ip,
	const struct plx_net_udp_msg *msg, const struct net_dst *d)
{
	uint32_t parts = (m->pkt_len + msg->gso - 1u) / msg->gso;
	bool v6 = ip->version == 6;
	const struct plx_udp udp = {.sport = msg->sport,
		.dport = msg->dport,
		.len = (uint16_t)(m->pkt_len + PLX_UDP_BYTES)};

	m->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
	plx_pkt_set_wire(m, parts);
	plx_pkt_originate(parts);
	m = net__headroom(nl, m, PLX_UDP_BYTES);
	if (m) {
		plx_wire_udp_emit(net__push(m, PLX_UDP_BYTES), &udp);
		ask_cut(m, ip, msg->gso);
	}
	if (!m || net__ip_out(nl, m, ip, d) != PLX_DROP_NONE) {
		plx_stat_inc(net__stat(v6, PLX_STAT_UDP_SNDBUFERRORS, PLX_STAT_UDP6_SNDBUFERRORS));
		return PLX_DROP_NO_MBUF;
	}
	plx_stat_inc(net__stat(v6, PLX_STAT_UDP_OUTDATAGRAMS, PLX_STAT_UDP6_OUTDATAGRAMS));
	return PLX_DROP_NONE;
}

enum plx_drop net__udp_send_many(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	bool v6 = !plx_addr_is_v4(&msg->dst);
	uint32_t ip_bytes = v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES;
	struct plx_ip ip = {.src = msg->src,
		.dst = msg->dst,
		.proto = PLX_IPPROTO_UDP,
		.ttl = msg->ttl,
		.tos = msg->tos,
		.df = !v6 && net__udp_df(nl->net, msg->pmtudisc)};
	enum plx_drop drop;
	struct net_dst d;

	net__begin(nl);
	drop = msg->bound ? net__route_by(nl, &ip.dst, msg->iface, &d)
			  : net__route(nl, &ip.dst, msg->iface, &d);
	if (drop == PLX_DROP_NONE && !net__ip_defaults(nl, &ip, &d))
		drop = PLX_DROP_IP_NO_SRC;
	if (drop == PLX_DROP_NONE && !msg->dport)
		drop = PLX_DROP_UDP_PORT_ZERO;
	if (drop == PLX_DROP_NONE && (!net__udp_fits(msg->gso, msg, &d) ||
					     m->pkt_len > PLX_NET_UDP_SEGMENTS_MAX * msg->gso ||
					     msg->gso + PLX_UDP_BYTES + ip_bytes > d.mtu ||
					     m->pkt_len + PLX_UDP_BYTES + ip_bytes > 65535))
		drop = PLX_DROP_IP_TOO_BIG;
	if (drop != PLX_DROP_NONE) {
		plx_pkt_originate(1);
		net__udp_keep(m, msg);
		return refuse(m, drop, v6);
	}
	/* identifications of what may be fragmented are all different: who cuts counts on */
	if (d.loop || (!v6 && !ip.df) || (!d.local && !(d.ifc->features & PLX_PORT_F_SG)))
		return one_by_one(nl, m, msg);
	return as_one(nl, m, &ip, msg, &d);
}
