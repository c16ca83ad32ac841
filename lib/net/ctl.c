/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * The control lcore: feeds ARP, ND, IGMP and MLD to their state machines and does what these say:
 * frames to send, neighbours and addresses to publish. All of them are driven by net__ctl_pump().
 */

/* ---- events ---- */

static void pump_neigh(struct plx_net *net, struct net_lcore *nl)
{
	struct plx_neigh_tx tx;
	struct plx_neigh *n;
	unsigned int what;

	net__nbr_refresh(net);
	plx_neigh_timer(net->neigh, nl->sn->now_ns);
	while ((what = plx_neigh_event(net->neigh, &n)))
		net__nbr_event(net, n, what);
	while (plx_neigh_output(net->neigh, nl->sn->now_ns, &tx))
		net__send_tx(nl, &tx);
}

/* Has its prefix ceased to be preferred? While it was claimed nobody could be told. */
static bool is_deprecated(const struct plx_net *net, const struct net_addr *a)
{
	const struct plx_rdisc *r = &net->ifc[a->pub.iface].rdisc;

	for (unsigned int i = 0; a->pub.dynamic && i < PLX_DIM(r->addrs); i++)
		if (r->addrs[i].live && plx_addr_eq(&r->addrs[i].addr, &a->pub.prefix.addr))
			return r->addrs[i].deprecated;
	return false;
}

uint8_t net__addr_state(const struct plx_net *net, const struct net_addr *a)
{
	switch (a->claim.state) {
	case PLX_CLAIM_DUPLICATE:
		return PLX_NET_ADDR_DUPLICATE;
	case PLX_CLAIM_VALID:
		return is_deprecated(net, a) ? PLX_NET_ADDR_DEPRECATED : PLX_NET_ADDR_VALID;
	default:
		return PLX_NET_ADDR_TENTATIVE;
	}
}

/* @return true when an address changed its state. */
static bool pump_claim(struct plx_net *net, struct net_lcore *nl, struct net_addr *a)
{
	struct plx_neigh_tx tx;
	uint8_t was = a->pub.state;

	plx_neigh_claim_timer(&a->claim, nl->sn->now_ns);
	while (plx_neigh_claim_output(&a->claim, nl->sn->now_ns, &tx))
		net__send_tx(nl, &tx);
	a->pub.state = net__addr_state(net, a);
	if (a->pub.state == PLX_NET_ADDR_DUPLICATE && was != PLX_NET_ADDR_DUPLICATE &&
		a->pub.dynamic)
		plx_neigh_rdisc_duplicate(&net->ifc[a->pub.iface].rdisc, &a->pub.prefix.addr);
	if (a->pub.state == PLX_NET_ADDR_VALID && was == PLX_NET_ADDR_TENTATIVE &&
		plx_addr_is_linklocal(&a->pub.prefix.addr)) /* MLD may speak now: all again */
		plx_mcast_link(net->ifc[a->pub.iface].mcast, true, nl->sn->now_ns);
	return a->pub.state != was;
}

static bool pump_claims(struct plx_net *net, struct net_lcore *nl)
{
	bool changed = false;

	for (unsigned int i = 0; i < net->addr_top; i++)
		if (net->addr[i].pub.iface && net->ifc[net->addr[i].pub.iface].pub.up)
			changed |= pump_claim(net, nl, &net->addr[i]);
	return changed;
}

static void ra_route(
	struct plx_net *net, uint16_t iface, const struct plx_rdisc_event *ev, bool add)
{
	struct plx_net_route r = {
		.iface = iface,
		.type = PLX_NET_ROUTE_UNICAST,
		.proto = PLX_NET_PROTO_RA,
		.metric = 1024u - (uint32_t)(ev->preference *
					     100), /* as Linux: 1024 for what an RA brings */
	};

	struct plx_net_route old = {.iface = iface};

	if (ev->kind == PLX_RDISC_ADD_ROUTER || ev->kind == PLX_RDISC_DEL_ROUTER)
		r.via = ev->addr;
	else
		r.dst = ev->prefix;
	old.dst = r.dst;
	old.via = r.via;
	net__route_del(net, &old, PLX_NET_PROTO_RA);
	if (add)
		net__route_add(net, &r);
}

static void rdisc_addr(struct plx_net *net, uint16_t iface, const struct plx_rdisc_event *ev)
{
	struct net_addr *a = net__addr_find(net, iface, &ev->addr);
	struct plx_prefix p = {.addr = ev->addr, .len = 64};

	switch (ev->kind) {
	case PLX_RDISC_ADD_ADDR:
		if (!a) {
			net__addr_add(net, iface, &p, true);
			return;
		}
		if (a->pub.state == PLX_NET_ADDR_DEPRECATED)
			a->pub.state = PLX_NET_ADDR_VALID;
		break;
	case PLX_RDISC_DEPRECATE:
		if (a && a->pub.state == PLX_NET_ADDR_VALID)
			a->pub.state = PLX_NET_ADDR_DEPRECATED;
		break;
	default:
		if (a && a->pub.dynamic)
			net__addr_del(net, a);
		return;
	}
	net__publish(net);
}

static void rdisc_event(struct plx_net *net, uint16_t iface, const struct plx_rdisc_event *ev)
{
	struct net_ifc *c = &net->ifc[iface];

	switch (ev->kind) {
	case PLX_RDISC_ADD_ADDR:
	case PLX_RDISC_DEPRECATE:
	case PLX_RDISC_DEL_ADDR:
		rdisc_addr(net, iface, ev);
		break;
	case PLX_RDISC_ADD_ROUTER:
	case PLX_RDISC_ADD_ONLINK:
		ra_route(net, iface, ev, true);
		break;
	case PLX_RDISC_DEL_ROUTER:
	case PLX_RDISC_DEL_ONLINK:
		ra_route(net, iface, ev, false);
		break;
	case PLX_RDISC_SET_MTU: /* no more than the link's, and none of IPv4's business */
		if (!ev->mtu)	/* the link's has changed since */
			break;
		c->mtu6 = (uint16_t)PLX_MIN(ev->mtu, (uint32_t)c->pub.mtu);
		net__publish(net);
		break;
	case PLX_RDISC_SET_HOPLIMIT:
		__atomic_store_n(
			&net->tun->v[PLX_TUN_IP6_HOP_LIMIT], ev->hop_limit, __ATOMIC_RELAXED);
		break;
	case PLX_RDISC_SET_TIMES:
		plx_neigh_iface_set_times(net->neigh, iface, ev->reachable_ns, ev->retrans_ns);
		break;
	}
}

/* Tunables may change at any time: asked again before each use. Whether advertisements are accepted
 * at all is asked where they come in. */
void net__rdisc_conf(const struct plx_net *net, struct plx_rdisc_conf *conf)
{
	conf->autoconf = net__tun(net, PLX_TUN_AUTOCONF);
	conf->solicits =
		net__tun(net, PLX_TUN_ACCEPT_RA) ? (uint8_t)net__tun(net, PLX_TUN_RTR_SOLICITS) : 0;
}

static void pump_rdisc(struct plx_net *net, struct net_lcore *nl, struct net_ifc *c)
{
	struct plx_rdisc_event ev;
	struct plx_neigh_tx tx;

	net__rdisc_conf(net, &c->rdisc.conf);
	plx_neigh_rdisc_timer(&c->rdisc, nl->sn->now_ns);
	while (plx_neigh_rdisc_event(&c->rdisc, &ev))
		rdisc_event(net, c->pub.index, &ev);
	while (plx_neigh_rdisc_output(&c->rdisc, nl->sn->now_ns, &tx))
		net__send_tx(nl, &tx);
}

/* The MACs of the groups of all interfaces of a port. */
void net__set_filter(struct plx_net *net, struct plx_port *p)
{
	struct plx_mac mac[PLX_PORT_MCAST_MAX + 1] = {
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}}, /* all hosts and all nodes: never joined */
		{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}},
	};
	uint32_t n = 2;

	for (uint32_t i = 0; i < net->cfg->n_groups && n < PLX_DIM(mac); i++)
		if (net->ifc[net->cfg->groups[i].iface].port == p)
			mac[n++] = plx_wire_group_mac(&net->cfg->groups[i].addr);
	plx_port_set_mcast(p, mac, net__hear_groups(net, p, mac, n, PLX_DIM(mac)));
}

static void pump_mcast(struct plx_net *net, struct net_lcore *nl, struct net_ifc *c)
{
	const struct net_if *ifc = net__if(nl, c->pub.index);
	struct plx_mcast_report r;
	uint32_t room = PLX_MIN((uint32_t)c->mtu6, 1500u) - PLX_IP6_RA_BYTES;

	plx_mcast_timer(c->mcast, nl->sn->now_ns);
	while (plx_mcast_output(c->mcast, nl->sn->now_ns, room, &r))
		if (ifc->up && ifc->eth)
			net__send_report(nl, ifc, &r);
	if (plx_mcast_generation(c->mcast) != c->mcast_gen) {
		c->mcast_gen = plx_mcast_generation(c->mcast);
		net__publish(net);
		net__set_filter(net, c->port);
	}
}

static plx_ns deadline(const struct plx_net *net)
{
	plx_ns when = plx_neigh_deadline(net->neigh);

	for (unsigned int i = 0; i < net->addr_top; i++)
		if (net->addr[i].pub.iface && net->ifc[net->addr[i].pub.iface].pub.up)
			when = PLX_MIN(when, plx_neigh_claim_deadline(&net->addr[i].claim));
	for (unsigned int i = 1; i < NET_IF_MAX; i++) {
		const struct net_ifc *c = &net->ifc[i];

		if (!c->pub.index)
			continue;
		when = PLX_MIN(when, plx_neigh_rdisc_deadline(&c->rdisc));
		when = PLX_MIN(when, plx_mcast_deadline(c->mcast));
	}
	if (net->retired)
		when = PLX_MIN(when, net->lcore[0]->sn->now_ns + PLX_MS(10));
	return when;
}

void net__ctl_pump(struct plx_net *net)
{
	net->pump = true;
}

bool net__ctl_run(struct plx_net *net)
{
	struct net_lcore *nl = net->lcore[0];

	if (!net->pump)
		return false;
	net->pump = false;
	pump_neigh(net, nl);
	if (pump_claims(net, nl))
		net__publish(net);
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (net->ifc[i].pub.index && net->ifc[i].pub.up) {
			pump_rdisc(net, nl, &net->ifc[i]);
			pump_mcast(net, nl, &net->ifc[i]);
		}
	net__retire_poll(net);
	plx_wheel_add(&nl->sn->wheel, &net->timer, PLX_MAX(deadline(net), nl->sn->now_ns + 1));
	return true;
}

void net__rdisc_start(struct plx_net *net, struct net_ifc *c)
{
	net__rdisc_conf(net, &c->rdisc.conf);
	if (!(c->port->features & PLX_PORT_F_NO_ETH))
		plx_neigh_rdisc_start(&c->rdisc, net__now(net));
	net__ctl_pump(net);
}

void net__ctl_start(struct plx_net *net)
{
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (net->ifc[i].pub.index && net->ifc[i].pub.up)
			net__rdisc_start(net, &net->ifc[i]);
	net__ctl_pump(net);
}

/* Removing every neighbour hands back what waits for it. */
void net__ctl_stop(struct plx_net *net)
{
	struct plx_neigh *n;
	unsigned int what;

	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (net->ifc[i].pub.index)
			plx_neigh_flush(net->neigh, (uint16_t)i, true);
	while ((what = plx_neigh_event(net->neigh, &n)))
		net__nbr_event(net, n, what);
}

/* ---- input ---- */

/* An address of this interface, in use. */
static bool owns(const struct plx_net *net, uint16_t iface, const struct plx_addr *a)
{
	const struct net_addr *x = net__addr_find(net, iface, a);

	return x && (x->pub.state == PLX_NET_ADDR_VALID || x->pub.state == PLX_NET_ADDR_DEPRECATED);
}

/*
 * Do we answer ARP for it, here? (Linux's arp_ignore 0, or 1 with the strong host model.) Most of
 * what one hears is about others, which one lookup tells.
 */
static bool answers(const struct net_lcore *nl, uint16_t iface, const struct plx_addr *a)
{
	int32_t rt = net__lpm_lookup(&nl->cfg->lpm, a);

	if (rt < 0 || nl->cfg->routes[rt].type != PLX_NET_ROUTE_LOCAL || plx_addr_is_loopback(a))
		return false;
	if (!net__tun(nl->net, PLX_TUN_IP_STRONG_HOST) && !plx_addr_is_linklocal(a))
		return true;
	return owns(nl->net, iface, a);
}

/* The claims that a message names: on the sender's address, and, while it is probed, on the
 * target's. */
static void claims_arp(struct plx_net *net, const struct plx_arp *arp, uint16_t iface, plx_ns now)
{
	struct net_addr *a = net__addr_find(net, iface, &arp->spa);

	if (a)
		plx_neigh_claim_input_arp(&a->claim, arp, now);
	if (plx_addr_eq(&arp->spa, &arp->tpa))
		return;
	a = net__addr_find(net, iface, &arp->tpa);
	if (a)
		plx_neigh_claim_input_arp(&a->claim, arp, now);
}

/* A sender that nobody can be; 0.0.0.0 is a prober's (RFC 5227). Linux finds out by routing back.
 */
static bool arp_sender_impossible(const struct net_lcore *nl, const struct plx_arp *arp)
{
	uint8_t first = arp->spa.b[12];

	if (plx_mac_is_mcast(&arp->sha) || plx_mac_is_zero(&arp->sha) || first == 127 ||
		first >= 224)
		return true;
	return (first == 0 && !plx_addr_is_any(&arp->spa)) || net__from_self(nl, &arp->spa);
}

static enum plx_drop arp_in(struct net_lcore *nl, const struct plx_arp *arp, uint16_t iface)
{
	struct plx_net *net = nl->net;
	const struct net_if *ifc = net__if(nl, iface);
	plx_ns now = nl->sn->now_ns;
	bool ours = answers(nl, iface, &arp->tpa);
	enum plx_drop drop;

	if (arp->op != PLX_ARP_REQUEST && arp->op != PLX_ARP_REPLY)
		return PLX_DROP_ARP_IGNORED;
	claims_arp(net, arp, iface, now);
	if (arp_sender_impossible(nl, arp))
		return PLX_DROP_ARP_IGNORED;
	net__nbr_refresh(net);
	drop = plx_neigh_input_arp(net->neigh, iface, arp, ours, now);
	if (arp->op == PLX_ARP_REQUEST && ours) {
		struct plx_arp reply = {.op = PLX_ARP_REPLY,
			.sha = ifc->mac,
			.spa = arp->tpa,
			.tha = arp->sha,
			.tpa = arp->spa};

		net__send_arp(nl, ifc, &reply, &arp->sha);
		return PLX_DROP_NONE;
	}
	return ours ? drop : drop == PLX_DROP_NONE ? PLX_DROP_NONE : PLX_DROP_ARP_IGNORED;
}

void net__ctl_arp(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface)
{
	struct plx_arp arp;
	enum plx_drop drop =
		plx_wire_arp_parse(&arp, rte_pktmbuf_mtod(m, const void *), m->data_len);

	if (drop == PLX_DROP_NONE)
		drop = arp_in(nl, &arp, iface);
	if (drop == PLX_DROP_NONE)
		plx_pkt_deliver(m);
	else
		plx_pkt_drop(m, drop);
	net__ctl_pump(nl->net);
}

/* Answer a solicitation for an address of ours (RFC 4861 7.2.4). */
static void send_na(struct net_lcore *nl, const struct net_if *ifc, const struct plx_nd *ns,
	const struct plx_addr *asker)
{
	static const uint8_t nodes[16] = {0xff, 0x02, [15] = 1};
	struct plx_addr dst = plx_addr_is_any(asker) ? plx_addr_from_v6(nodes) : *asker;
	struct plx_nd na = {
		.type = PLX_ICMP6_NA,
		.target = ns->target,
		.solicited = !plx_addr_is_any(asker),
		.override = true,
		.router = net__tun(nl->net, PLX_TUN_IP6_FORWARDING),
		.has_tlla = true,
		.tlla = ifc->mac,
	};
	struct plx_mac mac = plx_wire_group_mac(&dst);
	const struct plx_neigh *n;

	if (!plx_addr_is_any(asker)) {
		n = plx_neigh_find(nl->net->neigh, ifc->index, asker);
		if (ns->has_slla)
			mac = ns->slla;
		else if (n && plx_neigh_is_usable(n))
			mac = n->mac;
		else
			return; /* it asked without its MAC: it must know ours already */
	}
	plx_stat_inc(PLX_STAT_ICMP6_OUTNEIGHBORADVERTISEMENTS);
	net__send_nd(nl, ifc, &na, &ns->target, &dst, &mac);
}

static enum plx_drop nd_in(
	struct net_lcore *nl, const struct plx_nd *nd, const struct plx_ip *ip, uint16_t iface)
{
	struct plx_net *net = nl->net;
	plx_ns now = nl->sn->now_ns;
	bool ours = false;
	struct net_addr *a;
	enum plx_drop drop;

	if (nd->type == PLX_ICMP6_REDIRECT)
		return net__redirect6_in(nl, nd, &ip->src, iface);
	if (nd->type == PLX_ICMP6_NS || nd->type == PLX_ICMP6_NA) {
		a = net__addr_find(net, iface, &nd->target);
		ours = owns(net, iface, &nd->target); /* of this interface, RFC 4861 7.2.3 */
		if (a)
			plx_neigh_claim_input_nd(&a->claim, nd, &ip->src, now);
		if (a && a->pub.state == PLX_NET_ADDR_TENTATIVE) /* not ours yet: RFC 4862 5.4 */
			return PLX_DROP_NONE;
		if (nd->type == PLX_ICMP6_NS && !ours)
			return PLX_DROP_ND_IGNORED;
	}
	net__nbr_refresh(net);
	drop = plx_neigh_input_nd(net->neigh, iface, nd, &ip->src, ours, now);
	if (nd->type == PLX_ICMP6_NS) {
		send_na(nl, net__if(nl, iface), nd, &ip->src);
		return PLX_DROP_NONE;
	}
	net__rdisc_conf(net, &net->ifc[iface].rdisc.conf);
	if (nd->type == PLX_ICMP6_RA)
		return net__tun(net, PLX_TUN_ACCEPT_RA) && !net__tun(net, PLX_TUN_IP6_FORWARDING)
			       ? plx_neigh_rdisc_input(&net->ifc[iface].rdisc, nd, &ip->src, now)
			       : PLX_DROP_ND_IGNORED;
	return nd->type == PLX_ICMP6_RS ? PLX_DROP_ND_IGNORED : drop;
}

void net__ctl_nd(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct plx_ip ip;
	struct plx_nd nd;
	uint8_t code;
	enum plx_drop drop = plx_wire_ip6_parse(&ip, p, m->data_len, &code);

	if (drop == PLX_DROP_NONE && !iface) /* from ourselves */
		drop = PLX_DROP_ND_IGNORED;
	if (drop == PLX_DROP_NONE && (ip.frag_hdr_off || plx_pkt_wire(m) > 1)) /* RFC 6980 5 */
		drop = PLX_DROP_ND_MALFORMED;
	if (drop == PLX_DROP_NONE)
		drop = plx_wire_nd_parse(&nd, &ip, p + ip.hdr_bytes, ip.l4_bytes);
	if (drop == PLX_DROP_NONE)
		drop = nd_in(nl, &nd, &ip, iface);
	if (drop == PLX_DROP_NONE)
		plx_pkt_deliver(m);
	else
		plx_pkt_drop(m, drop);
	net__ctl_pump(nl->net);
}

void net__ctl_group(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct plx_group_msg msg;
	struct plx_ip ip;
	enum plx_drop drop;
	uint8_t code;

	if (p[0] >> 4 == 4) {
		drop = plx_wire_ip4_parse(&ip, p, m->data_len, false);
		if (drop == PLX_DROP_NONE)
			drop = plx_wire_igmp_parse(&msg, &ip, p + ip.hdr_bytes, ip.l4_bytes);
	} else {
		drop = plx_wire_ip6_parse(&ip, p, m->data_len, &code);
		if (drop == PLX_DROP_NONE)
			drop = plx_wire_mld_parse(&msg, &ip, p + ip.hdr_bytes, ip.l4_bytes);
	}
	if (drop == PLX_DROP_NONE) {
		if (iface) /* else it is from ourselves */
			plx_mcast_input(
				nl->net->ifc[iface].mcast, &msg, p + ip.hdr_bytes, nl->sn->now_ns);
		plx_pkt_deliver(m);
	} else {
		plx_pkt_drop(m, drop);
	}
	net__ctl_pump(nl->net);
}
