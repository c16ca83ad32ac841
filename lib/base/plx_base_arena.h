/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * An allocator of memory that the caller gives once: powers of two from 64 bytes on (Knowlton's
 * buddies, 1965), for records that come and go by the million and arrays that grow by doubling.
 *
 * Time is bounded: an allocation splits, a release merges at most once a class. A few released
 * blocks of each small class are kept whole, so that taking and giving back one size costs no
 * splitting; they are merged when memory runs short, so it never stays in pieces.
 *
 * No malloc, no lock: one owner. The size is the caller's to know. Under AddressSanitizer what is
 * not allocated is poisoned.
 */
#include "plx_base_list.h"

PLX_C_BEGIN

#define PLX_ARENA_MIN_BYTES 64
#define PLX_ARENA_CLASSES   26 /**< 64 bytes .. 2 GiB */
#define PLX_ARENA_QUICK	    64 /**< blocks kept whole in each of the classes below */
#define PLX_ARENA_QUICKS    11 /**< up to 64 KiB */

/** All fields are the library's. Must not move. */
struct plx_arena {
	uint8_t *base; /**< of the units of 64 bytes that are given out */
	uint8_t *head; /**< of each unit: the free block that begins there (class + 1), or 0 */
	uint32_t units;
	uint32_t avail; /**< bit k: free[k] has members */
	size_t used;
	struct plx_list free[PLX_ARENA_CLASSES];
	uint32_t quick[PLX_ARENA_QUICKS][PLX_ARENA_QUICK]; /**< units */
	uint8_t n_quick[PLX_ARENA_QUICKS];
};

/**
 * mem is the arena's until fini(). One byte in 65 is its own, so 1 MiB takes a little more than
 * 1 MiB of mem. @return 0, or -EINVAL: not even one block fits, or more than 256 GiB.
 */
PLX_API int plx_arena_init(struct plx_arena *a, void *mem, size_t bytes);
/** The caller may use mem for something else. */
PLX_API void plx_arena_fini(struct plx_arena *a);
/** @return bytes rounded up to a power of two, aligned to 64; content undefined; or NULL. */
PLX_API void *plx_arena_alloc(struct plx_arena *a, size_t bytes);
/** @param p of plx_arena_alloc(), or NULL. @param bytes as it was asked for. */
PLX_API void plx_arena_free(struct plx_arena *a, void *p, size_t bytes);
/** Bytes given out, rounding included. */
static inline size_t plx_arena_used(const struct plx_arena *a)
{
	return a->used;
}
/** Bytes that can be given out. */
static inline size_t plx_arena_size(const struct plx_arena *a)
{
	return (size_t)a->units * PLX_ARENA_MIN_BYTES;
}

PLX_C_END
