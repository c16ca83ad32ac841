/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

/*
 * Programs that run to completion on an lcore: a poller calls them when one of the lcore's epoll
 * sets has got something, or their time has come.
 */

static bool start(struct sock_lcore *sl)
{
	for (struct plx_sock_program *p = sl->program; p; p = p->next) {
		sl->running++;
		if (p->start && p->start(sl->sn, p->arg) != 0) {
			plx_engine_stop(sl->ns->eng);
			sl->program = NULL;
			return false;
		}
	}
	sl->running = 0;
	sl->started = true;
	return true;
}

static uint32_t run(struct plx_softnet *sn, void *arg)
{
	struct sock_lcore *sl = arg;
	uint32_t ended = sock__timeouts(sl);

	if (plx_likely(!sl->ready_sets && sn->now_ns < sl->program_ns))
		return ended;
	if (plx_unlikely(!sl->started) && !start(sl))
		return 1;
	sl->ready_sets = 0;
	sl->program_ns = PLX_NEVER;
	for (struct plx_sock_program *p = sl->program; p; p = p->next) {
		plx_ns when;

		sl->running++;
		when = p->run(sn, p->arg);
		sl->program_ns = PLX_MIN(sl->program_ns, when);
	}
	sl->running = 0;
	return 1;
}

static plx_ns deadline(struct plx_softnet *sn, void *arg)
{
	const struct sock_lcore *sl = arg;

	if (sl->ready_sets && sl->program)
		return 0;
	return PLX_MIN(sl->program_ns, plx_wheel_deadline(&sl->wheel));
}

void sock__poller_init(struct sock_lcore *sl)
{
	sl->program_ns = PLX_NEVER;
	sock__timeouts_init(sl);
	sl->poller = (struct plx_poller){.run = run, .deadline = deadline, .arg = sl};
}

void plx_sock_program_add(struct plx_sock *s, uint16_t index, struct plx_sock_program *p)
{
	struct sock_lcore *sl = s->lcore[index];
	struct plx_sock_program **at = &sl->program;

	while (*at)
		at = &(*at)->next;
	p->next = NULL;
	*at = p;
	sl->program_ns = 0;
}

plx_ns plx_sock_now(void)
{
	const struct sock_lcore *self = sock__self();

	return self ? self->sn->now_ns : 0;
}
