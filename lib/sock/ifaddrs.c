/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

#include <linux/if_link.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdlib.h>

#include <plx_port.h>

#include "plx_sock_if.h"

/*
 * getifaddrs() and what goes with it. The addresses are the control lcore's, which copies them; the
 * list is made of the copy by the caller.
 */

static_assert(PLX_IF_NAMESIZE >= PLX_NET_IF_NAMELEN, "a name fits");

#define LOWER_UP 0x10000u /* <linux/if.h>'s IFF_LOWER_UP, which <net/if.h> lacks */

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_ll ll;
	uint64_t align; /**< as struct sockaddr_storage is */
};

/** An entry of the list, with all that it points to. */
struct entry {
	struct ifaddrs ifa;
	union any_addr addr, mask, brd;
	struct rtnl_link_stats stats;
	char name[PLX_NET_IF_NAMELEN];
};

/** What the control lcore knows. */
struct copy {
	struct plx_net_addr *addr;
	uint32_t n, room;
};

static const struct plx_net_if *find_if(struct plx_net *net, uint16_t index, struct plx_net_if *f)
{
	uint16_t at = index - 1u;

	return plx_net_if_next(net, &at, f) && at == index ? f : NULL;
}

/* ---- on the control lcore ---- */

static bool more_room(struct copy *c)
{
	uint32_t room = c->room ? 2 * c->room : 16;
	struct plx_net_addr *more = realloc(c->addr, room * sizeof(*more));

	if (!more)
		return false;
	c->addr = more;
	c->room = room;
	return true;
}

static long copy_run(struct sock_lcore *sl, struct sock_file *none, struct sock_op *op)
{
	struct copy *c = op->arg;
	struct plx_net_addr a;
	uint32_t cursor = 0;

	if (sl->sn->index != 0)
		return -EXDEV;
	while (plx_net_addr_next(sl->ns->net, &cursor, &a)) {
		if (c->n == c->room && !more_room(c))
			return -ENOMEM;
		c->addr[c->n++] = a;
	}
	return 0;
}

/* ---- entries ---- */

static unsigned int flags_of(const struct plx_net_if *f, struct plx_port *p)
{
	unsigned int flags = IFF_MULTICAST;
	struct plx_link link;

	flags |= plx_port_features(p) & PLX_PORT_F_NO_ETH ? IFF_POINTOPOINT | IFF_NOARP
							  : IFF_BROADCAST;
	flags |= p->promisc ? IFF_PROMISC : 0;
	flags |= p->allmulti ? IFF_ALLMULTI : 0;
	if (!f->up)
		return flags;
	plx_port_link(p, &link);
	return flags | IFF_UP | (link.up ? IFF_RUNNING | LOWER_UP : 0);
}

static struct entry *entry_new(const struct plx_net_if *f)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	memcpy(e->name, f->name, sizeof(e->name));
	e->ifa.ifa_name = e->name;
	e->ifa.ifa_flags = flags_of(f, plx_port_get(f->port));
	e->ifa.ifa_addr = &e->addr.sa;
	return e;
}

/* As IFLA_STATS has them: 32 bits, which turn over. */
static void put_stats(struct entry *e, struct plx_port *p)
{
	struct plx_port_stats s;

	plx_port_stats(p, &s);
	e->stats = (struct rtnl_link_stats){.rx_packets = (uint32_t)s.rx_packets,
		.tx_packets = (uint32_t)s.tx_packets,
		.rx_bytes = (uint32_t)s.rx_bytes,
		.tx_bytes = (uint32_t)s.tx_bytes,
		.rx_errors = (uint32_t)s.rx_errors,
		.tx_errors = (uint32_t)s.tx_errors,
		.rx_dropped = (uint32_t)s.rx_dropped,
		.tx_dropped = (uint32_t)s.tx_dropped,
		.rx_missed_errors = (uint32_t)s.rx_missed_errors,
		.rx_nohandler = (uint32_t)s.rx_nohandler};
	e->ifa.ifa_data = &e->stats;
}

static void put_link(struct sockaddr_ll *ll, const struct plx_net_if *f, bool ether)
{
	ll->sll_family = AF_PACKET;
	ll->sll_ifindex = f->index;
	ll->sll_hatype = ether ? 1 : 0xfffe; /* ARPHRD_ETHER, ARPHRD_NONE */
	if (ether) {
		ll->sll_halen = sizeof(f->mac.b);
		memcpy(ll->sll_addr, f->mac.b, sizeof(f->mac.b));
	}
}

static struct entry *link_entry(const struct plx_net_if *f)
{
	struct plx_port *p = plx_port_get(f->port);
	bool ether = !(plx_port_features(p) & PLX_PORT_F_NO_ETH);
	struct entry *e = entry_new(f);

	if (!e)
		return NULL;
	put_link(&e->addr.ll, f, ether);
	if (ether) {
		e->brd.ll = e->addr.ll;
		memset(e->brd.ll.sll_addr, 0xff, sizeof(f->mac.b));
		e->ifa.ifa_broadaddr = &e->brd.sa;
	}
	if (!f->vlan)
		put_stats(e, p);
	return e;
}

static void put_addr4(struct entry *e, const struct plx_prefix *p)
{
	uint32_t hosts = p->len < 128 ? UINT32_MAX >> (p->len - 96) : 0;
	uint32_t a = plx_addr_v4(&p->addr);

	e->addr.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(a)};
	e->mask.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(~hosts)};
	if (p->len < 127 && e->ifa.ifa_flags & IFF_BROADCAST) { /* RFC 3021: not of /31 */
		e->brd.in = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(a | hosts)};
		e->ifa.ifa_broadaddr = &e->brd.sa;
	}
}

static void put_addr6(struct entry *e, const struct plx_prefix *p, uint16_t index)
{
	e->addr.in6.sin6_family = e->mask.in6.sin6_family = AF_INET6;
	memcpy(&e->addr.in6.sin6_addr, p->addr.b, 16);
	if (plx_addr_is_linklocal(&p->addr))
		e->addr.in6.sin6_scope_id = index;
	for (unsigned int i = 0; i < p->len; i++)
		e->mask.in6.sin6_addr.s6_addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static struct entry *addr_entry(struct plx_net *net, const struct plx_net_addr *a)
{
	struct plx_net_if f;
	struct entry *e = find_if(net, a->iface, &f) ? entry_new(&f) : NULL;

	if (!e)
		return NULL;
	e->ifa.ifa_netmask = &e->mask.sa;
	if (plx_addr_is_v4(&a->prefix.addr))
		put_addr4(e, &a->prefix);
	else
		put_addr6(e, &a->prefix, a->iface);
	return e;
}

/* ---- the list ---- */

/* @return where the next one goes; NULL: there was no memory. */
static struct ifaddrs **append(struct ifaddrs **at, struct entry *e)
{
	if (!at || !e)
		return NULL;
	*at = &e->ifa;
	return &e->ifa.ifa_next;
}

static struct ifaddrs **append_family(
	struct ifaddrs **at, struct plx_net *net, const struct copy *c, bool v4)
{
	for (uint32_t i = 0; at && i < c->n; i++)
		if (plx_addr_is_v4(&c->addr[i].prefix.addr) == v4)
			at = append(at, addr_entry(net, &c->addr[i]));
	return at;
}

int plx_getifaddrs(struct ifaddrs **list)
{
	struct copy c = {0};
	struct sock_op op = {.run = copy_run, .nofile = true, .arg = &c};
	struct ifaddrs *first = NULL, **at = &first;
	int err = sock__call(&op) == 0 ? 0 : errno;
	struct plx_net_if f;
	uint16_t index = 0;

	if (!err) {
		struct plx_net *net = sock__ns()->net;

		while (at && plx_net_if_next(net, &index, &f))
			at = append(at, link_entry(&f));
		at = append_family(at, net, &c, true);
		at = append_family(at, net, &c, false);
		err = at ? 0 : ENOMEM;
	}
	free(c.addr);
	if (err) {
		plx_freeifaddrs(first);
		errno = err;
		return -1;
	}
	*list = first;
	return 0;
}

void plx_freeifaddrs(struct ifaddrs *list)
{
	while (list) {
		struct entry *e = plx_container_of(list, struct entry, ifa);

		list = list->ifa_next;
		free(e);
	}
}

/* ---- names and indexes ---- */

unsigned int plx_if_nametoindex(const char *name)
{
	const struct plx_sock *ns = sock__ns();
	struct plx_net_if f;
	uint16_t index = 0;

	while (ns && plx_net_if_next(ns->net, &index, &f))
		if (strcmp(f.name, name) == 0)
			return index;
	errno = ENODEV;
	return 0;
}

char *plx_if_indextoname(unsigned int index, char *name)
{
	const struct plx_sock *ns = sock__ns();
	struct plx_net_if f;

	if (ns && index > 0 && index < PLX_NET_IF_MAX && find_if(ns->net, (uint16_t)index, &f)) {
		memcpy(name, f.name, sizeof(f.name));
		return name;
	}
	errno = ENXIO;
	return NULL;
}

struct if_nameindex *plx_if_nameindex(void)
{
	struct if_nameindex *list = calloc(PLX_NET_IF_MAX + 1, sizeof(*list));
	const struct plx_sock *ns = sock__ns();
	struct plx_net_if f;
	uint16_t index = 0;

	if (!list)
		return NULL;
	for (unsigned int n = 0; ns && plx_net_if_next(ns->net, &index, &f); n++) {
		list[n].if_index = index;
		list[n].if_name = strdup(f.name);
		if (!list[n].if_name) {
			plx_if_freenameindex(list);
			errno = ENOMEM;
			return NULL;
		}
	}
	return list;
}

void plx_if_freenameindex(struct if_nameindex *list)
{
	for (unsigned int n = 0; list && list[n].if_index; n++)
		free(list[n].if_name);
	free(list);
}
