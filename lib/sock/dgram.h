/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * UDP sockets: what their files share.
 *
 * What the stack knows of a socket is a record of its own (struct sock_udp), as a socket can be
 * unbound and bound anew, or closed, while other lcores still know the old one.
 */
#include <time.h>

#include "errq.h"

struct sock_dgram;
/** Bound: the stack's socket. */
struct sock_udp {
	struct plx_net_udp s;
	struct sock_lcore *sl;
	struct sock_dgram *d;	      /**< NULL: it has let go of it */
	bool left;		      /**< on its way to another lcore */
	struct plx_rfs_streak streak; /**< RFS: where threads use it */
};

/** A datagram that waits to be read. */
struct sock_dmsg {
	struct plx_fifo_node node;
	struct rte_mbuf *m;
	struct plx_net_udp_msg msg;
	int64_t real_ns; /**< when it came; 0 = nobody wants to know */
	uint32_t charge;
	uint32_t drops; /**< datagrams that found no room before it */
	bool peeked;	/**< MSG_PEEK has seen it */
};

struct sock_member {
	struct sock_member *next;
	struct plx_addr group;
	struct plx_addr by; /**< the address that named the interface; any = none did */
	uint16_t iface;
};

/** A datagram that is being put together (UDP_CORK, MSG_MORE). */
struct sock_cork {
	struct rte_mbuf *m; /**< NULL: empty so far */
	struct plx_net_udp_msg msg;
};

struct sock_dgram {
	struct sock_file f; /**< first */
	struct sock_lcore *sl;
	struct sock_udp *udp;	  /**< NULL: not bound */
	struct plx_net_bind bind; /**< its port */
	struct plx_addr laddr;	  /**< any: not bound to one, and not connected */
	struct plx_addr raddr;
	uint16_t rport, riface; /**< riface: of a link-local raddr */
	uint16_t scope;		/**< bind()'s interface */
	bool connected;
	bool addr_lock, port_lock; /**< bind() named them: they survive a disconnect */
	uint32_t rmem;		   /**< charged against SO_RCVBUF */
	uint32_t drops;
	struct plx_fifo q;    /**< of struct sock_dmsg */
	struct plx_fifo errs; /**< of struct sock_derr */
	struct sock_member *members;
	struct sock_cork *cork;
};

extern const struct sock_kind sock__dgram_kind, sock__raw_kind;

/** NULL: it is none. */
static inline struct sock_dgram *sock__dgram(struct sock_file *f)
{
	return f->kind == &sock__dgram_kind || f->kind == &sock__raw_kind ? (struct sock_dgram *)f
									  : NULL;
}
uint32_t sock__dgram_rmem(struct sock_file *f);
uint32_t sock__dgram_drops(struct sock_file *f);

/* of all kinds of them */
uint32_t sock__dgram_poll(struct sock_lcore *sl, struct sock_file *f);
long sock__dgram_shutdown(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__dgram_queued(struct sock_lcore *sl, struct sock_file *f, unsigned long request);

/* dgram_bind.c */
long sock__dgram_bind(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__dgram_connect(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** Where to: as bind(), connect() and sendto() take it. */
int sock__dgram_addr(const struct sock_file *f, const struct sockaddr *sa, socklen_t len,
	struct plx_addr *a, uint16_t *port, uint16_t *iface);
/** A port for who has none, by which what dst:dport answers comes to this lcore. 0 or -errno. */
int sock__dgram_autobind(struct sock_dgram *d, const struct plx_addr *dst, uint16_t dport);
/** The interface has changed: bind it anew. */
int sock__dgram_rebind(struct sock_dgram *d);
void sock__dgram_unbind(struct sock_dgram *d);
/** The interface that what goes to dst must take: *bound, or should take; 0 = by route. */
uint16_t sock__dgram_iface(
	const struct sock_dgram *d, const struct plx_addr *dst, uint16_t scope, bool *bound);
/** Nobody's address stands for ourselves. */
void sock__dgram_self(const struct sock_dgram *d, struct plx_addr *dst);

/* dgram_in.c */
extern const struct plx_net_udp_ops sock__dgram_ops;
long sock__dgram_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
struct rte_mbuf *sock__dgram_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err);
/** sock_error(): the error that waits, which is told once. 0 or -errno. */
int sock__dgram_pending(struct sock_file *f);
/** It has come: to the end of the queue, if there is room. Takes m, which is counted already. */
void sock__dgram_push(struct sock_dgram *d, struct rte_mbuf *m, const struct plx_net_udp_msg *msg);
/** Bytes of the next datagram. */
uint32_t sock__dgram_next(const struct sock_dgram *d);
void sock__dgram_queue_free(struct sock_dgram *d);
/** The first n bytes of m to the caller's memory, from its byte off on. */
void sock__iov_put_mbuf(const struct msghdr *msg, size_t off, const struct rte_mbuf *m, size_t n);

/* dgram_err.c */
void sock__dgram_error(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_net_error *e,
	const struct plx_net_udp_msg *msg);
/** ip_local_error(): a datagram to dst did not fit the path's MTU. */
void sock__dgram_too_big(struct sock_dgram *d, const struct plx_net_udp_msg *msg);
/** Forget the errors that wait, but what MSG_ZEROCOPY is to be told; harmless for what is no UDP
 * socket. */
void sock__dgram_errs_purge(struct sock_lcore *sl, struct sock_file *f);
/** Forget all. */
void sock__dgram_errs_free(struct sock_lcore *sl, struct sock_file *f);
/** Copy n bytes into the caller's memory from its byte off on. */
void sock__iov_put(const struct msghdr *m, size_t off, const void *p, size_t n);

/* dgram_out.c */
/**
 * How a datagram to msg->dst goes: what options and op's control messages say of its source, its
 * interface and its IP header, into msg, which is zero otherwise. @param scope of a link-local dst
 * @return 0 or -errno.
 */
int sock__dgram_how(const struct sock_dgram *d, const struct sock_op *op, uint16_t scope,
	struct plx_net_udp_msg *msg);
/**
 * n bytes of the call's, from its byte off on, behind what m holds already (NULL: nothing).
 * @return m, or NULL: no memory, and m is freed.
 */
struct rte_mbuf *sock__dgram_fill(
	struct sock_lcore *sl, struct rte_mbuf *m, const struct msghdr *msg, size_t off, size_t n);
long sock__dgram_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__dgram_send_mbuf(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** UDP_CORK is off: what has been put together goes. 0 or -errno. */
long sock__dgram_uncork(struct sock_dgram *d);
void sock__dgram_cork_free(struct sock_dgram *d);

/* move.c: as struct plx_net_udp_ops has them */
bool sock__dgram_leave(struct plx_softnet *sn, struct plx_net_udp *s, struct plx_softnet *to);
struct plx_net_udp *sock__dgram_copy(struct plx_softnet *sn, const struct plx_net_udp *s);
void sock__dgram_arrive(struct plx_softnet *sn, struct plx_net_udp *s);
void sock__dgram_left(struct plx_softnet *sn, struct plx_net_udp *s);

/* opt_mc.c */
/** May it hear what came to this group by this interface? */
bool sock__mc_hears(const struct sock_dgram *d, const struct plx_addr *group, uint16_t iface);
void sock__mc_leave_all(struct sock_dgram *d);
