/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_ring.h"

static_assert(sizeof(struct plx_ring) == 128, "each side has one cache line");

/* Positions are 32 bits and full differs from empty, so 2^31 slots at most. */
static bool capacity_ok(uint32_t capacity)
{
	return capacity != 0 && (capacity & (capacity - 1)) == 0;
}

size_t plx_ring_size(uint32_t capacity)
{
	return capacity_ok(capacity) ? sizeof(struct plx_ring) + capacity * sizeof(void *) : 0;
}

struct plx_ring *plx_ring_init(void *mem, uint32_t capacity)
{
	struct plx_ring *r = mem;

	if (!capacity_ok(capacity) || (uintptr_t)mem % 64 != 0)
		return NULL;
	*r = (struct plx_ring){.prod.mask = capacity - 1, .cons.mask = capacity - 1};
	return r;
}
