/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>

#include "busy.h"

#define TAG_SHIFT 48
#define BURST	  32

static inline struct plx_tcp_id *slot_id(table_slot s)
{
	return (struct plx_tcp_id *)(uintptr_t)(s & (((table_slot)1 << TAG_SHIFT) - 1));
}

/* The bucket comes from the low bits of the hash, the tag from the high ones. */
static inline table_slot slot_of(const struct plx_tcp_id *id, uint64_t hash)
{
	assert((uintptr_t)id >> TAG_SHIFT == 0);
	return (hash >> TAG_SHIFT) << TAG_SHIFT | (uintptr_t)id;
}

static inline bool same_tuple(const struct plx_tcp_id *a, const struct plx_tcp_id *b)
{
	return a->lport == b->lport && a->rport == b->rport && plx_addr_eq(&a->raddr, &b->raddr) &&
	       plx_addr_eq(&a->laddr, &b->laddr);
}

static inline struct table_bucket *bucket_of(const struct table_array *a, uint64_t hash)
{
	return &a->bucket[hash & a->mask];
}

static inline struct table_bucket *bucket_next(
	const struct table_array *a, const struct table_bucket *b)
{
	return &a->bucket[(uint32_t)(b - a->bucket + 1) & a->mask];
}

static table_slot *array_find(
	const struct table_array *a, uint64_t hash, const struct plx_tcp_id *key)
{
	struct table_bucket *b = bucket_of(a, hash);

	for (uint32_t n = 0; n <= a->mask; n++) {
		for (int i = 0; i < TABLE_SLOTS; i++) {
			table_slot s = b->slot[i];

			if ((s ^ hash) >> TAG_SHIFT == 0 && s && same_tuple(slot_id(s), key))
				return &b->slot[i];
		}
		if (plx_likely(!b->passed))
			return NULL;
		b = bucket_next(a, b);
	}
	return NULL;
}

/* There is room: the caller has counted. */
static void array_add(struct table_array *a, uint64_t hash, struct plx_tcp_id *id)
{
	struct table_bucket *b = bucket_of(a, hash);

	for (;; b = bucket_next(a, b)) {
		for (int i = 0; i < TABLE_SLOTS; i++)
			if (!b->slot[i]) {
				b->slot[i] = slot_of(id, hash);
				a->count++;
				return;
			}
		b->passed++;
	}
}

/* From where it is back to where it belongs: it has passed all that lies between. */
static void array_del(struct table_array *a, uint64_t hash, table_slot *s)
{
	struct table_bucket *last =
		&a->bucket[(size_t)((uint8_t *)s - (uint8_t *)a->bucket) / sizeof(*last)];

	for (struct table_bucket *b = bucket_of(a, hash); b != last; b = bucket_next(a, b))
		b->passed--;
	*s = 0;
	a->count--;
}

static inline size_t array_bytes(const struct table_array *a)
{
	return ((size_t)a->mask + 1) * sizeof(struct table_bucket);
}

static int array_alloc(struct table_array *a, uint32_t buckets, struct plx_arena *mem)
{
	*a = (struct table_array){.mask = buckets - 1};
	a->bucket = plx_arena_alloc(mem, array_bytes(a));
	return a->bucket ? 0 : -ENOBUFS;
}

static void array_free(struct table_array *a, struct plx_arena *mem)
{
	if (a->bucket)
		plx_arena_free(mem, a->bucket, array_bytes(a));
	a->bucket = NULL;
	a->count = 0;
}

struct plx_tcp_table *plx_tcp_table_create(const struct plx_tcp_table_conf *conf)
{
	uint32_t want = conf->slots ? conf->slots : 1024, buckets = 2;
	struct plx_tcp_table *t = plx_arena_alloc(conf->mem, sizeof(*t));

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->mem = conf->mem;
	t->uses = conf->uses;
	memcpy(t->seed, conf->seed, sizeof(t->seed));
	while (buckets < 1u << 28 && buckets * TABLE_FULL < want)
		buckets *= 2;
	t->least = buckets;
	if (array_alloc(&t->now, buckets, t->mem)) {
		plx_arena_free(t->mem, t, sizeof(*t));
		return NULL;
	}
	memset(t->now.bucket, 0, array_bytes(&t->now));
	return t;
}

void plx_tcp_table_destroy(struct plx_tcp_table *t)
{
	struct plx_arena *mem;

	if (!t)
		return;
	assert(plx_tcp_table_count(t) == 0);
	mem = t->mem;
	tcp__busy_free_all(t);
	array_free(&t->now, mem);
	array_free(&t->old, mem);
	array_free(&t->next, mem);
	plx_arena_free(mem, t, sizeof(*t));
}

uint32_t plx_tcp_table_count(const struct plx_tcp_table *t)
{
	return t->now.count + t->old.count;
}

static inline table_slot *find(
	const struct plx_tcp_table *t, uint64_t hash, const struct plx_tcp_id *key)
{
	table_slot *s = array_find(&t->now, hash, key);

	if (plx_unlikely(!s && t->old.bucket))
		s = array_find(&t->old, hash, key);
	return s;
}

struct plx_tcp_id *plx_tcp_table_lookup(struct plx_tcp_table *t, const struct plx_tcp_id *key)
{
	const table_slot *s = find(t, table_hash(t, key), key);

	return s ? slot_id(*s) : NULL;
}

/* The first slot with the tag is the one, but for 7 of 65,536. */
static void prefetch_id(const struct table_array *a, uint64_t hash)
{
	const struct table_bucket *b = bucket_of(a, hash);

	for (int i = 0; i < TABLE_SLOTS; i++)
		if ((b->slot[i] ^ hash) >> TAG_SHIFT == 0 && b->slot[i]) {
			__builtin_prefetch(slot_id(b->slot[i]));
			return;
		}
}

/* Three passes, so that the misses of one pass are awaited together. */
void plx_tcp_table_lookup_burst(struct plx_tcp_table *t, const struct plx_tcp_id *const *key,
	struct plx_tcp_id **found, uint32_t n)
{
	uint64_t hash[BURST];

	for (uint32_t m; n; n -= m, key += m, found += m) {
		m = PLX_MIN(n, BURST);
		for (uint32_t i = 0; i < m; i++) {
			hash[i] = table_hash(t, key[i]);
			__builtin_prefetch(bucket_of(&t->now, hash[i]));
		}
		for (uint32_t i = 0; i < m; i++)
			prefetch_id(&t->now, hash[i]);
		for (uint32_t i = 0; i < m; i++) {
			const table_slot *s = find(t, hash[i], key[i]);

			found[i] = s ? slot_id(*s) : NULL;
		}
	}
}

/* Of how many buckets should it be? As it is, twice as many, or a quarter: see step(). */
static uint32_t wanted(const struct plx_tcp_table *t)
{
	uint32_t buckets = t->now.mask + 1;

	if (t->now.count >= buckets * TABLE_FULL)
		return PLX_MIN(buckets * 2, 1u << 28);
	if (t->now.count < buckets / 2)
		return PLX_MAX(buckets / 4, t->least);
	return buckets;
}

/* Without memory for it the present one stays, and may fill up. */
static void begin(struct plx_tcp_table *t, uint32_t buckets)
{
	if (array_alloc(&t->next, buckets, t->mem) == 0)
		t->at = 0;
	else
		t->next.bucket = NULL;
}

static void clear_step(struct plx_tcp_table *t)
{
	uint32_t n = PLX_MIN(TABLE_CLEAR, t->next.mask + 1 - t->at);

	memset(t->next.bucket + t->at, 0, n * sizeof(*t->next.bucket));
	t->at += n;
	if (t->at <= t->next.mask)
		return;
	t->shape++;
	t->old = t->now;
	t->now = t->next;
	t->next.bucket = NULL;
	t->at = 0;
}

static void move_bucket(struct plx_tcp_table *t, struct table_bucket *b)
{
	for (int i = 0; i < TABLE_SLOTS; i++) {
		struct plx_tcp_id *id = slot_id(b->slot[i]);
		uint64_t hash;

		if (!id)
			continue;
		hash = table_hash(t, id);
		array_del(&t->old, hash, &b->slot[i]);
		array_add(&t->now, hash, id);
		t->moved++;
	}
}

static void move_step(struct plx_tcp_table *t)
{
	uint32_t max = t->old.mask < t->now.mask ? TABLE_MOVE : TABLE_PASS;

	t->shape++;
	for (uint32_t n = 0; n < max && t->at <= t->old.mask; n++) {
		if (t->moved + TABLE_SLOTS > TABLE_PASS)
			break;
		move_bucket(t, &t->old.bucket[t->at++]);
	}
	if (t->at > t->old.mask)
		array_free(&t->old, t->mem);
}

/*
 * Between growing's start at 5 a bucket and its end there are 1/32 + 1/4 additions for each old
 * bucket, so the next growth never has to begin before this one is over. Shrinking begins below 1/2
 * a bucket, which is less than 2 of the quarter's; the additions until it is over, one for each 64
 * old buckets and for each 58 entries that are moved, are few.
 */
static void step(struct plx_tcp_table *t)
{
	uint32_t buckets = wanted(t);

	t->moved = 0;
	if (t->old.bucket)
		move_step(t);
	else if (t->next.bucket)
		clear_step(t);
	else if (buckets != t->now.mask + 1)
		begin(t, buckets);
}

/* ---- what is known of ports ---- */

static void mark(struct plx_tcp_port_uses *u, uint16_t port, bool used)
{
	uint64_t *w = &u->used[port / 64], bit = UINT64_C(1) << port % 64;

	__atomic_store_n(w, used ? *w | bit : *w & ~bit, __ATOMIC_SEQ_CST);
}

static inline void has_come(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	if (t->uses && t->uses->n[id->lport]++ == 0)
		mark(t->uses, id->lport, true);
	if (plx_unlikely(t->n_busy))
		tcp__busy_add(t, id);
}

static inline void goes(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	if (t->uses && --t->uses->n[id->lport] == 0)
		mark(t->uses, id->lport, false);
	if (plx_unlikely(t->n_busy))
		tcp__busy_del(t, id);
}

/* ---- changes ---- */

int plx_tcp_table_add(struct plx_tcp_table *t, struct plx_tcp_id *id)
{
	uint64_t hash = table_hash(t, id);

	step(t);
	if (find(t, hash, id))
		return -EADDRINUSE;
	if (t->now.count >= (t->now.mask + 1) * TABLE_MAX)
		return -ENOBUFS;
	array_add(&t->now, hash, id);
	has_come(t, id);
	return 0;
}

/* The slot of this very object, not of its four-tuple. */
static table_slot *find_own(struct plx_tcp_table *t, uint64_t hash, const struct plx_tcp_id *id)
{
	table_slot *s = find(t, hash, id);

	return s && slot_id(*s) == id ? s : NULL;
}

static inline struct table_array *array_with(struct plx_tcp_table *t, const table_slot *s)
{
	uintptr_t off = (uintptr_t)s - (uintptr_t)t->now.bucket;

	return off < array_bytes(&t->now) ? &t->now : &t->old;
}

void plx_tcp_table_del(struct plx_tcp_table *t, struct plx_tcp_id *id)
{
	uint64_t hash = table_hash(t, id);
	table_slot *s = find_own(t, hash, id);

	if (!s)
		return;
	array_del(array_with(t, s), hash, s);
	goes(t, id);
}

void plx_tcp_table_replace(struct plx_tcp_table *t, struct plx_tcp_id *out, struct plx_tcp_id *in)
{
	uint64_t hash = table_hash(t, out);
	table_slot *s = find_own(t, hash, out);

	if (s)
		*s = slot_of(in, hash);
}

/* The cursor counts slots: those of the old array, then those of the present one. */
uint32_t plx_tcp_table_shape(const struct plx_tcp_table *t)
{
	return t->shape;
}

bool plx_tcp_table_next(const struct plx_tcp_table *t, uint64_t *cursor, struct plx_tcp_id **id)
{
	uint64_t old = t->old.bucket ? (uint64_t)(t->old.mask + 1) * TABLE_SLOTS : 0;
	uint64_t end = old + (uint64_t)(t->now.mask + 1) * TABLE_SLOTS;

	*id = NULL;
	if (*cursor >= end)
		return false;
	for (int n = 0; n < TABLE_SCAN && *cursor < end && !*id; n++) {
		uint64_t at = (*cursor)++;
		const struct table_array *a = at < old ? &t->old : &t->now;

		at -= at < old ? 0 : old;
		*id = slot_id(a->bucket[at / TABLE_SLOTS].slot[at % TABLE_SLOTS]);
	}
	return true;
}
