/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen.h"

/*
 * A cookie (Bernstein, 1996; RFC 4987 3.6; Linux's net/ipv4/syncookies.c) is the ISN
 *
 *     F0(flow) + irs + (period << 24) + ((F1(flow, period) + mss index) mod 2^24)
 *
 * What comes back is taken if its period is this one or the last one and its index one of four: a
 * guess has a chance of 2/2^8 * 4/2^24 = 2^-29. Window scale, SACK and ECN travel in the six low
 * bits of the timestamp, which the peer echoes.
 */
#define PERIOD_SHIFT 24
#define HASH_MASK    0xffffffu

#define TS_BITS	     0x3fu
#define TS_WSCALE    0x0fu /* the peer's; 15 = no window scaling */
#define TS_SACK	     0x10u
#define TS_ECN	     0x20u
#define TS_NO_WSCALE 0x0fu

#define MSS_N 4

/* What is met most: RFC 4987's and Linux's choice for Ethernet, tunnels and jumbo frames. */
static const uint16_t mss4[MSS_N] = {536, 1300, 1440, 1460};
static const uint16_t mss6[MSS_N] = {1220, 1420, 1440, 8940};

static const uint16_t *mss_table(const struct plx_tcp_id *id)
{
	return plx_addr_is_v4(&id->laddr) ? mss4 : mss6;
}

static uint32_t hash(const uint64_t key[2], const struct plx_tcp_id *id, uint32_t period)
{
	const uint64_t w[] = {id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1],
		(uint64_t)period << 32 | (uint32_t)id->lport << 16 | id->rport};

	return (uint32_t)plx_siphash(key, w, sizeof(w));
}

static uint32_t period_of(plx_ns now)
{
	return (uint32_t)(now / LISTEN_COOKIE_NS);
}

uint32_t tcp__cookie_make(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id,
	const struct plx_tcp_start *s, plx_ns now)
{
	const uint16_t *mss = mss_table(id);
	uint32_t i = MSS_N - 1, period = period_of(now);

	while (i > 0 && mss[i] > s->mss)
		i--;
	return hash(ctx->cookie_key[0], id, 0) + s->irs + (period << PERIOD_SHIFT) +
	       ((hash(ctx->cookie_key[1], id, period) + i) & HASH_MASK);
}

uint16_t tcp__cookie_mss(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id,
	const struct plx_tcp_start *s, plx_ns now)
{
	uint32_t left = s->iss - hash(ctx->cookie_key[0], id, 0) - s->irs, i;
	uint32_t period = period_of(now), age = (period - (left >> PERIOD_SHIFT)) & 0xff;

	if (age >= LISTEN_COOKIE_PERIODS)
		return 0;
	i = (left - hash(ctx->cookie_key[1], id, period - age)) & HASH_MASK;
	return i < MSS_N ? mss_table(id)[i] : 0;
}

/* Never later than now: RTTs that are measured by it must not be negative. */
uint32_t tcp__cookie_ts(const struct plx_tcp_start *s, plx_ns now)
{
	uint32_t now_ms = plx_tcp_ts_now(now), ts = now_ms & ~TS_BITS;

	ts |= s->wscale_ok ? s->snd_wscale : TS_NO_WSCALE;
	ts |= (s->sack_ok ? TS_SACK : 0) | (s->ecn_ok ? TS_ECN : 0);
	return plx_seq_gt(ts, now_ms) ? ts - (TS_BITS + 1) : ts;
}

/* The tunables may have changed since; what is forbidden now is a forgery. */
bool tcp__cookie_options(const struct plx_tcp_ctx *ctx, uint32_t ts, struct plx_tcp_start *s)
{
	if (!plx_tcp__tun(ctx, PLX_TUN_TCP_TIMESTAMPS))
		return false;
	s->sack_ok = ts & TS_SACK;
	if (s->sack_ok && !plx_tcp__tun(ctx, PLX_TUN_TCP_SACK))
		return false;
	s->ecn_ok = (ts & TS_ECN) && plx_tcp__tun(ctx, PLX_TUN_TCP_ECN);
	s->wscale_ok = (ts & TS_WSCALE) != TS_NO_WSCALE;
	s->snd_wscale = s->wscale_ok ? ts & TS_WSCALE : 0;
	return !s->wscale_ok || plx_tcp__tun(ctx, PLX_TUN_TCP_WINDOW_SCALING);
}
