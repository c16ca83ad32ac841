/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_pin.h"

#include <errno.h>

#include <plx_base_hash.h>

struct plx_pin {
	struct plx_tuple tuple;
	uint32_t hash;
	uint16_t lcore;
	bool used;
};

static_assert(sizeof(struct plx_pin) == 48, "pins_bytes() is part of what callers budget");

static uint32_t slots_for(uint32_t capacity)
{
	uint64_t need = (uint64_t)capacity * 3 / 2 + 1;
	uint32_t n = 2;

	while (n < need && n < 1u << 31)
		n *= 2;
	return n;
}

size_t plx_steer_pins_bytes(uint32_t capacity)
{
	return slots_for(capacity) * sizeof(struct plx_pin);
}

void plx_steer_pins_init(struct plx_pins *p, void *mem, uint32_t capacity, const uint64_t key[2])
{
	*p = (struct plx_pins){
		.slot = mem,
		.mask = slots_for(capacity) - 1,
		.capacity = capacity,
		.key = {key[0], key[1]},
	};
	memset(mem, 0, plx_steer_pins_bytes(capacity));
}

static uint32_t hash_of(const struct plx_pins *p, const struct plx_tuple *t)
{
	uint64_t w[5] = {t->src.q[0], t->src.q[1], t->dst.q[0], t->dst.q[1],
		(uint64_t)t->sport << 32 | (uint32_t)t->dport << 16 | (uint32_t)t->proto << 8 |
			t->frag};

	return (uint32_t)plx_siphash13_words(p->key, w, PLX_DIM(w));
}

static bool tuple_eq(const struct plx_tuple *a, const struct plx_tuple *b)
{
	return plx_addr_eq(&a->src, &b->src) && plx_addr_eq(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport && a->proto == b->proto &&
	       a->frag == b->frag;
}

/* The slot of a tuple, or the free one where it would go. There is always a free one. */
static uint32_t slot_of(const struct plx_pins *p, const struct plx_tuple *t, uint32_t hash)
{
	uint32_t i = hash & p->mask;

	while (p->slot[i].used && (p->slot[i].hash != hash || !tuple_eq(&p->slot[i].tuple, t)))
		i = (i + 1) & p->mask;
	return i;
}

int plx_steer_pins_add(struct plx_pins *p, const struct plx_tuple *tuple, uint16_t lcore)
{
	uint32_t hash = hash_of(p, tuple);
	struct plx_pin *pin = &p->slot[slot_of(p, tuple, hash)];

	if (!pin->used) {
		if (p->used == p->capacity)
			return -ENOSPC;
		*pin = (struct plx_pin){.tuple = *tuple, .hash = hash, .used = true};
		p->used++;
	}
	pin->lcore = lcore;
	return 0;
}

/* Close the hole: pull back each follower whose probe would otherwise stop short at the hole. */
static void close_hole(struct plx_pins *p, uint32_t hole)
{
	for (uint32_t i = (hole + 1) & p->mask; p->slot[i].used; i = (i + 1) & p->mask) {
		uint32_t from_home = (i - p->slot[i].hash) & p->mask;

		if (from_home >= ((i - hole) & p->mask)) {
			p->slot[hole] = p->slot[i];
			hole = i;
		}
	}
	p->slot[hole].used = false;
}

int plx_steer_pins_del(struct plx_pins *p, const struct plx_tuple *tuple)
{
	uint32_t i = slot_of(p, tuple, hash_of(p, tuple));

	if (!p->slot[i].used)
		return -ENOENT;
	close_hole(p, i);
	p->used--;
	return 0;
}

int plx_steer_pins_find(const struct plx_pins *p, const struct plx_tuple *tuple)
{
	uint32_t i;

	if (p->used == 0)
		return -ENOENT;
	i = slot_of(p, tuple, hash_of(p, tuple));
	return p->slot[i].used ? p->slot[i].lcore : -ENOENT;
}
