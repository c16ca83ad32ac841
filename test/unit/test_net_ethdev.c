/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_t.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <ethdev.h>
#include <plx_net_ethdev.h>

/*
 * A NIC that cuts: a net_null whose capabilities and whose burst calls are the test's. What it is
 * handed is kept; rte_eth_tx_prepare() does to it what one that wants the length in the sum of the
 * pseudo-header does, unless it is told to refuse.
 */
#define NIC (PLX_PORT_F_TSO | PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4)

static struct plx_port *port;
static struct plx_txq *q;
static uint16_t dev;
static struct rte_mbuf *given[256], *to_come[8];
static uint16_t n_given, room, n_to_come;
static unsigned int prepared;
static bool refuses;

static uint16_t nic_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint8_t *sum = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len + m->l3_len + 16);

		prepared++;
		memset(sum, 0xaa, 2);
		if (refuses)
			return i;
	}
	return n;
}

static uint16_t nic_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i = 0;

	while (i < n && n_given < room)
		given[n_given++] = pkts[i++];
	return i;
}

static uint16_t nic_rx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t got = n_to_come;

	ok(got <= n);
	memcpy(pkts, to_come, got * sizeof(*pkts));
	n_to_come = 0;
	return got;
}

/* @param lim what it says of its descriptors. */
static void start(uint32_t features, struct rte_eth_desc_lim lim)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1, .pool = {t_pool}};
	struct plx_error e;
	struct ethdev *d;

	eq(rte_eal_hotplug_add("vdev", "net_null0", ""), 0);
	eq(plx_net_ethdev_probe(&e), 1);
	port = plx_port_find("net_null0");
	assert_non_null(port);
	port->caps.features |= features;
	port->quirks |= PLX_QUIRK_PARTIAL;
	d = port->priv;
	d->info.tx_desc_lim = lim;
	eq(plx_port_open(port, &conf, &e), 0);
	dev = d->port_id;
	rte_eth_fp_ops[dev].tx_pkt_prepare = nic_prepare;
	rte_eth_fp_ops[dev].tx_pkt_burst = nic_tx;
	rte_eth_fp_ops[dev].rx_pkt_burst = nic_rx;
	q = port->txq[0];
	n_given = n_to_come = 0;
	prepared = 0;
	room = PLX_DIM(given);
	refuses = false;
}

static void finish(void)
{
	plx_port_fini_all();
	eq(rte_eal_hotplug_remove("vdev", "net_null0"), 0);
}

static void push(struct rte_mbuf *m)
{
	plx_txq_push(q, m);
	plx_txq_flush(q);
}

static const struct t_pkt tcp4 = {T_TCP4, .bytes = 5000, .id = 7}, tcp6 = {T_TCP6, .bytes = 5000};

/* The device got it in one. */
static void whole(const struct t_pkt *p)
{
	struct rte_mbuf *m = given[0];

	eq(n_given, 1);
	eq(prepared, 1);
	ok(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	eq(!!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM), !p->v6);
	eq(m->tso_segsz, 1000);
	eq(q->pkts, 5);
	eq(plx_acct_self()->tx_pkts, 5);
	rte_pktmbuf_free(m);
}

/* It got the parts, with checksums for it to fill. */
static void in_parts(const struct t_pkt *p, bool fixed_id)
{
	eq(n_given, 5);
	eq(q->pkts, 5);
	for (uint32_t i = 0; i < 5; i++) {
		const struct t_pkt part = t_part(p, 1000, i, fixed_id);
		struct rte_mbuf *m = given[i];

		ok(!(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG));
		ok(m->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM);
		eq(plx_pkt_csum_fill(m), 0);
		plx_acct_self()->tx_pkts--;
		t_is_pkt(m, &part);
	}
}

T(what_it_can_cut_it_is_handed_whole)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const struct t_pkt *p = v6 ? &tcp6 : &tcp4;

		start(NIC, (struct rte_eth_desc_lim){0});
		push(t_super(*p, 1000, 0));
		whole(p);
		finish();
		plx_acct_reset();
	}
}

T(where_it_makes_no_ipv4_sum_the_header_has_one)
{
	uint8_t h[20];

	start(NIC, (struct rte_eth_desc_lim){0});
	push(t_super(tcp4, 1000, 0));
	memcpy(h, rte_pktmbuf_mtod_offset(given[0], const uint8_t *, 14), 20);
	eq(plx_cksum_ip4(h, 20), 0);
	whole(&tcp4);
	finish();
}

static void cuts(const struct t_pkt *p, uint64_t flags, unsigned int times)
{
	struct rte_mbuf *m = t_super(*p, 1000, 0);

	start(NIC, (struct rte_eth_desc_lim){0});
	refuses = times;
	m->ol_flags |= flags;
	push(m);
	eq(prepared, times);
	in_parts(p, flags & plx_pkt_fixed_id_flag);
	finish();
}

T(what_dpdk_says_nothing_of_is_cut_before)
{
	const struct t_pkt cwr = {T_TCP4, .bytes = 5000, .flags = PLX_TCP_ACK | PLX_TCP_CWR};
	const struct t_pkt ext = {T_TCP6, .bytes = 5000, .ext_bytes = 8};
	const struct t_pkt df = {T_TCP4, .bytes = 5000, .df = true, .id = 7};

	cuts(&cwr, 0, 0);
	cuts(&ext, 0, 0);
	cuts(&df, plx_pkt_fixed_id_flag, 0);
}

T(what_is_one_part_is_no_super_segment)
{
	const struct t_pkt p = {T_TCP4, .bytes = 1000};
	struct rte_mbuf *m = t_super(p, 1000, 0);

	start(NIC, (struct rte_eth_desc_lim){0});
	push(m);
	eq(n_given, 1);
	eq(prepared, 0);
	eq(plx_pkt_csum_fill(given[0]), 0);
	plx_acct_self()->tx_pkts--;
	t_is_pkt(given[0], &p);
	m = t_super(p, 1000, 0);
	m->tso_segsz = 0; /* nor is this one anything */
	push(m);
	eq(n_given, 1);
	eq(plx_acct_self()->drop[PLX_DROP_TX_NO_OFFLOAD], 1);
	finish();
}

T(what_the_driver_refuses_is_cut_from_what_it_was)
{
	cuts(&tcp4, 0, 1);
	cuts(&tcp6, 0, 1);
}

T(what_others_hold_is_not_written_to)
{
	struct rte_mbuf *m = t_super(tcp6, 1000, 0);

	start(NIC, (struct rte_eth_desc_lim){0});
	rte_pktmbuf_refcnt_update(m, 1);
	push(m);
	eq(prepared, 0);
	in_parts(&tcp6, false);
	rte_pktmbuf_free(m);
	finish();
}

/* Of 5,054 bytes in segments of so many: whole or not? */
static void limited(uint32_t seg_bytes, struct rte_eth_desc_lim lim, bool is_whole)
{
	start(NIC, lim);
	push(t_super(tcp4, 1000, seg_bytes));
	if (is_whole) {
		whole(&tcp4);
	} else {
		eq(prepared, 0);
		in_parts(&tcp4, false);
	}
	finish();
	plx_acct_reset();
}

T(no_more_segments_than_it_takes)
{
	limited(100, (struct rte_eth_desc_lim){.nb_seg_max = 51}, true);
	limited(100, (struct rte_eth_desc_lim){.nb_seg_max = 50}, false);
	/* 46 bytes behind the headers, nine times 100 and 54: 11 mbufs, and of the others one more:
	 * that of the headers */
	limited(100, (struct rte_eth_desc_lim){.nb_mtu_seg_max = 12}, true);
	limited(100, (struct rte_eth_desc_lim){.nb_mtu_seg_max = 11}, false);
	/* two parts have a border in them */
	limited(2048, (struct rte_eth_desc_lim){.nb_mtu_seg_max = 3}, true);
	limited(2048, (struct rte_eth_desc_lim){.nb_mtu_seg_max = 2}, false);
}

T(nor_than_its_queue_has_descriptors)
{
	struct rte_mbuf *m = t_super(tcp4, 1000, 100);

	start(NIC, (struct rte_eth_desc_lim){0});
	((struct ethdev *)port->priv)->txd = 52;
	push(m);
	in_parts(&tcp4, false);
	finish();
}

T(nor_than_a_small_ring_has_whatever_it_says)
{
	const struct t_pkt p = {T_TCP4, .bytes = 9000};

	start(NIC, (struct rte_eth_desc_lim){0});
	for (int i = 0; i < 2; i++) {
		struct rte_mbuf *m = t_super(p, 1000, i ? 80 : 60);

		eq(m->nb_segs > 128, !i);
		eq(ethdev__features_check(q, m), i);
		plx_pkt_deliver(m);
	}
	finish();
}

/* The most mbufs that a part is in, byte by byte. */
static uint32_t most(const struct rte_mbuf *m, uint32_t headers)
{
	uint32_t at = 0, best = 0, in_part = 0, part = UINT32_MAX;
	uint32_t size = m->tso_segsz;

	for (const struct rte_mbuf *s = m; s; s = s->next) {
		uint32_t last = UINT32_MAX;

		for (uint32_t i = 0; i < s->data_len; i++, at++) {
			uint32_t now;

			if (at < headers)
				continue;
			now = (at - headers) / size;
			if (now != part)
				in_part = 1;
			if (now != part || now != last)
				in_part++;
			part = last = now;
			best = PLX_MAX(best, in_part);
		}
	}
	return best;
}

T(random_chains_against_a_count_of_each_byte)
{
	struct rte_eth_desc_lim *lim;
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	start(NIC, (struct rte_eth_desc_lim){0});
	lim = &((struct ethdev *)port->priv)->info.tx_desc_lim;
	for (int i = 0; i < 1000; i++) {
		uint32_t part = (uint32_t)(1 + plx_rng_below(&rng, 1500)), n;
		uint32_t more = (uint32_t)(1 + plx_rng_below(&rng, 6000));
		struct t_pkt p = {T_TCP4, .bytes = part + more};
		uint32_t seg = (uint32_t)(60 + plx_rng_below(&rng, 1000));
		struct rte_mbuf *m = t_super(p, (uint16_t)part, seg);

		n = most(m, 54);
		lim->nb_mtu_seg_max = (uint16_t)n;
		ok(ethdev__features_check(q, m));
		lim->nb_mtu_seg_max = (uint16_t)(n - 1);
		if (m->nb_segs >= n) /* fewer fit without a look at their lengths */
			ok(!ethdev__features_check(q, m));
		plx_pkt_deliver(m);
	}
	finish();
}

T(what_it_leaves_waits_and_counts_once)
{
	static const uint8_t small[60];

	start(NIC, (struct rte_eth_desc_lim){0});
	room = 2;
	plx_txq_push(q, t_mbuf(small, sizeof(small)));
	plx_txq_push(q, t_super(tcp4, 1000, 0));
	plx_txq_push(q, t_super(tcp6, 1000, 0));
	eq(plx_txq_flush(q), 2);
	eq(q->pkts, 6);
	eq(plx_txq_wire(q), 5);
	room = 3;
	eq(plx_txq_flush(q), 1);
	eq(q->pkts, 11);
	eq(plx_txq_wire(q), 0);
	eq(plx_acct_self()->tx_pkts, 11);
	rte_pktmbuf_free_bulk(given, n_given);
	finish();
}

T(tso_is_switched_off_and_on)
{
	start(NIC, (struct rte_eth_desc_lim){0});
	ok(port->switchable & PLX_PORT_F_TSO);
	eq(plx_port_set_features(port, port->wanted & ~(uint32_t)PLX_PORT_F_TSO), 0);
	push(t_super(tcp4, 1000, 0));
	in_parts(&tcp4, false);
	eq(plx_port_set_features(port, port->wanted | PLX_PORT_F_TSO), 0);
	n_given = 0;
	q->pkts = 0;
	push(t_super(tcp4, 1000, 0));
	eq(n_given, 1);
	rte_pktmbuf_free(given[0]);
	finish();
}

/* What comes: p, by the device's word. @return it; NULL: it was dropped. */
static struct rte_mbuf *comes(const struct t_pkt *p, uint64_t flags, uint16_t part)
{
	struct t_pkt as = *p;
	struct rte_mbuf *m;
	static uint8_t b[T_FRAME_MAX];

	as.no_len = true;
	start(0, (struct rte_eth_desc_lim){0});
	m = t_chain(b, t_frame(b, &as), 0);
	m->ol_flags |= flags;
	m->tso_segsz = part;
	to_come[n_to_come++] = m;
	return t_recv(port, 0);
}

T(a_merged_packet_counts_as_its_parts)
{
	struct rte_mbuf *m = comes(&tcp6, RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE, 1000);

	assert_non_null(m);
	eq(plx_pkt_wire(m), 5);
	eq(port->rxq[0]->pkts, 5);
	eq(plx_acct_self()->rx_pkts, 5);
	ok(m->ol_flags & plx_pkt_partial_flag);
	eq(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	/* on it goes, by a device that cuts: as it came */
	eq(plx_gso_from_gro(m, 14), 0);
	eq(plx_gso_parts(m), 5);
	plx_pkt_deliver(m);
	finish();
}

T(one_part_is_no_merged_packet)
{
	struct rte_mbuf *m = comes(&tcp4, RTE_MBUF_F_RX_LRO, 5000);

	assert_non_null(m);
	eq(plx_pkt_wire(m), 1);
	ok(!(m->ol_flags & RTE_MBUF_F_RX_LRO));
	plx_pkt_deliver(m);
	finish();
}

T(a_checksum_that_is_not_there_yet_is_completed)
{
	const struct t_pkt p = {T_UDP4, .bytes = 100};
	struct rte_mbuf *m = comes(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE, 0);

	assert_non_null(m);
	ok(m->ol_flags & plx_pkt_partial_flag);
	eq(plx_pkt_complete(m, true), 0);
	t_is_pkt(m, &p);
	finish();
}

static void lost(const struct t_pkt *p, uint64_t flags, uint16_t part)
{
	assert_null(comes(p, flags, part));
	eq(plx_acct_self()->drop[PLX_DROP_RX_OFFLOAD], 1);
	eq(plx_acct_self()->rx_pkts, 1);
	finish();
	plx_acct_reset();
}

T(a_word_that_does_not_fit_the_packet_loses_it)
{
	const struct t_pkt fragment = {T_UDP4, .bytes = 100, .mf = true};
	const struct t_pkt empty = {T_TCP4};

	lost(&tcp4, RTE_MBUF_F_RX_LRO, 0);
	lost(&empty, RTE_MBUF_F_RX_LRO, 1000);
	lost(&fragment, RTE_MBUF_F_RX_L4_CKSUM_NONE, 0);
}

T(a_good_or_a_bad_checksum_is_left_to_others)
{
	const struct t_pkt p = {T_UDP4, .bytes = 100};

	for (int bad = 0; bad < 2; bad++) {
		uint64_t flag = bad ? RTE_MBUF_F_RX_L4_CKSUM_BAD : RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		struct rte_mbuf *m = comes(&p, flag, 0);

		assert_non_null(m);
		eq(m->ol_flags, flag);
		plx_pkt_deliver(m);
		finish();
	}
}

RUN_EAL(T_EAL_(what_it_can_cut_it_is_handed_whole),
	T_EAL_(where_it_makes_no_ipv4_sum_the_header_has_one),
	T_EAL_(what_dpdk_says_nothing_of_is_cut_before),
	T_EAL_(what_is_one_part_is_no_super_segment),
	T_EAL_(what_the_driver_refuses_is_cut_from_what_it_was),
	T_EAL_(what_others_hold_is_not_written_to), T_EAL_(no_more_segments_than_it_takes),
	T_EAL_(nor_than_its_queue_has_descriptors),
	T_EAL_(nor_than_a_small_ring_has_whatever_it_says),
	T_EAL_(random_chains_against_a_count_of_each_byte),
	T_EAL_(what_it_leaves_waits_and_counts_once), T_EAL_(tso_is_switched_off_and_on),
	T_EAL_(a_merged_packet_counts_as_its_parts), T_EAL_(one_part_is_no_merged_packet),
	T_EAL_(a_checksum_that_is_not_there_yet_is_completed),
	T_EAL_(a_word_that_does_not_fit_the_packet_loses_it),
	T_EAL_(a_good_or_a_bad_checksum_is_left_to_others))
