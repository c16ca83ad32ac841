/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What all connections of one lcore share.
 */
#include <plx_base.h>

PLX_C_BEGIN

struct plx_tcp_event;
struct plx_tcp_table;
struct plx_tcp_cc;

/** May come at most `rate` times a second (RFC 5961 7, Linux's challenge ACK limit). */
struct plx_tcp_limit {
	plx_ns since_ns;
	uint32_t used;
};

/** Lengths that a SYN-ACK's time-out can have: 1, 2, 4 .. 64, 120 s. */
#define PLX_TCP_REQ_BACKOFFS 8

/** The caller fills the upper part; plx_tcp_ctx_init() the rest. Must not move. */
struct plx_tcp_ctx {
	const struct plx_tunables *tun; /**< read live */
	uint64_t *stat;	       /**< PLX_STAT_MAX counters of this lcore; of enum plx_stat */
	struct plx_arena *mem; /**< sent records, reassembly ranges, cold parts, SYN queue */
	struct plx_tcp_table *table;
	/** Memory is short, until it is not: windows and buffers grow no more, and what is
	 * announced and taken to be sent is little (Linux's tcp_under_memory_pressure()). */
	bool pressure;
	bool refuse; /**< so short that nobody new is let in: SYNs get a cookie, or are dropped */
	/**
	 * Secret and random, unless a test wants to know what comes. The same on all lcores, if SYN
	 * cookies and timestamps shall survive that a flow moves to another one.
	 */
	uint64_t seed;
	/** Listens to every event of every connection; NULL = nobody does. On the lcore. */
	void (*event)(void *arg, const struct plx_tcp_event *ev);
	void *event_arg;

	/* the library's */
	struct plx_rng rng;	   /**< jitter */
	uint64_t isn_key[2];	   /**< RFC 6528 */
	uint64_t ts_key[2];	   /**< offset of timestamps (RFC 7323 5.4) */
	uint64_t port_key[2];	   /**< RFC 6056 3.3.1 */
	uint64_t cookie_key[2][2]; /**< SYN cookies: of the flow, of the flow and the period */
	/** SYN queues' records, by time-outs so far: in each list they fall due in order. */
	struct plx_list req_due[PLX_TCP_REQ_BACKOFFS];
	struct plx_tcp_limit challenge, reset;
	uint64_t port_draws; /**< so far: each is another one */
	uint32_t time_waits; /**< records now */
};

/** Make the keys of the seed; all counts are 0. @return 0. */
PLX_API int plx_tcp_ctx_init(struct plx_tcp_ctx *ctx);

static inline int64_t plx_tcp__tun(const struct plx_tcp_ctx *ctx, enum plx_tunable id)
{
	return __atomic_load_n(&ctx->tun->v[id], __ATOMIC_RELAXED);
}

/**
 * The initial sequence number of a connection: a clock of 4 us plus a keyed hash of the tuple
 * (RFC 6528 3; 64 ns ticks as Linux's secure_tcp_seq()).
 */
struct plx_tcp_id;
PLX_API uint32_t plx_tcp_isn(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now);
/**
 * What is added to the millisecond clock in timestamps to this pair of addresses; 0 with
 * net.ipv4.tcp_timestamps = 2.
 */
PLX_API uint32_t plx_tcp_ts_offset(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id);
/** Timestamps' clock (RFC 7323 5.4): milliseconds. */
static inline uint32_t plx_tcp_ts_now(plx_ns now)
{
	return (uint32_t)((uint64_t)now / 1000000);
}
/** One more of a limited kind? @param per_second 0 = none, INT_MAX = any number. */
PLX_API bool plx_tcp_limit_take(struct plx_tcp_limit *l, plx_ns now, uint32_t per_second);

PLX_C_END
