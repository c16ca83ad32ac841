/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls themselves, and arguments that they don't take. */
#define ROWS "calls"
#include "kit.h"

ROW(socket_inet, "socket(): TCP, UDP by type; by protocol")
{
	new_fd(S(socket)(AF_INET, SOCK_STREAM, 0));
	new_fd(S(socket)(AF_INET, SOCK_DGRAM, 0));
	new_fd(S(socket)(AF_INET, SOCK_STREAM, IPPROTO_TCP));
	new_fd(S(socket)(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
	new_fd(S(socket)(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
	new_fd(S(socket)(AF_INET6, SOCK_DGRAM, IPPROTO_UDP));
}

ROW(socket_mismatch, "socket(): type and protocol don't fit")
{
	new_fd(S(socket)(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	new_fd(S(socket)(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	new_fd(S(socket)(AF_INET6, SOCK_STREAM, IPPROTO_UDP));
	new_fd(S(socket)(AF_INET, SOCK_SEQPACKET, 0));
	new_fd(S(socket)(AF_INET, 0, 0));
	new_fd(S(socket)(AF_INET, 9, 0));
	new_fd(S(socket)(AF_INET, 11, 0));
	new_fd(S(socket)(AF_INET, -1, 0));
	new_fd(S(socket)(AF_INET, SOCK_STREAM, -1));
	new_fd(S(socket)(AF_INET, SOCK_STREAM, 300));
}

ROW(socket_family, "socket(): families that there are not")
{
	new_fd(S(socket)(0, SOCK_STREAM, 0));
	new_fd(S(socket)(-1, SOCK_STREAM, 0));
	new_fd(S(socket)(1000, SOCK_STREAM, 0));
}

ROW(socket_unix, "socket(): AF_UNIX")
{
	new_fd(S(socket)(AF_UNIX, SOCK_STREAM, 0));
}

ROW(socket_raw, "socket(): SOCK_RAW")
{
	new_fd(S(socket)(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

ROW(socket_icmp, "socket(): ping, SOCK_DGRAM of ICMP, to whom it is not allowed")
{
	new_fd(S(socket)(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

ROW(socket_packet, "socket(): AF_PACKET")
{
	new_fd(S(socket)(AF_PACKET, SOCK_RAW, 0));
}

ROW(socket_netlink, "socket(): AF_NETLINK")
{
	new_fd(S(socket)(AF_NETLINK, SOCK_RAW, 0));
}

ROW(socket_flags, "socket(): SOCK_NONBLOCK, SOCK_CLOEXEC")
{
	int s = new_fd(S(socket)(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	say("%s", S(fcntl)(s, F_GETFL) & O_NONBLOCK ? "nonblock" : "-");
	say("%s", S(fcntl)(s, F_GETFD) & FD_CLOEXEC ? "cloexec" : "-");
	s = new_fd(S(socket)(AF_INET, SOCK_STREAM, 0));
	say("%s", S(fcntl)(s, F_GETFL) & O_NONBLOCK ? "nonblock" : "-");
	say("%s", S(fcntl)(s, F_GETFD) & FD_CLOEXEC ? "cloexec" : "-");
	new_fd(S(socket)(AF_INET, SOCK_STREAM | 0x100, 0));
}

/* A number that was a socket's, and one that never was. */
#define BADF_CALLS(X)                                                                              \
	X(bind, S(bind)(fd, &a.sa, a.len))                                                         \
	X(listen, S(listen)(fd, 1))                                                                \
	X(accept, S(accept)(fd, NULL, NULL))                                                       \
	X(accept4, S(accept4)(fd, NULL, NULL, 0))                                                  \
	X(connect, S(connect)(fd, &a.sa, a.len))                                                   \
	X(shutdown, S(shutdown)(fd, SHUT_RD))                                                      \
	X(close, S(close)(fd))                                                                     \
	X(read, S(read)(fd, buf, 1))                                                               \
	X(readv, S(readv)(fd, &iov, 1))                                                            \
	X(recv, S(recv)(fd, buf, 1, 0))                                                            \
	X(recvfrom, S(recvfrom)(fd, buf, 1, 0, NULL, NULL))                                        \
	X(recvmsg, S(recvmsg)(fd, &msg, 0))                                                        \
	X(write, S(write)(fd, buf, 1))                                                             \
	X(writev, S(writev)(fd, &iov, 1))                                                          \
	X(send, S(send)(fd, buf, 1, 0))                                                            \
	X(sendto, S(sendto)(fd, buf, 1, 0, &a.sa, a.len))                                          \
	X(sendmsg, S(sendmsg)(fd, &msg, 0))                                                        \
	X(getsockopt, S(getsockopt)(fd, SOL_SOCKET, SO_TYPE, buf, &len))                           \
	X(setsockopt, S(setsockopt)(fd, SOL_SOCKET, SO_KEEPALIVE, buf, len))                       \
	X(getsockname, S(getsockname)(fd, &a.sa, &a.len))                                          \
	X(getpeername, S(getpeername)(fd, &a.sa, &a.len))                                          \
	X(fcntl, S(fcntl)(fd, F_GETFL))                                                            \
	X(ioctl, S(ioctl)(fd, FIONREAD, &value))                                                   \
	X(epoll_wait, S(epoll_wait)(fd, &ev, 1, 0))                                                \
	X(epoll_ctl, S(epoll_ctl)(fd, EPOLL_CTL_ADD, fd, &ev))

#define BADF_ROW(call, expr)                                                                       \
	static long try_##call(int fd)                                                             \
	{                                                                                          \
		__attribute__((unused)) struct at a = at(A1, 7);                                   \
		__attribute__((unused)) char buf[8] = {0};                                         \
		__attribute__((unused)) struct iovec iov = {.iov_base = buf, .iov_len = 1};        \
		__attribute__((unused)) struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};    \
		__attribute__((unused)) struct epoll_event ev = {0};                               \
		__attribute__((unused)) socklen_t len = 4;                                         \
		__attribute__((unused)) int value;                                                 \
		return expr;                                                                       \
	}                                                                                          \
	ROW(closed_##call, #call "(): closed; -1; an epoll set's")                                 \
	{                                                                                          \
		int fd = tcp();                                                                    \
		drop(fd);                                                                          \
		num(try_##call(fd));                                                               \
		num(try_##call(-1));                                                               \
		num(try_##call(keep((int)must(S(epoll_create1)(0)))));                             \
	}
BADF_CALLS(BADF_ROW)

ROW(bind_family, "bind(): another family; AF_UNSPEC with and without an address")
{
	struct at a = at(A1, 0), any = at(ANY, 0), six = at(B1, 0);

	a.in.sin_family = AF_UNIX;
	num(S(bind)(tcp(), &a.sa, a.len));
	a.in.sin_family = AF_UNSPEC;
	num(S(bind)(tcp(), &a.sa, a.len));
	any.in.sin_family = AF_UNSPEC;
	num(S(bind)(tcp(), &any.sa, any.len));
	num(S(bind)(tcp(), &six.sa, six.len));
	a.in.sin_family = AF_INET;
	num(S(bind)(tcp6(), &a.sa, a.len));
	num(S(bind)(udp6(), &a.sa, a.len));
}

ROW(bind_length, "bind(): lengths of the address")
{
	static const socklen_t lens[] = {0, 1, 2, 15, 16, 28, 128, 129, (socklen_t)-1};
	struct at a = at(A1, 0);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(bind)(tcp(), &a.sa, lens[i]));
}

ROW(bind6_length, "bind(): lengths of an IPv6 address")
{
	static const socklen_t lens[] = {0, 16, 23, 24, 27, 28, 128, 129};
	struct at a = at(B1, 0);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(bind)(tcp6(), &a.sa, lens[i]));
}

ROW(bind_null, "bind(): no address")
{
	num(S(bind)(tcp(), NULL, sizeof(struct sockaddr_in)));
	num(S(bind)(tcp(), NULL, 0));
}

ROW(connect_length, "connect(): lengths of the address")
{
	static const socklen_t lens[] = {0, 1, 2, 15, 129, (socklen_t)-1};
	struct at a = at(A1, free_port(SOCK_STREAM));

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(connect)(tcp(), &a.sa, lens[i]));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(connect)(udp(), &a.sa, lens[i]));
	num(S(connect)(tcp(), NULL, a.len));
}

ROW(connect_family, "connect(): another family")
{
	struct at a = at(A1, 7), six = at(B1, 7);

	num(S(connect)(tcp(), &six.sa, six.len));
	num(S(connect)(udp(), &six.sa, six.len));
	a.in.sin_family = AF_UNIX;
	num(S(connect)(tcp(), &a.sa, a.len));
	num(S(connect)(udp(), &a.sa, a.len));
	num(S(connect)(tcp6(), &a.sa, a.len));
}

ROW(connect_nowhere, "connect(): TCP to no route, unreachable, blackhole, broadcast, a group")
{
	static const char *const to[] = {FOREIGN, REFUSED, HOLE, BCAST, GROUP, "255.255.255.255"};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		num(connect_at(tcp(), to[i], 7));
	num(connect_at(tcp6(), GROUP6, 7));
	num(connect_at(tcp6(), "2001:db8::1", 7));
}

ROW(connect_udp_nowhere, "connect(): UDP to the same")
{
	static const char *const to[] = {FOREIGN, REFUSED, HOLE, BCAST, GROUP, "255.255.255.255"};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		num(connect_at(udp(), to[i], 7));
	num(connect_at(udp6(), "2001:db8::1", 7));
}

ROW(connect_any, "connect(): to 0.0.0.0 and :: is to ourselves")
{
	int l = listener_at(ANY), l6 = listener_at(ANY6), c = tcp(), c6 = tcp6();

	num(connect_at(c, ANY, port_of(l)));
	say_peer(c);
	num(connect_at(c6, ANY6, port_of(l6)));
	say_peer(c6);
}

ROW(connect_port_0, "connect(): to port 0")
{
	int u = udp();

	num(connect_at(tcp(), A1, 0));
	num(connect_at(u, A1, 0));
	say_name(u);
	say_peer(u);
	num(S(send)(u, "x", 1, 0));
}

ROW(connect_refused, "connect(): nobody listens, in blocking and in nonblocking mode")
{
	int port = free_port(SOCK_STREAM), s = tcp();

	num(connect_at(tcp(), A1, port));
	nonblock(s);
	num(connect_at(s, A1, port));
	await(s, POLLOUT);
	say_error(s);
}

ROW(connect_after_refused, "connect(): once more, after it was refused")
{
	int s = tcp(), l = listener_at(A1);

	num(connect_at(s, A1, free_port(SOCK_STREAM)));
	num(connect_at(s, A1, port_of(l)));
	see(s);
}

ROW(connect_after_bind_refused, "connect(): the same, of a bound socket")
{
	int s = tcp(), l = listener_at(A1), port;

	must(bind_at(s, A2, 0));
	port = port_of(s);
	num(connect_at(s, A1, free_port(SOCK_STREAM)));
	num(connect_at(s, A1, port_of(l)));
	say("%s", port_of(s) == port ? "same port" : "another port");
	say_name(s);
}

ROW(connect_nonblocking, "connect(): EINPROGRESS, EALREADY or 0, then 0, EISCONN")
{
	int s = tcp(), l = listener_at(A1);

	nonblock(s);
	num(connect_at(s, A1, port_of(l)));
	await(s, POLLOUT);
	num(connect_at(s, A1, port_of(l)));
	num(connect_at(s, A1, port_of(l)));
	say_error(s);
}

ROW(connect_self, "connect(): of a TCP socket to itself")
{
	int s = tcp();

	must(bind_at(s, A1, 0));
	num(connect_at(s, A1, port_of(s)));
	num(S(send)(s, "abc", 3, 0));
	await(s, POLLIN);
	get(s, 10);
	say_peer(s);
}

ROW(connect_same_pair, "connect(): the same two addresses twice")
{
	int l = listener_at(A1), a = tcp(), b = tcp(), port;

	must(set_int(a, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(b, SOL_SOCKET, SO_REUSEADDR, 1));
	must(bind_at(a, A2, 0));
	port = port_of(a);
	num(bind_at(b, A2, port));
	num(connect_at(a, A1, port_of(l)));
	num(connect_at(b, A1, port_of(l)));
}

/* Two sockets bound to one port. */
static void two_of(int type, int domain, const char *ip, int *a, int *b)
{
	*a = made(domain, type);
	*b = made(domain, type);
	must(set_int(*a, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(*b, SOL_SOCKET, SO_REUSEADDR, 1));
	must(bind_at(*a, ip, 0));
	num(bind_at(*b, ip, port_of(*a)));
}

ROW(connect_same_pair_6, "connect(): the same, IPv6; then to another port")
{
	int l = listener_at(B1), m = listener_at(B1), a, b;

	two_of(SOCK_STREAM, AF_INET6, B2, &a, &b);
	num(connect_at(a, B1, port_of(l)));
	num(connect_at(b, B1, port_of(l)));
	num(connect_at(b, B1, port_of(m)));
}

ROW(connect_same_pair_udp, "connect(): the same, UDP")
{
	int a, b;

	two_of(SOCK_DGRAM, AF_INET, A2, &a, &b);
	num(connect_at(a, A1, 7));
	num(connect_at(b, A1, 7));
}

ROW(connect_same_pair_reset, "connect(): the same, when the first was reset")
{
	int l = listener_at(A1), a, b;

	two_of(SOCK_STREAM, AF_INET, A2, &a, &b);
	num(connect_at(a, A1, port_of(l)));
	num(connect_at(b, A1, port_of(l)));
	reset(a);
	settle();
	num(connect_at(b, A1, port_of(l)));
}

/* The first one is in TIME-WAIT. @param l where both connect to */
static void after_time_wait(const char *from, const char *to, int ms)
{
	int l = listener_at(to), a, b, s;

	two_of(SOCK_STREAM, AF_INET, from, &a, &b);
	num(connect_at(a, to, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	drop(a);
	await(s, POLLIN);
	drop(s);
	nap_ms(ms);
	num(connect_at(b, to, port_of(l)));
}

ROW(connect_time_wait, "connect(): the same, when the first is in TIME-WAIT")
{
	after_time_wait(A2, A1, 20);
}

/* Where net.ipv4.tcp_tw_reuse lets it. */
ROW(connect_time_wait_loopback, "connect(): the same over loopback, two seconds later")
{
	after_time_wait(LO, LO, 2100);
}

ROW(connect_listening, "connect(): of a listening socket")
{
	num(connect_at(listener_at(A1), A2, 7));
}

ROW(listen_unbound, "listen(): unbound gets a port")
{
	int s = tcp();

	num(S(listen)(s, 1));
	say_name(s);
	say_int(s, SOL_SOCKET, SO_ACCEPTCONN);
}

ROW(listen_backlogs, "listen(): 0, -1, huge, again")
{
	int s = tcp();

	num(S(listen)(s, 0));
	num(S(listen)(s, -1));
	num(S(listen)(s, 1 << 30));
	num(S(listen)(s, 1));
}

ROW(listen_udp, "listen(), accept(): UDP")
{
	int s = udp();

	num(S(listen)(s, 1));
	num(S(accept)(s, NULL, NULL));
}

ROW(accept_not_listening, "accept(): a socket that does not listen")
{
	int c, s;

	num(S(accept)(tcp(), NULL, NULL));
	tcp_pair(&c, &s);
	num(S(accept)(c, NULL, NULL));
}

ROW(accept_nonblocking, "accept(): nobody there")
{
	int l = listener_at(A1);

	nonblock(l);
	num(S(accept)(l, NULL, NULL));
}

ROW(accept_flags, "accept4(): flags, and those that there are not")
{
	int l = listener_at(A1), s;

	nonblock(l);
	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	num(S(accept4)(l, NULL, NULL, 0x100));
	s = new_fd(S(accept4)(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	say("%s", S(fcntl)(s, F_GETFL) & O_NONBLOCK ? "nonblock" : "-");
	say("%s", S(fcntl)(s, F_GETFD) & FD_CLOEXEC ? "cloexec" : "-");
	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	s = new_fd(S(accept)(l, NULL, NULL));
	say("%s", S(fcntl)(s, F_GETFL) & O_NONBLOCK ? "nonblock" : "-");
}

ROW(accept_aborted, "accept(): of what was reset in the queue")
{
	int l = listener_at(A1), c = tcp(), s;

	must(connect_at(c, A1, port_of(l)));
	await(l, POLLIN);
	reset(c);
	settle();
	see(l);
	nonblock(l);
	s = new_fd(S(accept)(l, NULL, NULL));
	if (s >= 0) {
		see(s);
		get(s, 1);
	}
}

ROW(accept_closed, "accept(): of what has sent text and FIN in the queue")
{
	int l = listener_at(A1), c = tcp(), s;

	must(connect_at(c, A1, port_of(l)));
	put(c, "abc");
	drop(c);
	await(l, POLLIN);
	s = new_fd(S(accept)(l, NULL, NULL));
	await(s, POLLRDHUP);
	get(s, 10);
	get(s, 10);
}

ROW(shutdown_how, "shutdown(): what it does not know")
{
	int c, s;

	tcp_pair(&c, &s);
	num(S(shutdown)(c, -1));
	num(S(shutdown)(c, 3));
	num(S(shutdown)(tcp(), 3));
}

ROW(read_nothing, "read(), recv(): of no bytes, with and without text there")
{
	char buf[4];
	int c, s;

	tcp_pair(&c, &s);
	nonblock(s);
	num(S(read)(s, buf, 0));
	num(S(recv)(s, buf, 0, 0));
	put(c, "abc");
	await(s, POLLIN);
	num(S(read)(s, buf, 0));
	num(S(recv)(s, buf, 0, 0));
	get(s, 4);
}

ROW(write_nothing, "write(), send(): of no bytes")
{
	int c, s;

	tcp_pair(&c, &s);
	num(S(write)(c, "", 0));
	num(S(send)(c, "", 0, 0));
	settle();
	see(s);
}

ROW(udp_write_nothing, "write() sends an empty datagram, read() of 0 bytes leaves what is there")
{
	char buf[4];
	int a, b;

	udp_pair(&a, &b);
	num(S(write)(a, "", 0));
	num(S(send)(a, "abc", 3, 0));
	await(b, POLLIN);
	num(S(read)(b, buf, 0));
	settle();
	get(b, 4);
	get(b, 4);
}

ROW(readv_counts, "readv(), writev(): numbers of pieces")
{
	static struct iovec many[1025];
	volatile int negative = -1;
	char buf[4];
	struct iovec iov[2] = {{buf, 2}, {buf + 2, 2}};
	int c, s;

	tcp_pair(&c, &s);
	nonblock(s);
	num(S(writev)(c, iov, 0));
	num(S(writev)(c, iov, negative));
	num(S(writev)(c, many, 1024));
	num(S(writev)(c, many, 1025));
	num(S(readv)(s, iov, 0));
	num(S(readv)(s, iov, negative));
	num(S(readv)(s, iov, 2));
	iov[1].iov_len = (size_t)-1;
	num(S(writev)(c, iov, 2));
}

ROW(readv_pieces, "writev() of pieces, readv() into pieces")
{
	char a[3] = "", b[3] = "";
	struct iovec out[3] = {{(char[]){"ab"}, 2}, {NULL, 0}, {(char[]){"cd"}, 2}};
	struct iovec in[2] = {{a, 2}, {b, 2}};
	int c, s;

	tcp_pair(&c, &s);
	num(S(writev)(c, out, 3));
	await(s, POLLIN);
	num(S(readv)(s, in, 2));
	say("'%s' '%s'", a, b);
}

ROW(null_buffers, "no memory: send() and recv() of streams, urgent bytes, datagrams, raw packets")
{
	int l = listener_at(A1), c = tcp(), s, a, b, r;
	struct at to = at(A1, 0);

	must(connect_at(c, A1, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	num(S(send)(c, NULL, 4, 0));
	put(c, "abc");
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	num(S(recv)(s, NULL, 1, MSG_OOB));
	num(S(recv)(s, NULL, 3, 0));
	udp_pair(&a, &b);
	num(S(send)(a, NULL, 4, 0));
	put(a, "abc");
	await(b, POLLIN);
	num(S(recv)(b, NULL, 4, 0));
	get(b, 4);
	r = keep((int)must(S(socket)(AF_INET, SOCK_RAW, IPPROTO_ICMP)));
	num(S(sendto)(r, NULL, 8, 0, &to.sa, to.len));
	num(S(recv)(r, NULL, 8, MSG_DONTWAIT));
}

ROW(null_pieces, "no pieces: readv(), writev(), sendmsg(), recvmsg()")
{
	struct msghdr m = {.msg_iovlen = 1};
	int a, b;

	udp_pair(&a, &b);
	num(S(writev)(a, NULL, 1));
	num(S(readv)(b, NULL, 1));
	num(S(sendmsg)(a, &m, MSG_DONTWAIT));
	num(S(recvmsg)(b, &m, MSG_DONTWAIT));
	num(S(writev)(a, NULL, 0));
}

ROW(eventfd_basics, "eventfd(): read, write, limits")
{
	int e = new_fd(S(eventfd)(3, EFD_NONBLOCK));
	uint64_t v = 0;

	see(e);
	num(S(read)(e, &v, 8));
	say("%d", (int)v);
	num(S(read)(e, &v, 8));
	see(e);
	v = 2;
	num(S(write)(e, &v, 8));
	num(S(write)(e, &v, 8));
	num(S(read)(e, &v, 8));
	say("%d", (int)v);
	num(S(read)(e, &v, 4));
	num(S(write)(e, &v, 4));
	v = UINT64_MAX;
	num(S(write)(e, &v, 8));
	v = UINT64_MAX - 1;
	num(S(write)(e, &v, 8));
	see(e);
	v = 1;
	num(S(write)(e, &v, 8));
}

ROW(eventfd_null, "eventfd: no memory; too little of it")
{
	int e = keep((int)must(S(eventfd)(1, EFD_NONBLOCK)));

	num(S(read)(e, NULL, 8));
	num(S(write)(e, NULL, 8));
	num(S(read)(e, NULL, 4));
	num(S(write)(e, NULL, 4));
	num(S(read)(e, NULL, 8));
}

ROW(eventfd_semaphore, "eventfd(): EFD_SEMAPHORE; flags")
{
	int e = new_fd(S(eventfd)(2, EFD_NONBLOCK | EFD_SEMAPHORE));
	uint64_t v = 0;

	for (int i = 0; i < 3; i++) {
		num(S(read)(e, &v, 8));
		say("%d", (int)v);
	}
	new_fd(S(eventfd)(0, 0x100));
}

ROW(eventfd_is_no_socket, "eventfd: calls of sockets")
{
	int e = keep(S(eventfd)(0, EFD_NONBLOCK));
	char buf[8];
	struct at a = at(A1, 0);

	num(S(recv)(e, buf, 8, 0));
	num(S(send)(e, buf, 8, 0));
	num(S(bind)(e, &a.sa, a.len));
	num(S(listen)(e, 1));
	num(S(getsockname)(e, &a.sa, &a.len));
	num(S(shutdown)(e, SHUT_RD));
}

ROW(close_twice, "close(): twice")
{
	int s = tcp();

	num(drop(s));
	num(S(close)(s));
}
