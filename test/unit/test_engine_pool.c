/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_MEM "160"
#include "engine_t.h"

#include "offload_t.h"

#define TEXT 65000
#define MSS  1448

/* Ports that keep nothing but their queues, and pools of the size that the engine thinks right. */
static void start(uint32_t features)
{
	et_new(ET_PORTS, 1);
	et.conf.mbufs = 0;
	for (unsigned int i = 0; i < ET_PORTS; i++) {
		et.port[i].port->caps.features |= features;
		et.port[i].port->caps.rxd = PLX_PORT_BURST;
		et.port[i].port->quirks |= PLX_QUIRK_COPIES;
		et.port[i].room = 0;
	}
	et_start();
}

static uint64_t drops(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

/* What waits in all queues, cut to packets, leaves the lcore's pool enough to live on. */
static void fill(uint32_t features, uint32_t clones)
{
	const struct t_pkt p = {T_TCP4, .bytes = TEXT};
	uint32_t all, left;

	start(features);
	all = rte_mempool_avail_count(et.sn->pool);
	for (uint16_t i = 0; i < ET_PORTS; i++) {
		struct plx_txq *q = et.sn->txq[i];

		for (uint32_t n = 0; n <= q->limit; n += TEXT / MSS + 1)
			plx_softnet_tx(et.sn, i, t_super(p, MSS, 0));
		eq(plx_txq_len(q), q->limit);
	}
	eq(drops(PLX_DROP_NO_MBUF), 0);
	left = rte_mempool_avail_count(et.sn->pool);
	eq(all - left, ET_PORTS * et.sn->txq[0]->limit); /* one each */
	ok(left > 2048);
	ok(rte_mempool_in_use_count(et.sn->clones) >= clones);
}

T(full_queues_leave_the_pool_alone)
{
	fill(PLX_PORT_F_SG, ET_PORTS * 1000);
}

T(as_do_those_of_ports_that_take_no_chains)
{
	fill(0, 0);
}

RUN_EAL(ET_(full_queues_leave_the_pool_alone), ET_(as_do_those_of_ports_that_take_no_chains))
