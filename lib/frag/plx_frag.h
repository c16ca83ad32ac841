/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Reassembly of IPv4 and IPv6 fragments, in numbers (RFC 791, RFC 815, RFC 8200 4.5, RFC 5722,
 * RFC 6946).
 *
 * The table sees offsets and lengths, never bytes: a packet is an opaque pointer with a charge. It
 * holds what it is given until the datagram is complete (the pieces come back in order), or until
 * it gives the datagram up: then every packet held comes out of plx_frag_pop_dead() with the
 * reason. So each packet that goes in comes out once. After plx_frag_input():
 *
 * - it returned a reason: the packet given is the caller's, to be dropped with that reason
 * - NONE and out->n > 0: complete; the pieces, the packet given among them, are the caller's
 * - NONE and out->n == 0: held
 *
 * Drain plx_frag_pop_dead() after each input() and timer(): until then the dead occupy the table.
 *
 * What makes a datagram hopeless: two fragments that overlap without being the same (RFC 5722), or
 * that contradict each other about the end, or too many pieces. It is given up whole, and its
 * record stays for one more time-out, to refuse what still comes. A fragment that is wrong by
 * itself is refused alone.
 *
 * Memory is bounded five times: bytes charged in all and packet buffers in all (the oldest datagram
 * goes first), bytes charged by one source (that source's oldest goes first), datagrams, and pieces
 * of one datagram. Buffers are counted apart from bytes since they come from a pool that reception
 * lives on: who empties it with fragments stops all else.
 *
 * No clock, no allocation: memory, a secret seed and `now` come from the caller. One table for each
 * lcore. What needs bytes is the caller's duty: that an IPv6 first fragment holds the whole header
 * chain (RFC 7112), joining the pieces, and the ICMP errors.
 */
#include <plx_base_addr.h>
#include <plx_base_defs.h>
#include <plx_base_reasons.h>

PLX_C_BEGIN

struct plx_frag; /**< a table; one owner */

/** What may be changed while it runs; plx_frag_limits_init() fills in Linux's values. */
struct plx_frag_limits {
	uint64_t memory_bytes; /**< charges in all: net.ipv4.ipfrag_high_thresh */
	uint64_t source_bytes; /**< charges of one source: net.pollux.ipfrag_max_source */
	uint32_t buffers;     /**< packet buffers in all; UINT32_MAX = as many as the bytes allow */
	plx_ns timeout_v4_ns; /**< net.ipv4.ipfrag_time */
	plx_ns timeout_v6_ns; /**< net.ipv6.ip6frag_time */
	uint16_t datagram_pieces; /**< pieces of one datagram; at most PLX_FRAG_PIECES_MAX */
};

#define PLX_FRAG_PIECES_MAX 2048 /**< 64 KiB over the smallest IPv4 MTU, 68, is 1366 */

struct plx_frag_conf {
	uint32_t datagrams; /**< records: datagrams in progress or refused */
	uint32_t pieces;    /**< fragments held in all */
	uint64_t seed[2];   /**< secret key of the hash; random for each run */
	struct plx_frag_limits limits;
};

/** Which datagram (RFC 791 3.2; RFC 8200 4.5). The family is that of src. */
struct plx_frag_key {
	struct plx_addr src, dst;
	uint32_t id;	/**< host order */
	uint32_t proto; /**< IPv4's protocol; 0 for IPv6, where the next header does not count */
};

/** One fragment. */
struct plx_frag_in {
	struct plx_frag_key key;
	uint32_t off;  /**< of its data in the fragmentable part, in bytes */
	uint32_t len;  /**< bytes of data */
	uint16_t head; /**< bytes that the reassembled length field counts before the data: the IPv4
			    header, or the IPv6 extension headers before the fragment header */
	uint16_t size; /**< bytes of the whole IP packet that carries it */
	bool more;     /**< M or MF flag */
	bool df;       /**< IPv4 DF flag */
	uint8_t ecn;   /**< the two ECN bits of its header */
	uint32_t charge;  /**< bytes of memory that holding pkt costs */
	uint32_t buffers; /**< of the pool, that holding pkt keeps away from others */
	void *pkt;	  /**< opaque, not NULL */
};

/** A part of a complete datagram. */
struct plx_frag_piece {
	void *pkt;
	uint32_t off; /**< bytes; piece[0] has 0, each next one starts where the last ended */
	uint32_t len;
};

/** A complete datagram, when n > 0. The headers to use are those of the first fragment, piece[0].
 */
struct plx_frag_out {
	const struct plx_frag_piece *piece; /**< the table's; valid until its next call */
	uint32_t n;
	uint32_t len;	   /**< bytes of data in all */
	uint16_t max_size; /**< largest fragment, as a whole IP packet: forward in none larger */
	bool df;	   /**< the largest fragment had DF: forward with DF, and no larger */
	uint8_t ecn;	   /**< to be set in the datagram's header (RFC 3168 5.3) */
};

/** A packet that the table gave up. */
struct plx_frag_dead {
	void *pkt;
	enum plx_drop reason;
	/** pkt is the first fragment of a datagram that ran out of time: an ICMP time exceeded,
	 * code 1, that quotes it is due (RFC 792; RFC 8200 4.5). */
	bool time_exceeded;
};

/** Counters of one family, under the names of /proc/net/snmp. */
struct plx_frag_count {
	uint64_t reqds; /**< ReasmReqds: fragments that came */
	uint64_t oks;	/**< ReasmOKs: datagrams reassembled */
	uint64_t fails; /**< ReasmFails: datagrams given up, and fragments refused by themselves */
	uint64_t timeouts; /**< ReasmTimeout: datagrams that ran out of time */
};

struct plx_frag_stats {
	struct plx_frag_count v4, v6;
	uint64_t memory_bytes; /**< charged now */
	uint32_t buffers;      /**< held now */
	uint32_t datagrams;    /**< in progress now */
	uint32_t refused;      /**< given up, record kept */
	uint32_t held;	       /**< packets held now, the dead not yet popped included */
};

/** Linux's defaults: 4 MiB, 1 MiB for a source, 30 s, 60 s, 128 pieces; any number of buffers. */
PLX_API void plx_frag_limits_init(struct plx_frag_limits *l);

/** Bytes that init() needs for this configuration. */
PLX_API size_t plx_frag_size(const struct plx_frag_conf *conf);

/**
 * Make an empty table in mem.
 * @param mem  plx_frag_size() bytes, aligned to a cache line; stays the caller's
 * @return the table, at mem; or NULL when the configuration has a zero or a limit beyond its bounds
 */
PLX_API struct plx_frag *plx_frag_init(void *mem, const struct plx_frag_conf *conf);

/** Give up all that is held, with PLX_DROP_STOPPED; pop it and the table is empty. */
PLX_API void plx_frag_fini(struct plx_frag *f);

/** New limits, in force from the next call on. @return 0 or -EINVAL. */
PLX_API int plx_frag_limits_set(struct plx_frag *f, const struct plx_frag_limits *l);

/**
 * Take one fragment. An atomic fragment (offset 0, no more; RFC 6946) is complete by itself and
 * touches no state.
 *
 * @param out  always written
 * @return PLX_DROP_NONE, or the reason to drop this fragment for:
 * - FRAG_MALFORMED: no data; more to come and a length that is no multiple of 8 (for IPv6 an ICMP
 *   parameter problem is due); or an end that contradicts one known before (gives the datagram up)
 * - FRAG_OVERLAP: overlaps a fragment held (gives the datagram up), or its datagram has been given
 *   up for that
 * - FRAG_DUPLICATE: the same range is held already
 * - FRAG_TOO_BIG: head + off + len is over 65,535; for IPv6 an ICMP parameter problem is due
 * - FRAG_ECN: completes a datagram whose ECN marks contradict each other (gives it up)
 * - FRAG_MEMORY: the charge alone is over the limit, no record, or too many pieces
 * - FRAG_BUFFERS: its buffers alone, or with its datagram, are over the limit
 * - FRAG_PER_SOURCE: the charge alone, or with its datagram, is over the limit of its source
 */
PLX_API enum plx_drop plx_frag_input(
	struct plx_frag *f, const struct plx_frag_in *in, plx_ns now, struct plx_frag_out *out);

/** Give up what is out of time; at most 32 datagrams a call: ask for the deadline again. */
PLX_API void plx_frag_timer(struct plx_frag *f, plx_ns now);

/** When to call timer(), or PLX_NEVER. Never late, and exact. */
PLX_API plx_ns plx_frag_deadline(const struct plx_frag *f);

/** Take one packet that was given up. @return false when there is none. */
PLX_API bool plx_frag_pop_dead(struct plx_frag *f, struct plx_frag_dead *dead);

/** Counters and gauges; the pointer lives as long as the table. */
PLX_API const struct plx_frag_stats *plx_frag_stats(const struct plx_frag *f);

PLX_C_END
