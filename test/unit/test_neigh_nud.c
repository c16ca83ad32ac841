/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

#define BCAST  "ff:ff:ff:ff:ff:ff"
#define PEER   "02:00:00:00:00:02"
#define USABLE PLX_NEIGH_EV_USABLE
#define FAILED PLX_NEIGH_EV_FAILED
#define STALE  PLX_NEIGH_EV_STALE
#define GONE   PLX_NEIGH_EV_REMOVED
#define ARP    PLX_NEIGH_TX_ARP_REQUEST
#define NS     PLX_NEIGH_TX_NS

static void start(struct nt *t)
{
	nt_init(t, (struct plx_neigh_conf)PLX_NEIGH_CONF_DEFAULT);
}

/* 10.0.0.2 (or fe80::2) has just answered. */
static void reachable(struct nt *t, plx_ns now)
{
	nt_use(t, now, "10.0.0.2");
	nt_sends(t, now, ARP, "10.0.0.2", BCAST);
	eq(nt_arp(t, now, arp(PLX_ARP_REPLY, 2, "10.0.0.2", "10.0.0.1"), true), PLX_DROP_NONE);
	nt_tells(t, USABLE, "10.0.0.2");
	nt_quiet(t, now);
	nt_state(t, "10.0.0.2", "REACHABLE");
}

/* ... and was not used since. @return when it became STALE. */
static plx_ns stale(struct nt *t, plx_ns now)
{
	reachable(t, now);
	now = plx_neigh_deadline(t->t);
	nt_at(t, now);
	nt_state(t, "10.0.0.2", "STALE");
	nt_tells(t, STALE, "10.0.0.2");
	nt_quiet(t, now);
	return now;
}

static plx_ns probing(struct nt *t)
{
	plx_ns now = stale(t, 0) + SEC(1);

	nt_use(t, now, "10.0.0.2");
	nt_tells(t, STALE, "10.0.0.2");
	nt_at(t, now + SEC(5));
	nt_state(t, "10.0.0.2", "PROBE");
	nt_sends(t, now + SEC(5), ARP, "10.0.0.2", PEER);
	nt_quiet(t, now + SEC(5));
	return now + SEC(5);
}

static void replies(struct nt *t, plx_ns now)
{
	eq(nt_arp(t, now, arp(PLX_ARP_REPLY, 2, "10.0.0.2", "10.0.0.1"), true), PLX_DROP_NONE);
}

T(first_use_asks_and_the_answer_makes_it_reachable)
{
	struct nt t;
	struct plx_neigh *n;

	start(&t);
	n = nt_use(&t, 0, "10.0.0.2");
	ok(!plx_neigh_is_usable(n));
	nt_state(&t, "10.0.0.2", "INCOMPLETE");
	ok(nt_use(&t, MS(1), "10.0.0.2") == n); /* more packets do not ask again */
	nt_sends(&t, MS(1), ARP, "10.0.0.2", BCAST);
	nt_quiet(&t, MS(1));
	replies(&t, MS(2));
	nt_tells(&t, USABLE, "10.0.0.2");
	ok(plx_neigh_is_usable(n));
	mac_eq(&n->mac, PEER);
	eq(n->confirmed_ns, MS(2));
	nt_quiet(&t, MS(2));
	nt_fini(&t);
}

T(ipv6_asks_the_solicited_node_group)
{
	struct nt t;
	struct plx_neigh *n;
	struct plx_neigh_tx tx;

	start(&t);
	n = nt_use(&t, 0, "2001:db8::1234:5678");
	n->src_hint = ip("2001:db8::1");
	tx = nt_sends(&t, 0, NS, "2001:db8::1234:5678", "33:33:ff:34:56:78");
	ip_eq(&tx.dst, "ff02::1:ff34:5678");
	ip_eq(&tx.src, "2001:db8::1");
	nt_fini(&t);
}

T(three_questions_without_answer_fail)
{
	struct nt t;

	start(&t);
	nt_use(&t, 0, "10.0.0.2");
	nt_sends(&t, 0, ARP, "10.0.0.2", BCAST);
	nt_at(&t, SEC(1));
	nt_sends(&t, SEC(1), ARP, "10.0.0.2", BCAST);
	nt_at(&t, SEC(2));
	nt_sends(&t, SEC(2), ARP, "10.0.0.2", BCAST);
	nt_at(&t, SEC(3));
	nt_state(&t, "10.0.0.2", "FAILED");
	nt_tells(&t, FAILED, "10.0.0.2");
	nt_quiet(&t, SEC(3));
	nt_fini(&t);
}

T(a_failed_neighbour_is_asked_again_when_used)
{
	struct nt t;

	start(&t);
	nt_use(&t, 0, "10.0.0.2");
	for (int s = 1; s <= 3; s++) {
		nt_sends(&t, SEC(s - 1), ARP, "10.0.0.2", BCAST);
		nt_at(&t, SEC(s));
	}
	nt_tells(&t, FAILED, "10.0.0.2");
	nt_use(&t, SEC(9), "10.0.0.2");
	nt_state(&t, "10.0.0.2", "INCOMPLETE");
	nt_sends(&t, SEC(9), ARP, "10.0.0.2", BCAST);
	eq(plx_neigh_deadline(t.t), SEC(10));
	replies(&t, SEC(9));
	nt_tells(&t, USABLE, "10.0.0.2");
	nt_fini(&t);
}

T(a_failed_neighbour_is_forgotten_in_time)
{
	struct nt t;

	start(&t);
	nt_use(&t, 0, "10.0.0.2");
	for (int s = 1; s <= 3; s++) {
		nt_sends(&t, SEC(s - 1), ARP, "10.0.0.2", BCAST);
		nt_at(&t, SEC(s));
	}
	nt_tells(&t, FAILED, "10.0.0.2");
	nt_at(&t, SEC(63));
	nt_tells(&t, GONE, "10.0.0.2");
	ok(nt_find(&t, "10.0.0.2") == NULL);
	nt_fini(&t);
}

T(reachable_lasts_half_to_one_and_a_half_of_the_base)
{
	struct nt t;
	plx_ns lo = PLX_NEVER, hi = 0;

	start(&t);
	nt_use(&t, 0, "10.0.0.2");
	for (int i = 0; i < 500; i++) {
		replies(&t, 0);
		lo = PLX_MIN(lo, plx_neigh_deadline(t.t));
		hi = PLX_MAX(hi, plx_neigh_deadline(t.t));
	}
	ok(lo >= SEC(15) && lo < SEC(16));
	ok(hi <= SEC(45) && hi > SEC(44));
	nt_fini(&t);
}

T(unused_it_becomes_stale_and_later_nothing)
{
	struct nt t;
	plx_ns now;

	start(&t);
	now = stale(&t, 0);
	ok(plx_neigh_is_usable(nt_find(&t, "10.0.0.2")));
	nt_at(&t, now + SEC(60));
	nt_tells(&t, GONE, "10.0.0.2");
	eq(plx_neigh_count(t.t), 0);
	nt_fini(&t);
}

T(used_while_stale_it_waits_for_a_confirmation)
{
	struct nt t;
	plx_ns now;

	start(&t);
	now = stale(&t, 0) + SEC(1);
	ok(plx_neigh_is_usable(nt_use(&t, now, "10.0.0.2"))); /* the packet goes at once */
	nt_state(&t, "10.0.0.2", "DELAY");
	nt_tells(&t, STALE, "10.0.0.2");
	nt_use(&t, now + SEC(3), "10.0.0.2"); /* does not prolong the wait */
	eq(plx_neigh_deadline(t.t), now + SEC(5));
	plx_neigh_confirm(t.t, nt_use(&t, now + SEC(4), "10.0.0.2"), now + SEC(4));
	nt_state(&t, "10.0.0.2", "REACHABLE");
	nt_quiet(&t, now + SEC(4));
	ok(plx_neigh_deadline(t.t) >= now + SEC(4) + SEC(15));
	nt_fini(&t);
}

T(unconfirmed_it_is_probed_by_unicast_and_fails)
{
	struct nt t;
	plx_ns now;

	start(&t);
	now = probing(&t);
	for (int s = 1; s <= 2; s++) {
		nt_at(&t, now + SEC(s));
		ok(plx_neigh_is_usable(nt_find(&t, "10.0.0.2")));
		nt_sends(&t, now + SEC(s), ARP, "10.0.0.2", PEER);
	}
	nt_at(&t, now + SEC(3));
	nt_state(&t, "10.0.0.2", "FAILED");
	nt_tells(&t, FAILED, "10.0.0.2");
	nt_quiet(&t, now + SEC(3));
	nt_fini(&t);
}

T(probed_and_answered_it_is_reachable)
{
	struct nt t;
	plx_ns now;

	start(&t);
	now = probing(&t);
	replies(&t, now + MS(1));
	nt_state(&t, "10.0.0.2", "REACHABLE");
	nt_quiet(&t, now + MS(1)); /* same MAC, usable all the time */
	nt_fini(&t);
}

T(an_answer_takes_back_the_question_that_was_not_sent_yet)
{
	struct nt t;

	start(&t);
	nt_use(&t, 0, "10.0.0.2");
	replies(&t, 0);
	nt_tells(&t, USABLE, "10.0.0.2");
	nt_quiet(&t, 0);
	nt_fini(&t);
}

T(in_use_when_the_time_is_up_it_is_checked_at_once)
{
	struct nt t;
	plx_ns now;

	start(&t);
	reachable(&t, 0);
	now = plx_neigh_deadline(t.t);
	nt_use(&t, now - SEC(5), "10.0.0.2");
	nt_at(&t, now);
	nt_state(&t, "10.0.0.2", "DELAY");
	nt_quiet(&t, now); /* never became stale for the others */
	nt_at(&t, now + SEC(5));
	nt_state(&t, "10.0.0.2", "PROBE");
	nt_fini(&t);
}

T(upper_layers_confirm_what_has_a_mac_only)
{
	struct nt t;
	struct plx_neigh *n;
	plx_ns now;

	start(&t);
	n = nt_use(&t, 0, "10.0.0.2");
	plx_neigh_confirm(t.t, n, 0);
	nt_state(&t, "10.0.0.2", "INCOMPLETE"); /* RFC 4861 7.3.3 */
	for (int s = 0; s < 3; s++)
		plx_neigh_timer(t.t, SEC(s + 1));
	plx_neigh_confirm(t.t, n, SEC(3));
	nt_state(&t, "10.0.0.2", "FAILED");
	nt_fini(&t);

	start(&t);
	now = stale(&t, 0);
	n = nt_use(&t, now, "10.0.0.2");
	nt_tells(&t, STALE, "10.0.0.2");
	plx_neigh_timer(t.t, now + SEC(5));
	nt_state(&t, "10.0.0.2", "PROBE");
	plx_neigh_confirm(t.t, n, now + SEC(5));
	nt_state(&t, "10.0.0.2", "REACHABLE");
	nt_quiet(&t, now + SEC(5)); /* the probe is not sent any more */
	nt_fini(&t);
}

/* RFC 1122 3.3.1.4, 4.2.3.5: negative advice. */
T(upper_layers_doubt_what_was_not_confirmed_just_now)
{
	struct nt t;
	struct plx_neigh *n;

	start(&t);
	reachable(&t, 0);
	n = nt_use(&t, SEC(4), "10.0.0.2");
	plx_neigh_doubt(t.t, n, SEC(5) - 1);
	nt_state(&t, "10.0.0.2", "REACHABLE");
	nt_quiet(&t, SEC(5) - 1);
	plx_neigh_doubt(t.t, n, SEC(5));
	nt_state(&t, "10.0.0.2", "PROBE");
	nt_sends(&t, SEC(5), ARP, "10.0.0.2", PEER);
	plx_neigh_doubt(t.t, n, SEC(6) - 1); /* it is being asked */
	nt_quiet(&t, SEC(6) - 1);
	for (int s = 6; s <= 7; s++) {
		nt_at(&t, SEC(s));
		nt_sends(&t, SEC(s), ARP, "10.0.0.2", PEER);
	}
	nt_at(&t, SEC(8));
	nt_tells(&t, FAILED, "10.0.0.2");
	plx_neigh_doubt(t.t, n, SEC(20));
	nt_state(&t, "10.0.0.2", "FAILED");
	nt_fini(&t);
}

T(what_was_set_by_hand_stays)
{
	struct nt t;
	struct plx_addr a = ip("10.0.0.2");
	struct plx_mac m = mac(9);

	start(&t);
	eq(plx_neigh_add(t.t, 1, &a, &m, PLX_NEIGH_PERMANENT, 0), 0);
	nt_tells(&t, USABLE, "10.0.0.2");
	eq(plx_neigh_deadline(t.t), PLX_NEVER);
	plx_neigh_confirm(t.t, nt_use(&t, 1, "10.0.0.2"), 1);
	replies(&t, 2);
	nt_state(&t, "10.0.0.2", "PERMANENT");
	mac_eq(&nt_find(&t, "10.0.0.2")->mac, "02:00:00:00:00:09");
	nt_quiet(&t, 2);
	nt_fini(&t);
}

T(an_advertised_time_holds_for_ipv6_of_that_interface)
{
	struct nt t;
	struct plx_addr a = ip("fe80::2");

	start(&t);
	eq(plx_neigh_iface_set_times(t.t, 1, 0, MS(250)), 0);
	eq(plx_neigh_iface_set_times(t.t, 64, 0, MS(250)), -EINVAL);
	nt_use(&t, 0, "fe80::2");
	eq(plx_neigh_deadline(t.t), MS(250));
	plx_neigh_del(t.t, 1, &a);
	nt_use(&t, 0, "10.0.0.2");
	eq(plx_neigh_deadline(t.t), SEC(1));
	nt_fini(&t);

	start(&t);
	eq(plx_neigh_iface_set_times(t.t, 1, SEC(2), 0), 0);
	plx_neigh_use(t.t, 2, &a, 0);
	eq(plx_neigh_deadline(t.t), SEC(1));
	plx_neigh_del(t.t, 2, &a);
	nt_use(&t, 0, "fe80::2");
	eq(plx_neigh_deadline(t.t), SEC(1));
	nt_nd(&t, 0, na("fe80::2", "S", 2), "fe80::2", false);
	ok(plx_neigh_deadline(t.t) >= SEC(1) && plx_neigh_deadline(t.t) <= SEC(3));
	nt_fini(&t);
}

T(an_entry_knows_when_it_was_used_confirmed_and_changed)
{
	struct nt t;
	struct plx_neigh *n;

	start(&t);
	n = nt_use(&t, MS(1), "10.0.0.2");
	replies(&t, MS(2));
	nt_use(&t, MS(3), "10.0.0.2");
	plx_neigh_confirm(t.t, n, MS(4));
	eq(n->used_ns, MS(3));
	eq(n->confirmed_ns, MS(4));
	eq(n->updated_ns, MS(2));
	eq(nt_arp(&t, MS(5), arp(PLX_ARP_REPLY, 3, "10.0.0.2", "10.0.0.1"), true), PLX_DROP_NONE);
	eq(n->updated_ns, MS(5)); /* another MAC, the same state */
	nt_fini(&t);
}

T(states_have_the_names_of_ip_neigh)
{
	static const struct {
		uint8_t state;
		const char *name;
	} rows[] = {{PLX_NEIGH_INCOMPLETE, "INCOMPLETE"}, {PLX_NEIGH_REACHABLE, "REACHABLE"},
		{PLX_NEIGH_STALE, "STALE"}, {PLX_NEIGH_DELAY, "DELAY"}, {PLX_NEIGH_PROBE, "PROBE"},
		{PLX_NEIGH_FAILED, "FAILED"}, {PLX_NEIGH_NOARP, "NOARP"},
		{PLX_NEIGH_PERMANENT, "PERMANENT"}, {0, "NONE"}};

	for (size_t i = 0; i < PLX_DIM(rows); i++)
		str_eq(plx_neigh_state_name(rows[i].state), rows[i].name);
}

RUN(T_(first_use_asks_and_the_answer_makes_it_reachable), T_(ipv6_asks_the_solicited_node_group),
	T_(three_questions_without_answer_fail), T_(a_failed_neighbour_is_asked_again_when_used),
	T_(a_failed_neighbour_is_forgotten_in_time),
	T_(reachable_lasts_half_to_one_and_a_half_of_the_base),
	T_(unused_it_becomes_stale_and_later_nothing),
	T_(used_while_stale_it_waits_for_a_confirmation),
	T_(unconfirmed_it_is_probed_by_unicast_and_fails), T_(probed_and_answered_it_is_reachable),
	T_(an_answer_takes_back_the_question_that_was_not_sent_yet),
	T_(in_use_when_the_time_is_up_it_is_checked_at_once),
	T_(upper_layers_confirm_what_has_a_mac_only),
	T_(upper_layers_doubt_what_was_not_confirmed_just_now), T_(what_was_set_by_hand_stays),
	T_(an_advertised_time_holds_for_ipv6_of_that_interface),
	T_(an_entry_knows_when_it_was_used_confirmed_and_changed),
	T_(states_have_the_names_of_ip_neigh))
