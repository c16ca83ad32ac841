/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * An engine without a stack above it: ports whose wire is the test, a clock that the test moves,
 * and ops that note what they were called with.
 */
#include "port_t.h"

#include <plx_engine.h>

#define ET_PORTS 3

static struct et {
	plx_ns now;
	struct plx_clock clock;
	struct plx_tunables tun;
	struct plx_engine_conf conf;
	struct plx_engine_ops ops;
	struct plx_engine *eng;
	struct plx_softnet *sn; /* of the first lcore */
	struct t_port port[ET_PORTS];
	int bursts[64][2]; /* queue and packets of each rx() */
	unsigned int n_bursts;
} et;

static plx_ns et_now(void *arg)
{
	return __atomic_load_n(&et.now, __ATOMIC_RELAXED);
}

/* While other threads ask what time it is. */
static inline void et_sleep(plx_ns ns)
{
	__atomic_store_n(&et.now, et.now + ns, __ATOMIC_RELAXED);
}

/* Everything that comes is delivered. */
static void et_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	if (et.n_bursts < PLX_DIM(et.bursts)) {
		et.bursts[et.n_bursts][0] = q->port->id * 10 + q->id;
		et.bursts[et.n_bursts++][1] = n;
	}
	plx_pkt_deliver_bulk(pkts, n);
}

/* Engine and ports, not open yet; et.conf and et.ops may be changed before et_open(). */
static void et_new(unsigned int ports, uint16_t queues)
{
	memset(&et, 0, sizeof(et));
	et.clock.now = et_now;
	et.now = PLX_SEC(1);
	plx_tunables_init(&et.tun);
	et.ops.rx = et_rx;
	et.conf = (struct plx_engine_conf){
		.ops = &et.ops, .tun = &et.tun, .clock = &et.clock, .seed = 1, .mbufs = 2047};
	for (unsigned int i = 0; i < ports; i++)
		t_port_add(&et.port[i], queues, PLX_PORT_F_SG);
}

static int et_open(struct plx_error *e)
{
	et.eng = plx_engine_create(&et.conf, e);
	assert_non_null(et.eng);
	et.sn = plx_engine_softnet(et.eng, 0);
	return plx_engine_open_ports(et.eng, e);
}

static inline void et_start(void)
{
	struct plx_error e = {0};

	if (et_open(&e) != 0)
		fail_msg("%s", e.text);
	eq(plx_engine_step_begin(et.eng), 0);
}

static inline void et_feed(unsigned int port, uint16_t queue, unsigned int n)
{
	static const uint8_t frame[60];

	while (n--)
		t_port_feed(&et.port[port], queue, frame, sizeof(frame), 0);
}

/* An mbuf of an lcore's own, counted. */
static inline struct rte_mbuf *et_mbuf(struct plx_softnet *sn, uint32_t number)
{
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	assert_non_null(m);
	plx_put_be32(rte_pktmbuf_append(m, 60), number);
	plx_pkt_originate(1);
	return m;
}

static int et_after(void **state)
{
	if (et.eng) {
		if (plx_engine_running(et.eng))
			plx_engine_step_end(et.eng);
		eq(plx_engine_destroy(et.eng), 0);
	}
	et.eng = NULL;
	return t_eal_after(state);
}

#define ET_(name) cmocka_unit_test_teardown(name, et_after)
