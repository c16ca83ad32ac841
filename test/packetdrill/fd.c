/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/times.h>

/*
 * To be preloaded into packetdrill, which asks the kernel to close the sockets that a script has
 * left open, and for TCP_INFO, though they are not the kernel's. The adapter, when it is loaded,
 * says here which are its own and what to do with them.
 */

PLX_API struct pd_fd_calls plx_packetdrill_fd_calls;
static const struct pd_fd_calls *const calls = &plx_packetdrill_fd_calls;

static bool is_ours(int fd)
{
	return calls->is_ours && calls->is_ours(fd);
}

PLX_API int close(int fd)
{
	return is_ours(fd) ? calls->close(fd) : (int)syscall(SYS_close, fd);
}

PLX_API int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return is_ours(fd) ? calls->getsockopt(fd, level, name, value, len)
			   : (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

/*
 * And it gets ready for real time, which there is none of here: it locks its memory, wants to be
 * scheduled first, and spins until ten ticks of 10 ms are over. All that would only take time.
 */

PLX_API int mlockall(int flags)
{
	return 0;
}

PLX_API int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	return 0;
}

PLX_API clock_t times(struct tms *buf)
{
	static clock_t ticks;

	return __atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
}
