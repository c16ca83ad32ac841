/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_t.h"

#include "offload_t.h"

#define SEG 1000

/* What went up, in wire packets, one number for each packet. */
static uint32_t up[64], n_up;

static void note(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		up[n_up++] = plx_pkt_wire(pkts[i]);
	plx_pkt_deliver_bulk(pkts, n);
}

static void start(bool merges)
{
	n_up = 0;
	et_new(1, 1);
	et.ops.rx = note;
	et.ops.merges = merges;
	et_start();
}

/* Parts from..to-1 of a long segment. */
static void feed(uint32_t from, uint32_t to, uint8_t flags)
{
	const struct t_pkt p = {T_TCP4, .flags = (uint8_t)(PLX_TCP_ACK | flags), .bytes = 20 * SEG};

	for (uint32_t i = from; i < to; i++) {
		const struct t_pkt part = t_part(&p, SEG, i, false);
		static uint8_t b[T_FRAME_MAX];

		t_port_feed(&et.port[0], 0, b, t_frame(b, &part), 0);
	}
}

static void step(void)
{
	plx_engine_step(et.eng, 0);
}

T(a_poll_goes_up_as_one)
{
	start(true);
	feed(0, 5, 0);
	step();
	eq(n_up, 1);
	eq(up[0], 5);
	eq(plx_engine_held(et.eng), 0);
	feed(5, 6, 0); /* alone: there is nothing to wait for */
	step();
	eq(n_up, 2);
	eq(up[1], 1);
	feed(6, 8, 0);
	feed(9, 11, 0); /* one is missing */
	step();
	eq(n_up, 4);
	eq(up[2], 2);
	eq(up[3], 2);
}

/* What an upper layer then sends as it is has to be looked at on its direct way out. */
T(merging_has_the_ways_out_look)
{
	start(true);
	ok(et.port[0].port->txq[0]->looks);
}

T(who_takes_no_merged_packets_gets_none)
{
	start(false);
	feed(0, 5, 0);
	step();
	eq(n_up, 5);
}

T(it_can_be_switched_off_and_on)
{
	start(true);
	plx_tunable_set(&et.tun, PLX_TUN_GRO_FLUSH_TIMEOUT, PLX_MS(1));
	feed(0, 2, 0);
	step();
	eq(n_up, 0);
	et.port[0].port->features &= ~(uint32_t)PLX_PORT_F_GRO;
	feed(2, 4, 0);
	step();
	eq(n_up, 3); /* what was held is in front */
	eq(up[0], 2);
	eq(up[1], 1);
	et.port[0].port->features |= PLX_PORT_F_GRO;
	feed(4, 6, 0);
	step();
	et.now += PLX_MS(1);
	step();
	eq(n_up, 4);
	eq(up[3], 2);
}

T(a_time_out_lets_it_wait_for_more)
{
	start(true);
	plx_tunable_set(&et.tun, PLX_TUN_GRO_FLUSH_TIMEOUT, PLX_MS(1));
	feed(0, 2, 0);
	step();
	eq(n_up, 0);
	eq(plx_engine_held(et.eng), 2);
	eq(plx_engine_deadline(et.eng), et.now + PLX_MS(1));
	et.now += PLX_MS(1) - 1;
	feed(2, 3, 0); /* a lone one, for those that wait */
	step();
	eq(n_up, 0);
	et.now++;
	step();
	eq(n_up, 1);
	eq(up[0], 3);
	eq(plx_engine_held(et.eng), 0);
	feed(3, 5, PLX_TCP_PSH); /* of the last part: it ends here */
	feed(18, 20, PLX_TCP_PSH);
	step();
	eq(n_up, 3);
}

T(what_is_held_at_the_end_goes_up_first)
{
	start(true);
	plx_tunable_set(&et.tun, PLX_TUN_GRO_FLUSH_TIMEOUT, PLX_SEC(1));
	feed(0, 3, 0);
	step();
	eq(n_up, 0);
	plx_engine_step_end(et.eng);
	eq(n_up, 1);
	eq(up[0], 3);
}

T(datagrams_only_if_wanted)
{
	const struct t_pkt p = {T_UDP4, .bytes = 4 * SEG};

	start(true);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 4; i++) {
			const struct t_pkt part = t_part(&p, SEG, i, false);
			static uint8_t b[T_FRAME_MAX];

			t_port_feed(&et.port[0], 0, b, t_frame(b, &part), 0);
		}
		step();
		eq(n_up, 4 + (uint32_t)round);
		et.port[0].port->features |= PLX_PORT_F_UDP_GRO;
	}
	eq(up[4], 4);
}

RUN_EAL(ET_(a_poll_goes_up_as_one), ET_(merging_has_the_ways_out_look),
	ET_(who_takes_no_merged_packets_gets_none), ET_(it_can_be_switched_off_and_on),
	ET_(a_time_out_lets_it_wait_for_more), ET_(what_is_held_at_the_end_goes_up_first),
	ET_(datagrams_only_if_wanted))
