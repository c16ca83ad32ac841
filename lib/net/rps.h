/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * RPS of what is forwarded: which lcores the packets of a receive queue are spread over.
 */
#include "net.h"

/** Immutable once published; replaced whole. Lcores by their index in the engine. */
struct net_rps {
	struct net_retired retired;
	struct plx_lcore_set online;
	const struct plx_rps_map *by[PLX_PORT_MAX][PLX_PORT_QUEUES_MAX]; /**< NULL: not spread */
	struct plx_rps_map map[];
};

/** It came by nl->way->q: is it another lcore's to forward? Takes m then. */
PLX_NOINLINE bool net__rps(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx);
/** At the end. */
void net__rps_free(struct plx_net *net);
