/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <string.h>

/* `ip neigh`, `ip route` and `ip route show cache` of iproute2 6.1, byte for byte; `ss`, as it does
 * when its output is no terminal. */

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

static void print_end(const json_t *row, const char *address, const char *port, FILE *out)
{
	const char *a = fmt_str(row, address);
	char text[80], number[24];

	snprintf(text, sizeof(text), is_v6(a) ? "[%s]" : "%s", a);
	snprintf(number, sizeof(number), "%lld", fmt_num(row, port));
	fprintf(out, "%20s:%-6s", text, fmt_num(row, port) ? number : "*");
}

static void print_tcp(const json_t *row, bool stats, FILE *out)
{
	fprintf(out, "%-10s %-6lld %-6lld", fmt_str(row, "state"), fmt_num(row, "recv_q"),
		fmt_num(row, "send_q"));
	print_end(row, "local", "local_port", out);
	print_end(row, "dst", "dst_port", out);
	fputc('\n', out);
	if (!stats || !*fmt_str(row, "cc"))
		return;
	fprintf(out, "\t %s rto:%g rtt:%g/%g mss:%lld pmtu:%lld cwnd:%lld", fmt_str(row, "cc"),
		(double)fmt_num(row, "rto_us") / 1000, (double)fmt_num(row, "rtt_us") / 1000,
		(double)fmt_num(row, "rttvar_us") / 1000, fmt_num(row, "mss"), fmt_num(row, "pmtu"),
		fmt_num(row, "cwnd"));
	fprintf(out, " bytes_acked:%lld bytes_received:%lld unacked:%lld retrans:%lld/%lld\n",
		fmt_num(row, "bytes_acked"), fmt_num(row, "bytes_received"),
		fmt_num(row, "unacked"), fmt_num(row, "retrans"), fmt_num(row, "retrans_total"));
}

void fmt_tcp(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	fprintf(f->out, "%-10s %-6s %-6s%20s:%-6s%20s:%-6s\n", "State", "Recv-Q", "Send-Q",
		"Local Address", "Port", "Peer Address", "Port");
	json_array_foreach(rows, i, row)
	{
		print_tcp(row, f->opts->stats, f->out);
	}
}
