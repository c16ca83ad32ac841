/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets that lcores bind, which wait for nobody: when does who know of them? */
#define T_EAL_LCORES "(0,3)@0"
#include "net_t.h"

#include "../../lib/net/tcp.h"
#include "../../lib/telem/page.h"

#include <errno.h>

struct sock {
	struct nt_sock ns;
	struct plx_net_bind claim;
	int gone;
	uint16_t gone_on;
};

static struct sock a, b;

static struct plx_softnet *lcore(uint16_t i)
{
	return plx_engine_softnet(nt.eng, i);
}

static void gone(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct sock *k = plx_container_of(s, struct sock, ns.s);

	k->gone++;
	k->gone_on = sn->index;
	ok(!s->replica);
}

static int claim(struct sock *k, const char *laddr, uint16_t port, bool reuse)
{
	k->claim = (struct plx_net_bind){.laddr = t_addr(laddr),
		.lport = port,
		.proto = PLX_IPPROTO_UDP,
		.reuseaddr = reuse};
	return plx_net_bind_add(nt.net, &k->claim, NULL, NULL);
}

/* Claimed, and bound by its lcore. */
static int bind_on(uint16_t home, struct sock *k, uint16_t port, bool reuse)
{
	int err;

	*k = (struct sock){.ns.s = {.ops = &nt_sock_ops, .home = home, .gone = gone}};
	k->ns.s.user = &k->ns;
	err = claim(k, "::", port, reuse);
	if (err)
		return err;
	k->ns.s.lport = k->claim.lport;
	k->ns.s.reuseaddr = reuse;
	return plx_net_udp_bind(lcore(home), &k->ns.s);
}

static void unbind(struct sock *k)
{
	plx_net_udp_unbind(lcore(k->ns.s.home), &k->ns.s);
	plx_net_bind_del(nt.net, &k->claim);
}

/* A datagram to port 9 that comes by this lcore's queue. */
static void in_by(uint16_t queue, const char *frame)
{
	nt_make(0, frame);
	t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
}

#define TO_9 "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 9 len 4"

static void start(void)
{
	nt_simple();
	eq(plx_engine_lcores(nt.eng), 2);
}

/* Its own lcore knows it at once, the other one when it has seen the message; the same at its end,
 * which is told when both have. */
T(each_lcore_hears_of_it)
{
	start();
	eq(bind_on(1, &a, 9, false), 0);
	in_by(1, TO_9);
	plx_engine_step(nt.eng, 1);
	eq(a.ns.n, 1);
	eq(a.ns.lcore, 1);
	in_by(0, TO_9);
	plx_engine_step(nt.eng, 0); /* its messages come behind its packets */
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(nt_forget(), 1);
	in_by(0, TO_9);
	nt_run();
	eq(a.ns.n, 2);
	eq(a.ns.lcore, 1);
	unbind(&a);
	eq(a.gone, 0);
	in_by(1, TO_9);
	plx_engine_step(nt.eng, 1);
	eq(a.gone, 0);
	eq(a.ns.n, 2);
	plx_engine_step(nt.eng, 0);
	eq(a.gone, 0);
	plx_engine_step(nt.eng, 1);
	eq(a.gone, 1);
	eq(a.gone_on, 1);
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_forget();
}

/* What was said in a row is seen in one piece, and the end once. */
T(many_changes_at_once)
{
	struct plx_addr l = t_addr("10.0.0.2"), r = t_addr("10.0.0.1"), none = t_addr("::");

	start();
	eq(bind_on(0, &a, 9, false), 0);
	for (int i = 0; i < 5; i++) {
		eq(plx_net_udp_connect(lcore(0), &a.ns.s, &l, &r, 77), 0);
		eq(plx_net_udp_connect(lcore(0), &a.ns.s, &l, &r, 1024), 0);
		if (i < 4)
			eq(plx_net_udp_disconnect(lcore(0), &a.ns.s), 0);
	}
	eq(plx_net_udp_connect(lcore(0), &a.ns.s, &none, &r, 1024), -EINVAL);
	nt_run();
	for (uint16_t q = 0; q < 2; q++) {
		in_by(q, TO_9);
		in_by(q, "ip 10.0.0.1 > 10.0.0.2 udp 1025 > 9 len 4"); /* somebody else */
		nt_run();
		eq(a.ns.n, q + 1);
		nt_drop(PLX_DROP_UDP_NO_PORT);
	}
	eq(plx_net_udp_disconnect(lcore(0), &a.ns.s), 0);
	unbind(&a);
	nt_run();
	eq(a.gone, 1);
	for (uint16_t q = 0; q < 2; q++) {
		in_by(q, TO_9);
		nt_run();
		nt_drop(PLX_DROP_UDP_NO_PORT);
	}
	/* bound and gone before anybody has heard of it */
	eq(bind_on(0, &a, 9, false), 0);
	unbind(&a);
	eq(a.gone, 0);
	nt_run();
	eq(a.gone, 1);
	eq(a.gone_on, 0);
	eq(plx_net_udp_disconnect(lcore(0), &a.ns.s), -EINVAL);
	plx_net_udp_unbind(lcore(0), &a.ns.s); /* harmless */
	nt_forget();
}

/* Two lcores bind at a time and hear of each other later: both say the same of who is newer. */
static void newer_on(uint16_t home)
{
	struct plx_addr l = t_addr("10.0.0.2"), r = t_addr("10.0.0.1");

	start();
	eq(bind_on(!home, &a, 9, true), 0);
	eq(bind_on(home, &b, 9, true), 0);
	nt_run();
	for (uint16_t q = 0; q < 2; q++) {
		in_by(q, TO_9);
		nt_run();
		eq(b.ns.n, q + 1);
		eq(a.ns.n, 0);
	}
	eq(plx_net_udp_connect(lcore(home), &b.ns.s, &l, &r, 1024), 0);
	eq(plx_net_udp_connect(lcore(!home), &a.ns.s, &l, &r, 1024), 0);
	nt_run();
	for (uint16_t q = 0; q < 2; q++) {
		in_by(q, TO_9);
		nt_run();
		eq(a.ns.n, q + 1);
		eq(b.ns.n, 2);
	}
	unbind(&a);
	unbind(&b);
	nt_run();
	eq(a.gone + b.gone, 2);
	nt_no_drop();
}

T(all_agree_who_is_newer)
{
	newer_on(0);
}

T(whoever_it_is)
{
	newer_on(1);
}

/* The port is free as soon as the table of claims says so, whatever others have heard. */
T(a_port_changes_hands)
{
	start();
	eq(bind_on(1, &a, 9, false), 0);
	nt_run();
	eq(bind_on(0, &b, 9, false), -EADDRINUSE);
	unbind(&a);
	eq(bind_on(0, &b, 9, false), 0);
	plx_engine_step(nt.eng, 0);
	plx_engine_step(nt.eng, 1);
	for (uint16_t q = 0; q < 2; q++) {
		in_by(q, TO_9);
		nt_run();
		eq(b.ns.n, q + 1);
	}
	eq(a.ns.n, 0);
	eq(a.gone, 1);
	unbind(&b);
	nt_run();
	eq(b.gone, 1);
	nt_no_drop();
}

/* Those of ordinary threads take part. */
T(who_opens_claims_too)
{
	static struct nt_sock ns;

	start();
	eq(bind_on(1, &a, 9, false), 0);
	eq(nt_open(&ns, 9, 0), -EADDRINUSE);
	eq(nt_open(&ns, 8, 0), 0);
	eq(bind_on(0, &b, 8, false), -EADDRINUSE);
	plx_net_udp_close(nt.net, &ns.s);
	eq(bind_on(0, &b, 8, false), 0);
	unbind(&a);
	unbind(&b);
	nt_run();
	eq(a.gone + b.gone, 2);
}

T(an_address_of_ours)
{
	start();
	eq(claim(&a, "10.0.0.3", 9, false), -EADDRNOTAVAIL);
	eq(claim(&a, "2001:db8::3", 9, false), -EADDRNOTAVAIL);
	ok(!a.claim.held);
	for (int i = 0; i < 5; i++) {
		static const char *const ours[] = {
			"10.0.0.2", "2001:db8::2", "127.9.9.9", "239.1.1.1", "10.0.0.255"};

		eq(claim(&a, ours[i], 9, false), 0);
		plx_net_bind_del(nt.net, &a.claim);
	}
}

/* Before the run there is nobody to wait for, nor behind it. */
T(without_a_run)
{
	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_neigh(1, "10.0.0.1");
	eq(bind_on(1, &a, 9, false), 0);
	eq(bind_on(0, &b, 8, false), 0);
	unbind(&b);
	eq(b.gone, 1);
	nt_settle();
	in_by(0, TO_9);
	nt_run();
	eq(a.ns.n, 1);
	eq(bind_on(0, &b, 8, false), 0);
	unbind(&b); /* the run's end sees to the rest */
	plx_engine_step_end(nt.eng);
	eq(b.gone, 1);
	unbind(&a);
	eq(a.gone, 1);
}

/* No lcore's table is fuller than another's. */
T(too_many)
{
	static struct sock many[65];

	start();
	for (uint16_t i = 0; i < 64; i++)
		eq(bind_on(i % 2, &many[i], (uint16_t)(100 + i), false), 0);
	eq(bind_on(0, &many[64], 99, false), -ENOBUFS);
	unbind(&many[0]);
	eq(plx_net_udp_bind(lcore(0), &many[64].ns.s), -ENOBUFS); /* it is not gone yet */
	nt_run();
	eq(plx_net_udp_bind(lcore(0), &many[64].ns.s), 0);
	for (uint16_t i = 1; i < 65; i++)
		unbind(&many[i]);
	nt_run();
	for (uint16_t i = 0; i < 65; i++)
		eq(many[i].gone, 1);
}

/* By an lcore that does not wait for the control lcore. */
T(groups)
{
	struct plx_addr group = t_addr("239.1.2.3"), no_group = t_addr("10.0.0.1");

	start();
	eq(bind_on(1, &a, 9, false), 0);
	eq(plx_net_group_post(lcore(1), 1, &no_group, true), -EINVAL);
	eq(plx_net_group_post(lcore(1), 9, &group, true), -ENODEV);
	eq(plx_net_group_post(lcore(1), 1, &group, true), 0);
	nt_run();
	in_by(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 9 len 4");
	nt_run();
	eq(a.ns.n, 1);
	eq(plx_net_group_post(lcore(1), 1, &group, false), 0);
	nt_run();
	in_by(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 9 len 4");
	nt_run();
	eq(a.ns.n, 1);
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	/* the control lcore itself */
	eq(plx_net_group_post(lcore(0), 1, &group, true), 0);
	eq(plx_net_group_post(lcore(0), 1, &group, false), 0);
	unbind(&a);
	nt_run();
	nt_forget();
}

/* Some ports of a peer's answers come here, the others there; that is what steers them. */
T(where_answers_come)
{
	struct plx_addr l = t_addr("10.0.0.2"), r = t_addr("10.0.0.1");
	struct plx_steer_ports_to to[2];
	int here = 0;

	start();
	for (uint16_t i = 0; i < 2; i++)
		ok(plx_net_ports_to(lcore(i), &l, &r, 53, &to[i]));
	for (uint32_t w = 0; w < 1024; w++) {
		uint64_t zero = plx_steer_ports_word(&to[0], w);

		eq(zero, ~plx_steer_ports_word(&to[1], w));
		here += __builtin_popcountll(zero);
	}
	ok(here > 10000 && here < 55000);
	nt_tun(PLX_TUN_SOFT_STEER, 0);
	ok(!plx_net_ports_to(lcore(0), &l, &r, 53, &to[0]));
	ok(!plx_net_ports_to(lcore(1), &l, &r, 53, &to[1]));
}

/* A group of SO_REUSEPORT whose members were told of in different orders passes nothing round. */
T(a_group_shares)
{
	char text[128];

	start();
	for (uint16_t i = 0; i < 2; i++) {
		struct sock *k = i ? &b : &a;

		*k = (struct sock){.ns.s = {.ops = &nt_sock_ops, .home = i, .gone = gone}};
		k->ns.s.user = &k->ns;
		k->claim = (struct plx_net_bind){
			.lport = 9, .proto = PLX_IPPROTO_UDP, .reuseport = true};
		eq(plx_net_bind_add(nt.net, &k->claim, NULL, NULL), 0);
		k->ns.s.lport = 9;
		k->ns.s.reuseport = true;
		eq(plx_net_udp_bind(lcore(i), &k->ns.s), 0);
	}
	nt_run();
	for (int port = 1000; port < 1100; port++) {
		snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %d > 9 len 4", port);
		in_by(port % 2, text);
		nt_run();
	}
	eq(a.ns.n + b.ns.n, 100);
	ok(a.ns.n > 20 && b.ns.n > 20);
	nt_no_drop();
	unbind(&a);
	nt_run();
	in_by(0, TO_9);
	in_by(1, TO_9);
	nt_run();
	eq(a.ns.n + b.ns.n, 102);
	unbind(&b);
	nt_run();
	eq(a.gone + b.gone, 2);
}

/* ---- two threads at it, as they run ---- */

static struct churn {
	struct plx_msg msg;
	struct plx_rng rng;
	struct sock sock[8];
	int rounds, bound, gone, wrong;
} churn[2];

static void churn_gone(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct churn *c = &churn[s->home];

	c->gone++;
	c->wrong += s->replica || (plx_engine_serves(nt.eng) && sn->index != s->home);
}

static void churn_bind(struct churn *c, struct sock *k, uint16_t home)
{
	int err = bind_on(home, k, (uint16_t)(100 + plx_rng_below(&c->rng, 6)), false);

	k->ns.s.gone = churn_gone;
	c->bound += !err;
	c->wrong += err && err != -EADDRINUSE;
	if (err)
		k->ns.s.replica = NULL;
}

static void churn_run(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct churn *c = plx_container_of(msg, struct churn, msg);
	struct sock *k = &c->sock[plx_rng_below(&c->rng, 8)];

	if (k->claim.held)
		unbind(k);
	else if (!k->ns.s.replica)
		churn_bind(c, k, sn->index);
	if (++c->rounds == 20000)
		plx_engine_stop(nt.eng);
	if (!plx_engine_stopping(nt.eng))
		plx_softnet_post(sn, msg);
}

/* Whatever is under way when they stop, nobody is forgotten and no claim is left. */
T(nobody_is_forgotten)
{
	nt_new(1, 0);
	memset(churn, 0, sizeof(churn));
	for (uint16_t i = 0; i < 2; i++) {
		plx_rng_init(&churn[i].rng, i + 1);
		churn[i].msg.fn = churn_run;
		plx_softnet_post(lcore(i), &churn[i].msg);
	}
	eq(plx_engine_run(nt.eng), 0);
	ok(!plx_engine_serves(nt.eng));
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 8; k++)
			if (churn[i].sock[k].claim.held)
				unbind(&churn[i].sock[k]);
		ok(churn[i].bound > 0);
		eq(churn[i].gone, churn[i].bound);
		eq(churn[i].wrong, 0);
	}
	for (uint16_t port = 100; port < 106; port++) {
		eq(bind_on(0, &a, port, false), 0);
		unbind(&a);
		eq(a.gone, 1);
	}
}

/* ---- the table ---- */

static const struct plx_telem_table *table(void)
{
	static struct plx_telem_table t = {.name = "udp", .row = net__udp_row};

	t.arg = nt.net;
	return &t;
}

static uint64_t num(const struct plx_telem_row *page, uint32_t row, const char *name)
{
	for (uint32_t i = page->first[row]; i < page->first[row + 1]; i++)
		if (strcmp(page->field[i].name, name) == 0)
			return page->field[i].u;
	fail_msg("no %s", name);
	return 0;
}

/* Each lcore knows all, and tells of its own; a page has those of one. */
T(a_table_has_each_once_from_its_home)
{
	static struct plx_telem_row page;

	start();
	eq(bind_on(1, &a, 9, false), 0);
	eq(bind_on(0, &b, 10, false), 0);
	nt_run();
	telem__page_fill(&page, table(), 0);
	eq(page.rows, 1);
	eq(num(&page, 0, "local_port"), 10);
	eq(num(&page, 0, "lcore"), 0);
	ok(page.next != 0);
	telem__page_fill(&page, table(), page.next);
	eq(page.rows, 1);
	eq(num(&page, 0, "local_port"), 9);
	eq(num(&page, 0, "lcore"), 3); /* EAL's number */
	eq(page.next, 0);
	telem__page_fill(&page, table(), UINT64_MAX); /* what nobody has told a client */
	eq(page.rows, 0);
	eq(page.next, 0);
	unbind(&a);
	unbind(&b);
	nt_run();
}

/* The last one that was read is gone when the reader comes back. */
T(a_table_is_read_on_though_one_is_gone)
{
	static struct plx_telem_row page;
	static struct sock c;
	uint64_t cursor = 0;

	start();
	eq(bind_on(0, &a, 9, false), 0);
	eq(bind_on(0, &b, 10, false), 0);
	eq(bind_on(0, &c, 11, false), 0);
	nt_run();
	telem__page_fill(&page, table(), 0);
	eq(page.rows, 3);
	memset(&page, 0, sizeof(page)); /* a page that ends with a */
	eq(net__udp_row(&page, &cursor, nt.net), PLX_TELEM_MORE);
	unbind(&a);
	nt_run();
	telem__page_fill(&page, table(), cursor);
	eq(page.rows, 1);
	eq(num(&page, 0, "local_port"), 11);
	unbind(&b);
	nt_run();
	telem__page_fill(&page, table(), 3); /* behind what is left */
	eq(page.rows, 0);
	unbind(&c);
	nt_run();
	telem__page_fill(&page, table(), 1);
	eq(page.rows, 0);
}

RUN_EAL(NT_(nobody_is_forgotten), NT_(each_lcore_hears_of_it), NT_(many_changes_at_once),
	NT_(all_agree_who_is_newer), NT_(whoever_it_is), NT_(a_port_changes_hands),
	NT_(who_opens_claims_too), NT_(an_address_of_ours), NT_(without_a_run), NT_(too_many),
	NT_(groups), NT_(where_answers_come), NT_(a_group_shares),
	NT_(a_table_has_each_once_from_its_home), NT_(a_table_is_read_on_though_one_is_gone))
