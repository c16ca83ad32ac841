/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What a program lends (plx_net_lend.h): one record for each call, or for each piece of it.
 */
#include "plx_net_lend.h"
#include "tcp.h"

/** Pieces of a packet at most, besides its headers: there are drivers that take 8 mbufs. */
#define NET_LOAN_PIECES 7u

struct net_loan {
	struct plx_pkt_loan pkt;
	struct plx_msg msg; /**< on its way home */
	struct plx_softnet *sn;
	struct rte_mbuf *m; /**< what is lent is in it, and it goes with the loan; or NULL */
	uint32_t charge;    /**< of a send buffer, beyond the bytes; never 0 */
	struct plx_net_done done;
};
static_assert(sizeof(struct net_loan) <= 128, "one small block of the arena");

/** With one share, the caller's. @param done or NULL. @return NULL: no memory. */
struct net_loan *net__loan_new(struct net_lcore *nl, const struct plx_net_done *done);
/** The caller's share was the only one, and what it was to lend is not sent: nobody is told. */
void net__loan_cancel(struct net_loan *l);
/** What a chain holds, its mbufs with it. */
uint32_t net__loan_charge(const struct rte_mbuf *m);
/** Do the lengths in a chain fit each other? */
bool net__loan_sane(const struct rte_mbuf *m);
