/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#define DROP	PLX_TCP_VERDICT_DROP
#define SYN_ACK PLX_TCP_VERDICT_SYN_ACK
#define ACCEPT	PLX_TCP_VERDICT_ACCEPT

/*
 * By hand, as Linux does with its defaults: the buffer of 131072 gives 65536, 45 segments of
 * 1460 - 12 are 65160; log2(6291456) = 22, less 15 are 7.
 */
T(a_syn_of_linux_is_answered_as_linux_would)
{
	static struct lt t;

	lt_up(&t);
	eq(lt_in(&t, syn(), PLX_SEC(3)), SYN_ACK);
	eq(t.tx.seq, plx_tcp_isn(&t.ctx, &t.id, PLX_SEC(3)));
	eq(t.tx.ack, LT_IRS + 1);
	eq(t.tx.flags, PLX_TCP_SYN | PLX_TCP_ACK);
	eq(t.tx.len, 0);
	eq(t.tx.ecn, PLX_TCP_NOT_ECT);
	eq(t.tx.win, 65160);
	eq(t.tx.opts.present,
		PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK | PLX_TCP_OPT_TS | PLX_TCP_OPT_WSCALE);
	eq(t.tx.opts.mss, 1460);
	eq(t.tx.opts.wscale, 7);
	eq(t.tx.opts.ts_val, 3000 + plx_tcp_ts_offset(&t.ctx, &t.id));
	eq(t.tx.opts.ts_ecr, 500);
	eq(t.l.syn_len, 1);
	assert_ptr_equal(plx_tcp_table_lookup(t.ctx.table, &t.id), &t.req->id);
	eq(t.req->id.kind, PLX_TCP_KIND_REQ);
	eq(t.req->mss, 1460);
	eq(t.req->snd_wscale, 7);
	eq(t.req->due_ns, PLX_SEC(4));
	eq(plx_tcp_req_deadline(&t.ctx), PLX_SEC(4));
	lt_down(&t);
}

T(a_bare_syn_gets_the_mss_option_alone)
{
	static struct lt t;
	struct plx_tcp_seg seg = {.seq = 1, .flags = PLX_TCP_SYN, .win = 1000};

	lt_up(&t);
	eq(lt_in(&t, seg, 0), SYN_ACK);
	eq(t.tx.opts.present, PLX_TCP_OPT_MSS);
	eq(t.tx.win, 64240); /* 44 * 1460 */
	eq(t.req->mss, 536);
	eq(t.req->rcv_wscale, 0);
	plx_tcp_req_fini(&t.ctx, t.req);
	t.id = tuple("2001:db8::1", 80, "2001:db8::2", 1);
	t.path = (struct plx_tcp_path){.mtu = 1500, .v6 = true};
	eq(lt_in(&t, seg, 0), SYN_ACK);
	eq(t.tx.opts.mss, 1440);
	eq(t.req->mss, 1220);
	lt_down(&t);
}

T(a_tunable_forbids_its_option)
{
	static const struct {
		enum plx_tunable tun;
		uint8_t opt;
	} rows[] = {{PLX_TUN_TCP_SACK, PLX_TCP_OPT_SACK_OK},
		{PLX_TUN_TCP_TIMESTAMPS, PLX_TCP_OPT_TS},
		{PLX_TUN_TCP_WINDOW_SCALING, PLX_TCP_OPT_WSCALE}};
	static struct lt t;

	lt_up(&t);
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		lt_tun(&t, rows[i].tun, 0);
		lt_syn(&t, 0);
		eq(t.tx.opts.present & rows[i].opt, 0);
		plx_tcp_req_fini(&t.ctx, t.req);
	}
	lt_down(&t);
}

T(a_window_scale_above_14_counts_as_14)
{
	static struct lt t;
	struct plx_tcp_seg seg = syn();

	lt_up(&t);
	seg.opts.wscale = 200;
	eq(lt_in(&t, seg, 0), SYN_ACK);
	eq(t.req->snd_wscale, 14);
	lt_down(&t);
}

/* 100000 / 2 = 50000, 34 segments of 1448; log2(50000) = 15: no scale needed. */
T(the_programs_buffer_bounds_window_and_scale)
{
	static struct lt t;

	lt_up(&t);
	t.l.rcv_buf = 100000;
	lt_syn(&t, 0);
	eq(t.tx.win, 34 * 1448);
	eq(t.tx.opts.wscale, 0);
	plx_tcp_req_fini(&t.ctx, t.req);
	t.l.rcv_buf = 1 << 30; /* whole segments: a little less than 2^29 */
	lt_syn(&t, 0);
	eq(t.tx.win, 65535);
	eq(t.tx.opts.wscale, 13);
	plx_tcp_req_fini(&t.ctx, t.req);
	t.l.rcv_buf = 0;
	lt_tun(&t, PLX_TUN_TCP_RMEM_MAX, 1 << 30);
	lt_syn(&t, 0);
	eq(t.tx.opts.wscale, 14); /* RFC 7323 2.3: no more */
	lt_down(&t);
}

T(the_programs_mss_bounds_both_directions)
{
	static struct lt t;

	lt_up(&t);
	t.l.mss_clamp = 1000;
	lt_syn(&t, 0);
	eq(t.tx.opts.mss, 1000);
	eq(t.req->mss, 1000);
	lt_down(&t);
}

/* RFC 3168 6.1.1. */
T(ecn_is_agreed_upon_with_both_flags_only)
{
	static const struct {
		uint16_t flags;
		uint8_t ecn;
		bool agreed;
	} rows[] = {{PLX_TCP_ECE | PLX_TCP_CWR, PLX_TCP_NOT_ECT, true},
		{PLX_TCP_ECE, PLX_TCP_NOT_ECT, false}, {PLX_TCP_CWR, PLX_TCP_NOT_ECT, false},
		{PLX_TCP_ECE | PLX_TCP_CWR, PLX_TCP_ECT_0, false},
		{PLX_TCP_ECE | PLX_TCP_CWR, PLX_TCP_CE, false}};
	static struct lt t;

	lt_up(&t);
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_tcp_seg seg = syn();

		seg.flags |= rows[i].flags;
		seg.ecn = rows[i].ecn;
		eq(lt_in(&t, seg, 0), SYN_ACK);
		eq(t.tx.flags, PLX_TCP_SYN | PLX_TCP_ACK | (rows[i].agreed ? PLX_TCP_ECE : 0));
		eq(t.req->ecn_ok, rows[i].agreed);
		plx_tcp_req_fini(&t.ctx, t.req);
	}
	lt_tun(&t, PLX_TUN_TCP_ECN, 0);
	struct plx_tcp_seg seg = syn();

	seg.flags |= PLX_TCP_ECE | PLX_TCP_CWR;
	eq(lt_in(&t, seg, 0), SYN_ACK);
	ok(!t.req->ecn_ok);
	lt_down(&t);
}

/* RFC 9293 3.10.7.2. */
T(what_begins_nothing_is_dropped_or_reset)
{
	static const struct {
		uint16_t flags;
		enum plx_drop drop;
		bool reset;
	} rows[] = {{PLX_TCP_RST, PLX_DROP_TCP_RST_BAD_ACK, false},
		{PLX_TCP_RST | PLX_TCP_ACK, PLX_DROP_TCP_RST_BAD_ACK, false},
		{PLX_TCP_ACK, PLX_DROP_TCP_NO_CONN, true},
		{PLX_TCP_SYN | PLX_TCP_ACK, PLX_DROP_TCP_NO_CONN, true},
		{0, PLX_DROP_TCP_NO_ACK, false}, {PLX_TCP_FIN, PLX_DROP_TCP_NO_ACK, false},
		{PLX_TCP_SYN | PLX_TCP_FIN, PLX_DROP_TCP_FLAGS, false}};
	static struct lt t;

	lt_up(&t);
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_tcp_seg seg = {.seq = 5, .ack = 77, .flags = rows[i].flags};

		eq(lt_in(&t, seg, 0), DROP);
		eq(t.drop, rows[i].drop);
		eq(t.rx.reply, rows[i].reset);
		if (rows[i].reset)
			eq(t.tx.seq, 77);
	}
	eq(t.l.syn_len, 0);
	lt_down(&t);
}

T(a_full_accept_queue_drops_syns)
{
	static struct lt t;

	lt_up(&t);
	t.l.accept_len = t.l.backlog;
	lt_syn(&t, 0); /* full is one more than the backlog, as in Linux */
	plx_tcp_req_fini(&t.ctx, t.req);
	t.l.accept_len++;
	eq(lt_in(&t, syn(), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
	ok(!t.rx.reply);
	eq(lt_stat(&t, TCPEXT_LISTENOVERFLOWS), 1);
	eq(lt_stat(&t, TCPEXT_LISTENDROPS), 1);
	lt_down(&t);
}

static void fill(struct lt *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		t->id.rport = (uint16_t)(10000 + i);
		lt_syn(t, 0);
	}
	t->id.rport = 5000;
}

T(a_full_syn_queue_drops_without_cookies)
{
	static struct lt t;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 0);
	fill(&t, 16);
	eq(lt_in(&t, syn(), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_SYN_QUEUE_FULL);
	eq(lt_stat(&t, TCPEXT_TCPREQQFULLDROP), 1);
	eq(lt_stat(&t, TCPEXT_LISTENDROPS), 1);
	eq(t.l.syn_len, 16);
	lt_down(&t);
}

T(the_sysctl_bounds_the_syn_queue_too)
{
	static struct lt t;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 0);
	lt_tun(&t, PLX_TUN_TCP_MAX_SYN_BACKLOG, 3);
	fill(&t, 3);
	eq(lt_in(&t, syn(), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_SYN_QUEUE_FULL);
	lt_down(&t);
}

T(a_cookie_opens_what_a_record_would)
{
	static struct lt t;
	struct plx_tcp_seg seg = syn();

	lt_up(&t);
	fill(&t, 16);
	seg.flags |= PLX_TCP_ECE | PLX_TCP_CWR;
	eq(lt_in(&t, seg, PLX_SEC(3)), SYN_ACK);
	assert_null(t.req);
	eq(t.l.syn_len, 16);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESSENT), 1);
	eq(lt_stat(&t, TCPEXT_TCPREQQFULLDOCOOKIES), 1);
	eq(t.tx.win, 65160);
	eq(t.tx.opts.wscale, 7);
	eq(lt_in(&t, ack_of(&t.tx), PLX_SEC(4)), ACCEPT);
	eq(t.drop, PLX_DROP_NONE);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESRECV), 1);
	eq(t.start.iss, t.tx.seq);
	eq(t.start.irs, LT_IRS);
	eq(t.start.mss, 1460);
	eq(t.start.snd_wscale, 7);
	eq(t.start.rcv_wscale, 7);
	eq(t.start.rcv_wnd, 65160);
	eq(t.start.ts_recent, 510);
	eq(t.start.ts_off, plx_tcp_ts_offset(&t.ctx, &t.id));
	ok(t.start.ts_ok && t.start.sack_ok && t.start.wscale_ok && t.start.ecn_ok);
	eq(t.start.sent_ns, PLX_NEVER);
	lt_down(&t);
}

T(a_cookie_without_timestamps_carries_the_mss_alone)
{
	static struct lt t;
	struct plx_tcp_seg seg = syn();

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 2); /* always */
	seg.opts.present &= (uint8_t)~PLX_TCP_OPT_TS;
	seg.opts.mss = 1350;
	eq(lt_in(&t, seg, 0), SYN_ACK);
	assert_null(t.req);
	eq(t.tx.opts.present, PLX_TCP_OPT_MSS);
	eq(lt_in(&t, ack_of(&t.tx), 0), ACCEPT);
	eq(t.start.mss, 1300);
	ok(!t.start.ts_ok && !t.start.sack_ok && !t.start.wscale_ok && !t.start.ecn_ok);
	lt_down(&t);
}

T(cookies_are_believed_only_while_some_are_out)
{
	static struct lt t;
	struct plx_tcp_tx tx;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 2);
	eq(lt_in(&t, syn(), PLX_SEC(64)), SYN_ACK);
	tx = t.tx;
	t.l.cookie_sent = false;
	eq(lt_in(&t, ack_of(&tx), PLX_SEC(64)), DROP);
	eq(t.drop, PLX_DROP_TCP_NO_CONN);
	t.l.cookie_sent = true;
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 0);
	eq(lt_in(&t, ack_of(&tx), PLX_SEC(64)), DROP);
	eq(t.drop, PLX_DROP_TCP_NO_CONN);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 1);
	eq(lt_in(&t, ack_of(&tx), PLX_SEC(64 + 127)), ACCEPT);
	eq(lt_in(&t, ack_of(&tx), PLX_SEC(64 + 128)), DROP);
	eq(t.drop, PLX_DROP_TCP_COOKIE);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_RST);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESFAILED), 1);
	eq(lt_in(&t, ack_of(&tx), PLX_SEC(64 + 129)), DROP);
	eq(t.drop, PLX_DROP_TCP_NO_CONN);
	lt_down(&t);
}

T(a_cookie_for_a_full_accept_queue_is_dropped)
{
	static struct lt t;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 2);
	eq(lt_in(&t, syn(), 0), SYN_ACK);
	t.l.accept_len = 17;
	eq(lt_in(&t, ack_of(&t.tx), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
	ok(!t.rx.reply);
	eq(lt_stat(&t, TCPEXT_LISTENOVERFLOWS), 1);
	lt_down(&t);
}

T(who_comes_from_a_time_wait_is_let_in_above_its_numbers)
{
	static struct lt t;
	struct plx_tcp_seg seg = syn();
	uint32_t isn, above;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 2);
	fill(&t, 0);
	isn = plx_tcp_isn(&t.ctx, &t.id, 0);
	for (int i = 0; i < 2; i++) {
		above = i ? isn - 1 : isn + 5;
		eq(plx_tcp_listener_input(&t.ctx, &t.l, &t.id, &seg, &t.path, 0, above, &t.rx,
			   &t.req, &t.start, &t.drop),
			SYN_ACK);
		ok(t.req);
		eq(t.tx.seq, i ? isn : isn + 6);
		plx_tcp_req_fini(&t.ctx, t.req);
	}
	lt_down(&t);
}

/* They are the first to give way; whose handshake has begun, or ends later, still gets in. */
T(when_memory_is_short_nobody_new_gets_in)
{
	struct plx_tcp_req *before;
	struct plx_tcp_seg ack, cookie, text;
	static struct lt t;

	lt_up(&t);
	before = lt_syn(&t, 0);
	ack = ack_of(&t.tx);
	t.ctx.refuse = true;
	t.id.rport++;
	eq(lt_in(&t, syn(), 0), SYN_ACK); /* by a cookie, which takes no memory */
	eq(t.l.syn_len, 1);
	ok(!t.req);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESSENT), 1);
	cookie = ack_of(&t.tx);
	eq(lt_in(&t, cookie, 0), DROP);
	eq(t.drop, PLX_DROP_TCP_NEW_MEMORY);
	ok(!t.rx.reply);
	eq(lt_stat(&t, TCPEXT_LISTENDROPS), 1);
	text = cookie; /* of its first flight, the second segment */
	text.seq += 1448;
	text.len = 1448;
	eq(lt_in(&t, text, PLX_MS(999)), DROP);
	eq(t.drop, PLX_DROP_TCP_NEW_MEMORY);
	ok(!t.rx.reply);
	eq(lt_in(&t, text, PLX_SEC(1)), DROP);
	eq(t.drop, PLX_DROP_TCP_COOKIE);
	ok(t.rx.reply);
	t.id.rport--;
	eq(lt_req_in(&t, before, ack, 0), ACCEPT);
	t.id.rport++;
	t.ctx.refuse = false;
	eq(lt_in(&t, cookie, PLX_SEC(3)), ACCEPT); /* said again */
	t.ctx.refuse = true;
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 0);
	eq(lt_in(&t, syn(), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_NEW_MEMORY);
	plx_tcp_req_fini(&t.ctx, before);
	lt_down(&t);
}

T(without_memory_a_cookie_helps_out)
{
	static struct lt t;
	void *hog[16384];
	uint32_t n = 0;

	lt_up(&t);
	while (n < PLX_DIM(hog) && (hog[n] = plx_arena_alloc(&t.arena, 64)))
		n++;
	eq(lt_in(&t, syn(), 0), SYN_ACK);
	assert_null(t.req);
	eq(lt_in(&t, ack_of(&t.tx), 0), ACCEPT);
	lt_tun(&t, PLX_TUN_TCP_SYNCOOKIES, 0);
	eq(lt_in(&t, syn(), 0), DROP);
	eq(t.drop, PLX_DROP_TCP_NO_MEMORY);
	while (n)
		plx_arena_free(&t.arena, hog[--n], 64);
	lt_down(&t);
}

T(a_flood_of_a_million_syns_takes_no_more_than_its_queue)
{
	static struct lt t;
	struct plx_rng r;
	size_t before;
	uint32_t cookies = 0;

	lt_up(&t);
	t.l.backlog = 128;
	before = plx_arena_used(&t.arena);
	plx_rng_init(&r, t_seed(0xf100d));
	for (int i = 0; i < 1000000; i++) {
		struct plx_tcp_seg seg = syn();

		seg.seq = plx_rng_u32(&r);
		seg.opts.present = (uint8_t)plx_rng_u32(&r) & 0xf;
		t.id.raddr.w[3] = plx_rng_u32(&r);
		t.id.rport = (uint16_t)plx_rng_u32(&r);
		if (lt_in(&t, seg, PLX_US(10) * i) != SYN_ACK || t.l.syn_len > 128)
			fail();
		cookies += !t.req;
	}
	ok(cookies > 990000);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESSENT), cookies);
	/* records, and a table that has grown once or twice */
	ok(plx_arena_used(&t.arena) - before <= 128 * 128 + 16384);
	lt_down(&t);
}

RUN(T_(a_syn_of_linux_is_answered_as_linux_would), T_(a_bare_syn_gets_the_mss_option_alone),
	T_(a_tunable_forbids_its_option), T_(a_window_scale_above_14_counts_as_14),
	T_(the_programs_buffer_bounds_window_and_scale),
	T_(the_programs_mss_bounds_both_directions), T_(ecn_is_agreed_upon_with_both_flags_only),
	T_(what_begins_nothing_is_dropped_or_reset), T_(a_full_accept_queue_drops_syns),
	T_(a_full_syn_queue_drops_without_cookies), T_(the_sysctl_bounds_the_syn_queue_too),
	T_(when_memory_is_short_nobody_new_gets_in), T_(a_cookie_opens_what_a_record_would),
	T_(a_cookie_without_timestamps_carries_the_mss_alone),
	T_(cookies_are_believed_only_while_some_are_out),
	T_(a_cookie_for_a_full_accept_queue_is_dropped),
	T_(who_comes_from_a_time_wait_is_let_in_above_its_numbers),
	T_(without_memory_a_cookie_helps_out),
	T_(a_flood_of_a_million_syns_takes_no_more_than_its_queue))
