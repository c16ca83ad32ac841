/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Where a flow goes, step by step: what each table says of it, and which one decided.
 *
 *     tuple -> hash -> bucket -> queue -> lcore that polls it
 *           -> RFS, RPS: the lcore whose backlog gets the packet -> flow limit
 *           -> owner map, pins: the lcore where a flow of ours lives
 *
 * Pure, and nothing is changed. The tables may be a running program's (then on the lcore that owns
 * them, or copies) or made up for the question.
 */
#include <plx_wire_tuple.h>

#include "plx_steer_limit.h"
#include "plx_steer_owner.h"
#include "plx_steer_pin.h"
#include "plx_steer_reta.h"
#include "plx_steer_rfs.h"
#include "plx_steer_rss.h"

PLX_C_BEGIN

#define PLX_STEER_INPUT_MAX 36 /**< bytes: two IPv6 addresses and two ports */

/** By what it is explained; NULL: that step is not there. */
struct plx_steer_tables {
	const struct plx_rss *rss;   /**< not NULL */
	const struct plx_reta *reta; /**< not NULL */
	const uint16_t *queue_lcore; /**< [queue]: who polls it; NULL: lcore i polls queue i */
	const struct plx_rfs *rfs;   /**< RPS maps and RFS tables of all queues of reta */
	const struct plx_flow_limit *limit; /**< of the lcore that polls the queue */
	uint32_t qlen;			    /**< packets in the backlog that it would be put in */
	uint32_t max_backlog;
	const struct plx_owner_map *owners;
	const struct plx_pins *pins;
};

/** What decided where the packet is handled. */
enum plx_steer_by {
	PLX_STEER_BY_QUEUE, /**< the lcore that polls its queue */
	PLX_STEER_BY_RPS,
	PLX_STEER_BY_RFS,
	PLX_STEER_BY_OWNER, /**< the owner map */
	PLX_STEER_BY_PIN,
};

struct plx_steer_explain {
	enum plx_rss_how how;
	bool sorted_addrs, sorted_ports;    /**< symmetric: the two were exchanged */
	uint8_t input[PLX_STEER_INPUT_MAX]; /**< what is hashed */
	uint8_t input_bytes;		    /**< 0: nothing */
	uint32_t hash;
	uint16_t bucket, queue;
	uint16_t received; /**< lcore that polls the queue */
	bool steered;	   /**< choice was asked for */
	struct plx_steer_choice choice;
	bool limited; /**< the flow limit was asked */
	uint32_t limit_slot, in_history;
	bool drop;  /**< by the flow limit */
	bool owned; /**< there is an owner map */
	uint16_t owner_bucket, owner;
	int pin; /**< lcore of the flow's pin; -ENOENT */
	enum plx_steer_by by;
	uint16_t lcore; /**< where it is handled, unless dropped */
};

/** Explain a packet of this tuple. */
PLX_API void plx_steer_explain(struct plx_steer_explain *e, const struct plx_steer_tables *t,
	const struct plx_tuple *tuple);

/** A rule in words: "the queue has neither an RPS map nor a flow table". */
PLX_API const char *plx_steer_rule_text(enum plx_steer_rule rule);

PLX_C_END
