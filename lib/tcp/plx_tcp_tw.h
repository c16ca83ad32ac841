/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * TIME-WAIT (RFC 9293 3.4.2, 3.10.7.4; RFC 6191; RFC 1337): what is left of a connection, in
 * 96 bytes at most.
 */
#include "plx_tcp_ctx.h"
#include "plx_tcp_seg.h"

PLX_C_BEGIN

struct plx_tcp;

struct plx_tcp_tw {
	struct plx_tcp_id id; /**< first */
	uint32_t snd_nxt, rcv_nxt;
	uint32_t rcv_wnd; /**< bytes */
	uint32_t ts_recent, ts_off;
	uint32_t ts_ago_s; /**< when ts_recent came: seconds of now */
	uint32_t oow_ms;   /**< of the last answer to a segment out of window; 0 = none */
	uint8_t rcv_wscale;
	uint8_t linger_s; /**< of FIN-WAIT-2; 0 = net.ipv4.tcp_fin_timeout */
	bool ts_ok : 1;
	bool fin_wait_2 : 1;	  /**< not yet TIME-WAIT: an orphan that waits for the peer's FIN */
	bool cut_short : 1;	  /**< ended by a segment */
	bool named : 1, away : 1; /**< the caller's; false at first */
	plx_ns until_ns;	  /**< the end; the caller's timer is due then */
	struct plx_list
		of_age; /**< the caller's: TIME-WAITs end in the order in which they began */
};
static_assert(sizeof(struct plx_tcp_tw) <= 96, "TIME-WAIT stays small");

/**
 * Make w of c, which has said TIME_WAIT or is an orphan in FIN-WAIT-2; in the table w takes c's
 * place. c keeps its numbers and is the caller's to end. until_ns is set; of_age is not touched.
 * @return 0, -ENOBUFS when there are net.ipv4.tcp_max_tw_buckets.
 */
PLX_API int plx_tcp_tw_init(struct plx_tcp_tw *w, struct plx_tcp *c, plx_ns now);
/**
 * A segment for it (Linux's tcp_timewait_state_process()). rx is cleared first, but for rx->tx.
 * rx->reply: send rx->tx. rx->events: REOPEN: if somebody listens, take plx_tcp_tw_iss(), end w,
 * and let the listener see the segment; if not, w stays and rx->tx is the answer. CLOSED: end w.
 * When until_ns has moved, the timer moves with it.
 * @return the drop reason, or NONE.
 */
PLX_API enum plx_drop plx_tcp_tw_input(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w,
	const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx);
/** What the ISN of a connection that takes its place must lie above (RFC 1122 4.2.2.13): all that
 * its window allowed to be sent. Never 0. */
static inline uint32_t plx_tcp_tw_iss(const struct plx_tcp_tw *w)
{
	uint32_t iss = w->snd_nxt + 65535 + 2; /* as Linux does */

	return iss ? iss : 1;
}
/**
 * Do timestamps tell what is old from what is new? Then who has named its local port may take the
 * four-tuple at once, whatever net.ipv4.tcp_tw_reuse says (Linux's tcp_twsk_unique()); its ISN lies
 * above plx_tcp_tw_iss().
 */
static inline bool plx_tcp_tw_stamped(const struct plx_tcp_tw *w)
{
	return w->ts_ok && !w->fin_wait_2;
}
/** Out of the table; counts as it ended: in time, cut short, or reused. The memory is the
 * caller's. */
PLX_API void plx_tcp_tw_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w, plx_ns now);
/** It goes to another lcore: out of the table, and no count is of its end. */
PLX_API void plx_tcp_tw_leave(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w);
/** *w, this lcore's memory, is what has left another one as *from; of_age is not touched.
 * @return 0, or -ENOBUFS. */
PLX_API int plx_tcp_tw_adopt(
	struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w, const struct plx_tcp_tw *from, plx_ns now);
/**
 * May a new active open take its four-tuple (net.ipv4.tcp_tw_reuse, RFC 6191)? Then *isn is one
 * that lies behind all that was sent.
 */
PLX_API bool plx_tcp_tw_reusable(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_tw *w, plx_ns now, uint32_t *isn);

PLX_C_END
