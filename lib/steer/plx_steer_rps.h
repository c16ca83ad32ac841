/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Receive packet steering: a receive queue's map of the lcores that its packets are spread over.
 *
 * Pure. A map is set by one writer while nobody reads it, or is replaced whole.
 *
 * Source: Linux, net/core/dev.c: get_rps_cpu(); net/core/net-sysfs.c: store_rps_map().
 */
#include "plx_steer_rss.h"

PLX_C_BEGIN

#define PLX_STEER_LCORES_MAX 256
#define PLX_STEER_NO_LCORE   UINT16_MAX /**< none of them: Linux's RPS_NO_CPU */

/** Some of the lcores 0..PLX_STEER_LCORES_MAX - 1: those that poll, or those that are wanted. */
struct plx_lcore_set {
	uint64_t w[PLX_STEER_LCORES_MAX / 64];
};

/** @param lcore below PLX_STEER_LCORES_MAX. */
static inline void plx_lcore_set_add(struct plx_lcore_set *s, uint16_t lcore)
{
	s->w[lcore / 64] |= UINT64_C(1) << lcore % 64;
}

static inline void plx_lcore_set_del(struct plx_lcore_set *s, uint16_t lcore)
{
	s->w[lcore / 64] &= ~(UINT64_C(1) << lcore % 64);
}

/** Any number may be asked for. */
static inline bool plx_lcore_set_has(const struct plx_lcore_set *s, uint32_t lcore)
{
	return lcore < PLX_STEER_LCORES_MAX && s->w[lcore / 64] >> lcore % 64 & 1;
}

/** The lcores 0..n-1. @param n at most PLX_STEER_LCORES_MAX. */
PLX_API void plx_lcore_set_first(struct plx_lcore_set *s, uint16_t n);
/** "0,2-5", as of cpuset. @return 0, or -EINVAL and *s untouched. */
PLX_API int plx_lcore_set_parse(struct plx_lcore_set *s, const char *text);

/** A receive queue's map; len 0: the queue is not steered by RPS. */
struct plx_rps_map {
	uint16_t len;
	uint16_t lcore[PLX_STEER_LCORES_MAX];
};

/** Map onto those wanted that are online, in rising order, as a write to `rps_cpus` does. */
PLX_API void plx_steer_rps_set(struct plx_rps_map *m, const struct plx_lcore_set *want,
	const struct plx_lcore_set *online);

/**
 * The lcore of a hash: entry hash * len / 2^32, if it is (still) online. Another is not looked for.
 * @return PLX_STEER_NO_LCORE: the one that received the packet keeps it. So for a hash of 0, too,
 *         which is "no hash".
 */
PLX_API uint16_t plx_steer_rps(
	const struct plx_rps_map *m, uint32_t hash, const struct plx_lcore_set *online);

/**
 * What chooses a packet's lcore (Linux's skb_get_hash()): the device's hash if ports are part of
 * it, else ours, both directions of a flow alike. Never 0.
 * @param sorted our key, symmetric
 * @param types  PLX_RSS_*: by which the device hashed this one; 0: it did not
 * @param device its hash
 */
static inline uint32_t plx_steer_rps_hash(const struct plx_toeplitz *sorted,
	const struct plx_tuple *t, uint32_t types, uint32_t device)
{
	if (types && plx_steer_rss_how(types, t) == PLX_RSS_PORTS)
		return plx_steer_hash_nonzero(device);
	return plx_steer_hash_nonzero(plx_steer_hash_tuple(sorted, t));
}

PLX_C_END
