/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

#define USABLE PLX_NEIGH_EV_USABLE
#define FAILED PLX_NEIGH_EV_FAILED
#define STALE  PLX_NEIGH_EV_STALE
#define MAC    PLX_NEIGH_EV_MAC
#define GONE   PLX_NEIGH_EV_REMOVED

static void start(struct nt *t, uint32_t gc_thresh3)
{
	struct plx_neigh_conf conf = PLX_NEIGH_CONF_DEFAULT;

	conf.gc_thresh3 = gc_thresh3;
	nt_init(t, conf);
}

static const char *peer(unsigned int i)
{
	static char buf[PLX_ADDR_STRLEN];

	snprintf(buf, sizeof(buf), "10.0.%u.%u", i / 256 % 256, i % 256);
	return buf;
}

static int add(struct nt *t, plx_ns now, unsigned int i, enum plx_neigh_state state)
{
	struct plx_addr a = ip(peer(i));
	struct plx_mac m = mac((uint8_t)i);

	return plx_neigh_add(t->t, 1, &a, &m, state, now);
}

static void drain(struct nt *t)
{
	struct plx_neigh_tx tx;
	struct plx_neigh *n;

	while (plx_neigh_output(t->t, 0, &tx))
		;
	while (plx_neigh_event(t->t, &n))
		;
}

T(bad_configurations_are_refused)
{
	static const struct plx_neigh_conf good = PLX_NEIGH_CONF_DEFAULT;
	struct plx_neigh_conf bad[8];
	uint64_t mem[64] PLX_ALIGNED;
	struct plx_rng rng;
	struct nt t;

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		bad[i] = good;
	bad[0].gc_thresh3 = 7;
	bad[1].max_ifaces = 0;
	bad[2].mcast_solicit = 0;
	bad[3].ucast_solicit = 0;
	bad[4].gc_stale_time_ns = 0;
	bad[5].base_reachable_time_ns = 0;
	bad[6].retrans_time_ns = 0;
	bad[7].delay_first_probe_ns = -1;
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		ok(plx_neigh_table_init(mem, &bad[i], &rng) == NULL);
	nt_init(&t, good);
	for (size_t i = 2; i < PLX_DIM(bad); i++)
		eq(plx_neigh_table_set_conf(t.t, &bad[i]), -EINVAL);
	eq(plx_neigh_table_set_conf(t.t, &bad[0]), 0); /* the size stays as it is */
	nt_fini(&t);
}

T(a_new_configuration_holds_from_the_next_change_on)
{
	struct plx_neigh_conf conf = PLX_NEIGH_CONF_DEFAULT;
	struct nt t;

	start(&t, 8);
	nt_use(&t, 0, "10.0.0.2");
	conf.retrans_time_ns = MS(100);
	conf.mcast_solicit = 2;
	eq(plx_neigh_table_set_conf(t.t, &conf), 0);
	eq(plx_neigh_deadline(t.t), SEC(1));
	plx_neigh_timer(t.t, SEC(1));
	eq(plx_neigh_deadline(t.t), SEC(1) + MS(100));
	plx_neigh_timer(t.t, SEC(1) + MS(100));
	nt_state(&t, "10.0.0.2", "FAILED");
	nt_fini(&t);
}

T(the_same_address_on_two_interfaces_is_two_neighbours)
{
	struct plx_addr a = ip("fe80::2");
	struct nt t;

	start(&t, 8);
	ok(plx_neigh_use(t.t, 1, &a, 0) != plx_neigh_use(t.t, 2, &a, 0));
	eq(plx_neigh_count(t.t), 2);
	eq(plx_neigh_del(t.t, 1, &a), 0);
	eq(plx_neigh_del(t.t, 1, &a), -ENOENT);
	ok(plx_neigh_find(t.t, 2, &a) != NULL);
	nt_fini(&t);
}

T(what_is_no_unicast_address_has_no_neighbour)
{
	static const char *const bad[] = {
		"0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1", "::", "ff02::1", "::1"};
	struct plx_addr a = ip("10.0.0.2");
	struct plx_mac m = mac(2), group = {{1, 0, 0x5e}};
	struct nt t;

	start(&t, 8);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		ok(nt_use(&t, 0, bad[i]) == NULL);
	ok(plx_neigh_use(t.t, 64, &a, 0) == NULL); /* max_ifaces */
	eq(plx_neigh_add(t.t, 64, &a, &m, PLX_NEIGH_PERMANENT, 0), -EINVAL);
	eq(plx_neigh_add(t.t, 1, &a, &group, PLX_NEIGH_PERMANENT, 0), -EINVAL);
	eq(plx_neigh_add(t.t, 1, &a, &m, PLX_NEIGH_DELAY, 0), -EINVAL);
	eq(plx_neigh_count(t.t), 0);
	nt_fini(&t);
}

T(a_full_table_gives_up_failed_then_stale_entries_oldest_first)
{
	struct nt t;

	start(&t, 8);
	nt_use(&t, 0, peer(1));
	for (int s = 1; s <= 3; s++)
		plx_neigh_timer(t.t, SEC(s));
	for (unsigned int i = 2; i <= 8; i++)
		eq(add(&t, SEC(3 + i), i, i <= 3 ? PLX_NEIGH_STALE : PLX_NEIGH_REACHABLE), 0);
	eq(plx_neigh_count(t.t), 8);
	drain(&t);
	nt_use(&t, SEC(20), peer(9));
	nt_tells(&t, GONE, peer(1)); /* FAILED */
	nt_use(&t, SEC(20), peer(10));
	nt_tells(&t, GONE, peer(2)); /* the older STALE one */
	nt_use(&t, SEC(20), peer(11));
	nt_tells(&t, GONE, peer(3));
	eq(plx_neigh_count(t.t), 8);
	ok(nt_use(&t, SEC(20), peer(12)) == NULL); /* who is in use stays */
	eq(add(&t, SEC(20), 12, PLX_NEIGH_PERMANENT), -ENOSPC);
	eq(nt_arp(&t, SEC(20), arp(PLX_ARP_REQUEST, 12, peer(12), "10.0.0.1"), true),
		PLX_DROP_NEIGH_TABLE_FULL);
	eq(nt_nd(&t, SEC(20), ns("fe80::1", 2), "fe80::2", true), PLX_DROP_NEIGH_TABLE_FULL);
	nt_fini(&t);
}

T(a_scan_evicts_its_own_victims)
{
	struct nt t;

	start(&t, 16);
	for (unsigned int i = 1; i <= 8; i++)
		eq(add(&t, 0, i, PLX_NEIGH_REACHABLE), 0);
	drain(&t);
	for (unsigned int i = 9; i <= 16; i++)
		ok(nt_use(&t, MS(i), peer(i)) != NULL);
	for (unsigned int i = 17; i <= 500; i++) {
		ok(nt_use(&t, MS(i), peer(i)) != NULL);
		nt_tells(&t, GONE, peer(i - 8));
	}
	for (unsigned int i = 1; i <= 8; i++)
		nt_state(&t, peer(i), "REACHABLE");
	eq(plx_neigh_count(t.t), 16);
	nt_fini(&t);
}

T(a_removed_entry_stays_readable_until_it_was_told)
{
	struct plx_neigh *n, *told;
	struct nt t;

	start(&t, 8);
	n = nt_use(&t, 0, "10.0.0.2");
	n->user[0] = &t;
	n->user_count = 3;
	plx_neigh_flush(t.t, 1, false);
	ok(nt_use(&t, 0, "10.0.0.2") != n); /* a new one */
	eq(plx_neigh_event(t.t, &told), GONE);
	ok(told == n);
	ok(told->user[0] == &t);
	eq(told->user_count, 3);
	eq(nt_find(&t, "10.0.0.2")->user_count, 0);
	nt_fini(&t);
}

T(untold_removals_are_bounded_too)
{
	struct nt t;
	unsigned int made = 0;

	start(&t, 8);
	for (unsigned int i = 0; i < 1000; i++) /* the caller never pulls events */
		made += add(&t, i, i % 200, PLX_NEIGH_STALE) == 0;
	ok(made >= 8 + 16 && made < 1000);
	drain(&t);
	eq(add(&t, 1000, 250, PLX_NEIGH_STALE), 0);
	ok(plx_neigh_count(t.t) <= 8);
	nt_fini(&t);
}

T(news_that_was_not_pulled_is_told_as_it_stands)
{
	struct nt t;

	start(&t, 8);
	eq(add(&t, 0, 2, PLX_NEIGH_REACHABLE), 0);
	nt_arp(&t, 0, arp(PLX_ARP_REQUEST, 3, peer(2), "10.0.0.1"), true);
	nt_use(&t, 0, peer(2));
	nt_tells(&t, USABLE, peer(2)); /* contains the new MAC and the end of STALE */
	nt_quiet(&t, 0);

	nt_arp(&t, 0, arp(PLX_ARP_REQUEST, 4, peer(2), "10.0.0.1"), true);
	nt_tells(&t, MAC | STALE, peer(2));
	nt_use(&t, 0, peer(2));
	for (int s = 5; s <= 8; s++)
		plx_neigh_timer(t.t, SEC(s));
	nt_tells(&t, FAILED, peer(2)); /* who is gone is not stale */
	nt_arp(&t, SEC(8), arp(PLX_ARP_REQUEST, 4, peer(2), "10.0.0.1"), true);
	plx_neigh_flush(t.t, 1, true);
	nt_tells(&t, GONE, peer(2));
	nt_quiet(&t, SEC(8));
	nt_fini(&t);
}

T(flush_keeps_what_was_set_by_hand)
{
	struct nt t;

	start(&t, 8);
	eq(add(&t, 0, 2, PLX_NEIGH_PERMANENT), 0);
	eq(add(&t, 0, 3, PLX_NEIGH_NOARP), 0);
	eq(add(&t, 0, 4, PLX_NEIGH_REACHABLE), 0);
	nt_use(&t, 0, peer(5));
	plx_neigh_flush(t.t, 2, true); /* another interface */
	eq(plx_neigh_count(t.t), 4);
	plx_neigh_flush(t.t, 1, false);
	eq(plx_neigh_count(t.t), 2);
	eq(plx_neigh_deadline(t.t), PLX_NEVER);
	plx_neigh_flush(t.t, 1, true);
	eq(plx_neigh_count(t.t), 0);
	nt_fini(&t);
}

T(pages_show_each_entry_once)
{
	struct nt t;
	unsigned int seen[300] = {0};
	const struct plx_neigh *n;
	uint32_t cursor = 0;

	start(&t, 256);
	for (unsigned int i = 0; i < 200; i++)
		eq(add(&t, 0, i, PLX_NEIGH_PERMANENT), 0);
	for (unsigned int i = 0; (n = plx_neigh_next(t.t, &cursor)) != NULL; i++) {
		seen[n->addr.b[15]]++;
		if (i == 100) { /* between two pages others come and go */
			eq(add(&t, 0, 250, PLX_NEIGH_PERMANENT), 0);
			plx_neigh_del(t.t, 1, &n->addr);
		}
	}
	for (unsigned int i = 0; i < 200; i++)
		eq(seen[i], 1);
	ok(plx_neigh_next(t.t, &cursor) == NULL);
	nt_fini(&t);
}

RUN(T_(bad_configurations_are_refused), T_(a_new_configuration_holds_from_the_next_change_on),
	T_(the_same_address_on_two_interfaces_is_two_neighbours),
	T_(what_is_no_unicast_address_has_no_neighbour),
	T_(a_full_table_gives_up_failed_then_stale_entries_oldest_first),
	T_(a_scan_evicts_its_own_victims), T_(a_removed_entry_stays_readable_until_it_was_told),
	T_(untold_removals_are_bounded_too), T_(news_that_was_not_pulled_is_told_as_it_stands),
	T_(flush_keeps_what_was_set_by_hand), T_(pages_show_each_entry_once))
