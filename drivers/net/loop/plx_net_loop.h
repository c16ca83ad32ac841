/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The loopback: what is sent on tx queue i is received on rx queue i.
 *
 *     --port NAME=loop[,queues=N][,depth=N][,mtu=N]
 *
 * Frames pass by pointer through an SPSC ring for each queue, unchanged (there is no checksum
 * offload); an mbuf that somebody else holds too is copied. A full queue holds up the sender. It
 * must be opened with as many rx queues as tx queues.
 */
#include <plx_port.h>

PLX_C_BEGIN

/** Frames that wait in an rx queue of a loop. Any thread. */
PLX_API uint32_t plx_net_loop_rx_pending(const struct plx_rxq *q);

PLX_C_END
