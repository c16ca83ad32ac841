/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Sockets in a test: the stack of net_t.h, its main thread as the lcore that owns them. What they
 * send to 10.0.0.2 or 2001:db8::2 comes back to ourselves. Threads of st_thread() are ordinary
 * ones: their calls wait.
 */
#include "net_t.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <plx_sock.h>

static struct st {
	struct plx_sock *s;
	pthread_mutex_t lock;
	bool threads; /* calls wait for each other */
} st;

static void st_lock(void *arg)
{
	pthread_mutex_lock(&st.lock);
}

static void st_unlock(void *arg)
{
	pthread_mutex_unlock(&st.lock);
}

/** Run what is due, with other threads about. */
static inline void st_run(void)
{
	st_lock(NULL);
	nt_run();
	st_unlock(NULL);
}

static inline void st_sleep(plx_ns ns)
{
	st_lock(NULL);
	nt_sleep(ns);
	st_unlock(NULL);
}

/** The stack with its sockets, settled. */
static inline void st_new(void)
{
	static const struct plx_sock_conf conf = {
		.bytes = 4 << 20, .lock = st_lock, .unlock = st_unlock};
	struct plx_error e;

	pthread_mutex_init(&st.lock, NULL);
	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	st.s = plx_sock_create(nt.net, &conf, &e);
	assert_non_null(st.s);
	nt_settle();
}

static inline int st_after(void **state)
{
	nt_stop_engine();
	plx_sock_destroy(st.s);
	st.s = NULL;
	return nt_after(state);
}

#define ST_(name) cmocka_unit_test_teardown(name, st_after)

/** "10.0.0.2", 80 or "2001:db8::2", 80. @return its length. */
static inline socklen_t st_sa(struct sockaddr_storage *ss, const char *addr, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, addr, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	ok(inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

/** As text: "10.0.0.2:80". */
static inline const char *st_text(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	static char text[80];
	char a[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET)
		snprintf(text, sizeof(text), "%s:%u", inet_ntop(AF_INET, &in->sin_addr, a, 80),
			ntohs(in->sin_port));
	else
		snprintf(text, sizeof(text), "[%s]:%u", inet_ntop(AF_INET6, &in6->sin6_addr, a, 80),
			ntohs(in6->sin6_port));
	return text;
}

static inline int st_bind(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, addr, port);

	return plx_bind(fd, (struct sockaddr *)&ss, len);
}

static inline int st_connect(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, addr, port);

	return plx_connect(fd, (struct sockaddr *)&ss, len);
}

/** A call fails with this errno. */
#define fails(call, err)                                                                           \
	do {                                                                                       \
		eq(call, -1);                                                                      \
		eq(errno, err);                                                                    \
	} while (0)

static inline int st_listen(const char *addr, uint16_t port)
{
	int fd = plx_socket(strchr(addr, ':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

	ok(fd >= 0);
	eq(st_bind(fd, addr, port), 0);
	eq(plx_listen(fd, 8), 0);
	return fd;
}

/** A connection to ourselves: c[0] has connected, c[1] was accepted by a listener on a port. */
static inline void st_pair(int c[2], const char *addr, uint16_t port)
{
	int l = st_listen(addr, port);

	c[0] = plx_socket(strchr(addr, ':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	fails(st_connect(c[0], addr, port), EINPROGRESS);
	nt_run();
	c[1] = plx_accept(l, NULL, NULL);
	ok(c[1] >= 0);
	eq(plx_close(l), 0);
	eq(st_connect(c[0], addr, port), 0); /* it is finished */
}

/** What is true of fd now, of all that can be. */
static inline uint32_t st_poll(int fd)
{
	struct pollfd p = {.fd = fd, .events = (short)0xffff};

	eq(plx_poll(&p, 1, 0) >= 0, 1);
	return (uint16_t)p.revents;
}
