/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "neigh.h"

/*
 * Neighbour unreachability detection (RFC 4861 7.3). One timer an entry, by state:
 *
 *   INCOMPLETE, PROBE   the next solicitation, after the last one FAILED
 *   REACHABLE           DELAY if it was used just now, else STALE
 *   DELAY               PROBE
 *   STALE, FAILED       removed
 *   PERMANENT, NOARP    none
 */

#define RESOLVING (PLX_NEIGH_INCOMPLETE | PLX_NEIGH_PROBE)

static plx_ns retrans_time(const struct plx_neigh_table *t, const struct neigh__entry *e)
{
	if (plx_addr_is_v4(&e->n.addr))
		return t->conf.retrans_time_ns;
	return t->nd_times[e->n.iface].retrans_ns;
}

/*
 * RFC 4861 6.3.2 draws one time for an interface and anew every few hours, so that hosts do not
 * probe in step. Drawn for each confirmation, neighbours of one host do not do so either.
 */
static plx_ns reachable_time(const struct plx_neigh_table *t, const struct neigh__entry *e)
{
	plx_ns base = plx_addr_is_v4(&e->n.addr) ? t->conf.base_reachable_time_ns
						 : t->nd_times[e->n.iface].base_reachable_ns;

	return neigh__between(t->rng, base / 2, base + base / 2);
}

static void solicit(struct plx_neigh_table *t, struct neigh__entry *e, plx_ns now)
{
	e->n.probes++;
	plx_list_move_tail(&t->tx, &e->tx);
	neigh__heap_set(t, e, now + retrans_time(t, e));
}

static void enter(struct plx_neigh_table *t, struct neigh__entry *e, plx_ns now)
{
	switch (e->n.state) {
	case PLX_NEIGH_INCOMPLETE:
		t->n_incomplete++;
		plx_list_add_tail(&t->incomplete, &e->lru);
		solicit(t, e, now);
		break;
	case PLX_NEIGH_PROBE:
		solicit(t, e, now);
		break;
	case PLX_NEIGH_REACHABLE:
		e->n.confirmed_ns = now;
		neigh__heap_set(t, e, now + reachable_time(t, e));
		break;
	case PLX_NEIGH_DELAY:
		neigh__heap_set(t, e, now + t->conf.delay_first_probe_ns);
		break;
	case PLX_NEIGH_STALE:
		plx_list_add_tail(&t->stale, &e->lru);
		neigh__heap_set(t, e, now + t->conf.gc_stale_time_ns);
		break;
	case PLX_NEIGH_FAILED:
		plx_list_add_tail(&t->failed, &e->lru);
		neigh__heap_set(t, e, now + t->conf.gc_stale_time_ns);
		break;
	default:
		neigh__heap_set(t, e, PLX_NEVER);
	}
}

static unsigned int news(uint8_t old, uint8_t state)
{
	bool was = old & PLX_NEIGH_USABLE, is = state & PLX_NEIGH_USABLE;

	if (is && !was)
		return PLX_NEIGH_EV_USABLE;
	if (state == PLX_NEIGH_FAILED && old != state)
		return PLX_NEIGH_EV_FAILED;
	if (is && (old == PLX_NEIGH_STALE) != (state == PLX_NEIGH_STALE))
		return PLX_NEIGH_EV_STALE;
	return 0;
}

void neigh__set_state(
	struct plx_neigh_table *t, struct neigh__entry *e, enum plx_neigh_state state, plx_ns now)
{
	uint8_t old = e->n.state;

	t->n_incomplete -= old == PLX_NEIGH_INCOMPLETE;
	plx_list_del(&e->lru);
	plx_list_del(&e->tx);
	e->n.state = (uint8_t)state;
	e->n.probes = 0;
	if (old != state)
		e->n.updated_ns = now;
	enter(t, e, now);
	neigh__tell(t, e, news(old, e->n.state));
}

void neigh__set_mac(
	struct plx_neigh_table *t, struct neigh__entry *e, const struct plx_mac *mac, plx_ns now)
{
	if (plx_mac_eq(&e->n.mac, mac))
		return;
	e->n.mac = *mac;
	e->n.updated_ns = now;
	if (plx_neigh_is_usable(&e->n))
		neigh__tell(t, e, PLX_NEIGH_EV_MAC);
}

/* The one INCOMPLETE too many: the oldest makes way. */
static void limit_incomplete(struct plx_neigh_table *t)
{
	if (t->n_incomplete >= t->conf.gc_thresh3 / 2)
		neigh__remove(t, plx_list_first(&t->incomplete, struct neigh__entry, lru));
}

struct plx_neigh *plx_neigh_use(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr, plx_ns now)
{
	struct neigh__entry *e = neigh__find(t, iface, addr);

	if (!e) {
		if (!neigh__addr_ok(t, iface, addr))
			return NULL;
		limit_incomplete(t);
		e = neigh__create(t, iface, addr, now);
		if (!e)
			return NULL;
		neigh__set_state(t, e, PLX_NEIGH_INCOMPLETE, now);
	} else if (e->n.state == PLX_NEIGH_FAILED) {
		limit_incomplete(t);
		neigh__set_state(t, e, PLX_NEIGH_INCOMPLETE, now);
	} else if (e->n.state == PLX_NEIGH_STALE) {
		neigh__set_state(t, e, PLX_NEIGH_DELAY, now);
	}
	e->n.used_ns = now;
	return &e->n;
}

void plx_neigh_confirm(struct plx_neigh_table *t, struct plx_neigh *n, plx_ns now)
{
	struct neigh__entry *e = plx_container_of(n, struct neigh__entry, n);

	if (n->state & (PLX_NEIGH_REACHABLE | PLX_NEIGH_STALE | PLX_NEIGH_DELAY | PLX_NEIGH_PROBE))
		neigh__set_state(t, e, PLX_NEIGH_REACHABLE, now);
}

/* However many doubt it: one round of questions in a while. */
void plx_neigh_doubt(struct plx_neigh_table *t, struct plx_neigh *n, plx_ns now)
{
	struct neigh__entry *e = plx_container_of(n, struct neigh__entry, n);

	if (n->state & (PLX_NEIGH_REACHABLE | PLX_NEIGH_STALE | PLX_NEIGH_DELAY) &&
		now - n->confirmed_ns >= t->conf.delay_first_probe_ns)
		neigh__set_state(t, e, PLX_NEIGH_PROBE, now);
}

static bool exhausted(const struct plx_neigh_table *t, const struct neigh__entry *e)
{
	return e->n.probes >=
	       (e->n.state == PLX_NEIGH_INCOMPLETE ? t->conf.mcast_solicit : t->conf.ucast_solicit);
}

static void expire(struct plx_neigh_table *t, struct neigh__entry *e, plx_ns now)
{
	switch (e->n.state) {
	case PLX_NEIGH_INCOMPLETE:
	case PLX_NEIGH_PROBE:
		if (exhausted(t, e))
			neigh__set_state(t, e, PLX_NEIGH_FAILED, now);
		else
			solicit(t, e, now);
		break;
	case PLX_NEIGH_REACHABLE: /* in use: no need to wait for the next packet, as Linux does */
		if (now - e->n.used_ns <= t->conf.delay_first_probe_ns)
			neigh__set_state(t, e, PLX_NEIGH_DELAY, now);
		else
			neigh__set_state(t, e, PLX_NEIGH_STALE, now);
		break;
	case PLX_NEIGH_DELAY:
		neigh__set_state(t, e, PLX_NEIGH_PROBE, now);
		break;
	default:
		neigh__remove(t, e);
	}
}

void plx_neigh_timer(struct plx_neigh_table *t, plx_ns now)
{
	while (t->heap_n > 0 && t->heap[0]->deadline <= now)
		expire(t, t->heap[0], now);
}

plx_ns plx_neigh_deadline(const struct plx_neigh_table *t)
{
	return t->heap_n > 0 ? t->heap[0]->deadline : PLX_NEVER;
}

/* Known MAC: by unicast. Else ARP by broadcast (RFC 826), ND to the solicited-node group (RFC 4861
 * 7.2.2). */
static void address(const struct plx_neigh *n, struct plx_neigh_tx *tx)
{
	tx->dst = n->addr;
	if (n->state == PLX_NEIGH_PROBE) {
		tx->dst_mac = n->mac;
	} else if (plx_addr_is_v4(&n->addr)) {
		memset(tx->dst_mac.b, 0xff, sizeof(tx->dst_mac.b));
	} else {
		tx->dst = plx_wire_nd_solicited_node(&n->addr);
		tx->dst_mac = plx_wire_group_mac(&tx->dst);
	}
}

bool plx_neigh_output(struct plx_neigh_table *t, plx_ns now, struct plx_neigh_tx *tx)
{
	struct plx_list *first = plx_list_pop(&t->tx);
	const struct plx_neigh *n;

	if (!first)
		return false;
	n = &plx_list_entry(first, struct neigh__entry, tx)->n;
	*tx = (struct plx_neigh_tx){
		.kind = plx_addr_is_v4(&n->addr) ? PLX_NEIGH_TX_ARP_REQUEST : PLX_NEIGH_TX_NS,
		.iface = n->iface,
		.target = n->addr,
		.src = n->src_hint,
	};
	address(n, tx);
	return true;
}

const char *plx_neigh_state_name(uint8_t state)
{
	switch (state) {
	case PLX_NEIGH_INCOMPLETE:
		return "INCOMPLETE";
	case PLX_NEIGH_REACHABLE:
		return "REACHABLE";
	case PLX_NEIGH_STALE:
		return "STALE";
	case PLX_NEIGH_DELAY:
		return "DELAY";
	case PLX_NEIGH_PROBE:
		return "PROBE";
	case PLX_NEIGH_FAILED:
		return "FAILED";
	case PLX_NEIGH_NOARP:
		return "NOARP";
	case PLX_NEIGH_PERMANENT:
		return "PERMANENT";
	default:
		return "NONE";
	}
}
