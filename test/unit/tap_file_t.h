/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What taps write: a directory of each test's own, and what the files in it hold. FILE_() leaves
 * nothing of it.
 */
#include "tap_t.h"

#include <dirent.h>

#include <plx_tap_writer.h>

static char dir[64], path[128]; /* path: of a file in it */

static inline void start_files(void)
{
	start_taps();
	snprintf(dir, sizeof(dir), "/tmp/plx-tap-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.pcapng", dir);
}

/** Lcores have let go of it, the file is closed. @param s may be NULL. @return its error. */
static inline int stop_writer(struct plx_tap_writer *w, struct plx_tap_writer_stats *s)
{
	detach_tap(plx_tap_writer_tap(w));
	return plx_tap_writer_stop(w, s);
}

/** All that is in a file, which has to be whole. */
static inline void parse_file(const char *name,
	void (*on_item)(enum plx_pcapng_kind kind, const struct plx_pcapng_item *it))
{
	static uint8_t buf[1u << 22];
	struct plx_pcapng_clock ifaces[40];
	struct plx_pcapng_reader r;
	struct plx_pcapng_error err;
	struct plx_pcapng_item it;
	enum plx_pcapng_kind kind;
	size_t have, at = 0;
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	have = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	plx_pcapng_reader_init(&r, ifaces, PLX_DIM(ifaces));
	while ((kind = plx_pcapng_next(&r, buf + at, have - at, &it)) != PLX_PCAPNG_MORE) {
		on_item(kind, &it);
		at += it.used;
	}
	eq(plx_pcapng_end(&r, have - at, &err), 0); /* no half block */
}

/** A text of it, cut to what there is room for. */
static inline void take_text(char *to, size_t room, struct plx_pcapng_text t)
{
	snprintf(to, room, "%.*s", (int)t.len, t.p ? t.p : "");
}

/** Calls fn with each file of the directory. @return how many. */
static inline unsigned int for_each_file(void (*fn)(const char *name))
{
	DIR *list = opendir(dir);
	unsigned int n = 0;
	struct dirent *d;

	while ((d = readdir(list))) {
		char name[400];

		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, d->d_name);
		fn(name);
		n++;
	}
	closedir(list);
	return n;
}

static inline int after_files(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (dir[0] && system(command) != 0)
		return -1;
	dir[0] = '\0';
	return after_taps(state);
}

#define FILE_(name) cmocka_unit_test_teardown(name, after_files)
