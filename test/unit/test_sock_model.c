/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_MEM "192"
#include "sock_model_t.h"

#include <time.h>

/*
 * Random calls of one lcore, in virtual time: TCP (sock_model_t.h), UDP, eventfds and epoll sets
 * that watch all of them. Each result is held against a model; at the end nothing is left. An
 * episode follows from its seed. Three of them, or as many as go into PLX_SOAK seconds.
 */

#define DGRAMS	8
#define INBOX	24
#define EVENTS	3
#define SETS	3
#define WATCHES 24
#define STEPS	20000

/* The first are bound to ports of their own, and write to each other; the others are connected,
 * each to one of the first. */
#define HUBS 4

struct letter {
	uint32_t n; /* which: its content follows */
	uint32_t len;
	uint16_t from;
};

static struct {
	int fd;
	uint16_t port;
	int hub; /* that it is connected to */
	bool may_refuse;
	struct letter in[INBOX];
	uint32_t first, count;
} d[DGRAMS];

static struct {
	int fd;
	uint64_t count;
	bool semaphore;
} ev[EVENTS];

struct watch {
	int fd;
	const int *where; /* whose descriptor it was: it is gone when that has changed */
	const struct sm_end *end;
	uint32_t events;
	bool armed;
	int seen; /* bytes that were there at the last epoll_wait() */
};

static struct {
	int fd;
	uint32_t n;
	struct watch w[WATCHES];
} set[SETS];

static uint32_t letters;

/* ---- UDP ---- */

static void dgram_open(int i)
{
	nt_run(); /* or it gets what is on its way to who had its port before */
	d[i].fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	d[i].count = 0;
	d[i].hub = (int)sm_roll(HUBS);
	d[i].may_refuse = false;
	must(d[i].fd >= 0);
	if (i < HUBS) {
		must(st_bind(d[i].fd, "0.0.0.0", (uint16_t)(200 + i)) == 0);
	} else {
		must(st_connect(d[i].fd, "10.0.0.2", (uint16_t)(200 + d[i].hub)) == 0);
		d[i].may_refuse = d[d[i].hub].fd < 0;
	}
	d[i].port = sm_port_of(d[i].fd, false);
}

static void dgram_close(int i)
{
	must(plx_close(d[i].fd) == 0);
	d[i].fd = -1;
	for (int k = HUBS; k < DGRAMS; k++)
		d[k].may_refuse |= d[k].hub == i; /* ICMP says so */
}

static uint8_t letter_byte(uint32_t n, uint32_t at)
{
	return (uint8_t)(n * 167 + at * 13 + (at >> 8));
}

/* From i to k; one of those that are connected gets what its hub sends. */
static void dgram_send(int i)
{
	int k = i < HUBS ? (int)sm_roll(DGRAMS) : d[i].hub;
	static uint8_t buf[3000];
	struct letter l = {letters, sm_roll(sizeof(buf)), d[i].port};
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.2", d[k].port);
	bool mine = k < HUBS || d[k].hub == i; /* else k's filter refuses it */
	ssize_t r;

	if (d[k].fd < 0 || d[k].count == INBOX)
		return;
	for (uint32_t b = 0; b < l.len; b++)
		buf[b] = letter_byte(l.n, b);
	r = i < HUBS ? plx_sendto(d[i].fd, buf, l.len, 0, (struct sockaddr *)&ss, len)
		     : plx_send(d[i].fd, buf, l.len, 0);
	if (r < 0) {
		must(errno == ECONNREFUSED && d[i].may_refuse);
		return;
	}
	must((uint32_t)r == l.len);
	letters++;
	if (mine)
		d[k].in[(d[k].first + d[k].count++) % INBOX] = l;
}

/* The next one in the order in which they were sent. */
static void dgram_recv(int i, bool settled)
{
	struct letter l = d[i].in[d[i].first];
	static uint8_t buf[3000];
	size_t room = sm_roll(4) ? sizeof(buf) : sm_roll(2000);
	struct iovec iov = {buf, room};
	struct sockaddr_in from;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof(from)};
	bool peek = sm_roll(4) == 0;
	uint32_t is = st_poll(d[i].fd);
	ssize_t r = plx_recvmsg(d[i].fd, &m, peek ? MSG_PEEK : 0);

	if (r < 0 && errno == ECONNREFUSED) {
		must(d[i].may_refuse);
		return;
	}
	must(!(is & POLLIN) == (r < 0));
	if (r < 0) {
		must(errno == EAGAIN && !(settled && d[i].count));
		return;
	}
	must(d[i].count > 0);
	must((size_t)r == PLX_MIN(room, (size_t)l.len));
	must(!(m.msg_flags & MSG_TRUNC) == (l.len <= room));
	must(ntohs(from.sin_port) == l.from);
	for (uint32_t b = 0; b < r; b++)
		must(buf[b] == letter_byte(l.n, b));
	if (!peek) {
		d[i].first = (d[i].first + 1) % INBOX;
		d[i].count--;
	}
}

static void dgram_act(void)
{
	int i = (int)sm_roll(DGRAMS);

	if (d[i].fd < 0)
		dgram_open(i);
	else if (sm_roll(40) == 0)
		dgram_close(i);
	else if (sm_roll(2))
		dgram_send(i);
	else
		dgram_recv(i, false);
}

/* ---- eventfds ---- */

static void event_act(void)
{
	int i = (int)sm_roll(EVENTS);
	uint64_t v = 1 + sm_roll(5);
	ssize_t r;

	if (ev[i].fd < 0) {
		ev[i].semaphore = sm_roll(2);
		ev[i].count = sm_roll(3);
		ev[i].fd = plx_eventfd((unsigned int)ev[i].count,
			EFD_NONBLOCK | (ev[i].semaphore ? EFD_SEMAPHORE : 0));
		must(ev[i].fd >= 0);
	} else if (sm_roll(30) == 0) {
		must(plx_close(ev[i].fd) == 0);
		ev[i].fd = -1;
	} else if (sm_roll(2)) {
		must(plx_write(ev[i].fd, &v, sizeof(v)) == sizeof(v));
		ev[i].count += v;
	} else {
		r = plx_read(ev[i].fd, &v, sizeof(v));
		must(r == (ev[i].count ? (ssize_t)sizeof(v) : -1));
		must(r > 0 || errno == EAGAIN);
		must(r < 0 || v == (ev[i].semaphore ? 1 : ev[i].count));
		ev[i].count -= r > 0 ? v : 0;
	}
}

/* ---- epoll ---- */

/* Any open file. */
static const int *any_file(const struct sm_end **end)
{
	struct sm_pair *p = &sm.pair[sm_roll(SM_PAIRS)];

	*end = NULL;
	switch (sm_roll(6)) {
	case 0:
		return &d[sm_roll(DGRAMS)].fd;
	case 1:
		return &ev[sm_roll(EVENTS)].fd;
	case 2:
		return &sm.listener[sm_roll(SM_LISTENERS)].fd;
	default:
		if (!p->used)
			return &sm.listener[0].fd;
		*end = &p->e[sm_roll(2)];
		return &(*end)->fd;
	}
}

static struct watch *watch_of(int s, int fd)
{
	for (uint32_t k = 0; k < set[s].n; k++)
		if (set[s].w[k].fd == fd)
			return &set[s].w[k];
	return NULL;
}

/* Those whose file was closed have left the set by themselves. */
static void forget_closed(int s)
{
	for (uint32_t k = 0; k < set[s].n;)
		if (*set[s].w[k].where == set[s].w[k].fd)
			k++;
		else
			set[s].w[k] = set[s].w[--set[s].n];
}

static void watch_something(int s)
{
	static const uint32_t flags[] = {0, 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT};
	const struct sm_end *end;
	const int *where = any_file(&end);
	struct watch *w = *where < 0 ? NULL : watch_of(s, *where);
	uint32_t events = (sm_roll(4) ? EPOLLIN : 0) | (sm_roll(3) ? 0 : EPOLLOUT) |
			  (sm_roll(3) ? 0 : EPOLLRDHUP) | flags[sm_roll(PLX_DIM(flags))];
	int op = sm_roll(4) ? EPOLL_CTL_ADD : sm_roll(2) ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)*where << 8 | (uint64_t)s};
	int r;

	if (*where < 0 || (op == EPOLL_CTL_ADD && !w && set[s].n == WATCHES))
		return;
	r = plx_epoll_ctl(set[s].fd, op, *where, &e);
	if (op == EPOLL_CTL_ADD && w) {
		must(r == -1 && errno == EEXIST);
		return;
	}
	if (op != EPOLL_CTL_ADD && !w) {
		must(r == -1 && errno == ENOENT);
		return;
	}
	must(r == 0);
	if (op == EPOLL_CTL_DEL) {
		*w = set[s].w[--set[s].n];
		return;
	}
	if (!w)
		w = &set[s].w[set[s].n++];
	*w = (struct watch){*where, where, end, events, true, -1};
}

static int bytes_at(const struct watch *w)
{
	int n = 0;

	if (w->end)
		must(plx_ioctl(w->fd, SIOCINQ, &n) == 0);
	return n;
}

/* What is asked for has to be told when it is true; an edge when more text is there than was. */
static bool must_tell(const struct watch *w, uint32_t is)
{
	int lowat = w->end && w->end->opt[SM_LOWAT] > 0 ? w->end->opt[SM_LOWAT] : 1, n;

	if (!w->armed)
		return false;
	if (!(w->events & EPOLLET))
		return is & (w->events | EPOLLERR | EPOLLHUP);
	n = bytes_at(w);
	return w->end && !w->end->had_urgent && w->events & EPOLLIN && n > w->seen && n >= lowat;
}

static void set_wait(int s, bool again)
{
	struct epoll_event got[WATCHES + 1];
	uint32_t is[WATCHES];
	bool told[WATCHES] = {false};
	int n;

	forget_closed(s);
	for (uint32_t k = 0; k < set[s].n; k++)
		is[k] = st_poll(set[s].w[k].fd);
	n = plx_epoll_wait(set[s].fd, got, WATCHES + 1, 0);
	must(n >= 0);
	for (int i = 0; i < n; i++) {
		struct watch *w = watch_of(s, (int)(got[i].data.u64 >> 8));
		uint32_t k = w ? (uint32_t)(w - set[s].w) : 0;

		must(w && w->armed && !told[k] && (got[i].data.u64 & 0xff) == (uint64_t)s);
		must(got[i].events && got[i].events == (is[k] & (w->events | EPOLLERR | EPOLLHUP)));
		must(!again || !(w->events & EPOLLET));
		told[k] = true;
		sm.reports++;
	}
	for (uint32_t k = 0; k < set[s].n; k++) {
		struct watch *w = &set[s].w[k];

		must(told[k] || !must_tell(w, is[k]));
		w->seen = bytes_at(w);
		if (told[k] && w->events & EPOLLONESHOT)
			w->armed = false;
	}
}

static void set_act(void)
{
	int s = (int)sm_roll(SETS);

	if (set[s].fd < 0) {
		set[s].fd = plx_epoll_create1(0);
		set[s].n = 0;
		must(set[s].fd >= 0);
	} else if (sm_roll(100) == 0) {
		must(plx_close(set[s].fd) == 0);
		set[s].fd = -1;
	} else if (forget_closed(s), sm_roll(2)) {
		watch_something(s);
	} else {
		set_wait(s, false);
		set_wait(s, true);
	}
}

/* ---- an episode ---- */

static void stream_act(void)
{
	struct sm_pair *p = &sm.pair[sm_roll(SM_PAIRS)];
	int i = (int)sm_roll(2);

	if (!p->used)
		sm_connect(p);
	else if (p->e[i].fd >= 0)
		sm_act(p, i);
}

static void listener_act(void)
{
	int i = (int)sm_roll(SM_LISTENERS);

	if (sm.listener[i].fd < 0)
		sm_listen(i);
	else if (sm_roll(100) == 0)
		sm_unlisten(i);
	else
		sm_accept(i);
}

static void settle(void)
{
	nt_sleep(PLX_SEC(5));
	for (int k = 0; k < SM_PAIRS; k++)
		for (int i = 0; i < 2; i++)
			if (sm.pair[k].used && sm.pair[k].e[i].fd >= 0)
				sm_settled(&sm.pair[k], i);
	for (int i = 0; i < DGRAMS; i++)
		if (d[i].fd >= 0)
			dgram_recv(i, true);
}

static void step(void)
{
	uint32_t what = sm_roll(100);

	if (what < 55)
		stream_act();
	else if (what < 65)
		listener_act();
	else if (what < 75)
		dgram_act();
	else if (what < 79)
		event_act();
	else if (what < 92)
		set_act();
	else if (what < 97)
		nt_sleep(sm_roll(4) ? PLX_US(sm_roll(1000)) : PLX_MS(sm_roll(300)));
	else if (what < 98)
		settle();
	if (sm_roll(3))
		nt_run();
}

static void close_all(void)
{
	for (int k = 0; k < SM_PAIRS; k++)
		for (int i = 0; i < 2; i++)
			if (sm.pair[k].used && sm.pair[k].e[i].fd >= 0)
				sm_end_closes(&sm.pair[k], i, false);
	for (int i = 0; i < SM_LISTENERS; i++)
		if (sm.listener[i].fd >= 0)
			sm_unlisten(i);
	for (int i = 0; i < DGRAMS; i++)
		if (d[i].fd >= 0)
			dgram_close(i);
	for (int i = 0; i < EVENTS; i++)
		if (ev[i].fd >= 0)
			must(plx_close(ev[i].fd) == 0);
	for (int i = 0; i < SETS; i++)
		if (set[i].fd >= 0)
			must(plx_close(set[i].fd) == 0);
}

/* No connection, and no claim on any port: whoever wants one gets it, without SO_REUSEADDR. */
static void nothing_left(void)
{
	struct plx_acct sum;
	int fd;

	must(plx_sock_count(st.s) == 0);
	nt_sleep(PLX_SEC(1000)); /* orphans give up, TIME-WAIT ends */
	plx_acct_sum(&sum);
	must(sum.stat[PLX_STAT_TCP_CURRESTAB] == 0);
	for (uint32_t port = 1; port < 65536; port += port < 300 || port >= 32768 ? 1 : 500) {
		fd = plx_socket(AF_INET, port & 1 ? SOCK_STREAM : SOCK_DGRAM, 0);
		must(st_bind(fd, "0.0.0.0", (uint16_t)port) == 0);
		must(plx_close(fd) == 0);
	}
	must(plx_net_held(nt.net) == 0);
}

static void episode(uint64_t seed)
{
	memset(&sm, 0, sizeof(sm));
	sm.seed = seed;
	plx_rng_init(&sm.rng, seed);
	for (int i = 0; i < SM_LISTENERS; i++)
		sm.listener[i].fd = -1;
	for (int i = 0; i < DGRAMS; i++)
		d[i].fd = -1;
	for (int i = 0; i < EVENTS; i++)
		ev[i].fd = -1;
	for (int i = 0; i < SETS; i++)
		set[i].fd = -1;
	nt.mbufs = 16383;
	st_new();
	for (; sm.step < STEPS; sm.step++)
		step();
	close_all();
	nothing_left();
	must(sm.accepts > 10 && sm.bytes > 100000 && sm.reports > 100);
	printf("%llu connections, %llu bytes, %llu resets, %u datagrams, %llu reports\n",
		(unsigned long long)sm.accepts, (unsigned long long)sm.bytes,
		(unsigned long long)sm.resets, letters, (unsigned long long)sm.reports);
}

T(any_calls)
{
	const char *soak = getenv("PLX_SOAK");
	time_t end = time(NULL) + (soak ? atoi(soak) : 0);
	uint64_t seed = t_seed(1);

	for (int i = 0; i < 3 || time(NULL) < end; i++) {
		if (i) {
			eq(st_after(NULL), 0);
			printf("seed %llu\n", (unsigned long long)++seed);
		}
		episode(seed);
	}
}

RUN_EAL(ST_(any_calls))
