/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

static void list_row(FILE *out, const json_t *row)
{
	fprintf(out, "%3lld %-8s %-10s %10lld %10lld %10lld %8lld %8lld %8lld %10lld  %s",
		fmt_num(row, "tap"), fmt_str(row, "state"), fmt_str(row, "hooks"),
		fmt_num(row, "seen"), fmt_num(row, "accepted"), fmt_num(row, "filtered"),
		fmt_num(row, "full"), fmt_num(row, "sampled"), fmt_num(row, "missed"),
		fmt_num(row, "written"), fmt_str(row, "file"));
	if (*fmt_str(row, "filter"))
		fprintf(out, "  %s", fmt_str(row, "filter"));
	fputc('\n', out);
}

/* "cost     4.8% of at most 5%, one packet of 12" */
static void cost(FILE *out, const json_t *row)
{
	double is = (double)fmt_num(row, "cost_ppm") / 1e4;
	double most = (double)fmt_num(row, "max_cost_ppm") / 1e4;

	if (most > 0)
		fprintf(out, "     %-8s %.2f%% of at most %g%%, one packet of %lld\n", "cost", is,
			most, fmt_num(row, "every"));
}

static void stats_row(FILE *out, const json_t *row)
{
	static const char *const words[] = {
		"state", "error", "hooks", "ports", "filter", "file", "last"};
	static const char *const numbers[] = {"seen", "accepted", "filtered", "full", "sampled",
		"missed", "written", "unfit", "bytes", "files"};
	static const char *const recorder[] = {"triggers", "covered", "ignored", "failed", "kept",
		"kept_bytes", "overwritten", "reach_ms"};

	fprintf(out, "tap %lld\n", fmt_num(row, "tap"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (*fmt_str(row, words[i]))
			fprintf(out, "     %-8s %s\n", words[i], fmt_str(row, words[i]));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		fprintf(out, "     %-8s %lld\n", numbers[i], fmt_num(row, numbers[i]));
	cost(out, row);
	for (size_t i = 0; i < sizeof(recorder) / sizeof(recorder[0]); i++)
		if (json_object_get(row, recorder[i]))
			fprintf(out, "     %-11s %lld\n", recorder[i], fmt_num(row, recorder[i]));
}

void fmt_tap(const struct fmt *f, const json_t *rows)
{
	json_t *row;
	size_t i;

	if (!f->opts->stats)
		fprintf(f->out, "%3s %-8s %-10s %10s %10s %10s %8s %8s %8s %10s  %s\n", "tap",
			"state", "hooks", "seen", "accepted", "filtered", "full", "sampled",
			"missed", "written", "file, filter");
	json_array_foreach(rows, i, row)
	{
		if (f->opts->stats)
			stats_row(f->out, row);
		else
			list_row(f->out, row);
	}
}
