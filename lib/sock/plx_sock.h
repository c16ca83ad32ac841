/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Sockets: Linux's calls, with Linux's structs, constants and errno, over Pollux's UDP and TCP, raw
 * IP (SOCK_RAW), and whole frames (AF_PACKET).
 *
 * A call has the name of Linux's with `plx_` in front, and differs where doc/guide/sockets.md says
 * so. It fails with -1 and errno. A descriptor is a number above all that the kernel gives out (see
 * struct plx_sock_conf), so that one is never taken for the other.
 *
 * Each socket, epoll set and eventfd belongs to an lcore: that which has made it, or whose
 * connection it is. There are two ways to call:
 *
 * - On the lcore that owns it, in a program of plx_sock_program_add(): no lock, no copy on the way,
 *   and nothing ever waits, whatever O_NONBLOCK says: what would block fails with EAGAIN
 *   (connect(): EINPROGRESS). Of another lcore's: EXDEV.
 * - From any ordinary thread (one that is no lcore's): the call is carried out by the owner, which
 *   finds it in its mailbox; the caller sleeps until it is done, and longer where the call blocks.
 *   A signal ends the wait as it would in the kernel (EINTR, or restarted as SA_RESTART says;
 *   connect() never is). close() ends what waits for the socket with EBADF. No call is a
 *   cancellation point.
 *
 * Before the run the main thread may call as the main lcore does. After fork() the child has no
 * sockets: every call fails with EBADF.
 */
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <plx_net.h>
#include <plx_net_lend.h>

#include "plx_sock_cq.h"
#include "plx_sock_if.h"

PLX_C_BEGIN

/* Life: for the main thread */

struct plx_sock; /**< the sockets of a stack */

struct plx_sock_conf {
	/** Sockets at a time, at most; a power of two; 0 = 1,048,576. */
	uint32_t files;
	/** The first descriptor; 0 = above RLIMIT_NOFILE. Less is for select(), whose sets end at
	 * FD_SETSIZE: the kernel must not give out such numbers, so lower RLIMIT_NOFILE first. */
	int fd_base;
	/** Each lcore's memory for what belongs to sockets, taken when it is first used; 0 = 64
	 * MiB. Less is taken where there is less. */
	size_t bytes;
	/** For a stepped engine (plx_engine_step()): taken around what a call does to the engine;
	 * optional. */
	void (*lock)(void *arg);
	void (*unlock)(void *arg);
	void *lock_arg;
};

/**
 * Sockets for a stack that has its engine. Before the run. The first one made is what ordinary
 * threads use; conf's files and fd_base are the first one's for all. @return NULL with *e filled
 * (-EBUSY: one of its lcores has those of another stack).
 */
PLX_API struct plx_sock *plx_sock_create(
	struct plx_net *net, const struct plx_sock_conf *conf, struct plx_error *e);
/** After the run and before plx_engine_destroy(). Whatever is open is closed. */
PLX_API void plx_sock_destroy(struct plx_sock *s);
/** The calling thread is an ordinary one, and its new sockets are of s (as setns(2) does it); NULL:
 * as it was. */
PLX_API void plx_sock_enter(struct plx_sock *s);
/** Sockets, epoll sets and eventfds that are open. Any thread. */
PLX_API uint32_t plx_sock_count(const struct plx_sock *s);

/** A program that runs to completion on an lcore. */
struct plx_sock_program {
	/** Before the first run(). 0, or not, which stops the engine. Optional. */
	int (*start)(struct plx_softnet *sn, void *arg);
	/**
	 * Called after the poll's input when an epoll set of this lcore has got something, and at
	 * the time it asked for. @return when to call it again at the latest; PLX_NEVER.
	 */
	plx_ns (*run)(struct plx_softnet *sn, void *arg);
	/**
	 * The flow of fd, a connection or a connected socket of UDP that the program has made or
	 * let in and watches by an epoll set of the lcore, is to live on another lcore
	 * (plx_net_move.h): may fd go along? Then it is in no set any more, and no call on this
	 * lcore may be about it; the twin of the program on the other lcore, which was added as the
	 * same one in turn, gets it by arrive().
	 * @param data of its epoll_event. @return false, as without leave(): fd stays, and its
	 * packets are handed over to it.
	 */
	bool (*leave)(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data);
	/** fd is here now, with the data that it left with; or is back, as there was no memory. To
	 * be watched anew. */
	void (*arrive)(struct plx_softnet *sn, void *arg, int fd, epoll_data_t data);
	void *arg;
	struct plx_sock_program *next; /**< the library's */
};
/** Before the run. p stays the caller's until plx_sock_destroy(). @param index of the lcore. */
PLX_API void plx_sock_program_add(struct plx_sock *s, uint16_t index, struct plx_sock_program *p);
/** The engine-relative time of a program's pass. On an lcore. */
PLX_API plx_ns plx_sock_now(void);

/* Calls: socket(2) and so on */

PLX_API int plx_socket(int domain, int type, int protocol);
PLX_API int plx_bind(int fd, const struct sockaddr *addr, socklen_t len);
PLX_API int plx_listen(int fd, int backlog);
PLX_API int plx_accept(int fd, struct sockaddr *addr, socklen_t *len);
PLX_API int plx_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
PLX_API int plx_connect(int fd, const struct sockaddr *addr, socklen_t len);
PLX_API int plx_shutdown(int fd, int how);
PLX_API int plx_close(int fd);

PLX_API ssize_t plx_read(int fd, void *buf, size_t n);
PLX_API ssize_t plx_readv(int fd, const struct iovec *iov, int n);
PLX_API ssize_t plx_recv(int fd, void *buf, size_t n, int flags);
PLX_API ssize_t plx_recvfrom(
	int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len);
PLX_API ssize_t plx_recvmsg(int fd, struct msghdr *msg, int flags);
PLX_API ssize_t plx_write(int fd, const void *buf, size_t n);
PLX_API ssize_t plx_writev(int fd, const struct iovec *iov, int n);
PLX_API ssize_t plx_send(int fd, const void *buf, size_t n, int flags);
PLX_API ssize_t plx_sendto(
	int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len);
PLX_API ssize_t plx_sendmsg(int fd, const struct msghdr *msg, int flags);

PLX_API int plx_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
PLX_API int plx_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
PLX_API int plx_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
PLX_API int plx_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
PLX_API int plx_fcntl(int fd, int cmd, ...);
PLX_API int plx_ioctl(int fd, unsigned long request, ...);

PLX_API int plx_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
PLX_API int plx_ppoll(
	struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask);
PLX_API int plx_select(int n, fd_set *rd, fd_set *wr, fd_set *ex, struct timeval *timeout);
PLX_API int plx_pselect(int n, fd_set *rd, fd_set *wr, fd_set *ex, const struct timespec *timeout,
	const sigset_t *mask);
PLX_API int plx_epoll_create(int size);
PLX_API int plx_epoll_create1(int flags);
/** EXDEV: fd is an epoll set, and of another lcore than epfd. */
PLX_API int plx_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
PLX_API int plx_epoll_wait(int epfd, struct epoll_event *events, int n, int timeout_ms);
PLX_API int plx_epoll_pwait(
	int epfd, struct epoll_event *events, int n, int timeout_ms, const sigset_t *mask);
PLX_API int plx_eventfd(unsigned int count, int flags);

/* Beyond Linux's */

/** Is fd a number of ours (open or not)? Any thread; async-signal-safe. */
PLX_API bool plx_sock_is_ours(int fd);
/** Which lcore owns it. @return its index, or -1 and errno. */
PLX_API int plx_sock_owner(int fd);
/**
 * The next piece of text, or the next datagram, without a copy: the caller's, to be freed by
 * rte_pktmbuf_free(). Its data may be shared: they are not to be written to. SO_PEEK_OFF moves as
 * it does by recv(). On the owner lcore. @return NULL and errno; ENODATA at the end of a stream.
 */
PLX_API struct rte_mbuf *plx_recv_mbuf(int fd);
/**
 * Its twin: send the text of m, a chain of mbufs of any pools, without a copy (plx_net_lend.h). It
 * is only read, so that m may be somebody else's too: with a reference of its own each time, the
 * same mbufs can be sent to many. On the owner lcore; never waits.
 *
 * On success m is the socket's, which frees it when nothing holds its text any more: for TCP, once
 * all of it is acknowledged or the connection is over. Then done->fn() is called, if there is one.
 *
 * A stream takes all of m or nothing: all, as soon as there is any room in the send buffer, which
 * is charged with the mbufs' rooms; at most 1 MiB in 4,096 mbufs. A datagram is what m holds.
 *
 * @param to of a datagram: msg_name and msg_control as sendmsg() takes them, the rest is not looked
 * at; NULL = to the peer. @param flags MSG_MORE (streams), MSG_NOSIGNAL, MSG_DONTROUTE.
 * @param done or NULL.
 * @return bytes, or -1 and errno, and m is still the caller's: as sendmsg(), and EAGAIN: the send
 * buffer is full; EMSGSIZE: more than that; EINVAL: lengths in m don't fit each other, or a
 * datagram is being put together (UDP_CORK, MSG_MORE); ENOBUFS; EXDEV: called elsewhere.
 */
PLX_API ssize_t plx_send_mbuf(int fd, struct rte_mbuf *m, const struct msghdr *to, int flags,
	const struct plx_net_done *done);

PLX_C_END
