/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Datagrams of UDP in and out: udp.c, udp_gso.c. Their sockets: udp_sock.h.
 */
#include "net.h"

/* udp.c */
/** Which MTU counts, for d, and may so many bytes be sent? Linux's ip_sk_use_pmtu() and
 * ip_sk_ignore_df(). */
PLX_NOINLINE bool net__udp_fits(
	uint32_t bytes, const struct plx_net_udp_msg *msg, struct net_dst *d);
void net__udp_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);
/**
 * An error about a datagram that we sent: tells its socket if that is this lcore's. e->err 0:
 * nothing to tell. @param handed it has been on another lcore.
 * @return the lcore to go on at, if it is another one; or -1 when no socket sent it.
 */
int net__udp_error(struct net_lcore *nl, const struct plx_tuple *quoted, uint16_t iface,
	bool handed, const struct plx_net_error *e);

/* udp_gso.c */
/** As plx_net_udp_send(), what is longer than msg->gso. */
PLX_NOINLINE enum plx_drop net__udp_send_many(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_udp_msg *msg);
