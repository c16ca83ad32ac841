/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Interfaces, addresses and routes. The control lcore keeps the lists; a change builds a whole new
 * snapshot (struct net_cfg) and publishes it. A host's lists are short and changes are rare; in
 * return the data path reads one immutable thing. Only routes can be many: they are put into the
 * snapshot in use while it has room (lpm.h), and a new one takes those along that are left.
 *
 * As in Linux, local and broadcast addresses are routes: one lookup tells input whether a packet is
 * for us and output where it goes.
 */

static void mask_addr(struct plx_prefix *p)
{
	for (unsigned int i = 0; i < 16; i++) {
		int bits = (int)p->len - (int)i * 8;

		if (bits <= 0)
			p->addr.b[i] = 0;
		else if (bits < 8)
			p->addr.b[i] &= (uint8_t)(0xff00 >> bits);
	}
}

static struct plx_prefix host(const struct plx_addr *a)
{
	return (struct plx_prefix){.addr = *a, .len = 128};
}

static bool usable(const struct net_addr *a)
{
	return a->pub.iface &&
	       (a->pub.state == PLX_NET_ADDR_VALID || a->pub.state == PLX_NET_ADDR_DEPRECATED);
}

/* An address that an operator gave makes its network a connected one; a SLAAC address says nothing
 * about on-link (RFC 4862 5.5.3). */
static bool connects(const struct plx_net *net, const struct net_addr *a)
{
	return usable(a) && net->ifc[a->pub.iface].pub.up && !a->pub.dynamic &&
	       a->pub.prefix.len < 128;
}

bool net__addr_secondary(const struct plx_net *net, const struct net_addr *a)
{
	const struct plx_prefix *p = &a->pub.prefix;

	for (unsigned int i = 0; i < net->addr_top; i++) {
		const struct net_addr *b = &net->addr[i];

		if (b->serial < a->serial && b->pub.iface == a->pub.iface &&
			b->pub.prefix.len == p->len && connects(net, b) &&
			plx_prefix_contains(&b->pub.prefix, &p->addr))
			return true;
	}
	return false;
}

/* ---- building ---- */

/* @return 0 or -ENOSPC. */
static int put(struct net_cfg *cfg, const struct plx_net_route *r, uint64_t rank)
{
	uint32_t i = cfg->n_routes;

	if (i == cfg->max_routes)
		return -ENOSPC;
	cfg->routes[i] = *r;
	if (net__lpm_add(&cfg->lpm, &r->dst, (int32_t)i, rank) != 0)
		return -ENOSPC;
	cfg->n_routes++;
	return 0;
}

static void put_simple(struct net_cfg *cfg, const struct plx_prefix *dst, uint8_t type,
	uint16_t iface, const struct plx_addr *src)
{
	struct plx_net_route r = {
		.dst = *dst, .type = type, .iface = iface, .proto = PLX_NET_PROTO_KERNEL};

	if (src)
		r.src = *src;
	if (dst->len == 128 && type != PLX_NET_ROUTE_UNICAST && !plx_addr_is_loopback(&dst->addr))
		cfg->own |= UINT64_C(1) << (dst->addr.b[15] & 63);
	put(cfg, &r, 0);
}

/* The directed broadcast address of an IPv4 network, and its old all-zeros form; a /31 or /32 has
 * none. */
static void put_broadcasts(struct net_cfg *cfg, const struct plx_net_addr *a)
{
	struct plx_prefix net = a->prefix, p;

	if (!plx_addr_is_v4(&net.addr) || net.len >= 127)
		return;
	mask_addr(&net);
	p = host(&net.addr);
	put_simple(cfg, &p, PLX_NET_ROUTE_BROADCAST, a->iface, &a->prefix.addr);
	plx_put_be32(p.addr.b + 12, plx_addr_v4(&net.addr) | (UINT32_MAX >> (net.len - 96)));
	put_simple(cfg, &p, PLX_NET_ROUTE_BROADCAST, a->iface, &a->prefix.addr);
}

static void put_addrs(struct plx_net *net, struct net_cfg *cfg)
{
	static const char *const self[] = {"127.0.0.0/8", "::1/128"};
	struct plx_prefix p;

	for (unsigned int i = 0; i < net->addr_top; i++) {
		const struct net_addr *a = &net->addr[i];

		if (!usable(a) || !net->ifc[a->pub.iface].pub.up)
			continue;
		p = host(&a->pub.prefix.addr);
		put_simple(cfg, &p, PLX_NET_ROUTE_LOCAL, a->pub.iface, &a->pub.prefix.addr);
		if (!net__addr_secondary(net, a))
			put_broadcasts(cfg, &a->pub);
		cfg->srcs[cfg->n_srcs++] = (struct net_src){
			.addr = a->pub.prefix.addr,
			.iface = a->pub.iface,
			.plen = a->pub.prefix.len,
			.deprecated = a->pub.state == PLX_NET_ADDR_DEPRECATED,
		};
	}
	for (unsigned int i = 0; i < PLX_DIM(self); i++) {
		plx_prefix_parse(&p, self[i]);
		put_simple(cfg, &p, PLX_NET_ROUTE_LOCAL, 0, NULL);
	}
	plx_prefix_parse(&p, "255.255.255.255");
	put_simple(cfg, &p, PLX_NET_ROUTE_BROADCAST, 0, NULL);
}

/* The networks that our addresses are in, each by the oldest of them, as Linux has it
 * (fib_add_ifaddr()). */
static void put_connected(struct plx_net *net, struct net_cfg *cfg)
{
	for (unsigned int i = 0; i < net->addr_top; i++) {
		const struct net_addr *a = &net->addr[i];
		struct plx_prefix p = a->pub.prefix;

		if (!connects(net, a) || net__addr_secondary(net, a))
			continue;
		mask_addr(&p);
		/* IPv6 chooses among all addresses (RFC 6724) */
		put_simple(cfg, &p, PLX_NET_ROUTE_UNICAST, a->pub.iface,
			plx_addr_is_v4(&p.addr) ? &a->pub.prefix.addr : NULL);
	}
}

static bool is_own(const struct net_cfg *cfg, const struct plx_addr *a)
{
	int32_t i = net__lpm_lookup(&cfg->lpm, a);

	return i >= 0 && cfg->routes[i].type == PLX_NET_ROUTE_LOCAL;
}

static int put_route(const struct plx_net *net, struct net_cfg *cfg, const struct plx_net_route *x)
{
	struct plx_net_route r = *x;

	if (r.iface && !net->ifc[r.iface].pub.up)
		return 0;
	if (!is_own(cfg, &r.src))
		r.src = (struct plx_addr){0};
	return put(cfg, &r, UINT64_C(1) + r.metric); /* behind what comes with addresses */
}

static int put_routes(const struct plx_net *net, struct net_cfg *cfg)
{
	int err = 0;

	for (uint32_t i = 0; i < net->n_route && !err; i++)
		err = put_route(net, cfg, &net->route[i]);
	return err;
}

static int put_ifs(struct plx_net *net, struct net_cfg *cfg)
{
	for (unsigned int i = 1; i < NET_IF_MAX; i++) {
		const struct net_ifc *c = &net->ifc[i];

		if (!c->pub.index)
			continue;
		cfg->ifs[i] = (struct net_if){
			.index = c->pub.index,
			.port = c->pub.port,
			.vlan = c->pub.vlan,
			.mtu = c->pub.mtu,
			.mtu6 = c->mtu6,
			.mac = c->pub.mac,
			.up = c->pub.up,
			.eth = !(c->port->features & PLX_PORT_F_NO_ETH),
			.features = c->port->features,
			.rss_hash = c->rss_hash && plx_port_features(c->port) & PLX_PORT_F_RX_HASH,
		};
		if (!c->pub.vlan) {
			cfg->port_if[c->pub.port] = (uint8_t)i;
			continue;
		}
		if (!cfg->vlan_if[c->pub.port])
			cfg->vlan_if[c->pub.port] = calloc(4096, 1);
		if (!cfg->vlan_if[c->pub.port])
			return -ENOMEM;
		cfg->vlan_if[c->pub.port][c->pub.vlan] = (uint8_t)i;
	}
	return 0;
}

static int group_cmp(const void *a, const void *b)
{
	const struct net_group *x = a, *y = b;
	int c = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return c ? c : (int)x->iface - (int)y->iface;
}

static void put_groups(struct plx_net *net, struct net_cfg *cfg, uint32_t max)
{
	for (unsigned int i = 1; i < NET_IF_MAX; i++) {
		struct plx_mcast_group g;
		uint32_t cursor = 0;

		if (!net->ifc[i].mcast)
			continue;
		while (cfg->n_groups < max && plx_mcast_next(net->ifc[i].mcast, &cursor, &g))
			cfg->groups[cfg->n_groups++] = (struct net_group){g.addr, (uint16_t)i};
	}
	qsort(cfg->groups, cfg->n_groups, sizeof(*cfg->groups), group_cmp);
}

static uint32_t count_groups(const struct plx_net *net)
{
	uint32_t n = 0;

	for (unsigned int i = 1; i < NET_IF_MAX; i++) {
		struct plx_mcast_group g;
		uint32_t cursor = 0;

		while (net->ifc[i].mcast && plx_mcast_next(net->ifc[i].mcast, &cursor, &g))
			n++;
	}
	return n;
}

void net__cfg_free(struct net_cfg *cfg)
{
	if (!cfg)
		return;
	for (unsigned int i = 0; i < PLX_PORT_MAX; i++)
		free(cfg->vlan_if[i]);
	net__lpm_fini(&cfg->lpm);
	free(cfg->routes);
	free(cfg->srcs);
	free(cfg->groups);
	free(cfg);
}

static void free_retired(struct net_retired *r)
{
	net__cfg_free(plx_container_of(r, struct net_cfg, retired));
}

int net__publish(struct plx_net *net)
{
	struct net_cfg *cfg = calloc(1, sizeof(*cfg)), *old = net->cfg;
	uint32_t groups = count_groups(net);
	int err;

	if (!cfg)
		return -ENOMEM;
	/* what there is, and half as much again: so each route pays for a few when all are moved */
	cfg->max_routes = net->n_route + net->n_route / 2 + 4 * NET_ADDR_MAX + 8;
	cfg->routes = malloc(cfg->max_routes * sizeof(*cfg->routes));
	cfg->srcs = calloc(NET_ADDR_MAX, sizeof(*cfg->srcs));
	cfg->groups = calloc(groups + 1, sizeof(*cfg->groups));
	if (!cfg->routes || !cfg->srcs || !cfg->groups ||
		net__lpm_init(&cfg->lpm, cfg->max_routes) != 0 || put_ifs(net, cfg) != 0) {
		net__cfg_free(cfg);
		return -ENOMEM;
	}
	put_addrs(net, cfg);
	put_connected(net, cfg);
	err = put_routes(net, cfg);
	if (err) {
		net__cfg_free(cfg);
		return err;
	}
	put_groups(net, cfg, groups);
	__atomic_store_n(&net->cfg, cfg, __ATOMIC_RELEASE);
	if (net->lcore[0])
		net->lcore[0]->cfg = cfg;
	if (old)
		net__retire(net, &old->retired, free_retired);
	return 0;
}

/* ---- asking ---- */

bool net__group_joined(const struct net_cfg *cfg, uint16_t iface, const struct plx_addr *group)
{
	static const uint8_t all_hosts[16] = {[10] = 0xff, [11] = 0xff, [12] = 224, [15] = 1};
	static const uint8_t all_nodes[16] = {[0] = 0xff, [1] = 0x02, [15] = 1};
	const struct net_group key = {*group, iface};

	return memcmp(group->b, all_nodes, 16) == 0 || memcmp(group->b, all_hosts, 16) == 0 ||
	       bsearch(&key, cfg->groups, cfg->n_groups, sizeof(key), group_cmp);
}

/* Bits that two addresses share. */
static unsigned int shared(const struct plx_addr *a, const struct plx_addr *b)
{
	for (unsigned int i = 0; i < 16; i++)
		if (a->b[i] != b->b[i])
			return i * 8 +
			       (unsigned int)__builtin_clz((unsigned int)(a->b[i] ^ b->b[i])) - 24;
	return 128;
}

/* RFC 6724 5 in one number, rule by rule: same address, scope, not deprecated, interface, longest
 * prefix. */
static unsigned int src_score(const struct net_src *s, uint16_t iface, const struct plx_addr *dst)
{
	bool ll = plx_addr_is_linklocal(dst) ||
		  (plx_addr_is_mcast(dst) && (dst->b[1] & 0xf) <= 2 && dst->b[0] == 0xff);
	unsigned int score = 1;

	score += plx_addr_eq(&s->addr, dst) ? 1u << 12 : 0;
	score += plx_addr_is_linklocal(&s->addr) == ll ? 1u << 11 : 0;
	score += !s->deprecated ? 1u << 10 : 0;
	score += s->iface == iface ? 1u << 9 : 0;
	if (plx_addr_is_v4(dst)) { /* the network of the next hop, else the first address */
		const struct plx_prefix p = {.addr = s->addr, .len = s->plen};

		return score + (plx_prefix_contains(&p, dst) ? s->plen : 0u);
	}
	return score + PLX_MIN(shared(&s->addr, dst), (unsigned int)s->plen);
}

struct plx_addr net__src_pick(const struct net_cfg *cfg, uint16_t iface, const struct plx_addr *dst)
{
	bool v4 = plx_addr_is_v4(dst);
	struct plx_addr best = {0};
	unsigned int top = 0;

	for (uint32_t i = 0; i < cfg->n_srcs; i++) {
		const struct net_src *s = &cfg->srcs[i];
		unsigned int score;

		if (plx_addr_is_v4(&s->addr) != v4)
			continue;
		if (plx_addr_is_linklocal(&s->addr) && s->iface != iface)
			continue;
		score = src_score(s, iface, dst);
		if (score > top) {
			top = score;
			best = s->addr;
		}
	}
	return best;
}

/* ---- addresses ---- */

struct net_addr *net__addr_find(const struct plx_net *net, uint16_t iface, const struct plx_addr *a)
{
	for (unsigned int i = 0; i < net->addr_top; i++)
		if (net->addr[i].pub.iface == iface &&
			plx_addr_eq(&net->addr[i].pub.prefix.addr, a))
			return (struct net_addr *)(uintptr_t)&net->addr[i];
	return NULL;
}

static int addr_check(const struct plx_prefix *p)
{
	if (plx_addr_is_any(&p->addr) || plx_addr_is_mcast(&p->addr) ||
		plx_addr_is_loopback(&p->addr))
		return -EINVAL;
	if (plx_addr_is_v4(&p->addr) && (p->addr.b[12] >= 240 || p->len < 96))
		return -EINVAL;
	return 0;
}

static void claim(struct plx_net *net, struct net_addr *a)
{
	bool v4 = plx_addr_is_v4(&a->pub.prefix.addr);
	/*
	 * IPv4: announce, and watch for conflicts (RFC 5227 2.3, 2.4); probing first would hold an
	 * address that an operator has set back for 5 s, and Linux doesn't either. Nor is it given
	 * up to whoever sends two ARP packets (2.4 c).
	 */
	struct plx_claim_conf c4 = {.transmits = 0, .announces = 2, .policy = PLX_CLAIM_HOLD};
	struct plx_claim_conf c6 = PLX_CLAIM_CONF_V6;
	const struct net_ifc *ifc = &net->ifc[a->pub.iface];

	c6.transmits = (uint8_t)net__tun(net, PLX_TUN_DAD_TRANSMITS);
	c6.announces = 1; /* routers then know us before they need to (RFC 9131) */
	if (ifc->port->features & PLX_PORT_F_NO_ETH)
		c4.announces = c6.announces = c6.transmits = 0;
	plx_neigh_claim_init(&a->claim, v4 ? &c4 : &c6, a->pub.iface, &a->pub.prefix.addr,
		&ifc->pub.mac, &net->rng, net__now(net));
	a->pub.state =
		a->claim.state == PLX_CLAIM_VALID ? PLX_NET_ADDR_VALID : PLX_NET_ADDR_TENTATIVE;
}

int net__addr_add(struct plx_net *net, uint16_t iface, const struct plx_prefix *p, bool dynamic)
{
	struct net_addr *a = NULL;
	int err = addr_check(p);

	if (err)
		return err;
	if (iface == 0 || iface >= NET_IF_MAX || !net->ifc[iface].pub.index)
		return -ENODEV;
	if (net__addr_find(net, iface, &p->addr))
		return -EEXIST;
	for (unsigned int i = 0; i < NET_ADDR_MAX && !a; i++)
		if (!net->addr[i].pub.iface)
			a = &net->addr[i];
	if (!a)
		return -ENOSPC;
	net->addr_top = PLX_MAX(net->addr_top, (uint16_t)(a - net->addr + 1));
	*a = (struct net_addr){.pub =
				       {
					       .prefix = *p,
					       .iface = iface,
					       .dynamic = dynamic,
					       .valid_until = PLX_NEVER,
					       .preferred_until = PLX_NEVER,
				       },
		.serial = ++net->addr_serial};
	if (!plx_addr_is_v4(&p->addr)) {
		struct plx_addr group = plx_wire_nd_solicited_node(&p->addr);

		plx_mcast_join(net->ifc[iface].mcast, &group, NULL, net__now(net));
	}
	claim(net, a);
	net__publish(net);
	net__ctl_pump(net);
	return 0;
}

void net__addr_del(struct plx_net *net, struct net_addr *a)
{
	if (!plx_addr_is_v4(&a->pub.prefix.addr)) {
		struct plx_addr group = plx_wire_nd_solicited_node(&a->pub.prefix.addr);

		plx_mcast_leave(net->ifc[a->pub.iface].mcast, &group, NULL, net__now(net));
	}
	a->pub.iface = 0;
	net__publish(net);
	net__ctl_pump(net);
}

/* ---- routes ---- */

/* Routers that advertise themselves stand side by side: the first is used, the others follow. */
static bool same_route(const struct plx_net_route *a, const struct plx_net_route *b)
{
	return a->dst.len == b->dst.len && plx_addr_eq(&a->dst.addr, &b->dst.addr) &&
	       a->metric == b->metric &&
	       (a->proto != PLX_NET_PROTO_RA || b->proto != PLX_NET_PROTO_RA ||
		       (a->iface == b->iface && plx_addr_eq(&a->via, &b->via)));
}

/* The interface whose network a gateway is in. */
static uint16_t iface_of_gateway(const struct plx_net *net, const struct plx_addr *via)
{
	int32_t i = net__lpm_lookup(&net->cfg->lpm, via);

	if (i < 0 || net->cfg->routes[i].type != PLX_NET_ROUTE_UNICAST ||
		!plx_addr_is_any6(&net->cfg->routes[i].via))
		return 0;
	return net->cfg->routes[i].iface;
}

static int route_check(const struct plx_net *net, struct plx_net_route *r)
{
	bool via = !plx_addr_is_any(&r->via);

	if (r->mtu && r->mtu < (plx_addr_is_v4(&r->dst.addr) ? 68 : 1280)) /* RFC 791, RFC 8200 5 */
		return -EINVAL;
	if (r->type == PLX_NET_ROUTE_UNREACHABLE || r->type == PLX_NET_ROUTE_BLACKHOLE)
		return 0;
	if (r->type != PLX_NET_ROUTE_UNICAST || plx_addr_is_mcast(&r->dst.addr))
		return -EINVAL;
	if (via && plx_addr_is_v4(&r->via) != plx_addr_is_v4(&r->dst.addr) && r->dst.len)
		return -EINVAL;
	if (via && !r->iface)
		r->iface = iface_of_gateway(net, &r->via);
	if (!r->iface)
		return -ENETUNREACH;
	return r->iface < NET_IF_MAX && net->ifc[r->iface].pub.index ? 0 : -ENODEV;
}

/* Take number i off the list; the others keep their order. */
static void unlist(struct plx_net *net, uint32_t i)
{
	net->n_route--;
	memmove(&net->route[i], &net->route[i + 1], (net->n_route - i) * sizeof(*net->route));
}

int net__route_add(struct plx_net *net, const struct plx_net_route *route)
{
	struct plx_net_route r = *route;
	uint32_t at;
	int err;

	mask_addr(&r.dst);
	if (plx_addr_is_any(&r.via))
		r.via = (struct plx_addr){0};
	err = route_check(net, &r);
	if (err)
		return err;
	for (uint32_t i = 0; i < net->n_route; i++)
		if (same_route(&net->route[i], &r))
			return -EEXIST;
	if (net->n_route == NET_ROUTE_MAX)
		return -ENOSPC;
	/* by metric, then by age: the first one of a prefix is the one in use */
	for (at = net->n_route++; at > 0 && net->route[at - 1].metric > r.metric; at--)
		net->route[at] = net->route[at - 1];
	net->route[at] = r;
	if (put_route(net, net->cfg, &r) == 0)
		return 0;
	err = net__publish(net);
	if (err)
		unlist(net, at);
	return err;
}

/* From the snapshot in use, if it is there: not while its interface is down. */
static void take_out(struct net_cfg *cfg, const struct plx_net_route *r)
{
	for (int32_t i = net__lpm_exact(&cfg->lpm, &r->dst); i != NET_LPM_NONE;
		i = cfg->lpm.value[i].next) {
		const struct plx_net_route *x = &cfg->routes[i];

		if (x->metric == r->metric && x->iface == r->iface && x->type == r->type &&
			x->proto == r->proto && plx_addr_eq(&x->via, &r->via)) {
			net__lpm_del(&cfg->lpm, &r->dst, i);
			return;
		}
	}
}

int net__route_del(struct plx_net *net, const struct plx_net_route *route, int proto)
{
	struct plx_net_route r = *route;

	mask_addr(&r.dst);
	for (uint32_t i = 0; i < net->n_route; i++) {
		const struct plx_net_route *x = &net->route[i];

		if (x->dst.len != r.dst.len || !plx_addr_eq(&x->dst.addr, &r.dst.addr) ||
			(!plx_addr_is_any(&r.via) && !plx_addr_eq(&x->via, &r.via)) ||
			(r.iface && x->iface != r.iface) || (r.metric && x->metric != r.metric) ||
			(proto >= 0 && x->proto != proto))
			continue;
		take_out(net->cfg, x);
		unlist(net, i);
		return 0;
	}
	return -ESRCH;
}
