/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Ancillary data (cmsg(3)): what recvmsg() puts into msg_control, and what sendmsg() finds there.
 */
#include "sock.h"

/** Being written behind each other, as Linux's put_cmsg() does. */
struct sock_cmsg {
	struct msghdr *msg;
	uint8_t *at;
	size_t room;
};

struct sock_cmsg sock__cmsg_begin(struct msghdr *msg);
/** One more; cut where there is no room for all of it (MSG_CTRUNC). */
void sock__cmsg_put(struct sock_cmsg *c, int level, int type, const void *data, size_t bytes);
/** An int. */
void sock__cmsg_put_int(struct sock_cmsg *c, int level, int type, int v);
/** When it came, as SO_TIMESTAMP or SO_TIMESTAMPNS says; nothing if neither does. */
void sock__cmsg_put_stamp(struct sock_cmsg *c, const struct sock_opts *o, int64_t real_ns);
/** msg_controllen is what has been written. */
void sock__cmsg_end(struct sock_cmsg *c);

/** The time of day. */
int64_t sock__real_ns(void);

/** What a datagram is sent with besides the socket's options. */
struct sock_cmsg_tx {
	struct plx_addr src; /**< :: = none */
	uint16_t iface;	     /**< 0 = none */
	int16_t ttl, tos;    /**< -1 = none */
	int8_t dontfrag;     /**< -1 = none */
	int32_t gso;	     /**< -1 = none */
};
/** @param v4 the datagram goes to an IPv4 address. @return 0, -EINVAL. */
int sock__cmsg_get(
	const struct sock_file *f, const struct msghdr *msg, bool v4, struct sock_cmsg_tx *tx);
