/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Pins: the few flows whose lcore is not the one of their bucket. A bounded exact-match table in
 * the caller's memory, keyed by a secret so that strangers cannot make chains long.
 *
 * Owned by one lcore; replicas are the caller's business. Look-ups cost one test while it is empty.
 */
#include <plx_base_defs.h>
#include <plx_wire_tuple.h>

PLX_C_BEGIN

struct plx_pin;

struct plx_pins {
	struct plx_pin *slot; /**< open addressing, linear probes; the caller's memory */
	uint32_t mask;	      /**< slots - 1 */
	uint32_t used;
	uint32_t capacity; /**< most pins held */
	uint64_t key[2];   /**< of the hash */
};

/** Bytes of memory for so many pins, which keep the table at most two thirds full. */
PLX_API size_t plx_steer_pins_bytes(uint32_t capacity);

/**
 * An empty table for up to capacity pins (at most 2^30).
 * @param mem  plx_steer_pins_bytes(capacity) bytes, aligned to 8; borrowed until the last use of p.
 * @param key  secret, from a good source of randomness.
 */
PLX_API void plx_steer_pins_init(
	struct plx_pins *p, void *mem, uint32_t capacity, const uint64_t key[2]);

/** Pin a flow, or move its pin. @return 0, or -ENOSPC when full. */
PLX_API int plx_steer_pins_add(struct plx_pins *p, const struct plx_tuple *tuple, uint16_t lcore);

/** Undo a pin. @return 0, or -ENOENT. */
PLX_API int plx_steer_pins_del(struct plx_pins *p, const struct plx_tuple *tuple);

/** @return the lcore of a pinned flow, or -ENOENT: the owner map decides. */
PLX_API int plx_steer_pins_find(const struct plx_pins *p, const struct plx_tuple *tuple);

PLX_C_END
