/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

#include <plx_base_rng.h>

/* Ours is 10.0.0.1 or fe80::1 at 02:00:00:00:00:01; the other one is :02. */
struct ct {
	struct plx_claim c;
	struct plx_rng rng;
};

static void claim(struct ct *t, const char *addr, const struct plx_claim_conf *conf)
{
	struct plx_addr a = ip(addr);
	struct plx_mac m = mac(1);

	plx_rng_init(&t->rng, 1);
	plx_neigh_claim_init(&t->c, conf, 7, &a, &m, &t->rng, 0);
}

static void quiet(struct ct *t, plx_ns now)
{
	struct plx_neigh_tx tx;

	ok(!plx_neigh_claim_output(&t->c, now, &tx));
}

static struct plx_neigh_tx sends(struct ct *t, plx_ns now, enum plx_neigh_tx_kind kind)
{
	struct plx_neigh_tx tx;

	ok(plx_neigh_claim_output(&t->c, now, &tx));
	eq(tx.kind, kind);
	eq(tx.iface, 7);
	ok(plx_addr_eq(&tx.target, &t->c.addr));
	quiet(t, now);
	return tx;
}

/* Nothing happens before `now`, the timer runs at it. */
static bool at(struct ct *t, plx_ns now)
{
	bool changed;

	eq(plx_neigh_claim_deadline(&t->c), now);
	ok(!plx_neigh_claim_timer(&t->c, now - 1));
	quiet(t, now - 1);
	changed = plx_neigh_claim_timer(&t->c, now);
	ok(plx_neigh_claim_deadline(&t->c) > now);
	return changed;
}

static bool hears_arp(
	struct ct *t, plx_ns now, uint16_t op, uint8_t sha, const char *spa, const char *tpa)
{
	struct plx_arp m = arp(op, sha, spa, tpa);

	return plx_neigh_claim_input_arp(&t->c, &m, now);
}

static bool hears_nd(struct ct *t, plx_ns now, struct plx_nd nd, const char *src)
{
	struct plx_addr s = ip(src);

	return plx_neigh_claim_input_nd(&t->c, &nd, &s, now);
}

static bool hears_nonce(struct ct *t, plx_ns now, const uint8_t nonce[PLX_ND_NONCE_BYTES])
{
	struct plx_nd nd = ns("fe80::1", 0);

	nd.has_nonce = true;
	memcpy(nd.nonce, nonce, sizeof(nd.nonce));
	return hears_nd(t, now, nd, "::");
}

/* Quick links: 100 ms instead of RFC 5227's seconds. */
static void claim4(struct ct *t, enum plx_claim_policy policy)
{
	claim(t, "10.0.0.1",
		&(struct plx_claim_conf){
			.transmits = 3, .announces = 2, .retrans_ns = MS(100), .policy = policy});
}

static void claim4_valid(struct ct *t, enum plx_claim_policy policy)
{
	claim(t, "10.0.0.1", &(struct plx_claim_conf){.announces = 0, .policy = policy});
	eq(t->c.state, PLX_CLAIM_VALID);
}

static void claim6(struct ct *t)
{
	claim(t, "fe80::1",
		&(struct plx_claim_conf){.transmits = 1, .nonce = true, .retrans_ns = SEC(1)});
}

T(acd_probes_three_times_then_announces_twice)
{
	struct ct t;
	struct plx_neigh_tx tx;

	claim4(&t, PLX_CLAIM_DEFEND);
	tx = sends(&t, 0, PLX_NEIGH_TX_ARP_PROBE);
	ip_eq(&tx.src, "0.0.0.0");
	mac_eq(&tx.dst_mac, "ff:ff:ff:ff:ff:ff");
	at(&t, MS(100));
	sends(&t, MS(100), PLX_NEIGH_TX_ARP_PROBE);
	at(&t, MS(200));
	sends(&t, MS(200), PLX_NEIGH_TX_ARP_PROBE);
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	ok(at(&t, MS(300)));
	eq(t.c.state, PLX_CLAIM_VALID);
	tx = sends(&t, MS(300), PLX_NEIGH_TX_ARP_ANNOUNCE);
	ip_eq(&tx.src, "10.0.0.1");
	ok(!at(&t, MS(2300)));
	sends(&t, MS(2300), PLX_NEIGH_TX_ARP_ANNOUNCE);
	eq(plx_neigh_claim_deadline(&t.c), PLX_NEVER);
}

T(acd_waits_as_long_as_rfc_5227_says)
{
	plx_ns lo[4] = {PLX_NEVER, PLX_NEVER, PLX_NEVER, PLX_NEVER}, hi[4] = {0};

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct ct t;
		plx_ns last = 0;

		plx_rng_init(&t.rng, seed);
		plx_neigh_claim_init(&t.c, &(struct plx_claim_conf)PLX_CLAIM_CONF_V4, 0,
			&(struct plx_addr){.w = {0, 0, 0xffff0000, 1}}, &(struct plx_mac){{2}},
			&t.rng, 0);
		for (int i = 0; i < 4; i++) {
			plx_ns now = plx_neigh_claim_deadline(&t.c);

			plx_neigh_claim_timer(&t.c, now);
			lo[i] = PLX_MIN(lo[i], now - last);
			hi[i] = PLX_MAX(hi[i], now - last);
			last = now;
		}
		eq(t.c.state, PLX_CLAIM_VALID);
	}
	ok(lo[0] >= 0 && lo[0] < MS(50) && hi[0] > MS(950) && hi[0] <= SEC(1)); /* PROBE_WAIT */
	for (int i = 1; i < 3; i++) { /* PROBE_MIN to PROBE_MAX */
		ok(lo[i] >= SEC(1) && lo[i] < MS(1050));
		ok(hi[i] > MS(1950) && hi[i] <= SEC(2));
	}
	eq(lo[3], SEC(2)); /* ANNOUNCE_WAIT */
	eq(hi[3], SEC(2));
}

T(acd_gives_up_when_the_address_answers)
{
	struct ct t;

	claim4(&t, PLX_CLAIM_DEFEND);
	ok(!hears_arp(&t, MS(10), PLX_ARP_REPLY, 2, "10.0.0.9", "10.0.0.1"));
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	ok(hears_arp(&t, MS(20), PLX_ARP_REPLY, 2, "10.0.0.1", "0.0.0.0"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
	mac_eq(&t.c.rival, "02:00:00:00:00:02");
	quiet(&t, MS(20));
	eq(plx_neigh_claim_deadline(&t.c), PLX_NEVER);
}

T(acd_gives_up_when_the_owner_asks_for_somebody_else)
{
	struct ct t;

	claim4(&t, PLX_CLAIM_DEFEND);
	ok(hears_arp(&t, MS(250), PLX_ARP_REQUEST, 2, "10.0.0.1", "10.0.0.77"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
}

T(acd_two_probers_at_once_both_give_up)
{
	struct ct t;

	claim4(&t, PLX_CLAIM_DEFEND);
	ok(!hears_arp(
		&t, MS(1), PLX_ARP_REQUEST, 1, "0.0.0.0", "10.0.0.1"));	    /* our own, reflected */
	ok(!hears_arp(&t, MS(1), PLX_ARP_REPLY, 2, "0.0.0.0", "10.0.0.1")); /* no probe */
	ok(!hears_arp(&t, MS(1), PLX_ARP_REQUEST, 2, "0.0.0.0", "10.0.0.2"));  /* another address */
	ok(!hears_arp(&t, MS(1), PLX_ARP_REQUEST, 2, "10.0.0.9", "10.0.0.1")); /* asks, no probe */
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	ok(hears_arp(&t, MS(2), PLX_ARP_REQUEST, 2, "0.0.0.0", "10.0.0.1"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
}

T(acd_defends_once_in_ten_seconds)
{
	struct ct t;

	claim4_valid(&t, PLX_CLAIM_DEFEND);
	ok(!hears_arp(
		&t, SEC(1), PLX_ARP_REQUEST, 2, "0.0.0.0", "10.0.0.1")); /* probes: answered */
	ok(hears_arp(&t, SEC(1), PLX_ARP_REQUEST, 2, "10.0.0.1", "10.0.0.1"));
	sends(&t, SEC(1), PLX_NEIGH_TX_ARP_ANNOUNCE);
	ok(hears_arp(&t, SEC(11), PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
	sends(&t, SEC(11), PLX_NEIGH_TX_ARP_ANNOUNCE);
	eq(t.c.state, PLX_CLAIM_VALID);
	ok(hears_arp(&t, SEC(21) - 1, PLX_ARP_REPLY, 3, "10.0.0.1", "10.0.0.3"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
	mac_eq(&t.c.rival, "02:00:00:00:00:03");
	quiet(&t, SEC(21));
	ok(!hears_arp(&t, SEC(22), PLX_ARP_REPLY, 3, "10.0.0.1", "10.0.0.3")); /* it's theirs now */
	eq(t.c.conflicts, 3);
}

T(acd_yields_at_once_when_told_so)
{
	struct ct t;

	claim4_valid(&t, PLX_CLAIM_YIELD);
	ok(hears_arp(&t, SEC(1), PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
	quiet(&t, SEC(1));
}

T(acd_holds_for_ever_and_does_not_storm)
{
	struct ct t;

	claim4_valid(&t, PLX_CLAIM_HOLD);
	ok(hears_arp(&t, SEC(1), PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
	sends(&t, SEC(1), PLX_NEIGH_TX_ARP_ANNOUNCE);
	for (int s = 2; s <= 10; s++) {
		ok(hears_arp(&t, SEC(s), PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
		quiet(&t, SEC(s));
	}
	ok(hears_arp(&t, SEC(11), PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
	sends(&t, SEC(11), PLX_NEIGH_TX_ARP_ANNOUNCE);
	eq(t.c.state, PLX_CLAIM_VALID);
	eq(t.c.conflicts, 11);
}

T(acd_after_ten_conflicts_tries_once_a_minute)
{
	struct ct t;

	claim4(&t, PLX_CLAIM_DEFEND);
	for (int i = 0; i < 10; i++) {
		ok(plx_neigh_claim_deadline(&t.c) < SEC(60));
		ok(hears_arp(&t, 0, PLX_ARP_REPLY, 2, "10.0.0.1", "10.0.0.3"));
		plx_neigh_claim_restart(&t.c, 0);
	}
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	quiet(&t, 0);
	at(&t, SEC(60));
	sends(&t, SEC(60), PLX_NEIGH_TX_ARP_PROBE);
}

T(no_probes_means_valid_at_once)
{
	struct ct t;

	claim(&t, "10.0.0.1", &(struct plx_claim_conf){.announces = 1, .delay = true});
	eq(t.c.state, PLX_CLAIM_VALID);
	sends(&t, 0, PLX_NEIGH_TX_ARP_ANNOUNCE);
	eq(plx_neigh_claim_deadline(&t.c), PLX_NEVER);
	claim(&t, "fe80::1", &(struct plx_claim_conf){.delay = true});
	eq(t.c.state, PLX_CLAIM_VALID);
	quiet(&t, 0);
}

T(dad_asks_once_and_waits)
{
	struct ct t;
	struct plx_neigh_tx tx;

	claim6(&t);
	tx = sends(&t, 0, PLX_NEIGH_TX_NS_DAD);
	ip_eq(&tx.src, "::");
	ip_eq(&tx.dst, "ff02::1:ff00:1");
	mac_eq(&tx.dst_mac, "33:33:ff:00:00:01");
	ok(tx.has_nonce);
	ok(at(&t, SEC(1)));
	eq(t.c.state, PLX_CLAIM_VALID);
	quiet(&t, SEC(1));
	eq(plx_neigh_claim_deadline(&t.c), PLX_NEVER);
}

T(dad_can_announce_what_it_won)
{
	struct ct t;
	struct plx_neigh_tx tx;

	claim(&t, "fe80::1",
		&(struct plx_claim_conf){.transmits = 2, .announces = 1, .retrans_ns = SEC(1)});
	ok(!sends(&t, 0, PLX_NEIGH_TX_NS_DAD).has_nonce);
	ok(!at(&t, SEC(1)));
	sends(&t, SEC(1), PLX_NEIGH_TX_NS_DAD);
	ok(at(&t, SEC(2)));
	tx = sends(&t, SEC(2), PLX_NEIGH_TX_NA_ANNOUNCE);
	ip_eq(&tx.src, "fe80::1");
	ip_eq(&tx.dst, "ff02::1");
	mac_eq(&tx.dst_mac, "33:33:00:00:00:01");
}

T(dad_any_advertisement_is_a_duplicate)
{
	struct ct t;

	claim6(&t);
	ok(!hears_nd(&t, MS(10), na("fe80::2", "", 2), "fe80::2"));
	ok(hears_nd(&t, MS(10), na("fe80::1", "O", 2), "fe80::1"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
	mac_eq(&t.c.rival, "02:00:00:00:00:02");
}

T(dad_another_prober_is_a_duplicate_a_mere_question_is_not)
{
	struct ct t;

	claim6(&t);
	ok(!hears_nd(&t, MS(10), ns("fe80::1", 2), "fe80::2"));
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	ok(hears_nd(&t, MS(20), ns("fe80::1", 0), "::"));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);

	claim6(&t);
	ok(hears_nonce(&t, MS(20), (const uint8_t[PLX_ND_NONCE_BYTES]){1, 2, 3}));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
}

T(dad_knows_its_own_probes_when_they_come_back)
{
	struct ct t;
	struct plx_neigh_tx tx;

	claim6(&t);
	tx = sends(&t, 0, PLX_NEIGH_TX_NS_DAD);
	ok(!hears_nonce(&t, MS(1), tx.nonce));
	eq(t.c.loops, 1);
	for (int s = 1; s <= 3; s++) { /* RFC 7527 4.1: three more, each with a new nonce */
		struct plx_neigh_tx again;

		ok(!at(&t, SEC(s)));
		again = sends(&t, SEC(s), PLX_NEIGH_TX_NS_DAD);
		ok(memcmp(again.nonce, tx.nonce, sizeof(tx.nonce)) != 0);
		ok(!hears_nonce(&t, SEC(s) + 1, tx.nonce)); /* a late copy of the first */
	}
	ok(at(&t, SEC(4)));
	eq(t.c.state, PLX_CLAIM_VALID);
	eq(t.c.loops, 4);
}

T(dad_without_nonce_takes_its_echo_for_a_rival)
{
	struct ct t;

	claim(&t, "fe80::1", &(struct plx_claim_conf){.transmits = 1, .retrans_ns = SEC(1)});
	ok(hears_nonce(&t, MS(1), t.c.nonce[0]));
	eq(t.c.state, PLX_CLAIM_DUPLICATE);
}

T(a_valid_ipv6_address_is_not_given_up)
{
	struct ct t;

	claim(&t, "fe80::1", &(struct plx_claim_conf){.transmits = 0});
	ok(!hears_nd(&t, SEC(5), na("fe80::1", "O", 1), "fe80::1")); /* our own, reflected */
	ok(!hears_nd(&t, SEC(5), ns("fe80::1", 0), "::"));	     /* a prober: gets an answer */
	ok(hears_nd(&t, SEC(5), na("fe80::1", "O", 2), "fe80::1"));
	eq(t.c.state, PLX_CLAIM_VALID);
	eq(t.c.conflicts, 1);
}

T(dad_waits_a_second_unless_told_otherwise)
{
	struct ct t;

	claim(&t, "fe80::1", &(struct plx_claim_conf){.transmits = 1});
	sends(&t, 0, PLX_NEIGH_TX_NS_DAD);
	ok(!hears_nd(
		&t, 0, (struct plx_nd){.type = PLX_ICMP6_RA, .target = ip("fe80::1")}, "fe80::9"));
	ok(at(&t, SEC(1)));
}

T(a_restart_probes_again)
{
	struct ct t;

	claim6(&t);
	sends(&t, 0, PLX_NEIGH_TX_NS_DAD);
	ok(at(&t, SEC(1)));
	plx_neigh_claim_restart(&t.c, SEC(9));
	eq(t.c.state, PLX_CLAIM_TENTATIVE);
	sends(&t, SEC(9), PLX_NEIGH_TX_NS_DAD);
	ok(at(&t, SEC(10)));
	str_eq(plx_neigh_claim_state_name(t.c.state), "valid");
}

RUN(T_(acd_probes_three_times_then_announces_twice), T_(acd_waits_as_long_as_rfc_5227_says),
	T_(acd_gives_up_when_the_address_answers),
	T_(acd_gives_up_when_the_owner_asks_for_somebody_else),
	T_(acd_two_probers_at_once_both_give_up), T_(acd_defends_once_in_ten_seconds),
	T_(acd_yields_at_once_when_told_so), T_(acd_holds_for_ever_and_does_not_storm),
	T_(acd_after_ten_conflicts_tries_once_a_minute), T_(no_probes_means_valid_at_once),
	T_(dad_asks_once_and_waits), T_(dad_can_announce_what_it_won),
	T_(dad_any_advertisement_is_a_duplicate),
	T_(dad_another_prober_is_a_duplicate_a_mere_question_is_not),
	T_(dad_knows_its_own_probes_when_they_come_back),
	T_(dad_without_nonce_takes_its_echo_for_a_rival), T_(a_valid_ipv6_address_is_not_given_up),
	T_(dad_waits_a_second_unless_told_otherwise), T_(a_restart_probes_again))
