/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Local ports whose answers come to one lcore.
 *
 * A segment from a peer to one of our ports hashes to H(rest) ^ C(port), as Toeplitz is linear:
 * what a port contributes does not depend on the peer. The ports of a block of 64 differ from the
 * first in their low six bits alone, so bucket(port) = bucket(first) ^ C(port ^ first): which of
 * the 64 come to an lcore is a word, and of these words there are as many as buckets. They are made
 * once for a key and an owner map. What is asked of each block after that is one look at the table,
 * whatever the key (symmetric, short of period, zero), the number of lcores and the range of ports.
 *
 * Owned by one lcore: itself.
 */
#include "plx_steer_owner.h"
#include "plx_steer_toeplitz.h"

PLX_C_BEGIN

struct plx_steer_ports {
	const struct plx_toeplitz *t; /**< stays the caller's, and as it is */
	uint16_t self;
	struct plx_owner_map map;		    /**< of which mine[] is made */
	uint64_t mine[2][2][PLX_OWNER_BUCKETS_MAX]; /**< [IPv6][place][bucket of the first] */
	uint32_t most[2];			    /**< [IPv6]: of one parity in a word */
};

/** The ports by which one peer is answered. */
struct plx_steer_ports_to {
	const struct plx_steer_ports *p;
	bool v6;
	uint16_t rport;
	uint32_t rest[2]; /**< hash of all but our port, by where that stands */
};

/** For the lcore `self` of map. */
PLX_API void plx_steer_ports_init(struct plx_steer_ports *p, const struct plx_toeplitz *t,
	const struct plx_owner_map *map, uint16_t self);
/** The map may have changed: look, and make the words anew if so (some 10,000 steps). */
PLX_API void plx_steer_ports_update(struct plx_steer_ports *p, const struct plx_owner_map *map);
/** For answers from raddr:rport to laddr. */
PLX_API void plx_steer_ports_to(struct plx_steer_ports_to *to, const struct plx_steer_ports *p,
	const struct plx_addr *laddr, const struct plx_addr *raddr, uint16_t rport);
/** Those of the ports 64 * word .. 64 * word + 63 that come to the lcore, as bits. */
PLX_API uint64_t plx_steer_ports_word(const struct plx_steer_ports_to *to, uint32_t word);
/** Even ones, or odd ones, of a word at most; 0: no port comes to the lcore. */
static inline uint32_t plx_steer_ports_most(const struct plx_steer_ports_to *to)
{
	return to->p->most[to->v6];
}

PLX_C_END
