/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair.h"

#include <errno.h>

#include <rte_malloc.h>

int impair__heap_new(struct impair_heap *h, uint32_t cap, int socket)
{
	h->n = 0;
	h->v = plx_pkt_mem_alloc(cap * sizeof(*h->v), socket);
	return h->v ? 0 : -ENOMEM;
}

void impair__heap_free(struct impair_heap *h)
{
	rte_free(h->v);
	h->v = NULL;
}

static bool before(const struct impair_held *a, const struct impair_held *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void impair__heap_push(struct impair_heap *h, const struct impair_held *p)
{
	uint32_t at = h->n++;

	for (; at && before(p, &h->v[(at - 1) / 2]); at = (at - 1) / 2)
		h->v[at] = h->v[(at - 1) / 2];
	h->v[at] = *p;
}

struct impair_held impair__heap_pop(struct impair_heap *h)
{
	struct impair_held top = h->v[0], last = h->v[--h->n];
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < h->n) {
		if (child + 1 < h->n && before(&h->v[child + 1], &h->v[child]))
			child++;
		if (before(&last, &h->v[child]))
			break;
		h->v[at] = h->v[child];
		at = child;
	}
	h->v[at] = last;
	return top;
}
