/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>

#include <plx_telem.h>

/* What pollux-ctl sees of captures, and how it begins and ends them. */

static void row_u64(void *r, const char *name, uint64_t v)
{
	plx_telem_row_u64(r, name, v);
}

/* A cursor is the place in the list, plus 1. */
static enum plx_telem_more row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct captures *cs = arg;
	char hooks[CAPTURE_HOOKS_STRLEN];
	struct plx_tap_writer_stats s;
	const struct capture *c;

	if (*cursor >= CAPTURES)
		return PLX_TELEM_END;
	c = &cs->item[(*cursor)++];
	pthread_mutex_lock(&cs->lock);
	if (c->state != CAPTURE_FREE) {
		capture_stats(c, &s);
		plx_telem_row_u64(r, "tap", c->number);
		plx_telem_row_str(r, "hooks", capture_hooks_format(c->hooks, hooks));
		plx_telem_row_str(r, "ports", c->ports);
		plx_telem_row_str(r, "filter", c->filter);
		plx_telem_row_str(r, "file", c->file);
		plx_telem_row_str(r, "state", capture_state_name(c, &s));
		capture_counts(&s, row_u64, r);
		capture_cost(c, &s, row_u64, r);
		if (s.record.state != PLX_TAP_RECORD_NONE)
			plx_telem_row_str(r, "last", s.record.last);
		plx_telem_row_str(r, "error", capture_error(&s));
	}
	pthread_mutex_unlock(&cs->lock);
	return PLX_TELEM_MORE;
}

/* An argument that is a uint32_t: no option takes more. */
static int number(const struct plx_telem_args *args, const char *name, uint32_t *v)
{
	int64_t n = plx_telem_args_int(args, name, 0);

	*v = (uint32_t)n;
	return n >= 0 && n <= UINT32_MAX ? 0 : -ERANGE;
}

static int read_args(
	const struct plx_telem_args *args, struct capture_conf *conf, struct plx_telem_reply *reply)
{
	int err;

	*conf = (struct capture_conf){
		.file = plx_telem_args_str(args, "file"),
		.filter = plx_telem_args_str(args, "filter"),
		.hooks = plx_telem_args_str(args, "hooks"),
		.ports = plx_telem_args_str(args, "ports"),
		.direction = plx_telem_args_str(args, "direction"),
		.format = plx_telem_args_str(args, "format"),
		.ring = plx_telem_args_str(args, "ring"),
		.buffer = plx_telem_args_str(args, "buffer"),
		.record = plx_telem_args_str(args, "record"),
		.trigger = plx_telem_args_str(args, "trigger"),
		.after = plx_telem_args_str(args, "after"),
		.rearm = plx_telem_args_str(args, "rearm"),
		.max_cost = plx_telem_args_str(args, "max_cost"),
		.once = plx_telem_args_int(args, "once", 0),
	};
	err = number(args, "snaplen", &conf->snaplen);
	if (!err)
		err = number(args, "count", &conf->count);
	if (!err)
		err = number(args, "sample", &conf->sample);
	if (err)
		return plx_telem_reply_error(
			reply, err, "snaplen, count and sample are 0 to %u", UINT32_MAX);
	if (conf->file[0] != '/') /* whose directory it would be, nobody can know */
		return plx_telem_reply_error(
			reply, -EINVAL, "'%s': give a path that begins with /", conf->file);
	return 0;
}

static int start(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	struct captures *cs = arg;
	struct capture_conf conf;
	struct plx_error e = {0};
	struct capture *c;
	int err = read_args(args, &conf, reply);

	if (err)
		return err;
	c = capture_start(cs, &conf, "tap", &e);
	if (!c)
		return plx_telem_reply_error(reply, -EINVAL, "%.120s; %s", e.text, e.remedy);
	plx_telem_reply_int(reply, "tap", c->number);
	return 0;
}

static int stop(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	struct plx_tap_writer_stats s = {0};
	uint32_t n = 0;
	int err = number(args, "tap", &n);

	if (!err)
		err = capture_stop(arg, n, &s);
	if (err == -EBUSY)
		return plx_telem_reply_error(
			reply, err, "its reader does not read; it ends when that does or goes");
	if (err)
		return plx_telem_reply_error(reply, -ENOENT, "no tap of this number");
	plx_telem_reply_int(reply, "written", (int64_t)s.written);
	plx_telem_reply_int(reply, "filtered", (int64_t)s.tap.filtered);
	plx_telem_reply_int(reply, "full", (int64_t)s.tap.full);
	plx_telem_reply_int(reply, "missed", (int64_t)s.tap.missed);
	plx_telem_reply_int(reply, "unfit", (int64_t)s.unfit);
	plx_telem_reply_int(reply, "errno", -s.err);
	return 0;
}

static int trigger(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	uint32_t n = 0;
	int err = number(args, "tap", &n);

	if (!err)
		err = capture_trigger(arg, n);
	if (err == -EINVAL)
		return plx_telem_reply_error(reply, err, "tap %u is no recorder (--record)", n);
	return err ? plx_telem_reply_error(reply, -ENOENT, "no tap of this number") : 0;
}

static struct plx_telem_table table = {
	.name = "tap",
	.help = "Captures: where, of what, how far. Parameter: cursor",
	.row = row,
};

static const struct plx_telem_cmd cmd[] = {
	{
		.name = "tap start",
		.args = "file:s filter:s? hooks:s? ports:s? direction:s? format:s? ring:s? "
			"buffer:s? max_cost:s? record:s? trigger:s? after:s? rearm:s? "
			"snaplen:i? count:i? sample:i? once:i?",
		.help = "begin a capture; once: forget it when it has ended",
		.run = start,
	},
	{
		.name = "tap stop",
		.args = "tap:i",
		.help = "end a capture",
		.run = stop,
	},
	{
		.name = "tap trigger",
		.args = "tap:i",
		.help = "have a recorder write what it has",
		.run = trigger,
	},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd)};

int capture_ctl_add(struct captures *cs)
{
	int err = plx_telem_tables_add(&table, 1, cs);

	cmds.arg = cs;
	if (!err)
		plx_telem_cmds_add(&cmds);
	return err;
}

void capture_ctl_del(void)
{
	plx_telem_cmds_del(&cmds);
	plx_telem_tables_del(&table, 1);
}
