/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The error queue of a socket (MSG_ERRQUEUE): ICMP errors of UDP's, and the notifications of
 * MSG_ZEROCOPY (Linux's Documentation/networking/msg_zerocopy.rst).
 *
 * A call that sends by MSG_ZEROCOPY has a number. It is over when the call has ended and all that
 * it has lent is free again; then its number goes into the error queue, joined to the one before
 * it.
 */
#include <time.h>

#include <linux/errqueue.h>

#include <plx_net_lend.h>

#include "cmsg.h"
#include "sock.h"

/** What waits to be read. */
struct sock_derr {
	struct plx_fifo_node node;
	struct sock_extended_err ee;
	struct plx_addr from; /**< who says so; :: = we ourselves */
	struct plx_addr dst;  /**< where the datagram was to go */
	uint16_t dport, iface;
	int64_t real_ns;
	uint32_t len;
	uint8_t data[]; /**< of its payload */
};

static inline uint32_t sock__derr_bytes(const struct sock_derr *e)
{
	return (uint32_t)sizeof(*e) + e->len;
}

/** Calls by MSG_ZEROCOPY that a socket may have under way, or not told of yet (Linux bounds their
 * memory, by net.core.optmem_max). */
#define SOCK_ZC_CALLS 128

/** A call by MSG_ZEROCOPY. */
struct sock_zc_call {
	struct sock_derr *told; /**< to be queued when it is over */
	uint32_t refs;		/**< itself, and what it has lent */
	bool copied;
};

/** What a socket that sends by MSG_ZEROCOPY has. It outlives the socket, and the lcore's memory for
 * sockets, as long as something is lent. */
struct sock_zc {
	struct sock_lcore *sl;
	struct sock_file *f;			 /**< NULL: closed */
	uint32_t next;				 /**< number of the next call */
	uint32_t out;				 /**< calls that are not over */
	uint32_t queued;			 /**< in the error queue */
	struct plx_fifo q;			 /**< TCP's error queue */
	struct sock_zc_call call[SOCK_ZC_CALLS]; /**< by number */
};

/* dgram_err.c */
/** sock_dequeue_err_skb() and ip_recv_error(). */
long sock__recv_err(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** f's error queue. @return NULL: it has none (yet). */
struct plx_fifo *sock__errs(struct sock_file *f);
static inline bool sock__has_errs(struct sock_file *f)
{
	const struct plx_fifo *q = sock__errs(f);

	return q && !plx_fifo_empty(q);
}

/* zerocopy.c */
/** Does the call send n bytes by MSG_ZEROCOPY, as the socket has asked for? */
static inline bool sock__zc_wanted(const struct sock_file *f, const struct sock_op *op, size_t n)
{
	return plx_unlikely(op->flags & MSG_ZEROCOPY) && n && sock__opts(f)->zerocopy;
}
/** It begins: op->zc, op->zc_id. @return 0, -ENOBUFS. */
int sock__zc_begin(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** It has ended. @param sent false: nothing was; it has had no number. */
void sock__zc_end(struct sock_op *op, bool sent);
/** Some of it was copied. */
static inline void sock__zc_copied(const struct sock_op *op)
{
	op->zc->call[op->zc_id % SOCK_ZC_CALLS].copied = true;
}
/** Write n bytes at p to a connection: lent if they can be. @return as plx_net_tcp_write(). */
uint32_t sock__zc_write(struct sock_lcore *sl, struct plx_net_tcp *c, const struct sock_op *op,
	const void *p, uint32_t n, bool more);
/** A datagram of all that the call gives, lent. @return NULL: it has to be copied. */
struct rte_mbuf *sock__zc_datagram(struct sock_lcore *sl, const struct sock_op *op);
/** That datagram is not sent. */
void sock__zc_refused(const struct sock_op *op, struct rte_mbuf *m);
/** Its socket is no more. */
void sock__zc_close(struct sock_zc *zc);
/** What was read of it. */
void sock__zc_read(struct sock_file *f);
