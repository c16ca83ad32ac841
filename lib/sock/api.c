/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>

/* The calls on sockets: each fills in what it is about, and is carried to the owner. */

static int fail(int err)
{
	errno = err;
	return -1;
}

/* Linux's structs have no const: what is in them to be sent is not written to. */
static void *as_plain(const void *p)
{
	return (void *)(uintptr_t)p;
}

/* No length of an address, or of a piece of memory, is negative. */
static bool bad_name(const void *name, socklen_t len)
{
	return name && (int)len < 0;
}

/* @return 0 or a positive errno. */
static int check_pieces(const struct iovec *iov, int n)
{
	if (n < 0 || n > IOV_MAX)
		return EINVAL;
	if (n && !iov)
		return EFAULT;
	for (int i = 0; i < n; i++)
		if ((ssize_t)iov[i].iov_len < 0)
			return EINVAL;
	return 0;
}

int sock__msg_check(const struct msghdr *m)
{
	if (!m)
		return EFAULT;
	if (m->msg_iovlen > IOV_MAX)
		return EMSGSIZE;
	if (bad_name(m->msg_name, m->msg_namelen))
		return EINVAL;
	return check_pieces(m->msg_iov, (int)m->msg_iovlen);
}

/* What f's kind lacks. */
static long lacks(const struct sock_file *f)
{
	return f->kind->type ? -EOPNOTSUPP : -ENOTSOCK;
}

/* ---- socket, close ---- */

static long socket_run(struct sock_lcore *sl, struct sock_file *none, struct sock_op *op)
{
	int type = op->type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (op->domain == AF_PACKET)
		return sock__packet_new(sl, type, op->protocol, op->type);
	switch (type) {
	case SOCK_STREAM:
		return sock__stream_new(sl, op->domain, op->protocol, op->type);
	case SOCK_DGRAM:
		return sock__dgram_new(sl, op->domain, op->protocol, op->type);
	case SOCK_RAW:
		return sock__raw_new(sl, op->domain, op->protocol, op->type);
	default:
		return -ESOCKTNOSUPPORT;
	}
}

int plx_socket(int domain, int type, int protocol)
{
	struct sock_op op = {.run = socket_run,
		.nofile = true,
		.spread = true,
		.domain = domain,
		.type = type,
		.protocol = protocol};
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (kind < 0 || kind > SOCK_PACKET)
		return fail(EINVAL);
	if (domain != AF_INET && domain != AF_INET6 && domain != AF_PACKET)
		return fail(EAFNOSUPPORT);
	if (domain != AF_PACKET && (protocol < 0 || protocol >= IPPROTO_MAX))
		return fail(EINVAL);
	return (int)sock__call(&op);
}

long sock__run_close(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	long r = f->kind->linger && op->flags != SOCK_CLOSE_NOW ? f->kind->linger(sl, f, op) : 0;

	if (r == -EAGAIN)
		return r;
	sock__close(sl, f);
	return 0;
}

int plx_close(int fd)
{
	struct sock_op op = {.run = sock__run_close, .fd = fd, .block = true};

	return (int)sock__call(&op);
}

/* ---- bind .. shutdown ---- */

static long bind_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->bind ? f->kind->bind(sl, f, op) : lacks(f);
}

static long listen_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->listen ? f->kind->listen(sl, f, op) : lacks(f);
}

long sock__run_accept(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->accept ? f->kind->accept(sl, f, op) : lacks(f);
}

long sock__run_connect(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->connect ? f->kind->connect(sl, f, op) : lacks(f);
}

long sock__run_shutdown(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->shutdown ? f->kind->shutdown(sl, f, op) : lacks(f);
}

int plx_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sock_op op = {.run = bind_run, .fd = fd, .addr = addr, .addr_len = len};

	return (int)sock__call(&op);
}

int plx_listen(int fd, int backlog)
{
	struct sock_op op = {.run = listen_run, .fd = fd, .flags = backlog};
	int owner = sock__fd_lcore(fd);
	long r = sock__call(&op);

	if (r == 0) /* whoever connects now is not refused by a lcore that has not heard of it */
		sock__meet(sock__lcores[owner]->ns);
	return (int)r;
}

int plx_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct sock_op op = {.run = sock__run_accept,
		.fd = fd,
		.block = true,
		.flags = flags,
		.name = addr,
		.name_len = len};

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return fail(EINVAL);
	if (addr && !len)
		return fail(EFAULT);
	if (addr && (int)*len < 0)
		return fail(EINVAL);
	return (int)sock__call(&op);
}

int plx_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return plx_accept4(fd, addr, len, 0);
}

int plx_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sock_op op = {.run = sock__run_connect,
		.fd = fd,
		.block = true,
		.no_restart = true,
		.addr = addr,
		.addr_len = len};

	return (int)sock__call(&op);
}

int plx_shutdown(int fd, int how)
{
	struct sock_op op = {.run = sock__run_shutdown, .fd = fd, .flags = how};

	return (int)sock__call(&op);
}

/* ---- receive ---- */

#define CLEAR_PIECES 4
static_assert(sizeof(struct sock_op) % CLEAR_PIECES == 0, "all of it is cleared");

/* A call that moves bytes. Cleared in pieces: of a large record gcc makes `rep stos`, which takes
 * 30 cycles to begin. */
static inline void begin(struct sock_op *op,
	long (*run)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op), int fd,
	int flags)
{
	const size_t piece = sizeof(*op) / CLEAR_PIECES;

	for (size_t i = 0; i < CLEAR_PIECES; i++)
		memset((uint8_t *)op + i * piece, 0, piece);
	op->run = run;
	op->fd = fd;
	op->flags = flags;
	op->uses = op->block = true;
}

static long recv_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->recv ? f->kind->recv(sl, f, op) : lacks(f);
}

/* read(2) is of any file, recv(2) of sockets. */
long sock__run_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->type ? recv_run(sl, f, op) : -ENOTSOCK;
}

static long read_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	if (!f->kind->recv)
		return -EINVAL;
	if (f->kind->type && sock__iov_bytes(op->recv) == 0)
		return 0; /* read(2), not recv(2) */
	return f->kind->recv(sl, f, op);
}

ssize_t plx_recvmsg(int fd, struct msghdr *msg, int flags)
{
	int err = sock__msg_check(msg);
	struct sock_op op;

	begin(&op, sock__run_recv, fd, flags);
	op.recv = msg;
	return err ? fail(err) : sock__call(&op);
}

ssize_t plx_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len)
{
	struct iovec v = {buf, PLX_MIN(n, (size_t)INT_MAX)};
	struct msghdr m = {.msg_name = addr,
		.msg_namelen = addr && len ? *len : 0,
		.msg_iov = &v,
		.msg_iovlen = 1};
	struct sock_op op;
	long r;

	if (bad_name(addr, m.msg_namelen))
		return fail(EINVAL);
	begin(&op, sock__run_recv, fd, flags);
	op.recv = &m;
	r = sock__call(&op);
	if (r >= 0 && addr && !len) /* move_addr_to_user(): what came is gone all the same */
		return fail(EFAULT);
	if (r >= 0 && addr)
		*len = m.msg_namelen;
	return r;
}

ssize_t plx_recv(int fd, void *buf, size_t n, int flags)
{
	return plx_recvfrom(fd, buf, n, flags, NULL, NULL);
}

ssize_t plx_readv(int fd, const struct iovec *iov, int n)
{
	struct msghdr m = {.msg_iov = as_plain(iov), .msg_iovlen = (size_t)n};
	int err = check_pieces(iov, n);
	struct sock_op op;

	begin(&op, read_run, fd, 0);
	op.recv = &m;
	return err ? fail(err) : sock__call(&op);
}

ssize_t plx_read(int fd, void *buf, size_t n)
{
	struct iovec v = {buf, PLX_MIN(n, (size_t)INT_MAX)};

	return plx_readv(fd, &v, 1);
}

struct rte_mbuf *plx_recv_mbuf(int fd)
{
	struct sock_lcore *self = sock__self();
	struct sock_file *f = self && !sock__forked() ? sock__file(self, fd) : NULL;
	struct rte_mbuf *m = NULL;
	int err = f ? EOPNOTSUPP : sock__fd_lcore(fd) >= 0 ? EXDEV : EBADF;

	if (f && f->kind->recv_mbuf)
		m = f->kind->recv_mbuf(self, f, &err);
	if (f && plx_unlikely(sock__is(f, SOCKF_FAR)))
		sock__far_publish(self, f);
	if (!m)
		errno = err;
	return m;
}

/* ---- send ---- */

static long send_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->send ? f->kind->send(sl, f, op) : lacks(f);
}

long sock__run_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->type ? send_run(sl, f, op) : -ENOTSOCK;
}

static long write_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->send ? f->kind->send(sl, f, op) : -EINVAL;
}

ssize_t plx_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	int err = sock__msg_check(msg);
	struct sock_op op;

	begin(&op, sock__run_send, fd, flags);
	op.send = msg;
	return err ? fail(err) : sock__call(&op);
}

ssize_t plx_sendto(
	int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len)
{
	struct iovec v = {as_plain(buf), PLX_MIN(n, (size_t)INT_MAX)};
	struct msghdr m = {.msg_name = as_plain(addr),
		.msg_namelen = addr ? PLX_MAX(len, 1u) : 0, /* one that is too short */
		.msg_iov = &v,
		.msg_iovlen = 1};

	if (addr && len > sizeof(struct sockaddr_storage))
		return fail(EINVAL);
	return plx_sendmsg(fd, &m, flags);
}

ssize_t plx_send(int fd, const void *buf, size_t n, int flags)
{
	return plx_sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t plx_writev(int fd, const struct iovec *iov, int n)
{
	struct msghdr m = {.msg_iov = as_plain(iov), .msg_iovlen = (size_t)n};
	int err = check_pieces(iov, n);
	struct sock_op op;

	begin(&op, write_run, fd, 0);
	op.send = &m;
	return err ? fail(err) : sock__call(&op);
}

ssize_t plx_write(int fd, const void *buf, size_t n)
{
	struct iovec v = {as_plain(buf), PLX_MIN(n, (size_t)INT_MAX)};

	return plx_writev(fd, &v, 1);
}

ssize_t plx_send_mbuf(int fd, struct rte_mbuf *m, const struct msghdr *to, int flags,
	const struct plx_net_done *done)
{
	static const struct msghdr to_peer;
	struct sock_lcore *self = sock__self();
	struct sock_file *f = self && !sock__forked() ? sock__file(self, fd) : NULL;
	struct sock_op op = {.fd = fd, .flags = flags, .send = to ? to : &to_peer};
	long r;

	if (!f)
		return fail(sock__fd_lcore(fd) >= 0 ? EXDEV : EBADF);
	if (!m)
		return fail(EFAULT);
	op.mbuf = m;
	op.lent = done;
	r = f->kind->send_mbuf ? f->kind->send_mbuf(self, f, &op) : lacks(f);
	if (plx_unlikely(sock__is(f, SOCKF_FAR)))
		sock__far_publish(self, f);
	if (plx_unlikely(r == -EPIPE && op.sigpipe))
		raise(SIGPIPE);
	return r < 0 ? fail((int)-r) : r;
}

/* ---- names ---- */

static long name_of(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op, bool peer)
{
	uint16_t port, iface;
	struct plx_addr a;
	long r = f->kind->name ? f->kind->name(sl, f, peer, &a, &port, &iface) : lacks(f);

	if (r == 0)
		sock__addr_put(f, &a, port, iface, op->name, op->name_len);
	return r;
}

static long sockname_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	if (f->kind->sockname)
		return f->kind->sockname(sl, f, op->name, op->name_len);
	return name_of(sl, f, op, false);
}

static long peername_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return name_of(sl, f, op, true);
}

static int get_name(int fd, struct sockaddr *addr, socklen_t *len,
	long (*run)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op))
{
	struct sock_op op = {.run = run, .fd = fd, .name = addr, .name_len = len};

	if (!addr || !len)
		return fail(EFAULT);
	if ((int)*len < 0)
		return fail(EINVAL);
	return (int)sock__call(&op);
}

int plx_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return get_name(fd, addr, len, sockname_run);
}

int plx_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return get_name(fd, addr, len, peername_run);
}

/* ---- options, fcntl, ioctl ---- */

static long setopt_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->type ? sock__setsockopt(sl, f, op) : -ENOTSOCK;
}

static long getopt_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	return f->kind->type ? sock__getsockopt(sl, f, op) : -ENOTSOCK;
}

/* It is the control lcore that joins: what a thread sends next may be for the group. */
static bool is_join(int level, int name)
{
	if (level == IPPROTO_IP)
		return name == IP_ADD_MEMBERSHIP || name == MCAST_JOIN_GROUP;
	return level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == MCAST_JOIN_GROUP);
}

int plx_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct sock_op op = {.run = setopt_run,
		.fd = fd,
		.level = level,
		.opt = name,
		.cvalue = value,
		.cvalue_len = len};
	int owner = sock__fd_lcore(fd);
	long r = sock__call(&op);

	if (plx_unlikely(r == 0 && is_join(level, name)))
		sock__meet(sock__lcores[owner]->ns);
	return (int)r;
}

int plx_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct sock_op op = {.run = getopt_run,
		.fd = fd,
		.level = level,
		.opt = name,
		.value = value,
		.value_len = len};

	return (int)sock__call(&op);
}

/* As libc: the number of a group is negative, and no errno. */
static int get_owner(int fd)
{
	struct f_owner_ex ex;

	if (plx_fcntl(fd, F_GETOWN_EX, &ex) < 0)
		return -1;
	return ex.type == F_OWNER_PGRP ? -ex.pid : ex.pid;
}

int plx_fcntl(int fd, int cmd, ...)
{
	struct sock_op op = {.run = sock__fcntl, .fd = fd, .flags = cmd};
	va_list ap;

	va_start(ap, cmd);
	op.arg_long = va_arg(ap, long);
	va_end(ap);
	return cmd == F_GETOWN ? get_owner(fd) : (int)sock__call(&op);
}

int plx_ioctl(int fd, unsigned long request, ...)
{
	struct sock_op op = {.run = sock__ioctl, .fd = fd, .request = request};
	va_list ap;

	va_start(ap, request);
	op.arg = va_arg(ap, void *);
	va_end(ap);
	return (int)sock__call(&op);
}
