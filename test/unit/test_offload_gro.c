/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts in, order, chains, what is held and for how long. */
#include "offload_gro_t.h"

T(a_packet_alone_comes_out_as_it_came)
{
	static const struct t_pkt rows[] = {
		{T_TCP4, .bytes = 1, .pad_bytes = 5},
		{T_TCP6, .bytes = 500},
		{T_UDP4, .bytes = 10, .pad_bytes = 8},
		{T_UDP4, .bytes = 0, .pad_bytes = 18},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		begin(true, false);
		in(&rows[i]);
		flush();
		alone(&rows[i]);
	}
}

T(what_was_summed_up_here_is_marked_good)
{
	struct t_pkt p = {T_TCP4, .bytes = SEG};
	struct rte_mbuf *m;

	begin(false, false);
	in(&p);
	flush();
	m = next_out();
	eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD);
	t_is_pkt(m, &p);
}

/* What stands in the mbuf: a tag that the driver took off, the port. */
T(a_stripped_tag_and_the_port_matter)
{
	PAIR(T_TCP4);
	const uint64_t strip = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

	const uint64_t both = strip | RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;

	for (int i = 0; i < 6; i++) {
		struct rte_mbuf *x = t_pkt_mbuf(&a), *y = t_pkt_mbuf(&b);

		x->ol_flags |= i < 4 ? strip : both;
		x->vlan_tci = 5;
		x->vlan_tci_outer = 7;
		y->vlan_tci_outer = i == 4 ? 7 : 8; /* without QinQ it means nothing */
		if (i != 1)
			y->ol_flags |= i < 4 ? strip : both;
		y->vlan_tci = i == 2 ? 6 : 5;
		y->port = (uint16_t)(x->port + (i == 3));
		begin(false, false);
		receive(x);
		receive(y);
		flush();
		if (i == 0 || i == 4) {
			merged(&p, SEG, false);
			continue;
		}
		alone(&a);
		alone(&b);
	}
}

/* Ports that nobody knows: all that is held between the addresses goes first, the rest stays. */
static void goes_behind(struct t_pkt odd, bool own_proto)
{
	struct t_pkt a = {T_TCP4, .v6 = odd.v6, .bytes = SEG}, other = a;

	other.host = 9;
	begin(true, false);
	in(&other);
	in(&a);
	in(&odd);
	if (own_proto)
		alone(&a);
	alone(&odd);
	nothing();
	flush();
	if (own_proto)
		alone(&other);
	else
		plx_pkt_deliver_bulk(out + at_out, n_out - at_out);
}

T(options_and_fragments_are_not_merged_and_keep_their_place)
{
	struct t_pkt odd = {T_TCP4, .ext_bytes = 4, .bytes = SEG};

	goes_behind(odd, true);
	odd.v6 = true;
	odd.ext_bytes = 8;
	goes_behind(odd, true);
	odd.udp = true; /* behind an extension header: who knows */
	goes_behind(odd, true);
	odd = (struct t_pkt){T_TCP4, .mf = true, .bytes = SEG};
	goes_behind(odd, true);
	odd.udp = true;
	goes_behind(odd, false);
}

static void bytes_in(const uint8_t *b, uint32_t bytes)
{
	receive(t_mbuf(b, (uint16_t)bytes));
}

T(what_is_not_ip_passes)
{
	static const uint8_t arp[60] = {[12] = 8, 6};
	static const uint8_t vlans[30] = {[12] = 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1};
	struct t_pkt a = {T_TCP4, .bytes = SEG};
	uint8_t icmp[60];

	begin(true, false);
	in(&a);
	bytes_in(arp, sizeof(arp));
	bytes_in(vlans, sizeof(vlans));
	for (uint32_t n = 0; n < 35; n++)
		bytes_in(arp, n);
	t_frame(icmp, &(struct t_pkt){T_TCP4, .bytes = 6});
	icmp[14 + 9] = 1;
	bytes_in(icmp, sizeof(icmp));
	eq(n_out, 38);
	for (; at_out < n_out; at_out++)
		plx_pkt_deliver(out[at_out]);
	flush();
	alone(&a);
}

/* However short a frame is, it is not read beyond its end, and keeps its place where it has one. */
T(what_is_cut_off_passes)
{
	static const struct t_pkt rows[] = {
		{T_TCP4, .opts = ts_1, .opt_bytes = 12, .bytes = 10},
		{T_TCP6, .bytes = 10},
		{T_UDP4, .bytes = 10},
		{T_UDP6, .l2 = 22, .bytes = 10},
	};

	for (size_t r = 0; r < PLX_DIM(rows); r++) {
		uint8_t b[128];
		uint32_t bytes = t_frame(b, &rows[r]);

		begin(true, false);
		for (uint32_t n = 1; n < bytes; n++) {
			struct rte_mbuf *m;

			bytes_in(b, n);
			m = next_out();
			t_same_bytes(m, b, n);
			plx_pkt_deliver(m);
		}
		nothing();
	}
}

T(a_length_that_is_wrong_is_not_merged)
{
	struct t_pkt p = {T_UDP4, .bytes = SEG};
	uint8_t b[T_FRAME_MAX];
	uint32_t bytes = t_frame(b, &p);

	begin(true, false);
	plx_put_be16(b + 34 + 4, 8 + SEG - 1); /* UDP's says less than IP's */
	memset(b + 34 + 6, 0, 2);
	bytes_in(b, bytes);
	eq(n_out, 1);
	plx_pkt_deliver(next_out());
	t_frame(b, &(struct t_pkt){T_TCP4, .bytes = SEG});
	b[34 + 12] = 0x40; /* TCP's header is shorter than 20 */
	bytes_in(b, bytes);
	plx_pkt_deliver(next_out());
	nothing();
}

/* A wrong checksum, in software or as the device says: behind its flow, untouched, alone. */
T(a_wrong_checksum_is_not_merged)
{
	PAIR(T_TCP4, .bytes = 3 * SEG);

	for (int i = 0; i < 4; i++) {
		static uint8_t bytes[T_FRAME_MAX];
		struct rte_mbuf *m = t_pkt_mbuf(&b);
		uint8_t *byte = rte_pktmbuf_mtod_offset(m, uint8_t *, i == 0 ? 500 : 25);
		uint64_t flags;

		if (i < 2)
			*byte ^= 1; /* of the payload, of IP's checksum */
		if (i == 2)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
		if (i == 3)
			m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
		flags = m->ol_flags;
		memcpy(bytes, rte_pktmbuf_mtod(m, void *), m->pkt_len);
		begin(false, false);
		in(&a);
		receive(m);
		alone(&a);
		m = next_out();
		if (i > 1)
			eq(m->ol_flags, flags);
		ok(!(m->ol_flags &
			(i == 1 ? RTE_MBUF_F_RX_IP_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_GOOD)));
		t_same_bytes(m, bytes, 54 + SEG);
		plx_pkt_deliver(m);
		in_part(&p, 2);
		nothing();
		flush();
		plx_pkt_deliver(next_out());
	}
}

T(a_wrong_checksum_disturbs_no_other_flow)
{
	PAIR(T_TCP4);
	struct t_pkt other = b;
	struct rte_mbuf *m;

	other.sport++;
	m = t_pkt_mbuf(&other);
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	begin(false, false);
	in(&a);
	receive(m);
	plx_pkt_deliver(next_out());
	nothing();
	in(&b);
	flush();
	merged(&p, SEG, false);
}

T(the_devices_word_is_believed)
{
	PAIR(T_TCP4);
	static const uint64_t good[] = {
		RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD,
		RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_IP_CKSUM_NONE,
	};

	for (size_t i = 0; i < PLX_DIM(good); i++) {
		struct rte_mbuf *x = t_pkt_mbuf(&a), *y = t_pkt_mbuf(&b);

		memset(rte_pktmbuf_mtod_offset(y, uint8_t *, 34 + 16), 0x55, 2);
		x->ol_flags |= good[i];
		y->ol_flags |= good[i];
		begin(false, false);
		receive(x);
		receive(y);
		flush();
		merged(&p, SEG, false);
	}
}

/* It verifies, but no sender writes it: cutting would give 0. */
T(a_checksum_of_ffff_in_tcp_is_not_merged)
{
	uint8_t b[64];

	for (uint32_t port = 0; port < 65536; port++) {
		struct t_pkt p = {T_TCP4, .sport = (uint16_t)port, .bytes = 6};

		t_frame(b, &p);
		if (plx_get_be16(b + 34 + 16) != 0)
			continue;
		begin(false, false);
		in(&p); /* 0 is as it should be */
		nothing();
		memset(b + 34 + 16, 0xff, 2);
		bytes_in(b, 60);
		alone(&p);
		plx_pkt_deliver(next_out());
		nothing();
		return;
	}
	fail();
}

T(a_checksum_of_ffff_in_ip4_is_not_merged)
{
	uint8_t b[64];

	for (uint32_t id = 0; id < 65536; id++) {
		struct t_pkt p = {T_TCP4, .id = (uint16_t)id, .bytes = 6};

		t_frame(b, &p);
		if (plx_get_be16(b + 14 + 10) != 0)
			continue;
		begin(false, false);
		in(&p);
		nothing();
		memset(b + 14 + 10, 0xff, 2);
		bytes_in(b, 60);
		alone(&p);
		plx_pkt_deliver(next_out());
		nothing();
		return;
	}
	fail();
}

T(padding_goes_when_packets_merge)
{
	struct t_pkt p = {T_TCP4, .bytes = 4}, a = t_part(&p, 2, 0, false),
		     b = t_part(&p, 2, 1, false);

	a.pad_bytes = b.pad_bytes = 4;
	begin(false, false);
	in(&a);
	in(&b);
	flush();
	merged(&p, 2, false);
}

/* Frames in several segments: merged as long as the headers lie in one. */
T(chains_are_merged)
{
	static uint8_t f[T_FRAME_MAX];
	static const uint32_t segs[] = {54, 55, 100, 700};
	PAIR(T_TCP4);

	for (size_t i = 0; i < PLX_DIM(segs); i++) {
		begin(false, false);
		plx_pkt_originate(2);
		receive(t_chain(f, t_frame(f, &a), segs[i]));
		receive(t_chain(f, t_frame(f, &b), segs[i]));
		flush();
		merged(&p, SEG, false);
	}
}

T(headers_in_pieces_are_not_merged_and_keep_their_place)
{
	static uint8_t f[T_FRAME_MAX];
	PAIR(T_TCP4);

	for (uint32_t seg = 10; seg < 54; seg++) {
		struct rte_mbuf *m;

		begin(false, false);
		in(&a);
		plx_pkt_originate(1);
		t_frame(f, &b);
		m = t_chain(f, 54, seg);
		rte_pktmbuf_chain(m, t_chain(f + 54, SEG, 0));
		receive(m);
		alone(&a);
		alone(&b);
		nothing();
	}
}

T(a_chain_is_no_longer_than_so_many_segments)
{
	static uint8_t f[T_FRAME_MAX];
	struct t_pkt p = {T_TCP4, .bytes = 2 * SEG}, a = part(&p, 0), b = part(&p, 1);

	begin(false, false);
	plx_pkt_originate(2);
	receive(t_chain(f, t_frame(f, &a), 54)); /* 20 segments */
	t_frame(f, &b);
	receive(t_chain(f, 54 + SEG, 23)); /* headers in pieces */
	alone(&a);
	alone(&b);
	plx_pkt_originate(1);
	p.bytes = 5 * SEG;
	for (uint32_t i = 0; i < 4; i++) {
		struct t_pkt q = part(&p, i);

		if (i)
			plx_pkt_originate(1);
		receive(t_chain(f, t_frame(f, &q), 54)); /* 4 of 20 segments: 3 fit */
	}
	eq(n_out - at_out, 1);
	eq(out[at_out]->nb_segs, 58); /* two that held headers are gone */
	p.bytes = 3 * SEG;
	merged(&p, SEG, false);
	flush();
	plx_pkt_deliver(next_out());
}

T(what_is_shared_is_left_alone)
{
	PAIR(T_TCP4);
	struct rte_mbuf *m = t_pkt_mbuf(&b), *clone = rte_pktmbuf_clone(m, t_pool);

	begin(false, false);
	in(&a);
	receive(m);
	alone(&a);
	alone(&b);
	plx_pkt_originate(1);
	receive(clone); /* its data is b's, though that is gone */
	alone(&b);
	nothing();
}

T(what_is_merged_already_passes_in_order)
{
	PAIR(T_TCP4);

	for (int i = 0; i < 2; i++) {
		struct rte_mbuf *m = t_pkt_mbuf(&b);

		if (i) {
			m->ol_flags |= RTE_MBUF_F_RX_LRO;
			m->tso_segsz = SEG / 2;
		} else {
			plx_pkt_set_wire(m, 2);
			plx_pkt_originate(1);
		}
		begin(false, false);
		in(&a);
		receive(m);
		alone(&a);
		assert_ptr_equal(next_out(), m);
		eq(plx_pkt_wire(m), i ? 1 : 2);
		plx_pkt_deliver(m);
		nothing();
	}
}

T(the_devices_hash_is_used)
{
	PAIR(T_TCP4);
	struct rte_mbuf *x = t_pkt_mbuf(&a), *y = t_pkt_mbuf(&b);

	x->hash.rss = y->hash.rss = 0xdeadbeef;
	x->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	y->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	begin(false, false);
	receive(x);
	receive(y);
	flush();
	eq(out[0]->hash.rss, 0xdeadbeef);
	merged(&p, SEG, false);
}

/* Nine flows in one bucket: the one that was held first makes room, then the next. */
T(a_full_bucket_gives_its_oldest)
{
	struct t_pkt flow[10];

	begin(false, false);
	for (int i = 0; i < 10; i++) {
		struct rte_mbuf *m;

		flow[i] = (struct t_pkt){T_TCP4, .sport = (uint16_t)(1000 + i), .bytes = SEG};
		m = t_pkt_mbuf(&flow[i]);
		m->hash.rss = 4711;
		m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
		receive(m);
		if (i < PLX_GRO_SLOTS)
			nothing();
		else
			alone(&flow[i - PLX_GRO_SLOTS]);
	}
	eq(plx_gro_held_pkts(&g), 8);
	flush();
	for (int i = 2; i < 10; i++)
		alone(&flow[i]);
	nothing();
}

T(all_slots_can_be_used)
{
	struct rte_mbuf *m[PLX_GRO_OUT_MAX];
	uint32_t n = 0, most = 0;

	begin(false, false);
	for (uint32_t i = 0; i < 2000; i++) {
		struct t_pkt p = {T_TCP4, .sport = (uint16_t)i, .bytes = 10};
		struct rte_mbuf *x = t_pkt_mbuf(&p);

		n = plx_gro_receive(&g, &x, 1, now, m);
		ok(n <= 1);
		plx_pkt_deliver_bulk(m, n);
		most = PLX_MAX(most, plx_gro_held_pkts(&g));
	}
	eq(most, PLX_GRO_HELD_MAX);
	n = plx_gro_flush(&g, PLX_NEVER, m);
	eq(n, PLX_GRO_HELD_MAX);
	plx_pkt_deliver_bulk(m, n);
}

T(deadlines_and_partial_flushes)
{
	struct t_pkt a = {T_TCP4, .bytes = SEG}, b = a;
	plx_ns start = now;

	b.sport++;
	begin(false, false);
	eq(plx_gro_deadline(&g), PLX_NEVER);
	in(&a);
	eq(plx_gro_deadline(&g), start + PLX_US(20));
	now += PLX_US(5);
	in(&b);
	eq(plx_gro_deadline(&g), start + PLX_US(20));
	now = start + PLX_US(20) - 1;
	n_out += plx_gro_flush(&g, now - PLX_US(20), out);
	nothing();
	now++;
	n_out += plx_gro_flush(&g, now - PLX_US(20), out);
	alone(&a);
	nothing();
	eq(plx_gro_deadline(&g), start + PLX_US(25));
	eq(plx_gro_held_pkts(&g), 1);
	now = plx_gro_deadline(&g);
	n_out += plx_gro_flush(&g, now - PLX_US(20), out + n_out);
	alone(&b);
	eq(plx_gro_deadline(&g), PLX_NEVER);
}

T(held_counts_wire_packets)
{
	struct t_pkt p = {T_TCP4, .bytes = 3 * SEG};

	begin(false, false);
	in_parts(&p, SEG, false);
	eq(plx_gro_held_pkts(&g), 3);
	flush();
	merged(&p, SEG, false);
}

RUN_EAL(T_EAL_(a_packet_alone_comes_out_as_it_came), T_EAL_(what_was_summed_up_here_is_marked_good),
	T_EAL_(a_stripped_tag_and_the_port_matter),
	T_EAL_(options_and_fragments_are_not_merged_and_keep_their_place),
	T_EAL_(what_is_not_ip_passes), T_EAL_(what_is_cut_off_passes),
	T_EAL_(a_length_that_is_wrong_is_not_merged), T_EAL_(a_wrong_checksum_is_not_merged),
	T_EAL_(a_wrong_checksum_disturbs_no_other_flow), T_EAL_(the_devices_word_is_believed),
	T_EAL_(a_checksum_of_ffff_in_tcp_is_not_merged),
	T_EAL_(a_checksum_of_ffff_in_ip4_is_not_merged), T_EAL_(padding_goes_when_packets_merge),
	T_EAL_(chains_are_merged), T_EAL_(headers_in_pieces_are_not_merged_and_keep_their_place),
	T_EAL_(a_chain_is_no_longer_than_so_many_segments), T_EAL_(what_is_shared_is_left_alone),
	T_EAL_(what_is_merged_already_passes_in_order), T_EAL_(the_devices_hash_is_used),
	T_EAL_(a_full_bucket_gives_its_oldest), T_EAL_(all_slots_can_be_used),
	T_EAL_(deadlines_and_partial_flushes), T_EAL_(held_counts_wire_packets))
