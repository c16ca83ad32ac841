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

/* One by one, and each is in use at once; the way the others go is not disturbed. */
T(thousands_of_routes)
{
	struct plx_net_route r = {.proto = PLX_NET_PROTO_STATIC}, x;
	uint32_t cursor = 0, n = 0;
	char text[128];

	nt_simple();
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "20.%u.%u.0/24", i >> 8, i & 255);
		r.dst = t_prefix(text);
		r.type = i % 2 ? PLX_NET_ROUTE_BLACKHOLE : PLX_NET_ROUTE_UNREACHABLE;
		eq(plx_net_route_add(nt.net, &r), 0);
		if (i % 1000 == 0) {
			snprintf(text, sizeof(text), "20.%u.%u.9", i >> 8, i & 255);
			eq(nt_send(text, 1), PLX_DROP_IP_UNREACHABLE_ROUTE);
			nt_drop(PLX_DROP_IP_UNREACHABLE_ROUTE);
		}
	}
	while (plx_net_route_next(nt.net, &cursor, &x))
		n += x.type == PLX_NET_ROUTE_BLACKHOLE;
	eq(n, 5000);
	nt_addr(1, "10.0.9.2/24"); /* a new snapshot takes them along */
	eq(nt_send("20.5.6.7", 1), PLX_DROP_IP_UNREACHABLE_ROUTE);
	nt_drop(PLX_DROP_IP_UNREACHABLE_ROUTE);
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "20.%u.%u.0/24", i >> 8, i & 255);
		r.dst = t_prefix(text);
		eq(plx_net_route_del(nt.net, &r), 0);
	}
	nt_forget();
	eq(nt_send("20.5.6.7", 1), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 20.5.6.7 df udp 9 > 9 len 1");
	for (n = cursor = 0; plx_net_route_next(nt.net, &cursor, &x);)
		n += x.type == PLX_NET_ROUTE_BLACKHOLE;
	eq(n, 0);
	nt_forget();
}

/* There is an end to it, said once it is reached, and room again afterwards. */
T(too_many_routes)
{
	struct plx_net_route r = {.type = PLX_NET_ROUTE_BLACKHOLE, .dst = {.len = 128}};
	uint32_t n = 0;

	nt_simple();
	r.dst.addr = t_addr("20.0.0.1");
	/* each in a /16 and a /24 of its own as far as that goes: as many chunks as can be */
	for (int err = 0; !err; n += !err) {
		plx_put_be16(r.dst.addr.b + 12, (uint16_t)(0x1400 + n));
		err = plx_net_route_add(nt.net, &r);
		ok(err == 0 || err == -ENOSPC);
	}
	eq(n, 15000);
	r.dst.addr = t_addr("20.0.0.1");
	eq(plx_net_route_del(nt.net, &r), 0);
	eq(plx_net_route_add(nt.net, &r), 0);
	eq(plx_net_route_add(nt.net, &r), -EEXIST);
}

/* A route by an interface that is down waits, and may go meanwhile. */
T(routes_of_an_interface_that_is_down)
{
	struct plx_net_route r = {.dst = t_prefix("20.0.0.0/8")};

	nt_simple();
	eq(plx_net_if_set_up(nt.net, 1, false), 0);
	r.iface = 1;
	r.via = t_addr("10.0.0.1");
	eq(plx_net_route_add(nt.net, &r), 0);
	r.dst = t_prefix("30.0.0.0/8");
	eq(plx_net_route_add(nt.net, &r), 0);
	eq(nt_send("20.0.0.1", 1), PLX_DROP_IP_NO_ROUTE);
	eq(plx_net_route_del(nt.net, &r), 0);
	eq(plx_net_if_set_up(nt.net, 1, true), 0);
	nt_sleep(PLX_SEC(5));
	nt_forget();
	nt_mark();
	eq(nt_send("20.0.0.1", 1), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 20.0.0.1 df udp 9 > 9 len 1");
	eq(nt_send("30.0.0.1", 1), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
}

static enum plx_drop bound(const char *dst, uint16_t iface)
{
	struct plx_softnet *sn = plx_engine_softnet(nt.eng, 0);
	const struct plx_net_udp_msg msg = {
		.dst = t_addr(dst), .sport = 9, .dport = 9, .iface = iface, .bound = true};
	enum plx_drop drop = plx_net_udp_send(sn, plx_softnet_alloc(sn), &msg);

	nt_run();
	return drop;
}

/* SO_BINDTODEVICE: only the routes of that interface count. */
T(by_one_interface_only)
{
	struct plx_net_route r = {.dst = t_prefix("0.0.0.0/0"), .metric = 7};

	nt_new(2, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(2, "10.1.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_addr(2, "2001:db8:1::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(2, "10.1.0.1");
	nt_neigh(2, "8.8.8.8");
	nt_settle();
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	eq(nt_route("20.0.0.0/8", "10.0.0.1"), 0);
	eq(bound("8.8.8.8", 1), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 8.8.8.8 df udp 9 > 9 len 0");
	/* IPv4 without a route there: a neighbour, as in Linux */
	eq(bound("8.8.8.8", 2), PLX_DROP_NONE);
	nt_out(1, "ip 10.1.0.2 > 8.8.8.8 df udp 9 > 9 len 0");
	eq(bound("2001:db8::1", 2), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	/* the second default route, though another one and a longer prefix come first */
	r.via = t_addr("10.1.0.1");
	eq(plx_net_route_add(nt.net, &r), 0);
	eq(bound("20.0.0.1", 2), PLX_DROP_NONE);
	nt_out(1, "ip 10.1.0.2 > 20.0.0.1 df udp 9 > 9 len 0");
	eq(bound("20.0.0.1", 0), PLX_DROP_NONE); /* not bound to any */
	nt_out(0, "ip 10.0.0.2 > 20.0.0.1 df udp 9 > 9 len 0");
	/* its next hop is found, too */
	eq(bound("10.1.0.7", 2), PLX_DROP_NONE);
	nt_out(1, "arp who-has 10.1.0.7 tell 10.1.0.2");
	eq(bound("10.0.0.7", 2), PLX_DROP_NONE);
	nt_out(1, "ip 10.1.0.2 > 10.0.0.7 df udp 9 > 9 len 0");
	r = (struct plx_net_route){
		.dst = t_prefix("30.0.0.0/8"), .type = PLX_NET_ROUTE_UNREACHABLE};
	eq(plx_net_route_add(nt.net, &r), 0);
	eq(bound("30.0.0.1", 2), PLX_DROP_IP_UNREACHABLE_ROUTE);
	nt_drop(PLX_DROP_IP_UNREACHABLE_ROUTE);
	nt_none();
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
	NT_(thousands_of_routes), NT_(too_many_routes), NT_(routes_of_an_interface_that_is_down),
	NT_(by_one_interface_only), NT_(what_cannot_be_a_route), NT_(sources_of_ip4),
	NT_(a_route_may_name_its_source), NT_(sources_of_ip6), NT_(broadcast_goes_to_all),
	NT_(an_interface_that_does_not_exist), NT_(addresses_while_running),
	NT_(a_network_has_one_route), NT_(frames_to_groups_are_counted),
	NT_(what_cannot_be_an_address), NT_(addresses_have_an_end))
