/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <string.h>

/*
 * What the rebalancer would do, if the capture's load stayed as it is: some rounds of it, each
 * bucket counted in proportion to its packets, and so many that chance is out of the question.
 */

#define ROUNDS	20
#define COUNTED 1e9 /* of all buckets in a round */

static struct plx_balance balance; /* too large for a stack */

static void count(const struct load *l, uint64_t *counter)
{
	for (uint16_t i = 0; i < l->reta->size; i++)
		counter[i] += (uint64_t)(COUNTED * (double)l->bucket[i].packets /
					 (double)PLX_MAX(l->all.packets, 1));
}

static void carry_out(struct plx_owner_map *map)
{
	struct plx_balance_move m;

	while (plx_steer_balance_output(&balance, &m))
		plx_steer_owner_set(map, m.bucket, m.to);
}

const char *steer_moves(const struct load *l, uint16_t queues, struct plx_owner_map *map)
{
	static uint64_t counter[PLX_OWNER_BUCKETS_MAX];
	struct plx_balance_lcore lcore[PLX_STEER_LCORES_MAX];
	struct plx_balance_input in = {
		.map = map, .count = counter, .lcore = lcore, .lcores = queues};

	map->size = l->reta->size;
	memcpy(map->lcore, l->reta->q, sizeof(map->lcore));
	if (queues > PLX_STEER_LCORES_MAX)
		return "more queues than the rebalancer has lcores";
	for (uint16_t i = 0; i < queues; i++)
		lcore[i] = (struct plx_balance_lcore){1, PLX_BALANCE_NO_BUSY, 0};
	memset(counter, 0, sizeof(counter));
	plx_steer_balance_init(&balance, NULL);
	plx_steer_balance_set(&balance, PLX_BALANCE_ON);
	for (int i = 0; i < ROUNDS; i++) {
		plx_steer_balance_input(&balance, &in);
		carry_out(map);
		in.now += balance.conf.interval_ns;
		count(l, counter);
	}
	return plx_steer_balance_text(balance.said.why);
}
