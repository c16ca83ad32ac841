/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_sock_cq.h"

#include "sock.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>

#include "futex.h"

/*
 * A request is a call (struct sock_op) that is posted to its owner, as a thread's is, but ends in a
 * list instead of waking its caller.
 */

enum entry_state { FREE, UNDER_WAY, ENDED };

struct entry {
	struct sock_op op;
	struct plx_cq *cq;
	struct plx_mpsc_node done;
	struct plx_msg cancel;
	bool cancelling; /**< the message is under way: the entry is not free before it has come */
	enum entry_state state;
	uint64_t user;
	struct msghdr m;
	struct iovec v;
	struct entry *next; /**< of the free ones, or of those that are late */
};

struct plx_cq {
	struct plx_mpsc results;
	struct entry *free;
	struct entry *late; /**< done, but their cancel's message is still under way */
	unsigned int entries, under_way;
	uint32_t signal;	 /**< futex: counts results, and messages that have come */
	struct sock_lcore *home; /**< the lcore that it was made on; NULL: a thread's */
	struct plx_msg wake;
	bool woken;    /**< wake is under way */
	bool dead;     /**< wake is the last that knows it */
	uint32_t busy; /**< lcores that are about to tell it something */
	struct entry entry[];
};

/* ---- on the owner of the socket ---- */

static void ring(struct plx_cq *cq)
{
	uint32_t *word = &cq->signal;

	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	if (!cq->home)
		sock__futex_wake(word);
	else if (cq->home == sock__self())
		cq->home->ready_sets++;
	else if (!__atomic_exchange_n(&cq->woken, true, __ATOMIC_ACQ_REL))
		plx_softnet_post(cq->home->sn, &cq->wake);
}

static void completed(struct sock_op *op)
{
	struct entry *e = plx_container_of(op, struct entry, op);
	struct plx_cq *cq = e->cq;

	__atomic_add_fetch(&cq->busy, 1, __ATOMIC_ACQ_REL);
	plx_mpsc_push(&cq->results, &e->done); /* from here on somebody may want it to go */
	ring(cq);
	__atomic_sub_fetch(&cq->busy, 1, __ATOMIC_RELEASE);
}

static void do_first(struct plx_softnet *sn, struct plx_msg *msg)
{
	sock__begin(sn, plx_container_of(msg, struct sock_op, msg));
}

static void do_cancel(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct entry *e = plx_container_of(msg, struct entry, cancel);
	struct sock_lcore *at = __atomic_load_n(&e->op.at, __ATOMIC_ACQUIRE);
	struct plx_cq *cq = e->cq;

	if (!at || at->sn != sn) { /* behind what it is about, which follows its file */
		plx_softnet_post(at ? at->sn : sn, msg);
		return;
	}
	__atomic_add_fetch(&cq->busy, 1, __ATOMIC_ACQ_REL);
	sock__cancel(sn, &e->op, -ECANCELED);
	__atomic_store_n(&e->cancelling, false, __ATOMIC_RELEASE);
	ring(cq);
	__atomic_sub_fetch(&cq->busy, 1, __ATOMIC_RELEASE);
}

/* ---- on the lcore whose the queue is ---- */

static void do_wake(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct plx_cq *cq = plx_container_of(msg, struct plx_cq, wake);

	__atomic_store_n(&cq->woken, false, __ATOMIC_RELEASE);
	cq->home->ready_sets++;
	if (cq->dead)
		free(cq);
}

/* ---- requests ---- */

static long nop(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return 0;
}

static void one_buffer(struct entry *e, const struct plx_sqe *s)
{
	e->v = (struct iovec){s->buf, PLX_MIN(s->len, (size_t)INT_MAX)};
	e->m = (struct msghdr){.msg_iov = &e->v, .msg_iovlen = 1};
}

static void fill(struct entry *e, const struct plx_sqe *s)
{
	struct sock_op *op = &e->op;

	*op = (struct sock_op){
		.fd = s->fd, .flags = s->flags, .block = true, .completed = completed};
	op->msg.fn = do_first;
	if (s->timeout_ms) {
		op->limit_us = s->timeout_ms * INT64_C(1000);
		op->timeout_err = -ETIMEDOUT;
	}
	switch (s->op) {
	case PLX_CQ_ACCEPT:
		op->run = sock__run_accept;
		op->name = s->addr;
		op->name_len = s->addr_len;
		break;
	case PLX_CQ_CONNECT:
		op->run = sock__run_connect;
		op->flags = 0;
		op->addr = s->addr;
		op->addr_len = (socklen_t)s->len;
		break;
	case PLX_CQ_RECV:
		one_buffer(e, s);
		op->run = sock__run_recv;
		op->recv = &e->m;
		break;
	case PLX_CQ_SEND:
		one_buffer(e, s);
		op->run = sock__run_send;
		op->send = &e->m;
		break;
	case PLX_CQ_RECVMSG:
		op->run = sock__run_recv;
		op->recv = s->msg;
		break;
	case PLX_CQ_SENDMSG:
		op->run = sock__run_send;
		op->send = s->msg;
		break;
	case PLX_CQ_SHUTDOWN:
		op->run = sock__run_shutdown;
		break;
	case PLX_CQ_CLOSE:
		op->run = sock__run_close;
		op->flags = 0;
		break;
	default:
		op->run = nop;
		break;
	}
}

/* What is wrong before anybody is asked. */
static long wrong(const struct plx_sqe *s)
{
	if (s->op >= PLX_CQ_MAX)
		return -EINVAL;
	if (sock__forked() || (s->op != PLX_CQ_NOP && sock__fd_lcore(s->fd) < 0))
		return -EBADF;
	switch (s->op) {
	case PLX_CQ_ACCEPT:
		if (s->flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
			return -EINVAL;
		if (s->addr && !s->addr_len)
			return -EFAULT;
		return s->addr && (int)*s->addr_len < 0 ? -EINVAL : 0;
	case PLX_CQ_CONNECT:
		return s->len > sizeof(struct sockaddr_storage) ? -EINVAL : 0;
	case PLX_CQ_RECVMSG:
	case PLX_CQ_SENDMSG:
		return -sock__msg_check(s->msg);
	default:
		return 0;
	}
}

static void start(struct entry *e, const struct plx_sqe *s)
{
	struct sock_lcore *self = sock__self(), *owner;
	long err = wrong(s);

	e->user = s->user;
	e->state = UNDER_WAY;
	fill(e, s);
	if (err || s->op == PLX_CQ_NOP) {
		e->state = ENDED;
		e->op.result = err;
		completed(&e->op);
		return;
	}
	owner = sock__lcores[sock__fd_lcore(s->fd)];
	e->op.own = owner == self;
	if (owner == self)
		sock__begin(owner->sn, &e->op);
	else if (!plx_softnet_try_post(owner->sn, &e->op.msg)) {
		e->state = ENDED;
		e->op.result = -EBADF;
		completed(&e->op);
	}
}

unsigned int plx_cq_submit(struct plx_cq *cq, const struct plx_sqe *sqe, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && cq->free; i++) {
		struct entry *e = cq->free;

		cq->free = e->next;
		cq->under_way++;
		start(e, &sqe[i]);
	}
	return i;
}

void plx_cq_cancel(struct plx_cq *cq, uint64_t user)
{
	if (sock__forked())
		return;
	for (unsigned int i = 0; i < cq->entries; i++) {
		struct entry *e = &cq->entry[i];
		int lcore = e->state == UNDER_WAY && e->user == user && !e->cancelling
				    ? sock__fd_lcore(e->op.fd)
				    : -1;

		if (lcore < 0)
			continue;
		if (sock__lcores[lcore] == sock__self()) {
			sock__cancel(sock__lcores[lcore]->sn, &e->op, -ECANCELED);
			continue;
		}
		e->cancelling = true;
		e->cancel.fn = do_cancel;
		if (!plx_softnet_try_post(sock__lcores[lcore]->sn, &e->cancel))
			e->cancelling = false; /* who ends the sockets will end it */
	}
}

/* ---- results ---- */

static void put_free(struct plx_cq *cq, struct entry *e)
{
	e->next = cq->free;
	cq->free = e;
	cq->under_way--;
}

static bool is_late(const struct entry *e)
{
	return __atomic_load_n(&e->cancelling, __ATOMIC_ACQUIRE);
}

static struct entry *next_late(struct plx_cq *cq)
{
	struct entry **at = &cq->late, *e;

	while (*at && is_late(*at))
		at = &(*at)->next;
	e = *at;
	if (e)
		*at = e->next;
	return e;
}

/* The next result that nobody will touch any more. */
static struct entry *next_result(struct plx_cq *cq)
{
	struct plx_mpsc_node *node;
	struct entry *e = next_late(cq);

	if (e)
		return e;
	while ((node = plx_mpsc_pop(&cq->results))) {
		e = plx_container_of(node, struct entry, done);
		if (!is_late(e))
			return e;
		e->next = cq->late;
		cq->late = e;
	}
	return NULL;
}

static int take(struct plx_cq *cq, struct plx_cqe *cqe, unsigned int n)
{
	unsigned int got = 0;
	struct entry *e;

	while (got < n && (e = next_result(cq))) {
		e->state = FREE;
		cqe[got++] = (struct plx_cqe){e->user, e->op.result};
		put_free(cq, e);
	}
	return (int)got;
}

/* @param left_us < 0 = for ever. @return false: a signal. */
static bool wait_for(const struct plx_cq *cq, uint32_t seen, int64_t left_us)
{
	struct timespec t = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};

	return sock__futex_wait(&cq->signal, seen, left_us < 0 ? NULL : &t) != -EINTR;
}

int plx_cq_reap(struct plx_cq *cq, struct plx_cqe *cqe, unsigned int n, int timeout_ms)
{
	int64_t until = timeout_ms > 0 ? sock__mono_us() + timeout_ms * INT64_C(1000) : 0;

	for (;;) {
		uint32_t seen = __atomic_load_n(&cq->signal, __ATOMIC_SEQ_CST);
		int64_t left = timeout_ms < 0 ? -1 : PLX_MAX(until - sock__mono_us(), 0);
		int got = take(cq, cqe, n);

		if (got || timeout_ms == 0 || left == 0 || sock__self())
			return got;
		if (!wait_for(cq, seen, left)) {
			errno = EINTR;
			return -1;
		}
	}
}

/* ---- life ---- */

struct plx_cq *plx_cq_create(unsigned int entries)
{
	size_t bytes = sizeof(struct plx_cq) + entries * sizeof(struct entry);
	struct plx_cq *cq = entries ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;

	if (!cq)
		return NULL;
	memset(cq, 0, bytes);
	plx_mpsc_init(&cq->results);
	cq->entries = entries;
	cq->home = sock__self();
	cq->wake.fn = do_wake;
	for (unsigned int i = entries; i-- > 0;) {
		cq->entry[i].cq = cq;
		cq->entry[i].next = cq->free;
		cq->free = &cq->entry[i];
	}
	return cq;
}

void plx_cq_destroy(struct plx_cq *cq)
{
	struct plx_cqe cqe;

	if (!cq || sock__forked())
		return;
	for (unsigned int i = 0; i < cq->entries; i++)
		if (cq->entry[i].state == UNDER_WAY)
			plx_cq_cancel(cq, cq->entry[i].user);
	while (cq->under_way)
		plx_cq_reap(cq, &cqe, 1, -1);
	while (__atomic_load_n(&cq->busy, __ATOMIC_ACQUIRE))
		sched_yield(); /* a few instructions of another lcore */
	cq->dead = true;
	if (!__atomic_load_n(&cq->woken, __ATOMIC_ACQUIRE))
		free(cq);
}
