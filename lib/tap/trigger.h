/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Has something happened? A trigger is shown each lcore's count of what it is about, again and
 * again. Pure: no clock, no counter is read. For one thread.
 */
#include "plx_tap_record.h"

#define TRIGGER_LCORES	64
#define TRIGGER_SAMPLES 64

/* How many there were at a time. */
struct trigger_sample {
	plx_ns ns;
	uint64_t n;
};

struct trigger {
	uint64_t over;
	plx_ns within_ns; /* 0: whatever comes happens */
	uint16_t lcores;
	uint64_t seen[TRIGGER_LCORES];
	uint32_t first, n; /* of sample[], a ring */
	struct trigger_sample sample[TRIGGER_SAMPLES];
};

/* What has happened. */
struct trigger_event {
	uint64_t n;
	uint16_t lcore; /* the index of the one that had most of it since the last look */
};

/** @param count of each lcore, from which on it counts. */
void trigger__init(struct trigger *t, const struct plx_tap_trigger *conf, const uint64_t *count,
	uint16_t lcores, plx_ns now);
/**
 * @param count of each lcore; does not fall.
 * @return true: it has, with *e filled; from then on it counts anew.
 */
bool trigger__look(struct trigger *t, const uint64_t *count, plx_ns now, struct trigger_event *e);
