/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the oracle's rows are written with.
 *
 * A row makes calls of sockets and says what it sees, as words of one line. The same source is
 * compiled for Linux's sockets and for Pollux's: S(socket)(...) is one or the other. What differs
 * from run to run (numbers of ports and descriptors, sizes of buffers) is never said as it is.
 *
 *     ROW(bind_twice, "bind() of a bound socket")
 *     {
 *             int s = tcp();
 *
 *             num(bind_at(s, A1, 0)); // says 0, or the errno's name
 *             num(bind_at(s, A1, 0));
 *     }
 *
 * Descriptors that a row has made are closed after it. A row that takes more than a few seconds is
 * interrupted by signals and says "(hangs)".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef ORACLE_POLLUX
#include <plx_sock.h>
#define S(call) plx_##call
#else
#define S(call) call
#endif

/* The world of a row: a host with two addresses of either family on the interface LAN. */
#define LAN	   "lan0"
#define A1	   "10.9.0.1"
#define A2	   "10.9.0.2"
#define B1	   "fd09::1"
#define B2	   "fd09::2"
#define LO	   "127.0.0.1"
#define LO6	   "::1"
#define ANY	   "0.0.0.0"
#define ANY6	   "::"
#define BCAST	   "10.9.0.255"
#define GROUP	   "239.9.9.9"
#define GROUP6	   "ff05::909"
#define NOBODY	   "10.9.0.77" /* on the link, does not answer */
#define FOREIGN	   "192.0.2.1" /* not ours, and no route */
#define REFUSED	   "10.66.0.1" /* its route says: unreachable */
#define HOLE	   "10.67.0.1" /* its route says: blackhole */
#define ALL_EVENTS (POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND)

/* What names it knows, and that nobody answers who is asked for others. */
#define HOSTS                                                                                      \
	"127.0.0.1 localhost\n::1 localhost\n" A1 " both.example both\n" B1                        \
	" both.example both\n" A2 " four.example four alias-of-four\n" B2 " six.example six\n" A1  \
	" many.example\n" A2 " many.example\n"
#define RESOLV "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

/* main.c */

struct row {
	const char *group, *name, *what;
	int order; /* in its group */
	void (*fn)(const void *arg);
	const void *arg;
	struct row *next;
};
/** Add a row, which stays the caller's. */
void row_add(struct row *r);
/** Add one of a table's; name and what are copied. */
void row_make(const struct row *r);

#define ROW(name_, what_)                                                                          \
	static void name_(const void *arg);                                                        \
	static struct row row_##name_ = {                                                          \
		.group = ROWS, .name = #name_, .what = what_, .order = __LINE__, .fn = name_};     \
	__attribute__((constructor)) static void add_##name_(void)                                 \
	{                                                                                          \
		row_add(&row_##name_);                                                             \
	}                                                                                          \
	static void name_(const void *arg)

/** A word of the observation. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);
/** The result of a call: the number, or errno's name. @return it. */
long num(long result);
/** "fd", or errno's name. @return it, which is closed later. */
int new_fd(int fd);
/** A call that only prepares: says something when it fails. @return its result. */
long prepared(long result, const char *what);
#define must(call) prepared(call, #call)
/** Close fd when the row is over. @return fd. */
int keep(int fd);
/** The row closes fd now. @return 0 or -1. */
int drop(int fd);
const char *errno_name(int err);
/** POLLxxx (EPOLLxxx has the same values) as words; "-": none. One of a few buffers. */
const char *events_text(unsigned int events);
/** A file with this text, to be read and removed. @return its name, in a buffer of its own for some
 * calls. */
const char *world_file(const char *text);
/** Signals of this kind since the row began. */
int signals(int sig);
/** The row has been told to end. */
bool row_is_late(void);
/** In another thread, which is waited for when the row ends, after so many ms. */
void later(int ms, void (*fn)(void *arg), void *arg);
/** Let what is on its way arrive. */
void settle(void);

/* A side: linux.c, pollux.c */

/** Make the world, call main_rows(), and end. @return exit code. */
int side_main(int argc, char **argv, int (*main_rows)(void));
unsigned int lan_index(void);
/** A frame comes in at LAN. */
void lan_in(const void *frame, size_t bytes);

/* Short forms */

static inline void nap_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&t, &t) < 0 && !row_is_late())
		;
}

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

struct at {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage ss;
	};
	socklen_t len;
};

static inline struct at at(const char *ip, int port)
{
	struct at a = {.len = sizeof(a.in)};

	if (inet_pton(AF_INET, ip, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
		return a;
	}
	if (inet_pton(AF_INET6, ip, &a.in6.sin6_addr) != 1)
		abort();
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons((uint16_t)port);
	a.len = sizeof(a.in6);
	return a;
}

static inline int made(int domain, int type)
{
	return keep((int)must(S(socket)(domain, type, 0)));
}
static inline int tcp(void)
{
	return made(AF_INET, SOCK_STREAM);
}
static inline int udp(void)
{
	return made(AF_INET, SOCK_DGRAM);
}
static inline int tcp6(void)
{
	return made(AF_INET6, SOCK_STREAM);
}
static inline int udp6(void)
{
	return made(AF_INET6, SOCK_DGRAM);
}

static inline int bind_at(int s, const char *ip, int port)
{
	struct at a = at(ip, port);

	return S(bind)(s, &a.sa, a.len);
}

static inline int connect_at(int s, const char *ip, int port)
{
	struct at a = at(ip, port);

	return S(connect)(s, &a.sa, a.len);
}

static inline ssize_t send_at(int s, const char *text, const char *ip, int port)
{
	struct at a = at(ip, port);

	return S(sendto)(s, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, &a.sa, a.len);
}

static inline int port_of(int s)
{
	struct at a = {.len = sizeof(a.ss)};

	if (must(S(getsockname)(s, &a.sa, &a.len)) < 0)
		return 0;
	return ntohs(a.in.sin_port); /* at the same place in both families */
}

/** "10.9.0.1:P", "[fd09::1]:0": a port is there or not. */
static inline void say_addr(const struct sockaddr *sa, socklen_t len)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (len < sizeof(sa->sa_family)) {
		say("none/%u", len);
	} else if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		say("%s:%s/%u", ip, in->sin_port ? "P" : "0", len);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		say("[%s]:%s/%u", ip, in6->sin6_port ? "P" : "0", len);
	} else {
		say("family%d/%u", sa->sa_family, len);
	}
}

static inline void say_name(int s)
{
	struct at a = {.len = sizeof(a.ss)};

	if (S(getsockname)(s, &a.sa, &a.len) < 0)
		num(-1);
	else
		say_addr(&a.sa, a.len);
}

static inline void say_peer(int s)
{
	struct at a = {.len = sizeof(a.ss)};

	if (S(getpeername)(s, &a.sa, &a.len) < 0)
		num(-1);
	else
		say_addr(&a.sa, a.len);
}

/** Wait until fd has one of the events. @return what it has, 0 after 2 s. */
static inline int await(int fd, int events)
{
	struct pollfd p = {.fd = fd, .events = (short)events};
	int64_t end = now_ms() + 2000;

	while (!p.revents && now_ms() < end && !row_is_late())
		S(poll)(&p, 1, 100);
	return p.revents;
}

static inline unsigned int events_now(int fd)
{
	struct pollfd p = {.fd = fd, .events = ALL_EVENTS};

	S(poll)(&p, 1, 0);
	return (unsigned short)p.revents;
}

/** What poll() sees. */
static inline void see(int fd)
{
	say("%s", events_text(events_now(fd)));
}

static inline void put(int fd, const char *text)
{
	must(S(send)(fd, text, strlen(text), MSG_NOSIGNAL));
}

/** Bytes as words: 3'abc'. */
static inline void say_data(const char *p, ssize_t n)
{
	if (n < 0)
		num(-1);
	else if (n == 0)
		say("0");
	else
		say("%zd'%.*s'", n, n > 16 ? 16 : (int)n, p);
}

/** Receive at most n bytes, and say them. It does not wait. */
static inline ssize_t get_flags(int fd, size_t n, int flags)
{
	char buf[4096];
	ssize_t got = S(recv)(fd, buf, n < sizeof(buf) ? n : sizeof(buf), flags | MSG_DONTWAIT);

	if (flags & MSG_TRUNC && got > (ssize_t)n)
		say("%zd", got);
	else
		say_data(buf, got);
	return got;
}
static inline ssize_t get(int fd, size_t n)
{
	return get_flags(fd, n, 0);
}

static inline int set_int(int s, int level, int name, int value)
{
	return S(setsockopt)(s, level, name, &value, sizeof(value));
}
/** @return the value; says so when there is none. */
static inline int get_int(int s, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	must(S(getsockopt)(s, level, name, &value, &len));
	return value;
}
static inline void say_int(int s, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (S(getsockopt)(s, level, name, &value, &len) < 0)
		num(-1);
	else
		say("%d", value);
}
static inline void say_error(int s)
{
	int err = get_int(s, SOL_SOCKET, SO_ERROR);

	say("%s", err ? errno_name(err) : "0");
}

static inline int listener_at(const char *ip)
{
	int l = made(strchr(ip, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);

	must(bind_at(l, ip, 0));
	must(S(listen)(l, 8));
	return l;
}

/** A connection to ip: the client c, the server s. @return the listener. */
static inline int pair_at(const char *ip, int *c, int *s)
{
	int l = listener_at(ip);

	*c = made(strchr(ip, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);
	must(connect_at(*c, ip, port_of(l)));
	*s = keep((int)must(S(accept)(l, NULL, NULL)));
	return l;
}
static inline int tcp_pair(int *c, int *s)
{
	return pair_at(A1, c, s);
}

/** Two UDP sockets that know each other. */
static inline void udp_pair(int *a, int *b)
{
	*a = udp();
	*b = udp();
	must(bind_at(*a, A1, 0));
	must(bind_at(*b, A2, 0));
	must(connect_at(*a, A2, port_of(*b)));
	must(connect_at(*b, A1, port_of(*a)));
}

/** Close so that the peer gets an RST. */
static inline void reset(int fd)
{
	struct linger l = {.l_onoff = 1};

	must(S(setsockopt)(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	must(drop(fd));
}

/** A port of UDP or TCP where nobody is. */
static inline int free_port(int type)
{
	int s = made(AF_INET, type), port;

	must(bind_at(s, A1, 0));
	port = port_of(s);
	drop(s);
	return port;
}

static inline void nonblock(int fd)
{
	must(S(fcntl)(fd, F_SETFL, O_RDWR | O_NONBLOCK));
}
