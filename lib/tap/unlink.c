/* SPDX-License-Identifier: BSD-3-Clause */
#include "out.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * To give back what a large file has taken keeps a file system busy for longer than rings last: 11
 * ms for 64 MiB of a tmpfs, where a ring of 4 MiB holds 8 ms of 5 million packets a second. So its
 * name goes at once, and all that is behind it by a thread that is as nice as can be: it has what
 * the writer leaves of their CPUs. There is one at a time; who deletes faster waits for it.
 */

#define LARGE (8 << 20) /* bytes */

static void *let_go(void *arg)
{
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	close((int)(intptr_t)arg);
	return NULL;
}

void tap__unlink_wait(struct tap_unlink *u)
{
	if (u->busy)
		pthread_join(u->thread, NULL);
	u->busy = false;
}

/* @return a descriptor of a large file, whose bytes stay as long as it is open; else -1. */
static int hold(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= LARGE))
		return fd;
	close(fd);
	return -1;
}

void tap__unlink(struct tap_unlink *u, const char *path)
{
	int fd = hold(path);

	unlink(path);
	if (fd < 0)
		return;
	tap__unlink_wait(u);
	u->busy = pthread_create(&u->thread, NULL, let_go, (void *)(intptr_t)fd) == 0;
	if (!u->busy)
		close(fd);
}
