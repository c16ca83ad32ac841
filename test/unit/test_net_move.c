/* SPDX-License-Identifier: BSD-3-Clause */
/* Buckets that move from lcore to lcore, with what is in them. */
#include "net_move_t.h"

/* The bucket of tt's connection. */
static void wish_its(uint16_t lcore)
{
	const struct plx_tcp_id *id = &plx_net_tcp_tcb(tt.c)->id;
	uint32_t hash = plx_steer_hash(
		&nt.net->toeplitz, &id->raddr, &id->laddr, id->rport, id->lport, true);
	uint16_t want[PLX_OWNER_BUCKETS_MAX], n = plx_net_buckets(nt.net);

	plx_net_owners_get(nt.net, want);
	want[hash % n] = lcore;
	eq(plx_net_owners_set(nt.net, want, n), 0);
}

static void move(uint16_t lcore)
{
	uint16_t now[PLX_OWNER_BUCKETS_MAX];

	wish_all(lcore);
	settled();
	plx_net_owners_get(nt.net, now);
	for (uint16_t i = 0; i < plx_net_buckets(nt.net); i++)
		eq(now[i], lcore);
}

T(wishes_that_cannot_be)
{
	uint16_t want[PLX_OWNER_BUCKETS_MAX] = {0}, n;

	start();
	n = plx_net_buckets(nt.net);
	eq(plx_net_owners_set(nt.net, want, (uint16_t)(n - 1)), -EINVAL);
	want[n - 1] = LCORES;
	eq(plx_net_owners_set(nt.net, want, n), -EINVAL);
	want[n - 1] = 0;
	nt_tun(PLX_TUN_SOFT_STEER, 0);
	eq(plx_net_owners_set(nt.net, want, n), -EOPNOTSUPP);
	eq(moves().waiting, 0);
}

T(a_connection_goes_along)
{
	start();
	tt_connect();
	for (int i = 0; i < 4; i++) {
		uint16_t to = elsewhere();

		more(100);
		move(to);
		eq(tt.lcore, to);
		more(1400 - 1000 * (i & 1));
		eq(tt.lcore, to);
	}
	eq(mover.left, 4);
	eq(mover.arrived, 4);
	eq(mover.gone, 4);
	eq(moves().conns, 4);
	eq(moves().stayed, 0);
	tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	eq(tt.err, ECONNRESET);
	nt_no_drop();
}

/* Where it is already: nothing moves. */
T(to_where_it_is)
{
	start();
	tt_connect();
	move((uint16_t)tt.lcore);
	eq(mover.left, 0);
	move((uint16_t)tt.lcore);
	more(10);
	eq(mover.left, 0);
}

/* Unread text, text out of order, text that is not acknowledged. */
T(with_all_that_it_holds)
{
	struct tt_seg s;
	uint32_t una, mss;

	start();
	tt_connect();
	tt.hold = true;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 1000);
	tt_in(PLX_TCP_ACK, tt.seq + 2000, 2000, 1000);
	tt_in(PLX_TCP_ACK, tt.seq + 4000, 4000, 500);
	nt_forget();
	una = tt.ack;
	tt.to_send = 30000;
	tt_write(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c);
	nt_run();
	ok(tt_out(&s));
	eq(s.h.seq, una);
	mss = s.len;
	ok(mss > 1000);
	nt_forget();
	for (int i = 0; i < LCORES; i++)
		move(elsewhere());
	eq(mover.arrived, LCORES);
	/* the peer has nothing: the first comes again, from where it is now */
	nt_forget();
	nt_sleep(PLX_SEC(2));
	tt_expect(&s, PLX_TCP_ACK, mss);
	eq(s.h.seq, una);
	eq(memcmp(s.text, (uint8_t[]){tt_text(0), tt_text(1), tt_text(2)}, 3), 0);
	nt_forget();
	/* and all else behind it */
	for (tt.ack = una + mss; tt.ack - una < 30000;) {
		uint32_t end = tt.ack;

		tt_in(PLX_TCP_ACK, tt.seq + 1000, 0, 0);
		ok(tt.c);
		while (tt_out(&s)) {
			for (uint32_t i = 0; i < s.len; i++)
				eq(s.text[i], tt_text(s.h.seq - una + i));
			end = PLX_MAX(end, s.h.seq + s.len);
		}
		tt.ack = end;
		tt_write(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c);
		nt_sleep(PLX_MS(1));
	}
	/* the gaps are filled: all that was kept is there */
	tt.hold = false;
	tt_in(PLX_TCP_ACK, tt.seq + 1000, 1000, 1000);
	tt_in(PLX_TCP_ACK, tt.seq + 3000, 3000, 1000);
	eq(tt.got, 4500);
	nt_no_drop();
}

/* It has a memory of its own there: what is done before and behind is not mixed up. */
T(two_connections_in_turn)
{
	start();
	tt_connect();
	more(500);
	move(1);
	tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	eq(tt.closed, 1);
	move(2);
	tt.accepted = 0;
	tt.got = 0;
	tt.port++;
	tt_connect();
	eq(tt.lcore, 2);
	more(500);
	move(0);
	more(1000);
}

/* Its program does not let it go: what comes for it is handed over, there and back. */
T(a_connection_that_stays)
{
	uint32_t home;

	start();
	mover.refuses = true;
	tt_connect();
	home = tt.lcore;
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		move(i % LCORES);
		tt.lcore = UINT32_MAX;
		more(100);
		eq(tt.lcore, home);
	}
	eq(moves().stayed, 1);
	eq(moves().conns, 0);
	tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	eq(tt.err, ECONNRESET);
	nt_no_drop();
	/* and without the functions */
	mv_ops.leave = NULL;
	tt.accepted = 0;
	tt.got = 0;
	tt.port++;
	tt_connect();
	move(elsewhere());
	more(10);
	eq(moves().stayed, 2);
}

/* SYN-RECEIVED: the SYN-ACK's timer goes along, and the ACK is heard there. */
T(a_handshake_goes_along)
{
	struct tt_seg s;
	uint16_t to;

	start();
	for (int i = 0; i < 8; i++) {
		tt.port++;
		tt.accepted = 0;
		tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
		tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
		tt.ack = s.h.seq + 1;
		to = (uint16_t)(i % LCORES);
		move(to);
		nt_sleep(PLX_MS(1100));
		tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
		eq(s.h.seq, tt.ack - 1);
		nt_none();
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
		eq(tt.accepted, 1);
		eq(tt.lcore, to);
		tt_in(PLX_TCP_RST, tt.seq, 0, 0);
		nt_no_drop();
	}
}

/* We end first: FIN-WAIT-1 without a program, FIN-WAIT-2, TIME-WAIT; each is answered. */
T(what_is_left_of_it_goes_along)
{
	struct tt_seg s;

	start();
	tt_connect();
	plx_net_tcp_close(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c);
	tt.c = NULL;
	nt_run();
	tt_expect(&s, PLX_TCP_FIN | PLX_TCP_ACK, 0);
	move(elsewhere());
	nt_sleep(PLX_SEC(1));
	tt_expect(&s, PLX_TCP_FIN | PLX_TCP_ACK, 0);
	nt_forget();
	tt.ack++;
	tt.lcore = 1;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	move(2);
	move(0);
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_ACK, 0);
	eq(s.h.ack, tt.seq + 1);
	move(1);
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0); /* once more */
	tt_expect(&s, PLX_TCP_ACK, 0);
	nt_drop(PLX_DROP_TCP_TIME_WAIT);
	nt_sleep(PLX_SEC(59));
	move(2);
	/* its time is over: nobody knows it */
	nt_sleep(PLX_SEC(62));
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_RST, 0);
	nt_drop(PLX_DROP_TCP_NO_CONN);
}

/* ---- in between ---- */

T(segments_come_at_any_time)
{
	segments_at_any_time(wish_its);
}

/* Both but the old owner. */
static void without(uint16_t old, int passes)
{
	for (int i = 0; i < passes; i++)
		for (uint16_t l = 0; l < LCORES; l++)
			if (l != old)
				step(l);
}

/* Many packets wait: so many, and no more; those are dropped by name, and the peer sends again. */
T(too_many_wait)
{
	const uint16_t old = 1, new = 2;
	struct net_mover *mv;
	uint32_t most;

	start();
	nt_tun(PLX_TUN_NETDEV_MAX_BACKLOG, 1023);
	tt_connect();
	move(old);
	mv = nt.net->lcore[new]->mover;
	wish_its(new);
	without(old, 20);
	ok(nt.net->lcore[new]->parks);
	most = PLX_MIN(MOVE_PARK_MAX, nt.net->lcore[new]->spare_mbufs / 4);
	mv->n = most - 2; /* as if they were there */
	feed(0, 10);
	feed(10, 10);
	feed(20, 10);
	without(old, 20);
	eq(moves().dropped, 1);
	eq(mv->n, most);
	mv->n = 2;
	eq(plx_net_held(nt.net), 2);
	nt_drop(PLX_DROP_MOVE_FULL);
	nt_sleep(PLX_MS(2));
	eq(tt.got, 20);
	eq(plx_net_held(nt.net), 0);
	tt.seq += 20;
	nt_forget();
	more(100);
}

/* Near that bound the move is abandoned: the connection stays, and all that waited is seen. */
T(many_wait)
{
	const uint16_t old = 1, new = 2;
	uint32_t most, n = 0;
	struct net_mover *mv;

	start();
	tt_connect();
	move(old);
	mv = nt.net->lcore[new]->mover;
	most = PLX_MIN(MOVE_PARK_MAX, nt.net->lcore[new]->spare_mbufs / 4);
	wish_its(new);
	without(old, 20);
	for (; mv->n <= most - most / 4; n++) {
		feed(10 * n, 10);
		without(old, 1);
	}
	nt_mark();
	for (int i = 0; i < 100; i++, n++) {
		nt_run();
		feed(10 * n, 10);
	}
	settled();
	eq(tt.got, 10 * n);
	eq(tt.lcore, old);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPOFOQUEUE), 0);
	eq(moves().abandoned, 1);
	eq(moves().stayed, 1);
	nt_no_drop();
	tt.seq += 10 * n;
	nt_sleep(PLX_MS(300));
	nt_forget();
	move(0);
	eq(tt.lcore, old);
	more(100);
	eq(tt.lcore, old);
}

/* All that is wished is abandoned as soon as it is begun. */
static void wish_in_vain(uint16_t lcore)
{
	uint64_t was = moves().abandoned;

	wish_all(lcore);
	for (int i = 0; i < 4000; i++) {
		__atomic_store_n(&nt.net->moves->full, true, __ATOMIC_RELEASE);
		step((uint16_t)(i % LCORES));
		nt.now += PLX_US(10);
	}
	settled();
	eq(moves().abandoned - was, plx_net_buckets(nt.net) / MOVE_BUCKETS);
}

/* Handshakes go along all the same, as nobody would know of them; TIME-WAITs stay. */
T(an_abandoned_move_and_what_is_no_connection)
{
	struct tt_seg s;

	start();
	tt_connect();
	move(1);
	plx_net_tcp_close(plx_engine_softnet(nt.eng, 1), tt.c);
	tt.c = NULL;
	nt_run();
	tt_expect(&s, PLX_TCP_FIN | PLX_TCP_ACK, 0);
	tt.ack++;
	tt.lcore = 1;
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_ACK, 0);
	nt_forget();
	wish_in_vain(2);
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0); /* once more */
	tt_expect(&s, PLX_TCP_ACK, 0);
	nt_drop(PLX_DROP_TCP_TIME_WAIT);
	nt_sleep(PLX_SEC(61));
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_RST, 0);
	nt_drop(PLX_DROP_TCP_NO_CONN);
	tt.port++;
	tt.accepted = 0;
	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	tt.ack = s.h.seq + 1;
	wish_in_vain(1);
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	eq(tt.accepted, 1);
	eq(tt.lcore, 1);
	nt_no_drop();
}

/* What we begin there meanwhile has no four-tuple that may be on its way. */
T(ports_of_what_comes_are_not_taken)
{
	const struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	const uint16_t old = 1, new = 2;
	struct plx_softnet *sn;
	struct plx_net_tcp *c[64];

	start();
	move(old);
	wish_all(new);
	for (int i = 0; i < 20; i++)
		for (uint16_t l = 0; l < LCORES; l++)
			if (l != old)
				step(l);
	ok(nt.net->lcore[new]->parks);
	sn = plx_engine_softnet(nt.eng, new);
	for (int i = 0; i < 64; i++) {
		eq(plx_net_tcp_connect(sn, &to, &tt_ops, NULL, &c[i]), 0);
		ok(!net__move_comes(nt.net->lcore[new], &plx_net_tcp_tcb(c[i])->id));
	}
	for (int i = 0; i < 64; i++)
		plx_net_tcp_abort(sn, c[i]);
	settled();
	nt_forget();
}

/* The new one has no memory left: it stays where it was. */
T(no_memory_there)
{
	void *took[20000];
	uint32_t n = 0;
	struct plx_arena *mem;
	uint16_t old, new;

	start();
	tt_connect();
	old = (uint16_t)tt.lcore;
	new = elsewhere();
	eq(net__tcp_mem(nt.net->lcore[new]), 0);
	mem = &nt.net->lcore[new]->tcp->arena;
	for (size_t bytes = 4096; bytes >= 64; bytes /= 2)
		while (n < PLX_DIM(took) && (took[n] = plx_arena_alloc(mem, bytes)))
			((size_t *)took[n++])[0] = bytes;
	wish_all(new);
	nt_sleep(PLX_MS(2));
	eq(mover.left, 1);
	eq(mover.arrived, 1);
	eq(tt.lcore, old);
	eq(moves().stayed, 1);
	eq(moves().conns, 0);
	more(100);
	eq(tt.lcore, old);
	while (n--)
		plx_arena_free(mem, took[n], ((size_t *)took[n])[0]);
	more(100);
	eq(tt.lcore, old);
}

/* The same of its program. */
T(no_memory_of_the_program_there)
{
	start();
	tt_connect();
	move(1);
	mover.too_much = 2;
	tt.hold = true;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 100);
	wish_all(2);
	settled();
	eq(tt.lcore, 1);
	eq(mover.gone, mover.left - 1);
	eq(moves().stayed, 1);
	tt.hold = false;
	tt_in(PLX_TCP_ACK, tt.seq + 100, 100, 100);
	eq(tt.got, 200);
	eq(tt.lcore, 1);
}

/* The engine stops, whatever has been done of a move: nothing is left. */
T(an_end_at_any_time)
{
	for (int when = 0; when < 30; when++) {
		start();
		tt.hold = true;
		tt_connect();
		tt_in(PLX_TCP_ACK, tt.seq, 0, 1000);
		nt_forget();
		wish_all(elsewhere());
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
			if (i > 3)
				feed(1000 + 10 * (uint32_t)i, 10);
		}
		nt_stop_engine();
		eq(tt.closed, 1);
		eq(tt.err, ESHUTDOWN);
		nt_forget();
		tt_after(NULL);
	}
}

/* A wish while another is under way: the last one counts. */
T(one_wish_behind_the_other)
{
	start();
	tt_connect();
	wish_all(1);
	step(0);
	wish_all(2);
	step(0);
	step(1);
	wish_all(0);
	settled();
	eq(net__tcp_owner(nt.net->lcore[0], &plx_net_tcp_tcb(tt.c)->id), 0);
	eq(tt.lcore, 0);
	more(100);
}

/* A bucket is named while the others are under way: they go on. */
T(one_bucket_behind_all)
{
	uint16_t now[PLX_OWNER_BUCKETS_MAX];

	start();
	wish_all(1);
	step(0);
	eq(plx_net_owner_set(nt.net, 100, 2), 0);
	settled();
	plx_net_owners_get(nt.net, now);
	for (uint16_t i = 0; i < plx_net_buckets(nt.net); i++)
		eq(now[i], i == 100 ? 2 : 1);
	eq(plx_net_owner_set(nt.net, 128, 0), -EINVAL);
	eq(plx_net_owner_set(nt.net, 0, LCORES), -EINVAL);
	nt_tun(PLX_TUN_SOFT_STEER, 0);
	eq(plx_net_owner_set(nt.net, 0, 0), -EOPNOTSUPP);
}

RUN_EAL(TT_(wishes_that_cannot_be), TT_(a_connection_goes_along), TT_(to_where_it_is),
	TT_(with_all_that_it_holds), TT_(two_connections_in_turn), TT_(a_connection_that_stays),
	TT_(a_handshake_goes_along), TT_(what_is_left_of_it_goes_along),
	TT_(segments_come_at_any_time), TT_(too_many_wait), TT_(many_wait),
	TT_(an_abandoned_move_and_what_is_no_connection), TT_(no_memory_there),
	TT_(no_memory_of_the_program_there), TT_(an_end_at_any_time),
	TT_(one_wish_behind_the_other), TT_(one_bucket_behind_all),
	TT_(ports_of_what_comes_are_not_taken))
