/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Buckets of flows on their way from one lcore to another: move.c.
 */
#include "plx_net_move.h"
#include "tcp.h"

#define MOVE_BATCH     32    /* records that are handed over at a time */
#define MOVE_LOOK      4096  /* slots of the table that are looked at in a pass */
#define MOVE_LOOK_LAST 65536 /* the same when they only stay */
#define MOVE_BUCKETS   8     /* that go at a time: the others' packets need not wait */
#define MOVE_FLOWS     32    /* the same of single flows */
#define MOVE_PARK_MAX  4096  /* packets that wait, and at most a quarter of the lcore's */

/** What moves together: buckets, but for their flows that live elsewhere; or single flows. */
struct net_move_set {
	uint64_t bucket[PLX_OWNER_BUCKETS_MAX / 64];
	uint32_t flow[MOVE_FLOWS]; /* hashes */
	uint16_t n_flows;
};

/** Records on their way, and back to be freed. */
struct net_move_batch {
	struct plx_msg msg;
	uint32_t n;
	bool udp;
	union { /* of the old owner's memory */
		struct plx_tcp_id *id[MOVE_BATCH];
		struct plx_net_udp *sock[MOVE_BATCH]; /* udp */
	};
	bool taken[MOVE_BATCH];
};

/** What an lcore has of moves. Counters are single-writer. */
struct net_mover {
	struct plx_poller poller;
	struct net_move_set coming; /* whose packets wait; of nl->parks */
	uint32_t came;		    /* of its flows: those of which a connection is here */
	struct rte_mbuf *head, *tail;
	uint32_t n;		  /* of those */
	uint64_t held;		  /* the same in wire packets */
	bool opening;		  /* they may go on, some each pass */
	bool opens;		  /* and just now do */
	bool ships;		  /* it is the old owner, and is to hand over what it has */
	uint64_t cursor;	  /* of its table */
	bool again;		  /* something was left since the cursor began */
	uint32_t shape;		  /* of the table then */
	plx_ns since;		  /* when it was told */
	bool gives_up;		  /* what has not gone stays */
	struct plx_list udp_left; /* struct net_udp_sock that have not been looked at */
	uint64_t conns, stayed, parked, dropped, reordered, abandoned;
	uint64_t bucket_pkts[PLX_OWNER_BUCKETS_MAX];
};

enum net_move_step {
	MOVE_IDLE,
	MOVE_PARKING,  /* the new owner is told */
	MOVE_FLIPPED,  /* until all lcores have seen that the map has changed */
	MOVE_SHIPPING, /* the two lcores are at it */
};

/** The one move that is under way, of a few buckets or flows from one lcore to one other. */
struct net_moves {
	struct plx_net *net;
	uint16_t want[PLX_OWNER_BUCKETS_MAX];	/* control's */
	uint16_t weight[PLX_ENGINE_LCORES_MAX]; /* of each lcore: 0 = it is to own nothing */
	uint32_t waiting;			/* of want[], how many are not so yet; flows */
	enum net_move_step step;
	uint16_t from, to;
	bool full; /* atomic: new has little room left for what waits */
	struct net_move_set set;
	uint64_t token;
	plx_ns since; /* when a batch was made up */
	struct plx_msg msg;
	struct plx_late_msg late;
	struct net_move_batch batch;
};

/** At create and at destroy. @return 0 or -ENOMEM. */
int net__move_new(struct plx_net *net);
void net__move_free(struct plx_net *net);
/** Is id of a flow whose records may still be on their way to this lcore? */
bool net__move_comes(const struct net_lcore *nl, const struct plx_tcp_id *id);
/** Control: is a bucket under way, or to go? */
bool net__move_pending(const struct plx_net *net, uint16_t bucket);
/** Control: it is to belong to another lcore, once net__move_begin() is called. */
void net__move_bucket(struct plx_net *net, uint16_t bucket, uint16_t lcore);
void net__move_begin(struct plx_net *net);
/** New: a connection has arrived. */
void net__move_came(struct net_lcore *nl, const struct plx_tcp_id *id);
/** Before the engine runs. What it moves has been served then, in the same pass. */
void net__move_start(struct net_lcore *nl);
/** No packet waits any more. */
void net__move_stop(struct net_lcore *nl);
/**
 * With nl->parks: is a segment of key's flow to wait? m's data at the IP header. @return true: m is
 * taken.
 */
PLX_NOINLINE bool net__move_park(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct plx_tcp_id *key);

/** The same of one for a UDP socket that is by_flow: s, as f has found it. */
PLX_NOINLINE bool net__move_park_udp(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct plx_udp_flow *f, const struct plx_udp_sock *s);
/** The same of an ICMP error about a packet of ours. */
PLX_NOINLINE bool net__move_park_error(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct plx_tuple *quoted);
/** New, with nl->parks: is a packet of key's flow to wait? @return true: m is taken. */
bool net__move_wait(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_tcp_id *key);
/** Old: is key's bucket among those that it is to hand over? */
bool net__move_goes(const struct net_lcore *nl, const struct plx_tcp_id *key);

/* net.c */
/** It has been here: mark m, data at the IP header, to come in there once more, by net__backlog().
 */
void net__stage_again(struct rte_mbuf *m, const struct plx_net_rx *rx);
/** What was staged comes in. Takes all. */
void net__backlog(struct net_lcore *nl, struct rte_mbuf **pkts, uint16_t n);

/* move_records.c */
/** Old: may it go? Then it is out of its table and timers. */
bool net__move_leave(struct net_lcore *nl, struct plx_tcp_id *id);
/** New: take over what has left old. @return false: there is no room, nothing has changed. */
bool net__move_adopt(struct net_lcore *nl, struct plx_tcp_id *id);
/** Old: new has taken it, and the rest is freed; or not. */
void net__move_come_back(struct net_lcore *nl, struct plx_tcp_id *id, bool taken);

/* move_udp.c */
/** Old: from now on those that are at home here are asked. */
void net__move_udp_begin(struct net_lcore *nl);
/** Old: up to a batch of those that go, and have left. @return false: none is left. */
bool net__move_udp_gather(struct net_lcore *nl, struct net_move_batch *b);
/** New: take over what has left old. @return false: no room, nothing has changed. */
bool net__move_udp_adopt(struct net_lcore *nl, struct plx_net_udp *from);
/** Old: new has taken it, and the rest is freed; or not. */
void net__move_udp_come_back(struct net_lcore *nl, struct plx_net_udp *s, bool taken);
