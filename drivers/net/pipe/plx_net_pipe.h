/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The pipe: two multi-queue ports, back to back in memory. What one sends the other receives.
 *
 *     --port a=pipe,peer=b[,queues=N][,depth=N][,mtu=N][,full=wait|drop][,whole=on|off][,lie=...]
 *
 * makes both a and b. Transmit does what the wire and the peer's NIC would do: it fills the
 * checksums that were left to the device, looks at lengths and carrier, hashes the tuple with the
 * peer's key (Toeplitz), and puts the frame on the queue that the peer's indirection table names.
 * So RSS can be set, read and rebalanced at run time without a NIC. A peer with one queue does not
 * hash.
 *
 * - Between each tx queue and each rx queue of the peer lies an SPSC ring, so that no queue is
 * shared and frames of one tx queue to one rx queue keep their order.
 * - Mbufs pass by pointer; one whose headers somebody else holds too (a clone) is copied. What
 *   follows the headers may be shared, as in what GSO makes.
 * - whole=on: as between the ends of Linux's veth, super-segments and checksums that were left to
 *   the device cross as they are while the receiver's LRO is on; while it is off super-segments are
 *   cut in software, in front of the sender's queue. whole=off (default): what crosses is what a
 *   wire carries.
 * - full=wait (default): a full queue holds up the sender, as with flow control; full=drop: its
 *   frames are lost and counted in the peer's rx_missed_errors, as in a NIC without it.
 * - The link is up when both ends are open and set up; frames sent without a carrier are dropped as
 *   TX_DOWN, frames over the sender's MTU (and two VLAN tags) as TX_TOO_LONG, frames over the
 * peer's are lost there and count as its rx_errors.
 * - lie=hash|queue|mute|table: RSS of a device that does not do as it says, to be found out: its
 * hash is not that by its key, its queue not that of its table, packets come without a hash, or the
 * table that it is given is not kept.
 * - depth is the frames that an rx queue holds, shared out among the peer's tx queues; descriptors
 *   given at open do not matter.
 */
#include <plx_port.h>

PLX_C_BEGIN

/** Frames that wait in an rx queue of a pipe: what a sleeper looks at before it sleeps. Any thread.
 */
PLX_API uint32_t plx_net_pipe_rx_pending(const struct plx_rxq *q);

PLX_C_END
