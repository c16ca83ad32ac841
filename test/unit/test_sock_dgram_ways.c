/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram_t.h"

/* UDP sockets: broadcasts, groups, and interfaces. */

T(to_everybody)
{
	int fd;

	st_new();
	fd = udp("0.0.0.0", 7);
	fails(send_to(fd, "10.0.0.255", 7, "x", 0), EACCES);
	fails(st_connect(fd, "255.255.255.255", 7), EACCES);
	on(fd, SOL_SOCKET, SO_BROADCAST, 1);
	eq(send_to(fd, "10.0.0.255", 7, "x", 0), 1);
	nt_run();
	eq(nt_forget(), 1);
	eq(get(fd, 0), 1); /* ourselves, too */
	fails(send_to(fd, "10.9.9.9", 7, "x", 0), ENETUNREACH);
	eq(nt_route("10.8.0.0/16", "10.0.0.1"), 0);
	nt_run();
	eq(send_to(fd, "10.8.0.1", 7, "x", 0), 1);
	fails(send_to(fd, "10.8.0.1", 7, "x", MSG_DONTROUTE), ENETUNREACH);
	eq(send_to(fd, "10.0.0.1", 7, "x", MSG_DONTROUTE), 1);
	nt_run();
	eq(nt_forget(), 2);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	fails(send_to(fd, "10.0.0.1", 0, "x", 0), EINVAL);
	fails(send_to(fd, "10.0.0.1", 7, "x", MSG_OOB), EOPNOTSUPP);
}

T(members)
{
	struct ip_mreqn r = {.imr_ifindex = 1};
	int fd, other;

	st_new();
	fd = udp("0.0.0.0", 7);
	other = udp(NULL, 0);
	on(other, SOL_SOCKET, SO_REUSEADDR, 1);
	inet_pton(AF_INET, "239.1.1.1", &r.imr_multiaddr);
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)), 0);
	fails(plx_setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)), EADDRINUSE);
	nt_sleep(PLX_SEC(10));
	nt_forget(); /* reports */
	nt_in(0, "ip 10.0.0.1 > 239.1.1.1 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	on(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof(r)), 0);
	fails(plx_setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof(r)), EADDRNOTAVAIL);
	r.imr_ifindex = 9;
	fails(plx_setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)), ENODEV);
	fails(plx_setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, 4), EINVAL);
}

T(a_group_is_heard_by_its_members)
{
	struct ip_mreq r = {0};
	int fd, member;

	st_new();
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	member = plx_socket(AF_INET, SOCK_DGRAM, 0);
	on(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	on(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	on(member, SOL_SOCKET, SO_REUSEADDR, 1);
	eq(st_bind(fd, "0.0.0.0", 7), 0);
	eq(st_bind(member, "0.0.0.0", 7), 0);
	inet_pton(AF_INET, "239.1.1.1", &r.imr_multiaddr);
	inet_pton(AF_INET, "10.0.0.2", &r.imr_interface);
	eq(plx_setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)), 0);
	nt_sleep(PLX_SEC(10));
	nt_forget();
	nt_in(0, "ip 10.0.0.1 > 239.1.1.1 udp 1024 > 7 len 4");
	eq(get(member, 0), 4);
	fails(get(fd, 0), EAGAIN);
	on(fd, IPPROTO_IP, IP_MULTICAST_IF, (int)htonl(0x0a000002)); /* and they hear us */
	eq(send_to(fd, "239.1.1.1", 7, "x", 0), 1);
	nt_run();
	eq(get(member, 0), 1);
	eq(nt_forget(), 1);
	on(fd, IPPROTO_IP, IP_MULTICAST_TTL, 0); /* here, and nowhere else */
	eq(send_to(fd, "239.1.1.1", 7, "x", 0), 1);
	nt_run();
	eq(get(member, 0), 1);
	eq(nt_forget(), 0);
	on(fd, IPPROTO_IP, IP_MULTICAST_TTL, 3);
	on(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	eq(send_to(fd, "239.1.1.1", 7, "x", 0), 1);
	nt_run();
	fails(get(member, 0), EAGAIN);
	eq(nt_forget(), 1);
}

T(by_one_interface)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	char name[80];
	socklen_t len = sizeof(name);
	int fd;

	st_new();
	fd = udp("0.0.0.0", 7);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none", 5), ENODEV);
	on(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 1);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	ok(len == strlen(name) + 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	eq(plx_connect(fd, &none, sizeof(none)), 0);
	eq(value(fd, SOL_SOCKET, SO_BINDTOIFINDEX), 0);
	str_eq(name_of(fd), "0.0.0.0:7");
	on(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 9);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_forget();
}

/* What cannot be bound to another interface stays where it is. */
T(bound_as_before_when_that_fails)
{
	int s, a, b, n = 0, index = 1;

	st_new();
	s = udp("10.0.0.2", 5000);
	a = udp("10.0.0.2", 5001);
	do
		b = plx_socket(AF_INET, SOCK_DGRAM, 0);
	while (st_bind(b, "10.0.0.2", 0) == 0 && ++n < 5000);
	eq(errno, ENOBUFS);
	fails(plx_setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)), ENOBUFS);
	str_eq(name_of(s), "10.0.0.2:5000");
	fails(st_bind(b, "10.0.0.2", 5000), EADDRINUSE);
	eq(send_to(a, "10.0.0.2", 5000, "abc", 0), 3);
	nt_run();
	eq(get(s, 0), 3);
	eq(plx_close(a), 0);
	nt_run();
	eq(plx_setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)), 0);
	str_eq(name_of(s), "10.0.0.2:5000");
}

RUN_EAL(ST_(to_everybody), ST_(members), ST_(a_group_is_heard_by_its_members),
	ST_(by_one_interface), ST_(bound_as_before_when_that_fails))
