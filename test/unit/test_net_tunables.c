/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

/* Tunables that are set while the stack runs, and hold from then on; other tests have the rest. */

#define OUT4 "ip 10.0.0.2 > 10.0.0.1 "
#define OUT6 "ip 2001:db8::2 > 2001:db8::1 "

static void run_time(void)
{
	nt_simple();
	nt_forget();
}

T(time_to_live)
{
	run_time();
	nt_tun(PLX_TUN_IP_DEFAULT_TTL, 9);
	nt_tun(PLX_TUN_IP6_HOP_LIMIT, 7);
	nt_send("10.0.0.1", 1);
	nt_out(0, OUT4 "ttl 9 df udp 9 > 9 len 1");
	nt_send("2001:db8::1", 1);
	nt_out(0, OUT6 "ttl 7 udp 9 > 9 len 1");
}

T(dont_fragment)
{
	run_time();
	nt_send("10.0.0.1", 1);
	nt_out(0, OUT4 "df udp 9 > 9 len 1");
	nt_tun(PLX_TUN_IP_NO_PMTU_DISC, 1);
	nt_send("10.0.0.1", 1);
	nt_out(0, OUT4 "udp 9 > 9 len 1");
}

T(path_mtu)
{
	static struct nt_sock sock;

	run_time();
	eq(nt_open(&sock, 9, 0), 0);
	nt_tun(PLX_TUN_MIN_PMTU, 1200);
	nt_tun(PLX_TUN_MTU_EXPIRES, 5);
	nt_send("10.0.0.1", 1400);
	nt_forget();
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 4 rest 1000 quote 28");
	nt_send("10.0.0.1", 1400);
	nt_out(0, OUT4 "+0 proto 17 len 1176");
	nt_forget();
	nt_sleep(PLX_MS(5100));
	nt_send("10.0.0.1", 1400);
	nt_out(0, OUT4 "df udp 9 > 9 len 1400");
}

T(errors_a_second)
{
	run_time();
	nt_tun(PLX_TUN_ICMP_RATELIMIT, 0);
	nt_tun(PLX_TUN_ICMP_MSGS_BURST, 3);
	nt_tun(PLX_TUN_ICMP_MSGS_PER_SEC, 1);
	for (int i = 0; i < 10; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	eq(nt_forget(), 3);
	nt_sleep(PLX_SEC(2));
	for (int i = 0; i < 10; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	eq(nt_forget(), 2);
	nt_drops(PLX_DROP_UDP_NO_PORT, 20);
}

/* A neighbour that does not answer any more: how long it is believed, and how often asked. */
T(neighbours)
{
	run_time();
	nt_tun(PLX_TUN_NEIGH_DELAY_FIRST_PROBE, 1);
	nt_tun(PLX_TUN_NEIGH_UCAST_SOLICIT, 2);
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9"); /* stale */
	nt_forget();
	nt_send("10.0.0.9", 4);
	nt_forget();
	nt_sleep(PLX_MS(3900)); /* one second's delay, two probes a second apart, failed */
	eq(nt_forget(), 2);
	nt_tun(PLX_TUN_NEIGH_BASE_REACHABLE, 1000);
	nt_send("10.0.0.7", 4);
	nt_forget();
	nt_in(0, "arp 10.0.0.7 is-at 02:00:00:00:00:01 tell 10.0.0.2");
	nt_sleep(PLX_SEC(2)); /* at most one and a half times that: stale now */
	nt_forget();
	nt_send("10.0.0.7", 4);
	nt_sleep(PLX_MS(1500));
	eq(nt_forget(), 2); /* the packet, and a probe */
}

static uint32_t neighbours_known(void)
{
	uint32_t cursor = 0, n = 0;

	while (plx_net_neigh_next(nt.net, &cursor))
		n++;
	return n;
}

T(neighbours_that_nobody_needs)
{
	run_time();
	nt_tun(PLX_TUN_NEIGH_GC_STALETIME, 1);
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9");
	eq(neighbours_known(), 3); /* two were set by hand */
	nt_sleep(PLX_SEC(3));
	eq(neighbours_known(), 2);
	nt_forget();
}

static unsigned int dynamic_addrs(void)
{
	struct plx_net_addr a;
	uint32_t cursor = 0;
	unsigned int n = 0;

	while (plx_net_addr_next(nt.net, &cursor, &a))
		n += a.dynamic;
	return n;
}

static void router_says(const char *prefix)
{
	char text[128];

	snprintf(text, sizeof(text),
		"ip fe80::1 > ff02::1 nd ra slla 02:00:00:00:00:01 lifetime 1800 prefix %s",
		prefix);
	nt_in(0, text);
	nt_sleep(PLX_SEC(2));
	nt_forget();
}

T(routers)
{
	nt_new(1, 0);
	nt_tun(PLX_TUN_ACCEPT_RA, 0); /* at start, to be turned on */
	nt_addr(1, "2001:db8::2/64");
	nt_settle();
	router_says("2001:db8:5::/64");
	nt_drop(PLX_DROP_ND_IGNORED);
	eq(dynamic_addrs(), 0);
	nt_tun(PLX_TUN_ACCEPT_RA, 1);
	router_says("2001:db8:5::/64");
	eq(dynamic_addrs(), 1);
	nt_tun(PLX_TUN_AUTOCONF, 0);
	router_says("2001:db8:6::/64");
	eq(dynamic_addrs(), 1);
	nt_tun(PLX_TUN_AUTOCONF, 1);
	router_says("2001:db8:6::/64");
	eq(dynamic_addrs(), 2);
	nt_no_drop();
}

/* Whenever a link comes up routers are asked for, so many times. */
T(solicitations)
{
	run_time();
	for (unsigned int n = 0; n < 5; n++) {
		nt_tun(PLX_TUN_RTR_SOLICITS, n);
		eq(plx_net_if_set_up(nt.net, 1, false), 0);
		eq(plx_net_if_set_up(nt.net, 1, true), 0);
		nt_mark();
		nt_sleep(PLX_SEC(30));
		eq(nt_stat(PLX_STAT_ICMP6_OUTROUTERSOLICITS), n);
		nt_forget();
	}
}

T(duplicate_detection)
{
	run_time();
	for (unsigned int n = 0; n < 4; n++) {
		char text[64];

		nt_tun(PLX_TUN_DAD_TRANSMITS, n);
		nt_mark();
		snprintf(text, sizeof(text), "2001:db8::10%u/64", n);
		nt_addr(1, text);
		nt_sleep(PLX_SEC(10));
		eq(nt_stat(PLX_STAT_ICMP6_OUTNEIGHBORSOLICITS), n);
		nt_forget();
	}
}

RUN_EAL(NT_(time_to_live), NT_(dont_fragment), NT_(path_mtu), NT_(errors_a_second), NT_(neighbours),
	NT_(neighbours_that_nobody_needs), NT_(routers), NT_(solicitations),
	NT_(duplicate_detection))
