/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#define DROP	PLX_TCP_VERDICT_DROP
#define SYN_ACK PLX_TCP_VERDICT_SYN_ACK
#define ACCEPT	PLX_TCP_VERDICT_ACCEPT

static enum plx_tcp_req_fate fire(struct lt *t, struct plx_tcp_req *req, plx_ns now)
{
	assert_ptr_equal(plx_tcp_req_due(&t->ctx, now), req);
	assert_null(plx_tcp_req_due(&t->ctx, now - 1));
	eq(plx_tcp_req_deadline(&t->ctx), now);
	return plx_tcp_req_timer(&t->ctx, req, &t->path, now, &t->tx);
}

T(an_ack_completes_the_handshake)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	req = lt_syn(&t, PLX_SEC(1));
	seg = ack_of(&t.tx);
	seg.len = 100; /* with text */
	eq(lt_req_in(&t, req, seg, PLX_SEC(1) + PLX_MS(50)), ACCEPT);
	eq(t.drop, PLX_DROP_NONE);
	eq(t.start.iss, t.tx.seq);
	eq(t.start.irs, LT_IRS);
	eq(t.start.mss, 1460);
	eq(t.start.rcv_wnd, 65160);
	eq(t.start.snd_wnd, 64240);
	eq(t.start.snd_wscale, 7);
	eq(t.start.rcv_wscale, 7);
	eq(t.start.ts_recent, 510);
	eq(t.start.retrans, 0);
	eq(t.start.sent_ns, PLX_SEC(1));
	ok(t.start.ts_ok && t.start.sack_ok && t.start.wscale_ok);
	plx_tcp_req_fini(&t.ctx, req);
	assert_null(plx_tcp_table_lookup(t.ctx.table, &t.id));
	lt_down(&t);
}

/* tcp_synack_retries 5: at 1, 3, 7, 15, 31 s; the end at 63 s. */
T(the_syn_ack_is_sent_again_at_doubled_intervals)
{
	static struct lt t;
	struct plx_tcp_req *req;
	uint32_t iss;

	lt_up(&t);
	req = lt_syn(&t, 0);
	iss = t.tx.seq;
	for (int s = 1; s < 63; s = 2 * s + 1) {
		eq(fire(&t, req, PLX_SEC(s)), PLX_TCP_REQ_SEND);
		eq(t.tx.seq, iss);
		eq(t.tx.flags, PLX_TCP_SYN | PLX_TCP_ACK);
		eq(t.tx.opts.ts_val, 1000u * s + plx_tcp_ts_offset(&t.ctx, &t.id));
	}
	eq(req->retrans, 5);
	eq(lt_stat(&t, TCPEXT_TCPSYNRETRANS), 5);
	eq(lt_stat(&t, TCP_RETRANSSEGS), 5);
	eq(fire(&t, req, PLX_SEC(63)), PLX_TCP_REQ_OVER);
	plx_tcp_req_fini(&t.ctx, req);
	eq(plx_tcp_req_deadline(&t.ctx), PLX_NEVER);
	lt_down(&t);
}

T(the_interval_ends_at_two_minutes)
{
	static struct lt t;
	struct plx_tcp_req *req;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_SYNACK_RETRIES, 10);
	req = lt_syn(&t, 0);
	for (int i = 0; i < 7; i++)
		plx_tcp_req_timer(&t.ctx, req, &t.path, req->due_ns, &t.tx);
	eq(req->due_ns, PLX_SEC(127 + 120));
	eq(fire(&t, req, req->due_ns), PLX_TCP_REQ_SEND);
	eq(req->due_ns, PLX_SEC(127 + 240));
	lt_down(&t);
}

T(records_fall_due_in_order_whatever_their_age)
{
	static struct lt t;
	struct plx_rng r;
	plx_ns now = 0;
	uint32_t over = 0;

	lt_up(&t);
	plx_rng_init(&r, t_seed(0xd0e));
	t.l.backlog = 1000;
	for (int i = 0; i < 500; i++) {
		t.id.rport = (uint16_t)(1000 + i);
		now += (plx_ns)plx_rng_below(&r, PLX_MS(1000));
		lt_syn(&t, now);
		for (plx_ns d; (d = plx_tcp_req_deadline(&t.ctx)) <= now;) {
			struct plx_tcp_req *req = plx_tcp_req_due(&t.ctx, now);

			ok(req && req->due_ns <= now);
			if (plx_tcp_req_timer(&t.ctx, req, &t.path, now, &t.tx) ==
				PLX_TCP_REQ_OVER) {
				plx_tcp_req_fini(&t.ctx, req);
				over++;
			}
		}
	}
	ok(over > 100);
	lt_down(&t);
}

/* Half of the queue is for the young: 12 old ones of 16 have three tries fewer. */
T(the_old_make_room_for_the_young)
{
	static struct lt t;
	struct plx_tcp_req *old[12];

	lt_up(&t);
	for (int i = 0; i < 12; i++) {
		t.id.rport = (uint16_t)(6000 + i);
		old[i] = lt_syn(&t, 0);
	}
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < 12; i++)
			eq(plx_tcp_req_timer(&t.ctx, old[i], &t.path, old[i]->due_ns, &t.tx),
				PLX_TCP_REQ_SEND);
	eq(t.l.syn_young, 0);
	eq(plx_tcp_req_timer(&t.ctx, old[0], &t.path, old[0]->due_ns, &t.tx), PLX_TCP_REQ_OVER);
	lt_down(&t);
}

T(a_syn_again_gets_the_syn_ack_again)
{
	static struct lt t;
	struct plx_tcp_req *req;
	uint32_t iss;

	lt_up(&t);
	req = lt_syn(&t, 0);
	iss = t.tx.seq;
	eq(lt_req_in(&t, req, syn(), PLX_MS(800)), SYN_ACK);
	eq(t.drop, PLX_DROP_TCP_SYN_AGAIN);
	eq(t.tx.seq, iss);
	eq(req->due_ns, PLX_MS(1800));
	eq(req->retrans, 1);
	eq(lt_req_in(&t, req, syn(), PLX_MS(900)), DROP); /* within 500 ms */
	eq(t.drop, PLX_DROP_TCP_SYN_AGAIN);
	eq(lt_stat(&t, TCPEXT_TCPACKSKIPPEDSYNRECV), 1);
	lt_down(&t);
}

T(a_bad_ack_is_reset)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	req = lt_syn(&t, 0);
	seg = ack_of(&t.tx);
	seg.ack++;
	eq(lt_req_in(&t, req, seg, 0), DROP);
	eq(t.drop, PLX_DROP_TCP_ACK_FUTURE);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_RST);
	eq(t.tx.seq, seg.ack);
	eq(t.rx.events, 0);
	seg.flags |= PLX_TCP_RST;
	eq(lt_req_in(&t, req, seg, 0), DROP);
	eq(t.drop, PLX_DROP_TCP_RST_BAD_ACK);
	ok(!t.rx.reply);
	eq(t.l.syn_len, 1);
	lt_down(&t);
}

T(out_of_window_is_answered_by_an_ack)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;
	uint32_t iss;

	lt_up(&t);
	req = lt_syn(&t, 0);
	iss = t.tx.seq;
	seg = ack_of(&t.tx);
	seg.seq = LT_IRS + 1 + 65161;
	seg.len = 1;
	eq(lt_req_in(&t, req, seg, PLX_MS(1)), DROP);
	eq(t.drop, PLX_DROP_TCP_SEQ_OUT);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_ACK);
	eq(t.tx.seq, iss + 1);
	eq(t.tx.ack, LT_IRS + 1);
	eq(t.tx.win, 65160 >> 7);
	eq(t.tx.opts.present, PLX_TCP_OPT_TS);
	seg.flags = PLX_TCP_RST;
	eq(lt_req_in(&t, req, seg, PLX_MS(1)), DROP);
	ok(!t.rx.reply);
	lt_down(&t);
}

T(an_old_timestamp_is_refused)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	req = lt_syn(&t, PLX_SEC(1));
	seg = ack_of(&t.tx);
	seg.opts.ts_val = 499;
	eq(lt_req_in(&t, req, seg, PLX_SEC(1)), DROP);
	eq(t.drop, PLX_DROP_TCP_PAWS);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_ACK);
	eq(lt_stat(&t, TCPEXT_PAWSESTAB), 1);
	eq(req->ts_recent, 500);
	seg = syn(); /* also a SYN: it may be of a former connection */
	seg.opts.ts_val = 400;
	eq(lt_req_in(&t, req, seg, PLX_SEC(3)), DROP);
	eq(t.drop, PLX_DROP_TCP_PAWS);
	lt_down(&t);
}

T(an_echo_that_was_never_sent_is_refused)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	req = lt_syn(&t, PLX_SEC(1));
	seg = ack_of(&t.tx);
	seg.opts.ts_ecr--;
	eq(lt_req_in(&t, req, seg, PLX_SEC(2)), DROP);
	eq(t.drop, PLX_DROP_TCP_TS_ECHO);
	seg.opts.ts_ecr += 1002;
	eq(lt_req_in(&t, req, seg, PLX_SEC(2)), DROP);
	eq(t.drop, PLX_DROP_TCP_TS_ECHO);
	seg.opts.ts_ecr--;
	eq(lt_req_in(&t, req, seg, PLX_SEC(2)), ACCEPT);
	lt_down(&t);
}

T(a_reset_that_hits_ends_it_one_that_does_not_is_asked_back)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg = {.seq = LT_IRS + 2, .flags = PLX_TCP_RST};

	lt_up(&t);
	req = lt_syn(&t, 0);
	eq(lt_req_in(&t, req, seg, 0), DROP);
	eq(t.drop, PLX_DROP_TCP_RST_BLIND);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_ACK);
	eq(lt_stat(&t, TCPEXT_TCPCHALLENGEACK), 1);
	eq(t.rx.events, 0);
	lt_tun(&t, PLX_TUN_TCP_CHALLENGE_ACK_LIMIT, 0);
	eq(lt_req_in(&t, req, seg, PLX_SEC(2)), DROP);
	ok(!t.rx.reply);
	eq(lt_stat(&t, TCPEXT_TCPACKSKIPPEDCHALLENGE), 1);
	seg.seq = LT_IRS + 1;
	eq(lt_req_in(&t, req, seg, PLX_SEC(2)), DROP);
	eq(t.drop, PLX_DROP_NONE);
	ok(!t.rx.reply);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	eq(lt_stat(&t, TCP_ATTEMPTFAILS), 1);
	eq(lt_stat(&t, TCPEXT_EMBRYONICRSTS), 1);
	plx_tcp_req_fini(&t.ctx, req);
	lt_down(&t);
}

/* RFC 9293 3.10.7.4, fourth: back to LISTEN; as Linux, the peer is told. */
T(a_syn_in_the_window_ends_it)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg = {.seq = LT_IRS + 100, .flags = PLX_TCP_SYN};

	lt_up(&t);
	req = lt_syn(&t, 0);
	eq(lt_req_in(&t, req, seg, PLX_SEC(1)), DROP);
	eq(t.drop, PLX_DROP_TCP_SYN_BLIND);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_RST | PLX_TCP_ACK);
	eq(t.tx.ack, LT_IRS + 101);
	eq(lt_stat(&t, TCP_ATTEMPTFAILS), 1);
	plx_tcp_req_fini(&t.ctx, req);
	lt_down(&t);
}

T(without_ack_nothing_happens)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg = {.seq = LT_IRS + 1, .len = 5};

	lt_up(&t);
	req = lt_syn(&t, 0);
	eq(lt_req_in(&t, req, seg, 0), DROP);
	eq(t.drop, PLX_DROP_TCP_NO_ACK);
	ok(!t.rx.reply);
	lt_down(&t);
}

T(a_full_accept_queue_keeps_the_record_and_asks_again)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	req = lt_syn(&t, 0);
	seg = ack_of(&t.tx);
	t.l.accept_len = 17;
	eq(lt_req_in(&t, req, seg, PLX_MS(10)), DROP);
	eq(t.drop, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
	ok(!t.rx.reply && req->acked);
	eq(lt_stat(&t, TCPEXT_LISTENOVERFLOWS), 1);
	eq(lt_stat(&t, TCPEXT_LISTENDROPS), 1);
	eq(fire(&t, req, PLX_SEC(1)), PLX_TCP_REQ_SEND);
	t.l.accept_len = 0;
	eq(lt_req_in(&t, req, ack_of(&t.tx), PLX_SEC(1)), ACCEPT);
	lt_down(&t);
}

T(a_full_accept_queue_resets_when_told_to)
{
	static struct lt t;
	struct plx_tcp_req *req;

	lt_up(&t);
	lt_tun(&t, PLX_TUN_TCP_ABORT_ON_OVERFLOW, 1);
	req = lt_syn(&t, 0);
	t.l.accept_len = 17;
	eq(lt_req_in(&t, req, ack_of(&t.tx), PLX_MS(10)), DROP);
	eq(t.drop, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
	ok(t.rx.reply);
	eq(t.tx.flags, PLX_TCP_RST);
	eq(t.rx.events, PLX_TCP_EV_RESET);
	plx_tcp_req_fini(&t.ctx, req);
	lt_down(&t);
}

/* Three time-outs: until 7 s nothing is sent for a bare ACK; then once more, and an ACK will do. */
T(a_deferred_accept_waits_for_text)
{
	static struct lt t;
	struct plx_tcp_req *req;
	struct plx_tcp_seg seg;

	lt_up(&t);
	t.l.defer_accept = 3;
	req = lt_syn(&t, 0);
	seg = ack_of(&t.tx);
	eq(lt_req_in(&t, req, seg, PLX_MS(10)), DROP);
	eq(t.drop, PLX_DROP_NONE);
	ok(req->acked && !t.rx.reply);
	eq(fire(&t, req, PLX_SEC(1)), PLX_TCP_REQ_WAIT);
	eq(fire(&t, req, PLX_SEC(3)), PLX_TCP_REQ_WAIT);
	eq(fire(&t, req, PLX_SEC(7)), PLX_TCP_REQ_SEND);
	eq(lt_req_in(&t, req, ack_of(&t.tx), PLX_SEC(7)), ACCEPT);
	plx_tcp_req_fini(&t.ctx, req);
	req = lt_syn(&t, PLX_SEC(10));
	seg = ack_of(&t.tx);
	seg.len = 1;
	eq(lt_req_in(&t, req, seg, PLX_SEC(10)), ACCEPT);
	lt_down(&t);
}

/* RFC 5927 4.1; Linux's tcp_req_err(). */
T(an_error_about_the_syn_ack_ends_it)
{
	static struct lt t;
	struct plx_tcp_req *req;

	lt_up(&t);
	req = lt_syn(&t, 0);
	ok(!plx_tcp_req_error(&t.ctx, req, true, t.tx.seq + 1));
	ok(!plx_tcp_req_error(&t.ctx, req, true, t.tx.seq - 1));
	ok(!plx_tcp_req_error(&t.ctx, req, false, t.tx.seq));
	eq(t.stat[PLX_STAT_TCPEXT_LISTENDROPS], 0);
	ok(plx_tcp_req_error(&t.ctx, req, true, t.tx.seq));
	eq(t.stat[PLX_STAT_TCPEXT_LISTENDROPS], 1);
	plx_tcp_req_fini(&t.ctx, req);
	eq(t.l.syn_len, 0);
	lt_down(&t);
}

T(a_closed_listener_takes_its_records_along)
{
	static struct lt t;
	struct plx_tcp_listener other = {.id = tuple("0.0.0.0", 81, "::", 0), .backlog = 4};
	struct plx_tcp_req *req;

	lt_up(&t);
	for (int i = 0; i < 10; i++) {
		t.id.rport = (uint16_t)(7000 + i);
		req = lt_syn(&t, 0);
		if (i % 2)
			plx_tcp_req_timer(&t.ctx, req, &t.path, PLX_SEC(1), &t.tx);
	}
	req->listener->syn_len--; /* give one to the other */
	req->listener = &other;
	other.syn_len = 1;
	plx_tcp_listener_fini(&t.ctx, &t.l);
	eq(t.l.syn_len, 0);
	eq(plx_tcp_table_count(t.ctx.table), 1);
	plx_tcp_listener_fini(&t.ctx, &other);
	eq(other.syn_len, 0);
	lt_down(&t);
}

RUN(T_(an_ack_completes_the_handshake), T_(the_syn_ack_is_sent_again_at_doubled_intervals),
	T_(the_interval_ends_at_two_minutes), T_(records_fall_due_in_order_whatever_their_age),
	T_(the_old_make_room_for_the_young), T_(a_syn_again_gets_the_syn_ack_again),
	T_(a_bad_ack_is_reset), T_(out_of_window_is_answered_by_an_ack),
	T_(an_old_timestamp_is_refused), T_(an_echo_that_was_never_sent_is_refused),
	T_(a_reset_that_hits_ends_it_one_that_does_not_is_asked_back),
	T_(a_syn_in_the_window_ends_it), T_(without_ack_nothing_happens),
	T_(a_full_accept_queue_keeps_the_record_and_asks_again),
	T_(a_full_accept_queue_resets_when_told_to), T_(a_deferred_accept_waits_for_text),
	T_(an_error_about_the_syn_ack_ends_it), T_(a_closed_listener_takes_its_records_along))
