/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <stdlib.h>

/*
 * Neighbours as the data path sees them: a table of resolved ones that the control lcore keeps in
 * step with its state machine (lib/neigh). What is not there waits at the control lcore; the first
 * use of a stale one tells it, so that it checks whether the neighbour is still there. While it
 * does, it wants to hear that what is sent there arrives (RFC 4861 7.3.1; Linux's dst_confirm());
 * and at any time that nothing does.
 */

#define NOTED_DEAD 2 /* note is under way and the entry is gone */

/* Of a neighbour's asks and why. */
#define NBR_USE	     1
#define NBR_PROGRESS 2
#define NBR_DOUBT    4

static uint16_t ethertype(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4 ? PLX_ETHERTYPE_IP4
							       : PLX_ETHERTYPE_IP6;
}

static uint8_t asks(const struct plx_neigh *n)
{
	if (n->state == PLX_NEIGH_STALE)
		return NBR_USE;
	return n->state & (PLX_NEIGH_DELAY | PLX_NEIGH_PROBE) ? NBR_PROGRESS : 0;
}

/* Who hears that others' packets arrive does not doubt for the sake of one. */
static void take_advice(struct plx_net *net, struct net_nbr *e, uint8_t why, plx_ns now)
{
	struct plx_neigh *n = plx_neigh_find(net->neigh, e->node.iface, &e->node.addr);

	if (!n)
		return;
	if (why & NBR_PROGRESS)
		plx_neigh_confirm(net->neigh, n, now);
	else
		plx_neigh_doubt(net->neigh, n, now);
	__atomic_store_n(&e->asks, asks(n), __ATOMIC_RELAXED);
}

/* On the control lcore: what others have seen of a neighbour. */
static void note(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_nbr *e = plx_container_of(msg, struct net_nbr, note);
	struct plx_net *net = net__self(sn)->net;
	uint8_t why;

	if (__atomic_exchange_n(&e->noted, 0, __ATOMIC_ACQ_REL) == NOTED_DEAD) {
		free(e);
		return;
	}
	why = __atomic_exchange_n(&e->why, 0, __ATOMIC_RELAXED);
	if (why & NBR_USE)
		plx_neigh_use(net->neigh, e->node.iface, &e->node.addr, sn->now_ns);
	if (why & (NBR_PROGRESS | NBR_DOUBT))
		take_advice(net, e, why, sn->now_ns);
	net__ctl_pump(net);
}

PLX_NOINLINE static void tell(struct net_lcore *nl, struct net_nbr *e, uint8_t flags)
{
	uint8_t why = __atomic_load_n(&e->asks, __ATOMIC_RELAXED);

	if (!(flags & NET_F_PROGRESS))
		why &= NBR_USE;
	if (flags & NET_F_DOUBT)
		why |= NBR_DOUBT;
	if (!why)
		return;
	__atomic_fetch_or(&e->why, why, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&e->noted, 1, __ATOMIC_ACQ_REL))
		return;
	__atomic_store_n(&e->asks, 0, __ATOMIC_RELAXED);
	plx_softnet_post(plx_engine_softnet(nl->net->eng, 0), &e->note);
}

static struct net_nbr *find(struct net_lcore *nl, const struct plx_addr *nexthop, uint16_t iface)
{
	struct net_way *way = nl->way;
	struct net_nbr *e = way ? way->nbr : NULL;
	struct net_rnode *node;

	if (e && e->node.iface == iface && plx_addr_eq(&e->node.addr, nexthop))
		return e;
	node = net__rtab_find(&nl->net->nbr, nexthop, iface);
	e = node ? plx_container_of(node, struct net_nbr, node) : NULL;
	if (way)
		way->nbr = e;
	return e;
}

/* Where there is no Ethernet. */
static void packet_out(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc)
{
	m->l2_len = 0;
	if (!ifc->up) {
		plx_pkt_drop(m, PLX_DROP_TX_DOWN);
		return;
	}
	if (plx_unlikely(nl->taps))
		net__taps_out(nl, m, ifc, NULL);
	plx_softnet_tx(nl->sn, ifc->port, m);
}

void net__link_out(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc,
	const struct plx_addr *nexthop, bool bcast)
{
	static const struct plx_mac ones = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	uint8_t flags = plx_pkt_meta(m)->flags;
	struct net_nbr *e;

	if (plx_unlikely(!ifc->eth)) {
		packet_out(nl, m, ifc);
		return;
	}
	if (plx_unlikely(bcast)) {
		net__eth_tx(nl, m, ifc, &ones, ethertype(m));
		return;
	}
	if (plx_unlikely(plx_addr_is_mcast(nexthop))) {
		struct plx_mac mac = plx_wire_group_mac(nexthop);

		net__eth_tx(nl, m, ifc, &mac, ethertype(m));
		return;
	}
	e = find(nl, nexthop, ifc->index);
	if (plx_unlikely(!e)) {
		net__to_control(nl, m, NET_STAGE_NEIGH, ifc->index,
			flags & (NET_F_FORWARDED | NET_F_BOUND));
		return;
	}
	if (plx_unlikely(__atomic_load_n(&e->asks, __ATOMIC_RELAXED) || flags & NET_F_DOUBT))
		tell(nl, e, flags);
	net__eth_tx(nl, m, ifc, &e->mac, ethertype(m));
}

/* ---- control lcore ---- */

void net__nbr_conf(const struct plx_net *net, struct plx_neigh_conf *c)
{
	c->mcast_solicit = (uint8_t)net__tun(net, PLX_TUN_NEIGH_MCAST_SOLICIT);
	c->ucast_solicit = (uint8_t)net__tun(net, PLX_TUN_NEIGH_UCAST_SOLICIT);
	c->gc_stale_time_ns = PLX_SEC(net__tun(net, PLX_TUN_NEIGH_GC_STALETIME));
	c->base_reachable_time_ns = PLX_MS(net__tun(net, PLX_TUN_NEIGH_BASE_REACHABLE));
	c->retrans_time_ns = PLX_MS(net__tun(net, PLX_TUN_NEIGH_RETRANS));
	c->delay_first_probe_ns = PLX_SEC(net__tun(net, PLX_TUN_NEIGH_DELAY_FIRST_PROBE));
}

void net__nbr_refresh(struct plx_net *net)
{
	struct plx_neigh_conf conf = net->neigh_conf;

	net__nbr_conf(net, &conf);
	if (memcmp(&conf, &net->neigh_conf, sizeof(conf)) == 0)
		return;
	net->neigh_conf = conf;
	plx_neigh_table_set_conf(net->neigh, &conf);
}

static void pend(struct plx_net *net, struct plx_neigh *n, struct rte_mbuf *m)
{
	struct rte_mbuf *tail = n->user[1];

	/* as Linux: the oldest makes room for the newest */
	while (n->user_count >= (uint32_t)net__tun(net, PLX_TUN_NEIGH_UNRES_QLEN)) {
		struct rte_mbuf *old = n->user[0];

		n->user[0] = plx_pkt_meta(old)->next;
		n->user_count--;
		plx_count(net->n_pending, -plx_pkt_wire(old));
		plx_pkt_drop(old, PLX_DROP_NEIGH_QUEUE_FULL);
	}
	plx_pkt_meta(m)->next = NULL;
	if (n->user_count == 0)
		n->user[0] = m;
	else
		plx_pkt_meta(tail)->next = m;
	n->user[1] = m;
	n->user_count++;
	plx_count(net->n_pending, plx_pkt_wire(m));
}

static void dst_of(const struct rte_mbuf *m, struct plx_addr *src, struct plx_addr *dst)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	bool v4 = p[0] >> 4 == 4;

	*src = v4 ? plx_addr_from_v4(p + 12) : plx_addr_from_v6(p + 8);
	*dst = v4 ? plx_addr_from_v4(p + 16) : plx_addr_from_v6(p + 24);
}

void net__nbr_resolve(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags)
{
	struct plx_net *net = nl->net;
	struct plx_addr src, dst;
	struct plx_neigh *n;
	struct net_dst d;
	enum plx_drop drop;

	if (nl->stopped) {
		plx_pkt_drop(m, PLX_DROP_STOPPED);
		return;
	}
	dst_of(m, &src, &dst);
	/* by what led it here; without its route it does not turn into a neighbour on the link */
	drop = flags & NET_F_BOUND ? net__route_by(nl, &dst, iface, &d)
				   : net__route(nl, &dst, iface, &d);
	if (drop != PLX_DROP_NONE || d.ifc->index != iface) {
		plx_pkt_drop(m, drop ? drop : PLX_DROP_IP_NO_ROUTE);
		return;
	}
	if (net__rtab_find(&net->nbr, &d.nexthop, iface)) { /* resolved while it was under way */
		net__link_out(nl, m, d.ifc, &d.nexthop, d.bcast);
		return;
	}
	net__nbr_refresh(net);
	n = plx_neigh_use(net->neigh, iface, &d.nexthop, nl->sn->now_ns);
	if (!n) {
		plx_pkt_drop(m, PLX_DROP_NEIGH_TABLE_FULL);
		return;
	}
	/* RFC 4861 7.2.2: if it is one of the interface that asks */
	if (!(flags & NET_F_FORWARDED) && net__addr_find(net, iface, &src))
		n->src_hint = src;
	plx_pkt_meta(m)->flags = flags;
	pend(net, n, m);
	net__ctl_pump(net);
}

static struct rte_mbuf *take_pending(struct plx_net *net, struct plx_neigh *n)
{
	struct rte_mbuf *m = n->user[0];

	for (struct rte_mbuf *i = m; i; i = plx_pkt_meta(i)->next)
		plx_count(net->n_pending, -plx_pkt_wire(i));
	n->user[0] = n->user[1] = NULL;
	n->user_count = 0;
	return m;
}

static void send_pending(struct plx_net *net, struct plx_neigh *n)
{
	struct net_lcore *nl = net->lcore[0];
	struct rte_mbuf *m = take_pending(net, n);

	if (m) /* a use: a neighbour that told us unasked is checked (RFC 4861 7.3.3) */
		plx_neigh_use(net->neigh, n->iface, &n->addr, nl->sn->now_ns);
	while (m) {
		struct rte_mbuf *next = plx_pkt_meta(m)->next;

		net__eth_tx(nl, m, net__if(nl, n->iface), &n->mac, ethertype(m));
		m = next;
	}
}

/* Its sender is told (RFC 1812 5.2.7.1, RFC 4861 7.2.2), also when that is ourselves: so our
 * sockets hear of it (Linux's arp_error_report()). */
static void tell_sender(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct plx_net_rx rx = {
		.sn = nl->sn, .looped = !(plx_pkt_meta(m)->flags & NET_F_FORWARDED)};
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint8_t code;

	if (p[0] >> 4 == 4) {
		if (plx_wire_ip4_parse(&rx.ip, p, m->pkt_len, false) == PLX_DROP_NONE)
			net__icmp_error(nl, m, &rx, PLX_ICMP_UNREACH, PLX_ICMP_UNREACH_HOST, 0);
	} else if (plx_wire_ip6_parse_hop(&rx.ip, p, m->data_len, &code) == PLX_DROP_NONE) {
		net__icmp_error(nl, m, &rx, PLX_ICMP6_UNREACH, PLX_ICMP6_UNREACH_ADDR, 0);
	}
}

static void drop_pending(struct plx_net *net, struct plx_neigh *n)
{
	struct net_lcore *nl = net->lcore[0];
	struct rte_mbuf *m = take_pending(net, n);

	while (m) {
		struct rte_mbuf *next = plx_pkt_meta(m)->next;

		if (!nl->stopped)
			tell_sender(nl, m);
		plx_pkt_drop(m, nl->stopped ? PLX_DROP_STOPPED : PLX_DROP_NEIGH_FAILED);
		m = next;
	}
}

/* No reader can see it any more, but its note may still lie in our mailbox: then note() frees it.
 */
static void free_retired(struct net_retired *r)
{
	struct net_nbr *e = plx_container_of(r, struct net_nbr, retired);

	if (e->noted)
		e->noted = NOTED_DEAD;
	else
		free(e);
}

static void withdraw(struct plx_net *net, struct net_rnode *old)
{
	if (!old)
		return;
	net__rtab_del(&net->nbr, old);
	net__retire(net, &plx_container_of(old, struct net_nbr, node)->retired, free_retired);
}

/* The new one is found before the old one: there is no moment without any. */
static void publish(struct plx_net *net, const struct plx_neigh *n)
{
	struct net_rnode *old = net__rtab_find(&net->nbr, &n->addr, n->iface);
	struct net_nbr *e = calloc(1, sizeof(*e));

	if (e) { /* else the old one goes all the same: it is wrong */
		e->node.addr = n->addr;
		e->node.iface = n->iface;
		e->mac = n->mac;
		e->note.fn = note;
		e->asks = asks(n);
		net__rtab_add(&net->nbr, &e->node);
	}
	withdraw(net, old);
}

void net__nbr_event(struct plx_net *net, struct plx_neigh *n, unsigned int what)
{
	if (what & (PLX_NEIGH_EV_REMOVED | PLX_NEIGH_EV_FAILED)) {
		net__exc_gateway_lost(net, n);
		withdraw(net, net__rtab_find(&net->nbr, &n->addr, n->iface));
		drop_pending(net, n);
		return;
	}
	if (what & (PLX_NEIGH_EV_USABLE | PLX_NEIGH_EV_MAC))
		publish(net, n);
	if (what & PLX_NEIGH_EV_STALE) {
		struct net_rnode *e = net__rtab_find(&net->nbr, &n->addr, n->iface);

		if (e)
			__atomic_store_n(&plx_container_of(e, struct net_nbr, node)->asks, asks(n),
				__ATOMIC_RELAXED);
	}
	if (what & PLX_NEIGH_EV_USABLE)
		send_pending(net, n);
	if (what & PLX_NEIGH_EV_HOST)
		plx_neigh_rdisc_not_router(&net->ifc[n->iface].rdisc, &n->addr);
}
