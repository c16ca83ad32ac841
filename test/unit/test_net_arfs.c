/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows that have an lcore of their own, and a device that brings them there. */
#include "net_move_t.h"

#include "../../lib/net/flow.h"

static const struct t_port_ntuple *dev(void)
{
	return &nt.port[0].ntuple;
}

static bool is(const struct plx_addr *a, const char *text)
{
	struct plx_addr b = t_addr(text);

	return plx_addr_eq(a, &b);
}

/* @param features as they are from now on. */
static void device(uint32_t features)
{
	nt.port[0].port->features = features;
}

/* A connection on another lcore than its bucket's, and a device that can. */
static void begin(void)
{
	start();
	device(PLX_PORT_F_NTUPLE);
	tt_connect();
}

static void move(uint16_t lcore)
{
	ok(plx_net_tcp_move(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c, lcore));
	settled();
	eq(tt.lcore, lcore);
}

static uint64_t handed(void)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < LCORES; i++)
		n += plx_engine_softnet(nt.eng, i)->handed_pkts;
	return n;
}

static uint16_t queue_of(uint16_t lcore)
{
	for (uint16_t q = 0; q < nt.port[0].port->n_rxq; q++)
		if (nt.port[0].port->rxq[q]->lcore == plx_engine_softnet(nt.eng, lcore)->lcore)
			return q;
	fail_msg("lcore %u polls no queue", lcore);
	return 0;
}

/* Text by a queue. @return packets that were handed over for it. */
static uint64_t text_by(uint16_t queue, uint32_t n)
{
	uint64_t got = tt.got, before = handed();

	tt_make(PLX_TCP_ACK | PLX_TCP_PSH, tt.seq, got, n);
	t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
	nt_run();
	tt.seq += n;
	eq(tt.got, got + n);
	return handed() - before;
}

/* By a queue of another lcore: some packets, of which the first asks. */
static void ask(void)
{
	for (int i = 0; i < 3; i++)
		eq(text_by(queue_of(elsewhere()), 100), 1);
	plx_net_arfs_serve(nt.net);
}

static void reset(void)
{
	tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	eq(tt.err, ECONNRESET);
	settled();
	nt_forget();
	eq(moves().flows, 0);
}

static void another(void)
{
	tt.accepted = 0;
	tt.got = 0;
	tt.port++;
	tt_connect();
}

/* Once its packets have to be handed over, and by these. */
T(the_device_brings_it)
{
	const struct t_port_rule *r = dev()->rule;

	begin();
	move(elsewhere());
	plx_net_arfs_serve(nt.net);
	eq(dev()->asked, 0);
	eq(text_by(queue_of((uint16_t)tt.lcore), 100), 0); /* it comes by the right one anyway */
	plx_net_arfs_serve(nt.net);
	eq(dev()->asked, 0);
	ask();
	eq(dev()->n, 1);
	eq(r->queue, queue_of((uint16_t)tt.lcore));
	eq(r->flow.proto, PLX_IPPROTO_TCP);
	ok(is(&r->flow.src, "10.0.0.1"));
	ok(is(&r->flow.dst, "10.0.0.2"));
	eq(r->flow.sport, tt.port);
	eq(r->flow.dport, TT_PORT);
	ok(!r->flow.frag);
	eq(text_by(r->queue, 100), 0);
	/* that it has a rule is no reason to believe it */
	ask();
	ask();
	eq(dev()->asked, 1);
	eq(moves().rules, 1);
	eq(moves().rules_made, 1);
	reset();
	plx_net_arfs_serve(nt.net);
	eq(dev()->n, 0);
	eq(moves().rules, 0);
	eq(moves().rules_refused, 0);
	nt_no_drop();
}

T(of_ip6)
{
	start();
	device(PLX_PORT_F_NTUPLE);
	tt.v6 = true;
	tt_connect();
	move(elsewhere());
	ask();
	eq(dev()->n, 1);
	ok(is(&dev()->rule[0].flow.src, "2001:db8::1"));
	ok(is(&dev()->rule[0].flow.dst, "2001:db8::2"));
}

/* A flow of its bucket has no rule, whoever it is handed to. */
T(flows_without_an_lcore_of_their_own)
{
	begin();
	ask();
	eq(dev()->asked, 0);
}

T(it_moves_on)
{
	uint16_t home;

	begin();
	home = (uint16_t)tt.lcore;
	move(elsewhere());
	ask();
	move((uint16_t)(LCORES - home - tt.lcore)); /* the third of 0, 1, 2 */
	ask();					    /* the old one is taken back */
	eq(dev()->n, 0);
	ask();
	eq(dev()->n, 1);
	eq(dev()->made, 2);
	eq(dev()->rule[0].queue, queue_of((uint16_t)tt.lcore));
	eq(text_by(dev()->rule[0].queue, 100), 0);
}

/* It is asked once, until the flow is over. */
T(a_device_refuses)
{
	begin();
	nt.port[0].ntuple.err = -ENOSPC;
	move(elsewhere());
	for (int i = 0; i < 3; i++)
		ask();
	eq(dev()->asked, 1);
	eq(moves().rules_refused, 1);
	eq(moves().rules, 0);
	nt.port[0].ntuple.err = 0;
	reset();
	plx_net_arfs_serve(nt.net);
	another();
	move(elsewhere());
	ask();
	eq(dev()->n, 1);
}

T(a_device_cannot)
{
	begin();
	device(0);
	move(elsewhere());
	ask();
	eq(dev()->asked, 0);
	eq(moves().rules_refused, 0);
}

/* As by `ethtool -K DEV ntuple off`, and on again. */
T(it_is_switched_off)
{
	begin();
	move(elsewhere());
	ask();
	device(0);
	ask();
	eq(dev()->n, 0);
	eq(moves().rules, 0);
	device(PLX_PORT_F_NTUPLE);
	ask();
	eq(dev()->n, 1);
	/* and in between: asked, but not served yet */
	reset();
	plx_net_arfs_serve(nt.net);
	another();
	move(elsewhere());
	eq(text_by(queue_of(elsewhere()), 100), 1);
	device(0);
	plx_net_arfs_serve(nt.net);
	eq(dev()->made, 2);
	eq(moves().rules_refused, 0);
}

/* Its queue is polled by another lcore: the rule is of no use, and there is none that is. */
T(its_queue_goes_to_another_lcore)
{
	struct plx_rxq *q;

	begin();
	move(elsewhere());
	ask();
	eq(dev()->n, 1);
	q = nt.port[0].port->rxq[dev()->rule[0].queue];
	q->lcore = plx_engine_softnet(nt.eng, elsewhere())->lcore;
	plx_net_arfs_serve(nt.net);
	eq(dev()->n, 0);
	ask();
	eq(dev()->asked, 1);
	eq(moves().rules_refused, 1);
	q->lcore = plx_engine_softnet(nt.eng, (uint16_t)tt.lcore)->lcore;
}

RUN_EAL(TT_(the_device_brings_it), TT_(of_ip6), TT_(flows_without_an_lcore_of_their_own),
	TT_(it_moves_on), TT_(a_device_refuses), TT_(a_device_cannot), TT_(it_is_switched_off),
	TT_(its_queue_goes_to_another_lcore))
