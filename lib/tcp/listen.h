/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What listen.c, req.c and cookie.c share. A struct plx_tcp_start is the handshake's agreement
 * wherever it is kept: in a record of the SYN queue, or in a cookie.
 */
#include "lone.h"
#include "plx_tcp_listen.h"
#include "plx_tcp_table.h"

#define LISTEN_COOKIE_NS      PLX_SEC(64) /* a period; two are valid: 128 s at most */
#define LISTEN_COOKIE_PERIODS 2

/* RFC 9293 3.7.1: for a SYN without the option. */
static inline uint16_t tcp__listen_mss_default(const struct plx_tcp_id *id)
{
	return plx_addr_is_v4(&id->laddr) ? 536 : 1220;
}

/* What we announce: what the path takes (RFC 6691), or less at the program's wish. */
static inline uint16_t tcp__listen_mss(
	const struct plx_tcp_listener *l, const struct plx_tcp_path *path)
{
	uint16_t mss = plx_tcp_path_mss(path);

	return l->mss_clamp && l->mss_clamp < mss ? l->mss_clamp : mss;
}

static inline bool tcp__listen_full(const struct plx_tcp_listener *l)
{
	return l->accept_len > l->backlog;
}

/* Records that l may have. */
static inline uint32_t tcp__listen_syn_max(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_listener *l)
{
	uint32_t most = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_MAX_SYN_BACKLOG);

	return PLX_MAX(PLX_MIN(most, l->backlog), 1u);
}

/* Fills s->rcv_wnd and s->rcv_wscale; options are agreed upon. @param mss what we announce */
void tcp__listen_window(const struct plx_tcp_ctx *ctx, const struct plx_tcp_listener *l,
	uint16_t mss, struct plx_tcp_start *s);
/* @param ts_val of the timestamp, s->ts_off included */
void tcp__listen_syn_ack(
	const struct plx_tcp_start *s, uint16_t mss, uint32_t ts_val, struct plx_tcp_tx *tx);

/* A record for what was agreed upon, queued. @return NULL when there is no memory. */
struct plx_tcp_req *tcp__req_add(struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l,
	const struct plx_tcp_id *id, const struct plx_tcp_start *s, plx_ns now);

/* The ISN that is a cookie for a peer with s->irs and s->mss. */
uint32_t tcp__cookie_make(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id,
	const struct plx_tcp_start *s, plx_ns now);
/* @return the MSS in s->iss if that is a cookie of ours for s->irs, else 0. */
uint16_t tcp__cookie_mss(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id,
	const struct plx_tcp_start *s, plx_ns now);
/* The timestamp of a cookie's SYN-ACK, with the options in it; without s->ts_off. */
uint32_t tcp__cookie_ts(const struct plx_tcp_start *s, plx_ns now);
/* The options out of its echo; false: we would not have sent that. */
bool tcp__cookie_options(const struct plx_tcp_ctx *ctx, uint32_t ts, struct plx_tcp_start *s);
