/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The benchmarks that run in a process of their own, by name:
 *
 *   bench capture|echo|steer|steer_lcores|tcp_bulk [ARGUMENT]...
 *
 * NAME.c says what each measures, and takes.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include <plx_base.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} benches[] = {
	{"capture", bench_capture},
	{"echo", bench_echo},
	{"steer", bench_steer},
	{"steer_lcores", bench_steer_lcores},
	{"tcp_bulk", bench_tcp_bulk},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < PLX_DIM(benches); i++)
		if (strcmp(argv[1], benches[i].name) == 0)
			return benches[i].run(argc - 1, argv + 1);
	fprintf(stderr, "usage: bench NAME [ARGUMENT]..., where NAME is one of:");
	for (size_t i = 0; i < PLX_DIM(benches); i++)
		fprintf(stderr, " %s", benches[i].name);
	fprintf(stderr, "\n");
	return 2;
}
