/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_arena.h"

#include <errno.h>

#define UNIT  PLX_ARENA_MIN_BYTES
#define QUICK 0xff /* in head[]: kept whole */

#ifdef __SANITIZE_ADDRESS__
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif

#ifdef POISONS
void __asan_poison_memory_region(const volatile void *p, size_t bytes);
void __asan_unpoison_memory_region(const volatile void *p, size_t bytes);
#define poison(p, bytes)   __asan_poison_memory_region(p, bytes)
#define unpoison(p, bytes) __asan_unpoison_memory_region(p, bytes)
#else
#define poison(p, bytes)   ((void)(p), (void)(bytes))
#define unpoison(p, bytes) ((void)(p), (void)(bytes))
#endif

static inline size_t class_bytes(unsigned int k)
{
	return (size_t)UNIT << k;
}

/* Of the smallest class that holds so much. */
static inline unsigned int class_of(size_t bytes)
{
	return bytes <= UNIT ? 0 : 58u - (unsigned int)__builtin_clzll(bytes - 1);
}

static inline struct plx_list *node_of(const struct plx_arena *a, uint32_t at)
{
	return (struct plx_list *)(a->base + (size_t)at * UNIT);
}

static inline uint32_t unit_of(const struct plx_arena *a, const void *p)
{
	return (uint32_t)((size_t)((const uint8_t *)p - a->base) / UNIT);
}

/* Its links alone stay accessible. */
static void give(struct plx_arena *a, uint32_t at, unsigned int k)
{
	struct plx_list *n = node_of(a, at);

	poison(n, class_bytes(k));
	unpoison(n, sizeof(*n));
	plx_list_add_head(&a->free[k], n);
	a->avail |= 1u << k;
	a->head[at] = (uint8_t)(k + 1);
}

static void take(struct plx_arena *a, uint32_t at, unsigned int k)
{
	plx_list_del(node_of(a, at));
	if (plx_list_empty(&a->free[k]))
		a->avail &= ~(1u << k);
	a->head[at] = 0;
}

/* The buddies of one class differ in one bit; what is free as a whole becomes one. */
static void merge(struct plx_arena *a, uint32_t at, unsigned int k)
{
	for (; k + 1 < PLX_ARENA_CLASSES; k++) {
		uint32_t buddy = at ^ 1u << k;

		if (buddy >= a->units || a->head[buddy] != k + 1)
			break;
		take(a, buddy, k);
		at &= ~(1u << k);
	}
	give(a, at, k);
}

/* Memory is short: at most QUICKS * QUICK merges, and then there is nothing left to merge. */
static PLX_COLD bool merge_quick(struct plx_arena *a)
{
	bool any = false;

	for (unsigned int k = 0; k < PLX_ARENA_QUICKS; k++)
		while (a->n_quick[k]) {
			merge(a, a->quick[k][--a->n_quick[k]], k);
			any = true;
		}
	return any;
}

int plx_arena_init(struct plx_arena *a, void *mem, size_t bytes)
{
	size_t lost = -(uintptr_t)mem % UNIT, units;

	if (bytes < lost + UNIT + 1)
		return -EINVAL;
	units = (bytes - lost) / (UNIT + 1);
	if (units > UINT32_MAX)
		return -EINVAL;
	*a = (struct plx_arena){.base = (uint8_t *)mem + lost, .units = (uint32_t)units};
	unpoison(mem, bytes);
	a->head = a->base + units * UNIT;
	memset(a->head, 0, units);
	for (unsigned int k = 0; k < PLX_ARENA_CLASSES; k++)
		plx_list_init(&a->free[k]);
	/* the largest blocks that lie on a multiple of their size */
	for (uint32_t at = 0, n; at < a->units; at += n) {
		unsigned int k = PLX_ARENA_CLASSES - 1;

		while (at & ((1u << k) - 1) || (1u << k) > a->units - at)
			k--;
		n = 1u << k;
		give(a, at, k);
	}
	return 0;
}

void plx_arena_fini(struct plx_arena *a)
{
	unpoison(a->base, plx_arena_size(a));
	a->units = a->avail = 0;
}

/* From the smallest free block that is large enough; the halves left over stay free. */
static PLX_NOINLINE void *split(struct plx_arena *a, unsigned int k)
{
	uint32_t larger = a->avail >> k, at;
	unsigned int from;

	if (!larger && merge_quick(a))
		larger = a->avail >> k;
	if (!larger)
		return NULL;
	from = k + (unsigned int)__builtin_ctz(larger);
	at = unit_of(a, a->free[from].next);
	take(a, at, from);
	while (from-- > k)
		give(a, at + (1u << from), from);
	return node_of(a, at);
}

void *plx_arena_alloc(struct plx_arena *a, size_t bytes)
{
	unsigned int k = class_of(bytes);
	uint32_t at;
	void *p;

	if (plx_unlikely(k >= PLX_ARENA_CLASSES))
		return NULL;
	if (k < PLX_ARENA_QUICKS && a->n_quick[k]) {
		at = a->quick[k][--a->n_quick[k]];
		a->head[at] = 0;
		p = node_of(a, at);
	} else {
		p = split(a, k);
		if (!p)
			return NULL;
	}
	a->used += class_bytes(k);
	unpoison(p, bytes);
	poison((uint8_t *)p + bytes, class_bytes(k) - bytes);
	return p;
}

void plx_arena_free(struct plx_arena *a, void *p, size_t bytes)
{
	unsigned int k = class_of(bytes);
	uint32_t at;

	if (!p)
		return;
	at = unit_of(a, p);
	assert(at < a->units && a->head[at] == 0); /* else it is free already */
	a->used -= class_bytes(k);
	poison(p, class_bytes(k));
	if (plx_likely(k < PLX_ARENA_QUICKS && a->n_quick[k] < PLX_ARENA_QUICK)) {
		a->quick[k][a->n_quick[k]++] = at;
		a->head[at] = QUICK;
		return;
	}
	merge(a, at, k);
}
