/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

/* epoll(7), after Linux's fs/eventpoll.c. */

#define NESTS_MAX  4					       /* EP_MAX_NESTS */
#define EVENTS_MAX (INT_MAX / (int)sizeof(struct epoll_event)) /* EP_MAX_EVENTS */

static const struct sock_kind kind;

static struct sock_epoll *set_of(struct sock_file *f)
{
	return f->kind == &kind ? plx_container_of(f, struct sock_epoll, f) : NULL;
}

/* ---- the ready list ---- */

static struct sock_watch *pop(struct sock_epoll *set)
{
	struct sock_watch *w = set->ready;

	set->ready = w->of_ready;
	if (!set->ready)
		set->ready_end = &set->ready;
	set->n_ready--;
	w->state &= ~WATCH_QUEUED;
	return w;
}

static uint32_t events_of(struct sock_lcore *sl, const struct sock_watch *w)
{
	return w->file->kind->poll(sl, w->file) & w->events & ~WATCH_PRIVATE;
}

static void report(struct sock_watch *w, uint32_t events, struct epoll_event *ev)
{
	ev->events = events;
	ev->data.u64 = w->data;
	if (w->events & EPOLLONESHOT)
		w->events &= WATCH_PRIVATE;
	else if (!(w->events & EPOLLET))
		sock__watch_queue(w);
}

static long wait_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_epoll *set = set_of(f);
	int n = 0;

	if (!set)
		return -EINVAL;
	/* what is level-triggered goes to the end, to be asked again by the next call */
	for (uint32_t left = set->n_ready; left && n < op->n_ev; left--) {
		struct sock_watch *w = pop(set);
		uint32_t events;

		if (plx_unlikely(w->state & WATCH_DEAD)) {
			sock__free(sl, w, sizeof(*w));
			continue;
		}
		events = events_of(sl, w);
		if (events)
			report(w, events, &op->ev[n++]);
	}
	if (set->n_ready)
		sl->ready_sets++;
	set->rests = op->own && !n;
	return n ? n : sock__again(op, SOCK_IN, op->timeout_us);
}

/* Of the set itself: has it something that would be reported? */
static uint32_t poll_set(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_epoll *set = set_of(f);

	/* what has nothing must not stay on the list, or nobody is told when it has */
	while (set->ready) {
		struct sock_watch *w = set->ready;

		if (!(w->state & WATCH_DEAD) && events_of(sl, w))
			return SOCK_IN;
		pop(set);
		if (w->state & WATCH_DEAD)
			sock__free(sl, w, sizeof(*w));
	}
	return 0;
}

/* ---- epoll_ctl ---- */

static struct sock_watch *find(struct sock_epoll *set, const struct sock_file *f)
{
	struct sock_watch *w = f->watch;

	while (w && w->set != set)
		w = w->of_file;
	return w;
}

/* How deep sets are nested below f, or more than may be. @param top is not to be met again. */
static int depth(struct sock_file *f, const struct sock_epoll *top, int left)
{
	struct sock_epoll *set = set_of(f);
	struct sock_watch *w;
	int most = 0;

	if (!set)
		return 0;
	if (set == top || left == 0)
		return NESTS_MAX + 1;
	plx_list_foreach (w, &set->all, of_set)
		most = PLX_MAX(most, 1 + depth(w->file, top, left - 1));
	return PLX_MAX(most, 1);
}

/* How many sets stand above it. */
static int height(const struct sock_epoll *set, int left)
{
	int most = 0;

	if (left == 0)
		return NESTS_MAX + 1;
	for (const struct sock_watch *w = set->f.watch; w; w = w->of_file)
		most = PLX_MAX(most, 1 + height(w->set, left - 1)); /* never from afar */
	return most;
}

static long add(struct sock_lcore *sl, struct sock_epoll *set, struct sock_file *f,
	const struct epoll_event *ev)
{
	struct sock_watch *w;

	if (find(set, f))
		return -EEXIST;
	if (set_of(f) && depth(f, set, NESTS_MAX + 1) + height(set, NESTS_MAX + 1) > NESTS_MAX)
		return -ELOOP;
	w = sock__alloc(sl, sizeof(*w));
	if (!w) {
		if (sock__is_far(f))
			sock__far_end(f);
		return -ENOMEM;
	}
	w->set = set;
	w->data = ev->data.u64;
	w->events = ev->events | EPOLLERR | EPOLLHUP;
	sock__watch_attach(f, w);
	plx_list_init(&w->of_set);
	plx_list_add_tail(&set->all, &w->of_set);
	if (events_of(sl, w))
		sock__watch_ready(sl, w);
	return 0;
}

static long modify(struct sock_lcore *sl, struct sock_epoll *set, const struct sock_file *f,
	const struct epoll_event *ev)
{
	struct sock_watch *w = find(set, f);

	if (!w)
		return -ENOENT;
	if (w->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	w->data = ev->data.u64;
	w->events = ev->events | EPOLLERR | EPOLLHUP;
	if (events_of(sl, w))
		sock__watch_ready(sl, w);
	return 0;
}

/* What EPOLLEXCLUSIVE may stand with (EPOLLEXCLUSIVE_OK_BITS). */
static bool exclusive_ok(const struct sock_op *op, struct sock_file *f)
{
	const uint32_t ok =
		EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

	if (op->ctl == EPOLL_CTL_DEL || !(op->ev->events & EPOLLEXCLUSIVE))
		return true;
	return op->ctl == EPOLL_CTL_ADD && !(f && set_of(f)) && !(op->ev->events & ~ok);
}

/* Sets of sets stay on one lcore, so that a loop of them is seen. */
static struct sock_file *new_far(
	struct sock_lcore *sl, struct sock_epoll *set, const struct sock_op *op, int *err)
{
	bool is_set = plx_sock_is_ours(op->target) && sock__fd_is_set(op->target);

	*err = is_set ? -EXDEV : 0;
	if (is_set ? op->ev->events & EPOLLEXCLUSIVE : !exclusive_ok(op, NULL))
		*err = -EINVAL;
	return *err ? NULL : sock__far_new(sl, set, op->target, op->ev->events, err);
}

/* What stands for fd here. @return NULL: *err says why. */
static struct sock_file *target_of(
	struct sock_lcore *sl, struct sock_epoll *set, const struct sock_op *op, int *err)
{
	struct sock_file *f = sock__file(sl, op->target);

	if (f) { /* it may have come here from elsewhere */
		struct sock_file *far = set ? sock__far_find(set, op->target) : NULL;

		return far ? far : f;
	}
	if (plx_sock_is_ours(op->target) ? sock__fd_lcore(op->target) < 0
					 : fcntl(op->target, F_GETFD) < 0) {
		*err = -EBADF;
		return NULL;
	}
	f = set ? sock__far_find(set, op->target) : NULL;
	if (f && op->ctl == EPOLL_CTL_ADD && sock__far_stale(f))
		sock__unwatch(sl, f); /* as the kernel did when it was closed */
	else if (f)
		return f;
	*err = -ENOENT;
	if (!set || op->ctl < EPOLL_CTL_ADD || op->ctl > EPOLL_CTL_MOD)
		*err = -EINVAL;
	else if (op->ctl == EPOLL_CTL_ADD)
		return new_far(sl, set, op, err);
	return NULL;
}

static long ctl_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_epoll *set = set_of(f);
	int err = 0;
	struct sock_file *target = target_of(sl, set, op, &err);
	struct sock_watch *w;

	if (!target)
		return err;
	if (op->ctl < EPOLL_CTL_ADD || op->ctl > EPOLL_CTL_MOD)
		return -EINVAL;
	if (!set || target == f || !exclusive_ok(op, target))
		return -EINVAL;
	switch (op->ctl) {
	case EPOLL_CTL_ADD:
		return add(sl, set, target, op->ev);
	case EPOLL_CTL_MOD:
		return modify(sl, set, target, op->ev);
	case EPOLL_CTL_DEL:
		w = find(set, target);
		if (!w)
			return -ENOENT;
		sock__watch_end(sl, w);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- life ---- */

static void release(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_epoll *set = set_of(f);
	struct sock_watch *w;

	while ((w = plx_list_first(&set->all, struct sock_watch, of_set)))
		sock__watch_end(sl, w);
	while (set->ready) {
		w = pop(set);
		sock__free(sl, w, sizeof(*w));
	}
	free(set->far);
	sock__cold_free(sl, f);
	sock__free(sl, set, sizeof(*set));
}

static const struct sock_kind kind = {.poll = poll_set, .release = release};

static long new_run(struct sock_lcore *sl, struct sock_file *none, struct sock_op *op)
{
	struct sock_epoll *set = sock__alloc(sl, sizeof(*set));
	int fd;

	if (!set)
		return -ENOMEM;
	set->f.kind = &kind;
	set->f.flags = sock__flags(op->flags);
	set->nth = sl->foreign ? 0 : sl->running;
	plx_list_init(&set->all);
	set->ready_end = &set->ready;
	fd = sock__fd_new(sl, &set->f);
	if (fd < 0)
		sock__free(sl, set, sizeof(*set));
	return fd;
}

int plx_epoll_create1(int flags)
{
	struct sock_op op = {.run = new_run, .nofile = true, .flags = flags};

	if (flags & ~EPOLL_CLOEXEC) {
		errno = EINVAL;
		return -1;
	}
	return (int)sock__call(&op);
}

int plx_epoll_create(int size)
{
	if (size <= 0) {
		errno = EINVAL;
		return -1;
	}
	return plx_epoll_create1(0);
}

int plx_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct sock_op o = {.run = ctl_run, .fd = epfd, .ctl = op, .target = fd, .ev = event};
	int r;

	if (op != EPOLL_CTL_DEL && !event) {
		errno = EFAULT;
		return -1;
	}
	r = (int)sock__call(&o);
	if (r == 0 && op == EPOLL_CTL_ADD)
		sock__flush(epfd, fd); /* so that the next wait knows whether it is ready */
	return r;
}

int plx_epoll_wait(int epfd, struct epoll_event *events, int n, int timeout_ms)
{
	return plx_epoll_pwait(epfd, events, n, timeout_ms, NULL);
}

int plx_epoll_pwait(
	int epfd, struct epoll_event *events, int n, int timeout_ms, const sigset_t *mask)
{
	struct sock_op op = {.run = wait_run,
		.fd = epfd,
		.mask = timeout_ms ? mask : NULL,
		.ev = events,
		.n_ev = n,
		.block = timeout_ms != 0,
		.no_restart = true,
		.timeout_us = timeout_ms > 0 ? timeout_ms * INT64_C(1000) : 0};
	bool bad_n = n <= 0 || n > EVENTS_MAX;
	long r;

	if (bad_n || !events) {
		errno = bad_n ? EINVAL : EFAULT;
		return -1;
	}
	r = sock__call(&op);
	return r < 0 && errno == EAGAIN ? 0 : (int)r;
}
