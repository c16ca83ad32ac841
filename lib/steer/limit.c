/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_limit.h"

#include <errno.h>

static_assert(PLX_FLOW_LIMIT_HISTORY <= UINT8_MAX, "a bucket counts no more than the history has");

int plx_steer_limit_init(struct plx_flow_limit *l, void *mem, uint32_t buckets)
{
	if (buckets == 0 || buckets > PLX_FLOW_LIMIT_BUCKETS_MAX || (buckets & (buckets - 1)) != 0)
		return -EINVAL;
	memset(mem, 0, buckets);
	*l = (struct plx_flow_limit){.bucket = mem, .log = (uint8_t)__builtin_ctz(buckets)};
	return 0;
}

void plx_steer_limit_forget(struct plx_flow_limit *l)
{
	memset(l->bucket, 0, (size_t)1 << l->log);
	memset(l->history, 0, sizeof(l->history));
	l->head = 0;
}

bool plx_steer_limit(struct plx_flow_limit *l, uint32_t hash, uint32_t qlen, uint32_t max_backlog)
{
	uint16_t now, old;

	if (plx_likely(!plx_steer_limit_applies(l, qlen, max_backlog)))
		return false;
	now = (uint16_t)plx_steer_hash_slot(hash, l->log);
	old = l->history[l->head];
	l->history[l->head] = now;
	l->head = (l->head + 1) % PLX_FLOW_LIMIT_HISTORY;
	/* A history that is not full yet names bucket 0, which may have none to give. */
	if (plx_likely(l->bucket[old]))
		l->bucket[old]--;
	if (++l->bucket[now] <= PLX_FLOW_LIMIT_HISTORY / 2)
		return false;
	plx_count(l->count, 1);
	return true;
}

bool plx_steer_limit_look(const struct plx_flow_limit *l, uint32_t hash, uint32_t qlen,
	uint32_t max_backlog, uint32_t *in_history)
{
	uint16_t now = (uint16_t)plx_steer_hash_slot(hash, l->log), old = l->history[l->head];
	uint32_t n = l->bucket ? l->bucket[now] : 0;

	*in_history = n;
	if (!plx_steer_limit_applies(l, qlen, max_backlog))
		return false;
	return n - (old == now && n) + 1 > PLX_FLOW_LIMIT_HISTORY / 2;
}
