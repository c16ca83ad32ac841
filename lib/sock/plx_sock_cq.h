/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A completion queue: calls that nobody waits for, after io_uring(7).
 *
 * A request names a call and its arguments; it is carried out by the owner of the socket, waits
 * there for as long as the call would, and its result is put into the queue. Buffers belong to the
 * request until then. Any socket will do, also that of another lcore.
 *
 * A queue is used by one thread at a time: an ordinary one, which can sleep in plx_cq_reap(), or an
 * lcore, whose programs are called when something has completed.
 */
#include <stdint.h>
#include <sys/socket.h>

#include <plx_base_defs.h>

PLX_C_BEGIN

struct plx_cq;

enum plx_cq_op {
	PLX_CQ_NOP,
	PLX_CQ_ACCEPT,	 /**< flags: of accept4(); addr, addr_len: the peer's, or NULL */
	PLX_CQ_CONNECT,	 /**< addr, len */
	PLX_CQ_RECV,	 /**< buf, len, flags */
	PLX_CQ_SEND,	 /**< buf, len, flags */
	PLX_CQ_RECVMSG,	 /**< msg, flags */
	PLX_CQ_SENDMSG,	 /**< msg, flags */
	PLX_CQ_SHUTDOWN, /**< flags: how */
	PLX_CQ_CLOSE,
	PLX_CQ_MAX
};

/** A request. */
struct plx_sqe {
	uint8_t op; /**< enum plx_cq_op */
	int fd;
	int flags;
	uint32_t timeout_ms; /**< -ETIMEDOUT after so long; 0 = as the socket's options say */
	union {
		void *buf;
		struct msghdr *msg;
		struct sockaddr *addr;
	};
	size_t len;
	socklen_t *addr_len;
	uint64_t user; /**< comes back with the result */
};

/** A result: what the call gives, or -errno. No SIGPIPE comes with it. */
struct plx_cqe {
	uint64_t user;
	int64_t result;
};

/** @param entries requests under way at a time, at most. @return NULL: no memory. */
PLX_API struct plx_cq *plx_cq_create(unsigned int entries);
/** Ends what is under way, and waits for that; never on an lcore that may be asked for it. After
 * the run: behind plx_sock_destroy(), which ends all. */
PLX_API void plx_cq_destroy(struct plx_cq *cq);
/**
 * Hand over n requests. They may complete before this returns.
 * @return how many were taken: less than n when there are too many under way.
 */
PLX_API unsigned int plx_cq_submit(struct plx_cq *cq, const struct plx_sqe *sqe, unsigned int n);
/**
 * Take results.
 * @param timeout_ms how long to wait for the first one; -1 = for ever. On an lcore it never waits.
 * @return how many; 0: none came; -1 and EINTR.
 */
PLX_API int plx_cq_reap(struct plx_cq *cq, struct plx_cqe *cqe, unsigned int n, int timeout_ms);
/** Ask for the end of those with this user value: -ECANCELED, unless they are done by then. */
PLX_API void plx_cq_cancel(struct plx_cq *cq, uint64_t user);

PLX_C_END
