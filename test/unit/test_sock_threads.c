/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ordinary threads, many sockets, two lcores that run: servers that wait in accept() and in
 * epoll_wait(), servers that are programs of the lcores, clients that do all kinds of things to
 * connections and check each byte that comes back. All sockets are connected to ourselves. For two
 * seconds, or as many as PLX_SOAK says.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include <plx_sock.h>

#define CLIENTS	 14 /* and two servers */
#define EACH	 64 /* sockets of a client */
#define PORT	 7  /* of the threads that serve, by TCP and UDP */
#define ON_LCORE 8  /* of the programs */

static struct {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_sock *sock;
	struct plx_tunables tun;
	int listener, dgram, wake;
	atomic_bool over;
	atomic_ulong opened, echoed, datagrams, resets;
} w;

/* What an lcore serves with. */
struct own {
	struct plx_sock_program program;
	int set, listener;
};
static struct own own[2];

#define must(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s: errno %d\n", __FILE__, __LINE__, #x, errno);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct sockaddr_in to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, "10.0.0.2", &a.sin_addr);
	return a;
}

/* Urgent bytes are bytes like others to those whom it lets in. */
static int listen_at(uint16_t port, bool shared)
{
	struct sockaddr_in a = to(port);
	int fd = plx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	must(fd >= 0);
	must(plx_setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)) == 0);
	if (shared)
		must(plx_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0);
	must(plx_bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	must(plx_listen(fd, 1000) == 0);
	return fd;
}

/* ---- servers on the lcores ---- */

static int own_start(struct plx_softnet *sn, void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct own *o = arg;

	o->set = plx_epoll_create1(0);
	o->listener = ev.data.fd = listen_at(ON_LCORE, true);
	must(plx_epoll_ctl(o->set, EPOLL_CTL_ADD, o->listener, &ev) == 0);
	return 0;
}

/* No more is taken than can be sent back: the rest stays where it is. */
static void own_echo(int fd)
{
	char buf[4096];
	ssize_t n, done;

	while ((n = plx_recv(fd, buf, sizeof(buf), MSG_PEEK)) > 0) {
		done = plx_send(fd, buf, (size_t)n, MSG_NOSIGNAL);
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0)
			break;
		must(plx_recv(fd, buf, (size_t)done, 0) == done);
	}
	if (n >= 0 || errno != EAGAIN)
		must(plx_close(fd) == 0);
}

static plx_ns own_run(struct plx_softnet *sn, void *arg)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET}, got[16];
	struct own *o = arg;
	int n = plx_epoll_wait(o->set, got, 16, 0);

	for (int i = 0; i < n; i++) {
		int fd = got[i].data.fd;

		if (fd != o->listener) {
			own_echo(fd);
			continue;
		}
		fd = ev.data.fd = plx_accept4(fd, NULL, NULL, SOCK_NONBLOCK);
		must(fd >= 0 && plx_epoll_ctl(o->set, EPOLL_CTL_ADD, fd, &ev) == 0);
	}
	return n == 16 ? plx_sock_now() : PLX_NEVER;
}

/* ---- the world ---- */

static void make(void)
{
	static const uint32_t lcores[] = {1, 2};
	struct plx_engine_conf ec = {.ops = &plx_net_ops,
		.tun = &w.tun,
		.idle = PLX_IDLE_SLEEP,
		.spare_lcores = true,
		.lcores = lcores,
		.n_lcores = 2};
	struct plx_prefix p;
	struct plx_error e;

	plx_tunables_init(&w.tun);
	w.tun.v[PLX_TUN_DAD_TRANSMITS] = 0;
	must(plx_port_create("p=pipe,peer=nobody", &e) == 0);
	w.net = plx_net_create(&(struct plx_net_conf){.udp_sockets = 4096}, &w.tun, &e);
	must(w.net);
	ec.arg = w.net;
	w.eng = plx_engine_create(&ec, &e);
	must(w.eng && plx_engine_open_ports(w.eng, &e) == 0);
	must(plx_net_attach(w.net, w.eng, &e) == 0);
	must(plx_net_if_add(w.net, plx_port_find("p")->id, 0, 0) == 1);
	must(plx_prefix_parse(&p, "10.0.0.2/24") == 0 && plx_net_addr_add(w.net, 1, &p) == 0);
	w.sock = plx_sock_create(w.net, NULL, &e);
	must(w.sock);
	for (uint16_t i = 0; i < 2; i++) {
		own[i].program = (struct plx_sock_program){
			.start = own_start, .run = own_run, .arg = &own[i]};
		plx_sock_program_add(w.sock, i, &own[i].program);
	}
	plx_engine_start(w.eng);
	while (!plx_engine_running(w.eng))
		sched_yield();
}

static void end(void)
{
	must(plx_sock_count(w.sock) == 4); /* each program's set and listener */
	plx_engine_stop(w.eng);
	must(plx_engine_join(w.eng) == 0);
	plx_sock_destroy(w.sock);
	must(plx_net_held(w.net) == 0);
	plx_engine_close_ports(w.eng);
	plx_port_fini_all();
	must(plx_engine_destroy(w.eng) == 0);
	plx_net_destroy(w.net);
}

/* ---- servers that are threads ---- */

/* One sends back what it gets, until the end, and may lose it to a reset. */
static bool echo(int fd)
{
	char buf[4096];
	ssize_t n = plx_recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return true;
	for (ssize_t done = 0, k; done < n; done += k) {
		k = plx_send(fd, buf + done, (size_t)(n - done), MSG_NOSIGNAL);
		if (k < 0)
			return false;
	}
	return n > 0;
}

static void echo_dgram(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char buf[2000];
	ssize_t n =
		plx_recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	must(n >= 0 || errno == EAGAIN); /* the other one was faster */
	if (n >= 0)
		must(plx_sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len) == n);
}

static void *serve(void *arg)
{
	const int files[] = {w.listener, w.dgram, w.wake};
	struct epoll_event ev = {.events = EPOLLIN}, got[16];
	int set = plx_epoll_create1(0);

	must(set >= 0);
	for (size_t i = 0; i < PLX_DIM(files); i++) {
		ev.data.fd = files[i];
		must(plx_epoll_ctl(set, EPOLL_CTL_ADD, files[i], &ev) == 0);
	}
	for (;;) {
		int n = plx_epoll_wait(set, got, 16, 1000);

		must(n >= 0 || errno == EINTR);
		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;

			if (fd == w.wake) {
				plx_close(set);
				return NULL;
			}
			if (fd == w.dgram) {
				echo_dgram(fd);
				continue;
			}
			if (fd != w.listener) {
				if (!echo(fd))
					must(plx_close(fd) == 0);
				continue;
			}
			fd = plx_accept4(fd, NULL, NULL, 0);
			if (fd < 0)
				continue; /* the other one was faster */
			ev.data.fd = fd;
			must(plx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) == 0);
		}
	}
}

/* ---- clients ---- */

struct client {
	pthread_t thread;
	struct plx_rng rng;
	int set[2]; /* both watch all of its connections */
	int dgram;
	struct {
		int fd;
		uint32_t sent, got; /* bytes; each is a function of its place */
	} s[EACH];
};

static uint32_t roll(struct client *c, uint32_t n)
{
	return plx_rng_below(&c->rng, n);
}

static uint8_t byte_at(uint32_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

static void lose(struct client *c, int i)
{
	must(plx_close(c->s[i].fd) == 0);
	c->s[i].fd = -1;
}

static void start(struct client *c, int i)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
	struct timeval tv = {.tv_sec = 60};
	struct sockaddr_in a = to(roll(c, 2) ? PORT : ON_LCORE);
	int fd = plx_socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0);
	must(plx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	if (plx_connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		must(errno == ECONNREFUSED || errno == ETIMEDOUT || errno == EADDRNOTAVAIL);
		plx_close(fd);
		return;
	}
	c->s[i].fd = fd;
	c->s[i].sent = c->s[i].got = 0;
	for (int k = 0; k < 2; k++) {
		must(plx_epoll_ctl(c->set[k], EPOLL_CTL_ADD, fd, &ev) == 0);
		ev.events |= EPOLLET;
	}
	atomic_fetch_add(&w.opened, 1);
}

static void do_send(struct client *c, int i)
{
	uint8_t buf[3000];
	uint32_t n = 1 + roll(c, sizeof(buf)), cut = roll(c, n);
	struct iovec iov[] = {{buf, cut}, {buf + cut, n - cut}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	int urgent = roll(c, 16) ? 0 : MSG_OOB;
	ssize_t r;

	for (uint32_t k = 0; k < n; k++)
		buf[k] = byte_at(c->s[i].sent + k);
	r = plx_sendmsg(c->s[i].fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL | urgent);
	must(r > 0 || errno == EAGAIN);
	c->s[i].sent += r > 0 ? (uint32_t)r : 0;
}

static void do_recv(struct client *c, int i, int flags)
{
	uint8_t buf[3000];
	ssize_t n = plx_recv(c->s[i].fd, buf, 1 + roll(c, sizeof(buf)), flags);

	if (n < 0 && errno == EAGAIN && flags & MSG_DONTWAIT)
		return;
	must(n > 0);
	for (ssize_t k = 0; k < n; k++)
		must(buf[k] == byte_at(c->s[i].got + (uint32_t)k));
	if (flags & MSG_PEEK)
		return;
	c->s[i].got += (uint32_t)n;
	atomic_fetch_add(&w.echoed, (unsigned long)n);
}

/* One at a time: none is lost. */
static void do_dgram(struct client *c)
{
	uint8_t out[1500], in[2000];
	uint32_t n = roll(c, sizeof(out));

	for (uint32_t k = 0; k < n; k++)
		out[k] = (uint8_t)roll(c, 256);
	must(plx_send(c->dgram, out, n, 0) == n);
	must(plx_recv(c->dgram, in, sizeof(in), 0) == n);
	must(memcmp(in, out, n) == 0);
	atomic_fetch_add(&w.datagrams, 1);
}

static void do_option(struct client *c, int i)
{
	static const int name[] = {TCP_NODELAY, TCP_CORK, TCP_QUICKACK};
	int on = (int)roll(c, 2), k = (int)roll(c, PLX_DIM(name)), now = -1;
	socklen_t len = sizeof(now);

	must(plx_setsockopt(c->s[i].fd, IPPROTO_TCP, name[k], &on, sizeof(on)) == 0);
	must(plx_getsockopt(c->s[i].fd, IPPROTO_TCP, name[k], &now, &len) == 0);
	must(name[k] == TCP_QUICKACK || now == on); /* which changes by itself */
}

/* All that was sent comes back, then the end; who lingers waits for nothing, as all has come. */
static void finish(struct client *c, int i)
{
	struct linger second = {.l_onoff = (int)roll(c, 2), .l_linger = 1};

	must(plx_setsockopt(c->s[i].fd, SOL_SOCKET, SO_LINGER, &second, sizeof(second)) == 0);
	must(plx_shutdown(c->s[i].fd, SHUT_WR) == 0);
	while (c->s[i].got < c->s[i].sent)
		do_recv(c, i, 0);
	must(plx_recv(c->s[i].fd, &(char){0}, 1, 0) == 0);
	lose(c, i);
}

static void reset(struct client *c, int i)
{
	struct linger now = {.l_onoff = 1};

	must(plx_setsockopt(c->s[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	lose(c, i);
	atomic_fetch_add(&w.resets, 1);
}

static void poll_some(struct client *c)
{
	struct pollfd p[8];
	int n;

	for (int i = 0; i < 8; i++)
		p[i] = (struct pollfd){.fd = c->s[roll(c, EACH)].fd, .events = POLLIN};
	n = plx_poll(p, 8, (int)roll(c, 3));
	must(n >= 0);
	for (int i = 0; i < 8; i++)
		must(!(p[i].revents & POLLNVAL));
}

/* What is told is open, and has something: nobody else reads it. */
static void wait_some(struct client *c)
{
	struct epoll_event got[8];
	int k = (int)roll(c, 2), n = plx_epoll_wait(c->set[k], got, 8, (int)roll(c, 3));

	must(n >= 0);
	for (int i = 0; i < n; i++) {
		must(got[i].events == EPOLLIN && c->s[got[i].data.u32].fd >= 0);
		if (k == 0) /* the other one told of an edge, which may be over */
			must(plx_recv(c->s[got[i].data.u32].fd, &(char){0}, 1,
				     MSG_PEEK | MSG_DONTWAIT) == 1);
	}
}

static void step(struct client *c)
{
	int i = (int)roll(c, EACH);

	if (c->s[i].fd < 0) {
		start(c, i);
		return;
	}
	switch (roll(c, 20)) {
	case 0:
		finish(c, i);
		break;
	case 1:
		if (roll(c, 4) == 0)
			reset(c, i);
		break;
	case 2:
		poll_some(c);
		break;
	case 3:
		do_recv(c, i, MSG_PEEK | MSG_DONTWAIT);
		break;
	case 4:
		if (c->s[i].got < c->s[i].sent)
			do_recv(c, i, 0);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		do_send(c, i);
		break;
	case 9:
		do_dgram(c);
		break;
	case 10:
		do_option(c, i);
		break;
	case 11:
		wait_some(c);
		break;
	default:
		do_recv(c, i, MSG_DONTWAIT);
		break;
	}
}

static void *work(void *arg)
{
	struct client *c = arg;
	struct timeval tv = {.tv_sec = 60};
	struct sockaddr_in a = to(PORT);

	for (int i = 0; i < EACH; i++)
		c->s[i].fd = -1;
	for (int i = 0; i < 2; i++)
		must((c->set[i] = plx_epoll_create1(0)) >= 0);
	c->dgram = plx_socket(AF_INET, SOCK_DGRAM, 0);
	must(plx_connect(c->dgram, (struct sockaddr *)&a, sizeof(a)) == 0);
	must(plx_setsockopt(c->dgram, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	while (!atomic_load(&w.over))
		step(c);
	for (int i = 0; i < EACH; i++)
		if (c->s[i].fd >= 0)
			finish(c, i);
	must(plx_close(c->dgram) == 0);
	for (int i = 0; i < 2; i++)
		must(plx_close(c->set[i]) == 0);
	return NULL;
}

/* On a machine that is slow it takes longer. */
static bool enough(void)
{
	return w.opened > 100 && w.echoed > 100000 && w.datagrams > 10;
}

static void run(unsigned int seconds, uint64_t seed)
{
	static struct client clients[CLIENTS];
	pthread_t servers[2];
	uint64_t n = 1;

	for (int i = 0; i < 2; i++)
		must(pthread_create(&servers[i], NULL, serve, NULL) == 0);
	for (int i = 0; i < CLIENTS; i++) {
		plx_rng_init(&clients[i].rng, seed * CLIENTS + (uint64_t)i);
		must(pthread_create(&clients[i].thread, NULL, work, &clients[i]) == 0);
	}
	sleep(seconds);
	for (int i = 0; i < 300 && !enough(); i++)
		usleep(100000);
	atomic_store(&w.over, true);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
	for (int i = 0; i < 2000 && plx_sock_count(w.sock) > 9; i++)
		usleep(10000); /* the servers close theirs: these stay, with two sets of threads */
	must(plx_write(w.wake, &n, sizeof(n)) == sizeof(n));
	for (int i = 0; i < 2; i++)
		pthread_join(servers[i], NULL);
}

/* ---- sets that watch one socket exclusively ---- */

#define TAKERS	  3
#define DATAGRAMS 200

static struct {
	int fd;
	atomic_int got;
	atomic_bool over;
} x;

/* Waits in a set for some time, then in a new one. */
static void *take(void *arg)
{
	while (!atomic_load(&x.over)) {
		struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE};
		int set = plx_epoll_create1(0);
		char c;

		must(set >= 0 && plx_epoll_ctl(set, EPOLL_CTL_ADD, x.fd, &ev) == 0);
		for (int i = 0; i < 5; i++)
			if (plx_epoll_wait(set, &ev, 1, 20) == 1 &&
				plx_recv(x.fd, &c, 1, MSG_DONTWAIT) == 1)
				atomic_fetch_add(&x.got, 1);
		must(plx_close(set) == 0);
	}
	return NULL;
}

static void taken_within(int n, int ms)
{
	while (atomic_load(&x.got) < n && ms-- > 0)
		usleep(1000);
	must(atomic_load(&x.got) == n);
}

/* No datagram is left to sets in which nobody waits. A socket of the next lcore. */
static void exclusive(uint16_t port)
{
	struct sockaddr_in a = to(port);
	pthread_t takers[TAKERS];
	int from = plx_socket(AF_INET, SOCK_DGRAM, 0);

	x.fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	must(from >= 0 && plx_bind(x.fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	must(plx_connect(from, (struct sockaddr *)&a, sizeof(a)) == 0);
	atomic_store(&x.got, 0);
	atomic_store(&x.over, false);
	for (int i = 0; i < TAKERS; i++)
		must(pthread_create(&takers[i], NULL, take, NULL) == 0);
	for (int i = 0; i < DATAGRAMS; i++) {
		must(plx_send(from, "x", 1, 0) == 1);
		taken_within(i + 1, 10000);
	}
	atomic_store(&x.over, true);
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	must(plx_close(x.fd) == 0 && plx_close(from) == 0);
}

int main(int argc, char **argv)
{
	char *args[] = {argv[0], (char[]){"--no-huge"}, (char[]){"--no-pci"},
		(char[]){"--no-shconf"}, (char[]){"--no-telemetry"}, (char[]){"--log-level=error"},
		(char[]){"-m"}, (char[]){"512"}, (char[]){"--lcores=(0-2)@(0,1)"}};
	const char *soak = getenv("PLX_SOAK"), *seed = getenv("PLX_TEST_SEED");
	struct sockaddr_in a = to(PORT);

	must(rte_eal_init(PLX_DIM(args), args) >= 0 && plx_pkt_init() == 0);
	make();
	exclusive(1001);
	must(plx_close(plx_socket(AF_INET, SOCK_DGRAM, 0)) == 0); /* and the other one */
	exclusive(1002);
	w.listener = listen_at(PORT, false);
	w.dgram = plx_socket(AF_INET, SOCK_DGRAM, 0);
	w.wake = plx_eventfd(0, 0);
	must(w.dgram >= 0 && w.wake >= 0);
	must(plx_bind(w.dgram, (struct sockaddr *)&a, sizeof(a)) == 0);
	printf("seed %s\n", seed ? seed : "1");
	fflush(stdout);
	run(soak ? (unsigned int)atoi(soak) : 2, seed ? strtoull(seed, NULL, 0) : 1);
	must(plx_close(w.listener) == 0 && plx_close(w.dgram) == 0 && plx_close(w.wake) == 0);
	printf("%lu connections, %lu bytes echoed, %lu datagrams, %lu resets\n", w.opened, w.echoed,
		w.datagrams, w.resets);
	fflush(stdout);
	must(enough());
	end();
	rte_eal_cleanup();
	return 0;
}
