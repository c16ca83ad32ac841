/* SPDX-License-Identifier: BSD-3-Clause */
#include "recorder_t.h"

/* Things that happen, and what a recorder makes of them. */

T(a_reset)
{
	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST, .text = "rst"},
		(struct plx_tap_record_conf){.after_ns = PLX_MS(1)});
	feed(100);
	quiet(0);
	feed_reset();
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_SEC(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 102);
	eq(file.asked, 2);
	str_eq(file.pkt_comment, "trigger: rst");
	SAYS("trigger: rst (");
	SAYS(", lcore 0)");
	end();
}

T(packets_that_match)
{
	const struct plx_tap_trigger t[] = {{.kind = PLX_TAP_ON_RST, .text = "rst"},
		{.kind = PLX_TAP_ON_MATCH, .text = "ether[17] = 50"}};

	start();
	begin((struct plx_tap_writer_conf){.record = {.trigger = t, .n_triggers = 2}});
	feed(50);
	quiet(0);
	feed(10);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 60);
	eq(file.asked, 1);
	str_eq(file.pkt_comment, "trigger: ether[17] = 50");
	SAYS("ether[17] = 50 (1, lcore 0) at ");
	end();
}

static uint32_t to_drop;

static void rx_drops_some(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t drops = (uint16_t)PLX_MIN(n, to_drop);

	to_drop -= drops;
	plx_pkt_drop_bulk(pkts, drops, PLX_DROP_UDP_NO_PORT);
	plx_pkt_deliver_bulk(pkts + drops, (unsigned int)(n - drops));
}

T(a_burst_of_drops)
{
	start();
	et.ops.rx = rx_drops_some;
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_DROPS,
			  .reason = PLX_DROP_UDP_NO_PORT,
			  .over = 10,
			  .ns = PLX_MS(100),
			  .text = "drops"},
		(struct plx_tap_record_conf){0});
	to_drop = 10;
	feed(50);
	quiet(0);
	plx_pkt_drop(et_mbuf(et.sn, 0), PLX_DROP_TX_DOWN); /* for another reason */
	quiet(0);
	to_drop = 1;
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 51);
	SAYS("drops (11, lcore 0)");
	end();
}

T(two_at_once)
{
	const struct plx_tap_trigger t[] = {{.kind = PLX_TAP_ON_RST, .text = "rst"},
		{.kind = PLX_TAP_ON_DROPS, .over = 0, .ns = PLX_MS(100), .text = "drops"}};
	struct plx_tap_writer_stats s;

	start();
	et.ops.rx = rx_drops_some;
	begin((struct plx_tap_writer_conf){
		.record = {.trigger = t, .n_triggers = 2, .rearm_ns = PLX_SEC(1)}});
	to_drop = 1;
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 1));
	ok(read_file(1));
	eq(file.pkts, 1);
	usleep(10000);
	s = stats();
	eq(s.record.triggers, 2);
	eq(s.record.covered + s.record.ignored, 1);
	end();
}

static plx_ns rx_takes_ns;

static void rx_takes_long(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	et.now += rx_takes_ns;
	plx_pkt_deliver_bulk(pkts, n);
}

static void rx_times_out(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_stat_inc(PLX_STAT_TCPEXT_TCPTIMEOUTS);
	plx_pkt_deliver_bulk(pkts, n);
}

T(a_slow_pass)
{
	start();
	et.ops.rx = rx_takes_long;
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_LATENCY, .ns = PLX_US(500)},
		(struct plx_tap_record_conf){0});
	rx_takes_ns = PLX_US(500);
	feed(1);
	quiet(0);
	rx_takes_ns = PLX_US(501);
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	SAYS("it (1, lcore 0)");
	end();
	eq(et.sn->slow_cycles, UINT64_MAX); /* nobody asks any more */
}

T(a_time_out)
{
	start();
	et.ops.rx = rx_times_out;
	begin_for(
		(struct plx_tap_trigger){.kind = PLX_TAP_ON_RTO}, (struct plx_tap_record_conf){0});
	quiet(0);
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	SAYS("it (1, lcore 0)");
	end();
}

T(a_squeeze)
{
	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_SQUEEZE},
		(struct plx_tap_record_conf){0});
	quiet(0);
	for (int i = 0; i < 500; i++) {
		uint8_t b[FRAME] = {2};

		t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
	}
	plx_engine_step(et.eng, 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	plx_engine_step(et.eng, 0);
	end();
}

T(more_than_it_can_wait_for)
{
	struct plx_tap_trigger t[PLX_TAP_TRIGGERS + 1];
	struct plx_tap_writer_conf conf = {.record = {.trigger = t}};

	for (unsigned int i = 0; i < PLX_DIM(t); i++)
		t[i] = (struct plx_tap_trigger){.kind = PLX_TAP_ON_RTO, .text = "rto"};
	start();
	conf.record.n_triggers = PLX_TAP_TRIGGERS + 1;
	refuse(conf, "eight things");
	for (unsigned int i = 0; i < 4; i++)
		t[i] = (struct plx_tap_trigger){.kind = PLX_TAP_ON_MATCH, .text = "tcp"};
	conf.record.n_triggers = 4;
	refuse(conf, "three kinds");
	t[1].text = "tcp prot 80";
	refuse(conf, "column 5");
	for (unsigned int i = 0; i < 5; i++)
		t[i] = (struct plx_tap_trigger){
			.kind = PLX_TAP_ON_LATENCY, .ns = PLX_US(1), .text = "latency"};
	conf.record.n_triggers = 5;
	refuse(conf, "too many wait for latency");
	eq(et.sn->slow_cycles, UINT64_MAX);
}

RUN_EAL(FILE_(a_reset), FILE_(packets_that_match), FILE_(a_burst_of_drops), FILE_(two_at_once),
	FILE_(a_slow_pass), FILE_(a_time_out), FILE_(a_squeeze), FILE_(more_than_it_can_wait_for))
