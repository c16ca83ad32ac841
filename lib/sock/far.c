/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

#include <stdlib.h>

/*
 * The stand-in's readiness is a copy: the owner writes it anew with each change, and posts a
 * message when the set is to look at it. All that the two have to say goes by messages, and those
 * of one sender come in order, so that `gone` is the last that is heard of a stand-in.
 *
 * Whether somebody waits in the set is known there alone: of exclusive ones the first is told, and
 * passes it on if nobody does.
 *
 * A file goes to another lcore with the owner's parts of its stand-ins; messages for it go after
 * it. What watches it where it is gets a stand-in before, and keeps it when the file comes home.
 */

static const struct sock_kind kind;

static struct sock_far *far_of(struct sock_file *f)
{
	return plx_container_of(f, struct sock_far, f);
}

bool sock__is_far(const struct sock_file *f)
{
	return f->kind == &kind;
}

/* ---- found by the descriptor ---- */

static uint32_t slot_of(const struct sock_epoll *set, int fd)
{
	return (uint32_t)fd * 0x9e3779b1u >> 8 & set->far_mask;
}

struct sock_file *sock__far_find(const struct sock_epoll *set, int fd)
{
	struct sock_far *far = set->far ? set->far[slot_of(set, fd)] : NULL;

	while (far && far->fd != fd)
		far = far->of_hash;
	return far ? &far->f : NULL;
}

static void hash_add(struct sock_epoll *set, struct sock_far *far)
{
	struct sock_far **at = &set->far[slot_of(set, far->fd)];

	far->of_hash = *at;
	*at = far;
}

/* Twice as many slots when each has one. */
static bool hash_room(struct sock_epoll *set)
{
	uint32_t was = set->far ? set->far_mask + 1 : 0, n = was ? was * 2 : 64;
	struct sock_far **old = set->far, **new;

	if (set->n_far < was)
		return true;
	new = calloc(n, sizeof(struct sock_far *));
	if (!new)
		return false;
	set->far = new;
	set->far_mask = n - 1;
	for (uint32_t i = 0; i < was; i++)
		for (struct sock_far *far = old[i], *next; far; far = next) {
			next = far->of_hash;
			hash_add(set, far);
		}
	free(old);
	return true;
}

static void hash_del(struct sock_far *far)
{
	struct sock_far **at = &far->set->far[slot_of(far->set, far->fd)];

	while (*at != far)
		at = &(*at)->of_hash;
	*at = far->of_hash;
	far->set->n_far--;
}

/* ---- on the owner ---- */

/* @return false: it was under way already. */
static bool note_post(struct plx_softnet *to, struct sock_note *n, uint32_t key)
{
	__atomic_fetch_or(&n->key, key ? key : UINT32_MAX, __ATOMIC_RELEASE);
	if (__atomic_exchange_n(&n->posted, true, __ATOMIC_ACQ_REL))
		return false;
	plx_softnet_post(to, &n->msg);
	return true;
}

/* @return false: the one before has told it. */
static bool note_take(struct sock_note *n, uint32_t *key)
{
	uint32_t got;

	__atomic_store_n(&n->posted, false, __ATOMIC_RELEASE);
	got = __atomic_exchange_n(&n->key, 0, __ATOMIC_ACQ_REL);
	*key = got == UINT32_MAX ? 0 : got;
	return got;
}

bool sock__far_post(struct sock_far *far, uint32_t key)
{
	return note_post(far->here->sn, &far->told, key);
}

void sock__far_refresh(struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w)
{
	struct sock_far *far = plx_container_of(w, struct sock_far, w);

	__atomic_store_n(&far->mask, f->kind->poll(sl, f), __ATOMIC_RELEASE);
}

bool sock__far_wake(struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w, uint32_t key)
{
	sock__far_refresh(sl, f, w);
	return sock__far_post(plx_container_of(w, struct sock_far, w), key);
}

void sock__far_publish(struct sock_lcore *sl, struct sock_file *f)
{
	for (struct sock_watch *w = f->watch; w; w = w->of_file)
		if (!w->set)
			sock__far_refresh(sl, f, w);
}

static void detach(struct sock_far *far)
{
	struct sock_watch **at;

	if (!far->attached)
		return;
	for (at = &far->w.file->watch; *at != &far->w;)
		at = &(*at)->of_file;
	*at = far->w.of_file;
	far->attached = false;
}

static void closed(struct sock_far *far)
{
	__atomic_store_n(&far->closed, true, __ATOMIC_RELEASE);
	sock__far_post(far, 0);
}

void sock__far_closed(struct sock_watch *w)
{
	struct sock_far *far = plx_container_of(w, struct sock_far, w);

	detach(far);
	closed(far);
}

static struct sock_lcore *there_of(const struct sock_far *far)
{
	return (struct sock_lcore *)(__atomic_load_n(&far->there, __ATOMIC_ACQUIRE) & ~FAR_MOVING);
}

static void set_there(struct sock_far *far, const struct sock_lcore *sl, uintptr_t moving)
{
	__atomic_store_n(&far->there, (uintptr_t)sl | moving, __ATOMIC_RELEASE);
}

/* The file has gone, or is not here yet: msg goes after it. */
static bool follow(const struct sock_far *far, struct plx_softnet *sn, struct plx_msg *msg)
{
	uintptr_t at = __atomic_load_n(&far->there, __ATOMIC_ACQUIRE);
	const struct sock_lcore *there = (const struct sock_lcore *)(at & ~FAR_MOVING);

	if (there->sn == sn && !(at & FAR_MOVING))
		return false;
	plx_softnet_post(there->sn, msg);
	return true;
}

static void do_ask(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct sock_far *far = plx_container_of(msg, struct sock_far, ask);
	struct sock_lcore *sl = sock__lcores[sn->lcore], *moved = sock__fd_moved(sl, far->fd);
	struct sock_file *f = sock__file(sl, far->fd);

	if (moved) {
		plx_softnet_post(moved->sn, msg);
		return;
	}
	set_there(far, sl, 0);
	__atomic_store_n(&far->asked, true, __ATOMIC_RELEASE);
	if (!f) {
		closed(far);
		return;
	}
	sock__watch_attach(f, &far->w);
	f->flags |= SOCKF_FAR;
	far->attached = true;
	sock__far_wake(sl, f, &far->w, 0);
}

/* The next exclusive one, as there is nobody who waits there. */
static void pass_on(struct sock_far *far, uint32_t key)
{
	if (far->attached && far->w.events & EPOLLEXCLUSIVE)
		sock__watches_wake(there_of(far), far->w.file, far->w.of_file, key);
}

static void do_pass(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct sock_far *far = plx_container_of(msg, struct sock_far, pass.msg);
	uint32_t key;

	if (follow(far, sn, msg))
		return;
	if (note_take(&far->pass, &key))
		pass_on(far, key);
}

static void do_leave(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct sock_far *far = plx_container_of(msg, struct sock_far, leave);

	if (!__atomic_load_n(
		    &far->asked, __ATOMIC_ACQUIRE)) { /* behind that, which is on its way */
		struct sock_lcore *to = sock__fd_moved(sock__lcores[sn->lcore], far->fd);

		plx_softnet_post(to ? to->sn : sn, msg);
		return;
	}
	if (follow(far, sn, msg))
		return;
	if (__atomic_load_n(&far->pass.posted, __ATOMIC_ACQUIRE)) { /* it comes by the old owner */
		plx_softnet_post(sn, msg);
		return;
	}
	if (__atomic_load_n(&far->told.posted, __ATOMIC_ACQUIRE)) /* which nobody reads any more */
		pass_on(far, 0);
	detach(far);
	plx_softnet_post(far->here->sn, &far->gone);
}

/* ---- on the lcore of the set ---- */

static void do_gone(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct sock_far *far = plx_container_of(msg, struct sock_far, gone);

	plx_list_del(&far->of_lcore);
	free(far);
}

static void do_told(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct sock_far *far = plx_container_of(msg, struct sock_far, told.msg);
	bool some;
	uint32_t key;

	if (far->left)
		return;
	some = note_take(&far->told, &key);
	if (__atomic_load_n(&far->closed, __ATOMIC_ACQUIRE))
		sock__unwatch(far->here, &far->f); /* close(2) takes it out of all sets */
	else if (some && !sock__watches_wake(far->here, &far->f, far->f.watch, key) &&
		 there_of(far) && far->w.events & EPOLLEXCLUSIVE)
		note_post(there_of(far)->sn, &far->pass, key);
}

void sock__far_end(struct sock_file *f)
{
	struct sock_far *far = far_of(f);

	far->left = true;
	hash_del(far);
	if (there_of(far)) {
		plx_softnet_post(there_of(far)->sn, &far->leave);
		return;
	}
	sock__kernel_leave(far);
	plx_softnet_post(far->here->sn, &far->gone); /* behind what it has told us */
}

static uint32_t poll_far(struct sock_lcore *sl, struct sock_file *f)
{
	const struct sock_far *far = far_of(f);

	return there_of(far) ? __atomic_load_n(&far->mask, __ATOMIC_ACQUIRE)
			     : sock__kernel_poll(far);
}

static const struct sock_kind kind = {.poll = poll_far};

bool sock__far_stale(struct sock_file *f)
{
	return !there_of(far_of(f)) && sock__kernel_stale(far_of(f));
}

static struct sock_far *make(struct sock_lcore *sl, struct sock_epoll *set, int fd, uint32_t events)
{
	struct sock_far *far = hash_room(set) ? calloc(1, sizeof(*far)) : NULL;

	if (!far)
		return NULL;
	far->set = set;
	far->f.kind = &kind;
	far->here = sl;
	far->fd = fd;
	far->w.events = events & EPOLLEXCLUSIVE;
	far->ask.fn = do_ask;
	far->leave.fn = do_leave;
	far->pass.msg.fn = do_pass;
	far->told.msg.fn = do_told;
	far->gone.fn = do_gone;
	return far;
}

static void join(struct sock_far *far)
{
	plx_list_add_tail(&far->here->fars, &far->of_lcore);
	hash_add(far->set, far);
	far->set->n_far++;
}

struct sock_file *sock__far_new(
	struct sock_lcore *sl, struct sock_epoll *set, int fd, uint32_t events, int *err)
{
	int lcore = plx_sock_is_ours(fd) ? sock__fd_lcore(fd) : -1;
	struct sock_far *far = make(sl, set, fd, events);

	*err = far ? 0 : -ENOMEM;
	if (!far)
		return NULL;
	if (lcore >= 0)
		set_there(far, sock__lcores[lcore], 0);
	if (there_of(far))
		plx_softnet_post(there_of(far)->sn, &far->ask);
	else
		*err = plx_sock_is_ours(fd) ? -EBADF : sock__kernel_watch(far);
	if (*err) {
		free(far);
		return NULL;
	}
	join(far);
	return &far->f;
}

/* ---- its file moves ---- */

/* In place of *at, which watches f where both are. @return false: no memory. */
static bool stand_in(struct sock_lcore *sl, struct sock_watch **at)
{
	struct sock_watch *w = *at;
	struct sock_file *f = w->file;
	struct sock_far *far = make(sl, w->set, sock__fd_of(f), w->events);

	if (!far)
		return false;
	join(far);
	set_there(far, sl, 0);
	far->asked = far->attached = true;
	far->w.file = f;
	far->w.of_file = w->of_file;
	*at = &far->w;
	w->of_file = NULL;
	w->file = &far->f;
	far->f.watch = w;
	f->flags |= SOCKF_FAR;
	sock__far_refresh(sl, f, &far->w);
	return true;
}

bool sock__far_may_leave(const struct sock_file *f)
{
	for (const struct sock_watch *w = f->watch; w; w = w->of_file)
		if (w->set && sock__is(&w->set->f, SOCKF_PROGRAM)) /* which uses its own lcore's */
			return false;
	return true;
}

bool sock__far_leave(struct sock_lcore *sl, struct sock_file *f, struct sock_lcore *to)
{
	for (struct sock_watch **at = &f->watch; *at; at = &(*at)->of_file)
		if ((*at)->set && !stand_in(sl, at))
			return false;
	for (struct sock_watch *w = f->watch; w; w = w->of_file)
		set_there(plx_container_of(w, struct sock_far, w), to, FAR_MOVING);
	return true;
}

void sock__far_arrive(struct sock_lcore *sl, struct sock_file *f)
{
	for (struct sock_watch *w = f->watch; w; w = w->of_file) {
		w->file = f;
		set_there(plx_container_of(w, struct sock_far, w), sl, 0);
	}
}

/* ---- life ---- */

void sock__far_free_all(struct sock_lcore *sl)
{
	struct sock_far *far;

	while ((far = plx_list_first(&sl->fars, struct sock_far, of_lcore))) {
		plx_list_del(&far->of_lcore);
		free(far);
	}
}
