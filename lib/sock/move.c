/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"
#include "far.h"
#include "stream.h"

/*
 * Sockets go along when their flows move to another lcore (lib/net/move.c): connections, and
 * connected sockets of UDP. The descriptor is nobody's in between: calls by other threads that come
 * for it go to the new owner and wait there for it, by coming again.
 *
 * A thread's goes; calls that wait for it go along, by coming again, too, and sets of threads go on
 * to watch it (far.c). A program's goes if the program lets it, which then has its twin over there
 * watch it. What is bound, listens or has sent by MSG_ZEROCOPY is woven into what an lcore has, and
 * stays.
 *
 * RFS asks for the sockets of threads alone, as programs use only those of their own lcore.
 */

static bool is_woven(const struct sock_file *f)
{
	const struct sock_cold *cold = f->cold;

	if (sock__is(f, SOCKF_BOUND | SOCKF_BOUND_IP | SOCKF_QUEUED | SOCKF_RETRYING) ||
		(f->waiters && sock__is(f, SOCKF_PROGRAM)))
		return true;
	return cold && !sock__is(f, SOCKF_SHARED) && (cold->listen || cold->zc);
}

static epoll_data_t data_of(uint64_t data)
{
	return (epoll_data_t){.u64 = data};
}

static const struct plx_sock_program *program_of(const struct sock_lcore *sl, uint64_t nth)
{
	const struct plx_sock_program *p = sl->program;

	while (p && --nth)
		p = p->next;
	return p;
}

/* Does the program whose set watches it let it go to its twin? @return which one; 0: no. */
static uint64_t letting_go(struct sock_lcore *sl, struct sock_file *f, const struct sock_lcore *to)
{
	const struct sock_watch *w = f->watch;
	uint64_t nth = w && !w->of_file && w->set ? w->set->nth : 0;
	const struct plx_sock_program *p = nth ? program_of(sl, nth) : NULL;
	const struct plx_sock_program *twin = nth ? program_of(to, nth) : NULL;
	bool goes;

	if (!p || !twin || !p->leave || !p->arrive || !twin->arrive)
		return 0;
	sl->running = nth;
	goes = p->leave(sl->sn, p->arg, sock__fd_of(f), data_of(w->data));
	sl->running = 0;
	return goes ? nth : 0;
}

static bool leave(struct sock_lcore *sl, struct sock_file *f, struct plx_softnet *to)
{
	struct sock_lcore *there = sock__lcores[to->lcore];
	struct sock_op *waiters = f->waiters;
	uint64_t nth = 0;

	if (is_woven(f))
		return false;
	if (sock__is(f, SOCKF_PROGRAM)) {
		uint64_t data;

		nth = letting_go(sl, f, there);
		if (!nth)
			return false;
		data = f->watch->data;
		sock__unwatch(sl, f);
		f->data = data;
	} else if (!sock__far_may_leave(f) || !sock__far_leave(sl, f, there)) {
		return false;
	}
	f->nth = nth;
	sock__fd_leave(sl, f, there);
	sock__waiters_follow(sl, waiters, there);
	return true;
}

static bool may_follow(const struct sock_file *f)
{
	return !is_woven(f) && !sock__is(f, SOCKF_PROGRAM) && sock__far_may_leave(f);
}

void sock__used(struct sock_lcore *sl, const struct sock_op *op)
{
	struct sock_file *f = sock__file(sl, op->fd);
	struct plx_net_tcp *c = f ? sock__tcp_of(f) : NULL;
	struct sock_dgram *d = f ? sock__dgram(f) : NULL;
	uint16_t lcore = (uint16_t)(op->near - 1);

	if (lcore == sl->near) /* others that have the same CPU are as near */
		lcore = sl->sn->index;
	if (c && plx_net_tcp_used(sl->sn, c, lcore, &sock__tcp(f)->streak) && may_follow(f))
		plx_net_tcp_move(sl->sn, c, lcore);
	else if (d && d->udp && !d->members &&
		 plx_net_udp_used(sl->sn, &d->udp->s, lcore, &d->udp->streak) && may_follow(f))
		plx_net_udp_move(sl->sn, &d->udp->s, lcore);
}

/* Its program watches it anew; what has come meanwhile is found by that. */
static void meet(struct sock_lcore *sl, struct sock_file *f)
{
	uint64_t nth = f->nth;
	const struct plx_sock_program *p = nth ? program_of(sl, nth) : NULL;
	epoll_data_t data = {0};

	f->waiters = NULL;
	if (nth) {
		data = data_of(f->data);
		f->watch = NULL;
	}
	sock__far_arrive(sl, f);
	sock__fd_put(sl, f);
	if (!p)
		return;
	sl->running = nth;
	p->arrive(sl->sn, p->arg, sock__fd_of(f), data);
	sl->running = 0;
}

static bool copy_cold(struct sock_lcore *sl, struct sock_file *f, const struct sock_cold *from)
{
	bool shared = sock__is(f, SOCKF_SHARED);
	struct sock_cold *cold;

	f->cold = NULL;
	f->flags &= ~SOCKF_SHARED;
	if (!from)
		return true;
	if (shared)
		return sock__cold_take(sl, f, &from->opt);
	cold = sock__cold(sl, f);
	if (!cold)
		return false;
	*cold = *from;
	return true;
}

/* ---- TCP ---- */

bool sock__tcp_leave(struct plx_softnet *sn, struct plx_net_tcp *c, struct plx_softnet *to)
{
	struct sock_tcp *t = plx_net_tcp_user(c);

	return leave(sock__lcores[sn->lcore], &t->f, to);
}

bool sock__tcp_arrive(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct sock_lcore *sl = sock__lcores[sn->lcore];
	struct sock_tcp *from = plx_net_tcp_user(c), *t;

	if (from->tc == c) { /* it is back */
		sock__fd_left(sl);
		meet(sl, &from->f);
		return true;
	}
	t = sock__alloc(sl, sizeof(*t));
	if (!t)
		return false;
	*t = *from;
	if (!copy_cold(sl, &t->f, from->f.cold)) {
		sock__free(sl, t, sizeof(*t));
		return false;
	}
	sock__tcp_take(t, c);
	meet(sl, &t->f);
	return true;
}

void sock__tcp_left(struct plx_softnet *sn, void *user)
{
	struct sock_lcore *sl = sock__lcores[sn->lcore];
	struct sock_tcp *t = user;

	sock__fd_left(sl);
	sock__tcp_free(sl, t);
}

/* ---- UDP ---- */

/* Members of groups stay where their datagrams find them. */
bool sock__dgram_leave(struct plx_softnet *sn, struct plx_net_udp *s, struct plx_softnet *to)
{
	struct sock_udp *u = plx_container_of(s, struct sock_udp, s);

	u->left = !u->d->members && leave(u->sl, &u->d->f, to);
	return u->left;
}

/* The datagrams themselves stay where they are: in mbufs, which go home from anywhere. */
static bool copy_queue(struct sock_dgram *d, const struct sock_dgram *from)
{
	const struct sock_dmsg *q = (const struct sock_dmsg *)plx_fifo_peek(&from->q);

	for (; q; q = (const struct sock_dmsg *)q->node.next) {
		struct sock_dmsg *own = sock__alloc(d->sl, sizeof(*own));

		if (!own || !plx_net_mem_hold(d->sl->sn, d->rmem, q->charge)) {
			sock__free(d->sl, own, sizeof(*own));
			return false;
		}
		*own = *q;
		d->rmem += q->charge;
		plx_fifo_push(&d->q, &own->node);
	}
	return true;
}

static bool copy_errs(struct sock_dgram *d, const struct sock_dgram *from)
{
	const struct sock_derr *e = (const struct sock_derr *)plx_fifo_peek(&from->errs);

	for (; e; e = (const struct sock_derr *)e->node.next) {
		struct sock_derr *own = sock__alloc(d->sl, sock__derr_bytes(e));

		if (!own)
			return false;
		memcpy(own, e, sock__derr_bytes(e));
		d->rmem += sock__derr_bytes(e);
		plx_fifo_push(&d->errs, &own->node);
	}
	return true;
}

static bool copy_cork(struct sock_dgram *d, const struct sock_dgram *from)
{
	if (!from->cork)
		return true;
	d->cork = sock__alloc(d->sl, sizeof(*d->cork));
	if (d->cork)
		*d->cork = *from->cork;
	return d->cork;
}

/* One of the two: what is held through it is the other one's. */
static void discard(struct sock_dgram *d, struct sock_udp *u)
{
	struct sock_lcore *sl = d->sl;
	struct plx_fifo_node *n;

	while ((n = plx_fifo_pop(&d->q))) {
		plx_net_mem_let_go(sl->sn, ((struct sock_dmsg *)n)->charge);
		sock__free(sl, n, sizeof(struct sock_dmsg));
	}
	while ((n = plx_fifo_pop(&d->errs)))
		sock__free(sl, n, sock__derr_bytes((struct sock_derr *)n));
	sock__free(sl, d->cork, sizeof(*d->cork));
	sock__cold_free(sl, &d->f);
	sock__free(sl, d, sizeof(*d));
	sock__free(sl, u, sizeof(*u));
}

struct plx_net_udp *sock__dgram_copy(struct plx_softnet *sn, const struct plx_net_udp *s)
{
	struct sock_lcore *sl = sock__lcores[sn->lcore];
	const struct sock_udp *was = plx_container_of(s, const struct sock_udp, s);
	struct sock_dgram *from = was->d, *d = sock__alloc(sl, sizeof(*d));
	struct sock_udp *u = sock__alloc(sl, sizeof(*u));

	if (!d || !u) {
		sock__free(sl, d, sizeof(*d));
		sock__free(sl, u, sizeof(*u));
		return NULL;
	}
	*u = (struct sock_udp){.s = *s, .sl = sl, .d = d, .streak = was->streak};
	u->s.user = u;
	*d = *from;
	d->sl = sl;
	d->udp = u;
	d->rmem = 0;
	d->cork = NULL;
	plx_fifo_init(&d->q);
	plx_fifo_init(&d->errs);
	if (!copy_cold(sl, &d->f, from->f.cold) || !copy_queue(d, from) || !copy_errs(d, from) ||
		!copy_cork(d, from)) {
		discard(d, u);
		return NULL;
	}
	plx_net_bind_take(sl->ns->net, &d->bind, &from->bind);
	return &u->s;
}

void sock__dgram_arrive(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct sock_udp *u = plx_container_of(s, struct sock_udp, s);

	if (u->left) /* it is back */
		sock__fd_left(u->sl);
	u->left = false;
	meet(u->sl, &u->d->f);
}

void sock__dgram_left(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct sock_udp *u = plx_container_of(s, struct sock_udp, s);

	sock__fd_left(u->sl);
	discard(u->d, u);
}
