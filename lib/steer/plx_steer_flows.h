/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The few flows that live elsewhere than their bucket: overrides of the owner map, by the whole
 * hash. A flow is all that has this hash.
 *
 * Direct-mapped and bounded, a word for each: the hash's high bits and, in the low ones, the lcore,
 * as in plx_steer_rfs.h. Of two flows that meet in a slot the first has it, the other lives with
 * its bucket.
 *
 * One writer (the control lcore). An entry is one aligned 32-bit store, so a reader on another
 * lcore sees the old owner or the new one; moving the flow is the writer's business. Look-ups cost
 * one test while there is no override.
 */
#include "plx_steer_owner.h"
#include "plx_steer_rps.h"

PLX_C_BEGIN

#define PLX_OWNER_FLOWS_MAX (UINT32_C(1) << 20)

struct plx_owner_flows {
	uint32_t *ent; /**< the caller's memory */
	uint32_t mask;
	uint32_t lcore_mask; /**< its highest number is no lcore: there is no override */
	uint32_t used;	     /**< overrides in force */
};

/**
 * No override.
 * @param mem      room for so many entries; borrowed.
 * @param entries  a power of two above lcores, at most PLX_OWNER_FLOWS_MAX.
 * @param lcores   how many there may be, 1..PLX_STEER_LCORES_MAX.
 * @return 0, or -EINVAL and *f untouched.
 */
PLX_API int plx_steer_flows_init(
	struct plx_owner_flows *f, uint32_t *mem, uint32_t entries, uint16_t lcores);
/** Would plx_steer_flows_set() have room for it? */
PLX_API bool plx_steer_flows_can(const struct plx_owner_flows *f, uint32_t hash);
/** A flow lives there. @return 0, or -ENOSPC: another flow has its slot. */
PLX_API int plx_steer_flows_set(struct plx_owner_flows *f, uint32_t hash, uint16_t lcore);
/** It lives with its bucket (again). */
PLX_API void plx_steer_flows_clear(struct plx_owner_flows *f, uint32_t hash);
/** The override of a slot, 0..mask. @return false: it has none. */
PLX_API bool plx_steer_flows_at(
	const struct plx_owner_flows *f, uint32_t slot, uint32_t *hash, uint16_t *lcore);

/** Is any in force? */
static inline bool plx_steer_flows_any(const struct plx_owner_flows *f)
{
	return __atomic_load_n(&f->used, __ATOMIC_RELAXED);
}

/** Where a flow lives, whatever its bucket. @return PLX_STEER_NO_LCORE: with its bucket. */
static inline uint16_t plx_steer_flows_find(const struct plx_owner_flows *f, uint32_t hash)
{
	uint32_t ent, lcore;

	if (plx_likely(!plx_steer_flows_any(f)))
		return PLX_STEER_NO_LCORE;
	ent = __atomic_load_n(&f->ent[hash & f->mask], __ATOMIC_RELAXED);
	lcore = ent & f->lcore_mask;
	if ((ent ^ hash) & ~f->lcore_mask || lcore == f->lcore_mask)
		return PLX_STEER_NO_LCORE;
	return (uint16_t)lcore;
}

/** The lcore that owns a flow: by its override, else by its bucket. */
static inline uint16_t plx_steer_flows_owner(
	const struct plx_owner_flows *f, const struct plx_owner_map *m, uint32_t hash)
{
	uint16_t lcore = plx_steer_flows_find(f, hash);

	return plx_likely(lcore == PLX_STEER_NO_LCORE) ? plx_steer_owner(m, hash) : lcore;
}

PLX_C_END
