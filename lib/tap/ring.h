/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A ring of records between one lcore that fills it and one thread that reads: bytes, not pointers.
 *
 * Records are contiguous, multiples of 8 bytes, and begin with struct plx_tap_pkt. The lcore lays
 * some, and gives the reader all of them at once, or takes the last ones back; it never waits, and
 * touches no pool. A record that the ring's end would cut begins at its start, behind a void one.
 */
#include "plx_tap.h"

struct tap_ring {
	/* the lcore's */
	uint64_t laid;	/**< up to here there are records */
	uint64_t given; /**< the reader may read up to here; written by the lcore */
	uint64_t free;	/**< `taken`, when it was looked at last */
	uint8_t *mem;
	uint64_t mask;
	/* the reader's */
	uint64_t taken PLX_ALIGNED; /**< written by the reader */
	uint64_t seen;		    /**< `given`, when it was looked at last */
} PLX_ALIGNED;

#define TAP_RING_ALIGN 8
static_assert(sizeof(struct plx_tap_pkt) == 40, "copied with each packet");

/** Bytes that a record with so many of a packet needs. */
static inline uint64_t tap_rec_bytes(uint32_t caplen)
{
	return (sizeof(struct plx_tap_pkt) + (uint64_t)caplen + TAP_RING_ALIGN - 1) &
	       ~(uint64_t)(TAP_RING_ALIGN - 1);
}

/** @param mem bytes of it, a power of two, 8-aligned; the caller's. */
static inline void tap_ring_init(struct tap_ring *r, void *mem, uint64_t bytes)
{
	*r = (struct tap_ring){.mem = mem, .mask = bytes - 1};
}

static inline bool tap_ring_has_room(struct tap_ring *r, uint64_t need)
{
	if (plx_likely(r->laid + need - r->free <= r->mask + 1))
		return true;
	/* Acquire: the reader is done with what it says it has taken. */
	r->free = __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE);
	return r->laid + need - r->free <= r->mask + 1;
}

/** Lay a record of so many bytes. @return its place, size set; NULL: there is no room. */
static inline struct plx_tap_pkt *tap_ring_lay(struct tap_ring *r, uint64_t bytes)
{
	uint64_t at = r->laid & r->mask, left = r->mask + 1 - at;
	uint64_t gap = left < bytes ? left : 0;
	struct plx_tap_pkt *p;

	if (!tap_ring_has_room(r, gap + bytes))
		return NULL;
	if (gap) {
		p = (struct plx_tap_pkt *)(r->mem + at);
		p->size = (uint32_t)gap;
		p->kind = PLX_TAP_VOID;
		at = 0;
	}
	p = (struct plx_tap_pkt *)(r->mem + at);
	p->size = (uint32_t)bytes;
	r->laid += gap + bytes;
	return p;
}

/** All that was laid is the reader's from here on. */
static inline void tap_ring_give(struct tap_ring *r)
{
	if (r->given != r->laid)
		__atomic_store_n(&r->given, r->laid, __ATOMIC_RELEASE);
}

/** Void what was laid between the two, both ends of records. */
static inline void tap_ring_void(struct tap_ring *r, uint64_t from, uint64_t to)
{
	while (from != to) {
		struct plx_tap_pkt *p = (struct plx_tap_pkt *)(r->mem + (from & r->mask));

		p->kind = PLX_TAP_VOID;
		from += p->size;
	}
}

/** The reader's: the next packet, which stays there until tap_ring_take(). NULL: none. */
static inline const struct plx_tap_pkt *tap_ring_next(struct tap_ring *r)
{
	for (;;) {
		const struct plx_tap_pkt *p;

		if (r->taken == r->seen) {
			r->seen = __atomic_load_n(&r->given, __ATOMIC_ACQUIRE);
			if (r->taken == r->seen)
				return NULL;
		}
		p = (const struct plx_tap_pkt *)(r->mem + (r->taken & r->mask));
		if (plx_likely(p->kind != PLX_TAP_VOID))
			return p;
		__atomic_store_n(&r->taken, r->taken + p->size, __ATOMIC_RELEASE);
	}
}

static inline void tap_ring_take(struct tap_ring *r, const struct plx_tap_pkt *p)
{
	__atomic_store_n(&r->taken, r->taken + p->size, __ATOMIC_RELEASE);
}
