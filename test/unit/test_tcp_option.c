/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* What programs ask for, as far as no trace shows it. */

T(a_send_buffer_of_ones_own)
{
	static struct tt t;
	uint32_t tuned;

	tt_up(&t);
	tuned = plx_tcp_sndbuf(&t.c);
	eq(plx_tcp_set_sndbuf(&t.c, 0), 0);
	ok(!t.c.cold); /* nothing asked for, nothing kept */
	eq(plx_tcp_set_sndbuf(&t.c, 4608), 0);
	eq(plx_tcp_sndbuf(&t.c), 4608);
	eq(plx_tcp_set_sndbuf(&t.c, 0), 0);
	eq(plx_tcp_sndbuf(&t.c), tuned);
	tt_down(&t);
}

/* The mark is the last urgent byte (Linux), come or not; reading it removes it. */
T(where_the_mark_is)
{
	static struct tt t;
	uint32_t off = 99;

	tt_up(&t);
	ok(!plx_tcp_urgent_at(&t.c, &off));
	eq(off, 99);
	eq(tt_in(&t, "U 1:101(100) ack 1 urg 150"), PLX_DROP_NONE);
	ok(plx_tcp_urgent_at(&t.c, &off));
	eq(off, 149);
	eq(tt_in(&t, ". 101:201(100) ack 1"), PLX_DROP_NONE);
	plx_tcp_read(&t.c, 100, t.now);
	ok(plx_tcp_urgent_at(&t.c, &off));
	eq(off, 49);
	plx_tcp_read(&t.c, 49, t.now);
	ok(plx_tcp_urgent_at(&t.c, &off));
	eq(off, 0);
	plx_tcp_read(&t.c, 1, t.now);
	ok(!plx_tcp_urgent_at(&t.c, &off));
	/* the same pointer again is none, a later one is */
	eq(tt_in(&t, "U 201:211(10) ack 1 urg 0"), PLX_DROP_NONE);
	ok(!plx_tcp_urgent_at(&t.c, &off));
	eq(tt_in(&t, "U 211:221(10) ack 1 urg 10"), PLX_DROP_NONE);
	ok(t.rx.events & PLX_TCP_EV_URGENT);
	ok(plx_tcp_urgent_at(&t.c, &off));
	eq(off, 69);
	tt_down(&t);
}

T(fewer_syns)
{
	for (int own = 0; own < 2; own++) {
		static struct tt t;
		int syns = 0;

		tt_up(&t, .wait = true);
		tt_tun(&t, TCP_SYN_LINEAR_TIMEOUTS, 0);
		if (own)
			eq(plx_tcp_set_syncnt(&t.c, 2), 0);
		for (int i = 0; i < 300 && t.c.id.state != PLX_TCP_CLOSED; i++) {
			while (tt_pull(&t))
				syns++;
			tt_ms(&t, 1000);
		}
		eq(t.c.err, ETIMEDOUT);
		eq(syns, own ? 3 : 7); /* net.ipv4.tcp_syn_retries is 6 */
		tt_down(&t);
	}
}

/* A clamp that comes late takes nothing back that was announced. */
T(a_clamp_never_shrinks_the_window)
{
	static struct tt t;
	uint32_t edge;

	tt_up(&t, .no_ts = true);
	edge = t.c.rcv.nxt + tcp__rcv_wnd(&t.c);
	eq(plx_tcp_set_window_clamp(&t.c, 1), 0); /* is raised to Linux's least */
	eq(tcp__wnd_clamp(&t.c), 1152);
	eq(plx_tcp_set_window_clamp(&t.c, 5000), 0);
	for (uint32_t at = 1; at < 80001; at += 1000) {
		char s[64];

		if (plx_seq_gt(t.c.rcv.nxt + 1000, t.c.rcv.nxt + tcp__rcv_wnd(&t.c)))
			break;
		sprintf(s, ". %u:%u(1000) ack 1", at, at + 1000);
		eq(tt_in(&t, s), PLX_DROP_NONE);
		plx_tcp_read(&t.c, 1000, t.now);
		while (tt_pull(&t)) {
			uint32_t e = t.tx.ack + ((uint32_t)t.tx.win << t.c.rcv_wscale);

			ok(plx_seq_ge(e, edge));
			edge = e;
		}
	}
	ok(tcp__rcv_wnd(&t.c) <= 5000 + (1u << t.c.rcv_wscale));
	eq(plx_tcp_set_window_clamp(&t.c, 0), 0);
	ok(tcp__rwnd_free(&t.c) > 5000 + (1u << t.c.rcv_wscale));
	tt_down(&t);
}

RUN(T_(a_send_buffer_of_ones_own), T_(where_the_mark_is), T_(fewer_syns),
	T_(a_clamp_never_shrinks_the_window))
