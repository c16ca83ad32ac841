/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets that go where threads use them. */
#include "sock_move_t.h"

#include <fcntl.h>
#include <signal.h>

#include "../../lib/engine/engine.h"
#include "../../lib/sock/sock.h"

/* All CPUs are near an lcore; -1: none. */
static void near(int lcore)
{
	for (unsigned int cpu = 0; cpu < ENGINE_CPUS; cpu++)
		__atomic_store_n(&nt.eng->near[cpu], lcore < 0 ? ENGINE_NOT_NEAR : (uint16_t)lcore,
			__ATOMIC_RELAXED);
}

static void entries(int64_t n)
{
	nt_tun(PLX_TUN_RPS_SOCK_FLOW_ENTRIES, n);
	st_sleep(PLX_MS(200)); /* it is looked at now and then */
}

/* Its lcores are on CPUs of their own. */
static void start_rfs(int64_t n)
{
	start();
	for (uint16_t i = 0; i < LCORES; i++)
		st.s->lcore[i]->near = i;
	entries(n);
	eq(plx_net_rfs_on(nt.net), n != 0);
}

/* A thread looks for text that is not there, so often and every so often. */
static void use(int fd, int calls, plx_ns every)
{
	char buf[8];

	for (int i = 0; i < calls; i++) {
		fails(plx_recv(fd, buf, sizeof(buf), 0), EAGAIN);
		st_sleep(every);
	}
}

static uint16_t elsewhere(int fd)
{
	return (uint16_t)((plx_sock_owner(fd) + 1) % LCORES);
}

static void talk(const int c[2])
{
	char buf[8];

	eq(plx_send(c[0], "there", 5, 0), 5);
	st_sleep(PLX_MS(300));
	eq(plx_recv(c[1], buf, sizeof(buf), 0), 5);
	mem_eq(buf, "there", 5);
	eq(plx_send(c[1], "back", 4, 0), 4);
	st_sleep(PLX_MS(300));
	eq(plx_recv(c[0], buf, sizeof(buf), 0), 4);
}

/* Steady use somewhere else, and it goes there: again and again. */
T(it_goes_where_it_is_used)
{
	int c[2];

	start_rfs(1024);
	pair(c, 80);
	for (int i = 0; i < 2 * LCORES; i++) {
		uint16_t to = elsewhere(c[1]);

		near(to);
		use(c[1], 20, PLX_MS(1));
		settled();
		eq(plx_sock_owner(c[1]), to);
		near(-1);
		talk(c);
	}
	eq(moves().stayed, 0);
	ok(moves().flows_moved >= 3);
	eq(moves().flows_refused, 0);
	eq(plx_close(c[0]), 0);
	eq(plx_close(c[1]), 0);
	st_sleep(PLX_SEC(1));
	eq(moves().flows, 0);
}

/* By sending and by poll(2) as well. */
T(other_calls_count_too)
{
	struct pollfd p = {.events = POLLIN};
	int c[2];

	start_rfs(1024);
	pair(c, 80);
	near(elsewhere(c[1]));
	for (int i = 0; i < 20; i++) {
		eq(plx_send(c[1], "x", 1, 0), 1);
		st_sleep(PLX_MS(1));
	}
	settled();
	eq(moves().conns, 1);
	near(elsewhere(c[1]));
	p.fd = c[1];
	for (int i = 0; i < 20; i++) {
		eq(plx_poll(&p, 1, 0), 0);
		st_sleep(PLX_MS(1));
	}
	settled();
	eq(moves().conns, 2);
}

/* A connected socket of UDP too, until it is closed or has no peer any more. */
T(so_do_datagrams)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int c, twice = 2;
	char buf[8];

	start_rfs(1024);
	while (twice--) {
		c = udp_client();
		for (int i = 0; i < 2 * LCORES; i++) {
			uint16_t to = elsewhere(c);

			near(to);
			use(c, 20, PLX_MS(1));
			settled();
			eq(plx_sock_owner(c), to);
			near(-1);
			send_text(c, "there");
			from_peer(c, 4);
			eq(plx_recv(c, buf, sizeof(buf), 0), 4);
		}
		near(elsewhere(c));
		if (!moves().flows) {
			use(c, 20, PLX_MS(1));
			settled();
		}
		eq(moves().flows, 1);
		eq(moves().stayed, 0);
		if (twice)
			eq(plx_connect(c, &none, sizeof(none)), 0);
		else
			eq(plx_close(c), 0);
		settled();
		eq(moves().flows, 0);
	}
	nt_forget();
}

/* Members of groups have to be where their datagrams find them. */
T(not_members)
{
	struct ip_mreqn group = {.imr_ifindex = 1};
	int c;

	start_rfs(1024);
	c = udp_client();
	group.imr_multiaddr.s_addr = htonl(0xe0000105);
	eq(plx_setsockopt(c, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	near(elsewhere(c));
	use(c, 40, PLX_MS(1));
	settled();
	eq(moves().conns, 0);
	eq(moves().stayed, 0);
	eq(moves().flows_moved, 0);
	nt_forget();
}

/* Not often enough, not for long enough, not always there, not known where. */
T(no_steady_use)
{
	int c[2];

	start_rfs(1024);
	pair(c, 80);
	near(elsewhere(c[1]));
	use(c[1], PLX_RFS_STEADY_CALLS - 1, PLX_MS(1)); /* the first only makes it known */
	settled();
	use(c[1], 1, 0);
	settled();
	eq(moves().conns, 0);
	near(plx_sock_owner(c[1]));
	use(c[1], 1, 0);
	near(elsewhere(c[1]));
	use(c[1], 100, PLX_US(99)); /* 9.9 ms */
	eq(moves().conns, 0);
	for (int i = 0; i < 100; i++) {
		near(i % LCORES);
		use(c[1], 1, PLX_MS(1));
	}
	settled();
	eq(moves().conns, 0);
	near(-1);
	use(c[1], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 0);
	/* and then it is */
	near(elsewhere(c[1]));
	use(c[1], 1 + PLX_RFS_STEADY_CALLS, PLX_MS(1));
	settled();
	eq(moves().conns, 1);
}

T(off)
{
	int c[2];

	start_rfs(0);
	pair(c, 80);
	near(elsewhere(c[1]));
	use(c[1], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 0);
	entries(16); /* and on, in between */
	use(c[1], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 1);
	entries(0);
	near(elsewhere(c[1]));
	use(c[1], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 1);
}

/* A table of one entry: two that are used in turn have it in turn, and neither is known. */
T(too_small_a_table)
{
	int c[2];

	start_rfs(1);
	pair(c, 80);
	near(elsewhere(c[1]));
	for (int i = 0; i < 100; i++) {
		use(c[1], 1, PLX_US(500));
		use(c[0], 1, PLX_US(500));
	}
	settled();
	eq(moves().flows_moved, 0);
}

/* In a set of threads it goes; bound it stays. */
T(those_that_are_woven_in)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	int c[2], set, b, to;

	start_rfs(1024);
	pair(c, 80);
	set = plx_epoll_create1(0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, c[1], &ev), 0);
	st_run();
	to = elsewhere(c[1]);
	near(to);
	use(c[1], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 1);
	eq(plx_sock_owner(c[1]), to);
	talk(c);
	b = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	eq(st_bind(b, "10.0.0.2", 0), 0);
	fails(st_connect(b, "10.0.0.1", 9), EINPROGRESS);
	near(elsewhere(b));
	use(b, 40, PLX_MS(1));
	settled();
	eq(moves().conns, 1);
	eq(moves().stayed, 0);
	nt_forget();
}

/* Lcores that have one CPU are all as near to its threads. */
T(lcores_of_one_cpu)
{
	int c[2];

	start_rfs(1024);
	for (uint16_t i = 0; i < LCORES; i++)
		st.s->lcore[i]->near = 0;
	pair(c, 80);
	near(0);
	use(c[1], 100, PLX_MS(1));
	use(c[0], 100, PLX_MS(1));
	settled();
	eq(moves().conns, 0);
}

/* ---- threads that wait ---- */

struct reader {
	pthread_t thread;
	int fd;
	pid_t tid;
	uint32_t got;
	long result;
	int err;
	bool right, done;
};

/* Until the end, waiting most of the time. */
static void *do_read(void *arg)
{
	struct reader *r = arg;
	uint8_t b;

	plx_sock_enter(st.s);
	__atomic_store_n(&r->tid, gettid(), __ATOMIC_RELEASE);
	r->right = true;
	while ((r->result = plx_recv(r->fd, &b, 1, 0)) == 1) {
		r->right &= b == (uint8_t)r->got;
		__atomic_store_n(&r->got, r->got + 1, __ATOMIC_RELEASE);
	}
	r->err = errno;
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin(struct reader *r, int fd)
{
	*r = (struct reader){.fd = fd};
	eq(plx_fcntl(fd, F_SETFL, 0), 0);
	eq(pthread_create(&r->thread, NULL, do_read, r), 0);
}

/* Its call waits, and it sleeps: in futex(2). */
static bool sleeps(struct reader *r)
{
	pid_t tid = __atomic_load_n(&r->tid, __ATOMIC_ACQUIRE);
	char path[64], text[8] = "";
	bool waits = false;
	FILE *f;

	st_lock(NULL);
	for (uint16_t i = 0; i < LCORES; i++) {
		const struct sock_file *file = sock__file(st.s->lcore[i], r->fd);

		waits |= file && file->waiters;
	}
	st_unlock(NULL);
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	f = tid && waits ? fopen(path, "r") : NULL;
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strncmp(text, "202 ", 4) == 0;
}

static void asleep(struct reader *r)
{
	for (int i = 0; i < 20000 && !sleeps(r); i++)
		usleep(500);
	ok(sleeps(r));
}

static void turn(void)
{
	st_lock(NULL);
	nt_run();
	nt.now += PLX_US(100);
	st_unlock(NULL);
	usleep(200);
}

static void has(struct reader *r, uint32_t n)
{
	for (int i = 0; i < 20000 && __atomic_load_n(&r->got, __ATOMIC_ACQUIRE) < n; i++)
		turn();
	eq(r->got, n);
}

static void end(struct reader *r)
{
	for (int i = 0; i < 20000 && !__atomic_load_n(&r->done, __ATOMIC_ACQUIRE); i++)
		turn();
	ok(r->done);
	pthread_join(r->thread, NULL);
	ok(r->right);
}

static void send_next(int fd, uint32_t *n)
{
	uint8_t b = (uint8_t)(*n)++;

	eq(plx_send(fd, &b, 1, 0), 1);
}

/* It goes to the thread's lcore while the thread waits for it, and not a byte is lost. */
T(a_thread_that_waits)
{
	struct reader r;
	const int on = 1;
	uint32_t sent = 0;
	int c[2];

	start_rfs(1024);
	pair(c, 80);
	eq(plx_setsockopt(c[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	near(-1);
	begin(&r, c[1]);
	for (int i = 0; i < 4; i++) {
		uint16_t to = elsewhere(c[1]);

		near(to);
		for (int k = 0; k < 60; k++) {
			send_next(c[0], &sent);
			has(&r, sent);
			st_sleep(PLX_MS(1));
		}
		settled();
		eq(plx_sock_owner(c[1]), to);
	}
	eq(moves().stayed, 0);
	eq(plx_close(c[0]), 0);
	end(&r);
	eq(r.result, 0);
	eq(r.got, sent);
}

/* Its time goes on, whatever it has been through. */
T(so_does_its_time)
{
	const struct timeval tv = {.tv_sec = 1};
	struct reader r;
	int c[2];

	start_rfs(0);
	pair(c, 80);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	begin(&r, c[1]);
	asleep(&r);
	for (uint16_t i = 0; i < 9; i++) {
		wish((uint16_t)(i % LCORES));
		st_sleep(PLX_MS(100));
		eq(plx_sock_owner(c[1]), i % LCORES);
	}
	ok(!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE));
	st_sleep(PLX_MS(110));
	end(&r);
	eq(r.result, -1);
	eq(r.err, EAGAIN);
	eq(moves().stayed, 0);
}

static void on_signal(int sig)
{
}

/* A signal ends the call wherever it is just then. */
T(so_does_a_signal)
{
	const struct sigaction quit = {.sa_handler = on_signal};

	eq(sigaction(SIGUSR1, &quit, NULL), 0);
	for (int when = 0; when < 24; when++) {
		struct reader r;
		int c[2];

		start_rfs(0);
		pair(c, 80);
		begin(&r, c[1]);
		asleep(&r);
		wish(elsewhere(c[1]));
		for (int i = 0; i < when; i++) {
			st_lock(NULL);
			plx_engine_step(nt.eng, (uint16_t)(i % LCORES));
			st_unlock(NULL);
			nt.now += PLX_US(20);
		}
		pthread_kill(r.thread, SIGUSR1);
		end(&r);
		eq(r.result, -1);
		eq(r.err, EINTR);
		settled();
		eq(plx_fcntl(c[1], F_SETFL, O_NONBLOCK), 0);
		talk(c);
		after(NULL);
	}
}

RUN_EAL(MV_(it_goes_where_it_is_used), MV_(other_calls_count_too), MV_(so_do_datagrams),
	MV_(not_members), MV_(no_steady_use), MV_(off), MV_(too_small_a_table),
	MV_(those_that_are_woven_in), MV_(lcores_of_one_cpu), MV_(a_thread_that_waits),
	MV_(so_does_its_time), MV_(so_does_a_signal))
