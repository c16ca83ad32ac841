/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

#define HOST_MAC "02:00:00:00:01:01"

T(forwards)
{
	nt_router();
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 ttl 9 tos 4 df udp 1 > 2 len 9");
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 8 tos 4 df udp 1 > 2 len 9");
	nt_in(0, "ip 2001:db8::1 > 2001:db8:1::1 ttl 9 udp 1 > 2 len 9");
	nt_out(1, "ip 2001:db8::1 > 2001:db8:1::1 ttl 8 udp 1 > 2 len 9");
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_IP_FORWDATAGRAMS), 1);
	eq(nt_stat(PLX_STAT_IP6_OUTFORWDATAGRAMS), 1);
}

T(not_without_being_told)
{
	nt_router();
	nt_tun(PLX_TUN_IP_FORWARD, 0);
	nt_tun(PLX_TUN_IP6_FORWARDING, 0);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	nt_in(0, "ip 2001:db8::1 > 2001:db8:1::1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	nt_none();
}

T(time_exceeded)
{
	nt_router();
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 ttl 1 udp 1 > 2 len 9");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp time 0 quote 37");
	nt_drop(PLX_DROP_IP_TTL);
	nt_in(0, "ip 2001:db8::1 > 2001:db8:1::1 ttl 1 udp 1 > 2 len 9");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp time 0 quote 57");
	nt_drop(PLX_DROP_IP_TTL);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 ttl 1 icmp unreach 1 len 28"); /* about an error: none */
	nt_drop(PLX_DROP_IP_TTL);
	nt_none();
}

T(no_route)
{
	nt_router();
	nt_in(0, "ip 10.0.0.1 > 10.9.0.1 udp 1 > 2 len 9");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 0 quote 37");
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	nt_in(0, "ip 2001:db8::1 > 2001:db8:9::1 udp 1 > 2 len 9");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp unreach 0 quote 57");
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	nt_none();
}

T(unreachable_tells_and_a_black_hole_does_not)
{
	struct plx_net_route r = {
		.dst = t_prefix("10.8.0.0/16"), .type = PLX_NET_ROUTE_UNREACHABLE};

	nt_router();
	eq(plx_net_route_add(nt.net, &r), 0);
	r.dst = t_prefix("10.7.0.0/16");
	r.type = PLX_NET_ROUTE_BLACKHOLE;
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_in(0, "ip 10.0.0.1 > 10.8.0.1 udp 1 > 2 len 9");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 1 quote 37");
	nt_drop(PLX_DROP_IP_UNREACHABLE_ROUTE);
	nt_in(0, "ip 10.0.0.1 > 10.7.0.1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP_BLACKHOLE_ROUTE);
	nt_none();
}

T(too_big)
{
	nt_router();
	eq(plx_net_if_set_mtu(nt.net, 2, 1300), 0);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 df udp 1 > 2 len 1300");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 4 rest 1300 quote 548");
	nt_drop(PLX_DROP_IP_TOO_BIG);
	nt_in(0, "ip 2001:db8::1 > 2001:db8:1::1 udp 1 > 2 len 1300");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp too-big 0 rest 1300 quote 1232");
	nt_drop(PLX_DROP_IP_TOO_BIG);
	nt_none();
	eq(nt_stat(PLX_STAT_IP_FORWDATAGRAMS), 0);
}

T(fragments_what_may_be)
{
	nt_router();
	eq(plx_net_if_set_mtu(nt.net, 2, 600), 0);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 id 77 udp 1 > 2 len 1300");
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 63 +0 proto 17 len 576");
	eq(plx_get_be16(nt.last + 4), 77);
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 63 +576 proto 17 len 576");
	eq(plx_get_be16(nt.last + 4), 77);
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 63 @1152 proto 17 len 156");
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_IP_FRAGCREATES), 3);
	eq(nt_stat(PLX_STAT_IP_FORWDATAGRAMS), 1);
}

/* A fragment is cut again, in its place; the last one's end stays the end. */
T(fragments_a_fragment)
{
	nt_router();
	eq(plx_net_if_set_mtu(nt.net, 2, 600), 0);
	nt_make(0, "ip 10.0.0.1 > 10.1.0.1 id 5 proto 17 len 800");
	plx_put_be16(nt.in.b + 14 + 6, 0x2000 | 100); /* MF, offset 800 */
	memset(nt.in.b + 14 + 10, 0, 2);
	{
		uint16_t check = plx_cksum_ip4(nt.in.b + 14, 20);

		memcpy(nt.in.b + 14 + 10, &check, 2);
	}
	nt_feed(0);
	nt_run();
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 63 +800 proto 17 len 576");
	nt_out(1, "ip 10.0.0.1 > 10.1.0.1 ttl 63 +1376 proto 17 len 224");
	nt_none();
}

T(what_is_never_forwarded)
{
	static const char *const never[] = {
		"ip 169.254.0.1 > 10.1.0.1 udp 1 > 2 len 9",
		"ip 10.0.0.1 > 169.254.0.1 udp 1 > 2 len 9",
		"ip 10.0.0.1 > 250.0.0.1 udp 1 > 2 len 9",
		"to ff:ff:ff:ff:ff:ff ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9",
		"ip 2001:db8::1 > fe80::99 udp 1 > 2 len 9",
	};

	nt_router();
	for (unsigned int i = 0; i < PLX_DIM(never); i++) {
		nt_in(0, never[i]);
		nt_drop(PLX_DROP_IP_FWD_REFUSED);
		nt_none();
	}
	nt_in(0, "ip fe80::1 > 2001:db8:1::1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP_FWD_REFUSED);
	/* beyond the scope of its source (RFC 4443 3.1); first we ask who that is */
	nt_out(0, "ip fe80::ff:fe00:2 > ff02::1:ff00:1 nd ns fe80::1 slla 02:00:00:00:00:02");
	nt_in(0, "ip fe80::1 > fe80::ff:fe00:2 nd na fe80::1 solicited override tlla "
		 "02:00:00:00:00:01");
	nt_out(0, "ip fe80::ff:fe00:2 > fe80::1 icmp unreach 2 quote 57");
	nt_none();
}

T(strange_sources_and_destinations)
{
	nt_router();
	nt_in(0, "ip 127.0.0.1 > 10.1.0.1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP4_MARTIAN_SRC);
	nt_in(0, "ip 0.0.0.1 > 10.1.0.1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP4_MARTIAN_SRC);
	nt_in(0, "ip 10.0.0.1 > 127.0.0.1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP4_MARTIAN_DST);
	nt_in(0, "ip 10.0.0.1 > 0.0.0.0 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP4_MARTIAN_DST);
	nt_in(0, "ip ::1 > 2001:db8:1::1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP6_MARTIAN_SRC);
	nt_in(0, "ip 2001:db8::1 > ::1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP6_MARTIAN_DST);
	nt_in(0, "ip 2001:db8::1 > ff01::1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP6_MARTIAN_DST);
	nt_none();
}

/* The next hop does not answer: the sender hears of it (RFC 1812 5.2.7.1). */
T(next_hop_is_silent)
{
	nt_router();
	nt_in(0, "ip 10.0.0.1 > 10.1.0.77 udp 1 > 2 len 9");
	nt_out(1, "arp who-has 10.1.0.77 tell 10.1.0.2");
	nt_sleep(PLX_SEC(4));
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 1 quote 37");
	nt_drop(PLX_DROP_NEIGH_FAILED);
	nt_forget();
	nt_in(0, "ip 2001:db8::1 > 2001:db8:1::77 udp 1 > 2 len 9");
	nt_sleep(PLX_SEC(4));
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp unreach 3 quote 57");
	nt_drop(PLX_DROP_NEIGH_FAILED);
}

/*
 * Senders that are strangers themselves: telling them needs neighbours that do not answer either.
 * It must come to an end, and all be dropped.
 */
T(next_hops_and_senders_are_all_silent)
{
	nt_router();
	nt_tun(PLX_TUN_ICMP_RATELIMIT, 0);
	nt_tun(PLX_TUN_ICMP_MSGS_BURST, 10000);
	for (int i = 0; i < 200; i++) {
		char text[80];

		snprintf(text, sizeof(text), "ip 10.0.0.%d > 10.1.0.%d udp 1 > 2 len 9", i + 10,
			i + 10);
		nt_make(0, text);
		nt_feed(0);
	}
	nt_sleep(PLX_SEC(4));
	nt_sleep(PLX_SEC(4));
	nt_forget();
	nt_drops(PLX_DROP_NEIGH_FAILED, 400); /* the packets, and the errors about them */
	eq(plx_net_held(nt.net), 0);
}

T(stops_while_forwarded_packets_wait)
{
	nt_router();
	nt_in(0, "ip 10.0.0.77 > 10.1.0.77 udp 1 > 2 len 9");
	nt_forget();
	plx_engine_step_end(nt.eng);
	nt_drop(PLX_DROP_STOPPED);
	nt_none();
}

T(mtu_of_a_route)
{
	struct plx_net_route r = {
		.dst = t_prefix("10.5.0.0/16"), .via = t_addr("10.1.0.1"), .mtu = 67};

	nt_router();
	eq(plx_net_route_add(nt.net, &r), -EINVAL);
	r.mtu = 1000;
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_in(0, "ip 10.0.0.1 > 10.5.0.1 df udp 1 > 2 len 1000");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 4 rest 1000 quote 548");
	nt_drop(PLX_DROP_IP_TOO_BIG);
	nt_in(0, "ip 10.0.0.1 > 10.5.0.1 df udp 1 > 2 len 900");
	nt_out(1, "ip 10.0.0.1 > 10.5.0.1 ttl 63 df udp 1 > 2 len 900");
	nt_none();
}

static unsigned int n_shown;

static void on_show(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	eq(s->point, PLX_PKT_AT_FWD);
	eq(rte_pktmbuf_mtod_offset(pkts[0], const uint8_t *, 8)[0], 64); /* as it came */
	n_shown += n;
}

T(shows_what_goes_on)
{
	const struct plx_pkt_watch w = {.see = on_show};
	unsigned int lcore;

	nt_router();
	lcore = plx_engine_softnet(nt.eng, 0)->lcore;
	n_shown = 0;
	plx_pkt_watch_set(lcore, PLX_PKT_AT_FWD, &w);
	eq(plx_net_if_set_mtu(nt.net, 2, 600), 0);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9");
	eq(n_shown, 1);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 1300"); /* in pieces */
	eq(n_shown, 2);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 df udp 1 > 2 len 1300");
	nt_drop(PLX_DROP_IP_TOO_BIG);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 ttl 1 udp 1 > 2 len 9");
	nt_drop(PLX_DROP_IP_TTL);
	eq(n_shown, 2);
	plx_pkt_watch_set(lcore, PLX_PKT_AT_FWD, NULL);
	nt_forget();
}

RUN_EAL(NT_(forwards), NT_(not_without_being_told), NT_(time_exceeded), NT_(no_route),
	NT_(unreachable_tells_and_a_black_hole_does_not), NT_(too_big), NT_(fragments_what_may_be),
	NT_(fragments_a_fragment), NT_(what_is_never_forwarded),
	NT_(strange_sources_and_destinations), NT_(next_hop_is_silent),
	NT_(next_hops_and_senders_are_all_silent), NT_(stops_while_forwarded_packets_wait),
	NT_(mtu_of_a_route), NT_(shows_what_goes_on))
