/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6, and IPv4 at its sockets. */
#define ROWS "IPv6"
#include "kit.h"

static int v6only(int s)
{
	must(set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	return s;
}

static void beside(int a, const char *first, int b, const char *second)
{
	must(bind_at(a, first, 0));
	num(bind_at(b, second, port_of(a)));
}

ROW(tcp_over_v6, "TCP over IPv6: names")
{
	int c, s;

	pair_at(B1, &c, &s);
	say_name(c);
	say_peer(c);
	say_name(s);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
}

ROW(udp_over_v6, "UDP over IPv6: names")
{
	struct at from = {.len = sizeof(from.ss)};
	char buf[4];
	int a = udp6(), b = udp6();

	must(bind_at(a, B1, 0));
	must(bind_at(b, B2, 0));
	num(send_at(a, "abc", B2, port_of(b)));
	await(b, POLLIN);
	num(S(recvfrom)(b, buf, 4, MSG_DONTWAIT, &from.sa, &from.len));
	say_addr(&from.sa, from.len);
}

ROW(any_takes_v4, "TCP: a listener of :: takes IPv4; names are mapped")
{
	int l = listener_at(ANY6), c = tcp(), s;

	num(connect_at(c, A1, port_of(l)));
	s = keep(S(accept)(l, NULL, NULL));
	say_name(s);
	say_peer(s);
	say_int(s, SOL_SOCKET, SO_DOMAIN);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
}

ROW(v6only_refuses_v4, "IPV6_V6ONLY: a listener of :: does not take IPv4")
{
	int l = v6only(tcp6());

	must(bind_at(l, ANY6, 0));
	must(S(listen)(l, 1));
	num(connect_at(tcp(), A1, port_of(l)));
	num(connect_at(tcp6(), B1, port_of(l)));
}

ROW(udp_any_takes_v4, "UDP: a socket of :: takes IPv4; the sender is mapped")
{
	struct at from = {.len = sizeof(from.ss)};
	char buf[4];
	int a = udp6(), b = udp();

	must(bind_at(a, ANY6, 0));
	num(send_at(b, "abc", A1, port_of(a)));
	await(a, POLLIN);
	num(S(recvfrom)(a, buf, 4, MSG_DONTWAIT, &from.sa, &from.len));
	say_addr(&from.sa, from.len);
}

ROW(udp_v6only, "UDP, IPV6_V6ONLY: IPv4 does not come")
{
	int a = v6only(udp6());

	must(bind_at(a, ANY6, 0));
	num(send_at(udp(), "abc", A1, port_of(a)));
	settle();
	see(a);
}

ROW(both_families, "bind(): :: beside 0.0.0.0, with and without IPV6_V6ONLY")
{
	beside(tcp6(), ANY6, tcp(), ANY);
	beside(tcp(), ANY, tcp6(), ANY6);
	beside(v6only(tcp6()), ANY6, tcp(), ANY);
	beside(tcp(), ANY, v6only(tcp6()), ANY6);
	beside(udp6(), ANY6, udp(), ANY);
	beside(v6only(udp6()), ANY6, udp(), ANY);
	beside(tcp6(), ANY6, tcp(), A1);
	beside(tcp6(), B1, tcp(), A1);
}

ROW(mapped_bind, "bind(): a mapped address; with IPV6_V6ONLY")
{
	int s = tcp6();

	num(bind_at(s, "::ffff:" A1, 0));
	say_name(s);
	num(bind_at(v6only(tcp6()), "::ffff:" A1, 0));
	num(bind_at(tcp6(), "::ffff:" FOREIGN, 0));
	beside(tcp6(), "::ffff:" A1, tcp(), A1);
}

ROW(mapped_connect, "connect(): a mapped address; with IPV6_V6ONLY")
{
	int l = listener_at(A1), c = tcp6();

	num(connect_at(c, "::ffff:" A1, port_of(l)));
	say_name(c);
	say_peer(c);
	num(connect_at(v6only(tcp6()), "::ffff:" A1, port_of(l)));
}

ROW(mapped_udp, "UDP: a mapped address: sendto(), connect(), then IPv6")
{
	int r = udp(), s = udp6();

	must(bind_at(r, A1, 0));
	num(send_at(s, "abc", "::ffff:" A1, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
	num(connect_at(s, "::ffff:" A1, port_of(r)));
	say_name(s);
	num(send_at(s, "abc", B1, 7));
	num(send_at(v6only(udp6()), "abc", "::ffff:" A1, port_of(r)));
}

ROW(v6only_late, "IPV6_V6ONLY: after bind()")
{
	int s = tcp6();

	must(bind_at(s, ANY6, 0));
	num(set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, 1));
}

ROW(v4_options_on_v6, "IPv4's options at an IPv6 socket; IPv6's at an IPv4 socket")
{
	num(set_int(udp6(), IPPROTO_IP, IP_TTL, 9));
	num(set_int(udp6(), IPPROTO_IP, IP_TOS, 8));
	num(set_int(tcp6(), IPPROTO_IP, IP_TTL, 9));
	num(set_int(udp(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9));
	num(set_int(tcp(), IPPROTO_IPV6, IPV6_V6ONLY, 1));
}

ROW(addrform, "IPV6_ADDRFORM: a mapped connection becomes IPv4's")
{
	int l = listener_at(A1), c = tcp6();

	must(connect_at(c, "::ffff:" A1, port_of(l)));
	num(set_int(c, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
	say_name(c);
}

ROW(linklocal_scope, "a link-local address wants an interface")
{
	struct at a = at("fe80::77", 7);

	num(S(bind)(udp6(), &a.sa, a.len));
	num(S(connect)(udp6(), &a.sa, a.len));
	num(S(connect)(tcp6(), &a.sa, a.len));
	a.in6.sin6_scope_id = 77;
	num(S(connect)(udp6(), &a.sa, a.len));
	num(S(bind)(udp6(), &a.sa, a.len));
	a.in6.sin6_scope_id = lan_index();
	num(S(connect)(udp6(), &a.sa, a.len));
}

ROW(flowinfo, "sin6_flowinfo: sent, not given back")
{
	struct at to;
	int r = udp6(), s = udp6();

	must(bind_at(r, B1, 0));
	to = at(B1, port_of(r));
	to.in6.sin6_flowinfo = htonl(0x12345);
	num(S(sendto)(s, "abc", 3, 0, &to.sa, to.len));
	await(r, POLLIN);
	get(r, 10);
}

ROW(mtu6, "IPV6_MTU: of a connected socket")
{
	int s = udp6();

	say_int(s, IPPROTO_IPV6, IPV6_MTU);
	must(connect_at(s, "fd09::77", 7));
	say_int(s, IPPROTO_IPV6, IPV6_MTU);
}

ROW(too_long6, "EMSGSIZE: IPV6_DONTFRAG, IPV6_PMTUDISC_DO")
{
	static char block[3000];
	int s = udp6();

	must(connect_at(s, "fd09::77", 7));
	num(S(send)(s, block, 1453, 0));
	must(set_int(s, IPPROTO_IPV6, IPV6_DONTFRAG, 1));
	num(S(send)(s, block, 1452, 0));
	num(S(send)(s, block, 1453, 0));
}

ROW(connect_refused6, "connect(): nobody listens; a new try")
{
	int s = tcp6();

	num(connect_at(s, B1, 9));
	num(connect_at(s, B1, port_of(listener_at(B1))));
}

ROW(same_port_both, "SO_REUSEPORT: :: and 0.0.0.0 listen, each has its family")
{
	int six = tcp6(), four = tcp();

	must(set_int(six, SOL_SOCKET, SO_REUSEPORT, 1));
	must(set_int(four, SOL_SOCKET, SO_REUSEPORT, 1));
	beside(six, ANY6, four, ANY);
	must(S(listen)(six, 1));
	num(S(listen)(four, 1));
	num(connect_at(tcp(), A1, port_of(six)));
	await(four, POLLIN);
	see(four);
	see(six);
}

ROW(unspecified_send, "sendto(): :: is ourselves; :: mapped")
{
	int r = udp6(), s = udp6();

	must(bind_at(r, ANY6, 0));
	num(send_at(s, "abc", ANY6, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
	num(send_at(s, "abc", "::ffff:0.0.0.0", port_of(r)));
}

ROW(addr_preferences, "IPV6_ADDR_PREFERENCES")
{
	say_int(udp6(), IPPROTO_IPV6, 72);
	num(set_int(udp6(), IPPROTO_IPV6, 72, 2));
}
