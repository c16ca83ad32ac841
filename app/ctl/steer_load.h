/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The load that frames would be on the queues of a device: counted by queue, bucket and flow.
 */
#include <plx_steer.h>

#define STEER_TUPLE_STRLEN 160

struct load_count {
	uint64_t packets, bytes, flows;
};

/** A flow, in one direction. */
struct load_flow {
	struct plx_tuple tuple;
	uint32_t hash;
	uint16_t queue;
	uint64_t packets, bytes;
};

/** Zeroed but for rss and reta, which stay the caller's. */
struct load {
	const struct plx_rss *rss;
	const struct plx_reta *reta;
	struct load_count all, queue[PLX_RETA_SIZE_MAX], bucket[PLX_RETA_SIZE_MAX];
	uint64_t not_ip;	/**< packets */
	struct load_flow *flow; /**< n of them, as they came; after load_sort() the largest first */
	uint32_t n, room;
	uint32_t *slot;	 /**< of a table of flows: index + 1; 0 = free */
	uint64_t key[2]; /**< by which it is hashed: random, drawn before the first flow */
	uint32_t mask;
};

/**
 * Count a frame. @param len bytes there are, wire those that it had. @return 0 or -errno: no
 * memory, or none of the kernel's random bytes. Not to be called after load_sort().
 */
int load_add(struct load *l, const void *frame, uint32_t len, uint32_t wire);
void load_free(struct load *l);
/** Flows by packets, then bytes, the largest first. */
void load_sort(struct load *l);
/** The largest of n counts over their mean, 1 at the best; 0 if there is nothing. */
double load_imbalance(const uint64_t *v, uint16_t n);
/** The packets of each queue. */
void load_queue_packets(const struct load *l, uint16_t n, uint64_t *packets);

/**
 * Weights for `ethtool -X weight`, which gives each queue a run of buckets: those by which the
 * largest queue has the least packets. They sum up to the table's size.
 * @param after  what the queues have then.
 */
void load_weights(const struct load *l, uint16_t queues, uint32_t *weight, uint64_t *after);
