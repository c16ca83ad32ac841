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

static uint32_t weight_of(const uint32_t *weight, uint16_t i)
{
	return weight ? weight[i] : 1;
}

/* What the first i are due of so many buckets: parts that add up, each to within one. */
static uint32_t due(uint32_t size, uint64_t before, uint64_t all)
{
	return (uint32_t)((size * before + all / 2) / all);
}

static int place_of(const uint16_t *lcores, uint16_t n, uint16_t lcore)
{
	for (uint16_t i = 0; i < n; i++)
		if (lcores[i] == lcore)
			return i;
	return -1;
}

int plx_steer_owner_share(const struct plx_owner_map *m, uint16_t *want, const uint16_t *lcores,
	const uint32_t *weight, uint16_t n)
{
	uint32_t room[PLX_OWNER_BUCKETS_MAX];
	uint64_t all = 0, before = 0;
	uint16_t next = 0;

	if (n == 0 || n > PLX_OWNER_BUCKETS_MAX)
		return -EINVAL;
	for (uint16_t i = 0; i < n; i++) {
		if (place_of(lcores, i, lcores[i]) >= 0)
			return -EINVAL;
		all += weight_of(weight, i);
	}
	if (all == 0)
		return -EINVAL;
	for (uint16_t i = 0; i < n; before += weight_of(weight, i), i++)
		room[i] = due(m->size, before + weight_of(weight, i), all) -
			  due(m->size, before, all);
	for (uint16_t b = 0; b < m->size; b++) {
		int at = place_of(lcores, n, m->lcore[b]);

		want[b] = at >= 0 && room[at] ? m->lcore[b] : UINT16_MAX;
		if (want[b] != UINT16_MAX)
			room[at]--;
	}
	for (uint16_t b = 0; b < m->size; b++) {
		if (want[b] != UINT16_MAX)
			continue;
		while (!room[next])
			next++;
		want[b] = lcores[next];
		room[next]--;
	}
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
