/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The control calls. Before the run they act at once; while the engine runs they go to the control
 * lcore and the caller waits.
 */

struct args {
	struct plx_net *net;
	uint16_t iface, port, vlan, mtu;
	uint32_t features;
	bool up;
	const struct plx_prefix *prefix;
	const struct plx_addr *addr;
	const struct plx_mac *mac;
	const struct plx_net_route *route;
	struct plx_net_udp *udp;
	int result;
};

int net__control(struct plx_net *net, void (*fn)(struct plx_softnet *sn, void *arg), void *arg)
{
	struct plx_softnet *sn = net->lcore[0]->sn;

	if (__atomic_load_n(&net->started, __ATOMIC_ACQUIRE))
		return plx_softnet_call(sn, fn, arg);
	fn(sn, arg);
	return 0;
}

static int control(struct args *a, void (*fn)(struct plx_softnet *sn, void *arg))
{
	int err = net__control(a->net, fn, a);

	return err ? err : a->result;
}

static bool has_if(const struct plx_net *net, uint16_t i)
{
	return i > 0 && i < NET_IF_MAX && net->ifc[i].pub.index;
}

/* ---- interfaces ---- */

static struct plx_mcast *mcast_new(struct plx_net *net)
{
	struct plx_mcast_conf c = {
		.groups = (uint32_t)net__tun(net, PLX_TUN_IGMP_MAX_MEMBERSHIPS) + NET_ADDR_MAX,
		.sources = 64,
		.seed = {plx_rng_u64(&net->rng), plx_rng_u64(&net->rng)},
	};
	void *mem = NULL;

	if (posix_memalign(&mem, 64, plx_mcast_size(&c)) != 0)
		return NULL;
	return plx_mcast_init(mem, &c);
}

static void rdisc_init(struct plx_net *net, struct net_ifc *c)
{
	struct plx_rdisc_conf rc = {PLX_RDISC_CONF_DEFAULT};

	rc.iface = c->pub.index;
	rc.mac = c->pub.mac;
	rc.max_mtu = c->pub.mtu;
	net__rdisc_conf(net, &rc);
	plx_neigh_rdisc_init(&c->rdisc, &rc, &net->rng);
}

/* A link-local address of its own for each Ethernet interface (RFC 4862 5.3). */
static int add_linklocal(struct plx_net *net, const struct net_ifc *c)
{
	struct plx_prefix fe80, p = {.len = 64};

	if (c->port->features & PLX_PORT_F_NO_ETH)
		return 0;
	plx_prefix_parse(&fe80, "fe80::/64");
	p.addr = plx_neigh_addr_eui64(&fe80, &c->pub.mac);
	return net__addr_add(net, c->pub.index, &p, false);
}

static int if_add(struct plx_net *net, uint16_t port, uint16_t vlan, uint16_t mtu)
{
	struct plx_port *p = plx_port_get(port);
	uint16_t i = 1;
	struct net_ifc *c;

	if (!p || !plx_engine_has_port(net->eng, port) || vlan > 4094 || (mtu && mtu < 68) ||
		(vlan && p->features & PLX_PORT_F_NO_ETH))
		return -EINVAL;
	for (uint16_t j = 1; j < NET_IF_MAX; j++)
		if (net->ifc[j].pub.index && net->ifc[j].pub.port == port &&
			net->ifc[j].pub.vlan == vlan)
			return -EEXIST;
	while (i < NET_IF_MAX && net->ifc[i].pub.index)
		i++;
	if (i == NET_IF_MAX)
		return -ENOSPC;
	c = &net->ifc[i];
	*c = (struct net_ifc){.port = p,
		.pub = {.index = i, .port = port, .vlan = vlan, .mac = p->mac, .up = true}};
	c->pub.mtu = mtu ? PLX_MIN(mtu, p->mtu) : p->mtu; /* no frame that the port refuses */
	c->mtu6 = c->pub.mtu;
	c->lost_link = p->lost_link;
	if (vlan)
		snprintf(c->pub.name, sizeof(c->pub.name), "%s.%u", p->name, vlan);
	else
		snprintf(c->pub.name, sizeof(c->pub.name), "%s", p->name);
	c->mcast = mcast_new(net);
	if (!c->mcast) {
		c->pub.index = 0;
		return -ENOMEM;
	}
	plx_mcast_link(c->mcast, true, net__now(net));
	net__rss_share(net, c);
	rdisc_init(net, c);
	if (net__publish(net) != 0 || add_linklocal(net, c) != 0) {
		free(c->mcast);
		*c = (struct net_ifc){0};
		net__publish(net);
		return -ENOMEM;
	}
	if (net->started)
		net__rdisc_start(net, c);
	return i;
}

static void do_if_add(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = if_add(a->net, a->port, a->vlan, a->mtu);
}

int plx_net_if_add(struct plx_net *net, uint16_t port, uint16_t vlan, uint16_t mtu)
{
	return control(
		&(struct args){.net = net, .port = port, .vlan = vlan, .mtu = mtu}, do_if_add);
}

static void do_if_up(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;
	struct plx_net *net = a->net;
	struct net_ifc *c = &net->ifc[a->iface];

	a->result = -ENODEV;
	if (!has_if(net, a->iface))
		return;
	a->result = 0;
	if (c->pub.up == a->up)
		return;
	if (!c->pub.vlan)
		a->result = plx_port_set_link(c->port, a->up);
	if (a->result)
		return;
	c->pub.up = a->up;
	c->lost_link = c->port->lost_link;
	if (a->up) {
		net__link_up(net, c);
	} else {
		net__link_down(net, c);
		plx_neigh_rdisc_stop(&c->rdisc);
		c->mtu6 = c->pub.mtu;
	}
	net__publish(net);
	net__taps_link(net);
	net__ctl_pump(net);
}

int plx_net_if_set_up(struct plx_net *net, uint16_t index, bool up)
{
	return control(&(struct args){.net = net, .iface = index, .up = up}, do_if_up);
}

static void do_if_mtu(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;
	struct net_ifc *c = &a->net->ifc[a->iface];

	a->result = -ENODEV;
	if (!has_if(a->net, a->iface))
		return;
	a->result = 0;
	if (a->mtu < 68 || (c->pub.vlan && a->mtu > c->port->mtu))
		a->result = -EINVAL;
	else if (!c->pub.vlan)
		a->result = plx_port_set_mtu(c->port, a->mtu);
	if (a->result)
		return;
	c->pub.mtu = c->mtu6 = a->mtu; /* until a router says otherwise, again */
	c->rdisc.conf.max_mtu = a->mtu;
	c->rdisc.mtu = 0;
	net__publish(a->net);
}

int plx_net_if_set_mtu(struct plx_net *net, uint16_t index, uint16_t mtu)
{
	return control(&(struct args){.net = net, .iface = index, .mtu = mtu}, do_if_mtu);
}

/* Tell the link that the address is at another MAC now; one that was ours needs no probing for
 * that. */
static void announce_mac(struct plx_claim *c, const struct plx_mac *mac, plx_ns now)
{
	uint8_t transmits = c->conf.transmits;

	c->mac = *mac;
	if (c->state == PLX_CLAIM_VALID)
		c->conf.transmits = 0;
	plx_neigh_claim_restart(c, now);
	c->conf.transmits = transmits;
}

/* All interfaces of the port wear its MAC. What neighbours know is put right by announcements. */
static void do_if_mac(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;
	struct plx_net *net = a->net;
	const struct plx_port *p;

	a->result = -ENODEV;
	if (!has_if(net, a->iface))
		return;
	p = net->ifc[a->iface].port;
	a->result = plx_port_set_mac(net->ifc[a->iface].port, a->mac);
	if (a->result)
		return;
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (has_if(net, (uint16_t)i) && net->ifc[i].port == p)
			net->ifc[i].pub.mac = net->ifc[i].rdisc.conf.mac = *a->mac;
	for (unsigned int i = 0; i < NET_ADDR_MAX; i++)
		if (net->addr[i].pub.iface && net->ifc[net->addr[i].pub.iface].port == p)
			announce_mac(&net->addr[i].claim, a->mac, net__now(net));
	net__publish(net);
	net__ctl_pump(net);
}

int plx_net_if_set_mac(struct plx_net *net, uint16_t index, const struct plx_mac *mac)
{
	return control(&(struct args){.net = net, .iface = index, .mac = mac}, do_if_mac);
}

/* What is on its way with the old features is sent all the same: see plx_port_set_features(). */
static void do_port_features(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;
	struct plx_port *p = plx_port_get(a->port);

	a->result = p ? plx_port_set_features(p, a->features) : -ENODEV;
	if (!a->result)
		a->result = net__publish(a->net);
}

int plx_net_port_set_features(struct plx_net *net, uint16_t port, uint32_t wanted)
{
	return control(
		&(struct args){.net = net, .port = port, .features = wanted}, do_port_features);
}

int plx_net_if_find(struct plx_net *net, const char *name)
{
	for (uint16_t i = 1; i < NET_IF_MAX; i++)
		if (has_if(net, i) && strcmp(net->ifc[i].pub.name, name) == 0)
			return i;
	return -ENODEV;
}

bool plx_net_if_next(struct plx_net *net, uint16_t *index, struct plx_net_if *ifc)
{
	while (++*index < NET_IF_MAX)
		if (has_if(net, *index)) {
			*ifc = net->ifc[*index].pub;
			return true;
		}
	return false;
}

/* ---- addresses ---- */

static void do_addr_add(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = net__addr_add(a->net, a->iface, a->prefix, false);
}

int plx_net_addr_add(struct plx_net *net, uint16_t iface, const struct plx_prefix *addr)
{
	return control(&(struct args){.net = net, .iface = iface, .prefix = addr}, do_addr_add);
}

static void do_addr_del(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;
	struct net_addr *found =
		a->iface ? net__addr_find(a->net, a->iface, &a->prefix->addr) : NULL;

	a->result = -EADDRNOTAVAIL;
	if (!found || found->pub.prefix.len != a->prefix->len)
		return;
	net__addr_del(a->net, found);
	a->result = 0;
}

int plx_net_addr_del(struct plx_net *net, uint16_t iface, const struct plx_prefix *addr)
{
	return control(&(struct args){.net = net, .iface = iface, .prefix = addr}, do_addr_del);
}

/* What a router advertised has lifetimes, which renewals move without a word to us. */
static void lifetimes(const struct plx_net *net, struct plx_net_addr *addr)
{
	const struct plx_rdisc *r = &net->ifc[addr->iface].rdisc;

	for (unsigned int i = 0; i < PLX_RDISC_ADDRS; i++)
		if (r->addrs[i].live && plx_addr_eq(&r->addrs[i].addr, &addr->prefix.addr)) {
			addr->valid_until = r->addrs[i].valid_until;
			addr->preferred_until = r->addrs[i].preferred_until;
		}
}

bool plx_net_addr_next(struct plx_net *net, uint32_t *cursor, struct plx_net_addr *addr)
{
	while (*cursor < NET_ADDR_MAX) {
		const struct net_addr *a = &net->addr[(*cursor)++];

		if (a->pub.iface) {
			*addr = a->pub;
			addr->secondary = net__addr_secondary(net, a);
			if (addr->dynamic)
				lifetimes(net, addr);
			return true;
		}
	}
	return false;
}

/* ---- routes ---- */

static void do_route_add(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = net__route_add(a->net, a->route);
}

int plx_net_route_add(struct plx_net *net, const struct plx_net_route *route)
{
	return control(&(struct args){.net = net, .route = route}, do_route_add);
}

static void do_route_del(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = net__route_del(a->net, a->route, -1);
}

int plx_net_route_del(struct plx_net *net, const struct plx_net_route *route)
{
	return control(&(struct args){.net = net, .route = route}, do_route_del);
}

bool plx_net_route_next(struct plx_net *net, uint32_t *cursor, struct plx_net_route *route)
{
	const struct net_cfg *cfg = net->cfg;

	while (*cursor < cfg->n_routes && !cfg->lpm.value[*cursor].used)
		++*cursor;
	if (*cursor >= cfg->n_routes)
		return false;
	*route = cfg->routes[(*cursor)++];
	return true;
}

/* ---- neighbours ---- */

static void do_neigh_add(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = -ENODEV;
	if (!has_if(a->net, a->iface))
		return;
	a->result = plx_neigh_add(
		a->net->neigh, a->iface, a->addr, a->mac, PLX_NEIGH_PERMANENT, net__now(a->net));
	net__ctl_pump(a->net);
}

int plx_net_neigh_add(
	struct plx_net *net, uint16_t iface, const struct plx_addr *addr, const struct plx_mac *mac)
{
	return control(
		&(struct args){.net = net, .iface = iface, .addr = addr, .mac = mac}, do_neigh_add);
}

static void do_neigh_del(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = plx_neigh_del(a->net->neigh, a->iface, a->addr);
	net__ctl_pump(a->net);
}

int plx_net_neigh_del(struct plx_net *net, uint16_t iface, const struct plx_addr *addr)
{
	return control(&(struct args){.net = net, .iface = iface, .addr = addr}, do_neigh_del);
}

const struct plx_neigh *plx_net_neigh_next(struct plx_net *net, uint32_t *cursor)
{
	return plx_neigh_next(net->neigh, cursor);
}

/* ---- groups ---- */

/* Where a program's membership is linked in, or would be at the end. */
static struct net_member **member_of(struct net_ifc *c, const struct plx_addr *group)
{
	struct net_member **at = &c->member;

	while (*at && !plx_addr_eq(&(*at)->group, group))
		at = &(*at)->next;
	return at;
}

static uint32_t memberships(const struct net_ifc *c)
{
	uint32_t n = 0;

	for (const struct net_member *m = c->member; m; m = m->next)
		n += m->n;
	return n;
}

static int join(struct plx_net *net, struct net_ifc *c, const struct plx_addr *group)
{
	struct net_member **at = member_of(c, group), *m = *at;
	int err;

	if (memberships(c) >= net__tun(net, PLX_TUN_IGMP_MAX_MEMBERSHIPS))
		return -ENOBUFS; /* as ip_mc_join_group() */
	if (!m)
		m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	err = plx_mcast_join(c->mcast, group, NULL, net__now(net));
	if (err) {
		if (!*at)
			free(m);
		return err;
	}
	m->group = *group;
	m->n++;
	*at = m;
	return 0;
}

/* Only what was joined: the stack is in groups too, and stays there. */
static int leave(struct plx_net *net, struct net_ifc *c, const struct plx_addr *group)
{
	struct net_member **at = member_of(c, group), *m = *at;
	int err = m ? plx_mcast_leave(c->mcast, group, NULL, net__now(net)) : -EADDRNOTAVAIL;

	if (!err && --m->n == 0) {
		*at = m->next;
		free(m);
	}
	return err;
}

static int change_group(
	struct plx_net *net, uint16_t iface, const struct plx_addr *group, bool is_join)
{
	struct net_ifc *c = &net->ifc[iface];
	int err;

	if (!has_if(net, iface))
		return -ENODEV;
	err = is_join ? join(net, c, group) : leave(net, c, group);
	net__ctl_pump(net);
	return err;
}

static void do_group(struct plx_softnet *sn, void *arg)
{
	struct args *a = arg;

	a->result = change_group(a->net, a->iface, a->addr, a->up);
}

struct group_note {
	struct plx_msg msg;
	struct plx_net *net;
	struct plx_addr group;
	uint16_t iface;
	bool join;
};

static void on_group(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct group_note *n = plx_container_of(msg, struct group_note, msg);

	change_group(n->net, n->iface, &n->group, n->join);
	free(n);
}

int plx_net_group_post(
	struct plx_softnet *sn, uint16_t iface, const struct plx_addr *group, bool is_join)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_net *net = nl->net;
	struct group_note *n;

	net__begin(nl);
	if (!plx_addr_is_mcast(group))
		return -EINVAL;
	if (iface == 0 || iface >= NET_IF_MAX || !nl->cfg->ifs[iface].index)
		return -ENODEV;
	if (nl->control || !plx_engine_serves(net->eng))
		return change_group(net, iface, group, is_join);
	n = malloc(sizeof(*n));
	if (!n)
		return -ENOBUFS;
	*n = (struct group_note){{.fn = on_group}, net, *group, iface, is_join};
	plx_softnet_post(net->lcore[0]->sn, &n->msg);
	return 0;
}

void net__members_free(struct net_ifc *c)
{
	while (c->member) {
		struct net_member *m = c->member;

		c->member = m->next;
		free(m);
	}
}

int plx_net_group_join(struct plx_net *net, uint16_t iface, const struct plx_addr *group)
{
	return control(
		&(struct args){.net = net, .iface = iface, .addr = group, .up = true}, do_group);
}

int plx_net_group_leave(struct plx_net *net, uint16_t iface, const struct plx_addr *group)
{
	return control(&(struct args){.net = net, .iface = iface, .addr = group}, do_group);
}

const struct plx_tunables *plx_net_tunables(const struct plx_net *net)
{
	return net->tun;
}

struct plx_engine *plx_net_engine(const struct plx_net *net)
{
	return net->eng;
}
