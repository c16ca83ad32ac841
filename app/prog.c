/* SPDX-License-Identifier: BSD-3-Clause */
#include "prog.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define EVENTS 512 /* of a pass: more than its packets, most often */

static int start(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;

	p->sn = sn;
	p->epfd = plx_epoll_create1(EPOLL_CLOEXEC);
	if (p->epfd < 0)
		return p->err = -errno;
	p->err = p->ops->start(p);
	return p->err;
}

/* What was closed in this pass may still have had an event of the same epoll_wait(). */
static void bury(struct prog *p)
{
	struct watch *w;

	while ((w = plx_list_first(&p->dead, struct watch, link))) {
		plx_list_del(&w->link);
		free(w);
	}
}

/* @return how many events there were. */
static int serve(struct prog *p)
{
	struct epoll_event ev[EVENTS];
	int n = plx_epoll_wait(p->epfd, ev, EVENTS, 0);

	p->fresh = false;
	for (int i = 0; i < n; i++) {
		struct watch *w = ev[i].data.ptr;

		if (!w->dead)
			w->ready(p, w, ev[i].events);
	}
	return n;
}

static plx_ns run(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;
	plx_ns next = PLX_NEVER;
	int n;

	p->now = plx_sock_now();
	n = serve(p);
	if (n < EVENTS && p->fresh) /* what it has accepted may have been sent something already */
		n = serve(p);
	if (p->ops->timer)
		next = p->ops->timer(p, p->now);
	bury(p);
	return n == EVENTS ? p->now : next; /* there may be more */
}

static bool leave(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	struct prog *p = arg;
	struct watch *w = data.ptr;

	if (w->dead || !p->ops->leave || !p->ops->leave(p, w))
		return false;
	plx_list_del(&w->link);
	return true;
}

static void arrive(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data)
{
	struct prog *p = arg;
	struct watch *w = data.ptr;

	p->now = plx_sock_now();
	if (p->ops->arrive)
		p->ops->arrive(p, w);
	if (prog_watch(p, w, w->events) != 0)
		w->ready(p, w, EPOLLERR); /* no memory to watch it: as if it had failed */
}

struct prog *prog_make(const struct prog_ops *ops, void *arg)
{
	size_t bytes = (ops->bytes + 63) & ~(size_t)63;
	struct prog *p = aligned_alloc(64, bytes);

	if (!p)
		return NULL;
	memset(p, 0, bytes);
	p->ops = ops;
	p->arg = arg;
	plx_list_init(&p->watches);
	plx_list_init(&p->dead);
	p->program = (struct plx_sock_program){
		.start = start, .run = run, .leave = leave, .arrive = arrive, .arg = p};
	return p;
}

int prog_watch(struct prog *p, struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	w->events = events;
	p->fresh = true;
	plx_list_add_tail(&p->watches, &w->link);
	return plx_epoll_ctl(p->epfd, EPOLL_CTL_ADD, w->fd, &ev) == 0 ? 0 : -errno;
}

void prog_free(struct prog *p, struct watch *w)
{
	if (w->dead)
		return;
	if (w->fd >= 0)
		plx_close(w->fd);
	w->fd = -1;
	w->dead = true;
	if (!w->link.next) /* never watched */
		plx_list_init(&w->link);
	plx_list_move_tail(&p->dead, &w->link);
}

socklen_t prog_sockaddr(union prog_addr *to, const struct endpoint *ep)
{
	memset(to, 0, sizeof(*to));
	if (plx_addr_is_v4(&ep->addr)) {
		to->in.sin_family = AF_INET;
		to->in.sin_port = htons(ep->port);
		to->in.sin_addr.s_addr = ep->addr.w[3];
		return sizeof(to->in);
	}
	to->in6.sin6_family = AF_INET6;
	to->in6.sin6_port = htons(ep->port);
	memcpy(&to->in6.sin6_addr, ep->addr.b, 16);
	return sizeof(to->in6);
}

/* By its address IPv4 or IPv6; of any address both, as Linux's IPV6_V6ONLY=0 has it. */
int prog_listen(const struct endpoint *ep, int type)
{
	union prog_addr addr;
	socklen_t len = prog_sockaddr(&addr, ep);
	const int one = 1, zero = 0;
	int fd = plx_socket(addr.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	plx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr.sa.sa_family == AF_INET6)
		plx_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (type == SOCK_STREAM) /* inherited by what is accepted */
		plx_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (plx_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
		plx_bind(fd, &addr.sa, len) != 0 ||
		(type == SOCK_STREAM && plx_listen(fd, SOMAXCONN) != 0)) {
		int err = -errno;

		plx_close(fd);
		return err;
	}
	return fd;
}

int prog_accept(struct watch *listener)
{
	int fd = plx_accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd >= 0 ? fd : -errno;
}
