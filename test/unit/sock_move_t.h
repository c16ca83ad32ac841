/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Sockets of ordinary threads, of which the test is one, that move among three stepped lcores.
 */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "sock_t.h"

#include "../../lib/net/move.h"

#define LCORES 3

static inline void wish(uint16_t lcore)
{
	uint16_t want[PLX_OWNER_BUCKETS_MAX], n = plx_net_buckets(nt.net);

	for (uint16_t i = 0; i < n; i++)
		want[i] = lcore;
	st_lock(NULL); /* plx_softnet_call() of a stepped engine */
	eq(plx_net_owners_set(nt.net, want, n), 0);
	st_unlock(NULL);
}

static inline struct plx_net_moves moves(void)
{
	struct plx_net_moves m;

	plx_net_moves_get(nt.net, &m);
	return m;
}

static inline void settled(void)
{
	st_sleep(PLX_MS(20));
	eq(moves().waiting, 0);
	eq(moves().reordered, 0);
	eq(moves().dropped, 0);
}

static inline void move(uint16_t lcore)
{
	wish(lcore);
	settled();
}

/* The calls of this thread are an ordinary one's. */
static inline void start(void)
{
	st_new();
	eq(plx_engine_lcores(nt.eng), LCORES);
	plx_sock_enter(st.s);
}

static inline int after(void **state)
{
	plx_sock_enter(NULL);
	return st_after(state);
}

#define MV_(name) cmocka_unit_test_teardown(name, after)

/* A connection of this thread to itself: nothing waits. */
static inline void pair(int c[2], uint16_t port)
{
	int l = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	eq(st_bind(l, "10.0.0.2", port), 0);
	eq(plx_listen(l, 8), 0);
	c[0] = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	fails(st_connect(c[0], "10.0.0.2", port), EINPROGRESS);
	st_run();
	c[1] = plx_accept4(l, NULL, NULL, SOCK_NONBLOCK);
	ok(c[1] >= 0);
	eq(plx_close(l), 0);
	eq(st_connect(c[0], "10.0.0.2", port), 0);
	st_run();
}

/* A datagram from or to a socket of ours. */
static inline void send_text(int fd, const char *text)
{
	eq(plx_send(fd, text, strlen(text), 0), (long)strlen(text));
	st_run();
}

static inline void recv_text(int fd, const char *text)
{
	char buf[64];

	eq(plx_recv(fd, buf, sizeof(buf), 0), (long)strlen(text));
	mem_eq(buf, text, strlen(text));
}

/* What the peer sends to the socket, with len bytes t_payload() has. */
static inline void from_peer(int fd, int len)
{
	struct sockaddr_in in;
	socklen_t n = sizeof(in);
	char text[128];

	eq(plx_getsockname(fd, (struct sockaddr *)&in, &n), 0);
	snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp 9 > %u len %d", ntohs(in.sin_port),
		len);
	nt_make(0, text);
	nt_feed(0);
	st_run();
}

/* Connected to port 9 of the peer, on the lcore of its flow. */
static inline int udp_client(void)
{
	int c = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ok(c >= 0);
	eq(st_connect(c, "10.0.0.1", 9), 0);
	st_run();
	return c;
}
