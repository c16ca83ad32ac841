/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"

#include <errno.h>

/*
 * Forwarding (RFC 1812 5.2, RFC 8200 3 and 4.5): what may not be forwarded, time to live, MTU.
 */

static bool forbidden(const struct plx_net_rx *rx)
{
	const struct plx_ip *ip = &rx->ip;

	return rx->link_group || plx_addr_is_linklocal(&ip->src) ||
	       plx_addr_is_linklocal(&ip->dst) || plx_addr_is_any(&ip->src) ||
	       (ip->version == 4 && ip->dst.b[12] >= 240);
}

/* As Linux's ip_error(), ip6_pkt_drop() and ip6_forward(): IPv4's unreachable routes have no
 * counter.
 */
static void count_refused(const struct plx_net_route *rt, enum plx_drop reason, bool v6)
{
	if (reason == PLX_DROP_IP_NO_ROUTE)
		plx_stat_inc(net__stat(v6, PLX_STAT_IPEXT_INNOROUTES, PLX_STAT_IP6_INNOROUTES));
	else if (reason == PLX_DROP_IP_TTL)
		plx_stat_inc(net__stat(v6, PLX_STAT_IP_INHDRERRORS, PLX_STAT_IP6_INHDRERRORS));
	else if (reason == PLX_DROP_IP_FWD_REFUSED)
		plx_stat_inc(net__stat(v6, PLX_STAT_IP_INADDRERRORS, PLX_STAT_IP6_INADDRERRORS));
	else if (v6 && rt && rt->type == PLX_NET_ROUTE_UNREACHABLE)
		plx_stat_inc(PLX_STAT_IP6_INNOROUTES);
}

/*
 * @param rt the route, if one was found: a black hole is silent. It was looked up before, so that
 * none may have been there then.
 */
static void refuse(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx,
	const struct plx_net_route *rt, enum plx_drop reason)
{
	bool v6 = rx->ip.version == 6;

	switch (reason) {
	case PLX_DROP_IP_TTL:
		net__icmp_error(
			nl, m, rx, v6 ? PLX_ICMP6_TIME_EXCEEDED : PLX_ICMP_TIME_EXCEEDED, 0, 0);
		break;
	case PLX_DROP_IP_NO_ROUTE:
		net__icmp_error(nl, m, rx, v6 ? PLX_ICMP6_UNREACH : PLX_ICMP_UNREACH,
			v6 ? PLX_ICMP6_UNREACH_NOROUTE : PLX_ICMP_UNREACH_NET, 0);
		break;
	case PLX_DROP_IP_UNREACHABLE_ROUTE: /* the codes are Linux's */
		if (rt && rt->type == PLX_NET_ROUTE_UNREACHABLE)
			net__icmp_error(nl, m, rx, v6 ? PLX_ICMP6_UNREACH : PLX_ICMP_UNREACH,
				v6 ? PLX_ICMP6_UNREACH_NOROUTE : PLX_ICMP_UNREACH_HOST, 0);
		break;
	case PLX_DROP_IP_FWD_REFUSED: /* RFC 4443 3.1 */
		if (v6 && !rx->link_group && plx_addr_is_linklocal(&rx->ip.src) &&
			!plx_addr_is_linklocal(&rx->ip.dst))
			net__icmp_error(nl, m, rx, PLX_ICMP6_UNREACH, PLX_ICMP6_UNREACH_SCOPE, 0);
		break;
	default:
		break;
	}
	count_refused(rt, reason, v6);
	plx_pkt_drop(m, reason);
}

/*
 * RFC 1812 4.2.2.2 and 5.2.4.2: record route, and timestamps. An error quotes what came, so that
 * nothing is written before it is known that all can be.
 * @return false: it is dropped.
 */
static bool record(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx, const struct net_dst *d)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t bytes = rx->ip.hdr_bytes - (uint32_t)PLX_IP4_BYTES, fault;
	uint8_t opt[PLX_IP4_OPTS_MAX];
	uint16_t check;

	memcpy(opt, p + PLX_IP4_BYTES, bytes);
	if (!net__opts_record(nl, opt, bytes, d, &fault)) {
		net__icmp_error(nl, m, rx, PLX_ICMP_PARAM_PROBLEM, 0, fault << 24);
		net__drop(m, PLX_DROP_IP4_OPTIONS, PLX_STAT_IP_INHDRERRORS);
		return false;
	}
	memcpy(p + PLX_IP4_BYTES, opt, bytes);
	memset(p + 10, 0, 2);
	check = plx_cksum_ip4(p, rx->ip.hdr_bytes);
	memcpy(p + 10, &check, 2);
	return true;
}

PLX_NOINLINE static void show(const struct plx_pkt_watch *w, struct rte_mbuf *m)
{
	const struct plx_pkt_seen s = {
		.point = PLX_PKT_AT_FWD, .link = PLX_PKT_LINK_UNKNOWN, .port = PLX_PKT_NO_PORT};

	w->see(w, &s, &m, 1);
}

/* Nothing is in its way any more. */
static void on_its_way(struct rte_mbuf *m, bool v6)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_FWD);

	if (plx_unlikely(w))
		show(w, m);
	plx_stat_inc(v6 ? PLX_STAT_IP6_OUTFORWDATAGRAMS : PLX_STAT_IP_FORWDATAGRAMS);
}

static void too_big(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx, const struct net_dst *d);

/* The parts of a merged packet, each by itself (Linux's ip_finish_output_gso()). */
static void each_too_big(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct net_dst *d)
{
	struct rte_mbuf *part[NET_PARTS_MAX];
	int n = net__apart(nl, m, false, part, PLX_DIM(part));

	if (n < 0)
		net__drop(m, n == -ENOMEM ? PLX_DROP_NO_MBUF : PLX_DROP_IP_TOO_BIG,
			PLX_STAT_IP_FRAGFAILS);
	for (int i = 0; i < n; i++) {
		struct plx_net_rx one = *rx;

		one.ip.id = plx_get_be16(rte_pktmbuf_mtod_offset(part[i], const uint8_t *, 4));
		one.ip.l4_bytes = (uint16_t)(part[i]->pkt_len - one.ip.hdr_bytes);
		too_big(nl, part[i], &one, d);
	}
}

static void too_big(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx, const struct net_dst *d)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	struct net_opts opts;

	if (rx->ip.version == 6) {
		net__icmp_error(nl, m, rx, PLX_ICMP6_TOO_BIG, 0, d->mtu);
		net__drop(m, PLX_DROP_IP_TOO_BIG, PLX_STAT_IP6_INTOOBIGERRORS);
		return;
	}
	if (rx->ip.df) {
		net__icmp_error(nl, m, rx, PLX_ICMP_UNREACH, PLX_ICMP_UNREACH_NEEDFRAG, d->mtu);
		net__drop(m, PLX_DROP_IP_TOO_BIG, PLX_STAT_IP_FRAGFAILS);
		return;
	}
	if (rx->ip.has_options && !record(nl, m, rx, d))
		return;
	if (m->ol_flags & RTE_MBUF_F_RX_LRO) {
		each_too_big(nl, m, rx, d);
		return;
	}
	if (m->ol_flags & plx_pkt_partial_flag && plx_pkt_complete(m, false) != 0) {
		net__drop(m, PLX_DROP_IP_TOO_BIG, PLX_STAT_IP_FRAGFAILS);
		return;
	}
	on_its_way(m, false);
	plx_wire_ip4_ttl_dec(p);
	rx->ip.ttl--;
	net__opts_get(&opts, p, rx->ip.hdr_bytes);
	rte_pktmbuf_adj(m, rx->ip.hdr_bytes);
	plx_pkt_meta(m)->flags = NET_F_FORWARDED;
	net__fragment(nl, m, &rx->ip, &opts, d->mtu, d->ifc, &d->nexthop, d->bcast);
}

/* A merged packet is cut into segments again where it goes out: theirs is the length that counts.
 */
static bool segments_fit(const struct rte_mbuf *m, const struct plx_ip *ip, uint32_t mtu)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, ip->hdr_bytes);
	uint32_t l4_bytes = PLX_UDP_BYTES;

	if (!(m->ol_flags & RTE_MBUF_F_RX_LRO) || m->data_len < ip->hdr_bytes + PLX_TCP_BYTES)
		return false;
	if (ip->proto == PLX_IPPROTO_TCP)
		l4_bytes = (l4[12] >> 4) * 4u;
	return ip->hdr_bytes + l4_bytes + m->tso_segsz <= mtu;
}

void net__forward(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx,
	const struct plx_net_route *rt)
{
	bool v6 = rx->ip.version == 6;
	struct net_dst d;
	enum plx_drop drop;

	if (nl->way && plx_unlikely(nl->way->rps) && net__rps(nl, m, rx))
		return;
	if (forbidden(rx))
		drop = PLX_DROP_IP_FWD_REFUSED;
	else if (rx->ip.ttl <= 1)
		drop = PLX_DROP_IP_TTL;
	else
		drop = net__route(nl, &rx->ip.dst, 0, &d);
	if (drop != PLX_DROP_NONE) {
		refuse(nl, m, rx, rt, drop);
		return;
	}
	if (plx_unlikely(d.ifc->index == rx->iface))
		net__redirect_out(nl, m, rx, &d);
	if (plx_unlikely(m->pkt_len > d.mtu) && !segments_fit(m, &rx->ip, d.mtu)) {
		too_big(nl, m, rx, &d);
		return;
	}
	if (plx_unlikely(rx->ip.has_options && !v6 && !record(nl, m, rx, &d)))
		return;
	on_its_way(m, v6);
	if (v6)
		rte_pktmbuf_mtod(m, uint8_t *)[7]--;
	else
		plx_wire_ip4_ttl_dec(rte_pktmbuf_mtod(m, void *));
	m->ol_flags &= ~(RTE_MBUF_F_TX_OFFLOAD_MASK);
	plx_pkt_meta(m)->flags = NET_F_FORWARDED;
	net__link_out(nl, m, d.ifc, &d.nexthop, d.bcast);
}
