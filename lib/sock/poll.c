/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "futex.h"

/*
 * poll(2) and select(2): each file is asked. When none has got anything, an epoll set that lives as
 * long as the call waits for all of them, and then they are asked again.
 */

/* What each of select's sets is about (Linux's fs/select.c). */
#define SET_IN	(POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SET_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SET_EX	POLLPRI

static long poll_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->poll(sl, f);
}

static short ask(const struct pollfd *p)
{
	struct sock_op op = {.run = poll_run, .fd = p->fd, .uses = true};
	struct pollfd theirs = *p;
	long r;

	if (p->fd < 0)
		return 0;
	if (!plx_sock_is_ours(p->fd))
		return poll(&theirs, 1, 0) < 0 ? POLLNVAL : theirs.revents;
	r = sock__call(&op);
	return r < 0 ? POLLNVAL : (short)(r & (p->events | POLLERR | POLLHUP));
}

static int ask_all(struct pollfd *fds, nfds_t n)
{
	int some = 0;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = ask(&fds[i]);
		some += fds[i].revents != 0;
	}
	return some;
}

/* One file, however often it is named. */
static uint32_t events_of(const struct pollfd *fds, nfds_t n, int fd)
{
	uint32_t events = 0;

	for (nfds_t i = 0; i < n; i++)
		if (fds[i].fd == fd)
			events |= (uint16_t)fds[i].events;
	return events;
}

/* @return 0; 1: one of them has just been closed; -1 and errno. */
static int watch_all(int set, const struct pollfd *fds, nfds_t n)
{
	int gone = 0;

	for (nfds_t i = 0; i < n; i++) {
		struct epoll_event ev = {.events = (uint16_t)fds[i].events};

		if (fds[i].fd < 0 || plx_epoll_ctl(set, EPOLL_CTL_ADD, fds[i].fd, &ev) == 0)
			continue;
		if (errno == EBADF) {
			gone = 1; /* which is seen when they are asked again */
			continue;
		}
		if (errno == EPERM) /* it has what it will ever have */
			continue;
		if (errno != EEXIST)
			return -1;
		ev.events = events_of(fds, n, fds[i].fd);
		plx_epoll_ctl(set, EPOLL_CTL_MOD, fds[i].fd, &ev);
	}
	return gone;
}

/* So long that nobody sees the end of it, and nothing overflows: a thousand years. */
#define LONG_S INT64_C(31536000000)

/* epoll_wait() counts 24 days: then it is asked again. */
static int as_ms(int64_t us)
{
	return us < 0 ? -1 : (int)PLX_MIN((us + 999) / 1000, (int64_t)INT_MAX);
}

static int wait_for(int set, struct pollfd *fds, nfds_t n, int64_t until_us, const sigset_t *mask)
{
	for (;;) {
		int64_t left = until_us < 0 ? -1 : PLX_MAX(until_us - sock__mono_us(), 0);
		struct epoll_event ev;
		int some;

		if (plx_epoll_pwait(set, &ev, 1, as_ms(left), mask) < 0)
			return -1;
		some = ask_all(fds, n);
		if (some || left == 0)
			return some;
	}
}

/* As many as there can be descriptors, the kernel's and ours. */
static bool too_many(nfds_t n)
{
	struct rlimit limit;

	return n > FD_SETSIZE && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       n > limit.rlim_cur + sock__files();
}

/* @param timeout_us < 0 = for ever. */
static int do_poll(struct pollfd *fds, nfds_t n, int64_t timeout_us, const sigset_t *mask)
{
	int64_t until = timeout_us < 0 ? -1 : sock__mono_us() + timeout_us;
	int some, set, err;

	if (too_many(n)) {
		errno = EINVAL;
		return -1;
	}
	some = ask_all(fds, n);
	if (some || timeout_us == 0 || sock__self())
		return some;
	set = plx_epoll_create1(0);
	if (set < 0)
		return -1;
	some = watch_all(set, fds, n);
	if (some > 0)
		some = ask_all(fds, n);
	if (some == 0)
		some = wait_for(set, fds, n, until, mask);
	err = errno;
	plx_close(set);
	errno = err;
	return some;
}

int plx_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	return do_poll(fds, n, timeout_ms < 0 ? -1 : timeout_ms * INT64_C(1000), NULL);
}

static int64_t as_us(const struct timespec *t)
{
	return t ? PLX_MIN((int64_t)t->tv_sec, LONG_S) * 1000000 + (t->tv_nsec + 999) / 1000 : -1;
}

static bool is_bad(const struct timespec *t)
{
	return t && (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= 1000000000);
}

int plx_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	if (is_bad(timeout)) {
		errno = EINVAL;
		return -1;
	}
	return do_poll(fds, n, as_us(timeout), mask);
}

/* ---- select ---- */

static bool has(const fd_set *s, int fd)
{
	return s && FD_ISSET(fd, s);
}

static nfds_t from_sets(
	struct pollfd *p, int n, const fd_set *rd, const fd_set *wr, const fd_set *ex)
{
	nfds_t k = 0;

	for (int fd = 0; fd < n; fd++) {
		int events = (has(rd, fd) ? SET_IN : 0) | (has(wr, fd) ? SET_OUT : 0) |
			     (has(ex, fd) ? SET_EX : 0);

		if (events)
			p[k++] = (struct pollfd){.fd = fd, .events = (short)events};
	}
	return k;
}

static int keep(fd_set *s, int fd, bool on)
{
	if (!has(s, fd))
		return 0;
	if (!on)
		FD_CLR(fd, s);
	return on;
}

static int to_sets(const struct pollfd *p, nfds_t n, fd_set *rd, fd_set *wr, fd_set *ex)
{
	int some = 0;

	for (nfds_t i = 0; i < n; i++)
		if (p[i].revents & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
	for (nfds_t i = 0; i < n; i++) {
		some += keep(rd, p[i].fd, p[i].revents & SET_IN);
		some += keep(wr, p[i].fd, p[i].revents & SET_OUT);
		some += keep(ex, p[i].fd, p[i].revents & SET_EX);
	}
	return some;
}

static int do_select(
	int n, fd_set *rd, fd_set *wr, fd_set *ex, int64_t timeout_us, const sigset_t *mask)
{
	struct pollfd p[FD_SETSIZE];
	nfds_t k;
	int r;

	if (n < 0) {
		errno = EINVAL;
		return -1;
	}
	n = PLX_MIN(n, FD_SETSIZE); /* as Linux cuts it to what is open */
	k = from_sets(p, n, rd, wr, ex);
	r = do_poll(p, k, timeout_us, mask);
	return r < 0 ? r : to_sets(p, k, rd, wr, ex);
}

/* poll_select_finish(): what is left of it, as Linux does, and POSIX allows. */
static void take_off(struct timeval *t, int64_t us)
{
	int64_t s = us / 1000000 + (t->tv_usec < us % 1000000);

	if (t->tv_sec < s) {
		*t = (struct timeval){0};
		return;
	}
	t->tv_usec += (s - us / 1000000) * 1000000 - us % 1000000;
	t->tv_sec -= s;
}

int plx_select(int n, fd_set *rd, fd_set *wr, fd_set *ex, struct timeval *timeout)
{
	int64_t begin = sock__mono_us();
	struct timespec t = {0};
	int r;

	if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)) {
		errno = EINVAL;
		return -1;
	}
	if (timeout) {
		timeout->tv_sec += PLX_MIN(timeout->tv_usec / 1000000, INT64_MAX - timeout->tv_sec);
		timeout->tv_usec %= 1000000;
		t = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
	}
	r = do_select(n, rd, wr, ex, as_us(timeout ? &t : NULL), NULL);
	if (timeout)
		take_off(timeout, sock__mono_us() - begin);
	return r;
}

int plx_pselect(int n, fd_set *rd, fd_set *wr, fd_set *ex, const struct timespec *timeout,
	const sigset_t *mask)
{
	if (is_bad(timeout)) {
		errno = EINVAL;
		return -1;
	}
	return do_select(n, rd, wr, ex, as_us(timeout), mask);
}
