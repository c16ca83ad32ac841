/* SPDX-License-Identifier: BSD-3-Clause */
/* Connected sockets of UDP whose flows move to another lcore. */
#include "sock_move_t.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>

#include "../../lib/sock/sock.h"

static void sent(int fd, int len)
{
	struct sockaddr_in in;
	socklen_t n = sizeof(in);
	char text[128];

	eq(plx_getsockname(fd, (struct sockaddr *)&in, &n), 0);
	snprintf(text, sizeof(text), "ip 10.0.0.2 > 10.0.0.1 df udp %u > 9 len %d",
		ntohs(in.sin_port), len);
	nt_out(0, text);
}

/* What it has and what was set goes along; the descriptor stays what it was. */
T(a_threads_socket)
{
	struct sockaddr_storage was, is;
	const int tos = 32, size = 5000;
	socklen_t len = sizeof(was), n = sizeof(int);
	char buf[64];
	int c, v, fresh;

	start();
	c = udp_client();
	eq(plx_getsockname(c, (struct sockaddr *)&was, &len), 0);
	eq(plx_setsockopt(c, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), 0);
	eq(plx_setsockopt(c, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		uint16_t to = (uint16_t)((i + 1) % LCORES);

		from_peer(c, 10);
		move(to);
		eq(plx_sock_owner(c), to);
		from_peer(c, 11);
		eq(plx_recv(c, buf, sizeof(buf), 0), 10);
		eq(plx_recv(c, buf, sizeof(buf), 0), 11);
		fails(plx_recv(c, buf, sizeof(buf), 0), EAGAIN);
	}
	eq(plx_getsockopt(c, IPPROTO_IP, IP_TOS, &v, &n), 0);
	eq(v, tos);
	eq(plx_getsockopt(c, SOL_SOCKET, SO_RCVBUF, &v, &n), 0);
	eq(v, 2 * size);
	len = sizeof(is);
	eq(plx_getsockname(c, (struct sockaddr *)&is, &len), 0);
	mem_eq(&was, &is, len);
	eq(moves().stayed, 0);
	eq(plx_sock_count(st.s), 1);
	/* its port is still its own, until it is closed */
	fresh = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	fails(plx_bind(fresh, (struct sockaddr *)&was, len), EADDRINUSE);
	eq(plx_close(c), 0);
	st_run();
	eq(plx_bind(fresh, (struct sockaddr *)&was, len), 0);
	eq(plx_close(fresh), 0);
	st_run();
	eq(plx_sock_count(st.s), 0);
}

/* The queue is full: it is as full there, and what it may hold is given back when it is read. */
T(a_full_queue)
{
	struct plx_softnet *sn[LCORES];
	char buf[64];
	int c, n = 0;

	start();
	c = udp_client();
	for (uint16_t i = 0; i < LCORES; i++)
		sn[i] = plx_engine_softnet(nt.eng, i);
	for (; nt_stat(PLX_STAT_UDP_RCVBUFERRORS) == 0 && n < 1000; n++)
		from_peer(c, 1 + n % 60);
	ok(n > 50);
	move(1);
	move(2);
	from_peer(c, 61);
	eq(nt_stat(PLX_STAT_UDP_RCVBUFERRORS), 2);
	ok(plx_quota_used(&((struct net_lcore *)sn[2]->user)->udp_quota) > 0);
	for (uint16_t i = 0; i < 2; i++)
		eq(plx_quota_used(&((struct net_lcore *)sn[i]->user)->udp_quota), 0);
	for (int i = 0; i < n - 1; i++)
		eq(plx_recv(c, buf, sizeof(buf), 0), 1 + i % 60);
	fails(plx_recv(c, buf, sizeof(buf), 0), EAGAIN);
	eq(plx_quota_used(&((struct net_lcore *)sn[2]->user)->udp_quota), 0);
	from_peer(c, 61);
	eq(plx_recv(c, buf, sizeof(buf), 0), 61);
}

/* A datagram that is being put together, and errors that were not read. */
T(half_a_datagram_and_errors)
{
	const int on = 1;
	char buf[64], ctl[256];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl,
		.msg_controllen = sizeof(ctl)};
	int c;

	start();
	c = udp_client();
	eq(plx_setsockopt(c, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	send_text(c, "one");
	sent(c, 3);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 31");
	eq(plx_send(c, "two ", 4, MSG_MORE), -1); /* told once */
	eq(errno, ECONNREFUSED);
	eq(plx_send(c, "two ", 4, MSG_MORE), 4);
	move(1);
	move(2);
	eq(plx_sock_owner(c), 2);
	eq(plx_send(c, "halves", 6, 0), 6);
	st_run();
	sent(c, 10);
	eq(st_poll(c) & EPOLLERR, EPOLLERR);
	eq(plx_recvmsg(c, &msg, MSG_ERRQUEUE), 3);
	mem_eq(buf, "one", 3);
	fails(plx_recvmsg(c, &msg, MSG_ERRQUEUE), EAGAIN);
}

/* In a group, without a peer: it stays, and works as before. */
T(those_that_are_woven_in)
{
	const struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(0xe0010203), .imr_ifindex = 1};
	int member, any, from;

	start();
	member = udp_client();
	eq(plx_setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	any = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	eq(st_bind(any, "0.0.0.0", 77), 0);
	for (uint16_t i = 0; i < LCORES; i++) {
		int home = plx_sock_owner(member);

		from = plx_sock_owner(any);
		move(i);
		eq(plx_sock_owner(member), home);
		eq(plx_sock_owner(any), from);
		from_peer(member, 4);
		eq(plx_recv(member, &(char[8]){0}, 8, 0), 4);
		from_peer(any, 4);
		eq(plx_recv(any, &(char[8]){0}, 8, 0), 4);
	}
	eq(moves().stayed, 1);
	eq(moves().conns, 0);
	nt_no_drop();
}

/* Connected to each other: what one sends is looped back, and comes to where the other is. */
T(two_of_ours)
{
	int a, b;

	start();
	a = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	b = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	eq(st_bind(a, "10.0.0.2", 70), 0);
	eq(st_connect(b, "10.0.0.2", 70), 0);
	move((uint16_t)plx_sock_owner(a));
	{
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);

		eq(plx_getsockname(b, (struct sockaddr *)&ss, &len), 0);
		eq(plx_connect(a, (struct sockaddr *)&ss, len), 0);
	}
	st_run();
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		move(i % LCORES);
		eq(plx_sock_owner(a), i % LCORES);
		send_text(a, "there");
		recv_text(b, "there");
		send_text(b, "and back");
		recv_text(a, "and back");
	}
	eq(moves().stayed, 0);
}

struct call {
	pthread_t thread;
	int fd;
	long result;
	char buf[16];
	bool done;
};

static void *do_call(void *arg)
{
	struct call *c = arg;

	plx_sock_enter(st.s);
	c->result = plx_recv(c->fd, c->buf, sizeof(c->buf), 0);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin(struct call *c, int fd)
{
	*c = (struct call){.fd = fd};
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

/* A call that comes for it while it is nobody's finds it where it has gone. */
T(a_call_on_the_way)
{
	for (int when = 0; when < 40; when++) {
		struct call call;
		int c;

		start();
		c = udp_client();
		move(1);
		from_peer(c, 4);
		wish(2);
		for (int i = 0; i < when; i++) {
			st_lock(NULL);
			plx_engine_step(nt.eng, (uint16_t)(i % LCORES));
			st_unlock(NULL);
			nt.now += PLX_US(20);
		}
		begin(&call, c);
		usleep(300);
		end(&call);
		eq(call.result, 4);
		st_sleep(PLX_MS(20));
		eq(plx_sock_owner(c), 2);
		from_peer(c, 5);
		eq(plx_recv(c, call.buf, sizeof(call.buf), 0), 5);
		if (when != 39)
			after(NULL);
	}
}

static bool is_waited_for(int fd)
{
	return sock__file(sock__lcores[sock__fd_lcore(fd)], fd)->waiters;
}

/* Who waits goes along, and is woken there. */
T(somebody_waits_for_it)
{
	struct call call;
	int c;

	start();
	c = udp_client();
	move(1);
	eq(plx_fcntl(c, F_SETFL, 0), 0);
	begin(&call, c);
	for (int i = 0; i < 5000 && !is_waited_for(c); i++) {
		st_run();
		usleep(1000);
	}
	ok(is_waited_for(c));
	move(2);
	eq(plx_sock_owner(c), 2);
	from_peer(c, 4);
	end(&call);
	eq(call.result, 4);
	eq(moves().stayed, 0);
}

/* ---- programs ---- */

static struct prog {
	struct plx_sock_program p;
	int set, fd; /* fd: what it has made */
	uint16_t index;
	int left, arrived, got;
} progs[LCORES];

static void watch(struct prog *p, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	eq(plx_epoll_ctl(p->set, EPOLL_CTL_ADD, fd, &ev), 0);
}

static int prog_start(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;

	plx_sock_enter(NULL); /* the one that plays it is an ordinary thread else */
	p->index = sn->index;
	p->set = plx_epoll_create1(0);
	p->fd = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	eq(st_connect(p->fd, "10.0.0.1", 9), 0);
	watch(p, p->fd);
	plx_sock_enter(st.s);
	return 0;
}

static plx_ns prog_run(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;
	struct epoll_event ev;
	char buf[64];

	plx_sock_enter(NULL);
	while (plx_epoll_wait(p->set, &ev, 1, 0) == 1)
		while (plx_recv(ev.data.fd, buf, sizeof(buf), 0) > 0)
			p->got++;
	plx_sock_enter(st.s);
	return PLX_NEVER;
}

static bool prog_leave(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	((struct prog *)arg)->left++;
	return data.fd == fd;
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

/* Those of three programs, each on an lcore, come together and part; who has them hears for them,
 * what came before or while they were on their way, too. */
T(programs_sockets_go_to_twins)
{
	int got = 0;

	start();
	memset(progs, 0, sizeof(progs));
	for (uint16_t i = 0; i < LCORES; i++) {
		progs[i].p = (struct plx_sock_program){.start = prog_start,
			.run = prog_run,
			.leave = prog_leave,
			.arrive = prog_arrive,
			.arg = &progs[i]};
		plx_sock_program_add(st.s, i, &progs[i].p);
	}
	st_run();
	for (uint16_t to = 0; to < LCORES; to++) {
		move(to);
		for (uint16_t i = 0; i < LCORES; i++) {
			eq(plx_sock_owner(progs[i].fd), to);
			got = progs[to].got;
			from_peer(progs[i].fd, 4);
			eq(progs[to].got, got + 1);
		}
	}
	for (int when = 0; when < 30; when++) {
		uint16_t to = (uint16_t)(when % LCORES);

		got = progs[0].got + progs[1].got + progs[2].got;
		wish(to);
		for (int i = 0; i < when; i++) {
			st_lock(NULL);
			plx_engine_step(nt.eng, (uint16_t)(i % LCORES));
			st_unlock(NULL);
			nt.now += PLX_US(20);
		}
		from_peer(progs[1].fd, 4);
		st_sleep(PLX_MS(20));
		eq(progs[0].got + progs[1].got + progs[2].got, got + 1);
		eq(plx_sock_owner(progs[1].fd), to);
	}
	eq(moves().stayed, 0);
	eq(progs[0].left + progs[1].left + progs[2].left,
		progs[0].arrived + progs[1].arrived + progs[2].arrived);
	nt_no_drop();
}

RUN_EAL(MV_(a_threads_socket), MV_(a_full_queue), MV_(half_a_datagram_and_errors),
	MV_(those_that_are_woven_in), MV_(two_of_ours), MV_(a_call_on_the_way),
	MV_(somebody_waits_for_it), MV_(programs_sockets_go_to_twins))
