/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "engine_t.h"

#include <pthread.h>

/* Three lcores on one CPU; in the first part the test plays them all. */

static uint32_t got[3][4096], n_got[3];
static uint8_t stage[3];

static void on_backlog(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		got[sn->index][n_got[sn->index]++] =
			plx_get_be32(rte_pktmbuf_mtod(pkts[i], const void *));
		stage[sn->index] = plx_pkt_meta(pkts[i])->stage;
	}
	eq(rte_lcore_id(), sn->lcore);
	plx_pkt_deliver_bulk(pkts, n);
}

static void start(void)
{
	memset(n_got, 0, sizeof(n_got));
	et_new(1, 3);
	et.ops.backlog = on_backlog;
	et_start();
	eq(plx_engine_lcores(et.eng), 3);
}

static struct plx_softnet *lcore(uint16_t i)
{
	return plx_engine_softnet(et.eng, i);
}

static void hand(uint16_t from, uint16_t to, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = et_mbuf(lcore(from), first + i);

		plx_pkt_meta(m)->stage = 7;
		plx_softnet_hand(lcore(from), to, m);
	}
}

static uint64_t drops(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

/* A poller that makes its lcore have work, so that what is staged is flushed. */
static uint32_t busy(struct plx_softnet *sn, void *arg)
{
	return 1;
}

T(what_is_handed_over_arrives_in_order)
{
	struct plx_poller p = {.run = busy};

	start();
	plx_softnet_add_poller(lcore(0), &p);
	hand(0, 2, 0, 150); /* two full stages, and a rest */
	eq(plx_engine_held(et.eng), 150);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->handed_pkts, 150);
	eq(plx_engine_deadline(et.eng), 0);
	for (int i = 0; i < 3; i++)
		plx_engine_step(et.eng, 2);
	eq(n_got[2], 150);
	for (uint32_t i = 0; i < 150; i++)
		eq(got[2][i], i);
	eq(stage[2], 7);
	eq(lcore(2)->processed, 150);
	eq(lcore(2)->received_rps, 3);
	eq(plx_engine_held(et.eng), 0);
}

static uint32_t seen[2]; /* packets that were there when a late message was run */

static void on_late(struct plx_softnet *sn, struct plx_late_msg *late)
{
	seen[late->mark[0] != 0] = n_got[sn->index];
}

/* Of two lcores: those behind it may come first or not, those before it have come. */
T(a_late_message_waits_for_packets_before_it)
{
	struct plx_poller p = {.run = busy};
	struct plx_late_msg first = {.fn = on_late}, second = {.fn = on_late};

	start();
	plx_softnet_add_poller(lcore(0), &p);
	plx_softnet_add_poller(lcore(1), &p);
	plx_softnet_post_late(lcore(2), &first); /* before all */
	plx_engine_step(et.eng, 2);
	eq(seen[0], 0);
	hand(0, 2, 0, 150);
	hand(1, 2, 1000, 100);
	plx_engine_step(et.eng, 0);
	plx_engine_step(et.eng, 1);
	plx_engine_step(et.eng, 2); /* it is not told yet */
	plx_softnet_post_late(lcore(2), &second);
	hand(1, 2, 2000, 50);
	plx_engine_step(et.eng, 2);
	plx_engine_step(et.eng, 1); /* more, behind it */
	eq(seen[1], 0);
	eq(plx_engine_deadline(et.eng), 0);
	for (int i = 0; i < 4; i++)
		plx_engine_step(et.eng, 2);
	ok(seen[1] >= 250);
	eq(n_got[2], 300);
}

static void hand_merged(uint16_t to, uint32_t n, uint32_t wire)
{
	while (n--) {
		struct rte_mbuf *m = et_mbuf(lcore(0), 0);

		plx_pkt_set_wire(m, wire);
		plx_pkt_originate(wire - 1);
		plx_softnet_hand(lcore(0), to, m);
	}
}

T(what_is_under_way_is_counted_in_wire_packets)
{
	struct plx_poller p = {.run = busy};

	start();
	et.tun.v[PLX_TUN_NETDEV_MAX_BACKLOG] = 3;
	plx_softnet_add_poller(lcore(0), &p);
	hand(0, 1, 0, 1);
	hand_merged(1, 3, 10);
	hand_merged(2, 2, 7);
	eq(plx_engine_held(et.eng), 45);
	plx_engine_step(et.eng, 0); /* from the stage to the ring, that takes three */
	eq(drops(PLX_DROP_BACKLOG_FULL), 10);
	eq(plx_engine_held(et.eng), 35);
	plx_engine_step(et.eng, 1);
	eq(plx_engine_held(et.eng), 14);
	hand_merged(1, 1, 5);
	eq(plx_engine_held(et.eng), 19); /* dropped at the end */
}

T(to_oneself_it_is_a_call)
{
	start();
	hand(0, 0, 5, 1);
	eq(n_got[0], 1);
	eq(got[0][0], 5);
}

T(a_full_backlog_drops_the_newest)
{
	struct plx_poller p = {.run = busy};

	start();
	et.tun.v[PLX_TUN_NETDEV_MAX_BACKLOG] = 100;
	plx_softnet_add_poller(lcore(0), &p);
	hand(0, 1, 0, 130);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_BACKLOG_FULL), 30);
	eq(lcore(0)->dropped, 30);
	plx_engine_step(et.eng, 1);
	plx_engine_step(et.eng, 1);
	eq(n_got[1], 100);
	eq(got[1][99], 99);
}

/* ---- the flow limit ---- */

static bool got_flow[1u << 16];

/* The packet's number has its flow in the upper half. */
static uint32_t flow_of(struct plx_softnet *sn, struct rte_mbuf *m)
{
	return plx_get_be32(rte_pktmbuf_mtod(m, const void *)) >> 16;
}

static void note_flows(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		got_flow[flow_of(sn, pkts[i])] = true;
	n_got[sn->index] += n;
	plx_pkt_deliver_bulk(pkts, n);
}

static void start_limited(int64_t bitmap)
{
	memset(got_flow, 0, sizeof(got_flow));
	start();
	et.ops.backlog = note_flows;
	et.ops.flow = flow_of;
	et.tun.v[PLX_TUN_FLOW_LIMIT_CPU_BITMAP] = bitmap;
	et.tun.v[PLX_TUN_NETDEV_MAX_BACKLOG] = 400;
}

/* Nine packets of flow 9 to each of a flow of its own, which are numbered from 100 on. */
static void offer(uint16_t from, uint16_t to, uint32_t mice)
{
	for (uint32_t i = 0; i < mice; i++) {
		hand(from, to, 9u << 16, 9);
		hand(from, to, (100 + i) << 16, 1);
	}
}

/* All is taken; that the account closes then, the end of each test asserts. */
static void closes(void)
{
	for (int i = 0; i < 16; i++)
		for (uint16_t l = 0; l < 3; l++)
			plx_engine_step(et.eng, l);
	eq(plx_engine_held(et.eng), 0);
}

T(a_loud_flow_is_limited_and_quiet_ones_pass)
{
	uint32_t limited;

	start_limited(1);
	hand(0, 1, 8u << 16, 192); /* three full stages: not half of it yet */
	offer(0, 1, 96);
	plx_engine_step(et.eng, 0);
	limited = lcore(0)->limit.count;
	ok(limited > 500);
	eq(drops(PLX_DROP_FLOW_LIMIT), limited);
	eq(drops(PLX_DROP_BACKLOG_FULL), 0);
	eq(lcore(0)->dropped, limited);
	eq(lcore(1)->limit.count, 0); /* who steers counts, not who is steered to */
	eq(plx_engine_held(et.eng), 192 + 960 - limited);
	for (int i = 0; i < 10; i++)
		plx_engine_step(et.eng, 1);
	for (uint32_t i = 0; i < 96; i++)
		ok(got_flow[100 + i]);
	eq(n_got[1], 192 + 960 - limited);
	closes();
}

/* The same, and the loud one takes the room of the quiet ones. */
static void is_unlimited(void)
{
	hand(0, 1, 8u << 16, 192);
	offer(0, 1, 96);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_FLOW_LIMIT), 0);
	eq(lcore(0)->limit.count, 0);
	eq(drops(PLX_DROP_BACKLOG_FULL), 192 + 960 - 400);
	closes();
	ok(!got_flow[100 + 95]);
}

T(flows_are_not_limited_unless_asked_for)
{
	start_limited(0);
	is_unlimited();
}

T(flows_are_limited_by_the_lcores_that_are_named)
{
	start_limited(6);
	is_unlimited();
	hand(1, 2, 8u << 16, 192);
	offer(1, 2, 20);
	plx_engine_step(et.eng, 1);
	eq(drops(PLX_DROP_FLOW_LIMIT), lcore(1)->limit.count);
	ok(lcore(1)->limit.count > 100);
	closes();
}

T(flows_are_not_limited_where_nobody_tells_them_apart)
{
	start_limited(7);
	et.ops.flow = NULL;
	is_unlimited();
}

/* A backlog that is half full of it, and then 64 in the history of 128. */
T(the_limit_begins_at_half_of_the_backlog)
{
	start_limited(1);
	hand(0, 1, 5u << 16, 200 + 64);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 0);
	hand(0, 1, 5u << 16, 1);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 1);
	eq(plx_engine_held(et.eng), 264);
	closes();
}

/* What there is no room for is not noted: it is dropped for another reason. */
T(what_a_full_backlog_drops_is_not_limited)
{
	start_limited(1);
	for (uint32_t i = 0; i < 400; i++)
		hand(0, 1, (100 + i) << 16, 1);
	hand(0, 1, 5u << 16, 300);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 0);
	eq(drops(PLX_DROP_BACKLOG_FULL), 300);
	closes();
}

T(the_history_begins_anew_when_it_is_switched_on_again)
{
	start_limited(1);
	hand(0, 1, 5u << 16, 300);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 36);
	et.tun.v[PLX_TUN_FLOW_LIMIT_CPU_BITMAP] = 0;
	hand(0, 1, 5u << 16, 40);
	plx_engine_step(et.eng, 0);
	et.tun.v[PLX_TUN_FLOW_LIMIT_CPU_BITMAP] = 1;
	hand(0, 1, 5u << 16, 65);
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 37);
	closes();
}

T(what_has_no_flow_and_what_is_to_be_sent_is_not_limited)
{
	start_limited(1);
	hand(0, 1, 0, 390); /* flow 0 */
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 0);
	for (int i = 0; i < 10; i++)
		plx_engine_step(et.eng, 1);
	lcore(0)->tx_via[0] = 1;
	for (int i = 0; i < 390; i++)
		plx_softnet_tx_slow(lcore(0), 0, et_mbuf(lcore(0), 5u << 16));
	plx_engine_step(et.eng, 0);
	eq(lcore(0)->limit.count, 0);
	eq(drops(PLX_DROP_FLOW_LIMIT), 0);
	closes();
}

T(the_table_has_as_many_buckets_as_are_asked_for)
{
	static const struct {
		int64_t wanted;
		uint8_t log;
	} sizes[] = {{1, 0}, {4096, 12}, {4097, 13}, {65536, 16}};

	for (unsigned int i = 0; i < PLX_DIM(sizes); i++) {
		et_new(1, 3);
		et.ops.backlog = on_backlog;
		et.tun.v[PLX_TUN_FLOW_LIMIT_TABLE_LEN] = sizes[i].wanted;
		et_start();
		eq(lcore(2)->limit.log, sizes[i].log);
		plx_engine_step_end(et.eng);
		eq(plx_engine_destroy(et.eng), 0);
		et.eng = NULL;
		plx_port_fini_all();
	}
}

/* One lcore has no queue of the port: another one sends for it. */
T(an_lcore_without_a_queue_sends_by_another)
{
	struct plx_poller p = {.run = busy};
	struct rte_mbuf *m;

	memset(n_got, 0, sizeof(n_got));
	et_new(1, 1);
	et.conf.spare_lcores = true;
	et.ops.backlog = on_backlog;
	et_start();
	plx_softnet_add_poller(lcore(2), &p);
	assert_null(lcore(2)->txq[0]);
	plx_softnet_tx(lcore(2), 0, et_mbuf(lcore(2), 42));
	plx_engine_step(et.eng, 2);
	plx_engine_step(et.eng, lcore(2)->tx_via[0]);
	m = t_port_sent(&et.port[0], 0);
	assert_non_null(m);
	eq(plx_get_be32(rte_pktmbuf_mtod(m, void *)), 42);
	rte_pktmbuf_free(m);
	eq(n_got[0] + n_got[1], 0);
}

T(lcores_without_queues_are_refused_unless_spare)
{
	struct plx_error e = {0};

	et_new(1, 2);
	eq(et_open(&e), -EINVAL);
	eq(e.id, PLX_ERR_LCORE_NO_QUEUE);
}

/* Nobody can know how many those are. */
T(a_port_whose_peer_must_have_as_many_queues_has_one)
{
	struct plx_place place[2];

	et_new(2, 4);
	et.port[0].port->quirks |= PLX_QUIRK_PEER_QUEUES;
	plx_engine_place(3, 0, place);
	eq(place[0].queues, 1);
	eq(place[1].queues, 3);
	plx_engine_place(3, 2, place); /* asked for */
	eq(place[0].queues, 2);
}

static void stop_hands(struct plx_softnet *sn)
{
	if (sn->index == 2)
		hand(2, 0, 100, 3); /* the others have stopped already */
}

T(what_is_on_its_way_at_the_end_is_served)
{
	start();
	et.ops.stop = stop_hands;
	hand(0, 1, 0, 3);
	plx_engine_step_end(et.eng);
	eq(n_got[1], 3);
	eq(n_got[0], 3);
	eq(plx_engine_held(et.eng), 0);
	eq(drops(PLX_DROP_STOPPED), 0);
}

struct note {
	struct plx_msg msg;
	uint32_t *to;
	uint32_t value;
};

static void on_note(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct note *n = plx_container_of(msg, struct note, msg);

	*n->to = *n->to * 10 + n->value;
}

T(messages_come_in_order_and_within_a_budget)
{
	static struct note many[200];
	static uint32_t value; /* the last messages are served at the end of the fixture */

	value = 0;
	start();
	for (uint32_t i = 0; i < 4; i++) {
		many[i] = (struct note){.msg.fn = on_note, .to = &value, .value = i + 1};
		plx_softnet_post(lcore(1), &many[i].msg);
	}
	eq(plx_engine_deadline(et.eng), 0);
	eq(plx_engine_step(et.eng, 1), 4);
	eq(value, 1234);
	for (uint32_t i = 0; i < 200; i++) {
		many[i] = (struct note){.msg.fn = on_note, .to = &value};
		plx_softnet_post(lcore(1), &many[i].msg);
	}
	eq(plx_engine_step(et.eng, 1), 64);
	eq(plx_engine_step(et.eng, 1), 64);
}

/* ---- threads: sleeping lcores and their wake-ups ---- */

#define ROUNDS 400
#define LOST   PLX_MS(900) /* a sleep lasts 1 s: who wakes so late was not called */

static uint32_t rounds;
static plx_ns sent_at, worst;

static void note_latency(struct plx_softnet *sn)
{
	worst = PLX_MAX(worst, plx_engine_now(sn->eng) - sent_at);
}

/* A packet goes round all lcores. */
static void pass_on(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	eq(n, 1);
	note_latency(sn);
	if (++rounds == ROUNDS) {
		plx_pkt_deliver(pkts[0]);
		plx_engine_stop(sn->eng);
		return;
	}
	sent_at = plx_engine_now(sn->eng);
	plx_softnet_hand(sn, (uint16_t)((sn->index + 1) % 3), pkts[0]);
}

static int begin_round(struct plx_softnet *sn)
{
	if (sn->index == 0) {
		sent_at = plx_engine_now(sn->eng);
		plx_softnet_hand(sn, 1, et_mbuf(sn, 0));
	}
	return 0;
}

static uint32_t one_pass_of_work(struct plx_softnet *sn, void *arg)
{
	return sn->passes == 0;
}

static void threads(void)
{
	struct plx_error e = {0};

	et_new(1, 1);
	et.conf.clock = NULL;
	et.conf.spare_lcores = true;
	et.conf.no_rx = true; /* so that all may sleep as long as they like */
	et.conf.idle = PLX_IDLE_SLEEP;
	et.tun.v[PLX_TUN_IDLE_SLEEP_USECS] = 1000000;
	et.tun.v[PLX_TUN_IDLE_SPIN_USECS] = 0;
	et.ops.backlog = pass_on;
	eq(et_open(&e), 0);
	rounds = 0;
	worst = 0;
}

T(no_wake_up_by_a_packet_is_lost)
{
	struct plx_poller p[3] = {
		{.run = one_pass_of_work}, {.run = one_pass_of_work}, {.run = one_pass_of_work}};

	threads();
	et.ops.start = begin_round;
	for (uint16_t i = 0; i < 3; i++)
		plx_softnet_add_poller(lcore(i), &p[i]);
	eq(plx_engine_run(et.eng), 0);
	eq(rounds, ROUNDS);
	ok(worst < LOST);
	ok(lcore(1)->residency_n[PLX_RES_SLEEP] > 0);
}

static void called(struct plx_softnet *sn, void *arg)
{
	eq(rte_lcore_id(), sn->lcore);
	note_latency(sn);
	rounds++;
}

static void *caller(void *arg)
{
	while (!plx_engine_running(et.eng))
		usleep(1000);
	for (int i = 0; i < ROUNDS; i++) {
		sent_at = plx_engine_now(et.eng);
		if (plx_softnet_call(lcore((uint16_t)(i % 3)), called, NULL) != 0)
			break;
	}
	plx_engine_stop(et.eng);
	return NULL;
}

T(no_wake_up_by_a_call_is_lost)
{
	pthread_t t;

	threads();
	pthread_create(&t, NULL, caller, NULL);
	eq(plx_engine_run(et.eng), 0);
	pthread_join(t, NULL);
	eq(rounds, ROUNDS);
	ok(worst < LOST);
	eq(plx_softnet_call(lcore(1), called, NULL), -ESHUTDOWN);
	eq(rounds, ROUNDS);
}

/* Two engines share a process and nothing else: each has its own lcores, ports and pools. */
T(engines_are_strangers)
{
	struct plx_engine_conf conf;
	struct plx_engine *other;
	struct plx_error e = {0};
	const uint32_t lcore[] = {0, 2};

	et_new(2, 1);
	et.conf.lcores = &lcore[0];
	et.conf.n_lcores = 1;
	et.conf.ports = 1u << 0;
	et_start();
	conf = et.conf;
	conf.lcores = &lcore[1];
	conf.ports = 1u << 1;
	other = plx_engine_create(&conf, &e);
	assert_non_null(other);
	eq(plx_engine_open_ports(other, &e), 0);
	eq(plx_engine_step_begin(other), 0);
	eq(plx_engine_lcores(et.eng), 1);
	eq(plx_engine_lcores(other), 1);
	eq(plx_engine_softnet(other, 0)->lcore, lcore[1]);
	ok(plx_engine_has_port(et.eng, 0) && !plx_engine_has_port(et.eng, 1));
	ok(!plx_engine_has_port(other, 0) && plx_engine_has_port(other, 1));
	et_feed(0, 0, 3);
	et_feed(1, 0, 5);
	eq(plx_engine_step(et.eng, 0), 3);
	eq(plx_engine_step(et.eng, 0), 0);
	eq(plx_engine_step(other, 0), 5);
	plx_engine_step_end(et.eng);
	plx_engine_close_ports(et.eng);
	ok(!et.port[0].port->open);
	ok(et.port[1].port->open);
	plx_engine_step_end(other);
	eq(plx_engine_destroy(other), 0);
}

RUN_EAL(ET_(what_is_handed_over_arrives_in_order), ET_(a_late_message_waits_for_packets_before_it),
	ET_(what_is_under_way_is_counted_in_wire_packets), ET_(to_oneself_it_is_a_call),
	ET_(a_full_backlog_drops_the_newest), ET_(a_loud_flow_is_limited_and_quiet_ones_pass),
	ET_(flows_are_not_limited_unless_asked_for),
	ET_(flows_are_limited_by_the_lcores_that_are_named),
	ET_(flows_are_not_limited_where_nobody_tells_them_apart),
	ET_(the_limit_begins_at_half_of_the_backlog), ET_(what_a_full_backlog_drops_is_not_limited),
	ET_(the_history_begins_anew_when_it_is_switched_on_again),
	ET_(what_has_no_flow_and_what_is_to_be_sent_is_not_limited),
	ET_(the_table_has_as_many_buckets_as_are_asked_for),
	ET_(an_lcore_without_a_queue_sends_by_another),
	ET_(lcores_without_queues_are_refused_unless_spare),
	ET_(a_port_whose_peer_must_have_as_many_queues_has_one),
	ET_(what_is_on_its_way_at_the_end_is_served),
	ET_(messages_come_in_order_and_within_a_budget), ET_(no_wake_up_by_a_packet_is_lost),
	ET_(no_wake_up_by_a_call_is_lost), ET_(engines_are_strangers))
