/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_owner.h"

#include <errno.h>

int plx_steer_owner_init(struct plx_owner_map *m, uint16_t size, const uint16_t *lcores, uint16_t n)
{
	if (size == 0 || size > PLX_OWNER_BUCKETS_MAX || (size & (size - 1)) != 0 || n == 0)
		return -EINVAL;
	m->size = size;
	m->changes = 0;
	for (unsigned int i = 0; i < size; i++)
		m->lcore[i] = lcores[i % n];
	return 0;
}

int plx_steer_owner_set(struct plx_owner_map *m, uint16_t bucket, uint16_t lcore)
{
	if (bucket >= m->size)
		return -EINVAL;
	__atomic_store_n(&m->lcore[bucket], lcore, __ATOMIC_RELAXED);
	__atomic_store_n(&m->changes, m->changes + 1, __ATOMIC_RELEASE);
	return 0;
}
