/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Epoll sets: which files are watched, and which of them have got something.
 *
 * A set's ready list holds the watches whose file was told of (sock__wake()) since it was last
 * found to have nothing, so a wait costs what is ready and not what is watched. What is on it is
 * asked again before it is reported, as Linux does it.
 */
#include "sock.h"

/* sock_watch.state */
#define WATCH_QUEUED 1 /* on the ready list */
#define WATCH_DEAD   2 /* of no file any more: freed when the list comes by */

/* Bits of epoll_event.events that are no events. */
#define WATCH_PRIVATE (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

struct sock_epoll;
/** A file in a set. */
struct sock_watch {
	struct sock_watch *of_file; /**< the next one of its file */
	struct sock_watch *of_ready;
	struct plx_list of_set;
	struct sock_epoll *set;
	struct sock_file *file;
	uint64_t data;
	uint32_t events;
	uint32_t state;
};
static_assert(sizeof(struct sock_watch) == 64, "one block of the arena");

struct sock_epoll {
	struct sock_file f;
	struct plx_list all;
	struct sock_watch *ready, **ready_end;
	uint32_t n_ready;
	uint64_t nth; /**< the program of its lcore that has made it, from 1; 0: none */
	bool rests;   /**< its lcore's program has found nothing, and is called when it has got some
		       */
	struct sock_far **far; /**< those of files elsewhere, by descriptor: far.h */
	uint32_t far_mask, n_far;
};

/** Into the list of f, where Linux would have it: exclusive ones last, in their order. */
void sock__watch_attach(struct sock_file *f, struct sock_watch *w);
/**
 * f may have changed in one of key: tell w and those behind it, of exclusive ones up to the first
 * whose set somebody waits in. @return whether there was one.
 */
bool sock__watches_wake(
	struct sock_lcore *sl, struct sock_file *f, struct sock_watch *w, uint32_t key);
/** To the end of its set's ready list. @return false: it is on it. */
bool sock__watch_queue(struct sock_watch *w);
/** w has something, as far as is known: the set has, too. */
void sock__watch_ready(struct sock_lcore *sl, struct sock_watch *w);
/** w is of nobody any more. */
void sock__watch_end(struct sock_lcore *sl, struct sock_watch *w);
