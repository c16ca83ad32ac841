/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

#include <errno.h>
#include <netinet/in.h>

/* What a datagram is sent with: how path MTUs are heeded, many by one call; and what may be asked
 * before. */

static struct nt_sock sock;

static enum plx_drop send_to(const char *dst, uint32_t len, int pmtudisc, uint16_t gso)
{
	struct plx_softnet *sn = plx_engine_softnet(nt.eng, 0);
	const struct plx_net_udp_msg msg = {.dst = t_addr(dst),
		.sport = 9,
		.dport = 9,
		.pmtudisc = pmtudisc < 0 ? 0 : PLX_NET_PMTU(pmtudisc),
		.gso = gso};
	struct rte_mbuf *m = plx_softnet_alloc(sn), *more;
	enum plx_drop drop;

	for (uint32_t n = 0; n < len;) {
		uint16_t part = (uint16_t)PLX_MIN(len - n, 1700u);

		more = n ? plx_softnet_alloc(sn) : m;
		t_payload((uint8_t *)rte_pktmbuf_append(more, part), part);
		if (n)
			eq(rte_pktmbuf_chain(m, more), 0);
		n += part;
	}
	drop = plx_net_udp_send(sn, m, &msg);
	nt_run();
	return drop;
}

T(fragments_and_df_as_linux)
{
	static const struct {
		int pmtudisc;
		bool df, fragments; /* of what fits; what does not */
	} how[] = {
		{-1, true, true},
		{IP_PMTUDISC_DONT, false, true},
		{IP_PMTUDISC_WANT, true, true},
		{IP_PMTUDISC_DO, true, false},
		{IP_PMTUDISC_PROBE, true, false},
		{IP_PMTUDISC_INTERFACE, false, false},
		{IP_PMTUDISC_OMIT, false, true},
	};

	nt_simple();
	for (size_t i = 0; i < PLX_DIM(how); i++) {
		enum plx_drop want = how[i].fragments ? PLX_DROP_NONE : PLX_DROP_IP_TOO_BIG;

		eq(send_to("10.0.0.1", 1472, how[i].pmtudisc, 0), PLX_DROP_NONE);
		eq(strstr(nt_sent(0), " df ") != NULL, how[i].df);
		for (int v6 = 0; v6 < 2; v6++) {
			const char *dst = v6 ? "2001:db8::1" : "10.0.0.1";

			eq(send_to(dst, v6 ? 1452 : 1472, how[i].pmtudisc, 0), PLX_DROP_NONE);
			ok(nt_sent(0));
			nt_none();
			eq(send_to(dst, v6 ? 1453 : 1473, how[i].pmtudisc, 0), want);
			nt_drops(want, !!want);
			if (!want)
				eq(nt_forget(), 2);
			nt_none();
		}
	}
}

/* Who probes does not heed what was learned. */
T(a_narrow_path)
{
	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_DO, 0), PLX_DROP_NONE);
	ok(nt_sent(0));
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 4 rest 1400 quote 548");
	eq(sock.err, EMSGSIZE);
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_DO, 0), PLX_DROP_IP_TOO_BIG);
	nt_drop(PLX_DROP_IP_TOO_BIG);
	eq(send_to("10.0.0.1", 1372, IP_PMTUDISC_DO, 0), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1372");
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_PROBE, 0), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_INTERFACE, 0), PLX_DROP_NONE);
	ok(nt_sent(0));
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_WANT, 0), PLX_DROP_NONE);
	eq(nt_forget(), 2);
	eq(send_to("10.0.0.1", 1400, IP_PMTUDISC_OMIT, 0), PLX_DROP_NONE);
	eq(nt_forget(), 1);
	nt_no_drop();
}

/* What an error says of a datagram of ours. */
T(errors_in_full)
{
	struct plx_addr from;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	eq(nt_send("10.0.0.1", 300), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 300");
	nt_in(0, "ip 10.0.0.7 > 10.0.0.2 icmp unreach 3 quote 100");
	from = t_addr("10.0.0.7");
	eq(sock.err, ECONNREFUSED);
	ok(sock.hard);
	ok(plx_addr_eq(&sock.from, &from));
	eq(sock.quoted, 72);
	mem_eq(sock.data, nt.last + 28, 72);
	nt_in(0, "ip 10.0.0.7 > 10.0.0.2 icmp unreach 1 quote 28");
	eq(sock.err, EHOSTUNREACH);
	ok(!sock.hard);
	eq(sock.quoted, 0);
	nt_in(0, "ip 10.0.0.7 > 10.0.0.2 icmp time 0 quote 28");
	ok(!sock.hard);
	nt_in(0, "ip 10.0.0.7 > 10.0.0.2 icmp unreach 13 quote 28");
	eq(sock.err, EHOSTUNREACH);
	ok(sock.hard);
	eq(nt_send("2001:db8::1", 30), PLX_DROP_NONE);
	ok(nt_sent(0));
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp unreach 4 quote 78");
	eq(sock.err, ECONNREFUSED);
	ok(sock.hard);
	eq(sock.quoted, 30);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp unreach 0 quote 78");
	eq(sock.err, ENETUNREACH);
	ok(!sock.hard);
	eq(sock.errors, 6);
	nt_no_drop();
}

/* ---- UDP_SEGMENT ---- */

static void three_parts(int pmtudisc, const char *df)
{
	char text[128];

	eq(send_to("10.0.0.1", 2500, pmtudisc, 1000), PLX_DROP_NONE);
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "ip 10.0.0.2 > 10.0.0.1 %sudp 9 > 9 len %d", df,
			i < 2 ? 1000 : 500);
		str_eq(nt_sent(0), text);
	}
	nt_none();
	nt_no_drop();
}

/* Behind a port that cuts nothing, and takes no chains. */
T(cut_one_by_one)
{
	nt_simple();
	three_parts(-1, "df ");
	eq(send_to("2001:db8::1", 2000, -1, 1000), PLX_DROP_NONE);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1000");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1000");
	eq(send_to("10.0.0.1", 1000, -1, 1000), PLX_DROP_NONE);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1000");
	nt_none();
	nt_no_drop();
}

static void with_features(uint32_t features)
{
	nt_new(1, features);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	nt_settle();
}

/* As one packet, until it is queued: each with the sum that it should have. */
T(cut_in_the_queue)
{
	with_features(PLX_PORT_F_SG);
	three_parts(-1, "df ");
	eq(nt_stat(PLX_STAT_UDP_OUTDATAGRAMS), 1);
	eq(send_to("2001:db8::1", 2500, -1, 1000), PLX_DROP_NONE);
	for (int i = 0; i < 3; i++)
		nt_out(0, i < 2 ? "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1000"
				: "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 500");
	/* identifications are to be different */
	eq(send_to("10.0.0.1", 2500, IP_PMTUDISC_DONT, 1000), PLX_DROP_NONE);
	eq(nt_forget(), 3);
	eq(nt_stat(PLX_STAT_UDP_OUTDATAGRAMS), 4);
	eq(nt_stat(PLX_STAT_UDP6_OUTDATAGRAMS), 1);
	nt_no_drop();
}

/* Each by itself: for ourselves, and for a group. */
T(many_to_ourselves)
{
	struct plx_addr group = t_addr("239.1.2.3");

	with_features(PLX_PORT_F_SG);
	eq(nt_open(&sock, 9, 0), 0);
	eq(send_to("10.0.0.2", 2500, -1, 1000), PLX_DROP_NONE);
	eq(sock.n, 3);
	eq(sock.bytes, 500);
	eq(send_to("2001:db8::2", 3000, -1, 1000), PLX_DROP_NONE);
	eq(sock.n, 6);
	eq(sock.bytes, 1000);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	eq(send_to("239.1.2.3", 2500, -1, 1000), PLX_DROP_NONE);
	eq(sock.n, 9);
	eq(nt_forget(), 3);
	nt_no_drop();
}

T(what_cannot_be_cut)
{
	with_features(PLX_PORT_F_SG);
	eq(send_to("10.0.0.1", 3000, -1, 1473), PLX_DROP_IP_TOO_BIG);
	nt_drop(PLX_DROP_IP_TOO_BIG);
	eq(send_to("10.0.0.1", 12900, -1, 100), PLX_DROP_IP_TOO_BIG); /* 129 */
	nt_drop(PLX_DROP_IP_TOO_BIG);
	eq(send_to("10.0.0.1", 12800, -1, 100), PLX_DROP_NONE);
	eq(nt_forget(), 128);
	eq(send_to("20.0.0.1", 3000, -1, 1000), PLX_DROP_IP_NO_ROUTE);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	nt_none();
}

/* ---- asked before ---- */

static int way_to(const char *dst, uint16_t iface, bool bound, struct plx_net_way *w)
{
	struct plx_addr a = t_addr(dst);

	return plx_net_way(plx_engine_softnet(nt.eng, 0), &a, iface, bound, w);
}

T(the_way)
{
	struct plx_net_route no = {
		.dst = t_prefix("30.0.0.0/8"), .type = PLX_NET_ROUTE_UNREACHABLE};
	struct plx_addr src = t_addr("10.0.0.2");
	struct plx_net_way w;

	nt_simple();
	eq(way_to("10.0.0.1", 0, false, &w), 0);
	ok(plx_addr_eq(&w.src, &src));
	eq(w.iface, 1);
	eq(w.mtu, 1500);
	ok(!w.bcast && !w.local);
	eq(way_to("10.0.0.255", 0, false, &w), 0);
	ok(w.bcast);
	eq(way_to("10.0.0.2", 0, false, &w), 0);
	ok(w.local);
	ok(plx_addr_eq(&w.src, &src));
	eq(way_to("20.0.0.1", 0, false, &w), -ENETUNREACH);
	eq(way_to("20.0.0.1", 1, true, &w), 0); /* bound: to whoever it says */
	eq(w.iface, 1);
	eq(plx_net_route_add(nt.net, &no), 0);
	eq(way_to("30.0.0.1", 0, false, &w), -EHOSTUNREACH);
	eq(plx_net_route_del(nt.net, &no), 0);
	no.type = PLX_NET_ROUTE_BLACKHOLE;
	eq(plx_net_route_add(nt.net, &no), 0);
	eq(way_to("30.0.0.1", 0, false, &w), -EINVAL);
	eq(way_to("30.0.0.1", 1, true, &w), -EINVAL);
	eq(nt_send("30.0.0.1", 1), PLX_DROP_IP_BLACKHOLE_ROUTE);
	nt_drop(PLX_DROP_IP_BLACKHOLE_ROUTE);
	eq(plx_net_errno(PLX_DROP_IP_TOO_BIG), EMSGSIZE);
	eq(plx_net_errno(PLX_DROP_UDP_PORT_ZERO), EINVAL);
	eq(plx_net_errno(PLX_DROP_NO_MBUF), ENOBUFS);
	eq(plx_net_errno(PLX_DROP_NONE), 0);
	nt_none();
}

static bool ours(const char *a, uint16_t iface)
{
	struct plx_addr addr = t_addr(a);

	return plx_net_is_ours(plx_engine_softnet(nt.eng, 0), &addr, iface);
}

T(what_is_ours)
{
	nt_simple();
	ok(ours("10.0.0.2", 0));
	ok(ours("10.0.0.2", 1));
	ok(!ours("10.0.0.2", 2));
	ok(ours("127.0.0.1", 0));
	ok(ours("::1", 0));
	ok(ours("2001:db8::2", 1));
	ok(!ours("10.0.0.1", 0));
	ok(!ours("10.0.0.255", 0));
	ok(!ours("239.1.1.1", 0));
	ok(ours("0.0.0.0", 1));
	ok(!ours("0.0.0.0", 2));
}

RUN_EAL(NT_(fragments_and_df_as_linux), NT_(a_narrow_path), NT_(errors_in_full),
	NT_(cut_one_by_one), NT_(cut_in_the_queue), NT_(many_to_ourselves), NT_(what_cannot_be_cut),
	NT_(the_way), NT_(what_is_ours))
