/* SPDX-License-Identifier: BSD-3-Clause */
#include "rfs.h"

/*
 * What interfaces do when their link comes or goes, and when we become a router; and whether RFS is
 * to have another table. Nobody tells us: the control lcore looks every now and then.
 */

#define WATCH PLX_MS(100)

/*
 * Who was away does not know what has happened here meanwhile: addresses are probed and announced
 * anew (RFC 4862 5.3, RFC 5227 2.1; Linux's arp_notify and ndisc_notify), groups reported (its
 * ipv6_mc_up(): another switch may be listening), routers asked (RFC 4861 6.3.7).
 */
void net__link_up(struct plx_net *net, struct net_ifc *c)
{
	plx_ns now = net__now(net);

	plx_mcast_link(c->mcast, true, now);
	for (unsigned int i = 0; i < net->addr_top; i++) {
		struct net_addr *a = &net->addr[i];

		if (a->pub.iface != c->pub.index)
			continue;
		plx_neigh_claim_restart(&a->claim, now);
		a->pub.state = net__addr_state(net, a);
	}
	net__rdisc_start(net, c);
}

void net__link_down(struct plx_net *net, struct net_ifc *c)
{
	plx_mcast_link(c->mcast, false, net__now(net));
	plx_neigh_flush(net->neigh, c->pub.index, false); /* Linux's neigh_carrier_down() */
}

static void watch_link(struct plx_net *net, struct net_ifc *c)
{
	bool lost = __atomic_load_n(&c->port->lost_link, __ATOMIC_RELAXED);

	if (lost == c->lost_link)
		return;
	c->lost_link = lost;
	if (!c->pub.up)
		return;
	if (lost)
		net__link_down(net, c);
	else
		net__link_up(net, c);
	net__publish(net);
	net__ctl_pump(net);
}

/* A router of IPv6 hears all routers (RFC 4291 2.8), one of IPv4 in Linux only with mrouted. */
static void watch_router(struct plx_net *net, struct net_ifc *c)
{
	static const uint8_t scope[] = {1, 2, 5};
	bool router = net__tun(net, PLX_TUN_IP6_FORWARDING);

	if (router == c->router)
		return;
	c->router = router;
	for (size_t i = 0; i < PLX_DIM(scope); i++) {
		struct plx_addr all = {.b = {0xff, scope[i], [15] = 2}};

		if (router)
			plx_mcast_join(c->mcast, &all, NULL, net__now(net));
		else
			plx_mcast_leave(c->mcast, &all, NULL, net__now(net));
	}
	net__ctl_pump(net);
}

void net__link_watch(struct plx_net *net)
{
	plx_ns now = net__now(net);

	if (plx_likely(now < net->watch_ns))
		return;
	net->watch_ns = now + WATCH;
	net__rfs_watch(net);
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (net->ifc[i].pub.index) {
			watch_router(net, &net->ifc[i]);
			watch_link(net, &net->ifc[i]);
		}
}
