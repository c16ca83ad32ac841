/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Local ports: who has which, of all that is bound on any lcore.
 *
 * Any lcore, any thread: a table behind a short lock, which the packet path never takes. It decides
 * for all before an lcore hears of a socket, so that these need not agree with each other.
 */
#include <plx_base_addr.h>
#include <plx_base_defs.h>

PLX_C_BEGIN

struct plx_net;

/** A claim on a local port, of bind(2); embedded in the owner's object. Zero but the upper part. */
struct plx_net_bind {
	struct plx_addr laddr;
	uint16_t lport; /**< 0 = one is chosen and filled in */
	uint16_t iface; /**< 0 = any */
	uint8_t proto;	/**< PLX_IPPROTO_TCP or _UDP */
	bool v6only, reuseaddr, reuseport;
	bool listening; /**< TCP: others' reuseaddr does not count then */
	uint32_t uid;
	bool held; /**< the stack's, from here on: it is in the table */
	struct plx_net_bind *next;
};

/** Those of the ports 64 * word .. 64 * word + 63 that will do, as bits. */
typedef uint64_t (*plx_net_bind_choose)(const void *arg, uint32_t word);

/**
 * Linux's inet_csk_get_port(), udp_lib_get_port(). While the engine runs an ordinary thread that
 * names an address waits for the control lcore to look for it.
 * @param choose for lport 0: which ports will do, asked under the lock; NULL = any
 * @return 0, -EADDRINUSE, -EADDRNOTAVAIL (laddr is none of ours), -EINVAL (held already).
 */
PLX_API int plx_net_bind_add(
	struct plx_net *net, struct plx_net_bind *b, plx_net_bind_choose choose, const void *arg);
/** listen(2): it listens from now on. @return 0 or -EADDRINUSE. */
PLX_API int plx_net_bind_listen(struct plx_net *net, struct plx_net_bind *b);
/** It is bound to this interface from now on (SO_BINDTODEVICE; 0 = any); as Linux, whoever else has
 * the port. */
PLX_API void plx_net_bind_move(struct plx_net *net, struct plx_net_bind *b, uint16_t iface);
/** The claim that was in `from` is in `to` from now on, if it is held. */
PLX_API void plx_net_bind_take(
	struct plx_net *net, struct plx_net_bind *to, struct plx_net_bind *from);
/** It listens no more, and keeps its port. */
PLX_API void plx_net_bind_unlisten(struct plx_net *net, struct plx_net_bind *b);
/** Harmless when it is not held. */
PLX_API void plx_net_bind_del(struct plx_net *net, struct plx_net_bind *b);

PLX_C_END
