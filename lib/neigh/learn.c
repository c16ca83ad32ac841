/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <plx_wire_eth.h>

#define BY_HAND (PLX_NEIGH_PERMANENT | PLX_NEIGH_NOARP)

static bool mac_ok(const struct plx_mac *mac)
{
	return !plx_mac_is_mcast(mac) && !plx_mac_is_zero(mac);
}

/* The neighbour has this MAC; whether we reach it remains to be seen. */
static void hint(
	struct plx_neigh_table *t, struct neigh__entry *e, const struct plx_mac *mac, plx_ns now)
{
	if (e->n.state & BY_HAND)
		return;
	if (plx_neigh_is_usable(&e->n) && plx_mac_eq(&e->n.mac, mac))
		return;
	neigh__set_mac(t, e, mac, now);
	neigh__set_state(t, e, PLX_NEIGH_STALE, now);
}

/* It answered us: we reach it. */
static void answered(
	struct plx_neigh_table *t, struct neigh__entry *e, const struct plx_mac *mac, plx_ns now)
{
	if (e->n.state & BY_HAND)
		return;
	neigh__set_mac(t, e, mac, now);
	neigh__set_state(t, e, PLX_NEIGH_REACHABLE, now);
}

/* A hint that is worth an entry. @return NULL: no room. */
static struct neigh__entry *hint_or_create(struct plx_neigh_table *t, uint16_t iface,
	const struct plx_addr *addr, const struct plx_mac *mac, plx_ns now)
{
	struct neigh__entry *e = neigh__find(t, iface, addr);

	if (!e)
		e = neigh__create(t, iface, addr, now);
	if (e)
		hint(t, e, mac, now);
	return e;
}

/*
 * RFC 826: merge what the sender says of itself into an entry that exists; make one only for who
 * asks for us, as he will get our answer and packets. A reply to us proves that we are heard; a
 * gratuitous one, or one to others that we overhear, does not.
 */
enum plx_drop plx_neigh_input_arp(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_arp *arp, bool ours, plx_ns now)
{
	bool asks_us = arp->op == PLX_ARP_REQUEST && ours;
	struct neigh__entry *e;

	if ((arp->op != PLX_ARP_REQUEST && arp->op != PLX_ARP_REPLY) || !mac_ok(&arp->sha))
		return PLX_DROP_ARP_IGNORED;
	if (plx_addr_is_any(&arp->spa)) /* a probe (RFC 5227 2.1.1): an answer, nothing to learn */
		return asks_us ? PLX_DROP_NONE : PLX_DROP_ARP_IGNORED;
	if (!neigh__addr_ok(t, iface, &arp->spa))
		return PLX_DROP_ARP_IGNORED;

	if (asks_us)
		return hint_or_create(t, iface, &arp->spa, &arp->sha, now)
			       ? PLX_DROP_NONE
			       : PLX_DROP_NEIGH_TABLE_FULL;
	e = neigh__find(t, iface, &arp->spa);
	if (!e)
		return PLX_DROP_ARP_IGNORED;
	if (arp->op == PLX_ARP_REPLY && ours)
		answered(t, e, &arp->sha, now);
	else
		hint(t, e, &arp->sha, now);
	return PLX_DROP_NONE;
}

static void set_router(struct plx_neigh_table *t, struct neigh__entry *e, bool router)
{
	if (e->n.router && !router)
		neigh__tell(t, e, PLX_NEIGH_EV_HOST);
	e->n.router = router;
}

/* RFC 4861 7.2.3, 7.2.4. From :: it is somebody's duplicate detection: to be answered, no more. */
static enum plx_drop input_ns(struct plx_neigh_table *t, uint16_t iface, const struct plx_nd *nd,
	const struct plx_addr *src, bool ours, plx_ns now)
{
	if (!ours)
		return PLX_DROP_ND_IGNORED;
	if (!nd->has_slla || !mac_ok(&nd->slla) || !neigh__addr_ok(t, iface, src))
		return PLX_DROP_NONE;
	return hint_or_create(t, iface, src, &nd->slla, now) ? PLX_DROP_NONE
							     : PLX_DROP_NEIGH_TABLE_FULL;
}

/* RFC 4861 7.2.5, the entry has a MAC. I. is: no Override and another MAC. */
static void input_na_known(
	struct plx_neigh_table *t, struct neigh__entry *e, const struct plx_nd *nd, plx_ns now)
{
	bool other = nd->has_tlla && !plx_mac_eq(&nd->tlla, &e->n.mac);

	if (other && !nd->override) {
		if (e->n.state == PLX_NEIGH_REACHABLE)
			neigh__set_state(t, e, PLX_NEIGH_STALE, now);
		return;
	}
	if (nd->solicited)
		answered(t, e, other ? &nd->tlla : &e->n.mac, now);
	else if (other)
		hint(t, e, &nd->tlla, now);
	set_router(t, e, nd->router);
}

/* RFC 4861 7.2.5. FAILED stands for the entry that the RFC would have deleted. */
static enum plx_drop input_na(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_nd *nd, plx_ns now)
{
	struct neigh__entry *e = neigh__find(t, iface, &nd->target);

	if (!e || e->n.state == PLX_NEIGH_FAILED || (nd->has_tlla && !mac_ok(&nd->tlla)))
		return PLX_DROP_ND_IGNORED;
	if (e->n.state & BY_HAND)
		return PLX_DROP_NONE;
	if (e->n.state != PLX_NEIGH_INCOMPLETE) {
		input_na_known(t, e, nd, now);
		return PLX_DROP_NONE;
	}
	if (!nd->has_tlla)
		return PLX_DROP_ND_IGNORED;
	if (nd->solicited)
		answered(t, e, &nd->tlla, now);
	else
		hint(t, e, &nd->tlla, now);
	set_router(t, e, nd->router);
	return PLX_DROP_NONE;
}

/* RFC 4861 6.3.4: who advertises is a router. */
static enum plx_drop input_ra(struct plx_neigh_table *t, uint16_t iface, const struct plx_nd *nd,
	const struct plx_addr *src, plx_ns now)
{
	struct neigh__entry *e = neigh__find(t, iface, src);

	if (nd->has_slla && mac_ok(&nd->slla) && neigh__addr_ok(t, iface, src)) {
		e = hint_or_create(t, iface, src, &nd->slla, now);
		if (!e)
			return PLX_DROP_NEIGH_TABLE_FULL;
	}
	if (e)
		set_router(t, e, true);
	return PLX_DROP_NONE;
}

/* RFC 4861 8.3: a target other than the destination is a router. */
static enum plx_drop input_redirect(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_nd *nd, plx_ns now)
{
	struct neigh__entry *e = neigh__find(t, iface, &nd->target);

	if (nd->has_tlla && mac_ok(&nd->tlla) && neigh__addr_ok(t, iface, &nd->target)) {
		e = hint_or_create(t, iface, &nd->target, &nd->tlla, now);
		if (!e)
			return PLX_DROP_NEIGH_TABLE_FULL;
	}
	if (e && !plx_addr_eq(&nd->target, &nd->dst))
		set_router(t, e, true);
	return PLX_DROP_NONE;
}

enum plx_drop plx_neigh_input_nd(struct plx_neigh_table *t, uint16_t iface, const struct plx_nd *nd,
	const struct plx_addr *src, bool ours, plx_ns now)
{
	switch (nd->type) {
	case PLX_ICMP6_NS:
		return input_ns(t, iface, nd, src, ours, now);
	case PLX_ICMP6_NA:
		return input_na(t, iface, nd, now);
	case PLX_ICMP6_RA:
		return input_ra(t, iface, nd, src, now);
	case PLX_ICMP6_REDIRECT:
		return input_redirect(t, iface, nd, now);
	default: /* hosts discard router solicitations: 6.2.6 */
		return PLX_DROP_ND_IGNORED;
	}
}
