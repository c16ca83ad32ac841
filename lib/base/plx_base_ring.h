/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A bounded queue of pointers between one producer thread and one consumer thread.
 *
 * Wait-free on both sides. Each side has a cache line of its own with its position and the last it
 * saw of the other's, so that the other's line is read only when the ring looks full (or empty).
 * Positions run freely and wrap at 2^32; every slot is usable. Memory is the caller's.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

/** One side's cache line. */
struct plx_ring_side {
	uint32_t pos;  /**< objects ever enqueued (dequeued); written by this side only */
	uint32_t seen; /**< the other side's pos when last looked at */
	uint32_t mask; /**< capacity - 1; here twice, so that neither side needs a third line */
} PLX_ALIGNED;

/** The slots follow it in memory. */
struct plx_ring {
	struct plx_ring_side prod;
	struct plx_ring_side cons;
};

/** Bytes for a ring of capacity objects; 0 when that is not a power of two in 1..2^31. */
PLX_API size_t plx_ring_size(uint32_t capacity);

/**
 * Make an empty ring.
 * @param mem plx_ring_size(capacity) bytes, aligned to a cache line; the ring is valid as long as
 *            they are, and there is nothing to undo.
 * @return the ring, which is mem; NULL when capacity or alignment is wrong.
 */
PLX_API struct plx_ring *plx_ring_init(void *mem, uint32_t capacity);

static inline uint32_t plx_ring_capacity(const struct plx_ring *r)
{
	return r->prod.mask + 1;
}

/** Objects queued: a snapshot, from any thread. */
static inline uint32_t plx_ring_count(const struct plx_ring *r)
{
	/* In this order cons can't overtake prod; an observer that sleeps in between sees too many.
	 */
	uint32_t tail = __atomic_load_n(&r->cons.pos, __ATOMIC_ACQUIRE);
	uint32_t n = __atomic_load_n(&r->prod.pos, __ATOMIC_ACQUIRE) - tail;

	return PLX_MIN(n, r->prod.mask + 1);
}

static inline bool plx_ring_empty(const struct plx_ring *r)
{
	return plx_ring_count(r) == 0;
}

/** Objects ever enqueued: what is there now has been taken out when plx_ring_taken() has come so
 * far. Any thread. */
static inline uint32_t plx_ring_put(const struct plx_ring *r)
{
	return __atomic_load_n(&r->prod.pos, __ATOMIC_ACQUIRE);
}

/** Objects ever dequeued, modulo 2^32. Any thread. */
static inline uint32_t plx_ring_taken(const struct plx_ring *r)
{
	return __atomic_load_n(&r->cons.pos, __ATOMIC_ACQUIRE);
}

static inline void **plx_ring_slots(struct plx_ring *r)
{
	return (void **)(r + 1);
}

/** Put n objects in, in order, as many as fit. Producer only. @return how many went in. */
static inline unsigned int plx_ring_enqueue(struct plx_ring *r, void *const *objs, unsigned int n)
{
	struct plx_ring_side *p = &r->prod;
	void **slots = plx_ring_slots(r);
	uint32_t pos = p->pos, mask = p->mask, room = mask + 1 - (pos - p->seen);

	if (room < n) {
		/* Acquire: the consumer has read the slots that it says are free. */
		p->seen = __atomic_load_n(&r->cons.pos, __ATOMIC_ACQUIRE);
		room = mask + 1 - (pos - p->seen);
		if (room < n)
			n = room;
	}
	for (unsigned int i = 0; i < n; i++)
		slots[(pos + i) & mask] = objs[i];
	if (n)
		__atomic_store_n(&p->pos, pos + n, __ATOMIC_RELEASE);
	return n;
}

/** Take up to n objects out, in order. Consumer only. @return how many came. */
static inline unsigned int plx_ring_dequeue(struct plx_ring *r, void **objs, unsigned int n)
{
	struct plx_ring_side *c = &r->cons;
	void *const *slots = plx_ring_slots(r);
	uint32_t pos = c->pos, mask = c->mask, avail = c->seen - pos;

	if (avail < n) {
		/* Acquire: the slots and what they point to are there. */
		c->seen = __atomic_load_n(&r->prod.pos, __ATOMIC_ACQUIRE);
		avail = c->seen - pos;
		if (avail < n)
			n = avail;
	}
	for (unsigned int i = 0; i < n; i++)
		objs[i] = slots[(pos + i) & mask];
	if (n)
		__atomic_store_n(&c->pos, pos + n, __ATOMIC_RELEASE);
	return n;
}

PLX_C_END
