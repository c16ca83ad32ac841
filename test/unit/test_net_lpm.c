/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "../../lib/net/lpm.h"
#include "../../lib/net/rtab.h"

#include <plx_base_rng.h>

#define PREFIXES 400

static struct plx_prefix p[PREFIXES];

static uint64_t rank[PREFIXES];
static uint32_t since[PREFIXES]; /* when it was put; 0: it is not there */

static bool same_prefix(uint32_t i, uint32_t k)
{
	return p[i].len == p[k].len && plx_addr_eq(&p[i].addr, &p[k].addr);
}

/* Does i come before k, of the same prefix? */
static bool before(uint32_t i, uint32_t k)
{
	return rank[i] < rank[k] || (rank[i] == rank[k] && since[i] < since[k]);
}

static bool is_odd(const void *arg, int32_t value)
{
	return value % 2;
}

/* By looking at all of them. */
static int32_t naive(const struct plx_addr *a, bool odd)
{
	int32_t best = NET_LPM_NONE;

	for (uint32_t i = 0; i < PREFIXES; i++) {
		/* ::/0 and the like are not meant for IPv4 */
		if (!since[i] || (plx_addr_is_v4(a) && p[i].len < 96) || (odd && i % 2 == 0))
			continue;
		if (!plx_prefix_contains(&p[i], a))
			continue;
		if (best < 0 || p[i].len > p[best].len ||
			(p[i].len == p[best].len && before(i, (uint32_t)best)))
			best = (int32_t)i;
	}
	return best;
}

/* Few different bits, so that prefixes nest and meet. */
static struct plx_addr some_addr(struct plx_rng *rng)
{
	struct plx_addr a = {0};

	if (plx_rng_below(rng, 2)) {
		a.b[10] = a.b[11] = 0xff;
		for (int i = 12; i < 16; i++)
			a.b[i] = (uint8_t)(plx_rng_below(rng, 3) * 85 + plx_rng_below(rng, 2));
	} else {
		a.b[0] = 0x20;
		for (int i = 1; i < 16; i++)
			a.b[i] = plx_rng_below(rng, 4) ? 0 : (uint8_t)plx_rng_below(rng, 256);
	}
	return a;
}

static struct plx_prefix some_prefix(struct plx_rng *rng)
{
	struct plx_prefix x = {.addr = some_addr(rng)};
	bool v4 = plx_addr_is_v4(&x.addr);

	x.len = (uint8_t)(v4 ? 96 + plx_rng_below(rng, 33) : plx_rng_below(rng, 129));
	for (unsigned int i = x.len; i < 128; i++)
		x.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return x;
}

static void look(const struct net_lpm *t, struct plx_rng *rng)
{
	struct plx_addr a = some_addr(rng);

	if (plx_rng_below(rng, 2)) { /* near one of them */
		a = p[plx_rng_below(rng, PREFIXES)].addr;
		a.b[15] ^= (uint8_t)plx_rng_below(rng, 4);
		if (plx_rng_below(rng, 4) == 0)
			a.b[13] ^= 1;
	}
	eq(net__lpm_lookup(t, &a), naive(&a, false));
	eq(net__lpm_walk(t, &a, NULL, NULL), naive(&a, false));
	eq(net__lpm_walk(t, &a, is_odd, NULL), naive(&a, true));
}

/* One comes or goes. A value is put once. @return false when they are used up. */
static bool change(struct net_lpm *t, struct plx_rng *rng, uint32_t *next)
{
	uint32_t i = plx_rng_below(rng, PREFIXES);

	if (plx_rng_below(rng, 3) == 0 && since[i]) {
		net__lpm_del(t, &p[i], (int32_t)i);
		since[i] = 0;
		return true;
	}
	if (*next == PREFIXES)
		return false;
	i = (*next)++;
	if (i && plx_rng_below(rng, 4) == 0)
		p[i] = p[plx_rng_below(rng, i)];
	else
		p[i] = some_prefix(rng);
	rank[i] = plx_rng_below(rng, 3);
	eq(net__lpm_add(t, &p[i], (int32_t)i, rank[i]), 0);
	since[i] = i + 1;
	return true;
}

T(finds_what_a_scan_finds)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(11));
	for (int round = 0; round < 10; round++) {
		uint32_t next = 0;
		struct net_lpm t;

		memset(since, 0, sizeof(since));
		eq(net__lpm_init(&t, PREFIXES), 0);
		while (change(&t, &rng, &next))
			for (int i = 0; i < 10; i++)
				look(&t, &rng);
		ok(t.n <= t.cap && t.n_chunk <= t.cap_chunk);
		for (uint32_t i = 0; i < PREFIXES; i++)
			if (since[i]) {
				int32_t first = net__lpm_exact(&t, &p[i]);

				ok(first == (int32_t)i || before((uint32_t)first, i));
				ok(same_prefix((uint32_t)first, i));
				net__lpm_del(&t, &p[i], (int32_t)i);
				since[i] = 0;
				look(&t, &rng);
			}
		net__lpm_fini(&t);
	}
}

T(the_values_of_a_prefix_stand_by_rank)
{
	struct plx_prefix ten;
	struct plx_addr a;
	struct net_lpm t;

	plx_prefix_parse(&ten, "10.0.0.0/8");
	plx_addr_parse(&a, "10.9.9.9");
	eq(net__lpm_init(&t, 8), 0);
	eq(net__lpm_exact(&t, &ten), NET_LPM_NONE);
	eq(net__lpm_add(&t, &ten, 5, 1), 0);
	eq(net__lpm_add(&t, &ten, 3, 1), 0);
	eq(net__lpm_lookup(&t, &a), 5);
	eq(net__lpm_add(&t, &ten, 4, 0), 0);
	eq(net__lpm_lookup(&t, &a), 4);
	net__lpm_del(&t, &ten, 5); /* from the middle */
	eq(net__lpm_lookup(&t, &a), 4);
	net__lpm_del(&t, &ten, 4);
	eq(net__lpm_lookup(&t, &a), 3);
	net__lpm_del(&t, &ten, 3);
	eq(net__lpm_lookup(&t, &a), NET_LPM_NONE);
	net__lpm_fini(&t);
}

/* It says so, and is as it was. */
T(room_runs_out)
{
	struct plx_prefix x = {.addr = {.b = {0x20}}, .len = 128};
	struct plx_addr a = x.addr;
	struct net_lpm t;
	uint32_t n = 0;

	eq(net__lpm_init(&t, NET_LPM_MAX + 1), -EINVAL);
	eq(net__lpm_init(&t, 4), 0);
	while (net__lpm_add(&t, &x, 0, 0) == 0) {
		net__lpm_del(&t, &x, 0);
		x.addr.b[15]++;
		n++;
	}
	ok(n >= 4);
	eq(net__lpm_add(&t, &x, 0, 0), -ENOSPC);
	eq(net__lpm_exact(&t, &x), NET_LPM_NONE);
	eq(net__lpm_lookup(&t, &a), NET_LPM_NONE);
	net__lpm_fini(&t);
}

T(an_empty_table_finds_nothing)
{
	struct plx_addr a = {0};
	struct net_lpm t;

	eq(net__lpm_init(&t, 0), 0);
	eq(net__lpm_lookup(&t, &a), NET_LPM_NONE);
	plx_addr_parse(&a, "10.0.0.1");
	eq(net__lpm_lookup(&t, &a), NET_LPM_NONE);
	net__lpm_fini(&t);
}

#define SHARED 64

static struct {
	struct net_lpm t;
	struct plx_prefix p[SHARED];
	uint32_t ended, looked;
} shared;

static int net_of(uint32_t addr)
{
	return addr >> 16 == 0x0a01 ? (int)(addr >> 8 & 0xff) : -1;
}

/* The short prefix is always there; a longer one may be, if it holds the address. */
static void *reader(void *arg)
{
	struct plx_rng rng;
	struct plx_addr a;

	plx_rng_init(&rng, 7);
	while (!__atomic_load_n(&shared.ended, __ATOMIC_ACQUIRE)) {
		uint32_t v4 = 0x0a010000 + (uint32_t)plx_rng_below(&rng, SHARED << 8);
		const uint8_t be[] = {10, (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4};
		int32_t table, trie;

		a = plx_addr_from_v4(be);
		table = net__lpm_lookup(&shared.t, &a);
		trie = net__lpm_walk(&shared.t, &a, NULL, NULL);
		for (int i = 0; i < 2; i++) {
			int32_t v = i ? trie : table;

			if (v != 0 && (v < 0 || (v - 1) % SHARED != net_of(v4)))
				return &shared; /* what is not there */
		}
		__atomic_fetch_add(&shared.looked, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Longer prefixes come and go beside one who looks: he finds them or what was there before. */
T(readers_need_not_wait)
{
	struct plx_prefix ten;
	char text[32];
	pthread_t th;
	void *fault;

	plx_prefix_parse(&ten, "10.0.0.0/8");
	eq(net__lpm_init(&shared.t, 16384), 0);
	eq(net__lpm_add(&shared.t, &ten, 0, 0), 0);
	for (int i = 0; i < SHARED; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d/%d", i, i % 2 ? 77 : 0, i % 2 ? 32 : 24);
		eq(plx_prefix_parse(&shared.p[i], text), 0);
	}
	eq(pthread_create(&th, NULL, reader, NULL), 0);
	for (int32_t v = 1; v < 16384; v++) { /* a value is put once; each prefix goes again */
		eq(net__lpm_add(&shared.t, &shared.p[(v - 1) % SHARED], v, 0), 0);
		if (v > SHARED / 2)
			net__lpm_del(&shared.t, &shared.p[(v - 1 - SHARED / 2) % SHARED],
				v - SHARED / 2);
		while (v == 1 && !__atomic_load_n(&shared.looked, __ATOMIC_RELAXED))
			sched_yield();
	}
	__atomic_store_n(&shared.ended, 1, __ATOMIC_RELEASE);
	pthread_join(th, &fault);
	assert_null(fault);
	net__lpm_fini(&shared.t);
}

/* ---- the table of chains ---- */

T(chains_against_an_array)
{
	static const uint64_t key[2] = {1, 2};
	struct net_rnode *all[64] = {0};
	struct net_rtab t;
	struct plx_rng rng;
	uint32_t n = 0;

	plx_rng_init(&rng, t_seed(12));
	eq(net__rtab_init(&t, 8, key), 0); /* 16 buckets for up to 64: long chains */
	for (int i = 0; i < 20000; i++) {
		uint32_t at = plx_rng_below(&rng, PLX_DIM(all));
		struct plx_addr a = {.q = {at / 2, 7}};
		uint16_t iface = (uint16_t)(at % 2);

		assert_ptr_equal(net__rtab_find(&t, &a, iface), all[at]);
		if (all[at]) {
			net__rtab_del(&t, all[at]);
			free(all[at]);
			all[at] = NULL;
			n--;
		} else {
			all[at] = calloc(1, sizeof(*all[at]));
			all[at]->addr = a;
			all[at]->iface = iface;
			net__rtab_add(&t, all[at]);
			n++;
		}
		eq(t.n, n);
	}
	net__rtab_fini(&t); /* frees what is left */
}

/* Who stands on an entry while it is unlinked still finds the rest of its chain. */
T(an_unlinked_entry_leads_on)
{
	static const uint64_t key[2] = {1, 2};
	struct net_rnode *e[40], *at;
	struct net_rtab t;
	unsigned int seen = 0;

	eq(net__rtab_init(&t, 1, key), 0);
	t.mask = 0; /* one chain */
	for (unsigned int i = 0; i < PLX_DIM(e); i++) {
		e[i] = calloc(1, sizeof(*e[i]));
		e[i]->iface = (uint16_t)i;
		net__rtab_add(&t, e[i]);
	}
	at = e[20];
	net__rtab_del(&t, e[20]);
	net__rtab_del(&t, e[19]);
	for (; at; at = at->next)
		seen++;
	eq(seen, 21); /* 20, 19 and the 19 older ones */
	free(e[20]);
	free(e[19]);
	net__rtab_fini(&t);
}

RUN(T_(readers_need_not_wait), T_(finds_what_a_scan_finds),
	T_(the_values_of_a_prefix_stand_by_rank), T_(room_runs_out),
	T_(an_empty_table_finds_nothing), T_(chains_against_an_array),
	T_(an_unlinked_entry_leads_on))
