/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What happens in a connection, typed: for tests, the tracer and the tap.
 */
#include <plx_base.h>

PLX_C_BEGIN

struct plx_tcp;
struct plx_tcp_seg;
struct plx_tcp_tx;

enum plx_tcp_event_type {
	PLX_TCP_EVENT_STATE,	 /**< a: old, b: new enum plx_tcp_state */
	PLX_TCP_EVENT_IN,	 /**< seg; drop */
	PLX_TCP_EVENT_OUT,	 /**< tx */
	PLX_TCP_EVENT_RTT,	 /**< a: sample, b: smoothed, us */
	PLX_TCP_EVENT_CA,	 /**< a: old, b: new enum plx_tcp_ca */
	PLX_TCP_EVENT_LOST,	 /**< [a, b) taken for lost */
	PLX_TCP_EVENT_RETRANS,	 /**< [a, b) sent again */
	PLX_TCP_EVENT_RTO,	 /**< a: time-outs in a row, b: the next one, us */
	PLX_TCP_EVENT_TLP,	 /**< tail loss probe [a, b) */
	PLX_TCP_EVENT_PROBE,	 /**< zero-window probe number a */
	PLX_TCP_EVENT_KEEPALIVE, /**< keep-alive probe number a */
	PLX_TCP_EVENT_UNDO, /**< a: window before, b: after; a spurious reduction is taken back */
	PLX_TCP_EVENT_REORDER,	 /**< a: old, b: new degree of reordering, segments */
	PLX_TCP_EVENT_CHALLENGE, /**< a challenge ACK is due (RFC 5961) */
	PLX_TCP_EVENT_RENEGED,	 /**< the peer has taken a SACK back (RFC 2018 8) */
	PLX_TCP_EVENT_PRUNE,	 /**< a: bytes of text out of order that were given up */
	PLX_TCP_EVENT_MAX
};

struct plx_tcp_event {
	enum plx_tcp_event_type type;
	enum plx_drop drop;
	plx_ns now;
	const struct plx_tcp *c;
	const struct plx_tcp_seg *seg;
	const struct plx_tcp_tx *tx;
	uint32_t a, b;
};

/** "UNDO". */
PLX_API const char *plx_tcp_event_name(enum plx_tcp_event_type type);

PLX_C_END
