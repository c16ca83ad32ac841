/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/*
 * `steer set`: the words of ethtool -X and of rps_cpus to JSON. What ports and values there are,
 * the other side knows and says.
 */

#define FORM_RPS    "rps PORT[:QUEUE] LCORES|none"
#define FORM_RSS    "rss PORT [start N] equal N | weight W0 W1... | default"
#define FORM_LCORES "lcores LCORES [weight W0 W1...]"
#define FORM_BUCKET "bucket N LCORE"
#define FORM_KEY    "key PORT HEX|default|microsoft|random"
#define FORM_HASH   "rx-flow-hash PORT tcp4|udp4|sctp4|tcp6|udp6|sctp6 sd|sdfn"

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

/* Digits alone. @return whether it is a number up to INT32_MAX. */
static bool number(const char *text, int *v)
{
	char *end;
	long n = strtol(text, &end, 10);

	*v = (int)n;
	return *text >= '0' && *text <= '9' && !*end && n <= INT32_MAX;
}

static int set_number(
	json_t *args, const char *key, const char *text, const char *form, const struct why *w)
{
	int v;

	if (!text)
		return wrong(w, "'%s' needs a number; form: %s", key, form);
	if (!number(text, &v))
		return wrong(w, "%s '%s' is no number", key, text);
	json_object_set_new(args, key, json_integer(v));
	return 0;
}

/* All that follows. */
static int set_weights(json_t *args, int argc, char **argv, const char *form, const struct why *w)
{
	char text[512] = "";
	size_t used = 0;
	int v;

	if (argc == 0)
		return wrong(w, "'weight' needs numbers; form: %s", form);
	for (int i = 0; i < argc; i++) {
		if (!number(argv[i], &v))
			return wrong(w, "weight '%s' is no number", argv[i]);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", i ? " " : "", v);
		if (used >= sizeof(text))
			return wrong(w, "too many weights");
	}
	json_object_set_new(args, "weight", json_string(text));
	return 0;
}

/* From behind the port on. */
static int rss(json_t *args, int argc, char **argv, const struct why *w)
{
	int at = 0, err = 0;

	if (argc > 0 && strcmp(argv[0], "start") == 0) {
		err = set_number(args, "start", argc > 1 ? argv[1] : NULL, FORM_RSS, w);
		at = 2;
	}
	if (err)
		return err;
	if (at < argc && strcmp(argv[at], "weight") == 0)
		return set_weights(args, argc - at - 1, argv + at + 1, FORM_RSS, w);
	if (at < argc && strcmp(argv[at], "equal") == 0) {
		err = set_number(args, "equal", at + 1 < argc ? argv[at + 1] : NULL, FORM_RSS, w);
		at += 2;
	} else if (at == 0 && argc > 0 && strcmp(argv[0], "default") == 0) {
		at = 1;
	} else if (at >= argc) {
		return wrong(w, "incomplete; form: " FORM_RSS);
	}
	if (!err && at < argc)
		return wrong(w, "'%s' is not understood; form: " FORM_RSS, argv[at]);
	return err;
}

/* n words behind the port, each with its key. */
static int words(json_t *args, const char *const *key, int n, int argc, char **argv,
	const char *form, const struct why *w)
{
	if (argc != n)
		return wrong(w, "%s; form: %s", argc > n ? "too many words" : "incomplete", form);
	for (int i = 0; i < n; i++) {
		json_t *v = json_string(argv[i]);

		if (!v)
			return wrong(w, "'%s' is not in UTF-8", argv[i]);
		json_object_set_new(args, key[i], v);
	}
	return 0;
}

static int lcores(json_t *args, int argc, char **argv, const struct why *w)
{
	static const char *const key[] = {"lcores"};
	int err = words(args, key, 1, argc ? 1 : 0, argv, FORM_LCORES, w);

	if (err || argc == 1)
		return err;
	if (strcmp(argv[1], "weight") != 0)
		return wrong(w, "'%s' is not understood; form: " FORM_LCORES, argv[1]);
	return set_weights(args, argc - 2, argv + 2, FORM_LCORES, w);
}

static int bucket(json_t *args, int argc, char **argv, const struct why *w)
{
	int err;

	if (argc != 2)
		return wrong(
			w, "%s; form: " FORM_BUCKET, argc < 2 ? "incomplete" : "too many words");
	err = set_number(args, "bucket", argv[0], FORM_BUCKET, w);
	return err ? err : set_number(args, "lcore", argv[1], FORM_BUCKET, w);
}

/* What can be set of ports; rss has a grammar of its own. */
static const struct {
	const char *what, *form;
	const char *key[3];
	int n;
} things[] = {
	{"rps", FORM_RPS, {"dev", "lcores"}, 2},
	{"rss", FORM_RSS, {"dev"}, 1},
	{"key", FORM_KEY, {"dev", "key"}, 2},
	{"rx-flow-hash", FORM_HASH, {"dev", "flow", "fields"}, 3},
};

static int parse(json_t *args, int argc, char **argv, const struct why *w)
{
	bool is_rss;
	int err;

	if (argc && strcmp(argv[0], "lcores") == 0)
		return lcores(args, argc - 1, argv + 1, w);
	if (argc && strcmp(argv[0], "bucket") == 0)
		return bucket(args, argc - 1, argv + 1, w);
	for (size_t i = 0; argc && i < sizeof(things) / sizeof(things[0]); i++) {
		if (strcmp(argv[0], things[i].what) != 0)
			continue;
		is_rss = things[i].n == 1;
		err = words(args, things[i].key, things[i].n, is_rss && argc > 2 ? 1 : argc - 1,
			argv + 1, things[i].form, w);
		return err || !is_rss ? err : rss(args, argc - 2, argv + 2, w);
	}
	return wrong(w,
		argc ? "'%s' is not understood: there are lcores, bucket, rps, rss, key and "
		       "rx-flow-hash"
		     : "%slcores, bucket, rps, rss, key or rx-flow-hash",
		argc ? argv[0] : "");
}

int steer_set_request(int argc, char **argv, json_t **request, char *why, size_t size)
{
	const struct why w = {why, size};
	json_t *args = json_object();
	char cmd[64];
	int err = parse(args, argc, argv, &w);

	if (err) {
		json_decref(args);
		return err;
	}
	snprintf(cmd, sizeof(cmd), "steer %s", argv[0]);
	*request = json_pack("{s:s,s:o}", "cmd", cmd, "args", args);
	return 0;
}

int steer_set(const struct steer_opts *o, int argc, char **argv)
{
	struct ctl_peer peer;
	json_t *request;
	char why[256];
	int code;

	if (steer_set_request(argc, argv, &request, why, sizeof(why)) != 0) {
		ctl_complain("steer set: %s", why);
		return CTL_USAGE;
	}
	code = ctl_find(o->prefix, o->pid, &peer);
	if (code == CTL_OK)
		return ctl_write(&peer, request);
	json_decref(request);
	return code;
}
