/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#include <plx_steer.h>

#include "../../lib/tcp/table.h"

static void range(struct lt *t, uint16_t lo, uint16_t hi)
{
	lt_tun(t, PLX_TUN_IP_LOCAL_PORT_LO, lo);
	lt_tun(t, PLX_TUN_IP_LOCAL_PORT_HI, hi);
}

/* Connections, the first half of the range's parity first; then there is none. */
T(ports_are_taken_until_there_are_none)
{
	static struct lt t;
	static struct plx_tcp_id id[11];
	bool seen[11] = {false};

	lt_up(&t);
	range(&t, 100, 110);
	for (int i = 0; i < 11; i++) {
		int port;

		id[i] = t.id;
		port = plx_tcp_port_pick(&t.ctx, &id[i], 0, NULL);
		ok(port >= 100 && port <= 110);
		ok(!seen[port - 100]);
		seen[port - 100] = true;
		eq(port % 2, i < 6 ? 0 : 1);
		id[i].lport = (uint16_t)port;
		eq(plx_tcp_table_add(t.ctx.table, &id[i]), 0);
	}
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL), -EADDRNOTAVAIL);
	t.id.rport++; /* another peer: all are free */
	ok(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL) >= 100);
	for (int i = 0; i < 11; i++)
		plx_tcp_table_del(t.ctx.table, &id[i]);
	lt_down(&t);
}

T(a_port_with_a_listener_is_left_alone)
{
	static struct lt t;

	lt_up(&t);
	range(&t, 80, 82);
	for (int i = 0; i < 10; i++)
		eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL), 82);
	lt_down(&t);
}

T(a_time_wait_gives_its_port_when_it_may)
{
	static struct lt t;
	struct plx_tcp_tw w = {.ts_ok = true, .ts_ago_s = 10};

	lt_up(&t);
	range(&t, 200, 200);
	w.id = t.id;
	w.id.lport = 200;
	w.id.kind = PLX_TCP_KIND_TW;
	eq(plx_tcp_table_add(t.ctx.table, &w.id), 0);
	lt_tun(&t, PLX_TUN_TCP_TW_REUSE, 1);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, PLX_SEC(10), NULL), -EADDRNOTAVAIL);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, PLX_SEC(11), NULL), 200);
	plx_tcp_table_del(t.ctx.table, &w.id);
	lt_down(&t);
}

static uint64_t multiples_of(const void *arg, uint32_t word)
{
	uint64_t m = 0;

	for (uint32_t i = 0; i < 64; i++)
		m |= (uint64_t)((word * 64 + i) % *(const uint32_t *)arg == 0) << i;
	return m;
}

T(the_caller_has_the_last_word)
{
	static struct lt t;
	uint32_t n = 7;
	const struct plx_tcp_port_filter f = {.word = multiples_of, .arg = &n};

	lt_up(&t);
	for (int i = 0; i < 100; i++)
		eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, &f) % 7, 0);
	n = 50000;
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, &f), 50000);
	n = 65536;
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, &f), -EADDRNOTAVAIL);
	lt_down(&t);
}

/* RFC 6056 3: neither is one like the last one, nor is one pair's port another's. */
T(nobody_foresees_the_next_one)
{
	static struct lt t;
	int last = 0, near = 0;

	lt_up(&t);
	for (int i = 0; i < 200; i++) {
		int port;

		t.id.raddr.b[15] = (uint8_t)(i / 2);
		port = plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL);
		near += abs(port - last) < 100;
		last = port;
	}
	ok(near < 10);
	lt_down(&t);
}

/* ---- which of all: the lcore's own ---- */

static struct plx_steer_ports own;
static struct plx_steer_ports_to own_to;
static uint32_t words_asked;

static uint64_t of_lcore(const void *arg, uint32_t word)
{
	words_asked++;
	return plx_steer_ports_word(arg, word);
}

static void steer(struct plx_toeplitz *toeplitz, struct plx_owner_map *map, struct plx_rng *r,
	uint16_t size, uint16_t lcores)
{
	static const uint16_t index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t key[PLX_STEER_KEY_MIN];

	plx_rng_bytes(r, key, sizeof(key));
	eq(plx_steer_toeplitz_init(toeplitz, key, sizeof(key)), 0);
	eq(plx_steer_owner_init(map, size, index, lcores), 0);
	own = (struct plx_steer_ports){0};
	plx_steer_ports_init(&own, toeplitz, map, (uint16_t)plx_rng_below(r, lcores));
}

static bool is_own(const struct plx_toeplitz *toeplitz, const struct plx_owner_map *map,
	const struct plx_tcp_id *id, uint16_t port)
{
	uint32_t hash = plx_steer_hash(toeplitz, &id->raddr, &id->laddr, id->rport, port, true);

	return plx_steer_owner(map, hash) == own.self;
}

/*
 * All ports of the default range that are the lcore's are found, each once, and each answers to it;
 * what one costs does not depend on how many are left.
 */
T(each_of_ours_is_found_at_the_same_cost)
{
	static struct plx_toeplitz toeplitz;
	static struct plx_owner_map map;
	static struct plx_tcp_id id[65536];
	static struct lt t;
	const struct plx_tcp_port_filter f = {.word = of_lcore, .arg = &own_to, .most = 32};
	uint32_t n = 0, left = 0, most_words = 0, most_looked_up = 0;
	struct plx_rng r;
	int port;

	plx_rng_init(&r, t_seed(1));
	lt_up_bytes(&t, 32 << 20);
	steer(&toeplitz, &map, &r, 128, 3);
	plx_steer_ports_to(&own_to, &own, &t.id.laddr, &t.id.raddr, t.id.rport);
	for (uint32_t p = 32768; p <= 60999; p++)
		left += is_own(&toeplitz, &map, &t.id, (uint16_t)p);
	for (;; n++) {
		words_asked = 0;
		t.ctx.table->looked_up = 0;
		port = plx_tcp_port_pick(&t.ctx, &t.id, 0, &f);
		most_words = PLX_MAX(most_words, words_asked);
		most_looked_up = PLX_MAX(most_looked_up, t.ctx.table->looked_up);
		if (port < 0)
			break;
		ok(is_own(&toeplitz, &map, &t.id, (uint16_t)port));
		id[n] = t.id;
		id[n].lport = (uint16_t)port;
		eq(plx_tcp_table_add(t.ctx.table, &id[n]), 0);
	}
	eq(port, -EADDRNOTAVAIL);
	eq(n, left);
	ok(most_looked_up <= 2 * 8 + 2); /* TRIES of each parity, and the one that is free */
	ok(most_words <= 2 * 3 * (60999 / 64 - 32768 / 64 + 2) + 64);
	eq(t.ctx.table->n_busy, 1);
	for (uint32_t i = 0; i < n; i++)
		plx_tcp_table_del(t.ctx.table, &id[i]);
	eq(t.ctx.table->n_busy, 0);
	lt_down(&t);
}

/* Of those that are free, with half of them taken: all alike, whether they are put down or not. */
static void check_uniform(struct lt *t, struct plx_rng *r, uint32_t lo, uint32_t hi)
{
	static struct plx_tcp_id id[65536];
	static uint32_t seen[65536];
	uint32_t n = 0, members, rounds;
	double chi = 0, expect;

	memset(seen, 0, sizeof(seen));
	range(t, (uint16_t)lo, (uint16_t)hi);
	for (uint32_t port = lo; port <= hi; port += 2)
		if (plx_rng_chance(r, 0.5)) {
			id[n] = t->id;
			id[n].lport = (uint16_t)port;
			eq(plx_tcp_table_add(t->ctx.table, &id[n++]), 0);
		}
	members = (hi - lo) / 2 + 1 - n;
	rounds = 100 * members;
	for (uint32_t i = 0; i < rounds; i++)
		seen[plx_tcp_port_pick(&t->ctx, &t->id, 0, NULL)]++;
	for (uint32_t i = 0; i < n; i++)
		eq(seen[id[i].lport], 0);
	expect = (double)rounds / members;
	for (uint32_t port = lo; port <= hi; port += 2) {
		struct plx_tcp_id key = t->id;

		key.lport = (uint16_t)port;
		if (!plx_tcp_table_lookup(t->ctx.table, &key))
			chi += (seen[port] - expect) * (seen[port] - expect) / expect;
	}
	ok(chi < 1.6 * members + 40); /* mean: members - 1 */
	for (uint32_t i = 0; i < n; i++)
		plx_tcp_table_del(t->ctx.table, &id[i]);
}

T(all_that_are_free_are_equally_likely)
{
	static struct lt t;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	lt_up_bytes(&t, 8 << 20);
	check_uniform(&t, &r, 40000, 40800);
	check_uniform(&t, &r, 40033, 40033 + 120);
	lt_down(&t);
}

/* ---- against a naive model, with TIME-WAITs ---- */

#define M_LO	50000u
#define M_PORTS 600u
#define M_PEERS 2

enum m_kind { M_NONE, M_CONN, M_TW };

static struct m_entry {
	enum m_kind kind;
	struct plx_tcp c;
	struct plx_tcp_tw w;
} m_entry[M_PEERS][M_PORTS];

static struct m {
	struct lt t;
	struct plx_toeplitz toeplitz;
	struct plx_owner_map map;
	struct plx_rng r;
	plx_ns now;
	uint32_t lo, hi;
	uint32_t picked, refused, reused, records;
} m;

static struct plx_tcp_id m_id(uint32_t peer, uint16_t port)
{
	struct plx_tcp_id id = m.t.id;

	id.rport = (uint16_t)(5000 + peer);
	id.lport = port;
	return id;
}

static struct m_entry *m_at(uint32_t peer, uint32_t port)
{
	return &m_entry[peer][port - M_LO];
}

/* What plx_tcp_port_pick() promises, by looking at each port. */
static bool m_free(uint32_t peer, uint32_t port)
{
	const struct m_entry *e = m_at(peer, port);
	const struct plx_tcp_id id = m_id(peer, (uint16_t)port);
	bool reuse = m.t.tun.v[PLX_TUN_TCP_TW_REUSE] == 1;

	if (port < m.lo || port > m.hi || !is_own(&m.toeplitz, &m.map, &id, (uint16_t)port))
		return false;
	if (e->kind == M_TW)
		return reuse && e->w.ts_ok && !e->w.fin_wait_2 &&
		       m.now / PLX_SEC(1) > e->w.ts_ago_s;
	return e->kind == M_NONE;
}

static void m_open(uint32_t peer)
{
	const struct plx_tcp_id id = m_id(peer, 0);
	struct plx_tcp_port_filter f = {.word = of_lcore, .arg = &own_to};
	uint32_t n[2] = {0, 0};
	struct plx_tcp_id taken;
	struct m_entry *e;
	int port;

	for (uint32_t p = m.lo; p <= m.hi; p++)
		n[(p - m.lo) & 1] += m_free(peer, p);
	plx_steer_ports_to(&own_to, &own, &id.laddr, &id.raddr, id.rport);
	f.most = plx_steer_ports_most(&own_to);
	port = plx_tcp_port_pick(&m.t.ctx, &id, m.now, &f);
	m.records += m.t.ctx.table->n_busy > 0;
	if (!n[0] && !n[1]) {
		eq(port, -EADDRNOTAVAIL);
		m.refused++;
		return;
	}
	ok(port > 0);
	ok(m_free(peer, (uint32_t)port));
	eq(((uint32_t)port - m.lo) & 1, !n[0]);
	m.picked++;
	e = m_at(peer, (uint32_t)port);
	if (e->kind == M_TW) {
		plx_tcp_tw_fini(&m.t.ctx, &e->w, m.now);
		m.reused++;
	}
	e->kind = M_CONN;
	taken = m_id(peer, (uint16_t)port);
	plx_tcp_init(&e->c, &m.t.ctx, &taken);
	eq(plx_tcp_table_add(m.t.ctx.table, &e->c.id), 0);
}

static void m_end(struct m_entry *e)
{
	if (e->kind == M_TW) {
		plx_tcp_tw_fini(&m.t.ctx, &e->w, m.now);
	} else {
		plx_tcp_table_del(m.t.ctx.table, &e->c.id);
		plx_tcp_fini(&e->c);
	}
	e->kind = M_NONE;
}

static void m_wait(struct m_entry *e)
{
	e->c.id.state = plx_rng_chance(&m.r, 0.2) ? PLX_TCP_FIN_WAIT_2 : PLX_TCP_TIME_WAIT;
	e->c.ts_ok = plx_rng_chance(&m.r, 0.9);
	e->c.rcv.ts_ago_s = (uint32_t)(m.now / PLX_SEC(1)) - (uint32_t)plx_rng_below(&m.r, 2);
	eq(plx_tcp_tw_init(&e->w, &e->c, m.now), 0);
	plx_tcp_fini(&e->c);
	e->kind = M_TW;
}

/* The peer's FIN, or a segment that makes it younger. */
static void m_segment(struct m_entry *e)
{
	const struct plx_tcp_seg fin = {
		.flags = PLX_TCP_FIN | PLX_TCP_ACK, .seq = e->w.rcv_nxt, .ack = e->w.snd_nxt};

	if (e->w.fin_wait_2)
		plx_tcp_tw_input(&m.t.ctx, &e->w, &fin, m.now, &m.t.rx);
	else
		e->w.ts_ago_s = (uint32_t)(m.now / PLX_SEC(1));
}

static void m_change(void)
{
	struct m_entry *e = &m_entry[plx_rng_below(&m.r, M_PEERS)][plx_rng_below(&m.r, M_PORTS)];
	double what = plx_rng_double(&m.r);

	if (e->kind == M_NONE)
		return;
	if (e->kind == M_CONN && what < 0.7)
		m_wait(e);
	else if (e->kind == M_TW && what < 0.5)
		m_segment(e);
	else
		m_end(e);
}

static void m_settings(void)
{
	if (plx_rng_chance(&m.r, 0.3)) { /* takes effect in another second at the latest */
		m.now += PLX_SEC(1);
		lt_tun(&m.t, PLX_TUN_TCP_TW_REUSE, (int64_t)plx_rng_below(&m.r, 2));
	}
	if (!plx_rng_chance(&m.r, 0.1))
		return;
	m.lo = M_LO + (uint32_t)plx_rng_below(&m.r, M_PORTS / 2);
	m.hi = m.lo + (uint32_t)plx_rng_below(&m.r, M_LO + M_PORTS - m.lo);
	range(&m.t, (uint16_t)m.lo, (uint16_t)m.hi);
}

/* As many come as go, so that there are times of plenty and of none. */
static void m_run(uint32_t steps)
{
	double opens = 0.5;

	for (uint32_t i = 0; i < steps; i++) {
		if (i % 500 == 0)
			opens = plx_rng_double(&m.r);
		if (plx_rng_chance(&m.r, opens))
			m_open((uint32_t)plx_rng_below(&m.r, M_PEERS));
		else
			m_change();
		if (plx_rng_chance(&m.r, 0.02))
			m.now += (plx_ns)plx_rng_below(&m.r, PLX_SEC(2));
		if (plx_rng_chance(&m.r, 0.005))
			m_settings();
	}
}

T(as_the_model_says)
{
	memset(&m, 0, sizeof(m));
	plx_rng_init(&m.r, t_seed(3));
	lt_up_bytes(&m.t, 32 << 20);
	m.now = PLX_SEC(100);
	m.lo = M_LO;
	m.hi = M_LO + M_PORTS - 1;
	range(&m.t, (uint16_t)m.lo, (uint16_t)m.hi);
	steer(&m.toeplitz, &m.map, &m.r, 256, 2);
	m_run(30000);
	ok(m.picked > 1000);
	ok(m.refused > 10);
	ok(m.reused > 10);
	ok(m.records > 10);
	for (uint32_t p = 0; p < M_PEERS; p++)
		for (uint32_t i = 0; i < M_PORTS; i++)
			if (m_entry[p][i].kind != M_NONE)
				m_end(&m_entry[p][i]);
	lt_down(&m.t);
}

/* Who looks from elsewhere sees which ports are used. */
T(ports_in_use_are_counted)
{
	static struct plx_tcp_port_uses uses;
	static struct lt t;
	struct plx_tcp_table_conf conf = {.mem = &t.arena, .uses = &uses};
	struct plx_tcp_table *table;
	struct plx_tcp_id a, b;

	lt_up(&t);
	table = plx_tcp_table_create(&conf);
	a = tuple("10.0.0.1", 777, "10.0.0.2", 1);
	b = tuple("10.0.0.1", 777, "10.0.0.2", 2);
	eq(plx_tcp_table_add(table, &a), 0);
	eq(plx_tcp_table_add(table, &b), 0);
	eq(plx_tcp_table_add(table, &b), -EADDRINUSE);
	ok(plx_port_bit(uses.used, 777));
	plx_tcp_table_del(table, &a);
	plx_tcp_table_del(table, &a);
	ok(plx_port_bit(uses.used, 777));
	plx_tcp_table_del(table, &b);
	ok(!plx_port_bit(uses.used, 777));
	plx_tcp_table_destroy(table);
	lt_down(&t);
}

T(an_empty_range_has_none)
{
	static struct lt t;

	lt_up(&t);
	range(&t, 300, 299);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL), -EADDRNOTAVAIL);
	lt_down(&t);
}

RUN(T_(ports_are_taken_until_there_are_none), T_(a_port_with_a_listener_is_left_alone),
	T_(a_time_wait_gives_its_port_when_it_may), T_(the_caller_has_the_last_word),
	T_(nobody_foresees_the_next_one), T_(each_of_ours_is_found_at_the_same_cost),
	T_(all_that_are_free_are_equally_likely), T_(as_the_model_says),
	T_(ports_in_use_are_counted), T_(an_empty_range_has_none))
