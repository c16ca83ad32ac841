/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The formats' numbers (draft-ietf-opsawg-pcapng, draft-ietf-opsawg-pcap), for reader and writer.
 */
#include "plx_pcapng_block.h"

#define PCAP_MAGIC_US 0xa1b2c3d4u
#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_MAJOR    2
#define PCAP_MINOR    4
#define PCAP_LINK     0x03ffffffu /* what of the link type's word is not the FCS's length */

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block_type {
	BLOCK_IFACE = 1,
	BLOCK_PKT_OLD = 2, /* obsolete: Packet Block */
	BLOCK_PKT_SIMPLE = 3,
	BLOCK_STATS = 5,
	BLOCK_PKT = 6,		   /* Enhanced Packet Block */
	BLOCK_SECTION = 0x0a0d0d0a /* the same in both byte orders */
};

/* Bytes of a block without data and options, with its two lengths. */
enum {
	BLOCK_LEAST = 12,
	SECTION_LEAST = 28,
	IFACE_LEAST = 20,
	PKT_LEAST = 32, /* also of the obsolete one */
	PKT_SIMPLE_LEAST = 16,
	STATS_LEAST = 24,
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_CUSTOM_BIN = 2989, /* bytes, may be copied into another file */

	SECTION_HARDWARE = 2,
	SECTION_OS = 3,
	SECTION_APP = 4,

	IF_NAME = 2,
	IF_DESCR = 3,
	IF_MAC = 6,
	IF_SPEED = 8,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_OS = 12,
	IF_TSOFFSET = 14,
	IF_HARDWARE = 15,

	PKT_FLAGS = 2,
	PKT_HASH = 3,
	PKT_DROPS = 4,
	PKT_ID = 5,
	PKT_QUEUE = 6,
	PKT_VERDICT = 7,

	STATS_START = 2,
	STATS_END = 3,
	STATS_IFRECV = 4,
	STATS_IFDROP = 5,
	STATS_ACCEPT = 6,
	STATS_OSDROP = 7,
	STATS_DELIVERED = 8,
};

#define TSRESOL_US 6 /* where no option says anything else */
#define TSRESOL_NS 9

#define FILTER_TEXT   0 /* first byte of if_filter: an expression follows */
#define HASH_TOEPLITZ 5 /* first byte of epb_hash */

/*
 * Our custom option: the number that IANA keeps for examples (RFC 5612), then a mark of ours with
 * the layout's version, as others may use that number too. Behind the number everything is
 * big-endian: a program that turns a file's byte order around leaves it alone.
 */
#define CUSTOM_PEN    32473u
#define CUSTOM_MARK   0x504c5801u /* "PLX", 1 */
#define CUSTOM_BYTES  16	  /* number, mark, hook, 0, reason, sample */
#define CUSTOM_HOOK   8
#define CUSTOM_REASON 10
#define CUSTOM_SAMPLE 12

#define TEXT_MAX UINT16_MAX

/** Bytes of t that are written if max are allowed: whole characters. */
uint16_t pcapng__cut(struct plx_pcapng_text t, uint16_t max);

static inline uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* Little-endian, at any alignment. */

static inline void put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* A block's time: the upper word first, whatever the byte order. */
static inline void put_time(uint8_t *p, plx_ns t)
{
	put32(p, (uint32_t)((uint64_t)t >> 32));
	put32(p + 4, (uint32_t)t);
}

/* What is read is in the order of its section or file. */

static inline uint16_t get16(const uint8_t *p, bool swapped)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t get32(const uint8_t *p, bool swapped)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t get64(const uint8_t *p, bool swapped)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap64(v) : v;
}
