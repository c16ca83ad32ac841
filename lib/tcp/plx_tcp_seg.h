/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What crosses the border of the library: a segment that came, what became of it, a segment to
 * send. All in host order; none points to bytes.
 */
#include <plx_base.h>
#include <plx_wire_tcp.h>

PLX_C_BEGIN

/** RFC 9293 3.3.2; the values are Linux's, as `ss` and TCP_INFO show them. */
enum plx_tcp_state {
	PLX_TCP_ESTABLISHED = 1,
	PLX_TCP_SYN_SENT,
	PLX_TCP_SYN_RECEIVED,
	PLX_TCP_FIN_WAIT_1,
	PLX_TCP_FIN_WAIT_2,
	PLX_TCP_TIME_WAIT,
	PLX_TCP_CLOSED,
	PLX_TCP_CLOSE_WAIT,
	PLX_TCP_LAST_ACK,
	PLX_TCP_LISTEN,
	PLX_TCP_CLOSING,
	PLX_TCP_STATE_MAX
};

/** "ESTABLISHED". */
PLX_API const char *plx_tcp_state_name(enum plx_tcp_state state);

/** What the table finds: which struct the id begins. */
enum plx_tcp_kind {
	PLX_TCP_KIND_CONN = 1, /**< struct plx_tcp */
	PLX_TCP_KIND_REQ,      /**< struct plx_tcp_req: SYN-RECEIVED of a listener */
	PLX_TCP_KIND_TW,       /**< struct plx_tcp_tw */
	PLX_TCP_KIND_LISTENER, /**< struct plx_tcp_listener */
};

/** Begins every struct that the table holds; IPv4 is IPv4-mapped. 40 bytes. */
struct plx_tcp_id {
	struct plx_addr laddr, raddr;
	uint16_t lport, rport;
	uint8_t kind;	/**< enum plx_tcp_kind */
	uint8_t state;	/**< enum plx_tcp_state */
	uint16_t iface; /**< bound to this interface; 0 = any */
};

/** ECN field of the IP header (RFC 3168 5). */
enum plx_tcp_ecn { PLX_TCP_NOT_ECT, PLX_TCP_ECT_1, PLX_TCP_ECT_0, PLX_TCP_CE };

/** A segment that came, checksum verified. */
struct plx_tcp_seg {
	uint32_t seq, ack;
	uint32_t len;	/**< bytes of text; what is merged may exceed 65,535 */
	uint16_t flags; /**< PLX_TCP_* of wire */
	uint16_t win;	/**< as it stands in the header */
	uint16_t urg;
	uint8_t ecn;  /**< enum plx_tcp_ecn */
	uint8_t segs; /**< wire segments that it stands for; 0 = 1 */
	struct plx_tcp_opts opts;
};

/** Sequence space that a segment takes: text, SYN and FIN. */
static inline uint32_t plx_tcp_seg_space(const struct plx_tcp_seg *seg)
{
	return seg->len + !!(seg->flags & PLX_TCP_SYN) + !!(seg->flags & PLX_TCP_FIN);
}

#define PLX_TCP_KEEP_MAX 4

/** A part of a segment's text that is new. */
struct plx_tcp_keep {
	uint32_t off; /**< where it begins in the segment's text, bytes */
	uint32_t len; /**< bytes, > 0 */
	uint32_t at;  /**< where it belongs: bytes behind rcv.nxt as it was before this segment */
};

/** What has happened, for the program; bits. */
#define PLX_TCP_EV_ESTABLISHED 0x01  /**< the handshake is complete */
#define PLX_TCP_EV_READABLE    0x02  /**< rx.ready bytes more are in order */
#define PLX_TCP_EV_ACKED       0x04  /**< rx.acked bytes may be forgotten */
#define PLX_TCP_EV_FIN	       0x08  /**< the peer will send no more */
#define PLX_TCP_EV_RESET       0x10  /**< gone: c->err says why; state is CLOSED */
#define PLX_TCP_EV_TIME_WAIT   0x20  /**< over: the caller makes a plx_tcp_tw of it */
#define PLX_TCP_EV_CLOSED      0x40  /**< over, without TIME-WAIT */
#define PLX_TCP_EV_URGENT      0x80  /**< the urgent pointer has moved (RFC 6093) */
#define PLX_TCP_EV_FIN_ACKED   0x100 /**< our FIN has been acknowledged */
#define PLX_TCP_EV_REOPEN      0x200 /**< plx_tcp_tw: this SYN may begin a new connection */
#define PLX_TCP_EV_DOUBT       0x400 /**< no answer for R1: is the next hop still there? */

/**
 * What became of a segment. The caller keeps keep[] of its text and frees the rest: each byte of
 * the stream is named exactly once (the first copy wins), also when segments overlap.
 */
struct plx_tcp_rx {
	struct plx_tcp_keep keep[PLX_TCP_KEEP_MAX];
	uint8_t n_keep;
	bool ack_now;	 /**< drain output() before the next input() (RFC 5681 4.2, RFC 2883) */
	bool reply;	 /**< `seg` below is to be sent: a RST or an ACK without a connection */
	uint16_t events; /**< PLX_TCP_EV_* */
	uint32_t
		ready; /**< bytes that are in order now and were not before; kept ones among them */
	uint32_t acked;	       /**< bytes of ours newly acknowledged, without SYN and FIN */
	struct plx_tcp_tx *tx; /**< where a reply is written; the caller's, never NULL */
};

/** What the caller can send. Reserved beforehand, so that what output() names is sent. */
struct plx_tcp_room {
	uint32_t segs;	  /**< wire segments */
	uint32_t bytes;	  /**< of text */
	uint32_t max_len; /**< text of the largest (super-)segment; 0 = one MSS */
	bool no_new;	  /**< for ACKs and what was sent before, not for new text */
};

/** Why output() had nothing (more). */
enum plx_tcp_why {
	PLX_TCP_WHY_IDLE,  /**< nothing to send */
	PLX_TCP_WHY_CWND,  /**< congestion window */
	PLX_TCP_WHY_RWND,  /**< the peer's window */
	PLX_TCP_WHY_NAGLE, /**< Nagle, cork or silly-window avoidance */
	PLX_TCP_WHY_PACE,  /**< departs later: see deadline() */
	PLX_TCP_WHY_ROOM,  /**< the caller has none: ask again */
};

/** A segment to send. */
struct plx_tcp_tx {
	uint32_t seq, ack;
	uint32_t len;	/**< bytes of text */
	uint32_t off;	/**< where its text begins: bytes behind the first one not acknowledged */
	uint16_t flags; /**< PLX_TCP_* of wire */
	uint16_t win;	/**< as it goes into the header */
	uint16_t urg;
	uint16_t mss;	  /**< cut it into segments of so much text */
	uint8_t ecn;	  /**< of the IP header: enum plx_tcp_ecn */
	uint8_t why;	  /**< enum plx_tcp_why, when there is none */
	plx_ns depart_ns; /**< not before (pacing); 0 = now */
	struct plx_tcp_opts opts;
};

/**
 * The RST for a segment that nobody wants (RFC 9293 3.5.2, 3.10.7.1).
 * @return false when it must not be answered: it is a RST itself.
 */
PLX_API bool plx_tcp_reset_for(const struct plx_tcp_seg *seg, struct plx_tcp_tx *tx);

PLX_C_END
