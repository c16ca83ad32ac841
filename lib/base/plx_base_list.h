/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Intrusive lists: a doubly linked one (struct plx_list) and a singly linked queue (struct
 * plx_fifo). The links live in the members, nothing is allocated. No locking: one owner.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

/** A list's head and a member's link alike. Circular; an unlinked one points to itself. */
struct plx_list {
	struct plx_list *next, *prev;
};

static inline void plx_list_init(struct plx_list *l)
{
	l->next = l->prev = l;
}

/** Of a head: no members. Of a member: not on a list. */
static inline bool plx_list_empty(const struct plx_list *l)
{
	return l->next == l;
}

static inline void plx_list_add_head(struct plx_list *head, struct plx_list *n)
{
	n->next = head->next;
	n->prev = head;
	head->next->prev = n;
	head->next = n;
}

/** Before a member instead of a head: inserts there. */
static inline void plx_list_add_tail(struct plx_list *head, struct plx_list *n)
{
	n->next = head;
	n->prev = head->prev;
	head->prev->next = n;
	head->prev = n;
}

/** Unlink. Harmless to repeat. */
static inline void plx_list_del(struct plx_list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	plx_list_init(n);
}

static inline void plx_list_move_tail(struct plx_list *head, struct plx_list *n)
{
	plx_list_del(n);
	plx_list_add_tail(head, n);
}

/** All members of from, in order, to the end of head; from is empty afterwards. O(1). */
static inline void plx_list_splice_tail(struct plx_list *head, struct plx_list *from)
{
	if (plx_list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	plx_list_init(from);
}

/** Unlink and return the first member, or NULL. */
static inline struct plx_list *plx_list_pop(struct plx_list *head)
{
	struct plx_list *n = head->next;

	if (n == head)
		return NULL;
	plx_list_del(n);
	return n;
}

#define plx_list_entry(node, type, member) plx_container_of(node, type, member)

/** The first member as its type, or NULL. */
#define plx_list_first(head, type, member)                                                         \
	(plx_list_empty(head) ? (type *)NULL : plx_list_entry((head)->next, type, member))
#define plx_list_last(head, type, member)                                                          \
	(plx_list_empty(head) ? (type *)NULL : plx_list_entry((head)->prev, type, member))

/** Each member in order; pos is a pointer to its type. The body must not unlink pos. */
#define plx_list_foreach(pos, head, member)                                                        \
	for (pos = plx_list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
		pos = plx_list_entry(pos->member.next, __typeof__(*pos), member))

/** The same, where the body may unlink or free pos (but not tmp, the one after it). */
#define plx_list_foreach_safe(pos, tmp, head, member)                                              \
	for (pos = plx_list_entry((head)->next, __typeof__(*pos), member),                         \
	    tmp = plx_list_entry(pos->member.next, __typeof__(*pos), member);                      \
		&pos->member != (head);                                                            \
		pos = tmp, tmp = plx_list_entry(pos->member.next, __typeof__(*pos), member))

struct plx_fifo_node {
	struct plx_fifo_node *next;
};

/** First in, first out. Zeroed = empty; may be copied (the copy then owns the members). */
struct plx_fifo {
	struct plx_fifo_node *head;
	struct plx_fifo_node *tail; /**< undefined while head is NULL */
};

static inline void plx_fifo_init(struct plx_fifo *q)
{
	q->head = q->tail = NULL;
}

static inline bool plx_fifo_empty(const struct plx_fifo *q)
{
	return q->head == NULL;
}

static inline void plx_fifo_push(struct plx_fifo *q, struct plx_fifo_node *n)
{
	n->next = NULL;
	if (q->head)
		q->tail->next = n;
	else
		q->head = n;
	q->tail = n;
}

/** Back to the front: next to be popped. */
static inline void plx_fifo_push_head(struct plx_fifo *q, struct plx_fifo_node *n)
{
	n->next = q->head;
	if (!q->head)
		q->tail = n;
	q->head = n;
}

/** The oldest, or NULL; stays queued. */
static inline struct plx_fifo_node *plx_fifo_peek(const struct plx_fifo *q)
{
	return q->head;
}

/** Take the oldest, or NULL. */
static inline struct plx_fifo_node *plx_fifo_pop(struct plx_fifo *q)
{
	struct plx_fifo_node *n = q->head;

	if (n)
		q->head = n->next;
	return n;
}

/** All of from behind q's members; from is empty afterwards. O(1). */
static inline void plx_fifo_splice(struct plx_fifo *q, struct plx_fifo *from)
{
	if (!from->head)
		return;
	if (q->head)
		q->tail->next = from->head;
	else
		q->head = from->head;
	q->tail = from->tail;
	plx_fifo_init(from);
}

PLX_C_END
