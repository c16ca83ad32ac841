/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "interface.h"

/*
 * The interface: each call is the library's of the same name, between enter() and leave().
 */

#define EPOCH_US   INT64_C(1000000000000000) /* what the clock shows at the virtual time 0 */
#define PATIENCE   PLX_SEC(600)		     /* for a packet: the longest time-out is 2 minutes */
#define US(ns)	   ((long long)((ns) / 1000))
#define MS_NS(ms)  ((plx_ns)(ms)*PLX_MS(1))
#define CALL(call) LEAVE((enter(), (call)))
#define LEAVE(r)                                                                                   \
	({                                                                                         \
		__auto_type result_ = (r);                                                         \
		leave();                                                                           \
		result_;                                                                           \
	})

static struct plx_sock *sock;
static bool verbose;

static void enter(void)
{
	pd_thread_enter(sock);
}

/* What the call has begun is carried out now. */
static void leave(void)
{
	int err = errno;

	pd_stack_run();
	errno = err;
}

static int if_socket(void *self, int domain, int type, int protocol)
{
	return CALL(plx_socket(domain, type, protocol));
}

static int if_bind(void *self, int fd, const struct sockaddr *addr, socklen_t len)
{
	return CALL(plx_bind(fd, addr, len));
}

static int if_listen(void *self, int fd, int backlog)
{
	return CALL(plx_listen(fd, backlog));
}

static int if_accept(void *self, int fd, struct sockaddr *addr, socklen_t *len)
{
	return CALL(plx_accept(fd, addr, len));
}

static int if_connect(void *self, int fd, const struct sockaddr *addr, socklen_t len)
{
	return CALL(plx_connect(fd, addr, len));
}

static ssize_t if_read(void *self, int fd, void *buf, size_t n)
{
	return CALL(plx_read(fd, buf, n));
}

static ssize_t if_readv(void *self, int fd, const struct iovec *iov, int n)
{
	return CALL(plx_readv(fd, iov, n));
}

static ssize_t if_recv(void *self, int fd, void *buf, size_t n, int flags)
{
	return CALL(plx_recv(fd, buf, n, flags));
}

static ssize_t if_recvfrom(
	void *self, int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len)
{
	return CALL(plx_recvfrom(fd, buf, n, flags, addr, len));
}

static ssize_t if_recvmsg(void *self, int fd, struct msghdr *msg, int flags)
{
	return CALL(plx_recvmsg(fd, msg, flags));
}

static ssize_t if_write(void *self, int fd, const void *buf, size_t n)
{
	return CALL(plx_write(fd, buf, n));
}

static ssize_t if_writev(void *self, int fd, const struct iovec *iov, int n)
{
	return CALL(plx_writev(fd, iov, n));
}

static ssize_t if_send(void *self, int fd, const void *buf, size_t n, int flags)
{
	return CALL(plx_send(fd, buf, n, flags));
}

static ssize_t if_sendto(void *self, int fd, const void *buf, size_t n, int flags,
	const struct sockaddr *addr, socklen_t len)
{
	return CALL(plx_sendto(fd, buf, n, flags, addr, len));
}

static ssize_t if_sendmsg(void *self, int fd, const struct msghdr *msg, int flags)
{
	return CALL(plx_sendmsg(fd, msg, flags));
}

/* packetdrill gives an int, or nothing. */
static int if_fcntl(void *self, int fd, int cmd, ...)
{
	va_list args;
	int arg;

	va_start(args, cmd);
	arg = va_arg(args, int);
	va_end(args);
	return CALL(plx_fcntl(fd, cmd, arg));
}

static int if_ioctl(void *self, int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return CALL(plx_ioctl(fd, request, arg));
}

static int if_close(void *self, int fd)
{
	return CALL(plx_close(fd));
}

static int if_shutdown(void *self, int fd, int how)
{
	return CALL(plx_shutdown(fd, how));
}

static int if_getsockopt(void *self, int fd, int level, int name, void *value, socklen_t *len)
{
	return CALL(plx_getsockopt(fd, level, name, value, len));
}

static int if_setsockopt(void *self, int fd, int level, int name, const void *value, socklen_t len)
{
	return CALL(plx_setsockopt(fd, level, name, value, len));
}

static int no_pipe(void *self, int fd[2])
{
	errno = ENOSYS;
	return -1;
}

static int no_splice(
	void *self, int in, loff_t *in_off, int out, loff_t *out_off, size_t n, unsigned int flags)
{
	errno = ENOSYS;
	return -1;
}

/* ---- calls with a time limit, which is one of the virtual clock ---- */

struct wait {
	int (*look)(const struct wait *w); /* never waits */
	union {
		struct pollfd *fds;
		struct epoll_event *events;
	};
	int epfd, n;
	int result;
};

static int look_poll(const struct wait *w)
{
	return plx_poll(w->fds, (nfds_t)w->n, 0);
}

static int look_epoll(const struct wait *w)
{
	return plx_epoll_wait(w->epfd, w->events, w->n, 0);
}

static bool looked(void *arg)
{
	struct wait *w = arg;

	w->result = w->look(w);
	return w->result != 0;
}

static int wait_for(struct wait *w, int timeout_ms)
{
	plx_ns until = timeout_ms < 0 ? PLX_NEVER : pd_now() + MS_NS(timeout_ms);

	enter();
	if (looked(w) || timeout_ms == 0)
		return LEAVE(w->result);
	if (pd_thread_is_main()) {
		if (!pd_stack_until(until, looked, w) && until == PLX_NEVER)
			pd_die("a call waits for what cannot happen any more");
		return w->result;
	}
	for (;;) {
		uint32_t ticket = pd_thread_ticket();

		if (looked(w) || pd_now() >= until)
			return LEAVE(w->result);
		pd_thread_sleep(ticket, until);
	}
}

static int if_poll(void *self, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct wait w = {.look = look_poll, .fds = fds, .n = (int)n};

	return wait_for(&w, timeout_ms);
}

static int if_epoll_create(void *self, int size)
{
	return CALL(plx_epoll_create(size));
}

static int if_epoll_ctl(void *self, int epfd, int op, int fd, struct epoll_event *event)
{
	return CALL(plx_epoll_ctl(epfd, op, fd, event));
}

static int if_epoll_wait(void *self, int epfd, struct epoll_event *events, int n, int timeout_ms)
{
	struct wait w = {.look = look_epoll, .events = events, .epfd = epfd, .n = n};

	return wait_for(&w, timeout_ms);
}

/* ---- the wire and the clock ---- */

static int if_netdev_send(void *self, const void *packet, size_t bytes)
{
	pd_stack_input(packet, bytes);
	return 0;
}

static bool got_packet(void *arg)
{
	struct pd_packet **p = arg;

	*p = pd_wire_get();
	return *p != NULL;
}

static int if_netdev_receive(void *self, void *packet, size_t *bytes, long long *usecs)
{
	struct pd_packet *p;

	if (!pd_stack_until(pd_now() + PATIENCE, got_packet, &p)) {
		if (verbose)
			fprintf(stderr, "libplx_packetdrill: the stack sends nothing more\n");
		*bytes = 0;
		return 0;
	}
	*bytes = PLX_MIN(*bytes, (size_t)p->bytes);
	memcpy(packet, p->data, *bytes);
	*usecs = EPOCH_US + US(p->when_ns);
	free(p);
	return 0;
}

static int if_usleep(void *self, useconds_t usecs)
{
	pd_stack_until(pd_now() + PLX_US(usecs), NULL, NULL);
	return 0;
}

static int if_gettimeofday(void *self, struct timeval *tv, struct timezone *tz)
{
	long long us = EPOCH_US + US(pd_now_tick());

	*tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
	pd_thread_saw_clock();
	return 0;
}

static void if_free(void *self)
{
	pd_stack_stop();
}

/* ---- to begin ---- */

static int fd_close(int fd)
{
	return if_close(NULL, fd);
}

static int fd_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return if_getsockopt(NULL, fd, level, name, value, len);
}

/* The library that has been preloaded, if so, learns where the calls on our descriptors go. */
static void tell_preloaded(void)
{
	struct pd_fd_calls *calls = dlsym(RTLD_DEFAULT, PD_FD_SYMBOL);

	if (calls)
		*calls = (struct pd_fd_calls){.close = fd_close,
			.getsockopt = fd_getsockopt,
			.is_ours = plx_sock_is_ours};
}

PLX_API void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	struct pd_flags f;
	const char *wrong = pd_flags_parse(&f, flags);

	if (wrong)
		pd_die("--so_flags=%s: %s", flags ? flags : "", wrong);
	*ifc = (struct packetdrill_interface){
		.free = if_free,
		.socket = if_socket,
		.bind = if_bind,
		.listen = if_listen,
		.accept = if_accept,
		.connect = if_connect,
		.read = if_read,
		.readv = if_readv,
		.recv = if_recv,
		.recvfrom = if_recvfrom,
		.recvmsg = if_recvmsg,
		.write = if_write,
		.writev = if_writev,
		.send = if_send,
		.sendto = if_sendto,
		.sendmsg = if_sendmsg,
		.fcntl = if_fcntl,
		.ioctl = if_ioctl,
		.close = if_close,
		.shutdown = if_shutdown,
		.getsockopt = if_getsockopt,
		.setsockopt = if_setsockopt,
		.poll = if_poll,
		.netdev_send = if_netdev_send,
		.netdev_receive = if_netdev_receive,
		.usleep = if_usleep,
		.gettimeofday = if_gettimeofday,
		.epoll_create = if_epoll_create,
		.epoll_ctl = if_epoll_ctl,
		.epoll_wait = if_epoll_wait,
		.pipe = no_pipe,
		.splice = no_splice,
	};
	verbose = f.verbose;
	pd_thread_main();
	sock = pd_stack_start(&f);
	pd_sysctl_start();
	tell_preloaded();
}
