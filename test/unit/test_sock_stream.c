/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

/* TCP sockets, connected to ourselves. */

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

T(a_connection)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[16];
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_send(c[0], "hello", 5, 0), 5);
	fails(plx_recv(c[1], buf, sizeof(buf), 0), EAGAIN);
	nt_run();
	eq(st_poll(c[1]), IN | OUT);
	eq(plx_recv(c[1], buf, 3, MSG_PEEK), 3);
	eq(plx_recv(c[1], buf, sizeof(buf), 0), 5);
	mem_eq(buf, "hello", 5);
	eq(plx_getpeername(c[0], (struct sockaddr *)&ss, &len), 0);
	str_eq(st_text(&ss), "10.0.0.2:80");
	eq(plx_getsockname(c[1], (struct sockaddr *)&ss, &len), 0);
	str_eq(st_text(&ss), "10.0.0.2:80");
	eq(plx_close(c[0]), 0);
	nt_run();
	eq(st_poll(c[1]), IN | OUT | POLLRDHUP);
	eq(plx_recv(c[1], buf, sizeof(buf), 0), 0);
	eq(plx_close(c[1]), 0);
	fails(plx_close(c[1]), EBADF);
	eq(plx_sock_count(st.s), 0);
}

T(v6)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int c[2];

	st_new();
	st_pair(c, "2001:db8::2", 80);
	eq(plx_getpeername(c[0], (struct sockaddr *)&ss, &len), 0);
	str_eq(st_text(&ss), "[2001:db8::2]:80");
}

T(nobody_listens)
{
	int fd, err;
	socklen_t len = sizeof(err);

	st_new();
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(st_poll(fd), OUT | POLLHUP);
	fails(st_connect(fd, "10.0.0.2", 81), EINPROGRESS);
	fails(st_connect(fd, "10.0.0.2", 81), EALREADY);
	eq(st_poll(fd), 0);
	nt_run();
	eq(st_poll(fd), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	eq(err, ECONNREFUSED);
	eq(st_poll(fd), IN | OUT | POLLHUP | POLLRDHUP);
}

T(a_stream_that_is_longer_than_buffers)
{
	static uint8_t out[1 << 20], in[1 << 20];
	size_t sent = 0, got = 0;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	while (got < sizeof(in)) {
		ssize_t n =
			sent < sizeof(out) ? plx_send(c[0], out + sent, sizeof(out) - sent, 0) : 0;

		ok(n >= 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		nt_run();
		while ((n = plx_recv(c[1], in + got, sizeof(in) - got, 0)) > 0)
			got += (size_t)n;
		nt_run();
	}
	eq(sent, sizeof(out));
	mem_eq(in, out, sizeof(out));
}

T(half_closed)
{
	char buf[8];
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_shutdown(c[0], SHUT_WR), 0);
	nt_run();
	eq(plx_recv(c[1], buf, 8, 0), 0);
	eq(plx_send(c[1], "x", 1, 0), 1);
	nt_run();
	eq(plx_recv(c[0], buf, 8, 0), 1);
	fails(plx_send(c[0], "y", 1, MSG_NOSIGNAL), EPIPE);
	fails(plx_shutdown(c[0], 3), EINVAL);
}

T(a_look_ahead_leaves_the_urgent_byte_out)
{
	char buf[8];
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_send(c[0], "abX", 3, MSG_OOB), 3);
	eq(plx_send(c[0], "cd", 2, 0), 2);
	nt_sleep(PLX_SEC(1));
	eq(plx_recv(c[1], buf, sizeof(buf), 0), 2);
	eq(plx_recv(c[1], buf, sizeof(buf), MSG_PEEK), 2);
	mem_eq(buf, "cd", 2);
	eq(plx_recv(c[1], buf, sizeof(buf), MSG_PEEK | MSG_TRUNC), 2);
	eq(plx_recv(c[1], buf, 1, MSG_OOB), 1);
	mem_eq(buf, "X", 1);
	eq(plx_recv(c[1], buf, sizeof(buf), 0), 2);
	mem_eq(buf, "cd", 2);
}

/* What there is no room for is not: the byte in front of it is the urgent one. */
T(urgent_text_that_is_taken_in_part)
{
	static uint8_t out[16 << 20], in[1 << 20];
	ssize_t n, got = 0;
	int c[2], left;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	n = plx_send(c[0], out, sizeof(out), MSG_OOB);
	ok(n > 0 && n < (ssize_t)sizeof(out));
	for (left = 100000; left && plx_recv(c[1], in, 1, MSG_OOB) != 1; left--) {
		ssize_t r = plx_recv(c[1], in, sizeof(in), 0);

		got += r > 0 ? r : 0;
		nt_sleep(PLX_MS(1));
	}
	ok(left && got < n);
	eq(in[0], out[n - 1]);
}

T(a_reset)
{
	struct linger now = {.l_onoff = 1};
	char buf[8];
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_setsockopt(c[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	eq(plx_close(c[0]), 0);
	nt_run();
	eq(st_poll(c[1]), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
	fails(plx_recv(c[1], buf, 8, 0), ECONNRESET);
	eq(plx_recv(c[1], buf, 8, 0), 0);
	fails(plx_send(c[1], "y", 1, MSG_NOSIGNAL), EPIPE);
}

T(a_listener_closes_with_some_waiting)
{
	int l, c;

	st_new();
	l = st_listen("10.0.0.2", 80);
	c = plx_socket(AF_INET, SOCK_STREAM, 0);
	fails(st_connect(c, "10.0.0.2", 80), EINPROGRESS);
	nt_run();
	eq(st_poll(l), IN);
	eq(plx_close(l), 0);
	nt_run();
	eq(st_poll(c), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
	eq(plx_sock_count(st.s), 1);
}

T(what_is_no_socket)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int ep;

	st_new();
	ep = plx_epoll_create1(0);
	fails(plx_listen(ep, 1), ENOTSOCK);
	fails(plx_recv(ep, &ss, 1, 0), ENOTSOCK);
	fails(plx_read(ep, &ss, 1), EINVAL);
	fails(plx_close(3), EBADF);
	fails(plx_getsockname(ep, (struct sockaddr *)&ss, &len), ENOTSOCK);
	fails(plx_socket(AF_INET, 99, 0), EINVAL);
	fails(plx_socket(AF_APPLETALK, SOCK_STREAM, 0), EAFNOSUPPORT);
	fails(plx_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

/* A number that was closed stands for nothing that came later. */
T(numbers_are_not_used_again_at_once)
{
	int a, b;

	st_new();
	a = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(plx_close(a), 0);
	b = plx_socket(AF_INET, SOCK_STREAM, 0);
	ok(a != b);
	fails(plx_listen(a, 1), EBADF);
	eq(plx_listen(b, 1), 0);
}

static int bound_to(const char *addr, bool no_port)
{
	int fd = plx_socket(AF_INET, SOCK_STREAM, 0), one = no_port;

	eq(plx_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)), 0);
	return st_bind(fd, addr, 0) == 0 ? fd : -1;
}

/* One port serves for several peers, if it is chosen when the peer is known. */
T(ports_are_shared_among_peers)
{
	int fd, other;

	st_new();
	nt_tun(PLX_TUN_IP_LOCAL_PORT_LO, 40000);
	nt_tun(PLX_TUN_IP_LOCAL_PORT_HI, 40003);
	for (uint16_t peer = 80; peer < 83; peer++) {
		for (int i = 0; i < 4; i++) {
			fd = bound_to("10.0.0.2", true);
			fails(st_connect(fd, "10.0.0.1", peer), EINPROGRESS);
		}
		fails(st_connect(bound_to("10.0.0.2", true), "10.0.0.1", peer), EADDRNOTAVAIL);
	}
	nt_run();
	nt_forget();
	other = bound_to("10.0.0.2", false);
	ok(other >= 0);
	eq(plx_close(other), 0);
}

RUN_EAL(ST_(a_connection), ST_(v6), ST_(nobody_listens), ST_(a_stream_that_is_longer_than_buffers),
	ST_(half_closed), ST_(a_look_ahead_leaves_the_urgent_byte_out),
	ST_(urgent_text_that_is_taken_in_part), ST_(a_reset),
	ST_(a_listener_closes_with_some_waiting), ST_(what_is_no_socket),
	ST_(numbers_are_not_used_again_at_once), ST_(ports_are_shared_among_peers))
