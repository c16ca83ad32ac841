/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_t.h"

#include "pkt_t.h"

#include <plx_offload.h>

static struct t_port tp;
static struct plx_txq *q;

/* One queue that lets so many wait. */
static void start(uint32_t features, uint32_t quirks, uint32_t limit)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1, .tx_limit = limit, .pool = {t_pool}};
	struct plx_error e;

	t_port_add(&tp, 1, features);
	tp.port->quirks |= quirks;
	eq(plx_port_open(tp.port, &conf, &e), 0);
	q = tp.port->txq[0];
}

static struct rte_mbuf *numbered(uint32_t n)
{
	uint8_t frame[60] = {0};

	plx_put_be32(frame, n);
	return t_mbuf(frame, sizeof(frame));
}

static void push(uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		plx_txq_push(q, numbered(from + i));
}

/* The next n that were sent bear these numbers. */
static void sent(uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = t_port_sent(&tp, 0);

		assert_non_null(m);
		eq(plx_get_be32(rte_pktmbuf_mtod(m, const void *)), from + i);
		rte_pktmbuf_free(m);
	}
}

static uint64_t drops(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

T(what_is_refused_goes_first_next_time)
{
	start(PLX_PORT_F_SG, 0, 100);
	tp.room = 3;
	push(0, 10);
	eq(plx_txq_flush(q), 3);
	push(10, 2);
	eq(plx_txq_flush(q), 3);
	eq(q->requeues, 2);
	tp.room = UINT32_MAX;
	eq(plx_txq_flush(q), 6);
	sent(0, 12);
	eq(q->pkts, 12);
	eq(plx_acct_self()->tx_pkts, 12);
}

/* Random pushes, bursts and flushes against a driver in random moods: order is kept, always. */
T(order_is_kept)
{
	uint32_t next = 0, seen = 0;
	struct plx_rng rng;

	start(PLX_PORT_F_SG, 0, 128);
	plx_rng_init(&rng, t_seed(3));
	for (int i = 0; i < 20000; i++) {
		struct rte_mbuf *burst[PLX_PORT_BURST];
		uint32_t n = PLX_MIN(plx_rng_below(&rng, 20), 128 - plx_txq_len(q));

		tp.room = plx_rng_below(&rng, 25);
		switch (plx_rng_below(&rng, 3)) {
		case 0:
			push(next, n);
			next += n;
			break;
		case 1:
			for (uint32_t j = 0; j < n; j++)
				burst[j] = numbered(next++);
			plx_txq_burst(q, burst, (uint16_t)n);
			break;
		default:
			plx_txq_flush(q);
		}
		n = tp.q[0].n_tx - tp.q[0].tx_at;
		sent(seen, n);
		seen += n;
	}
	tp.room = UINT32_MAX;
	plx_txq_flush(q);
	sent(seen, next - seen);
	eq(drops(PLX_DROP_TX_FULL), 0);
}

T(a_full_queue_tries_once_more_then_drops)
{
	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	push(0, 8);
	eq(drops(PLX_DROP_TX_FULL), 0);
	push(8, 1);
	eq(drops(PLX_DROP_TX_FULL), 1);
	tp.room = UINT32_MAX;
	push(9, 1); /* the driver has room again: no need to drop */
	eq(drops(PLX_DROP_TX_FULL), 1);
	plx_txq_flush(q);
	sent(0, 8);
	sent(9, 1);
}

T(the_longest_queue)
{
	static const uint8_t frame[60];

	start(PLX_PORT_F_SG, 0, 65536);
	tp.room = 0;
	for (uint32_t i = 0; i < 65536; i++) { /* one mbuf many times, as there are not so many */
		static struct rte_mbuf *m;

		if (i == 0)
			m = t_mbuf(frame, sizeof(frame));
		else
			plx_pkt_originate(1);
		rte_mbuf_refcnt_update(m, i > 0);
		plx_txq_push(q, m);
	}
	eq(plx_txq_len(q), 65536);
	eq(plx_txq_flush(q), 0);
	while (plx_txq_len(q)) {
		uint32_t len = plx_txq_len(q);

		tp.room = 1000;
		plx_txq_flush(q);
		eq(plx_txq_len(q), len - PLX_MIN(len, 1000u));
		t_port_clear(&tp);
	}
	eq(drops(PLX_DROP_TX_FULL), 0);
}

T(a_frame_that_is_never_taken_is_not_shown)
{
	uint8_t frame[1519] = {0};
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG, PLX_QUIRK_REFUSES_LONG, 8);
	plx_txq_push(q, t_mbuf(frame, 1519)); /* 1500 and the link's 18 */
	eq(drops(PLX_DROP_TX_TOO_LONG), 1);
	m = t_mbuf(frame, 1518);
	plx_txq_burst(q, &m, 1);
	eq(drops(PLX_DROP_TX_TOO_LONG), 1);
	eq(q->pkts, 1);
	eq(plx_port_set_mtu(tp.port, 1400), 0);
	m = t_mbuf(frame, 1419);
	plx_txq_burst(q, &m, 1);
	eq(drops(PLX_DROP_TX_TOO_LONG), 2);
}

T(nothing_goes_out_of_a_port_that_is_down)
{
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	push(0, 2);
	plx_txq_flush(q);
	eq(plx_port_set_link(tp.port, false), 0);
	push(2, 1);
	eq(drops(PLX_DROP_TX_DOWN), 3); /* nor do those that waited stay */
	eq(plx_txq_len(q), 0);
	tp.room = UINT32_MAX;
	m = numbered(3);
	plx_txq_burst(q, &m, 1);
	eq(drops(PLX_DROP_TX_DOWN), 4);
	eq(plx_port_set_link(tp.port, true), 0);
	tp.room = UINT32_MAX;
	m = numbered(4);
	plx_txq_burst(q, &m, 1);
	push(5, 1);
	plx_txq_flush(q);
	sent(4, 2);
}

static struct rte_mbuf *chain(uint16_t first, uint16_t second)
{
	uint8_t bytes[4096];
	struct rte_mbuf *m, *rest = rte_pktmbuf_alloc(t_pool);

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	m = t_mbuf(bytes, first);
	memcpy(rte_pktmbuf_append(rest, second), bytes + first, second);
	eq(rte_pktmbuf_chain(m, rest), 0);
	return m;
}

T(chains_are_joined_for_who_takes_none)
{
	struct rte_mbuf *m;

	start(0, 0, 8);
	plx_txq_push(q, chain(100, 300));
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	eq(m->nb_segs, 1);
	eq(m->data_len, 400);
	for (unsigned int i = 0; i < 400; i++)
		eq(rte_pktmbuf_mtod(m, uint8_t *)[i], (uint8_t)(i * 7));
	rte_pktmbuf_free(m);
	plx_txq_push(q, chain(1500, 1000)); /* longer than an mbuf */
	eq(drops(PLX_DROP_TX_NO_OFFLOAD), 1);
	eq(plx_txq_len(q), 0);
}

/* A device that gathers so many for a packet; what fills its mbufs badly is copied into fewer. */
T(a_chain_has_no_more_segments_than_the_device_takes)
{
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG, 0, 8);
	plx_port_close(tp.port);
	tp.port->caps.max_segs = 2;
	t_open("t0", 1);
	q = tp.port->txq[0];
	ok(!q->looks); /* no packet of this MTU comes in more */
	for (int i = 0; i < 2; i++) {
		m = chain(100, 300);
		if (i)
			eq(rte_pktmbuf_chain(m, chain(50, 10)), 0);
		plx_txq_push(q, m);
	}
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	eq(m->nb_segs, 2);
	rte_pktmbuf_free(m);
	m = t_port_sent(&tp, 0);
	eq(m->nb_segs, 1);
	eq(m->pkt_len, 460);
	rte_pktmbuf_free(m);
	m = chain(1500, 1500);
	eq(rte_pktmbuf_chain(m, chain(1500, 1500)), 0);
	plx_txq_push(q, m);
	eq(drops(PLX_DROP_TX_NO_OFFLOAD), 1);
	eq(plx_port_set_mtu(tp.port, 9000), 0);
	ok(q->looks);
	/* the inner chain of each pair was originated on its own */
	plx_acct_self()->originated_pkts -= 2;
}

/* The first segment is somebody else's too: its bytes stay. */
T(a_shared_chain_is_copied)
{
	struct rte_mbuf *m, *clone;

	start(0, 0, 8);
	m = chain(100, 300);
	clone = rte_pktmbuf_clone(m, t_pool);
	assert_non_null(clone);
	plx_txq_push(q, clone);
	plx_txq_flush(q);
	clone = t_port_sent(&tp, 0);
	eq(clone->nb_segs, 1);
	eq(clone->data_len, 400);
	eq(m->data_len, 100);
	eq(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(clone);
	rte_pktmbuf_free(m);
}

T(closing_drops_what_waits)
{
	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	push(0, 5);
	plx_port_close(tp.port);
	eq(drops(PLX_DROP_STOPPED), 5);
}

/* ---- what came without a checksum, or merged ---- */

static struct rte_mbuf *came(uint32_t text, uint16_t size)
{
	struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = text});

	m->ol_flags |= plx_pkt_partial_flag | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (size) {
		m->ol_flags |= RTE_MBUF_F_RX_LRO;
		m->tso_segsz = size;
		plx_pkt_set_wire(m, (text + size - 1) / size);
		plx_pkt_originate(plx_pkt_wire(m) - 1);
	}
	return m;
}

T(a_checksum_is_completed_by_whoever_can)
{
	struct rte_mbuf *m;
	uint32_t l4, n;

	start(PLX_PORT_F_SG, 0, 8);
	plx_txq_push(q, came(1000, 0));
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	eq(m->ol_flags & (plx_pkt_partial_flag | RTE_MBUF_F_TX_L4_MASK), 0);
	n = t_build(&(struct t_pkt){.text = 1000, .sum = true}, &l4);
	t_same(m, n);
	rte_pktmbuf_free(m);
	plx_port_fini_all();

	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4, 0, 8);
	plx_txq_push(q, came(1000, 0));
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	ok(m->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM);
	n = t_build(&(struct t_pkt){.text = 1000}, &l4);
	t_same(m, n);
	rte_pktmbuf_free(m);
}

T(a_super_segment_goes_where_it_can_be_cut)
{
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_TSO, PLX_QUIRK_REFUSES_LONG, 8);
	plx_txq_push(q, came(5000, 1000)); /* its length is that of its segments */
	plx_txq_push(q, came(5000, 1500));
	eq(drops(PLX_DROP_TX_TOO_LONG), 4);
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	ok(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	ok(!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM));
	eq(plx_pkt_wire(m), 5);
	plx_count(plx_acct_self()->tx_pkts, 4); /* the port here does not say so */
	rte_pktmbuf_free(m);
}

T(what_waits_is_counted_as_it_will_be_on_the_wire)
{
	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_TSO, 0, 8);
	tp.room = 0;
	for (int i = 0; i < 3; i++) {
		plx_txq_push(q, came(5000, 1000));
		push((uint32_t)i, 1);
	}
	eq(plx_txq_len(q), 6);
	eq(plx_txq_wire(q), 18);
	eq(plx_txq_flush(q), 0);
	eq(plx_txq_wire(q), 18);
	tp.room = 3;
	eq(plx_txq_flush(q), 3); /* 5, 1, 5 */
	eq(plx_txq_len(q), 3);
	eq(plx_txq_wire(q), 7);
	tp.room = 0;
	plx_txq_flush(q);
	ok(!plx_txq_watch(q, PLX_SEC(1), PLX_SEC(5)));
	ok(plx_txq_watch(q, PLX_SEC(7), PLX_SEC(5)));
	eq(drops(PLX_DROP_TX_TIMEOUT), 7);
	eq(plx_txq_wire(q), 0);
	for (struct rte_mbuf *m; (m = t_port_sent(&tp, 0));) {
		plx_count(plx_acct_self()->tx_pkts, plx_pkt_wire(m) - 1); /* as above */
		rte_pktmbuf_free(m);
	}
}

/* Whoever made it, it leaves in parts, each with its sums, as far as the queue has room. */
static void cut(uint32_t features, uint64_t sums)
{
	uint64_t full = drops(PLX_DROP_TX_FULL);
	struct rte_mbuf *m;

	start(features, PLX_QUIRK_REFUSES_LONG, 8);
	for (uint32_t ours = 0; ours < 2; ours++) {
		m = came(4500, 1000);
		if (ours) /* a program's */
			eq(plx_gso_from_gro(m, 14), 0);
		plx_txq_push(q, m);
		eq(plx_txq_len(q), 5);
		eq(plx_txq_flush(q), 5);
		for (uint32_t i = 0; i < 5; i++) {
			m = t_port_sent(&tp, 0);
			eq(m->pkt_len, 54 + (i < 4 ? 1000 : 500));
			eq(m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG), sums);
			eq(m->nb_segs > 1 && !(features & PLX_PORT_F_SG), false);
			eq(plx_pkt_wire(m), 1);
			rte_pktmbuf_free(m);
		}
	}
	tp.room = 0;
	plx_txq_push(q, came(9000, 1000));
	eq(plx_txq_len(q), 8);
	eq(drops(PLX_DROP_TX_FULL), full + 1);
	plx_port_fini_all();
}

T(a_super_segment_is_cut_where_the_device_cannot)
{
	cut(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4, RTE_MBUF_F_TX_TCP_CKSUM);
	cut(PLX_PORT_F_SG, 0);
	cut(0, 0);
	eq(drops(PLX_DROP_STOPPED), 24);
}

/* A device would make a sum of what is not there. */
T(datagrams_without_a_checksum_are_cut_here)
{
	struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = 3000, .udp = true});

	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_TSO | PLX_PORT_F_USO, 0, 8);
	memset(rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 20 + 6), 0, 2);
	m->ol_flags |= RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	m->tso_segsz = 1000;
	plx_pkt_set_wire(m, 3);
	plx_pkt_originate(2);
	plx_txq_push(q, m);
	eq(plx_txq_flush(q), 3);
	for (int i = 0; i < 3; i++) {
		m = t_port_sent(&tp, 0);
		eq(m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_UDP_SEG), 0);
		eq(t_field(m, 14 + 20 + 6), 0);
		rte_pktmbuf_free(m);
	}
}

T(what_cannot_be_cut_is_dropped)
{
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG, 0, 8);
	m = came(4500, 1000);
	plx_pkt_set_wire(m, 6); /* it says so, but it is five */
	plx_pkt_originate(1);
	plx_txq_push(q, m);
	eq(drops(PLX_DROP_TX_NO_OFFLOAD), 6);
	eq(plx_txq_len(q), 0);
}

T(ip4_sums_of_super_segments_are_left_to_who_makes_them)
{
	struct rte_mbuf *m;

	start(PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TSO, 0,
		8);
	plx_txq_push(q, came(2000, 1000));
	plx_txq_flush(q);
	m = t_port_sent(&tp, 0);
	ok(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM);
	eq(t_field(m, 14 + 10), 0);
	plx_count(plx_acct_self()->tx_pkts, 1);
	rte_pktmbuf_free(m);
}

/* The direct way looks at packets as soon as some port may give such. */
T(the_direct_way_looks_at_them_too)
{
	struct rte_mbuf *m = came(1000, 0);

	start(PLX_PORT_F_SG | PLX_PORT_F_RX_CSUM | PLX_PORT_F_LRO, 0, 8);
	ok(q->looks);
	plx_txq_burst(q, &m, 1);
	m = t_port_sent(&tp, 0);
	eq(m->ol_flags & plx_pkt_partial_flag, 0);
	rte_pktmbuf_free(m);
}

/* ---- the watchdog ---- */

static bool watch(plx_ns now)
{
	plx_txq_flush(q);
	return plx_txq_len(q) && plx_txq_watch(q, now, PLX_SEC(5));
}

/* What the control thread is told. */
static void told(uint32_t pkts, plx_ns waited_ns)
{
	struct plx_tx_stuck s;

	ok(plx_port_stuck(tp.port, &s));
	eq(s.queue, 0);
	eq(s.pkts, pkts);
	eq(s.waited_ns, waited_ns);
	ok(!plx_port_stuck(tp.port, &s));
}

static void told_nothing(void)
{
	struct plx_tx_stuck s;

	ok(!plx_port_stuck(tp.port, &s));
}

T(what_waits_too_long_is_given_up)
{
	struct plx_port_stats s;

	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	push(0, 2);
	ok(!watch(PLX_SEC(10)));
	push(2, 1); /* who comes later does not make it wait longer */
	ok(!watch(PLX_MS(14999)));
	eq(drops(PLX_DROP_TX_TIMEOUT), 0);
	told_nothing();
	ok(watch(PLX_SEC(15)));
	eq(drops(PLX_DROP_TX_TIMEOUT), 3);
	eq(plx_txq_len(q), 0);
	eq(q->watch.timeouts, 1);
	eq(tp.timeouts, 1);
	told(3, PLX_SEC(5));
	plx_port_stats(tp.port, &s);
	eq(s.tx_dropped, 3);
	eq(s.tx_packets, 0);
}

T(a_queue_that_moves_is_left_alone)
{
	start(PLX_PORT_F_SG, 0, 100);
	push(0, 100);
	for (int i = 0; i < 50; i++) { /* one frame in 4 s */
		tp.room = 1;
		plx_txq_flush(q);
		tp.room = 0;
		ok(!watch(PLX_SEC(4 * i)));
	}
	eq(drops(PLX_DROP_TX_TIMEOUT), 0);
	eq(tp.timeouts, 0);
}

/* Each frame has its own time, though the queue was never seen empty. */
T(what_left_otherwise_starts_the_time_anew)
{
	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	push(0, 3);
	ok(!watch(PLX_SEC(1)));
	eq(plx_port_set_link(tp.port, false), 0);
	plx_txq_flush(q);
	eq(drops(PLX_DROP_TX_DOWN), 3);
	eq(plx_port_set_link(tp.port, true), 0);
	push(3, 3);
	ok(!watch(PLX_SEC(7)));
	ok(!watch(PLX_SEC(11)));
	ok(watch(PLX_SEC(12)));
}

T(a_queue_that_stays_stuck_is_told_of_once)
{
	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 0;
	for (int i = 0; i < 3; i++) {
		push(0, 1);
		ok(!watch(PLX_SEC(100 + 10 * i)));
		ok(watch(PLX_SEC(106 + 10 * i)));
	}
	eq(q->watch.timeouts, 3);
	eq(tp.timeouts, 3);
	told(1, PLX_SEC(6));
	tp.room = 1; /* it goes on, and sticks again: that is news */
	push(0, 3);
	plx_txq_flush(q);
	tp.room = 0;
	ok(!watch(PLX_SEC(200)));
	ok(watch(PLX_SEC(205)));
	told(2, PLX_SEC(5));
}

/* ---- figures ---- */

static uint64_t xstat(const char *name)
{
	static char names[64][64];
	uint64_t v[64];
	int n = plx_port_xstats(tp.port, names, v, 64);

	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return v[i];
	fail_msg("no %s", name);
	return 0;
}

T(a_queues_figures_are_ethtools)
{
	char names[2][64];
	uint64_t v[2];

	start(PLX_PORT_F_SG, 0, 8);
	tp.room = 2;
	push(0, 3);
	plx_txq_flush(q);
	tp.room = 0;
	ok(!watch(PLX_SEC(1)));
	ok(watch(PLX_SEC(6)));
	eq(xstat("rx_queue_0_packets"), 0);
	eq(xstat("tx_queue_0_packets"), 2);
	eq(xstat("tx_queue_0_bursts"), 3);
	eq(xstat("tx_queue_0_requeues"), 3);
	eq(xstat("tx_queue_0_refused"), 2);
	eq(xstat("tx_queue_0_drops"), 1);
	eq(xstat("tx_queue_0_tx_timeouts"), 1);
	eq(plx_port_xstats(tp.port, names, v, 2), 2); /* what there is room for */
	str_eq(names[1], "rx_queue_0_polls");
}

RUN_EAL(T_EAL_(what_is_refused_goes_first_next_time), T_EAL_(order_is_kept),
	T_EAL_(a_full_queue_tries_once_more_then_drops), T_EAL_(the_longest_queue),
	T_EAL_(a_frame_that_is_never_taken_is_not_shown),
	T_EAL_(nothing_goes_out_of_a_port_that_is_down),
	T_EAL_(chains_are_joined_for_who_takes_none), T_EAL_(a_shared_chain_is_copied),
	T_EAL_(a_chain_has_no_more_segments_than_the_device_takes),
	T_EAL_(closing_drops_what_waits), T_EAL_(a_checksum_is_completed_by_whoever_can),
	T_EAL_(a_super_segment_goes_where_it_can_be_cut),
	T_EAL_(ip4_sums_of_super_segments_are_left_to_who_makes_them),
	T_EAL_(the_direct_way_looks_at_them_too), T_EAL_(what_waits_too_long_is_given_up),
	T_EAL_(a_queue_that_moves_is_left_alone), T_EAL_(what_left_otherwise_starts_the_time_anew),
	T_EAL_(a_queue_that_stays_stuck_is_told_of_once), T_EAL_(a_queues_figures_are_ethtools),
	T_EAL_(what_waits_is_counted_as_it_will_be_on_the_wire),
	T_EAL_(a_super_segment_is_cut_where_the_device_cannot),
	T_EAL_(datagrams_without_a_checksum_are_cut_here), T_EAL_(what_cannot_be_cut_is_dropped))
