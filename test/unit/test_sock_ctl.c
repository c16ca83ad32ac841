/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/* fcntl(), ioctl() and SIGIO. */

static int fd;

static void start(void)
{
	st_new();
	fd = plx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ok(fd >= 0);
	eq(st_bind(fd, "10.0.0.2", 7), 0);
}

T(flags)
{
	int v = 1;

	start();
	eq(plx_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	eq(plx_fcntl(fd, F_SETFL, O_APPEND), 0);
	eq(plx_fcntl(fd, F_GETFL), O_RDWR);
	eq(plx_ioctl(fd, FIONBIO, &v), 0);
	eq(plx_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	eq(plx_ioctl(fd, FIOASYNC, &v), 0);
	eq(plx_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK | O_ASYNC);
	eq(plx_fcntl(fd, F_GETFD), 0);
	eq(plx_fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	eq(plx_fcntl(fd, F_GETFD), FD_CLOEXEC);
	eq(plx_ioctl(fd, FIONCLEX), 0);
	eq(plx_fcntl(fd, F_GETFD), 0);
	fails(plx_fcntl(fd, F_DUPFD, 0), EINVAL);
	fails(plx_fcntl(fd, 9999), EINVAL);
	fails(plx_ioctl(fd, FIONBIO, NULL), EFAULT);
	fails(plx_ioctl(fd, 0xdead, NULL), ENOTTY);
	fails(plx_ioctl(fd, 0x8915, NULL), EOPNOTSUPP); /* SIOCGIFADDR */
}

T(owners)
{
	struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid()};
	int v = getpid();

	start();
	eq(plx_fcntl(fd, F_GETOWN), 0);
	eq(plx_fcntl(fd, F_SETOWN, getpid()), 0);
	eq(plx_fcntl(fd, F_GETOWN), getpid());
	fails(plx_fcntl(fd, F_SETOWN, 0x7ffffff0), ESRCH);
	eq(plx_fcntl(fd, F_SETOWN_EX, &ex), 0);
	memset(&ex, 0, sizeof(ex));
	eq(plx_fcntl(fd, F_GETOWN_EX, &ex), 0);
	eq(ex.type, F_OWNER_TID);
	eq(ex.pid, gettid());
	eq(plx_ioctl(fd, FIOSETOWN, &v), 0);
	v = 0;
	eq(plx_ioctl(fd, FIOGETOWN, &v), 0);
	eq(v, getpid());
	eq(plx_fcntl(fd, F_SETSIG, SIGUSR1), 0);
	eq(plx_fcntl(fd, F_GETSIG), SIGUSR1);
	fails(plx_fcntl(fd, F_SETSIG, 999), EINVAL);
}

static volatile sig_atomic_t n_sig, sig_fd;

static void on_sig(int sig, siginfo_t *info, void *ctx)
{
	n_sig++;
	sig_fd = info->si_fd;
}

T(a_signal_when_something_comes)
{
	const struct sigaction sa = {.sa_sigaction = on_sig, .sa_flags = SA_SIGINFO};

	start();
	eq(sigaction(SIGIO, &sa, NULL), 0);
	eq(sigaction(SIGUSR1, &sa, NULL), 0);
	n_sig = 0;
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(n_sig, 0);
	eq(plx_fcntl(fd, F_SETOWN, getpid()), 0);
	eq(plx_fcntl(fd, F_SETFL, O_ASYNC), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(n_sig, 1);
	eq(plx_fcntl(fd, F_SETSIG, SIGUSR1), 0); /* and which one it is about */
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(n_sig, 2);
	eq(sig_fd, fd);
	signal(SIGIO, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

/* One that another process of the group gets, too. */
T(a_signal_to_a_group)
{
	const struct sigaction sa = {.sa_sigaction = on_sig, .sa_flags = SA_SIGINFO};
	struct f_owner_ex ex = {.type = F_OWNER_PGRP};
	int status;
	pid_t child;

	start();
	setpgid(0, 0);
	ex.pid = getpgrp();
	eq(ex.pid, getpid());
	eq(sigaction(SIGIO, &sa, NULL), 0);
	n_sig = 0;
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 500 && !n_sig; i++)
			usleep(10000);
		_exit(n_sig == 1 ? 0 : 1);
	}
	eq(plx_fcntl(fd, F_SETOWN_EX, &ex), 0);
	eq(plx_fcntl(fd, F_GETOWN), -getpgrp());
	eq(plx_fcntl(fd, F_SETFL, O_ASYNC), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(n_sig, 1);
	while (waitpid(child, &status, 0) < 0)
		eq(errno, EINTR);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	signal(SIGIO, SIG_DFL);
}

RUN_EAL(ST_(flags), ST_(owners), ST_(a_signal_to_a_group), ST_(a_signal_when_something_comes))
