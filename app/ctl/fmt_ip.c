/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <string.h>

/* `ip neigh`, `ip route` and `ip route show cache` of iproute2 6.1, byte for byte. */

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static void print_neigh(const json_t *row, bool stats, FILE *out)
{
	fprintf(out, "%s dev %s ", fmt_str(row, "dst"), fmt_str(row, "dev"));
	if (*fmt_str(row, "lladdr"))
		fprintf(out, "lladdr %s ", fmt_str(row, "lladdr"));
	if (fmt_num(row, "router"))
		fprintf(out, "router ");
	if (stats) /* ip leaves no space before "probes" */
		fprintf(out, " used %lld/%lld/%lldprobes %lld ", fmt_num(row, "used_s"),
			fmt_num(row, "confirmed_s"), fmt_num(row, "updated_s"),
			fmt_num(row, "probes"));
	fprintf(out, "%s \n", fmt_str(row, "state"));
}

void fmt_neigh(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		print_neigh(row, f->opts->stats, f->out);
	}
}

/* A whole address has no length, all of them is "default". */
static void print_dst(const char *dst, FILE *out)
{
	const char *slash = strchr(dst, '/');
	int len = slash ? (int)(slash - dst) : (int)strlen(dst);

	if (slash && strcmp(slash, "/0") == 0)
		fprintf(out, "default ");
	else if (slash && strcmp(slash, is_v6(dst) ? "/128" : "/32") == 0)
		fprintf(out, "%.*s ", len, dst);
	else
		fprintf(out, "%s ", dst);
}

static void print_word(const json_t *row, const char *word, const char *key, FILE *out)
{
	if (*fmt_str(row, key))
		fprintf(out, "%s %s ", word, fmt_str(row, key));
}

static void print_route(const json_t *row, FILE *out)
{
	const char *type = fmt_str(row, "type");
	bool v6 = is_v6(fmt_str(row, "dst")), unicast = strcmp(type, "unicast") == 0;
	bool local = strcmp(type, "local") == 0, link = unicast || strcmp(type, "broadcast") == 0;
	long long metric = fmt_num(row, "metric"), expires = fmt_num(row, "expires_s");

	if (!unicast)
		fprintf(out, "%s ", type);
	print_dst(fmt_str(row, "dst"), out);
	print_word(row, "via", "gateway", out);
	print_word(row, "dev", "dev", out);
	print_word(row, "proto", "proto", out);
	if (!v6 && !*fmt_str(row, "gateway") && (link || local))
		fprintf(out, "scope %s ", local ? "host" : "link");
	print_word(row, "src", "src", out);
	if (metric)
		fprintf(out, "metric %lld ", metric);
	if (expires && expires != 0xffffffff)
		fprintf(out, "expires %lldsec ", expires);
	if (fmt_num(row, "mtu"))
		fprintf(out, "mtu %lld ", fmt_num(row, "mtu"));
	if (v6) /* and here it leaves none at the end */
		fprintf(out, "pref %s", *fmt_str(row, "pref") ? fmt_str(row, "pref") : "medium");
	fputc('\n', out);
}

void fmt_route(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *type = fmt_str(row, "type");

		/* ip's table `local` */
		if (f->opts->zeros ||
			(strcmp(type, "local") != 0 && strcmp(type, "broadcast") != 0))
			print_route(row, f->out);
	}
}

void fmt_cache(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		print_dst(fmt_str(row, "dst"), f->out);
		print_word(row, "via", "gateway", f->out);
		print_word(row, "dev", "dev", f->out);
		fprintf(f->out, "\n    cache %sexpires %lldsec ",
			fmt_num(row, "redirected") ? "<redirected> " : "",
			fmt_num(row, "expires_s"));
		if (fmt_num(row, "mtu"))
			fprintf(f->out, "mtu %lld ", fmt_num(row, "mtu"));
		fputc('\n', f->out);
	}
}
