/* SPDX-License-Identifier: BSD-3-Clause */
/* Single flows that live elsewhere than their bucket: how they get there, and home again. */
#include "net_move_t.h"

#include "../../lib/net/flow.h"

static uint32_t hash_of(struct plx_net_tcp *c)
{
	return net__tcp_hash(nt.net, &plx_net_tcp_tcb(c)->id);
}

static uint16_t home_of(uint32_t hash)
{
	return plx_steer_owner(&nt.net->owners, hash);
}

static uint16_t owner_of(uint32_t hash)
{
	return plx_steer_flows_owner(&nt.net->flows, &nt.net->owners, hash);
}

/* Without a step. */
static void wish(uint16_t lcore)
{
	ok(plx_net_tcp_move(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c, lcore));
}

static void move(uint16_t lcore)
{
	wish(lcore);
	settled();
	eq(tt.lcore, lcore);
}

static void all_to(uint16_t lcore)
{
	wish_all(lcore);
	settled();
}

/* Another connection, of the next port. */
static struct plx_net_tcp *another(void)
{
	tt.accepted = 0;
	tt.got = 0;
	tt.port++;
	tt_connect();
	return tt.c;
}

/* It alone moves, and its bucket stays. */
T(a_flow_moves)
{
	uint16_t home;
	uint32_t hash;

	start();
	tt_connect();
	hash = hash_of(tt.c);
	home = home_of(hash);
	eq(tt.lcore, home);
	for (int i = 0; i < 2 * LCORES; i++) {
		uint16_t to = elsewhere();

		more(100);
		move(to);
		eq(owner_of(hash), to);
		eq(home_of(hash), home);
		eq(moves().flows, to != home);
		more(1000);
		eq(tt.lcore, to);
	}
	eq(moves().flows_moved, 4); /* coming home is none */
	eq(moves().conns, 2 * LCORES);
	eq(moves().stayed, 0);
	nt_no_drop();
}

/* Others of its bucket are not touched: neither their records nor their packets. */
T(others_of_its_bucket_stay)
{
	struct plx_net_tcp *other;
	uint32_t hash, mine;
	uint16_t home;

	start();
	tt_connect();
	hash = hash_of(tt.c);
	home = (uint16_t)tt.lcore;
	do
		other = another();
	while (plx_steer_owner_bucket(&nt.net->owners, hash_of(other)) !=
		plx_steer_owner_bucket(&nt.net->owners, hash));
	mine = hash_of(other);
	ok(mine != hash);
	move((uint16_t)((home + 1) % LCORES));
	eq(owner_of(hash), home);
	eq(owner_of(mine), (home + 1) % LCORES);
	eq(moves().conns, 1);
	/* and a bucket leaves without those that live elsewhere, wherever that is */
	all_to((uint16_t)((home + 2) % LCORES));
	eq(owner_of(hash), (home + 2) % LCORES);
	eq(owner_of(mine), (home + 1) % LCORES);
	more(100);
	eq(tt.lcore, (home + 1) % LCORES);
}

/* Its bucket comes to where it is, and goes on: it stays, until it is asked for. */
T(its_bucket_comes_after_it)
{
	uint16_t home, there;

	start();
	tt_connect();
	home = (uint16_t)tt.lcore;
	there = elsewhere();
	move(there);
	all_to(there);
	eq(moves().conns, 1);
	eq(moves().flows, 1);
	all_to(home);
	eq(moves().conns, 1);
	more(100);
	eq(tt.lcore, there);
	all_to(there);
	move(there); /* nothing moves: it needs no override any more */
	eq(moves().flows, 0);
	eq(moves().conns, 1);
	more(100);
	eq(tt.lcore, there);
}

T(segments_come_at_any_time)
{
	segments_at_any_time(wish);
}

/* It ends: what is left of it goes home, and the place is free again. */
T(it_ends)
{
	struct tt_seg s;
	uint16_t there;
	uint32_t hash;

	start();
	tt_connect();
	hash = hash_of(tt.c);
	there = elsewhere();
	move(there);
	tt_in(PLX_TCP_RST, tt.seq, 0, 0);
	eq(tt.err, ECONNRESET);
	settled();
	eq(moves().flows, 0);
	/* we close first: the TIME-WAIT is answered at home */
	another();
	hash = hash_of(tt.c);
	move(elsewhere());
	eq(moves().flows, 1);
	plx_net_tcp_close(plx_engine_softnet(nt.eng, (uint16_t)tt.lcore), tt.c);
	tt.c = NULL;
	nt_run();
	tt_expect(&s, PLX_TCP_FIN | PLX_TCP_ACK, 0);
	tt.ack++;
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_ACK, 0);
	settled();
	eq(moves().flows, 0);
	eq(owner_of(hash), home_of(hash));
	tt_in(PLX_TCP_FIN | PLX_TCP_ACK, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_ACK, 0);
	nt_drop(PLX_DROP_TCP_TIME_WAIT);
}

/* A SYN of the same four-tuple comes, whatever has been done of its way home: it is heard. */
T(the_four_tuple_again_at_any_time)
{
	for (int when = 0; when < 40; when++) {
		struct tt_seg s;

		start();
		tt_connect();
		move(elsewhere());
		tt_make(PLX_TCP_RST, tt.seq, 0, 0);
		t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 0);
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(10);
		}
		tt.accepted = 0;
		tt.got = 0;
		tt.seq += 1000000;
		tt_make(PLX_TCP_SYN, tt.seq++, 0, 0);
		t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 0);
		nt_sleep(PLX_MS(1));
		tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
		tt.ack = s.h.seq + 1;
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
		eq(tt.accepted, 1);
		settled();
		more(100);
		eq(moves().flows, 0);
		nt_no_drop();
		tt_after(NULL);
	}
}

/* It ends before it has moved: there is nothing to keep a place for. */
T(it_ends_on_the_way)
{
	for (int when = 0; when < 30; when++) {
		start();
		tt_connect();
		wish(elsewhere());
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(10);
		}
		tt_in(PLX_TCP_RST, tt.seq, 0, 0);
		settled();
		eq(tt.closed, 1);
		eq(moves().flows, 0);
		tt_after(NULL);
	}
}

/* Its program does not let it go: its segments find it, and the place is free again. */
T(it_stays)
{
	uint16_t home;

	start();
	tt_connect();
	home = (uint16_t)tt.lcore;
	mover.refuses = true;
	wish(elsewhere());
	settled();
	eq(moves().stayed, 1);
	eq(moves().flows, 0);
	more(100);
	eq(tt.lcore, home);
	nt_no_drop();
}

/* Two of one hash: as if they met there by chance. */
T(another_one_of_its_hash)
{
	struct plx_net_tcp *first, *second;
	uint16_t to;
	uint32_t hash;

	start();
	tt_connect();
	first = tt.c;
	hash = hash_of(first);
	to = elsewhere();
	move(to);
	/* what is left when one of them ends is all that the hash has: here, a handshake */
	second = tt.c;
	ok(second != first);
	net__flow_over(nt.net->lcore[to], &plx_net_tcp_tcb(second)->id); /* the other has ended */
	settled();
	eq(moves().flows, 0);
	eq(owner_of(hash), home_of(hash));
	more(100);
	eq(tt.lcore, home_of(hash));
	nt_no_drop();
}

/* The place of one is another's. */
T(no_place)
{
	uint32_t hash;

	start();
	tt_connect();
	hash = hash_of(tt.c);
	eq(plx_steer_flows_set(&nt.net->flows, hash ^ 1u << 31, elsewhere()), 0);
	wish(elsewhere());
	settled();
	eq(tt.lcore, home_of(hash));
	eq(moves().flows_refused, 1);
	eq(moves().flows, 1);
	plx_steer_flows_clear(&nt.net->flows, hash ^ 1u << 31);
	move(elsewhere());
	more(100);
}

/* Two ask at the same time for one place. */
T(two_ask_for_a_place)
{
	struct net_lcore *nl;
	uint32_t hash;

	start();
	tt_connect();
	hash = hash_of(tt.c);
	nl = nt.net->lcore[tt.lcore];
	ok(net__flow_ask(nl, hash, elsewhere()));
	ok(!net__flow_ask(nl, hash ^ 1u << 31, elsewhere()));
	eq(moves().flows_refused, 1);
	/* who goes home has it */
	ok(net__flow_ask(nl, hash, NET_FLOW_HOME));
	settled();
	eq(tt.lcore, home_of(hash));
	eq(moves().flows, 0);
}

/* Told to own nothing, an lcore gives back what lives there, and gets nothing. */
T(an_lcore_leaves)
{
	uint16_t home, there, rest[LCORES - 1], n = 0;

	start();
	tt_connect();
	home = (uint16_t)tt.lcore;
	there = elsewhere();
	move(there);
	for (uint16_t i = 0; i < LCORES; i++)
		if (i != there)
			rest[n++] = i;
	eq(plx_net_owners_share(nt.net, rest, NULL, n), 0);
	settled();
	eq(moves().flows, 0);
	ok(tt.lcore != there);
	more(100);
	home = (uint16_t)tt.lcore;
	wish(there);
	settled();
	eq(tt.lcore, home);
	eq(moves().flows, 0);
	ok(!plx_net_tcp_move(plx_engine_softnet(nt.eng, home), tt.c, LCORES));
	nt_tun(PLX_TUN_SOFT_STEER, 0);
	ok(!plx_net_tcp_move(plx_engine_softnet(nt.eng, home), tt.c, there));
}

/* Many at a time, to several lcores, while buckets move. */
T(many)
{
	struct plx_net_tcp *c[200];
	uint32_t hash[PLX_DIM(c)], there = 0;

	start();
	tt_connect();
	for (uint32_t i = 0; i < PLX_DIM(c); i++) {
		c[i] = i ? another() : tt.c;
		hash[i] = hash_of(c[i]);
	}
	for (uint32_t i = 0; i < PLX_DIM(c); i++)
		ok(plx_net_tcp_move(plx_engine_softnet(nt.eng, owner_of(hash[i])), c[i],
			   (uint16_t)(i % LCORES)) ||
			moves().flows_refused);
	settled();
	for (uint32_t i = 0; i < PLX_DIM(c); i++)
		there += owner_of(hash[i]) == i % LCORES;
	ok(there + moves().flows_refused >= PLX_DIM(c));
	ok(moves().flows > 100);
	eq(moves().stayed, 0);
	all_to(2);
	/* each is where it is looked for */
	for (uint32_t i = 0; i < PLX_DIM(c); i++) {
		tt.port = (uint16_t)(1024 + i);
		tt_in(PLX_TCP_RST, 1001 + i, 0, 0);
	}
	eq(tt.closed, PLX_DIM(c));
	settled();
	eq(moves().flows, 0);
	nt_no_drop();
}

/* The engine stops, whatever has been done of it: nothing is left. */
T(an_end_at_any_time)
{
	for (int when = 0; when < 30; when++) {
		start();
		tt.hold = true;
		tt_connect();
		tt_in(PLX_TCP_ACK, tt.seq, 0, 1000);
		nt_forget();
		wish(elsewhere());
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
			if (i > 3)
				feed(1000 + 10 * (uint32_t)i, 10);
		}
		nt_stop_engine();
		eq(tt.closed, 1);
		eq(tt.err, ESHUTDOWN);
		nt_forget();
		tt_after(NULL);
	}
}

RUN_EAL(TT_(a_flow_moves), TT_(others_of_its_bucket_stay), TT_(its_bucket_comes_after_it),
	TT_(segments_come_at_any_time), TT_(it_ends), TT_(the_four_tuple_again_at_any_time),
	TT_(it_ends_on_the_way), TT_(it_stays), TT_(another_one_of_its_hash), TT_(no_place),
	TT_(two_ask_for_a_place), TT_(an_lcore_leaves), TT_(many), TT_(an_end_at_any_time))
