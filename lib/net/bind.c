/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <errno.h>

/* Claims on local ports: the table behind its lock, and whether the address is ours. */

struct look {
	struct plx_net *net;
	const struct plx_net_bind *b;
	bool ours;
};

/* Linux's inet_addr_valid_or_nonlocal(), __inet6_bind(): ours, a group, or (IPv4) everybody. */
static void look(struct plx_softnet *sn, void *arg)
{
	struct look *l = arg;
	const struct plx_addr *a = &l->b->laddr;
	const struct net_cfg *cfg = __atomic_load_n(&l->net->cfg, __ATOMIC_ACQUIRE);
	int32_t i;

	if (plx_addr_is_mcast(a)) {
		l->ours = true;
		return;
	}
	i = net__lpm_lookup(&cfg->lpm, a);
	l->ours = i >= 0 && (cfg->routes[i].type == PLX_NET_ROUTE_LOCAL ||
				    cfg->routes[i].type == PLX_NET_ROUTE_BROADCAST);
	if (l->ours && !plx_addr_is_v4(a) && plx_addr_is_linklocal(a) && l->b->iface)
		l->ours = cfg->routes[i].iface == l->b->iface;
}

/* The configuration is read on an lcore, or while none runs. */
static bool is_ours(struct plx_net *net, const struct plx_net_bind *b)
{
	struct look l = {.net = net, .b = b};
	struct plx_softnet *sn = net->lcore[0]->sn;

	if (plx_addr_is_any(&b->laddr))
		return true;
	if (rte_lcore_id() != LCORE_ID_ANY || plx_softnet_call(sn, look, &l) == -ESHUTDOWN)
		look(sn, &l);
	return l.ours;
}

int net__bind_claim(
	struct plx_net *net, struct plx_net_bind *b, plx_net_bind_choose choose, const void *arg)
{
	const struct net_port_range r = {
		.lo = (uint16_t)net__tun(net, PLX_TUN_IP_LOCAL_PORT_LO),
		.hi = (uint16_t)net__tun(net, PLX_TUN_IP_LOCAL_PORT_HI),
	};
	int err;

	pthread_mutex_lock(&net->ports_lock);
	err = net__ports_add(&net->ports, b, &r, choose, arg);
	pthread_mutex_unlock(&net->ports_lock);
	return err;
}

int plx_net_bind_add(
	struct plx_net *net, struct plx_net_bind *b, plx_net_bind_choose choose, const void *arg)
{
	return is_ours(net, b) ? net__bind_claim(net, b, choose, arg) : -EADDRNOTAVAIL;
}

int plx_net_bind_listen(struct plx_net *net, struct plx_net_bind *b)
{
	int err;

	pthread_mutex_lock(&net->ports_lock);
	err = net__ports_listen(&net->ports, b);
	pthread_mutex_unlock(&net->ports_lock);
	return err;
}

void plx_net_bind_move(struct plx_net *net, struct plx_net_bind *b, uint16_t iface)
{
	pthread_mutex_lock(&net->ports_lock);
	net__ports_move(b, iface);
	pthread_mutex_unlock(&net->ports_lock);
}

void plx_net_bind_take(struct plx_net *net, struct plx_net_bind *to, struct plx_net_bind *from)
{
	pthread_mutex_lock(&net->ports_lock);
	net__ports_take(&net->ports, to, from);
	pthread_mutex_unlock(&net->ports_lock);
}

void plx_net_bind_unlisten(struct plx_net *net, struct plx_net_bind *b)
{
	pthread_mutex_lock(&net->ports_lock);
	b->listening = false;
	pthread_mutex_unlock(&net->ports_lock);
}

void plx_net_bind_del(struct plx_net *net, struct plx_net_bind *b)
{
	pthread_mutex_lock(&net->ports_lock);
	net__ports_del(&net->ports, b);
	pthread_mutex_unlock(&net->ports_lock);
}
