/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Huge pages: used if present, never required. EAL wants them unless it is told otherwise, and
 * gives up where there are none; so it is told. Who says anything about them decides alone.
 */

#define MIB   (UINT64_C(1) << 20)
#define LEAST 64 /* MiB: fewer are as good as none; what EAL takes without huge pages */

/* Is an option of EAL's given? As getopt_long() reads it: "--no-hu" and "--no-huge=1", too. */
static bool given(const struct app *app, const char *option)
{
	for (int i = 0; i < app->eal_argc; i++) {
		const char *arg = app->eal_argv[i];
		size_t n = strcspn(arg, "=");

		if (n > 4 && strncmp(arg, option, n) == 0)
			return true;
	}
	return false;
}

static bool decided(const struct app *app)
{
	static const char *const options[] = {"--no-huge", "--in-memory", "--huge-dir",
		"--huge-unlink", "--huge-worker-stack", "--socket-mem", "--socket-limit",
		"--legacy-mem", "--single-file-segments", "--match-allocations", "--proc-type"};

	for (size_t i = 0; i < PLX_DIM(options); i++)
		if (given(app, options[i]))
			return true;
	return false;
}

/* What -m says, NULL if it is not given. */
static const char *memory_text(const struct app *app)
{
	for (int i = 0; i < app->eal_argc; i++) {
		const char *arg = app->eal_argv[i];

		if (strncmp(arg, "-m", 2) == 0)
			return arg[2] || i + 1 == app->eal_argc ? arg + 2 : app->eal_argv[i + 1];
	}
	return NULL;
}

int huge_check(const struct app *app, struct plx_error *e)
{
	const char *text = memory_text(app);
	uint32_t mib;

	/* EAL takes what is no number for none. */
	if (!text || opt_u32(text, 1, UINT32_MAX, &mib))
		return 0;
	return plx_error_set(e, -EINVAL, PLX_ERR_EAL_OPTION, "-m takes a number of MiB");
}

static uint64_t pages(uint64_t page_bytes, const char *what)
{
	char path[128];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
		page_bytes / 1024, what);
	f = fopen(path, "r");
	if (f && fscanf(f, "%" SCNu64, &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* What EAL would find: free pages, and those that the kernel would make, of a mounted size. */
static uint64_t free_bytes(void)
{
	struct mntent *m;
	uint64_t most = 0;
	FILE *f = setmntent("/proc/mounts", "r");

	while (f && (m = getmntent(f))) {
		struct statfs fs;
		uint64_t size, n, held, over;

		if (strcmp(m->mnt_type, "hugetlbfs") != 0 || statfs(m->mnt_dir, &fs) != 0 ||
			access(m->mnt_dir, W_OK | X_OK) != 0)
			continue;
		size = (uint64_t)fs.f_bsize;
		n = pages(size, "free_hugepages");
		held = pages(size, "resv_hugepages");
		over = pages(size, "nr_overcommit_hugepages");
		n -= PLX_MIN(n, held);
		held = pages(size, "surplus_hugepages");
		n += over - PLX_MIN(over, held);
		most = PLX_MAX(most, n * size);
	}
	if (f)
		endmntent(f);
	return most;
}

int huge_args(const struct app *app, char *arg[static HUGE_ARGS], char *note, size_t size)
{
	static const char *const none[HUGE_ARGS] = {"--no-huge", "-m", "512"};
	const char *text = memory_text(app);
	uint64_t wanted = text ? strtoull(text, NULL, 10) : 0, free;
	int n;

	if (decided(app))
		return 0;
	free = free_bytes();
	if (free >= PLX_MAX(wanted, (uint64_t)LEAST) * MIB)
		return 0;
	n = wanted ? 1 : HUGE_ARGS;
	for (int i = 0; i < n; i++)
		arg[i] = (char *)(uintptr_t)none[i];
	snprintf(note, size,
		"%" PRIu64 " MiB of huge pages are free, too few: EAL is told --no-huge%s",
		free / MIB, wanted ? "" : " -m 512");
	return n;
}

/* A file in use is locked by who uses it. */
static void remove_unused(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(dir, name, 0);
	close(fd);
}

/* EAL's files are named PREFIXmap_N. */
static void remove_maps(const char *dir, const char *prefix)
{
	size_t n = strlen(prefix);
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)))
		if (strncmp(entry->d_name, prefix, n) == 0 &&
			strncmp(entry->d_name + n, "map_", 4) == 0)
			remove_unused(dirfd(d), entry->d_name);
	if (d)
		closedir(d);
}

void huge_clean(const struct app *app, const char *prefix)
{
	struct mntent *m;
	FILE *f = given(app, "--huge-unlink") ? NULL : setmntent("/proc/mounts", "r");

	while (f && (m = getmntent(f)))
		if (strcmp(m->mnt_type, "hugetlbfs") == 0)
			remove_maps(m->mnt_dir, prefix);
	if (f)
		endmntent(f);
}
