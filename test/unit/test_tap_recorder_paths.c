/* SPDX-License-Identifier: BSD-3-Clause */
#include "recorder_t.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

/* Paths that a recorder cannot write to: what is known at once is refused, as it may be needed in
 * hours; what goes wrong later costs a file, and never the recorder. */

/* One file cannot be written. The next one has what it would have had. */
static void fails(int err, unsigned int num)
{
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(stats().record.failed == num);
	eq(stats().record.err, err);
	eq(stats().err, 0);
	EVENTUALLY(stats().record.state == PLX_TAP_RECORD_ARMED);
}

T(a_directory_that_goes_away)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(10);
	eq(rmdir(dir), 0);
	fails(-ENOENT, 1);
	eq(stats().files, 0);
	eq(mkdir(dir, 0700), 0);
	feed(5);
	by_hand(1);
	ok(read_file(2)); /* nothing is lost */
	eq(file.pkts, 15);
	s = end();
	eq(s.record.failed, 1);
	eq(s.err, 0);
}

T(a_directory_in_which_nothing_can_be_made)
{
	start();
	begin((struct plx_tap_writer_conf){.file = "/proc/a.pcapng"});
	feed(10);
	fails(-ENOENT, 1);
	fails(-ENOENT, 2);
	eq(stats().files, 0);
	eq(end().record.failed, 2);
}

/* What was begun of a file ends with a whole block. What it was to have is not in the next one. */
T(a_disk_that_is_full)
{
	struct rlimit was, few = {.rlim_cur = 20001};

	start();
	signal(SIGXFSZ, SIG_IGN);
	eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	few.rlim_max = was.rlim_max;
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(600);
	eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	fails(-EFBIG, 1);
	eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ok(read_file(1));
	ok(file.pkts > 100 && file.pkts < 200);
	eq(file.first, 0);
	feed(10);
	by_hand(2);
	ok(read_file(2));
	eq(file.last, 609);
	eq(end().record.failed, 1);
}

#define PLACES 60 /* names of a file with a number: of this second, and of those to come */

/* Where the next file would be there is something. */
static void at_the_places(uint32_t num, void (*make)(const char *name))
{
	time_t now = time(NULL);

	for (time_t t = now; t < now + PLACES; t++) {
		char name[400];
		struct tm tm;

		localtime_r(&t, &tm);
		eq(plx_pcapng_rotate_name(name, sizeof(name), path, num, &tm), 0);
		make(name);
	}
}

#define OLD 30000 /* bytes */

static void make_old(const char *name)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fclose(f);
	eq(truncate(name, OLD), 0);
}

static void make_link(const char *name)
{
	char to[sizeof(dir) + 8];

	snprintf(to, sizeof(to), "%s/to", dir);
	eq(symlink(to, name), 0);
}

static void make_dir(const char *name)
{
	eq(mkdir(name, 0700), 0);
}

static char newest[400];

static void find_new(const char *name)
{
	struct stat st;

	eq(stat(name, &st), 0);
	if (st.st_size == OLD)
		return;
	str_eq(newest, "");
	snprintf(newest, sizeof(newest), "%s", name);
}

/* Of the same name, as of a run before: the old content is gone. */
T(files_that_are_there)
{
	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(10);
	at_the_places(1, make_old);
	by_hand(1);
	end();
	newest[0] = '\0';
	eq(for_each_file(find_new), PLACES);
	memset(&file, 0, sizeof(file));
	parse_file(newest, on_item);
	eq(file.pkts, 10);
}

/* They are followed, as by any program: what they lead to is made, or its old content gone. */
T(links)
{
	char to[sizeof(dir) + 8];

	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(10);
	at_the_places(1, make_link);
	by_hand(1);
	end();
	snprintf(to, sizeof(to), "%s/to", dir);
	memset(&file, 0, sizeof(file));
	parse_file(to, on_item);
	eq(file.pkts, 10);
}

T(directories_of_the_files_names)
{
	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(10);
	at_the_places(1, make_dir);
	fails(-EISDIR, 1);
	feed(5);
	by_hand(1);
	ok(read_file(2));
	eq(file.pkts, 15);
	end();
}

/* The longest name that a file system takes, with a number and a time behind it. */
T(names_that_are_too_long)
{
	char name[PATH_MAX + 1], *at;
	const size_t more = sizeof("_4294967295_20261129154500") - 1;

	start();
	at = name + snprintf(name, sizeof(name), "%s/", dir);
	memset(at, 'x', NAME_MAX);
	at[NAME_MAX - more + 1] = '\0';
	refuse((struct plx_tap_writer_conf){.file = name}, "too long");
	at[NAME_MAX - more] = '\0';
	begin((struct plx_tap_writer_conf){.file = name});
	feed(10);
	by_hand(1);
	eq(end().record.failed, 0);
	memset(name, '/', sizeof(name)); /* of a file at the root, once all is said */
	memcpy(name + PATH_MAX - 10, "x", 2);
	refuse((struct plx_tap_writer_conf){.file = name}, "too long");
}

T(what_is_no_place_for_files)
{
	char below[sizeof(path) + 2];
	FILE *f;

	start();
	refuse((struct plx_tap_writer_conf){.file = "/nowhere/a"}, "No such file");
	refuse((struct plx_tap_writer_conf){.file = "-"}, "Invalid");
	refuse((struct plx_tap_writer_conf){.file = "/tmp/"}, "Invalid");
	refuse((struct plx_tap_writer_conf){.file = ""}, "Invalid");
	f = fopen(path, "w"); /* a file is no directory, be it one that could be run */
	assert_non_null(f);
	fclose(f);
	eq(chmod(path, 0700), 0);
	snprintf(below, sizeof(below), "%s/a", path);
	refuse((struct plx_tap_writer_conf){.file = below}, "Not a directory");
}

RUN_EAL(FILE_(a_directory_that_goes_away), FILE_(a_directory_in_which_nothing_can_be_made),
	FILE_(a_disk_that_is_full), FILE_(files_that_are_there), FILE_(links),
	FILE_(directories_of_the_files_names), FILE_(names_that_are_too_long),
	FILE_(what_is_no_place_for_files))
