/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of this library share.
 */
#include "plx_tcp.h"

#include <errno.h>

#define TCP_MSS_DEFAULT	 536 /* RFC 9293 3.7.1 */
#define TCP_MSS6_DEFAULT 1220
#define TCP_WSCALE_MAX	 14	 /* RFC 7323 2.3 */
#define TCP_TS_BYTES	 12	 /* timestamps and their padding */
#define TCP_RTO_INIT_US	 1000000 /* RFC 6298 2.1 */
#define TCP_PAWS_S	 2073600 /* 24 days: ts_recent is not trusted any longer (RFC 7323 5.5) */
#define TCP_SSTHRESH_INF 0x7fffffff
#define TCP_SYN_SOON_NS	 PLX_MS(2)
#define TCP_QUICK_MAX	 16 /* segments acknowledged at once at the start */

/** What few connections need, or seldom; without memory for it they do without. */
struct tcp_cold {
	uint32_t rcv_up, snd_up; /* urgent pointers: the byte behind urgent data */
	uint32_t dsack_start, dsack_end;
	uint32_t keep_idle_s, keep_intvl_s, keep_count; /* 0 = the tunable's */
	uint32_t user_timeout_ms;			/* RFC 5482 */
	uint32_t sndbuf;				/* SO_SNDBUF; 0 = tuned */
	uint32_t wnd_clamp;				/* most to announce; 0 = any */
	int16_t linger2_s;	 /* stay in FIN-WAIT-2; -1 = don't, 0 = the tunable's */
	uint8_t syn_retries;	 /* 0 = the tunable's */
	int soft_err;		 /* told if it comes to nothing (RFC 1122 4.2.3.9) */
	uint32_t rto_since_ms;	 /* first time-out in a row */
	uint32_t probe_since_ms; /* user time-out of a closed window */
	uint32_t total_retrans, dsack_dups, reord_seen, total_rto;
	uint64_t bytes_retrans;
	plx_ns oow_ns;	     /* the last answer to a segment out of window */
	plx_ns mtu_until_ns; /* a "too big" is believed, whatever the route says */
};

/* ---- what was sent: sndq.c ---- */

#define RUN_SACKED  0x01
#define RUN_LOST    0x02
#define RUN_RETRANS 0x04 /* sent again, and that is in flight */
#define RUN_EVER    0x08 /* sent more than once */
#define RUN_SYN	    0x10
#define RUN_FIN	    0x20

/**
 * Text that was sent together and has the same fate so far: Linux's skb of the retransmission
 * queue, but as long as the burst was.
 */
struct tcp_run {
	uint32_t seq, end;
	plx_ns sent_ns; /* the last time */
	uint32_t segs;	/* that it went out in */
	uint16_t mss;	/* text of each, but for the last one */
	uint8_t flags;
};
static_assert(sizeof(struct tcp_run) == 24, "a burst's record");

static inline struct tcp_run *tcp__run(const struct plx_tcp *c, uint32_t i)
{
	return &c->snd.run[(c->snd.run_head + i) & (c->snd.run_cap - 1u)];
}

/** Room for n more? @return false when there is no memory. */
bool tcp__sndq_reserve(struct plx_tcp *c, uint32_t n);
/** Sent now for the first time; room was reserved. */
void tcp__sndq_add(struct plx_tcp *c, uint32_t seq, uint32_t end, uint8_t flags, plx_ns now);
/** The run that seq lies in, or run_n. */
uint32_t tcp__sndq_find(const struct plx_tcp *c, uint32_t seq);
/** Cut run i at seq, which lies inside. @return false when there is no memory. */
bool tcp__sndq_split(struct plx_tcp *c, uint32_t i, uint32_t seq);
/** Run 0 is acknowledged as a whole. */
void tcp__sndq_pop(struct plx_tcp *c);
/** The first bytes of run 0, up to seq, are acknowledged. */
void tcp__sndq_trim(struct plx_tcp *c, uint32_t seq);
/** Set and clear flags, with the counters that depend on them. */
void tcp__run_flag(struct plx_tcp *c, struct tcp_run *r, uint8_t set, uint8_t clear);
/** The MSS has changed, and it will be sent anew: in how many segments. */
void tcp__sndq_recount(struct plx_tcp *c, struct tcp_run *r);
/** Join run i with its neighbours where they have the same fate. */
void tcp__sndq_join(struct plx_tcp *c, uint32_t i);
/** Text of [seq, end) in segments of at most mss bytes; at least 1. */
static inline uint32_t tcp__segs(uint32_t bytes, uint32_t mss)
{
	return bytes <= mss ? 1 : (bytes + mss - 1) / mss;
}
void tcp__sndq_free(struct plx_tcp *c);
/** What c has sent, in to's own memory. @return false: there is none, and to has nothing. */
bool tcp__sndq_copy(struct plx_tcp *to, const struct plx_tcp *c);

/* ---- what came: rcvq.c ---- */

/** Take a segment's text in [seq, end); fills rx->keep and rx->ready. */
enum plx_drop tcp__rcvq_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx);
/** SACK blocks to send (RFC 2018 4, RFC 2883); at most max. @return how many. */
uint32_t tcp__rcvq_sacks(const struct plx_tcp *c, struct plx_tcp_sack *sack, uint32_t max);
uint32_t tcp__ofo_bytes(const struct plx_tcp *c);
void tcp__rcvq_dsack(struct plx_tcp *c, uint32_t seq, uint32_t end);
void tcp__rcvq_free(struct plx_tcp *c);
/** What c has out of order, in to's own memory. @return false: there is none, and to has nothing.
 */
bool tcp__rcvq_copy(struct plx_tcp *to, const struct plx_tcp *c);
static inline bool tcp__ofo_any(const struct plx_tcp *c)
{
	return c->rcv.ofo != NULL;
}

/* ---- the window that we announce: rwnd.c ---- */

/** What was announced and is not used: bytes from rcv.nxt on. */
static inline uint32_t tcp__rcv_wnd(const struct plx_tcp *c)
{
	return plx_tcp_window(c);
}
/** The window that could be announced now, without regard to what was. */
uint32_t tcp__rwnd_free(const struct plx_tcp *c);
/** Memory is short: announce little. */
void tcp__rwnd_shy(struct plx_tcp *c);
/** Choose the window of a segment that leaves now. @return the header's field. */
uint16_t tcp__rwnd_announce(struct plx_tcp *c);
/** Text came: may more be announced? */
void tcp__rwnd_grow(struct plx_tcp *c, uint32_t len);
void tcp__rwnd_measure(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now);
void tcp__rwnd_tune(struct plx_tcp *c, plx_ns now);
void tcp__rwnd_init(struct plx_tcp *c, plx_ns now);

/* ---- when to acknowledge: delack.c ---- */

void tcp__delack_text(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now);
/** Something has to be acknowledged: now or later? @return whether now. */
bool tcp__delack_due(struct plx_tcp *c, plx_ns now);
/** The program has read: does that make an ACK due at once? */
bool tcp__delack_read(const struct plx_tcp *c);
void tcp__delack_sent_ack(struct plx_tcp *c);
void tcp__delack_sent_text(struct plx_tcp *c, plx_ns now);
void tcp__delack_timer(struct plx_tcp *c, plx_ns now);
void tcp__delack_quick(struct plx_tcp *c, uint32_t max);

/* ---- ACKs: ack.c ---- */

#define ACK_ADVANCED	 0x001 /* snd.una moved */
#define ACK_TEXT	 0x002 /* text was acknowledged */
#define ACK_SYN		 0x004
#define ACK_WINDOW	 0x008 /* the peer's window changed */
#define ACK_SACKED	 0x010 /* text was SACKed for the first time */
#define ACK_DSACK	 0x020
#define ACK_ECE		 0x040
#define ACK_RETRANS	 0x080 /* a retransmission was acknowledged */
#define ACK_ORIG_SACKED	 0x100 /* never sent twice, sent before RecoveryPoint, and now (S)ACKed */
#define ACK_LOST_RETRANS 0x200
#define ACK_SEG_TEXT	 0x400 /* the segment brought text: no duplicate ACK */
#define ACK_FIN		 0x800
#define ACK_REORDERED	 0x1000
#define ACK_TIMER	 0x2000 /* a timer was armed that this ACK does not put off */

/** What one ACK says: travels through ack.c, sack.c, rack.c, recover.c. */
struct tcp_ack {
	const struct plx_tcp_seg *seg;
	plx_ns now;
	uint32_t flags; /* ACK_* */
	uint32_t prior_una;
	uint32_t prior_fack; /* what one ACK tells in whatever order is no reordering */
	uint32_t prior_out;  /* packets_out */
	uint32_t prior_in_flight;
	uint32_t prior_lost;
	uint32_t prior_delivered;
	uint32_t acked_segs; /* cumulatively */
	int64_t rtt_us;	     /* of text sent once; -1 = none */
	int64_t sack_rtt_us;
	uint32_t reord_seq; /* lowest that was late, when ACK_REORDERED */
	uint32_t newly_lost;
	uint32_t dsack_segs;
};

enum plx_drop tcp__ack_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx);
void tcp__sack_input(struct plx_tcp *c, struct tcp_ack *a);
/** The window that the peer announces in seg. */
static inline uint32_t tcp__peer_wnd(const struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	return (uint32_t)seg->win << (seg->flags & PLX_TCP_SYN ? 0 : c->snd_wscale);
}

/* ---- round trips: rtt.c ---- */

/** A sample; Karn's rule is the caller's duty. */
void tcp__rtt_sample(struct plx_tcp *c, uint32_t rtt_us, plx_ns now);
void tcp__rtt_min(struct plx_tcp *c, uint32_t rtt_us, plx_ns now);
/** The time-out with its back-off, within its bounds. */
uint32_t tcp__rto_us(const struct plx_tcp *c);
void tcp__rtt_init(struct plx_tcp *c);
void tcp__rtt_set_rto(struct plx_tcp *c);

/* ---- recovery: rack.c, recover.c, prr.c ---- */

static inline uint32_t tcp__in_flight(const struct plx_tcp *c)
{
	return c->packets_out - (c->sacked_out + c->lost_out) + c->retrans_out;
}
void tcp__rack_advance(struct plx_tcp *c, const struct tcp_run *r, uint32_t tsecr, plx_ns now);
/** Mark what is lost by time. @return whether the timer of the reordering window was armed. */
bool tcp__rack_detect(struct plx_tcp *c, plx_ns now);
uint32_t tcp__rack_reo_wnd_us(const struct plx_tcp *c);
void tcp__rack_update(struct plx_tcp *c, const struct tcp_ack *a);
/** When run r counts as lost, from now; <= 0 = it does. */
int64_t tcp__rack_left_us(
	const struct plx_tcp *c, const struct tcp_run *r, uint32_t reo_us, plx_ns now);
void tcp__mark_lost(struct plx_tcp *c, uint32_t i);
void tcp__recover(struct plx_tcp *c, struct tcp_ack *a);
void tcp__reordered(struct plx_tcp *c, uint32_t low_seq, bool ts);
void tcp__enter_loss(struct plx_tcp *c, plx_ns now);
void tcp__reo_timeout(struct plx_tcp *c, plx_ns now);
void tcp__enter_cwr(struct plx_tcp *c, plx_ns now);
void tcp__end_cwr(struct plx_tcp *c);
void tcp__prr(struct plx_tcp *c, uint32_t delivered, uint32_t newly_lost, uint32_t flags);
void tcp__prr_init(struct plx_tcp *c);
void tcp__set_ca(struct plx_tcp *c, enum plx_tcp_ca ca, plx_ns now);
void tcp__undo(struct plx_tcp *c, bool unmark, plx_ns now);
void tcp__tlp_ack(struct plx_tcp *c, const struct tcp_ack *a);
static inline bool tcp__in_slow_start(const struct plx_tcp *c)
{
	return c->cwnd < c->ssthresh;
}
/** Was the window in use? If not there is no reason for a larger one (RFC 7661; Linux's
 * tcp_is_cwnd_limited()). */
static inline bool tcp__window_used(const struct plx_tcp *c)
{
	return c->cwnd_limited || (tcp__in_slow_start(c) && c->cwnd < 2 * c->max_out);
}
uint32_t tcp__current_ssthresh(const struct plx_tcp *c);
uint32_t tcp__init_cwnd(const struct plx_tcp *c);
/** Slow start (RFC 5681 3.1): @return of acked what is left for congestion avoidance. */
uint32_t tcp__slow_start(struct plx_tcp *c, uint32_t acked);
/** One segment more for each w that were acknowledged. */
void tcp__additive(struct plx_tcp *c, uint32_t w, uint32_t acked);

/**
 * Without SACK one segment a round trip is repaired: where many are missing the time-out is
 * quicker, so only the first partial ACK puts it off (RFC 6582 3.2 step 3).
 */
static inline bool tcp__impatient(const struct plx_tcp *c, uint32_t una)
{
	return !c->sack_ok && c->ca == PLX_TCP_CA_RECOVERY && una != c->rec.marker;
}

/* ---- timers: timer.c ---- */

void tcp__rtx_arm(struct plx_tcp *c, enum plx_tcp_rtx kind, plx_ns when);
void tcp__rtx_stop(struct plx_tcp *c);
/** When a time-out that begins now is over: not after the user's (RFC 5482). */
plx_ns tcp__rto_end(const struct plx_tcp *c, plx_ns now);
/** What is in flight, or waits for a window, needs a timer. */
void tcp__rearm_rto(struct plx_tcp *c, plx_ns now);
/** A tail loss probe instead of the time-out, where that is right. @return whether it was. */
bool tcp__schedule_tlp(struct plx_tcp *c, bool advanced, plx_ns now);
void tcp__check_probe(struct plx_tcp *c, plx_ns now);
void tcp__keep_arm(struct plx_tcp *c, plx_ns now);
/** So long nothing comes before it is asked for. */
plx_ns tcp__keep_idle(const struct plx_tcp *c);

/* ---- the whole: conn.c, state.c ---- */

/** The one door through which the state changes. */
void tcp__set_state(struct plx_tcp *c, enum plx_tcp_state state, plx_ns now);
/** Over, by err; everything stops. */
void tcp__done(struct plx_tcp *c, int err, plx_ns now);
/** MSS by the path, the peer, the program and the options of each segment (RFC 6691). */
void tcp__sync_mss(struct plx_tcp *c);
/** What we announce. */
uint16_t tcp__adv_mss(const struct plx_tcp *c);
/** The cold part, made if need be; NULL when there is no memory. */
struct tcp_cold *tcp__cold(struct plx_tcp *c);
/** The handshake is complete. */
void tcp__established(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now);
bool tcp__oow_limited(struct plx_tcp *c, plx_ns now);

static inline uint32_t tcp__wnd_clamp(const struct plx_tcp *c)
{
	return plx_unlikely(c->cold && c->cold->wnd_clamp) ? c->cold->wnd_clamp : UINT32_MAX;
}
/** Seconds that an orphan stays in FIN-WAIT-2; 0 = as the tunable says, -1 = none. */
static inline int16_t tcp__linger2(const struct plx_tcp *c)
{
	return c->cold ? c->cold->linger2_s : 0;
}

static inline bool tcp__synchronized(const struct plx_tcp *c)
{
	return c->id.state != PLX_TCP_SYN_SENT && c->id.state != PLX_TCP_SYN_RECEIVED &&
	       c->id.state != PLX_TCP_CLOSED && c->id.state != PLX_TCP_LISTEN;
}
/** An orphan that waits for the peer's FIN, and not for long: keep_ns is the end of that. */
static inline bool tcp__lingers(const struct plx_tcp *c)
{
	return c->id.state == PLX_TCP_FIN_WAIT_2 && c->orphan;
}
/** The first byte that is not acknowledged: behind the SYN, while that is not either. */
static inline uint32_t tcp__first_text(const struct plx_tcp *c)
{
	return tcp__synchronized(c) ? c->snd.una : c->iss + 1;
}
/** The peer still takes text from us. */
static inline bool tcp__can_send(const struct plx_tcp *c)
{
	return c->id.state == PLX_TCP_ESTABLISHED || c->id.state == PLX_TCP_CLOSE_WAIT ||
	       c->id.state == PLX_TCP_FIN_WAIT_1 || c->id.state == PLX_TCP_CLOSING ||
	       c->id.state == PLX_TCP_LAST_ACK;
}

/** Sequence numbers that wait to be sent for the first time: text, and the FIN. */
static inline uint32_t tcp__waiting(const struct plx_tcp *c)
{
	return tcp__can_send(c) ? plx_tcp_unsent(c) + c->fin_due : 0;
}

#define tcp_tun(c, ID)	       plx_tcp__tun((c)->ctx, PLX_TUN_##ID)
#define tcp_stat(c, ID)	       plx_count((c)->ctx->stat[PLX_STAT_##ID], 1)
#define tcp_stat_add(c, ID, n) plx_count((c)->ctx->stat[PLX_STAT_##ID], (uint64_t)(n))

static inline uint32_t tcp__ms(plx_ns now)
{
	return (uint32_t)((uint64_t)now / 1000000);
}
static inline uint32_t tcp__us(plx_ns now)
{
	return (uint32_t)((uint64_t)now / 1000);
}

void tcp__event(const struct plx_tcp *c, struct plx_tcp_event *ev, plx_ns now);
/** Tell who listens: tcp_event(c, now, CA, .a = old, .b = new). */
#define tcp_event(c, t, TYPE, ...)                                                                 \
	do {                                                                                       \
		if (plx_unlikely((c)->ctx->event)) {                                               \
			struct plx_tcp_event ev_ = {.type = PLX_TCP_EVENT_##TYPE, __VA_ARGS__};    \
			tcp__event(c, &ev_, t);                                                    \
		}                                                                                  \
	} while (0)
