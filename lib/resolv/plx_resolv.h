/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Names to addresses, and back: Linux's getaddrinfo(3) and getnameinfo(3), over Pollux's sockets.
 *
 * A name is looked for in a hosts file, then by DNS (c-ares, over plx_socket(): UDP, and TCP where
 * an answer is too long), and what is found is ordered by RFC 6724 with the stack's own routes and
 * addresses. Structs, flags and EAI_* are libc's. Which name servers are asked is the stack's own
 * matter: the host's /etc/resolv.conf and /etc/hosts are read unless others are given, but what
 * they name is reached through the stack.
 *
 * Queries are carried out by an lcore, which never waits: a program there begins one and is called
 * back. An ordinary thread's plx_getaddrinfo() sleeps until the lcore is done.
 *
 * Not done: Linux's nsswitch.conf and gai.conf, a cache of answers, mDNS, DNSSEC, internationalised
 * names (AI_IDN: EAI_BADFLAGS). Files are read once, by plx_resolv_create().
 */
#include <netdb.h>

#include <plx_sock.h>
#include <plx_sock_if.h>

#include "plx_resolv_conf.h"

PLX_C_BEGIN

struct plx_resolv; /**< the resolver of a stack */

/**
 * A resolver for a stack with sockets. Before the run. The first one made is what ordinary threads
 * use. @return NULL with *e filled (a server that is no address; no memory).
 */
PLX_API struct plx_resolv *plx_resolv_create(struct plx_net *net, struct plx_sock *s,
	const struct plx_resolv_conf *conf, struct plx_error *e);
/** After the run, before plx_sock_destroy(). What still waits ends with EAI_SYSTEM, ESHUTDOWN. */
PLX_API void plx_resolv_destroy(struct plx_resolv *r);
/** The i-th name server, as "A:PORT" or "[A6]:PORT". @return NULL: there are no more. */
PLX_API const char *plx_resolv_server(const struct plx_resolv *r, unsigned int i);

/**
 * getaddrinfo(3). From an ordinary thread; an lcore gets what needs no name server, otherwise
 * EAI_SYSTEM with EAGAIN. @return 0 or EAI_*. *res is the caller's, for plx_freeaddrinfo().
 */
PLX_API int plx_getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
/** Any thread. */
PLX_API void plx_freeaddrinfo(struct addrinfo *res);
/** getnameinfo(3); likewise. */
PLX_API int plx_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen,
	char *serv, socklen_t servlen, int flags);

/** A query of an lcore's program, which lies in its own object until done() is called. */
struct plx_resolv_query {
	/**
	 * The result: 0 or EAI_* (EAI_SYSTEM: errno). Of plx_resolv_addr() res, the callee's; of
	 * plx_resolv_name() name, which lives as long as the call. On the lcore that began it.
	 */
	void (*done)(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name);
	void *arg;
	struct resolv_job *job; /**< the library's */
};
/**
 * Begin what plx_getaddrinfo() does; hints is copied. On an lcore. q->done() may be called before
 * it returns.
 */
PLX_API void plx_resolv_addr(struct plx_resolv_query *q, const char *node, const char *service,
	const struct addrinfo *hints);
/** Begin to look for the name of an address: by the hosts file, then by DNS. On an lcore. */
PLX_API void plx_resolv_name(struct plx_resolv_query *q, const struct sockaddr *sa, socklen_t len);
/** q is forgotten: done() is not called. On its lcore. Harmless when it is done. */
PLX_API void plx_resolv_cancel(struct plx_resolv_query *q);

PLX_C_END
