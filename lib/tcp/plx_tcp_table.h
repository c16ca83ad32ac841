/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Which connection, SYN queue record, TIME-WAIT record or listener a segment is for.
 *
 * Connections are found by a secret hash of the four-tuple (DESIGN: never the NIC's, which is
 * linear and near-constant on one lcore). The table grows, and shrinks when it is mostly empty, by
 * steps of additions: at most 64 entries are moved a call. Listeners: the most specific one wins
 * (address before any, interface before none, IPv4 before what hears both families); those with
 * SO_REUSEPORT that are equal share by the flow's hash, preferring members of this lcore.
 */
#include <plx_base_port.h>

#include "plx_tcp_seg.h"

PLX_C_BEGIN

struct plx_tcp_table; /**< one owner */
struct plx_tcp_listener;

/** How many of a table have each local port: for who looks at it from elsewhere. */
struct plx_tcp_port_uses {
	uint32_t n[65536];
	uint64_t used[PLX_PORT_WORDS]; /**< a bit for each port that one has; any thread */
};

struct plx_tcp_table_conf {
	uint64_t seed[2];		/**< secret */
	struct plx_arena *mem;		/**< of slots */
	uint32_t slots;			/**< connections to have room for at first; 0 = 1024 */
	struct plx_tcp_port_uses *uses; /**< zeroed, the caller's; NULL = nobody asks */
};

/** @return NULL when mem has no room. */
PLX_API struct plx_tcp_table *plx_tcp_table_create(const struct plx_tcp_table_conf *conf);
/** It must be empty: no connections, no listeners. NULL does nothing. */
PLX_API void plx_tcp_table_destroy(struct plx_tcp_table *t);

/** Only the four addresses and ports of key count. @return the id of what it is for, or NULL. */
PLX_API struct plx_tcp_id *plx_tcp_table_lookup(
	struct plx_tcp_table *t, const struct plx_tcp_id *key);
/** The same for a burst: hashes and prefetches first. @param found [n] out. */
PLX_API void plx_tcp_table_lookup_burst(struct plx_tcp_table *t,
	const struct plx_tcp_id *const *key, struct plx_tcp_id **found, uint32_t n);
/** @return 0; -EADDRINUSE when the four-tuple is there; -ENOBUFS when there is no memory. id must
 * not move or change its four-tuple until it is deleted. */
PLX_API int plx_tcp_table_add(struct plx_tcp_table *t, struct plx_tcp_id *id);
/** No-op when it is not there. */
PLX_API void plx_tcp_table_del(struct plx_tcp_table *t, struct plx_tcp_id *id);
/** in takes the place of out, of the same four-tuple: no window in which neither is found. */
PLX_API void plx_tcp_table_replace(
	struct plx_tcp_table *t, struct plx_tcp_id *out, struct plx_tcp_id *in);
PLX_API uint32_t plx_tcp_table_count(const struct plx_tcp_table *t);
/**
 * The next one behind *cursor (0 to begin) of all but listeners; stable while nothing is added:
 * what is deleted or replaced meanwhile moves no other.
 * @param id out: NULL where a call's share of the table is empty
 * @return false at the end.
 */
PLX_API bool plx_tcp_table_next(
	const struct plx_tcp_table *t, uint64_t *cursor, struct plx_tcp_id **id);

/** Another number when plx_tcp_table_next() may have missed one: the table has grown, say. */
PLX_API uint32_t plx_tcp_table_shape(const struct plx_tcp_table *t);

/** @return 0, -EADDRINUSE, -EINVAL (port 0, v6only with IPv4). */
PLX_API int plx_tcp_listener_add(struct plx_tcp_table *t, struct plx_tcp_listener *l);
PLX_API void plx_tcp_listener_del(struct plx_tcp_table *t, struct plx_tcp_listener *l);
/** @param hash of the flow, chooses in a SO_REUSEPORT group. @return NULL if nobody listens. */
PLX_API struct plx_tcp_listener *plx_tcp_listener_find(
	struct plx_tcp_table *t, const struct plx_tcp_id *key, uint32_t hash);

/** What a port must be, beside free. */
struct plx_tcp_port_filter {
	/** Those of the ports 64 * word .. 64 * word + 63 that will do, as bits. */
	uint64_t (*word)(const void *arg, uint32_t word);
	const void *arg;
	uint32_t most; /**< even ones, or odd ones, of a word at most; 0 = 32 */
};

struct plx_tcp_ctx;
/**
 * Choose a local port for an active open, of net.pollux.ip_local_port_lo .. _hi: at random, all
 * alike (RFC 6056 3.3.1); as Linux's __inet_hash_connect() the half of lo's parity first, none that
 * has a listener, none whose four-tuple is taken (but by a TIME-WAIT that plx_tcp_tw_reusable()
 * lets go: the caller finds and ends it). How long it takes does not depend on how many are taken.
 * @param id addresses and rport are set
 * @param filter NULL, or a further condition, e.g. that the reply hashes to this lcore
 * @return the port, or -EADDRNOTAVAIL: there is none.
 */
PLX_API int plx_tcp_port_pick(struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now,
	const struct plx_tcp_port_filter *filter);

PLX_C_END
