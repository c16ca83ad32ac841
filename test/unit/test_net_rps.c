/* SPDX-License-Identifier: BSD-3-Clause */
/* RPS: what is forwarded is spread over lcores, what is for us is not. */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "net_t.h"

#define FLOWS 60

/* A router; each lcore has a queue of each port, so that its number tells who has sent. */
static void router(void)
{
	nt_router();
	nt.port[0].port->rss_types = PLX_RSS_ALL;
	nt.port[0].port->features |= PLX_PORT_F_RX_HASH;
	eq(plx_engine_lcores(nt.eng), 3);
}

/* @param lcores "1,2", or NULL */
static int spread(uint16_t port, int queue, const char *lcores)
{
	struct plx_lcore_set set;

	if (lcores)
		eq(plx_lcore_set_parse(&set, lcores), 0);
	return plx_net_rps_set(nt.net, port, queue, lcores ? &set : NULL);
}

static struct plx_softnet *lcore(uint16_t i)
{
	return plx_engine_softnet(nt.eng, i);
}

/* The lcore that has sent by a port, just now. */
static int sender(unsigned int port)
{
	int by = -1;

	for (int q = 0; q < 3; q++)
		if (nt.port[port].q[q].tx_at < nt.port[port].q[q].n_tx) {
			eq(by, -1);
			by = q;
		}
	nt_forget();
	return by;
}

/* Who forwards it from a port to the other one? */
static int forwarder(unsigned int from, const char *frame)
{
	nt_in(from, frame);
	return sender(!from);
}

static int flow(bool v6, bool back, int number)
{
	const char *a = v6 ? "2001:db8::1" : "10.0.0.1", *b = v6 ? "2001:db8:1::1" : "10.1.0.1";
	char text[128];

	snprintf(text, sizeof(text), "ip %s > %s udp %d > %d len 9", back ? b : a, back ? a : b,
		back ? 53 : 1000 + number, back ? 1000 + number : 53);
	return forwarder(back, text);
}

T(flows_are_spread_over_the_lcores_of_the_map)
{
	int n[3] = {0};

	router();
	eq(spread(0, PLX_NET_ALL_QUEUES, "1,2"), 0);
	eq(spread(1, PLX_NET_ALL_QUEUES, "1-2"), 0);
	for (int v6 = 0; v6 < 2; v6++)
		for (int i = 0; i < FLOWS; i++) {
			int by = flow(v6, false, i);

			ok(by == 1 || by == 2);
			n[by]++;
			eq(flow(v6, false, i), by);
			eq(flow(v6, true, i), by); /* answers, too */
		}
	ok(n[1] > FLOWS / 2 && n[2] > FLOWS / 2);
	nt_no_drop();
	eq(nt_stat(PLX_STAT_IP_INRECEIVES), 3 * FLOWS); /* once, though two lcores saw it */
	eq(nt_stat(PLX_STAT_IP6_INRECEIVES), 3 * FLOWS);
	eq(nt_stat(PLX_STAT_IP_FORWDATAGRAMS), 3 * FLOWS);
	eq(nt_stat(PLX_STAT_IP6_OUTFORWDATAGRAMS), 3 * FLOWS);
}

static void make(const char *frame, uint16_t frag)
{
	uint8_t *ip = nt.in.b + PLX_ETH_BYTES;
	uint16_t sum;

	nt_make(0, frame);
	if (!frag)
		return;
	plx_put_be16(ip + 6, frag);
	memset(ip + 10, 0, 2);
	sum = plx_cksum_ip4(ip, PLX_IP4_BYTES);
	memcpy(ip + 10, &sum, 2);
}

/* The same with a hash of the device's. @param frag the header's field. */
static int hashed(const char *frame, uint16_t frag, uint32_t hash)
{
	struct rte_mbuf *m;

	make(frame, frag);
	nt_feed(0);
	m = nt.port[0].q[0].rx[nt.port[0].q[0].n_rx - 1];
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = hash;
	nt_run();
	return sender(1);
}

static int fragment(uint16_t frag)
{
	make("ip 10.0.0.1 > 10.1.0.1 id 7 udp 1 > 2 len 8", frag);
	nt_feed(0);
	nt_run();
	return sender(1);
}

/* hash * 3 / 2^32 */
T(a_devices_hash_is_taken_if_it_is_of_ports)
{
	static const char udp[] = "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9";
	static const char icmp[] = "ip 10.0.0.1 > 10.1.0.1 icmp echo-request len 9";
	int by;

	router();
	eq(spread(0, PLX_NET_ALL_QUEUES, "0-2"), 0);
	eq(hashed(udp, 0, 0), 0); /* 1 */
	eq(hashed(udp, 0, 0x55555555), 0);
	eq(hashed(udp, 0, 0x55555556), 1);
	eq(hashed(udp, 0, 0xaaaaaaaa), 1);
	eq(hashed(udp, 0, 0xaaaaaaab), 2);
	eq(hashed(udp, 0, 0xffffffff), 2);
	by = forwarder(0, icmp);
	eq(hashed(icmp, 0, 0), by);
	eq(hashed(icmp, 0, 0xffffffff), by);
	by = fragment(0x2000);
	eq(hashed(udp, 0x2000, 0), by);
	eq(hashed(udp, 0x2000, 0xffffffff), by);
	nt.port[0].port->rss_types = PLX_RSS_ALL & ~PLX_RSS_IPV4_UDP; /* of addresses alone */
	by = forwarder(0, udp);
	eq(hashed(udp, 0, 0), by);
	eq(hashed(udp, 0, 0xffffffff), by);
	nt.port[0].port->rss_types = PLX_RSS_ALL;
	eq(hashed(udp, 0, 0xffffffff), 2);
	nt.port[0].port->features &= ~(uint32_t)PLX_PORT_F_RX_HASH; /* rxhash off */
	eq(hashed(udp, 0, 0), by);
	eq(hashed(udp, 0, 0xffffffff), by);
	nt_no_drop();
}

/* All parts of a datagram on one way: by their addresses. */
T(fragments_go_together)
{
	int by;

	router();
	eq(spread(0, PLX_NET_ALL_QUEUES, "0-2"), 0);
	by = fragment(0x2000); /* more follow */
	eq(fragment(0x2002), by);
	eq(fragment(0x0004), by);
}

T(what_is_for_us_goes_to_its_owner)
{
	static struct nt_sock here, there;

	router();
	eq(nt_open(&here, 8, 0), 0);
	eq(nt_open(&there, 9, 1), 0);
	eq(spread(0, PLX_NET_ALL_QUEUES, "2"), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 8 len 4");
	eq(here.lcore, 0);
	eq(here.n, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 4");
	eq(there.lcore, 1);
	eq(there.n, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 9");
	eq(sender(0), 0);
	eq(lcore(2)->processed, 0);
	nt_no_drop();
}

T(a_burst_is_one_wake_up)
{
	router();
	eq(spread(0, PLX_NET_ALL_QUEUES, "2"), 0);
	nt_make(0, "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9");
	for (int i = 0; i < 32; i++)
		nt_feed(0);
	nt_run();
	eq(lcore(0)->handed_pkts, 32);
	eq(lcore(2)->received_rps, 1);
	eq(lcore(2)->processed, 32);
	eq(nt_forget(), 32);
	nt_no_drop();
}

T(each_queue_has_its_own_map)
{
	static const char frame[] = "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9";

	router();
	eq(spread(0, 0, "2"), 0);
	eq(spread(0, 1, "0"), 0);
	eq(forwarder(0, frame), 2);
	for (uint16_t q = 1; q < 3; q++) {
		nt_make(0, frame);
		t_port_feed(&nt.port[0], q, nt.in.b, nt.in.bytes, 0);
		nt_run();
		eq(sender(1), q == 1 ? 0 : 2); /* queue 2: its own lcore */
	}
	eq(flow(false, true, 0), 0); /* nor is the other port's */
}

T(it_is_switched_off_while_it_runs)
{
	static const char frame[] = "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9";

	router();
	eq(forwarder(0, frame), 0);
	eq(spread(0, PLX_NET_ALL_QUEUES, "1"), 0);
	eq(forwarder(0, frame), 1);
	eq(spread(0, PLX_NET_ALL_QUEUES, "2"), 0);
	eq(forwarder(0, frame), 2);
	eq(spread(0, PLX_NET_ALL_QUEUES, NULL), 0);
	eq(forwarder(0, frame), 0);
	eq(spread(0, PLX_NET_ALL_QUEUES, "7,200"), 0); /* none of ours */
	eq(forwarder(0, frame), 0);
	eq(spread(0, PLX_NET_ALL_QUEUES, "1,200"), 0);
	eq(forwarder(0, frame), 1);
	eq(spread(9, 0, "1"), -ENODEV);
	eq(spread(0, 3, "1"), -EINVAL);
	eq(spread(0, -2, "1"), -EINVAL);
	eq(forwarder(0, frame), 1);
	nt_no_drop();
}

T(what_cannot_be_forwarded_is_answered_from_there)
{
	router();
	eq(spread(0, PLX_NET_ALL_QUEUES, "2"), 0);
	nt_in(0, "ip 10.0.0.1 > 10.1.0.1 ttl 1 udp 1 > 2 len 9");
	eq(sender(0), 2);
	nt_drop(PLX_DROP_IP_TTL);
	nt_in(0, "ip 10.0.0.1 > 192.0.2.1 udp 1 > 2 len 9");
	eq(sender(0), 2);
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	eq(nt_stat(PLX_STAT_IP_INRECEIVES), 2);
}

/* Which of the sockets that share the port has got a datagram, one, since the last look? */
static int taker(const struct nt_sock *socks)
{
	static uint32_t seen[3];
	int by = -1;

	for (int i = 0; i < 3; i++) {
		if (socks[i].n != seen[i]) {
			eq(by, -1);
			eq(socks[i].n, seen[i] + 1);
			eq(socks[i].lcore, i);
			by = i;
		}
		seen[i] = socks[i].n;
	}
	return by;
}

/*
 * A packet is another host's when it is handed over, and for us when the lcore that was to forward
 * it looks: it goes where all of its flow go, and is counted as what it has become.
 */
static void becomes_ours(bool v6, struct nt_sock *socks)
{
	const char *own = v6 ? "2001:db8:1::9/64" : "10.1.0.9/24";
	struct plx_prefix p = t_prefix(own);
	enum plx_stat received = v6 ? PLX_STAT_IP6_INRECEIVES : PLX_STAT_IP_INRECEIVES;
	enum plx_stat delivered = v6 ? PLX_STAT_IP6_INDELIVERS : PLX_STAT_IP_INDELIVERS;
	int owners[3] = {0};

	for (int i = 0; i < 8; i++) {
		char frame[128];
		int owner;

		snprintf(frame, sizeof(frame), "ip %s > %s udp %d > 9 len 4",
			v6 ? "2001:db8::1" : "10.0.0.1", v6 ? "2001:db8:1::9" : "10.1.0.9",
			1000 + i * 397);
		nt_addr(2, own);
		nt_in(0, frame);
		owner = taker(socks);
		ok(owner >= 0);
		owners[owner]++;
		eq(plx_net_addr_del(nt.net, 2, &p), 0);
		nt_run();
		nt_mark();
		nt_make(0, frame);
		nt_feed(0);
		plx_engine_step(nt.eng, 0);
		eq(plx_engine_held(nt.eng), 1); /* on its way to lcore 2 */
		nt_addr(2, own);
		nt_run();
		eq(taker(socks), owner);
		eq(nt_stat(received), 1);
		eq(nt_stat(delivered), 1);
		eq(plx_net_addr_del(nt.net, 2, &p), 0);
		nt_run();
	}
	ok(owners[0] && owners[1] && owners[2]);
	nt_forget();
}

T(what_becomes_ours_on_its_way_goes_to_its_owner)
{
	static struct nt_sock socks[3];

	router();
	nt_tun(PLX_TUN_DAD_TRANSMITS, 0);
	for (uint16_t i = 0; i < 3; i++) {
		socks[i] = (struct nt_sock){.s = {.ops = &nt_sock_ops,
						    .user = &socks[i],
						    .lport = 9,
						    .home = i,
						    .reuseport = true}};
		eq(plx_net_udp_open(nt.net, &socks[i].s), 0);
		nt_socks[nt_n_socks++] = &socks[i];
	}
	eq(spread(0, PLX_NET_ALL_QUEUES, "2"), 0);
	becomes_ours(false, socks);
	becomes_ours(true, socks);
	eq(nt_stat(PLX_STAT_IP_FORWDATAGRAMS), 0);
	eq(nt_stat(PLX_STAT_IP6_OUTFORWDATAGRAMS), 0);
}

RUN_EAL(NT_(flows_are_spread_over_the_lcores_of_the_map),
	NT_(a_devices_hash_is_taken_if_it_is_of_ports), NT_(fragments_go_together),
	NT_(what_is_for_us_goes_to_its_owner), NT_(a_burst_is_one_wake_up),
	NT_(each_queue_has_its_own_map), NT_(it_is_switched_off_while_it_runs),
	NT_(what_cannot_be_forwarded_is_answered_from_there),
	NT_(what_becomes_ours_on_its_way_goes_to_its_owner))
