/* SPDX-License-Identifier: BSD-3-Clause */
/* poll() and select(): their own rules. */
#define ROWS "poll"
#include "kit.h"

static int c, s; /* one row at a time */

static void text(void)
{
	put(c, "abc");
	await(s, POLLIN);
}

static void text_later(void *arg)
{
	put(c, "abc");
}

ROW(poll_args, "poll(): -1 is left out, closed ones are NVAL; none at all")
{
	struct pollfd p[3] = {{.fd = -1, .events = POLLIN, .revents = POLLHUP},
		{.fd = udp(), .events = POLLOUT}, {.fd = udp(), .events = POLLIN}};

	drop(p[2].fd);
	num(S(poll)(p, 3, 0));
	for (int i = 0; i < 3; i++)
		say("%s", events_text((unsigned short)p[i].revents));
	num(S(poll)(NULL, 0, 0));
	num(S(poll)(NULL, 0, 10));
}

ROW(poll_same_twice, "poll(): one socket twice")
{
	int u = udp();
	struct pollfd p[2] = {{.fd = u, .events = POLLOUT}, {.fd = u, .events = POLLIN}};

	num(S(poll)(p, 2, 0));
	say("%s %s", events_text((unsigned short)p[0].revents),
		events_text((unsigned short)p[1].revents));
}

ROW(poll_too_many, "poll(): more than RLIMIT_NOFILE")
{
	static struct pollfd many[1];

	num(S(poll)(many, 1000000000, 0));
}

ROW(poll_wakes, "poll(): waits until something comes")
{
	struct pollfd p;

	tcp_pair(&c, &s);
	p = (struct pollfd){.fd = s, .events = POLLIN};
	later(30, text_later, NULL);
	num(S(poll)(&p, 1, 3000));
	say("%s", events_text((unsigned short)p.revents));
}

ROW(poll_mixed, "poll(): together with a pipe of the kernel")
{
	int fds[2];
	struct pollfd p[2];

	tcp_pair(&c, &s);
	if (pipe(fds) != 0)
		abort();
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = s, .events = POLLIN};
	num(S(poll)(p, 2, 0));
	if (write(fds[1], "x", 1) != 1)
		abort();
	num(S(poll)(p, 2, 3000));
	say("%s %s", events_text((unsigned short)p[0].revents),
		events_text((unsigned short)p[1].revents));
	text();
	num(S(poll)(p, 2, 3000));
	close(fds[0]);
	close(fds[1]);
}

ROW(ppoll_args, "ppoll(): a time that is none; a signal let through")
{
	struct timespec bad = {.tv_nsec = 2000000000}, negative = {.tv_sec = -1};
	struct pollfd p = {.fd = udp(), .events = POLLOUT};

	num(S(ppoll)(&p, 1, &bad, NULL));
	num(S(ppoll)(&p, 1, &negative, NULL));
	num(S(ppoll)(&p, 1, &(struct timespec){0}, NULL));
}

static void put_later(void *from)
{
	put(*(const int *)from, "abc");
}

ROW(poll_long, "ppoll(), select(): a time beyond all counting; text comes meanwhile")
{
	static const long long times[] = {2147484, 4294968, 1LL << 44, 1LL << 58, INT64_MAX};
	int from, to;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct timespec ts = {.tv_sec = times[i]};
		struct timeval tv = {.tv_sec = times[i]};
		struct pollfd p;
		fd_set rd;

		udp_pair(&from, &to);
		p = (struct pollfd){.fd = to, .events = POLLIN};
		later(60, put_later, &from);
		num(S(ppoll)(&p, 1, &ts, NULL));
		get(to, 10);
		FD_ZERO(&rd);
		FD_SET(to, &rd);
		put(from, "abc");
		num(S(select)(to + 1, &rd, NULL, NULL, &tv));
		say("%d", tv.tv_sec >= times[0] - 10);
		nap_ms(100);
	}
}

ROW(poll_file, "poll(): a plain file, for what it never has")
{
	struct pollfd p = {.fd = open("/proc/self/exe", O_RDONLY), .events = POLLPRI};

	num(S(poll)(&p, 1, 50));
	p.events = POLLIN;
	num(S(poll)(&p, 1, 50));
	close(p.fd);
}

ROW(select_args, "select(): closed; too many; a time that is none")
{
	struct timeval zero = {0}, bad = {.tv_sec = -1};
	int u = udp(), v = udp();
	fd_set rd;

	FD_ZERO(&rd);
	FD_SET(u, &rd);
	num(S(select)(u + 1, &rd, NULL, NULL, &zero));
	FD_SET(u, &rd);
	drop(v);
	FD_SET(v, &rd);
	num(S(select)(v + 1, &rd, NULL, NULL, &zero));
	num(S(select)(-1, NULL, NULL, NULL, &zero));
	num(S(select)(0, NULL, NULL, NULL, &bad));
	num(S(select)(0, NULL, NULL, NULL, &zero));
}

ROW(select_time_left, "select(): leaves the time that is left; pselect() does not")
{
	struct timeval tv = {.tv_sec = 5};
	struct timespec ts = {.tv_sec = 5};
	fd_set wr;
	int u = udp();

	FD_ZERO(&wr);
	FD_SET(u, &wr);
	num(S(select)(u + 1, NULL, &wr, NULL, &tv));
	say("%d", tv.tv_sec >= 4);
	num(S(pselect)(u + 1, NULL, &wr, NULL, &ts, NULL));
	say("%d", (int)ts.tv_sec);
	tv = (struct timeval){.tv_usec = 20000};
	FD_ZERO(&wr);
	num(S(select)(0, NULL, NULL, NULL, &tv));
	say("%d", (int)(tv.tv_sec + tv.tv_usec));
}
