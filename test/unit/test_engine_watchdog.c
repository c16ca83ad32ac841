/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_t.h"

#include <plx_net_impair.h>
#include <plx_net_loop.h>
#include <plx_net_pipe.h>

/*
 * An engine that sends on port 0 and polls nothing: nobody reads at the other end. What the device
 * itself holds (its ring) is the device's; what waits in front of it may not stay.
 */
static void start(const char *const *spec)
{
	struct plx_error e = {0};

	et_new(0, 0);
	for (; *spec; spec++)
		if (plx_port_create(*spec, &e) != 0)
			fail_msg("%s", e.text);
	et.conf.no_rx = true;
	et.tun.v[PLX_TUN_TX_TIMEOUT] = 2000;
	et_start();
}

static void send_pkts(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		plx_softnet_tx(et.sn, 0, et_mbuf(et.sn, i));
}

static uint64_t drops(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

/*
 * So many are sent, beside those that were before. The device holds some of them: the others are
 * gone after 2 s, not before.
 */
static void stuck(uint32_t sent, uint32_t before, uint32_t held)
{
	uint32_t n = sent + before;
	struct plx_txq *q = et.sn->txq[0];
	struct plx_tx_stuck s;

	send_pkts(sent);
	plx_engine_step(et.eng, 0);
	et.now += PLX_MS(1999);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), 0);
	eq(plx_engine_mbufs_out(et.eng), n);
	eq(plx_engine_deadline(et.eng), 0); /* so it is looked at */
	et.now += PLX_MS(1);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), n - held);
	eq(plx_engine_mbufs_out(et.eng), held);
	eq(q->watch.timeouts, 1);
	ok(plx_port_stuck(q->port, &s));
	eq(s.waited_ns, PLX_SEC(2));
	plx_engine_step(et.eng, 0);
	eq(plx_engine_held(et.eng), 0);
	eq(plx_engine_deadline(et.eng), PLX_NEVER); /* nothing keeps the lcore awake */
}

T(a_pipe_whose_peer_never_reads)
{
	start((const char *const[]){"a=pipe,peer=b,depth=16", NULL});
	stuck(100, 0, 16);
	/* the peer reads again */
	eq(t_drain(plx_port_find("b"), 0), 16);
	send_pkts(5);
	plx_engine_step(et.eng, 0);
	eq(t_drain(plx_port_find("b"), 0), 5);
	eq(drops(PLX_DROP_TX_TIMEOUT), 84);
}

T(a_loop_that_nobody_reads)
{
	start((const char *const[]){"l=loop,depth=16", NULL});
	stuck(100, 0, 16);
}

static plx_ns impair_now(void)
{
	return et.now;
}

/* The line holds what has crossed it already: that is given up as well. */
T(a_bad_link_in_front_of_it)
{
	struct plx_port_stats s;

	plx_net_impair_clock(impair_now);
	start((const char *const[]){
		"a=pipe,peer=b,depth=16", "bad=impair,lower=a,delay=1ms", NULL});
	send_pkts(40);
	plx_engine_step(et.eng, 0); /* all on the line */
	et.now += PLX_MS(1);
	stuck(60, 40, 16); /* these wait: the lower port is full */
	plx_port_stats(plx_port_get(0), &s);
	eq(s.tx_packets, 16);
	eq(s.tx_dropped, 84);
	plx_net_impair_clock(NULL);
}

T(the_time_can_be_set)
{
	et_new(1, 1);
	et_start();
	et.port[0].room = 0;
	send_pkts(1);
	plx_engine_step(et.eng, 0);
	et.now += PLX_SEC(4);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), 0); /* 5 s, if nothing else was said */
	et.tun.v[PLX_TUN_TX_TIMEOUT] = 10;
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), 1);
	eq(et.port[0].timeouts, 1);
	et.tun.v[PLX_TUN_TX_TIMEOUT] = 86400000; /* a day */
	send_pkts(1);
	plx_engine_step(et.eng, 0);
	et.now += PLX_SEC(86399);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), 1);
	et.now += PLX_SEC(1);
	plx_engine_step(et.eng, 0);
	eq(drops(PLX_DROP_TX_TIMEOUT), 2);
}

/* ---- at stop ---- */

static plx_ns stopped_ns;

/* A clock that goes on by itself, as the loop does not return to the test. */
static plx_ns ticking(void *arg)
{
	return et.now += PLX_US(10);
}

static uint32_t stop_soon(struct plx_softnet *sn, void *arg)
{
	if (sn->passes == 3)
		for (uint32_t i = 0; i < 3; i++)
			plx_softnet_tx(sn, 0, et_mbuf(sn, i));
	if (sn->passes == 5) {
		stopped_ns = et.now;
		plx_engine_stop(sn->eng);
	}
	return 1;
}

static void run(unsigned int room)
{
	struct plx_poller p = {.run = stop_soon};
	struct plx_error e = {0};

	et_new(1, 1);
	et.clock.now = ticking;
	eq(et_open(&e), 0);
	et.port[0].room = room;
	plx_softnet_add_poller(et.sn, &p);
	eq(plx_engine_run(et.eng), 0);
}

T(a_stop_waits_for_a_driver_that_refuses_but_not_long)
{
	run(0);
	ok(et.now - stopped_ns >= PLX_MS(200));
	ok(et.now - stopped_ns < PLX_MS(201));
	eq(plx_engine_held(et.eng), 3);
	plx_engine_close_ports(et.eng);
	eq(drops(PLX_DROP_STOPPED), 3);
	eq(drops(PLX_DROP_TX_TIMEOUT), 0);
}

T(a_stop_waits_for_nothing_else)
{
	run(UINT32_MAX);
	ok(et.now - stopped_ns < PLX_MS(1));
	eq(plx_engine_held(et.eng), 0);
}

static void post_again(struct plx_softnet *sn, struct plx_msg *msg)
{
	if (plx_engine_running(sn->eng))
		plx_softnet_post(sn, msg);
}

/* Somebody who never stops asking does not keep it from ending. */
T(a_stop_is_bounded_whatever_comes)
{
	struct plx_msg again = {.fn = post_again};
	struct plx_poller p = {.run = stop_soon};
	struct plx_error e = {0};

	et_new(1, 1);
	et.clock.now = ticking;
	eq(et_open(&e), 0);
	plx_softnet_add_poller(et.sn, &p);
	plx_softnet_post(et.sn, &again);
	eq(plx_engine_run(et.eng), 0);
	ok(et.now - stopped_ns >= PLX_MS(200));
	ok(et.now - stopped_ns < PLX_MS(201));
}

RUN_EAL(ET_(a_pipe_whose_peer_never_reads), ET_(a_loop_that_nobody_reads),
	ET_(a_bad_link_in_front_of_it), ET_(the_time_can_be_set),
	ET_(a_stop_waits_for_a_driver_that_refuses_but_not_long),
	ET_(a_stop_waits_for_nothing_else), ET_(a_stop_is_bounded_whatever_comes))
