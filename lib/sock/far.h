/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What an epoll set watches elsewhere: a file of another lcore, or of the kernel. Where the set is,
 * a stand-in takes its place.
 */
#include "epoll.h"

#define FAR_MOVING ((uintptr_t)1)

/** What one lcore tells another of a file's changes: one message at a time. */
struct sock_note {
	struct plx_msg msg;
	uint32_t key; /**< EPOLL* of the changes since it was read */
	bool posted;  /**< msg is under way */
};

/** A stand-in, of the lcore of the set, and the owner's part of it. */
struct sock_far {
	struct sock_file f;
	struct sock_lcore *here;
	int fd;
	bool left; /**< its watch has ended: it goes when the owner has let go, too */
	struct sock_epoll *set;
	struct sock_far *of_hash;
	struct plx_list of_lcore;
	/* between the two */
	struct plx_msg ask, leave; /**< to the owner */
	struct sock_note pass;	   /**< nobody waits here: it is for the next exclusive one */
	struct sock_note told;	   /**< from the owner */
	struct plx_msg gone;
	uint32_t mask; /**< EPOLL* that are true */
	bool closed;   /**< the file is no more */
	bool asked;    /**< `there` is who has, or had, it */
	/* the owner's */
	/** Atomic: the struct sock_lcore that has the file, with FAR_MOVING as long as it is on its
	 * way there; 0: the kernel's. */
	uintptr_t there;
	struct sock_watch w; /**< in the list of the file; w.set is NULL, w.events are none or
			      * EPOLLEXCLUSIVE */
	bool attached;
	/* the kernel's: kernel.c */
	struct sock_far *of_number;
	bool stale; /**< the number is another file's by now, or nobody's */
};

/** On the lcore of the set: a stand-in for fd, to be watched. @return NULL: *err says why. */
struct sock_file *sock__far_new(
	struct sock_lcore *sl, struct sock_epoll *set, int fd, uint32_t events, int *err);
/** The one that set has for fd. @return NULL: none. */
struct sock_file *sock__far_find(const struct sock_epoll *set, int fd);
/** Does f stand for a file of the kernel that was closed? */
bool sock__far_stale(struct sock_file *f);
/** Its watch has ended. */
void sock__far_end(struct sock_file *f);
bool sock__is_far(const struct sock_file *f);
/** On the owner: tell a watch from afar. @return false: it has not read yet what it was told. */
bool sock__far_wake(struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w, uint32_t key);
/** On the owner: it is as it is now, but not told. */
void sock__far_refresh(struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w);
/** On the owner: a call may have used up what f had. */
void sock__far_publish(struct sock_lcore *sl, struct sock_file *f);
/** On the owner: the file of w is closed. */
void sock__far_closed(struct sock_watch *w);
/** May f go to another lcore, as far as those who watch it are concerned? */
bool sock__far_may_leave(const struct sock_file *f);
/** On the owner: it goes. @return false: it does not, there is no memory. */
bool sock__far_leave(struct sock_lcore *sl, struct sock_file *f, struct sock_lcore *to);
/** On the new owner, or back on the old one: f has what watches it. */
void sock__far_arrive(struct sock_lcore *sl, struct sock_file *f);
/** After the run. */
void sock__far_free_all(struct sock_lcore *sl);

/* kernel.c: files of the kernel */
/** Have a thread wait for it. @return 0 or -errno (-EBADF, -EPERM as epoll_ctl(2)). */
int sock__kernel_watch(struct sock_far *far);
/** Has the file been closed since, though its number may be in use again? */
bool sock__kernel_stale(struct sock_far *far);
/** Wait for it no more: nobody knows far behind this. */
void sock__kernel_leave(struct sock_far *far);
/** EPOLL* that are true now. */
uint32_t sock__kernel_poll(const struct sock_far *far);
/** Tell the lcore of the set of a change in one of key (0 = in anything). As sock__far_wake(). */
bool sock__far_post(struct sock_far *far, uint32_t key);
void sock__kernel_end(struct plx_sock *ns);
