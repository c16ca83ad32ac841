/* SPDX-License-Identifier: BSD-3-Clause */
/* More lcores than one: a connection lives where its flow belongs. */
#define T_EAL_LCORES "(0-1)@0"
#include "net_tcp_t.h"

#include <errno.h>

#include "../../lib/net/tcp.h"

/* Wherever its segments arrive, one lcore has a connection; both have some. */
T(a_flow_has_one_lcore)
{
	uint32_t lcores = 0;
	struct tt_seg s;

	tt_start();
	eq(plx_engine_lcores(nt.eng), 2);
	tt.hold = true;
	for (int i = 0; i < 16; i++) {
		uint32_t lcore;

		tt.accepted = 0;
		tt.port++;
		tt_connect();
		lcore = tt.lcore;
		lcores |= 1u << lcore;
		tt_make(PLX_TCP_ACK, tt.seq, 0, 10);
		t_port_feed(&nt.port[0], 1, nt.in.b, nt.in.bytes, 0);
		nt_run();
		eq(tt.lcore, lcore);
		nt_sleep(PLX_MS(300));
		tt_expect(&s, PLX_TCP_ACK, 0);
		tt_in(PLX_TCP_RST, tt.seq + 10, 0, 0);
		eq(tt.err, ECONNRESET);
	}
	eq(lcores, 3);
	eq(nt_stat(PLX_STAT_TCP_INSEGS), 16 * 4);
	nt_no_drop();
}

/* The answer to our SYN comes to the lcore that has sent it, without being handed over. */
T(a_port_is_chosen_for_its_lcore)
{
	struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	struct tt_seg s;

	tt_start();
	for (uint16_t lcore = 0; lcore < 2; lcore++)
		for (int i = 0; i < 8; i++) {
			struct plx_softnet *sn = plx_engine_softnet(nt.eng, lcore);
			struct plx_net_tcp *c;

			tt.closed = 0;
			eq(plx_net_tcp_connect(sn, &to, &tt_ops, NULL, &c), 0);
			nt_run();
			tt_expect(&s, PLX_TCP_SYN, 0);
			/* an error goes the same way, from the other lcore too */
			nt_make(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 1 quote 28");
			t_port_feed(&nt.port[0], 1, nt.in.b, nt.in.bytes, 0);
			nt_run();
			eq(tt.closed, 1);
		}
	nt_no_drop();
}

/* ---- ports, when there are few ---- */

#define LO	 40000u
#define PORTS	 16u
#define OPEN_MAX 64

static struct open {
	struct plx_net_tcp *c;
	uint16_t lcore;
} opened[OPEN_MAX];
static uint32_t n_open;

static void few_ports(void)
{
	nt_tun(PLX_TUN_IP_LOCAL_PORT_LO, LO);
	nt_tun(PLX_TUN_IP_LOCAL_PORT_HI, LO + PORTS - 1);
	n_open = 0;
}

static const struct plx_tcp_id *id_of(uint32_t i)
{
	return &plx_net_tcp_tcb(opened[i].c)->id;
}

static uint16_t owner_of(const struct plx_tcp_id *id)
{
	return net__tcp_owner(nt.net->lcore[0], id);
}

static int open_on(uint16_t lcore, const char *raddr, uint16_t rport, uint16_t lport)
{
	struct plx_net_tcp_to to = {.raddr = t_addr(raddr), .rport = rport, .lport = lport};
	struct open *o = &opened[n_open];
	int err = plx_net_tcp_connect(plx_engine_softnet(nt.eng, lcore), &to, &tt_ops, NULL, &o->c);

	if (err)
		return err;
	o->lcore = lcore;
	for (uint32_t i = 0; i < n_open; i++)
		ok(id_of(i)->lport != id_of(n_open)->lport ||
			id_of(i)->rport != id_of(n_open)->rport ||
			!plx_addr_eq(&id_of(i)->raddr, &id_of(n_open)->raddr));
	n_open++;
	return 0;
}

static void abort_one(uint32_t i)
{
	plx_net_tcp_abort(plx_engine_softnet(nt.eng, opened[i].lcore), opened[i].c);
	nt_run();
	nt_forget();
	opened[i] = opened[--n_open];
}

static void abort_all(void)
{
	while (n_open)
		abort_one(n_open - 1);
}

/* The peer answers the SYN, by a queue: it is established where it was opened. */
static void answer(uint32_t i, const struct tt_seg *syn, uint16_t queue)
{
	tt.established = 0;
	tt.port = id_of(i)->rport;
	tt.to = id_of(i)->lport;
	tt.ack = syn->h.seq + 1;
	tt_make(PLX_TCP_SYN | PLX_TCP_ACK, 5000, 0, 0);
	t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
	nt_run();
	eq(tt.established, 1);
	eq(tt.lcore, opened[i].lcore);
	nt_forget();
	tt.to = 0;
}

/* Its own ports first; then the other lcore's, whose answers find it; then there is none. */
static void fill(bool v6)
{
	const char *peer = v6 ? "2001:db8::1" : "10.0.0.1";
	uint32_t own = 0;
	struct tt_seg s;

	tt.v6 = v6;
	few_ports();
	for (uint32_t i = 0; i < PORTS; i++) {
		eq(open_on(0, peer, 80, 0), 0);
		nt_run();
		tt_expect(&s, PLX_TCP_SYN, 0);
		if (owner_of(id_of(i)) == 0)
			eq(own++, i);
		answer(i, &s, i & 1);
	}
	ok(own > 0 && own < PORTS);
	eq(open_on(0, peer, 80, 0), -EADDRNOTAVAIL);
	eq(open_on(1, peer, 80, 0), -EADDRNOTAVAIL);
	abort_all();
	eq(open_on(1, peer, 80, 0), 0);
	eq(owner_of(id_of(0)), 1);
	abort_all();
}

T(a_full_list_falls_back_to_another_lcore)
{
	tt_start();
	fill(false);
	fill(true);
	nt_no_drop();
}

/* Segments come as the device likes: no port is two lcores', and each finds its connection. */
T(where_the_hash_cannot_be_trusted)
{
	struct tt_seg s;

	tt_start();
	few_ports();
	nt_tun(PLX_TUN_SOFT_STEER, 0);
	for (uint32_t i = 0; i < PORTS; i++) {
		eq(open_on((uint16_t)(i % 3 == 0), "10.0.0.1", 80, 0), 0);
		nt_run();
		tt_expect(&s, PLX_TCP_SYN, 0);
		answer(i, &s, i & 1);
	}
	eq(open_on(0, "10.0.0.1", 80, 0), -EADDRNOTAVAIL);
	eq(open_on(1, "10.0.0.1", 80, 0), -EADDRNOTAVAIL);
	abort_all();
	nt_no_drop();
}

/* Of a port that the program names: whichever lcore has the four-tuple, it is taken. */
T(the_same_pair_twice)
{
	tt_start();
	few_ports();
	for (uint16_t lcore = 0; lcore < 2; lcore++)
		for (uint16_t port = 5000; port < 5008; port++) {
			eq(open_on(lcore, "10.0.0.1", 80, port), 0);
			eq(open_on(lcore, "10.0.0.1", 80, port), -EADDRNOTAVAIL);
			eq(open_on(!lcore, "10.0.0.1", 80, port), -EADDRNOTAVAIL);
			eq(open_on(lcore, "10.0.0.1", 81, port), 0);
			eq(open_on(!lcore, "10.0.0.1", 82, port), 0);
			abort_one(0);
			eq(open_on(lcore, "10.0.0.1", 81, port), -EADDRNOTAVAIL);
			abort_all();
			eq(open_on(!lcore, "10.0.0.1", 80, port), 0);
			abort_all();
		}
	nt_no_drop();
}

/* One port of sockets on both lcores, whose flows belong to either: all find theirs. */
T(a_named_port_of_several_lcores)
{
	uint32_t away[2] = {0, 0};
	struct tt_seg s;

	tt_start();
	for (uint32_t i = 0; i < 32; i++) {
		eq(open_on(i & 1, "10.0.0.1", (uint16_t)(80 + i), 5000), 0);
		away[i & 1] += owner_of(id_of(i)) != (i & 1);
		nt_run();
		tt_expect(&s, PLX_TCP_SYN, 0);
		answer(i, &s, i / 2 & 1);
	}
	ok(away[0] > 0 && away[1] > 0);
	while (n_open) {
		uint16_t rport = id_of(n_open - 1)->rport;

		tt.closed =
			0; /* an error finds it, too, by the queue of the other lcore or its own */
		eq(open_on(opened[n_open - 1].lcore, "10.0.0.1", rport, 5001), 0);
		nt_run();
		tt_expect(&s, PLX_TCP_SYN, 0);
		nt_make(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 1 quote 28");
		t_port_feed(&nt.port[0], n_open & 1, nt.in.b, nt.in.bytes, 0);
		nt_run();
		eq(tt.closed, 1);
		n_open--;
		abort_one(n_open - 1);
	}
	nt_no_drop();
}

/* Is there a port of the lcore's own that it could have? */
static bool own_is_free(uint16_t lcore, const char *raddr, uint16_t rport)
{
	struct plx_tcp_id id = {
		.laddr = t_addr("10.0.0.2"), .raddr = t_addr(raddr), .rport = rport};

	for (id.lport = LO; id.lport < LO + PORTS; id.lport++) {
		bool taken = owner_of(&id) != lcore;

		for (uint32_t i = 0; i < n_open; i++)
			taken |= id_of(i)->lport == id.lport &&
				 (id_of(i)->rport == rport ||
					 (opened[i].lcore != lcore &&
						 owner_of(id_of(i)) != opened[i].lcore));
		if (!taken)
			return true;
	}
	return false;
}

/* No four-tuple is ever two connections' (open_on() looks), and an own port is found. */
T(whatever_is_opened_and_closed)
{
	struct plx_rng r;
	uint32_t refused = 0;

	plx_rng_init(&r, t_seed(1));
	tt_start();
	few_ports();
	for (int i = 0; i < 1500; i++) {
		uint16_t lcore = (uint16_t)plx_rng_below(&r, 2);
		uint16_t rport = (uint16_t)(80 + plx_rng_below(&r, 3));

		if (n_open &&
			(n_open == OPEN_MAX - 1 || plx_rng_chance(&r, i % 300 < 150 ? 0.2 : 0.6))) {
			abort_one((uint32_t)plx_rng_below(&r, n_open));
			continue;
		}
		if (open_on(lcore, "10.0.0.1", rport, 0) != 0) {
			ok(!own_is_free(lcore, "10.0.0.1", rport));
			refused++;
		}
		nt_run();
		nt_forget();
	}
	ok(refused > 0);
	abort_all();
	for (uint16_t i = 0; i < 2; i++)
		for (uint32_t w = 0; w < PLX_PORT_WORDS; w++)
			eq(nt.net->lcore[i]->tcp->away[w] | nt.net->lcore[i]->tcp->uses->used[w],
				0);
	for (uint32_t i = 0; i < PLX_DIM(nt.net->named); i++)
		ok(!nt.net->named[i]);
}

RUN_EAL(TT_(a_flow_has_one_lcore), TT_(a_port_is_chosen_for_its_lcore),
	TT_(a_full_list_falls_back_to_another_lcore), TT_(where_the_hash_cannot_be_trusted),
	TT_(the_same_pair_twice), TT_(a_named_port_of_several_lcores),
	TT_(whatever_is_opened_and_closed))
