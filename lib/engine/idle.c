/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_epoll.h>
#include <rte_pause.h>

/*
 * What an lcore without work does, in this order: spin (the tunable idle_spin_usecs), then
 *
 *   POLL   go on spinning; on a shared CPU yield, or the others starve
 *   PAUSE  the same with the pause instruction
 *   SLEEP  until a driver's interrupt, a message or the next timer, at most so long as it has been
 *          idle: for a bounded time only, where some driver has no interrupt
 *
 * Two facts make the sleep safe: drivers are armed before the last pass over their queues, and
 * `asleep` is published before the last look at the mail (engine__wake()).
 */

const char *const plx_idle_state_name[PLX_RES_MAX] = {
	[PLX_RES_BUSY] = "busy",
	[PLX_RES_SPIN] = "spin",
	[PLX_RES_PAUSE] = "pause",
	[PLX_RES_SLEEP] = "sleep",
	[PLX_RES_BACKOFF] = "backoff",
};

#define PAUSES	    64	       /* a rest of about 2-4 us on current CPUs */
#define BACKOFF_MIN PLX_US(20) /* below this the system call costs more than it saves */

static void add_time(struct plx_softnet *sn, enum plx_idle_state state, uint64_t begin)
{
	uint64_t end = engine__cycles(sn->eng);

	plx_count(sn->residency_ns[state], engine__ns(sn->eng, end) - engine__ns(sn->eng, begin));
	plx_count(sn->residency_n[state], 1);
	sn->last_cycles = end;
}

static void rest(struct plx_softnet *sn)
{
	uint64_t begin = engine__cycles(sn->eng);

	if (sn->shared_cpu)
		sched_yield();
	else
		for (int i = 0; i < PAUSES; i++)
			rte_pause();
	add_time(sn, PLX_RES_PAUSE, begin);
}

plx_ns engine__deadline(struct plx_softnet *sn)
{
	plx_ns when = PLX_MIN(plx_wheel_deadline(&sn->wheel), engine__gro_deadline(sn));

	for (struct plx_poller *p = sn->pollers; p; p = p->next) {
		plx_ns d = p->deadline ? p->deadline(sn, p->arg) : PLX_NEVER;

		when = PLX_MIN(when, d);
	}
	return when;
}

static void arm(struct plx_softnet *sn, bool on)
{
	for (uint16_t i = 0; i < sn->n_rxq; i++) {
		struct plx_rxq *q = sn->rxq[i];

		if (q->port->ops->rx_intr_arm)
			q->port->ops->rx_intr_arm(q, on);
	}
}

void engine__disarm(struct plx_softnet *sn)
{
	arm(sn, false);
	sn->armed = false;
}

/* The last look: work that came between the empty pass and publishing `asleep`. */
static bool must_stay(struct plx_softnet *sn)
{
	return engine__mail_waits(sn) || __atomic_load_n(&sn->eng->stop, __ATOMIC_RELAXED);
}

/* @return true when something woke us before the time was up. */
static bool wait_ns(struct plx_softnet *sn, plx_ns ns)
{
	struct pollfd p = {.fd = sn->epfd, .events = POLLIN};
	struct timespec ts = {.tv_sec = ns / PLX_SEC(1), .tv_nsec = ns % PLX_SEC(1)};
	struct rte_epoll_event ev[8];
	uint64_t drained;
	int n;

	/* ppoll() for its nanoseconds; rte_epoll_wait() then clears what drivers want cleared. */
	n = ppoll(&p, 1, &ts, NULL);
	if (n > 0)
		rte_epoll_wait(sn->epfd, ev, PLX_DIM(ev), 0);
	while (read(sn->evfd, &drained, sizeof(drained)) < 0 && errno == EINTR)
		;
	return n != 0;
}

static void wake_latency(struct plx_softnet *sn, plx_ns due)
{
	uint64_t called = __atomic_exchange_n(&sn->called_cycles, 0, __ATOMIC_ACQUIRE);
	plx_ns now = plx_engine_now(sn->eng);

	if (called)
		plx_hist_add(&sn->latency, now - engine__ns(sn->eng, called));
	else if (now >= due)
		plx_hist_add(&sn->latency, now - due);
}

static void sleep_until(struct plx_softnet *sn, plx_ns due, enum plx_idle_state state)
{
	struct plx_engine *eng = sn->eng;
	uint64_t begin = engine__cycles(sn->eng);

	__atomic_store_n(&sn->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!must_stay(sn)) {
		plx_ns now = engine__ns(eng, begin);

		rte_rcu_qsbr_thread_offline(eng->rcu, sn->index);
		/*
		 * Whoever is woken spins again before the next sleep: net_tap's descriptor wakes us
		 * before the signal has come that lets its rx_burst look.
		 */
		if (due > now && wait_ns(sn, due - now))
			sn->idle_since_ns = plx_engine_now(eng);
		rte_rcu_qsbr_thread_online(eng->rcu, sn->index);
		wake_latency(sn, due);
		plx_hist_add(&sn->slept, plx_engine_now(eng) - now);
	}
	__atomic_store_n(&sn->asleep, 0, __ATOMIC_RELAXED);
	engine__disarm(sn);
	add_time(sn, state, begin);
}

void engine__idle(struct plx_softnet *sn)
{
	struct plx_engine *eng = sn->eng;
	plx_ns idle = sn->now_ns - sn->idle_since_ns;
	plx_ns spin = PLX_US(engine__tun(eng, PLX_TUN_IDLE_SPIN_USECS));
	/* no driver says when it has room again for what it refused */
	bool can_sleep = sn->can_sleep && !sn->n_dirty;
	plx_ns longest, due;

	if (eng->conf.idle != PLX_IDLE_SLEEP) {
		rest(sn);
		return;
	}
	if (idle < spin) {
		if (sn->shared_cpu)
			rest(sn);
		return;
	}
	/*
	 * Each sleep is at most as long as the idle time so far: where a driver cannot wake us, and
	 * where it woke us too early (see sleep_until()), what comes is found soon.
	 */
	longest = PLX_US(engine__tun(
		eng, can_sleep ? PLX_TUN_IDLE_SLEEP_USECS : PLX_TUN_IDLE_BACKOFF_USECS));
	longest = PLX_MIN(PLX_MAX(idle - spin, BACKOFF_MIN), longest);
	due = PLX_MIN(engine__deadline(sn), sn->now_ns + longest);
	if (due - sn->now_ns < BACKOFF_MIN) {
		rest(sn);
	} else if (!sn->armed) {
		arm(sn, true);
		sn->armed = true;
	} else {
		sleep_until(sn, due, can_sleep ? PLX_RES_SLEEP : PLX_RES_BACKOFF);
	}
}

/* Where there is no queue, only other lcores give it work, and they call. */
static void judge(struct plx_softnet *sn)
{
	sn->can_sleep = true;
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		sn->can_sleep &= sn->rxq[i]->wakes;
}

static void listen_to(struct plx_softnet *sn, struct plx_rxq *q)
{
	q->wakes = q->port->ops->rx_intr && q->port->ops->rx_intr(q, sn->epfd, true) == 0;
}

static void ignore(struct plx_softnet *sn, struct plx_rxq *q)
{
	if (q->wakes)
		q->port->ops->rx_intr(q, sn->epfd, false);
	q->wakes = false;
}

void engine__idle_add(struct plx_softnet *sn, struct plx_rxq *q)
{
	if (sn->armed)
		engine__disarm(sn);
	listen_to(sn, q);
	judge(sn);
}

void engine__idle_del(struct plx_softnet *sn, struct plx_rxq *q)
{
	if (sn->armed)
		engine__disarm(sn);
	ignore(sn, q);
	sn->can_sleep = true;
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		sn->can_sleep &= sn->rxq[i] == q || sn->rxq[i]->wakes;
}

int engine__idle_init(struct plx_softnet *sn)
{
	struct epoll_event ev = {.events = EPOLLIN};

	sn->epfd = epoll_create1(EPOLL_CLOEXEC);
	sn->evfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (sn->epfd < 0 || sn->evfd < 0)
		return -errno;
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		listen_to(sn, sn->rxq[i]);
	judge(sn);
	/* data.ptr NULL: rte_epoll_wait() would take it for one of its own records */
	return epoll_ctl(sn->epfd, EPOLL_CTL_ADD, sn->evfd, &ev) == 0 ? 0 : -errno;
}

void engine__idle_fini(struct plx_softnet *sn)
{
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		ignore(sn, sn->rxq[i]);
	if (sn->epfd >= 0)
		close(sn->epfd);
	if (sn->evfd >= 0)
		close(sn->evfd);
	sn->epfd = sn->evfd = -1;
}
