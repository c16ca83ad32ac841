/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The owner map: hash -> bucket -> lcore. It alone decides where a local flow lives; RSS tables,
 * RPS maps and RFS are ways to edit it.
 *
 * One writer (the control lcore). An entry is one aligned 16-bit store, so a reader on another
 * lcore sees the old owner or the new one; moving a bucket's flows is the writer's business.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

#define PLX_OWNER_BUCKETS_MAX 1024

struct plx_owner_map {
	uint16_t size;	  /**< buckets: a power of two, at most PLX_OWNER_BUCKETS_MAX */
	uint32_t changes; /**< so far: for who keeps something that is made of it */
	uint16_t lcore[PLX_OWNER_BUCKETS_MAX];
};

/**
 * Bucket i belongs to lcores[i % n], as a RETA of the same size sends it to queue i % n.
 * @param lcores  copied.
 * @return 0, or -EINVAL (size not a power of two or too large, n of 0) and *m untouched.
 */
PLX_API int plx_steer_owner_init(
	struct plx_owner_map *m, uint16_t size, const uint16_t *lcores, uint16_t n);

/** Give one bucket away. @return 0, or -EINVAL when there is no such bucket. */
PLX_API int plx_steer_owner_set(struct plx_owner_map *m, uint16_t bucket, uint16_t lcore);

/**
 * Share the buckets out anew, so that few move: each lcore has as many as its weight says, to
 * within one; who has too many gives the last ones away, to who has too few, in the order of the
 * list.
 * @param want   out: the owner of each bucket, [m->size]
 * @param weight of each; NULL: all alike
 * @return 0; -EINVAL: n of 0 or too large (1024), an lcore twice, or no weight above 0.
 */
PLX_API int plx_steer_owner_share(const struct plx_owner_map *m, uint16_t *want,
	const uint16_t *lcores, const uint32_t *weight, uint16_t n);

/** The bucket of a hash. */
static inline uint16_t plx_steer_owner_bucket(const struct plx_owner_map *m, uint32_t hash)
{
	return (uint16_t)(hash & (m->size - 1u));
}

/** The lcore that owns the flows of a hash. */
static inline uint16_t plx_steer_owner(const struct plx_owner_map *m, uint32_t hash)
{
	return __atomic_load_n(&m->lcore[hash & (m->size - 1u)], __ATOMIC_RELAXED);
}

PLX_C_END
