/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* fcntl(2), ioctl(2), and the signals that they ask for. */

static void set_flag(struct sock_file *f, uint32_t flag, bool on)
{
	if (on)
		f->flags |= flag;
	else
		f->flags &= ~flag;
}

/* ---- who gets SIGIO ---- */

/* @param type F_OWNER_*, or -1: by the number's sign. */
static long set_owner(struct sock_lcore *sl, struct sock_file *f, int type, int pid)
{
	struct sock_cold *cold;

	if (pid == INT32_MIN || type > F_OWNER_PGRP)
		return -EINVAL;
	if (pid && type != F_OWNER_TID && kill(type == F_OWNER_PGRP ? -pid : pid, 0) != 0 &&
		errno == ESRCH)
		return -ESRCH;
	cold = sock__cold(sl, f);
	if (!cold)
		return -ENOMEM;
	cold->owner_pid = pid;
	cold->owner_type = type + 1;
	return 0;
}

static int owner_type(const struct sock_cold *cold)
{
	if (cold->owner_type)
		return cold->owner_type - 1;
	return cold->owner_pid < 0 ? F_OWNER_PGRP : F_OWNER_PID;
}

/* fcntl() has a group's number negative, F_SETOWN_EX has not. */
static long get_owner(const struct sock_file *f)
{
	const struct sock_cold *cold = f->cold;

	if (!cold)
		return 0;
	return cold->owner_type - 1 == F_OWNER_PGRP ? -cold->owner_pid : cold->owner_pid;
}

static long set_owner_ex(struct sock_lcore *sl, struct sock_file *f, const void *arg)
{
	struct f_owner_ex ex;

	if (!arg)
		return -EFAULT;
	memcpy(&ex, arg, sizeof(ex));
	if (ex.type != F_OWNER_TID && ex.type != F_OWNER_PID && ex.type != F_OWNER_PGRP)
		return -EINVAL;
	return set_owner(sl, f, (int)ex.type, ex.pid);
}

static long get_owner_ex(const struct sock_file *f, void *arg)
{
	struct f_owner_ex ex = {.type = F_OWNER_PID};

	if (!arg)
		return -EFAULT;
	if (f->cold) {
		ex.type = (__typeof__(ex.type))owner_type(f->cold);
		ex.pid = abs(f->cold->owner_pid);
	}
	memcpy(arg, &ex, sizeof(ex));
	return 0;
}

static long set_sig(struct sock_lcore *sl, struct sock_file *f, long sig)
{
	struct sock_cold *cold;

	if (sig < 0 || sig > SIGRTMAX)
		return -EINVAL;
	cold = sock__cold(sl, f);
	if (!cold)
		return -ENOMEM;
	cold->sig = (int32_t)sig;
	return 0;
}

/* Linux's band_table: si_code, and the poll events that it stands for. */
static void describe(const struct sock_file *f, uint32_t key, siginfo_t *info)
{
	if (key & EPOLLERR) {
		info->si_code = POLL_ERR;
		info->si_band = POLLERR;
	} else if (key & EPOLLIN || (!key && (f->flags & SOCKF_BOTH_SHUT) != SOCKF_BOTH_SHUT)) {
		info->si_code = POLL_IN;
		info->si_band = POLLIN | POLLRDNORM;
	} else if (key & EPOLLOUT) {
		info->si_code = POLL_OUT;
		info->si_band = POLLOUT | POLLWRNORM | POLLWRBAND;
	} else if (key & EPOLLPRI) {
		info->si_code = POLL_PRI;
		info->si_band = POLLPRI | POLLRDBAND;
	} else {
		info->si_code = POLL_HUP;
		info->si_band = POLLHUP | POLLERR;
	}
}

/* The kernel lets a process say so much to itself alone. */
static bool tell_all(const struct sock_file *f, const struct sock_cold *cold, uint32_t key)
{
	siginfo_t info = {.si_signo = cold->sig};
	pid_t self = getpid();

	if (!cold->sig || cold->owner_pid <= 0)
		return false;
	info.si_fd = sock__fd_of(f);
	describe(f, key, &info);
	if (owner_type(cold) == F_OWNER_TID)
		return syscall(SYS_rt_tgsigqueueinfo, self, cold->owner_pid, cold->sig, &info) == 0;
	return cold->owner_pid == self && owner_type(cold) == F_OWNER_PID &&
	       syscall(SYS_rt_sigqueueinfo, self, cold->sig, &info) == 0;
}

void sock__sigio(struct sock_lcore *sl, struct sock_file *f, uint32_t key)
{
	const struct sock_cold *cold = f->cold;
	int sig;

	if (!cold || !cold->owner_pid || !sock__is(f, SOCKF_ASYNC) || tell_all(f, cold, key))
		return;
	sig = cold->sig ? cold->sig : SIGIO;
	if (owner_type(cold) == F_OWNER_TID)
		syscall(SYS_tgkill, getpid(), cold->owner_pid, sig);
	else
		kill((pid_t)(owner_type(cold) == F_OWNER_PGRP ? -abs(cold->owner_pid)
							      : cold->owner_pid),
			sig);
}

/* ---- fcntl(2) ---- */

static long get_flags(const struct sock_file *f)
{
	return O_RDWR | (sock__is(f, SOCKF_NONBLOCK) ? O_NONBLOCK : 0) |
	       (sock__is(f, SOCKF_ASYNC) ? O_ASYNC : 0);
}

long sock__fcntl(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	switch (op->flags) {
	case F_GETFL:
		return get_flags(f);
	case F_SETFL: /* the others are for files, and ignored */
		set_flag(f, SOCKF_NONBLOCK, op->arg_long & O_NONBLOCK);
		set_flag(f, SOCKF_ASYNC, op->arg_long & O_ASYNC);
		return 0;
	case F_GETFD:
		return sock__is(f, SOCKF_CLOEXEC) ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_flag(f, SOCKF_CLOEXEC, op->arg_long & FD_CLOEXEC);
		return 0;
	case F_SETOWN:
		return set_owner(sl, f, -1, (int)op->arg_long);
	case F_GETOWN:
		return get_owner(f);
	case F_SETOWN_EX:
		return set_owner_ex(sl, f, (const void *)op->arg_long);
	case F_GETOWN_EX:
		return get_owner_ex(f, (void *)op->arg_long);
	case F_SETSIG:
		return set_sig(sl, f, op->arg_long);
	case F_GETSIG:
		return f->cold ? f->cold->sig : 0;
	default: /* F_DUPFD, too: a socket has one number */
		return -EINVAL;
	}
}

/* ---- ioctl(2) ---- */

/* The other requests about interfaces and tables, which are not told here. */
static bool is_device(unsigned long request)
{
	return request >= SIOCADDRT && request <= 0x89ff;
}

static long queued(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	long n = f->kind->queued ? f->kind->queued(sl, f, op->request) : -ENOTTY;
	int v = (int)PLX_MIN(n, (long)INT32_MAX);

	if (n < 0)
		return n;
	if (!op->arg)
		return -EFAULT;
	memcpy(op->arg, &v, sizeof(v));
	return 0;
}

/* Those that are given an int. */
static long set_int(struct sock_lcore *sl, struct sock_file *f, const struct sock_op *op)
{
	int v;

	if (!op->arg)
		return -EFAULT;
	memcpy(&v, op->arg, sizeof(v));
	switch (op->request) {
	case FIONBIO:
		set_flag(f, SOCKF_NONBLOCK, v);
		return 0;
	case FIOASYNC:
		set_flag(f, SOCKF_ASYNC, v);
		return 0;
	default:
		return set_owner(sl, f, -1, v);
	}
}

static long put_owner(const struct sock_file *f, const struct sock_op *op)
{
	int v = (int)get_owner(f);

	if (!op->arg)
		return -EFAULT;
	memcpy(op->arg, &v, sizeof(v));
	return 0;
}

/* ep_eventpoll_ioctl() has an errno of its own. */
static bool is_set(const struct sock_file *f)
{
	return !f->kind->type && !f->kind->recv;
}

long sock__ioctl(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	switch (op->request) {
	case FIONBIO:
	case FIOASYNC:
		return set_int(sl, f, op);
	case FIOCLEX:
	case FIONCLEX:
		set_flag(f, SOCKF_CLOEXEC, op->request == FIOCLEX);
		return 0;
	case SIOCINQ:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return is_set(f) ? -EINVAL : queued(sl, f, op);
	case FIOSETOWN:
	case SIOCSPGRP:
		return f->kind->type ? set_int(sl, f, op) : -ENOTTY;
	case FIOGETOWN:
	case SIOCGPGRP:
		return f->kind->type ? put_owner(f, op) : -ENOTTY;
	case SIOCGIFINDEX:
	case SIOCGIFNAME:
	case SIOCGIFMTU:
	case SIOCGIFFLAGS:
	case SIOCGIFHWADDR:
		if (f->kind->type)
			return sock__ioctl_if(sl, f, op);
		return is_set(f) ? -EINVAL : -ENOTTY;
	default:
		if (is_set(f))
			return -EINVAL;
		return f->kind->type && is_device(op->request) ? -EOPNOTSUPP : -ENOTTY;
	}
}
