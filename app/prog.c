/* SPDX-License-Identifier: BSD-3-Clause */
#include "prog.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define EVENTS 64 /* of a pass */

/** What a struct stack's arg points to. */
struct progs {
	const struct prog_ops *ops;
	void *arg;
	struct prog *prog[PLX_ENGINE_LCORES_MAX];
};

/* ---- on an lcore ---- */

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
	while (p->dead) {
		struct watch *w = p->dead;

		p->dead = w->next_dead;
		free(w);
	}
}

static plx_ns run(struct plx_softnet *sn, void *arg)
{
	struct prog *p = arg;
	struct epoll_event ev[EVENTS];
	plx_ns next = PLX_NEVER;
	int n;

	p->now = plx_sock_now();
	n = plx_epoll_wait(p->epfd, ev, EVENTS, 0);
	for (int i = 0; i < n; i++) {
		struct watch *w = ev[i].data.ptr;

		if (!w->dead)
			w->ready(p, w, ev[i].events);
	}
	if (p->ops->timer)
		next = p->ops->timer(p, p->now);
	bury(p);
	return n == EVENTS ? p->now : next; /* there may be more */
}

int prog_watch(struct prog *p, struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

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
	w->next_dead = p->dead;
	p->dead = w;
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

/* ---- a run ---- */

void *prog_arg(const struct stack *s)
{
	return ((const struct progs *)s->arg)->arg;
}

struct prog *prog_get(const struct stack *s, uint16_t i)
{
	return ((const struct progs *)s->arg)->prog[i];
}

static void each(const struct stack *s, unsigned int count, uint64_t *value)
{
	for (uint16_t i = 0; i < s->lcores; i++)
		value[i] = plx_count_read(prog_get(s, i)->count[count]);
}

uint64_t prog_sum(const struct stack *s, unsigned int count)
{
	uint64_t value[PLX_ENGINE_LCORES_MAX];

	each(s, count, value);
	return stack_sum(value, s->lcores);
}

static int begin(struct stack *s, struct plx_error *e)
{
	struct progs *progs = s->arg;
	const struct prog_ops *ops = progs->ops;
	int err = ops->prepare ? ops->prepare(s, e) : 0;

	for (uint16_t i = 0; !err && i < s->lcores; i++) {
		size_t bytes = (ops->bytes + 63) & ~(size_t)63;
		struct prog *p = aligned_alloc(64, bytes);

		if (!p)
			return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "programs");
		memset(p, 0, bytes);
		p->ops = ops;
		p->arg = progs->arg;
		p->program = (struct plx_sock_program){.start = start, .run = run, .arg = p};
		plx_sock_program_add(s->sock, i, &p->program);
		progs->prog[i] = p;
	}
	return err;
}

static void end(struct stack *s)
{
	for (uint16_t i = 0; i < s->lcores; i++) {
		const struct prog *p = prog_get(s, i);

		if (p && p->err && !s->run->err)
			s->run->err = plx_error_set(&s->run->error, p->err, PLX_ERR_RUN,
				"a program's sockets", strerror(-p->err));
	}
}

static void json(struct stack *s, json_t *o, bool final)
{
	const struct prog_ops *ops = ((const struct progs *)s->arg)->ops;
	uint64_t value[PLX_ENGINE_LCORES_MAX];

	for (unsigned int i = 0; ops->counts[i]; i++) {
		each(s, i, value);
		stack_json_counter(o, ops->counts[i], value, s->lcores);
	}
	if (ops->json)
		ops->json(s, o, final);
}

static void text(struct stack *s, FILE *out)
{
	const struct prog_ops *ops = ((const struct progs *)s->arg)->ops;

	for (unsigned int i = 0; ops->counts[i]; i++)
		fprintf(out, "%s%s %llu", i ? ", " : "", ops->counts[i],
			(unsigned long long)prog_sum(s, i));
	fputc('\n', out);
	if (ops->text)
		ops->text(s, out);
}

int prog_main(struct app *app, const struct prog_ops *ops, void *arg)
{
	static const struct stack_ops stack_ops = {
		.begin = begin, .end = end, .json = json, .text = text};
	static struct stack s; /* its plan is large */
	struct progs progs = {.ops = ops, .arg = arg};
	int code;

	s = (struct stack){.app = app, .ops = &stack_ops, .sockets = true, .arg = &progs};
	code = stack_run(&s);
	for (uint16_t i = 0; i < PLX_ENGINE_LCORES_MAX; i++)
		free(progs.prog[i]);
	return code;
}
