/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The captures of a run: those of the command line, and those that pollux-ctl begins and ends.
 *
 * Each is a writer of lib/tap. Until the first one begins nothing is there but an empty list. The
 * list is the control thread's (the main thread's while no lcore runs); telemetry's threads read
 * it under its lock.
 */
#include <pthread.h>

#include <plx_tap.h>

#include "app.h"

enum capture_state {
	CAPTURE_FREE,
	CAPTURE_RUNS,
	CAPTURE_STOPPING, /**< a thread waits for its end */
	CAPTURE_DONE,	  /**< it has ended, by itself or because it was asked to */
};

/** One of them, as long as it is in the list. */
struct capture {
	struct captures *list;
	enum capture_state state;
	uint32_t number; /**< from 1 on */
	bool once;	 /**< is forgotten soon after its end, and nothing said of it */
	plx_ns ended_ns; /**< since the run began */
	bool said;	 /**< what it came to */
	char *file, *filter;
	char ports[128];
	uint32_t hooks;
	uint32_t max_cost_ppm;		   /**< 0 = no ceiling */
	struct plx_tap_writer *writer;	   /**< while it runs */
	struct plx_tap_writer_stats stats; /**< since it ended, or as they were last seen */
	struct plx_tap_writer *ending;	   /**< the stopping thread's */
	pthread_t stopper;
};

#define CAPTURES 32

struct captures {
	struct app_run *run;
	pthread_mutex_t lock;
	struct plx_taps *taps; /**< NULL until there was one */
	uint32_t last;	       /**< number given */
	struct capture item[CAPTURES];
};

/* The command line: before EAL starts, and behind it */

/** What can be wrong with the captures, seen before EAL starts. 0 or -errno with *e filled. */
int capture_check(const struct app *app, struct plx_error *e);
/** Is one of them written to the standard output? */
bool capture_wants_stdout(const struct app *app);
/** For that: all else goes to stderr from now on. 0 or -errno with *e filled. */
int capture_take_stdout(struct app *app, struct plx_error *e);

/* A run */

/** Those of the command line: from now on they capture. Main thread, before lcores run, with the
 * ports open. @return 0 or -errno with *e filled; then none does. */
int capture_begin(struct app_run *run, struct plx_error *e);
/** All of them end; what they came to is said on stderr. Main thread, when lcores have stopped. */
void capture_end(struct app_run *run);
/** Forget them. */
void capture_free(struct app_run *run);
/** Now and then: see whether some have ended by themselves. Control thread. */
void capture_tick(struct app_run *run);
/** Does any still capture? */
bool capture_runs(const struct app_run *run);

/** Begin one. Control thread, or main thread before the run. @param cmd for errors.
 * @return it, the list's until it is forgotten; or NULL with *e filled. */
struct capture *capture_start(
	struct captures *cs, const struct capture_conf *conf, const char *cmd, struct plx_error *e);
/**
 * Have one end, and forget it; waits for 4 s at most. Control thread. *s: what it came to.
 * @return 0; -ENOENT: there is none of this number; -EBUSY: it ends when its reader lets it.
 */
int capture_stop(struct captures *cs, uint32_t number, struct plx_tap_writer_stats *s);
/** Have a recorder write what it has. @return 0; -ENOENT: there is none of this number that runs;
 * -EINVAL: it is no recorder. Control thread. */
int capture_trigger(struct captures *cs, uint32_t number);
/** What it has come to so far. Any thread, under the lock. */
void capture_stats(const struct capture *c, struct plx_tap_writer_stats *s);
/** Calls fn for each of the counts, by the names that all tables have for them. */
static inline void capture_counts(const struct plx_tap_writer_stats *s,
	void (*fn)(void *arg, const char *name, uint64_t v), void *arg)
{
	fn(arg, "seen", s->tap.seen);
	fn(arg, "accepted", s->tap.accepted);
	fn(arg, "filtered", s->tap.filtered);
	fn(arg, "full", s->tap.full);
	fn(arg, "sampled", s->tap.sampled);
	fn(arg, "missed", s->tap.missed);
	fn(arg, "written", s->written);
	fn(arg, "unfit", s->unfit);
	fn(arg, "bytes", s->bytes);
	fn(arg, "files", s->files);
	if (s->record.state == PLX_TAP_RECORD_NONE)
		return;
	fn(arg, "triggers", s->record.triggers);
	fn(arg, "covered", s->record.covered);
	fn(arg, "ignored", s->record.ignored);
	fn(arg, "failed", s->record.failed);
	fn(arg, "kept", s->record.pkts);
	fn(arg, "kept_bytes", s->record.bytes);
	fn(arg, "overwritten", s->record.overwritten);
	fn(arg, "reach_ms", (uint64_t)s->record.reach_ns / 1000000);
}
/** The same for its ceiling, if it has one. */
static inline void capture_cost(const struct capture *c, const struct plx_tap_writer_stats *s,
	void (*fn)(void *arg, const char *name, uint64_t v), void *arg)
{
	if (!c->max_cost_ppm)
		return;
	fn(arg, "max_cost_ppm", c->max_cost_ppm);
	fn(arg, "cost_ppm", s->tap.cost_ppm);
	fn(arg, "every", s->tap.every);
}
/** runs, of a recorder armed, writes, rests; stopping, done, failed. */
const char *capture_state_name(const struct capture *c, const struct plx_tap_writer_stats *s);
/** Why it ended early, or why a recorder's last file is none; "" = all is well. */
const char *capture_error(const struct plx_tap_writer_stats *s);

/** What --json says of them: an array, or NULL if there are none. */
json_t *capture_json(const struct app_run *run);

/* capture_ctl.c: the table `tap`, and the commands that begin with this word */

/** Serve them. Control thread. @return 0 or -errno. */
int capture_ctl_add(struct captures *cs);
/** The opposite; fine if nothing was served. */
void capture_ctl_del(void);
