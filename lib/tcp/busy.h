/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Towards which of our ports a peer's address and port is taken: a record as bits, for peers to
 * whom most of the range is.
 *
 * As long as few ports are taken a random one is free more often than not, and the connection table
 * says so. When some tries in a row have failed the record is made, by looking all ports up once;
 * from then on additions to the table and deletions keep it. It goes when half of the connections
 * that were there then have ended, so the cost of making it is that of as many connections.
 *
 * A TIME-WAIT is free to connect() from the second after its last timestamp on (tcp_tw_reuse).
 * Those that are not yet are `young`; when a port is next looked for in another second they are
 * taken for free, and who is not even so becomes young again, as it has had a segment meanwhile.
 */
#include <plx_base_port.h>

#include "table.h"

struct tcp_busy {
	struct tcp_busy *next; /* of the chain */
	struct plx_tcp_id key; /* laddr, raddr, rport */
	uint16_t lo, hi;       /* ports that it knows about */
	uint32_t entries;      /* of the table among them */
	uint32_t least;	       /* with less than so many it goes */
	uint32_t young_s;      /* the second in which a port was last looked for */
	uint64_t busy[PLX_PORT_WORDS];
	uint64_t young[PLX_PORT_WORDS]; /* of those */
};

struct plx_tcp_tw;

/* NULL: there is none that knows of lo .. hi. */
struct tcp_busy *tcp__busy_find(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, uint16_t lo, uint16_t hi);
/* NULL: no memory. */
struct tcp_busy *tcp__busy_new(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, uint16_t lo, uint16_t hi, plx_ns now);
/* A port is to be looked for: let the young grow old. */
void tcp__busy_age(
	const struct plx_tcp_ctx *ctx, struct tcp_busy *b, const struct plx_tcp_id *id, plx_ns now);
/* The port is not free, though it was none of the busy ones. */
void tcp__busy_learn(
	const struct plx_tcp_ctx *ctx, struct tcp_busy *b, const struct plx_tcp_id *id, plx_ns now);
/* A TIME-WAIT has begun. */
void tcp__busy_wait(const struct plx_tcp_ctx *ctx, const struct plx_tcp_tw *w, plx_ns now);

/* The table's: id has come, is going. */
void tcp__busy_add(struct plx_tcp_table *t, const struct plx_tcp_id *id);
void tcp__busy_del(struct plx_tcp_table *t, const struct plx_tcp_id *id);
void tcp__busy_free_all(struct plx_tcp_table *t);
