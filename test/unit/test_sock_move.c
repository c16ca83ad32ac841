/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets whose flows move to another lcore. */
#include "sock_move_t.h"

#include <fcntl.h>

static void send_all(int fd, const char *text)
{
	eq(plx_send(fd, text, strlen(text), 0), (long)strlen(text));
	st_run();
}

static void recv_all(int fd, const char *text)
{
	char buf[64];

	st_sleep(PLX_MS(300)); /* small ones wait for an ACK */
	eq(plx_recv(fd, buf, sizeof(buf), 0), (long)strlen(text));
	mem_eq(buf, text, strlen(text));
}

static void talk(const int c[2])
{
	send_all(c[0], "there");
	recv_all(c[1], "there");
	send_all(c[1], "and back");
	recv_all(c[0], "and back");
}

/* What it has and what was set goes along; the descriptor stays what it was. */
T(a_threads_socket)
{
	struct sockaddr_storage was, is;
	socklen_t len = sizeof(was), size = sizeof(int);
	const int low = 3, on = 1;
	int c[2], v;

	start();
	pair(c, 80);
	eq(plx_getpeername(c[1], (struct sockaddr *)&was, &len), 0);
	eq(plx_setsockopt(c[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)), 0);
	eq(plx_setsockopt(c[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		uint16_t to = (uint16_t)((i + 1) % LCORES);

		send_all(c[0], "on its way");
		move(to);
		eq(plx_sock_owner(c[0]), to);
		eq(plx_sock_owner(c[1]), to);
		recv_all(c[1], "on its way");
		talk(c);
	}
	eq(plx_getsockopt(c[1], SOL_SOCKET, SO_RCVLOWAT, &v, &size), 0);
	eq(v, 3);
	eq(plx_getsockopt(c[1], IPPROTO_TCP, TCP_NODELAY, &v, &size), 0);
	eq(v, 1);
	len = sizeof(is);
	eq(plx_getpeername(c[1], (struct sockaddr *)&is, &len), 0);
	mem_eq(&was, &is, len);
	eq(plx_sock_count(st.s), 2);
	eq(moves().stayed, 0);
	eq(plx_shutdown(c[0], SHUT_WR), 0);
	st_run();
	move(0);
	eq(st_poll(c[1]) & EPOLLRDHUP, EPOLLRDHUP);
	eq(plx_close(c[1]), 0);
	st_run();
	eq(plx_close(c[0]), 0);
	fails(plx_recv(c[0], &v, 1, 0), EBADF);
	eq(plx_sock_count(st.s), 0);
}

/* Bound: it stays, and works as before. */
T(those_that_are_woven_in)
{
	int a, b, from;

	start();
	a = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	b = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	eq(st_bind(a, "10.0.0.2", 81), 0);
	eq(plx_listen(a, 8), 0);
	eq(st_bind(b, "10.0.0.2", 82), 0);
	fails(st_connect(b, "10.0.0.2", 81), EINPROGRESS);
	st_run();
	eq(st_connect(b, "10.0.0.2", 81), 0);
	from = plx_sock_owner(b);
	for (uint16_t i = 0; i < LCORES; i++) {
		int c[2] = {b, 0};

		move(i);
		eq(plx_sock_owner(b), from);
		if (!i)
			c[1] = plx_accept4(a, NULL, NULL, SOCK_NONBLOCK);
		ok(i || c[1] >= 0);
	}
	eq(moves().stayed, 1);
}

struct call {
	pthread_t thread;
	int fd;
	const char *text; /* to be sent; NULL: to be received */
	long result;
	char buf[16];
	bool done;
};

static void *do_call(void *arg)
{
	struct call *c = arg;

	plx_sock_enter(st.s);
	c->result = c->text ? plx_send(c->fd, c->text, strlen(c->text), 0)
			    : plx_recv(c->fd, c->buf, sizeof(c->buf), 0);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin(struct call *c, int fd, const char *text)
{
	*c = (struct call){.fd = fd, .text = text};
	eq(pthread_create(&c->thread, NULL, do_call, c), 0);
}

static void end(struct call *c)
{
	for (int i = 0; i < 5000 && !__atomic_load_n(&c->done, __ATOMIC_ACQUIRE); i++) {
		st_run();
		usleep(1000);
	}
	ok(__atomic_load_n(&c->done, __ATOMIC_ACQUIRE));
	pthread_join(c->thread, NULL);
}

static void step(uint16_t lcore)
{
	st_lock(NULL);
	plx_engine_step(nt.eng, lcore);
	st_unlock(NULL);
}

/* A call that comes for it while it is nobody's finds it where it has gone. */
T(a_call_on_the_way)
{
	for (int when = 0; when < 40; when++) {
		struct call call;
		int c[2];

		start();
		pair(c, 80);
		move(1);
		send_all(c[0], "late");
		wish(2);
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
		}
		begin(&call, c[1], NULL);
		usleep(300);
		end(&call);
		eq(call.result, 4);
		mem_eq(call.buf, "late", 4);
		st_sleep(PLX_MS(20));
		eq(plx_sock_owner(c[1]), 2);
		talk(c);
		after(NULL);
	}
}

/* Who waits goes along, and is woken there. */
T(somebody_waits_for_it)
{
	struct call call;
	int c[2];

	start();
	pair(c, 80);
	move(1);
	eq(plx_fcntl(c[1], F_SETFL, 0), 0);
	begin(&call, c[1], NULL);
	usleep(20000);
	move(2);
	eq(plx_sock_owner(c[1]), 2);
	eq(moves().stayed, 0);
	send_all(c[0], "wake");
	end(&call);
	eq(call.result, 4);
	mem_eq(call.buf, "wake", 4);
}

/* ---- programs ---- */

static struct prog {
	struct plx_sock_program p;
	int set, listener;
	int left, arrived;
	bool refuses;
	int got;
	uint16_t index;
} progs[LCORES];

static int prog_start(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = -1};
	const int on = 1;

	plx_sock_enter(NULL); /* the one that plays it is an ordinary thread else */
	p->index = sn->index;
	p->set = plx_epoll_create1(0);
	p->listener = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	eq(plx_setsockopt(p->listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	eq(st_bind(p->listener, "10.0.0.2", 7), 0);
	eq(plx_listen(p->listener, 8), 0);
	eq(plx_epoll_ctl(p->set, EPOLL_CTL_ADD, p->listener, &ev), 0);
	plx_sock_enter(st.s);
	return 0;
}

static void watch(struct prog *p, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	eq(plx_epoll_ctl(p->set, EPOLL_CTL_ADD, fd, &ev), 0);
}

static plx_ns prog_run(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;
	struct epoll_event ev;
	char buf[64];
	ssize_t n;

	plx_sock_enter(NULL);
	while (plx_epoll_wait(p->set, &ev, 1, 0) == 1)
		if (ev.data.fd == -1) {
			int fd = plx_accept4(p->listener, NULL, NULL, SOCK_NONBLOCK);

			ok(fd >= 0);
			watch(p, fd);
		} else {
			while ((n = plx_recv(ev.data.fd, buf, sizeof(buf), 0)) > 0) {
				p->got += (int)n;
				eq(plx_send(ev.data.fd, buf, (size_t)n, 0), n);
			}
			if (n == 0)
				plx_close(ev.data.fd);
		}
	plx_sock_enter(st.s);
	return PLX_NEVER;
}

static bool prog_leave(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	struct prog *p = arg;

	eq(data.fd, fd);
	if (p->refuses)
		return false;
	p->left++;
	return true;
}

static void prog_arrive(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	struct prog *p = arg;

	eq(sn->index, p->index);
	eq(data.fd, fd);
	p->arrived++;
	plx_sock_enter(NULL);
	watch(p, fd);
	plx_sock_enter(st.s);
}

/* An echo on each lcore, and a connection to it by hand: nt.port[0] is its wire. */
static int client(void)
{
	int c = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	fails(st_connect(c, "10.0.0.2", 7), EINPROGRESS);
	st_run();
	eq(st_connect(c, "10.0.0.2", 7), 0);
	return c;
}

static void make_programs(void)
{
	static const struct plx_sock_conf conf = {
		.bytes = 4 << 20, .lock = st_lock, .unlock = st_unlock};
	struct plx_error e;

	pthread_mutex_init(&st.lock, NULL);
	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_neigh(1, "10.0.0.1");
	st.s = plx_sock_create(nt.net, &conf, &e);
	assert_non_null(st.s);
	memset(progs, 0, sizeof(progs));
}

static void add_programs(void)
{
	for (uint16_t i = 0; i < LCORES; i++) {
		progs[i].p = (struct plx_sock_program){.start = prog_start,
			.run = prog_run,
			.leave = prog_leave,
			.arrive = prog_arrive,
			.arg = &progs[i]};
		plx_sock_program_add(st.s, i, &progs[i].p);
	}
	nt_settle();
	plx_sock_enter(st.s);
}

static void start_programs(void)
{
	make_programs();
	add_programs();
}

T(a_programs_socket_goes_to_its_twin)
{
	int c;

	start_programs();
	c = client();
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		uint16_t to = (uint16_t)(i % LCORES);
		int got;

		move(to);
		got = progs[to].got;
		send_all(c, "hello");
		recv_all(c, "hello");
		eq(progs[to].got, got + 5);
	}
	for (uint16_t i = 0; i < LCORES; i++)
		ok(progs[i].arrived >= 1);
	eq(progs[0].left + progs[1].left + progs[2].left,
		progs[0].arrived + progs[1].arrived + progs[2].arrived);
	eq(moves().stayed, 0);
	eq(plx_close(c), 0);
	st_run();
}

/* What comes while it is on its way is found at arrival, edge or not. */
T(text_on_the_way)
{
	for (int when = 0; when < 30; when++) {
		struct call call;
		int c;

		start_programs();
		c = client();
		move(1);
		wish(2);
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
		}
		begin(&call, c, "12345");
		end(&call);
		eq(call.result, 5);
		st_sleep(PLX_MS(20));
		recv_all(c, "12345");
		eq(progs[2].arrived, 1);
		after(NULL);
	}
}

T(a_program_that_keeps_its_own)
{
	int c;

	start_programs();
	c = client();
	move(1);
	progs[1].refuses = true;
	move(2);
	eq(progs[2].arrived, 0);
	eq(moves().stayed, 1);
	send_all(c, "hello");
	recv_all(c, "hello");
	eq(progs[1].got, 5);
}

static int others; /* times that a program was asked about what is not its */

static bool other_leave(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	others++;
	return true;
}

static plx_ns other_run(struct plx_softnet *sn, void *arg)
{
	return PLX_NEVER;
}

/* Of two programs of an lcore, who watches it is asked. */
T(another_program_is_not_asked)
{
	static struct plx_sock_program other[LCORES];
	int c;

	others = 0;
	make_programs();
	for (uint16_t i = 0; i < LCORES; i++) {
		other[i] = (struct plx_sock_program){
			.run = other_run, .leave = other_leave, .arrive = prog_arrive};
		plx_sock_program_add(st.s, i, &other[i]);
	}
	add_programs();
	c = client();
	move(1);
	move(2);
	send_all(c, "hello");
	recv_all(c, "hello");
	eq(others, 0);
	eq(progs[2].arrived, 1);
}

RUN_EAL(MV_(a_threads_socket), MV_(those_that_are_woven_in), MV_(a_call_on_the_way),
	MV_(somebody_waits_for_it), MV_(a_programs_socket_goes_to_its_twin), MV_(text_on_the_way),
	MV_(a_program_that_keeps_its_own), MV_(another_program_is_not_asked))
