/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/*
 * The words of `ip` to JSON. A line is: object, verb, for most one value without a key, then pairs
 * of key and value. What a value must look like, the other side knows and says.
 */

/** A key of a line: how it is written, how it is sent. */
struct key {
	const char *word; /**< NULL: the value without a key */
	const char *arg;
	char type; /**< s = string, i = integer; w = the word itself; 1, 0 = the word means that */
	bool must;
};

#define KEYS_MAX 10

struct line {
	const char *object, *verbs; /* verbs: " add del " */
	const char *form;	    /* of the rest */
	struct key key[KEYS_MAX];
};

static const struct line lines[] = {
	{
		"addr",
		" add del ",
		"ADDRESS/LENGTH dev INTERFACE",
		{{NULL, "local", 's', true}, {"dev", "dev", 's', true}},
	},
	{
		"route",
		" add del ",
		"[unreachable|blackhole] PREFIX|default [via ADDRESS] [dev INTERFACE] "
		"[src ADDRESS] [metric N] [mtu N]",
		{{NULL, "dst", 's', true}, {"via", "via", 's', false}, {"dev", "dev", 's', false},
			{"src", "src", 's', false}, {"metric", "metric", 'i', false},
			{"mtu", "mtu", 'i', false}, {"unreachable", "type", 'w', false},
			{"blackhole", "type", 'w', false}},
	},
	{
		"neigh",
		" add del ",
		"ADDRESS [lladdr MAC] dev INTERFACE",
		{{NULL, "dst", 's', true}, {"lladdr", "lladdr", 's', false},
			{"dev", "dev", 's', true}},
	},
	{
		"link",
		" set ",
		"INTERFACE [up|down] [mtu N] [address MAC]",
		{{NULL, "dev", 's', true}, {"up", "up", '1', false}, {"down", "up", '0', false},
			{"mtu", "mtu", 'i', false}, {"address", "address", 's', false}},
	},
};

/** Where a complaint goes. */
struct why {
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 2, 3))) wrong(const struct why *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->text, w->size, format, ap);
	va_end(ap);
	return -EINVAL;
}

static const struct key *find_key(const struct line *l, const char *word)
{
	const struct key *bare = NULL;

	for (const struct key *k = l->key; k->arg; k++) {
		if (k->word && strcmp(k->word, word) == 0)
			return k;
		if (!k->word)
			bare = k;
	}
	return bare;
}

static int parse_int(const char *text, long long *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return *text == '\0' || *end || errno ? -EINVAL : 0;
}

/* The value that a key stands for or is followed by. @return NULL and why. */
static json_t *value_of(const struct key *k, const char *text, const struct why *w)
{
	long long n = k->type - '0';
	json_t *v;

	if (k->type == 'i' && parse_int(text, &n) != 0) {
		wrong(w, "%s '%s' is no number", k->word, text);
		return NULL;
	}
	v = k->type == 's' || k->type == 'w' ? json_string(text) : json_integer(n);
	if (!v)
		wrong(w, "'%s' is not in UTF-8", text);
	return v;
}

/* One key and what belongs to it, from argv on. @return words used, or -EINVAL. */
static int add_key(json_t *args, const struct line *l, int argc, char **argv, const struct why *w)
{
	const struct key *k = find_key(l, argv[0]);
	int words = k->word && (k->type == 's' || k->type == 'i') ? 2 : 1;
	json_t *v;

	if (json_object_get(args, k->arg))
		return wrong(w, "'%s' is one too many; form: %s", argv[0], l->form);
	if (argc < words)
		return wrong(w, "'%s' needs a value; form: %s", argv[0], l->form);
	v = value_of(k, argv[words - 1], w);
	if (!v)
		return -EINVAL;
	json_object_set_new(args, k->arg, v);
	return words;
}

/* What `ip` lets one write otherwise. */
static void normalize(json_t *args, bool v6)
{
	const char *dst = json_string_value(json_object_get(args, "dst"));
	const char *via = json_string_value(json_object_get(args, "via"));

	if (dst && strcmp(dst, "default") == 0)
		json_object_set_new(args, "dst",
			json_string(v6 || (via && strchr(via, ':')) ? "::/0" : "0.0.0.0/0"));
}

static int parse_args(
	json_t *args, const struct line *l, int argc, char **argv, const struct why *w)
{
	int at = 0;

	/* "link set dev NAME": dev is no key there, but a habit. */
	if (argc > 1 && !find_key(l, "dev")->word && strcmp(argv[0], "dev") == 0)
		at = 1;
	while (at < argc) {
		int used = add_key(args, l, argc - at, argv + at, w);

		if (used < 0)
			return used;
		at += used;
	}
	for (const struct key *k = l->key; k->arg; k++)
		if (k->must && !json_object_get(args, k->arg))
			return wrong(w, "incomplete; form: %s", l->form);
	if (strcmp(l->object, "link") == 0 && json_object_size(args) == 1) /* and now what? */
		return wrong(w, "incomplete; form: %s", l->form);
	return 0;
}

static bool has_verb(const struct line *l, const char *verb)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", verb);
	return strstr(l->verbs, word) != NULL;
}

static const struct line *find_line(int argc, char **argv)
{
	for (size_t i = 0; argc >= 2 && i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strcmp(lines[i].object, argv[0]) == 0 && has_verb(&lines[i], argv[1]))
			return &lines[i];
	return NULL;
}

int ctl_request(int argc, char **argv, bool v6, json_t **request, char *why, size_t size)
{
	const struct line *l = find_line(argc, argv);
	const struct why w = {why, size};
	json_t *args;
	char cmd[32];

	if (!l)
		return 1;
	args = json_object();
	if (parse_args(args, l, argc - 2, argv + 2, &w) != 0) {
		json_decref(args);
		return -EINVAL;
	}
	normalize(args, v6);
	snprintf(cmd, sizeof(cmd), "%s %s", l->object, argv[1]);
	*request = json_pack("{s:s,s:o}", "cmd", cmd, "args", args);
	return 0;
}

int ctl_request_sysctl(const char *operand, json_t **request, char *why, size_t size)
{
	const struct why w = {why, size};
	const char *eq = strchr(operand, '=');
	long long value;

	if (!eq)
		return 1;
	if (parse_int(eq + 1, &value) != 0)
		return wrong(&w, "%s: '%s' is no number", operand, eq + 1);
	*request = json_pack("{s:s,s:{s:s%,s:I}}", "cmd", "sysctl", "args", "name", operand,
		(size_t)(eq - operand), "value", (json_int_t)value);
	return *request ? 0 : wrong(&w, "not in UTF-8");
}

/* "tso off gro on" to "tso=off gro=on" */
static int join_features(char *text, size_t size, int argc, char **argv, const struct why *w)
{
	size_t used = 0;

	for (int i = 0; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		int n;

		if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
			return wrong(w, "flag '%s' is not followed by 'on' or 'off'", argv[i]);
		if (!*argv[i] || strpbrk(argv[i], "= "))
			return wrong(w, "'%s' is no flag", argv[i]);
		n = snprintf(text + used, size - used, "%s%s=%s", i ? " " : "", argv[i], value);
		used += (size_t)n;
		if (used >= size)
			return wrong(w, "too many flags");
	}
	return 0;
}

int ctl_request_features(int argc, char **argv, json_t **request, char *why, size_t size)
{
	const struct why w = {why, size};
	char text[2048];
	int err;

	if (argc < 2)
		return wrong(&w, "incomplete; form: -K PORT FEATURE on|off...");
	err = join_features(text, sizeof(text), argc - 1, argv + 1, &w);
	if (err)
		return err;
	*request = json_pack("{s:s,s:{s:s,s:s}}", "cmd", "feature set", "args", "dev", argv[0],
		"features", text);
	return *request ? 0 : wrong(&w, "not in UTF-8");
}
