/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_tcp_t.h"

/* What programs may ask of a connection, beyond reading and writing. */

static void text(uint32_t len, uint64_t at)
{
	tt_in(PLX_TCP_ACK, tt.seq, at, len);
	tt.seq += len;
	nt_forget();
}

static void is_text(const uint8_t *p, uint64_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		eq(p[i], tt_text(at + i));
}

/* Looked at and skipped across the borders of what came. */
T(peek_and_skip)
{
	static uint8_t buf[4000];

	tt_start();
	tt.hold = true;
	tt_connect();
	eq(plx_net_tcp_peek(tt.c, 0, buf, 100), 0);
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 100), 0);
	text(10, 0);
	text(600, 10);
	text(1400, 610);
	text(1000, 2010);
	for (uint32_t off = 0; off < 3010; off += 97) {
		eq(plx_net_tcp_peek(tt.c, off, buf, 1500), PLX_MIN(1500u, 3010 - off));
		is_text(buf, off, PLX_MIN(1500u, 3010 - off));
	}
	eq(plx_net_tcp_peek(tt.c, 3010, buf, 9), 0);
	eq(plx_net_tcp_readable(tt.c), 3010);
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 5), 5);
	eq(plx_net_tcp_read(tt_sn(), tt.c, buf, 2), 2);
	is_text(buf, 5, 2);
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 700), 700);
	eq(plx_net_tcp_peek(tt.c, 0, buf, 10), 10);
	is_text(buf, 707, 10);
	eq(plx_net_tcp_readable(tt.c), 2303);
	eq(plx_net_tcp_skip(tt_sn(), tt.c, 9999), 2303);
	nt_run();
	nt_forget();
	nt_no_drop();
}

/* MSG_MORE: what is no full segment waits for the rest. */
T(there_is_more_to_come)
{
	struct tt_seg s;
	uint8_t buf[100] = {0};

	tt_start();
	tt_connect();
	eq(plx_net_tcp_write_more(tt_sn(), tt.c, buf, 100), 100);
	nt_run();
	nt_none();
	eq(plx_net_tcp_write(tt_sn(), tt.c, buf, 50), 50);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 150);
	nt_none();
}

T(its_ip_header)
{
	struct tt_seg s;

	tt_start();
	tt_connect();
	plx_net_tcp_set_ip(tt.c, 77, 0x2b);
	eq(plx_net_tcp_write(tt_sn(), tt.c, "x", 1), 1);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1);
	eq(s.ip.ttl, 77);
	eq(s.ip.tos, 0x28);
	tt.ack++;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	plx_net_tcp_set_ip(tt.c, 0, 0);
	eq(plx_net_tcp_write(tt_sn(), tt.c, "x", 1), 1);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1);
	eq(s.ip.ttl, 64);
	eq(s.ip.tos, 0);
}

static struct {
	int urgent, readable;
	uint32_t off;
} told;

static void on_urgent(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	eq(told.readable, told.urgent); /* told first */
	told.urgent++;
	ok(plx_tcp_urgent_at(plx_net_tcp_tcb(c), &told.off));
}

static void on_readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	told.readable++;
}

static const struct plx_net_tcp_ops urgent_ops = {.urgent = on_urgent, .readable = on_readable};

/* Each arrival is told, whether what came before was read or not. */
T(urgent_data_and_each_arrival)
{
	memset(&told, 0, sizeof(told));
	tt_start();
	tt_connect();
	plx_net_tcp_take(tt.c, &urgent_ops, NULL);
	tt.urg = 5;
	tt_in(PLX_TCP_ACK | PLX_TCP_URG, tt.seq, 0, 10);
	tt.seq += 10;
	eq(told.urgent, 1);
	eq(told.off, 4);
	eq(told.readable, 1);
	text(10, 10);
	text(10, 20);
	eq(told.readable, 3);
	eq(told.urgent, 1);
	plx_net_tcp_abort(tt_sn(), tt.c);
	nt_run();
	nt_forget();
}

static void small(struct plx_net_tcp *c, void *user)
{
	eq(plx_net_tcp_tcb(c)->id.state, PLX_TCP_CLOSED);
	++*(int *)user;
	plx_tcp_set_maxseg(plx_net_tcp_tcb(c), 500);
	plx_net_tcp_set_ip(c, 33, 0);
}

T(set_before_the_syn)
{
	struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80, .setup = small};
	struct plx_net_tcp *c;
	struct tt_seg s;
	int called = 0;

	tt_start();
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, &called, &c), 0);
	eq(called, 1);
	nt_run();
	tt_expect(&s, PLX_TCP_SYN, 0);
	eq(s.o.mss, 500);
	eq(s.ip.ttl, 33);
	plx_net_tcp_abort(tt_sn(), c);
	nt_run();
}

/* By its interface though the route leads elsewhere. */
T(bound_to_an_interface)
{
	struct plx_net_tcp_to to = {
		.raddr = t_addr("10.0.0.1"), .rport = 80, .iface = 2, .bound = true};
	struct plx_net_tcp *c;

	tt = (struct tt){.port = 1024, .seq = 1000};
	nt_new(2, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(2, "10.1.0.2/24");
	nt_neigh(2, "10.0.0.1");
	nt_settle();
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &c), 0);
	nt_run();
	ok(!nt_sent(0));
	ok(strstr(nt_sent(1), "ip 10.1.0.2 > 10.0.0.1 "));
	nt_none();
	plx_net_tcp_abort(tt_sn(), c);
	nt_run();
	to.bound = false;
	to.raddr = t_addr("20.0.0.1");
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &c), -ENETUNREACH);
}

/* connect() takes no port that somebody has bound, whether it listens or not. */
T(bound_ports_are_left_alone)
{
	struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	struct plx_net_bind claim[4];
	struct plx_net_tcp *c;
	struct tt_seg s;

	tt_start();
	nt_tun(PLX_TUN_IP_LOCAL_PORT_LO, 40000);
	nt_tun(PLX_TUN_IP_LOCAL_PORT_HI, 40003);
	for (uint16_t i = 0; i < 4; i++) {
		claim[i] = (struct plx_net_bind){.lport = (uint16_t)(40000 + i),
			.proto = PLX_IPPROTO_TCP,
			.reuseaddr = true};
		eq(plx_net_bind_add(nt.net, &claim[i], NULL, NULL), 0);
	}
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &c), -EADDRNOTAVAIL);
	plx_net_bind_del(nt.net, &claim[2]);
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &c), 0);
	nt_run();
	tt_expect(&s, PLX_TCP_SYN, 0);
	eq(s.h.sport, 40002);
	plx_net_tcp_abort(tt_sn(), c);
	nt_run();
	for (uint16_t i = 0; i < 4; i++)
		plx_net_bind_del(nt.net, &claim[i]);
}

RUN_EAL(TT_(peek_and_skip), TT_(there_is_more_to_come), TT_(its_ip_header),
	TT_(urgent_data_and_each_arrival), TT_(set_before_the_syn), TT_(bound_to_an_interface),
	TT_(bound_ports_are_left_alone))
