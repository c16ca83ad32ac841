/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Taps: copies of packets as they pass the lcores of an engine, or of any program of DPDK
 * (plx_tap_ethdev.h), for a thread that is none of them.
 *
 * Any number of taps at once, each with the points where it looks, its filter, snap length and
 * sampling. An lcore copies what a tap wants into a ring of bytes that belongs to the two, and
 * never waits, takes no mbuf and no reference: what the stack does to a packet afterwards does not
 * change the copy, and a slow reader loses copies, which are counted, and no traffic. Each packet
 * that a tap sees is counted exactly once: accepted, filtered, sampled out, missed because more
 * would have cost too much, or lost because the ring was full.
 *
 * Control (open, detach, close, plx_taps_*) is for ordinary threads, one at a time by a lock of
 * ours; plx_tap_read() for one thread at a time for each tap.
 */
#include <plx_engine.h>
#include <plx_tap_filter.h>

PLX_C_BEGIN

/** The taps of an engine, or of DPDK's ports. */
struct plx_taps;
struct plx_tap;

#define PLX_TAP_SNAP_MAX   262144u /**< what others can read */
#define PLX_TAP_SAMPLE_MAX (1u << 31)
#define PLX_TAP_COST_ALL   1000000u   /**< ppm: all of an lcore's time */
#define PLX_TAP_COST_MIN   1000u      /**< ppm: 0.1 % */
#define PLX_TAP_RING_MIN   65536u     /**< bytes */
#define PLX_TAP_RING	   (4u << 20) /**< bytes, unless said otherwise */
#define PLX_TAP_IN	   1u	      /**< of plx_tap_conf.directions */
#define PLX_TAP_OUT	   2u
#define PLX_TAP_BIT(point) (1u << PLX_PKT_AT_##point)
#define PLX_TAP_MATCHES	   3
#define PLX_TAP_MATCH_RST  "rst" /**< a reset of TCP's, with or without a VLAN tag */

struct plx_tap_conf {
	uint32_t points;     /**< PLX_TAP_BIT(RX) | ...; 0 = RX and TX */
	uint32_t ports;	     /**< a bit for each port by its number; 0 = all */
	uint32_t queues;     /**< a bit for each queue by its number; 0 = all */
	uint32_t directions; /**< PLX_TAP_IN, PLX_TAP_OUT; 0 = both */
	const char *filter;  /**< an expression, or NULL; not kept */
	uint32_t snap_bytes; /**< of a packet at most; 0 = as many as others can read */
	uint32_t sample; /**< one of so many (PLX_TAP_SAMPLE_MAX) at random, before the filter; 0, 1
			    = all */
	/**
	 * What it may cost an lcore, in ppm of its time (busy or not), PLX_TAP_COST_MIN to
	 * PLX_TAP_COST_ALL; 0 = no ceiling. Where looking at all would cost more, one packet in N
	 * is looked at, at random and before all else; N follows the load, for each lcore.
	 */
	uint32_t max_cost_ppm;
	uint64_t limit;	     /**< packets that plx_tap_read() gives at most; 0 = any number */
	uint32_t ring_bytes; /**< for each lcore, made a power of two; 0 = PLX_TAP_RING */
	uint64_t seed;	     /**< of sampling */
	/**
	 * Not 0: a recorder. Of each lcore the newest so many bytes at least stay in memory, each
	 * packet counting 40 more than it has; older ones are overwritten, until plx_tap_freeze().
	 * ring_bytes are for what comes while those are read; 0 = a quarter, PLX_TAP_RING at most.
	 */
	uint64_t keep_bytes;
	/** A recorder's: expressions, or PLX_TAP_MATCH_RST; NULL at the end. Packets that it takes
	 * and that are such have PLX_TAP_F_MATCH(). Not kept. */
	const char *match[PLX_TAP_MATCHES];
};

/** Of plx_tap_pkt.flags. */
enum {
	PLX_TAP_F_OUT = 1 << 0,	      /**< on its way out */
	PLX_TAP_F_HASH = 1 << 1,      /**< hash is the device's RSS hash */
	PLX_TAP_F_CSUM_OK = 1 << 2,   /**< the device says that the checksum is right */
	PLX_TAP_F_CSUM_OPEN = 1 << 3, /**< the checksum is not filled in yet */
	PLX_TAP_F_SUPER = 1 << 4,     /**< one for many, to be cut */
	PLX_TAP_F_REST = 1 << 5, /**< headers are missing: what there was when it was dropped */
};
#define PLX_TAP_F_MATCH_SHIFT 6
/** Which of plx_tap_conf.match[] it is the first of: its index, plus 1; 0 = none. */
#define PLX_TAP_F_MATCH(flags) ((uint32_t)(flags) >> PLX_TAP_F_MATCH_SHIFT)

/** Of plx_tap_pkt.kind. */
enum { PLX_TAP_VOID, PLX_TAP_PKT };

/** A packet, as a ring holds it. caplen bytes follow it: plx_tap_data(). */
struct plx_tap_pkt {
	uint32_t size; /**< the ring's */
	uint8_t kind;  /**< the same */
	uint8_t point; /**< enum plx_pkt_point */
	uint8_t link;  /**< enum plx_tap_link */
	uint8_t flags; /**< PLX_TAP_F_* */
	plx_ns ts_ns;  /**< of the engine's clock; of DPDK's ports: since the taps were made */
	uint32_t caplen, len;
	uint32_t hash;
	/** By this lcore since its packet before: the ring was full, or missed. 0 if that was
	 * overwritten (a recorder's). */
	uint32_t lost;
	uint16_t port; /**< by its number, or PLX_PKT_NO_PORT */
	uint8_t queue;
	uint8_t thin;	 /**< by the ceiling: plx_tap_every() */
	uint16_t reason; /**< of DROP: enum plx_drop */
	uint16_t wire_pkts;
};

static inline const void *plx_tap_data(const struct plx_tap_pkt *p)
{
	return p + 1;
}

/** A packet stands for so many, looked at or missed, because of the tap's ceiling. 1: all were. */
static inline uint32_t plx_tap_every(uint8_t thin)
{
	if (thin < 4)
		return thin ? thin : 1;
	return (4u + (thin & 3)) << (thin / 4 - 1);
}

/** Since a tap was opened. seen is the sum of the next five. */
struct plx_tap_stats {
	uint64_t seen;	   /**< packets at its points, ports and queues */
	uint64_t accepted; /**< copied */
	uint64_t filtered; /**< not wanted by the filter */
	uint64_t full;	   /**< wanted, but the ring was full */
	uint64_t sampled;  /**< left out by sampling */
	uint64_t missed;   /**< not looked at: it would have cost too much */
	uint64_t bytes;	   /**< copied of them */
	uint64_t given;	   /**< of the accepted: by plx_tap_read() */
	/* With a ceiling, of the lcore where that is most: */
	uint32_t every;	   /**< one packet of so many is looked at now; without one 1 */
	uint32_t cost_ppm; /**< what it took of the lcore's last second or two; without one 0 */
};

/** Of an engine, before or during its run; to be destroyed before it. @return NULL with *e filled
 * (NO_MEMORY). */
PLX_API struct plx_taps *plx_taps_create(struct plx_engine *eng, struct plx_error *e);
/** All taps are closed. NULL is fine. */
PLX_API void plx_taps_destroy(struct plx_taps *ts);
/** NULL: there is none, see plx_tap_ethdev.h. */
PLX_API struct plx_engine *plx_taps_engine(const struct plx_taps *ts);

/**
 * From now on it sees.
 * @param why of the filter, may be NULL; then, and only then, e is untouched.
 * @return NULL with *e (NO_MEMORY) or *why filled.
 */
PLX_API struct plx_tap *plx_tap_open(struct plx_taps *ts, const struct plx_tap_conf *conf,
	struct plx_error *e, struct plx_tap_filter_error *why);
/** It sees no more; what it has seen can still be read. Does not wait. Twice is fine. */
PLX_API void plx_tap_detach(struct plx_tap *t);
/** Have all lcores let go of it? Then nothing more comes, and plx_tap_close() does not wait. */
PLX_API bool plx_tap_gone(struct plx_tap *t);
/**
 * Detach, wait for the lcores, free. Who steps an engine itself (plx_engine_step()) has to step
 * until plx_tap_gone() before.
 */
PLX_API void plx_tap_close(struct plx_tap *t);

/** Takes a packet, which is the reader's until it returns. @return false: this one stays. */
typedef bool (*plx_tap_read_fn)(void *arg, const struct plx_tap_pkt *p);
/** The next packets, in the order of their times as far as they are there. @return how many. */
PLX_API uint32_t plx_tap_read(struct plx_tap *t, plx_tap_read_fn fn, void *arg, uint32_t max);
/**
 * A recorder's rings are the reader's from now on, who reads them by plx_tap_read(), oldest first;
 * until then it gives nothing. Lcores go on, as far as there is room: a quarter of what is kept, or
 * conf.ring_bytes, and what has been read. By the thread that reads.
 */
PLX_API void plx_tap_freeze(struct plx_tap *t);
/** The opposite: what was not read is kept, as what comes. */
PLX_API void plx_tap_thaw(struct plx_tap *t);

/** What a recorder has in memory. */
struct plx_tap_kept {
	uint64_t pkts, bytes; /**< of all lcores */
	uint64_t overwritten; /**< packets, since it was opened */
	plx_ns reach_ns;      /**< all that was recorded in the last so many is there */
};
/** Any thread. All 0 if it is no recorder. While lcores run the figures are of about now. */
PLX_API void plx_tap_kept(const struct plx_tap *t, struct plx_tap_kept *k);

/** Has plx_tap_read() given as many as conf.limit says? */
PLX_API bool plx_tap_done(const struct plx_tap *t);
/** Any thread. While lcores run the figures are of about now. */
PLX_API void plx_tap_stats(const struct plx_tap *t, struct plx_tap_stats *s);
/** What it was opened with, all zeroes replaced by what they stand for. */
PLX_API const struct plx_tap_conf *plx_tap_conf_of(const struct plx_tap *t);

PLX_C_END

#include <plx_tap_clock.h>
#include <plx_tap_ethdev.h>
#include <plx_tap_writer.h>
