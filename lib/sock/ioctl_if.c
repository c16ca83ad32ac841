/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* ioctl(2) about interfaces (netdevice(7)), as far as programs of packet sockets ask. */

static int find(struct sock_lcore *sl, unsigned long request, const struct ifreq *ifr,
	struct plx_net_if *ifc)
{
	uint16_t i = 0;

	while (plx_net_if_next(sl->ns->net, &i, ifc))
		if (request == SIOCGIFNAME
				? ifc->index == ifr->ifr_ifindex
				: strncmp(ifc->name, ifr->ifr_name, sizeof(ifr->ifr_name)) == 0)
			return 0;
	return -ENODEV;
}

static bool has_eth(const struct plx_port *p)
{
	return !(plx_port_features(p) & PLX_PORT_F_NO_ETH);
}

static short flags_of(const struct plx_net_if *ifc, struct plx_port *p)
{
	struct plx_link link;

	plx_port_link(p, &link);
	return (short)(IFF_MULTICAST | (ifc->up ? IFF_UP : 0) |
		       (ifc->up && link.up ? IFF_RUNNING : 0) | (p->promisc ? IFF_PROMISC : 0) |
		       (p->allmulti ? IFF_ALLMULTI : 0) |
		       (has_eth(p) ? IFF_BROADCAST : IFF_NOARP | IFF_POINTOPOINT));
}

long sock__ioctl_if(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct plx_net_if ifc;
	struct plx_port *p;
	struct ifreq ifr;

	if (!op->arg)
		return -EFAULT;
	memcpy(&ifr, op->arg, sizeof(ifr));
	if (find(sl, op->request, &ifr, &ifc) != 0)
		return -ENODEV;
	p = plx_port_get(ifc.port);
	switch (op->request) {
	case SIOCGIFINDEX:
		ifr.ifr_ifindex = ifc.index;
		break;
	case SIOCGIFNAME:
		snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, ifc.name);
		break;
	case SIOCGIFMTU:
		ifr.ifr_mtu = ifc.mtu;
		break;
	case SIOCGIFFLAGS:
		ifr.ifr_flags = flags_of(&ifc, p);
		break;
	default: /* SIOCGIFHWADDR */
		memset(&ifr.ifr_hwaddr, 0, sizeof(ifr.ifr_hwaddr));
		ifr.ifr_hwaddr.sa_family = has_eth(p) ? ARPHRD_ETHER : ARPHRD_NONE;
		if (has_eth(p))
			memcpy(ifr.ifr_hwaddr.sa_data, &ifc.mac, sizeof(ifc.mac));
	}
	memcpy(op->arg, &ifr, sizeof(ifr));
	return 0;
}
