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

/* ---- who gets SIGIO and SIGURG ---- */

static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

/* find_vpid(): is it the number of a process, a thread or a group? */
static bool is_somebody(pid_t n)
{
	return n > 0 && (is_there(n) || is_there(-n));
}

static long set_owner(struct sock_lcore *sl, struct sock_file *f, int type, int pid)
{
	struct sock_cold *cold;

	if (pid && !is_somebody(pid))
		return -ESRCH;
	cold = sock__cold(sl, f);
	if (!cold)
		return -ENOMEM;
	cold->owner_pid = pid;
	cold->owner_type = type;
	return 0;
}

/* F_SETOWN, SIOCSPGRP: a negative number is a group's. */
static long set_owner_by_sign(struct sock_lcore *sl, struct sock_file *f, int who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	return set_owner(sl, f, who < 0 ? F_OWNER_PGRP : F_OWNER_PID, abs(who));
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
	struct f_owner_ex ex = {.type = F_OWNER_TID};

	if (!arg)
		return -EFAULT;
	if (f->cold) {
		ex.type = (__typeof__(ex.type))f->cold->owner_type;
		ex.pid = f->cold->owner_pid;
	}
	memcpy(arg, &ex, sizeof(ex));
	return 0;
}

static long set_sig(struct sock_lcore *sl, struct sock_file *f, int sig)
{
	struct sock_cold *cold;

	if (sig < 0 || sig > SIGRTMAX)
		return -EINVAL;
	cold = sock__cold(sl, f);
	if (!cold)
		return -ENOMEM;
	cold->sig = sig;
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

	if (!cold->sig)
		return false;
	info.si_fd = sock__fd_of(f);
	describe(f, key, &info);
	if (cold->owner_type == F_OWNER_TID)
		return syscall(SYS_rt_tgsigqueueinfo, self, cold->owner_pid, cold->sig, &info) == 0;
	return cold->owner_type == F_OWNER_PID && cold->owner_pid == self &&
	       syscall(SYS_rt_sigqueueinfo, self, cold->sig, &info) == 0;
}

static void signal_owner(const struct sock_cold *cold, int sig)
{
	if (cold->owner_type == F_OWNER_TID)
		syscall(SYS_tkill, cold->owner_pid, sig);
	else
		kill(cold->owner_type == F_OWNER_PGRP ? -cold->owner_pid : cold->owner_pid, sig);
}

void sock__sigurg(const struct sock_file *f)
{
	if (f->cold && f->cold->owner_pid)
		signal_owner(f->cold, SIGURG);
}

void sock__sigio(const struct sock_file *f, uint32_t key)
{
	const struct sock_cold *cold = f->cold;

	if (cold && cold->owner_pid && !tell_all(f, cold, key))
		signal_owner(cold, cold->sig ? cold->sig : SIGIO);
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
		return set_owner_by_sign(sl, f, (int)op->arg_long);
	case F_SETOWN_EX:
		return set_owner_ex(sl, f, (const void *)op->arg_long);
	case F_GETOWN_EX:
		return get_owner_ex(f, (void *)op->arg_long);
	case F_SETSIG:
		return set_sig(sl, f, (int)op->arg_long);
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
		return set_owner_by_sign(sl, f, v);
	}
}

static long put_owner(const struct sock_file *f, const struct sock_op *op)
{
	struct f_owner_ex ex;
	int v;

	if (!op->arg)
		return -EFAULT;
	get_owner_ex(f, &ex);
	v = ex.type == F_OWNER_PGRP ? -ex.pid : ex.pid;
	memcpy(op->arg, &v, sizeof(v));
	return 0;
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
		return sock__is_set(f) ? -EINVAL : queued(sl, f, op);
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
		return sock__is_set(f) ? -EINVAL : -ENOTTY;
	default:
		if (sock__is_set(f)) /* ep_eventpoll_ioctl() has an errno of its own */
			return -EINVAL;
		return f->kind->type && is_device(op->request) ? -EOPNOTSUPP : -ENOTTY;
	}
}
