/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

#include <plx_wire.h>

/*
 * MAC addresses: those of the link that a packet leaves by, or swapped. The loops do not stop for a
 * frame that is too short: there is room behind it in its buffer, and it is dropped afterwards.
 */

uint16_t fwd_drop_short(struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (pkts[i]->data_len < PLX_ETH_BYTES)
			plx_pkt_drop(pkts[i], PLX_DROP_ETH_SHORT);
		else
			pkts[left++] = pkts[i];
	}
	return left;
}

void fwd_mac(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t to = fwd.peer[q->port->id];
	uint16_t shortest = UINT16_MAX;
	struct plx_mac macs[2] = {fwd.dst[to], fwd.src[to]};

	for (uint16_t i = 0; i < n; i++) {
		fwd_prefetch(pkts, i, n);
		memcpy(rte_pktmbuf_mtod(pkts[i], void *), macs, sizeof(macs));
		shortest = PLX_MIN(shortest, pkts[i]->data_len);
	}
	if (plx_unlikely(shortest < PLX_ETH_BYTES))
		n = fwd_drop_short(pkts, n);
	plx_softnet_tx_burst(sn, to, pkts, n);
}

void fwd_macswap(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t shortest = UINT16_MAX;

	for (uint16_t i = 0; i < n; i++) {
		fwd_prefetch(pkts, i, n);
		fwd_swap_macs(rte_pktmbuf_mtod(pkts[i], void *));
		shortest = PLX_MIN(shortest, pkts[i]->data_len);
	}
	if (plx_unlikely(shortest < PLX_ETH_BYTES))
		n = fwd_drop_short(pkts, n);
	plx_softnet_tx_burst(sn, fwd.peer[q->port->id], pkts, n);
}
