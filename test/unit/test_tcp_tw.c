/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

/* A connection that has sent up to 5000, received up to 9000 and announced 1000 more. */
struct twt {
	struct lt t;
	struct plx_tcp c;
	struct plx_tcp_tw w;
};

static void up(struct twt *x, uint8_t state, plx_ns now)
{
	struct plx_tcp_timer_info timer;

	lt_up(&x->t);
	memset(&x->c, 0, sizeof(x->c));
	x->c.id = x->t.id;
	x->c.id.kind = PLX_TCP_KIND_CONN;
	x->c.id.state = state;
	x->c.ctx = &x->t.ctx;
	x->c.snd.nxt = 5000;
	x->c.rcv.nxt = x->c.rcv.wup = 9000;
	x->c.rcv.wnd = 1000;
	x->c.rcv_wscale = 2;
	x->c.ts_ok = true;
	x->c.ts_off = 77;
	x->c.rcv.ts_recent = 300;
	x->c.rcv.ts_ago_s = (uint32_t)(now / PLX_SEC(1));
	eq(plx_tcp_table_add(x->t.ctx.table, &x->c.id), 0);
	eq(plx_tcp_tw_init(&x->w, &x->c, now), 0);
	eq(x->t.ctx.time_waits, 1);
	plx_tcp_timer_get(&x->w.id, now, &timer);
	eq(timer.kind, PLX_TCP_TIMER_TIMEWAIT);
	eq(timer.left_ns, x->w.until_ns - now);
	assert_ptr_equal(plx_tcp_table_lookup(x->t.ctx.table, &x->t.id), &x->w.id);
}

static void down(struct twt *x, plx_ns now)
{
	plx_tcp_tw_fini(&x->t.ctx, &x->w, now);
	eq(x->t.ctx.time_waits, 0);
	assert_null(plx_tcp_table_lookup(x->t.ctx.table, &x->t.id));
	lt_down(&x->t);
}

/* in(x, now, .seq = 9000, .flags = PLX_TCP_ACK): with a timestamp, unless .opts says else */
static enum plx_drop in_(struct twt *x, plx_ns now, struct plx_tcp_seg seg)
{
	if (!seg.opts.present)
		seg.opts = (struct plx_tcp_opts){.present = PLX_TCP_OPT_TS, .ts_val = 301};
	return plx_tcp_tw_input(&x->t.ctx, &x->w, &seg, now, &x->t.rx);
}
#define in(x, now, ...) in_(x, now, (struct plx_tcp_seg){__VA_ARGS__})
#define old_ts(v)	.opts = {.present = PLX_TCP_OPT_TS, .ts_val = (v)}

static void acked(struct twt *x, plx_ns now, uint32_t ack)
{
	ok(x->t.rx.reply);
	eq(x->t.tx.flags, PLX_TCP_ACK);
	eq(x->t.tx.seq, 5000);
	eq(x->t.tx.ack, ack);
	eq(x->t.tx.win, 1000 >> 2);
	eq(x->t.tx.opts.present, PLX_TCP_OPT_TS);
	eq(x->t.tx.opts.ts_val, plx_tcp_ts_now(now) + 77);
	eq(x->t.tx.opts.ts_ecr, x->w.ts_recent);
}

T(it_is_what_is_left_of_the_connection)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, PLX_SEC(10));
	eq(x.w.id.kind, PLX_TCP_KIND_TW);
	eq(x.w.id.state, PLX_TCP_TIME_WAIT);
	ok(!x.w.fin_wait_2);
	eq(x.w.until_ns, PLX_SEC(70));
	down(&x, PLX_SEC(70));
	eq(lt_stat(&x.t, TCPEXT_TW), 1);
}

T(there_are_so_many_and_no_more)
{
	static struct twt x;
	struct plx_tcp_tw second;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	lt_tun(&x.t, PLX_TUN_TCP_MAX_TW_BUCKETS, 1);
	eq(plx_tcp_tw_init(&second, &x.c, 0), -ENOBUFS);
	eq(lt_stat(&x.t, TCPEXT_TCPTIMEWAITOVERFLOW), 1);
	down(&x, 1);
	eq(lt_stat(&x.t, TCPEXT_TWRECYCLED), 1);
}

T(a_fin_again_is_acknowledged_and_2_msl_begin_anew)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	eq(in(&x, PLX_SEC(30), .seq = 8999, .ack = 5000, .flags = PLX_TCP_FIN | PLX_TCP_ACK),
		PLX_DROP_TCP_TIME_WAIT);
	acked(&x, PLX_SEC(30), 9000);
	eq(x.w.until_ns, PLX_SEC(90));
	eq(x.t.rx.events, 0);
	down(&x, PLX_SEC(90));
}

T(acks_out_of_window_are_answered_now_and_then)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	for (int ms = 0; ms < 1000; ms += 100) {
		eq(in(&x, PLX_SEC(1) + PLX_MS(ms), .seq = 8000, .flags = PLX_TCP_ACK),
			PLX_DROP_TCP_TIME_WAIT);
		eq(x.t.rx.reply, ms % 500 == 0);
	}
	eq(lt_stat(&x.t, TCPEXT_TCPACKSKIPPEDTIMEWAIT), 8);
	down(&x, PLX_SEC(100));
}

T(a_bare_ack_in_sequence_is_silent)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	eq(in(&x, PLX_SEC(5), .seq = 9000, .flags = PLX_TCP_ACK), PLX_DROP_TCP_TIME_WAIT);
	ok(!x.t.rx.reply);
	eq(x.w.until_ns, PLX_SEC(65));
	eq(x.w.ts_recent, 301);
	eq(x.w.ts_ago_s, 5);
	down(&x, PLX_SEC(65));
}

T(a_reset_ends_it_unless_rfc_1337_is_heeded)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	eq(in(&x, 1, .seq = 9001, .flags = PLX_TCP_RST), PLX_DROP_TCP_TIME_WAIT);
	eq(x.t.rx.events, 0);
	lt_tun(&x.t, PLX_TUN_TCP_RFC1337, 1);
	eq(in(&x, 1, .seq = 9000, .flags = PLX_TCP_RST), PLX_DROP_TCP_TIME_WAIT);
	eq(x.t.rx.events, 0);
	lt_tun(&x.t, PLX_TUN_TCP_RFC1337, 0);
	eq(in(&x, 1, .seq = 9000, .flags = PLX_TCP_RST), PLX_DROP_NONE);
	eq(x.t.rx.events, PLX_TCP_EV_CLOSED);
	ok(!x.t.rx.reply);
	down(&x, 1);
	eq(lt_stat(&x.t, TCPEXT_TW), 0);
	eq(lt_stat(&x.t, TCPEXT_TWRECYCLED), 0);
}

/* RFC 1122 4.2.2.13; RFC 6191 2. */
T(a_syn_reopens_by_its_number_or_its_timestamp)
{
	static const struct {
		uint32_t seq, ts;
		bool reopens;
	} rows[] = {{9001, 300, true}, {9000, 300, false}, {8000, 300, false}, {8000, 301, true},
		{9000, 301, true}, {9001, 299, false}};
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, PLX_SEC(2));
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		bool paws = rows[i].ts < 300;

		eq(in(&x, PLX_SEC(4 + i), .seq = rows[i].seq, .flags = PLX_TCP_SYN,
			   old_ts(rows[i].ts)),
			rows[i].reopens ? PLX_DROP_NONE
			: paws		? PLX_DROP_TCP_PAWS
					: PLX_DROP_TCP_TIME_WAIT);
		eq(x.t.rx.events, rows[i].reopens ? PLX_TCP_EV_REOPEN : 0);
		eq(x.t.rx.reply, !rows[i].reopens);
		eq(x.t.tx.flags, PLX_TCP_ACK); /* also with REOPEN: if nobody listens */
		eq(x.t.tx.ack, 9000);
		if (!paws) /* a SYN may be new: the old ones' time goes on */
			eq(x.w.until_ns, PLX_SEC(62));
	}
	eq(plx_tcp_tw_iss(&x.w), 5000 + 65537);
	eq(lt_stat(&x.t, TCPEXT_PAWSESTAB), 1);
	down(&x, PLX_SEC(6));
}

T(the_lower_bound_is_never_0)
{
	const struct plx_tcp_tw w = {.snd_nxt = 0u - 65537};

	eq(plx_tcp_tw_iss(&w), 1);
}

T(paws_counts_and_starts_2_msl_anew)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	eq(in(&x, PLX_SEC(1), .seq = 9000, .flags = PLX_TCP_ACK, old_ts(299)), PLX_DROP_TCP_PAWS);
	acked(&x, PLX_SEC(1), 9000);
	eq(x.w.until_ns, PLX_SEC(61));
	eq(x.w.ts_recent, 300);
	down(&x, PLX_SEC(61));
}

T(an_orphan_becomes_time_wait_by_the_peers_fin)
{
	static struct twt x;

	up(&x, PLX_TCP_FIN_WAIT_2, 0);
	ok(x.w.fin_wait_2);
	eq(x.w.id.state, PLX_TCP_FIN_WAIT_2);
	lt_tun(&x.t, PLX_TUN_TCP_TW_TIMEOUT, 30);
	eq(in(&x, PLX_SEC(20), .seq = 9000, .ack = 5000, .flags = PLX_TCP_FIN | PLX_TCP_ACK),
		PLX_DROP_NONE);
	acked(&x, PLX_SEC(20), 9001);
	ok(!x.w.fin_wait_2);
	eq(x.w.id.state, PLX_TCP_TIME_WAIT);
	eq(x.w.until_ns, PLX_SEC(50));
	eq(x.w.ts_recent, 301);
	eq(x.w.ts_ago_s, 20);
	down(&x, PLX_SEC(50));
}

T(text_for_an_orphan_is_reset)
{
	static const struct plx_tcp_seg rows[] = {
		{.seq = 9000, .ack = 5000, .len = 10, .flags = PLX_TCP_ACK},
		{.seq = 9000, .ack = 5000, .len = 10, .flags = PLX_TCP_ACK | PLX_TCP_FIN},
		{.seq = 9005, .ack = 5000, .len = 0, .flags = PLX_TCP_ACK | PLX_TCP_FIN},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		static struct twt x;

		up(&x, PLX_TCP_FIN_WAIT_2, 0);
		eq(in_(&x, 0, rows[i]), PLX_DROP_TCP_TEXT_CLOSED);
		ok(x.t.rx.reply);
		eq(x.t.tx.flags, PLX_TCP_RST);
		eq(x.t.tx.seq, 5000);
		eq(x.t.rx.events, PLX_TCP_EV_CLOSED);
		down(&x, 0);
	}
}

T(an_orphan_ignores_acks_and_answers_what_is_out_of_window)
{
	static struct twt x;

	up(&x, PLX_TCP_FIN_WAIT_2, 0);
	eq(in(&x, PLX_SEC(1), .seq = 9000, .flags = PLX_TCP_ACK), PLX_DROP_TCP_ACK_DUP);
	ok(!x.t.rx.reply);
	eq(in(&x, PLX_SEC(1), .seq = 9000), PLX_DROP_TCP_NO_ACK);
	ok(!x.t.rx.reply);
	eq(in(&x, PLX_SEC(1), .seq = 8000, .flags = PLX_TCP_ACK), PLX_DROP_TCP_SEQ_OUT);
	acked(&x, PLX_SEC(1), 9000);
	eq(in(&x, PLX_SEC(1), .seq = 8000, .flags = PLX_TCP_ACK), PLX_DROP_TCP_SEQ_OUT);
	ok(!x.t.rx.reply);
	eq(lt_stat(&x.t, TCPEXT_TCPACKSKIPPEDFINWAIT2), 1);
	eq(in(&x, PLX_SEC(1), .seq = 9100, .flags = PLX_TCP_SYN), PLX_DROP_TCP_SYN_BLIND);
	eq(x.t.rx.events, PLX_TCP_EV_CLOSED);
	eq(in(&x, PLX_SEC(1), .seq = 9100, .flags = PLX_TCP_RST), PLX_DROP_NONE);
	eq(x.t.rx.events, PLX_TCP_EV_CLOSED);
	eq(x.w.until_ns, PLX_SEC(60));
	down(&x, PLX_SEC(60));
}

T(without_timestamps_there_is_no_paws)
{
	static struct twt x;

	up(&x, PLX_TCP_TIME_WAIT, 0);
	x.w.ts_ok = false;
	eq(in(&x, PLX_SEC(1), .seq = 8000, .flags = PLX_TCP_SYN, old_ts(1)),
		PLX_DROP_TCP_TIME_WAIT);
	ok(x.t.rx.reply);
	eq(x.t.tx.opts.present, 0);
	eq(in(&x, PLX_SEC(1), .seq = 8000, .flags = PLX_TCP_SYN, old_ts(400)),
		PLX_DROP_TCP_TIME_WAIT);
	eq(in(&x, PLX_SEC(1), .seq = 9001, .flags = PLX_TCP_SYN, old_ts(1)), PLX_DROP_NONE);
	down(&x, PLX_SEC(100));
}

T(a_new_connection_may_take_its_tuple_a_second_later)
{
	static struct twt x;
	uint32_t isn = 0;

	up(&x, PLX_TCP_TIME_WAIT, PLX_SEC(5));
	lt_tun(&x.t, PLX_TUN_TCP_TW_REUSE, 1);
	ok(!plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6) - 1, &isn));
	ok(plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	eq(isn, 5000 + 65537);
	lt_tun(&x.t, PLX_TUN_TCP_TW_REUSE, 2); /* loopback only */
	ok(!plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	x.w.id.raddr = addr("127.0.0.1");
	ok(plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	x.w.id.raddr = x.c.id.raddr;
	lt_tun(&x.t, PLX_TUN_TCP_TW_REUSE, 0);
	ok(!plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	lt_tun(&x.t, PLX_TUN_TCP_TW_REUSE, 1);
	x.w.fin_wait_2 = true;
	ok(!plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	x.w.fin_wait_2 = false;
	x.w.ts_ok = false;
	ok(!plx_tcp_tw_reusable(&x.t.ctx, &x.w, PLX_SEC(6), &isn));
	down(&x, PLX_SEC(65));
}

RUN(T_(it_is_what_is_left_of_the_connection), T_(there_are_so_many_and_no_more),
	T_(a_fin_again_is_acknowledged_and_2_msl_begin_anew),
	T_(acks_out_of_window_are_answered_now_and_then), T_(a_bare_ack_in_sequence_is_silent),
	T_(a_reset_ends_it_unless_rfc_1337_is_heeded),
	T_(a_syn_reopens_by_its_number_or_its_timestamp), T_(the_lower_bound_is_never_0),
	T_(paws_counts_and_starts_2_msl_anew), T_(an_orphan_becomes_time_wait_by_the_peers_fin),
	T_(text_for_an_orphan_is_reset),
	T_(an_orphan_ignores_acks_and_answers_what_is_out_of_window),
	T_(without_timestamps_there_is_no_paws),
	T_(a_new_connection_may_take_its_tuple_a_second_later))
