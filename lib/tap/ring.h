/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A ring of records between one lcore that fills it and one thread that reads: bytes, not pointers.
 *
 * Records are contiguous, multiples of 8 bytes, and begin with struct plx_tap_pkt. The lcore lays
 * some, and gives the reader all of them at once, or takes the last ones back; it never waits, and
 * touches no pool. A record that the ring's end would cut begins at its start, behind a void one.
 *
 * A recorder's ring has a reader now and then only (record.c). Without one the lcore itself takes
 * the oldest records away; whose turn it is, is a bit of `taken`.
 */
#include "plx_tap.h"

struct tap_ring {
	/* the lcore's */
	uint64_t laid;	  /**< up to here there are records */
	uint64_t given;	  /**< the reader may read up to here; written by the lcore */
	uint64_t free;	  /**< `taken`, when it was looked at last */
	uint64_t base;	  /**< what lies at the beginning of the memory, `laid` being behind it */
	uint64_t mark_at; /**< a recorder's: tap__record_mark() is due; else never */
	uint64_t size;
	uint8_t *mem;
	/* the reader's */
	uint64_t taken PLX_ALIGNED; /**< written by the reader; a recorder's, see TAP_RING_HELD */
	uint64_t at;		    /**< the same, without bits */
	uint64_t start;		    /**< as base, of `at` */
	uint64_t seen;		    /**< `given`, when it was looked at last */
	uint64_t hold;		    /**< bits that `taken` has */
} PLX_ALIGNED;

/** In `taken`, whose other values are multiples of 8: the reader has it, and not the lcore. */
#define TAP_RING_HELD UINT64_C(1)

#define TAP_RING_ALIGN 8
/** A large ring is in no cache where it is written next, nor its page in the TLB; bytes. */
#define TAP_RING_AHEAD 1024
static_assert(sizeof(struct plx_tap_pkt) == 40, "copied with each packet");

/** Bytes that a record with so many of a packet needs. */
static inline uint64_t tap_rec_bytes(uint32_t caplen)
{
	return (sizeof(struct plx_tap_pkt) + (uint64_t)caplen + TAP_RING_ALIGN - 1) &
	       ~(uint64_t)(TAP_RING_ALIGN - 1);
}

/** @param mem bytes of it, a multiple of 8, 8-aligned; the caller's. */
static inline void tap_ring_init(struct tap_ring *r, void *mem, uint64_t bytes)
{
	*r = (struct tap_ring){.mem = mem, .size = bytes, .mark_at = UINT64_MAX};
}

/** record.c: look back, before a record is laid. */
void tap__record_mark(struct tap_ring *r);
/** record.c: give up the oldest records, up to this place, if they are the lcore's. */
void tap__record_room(struct tap_ring *r, uint64_t to);

static inline bool tap_ring_has_room(struct tap_ring *r, uint64_t need)
{
	if (plx_likely(r->laid + need - r->free <= r->size))
		return true;
	if (r->mark_at != UINT64_MAX)
		tap__record_room(r, r->laid + need - r->size);
	/* Acquire: the reader is done with what it says it has taken. */
	r->free = __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE) & ~TAP_RING_HELD;
	return r->laid + need - r->free <= r->size;
}

/** What is left at the end is no record; the next one begins at the start. */
static inline void tap_ring_wrap(struct tap_ring *r, uint64_t at, uint64_t gap)
{
	struct plx_tap_pkt *p = (struct plx_tap_pkt *)(r->mem + at);

	if (gap) {
		p->size = (uint32_t)gap;
		p->kind = PLX_TAP_VOID;
	}
	r->base += r->size;
}

/** Lay a record of so many bytes. @return its place, size set; NULL: there is no room. */
static inline struct plx_tap_pkt *tap_ring_lay(struct tap_ring *r, uint64_t bytes)
{
	uint64_t at, left, gap;
	struct plx_tap_pkt *p;

	if (plx_unlikely(r->laid >= r->mark_at))
		tap__record_mark(r);
	at = r->laid - r->base;
	left = r->size - at;
	gap = left < bytes ? left : 0;
	if (!tap_ring_has_room(r, gap + bytes))
		return NULL;
	if (plx_unlikely(left < bytes)) {
		tap_ring_wrap(r, at, gap);
		at = 0;
	}
	p = (struct plx_tap_pkt *)(r->mem + at);
	p->size = (uint32_t)bytes;
	__builtin_prefetch((const uint8_t *)p + bytes + TAP_RING_AHEAD, 1);
	r->laid += gap + bytes;
	return p;
}

/** Take back what was laid behind pos, the end of a record that was not given yet. */
static inline void tap_ring_retract(struct tap_ring *r, uint64_t pos)
{
	r->laid = pos;
	if (plx_unlikely(pos < r->base))
		r->base -= r->size;
}

/** All that was laid is the reader's from here on. */
static inline void tap_ring_give(struct tap_ring *r)
{
	if (r->given != r->laid)
		__atomic_store_n(&r->given, r->laid, __ATOMIC_RELEASE);
}

/** Void what was laid between the two, both ends of records that were not given yet. */
static inline void tap_ring_void(struct tap_ring *r, uint64_t from, uint64_t to)
{
	while (from != to) {
		uint64_t at = from - r->base + (from < r->base ? r->size : 0);
		struct plx_tap_pkt *p = (struct plx_tap_pkt *)(r->mem + at);

		p->kind = PLX_TAP_VOID;
		from += p->size;
	}
}

/** The reader's: it is done with a record, void or not. */
static inline void tap_ring_take(struct tap_ring *r, const struct plx_tap_pkt *p)
{
	r->at += p->size;
	__atomic_store_n(&r->taken, r->at | r->hold, __ATOMIC_RELEASE);
}

/** The reader's: the next packet, which stays there until tap_ring_take(). NULL: none. */
static inline const struct plx_tap_pkt *tap_ring_next(struct tap_ring *r)
{
	for (;;) {
		const struct plx_tap_pkt *p;

		if (r->at == r->seen) {
			r->seen = __atomic_load_n(&r->given, __ATOMIC_ACQUIRE);
			if (r->at == r->seen)
				return NULL;
		}
		if (r->at - r->start == r->size)
			r->start += r->size;
		p = (const struct plx_tap_pkt *)(r->mem + (r->at - r->start));
		if (plx_likely(p->kind != PLX_TAP_VOID))
			return p;
		tap_ring_take(r, p);
	}
}
