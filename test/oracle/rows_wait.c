/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting: timeouts, signals, other threads, other processes. */
#define ROWS "waiting"
#include "kit.h"

#include <sys/wait.h>

static int c, s; /* one row at a time */
static pthread_t waiter;
static bool kicking;

static void set_timeout(int fd, int name, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	must(S(setsockopt)(fd, SOL_SOCKET, name, &tv, sizeof(tv)));
}

ROW(timeout_values, "SO_RCVTIMEO, SO_SNDTIMEO: default, values, lengths")
{
	static const int names[] = {SO_RCVTIMEO, SO_SNDTIMEO};
	struct timeval tv;
	socklen_t len;

	for (int i = 0; i < 2; i++) {
		int t = tcp();

		len = sizeof(tv);
		must(S(getsockopt)(t, SOL_SOCKET, names[i], &tv, &len));
		say("%d.%06d/%d", (int)tv.tv_sec, (int)tv.tv_usec, (int)len);
		tv = (struct timeval){.tv_sec = 3, .tv_usec = 500000};
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, sizeof(tv)));
		must(S(getsockopt)(t, SOL_SOCKET, names[i], &tv, &len));
		say("%d.%06d", (int)tv.tv_sec, (int)tv.tv_usec);
		tv = (struct timeval){.tv_sec = 1, .tv_usec = 1000000};
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, sizeof(tv)));
		tv = (struct timeval){.tv_sec = 1, .tv_usec = -1};
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, sizeof(tv)));
		tv = (struct timeval){.tv_sec = -1};
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, sizeof(tv)));
		must(S(getsockopt)(t, SOL_SOCKET, names[i], &tv, &len));
		say("%d.%06d", (int)tv.tv_sec, (int)tv.tv_usec);
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, sizeof(tv) - 1));
		num(S(setsockopt)(t, SOL_SOCKET, names[i], &tv, 4));
		len = 4;
		num(S(getsockopt)(t, SOL_SOCKET, names[i], &tv, &len));
	}
}

static void put_later(void *arg)
{
	put(c, "abc");
}

ROW(timeout_long, "SO_RCVTIMEO: hundreds of years; text comes meanwhile")
{
	static const long long times[] = {10000000000, 1LL << 40, 1LL << 58};
	socklen_t len = sizeof(struct timeval);
	char buf[4];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct timeval tv = {.tv_sec = times[i]};

		tcp_pair(&c, &s);
		num(S(setsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &tv, len));
		must(S(getsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
		say("%d", tv.tv_sec == times[i] || !tv.tv_sec);
		later(50, put_later, NULL);
		num(S(recv)(s, buf, 4, 0));
		nap_ms(50);
	}
}

static void say_waited(int64_t begin, int ms)
{
	say("%s", now_ms() - begin >= ms - 5 ? "waited" : "too early");
}

ROW(timeout_recv, "SO_RCVTIMEO: recv()")
{
	int64_t begin;
	char buf[4];

	tcp_pair(&c, &s);
	set_timeout(s, SO_RCVTIMEO, 50);
	begin = now_ms();
	num(S(recv)(s, buf, 4, 0));
	say_waited(begin, 50);
}

ROW(timeout_recv_udp, "SO_RCVTIMEO: recvfrom(), UDP")
{
	int64_t begin;
	char buf[4];

	udp_pair(&c, &s);
	set_timeout(s, SO_RCVTIMEO, 50);
	begin = now_ms();
	num(S(recvfrom)(s, buf, 4, 0, NULL, NULL));
	say_waited(begin, 50);
}

ROW(timeout_waitall, "SO_RCVTIMEO: recv() with MSG_WAITALL gives what has come")
{
	char buf[10];

	tcp_pair(&c, &s);
	set_timeout(s, SO_RCVTIMEO, 50);
	put(c, "abc");
	num(S(recv)(s, buf, 6, MSG_WAITALL));
	num(S(recv)(s, buf, 6, MSG_WAITALL));
}

ROW(timeout_accept, "SO_RCVTIMEO: accept()")
{
	int l = listener_at(A1);
	int64_t begin = now_ms();

	set_timeout(l, SO_RCVTIMEO, 50);
	num(S(accept)(l, NULL, NULL));
	say_waited(begin, 50);
}

ROW(timeout_connect, "SO_SNDTIMEO: connect(), and once more")
{
	int64_t begin = now_ms();
	int t = tcp();

	set_timeout(t, SO_SNDTIMEO, 50);
	num(connect_at(t, NOBODY, 7));
	say_waited(begin, 50);
	num(connect_at(t, NOBODY, 7));
}

ROW(timeout_send, "SO_SNDTIMEO: send()")
{
	static char block[8 << 20];
	ssize_t n;

	tcp_pair(&c, &s);
	set_timeout(c, SO_SNDTIMEO, 50);
	n = S(send)(c, block, sizeof(block), 0);
	say("%s", n < 0 ? errno_name(errno) : n < (ssize_t)sizeof(block) ? "some" : "all");
}

ROW(timeout_poll, "SO_RCVTIMEO: poll() does not care")
{
	int64_t begin = now_ms();
	struct pollfd p;

	tcp_pair(&c, &s);
	set_timeout(s, SO_RCVTIMEO, 10);
	p = (struct pollfd){.fd = s, .events = POLLIN};
	num(S(poll)(&p, 1, 60));
	say_waited(begin, 60);
}

/* ---- signals ---- */

/* Again and again: it may not have begun to wait yet. */
static void kick(void *arg)
{
	while (__atomic_load_n(&kicking, __ATOMIC_RELAXED) && !row_is_late()) {
		pthread_kill(waiter, SIGUSR2);
		nap_ms(30);
	}
}

static void kick_later(void)
{
	waiter = pthread_self();
	__atomic_store_n(&kicking, true, __ATOMIC_RELAXED);
	later(30, kick, NULL);
}

/* A call that a signal is to end has come back. @return its result. */
static long kicked(long result)
{
	__atomic_store_n(&kicking, false, __ATOMIC_RELAXED);
	return num(result);
}

static void on_usr2(int sig)
{
}

static void handle_with(int flags)
{
	struct sigaction sa = {.sa_handler = on_usr2, .sa_flags = flags};

	sigaction(SIGUSR2, &sa, NULL);
}

ROW(signal_recv, "a signal ends recv(): EINTR")
{
	char buf[4];

	handle_with(0);
	tcp_pair(&c, &s);
	kick_later();
	kicked(S(recv)(s, buf, 4, 0));
}

ROW(signal_recv_restart, "a signal whose handler has SA_RESTART: recv() goes on")
{
	char buf[4];

	handle_with(SA_RESTART);
	tcp_pair(&c, &s);
	kick_later();
	later(80, put_later, NULL);
	kicked(S(recv)(s, buf, 4, 0));
}

ROW(signal_recv_timeout, "with SO_RCVTIMEO nothing is restarted")
{
	char buf[4];

	handle_with(SA_RESTART);
	tcp_pair(&c, &s);
	set_timeout(s, SO_RCVTIMEO, 4000);
	kick_later();
	later(1500, put_later, NULL);
	kicked(S(recv)(s, buf, 4, 0));
}

ROW(signal_waitall, "a signal: recv() with MSG_WAITALL gives what has come")
{
	char buf[10];

	handle_with(0);
	tcp_pair(&c, &s);
	put(c, "abc");
	kick_later();
	kicked(S(recv)(s, buf, 6, MSG_WAITALL));
}

ROW(signal_accept, "a signal ends accept()")
{
	handle_with(0);
	kick_later();
	kicked(S(accept)(listener_at(A1), NULL, NULL));
}

ROW(signal_connect, "a signal ends connect(), which goes on: EINTR, EALREADY")
{
	int t = tcp();

	handle_with(0);
	kick_later();
	kicked(connect_at(t, NOBODY, 7));
	nonblock(t);
	num(connect_at(t, NOBODY, 7));
}

ROW(signal_poll, "a signal ends poll() and select(), SA_RESTART or not")
{
	struct pollfd p;

	handle_with(SA_RESTART);
	p = (struct pollfd){.fd = udp(), .events = POLLIN};
	kick_later();
	kicked(S(poll)(&p, 1, 2000));
	kick_later();
	kicked(S(select)(0, NULL, NULL, NULL, &(struct timeval){.tv_sec = 2}));
}

ROW(signal_ppoll, "ppoll(): a signal that is only let in while it waits")
{
	struct pollfd p = {.fd = udp(), .events = POLLIN};
	sigset_t block, none;

	handle_with(0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &block, NULL);
	pthread_kill(pthread_self(), SIGUSR2);
	num(S(ppoll)(&p, 1, &(struct timespec){.tv_sec = 2}, &none));
	pthread_sigmask(SIG_UNBLOCK, &block, NULL);
}

ROW(signal_send, "a signal ends send(), with what was taken")
{
	static char block[8 << 20];
	ssize_t n;

	handle_with(0);
	tcp_pair(&c, &s);
	waiter = pthread_self();
	__atomic_store_n(&kicking, true, __ATOMIC_RELAXED);
	later(150, kick, NULL);
	n = S(send)(c, block, sizeof(block), 0);
	__atomic_store_n(&kicking, false, __ATOMIC_RELAXED);
	say("%s", n < 0 ? errno_name(errno) : n < (ssize_t)sizeof(block) ? "some" : "all");
}

/* ---- threads and processes ---- */

ROW(wait_connect, "connect(): blocking, until it is accepted by the stack")
{
	int l = listener_at(A1);

	c = tcp();
	num(connect_at(c, A1, port_of(l)));
	put(c, "abc");
	s = new_fd(S(accept)(l, NULL, NULL));
	await(s, POLLIN);
	get(s, 10);
}

static void connect_later(void *arg)
{
	must(connect_at(tcp(), A1, *(int *)arg));
}

ROW(wait_accept, "accept(): blocking, until somebody connects")
{
	static int port;
	int l = listener_at(A1);

	port = port_of(l);
	later(30, connect_later, &port);
	new_fd(S(accept)(l, NULL, NULL));
}

ROW(wait_recv, "recv(): blocking, until text comes; until the end comes")
{
	char buf[4];

	tcp_pair(&c, &s);
	later(30, put_later, NULL);
	num(S(recv)(s, buf, 4, 0));
	drop(c);
	num(S(recv)(s, buf, 4, 0));
}

ROW(wait_udp, "recv(): UDP, blocking, until a datagram comes")
{
	char buf[4];

	udp_pair(&c, &s);
	later(30, put_later, NULL);
	num(S(recv)(s, buf, 4, 0));
}

static void *receive(void *arg)
{
	char buf[4];

	return (void *)(intptr_t)S(recv)(s, buf, 4, 0);
}

ROW(two_wait, "recv(): two threads wait, each gets one datagram")
{
	pthread_t t[2];
	void *n[2];

	udp_pair(&c, &s);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, receive, NULL);
	settle();
	put(c, "abc");
	put(c, "de");
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], &n[i]);
	say("%d", (int)((intptr_t)n[0] + (intptr_t)n[1]));
}

static void *write_much(void *arg)
{
	static char block[3 << 20];

	must(S(send)(c, block, sizeof(block), 0));
	must(S(shutdown)(c, SHUT_WR));
	return NULL;
}

ROW(stream_through, "3 MiB from thread to thread")
{
	static char block[65536];
	pthread_t t;
	ssize_t n, sum = 0;

	tcp_pair(&c, &s);
	pthread_create(&t, NULL, write_much, NULL);
	while ((n = S(recv)(s, block, sizeof(block), 0)) > 0)
		sum += n;
	pthread_join(t, NULL);
	say("%zd", sum);
}

static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int child_sends(void)
{
	return S(send)(c, "abc", 3, MSG_NOSIGNAL) == 3 ? 0 : errno;
}

static int child_makes(void)
{
	return S(socket)(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static void say_child(int (*fn)(void))
{
	int err = in_child(fn);

	say("%s", err ? errno_name(err) : "0");
}

ROW(fork_inherits, "fork(): the child sends")
{
	tcp_pair(&c, &s);
	say_child(child_sends);
	settle();
	get(s, 10);
}

ROW(fork_makes, "fork(): the child makes a socket")
{
	say_child(child_makes);
}

static int child_closes(void)
{
	return S(close)(c) == 0 ? 0 : errno;
}

ROW(fork_closes, "fork(): the child closes, the parent goes on")
{
	tcp_pair(&c, &s);
	say_child(child_closes);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
}
