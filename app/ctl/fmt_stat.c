/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <string.h>

/* Events a second since the rows before, or 0 without those. Rows keep their places. */
static double rate(const struct fmt *f, size_t i, const char *key, const json_t *row)
{
	const json_t *was = json_array_get(f->before, i);

	if (!was || f->seconds <= 0)
		return 0;
	return (double)(fmt_num(row, key) - fmt_num(was, key)) / f->seconds;
}

void fmt_snmp(const struct fmt *f, const json_t *rows)
{
	char name[64];
	size_t i;
	json_t *row;

	fprintf(f->out, "#pollux\n");
	json_array_foreach(rows, i, row)
	{
		snprintf(name, sizeof(name), "%s%s", fmt_str(row, "group"), fmt_str(row, "name"));
		if (fmt_num(row, "value") || f->opts->zeros)
			fprintf(f->out, "%-32s%-16lld%6.1f\n", name, fmt_num(row, "value"),
				rate(f, i, "value", row));
	}
}

void fmt_drops(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	fprintf(f->out, "%-22s %-7s %14s %10s  %s\n", "reason", "layer", "packets", "/s",
		"meaning");
	json_array_foreach(rows, i, row)
	{
		if (fmt_num(row, "count") || f->opts->zeros)
			fprintf(f->out, "%-22s %-7s %14lld %10.1f  %s\n", fmt_str(row, "reason"),
				fmt_str(row, "layer"), fmt_num(row, "count"),
				rate(f, i, "count", row), fmt_str(row, "text"));
	}
}

/* The 15 columns of the file; NULL: Linux writes a 0. */
static const char *const softnet_columns[] = {"processed", "dropped", "time_squeeze", NULL, NULL,
	NULL, NULL, NULL, "cpu_collision", "received_rps", "flow_limit_count", "backlog_len", "cpu",
	"input_qlen", "process_qlen"};

#define COLUMNS (sizeof(softnet_columns) / sizeof(softnet_columns[0]))

void fmt_softnet(const struct fmt *f, const json_t *rows)
{
	size_t i, c;
	json_t *row;

	for (c = 0; c < COLUMNS && !f->opts->raw; c++)
		if (softnet_columns[c])
			fprintf(f->out, "%s%*s", c ? " " : "", c ? 0 : 16, softnet_columns[c]);
	if (!f->opts->raw)
		fputc('\n', f->out);
	json_array_foreach(rows, i, row)
	{
		for (c = 0; c < COLUMNS; c++) {
			const char *name = softnet_columns[c];
			long long v = name ? fmt_num(row, name) : 0;

			if (f->opts->raw) /* the file's columns have 32 bits */
				fprintf(f->out, "%s%08x", c ? " " : "", (unsigned int)v);
			else if (name)
				fprintf(f->out, "%s%*lld", c ? " " : "", c ? (int)strlen(name) : 16,
					v);
		}
		fputc('\n', f->out);
	}
}

void fmt_sysctl(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *unit = fmt_str(row, "unit");

		if (f->opts->stats)
			fprintf(f->out, "# %s; default %lld, %lld..%lld%s%s%s\n",
				fmt_str(row, "text"), fmt_num(row, "default"), fmt_num(row, "min"),
				fmt_num(row, "max"), *unit ? " " : "", unit,
				*fmt_str(row, "when") ? "; read at start only" : "");
		fprintf(f->out, "%s = %lld\n", fmt_str(row, "name"), fmt_num(row, "value"));
	}
}

/* A row's figure, less what it was in the rows before. */
static double since(const struct fmt *f, size_t i, const char *key, const json_t *row)
{
	return (double)(fmt_num(row, key) - fmt_num(json_array_get(f->before, i), key));
}

/** What a log2 histogram of durations says; bucket b holds less than 2^b us. */
struct quantiles {
	long long n, p50_us, p99_us, max_us;
};

static long long bucket(const json_t *row, const char *key, size_t b)
{
	return json_integer_value(json_array_get(json_object_get(row, key), b));
}

static long long at_most(long long v, long long max)
{
	return max && v > max ? max : v;
}

static struct quantiles quantiles(const json_t *row, const char *key, const char *max_key)
{
	struct quantiles q = {.max_us = fmt_num(row, max_key) / 1000};
	size_t n = json_array_size(json_object_get(row, key));
	long long seen = 0;

	for (size_t b = 0; b < n; b++)
		q.n += bucket(row, key, b);
	for (size_t b = 0; b < n; b++) {
		seen += bucket(row, key, b);
		if (q.n && !q.p50_us && seen * 2 >= q.n)
			q.p50_us = at_most(1ll << b, q.max_us);
		if (q.n && !q.p99_us && seen * 100 >= q.n * 99)
			q.p99_us = at_most(1ll << b, q.max_us);
	}
	return q;
}

static void print_hist(const json_t *row, const char *title, const char *key, FILE *out)
{
	size_t n = json_array_size(json_object_get(row, key));
	long long most = 0;

	for (size_t b = 0; b < n; b++)
		most = bucket(row, key, b) > most ? bucket(row, key, b) : most;
	if (!most)
		return;
	fprintf(out, "lcore %lld, %s:\n", fmt_num(row, "lcore"), title);
	for (size_t b = 0; b < n; b++) {
		long long v = bucket(row, key, b);

		if (v)
			fprintf(out, "  < %7lld us %12lld %.*s\n", 1ll << b, v,
				(int)(1 + v * 39 / most),
				"########################################");
	}
}

static void print_idle(const struct fmt *f, size_t i, const json_t *row)
{
	static const char *const states[] = {
		"busy_ns", "spin_ns", "pause_ns", "sleep_ns", "backoff_ns"};
	struct quantiles slept = quantiles(row, "slept", "slept_max_ns");
	struct quantiles late = quantiles(row, "latency", "latency_max_ns");
	double all = 0;

	for (size_t s = 0; s < 5; s++)
		all += since(f, i, states[s], row);
	fprintf(f->out, "%5lld %-7s", fmt_num(row, "lcore"), fmt_str(row, "policy"));
	for (size_t s = 0; s < 5; s++)
		fprintf(f->out, " %6.1f%%", all > 0 ? 100 * since(f, i, states[s], row) / all : 0);
	fprintf(f->out, " %10lld %8lld/%lld/%lld", slept.n, slept.p50_us, slept.p99_us,
		slept.max_us);
	fprintf(f->out, " %8lld/%lld/%lld\n", late.p50_us, late.p99_us, late.max_us);
}

/* Shares of the time: since the start, or under --watch since the last look. */
void fmt_idle(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	fprintf(f->out, "lcore policy     busy    spin   pause   sleep backoff     sleeps  "
			"slept us: p50/p99/max  late us: p50/p99/max\n");
	json_array_foreach(rows, i, row)
	{
		print_idle(f, i, row);
	}
	json_array_foreach(rows, i, row)
	{
		if (!f->opts->stats)
			break;
		print_hist(row, "length of sleeps", "slept", f->out);
		print_hist(row, "time from a wake-up until it runs", "latency", f->out);
	}
}
