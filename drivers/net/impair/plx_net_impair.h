/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A bad link in front of any port, each direction apart: the models of lib/impair at work.
 *
 *     --port NAME=impair,lower=PORT[,KEY=VALUE...][,rx.KEY=VALUE...][,tx.KEY=VALUE...]
 *
 * KEY=VALUE are those of plx_impair_conf_parse(); without a prefix they go for both directions,
 * then tx draws from seed + 1. The port stands for the lower one, which is nobody else's from then
 * on (its `upper`): MAC, MTU, link, RSS, quirks and offloads are the lower port's, but for receive
 * interrupts, as delayed packets have to be fetched by polling.
 *
 * - All queues of a direction share one link, under a lock that is only ever tried: who finds it
 * taken comes back with the next poll. Figures of several lcores are right, their order is chance;
 * with one lcore the same seed and the same times give the same run.
 * - Packets that were delayed on transmit leave when the rx queue is polled whose number is theirs
 *   modulo the rx queues, or when more is sent on theirs.
 * - `limit` packets (1000 if not given) are held in a direction at most; beyond, IMPAIR_QUEUE.
 * - Losses count as drops: IMPAIR_LOSS, IMPAIR_QUEUE, NO_MBUF (no copy for bits to flip in),
 * STOPPED (still held when the port closed), TX_TIMEOUT (the lower port stood still). A lost packet
 * on transmit does not count as transmitted.
 * - A corrupted packet's checksums are filled before, and no longer taken for checked after.
 */
#include <plx_impair.h>
#include <plx_port.h>

PLX_C_BEGIN

enum plx_net_impair_dir {
	PLX_NET_IMPAIR_RX,
	PLX_NET_IMPAIR_TX,
};

/**
 * Change one direction's models: text goes over what is set, and the models start anew. `limit`
 * stays below what it was when the port was opened. Control thread, at any time.
 * @return 0, -EINVAL with *e filled, or -ENODEV when p is not an impair port.
 */
PLX_API int plx_net_impair_set(
	struct plx_port *p, enum plx_net_impair_dir dir, const char *text, struct plx_error *e);

/** What became of the packets since the models were set last. Any thread. */
PLX_API void plx_net_impair_stats(
	struct plx_port *p, enum plx_net_impair_dir dir, struct plx_impair_stats *s);

/** Take the time from now() instead of the TSC: for simulations and tests; NULL = the TSC again. */
PLX_API void plx_net_impair_clock(plx_ns (*now)(void));

PLX_C_END
