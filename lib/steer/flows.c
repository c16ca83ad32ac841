/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_flows.h"

#include <errno.h>

#define GET(v)	  __atomic_load_n(&(v), __ATOMIC_RELAXED)
#define PUT(v, x) __atomic_store_n(&(v), x, __ATOMIC_RELAXED)
#define NONE	  UINT32_MAX

int plx_steer_flows_init(
	struct plx_owner_flows *f, uint32_t *mem, uint32_t entries, uint16_t lcores)
{
	uint32_t lcore_mask = 1;

	if (lcores == 0 || lcores > PLX_STEER_LCORES_MAX)
		return -EINVAL;
	while (lcore_mask < lcores)
		lcore_mask = lcore_mask << 1 | 1;
	/* the slot tells the bits that the lcore has taken the place of */
	if (entries > PLX_OWNER_FLOWS_MAX || (entries & (entries - 1)) != 0 ||
		entries <= lcore_mask)
		return -EINVAL;
	*f = (struct plx_owner_flows){.ent = mem, .mask = entries - 1, .lcore_mask = lcore_mask};
	for (uint32_t i = 0; i < entries; i++)
		mem[i] = NONE;
	return 0;
}

static bool is_of(const struct plx_owner_flows *f, uint32_t ent, uint32_t hash)
{
	return !((ent ^ hash) & ~f->lcore_mask);
}

static bool is_none(const struct plx_owner_flows *f, uint32_t ent)
{
	return (ent & f->lcore_mask) == f->lcore_mask;
}

bool plx_steer_flows_can(const struct plx_owner_flows *f, uint32_t hash)
{
	uint32_t ent = GET(f->ent[hash & f->mask]);

	return is_none(f, ent) || is_of(f, ent, hash);
}

int plx_steer_flows_set(struct plx_owner_flows *f, uint32_t hash, uint16_t lcore)
{
	uint32_t *ent = &f->ent[hash & f->mask];

	if (!plx_steer_flows_can(f, hash))
		return -ENOSPC;
	if (is_none(f, *ent))
		PUT(f->used, f->used + 1);
	PUT(*ent, (hash & ~f->lcore_mask) | lcore);
	return 0;
}

void plx_steer_flows_clear(struct plx_owner_flows *f, uint32_t hash)
{
	uint32_t *ent = &f->ent[hash & f->mask];

	if (is_none(f, *ent) || !is_of(f, *ent, hash))
		return;
	PUT(*ent, NONE);
	PUT(f->used, f->used - 1);
}

bool plx_steer_flows_at(
	const struct plx_owner_flows *f, uint32_t slot, uint32_t *hash, uint16_t *lcore)
{
	uint32_t ent = GET(f->ent[slot]);

	if (is_none(f, ent))
		return false;
	*hash = (ent & ~f->lcore_mask) | (slot & f->lcore_mask);
	*lcore = (uint16_t)(ent & f->lcore_mask);
	return true;
}
