/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of the library share.
 *
 * Everything that has a descriptor is a struct sock_file with a table of functions, its kind, and
 * belongs to an lcore, which alone looks at it. A call is a struct sock_op, on its caller's stack:
 * run() does it, or says -EAGAIN and what to wait for (op->want). On the owner lcore it is run
 * where it is made. An ordinary thread posts it; where it blocks, it waits in the file's list, is
 * run again when what it wants has come, and its thread sleeps on a futex all that time.
 */
#include <errno.h>

#include "plx_sock.h"

/* sock_file.flags */
#define SOCKF_NONBLOCK	0x0001 /* O_NONBLOCK */
#define SOCKF_V6	0x0002 /* AF_INET6 */
#define SOCKF_RCV_SHUT	0x0004 /* sk_shutdown & RCV_SHUTDOWN */
#define SOCKF_SND_SHUT	0x0008
#define SOCKF_BOTH_SHUT (SOCKF_RCV_SHUT | SOCKF_SND_SHUT)
#define SOCKF_OPENING	0x0010 /* connect() has begun and was not asked about since */
#define SOCKF_WAS_OPEN	0x0020 /* has been connected */
#define SOCKF_BOUND	0x0040 /* cold->bind is in the stack's table */
#define SOCKF_ASYNC	0x0080 /* O_ASYNC */
#define SOCKF_CLOEXEC	0x0100 /* kept, and told */
#define SOCKF_FAR	0x0400 /* is, or was, watched from elsewhere: far.h */
#define SOCKF_URG_READ	0x0800 /* the urgent byte at spare has been read */
#define SOCKF_DONE                                                                                 \
	0x1000 /* the peer's FIN has come (SOCK_DONE): errors don't matter to readers              \
		*/
#define SOCKF_RETRYING 0x2000  /* its waiting calls are being run */
#define SOCKF_CHANGED  0x4000  /* meanwhile it has changed again */
#define SOCKF_QUEUED   0x0200  /* accept() has not taken it yet */
#define SOCKF_BOUND_IP 0x8000  /* cold->bind is an address, whose port comes later */
#define SOCKF_SHARED   0x10000 /* cold is others', too */
#define SOCKF_PROGRAM  0x20000 /* made by an lcore's program, not by a thread */

/* What readiness events are made of (Linux's poll masks). */
#define SOCK_IN	 (EPOLLIN | EPOLLRDNORM)
#define SOCK_OUT (EPOLLOUT | EPOLLWRNORM)

struct sock_file;
struct sock_op;
struct sock_lcore;

/** What a kind of file can do. Absent: EOPNOTSUPP of a socket, ENOTSOCK of something else. */
struct sock_kind {
	int type, protocol; /**< of socket(2); type 0: no socket */
	int domain;	    /**< AF_PACKET; 0 = the Internet's, see SOCKF_V6 */
	uint32_t (*poll)(
		struct sock_lcore *sl, struct sock_file *f); /**< EPOLL* that are true now */
	long (*bind)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*listen)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*accept)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*connect)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*shutdown)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*recv)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	long (*send)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	/** op->send, op->mbuf, op->lent. */
	long (*send_mbuf)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	struct rte_mbuf *(*recv_mbuf)(struct sock_lcore *sl, struct sock_file *f, int *err);
	/** @param peer getpeername(), else getsockname(). */
	long (*name)(struct sock_lcore *sl, struct sock_file *f, bool peer, struct plx_addr *a,
		uint16_t *port, uint16_t *iface);
	/** getsockname() where the address is none of the Internet's, in place of name(). */
	long (*sockname)(
		struct sock_lcore *sl, struct sock_file *f, struct sockaddr *sa, socklen_t *len);
	/** Bytes of text to be read, written and not acknowledged, or not sent (SIOCINQ, SIOCOUTQ,
	 * SIOCOUTQNSD); -errno. */
	long (*queued)(struct sock_lcore *sl, struct sock_file *f, unsigned long request);
	/** An option has been set: cold->opt has it. */
	long (*applied)(struct sock_lcore *sl, struct sock_file *f, int level, int name);
	/** Before a close() that may wait: linger. 0, or -EAGAIN. Optional. */
	long (*linger)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	/** It has no descriptor any more: free it, now or when it can be. */
	void (*release)(struct sock_lcore *sl, struct sock_file *f);
};

/** Values of options, in the units in which they are set; Linux's defaults. */
struct sock_opts {
	uint32_t sndbuf, rcvbuf; /**< bytes, doubled as Linux does; 0 = tuned, default */
	uint32_t rcvlowat;
	uint32_t busy_poll_us;
	int64_t rcvtimeo_us, sndtimeo_us; /**< 0 = for ever */
	uint32_t mark, priority;
	int32_t linger_s; /**< negative: off, ~linger_s is remembered */
	uint16_t iface;	  /**< SO_BINDTODEVICE */
	uint16_t udp_segment;
	int32_t peek_off; /**< SO_PEEK_OFF; negative: none */
	uint32_t ifindex; /**< SO_BINDTOIFINDEX, if iface cannot hold the number */
	bool reuseaddr, reuseport, keepalive, broadcast, oobinline, dontroute, timestampns, debug;
	bool zerocopy;
	bool timestamp; /**< SO_TIMESTAMP */
	bool stamp_new; /**< either of them as SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW */
	bool rxq_ovfl;
	bool select_err;	/**< SO_SELECT_ERR_QUEUE */
	bool hdrincl;		/**< of raw sockets */
	bool udp_gro, udp_cork; /**< and udp_segment, above */
	uint64_t cookie;	/**< SO_COOKIE; 0 = nobody has asked */
	/* TCP */
	bool nodelay, cork, inq;
	uint8_t syncnt;	      /**< 0 = default; the same where nothing else is said */
	uint8_t defer_accept; /**< time-outs of the SYN-ACK that it takes */
	uint8_t keepcnt;
	uint16_t maxseg, keepidle_s, keepintvl_s;
	uint32_t user_timeout_ms, notsent_lowat, window_clamp;
	int32_t linger2_s; /**< -1 = at once */
	char cc[16];
	/* IP */
	uint8_t tos, ttl;
	uint8_t min_ttl, min_hops; /**< IP_MINTTL, IPV6_MINHOPCOUNT */
	uint8_t tclass, mc_ttl;	   /**< mc_ttl, mc_hops: 0 = not to a wire */
	int16_t hops, mc_hops;	   /**< -1 = default */
	uint16_t mc_if, mc6_if;
	bool mc_loop, mc6_loop, mc_all, mc6_all, v6only;
	uint8_t pmtudisc; /**< PLX_NET_PMTU(IP_PMTUDISC_*); 0 = default */
	struct plx_addr mc_src;
	uint8_t pmtudisc6; /**< the same */
	bool pktinfo, recvttl, recvtos, recverr, origdst, bind_no_port;
	bool pktinfo6, recvhops, recvtclass, recverr6, origdst6, dontfrag;
	bool no_check, no_check6; /**< SO_NO_CHECK is IPv4's, UDP_NO_CHECK6_TX IPv6's */
};
/** What a socket has that has set none. */
extern const struct sock_opts sock__default_opts;

struct sock_lcore;
struct sock_file;
struct sock_listen;
struct sock_zc;
/** What few sockets have, and those whose options are the same share. */
struct sock_cold {
	struct sock_opts opt;
	union {
		struct plx_net_bind bind;
		struct { /* SOCKF_SHARED: nobody's, so it has no claim on a port */
			struct plx_list of_lcore;
			uint32_t sharers;
		};
	};
	struct sock_listen *listen;
	struct sock_zc *zc; /**< errq.h; NULL: nothing was sent by MSG_ZEROCOPY */
	int32_t owner_pid;  /**< F_SETOWN; 0 = nobody */
	int32_t owner_type; /**< F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP */
	int32_t sig;	    /**< F_SETSIG */
};
static_assert(sizeof(struct sock_cold) <= 256, "one block of the arena");

struct sock_watch;
/** Begins every object that has a descriptor. */
struct sock_file {
	const struct sock_kind *kind;
	union {
		struct sock_op *waiters; /**< calls that wait for it, oldest first */
		uint64_t nth; /**< on its way to another lcore, move.c: its lcore's program, from 1;
			       * 0: a thread's */
	};
	union {
		struct sock_watch *watch; /**< epoll sets that it is in */
		uint64_t data;		  /**< on its way, a program's: of that one's watch */
	};
	struct sock_cold *cold; /**< NULL: defaults. To be written: sock__cold() */
	uint32_t slot;
	uint32_t flags; /**< SOCKF_* */
	int32_t err;	/**< SO_ERROR: a positive errno */
	uint32_t spare; /**< the kind's */
};

static inline const struct sock_opts *sock__opts(const struct sock_file *f)
{
	return f->cold ? &f->cold->opt : &sock__default_opts;
}

/* peek.c */

void sock__peek_move(struct sock_lcore *sl, struct sock_file *f, int64_t by);
/** Bytes that a peek leaves out. */
static inline uint32_t sock__peek_off(const struct sock_file *f)
{
	return (uint32_t)PLX_MAX(sock__opts(f)->peek_off, 0);
}
/** n bytes were read, or peeked at. What sock__opts() has given may be gone then. */
static inline void sock__peek_moved(
	struct sock_lcore *sl, struct sock_file *f, bool peeks, size_t n)
{
	if (plx_unlikely(sock__opts(f)->peek_off >= 0) && n)
		sock__peek_move(sl, f, peeks ? (int64_t)n : -(int64_t)n);
}

static inline bool sock__is(const struct sock_file *f, uint32_t flags)
{
	return f->flags & flags;
}

/** SOCKF_* of SOCK_*, which EFD_* and EPOLL_CLOEXEC are, too. */
static inline uint32_t sock__flags(int flags)
{
	return (flags & SOCK_NONBLOCK ? SOCKF_NONBLOCK : 0) |
	       (flags & SOCK_CLOEXEC ? SOCKF_CLOEXEC : 0);
}
static_assert((int)EFD_NONBLOCK == (int)SOCK_NONBLOCK, "O_NONBLOCK");
static_assert((int)EFD_CLOEXEC == (int)SOCK_CLOEXEC, "O_CLOEXEC");
static_assert((int)EPOLL_CLOEXEC == (int)SOCK_CLOEXEC, "O_CLOEXEC");

/** The number of an interface as the stack has them: one that is too big is nobody's. */
static inline uint16_t sock__iface_no(uint32_t n)
{
	return (uint16_t)PLX_MIN(n, (uint32_t)UINT16_MAX);
}

static inline bool sock__is_set(const struct sock_file *f)
{
	return !f->kind->type && !f->kind->recv;
}

/** A call under way. */
struct sock_op {
	struct plx_msg msg;
	long (*run)(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
	int fd;
	int flags;     /**< MSG_*, SOCK_*, how, ... */
	uint16_t near; /**< with uses: 1 + the index of the lcore nearest to the thread; 0 = none */
	bool block;    /**< the caller would sleep */
	bool nofile;   /**< it is about no file yet */
	bool own;      /**< made on the owner lcore, which never waits */
	bool uses;     /**< the socket: RFS follows those who do */
	bool spread;   /**< a thread's new file is on any lcore, not the first */
	bool sigpipe;  /**< EPIPE comes with SIGPIPE: set by run() */
	bool no_restart;    /**< a signal ends it, whatever SA_RESTART says */
	uint32_t want;	    /**< with -EAGAIN: EPOLL* to wait for; 0 = any change */
	size_t done;	    /**< bytes so far, of a call that goes on where it was */
	struct sock_zc *zc; /**< of a call by MSG_ZEROCOPY: errq.h */
	uint32_t zc_id;
	long result;
	/* its thread */
	uint32_t state;	    /**< futex: enum sock_op_state */
	int64_t timeout_us; /**< atomic: 0 = for ever; with -EAGAIN, of the socket's option */
	int timeout_err;    /**< what a timeout gives; 0 = EAGAIN */
	int64_t limit_us;   /**< in place of timeout_us; 0 = none */
	void (*completed)(struct sock_op *op); /**< who is told in place of a thread; or NULL */
	const sigset_t *mask;		       /**< the thread's while it waits; NULL: as it is */
	int evfd; /**< with a mask: an eventfd of the kernel, written when it is done */
	struct sock_op *next;
	struct sock_file *file; /**< that it waits for */
	struct sock_lcore *at;	/**< atomic: who carries it out; NULL: it is on its way */
	struct plx_timer timer; /**< of timeout_us, by the engine's clock */
	/* arguments */
	union {
		struct {
			const struct sockaddr *addr;
			socklen_t addr_len;
		};
		struct {
			struct sockaddr *name; /**< to be filled; NULL = not wanted */
			socklen_t *name_len;
		};
		struct msghdr *recv; /**< msg_name.. are filled in */
		struct {
			const struct msghdr *send;
			struct rte_mbuf *mbuf; /**< in place of its bytes */
			const struct plx_net_done *lent;
		};
		struct {
			int level, opt;
			void *value;
			const void *cvalue;
			socklen_t *value_len, cvalue_len;
		};
		struct {
			int domain, type, protocol;
		};
		struct {
			unsigned long request;
			void *arg;
			long arg_long;
		};
		struct {
			struct epoll_event *ev;
			int n_ev, target, ctl;
		};
		uint64_t *count; /**< eventfd */
	};
};

enum sock_op_state { SOCK_OP_POSTED, SOCK_OP_WAITS, SOCK_OP_DONE };

/** What an lcore has of sockets. */
struct sock_lcore {
	struct plx_sock *ns;
	struct plx_softnet *sn;
	struct plx_arena arena;
	void *mem;
	uint32_t free_slot; /**< head of the list, or SOCK_NO_SLOT */
	uint32_t n_files;
	uint32_t ready_sets; /**< epoll sets have got something since the programs ran */
	uint64_t cookies;    /**< SO_COOKIE: given out */
	struct plx_poller poller;
	struct plx_sock_program *program;
	plx_ns program_ns; /**< when they want to run at the latest */
	uint64_t running;  /**< which of them is called just now, from 1; 0: none */
	bool started;
	bool foreign;		/**< a call is carried out for somebody who is not on this lcore */
	struct plx_list fars;	/**< struct sock_far */
	struct plx_list colds;	/**< struct sock_cold, shared; the newest first */
	struct plx_wheel wheel; /**< of calls that wait */
	uint16_t near; /**< the lcore that threads on its CPU are near, itself if it is alone */
};

struct plx_sock {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_sock_conf conf;
	uint16_t n;
	uint32_t next_home; /**< which lcore the next ordinary thread's socket is for */
	struct sock_lcore *lcore[PLX_ENGINE_LCORES_MAX];
	struct sock_kernel *kernel; /**< NULL until a file of the kernel is watched */
	struct plx_sock *next;
};

/* file.c: descriptors, and the life of what they stand for */
#define SOCK_NO_SLOT UINT32_MAX
extern struct sock_lcore *sock__lcores[RTE_MAX_LCORE];
/** The lcore that the calling thread is; NULL: an ordinary thread. */
struct sock_lcore *sock__self(void);
/** Whose sockets the calling thread makes; NULL: nobody's. */
struct plx_sock *sock__ns(void);
/** Memory, when somebody needs it. @return NULL: there is none. Zeroed. */
void *sock__alloc(struct sock_lcore *sl, size_t bytes);
void sock__free(struct sock_lcore *sl, void *p, size_t bytes);
/** Give f a descriptor. @return it, or -ENFILE. */
int sock__fd_new(struct sock_lcore *sl, struct sock_file *f);
int sock__fd_of(const struct sock_file *f);
/** As many can be open at a time. */
uint32_t sock__files(void);
/** @return NULL: there is none, or not of this lcore. */
struct sock_file *sock__file(const struct sock_lcore *sl, int fd);
/** EAL's id of the lcore that has it, or -1. Any thread. */
int sock__fd_lcore(int fd);
/** Is it an epoll set's? Any thread. */
bool sock__fd_is_set(int fd);
/**
 * Is the file of fd on another lcore by now, or on its way here? @return where to ask (again), or
 * NULL: neither.
 */
struct sock_lcore *sock__fd_moved(const struct sock_lcore *sl, int fd);
/** The file of a descriptor goes to an lcore, which has it from sock__fd_put() on. */
void sock__fd_leave(struct sock_lcore *sl, struct sock_file *f, const struct sock_lcore *to);
void sock__fd_put(struct sock_lcore *sl, struct sock_file *f);
/** It has arrived: it counts here no more. */
void sock__fd_left(struct sock_lcore *sl);
/** It loses its descriptor, its watches and waiters, and is released. */
void sock__close(struct sock_lcore *sl, struct sock_file *f);
bool sock__forked(void);

/* cold.c */
/** Options of its own. @return NULL: no memory. */
struct sock_cold *sock__cold(struct sock_lcore *sl, struct sock_file *f);
/** A fresh file has these options, and shares them. @return false: no memory. */
bool sock__cold_take(struct sock_lcore *sl, struct sock_file *f, const struct sock_opts *o);
/** Its options have been set: share them with whom it can. */
void sock__cold_share(struct sock_lcore *sl, struct sock_file *f);
void sock__cold_free(struct sock_lcore *sl, struct sock_file *f);

/* move.c: as struct plx_net_tcp_ops has them */
bool sock__tcp_leave(struct plx_softnet *sn, struct plx_net_tcp *c, struct plx_softnet *to);
bool sock__tcp_arrive(struct plx_softnet *sn, struct plx_net_tcp *c);
void sock__tcp_left(struct plx_softnet *sn, void *user);

/** A thread uses op's socket. */
PLX_NOINLINE void sock__used(struct sock_lcore *sl, const struct sock_op *op);

/* program.c */
void sock__poller_init(struct sock_lcore *sl);

/* call.c: carrying a call to its owner, and back */
/** The call about op->fd, or about no file yet (op->nofile). @return its result, or -1 and errno.
 */
long sock__call(struct sock_op *op);
/** Run op on its owner's lcore: it is done at once, or waits. */
void sock__begin(struct plx_softnet *sn, struct sock_op *op);
/** On the owner's lcore: end it if it waits. */
void sock__cancel(struct plx_softnet *sn, struct sock_op *op, long result);
/** Let the lcores of two files do what they were told so far. Ordinary threads. */
void sock__flush(int fd, int other);
/** By an ordinary thread: what all lcores were to be told of its last call they know. */
void sock__meet(struct plx_sock *ns);
/** Run those again that wait for something of key; 0 = for anything. */
void sock__retry(struct sock_lcore *sl, struct sock_file *f, uint32_t key);
/** End those that have waited for long enough. */
uint32_t sock__timeouts(struct sock_lcore *sl);
void sock__timeouts_init(struct sock_lcore *sl);
/** Those of a list, that waited for a file which goes to another lcore, go along. */
void sock__waiters_follow(struct sock_lcore *sl, struct sock_op *list, const struct sock_lcore *to);
/** End all that wait for f. */
void sock__waiters_end(struct sock_lcore *sl, struct sock_file *f, long result);

/* ready.c */
/** f may have changed in one of key (EPOLL*; 0 = in anything): tell who waits or watches. */
void sock__wake(struct sock_lcore *sl, struct sock_file *f, uint32_t key);
/** Out of all sets. */
void sock__unwatch(struct sock_lcore *sl, struct sock_file *f);

/* addr.c */
/** Where to: of a call on f. @param unspec AF_UNSPEC is fine, and gives any. @return 0 or -errno.
 */
int sock__addr_get(const struct sock_file *f, const struct sockaddr *sa, socklen_t len,
	struct plx_addr *a, uint16_t *port, uint16_t *iface);
/** As f's family has it; *len is what there is room for, and becomes what it takes. */
void sock__addr_put(const struct sock_file *f, const struct plx_addr *a, uint16_t port,
	uint16_t iface, struct sockaddr *sa, socklen_t *len);

/** Where to bind to: as it stands in the call, and whether it may be. @return 0 or -errno. */
int sock__bind_addr(struct sock_lcore *sl, const struct sock_file *f, const struct sock_op *op,
	struct plx_addr *a, uint16_t *port, uint16_t *iface);

/* kinds */
long sock__stream_new(struct sock_lcore *sl, int domain, int protocol, int flags);
long sock__dgram_new(struct sock_lcore *sl, int domain, int protocol, int flags);
long sock__raw_new(struct sock_lcore *sl, int domain, int protocol, int flags);
long sock__packet_new(struct sock_lcore *sl, int type, int protocol, int flags);
/** NULL if f is none, or not connected. */
struct plx_net_tcp *sock__tcp_of(const struct sock_file *f);
bool sock__is_listening(const struct sock_file *f);

/* iov.c: pieces of memory that a call gave */
struct sock_iov {
	const struct iovec *v;
	size_t n, off; /**< off: in v[0] */
};
size_t sock__iov_bytes(const struct msghdr *m);
/** A piece of it is nowhere: EFAULT. (Other wrong addresses end the program.) */
bool sock__iov_bad(const struct msghdr *m);
/** Skip the first n bytes. */
struct sock_iov sock__iov_at(const struct msghdr *m, size_t n);
/** The next piece. @return false: there is none. */
bool sock__iov_next(struct sock_iov *it, void **p, size_t *n);

/* ctl.c: op->flags is the command of fcntl(2), op->request that of ioctl(2) */
long sock__fcntl(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__ioctl(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** ioctl_if.c: SIOCGIFINDEX and the like. */
long sock__ioctl_if(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
/** With SOCKF_ASYNC: f has changed in one of key (EPOLL*; 0 = in anything), tell its owner. */
void sock__sigio(const struct sock_file *f, uint32_t key);
/** Urgent data have come. */
void sock__sigurg(const struct sock_file *f);

/* api.c */
/** Is m one that can be sent, or received into? @return 0 or a positive errno. */
int sock__msg_check(const struct msghdr *m);
/* what the calls run on the owner's lcore */
long sock__run_accept(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__run_connect(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__run_shutdown(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__run_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__run_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
#define SOCK_CLOSE_NOW 1 /* op->flags: without lingering */
long sock__run_close(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);

/* opt.c */
long sock__setsockopt(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
long sock__getsockopt(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);

/** Does the call wait, if it comes to that? */
static inline bool sock__waits(const struct sock_file *f, struct sock_op *op)
{
	if (sock__is(f, SOCKF_NONBLOCK) || op->flags & MSG_DONTWAIT)
		op->block = false;
	return op->block;
}

/** A call's run() has to wait: for what, and how long at most. */
static inline long sock__again(struct sock_op *op, uint32_t want, int64_t timeout_us)
{
	op->want = want;
	__atomic_store_n(&op->timeout_us, timeout_us, __ATOMIC_RELAXED);
	return -EAGAIN;
}
