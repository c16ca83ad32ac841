/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A thread that comes back from a call that has blocked looks at the clock, and the script says
 * what it must find. So the clock may go on only when no such thread is on its way: each is asleep
 * in the kernel (which /proc tells, at once when it is woken), or has looked.
 */

#define THREADS 8

struct thread {
	pid_t tid;
	bool runs;	/* since a call, until it has looked at the clock */
	plx_ns wake_ns; /* it sleeps in pd_thread_sleep() */
};

static struct thread threads[THREADS];
static uint32_t n_threads;
static uint32_t happened; /* futex: counts */
static __thread bool is_main;
static __thread struct thread *self;

void pd_thread_main(void)
{
	is_main = true;
}

bool pd_thread_is_main(void)
{
	return is_main;
}

static void begin(struct plx_sock *s)
{
	uint32_t i;

	plx_sock_enter(s);
	i = __atomic_fetch_add(&n_threads, 1, __ATOMIC_RELAXED);
	if (i >= THREADS)
		pd_die("more than %d threads", THREADS);
	self = &threads[i];
	self->wake_ns = PLX_NEVER;
	__atomic_store_n(&self->tid, gettid(), __ATOMIC_RELEASE);
}

void pd_thread_enter(struct plx_sock *s)
{
	if (!self)
		begin(s);
	if (!is_main)
		__atomic_store_n(&self->runs, true, __ATOMIC_RELEASE);
}

void pd_thread_saw_clock(void)
{
	if (self)
		__atomic_store_n(&self->runs, false, __ATOMIC_RELEASE);
}

static long futex(int op, uint32_t val)
{
	return syscall(SYS_futex, &happened, op, val, NULL, NULL, 0);
}

uint32_t pd_thread_ticket(void)
{
	return __atomic_load_n(&happened, __ATOMIC_ACQUIRE);
}

void pd_thread_sleep(uint32_t ticket, plx_ns when)
{
	__atomic_store_n(&self->wake_ns, when, __ATOMIC_RELEASE);
	if (pd_now() < when)
		futex(FUTEX_WAIT_PRIVATE, ticket);
	__atomic_store_n(&self->wake_ns, PLX_NEVER, __ATOMIC_RELEASE);
}

void pd_thread_wake(void)
{
	__atomic_fetch_add(&happened, 1, __ATOMIC_ACQ_REL);
	futex(FUTEX_WAKE_PRIVATE, INT_MAX);
}

plx_ns pd_thread_deadline(void)
{
	plx_ns when = PLX_NEVER;

	for (int i = 0; i < THREADS; i++) {
		plx_ns w = __atomic_load_n(&threads[i].wake_ns, __ATOMIC_ACQUIRE);

		if (threads[i].tid)
			when = PLX_MIN(when, w);
	}
	return when;
}

/* The third word of its line in /proc, behind a name that may hold anything. */
static bool sleeps(pid_t tid)
{
	char path[64], line[512], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true; /* it is gone */
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return true;
	line[n] = '\0';
	state = strrchr(line, ')');
	return state && (state[2] == 'S' || state[2] == 'Z' || state[2] == 'X');
}

bool pd_thread_settle(void)
{
	bool ran = false;

	for (int i = 0; i < THREADS; i++) {
		pid_t tid = __atomic_load_n(&threads[i].tid, __ATOMIC_ACQUIRE);

		if (!tid || &threads[i] == self)
			continue;
		while (__atomic_load_n(&threads[i].runs, __ATOMIC_ACQUIRE) && !sleeps(tid)) {
			ran = true;
			sched_yield();
		}
	}
	return ran;
}
