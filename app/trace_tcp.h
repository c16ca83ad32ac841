/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A SYN as a probe: in bytes alone.
 */
#include <plx_base.h>

#define TRACE_SYN 40 /**< bytes, with the options of a usual one */

struct trace_syn {
	struct plx_addr src, dst;
	uint16_t sport, dport;
	uint32_t seq;
};

/** Write it with its checksum over n bytes, of which those behind TRACE_SYN are there already. */
void trace_syn_put(const struct trace_syn *s, uint8_t *p, size_t n);
/**
 * Is a segment an answer to a SYN from port sport .. sport + n - 1, all else as in s? @return
 * which, or -1.
 */
int trace_syn_answered(const struct trace_syn *s, uint32_t n, const uint8_t *p, size_t bytes);
/** Of which SYN are these, the first 8 bytes at least, quoted by an error? @return which, or -1. */
int trace_syn_quoted(const struct trace_syn *s, uint32_t n, const uint8_t *p);
