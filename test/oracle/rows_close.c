/* SPDX-License-Identifier: BSD-3-Clause */
/* The end: shutdown(), close(), lingering, RST, SIGPIPE. */
#define ROWS "the end"
#include "kit.h"

static int c, s; /* one row at a time */

static void linger(int fd, int on, int seconds)
{
	struct linger l = {.l_onoff = on, .l_linger = seconds};

	must(S(setsockopt)(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
}

static void say_linger(int fd)
{
	struct linger l = {-1, -1};
	socklen_t len = sizeof(l);

	must(S(getsockopt)(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	say("%d/%d", l.l_onoff, l.l_linger);
}

ROW(linger_values, "SO_LINGER: default, values, lengths")
{
	struct linger l = {.l_onoff = 5, .l_linger = 7};
	int t = tcp();

	say_linger(t);
	num(S(setsockopt)(t, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	say_linger(t);
	l = (struct linger){.l_onoff = 0, .l_linger = 9};
	num(S(setsockopt)(t, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	say_linger(t);
	l = (struct linger){.l_onoff = 1, .l_linger = -1};
	num(S(setsockopt)(t, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	say("%d", get_int(t, SOL_SOCKET, SO_LINGER));
	num(S(setsockopt)(t, SOL_SOCKET, SO_LINGER, &l, 4));
	num(S(setsockopt)(t, SOL_SOCKET, SO_LINGER, &l, 7));
}

ROW(linger_zero, "SO_LINGER of 0: RST, text or not")
{
	tcp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	linger(c, 1, 0);
	num(drop(c));
	await(s, POLLHUP);
	get(s, 10);
	get(s, 10);
	get(s, 10);
}

ROW(linger_some, "SO_LINGER of 2 s: close() waits until all has been taken")
{
	int64_t begin = now_ms();

	tcp_pair(&c, &s);
	put(c, "abc");
	linger(c, 1, 2);
	num(drop(c));
	say("%d", now_ms() - begin < 1500);
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

/* Until the peer takes nothing more. */
static void fill(void)
{
	static char block[65536];
	int quiet = 0;

	must(set_int(s, SOL_SOCKET, SO_RCVBUF, 4096));
	while (quiet < 3)
		if (S(send)(c, block, sizeof(block), MSG_DONTWAIT) < 0) {
			quiet++;
			settle();
		}
}

ROW(linger_runs_out, "SO_LINGER of 1 s: close() gives up after it")
{
	int64_t begin;

	tcp_pair(&c, &s);
	fill();
	linger(c, 1, 1);
	begin = now_ms();
	num(drop(c));
	say("%d", now_ms() - begin >= 900);
}

ROW(linger_nonblocking, "SO_LINGER of 2 s: nonblocking does wait, too")
{
	tcp_pair(&c, &s);
	put(c, "abc");
	linger(c, 1, 2);
	nonblock(c);
	num(drop(c));
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

ROW(close_sends, "close(): what has been written arrives, then the end")
{
	tcp_pair(&c, &s);
	put(c, "abc");
	num(drop(c));
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

ROW(close_unread, "close(): text that nobody has read makes it an RST")
{
	tcp_pair(&c, &s);
	put(s, "abc");
	await(c, POLLIN);
	num(drop(c));
	await(s, POLLHUP);
	get(s, 10);
	get(s, 10);
}

ROW(close_then_text, "close(): text that comes later is answered by RST")
{
	tcp_pair(&c, &s);
	num(drop(c));
	await(s, POLLRDHUP);
	num(S(send)(s, "abc", 3, MSG_NOSIGNAL));
	await(s, POLLHUP);
	num(S(send)(s, "abc", 3, MSG_NOSIGNAL));
	say_error(s);
	get(s, 10);
}

ROW(close_listener, "close() of a listener: who waits in its queue gets RST")
{
	int l = listener_at(A1);

	c = tcp();
	must(connect_at(c, A1, port_of(l)));
	await(l, POLLIN);
	num(drop(l));
	await(c, POLLHUP);
	get(c, 10);
}

ROW(close_listener_accepted, "close() of a listener: who has been accepted lives on")
{
	int l = tcp_pair(&c, &s);

	num(drop(l));
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
}

ROW(close_connecting, "close() while connecting")
{
	int t = tcp();

	nonblock(t);
	num(connect_at(t, NOBODY, 7));
	num(drop(t));
}

ROW(half_closed, "SHUT_WR: the other direction goes on")
{
	tcp_pair(&c, &s);
	num(S(shutdown)(c, SHUT_WR));
	await(s, POLLRDHUP);
	get(s, 10);
	put(s, "abc");
	await(c, POLLIN);
	get(c, 10);
	put(s, "def");
	drop(s);
	await(c, POLLHUP);
	get(c, 10);
	get(c, 10);
	see(c);
}

ROW(shut_wr_text, "SHUT_WR: what has been written arrives, then the end")
{
	tcp_pair(&c, &s);
	put(c, "abc");
	num(S(shutdown)(c, SHUT_WR));
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

ROW(shut_rd_goes_on, "SHUT_RD: recv() gives 0; text that comes is acknowledged, and given")
{
	tcp_pair(&c, &s);
	num(S(shutdown)(s, SHUT_RD));
	get(s, 10);
	put(c, "abc");
	settle();
	get(s, 10);
	get(s, 10);
	put(s, "xyz");
	await(c, POLLIN);
	get(c, 10);
}

ROW(shut_listener, "SHUT_RD of a listener: connect() is refused; it can listen again")
{
	int l = listener_at(A1), port = port_of(l);

	num(S(shutdown)(l, SHUT_RD));
	num(connect_at(tcp(), A1, port));
	num(S(accept)(l, NULL, NULL));
	num(S(listen)(l, 1));
	num(connect_at(tcp(), A1, port));
}

ROW(shut_connecting, "SHUT_RDWR while connecting")
{
	int t = tcp();

	nonblock(t);
	num(connect_at(t, NOBODY, 7));
	num(S(shutdown)(t, SHUT_RDWR));
	see(t);
	say_error(t);
	num(connect_at(t, A1, port_of(listener_at(A1))));
}

static void shut_later(void *arg)
{
	S(shutdown)(*(int *)arg, SHUT_RDWR);
}

ROW(shut_wakes_recv, "shutdown() wakes who waits in recv()")
{
	char buf[4];

	tcp_pair(&c, &s);
	later(30, shut_later, &s);
	num(S(recv)(s, buf, 4, 0));
}

ROW(shut_wakes_accept, "shutdown() wakes who waits in accept()")
{
	static int l;

	l = listener_at(A1);
	later(30, shut_later, &l);
	num(S(accept)(l, NULL, NULL));
}

ROW(shut_wakes_udp, "shutdown() wakes who waits in recv(): UDP")
{
	char buf[4];

	udp_pair(&c, &s);
	later(30, shut_later, &s);
	num(S(recv)(s, buf, 4, 0));
}

static void close_later(void *arg)
{
	drop(*(int *)arg);
}

ROW(close_wakes_recv, "close() while another thread waits in recv()")
{
	char buf[4];
	struct timeval tv = {.tv_usec = 300000};

	tcp_pair(&c, &s);
	must(S(setsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	later(30, close_later, &s);
	num(S(recv)(s, buf, 4, 0));
}

ROW(close_wakes_poll, "close() while another thread waits in poll()")
{
	struct pollfd p;

	tcp_pair(&c, &s);
	p = (struct pollfd){.fd = s, .events = POLLIN};
	later(30, close_later, &s);
	num(S(poll)(&p, 1, 300));
	say("%s", events_text((unsigned short)p.revents));
}

ROW(reset_wakes_recv, "RST wakes who waits in recv()")
{
	char buf[4];

	tcp_pair(&c, &s);
	linger(c, 1, 0);
	later(30, close_later, &c);
	num(S(recv)(s, buf, 4, 0));
	num(S(recv)(s, buf, 4, 0));
}

ROW(reset_wakes_send, "RST wakes who waits in send()")
{
	static char block[8 << 20];
	ssize_t n;

	tcp_pair(&c, &s);
	linger(s, 1, 0);
	later(50, close_later, &s);
	n = S(send)(c, block, sizeof(block), MSG_NOSIGNAL);
	say("%s", n < 0 ? errno_name(errno) : n < (ssize_t)sizeof(block) ? "some" : "all");
	num(S(send)(c, block, 1, MSG_NOSIGNAL));
	num(S(send)(c, block, 1, MSG_NOSIGNAL));
}

ROW(sigpipe, "SIGPIPE: send() and write() raise it, MSG_NOSIGNAL does not")
{
	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	num(S(send)(c, "a", 1, MSG_NOSIGNAL));
	say("%d", signals(SIGPIPE));
	num(S(send)(c, "a", 1, 0));
	say("%d", signals(SIGPIPE));
	num(S(write)(c, "a", 1));
	say("%d", signals(SIGPIPE));
}

ROW(sigpipe_fresh, "SIGPIPE: a socket that is not connected")
{
	num(S(send)(tcp(), "a", 1, 0));
	say("%d", signals(SIGPIPE));
}

ROW(sigpipe_reset, "SIGPIPE: not with ECONNRESET, but with EPIPE after it")
{
	tcp_pair(&c, &s);
	reset(s);
	await(c, POLLHUP);
	num(S(send)(c, "a", 1, 0));
	say("%d", signals(SIGPIPE));
	num(S(send)(c, "a", 1, 0));
	say("%d", signals(SIGPIPE));
}

ROW(sigpipe_udp, "SIGPIPE: UDP after SHUT_WR")
{
	udp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	num(S(send)(c, "a", 1, 0));
	say("%d", signals(SIGPIPE));
}

ROW(disconnect_tcp, "connect() to AF_UNSPEC: the peer gets RST; it can be connected again")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int l = tcp_pair(&c, &s);

	num(S(connect)(c, &nowhere, sizeof(nowhere)));
	await(s, POLLHUP);
	get(s, 1);
	say_error(c);
	num(connect_at(c, A1, port_of(l)));
}

ROW(disconnect_listener, "connect() to AF_UNSPEC: a listener listens no more")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int l = listener_at(A1), port = port_of(l);

	num(S(connect)(l, &nowhere, sizeof(nowhere)));
	num(connect_at(tcp(), A1, port));
	say_int(l, SOL_SOCKET, SO_ACCEPTCONN);
	num(S(listen)(l, 1));
}

ROW(disconnect_fresh, "connect() to AF_UNSPEC: a new socket; too short an address")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	num(S(connect)(tcp(), &nowhere, sizeof(nowhere)));
	num(S(connect)(udp(), &nowhere, sizeof(nowhere)));
	num(S(connect)(tcp(), &nowhere, sizeof(nowhere.sa_family)));
	num(S(connect)(udp(), &nowhere, sizeof(nowhere.sa_family)));
}

ROW(simultaneous_close, "both close at the same time")
{
	tcp_pair(&c, &s);
	num(drop(c));
	num(drop(s));
}

ROW(number_again, "a number that was closed is given out again")
{
	int first = tcp(), second;

	drop(first);
	second = tcp();
	say("%s", first == second ? "the same" : "another");
}
