/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP: datagrams, their borders, errors that come back, broadcast. */
#define ROWS "datagrams"
#include "kit.h"

static int a, b; /* one row at a time */

static int bound(const char *ip)
{
	int u = made(strchr(ip, ':') ? AF_INET6 : AF_INET, SOCK_DGRAM);

	must(bind_at(u, ip, 0));
	return u;
}

static void say_from(int u)
{
	struct at from = {.len = sizeof(from.ss)};
	char buf[64];
	ssize_t n = S(recvfrom)(u, buf, sizeof(buf), MSG_DONTWAIT, &from.sa, &from.len);

	say_data(buf, n);
	if (n >= 0)
		say_addr(&from.sa, from.len);
}

ROW(from, "recvfrom(): who sent it; unbound senders have a port")
{
	a = bound(A1);
	b = bound(A2);
	num(send_at(b, "abc", A1, port_of(a)));
	await(a, POLLIN);
	say_from(a);
	num(send_at(udp(), "xyz", A1, port_of(a)));
	await(a, POLLIN);
	say_from(a);
	say_from(a);
}

ROW(borders, "each recv() takes one datagram, and the rest of it is lost")
{
	udp_pair(&a, &b);
	put(a, "abcdef");
	put(a, "xyz");
	await(b, POLLIN);
	get(b, 2);
	await(b, POLLIN);
	get(b, 10);
	get(b, 10);
}

ROW(truncated, "MSG_TRUNC in recvmsg()'s flags; asked for: the whole length")
{
	char buf[2];
	struct iovec iov = {buf, 2};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	udp_pair(&a, &b);
	put(a, "abcdef");
	put(a, "uvwxyz");
	await(b, POLLIN);
	num(S(recvmsg)(b, &m, MSG_DONTWAIT));
	say("%s", m.msg_flags & MSG_TRUNC ? "trunc" : "-");
	await(b, POLLIN);
	num(S(recv)(b, buf, 2, MSG_DONTWAIT | MSG_TRUNC));
}

ROW(udp_peek, "MSG_PEEK: leaves it there")
{
	udp_pair(&a, &b);
	put(a, "abcdef");
	await(b, POLLIN);
	get_flags(b, 2, MSG_PEEK);
	get_flags(b, 2, MSG_PEEK | MSG_TRUNC);
	get(b, 10);
	get_flags(b, 10, MSG_PEEK);
}

ROW(udp_peek_off, "SO_PEEK_OFF")
{
	udp_pair(&a, &b);
	put(a, "abcdef");
	await(b, POLLIN);
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, 1));
	get_flags(b, 2, MSG_PEEK);
	get_flags(b, 2, MSG_PEEK);
	get(b, 10);
}

ROW(udp_peek_off_more, "SO_PEEK_OFF: from datagram to datagram; MSG_TRUNC; to the end")
{
	udp_pair(&a, &b);
	put(a, "abc");
	put(a, "defg");
	await(b, POLLIN);
	settle();
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, 0));
	get_flags(b, 2, MSG_PEEK);
	get_flags(b, 2, MSG_PEEK);
	get_flags(b, 3, MSG_PEEK);
	say_int(b, SOL_SOCKET, SO_PEEK_OFF);
	get_flags(b, 1, MSG_PEEK | MSG_TRUNC);
	get_flags(b, 2, MSG_PEEK);
	get(b, 10);
	say_int(b, SOL_SOCKET, SO_PEEK_OFF);
	get_flags(b, 10, MSG_PEEK);
}

static void put_empty(int u)
{
	must(S(send)(u, NULL, 0, MSG_NOSIGNAL));
}

ROW(udp_peek_off_empty, "SO_PEEK_OFF: empty datagrams, each is seen once")
{
	udp_pair(&a, &b);
	put_empty(a);
	put(a, "ab");
	put_empty(a);
	put_empty(a);
	put(a, "cd");
	await(b, POLLIN);
	settle();
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, 0));
	for (int i = 0; i < 6; i++)
		get_flags(b, 10, MSG_PEEK);
	for (int i = 0; i < 6; i++)
		get(b, 10);
}

ROW(udp_peek_off_over, "SO_PEEK_OFF: over an empty datagram; one seen without it; back at 0")
{
	udp_pair(&a, &b);
	put_empty(a);
	put(a, "ab");
	put_empty(a);
	put(a, "cd");
	await(b, POLLIN);
	settle();
	get_flags(b, 10, MSG_PEEK);
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, 3));
	get_flags(b, 10, MSG_PEEK);
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, 0));
	for (int i = 0; i < 4; i++)
		get_flags(b, 10, MSG_PEEK);
	num(set_int(b, SOL_SOCKET, SO_PEEK_OFF, -1));
	get_flags(b, 10, MSG_PEEK);
}

ROW(udp_waitall, "MSG_WAITALL does not wait for more")
{
	char buf[10];

	udp_pair(&a, &b);
	put(a, "abc");
	await(b, POLLIN);
	num(S(recv)(b, buf, 10, MSG_WAITALL));
}

ROW(udp_oob, "MSG_OOB")
{
	udp_pair(&a, &b);
	num(S(send)(a, "abc", 3, MSG_OOB));
	get_flags(b, 10, MSG_OOB);
}

ROW(zero_length, "an empty datagram between two others")
{
	udp_pair(&a, &b);
	put(a, "abc");
	num(S(send)(a, NULL, 0, 0));
	put(a, "xyz");
	settle();
	get(b, 10);
	get(b, 10);
	get(b, 10);
	get(b, 10);
}

ROW(largest, "the longest datagram, one byte more")
{
	static char block[65535], in[65535];

	udp_pair(&a, &b);
	num(S(send)(a, block, 65507, 0));
	num(S(send)(a, block, 65508, 0));
	num(S(send)(a, block, 65535, 0));
	await(b, POLLIN);
	num(S(recv)(b, in, sizeof(in), MSG_DONTWAIT));
}

ROW(largest6, "the longest datagram over IPv6, one byte more")
{
	static char block[65535];
	int s = udp6();

	must(connect_at(s, B1, port_of(bound(B1))));
	num(S(send)(s, block, 65527, 0));
	num(S(send)(s, block, 65528, 0));
}

ROW(order, "they arrive in the order in which they left")
{
	udp_pair(&a, &b);
	for (int i = 0; i < 5; i++)
		put(a, (char[]){(char)('a' + i), '\0'});
	settle();
	for (int i = 0; i < 5; i++)
		get(b, 10);
}

ROW(overflow, "what does not fit into SO_RCVBUF is lost")
{
	static char block[1000];
	int n = 0;

	udp_pair(&a, &b);
	must(set_int(b, SOL_SOCKET, SO_RCVBUF, 10000));
	for (int i = 0; i < 200; i++)
		must(S(send)(a, block, sizeof(block), 0));
	settle();
	while (S(recv)(b, block, sizeof(block), MSG_DONTWAIT) > 0)
		n++;
	say("%s", n == 0 ? "none" : n < 100 ? "some" : "all");
}

ROW(udp_send_flags, "send(): flags")
{
	udp_pair(&a, &b);
	num(S(send)(a, "a", 1, MSG_CONFIRM));
	num(S(send)(a, "b", 1, MSG_DONTROUTE));
	num(S(send)(a, "c", 1, MSG_EOR));
	num(S(send)(a, "d", 1, MSG_NOSIGNAL));
	settle();
	get(b, 10);
	get(b, 10);
	get(b, 10);
	get(b, 10);
}

ROW(udp_more, "MSG_MORE: pieces become one datagram")
{
	udp_pair(&a, &b);
	num(S(send)(a, "abc", 3, MSG_MORE));
	settle();
	see(b);
	num(S(send)(a, "def", 3, 0));
	await(b, POLLIN);
	get(b, 10);
}

ROW(udp_cork, "UDP_CORK: pieces become one datagram")
{
	udp_pair(&a, &b);
	num(set_int(a, IPPROTO_UDP, UDP_CORK, 1));
	put(a, "abc");
	put(a, "def");
	settle();
	see(b);
	num(set_int(a, IPPROTO_UDP, UDP_CORK, 0));
	await(b, POLLIN);
	get(b, 10);
}

/* ---- connected or not ---- */

ROW(connected_filters, "connected: others' datagrams don't arrive")
{
	int other = bound(A2);

	udp_pair(&a, &b);
	num(send_at(other, "abc", A1, port_of(a)));
	settle();
	get(a, 10);
}

ROW(connected_sendto, "connected: sendto() elsewhere")
{
	int other = bound(A2);

	udp_pair(&a, &b);
	num(send_at(a, "abc", A2, port_of(other)));
	await(other, POLLIN);
	get(other, 10);
	get(b, 10);
}

ROW(queued_before_connect, "what came before connect() stays")
{
	int other = bound(A2);

	a = bound(A1);
	must(send_at(other, "abc", A1, port_of(a)));
	await(a, POLLIN);
	must(connect_at(a, A2, free_port(SOCK_DGRAM)));
	get(a, 10);
}

ROW(reconnect, "connect() again: to another")
{
	int other = bound(A2);

	udp_pair(&a, &b);
	num(connect_at(a, A2, port_of(other)));
	num(send_at(other, "abc", A1, port_of(a)));
	num(S(send)(b, "xyz", 3, 0));
	await(a, POLLIN);
	settle();
	get(a, 10);
	get(a, 10);
}

ROW(disconnect, "connect() to AF_UNSPEC: everybody's arrive again, send() does not know where to")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int other = bound(A2);

	udp_pair(&a, &b);
	num(S(connect)(a, &nowhere, sizeof(nowhere)));
	say_peer(a);
	num(S(send)(a, "abc", 3, 0));
	num(send_at(other, "abc", A1, port_of(a)));
	await(a, POLLIN);
	get(a, 10);
}

ROW(sendto_port_0, "sendto(): port 0")
{
	num(send_at(udp(), "abc", A1, 0));
}

ROW(sendto_length, "sendto(): lengths of the address")
{
	static const socklen_t lens[] = {0, 1, 2, 15, 129};
	struct at to = at(A1, 7);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(sendto)(udp(), "abc", 3, 0, &to.sa, lens[i]));
	num(S(sendto)(udp(), "abc", 3, 0, NULL, to.len));
}

ROW(sendto_family, "sendto(): families")
{
	struct at to = at(A1, 7), six = at(B1, 7);

	num(S(sendto)(udp(), "abc", 3, 0, &six.sa, six.len));
	to.in.sin_family = AF_UNSPEC;
	num(S(sendto)(udp(), "abc", 3, 0, &to.sa, to.len));
	to.in.sin_family = AF_UNIX;
	num(S(sendto)(udp(), "abc", 3, 0, &to.sa, to.len));
	to.in.sin_family = AF_INET;
	num(S(sendto)(udp6(), "abc", 3, 0, &to.sa, to.len));
}

ROW(sendto_nowhere, "sendto(): no route, unreachable, blackhole")
{
	num(send_at(udp(), "abc", FOREIGN, 7));
	num(send_at(udp(), "abc", REFUSED, 7));
	num(send_at(udp(), "abc", HOLE, 7));
	num(send_at(udp6(), "abc", "2001:db8::1", 7));
}

ROW(sendto_silence, "sendto(): a neighbour that is not there")
{
	num(send_at(udp(), "abc", NOBODY, 7));
}

ROW(sendto_any, "sendto(): 0.0.0.0 is ourselves")
{
	a = bound(ANY);
	num(send_at(udp(), "abc", ANY, port_of(a)));
	await(a, POLLIN);
	say_from(a);
}

ROW(sendto_self, "sendto(): to the socket itself")
{
	a = bound(A1);
	num(send_at(a, "abc", A1, port_of(a)));
	await(a, POLLIN);
	say_from(a);
}

/* ---- ICMP errors ---- */

static int refused(void)
{
	int s = udp();

	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	put(s, "abc");
	await(s, POLLERR);
	return s;
}

ROW(error_once, "port unreachable: the next call gives it, once")
{
	int s = refused();

	get(s, 10);
	get(s, 10);
	num(S(send)(s, "abc", 3, 0));
}

ROW(error_send, "port unreachable: send() gives it")
{
	num(S(send)(refused(), "abc", 3, 0));
}

ROW(error_so_error, "port unreachable: SO_ERROR takes it")
{
	int s = refused();

	say_error(s);
	get(s, 10);
}

ROW(error_sendto, "port unreachable: sendto() elsewhere gives it, too")
{
	num(send_at(refused(), "abc", A1, port_of(bound(A1))));
}

ROW(error_connect, "port unreachable: connect() does not care")
{
	int s = refused();

	num(connect_at(s, A1, port_of(bound(A1))));
	say_error(s);
}

ROW(error_blocks, "port unreachable: wakes who waits in recv()")
{
	char buf[4];
	int s = udp();

	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	put(s, "abc");
	num(S(recv)(s, buf, 4, 0));
}

ROW(error_unconnected, "port unreachable: an unconnected socket does not hear of it")
{
	int s = udp();

	must(send_at(s, "abc", A1, free_port(SOCK_DGRAM)));
	settle();
	say_error(s);
	get(s, 10);
}

ROW(error_unconnected_recverr, "port unreachable: it does with IP_RECVERR")
{
	int s = udp();

	must(set_int(s, IPPROTO_IP, IP_RECVERR, 1));
	must(send_at(s, "abc", A1, free_port(SOCK_DGRAM)));
	await(s, POLLERR);
	get(s, 10);
	get(s, 10);
}

ROW(error_and_text, "port unreachable: comes before datagrams that are there")
{
	udp_pair(&a, &b);
	put(b, "xyz");
	await(a, POLLIN);
	must(connect_at(a, A2, free_port(SOCK_DGRAM)));
	put(a, "abc");
	await(a, POLLERR);
	get(a, 10);
	get(a, 10);
}

ROW(error6, "port unreachable over IPv6")
{
	int s = udp6();

	must(connect_at(s, B1, 9)); /* nobody here */
	put(s, "abc");
	await(s, POLLERR);
	get(s, 10);
}

/* ---- broadcast ---- */

ROW(broadcast_permission, "SO_BROADCAST: without, with")
{
	int s = udp();

	num(send_at(s, "abc", BCAST, 7));
	num(connect_at(s, BCAST, 7));
	num(send_at(s, "abc", "255.255.255.255", 7));
	must(set_int(s, SOL_SOCKET, SO_BROADCAST, 1));
	num(send_at(s, "abc", BCAST, 7));
	num(connect_at(s, BCAST, 7));
}

ROW(broadcast_received, "broadcast: those bound to any get it, and to its address; not to ours")
{
	int any = udp(), to = udp(), ours = udp(), s = udp(), port;

	must(set_int(any, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(to, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(ours, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(s, SOL_SOCKET, SO_BROADCAST, 1));
	must(bind_at(any, ANY, 0));
	port = port_of(any);
	must(bind_at(to, BCAST, port));
	must(bind_at(ours, A1, port));
	must(send_at(s, "abc", BCAST, port));
	await(any, POLLIN);
	settle();
	get(any, 10);
	get(to, 10);
	get(ours, 10);
}

ROW(udp_shutdown_rd, "SHUT_RD: text that comes later")
{
	udp_pair(&a, &b);
	must(S(shutdown)(b, SHUT_RD));
	put(a, "abc");
	settle();
	get(b, 10);
	get(b, 10);
}

ROW(udp_shutdown_wakes, "SHUT_RD: wakes who waits in recv()")
{
	char buf[4];

	udp_pair(&a, &b);
	must(S(shutdown)(b, SHUT_RD));
	num(S(recv)(b, buf, 4, 0));
}

ROW(udp_cork_addr, "UDP_CORK: another address in between")
{
	udp_pair(&a, &b);
	must(set_int(a, IPPROTO_UDP, UDP_CORK, 1));
	put(a, "abc");
	num(send_at(a, "def", A1, 7));
	must(set_int(a, IPPROTO_UDP, UDP_CORK, 0));
	await(b, POLLIN);
	get(b, 10);
}

ROW(listen_on_udp_port, "TCP and UDP of one port don't meet")
{
	int l = listener_at(A1), u = udp();

	must(bind_at(u, A1, port_of(l)));
	must(send_at(udp(), "abc", A1, port_of(l)));
	await(u, POLLIN);
	see(u);
	see(l);
}

ROW(udp_mtu, "IP_MTU: of a connected socket")
{
	int s = udp();

	say_int(s, IPPROTO_IP, IP_MTU);
	must(connect_at(s, NOBODY, 7));
	say_int(s, IPPROTO_IP, IP_MTU);
}

ROW(udp_too_long, "EMSGSIZE: longer than the MTU, IP_PMTUDISC_DO; DONT cuts it")
{
	static char block[3000];
	int s = udp();

	must(connect_at(s, NOBODY, 7));
	must(set_int(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	num(S(send)(s, block, 1472, 0));
	num(S(send)(s, block, 1473, 0));
	must(set_int(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
	num(S(send)(s, block, 1473, 0));
	must(set_int(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE));
	num(S(send)(s, block, 1473, 0));
}
