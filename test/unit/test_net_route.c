/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

/* Which source and next hop: what goes out tells. */

T(longest_prefix_wins)
{
	nt_simple();
	nt_neigh(1, "10.0.0.8");
	nt_neigh(1, "10.0.0.9");
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	eq(nt_route("192.168.0.0/16", "10.0.0.8"), 0);
	eq(nt_route("192.168.1.0/24", "10.0.0.9"), 0);
	{
		struct plx_mac m8 = t_mac("02:00:00:00:00:08"), m9 = t_mac("02:00:00:00:00:09");
		struct plx_addr a8 = t_addr("10.0.0.8"), a9 = t_addr("10.0.0.9");

		eq(plx_net_neigh_add(nt.net, 1, &a8, &m8), 0);
		eq(plx_net_neigh_add(nt.net, 1, &a9, &m9), 0);
		nt_run();
	}
	nt_send("192.168.1.1", 1);
	nt_out(0, "ip 10.0.0.2 > 192.168.1.1 df udp 9 > 9 len 1 to 02:00:00:00:00:09");
	nt_send("192.168.2.1", 1);
	nt_out(0, "ip 10.0.0.2 > 192.168.2.1 df udp 9 > 9 len 1 to 02:00:00:00:00:08");
	nt_send("8.8.8.8", 1);
	nt_out(0, "ip 10.0.0.2 > 8.8.8.8 df udp 9 > 9 len 1");
	nt_none();
}

T(smallest_metric_wins_then_the_oldest)
{
	struct plx_net_route r = {
		.dst = t_prefix("0.0.0.0/0"), .via = t_addr("10.0.0.9"), .metric = 5};

	nt_simple();
	nt_neigh(1, "10.0.0.9");
	eq(plx_net_route_add(nt.net, &r), 0);
	eq(plx_net_route_add(nt.net, &r), -EEXIST);
	r.metric = 1;
	r.via = t_addr("10.0.0.1");
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_send("8.8.8.8", 1);
	nt_out(0, "ip 10.0.0.2 > 8.8.8.8 df udp 9 > 9 len 1");
	eq(plx_net_route_del(nt.net, &r), 0);
	eq(plx_net_route_del(nt.net, &r), -ESRCH);
	nt_send("8.8.8.8", 1);
	nt_out(0, "ip 10.0.0.2 > 8.8.8.8 df udp 9 > 9 len 1");
	r.metric = 0;
	r.via = t_addr("0.0.0.0");
	eq(plx_net_route_del(nt.net, &r), 0); /* any of this destination */
	eq(nt_send("8.8.8.8", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
}

T(what_cannot_be_a_route)
{
	nt_simple();
	eq(nt_route("0.0.0.0/0", "10.5.0.1"), -ENETUNREACH); /* on no network of ours */
	eq(nt_route("224.0.0.0/4", "10.0.0.1"), -EINVAL);
	eq(nt_route("2001:db8:9::/48", "10.0.0.1"), -EINVAL);
	eq(nt_route("192.168.0.0/16", NULL), -ENETUNREACH);
	{
		struct plx_net_route r = {.dst = t_prefix("192.168.0.0/16"), .iface = 9};

		eq(plx_net_route_add(nt.net, &r), -ENODEV);
	}
}

/* RFC 1122 3.3.4.3: the address in the network of the next hop; nested networks by the route. */
T(sources_of_ip4)
{
	nt_new(1, 0);
	nt_addr(1, "172.16.0.2/16");
	nt_addr(1, "172.16.5.2/24");
	nt_addr(1, "10.0.0.2/8");
	nt_neigh(1, "172.16.9.1");
	nt_neigh(1, "172.16.4.1");
	nt_neigh(1, "172.16.5.1");
	nt_neigh(1, "10.0.0.1");
	nt_settle();
	nt_send("172.16.9.1", 1);
	nt_out(0, "ip 172.16.0.2 > 172.16.9.1 df udp 9 > 9 len 1");
	nt_send("172.16.4.1",
		1); /* shares more bits with the other address, in the wrong network */
	nt_out(0, "ip 172.16.0.2 > 172.16.4.1 df udp 9 > 9 len 1");
	nt_send("172.16.5.1", 1);
	nt_out(0, "ip 172.16.5.2 > 172.16.5.1 df udp 9 > 9 len 1");
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	nt_send("172.32.0.1", 1); /* by the gateway's network, not by its own bits */
	nt_out(0, "ip 10.0.0.2 > 172.32.0.1 df udp 9 > 9 len 1");
	nt_none();
}

T(a_route_may_name_its_source)
{
	struct plx_net_route r = {
		.dst = t_prefix("0.0.0.0/0"), .via = t_addr("10.0.0.1"), .src = t_addr("10.7.0.2")};
	struct plx_prefix p = t_prefix("10.7.0.2/32");

	nt_simple();
	nt_addr(1, "10.7.0.2/32");
	nt_sleep(PLX_SEC(5));
	nt_forget();
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_send("8.8.8.8", 1);
	nt_out(0, "ip 10.7.0.2 > 8.8.8.8 df udp 9 > 9 len 1");
	eq(plx_net_addr_del(nt.net, 1, &p), 0); /* no longer ours: chosen as without */
	nt_send("8.8.8.8", 1);
	nt_out(0, "ip 10.0.0.2 > 8.8.8.8 df udp 9 > 9 len 1");
	nt_none();
}

/* RFC 6724 5: scope, interface, longest prefix. */
T(sources_of_ip6)
{
	nt_new(2, 0);
	nt_addr(1, "2001:db8:1::2/64");
	nt_addr(1, "2001:db8:2::2/64");
	nt_addr(2, "2001:db8:3::2/64");
	nt_neigh(1, "2001:db8:1::1");
	nt_neigh(1, "2001:db8:2::1");
	nt_neigh(2, "2001:db8:3::1");
	nt_settle();
	nt_send("2001:db8:1::1", 1);
	nt_out(0, "ip 2001:db8:1::2 > 2001:db8:1::1 udp 9 > 9 len 1");
	nt_send("2001:db8:2::1", 1);
	nt_out(0, "ip 2001:db8:2::2 > 2001:db8:2::1 udp 9 > 9 len 1");
	nt_send("2001:db8:3::1", 1);
	nt_out(1, "ip 2001:db8:3::2 > 2001:db8:3::1 udp 9 > 9 len 1");
	nt_send("ff02::5", 1); /* of the link: from a link-local address */
	nt_out(0, "ip fe80::ff:fe00:2 > ff02::5 ttl 1 udp 9 > 9 len 1");
	nt_send("ff05::5", 1);
	nt_out(0, "ip 2001:db8:1::2 > ff05::5 ttl 1 udp 9 > 9 len 1");
	nt_none();
}

T(broadcast_goes_to_all)
{
	nt_simple();
	nt_send("255.255.255.255", 1);
	nt_out(0, "ip 10.0.0.2 > 255.255.255.255 df udp 9 > 9 len 1 to ff:ff:ff:ff:ff:ff");
	nt_send("10.0.0.255", 1);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.255 df udp 9 > 9 len 1 to ff:ff:ff:ff:ff:ff");
	nt_send("224.1.2.3", 1);
	nt_out(0, "ip 10.0.0.2 > 224.1.2.3 ttl 1 df udp 9 > 9 len 1");
	nt_none();
}

T(an_interface_that_does_not_exist)
{
	struct plx_softnet *sn;
	struct plx_net_udp_msg msg = {
		.dst = t_addr("ff02::5"), .sport = 9, .dport = 9, .iface = 63};
	struct rte_mbuf *m;

	nt_simple();
	sn = plx_engine_softnet(nt.eng, 0);
	for (int i = 0; i < 3; i++) {
		static const char *const to[] = {"ff02::5", "fe80::5", "255.255.255.255"};

		for (int far = 0; far < 2; far++) {
			msg.iface = far ? 60000 : 63;
			msg.dst = t_addr(to[i]);
			m = plx_softnet_alloc(sn);
			rte_pktmbuf_append(m, 4);
			eq(plx_net_udp_send(sn, m, &msg), PLX_DROP_IP_NO_ROUTE);
			nt_drop(PLX_DROP_IP_NO_ROUTE);
		}
	}
}

/* Addresses come and go with their routes, while it runs. */
T(addresses_while_running)
{
	struct plx_prefix p = t_prefix("10.3.0.2/24"), other = t_prefix("10.3.0.2/16");

	nt_simple();
	eq(plx_net_addr_add(nt.net, 1, &p), 0);
	eq(plx_net_addr_add(nt.net, 1, &p), -EEXIST);
	eq(plx_net_addr_add(nt.net, 2, &p), -ENODEV);
	nt_run();
	nt_out(0, "arp who-has 10.3.0.2 tell 10.3.0.2");
	nt_in(0, "arp who-has 10.3.0.2 tell 10.0.0.1");
	nt_out(0, "arp 10.3.0.2 is-at 02:00:00:00:00:02");
	eq(plx_net_addr_del(nt.net, 1, &other), -EADDRNOTAVAIL);
	eq(plx_net_addr_del(nt.net, 1, &p), 0);
	eq(plx_net_addr_del(nt.net, 1, &p), -EADDRNOTAVAIL);
	nt_in(0, "ip 10.0.0.1 > 10.3.0.2 icmp echo-request len 4");
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	eq(nt_send("10.3.0.9", 1), PLX_DROP_IP_NO_ROUTE);
	nt_sleep(PLX_SEC(5));
	nt_none();
}

/* The connected routes that there are: "PREFIX src ADDRESS", one a line. */
static const char *connected(void)
{
	static char text[512];
	struct plx_net_route r;
	uint32_t cursor = 0;
	size_t n = 0;

	text[0] = '\0';
	while (plx_net_route_next(nt.net, &cursor, &r)) {
		char dst[PLX_PREFIX_STRLEN], src[PLX_ADDR_STRLEN];

		if (r.proto != PLX_NET_PROTO_KERNEL || r.type != PLX_NET_ROUTE_UNICAST ||
			!plx_addr_is_v4(&r.dst.addr))
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s src %s\n",
			plx_prefix_format(&r.dst, dst), plx_addr_format(&r.src, src));
	}
	return text;
}

static bool secondary(const char *addr)
{
	const struct plx_prefix p = t_prefix(addr);
	struct plx_net_addr a;
	uint32_t cursor = 0;

	while (plx_net_addr_next(nt.net, &cursor, &a))
		if (plx_addr_eq(&a.prefix.addr, &p.addr))
			return a.secondary;
	fail_msg("no address %s", addr);
	return false;
}

/* As Linux: the oldest address has its network's route, the others are secondary; a longer prefix
 * is a network of its own. When it goes the next oldest has it (promote_secondaries=1). */
T(a_network_has_one_route)
{
	struct plx_prefix second = t_prefix("10.3.0.3/24"), first = t_prefix("10.3.0.2/24");

	nt_new(2, 0);
	nt_addr(1, "10.3.0.2/24");
	nt_addr(1, "10.3.0.3/24");
	nt_addr(1, "10.3.0.4/25");
	nt_addr(2, "10.3.0.5/24");
	nt_settle();
	str_eq(connected(), "10.3.0.0/24 src 10.3.0.2\n10.3.0.0/25 src 10.3.0.4\n"
			    "10.3.0.0/24 src 10.3.0.5\n");
	ok(!secondary("10.3.0.2") && secondary("10.3.0.3") && !secondary("10.3.0.4") &&
		!secondary("10.3.0.5"));
	eq(plx_net_addr_del(nt.net, 1, &first), 0);
	str_eq(connected(), "10.3.0.0/24 src 10.3.0.3\n10.3.0.0/25 src 10.3.0.4\n"
			    "10.3.0.0/24 src 10.3.0.5\n");
	eq(plx_net_addr_add(nt.net, 1, &first), 0); /* younger now, wherever it is kept */
	ok(secondary("10.3.0.2") && !secondary("10.3.0.3"));
	eq(plx_net_addr_del(nt.net, 1, &second), 0);
	ok(!secondary("10.3.0.2"));
}

T(frames_to_groups_are_counted)
{
	nt_simple();
	nt_in(0, "to 01:00:5e:00:00:01 ip 10.0.0.1 > 224.0.0.1 udp 1 > 2 len 1");
	nt_in(0, "to 33:33:00:00:00:99 ip fe80::1 > ff02::99 udp 1 > 2 len 1");
	nt_in(0, "to ff:ff:ff:ff:ff:ff ip 10.0.0.1 > 10.0.0.255 udp 1 > 2 len 1");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 1");
	eq(plx_engine_softnet(nt.eng, 0)->rx_mcast[0], 2);
	nt_forget();
}

T(what_cannot_be_an_address)
{
	static const char *const bad[] = {"0.0.0.0/8", "224.0.0.1/24", "127.0.0.1/8", "255.0.0.1/8",
		"::/64", "ff02::1/64", "::1/128"};

	nt_simple();
	for (unsigned int i = 0; i < PLX_DIM(bad); i++) {
		struct plx_prefix p = t_prefix(bad[i]);

		eq(plx_net_addr_add(nt.net, 1, &p), -EINVAL);
	}
}

T(addresses_have_an_end)
{
	struct plx_prefix p = t_prefix("10.0.0.0/8");
	int n = 0, err;

	nt_simple();
	do {
		plx_put_be32(p.addr.b + 12, 0x0a010000u + (uint32_t)n + 1);
		err = plx_net_addr_add(nt.net, 1, &p);
		n += err == 0;
	} while (!err);
	eq(err, -ENOSPC);
	eq(n, 256 - 3);
	nt_sleep(PLX_SEC(5));
	nt_in(0, "ip 10.0.0.1 > 10.1.0.200 icmp echo-request len 4");
	nt_forget();
	nt_no_drop();
}

RUN_EAL(NT_(longest_prefix_wins), NT_(smallest_metric_wins_then_the_oldest),
	NT_(what_cannot_be_a_route), NT_(sources_of_ip4), NT_(a_route_may_name_its_source),
	NT_(sources_of_ip6), NT_(broadcast_goes_to_all), NT_(an_interface_that_does_not_exist),
	NT_(addresses_while_running), NT_(a_network_has_one_route),
	NT_(frames_to_groups_are_counted), NT_(what_cannot_be_an_address),
	NT_(addresses_have_an_end))
