/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

static void range(struct lt *t, uint16_t lo, uint16_t hi)
{
	lt_tun(t, PLX_TUN_IP_LOCAL_PORT_LO, lo);
	lt_tun(t, PLX_TUN_IP_LOCAL_PORT_HI, hi);
}

/* Connections, the first half of the range's parity first; then there is none. */
T(ports_are_taken_until_there_are_none)
{
	static struct lt t;
	static struct plx_tcp_id id[11];
	bool seen[11] = {false};

	lt_up(&t);
	range(&t, 100, 110);
	for (int i = 0; i < 11; i++) {
		int port;

		id[i] = t.id;
		port = plx_tcp_port_pick(&t.ctx, &id[i], 0, NULL, NULL);
		ok(port >= 100 && port <= 110);
		ok(!seen[port - 100]);
		seen[port - 100] = true;
		eq(port % 2, i < 6 ? 0 : 1);
		id[i].lport = (uint16_t)port;
		eq(plx_tcp_table_add(t.ctx.table, &id[i]), 0);
	}
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL), -EADDRNOTAVAIL);
	t.id.rport++; /* another peer: all are free */
	ok(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL) >= 100);
	for (int i = 0; i < 11; i++)
		plx_tcp_table_del(t.ctx.table, &id[i]);
	lt_down(&t);
}

T(a_port_with_a_listener_is_left_alone)
{
	static struct lt t;

	lt_up(&t);
	range(&t, 80, 82);
	for (int i = 0; i < 10; i++)
		eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL), 82);
	lt_down(&t);
}

T(a_time_wait_gives_its_port_when_it_may)
{
	static struct lt t;
	struct plx_tcp_tw w = {.ts_ok = true, .ts_ago_s = 10};

	lt_up(&t);
	range(&t, 200, 200);
	w.id = t.id;
	w.id.lport = 200;
	w.id.kind = PLX_TCP_KIND_TW;
	eq(plx_tcp_table_add(t.ctx.table, &w.id), 0);
	lt_tun(&t, PLX_TUN_TCP_TW_REUSE, 1);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, PLX_SEC(10), NULL, NULL), -EADDRNOTAVAIL);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, PLX_SEC(11), NULL, NULL), 200);
	plx_tcp_table_del(t.ctx.table, &w.id);
	lt_down(&t);
}

static bool multiple_of(void *arg, uint16_t port)
{
	return port % *(const int *)arg == 0;
}

T(the_caller_has_the_last_word)
{
	static struct lt t;
	int seven = 7, many = 50000;

	lt_up(&t);
	for (int i = 0; i < 100; i++)
		eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, multiple_of, &seven) % 7, 0);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, multiple_of, &many), 50000);
	many = 65536;
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, multiple_of, &many), -EADDRNOTAVAIL);
	lt_down(&t);
}

/* RFC 6056 3.3.3: one pair's ports rise; another pair starts elsewhere. */
T(pairs_start_apart)
{
	static struct lt t;
	uint32_t apart = 0;
	int first, next;

	lt_up(&t);
	first = plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL);
	next = plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL);
	ok(next == first + 2 || next == 32768);
	for (int i = 0; i < 100; i++) {
		int port;

		t.id.raddr.b[15]++;
		port = plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL);
		apart += abs(port - next) > 100;
		next = port;
	}
	ok(apart > 90);
	lt_down(&t);
}

T(an_empty_range_has_none)
{
	static struct lt t;

	lt_up(&t);
	range(&t, 300, 299);
	eq(plx_tcp_port_pick(&t.ctx, &t.id, 0, NULL, NULL), -EADDRNOTAVAIL);
	lt_down(&t);
}

RUN(T_(ports_are_taken_until_there_are_none), T_(a_port_with_a_listener_is_left_alone),
	T_(a_time_wait_gives_its_port_when_it_may), T_(the_caller_has_the_last_word),
	T_(pairs_start_apart), T_(an_empty_range_has_none))
