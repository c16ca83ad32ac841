/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * An unbounded intrusive queue: any number of producer threads, one consumer (after D. Vyukov).
 *
 * A push is one atomic exchange and one store, wait-free, so a producer can neither wait for nor
 * stall the consumer. Between the two the queue is cut: a producer that is put to sleep exactly
 * there hides the node before its own, its own and those pushed later, until it goes on. Nothing is
 * lost; the consumer meanwhile sees NULL from pop() while empty() is false.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

struct plx_mpsc_node {
	struct plx_mpsc_node *next;
};

/** Not copyable. */
struct plx_mpsc {
	struct plx_mpsc_node *last PLX_ALIGNED;	 /**< the producers' end */
	struct plx_mpsc_node *first PLX_ALIGNED; /**< the consumer's end */
	struct plx_mpsc_node stub;		 /**< keeps the queue from being without a node */
};

static inline void plx_mpsc_init(struct plx_mpsc *q)
{
	q->stub.next = NULL;
	q->first = q->last = &q->stub;
}

/**
 * Append n, which belongs to the queue until it is popped. Any thread; releases what was written
 * before. @return true when the queue was empty (or about to be): the consumer may need a wake-up.
 */
static inline bool plx_mpsc_push(struct plx_mpsc *q, struct plx_mpsc_node *n)
{
	struct plx_mpsc_node *prev;

	__atomic_store_n(&n->next, (struct plx_mpsc_node *)NULL, __ATOMIC_RELAXED);
	prev = __atomic_exchange_n(&q->last, n, __ATOMIC_ACQ_REL);
	__atomic_store_n(&prev->next, n, __ATOMIC_RELEASE);
	return prev == &q->stub;
}

/**
 * Take the oldest node. Consumer only. Nodes of one producer come in its order.
 * @return NULL when the queue is empty, or while the next node's producer is between its steps:
 * come back later, don't wait for it.
 */
static inline struct plx_mpsc_node *plx_mpsc_pop(struct plx_mpsc *q)
{
	struct plx_mpsc_node *n = q->first;
	struct plx_mpsc_node *next = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);

	if (n == &q->stub) {
		if (!next)
			return NULL;
		q->first = n = next;
		next = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);
	}
	if (!next) {
		/* Looks like the last one: it can only leave once another node stands behind it. */
		if (n != __atomic_load_n(&q->last, __ATOMIC_ACQUIRE))
			return NULL;
		plx_mpsc_push(q, &q->stub);
		next = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);
		if (!next)
			return NULL;
	}
	q->first = next;
	return n;
}

/**
 * True when nothing is queued, nor half pushed. Consumer only. To sleep: publish the wish to, fence
 * (__ATOMIC_SEQ_CST), and sleep only if this is still true.
 */
static inline bool plx_mpsc_empty(const struct plx_mpsc *q)
{
	return q->first == &q->stub && __atomic_load_n(&q->last, __ATOMIC_ACQUIRE) == &q->stub;
}

PLX_C_END
