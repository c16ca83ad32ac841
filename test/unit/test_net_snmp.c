/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

/*
 * The counters of /proc/net/snmp and snmp6, each by what makes it grow. What other tests of the
 * stack assert beside what they are about is not repeated here.
 */

#define ST(x)	 PLX_STAT_##x
#define COUNTERS 4 /* at most, of one frame; 0 (IP_INRECEIVES) ends them */

struct row {
	const char *frame;
	uint8_t grow[COUNTERS];
};

/* Each frame comes in at port 0, and each of its counters grows by one. */
static void counts(const struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		nt_mark();
		nt_in(0, r[i].frame);
		for (int k = 0; k < COUNTERS && r[i].grow[k]; k++)
			if (nt_stat(r[i].grow[k]) != 1)
				fail_msg("%s: %s%s grew by %lu", r[i].frame,
					plx_stat_info[r[i].grow[k]].group,
					plx_stat_info[r[i].grow[k]].name, nt_stat(r[i].grow[k]));
		nt_forget();
	}
}

/* The frame in nt.in, spoiled at a byte of its IP packet. */
static void spoiled(const char *frame, unsigned int at)
{
	nt_mark();
	nt_make(0, frame);
	nt.in.b[14 + at] ^= 0x40;
	nt_feed(0);
	nt_run();
}

T(ip_in)
{
	static const struct row rows[] = {
		{"ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 4",
			{ST(IP_INDELIVERS), ST(IP_OUTREQUESTS)}},
		{"ip 10.0.0.1 > 10.5.0.2 udp 1 > 2 len 4", {ST(IP_INADDRERRORS)}},
		{"ip 127.0.0.9 > 10.0.0.2 udp 1 > 2 len 4", {ST(IP_INHDRERRORS)}},
		{"ip 10.0.0.1 > 10.0.0.2 proto 99 len 4", {ST(IP_INUNKNOWNPROTOS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4",
			{ST(IP6_INRECEIVES), ST(IP6_INDELIVERS), ST(IP6_OUTREQUESTS)}},
		{"ip 2001:db8::1 > 2001:db8:5::2 udp 1 > 2 len 4", {ST(IP6_INADDRERRORS)}},
		{"ip 2001:db8::1 > 2001:db8::2 proto 99 len 4", {ST(IP6_INUNKNOWNPROTOS)}},
	};

	nt_simple();
	counts(rows, PLX_DIM(rows));
	spoiled("ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 4", 10); /* the checksum */
	eq(nt_stat(ST(IP_INRECEIVES)), 1);
	eq(nt_stat(ST(IP_INHDRERRORS)), 1);
	spoiled("ip 2001:db8::1 > 2001:db8::2 udp 1 > 2 len 4", 4); /* the length */
	eq(nt_stat(ST(IP6_INRECEIVES)), 1);
	eq(nt_stat(ST(IP6_INHDRERRORS)), 1);
	nt_mark();
	nt_in(0, "ip 10.0.0.1 > 239.9.9.9 udp 1 > 2 len 4"); /* a group of others: received only */
	nt_in(0, "ip 2001:db8::1 > ff05::99 udp 1 > 2 len 4");
	nt_drops(PLX_DROP_IP_MCAST_NOT_MEMBER, 2);
	eq(nt_stat(ST(IP_INRECEIVES)), 1);
	eq(nt_stat(ST(IP6_INRECEIVES)), 1);
	eq(nt_stat(ST(IP_INDISCARDS)), 0);
	eq(nt_stat(ST(IP6_INDISCARDS)), 0);
}

T(ip_out)
{
	nt_simple();
	nt_mark();
	eq(nt_send("8.8.8.8", 1), PLX_DROP_IP_NO_ROUTE);
	eq(nt_send("2001:db8:9::9", 1), PLX_DROP_IP_NO_ROUTE);
	eq(nt_stat(ST(IP_OUTNOROUTES)), 1);
	eq(nt_stat(ST(IP6_OUTNOROUTES)), 1);
	eq(nt_stat(ST(IP_OUTREQUESTS)), 0);
	/* a route that says no is no lack of one, but in IPv6 */
	for (int v6 = 0; v6 < 2; v6++) {
		struct plx_net_route r = {.dst = t_prefix(v6 ? "2001:db8:8::/48" : "20.0.0.0/8"),
			.type = PLX_NET_ROUTE_UNREACHABLE};

		eq(plx_net_route_add(nt.net, &r), 0);
		eq(nt_send(v6 ? "2001:db8:8::1" : "20.0.0.1", 1), PLX_DROP_IP_UNREACHABLE_ROUTE);
	}
	eq(nt_stat(ST(IP_OUTNOROUTES)), 1);
	eq(nt_stat(ST(IP6_OUTNOROUTES)), 2);
}

T(forwarded)
{
	static const struct row rows[] = {
		{"ip 10.0.0.1 > 8.8.8.8 udp 1 > 2 len 4", {ST(IPEXT_INNOROUTES)}},
		{"ip 10.0.0.1 > 10.1.0.1 ttl 1 udp 1 > 2 len 4",
			{ST(IP_INHDRERRORS), ST(ICMP_OUTTIMEEXCDS)}},
		{"ip 10.0.0.1 > 240.0.0.1 udp 1 > 2 len 4", {ST(IP_INADDRERRORS)}},
		{"ip 10.0.0.1 > 10.1.0.1 df udp 1 > 2 len 1400",
			{ST(IP_FRAGFAILS), ST(ICMP_OUTDESTUNREACHS)}},
		{"ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 1400", {ST(IP_FRAGOKS)}},
		{"ip 2001:db8::1 > 2001:db8:9::9 udp 1 > 2 len 4",
			{ST(IP6_INNOROUTES), ST(ICMP6_OUTDESTUNREACHS)}},
		{"ip 2001:db8::1 > 2001:db8:8::9 udp 1 > 2 len 4", {ST(IP6_INNOROUTES)}},
		{"ip 2001:db8::1 > 2001:db8:1::1 ttl 1 udp 1 > 2 len 4",
			{ST(IP6_INHDRERRORS), ST(ICMP6_OUTTIMEEXCDS)}},
		{"ip fe80::1 > 2001:db8:1::1 udp 1 > 2 len 4", {ST(IP6_INADDRERRORS)}},
		{"ip 2001:db8::1 > 2001:db8:1::1 udp 1 > 2 len 1400",
			{ST(IP6_INTOOBIGERRORS), ST(ICMP6_OUTPKTTOOBIGS)}},
	};
	struct plx_net_route r = {
		.dst = t_prefix("2001:db8:8::/48"), .type = PLX_NET_ROUTE_UNREACHABLE};

	nt_new(2, 0);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_tun(PLX_TUN_ICMP_RATELIMIT, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(2, "10.1.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_addr(2, "2001:db8:1::2/64");
	eq(plx_net_if_set_mtu(nt.net, 2, 1280), 0);
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_settle();
	counts(rows, PLX_DIM(rows));
}

T(icmp_in)
{
	static const struct row rows[] = {
		{"ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 4",
			{ST(ICMP_INMSGS), ST(ICMP_INECHOS), ST(ICMP_OUTMSGS)}},
		{"ip 10.0.0.1 > 10.0.0.2 icmp echo-reply len 4", {ST(ICMP_INECHOREPS)}},
		{"ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 len 28", {ST(ICMP_INDESTUNREACHS)}},
		{"ip 10.0.0.1 > 10.0.0.2 icmp time 0 len 28", {ST(ICMP_INTIMEEXCDS)}},
		{"ip 10.0.0.1 > 10.0.0.2 icmp param 0 len 28", {ST(ICMP_INPARMPROBS)}},
		{"ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 len 3", {ST(ICMP_INERRORS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4",
			{ST(ICMP6_INMSGS), ST(ICMP6_INECHOS), ST(ICMP6_OUTMSGS),
				ST(ICMP6_OUTECHOREPLIES)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp echo-reply len 4", {ST(ICMP6_INECHOREPLIES)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp unreach 3 len 48", {ST(ICMP6_INDESTUNREACHS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp too-big 0 rest 1300 len 48",
			{ST(ICMP6_INPKTTOOBIGS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp time 0 len 48", {ST(ICMP6_INTIMEEXCDS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp param 0 len 48", {ST(ICMP6_INPARMPROBLEMS)}},
		{"ip 2001:db8::1 > 2001:db8::2 icmp unreach 3 len 3", {ST(ICMP6_INERRORS)}},
	};

	nt_simple();
	counts(rows, PLX_DIM(rows));
	spoiled("ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 4", 26);
	eq(nt_stat(ST(ICMP_INCSUMERRORS)), 1);
	eq(nt_stat(ST(ICMP_INERRORS)), 1);
	spoiled("ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4", 46);
	eq(nt_stat(ST(ICMP6_INCSUMERRORS)), 1);
	eq(nt_stat(ST(ICMP6_INERRORS)), 1);
}

T(icmp_out)
{
	static const struct row rows[] = {
		{"ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 4",
			{ST(ICMP_OUTDESTUNREACHS), ST(ICMP_OUTMSGS)}},
		{"ip 2001:db8::1 > 2001:db8::2 udp 1 > 2 len 4",
			{ST(ICMP6_OUTDESTUNREACHS), ST(ICMP6_OUTMSGS)}},
		{"ip 2001:db8::1 > 2001:db8::2 proto 99 len 4", {ST(ICMP6_OUTPARMPROBLEMS)}},
		{"ip fe80::1 > ff02::1:ff00:2 nd ns 2001:db8::2 slla 02:00:00:00:00:01",
			{ST(ICMP6_OUTNEIGHBORADVERTISEMENTS)}},
	};

	nt_simple();
	counts(rows, PLX_DIM(rows));
	nt_mark();
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 8");
	nt.in.b[14] = 0x46; /* its first four bytes are an option, too long for the header */
	nt.in.b[34] = 7;
	nt.in.b[35] = 9;
	memset(nt.in.b + 24, 0, 2);
	{
		uint16_t check = plx_cksum_ip4(nt.in.b + 14, 24);

		memcpy(nt.in.b + 24, &check, 2);
	}
	nt_feed(0);
	nt_run();
	eq(nt_stat(ST(ICMP_OUTPARMPROBS)), 1);
	nt_forget();

	for (int i = 0; i < 20; i++)
		nt_in(0, "ip 2001:db8::1 > 2001:db8::2 udp 1 > 2 len 4");
	ok(nt_stat(ST(ICMP6_OUTRATELIMITHOST)) >= 10);
}

T(fragments_of_ipv6)
{
	nt_simple();
	nt_mark();
	eq(nt_send("2001:db8::1", 2000), PLX_DROP_NONE);
	eq(nt_stat(ST(IP6_FRAGOKS)), 1);
	eq(nt_stat(ST(IP6_FRAGCREATES)), 2);
	nt_make(0, "ip 2001:db8::1 > 2001:db8::2 proto 44 len 48");
	memcpy(nt.in.b + 54, "\x11\0\0\1\0\0\0\7", 8); /* the first, more to come */
	nt_feed(0);
	nt_sleep(PLX_SEC(61));
	eq(nt_stat(ST(IP6_REASMREQDS)), 1);
	eq(nt_stat(ST(IP6_REASMTIMEOUT)), 1);
	eq(nt_stat(ST(IP6_REASMFAILS)), 1);
}

T(udp)
{
	static const struct row rows[] = {
		{"ip 10.0.0.1 > 10.0.0.2 udp 1 > 0 len 4", {ST(UDP_INERRORS)}},
		{"ip 2001:db8::1 > 2001:db8::2 udp 1 > 9 len 4", {ST(UDP6_INDATAGRAMS)}},
		{"ip 2001:db8::1 > 2001:db8::2 udp 1 > 2 len 4", {ST(UDP6_NOPORTS)}},
		{"ip 2001:db8::1 > 2001:db8::2 udp 1 > 0 len 4", {ST(UDP6_INERRORS)}},
		{"ip 2001:db8::1 > ff02::1 udp 1 > 2 len 4", {ST(UDP6_IGNOREDMULTI)}},
	};
	static struct nt_sock sock;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	counts(rows, PLX_DIM(rows));
	spoiled("ip 2001:db8::1 > 2001:db8::2 udp 1 > 9 len 4", 48);
	eq(nt_stat(ST(UDP6_INCSUMERRORS)), 1);
	eq(nt_stat(ST(UDP6_INERRORS)), 1);
	nt_mark();
	eq(nt_send("10.0.0.1", 1), PLX_DROP_NONE);
	eq(nt_send("2001:db8::1", 1), PLX_DROP_NONE);
	eq(nt_stat(ST(UDP_OUTDATAGRAMS)), 1);
	eq(nt_stat(ST(UDP6_OUTDATAGRAMS)), 1);
}

/* Send without a buffer left: one for the data is all, with so much room for headers. */
static void starved(const char *dst, uint16_t room, uint16_t len)
{
	struct plx_softnet *sn = plx_engine_softnet(nt.eng, 0);
	const struct plx_net_udp_msg msg = {.dst = t_addr(dst), .sport = 9, .dport = 9};
	struct rte_mbuf *all[512], *m = plx_softnet_alloc(sn);
	unsigned int n = 0;

	while (n < 512 && (all[n] = plx_softnet_alloc(sn)))
		n++;
	m->data_off = room;
	assert_non_null(rte_pktmbuf_append(m, len));
	nt_mark();
	eq(plx_net_udp_send(sn, m, &msg), PLX_DROP_NO_MBUF);
	nt_run();
	nt_drop(PLX_DROP_NO_MBUF);
	rte_pktmbuf_free_bulk(all, n);
	nt_none();
}

T(no_buffers)
{
	nt.mbufs = 256;
	nt_simple();
	nt.mbufs = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		const char *dst = v6 ? "2001:db8::1" : "10.0.0.1";
		enum plx_stat no_buffer = v6 ? ST(UDP6_SNDBUFERRORS) : ST(UDP_SNDBUFERRORS);

		starved(dst, 0, 100); /* for UDP's header */
		eq(nt_stat(no_buffer), 1);
		eq(nt_stat(v6 ? ST(IP6_OUTREQUESTS) : ST(IP_OUTREQUESTS)), 0);
		starved(dst, 8, 100); /* for IP's */
		eq(nt_stat(no_buffer), 1);
		eq(nt_stat(v6 ? ST(IP6_OUTDISCARDS) : ST(IP_OUTDISCARDS)), 1);
		starved(dst, 128, 2000); /* for a fragment */
		eq(nt_stat(no_buffer), 1);
		eq(nt_stat(v6 ? ST(IP6_FRAGFAILS) : ST(IP_FRAGFAILS)), 1);
		eq(nt_stat(v6 ? ST(UDP6_OUTDATAGRAMS) : ST(UDP_OUTDATAGRAMS)), 0);
	}
}

/* A datagram to many, and no buffer for the socket's copy. */
T(no_buffers_to_receive)
{
	struct plx_softnet *sn;
	static struct nt_sock sock;
	struct rte_mbuf *all[512];
	unsigned int n = 0;

	nt.mbufs = 256;
	nt_simple();
	nt.mbufs = 0;
	eq(nt_open(&sock, 9, 0), 0);
	sn = plx_engine_softnet(nt.eng, 0);
	while (n < 512 && (all[n] = plx_softnet_alloc(sn)))
		n++;
	nt_mark();
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 udp 1 > 9 len 4");
	nt_in(0, "ip 2001:db8::1 > ff02::1 udp 1 > 9 len 4");
	eq(nt_stat(ST(UDP_RCVBUFERRORS)), 1);
	eq(nt_stat(ST(UDP6_RCVBUFERRORS)), 1);
	eq(sock.n, 0);
	rte_pktmbuf_free_bulk(all, n);
}

/* Frames for no interface, for one that is down; and no address to send from. */
T(reasons_without_a_counter)
{
	nt_new(1, 0);
	nt_start();
	nt_run();
	nt_forget();
	nt_mark();
	{
		struct plx_net_route r = {.dst = t_prefix("0.0.0.0/0"), .iface = 1};

		eq(plx_net_route_add(nt.net, &r), 0);
	}
	eq(nt_send("10.0.0.1", 1), PLX_DROP_IP_NO_SRC);
	nt_drop(PLX_DROP_IP_NO_SRC);
	eq(nt_stat(ST(IP_OUTNOROUTES)), 0);
	eq(plx_net_if_set_up(nt.net, 1, false), 0);
	nt_run();
	nt_forget();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 4");
	nt_drop(PLX_DROP_RX_DOWN);
	nt_none();
}

RUN_EAL(NT_(ip_in), NT_(ip_out), NT_(forwarded), NT_(icmp_in), NT_(icmp_out),
	NT_(fragments_of_ipv6), NT_(udp), NT_(no_buffers), NT_(no_buffers_to_receive),
	NT_(reasons_without_a_counter))
