/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * recvmsg(), and its control messages as words.
 */
#include "kit.h"

#include <linux/errqueue.h>

static struct {
	char text[8192], control[512];
	struct at from;
	struct iovec iov;
	struct msghdr m;
} in;

/* Receive, and say the text's length and the flags. */
static inline ssize_t take(int fd, size_t room, int flags)
{
	ssize_t n;

	memset(&in.from, 0, sizeof(in.from));
	in.iov = (struct iovec){in.text, sizeof(in.text)};
	in.m = (struct msghdr){.msg_name = &in.from.sa,
		.msg_namelen = sizeof(in.from.ss),
		.msg_iov = &in.iov,
		.msg_iovlen = 1,
		.msg_control = in.control,
		.msg_controllen = room};
	n = S(recvmsg)(fd, &in.m, MSG_DONTWAIT | flags);
	num(n);
	if (n >= 0)
		say("%s%s%s", in.m.msg_flags & MSG_CTRUNC ? "ctrunc" : "-",
			in.m.msg_flags & MSG_TRUNC ? " trunc" : "",
			in.m.msg_flags & MSG_ERRQUEUE ? " errqueue" : "");
	return n;
}

static inline void say_index(unsigned int index)
{
	say("%s", index == lan_index() ? LAN : index ? "if" : "0");
}

static inline void say_ip(int family, const void *ip)
{
	char text[INET6_ADDRSTRLEN];

	say("%s", inet_ntop(family, ip, text, sizeof(text)));
}

static inline void say_offender(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		say_ip(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		say_ip(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	else
		say("family%d", sa->sa_family);
}

static inline void say_cmsg4(struct cmsghdr *c)
{
	const void *d = CMSG_DATA(c);
	struct sock_extended_err e;
	struct in_pktinfo pi;
	int v = 0;

	memcpy(&v, d, c->cmsg_len - CMSG_LEN(0) < sizeof(v) ? c->cmsg_len - CMSG_LEN(0) : 4);
	switch (c->cmsg_type) {
	case IP_TTL:
		say("ttl:%d/%zu", v, c->cmsg_len - CMSG_LEN(0));
		break;
	case IP_TOS:
		say("tos:%d/%zu", v, c->cmsg_len - CMSG_LEN(0));
		break;
	case IP_PKTINFO:
		memcpy(&pi, d, sizeof(pi));
		say("pktinfo");
		say_index((unsigned int)pi.ipi_ifindex);
		say_ip(AF_INET, &pi.ipi_spec_dst);
		say_ip(AF_INET, &pi.ipi_addr);
		break;
	case IP_ORIGDSTADDR:
		say("origdst");
		say_addr(d, (socklen_t)(c->cmsg_len - CMSG_LEN(0)));
		break;
	case IP_RECVERR:
		memcpy(&e, d, sizeof(e));
		say("recverr %s origin:%d type:%d code:%d info:%u", errno_name((int)e.ee_errno),
			e.ee_origin, e.ee_type, e.ee_code, e.ee_info);
		say_offender(SO_EE_OFFENDER((const struct sock_extended_err *)d));
		break;
	default:
		say("ip:%d/%zu", c->cmsg_type, c->cmsg_len - CMSG_LEN(0));
	}
}

static inline void say_cmsg6(struct cmsghdr *c)
{
	const void *d = CMSG_DATA(c);
	struct sock_extended_err e;
	struct in6_pktinfo pi;
	int v = 0;

	memcpy(&v, d, c->cmsg_len - CMSG_LEN(0) < sizeof(v) ? c->cmsg_len - CMSG_LEN(0) : 4);
	switch (c->cmsg_type) {
	case IPV6_HOPLIMIT:
		say("hoplimit:%d", v);
		break;
	case IPV6_TCLASS:
		say("tclass:%d", v);
		break;
	case IPV6_PKTINFO:
		memcpy(&pi, d, sizeof(pi));
		say("pktinfo");
		say_index(pi.ipi6_ifindex);
		say_ip(AF_INET6, &pi.ipi6_addr);
		break;
	case IPV6_RECVERR:
		memcpy(&e, d, sizeof(e));
		say("recverr %s origin:%d type:%d code:%d", errno_name((int)e.ee_errno),
			e.ee_origin, e.ee_type, e.ee_code);
		say_offender(SO_EE_OFFENDER((const struct sock_extended_err *)d));
		break;
	default:
		say("ipv6:%d/%zu", c->cmsg_type, c->cmsg_len - CMSG_LEN(0));
	}
}

static inline void say_cmsgs(void)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&in.m); c; c = CMSG_NXTHDR(&in.m, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			say_cmsg4(c);
		else if (c->cmsg_level == IPPROTO_IPV6)
			say_cmsg6(c);
		else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			say("gro:%d", *(const int *)(const void *)CMSG_DATA(c));
		else if (c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ)
			say("inq:%d", *(const int *)(const void *)CMSG_DATA(c));
		else
			say("level%d:%d/%zu", c->cmsg_level, c->cmsg_type,
				c->cmsg_len - CMSG_LEN(0));
	}
}

static inline void take_all(int fd, int flags)
{
	if (take(fd, sizeof(in.control), flags) >= 0)
		say_cmsgs();
}

/** Two UDP sockets that know each other, over IPv6. */
static inline void udp_pair6(int *a, int *b)
{
	*a = udp6();
	*b = udp6();
	must(bind_at(*a, B1, 0));
	must(bind_at(*b, B2, 0));
	must(connect_at(*a, B2, port_of(*b)));
	must(connect_at(*b, B1, port_of(*a)));
}
