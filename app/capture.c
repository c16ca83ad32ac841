/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "version.h"

/*
 * A capture runs by its own thread. To end it is to wait for that thread, which may wait for a
 * reader that does not read: so a thread is made for it, and the control thread goes on.
 */

static_assert(PLX_TAP_IN == 1 && PLX_TAP_OUT == 2 && PLX_TAP_PCAP_US == 1 && PLX_TAP_PCAP_NS == 2,
	"capture_conf.c has these numbers");
static_assert((int)CAPTURE_ON_DROPS == PLX_TAP_ON_DROPS &&
		      (int)CAPTURE_ON_SQUEEZE == PLX_TAP_ON_SQUEEZE &&
		      (int)CAPTURE_ON_RTO == PLX_TAP_ON_RTO &&
		      (int)CAPTURE_ON_LATENCY == PLX_TAP_ON_LATENCY &&
		      (int)CAPTURE_ON_RST == PLX_TAP_ON_RST &&
		      (int)CAPTURE_ON_MATCH == PLX_TAP_ON_MATCH &&
		      (int)CAPTURE_ON_END == PLX_TAP_ON_END && CAPTURE_TRIGGERS == PLX_TAP_TRIGGERS,
	"and these");

#define PATIENCE_NS PLX_SEC(4) /* with a capture that is to end; pollux-ctl has 5 s */
#define ONCE_NS	    PLX_SEC(2) /* in which one may ask what it came to */

/* ---- one of them ---- */

static struct capture *find(struct captures *cs, uint32_t number)
{
	for (int i = 0; i < CAPTURES; i++)
		if (cs->item[i].state != CAPTURE_FREE && cs->item[i].number == number)
			return &cs->item[i];
	return NULL;
}

/* It has no writer any more. */
static void forget(struct capture *c)
{
	free(c->file);
	free(c->filter);
	*c = (struct capture){.list = c->list};
}

/* A free place; of those that have ended the oldest may go for it. */
static struct capture *place(struct captures *cs)
{
	struct capture *oldest = NULL;

	for (int i = 0; i < CAPTURES; i++) {
		struct capture *c = &cs->item[i];

		if (c->state == CAPTURE_FREE)
			return c;
		if (c->state == CAPTURE_DONE && (!oldest || c->number < oldest->number))
			oldest = c;
	}
	if (oldest)
		forget(oldest);
	return oldest;
}

const char *capture_state_name(const struct capture *c, const struct plx_tap_writer_stats *s)
{
	static const char *const runs[] = {
		[PLX_TAP_RECORD_NONE] = "runs",
		[PLX_TAP_RECORD_ARMED] = "armed",
		[PLX_TAP_RECORD_WRITES] = "writes",
		[PLX_TAP_RECORD_RESTS] = "rests",
	};

	switch (c->state) {
	case CAPTURE_RUNS:
		return runs[s->record.state];
	case CAPTURE_STOPPING:
		return "stopping";
	default:
		return c->stats.err ? "failed" : "done";
	}
}

const char *capture_error(const struct plx_tap_writer_stats *s)
{
	int err = s->err ? s->err : s->record.err;

	return err ? strerror(-err) : "";
}

void capture_stats(const struct capture *c, struct plx_tap_writer_stats *s)
{
	if (c->writer)
		plx_tap_writer_stats(c->writer, s);
	else
		*s = c->stats;
}

static void say_missed(const struct plx_tap_writer_stats *s, char *text, size_t room)
{
	if (s->tap.missed)
		snprintf(text, room, ", %llu missed to keep its cost",
			(unsigned long long)s->tap.missed);
}

static void say_record(const struct capture *c)
{
	const struct plx_tap_writer_stats *s = &c->stats;
	const struct plx_tap_record_stats *r = &s->record;
	char failed[96] = "", missed[64] = "";

	if (r->failed)
		snprintf(failed, sizeof(failed), "; %llu not written: %s",
			(unsigned long long)r->failed, strerror(-r->err));
	say_missed(s, missed, sizeof(missed));
	app_note("recorder %u to %s: %u files of %llu packets, %llu triggers, %llu ignored, %llu "
		 "lost%s%s",
		c->number, c->file, s->files, (unsigned long long)s->written,
		(unsigned long long)r->triggers, (unsigned long long)r->ignored,
		(unsigned long long)s->tap.full, missed, failed);
	if (r->failed)
		c->list->run->capture_failed = true;
}

/* Once, and not of those that somebody else reports. */
static void say(struct capture *c)
{
	const struct plx_tap_writer_stats *s = &c->stats;
	const char *why = s->err ? strerror(-s->err) : "";
	char unfit[64] = "", missed[64] = "";

	if (c->said || c->once)
		return;
	c->said = true;
	if (s->record.state != PLX_TAP_RECORD_NONE) {
		say_record(c);
		return;
	}
	if (s->err && s->err != -EPIPE) /* whose reader has read enough has not failed */
		c->list->run->capture_failed = true;
	if (s->unfit)
		snprintf(unfit, sizeof(unfit), ", %llu of another link type",
			(unsigned long long)s->unfit);
	say_missed(s, missed, sizeof(missed));
	app_note("capture %u to %s: %llu captured, %llu filtered, %llu lost%s%s%s%s", c->number,
		c->file, (unsigned long long)s->written, (unsigned long long)s->tap.filtered,
		(unsigned long long)s->tap.full, missed, unfit, s->err ? "; ended early: " : "",
		why);
}

/* ---- begin ---- */

/* An item of a list of ports, which are separated by commas. */
static int add_port(uint32_t *ports, const char *name, struct plx_error *e)
{
	const struct plx_port *p = plx_port_find(name);

	if (!p)
		return plx_error_set(e, -ENODEV, PLX_ERR_PORT_UNKNOWN, name);
	*ports |= 1u << p->id;
	return 0;
}

static int find_ports(const char *list, uint32_t *ports, struct plx_error *e)
{
	char name[PLX_PORT_NAMELEN];
	int err = 0;

	while (!err && *list) {
		size_t n = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)n, list);
		err = add_port(ports, name, e);
		list += n + (list[n] == ',');
	}
	return err;
}

static uint64_t seed(const struct captures *cs)
{
	struct timespec t;

	if (cs->run->app->run.seed)
		return cs->run->app->run.seed;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int bad_file(const char *cmd, const char *file, const char *why, struct plx_error *e)
{
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, file, "write", why);
}

static void set_triggers(struct plx_tap_trigger *t, const struct capture_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_triggers; i++)
		t[i] = (struct plx_tap_trigger){
			.kind = (enum plx_tap_trigger_kind)plan->trigger[i].kind,
			.reason = plan->trigger[i].reason,
			.over = plan->trigger[i].over,
			.ns = plan->trigger[i].ns,
			.text = plan->trigger[i].text,
		};
}

/* The writer, by a plan. */
static int open_writer(struct capture *c, const struct capture_conf *conf,
	const struct capture_plan *plan, const char *cmd, struct plx_error *e)
{
	struct captures *cs = c->list;
	struct plx_tap_trigger trigger[CAPTURE_TRIGGERS];
	struct plx_tap_filter_error why = {0};
	struct plx_tap_writer_conf w = {
		.tap = {.points = plan->hooks,
			.directions = plan->directions,
			.filter = conf->filter,
			.snap_bytes = conf->snaplen,
			.sample = conf->sample,
			.max_cost_ppm = plan->max_cost_ppm,
			.limit = conf->count,
			.ring_bytes = plan->ring_bytes,
			.keep_bytes = plan->keep_bytes,
			.seed = seed(cs)},
		.file = conf->file,
		.app = "pollux " PLX_VERSION " (git " PLX_GIT ")",
		.there = conf->once,
		.format = (enum plx_tap_format)plan->format,
		.rotate = plan->rotate,
		.record = {.trigger = trigger,
			.n_triggers = plan->n_triggers,
			.after_ns = plan->after_ns,
			.after_pkts = plan->after_pkts,
			.rearm_ns = plan->rearm_ns},
	};
	int err = find_ports(conf->ports ? conf->ports : "", &w.tap.ports, e);

	if (err)
		return err;
	set_triggers(trigger, plan);
	if (!cs->taps)
		cs->taps = plx_taps_create(cs->run->eng, e);
	if (!cs->taps)
		return -ENOMEM;
	c->writer = plx_tap_writer_start(cs->taps, &w, e, &why);
	if (c->writer)
		c->hooks = plx_tap_conf_of(plx_tap_writer_tap(c->writer))->points;
	else if (why.text[0])
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd,
			why.match ? conf->trigger : conf->filter, why.match ? "trigger" : "filter",
			why.text);
	return c->writer ? 0 : -EIO;
}

#define TAKEN "another capture writes it"

static bool is_same(const char *a, const char *b)
{
	struct stat x, y;

	return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
					    x.st_ino == y.st_ino);
}

static bool is_taken(const struct captures *cs, const char *file)
{
	for (int i = 0; i < CAPTURES; i++) {
		const struct capture *c = &cs->item[i];

		if ((c->state == CAPTURE_RUNS || c->state == CAPTURE_STOPPING) &&
			is_same(c->file, file))
			return true;
	}
	return false;
}

static int fill(
	struct capture *c, const struct capture_conf *conf, const char *cmd, struct plx_error *e)
{
	if (is_taken(c->list, conf->file))
		return bad_file(cmd, conf->file, TAKEN, e);
	c->file = strdup(conf->file);
	c->filter = strdup(conf->filter ? conf->filter : "");
	snprintf(c->ports, sizeof(c->ports), "%s", conf->ports ? conf->ports : "");
	if (!c->file || !c->filter)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "a capture");
	return 0;
}

struct capture *capture_start(
	struct captures *cs, const struct capture_conf *conf, const char *cmd, struct plx_error *e)
{
	struct capture made = {.list = cs}, *c;
	struct capture_plan plan;
	int err = capture_plan(conf, cmd, &plan, e);

	if (!err)
		err = fill(&made, conf, cmd, e);
	if (!err)
		err = open_writer(&made, conf, &plan, cmd, e);
	if (err) {
		forget(&made);
		return NULL;
	}
	made.once = conf->once;
	made.max_cost_ppm = plan.max_cost_ppm;
	made.state = CAPTURE_RUNS;
	made.number = ++cs->last;
	pthread_mutex_lock(&cs->lock);
	c = place(cs);
	if (c)
		*c = made;
	pthread_mutex_unlock(&cs->lock);
	if (c)
		return c;
	plx_tap_writer_stop(made.writer, NULL);
	forget(&made);
	plx_error_set(e, -ENOSPC, PLX_ERR_RUN, "a capture", "there are 32 already");
	return NULL;
}

/* ---- end ---- */

/* Of the standard output the reader shall see the end, though the process goes on. */
static void close_stdout(void)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
}

/* Its writer is no more. Under the lock. */
static void ended(struct capture *c, const struct plx_tap_writer_stats *s)
{
	c->stats = *s;
	c->ended_ns = app_run_elapsed(c->list->run);
	c->state = CAPTURE_DONE;
	if (strcmp(c->file, "-") == 0)
		close_stdout();
}

static void *stop_main(void *arg)
{
	struct capture *c = arg;
	struct plx_tap_writer_stats s;

	plx_tap_writer_stop(c->ending, &s);
	pthread_mutex_lock(&c->list->lock);
	c->stats = s;
	pthread_mutex_unlock(&c->list->lock);
	return NULL;
}

/* Ask one that runs to end: its state is STOPPING, or DONE where no thread can be had. */
static void ask(struct capture *c)
{
	struct captures *cs = c->list;
	struct plx_tap_writer_stats s;
	int err;

	plx_tap_writer_stats(c->writer, &s);
	pthread_mutex_lock(&cs->lock);
	c->stats = s;
	c->ending = c->writer;
	c->writer = NULL;
	c->state = CAPTURE_STOPPING;
	pthread_mutex_unlock(&cs->lock);
	err = pthread_create(&c->stopper, NULL, stop_main, c);
	if (!err)
		return;
	plx_tap_writer_stop(c->ending, &s);
	pthread_mutex_lock(&cs->lock);
	ended(c, &s);
	pthread_mutex_unlock(&cs->lock);
}

/* Has it ended, after this time at the latest? */
static bool wait_for(struct capture *c, plx_ns ns)
{
	struct timespec until;

	if (c->state != CAPTURE_STOPPING)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ns / PLX_SEC(1);
	if (pthread_timedjoin_np(c->stopper, NULL, &until) != 0)
		return false;
	pthread_mutex_lock(&c->list->lock);
	ended(c, &c->stats);
	pthread_mutex_unlock(&c->list->lock);
	return true;
}

int capture_stop(struct captures *cs, uint32_t number, struct plx_tap_writer_stats *s)
{
	struct capture *c = find(cs, number);

	if (!c)
		return -ENOENT;
	if (c->state == CAPTURE_RUNS)
		ask(c);
	c->once = true;
	if (!wait_for(c, PATIENCE_NS))
		return -EBUSY;
	pthread_mutex_lock(&cs->lock);
	*s = c->stats;
	forget(c);
	pthread_mutex_unlock(&cs->lock);
	return 0;
}

int capture_trigger(struct captures *cs, uint32_t number)
{
	struct capture *c = find(cs, number);

	return c && c->state == CAPTURE_RUNS ? plx_tap_writer_trigger(c->writer) : -ENOENT;
}

/* ---- those that end by themselves ---- */

static void look_after(struct capture *c)
{
	switch (c->state) {
	case CAPTURE_FREE:
		break;
	case CAPTURE_RUNS:
		/* by itself: its thread has ended, and lcores see it no more */
		if (plx_tap_writer_ended(c->writer) && plx_tap_gone(plx_tap_writer_tap(c->writer)))
			ask(c);
		break;
	case CAPTURE_STOPPING:
		if (wait_for(c, 0))
			say(c);
		break;
	case CAPTURE_DONE:
		if (!c->once || app_run_elapsed(c->list->run) - c->ended_ns < ONCE_NS)
			break;
		pthread_mutex_lock(&c->list->lock);
		forget(c);
		pthread_mutex_unlock(&c->list->lock);
		break;
	}
}

void capture_tick(struct app_run *run)
{
	if (!run->captures->taps)
		return;
	for (int i = 0; i < CAPTURES; i++)
		look_after(&run->captures->item[i]);
	if (run->app->cmd == &cmd_capture && !capture_runs(run))
		app_run_stop(run); /* that was all it is for */
}

bool capture_runs(const struct app_run *run)
{
	for (int i = 0; i < CAPTURES; i++)
		if (run->captures->item[i].state == CAPTURE_RUNS ||
			run->captures->item[i].state == CAPTURE_STOPPING)
			return true;
	return false;
}

/* ---- all of them ---- */

static struct captures *captures_new(struct app_run *run)
{
	struct captures *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return NULL;
	cs->run = run;
	pthread_mutex_init(&cs->lock, NULL);
	for (int i = 0; i < CAPTURES; i++)
		cs->item[i] = (struct capture){.list = cs};
	return cs;
}

int capture_begin(struct app_run *run, struct plx_error *e)
{
	struct app *app = run->app;

	run->captures = captures_new(run);
	if (!run->captures)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "captures");
	for (unsigned int i = 0; i < app->n_captures; i++)
		if (!capture_start(run->captures, &app->capture[i], "capture", e)) {
			capture_end(run);
			return -EINVAL;
		}
	return 0;
}

/* What has not ended by now waits for a reader, and is left to the end of the process. */
static bool end_all(struct captures *cs)
{
	bool all = true;

	for (int i = 0; i < CAPTURES; i++)
		if (cs->item[i].state == CAPTURE_RUNS)
			ask(&cs->item[i]);
	for (int i = 0; i < CAPTURES; i++) {
		struct capture *c = &cs->item[i];

		if (c->state == CAPTURE_FREE)
			continue;
		if (!wait_for(c, PATIENCE_NS)) {
			app_note("capture %u to %s: what is left cannot be written", c->number,
				c->file);
			all = false;
		} else {
			say(c);
		}
	}
	return all;
}

void capture_end(struct app_run *run)
{
	struct captures *cs = run->captures;

	if (!cs || !cs->taps || !end_all(cs))
		return;
	plx_taps_destroy(cs->taps);
	cs->taps = NULL;
}

void capture_free(struct app_run *run)
{
	struct captures *cs = run->captures;

	if (!cs || cs->taps) /* then a thread has it for ever */
		return;
	for (int i = 0; i < CAPTURES; i++)
		forget(&cs->item[i]);
	pthread_mutex_destroy(&cs->lock);
	free(cs);
	run->captures = NULL;
}

/* ---- what the program says ---- */

static void json_u64(void *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *json_of(const struct capture *c)
{
	char hooks[CAPTURE_HOOKS_STRLEN];
	struct plx_tap_writer_stats s;
	json_t *o;

	capture_stats(c, &s);
	o = json_pack("{s:i,s:s,s:s*,s:s*,s:s}", "tap", (int)c->number, "hooks",
		capture_hooks_format(c->hooks, hooks), "filter", c->filter, "file", c->file,
		"state", capture_state_name(c, &s));
	capture_counts(&s, json_u64, o);
	capture_cost(c, &s, json_u64, o);
	if (s.record.state != PLX_TAP_RECORD_NONE)
		json_object_set_new(o, "last", json_string(s.record.last));
	json_object_set_new(o, "error", json_string(capture_error(&s)));
	return o;
}

json_t *capture_json(const struct app_run *run)
{
	struct captures *cs = run->captures;
	json_t *list = NULL;

	if (!cs)
		return NULL;
	pthread_mutex_lock(&cs->lock);
	for (int i = 0; i < CAPTURES; i++) {
		if (cs->item[i].state == CAPTURE_FREE)
			continue;
		list = list ? list : json_array();
		json_array_append_new(list, json_of(&cs->item[i]));
	}
	pthread_mutex_unlock(&cs->lock);
	return list;
}

bool capture_wants_stdout(const struct app *app)
{
	for (unsigned int i = 0; i < app->n_captures; i++)
		if (strcmp(app->capture[i].file, "-") == 0)
			return true;
	return false;
}

int capture_check(const struct app *app, struct plx_error *e)
{
	struct capture_plan plan;
	int err = 0;

	for (unsigned int i = 0; !err && i < app->n_captures; i++) {
		const struct capture_conf *c = &app->capture[i];

		err = capture_plan(c, "capture", &plan, e);
		if (!err && strcmp(c->file, "-") == 0 && isatty(STDOUT_FILENO))
			err = bad_file("capture", "-", "a terminal; append: | tshark -i -", e);
		for (unsigned int j = 0; !err && j < i; j++)
			if (strcmp(c->file, app->capture[j].file) == 0)
				err = bad_file("capture", c->file, TAKEN, e);
	}
	return err;
}

/* What others print by stdio goes to stderr, as all that we print does now. */
int capture_take_stdout(struct app *app, struct plx_error *e)
{
	FILE *out = fdopen(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), "w");

	if (!out || dup2(fileno(app->out), STDOUT_FILENO) < 0)
		return plx_error_set(
			e, -errno, PLX_ERR_RUN, "the standard output", strerror(errno));
	fclose(app->out);
	app->out = out;
	stdout = stderr;
	return 0;
}
