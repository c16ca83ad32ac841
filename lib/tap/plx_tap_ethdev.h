/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Taps in a program of DPDK's own, without an engine: by the callbacks of its ports.
 *
 * Its lcores call rte_eth_rx_burst() and rte_eth_tx_burst() as ever, and need not know: nothing is
 * asked of them, not even to pass a quiescent state. Points are rx and tx; tx is what is offered to
 * the driver, as DPDK's callbacks stand in front of it: what is offered again is seen again. With
 * no tap a burst costs an indirect call, a load and a branch.
 *
 * Control is for one thread, an lcore or not. Packets that a thread without an lcore id
 * (rte_thread_register()) handles are not seen.
 */
#include <plx_tap.h>

PLX_C_BEGIN

/**
 * Of this process: its lcores (EAL's, and threads registered by now), 64 at most. There can be one,
 * and none of an engine on these lcores beside it. Destroy it by plx_taps_destroy(), when no lcore
 * is in a burst of its ports any more.
 * @return NULL with *e filled (NO_MEMORY, RUN).
 */
PLX_API struct plx_taps *plx_taps_create_ethdev(struct plx_error *e);

/**
 * See what passes a port, on all queues that it has been configured with. Before its lcores begin.
 * @param port DPDK's number, which plx_tap_conf.ports counts by, below 32
 * @return 0 or -errno with *e filled (PORT_OPEN): -ENODEV, -EINVAL (not configured, or taps of an
 *         engine), -EEXIST,
 * -E2BIG (more than 32 queues), or what DPDK says.
 */
PLX_API int plx_taps_add_port(struct plx_taps *ts, uint16_t port, struct plx_error *e);

PLX_C_END
