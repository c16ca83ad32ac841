/* SPDX-License-Identifier: BSD-3-Clause */
#include "errq.h"
#include "far.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "futex.h"

/*
 * How a call gets to the lcore that owns what it is about. The lcore carries out all of it, the
 * copying too: the caller's memory is ours, and an ordinary thread touches no mbuf.
 *
 * A thread that waits sleeps in the kernel, in futex(2), which knows what a signal's handler was
 * installed with: with SA_RESTART the sleep goes on, without it ends in EINTR, and so does the
 * call. With a time limit it always ends, as Linux's sockets do.
 */

#define FOR_EVER_S  1000000	       /* a limit that makes a signal end the sleep */
#define FOR_EVER_US (INT64_MAX / 2000) /* behind it no time of the engine's comes */
#define TICK_NS	    PLX_US(16)
#define TIMER_MAX   64 /* a pass */

static void set_state(struct sock_op *op, enum sock_op_state s)
{
	uint32_t *word = &op->state;
	uint64_t one = 1;

	if (op->mask && s == SOCK_OP_DONE && write(op->evfd, &one, sizeof(one)) < 0)
		return;				     /* never: it has room for one */
	__atomic_store_n(word, s, __ATOMIC_RELEASE); /* DONE: op may be gone from here on */
	sock__futex_wake(word);
}

/* ---- on the owner ---- */

/* It may have closed the file. */
static long run_on(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	bool far = sock__is(f, SOCKF_FAR);
	long r = op->run(sl, f, op);

	if (plx_unlikely(far) && sock__file(sl, op->fd) == f)
		sock__far_publish(sl, f);
	return r;
}

static long run(struct sock_lcore *sl, struct sock_op *op)
{
	struct sock_file *f = NULL;

	if (op->nofile)
		return op->run(sl, NULL, op);
	f = sock__file(sl, op->fd);
	return f ? run_on(sl, f, op) : -EBADF;
}

static void finish(struct sock_op *op, long result)
{
	op->result = result < 0 && op->done ? (long)op->done : result;
	if (plx_unlikely(op->zc)) /* it was waiting */
		sock__zc_end(op, op->done);
	if (op->completed)
		op->completed(op);
	else
		set_state(op, SOCK_OP_DONE);
}

static void put_back(struct sock_file *f, struct sock_op *op)
{
	struct sock_op **at = &f->waiters;

	while (*at)
		at = &(*at)->next;
	op->next = NULL;
	op->file = f;
	*at = op;
}

static void queue(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	put_back(f, op);
	if (op->limit_us)
		__atomic_store_n(&op->timeout_us, op->limit_us, __ATOMIC_RELAXED);
	if (op->timeout_us && op->timeout_us < FOR_EVER_US)
		plx_wheel_add(&sl->wheel, &op->timer,
			plx_engine_now(sl->ns->eng) + op->timeout_us * 1000);
}

static void unqueue(struct sock_lcore *sl, struct sock_op *op)
{
	struct sock_op **at = &op->file->waiters;

	plx_wheel_del(&sl->wheel, &op->timer);
	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	op->file = NULL;
}

static void again(struct plx_softnet *sn, struct plx_msg *msg)
{
	sock__begin(sn, plx_container_of(msg, struct sock_op, msg));
}

/* What it is about is on another lcore by now, or about to come here. */
static bool follow(const struct sock_lcore *sl, struct sock_op *op)
{
	struct sock_lcore *there = op->nofile ? NULL : sock__fd_moved(sl, op->fd);

	if (plx_likely(!there))
		return false;
	op->msg.fn = again;
	plx_softnet_post(there->sn, &op->msg);
	return true;
}

void sock__begin(struct plx_softnet *sn, struct sock_op *op)
{
	struct sock_lcore *sl = sock__lcores[sn->lcore];
	long r;

	if (follow(sl, op))
		return;
	__atomic_store_n(&op->at, sl, __ATOMIC_RELEASE);
	if (plx_unlikely(op->near))
		sock__used(sl, op);
	sl->foreign = true;
	r = run(sl, op);
	sl->foreign = false;

	if (r != -EAGAIN || !op->block) {
		finish(op, r);
		return;
	}
	queue(sl, sock__file(sl, op->fd), op);
	__atomic_store_n(&op->state, SOCK_OP_WAITS, __ATOMIC_RELEASE);
}

static void first_try(struct plx_softnet *sn, void *arg)
{
	sock__begin(sn, arg);
}

/* Its time is over, or it is not wanted any more: a close() has then lingered for long enough. */
static void give_up(struct sock_lcore *sl, struct sock_op *op, long result)
{
	struct sock_file *f = op->file;

	unqueue(sl, op);
	if (op->run == sock__run_close) {
		op->flags = SOCK_CLOSE_NOW;
		result = op->run(sl, f, op);
	}
	finish(op, result);
}

static void done(struct sock_lcore *sl, struct sock_op *op, long result)
{
	plx_wheel_del(&sl->wheel, &op->timer);
	op->file = NULL;
	finish(op, result);
}

/* Runs all of a list that has been taken off f. @return false: one of them has closed f. */
static bool run_all(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op, uint32_t key)
{
	struct sock_op *next;

	for (; op; op = next) {
		int fd = op->fd;
		long r = -EAGAIN;

		next = op->next;
		if (!key || !op->want || key & op->want)
			r = run_on(sl, f, op);
		if (r == -EAGAIN) {
			put_back(f, op);
			continue;
		}
		done(sl, op, r);
		if (sock__file(sl, fd) == f)
			continue;
		for (op = next; op; op = next) {
			next = op->next;
			done(sl, op, -EBADF);
		}
		return false;
	}
	return true;
}

/* A call that is run may change the file again: then all have another turn. */
void sock__retry(struct sock_lcore *sl, struct sock_file *f, uint32_t key)
{
	if (sock__is(f, SOCKF_RETRYING)) {
		f->flags |= SOCKF_CHANGED;
		return;
	}
	f->flags |= SOCKF_RETRYING;
	for (;;) {
		struct sock_op *list = f->waiters;

		f->waiters = NULL;
		f->flags &= ~SOCKF_CHANGED;
		if (!run_all(sl, f, list, key))
			return;
		if (!sock__is(f, SOCKF_CHANGED) || !f->waiters)
			break;
		key = 0;
	}
	f->flags &= ~SOCKF_RETRYING;
}

/* By coming again, where they find it when it has arrived. They wait on for what is left of their
 * time. */
void sock__waiters_follow(struct sock_lcore *sl, struct sock_op *list, const struct sock_lcore *to)
{
	plx_ns now = plx_engine_now(sl->ns->eng);
	struct sock_op *next;

	for (struct sock_op *op = list; op; op = next) {
		next = op->next;
		if (plx_timer_is_armed(&op->timer))
			op->limit_us = PLX_MAX((op->timer.when - now) / 1000, (plx_ns)1);
		plx_wheel_del(&sl->wheel, &op->timer);
		op->file = NULL;
		op->near = 0; /* it has been counted */
		__atomic_store_n(&op->at, NULL, __ATOMIC_RELEASE);
		op->msg.fn = again;
		plx_softnet_post(to->sn, &op->msg);
	}
}

void sock__waiters_end(struct sock_lcore *sl, struct sock_file *f, long result)
{
	while (f->waiters) {
		struct sock_op *op = f->waiters;

		unqueue(sl, op);
		finish(op, result);
	}
}

static void timeout(struct plx_timer *timer, void *arg)
{
	struct sock_op *op = plx_container_of(timer, struct sock_op, timer);

	give_up(arg, op, op->timeout_err ? op->timeout_err : -EAGAIN);
}

uint32_t sock__timeouts(struct sock_lcore *sl)
{
	plx_ns now = sl->sn->now_ns;

	if (plx_likely(plx_wheel_deadline(&sl->wheel) > now))
		return 0;
	return plx_wheel_run(&sl->wheel, now, TIMER_MAX, timeout, sl);
}

void sock__timeouts_init(struct sock_lcore *sl)
{
	plx_wheel_init(&sl->wheel, plx_engine_now(sl->ns->eng), TICK_NS);
}

/* ---- by the thread ---- */

struct cancel {
	struct sock_op *op;
	long result;
};

void sock__cancel(struct plx_softnet *sn, struct sock_op *op, long result)
{
	struct sock_lcore *sl = sock__lcores[sn->lcore];

	/* its file is another's, or it is done */
	if (__atomic_load_n(&op->at, __ATOMIC_ACQUIRE) != sl || !op->file)
		return;
	give_up(sl, op, result);
}

static void do_cancel(struct plx_softnet *sn, void *arg)
{
	const struct cancel *c = arg;

	sock__cancel(sn, c->op, c->result);
}

/* Into the engine: a stepped one is somebody's, who has a lock. */
static int enter(const struct sock_lcore *sl, void (*fn)(struct plx_softnet *, void *), void *arg)
{
	const struct plx_sock_conf *conf = &sl->ns->conf;
	int err;

	if (conf->lock)
		conf->lock(conf->lock_arg);
	err = plx_softnet_call(sl->sn, fn, arg);
	if (conf->unlock)
		conf->unlock(conf->lock_arg);
	return err;
}

/* Until op's state has changed. @param limited a signal ends it in any case. @return 0 or -errno.
 */
static int await(const struct sock_op *op, bool limited)
{
	const struct timespec t = {.tv_sec = FOR_EVER_S};

	return sock__futex_wait(&op->state, SOCK_OP_WAITS, limited ? &t : NULL);
}

/* One round of sleep. @return 0 or -errno. */
static int doze(const struct sock_op *op)
{
	struct pollfd p = {.fd = op->evfd, .events = POLLIN};

	/* the mask and the sleep are one step, or a signal that comes in between is missed */
	if (op->mask)
		return ppoll(&p, 1, NULL, op->mask) < 0 ? -errno : 0;
	return await(op, op->no_restart || __atomic_load_n(&op->timeout_us, __ATOMIC_RELAXED));
}

static bool is_done(const struct sock_op *op)
{
	return __atomic_load_n(&op->state, __ATOMIC_ACQUIRE) == SOCK_OP_DONE;
}

/* While its file moves to another lcore it is nobody's, and asked for again. @return 0: it is done;
 * or -errno. */
static int interrupt(struct sock_op *op, const struct sock_lcore *sl)
{
	struct cancel c = {op, -EINTR};
	int err = 0;

	while (!err && !is_done(op)) {
		const struct sock_lcore *at = __atomic_load_n(&op->at, __ATOMIC_ACQUIRE);

		err = enter(at ? at : sl, do_cancel, &c);
	}
	return err;
}

static void sleep_on(struct sock_op *op, const struct sock_lcore *sl)
{
	while (!is_done(op)) {
		if (doze(op) != -EINTR)
			continue;
		if (interrupt(op, sl) == 0)
			continue;
		/* the engine does not run: whoever ends the sockets will tell */
		while (!is_done(op))
			await(op, true);
	}
}

/* The lcore whose CPU the thread runs on just now, or the nearest one. */
static uint16_t near(const struct plx_sock *ns)
{
	return (uint16_t)(plx_engine_near(ns->eng, sched_getcpu()) + 1);
}

static long from_thread(struct sock_op *op, const struct sock_lcore *sl)
{
	int err;

	if (op->uses && plx_unlikely(plx_net_rfs_on(sl->ns->net)))
		op->near = near(sl->ns);

	if (op->mask) {
		op->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (op->evfd < 0)
			return -errno;
	}
	err = enter(sl, first_try, op);
	if (!err)
		sleep_on(op, sl);
	if (op->mask)
		close(op->evfd);
	if (err)
		return op->nofile ? err : -EBADF;
	return op->result;
}

static void nothing(struct plx_softnet *sn, void *arg)
{
}

void sock__meet(struct plx_sock *ns)
{
	for (int i = 0; i < 2 * ns->n && !sock__self(); i++)
		enter(ns->lcore[i % ns->n], nothing, NULL);
}

void sock__flush(int fd, int other)
{
	int a = sock__fd_lcore(fd), b = sock__fd_lcore(other), state;

	if (a < 0 || b < 0 || a == b || sock__self())
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	enter(sock__lcores[b], nothing, NULL);
	enter(sock__lcores[a], nothing, NULL);
	pthread_setcancelstate(state, NULL);
}

/* Sets and counters of threads are all on one lcore, so that sets of sets are, too. */
static struct sock_lcore *lcore_for(const struct sock_op *op)
{
	struct plx_sock *ns = sock__ns();

	if (!ns)
		return NULL;
	if (!op->spread)
		return ns->lcore[0];
	return ns->lcore[__atomic_fetch_add(&ns->next_home, 1, __ATOMIC_RELAXED) % ns->n];
}

/* What is not about one's own file. */
PLX_NOINLINE static long call(struct sock_lcore *self, struct sock_op *op)
{
	struct sock_lcore *owner = self;

	if (plx_unlikely(sock__forked()))
		return -EBADF;
	if (!op->nofile) {
		int id = sock__fd_lcore(op->fd);

		if (id < 0)
			return -EBADF;
		owner = sock__lcores[id];
	}
	if (self && owner != self)
		return -EXDEV;
	if (!owner)
		owner = lcore_for(op);
	if (!owner)
		return -ENOSYS; /* there are no sockets (yet) */
	if (!self)
		return from_thread(op, owner);
	op->block = false;
	return run(self, op);
}

/* The call lies on this thread's stack: it must not be unwound meanwhile. */
PLX_NOINLINE static long uncancelled(struct sock_op *op)
{
	int state;
	long r;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	r = call(NULL, op);
	pthread_setcancelstate(state, NULL);
	return r;
}

long sock__call(struct sock_op *op)
{
	struct sock_lcore *self = sock__self();
	bool here = self && !op->nofile && !sock__forked();
	struct sock_file *f = here ? sock__file(self, op->fd) : NULL;
	long r;

	if (plx_likely(f)) { /* most calls are about one's own */
		op->block = false;
		op->own = true;
		r = run_on(self, f, op);
	} else {
		r = self ? call(self, op) : uncancelled(op);
	}
	if (plx_unlikely(r == -EPIPE && op->sigpipe))
		raise(SIGPIPE);
	if (plx_likely(r >= 0))
		return r;
	if (r == -EAGAIN && op->done)
		return (long)op->done;
	errno = (int)-r;
	return -1;
}
