/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_tcp_t.h"

#include "offload_t.h"

/* TCP on ports that take chains, and on those that cut super-segments themselves; what GRO merges
 * on the way in. */

static void start(uint32_t features, bool v6)
{
	tt = (struct tt){.port = 1024, .seq = 1000, .v6 = v6};
	nt_new(1, features);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	nt_settle();
	tt_listen();
	tt_connect();
}

static void stream(uint64_t bytes)
{
	tt.to_send = bytes;
	tt_write(tt_sn(), tt.c);
	nt_run();
}

/* All that was sent, in segments of at most an MSS, acknowledged as it comes. @return segments. */
static uint32_t take_all(uint64_t bytes)
{
	uint64_t got = 0;
	uint32_t n = 0;
	struct tt_seg s;

	while (got < bytes) {
		ok(tt_out(&s));
		eq(s.h.seq, tt.ack);
		ok(s.len && s.len <= 1460);
		for (uint32_t i = 0; i < s.len; i++)
			eq(s.text[i], tt_text(got + i));
		got += s.len;
		tt.ack += s.len;
		n++;
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	}
	nt_none();
	return n;
}

T(a_stream_leaves_in_segments)
{
	const uint32_t ports[] = {0, PLX_PORT_F_SG, PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4};

	for (uint32_t i = 0; i < 2 * PLX_DIM(ports); i++) {
		uint64_t before;
		uint32_t n;

		start(ports[i / 2], i % 2);
		before = nt_stat(PLX_STAT_TCP_OUTSEGS);
		stream(200000);
		n = take_all(200000);
		eq(nt_stat(PLX_STAT_TCP_OUTSEGS) - before, n);
		eq(nt_stat(PLX_STAT_TCP_RETRANSSEGS), 0);
		nt_no_drop();
		eq(tt_after(NULL), 0);
	}
}

/* Text that is acknowledged while a driver still holds the packet lives until that lets go. */
T(what_is_lent_outlives_its_acknowledgement)
{
	struct rte_mbuf *m;
	struct plx_arena *mem;
	size_t idle, held;

	start(PLX_PORT_F_SG, false);
	mem = plx_net_tcp_tcb(tt.c)->ctx->mem;
	idle = plx_arena_used(mem);
	stream(1460);
	m = t_port_sent(&nt.port[0], 0);
	assert_non_null(m);
	ok(m->nb_segs > 1);
	tt.ack += 1460;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	held = plx_arena_used(mem);
	ok(held > idle);
	for (uint32_t i = 0; i < m->next->data_len; i++)
		eq(rte_pktmbuf_mtod(m->next, const uint8_t *)[i], tt_text(i));
	rte_pktmbuf_free(m);
	ok(plx_arena_used(mem) < held);
	nt_none();
}

static void whole(bool v6)
{
	const uint32_t bytes = 5 * 1440; /* half of the first window */
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_TSO, v6);
	stream(bytes);
	m = t_port_sent(&nt.port[0], 0);
	assert_non_null(m);
	ok(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	eq(!!(m->ol_flags & RTE_MBUF_F_TX_IPV6), v6);
	eq(!!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM), !v6);
	eq(m->l2_len, 14);
	eq(m->l3_len, v6 ? 40 : 20);
	eq(m->l4_len, 20);
	eq(m->tso_segsz, v6 ? 1440 : 1460);
	eq(m->pkt_len, (uint32_t)m->l2_len + m->l3_len + m->l4_len + bytes);
	eq(plx_pkt_wire(m), (bytes + m->tso_segsz - 1) / m->tso_segsz);
	if (!v6) /* DPDK's: the device makes it */
		eq(plx_get_be16(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 10)), 0);
	eq(plx_gso_parts(m), plx_pkt_wire(m));
	eq(nt_stat(PLX_STAT_TCP_OUTSEGS), 1 + plx_pkt_wire(m));
	plx_count(
		plx_acct_self()->tx_pkts, plx_pkt_wire(m) - 1); /* the port here does not say so */
	rte_pktmbuf_free(m);
	nt_none();
}

T(a_device_that_cuts_gets_it_whole)
{
	whole(false);
}

T(a_device_that_cuts_gets_it_whole_by_ipv6)
{
	whole(true);
}

T(what_comes_in_a_row_is_acknowledged_as_one)
{
	struct tt_seg s;
	uint64_t before;

	start(PLX_PORT_F_SG, true);
	before = nt_stat(PLX_STAT_IP6_INRECEIVES);
	for (uint32_t i = 0; i < 6; i++) {
		tt_make(PLX_TCP_ACK, tt.seq + 1000 * i, 1000 * i, 1000);
		nt_feed(0);
	}
	nt_run();
	eq(tt.got, 6000);
	eq(nt_stat(PLX_STAT_TCP_INSEGS), 2 + 6);
	eq(nt_stat(PLX_STAT_IP6_INRECEIVES) - before, 1);
	tt_expect(&s, PLX_TCP_ACK, 0);
	eq(s.h.ack, tt.seq + 6000);
	nt_none();
	nt_no_drop();
}

/* Merged for forwarding's sake, and then it is for a socket of ours: each by itself. */
static void datagrams(const char *ask, const char *answer, bool v6)
{
	static struct nt_sock sock;

	nt_new(1, PLX_PORT_F_SG);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	nt_settle();
	eq(nt_open(&sock, 7, 0), 0);
	sock.echo = true;
	nt.port[0].port->features |= PLX_PORT_F_UDP_GRO;
	for (int i = 0; i < 4; i++) {
		nt_make(0, ask);
		nt_feed(0);
	}
	nt_run();
	eq(nt_stat(v6 ? PLX_STAT_IP6_INRECEIVES : PLX_STAT_IP_INRECEIVES), 1);
	eq(nt_stat(v6 ? PLX_STAT_UDP6_INDATAGRAMS : PLX_STAT_UDP_INDATAGRAMS), 4);
	for (int i = 0; i < 4; i++)
		nt_out(0, answer);
	nt_none();
	nt_no_drop();
	eq(nt_after(NULL), 0);
}

T(a_socket_gets_merged_datagrams_one_by_one)
{
	datagrams("ip 10.0.0.1 > 10.0.0.2 df udp 1024 > 7 len 100",
		"ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 100", false);
	datagrams("ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 100",
		"ip 2001:db8::2 > 2001:db8::1 udp 7 > 1024 len 100", true);
}

/* ---- forwarding ---- */

static void frame_at(uint8_t *b, const struct t_pkt *p, const struct plx_mac *dst,
	const struct plx_mac *src, uint32_t *bytes)
{
	*bytes = t_frame(b, p);
	memcpy(b, dst, 6);
	memcpy(b + 6, src, 6);
}

static void forward(const struct t_pkt *p, bool fixed_id)
{
	static uint8_t in[T_FRAME_MAX], out[T_FRAME_MAX];
	const uint32_t parts = (p->bytes + 999) / 1000;
	uint32_t bytes;

	nt_new(2, PLX_PORT_F_SG);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_addr(1, "10.9.0.2/24");
	nt_addr(1, "fd09::2/64");
	nt_addr(2, "10.0.0.2/24");
	nt_addr(2, "fd00::2/64");
	nt_neigh(2, "10.0.0.1");
	nt_neigh(2, "fd00::1");
	nt_settle();
	for (uint32_t i = 0; i < parts; i++) {
		const struct t_pkt q = t_part(p, 1000, i, fixed_id);

		frame_at(in, &q, &nt.port[0].port->mac, &nt.peer[0], &bytes);
		t_port_feed(&nt.port[0], 0, in, bytes, 0);
	}
	nt_run();
	eq(nt_stat(p->v6 ? PLX_STAT_IP6_INRECEIVES : PLX_STAT_IP_INRECEIVES), 1);
	for (uint32_t i = 0; i < parts; i++) {
		struct rte_mbuf *m = t_port_sent(&nt.port[1], 0);
		struct t_pkt q = t_part(p, 1000, i, fixed_id);

		assert_non_null(m);
		q.ttl--;
		frame_at(out, &q, &nt.peer[1], &nt.port[1].port->mac, &bytes);
		t_same_bytes(m, out, bytes);
		rte_pktmbuf_free(m);
	}
	nt_none();
	nt_no_drop();
	eq(tt_after(NULL), 0);
}

T(forwards_to_the_byte_what_came)
{
	forward(&(struct t_pkt){T_TCP4, .host = 7, .id = 9, .flags = PLX_TCP_ACK | PLX_TCP_PSH,
			.bytes = 6500},
		false);
	forward(&(struct t_pkt){T_TCP4, .host = 7, .df = true, .bytes = 5000}, true);
	forward(&(struct t_pkt){T_TCP6, .host = 7, .label = 77, .bytes = 7001}, false);
}

/* Without DF: its parts are fragmented where they do not fit. */
T(what_was_merged_is_fragmented_one_by_one)
{
	const struct t_pkt p = {T_TCP4, .host = 7, .id = 40, .bytes = 3000};
	static uint8_t in[T_FRAME_MAX];
	struct plx_net_route r = {.dst = t_prefix("10.0.0.1/32"), .iface = 2, .mtu = 600};
	uint32_t bytes;

	nt_new(2, PLX_PORT_F_SG);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_addr(1, "10.9.0.2/24");
	nt_addr(2, "10.0.0.2/24");
	nt_neigh(2, "10.0.0.1");
	eq(plx_net_route_add(nt.net, &r), 0);
	nt_settle();
	for (uint32_t i = 0; i < 3; i++) {
		const struct t_pkt q = t_part(&p, 1000, i, false);

		frame_at(in, &q, &nt.port[0].port->mac, &nt.peer[0], &bytes);
		t_port_feed(&nt.port[0], 0, in, bytes, 0);
	}
	nt_run();
	eq(nt_stat(PLX_STAT_IP_INRECEIVES), 1);
	eq(nt_stat(PLX_STAT_IP_FRAGOKS), 3);
	for (uint32_t i = 0; i < 6; i++) {
		struct rte_mbuf *m = t_port_sent(&nt.port[1], 0);
		const uint8_t *ip;

		assert_non_null(m);
		ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
		ok(m->pkt_len <= 14 + 600);
		eq(plx_get_be16(ip + 4), 40 + i / 2); /* the parts' own identifications */
		eq(!!(plx_get_be16(ip + 6) & 0x1fff), i % 2);
		rte_pktmbuf_free(m);
	}
	nt_none();
	nt_no_drop();
}

/* What was merged waits for its next hop as so many packets as it is. */
T(merged_packets_that_wait_are_counted_as_they_came)
{
	const struct t_pkt p = {T_TCP4, .host = 7, .bytes = 5000};
	static uint8_t in[T_FRAME_MAX];
	uint32_t bytes;

	nt_new(2, PLX_PORT_F_SG);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_tun(PLX_TUN_NEIGH_UNRES_QLEN, 2);
	nt_addr(1, "10.9.0.2/24");
	nt_addr(2, "10.0.0.2/24");
	nt_settle();
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 5; i++) {
			const struct t_pkt q = t_part(&p, 1000, i, false);

			frame_at(in, &q, &nt.port[0].port->mac, &nt.peer[0], &bytes);
			t_port_feed(&nt.port[0], 0, in, bytes, 0);
		}
		nt_run();
		eq(plx_net_held(nt.net), PLX_MIN(round + 1, 2u) * 5);
	}
	nt_drops(PLX_DROP_NEIGH_QUEUE_FULL, 5); /* the oldest made room */
	nt_forget();				/* who has 10.0.0.1? */
	nt_neigh(2, "10.0.0.1");
	nt_run();
	eq(plx_net_held(nt.net), 0);
	eq(nt_forget(), 10);
}

RUN_EAL(TT_(a_stream_leaves_in_segments), TT_(what_is_lent_outlives_its_acknowledgement),
	TT_(a_device_that_cuts_gets_it_whole), TT_(a_device_that_cuts_gets_it_whole_by_ipv6),
	TT_(what_comes_in_a_row_is_acknowledged_as_one), TT_(forwards_to_the_byte_what_came),
	TT_(a_socket_gets_merged_datagrams_one_by_one),
	TT_(what_was_merged_is_fragmented_one_by_one),
	TT_(merged_packets_that_wait_are_counted_as_they_came))
