/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"
#include "udp.h"

/*
 * IP input: check the header, find out for whom the packet is (one route lookup, as in Linux), then
 * deliver, forward or drop. Data begin at the IP header all along, so that an ICMP error can quote
 * it.
 */

PLX_COLD static void drop_in(struct rte_mbuf *m, enum plx_drop reason, bool v6)
{
	switch (reason) {
	case PLX_DROP_IP_NOT_LOCAL:
	case PLX_DROP_IP4_MARTIAN_DST:
	case PLX_DROP_IP6_MARTIAN_DST:
		net__drop(m, reason,
			net__stat(v6, PLX_STAT_IP_INADDRERRORS, PLX_STAT_IP6_INADDRERRORS));
		break;
	case PLX_DROP_IP_NO_PROTO:
		net__drop(m, reason,
			net__stat(v6, PLX_STAT_IP_INUNKNOWNPROTOS, PLX_STAT_IP6_INUNKNOWNPROTOS));
		break;
	case PLX_DROP_IP_MCAST_NOT_MEMBER: /* Linux counts it as received, and no more */
		plx_pkt_drop(m, reason);
		break;
	case PLX_DROP_NO_MBUF:
		net__drop(
			m, reason, net__stat(v6, PLX_STAT_IP_INDISCARDS, PLX_STAT_IP6_INDISCARDS));
		break;
	default:
		net__drop(m, reason,
			net__stat(v6, PLX_STAT_IP_INHDRERRORS, PLX_STAT_IP6_INHDRERRORS));
	}
}

void net__trim_slow(struct rte_mbuf *m, uint32_t len)
{
	while (m->pkt_len > len) {
		struct rte_mbuf *last = rte_pktmbuf_lastseg(m);

		rte_pktmbuf_trim(m, (uint16_t)PLX_MIN(m->pkt_len - len, (uint32_t)last->data_len));
		if (last->data_len == 0 && last != m) { /* a whole segment of padding */
			struct rte_mbuf *prev = m;

			while (prev->next != last)
				prev = prev->next;
			prev->next = NULL;
			m->nb_segs--;
			rte_pktmbuf_free_seg(last);
		}
	}
}

/* Link-layer padding goes. */
static void trim(struct rte_mbuf *m, const struct plx_ip *ip)
{
	net__trim(m, (uint32_t)ip->hdr_bytes + ip->l4_bytes);
}

/* Sources that no packet may have on the wire (RFC 1122 3.2.1.3, RFC 1812 5.3.7). */
static bool bad_src4(const struct plx_ip *ip)
{
	const uint8_t *s = ip->src.b + 12;

	if (plx_unlikely(s[0] ==
			 0)) /* a host that has no address yet may call everybody (DHCP), or IGMP */
		return !(plx_addr_v4(&ip->src) == 0 && ip->dst.b[12] >= 224);
	return s[0] >= 224 || s[0] == 127;
}

static const struct plx_net_route *route_of(const struct net_lcore *nl, const struct plx_addr *dst)
{
	int32_t i = net__lpm_lookup(&nl->cfg->lpm, dst);

	return i < 0 ? NULL : &nl->cfg->routes[i];
}

/* The same for a packet that came in; NULL for a group. */
static const struct plx_net_route *route_to(struct net_lcore *nl, const struct plx_addr *dst)
{
	struct net_way *way = nl->way;
	const struct plx_net_route *rt;

	if (way && way->in_cfg == nl->cfg && plx_addr_eq(&way->in_dst, dst))
		return way->in_rt;
	rt = plx_addr_is_mcast(dst) ? NULL : route_of(nl, dst);
	if (way) {
		way->in_cfg = nl->cfg;
		way->in_dst = *dst;
		way->in_rt = rt;
	}
	return rt;
}

/*
 * From the wire with a source that is an address of ours, or one that means everybody: forged, or
 * our own come back; an answer would go in a circle (RFC 1812 5.3.8, and the "land" attack). Most
 * sources are ruled out without a lookup.
 */
bool net__from_self(const struct net_lcore *nl, const struct plx_addr *src)
{
	const struct plx_net_route *rt;

	if (plx_likely(!(nl->cfg->own >> (src->b[15] & 63) & 1)))
		return false;
	rt = route_of(nl, src);
	return rt && (rt->type == PLX_NET_ROUTE_LOCAL || rt->type == PLX_NET_ROUTE_BROADCAST);
}

/* Whose lcore is it? Local datagrams of several lcores go by their socket (udp.c), fragments by the
 * 2-tuple. */
static bool frag_elsewhere(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	uint32_t hash;
	uint16_t owner;

	if (plx_likely(nl->net->n_lcores == 1))
		return false;
	hash = plx_steer_hash(&nl->net->toeplitz, &rx->ip.src, &rx->ip.dst, 0, 0, false);
	owner = plx_steer_owner(&nl->net->frag_owners, hash);
	if (owner == nl->sn->index)
		return false;
	net__hand(nl, m, rx, owner);
	return true;
}

static void local(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	if (plx_likely(!rx->ip.is_frag))
		net__ip_deliver(nl, m, rx);
	else if (!frag_elsewhere(nl, m, rx))
		net__frag_in(nl, m, rx);
}

static bool strong_host_refuses(
	const struct net_lcore *nl, const struct plx_net_rx *rx, const struct plx_net_route *rt)
{
	return plx_unlikely(net__tun(nl->net, PLX_TUN_IP_STRONG_HOST)) && rt->iface && rx->iface &&
	       rt->iface != rx->iface;
}

/* Not to one address of ours: to a group, to everybody, or to be forwarded. */
PLX_NOINLINE static void dispatch_other(struct net_lcore *nl, struct rte_mbuf *m,
	struct plx_net_rx *rx, const struct plx_net_route *rt)
{
	bool v6 = rx->ip.version == 6;

	if (plx_addr_is_mcast(&rx->ip.dst)) {
		rx->to_many = true;
		if (net__group_joined(nl->cfg, rx->iface, &rx->ip.dst))
			local(nl, m, rx);
		else
			drop_in(m, PLX_DROP_IP_MCAST_NOT_MEMBER, v6);
	} else if (rt && rt->type == PLX_NET_ROUTE_BROADCAST) {
		rx->to_many = true;
		local(nl, m, rx);
	} else if (!net__tun(nl->net, v6 ? PLX_TUN_IP6_FORWARDING : PLX_TUN_IP_FORWARD)) {
		drop_in(m, PLX_DROP_IP_NOT_LOCAL, v6);
	} else {
		net__forward(nl, m, rx, rt);
	}
}

/* For whom is it? */
static void dispatch(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	const struct plx_net_route *rt = route_to(nl, &rx->ip.dst);

	rx->to_many = false;
	if (plx_unlikely(!rt || rt->type != PLX_NET_ROUTE_LOCAL))
		dispatch_other(nl, m, rx, rt);
	else if (plx_unlikely(rx->link_group && rx->ip.version == 4))
		drop_in(m, PLX_DROP_IP4_BCAST_LINK, false);
	else if (strong_host_refuses(nl, rx, rt))
		drop_in(m, PLX_DROP_IP_NOT_LOCAL, rx->ip.version == 6);
	else
		local(nl, m, rx);
}

/* The header and 8 bytes of the upper layer are read in one piece. @return m, or NULL: dropped. */
PLX_NOINLINE static struct rte_mbuf *headers_in_front(struct rte_mbuf *m)
{
	struct rte_mbuf *one = m;

	if (m->data_len < PLX_IP4_BYTES ||
		m->data_len < (*rte_pktmbuf_mtod(m, const uint8_t *) & 0xf) * 4u + 8)
		one = plx_pkt_linearize(m);
	if (!one)
		drop_in(m, PLX_DROP_NO_MBUF, false);
	return one;
}

/* In one piece with what most packets meet, as plx_net_udp_send() is. */
PLX_FLATTEN void net__ip4_in(
	struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags)
{
	struct plx_net_rx rx;
	bool sum = (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	enum plx_drop drop;

	if (plx_likely(!(flags & (NET_F_HANDED | NET_F_FORWARDED)))) /* has been counted */
		plx_stat_inc(PLX_STAT_IP_INRECEIVES);
	if (plx_unlikely(m->nb_segs > 1 && !(m = headers_in_front(m))))
		return;
	drop = plx_wire_ip4_parse(&rx.ip, rte_pktmbuf_mtod(m, const void *), m->pkt_len, sum);
	rx.sn = nl->sn;
	rx.iface = iface;
	rx.link_group = flags & NET_F_LINK_GROUP;
	rx.copy = flags & NET_F_COPY;
	rx.raw = flags & NET_F_RAW;
	rx.handed = flags & NET_F_HANDED;
	rx.looped = flags & NET_F_LOOPED;
	if (plx_likely(drop == PLX_DROP_NONE) && !rx.looped) {
		if (plx_unlikely(bad_src4(&rx.ip) || net__from_self(nl, &rx.ip.src)))
			drop = PLX_DROP_IP4_MARTIAN_SRC;
		else if (plx_unlikely(rx.ip.dst.b[12] == 127 || rx.ip.dst.b[12] == 0))
			drop = PLX_DROP_IP4_MARTIAN_DST;
	}
	if (plx_likely(drop == PLX_DROP_NONE)) {
		trim(m, &rx.ip);
		dispatch(nl, m, &rx);
		return;
	}
	if (drop == PLX_DROP_IP4_OPTIONS) {
		trim(m, &rx.ip);
		net__icmp_error(
			nl, m, &rx, PLX_ICMP_PARAM_PROBLEM, 0, (uint32_t)rx.ip.err_ptr << 24);
	}
	drop_in(m, drop, false);
}

static bool bad6(const struct net_lcore *nl, const struct plx_ip *ip, enum plx_drop *drop)
{
	if (plx_unlikely(plx_addr_is_loopback(&ip->src) || net__from_self(nl, &ip->src)))
		*drop = PLX_DROP_IP6_MARTIAN_SRC;
	else if (plx_unlikely(plx_addr_is_loopback(&ip->dst) || plx_addr_is_any6(&ip->dst)))
		*drop = PLX_DROP_IP6_MARTIAN_DST;
	else if (plx_unlikely(ip->dst.b[0] == 0xff &&
			      (ip->dst.b[1] & 0xf) <= 1)) /* interface-local scope */
		*drop = PLX_DROP_IP6_MARTIAN_DST;
	return *drop != PLX_DROP_NONE;
}

/* All extension headers, and 8 bytes of what follows them, are in the first segment. */
static bool chain_in_front(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = PLX_IP6_BYTES, len = m->data_len;
	uint8_t nh = len >= at ? p[6] : 0;

	while (at + 8 <= len) {
		bool frag = nh == PLX_IPPROTO_FRAGMENT;

		if (!frag && nh != PLX_IPPROTO_HOPOPTS && nh != PLX_IPPROTO_ROUTING &&
			nh != PLX_IPPROTO_DSTOPTS)
			return true;
		if (frag && plx_get_be16(p + at + 2) & 0xfff8) /* data of some packet follow */
			return true;
		nh = p[at];
		at += frag ? PLX_IP6_FRAG_BYTES : p[at + 1] * 8u + 8;
	}
	return false;
}

/*
 * The whole chain of headers is read in one piece. What we reassembled has it in its first segment
 * (RFC 7112, checked by wire); so must other chained packets that are too long to be joined.
 * @return m, or NULL: dropped.
 */
PLX_NOINLINE static struct rte_mbuf *headers_in_front6(struct rte_mbuf *m)
{
	struct rte_mbuf *one = m->ol_flags & plx_pkt_merged_flag ? m : plx_pkt_linearize(m);

	if (one)
		return one;
	if (chain_in_front(m))
		return m;
	drop_in(m, PLX_DROP_IP6_EXTHDR, true);
	return NULL;
}

void net__ip6_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags)
{
	struct plx_net_rx rx = {
		.sn = nl->sn,
		.iface = iface,
		.link_group = flags & NET_F_LINK_GROUP,
		.copy = flags & NET_F_COPY,
		.raw = flags & NET_F_RAW,
		.handed = flags & NET_F_HANDED,
		.looped = flags & NET_F_LOOPED,
	};
	enum plx_drop drop = PLX_DROP_NONE;
	uint8_t code = PLX_IP6_SILENT;

	if (plx_likely(!(flags & (NET_F_HANDED | NET_F_FORWARDED)))) /* has been counted */
		plx_stat_inc(PLX_STAT_IP6_INRECEIVES);
	if (plx_unlikely(m->nb_segs > 1 && !(m = headers_in_front6(m))))
		return;
	drop = plx_wire_ip6_parse_hop(&rx.ip, rte_pktmbuf_mtod(m, const void *), m->pkt_len, &code);
	if (plx_likely(drop == PLX_DROP_NONE) && !rx.looped)
		bad6(nl, &rx.ip, &drop);
	if (plx_likely(drop == PLX_DROP_NONE)) {
		const struct plx_net_route *rt = route_to(nl, &rx.ip.dst);

		/* only the destination reads the rest of the chain */
		if (plx_addr_is_mcast(&rx.ip.dst) || (rt && rt->type == PLX_NET_ROUTE_LOCAL))
			drop = plx_wire_ip6_parse_rest(
				&rx.ip, rte_pktmbuf_mtod(m, const void *), m->pkt_len, &code);
	}
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		if (code != PLX_IP6_SILENT) {
			trim(m, &rx.ip);
			net__icmp_error(nl, m, &rx, PLX_ICMP6_PARAM_PROBLEM, code, rx.ip.err_ptr);
		}
		drop_in(m, drop, true);
		return;
	}
	trim(m, &rx.ip);
	dispatch(nl, m, &rx);
}

/* No handler: tell the sender (RFC 1122 3.2.2.1, RFC 8200 4). */
PLX_COLD static void no_proto(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	bool v6 = rx->ip.version == 6;

	if (v6 && rx->ip.proto != PLX_IPPROTO_NONE)
		net__icmp_error(
			nl, m, rx, PLX_ICMP6_PARAM_PROBLEM, PLX_ICMP6_PARAM_NEXTHDR, rx->ip.nh_off);
	else if (!v6)
		net__icmp_error(nl, m, rx, PLX_ICMP_UNREACH, PLX_ICMP_UNREACH_PROTO, 0);
	drop_in(m, PLX_DROP_IP_NO_PROTO, v6);
}

static bool has_proto(const struct plx_net *net, const struct plx_ip *ip)
{
	switch (ip->proto) {
	case PLX_IPPROTO_TCP:
		return true;
	case PLX_IPPROTO_ICMP:
	case PLX_IPPROTO_IGMP:
		if (ip->version == 4)
			return true;
		break;
	case PLX_IPPROTO_ICMP6:
		if (ip->version == 6)
			return true;
		break;
	}
	return net->proto[ip->proto];
}

/* To the protocol that has_proto(). */
PLX_NOINLINE static void to_proto(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	bool v6 = rx->ip.version == 6;

	if (rx->ip.proto == PLX_IPPROTO_ICMP && !v6)
		net__icmp4_in(nl, m, rx);
	else if (rx->ip.proto == PLX_IPPROTO_ICMP6 && v6)
		net__icmp6_in(nl, m, rx);
	else if (rx->ip.proto == PLX_IPPROTO_IGMP && !v6)
		net__to_control(nl, m, NET_STAGE_GROUP, net__wire_if(rx), 0);
	else
		nl->net->proto[rx->ip.proto](rx, m);
}

/* @return true: that was all. */
PLX_NOINLINE static bool raw_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	bool heard = net__raw_in(nl, m, rx);

	if (!rx->raw && (!heard || rx->ip.proto == PLX_IPPROTO_UDP || has_proto(nl->net, &rx->ip)))
		return false;
	plx_pkt_deliver(m);
	return true;
}

void net__ip_deliver(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	if (plx_unlikely((plx_count_read(nl->net->raw_lcores[rx->ip.proto]) && !rx->handed) ||
			 rx->raw) &&
		raw_in(nl, m, rx))
		return;
	if (plx_unlikely(rx->ip.proto != PLX_IPPROTO_UDP && !has_proto(nl->net, &rx->ip))) {
		no_proto(nl, m, rx);
		return;
	}
	if (plx_likely(!rx->handed))
		plx_stat_inc(net__stat(
			rx->ip.version == 6, PLX_STAT_IP_INDELIVERS, PLX_STAT_IP6_INDELIVERS));
	if (plx_likely(rx->ip.proto == PLX_IPPROTO_TCP))
		net__tcp_in(nl, m, rx);
	else if (plx_likely(rx->ip.proto == PLX_IPPROTO_UDP))
		net__udp_in(nl, m, rx);
	else
		to_proto(nl, m, rx);
}
