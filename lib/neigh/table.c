/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>

#include <plx_base_hash.h>

#define MAX_ENTRIES (1u << 20)

/* Entries that were removed stay until their event has been pulled, so there are a few more slots
 * than entries: else each eviction had to be told before its slot could be used. */
static uint32_t slots_for(const struct plx_neigh_conf *conf)
{
	return conf->gc_thresh3 + conf->gc_thresh3 / 4 + 16;
}

static uint32_t buckets_for(const struct plx_neigh_conf *conf)
{
	uint32_t n = 16;

	while (n < conf->gc_thresh3)
		n *= 2;
	return n;
}

static size_t round_up(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static bool conf_ok(const struct plx_neigh_conf *conf)
{
	return conf->gc_thresh3 >= 8 && conf->gc_thresh3 <= MAX_ENTRIES && conf->max_ifaces > 0 &&
	       conf->mcast_solicit > 0 && conf->ucast_solicit > 0 && conf->gc_stale_time_ns > 0 &&
	       conf->base_reachable_time_ns > 0 && conf->retrans_time_ns > 0 &&
	       conf->delay_first_probe_ns >= 0;
}

size_t plx_neigh_table_size(const struct plx_neigh_conf *conf)
{
	return round_up(sizeof(struct plx_neigh_table)) +
	       round_up(slots_for(conf) * sizeof(struct neigh__entry)) +
	       round_up(buckets_for(conf) * sizeof(struct neigh__entry *)) +
	       round_up(slots_for(conf) * sizeof(struct neigh__entry *)) +
	       round_up(conf->max_ifaces * sizeof(struct neigh__times));
}

static void *carve(uint8_t **mem, size_t bytes)
{
	void *p = *mem;

	*mem += round_up(bytes);
	return p;
}

struct plx_neigh_table *plx_neigh_table_init(
	void *mem, const struct plx_neigh_conf *conf, struct plx_rng *rng)
{
	struct plx_neigh_table *t = mem;
	uint8_t *at = mem;

	if (!conf_ok(conf))
		return NULL;
	memset(mem, 0, plx_neigh_table_size(conf));
	carve(&at, sizeof(*t));
	t->rng = rng;
	t->n_slots = slots_for(conf);
	t->bucket_mask = buckets_for(conf) - 1;
	t->slots = carve(&at, t->n_slots * sizeof(*t->slots));
	t->buckets = carve(&at, (t->bucket_mask + 1) * sizeof(*t->buckets));
	t->heap = carve(&at, t->n_slots * sizeof(*t->heap));
	t->nd_times = carve(&at, conf->max_ifaces * sizeof(*t->nd_times));
	plx_list_init(&t->free);
	plx_list_init(&t->failed);
	plx_list_init(&t->stale);
	plx_list_init(&t->incomplete);
	plx_list_init(&t->tx);
	plx_list_init(&t->events);
	for (uint32_t i = 0; i < t->n_slots; i++)
		plx_list_add_tail(&t->free, &t->slots[i].lru);
	t->conf = *conf;
	plx_neigh_table_set_conf(t, conf);
	return t;
}

void plx_neigh_table_fini(struct plx_neigh_table *t)
{
	for (uint32_t i = 0; i < t->n_slots; i++)
		if (t->slots[i].live)
			neigh__remove(t, &t->slots[i]);
}

int plx_neigh_table_set_conf(struct plx_neigh_table *t, const struct plx_neigh_conf *conf)
{
	struct plx_neigh_conf c = *conf;

	c.gc_thresh3 = t->conf.gc_thresh3;
	c.max_ifaces = t->conf.max_ifaces;
	memcpy(c.hash_key, t->conf.hash_key, sizeof(c.hash_key));
	if (!conf_ok(&c))
		return -EINVAL;
	t->conf = c;
	for (uint32_t i = 0; i < c.max_ifaces; i++)
		t->nd_times[i] =
			(struct neigh__times){.base_reachable_ns = c.base_reachable_time_ns,
				.retrans_ns = c.retrans_time_ns};
	return 0;
}

int plx_neigh_iface_set_times(
	struct plx_neigh_table *t, uint16_t iface, plx_ns base_reachable_ns, plx_ns retrans_ns)
{
	if (iface >= t->conf.max_ifaces || base_reachable_ns < 0 || retrans_ns < 0)
		return -EINVAL;
	if (base_reachable_ns > 0)
		t->nd_times[iface].base_reachable_ns = base_reachable_ns;
	if (retrans_ns > 0)
		t->nd_times[iface].retrans_ns = retrans_ns;
	return 0;
}

uint32_t plx_neigh_count(const struct plx_neigh_table *t)
{
	return t->n_live;
}

static uint32_t bucket_of(
	const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr)
{
	const uint64_t key[3] = {addr->q[0], addr->q[1], iface};

	return (uint32_t)plx_siphash13_words(t->conf.hash_key, key, 3) & t->bucket_mask;
}

struct neigh__entry *neigh__find(
	const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr)
{
	struct neigh__entry *e = t->buckets[bucket_of(t, iface, addr)];

	while (e && !(e->n.iface == iface && plx_addr_eq(&e->n.addr, addr)))
		e = e->hash_next;
	return e;
}

struct plx_neigh *plx_neigh_find(
	const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr)
{
	struct neigh__entry *e = neigh__find(t, iface, addr);

	return e ? &e->n : NULL;
}

bool neigh__addr_ok(const struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr)
{
	if (plx_addr_is_v4(addr) && addr->w[3] == UINT32_MAX)
		return false;
	return iface < t->conf.max_ifaces && !plx_addr_is_any(addr) && !plx_addr_is_mcast(addr) &&
	       !plx_addr_is_loopback(addr);
}

static bool make_room(struct plx_neigh_table *t)
{
	struct neigh__entry *victim;

	if (plx_list_empty(&t->free))
		return false; /* too many removals wait to be told */
	if (t->n_live < t->conf.gc_thresh3)
		return true;
	victim = plx_list_first(&t->failed, struct neigh__entry, lru);
	if (!victim)
		victim = plx_list_first(&t->stale, struct neigh__entry, lru);
	if (!victim)
		return false;
	neigh__remove(t, victim);
	return true;
}

struct neigh__entry *neigh__create(
	struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr, plx_ns now)
{
	struct neigh__entry *e, **bucket = &t->buckets[bucket_of(t, iface, addr)];

	if (!make_room(t))
		return NULL;
	e = plx_list_entry(plx_list_pop(&t->free), struct neigh__entry, lru);
	*e = (struct neigh__entry){
		.n = {.addr = *addr, .iface = iface, .used_ns = now},
		.hash_next = *bucket,
		.deadline = PLX_NEVER,
		.heap_at = NEIGH__NOT_IN_HEAP,
		.live = true,
	};
	plx_list_init(&e->lru);
	plx_list_init(&e->tx);
	plx_list_init(&e->ev);
	*bucket = e;
	t->n_live++;
	return e;
}

void neigh__remove(struct plx_neigh_table *t, struct neigh__entry *e)
{
	struct neigh__entry **link = &t->buckets[bucket_of(t, e->n.iface, &e->n.addr)];

	while (*link != e)
		link = &(*link)->hash_next;
	*link = e->hash_next;
	e->live = false;
	t->n_live--;
	t->n_incomplete -= e->n.state == PLX_NEIGH_INCOMPLETE;
	plx_list_del(&e->lru);
	plx_list_del(&e->tx);
	neigh__heap_set(t, e, PLX_NEVER);
	neigh__tell(t, e, PLX_NEIGH_EV_REMOVED);
}

int plx_neigh_add(struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr,
	const struct plx_mac *mac, enum plx_neigh_state state, plx_ns now)
{
	struct neigh__entry *e;

	if (!neigh__addr_ok(t, iface, addr) || plx_mac_is_mcast(mac))
		return -EINVAL;
	if (state != PLX_NEIGH_PERMANENT && state != PLX_NEIGH_NOARP &&
		state != PLX_NEIGH_REACHABLE && state != PLX_NEIGH_STALE)
		return -EINVAL;
	e = neigh__find(t, iface, addr);
	if (!e)
		e = neigh__create(t, iface, addr, now);
	if (!e)
		return -ENOSPC;
	neigh__set_mac(t, e, mac, now);
	neigh__set_state(t, e, state, now);
	return 0;
}

int plx_neigh_del(struct plx_neigh_table *t, uint16_t iface, const struct plx_addr *addr)
{
	struct neigh__entry *e = neigh__find(t, iface, addr);

	if (!e)
		return -ENOENT;
	neigh__remove(t, e);
	return 0;
}

void plx_neigh_flush(struct plx_neigh_table *t, uint16_t iface, bool all)
{
	for (uint32_t i = 0; i < t->n_slots; i++) {
		struct neigh__entry *e = &t->slots[i];
		bool by_hand = e->n.state & (PLX_NEIGH_PERMANENT | PLX_NEIGH_NOARP);

		if (e->live && e->n.iface == iface && (all || !by_hand))
			neigh__remove(t, e);
	}
}

/* What is pending must agree with the present state: later news replaces what it contradicts or
 * contains. */
void neigh__tell(struct plx_neigh_table *t, struct neigh__entry *e, unsigned int what)
{
	unsigned int bits = e->what;

	if (what & PLX_NEIGH_EV_REMOVED)
		bits = PLX_NEIGH_EV_REMOVED;
	else if (what & PLX_NEIGH_EV_FAILED)
		bits = (bits & PLX_NEIGH_EV_HOST) | PLX_NEIGH_EV_FAILED;
	else if (what & PLX_NEIGH_EV_USABLE)
		bits = (bits & PLX_NEIGH_EV_HOST) | PLX_NEIGH_EV_USABLE;
	else if (bits & PLX_NEIGH_EV_USABLE)
		bits |= what & PLX_NEIGH_EV_HOST;
	else
		bits |= what;
	e->what = (uint8_t)bits;
	if (bits != 0 && plx_list_empty(&e->ev))
		plx_list_add_tail(&t->events, &e->ev);
}

unsigned int plx_neigh_event(struct plx_neigh_table *t, struct plx_neigh **n)
{
	struct neigh__entry *e;
	unsigned int what;

	if (t->told) {
		plx_list_add_tail(&t->free, &t->told->lru);
		t->told = NULL;
	}
	e = plx_list_first(&t->events, struct neigh__entry, ev);
	if (!e)
		return 0;
	plx_list_del(&e->ev);
	what = e->what;
	e->what = 0;
	if (what & PLX_NEIGH_EV_REMOVED)
		t->told = e;
	*n = &e->n;
	return what;
}

const struct plx_neigh *plx_neigh_next(const struct plx_neigh_table *t, uint32_t *cursor)
{
	while (*cursor < t->n_slots) {
		const struct neigh__entry *e = &t->slots[(*cursor)++];

		if (e->live)
			return &e->n;
	}
	return NULL;
}
