/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <linux/if_link.h>
#include <netpacket/packet.h>

#include <plx_sock_if.h>

/* Interfaces and their addresses. */

static const struct ifaddrs *find(const struct ifaddrs *l, int family, int n)
{
	for (; l; l = l->ifa_next)
		if (l->ifa_addr->sa_family == family && n-- == 0)
			return l;
	return NULL;
}

static const char *text(const struct sockaddr *sa)
{
	return sa ? st_text((const struct sockaddr_storage *)(const void *)sa) : "none";
}

T(an_interface_and_its_addresses)
{
	const struct ifaddrs *a;
	const struct sockaddr_ll *ll;
	struct ifaddrs *l;

	st_new();
	eq(plx_getifaddrs(&l), 0);
	eq(l->ifa_addr->sa_family, AF_PACKET); /* links come first */
	ll = (const void *)l->ifa_addr;
	eq(ll->sll_ifindex, 1);
	eq(ll->sll_halen, 6);
	mem_eq(ll->sll_addr, nt.port[0].port->mac.b, 6);
	mem_eq(((const struct sockaddr_ll *)(const void *)l->ifa_broadaddr)->sll_addr,
		"\xff\xff\xff\xff\xff\xff", 6);
	eq(l->ifa_flags & (IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_RUNNING | IFF_NOARP),
		IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_RUNNING);

	a = find(l, AF_INET, 0);
	str_eq(a->ifa_name, nt.port[0].port->name);
	str_eq(text(a->ifa_addr), "10.0.0.2:0");
	str_eq(text(a->ifa_netmask), "255.255.255.0:0");
	str_eq(text(a->ifa_broadaddr), "10.0.0.255:0");
	ok(!find(l, AF_INET, 1));

	a = find(l, AF_INET6, 0);
	if (((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_scope_id) {
		eq(((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_scope_id, 1);
		a = find(l, AF_INET6, 1); /* the link-local one is there as well */
	}
	str_eq(text(a->ifa_addr), "[2001:db8::2]:0");
	str_eq(text(a->ifa_netmask), "[ffff:ffff:ffff:ffff::]:0");
	str_eq(text(a->ifa_broadaddr), "none");
	plx_freeifaddrs(l);
}

T(statistics_move)
{
	const struct rtnl_link_stats *s;
	struct ifaddrs *l;
	uint32_t before;

	st_new();
	eq(plx_getifaddrs(&l), 0);
	s = l->ifa_data;
	before = s->rx_packets;
	plx_freeifaddrs(l);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 253 len 3");
	eq(plx_getifaddrs(&l), 0);
	s = l->ifa_data;
	eq(s->rx_packets, before + 1);
	plx_freeifaddrs(l);
}

T(an_interface_that_is_down_and_one_of_a_vlan)
{
	struct ifaddrs *l;

	st_new();
	eq(plx_net_if_add(nt.net, 0, 7, 0), 2);
	eq(plx_net_if_set_up(nt.net, 2, false), 0);
	eq(plx_getifaddrs(&l), 0);
	ok(!(l->ifa_next->ifa_flags & (IFF_UP | IFF_RUNNING)));
	ok(strstr(l->ifa_next->ifa_name, ".7"));
	ok(!l->ifa_next->ifa_data);
	plx_freeifaddrs(l);
}

T(names_and_indexes)
{
	char name[PLX_IF_NAMESIZE];
	struct if_nameindex *list;

	st_new();
	eq(plx_if_nametoindex(nt.port[0].port->name), 1);
	str_eq(plx_if_indextoname(1, name), nt.port[0].port->name);
	eq(plx_if_nametoindex("nosuch"), 0);
	eq(errno, ENODEV);
	ok(!plx_if_indextoname(2, name));
	eq(errno, ENXIO);
	ok(!plx_if_indextoname(0, name));
	ok(!plx_if_indextoname(1000000, name));
	list = plx_if_nameindex();
	eq(list[0].if_index, 1);
	str_eq(list[0].if_name, nt.port[0].port->name);
	eq(list[1].if_index, 0);
	plx_if_freenameindex(list);
}

static void *ask(void *arg)
{
	struct ifaddrs *l = NULL;

	plx_sock_enter(st.s);
	eq(plx_getifaddrs(&l), 0);
	*(int *)arg = l && find(l, AF_INET, 0);
	plx_freeifaddrs(l);
	return NULL;
}

T(an_ordinary_thread_asks)
{
	int found = 0;
	pthread_t t;

	st_new();
	eq(pthread_create(&t, NULL, ask, &found), 0);
	for (int i = 0; i < 5000 && pthread_tryjoin_np(t, NULL) != 0; i++) {
		usleep(1000);
		st_run();
	}
	eq(found, 1);
}

RUN_EAL(ST_(an_interface_and_its_addresses), ST_(statistics_move),
	ST_(an_interface_that_is_down_and_one_of_a_vlan), ST_(names_and_indexes),
	ST_(an_ordinary_thread_asks))
