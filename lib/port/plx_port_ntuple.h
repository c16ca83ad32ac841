/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Rules of a device that put single flows into a receive queue, whatever their hash says: Linux's
 * n-tuple filters as accelerated RFS uses them (ndo_rx_flow_steer()), DPDK's rte_flow.
 *
 * What comes meanwhile may be overtaken: the old queue's packets by the new one's, here as in
 * Linux. A device may take its time over a rule: this is nothing for an lcore that polls.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

struct plx_port;
struct plx_tuple;

/**
 * Have what comes of a flow of TCP or UDP, but for fragments, come by this queue. Control thread.
 * @param flow as its packets have it: src is the peer.
 * @param rule the driver's, for plx_port_ntuple_del().
 * @return 0; -ENETDOWN: not open; -EOPNOTSUPP: the device cannot, or is not to
 * (PLX_PORT_F_NTUPLE); -EINVAL: no such queue, another protocol or a fragment; -ENOSPC: it has no
 * place for it; -ENOMEM; or the driver's error.
 */
PLX_API int plx_port_ntuple_add(
	struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule);
/** By its hash from now on. A port that was closed has no rules. Control thread. */
PLX_API void plx_port_ntuple_del(struct plx_port *p, void *rule);

PLX_C_END
