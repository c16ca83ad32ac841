/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <string.h>

/*
 * `ethtool -k` and `-K` of ethtool 6.1: see netlink/features.c there for the order of what is
 * printed, and for when it is. The table has a row for each feature, group by group.
 */

/* A group of one is shown as that feature, under the group's name. */
static const char *shown_as(const json_t *row)
{
	return *fmt_str(row, "kernel") ? fmt_str(row, "group") : fmt_str(row, "name");
}

static bool begins_group(const json_t *row, const char *last)
{
	const char *group = fmt_str(row, "group");

	return *group && !*fmt_str(row, "kernel") && strcmp(group, last) != 0;
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

/* A group is on if one of its features is. */
static bool group_is_on(const json_t *rows, size_t i)
{
	const json_t *first = json_array_get(rows, i), *row = first;
	bool on = false;

	for (; row && strcmp(fmt_str(row, "group"), fmt_str(first, "group")) == 0 &&
		fmt_num(row, "port") == fmt_num(first, "port");
		row = json_array_get(rows, ++i))
		on = on || fmt_num(row, "active");
	return on;
}

static void print_feature(const json_t *row, FILE *out)
{
	bool active = fmt_num(row, "active"), requested = fmt_num(row, "requested");
	bool sub = *fmt_str(row, "group") && !*fmt_str(row, "kernel");

	fprintf(out, "%s%s: %s", sub ? "\t" : "", shown_as(row), on_off(active));
	if (fmt_num(row, "fixed"))
		fputs(" [fixed]", out);
	else if (active != requested)
		fprintf(out, " [requested %s]", on_off(requested));
	fputc('\n', out);
}

void fmt_features(const struct fmt *f, const json_t *rows)
{
	const char *port = "", *group = "";
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(port, fmt_str(row, "ifname")) != 0) {
			port = fmt_str(row, "ifname");
			group = "";
			fprintf(f->out, "Features for %s:\n", port);
		}
		if (begins_group(row, group))
			fprintf(f->out, "%s: %s\n", fmt_str(row, "group"),
				on_off(group_is_on(rows, i)));
		group = fmt_str(row, "group");
		print_feature(row, f->out);
	}
}

json_t *fmt_features_json(const json_t *rows)
{
	json_t *out = json_array(), *row, *port = NULL;
	const char *group = "";
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *name = fmt_str(row, "ifname");

		if (strcmp(fmt_str(port, "ifname"), name) != 0) {
			port = json_pack("{s:s}", "ifname", name);
			group = "";
			json_array_append_new(out, port);
		}
		if (begins_group(row, group))
			json_object_set_new(port, fmt_str(row, "group"),
				json_pack("{s:b,s:n,s:n}", "active", group_is_on(rows, i), "fixed",
					"requested"));
		group = fmt_str(row, "group");
		json_object_set_new(port, shown_as(row),
			json_pack("{s:b,s:b,s:b}", "active", fmt_num(row, "active") != 0, "fixed",
				fmt_num(row, "fixed") != 0, "requested",
				fmt_num(row, "requested") != 0));
	}
	return out;
}

/* ---- -K ---- */

static bool is_named(const json_t *row, const char *word)
{
	static const char *const keys[] = {"name", "group", "abbr", "kernel"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(fmt_str(row, keys[i]), word) == 0)
			return true;
	return false;
}

/* Of a port by its name or number. */
static bool is_of(const json_t *row, const char *port)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", fmt_num(row, "port"));
	return strcmp(fmt_str(row, "ifname"), port) == 0 || strcmp(number, port) == 0;
}

/** What became of a feature. */
struct outcome {
	bool on, changed;
	bool asked, wish; /**< it was named, to be switched so */
};

static struct outcome outcome(const json_t *was, const json_t *row, int argc, char **argv)
{
	struct outcome o = {.on = fmt_num(row, "active")};

	o.changed = o.on != (fmt_num(was, "active") != 0);
	for (int i = 1; i + 1 < argc && !fmt_num(row, "fixed"); i += 2)
		if (is_named(row, argv[i])) {
			o.asked = true;
			o.wish = strcmp(argv[i + 1], "on") == 0;
		}
	return o;
}

static bool is_unmet(const struct outcome *o)
{
	return o->asked && o->on != o->wish;
}

static void print_outcome(FILE *out, const json_t *row, const struct outcome *o)
{
	if (!o->changed && !is_unmet(o))
		return;
	fprintf(out, "%s: %s", fmt_str(row, "name"), on_off(o->on));
	if (is_unmet(o))
		fprintf(out, " [requested %s]", on_off(o->wish));
	else if (!o->asked)
		fputs(" [not requested]", out);
	fputc('\n', out);
}

bool fmt_ethtool_changes(
	FILE *out, const json_t *before, const json_t *after, int argc, char **argv)
{
	bool unmet = false, extra = false, changed = false;
	size_t i;
	json_t *row;

	for (int print = 0; print < 2; print++) {
		if (print && !unmet && !extra)
			break;
		if (print)
			fprintf(out, "Actual changes:\n");
		json_array_foreach(after, i, row)
		{
			struct outcome o = outcome(json_array_get(before, i), row, argc, argv);

			if (!is_of(row, argv[0]))
				continue;
			if (print)
				print_outcome(out, row, &o);
			unmet |= is_unmet(&o);
			extra |= o.changed && !o.asked;
			changed |= o.changed;
		}
	}
	return unmet && !changed;
}
