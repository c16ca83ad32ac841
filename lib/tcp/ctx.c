/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_tcp_ctx.h"

#include <limits.h>

#include "plx_tcp_seg.h"

/*
 * One pseudo-random word for each use of the seed: he who learns one key (a hash of which everybody
 * sees the results) learns nothing of another. The jitter's generator is no secret.
 */
static uint64_t derive(uint64_t seed, uint64_t use)
{
	const uint64_t key[2] = {seed, ~seed};

	return plx_siphash(key, &use, sizeof(use));
}

static void derive_key(uint64_t key[2], uint64_t seed, uint64_t use)
{
	key[0] = derive(seed, 2 * use);
	key[1] = derive(seed, 2 * use + 1);
}

int plx_tcp_ctx_init(struct plx_tcp_ctx *ctx)
{
	plx_rng_init(&ctx->rng, derive(ctx->seed, 0));
	derive_key(ctx->isn_key, ctx->seed, 1);
	derive_key(ctx->ts_key, ctx->seed, 2);
	derive_key(ctx->port_key, ctx->seed, 3);
	derive_key(ctx->cookie_key[0], ctx->seed, 4);
	derive_key(ctx->cookie_key[1], ctx->seed, 5);
	for (size_t i = 0; i < PLX_DIM(ctx->req_due); i++)
		plx_list_init(&ctx->req_due[i]);
	ctx->challenge = ctx->reset = (struct plx_tcp_limit){0};
	ctx->port_draws = 0;
	ctx->time_waits = 0;
	return 0;
}

uint32_t plx_tcp_isn(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now)
{
	const uint64_t w[] = {id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1],
		(uint64_t)id->lport << 16 | id->rport};

	return (uint32_t)plx_siphash(ctx->isn_key, w, sizeof(w)) + (uint32_t)((uint64_t)now >> 6);
}

uint32_t plx_tcp_ts_offset(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id)
{
	const uint64_t w[] = {id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1]};

	if (plx_tcp__tun(ctx, PLX_TUN_TCP_TIMESTAMPS) == 2)
		return 0;
	return (uint32_t)plx_siphash(ctx->ts_key, w, sizeof(w));
}

bool plx_tcp_limit_take(struct plx_tcp_limit *l, plx_ns now, uint32_t per_second)
{
	if (per_second >= INT_MAX)
		return true;
	if (now - l->since_ns >= PLX_SEC(1)) {
		l->since_ns = now;
		l->used = 0;
	}
	if (l->used >= per_second)
		return false;
	l->used++;
	return true;
}
