/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets in epoll sets of threads, whose flows move to another lcore. */
#include "sock_move_t.h"

#include "../../lib/sock/far.h"

#define TIMES 40 /* steps that a move takes, and some more */

/* A connection on an lcore, whose second end is watched; sets of threads are on lcore 0. */
static int watched_on(uint16_t lcore, int c[2], uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = 77};
	int set;

	start();
	pair(c, 80);
	move(lcore);
	set = plx_epoll_create1(0);
	ok(set >= 0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, c[1], &ev), 0);
	st_run();
	return set;
}

static int watched(int c[2], uint32_t events)
{
	return watched_on(1, c, events);
}

static void say(int fd)
{
	eq(plx_send(fd, "x", 1, 0), 1);
	st_sleep(PLX_MS(300));
}

/* It has text, and the set says so. */
static void heard(int set, int fd, uint64_t data)
{
	struct epoll_event ev[2] = {{0}};
	char c;

	st_run();
	eq(plx_epoll_wait(set, ev, 2, 0), 1);
	eq(ev[0].data.u64, data);
	ok(ev[0].events & EPOLLIN);
	eq(plx_recv(fd, &c, 1, 0), 1);
}

static void nothing(int set)
{
	struct epoll_event ev;

	st_run();
	eq(plx_epoll_wait(set, &ev, 1, 0), 0);
}

/* Stand-ins that are there, of all lcores. */
static uint32_t stand_ins(void)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < LCORES; i++) {
		struct sock_far *far;

		plx_list_foreach (far, &st.s->lcore[i]->fars, of_lcore)
			n++;
	}
	return n;
}

/* @param slow an lcore that comes by less often; LCORES: none. */
static void steps_but(int n, uint16_t slow)
{
	for (int i = 0; i < n; i++) {
		uint16_t lcore = (uint16_t)(i % LCORES);

		if (lcore == slow && i % 8)
			continue;
		st_lock(NULL);
		plx_engine_step(nt.eng, lcore);
		st_unlock(NULL);
		nt.now += PLX_US(20);
	}
}

static void some_steps(int n)
{
	steps_but(n, LCORES);
}

/* By level, by edge, once: wherever it is, and home again, where the set is. */
static void goes_and_sets_follow(uint16_t from)
{
	struct epoll_event edge = {.events = EPOLLIN | EPOLLET, .data.u64 = 1};
	struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 2};
	int c[2], level = watched_on(from, c, EPOLLIN), other = plx_epoll_create1(0);

	eq(plx_epoll_ctl(other, EPOLL_CTL_ADD, c[1], &edge), 0);
	eq(stand_ins(), from ? 2 : 0);
	for (uint16_t i = 0; i < 3 * LCORES; i++) {
		uint16_t to = (uint16_t)((from + i + 1) % LCORES);

		say(c[0]);
		move(to);
		eq(plx_sock_owner(c[1]), to);
		heard(level, c[1], 77);
		nothing(level);
		nothing(other); /* what it said is read */
		say(c[0]);
		heard(other, c[1], 1);
		nothing(other);
		nothing(level);
		fails(plx_epoll_ctl(level, EPOLL_CTL_ADD, c[1], &edge), EEXIST);
		eq(plx_epoll_ctl(other, EPOLL_CTL_MOD, c[1], &once), 0);
		say(c[0]);
		heard(other, c[1], 2);
		say(c[0]);
		nothing(other);
		heard(level, c[1], 77);
		edge = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.u64 = 1};
		eq(plx_epoll_ctl(other, EPOLL_CTL_MOD, c[1], &edge), 0);
	}
	eq(moves().stayed, 0);
	eq(stand_ins(), 2);
	eq(plx_epoll_ctl(level, EPOLL_CTL_DEL, c[1], NULL), 0);
	fails(plx_epoll_ctl(level, EPOLL_CTL_DEL, c[1], NULL), ENOENT);
	say(c[0]);
	nothing(level);
	heard(other, c[1], 1);
	eq(plx_close(other), 0);
	st_run();
	eq(stand_ins(), 0);
	eq(plx_epoll_ctl(level, EPOLL_CTL_ADD, c[1], &edge), 0);
	eq(plx_close(c[1]), 0);
	nothing(level);
	st_run();
	eq(stand_ins(), 0);
}

T(it_goes_and_its_sets_follow)
{
	goes_and_sets_follow(1);
}

T(it_leaves_where_its_sets_are)
{
	goes_and_sets_follow(0);
}

/* Each edge is told, whatever has been done of the move. */
T(text_comes_at_any_time)
{
	for (int when = 0; when < LCORES * TIMES; when += 2) {
		uint16_t from = (uint16_t)(when % LCORES), to = (uint16_t)((when + 1) % LCORES);
		int c[2], set = watched_on(from, c, EPOLLIN | EPOLLET);

		wish(to);
		some_steps(when / LCORES);
		eq(plx_send(c[0], "x", 1, 0), 1);
		settled();
		st_sleep(PLX_MS(300));
		eq(plx_sock_owner(c[1]), to);
		heard(set, c[1], 77);
		nothing(set);
		say(c[0]);
		heard(set, c[1], 77);
		after(NULL);
	}
}

/* It is watched no more, by a word or since its set goes; or anew. */
static void leaves_at_any_time(bool whole_set)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 5};

	for (int when = 0; when < 2 * TIMES; when++) {
		int c[2], set = watched_on(when & 1 ? 0 : 2, c, EPOLLIN);

		wish(when & 1 ? 1 : 0);
		some_steps(when / 2);
		eq(whole_set ? plx_close(set) : plx_epoll_ctl(set, EPOLL_CTL_DEL, c[1], NULL), 0);
		some_steps(when % 7);
		if (whole_set)
			set = plx_epoll_create1(0);
		settled();
		eq(stand_ins(), 0);
		say(c[0]);
		nothing(set);
		eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, c[1], &ev), 0);
		heard(set, c[1], 5);
		move(2);
		say(c[0]);
		heard(set, c[1], 5);
		after(NULL);
	}
}

T(a_watch_ends_at_any_time)
{
	leaves_at_any_time(false);
}

T(a_set_ends_at_any_time)
{
	leaves_at_any_time(true);
}

T(a_watch_begins_at_any_time)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 6};

	for (int when = 0; when < TIMES; when++) {
		int c[2], set = watched(c, EPOLLIN), other = plx_epoll_create1(0);

		wish(2);
		some_steps(when);
		eq(plx_epoll_ctl(other, EPOLL_CTL_ADD, c[1], &ev), 0);
		some_steps(when % 7);
		eq(plx_send(c[0], "x", 1, 0), 1);
		settled();
		st_sleep(PLX_MS(300));
		eq(plx_epoll_wait(set, &ev, 1, 0), 1);
		heard(other, c[1], 6);
		ev = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.u64 = 6};
		after(NULL);
	}
}

struct closer {
	pthread_t thread;
	int fd;
	bool done;
};

static void *do_close(void *arg)
{
	struct closer *c = arg;

	plx_sock_enter(st.s);
	eq(plx_close(c->fd), 0);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

T(it_is_closed_at_any_time)
{
	for (int when = 0; when < TIMES; when++) {
		struct closer closer = {0};
		int c[2], set = watched(c, EPOLLIN);

		closer.fd = c[1];
		wish(when & 1 ? 2 : 0);
		some_steps(when);
		eq(pthread_create(&closer.thread, NULL, do_close, &closer), 0);
		while (!__atomic_load_n(&closer.done, __ATOMIC_ACQUIRE)) {
			st_run();
			usleep(100);
		}
		pthread_join(closer.thread, NULL);
		settled();
		nothing(set);
		eq(stand_ins(), 0);
		after(NULL);
	}
}

/* Of exclusive ones somebody is told, on whichever lcores all are. */
T(exclusive_ones)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, .data.u64 = 8};
	int c[2], one = watched(c, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	int two = plx_epoll_create1(0);
	char text;

	eq(plx_epoll_ctl(two, EPOLL_CTL_ADD, c[1], &ev), 0);
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		int n;

		move((uint16_t)((i + 2) % LCORES));
		say(c[0]);
		n = plx_epoll_wait(one, &ev, 1, 0);
		n += plx_epoll_wait(two, &ev, 1, 0);
		ok(n >= 1);
		eq(plx_recv(c[1], &text, 1, 0), 1);
	}
	eq(moves().stayed, 0);
}

/*
 * Of two exclusive sets in which nobody waits, the one that is told passes it on, by way of the old
 * owner, which is slow, and then watches it no more.
 */
T(exclusive_ones_at_any_time)
{
	for (int when = 0; when < TIMES; when += 2)
		for (uint16_t slow = 0; slow <= LCORES; slow += LCORES) {
			struct epoll_event ev = {
				.events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, .data.u64 = 8};
			int c[2], one = watched(c, ev.events), two = plx_epoll_create1(0);

			eq(plx_epoll_ctl(two, EPOLL_CTL_ADD, c[1], &ev), 0);
			eq(plx_send(c[0], "x", 1, 0), 1);
			wish(2);
			steps_but(when, slow);
			eq(plx_close(when & 2 ? one : two), 0);
			steps_but(when % 13, slow);
			settled();
			st_sleep(PLX_MS(300));
			eq(stand_ins(), 1);
			heard(when & 2 ? two : one, c[1], when & 2 ? 8 : 77);
			after(NULL);
		}
}

/* The run ends, whatever has been done of the move: nothing is left behind. */
T(an_end_at_any_time)
{
	for (int when = 0; when < TIMES; when++) {
		int c[2];

		watched(c, EPOLLIN);
		wish(when & 1 ? 2 : 0);
		some_steps(when);
		after(NULL);
	}
}

/* The same of a connected socket of UDP. */
T(of_udp)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 9};
	char text[8];
	int c, set;

	start();
	c = udp_client();
	set = plx_epoll_create1(0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, c, &ev), 0);
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		uint16_t to = (uint16_t)((i + 1) % LCORES);

		move(to);
		eq(plx_sock_owner(c), to);
		nothing(set);
		from_peer(c, 4);
		eq(plx_epoll_wait(set, &ev, 1, 0), 1);
		eq(plx_recv(c, text, sizeof(text), 0), 4);
		nothing(set);
	}
	eq(moves().stayed, 0);
	eq(plx_close(c), 0);
	st_run();
	eq(stand_ins(), 0);
}

/*
 * The old owner has no transmit queue of its own, so that the records go by way of lcore 0, which
 * is slow: what the set says comes to the new owner before them.
 */
T(a_watch_ends_on_the_way)
{
	for (int when = 0; when < 3 * TIMES; when += 2) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 5};
		int c[2], set;

		nt.queues = 2;
		set = watched(c, EPOLLIN);
		move(2);
		wish(1);
		steps_but(when, 0);
		eq(plx_epoll_ctl(set, EPOLL_CTL_DEL, c[1], NULL), 0);
		steps_but(20, 0);
		settled();
		eq(plx_sock_owner(c[1]), 1);
		eq(stand_ins(), 0);
		say(c[0]);
		nothing(set);
		eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, c[1], &ev), 0);
		heard(set, c[1], 5);
		nt.queues = 0;
		after(NULL);
	}
}

RUN_EAL(MV_(it_goes_and_its_sets_follow), MV_(it_leaves_where_its_sets_are),
	cmocka_unit_test(text_comes_at_any_time), cmocka_unit_test(a_watch_ends_at_any_time),
	cmocka_unit_test(a_set_ends_at_any_time), cmocka_unit_test(a_watch_begins_at_any_time),
	cmocka_unit_test(it_is_closed_at_any_time), MV_(exclusive_ones),
	cmocka_unit_test(exclusive_ones_at_any_time), cmocka_unit_test(an_end_at_any_time),
	cmocka_unit_test(a_watch_ends_on_the_way), MV_(of_udp))
