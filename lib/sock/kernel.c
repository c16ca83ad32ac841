/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The kernel's files in our epoll sets: a thread sleeps in the kernel's epoll_wait() for all of
 * them, and tells the lcores of the sets of each edge. Whether one is ready is asked by poll() when
 * it comes to that.
 *
 * The kernel forgets a file when it is closed, and we are not told; its number may be another
 * file's then. A registration has the number and how many files it has stood for, so that what is
 * told of an old one is not taken for the new one.
 */

#define ALL	  (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET)
#define EXCLUSIVE (EPOLLIN | EPOLLOUT | EPOLLET | EPOLLEXCLUSIVE) /* all that it may stand with */

/** What is registered under a number. */
struct number {
	struct sock_far *first; /**< those who wait for it, by of_number */
	uint32_t gen;
	bool exclusive; /**< it is registered by EPOLLEXCLUSIVE: all of them want that */
};

struct sock_kernel {
	int epfd, evfd;
	pthread_t thread;
	pthread_mutex_t lock;
	struct number *number;
	size_t numbers;
	bool stop;
};

#define WAKE UINT64_MAX /* what the eventfd is registered with */

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static void told(struct sock_kernel *k, const struct epoll_event *ev)
{
	uint32_t fd = (uint32_t)ev->data.u64, gen = (uint32_t)(ev->data.u64 >> 32);

	pthread_mutex_lock(&k->lock);
	if (fd < k->numbers && k->number[fd].gen == gen)
		for (struct sock_far *far = k->number[fd].first; far; far = far->of_number)
			sock__far_post(far, ev->events);
	pthread_mutex_unlock(&k->lock);
}

static void *work(void *arg)
{
	struct sock_kernel *k = arg;
	struct epoll_event ev[64];

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		int n = epoll_wait(k->epfd, ev, PLX_DIM(ev), -1);

		for (int i = 0; i < n; i++)
			if (ev[i].data.u64 != WAKE)
				told(k, &ev[i]);
	}
	return NULL;
}

static struct sock_kernel *start(void)
{
	struct sock_kernel *k = calloc(1, sizeof(*k));
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = WAKE};
	sigset_t all, old;
	int err;

	if (!k)
		return NULL;
	pthread_mutex_init(&k->lock, NULL);
	k->epfd = epoll_create1(EPOLL_CLOEXEC);
	k->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = epoll_ctl(k->epfd, EPOLL_CTL_ADD, k->evfd, &ev) != 0 ||
	      pthread_create(&k->thread, NULL, work, k) != 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return k;
	close(k->epfd);
	close(k->evfd);
	free(k);
	return NULL;
}

static struct sock_kernel *kernel_of(struct plx_sock *ns)
{
	struct sock_kernel *k;

	pthread_mutex_lock(&starting);
	if (!ns->kernel)
		ns->kernel = start();
	k = ns->kernel;
	pthread_mutex_unlock(&starting);
	return k;
}

static bool make_room(struct sock_kernel *k, size_t fd)
{
	size_t n = PLX_MAX(k->numbers, (size_t)64);
	struct number *new;

	if (fd < k->numbers)
		return true;
	while (n <= fd)
		n *= 2;
	new = realloc(k->number, n * sizeof(*new));
	if (!new)
		return false;
	memset(new + k->numbers, 0, (n - k->numbers) * sizeof(*new));
	k->number = new;
	k->numbers = n;
	return true;
}

static int ctl(struct sock_kernel *k, int op, int fd)
{
	const struct number *n = &k->number[fd];
	struct epoll_event ev = {.events = n->exclusive ? EXCLUSIVE : ALL,
		.data.u64 = (uint64_t)n->gen << 32 | (uint32_t)fd};

	return epoll_ctl(k->epfd, op, fd, &ev) == 0 ? 0 : -errno;
}

/* It is told anew whether it is ready. @param exclusive what it is to be from now on. @return
 * error: it is another file's number by now. */
static int renew(struct sock_kernel *k, int fd, bool exclusive)
{
	struct number *n = &k->number[fd];
	bool anew = exclusive || n->exclusive; /* which the kernel does not modify */
	int err = anew ? ctl(k, EPOLL_CTL_DEL, fd) : 0;

	n->exclusive = exclusive;
	return err ? err : ctl(k, anew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd);
}

static bool is_exclusive(const struct sock_far *far)
{
	return far->w.events & EPOLLEXCLUSIVE;
}

/* Who waits for this number waits for a file that was closed. */
static void end_number(struct sock_kernel *k, int fd)
{
	struct number *n = &k->number[fd];

	for (struct sock_far *far = n->first; far; far = far->of_number)
		__atomic_store_n(&far->stale, true, __ATOMIC_RELAXED);
	n->first = NULL;
	n->gen++;
	n->exclusive = false;
}

/* A registration that is still good is told anew whether it is ready. */
static int join(struct sock_kernel *k, struct sock_far *far)
{
	struct number *n;
	int err;

	if (!make_room(k, (size_t)far->fd))
		return -ENOMEM;
	n = &k->number[far->fd];
	if (n->first && renew(k, far->fd, n->exclusive && is_exclusive(far)) != 0)
		end_number(k, far->fd);
	if (!n->first)
		n->exclusive = is_exclusive(far);
	err = n->first ? 0 : ctl(k, EPOLL_CTL_ADD, far->fd);
	if (err)
		return err;
	far->of_number = n->first;
	n->first = far;
	return 0;
}

int sock__kernel_watch(struct sock_far *far)
{
	struct sock_kernel *k = kernel_of(far->here->ns);
	int err;

	if (!k)
		return -ENOMEM;
	pthread_mutex_lock(&k->lock);
	err = join(k, far);
	pthread_mutex_unlock(&k->lock);
	return err;
}

bool sock__kernel_stale(struct sock_far *far)
{
	struct sock_kernel *k = far->here->ns->kernel;
	bool stale;

	pthread_mutex_lock(&k->lock);
	if (!far->stale && renew(k, far->fd, k->number[far->fd].exclusive) != 0)
		end_number(k, far->fd);
	stale = far->stale;
	pthread_mutex_unlock(&k->lock);
	return stale;
}

void sock__kernel_leave(struct sock_far *far)
{
	struct sock_kernel *k = far->here->ns->kernel;
	struct sock_far **at;

	pthread_mutex_lock(&k->lock);
	if (!far->stale) {
		for (at = &k->number[far->fd].first; *at != far;)
			at = &(*at)->of_number;
		*at = far->of_number;
		if (!k->number[far->fd].first) {
			ctl(k, EPOLL_CTL_DEL, far->fd);
			k->number[far->fd].gen++;
		}
	}
	pthread_mutex_unlock(&k->lock);
}

uint32_t sock__kernel_poll(const struct sock_far *far)
{
	struct pollfd p = {.fd = far->fd, .events = (short)(ALL & ~EPOLLET)};

	if (__atomic_load_n(&far->stale, __ATOMIC_RELAXED) || poll(&p, 1, 0) <= 0 ||
		p.revents & POLLNVAL)
		return 0;
	return (uint16_t)p.revents;
}

void sock__kernel_end(struct plx_sock *ns)
{
	struct sock_kernel *k = ns->kernel;
	uint64_t one = 1;

	if (!k)
		return;
	__atomic_store_n(&k->stop, true, __ATOMIC_RELEASE);
	while (write(k->evfd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(k->thread, NULL);
	close(k->epfd);
	close(k->evfd);
	pthread_mutex_destroy(&k->lock);
	free(k->number);
	free(k);
	ns->kernel = NULL;
}
