/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Listening (RFC 9293 3.10.7.2, RFC 4987): a bounded SYN queue of records of 128 bytes at most, SYN
 * cookies when it is full, Linux's behaviour when the accept queue is full.
 *
 * The accept queue itself holds the caller's objects; the library only counts what is in it.
 */
#include "plx_tcp_ctx.h"
#include "plx_tcp_seg.h"

PLX_C_BEGIN

struct plx_tcp;

/** What both ends have agreed upon in the handshake: from a SYN queue's record or from a cookie. */
struct plx_tcp_start {
	uint32_t iss, irs;
	uint32_t rcv_wnd; /**< announced in the SYN-ACK, bytes */
	uint32_t ts_recent, ts_off;
	uint16_t mss;	  /**< the peer's option, or 536 / 1220 */
	uint16_t snd_wnd; /**< of the SYN */
	uint8_t snd_wscale, rcv_wscale;
	bool wscale_ok, sack_ok, ts_ok, ecn_ok;
	uint8_t retrans; /**< of the SYN-ACK */
	plx_ns sent_ns;	 /**< the SYN-ACK's first time; PLX_NEVER = not known (a cookie) */
};

/** A listener; embedded in the caller's object. All zero but what the caller sets. */
struct plx_tcp_listener {
	struct plx_tcp_id id; /**< laddr, lport, iface are the caller's */
	bool v6only, reuseport;
	bool unchecked; /**< the caller has settled all conflicts: plx_tcp_listener_add() looks for
			 * none
			 */
	bool home;	/**< its program accepts on this lcore: preferred among SO_REUSEPORT's */
	/* inherited by what it accepts */
	uint32_t rcv_buf;   /**< SO_RCVBUF, bytes; 0 = net.pollux.tcp_rmem_default, tuned */
	uint16_t mss_clamp; /**< TCP_MAXSEG; 0 = none */
	/** TCP_DEFER_ACCEPT: time-outs of the SYN-ACK to wait for text (1 = 1 s, 2 = 3 s, 3 = 7 s);
	 * 0 = accept without. */
	uint8_t defer_accept;
	/* the accept queue, counted by the caller */
	uint32_t backlog;    /**< of listen(2), cut to somaxconn */
	uint32_t accept_len; /**< established and not accepted yet; full when > backlog */
	/* the library's */
	uint32_t syn_len;      /**< records of the SYN queue; most: backlog, tcp_max_syn_backlog */
	uint32_t syn_young;    /**< of them, whose SYN-ACK has not timed out yet */
	bool cookie_sent;      /**< ever: cookie_last_ns is valid */
	plx_ns cookie_last_ns; /**< when a cookie was last sent: only then are ACKs tried as such */
	/** A cookie's ACK was dropped as memory was short: until then what follows it is, too. */
	plx_ns refused_until_ns;
	struct plx_tcp_listener *next; /**< of the table's chain */
	void *user;
};

/**
 * SYN-RECEIVED of a listener: a record of the SYN queue. It needs no timer of its own:
 * plx_tcp_req_due() finds those whose time has come.
 */
struct plx_tcp_req {
	struct plx_tcp_id id;	/**< first */
	struct plx_list of_due; /**< of ctx->req_due[] */
	struct plx_tcp_listener *listener;
	uint32_t iss, irs;
	uint32_t ts_recent, ts_off;
	uint32_t rcv_wnd;
	uint32_t oow_ms; /**< of the last answer to a segment out of window; 0 = none */
	uint16_t mss, snd_wnd;
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	bool wscale_ok : 1, sack_ok : 1, ts_ok : 1, ecn_ok : 1;
	bool acked : 1;	  /**< the handshake is complete, but not taken (yet) */
	uint8_t retrans;  /**< SYN-ACKs sent again, duplicate SYNs' answers among them */
	uint8_t timeouts; /**< of the SYN-ACK */
	plx_ns sent_ns;	  /**< the first SYN-ACK's time */
	plx_ns due_ns;	  /**< of the next SYN-ACK, or of its end */
};
static_assert(sizeof(struct plx_tcp_req) <= 128, "SYN-RECEIVED stays small");

/** What the caller knows of the path to the peer. */
struct plx_tcp_path {
	uint16_t mtu; /**< bytes, IP header included */
	bool v6;
};
/** Text of a segment without options on a path: MSS of RFC 6691. */
static inline uint16_t plx_tcp_path_mss(const struct plx_tcp_path *path)
{
	return (uint16_t)(path->mtu - (path->v6 ? 60 : 40));
}

/** What a listener makes of a segment. */
enum plx_tcp_verdict {
	PLX_TCP_VERDICT_DROP,	 /**< with the reason; rx->reply: send rx->tx, a RST or an ACK */
	PLX_TCP_VERDICT_SYN_ACK, /**< rx->tx is to be sent */
	PLX_TCP_VERDICT_ACCEPT,	 /**< make a connection: plx_tcp_accept() */
};

/**
 * A segment without a connection, for this listener. rx is cleared first, but for rx->tx.
 * @param req  out: the new record (SYN_ACK); it lives in ctx->mem and is found in ctx->table. NULL:
 *             it was a cookie, nothing is kept
 * @param start out: with ACCEPT
 * @param iss_above  0, or of plx_tcp_tw_iss(): the ISN must lie above, and the SYN is let in though
 *             the SYN queue be full
 * @param drop out: the reason; NONE: the segment was of use
 */
PLX_API enum plx_tcp_verdict plx_tcp_listener_input(struct plx_tcp_ctx *ctx,
	struct plx_tcp_listener *l, const struct plx_tcp_id *id, const struct plx_tcp_seg *seg,
	const struct plx_tcp_path *path, plx_ns now, uint32_t iss_above, struct plx_tcp_rx *rx,
	struct plx_tcp_req **req, struct plx_tcp_start *start, enum plx_drop *drop);
/**
 * A segment for a record of the SYN queue (Linux's tcp_check_req()). SYN_ACK: it is sent again, and
 * the segment is dropped for *drop. ACCEPT, and DROP with PLX_TCP_EV_RESET in rx->events: the
 * record is spent, the caller calls plx_tcp_req_fini().
 */
PLX_API enum plx_tcp_verdict plx_tcp_req_input(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req,
	const struct plx_tcp_seg *seg, const struct plx_tcp_path *path, plx_ns now,
	struct plx_tcp_rx *rx, struct plx_tcp_start *start, enum plx_drop *drop);

/**
 * An ICMP error that quotes seq (Linux's tcp_req_err()). @param ends it is one of those that end an
 * attempt. @return true: the record is spent, plx_tcp_req_fini() must follow.
 */
PLX_API bool plx_tcp_req_error(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_req *req, bool ends, uint32_t seq);

/** When plx_tcp_req_due() will find something: one timer of the caller's for all records of the
 * ctx. PLX_NEVER = there are none. */
PLX_API plx_ns plx_tcp_req_deadline(const struct plx_tcp_ctx *ctx);
/** A record whose time has come, or NULL. plx_tcp_req_timer() or _fini() must follow. */
PLX_API struct plx_tcp_req *plx_tcp_req_due(struct plx_tcp_ctx *ctx, plx_ns now);
enum plx_tcp_req_fate {
	PLX_TCP_REQ_SEND, /**< send *tx: the SYN-ACK again */
	PLX_TCP_REQ_WAIT, /**< for text: nothing to send */
	PLX_TCP_REQ_OVER, /**< given up: plx_tcp_req_fini() */
};
/** Its time has come. */
PLX_API enum plx_tcp_req_fate plx_tcp_req_timer(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req,
	const struct plx_tcp_path *path, plx_ns now, struct plx_tcp_tx *tx);
/** Out of queue and table (where a connection may have replaced it), and freed. */
PLX_API void plx_tcp_req_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req);
/** It goes to another lcore: out of queue and table, and no listener's. The memory is ctx->mem's,
 * to be given back by plx_tcp_req_free(). */
PLX_API void plx_tcp_req_leave(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req);
/** The same handshake, which has left another lcore, for a listener of this one. req is only read.
 * @return 0, or -ENOBUFS. */
PLX_API int plx_tcp_req_adopt(
	struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l, const struct plx_tcp_req *req);
/** Of one that has left. */
PLX_API void plx_tcp_req_free(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req);
/** Close a listener: all its records go. Looks at all records of the ctx. */
PLX_API void plx_tcp_listener_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l);

PLX_C_END
