/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A connection to ourselves whose two ends both write as much as they can, and then end. How they
 * read is the test's: it has a function ends_read().
 */
#include "net_tcp_t.h"

static struct ends {
	struct plx_net_tcp *c;
	uint64_t got, sent;
	bool fin, closed;
} ends[2];

/** Text of either, bytes; the test's. */
static const uint32_t ends_bytes;

static void ends_read(struct plx_softnet *sn, struct plx_net_tcp *c);

static void ends_write(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct ends *e = plx_net_tcp_user(c);
	uint8_t buf[5000];
	uint32_t n = 1;

	while (n && e->sent < ends_bytes) {
		uint32_t want = (uint32_t)PLX_MIN(ends_bytes - e->sent, sizeof(buf));

		for (uint32_t i = 0; i < want; i++)
			buf[i] = tt_text(e->sent + i);
		n = plx_net_tcp_write(sn, c, buf, want);
		e->sent += n;
		if (e->sent == ends_bytes)
			plx_net_tcp_shutdown(sn, c);
	}
}

static void ends_fin(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	((struct ends *)plx_net_tcp_user(c))->fin = true;
}

static void ends_closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	eq(err, 0);
	((struct ends *)plx_net_tcp_user(c))->closed = true;
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops ends_ops = {
	.established = ends_write,
	.readable = ends_read,
	.writable = ends_write,
	.peer_closed = ends_fin,
	.closed = ends_closed,
};

static bool ends_accept(
	struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	plx_net_tcp_take(c, &ends_ops, &ends[1]);
	ends_write(sn, c);
	return true;
}

/** The stack listens; ends_connect() opens the connection to its own addr. */
static inline void ends_start(void)
{
	memset(ends, 0, sizeof(ends));
	tt_start();
	tt.l.accept = ends_accept;
}

static inline void ends_connect(const char *addr)
{
	const struct plx_net_tcp_to to = {.raddr = t_addr(addr), .rport = TT_PORT};

	eq(plx_net_tcp_connect(tt_sn(), &to, &ends_ops, &ends[0], &ends[0].c), 0);
}

/** Both have all of it, and have ended. */
static inline void ends_are_done(void)
{
	for (int i = 0; i < 2; i++) {
		eq(ends[i].sent, ends_bytes);
		eq(ends[i].got, ends_bytes);
		ok(ends[i].fin);
		ok(ends[i].closed);
	}
}
