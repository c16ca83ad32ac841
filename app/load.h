/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Clients that make load, and what they measure. cmd_load.c has the options and the report,
 * load_conn.c what all kinds have in common, load_tcp.c, load_http.c and load_udp.c the kinds.
 */
#include "hist.h"
#include "peer.h"

enum load_kind {
	LOAD_TCP_RR,
	LOAD_TCP_CRR,
	LOAD_TCP_STREAM,
	LOAD_UDP_RR,
	LOAD_UDP_STREAM,
	LOAD_HTTP,
	LOAD_KINDS,
};

/** Who ends a connection of tcp-crr first, and so has its TIME-WAIT. */
enum load_close { LOAD_CLOSE_US, LOAD_CLOSE_PEER, LOAD_CLOSE_RESET };

struct load_conf {
	enum load_kind kind;
	struct peer_conf to;
	struct addr_list src; /**< addresses to talk from, in turn; none = as the route says */
	uint32_t conns, size, rate;
	uint32_t in_flight; /**< tcp-rr: requests under way at a time; 0 = one by each connection */
	uint32_t close;	    /**< enum load_close */
	const char *path;
	bool unconnected; /**< udp-stream: each datagram has its address */
};

enum load_count {
	LOAD_CONNECTIONS,
	LOAD_ANSWERS,
	LOAD_SENT,
	LOAD_RECEIVED,
	LOAD_ERRORS,
	LOAD_LOST,
	LOAD_CLOSED_BY_US,
	LOAD_CLOSED_BY_PEER,
	LOAD_COUNTS,
};

struct load_lcore;
struct load_conn;

/** What a kind does; on the lcore. */
struct load_ops {
	int type;	   /**< SOCK_STREAM or SOCK_DGRAM */
	size_t conn_bytes; /**< of what begins with a struct load_conn */
	/** It is connected. */
	void (*open)(struct load_lcore *l, struct load_conn *c);
	/** There may be something to read, or room to write. */
	void (*ready)(struct load_lcore *l, struct load_conn *c);
	/** Nothing came for a second. Optional. */
	void (*late)(struct load_lcore *l, struct load_conn *c);
	/** Each pass. @return when again. Optional. */
	plx_ns (*pass)(struct load_lcore *l);
};
extern const struct load_ops load_tcp_rr, load_tcp_crr, load_tcp_stream, load_http, load_udp_rr,
	load_udp_stream;

/** A connection, or a socket of UDP. */
struct load_conn {
	struct watch w;
	struct plx_list link; /**< of load_lcore.late: the longest waiting first */
	plx_ns began;	      /**< the request that is under way; crr: the connection */
	plx_ns listed;
	uint64_t left; /**< bytes of the answer that are to come yet */
	uint32_t unsent;
	uint32_t number; /**< which of the connections it stands for */
	uint32_t seq;	 /**< of UDP */
	bool open;
	bool half;  /**< http: the head has not all come; crr: all but the end has come */
	bool waits; /**< for an answer */
};

#define LOAD_BYTES_MAX 65536 /**< of a request */
#define LOAD_HEAD_MAX  1024  /**< of an answer's head */

struct load_lcore {
	struct prog p;
	const struct load_conf *conf;
	const struct load_ops *ops;
	struct peer peer;
	union prog_addr to;
	socklen_t to_len;
	uint32_t conns;	  /**< of this lcore */
	uint32_t missing; /**< to be opened yet, or again */
	uint32_t opening;
	uint32_t in_flight;	/**< connections that wait for an answer */
	uint32_t in_flight_max; /**< of this lcore; 0 = as many as there are */
	uint32_t next;		/**< number of the next one */
	plx_ns pause;		/**< after a connection that failed */
	plx_ns first, last;	/**< answers */
	int err;		/**< of what failed last: an errno */
	struct plx_list late;
	struct plx_list all; /**< udp-stream, tcp-rr: those that send in turn */
	uint64_t credit;     /**< datagrams that the rate allows already, in 1/1000000000 */
	plx_ns credited;
	struct hist hist;
	uint32_t out_bytes;
	uint32_t head_len;  /**< http: an answer's head, as it came last */
	uint64_t head_body; /**< what it says of the body's length */
	char head[LOAD_HEAD_MAX];
	char out[LOAD_BYTES_MAX]; /**< a request, the same for all */
	char in[LOAD_BYTES_MAX];
};

/** Programs whose arg is a struct load_conf. */
extern const struct prog_ops load_prog_ops;
/** Precise to a microsecond or so: of the clock, not of the pass. */
plx_ns load_clock(void);

/** An answer has come, all of it. @return when: the next question may begin then. */
plx_ns load_answered(struct load_lcore *l, struct load_conn *c);
/** It waits for an answer from now on. */
void load_asked(struct load_lcore *l, struct load_conn *c);
/** The same, and late() is called in a second. */
void load_waits(struct load_lcore *l, struct load_conn *c);
/** The connection is over; another takes its place. @param count LOAD_CLOSED_BY_US or _PEER. */
void load_over(struct load_lcore *l, struct load_conn *c, enum load_count count);
/** It has failed. @param err an errno; 0 = of the socket's SO_ERROR. */
void load_failed(struct load_lcore *l, struct load_conn *c, int err);
