/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_t.h"

#include "../../app/replay_send.h"

/* When packets leave, to the nanosecond: the clock is the test's. */

static struct replay_store store;
static struct replay_pace pace;
static struct replay_send snd;
static int over;

static void on_over(void *arg)
{
	over++;
}

/* Packet i is due at at[i], has bytes[i] bytes (60 if none are given), and i in its first one. */
static void start_with(size_t n, const plx_ns *at, const uint32_t *bytes)
{
	static uint8_t data[300000];

	replay_free(&store);
	store.max = 64 << 20;
	for (size_t i = 0; i < n; i++) {
		uint32_t len = bytes ? bytes[i] : 60;

		for (uint32_t k = 0; k < len; k++)
			data[k] = (uint8_t)(i + k);
		assert_non_null(replay_add(&store, at ? at[i] : 0, data, len, len));
	}
	pace.speed = 1;
	replay_plan(&store, &pace);
	snd = (struct replay_send){
		.store = &store,
		.pace = &pace,
		.rounds = snd.rounds,
		.burst = 32,
		.over = on_over,
	};
	over = 0;
	et_new(1, 1);
	snd.port = et.port[0].port;
	et_start();
	eq(replay_send_add(&snd, et.eng), 0);
}
#define START(...)                                                                                 \
	start_with(PLX_DIM(((const plx_ns[]){__VA_ARGS__})), (const plx_ns[]){__VA_ARGS__}, NULL)

static void timed(uint32_t rounds)
{
	pace = (struct replay_pace){.mode = REPLAY_TIMED};
	snd.rounds = rounds;
}

/* What the device has by then, from the beginning on. */
static unsigned int sent_at(plx_ns now)
{
	et.now = now;
	plx_engine_step(et.eng, 0);
	return et.port[0].q[0].n_tx;
}

static uint64_t drops(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

/* What has been done now was the last of it: the run is over 50 ms later, and not before. */
static void ends(void)
{
	unsigned int n = et.port[0].q[0].n_tx;
	plx_ns end = et.now + PLX_MS(50);

	eq(over, 0);
	eq(plx_engine_deadline(et.eng), end);
	eq(sent_at(end - 1), n);
	eq(over, 0);
	eq(sent_at(end), n);
	eq(over, 1);
	eq(plx_engine_deadline(et.eng), PLX_NEVER);
}

#define T0 PLX_SEC(10)

T(each_leaves_when_it_is_due)
{
	timed(1);
	START(PLX_SEC(77), PLX_SEC(77) + PLX_MS(1), PLX_SEC(77) + PLX_MS(1), PLX_SEC(78));
	eq(sent_at(T0 - 5), 0); /* not told to go */
	replay_send_go(&snd);
	eq(sent_at(T0), 1);
	eq(plx_engine_deadline(et.eng), T0 + PLX_MS(1));
	eq(sent_at(T0 + PLX_MS(1) - 1), 1);
	eq(sent_at(T0 + PLX_MS(1)), 3);
	eq(plx_engine_deadline(et.eng), T0 + PLX_SEC(1));
	eq(sent_at(T0 + PLX_SEC(1) - 1), 3);
	eq(sent_at(T0 + PLX_SEC(1)), 4);
	ends();
	eq(sent_at(T0 + PLX_SEC(9)), 4);
	eq(over, 1);
	eq(plx_engine_deadline(et.eng), PLX_NEVER);
	eq(snd.sent, 4);
	eq(snd.bytes, 240);
	eq(snd.round, 1);
	eq(snd.last_ns - snd.first_ns, PLX_SEC(1));
	eq(snd.late.count, 4);
	eq(snd.late.max, 0);
	for (uint8_t i = 0; i < 4; i++)
		eq(*rte_pktmbuf_mtod(et.port[0].q[0].tx[i], uint8_t *), i);
}

/* Their times count from the first one, not from the one before. */
T(what_is_late_is_made_up_for)
{
	timed(1);
	START(0, PLX_MS(1), PLX_MS(2), PLX_MS(10), PLX_MS(20));
	replay_send_go(&snd);
	eq(sent_at(T0), 1);
	eq(sent_at(T0 + PLX_MS(12)), 4);
	eq(sent_at(T0 + PLX_MS(20)), 5);
	eq(snd.late.max, PLX_MS(11));
	eq(snd.late.sum, PLX_MS(11 + 10 + 2));
	eq(snd.late.min, 0);
}

T(rounds_follow_each_other)
{
	timed(3);
	START(0, PLX_MS(1), PLX_MS(2));
	replay_send_go(&snd);
	for (unsigned int i = 0; i < 9; i++) {
		eq(sent_at(T0 + PLX_MS(i)), i + 1);
		eq(sent_at(T0 + PLX_MS(i) + PLX_US(999)), i + 1);
	}
	et.now -= PLX_US(999);
	ends();
	eq(snd.round, 3);
	eq(snd.late.max, 0);
}

T(nothing_is_sent_without_a_link)
{
	timed(1);
	START(0, PLX_MS(1));
	eq(plx_port_set_link(snd.port, false), 0);
	plx_port_link_check(snd.port);
	replay_send_go(&snd);
	eq(sent_at(T0), 0);
	eq(plx_engine_deadline(et.eng), T0 + PLX_MS(5));
	eq(sent_at(T0 + PLX_SEC(1)), 0);
	eq(plx_port_set_link(snd.port, true), 0);
	plx_port_link_check(snd.port);
	eq(sent_at(T0 + PLX_SEC(2)), 1); /* that is when it begins */
	eq(sent_at(T0 + PLX_SEC(2) + PLX_MS(1)), 2);
	eq(snd.late.max, 0);
	ends();
}

/* What waits in the queue is looked at again at once, whenever the next packet is due. */
T(what_waits_is_not_later_than_it_is)
{
	timed(1);
	START(0, 0, PLX_SEC(1));
	et.port[0].room = 1;
	replay_send_go(&snd);
	eq(sent_at(T0), 2); /* the second one as the pass ends */
	eq(plx_engine_deadline(et.eng), T0);
	eq(sent_at(T0 + 10), 2);
	eq(snd.late.count, 2);
	eq(snd.late.max, 10);
	eq(plx_engine_deadline(et.eng), T0 + PLX_SEC(1));
}

/* A device that takes 2 at a time: the others wait, and are late by that. */
T(a_device_that_is_slow)
{
	pace = (struct replay_pace){.mode = REPLAY_PPS, .rate = 1000000000};
	snd.rounds = 1;
	start_with(100, NULL, NULL);
	et.port[0].room = 2;
	replay_send_go(&snd);
	for (unsigned int i = 1; i <= 40; i++)
		ok(sent_at(T0 + PLX_MS(i)) <= 4 * i);
	while (!over)
		ok(sent_at(et.now + PLX_MS(1)) <= 100);
	eq(et.port[0].q[0].n_tx, 100);
	eq(snd.sent, 100);
	eq(snd.bytes, 6000);
	eq(snd.late.count, 100);
	ok(snd.late.max >= PLX_MS(20));
	for (uint8_t i = 0; i < 100; i++)
		eq(*rte_pktmbuf_mtod(et.port[0].q[0].tx[i], uint8_t *), i);
}

/* All that a device is given and does not take before the link is gone. */
T(a_link_that_is_lost)
{
	timed(1);
	START(0, 0, 0, PLX_MS(1), PLX_MS(2));
	et.port[0].room = 1;
	replay_send_go(&snd);
	ok(sent_at(T0) >= 1);
	et.port[0].room = 0;
	eq(plx_port_set_link(snd.port, false), 0);
	plx_port_link_check(snd.port);
	sent_at(T0 + PLX_MS(1));
	sent_at(T0 + PLX_MS(2));
	ends();
	eq(snd.sent, et.port[0].q[0].n_tx);
	eq(snd.bytes, 60 * snd.sent);
	eq(snd.late.count, snd.sent);
	eq(drops(PLX_DROP_TX_DOWN), 5 - snd.sent);
	eq(plx_engine_held(et.eng), 0);
}

/* A driver that takes all, and loses every other one. */
static uint16_t lossy(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct t_port_queue *w = &et.port[0].q[q->id];

	for (uint16_t i = 0; i < n; i++) {
		if (*rte_pktmbuf_mtod(pkts[i], uint8_t *) % 2)
			plx_txq_lost(pkts[i], PLX_DROP_IMPAIR_LOSS);
		else
			w->tx[w->n_tx++] = pkts[i];
	}
	return n;
}

static uint64_t transmitted(void)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.tx_pkts;
}

T(what_the_driver_loses_was_not_sent)
{
	pace = (struct replay_pace){.mode = REPLAY_PPS, .rate = 1000000000};
	snd.rounds = 1;
	start_with(100, NULL, NULL);
	snd.q->burst = lossy;
	replay_send_go(&snd);
	while (!over)
		sent_at(et.now + PLX_MS(1));
	eq(et.port[0].q[0].n_tx, 50);
	eq(drops(PLX_DROP_IMPAIR_LOSS), 50);
	eq(snd.sent, 50);
	eq(snd.bytes, 3000);
	eq(snd.late.count, 50);
	eq(transmitted(), 50);
}

static int n_lost_later;

/* It holds what it takes, and loses the last one of the burst before. */
static uint16_t lossy_later(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct t_port_queue *w = &et.port[0].q[q->id];

	if (w->n_tx) {
		plx_txq_lost(w->tx[--w->n_tx], PLX_DROP_TX_DOWN);
		n_lost_later++;
	}
	for (uint16_t i = 0; i < n; i++)
		w->tx[w->n_tx++] = pkts[i];
	return n;
}

T(what_the_driver_loses_later_was_not_sent)
{
	timed(3);
	START(0, PLX_MS(1));
	n_lost_later = 0;
	snd.q->burst = lossy_later;
	replay_send_go(&snd);
	for (int i = 0; !over; i++)
		sent_at(T0 + PLX_MS(i));
	eq(n_lost_later, 5);
	eq(snd.sent, 1);
	eq(transmitted(), 1);
}

T(what_is_too_long_is_dropped)
{
	static const uint32_t bytes[] = {1518, 1519, 60, 262144, 65536, 60};

	pace = (struct replay_pace){.mode = REPLAY_FLAT};
	snd.rounds = 100;
	start_with(PLX_DIM(bytes), NULL, bytes);
	replay_send_go(&snd);
	for (int i = 0; i < 200 && !over; i++)
		sent_at(T0 + PLX_MS(i));
	eq(over, 1);
	eq(drops(PLX_DROP_TX_TOO_LONG), 300);
	eq(snd.sent, 300);
	eq(snd.bytes, 100 * (1518 + 60 + 60));
	eq(snd.late.count, 0); /* nothing is, as fast as it goes */
}

/* Nothing can be sent at all. */
T(all_are_too_long)
{
	static const uint32_t bytes[] = {1519, 9000};

	timed(3);
	start_with(2, (const plx_ns[]){0, PLX_MS(1)}, bytes);
	replay_send_go(&snd);
	for (int i = 0; i < 6; i++)
		eq(sent_at(T0 + PLX_MS(i)), 0);
	eq(snd.q->drops, 6);
	ends();
	eq(drops(PLX_DROP_TX_TOO_LONG), 6);
	eq(snd.sent, 0);
}

T(what_is_shorter_than_its_header_is_dropped)
{
	static const uint32_t bytes[] = {0, 13, 14, 1, 60, 0};

	timed(2);
	start_with(PLX_DIM(bytes), NULL, bytes);
	replay_send_go(&snd);
	eq(sent_at(T0), 4);
	eq(snd.round, 2);
	eq(snd.sent, 4);
	eq(snd.bytes, 2 * (14 + 60));
	eq(snd.late.count, 4);
	eq(drops(PLX_DROP_ETH_SHORT), 8);
	eq(et.port[0].q[0].tx[0]->pkt_len, 14);
}

/* Without Ethernet nothing is known of a header's length but that there is one. */
T(an_empty_packet_without_ethernet)
{
	static const uint32_t bytes[] = {0, 1, 13, 1500, 1501};

	pace = (struct replay_pace){.mode = REPLAY_FLAT};
	snd.rounds = 1;
	start_with(PLX_DIM(bytes), NULL, bytes);
	snd.port->features |= PLX_PORT_F_NO_ETH;
	replay_send_go(&snd);
	eq(sent_at(T0), 3);
	eq(snd.bytes, 1514);
	eq(drops(PLX_DROP_ETH_SHORT), 1);
	eq(drops(PLX_DROP_TX_TOO_LONG), 1);
}

T(a_packet_of_several_buffers)
{
	static const uint32_t bytes[] = {9018, 2048, 2049, 1514, 14};
	static uint8_t room[9018];

	pace = (struct replay_pace){.mode = REPLAY_FLAT};
	snd.rounds = 1;
	start_with(PLX_DIM(bytes), NULL, bytes);
	eq(plx_port_set_mtu(snd.port, 9000), 0);
	replay_send_go(&snd);
	eq(sent_at(T0), 5);
	for (uint32_t i = 0; i < PLX_DIM(bytes); i++) {
		const struct rte_mbuf *m = et.port[0].q[0].tx[i];
		const uint8_t *p = rte_pktmbuf_read(m, 0, bytes[i], room);

		rte_mbuf_sanity_check(m, 1);
		eq(m->pkt_len, bytes[i]);
		for (uint32_t k = 0; k < bytes[i]; k++)
			eq(p[k], (uint8_t)(i + k));
	}
	eq(et.port[0].q[0].tx[0]->nb_segs, 5);
	eq(et.port[0].q[0].tx[1]->nb_segs, 1);
}

/* It waits for buffers, and goes on. */
T(no_buffers)
{
	struct rte_mbuf *m, *first = NULL;

	timed(1);
	START(0, 0);
	replay_send_go(&snd);
	while ((m = rte_pktmbuf_alloc(et.sn->pool))) {
		m->next = first;
		first = m;
	}
	eq(sent_at(T0), 0);
	m = first;
	first = m->next;
	m->next = NULL;
	rte_pktmbuf_free(m);
	eq(sent_at(T0 + 5), 1); /* as far as they go */
	eq(over, 0);
	while ((m = first)) {
		first = m->next;
		m->next = NULL;
		rte_pktmbuf_free(m);
	}
	eq(sent_at(T0 + 7), 2);
	eq(snd.late.max, 7);
	ends();
}

T(for_ever)
{
	pace = (struct replay_pace){.mode = REPLAY_FLAT};
	snd.rounds = 0;
	start_with(1, NULL, NULL);
	replay_send_go(&snd);
	for (unsigned int i = 1; i <= 20; i++)
		eq(sent_at(T0), 32 * i);
	eq(over, 0);
	eq(snd.round, 640);
	eq(plx_engine_deadline(et.eng), T0);
}

RUN_EAL(ET_(each_leaves_when_it_is_due), ET_(what_is_late_is_made_up_for),
	ET_(rounds_follow_each_other), ET_(nothing_is_sent_without_a_link),
	ET_(what_waits_is_not_later_than_it_is), ET_(a_device_that_is_slow),
	ET_(what_the_driver_loses_was_not_sent), ET_(what_the_driver_loses_later_was_not_sent),
	ET_(a_link_that_is_lost), ET_(what_is_too_long_is_dropped), ET_(all_are_too_long),
	ET_(what_is_shorter_than_its_header_is_dropped), ET_(an_empty_packet_without_ethernet),
	ET_(a_packet_of_several_buffers), ET_(no_buffers), ET_(for_ever))
