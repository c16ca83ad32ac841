/* SPDX-License-Identifier: BSD-3-Clause */
/* sendmsg(): what goes beside the text; pieces and names. */
#define ROWS "sendmsg"
#include "cmsg.h"

static int a, b; /* one row at a time */

static ssize_t send_with(
	int fd, const char *ip, int port, int level, int type, const void *data, size_t n)
{
	static union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct at to = ip ? at(ip, port) : (struct at){.len = 0};
	struct iovec iov = {(char[]){"abcdefgh"}, 8};
	struct msghdr m = {.msg_name = ip ? &to.sa : NULL,
		.msg_namelen = to.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(n)};
	memcpy(CMSG_DATA(c), data, n);
	return S(sendmsg)(fd, &m, MSG_DONTWAIT);
}

static ssize_t send_with_int(int fd, int level, int type, int value)
{
	return send_with(fd, NULL, 0, level, type, &value, sizeof(value));
}

ROW(send_ttl_tos, "sendmsg(): IP_TTL, IP_TOS for one datagram")
{
	uint8_t tos = 0x10;

	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	must(set_int(b, IPPROTO_IP, IP_RECVTOS, 1));
	num(send_with_int(a, IPPROTO_IP, IP_TTL, 9));
	num(send_with_int(a, IPPROTO_IP, IP_TOS, 0x20));
	num(send_with(a, NULL, 0, IPPROTO_IP, IP_TOS, &tos, 1));
	for (int i = 0; i < 3; i++) {
		await(b, POLLIN);
		take_all(b, 0);
	}
}

ROW(send_bad_cmsgs, "sendmsg(): values and types that there are not")
{
	udp_pair(&a, &b);
	num(send_with_int(a, IPPROTO_IP, IP_TTL, 0));
	num(send_with_int(a, IPPROTO_IP, IP_TTL, 256));
	num(send_with_int(a, IPPROTO_IP, IP_TOS, 256));
	num(send_with_int(a, IPPROTO_IP, 9999, 1));
	num(send_with_int(a, IPPROTO_IPV6, IPV6_HOPLIMIT, 1));
	num(send_with_int(a, IPPROTO_UDP, 9999, 1));
	num(send_with_int(a, SOL_SOCKET, 9999, 1));
	num(send_with(a, NULL, 0, IPPROTO_IP, IP_TTL, "x", 1));
}

ROW(send_bad_lengths, "sendmsg(): cmsg_len too short; too long; no room")
{
	union {
		char bytes[64];
		struct cmsghdr c;
	} u = {.c = {.cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL}};
	struct iovec iov = {(char[]){"abc"}, 3};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.bytes, .msg_controllen = 24};

	udp_pair(&a, &b);
	u.c.cmsg_len = 4;
	num(S(sendmsg)(a, &m, 0));
	u.c.cmsg_len = 100;
	num(S(sendmsg)(a, &m, 0));
	m.msg_controllen = 4;
	num(S(sendmsg)(a, &m, 0));
}

ROW(send_pktinfo, "sendmsg(): IP_PKTINFO chooses the source")
{
	struct in_pktinfo pi = {0};
	int s = udp(), r = udp();

	must(bind_at(r, A1, 0));
	inet_pton(AF_INET, A2, &pi.ipi_spec_dst);
	num(send_with(s, A1, port_of(r), IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi)));
	await(r, POLLIN);
	take_all(r, 0);
	say_addr(&in.from.sa, in.m.msg_namelen);
	inet_pton(AF_INET, FOREIGN, &pi.ipi_spec_dst);
	num(send_with(s, A1, port_of(r), IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi)));
	pi = (struct in_pktinfo){.ipi_ifindex = 77};
	num(send_with(s, A1, port_of(r), IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi)));
}

ROW(send_pktinfo6, "sendmsg(): IPV6_PKTINFO chooses the source")
{
	struct in6_pktinfo pi = {0};
	int s = udp6(), r = udp6();

	must(bind_at(r, B1, 0));
	inet_pton(AF_INET6, B2, &pi.ipi6_addr);
	num(send_with(s, B1, port_of(r), IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi)));
	await(r, POLLIN);
	take_all(r, 0);
	say_addr(&in.from.sa, in.m.msg_namelen);
	inet_pton(AF_INET6, "2001:db8::1", &pi.ipi6_addr);
	num(send_with(s, B1, port_of(r), IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi)));
}

ROW(send_hoplimit6, "sendmsg(): IPV6_HOPLIMIT, IPV6_TCLASS")
{
	udp_pair6(&a, &b);
	must(set_int(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	must(set_int(b, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
	num(send_with_int(a, IPPROTO_IPV6, IPV6_HOPLIMIT, 9));
	num(send_with_int(a, IPPROTO_IPV6, IPV6_TCLASS, 0x20));
	num(send_with_int(a, IPPROTO_IPV6, IPV6_HOPLIMIT, 256));
	num(send_with_int(a, IPPROTO_IPV6, IPV6_TCLASS, 256));
	for (int i = 0; i < 2; i++) {
		await(b, POLLIN);
		take_all(b, 0);
	}
}

ROW(send_no_interface, "sendmsg(): IP_PKTINFO, IPV6_PKTINFO: an interface that is none")
{
	struct in_pktinfo pi = {.ipi_ifindex = (int)(65536 + lan_index())};
	struct in6_pktinfo pi6 = {.ipi6_ifindex = 65536 + lan_index()};

	num(send_with(udp(), A1, 7, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi)));
	num(send_with(udp6(), B1, 7, IPPROTO_IPV6, IPV6_PKTINFO, &pi6, sizeof(pi6)));
}

/* A packet of a raw socket to another one: what it has got says how it came. */
static void raw_with(int domain, int level, int type, const void *data, size_t n)
{
	bool v6 = domain == AF_INET6;
	int from = keep((int)must(S(socket)(domain, SOCK_RAW, 253)));
	int to = keep((int)must(S(socket)(domain, SOCK_RAW, 253)));

	must(set_int(to, level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1));
	must(set_int(to, level, v6 ? IPV6_RECVTCLASS : IP_RECVTOS, 1));
	if (num(send_with(from, v6 ? B1 : A1, 0, level, type, data, n)) < 0)
		return;
	await(to, POLLIN);
	take_all(to, 0);
	say_addr(&in.from.sa, in.m.msg_namelen);
}

ROW(send_raw, "sendmsg(): IP_TTL, IP_TOS, IP_PKTINFO for a raw packet, and values that are none")
{
	struct in_pktinfo pi = {0};
	int v = 9;

	raw_with(AF_INET, IPPROTO_IP, IP_TTL, &v, sizeof(v));
	raw_with(AF_INET, IPPROTO_IP, IP_TOS, &v, sizeof(v));
	inet_pton(AF_INET, A2, &pi.ipi_spec_dst);
	raw_with(AF_INET, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	inet_pton(AF_INET, FOREIGN, &pi.ipi_spec_dst);
	raw_with(AF_INET, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	pi = (struct in_pktinfo){.ipi_ifindex = 60000};
	raw_with(AF_INET, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	v = 0;
	raw_with(AF_INET, IPPROTO_IP, IP_TTL, &v, sizeof(v));
}

ROW(send_raw6, "sendmsg(): the same of IPv6")
{
	struct in6_pktinfo pi = {0};
	int v = 9;

	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_HOPLIMIT, &v, sizeof(v));
	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_TCLASS, &v, sizeof(v));
	inet_pton(AF_INET6, B2, &pi.ipi6_addr);
	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	inet_pton(AF_INET6, "2001:db8::1", &pi.ipi6_addr);
	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	pi = (struct in6_pktinfo){.ipi6_ifindex = 60000};
	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	v = 256;
	raw_with(AF_INET6, IPPROTO_IPV6, IPV6_HOPLIMIT, &v, sizeof(v));
}

ROW(send_segment, "sendmsg(): UDP_SEGMENT cuts the text")
{
	uint16_t three = 3;

	udp_pair(&a, &b);
	num(send_with(a, NULL, 0, IPPROTO_UDP, UDP_SEGMENT, &three, sizeof(three)));
	for (int i = 0; i < 4; i++) {
		settle();
		get(b, 10);
	}
	num(send_with_int(a, IPPROTO_UDP, UDP_SEGMENT, 3));
}

ROW(segment_option, "UDP_SEGMENT: the option cuts the text of send()")
{
	udp_pair(&a, &b);
	must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 4));
	num(S(send)(a, "abcdefghij", 10, 0));
	for (int i = 0; i < 4; i++) {
		settle();
		get(b, 20);
	}
}

ROW(segment_limits, "UDP_SEGMENT: more pieces than 64 (128); a piece longer than the MTU")
{
	static char block[20000];

	udp_pair(&a, &b);
	must(connect_at(a, NOBODY, 7));
	must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 10));
	num(S(send)(a, block, 2000, 0));
	must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 5000));
	num(S(send)(a, block, 20000, 0));
	num(S(send)(a, block, 100, 0));
}

ROW(segment_most, "UDP_SEGMENT: 64, 65, 128, 129 pieces, to the link and to ourselves")
{
	static const int pieces[] = {64, 65, 128, 129};
	static char block[1290];

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		udp_pair(&a, &b);
		must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 10));
		num(S(send)(a, block, (size_t)pieces[i] * 10, 0));
		must(connect_at(a, NOBODY, 7));
		num(S(send)(a, block, (size_t)pieces[i] * 10, 0));
		num(S(send)(a, block, (size_t)pieces[i] * 10 - 9, 0));
	}
}

ROW(gro, "UDP_GRO: a train of pieces comes as one, with their size")
{
	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_UDP, UDP_GRO, 1));
	must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 4));
	num(S(send)(a, "abcdefghij", 10, 0));
	await(b, POLLIN);
	take_all(b, 0);
	settle();
	take_all(b, 0);
}

ROW(recvmsg_iov, "recvmsg(): into pieces; into none; too many")
{
	static struct iovec many[1025];
	char x[3] = "", y[8] = "";
	struct iovec iov[2] = {{x, 2}, {y, 7}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	udp_pair(&a, &b);
	put(a, "abcdef");
	await(b, POLLIN);
	num(S(recvmsg)(b, &m, MSG_DONTWAIT));
	say("'%s' '%s'", x, y);
	m.msg_iovlen = 0;
	put(a, "abcdef");
	await(b, POLLIN);
	num(S(recvmsg)(b, &m, MSG_DONTWAIT));
	say("%s", m.msg_flags & MSG_TRUNC ? "trunc" : "-");
	m.msg_iov = many;
	m.msg_iovlen = 1025;
	num(S(recvmsg)(b, &m, MSG_DONTWAIT));
	num(S(sendmsg)(a, &m, MSG_DONTWAIT));
}

ROW(sendmsg_name, "sendmsg(): lengths of the name")
{
	static const socklen_t lens[] = {0, 8, 16, 28, 128, 129, (socklen_t)-1};
	struct iovec iov = {(char[]){"abc"}, 3};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct at to;

	udp_pair(&a, &b);
	to = at(A2, port_of(b));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		m.msg_name = &to.sa;
		m.msg_namelen = lens[i];
		num(S(sendmsg)(a, &m, MSG_DONTWAIT));
	}
}

ROW(recvmsg_name, "recvmsg(): lengths of the name's room")
{
	static const int lens[] = {0, 4, 16, 28, -1};
	struct at from;
	struct iovec iov = {in.text, 10};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	udp_pair(&a, &b);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		put(a, "abc");
		await(b, POLLIN);
		m.msg_name = &from.sa;
		m.msg_namelen = (socklen_t)lens[i];
		num(S(recvmsg)(b, &m, MSG_DONTWAIT));
		say("/%d", (int)m.msg_namelen);
	}
}
