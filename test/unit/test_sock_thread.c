/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <signal.h>
#include <sys/wait.h>

/* Calls of ordinary threads: they wait, and are ended by signals, timeouts and close(). */

struct call {
	pthread_t thread;
	long (*fn)(struct call *c);
	int fd, other;
	long result;
	int err;
	char buf[64];
	bool done;
};

static void *do_call(void *arg)
{
	struct call *c = arg;

	plx_sock_enter(st.s);
	errno = 0;
	c->result = c->fn(c);
	c->err = errno;
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin(struct call *c, long (*fn)(struct call *c), int fd)
{
	*c = (struct call){.fn = fn, .fd = fd};
	eq(pthread_create(&c->thread, NULL, do_call, c), 0);
}

/* It sleeps for 20 ms: it waits. */
static void still(struct call *c)
{
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		st_run();
	}
	ok(!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE));
}

static long end(struct call *c)
{
	for (int i = 0; i < 5000 && !__atomic_load_n(&c->done, __ATOMIC_ACQUIRE); i++) {
		st_sleep(PLX_MS(1));
		usleep(1000);
	}
	ok(__atomic_load_n(&c->done, __ATOMIC_ACQUIRE));
	pthread_join(c->thread, NULL);
	return c->result;
}

static long do_recv(struct call *c)
{
	return plx_recv(c->fd, c->buf, sizeof(c->buf), 0);
}

static long do_recv_all(struct call *c)
{
	return plx_recv(c->fd, c->buf, 10, MSG_WAITALL);
}

static long do_accept(struct call *c)
{
	return plx_accept(c->fd, NULL, NULL);
}

static long do_connect(struct call *c)
{
	return st_connect(c->fd, "10.0.0.2", 80);
}

T(receive)
{
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	begin(&r, do_recv, c[1]);
	still(&r);
	st_lock(NULL);
	eq(plx_send(c[0], "now", 3, 0), 3);
	st_unlock(NULL);
	eq(end(&r), 3);
	mem_eq(r.buf, "now", 3);
}

T(receive_all)
{
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	begin(&r, do_recv_all, c[1]);
	for (int i = 0; i < 2; i++) {
		still(&r);
		st_lock(NULL);
		eq(plx_send(c[0], "12345", 5, 0), 5);
		st_unlock(NULL);
	}
	eq(end(&r), 10);
	mem_eq(r.buf, "1234512345", 10);
}

T(accept_and_connect)
{
	struct call a, c;
	int l;

	st_new();
	l = st_listen("10.0.0.2", 80);
	begin(&a, do_accept, l);
	still(&a);
	begin(&c, do_connect, plx_socket(AF_INET, SOCK_STREAM, 0));
	eq(end(&c), 0);
	ok(end(&a) >= 0);
}

T(a_refused_connect)
{
	struct call c;

	st_new();
	begin(&c, do_connect, plx_socket(AF_INET, SOCK_STREAM, 0));
	eq(end(&c), -1);
	eq(c.err, ECONNREFUSED);
}

T(a_timeout)
{
	struct timeval tv = {.tv_usec = 30000};
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	begin(&r, do_recv, c[1]);
	eq(end(&r), -1);
	eq(r.err, EAGAIN);
}

/* What came first moves SO_PEEK_OFF, and with that the place of the options. */
T(a_timeout_after_some_of_it)
{
	struct timeval tv = {.tv_usec = 30000};
	socklen_t len = sizeof(int);
	int c[2], off = 4;
	struct call r;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)), 0);
	begin(&r, do_recv_all, c[1]);
	st_lock(NULL);
	eq(plx_send(c[0], "abc", 3, 0), 3);
	st_unlock(NULL);
	eq(end(&r), 3);
	eq(plx_getsockopt(c[1], SOL_SOCKET, SO_PEEK_OFF, &off, &len), 0);
	eq(off, 1);
}

static long do_peek_all(struct call *c)
{
	return plx_recv(c->fd, c->buf, 10, MSG_WAITALL | MSG_PEEK);
}

static void send_later(struct call *r, int to, const char *text)
{
	still(r);
	st_lock(NULL);
	eq(plx_send(to, text, strlen(text), 0), strlen(text));
	st_unlock(NULL);
}

/* A look that waits for more than comes says what it has seen, with SO_PEEK_OFF and without. */
T(a_look_that_waits)
{
	struct timeval tv = {.tv_usec = 30000};
	socklen_t len = sizeof(int);
	int c[2], off = 1;
	struct call r;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	eq(plx_send(c[0], "abc", 3, 0), 3);
	st_sleep(PLX_SEC(1));
	begin(&r, do_peek_all, c[1]);
	eq(end(&r), 3);
	mem_eq(r.buf, "abc", 3);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)), 0);
	begin(&r, do_peek_all, c[1]);
	send_later(&r, c[0], "de");
	eq(end(&r), 4);
	mem_eq(r.buf, "bcde", 4);
	eq(plx_getsockopt(c[1], SOL_SOCKET, SO_PEEK_OFF, &off, &len), 0);
	eq(off, 5);
	begin(&r, do_peek_all, c[1]);
	eq(end(&r), -1);
	eq(r.err, EAGAIN);
}

T(what_waits_for_all_stops_at_the_urgent_byte)
{
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	begin(&r, do_recv_all, c[1]);
	send_later(&r, c[0], "ab");
	still(&r);
	st_lock(NULL);
	eq(plx_send(c[0], "cX", 2, MSG_OOB), 2);
	eq(plx_send(c[0], "de", 2, 0), 2);
	st_unlock(NULL);
	eq(end(&r), 3);
	begin(&r, do_recv_all, c[1]);
	send_later(&r, c[0], "01234567");
	eq(end(&r), 10);
	mem_eq(r.buf, "de01234567", 10);
	begin(&r, do_peek_all, c[1]);
	still(&r);
	st_lock(NULL);
	eq(plx_send(c[0], "fgX", 3, MSG_OOB), 3);
	st_unlock(NULL);
	eq(end(&r), 2);
}

T(a_look_over_the_urgent_byte_waits)
{
	int c[2], off = 2;
	struct call r;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)), 0);
	eq(plx_send(c[0], "abX", 3, MSG_OOB), 3);
	st_sleep(PLX_SEC(1));
	begin(&r, do_peek_all, c[1]);
	send_later(&r, c[0], "01234");
	send_later(&r, c[0], "56789");
	eq(end(&r), 10);
	mem_eq(r.buf, "0123456789", 10);
}

static void on_signal(int sig)
{
}

static void signals(int flags)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};

	eq(sigaction(SIGUSR1, &sa, NULL), 0);
}

T(a_signal)
{
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	signals(0);
	begin(&r, do_recv, c[1]);
	still(&r);
	pthread_kill(r.thread, SIGUSR1);
	eq(end(&r), -1);
	eq(r.err, EINTR);
	signals(SA_RESTART);
	begin(&r, do_recv, c[1]);
	still(&r);
	pthread_kill(r.thread, SIGUSR1);
	still(&r);
	st_lock(NULL);
	eq(plx_send(c[0], "x", 1, 0), 1);
	st_unlock(NULL);
	eq(end(&r), 1);
}

T(closed_meanwhile)
{
	struct call r;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	begin(&r, do_recv, c[1]);
	still(&r);
	st_lock(NULL);
	eq(plx_close(c[1]), 0);
	st_unlock(NULL);
	eq(end(&r), -1);
	eq(r.err, EBADF);
}

static long do_epoll(struct call *c)
{
	struct epoll_event ev = {0};
	long n = plx_epoll_wait(c->fd, &ev, 1, -1);

	c->other = ev.data.fd;
	return n;
}

static long do_poll(struct call *c)
{
	struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->fd, .events = POLLPRI}};
	long n = plx_poll(p, 2, 5000);

	c->other = p[0].revents;
	return n;
}

T(epoll_waits)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct call w;
	uint64_t n = 1;
	int set, e;

	st_new();
	set = plx_epoll_create1(0);
	e = plx_eventfd(0, 0);
	ev.data.fd = e;
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, e, &ev), 0);
	begin(&w, do_epoll, set);
	still(&w);
	st_lock(NULL);
	eq(plx_write(e, &n, 8), 8);
	st_unlock(NULL);
	eq(end(&w), 1);
	eq(w.other, e);
}

T(poll_waits)
{
	struct call w;
	uint64_t n = 1;
	int e;

	st_new();
	e = plx_eventfd(0, 0);
	begin(&w, do_poll, e);
	still(&w);
	st_lock(NULL);
	eq(plx_write(e, &n, 8), 8);
	st_unlock(NULL);
	eq(end(&w), 1);
	eq(w.other, POLLIN);
	eq(plx_sock_count(st.s), 1);
}

/* A pipe of the kernel in a set of ours. */
T(epoll_of_the_kernels)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct call w;
	int set, p[2];

	st_new();
	eq(pipe(p), 0);
	set = plx_epoll_create1(0);
	ev.data.fd = p[0];
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, p[0], &ev), 0);
	fails(plx_epoll_ctl(set, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	begin(&w, do_epoll, set);
	still(&w);
	eq(write(p[1], "x", 1), 1);
	eq(end(&w), 1);
	eq(w.other, p[0]);
	eq(plx_epoll_wait(set, &ev, 1, 0), 1);
	eq(read(p[0], w.buf, 1), 1);
	eq(plx_epoll_wait(set, &ev, 1, 0), 0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL), 0);
	close(p[0]);
	close(p[1]);
}

/* What the kernel is asked to tell us of fd, by one of our epolls of it; 0: nothing. */
static unsigned long asked_of_kernel(int fd)
{
	char path[64], line[200];
	unsigned long events = 0, e;
	int tfd;

	for (int i = 0; i < 64; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", i);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "tfd: %d events: %lx", &tfd, &e) == 2 && tfd == fd)
				events = e;
		if (f)
			fclose(f);
	}
	return events;
}

/* EPOLLEXCLUSIVE holds beside other processes that wait for the same file, too. */
T(exclusive_ones_of_the_kernels)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE}, plain = {.events = EPOLLIN};
	struct call w;
	int set, other, p[2];

	st_new();
	eq(pipe(p), 0);
	set = plx_epoll_create1(0);
	other = plx_epoll_create1(0);
	ev.data.fd = plain.data.fd = p[0];
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, p[0], &ev), 0);
	eq(asked_of_kernel(p[0]) & EPOLLEXCLUSIVE, EPOLLEXCLUSIVE);
	for (int i = 0; i < 2; i++) { /* it is told again */
		begin(&w, do_epoll, set);
		still(&w);
		eq(write(p[1], "x", 1), 1);
		eq(end(&w), 1);
		eq(w.other, p[0]);
		eq(read(p[0], w.buf, 1), 1);
	}
	eq(plx_epoll_ctl(other, EPOLL_CTL_ADD, p[0], &plain), 0); /* who is not, is told always */
	eq(asked_of_kernel(p[0]) & EPOLLEXCLUSIVE, 0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL), 0);
	eq(plx_epoll_ctl(other, EPOLL_CTL_DEL, p[0], NULL), 0);
	eq(asked_of_kernel(p[0]), 0);
	close(p[0]);
	close(p[1]);
}

T(after_fork)
{
	int fd, status;
	pid_t pid;

	st_new();
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	pid = fork();
	if (pid == 0)
		_exit(plx_close(fd) == -1 && errno == EBADF &&
					plx_socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EBADF
				? 0
				: 1);
	eq(waitpid(pid, &status, 0), pid);
	eq(status, 0);
	eq(plx_close(fd), 0);
}

RUN_EAL(ST_(receive), ST_(receive_all), ST_(accept_and_connect), ST_(a_refused_connect),
	ST_(a_timeout), ST_(a_timeout_after_some_of_it), ST_(a_look_that_waits),
	ST_(what_waits_for_all_stops_at_the_urgent_byte), ST_(a_look_over_the_urgent_byte_waits),
	ST_(a_signal), ST_(closed_meanwhile), ST_(epoll_waits), ST_(poll_waits),
	ST_(epoll_of_the_kernels), ST_(exclusive_ones_of_the_kernels), ST_(after_fork))
