/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Flow limit: while a backlog is half full, a flow that makes up more than half of the last 128
 * packets offered to it is dropped, so that one large flow does not push out the small ones.
 *
 * Pure, in the caller's memory. Owned by the lcore that steers (not by the one steered to); its
 * count may be read by others.
 *
 * Source: Linux 6.18, net/core/dev.c: skb_flow_limit(); net/core/sysctl_net_core.c:
 * flow_limit_table_len.
 */
#include "plx_steer_toeplitz.h"

PLX_C_BEGIN

#define PLX_FLOW_LIMIT_HISTORY	   128	/**< packets remembered */
#define PLX_FLOW_LIMIT_BUCKETS	   4096 /**< Linux's default of flow_limit_table_len */
#define PLX_FLOW_LIMIT_BUCKETS_MAX 65536

struct plx_flow_limit {
	uint8_t *bucket; /**< packets of the history by bucket; NULL: no limit */
	uint32_t count;	 /**< packets dropped: softnet_stat's flow_limit_count */
	uint8_t log;	 /**< of the number of buckets */
	uint8_t head;	 /**< of the history: the oldest */
	uint16_t history[PLX_FLOW_LIMIT_HISTORY];
};

/**
 * An empty history.
 * @param mem      one byte for each bucket; borrowed.
 * @param buckets  a power of two, at most PLX_FLOW_LIMIT_BUCKETS_MAX.
 * @return 0, or -EINVAL and *l untouched.
 */
PLX_API int plx_steer_limit_init(struct plx_flow_limit *l, void *mem, uint32_t buckets);

/** Forget the history; what was counted stays. */
PLX_API void plx_steer_limit_forget(struct plx_flow_limit *l);
/** Is anything asked of a flow while so many wait? Without a hash, so that it need not be made. */
static inline bool plx_steer_limit_applies(
	const struct plx_flow_limit *l, uint32_t qlen, uint32_t max_backlog)
{
	return l->bucket && qlen >= max_backlog / 2;
}

/**
 * A packet is offered to a backlog.
 * @param qlen         packets in it.
 * @param max_backlog  net.core.netdev_max_backlog.
 * @return whether it is to be dropped, which is counted then. Below half of max_backlog nothing is
 *         noted either.
 */
PLX_API bool plx_steer_limit(
	struct plx_flow_limit *l, uint32_t hash, uint32_t qlen, uint32_t max_backlog);

/** What plx_steer_limit() would answer; nothing changes. @param *in_history packets of the bucket.
 */
PLX_API bool plx_steer_limit_look(const struct plx_flow_limit *l, uint32_t hash, uint32_t qlen,
	uint32_t max_backlog, uint32_t *in_history);

PLX_C_END
