/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <errno.h>

/* What an lcore's programs ask of the stack before they send. */

int plx_net_errno(enum plx_drop why)
{
	switch (why) {
	case PLX_DROP_IP_NO_ROUTE:
		return ENETUNREACH;
	case PLX_DROP_IP_UNREACHABLE_ROUTE:
		return EHOSTUNREACH;
	case PLX_DROP_IP_BLACKHOLE_ROUTE:
	case PLX_DROP_UDP_PORT_ZERO:
		return EINVAL;
	case PLX_DROP_IP_NO_SRC:
		return EADDRNOTAVAIL;
	case PLX_DROP_IP_TOO_BIG:
		return EMSGSIZE;
	case PLX_DROP_NO_MBUF:
		return ENOBUFS;
	default:
		return 0;
	}
}

int plx_net_way(struct plx_softnet *sn, const struct plx_addr *dst, uint16_t iface, bool bound,
	struct plx_net_way *way)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_ip ip = {.dst = *dst};
	enum plx_drop drop;
	struct net_dst d;

	net__begin(nl);
	drop = bound ? net__route_by(nl, dst, iface, &d) : net__route(nl, dst, iface, &d);
	if (drop != PLX_DROP_NONE)
		return -plx_net_errno(drop);
	*way = (struct plx_net_way){
		.iface = d.ifc->index, .mtu = d.mtu, .bcast = d.bcast, .local = d.local};
	way->by_gateway = !d.local && !d.bcast && !plx_addr_eq(&d.nexthop, dst);
	if (net__ip_defaults(nl, &ip, &d))
		way->src = ip.src;
	return 0;
}

static bool has_addr(const struct net_cfg *cfg, uint16_t iface, const struct plx_addr *a)
{
	for (uint32_t i = 0; i < cfg->n_srcs; i++)
		if (cfg->srcs[i].iface == iface && (!a || plx_addr_eq(&cfg->srcs[i].addr, a)))
			return true;
	return false;
}

bool plx_net_has_family(struct plx_softnet *sn, bool v4)
{
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	for (uint32_t i = 0; i < nl->cfg->n_srcs; i++) {
		const struct plx_addr *a = &nl->cfg->srcs[i].addr;

		if (plx_addr_is_v4(a) == v4 && !plx_addr_is_loopback(a))
			return true;
	}
	return false;
}

bool plx_net_is_ours(struct plx_softnet *sn, const struct plx_addr *a, uint16_t iface)
{
	struct net_lcore *nl = net__self(sn);
	int32_t i;

	net__begin(nl);
	if (plx_addr_is_any(a))
		return has_addr(nl->cfg, iface, NULL);
	if (iface)
		return has_addr(nl->cfg, iface, a);
	i = plx_addr_is_mcast(a) ? -1 : net__lpm_lookup(&nl->cfg->lpm, a);
	return i >= 0 && nl->cfg->routes[i].type == PLX_NET_ROUTE_LOCAL;
}

bool net__ports_to(struct net_lcore *nl, const struct plx_addr *laddr, const struct plx_addr *raddr,
	uint16_t rport, struct plx_steer_ports_to *to)
{
	const struct plx_net *net = nl->net;

	if (net->n_lcores == 1 || !net__tun(net, PLX_TUN_SOFT_STEER))
		return false;
	plx_steer_ports_update(&nl->ports, &net->owners);
	plx_steer_ports_to(to, &nl->ports, laddr, raddr, rport);
	return true;
}

bool plx_net_ports_to(struct plx_softnet *sn, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport, struct plx_steer_ports_to *to)
{
	return net__ports_to(net__self(sn), laddr, raddr, rport, to);
}
