/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_LCORES "(0-1)@0"
#include "tap_t.h"

#include <pthread.h>
#include <sched.h>

/* With a ring that is soon full. */
static struct plx_tap *open_small(struct plx_tap_conf conf)
{
	conf.ring_bytes = conf.ring_bytes ? conf.ring_bytes : PLX_TAP_RING_MIN;
	return open_tap(conf);
}

static struct rte_mbuf *mbuf(uint32_t n, uint16_t type)
{
	struct rte_mbuf *m = et_mbuf(et.sn, 0);

	memset(rte_pktmbuf_mtod(m, void *), 0, FRAME);
	number_frame(rte_pktmbuf_mtod(m, uint8_t *), n, type);
	return m;
}

/* ---- reading ---- */

static struct {
	struct plx_tap_pkt p;
	uint8_t data[64];
} got[700];
static unsigned int n_got;

static bool keep(void *arg, const struct plx_tap_pkt *p)
{
	ok(n_got < PLX_DIM(got));
	got[n_got].p = *p;
	memcpy(got[n_got++].data, plx_tap_data(p), PLX_MIN(p->caplen, 64u));
	return true;
}

static unsigned int read_all(struct plx_tap *t)
{
	n_got = 0;
	return plx_tap_read(t, keep, NULL, UINT32_MAX);
}

static uint32_t number_of(unsigned int i)
{
	return number_in(got[i].data);
}

static void expect(const struct plx_tap *t, uint64_t accepted, uint64_t filtered, uint64_t full,
	uint64_t sampled)
{
	struct plx_tap_stats s;

	plx_tap_stats(t, &s);
	eq(s.accepted, accepted);
	eq(s.filtered, filtered);
	eq(s.full, full);
	eq(s.sampled, sampled);
	eq(s.seen, accepted + filtered + full + sampled);
}

/* ---- in ---- */

T(what_comes_is_seen)
{
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed_frames(1, 7, 3, 0x9999);
	et.now += 5;
	plx_engine_step(et.eng, 0);
	eq(read_all(t), 3);
	for (unsigned int i = 0; i < 3; i++) {
		eq(number_of(i), 7 + i);
		eq(got[i].p.ts_ns, plx_engine_now(et.eng));
		eq(got[i].p.caplen, FRAME);
		eq(got[i].p.len, FRAME);
		eq(got[i].p.port, 1);
		eq(got[i].p.queue, 0);
		eq(got[i].p.point, PLX_PKT_AT_RX);
		eq(got[i].p.link, PLX_TAP_LINK_ETHER);
		eq(got[i].p.flags, 0);
		eq(got[i].p.lost, 0);
	}
	eq(read_all(t), 0);
	close_tap(t);
}

T(ports_queues_directions_and_points_count)
{
	struct plx_tap *port1, *queue1, *out, *gro;

	start_taps();
	port1 = open_small((struct plx_tap_conf){.ports = 1u << 1});
	queue1 = open_small((struct plx_tap_conf){.queues = 1u << 1});
	out = open_small((struct plx_tap_conf){.directions = PLX_TAP_OUT});
	gro = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(RX_GRO)});
	feed_frames(0, 0, 2, 0x9999);
	feed_frames(1, 0, 3, 0x9999);
	plx_softnet_tx(et.sn, 1, mbuf(50, 0x9999));
	plx_softnet_tx(et.sn, 0, mbuf(51, 0x9999));
	plx_engine_step(et.eng, 0);
	expect(port1, 4, 0, 0, 0);
	expect(queue1, 0, 0, 0, 0);
	expect(out, 2, 0, 0, 0);
	expect(gro, 5, 0, 0, 0);
	eq(read_all(out), 2);
	eq(got[0].p.flags, PLX_TAP_F_OUT);
	close_tap(port1);
	close_tap(queue1);
	close_tap(out);
	close_tap(gro);
}

T(a_filter_and_a_snap_length)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.filter = "ether proto 0x9998", .snap_bytes = 20});
	assert_null(plx_tap_open(taps, &(struct plx_tap_conf){.filter = "tcp prot 80"}, &e, &why));
	eq(why.column, 5);
	feed_frames(0, 0, 5, 0x9999);
	feed_frames(0, 5, 2, 0x9998);
	plx_engine_step(et.eng, 0);
	expect(t, 2, 5, 0, 0);
	eq(read_all(t), 2);
	eq(number_of(0), 5);
	eq(got[0].p.caplen, 20);
	eq(got[0].p.len, FRAME);
	str_eq(plx_tap_conf_of(t)->filter, "ether proto 0x9998");
	close_tap(t);
}

T(a_limit)
{
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.limit = 3});
	feed_frames(0, 0, 5, 0x9999);
	plx_engine_step(et.eng, 0);
	ok(!plx_tap_done(t));
	eq(read_all(t), 3);
	ok(plx_tap_done(t));
	eq(read_all(t), 0);
	close_tap(t);
}

T(sampling_is_even)
{
	struct plx_tap *t;
	struct plx_tap_stats s;

	start_taps();
	t = open_small((struct plx_tap_conf){.sample = 10, .seed = 1, .ring_bytes = 1u << 20});
	for (int i = 0; i < 100; i++) {
		feed_frames(0, 0, 60, 0x9999);
		plx_engine_step(et.eng, 0);
	}
	plx_tap_stats(t, &s);
	eq(s.seen, 6000);
	eq(s.accepted + s.sampled, 6000);
	ok(s.accepted > 520 && s.accepted < 690);
	eq(read_all(t), s.accepted);
	close_tap(t);
}

/* Which packets are in the sample is a matter of their order, not of bursts. */
T(bursts_are_sampled_as_packets_are)
{
	const struct plx_tap_conf one_of_ten = {
		.points = PLX_TAP_BIT(RX), .sample = 10, .seed = 7, .ring_bytes = 1u << 20};
	uint32_t alone[64];
	unsigned int n;
	struct plx_tap *t;

	start_taps();
	t = open_small(one_of_ten);
	for (uint32_t i = 0; i < 300; i++) {
		feed_frames(0, i, 1, 0x9999);
		plx_engine_step(et.eng, 0);
	}
	n = read_all(t);
	ok(n > 10 && n < PLX_DIM(alone));
	for (unsigned int i = 0; i < n; i++)
		alone[i] = number_of(i);
	expect(t, n, 0, 0, 300 - n);
	close_tap(t);

	t = open_small(one_of_ten);
	for (uint32_t i = 0; i < 300; i += 50) {
		feed_frames(0, i, 50, 0x9999);
		plx_engine_step(et.eng, 0);
	}
	eq(read_all(t), n);
	for (unsigned int i = 0; i < n; i++)
		eq(number_of(i), alone[i]);
	expect(t, n, 0, 0, 300 - n);
	close_tap(t);
}

static plx_ns ticks(void *arg)
{
	return ++*(plx_ns *)arg;
}

/* The clock is asked once for all that came together. */
T(a_burst_has_one_time)
{
	plx_ns first;
	struct plx_tap *t;

	start_taps();
	et.clock = (struct plx_clock){.now = ticks, .arg = &et.now};
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed_frames(0, 0, 3, 0x9999);
	plx_engine_step(et.eng, 0);
	eq(read_all(t), 3);
	first = got[0].p.ts_ns;
	eq(got[1].p.ts_ns, first);
	eq(got[2].p.ts_ns, first);
	feed_frames(0, 0, 1, 0x9999);
	plx_engine_step(et.eng, 0);
	eq(read_all(t), 1);
	ok(got[0].p.ts_ns > first);
	close_tap(t);
}

/* What does not fit is counted, also in front of the next that does; traffic goes on. */
T(a_full_ring)
{
	const unsigned int fit = PLX_TAP_RING_MIN / (40 + 64);
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed_frames(0, 0, 1000, 0x9999);
	for (int i = 0; i < 4; i++)
		plx_engine_step(et.eng, 0);
	expect(t, fit, 0, 1000 - fit, 0);
	n_got = 0;
	eq(plx_tap_read(t, keep, NULL, 10), 10);
	feed_frames(0, 1000, 5, 0x9999);
	plx_engine_step(et.eng, 0);
	expect(t, fit + 5, 0, 1000 - fit, 0);
	eq(read_all(t), fit + 5 - 10);
	eq(got[n_got - 6].p.lost, 0);
	eq(number_of(n_got - 5), 1000);
	eq(got[n_got - 5].p.lost, 1000 - fit);
	eq(got[n_got - 4].p.lost, 0);
	close_tap(t);
}

/* ---- out ---- */

T(what_a_driver_refuses_is_seen_once)
{
	struct plx_tap *t;

	start_taps();
	t = open_small(
		(struct plx_tap_conf){.points = PLX_TAP_BIT(TX), .filter = "ether[17] & 1 = 0"});
	et.port[0].room = 0;
	for (uint32_t i = 0; i < 10; i++)
		plx_softnet_tx(et.sn, 0, mbuf(i, 0x9999));
	plx_engine_step(et.eng, 0);
	expect(t, 0, 0, 0, 0);
	eq(read_all(t), 0);
	et.port[0].room = 3;
	plx_engine_step(et.eng, 0);
	expect(t, 3, 3, 0, 0); /* 1, then 2, then 3 of 4 */
	et.port[0].room = UINT32_MAX;
	plx_engine_step(et.eng, 0);
	expect(t, 5, 5, 0, 0);
	eq(read_all(t), 5);
	for (unsigned int i = 0; i < 5; i++)
		eq(number_of(i), 2 * i);
	close_tap(t);
}

T(a_burst_past_the_queue_is_seen_too)
{
	struct rte_mbuf *pkts[70];
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(TX)});
	for (uint32_t i = 0; i < 70; i++)
		pkts[i] = mbuf(i, 0x9999);
	et.port[0].room = 66;
	plx_softnet_tx_burst(et.sn, 0, pkts, 70);
	et.port[0].room = UINT32_MAX;
	plx_engine_step(et.eng, 0);
	eq(read_all(t), 70);
	for (uint32_t i = 0; i < 70; i++)
		eq(number_of(i), i);
	close_tap(t);
}

/* A driver that drops while it takes: its records stay, those of what it refuses do not. */
T(drops_within_a_drivers_burst)
{
	const struct plx_pkt_seen s = {.point = PLX_PKT_AT_TX, .out = true};
	const struct plx_pkt_watch *w;
	struct rte_mbuf *m[3];
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(TX) | PLX_TAP_BIT(DROP)});
	plx_engine_step(et.eng, 0);
	w = plx_pkt_watch(PLX_PKT_AT_TX);
	assert_non_null(w);
	for (uint32_t i = 0; i < 3; i++)
		m[i] = mbuf(i, 0x9999);
	w->see(w, &s, m, 3);
	plx_pkt_drop(mbuf(99, 0x9999), PLX_DROP_TX_FULL);
	eq(read_all(t), 0);
	w->took(w, &s, 1);
	expect(t, 2, 0, 0, 0);
	eq(read_all(t), 2);
	eq(number_of(0), 0);
	eq(number_of(1), 99);
	plx_pkt_deliver_bulk(m, 3);
	close_tap(t);
}

/* ---- drops ---- */

T(a_drop_shows_the_frame_that_came)
{
	struct plx_tap *t;

	start_taps();
	et.ops.rx = rx_drops;
	t = open_small((struct plx_tap_conf){
		.points = PLX_TAP_BIT(DROP), .ports = 2, .filter = "ether proto 0x9999"});
	feed_frames(0, 0, 2, 0x9999);
	feed_frames(1, 0, 2, 0x9999);
	feed_frames(1, 2, 2, 0x9998);
	plx_engine_step(et.eng, 0);
	expect(t, 2, 2, 0, 0);
	eq(read_all(t), 2);
	eq(got[1].p.reason, PLX_DROP_UDP_NO_PORT);
	eq(got[1].p.port, 1);
	eq(got[1].p.len, FRAME);
	eq(number_of(1), 1);
	eq(got[1].p.flags, 0);
	close_tap(t);
}

static void rx_drops_another(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_pkt_drop(mbuf(0, 0x9999), PLX_DROP_UDP_NO_PORT);
	plx_pkt_deliver_bulk(pkts, n);
}

/* A drop of what was made here: not one for those who look at some ports. */
T(what_came_by_no_port_is_at_none)
{
	struct plx_tap *t, *all;

	start_taps();
	et.ops.rx = rx_drops_another;
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(DROP), .ports = 1});
	all = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(DROP)});
	feed_frames(0, 0, 1, 0x9999);
	plx_engine_step(et.eng, 0);
	expect(t, 0, 0, 0, 0);
	expect(all, 1, 0, 0, 0);
	close_tap(t);
	close_tap(all);
}

T(a_drop_on_the_way_out)
{
	struct plx_tap *t;

	start_taps();
	t = open_small((struct plx_tap_conf){
		.points = PLX_TAP_BIT(DROP), .directions = PLX_TAP_OUT, .filter = "outbound"});
	__atomic_store_n(&et.sn->txq[0]->limit, 0, __ATOMIC_RELAXED);
	plx_softnet_tx(et.sn, 0, mbuf(4, 0x9999));
	plx_engine_step(et.eng, 0);
	eq(read_all(t), 1);
	eq(number_of(0), 4);
	eq(got[0].p.reason, PLX_DROP_TX_DOWN);
	eq(got[0].p.flags, PLX_TAP_F_OUT);
	close_tap(t);
}

/* ---- coming and going ---- */

T(a_tap_goes_when_each_lcore_has_passed)
{
	struct plx_tap *t;

	start_taps();
	assert_null(plx_pkt_watches[0].at[PLX_PKT_AT_RX]);
	t = open_small((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	assert_non_null(plx_pkt_watches[0].at[PLX_PKT_AT_RX]);
	assert_null(plx_pkt_watches[0].at[PLX_PKT_AT_TX]);
	feed_frames(0, 0, 1, 0x9999);
	plx_engine_step(et.eng, 0);
	plx_tap_detach(t);
	plx_tap_detach(t);
	assert_null(plx_pkt_watches[0].at[PLX_PKT_AT_RX]);
	ok(!plx_tap_gone(t));
	plx_engine_step(et.eng, 0);
	ok(plx_tap_gone(t));
	eq(read_all(t), 1); /* still there */
	plx_tap_close(t);
}

#define STRESS_PKTS 100000

static uint32_t fed;

static void on_rx(struct t_port *tp, struct plx_rxq *q)
{
	uint8_t b[FRAME] = {0};

	for (int i = 0; i < 32 && fed < STRESS_PKTS && tp->q[0].n_rx < 32; i++) {
		number_frame(b, fed, fed % 2 ? 0x9999 : 0x9998);
		t_port_feed(tp, 0, b, sizeof(b), 0);
		__atomic_store_n(&fed, fed + 1, __ATOMIC_RELAXED);
	}
}

struct check {
	uint64_t n, lost;
	int64_t last;
	uint32_t step;
};

static bool check_pkt(void *arg, const struct plx_tap_pkt *p)
{
	struct check *c = arg;
	int64_t n = number_in(plx_tap_data(p));

	/* none twice, none missing that is not said to be */
	if (c->last >= 0)
		eq(n, c->last + c->step * (int64_t)(1 + p->lost));
	c->last = n;
	c->lost += p->lost;
	c->n++;
	return true;
}

/* An lcore at work while taps come and go, read by another thread. */
T(taps_come_and_go_under_load)
{
	static const uint32_t lcore1 = 1;
	struct plx_tap_conf half = {.filter = "ether proto 0x9999", .ring_bytes = 1u << 16};
	struct check all = {.last = -1, .step = 2}, passing[3];
	struct plx_tap *stays, *t[3] = {NULL};
	struct plx_tap_stats s;
	unsigned int rounds = 0;

	et_new(1, 1);
	et.conf.lcores = &lcore1;
	et.conf.n_lcores = 1;
	et.conf.clock = NULL;
	et.port[0].on_rx = on_rx;
	fed = 0;
	{
		struct plx_error e = {0};

		eq(et_open(&e), 0);
	}
	taps = plx_taps_create(et.eng, NULL);
	stays = open_small(half);
	plx_engine_start(et.eng);
	do {
		for (unsigned int i = 0; i < 3; i++) {
			if (t[i])
				plx_tap_close(t[i]);
			passing[i] = (struct check){.last = -1, .step = 1};
			t[i] = open_small((struct plx_tap_conf){
				.points = i == 2 ? PLX_TAP_BIT(RX_GRO) | PLX_TAP_BIT(DROP)
						 : PLX_TAP_BIT(RX)});
		}
		rounds++;
		for (unsigned int i = 0; i < 3; i++)
			plx_tap_read(t[i], check_pkt, &passing[i], 500);
		plx_tap_read(stays, check_pkt, &all, UINT32_MAX);
		sched_yield();
	} while (__atomic_load_n(&fed, __ATOMIC_RELAXED) < STRESS_PKTS);
	for (unsigned int i = 0; i < 3; i++)
		plx_tap_close(t[i]);
	plx_engine_stop(et.eng);
	eq(plx_engine_join(et.eng), 0);
	plx_tap_read(stays, check_pkt, &all, UINT32_MAX);
	plx_tap_stats(stays, &s);
	print_message("%u rounds, %lu of %lu lost\n", rounds, s.full, s.seen);
	eq(s.seen, et.port[0].port->rxq[0]->pkts);
	eq(s.filtered, s.seen / 2);
	eq(s.accepted + s.full, s.seen / 2);
	eq(s.accepted, all.n);
	eq(s.given, all.n);
	ok(all.lost <= s.full);
	plx_tap_close(stays);
}

RUN_EAL(TAP_(what_comes_is_seen), TAP_(ports_queues_directions_and_points_count),
	TAP_(a_filter_and_a_snap_length), TAP_(a_limit), TAP_(sampling_is_even),
	TAP_(bursts_are_sampled_as_packets_are), TAP_(a_burst_has_one_time), TAP_(a_full_ring),
	TAP_(what_a_driver_refuses_is_seen_once), TAP_(a_burst_past_the_queue_is_seen_too),
	TAP_(drops_within_a_drivers_burst), TAP_(a_drop_shows_the_frame_that_came),
	TAP_(what_came_by_no_port_is_at_none), TAP_(a_drop_on_the_way_out),
	TAP_(a_tap_goes_when_each_lcore_has_passed), TAP_(taps_come_and_go_under_load))
