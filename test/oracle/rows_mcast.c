/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups: joining, leaving, sources, loop, interfaces. */
#define ROWS "multicast"
#include "kit.h"

static int membership(int s, int opt, const char *group, const char *via)
{
	struct ip_mreq m = {0};

	inet_pton(AF_INET, group, &m.imr_multiaddr);
	inet_pton(AF_INET, via, &m.imr_interface);
	return S(setsockopt)(s, IPPROTO_IP, opt, &m, sizeof(m));
}

static int membership6(int s, int opt, const char *group, unsigned int index)
{
	struct ipv6_mreq m = {.ipv6mr_interface = index};

	inet_pton(AF_INET6, group, &m.ipv6mr_multiaddr);
	return S(setsockopt)(s, IPPROTO_IPV6, opt, &m, sizeof(m));
}

static int receiver(const char *ip, int port)
{
	int s = udp();

	must(set_int(s, SOL_SOCKET, SO_REUSEADDR, 1));
	must(bind_at(s, ip, port));
	return s;
}

static int sender(void)
{
	struct ip_mreqn m = {.imr_ifindex = (int)lan_index()};
	int s = udp();

	must(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
	return s;
}

ROW(join, "IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP: twice each")
{
	int s = udp();

	num(membership(s, IP_ADD_MEMBERSHIP, GROUP, A1));
	num(membership(s, IP_ADD_MEMBERSHIP, GROUP, A1));
	num(membership(s, IP_DROP_MEMBERSHIP, GROUP, A1));
	num(membership(s, IP_DROP_MEMBERSHIP, GROUP, A1));
}

ROW(join_invalid, "IP_ADD_MEMBERSHIP: no group; an interface that is not there")
{
	int s = udp();

	num(membership(s, IP_ADD_MEMBERSHIP, A1, A1));
	num(membership(s, IP_ADD_MEMBERSHIP, "0.0.0.0", A1));
	num(membership(s, IP_ADD_MEMBERSHIP, GROUP, FOREIGN));
	num(membership(s, IP_DROP_MEMBERSHIP, GROUP, FOREIGN));
}

ROW(join_by_route, "IP_ADD_MEMBERSHIP: no interface, and no route to the group")
{
	num(membership(udp(), IP_ADD_MEMBERSHIP, GROUP, ANY));
}

ROW(join_index, "IP_ADD_MEMBERSHIP: by the interface's number")
{
	struct ip_mreqn m = {.imr_ifindex = (int)lan_index()};
	int s = udp();

	inet_pton(AF_INET, GROUP, &m.imr_multiaddr);
	num(S(setsockopt)(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	num(S(setsockopt)(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)));
	m.imr_ifindex = 77;
	num(S(setsockopt)(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
}

ROW(join_length, "IP_ADD_MEMBERSHIP: lengths")
{
	static const socklen_t lens[] = {0, 4, 7, 8, 12};
	struct ip_mreqn m = {0};

	inet_pton(AF_INET, GROUP, &m.imr_multiaddr);
	inet_pton(AF_INET, A1, &m.imr_address);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		num(S(setsockopt)(udp(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, lens[i]));
}

ROW(join_tcp, "IP_ADD_MEMBERSHIP: TCP")
{
	num(membership(tcp(), IP_ADD_MEMBERSHIP, GROUP, A1));
}

ROW(join_many, "IP_ADD_MEMBERSHIP: more than net.ipv4.igmp_max_memberships")
{
	char group[32];
	int s = udp(), n = 0;

	while (n < 30) {
		snprintf(group, sizeof(group), "239.9.8.%d", n + 1);
		if (membership(s, IP_ADD_MEMBERSHIP, group, A1) < 0)
			break;
		n++;
	}
	say("%d", n);
	num(membership(s, IP_ADD_MEMBERSHIP, "239.9.8.200", A1));
}

ROW(mcast_get_membership, "IP_ADD_MEMBERSHIP: cannot be got")
{
	say_int(udp(), IPPROTO_IP, IP_ADD_MEMBERSHIP);
}

ROW(mcast_received, "a member gets what is sent here")
{
	int r = receiver(ANY, 0), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	num(send_at(s, "abc", GROUP, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
	get(r, 10);
}

ROW(mcast_not_joined, "without a member nobody gets it")
{
	int r = receiver(ANY, 0), s = sender();

	num(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
}

ROW(mcast_left, "after IP_DROP_MEMBERSHIP")
{
	int r = receiver(ANY, 0), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(membership(r, IP_DROP_MEMBERSHIP, GROUP, A1));
	must(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
}

ROW(mcast_all, "IP_MULTICAST_ALL: others' groups, too; 0: only ours")
{
	int r = receiver(ANY, 0), port = port_of(r), other = receiver(ANY, port), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(send_at(s, "abc", GROUP, port));
	await(r, POLLIN);
	settle();
	get(r, 10);
	get(other, 10);
	must(set_int(other, IPPROTO_IP, IP_MULTICAST_ALL, 0));
	must(send_at(s, "def", GROUP, port));
	await(r, POLLIN);
	settle();
	get(r, 10);
	get(other, 10);
}

ROW(mcast_to_all, "each of two members gets it")
{
	int r = receiver(ANY, 0), r2 = receiver(GROUP, port_of(r)), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(membership(r2, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(send_at(s, "abc", GROUP, port_of(r)));
	await(r, POLLIN);
	await(r2, POLLIN);
	get(r, 10);
	get(r2, 10);
}

ROW(mcast_bound_elsewhere, "a member that is bound to our address, or to another group")
{
	int r = receiver(A1, 0), r2 = receiver("239.9.9.10", port_of(r)), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(membership(r2, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
	get(r2, 10);
}

ROW(mcast_loop, "IP_MULTICAST_LOOP 0: members here get nothing")
{
	int r = receiver(ANY, 0), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(set_int(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0));
	num(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
}

ROW(mcast_ttl_0, "IP_MULTICAST_TTL 0: members here get it")
{
	int r = receiver(ANY, 0), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	must(set_int(s, IPPROTO_IP, IP_MULTICAST_TTL, 0));
	num(send_at(s, "abc", GROUP, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
}

ROW(mcast_closed, "close() leaves the group")
{
	int m = receiver(ANY, 0), r = receiver(ANY, port_of(m)), s = sender();

	must(membership(m, IP_ADD_MEMBERSHIP, GROUP, A1));
	drop(m);
	must(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
}

ROW(mcast_if, "IP_MULTICAST_IF: by address, by number, none; get")
{
	struct ip_mreqn m = {.imr_ifindex = (int)lan_index()};
	struct in_addr addr;
	socklen_t len = sizeof(addr);
	int s = udp();
	char text[32];

	must(S(getsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, &len));
	say("%s", inet_ntop(AF_INET, &addr, text, sizeof(text)));
	inet_pton(AF_INET, A2, &addr);
	num(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	must(S(getsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, &len));
	say("%s", inet_ntop(AF_INET, &addr, text, sizeof(text)));
	num(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
	must(S(getsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, &len));
	say("%s", inet_ntop(AF_INET, &addr, text, sizeof(text)));
	inet_pton(AF_INET, FOREIGN, &addr);
	num(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	m.imr_ifindex = 77;
	num(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
	num(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &m, 3));
	num(S(setsockopt)(tcp(), IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
}

ROW(mcast_source_address, "the source of a datagram is IP_MULTICAST_IF's address")
{
	struct at from = {.len = sizeof(from.ss)};
	struct in_addr addr;
	char buf[4];
	int r = receiver(ANY, 0), s = udp();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	inet_pton(AF_INET, A2, &addr);
	must(S(setsockopt)(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	must(send_at(s, "abc", GROUP, port_of(r)));
	await(r, POLLIN);
	num(S(recvfrom)(r, buf, sizeof(buf), MSG_DONTWAIT, &from.sa, &from.len));
	say_addr(&from.sa, from.len);
}

static int source(int s, int opt, const char *from)
{
	struct ip_mreq_source m = {0};

	inet_pton(AF_INET, GROUP, &m.imr_multiaddr);
	inet_pton(AF_INET, A1, &m.imr_interface);
	inet_pton(AF_INET, from, &m.imr_sourceaddr);
	return S(setsockopt)(s, IPPROTO_IP, opt, &m, sizeof(m));
}

ROW(mcast_source, "IP_ADD_SOURCE_MEMBERSHIP: one source only")
{
	int r = receiver(ANY, 0), s = sender(), t = sender();

	num(source(r, IP_ADD_SOURCE_MEMBERSHIP, A2));
	must(bind_at(s, A1, 0));
	must(bind_at(t, A2, 0));
	must(send_at(s, "abc", GROUP, port_of(r)));
	must(send_at(t, "xyz", GROUP, port_of(r)));
	await(r, POLLIN);
	settle();
	get(r, 10);
	get(r, 10);
	num(source(r, IP_DROP_SOURCE_MEMBERSHIP, A2));
}

ROW(mcast_block, "IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE")
{
	int r = receiver(ANY, 0), s = sender();

	num(source(r, IP_BLOCK_SOURCE, A1));
	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	num(source(r, IP_BLOCK_SOURCE, A1));
	must(bind_at(s, A1, 0));
	must(send_at(s, "abc", GROUP, port_of(r)));
	settle();
	get(r, 10);
	num(source(r, IP_UNBLOCK_SOURCE, A1));
	must(send_at(s, "xyz", GROUP, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
}

ROW(mcast_join_group, "MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP")
{
	struct group_req g = {.gr_interface = lan_index()};
	struct at group = at(GROUP, 0);
	int s = udp();

	memcpy(&g.gr_group, &group.ss, sizeof(g.gr_group));
	num(S(setsockopt)(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)));
	num(S(setsockopt)(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)));
	num(S(setsockopt)(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)));
	num(S(setsockopt)(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)));
}

ROW(mcast_connect, "connect() to a group, then send()")
{
	int r = receiver(ANY, 0), s = sender();

	must(membership(r, IP_ADD_MEMBERSHIP, GROUP, A1));
	num(connect_at(s, GROUP, port_of(r)));
	num(S(send)(s, "abc", 3, 0));
	await(r, POLLIN);
	get(r, 10);
}

/* ---- IPv6 ---- */

ROW(join6, "IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP: twice each")
{
	int s = udp6();

	num(membership6(s, IPV6_ADD_MEMBERSHIP, GROUP6, lan_index()));
	num(membership6(s, IPV6_ADD_MEMBERSHIP, GROUP6, lan_index()));
	num(membership6(s, IPV6_DROP_MEMBERSHIP, GROUP6, lan_index()));
	num(membership6(s, IPV6_DROP_MEMBERSHIP, GROUP6, lan_index()));
}

ROW(join6_invalid, "IPV6_ADD_MEMBERSHIP: no group; an interface that is not there; lengths")
{
	struct ipv6_mreq m = {.ipv6mr_interface = lan_index()};
	int s = udp6();

	num(membership6(s, IPV6_ADD_MEMBERSHIP, B1, lan_index()));
	num(membership6(s, IPV6_ADD_MEMBERSHIP, GROUP6, 77));
	inet_pton(AF_INET6, GROUP6, &m.ipv6mr_multiaddr);
	num(S(setsockopt)(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m, sizeof(m) - 1));
	num(S(setsockopt)(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m, 0));
}

ROW(join6_any, "IPV6_ADD_MEMBERSHIP: no interface: that of the group's route")
{
	num(membership6(udp6(), IPV6_ADD_MEMBERSHIP, GROUP6, 0));
}

ROW(mcast6_received, "IPv6: a member gets what is sent here; not without IPV6_MULTICAST_LOOP")
{
	int r = udp6(), s = udp6();

	must(bind_at(r, ANY6, 0));
	must(membership6(r, IPV6_ADD_MEMBERSHIP, GROUP6, lan_index()));
	num(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)lan_index()));
	num(send_at(s, "abc", GROUP6, port_of(r)));
	await(r, POLLIN);
	get(r, 10);
	must(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0));
	num(send_at(s, "abc", GROUP6, port_of(r)));
	settle();
	get(r, 10);
}

ROW(mcast6_if, "IPV6_MULTICAST_IF: an interface that is not there; of a bound socket")
{
	int s = udp6();

	num(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 77));
	num(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)lan_index()));
	say("%s", get_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF) == (int)lan_index() ? LAN : "?");
	num(set_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 0));
	say_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF);
}
