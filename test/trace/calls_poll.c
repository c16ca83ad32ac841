/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

/* poll() and epoll: readiness, and its edges. */

/* A time-out in ms: 0 = at once, -1 = never. @return whether it is over. */
static bool timed_out(struct td_run *r, struct td_pending *p, int64_t ms)
{
	if (ms == 0)
		return true;
	if (!p->begun) {
		p->begun = true;
		p->wake = ms < 0 ? PLX_NEVER : r->now + PLX_MS(ms);
	}
	return r->now >= p->wake;
}

static int64_t field(const struct td_expr *e, const char *name)
{
	int64_t v = 0;

	td_expr_int(td_expr_field(e, name), &v);
	return v;
}

/* ---- poll ---- */

static int64_t poll_one(struct td_run *r, const struct td_expr *e)
{
	const struct td_sock *s = td_sock_find(r, field(e, "fd"));
	int64_t always = POLLERR | POLLHUP;

	return s ? td_sock_ready(s) & (field(e, "events") | always) : POLLNVAL;
}

enum td_done td_call_poll(struct td_run *r, struct td_pending *p)
{
	const struct td_expr *set = td_arg_expr(p, 0);
	int64_t n = 0, got;

	for (const struct td_expr *e = set ? set->kids : NULL; e; e = e->next)
		n += poll_one(r, e) != 0;
	if (n == 0 && !timed_out(r, p, td_arg(r, p, 2)))
		return TD_BLOCK;
	for (const struct td_expr *e = set ? set->kids : NULL; e; e = e->next) {
		got = poll_one(r, e);
		if (td_expr_field(e, "revents") && field(e, "revents") != got)
			td_fail(r, "poll() says 0x%llx of descriptor %lld\n  expected: 0x%llx",
				(long long)got, (long long)field(e, "fd"),
				(long long)field(e, "revents"));
	}
	return td_ret(p, n);
}

/* ---- epoll ---- */

enum td_done td_call_epoll_create(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_sock_new(r, TD_SOCK_EPOLL);
	int64_t fd = 0;

	td_expr_int(p->ev->call.result, &fd);
	s->fd = (int)fd;
	return td_ret(p, fd);
}

static struct td_watch *find(struct td_sock *ep, const struct td_sock *s)
{
	for (unsigned int i = 0; i < TD_WATCHES; i++) {
		if (ep->watch[i].sock == s)
			return &ep->watch[i];
	}
	return NULL;
}

static int64_t data_of(const struct td_expr *e)
{
	static const char *const names[] = {"fd", "u32", "u64", "ptr"};

	for (unsigned int i = 0; i < PLX_DIM(names); i++) {
		if (td_expr_field(e, names[i]))
			return field(e, names[i]);
	}
	return 0;
}

enum td_done td_call_epoll_ctl(struct td_run *r, struct td_pending *p)
{
	struct td_sock *ep = td_arg_sock(r, p), *s = td_sock_find(r, td_arg(r, p, 2));
	int64_t op = td_arg(r, p, 1);
	const struct td_expr *e = td_arg_expr(p, 3);
	struct td_watch *w;

	if (!ep)
		return TD_DONE;
	if (!s)
		return td_err(p, EBADF);
	if (ep->kind != TD_SOCK_EPOLL || s == ep)
		return td_err(p, EINVAL);
	w = find(ep, s);
	if (op == EPOLL_CTL_ADD ? w != NULL : w == NULL)
		return td_err(p, op == EPOLL_CTL_ADD ? EEXIST : ENOENT);
	if (op == EPOLL_CTL_DEL) {
		memset(w, 0, sizeof(*w));
		return td_ret(p, 0);
	}
	if (!w)
		w = find(ep, NULL);
	if (!w)
		return td_err(p, ENOMEM);
	/* whatever is ready now is an edge */
	*w = (struct td_watch){.sock = s,
		.events = (uint32_t)field(e, "events") | EPOLLERR | EPOLLHUP,
		.data = data_of(e),
		.in_seen = UINT64_MAX,
		.out_seen = UINT64_MAX};
	return td_ret(p, 0);
}

static uint32_t watch_ready(const struct td_watch *w)
{
	uint32_t bits;

	if (!w->sock || w->off)
		return 0;
	bits = td_sock_ready(w->sock) & w->events;
	/* an edge of either kind reports all that is ready */
	if (w->events & EPOLLET && w->in_seen == w->sock->in_edges &&
		w->out_seen == w->sock->out_edges)
		return 0;
	return bits;
}

static void reported(struct td_watch *w)
{
	w->in_seen = w->sock->in_edges;
	w->out_seen = w->sock->out_edges;
	w->off = w->events & EPOLLONESHOT;
}

enum td_done td_call_epoll_wait(struct td_run *r, struct td_pending *p)
{
	struct td_sock *ep = td_arg_sock(r, p);
	const struct td_expr *e = td_arg_expr(p, 1);
	int64_t most = td_arg(r, p, 2), n = 0, want;
	uint32_t bits;

	if (!ep)
		return TD_DONE;
	if (ep->kind != TD_SOCK_EPOLL || most <= 0)
		return td_err(p, EINVAL);
	for (unsigned int i = 0; i < TD_WATCHES && n < most; i++) {
		struct td_watch *w = &ep->watch[i];

		bits = watch_ready(w);
		if (!bits)
			continue;
		want = field(e, "events");
		if (n++ == 0 && td_expr_field(e, "events") && (want & ~(int64_t)EPOLLET) != bits)
			td_fail(r, "epoll_wait() says 0x%x\n  expected: 0x%llx", bits,
				(long long)want);
		reported(w);
	}
	if (n == 0 && !timed_out(r, p, td_arg(r, p, 3)))
		return TD_BLOCK;
	return td_ret(p, n);
}
