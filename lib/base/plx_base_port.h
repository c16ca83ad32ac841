/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Choosing one of a set of local ports (RFC 6056 3.3.1).
 *
 * A set is told by words: its members among 64 ports are the bits of one. So what makes a port
 * unfit (bound, reserved, taken, of another lcore) costs an AND for 64 of them, and the longest
 * search looks at 1024 words, however few members there are.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

#define PLX_PORT_WORDS 1024 /**< of 64 ports */
#define PLX_PORT_EVEN  UINT64_C(0x5555555555555555)
#define PLX_PORT_ODD   UINT64_C(0xaaaaaaaaaaaaaaaa)

/** Those of a range that a function has, too. */
struct plx_port_set {
	uint16_t lo, hi; /**< both ends included; lo > hi: it is empty */
	uint64_t parity; /**< PLX_PORT_EVEN, PLX_PORT_ODD or both */
	/** Members among 64 * word .. 64 * word + 63; NULL = all of them. */
	uint64_t (*word)(const void *arg, uint32_t word);
	const void *arg;
	uint32_t most; /**< members of a word, at most; 1..64 */
};

/** The members of a word. @param word < PLX_PORT_WORDS */
PLX_API uint64_t plx_port_word(const struct plx_port_set *s, uint32_t word);
/**
 * Draw one: all are equally likely, and none of them may be drawn. It succeeds as often as
 * a word has members, of s->most.
 * @param random 64 bits that nobody can foresee.
 * @return a port, or 0.
 */
PLX_API uint16_t plx_port_draw(const struct plx_port_set *s, uint64_t random);
/**
 * The first one from `from` on; up to its end, so a search from a random port takes two calls.
 * @param from 0..65,536. @return a port, or 0 when there is none.
 */
PLX_API uint16_t plx_port_next(const struct plx_port_set *s, uint32_t from);

static inline bool plx_port_bit(const uint64_t *words, uint16_t port)
{
	return words[port / 64] >> port % 64 & 1;
}

PLX_C_END
