/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Is a port's RSS what it claims? Judged by packets that it receives: their hash against Toeplitz
 * by the key that the device has by its own word, their queue against its table.
 */
#include "steer.h"

#define SELF_FLOWS 64 /**< so many are told apart */

enum self_verdict {
	SELF_SOFTWARE, /**< it claims nothing, or is known to lie */
	SELF_ONE,      /**< it has one queue */
	SELF_NOTHING,  /**< no packet came that it would hash */
	SELF_AGREES,
	SELF_MUTE,  /**< packets come without a hash */
	SELF_HASH,  /**< the hash is not Toeplitz by its key */
	SELF_QUEUE, /**< the hash is, but the queue is not its table's */
};

/** A port, and what was seen. */
struct self_port {
	const json_t *row; /**< of the table rss; the caller's */
	bool claims;	   /**< by the next two */
	struct plx_rss rss;
	struct plx_reta reta;
	uint32_t packets;     /**< that it has to hash */
	uint32_t hashed;      /**< of these: came with a hash */
	uint32_t right;	      /**< of these: as reckoned */
	uint32_t addrs;	      /**< not right, but that of the addresses without the ports */
	uint32_t sorted;      /**< not right, but the same for both directions */
	uint32_t right_queue; /**< of `packets`: by the queue that the table has for the hash */
	uint32_t flows;	      /**< at least; at most SELF_FLOWS are counted */
	uint32_t seen[SELF_FLOWS];
};

/** @param row,indir of the tables rss and indir. */
void self_init(struct self_port *s, const json_t *row, const json_t *indir);
/** A packet that came. @param hash NULL: it has none. */
void self_packet(
	struct self_port *s, const struct plx_tuple *t, const uint32_t *hash, uint32_t queue);
enum self_verdict self_judge(const struct self_port *s);
/** A line in words. @param off receive hashing was switched off for it. */
void self_print(FILE *out, const struct self_port *s, bool off);
/** The same for --json. @return a new object. */
json_t *self_json(const struct self_port *s, bool off);
