/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP's text: flags of send() and recv(), urgent bytes, how much waits. */
#define ROWS "stream"
#include "kit.h"

#include <linux/sockios.h>

static int c, s; /* one row at a time */

static void pair(void)
{
	tcp_pair(&c, &s);
}

static void pair_with(const char *text)
{
	pair();
	put(c, text);
	await(s, POLLIN);
}

ROW(recv_part, "recv(): part by part")
{
	pair_with("abcdef");
	get(s, 2);
	get(s, 3);
	get(s, 10);
	get(s, 10);
}

ROW(peek, "MSG_PEEK: leaves it there")
{
	pair_with("abcdef");
	get_flags(s, 3, MSG_PEEK);
	get_flags(s, 10, MSG_PEEK);
	get(s, 10);
	get_flags(s, 10, MSG_PEEK);
}

ROW(peek_fin, "MSG_PEEK: at the end")
{
	pair();
	S(shutdown)(c, SHUT_WR);
	await(s, POLLIN);
	get_flags(s, 3, MSG_PEEK);
	get(s, 3);
}

ROW(peek_off, "SO_PEEK_OFF: goes on where the last one ended")
{
	pair_with("abcdef");
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 1));
	get_flags(s, 2, MSG_PEEK);
	get_flags(s, 2, MSG_PEEK);
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	get(s, 2);
	get_flags(s, 10, MSG_PEEK);
}

ROW(peek_off_beyond, "SO_PEEK_OFF: beyond what there is; MSG_TRUNC; switched off")
{
	pair_with("abcdef");
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 7));
	get_flags(s, 2, MSG_PEEK);
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 4));
	num(S(recv)(s, NULL, 10, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	get(s, 10);
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	put(c, "gh");
	await(s, POLLIN);
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, -1));
	get_flags(s, 10, MSG_PEEK);
	get_flags(s, 10, MSG_PEEK);
}

ROW(msg_trunc, "MSG_TRUNC: throws text away")
{
	pair_with("abcdef");
	num(S(recv)(s, NULL, 4, MSG_TRUNC | MSG_DONTWAIT));
	get(s, 10);
}

ROW(peek_trunc, "MSG_PEEK | MSG_TRUNC: counts at most what was asked for")
{
	pair_with("abcdef");
	num(S(recv)(s, NULL, 4, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
	get(s, 10);
}

ROW(dontwait, "MSG_DONTWAIT: nothing there")
{
	pair();
	get(s, 10);
}

ROW(peek_off_waitall, "SO_PEEK_OFF, MSG_WAITALL: until a timeout")
{
	struct timeval tv = {.tv_usec = 50000};
	char buf[16] = "";

	pair_with("abcdef");
	must(S(setsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	num(S(recv)(s, buf, 10, MSG_PEEK | MSG_WAITALL));
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 4));
	num(S(recv)(s, buf, 10, MSG_PEEK | MSG_WAITALL));
	say("'%.2s'", buf);
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	num(S(recv)(s, buf, 10, MSG_PEEK));
	num(S(recv)(s, buf, 10, MSG_WAITALL));
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
}

static void put_later(void *arg)
{
	put(c, arg);
}

ROW(waitall, "MSG_WAITALL: until it is all there")
{
	char buf[16] = "";

	pair_with("abc");
	later(30, put_later, (char[]){"def"});
	num(S(recv)(s, buf, 6, MSG_WAITALL));
	say("'%s'", buf);
	nap_ms(40);
}

static void fin_later(void *arg)
{
	S(shutdown)(c, SHUT_WR);
}

ROW(waitall_fin, "MSG_WAITALL: until the end")
{
	char buf[16] = "";

	pair_with("abc");
	later(30, fin_later, NULL);
	num(S(recv)(s, buf, 6, MSG_WAITALL));
	num(S(recv)(s, buf, 6, MSG_WAITALL));
}

ROW(waitall_dontwait, "MSG_WAITALL | MSG_DONTWAIT")
{
	pair_with("abc");
	get_flags(s, 6, MSG_WAITALL);
	get_flags(s, 6, MSG_WAITALL);
}

ROW(waitall_peek, "MSG_WAITALL | MSG_PEEK")
{
	char buf[16] = "";

	pair_with("abc");
	later(30, put_later, (char[]){"def"});
	num(S(recv)(s, buf, 6, MSG_WAITALL | MSG_PEEK));
	get(s, 10);
}

ROW(recv_without_waitall, "recv(): blocking, gives what is there")
{
	char buf[16] = "";

	pair_with("abc");
	num(S(recv)(s, buf, 6, 0));
}

ROW(recv_flags, "recv(): flags that it does not know")
{
	pair_with("abc");
	get_flags(s, 1, 0x1000000);
	get_flags(s, 1, MSG_NOSIGNAL);
	get_flags(s, 1, MSG_CONFIRM);
}

ROW(send_flags, "send(): flags that it does not know")
{
	pair();
	num(S(send)(c, "a", 1, 0x1000000));
	num(S(send)(c, "b", 1, MSG_CONFIRM));
	num(S(send)(c, "c", 1, MSG_DONTROUTE));
	num(S(send)(c, "d", 1, MSG_EOR));
	num(S(send)(c, "e", 1, MSG_PEEK));
	settle();
	get(s, 10);
}

ROW(more, "MSG_MORE: holds back until the next")
{
	pair();
	num(S(send)(c, "abc", 3, MSG_MORE));
	settle();
	see(s);
	num(S(send)(c, "def", 3, 0));
	await(s, POLLIN);
	get(s, 10);
}

ROW(more_time, "MSG_MORE: holds back for 200 ms at most")
{
	pair();
	num(S(send)(c, "abc", 3, MSG_MORE));
	await(s, POLLIN);
	get(s, 10);
}

ROW(cork, "TCP_CORK: holds back until it is cleared")
{
	pair();
	must(set_int(c, IPPROTO_TCP, TCP_CORK, 1));
	put(c, "abc");
	settle();
	see(s);
	put(c, "def");
	must(set_int(c, IPPROTO_TCP, TCP_CORK, 0));
	await(s, POLLIN);
	get(s, 10);
}

ROW(cork_nodelay, "TCP_CORK: TCP_NODELAY sends what is held back")
{
	pair();
	must(set_int(c, IPPROTO_TCP, TCP_CORK, 1));
	put(c, "abc");
	settle();
	see(s);
	must(set_int(c, IPPROTO_TCP, TCP_NODELAY, 1));
	await(s, POLLIN);
	get(s, 10);
}

ROW(cork_fin, "TCP_CORK: shutdown() sends what is held back")
{
	pair();
	must(set_int(c, IPPROTO_TCP, TCP_CORK, 1));
	put(c, "abc");
	S(shutdown)(c, SHUT_WR);
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

ROW(cork_close, "TCP_CORK: close() sends what is held back")
{
	pair();
	must(set_int(c, IPPROTO_TCP, TCP_CORK, 1));
	put(c, "abc");
	drop(c);
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

/* ---- urgent ---- */

static void pair_urgent(const char *before, const char *last)
{
	pair();
	if (*before)
		put(c, before);
	must(S(send)(c, last, strlen(last), MSG_OOB));
	await(s, POLLPRI);
}

ROW(oob, "MSG_OOB: one byte, out of line")
{
	pair_urgent("abc", "!");
	get_flags(s, 1, MSG_OOB);
	get_flags(s, 1, MSG_OOB);
	get(s, 10);
}

ROW(oob_last, "MSG_OOB: of some bytes the last one is urgent")
{
	pair_urgent("", "xyz");
	get(s, 10);
	get_flags(s, 10, MSG_OOB);
}

ROW(oob_none, "MSG_OOB: none there, never was, inline")
{
	pair_with("abc");
	get_flags(s, 1, MSG_OOB);
	must(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1));
	get_flags(s, 1, MSG_OOB);
	num(S(recv)(tcp(), (char[1]){0}, 1, MSG_OOB));
}

ROW(oob_stops, "recv() stops before the urgent byte, and steps over it")
{
	pair_urgent("abc", "!");
	put(c, "def");
	settle();
	get(s, 10);
	get(s, 10);
	get_flags(s, 1, MSG_OOB);
}

ROW(oob_ahead, "MSG_PEEK at the mark: what is behind the urgent byte")
{
	pair_urgent("abc", "!");
	put(c, "def");
	settle();
	get(s, 10);
	get_flags(s, 10, MSG_PEEK);
	get(s, 10);
}

ROW(oob_peek_off, "SO_PEEK_OFF: up to the urgent byte, over it, to the end; read")
{
	pair_urgent("ab", "!");
	put(c, "cdef");
	settle();
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 0));
	for (int i = 0; i < 4; i++)
		get_flags(s, 10, MSG_PEEK);
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	for (int i = 0; i < 2; i++) {
		get(s, 10);
		say_int(s, SOL_SOCKET, SO_PEEK_OFF);
	}
}

ROW(oob_peek_off_at, "SO_PEEK_OFF: beginning at the urgent byte, and behind it; the same inline")
{
	pair_urgent("ab", "!");
	put(c, "cdef");
	settle();
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			num(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1));
		must(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 2 + i % 3));
		get_flags(s, 10, MSG_PEEK);
	}
}

ROW(oob_peek_off_alone, "SO_PEEK_OFF: nothing but the urgent byte, then more")
{
	pair_urgent("ab", "!");
	num(set_int(s, SOL_SOCKET, SO_PEEK_OFF, 0));
	get_flags(s, 10, MSG_PEEK);
	get_flags(s, 10, MSG_PEEK);
	put(c, "cd");
	settle();
	get_flags(s, 10, MSG_PEEK);
	say_int(s, SOL_SOCKET, SO_PEEK_OFF);
}

ROW(oob_waitall, "MSG_WAITALL: waits for nothing behind the urgent byte")
{
	char buf[16];

	pair_urgent("ab", "!");
	put(c, "cdef");
	settle();
	num(S(recv)(s, buf, 10, MSG_WAITALL | MSG_PEEK));
	num(S(recv)(s, buf, 10, MSG_WAITALL));
	num(S(recv)(s, buf, 4, MSG_WAITALL | MSG_PEEK));
	num(S(recv)(s, buf, 4, MSG_WAITALL));
}

ROW(oob_inline, "SO_OOBINLINE: recv() stops before it, then gives it")
{
	pair();
	must(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1));
	put(c, "abc");
	must(S(send)(c, "!", 1, MSG_OOB));
	put(c, "def");
	await(s, POLLPRI);
	settle();
	get(s, 10);
	get(s, 10);
}

ROW(oob_twice, "MSG_OOB: a second one before the first is read")
{
	pair_urgent("", "!");
	must(S(send)(c, "?", 1, MSG_OOB));
	settle();
	get(s, 10);
	get_flags(s, 1, MSG_OOB);
}

ROW(oob_peek, "MSG_OOB | MSG_PEEK")
{
	pair_urgent("", "!");
	get_flags(s, 1, MSG_OOB | MSG_PEEK);
	get_flags(s, 1, MSG_OOB);
}

static void say_mark(void)
{
	int at_mark = -1;

	must(S(ioctl)(s, SIOCATMARK, &at_mark));
	say("mark:%d", at_mark);
}

ROW(atmark, "SIOCATMARK: before, at and behind it")
{
	pair_urgent("abc", "!");
	put(c, "def");
	settle();
	say_mark();
	get(s, 10);
	say_mark();
	get(s, 10);
	say_mark();
}

ROW(atmark_inline, "SIOCATMARK: with SO_OOBINLINE")
{
	pair();
	must(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1));
	put(c, "abc");
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	settle();
	say_mark();
	get(s, 10);
	say_mark();
	get(s, 10);
	say_mark();
}

ROW(atmark_never, "SIOCATMARK: no urgent byte ever")
{
	pair_with("abc");
	say_mark();
}

ROW(oob_fionread, "FIONREAD: counts up to the urgent byte")
{
	int n = -1;

	pair_urgent("abc", "!");
	put(c, "def");
	settle();
	must(S(ioctl)(s, FIONREAD, &n));
	say("%d", n);
}

ROW(oob_sigurg, "SIGURG: to the owner of the socket")
{
	pair();
	num(S(fcntl)(s, F_SETOWN, getpid()));
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	for (int i = 0; i < 100 && !signals(SIGURG); i++)
		nap_ms(10);
	say("%d", signals(SIGURG));
}

ROW(oob_no_owner, "SIGURG: nobody owns it")
{
	pair_urgent("", "!");
	settle();
	say("%d", signals(SIGURG));
}

/* ---- how much ---- */

ROW(partial_write, "send(): nonblocking takes what fits")
{
	static char block[8 << 20];
	ssize_t n;

	pair();
	n = S(send)(c, block, sizeof(block), MSG_DONTWAIT);
	say("%s", n < 0 ? errno_name(errno) : n < (ssize_t)sizeof(block) ? "some" : "all");
}

static void *drain(void *arg)
{
	static char block[65536];

	while (S(recv)(s, block, sizeof(block), 0) > 0)
		;
	return NULL;
}

ROW(blocking_write, "send(): blocking takes it all")
{
	static char block[8 << 20];
	pthread_t t;

	pair();
	pthread_create(&t, NULL, drain, NULL);
	say("%s", S(send)(c, block, sizeof(block), 0) == sizeof(block) ? "all" : "some");
	S(shutdown)(c, SHUT_WR);
	pthread_join(t, NULL);
}

ROW(small_sndbuf, "SO_SNDBUF: less is taken")
{
	static char block[1 << 20];
	ssize_t n;

	pair();
	must(set_int(c, SOL_SOCKET, SO_SNDBUF, 8192));
	n = S(send)(c, block, sizeof(block), MSG_DONTWAIT);
	say("%s", n < 0 ? errno_name(errno) : n < 200000 ? "little" : "much");
}

ROW(tcp_info, "TCP_INFO: length by length; its state")
{
	static const socklen_t lens[] = {0, 1, 4, 104};
	struct tcp_info info = {0};
	int l;

	l = tcp_pair(&c, &s);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		socklen_t len = lens[i];

		num(S(getsockopt)(c, IPPROTO_TCP, TCP_INFO, &info, &len));
		say("/%d", (int)len);
	}
	say("%d", info.tcpi_state);
	must(S(getsockopt)(l, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof(info)}));
	say("%d", info.tcpi_state);
	S(shutdown)(c, SHUT_WR);
	await(s, POLLIN);
	must(S(getsockopt)(s, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof(info)}));
	say("%d", info.tcpi_state);
}

ROW(congestion, "TCP_CONGESTION: get, set, unknown")
{
	char name[32] = "";
	socklen_t len = sizeof(name);
	int t = tcp();

	num(S(getsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s %d", *name ? "some" : "none", (int)len);
	num(S(setsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	memset(name, 0, sizeof(name));
	len = sizeof(name);
	num(S(getsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("'%s'", name);
	len = 3;
	num(S(getsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	num(S(setsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8));
	num(S(setsockopt)(t, IPPROTO_TCP, TCP_CONGESTION, "", 0));
}

ROW(defer_accept, "TCP_DEFER_ACCEPT: accepted when text comes")
{
	int l = listener_at(A1), t = tcp();

	must(set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1));
	must(connect_at(t, A1, port_of(l)));
	settle();
	see(l);
	put(t, "abc");
	await(l, POLLIN);
	see(l);
}

ROW(maxseg_connected, "TCP_MAXSEG: what was set before connect() holds")
{
	int l = listener_at(A1), t = tcp();

	must(set_int(t, IPPROTO_TCP, TCP_MAXSEG, 500));
	must(connect_at(t, A1, port_of(l)));
	say("%d", get_int(t, IPPROTO_TCP, TCP_MAXSEG) <= 500);
	num(set_int(t, IPPROTO_TCP, TCP_MAXSEG, 600));
}

ROW(sendto_connected, "sendto(): an address on a connected TCP socket does not matter")
{
	pair();
	num(send_at(c, "abc", A2, 7));
	await(s, POLLIN);
	get(s, 10);
}

ROW(sendto_fresh, "sendto(): TCP that is not connected")
{
	num(send_at(tcp(), "abc", A1, 7));
}

ROW(fastopen, "MSG_FASTOPEN: connect and send")
{
	struct at a;
	int l = listener_at(A1), t = tcp();

	a = at(A1, port_of(l));
	num(S(sendto)(t, "abc", 3, MSG_FASTOPEN, &a.sa, a.len));
}

ROW(sendmsg_tcp_name, "recvmsg(): TCP gives no name")
{
	char buf[8];
	struct sockaddr_in from;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_flags = 0x55};

	pair_with("abc");
	num(S(recvmsg)(s, &m, 0));
	say("%d %x", (int)m.msg_namelen, m.msg_flags);
}
