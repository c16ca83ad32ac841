/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a segment is told when there is no connection to answer it: for the files about connections
 * that are not yet, or no more.
 */
#include "plx_tcp_ctx.h"
#include "plx_tcp_seg.h"

#define LONE_PAWS_S 2073600 /* 24 days: ts_recent is not trusted any longer (RFC 7323 5.5) */
#define LONE_MSL_S  60

static inline void tcp__lone_count(struct plx_tcp_ctx *ctx, enum plx_stat stat)
{
	plx_count(ctx->stat[stat], 1);
}

static inline uint32_t tcp__lone_seconds(plx_ns now)
{
	return (uint32_t)(now / PLX_SEC(1));
}

/* rx as it begins: only where to write a reply is given. */
static inline void tcp__lone_clear(struct plx_tcp_rx *rx)
{
	*rx = (struct plx_tcp_rx){.tx = rx->tx};
}

/* RFC 9293 3.10.7.4, first step, as Linux's tcp_in_window(): some of the segment is in it. */
static inline bool tcp__lone_in_window(const struct plx_tcp_seg *seg, uint32_t nxt, uint32_t wnd)
{
	uint32_t end = seg->seq + plx_tcp_seg_space(seg);

	if (seg->seq == nxt)
		return true;
	if (plx_seq_gt(end, nxt) && plx_seq_lt(seg->seq, nxt + wnd))
		return true;
	return seg->seq == nxt + wnd && seg->seq == end;
}

/* What is known of the peer's clock, for PAWS. */
struct tcp_lone_ts {
	uint32_t recent; /* its last timestamp; 0 = not trusted */
	uint32_t ago_s;	 /* when that came, seconds of now */
};

/* RFC 7323 5.3 R1, as Linux's tcp_paws_reject(): also of RSTs, but only for the time of an MSL. */
static inline bool tcp__lone_paws(
	const struct tcp_lone_ts *ts, const struct plx_tcp_seg *seg, plx_ns now)
{
	uint32_t age_s = tcp__lone_seconds(now) - ts->ago_s;

	if (!(seg->opts.present & PLX_TCP_OPT_TS) || ts->recent == 0)
		return false;
	if (plx_seq_ge(seg->opts.ts_val, ts->recent) || age_s >= LONE_PAWS_S)
		return false;
	return !(seg->flags & PLX_TCP_RST) || age_s < LONE_MSL_S;
}

/* rx->reply becomes the RST for seg, within net.pollux.tcp_rst_limit. */
void tcp__lone_rst(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx);
/*
 * May a segment out of window be answered again (net.ipv4.tcp_invalid_ratelimit)? Counts in
 * skipped if not. Text without SYN is no part of a loop of ACKs and always may. *last_ms: of the
 * last answer, 0 = none.
 */
bool tcp__lone_may_answer(struct plx_tcp_ctx *ctx, const struct plx_tcp_seg *seg, plx_ns now,
	uint32_t *last_ms, enum plx_stat skipped);

/* net.ipv4.tcp_tw_reuse, between these addresses. */
bool tcp__tw_reuse(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id);
