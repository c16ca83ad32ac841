/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A flight recorder: the newest packets of each lcore stay in memory, and are written to a file
 * when something happens, those from before it first.
 *
 * What happens is seen by the recorder's thread, which looks at counters every 2 ms; nothing is
 * asked of lcores for it, but by MATCH and RST, for which each packet that is recorded is run
 * through an expression. The file has what lay in memory at the look, of all lcores in the order of
 * times, and what comes within after_ns or after_pkts. Lcores go on recording meanwhile; what they
 * have no room for is lost, and counted as plx_tap_stats.full. What came too late for a file is
 * kept for the next one.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

/** What may happen. */
enum plx_tap_trigger_kind {
	PLX_TAP_ON_DROPS,   /**< more than `over` wire packets dropped within ns */
	PLX_TAP_ON_SQUEEZE, /**< a pass of an lcore was cut short: time_squeeze */
	PLX_TAP_ON_RTO,	    /**< a retransmission timed out: TCPTimeouts */
	PLX_TAP_ON_LATENCY, /**< a pass of an lcore took more than ns: plx_engine_slow_add() */
	PLX_TAP_ON_RST,	    /**< a packet recorded is a reset of TCP's */
	PLX_TAP_ON_MATCH,   /**< a packet recorded matches the expression `text` */
	PLX_TAP_ON_END,	    /**< the recorder is stopped */
};

#define PLX_TAP_TRIGGERS     8
#define PLX_TAP_DROPS_MIN_NS PLX_MS(10) /**< as often as the thread can be sure to look */
#define PLX_TAP_DROPS_MAX_NS PLX_SEC(60)

struct plx_tap_trigger {
	enum plx_tap_trigger_kind kind;
	uint32_t reason;  /**< of DROPS: enum plx_drop; PLX_DROP_NONE = all together */
	uint64_t over;	  /**< of DROPS */
	plx_ns ns;	  /**< of DROPS: PLX_TAP_DROPS_MIN_NS to _MAX_NS; of LATENCY */
	const char *text; /**< what files call it */
};

/** @see plx_tap_writer_conf.record */
struct plx_tap_record_conf {
	const struct plx_tap_trigger *trigger; /**< copied */
	uint32_t n_triggers; /**< PLX_TAP_TRIGGERS at most; of RST and MATCH PLX_TAP_MATCHES */
	plx_ns after_ns;     /**< packets until so long after it are in the file as well */
	uint32_t after_pkts; /**< or so many of those that are recorded after it; 0 = by time */
	plx_ns rearm_ns; /**< for so long after a file's end nothing but a hand begins another */
};

enum plx_tap_record_state {
	PLX_TAP_RECORD_NONE, /**< it is no recorder */
	PLX_TAP_RECORD_ARMED,
	PLX_TAP_RECORD_WRITES, /**< or waits for what comes after */
	PLX_TAP_RECORD_RESTS,  /**< within rearm_ns */
};

#define PLX_TAP_RECORD_LASTLEN 192

struct plx_tap_record_stats {
	enum plx_tap_record_state state;
	uint64_t triggers; /**< what happened, also by hand */
	uint64_t covered;  /**< of these: within a file that was begun for another */
	uint64_t ignored;  /**< of these: while it rested, without a file */
	uint64_t failed;   /**< files that could not be written, or not to their end */
	int err;	   /**< -errno of the last one of those; 0 = there was none */
	uint64_t pkts, bytes, overwritten; /**< as plx_tap_kept */
	plx_ns reach_ns;
	char last[PLX_TAP_RECORD_LASTLEN]; /**< what the last file begins with; "" = none */
};

PLX_C_END
