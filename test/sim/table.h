/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Tables of what the simulator measures, held against golden files: a change of behaviour shows as
 * a difference of lines. PLX_GOLDEN=write writes them anew.
 */
#include "sim.h"

#include <stdio.h>

struct table {
	FILE *f;
	char *text;
	size_t len;
};

void table_open(struct table *t, const char *title);
/** Compare with test/sim/golden/NAME.txt. @return whether it is the same. */
bool table_close(struct table *t, const char *name);

/** One connection that sends for so long; what came of it. */
struct bulk {
	const char *there, *back; /* links, as plx_impair_conf_parse() reads them */
	plx_ns time;
	uint64_t bytes; /* 0 = as many as go */
	uint64_t seed;
	bool reno, no_sack, no_ts, no_undo;
};
struct bulk_result {
	double mbps;	/* goodput */
	double seconds; /* until all was there, if bytes was given */
	uint64_t retrans, rtos, undos, needless, probes;
	uint64_t max_queue;
	double srtt_ms;
	const char *broken;
};
void bulk_run(const struct bulk *b, struct bulk_result *r);
