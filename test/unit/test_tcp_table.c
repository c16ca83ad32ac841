/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_tcp.h>

#include "table.h"

#define MEM_BYTES ((size_t)160 << 20)
#define MILLION	  1000000u

static struct plx_arena arena;
static void *mem;

static struct plx_tcp_table *up(size_t bytes, uint32_t slots)
{
	const struct plx_tcp_table_conf conf = {.seed = {3, 4}, .mem = &arena, .slots = slots};
	struct plx_tcp_table *t;

	mem = aligned_alloc(64, bytes);
	eq(plx_arena_init(&arena, mem, bytes), 0);
	t = plx_tcp_table_create(&conf);
	ok(t);
	return t;
}

static void down(struct plx_tcp_table *t)
{
	plx_tcp_table_destroy(t);
	eq(plx_arena_used(&arena), 0);
	plx_arena_fini(&arena);
	free(mem);
}

/* The n-th of 2^16 * 2 tuples for each local port; every third one IPv6. */
static struct plx_tcp_id nth(uint32_t n)
{
	uint8_t v4[4] = {10, (uint8_t)(n >> 24), (uint8_t)(n >> 16), 1};
	struct plx_tcp_id id = {
		.laddr = plx_addr_from_v4("\x0a\x00\x00\x01"),
		.raddr = plx_addr_from_v4(v4),
		.lport = 80,
		.rport = (uint16_t)n,
	};

	if (n % 3 == 0) {
		id.laddr.q[0] = id.raddr.q[0] = 0x1234;
		id.raddr.w[2] = n;
	}
	return id;
}

T(a_tuple_is_found_until_it_is_deleted)
{
	struct plx_tcp_table *t = up(1 << 20, 0);
	struct plx_tcp_id a = nth(1), same = nth(1), b = nth(2), c = nth(3);

	eq(plx_tcp_table_add(t, &a), 0);
	eq(plx_tcp_table_add(t, &same), -EADDRINUSE);
	eq(plx_tcp_table_add(t, &c), 0);
	assert_ptr_equal(plx_tcp_table_lookup(t, &same), &a);
	assert_ptr_equal(plx_tcp_table_lookup(t, &c), &c);
	assert_null(plx_tcp_table_lookup(t, &b));
	plx_tcp_table_del(t, &same); /* not the one that is there */
	eq(plx_tcp_table_count(t), 2);
	plx_tcp_table_replace(t, &a, &same);
	assert_ptr_equal(plx_tcp_table_lookup(t, &a), &same);
	plx_tcp_table_del(t, &a);
	plx_tcp_table_del(t, &same);
	plx_tcp_table_del(t, &same);
	plx_tcp_table_del(t, &c);
	eq(plx_tcp_table_count(t), 0);
	down(t);
}

T(without_memory_it_says_so_and_holds_what_it_has)
{
	struct plx_tcp_table *t = up(18 << 10, 10); /* two buckets, and little to grow */
	static struct plx_tcp_id id[1000];
	uint32_t n = 0;

	for (; n < PLX_DIM(id); n++) {
		id[n] = nth(n);
		if (plx_tcp_table_add(t, &id[n]))
			break;
	}
	ok(n >= 12 && n < 1000);
	eq(plx_tcp_table_add(t, &id[n]), -ENOBUFS);
	for (uint32_t i = 0; i < n; i++)
		assert_ptr_equal(plx_tcp_table_lookup(t, &id[i]), &id[i]);
	for (uint32_t i = 0; i < n; i++)
		plx_tcp_table_del(t, &id[i]);
	down(t);
}

static void add_million(struct plx_tcp_table *t, struct plx_tcp_id *id)
{
	uint32_t most = 0, moved = 0;

	for (uint32_t i = 0; i < MILLION; i++) {
		id[i] = nth(i);
		if (plx_tcp_table_add(t, &id[i]))
			fail();
		most = PLX_MAX(most, t->moved);
		moved += t->moved;
	}
	eq(plx_tcp_table_count(t), MILLION);
	ok(most > 0 && most <= 64);
	ok(moved < 2 * MILLION);
}

static void find_million(struct plx_tcp_table *t, struct plx_tcp_id *id)
{
	const struct plx_tcp_id *key[100];
	struct plx_tcp_id *found[100];

	for (uint32_t i = 0; i < MILLION; i += 100) {
		for (uint32_t k = 0; k < 100; k++)
			key[k] = &id[i + k];
		plx_tcp_table_lookup_burst(t, key, found, 100);
		for (uint32_t k = 0; k < 100; k++)
			if (found[k] != key[k] || plx_tcp_table_lookup(t, key[k]) != key[k])
				fail();
	}
}

/* How many there are, by steps of which each looks at a few slots only. */
static uint32_t walk(const struct plx_tcp_table *t)
{
	uint64_t cursor = 0, before = 0;
	struct plx_tcp_id *id;
	uint32_t n = 0;

	for (; plx_tcp_table_next(t, &cursor, &id); before = cursor) {
		if (cursor - before > 128)
			fail();
		n += id != NULL;
	}
	assert_null(id);
	return n;
}

/* A few that come and go while the most are gone. */
static void shrink(struct plx_tcp_table *t, struct plx_tcp_id *id)
{
	uint32_t most = 0, calls = 0;

	while (t->now.mask + 1 > t->least || t->old.bucket) {
		struct plx_tcp_id *one = &id[calls % 100];

		plx_tcp_table_del(t, one);
		eq(plx_tcp_table_add(t, one), 0);
		most = PLX_MAX(most, t->moved);
		assert_ptr_equal(plx_tcp_table_lookup(t, one), one);
		ok(++calls < 20000);
	}
	ok(most > 0 && most <= 64);
	for (uint32_t i = 0; i < 100; i++)
		assert_ptr_equal(plx_tcp_table_lookup(t, &id[i]), &id[i]);
}

T(a_million_come_and_go_and_no_call_moves_more_than_64)
{
	struct plx_tcp_table *t = up(MEM_BYTES, 0);
	struct plx_tcp_id *id = calloc(MILLION, sizeof(*id));
	size_t empty = plx_arena_used(&arena);

	add_million(t, id);
	find_million(t, id);
	eq(walk(t), MILLION);
	for (uint32_t i = 100; i < MILLION; i++)
		plx_tcp_table_del(t, &id[i]);
	eq(walk(t), 100);
	shrink(t, id);
	eq(plx_arena_used(&arena), empty);
	for (uint32_t i = 0; i < 100; i++)
		plx_tcp_table_del(t, &id[i]);
	eq(plx_tcp_table_count(t), 0);
	for (uint32_t i = 0; i <= t->now.mask; i++)
		if (t->now.bucket[i].passed)
			fail();
	free(id);
	down(t);
}

/* The naive model: a flag for each object. Two objects have the same tuple. */
#define M_TUPLES 600

static struct plx_tcp_id m_id[2 * M_TUPLES];
static bool m_in[2 * M_TUPLES];

static struct plx_tcp_id *m_find(uint32_t tuple)
{
	for (uint32_t i = tuple; i < 2 * M_TUPLES; i += M_TUPLES)
		if (m_in[i])
			return &m_id[i];
	return NULL;
}

static void m_step(struct plx_tcp_table *t, struct plx_rng *r, bool filling)
{
	uint32_t i = (uint32_t)plx_rng_below(r, 2 * M_TUPLES),
		 twin = (i + M_TUPLES) % (2 * M_TUPLES);
	bool taken = m_find(i % M_TUPLES);

	if (plx_rng_below(r, 8) == 0) {
		plx_tcp_table_replace(t, &m_id[i], &m_id[twin]);
		if (m_in[i]) {
			m_in[i] = false;
			m_in[twin] = true;
		}
	} else if (plx_rng_below(r, filling ? 4 : 32) == 0 ? filling : !filling) {
		plx_tcp_table_del(t, &m_id[i]);
		m_in[i] = false;
	} else {
		eq(plx_tcp_table_add(t, &m_id[i]), taken ? -EADDRINUSE : 0);
		m_in[i] |= !taken;
	}
}

/* Each once, though every other one is deleted as soon as it has been seen. */
static void m_iterate(struct plx_tcp_table *t)
{
	static bool seen[2 * M_TUPLES];
	uint32_t n = 0, had = plx_tcp_table_count(t);
	struct plx_tcp_id *id;
	uint64_t cursor = 0;

	memset(seen, 0, sizeof(seen));
	while (plx_tcp_table_next(t, &cursor, &id)) {
		uint32_t i = (uint32_t)(id - m_id);

		if (!id)
			continue;
		ok(m_in[i] && !seen[i]);
		seen[i] = true;
		if (n++ % 2) {
			plx_tcp_table_del(t, id);
			m_in[i] = false;
		}
	}
	eq(n, had);
}

T(random_operations_against_a_flag_for_each)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(0x7ab));
	for (uint32_t i = 0; i < 2 * M_TUPLES; i++)
		m_id[i] = nth(i % M_TUPLES);
	for (int round = 0; round < 20; round++) {
		struct plx_tcp_table *t = up(1 << 20, 10);
		uint32_t most = 0, shrunk = 0;

		for (int i = 0; i < 8000; i++) {
			uint32_t k = (uint32_t)plx_rng_below(&r, M_TUPLES), n = 0;

			most = PLX_MAX(most, t->now.mask);
			shrunk += t->now.mask < most;

			m_step(t, &r, i / 2000 % 2 == 0);
			ok(t->moved <= 64);
			assert_ptr_equal(plx_tcp_table_lookup(t, &m_id[k]), m_find(k));
			if (i % 1000)
				continue;
			for (uint32_t m = 0; m < 2 * M_TUPLES; m++)
				n += m_in[m];
			eq(plx_tcp_table_count(t), n);
			m_iterate(t);
		}
		ok(shrunk);
		for (uint32_t i = 0; i < 2 * M_TUPLES; i++) {
			plx_tcp_table_del(t, &m_id[i]);
			m_in[i] = false;
		}
		down(t);
	}
}

RUN(T_(a_tuple_is_found_until_it_is_deleted), T_(without_memory_it_says_so_and_holds_what_it_has),
	T_(a_million_come_and_go_and_no_call_moves_more_than_64),
	T_(random_operations_against_a_flag_for_each))
