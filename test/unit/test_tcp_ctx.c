/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#include <limits.h>

T(an_isn_is_a_clock_of_64_ns_and_the_flows_own)
{
	static struct lt t;
	struct plx_tcp_id other;
	uint32_t isn;

	lt_up(&t);
	isn = plx_tcp_isn(&t.ctx, &t.id, 0);
	eq(plx_tcp_isn(&t.ctx, &t.id, 63), isn);
	eq(plx_tcp_isn(&t.ctx, &t.id, 64), isn + 1);
	eq(plx_tcp_isn(&t.ctx, &t.id, PLX_SEC(1)), isn + 15625000);
	other = t.id;
	other.rport++;
	ne(plx_tcp_isn(&t.ctx, &other, 0), isn);
	lt_down(&t);
}

T(timestamps_have_an_offset_for_each_pair_of_addresses)
{
	static struct lt t;
	struct plx_tcp_id other;
	uint32_t off;

	lt_up(&t);
	off = plx_tcp_ts_offset(&t.ctx, &t.id);
	other = t.id;
	other.rport++; /* another connection of the pair: RFC 6191 compares across them */
	eq(plx_tcp_ts_offset(&t.ctx, &other), off);
	other.raddr.b[15]++;
	ne(plx_tcp_ts_offset(&t.ctx, &other), off);
	lt_tun(&t, PLX_TUN_TCP_TIMESTAMPS, 2);
	eq(plx_tcp_ts_offset(&t.ctx, &t.id), 0);
	eq(plx_tcp_ts_now(PLX_MS(1234)), 1234);
	lt_down(&t);
}

T(one_seed_gives_one_set_of_keys_all_different)
{
	struct plx_tcp_ctx a = {.seed = 1}, b = {.seed = 1}, c = {.seed = 2};

	plx_tcp_ctx_init(&a);
	plx_tcp_ctx_init(&b);
	plx_tcp_ctx_init(&c);
	mem_eq(a.isn_key, b.isn_key, sizeof(a.isn_key));
	mem_eq(a.cookie_key, b.cookie_key, sizeof(a.cookie_key));
	ne(a.isn_key[0], c.isn_key[0]);
	ne(a.isn_key[0], a.isn_key[1]);
	ne(a.isn_key[0], a.ts_key[0]);
	ne(a.cookie_key[0][0], a.cookie_key[1][0]);
	eq(plx_tcp_req_deadline(&a), PLX_NEVER);
}

T(a_limit_counts_within_a_second)
{
	struct plx_tcp_limit l = {0};

	ok(plx_tcp_limit_take(&l, PLX_SEC(5), 2));
	ok(plx_tcp_limit_take(&l, PLX_SEC(5), 2));
	ok(!plx_tcp_limit_take(&l, PLX_SEC(6) - 1, 2));
	ok(plx_tcp_limit_take(&l, PLX_SEC(6), 2));
	ok(!plx_tcp_limit_take(&l, PLX_SEC(9), 0));
	ok(plx_tcp_limit_take(&l, PLX_SEC(9), INT_MAX));
}

RUN(T_(an_isn_is_a_clock_of_64_ns_and_the_flows_own),
	T_(timestamps_have_an_offset_for_each_pair_of_addresses),
	T_(one_seed_gives_one_set_of_keys_all_different), T_(a_limit_counts_within_a_second))
