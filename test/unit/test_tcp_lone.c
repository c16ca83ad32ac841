/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#include "lone.h"

/* RFC 9293 3.10.7.1. */
T(a_reset_takes_its_number_from_the_ack)
{
	struct plx_tcp_seg seg = {.seq = 5, .ack = 77, .len = 10, .flags = PLX_TCP_ACK};
	struct plx_tcp_tx tx;

	ok(plx_tcp_reset_for(&seg, &tx));
	eq(tx.seq, 77);
	eq(tx.ack, 0);
	eq(tx.flags, PLX_TCP_RST);
	eq(tx.win, 0);
	eq(tx.opts.present, 0);
}

T(without_an_ack_it_acknowledges_all_of_the_segment)
{
	struct plx_tcp_seg seg = {.seq = 5, .ack = 77, .len = 10, .flags = PLX_TCP_SYN};
	struct plx_tcp_tx tx;

	ok(plx_tcp_reset_for(&seg, &tx));
	eq(tx.seq, 0);
	eq(tx.ack, 5 + 10 + 1);
	eq(tx.flags, PLX_TCP_RST | PLX_TCP_ACK);
	seg.flags |= PLX_TCP_FIN;
	ok(plx_tcp_reset_for(&seg, &tx));
	eq(tx.ack, 5 + 10 + 2);
}

T(a_reset_is_never_answered_by_one)
{
	struct plx_tcp_seg seg = {.flags = PLX_TCP_RST | PLX_TCP_ACK};
	struct plx_tcp_tx tx;

	ok(!plx_tcp_reset_for(&seg, &tx));
}

T(resets_have_a_limit)
{
	static struct lt t;
	struct plx_tcp_seg seg = {.flags = PLX_TCP_ACK};

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_RST_LIMIT, 2);
	for (int i = 0; i < 4; i++) {
		t.rx.reply = false;
		tcp__lone_rst(&t.ctx, &seg, PLX_SEC(1), &t.rx);
		eq(t.rx.reply, i < 2);
	}
	eq(lt_stat(&t, TCP_OUTRSTS), 2);
	lt_down(&t);
}

/* Linux's tcp_in_window(): window [100, 110). */
T(some_of_it_is_in_the_window)
{
	const struct {
		uint32_t seq, len;
		bool in;
	} rows[] = {{100, 0, true}, {99, 0, false}, {99, 1, false}, {99, 2, true}, {109, 1, true},
		{109, 0, true}, {110, 0, true}, {110, 1, false}, {111, 0, false}, {50, 100, true}};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_tcp_seg seg = {.seq = rows[i].seq, .len = rows[i].len};

		eq(tcp__lone_in_window(&seg, 100, 10), rows[i].in);
	}
}

T(paws_refuses_the_older_timestamp)
{
	struct plx_tcp_seg seg = {.opts = {.present = PLX_TCP_OPT_TS, .ts_val = 999}};
	struct tcp_lone_ts ts = {.recent = 1000, .ago_s = 10};

	ok(tcp__lone_paws(&ts, &seg, PLX_SEC(11)));
	ok(!tcp__lone_paws(&ts, &seg, PLX_SEC(10 + 24 * 86400))); /* RFC 7323 5.5 */
	seg.flags = PLX_TCP_RST;
	ok(tcp__lone_paws(&ts, &seg, PLX_SEC(69)));
	ok(!tcp__lone_paws(&ts, &seg, PLX_SEC(70)));
	seg.flags = 0;
	seg.opts.ts_val = 1000;
	ok(!tcp__lone_paws(&ts, &seg, PLX_SEC(11)));
	seg.opts.ts_val = 1000 + 0x80000001; /* across the wrap: older */
	ok(tcp__lone_paws(&ts, &seg, PLX_SEC(11)));
	seg.opts.present = 0;
	ok(!tcp__lone_paws(&ts, &seg, PLX_SEC(11)));
}

T(answers_to_what_is_out_of_window_are_spaced)
{
	static struct lt t;
	struct plx_tcp_seg seg = {.flags = PLX_TCP_ACK};
	uint32_t last = 0;
	enum plx_stat skipped = PLX_STAT_TCPEXT_TCPACKSKIPPEDSEQ;

	lt_up(&t);
	ok(tcp__lone_may_answer(&t.ctx, &seg, 0, &last, skipped));
	ok(!tcp__lone_may_answer(&t.ctx, &seg, PLX_MS(499), &last, skipped));
	eq(lt_stat(&t, TCPEXT_TCPACKSKIPPEDSEQ), 1);
	ok(tcp__lone_may_answer(&t.ctx, &seg, PLX_MS(501), &last, skipped));
	seg.len = 1; /* text: no loop of ACKs */
	ok(tcp__lone_may_answer(&t.ctx, &seg, PLX_MS(502), &last, skipped));
	seg.flags |= PLX_TCP_SYN;
	ok(!tcp__lone_may_answer(&t.ctx, &seg, PLX_MS(503), &last, skipped));
	lt_tun(&t, PLX_TUN_TCP_INVALID_RATELIMIT, 0);
	ok(tcp__lone_may_answer(&t.ctx, &seg, PLX_MS(503), &last, skipped));
	lt_down(&t);
}

RUN(T_(a_reset_takes_its_number_from_the_ack),
	T_(without_an_ack_it_acknowledges_all_of_the_segment), T_(a_reset_is_never_answered_by_one),
	T_(resets_have_a_limit), T_(some_of_it_is_in_the_window),
	T_(paws_refuses_the_older_timestamp), T_(answers_to_what_is_out_of_window_are_spaced))
