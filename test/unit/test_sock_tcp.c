/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>

#include "net_tcp_t.h"
#include "sock_t.h"

#include "sock.h"

/* TCP sockets whose peer is the test: errors from the path, and what a connection costs. */

static int lis, fd;

static void start(void)
{
	st_new();
	tt = (struct tt){.port = 1024, .seq = 1000};
	lis = st_listen("10.0.0.2", TT_PORT);
	nt_run();
}

/* The peer connects, from the port that comes next. @return what accept() gives. */
static int accepted(void)
{
	struct tt_seg s;
	int c;

	tt.port++;
	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	tt.ack = s.h.seq + 1;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	c = plx_accept(lis, NULL, NULL);
	ok(c >= 0);
	return c;
}

static int option(int s, int level, int name)
{
	int v = 0;
	socklen_t len = sizeof(v);

	eq(plx_getsockopt(s, level, name, &v, &len), 0);
	return v;
}

static void set(int s, int level, int name, int v)
{
	eq(plx_setsockopt(s, level, name, &v, sizeof(v)), 0);
}

/* ---- errors ---- */

/* Nobody answers for the host to which our last segment went. */
static void no_host(void)
{
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 1 quote 28");
	nt_no_drop();
}

static void send_four(void)
{
	struct tt_seg s;

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	eq(plx_send(fd, "abcd", 4, 0), 4);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 4);
}

T(an_error_is_told_to_who_asks)
{
	start();
	fd = accepted();
	send_four();
	no_host();
	eq(st_poll(fd) & EPOLLERR, 0);
	eq(plx_send(fd, "x", 1, 0), 1); /* it goes on */
	eq(option(fd, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
	eq(option(fd, SOL_SOCKET, SO_ERROR), 0);
}

T(what_was_acknowledged_forgets_the_error)
{
	start();
	fd = accepted();
	send_four();
	no_host();
	tt.ack += 4;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	eq(option(fd, SOL_SOCKET, SO_ERROR), 0);
}

T(with_recverr_an_error_is_told_at_once)
{
	char c;

	start();
	fd = accepted();
	set(fd, IPPROTO_IP, IP_RECVERR, 1);
	send_four();
	no_host();
	eq(st_poll(fd) & EPOLLERR, EPOLLERR);
	fails(plx_recv(fd, &c, 1, MSG_DONTWAIT), EHOSTUNREACH);
	fails(plx_recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	eq(option(fd, SOL_SOCKET, SO_ERROR), 0);
	send_four();
	no_host();
	fails(plx_send(fd, "x", 1, 0), EHOSTUNREACH);
	send_four();
}

T(with_recverr_an_error_ends_the_wait)
{
	struct plx_sqe s = {.op = PLX_CQ_RECV, .len = 1, .user = 7};
	struct plx_cq *cq;
	struct plx_cqe cqe;
	char c;

	start();
	s.fd = fd = accepted();
	s.buf = &c;
	set(fd, IPPROTO_IP, IP_RECVERR, 1);
	cq = plx_cq_create(1);
	send_four();
	eq(plx_cq_submit(cq, &s, 1), 1);
	eq(plx_cq_reap(cq, &cqe, 1, 0), 0);
	no_host();
	eq(plx_cq_reap(cq, &cqe, 1, 0), 1);
	eq(cqe.result, -EHOSTUNREACH);
	plx_cq_destroy(cq);
}

/* ---- SYNs ---- */

static uint32_t total_retrans(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_total_retrans;
}

T(a_syn_sent_again_counts)
{
	start();
	fd = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	fails(st_connect(fd, "10.0.0.1", 80), EINPROGRESS);
	nt_run();
	eq(total_retrans(), 0);
	nt_sleep(PLX_MS(1100));
	eq(total_retrans(), 1);
	nt_sleep(PLX_MS(1100));
	eq(total_retrans(), 2);
}

T(a_syn_ack_sent_again_counts)
{
	struct tt_seg s;

	start();
	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	tt.ack = s.h.seq + 1;
	nt_sleep(PLX_MS(1100));
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	fd = plx_accept(lis, NULL, NULL);
	ok(fd >= 0);
	eq(total_retrans(), 1);
}

/* ---- what a connection costs ---- */

static struct sock_lcore *lcore(void)
{
	return sock__lcores[rte_lcore_id()];
}

/* Bytes that sockets have taken for one more connection. */
static size_t cost(int *s)
{
	size_t was = plx_arena_used(&lcore()->arena);

	*s = accepted();
	return plx_arena_used(&lcore()->arena) - was;
}

T(options_of_the_listener_are_shared)
{
	size_t plain;
	int s[6];

	start();
	plain = cost(&s[0]);
	set(lis, SOL_SOCKET, SO_KEEPALIVE, 1);
	ok(cost(&s[1]) > plain); /* the copy that all share */
	for (int i = 2; i < 6; i++)
		eq(cost(&s[i]), plain);
	eq(option(s[0], SOL_SOCKET, SO_KEEPALIVE), 0);
	eq(option(s[5], SOL_SOCKET, SO_KEEPALIVE), 1);
	set(s[3], IPPROTO_TCP, TCP_NODELAY, 1); /* it alone */
	eq(option(s[2], IPPROTO_TCP, TCP_NODELAY), 0);
	eq(option(s[3], IPPROTO_TCP, TCP_NODELAY), 1);
	eq(option(s[3], SOL_SOCKET, SO_KEEPALIVE), 1);
	eq(option(s[4], IPPROTO_TCP, TCP_NODELAY), 0);
	set(s[3], SOL_SOCKET, SO_KEEPALIVE, 0);
	eq(option(s[4], SOL_SOCKET, SO_KEEPALIVE), 1);
}

T(options_that_all_set_are_shared)
{
	size_t was;
	int s[4];

	start();
	set(lis, SOL_SOCKET, SO_REUSEADDR, 1);
	for (int i = 0; i < 4; i++)
		s[i] = accepted();
	set(s[0], IPPROTO_TCP, TCP_NODELAY, 1);
	was = plx_arena_used(&lcore()->arena);
	for (int i = 1; i < 4; i++)
		set(s[i], IPPROTO_TCP, TCP_NODELAY, 1);
	ok(plx_arena_used(&lcore()->arena) <= was);
	for (int i = 0; i < 4; i++) {
		eq(option(s[i], IPPROTO_TCP, TCP_NODELAY), 1);
		eq(plx_close(s[i]), 0);
	}
	nt_run();
	ok(plx_list_empty(&lcore()->colds));
}

T(a_cookie_or_an_owner_is_not_shared)
{
	uint64_t a = 0, b = 0;
	socklen_t len = sizeof(a);
	int s[2];

	start();
	set(lis, SOL_SOCKET, SO_KEEPALIVE, 1);
	s[0] = accepted();
	s[1] = accepted();
	eq(plx_getsockopt(s[0], SOL_SOCKET, SO_COOKIE, &a, &len), 0);
	eq(plx_getsockopt(s[1], SOL_SOCKET, SO_COOKIE, &b, &len), 0);
	ok(a != b);
	set(s[0], IPPROTO_TCP, TCP_NODELAY, 1);
	set(s[1], IPPROTO_TCP, TCP_NODELAY, 1);
	eq(plx_getsockopt(s[0], SOL_SOCKET, SO_COOKIE, &b, &len), 0);
	eq(a, b);
	eq(plx_fcntl(s[0], F_SETOWN, getpid()), 0);
	eq(plx_fcntl(s[1], F_GETOWN), 0);
}

RUN_EAL(ST_(an_error_is_told_to_who_asks), ST_(what_was_acknowledged_forgets_the_error),
	ST_(with_recverr_an_error_is_told_at_once), ST_(with_recverr_an_error_ends_the_wait),
	ST_(a_syn_sent_again_counts), ST_(a_syn_ack_sent_again_counts),
	ST_(options_of_the_listener_are_shared), ST_(options_that_all_set_are_shared),
	ST_(a_cookie_or_an_owner_is_not_shared))
