/* SPDX-License-Identifier: BSD-3-Clause */
/* More lcores than one: what arrives where its socket is not. */
#define T_EAL_LCORES "(0-1)@0"
#include "net_t.h"

static struct nt_sock here, there;

static void start(void)
{
	struct plx_addr group = t_addr("239.1.2.3");

	nt_simple();
	eq(plx_engine_lcores(nt.eng), 2);
	eq(nt_open(&here, 8, 0), 0);
	eq(nt_open(&there, 9, 1), 0);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	nt_mark();
}

T(a_datagram_goes_to_its_socket)
{
	start();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 4");
	eq(there.n, 1);
	eq(there.lcore, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 8 len 4");
	eq(here.n, 1);
	eq(here.lcore, 0);
	eq(nt_stat(PLX_STAT_IP_INRECEIVES), 2);
	eq(nt_stat(PLX_STAT_IP_INDELIVERS), 2);
	nt_no_drop();
}

/* A group's members are on both; so are those of what we send ourselves. */
T(a_group_has_members_everywhere)
{
	start();
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 8 len 4");
	eq(here.n, 1);
	eq(here.lcore, 0);
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 9 len 4");
	eq(there.n, 1);
	eq(there.lcore, 1);
	eq(nt_send("239.1.2.3", 3000), PLX_DROP_NONE);
	eq(there.n, 2);
	eq(there.bytes, 3000);
	eq(there.lcore, 1);
	eq(there.msg.iface, 1);
	ok(there.msg.to_many);
	eq(nt_forget(), 3);
	nt_no_drop();
}

static void send_a_byte(struct plx_softnet *sn, struct plx_msg *msg)
{
	const struct plx_net_udp_msg to = {.dst = t_addr("10.6.0.1"), .sport = 9, .dport = 9};
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	t_payload((uint8_t *)rte_pktmbuf_append(m, 1), 1);
	eq(plx_net_udp_send(sn, m, &to), PLX_DROP_NONE);
}

/* An lcore that had nothing to do with the stack for a while sends by what is true now. */
T(the_newest_configuration_is_used_everywhere)
{
	struct plx_msg msg = {.fn = send_a_byte};

	start();
	nt_addr(1, "10.6.0.2/24");
	nt_sleep(PLX_SEC(10));
	nt_neigh(1, "10.6.0.1");
	nt_forget();
	plx_softnet_post(plx_engine_softnet(nt.eng, 1), &msg);
	nt_run();
	nt_out(0, "ip 10.6.0.2 > 10.6.0.1 df udp 9 > 9 len 1");
}

static bool by_if_1;

static void send_far(struct plx_softnet *sn, struct plx_msg *msg)
{
	const struct plx_net_udp_msg to = {.dst = t_addr("192.0.2.9"),
		.sport = 9,
		.dport = 9,
		.iface = by_if_1,
		.bound = by_if_1};
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	eq(plx_net_udp_send(sn, m, &to), PLX_DROP_NONE);
}

/* One for 192.0.2.9 has left its lcore for the control lcore, which is to resolve 10.0.0.7. */
static void under_way(struct plx_net_route *by_7)
{
	static struct plx_msg msg;

	*by_7 = (struct plx_net_route){.dst = t_prefix("192.0.2.0/24"), .via = t_addr("10.0.0.7")};
	eq(plx_net_route_add(nt.net, by_7), 0);
	nt_run();
	msg = (struct plx_msg){.fn = send_far};
	plx_softnet_post(plx_engine_softnet(nt.eng, 1), &msg);
	plx_engine_step(nt.eng, 1);
	nt_none();
	nt_no_drop();
}

/* Whose route goes while it waits to be resolved does not look for its destination on the link. */
T(a_route_that_goes_meanwhile)
{
	struct plx_net_route by_7;

	start();
	under_way(&by_7);
	eq(plx_net_route_del(nt.net, &by_7), 0);
	nt_run();
	nt_drop(PLX_DROP_IP_NO_ROUTE);
	nt_none();
	/* there is another one */
	under_way(&by_7);
	eq(nt_route("0.0.0.0/0", "10.0.0.1"), 0);
	eq(plx_net_route_del(nt.net, &by_7), 0);
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 192.0.2.9 df udp 9 > 9 len 0");
	by_7 = (struct plx_net_route){.dst = t_prefix("0.0.0.0/0")};
	eq(plx_net_route_del(nt.net, &by_7), 0);
	/* bound to the interface it would go without a route, too */
	by_if_1 = true;
	under_way(&by_7);
	eq(plx_net_route_del(nt.net, &by_7), 0);
	nt_run();
	nt_out(0, "arp who-has 192.0.2.9 tell 10.0.0.2");
	by_if_1 = false;
}

static void one_of_two(struct nt_sock *ns, uint16_t home)
{
	*ns = (struct nt_sock){
		.s = {.ops = &nt_sock_ops, .user = ns, .lport = 7, .home = home, .reuseport = true},
		.echo = true};
	eq(plx_net_udp_open(nt.net, &ns->s), 0);
}

/* Of two that share a port the one is told that has the flow, though its error comes by any lcore
 * and datagrams are left where they come. */
T(an_error_finds_its_flow)
{
	static struct nt_sock a, b;
	char text[128];
	uint32_t to_b = 0;

	nt_simple();
	one_of_two(&a, 0);
	one_of_two(&b, 1);
	for (int port = 1000; port < 1050; port++) {
		uint32_t was = b.n;
		bool is_b;

		nt_tun(PLX_TUN_SOFT_STEER, 1);
		snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %d > 7 len 4", port);
		nt_in(0, text);
		is_b = b.n > was;
		to_b += is_b;
		ok(nt_sent(0)); /* the answer, to be quoted */
		for (int steer = 0; steer < 2; steer++) {
			a.errors = b.errors = 0;
			nt_tun(PLX_TUN_SOFT_STEER, steer);
			nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 28");
			eq(a.errors, !is_b);
			eq(b.errors, is_b);
			if (is_b)
				eq(b.lcore, 1);
		}
	}
	ok(to_b > 5 && to_b < 45);
	nt_no_drop();
	plx_net_udp_close(nt.net, &a.s);
	plx_net_udp_close(nt.net, &b.s);
}

static void feed(uint16_t queue, const char *frame, unsigned int n)
{
	nt_make(0, frame);
	while (n--)
		t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
}

static void start_limited(int64_t bitmap)
{
	start();
	nt_tun(PLX_TUN_NETDEV_MAX_BACKLOG, 200);
	nt_tun(PLX_TUN_FLOW_LIMIT_CPU_BITMAP, bitmap);
}

/* @return how many were dropped by the limit, and by nothing else. */
static uint64_t limited_by(uint16_t lcore)
{
	uint64_t n = plx_engine_softnet(nt.eng, lcore)->limit.count;

	if (n)
		nt_drops(PLX_DROP_FLOW_LIMIT, n);
	nt_no_drop();
	return n;
}

/* While the socket's lcore is late, of what waits for it one flow has half at most. */
T(a_loud_flow_does_not_push_out_others)
{
	char text[128];
	uint64_t n;

	start_limited(1);
	for (int i = 0; i < 30; i++) {
		feed(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 4", 9);
		snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %d > 9 len 4", 1000 + i);
		feed(0, text, 1);
	}
	plx_engine_step(nt.eng, 0);
	plx_engine_step(nt.eng, 0);
	nt_run();
	n = limited_by(0);
	ok(n >= 300 - 200);
	eq(there.n, 300 - n);
}

/* By their hash, as all that is not IP has the same. */
T(arp_is_a_flow)
{
	start_limited(2);
	feed(1, "arp who-has 10.0.0.2 tell 10.0.0.9", 190);
	plx_engine_step(nt.eng, 1);
	nt_run();
	eq(limited_by(1), 190 - 100 - 64);
}

static void send_many(struct plx_softnet *sn, struct plx_msg *msg)
{
	const struct plx_net_udp_msg to = {.dst = t_addr("10.0.0.7"), .sport = 9, .dport = 9};

	for (int i = 0; i < 199; i++)
		eq(plx_net_udp_send(sn, plx_softnet_alloc(sn), &to), PLX_DROP_NONE);
}

/* What we send ourselves is in no backlog of Linux's: it waits for its neighbour. */
T(what_waits_for_a_neighbour_is_not_limited)
{
	struct plx_msg msg = {.fn = send_many};

	start_limited(2);
	nt_tun(PLX_TUN_NEIGH_UNRES_QLEN, 500);
	plx_softnet_post(plx_engine_softnet(nt.eng, 1), &msg);
	nt_run();
	eq(limited_by(1), 0);
	nt_out(0, "arp who-has 10.0.0.7 tell 10.0.0.2");
	nt_sleep(PLX_SEC(5));
	nt_drops(PLX_DROP_NEIGH_FAILED, 199);
}

RUN_EAL(NT_(a_loud_flow_does_not_push_out_others), NT_(arp_is_a_flow),
	NT_(what_waits_for_a_neighbour_is_not_limited), NT_(an_error_finds_its_flow),
	NT_(a_datagram_goes_to_its_socket), NT_(a_group_has_members_everywhere),
	NT_(a_route_that_goes_meanwhile), NT_(the_newest_configuration_is_used_everywhere))
