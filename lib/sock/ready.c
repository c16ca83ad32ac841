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

void sock__wake(struct sock_lcore *sl, struct sock_file *f, uint32_t key)
{
	bool one = false; /* of those with EPOLLEXCLUSIVE has been told */

	for (struct sock_watch *w = f->watch; w; w = w->of_file) {
		bool exclusive = w->events & EPOLLEXCLUSIVE;

		if (plx_unlikely(!w->set)) {
			sock__far_wake(sl, f, w, key);
			continue;
		}
		if (!wants(w, key) || (exclusive && one))
			continue;
		sock__watch_ready(sl, w);
		one |= exclusive;
	}
	if (plx_unlikely(sock__is(f, SOCKF_ASYNC)))
		sock__sigio(sl, f, key);
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
