/* SPDX-License-Identifier: BSD-3-Clause */
#include "zerocopy_t.h"

#include <rte_malloc.h>

/* MSG_ZEROCOPY. */

static uint8_t plain[100000];

static ssize_t put(int fd, const void *p, size_t n)
{
	return plx_send(fd, p, n, MSG_ZEROCOPY | MSG_NOSIGNAL);
}

T(memory_of_dpdk_is_lent)
{
	uint8_t *p;
	int fd;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 100000, 0);
	assert_non_null(p);
	zt_fill(p, 0, 100000);
	fd = zt_socket(SOCK_STREAM);
	eq(put(fd, p, 10000), 10000);
	str_eq(zt_told(fd), "-");
	ok(!(zt_poll(fd) & POLLERR));
	zt_sleep(PLX_MS(50));
	ok(zt_poll(fd) & POLLERR);
	str_eq(zt_told(fd), "0-0");
	str_eq(zt_told(fd), "-");
	ok(!(zt_poll(fd) & POLLERR));
	for (int i = 1; i < 10; i++) {
		eq(put(fd, p + i * 10000, 10000), 10000);
		zt_sleep(PLX_MS(50));
	}
	eq(zt.got, 100000);
	str_eq(zt_told(fd), "1-9");
	str_eq(zt_told(fd), "-");
	zt_stop();
	rte_free(p);
}

T(other_memory_is_copied_and_told_so)
{
	struct iovec v[3];
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 3};
	uint8_t *p;
	int fd;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 2000, 0);
	fd = zt_socket(SOCK_STREAM);
	zt_fill(plain, 0, 6000);
	zt_fill(p, 2000, 2000);
	eq(put(fd, plain, 1000), 1000);
	memset(plain, 0, 1000); /* it is ours again */
	str_eq(zt_told(fd), "0-0 copied");
	/* of both kinds */
	v[0] = (struct iovec){plain + 1000, 1000};
	v[1] = (struct iovec){p, 2000};
	v[2] = (struct iovec){plain + 4000, 1000};
	eq(plx_sendmsg(fd, &m, MSG_ZEROCOPY), 4000);
	str_eq(zt_told(fd), "-");
	zt_sleep(PLX_MS(50));
	str_eq(zt_told(fd), "1-1 copied");
	eq(put(fd, p, 0), 0); /* of nothing there is nothing to tell */
	eq(zt.got, 5000);
	zt_stop();
	rte_free(p);
}

T(who_has_not_asked_is_not_told)
{
	int fd, off = 0;

	zt_new("", NULL, 0);
	zt_fill(plain, 0, 100);
	fd = zt_socket(SOCK_STREAM);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &off, sizeof(off)), 0);
	eq(put(fd, plain, 100), 100);
	zt_sleep(PLX_MS(50));
	str_eq(zt_told(fd), "-");
}

T(too_many_that_nobody_has_looked_at)
{
	uint8_t *p;
	int fd, n = 0;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 1000, 0);
	zt_fill(p, 0, 1000);
	fd = zt_socket(SOCK_STREAM);
	while (put(fd, p + n, 1) == 1)
		n++;
	eq(errno, ENOBUFS);
	eq(n, 128);
	zt_sleep(PLX_MS(500));
	str_eq(zt_told(fd), "0-127 copied"); /* a segment of so many pieces */
	eq(put(fd, p + n, 1), 1);
	zt_stop();
	rte_free(p);
}

T(a_call_that_fails_has_no_number)
{
	int fd, on = 1;
	ssize_t k;

	zt_new("", NULL, 0);
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), 0);
	fails(put(fd, plain, 10), EPIPE);
	str_eq(zt_told(fd), "-");
	fd = zt_socket(SOCK_STREAM);
	zt.hold = true;
	do {
		k = plx_send(fd, plain, sizeof(plain), 0);
		zt_run();
	} while (k > 0);
	fails(put(fd, plain, 10), EAGAIN);
	fails(put(fd, plain, 10), EAGAIN);
	str_eq(zt_told(fd), "-");
	zt.c = NULL;
	eq(plx_close(fd), 0);
}

T(datagrams_are_lent_too)
{
	struct sockaddr_in in = zt_sa("192.0.2.1");
	uint8_t *p;
	int fd, on = 1;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 20000, 0);
	zt_fill(p, 0, 20000);
	zt_fill(plain, 0, 1000);
	fd = zt_socket(SOCK_DGRAM);
	eq(put(fd, p, 1400), 1400);
	str_eq(zt_told(fd), "-");
	zt_run();
	str_eq(zt_told(fd), "0-0");
	eq(put(fd, plain, 1000), 1000);
	str_eq(zt_told(fd), "1-1 copied");
	eq(put(fd, p, 5000), 5000); /* in fragments */
	zt_run();
	str_eq(zt_told(fd), "2-2 copied");
	eq(plx_send(fd, p, 10, MSG_ZEROCOPY | MSG_MORE), 10);
	str_eq(zt_told(fd), "3-3 copied");
	eq(put(fd, p + 10, 10), 10);
	str_eq(zt_told(fd), "4-4 copied");
	zt_run();
	eq(zt.datagrams, 4);
	eq(zt.bad, 0);
	/* refused: no number */
	eq(plx_close(fd), 0);
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), 0);
	fails(plx_sendto(fd, p, 100, MSG_ZEROCOPY, (struct sockaddr *)&in, sizeof(in)),
		ENETUNREACH);
	in = zt_sa("10.0.0.2");
	eq(plx_sendto(fd, p, 100, MSG_ZEROCOPY, (struct sockaddr *)&in, sizeof(in)), 100);
	zt_run();
	str_eq(zt_told(fd), "0-0");
	str_eq(zt_told(fd), "-");
	zt_stop();
	rte_free(p);
}

struct sender {
	int fd;
	const uint8_t *p;
	ssize_t sent;
	bool over;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	s->sent = put(s->fd, s->p, 900000);
	__atomic_store_n(&s->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* It waits for room many times, and is one call all the same. */
T(a_thread_lends_more_than_there_is_room_for)
{
	struct sender s = {0};
	int small = 50000;
	pthread_t thread;
	uint8_t *p;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 900000, 0);
	assert_non_null(p);
	zt_fill(p, 0, 900000);
	s.p = p;
	s.fd = zt_socket(SOCK_STREAM);
	eq(plx_setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	eq(pthread_create(&thread, NULL, send_all, &s), 0);
	while (!__atomic_load_n(&s.over, __ATOMIC_ACQUIRE)) {
		zt_sleep(PLX_MS(1));
		if (!zt.got)
			str_eq(zt_told(s.fd), "-");
	}
	eq(pthread_join(thread, NULL), 0);
	eq(s.sent, 900000);
	zt_sleep(PLX_MS(500));
	eq(zt.got, 900000);
	str_eq(zt_told(s.fd), "0-0");
	str_eq(zt_told(s.fd), "-");
	zt_stop();
	rte_free(p);
}

/* close() ends the call; what was lent by then is free again in the end. */
T(close_while_a_thread_waits_to_lend)
{
	struct sender s = {0};
	pthread_t thread;
	uint8_t *p;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 900000, 0);
	assert_non_null(p);
	zt_fill(p, 0, 900000);
	s.p = p;
	s.fd = zt_socket(SOCK_STREAM);
	zt.hold = true;
	eq(pthread_create(&thread, NULL, send_all, &s), 0);
	zt_sleep(PLX_MS(1));
	while (plx_net_tcp_readable(zt.c) < 30000)
		zt_sleep(PLX_MS(1));
	zt_lock(NULL);
	eq(plx_close(s.fd), 0);
	zt_unlock(NULL);
	eq(pthread_join(thread, NULL), 0);
	ok(s.sent > 0 || s.sent == -1);
	zt.hold = false;
	zt_lock(NULL);
	zt_read(plx_engine_softnet(zt.eng[1], 0), zt.c);
	zt_unlock(NULL);
	zt_sleep(PLX_SEC(1));
	eq(zt.got, s.sent);
	zt_stop();
	rte_free(p);
}

/* Nobody is told of a socket that is closed; but nothing is kept, and nothing is touched. */
T(closed_before_it_is_free)
{
	uint8_t *p;
	int fd;

	zt_new("", NULL, 0);
	p = rte_malloc(NULL, 50000, 0);
	zt_fill(p, 0, 50000);
	fd = zt_socket(SOCK_STREAM);
	eq(put(fd, p, 10000), 10000);
	eq(put(fd, p + 10000, 10000), 10000);
	eq(plx_close(fd), 0);
	zt_sleep(PLX_SEC(1));
	eq(zt.got, 20000);
	/* and at the end of the run, too */
	zt.got = 0;
	zt.c = NULL;
	fd = zt_socket(SOCK_STREAM);
	eq(put(fd, p, 10000), 10000);
	zt_stop();
	rte_free(p);
}

RUN_EAL(ZT_(memory_of_dpdk_is_lent), ZT_(other_memory_is_copied_and_told_so),
	ZT_(who_has_not_asked_is_not_told), ZT_(too_many_that_nobody_has_looked_at),
	ZT_(a_call_that_fails_has_no_number), ZT_(datagrams_are_lent_too),
	ZT_(a_thread_lends_more_than_there_is_room_for), ZT_(close_while_a_thread_waits_to_lend),
	ZT_(closed_before_it_is_free))
