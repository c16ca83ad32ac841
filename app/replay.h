/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux replay` without DPDK: packets as they lie in memory, when each is due, what is rewritten
 * in them, and how they come out of a capture file. replay.c, replay_rewrite.c, replay_load.c
 *
 * The whole file is read before the first packet leaves: a disk makes none late, and what is wrong
 * with the file is said while nothing has been sent.
 */
#include <plx_base.h>
#include <plx_base_error.h>
#include <plx_pcapng.h>

#include "opt.h"

/* --- packets in memory: replay.c ------------------------------------------------------------- */

/** A packet as it is sent. Its bytes follow, and then the next packet. */
struct replay_pkt {
	plx_ns at_ns;	/**< while loading: its time in the file; then since its round began */
	uint32_t bytes; /**< to send */
	uint8_t data[];
};

#define REPLAY_NO_TIME INT64_MIN /**< the file does not say when */

/** Packets one behind the other. Zeroed but for max = none. Owned by who fills it. */
struct replay_store {
	uint8_t *mem;
	size_t used, room; /**< bytes */
	size_t max;	   /**< bytes that it may become */
	uint64_t pkts, bytes;
};

/**
 * Append a packet of so many bytes: those at data, and zeroes behind them.
 * @return it, until the next one is added; NULL with errno ENOSPC (over max) or ENOMEM.
 */
struct replay_pkt *replay_add(
	struct replay_store *s, plx_ns at_ns, const void *data, uint32_t have, uint32_t bytes);
/** @return NULL: there is none. */
struct replay_pkt *replay_first(const struct replay_store *s);
/** @return NULL: p was the last one. */
struct replay_pkt *replay_next(const struct replay_store *s, const struct replay_pkt *p);
void replay_free(struct replay_store *s);

/* --- when: replay.c -------------------------------------------------------------------------- */

enum replay_mode {
	REPLAY_TIMED, /**< as the file says, by `speed` */
	REPLAY_PPS,   /**< `rate` packets a second */
	REPLAY_BPS,   /**< `rate` bits a second, of frames without FCS, preamble and gap */
	REPLAY_FLAT,  /**< as fast as the port takes them */
};

struct replay_pace {
	enum replay_mode mode;
	double speed;  /**< 2: in half the time */
	uint64_t rate; /**< not 0 */
	/* of replay_plan() */
	uint64_t round_units, units_per_s; /**< a round: ns, packets or bits */
	uint64_t backwards; /**< packets whose time is before that of one in front of them */
	uint64_t untimed;   /**< packets without a time */
};

/** "10", "x10", "10x", "0.5": from 0.000001 to 1000000. @return false: it is none. */
bool replay_speed_parse(double *speed, const char *text);
/** Mb/s, "0.5": from 0.001 to 1000000. @return false: it is none. */
bool replay_mbps_parse(uint64_t *bps, const char *text);

/**
 * When each packet is due: at_ns of all of them.
 *
 * Of times that the file says none is before that of a packet in front of it: such a packet, and
 * one without a time, is due at once. A round ends one mean gap after its last packet, so that
 * rounds follow each other at the file's pace.
 */
void replay_plan(const struct replay_store *s, struct replay_pace *pace);
/** When round k, from 0 on, begins after the first one. Never more than 73 years. */
plx_ns replay_round_ns(const struct replay_pace *pace, uint64_t k);

/* --- what is changed: replay_rewrite.c ------------------------------------------------------- */

#define REPLAY_MAPS_MAX OPT_LIST_MAX

/** A prefix becomes another of the same length; what is behind the prefix stays. */
struct replay_map {
	struct plx_prefix from, to;
};

struct replay_rewrite {
	struct opt_mac src, dst;
	struct replay_map map[REPLAY_MAPS_MAX]; /**< the first that matches counts */
	uint32_t n_maps;
};

/** "10.0.0.0/8=10.9.0.0/8". @return NULL, or what is wrong: a static text. */
const char *replay_map_parse(struct replay_map *m, const char *text);

/**
 * Rewrite a frame in place: its MACs; the addresses of its outermost IP header, of ARP, of the
 * targets of neighbour discovery; and mend the checksums of IPv4, TCP, UDP (and -Lite), DCCP and
 * ICMPv6 for what has changed (RFC 1624), so that one that was wrong stays so. A frame that is cut
 * off, malformed, or of anything else is changed as far as it goes.
 * @param eth it begins with an Ethernet header; else with that of IP.
 * @return did anything change?
 */
bool replay_rewrite(const struct replay_rewrite *r, void *frame, uint32_t len, bool eth);

/* --- out of a file: replay_load.c ------------------------------------------------------------ */

#define REPLAY_IFACES_MAX 1024 /**< of a section */

/** What of a file is wanted, and what becomes of it. */
struct replay_want {
	bool ip;	/**< packets begin with an IP header; else with an Ethernet header */
	bool one_iface; /**< of interface number `iface` of each section alone */
	bool pad;	/**< what was not captured becomes zeroes; else it is missing */
	uint32_t iface;
	const struct replay_rewrite *rewrite; /**< NULL: nothing is changed */
	/** Is it wanted? Before it is rewritten. NULL: all are. */
	bool (*filter)(void *arg, const struct plx_pcapng_pkt *p);
	void *arg;
};

/** What became of a file's packets. */
struct replay_counts {
	uint64_t read;	    /**< the sum of those that are to be sent and of the next three */
	uint64_t filtered;  /**< not wanted by the filter */
	uint64_t ifaces;    /**< of other interfaces */
	uint64_t links;	    /**< of links that the port does not have */
	uint64_t snapped;   /**< to be sent, but not captured whole */
	uint64_t rewritten; /**< to be sent, changed */
	const char *cut;    /**< how the file ends, if not with a whole packet; else NULL */
	uint64_t cut_at;    /**< where: a byte of the file */
};

/** A capture file that is being read. */
struct replay_file {
	const char *path; /**< the caller's */
	int fd;
	uint8_t *buf;
	size_t at, have, room; /**< unread bytes: have from at on */
	bool eof, head;
	struct plx_pcapng_reader reader;
	struct plx_pcapng_item item; /**< the first one, when `head` */
	enum plx_pcapng_kind kind;
	struct plx_pcapng_clock clock[REPLAY_IFACES_MAX];
	uint32_t link[REPLAY_IFACES_MAX];
};

/**
 * Open it and see what it is. "-" is standard input.
 * @return 0 or -errno with *e filled (PCAP_FILE) and nothing to close.
 */
int replay_file_open(struct replay_file *f, const char *path, struct plx_error *e);
/**
 * All that is wanted of it, with the file's times. A file that is cut off is read as far as it
 * goes.
 * @return 0; -ENOSPC: it is more than s->max, *e untouched; or -errno with *e filled.
 */
int replay_load(struct replay_file *f, const struct replay_want *w, struct replay_store *s,
	struct replay_counts *c, struct plx_error *e);
/** Close it. Twice is fine. */
void replay_file_close(struct replay_file *f);
