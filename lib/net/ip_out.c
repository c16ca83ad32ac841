/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <plx_offload.h>

/*
 * IP output: which way (one route lookup), which source, header, fragments, next hop.
 */

/* Linux's IPv4 counts what has no route, IPv6 also what a route calls unreachable. */
void net__drop_out(struct rte_mbuf *m, enum plx_drop reason, bool v6)
{
	if (reason == PLX_DROP_IP_NO_ROUTE)
		plx_stat_inc(net__stat(v6, PLX_STAT_IP_OUTNOROUTES, PLX_STAT_IP6_OUTNOROUTES));
	else if (reason == PLX_DROP_IP_UNREACHABLE_ROUTE && v6)
		plx_stat_inc(PLX_STAT_IP6_OUTNOROUTES);
	plx_pkt_drop(m, reason);
}

static bool needs_oif(const struct plx_addr *dst)
{
	return plx_addr_is_mcast(dst) || (plx_addr_is_linklocal(dst) && !plx_addr_is_v4(dst));
}

static const struct net_if *first_up(const struct net_cfg *cfg)
{
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (cfg->ifs[i].index && cfg->ifs[i].up)
			return &cfg->ifs[i];
	return NULL;
}

/* @param oif 0: any. */
static const struct net_if *if_at(const struct net_cfg *cfg, uint16_t oif)
{
	if (!oif)
		return first_up(cfg);
	return oif < NET_IF_MAX && cfg->ifs[oif].index ? &cfg->ifs[oif] : NULL;
}

/* ff01::/16 and the reserved ff00::/16 (RFC 4291 2.7): never on a wire. */
static bool stays_here(const struct plx_addr *dst)
{
	return dst->b[0] == 0xff && (dst->b[1] & 0xf) <= 1;
}

/* By no route: to whom it says, on this interface. */
static enum plx_drop on_link(struct net_lcore *nl, const struct plx_addr *dst,
	const struct net_if *ifc, bool bcast, struct net_dst *d)
{
	if (!ifc)
		return PLX_DROP_IP_NO_ROUTE;
	*d = (struct net_dst){
		.ifc = ifc,
		.src = d->src,
		.nexthop = *dst,
		.mtu = net__if_mtu(ifc, dst),
		.bcast = bcast,
		.loop = bcast ||
			(plx_addr_is_mcast(dst) &&
				(stays_here(dst) || net__group_joined(nl->cfg, ifc->index, dst))),
	};
	if (__atomic_load_n(&nl->net->exc.n, __ATOMIC_RELAXED))
		net__exc_apply(nl, dst, d);
	return PLX_DROP_NONE;
}

/* All but unicast by a route. */
PLX_NOINLINE static enum plx_drop route_other(struct net_lcore *nl, const struct plx_addr *dst,
	uint16_t oif, const struct plx_net_route *rt, struct net_dst *d)
{
	const struct net_cfg *cfg = nl->cfg;

	d->src = rt && !plx_addr_is_any6(&rt->src) ? &rt->src : NULL;
	if (rt && rt->type == PLX_NET_ROUTE_LOCAL) {
		d->ifc = &cfg->ifs[rt->iface];
		d->nexthop = *dst;
		d->mtu = UINT16_MAX;
		d->bcast = d->loop = d->bound = false;
		d->advice = 0;
		d->local = true;
		return PLX_DROP_NONE;
	}
	if (plx_addr_is_mcast(dst) || (oif && needs_oif(dst)))
		return on_link(nl, dst, if_at(cfg, oif), false, d);
	if (!rt)
		return PLX_DROP_IP_NO_ROUTE;
	if (rt->type == PLX_NET_ROUTE_BROADCAST)
		return on_link(
			nl, dst, rt->iface ? &cfg->ifs[rt->iface] : if_at(cfg, oif), true, d);
	return rt->type == PLX_NET_ROUTE_BLACKHOLE ? PLX_DROP_IP_BLACKHOLE_ROUTE
						   : PLX_DROP_IP_UNREACHABLE_ROUTE;
}

/* By a unicast route. */
static inline void by_route(struct net_lcore *nl, const struct plx_addr *dst, bool v4,
	const struct plx_net_route *rt, struct net_dst *d)
{
	d->ifc = &nl->cfg->ifs[rt->iface];
	d->src = plx_addr_is_any6(&rt->src) ? NULL : &rt->src;
	d->nexthop = plx_addr_is_any6(&rt->via) ? *dst : rt->via;
	d->bcast = d->local = d->loop = d->no_loop = d->no_wire = d->bound = false;
	d->advice = 0;
	d->mtu = v4 ? d->ifc->mtu : d->ifc->mtu6;
	if (plx_unlikely(rt->mtu))
		d->mtu = PLX_MIN(d->mtu, rt->mtu);
	if (plx_unlikely(__atomic_load_n(&nl->net->exc.n, __ATOMIC_RELAXED)))
		net__exc_apply(nl, dst, d);
}

enum plx_drop net__route(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t oif, struct net_dst *d)
{
	const struct net_cfg *cfg = nl->cfg;
	const struct plx_net_route *rt = NULL;
	struct net_way *way = nl->way;
	bool v4 = plx_addr_is_v4(dst); /* once: memory is looked at anew behind the lookup */

	if (way && way->cfg == cfg && way->oif == oif && plx_addr_eq(&way->dst, dst)) {
		*d = way->d;
		return PLX_DROP_NONE;
	}
	if (plx_likely(!plx_addr_is_mcast(dst))) {
		int32_t i = net__lpm_lookup(&cfg->lpm, dst);

		rt = i < 0 ? NULL : &cfg->routes[i];
	}
	if (plx_unlikely(!rt || rt->type != PLX_NET_ROUTE_UNICAST || (oif && needs_oif(dst))))
		return route_other(nl, dst, oif, rt, d);
	by_route(nl, dst, v4, rt, d);
	if (way) {
		way->cfg = cfg;
		way->dst = *dst;
		way->oif = oif;
		way->d = *d;
	}
	return PLX_DROP_NONE;
}

struct way_out {
	const struct plx_net_route *routes;
	uint16_t oif;
};

static bool leaves_by(const void *arg, int32_t i)
{
	const struct way_out *w = arg;

	return w->routes[i].type == PLX_NET_ROUTE_UNICAST && w->routes[i].iface == w->oif;
}

PLX_NOINLINE enum plx_drop net__route_by(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t oif, struct net_dst *d)
{
	const struct net_cfg *cfg = nl->cfg;
	const struct way_out w = {cfg->routes, oif};
	enum plx_drop drop = net__route(nl, dst, oif, d);
	int32_t i;

	if (drop == PLX_DROP_IP_UNREACHABLE_ROUTE || drop == PLX_DROP_IP_BLACKHOLE_ROUTE ||
		plx_unlikely(!oif))
		return drop;
	if (drop != PLX_DROP_NONE || (!d->local && d->ifc->index != oif)) {
		i = net__lpm_walk(&cfg->lpm, dst, leaves_by, &w);
		drop = PLX_DROP_NONE;
		d->src = NULL;
		if (i != NET_LPM_NONE)
			by_route(nl, dst, plx_addr_is_v4(dst), &cfg->routes[i], d);
		else if (plx_addr_is_v4(dst))
			drop = on_link(nl, dst, if_at(cfg, oif), false, d);
		else
			drop = PLX_DROP_IP_NO_ROUTE;
	}
	d->bound = drop == PLX_DROP_NONE;
	return drop;
}

int net__apart(
	struct net_lcore *nl, struct rte_mbuf *m, bool sums, struct rte_mbuf **part, uint32_t max)
{
	const struct plx_gso_conf conf = {
		.pool = nl->sn->pool, .clones = nl->sn->clones, .l4_cksum = sums};
	int err = plx_gso_from_gro(m, 0);

	return err ? err : plx_gso_segment(m, &conf, part, max);
}

PLX_NOINLINE struct rte_mbuf *net__headroom_slow(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct rte_mbuf *head = plx_softnet_alloc(nl->sn);

	if (!head) {
		plx_pkt_drop(m, PLX_DROP_NO_MBUF);
		return NULL;
	}
	head->ol_flags = m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	head->tx_offload = m->tx_offload;
	*plx_pkt_meta(head) = *plx_pkt_meta(m);
	head->next = m;
	head->nb_segs = (uint16_t)(m->nb_segs + 1);
	head->pkt_len = m->pkt_len;
	return head;
}

bool net__l4_ok(const struct rte_mbuf *m, const struct plx_ip *ip)
{
	uint32_t sum = 0;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
		(ip->proto == PLX_IPPROTO_UDP || ip->proto == PLX_IPPROTO_TCP))
		return true;
	if (plx_likely(m->nb_segs == 1))
		return plx_wire_l4_cksum_ok(ip,
			rte_pktmbuf_mtod_offset(m, const uint8_t *, ip->hdr_bytes), ip->l4_bytes);
	if (ip->proto != PLX_IPPROTO_ICMP && ip->proto != PLX_IPPROTO_IGMP)
		sum = plx_cksum_pseudo(&ip->src, &ip->dst, ip->proto, ip->l4_bytes);
	sum = plx_cksum_combine(sum, plx_pkt_csum_sum(m, ip->hdr_bytes, ip->l4_bytes), 0);
	return plx_cksum_fold(sum) == 0xffff;
}

/*
 * The source that whoever sends left open. Here and below what is not inlined takes addresses and
 * headers by value: of a header whose address goes nowhere the compiler knows what is in it.
 */
PLX_NOINLINE static struct plx_addr pick_src(
	const struct net_lcore *nl, struct plx_addr dst, const struct net_dst *d)
{
	if (d->local)
		return dst;
	if (d->src)
		return *d->src;
	return net__src_pick(nl->cfg, d->ifc->index, plx_addr_is_v4(&dst) ? &d->nexthop : &dst);
}

bool net__ip_defaults(struct net_lcore *nl, struct plx_ip *ip, const struct net_dst *d)
{
	bool v4 = plx_addr_is_v4(&ip->dst);

	ip->version = v4 ? 4 : 6;
	if (!ip->ttl)
		ip->ttl = plx_addr_is_mcast(&ip->dst)
				  ? 1
				  : (uint8_t)net__tun(nl->net,
					    v4 ? PLX_TUN_IP_DEFAULT_TTL : PLX_TUN_IP6_HOP_LIMIT);
	if (plx_likely(!plx_addr_is_any(&ip->src)))
		return true;
	ip->src = pick_src(nl, ip->dst, d);
	return !plx_addr_is_any(&ip->src);
}

static void set_flags(struct rte_mbuf *m, const struct net_dst *d)
{
	plx_pkt_meta(m)->flags = (d->bound ? NET_F_BOUND : 0) | d->advice;
}

/* Its header is made: to the link or to ourselves. */
static enum plx_drop send_made(
	struct net_lcore *nl, struct rte_mbuf *m, uint16_t hdr_bytes, const struct net_dst *d)
{
	m->l3_len = hdr_bytes;
	if (plx_unlikely(d->local)) {
		net__loopback(nl, m, d->loop ? d->ifc->index : 0);
		return PLX_DROP_NONE;
	}
	set_flags(m, d);
	net__link_out(nl, m, d->ifc, &d->nexthop, d->bcast);
	return PLX_DROP_NONE;
}

/* Who cuts it makes the sum of each part's header; DPDK wants a zero there. */
static void leave_ip4_sum(struct rte_mbuf *m)
{
	memset(rte_pktmbuf_mtod_offset(m, uint8_t *, 10), 0, 2);
	m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

static enum plx_drop send_whole(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_ip *ip, const struct net_dst *d)
{
	uint16_t bytes = ip->version == 4 ? PLX_IP4_BYTES : PLX_IP6_BYTES;

	m = net__headroom(nl, m, bytes);
	if (plx_unlikely(!m)) {
		plx_stat_inc(net__stat(
			ip->version == 6, PLX_STAT_IP_OUTDISCARDS, PLX_STAT_IP6_OUTDISCARDS));
		return PLX_DROP_NO_MBUF;
	}
	if (ip->version == 4)
		plx_wire_ip4_emit(net__push(m, PLX_IP4_BYTES), ip);
	else
		plx_wire_ip6_emit(net__push(m, PLX_IP6_BYTES), ip);
	if (plx_unlikely(m->ol_flags & NET_TX_SEG && ip->version == 4 && !d->local &&
			 d->ifc->features & PLX_PORT_F_TX_CSUM_IP4))
		leave_ip4_sum(m);
	return send_made(nl, m, bytes, d);
}

/*
 * Unlike what else goes to the same place at a time (RFC 6864 4, RFC 8200 4.5), on all lcores, and
 * not to be foretold by others (RFC 7739 5.3).
 */
PLX_NOINLINE static uint32_t next_id(struct net_lcore *nl, struct plx_addr src, struct plx_addr dst)
{
	const uint64_t w[] = {src.q[0], src.q[1], dst.q[0], dst.q[1]};
	uint64_t h = plx_hash_words(nl->net->key, w, PLX_DIM(w));
	uint32_t n = nl->ip_id[h % PLX_DIM(nl->ip_id)]++;

	return (uint32_t)(h >> 32) + n * nl->net->n_lcores + nl->sn->index;
}

/*
 * A copy for those here, whole before it is cut (Linux's ip_mc_output()).
 * @return true: that was all, m is done with.
 */
PLX_NOINLINE static bool loop_back(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip ip, const struct net_dst *d)
{
	struct rte_mbuf *c = d->no_loop ? NULL : rte_pktmbuf_copy(m, nl->sn->pool, 0, UINT32_MAX);
	struct net_dst here = *d;

	if (c) {
		plx_pkt_loan_copied(m);
		here.local = true;
		ip.l4_bytes = (uint16_t)m->pkt_len;
		plx_pkt_originate(1);
		send_whole(nl, c, &ip, &here);
	} else if (!d->no_loop) {
		plx_stat_inc(net__stat(
			ip.version == 6, PLX_STAT_IP_OUTDISCARDS, PLX_STAT_IP6_OUTDISCARDS));
	}
	if (!stays_here(&ip.dst) && !d->no_wire)
		return false;
	plx_pkt_deliver(m);
	return true;
}

enum plx_drop net__ip_out(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip *ip, const struct net_dst *d)
{
	bool v4 = ip->version == 4;
	uint32_t bytes = m->pkt_len + (v4 ? PLX_IP4_BYTES : PLX_IP6_BYTES);
	struct plx_ip whole;

	plx_stat_inc(net__stat(!v4, PLX_STAT_IP_OUTREQUESTS, PLX_STAT_IP6_OUTREQUESTS));
	if (plx_unlikely(d->loop) && loop_back(nl, m, *ip, d))
		return PLX_DROP_NONE;
	if (plx_likely(bytes <= d->mtu || d->local || m->ol_flags & NET_TX_SEG)) {
		ip->l4_bytes = (uint16_t)m->pkt_len;
		/* an atomic datagram needs no identification of its own (RFC 6864 4.1) */
		ip->id = ip->df || !v4 ? 0 : next_id(nl, ip->src, ip->dst) & 0xffff;
		return send_whole(nl, m, ip, d);
	}
	ip->id = next_id(nl, ip->src, ip->dst);
	if (v4)
		ip->id &= 0xffff;
	set_flags(m, d);
	whole = *ip;
	return net__fragment(nl, m, &whole, NULL, d->mtu, d->ifc, &d->nexthop, d->bcast);
}

enum plx_drop net__ip_out_opts(struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip *ip,
	const struct net_opts *opts, const struct net_dst *d)
{
	uint16_t hdr = (uint16_t)(PLX_IP4_BYTES + opts->first_bytes);

	plx_stat_inc(PLX_STAT_IP_OUTREQUESTS);
	ip->id = next_id(nl, ip->src, ip->dst) & 0xffff;
	if (m->pkt_len + hdr > d->mtu && !d->local) {
		set_flags(m, d);
		return net__fragment(nl, m, ip, opts, d->mtu, d->ifc, &d->nexthop, d->bcast);
	}
	ip->l4_bytes = (uint16_t)m->pkt_len;
	m = net__headroom(nl, m, hdr);
	if (!m) {
		plx_stat_inc(PLX_STAT_IP_OUTDISCARDS);
		return PLX_DROP_NO_MBUF;
	}
	plx_wire_ip4_emit_opts(net__push(m, hdr), ip, opts->first, opts->first_bytes);
	return send_made(nl, m, hdr, d);
}

enum plx_drop plx_net_ip_send(
	struct plx_softnet *sn, struct rte_mbuf *m, struct plx_ip *ip, uint16_t oif)
{
	return plx_net_ip_send_as(sn, m, ip, &(struct plx_net_udp_msg){.iface = oif});
}

enum plx_drop plx_net_ip_send_as(struct plx_softnet *sn, struct rte_mbuf *m, struct plx_ip *ip,
	const struct plx_net_udp_msg *how)
{
	struct net_lcore *nl = net__self(sn);
	struct net_dst d;
	enum plx_drop drop;
	bool v6 = !plx_addr_is_v4(&ip->dst);

	net__begin(nl);
	plx_pkt_originate(1);
	drop = how->bound ? net__route_by(nl, &ip->dst, how->iface, &d)
			  : net__route(nl, &ip->dst, how->iface, &d);
	if (drop == PLX_DROP_NONE) {
		net__ask_loop(&d, how);
		if (!net__ip_defaults(nl, ip, &d))
			drop = PLX_DROP_IP_NO_SRC;
		else if (m->pkt_len > 65535u - PLX_IP4_BYTES)
			drop = PLX_DROP_IP_TOO_BIG;
	}
	if (drop != PLX_DROP_NONE) {
		net__drop_out(m, drop, v6);
		return drop;
	}
	return net__ip_out(nl, m, ip, &d);
}
