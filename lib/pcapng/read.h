/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Between the parts of the reader.
 */
#include "pcapng.h"
#include "plx_pcapng_read.h"

/** A whole block, its lengths checked against each other: total bytes at p, at offset reader.off.
 */
struct block {
	struct plx_pcapng_reader *r;
	struct plx_pcapng_item *item;
	const uint8_t *p;
	uint32_t type, total;
};

/** The reader stops. @param off  of the wrong byte, counted from reader.off */
enum plx_pcapng_kind pcapng__fail(
	struct plx_pcapng_reader *r, struct plx_pcapng_item *item, uint64_t off, const char *text);

/** Bytes that a block of this type has at least; 0 = a type that is passed over. */
uint32_t pcapng__block_least(uint32_t type);

/** What a whole block says. Sets all of the item but used. */
enum plx_pcapng_kind pcapng__block_read(const struct block *b);

/** A time of the file. Saturates. */
plx_ns pcapng__ns(const struct plx_pcapng_clock *c, uint64_t ticks);
