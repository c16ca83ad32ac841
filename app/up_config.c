/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>

#include <ini.h>

/*
 * The file of --config: the command line's items as an INI file. A section [if PORT] or [if
 * PORT.VLAN] has the keys of --if; [up] has route, sysctl, rps, udp-echo, udp-sink, tcp-echo,
 * tcp-sink and tcp-source, each as often as needed; [resolver] what up_resolver.c says.
 */

struct reader {
	struct up_plan *plan;
	struct plx_error *e;
	const char *path;
	FILE *file;
	unsigned int at, opened;      /* lines: the last one read, a section's without keys yet */
	char section[80], item[1024]; /* the --if item that the lines of a section add up to */
	int err;
};

static int fault(struct reader *r, unsigned int at, const char *why)
{
	return plx_error_set(r->e, -EINVAL, PLX_ERR_CONFIG_LINE, r->path, at, why);
}

/* An item's own error: where it stands goes in front. */
static void locate(const struct reader *r)
{
	char text[sizeof(r->e->text)];

	snprintf(text, sizeof(text), "%s", r->e->text);
	snprintf(r->e->text, sizeof(r->e->text), "%.240s:%u: %.*s", r->path, r->at,
		(int)sizeof(r->e->text) - 256, text);
}

static int flush_if(struct reader *r)
{
	int err = 0;

	if (r->item[0])
		err = up_parse_if(r->plan, r->item, r->e);
	r->item[0] = '\0';
	return err;
}

static void begin_if(struct reader *r, const char *section)
{
	const char *name = section + 3;
	char port[UP_PORT_NAMELEN];
	const char *dot = strrchr(name, '.');

	if (dot && (size_t)(dot - name) < sizeof(port))
		snprintf(
			r->item, sizeof(r->item), "%.*s,vlan=%s", (int)(dot - name), name, dot + 1);
	else
		snprintf(r->item, sizeof(r->item), "%s", name);
}

/* One more key. The item is parsed as far as it goes, so that an error is told with its own line.
 */
static int if_line(struct reader *r, const char *key, const char *value)
{
	size_t n = strlen(r->item);
	int err;

	if (n + strlen(key) + strlen(value) + 3 > sizeof(r->item))
		return fault(r, r->at, "the section is too long");
	snprintf(r->item + n, sizeof(r->item) - n, ",%s=%s", key, value);
	err = up_parse_if(r->plan, r->item, r->e);
	if (err)
		locate(r);
	else
		r->plan->n_if--; /* only tried: flush_if() keeps it */
	return err;
}

/* @return the kind of a service by its key, or -1. */
static int kind_of(const char *key)
{
	for (int k = 0; k < UP_KINDS; k++)
		if (strcmp(key, up_kind_name[k]) == 0)
			return k;
	return -1;
}

static int up_line(struct reader *r, const char *key, const char *value)
{
	int err, kind = kind_of(key);

	if (strcmp(key, "route") == 0)
		err = up_parse_route(r->plan, value, r->e);
	else if (strcmp(key, "sysctl") == 0)
		err = up_parse_sysctl(r->plan, value, r->e);
	else if (strcmp(key, "rps") == 0)
		err = up_parse_rps(r->plan, value, r->e);
	else if (kind >= 0)
		err = up_parse_service(r->plan, (enum up_kind)kind, value, r->e);
	else
		return fault(r, r->at,
			"unknown key in [up]: there are route, sysctl, rps, udp-echo, udp-sink, "
			"tcp-echo, tcp-sink and tcp-source");
	if (err)
		locate(r);
	return err;
}

static int resolver_line(struct reader *r, const char *key, const char *value)
{
	int err;

	if (!up_resolver_has(key))
		return fault(r, r->at,
			"unknown key in [resolver]: there are nameserver, search, resolv-conf and "
			"hosts");
	err = up_resolver_key(r->plan, key, value, r->e);
	if (err)
		locate(r);
	return err;
}

/* inih's callback. @return 1 = go on. */
static int line(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;
	bool is_if = strncmp(section, "if ", 3) == 0;

	if (r->err)
		return 0;
	if (r->opened || strcmp(section, r->section) != 0) { /* its first key */
		r->opened = 0;
		snprintf(r->section, sizeof(r->section), "%s", section);
		r->err = flush_if(r);
		if (is_if)
			begin_if(r, section);
	}
	if (!r->err && is_if)
		r->err = if_line(r, key, value);
	else if (!r->err && strcmp(section, "up") == 0)
		r->err = up_line(r, key, value);
	else if (!r->err && strcmp(section, "resolver") == 0)
		r->err = resolver_line(r, key, value);
	else if (!r->err)
		r->err = fault(r, r->at,
			"unknown section: there are [up], [resolver] and [if PORT] or [if "
			"PORT.VLAN]");
	return r->err == 0;
}

/* inih's source of lines, which sees what inih does not tell: where we are, sections without keys,
 * lines that it would cut. */
static char *next_line(char *text, int size, void *arg)
{
	struct reader *r = arg;

	if (r->err || !fgets(text, size, r->file))
		return NULL;
	r->at++;
	if (!strchr(text, '\n') && !feof(r->file)) {
		r->err = fault(r, r->at, "the line is too long");
		return NULL;
	}
	if (text[strspn(text, "\xef\xbb\xbf")] == '[') {
		if (r->opened)
			r->err = fault(r, r->opened, "a section without keys");
		r->opened = r->at;
	}
	return r->err ? NULL : text;
}

int up_config_parse(FILE *f, const char *path, struct up_plan *plan, struct plx_error *e)
{
	struct reader r = {.plan = plan, .e = e, .path = path, .file = f};
	int odd = ini_parse_stream(next_line, &r, line, &r); /* the first line refused, by us too */

	if (odd && (!r.err || (unsigned int)odd < r.at))
		r.err = fault(&r, (unsigned int)odd, "neither [section] nor key = value");
	else if (!r.err && ferror(r.file))
		r.err = plx_error_set(e, -EIO, PLX_ERR_CONFIG_FILE, path, strerror(errno));
	else if (!r.err && r.opened)
		r.err = fault(&r, r.opened, "a section without keys");
	else if (!r.err)
		r.err = flush_if(&r);
	return r.err;
}

int up_config_read(const char *path, struct up_plan *plan, struct plx_error *e)
{
	FILE *f = fopen(path, "r");
	int err;

	if (!f)
		return plx_error_set(e, -errno, PLX_ERR_CONFIG_FILE, path, strerror(errno));
	err = up_config_parse(f, path, plan, e);
	fclose(f);
	return err;
}
