/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

/* Epoll sets, and eventfds to try them with. */

static int one(int set, struct epoll_event *ev)
{
	struct epoll_event evs[8];
	int n = plx_epoll_wait(set, evs, 8, 0);

	*ev = evs[0];
	return n;
}

static int add(int set, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	return plx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

static int mod(int set, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	return plx_epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev);
}

static void ring(int fd)
{
	uint64_t n = 1;

	eq(plx_write(fd, &n, sizeof(n)), 8);
}

static uint64_t drain(int fd)
{
	uint64_t n = 0;

	eq(plx_read(fd, &n, sizeof(n)), 8);
	return n;
}

T(level)
{
	struct epoll_event ev;
	int set, e;

	st_new();
	set = plx_epoll_create1(0);
	e = plx_eventfd(0, 0);
	eq(add(set, e, EPOLLIN), 0);
	eq(one(set, &ev), 0);
	ring(e);
	ring(e);
	eq(one(set, &ev), 1);
	eq(ev.events, EPOLLIN);
	eq(ev.data.fd, e);
	eq(one(set, &ev), 1);
	eq(drain(e), 2);
	eq(one(set, &ev), 0);
}

T(edge)
{
	struct epoll_event ev;
	int set, e;

	st_new();
	set = plx_epoll_create1(0);
	e = plx_eventfd(0, 0);
	eq(add(set, e, EPOLLIN | EPOLLET), 0);
	ring(e);
	eq(one(set, &ev), 1);
	eq(one(set, &ev), 0);
	ring(e); /* another one, though the first has not been read */
	eq(one(set, &ev), 1);
	drain(e);
	eq(one(set, &ev), 0);
}

T(one_shot)
{
	struct epoll_event ev;
	int set, e;

	st_new();
	set = plx_epoll_create1(0);
	e = plx_eventfd(1, 0);
	eq(add(set, e, EPOLLIN | EPOLLONESHOT), 0);
	eq(one(set, &ev), 1);
	ring(e);
	eq(one(set, &ev), 0);
	eq(mod(set, e, EPOLLIN | EPOLLONESHOT), 0);
	eq(one(set, &ev), 1);
}

T(nested)
{
	struct epoll_event ev;
	int a, b, e, chain[6];

	st_new();
	a = plx_epoll_create1(0);
	b = plx_epoll_create1(0);
	e = plx_eventfd(0, 0);
	eq(add(a, b, EPOLLIN), 0);
	eq(add(b, e, EPOLLIN), 0);
	fails(add(b, a, EPOLLIN), ELOOP);
	fails(add(a, a, EPOLLIN), EINVAL);
	eq(one(a, &ev), 0);
	ring(e);
	eq(one(a, &ev), 1);
	eq(ev.data.fd, b);
	drain(e);
	eq(one(a, &ev), 0);
	for (int i = 0; i < 6; i++)
		chain[i] = plx_epoll_create1(0);
	for (int i = 0; i < 3; i++)
		eq(add(chain[i + 1], chain[i], EPOLLIN), 0);
	eq(add(chain[0], e, EPOLLIN), 0);
	eq(add(chain[4], chain[3], EPOLLIN), 0);
	fails(add(chain[5], chain[4], EPOLLIN), ELOOP);
}

T(errors)
{
	struct epoll_event ev;
	int set, e;

	st_new();
	fails(plx_epoll_create(0), EINVAL);
	fails(plx_epoll_create1(1), EINVAL);
	set = plx_epoll_create(1);
	e = plx_eventfd(0, 0);
	fails(mod(set, e, EPOLLIN), ENOENT);
	fails(plx_epoll_ctl(set, EPOLL_CTL_DEL, e, NULL), ENOENT);
	eq(add(set, e, EPOLLIN), 0);
	fails(add(set, e, EPOLLIN), EEXIST);
	fails(add(e, set, EPOLLIN), EINVAL);
	fails(add(set, -1, EPOLLIN), EBADF);
	fails(plx_epoll_wait(set, &ev, 0, 0), EINVAL);
	fails(plx_epoll_wait(e, &ev, 1, 0), EINVAL);
	fails(mod(set, e, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
	eq(plx_close(e), 0);
	fails(mod(set, e, EPOLLIN), EBADF);
}

T(closed_while_ready)
{
	struct epoll_event ev;
	int set, e;

	st_new();
	set = plx_epoll_create1(0);
	e = plx_eventfd(1, 0);
	eq(add(set, e, EPOLLIN), 0);
	eq(plx_close(e), 0);
	eq(one(set, &ev), 0);
	e = plx_eventfd(1, 0);
	eq(add(set, e, EPOLLIN), 0);
	eq(plx_close(set), 0);
	eq(drain(e), 1);
}

/* What is ready is found without asking those that are not. */
T(many_and_one)
{
	enum { N = 1000 };
	struct epoll_event ev;
	int set, e[N];

	st_new();
	set = plx_epoll_create1(0);
	for (int i = 0; i < N; i++) {
		e[i] = plx_eventfd(0, 0);
		eq(add(set, e[i], EPOLLIN), 0);
	}
	for (int i = 0; i < N; i += 7) {
		ring(e[i]);
		eq(one(set, &ev), 1);
		eq(ev.data.fd, e[i]);
		drain(e[i]);
	}
}

/* The first whose program has found nothing is told; what nobody waits in takes no event away. */
T(exclusive)
{
	struct epoll_event ev;
	int set[3], e;

	st_new();
	e = plx_eventfd(0, 0);
	for (int i = 0; i < 3; i++) {
		set[i] = plx_epoll_create1(0);
		eq(add(set[i], e, EPOLLIN | EPOLLEXCLUSIVE), 0);
	}
	eq(one(set[1], &ev), 0);
	eq(one(set[2], &ev), 0);
	ring(e);
	eq(one(set[2], &ev), 0);
	eq(one(set[1], &ev), 1);
	eq(one(set[0], &ev), 1);
	drain(e);
	eq(one(set[0], &ev), 0);
	eq(one(set[1], &ev), 0);
	eq(one(set[2], &ev), 0);
	ring(e);
	ring(e); /* the first one has not looked yet */
	eq(one(set[2], &ev), 0);
	eq(one(set[1], &ev), 1);
	eq(one(set[0], &ev), 1);
}

RUN_EAL(ST_(exclusive), ST_(level), ST_(edge), ST_(one_shot), ST_(nested), ST_(errors),
	ST_(closed_while_ready), ST_(many_and_one))
