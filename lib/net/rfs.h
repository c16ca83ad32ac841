/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * RFS: where threads use the sockets of flows.
 */
#include "tcp.h"

/** Immutable once published, but for its entries; replaced whole. Lcores by their index. */
struct net_rfs {
	struct net_retired retired;
	struct plx_rfs_socks socks;
	uint32_t ent[];
};

/** A socket of id's flow was used near an lcore. @return true: steadily so, and not near this one.
 */
bool net__rfs_used(const struct net_lcore *nl, const struct plx_tcp_id *id, uint16_t lcore,
	struct plx_rfs_streak *streak);
/** Control, every now and then: has net.core.rps_sock_flow_entries changed? */
void net__rfs_watch(struct plx_net *net);
/** The lcore that id's flow was last used near, by index; PLX_STEER_NO_LCORE: not known. */
uint16_t net__rfs_of(const struct plx_net *net, const struct plx_tcp_id *id);
/** At the end. */
void net__rfs_free(struct plx_net *net);
