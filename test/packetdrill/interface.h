/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What packetdrill asks of a stack that is not the kernel's: a library with this one symbol, which
 * fills in a table of functions. The order of the members is packetdrill's.
 *
 * Calls have the arguments of Linux's behind `self`, and fail with -1 and errno. One process runs
 * one script.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
	void *self; /**< the first argument of all */
	void (*free)(void *self);

	int (*socket)(void *self, int domain, int type, int protocol);
	int (*bind)(void *self, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *self, int fd, int backlog);
	int (*accept)(void *self, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *self, int fd, const struct sockaddr *addr, socklen_t len);

	ssize_t (*read)(void *self, int fd, void *buf, size_t n);
	ssize_t (*readv)(void *self, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *self, int fd, void *buf, size_t n, int flags);
	ssize_t (*recvfrom)(void *self, int fd, void *buf, size_t n, int flags,
		struct sockaddr *addr, socklen_t *len);
	ssize_t (*recvmsg)(void *self, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *self, int fd, const void *buf, size_t n);
	ssize_t (*writev)(void *self, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *self, int fd, const void *buf, size_t n, int flags);
	ssize_t (*sendto)(void *self, int fd, const void *buf, size_t n, int flags,
		const struct sockaddr *addr, socklen_t len);
	ssize_t (*sendmsg)(void *self, int fd, const struct msghdr *msg, int flags);

	int (*fcntl)(void *self, int fd, int cmd, ...);
	int (*ioctl)(void *self, int fd, unsigned long request, ...);
	int (*close)(void *self, int fd);
	int (*shutdown)(void *self, int fd, int how);
	int (*getsockopt)(void *self, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(
		void *self, int fd, int level, int name, const void *value, socklen_t len);
	int (*poll)(void *self, struct pollfd *fds, nfds_t n, int timeout_ms);

	/** The wire brings an IP packet. @return 0 or -1. */
	int (*netdev_send)(void *self, const void *packet, size_t bytes);
	/**
	 * The next IP packet that leaves the stack, and when it did, by gettimeofday(). Waits for
	 * it. @param bytes room; becomes the packet's length, or 0: none will come. @return 0.
	 */
	int (*netdev_receive)(void *self, void *packet, size_t *bytes, long long *usecs);
	int (*usleep)(void *self, useconds_t usecs);
	int (*gettimeofday)(void *self, struct timeval *tv, struct timezone *tz);

	int (*epoll_create)(void *self, int size);
	int (*epoll_ctl)(void *self, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *self, int epfd, struct epoll_event *events, int n, int timeout_ms);
	int (*pipe)(void *self, int fd[2]);
	int (*splice)(void *self, int in, loff_t *in_off, int out, loff_t *out_off, size_t n,
		unsigned int flags);
};

/** @param flags what --so_flags= says; NULL if nothing. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);
