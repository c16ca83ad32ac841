/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

/* From a file that may have changed to those who wait for it. */

bool sock__watch_queue(struct sock_watch *w)
{
	struct sock_epoll *set = w->set;

	if (w->state & WATCH_QUEUED)
		return false;
	w->state |= WATCH_QUEUED;
	w->of_ready = NULL;
	*set->ready_end = w;
	set->ready_end = &w->of_ready;
	set->n_ready++;
	return true;
}

void sock__watch_ready(struct sock_lcore *sl, struct sock_watch *w)
{
	struct sock_epoll *set = w->set;

	if (!sock__watch_queue(w))
		return;
	set->rests = false;
	sl->ready_sets++;
	if (set->f.watch || set->f.waiters)
		sock__wake(sl, &set->f, SOCK_IN);
}

/* As ep_poll_callback(): is the event one that it wants, if we know which one it is? */
static bool wants(const struct sock_watch *w, uint32_t key)
{
	uint32_t events = w->events & ~WATCH_PRIVATE;

	return events && (!key || key & events);
}

/* @return whether somebody waits there, who looks at it now. */
static bool tell(struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w, uint32_t key)
{
	bool waits;

	if (plx_unlikely(!w->set))
		return sock__far_wake(sl, f, w, key);
	if (!wants(w, key))
		return false;
	waits = w->set->f.waiters || w->set->rests;
	sock__watch_ready(sl, w);
	return waits;
}

bool sock__watches_wake(
	struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w, uint32_t key)
{
	bool one = false;

	for (; w; w = w->of_file) {
		bool exclusive = w->events & EPOLLEXCLUSIVE;

		if (!(exclusive && one))
			one |= tell(sl, f, w, key) && exclusive;
		else if (!w->set)
			sock__far_refresh(sl, f, w);
	}
	return one;
}

void sock__watch_attach(struct sock_file *f, struct sock_watch *w)
{
	struct sock_watch **at = &f->watch;

	while (w->events & EPOLLEXCLUSIVE && *at)
		at = &(*at)->of_file;
	w->file = f;
	w->of_file = *at;
	*at = w;
}

void sock__wake(struct sock_lcore *sl, struct sock_file *f, uint32_t key)
{
	sock__watches_wake(sl, f, f->watch, key);
	if (plx_unlikely(sock__is(f, SOCKF_ASYNC)))
		sock__sigio(f, key);
	if (plx_unlikely(f->waiters || sock__is(f, SOCKF_RETRYING)))
		sock__retry(sl, f, key);
}

/* Out of its file's list and its set's. What is on the ready list is freed by who takes it off. */
void sock__watch_end(struct sock_lcore *sl, struct sock_watch *w)
{
	struct sock_watch **at = &w->file->watch;

	while (*at != w)
		at = &(*at)->of_file;
	*at = w->of_file;
	plx_list_del(&w->of_set);
	if (plx_unlikely(sock__is_far(w->file)))
		sock__far_end(w->file);
	w->file = NULL;
	w->state |= WATCH_DEAD;
	if (!(w->state & WATCH_QUEUED))
		sock__free(sl, w, sizeof(*w));
}

void sock__unwatch(struct sock_lcore *sl, struct sock_file *f)
{
	while (f->watch)
		if (f->watch->set)
			sock__watch_end(sl, f->watch);
		else
			sock__far_closed(f->watch);
}
