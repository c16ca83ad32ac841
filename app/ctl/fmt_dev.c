/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <string.h>

/*
 * `ip -s link` and `ip addr` of iproute2 6.1, byte for byte: see ipaddress.c there for the widths
 * of the columns and the order of the flags.
 */

static void print_flags(const json_t *row, FILE *out)
{
	bool up = fmt_num(row, "up"), running = fmt_num(row, "running");
	const struct {
		const char *name;
		bool on;
	} flag[] = {
		{"NO-CARRIER", up && !running},
		{"LOOPBACK", fmt_num(row, "loopback")},
		{"BROADCAST", !fmt_num(row, "loopback") && !fmt_num(row, "noarp")},
		{"POINTOPOINT", fmt_num(row, "noarp")},
		{"MULTICAST", !fmt_num(row, "loopback")},
		{"NOARP", fmt_num(row, "noarp")},
		{"ALLMULTI", fmt_num(row, "allmulti")},
		{"PROMISC", fmt_num(row, "promisc")},
		{"UP", up},
		{"LOWER_UP", up && running},
	};
	const char *comma = "";

	fputc('<', out);
	for (size_t i = 0; i < sizeof(flag) / sizeof(flag[0]); i++)
		if (flag[i].on) {
			fprintf(out, "%s%s", comma, flag[i].name);
			comma = ",";
		}
	fputc('>', out);
}

static const char *state(const json_t *row)
{
	if (fmt_num(row, "up") && fmt_num(row, "running"))
		return fmt_num(row, "loopback") ? "UNKNOWN" : "UP";
	return "DOWN";
}

/* The two lines that both begin with. */
static void print_head(const json_t *row, bool link, FILE *out)
{
	const char *lower = fmt_str(row, "link");
	long long qlen = fmt_num(row, "qlen");

	fprintf(out, "%lld: %s%s%s: ", fmt_num(row, "ifindex"), fmt_str(row, "ifname"),
		*lower ? "@" : "", lower);
	print_flags(row, out);
	fprintf(out, " mtu %lld qdisc %s state %s %sgroup default", fmt_num(row, "mtu"),
		qlen ? "pfifo" : "noqueue", state(row), link ? "mode DEFAULT " : "");
	if (qlen)
		fprintf(out, " qlen %lld", qlen);
	if (fmt_num(row, "loopback"))
		fprintf(out, "\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
	else if (fmt_num(row, "noarp"))
		fprintf(out, "\n    link/none \n");
	else
		fprintf(out, "\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n", fmt_str(row, "mac"));
}

/** One direction's figures: names and keys of the row. */
struct columns {
	const char *title[6], *key[6];
};

static const struct columns rx = {
	{"bytes", "packets", "errors", "dropped", "missed", "mcast"},
	{"rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_missed_errors", "multicast"},
};
static const struct columns tx = {
	{"bytes", "packets", "errors", "dropped", "carrier", "collsns"},
	{"tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_carrier_errors", "collisions"},
};

/* As wide as the title or the longest figure of either direction. */
static int width(const json_t *row, int column)
{
	static const int least[6] = {10, 7, 6, 7, 7, 7};
	int a = snprintf(NULL, 0, "%lld", fmt_num(row, rx.key[column]));
	int b = snprintf(NULL, 0, "%lld", fmt_num(row, tx.key[column]));
	int n = a > b ? a : b;

	return n > least[column] ? n : least[column];
}

static void print_figures(const json_t *row, const char *title, const struct columns *c, FILE *out)
{
	fprintf(out, "    %s: %*s", title, width(row, 0) - 4, c->title[0]);
	for (int i = 1; i < 6; i++)
		fprintf(out, " %*s", width(row, i), c->title[i]);
	fprintf(out, " %10s\n    ", ""); /* the column of compressed packets */
	for (int i = 0; i < 6; i++) {
		if (c == &rx && i == 5 && !json_object_get(row, c->key[i])) /* nobody counts them */
			fprintf(out, "%*s ", width(row, i), "-");
		else
			fprintf(out, "%*lld ", width(row, i), fmt_num(row, c->key[i]));
	}
	fputc('\n', out);
}

void fmt_dev(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		print_head(row, true, f->out);
		print_figures(row, "RX", &rx, f->out);
		print_figures(row, "TX", &tx, f->out);
	}
}

/* Linux's word for a lifetime that does not end is the largest of 32 bits. */
static void print_life(const json_t *row, const char *title, const char *key, FILE *out)
{
	long long s = fmt_num(row, key);

	if (s == 0xffffffff)
		fprintf(out, " %s forever", title);
	else
		fprintf(out, " %s %lldsec", title, s);
}

static void print_addr(const json_t *row, FILE *out)
{
	const char *brd = fmt_str(row, "broadcast"), *st = fmt_str(row, "state");
	bool failed = strcmp(st, "dadfailed") == 0;
	bool v4 = strcmp(fmt_str(row, "family"), "inet") == 0;

	fprintf(out, "    %s %s/%lld ", fmt_str(row, "family"), fmt_str(row, "local"),
		fmt_num(row, "prefixlen"));
	if (*brd)
		fprintf(out, "brd %s ", brd);
	fprintf(out, "scope %s ", fmt_str(row, "scope"));
	if (fmt_num(row, "secondary"))
		fprintf(out, "secondary ");
	if (failed)
		fprintf(out, "dadfailed ");
	if (fmt_num(row, "preferred_s") == 0)
		fprintf(out, "deprecated ");
	if (failed || strcmp(st, "tentative") == 0)
		fprintf(out, "tentative ");
	if (fmt_num(row, "valid_s") != 0xffffffff)
		fprintf(out, "dynamic ");
	fprintf(out, "%s\n      ", v4 ? fmt_str(row, "ifname") : "");
	print_life(row, "valid_lft", "valid_s", out);
	print_life(row, "preferred_lft", "preferred_s", out);
	fputc('\n', out);
}

/* Rows come by interface, each address with its interface's figures; one without any has one row.
 */
void fmt_addr(const struct fmt *f, const json_t *rows)
{
	long long ifindex = -1;
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (fmt_num(row, "ifindex") != ifindex)
			print_head(row, false, f->out);
		ifindex = fmt_num(row, "ifindex");
		if (*fmt_str(row, "local"))
			print_addr(row, f->out);
	}
}

void fmt_xstats(const struct fmt *f, const json_t *rows)
{
	const char *last = "";
	size_t i, j;
	json_t *row, *name;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(last, fmt_str(row, "ifname")) != 0)
			fprintf(f->out, "NIC statistics%s%s:\n", f->one ? "" : " of ",
				f->one ? "" : fmt_str(row, "ifname"));
		last = fmt_str(row, "ifname");
		json_array_foreach(json_object_get(row, "names"), j, name)
		{
			const json_t *v = json_array_get(json_object_get(row, "values"), j);

			fprintf(f->out, "     %s: %lld\n", json_string_value(name),
				(long long)json_integer_value(v));
		}
	}
}

static void print_list(const json_t *row, const char *key, const char *sep, FILE *out)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(row, key), i, v)
	{
		if (json_is_integer(v))
			fprintf(out, "%s%lld", i ? sep : "", (long long)json_integer_value(v));
		else
			fprintf(out, "%s%s", i ? sep : "", json_string_value(v));
	}
}

static void print_port(const json_t *row, FILE *out)
{
	char link[32], queues[48];
	size_t i;
	json_t *v;

	snprintf(link, sizeof(link), "%s", fmt_str(row, "link"));
	if (strcmp(link, "up") == 0 && fmt_num(row, "mbps"))
		snprintf(link, sizeof(link), "up %lld Mb/s", fmt_num(row, "mbps"));
	snprintf(queues, sizeof(queues), "%lld of %lld", fmt_num(row, "queues"),
		fmt_num(row, "max_queues"));
	fprintf(out, "%-4lld %-16s %-14s %-17s %-14s %-10s ", fmt_num(row, "port"),
		fmt_str(row, "name"), fmt_str(row, "driver"), fmt_str(row, "mac"), link, queues);
	print_list(row, "lcores", ",", out);
	fprintf(out, "\n     features: ");
	print_list(row, "features", " ", out);
	fputc('\n', out);
	if (*fmt_str(row, "software_steering"))
		fprintf(out, "     flows are steered in software: %s\n",
			fmt_str(row, "software_steering"));
	json_array_foreach(json_object_get(row, "quirks"), i, v)
	{
		fprintf(out, "     quirk: %s\n", json_string_value(v));
	}
}

void fmt_ports(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	fprintf(f->out, "%-4s %-16s %-14s %-17s %-14s %-10s %s\n", "port", "name", "driver", "MAC",
		"link", "queues", "lcores");
	json_array_foreach(rows, i, row)
	{
		print_port(row, f->out);
	}
}
