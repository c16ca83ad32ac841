/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

/*
 * The neighbour table against a naive model: an array, one row for each possible neighbour, that is
 * searched from end to end for everything. After each random operation both must agree on every
 * entry, the next deadline, the messages and, through events alone, on what may be published.
 */

#define IFACES 2
#define KEYS   32 /* per interface 8 IPv4 and 8 IPv6 neighbours */
#define THRESH 10

struct row {
	uint8_t state; /* 0: no entry */
	uint8_t mac;
	bool router, tx;
	uint8_t probes;
	plx_ns used, deadline;
	uint64_t order; /* of the last change of state */
};

struct published {
	bool usable, stale;
	uint8_t mac;
};

struct model {
	struct nt nt;
	struct plx_rng rng;  /* of the operations */
	struct plx_rng twin; /* draws what the table draws */
	struct plx_neigh_conf conf;
	struct row rows[KEYS];
	struct published pub[KEYS];
	uint64_t order;
	unsigned int n_host, told_host;
	plx_ns now;
};

static uint16_t key_iface(unsigned int key)
{
	return (uint16_t)(key % IFACES);
}

static bool key_is_v4(unsigned int key)
{
	return key < KEYS / 2;
}

static struct plx_addr key_addr(unsigned int key)
{
	struct plx_addr a = ip(key_is_v4(key) ? "10.0.0.0" : "fe80::");

	a.b[15] = (uint8_t)(key / IFACES + 2);
	return a;
}

static unsigned int key_of(const struct plx_neigh *n)
{
	for (unsigned int key = 0; key < KEYS; key++) {
		struct plx_addr a = key_addr(key);

		if (key_iface(key) == n->iface && plx_addr_eq(&a, &n->addr))
			return key;
	}
	fail();
	return 0;
}

static bool any_of(const struct row *r, unsigned int states)
{
	return r->state & states;
}

static unsigned int count(const struct model *m, unsigned int states)
{
	unsigned int n = 0;

	for (unsigned int key = 0; key < KEYS; key++)
		n += any_of(&m->rows[key], states);
	return n;
}

static struct row *oldest(struct model *m, unsigned int state)
{
	struct row *found = NULL;

	for (struct row *r = m->rows; r < m->rows + KEYS; r++)
		if (r->state == state && (!found || r->order < found->order))
			found = r;
	return found;
}

static void probe(struct model *m, struct row *r)
{
	r->probes++;
	r->tx = true;
	r->deadline = m->now + m->conf.retrans_time_ns;
}

static void set(struct model *m, struct row *r, uint8_t state)
{
	plx_ns base = m->conf.base_reachable_time_ns;

	r->state = state;
	r->order = ++m->order;
	r->probes = 0;
	r->tx = false;
	r->deadline = PLX_NEVER;
	if (any_of(r, PLX_NEIGH_INCOMPLETE | PLX_NEIGH_PROBE))
		probe(m, r);
	if (any_of(r, PLX_NEIGH_REACHABLE))
		r->deadline = m->now + base / 2 + (plx_ns)plx_rng_below(&m->twin, base + 1);
	if (any_of(r, PLX_NEIGH_STALE | PLX_NEIGH_FAILED))
		r->deadline = m->now + m->conf.gc_stale_time_ns;
	if (any_of(r, PLX_NEIGH_DELAY))
		r->deadline = m->now + m->conf.delay_first_probe_ns;
}

static bool make(struct model *m, struct row *r)
{
	if (count(m, 0xff) >= THRESH) {
		struct row *victim = oldest(m, PLX_NEIGH_FAILED);

		if (!victim)
			victim = oldest(m, PLX_NEIGH_STALE);
		if (!victim)
			return false;
		*victim = (struct row){0};
	}
	*r = (struct row){.used = m->now};
	return true;
}

static void model_use(struct model *m, struct row *r)
{
	if (any_of(r, PLX_NEIGH_STALE)) {
		set(m, r, PLX_NEIGH_DELAY);
	} else if (r->state == 0 || any_of(r, PLX_NEIGH_FAILED)) {
		if (count(m, PLX_NEIGH_INCOMPLETE) >= THRESH / 2)
			*oldest(m, PLX_NEIGH_INCOMPLETE) = (struct row){0};
		if (r->state == 0 && !make(m, r))
			return;
		set(m, r, PLX_NEIGH_INCOMPLETE);
	}
	r->used = m->now;
}

static void model_learn(struct model *m, struct row *r, uint8_t mac, uint8_t state, bool create)
{
	bool usable = any_of(r, PLX_NEIGH_USABLE);

	if (any_of(r, PLX_NEIGH_PERMANENT) || (r->state == 0 && (!create || !make(m, r))))
		return;
	if (state == PLX_NEIGH_STALE && usable && r->mac == mac)
		return;
	r->mac = mac;
	set(m, r, state);
}

static void model_router(struct model *m, struct row *r, bool router)
{
	m->n_host += r->router && !router;
	r->router = router;
}

/* RFC 4861 7.2.5, as one table. */
static void model_na(struct model *m, struct row *r, const struct plx_nd *nd, uint8_t mac)
{
	bool other = mac != 0 && mac != r->mac;

	if (r->state == 0 || any_of(r, PLX_NEIGH_FAILED | PLX_NEIGH_PERMANENT))
		return;
	if (any_of(r, PLX_NEIGH_INCOMPLETE)) {
		if (mac == 0)
			return;
		r->mac = mac;
		set(m, r, nd->solicited ? PLX_NEIGH_REACHABLE : PLX_NEIGH_STALE);
	} else if (other && !nd->override) {
		if (any_of(r, PLX_NEIGH_REACHABLE))
			set(m, r, PLX_NEIGH_STALE);
		return;
	} else {
		if (other)
			r->mac = mac;
		if (nd->solicited)
			set(m, r, PLX_NEIGH_REACHABLE);
		else if (other)
			set(m, r, PLX_NEIGH_STALE);
	}
	model_router(m, r, nd->router);
}

static void model_expire(struct model *m, struct row *r)
{
	switch (r->state) {
	case PLX_NEIGH_INCOMPLETE:
	case PLX_NEIGH_PROBE:
		if (r->probes == 3)
			set(m, r, PLX_NEIGH_FAILED);
		else
			probe(m, r);
		break;
	case PLX_NEIGH_REACHABLE:
		set(m, r,
			m->now - r->used <= m->conf.delay_first_probe_ns ? PLX_NEIGH_DELAY
									 : PLX_NEIGH_STALE);
		break;
	case PLX_NEIGH_DELAY:
		set(m, r, PLX_NEIGH_PROBE);
		break;
	default:
		*r = (struct row){0};
	}
}

static plx_ns model_deadline(const struct model *m)
{
	plx_ns first = PLX_NEVER;

	for (unsigned int key = 0; key < KEYS; key++)
		if (m->rows[key].state != 0)
			first = PLX_MIN(first, m->rows[key].deadline);
	return first;
}

static void op_use(struct model *m, unsigned int key)
{
	struct plx_addr a = key_addr(key);
	struct plx_neigh *n = plx_neigh_use(m->nt.t, key_iface(key), &a, m->now);

	model_use(m, &m->rows[key]);
	eq(n != NULL, m->rows[key].state != 0);
	if (n)
		n->user_count = (uint16_t)(key + 1);
}

static void op_confirm(struct model *m, unsigned int key)
{
	struct plx_addr a = key_addr(key);
	struct plx_neigh *n = plx_neigh_find(m->nt.t, key_iface(key), &a);
	struct row *r = &m->rows[key];

	if (!n)
		return;
	plx_neigh_confirm(m->nt.t, n, m->now);
	if (any_of(r, PLX_NEIGH_REACHABLE | PLX_NEIGH_STALE | PLX_NEIGH_DELAY | PLX_NEIGH_PROBE))
		set(m, r, PLX_NEIGH_REACHABLE);
}

static void op_arp(struct model *m, unsigned int key, uint8_t from)
{
	bool ours = plx_rng_below(&m->rng, 2), garp = !ours && plx_rng_below(&m->rng, 2);
	bool reply = plx_rng_below(&m->rng, 2);
	struct plx_arp a = arp(reply ? PLX_ARP_REPLY : PLX_ARP_REQUEST, from, "0.0.0.0",
		ours ? "10.0.0.1" : "10.0.0.200");

	a.spa = key_addr(key);
	if (garp)
		a.tpa = a.spa;
	plx_neigh_input_arp(m->nt.t, key_iface(key), &a, ours, m->now);
	model_learn(m, &m->rows[key], from, reply && ours ? PLX_NEIGH_REACHABLE : PLX_NEIGH_STALE,
		ours && !reply);
}

static void op_nd(struct model *m, unsigned int key, uint8_t from)
{
	struct plx_addr src = key_addr(key);
	struct row *r = &m->rows[key];
	uint64_t dice = plx_rng_u64(&m->rng);
	struct plx_nd nd = na("::", "", dice & 1 ? from : 0);

	nd.target = src;
	nd.slla = nd.tlla;
	nd.has_slla = nd.has_tlla;
	nd.router = dice & 2;
	nd.solicited = dice & 4;
	nd.override = dice & 8;
	nd.type = dice & 16 ? PLX_ICMP6_NA : dice & 32 ? PLX_ICMP6_NS : PLX_ICMP6_RA;
	plx_neigh_input_nd(m->nt.t, key_iface(key), &nd, &src, dice & 64, m->now);
	if (nd.type == PLX_ICMP6_NA) {
		model_na(m, r, &nd, dice & 1 ? from : 0);
	} else if (nd.type == PLX_ICMP6_RA) {
		if (dice & 1)
			model_learn(m, r, from, PLX_NEIGH_STALE, true);
		if (r->state != 0)
			r->router = true;
	} else if ((dice & 64) && (dice & 1)) {
		model_learn(m, r, from, PLX_NEIGH_STALE, true);
	}
}

static void op_add(struct model *m, unsigned int key, uint8_t with)
{
	static const enum plx_neigh_state states[] = {
		PLX_NEIGH_PERMANENT, PLX_NEIGH_REACHABLE, PLX_NEIGH_STALE};
	enum plx_neigh_state state = states[plx_rng_below(&m->rng, 3)];
	struct row *r = &m->rows[key];
	struct plx_addr a = key_addr(key);
	struct plx_mac mc = mac(with);
	bool room = r->state != 0 || make(m, r);

	eq(plx_neigh_add(m->nt.t, key_iface(key), &a, &mc, state, m->now), room ? 0 : -ENOSPC);
	if (room) {
		r->mac = with;
		set(m, r, state);
	}
}

static void op_del(struct model *m, unsigned int key)
{
	struct plx_addr a = key_addr(key);

	eq(plx_neigh_del(m->nt.t, key_iface(key), &a), m->rows[key].state != 0 ? 0 : -ENOENT);
	m->rows[key] = (struct row){0};
}

static void op_flush(struct model *m, unsigned int key)
{
	bool all = plx_rng_below(&m->rng, 2);

	plx_neigh_flush(m->nt.t, key_iface(key), all);
	for (unsigned int k = 0; k < KEYS; k++)
		if (key_iface(k) == key_iface(key) &&
			(all || !any_of(&m->rows[k], PLX_NEIGH_PERMANENT)))
			m->rows[k] = (struct row){0};
}

/* Timers run exactly when they are due, so that the order of entries is never left to chance. */
static void pass(struct model *m, plx_ns until)
{
	plx_ns due;

	while ((due = model_deadline(m)) <= until) {
		eq(plx_neigh_deadline(m->nt.t), due);
		m->now = due;
		plx_neigh_timer(m->nt.t, due);
		for (unsigned int key = 0; key < KEYS; key++)
			if (m->rows[key].state != 0 && m->rows[key].deadline == due)
				model_expire(m, &m->rows[key]);
	}
	m->now = until;
	plx_neigh_timer(m->nt.t, until);
	eq(plx_neigh_deadline(m->nt.t), due);
}

static void same_entries(const struct model *m)
{
	for (unsigned int key = 0; key < KEYS; key++) {
		const struct row *r = &m->rows[key];
		struct plx_addr a = key_addr(key);
		const struct plx_neigh *n = plx_neigh_find(m->nt.t, key_iface(key), &a);

		eq(n ? n->state : 0, r->state);
		if (!n)
			continue;
		eq(n->router, r->router);
		eq(n->probes, r->probes);
		if (plx_neigh_is_usable(n))
			eq(n->mac.b[5], r->mac);
	}
	eq(plx_neigh_count(m->nt.t), count(m, 0xff));
	ok(plx_neigh_count(m->nt.t) <= THRESH);
}

static void same_messages(struct model *m)
{
	struct plx_neigh_tx tx;

	while (plx_neigh_output(m->nt.t, m->now, &tx)) {
		struct plx_neigh n = {.addr = tx.target, .iface = tx.iface};
		struct row *r = &m->rows[key_of(&n)];

		ok(r->tx);
		eq(!plx_mac_is_mcast(&tx.dst_mac), any_of(r, PLX_NEIGH_PROBE));
		if (!plx_mac_is_mcast(&tx.dst_mac))
			eq(tx.dst_mac.b[5], r->mac);
		r->tx = false;
	}
	for (unsigned int key = 0; key < KEYS; key++)
		ok(!m->rows[key].tx);
}

/* Who listens to events alone knows all that he needs. */
static void same_published(struct model *m)
{
	struct plx_neigh *n;
	unsigned int what;

	while ((what = plx_neigh_event(m->nt.t, &n)) != 0) {
		unsigned int key = key_of(n);
		struct published *p = &m->pub[key];

		m->told_host += (what & PLX_NEIGH_EV_HOST) != 0;
		ok(n->user_count == 0 || n->user_count == key + 1);
		if (what & PLX_NEIGH_EV_REMOVED) {
			eq(what, PLX_NEIGH_EV_REMOVED);
			*p = (struct published){0};
			continue;
		}
		if (what & PLX_NEIGH_EV_USABLE)
			p->usable = true;
		if (what & PLX_NEIGH_EV_FAILED)
			p->usable = false;
		if (what & (PLX_NEIGH_EV_MAC | PLX_NEIGH_EV_USABLE))
			p->mac = n->mac.b[5];
		if (what & (PLX_NEIGH_EV_STALE | PLX_NEIGH_EV_USABLE))
			p->stale = n->state == PLX_NEIGH_STALE;
	}
	for (unsigned int key = 0; key < KEYS; key++) {
		const struct row *r = &m->rows[key];

		eq(m->pub[key].usable, any_of(r, PLX_NEIGH_USABLE));
		if (m->pub[key].usable) {
			eq(m->pub[key].mac, r->mac);
			eq(m->pub[key].stale, any_of(r, PLX_NEIGH_STALE));
		}
	}
}

static void step(struct model *m)
{
	unsigned int key = (unsigned int)plx_rng_below(&m->rng, KEYS);
	uint8_t from = (uint8_t)(1 + plx_rng_below(&m->rng, 3));
	unsigned int dice = (unsigned int)plx_rng_below(&m->rng, 100);

	if (dice < 40)
		op_use(m, key);
	else if (dice < 70 && key_is_v4(key))
		op_arp(m, key, from);
	else if (dice < 70)
		op_nd(m, key, from);
	else if (dice < 90)
		op_confirm(m, key);
	else if (dice < 94)
		op_add(m, key, from);
	else if (dice < 99)
		op_del(m, key);
	else
		op_flush(m, key);
	pass(m, m->now + 1 + (plx_ns)plx_rng_below(&m->rng, dice & 1 ? SEC(3) : MS(50)));
}

T(table_and_model_agree)
{
	uint64_t seed = t_seed(42);
	unsigned int seen = 0, hosts = 0;

	for (uint64_t run = 0; run < 20; run++) {
		struct model m = {.conf = PLX_NEIGH_CONF_DEFAULT};

		m.conf.gc_thresh3 = THRESH;
		nt_init(&m.nt, m.conf);
		plx_rng_init(&m.rng, seed + run);
		plx_rng_init(&m.twin, 1); /* as nt_init() */
		for (int i = 0; i < 2000; i++) {
			step(&m);
			same_entries(&m);
			same_messages(&m);
			if (plx_rng_below(&m.rng, 3) != 0 || i % 8 == 0)
				same_published(&m);
			for (unsigned int key = 0; key < KEYS; key++)
				seen |= m.rows[key].state;
		}
		same_published(&m);
		ok(m.told_host <= m.n_host);
		hosts += m.told_host;
		nt_fini(&m.nt);
	}
	eq(seen, 0xff & ~PLX_NEIGH_NOARP); /* the walk has been everywhere */
	ok(hosts > 0);
}

RUN(T_(table_and_model_agree))
