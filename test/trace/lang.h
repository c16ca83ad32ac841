/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The language of traces: packetdrill's, as far as it has no kernel in it (see README.md here).
 *
 * A script becomes a list of events; nothing runs here. The same packets in the same notation serve
 * the trace runner (run.h) and unit tests (tt.h).
 */
#include <plx_tcp.h>

#include <stdio.h>

/** Everything that is parsed lives as long as its pool. */
struct td_pool {
	struct td_block *blocks;
};

void *td_alloc(struct td_pool *pool, size_t bytes); /**< zeroed */
char *td_strndup(struct td_pool *pool, const char *s, size_t n);
void td_pool_free(struct td_pool *pool);

/** When an event is to happen. */
struct td_time {
	enum { TD_TIME_REL, TD_TIME_ABS, TD_TIME_ANY } kind;
	bool range;    /**< within [at, end] */
	bool blocking; /**< a call that returns at `done` */
	plx_ns at, end, done;
};

/* ---- packets ---- */

#define TD_OPTS_MAX 20
#define TD_ECN_ANY  (-1)

enum td_opt_kind { /* of the wire */
	TD_OPT_EOL,
	TD_OPT_NOP,
	TD_OPT_MSS,
	TD_OPT_WSCALE,
	TD_OPT_SACK_OK,
	TD_OPT_SACK,
	TD_OPT_TS = 8,
	TD_OPT_RAW = 255, /**< bytes as they stand */
};

struct td_opt {
	uint8_t kind;
	uint8_t n; /**< SACK blocks, or raw bytes */
	union {
		uint32_t v;
		struct {
			uint32_t val, ecr;
		} ts;
		struct plx_tcp_sack sack[PLX_TCP_SACKS_MAX];
		uint8_t raw[40];
	};
};

struct td_icmp {
	int err; /**< errno as Linux maps it; EMSGSIZE = too big */
	bool hard;
	bool ends; /**< a handshake that is under way for a listener */
	uint32_t mtu;
	uint32_t seq; /**< of the quoted segment */
	bool has_seq;
};

/** A segment as the script writes it; numbers are relative to the SYNs. */
struct td_pkt {
	bool in; /**< "<": to the stack */
	bool is_icmp;
	bool has_seq, has_ack, has_win, has_urg;
	bool any_opts;	 /**< "<...>" */
	bool short_opts; /**< outside of "<>": padding is not compared */
	int8_t ecn;	 /**< enum plx_tcp_ecn or TD_ECN_ANY */
	uint8_t n_opt;
	uint16_t flags;
	uint16_t sport, dport; /**< 0 = the connection under test */
	uint16_t win, urg;
	uint32_t seq, len, ack;
	struct td_opt opt[TD_OPTS_MAX];
	struct td_icmp icmp;
};

/* ---- expressions and calls ---- */

struct td_expr {
	enum {
		TD_EXPR_ELLIPSIS,
		TD_EXPR_INT,
		TD_EXPR_NAME,
		TD_EXPR_STR,
		TD_EXPR_LIST,	/**< [a, b] */
		TD_EXPR_STRUCT, /**< {a, b} or {x=a, y=b} */
		TD_EXPR_OR,	/**< a|b */
		TD_EXPR_CALL,	/**< htons(8080) */
		TD_EXPR_UNKNOWN /**< "?" */
	} kind;
	int64_t v;
	const char *s;		     /**< the name or the string */
	const char *field;	     /**< its own name within a struct */
	struct td_expr *kids, *next; /**< parts; the next part of the same whole */
};

/** Of |, names and numbers. @return false: some name is not known. */
bool td_expr_int(const struct td_expr *e, int64_t *v);
/** The n-th part, or NULL. */
const struct td_expr *td_expr_at(const struct td_expr *e, unsigned int n);
/** A field of a struct, or NULL. */
const struct td_expr *td_expr_field(const struct td_expr *e, const char *name);

struct td_call {
	const char *name;
	struct td_expr args; /**< a list */
	struct td_expr *result;
	int err; /**< errno expected; 0 = none was named */
};

/** POSIX's and Linux's names. @return false when there is none. */
bool td_const(const char *name, int64_t *v);
/** "EAGAIN", or the number. */
const char *td_errno_name(int err);

/* ---- scripts ---- */

enum td_event_type { TD_EVENT_PKT, TD_EVENT_CALL, TD_EVENT_COMMAND, TD_EVENT_CODE };

struct td_event {
	enum td_event_type type;
	int line;
	const char *text; /**< as it was written */
	struct td_time time;
	struct td_pkt pkt;
	struct td_call call;
	const char *body; /**< of a command or of code */
	struct td_event *next;
};

#define TD_IP4 1
#define TD_IP6 2

/** A script's "--name=value" lines. */
struct td_conf {
	plx_ns tolerance_ns;
	uint32_t ts_tick_us; /**< 0 = outgoing timestamps are not compared */
	unsigned int ip;     /**< TD_IP4 | TD_IP6 */
	uint16_t mtu;	     /**< 0 = such that the MSS is 1460 */
	bool any_psh;	     /**< PSH is not compared */
	int8_t strict; /**< what was sent and not expected fails it; -1 = the command line's */
};

struct td_script {
	const char *path;
	struct td_conf conf;
	struct td_event *events;
	char err[400]; /**< "file:line: what" */
	struct td_pool pool;
};

/** @return 0 or -EINVAL, -EIO with s->err. Free it in either case. */
int td_script_load(struct td_script *s, const char *path);
/** The same from text that is at hand. */
int td_script_parse(struct td_script *s, const char *path, const char *text);
void td_script_free(struct td_script *s);
/** One packet, without time and direction: ". 1:1001(1000) ack 1". @return 0 or -EINVAL, *err. */
int td_pkt_parse(struct td_pkt *pkt, bool in, const char *text, char *err, size_t err_bytes);

/* ---- live numbers and the script's ---- */

#define TD_TS_MAX 64

/** How one connection's live numbers are those of the script. */
struct td_flow {
	uint16_t lport, rport;
	bool have_local, have_remote, syn_seen;
	uint32_t local_isn, remote_isn;	  /**< live */
	uint32_t local_base, remote_base; /**< the script's numbers in the SYNs */
	uint32_t syn_live, syn_base;	  /**< of the peer's last SYN */
	uint32_t peer_nxt;		  /**< the script's next number of the peer */
	uint32_t n_ts;
	struct {
		uint32_t script, live;
	} ts[TD_TS_MAX], ts_first;
};

/** A segment on the wire, in live numbers. */
struct td_seen {
	plx_ns at;
	bool in, is_icmp;
	struct td_flow *flow;
	uint16_t flags, win, urg;
	uint8_t ecn, opt_bytes;
	uint8_t opts[PLX_TCP_OPTS_MAX_BYTES];
	uint32_t seq, ack, len;
	uint32_t mtu;
	enum plx_drop drop;
};

/** A SYN's live number where the script says 0. */
void td_flow_init(struct td_flow *f, uint16_t lport, uint16_t rport, uint32_t remote_isn);
/** The script's packet as it goes to the stack; also moves f. @return 0, -E2BIG. */
int td_flow_in(struct td_flow *f, const struct td_pkt *pkt, struct td_seen *seen);
/** The stack's segment. */
void td_flow_out(struct td_flow *f, const struct plx_tcp_tx *tx, plx_ns at, struct td_seen *seen);
/** A live SACK or ACK number of ours that the script calls x. */
uint32_t td_flow_local(const struct td_flow *f, uint32_t x);
/** What a segment is for the library. @return why its options are wrong, or NONE. */
enum plx_drop td_seen_seg(const struct td_seen *seen, struct plx_tcp_seg *seg);
/** Learn of the connection from an outgoing segment that takes the place of pkt. */
void td_flow_learn(struct td_flow *f, const struct td_pkt *pkt, const struct td_seen *seen);

/**
 * Is seen what pkt expects? A long segment may come in pieces.
 * @param done  in, out: bytes of it that have come already
 * @return NULL: yes (the whole of it when *done is pkt->len), else what differs.
 */
const char *td_match(const struct td_pkt *pkt, const struct td_seen *seen,
	const struct td_conf *conf, uint32_t *done);

/** Its options as the script would write them. @return how many; out has room for TD_OPTS_MAX. */
uint32_t td_seen_opts(const struct td_seen *seen, struct td_opt *out);

/** Room for any packet's text. */
#define TD_TEXT 512
/** In the script's notation. @return buf. */
const char *td_pkt_text(const struct td_pkt *pkt, char *buf);
const char *td_seen_text(const struct td_seen *seen, char *buf);
/** Seconds: "0.200000". @return buf of 32. */
const char *td_time_text(plx_ns t, char *buf);
