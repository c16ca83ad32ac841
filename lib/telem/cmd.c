/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

/** A JSON object whose members have been checked against the command's list. */
struct plx_telem_args {
	const json_t *json;
};

struct plx_telem_reply {
	const char *cmd;
	json_t *more;	   /* beside "ok"; NULL = nothing */
	int err;	   /* 0 or -errno */
	char message[320]; /* with err */
};

static struct plx_telem_cmds *sets;

void plx_telem_cmds_add(struct plx_telem_cmds *set)
{
	set->next = sets;
	sets = set;
}

void plx_telem_cmds_del(struct plx_telem_cmds *set)
{
	for (struct plx_telem_cmds **p = &sets; *p; p = &(*p)->next)
		if (*p == set) {
			*p = set->next;
			return;
		}
}

const char *plx_telem_args_str(const struct plx_telem_args *args, const char *name)
{
	return json_string_value(json_object_get(args->json, name));
}

int64_t plx_telem_args_int(const struct plx_telem_args *args, const char *name, int64_t def)
{
	const json_t *v = json_object_get(args->json, name);

	return json_is_integer(v) ? json_integer_value(v) : def;
}

void plx_telem_reply_int(struct plx_telem_reply *reply, const char *name, int64_t value)
{
	if (!reply->more)
		reply->more = json_object();
	json_object_set_new(reply->more, name, json_integer((json_int_t)value));
}

int plx_telem_reply_error(struct plx_telem_reply *reply, int err, const char *format, ...)
{
	int n = snprintf(reply->message, sizeof(reply->message), "%s%s", reply->cmd,
		*reply->cmd ? ": " : "");
	va_list ap;

	reply->err = err;
	if (n < 0 || (size_t)n >= sizeof(reply->message))
		return err;
	va_start(ap, format);
	vsnprintf(reply->message + n, sizeof(reply->message) - (size_t)n, format, ap);
	va_end(ap);
	return err;
}

/* One entry of a list of arguments: "metric:i?". */
struct spec {
	char name[32];
	char type;
	bool optional;
};

static const char *spec_next(const char *list, struct spec *s)
{
	size_t n;

	while (*list == ' ')
		list++;
	n = strcspn(list, ":");
	if (list[n] == '\0' || n >= sizeof(s->name))
		return NULL;
	memcpy(s->name, list, n);
	s->name[n] = '\0';
	s->type = list[n + 1];
	list += n + 2;
	s->optional = *list == '?';
	return list + s->optional;
}

static bool has_type(const json_t *v, char type)
{
	return type == 's' ? json_is_string(v) : json_is_integer(v);
}

/* What is there and in nobody's list. */
static const char *unknown_arg(json_t *args, const char *list)
{
	const char *key;
	json_t *value;

	json_object_foreach(args, key, value)
	{
		struct spec s = {0};
		const char *at = list;

		do
			at = spec_next(at, &s);
		while (at && strcmp(s.name, key) != 0);
		if (!at)
			return key;
	}
	return NULL;
}

static int check_args(json_t *args, const char *list, struct plx_telem_reply *reply)
{
	const char *unknown = unknown_arg(args, list);
	struct spec s = {0};

	if (unknown)
		return plx_telem_reply_error(reply, -EINVAL, "unknown argument '%s'", unknown);
	while ((list = spec_next(list, &s))) {
		const json_t *v = json_object_get(args, s.name);

		if (!v && !s.optional)
			return plx_telem_reply_error(
				reply, -EINVAL, "argument '%s' is missing", s.name);
		if (v && !has_type(v, s.type))
			return plx_telem_reply_error(reply, -EINVAL, "argument '%s' must be %s",
				s.name, s.type == 's' ? "a string" : "an integer");
	}
	return 0;
}

static int run_cmd(const struct plx_telem_cmds *set, const struct plx_telem_cmd *cmd, json_t *args,
	struct plx_telem_reply *reply)
{
	const struct plx_telem_args a = {.json = args};
	int err = check_args(args, cmd->args ? cmd->args : "", reply);

	if (!err)
		err = cmd->run(&a, reply, set->arg);
	if (err && !*reply->message)
		plx_telem_reply_error(reply, err, "%s", strerror(-err));
	reply->err = err;
	return err;
}

/* @param set set to the one that offers it. Of two with one name it is the later added one. */
static const struct plx_telem_cmd *find(const char *name, const struct plx_telem_cmds **set)
{
	for (*set = sets; *set; *set = (*set)->next)
		for (unsigned int i = 0; i < (*set)->n; i++)
			if (strcmp((*set)->cmd[i].name, name) == 0)
				return &(*set)->cmd[i];
	return NULL;
}

static int dispatch(const char *name, json_t *args, struct plx_telem_reply *reply)
{
	const struct plx_telem_cmds *set;
	const struct plx_telem_cmd *cmd = find(name, &set);

	if (!cmd)
		return plx_telem_reply_error(
			reply, -ENOSYS, "no command '%.64s'; 'help' lists them", name);
	reply->cmd = cmd->name;
	return run_cmd(set, cmd, args, reply);
}

/* @param message may quote what came, cut anywhere: only ASCII of it is sure to be UTF-8. */
static json_t *error_json(int err, const char *message)
{
	const char *name = strerrorname_np(-err);
	char said[sizeof(((struct plx_telem_reply *)0)->message)];
	size_t n = 0;

	for (; message[n] && n < sizeof(said) - 1; n++)
		said[n] = message[n] >= ' ' && message[n] < 0x7f ? message[n] : '?';
	said[n] = '\0';
	return json_pack("{s:{s:i,s:s,s:s}}", "error", "errno", -err, "name", name ? name : "?",
		"message", said);
}

static json_t *help_json(void)
{
	const struct plx_telem_cmds *runs;
	json_t *list = json_array();

	for (const struct plx_telem_cmds *set = sets; set; set = set->next)
		for (unsigned int i = 0; i < set->n; i++) {
			const struct plx_telem_cmd *c = &set->cmd[i];

			if (find(c->name, &runs) == c)
				json_array_append_new(
					list, json_pack("{s:s,s:s,s:s}", "cmd", c->name, "args",
						      c->args ? c->args : "", "help", c->help));
		}
	return json_pack("{s:b,s:o}", "ok", 1, "commands", list);
}

static json_t *answer(json_t *request)
{
	struct plx_telem_reply reply = {.cmd = ""};
	json_t *args = NULL, *none = NULL, *out;
	const char *name = NULL;
	json_error_t e;

	if (json_unpack_ex(request, &e, JSON_STRICT, "{s:s,s?o}", "cmd", &name, "args", &args) != 0)
		return error_json(-EINVAL, e.text);
	if (args && !json_is_object(args))
		return error_json(-EINVAL, "args must be an object");
	if (strcmp(name, "help") == 0)
		return help_json();
	if (!args)
		args = none = json_object();
	out = dispatch(name, args, &reply) == 0 ? json_pack("{s:b}", "ok", 1)
						: error_json(reply.err, reply.message);
	if (!reply.err)
		json_object_update_missing(out, reply.more);
	json_decref(reply.more);
	json_decref(none);
	return out;
}

static char *dump(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

char *telem__refuse(int err, const char *why)
{
	return dump(error_json(err, why));
}

char *telem__answer(const char *request, size_t len)
{
	json_error_t e;
	json_t *json = json_loadb(request, len, JSON_REJECT_DUPLICATES, &e), *reply;

	if (!json)
		return telem__refuse(-EINVAL, e.text);
	reply = answer(json);
	json_decref(json);
	return dump(reply);
}
