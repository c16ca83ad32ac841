/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may have which address and port beside whom; names of sockets. */
#define ROWS "bind"
#include "kit.h"

static int with_int(int s, int name)
{
	must(set_int(s, SOL_SOCKET, name, 1));
	return s;
}
static int reuse(int s)
{
	return with_int(s, SO_REUSEADDR);
}
static int share(int s)
{
	return with_int(s, SO_REUSEPORT);
}

/* A second socket b beside a, which is bound. */
static void beside(int a, const char *first, int b, const char *second)
{
	must(bind_at(a, first, 0));
	num(bind_at(b, second, port_of(a)));
}

ROW(bind_tcp_twice, "TCP: the same address and port")
{
	beside(tcp(), A1, tcp(), A1);
}

ROW(bind_tcp_other_address, "TCP: another address, the same port")
{
	beside(tcp(), A1, tcp(), A2);
}

ROW(bind_tcp_any_specific, "TCP: any address, then one; one, then any")
{
	beside(tcp(), ANY, tcp(), A1);
	beside(tcp(), A1, tcp(), ANY);
}

ROW(bind_tcp_udp, "TCP and UDP on one port")
{
	beside(tcp(), A1, udp(), A1);
}

ROW(bind_tcp_reuse, "TCP, SO_REUSEADDR: both, the first, the second")
{
	beside(reuse(tcp()), A1, reuse(tcp()), A1);
	beside(reuse(tcp()), A1, tcp(), A1);
	beside(tcp(), A1, reuse(tcp()), A1);
	beside(reuse(tcp()), ANY, reuse(tcp()), A1);
}

ROW(bind_tcp_share, "TCP, SO_REUSEPORT: both, the first, the second")
{
	beside(share(tcp()), A1, share(tcp()), A1);
	beside(share(tcp()), A1, tcp(), A1);
	beside(tcp(), A1, share(tcp()), A1);
	beside(share(tcp()), ANY, share(tcp()), A1);
}

ROW(bind_tcp_reuse_share, "TCP: SO_REUSEADDR beside SO_REUSEPORT")
{
	beside(reuse(tcp()), A1, share(tcp()), A1);
	beside(share(tcp()), A1, reuse(tcp()), A1);
}

ROW(bind_tcp_reuse_listening, "TCP, SO_REUSEADDR: beside one that listens")
{
	int l = reuse(tcp());

	must(bind_at(l, A1, 0));
	must(S(listen)(l, 1));
	num(bind_at(reuse(tcp()), A1, port_of(l)));
	num(bind_at(reuse(tcp()), A2, port_of(l)));
	num(bind_at(reuse(tcp()), ANY, port_of(l)));
}

ROW(bind_tcp_reuse_shut, "TCP, SO_REUSEADDR: beside one that has listened, until shutdown()")
{
	int l = reuse(tcp()), other, port = free_port(SOCK_STREAM);

	must(bind_at(l, A1, port));
	must(S(listen)(l, 1));
	must(S(shutdown)(l, SHUT_RD));
	other = reuse(tcp());
	num(bind_at(other, A1, port));
	num(S(listen)(l, 1));
	num(S(listen)(other, 1));
}

ROW(bind_tcp_reuse_unlisten, "TCP, SO_REUSEADDR: beside one that has listened, until AF_UNSPEC")
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int l = reuse(tcp()), port = free_port(SOCK_STREAM);

	must(bind_at(l, A1, port));
	must(S(listen)(l, 1));
	must(S(connect)(l, &none, sizeof(none)));
	num(bind_at(reuse(tcp()), A1, port));
}

ROW(listen_reuse_again, "TCP, SO_REUSEADDR: one listens after the other has ended it")
{
	int a = reuse(tcp()), b = reuse(tcp()), port = free_port(SOCK_STREAM);

	must(bind_at(a, A1, port));
	num(bind_at(b, A1, port));
	num(S(listen)(a, 1));
	num(S(listen)(b, 1));
	num(S(shutdown)(a, SHUT_RDWR));
	num(S(listen)(b, 1));
	num(S(listen)(a, 1));
}

ROW(listen_reuse, "TCP, SO_REUSEADDR: both bound, both listen")
{
	int a = reuse(tcp()), b = reuse(tcp());

	beside(a, A1, b, A1);
	num(S(listen)(a, 1));
	num(S(listen)(b, 1));
}

ROW(listen_share, "TCP, SO_REUSEPORT: both listen")
{
	int a = share(tcp()), b = share(tcp());

	beside(a, A1, b, A1);
	num(S(listen)(a, 1));
	num(S(listen)(b, 1));
}

ROW(bind_after_listener_closed, "TCP: the listener is closed, its connection is not")
{
	int l = listener_at(A1), c = tcp(), s, port = port_of(l);

	must(connect_at(c, A1, port));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	drop(l);
	num(bind_at(tcp(), A1, port));
	num(bind_at(reuse(tcp()), A1, port));
	see(s);
}

ROW(bind_after_reuse_listener_closed, "TCP: the same, and all have SO_REUSEADDR")
{
	int l = reuse(tcp()), c = tcp(), port;

	must(bind_at(l, A1, 0));
	must(S(listen)(l, 1));
	port = port_of(l);
	must(connect_at(c, A1, port));
	keep((int)must(S(accept)(l, NULL, NULL)));
	drop(l);
	num(bind_at(tcp(), A1, port));
	l = reuse(tcp());
	num(bind_at(l, A1, port));
	num(S(listen)(l, 1));
}

ROW(bind_time_wait, "TCP: its port is in TIME-WAIT")
{
	int l = listener_at(A1), c = tcp(), s, port = port_of(l);

	must(connect_at(c, A1, port));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	drop(l);
	drop(s);
	await(c, POLLIN);
	drop(c);
	settle();
	num(bind_at(tcp(), A1, port));
	l = reuse(tcp());
	num(bind_at(l, A1, port));
	num(S(listen)(l, 1));
}

ROW(bind_after_close, "TCP, UDP: its owner has closed it")
{
	int s = tcp(), port;

	must(bind_at(s, A1, 0));
	port = port_of(s);
	drop(s);
	num(bind_at(tcp(), A1, port));
	s = udp();
	must(bind_at(s, A1, 0));
	port = port_of(s);
	drop(s);
	num(bind_at(udp(), A1, port));
}

ROW(bind_listener_closed, "TCP: its listener is closed, nothing else")
{
	int l = listener_at(A1), port = port_of(l);

	drop(l);
	num(bind_at(tcp(), A1, port));
}

ROW(bind_udp_twice, "UDP: the same, another address, any")
{
	beside(udp(), A1, udp(), A1);
	beside(udp(), A1, udp(), A2);
	beside(udp(), ANY, udp(), A1);
	beside(udp(), A1, udp(), ANY);
}

ROW(bind_udp_reuse, "UDP, SO_REUSEADDR: both, the first, the second")
{
	beside(reuse(udp()), A1, reuse(udp()), A1);
	beside(reuse(udp()), A1, udp(), A1);
	beside(udp(), A1, reuse(udp()), A1);
	beside(reuse(udp()), ANY, reuse(udp()), A1);
}

ROW(bind_udp_share, "UDP, SO_REUSEPORT: both, the first, the second")
{
	beside(share(udp()), A1, share(udp()), A1);
	beside(share(udp()), A1, udp(), A1);
	beside(udp(), A1, share(udp()), A1);
}

ROW(bind_udp_reuse_share, "UDP: SO_REUSEADDR beside SO_REUSEPORT")
{
	beside(reuse(udp()), A1, share(udp()), A1);
	beside(share(udp()), A1, reuse(udp()), A1);
}

ROW(udp_reuse_last, "UDP, SO_REUSEADDR: which of two gets a datagram")
{
	int a = reuse(udp()), b = reuse(udp());

	beside(a, A1, b, A1);
	send_at(udp(), "abc", A1, port_of(a));
	settle();
	see(a);
	see(b);
}

ROW(udp_connected_first, "UDP, SO_REUSEADDR: the connected one gets its peer's")
{
	int a = reuse(udp()), b = reuse(udp()), peer = udp();

	must(bind_at(peer, A2, 0));
	beside(a, A1, b, A1);
	must(connect_at(a, A2, port_of(peer)));
	send_at(peer, "abc", A1, port_of(a));
	send_at(udp(), "xyz", A1, port_of(a));
	await(a, POLLIN);
	await(b, POLLIN);
	get(a, 10);
	get(a, 10);
	get(b, 10);
}

ROW(udp_specific_first, "UDP: the one with the address gets it, not that with any")
{
	int any = reuse(udp()), one = reuse(udp());

	beside(any, ANY, one, A1);
	send_at(udp(), "abc", A1, port_of(any));
	send_at(udp(), "xyz", A2, port_of(any));
	await(any, POLLIN);
	await(one, POLLIN);
	get(one, 10);
	get(one, 10);
	get(any, 10);
}

ROW(tcp_specific_first, "TCP: the listener with the address gets it, not that with any")
{
	int any = share(tcp()), one = share(tcp());

	beside(any, ANY, one, A1);
	must(S(listen)(any, 1));
	must(S(listen)(one, 1));
	must(connect_at(tcp(), A1, port_of(any)));
	await(one, POLLIN);
	see(one);
	see(any);
	must(connect_at(tcp(), A2, port_of(any)));
	await(any, POLLIN);
	see(any);
}

ROW(bind_foreign, "an address that is not ours")
{
	num(bind_at(tcp(), FOREIGN, 0));
	num(bind_at(udp(), FOREIGN, 0));
	num(bind_at(tcp(), NOBODY, 0));
	num(bind_at(tcp6(), "2001:db8::1", 0));
	num(bind_at(udp6(), "2001:db8::1", 0));
}

ROW(bind_freebind, "the same, with IP_FREEBIND")
{
	int s = tcp();

	must(set_int(s, IPPROTO_IP, IP_FREEBIND, 1));
	num(bind_at(s, FOREIGN, 0));
	say_name(s);
}

ROW(bind_broadcast, "broadcast addresses, a group")
{
	num(bind_at(udp(), BCAST, 0));
	num(bind_at(udp(), "255.255.255.255", 0));
	num(bind_at(udp(), GROUP, 0));
	num(bind_at(tcp(), BCAST, 0));
	num(bind_at(tcp(), "255.255.255.255", 0));
	num(bind_at(tcp(), GROUP, 0));
	num(bind_at(udp6(), GROUP6, 0));
	num(bind_at(tcp6(), GROUP6, 0));
}

ROW(bind_loopback, "loopback's addresses")
{
	int s = tcp();

	num(bind_at(s, LO, 0));
	say_name(s);
	num(bind_at(tcp(), "127.1.2.3", 0));
	num(bind_at(tcp6(), LO6, 0));
	num(bind_at(udp(), LO, 0));
}

ROW(loopback_works, "TCP and UDP over loopback's addresses")
{
	int c, s, u = udp(), v = udp();

	pair_at(LO, &c, &s);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
	say_peer(s);
	must(bind_at(u, LO, 0));
	num(send_at(v, "xyz", LO, port_of(u)));
	await(u, POLLIN);
	get(u, 10);
	pair_at(LO6, &c, &s);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
}

ROW(bind_again, "a bound socket; a connected one")
{
	int s = tcp(), u = udp(), c, t;

	must(bind_at(s, A1, 0));
	num(bind_at(s, A1, 0));
	num(bind_at(s, A2, port_of(s) + 1));
	must(bind_at(u, A1, 0));
	num(bind_at(u, A1, 0));
	tcp_pair(&c, &t);
	num(bind_at(c, A1, 0));
	u = udp();
	must(connect_at(u, A1, 7));
	num(bind_at(u, A1, 0));
}

ROW(bind_privileged, "a port below 1024, by root")
{
	int s = tcp();

	num(bind_at(s, A1, 1000));
	say("%s", port_of(s) == 1000 ? "1000" : "?");
}

ROW(names_of_fresh, "names: new, bound to any, connected from any")
{
	int s = tcp(), u = udp(), l = listener_at(A1);

	say_name(s);
	must(bind_at(s, ANY, 0));
	say_name(s);
	must(connect_at(s, A1, port_of(l)));
	say_name(s);
	say_name(u);
	must(connect_at(u, A2, 7));
	say_name(u);
}

ROW(names_udp_unconnected, "names: UDP that has sent; connected, then AF_UNSPEC")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int u = udp(), v = udp();

	must(send_at(u, "abc", A1, 7));
	say_name(u);
	say_peer(u);
	must(connect_at(v, A1, 7));
	num(S(connect)(v, &nowhere, sizeof(nowhere)));
	say_name(v);
	say_peer(v);
}

ROW(names_udp_bound_unconnected, "names: UDP, bound, connected, AF_UNSPEC")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int u = udp();

	must(bind_at(u, ANY, 0));
	must(connect_at(u, A1, 7));
	say_name(u);
	num(S(connect)(u, &nowhere, sizeof(nowhere)));
	say_name(u);
	u = udp();
	must(bind_at(u, A1, 0));
	must(connect_at(u, A1, 7));
	num(S(connect)(u, &nowhere, sizeof(nowhere)));
	say_name(u);
}

/* getsockname(), getpeername(), accept() and recvfrom() with a buffer of each of some sizes. */
static void with_lengths(int (*call)(int fd, struct sockaddr *a, socklen_t *len), int fd)
{
	static const socklen_t lens[] = {0, 1, 2, 8, 16, 28, 128, (socklen_t)-1};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct at a = {.len = lens[i]};
		int r;

		memset(&a.ss, 0x5a, sizeof(a.ss));
		r = call(fd, &a.sa, &a.len);
		say("%d:%s/%d/%x", (int)lens[i], r < 0 ? errno_name(errno) : "0", (int)a.len,
			a.in.sin_family);
	}
}

ROW(getsockname_length, "getsockname(): sizes of the buffer")
{
	with_lengths(S(getsockname), listener_at(A1));
	num(S(getsockname)(tcp(), NULL, NULL));
}

ROW(getpeername_length, "getpeername(): sizes of the buffer")
{
	int c, s;

	tcp_pair(&c, &s);
	with_lengths(S(getpeername), c);
}

static int accept_once(int l, struct sockaddr *a, socklen_t *len)
{
	int fd;

	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	fd = S(accept)(l, a, len);
	keep(fd);
	return fd < 0 ? -1 : 0;
}

ROW(accept_length, "accept(): sizes of the address's buffer")
{
	with_lengths(accept_once, listener_at(A1));
}

static int recvfrom_once(int u, struct sockaddr *a, socklen_t *len)
{
	char buf[4];

	must(send_at(udp(), "abc", A1, port_of(u)));
	await(u, POLLIN);
	return S(recvfrom)(u, buf, sizeof(buf), MSG_DONTWAIT, a, len) < 0 ? -1 : 0;
}

ROW(recvfrom_length, "recvfrom(): sizes of the address's buffer")
{
	int u = udp();

	must(bind_at(u, A1, 0));
	with_lengths(recvfrom_once, u);
}

ROW(recvfrom_no_length, "recvfrom(): room for an address, and no length of it: what came is gone")
{
	struct at a = {.len = sizeof(a.ss)};
	char buf[4];
	int u = udp(), c, s;

	must(bind_at(u, A1, 0));
	must(send_at(udp(), "abc", A1, port_of(u)));
	await(u, POLLIN);
	num(S(recvfrom)(u, buf, sizeof(buf), MSG_DONTWAIT, &a.sa, NULL));
	get(u, 4);
	tcp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	num(S(recvfrom)(s, buf, 2, MSG_DONTWAIT, &a.sa, NULL));
	get(s, 4);
}

ROW(recvfrom_tcp, "recvfrom(): TCP gives no address")
{
	struct at a = {.len = sizeof(a.ss)};
	char buf[4];
	int c, s;

	tcp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	num(S(recvfrom)(s, buf, 4, 0, &a.sa, &a.len));
	say("%d", (int)a.len);
}

ROW(bind_address_no_port, "IP_BIND_ADDRESS_NO_PORT: the port comes with connect()")
{
	int s = tcp(), l = listener_at(A1);

	must(set_int(s, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	num(bind_at(s, A2, 0));
	say_name(s);
	num(connect_at(s, A1, port_of(l)));
	say_name(s);
}

/* A socket bound to an address alone. */
static int address_alone(int s, const char *ip)
{
	must(set_int(s, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	num(bind_at(s, ip, 0));
	say_name(s);
	return s;
}

ROW(bind_no_port_udp, "the same: UDP, by connect(), by sendto()")
{
	int s = address_alone(udp(), A2), u = address_alone(udp(), A2);

	num(connect_at(s, A1, 7));
	say_name(s);
	num(send_at(u, "abc", A1, 7));
	say_name(u);
}

ROW(bind_no_port_6, "the same: IPv6")
{
	int s = address_alone(tcp6(), B2), u = address_alone(udp6(), B2), l = listener_at(B1);

	num(connect_at(s, B1, port_of(l)));
	say_name(s);
	num(connect_at(u, B1, 7));
	say_name(u);
}

ROW(bind_no_port_again, "the same: bind() once more, before and after the port came")
{
	int s = address_alone(tcp(), A2), l = listener_at(A1);

	num(bind_at(s, FOREIGN, 0));
	say_name(s);
	num(bind_at(s, ANY, 0));
	say_name(s);
	num(bind_at(s, A2, port_of(l)));
	say_name(s);
	num(bind_at(s, A2, 0));
	num(connect_at(s, A1, port_of(l)));
	say_name(s);
}

ROW(bind_no_port_taken, "the same: bind() to a port that is taken forgets the address")
{
	int s = address_alone(tcp(), A2), u = address_alone(udp(), A2), l = listener_at(A1),
	    v = udp();

	num(bind_at(s, A1, port_of(l)));
	say_name(s);
	num(connect_at(s, A1, port_of(l)));
	must(bind_at(v, A1, 0));
	num(bind_at(u, A1, port_of(v)));
	say_name(u);
}

ROW(bind_no_port_listen, "the same: listen() chooses the port")
{
	int s = address_alone(tcp(), A2), c = tcp();

	num(S(listen)(s, 1));
	say_name(s);
	num(connect_at(c, A2, port_of(s)));
	num(connect_at(tcp(), A1, port_of(s)));
}

ROW(bind_no_port_named, "the same: a port that is named is bound at once")
{
	int s = tcp(), l = tcp();

	must(bind_at(l, A2, 0));
	must(set_int(s, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	num(bind_at(s, A2, port_of(l)));
	num(bind_at(s, A1, port_of(l)));
	num(bind_at(tcp(), A1, port_of(l)));
}

ROW(bind_no_port_disconnect, "the same: AF_UNSPEC, then connect() again")
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int s = address_alone(tcp(), A2), l = listener_at(A1), port;

	must(connect_at(s, A1, port_of(l)));
	port = port_of(s);
	num(S(connect)(s, &nowhere, sizeof(nowhere)));
	say_name(s);
	say("%s", port_of(s) == port ? "same port" : "another port");
	num(connect_at(s, A1, port_of(l)));
	say_name(s);
}

ROW(ephemeral_range, "ports that are chosen lie in net.ipv4.ip_local_port_range")
{
	int s = tcp(), u = udp(), l = listener_at(A1);

	must(connect_at(s, A1, port_of(l)));
	must(connect_at(u, A1, 7));
	say("%d", port_of(s) >= 32768 && port_of(s) <= 60999);
	say("%d", port_of(u) >= 32768 && port_of(u) <= 60999);
	say("%d", port_of(l) >= 32768 && port_of(l) <= 60999);
}

ROW(bindtodevice, "SO_BINDTODEVICE: set, get, remove, unknown")
{
	char name[32] = "";
	socklen_t len = sizeof(name);
	int s = udp();

	num(S(getsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("%d", (int)len);
	num(S(setsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, LAN, sizeof(LAN)));
	len = sizeof(name);
	num(S(getsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("'%s' %d", name, (int)len);
	len = 3;
	num(S(getsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	num(S(setsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	len = sizeof(name);
	num(S(getsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("%d", (int)len);
	num(S(setsockopt)(s, SOL_SOCKET, SO_BINDTODEVICE, "nowhere", 8));
}

ROW(bindtodevice_shares, "SO_BINDTODEVICE: beside one without, one port")
{
	int a = udp(), b = udp();

	must(S(setsockopt)(a, SOL_SOCKET, SO_BINDTODEVICE, LAN, sizeof(LAN)));
	beside(a, A1, b, A1);
}

ROW(bindtodevice_conflict, "SO_BINDTODEVICE: of a bound socket, though another has its port")
{
	int a = udp(), b = udp();

	must(set_int(a, SOL_SOCKET, SO_REUSEADDR, 1));
	must(set_int(b, SOL_SOCKET, SO_REUSEADDR, 1));
	must(bind_at(a, A1, 0));
	must(bind_at(b, A1, port_of(a)));
	must(set_int(b, SOL_SOCKET, SO_REUSEADDR, 0));
	num(S(setsockopt)(b, SOL_SOCKET, SO_BINDTODEVICE, LAN, sizeof(LAN)));
	say("%s", port_of(b) == port_of(a) ? "same port" : "another port");
	drop(a);
	num(bind_at(udp(), A1, port_of(b)));
}

ROW(no_such_interface, "numbers of interfaces that are none: bind(), options, cmsg")
{
	struct at to = at("fe80::1234", 7);
	unsigned int none = 65536 + lan_index();
	int s = udp6();

	to.in6.sin6_scope_id = none;
	num(S(bind)(s, &to.sa, to.len));
	num(S(connect)(s, &to.sa, to.len));
	num(S(sendto)(s, "abc", 3, 0, &to.sa, to.len));
	num(S(bind)(tcp6(), &to.sa, to.len));
	num(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)none));
	num(set_int(s, SOL_SOCKET, SO_BINDTOIFINDEX, -1));
	num(set_int(s, SOL_SOCKET, SO_BINDTOIFINDEX, 60000));
	num(get_int(s, SOL_SOCKET, SO_BINDTOIFINDEX));
	num(send_at(s, "abc", B1, 7));
	num(set_int(s, SOL_SOCKET, SO_BINDTOIFINDEX, (int)none));
	say("%s", get_int(s, SOL_SOCKET, SO_BINDTOIFINDEX) == (int)none ? "same" : "another");
	num(send_at(s, "abc", B1, 7));
}
