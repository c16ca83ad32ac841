/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Reading: a parser that is shown bytes and gives one item at a time.
 *
 * Reads pcapng (both byte orders, any number of sections, packets in all three kinds of blocks) and
 * classic pcap (microseconds and nanoseconds, both byte orders); which it is, the first bytes say.
 * It trusts no length, looks at no byte that it was not shown, and reads what others write: unknown
 * blocks and options are passed over.
 *
 *     for (;;) {
 *             switch (plx_pcapng_next(&r, buf, have, &item)) {
 *             case PLX_PCAPNG_MORE:
 *                     read until have >= item.want; at the file's end: plx_pcapng_end()
 *             case PLX_PCAPNG_PKT:
 *                     use item.pkt
 *             ...
 *             }
 *             buf += item.used, have -= item.used;
 *     }
 */
#include "plx_pcapng_block.h"

PLX_C_BEGIN

/** What the reader keeps of an interface. */
struct plx_pcapng_clock {
	uint32_t snaplen;
	uint8_t tsresol;
	int64_t tsoffset_s;
};

/** What is wrong, and where. */
struct plx_pcapng_error {
	uint64_t off;	  /**< of the byte that is wrong, from the file's start */
	const char *text; /**< a static sentence */
};

/** A reader. Its fields are its own, but for those of the first group, which may be read. */
struct plx_pcapng_reader {
	uint64_t off;	   /**< of the next byte that it wants, from the file's start */
	uint32_t n_ifaces; /**< of this section */
	bool classic;	   /**< the file is pcap, not pcapng */
	bool swapped;	   /**< what is read now is big-endian */

	bool started;
	uint32_t max_ifaces;
	struct plx_pcapng_clock *ifaces;
	uint32_t skip_type;
	uint32_t skip_total; /**< length of the block that is being passed over; 0 = none */
	uint32_t skip;	     /**< bytes left of it before the length at its end */
	struct plx_pcapng_error error; /**< text NULL = none */
};

enum plx_pcapng_kind {
	PLX_PCAPNG_MORE,    /**< show at least item.want bytes from the same place on */
	PLX_PCAPNG_SECTION, /**< item.section; interfaces count from 0 again. Classic: none */
	PLX_PCAPNG_IFACE,   /**< item.iface, number n_ifaces - 1. Classic: one, at the start */
	PLX_PCAPNG_PKT,	    /**< item.pkt */
	PLX_PCAPNG_STATS,   /**< item.stats */
	PLX_PCAPNG_SKIPPED, /**< (a part of) a block of type item.skipped was passed over */
	PLX_PCAPNG_ERROR,   /**< item.error; the reader stays at this */
};

struct plx_pcapng_item {
	size_t used; /**< bytes to step over; they must stay until the item has been used */
	union {
		size_t want; /**< at most PLX_PCAPNG_BLOCK_MAX */
		uint32_t skipped;
		struct plx_pcapng_section section;
		struct plx_pcapng_iface iface;
		struct plx_pcapng_pkt pkt;
		struct plx_pcapng_stats stats;
		struct plx_pcapng_error error;
	};
};

/**
 * At the start of a file.
 * @param ifaces  the caller's room for max interfaces of a section, at least 1; a section with more
 *                of them is an error
 */
PLX_API void plx_pcapng_reader_init(
	struct plx_pcapng_reader *r, struct plx_pcapng_clock *ifaces, uint32_t max);

/**
 * The next item of what begins at buf.
 *
 * Packets: ts_ns is 0, and UNTIMED set, where the file has no time (Simple Packet Block), and the
 * nearest that plx_ns holds where it is out of range. len is never below caplen. Of several
 * comments or hashes of a packet the first is given.
 */
PLX_API enum plx_pcapng_kind plx_pcapng_next(
	struct plx_pcapng_reader *r, const void *buf, size_t len, struct plx_pcapng_item *item);

/**
 * The file ended while left bytes had not been used.
 * @return 0 if it ended between two blocks, else -EINVAL with *err filled: empty, or cut off.
 */
PLX_API int plx_pcapng_end(
	const struct plx_pcapng_reader *r, size_t left, struct plx_pcapng_error *err);

PLX_C_END
