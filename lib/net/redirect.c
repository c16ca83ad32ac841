/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * Redirects (RFC 792, RFC 1122 3.2.2.2, RFC 1812 5.2.7.2; RFC 4861 8): sent to who sends by us what
 * has to leave by the link on which it came; followed, when that is wanted, as exceptions (exc.c).
 */

/* ---- received, control lcore ---- */

bool net__redirects_wanted(const struct plx_net *net, bool v6)
{
	/* a router goes by its routes alone (RFC 1812 5.2.7.2, RFC 4861 8.3) */
	return net__tun(net, v6 ? PLX_TUN_ACCEPT_REDIRECTS6 : PLX_TUN_ACCEPT_REDIRECTS) &&
	       !net__tun(net, v6 ? PLX_TUN_IP6_FORWARDING : PLX_TUN_IP_FORWARD);
}

/* The route by which a is a neighbour on an interface. */
static bool on_link(const struct net_lcore *nl, const struct plx_addr *a, uint16_t iface)
{
	int32_t i = net__lpm_lookup(&nl->cfg->lpm, a);
	const struct plx_net_route *rt = i < 0 ? NULL : &nl->cfg->routes[i];

	return rt && rt->type == PLX_NET_ROUTE_UNICAST && rt->iface == iface &&
	       plx_addr_is_any6(&rt->via);
}

/* Only the gateway in use may send us elsewhere (RFC 1122 3.2.2.2, RFC 4861 8.1). */
static bool from_gateway(struct net_lcore *nl, const struct plx_addr *dst,
	const struct plx_addr *src, uint16_t iface, struct net_dst *d)
{
	return net__route(nl, dst, 0, d) == PLX_DROP_NONE && !d->local && !d->bcast &&
	       d->ifc->index == iface && plx_addr_eq(&d->nexthop, src) && !plx_addr_eq(src, dst);
}

static enum plx_drop follow4(struct net_lcore *nl, const struct net_quote *q, uint16_t iface)
{
	const uint8_t be[] = {(uint8_t)(q->icmp.rest >> 24), (uint8_t)(q->icmp.rest >> 16),
		(uint8_t)(q->icmp.rest >> 8), (uint8_t)q->icmp.rest};
	struct plx_addr gw = plx_addr_from_v4(be);
	struct net_dst d;

	/* codes: for a network, a host, and the same by type of service; all mean this host */
	if (q->icmp.code > 3 || plx_addr_eq(&gw, &q->ip.src) || !on_link(nl, &gw, iface) ||
		!from_gateway(nl, &q->t.dst, &q->ip.src, iface, &d))
		return PLX_DROP_ICMP_REDIRECT_BAD;
	net__exc_gateway(nl->net, &q->t.dst, iface, &gw, nl->sn->now_ns);
	return PLX_DROP_NONE;
}

void net__redirect4_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface)
{
	struct net_quote q;
	enum plx_drop drop = net__quote(m, &q);

	if (drop == PLX_DROP_NONE)
		drop = follow4(nl, &q, iface);
	if (drop == PLX_DROP_NONE)
		plx_pkt_deliver(m);
	else
		plx_pkt_drop(m, drop);
	net__ctl_pump(nl->net);
}

enum plx_drop net__redirect6_in(
	struct net_lcore *nl, const struct plx_nd *nd, const struct plx_addr *src, uint16_t iface)
{
	plx_ns now = nl->sn->now_ns;
	struct net_dst d;

	if (!net__redirects_wanted(nl->net, true))
		return PLX_DROP_ICMP_REDIRECT;
	if (plx_addr_eq(&nd->target, src) || net__from_self(nl, &nd->target) ||
		!from_gateway(nl, &nd->dst, src, iface, &d))
		return PLX_DROP_ICMP_REDIRECT_BAD;
	plx_neigh_input_nd(nl->net->neigh, iface, nd, src, false, now);
	net__exc_gateway(nl->net, &nd->dst, iface, &nd->target, now);
	return PLX_DROP_NONE;
}

/* ---- sent ---- */

#define REDIRECT_MOST	 9		       /* to one who does not listen: then silence, */
#define REDIRECT_LOAD	 PLX_MS(20)	       /* the first pause, each later one twice as long, */
#define REDIRECT_SILENCE (REDIRECT_LOAD << 10) /* until it has been still for so long */

/* Linux's ip_rt_send_redirect(), its defaults. Senders share 256 records. */
static bool due(struct net_lcore *nl, const struct plx_addr *to)
{
	plx_ns now = nl->sn->now_ns;
	uint64_t h = plx_hash_words(nl->net->key, to->q, 2);
	struct net_redirected *r = &nl->redirected[h & (PLX_DIM(nl->redirected) - 1)];

	if (r->tag != (uint32_t)(h >> 32) || now - r->last > REDIRECT_SILENCE)
		*r = (struct net_redirected){.tag = (uint32_t)(h >> 32)};
	if (r->n >= REDIRECT_MOST) {
		r->last = now;
		return false;
	}
	if (r->n && now - r->last <= REDIRECT_LOAD << r->n)
		return false;
	r->last = now;
	r->n++;
	return true;
}

/* The option that quotes the packet, in units of 8 bytes (RFC 4861 4.6.3). */
static void quote6(struct rte_mbuf *e, const struct rte_mbuf *m)
{
	uint32_t room = 1280u - PLX_IP6_BYTES - e->pkt_len - PLX_ND_REDIRECTED_BYTES;
	uint32_t n = PLX_MIN(m->pkt_len, room) & ~7u;
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(e, (uint16_t)(PLX_ND_REDIRECTED_BYTES + n));
	const void *from;

	plx_wire_nd_redirected_emit(p, n);
	p += PLX_ND_REDIRECTED_BYTES;
	from = rte_pktmbuf_read(m, 0, n, p);
	if (from != p)
		memcpy(p, from, n);
}

static void send6(struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct net_dst *d)
{
	static const struct plx_addr link = {.b = {0xfe, 0x80}};
	struct net_rnode *n = net__rtab_find(&nl->net->nbr, &d->nexthop, d->ifc->index);
	struct plx_nd nd = {.type = PLX_ICMP6_REDIRECT, .target = d->nexthop, .dst = rx->ip.dst};
	struct plx_ip ip = {
		.src = net__src_pick(nl->cfg, d->ifc->index, &link),
		.dst = rx->ip.src,
		.version = 6,
		.proto = PLX_IPPROTO_ICMP6,
		.ttl = PLX_ND_HOP_LIMIT,
	};
	const struct net_dst back = {.ifc = d->ifc, .nexthop = rx->ip.src, .mtu = d->ifc->mtu6};
	struct rte_mbuf *e;
	uint8_t *p;

	if (!plx_addr_is_linklocal(&ip.src)) /* how hosts know their routers */
		return;
	e = plx_softnet_alloc(nl->sn);
	if (!e)
		return;
	plx_pkt_originate(1);
	if (n) {
		nd.has_tlla = true;
		nd.tlla = plx_container_of(n, struct net_nbr, node)->mac;
	}
	p = rte_pktmbuf_mtod(e, uint8_t *);
	rte_pktmbuf_append(e, (uint16_t)plx_wire_nd_emit(p, &nd));
	quote6(e, m);
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, p, e->pkt_len);
	plx_stat_inc(PLX_STAT_ICMP6_OUTMSGS);
	plx_stat_inc(PLX_STAT_ICMP6_OUTREDIRECTS);
	net__ip_out(nl, e, &ip, &back);
}

void net__redirect_out(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct net_dst *d)
{
	bool v6 = rx->ip.version == 6;

	if (!d->ifc->eth || !on_link(nl, &rx->ip.src, rx->iface))
		return;
	if (v6) {
		/* a router is told of by its link-local address (RFC 4861 8.2) */
		if (!plx_addr_is_linklocal(&d->nexthop) && !plx_addr_eq(&d->nexthop, &rx->ip.dst))
			return;
		if (due(nl, &rx->ip.src))
			send6(nl, m, rx, d);
	} else if (net__tun(nl->net, PLX_TUN_SEND_REDIRECTS) && due(nl, &rx->ip.src)) {
		net__icmp_error(nl, m, rx, PLX_ICMP_REDIRECT, PLX_ICMP_REDIRECT_HOST,
			plx_addr_v4(&d->nexthop));
	}
}
