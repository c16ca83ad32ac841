/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Programs on sockets: one on each lcore, run to completion.
 *
 * Each has an epoll set and, where it serves, a listener of its own (SO_REUSEPORT): a connection
 * stays on the lcore where its packets arrive, and nothing is shared. Nothing ever waits.
 */
#include "endpoint.h"
#include "stack.h"

struct prog;

/** Something in the program's epoll set; embedded in the owner's object. */
struct watch {
	int fd;		 /**< -1: closed */
	bool dead;	 /**< prog_free() was called: no more events */
	uint32_t events; /**< that it is watched for */
	void (*ready)(struct prog *p, struct watch *w, uint32_t events);
	struct plx_list link; /**< prog.watches, or .dead */
};

#define PROG_COUNTS 16

/** What the programs of a command are like. */
struct prog_ops {
	size_t bytes;		   /**< of each lcore's object, which begins with its struct prog */
	const char *const *counts; /**< names of prog.count[], NULL at the end. Optional */
	/** Before the first event. 0 or -errno, which ends the run. */
	int (*start)(struct prog *p);
	/** Each time the program runs, after events. @return when again, at the latest. Optional.
	 */
	plx_ns (*timer)(struct prog *p, plx_ns now);
	/** The flow of a connection is to live on another lcore, and w could go along, where it is
	 * p's twin's by arrive(): out of all lists of p's. @return whether it does. Optional. */
	bool (*leave)(struct prog *p, struct watch *w);
	/** It is p's now, and watched as before. Optional. */
	void (*arrive)(struct prog *p, struct watch *w);
	/** More for the reports, beside the counters. Main or control thread. Optional. */
	void (*json)(struct stack *s, json_t *o, bool final);
	void (*text)(struct stack *s, FILE *out);
	/** Before the programs are made: addresses to be added, for example. Optional. */
	int (*prepare)(struct stack *s, struct plx_error *e);
	/** After the run: undoes prepare(), also one that failed. Optional. */
	void (*end)(struct stack *s);
};

/** A program of one lcore. */
struct prog {
	struct plx_sock_program program;
	const struct prog_ops *ops;
	void *arg; /**< the command's, shared: not to be written to */
	struct plx_softnet *sn;
	struct plx_list watches, dead;
	plx_ns now; /**< of this pass */
	bool fresh; /**< something is watched that was not when this pass began */
	int epfd;
	int err;		/**< why it did not start, or ended the run */
	const char *host, *why; /**< err is of a name: which, and EAI_* in words; else NULL */
	uint64_t count[PROG_COUNTS];
};

/* prog_run.c: a run of the stack */

/** Run the stack with a program on each lcore until it is to end. @return enum app_exit. */
int prog_main(struct app *app, const struct prog_ops *ops, void *arg);
/** What prog_main() was given. */
void *prog_arg(const struct stack *s);
/** The program of the i-th lcore of a stack that prog_main() runs. */
struct prog *prog_get(const struct stack *s, uint16_t i);
/** The sum of a counter. */
uint64_t prog_sum(const struct stack *s, unsigned int count);

/* prog.c */

/** One of an lcore, which has not started; to be freed by free(). NULL: no memory. */
struct prog *prog_make(const struct prog_ops *ops, void *arg);

/* For the programs, on their lcore */

/** Have w->fd watched: w->ready() is called with what EPOLL* says. @return 0 or -errno. */
int prog_watch(struct prog *p, struct watch *w, uint32_t events);
/**
 * Close w->fd if it is open, and have `w` freed by free() when no event can mean it any more; it
 * has to be the first member of what was allocated. Harmless to repeat.
 */
void prog_free(struct prog *p, struct watch *w);
/** A socket that listens (SOCK_STREAM) or is bound, beside those of the other lcores. @return it,
 * or -errno. */
int prog_listen(const struct endpoint *ep, int type);
/** accept() on a listener. @return the descriptor, not blocking; -EAGAIN: none waits. */
int prog_accept(struct watch *listener);

union prog_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
/** As bind() and connect() take it: of IPv4 or IPv6. @return its length. */
socklen_t prog_sockaddr(union prog_addr *to, const struct endpoint *ep);
