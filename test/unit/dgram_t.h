/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What tests of UDP sockets are written with: sockets, options, and what comes.
 */
#include "sock_t.h"

static inline int udp(const char *addr, uint16_t port)
{
	int fd = plx_socket(addr && strchr(addr, ':') ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	ok(fd >= 0);
	if (addr)
		eq(st_bind(fd, addr, port), 0);
	return fd;
}

static inline ssize_t send_to(int fd, const char *addr, uint16_t port, const char *text, int flags)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, addr, port);

	return plx_sendto(fd, text, strlen(text), flags, (struct sockaddr *)&ss, len);
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	eq(plx_getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

static inline const char *name_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	eq(plx_getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	return st_text(&ss);
}

static inline void on(int fd, int level, int name, int v)
{
	eq(plx_setsockopt(fd, level, name, &v, sizeof(v)), 0);
}

static inline int value(int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	eq(plx_getsockopt(fd, level, name, &v, &len), 0);
	return v;
}

/* The next datagram, its sender, and what is said with it. */
static struct got {
	char text[64];
	ssize_t n;
	struct sockaddr_storage from;
	struct msghdr m;
	_Alignas(8) char control[256];
} got;

static inline ssize_t get(int fd, int flags)
{
	struct iovec v = {got.text, sizeof(got.text)};

	memset(&got, 0, sizeof(got));
	got.m = (struct msghdr){.msg_name = &got.from,
		.msg_namelen = sizeof(got.from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = got.control,
		.msg_controllen = sizeof(got.control)};
	got.n = plx_recvmsg(fd, &got.m, flags);
	return got.n;
}

static inline const void *cmsg(int level, int type, size_t bytes)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&got.m); h; h = CMSG_NXTHDR(&got.m, h)) {
		if (h->cmsg_level != level || h->cmsg_type != type)
			continue;
		eq(h->cmsg_len, CMSG_LEN(bytes));
		return CMSG_DATA(h);
	}
	return NULL;
}

static inline int cmsg_int(int level, int type)
{
	const void *p = cmsg(level, type, sizeof(int));
	int v;

	assert_non_null(p);
	memcpy(&v, p, sizeof(v));
	return v;
}
