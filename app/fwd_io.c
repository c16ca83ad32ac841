/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

/* Packets are passed on untouched, or taken in: nobody looks into them. */

void fwd_io(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_softnet_tx_burst(sn, fwd.peer[q->port->id], pkts, n);
}

void fwd_rxonly(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	/* Not "in use": what it has merged may come when that was turned off. */
	if (plx_unlikely(q->port->caps.features & PLX_PORT_F_LRO))
		plx_pkt_deliver_bulk(pkts, n);
	else
		plx_pkt_deliver_fresh(pkts, n);
}
