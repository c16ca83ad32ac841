/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

#define US "02:00:00:00:00:02"
#define LL "fe80::ff:fe00:2" /* of 02:00:00:00:00:02 */

/* As plx_port_link_check() says; looked at ten times a second. */
static void link_is(bool up)
{
	nt.port[0].port->lost_link = !up;
	nt_sleep(PLX_MS(110));
}

/* How many of what was sent have all of these words. */
static unsigned int count(const char *word, const char *other)
{
	static char said[64][256];
	static unsigned int n;
	unsigned int hits = 0;
	const char *s;

	if (!word) {
		for (n = 0; (s = nt_sent(0)); n++) {
			ok(n < PLX_DIM(said));
			snprintf(said[n], sizeof(said[n]), "%s", s);
		}
		return n;
	}
	for (unsigned int i = 0; i < n; i++)
		hits += strstr(said[i], word) && strstr(said[i], other);
	return hits;
}

/* Who comes back introduces himself anew. */
T(a_link_comes_back)
{
	struct plx_addr group = t_addr("239.1.2.3"), group6 = t_addr("ff05::3");

	nt_simple();
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	eq(plx_net_group_join(nt.net, 1, &group6), 0);
	nt_sleep(PLX_SEC(30));
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.7");
	nt_forget();
	link_is(false);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4"); /* its address stays */
	nt_send("10.0.0.7", 4); /* the neighbour is forgotten */
	nt_out(0, "arp who-has 10.0.0.7 tell 10.0.0.2");
	nt_sleep(PLX_SEC(10));
	nt_forget();
	nt_mark();

	link_is(true);
	nt_sleep(PLX_SEC(15));
	ok(count(NULL, NULL) > 0);
	eq(count("arp who-has 10.0.0.2 tell 10.0.0.2", ""), 2);
	eq(count("nd ns 2001:db8::2", "ip :: >"), 1);
	eq(count("nd ns " LL, "ip :: >"), 1);
	eq(count("nd na 2001:db8::2 override tlla " US, ""), 1);
	eq(count("nd na " LL " override tlla " US, ""), 1);
	ok(count("igmp", "> 224.0.0.22") >= 1);
	ok(count("mld2", "4:ff05::3") >= 1);
	ok(count("nd rs", "") >= 1);
	nt_no_drop();
	nt_sleep(PLX_SEC(60));
	nt_forget();
	link_is(true); /* no news */
	nt_none();
}

/* Taken while we were away. */
T(an_address_that_is_gone_when_we_come_back)
{
	nt_simple();
	link_is(false);
	link_is(true);
	nt_in(0, "ip fe80::1 > ff02::1 nd na 2001:db8::2 override tlla 02:00:00:00:00:01");
	nt_sleep(PLX_SEC(5));
	nt_forget();
	nt_mark();
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	nt_none();
}

/* What is down by will does not come up by a cable. */
T(an_interface_that_is_down_stays_so)
{
	nt_simple();
	eq(plx_net_if_set_up(nt.net, 1, false), 0);
	nt_run();
	nt_forget();
	link_is(true);
	nt_sleep(PLX_SEC(30));
	nt_none();
	link_is(false); /* as the port has it: it is down by will, too */
	eq(plx_net_if_set_up(nt.net, 1, true), 0);
	nt_sleep(PLX_SEC(5));
	ok(count(NULL, NULL) > 0);
	eq(count("arp who-has 10.0.0.2 tell 10.0.0.2", ""), 2);
	eq(count("nd na 2001:db8::2 override", ""), 1);
	nt_forget();
}

/* RFC 4291 2.8: a router hears all routers, from the moment it is one. */
T(a_router_joins_the_groups_of_routers)
{
	nt_simple();
	nt_in(0, "ip 2001:db8::1 > ff02::2 icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_sleep(PLX_SEC(10));
	ok(count(NULL, NULL) > 0);
	ok(count("mld2", "4:ff02::2") >= 1);
	ok(count("mld2", "4:ff05::2") >= 1);
	eq(count("mld2", "ff01::2"), 0); /* nobody else's business */
	nt_in(0, "ip 2001:db8::1 > ff02::2 icmp echo-request len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4");
	nt_tun(PLX_TUN_IP6_FORWARDING, 0);
	nt_sleep(PLX_SEC(10));
	ok(count(NULL, NULL) > 0);
	ok(count("mld2", "3:ff02::2") >= 1);
	ok(count("mld2", "3:ff05::2") >= 1);
	nt_in(0, "ip 2001:db8::1 > ff02::2 icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	nt_none();
}

T(from_the_start)
{
	nt_new(1, 0);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_settle();
	nt_addr(1, "2001:db8::2/64");
	nt_sleep(PLX_SEC(5));
	nt_neigh(1, "2001:db8::1");
	nt_forget();
	nt_in(0, "ip 2001:db8::1 > ff02::2 icmp echo-request len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4");
	nt_none();
}

RUN_EAL(NT_(a_link_comes_back), NT_(an_address_that_is_gone_when_we_come_back),
	NT_(an_interface_that_is_down_stays_so), NT_(a_router_joins_the_groups_of_routers),
	NT_(from_the_start))
