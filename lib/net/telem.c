/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"
#include "rps.h"
#include "steer_cmd.h"
#include "tcp.h"

#include <errno.h>

#include <plx_telem.h>

/*
 * Addresses, routes and neighbours for pollux-ctl. They are the control lcore's, which fills the
 * pages; the keys of the rows are in doc/guide/telemetry.md.
 */

#define FOREVER 0xffffffffu /* Linux's INFINITY_LIFE_TIME */

/* ---- rows: on the control lcore ---- */

static bool is_if(const struct plx_net *net, uint64_t i)
{
	return i > 0 && i < NET_IF_MAX && net->ifc[i].pub.index;
}

/*
 * Linux numbers interfaces as they are made: first the ports, then VLANs on them. So the numbers of
 * ports are those of the table "dev".
 */
static uint64_t ifindex(const struct plx_net *net, const struct net_ifc *c)
{
	uint64_t n = c->pub.port + 1u;

	if (!c->pub.vlan)
		return n;
	n = plx_port_count() + 1u;
	for (uint16_t i = 1; i < c->pub.index; i++)
		n += is_if(net, i) && net->ifc[i].pub.vlan;
	return n;
}

/* The interface of a number, NULL if there is none. */
static const struct net_ifc *if_at(const struct plx_net *net, uint64_t number)
{
	for (uint16_t i = 1; i < NET_IF_MAX; i++)
		if (is_if(net, i) && ifindex(net, &net->ifc[i]) == number)
			return &net->ifc[i];
	return NULL;
}

static const char *if_name(const struct plx_net *net, uint16_t i)
{
	return is_if(net, i) ? net->ifc[i].pub.name : "";
}

static void add_str_addr(struct plx_telem_row *r, const char *name, const struct plx_addr *a)
{
	char text[PLX_ADDR_STRLEN];

	plx_telem_row_str(r, name, plx_addr_format(a, text));
}

static void add_if(struct plx_telem_row *r, const struct plx_net *net, const struct net_ifc *c)
{
	char mac[PLX_MAC_STRLEN];
	struct plx_link link;

	plx_port_link(c->port, &link);
	plx_telem_row_u64(r, "ifindex", ifindex(net, c));
	plx_telem_row_str(r, "ifname", c->pub.name);
	plx_telem_row_str(r, "link", c->pub.vlan ? c->port->name : "");
	plx_telem_row_u64(r, "port", c->pub.port);
	plx_telem_row_u64(r, "vlan", c->pub.vlan);
	plx_telem_row_str(r, "mac", plx_mac_format(&c->pub.mac, mac));
	plx_telem_row_u64(r, "mtu", c->pub.mtu);
	plx_telem_row_u64(r, "up", c->pub.up);
	plx_telem_row_u64(r, "running", c->pub.up && link.up);
	plx_telem_row_u64(r, "promisc", c->port->promisc);
	plx_telem_row_u64(r, "allmulti", c->port->allmulti);
	plx_telem_row_u64(r, "noarp", !!(c->port->features & PLX_PORT_F_NO_ETH));
	plx_telem_row_u64(r, "qlen", c->port->n_txq ? c->port->txq[0]->limit : 0);
}

/* Seconds from now until then. */
static uint64_t left_s(plx_ns then, plx_ns now)
{
	if (then == PLX_NEVER)
		return FOREVER;
	return then > now ? (uint64_t)((then - now) / PLX_SEC(1)) : 0;
}

static const char *addr_state(const struct plx_net_addr *a)
{
	switch (a->state) {
	case PLX_NET_ADDR_TENTATIVE:
		return "tentative";
	case PLX_NET_ADDR_DUPLICATE:
		return "dadfailed";
	case PLX_NET_ADDR_DEPRECATED:
		return "deprecated";
	default:
		return a->dynamic ? "dynamic" : "permanent";
	}
}

static void add_broadcast(struct plx_telem_row *r, const struct plx_prefix *p)
{
	struct plx_addr brd = p->addr;

	if (!plx_addr_is_v4(&brd) || p->len >= 127)
		return;
	plx_put_be32(brd.b + 12, plx_addr_v4(&brd) | (UINT32_MAX >> (p->len - 96)));
	add_str_addr(r, "broadcast", &brd);
}

static void add_addr(struct plx_telem_row *r, const struct plx_net_addr *a, plx_ns now)
{
	bool v4 = plx_addr_is_v4(&a->prefix.addr);

	plx_telem_row_str(r, "family", v4 ? "inet" : "inet6");
	add_str_addr(r, "local", &a->prefix.addr);
	plx_telem_row_u64(r, "prefixlen", a->prefix.len - (v4 ? 96u : 0u));
	add_broadcast(r, &a->prefix);
	plx_telem_row_str(
		r, "scope", !v4 && plx_addr_is_linklocal(&a->prefix.addr) ? "link" : "global");
	plx_telem_row_u64(r, "secondary", v4 && a->secondary);
	plx_telem_row_str(r, "state", addr_state(a));
	plx_telem_row_u64(r, "valid_s", left_s(a->valid_until, now));
	plx_telem_row_u64(r, "preferred_s",
		a->state == PLX_NET_ADDR_DEPRECATED ? 0 : left_s(a->preferred_until, now));
}

/*
 * The address of an interface at or behind *at: IPv4's come first, as ip prints them. *at counts
 * the slots of the table twice.
 */
static bool addr_at(const struct plx_net *net, uint16_t iface, uint32_t *at, struct plx_net_addr *a)
{
	while (*at < 2 * NET_ADDR_MAX) {
		uint32_t slot = *at % NET_ADDR_MAX;
		bool v4 = *at < NET_ADDR_MAX;

		++*at;
		if (net->addr[slot].pub.iface == iface &&
			plx_addr_is_v4(&net->addr[slot].pub.prefix.addr) == v4)
			return plx_net_addr_next((struct plx_net *)(uintptr_t)net, &slot, a);
	}
	return false;
}

/* A cursor is an interface's number in the upper bits, where in its addresses in the lower 16. */
static enum plx_telem_more addr_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_net *net = arg;
	uint64_t i = *cursor >> 16;
	uint32_t at = *cursor & 0xffff, from = at;
	const struct net_ifc *c = if_at(net, i);
	struct plx_net_addr a;

	if (i > PLX_PORT_MAX + NET_IF_MAX)
		return PLX_TELEM_END;
	if (c && addr_at(net, c->pub.index, &at, &a)) {
		add_if(r, net, c);
		add_addr(r, &a, net__now(net));
		*cursor = i << 16 | at;
		return PLX_TELEM_MORE;
	}
	if (c && from == 0) /* it has none */
		add_if(r, net, c);
	*cursor = (i + 1) << 16;
	return PLX_TELEM_MORE;
}

static const char *const route_type[] = {
	[PLX_NET_ROUTE_UNICAST] = "unicast",
	[PLX_NET_ROUTE_LOCAL] = "local",
	[PLX_NET_ROUTE_BROADCAST] = "broadcast",
	[PLX_NET_ROUTE_UNREACHABLE] = "unreachable",
	[PLX_NET_ROUTE_BLACKHOLE] = "blackhole",
};

static const char *const route_proto[] = {
	[PLX_NET_PROTO_KERNEL] = "kernel",
	[PLX_NET_PROTO_STATIC] = "static",
	[PLX_NET_PROTO_RA] = "ra",
};

static enum plx_telem_more route_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_net *net = arg;
	uint32_t at = (uint32_t)PLX_MIN(*cursor, (uint64_t)UINT32_MAX);
	struct plx_net_route route;
	char dst[PLX_PREFIX_STRLEN];

	if (!plx_net_route_next(net, &at, &route))
		return PLX_TELEM_END;
	*cursor = at;
	plx_telem_row_str(r, "type", route_type[route.type]);
	plx_telem_row_str(r, "dst", plx_prefix_format(&route.dst, dst));
	if (!plx_addr_is_any(&route.via))
		add_str_addr(r, "gateway", &route.via);
	plx_telem_row_str(r, "dev", route.iface ? if_name(net, route.iface) : "");
	plx_telem_row_str(r, "proto", route_proto[route.proto]);
	if (!plx_addr_is_any(&route.src))
		add_str_addr(r, "src", &route.src);
	plx_telem_row_u64(r, "metric", route.metric);
	plx_telem_row_u64(r, "mtu", route.mtu);
	return PLX_TELEM_MORE;
}

static uint64_t ago_s(plx_ns then, plx_ns now)
{
	return now > then ? (uint64_t)((now - then) / PLX_SEC(1)) : 0;
}

static enum plx_telem_more neigh_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_net *net = arg;
	uint32_t at = (uint32_t)PLX_MIN(*cursor, (uint64_t)UINT32_MAX);
	const struct plx_neigh *n = plx_net_neigh_next(net, &at);
	plx_ns now = net__now(net);
	char mac[PLX_MAC_STRLEN];

	if (!n)
		return PLX_TELEM_END;
	*cursor = at;
	add_str_addr(r, "dst", &n->addr);
	plx_telem_row_str(r, "dev", if_name(net, n->iface));
	plx_telem_row_str(r, "lladdr", plx_neigh_is_usable(n) ? plx_mac_format(&n->mac, mac) : "");
	plx_telem_row_str(r, "state", plx_neigh_state_name(n->state));
	plx_telem_row_u64(r, "router", n->router);
	plx_telem_row_u64(r, "used_s", ago_s(n->used_ns, now));
	plx_telem_row_u64(r, "confirmed_s", ago_s(n->confirmed_ns, now));
	plx_telem_row_u64(r, "updated_s", ago_s(n->updated_ns, now));
	plx_telem_row_u64(r, "probes", n->probes);
	plx_telem_row_u64(r, "waiting", n->user_count);
	return PLX_TELEM_MORE;
}

static bool exc_row_add(struct plx_telem_row *r, struct plx_net *net, const struct net_exc *e)
{
	const struct plx_addr *dst = &e->node.addr;
	plx_ns now = net__now(net), until = PLX_MAX(e->mtu_until, e->gw_until);
	struct net_dst d;

	if (until <= now || net__route(net->lcore[0], dst, 0, &d) != PLX_DROP_NONE)
		return false;
	add_str_addr(r, "dst", dst);
	if (plx_addr_eq(&d.nexthop, dst))
		plx_telem_row_str(r, "gateway", "");
	else
		add_str_addr(r, "gateway", &d.nexthop);
	plx_telem_row_str(r, "dev", if_name(net, d.ifc->index));
	plx_telem_row_u64(r, "redirected", e->gw_until > now);
	plx_telem_row_u64(r, "mtu", e->mtu_until > now ? e->mtu : 0);
	plx_telem_row_u64(r, "expires_s", left_s(until, now));
	return true;
}

static enum plx_telem_more exc_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_net *net = arg;
	const struct net_exc *e;

	while ((e = net__exc_next(net, cursor)))
		if (exc_row_add(r, net, e))
			return PLX_TELEM_MORE;
	return PLX_TELEM_END;
}

/* ---- commands: on the program's control thread ---- */

/* By its name, or untagged by its port's number. @return its index, or -ENODEV and a reply. */
static int find_if(struct plx_net *net, const struct plx_telem_args *args, bool must,
	struct plx_telem_reply *reply)
{
	const char *dev = plx_telem_args_str(args, "dev");
	const struct plx_port *p;
	int i;

	if (!dev)
		return must ? -ENODEV : 0;
	i = plx_net_if_find(net, dev);
	p = i < 0 ? plx_port_find(dev) : NULL;
	if (p)
		i = plx_net_if_find(net, p->name);
	return i < 0 ? plx_telem_reply_error(reply, -ENODEV, "no interface '%s'", dev) : i;
}

static int parse_prefix(const struct plx_telem_args *args, const char *name, struct plx_prefix *p,
	struct plx_telem_reply *reply)
{
	const char *text = plx_telem_args_str(args, name);

	if (plx_prefix_parse(p, text) == 0)
		return 0;
	return plx_telem_reply_error(reply, -EINVAL, "'%s' is no address with a length", text);
}

/* A missing one is left as it is. */
static int parse_addr(const struct plx_telem_args *args, const char *name, struct plx_addr *a,
	struct plx_telem_reply *reply)
{
	const char *text = plx_telem_args_str(args, name);

	if (!text || plx_addr_parse(a, text) == 0)
		return 0;
	return plx_telem_reply_error(reply, -EINVAL, "'%s' is no address", text);
}

static int addr_cmd(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	struct plx_net *net,
	int (*fn)(struct plx_net *net, uint16_t iface, const struct plx_prefix *addr))
{
	int i = find_if(net, args, true, reply), err;
	struct plx_prefix p;

	if (i < 0)
		return i;
	err = parse_prefix(args, "local", &p, reply);
	if (err)
		return err;
	err = fn(net, (uint16_t)i, &p);
	if (err)
		plx_telem_reply_error(reply, err, "%s on %s: %s", plx_telem_args_str(args, "local"),
			if_name(net, (uint16_t)i), strerror(-err));
	return err;
}

static int addr_add(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return addr_cmd(args, reply, net, plx_net_addr_add);
}

static int addr_del(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return addr_cmd(args, reply, net, plx_net_addr_del);
}

static int parse_type(
	const struct plx_telem_args *args, struct plx_net_route *r, struct plx_telem_reply *reply)
{
	const char *type = plx_telem_args_str(args, "type");

	if (!type || strcmp(type, "unicast") == 0)
		r->type = PLX_NET_ROUTE_UNICAST;
	else if (strcmp(type, "unreachable") == 0)
		r->type = PLX_NET_ROUTE_UNREACHABLE;
	else if (strcmp(type, "blackhole") == 0)
		r->type = PLX_NET_ROUTE_BLACKHOLE;
	else
		return plx_telem_reply_error(reply, -EINVAL, "no type of route '%s'", type);
	return 0;
}

static int parse_route(const struct plx_telem_args *args, struct plx_net *net,
	struct plx_net_route *r, struct plx_telem_reply *reply)
{
	int64_t metric = plx_telem_args_int(args, "metric", 0);
	int64_t mtu = plx_telem_args_int(args, "mtu", 0);
	int iface, err;

	*r = (struct plx_net_route){.proto = PLX_NET_PROTO_STATIC};
	err = parse_prefix(args, "dst", &r->dst, reply);
	if (!err)
		err = parse_addr(args, "via", &r->via, reply);
	if (!err)
		err = parse_addr(args, "src", &r->src, reply);
	if (!err)
		err = parse_type(args, r, reply);
	if (err)
		return err;
	iface = find_if(net, args, false, reply);
	if (iface < 0)
		return iface;
	if (metric < 0 || metric > UINT32_MAX)
		return plx_telem_reply_error(reply, -EINVAL, "metric is not in 0..4294967295");
	if (mtu && (mtu < 68 || mtu > UINT16_MAX))
		return plx_telem_reply_error(reply, -EINVAL, "mtu is not in 68..65535");
	r->iface = (uint16_t)iface;
	r->metric = (uint32_t)metric;
	r->mtu = (uint16_t)mtu;
	return 0;
}

static int route_cmd(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	struct plx_net *net, int (*fn)(struct plx_net *net, const struct plx_net_route *route))
{
	struct plx_net_route r;
	int err = parse_route(args, net, &r, reply);

	if (err)
		return err;
	err = fn(net, &r);
	if (err)
		plx_telem_reply_error(reply, err, "%s: %s", plx_telem_args_str(args, "dst"),
			err == -ENETUNREACH ? "no gateway on a link, and no interface given"
			: err == -ESRCH	    ? "no such route"
					    : strerror(-err));
	return err;
}

static int route_add(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return route_cmd(args, reply, net, plx_net_route_add);
}

static int route_del(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return route_cmd(args, reply, net, plx_net_route_del);
}

/* mac NULL: remove it. */
static int neigh_set(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	struct plx_net *net, const struct plx_mac *mac)
{
	int i = find_if(net, args, true, reply), err;
	struct plx_addr dst;

	if (i < 0)
		return i;
	err = parse_addr(args, "dst", &dst, reply);
	if (err)
		return err;
	err = mac ? plx_net_neigh_add(net, (uint16_t)i, &dst, mac)
		  : plx_net_neigh_del(net, (uint16_t)i, &dst);
	if (err)
		plx_telem_reply_error(reply, err, "%s on %s: %s", plx_telem_args_str(args, "dst"),
			if_name(net, (uint16_t)i), strerror(-err));
	return err;
}

static int neigh_add(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	const char *lladdr = plx_telem_args_str(args, "lladdr");
	struct plx_mac mac;

	if (plx_mac_parse(&mac, lladdr) != 0)
		return plx_telem_reply_error(reply, -EINVAL, "'%s' is no MAC address", lladdr);
	return neigh_set(args, reply, net, &mac);
}

static int neigh_del(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return neigh_set(args, reply, net, NULL);
}

/* Step by step; the first that fails ends it. */
static int change(
	struct plx_net *net, uint16_t i, const struct plx_telem_args *args, const char **step)
{
	const char *address = plx_telem_args_str(args, "address");
	int64_t mtu = plx_telem_args_int(args, "mtu", -1), up = plx_telem_args_int(args, "up", -1);
	struct plx_mac mac;
	int err = 0;

	*step = "address";
	if (address)
		err = plx_mac_parse(&mac, address) ? -EINVAL : plx_net_if_set_mac(net, i, &mac);
	if (err)
		return err;
	*step = "mtu";
	if (mtu != -1)
		err = mtu < 0 || mtu > UINT16_MAX ? -EINVAL
						  : plx_net_if_set_mtu(net, i, (uint16_t)mtu);
	if (err)
		return err;
	*step = "up";
	if (up != -1)
		err = up != 0 && up != 1 ? -EINVAL : plx_net_if_set_up(net, i, up);
	return err;
}

static int link_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	int i = find_if(net, args, true, reply), err;
	const char *step;

	if (i < 0)
		return i;
	err = change(net, (uint16_t)i, args, &step);
	if (err)
		plx_telem_reply_error(
			reply, err, "%s: %s: %s", if_name(net, (uint16_t)i), step, strerror(-err));
	return err;
}

/* A port's, so that a VLAN has those of its port. */
static int set_features(void *net, struct plx_port *p, uint32_t wanted)
{
	return plx_net_port_set_features(net, p->id, wanted);
}

static int feature_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net)
{
	return plx_engine_feature_request(args, reply, set_features, net);
}

/* ---- both ---- */

static int on_control(void *arg, uint64_t cursor, void (*fn)(void *), void *fn_arg)
{
	const struct plx_net *net = arg;

	return plx_softnet_call_plain(plx_engine_softnet(net->eng, 0), fn, fn_arg);
}

static struct plx_telem_table tables[] = {
	{
		.name = "addr",
		.help = "Interfaces and their addresses. Parameter: cursor",
		.row = addr_row,
		.run = on_control,
	},
	{
		.name = "route",
		.help = "Routes. Parameter: cursor",
		.row = route_row,
		.run = on_control,
	},
	{
		.name = "neigh",
		.help = "Neighbours. Parameter: cursor",
		.row = neigh_row,
		.run = on_control,
	},
	{
		.name = "cache",
		.help = "What was learned of the way to single destinations. Parameter: cursor",
		.row = exc_row,
		.run = on_control,
	},
	{
		.name = "tcp",
		.help = "Listeners and connections. Parameter: cursor",
		.row = net__tcp_row,
		.run = net__telem_on_owner,
	},
	{
		.name = "udp",
		.help = "UDP sockets. Parameter: cursor",
		.row = net__udp_row,
		.run = net__telem_on_owner,
	},
	{
		.name = "steer",
		.help = "By what flows are given to lcores. Parameter: cursor",
		.row = net__steer_row,
	},
	{
		.name = "flows",
		.help = "Flows that live elsewhere than their bucket. Parameter: cursor",
		.row = net__flows_row,
	},
	{
		.name = "balance",
		.help = "What the rebalancer decided. Parameter: cursor",
		.row = net__balance_row,
		.run = on_control,
	},
	{
		.name = "rps",
		.help = "Receive queues: the lcores that forward what comes. Parameter: cursor",
		.row = net__rps_row,
		.run = on_control,
	},
	{
		.name = "sockstat",
		.help = "Lcores: sockets and their memory. Parameter: cursor",
		.row = net__mem_row,
	},
};

static const struct plx_telem_cmd cmd[] = {
	{"addr add", "local:s dev:s", "give an interface an address", addr_add},
	{"addr del", "local:s dev:s", "take it away", addr_del},
	{"route add", "dst:s via:s? dev:s? src:s? metric:i? mtu:i? type:s?", "add a route",
		route_add},
	{"route del", "dst:s via:s? dev:s? src:s? metric:i? mtu:i? type:s?",
		"remove the first that matches what is given", route_del},
	{"neigh add", "dst:s lladdr:s dev:s", "add or replace a permanent neighbour", neigh_add},
	{"neigh del", "dst:s lladdr:s? dev:s", "forget a neighbour", neigh_del},
	{"link set", "dev:s up:i? mtu:i? address:s?", "change an interface", link_set},
	{"steer lcores", "lcores:s weight:s?",
		"the lcores that own flows and poll, and their parts", net__steer_lcores},
	{"steer bucket", "bucket:i lcore:i", "give the flows of a bucket to an lcore",
		net__steer_bucket},
	{"feature set", "dev:s features:s", "switch features of a port: NAME=on|off...",
		feature_set},
	{"steer rps", "dev:s lcores:s", "spread what comes by PORT[:QUEUE] and is forwarded",
		net__steer_rps},
	{"steer rss", "dev:s equal:i? weight:s? start:i?",
		"fill a port's indirection table, as ethtool -X", net__steer_rss},
	{"steer key", "dev:s key:s",
		"give a port an RSS key: in hexadecimal digits, default, microsoft or random",
		net__steer_key},
	{"steer rx-flow-hash", "dev:s flow:s fields:s",
		"what of a flow's packets a port hashes, as ethtool -N", net__steer_types},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd)};

int plx_net_telem_add(struct plx_net *net)
{
	int err = plx_telem_tables_add(tables, PLX_DIM(tables), net);

	cmds.arg = net;
	if (!err)
		plx_telem_cmds_add(&cmds);
	return err;
}

void plx_net_telem_del(void)
{
	plx_telem_cmds_del(&cmds);
	plx_telem_tables_del(tables, PLX_DIM(tables));
}
