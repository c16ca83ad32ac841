/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_tcp_ends_t.h"

/*
 * Memory under pressure: what received text is charged for, what gives way and in which order, and
 * that nothing stands still for want of an mbuf.
 */

#define ROOM ((uint32_t)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + 2048)

static struct plx_tcp *tcb(void)
{
	return plx_net_tcp_tcb(tt.c);
}

static unsigned int in_tests_pool(void)
{
	return rte_mempool_in_use_count(t_pool);
}

/* What the peer sends next, n bytes. */
static void feed(uint32_t n)
{
	uint64_t at = tcb()->bytes_received;

	tt_in(PLX_TCP_ACK, tt.seq, at, n);
	tt.seq += n;
}

/* The edge of the window that our last ACK announces; all that was sent is forgotten. */
static uint32_t edge(void)
{
	static uint32_t last;
	struct tt_seg s;

	while (tt_out(&s))
		last = s.h.ack + s.h.win;
	return last;
}

/* Mbufs of the lcore's pool, which the program keeps. */
static struct rte_mbuf *taken[8192];
static unsigned int n_taken;

static void take_all(void)
{
	struct rte_mbuf *m;

	while (n_taken < PLX_DIM(taken) && (m = plx_softnet_alloc(tt_sn())))
		taken[n_taken++] = m;
}

static void let_go(void)
{
	rte_pktmbuf_free_bulk(taken, n_taken);
	n_taken = 0;
}

/* ---- what is charged ---- */

T(received_text_is_charged_by_its_room)
{
	tt_start();
	tt.hold = true;
	tt_connect();
	feed(1400);
	eq(plx_net_tcp_rmem(tt.c),
		in_tests_pool() *
			(uint32_t)(sizeof(struct rte_mbuf) + rte_pktmbuf_data_room_size(t_pool)));
	ok(plx_net_tcp_rmem(tt.c) > 1400);
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 700), 700);
	ok(plx_net_tcp_rmem(tt.c) > 1400); /* half of it takes as much */
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 700), 700);
	eq(plx_net_tcp_rmem(tt.c), 0);
	nt_forget();
}

/* A byte a segment: an mbuf for two thousand of them. */
T(small_segments_share_an_mbuf)
{
	tt_start();
	tt.hold = true;
	tt_connect();
	for (int i = 0; i < 3000; i++)
		feed(1);
	nt_forget();
	eq(plx_net_tcp_readable(tt.c), 3000);
	ok(in_tests_pool() <= 3);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPRCVCOALESCE), 3000 - in_tests_pool());
	tt.hold = false;
	tt_read(tt_sn(), tt.c);
	eq(tt.got, 3000);
	eq(plx_net_tcp_rmem(tt.c), 0);
	eq(in_tests_pool(), 0);
	nt_forget();
}

/* So are those of a driver that gives each few bytes an mbuf of their own. */
T(a_chain_of_crumbs_is_put_together)
{
	tt_start();
	tt.hold = true;
	tt_connect();
	for (uint32_t i = 0; i < 3; i++) { /* the second one overlaps nothing and joins nothing */
		tt_make(PLX_TCP_ACK, tt.seq + i * 700, i * 700, 600);
		t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 20);
		nt_run();
	}
	ok(in_tests_pool() <= 3);
	tt_in(PLX_TCP_ACK, tt.seq + 600, 600, 100);
	tt_in(PLX_TCP_ACK, tt.seq + 1300, 1300, 100);
	tt.hold = false;
	tt_read(tt_sn(), tt.c);
	eq(tt.got, 2000);
	eq(in_tests_pool(), 0);
	nt_forget();
}

T(small_pieces_out_of_order_share_one_too)
{
	tt_start();
	tt_connect();
	for (uint32_t i = 1; i <= 1500; i++)
		tt_in(PLX_TCP_ACK, tt.seq + i, i, 1);
	ok(in_tests_pool() <= 2);
	tt_in(PLX_TCP_ACK, tt.seq, 0, 1);
	eq(tt.got, 1501);
	eq(in_tests_pool(), 0);
	nt_forget();
}

/* ---- a connection's own buffer ---- */

/* Holes that never fill: what is held stays within SO_RCVBUF, the far end gives way to what comes
 * before it, and what is in order goes on. */
T(what_is_out_of_order_gives_way_first)
{
	struct tt_seg s;
	uint32_t n = 0;

	tt_start();
	nt_tun(PLX_TUN_TCP_MODERATE_RCVBUF, 0);
	tt_connect();
	eq(plx_tcp_set_rcvbuf(tcb(), 60000), 0);
	for (uint32_t at = 29000; at >= 2000; at -= 1500, n++) /* each before the last */
		tt_in(PLX_TCP_ACK, tt.seq + at, at, 1200);
	ok(plx_net_tcp_rmem(tt.c) <= 60000 + ROOM);
	for (uint32_t at = 28800; at >= 2100; at -= 1500, n++) { /* between them */
		tt_in(PLX_TCP_ACK, tt.seq + at, at, 1);
		ok(plx_net_tcp_rmem(tt.c) <= 60000 + ROOM);
	}
	ok(nt_stat(PLX_STAT_TCPEXT_OFOPRUNED) > 0);
	ok(nt_stat(PLX_STAT_TCPEXT_PRUNECALLED) >= nt_stat(PLX_STAT_TCPEXT_OFOPRUNED));
	nt_forget();
	/* what the SACK blocks say is what is there: the rest is sent again, and all is well */
	tt_in(PLX_TCP_ACK, tt.seq, 0, 1400);
	while (tt_out(&s))
		;
	ok(s.o.present & PLX_TCP_OPT_SACK);
	for (uint32_t at = 1400; at < 29000; at += 1400)
		tt_in(PLX_TCP_ACK, tt.seq + at, at, 1400);
	eq(tt.got, PLX_MAX(tt.got, 28000));
	eq(plx_net_tcp_rmem(tt.c) <= 60000 + ROOM, true);
	nt_forget();
}

/* Each of them more than half of an mbuf, so none is copied; packed they take a third less. */
T(what_is_in_order_is_packed_before_it_is_refused)
{
	uint32_t n = 40;

	tt_start();
	nt_tun(PLX_TUN_TCP_MODERATE_RCVBUF, 0);
	tt.hold = true;
	tt_connect();
	eq(plx_tcp_set_rcvbuf(tcb(), 100000), 0);
	for (int i = 0; i < 39; i++)
		feed(1250);
	nt_forget();
	eq(nt_stat(PLX_STAT_TCPEXT_TCPRCVCOLLAPSED), 0);
	eq(plx_tcp_set_rcvbuf(tcb(), 80000), 0); /* the program has changed its mind */
	tcb()->rcv.wup = tcb()->rcv.nxt;
	tcb()->rcv.wnd = 20000; /* what was promised before */
	feed(1250);
	ok(nt_stat(PLX_STAT_TCPEXT_TCPRCVCOLLAPSED) > 10);
	eq(nt_stat(PLX_STAT_TCPEXT_RCVPRUNED), 0);
	ok(plx_net_tcp_rmem(tt.c) <= 80000 + ROOM);
	while (nt_stat(PLX_STAT_TCPEXT_RCVPRUNED) == 0 && n < 80) {
		feed(1250);
		n++;
	}
	nt_drop(PLX_DROP_TCP_TEXT_RCVBUF);
	ok(plx_net_tcp_rmem(tt.c) <= 80000 + ROOM);
	tt.hold = false;
	tt_read(tt_sn(), tt.c); /* looks at every byte */
	eq(tt.got, (n - 1) * 1250);
	nt_forget();
}

/* ---- the lcore's packet buffers, and the budget of all ---- */

/* A peer with another connection. */
static void another(void)
{
	tt.port++;
	tt.seq = 77000;
	tt.got = 0;
	tt.accepted = 0;
	tt_connect();
}

/* Nobody reads what comes to the first; the second goes on all the same. */
T(who_does_not_read_leaves_room_for_others)
{
	struct tt first, second;
	uint32_t share, n;

	nt.mbufs = 120;
	tt_start();
	nt.mbufs = 0;
	share = 120 * ROOM / 2;
	tt.hold = true;
	tt_connect();
	first = tt;
	another();
	second = tt;
	tt = first;
	for (n = 0; n < 100; n++) {
		uint32_t left = (uint32_t)plx_seq_diff(edge(), tt.seq);

		if (n && (int32_t)left < 1200)
			break;
		feed(1200);
	}
	ok(plx_net_tcp_rmem(tt.c) > share / 4);
	ok(plx_net_tcp_rmem(tt.c) <= share / 3 * 2 + 4 * ROOM); /* more than half is too much */
	eq(nt_stat(PLX_STAT_TCPEXT_TCPMEMORYPRESSURES), 1);
	nt_no_drop(); /* the window has closed in time */
	tt = second;
	tt.hold = false;
	for (n = 0; n < 300; n++)
		feed(1000);
	eq(tt.got, 300000);
	nt_forget();
	plx_net_tcp_abort(tt_sn(), first.c);
	nt_run();
	ok(!tcb()->ctx->pressure);
	nt_forget();
}

/* net.pollux.tcp_mem_*: what is short, who is refused, and that it ends. */
T(pressure_begins_and_ends)
{
	struct tt_seg s;

	tt_start();
	nt_tun(PLX_TUN_TCP_MEM_HIGH, 300);
	nt_tun(PLX_TUN_TCP_MEM_PRESSURE, 20);
	nt_tun(PLX_TUN_TCP_MEM_LOW, 16);
	nt_tun(PLX_TUN_TCP_SYNCOOKIES, 0);
	tt.hold = true;
	tt_connect();
	for (int i = 0; i < 45; i++)
		feed(1300);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPMEMORYPRESSURES), 1);
	ok(tcb()->ctx->pressure);
	nt_forget();
	tt.port++;
	tt_in(PLX_TCP_SYN, 1, 0, 0); /* nobody new */
	nt_drop(PLX_DROP_TCP_NEW_MEMORY);
	nt_none();
	tt.port--;
	nt_sleep(PLX_MS(500));
	tt.hold = false;
	tt_read(tt_sn(), tt.c);
	eq(tt.got, 45 * 1300);
	nt_run();
	ok(!tcb()->ctx->pressure);
	ok(nt_stat(PLX_STAT_TCPEXT_TCPMEMORYPRESSURESCHRONO) >= 500);
	nt_forget();
	tt.port++;
	tt_in(PLX_TCP_SYN, 1, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
}

/* Beyond the budget of all: refused under its reason, told with a closed window, taken later. */
T(text_beyond_the_budget_is_refused_and_comes_again)
{
	struct tt_seg s = {0};
	uint64_t had;

	tt_start();
	nt_tun(PLX_TUN_TCP_MEM_HIGH, 20);
	tt.hold = true;
	tt_connect();
	while (nt_stat(PLX_STAT_TCPEXT_TCPRCVQDROP) == 0 && tcb()->bytes_received < 70000)
		feed(1300);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPRCVQDROP), 1);
	eq(nt_stat(PLX_STAT_TCPEXT_RCVPRUNED), 1);
	nt_drop(PLX_DROP_TCP_TEXT_BUDGET);
	ok(plx_net_tcp_rmem(tt.c) <= 24 * 4096);
	while (tt_out(&s))
		;
	eq(s.h.win, 0);
	had = tcb()->bytes_received;
	eq(s.h.ack, tt.seq - 1300);
	tt.hold = false;
	tt_read(tt_sn(), tt.c);
	nt_run();
	while (tt_out(&s))
		;
	ok(s.h.win > 1300); /* open again, and that is told */
	tt_in(PLX_TCP_ACK, tt.seq - 1300, had, 1300);
	eq(tt.got, had + 1300);
	nt_forget();
	nt_no_drop();
}

/* A write takes what there is room for, at least something; the rest when there is some. */
T(text_to_be_sent_is_of_the_budget)
{
	struct plx_softnet *sn;
	uint8_t text[5000];
	struct tt_seg s;
	uint32_t n = 0, put;

	tt_start();
	tt_connect();
	sn = tt_sn();
	nt_tun(PLX_TUN_TCP_MEM_HIGH, 12);
	nt_tun(PLX_TUN_TCP_WMEM_DEFAULT, 1000000);
	memset(text, 0, sizeof(text));
	while ((put = plx_net_tcp_write(sn, tt.c, text, sizeof(text))) && n < 500000)
		n += put;
	ok(n >= 4032);
	ok(n <= 12 * 4096 + 32768);
	nt_run();
	while (n) { /* all of it arrives, and makes room */
		while (tt_out(&s)) {
			if (s.h.seq != tt.ack)
				continue;
			tt.ack += s.len;
			n -= s.len;
		}
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
		nt_sleep(PLX_MS(20));
	}
	eq(plx_net_tcp_wmem(tt.c), 0);
	ok(plx_net_tcp_write(sn, tt.c, text, sizeof(text)) > 0);
	nt_run();
	nt_forget();
}

/* Those that nobody will miss. */
T(orphans_are_limited)
{
	struct tt_seg s;

	tt_start();
	nt_tun(PLX_TUN_TCP_MAX_ORPHANS, 1);
	for (int i = 0; i < 2; i++) {
		tt.port++;
		tt.accepted = 0;
		tt.seq = 5000;
		tt_connect();
		tt.sent = 0;
		tt.to_send = 1000;
		tt_write(tt_sn(), tt.c);
		plx_net_tcp_close(tt_sn(), tt.c);
		nt_run();
		if (i == 0) {
			tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH | PLX_TCP_FIN, 1000);
			eq(nt_stat(PLX_STAT_TCPEXT_TCPABORTONMEMORY), 0);
		}
	}
	tt_expect(&s, PLX_TCP_RST | PLX_TCP_ACK, 0);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPABORTONMEMORY), 1);
}

/* ---- an empty pool ---- */

/* The program keeps all that it gets, and then all that there is. */
T(with_an_empty_pool_acks_still_go)
{
	struct rte_mbuf *kept[16];
	struct tt_seg s;
	unsigned int n = 0;

	tt_start();
	tt.hold = true;
	tt_connect();
	feed(1400);
	kept[n++] = plx_net_tcp_recv(tt_sn(), tt.c);
	nt_run();
	nt_forget();
	take_all();
	ok(!plx_softnet_alloc(tt_sn()));
	for (int i = 0; i < 60; i++) { /* more than are at hand */
		feed(1);
		nt_sleep(PLX_MS(300));
		tt_expect(&s, PLX_TCP_ACK, 0);
		eq(s.h.ack, tt.seq);
	}
	eq(plx_net_tcp_rmem(tt.c) <= 2 * ROOM, true);
	kept[n++] = plx_net_tcp_recv(tt_sn(), tt.c);
	rte_pktmbuf_free_bulk(kept, n);
	let_go();
	nt_run();
	nt_forget();
	nt_no_drop();
}

/* What was sent is sent again; what was not waits. */
T(with_an_empty_pool_retransmissions_still_go)
{
	struct tt_seg s;
	uint32_t again = 0, new = 0;

	tt_start();
	tt_connect();
	tt.to_send = 14600;
	tt_write(tt_sn(), tt.c);
	nt_run();
	eq(nt_forget(), 10); /* lost, all of them */
	take_all();
	tt.to_send += 30000;
	tt_write(tt_sn(), tt.c);
	for (int i = 0; i < 200 && tt.ack - tcb()->iss - 1 < 14600; i++) {
		nt_sleep(PLX_MS(300));
		while (tt_out(&s)) {
			new += s.len &&plx_seq_ge(s.h.seq, tcb()->iss + 1 + 14600);
			if (s.h.seq != tt.ack || !s.len)
				continue;
			tt.ack += s.len;
			again++;
		}
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	}
	ok(tt.ack - tcb()->iss - 1 >= 14600);
	ok(again >= 10);
	ok(new <= 40); /* of mbufs that were at hand */
	let_go();
	for (int i = 0; i < 200 && tt.ack - tcb()->iss - 1 < 44600; i++) {
		nt_sleep(PLX_MS(50));
		while (tt_out(&s))
			if (s.h.seq == tt.ack)
				tt.ack += s.len;
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	}
	eq(tt.ack - tcb()->iss - 1, 44600);
	nt_forget();
}

/* As large as was asked for, and the lcore's own; there is no more than that. */
T(the_reserve_is_limited)
{
	struct rte_mbuf *m[16];
	unsigned int n = 0;

	nt.reserve = 8;
	tt_start();
	nt.reserve = 0;
	eq(nt.tun.v[PLX_TUN_RESERVE_MBUFS], 8);
	take_all();
	while (n < PLX_DIM(m) && (m[n] = plx_softnet_alloc_last(tt_sn())))
		n++;
	eq(n, 8);
	rte_pktmbuf_free_bulk(m, n);
	let_go();
}

/* ---- both ends of one small pool ---- */

static const uint32_t ends_bytes = 600000;

static void ends_read(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct ends *e = plx_net_tcp_user(c);
	uint8_t buf[3000];
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, buf, sizeof(buf)))) {
		for (uint32_t i = 0; i < n; i++)
			eq(buf[i], tt_text(e->got + i));
		e->got += n;
	}
}

/* Both write as much as they can, all the time, out of what is left of the pool. */
static void bulk_with(uint32_t left)
{
	ends_start();
	take_all();
	rte_pktmbuf_free_bulk(taken + n_taken - left, left);
	n_taken -= left;
	ends_connect("10.0.0.2");
	nt_sleep(PLX_SEC(600));
	ends_are_done();
	let_go();
}

T(two_that_write_all_they_can_finish_with_few_mbufs)
{
	bulk_with(60);
}

T(and_with_hardly_any)
{
	bulk_with(8);
}

/* ---- datagrams ---- */

/* Half of what receive queues may hold is TCP's. */
T(datagrams_leave_half_to_tcp)
{
	struct plx_softnet *sn;
	uint32_t n = 0;

	nt.mbufs = 600;
	nt_simple();
	nt.mbufs = 0;
	sn = plx_engine_softnet(nt.eng, 0);
	while (n < 2000 && plx_net_mem_hold(sn, 1 + n, ROOM))
		n++;
	ok(n > 20);
	ok(n <= 600 / 4 + 16);
	ok(plx_net_mem_hold(sn, 0, ROOM)); /* who has nothing gets some */
	plx_net_mem_let_go(sn, (n + 1) * ROOM);
	nt_tun(PLX_TUN_UDP_MEM_HIGH, 8);
	for (n = 0; n < 2000 && plx_net_mem_hold(sn, 1 + n, ROOM);)
		n++;
	ok(n * ROOM <= 8 * 4096 + 2 * 32768);
	plx_net_mem_let_go(sn, n * ROOM);
	nt_tun(PLX_TUN_RCV_MBUFS, 0);
	nt_tun(PLX_TUN_UDP_MEM_HIGH, 0);
	for (n = 0; n < 2000 && plx_net_mem_hold(sn, 1 + n, ROOM);)
		n++;
	ok(n * ROOM <= 2 * 32768);
	plx_net_mem_let_go(sn, n * ROOM);
}

RUN_EAL(TT_(received_text_is_charged_by_its_room), TT_(small_segments_share_an_mbuf),
	TT_(a_chain_of_crumbs_is_put_together), TT_(small_pieces_out_of_order_share_one_too),
	TT_(what_is_out_of_order_gives_way_first),
	TT_(what_is_in_order_is_packed_before_it_is_refused),
	TT_(who_does_not_read_leaves_room_for_others), TT_(pressure_begins_and_ends),
	TT_(text_beyond_the_budget_is_refused_and_comes_again),
	TT_(text_to_be_sent_is_of_the_budget), TT_(orphans_are_limited),
	TT_(with_an_empty_pool_acks_still_go), TT_(with_an_empty_pool_retransmissions_still_go),
	TT_(the_reserve_is_limited), TT_(two_that_write_all_they_can_finish_with_few_mbufs),
	TT_(and_with_hardly_any), NT_(datagrams_leave_half_to_tcp))
