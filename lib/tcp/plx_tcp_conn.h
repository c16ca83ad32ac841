/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A connection: its record (the TCB of RFC 9293 3.3.1) and its verbs.
 *
 * Facing the wire: input, output, timer, deadline. Facing the program (RFC 9293 3.9.1): open,
 * wrote, read, shutdown, close, abort; and path, error, prune.
 *
 * The caller holds the bytes. What the program has written stays with the caller until rx.acked
 * says how much of it may go; tx.off counts from there. What came is kept as rx.keep says, and
 * becomes readable as rx.ready says.
 *
 * After each input(), timer(), wrote(), read(), shutdown(), close() the caller drains output() and
 * arms its timer for deadline(). A timer may fire early, never late. No call allocates but from
 * ctx->mem, and none fails for lack of it but where it says so.
 */
#include "plx_tcp_cc.h"
#include "plx_tcp_ctx.h"
#include "plx_tcp_seg.h"

PLX_C_BEGIN

struct plx_tcp_start;
struct plx_tcp_path;
struct tcp_cold; /* what few connections need, or seldom: tcp.h */
struct tcp_ofo;	 /* text out of order: rcvq.c */
struct tcp_run;	 /* text that was sent: sndq.c */

/** What rtx_ns is about. */
enum plx_tcp_rtx {
	PLX_TCP_RTX_NONE,
	PLX_TCP_RTX_RTO,   /**< retransmission time-out (RFC 6298) */
	PLX_TCP_RTX_TLP,   /**< tail loss probe (RFC 8985 7) */
	PLX_TCP_RTX_REO,   /**< end of the reordering window (RFC 8985 6.3) */
	PLX_TCP_RTX_PROBE, /**< zero-window probe (RFC 9293 3.8.6.1) */
};

/** All fields are the library's; read-only for others. */
struct plx_tcp {
	struct plx_tcp_id id; /**< first */
	struct plx_tcp_ctx *ctx;
	struct tcp_cold *cold;

	/* agreed upon in the handshake */
	uint8_t snd_wscale : 4, rcv_wscale : 4; /* at most 14 */
	bool push_due : 1; /**< TCP_NODELAY: nothing that was written up to then is held back */
	bool wscale_ok : 1, sack_ok : 1, ts_ok : 1, ecn_ok : 1;
	bool passive : 1; /**< came by a listener, or will (RFC 9293 3.10.7.4) */
	/* asked for by the program */
	bool nodelay : 1, cork : 1, keepalive : 1;
	bool orphan : 1; /**< the program has closed it */
	/* to be sent */
	bool syn_due : 1, fin_due : 1, rst_due : 1, ack_due : 1, probe_due : 1, tlp_due : 1;
	bool ack_now : 1;   /**< and without delay */
	bool force_due : 1; /**< a partial segment in spite of Nagle and window: the probe's time */
	/* have been */
	bool fin_sent : 1, fin_rcvd : 1;
	bool ece_due : 1; /**< echo congestion until the sender's CWR (RFC 3168 6.1.3) */
	bool cwr_due : 1; /**< tell the receiver that the window was reduced */
	bool ecn_seen : 1;
	bool urg_rcvd : 1, urg_due : 1; /**< cold->rcv_up, cold->snd_up are valid */
	bool pingpong : 1;		/**< answers carry the ACKs: delay them */
	bool cwnd_limited : 1; /**< the window was full in the flight that ends at max_out_seq */
	bool reord_seen : 1;
	bool frto : 1;	      /**< RFC 5682: it is not known yet if the time-out was spurious */
	bool frto_new : 1;    /**< its step 2.b: new text first */
	bool undo_ok : 1;     /**< rec.marker is valid */
	bool tlp_out : 1;     /**< rec.tlp_end is valid */
	bool tlp_retrans : 1; /**< the probe was a retransmission */
	bool dsack_due : 1;   /**< cold->dsack is to be reported */
	bool rack_new : 1;    /**< RACK has learned something in this ACK */
	bool rack_dsack : 1;  /**< a D-SACK came in this round trip */
	bool fixed_buf : 1;   /**< SO_RCVBUF: no tuning */
	bool burst : 1;	      /**< new text was sent, and the window is not judged by it yet */
	bool odd : 1;	      /**< the first of two segments was sent: see pushed() */
	bool more : 1; /**< MSG_MORE: hold back what is no full segment, until output() says no */
	bool unpushed : 1; /**< the last text was written with MSG_MORE */
	bool no_room : 1;  /**< there was no memory for text in order: close the window */
	uint8_t err;	   /**< errno that closed it, or that a soft ICMP error left */

	/** RFC 9293 3.3.1: the receive sequence space. */
	struct {
		uint32_t nxt;
		uint32_t wup;	   /**< nxt at the last ACK sent */
		uint32_t wnd;	   /**< announced then, bytes */
		uint32_t read;	   /**< next byte that the program reads */
		uint32_t buf;	   /**< most bytes to hold: SO_RCVBUF or tuned */
		uint32_t ssthresh; /**< most to announce now; grows with what came (Linux) */
		struct tcp_ofo *ofo;
		uint16_t mss;	    /**< size of the peer's segments, guessed */
		uint8_t quick;	    /**< segments still to be acknowledged at once */
		bool rtt_on : 1;    /**< rtt_seq is valid */
		bool pushed : 1;    /**< an ACK is due of what was pushed, or is short */
		bool pushed2 : 1;   /**< of two short ones */
		uint32_t ato_us;    /**< delayed ACK time-out */
		uint32_t last_ms;   /**< the last text's time */
		uint32_t ts_recent; /**< RFC 7323 4.3 */
		uint32_t ts_ago_s;  /**< when: seconds of now */
		uint32_t rtt_us, rtt_seq,
			rtt_at_us; /**< the receiver's estimate of the round trip */
		uint32_t space, space_seq, space_at_us; /**< read in one of them (buffer tuning) */
		uint32_t room; /**< memory that the caller holds for received text, bytes */
	} rcv;
	uint32_t ts_off;
	uint32_t delivered; /**< segments, in all */

	/** The send sequence space. */
	struct {
		uint32_t una, nxt, wnd, wl1;
		uint32_t end; /**< behind the last byte written (without FIN) */
		uint32_t max_wnd;
		uint32_t sml;	   /**< end of the last segment below one MSS (Minshall) */
		uint16_t mss;	   /**< text of a full segment now, options deducted */
		uint16_t mss_peer; /**< as announced */
		plx_ns last_ns; /**< when text was last sent; retransmissions get times of their own
				 */
		struct tcp_run *run; /**< what was sent and is not acknowledged: a ring */
		uint16_t run_head, run_n, run_cap;
		uint16_t mss_clamp; /**< TCP_MAXSEG; 0 = none */
	} snd;
	uint32_t packets_out, sacked_out, lost_out, retrans_out;
	uint8_t ca;	      /**< enum plx_tcp_ca */
	uint8_t rtx_kind;     /**< enum plx_tcp_rtx */
	uint8_t backoff;      /**< doublings of the time-out */
	uint8_t retransmits;  /**< time-outs in a row */
	uint8_t probes;	      /**< zero-window or keep-alive probes without an answer */
	uint8_t rack_steps;   /**< the reordering window: of min_rtt / 4 */
	uint8_t rack_persist; /**< recoveries for which it stays */
	uint8_t pings;	      /**< answers that followed text quickly */
	plx_ns delack_ns, keep_ns;
	uint64_t bytes_received;

	/* Up to here it is what receiving text in order touches: four cache lines. */

	/** Congestion: segments, as Linux counts them. */
	uint32_t cwnd, ssthresh, cwnd_cnt;
	uint32_t max_out, max_out_seq; /**< most in flight, within the flight that ends there */
	uint32_t iss;
	uint32_t used_out; /**< most in flight since the window was in full use */
	uint16_t pmtu;
	uint16_t reordering;
	const struct plx_tcp_cc *cc;
	uint64_t cc_priv[PLX_TCP_CC_PRIV_BYTES / 8];

	/** Round trips (RFC 6298), us. */
	struct {
		uint32_t srtt8_us; /**< smoothed, times 8; 0 = no sample yet */
		uint32_t mdev4_us; /**< mean deviation, times 4 */
		uint32_t mdev_max4_us, rttvar4_us;
		uint32_t seq; /**< rttvar is looked at once a flight */
		uint32_t rto_us;
		uint32_t min_us; /**< of the last five minutes; UINT32_MAX = none */
		uint32_t min_at_ms;
	} rtt;

	/** RACK (RFC 8985). */
	struct {
		plx_ns xmit_ns;
		uint32_t end_seq, rtt_us;
		uint32_t fack; /**< highest sequence number that was SACKed */
		uint32_t dsack_seq;
	} rack;

	/** Recovery (RFC 6675, RFC 6937, RFC 5682, RFC 3522). */
	struct {
		uint32_t recover; /**< RecoveryPoint: snd.nxt when it began */
		uint32_t tlp_end; /**< TLP.end_seq */
		uint32_t prr_delivered, prr_out;
		uint32_t prior_cwnd, prior_ssthresh;
		uint32_t marker;      /**< snd.una when the window was reduced */
		int32_t undo_retrans; /**< retransmissions not yet reported needless; -1 = none yet
				       */
		uint32_t retrans_ms;  /**< when the first one was sent; 0 = none */
	} rec;
	uint32_t used_ms; /**< when that was */

	plx_ns rtx_ns, pace_ns;
	uint64_t bytes_acked;
};
static_assert(sizeof(struct plx_tcp) <= 448, "the record stays small");
static_assert(offsetof(struct plx_tcp, cwnd) == 256, "and what is received in order in its front");

/* From and to the program */

/** All zero but id, ctx and the tunables' defaults. In state CLOSED. */
PLX_API void plx_tcp_init(struct plx_tcp *c, struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id);
/** Give back what it holds of ctx->mem. Not in the table any more. */
PLX_API void plx_tcp_fini(struct plx_tcp *c);
/**
 * *to, memory of another lcore, becomes the connection that c is, with that lcore's ctx: c's own
 * parts are copied, and are left to plx_tcp_fini(). Neither is in a table. c's lcore does not touch
 * it meanwhile. @return 0, or -ENOBUFS: ctx->mem has no room, and *to is nothing.
 */
PLX_API int plx_tcp_adopt(struct plx_tcp *to, struct plx_tcp_ctx *ctx, const struct plx_tcp *c);
/** Active open: CLOSED -> SYN-SENT. @param iss_above as of plx_tcp_tw_reusable(), or 0. */
PLX_API void plx_tcp_open(
	struct plx_tcp *c, const struct plx_tcp_path *path, uint32_t iss_above, plx_ns now);
/** Passive: CLOSED -> SYN-RECEIVED; the segment that completed the handshake is its first input().
 */
PLX_API void plx_tcp_accept(struct plx_tcp *c, const struct plx_tcp_start *start,
	const struct plx_tcp_path *path, plx_ns now);
/** n bytes more are there to be sent (SEND); the last of them is pushed. */
PLX_API void plx_tcp_wrote(struct plx_tcp *c, uint32_t n, plx_ns now);
/** The same with MSG_MORE: what is no full segment may wait for the rest, nothing is pushed. */
PLX_API void plx_tcp_wrote_more(struct plx_tcp *c, uint32_t n, plx_ns now);
/** The program has read n bytes (RECEIVE). */
PLX_API void plx_tcp_read(struct plx_tcp *c, uint32_t n, plx_ns now);
/** No more will be written (CLOSE, as by shutdown(SHUT_WR)): a FIN behind what is there. */
PLX_API void plx_tcp_shutdown(struct plx_tcp *c, plx_ns now);
/**
 * The program lets go of it: shutdown, and nobody reads. Unread data is answered by a RST
 * (RFC 1122 4.2.2.13; RFC 2525 2.17).
 */
PLX_API void plx_tcp_close(struct plx_tcp *c, plx_ns now);
/** ABORT: a RST if the peer knows of us; CLOSED once output() has said it. */
PLX_API void plx_tcp_abort(struct plx_tcp *c, plx_ns now);

/** Bytes that the program can read now. */
static inline uint32_t plx_tcp_readable(const struct plx_tcp *c)
{
	return c->rcv.nxt - c->rcv.read - c->fin_rcvd;
}
/** Bytes written and not acknowledged yet. */
PLX_API uint32_t plx_tcp_unacked(const struct plx_tcp *c);
/** How many of them have not been sent for the first time yet. */
PLX_API uint32_t plx_tcp_unsent(const struct plx_tcp *c);
/** Bytes that the send buffer should take now (Linux's tcp_sndbuf_expand()), within bounds. */
PLX_API uint32_t plx_tcp_sndbuf(const struct plx_tcp *c);

PLX_API void plx_tcp_set_nodelay(struct plx_tcp *c, bool on);
PLX_API void plx_tcp_set_cork(struct plx_tcp *c, bool on);
/** @param on false: delay ACKs; true: send them at once for a while (TCP_QUICKACK) */
PLX_API void plx_tcp_set_quickack(struct plx_tcp *c, bool on, plx_ns now);
/** SO_KEEPALIVE; 0 = the tunable's. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_keepalive(
	struct plx_tcp *c, bool on, uint32_t idle_s, uint32_t intvl_s, uint32_t count, plx_ns now);
/** RFC 5482, TCP_USER_TIMEOUT; 0 = none. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_user_timeout(struct plx_tcp *c, uint32_t ms);
/** SO_RCVBUF: a fixed size ends auto-tuning. @return 0 or -ENOBUFS */
PLX_API int plx_tcp_set_rcvbuf(struct plx_tcp *c, uint32_t bytes);
/** SO_SNDBUF: a fixed size, bytes, ends auto-tuning; 0 begins it again. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_sndbuf(struct plx_tcp *c, uint32_t bytes);
/** TCP_SYNCNT: SYNs sent again before giving up; 0 = the tunable's. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_syncnt(struct plx_tcp *c, uint8_t n);
/** TCP_WINDOW_CLAMP: announce no more, bytes; what was announced stays; 0 = any, else at least
 * Linux's least. Before open() it bounds the window scale, too. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_window_clamp(struct plx_tcp *c, uint32_t bytes);
/** TCP_LINGER2: how long an orphan stays in FIN-WAIT-2, at most 120 s; 0 = the tunable's, below:
 * not at all, its peer is reset. @return 0 or -ENOBUFS. */
PLX_API int plx_tcp_set_linger2(struct plx_tcp *c, int32_t seconds);
/** TCP_MAXSEG. */
PLX_API void plx_tcp_set_maxseg(struct plx_tcp *c, uint16_t mss);
/** The byte behind which urgent data ends is the last one written (MSG_OOB; RFC 6093). */
PLX_API void plx_tcp_urgent(struct plx_tcp *c);
/**
 * Is there urgent data that was not read yet? *off: bytes that can be read before its last one,
 * Linux's mark (SIOCATMARK: 0); it need not have come yet.
 */
PLX_API bool plx_tcp_urgent_at(const struct plx_tcp *c, uint32_t *off);
/** @return 0, -ENOENT. */
PLX_API int plx_tcp_set_cc(struct plx_tcp *c, const char *name, plx_ns now);

/* From and to the wire */

/**
 * A segment of this connection. *rx is filled (rx->tx is the caller's).
 * @return NONE when something of it was of use, else the reason to drop it for.
 */
PLX_API enum plx_drop plx_tcp_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx);
/** The next segment to send. @return false: none, tx->why says why. */
PLX_API bool plx_tcp_output(
	struct plx_tcp *c, plx_ns now, const struct plx_tcp_room *room, struct plx_tcp_tx *tx);
/** Would output() say no, for want of anything to send? Then no room need be made for it either. */
PLX_API bool plx_tcp_idle(struct plx_tcp *c, plx_ns now);
/** Whatever is due at now. @return PLX_TCP_EV_* (RESET: timed out, c->err says why; CLOSED; DOUBT).
 */
PLX_API uint16_t plx_tcp_timer(struct plx_tcp *c, plx_ns now);
/** When to call timer() or output() again; PLX_NEVER when idle. */
static inline plx_ns plx_tcp_deadline(const struct plx_tcp *c)
{
	plx_ns a = PLX_MIN(c->rtx_ns, c->delack_ns), b = PLX_MIN(c->keep_ns, c->pace_ns);

	return PLX_MIN(a, b);
}

/* From the path */

/**
 * "Too big" that quotes the sequence number seq (RFC 1191, 8201; RFC 5927 7): the MSS follows, what
 * was too long is sent again. @return false when it is not believed.
 */
PLX_API bool plx_tcp_path_mtu(struct plx_tcp *c, uint16_t mtu, uint32_t seq, plx_ns now);
/**
 * The route's MTU, before output(): the MSS follows it down and, when the last "too big" is older
 * than net.ipv4.route.mtu_expires, up again (RFC 1191 6.3, RFC 8201 4).
 */
PLX_API void plx_tcp_route_mtu(struct plx_tcp *c, uint16_t mtu, plx_ns now);
/**
 * An ICMP error that quotes seq (RFC 1122 4.2.3.9, RFC 5461, RFC 5927 4): err as Linux maps it.
 * Hard errors end a connection that is not established yet; all else is remembered.
 * @return PLX_TCP_EV_* as timer().
 */
PLX_API uint16_t plx_tcp_error(struct plx_tcp *c, int err, bool hard, uint32_t seq, plx_ns now);
/** The error that is remembered, and is not from here on (Linux's sk_err_soft). @return 0: none. */
PLX_API int plx_tcp_take_error(struct plx_tcp *c);

/* From who has the memory */

/**
 * The caller holds n bytes of memory more (less, when negative) for received text: not its bytes,
 * but the room that they take (Linux's truesize). The window closes as that nears SO_RCVBUF, which
 * is twice rcv.buf.
 */
static inline void plx_tcp_hold(struct plx_tcp *c, int32_t n)
{
	c->rcv.room += (uint32_t)n;
}
/** Is that more than SO_RCVBUF? As in Linux a segment may go beyond it, be it a small one in a
 * small buffer; the next may not. */
static inline bool plx_tcp_is_full(const struct plx_tcp *c)
{
	return c->rcv.room > 2 * (uint64_t)c->rcv.buf;
}
/** What was announced and is not used, bytes from rcv.nxt on. */
static inline uint32_t plx_tcp_window(const struct plx_tcp *c)
{
	int32_t left = plx_seq_diff(c->rcv.wup + c->rcv.wnd, c->rcv.nxt);

	return left < 0 ? 0 : (uint32_t)left;
}
/**
 * Memory is short for received text (the begin of Linux's tcp_prune_queue()): a tuned buffer may
 * grow, unless memory is short for all; else little is announced from now on.
 */
PLX_API void plx_tcp_clamp(struct plx_tcp *c);
/** Give up text out of order that lies at or behind byte rcv.nxt + from, which RFC 2018 8 allows
 * though it was SACKed. @return bytes given up; the caller frees them. */
PLX_API uint32_t plx_tcp_prune(struct plx_tcp *c, uint32_t from);
/** All that did not help: text in order is refused. It is told at once, with a closed window, so
 * that the peer asks for room instead of sending in vain until it gives up. */
PLX_API void plx_tcp_refuse(struct plx_tcp *c);

PLX_C_END
