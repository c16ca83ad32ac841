/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners of lcores that wait for nobody. */
#define T_EAL_LCORES "(0-1)@0"
#include "net_tcp_t.h"

struct lsn {
	struct plx_net_tcp_listener l;
	struct plx_net_bind claim;
	int accepted, gone;
	uint16_t gone_on;
};

static struct lsn a, b;

static struct plx_softnet *lcore(uint16_t i)
{
	return plx_engine_softnet(nt.eng, i);
}

static void gone(struct plx_softnet *sn, struct plx_net_tcp_listener *l)
{
	struct lsn *k = plx_container_of(l, struct lsn, l);

	k->gone++;
	k->gone_on = sn->index;
	ok(!l->replica);
}

static bool accepts(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	struct lsn *k = plx_container_of(l, struct lsn, l);

	k->accepted++;
	if (l->home != PLX_NET_NO_HOME)
		eq(sn->index, l->home);
	return tt_accept(sn, l, c);
}

static int listen_on(struct lsn *k, uint16_t on, uint16_t home, bool reuseport)
{
	int err;

	k->claim = (struct plx_net_bind){
		.lport = TT_PORT, .proto = PLX_IPPROTO_TCP, .reuseport = reuseport};
	k->l.accept = accepts;
	k->l.gone = gone;
	k->l.lport = TT_PORT;
	k->l.home = home;
	k->l.reuseport = reuseport;
	k->accepted = k->gone = 0;
	err = plx_net_bind_add(nt.net, &k->claim, NULL, NULL);
	if (!err)
		err = plx_net_bind_listen(nt.net, &k->claim);
	return err ? err : plx_net_tcp_listen_on(lcore(on), &k->l);
}

static void unlisten_on(struct lsn *k, uint16_t on)
{
	plx_net_tcp_unlisten_on(lcore(on), &k->l);
	plx_net_bind_del(nt.net, &k->claim);
}

static void start(void)
{
	tt = (struct tt){.port = 1024, .seq = 1000};
	a = b = (struct lsn){0};
	nt_simple();
}

/* A SYN of a new flow. @return our answer's flags, or 0; ours in *s. */
static uint16_t syn(struct tt_seg *s)
{
	tt.port++;
	tt_in(PLX_TCP_SYN, tt.seq, 0, 0);
	return tt_out(s) ? s->h.flags : 0;
}

static uint32_t connect_some(int n)
{
	uint32_t lcores = 0;

	for (int i = 0; i < n; i++) {
		tt.accepted = 0;
		tt.port++;
		tt_connect();
		lcores |= 1u << tt.lcore;
	}
	return lcores;
}

T(all_lcores_listen)
{
	struct tt_seg s;
	int refused = 0;

	start();
	eq(listen_on(&a, 1, PLX_NET_NO_HOME, false), 0);
	eq(listen_on(&b, 0, PLX_NET_NO_HOME, false), -EADDRINUSE);
	nt_run();
	eq(connect_some(16), 3);
	eq(a.accepted, 16);
	nt_no_drop();
	unlisten_on(&a, 1);
	eq(a.gone, 0);
	nt_run();
	eq(a.gone, 1);
	eq(a.gone_on, 1);
	for (int i = 0; i < 8; i++)
		refused += syn(&s) == (PLX_TCP_RST | PLX_TCP_ACK);
	eq(refused, 8);
	nt_drops(PLX_DROP_TCP_NO_CONN, 8);
	plx_net_tcp_unlisten_on(lcore(1), &a.l); /* harmless */
	plx_net_tcp_relisten_on(lcore(1), &a.l);
	plx_net_tcp_waiting(lcore(1), &a.l, 1);
	/* and again, with nobody having heard of the end of the first one */
	eq(listen_on(&a, 0, PLX_NET_NO_HOME, false), 0);
	unlisten_on(&a, 0);
	eq(listen_on(&b, 1, PLX_NET_NO_HOME, false), 0);
	nt_run();
	eq(a.gone, 1);
	eq(connect_some(16), 3);
	eq(a.accepted, 0);
	eq(b.accepted, 16);
	unlisten_on(&b, 1);
	nt_run();
	eq(b.gone, 1);
}

/* Of those that share a port each gets the flows of its own lcore. */
T(home_comes_first)
{
	start();
	eq(listen_on(&a, 0, 0, true), 0);
	eq(listen_on(&b, 1, 1, true), 0);
	nt_run();
	eq(connect_some(32), 3);
	eq(a.accepted + b.accepted, 32);
	ok(a.accepted && b.accepted);
	unlisten_on(&a, 0);
	unlisten_on(&b, 1);
	nt_run();
	eq(a.gone + b.gone, 2);
}

/* TOS, TTL and MSS of a listener are those of its handshakes and of what it accepts. */
T(what_is_inherited)
{
	uint32_t seen = 0;
	struct tt_seg s;

	start();
	a.l.tos = 0x13; /* the ECN bits are TCP's */
	a.l.ttl = 99;
	a.l.mss_clamp = 700;
	eq(listen_on(&a, 0, PLX_NET_NO_HOME, false), 0);
	nt_run();
	for (int i = 0; i < 8; i++) {
		eq(syn(&s), PLX_TCP_SYN | PLX_TCP_ACK);
		eq(s.ip.tos, 0x10);
		eq(s.ip.ttl, 99);
		eq(s.o.mss, 700);
		tt.ack = s.h.seq + 1;
		tt.seq++;
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
		seen |= 1u << tt.lcore;
		eq(plx_net_tcp_write(lcore((uint16_t)tt.lcore), tt.c, "hello", 5), 5);
		nt_run();
		tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 5);
		eq(s.ip.tos, 0x10);
		eq(s.ip.ttl, 99);
		tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	}
	eq(seen, 3);
	a.l.tos = a.l.ttl = 0;
	plx_net_tcp_relisten_on(lcore(0), &a.l);
	nt_run();
	for (int i = 0; i < 8; i++) {
		eq(syn(&s), PLX_TCP_SYN | PLX_TCP_ACK);
		eq(s.ip.tos, 0);
		eq(s.ip.ttl, 64);
	}
	unlisten_on(&a, 0);
	nt_run();
}

/* Linux's full accept queue: each lcore counts its own. */
T(a_full_accept_queue)
{
	struct tt_seg s;
	int in = 0;

	start();
	a.l.backlog = 1;
	eq(listen_on(&a, 0, PLX_NET_NO_HOME, false), 0);
	nt_run();
	plx_net_tcp_waiting(lcore(0), &a.l, 2);
	for (int i = 0; i < 16; i++)
		in += syn(&s) == (PLX_TCP_SYN | PLX_TCP_ACK);
	ok(in > 0 && in < 16);
	nt_drops(PLX_DROP_TCP_ACCEPT_QUEUE_FULL, (uint64_t)(16 - in));
	plx_net_tcp_waiting(lcore(0), &a.l, -1);
	for (int i = 0; i < 16; i++)
		eq(syn(&s), PLX_TCP_SYN | PLX_TCP_ACK);
	nt_no_drop();
	unlisten_on(&a, 0);
	nt_run();
	nt_forget();
}

/* Those of ordinary threads claim their port, too; at the end nobody has to be waited for. */
T(claims_and_ends)
{
	start();
	tt_listen();
	eq(listen_on(&a, 1, PLX_NET_NO_HOME, false), -EADDRINUSE);
	plx_net_tcp_unlisten(nt.net, &tt.l);
	eq(listen_on(&a, 1, PLX_NET_NO_HOME, false), 0);
	eq(plx_net_tcp_listen(nt.net, &tt.l), -EADDRINUSE);
	plx_engine_step_end(nt.eng);
	unlisten_on(&a, 1);
	eq(a.gone, 1);
}

RUN_EAL(TT_(all_lcores_listen), TT_(home_comes_first), TT_(what_is_inherited),
	TT_(a_full_accept_queue), TT_(claims_and_ends))
