/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

/*
 * The main thread is the main lcore and runs packets. A thread of its own, on the CPUs that the
 * process began with, does all else: signals (blocked everywhere, read from a signalfd), the clock,
 * reports, what a command has it watch.
 */

#define TICK_START PLX_MS(5)   /* until the engine runs */
#define TICK_RUN   PLX_MS(100) /* afterwards, or finer for --idle-exit */

static plx_ns monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return PLX_SEC(ts.tv_sec) + ts.tv_nsec;
}

plx_ns app_run_elapsed(const struct app_run *run)
{
	return monotonic() - run->start_ns;
}

int app_run_watch(struct app_run *run, struct app_watch *w)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};

	return epoll_ctl(run->epfd, EPOLL_CTL_ADD, w->fd, &ev) == 0 ? 0 : -errno;
}

void app_run_unwatch(struct app_run *run, struct app_watch *w)
{
	epoll_ctl(run->epfd, EPOLL_CTL_DEL, w->fd, NULL);
}

void app_run_stop(struct app_run *run)
{
	plx_engine_stop(run->eng);
}

/* --- control thread ------------------------------------------------------------------------- */

static void set_tick(struct app_run *run, plx_ns ns)
{
	const struct timespec period = {.tv_sec = ns / PLX_SEC(1), .tv_nsec = ns % PLX_SEC(1)};
	const struct itimerspec it = {.it_interval = period, .it_value = period};

	timerfd_settime(run->tick.fd, 0, &it, NULL);
}

static void on_signal(struct app_run *run, struct app_watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (plx_engine_stopping(run->eng))
		_exit(APP_FAILED); /* asked twice: do not wait for what does not end */
	app_run_stop(run);
}

/* Of ports whose queues tell nothing of flows, though their drivers say so. */
static void note_rss(const struct app_run *run)
{
	char claim[160];

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);

		if (plx_port_rss_lie(p, claim, sizeof(claim)))
			app_note("%s: the RSS of %s is not relied on: %s; %s", p->name,
				p->caps.driver, claim,
				run->app->cmd->stack ? "flows are steered in software"
						     : "packets stay with the queue they come by");
	}
}

static void become_ready(struct app_run *run)
{
	uint32_t idle_ms = run->app->run.idle_exit_ms;
	plx_ns tick = TICK_RUN;

	run->err = app_control_start(run, &run->error);
	if (!run->err && run->ops->up)
		run->err = run->ops->up(run, &run->error);
	if (run->err) {
		app_run_stop(run);
		return;
	}
	note_rss(run);
	run->start_ns = run->last_rx_ns = monotonic();
	run->next_report_ns = run->start_ns + PLX_SEC(1);
	run->ready = true;
	if (idle_ms)
		tick = PLX_MIN(tick, PLX_MAX(PLX_MS(idle_ms) / 4, PLX_MS(1)));
	set_tick(run, tick);
	if (run->app->common.json)
		report_json(run->app, json_pack("{s:b}", "ready", 1));
	else
		fprintf(run->app->out, "ready\n");
	fflush(run->app->out);
}

/* Has nothing come in for the time of --idle-exit? */
static bool silent(struct app_run *run, plx_ns now)
{
	struct plx_acct sum;

	if (!run->app->run.idle_exit_ms)
		return false;
	plx_acct_sum(&sum);
	if (sum.rx_pkts != run->last_rx) {
		run->last_rx = sum.rx_pkts;
		run->last_rx_ns = now;
	}
	return now - run->last_rx_ns >= PLX_MS(run->app->run.idle_exit_ms);
}

static void watch_ports(void)
{
	struct plx_tx_stuck s;

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		struct plx_port *p = plx_port_get(i);

		if (plx_port_link_check(p))
			app_note("%s: link is %s", p->name, p->lost_link ? "down" : "up");
		while (plx_port_stuck(p, &s))
			app_note("%s: transmit queue %u timed out: %u frames waited %lld ms",
				p->name, s.queue, s.pkts, (long long)s.waited_ns / 1000000);
	}
}

static void on_tick(struct app_run *run, struct app_watch *w)
{
	uint32_t for_s = run->app->run.for_s;
	uint64_t ticks;
	plx_ns now;

	if (read(w->fd, &ticks, sizeof(ticks)) != sizeof(ticks) || plx_engine_stopping(run->eng))
		return;
	if (!run->ready) {
		if (plx_engine_running(run->eng))
			become_ready(run);
		return;
	}
	now = monotonic();
	watch_ports();
	capture_tick(run);
	if (run->ops->tick)
		run->ops->tick(run);
	if (now >= run->next_report_ns) {
		run->next_report_ns += PLX_SEC(1);
		report_interval(run);
		if (ferror(run->app->out)) /* nobody listens any more */
			app_run_stop(run);
		if (run->ops->second)
			run->ops->second(run);
	}
	if ((for_s && now - run->start_ns >= PLX_SEC(for_s)) || silent(run, now))
		app_run_stop(run);
}

static void *control(void *arg)
{
	struct app_run *run = arg;

	for (;;) {
		struct epoll_event ev[8];
		int n = epoll_wait(run->epfd, ev, PLX_DIM(ev), -1);

		for (int i = 0; i < n; i++) {
			struct app_watch *w = ev[i].data.ptr;

			if (!w->ready)
				return NULL; /* the engine has stopped */
			w->ready(run, w);
		}
	}
}

/* --- main thread ---------------------------------------------------------------------------- */

static int open_fds(struct app_run *run)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	run->epfd = epoll_create1(EPOLL_CLOEXEC);
	run->signals = (struct app_watch){signalfd(-1, &set, SFD_CLOEXEC), on_signal, NULL};
	run->tick = (struct app_watch){timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), on_tick, NULL};
	run->done = (struct app_watch){eventfd(0, EFD_CLOEXEC), NULL, NULL};
	err = app_run_watch(run, &run->signals);
	if (!err)
		err = app_run_watch(run, &run->tick);
	if (!err)
		err = app_run_watch(run, &run->done);
	return err;
}

static void close_fds(struct app_run *run)
{
	close(run->done.fd);
	close(run->tick.fd);
	close(run->signals.fd);
	close(run->epfd);
}

static int start_control(struct app_run *run, pthread_t *thread)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(run->app->cpus), &run->app->cpus);
	err = pthread_create(thread, &attr, control, run);
	pthread_attr_destroy(&attr);
	return -err;
}

/* All lcores, until the end. @return 0 or -errno with run->error filled. */
static int run_engine(struct app_run *run)
{
	uint64_t one = 1;
	pthread_t thread;
	int err = open_fds(run);

	if (!err) {
		set_tick(run, TICK_START);
		err = start_control(run, &thread);
	}
	if (err) {
		close_fds(run);
		return plx_error_set(
			&run->error, err, PLX_ERR_RUN, "the control thread", strerror(-err));
	}
	err = plx_engine_run(run->eng);
	run->stop_ns = monotonic();
	while (write(run->done.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(thread, NULL);
	close_fds(run);
	if (run->err)
		return run->err;
	if (err)
		return plx_error_set(&run->error, err, PLX_ERR_RUN, "an lcore", strerror(-err));
	return 0;
}

static int begin(struct app_run *run)
{
	const struct app_run_opts *o = &run->app->run;
	struct plx_engine_conf *c = &run->conf;
	int err;

	c->ops = &run->ops->engine;
	c->arg = run;
	c->idle = (enum plx_idle_policy)o->idle;
	c->burst = (uint16_t)o->burst;
	c->queues = (uint16_t)run->app->common.queues;
	c->rxd = (uint16_t)o->rxd;
	c->txd = (uint16_t)o->txd;
	c->mbufs = o->mbufs;
	c->room_bytes = (uint16_t)o->mbuf_bytes;
	c->seed = o->seed;
	plx_tunables_init(&run->default_tun);
	if (!run->tun)
		run->tun = &run->default_tun;
	c->tun = run->tun;
	run->hz = rte_get_tsc_hz();
	run->eng = plx_engine_create(c, &run->error);
	if (!run->eng)
		return -ENOMEM;
	err = plx_engine_open_ports(run->eng, &run->error);
	if (!err)
		err = capture_begin(run, &run->error);
	if (!err && run->ops->begin)
		err = run->ops->begin(run, &run->error);
	if (err) {
		capture_end(run);
		plx_engine_destroy(run->eng);
		return err;
	}
	run->n_ports = plx_port_count();
	for (uint16_t i = 0; i < run->n_ports; i++)
		snprintf(run->port_name[i], PLX_PORT_NAMELEN, "%s", plx_port_get(i)->name);
	return 0;
}

/*
 * The account: after the ports are closed every packet has left by a door. Totals are printed of a
 * run that nothing kept from starting, even if it was stopped before it was ready.
 */
static enum app_exit settle(struct app_run *run, bool print)
{
	struct app_counts c = {0};
	struct plx_error e;
	char text[160];
	uint32_t leaked;
	const char *missing;

	plx_engine_close_ports(run->eng);
	report_counts(run, &c);
	c.when_ns = run->stop_ns - run->start_ns;
	plx_port_fini_all(); /* drivers give back what they hold */
	leaked = plx_engine_destroy(run->eng);
	if (print)
		report_final(run, &c, leaked);
	missing = report_account(&c, leaked, text, sizeof(text));
	if (!missing)
		return APP_OK;
	plx_error_set(&e, -EIO, PLX_ERR_ACCOUNTING, missing);
	return (enum app_exit)app_fail(&e);
}

int app_run(struct app_run *run)
{
	int err = begin(run);
	enum app_exit code;

	if (err) {
		capture_free(run);
		return app_fail(&run->error);
	}
	err = run_engine(run);
	app_control_stop(run);
	capture_end(run);
	if (run->ops->end)
		run->ops->end(run);
	err = err ? err : run->err;
	if (!run->ready)
		run->start_ns = run->stop_ns;
	code = settle(run, !err);
	capture_free(run);
	return err ? app_fail(&run->error) : (int)code;
}
