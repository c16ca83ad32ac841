/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What one lcore wants all others to know of an object of its: a socket, a listener.
 *
 * The object holds what is wanted of each lcore's replica. Who changes it says so to all, by one
 * message each, made beforehand; an lcore that has not seen the one before gets no second one: it
 * sees the newest. So nobody waits, no memory is asked for, and no lcore sees an end later than
 * what was said after it.
 */
#include <pthread.h>

#include "net.h"

/** What a replica shall be; of the kind's own meaning. */
struct net_want {
	bool there; /**< false: the end */
	union {
		struct {
			bool connected, by_flow;
			uint16_t rport, home;
			struct plx_addr laddr, raddr;
			uint64_t order; /**< of the bind or connect: struct plx_udp_sock's */
		} udp;
		struct {
			uint16_t home, mss_clamp;
			uint32_t backlog, rcv_buf;
			uint8_t ttl, tos, min_ttl, min_hops, defer_accept;
		} tcp;
	};
};

struct net_tell;
struct net_tell_ops {
	/** Make this lcore's replica what is wanted. @return 0 or -errno. */
	int (*apply)(struct net_lcore *nl, struct net_tell *t, const struct net_want *w);
	/** No lcore knows it any more. On the lcore that ended it. */
	void (*gone)(struct net_lcore *nl, struct net_tell *t);
};

struct net_told {
	struct plx_msg msg;
	struct plx_msg end; /**< of its own: no lcore sees the end before what was sent before it */
	struct net_tell *tell;
	bool pending; /**< msg is under way */
};

struct net_tell {
	const struct net_tell_ops *ops;
	struct plx_net *net;
	pthread_spinlock_t lock; /**< of want and pending */
	struct net_want want;
	uint32_t left;	       /**< lcores that have not seen the end */
	uint16_t by;	       /**< who ended it */
	struct plx_msg gone;   /**< to it, of the last one */
	struct net_told *told; /**< of each lcore; the owner's memory */
};

void net__tell_init(struct net_tell *t, struct plx_net *net, const struct net_tell_ops *ops,
	struct net_told *told);
/** nl's replica is as w wants: now the others. */
void net__tell(struct net_lcore *nl, struct net_tell *t, const struct net_want *w);
/** The same when nl's replica is no more; ops->gone() follows, perhaps at once. */
void net__tell_end(struct net_lcore *nl, struct net_tell *t);
/**
 * By an ordinary thread or the main thread, which waits: on each lcore in turn, until one fails.
 * @return 0 or -errno.
 */
int net__tell_wait(struct net_tell *t, const struct net_want *w);
