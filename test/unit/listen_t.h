/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A ctx of TCP in a test, with a listener, a peer and room for what comes out.
 */
#include "t.h"

#include <errno.h>

#include <plx_tcp.h>

#define LT_IRS 1000u /* the peer's ISN */

struct lt {
	struct plx_tunables tun;
	uint64_t stat[PLX_STAT_MAX];
	struct plx_arena arena;
	void *mem;
	struct plx_tcp_ctx ctx;
	struct plx_tcp_listener l;
	struct plx_tcp_id id; /* of the peer's segments */
	struct plx_tcp_path path;
	struct plx_tcp_tx tx;
	struct plx_tcp_rx rx;
	struct plx_tcp_req *req;
	struct plx_tcp_start start;
	enum plx_drop drop;
};

static inline struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static inline struct plx_tcp_id tuple(
	const char *laddr, uint16_t lport, const char *raddr, uint16_t rport)
{
	return (struct plx_tcp_id){
		.laddr = addr(laddr), .lport = lport, .raddr = addr(raddr), .rport = rport};
}

static inline void lt_up_bytes(struct lt *t, size_t bytes)
{
	const struct plx_tcp_table_conf conf = {.seed = {1, 2}, .mem = &t->arena, .slots = 64};

	memset(t, 0, sizeof(*t));
	plx_tunables_init(&t->tun);
	t->mem = aligned_alloc(64, bytes);
	eq(plx_arena_init(&t->arena, t->mem, bytes), 0);
	t->ctx = (struct plx_tcp_ctx){.tun = &t->tun, .stat = t->stat, .mem = &t->arena, .seed = 7};
	t->ctx.table = plx_tcp_table_create(&conf);
	ok(t->ctx.table);
	eq(plx_tcp_ctx_init(&t->ctx), 0);
	t->l = (struct plx_tcp_listener){.id = tuple("0.0.0.0", 80, "::", 0), .backlog = 16};
	eq(plx_tcp_listener_add(t->ctx.table, &t->l), 0);
	t->id = tuple("10.0.0.1", 80, "10.0.0.2", 5000);
	t->path = (struct plx_tcp_path){.mtu = 1500};
	t->rx.tx = &t->tx;
}

static inline void lt_up(struct lt *t)
{
	lt_up_bytes(t, 1 << 20);
}

static inline void lt_down(struct lt *t)
{
	plx_tcp_listener_fini(&t->ctx, &t->l);
	plx_tcp_listener_del(t->ctx.table, &t->l);
	eq(t->l.syn_len, 0);
	eq(t->l.syn_young, 0);
	plx_tcp_table_destroy(t->ctx.table);
	eq(plx_arena_used(&t->arena), 0);
	plx_arena_fini(&t->arena);
	free(t->mem);
}

static inline void lt_tun(struct lt *t, enum plx_tunable id, int64_t v)
{
	eq(plx_tunable_set(&t->tun, id, v), 0);
}

/* lt_stat(t, TCPEXT_LISTENDROPS): its value, which is then 0. */
static inline uint64_t lt_stat_(struct lt *t, enum plx_stat id)
{
	uint64_t v = t->stat[id];

	t->stat[id] = 0;
	return v;
}
#define lt_stat(t, id) lt_stat_(t, PLX_STAT_##id)

/* What a Linux client sends: MSS 1460, SACK, timestamps, window scale 7. */
static inline struct plx_tcp_seg syn(void)
{
	return (struct plx_tcp_seg){
		.seq = LT_IRS,
		.flags = PLX_TCP_SYN,
		.win = 64240,
		.opts = {.present = PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK | PLX_TCP_OPT_TS |
				    PLX_TCP_OPT_WSCALE,
			.mss = 1460,
			.wscale = 7,
			.ts_val = 500},
	};
}

/* The third segment, as an answer to t->tx. */
static inline struct plx_tcp_seg ack_of(const struct plx_tcp_tx *tx)
{
	struct plx_tcp_seg seg = {
		.seq = tx->ack, .ack = tx->seq + 1, .flags = PLX_TCP_ACK, .win = 502};

	if (tx->opts.present & PLX_TCP_OPT_TS) {
		seg.opts.present = PLX_TCP_OPT_TS;
		seg.opts.ts_val = 510;
		seg.opts.ts_ecr = tx->opts.ts_val;
	}
	return seg;
}

static inline enum plx_tcp_verdict lt_in(struct lt *t, struct plx_tcp_seg seg, plx_ns now)
{
	return plx_tcp_listener_input(&t->ctx, &t->l, &t->id, &seg, &t->path, now, 0, &t->rx,
		&t->req, &t->start, &t->drop);
}

static inline enum plx_tcp_verdict lt_req_in(
	struct lt *t, struct plx_tcp_req *req, struct plx_tcp_seg seg, plx_ns now)
{
	return plx_tcp_req_input(&t->ctx, req, &seg, &t->path, now, &t->rx, &t->start, &t->drop);
}

/* A record, its SYN-ACK in t->tx. */
static inline struct plx_tcp_req *lt_syn(struct lt *t, plx_ns now)
{
	eq(lt_in(t, syn(), now), PLX_TCP_VERDICT_SYN_ACK);
	ok(t->req);
	return t->req;
}
