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
	uint32_t data; /**< bytes behind the header */
};

/** Write it with its checksum over TRACE_SYN + s->data bytes, of which the data are there. */
void trace_syn_put(const struct trace_syn *s, uint8_t *p);
/**
 * Is a segment an answer to a SYN from port sport .. sport + n - 1, all else as in s? It may
 * acknowledge the data or not: a RST does (RFC 9293, 3.10.7.1), a SYN seldom. @return which, or -1.
 */
int trace_syn_answered(const struct trace_syn *s, uint32_t n, const uint8_t *p, size_t bytes);
/** Of which SYN are these, the first 8 bytes at least, quoted by an error? @return which, or -1. */
int trace_syn_quoted(const struct trace_syn *s, uint32_t n, const uint8_t *p);
