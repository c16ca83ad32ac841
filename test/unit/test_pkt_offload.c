/* SPDX-License-Identifier: BSD-3-Clause */
#include "pkt_t.h"

#include <errno.h>

T(layers_are_found_behind_tags_and_without_ethernet)
{
	static const struct {
		struct t_pkt k;
		uint16_t l2, l3, l4;
	} rows[] = {
		{{.text = 10}, 14, 20, 20},
		{{.text = 10, .v6 = true, .udp = true, .vlans = 1}, 18, 40, 8},
		{{.text = 9000, .vlans = 2, .udp = true}, 22, 20, 8},
		{{.text = 3, .v6 = true, .bare = true}, 0, 40, 20},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct rte_mbuf *m = t_pkt(&rows[i].k);
		struct plx_pkt_layers l;

		ok(plx_pkt_layers(&l, m, !rows[i].k.bare));
		eq(l.l2_bytes, rows[i].l2);
		eq(l.l3_bytes, rows[i].l3);
		eq(l.l4_bytes, rows[i].l4);
		eq(l.version, rows[i].k.v6 ? 6 : 4);
		eq(l.udp, rows[i].k.udp);
		eq(l.len, rows[i].l4 + rows[i].k.text);
		plx_pkt_deliver(m);
	}
}

T(options_of_ip6_are_skipped_a_routing_header_is_not)
{
	uint32_t l4, n = t_build(&(struct t_pkt){.text = 50, .v6 = true}, &l4);
	struct plx_pkt_layers l;
	struct rte_mbuf *m;

	memmove(t_bytes + l4 + 8, t_bytes + l4, n - l4);
	memcpy(t_bytes + l4, "\x06\x00\x01\x04\0\0\0\0", 8);
	t_bytes[14 + 6] = PLX_IPPROTO_HOPOPTS;
	plx_put_be16(t_bytes + 14 + 4, 8 + 20 + 50);
	m = t_chain(t_bytes, n + 8, 0, 1);
	ok(plx_pkt_layers(&l, m, true));
	eq(l.l3_bytes, 48);
	eq(l.len, 70);
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 20) = PLX_IPPROTO_ROUTING;
	ok(!plx_pkt_layers(&l, m, true));
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 20) = PLX_IPPROTO_DSTOPTS;
	*rte_pktmbuf_mtod_offset(m, uint8_t *, l4 + 1) = 255; /* past the end */
	ok(!plx_pkt_layers(&l, m, true));
	plx_pkt_deliver(m);
}

T(what_has_no_such_headers_is_refused)
{
	static const struct {
		uint32_t at;
		uint8_t value;
	} rows[] = {
		{12, 0x88},	      /* EtherType */
		{14, 0x65},	      /* version */
		{14, 0x44},	      /* header length */
		{14, 0x4f},	      /* the same: longer than the packet */
		{14 + 2, 0xff},	      /* total length */
		{14 + 6, 0x20},	      /* a fragment */
		{14 + 7, 0x01},	      /* the same */
		{14 + 9, 1},	      /* ICMP */
		{14 + 20 + 12, 0x40}, /* TCP's header length */
		{14 + 20 + 12, 0xf0}, /* the same */
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = 10});
		struct plx_pkt_layers l;

		*rte_pktmbuf_mtod_offset(m, uint8_t *, rows[i].at) = rows[i].value;
		ok(!plx_pkt_layers(&l, m, true));
		m->ol_flags |= plx_pkt_partial_flag;
		eq(plx_pkt_ask(m, true), -EINVAL);
		ok(m->ol_flags & plx_pkt_partial_flag);
		plx_pkt_deliver(m);
	}
}

/* Cut anywhere it is refused, and nothing is read behind the end (ASan looks). */
T(short_packets_are_refused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct t_pkt k = {.v6 = v6};
		uint32_t l4, n = t_build(&k, &l4);

		for (uint32_t len = 1; len < n; len++) {
			struct rte_mbuf *m = t_chain(t_bytes, len, 0, 1);
			struct plx_pkt_layers l;

			ok(!plx_pkt_layers(&l, m, true));
			plx_pkt_deliver(m);
		}
	}
}

T(a_partial_checksum_is_asked_of_the_device)
{
	for (int i = 0; i < 4; i++) {
		struct t_pkt k = {.text = 3000, .v6 = i & 1, .udp = i & 2};
		struct rte_mbuf *m = t_pkt(&k);
		uint32_t l4, n = t_build(&k, &l4);

		m->ol_flags |= plx_pkt_partial_flag | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		eq(plx_pkt_ask(m, true), 0);
		eq(m->ol_flags &
				(plx_pkt_partial_flag | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 |
					RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM),
			(k.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM) |
				(k.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
		eq(m->l2_len, 14);
		eq(m->l3_len, k.v6 ? 40 : 20);
		t_same(m, n);
		plx_pkt_deliver(m);
	}
}

T(a_merged_packet_is_asked_to_be_cut)
{
	for (int i = 0; i < 4; i++) {
		struct t_pkt k = {.text = 3000, .v6 = i & 1, .udp = i & 2};
		struct rte_mbuf *m = t_pkt(&k);
		struct plx_ip ip = t_ip(&k, 0);
		uint32_t field = (k.v6 ? 54u : 34u) + (k.udp ? 6u : 16u);

		m->ol_flags |= plx_pkt_partial_flag | RTE_MBUF_F_RX_LRO;
		m->tso_segsz = 1400;
		plx_pkt_set_wire(m, 3);
		eq(plx_pkt_ask(m, true), 0);
		ok(m->ol_flags & (k.udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG));
		ok(!(m->ol_flags & RTE_MBUF_F_RX_LRO));
		eq(m->l4_len, k.udp ? 8 : 20);
		eq(m->tso_segsz, 1400);
		eq(plx_pkt_wire(m), 3);
		/* DPDK: without the length */
		eq(t_field(m, field),
			plx_cksum_fold(plx_cksum_pseudo(&ip.src, &ip.dst, ip.proto, 0)));
		plx_pkt_originate(2);
		plx_pkt_deliver(m);
	}
}

T(parts_are_counted_by_the_payload)
{
	static const struct {
		uint32_t text, part, wire;
		bool fits;
	} tries[] = {{3000, 1000, 3, true}, {3001, 1000, 4, true}, {3000, 3000, 1, true},
		{10, 3000, 1, true}, {3000, 0, 1, false}, {0, 1000, 1, false},
		{3000, 65536, 1, false}};

	for (size_t i = 0; i < PLX_DIM(tries); i++) {
		struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = tries[i].text});
		struct plx_pkt_layers l;

		ok(plx_pkt_layers(&l, m, true));
		m->ol_flags |= RTE_MBUF_F_RX_LRO;
		eq(plx_pkt_set_parts(m, &l, tries[i].part), tries[i].fits);
		eq(plx_pkt_wire(m), tries[i].wire);
		eq(!!(m->ol_flags & RTE_MBUF_F_RX_LRO), tries[i].wire > 1);
		if (tries[i].wire > 1)
			eq(m->tso_segsz, tries[i].part);
		plx_pkt_originate(tries[i].wire - 1);
		plx_pkt_deliver(m);
	}
}

T(a_partial_checksum_is_completed)
{
	for (int i = 0; i < 4; i++) {
		struct t_pkt k = {.text = 4999, .v6 = i & 1, .udp = i & 2, .seg = 777};
		struct rte_mbuf *m = t_pkt(&k);
		uint32_t l4, n;

		m->ol_flags |= plx_pkt_partial_flag | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		eq(plx_pkt_complete(m, true), 0);
		eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
		k.sum = true;
		n = t_build(&k, &l4);
		t_same(m, n);
		plx_pkt_deliver(m);
	}
}

/* What is made of a delivered packet begins without its past. */
T(where_it_is_delivered_its_past_ends)
{
	struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = 100});

	m->ol_flags |= plx_pkt_partial_flag | RTE_MBUF_F_RX_LRO;
	plx_pkt_deliver_keep(m);
	eq(m->ol_flags, 0);
	rte_pktmbuf_free(m);
}

RUN_EAL(T_EAL_(layers_are_found_behind_tags_and_without_ethernet),
	T_EAL_(options_of_ip6_are_skipped_a_routing_header_is_not),
	T_EAL_(what_has_no_such_headers_is_refused), T_EAL_(short_packets_are_refused),
	T_EAL_(a_partial_checksum_is_asked_of_the_device),
	T_EAL_(a_merged_packet_is_asked_to_be_cut), T_EAL_(a_partial_checksum_is_completed),
	T_EAL_(parts_are_counted_by_the_payload), T_EAL_(where_it_is_delivered_its_past_ends))
