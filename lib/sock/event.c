/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

/* eventfd(2): a counter, to wake an epoll set from any thread. */

#define COUNT_MAX (UINT64_MAX - 1)

struct sock_event {
	struct sock_file f;
	uint64_t count;
	bool semaphore;
};

static struct sock_event *event_of(const struct sock_file *f)
{
	return plx_container_of(f, struct sock_event, f);
}

static uint32_t poll_event(struct sock_lcore *sl, struct sock_file *f)
{
	uint64_t n = event_of(f)->count;

	return (n > 0 ? EPOLLIN : 0) | (n < COUNT_MAX ? EPOLLOUT : 0) |
	       (n == UINT64_MAX ? EPOLLERR : 0);
}

static long read_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_event *e = event_of(f);
	struct sock_iov it = sock__iov_at(op->recv, 0);
	uint64_t v = e->semaphore ? 1 : e->count;
	size_t n;
	void *p;

	if (!sock__iov_next(&it, &p, &n) || n < sizeof(v))
		return -EINVAL;
	sock__waits(f, op);
	if (!e->count)
		return sock__again(op, EPOLLIN, 0);
	e->count -= v;
	sock__wake(sl, f, EPOLLOUT);
	if (!p) /* it is gone all the same */
		return -EFAULT;
	memcpy(p, &v, sizeof(v));
	return sizeof(v);
}

static long write_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_event *e = event_of(f);
	struct sock_iov it = sock__iov_at(op->send, 0);
	uint64_t v;
	size_t n;
	void *p;

	if (!sock__iov_next(&it, &p, &n) || n < sizeof(v))
		return -EINVAL;
	if (!p)
		return -EFAULT;
	memcpy(&v, p, sizeof(v));
	if (v == UINT64_MAX)
		return -EINVAL;
	sock__waits(f, op);
	if (COUNT_MAX - e->count < v)
		return sock__again(op, EPOLLOUT, 0);
	e->count += v;
	sock__wake(sl, f, EPOLLIN);
	return sizeof(v);
}

static void release(struct sock_lcore *sl, struct sock_file *f)
{
	sock__cold_free(sl, f);
	sock__free(sl, event_of(f), sizeof(struct sock_event));
}

static const struct sock_kind kind = {
	.poll = poll_event, .recv = read_run, .send = write_run, .release = release};

static long new_run(struct sock_lcore *sl, struct sock_file *none, struct sock_op *op)
{
	struct sock_event *e = sock__alloc(sl, sizeof(*e));
	int fd;

	if (!e)
		return -ENOMEM;
	e->f.kind = &kind;
	e->f.flags = sock__flags(op->flags);
	e->count = *op->count;
	e->semaphore = op->flags & EFD_SEMAPHORE;
	fd = sock__fd_new(sl, &e->f);
	if (fd < 0)
		sock__free(sl, e, sizeof(*e));
	return fd;
}

int plx_eventfd(unsigned int count, int flags)
{
	uint64_t n = count;
	struct sock_op op = {.run = new_run, .nofile = true, .flags = flags, .count = &n};

	if (flags & ~(EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE)) {
		errno = EINVAL;
		return -1;
	}
	return (int)sock__call(&op);
}
