/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base.h>

#define MEM_BYTES ((1 << 20) + (1 << 15))

static uint8_t *mem;

static void up(struct plx_arena *a, size_t bytes)
{
	mem = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	ok(mem);
	eq(plx_arena_init(a, mem, bytes), 0);
}

static void down(struct plx_arena *a)
{
	eq(plx_arena_used(a), 0);
	plx_arena_fini(a);
	free(mem);
}

/* All free blocks as the arena itself counts them. */
static size_t largest(struct plx_arena *a)
{
	for (size_t bytes = 1u << 30; bytes >= 64; bytes /= 2) {
		void *p = plx_arena_alloc(a, bytes);

		plx_arena_free(a, p, bytes);
		if (p)
			return bytes;
	}
	return 0;
}

T(a_block_is_aligned_and_counted_as_its_class)
{
	struct plx_arena a;
	void *p, *q;

	up(&a, MEM_BYTES);
	ok(plx_arena_size(&a) > 1 << 20);
	p = plx_arena_alloc(&a, 1);
	q = plx_arena_alloc(&a, 65);
	eq((uintptr_t)p % 64, 0);
	eq((uintptr_t)q % 64, 0);
	eq(plx_arena_used(&a), 64 + 128);
	plx_arena_free(&a, p, 1);
	plx_arena_free(&a, q, 65);
	plx_arena_free(&a, NULL, 65);
	down(&a);
}

T(what_was_given_back_last_is_given_out_first)
{
	struct plx_arena a;
	void *p, *q;

	up(&a, MEM_BYTES);
	p = plx_arena_alloc(&a, 100);
	q = plx_arena_alloc(&a, 100);
	ne(p, q);
	plx_arena_free(&a, p, 100);
	assert_ptr_equal(plx_arena_alloc(&a, 128), p);
	plx_arena_free(&a, p, 128);
	plx_arena_free(&a, q, 100);
	down(&a);
}

T(exhaustion_gives_null_and_all_of_it_comes_back_as_one)
{
	struct plx_arena a;
	static void *p[MEM_BYTES / 64];
	size_t n = 0, whole;

	up(&a, MEM_BYTES);
	whole = largest(&a);
	eq(whole, 1 << 20);
	while ((p[n] = plx_arena_alloc(&a, 64)))
		n++;
	eq(n * 64, plx_arena_size(&a));
	eq(plx_arena_used(&a), plx_arena_size(&a));
	assert_null(plx_arena_alloc(&a, 128));
	for (size_t i = 0; i < n; i += 2) /* no two neighbours: nothing to merge */
		plx_arena_free(&a, p[i], 64);
	assert_null(plx_arena_alloc(&a, 128));
	for (size_t i = 1; i < n; i += 2)
		plx_arena_free(&a, p[i], 64);
	eq(largest(&a), whole);
	down(&a);
}

#ifdef __SANITIZE_ADDRESS__
int __asan_address_is_poisoned(const volatile void *p);

T(what_is_not_given_out_is_poisoned)
{
	struct plx_arena a;
	uint8_t *p;

	up(&a, MEM_BYTES);
	p = plx_arena_alloc(&a, 100);
	ok(!__asan_address_is_poisoned(p + 99));
	ok(__asan_address_is_poisoned(p + 100));
	plx_arena_free(&a, p, 100);
	ok(__asan_address_is_poisoned(p));
	down(&a);
}
#else
T(what_is_not_given_out_is_poisoned)
{
	skip();
}
#endif

T(what_cannot_be_is_refused)
{
	static uint8_t small[256];
	struct plx_arena a;

	eq(plx_arena_init(&a, small, 64), -EINVAL);
	eq(plx_arena_init(&a, small, 0), -EINVAL);
	eq(plx_arena_init(&a, small + 1, sizeof(small) - 1), 0);
	ok(plx_arena_size(&a) >= 128 && plx_arena_size(&a) < 256);
	assert_null(plx_arena_alloc(&a, SIZE_MAX));
	assert_null(plx_arena_alloc(&a, (size_t)4 << 30));
	assert_null(plx_arena_alloc(&a, 256));
	plx_arena_fini(&a);
	small[128] = 1; /* not poisoned any more */
}

/*
 * The naive model: an owner for each unit. No two blocks overlap, each keeps what was written to
 * it, the sum is right; and once all is free the largest block is there again, whatever came
 * before.
 */
#define M_BLOCKS 700

struct m_block {
	uint8_t *p;
	size_t bytes;
	uint8_t fill;
};

static void m_free(struct plx_arena *a, struct m_block *b, size_t *used)
{
	size_t whole = 64;

	while (whole < b->bytes)
		whole *= 2;
	eq(b->p[0], b->fill);
	eq(b->p[b->bytes - 1], b->fill);
	plx_arena_free(a, b->p, b->bytes);
	*used -= whole;
	b->p = NULL;
}

static void m_alloc(struct plx_arena *a, struct m_block *b, size_t *used, struct plx_rng *r)
{
	size_t whole = 64;

	b->bytes = 1 + plx_rng_below(r, (size_t)64 << plx_rng_below(r, 11));
	while (whole < b->bytes)
		whole *= 2;
	b->p = plx_arena_alloc(a, b->bytes);
	if (!b->p)
		return;
	b->fill = (uint8_t)plx_rng_u32(r);
	memset(b->p, b->fill, b->bytes);
	*used += whole;
}

static void m_overlaps(const struct m_block *all, const struct m_block *b)
{
	for (const struct m_block *o = all; o < all + M_BLOCKS; o++)
		if (o != b && o->p)
			ok(o->p + o->bytes <= b->p || b->p + b->bytes <= o->p);
}

T(random_blocks_against_their_owners)
{
	static struct m_block all[M_BLOCKS];
	struct plx_arena a;
	struct plx_rng r;
	size_t used = 0, whole;
	uint32_t refused = 0;

	plx_rng_init(&r, t_seed(0xa4e));
	up(&a, MEM_BYTES);
	whole = largest(&a);
	for (int i = 1; i <= 200000; i++) {
		struct m_block *b = &all[plx_rng_below(&r, M_BLOCKS)];

		if (b->p) {
			m_free(&a, b, &used);
		} else {
			m_alloc(&a, b, &used, &r);
			refused += !b->p;
			if (b->p && i % 16 == 0)
				m_overlaps(all, b);
		}
		eq(plx_arena_used(&a), used);
		if (i % 50000)
			continue;
		for (b = all; b < all + M_BLOCKS; b++)
			if (b->p)
				m_free(&a, b, &used);
		eq(largest(&a), whole);
	}
	ok(refused > 100); /* it was full now and then */
	down(&a);
}

RUN(T_(a_block_is_aligned_and_counted_as_its_class),
	T_(what_was_given_back_last_is_given_out_first),
	T_(exhaustion_gives_null_and_all_of_it_comes_back_as_one),
	T_(what_is_not_given_out_is_poisoned), T_(what_cannot_be_is_refused),
	T_(random_blocks_against_their_owners))
