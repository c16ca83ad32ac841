/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

/*
 * A binary heap of the entries that have a deadline, the earliest on top. Each entry knows its
 * place, so that moving one is O(log n) wherever it stands. A wheel would be O(1), and round the
 * times; there are few neighbours and their deadlines are exact.
 */

static void put(struct plx_neigh_table *t, uint32_t at, struct neigh__entry *e)
{
	t->heap[at] = e;
	e->heap_at = at;
}

static void sift_up(struct plx_neigh_table *t, struct neigh__entry *e)
{
	uint32_t at = e->heap_at;

	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (t->heap[parent]->deadline <= e->deadline)
			break;
		put(t, at, t->heap[parent]);
		at = parent;
	}
	put(t, at, e);
}

static void sift_down(struct plx_neigh_table *t, struct neigh__entry *e)
{
	uint32_t at = e->heap_at;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= t->heap_n)
			break;
		if (child + 1 < t->heap_n &&
			t->heap[child + 1]->deadline < t->heap[child]->deadline)
			child++;
		if (e->deadline <= t->heap[child]->deadline)
			break;
		put(t, at, t->heap[child]);
		at = child;
	}
	put(t, at, e);
}

static void take_out(struct plx_neigh_table *t, struct neigh__entry *e)
{
	struct neigh__entry *last = t->heap[--t->heap_n];

	if (last != e) {
		put(t, e->heap_at, last);
		sift_up(t, last);
		sift_down(t, last);
	}
	e->heap_at = NEIGH__NOT_IN_HEAP;
}

void neigh__heap_set(struct plx_neigh_table *t, struct neigh__entry *e, plx_ns deadline)
{
	e->deadline = deadline;
	if (deadline == PLX_NEVER) {
		if (e->heap_at != NEIGH__NOT_IN_HEAP)
			take_out(t, e);
		return;
	}
	if (e->heap_at == NEIGH__NOT_IN_HEAP)
		put(t, t->heap_n++, e);
	sift_up(t, e);
	sift_down(t, e);
}
