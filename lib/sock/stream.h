/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A TCP socket: nothing yet, a listener, or a connection.
 */
#include "sock.h"

struct sock_tcp {
	struct sock_file f;
	struct plx_net_tcp *tc;	      /**< NULL: neither connected nor connecting */
	struct plx_rfs_streak streak; /**< RFS: where threads use it */
};
static_assert(sizeof(struct sock_tcp) <= 64, "one block of the arena: DESIGN's 640 bytes in all");

extern const struct sock_kind sock__stream_kind;

static inline struct sock_tcp *sock__tcp(const struct sock_file *f)
{
	return plx_container_of(f, struct sock_tcp, f);
}

/** RFC 9293's, as Linux's sk_state. */
uint8_t sock__tcp_state(const struct sock_file *f);
/** A socket for c, or for none; without a descriptor. @return NULL: no memory. */
struct sock_tcp *sock__tcp_new(struct sock_lcore *sl, struct plx_net_tcp *c, bool v6);
void sock__tcp_free(struct sock_lcore *sl, struct sock_tcp *t);
/** Bind to any, to a port or (0) to one that is free. @return 0 or -errno. */
int sock__tcp_autobind(struct sock_lcore *sl, struct sock_file *f, uint16_t port);
/** c is t's, and tells it what happens. */
void sock__tcp_take(struct sock_tcp *t, struct plx_net_tcp *c);
/** Let go of the connection, by RST if it lingers for no time or is to be aborted. */
void sock__tcp_drop(struct sock_lcore *sl, struct sock_tcp *t, bool abort);

/* listen.c */
long sock__tcp_listen(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__tcp_accept(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** Those who wait to be accepted. */
uint32_t sock__tcp_waiting(const struct sock_file *f);
/** An option of a listener has been set: those that it lets in from now on have it, too. */
void sock__tcp_options(struct sock_lcore *sl, struct sock_file *f);
/** It listens no more. */
void sock__tcp_unlisten(struct sock_lcore *sl, struct sock_file *f);

/* stream_io.c */
long sock__tcp_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__tcp_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__tcp_send_mbuf(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
struct rte_mbuf *sock__tcp_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err);
long sock__tcp_queued(struct sock_lcore *sl, struct sock_file *f, unsigned long request);
uint32_t sock__tcp_poll(struct sock_lcore *sl, struct sock_file *f);

/* urgent.c */
/** Is there an urgent byte that has not been read? */
bool sock__tcp_urgent(const struct sock_file *f);
/** Is the urgent byte so many bytes on? 0: SIOCATMARK. */
bool sock__tcp_is_mark(const struct sock_file *f, uint32_t from);
/** SIOCINQ: what can be read, up to the urgent byte. */
uint32_t sock__tcp_inq(const struct sock_file *f);
/** How many bytes a call may read that begins `from` bytes on: it stops in front of the mark, and
 * begins behind it. */
uint32_t sock__tcp_to_mark(
	struct sock_lcore *sl, const struct sock_file *f, const struct sock_op *op, uint32_t from);
/** Bytes that MSG_PEEK leaves out there: an urgent one that is read by MSG_OOB only. */
uint32_t sock__tcp_hole(const struct sock_file *f, uint32_t from);
/** MSG_OOB. */
long sock__tcp_recv_urgent(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** The last byte written is urgent. */
void sock__tcp_sent_urgent(struct sock_lcore *sl, struct sock_tcp *t);
