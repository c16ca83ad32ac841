/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What a capture is asked to be, in words (struct capture_conf: the options behind `capture`, the
 * arguments of `tap start`) and in values (struct capture_plan). Knows nothing of DPDK.
 */
#include <plx_base_error.h>
#include <plx_pcapng_rotate.h>

#include "opt.h"

/** As it was given; NULL and 0: not said. */
struct capture_conf {
	const char *filter, *file, *hooks, *ports, *direction, *format, *ring, *buffer;
	const char *record, *trigger, *after, *rearm, *max_cost;
	uint32_t snaplen, count, sample;
	bool once; /**< into a pipe that there is, and forgotten when it has ended */
};

/** Options of a struct capture_conf. */
extern const struct opt capture_opts[];

#define CAPTURE_HOOKS_STRLEN 32

/** What a recorder waits for; in the order of enum plx_tap_trigger_kind. */
enum {
	CAPTURE_ON_DROPS,
	CAPTURE_ON_SQUEEZE,
	CAPTURE_ON_RTO,
	CAPTURE_ON_LATENCY,
	CAPTURE_ON_RST,
	CAPTURE_ON_MATCH,
	CAPTURE_ON_END,
};

#define CAPTURE_TRIGGERS 8

/** As struct plx_tap_trigger. */
struct capture_trigger {
	uint32_t kind;
	uint32_t reason;
	uint64_t over;
	plx_ns ns;
	char text[256]; /**< as it was given; of MATCH the expression */
};

/** All parsed, but the filter and the names of ports. */
struct capture_plan {
	uint32_t hooks;	       /**< a bit for each, by its place in plx_base_point.def */
	uint32_t directions;   /**< PLX_TAP_IN, PLX_TAP_OUT; 0 = both */
	uint32_t format;       /**< enum plx_tap_format */
	uint32_t ring_bytes;   /**< of each lcore; 0 = not said */
	uint32_t max_cost_ppm; /**< of an lcore's time; 0 = no ceiling */
	struct plx_pcapng_rotate_conf rotate;
	uint64_t keep_bytes; /**< of each lcore; 0 = it is no recorder */
	struct capture_trigger trigger[CAPTURE_TRIGGERS];
	uint32_t n_triggers;
	plx_ns after_ns;
	uint32_t after_pkts;
	plx_ns rearm_ns;
};

/** @param cmd whose options they are, for errors. @return 0 or -EINVAL with *e filled. */
int capture_plan(const struct capture_conf *conf, const char *cmd, struct capture_plan *plan,
	struct plx_error *e);

/** "rx,tx", of bits as in a plan, into buf of CAPTURE_HOOKS_STRLEN bytes. @return buf. */
const char *capture_hooks_format(uint32_t hooks, char *buf);
/* capture_trigger.c */

/** "drops>100/1s,rst": of these CAPTURE_TRIGGERS at most. @return false if it is none. */
bool capture_triggers_parse(const char *text, struct capture_trigger *t, uint32_t *n);
/** "1s", of us, ms, s, m; or "0". @return false if it is none, or more than max. */
bool capture_time_parse(const char *text, plx_ns max, plx_ns *ns);
/** A time, or a number of packets. @return false if it is neither. */
bool capture_after_parse(const char *text, plx_ns *ns, uint32_t *pkts);

/* capture_conf.c */

/**
 * "100M": a number, and K, M or G for 1024 to the power of 1, 2 or 3; without one the number times
 * unit. @return false if it is none, 0, or more than max bytes.
 */
bool capture_bytes_parse(const char *text, uint64_t unit, uint64_t max, uint64_t *bytes);
/** "5%", "0.5%": 0.1 to 100, one digit behind the point. @return false if it is none of them. */
bool capture_percent_parse(const char *text, uint32_t *ppm);
