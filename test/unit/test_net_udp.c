/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

static struct nt_sock sock;

static void start(bool echo)
{
	nt_simple();
	eq(nt_open(&sock, 7, 0), 0);
	sock.echo = echo;
}

/* The checksum field of the UDP header in nt.in. */
static uint8_t *check_of(bool v6)
{
	return nt.in.b + PLX_ETH_BYTES + (v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES) + 6;
}

T(echoes)
{
	start(true);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 4");
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 7 > 1024 len 4");
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_UDP_INDATAGRAMS), 1);
	eq(nt_stat(PLX_STAT_UDP6_OUTDATAGRAMS), 1);
	eq(nt_stat(PLX_STAT_IP_INDELIVERS), 1);
}

/* What a burst has found out about one destination holds for no other, nor for the next burst. */
T(answers_go_each_to_its_own)
{
	const struct plx_addr other = t_addr("10.0.0.3");
	const struct plx_mac mac = t_mac("02:00:00:00:00:03"), moved = t_mac("02:00:00:00:00:04");
	const char *ask[] = {"ip 10.0.0.1 > 10.0.0.2 udp 1 > 7 len 1",
		"ip 10.0.0.3 > 10.0.0.2 udp 2 > 7 len 2", "ip 10.0.0.1 > 10.0.0.2 udp 3 > 7 len 3",
		"ip 10.0.0.1 > 10.0.0.2 udp 4 > 7 len 4"};

	start(true);
	eq(plx_net_neigh_add(nt.net, 1, &other, &mac), 0);
	nt_run();
	for (size_t i = 0; i < PLX_DIM(ask); i++) {
		nt_make(0, ask[i]);
		nt_feed(0);
	}
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1 len 1");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.3 df udp 7 > 2 len 2 to 02:00:00:00:00:03");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 3 len 3");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 4 len 4");
	eq(plx_net_neigh_add(nt.net, 1, &other, &moved), 0);
	nt_run();
	nt_in(0, ask[1]);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.3 df udp 7 > 2 len 2 to 02:00:00:00:00:04");
	eq(nt_route("10.0.0.3/32", "10.0.0.1"), 0);
	nt_in(0, ask[1]);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.3 df udp 7 > 2 len 2");
	nt_none();
	nt_no_drop();
}

/* The same on the way in. */
T(packets_of_a_burst_go_each_where_it_says)
{
	const char *in[] = {"ip 10.0.0.1 > 10.0.0.2 udp 1 > 7 len 1",
		"ip 10.0.0.1 > 10.0.0.9 udp 2 > 7 len 2", "ip 10.0.0.1 > 10.0.0.2 udp 3 > 7 len 3",
		"ip 10.0.0.1 > 10.0.0.255 udp 4 > 7 len 4",
		"ip 10.0.0.1 > 10.0.0.9 udp 5 > 7 len 5", "ip 10.0.0.1 > 10.0.0.2 udp 6 > 7 len 6"};
	struct plx_prefix addr;

	start(false);
	for (size_t i = 0; i < PLX_DIM(in); i++) {
		nt_make(0, in[i]);
		nt_feed(0);
	}
	nt_run();
	nt_drops(PLX_DROP_IP_NOT_LOCAL, 2);
	eq(sock.n, 4);
	eq(sock.bytes, 6);
	ok(!sock.msg.to_many);
	plx_prefix_parse(&addr, "10.0.0.2/24");
	eq(plx_net_addr_del(nt.net, 1, &addr), 0);
	nt_run();
	nt_in(0, in[0]);
	nt_drop(PLX_DROP_IP_NOT_LOCAL);
	eq(sock.n, 4);
}

static struct nt_sock first;

static void make_room(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	first.n++;
	rte_pktmbuf_free(m);
	plx_net_udp_close(nt.net, s);
	eq(nt_open(&sock, 7, 0), 0);
}

T(sockets_come_and_go_within_a_burst)
{
	const struct plx_net_udp_ops ops = {.rx = make_room};

	nt_simple();
	eq(nt_open(&first, 7, 0), 0);
	first.s.ops = &ops;
	for (int i = 0; i < 3; i++) {
		nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
		nt_feed(0);
	}
	nt_run();
	eq(first.n, 1);
	eq(sock.n, 2);
	nt_no_drop();
	plx_net_udp_close(nt.net, &sock.s);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_drop(PLX_DROP_UDP_NO_PORT);
}

T(an_empty_datagram_is_one)
{
	start(true);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 0");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 0");
	eq(sock.n, 1);
}

T(nobody_there)
{
	nt_simple();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 8 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 3 quote 32");
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 udp 1024 > 8 len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp unreach 4 quote 52");
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_none();
}

T(checksums)
{
	start(false);
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	check_of(false)[0] ^= 1;
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_UDP_CHECKSUM);
	eq(nt_stat(PLX_STAT_UDP_INCSUMERRORS), 1);

	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	memset(check_of(false), 0, 2); /* none: IPv4 allows it */
	nt_feed(0);
	nt_run();
	eq(sock.n, 1);
	nt_make(0, "ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 4");
	memset(check_of(true), 0, 2); /* RFC 8200 8.1 */
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_UDP_ZERO_CHECKSUM);
	nt_none();
}

/* A sum of 0 is sent as ffff (RFC 768): try source ports until one comes by. */
T(a_sum_of_zero_is_sent_as_ones)
{
	int ones = 0;

	start(true);
	for (unsigned int port = 1; port < 65536; port++) {
		struct rte_mbuf *m;
		const uint8_t *p;
		char text[80];
		uint16_t check;

		snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %u > 7 len 2", port);
		nt_make(0, text);
		nt_feed(0);
		plx_engine_step(nt.eng, 0);
		m = t_port_sent(&nt.port[0], 0);
		assert_non_null(m);
		p = rte_pktmbuf_mtod(m, const uint8_t *);
		check = plx_get_be16(p + 40);
		rte_pktmbuf_free(m);
		ne(check, 0);
		ones += check == 0xffff;
	}
	eq(ones, 1);
	nt_no_drop();
}

T(lengths)
{
	start(false);
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	check_of(false)[-1] = 13; /* one more than there is */
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_UDP_LENGTH);
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	check_of(false)[-1] = 7;
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_UDP_LENGTH);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 0 len 4");
	nt_drop(PLX_DROP_UDP_PORT_ZERO);
	eq(sock.n, 0);
	nt_none();
}

/* What follows the datagram in its packet is not for the program, however the mbufs are cut. */
static void surplus(uint32_t seg)
{
	struct plx_udp udp = {.sport = 1024, .dport = 7, .len = 8 + 100};

	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 400");
	plx_wire_udp_emit(check_of(false) - 6, &udp);
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, seg);
	nt_run();
	eq(sock.bytes, 100);
}

T(surplus_bytes_are_cut)
{
	start(false);
	surplus(0);
	surplus(64);
	surplus(200);
	surplus(150);
	eq(sock.n, 4);
	nt_no_drop();
}

T(chained_mbufs)
{
	start(true);
	for (uint32_t seg = 14; seg < 120; seg++) {
		nt_in_chained(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 60", seg);
		nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 60");
		nt_in_chained(0, "ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 60", seg);
		nt_out(0, "ip 2001:db8::2 > 2001:db8::1 udp 7 > 1024 len 60");
	}
	nt_no_drop();
}

T(our_own_addresses_answer_without_the_wire)
{
	static struct nt_sock client;

	start(true);
	eq(nt_open(&client, 9, 0), 0);
	for (int i = 0; i < 3; i++) {
		static const char *const self[] = {"10.0.0.2", "127.0.0.1", "2001:db8::2"};

		client.errors = 0;
		eq(nt_send(self[i], 4), PLX_DROP_NONE); /* to port 9: we hear ourselves */
		eq(client.n, i + 1);
		eq(client.bytes, 4);
	}
	plx_net_udp_close(nt.net, &client.s);
	eq(nt_send("10.0.0.2", 4), PLX_DROP_NONE); /* the error comes back, and finds nobody */
	eq(nt_stat(PLX_STAT_UDP_NOPORTS), 1);
	eq(nt_stat(PLX_STAT_ICMP_INDESTUNREACHS), 1);
	nt_none();
}

/* As long as a datagram can be, to ourselves: no MTU, no fragments (RFC 8200 4.5, RFC 791). */
T(the_longest_datagrams_to_ourselves)
{
	start(false);
	eq(nt_open(&sock, 9, 0), 0);
	eq(nt_send("2001:db8::2", 65527), PLX_DROP_NONE);
	eq(sock.bytes, 65527);
	eq(nt_send("10.0.0.2", 65507), PLX_DROP_NONE);
	eq(sock.bytes, 65507);
	nt_no_drop();
	eq(nt_send("10.0.0.2", 65508), PLX_DROP_IP_TOO_BIG);
	nt_drop(PLX_DROP_IP_TOO_BIG);
	nt_none();
}

/* Two echo ports and a forged datagram: it would go round for ever. */
T(nobody_talks_to_himself_by_our_address)
{
	start(true);
	nt_in(0, "ip 10.0.0.2 > 10.0.0.2 udp 7 > 7 len 4");
	nt_drop(PLX_DROP_IP4_MARTIAN_SRC);
	nt_in(0, "ip 10.0.0.255 > 10.0.0.2 udp 7 > 7 len 4");
	nt_drop(PLX_DROP_IP4_MARTIAN_SRC);
	nt_in(0, "ip 2001:db8::2 > 2001:db8::2 udp 7 > 7 len 4");
	nt_drop(PLX_DROP_IP6_MARTIAN_SRC);
	eq(sock.n, 0);
	nt_none();
}

T(broadcast_and_groups)
{
	struct plx_addr group = t_addr("239.1.2.3");

	start(true);
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 udp 1024 > 7 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 4");
	ok(sock.msg.to_many);
	nt_in(0, "to ff:ff:ff:ff:ff:ff ip 10.0.0.1 > 10.0.0.255 udp 1024 > 7 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 4");
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 udp 1024 > 8 len 4"); /* no error about those */
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1024 > 7 len 4");
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	nt_none();
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1024 > 7 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 4");
	eq(plx_net_group_leave(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1024 > 7 len 4");
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	nt_none();
}

/* The groups of the stack are its own, and what nobody joined cannot be left. */
T(only_what_was_joined_is_left)
{
	struct plx_addr group = t_addr("239.1.2.3"), own = t_addr("ff02::1:ff00:2");

	nt_simple();
	eq(plx_net_group_leave(nt.net, 1, &own), -EADDRNOTAVAIL);
	eq(plx_net_group_leave(nt.net, 1, &group), -EADDRNOTAVAIL);
	for (int i = 0; i < 2; i++) {
		eq(plx_net_group_join(nt.net, 1, &group), 0);
		eq(plx_net_group_join(nt.net, 1, &own), 0);
	}
	for (int i = 0; i < 2; i++) {
		eq(plx_net_group_leave(nt.net, 1, &own), 0);
		eq(plx_net_group_leave(nt.net, 1, &group), 0);
	}
	eq(plx_net_group_leave(nt.net, 1, &own), -EADDRNOTAVAIL);
	nt_sleep(PLX_SEC(10));
	nt_forget();
	nt_in(0, "ip 2001:db8::1 > ff02::1:ff00:2 icmp echo-request len 4"); /* still heard */
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4");
}

/* What goes to a group is heard by its members here, and everybody includes ourselves. */
T(what_we_send_to_many_comes_back)
{
	static const char *const to[] = {"239.1.2.3", "ff15::3"};
	struct plx_addr group;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	for (int i = 0; i < 2; i++) {
		group = t_addr(to[i]);
		eq(nt_send(to[i], 4), PLX_DROP_NONE);
		eq(sock.n, 0); /* no member */
		eq(plx_net_group_join(nt.net, 1, &group), 0);
		nt_run();
		nt_forget();
		nt_mark();
		eq(nt_send(to[i], 4), PLX_DROP_NONE);
		eq(sock.n, 1);
		eq(sock.bytes, 4);
		ok(sock.msg.to_many);
		eq(sock.msg.iface, 1);
		ok(plx_addr_eq(&sock.msg.dst, &group));
		nt_out(0, i ? "ip 2001:db8::2 > ff15::3 ttl 1 udp 9 > 9 len 4"
			    : "ip 10.0.0.2 > 239.1.2.3 ttl 1 df udp 9 > 9 len 4");
		nt_no_drop();
		sock.n = 0;
		eq(plx_net_group_leave(nt.net, 1, &group), 0);
		nt_run();
		nt_forget();
		eq(nt_send(to[i], 4), PLX_DROP_NONE);
		eq(sock.n, 0);
		nt_forget();
	}
	eq(nt_send("10.0.0.255", 4), PLX_DROP_NONE);
	eq(nt_send("255.255.255.255", 4), PLX_DROP_NONE);
	eq(sock.n, 2);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.255 df udp 9 > 9 len 4 to ff:ff:ff:ff:ff:ff");
	nt_out(0, "ip 10.0.0.2 > 255.255.255.255 df udp 9 > 9 len 4 to ff:ff:ff:ff:ff:ff");
	nt_none();
	nt_no_drop();
	plx_net_udp_close(nt.net, &sock.s);
	eq(nt_send("10.0.0.255", 4), PLX_DROP_NONE);
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(nt_stat(PLX_STAT_UDP_IGNOREDMULTI), 1);
	eq(nt_stat(PLX_STAT_UDP_NOPORTS), 0);
	nt_forget();
}

/* The wire gets it in fragments, the members here whole; a device's checksum is not for them. */
T(what_comes_back_is_whole_and_right)
{
	struct plx_addr group = t_addr("239.1.2.3");

	nt_new(1, PLX_PORT_F_TX_CSUM_L4);
	nt_addr(1, "10.0.0.2/24");
	nt_settle();
	eq(nt_open(&sock, 9, 0), 0);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	eq(nt_send("239.1.2.3", 4), PLX_DROP_NONE);
	eq(sock.n, 1);
	nt_out(0, "ip 10.0.0.2 > 239.1.2.3 ttl 1 df udp 9 > 9 len 4");
	eq(nt_send("239.1.2.3", 3000), PLX_DROP_NONE);
	eq(sock.n, 2);
	eq(sock.bytes, 3000);
	for (int i = 0; i < 2048; i++)
		eq(sock.data[i], (uint8_t)(i % 2000));
	nt_out(0, "ip 10.0.0.2 > 239.1.2.3 ttl 1 +0 proto 17 len 1480");
	nt_out(0, "ip 10.0.0.2 > 239.1.2.3 ttl 1 +1480 proto 17 len 1480");
	nt_out(0, "ip 10.0.0.2 > 239.1.2.3 ttl 1 @2960 proto 17 len 48");
	nt_none();
	nt_no_drop();
}

/* What leaves with its checksum to be made by the device. */
static bool left_to_device(void)
{
	struct rte_mbuf *m;
	bool left;

	eq(nt_send("239.1.2.3", 4), PLX_DROP_NONE);
	nt_run();
	m = t_port_sent(&nt.port[0], 0);
	assert_non_null(m);
	left = m->ol_flags & RTE_MBUF_F_TX_UDP_CKSUM;
	rte_pktmbuf_free(m);
	return left;
}

T(features_are_followed)
{
	uint32_t wanted;

	nt_new(1, PLX_PORT_F_TX_CSUM_L4);
	nt_addr(1, "10.0.0.2/24");
	nt_settle();
	eq(nt_open(&sock, 9, 0), 0);
	nt_forget();
	ok(left_to_device());
	wanted = nt.port[0].port->wanted;
	eq(plx_net_port_set_features(nt.net, 0, wanted & ~(uint32_t)PLX_PORT_F_TX_CSUM_L4), 0);
	ok(!left_to_device());
	eq(plx_net_port_set_features(nt.net, 0, wanted), 0);
	ok(left_to_device());
	eq(plx_net_port_set_features(nt.net, 1, wanted), -ENODEV);
}

/* IP_MULTICAST_LOOP is 0: groups only, as in Linux. */
T(who_does_not_want_it_back)
{
	struct plx_softnet *sn;
	struct plx_net_udp_msg msg = {.sport = 9, .dport = 9, .no_loop = true};
	struct plx_addr group = t_addr("239.1.2.3");

	nt_simple();
	sn = plx_engine_softnet(nt.eng, 0);
	eq(nt_open(&sock, 9, 0), 0);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	msg.dst = group;
	eq(plx_net_udp_send(sn, plx_softnet_alloc(sn), &msg), PLX_DROP_NONE);
	nt_run();
	eq(sock.n, 0);
	nt_out(0, "ip 10.0.0.2 > 239.1.2.3 ttl 1 df udp 9 > 9 len 0");
	msg.dst = t_addr("10.0.0.255");
	eq(plx_net_udp_send(sn, plx_softnet_alloc(sn), &msg), PLX_DROP_NONE);
	nt_run();
	eq(sock.n, 1);
	eq(nt_forget(), 1);
	nt_no_drop();
}

/* RFC 4291 2.7: the scope of an interface has no wire. */
T(interface_local_groups_stay_here)
{
	struct plx_addr group = t_addr("ff01::3");

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	eq(nt_send("ff01::3", 4), PLX_DROP_NONE);
	nt_drop(PLX_DROP_IP_MCAST_NOT_MEMBER);
	eq(sock.n, 0);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	eq(nt_send("ff01::3", 4), PLX_DROP_NONE);
	eq(sock.n, 1);
	nt_none();
	nt_no_drop();
}

T(errors_reach_the_socket)
{
	start(true);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 4");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 28");
	eq(sock.errors, 1);
	eq(sock.err, ECONNREFUSED);
	eq(sock.mtu, 0);
	eq(sock.msg.dport, 1024);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp time 0 rest 77 quote 28");
	eq(sock.err, EHOSTUNREACH);
	eq(sock.mtu, 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 4 rest 1400 quote 28");
	eq(sock.err, EMSGSIZE);
	eq(sock.mtu, 1400);
	nt_no_drop();
	nt.last[21] = 66; /* from a port that nobody has */
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 28");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	eq(sock.errors, 3);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp quench 0 quote 28"); /* RFC 6633 5 */
	nt_drop(PLX_DROP_ICMP_TYPE);
	eq(sock.errors, 3);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 19");
	nt_drop(PLX_DROP_ICMP_QUOTE);
	nt_none();
}

/* No mbuf for a header: the packet has a door out all the same. */
T(no_buffers)
{
	struct rte_mbuf *all[512];
	unsigned int n = 0;

	nt.mbufs = 256;
	start(true);
	nt.mbufs = 0;
	while (n < 512 && (all[n] = plx_softnet_alloc(plx_engine_softnet(nt.eng, 0))))
		n++;
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 8 len 4"); /* no buffer for the error */
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 udp 1024 > 7 len 4"); /* nor for a copy */
	eq(nt_stat(PLX_STAT_UDP_RCVBUFERRORS), 1);
	eq(sock.n, 0);
	nt_none();
	rte_pktmbuf_free_bulk(all, 1); /* one to send, none to hear it */
	eq(nt_send("255.255.255.255", 4), PLX_DROP_NONE);
	eq(nt_stat(PLX_STAT_IP_OUTDISCARDS), 1);
	eq(nt_forget(), 1);
	rte_pktmbuf_free_bulk(all + 1, n - 1);
}

RUN_EAL(NT_(echoes), NT_(answers_go_each_to_its_own), NT_(packets_of_a_burst_go_each_where_it_says),
	NT_(sockets_come_and_go_within_a_burst), NT_(an_empty_datagram_is_one), NT_(nobody_there),
	NT_(checksums), NT_(a_sum_of_zero_is_sent_as_ones), NT_(lengths),
	NT_(surplus_bytes_are_cut), NT_(chained_mbufs),
	NT_(our_own_addresses_answer_without_the_wire), NT_(the_longest_datagrams_to_ourselves),
	NT_(nobody_talks_to_himself_by_our_address), NT_(broadcast_and_groups),
	NT_(only_what_was_joined_is_left), NT_(what_we_send_to_many_comes_back),
	NT_(what_comes_back_is_whole_and_right), NT_(features_are_followed),
	NT_(who_does_not_want_it_back), NT_(interface_local_groups_stay_here),
	NT_(errors_reach_the_socket), NT_(no_buffers))
