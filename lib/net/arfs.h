/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Accelerated RFS: devices bring flows that live elsewhere than their bucket to the lcore that they
 * live on: arfs.c.
 */
#include "flow.h"

/** At create and at destroy. @return 0 or -ENOMEM. */
int net__arfs_new(struct plx_net *net);
void net__arfs_free(struct plx_net *net);
/**
 * A packet of a flow has to be handed over, to the lcore that the flow has of its own: its device
 * is to bring the next ones there. @param flow as its packets have it.
 */
PLX_NOINLINE void net__arfs_ask(
	struct net_lcore *nl, const struct plx_tuple *flow, uint32_t hash, uint16_t lcore);
void net__arfs_get(const struct plx_net *net, struct plx_net_moves *m);
/** The rule of a flow's slot, if its device has it. @return false: it has not. */
bool net__arfs_at(const struct plx_net *net, uint32_t slot, uint16_t *port, uint16_t *queue);
