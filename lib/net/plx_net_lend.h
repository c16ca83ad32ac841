/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Sending without a copy: a program lends its memory to what is sent.
 *
 * Packets, and the send buffers of connections, refer to it where it lies; so it must not change
 * before the program is told that nobody holds it any more: for TCP not before all of it is
 * acknowledged (or the connection is over), and in any case not before the last driver has let go.
 * The stack only reads it. All calls are made on the lcore of sn.
 *
 * Where the stack cannot pass it on it copies: to ourselves, on ports that take no chain of mbufs,
 * into fragments, and where a packet would be of more pieces than drivers take.
 */
#include <plx_engine.h>

#include "plx_net.h"

PLX_C_BEGIN

struct plx_net_tcp;

/** Who lends memory is told when it is free again. Copied by the call that it is given to. */
struct plx_net_done {
	/**
	 * On the lcore of sn, in a turn of its own: never within a call of the program's, nor
	 * before the call that lent has returned. What is out at the end of the run comes back when
	 * ports are closed, on the main thread. NULL: nobody wants to know.
	 * @param copied it went on as a copy, all of it or a part.
	 */
	void (*fn)(struct plx_softnet *sn, const struct plx_net_done *d, bool copied);
	void *arg;   /**< the program's */
	uint64_t id; /**< the program's */
};

#define PLX_NET_LEND_BYTES (1u << 20) /**< of a call of TCP's, at most */
#define PLX_NET_LEND_SEGS  4096u      /**< the same in mbufs */

/**
 * Append the text of m, a chain of mbufs of whatever pools, to a connection's send buffer; all of
 * it as soon as there is any room at all (plx_net_tcp_room()), where it is charged with the mbufs'
 * rooms. Only read, it may be somebody else's too (a reference count above 1).
 * @param more as of plx_net_tcp_write_more(). @param done or NULL.
 * @return 0: m is the stack's. Else it stays the caller's: -EAGAIN: no room, writable() follows;
 * -EMSGSIZE: too long; -EINVAL: its lengths don't fit each other.
 */
PLX_API int plx_net_tcp_send(struct plx_softnet *sn, struct plx_net_tcp *c, struct rte_mbuf *m,
	bool more, const struct plx_net_done *done);
/**
 * The same of n bytes at p, contiguous at iova for devices, as far as there is room.
 * @return bytes taken, of which done->fn() will tell; less than n: writable() follows.
 */
PLX_API uint32_t plx_net_tcp_lend(struct plx_softnet *sn, struct plx_net_tcp *c, const void *p,
	rte_iova_t iova, uint32_t n, bool more, const struct plx_net_done *done);

/**
 * plx_net_udp_send() of m, a chain of mbufs of whatever pools. Where nobody else has a reference to
 * it, and nobody wants to be told, it becomes the packet itself, headers in its headroom.
 * @return 0: m is the stack's, which may have lost it. Else it stays the caller's: -ENOBUFS: no
 * memory; -EINVAL: its lengths don't fit each other; or plx_net_errno()'s: refused.
 */
PLX_API int plx_net_udp_send_lent(struct plx_softnet *sn, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg, const struct plx_net_done *done);
/** An mbuf that carries the n bytes at p: to make a datagram of. @return NULL: no memory. */
PLX_API struct rte_mbuf *plx_net_lend(struct plx_softnet *sn, const void *p, rte_iova_t iova,
	uint16_t n, const struct plx_net_done *done);
/** Such a datagram, or a part of it, is not sent: free m, and nobody is told. */
PLX_API void plx_net_unlend(struct rte_mbuf *m);

PLX_C_END
