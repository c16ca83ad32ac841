/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_MEM "96"
#include "offload_t.h"

#define ACK PLX_TCP_ACK

static struct rte_mbuf *out[PLX_GRO_OUT_MAX * 16];
static const uint8_t timestamps[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

static struct plx_gso_conf conf(void)
{
	return (struct plx_gso_conf){.pool = t_pool};
}

/* Cut p and compare each part with what it has to be. */
static void cut_is(const struct t_pkt *p, uint16_t seg, uint32_t seg_bytes, bool fixed_id)
{
	struct rte_mbuf *m = t_super(*p, seg, seg_bytes);
	struct plx_gso_conf c = conf();
	int n, want = (int)plx_pkt_wire(m);

	if (fixed_id)
		m->ol_flags |= plx_pkt_fixed_id_flag;
	eq(plx_gso_parts(m), want);
	n = plx_gso_segment(m, &c, out, PLX_DIM(out));
	eq(n, want);
	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		struct t_pkt q = t_part(p, seg, i, fixed_id);

		eq(out[i]->ol_flags & (plx_pkt_merged_flag | plx_pkt_fixed_id_flag |
					      RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG |
					      RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK),
			0);
		t_is_pkt(out[i], &q);
	}
}

T(tcp_is_cut_with_sequence_and_identification_counting)
{
	cut_is(&(struct t_pkt){T_TCP4, .seq = 1000, .ack = 7, .id = 40, .bytes = 4000}, 1448, 0,
		false);
	cut_is(&(struct t_pkt){T_TCP6, .seq = 1000, .ack = 7, .label = 0xabcde, .bytes = 4000},
		1428, 0, false);
}

T(sequence_and_identification_wrap)
{
	cut_is(&(struct t_pkt){T_TCP4, .seq = 0xfffffff0, .id = 0xffff, .bytes = 300}, 100, 0,
		false);
}

T(an_identification_that_is_marked_stays)
{
	cut_is(&(struct t_pkt){T_TCP4, .df = true, .id = 40, .bytes = 3000}, 1000, 0, true);
}

T(fin_and_psh_are_on_the_last_cwr_on_the_first_ece_on_all)
{
	struct t_pkt p = {T_TCP4, .bytes = 300};
	struct plx_gso_conf c = conf();
	static const uint8_t flags[] = {0xd0, 0x50, 0x59}; /* CWR ECE ACK, ECE ACK, and PSH FIN */

	p.flags = PLX_TCP_FIN | PLX_TCP_PSH | ACK | PLX_TCP_ECE | PLX_TCP_CWR;
	cut_is(&p, 100, 0, false);
	eq(plx_gso_segment(t_super(p, 100, 0), &c, out, PLX_DIM(out)), 3);
	for (int i = 0; i < 3; i++) {
		eq(rte_pktmbuf_mtod(out[i], uint8_t *)[14 + 20 + 13], flags[i]);
		plx_pkt_deliver(out[i]);
	}
}

T(options_and_extension_headers_are_in_each_part)
{
	struct t_pkt p = {T_TCP4, .opts = timestamps, .opt_bytes = 12, .bytes = 5000};

	cut_is(&p, 1448, 0, false);
	p.ext_bytes = 12;
	cut_is(&p, 1400, 0, false);
	p.ext_bytes = 16;
	p.v6 = true;
	cut_is(&p, 1400, 0, false);
}

T(datagrams_are_cut_with_their_length)
{
	cut_is(&(struct t_pkt){T_UDP4, .id = 9, .bytes = 5000}, 1472, 0, false);
	cut_is(&(struct t_pkt){T_UDP6, .bytes = 5000}, 1452, 0, false);
	cut_is(&(struct t_pkt){T_UDP4, .bytes = 3}, 1, 0, false);
}

T(without_a_checksum_stays_without)
{
	cut_is(&(struct t_pkt){T_UDP4, .no_sum = true, .bytes = 700}, 300, 0, false);
}

/* Two bytes of payload that make the sum ffff, by trying all. */
T(an_udp_sum_of_zero_is_written_as_ffff)
{
	struct t_pkt p = {T_UDP4, .bytes = 4};
	struct plx_gso_conf c = conf();
	uint32_t seen = 0;

	for (uint32_t port = 0; port < 65536; port++) {
		uint8_t b[64];
		uint16_t sum;

		p.sport = (uint16_t)port;
		t_frame(b, &(struct t_pkt){T_UDP4, .sport = (uint16_t)port, .bytes = 2});
		memcpy(&sum, b + 40, 2);
		if (sum != 0xffff)
			continue;
		seen++;
		eq(plx_gso_segment(t_super(p, 2, 0), &c, out, PLX_DIM(out)), 2);
		eq(plx_get_be16(rte_pktmbuf_mtod_offset(out[0], uint8_t *, 40)), 0xffff);
		plx_pkt_deliver_bulk(out, 2);
	}
	ok(seen > 0);
}

T(whatever_stands_before_ip)
{
	for (uint8_t l2 = 14; l2 <= 22; l2 += 4)
		cut_is(&(struct t_pkt){T_TCP4, .l2 = l2, .vlan = {5, 6}, .bytes = 3000}, 1000, 0,
			false);
	cut_is(&(struct t_pkt){T_TCP4, .l2 = 0, .bytes = 3000}, 1000, 0, false);
	cut_is(&(struct t_pkt){T_UDP6, .l2 = 0, .bytes = 3000}, 1000, 0, false);
}

T(one_part_and_none_are_fine)
{
	cut_is(&(struct t_pkt){T_TCP4, .bytes = 100}, 1448, 0, false);
	cut_is(&(struct t_pkt){T_TCP4, .bytes = 1448}, 1448, 0, false);
	cut_is(&(struct t_pkt){T_TCP4, .flags = ACK | PLX_TCP_FIN}, 1448, 0, false);
	cut_is(&(struct t_pkt){T_TCP4, .bytes = 100}, 65535, 0, false);
}

T(small_parts_are_copied_large_ones_attached)
{
	struct plx_gso_conf c = conf();

	for (uint16_t seg = PLX_GSO_COPY_BYTES; seg <= PLX_GSO_COPY_BYTES + 1; seg++) {
		bool attached = seg > PLX_GSO_COPY_BYTES;

		eq(plx_gso_segment(t_super((struct t_pkt){T_TCP4, .bytes = 2u * seg}, seg, 0), &c,
			   out, PLX_DIM(out)),
			2);
		eq(out[0]->nb_segs, attached ? 2 : 1);
		ok(RTE_MBUF_DIRECT(out[0]));
		eq(out[0]->data_len, attached ? 54 : 54 + seg);
		if (attached)
			ok(RTE_MBUF_CLONED(out[0]->next));
		plx_pkt_deliver_bulk(out, 2);
	}
}

T(a_part_over_a_border_of_segments_has_a_piece_of_each)
{
	struct plx_gso_conf c = conf();
	struct t_pkt p = {T_TCP4, .bytes = 3000};

	eq(plx_gso_segment(t_super(p, 1500, 600), &c, out, PLX_DIM(out)), 2);
	eq(out[0]->nb_segs, 1 + 3); /* of 546, 600 and 354 bytes */
	eq(out[0]->next->data_len, 546);
	plx_pkt_deliver_bulk(out, 2);
	for (uint32_t seg_bytes = 54; seg_bytes < 2048; seg_bytes += 37) {
		cut_is(&p, 1500, seg_bytes, false);
		cut_is(&p, 999, seg_bytes, false);
	}
}

T(a_port_without_chains_gets_none)
{
	struct plx_gso_conf c = conf();
	struct t_pkt p = {T_TCP4, .bytes = 4000};
	struct rte_mbuf *m = t_super(p, 1900, 500);

	c.linear = true;
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), 3);
	for (uint32_t i = 0; i < 3; i++) {
		struct t_pkt q = t_part(&p, 1900, i, false);

		eq(out[i]->nb_segs, 1);
		t_is_pkt(out[i], &q);
	}
	m = t_super(p, 2000, 500); /* with 54 bytes of headers there is no room for it */
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), -EINVAL);
	plx_pkt_deliver(m);
}

T(indirect_mbufs_come_from_a_pool_of_their_own)
{
	struct plx_gso_conf c = conf();
	struct rte_mbuf *m = t_super((struct t_pkt){T_TCP4, .bytes = 40000}, 1448, 0);

	c.clones = rte_pktmbuf_pool_create("clones", 255, 0, 0, 0, SOCKET_ID_ANY);
	assert_non_null(c.clones);
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), 28);
	ok(out[0]->pool == t_pool && out[0]->next->pool == c.clones);
	plx_pkt_deliver_bulk(out, 28);
	eq(rte_mempool_in_use_count(c.clones), 0);
	rte_mempool_free(c.clones);
}

/* What the device is asked for: the whole pseudo-header's sum, the flags, IPv4's field zero. */
static void device_fills(struct t_pkt p)
{
	struct plx_gso_conf c = conf();
	uint64_t l4 = p.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;

	c.ip_cksum = c.l4_cksum = true;
	eq(plx_gso_segment(t_super(p, 1400, 0), &c, out, PLX_DIM(out)), 3);
	for (uint32_t i = 0; i < 3; i++) {
		struct t_pkt q = t_part(&p, 1400, i, false);
		uint8_t *ip = rte_pktmbuf_mtod_offset(out[i], uint8_t *, 14), *sum;
		uint16_t partial = p.no_sum ? 0 : t_partial(&q, ip, true);

		sum = ip + (p.v6 ? 40 : 20) + (p.udp ? 6 : 16);
		mem_eq(sum, &partial, 2);
		eq(out[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK, p.no_sum ? 0 : l4);
		eq(out[i]->ol_flags & RTE_MBUF_F_TX_IP_CKSUM, p.v6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM);
		ok(out[i]->ol_flags & (p.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
		eq(out[i]->l2_len, 14);
		eq(out[i]->l3_len, p.v6 ? 40 : 20);
		eq(out[i]->tso_segsz, 0);
		if (!p.v6)
			eq(plx_get_be16(ip + 10), 0);
		eq(plx_pkt_csum_fill(out[i]), 0); /* as the device will */
		t_is_pkt(out[i], &q);
	}
}

T(checksums_are_left_to_a_device_that_can)
{
	device_fills((struct t_pkt){T_TCP4, .bytes = 4000});
	device_fills((struct t_pkt){T_TCP6, .bytes = 4000});
	device_fills((struct t_pkt){T_UDP4, .bytes = 4000});
	device_fills((struct t_pkt){T_UDP6, .bytes = 4000});
	device_fills((struct t_pkt){T_UDP4, .no_sum = true, .bytes = 4000});
}

T(one_checksum_by_the_device_the_other_here)
{
	struct t_pkt p = {T_TCP4, .bytes = 2000};

	for (int ip = 0; ip < 2; ip++) {
		struct plx_gso_conf c = conf();

		c.ip_cksum = ip;
		c.l4_cksum = !ip;
		eq(plx_gso_segment(t_super(p, 1000, 0), &c, out, PLX_DIM(out)), 2);
		for (uint32_t i = 0; i < 2; i++) {
			struct t_pkt q = t_part(&p, 1000, i, false);

			eq(out[i]->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK),
				ip ? RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
			eq(plx_pkt_csum_fill(out[i]), 0);
			t_is_pkt(out[i], &q);
		}
	}
}

T(what_travels_with_the_mbuf_travels_with_each_part)
{
	struct plx_gso_conf c = conf();
	struct rte_mbuf *m = t_super((struct t_pkt){T_TCP4, .bytes = 3000}, 1448, 0);

	m->port = 3;
	m->hash.rss = 77;
	m->vlan_tci = 5;
	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	plx_pkt_meta(m)->iface = 9;
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), 3);
	for (int i = 0; i < 3; i++) {
		eq(out[i]->port, 3);
		eq(out[i]->hash.rss, 77);
		eq(out[i]->vlan_tci, 5);
		ok(out[i]->ol_flags & RTE_MBUF_F_TX_VLAN);
		eq(plx_pkt_meta(out[i])->iface, 9);
		eq(plx_pkt_wire(out[i]), 1);
		plx_pkt_deliver(out[i]);
	}
}

T(shared_payload_is_only_read)
{
	static uint8_t b[T_FRAME_MAX];
	struct plx_gso_conf c = conf();
	struct t_pkt p = {T_TCP4, .bytes = 6000, .no_len = true};
	uint32_t bytes = t_frame(b, &p);
	struct rte_mbuf *m = t_super(p, 1448, 700), *clone = rte_pktmbuf_clone(m, t_pool);
	int n;

	plx_pkt_meta(clone)->wire_pkts = plx_pkt_meta(m)->wire_pkts;
	plx_pkt_originate(plx_pkt_wire(clone));
	n = plx_gso_segment(clone, &c, out, PLX_DIM(out));
	eq(n, 5);
	t_same_bytes(m, b, bytes);
	plx_pkt_deliver(m); /* the parts hold the payload alone now */
	for (uint32_t i = 0; i < 5; i++) {
		struct t_pkt q = t_part(&p, 1448, i, false);

		t_is_pkt(out[i], &q);
	}
}

/* Each row spoils what would be cut. */
static void spoil(struct rte_mbuf *m, int row)
{
	uint8_t *b = rte_pktmbuf_mtod(m, uint8_t *);

	switch (row) {
	case 0:
		m->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
		break;
	case 1:
		m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG;
		break;
	case 2:
		m->ol_flags &= ~RTE_MBUF_F_TX_IPV4;
		break;
	case 3:
		m->ol_flags |= RTE_MBUF_F_TX_IPV6;
		break;
	case 4:
		m->ol_flags |= RTE_MBUF_F_TX_TUNNEL_VXLAN;
		break;
	case 5:
		m->tso_segsz = 0;
		break;
	case 6:
		m->l2_len = 18;
		break;
	case 7:
		m->l3_len = 24;
		break;
	case 8:
		m->l4_len = 24;
		break;
	case 9:
		b[14] = 0x65;
		break;
	case 10:
		b[14 + 9] = 17;
		break;
	case 11:
		b[14 + 6] = 0x20; /* a fragment */
		break;
	case 12:
		b[34 + 12] = 0x40;
		break;
	case 13:
		memset(b + 34 + 16, 0, 2); /* where the pseudo-header's sum has to be */
		break;
	case 14:
		plx_pkt_meta(m)->wire_pkts++;
		break;
	case 15:
		m->data_len = 53; /* headers in two segments */
		break;
	}
}

T(what_does_not_fit_is_refused_and_stays_as_it_was)
{
	for (int row = 0; row <= 15; row++) {
		struct rte_mbuf *m = t_super((struct t_pkt){T_TCP4, .bytes = 3000}, 1448, 0);
		uint32_t wire = plx_pkt_wire(m), held;
		struct plx_gso_conf c = conf();
		struct rte_mbuf was;

		spoil(m, row);
		was = *m;
		held = rte_mempool_in_use_count(t_pool);
		eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), -EINVAL);
		if (row != 14)
			eq(plx_gso_parts(m), -EINVAL);
		mem_eq(m, &was, sizeof(was));
		eq(rte_mempool_in_use_count(t_pool), held);
		plx_pkt_set_wire(m, wire);
		plx_pkt_deliver(m);
	}
}

T(parts_too_long_for_ip_are_refused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct t_pkt p = {T_UDP4, .v6 = v6, .bytes = 60000};
		struct rte_mbuf *m = t_super(p, 1448, 0);
		uint32_t bytes = m->pkt_len;
		uint16_t most = v6 ? 65535 - 8 : 65535 - 28;

		m->tso_segsz = most + 1; /* never reached: one part of 60,000 */
		eq(plx_gso_parts(m), 1);
		m->pkt_len = 70000; /* only said */
		eq(plx_gso_parts(m), -EINVAL);
		m->tso_segsz = most;
		eq(plx_gso_parts(m), 2);
		m->pkt_len = bytes;
		plx_pkt_deliver(m);
	}
}

T(too_little_room_is_refused)
{
	struct rte_mbuf *m = t_super((struct t_pkt){T_TCP4, .bytes = 3000}, 1448, 0);
	struct plx_gso_conf c = conf();

	eq(plx_gso_segment(m, &c, out, 2), -ENOSPC);
	eq(plx_gso_segment(m, &c, out, 3), 3);
	plx_pkt_deliver_bulk(out, 3);
}

/* However many mbufs are missing: nothing is lost, and the packet is as it was. */
T(without_memory_nothing_happens)
{
	static uint8_t b[T_FRAME_MAX];
	struct t_pkt p = {T_TCP4, .bytes = 60000, .no_len = true};
	uint32_t bytes = t_frame(b, &p);
	struct rte_mbuf *m = t_super(p, 1448, 0);
	struct rte_mempool *pool =
		rte_pktmbuf_pool_create("few", 127, 0, 0, 2048 + 128, SOCKET_ID_ANY);
	struct plx_gso_conf c = {.pool = pool};
	struct rte_mbuf was = *m;
	int n;

	assert_non_null(pool);
	for (uint16_t have = 0;; have++) {
		struct rte_mbuf *taken[127];
		uint16_t take = (uint16_t)(127 - have);

		eq(rte_pktmbuf_alloc_bulk(pool, taken, take), 0);
		n = plx_gso_segment(m, &c, out, PLX_DIM(out));
		rte_pktmbuf_free_bulk(taken, take);
		if (n != -ENOMEM)
			break;
		mem_eq(m, &was, sizeof(was));
		t_same_bytes(m, b, bytes);
		eq(rte_mempool_in_use_count(pool), 0);
	}
	eq(n, 42);
	plx_pkt_deliver_bulk(out, 42);
	eq(rte_mempool_in_use_count(pool), 0);
	rte_mempool_free(pool);
}

/* As a device's LRO would give it. */
static struct rte_mbuf *merged(struct t_pkt p, uint16_t seg)
{
	struct rte_mbuf *m = t_super(p, seg, 0);
	uint64_t wire = m->ol_flags & plx_pkt_merged_flag;
	uint16_t sum = 0x1234;

	if (!p.no_sum)
		memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *,
			       p.l2 + (p.v6 ? 40 : 20) + p.ext_bytes + (p.udp ? 6 : 16)),
			&sum, 2);
	m->tx_offload = 0;
	m->tso_segsz = seg;
	m->ol_flags = wire | RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_GOOD |
		      RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	return m;
}

T(a_merged_packet_is_made_one_to_be_sent)
{
	static const struct t_pkt rows[] = {
		{T_TCP4, .bytes = 3000},
		{T_TCP4, .opts = timestamps, .opt_bytes = 12, .ext_bytes = 8, .bytes = 3000},
		{T_TCP6, .bytes = 3000},
		{T_TCP6, .ext_bytes = 16, .bytes = 3000},
		{T_UDP4, .bytes = 3000},
		{T_UDP6, .l2 = 0, .bytes = 3000},
		{T_UDP6, .ext_bytes = 8, .bytes = 3000},
		{T_UDP4, .no_sum = true, .l2 = 18, .vlan = {9}, .bytes = 3000},
	};

	for (size_t r = 0; r < PLX_DIM(rows); r++) {
		struct rte_mbuf *m = merged(rows[r], 1400);
		struct plx_gso_conf c = conf();

		eq(plx_gso_from_gro(m, rows[r].l2), 0);
		eq(m->ol_flags & (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK |
					 RTE_MBUF_F_RX_IP_CKSUM_MASK),
			0);
		eq(plx_gso_parts(m), 3);
		eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), 3);
		for (uint32_t i = 0; i < 3; i++) {
			struct t_pkt q = t_part(&rows[r], 1400, i, false);

			t_is_pkt(out[i], &q);
		}
	}
}

/* A pool of clones that is too small: the payload is copied, if that can be. */
T(without_clones_it_is_copied)
{
	const struct t_pkt p = {T_TCP4, .bytes = 30000};
	struct plx_pkt_pool_conf few = {
		.name = "few", .pkts = 7, .socket = SOCKET_ID_ANY, .bare = true};
	struct plx_gso_conf c = conf();
	struct plx_error e;
	struct rte_mbuf *m = t_super(p, 1400, 0);

	c.clones = plx_pkt_pool_create(&few, &e);
	assert_non_null(c.clones);
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), 22);
	for (uint32_t i = 0; i < 22; i++) {
		struct t_pkt q = t_part(&p, 1400, i, false);

		eq(out[i]->nb_segs, 1);
		t_is_pkt(out[i], &q);
	}
	m = t_super(p, 2500, 0); /* no mbuf has room for it */
	eq(plx_gso_segment(m, &c, out, PLX_DIM(out)), -ENOMEM);
	plx_pkt_drop(m, PLX_DROP_NO_MBUF);
	rte_mempool_free(c.clones);
}

T(what_is_not_merged_is_not_made_one)
{
	struct t_pkt p = {T_TCP4, .bytes = 3000};
	struct rte_mbuf *m = merged(p, 1400), *clone;
	uint8_t was[54];

	memcpy(was, rte_pktmbuf_mtod(m, void *), sizeof(was));
	eq(plx_gso_from_gro(m, 18), -EINVAL); /* no IP header there */
	plx_pkt_meta(m)->wire_pkts = 4;
	eq(plx_gso_from_gro(m, 14), -EINVAL);
	plx_pkt_meta(m)->wire_pkts = 3;
	m->ol_flags &= ~RTE_MBUF_F_RX_LRO;
	eq(plx_gso_from_gro(m, 14), -EINVAL);
	m->ol_flags |= RTE_MBUF_F_RX_LRO;
	clone = rte_pktmbuf_clone(m, t_pool);
	eq(plx_gso_from_gro(m, 14), -EBUSY);
	rte_pktmbuf_free(clone);
	mem_eq(rte_pktmbuf_mtod(m, void *), was, sizeof(was));
	eq(plx_gso_from_gro(m, 14), 0);
	plx_pkt_deliver(m);
}

/* Any packet, any chain, any form of parts. */
T(random_packets_are_cut_right)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int round = 0; round < 3000; round++) {
		uint32_t r = plx_rng_u32(&rng);
		struct t_pkt p = {
			.l2 = (uint8_t[]){0, 14, 18, 22}[r & 3],
			.v6 = r >> 2 & 1,
			.udp = r >> 3 & 1,
			.df = r >> 4 & 1,
			.vlan = {(uint16_t)(r >> 5 & 0xfff), 7},
			.tos = (uint8_t)plx_rng_u32(&rng),
			.ttl = (uint8_t)plx_rng_u32(&rng),
			.id = (uint16_t)plx_rng_u32(&rng),
			.seq = plx_rng_u32(&rng),
			.ack = plx_rng_u32(&rng),
			.flags = (uint8_t)plx_rng_u32(&rng),
			.opts = timestamps,
			.opt_bytes = r >> 17 & 1 ? 12 : 0,
			.sport = (uint16_t)plx_rng_u32(&rng),
			.bytes = 1 + (uint32_t)plx_rng_below(&rng, r >> 18 & 1 ? 60000 : 5000),
		};
		uint16_t seg = (uint16_t)(1 + plx_rng_below(&rng, 1900));

		if (p.udp)
			p.opt_bytes = 0;
		if (p.udp && !p.v6)
			p.no_sum = r >> 19 & 1;
		if (r >> 20 & 1)
			p.ext_bytes = p.v6 ? 8 : 4;
		seg = PLX_MAX(seg, (uint16_t)(p.bytes / 1000 + 1));
		cut_is(&p, seg, 130 + (uint32_t)plx_rng_below(&rng, 1918), r >> 21 & 1);
	}
}

RUN_EAL(T_EAL_(tcp_is_cut_with_sequence_and_identification_counting),
	T_EAL_(sequence_and_identification_wrap), T_EAL_(an_identification_that_is_marked_stays),
	T_EAL_(fin_and_psh_are_on_the_last_cwr_on_the_first_ece_on_all),
	T_EAL_(options_and_extension_headers_are_in_each_part),
	T_EAL_(datagrams_are_cut_with_their_length), T_EAL_(without_a_checksum_stays_without),
	T_EAL_(an_udp_sum_of_zero_is_written_as_ffff), T_EAL_(whatever_stands_before_ip),
	T_EAL_(one_part_and_none_are_fine), T_EAL_(small_parts_are_copied_large_ones_attached),
	T_EAL_(a_part_over_a_border_of_segments_has_a_piece_of_each),
	T_EAL_(a_port_without_chains_gets_none),
	T_EAL_(indirect_mbufs_come_from_a_pool_of_their_own),
	T_EAL_(checksums_are_left_to_a_device_that_can),
	T_EAL_(one_checksum_by_the_device_the_other_here),
	T_EAL_(what_travels_with_the_mbuf_travels_with_each_part),
	T_EAL_(shared_payload_is_only_read),
	T_EAL_(what_does_not_fit_is_refused_and_stays_as_it_was),
	T_EAL_(parts_too_long_for_ip_are_refused), T_EAL_(too_little_room_is_refused),
	T_EAL_(without_memory_nothing_happens), T_EAL_(a_merged_packet_is_made_one_to_be_sent),
	T_EAL_(without_clones_it_is_copied), T_EAL_(what_is_not_merged_is_not_made_one),
	T_EAL_(random_packets_are_cut_right))
