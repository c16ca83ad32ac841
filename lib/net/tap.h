/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Taps (plx_net_tap.h), as the other files of this library meet them.
 */
#include "net.h"

/** All taps of all lcores; immutable but for `leaving`, which is for who frees it. */
struct net_taps {
	struct net_retired retired;
	struct plx_msg msg;	     /**< to the control lcore: it is out of use */
	struct plx_net_tap *leaving; /**< those that the next list has no more */
	uint32_t n;
	struct plx_net_tap *tap[];
};

/** A burst has come in; before the stack looks at it. */
PLX_NOINLINE void net__taps_in(
	struct net_lcore *nl, const struct plx_port *p, struct rte_mbuf *const *pkts, uint16_t n);
/** m is about to go out, whole, with its link header. @param by whose it is, or NULL */
PLX_NOINLINE void net__taps_out(struct net_lcore *nl, const struct rte_mbuf *m,
	const struct net_if *ifc, const struct plx_net_tap *by);
/** Has any of them seen a frame of this type? m's data are behind the header. */
bool net__taps_want(
	const struct net_lcore *nl, const struct rte_mbuf *m, uint16_t iface, uint16_t type);
/** A copy has come to the lcore of its tap. Takes m. */
void net__tap_take(struct net_lcore *nl, struct rte_mbuf *m);
/** Control: an interface has gone down or come up. */
void net__taps_link(struct plx_net *net);
/** At the end. */
void net__taps_free(struct plx_net *net);
