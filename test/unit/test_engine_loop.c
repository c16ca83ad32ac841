/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_t.h"

#include <time.h>

/* The bursts that rx() was called with, as "queue:packets ...". */
static void bursts(const char *expected)
{
	char text[512] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < et.n_bursts; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d:%d", i ? " " : "",
			et.bursts[i][0], et.bursts[i][1]);
	str_eq(text, expected);
	et.n_bursts = 0;
}

T(a_poll_takes_its_weight)
{
	et_new(1, 1);
	et_start();
	et_feed(0, 0, 150);
	eq(plx_engine_step(et.eng, 0), 150);
	bursts("0:64 0:64 0:22");
	eq(et.sn->processed, 150);
	eq(et.sn->time_squeeze, 0);
	et.tun.v[PLX_TUN_DEV_WEIGHT] = 10;
	et_feed(0, 0, 25);
	plx_engine_step(et.eng, 0);
	bursts("0:10 0:10 0:5");
}

T(the_burst_asked_for_is_bounded)
{
	et_new(1, 1);
	et.conf.burst = 1000;
	et_start();
	et_feed(0, 0, 70);
	plx_engine_step(et.eng, 0);
	bursts("0:64 0:6");
}

T(a_pass_ends_with_its_budget)
{
	et_new(1, 1);
	et_start();
	et_feed(0, 0, 400);
	eq(plx_engine_step(et.eng, 0), 320); /* the poll that crosses 300 is the last */
	eq(et.sn->time_squeeze, 1);
	eq(plx_engine_step(et.eng, 0), 80);
	eq(et.sn->time_squeeze, 1);
}

/* A budget that is used up by the last packet there is cuts nothing short. */
T(a_budget_that_suffices_is_no_squeeze)
{
	et_new(1, 1);
	et.tun.v[PLX_TUN_NETDEV_BUDGET] = 30;
	et_start();
	et_feed(0, 0, 30);
	eq(plx_engine_step(et.eng, 0), 30);
	eq(et.sn->time_squeeze, 0);
}

static void slow(struct t_port *tp, struct plx_rxq *q)
{
	et.now += PLX_MS(3);
}

T(a_pass_ends_with_its_time)
{
	et_new(1, 1);
	et.port[0].on_rx = slow;
	et_start();
	et_feed(0, 0, 300);
	eq(plx_engine_step(et.eng, 0), 192); /* 3, 6, 9 ms: over 8 */
	eq(et.sn->time_squeeze, 1);
	eq(et.sn->busy_passes, 1);
	eq(et.sn->busy_cycles, PLX_MS(9));
}

T(the_time_of_a_pass_can_be_set)
{
	et_new(1, 1);
	et.port[0].on_rx = slow;
	et_start();
	et.tun.v[PLX_TUN_NETDEV_BUDGET_USECS] = 1;
	et_feed(0, 0, 300);
	eq(plx_engine_step(et.eng, 0), 64);
	et.tun.v[PLX_TUN_NETDEV_BUDGET_USECS] = 1000000;
	et.tun.v[PLX_TUN_NETDEV_BUDGET] = 65536;
	et_feed(0, 0, 1000);
	eq(plx_engine_step(et.eng, 0), 1236);
	eq(et.sn->time_squeeze, 1);
}

T(queues_take_turns)
{
	et_new(2, 2);
	et.conf.queues = 2;
	et.tun.v[PLX_TUN_DEV_WEIGHT] = 10;
	et.tun.v[PLX_TUN_NETDEV_BUDGET] = 30;
	et_start();
	for (unsigned int p = 0; p < 2; p++)
		for (uint16_t q = 0; q < 2; q++)
			et_feed(p, q, 100);
	plx_engine_step(et.eng, 0);
	bursts("0:10 1:10 10:10");
	plx_engine_step(et.eng, 0); /* goes on where it stopped */
	bursts("11:10 0:10 1:10");
	plx_engine_step(et.eng, 0);
	bursts("10:10 11:10 0:10");
	eq(et.sn->time_squeeze, 3);
}

/* A busy queue does not starve a quiet one, nor is an empty one asked twice. */
T(an_empty_queue_is_left_alone)
{
	et_new(2, 1);
	et_start();
	et_feed(0, 0, 200);
	et_feed(1, 0, 1);
	plx_engine_step(et.eng, 0);
	bursts("0:64 10:1 0:64 0:64 0:8");
	eq(et.sn->passes, 1);
}

T(counters_of_a_queue)
{
	et_new(1, 1);
	et_start();
	et_feed(0, 0, 65);
	plx_engine_step(et.eng, 0);
	plx_engine_step(et.eng, 0);
	eq(et.port[0].port->rxq[0]->pkts, 65);
	eq(et.port[0].port->rxq[0]->polls, 2);
	eq(et.port[0].port->rxq[0]->full, 1);
	eq(et.sn->passes, 2);
	eq(et.sn->busy_passes, 1);
}

/* ---- transmit ---- */

T(what_a_driver_refuses_is_tried_each_pass)
{
	et_new(1, 1);
	et_start();
	et.port[0].room = 0;
	for (uint32_t i = 0; i < 3; i++)
		plx_softnet_tx(et.sn, 0, et_mbuf(et.sn, i));
	plx_engine_step(et.eng, 0);
	eq(plx_engine_held(et.eng), 3);
	eq(plx_engine_deadline(et.eng), 0);
	et.port[0].room = 2;
	plx_engine_step(et.eng, 0);
	eq(plx_engine_held(et.eng), 1);
	et.port[0].room = UINT32_MAX;
	plx_engine_step(et.eng, 0);
	eq(plx_engine_held(et.eng), 0);
	eq(plx_engine_deadline(et.eng), PLX_NEVER);
	for (uint32_t i = 0; i < 3; i++) {
		struct rte_mbuf *m = t_port_sent(&et.port[0], 0);

		eq(plx_get_be32(rte_pktmbuf_mtod(m, void *)), i);
		rte_pktmbuf_free(m);
	}
}

static void limit_of(int64_t len)
{
	et_new(1, 1);
	et.tun.v[PLX_TUN_TX_QUEUE_LEN] = len;
	et_start();
	eq(et.sn->txq[0]->limit, len);
	et.port[0].room = 0;
	for (uint32_t i = 0; i < PLX_MIN(len, 1000) + 1u; i++)
		plx_softnet_tx(et.sn, 0, et_mbuf(et.sn, i));
	plx_engine_step(et.eng, 0);
}

T(a_queue_of_one)
{
	struct plx_acct sum;

	limit_of(1);
	eq(plx_engine_held(et.eng), 1);
	plx_acct_sum(&sum);
	eq(sum.drop[PLX_DROP_TX_FULL], 1);
}

T(the_longest_queue)
{
	limit_of(65536);
	eq(plx_engine_held(et.eng), 1001);
}

T(what_is_never_taken_is_dropped_at_the_end)
{
	struct plx_acct sum;

	et_new(1, 1);
	et_start();
	et.port[0].room = 0;
	plx_softnet_tx(et.sn, 0, et_mbuf(et.sn, 0));
	plx_engine_step_end(et.eng);
	plx_engine_close_ports(et.eng);
	plx_acct_sum(&sum);
	eq(sum.drop[PLX_DROP_STOPPED], 1);
}

/* ---- timers and pollers ---- */

static unsigned int fired;

static void on_timer(struct plx_softnet *sn, struct plx_timer *t)
{
	fired++;
}

T(timers)
{
	struct plx_timer t[300] = {{.kind = 0}};

	et_new(1, 1);
	et.ops.timer = on_timer;
	et_start();
	fired = 0;
	plx_wheel_add(&et.sn->wheel, &t[0], et.now + PLX_MS(5));
	ok(plx_engine_deadline(et.eng) <= et.now + PLX_MS(5));
	et.now += PLX_MS(4);
	plx_engine_step(et.eng, 0);
	eq(fired, 0);
	et.now += PLX_MS(2);
	eq(plx_engine_step(et.eng, 0), 1);
	eq(fired, 1);
	eq(plx_engine_deadline(et.eng), PLX_NEVER);
	for (unsigned int i = 0; i < 300; i++) /* a pass fires no more than so many */
		plx_wheel_add(&et.sn->wheel, &t[i], et.now + PLX_MS(1));
	et.now += PLX_MS(2);
	while (fired < 301) {
		uint32_t work = plx_engine_step(et.eng, 0);

		ok(work > 0 && work <= 256);
	}
}

static uint32_t polled, poll_work;
static plx_ns poll_at;

static uint32_t poll_run(struct plx_softnet *sn, void *arg)
{
	polled++;
	return poll_work;
}

static plx_ns poll_deadline(struct plx_softnet *sn, void *arg)
{
	return poll_at;
}

T(pollers)
{
	struct plx_poller a = {.run = poll_run, .deadline = poll_deadline}, b = {.run = poll_run};

	et_new(1, 1);
	et_start();
	plx_softnet_add_poller(et.sn, &a);
	plx_softnet_add_poller(et.sn, &b);
	poll_at = PLX_SEC(7);
	poll_work = polled = 0;
	eq(plx_engine_step(et.eng, 0), 0);
	eq(polled, 2);
	eq(plx_engine_deadline(et.eng), PLX_SEC(7));
	poll_work = 3;
	eq(plx_engine_step(et.eng, 0), 6);
	eq(et.sn->busy_passes, 1);
}

/* ---- rest ---- */

static struct timespec run_end;
static uint64_t run_looks;

static bool run_over(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec > run_end.tv_sec ||
	       (t.tv_sec == run_end.tv_sec && t.tv_nsec >= run_end.tv_nsec);
}

static uint32_t stop_at(struct plx_softnet *sn, void *arg)
{
	if (run_over() || sn->residency_n[PLX_RES_BACKOFF] >= run_looks)
		plx_engine_stop(sn->eng);
	return 0;
}

/* How often an idle lcore looks in a time, or up to a number, when no driver wakes it. */
static uint64_t looks(int64_t backoff_us, int ms, uint64_t most)
{
	struct plx_poller p = {.run = stop_at};
	struct plx_error e = {0};

	et_new(1, 1);
	et.conf.clock = NULL;
	et.conf.idle = PLX_IDLE_SLEEP;
	et.tun.v[PLX_TUN_IDLE_SPIN_USECS] = 0;
	et.tun.v[PLX_TUN_IDLE_BACKOFF_USECS] = backoff_us;
	eq(et_open(&e), 0);
	plx_softnet_add_poller(et.sn, &p);
	run_looks = most;
	clock_gettime(CLOCK_MONOTONIC, &run_end);
	run_end.tv_nsec += ms * 1000000L;
	run_end.tv_sec += run_end.tv_nsec / 1000000000;
	run_end.tv_nsec %= 1000000000;
	eq(plx_engine_run(et.eng), 0);
	eq(et.sn->residency_n[PLX_RES_SLEEP], 0);
	return et.sn->residency_n[PLX_RES_BACKOFF];
}

T(the_longest_back_off_can_be_set)
{
	uint64_t n = looks(1000000, 100, UINT64_MAX);

	ok(n >= 2 && n < 25); /* each at least as long as all before: 20 us, 40 us, ... */
}

/* However slow the machine: with the longest one it were 17 in that time. */
T(a_short_back_off)
{
	eq(looks(100, 3000, 51), 51);
}

/* It is not worth a system call: the lcore rests without. */
T(a_back_off_of_nothing)
{
	eq(looks(1, 100, UINT64_MAX), 0);
	ok(et.sn->residency_n[PLX_RES_PAUSE] > 50);
}

/* ---- life ---- */

T(rx_may_be_left_out)
{
	et_new(1, 1);
	et.conf.no_rx = true;
	et_start();
	et_feed(0, 0, 5);
	eq(plx_engine_step(et.eng, 0), 0);
}

/* The second of three ports does not open: all is as before, also for who ends the engine then. */
T(a_port_that_fails_closes_all)
{
	struct plx_error e = {0};

	et_new(3, 1);
	et.port[1].open_err = -EIO;
	eq(et_open(&e), -EIO);
	eq(e.id, PLX_ERR_PORT_OPEN);
	eq(et.port[0].stops, 1);
	eq(et.port[1].stops + et.port[2].opens, 0);
	for (int i = 0; i < 3; i++)
		ok(!et.port[i].port->open);
	eq(et.sn->n_rxq, 0);
}

T(no_memory_for_the_pool)
{
	struct plx_error e = {0};

	et_new(1, 1);
	et.conf.mbufs = 1u << 24;
	eq(et_open(&e), -ENOMEM);
	eq(e.id, PLX_ERR_NO_MEMORY);
	ok(!et.port[0].port->open);
	eq(et.port[0].opens, 0);
}

static int start_fails(struct plx_softnet *sn)
{
	return -EIO;
}

T(an_lcore_that_does_not_start_stops_all)
{
	struct plx_error e = {0};

	et_new(1, 1);
	et.ops.start = start_fails;
	eq(et_open(&e), 0);
	eq(plx_engine_step_begin(et.eng), -EIO);
	ok(plx_engine_stopping(et.eng));
}

static plx_ns rx_takes_ns;

static void rx_takes_long(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	et.now += rx_takes_ns;
	plx_pkt_deliver_bulk(pkts, n);
}

static void slow_pass(plx_ns ns)
{
	rx_takes_ns = ns;
	et_feed(0, 0, 1);
	plx_engine_step(et.eng, 0);
}

T(slow_passes_are_counted)
{
	int slow[PLX_ENGINE_SLOW];

	et_new(1, 1);
	et.ops.rx = rx_takes_long;
	et_start();
	slow_pass(PLX_SEC(1)); /* nobody asks */
	for (int i = 0; i < PLX_ENGINE_SLOW; i++) {
		slow[i] = plx_engine_slow_add(et.eng, PLX_US(100 * (i + 1)));
		eq(slow[i], i);
	}
	eq(plx_engine_slow_add(et.eng, 1), -EBUSY);
	slow_pass(PLX_US(100)); /* as long is not longer */
	slow_pass(PLX_US(300));
	slow_pass(PLX_US(101));
	eq(et.sn->slow[0].n, 2);
	eq(et.sn->slow[1].n, 1);
	eq(et.sn->slow[2].n, 0);
	plx_engine_slow_del(et.eng, slow[0]);
	slow_pass(PLX_US(300));
	eq(et.sn->slow[0].n, 2);
	eq(et.sn->slow[1].n, 2);
	eq(plx_engine_slow_add(et.eng, PLX_US(10)), 0);
	slow_pass(PLX_US(11));
	eq(et.sn->slow[0].n, 3);
	for (int i = 0; i < PLX_ENGINE_SLOW; i++)
		plx_engine_slow_del(et.eng, slow[i]);
	eq(et.sn->slow_cycles, UINT64_MAX);
}

static unsigned int calls;

static void count_call(struct plx_softnet *sn, void *arg)
{
	calls++;
}

T(calls_need_a_running_engine)
{
	et_new(1, 1);
	calls = 0;
	{
		struct plx_error e = {0};

		eq(et_open(&e), 0);
	}
	eq(plx_softnet_call(et.sn, count_call, NULL), -ESHUTDOWN);
	eq(plx_engine_step_begin(et.eng), 0);
	eq(plx_softnet_call(et.sn, count_call, NULL), 0);
	eq(calls, 1);
}

RUN_EAL(ET_(a_poll_takes_its_weight), ET_(the_burst_asked_for_is_bounded),
	ET_(a_pass_ends_with_its_budget), ET_(a_budget_that_suffices_is_no_squeeze),
	ET_(a_pass_ends_with_its_time), ET_(the_time_of_a_pass_can_be_set), ET_(queues_take_turns),
	ET_(an_empty_queue_is_left_alone), ET_(counters_of_a_queue),
	ET_(what_a_driver_refuses_is_tried_each_pass), ET_(a_queue_of_one), ET_(the_longest_queue),
	ET_(the_longest_back_off_can_be_set), ET_(a_short_back_off), ET_(a_back_off_of_nothing),
	ET_(what_is_never_taken_is_dropped_at_the_end), ET_(timers), ET_(pollers),
	ET_(rx_may_be_left_out), ET_(a_port_that_fails_closes_all), ET_(no_memory_for_the_pool),
	ET_(an_lcore_that_does_not_start_stops_all), ET_(calls_need_a_running_engine),
	ET_(slow_passes_are_counted))
