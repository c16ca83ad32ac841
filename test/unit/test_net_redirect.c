/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

/* On the link: 10.0.0.1 and fe80::1, the gateways (the peer); 10.0.0.3 and fe80::3, better ones. */
#define OTHER	    "02:00:00:00:00:03"
#define TO_10_0_0_3 "icmp redirect 1 rest 167772163 quote 28"
#define FAR4	    "192.0.2.9"
#define FAR6	    "2001:db8:9::9"

static struct nt_sock sock;

static void other(uint16_t iface, const char *addr)
{
	struct plx_addr a = t_addr(addr);
	struct plx_mac mac = t_mac(OTHER);

	eq(plx_net_neigh_add(nt.net, iface, &a, &mac), 0);
}

static void host(void)
{
	struct plx_net_route r = {.dst = t_prefix("::/0"), .via = t_addr("fe80::1"), .iface = 1};

	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "fe80::1");
	other(1, "10.0.0.3");
	other(1, "fe80::3");
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS, 1);
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS6, 1);
	nt_settle();
	eq(nt_open(&sock, 9, 0), 0);
}

/* A datagram to far goes by the gateway, or by the other one. */
static void goes4(const char *to)
{
	char text[128];

	eq(nt_send(FAR4, 4), PLX_DROP_NONE);
	snprintf(text, sizeof(text), "ip 10.0.0.2 > " FAR4 " df udp 9 > 9 len 4%s", to);
	nt_out(0, text);
	nt_none();
}

static void goes6(const char *to)
{
	char text[128];

	eq(nt_send(FAR6, 4), PLX_DROP_NONE);
	snprintf(text, sizeof(text), "ip 2001:db8::2 > " FAR6 " udp 9 > 9 len 4%s", to);
	nt_out(0, text);
	nt_none();
}

T(a_redirect_is_followed_for_its_time)
{
	host();
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_no_drop();
	goes4(" to " OTHER);
	eq(sock.errors, 0);			     /* nothing that a program should know */
	eq(nt_send("192.0.2.10", 4), PLX_DROP_NONE); /* for one destination */
	nt_out(0, "ip 10.0.0.2 > 192.0.2.10 df udp 9 > 9 len 4");
	nt_sleep(PLX_SEC(299));
	goes4(" to " OTHER);
	nt_sleep(PLX_SEC(2));
	goes4("");
	eq(nt_stat(PLX_STAT_ICMP_INREDIRECTS), 1);
	nt_tun(PLX_TUN_ROUTE_GC_TIMEOUT, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	goes4(" to " OTHER);
	nt_sleep(PLX_MS(1001));
	goes4("");
	nt_tun(PLX_TUN_ROUTE_GC_TIMEOUT, 86400);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_sleep(PLX_SEC(86399));
	goes4(" to " OTHER);
	nt_sleep(PLX_SEC(2));
	goes4("");
	nt_tun(PLX_TUN_ROUTE_GC_TIMEOUT, 5);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_sleep(PLX_SEC(4));
	goes4(" to " OTHER);
	nt_sleep(PLX_SEC(2));
	goes4("");
}

T(a_redirect_is_followed_for_its_time_ipv6)
{
	host();
	goes6("");
	nt_in(0, "ip fe80::1 > 2001:db8::2 nd redirect " FAR6 " > fe80::3");
	nt_no_drop();
	goes6(" to " OTHER);
	nt_sleep(PLX_SEC(301));
	goes6("");
	/* to the destination itself, whose MAC it says */
	nt_in(0, "ip fe80::1 > 2001:db8::2 nd redirect " FAR6 " > " FAR6 " tlla " OTHER);
	nt_no_drop();
	goes6(" to " OTHER);
	eq(nt_stat(PLX_STAT_ICMP6_INREDIRECTS), 2);
}

/* A path MTU and a redirect of the same destination do not forget each other. */
T(with_a_path_mtu)
{
	host();
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 4 rest 1200 quote 28");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	eq(nt_send(FAR4, 1300), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > " FAR4 " +0 proto 17 len 1176 to " OTHER);
	nt_out(0, "ip 10.0.0.2 > " FAR4 " @1176 proto 17 len 132 to " OTHER);
	nt_sleep(PLX_SEC(301));
	eq(nt_send(FAR4, 1300), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > " FAR4 " +0 proto 17 len 1176");
	nt_out(0, "ip 10.0.0.2 > " FAR4 " @1176 proto 17 len 132");
	nt_sleep(PLX_SEC(300));
	eq(nt_send(FAR4, 1300), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > " FAR4 " df udp 9 > 9 len 1300");
	nt_no_drop();
}

T(not_unless_it_is_wanted)
{
	host();
	goes4("");
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS, 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_drop(PLX_DROP_ICMP_REDIRECT);
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS, 1);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_drop(PLX_DROP_ICMP_REDIRECT);
	goes4("");
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS6, 0);
	nt_in(0, "ip fe80::1 > 2001:db8::2 nd redirect " FAR6 " > fe80::3");
	nt_drop(PLX_DROP_ICMP_REDIRECT);
	nt_tun(PLX_TUN_ACCEPT_REDIRECTS6, 1);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_in(0, "ip fe80::1 > 2001:db8::2 nd redirect " FAR6 " > fe80::3");
	nt_drop(PLX_DROP_ICMP_REDIRECT);
	goes6("");
	eq(nt_stat(PLX_STAT_ICMP_INREDIRECTS), 2);
	eq(nt_stat(PLX_STAT_ICMP6_INREDIRECTS), 2);
}

T(only_from_the_gateway_to_a_neighbour)
{
	static const char *const bad[] = {
		"ip 10.0.0.4 > 10.0.0.2 " TO_10_0_0_3, /* from who is not our gateway */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 3232235777 quote 28", /* 192.168.1.1 */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 167772161 quote 28",  /* to itself */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 167772162 quote 28",  /* to us */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 167772415 quote 28",  /* 10.0.0.255 */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 3758096385 quote 28", /* 224.0.0.1 */
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 quote 28",
		"ip 10.0.0.1 > 10.0.0.2 icmp redirect 4 rest 167772163 quote 28", /* no such code */
		"ip fe80::4 > 2001:db8::2 nd redirect " FAR6 " > fe80::3",
		"ip fe80::1 > 2001:db8::2 nd redirect " FAR6 " > fe80::1",
		"ip fe80::1 > 2001:db8::2 nd redirect 2001:db8::7 > fe80::3", /* on the link */
		"ip fe80::1 > 2001:db8::2 nd redirect 2001:db8::2 > fe80::3", /* that's us */
	};

	host();
	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		goes4("");
		nt_in(0, bad[i]);
		nt_drop(PLX_DROP_ICMP_REDIRECT_BAD);
	}
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 167772163 quote 27");
	nt_drop(PLX_DROP_ICMP_QUOTE);
	plx_net_udp_close(nt.net, &sock.s); /* nobody sent that */
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	goes4("");
	goes6("");
}

/* Sent on once more, and back again; and what a new route makes of it. */
T(the_last_word_counts)
{
	struct plx_net_route r = {.dst = t_prefix("0.0.0.0/0")};

	host();
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	goes4(" to " OTHER);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3); /* no gateway of ours any more */
	nt_drop(PLX_DROP_ICMP_REDIRECT_BAD);
	nt_in(0, "ip 10.0.0.3 > 10.0.0.2 icmp redirect 1 rest 167772161 quote 28");
	nt_no_drop();
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 " TO_10_0_0_3);
	goes4(" to " OTHER);
	nt_neigh(1, "10.0.0.5");
	eq(plx_net_route_del(nt.net, &r), 0);
	eq(nt_route("0.0.0.0/0", "10.0.0.5"), 0);
	goes4("");
	/* routed to where the redirect had sent us, and from there elsewhere */
	eq(plx_net_route_del(nt.net, &r), 0);
	eq(nt_route("0.0.0.0/0", "10.0.0.3"), 0);
	goes4(" to " OTHER);
	nt_in(0, "ip 10.0.0.3 > 10.0.0.2 icmp redirect 1 rest 167772161 quote 28");
	nt_no_drop();
	goes4("");
}

/* A gateway that does not answer is given up, as quickly as a neighbour is. */
T(to_a_gateway_that_is_not_there)
{
	host();
	goes4("");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 rest 167772164 quote 28");
	eq(nt_send(FAR4, 4), PLX_DROP_NONE);
	nt_out(0, "arp who-has 10.0.0.4 tell 10.0.0.2");
	nt_sleep(PLX_SEC(4));
	nt_drop(PLX_DROP_NEIGH_FAILED);
	eq(nt_forget(), 2);
	goes4("");
}

/* ---- sent ---- */

static void router(void)
{
	struct plx_net_route r = {
		.dst = t_prefix("2001:db8:9::/48"), .via = t_addr("fe80::3"), .iface = 1};

	nt_new(2, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	other(1, "10.0.0.3");
	other(1, "fe80::3");
	eq(nt_route("192.0.2.0/24", "10.0.0.3"), 0);
	eq(nt_route("192.0.3.0/24", "10.0.0.1"), 0);
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_settle();
}

static void forwarded4(void)
{
	nt_in(0, "ip 10.0.0.1 > " FAR4 " udp 1 > 2 len 4");
}

static void forwarded6(void)
{
	nt_in(0, "ip 2001:db8::1 > " FAR6 " udp 1 > 2 len 4");
}

T(who_could_go_straight_is_told)
{
	router();
	forwarded4();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp redirect 1 rest 167772163 quote 32");
	nt_out(0, "ip 10.0.0.1 > " FAR4 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	nt_none();
	forwarded6();
	nt_out(0, "ip fe80::ff:fe00:2 > 2001:db8::1 nd redirect " FAR6 " > fe80::3 tlla " OTHER);
	nt_out(0, "ip 2001:db8::1 > " FAR6 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_ICMP_OUTREDIRECTS), 1);
	eq(nt_stat(PLX_STAT_ICMP6_OUTREDIRECTS), 1);
	eq(nt_stat(PLX_STAT_ICMP_OUTMSGS), 1);
}

/* RFC 4861 8.2: as much of the packet as fits the minimum MTU, in units of 8 bytes. */
T(the_packet_is_quoted)
{
	router();
	nt_in(0, "ip 2001:db8::1 > " FAR6 " udp 1 > 2 len 1300");
	ok(nt_sent(0));
	eq(nt.last_bytes, 1280);
	eq(nt.last[88], 4); /* behind the fixed part and the MAC: the option */
	eq(nt.last[89], (1280 - 88) / 8);
	eq(plx_get_be16(nt.last + 96 + 4), 1308); /* the quoted header's length */
	eq(nt.last[96 + 7], 64);
	nt_out(0, "ip 2001:db8::1 > " FAR6 " ttl 63 udp 1 > 2 len 1300 to " OTHER);
}

T(nobody_else_is_told)
{
	router();
	nt_tun(PLX_TUN_SEND_REDIRECTS, 0);
	forwarded4();
	nt_out(0, "ip 10.0.0.1 > " FAR4 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	nt_tun(PLX_TUN_SEND_REDIRECTS, 1);
	/* not a neighbour: it came by a router */
	nt_in(0, "ip 192.0.3.1 > " FAR4 " udp 1 > 2 len 4");
	nt_out(0, "ip 192.0.3.1 > " FAR4 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	nt_in(0, "ip 2001:db8:8::1 > " FAR6 " udp 1 > 2 len 4");
	nt_out(0, "ip 2001:db8:8::1 > " FAR6 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	/* from another link */
	nt_in(1, "ip 10.1.0.1 > " FAR4 " udp 1 > 2 len 4");
	nt_out(0, "ip 10.1.0.1 > " FAR4 " ttl 63 udp 1 > 2 len 4 to " OTHER);
	/* about an error there is no error (RFC 1122 3.2.2) */
	nt_in(0, "ip 10.0.0.1 > " FAR4 " icmp unreach 3 len 28");
	nt_out(0, "ip 10.0.0.1 > " FAR4 " ttl 63 icmp unreach 3 quote 28 to " OTHER);
	nt_none();
	eq(nt_stat(PLX_STAT_ICMP_OUTREDIRECTS), 0);
	eq(nt_stat(PLX_STAT_ICMP6_OUTREDIRECTS), 0);
}

static unsigned int redirects(void)
{
	const char *text;
	unsigned int n = 0;

	while ((text = nt_sent(0)))
		n += strstr(text, "redirect") != NULL;
	return n;
}

/* Nine, each pause twice as long as the one before, then none until it has been still. */
T(who_does_not_listen_is_left_alone)
{
	unsigned int n = 0;

	router();
	forwarded4();
	eq(redirects(), 1);
	nt_sleep(PLX_MS(40));
	forwarded4();
	eq(redirects(), 0);
	nt_sleep(PLX_MS(1));
	forwarded4();
	eq(redirects(), 1);
	nt_sleep(PLX_MS(79));
	forwarded4();
	eq(redirects(), 0);
	for (int i = 0; i < 600; i++) {
		nt_sleep(PLX_MS(100));
		forwarded4();
		n += redirects();
	}
	eq(n, 7);
	nt_sleep(PLX_SEC(21));
	forwarded4();
	eq(redirects(), 1);
	forwarded6();
	eq(redirects(), 1);
	forwarded6();
	eq(redirects(), 0);
}

RUN_EAL(NT_(a_redirect_is_followed_for_its_time), NT_(a_redirect_is_followed_for_its_time_ipv6),
	NT_(with_a_path_mtu), NT_(not_unless_it_is_wanted),
	NT_(only_from_the_gateway_to_a_neighbour), NT_(the_last_word_counts),
	NT_(to_a_gateway_that_is_not_there), NT_(who_could_go_straight_is_told),
	NT_(the_packet_is_quoted), NT_(nobody_else_is_told), NT_(who_does_not_listen_is_left_alone))
