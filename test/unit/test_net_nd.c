/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

#define US   "02:00:00:00:00:02"
#define PEER "02:00:00:00:00:01"
#define LL   "fe80::ff:fe00:2" /* of 02:00:00:00:00:02 */
#define R1   "fe80::1"

/* From silence on: what a new interface says. */
T(comes_up)
{
	int ns = 0, rs = 0, mld = 0, mld_any = 0;
	const char *s;

	nt_new(1, 0);
	nt_start();
	nt_sleep(PLX_SEC(30));
	while ((s = nt_sent(0))) {
		if (strstr(s, "nd ns " LL)) {
			str_eq(s, "ip :: > ff02::1:ff00:2 nd ns " LL);
			eq(mld_any + mld > 0,
				true); /* the group is joined first (RFC 4862 5.4.2) */
			ns++;
		} else if (strstr(s, "nd rs")) {
			ok(strstr(s, "ip :: >") || strstr(s, "ip " LL " >"));
			rs++;
		} else if (strstr(s, "ip :: > ff02::16")) {
			mld_any++;
		} else if (strstr(s, "ip " LL " > ff02::16")) {
			mld++;
		} else if (strstr(s, "nd na " LL)) { /* it is ours now (RFC 9131) */
			str_eq(s, "ip " LL " > ff02::1 nd na " LL " override tlla " US);
			eq(ns, 1);
		} else {
			fail_msg("%s", s);
		}
	}
	eq(ns, 1);
	eq(rs, 3);
	ok(mld_any >= 1);
	ok(mld >= 1); /* once more with an address that routers accept (RFC 3590) */
}

T(answers_solicitations)
{
	nt_simple();
	nt_in(0, "ip " R1 " > ff02::1:ff00:2 nd ns 2001:db8::2 slla " PEER);
	nt_out(0, "ip 2001:db8::2 > " R1 " nd na 2001:db8::2 solicited override tlla " US);
	nt_in(0, "ip :: > ff02::1:ff00:2 nd ns 2001:db8::2"); /* somebody's duplicate detection */
	nt_out(0, "ip 2001:db8::2 > ff02::1 nd na 2001:db8::2 override tlla " US);
	nt_no_drop();
	nt_in(0, "ip " R1 " > ff02::1:ff00:2 nd ns 2001:db8::5:2 slla " PEER);
	nt_drop(PLX_DROP_ND_IGNORED);
	nt_in(0, "ip " R1 " > ff02::1:ff00:2 ttl 254 nd ns 2001:db8::2 slla " PEER);
	nt_drop(PLX_DROP_ND_HOPLIMIT);
	nt_none();
}

/* RFC 4861 7.2.3: the target is an address of the interface that was asked. */
T(not_for_addresses_of_other_interfaces)
{
	nt_new(2, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_addr(2, "2001:db8:1::2/64");
	nt_settle();
	nt_in(0, "ip " R1 " > ff02::1:ff00:2 nd ns 2001:db8:1::2 slla " PEER);
	nt_drop(PLX_DROP_ND_IGNORED);
	nt_none();
}

T(a_duplicate_is_not_used)
{
	nt_new(1, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_start();
	nt_in(0, "ip " R1 " > ff02::1 nd na 2001:db8::2 override tlla " PEER);
	nt_sleep(PLX_SEC(10));
	nt_forget();
	nt_mark();
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	nt_in(0, "ip " R1 " > ff02::1:ff00:2 nd ns 2001:db8::2 slla " PEER);
	nt_drop(PLX_DROP_ND_IGNORED);
	nt_none();
}

/*
 * The link-local address is made from the MAC: then the MAC is not ours alone. With Linux's default
 * (accept_dad 1) the address is given up and the others go on; RFC 4862 5.4.5 would disable IPv6.
 */
T(a_duplicate_of_the_mac_address_is_given_up_alone)
{
	struct plx_net_addr a;
	uint32_t cursor = 0;

	nt_new(1, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_start();
	nt_in(0, "ip " LL " > ff02::1 nd na " LL " override tlla " PEER);
	nt_sleep(PLX_SEC(10));
	ok(plx_net_addr_next(nt.net, &cursor, &a));
	ok(plx_addr_is_linklocal(&a.prefix.addr));
	eq(a.state, PLX_NET_ADDR_DUPLICATE);
	nt_forget();
	nt_mark();
	nt_neigh(1, "2001:db8::1");
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4");
	nt_in(0, "ip fe80::1 > " LL " icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	nt_none();
}

T(resolves)
{
	nt_simple();
	nt_send("2001:db8::7", 1);
	nt_out(0, "ip 2001:db8::2 > ff02::1:ff00:7 nd ns 2001:db8::7 slla " US);
	nt_in(0, "ip 2001:db8::7 > 2001:db8::2 nd na 2001:db8::7 solicited override tlla " PEER);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::7 udp 9 > 9 len 1");
	nt_none();
	nt_no_drop();
}

/* ---- routers ---- */

static void router_says(const char *router, const char *more)
{
	char text[256];

	snprintf(text, sizeof(text), "ip %s > ff02::1 nd ra slla " PEER " %s", router, more);
	nt_in(0, text);
}

T(a_router_gives_prefix_and_way)
{
	uint32_t cursor = 0;
	struct plx_net_addr a;
	bool found = false;

	nt_new(1, 0);
	nt_settle();
	router_says(R1, "lifetime 1800 prefix 2001:db8:5::/64");
	nt_sleep(PLX_SEC(5)); /* its address is probed */
	nt_forget();
	nt_no_drop();
	while (plx_net_addr_next(nt.net, &cursor, &a))
		if (a.dynamic) {
			found = true;
			eq(a.state, PLX_NET_ADDR_VALID);
			ok(a.valid_until > nt.now && a.valid_until <= nt.now + PLX_SEC(3600));
		}
	ok(found);
	nt_send("2001:db8:9::9", 1);
	nt_out(0, "ip 2001:db8:5::ff:fe00:2 > 2001:db8:9::9 udp 9 > 9 len 1");
	router_says(R1, "lifetime 0");
	eq(nt_send("2001:db8:9::9", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	nt_sleep(PLX_SEC(1801)); /* deprecated, then gone */
	nt_neigh(1, "2001:db8:5::7");
	nt_send("2001:db8:5::7", 1);
	nt_forget();
	nt_sleep(PLX_SEC(1801));
	cursor = 0;
	while (plx_net_addr_next(nt.net, &cursor, &a))
		ok(!a.dynamic);
}

static uint8_t dynamic_state(void)
{
	uint32_t cursor = 0;
	struct plx_net_addr a;

	while (plx_net_addr_next(nt.net, &cursor, &a))
		if (a.dynamic)
			return a.state;
	return UINT8_MAX;
}

/* Said while the address was probed, it holds when it is ours; and when it is probed anew. */
T(a_prefix_that_is_no_longer_preferred)
{
	nt_new(1, 0);
	nt_settle();
	router_says(R1, "lifetime 1800 prefix 2001:db8:5::/64 preferred 0");
	nt_sleep(PLX_SEC(5));
	eq(dynamic_state(), PLX_NET_ADDR_DEPRECATED);
	for (int up = 0; up < 2; up++) {
		nt.port[0].port->lost_link = !up;
		nt_sleep(PLX_MS(110)); /* looked at ten times a second */
		nt_sleep(PLX_SEC(5));
	}
	eq(dynamic_state(), PLX_NET_ADDR_DEPRECATED);
	router_says(R1, "lifetime 1800 prefix 2001:db8:5::/64");
	eq(dynamic_state(), PLX_NET_ADDR_VALID);
	nt_forget();
}

/* What we send to all nodes comes back to us, and is no news. */
T(our_own_advertisement_is_not_believed)
{
	struct plx_softnet *sn;
	struct rte_mbuf *m;
	struct plx_ip ip = {.src = t_addr("fe80::ff:fe00:2"),
		.dst = t_addr("ff02::1"),
		.proto = PLX_IPPROTO_ICMP6,
		.ttl = PLX_ND_HOP_LIMIT};
	struct plx_nd nd = {.type = PLX_ICMP6_RA, .lifetime_s = 1800};

	nt_simple();
	sn = plx_engine_softnet(nt.eng, 0);
	m = plx_softnet_alloc(sn);
	rte_pktmbuf_append(m, (uint16_t)plx_wire_nd_emit(rte_pktmbuf_mtod(m, void *), &nd));
	plx_wire_l4_cksum_fill(
		&ip.src, &ip.dst, PLX_IPPROTO_ICMP6, rte_pktmbuf_mtod(m, void *), m->pkt_len);
	eq(plx_net_ip_send(sn, m, &ip, 1), PLX_DROP_NONE);
	nt_run();
	nt_drop(PLX_DROP_ND_IGNORED);
	nt_forget();
	eq(nt_send("2001:db8:9::9", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
}

/* Two routers: when one goes the other is there. */
T(two_routers)
{
	nt_new(1, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_settle();
	nt_in(0, "from 02:00:00:00:00:77 ip fe80::7 > ff02::1 nd ra slla 02:00:00:00:00:77 "
		 "lifetime 100");
	router_says(R1, "lifetime 1800");
	nt_neigh(1, R1);
	nt_forget();
	nt_send("2001:db8:9::9", 1);
	nt_out(0, "ip 2001:db8::2 > 2001:db8:9::9 udp 9 > 9 len 1 to 02:00:00:00:00:77");
	nt_sleep(PLX_SEC(101));
	nt_forget();
	nt_send("2001:db8:9::9", 1);
	nt_out(0, "ip 2001:db8::2 > 2001:db8:9::9 udp 9 > 9 len 1");
}

/* What an operator has set stays when a router that said the same goes. */
T(a_router_takes_only_its_own_route)
{
	nt_new(1, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_settle();
	{
		struct plx_net_route r = {.dst = t_prefix("::/0"),
			.via = t_addr(R1),
			.iface = 1,
			.proto = PLX_NET_PROTO_STATIC,
			.metric = 5000};

		eq(plx_net_route_add(nt.net, &r), 0);
	}
	router_says(R1, "lifetime 1800");
	router_says(R1, "lifetime 0");
	nt_forget();
	nt_send("2001:db8:9::9", 1);
	nt_out(0, "ip 2001:db8::2 > 2001:db8:9::9 udp 9 > 9 len 1");
}

T(no_router_is_believed_unless_accepted)
{
	nt_new(1, 0);
	nt_tun(PLX_TUN_ACCEPT_RA, 0);
	nt_addr(1, "2001:db8::2/64");
	nt_settle();
	router_says(R1, "lifetime 1800 prefix 2001:db8:5::/64");
	nt_drop(PLX_DROP_ND_IGNORED);
	eq(nt_send("2001:db8:9::9", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
}

T(an_advertised_mtu_is_obeyed)
{
	nt_simple();
	router_says(R1, "mtu 1300");
	nt_forget();
	nt_send("2001:db8::1", 1300);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 +0 proto 17 len 1248");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 @1248 proto 17 len 60");
	router_says(R1, "mtu 1279"); /* below what IPv6 needs */
	nt_forget();
	nt_send("2001:db8::1", 1300);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 +0 proto 17 len 1248");
	nt_forget();
	nt_send("10.0.0.1", 1472); /* IPv4 has its own */
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1472");
	router_says(R1, "mtu 1501"); /* above what the link takes */
	router_says(R1, "mtu 1500");
	nt_forget();
	nt_send("2001:db8::1", 1452);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1452");
	router_says(R1, "mtu 1300"); /* until the link itself changes, or goes */
	nt_forget();
	eq(plx_net_if_set_mtu(nt.net, 1, 1400), 0);
	nt_send("2001:db8::1", 1352);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1352");
	router_says(R1, "mtu 1500");
	router_says(R1, "mtu 1300");
	nt_forget();
	nt_send("2001:db8::1", 1352);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 +0 proto 17 len 1248");
	eq(nt_forget(), 1);
	nt_no_drop();
}

/* Packets to ourselves can look like anything; they reach no machine of an interface. */
T(what_we_send_to_ourselves_is_no_news)
{
	struct plx_softnet *sn;

	nt_simple();
	sn = plx_engine_softnet(nt.eng, 0);
	nt_make(0, "ip " LL " > " LL " nd ra lifetime 1800");
	for (int i = 0; i < 2; i++) {
		struct rte_mbuf *m = plx_softnet_alloc(sn);
		struct plx_ip ip = {.src = t_addr(i ? "10.0.0.2" : LL),
			.dst = t_addr(i ? "10.0.0.2" : LL),
			.proto = i ? PLX_IPPROTO_IGMP : PLX_IPPROTO_ICMP6,
			.ttl = 255};
		uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 16);

		if (i) { /* an IGMPv1 query */
			memset(p, 0, 16);
			p[0] = 0x11;
			rte_pktmbuf_trim(m, 8);
			plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, p, 8);
		} else {
			memcpy(p, nt.in.b + 54, 16);
		}
		eq(plx_net_ip_send(sn, m, &ip, 0), PLX_DROP_NONE);
		nt_run();
		if (i)
			nt_no_drop();
		else
			nt_drop(PLX_DROP_ND_IGNORED);
	}
	eq(nt_send("2001:db8:9::9", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
}

RUN_EAL(NT_(comes_up), NT_(answers_solicitations), NT_(not_for_addresses_of_other_interfaces),
	NT_(a_duplicate_is_not_used), NT_(a_duplicate_of_the_mac_address_is_given_up_alone),
	NT_(resolves), NT_(a_router_gives_prefix_and_way),
	NT_(a_prefix_that_is_no_longer_preferred), NT_(our_own_advertisement_is_not_believed),
	NT_(two_routers), NT_(a_router_takes_only_its_own_route),
	NT_(no_router_is_believed_unless_accepted), NT_(an_advertised_mtu_is_obeyed),
	NT_(what_we_send_to_ourselves_is_no_news))
