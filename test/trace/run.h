/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A script run in virtual time: a stack of one lcore with lengths instead of bytes, sockets on top
 * of it, the script's packets below.
 *
 * Time moves when the script waits: from timer to timer, and to what it waits for. Everything that
 * the stack sends is queued with its time until the script asks for it.
 */
#include "lang.h"

#include <plx_base.h>

#define TD_SOCKS   64
#define TD_FLOWS   32
#define TD_HISTORY 12
#define TD_ACCEPTS 64
#define TD_RANGES  512
#define TD_WATCHES 16

enum td_kind { TD_SOCK_FREE, TD_SOCK_NEW, TD_SOCK_LISTEN, TD_SOCK_CONN, TD_SOCK_EPOLL };

/** What setsockopt() left for the connection to come. */
struct td_sockopts {
	bool nodelay, cork, keepalive, linger, reuseport, oobinline;
	uint32_t linger_s, keep_idle_s, keep_intvl_s, keep_count, user_timeout_ms;
	uint32_t snd_buf, rcv_buf; /**< 0 = the stack's */
	uint32_t defer_s, rcvlowat, syncnt, wnd_clamp;
	int32_t linger2_s;
	uint16_t maxseg;
	char cc[PLX_TCP_CC_NAMELEN];
};

struct td_watch {
	struct td_sock *sock;
	uint32_t events;
	int64_t data;
	uint64_t in_seen, out_seen; /**< edges that were reported */
	bool off;		    /**< EPOLLONESHOT has fired */
};

/** A descriptor, or what it leaves behind until the stack is done with it. */
struct td_sock {
	enum td_kind kind;
	int fd; /**< -1: closed, or not accepted yet */
	bool nonblock, bound, rd_shut, wr_shut, connecting, queued;
	struct td_sockopts opt;
	uint16_t lport;
	/* a connection */
	struct plx_tcp c;
	bool live;    /**< c is in the table */
	bool started; /**< c has been initialised */
	bool oob, oob_read;
	bool fin; /**< the peer's */
	uint64_t written, acked;
	uint64_t in_edges, out_edges;
	struct plx_range kept_v[TD_RANGES];
	struct plx_ranges kept; /**< bytes of the stream that were kept: each once */
	uint64_t kept_nxt;	/**< rcv.nxt as an offset of the stream */
	struct td_flow *flow;
	/* a listener */
	struct plx_tcp_listener l;
	struct td_sock *accepts[TD_ACCEPTS];
	/* an epoll set */
	struct td_watch watch[TD_WATCHES];
};

/** TIME-WAIT. */
struct td_tw {
	struct plx_tcp_tw w;
	struct td_tw *next;
};

/** A call: under way, or done. */
struct td_pending {
	const struct td_event *ev;
	int64_t ret;
	int err;
	uint64_t progress;
	plx_ns wake; /**< it returns then by itself */
	plx_ns done; /**< when the script says that it returns */
	bool active, begun;
};

enum td_done { TD_DONE, TD_BLOCK };

struct td_setup {
	bool v6, strict, verbose;
	uint32_t max_segs;   /**< of a super-segment; 0 = none */
	uint32_t remote_isn; /**< where the peer begins */
	plx_ns epoch;	     /**< the clock when the script begins */
	uint64_t seed;
};

struct td_run {
	const struct td_script *script;
	const struct td_event *ev;
	struct td_setup setup;
	struct td_conf conf;
	struct plx_addr local, remote;
	plx_ns now, base; /**< the clock; what relative times count from */
	plx_ns begin;

	struct plx_tunables tun;
	uint64_t stat[PLX_STAT_MAX];
	void *mem;
	struct plx_arena arena;
	size_t arena_used; /**< at the beginning */
	struct plx_tcp_ctx ctx;
	uint16_t mtu;

	struct td_sock *socks[TD_SOCKS];
	struct td_sock *last; /**< that code asks about */
	struct td_tw *tws;
	struct td_flow flows[TD_FLOWS];
	unsigned int n_flows;
	struct td_flow *cur; /**< the connection under test */
	uint16_t next_rport;
	enum plx_drop drop; /**< what became of the last packet */

	struct td_seen *out; /**< sent and not asked for yet */
	uint32_t n_out, cap_out, head_out;
	struct td_seen history[TD_HISTORY];
	uint32_t n_history;
	struct td_pending call;
	bool failed;
	char why[1200];
};

/** Run it once. @return true: as the script says. Else r->why tells, in several lines. */
bool td_run(struct td_run *r, const struct td_script *script, const struct td_setup *setup);

/** The run has failed: keep the first reason. @return false. */
bool td_fail(struct td_run *r, const char *fmt, ...) PLX_PRINTF(2, 3);
/** A packet went by: for the report. */
void td_note(struct td_run *r, const struct td_seen *seen);
/** Lines for people: where, what was expected, what was seen, the last packets. */
void td_report(const struct td_run *r, const char *name, FILE *out);

/* ---- the stack: net.c ---- */

bool td_net_init(struct td_run *r);
/** End all, and see that nothing is left in its memory. */
void td_net_fini(struct td_run *r);
/** A packet from the wire. */
void td_net_in(
	struct td_run *r, struct td_flow *f, const struct td_seen *seen, const struct td_pkt *pkt);
/** Send what is due. */
void td_net_drain(struct td_run *r, struct td_sock *s);
/** The next timer, or PLX_NEVER. */
plx_ns td_net_deadline(const struct td_run *r);
/** Fire what is due. */
void td_net_timers(struct td_run *r);
/** Let go of what nobody has any more. */
void td_net_reap(struct td_run *r);
struct td_flow *td_net_flow(struct td_run *r, uint16_t lport, uint16_t rport);
struct plx_tcp_path td_net_path(const struct td_run *r);
void td_net_transmit(struct td_run *r, struct td_flow *f, const struct plx_tcp_tx *tx);
/** A TIME-WAIT that stands in the way of this four-tuple ends, if it may. @return its ISN bound. */
uint32_t td_net_tw_reuse(struct td_run *r, const struct plx_tcp_id *id);

/* ---- sockets: sock.c ---- */

struct td_sock *td_sock_new(struct td_run *r, enum td_kind kind);
struct td_sock *td_sock_find(struct td_run *r, int64_t fd);
/** Initialise the connection and give it what setsockopt() left. */
void td_sock_start(struct td_run *r, struct td_sock *s, const struct plx_tcp_id *id);
void td_sock_apply(struct td_run *r, struct td_sock *s);
void td_sock_free(struct td_run *r, struct td_sock *s);
/** POLLIN and so on: what poll(2) would say now. */
uint32_t td_sock_ready(const struct td_sock *s);
uint32_t td_sock_limit(const struct td_sock *s); /**< bytes of the send buffer */
uint32_t td_sock_room(const struct td_sock *s);	 /**< of them free */
void td_sock_close(struct td_run *r, struct td_sock *s);
bool td_sock_established(const struct td_sock *s);

/* ---- calls ---- */

typedef enum td_done td_call_fn(struct td_run *r, struct td_pending *p);

/** Begin or go on with p. */
enum td_done td_call_try(struct td_run *r, struct td_pending *p);
/** It has returned: is it what the script says? */
bool td_call_check(struct td_run *r, const struct td_pending *p);

/** Of an argument: its integer value; what it cannot be fails the run. */
int64_t td_arg(struct td_run *r, const struct td_pending *p, unsigned int n);
const struct td_expr *td_arg_expr(const struct td_pending *p, unsigned int n);
enum td_done td_ret(struct td_pending *p, int64_t ret);
enum td_done td_err(struct td_pending *p, int err);
/** Its socket, or NULL with EBADF set. */
struct td_sock *td_arg_sock(struct td_run *r, struct td_pending *p);

td_call_fn td_call_setsockopt, td_call_getsockopt, td_call_fcntl, td_call_ioctl;
td_call_fn td_call_poll, td_call_epoll_create, td_call_epoll_ctl, td_call_epoll_wait;

/** `...`: settings that we have; the rest is the kernel's. */
void td_command(struct td_run *r, const char *text);
/** Is the code's every claim true? */
bool td_code(struct td_run *r, const char *text);
