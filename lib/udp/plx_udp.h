/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * UDP's binding table: which socket gets a datagram (RFC 768, RFC 1122 4.1; Linux net/ipv4/udp.c).
 *
 * No bytes, no queues: the table links records that are embedded in the caller's objects. Each
 * lcore owns a replica, with records of its own, and binds are told to all in the same order, so
 * that all replicas agree and nothing here is shared.
 *
 * Addresses: IPv4 is IPv4-mapped. A socket bound to 0.0.0.0 hears IPv4, one bound to :: hears IPv6,
 * and IPv4 too unless v6only. A specific address hears its family.
 *
 * The winner, as in Linux: a connected socket (all four match), else one bound to the destination
 * address, else one bound to any. Among equals of a step one bound to the interface, then an IPv4
 * socket before a dual-stack one, then the newest. A SO_REUSEPORT group answers by one of its
 * members, chosen by the flow's hash.
 *
 * No clock, no allocation: memory and a secret seed come from the caller.
 */
#include <plx_base_addr.h>
#include <plx_base_bind.h>
#include <plx_base_defs.h>
#include <plx_base_list.h>

PLX_C_BEGIN

struct plx_udp; /**< a table; one owner */

struct plx_udp_conf {
	uint32_t sockets;	/**< bound at a time, at most */
	uint32_t groups;	/**< SO_REUSEPORT groups, at most */
	uint32_t group_sockets; /**< members of one group, at most 65,535 */
	uint64_t seed[2]; /**< secret key of the hash and of the port choice; random for each run */
};

struct plx_udp_group;
struct plx_udp_port;

/** A socket's record, zeroed at first: the caller sets the upper part before bind(). */
struct plx_udp_sock {
	struct plx_addr laddr; /**< local; any is 0.0.0.0 or :: */
	uint16_t lport;	       /**< host order */
	uint16_t home;	       /**< lcore that owns the socket */
	uint32_t iface;	       /**< bound to this interface; 0 = none */
	uint32_t uid;	       /**< SO_REUSEPORT is shared within a user only */
	bool v6only;	       /**< IPV6_V6ONLY */
	bool reuseaddr;	       /**< SO_REUSEADDR */
	bool reuseport;	       /**< SO_REUSEPORT */
	bool by_flow;	       /**< connected, and its home may change with its flow's owner */
	/**
	 * 0: the newest is the one that came last. Else the caller has settled all conflicts,
	 * bind() looks for none, and the greater is the newer, in whatever order replicas are told
	 * of them. It may be changed before connect() and disconnect().
	 */
	uint64_t order;
	void *user; /**< the caller's */

	/* read only from here on */
	bool bound;
	bool connected;
	uint16_t rport;		     /**< connected to; else 0 */
	struct plx_addr raddr;	     /**< connected to; else :: */
	struct plx_addr bound_laddr; /**< laddr as of bind(): comes back at disconnect() */

	/* the table's */
	uint32_t group_at;	     /**< index in the group */
	struct plx_udp_group *group; /**< unconnected and reuseport */
	struct plx_udp_port *port;
	struct plx_list of_all, of_port; /**< oldest first */
	struct plx_list of_any;		 /**< where lookup finds it, newest first: bound to any */
	struct plx_udp_sock *hash_next;	 /**< the same: bound to an address, or connected */
};

#define PLX_UDP_NO_HOME UINT16_MAX

/** A datagram as lookup sees it; ports in host order. */
struct plx_udp_flow {
	struct plx_addr dst, src;
	uint16_t dport, sport;
	uint32_t iface; /**< it came by */
	uint32_t hash;	/**< of the flow, all 32 bits used: chooses in a SO_REUSEPORT group */
	uint16_t home;	/**< prefer group members of this lcore; PLX_UDP_NO_HOME = none */
};

/** Bytes that init() needs for this configuration. */
PLX_API size_t plx_udp_size(const struct plx_udp_conf *conf);

/**
 * Make an empty table in mem.
 * @param mem  plx_udp_size() bytes, aligned to a cache line; stays the caller's
 * @return the table, at mem; or NULL when the configuration has a zero or is beyond its bounds
 */
PLX_API struct plx_udp *plx_udp_init(void *mem, const struct plx_udp_conf *conf);

/**
 * Bind s to laddr, lport and iface, all set by the caller together with the flags. s must stay in
 * place until unbind().
 *
 * Two sockets of one port conflict as plx_bind_conflict() says.
 *
 * @return
 * - 0
 * - -EADDRINUSE: the port is taken
 * - -EINVAL: lport is 0, s is bound already, or v6only stands with an IPv4 address
 * - -ENOBUFS: no more sockets or groups, or the group has its most members
 */
PLX_API int plx_udp_bind(struct plx_udp *t, struct plx_udp_sock *s);

/** Out of the table; a connection goes with it. No-op when not bound. */
PLX_API void plx_udp_unbind(struct plx_udp *t, struct plx_udp_sock *s);

/**
 * Connect a bound socket, or connect it anew. Source address selection is the caller's: laddr
 * replaces any. As in Linux two sockets that share a port may connect to the same peer; the newest
 * connection hears it. A connected socket is no member of its SO_REUSEPORT group.
 *
 * @param laddr  specific; must be the address bound to unless that is any
 * @return 0; -EINVAL when s is not bound, rport is 0, or the addresses are of two families or any
 */
PLX_API int plx_udp_connect(struct plx_udp *t, struct plx_udp_sock *s, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport);

/**
 * Back to what bind() made (connect() to AF_UNSPEC). No-op when not connected.
 * @return 0; -ENOBUFS when its SO_REUSEPORT group has its most members by now: stays connected
 */
PLX_API int plx_udp_disconnect(struct plx_udp *t, struct plx_udp_sock *s);

/** The socket for a unicast datagram, or an ICMP error's (the quoted tuple reversed); or NULL. */
PLX_API struct plx_udp_sock *plx_udp_lookup(const struct plx_udp *t, const struct plx_udp_flow *f);

/**
 * The next socket for a multicast or broadcast datagram: each one that matches gets a clone,
 * members of SO_REUSEPORT groups each their own. Whether the socket joined the group is the
 * caller's check. As in Linux a connected socket hears groups only if bound to one.
 *
 * @param prev  NULL for the first; no bind, unbind or connect in between
 */
PLX_API struct plx_udp_sock *plx_udp_mcast_next(
	const struct plx_udp *t, const struct plx_udp_flow *f, const struct plx_udp_sock *prev);

/** True when bind() of s to this port would not conflict (s->lport is not looked at). */
PLX_API bool plx_udp_port_is_free(
	const struct plx_udp *t, const struct plx_udp_sock *s, uint16_t port);

/** A range of ports, both ends included: net.ipv4.ip_local_port_range. */
struct plx_udp_range {
	uint16_t lo, hi;
};

/**
 * Choose an ephemeral port for s (RFC 6056 3.3.3: a keyed hash of the addresses plus a counter).
 *
 * @param raddr, rport	where it will connect to, or NULL and 0
 * @param accept	NULL, or a further condition, e.g. that the reply hashes to an lcore;
 *			asked at most once for each port of the range
 * @return the port; -EADDRINUSE when none is left; -EINVAL for an empty range
 */
PLX_API int plx_udp_port_pick(struct plx_udp *t, const struct plx_udp_sock *s,
	const struct plx_udp_range *range, const struct plx_addr *raddr, uint16_t rport,
	bool (*accept)(void *arg, uint16_t port), void *arg);

/** Every socket, oldest first. @param prev NULL for the first. */
PLX_API struct plx_udp_sock *plx_udp_next(const struct plx_udp *t, const struct plx_udp_sock *prev);

/** How many sockets are bound. */
PLX_API uint32_t plx_udp_count(const struct plx_udp *t);

PLX_C_END
