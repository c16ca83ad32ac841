/* SPDX-License-Identifier: BSD-3-Clause */
/* epoll: level, edge, one shot; sets in sets; errors. */
#define ROWS "epoll"
#include "kit.h"

#include <limits.h>

static int ep, c, s; /* one row at a time */

static int set(void)
{
	return keep((int)must(S(epoll_create1)(0)));
}

static int ctl(int op, int fd, unsigned int events)
{
	struct epoll_event ev = {.events = events, .data.u64 = 42};

	return S(epoll_ctl)(ep, op, fd, &ev);
}

/* What the set tells, after so long at most. */
static void tell_within(int ms)
{
	struct epoll_event ev[4];
	int n = S(epoll_wait)(ep, ev, 4, ms);

	if (n < 0)
		num(n);
	for (int i = 0; i < n; i++)
		say("%s", events_text(ev[i].events));
	if (n == 0)
		say("none");
}

static void tell(void)
{
	tell_within(0);
}

/* A set with the server's end of a connection. */
static void watch(unsigned int events)
{
	ep = set();
	tcp_pair(&c, &s);
	must(ctl(EPOLL_CTL_ADD, s, events));
}

static void text(void)
{
	put(c, "abc");
	await(s, POLLIN);
}

ROW(epoll_create_args, "epoll_create(), epoll_create1(): arguments")
{
	num(S(epoll_create)(0));
	num(S(epoll_create)(-1));
	new_fd(S(epoll_create)(1));
	num(S(epoll_create1)(1));
	ep = new_fd(S(epoll_create1)(EPOLL_CLOEXEC));
	say("%d", S(fcntl)(ep, F_GETFD));
}

ROW(ctl_errors, "epoll_ctl(): twice, not there, itself, closed, unknown, no set")
{
	int other = udp();

	ep = set();
	num(ctl(EPOLL_CTL_ADD, other, EPOLLIN));
	num(ctl(EPOLL_CTL_ADD, other, EPOLLIN));
	num(ctl(EPOLL_CTL_DEL, other, 0));
	num(ctl(EPOLL_CTL_DEL, other, 0));
	num(ctl(EPOLL_CTL_MOD, other, EPOLLIN));
	num(ctl(EPOLL_CTL_ADD, ep, EPOLLIN));
	num(ctl(99, other, EPOLLIN));
	num(ctl(EPOLL_CTL_ADD, -1, EPOLLIN));
	drop(other);
	num(ctl(EPOLL_CTL_ADD, other, EPOLLIN));
	ep = udp();
	num(ctl(EPOLL_CTL_ADD, udp(), EPOLLIN));
}

ROW(ctl_null, "epoll_ctl(): no event")
{
	int u = udp();

	ep = set();
	num(S(epoll_ctl)(ep, EPOLL_CTL_ADD, u, NULL));
	must(ctl(EPOLL_CTL_ADD, u, EPOLLIN));
	num(S(epoll_ctl)(ep, EPOLL_CTL_MOD, u, NULL));
	num(S(epoll_ctl)(ep, EPOLL_CTL_DEL, u, NULL));
}

ROW(wait_args, "epoll_wait(): number of events, no buffer")
{
	struct epoll_event ev;

	ep = set();
	num(S(epoll_wait)(ep, &ev, 0, 0));
	num(S(epoll_wait)(ep, &ev, -1, 0));
	num(S(epoll_wait)(ep, &ev, 1, 0));
	must(ctl(EPOLL_CTL_ADD, udp(), EPOLLOUT));
	num(S(epoll_wait)(ep, NULL, 1, 0));
}

ROW(wait_most, "epoll_wait(): more events than there can be")
{
	struct epoll_event ev;

	ep = set();
	num(S(epoll_wait)(ep, &ev, INT_MAX / (int)sizeof(ev), 0));
	num(S(epoll_wait)(ep, &ev, INT_MAX / (int)sizeof(ev) + 1, 0));
	num(S(epoll_wait)(ep, &ev, INT_MAX, 0));
}

ROW(level, "level: told each time")
{
	watch(EPOLLIN);
	tell();
	text();
	tell();
	tell();
	get(s, 1);
	tell();
	get(s, 10);
	tell();
}

ROW(edge, "EPOLLET: told once; again when more comes; not while some is left")
{
	watch(EPOLLIN | EPOLLET);
	text();
	tell();
	tell();
	get(s, 1);
	tell();
	put(c, "def");
	tell_within(2000);
	tell();
}

ROW(edge_drained, "EPOLLET: read until EAGAIN, then more comes")
{
	watch(EPOLLIN | EPOLLET);
	text();
	tell();
	get(s, 10);
	get(s, 10);
	text();
	tell();
}

ROW(edge_out, "EPOLLET: OUT once")
{
	watch(EPOLLOUT | EPOLLET);
	tell();
	tell();
	put(s, "abc");
	tell();
}

ROW(edge_mod, "EPOLLET: EPOLL_CTL_MOD tells again")
{
	watch(EPOLLIN | EPOLLET);
	text();
	tell();
	tell();
	num(ctl(EPOLL_CTL_MOD, s, EPOLLIN | EPOLLET));
	tell();
	tell();
}

ROW(edge_fin, "EPOLLET: FIN tells")
{
	watch(EPOLLIN | EPOLLRDHUP | EPOLLET);
	text();
	tell();
	S(shutdown)(c, SHUT_WR);
	await(s, POLLRDHUP);
	tell();
	tell();
}

ROW(edge_low_water, "EPOLLET: SO_RCVLOWAT is lowered to what is there, and on")
{
	watch(EPOLLIN | EPOLLET);
	must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 5));
	put(c, "abc");
	settle();
	tell();
	for (int low = 4; low > 0; low--) {
		must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, low));
		tell();
		tell();
	}
}

ROW(level_low_water, "epoll: SO_RCVLOWAT is lowered to what is there, and raised")
{
	watch(EPOLLIN);
	for (int low = 5; low > 0; low -= 2) {
		must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, low));
		if (low == 5)
			put(c, "abc");
		settle();
		tell();
	}
	must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 4));
	tell();
}

ROW(edge_write_space, "EPOLLET: OUT once; SO_SNDBUF, TCP_NOTSENT_LOWAT tell again")
{
	watch(EPOLLOUT | EPOLLET);
	tell();
	tell();
	must(set_int(s, SOL_SOCKET, SO_SNDBUF, 100000));
	tell();
	must(set_int(s, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 10000));
	tell();
	must(set_int(s, SOL_SOCKET, SO_RCVBUF, 100000));
	tell();
}

ROW(edge_write_space_udp, "EPOLLET, UDP: OUT once; SO_SNDBUF tells again")
{
	int u = udp();

	ep = set();
	must(ctl(EPOLL_CTL_ADD, u, EPOLLOUT | EPOLLET));
	tell();
	tell();
	must(set_int(u, SOL_SOCKET, SO_SNDBUF, 100000));
	tell();
	must(set_int(u, SOL_SOCKET, SO_RCVLOWAT, 3));
	tell();
}

ROW(edge_added_late, "EPOLLET: added when text is there")
{
	tcp_pair(&c, &s);
	text();
	ep = set();
	must(ctl(EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET));
	tell();
	tell();
}

ROW(edge_udp, "EPOLLET, UDP: each datagram tells")
{
	int a, b;

	udp_pair(&a, &b);
	ep = set();
	must(ctl(EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET));
	put(a, "abc");
	await(b, POLLIN);
	tell();
	tell();
	put(a, "abc");
	tell_within(2000);
}

ROW(edge_listener, "EPOLLET, listening: each connection tells")
{
	int l = listener_at(A1);

	ep = set();
	must(ctl(EPOLL_CTL_ADD, l, EPOLLIN | EPOLLET));
	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	tell();
	tell();
	must(connect_at(tcp(), A1, port_of(l)));
	tell_within(2000);
}

ROW(oneshot, "EPOLLONESHOT: once, until EPOLL_CTL_MOD")
{
	watch(EPOLLIN | EPOLLONESHOT);
	text();
	tell();
	tell();
	text();
	tell();
	num(ctl(EPOLL_CTL_ADD, s, EPOLLIN));
	num(ctl(EPOLL_CTL_MOD, s, EPOLLIN | EPOLLONESHOT));
	tell();
	tell();
}

ROW(oneshot_hup, "EPOLLONESHOT: HUP does not come either")
{
	watch(EPOLLIN | EPOLLONESHOT);
	text();
	tell();
	reset(c);
	await(s, POLLHUP);
	tell();
}

ROW(exclusive, "EPOLLEXCLUSIVE: what it goes with, no EPOLL_CTL_MOD")
{
	ep = set();
	tcp_pair(&c, &s);
	num(ctl(EPOLL_CTL_ADD, s, EPOLLEXCLUSIVE | EPOLLIN | EPOLLONESHOT));
	num(ctl(EPOLL_CTL_ADD, s, EPOLLEXCLUSIVE | EPOLLIN | EPOLLRDHUP));
	num(ctl(EPOLL_CTL_ADD, s, EPOLLEXCLUSIVE | EPOLLIN | EPOLLET));
	num(ctl(EPOLL_CTL_MOD, s, EPOLLEXCLUSIVE | EPOLLIN));
	num(ctl(EPOLL_CTL_MOD, s, EPOLLIN));
	text();
	tell();
	num(ctl(EPOLL_CTL_DEL, s, 0));
	num(ctl(EPOLL_CTL_ADD, s, EPOLLIN));
	num(ctl(EPOLL_CTL_MOD, s, EPOLLEXCLUSIVE | EPOLLIN));
}

ROW(exclusive_set, "EPOLLEXCLUSIVE: not for a set")
{
	int in = set();

	ep = set();
	num(ctl(EPOLL_CTL_ADD, in, EPOLLEXCLUSIVE | EPOLLIN));
}

/* Three sets watch one file; somebody waits in the second and in the third. */
static int sets[3], told_in[3];

static void wait_in(void *arg)
{
	int i = (int)(intptr_t)arg;
	struct epoll_event ev;

	told_in[i] = S(epoll_wait)(sets[i], &ev, 1, 600);
}

static void three_sets(int fd, unsigned int events)
{
	for (int i = 0; i < 3; i++) {
		ep = sets[i] = set();
		told_in[i] = -2;
		must(ctl(EPOLL_CTL_ADD, fd, events));
	}
	for (int i = 1; i < 3; i++) {
		later(0, wait_in, (void *)(intptr_t)i);
		nap_ms(50);
	}
	nap_ms(50);
}

static void who_was_told(void)
{
	nap_ms(800);
	say("%d %d", told_in[1], told_in[2]);
	for (int i = 0; i < 3; i++) {
		ep = sets[i];
		tell();
	}
}

ROW(exclusive_waiters, "EPOLLEXCLUSIVE: three sets, two waited in; a datagram wakes one")
{
	int from, to;

	udp_pair(&from, &to);
	three_sets(to, EPOLLEXCLUSIVE | EPOLLIN);
	put(from, "abc");
	who_was_told();
}

ROW(exclusive_twice, "EPOLLEXCLUSIVE: the same, two datagrams wake both")
{
	int from, to;

	udp_pair(&from, &to);
	three_sets(to, EPOLLEXCLUSIVE | EPOLLIN);
	put(from, "abc");
	nap_ms(100);
	put(from, "def");
	who_was_told();
}

ROW(exclusive_event, "EPOLLEXCLUSIVE: three sets, two waited in; an eventfd wakes one")
{
	uint64_t one = 1;
	int e = keep((int)must(S(eventfd)(0, 0)));

	three_sets(e, EPOLLEXCLUSIVE | EPOLLIN);
	must(S(write)(e, &one, sizeof(one)));
	who_was_told();
}

ROW(exclusive_pipe, "EPOLLEXCLUSIVE: a pipe of the kernel's, in one set and then in a second")
{
	int fds[2], first = set();
	char buf[4];

	if (pipe(fds) != 0)
		abort();
	ep = first;
	num(ctl(EPOLL_CTL_ADD, fds[0], EPOLLEXCLUSIVE | EPOLLIN | EPOLLPRI));
	num(ctl(EPOLL_CTL_ADD, fds[0], EPOLLEXCLUSIVE | EPOLLIN | EPOLLET));
	num(ctl(EPOLL_CTL_MOD, fds[0], EPOLLIN));
	tell();
	num(write(fds[1], "a", 1));
	tell_within(1000);
	tell();
	num(read(fds[0], buf, 4));
	ep = set();
	num(ctl(EPOLL_CTL_ADD, fds[0], EPOLLIN));
	num(write(fds[1], "b", 1));
	tell_within(1000);
	num(read(fds[0], buf, 4));
	num(ctl(EPOLL_CTL_DEL, fds[0], 0));
	ep = first;
	num(ctl(EPOLL_CTL_DEL, fds[0], 0));
	num(ctl(EPOLL_CTL_ADD, fds[0], EPOLLEXCLUSIVE | EPOLLIN));
	num(write(fds[1], "c", 1));
	tell_within(1000);
	close(fds[0]);
	close(fds[1]);
	tell();
}

ROW(not_exclusive, "three sets without it: both waiters are woken")
{
	int from, to;

	udp_pair(&from, &to);
	three_sets(to, EPOLLIN);
	put(from, "abc");
	who_was_told();
}

ROW(hup_err_always, "ERR and HUP are told unasked")
{
	watch(0);
	tell();
	text();
	tell();
	reset(c);
	await(s, POLLHUP);
	tell();
}

ROW(modified, "EPOLL_CTL_MOD: other events")
{
	watch(EPOLLIN);
	tell();
	num(ctl(EPOLL_CTL_MOD, s, EPOLLOUT));
	tell();
	num(ctl(EPOLL_CTL_MOD, s, 0));
	tell();
}

ROW(deleted, "EPOLL_CTL_DEL: no more")
{
	watch(EPOLLOUT);
	tell();
	num(ctl(EPOLL_CTL_DEL, s, 0));
	tell();
}

ROW(closed, "close() takes it out")
{
	watch(EPOLLOUT);
	tell();
	drop(s);
	tell();
	num(ctl(EPOLL_CTL_DEL, s, 0));
}

ROW(data_comes_back, "the data of an event")
{
	struct epoll_event ev = {0};

	watch(EPOLLOUT);
	num(S(epoll_wait)(ep, &ev, 1, 0));
	say("%d", (int)ev.data.u64);
}

ROW(rotation, "fewer events than there are: all get their turn")
{
	struct epoll_event ev;
	int fd[3], seen[3] = {0};

	ep = set();
	for (int i = 0; i < 3; i++) {
		fd[i] = udp();
		ev = (struct epoll_event){.events = EPOLLOUT, .data.u32 = (uint32_t)i};
		must(S(epoll_ctl)(ep, EPOLL_CTL_ADD, fd[i], &ev));
	}
	for (int i = 0; i < 6; i++)
		if (S(epoll_wait)(ep, &ev, 1, 0) == 1)
			seen[ev.data.u32]++;
	say("%d %d %d", seen[0], seen[1], seen[2]);
}

ROW(nested, "a set in a set")
{
	int inner, outer;

	watch(EPOLLIN);
	inner = ep;
	outer = ep = set();
	num(ctl(EPOLL_CTL_ADD, inner, EPOLLIN));
	tell();
	text();
	tell();
	ep = inner;
	tell();
	get(s, 10);
	ep = outer;
	tell();
	see(outer);
}

ROW(nested_loop, "sets in a circle; five deep")
{
	int first = set(), second = set(), deep[7];

	ep = first;
	num(ctl(EPOLL_CTL_ADD, second, EPOLLIN));
	ep = second;
	num(ctl(EPOLL_CTL_ADD, first, EPOLLIN));
	for (int i = 0; i < 7; i++)
		deep[i] = set();
	for (int i = 0; i < 6; i++) {
		ep = deep[i];
		num(ctl(EPOLL_CTL_ADD, deep[i + 1], EPOLLIN));
	}
}

ROW(polled, "poll() of a set")
{
	watch(EPOLLIN);
	see(ep);
	text();
	see(ep);
}

ROW(polled_eventfd, "an eventfd in a set")
{
	uint64_t v = 1;
	int e = keep((int)must(S(eventfd)(0, EFD_NONBLOCK)));

	ep = set();
	num(ctl(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLET));
	tell();
	must(S(write)(e, &v, 8));
	tell();
	tell();
	must(S(write)(e, &v, 8));
	tell();
	must(S(read)(e, &v, 8));
	tell();
}

ROW(two_sets, "one socket in two sets")
{
	int first;

	watch(EPOLLIN);
	first = ep;
	ep = set();
	must(ctl(EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET));
	text();
	tell();
	tell();
	ep = first;
	tell();
	tell();
}

static void text_later(void *arg)
{
	put(c, "abc");
}

ROW(wait_wakes, "epoll_wait(): waits until something comes")
{
	struct epoll_event ev;

	watch(EPOLLIN);
	later(30, text_later, NULL);
	num(S(epoll_wait)(ep, &ev, 1, 3000));
	say("%s", events_text(ev.events));
}

static void add_later(void *arg)
{
	must(ctl(EPOLL_CTL_ADD, s, EPOLLOUT));
}

ROW(wait_wakes_by_add, "epoll_wait(): woken by what is added meanwhile")
{
	struct epoll_event ev;

	ep = set();
	tcp_pair(&c, &s);
	later(30, add_later, NULL);
	num(S(epoll_wait)(ep, &ev, 1, 3000));
}

ROW(wait_timeout, "epoll_wait(): until the time is up")
{
	struct epoll_event ev;
	int64_t begin = now_ms();

	ep = set();
	num(S(epoll_wait)(ep, &ev, 1, 50));
	say("%d", now_ms() - begin >= 49);
}

static pthread_t waiter;

static void signal_later(void *arg)
{
	pthread_kill(waiter, SIGUSR2);
}

ROW(wait_signal, "epoll_wait(), epoll_pwait(): a signal")
{
	struct epoll_event ev;
	sigset_t mask;

	ep = set();
	waiter = pthread_self();
	later(100, signal_later, NULL);
	num(S(epoll_wait)(ep, &ev, 1, 2000));
	say("%d", signals(SIGUSR2));
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	later(30, signal_later, NULL);
	num(S(epoll_pwait)(ep, &ev, 1, 150, &mask));
	say("%d", signals(SIGUSR2));
}

ROW(close_set, "close() of a set, its sockets live on")
{
	watch(EPOLLIN);
	num(drop(ep));
	tell();
	text();
	get(s, 10);
}

ROW(epoll_mixed, "epoll: a pipe of the kernel in a set")
{
	int fds[2];

	ep = set();
	if (pipe(fds) != 0)
		abort();
	num(ctl(EPOLL_CTL_ADD, fds[0], EPOLLIN));
	if (write(fds[1], "x", 1) != 1)
		abort();
	await(ep, POLLIN);
	tell();
	close(fds[0]);
	close(fds[1]);
}

ROW(epoll_file, "epoll: a plain file")
{
	int fd = open("/proc/self/exe", O_RDONLY);

	ep = set();
	num(ctl(EPOLL_CTL_ADD, fd, EPOLLIN));
	close(fd);
}
