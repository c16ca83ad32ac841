/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

#define US   "02:00:00:00:00:02"
#define PEER "02:00:00:00:00:01"

T(answers_who_asks_for_us)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9");
	nt_out(0, "arp 10.0.0.2 is-at " US);
	nt_none();
	nt_no_drop();
}

T(answers_a_probe_and_learns_nothing)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.2 tell 0.0.0.0");
	nt_out(0, "arp 10.0.0.2 is-at " US);
	nt_none();
}

T(is_silent_about_others)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.7 tell 10.0.0.9");
	nt_none();
	nt_drop(PLX_DROP_ARP_IGNORED);
	nt_in(0, "arp who-has 127.0.0.1 tell 10.0.0.9"); /* local, and nobody's business */
	nt_none();
	nt_drop(PLX_DROP_ARP_IGNORED);
}

T(answers_for_another_interface_unless_strong)
{
	nt_new(2, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(2, "10.1.0.2/24");
	nt_settle();
	nt_in(0, "arp who-has 10.1.0.2 tell 10.0.0.9");
	nt_out(0, "arp 10.1.0.2 is-at " US);
	nt_tun(PLX_TUN_IP_STRONG_HOST, 1);
	nt_in(0, "arp who-has 10.1.0.2 tell 10.0.0.8");
	nt_none();
	nt_drop(PLX_DROP_ARP_IGNORED);
}

T(announces_a_new_address_twice)
{
	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_start();
	nt_run();
	nt_out(0, "arp who-has 10.0.0.2 tell 10.0.0.2");
	nt_forget();
	nt_sleep(PLX_SEC(10));
	for (const char *s; (s = nt_sent(0));)
		if (strncmp(s, "arp", 3) == 0) {
			str_eq(s, "arp who-has 10.0.0.2 tell 10.0.0.2");
			return;
		}
	fail_msg("announced once only");
}

/* RFC 5227 2.4 (c): an operator's address is never given up; at most one defence in 10 s. */
T(defends_its_address)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.2"); /* the peer says it is its own */
	nt_drop(PLX_DROP_ARP_IGNORED);
	nt_out(0, "arp who-has 10.0.0.2 tell 10.0.0.2");
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.2");
	nt_drop(PLX_DROP_ARP_IGNORED);
	nt_none();
	nt_sleep(PLX_SEC(11));
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.2");
	nt_drop(PLX_DROP_ARP_IGNORED);
	nt_out(0, "arp who-has 10.0.0.2 tell 10.0.0.2");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 8");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp echo-reply len 8");
}

T(asks_then_sends_what_waits_in_order)
{
	nt_simple();
	nt_send("10.0.0.7", 4);
	nt_out(0, "arp who-has 10.0.0.7 tell 10.0.0.2");
	nt_send("10.0.0.7", 4);
	nt_none();
	eq(plx_net_held(nt.net), 2);
	nt_in(0, "arp 10.0.0.7 is-at " PEER " tell 10.0.0.2");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.7 df udp 9 > 9 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.7 df udp 9 > 9 len 4");
	nt_none();
	nt_no_drop();
	eq(plx_net_held(nt.net), 0);
}

/* What waited is dropped, and so is the error about it: there is no socket that it could tell. */
static void given_up(void)
{
	const enum plx_drop both[] = {PLX_DROP_NEIGH_FAILED, PLX_DROP_ICMP_ERROR_UNMATCHED};
	struct plx_acct sum;

	plx_acct_sum(&sum);
	for (size_t i = 0; i < PLX_DIM(both); i++) {
		eq(sum.drop[both[i]] - nt.base.drop[both[i]], 1);
		nt.base.drop[both[i]]++;
	}
	nt_no_drop();
}

T(asks_three_times_then_gives_up)
{
	nt_simple();
	nt_send("10.0.0.7", 4);
	for (int i = 0; i < 3; i++) {
		nt_out(0, "arp who-has 10.0.0.7 tell 10.0.0.2");
		nt_none();
		nt_sleep(PLX_SEC(1) + PLX_MS(1));
	}
	nt_none();
	given_up();
}

T(obeys_the_tunables_of_neighbours)
{
	nt_simple();
	nt_tun(PLX_TUN_NEIGH_MCAST_SOLICIT, 1);
	nt_tun(PLX_TUN_NEIGH_RETRANS, 100);
	nt_send("10.0.0.7", 4);
	nt_out(0, "arp who-has 10.0.0.7 tell 10.0.0.2");
	nt_sleep(PLX_MS(101));
	given_up();
	nt_none();
}

T(the_oldest_makes_room)
{
	nt_simple();
	nt_tun(PLX_TUN_NEIGH_UNRES_QLEN, 2);
	for (int i = 0; i < 5; i++)
		nt_send("10.0.0.7", 4);
	nt_drops(PLX_DROP_NEIGH_QUEUE_FULL, 3);
	eq(plx_net_held(nt.net), 2);
}

/* A stale neighbour is used at once, and asked whether it is still there. */
T(checks_a_stale_neighbour_that_is_used)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9"); /* it told us of itself: stale */
	nt_out(0, "arp 10.0.0.2 is-at " US);
	nt_send("10.0.0.9", 4);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.9 df udp 9 > 9 len 4");
	nt_sleep(PLX_SEC(4));
	nt_none();
	nt_sleep(PLX_SEC(2)); /* delay_first_probe_time is over: by unicast */
	nt_out(0, "arp who-has 10.0.0.9 tell 10.0.0.2 to " PEER);
	nt_in(0, "arp 10.0.0.9 is-at " PEER " tell 10.0.0.2");
	nt_sleep(PLX_SEC(5));
	nt_none();
}

T(follows_a_neighbour_that_changes_its_mac)
{
	nt_simple();
	nt_send("10.0.0.7", 4);
	nt_forget();
	nt_in(0, "arp 10.0.0.7 is-at " PEER " tell 10.0.0.2");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.7 df udp 9 > 9 len 4");
	nt_in(0, "from 02:00:00:00:00:77 arp who-has 10.0.0.2 tell 10.0.0.7");
	nt_out(0, "arp 10.0.0.2 is-at " US " to 02:00:00:00:00:77");
	nt_send("10.0.0.7", 4);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.7 df udp 9 > 9 len 4 to 02:00:00:00:00:77");
}

/* What waits for a neighbour when all stops has stopped too, and asks nobody any more. */
T(stops_with_packets_waiting)
{
	nt_simple();
	nt_send("10.0.0.7", 4);
	nt_forget();
	nt_mark();
	plx_engine_step_end(nt.eng);
	nt_drop(PLX_DROP_STOPPED);
	nt_send("10.0.0.8", 4);
	nt_drop(PLX_DROP_STOPPED);
	eq(plx_net_held(nt.net), 0);
}

/* A flood of requests for others costs no walk and changes nothing. */
T(a_flood_creates_no_neighbours)
{
	uint32_t cursor = 0, n = 0;

	nt_simple();
	for (int i = 0; i < 1000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "arp who-has 10.0.0.9 tell 10.0.%d.%d", i / 250,
			i % 250 + 3);
		nt_make(0, text);
		nt_feed(0);
	}
	nt_run();
	nt_drops(PLX_DROP_ARP_IGNORED, 1000);
	while (plx_net_neigh_next(nt.net, &cursor))
		n++;
	eq(n, 2); /* the two that were set by hand */
}

RUN_EAL(NT_(answers_who_asks_for_us), NT_(answers_a_probe_and_learns_nothing),
	NT_(is_silent_about_others), NT_(answers_for_another_interface_unless_strong),
	NT_(announces_a_new_address_twice), NT_(defends_its_address),
	NT_(asks_then_sends_what_waits_in_order), NT_(asks_three_times_then_gives_up),
	NT_(obeys_the_tunables_of_neighbours), NT_(the_oldest_makes_room),
	NT_(checks_a_stale_neighbour_that_is_used), NT_(follows_a_neighbour_that_changes_its_mac),
	NT_(stops_with_packets_waiting), NT_(a_flood_creates_no_neighbours))
