/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>

#include "plx_tcp_ctx.h"
#include "plx_tcp_tw.h"

/* Where a pair's ports start: nobody who knows one pair's ports knows another's (RFC 6056 3.3.3).
 */
static uint32_t offset(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id)
{
	const uint64_t w[] = {
		id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1], id->rport};

	return (uint32_t)plx_siphash(ctx->port_key, w, sizeof(w));
}

static bool is_free(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now)
{
	const struct plx_tcp_id *taken = plx_tcp_table_lookup(ctx->table, id);
	uint32_t isn;

	if (tcp__port_listened(ctx->table, id->lport))
		return false;
	return !taken ||
	       (taken->kind == PLX_TCP_KIND_TW &&
		       plx_tcp_tw_reusable(ctx, (const struct plx_tcp_tw *)taken, now, &isn));
}

/* One parity is for connect(), so that bind() finds the other one less used (Linux).
 */
static int try_parity(struct plx_tcp_ctx *ctx, struct plx_tcp_id *id, plx_ns now, int parity,
	bool (*accept)(void *arg, uint16_t port), void *arg)
{
	uint32_t lo = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_IP_LOCAL_PORT_LO) + (uint32_t)parity;
	uint32_t hi = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_IP_LOCAL_PORT_HI);
	uint32_t start = offset(ctx, id), n;

	if (lo > hi)
		return -EADDRNOTAVAIL;
	n = (hi - lo) / 2 + 1;
	for (uint32_t i = 0; i < n; i++) {
		id->lport = (uint16_t)(lo + (start + ctx->next_port++) % n * 2);
		if ((!accept || accept(arg, id->lport)) && is_free(ctx, id, now))
			return id->lport;
	}
	return -EADDRNOTAVAIL;
}

int plx_tcp_port_pick(struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now,
	bool (*accept)(void *arg, uint16_t port), void *arg)
{
	struct plx_tcp_id key = *id;
	int port = try_parity(ctx, &key, now, 0, accept, arg);

	return port < 0 ? try_parity(ctx, &key, now, 1, accept, arg) : port;
}
