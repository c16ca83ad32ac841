/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <stdlib.h>

/*
 * Exceptions: what we were told about the way to one destination, a smaller MTU (RFC 1191, RFC
 * 8201) or a better first hop (redirects), each believed for its time (Linux's fib_nh_exception).
 * The control lcore writes, all read.
 */

#define EXC_MAX 4096

void net__exc_apply(const struct net_lcore *nl, const struct plx_addr *dst, struct net_dst *d)
{
	struct net_rnode *node = net__rtab_find(&nl->net->exc, dst, 0);
	const struct net_exc *e = node ? plx_container_of(node, struct net_exc, node) : NULL;

	if (!e)
		return;
	if (e->mtu < d->mtu && e->mtu_until > nl->sn->now_ns)
		d->mtu = e->mtu;
	/* a redirect is about the gateway that sent it: with another route it means nothing */
	if (e->gw_until > nl->sn->now_ns && e->iface == d->ifc->index &&
		plx_addr_eq(&e->old, &d->nexthop))
		d->nexthop = e->gw;
}

static void free_retired(struct net_retired *r)
{
	free(plx_container_of(r, struct net_exc, retired));
}

static void forget(struct plx_net *net, struct net_rnode *node)
{
	net__rtab_del(&net->exc, node);
	net__retire(net, &plx_container_of(node, struct net_exc, node)->retired, free_retired);
}

/* Those for which gone() says so. */
static void sweep(struct plx_net *net, bool (*gone)(const struct net_exc *e, const void *arg),
	const void *arg)
{
	for (uint32_t i = 0; i <= net->exc.mask; i++) {
		struct net_rnode *e = net->exc.bucket[i];

		while (e) {
			struct net_rnode *next = e->next;

			if (gone(plx_container_of(e, struct net_exc, node), arg))
				forget(net, e);
			e = next;
		}
	}
}

static bool expired(const struct net_exc *e, const void *now)
{
	return PLX_MAX(e->mtu_until, e->gw_until) <= *(const plx_ns *)now;
}

static const struct net_exc *find(const struct plx_net *net, const struct plx_addr *dst)
{
	struct net_rnode *node = net__rtab_find(&net->exc, dst, 0);

	return node ? plx_container_of(node, struct net_exc, node) : NULL;
}

/* In place of what is known of x's destination: found before the old one goes. */
static void replace(struct plx_net *net, const struct net_exc *x, plx_ns now)
{
	struct net_rnode *old = net__rtab_find(&net->exc, &x->node.addr, 0);
	struct net_exc *e = NULL;

	if (net->exc.n >= EXC_MAX && !old)
		sweep(net, expired, &now);
	if (net->exc.n < EXC_MAX || old)
		e = malloc(sizeof(*e));
	if (!e)
		return;
	*e = *x;
	net__rtab_add(&net->exc, &e->node);
	if (old)
		forget(net, old);
}

void net__exc_mtu(struct plx_net *net, const struct plx_addr *dst, uint16_t mtu, plx_ns now)
{
	const struct net_exc *old = find(net, dst);
	struct net_exc x = old ? *old : (struct net_exc){.node.addr = *dst};

	if (x.mtu_until > now && x.mtu <= mtu) /* only probing may raise it (RFC 8201 4) */
		return;
	x.mtu = mtu;
	x.mtu_until = now + PLX_SEC(net__tun(net, PLX_TUN_MTU_EXPIRES));
	replace(net, &x, now);
}

/* The next hop as the routes alone have it. */
static struct plx_addr by_routes(const struct plx_net *net, const struct plx_addr *dst)
{
	int32_t i = net__lpm_lookup(&net->cfg->lpm, dst);

	if (i < 0 || plx_addr_is_any6(&net->cfg->routes[i].via))
		return *dst;
	return net->cfg->routes[i].via;
}

void net__exc_gateway(struct plx_net *net, const struct plx_addr *dst, uint16_t iface,
	const struct plx_addr *gw, plx_ns now)
{
	const struct net_exc *old = find(net, dst);
	struct net_exc x = old ? *old : (struct net_exc){.node.addr = *dst};

	/* redirected once more, it is still the route's gateway that this is in place of */
	x.old = by_routes(net, dst);
	x.iface = iface;
	x.gw = *gw;
	x.gw_until = now + PLX_SEC(net__tun(net, PLX_TUN_ROUTE_GC_TIMEOUT));
	replace(net, &x, now);
}

static bool by_way_of(const struct net_exc *e, const void *n)
{
	const struct plx_neigh *gw = n;

	return e->gw_until && e->iface == gw->iface && plx_addr_eq(&e->gw, &gw->addr);
}

void net__exc_gateway_lost(struct plx_net *net, const struct plx_neigh *gw)
{
	if (net->exc.n)
		sweep(net, by_way_of, gw);
}

/* The cursor is a bucket and how many of its chain have been seen. */
const struct net_exc *net__exc_next(const struct plx_net *net, uint64_t *cursor)
{
	for (uint64_t i = *cursor >> 16, seen = *cursor & 0xffff; i <= net->exc.mask;
		i++, seen = 0) {
		const struct net_rnode *e = net->exc.bucket[i];

		for (uint64_t k = 0; e && k < seen; k++)
			e = e->next;
		if (e) {
			*cursor = (i << 16) + seen + 1;
			return plx_container_of(e, struct net_exc, node);
		}
	}
	return NULL;
}
