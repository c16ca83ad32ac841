/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

/* Raw sockets. */

static int to(int fd, const void *p, size_t n, const char *addr)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, addr, 0);
	int r = (int)plx_sendto(fd, p, n, 0, (struct sockaddr *)&ss, len);

	nt_run();
	return r;
}

static const uint8_t request[] = {
	8, 0, 0x7d, 0x65, 0x12, 0x34, 0, 1, 'h', 'e'}; /* its sum is right */

/* The next packet: its ICMP type, behind a header of IPv4. */
static int next_type(int fd)
{
	uint8_t b[128];
	ssize_t n = plx_recv(fd, b, sizeof(b), 0);

	if (n < 0)
		return -errno;
	ok(n >= 28 && b[0] == 0x45);
	return b[20];
}

T(ping)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint8_t b[128];
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	ok(fd >= 0);
	eq(to(fd, request, sizeof(request), "10.0.0.2"), sizeof(request));
	/* our own request, which it hears as well, and the answer */
	eq(plx_recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&ss, &len), 20 + sizeof(request));
	str_eq(st_text(&ss), "10.0.0.2:0");
	mem_eq(b + 20, request, sizeof(request));
	eq(next_type(fd), ICMP_ECHOREPLY);
	fails(plx_recv(fd, b, sizeof(b), 0), EAGAIN);
}

/* Frames that went to the wire, whatever is in them. */
static unsigned int frames(void)
{
	unsigned int n = 0;

	for (uint16_t q = 0; q < nt.port[0].port->n_txq; q++)
		for (struct rte_mbuf *m; (m = t_port_sent(&nt.port[0], q)); n++)
			rte_pktmbuf_free(m);
	return n;
}

/* IP_MTU_DISCOVER: what may not be cut is refused. */
T(too_long_for_one_piece)
{
	static uint8_t big[2000] = {8};
	int fd, v = IP_PMTUDISC_DO;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	eq(to(fd, big, sizeof(big), "10.0.0.1"), sizeof(big));
	eq(frames(), 2);
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v, sizeof(v)), 0);
	fails(to(fd, big, sizeof(big), "10.0.0.1"), EMSGSIZE);
	eq(to(fd, big, 1480, "10.0.0.1"), 1480);
	eq(frames(), 1);
	fails(to(fd, big, 1481, "10.0.0.1"), EMSGSIZE);
}

T(filter)
{
	struct {
		uint32_t not ;
	} f = {~(1u << ICMP_ECHOREPLY)};
	socklen_t len = sizeof(f);
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	eq(plx_setsockopt(fd, SOL_RAW, 1, &f, sizeof(f)), 0);
	eq(plx_getsockopt(fd, SOL_RAW, 1, &f, &len), 0);
	eq(f.not, ~1u);
	eq(to(fd, request, sizeof(request), "10.0.0.2"), sizeof(request));
	eq(next_type(fd), ICMP_ECHOREPLY);
	eq(next_type(fd), -EAGAIN);
}

T(ping6)
{
	uint8_t echo[] = {ICMP6_ECHO_REQUEST, 0, 0, 0, 0x12, 0x34, 0, 1}, b[64];
	int fd;

	st_new();
	fd = plx_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	eq(to(fd, echo, sizeof(echo), "2001:db8::2"), sizeof(echo));
	eq(plx_recv(fd, b, sizeof(b), 0), sizeof(echo));
	eq(b[0], ICMP6_ECHO_REQUEST);
	ok(b[2] | b[3]); /* its sum has been made */
	eq(plx_recv(fd, b, sizeof(b), 0), sizeof(echo));
	eq(b[0], ICMP6_ECHO_REPLY);
}

/* Whom a raw socket hears is not unreachable. */
T(a_protocol_of_ones_own)
{
	char b[64];
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, 253);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 253 len 3");
	eq(plx_recv(fd, b, sizeof(b), 0), 23);
	mem_eq(b + 20, "\0\1\2", 3);
	nt_none();
	eq(plx_close(fd), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 253 len 3");
	ok(nt_sent(0)); /* now it is */
}

T(bound_and_connected)
{
	struct sockaddr_storage ss;
	char b[64];
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, 253);
	fails(plx_send(fd, "x", 1, 0), EDESTADDRREQ);
	fails(st_bind(fd, "10.0.0.9", 0), EADDRNOTAVAIL);
	eq(st_bind(fd, "10.0.0.2", 0), 0);
	eq(st_connect(fd, "10.0.0.7", 0), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 253 len 3");
	fails(plx_recv(fd, b, sizeof(b), 0), EAGAIN);
	eq(plx_connect(fd, (struct sockaddr *)&ss, st_sa(&ss, "10.0.0.1", 0)), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 253 len 3");
	eq(plx_recv(fd, b, sizeof(b), 0), 23);
	nt_forget();
	eq(plx_send(fd, "xyz", 3, 0), 3);
	nt_run();
	ok(strstr(nt_sent(0), "10.0.0.2 > 10.0.0.1"));
}

T(with_its_header)
{
	uint8_t p[] = {
		0x45, 0x10, 0, 0, 0, 0, 0x40, 0, 77, 253, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 'a'};
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	eq(to(fd, p, sizeof(p), "10.0.0.1"), sizeof(p));
	ok(nt_sent(0));
	eq(nt.last_bytes, sizeof(p));
	eq(nt.last[1], 0x10);
	eq(nt.last[8], 77);
	eq(nt.last[9], 253);
	eq(nt.last[20], 'a');
	fails(to(fd, p, 19, "10.0.0.1"), EINVAL);
	p[0] = 0x60;
	fails(to(fd, p, sizeof(p), "10.0.0.1"), EINVAL);
}

/* Of a group's datagram: neither to a wire nor to ourselves, and nothing behind the end. */
T(where_it_does_not_go)
{
	int fd, none = 0, one = 1;
	char b[64];

	st_new();
	fd = plx_socket(AF_INET, SOCK_RAW, 253);
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof(none)), 0);
	eq(to(fd, "x", 1, "239.1.1.1"), 1);
	nt_none();
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &one, sizeof(one)), 0);
	eq(to(fd, "x", 1, "239.1.1.1"), 1);
	ok(nt_sent(0));
	fails(plx_recv(fd, b, sizeof(b), 0), EAGAIN);
	fails(plx_shutdown(fd, SHUT_WR), ENOTCONN);
	fails(to(fd, "x", 1, "10.0.0.1"), EPIPE);
	nt_none();
}

/* By its device, though no route leads there. */
T(bound_to_a_device)
{
	struct plx_net_if ifc;
	uint16_t at = 0;
	int fd;

	st_new();
	ok(plx_net_if_next(nt.net, &at, &ifc));
	fd = plx_socket(AF_INET, SOCK_RAW, 253);
	fails(to(fd, "x", 1, "10.7.0.1"), ENETUNREACH);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifc.name, (socklen_t)strlen(ifc.name)),
		0);
	eq(to(fd, "x", 1, "10.7.0.1"), 1); /* a neighbour, as Linux takes it */
	ok(strstr(nt_sent(0), "arp who-has 10.7.0.1"));
}

T(what_there_is_not)
{
	st_new();
	fails(plx_socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	fails(plx_socket(AF_INET, SOCK_RAW, 256), EPROTONOSUPPORT);
}

RUN_EAL(ST_(ping), ST_(too_long_for_one_piece), ST_(filter), ST_(ping6),
	ST_(a_protocol_of_ones_own), ST_(bound_and_connected), ST_(with_its_header),
	ST_(where_it_does_not_go), ST_(bound_to_a_device), ST_(what_there_is_not))
