/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <errno.h>

#include <plx_base_cksum.h>
#include <plx_net_impair.h>

/* The bench: a pipe from far to near, and the impair port bad in front of near. */
static struct plx_port *far, *near, *bad;
static plx_ns now;

static plx_ns fake_clock(void)
{
	return now;
}

static void bench(const char *keys, const char *pipe, uint16_t queues)
{
	struct plx_error e = {0};
	char spec[256];

	now = PLX_SEC(1);
	plx_net_impair_clock(fake_clock);
	eq(plx_port_create(pipe, &e), 0);
	near = plx_port_find("near");
	snprintf(spec, sizeof(spec), "bad=impair,lower=near%s%s", *keys ? "," : "", keys);
	if (plx_port_create(spec, &e) != 0)
		print_message("%s: %s\n", spec, e.text);
	far = t_open("far", queues);
	bad = t_open("bad", queues);
}

static void bench1(const char *keys)
{
	bench(keys, "far=pipe,peer=near", 1);
}

static struct rte_mbuf *frame(uint32_t seq)
{
	uint8_t f[100] = {0};

	plx_put_be32(f + 90, seq);
	return t_mbuf(f, sizeof(f));
}

static uint32_t seq_of(struct rte_mbuf *m)
{
	return plx_get_be32(rte_pktmbuf_mtod_offset(m, uint8_t *, 90));
}

static void send_pkt(struct plx_port *p, struct rte_mbuf *m)
{
	plx_txq_push(p->txq[0], m);
	plx_txq_flush(p->txq[0]);
}

/* The next frame that p receives at time t must be seq; -1 = none. */
static void expect(struct plx_port *p, plx_ns t, int seq)
{
	struct rte_mbuf *m;

	now = t;
	m = t_recv(p, 0);
	if (seq < 0) {
		assert_null(m);
		return;
	}
	assert_non_null(m);
	eq(seq_of(m), seq);
	plx_pkt_deliver(m);
}

static uint64_t dropped(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

T(a_perfect_link_passes_both_ways)
{
	bench1("");
	for (uint32_t i = 0; i < 300; i++)
		send_pkt(far, frame(i));
	for (int i = 0; i < 300; i++)
		expect(bad, now, i);
	expect(bad, now, -1);
	for (uint32_t i = 0; i < 300; i++)
		send_pkt(bad, frame(i));
	for (int i = 0; i < 300; i++)
		expect(far, now, i);
}

T(each_direction_loses_its_own_and_the_account_closes)
{
	struct plx_port_stats s;

	bench1("rx.nth=2,tx.nth=3");
	for (uint32_t i = 1; i <= 6; i++)
		send_pkt(far, frame(i));
	expect(bad, now, 1);
	expect(bad, now, 3);
	expect(bad, now, 5);
	expect(bad, now, -1);
	eq(dropped(PLX_DROP_IMPAIR_LOSS), 3);
	for (uint32_t i = 1; i <= 6; i++)
		send_pkt(bad, frame(i));
	expect(far, now, 1);
	expect(far, now, 2);
	expect(far, now, 4);
	expect(far, now, 5);
	expect(far, now, -1);
	eq(dropped(PLX_DROP_IMPAIR_LOSS), 5);
	plx_port_stats(bad, &s);
	eq(s.rx_packets, 3);
	eq(s.rx_dropped, 3);
	eq(s.tx_packets, 4);
	eq(s.tx_dropped, 2);
	eq(s.tx_bytes, 400);
}

T(received_packets_come_when_their_delay_is_over)
{
	bench1("rx.delay=10ms");
	send_pkt(far, frame(1));
	expect(bad, PLX_SEC(1), -1);
	now = PLX_SEC(1) + PLX_MS(4);
	send_pkt(far, frame(2));
	expect(bad, PLX_SEC(1) + PLX_MS(4), -1);
	expect(bad, PLX_SEC(1) + PLX_MS(10) - 1, -1);
	expect(bad, PLX_SEC(1) + PLX_MS(10), 1);
	expect(bad, PLX_SEC(1) + PLX_MS(10), -1);
	expect(bad, PLX_SEC(1) + PLX_MS(14), 2);
}

T(sent_packets_leave_with_a_poll_or_the_next_send)
{
	bench1("tx.delay=10ms");
	send_pkt(bad, frame(1));
	eq(plx_txq_len(bad->txq[0]), 0); /* taken */
	expect(far, PLX_SEC(1) + PLX_MS(20), -1);
	expect(bad, now, -1); /* the poll that moves it on */
	expect(far, now, 1);
	send_pkt(bad, frame(2));
	now += PLX_MS(10);
	send_pkt(bad, frame(3));
	expect(far, now, 2);
	expect(far, now, -1);
	now += PLX_MS(10);
	expect(bad, now, -1);
	expect(far, now, 3);
}

T(reordered_packets_overtake)
{
	bench1("rx.delay=10ms,rx.reorder=100%,rx.gap=3");
	for (uint32_t i = 1; i <= 6; i++)
		send_pkt(far, frame(i));
	expect(bad, PLX_SEC(1), 3);
	expect(bad, PLX_SEC(1), 6);
	expect(bad, PLX_SEC(1), -1);
	expect(bad, PLX_SEC(1) + PLX_MS(10), 1);
	expect(bad, now, 2);
	expect(bad, now, 4);
	expect(bad, now, 5);
}

T(duplicates_are_packets_of_their_own)
{
	struct rte_mbuf *m[2];

	bench1("rx.dup=100%,tx.dup=100%");
	send_pkt(far, frame(1));
	eq(plx_rxq_burst(bad->rxq[0], m, 2), 2);
	eq(seq_of(m[0]), 1);
	eq(seq_of(m[1]), 1);
	ok(!plx_pkt_shared(m[0]));
	ok(!plx_pkt_shared(m[1]));
	plx_pkt_deliver(m[0]);
	plx_pkt_deliver(m[1]);
	send_pkt(bad, frame(2));
	expect(far, now, 2);
	expect(far, now, 2);
	expect(far, now, -1);
}

static unsigned int bits_changed(struct rte_mbuf *m, struct rte_mbuf *of)
{
	const uint8_t *a = rte_pktmbuf_mtod(m, uint8_t *), *b = rte_pktmbuf_mtod(of, uint8_t *);
	unsigned int n = 0;

	for (uint32_t i = 0; i < of->pkt_len; i++)
		n += (unsigned int)__builtin_popcount(a[i] ^ b[i]);
	return n;
}

T(corruption_flips_bits_of_a_copy_of_its_own)
{
	struct rte_mbuf *m, *kept;

	bench1("tx.corrupt=100%:3");
	kept = frame(5);
	rte_pktmbuf_refcnt_update(kept, 1);
	send_pkt(bad, kept);
	m = t_recv(far, 0);
	assert_non_null(m);
	eq(bits_changed(m, kept), 3);
	eq(seq_of(kept), 5);
	plx_pkt_deliver(m);
	rte_pktmbuf_free(kept);
}

/* An empty UDP datagram over IPv4, whose checksums are left to the device. */
static struct rte_mbuf *offloaded(void)
{
	uint8_t f[60] = {[12] = 8,
		0,
		0x45,
		0,
		0,
		28,
		[14 + 8] = 64,
		17,
		[14 + 12] = 10,
		0,
		0,
		1,
		10,
		0,
		0,
		2,
		[34] = 1,
		1,
		1,
		2,
		0,
		8};
	struct plx_addr src = plx_addr_from_v4(f + 26), dst = plx_addr_from_v4(f + 30);
	uint16_t pseudo = plx_cksum_fold(plx_cksum_pseudo(&src, &dst, 17, 8));
	struct rte_mbuf *m;

	memcpy(f + 40, &pseudo, 2);
	m = t_mbuf(f, sizeof(f));
	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
	return m;
}

/* Neither a device that sums after the corruption nor one that has summed before it hides it. */
T(no_offload_hides_corruption)
{
	static const struct {
		const char *keys;
		bool tx;
	} rows[] = {{"tx.corrupt=100%", true}, {"rx.corrupt=100%", false}};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct rte_mbuf *m, *want;

		bench1(rows[i].keys);
		want = offloaded();
		eq(plx_pkt_csum_fill(want), 0);
		send_pkt(rows[i].tx ? bad : far, offloaded());
		m = t_recv(rows[i].tx ? far : bad, 0);
		assert_non_null(m);
		eq(m->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK), 0);
		eq(bits_changed(m, want), 1);
		plx_pkt_deliver(m);
		plx_pkt_deliver(want);
		plx_port_fini_all();
	}
}

T(an_aim_finds_the_transport_header)
{
	static const uint8_t vlan[] = {0x81, 0, 0, 5}, types[2][2] = {{8, 0}, {0x86, 0xdd}};

	for (int v6 = 0; v6 < 2; v6++) {
		for (int tagged = 0; tagged < 2; tagged++) {
			uint8_t f[100] = {0}, *at = f + 12;
			struct rte_mbuf *m;

			bench1("rx.aim=l4+2:0035:2"); /* the second frame to port 53 */
			if (tagged) {
				memcpy(at, vlan, 4);
				at += 4;
			}
			memcpy(at, types[v6], 2);
			at += 2;
			at[0] = v6 ? 0x60 : 0x46; /* IPv4 with an option */
			at[6] = v6 ? 17 : 0;
			at += v6 ? 40 : 24;
			at[3] = 0x35;
			for (int i = 0; i < 3; i++)
				send_pkt(far, t_mbuf(f, sizeof(f)));
			eq(t_drain(bad, 0), 2);
			eq(dropped(PLX_DROP_IMPAIR_LOSS), 1);
			at[3] = 0x36;
			m = t_mbuf(f, sizeof(f));
			send_pkt(far, m);
			eq(t_drain(bad, 0), 1);
			eq(t_eal_after(NULL), 0);
		}
	}
}

T(the_rate_spreads_packets_and_its_queue_overflows)
{
	bench1("tx.rate=8mbit,tx.queue=300"); /* 100 us a frame, three in the queue */
	for (uint32_t i = 1; i <= 5; i++)
		send_pkt(bad, frame(i));
	eq(dropped(PLX_DROP_IMPAIR_QUEUE), 2);
	for (int i = 1; i <= 3; i++) {
		now = PLX_SEC(1) + PLX_US(100) * i - 1;
		expect(bad, now, -1);
		expect(far, now, -1);
		now++;
		expect(bad, now, -1);
		expect(far, now, i);
	}
}

T(the_limit_bounds_what_is_held)
{
	bench1("rx.delay=1s,rx.limit=10");
	for (uint32_t i = 0; i < 15; i++)
		send_pkt(far, frame(i));
	eq(t_drain(bad, 0), 0);
	eq(dropped(PLX_DROP_IMPAIR_QUEUE), 5);
	now += PLX_SEC(1);
	eq(t_drain(bad, 0), 10);
}

T(a_full_lower_port_holds_up_the_sender_and_loses_nothing)
{
	bench("", "far=pipe,peer=near,depth=64", 1);
	for (uint32_t i = 0; i < 300; i++)
		plx_txq_push(bad->txq[0], frame(i));
	plx_txq_flush(bad->txq[0]);
	ok(plx_txq_len(bad->txq[0]) >= 300 - 64 - PLX_PORT_BURST);
	for (int i = 0; i < 300; i++) {
		expect(far, now, i);
		plx_txq_flush(bad->txq[0]);
		expect(bad, now, -1);
	}
	eq(dropped(PLX_DROP_IMPAIR_QUEUE), 0);
}

T(all_queues_share_one_link)
{
	bench("rx.nth=4,tx.nth=4", "far=pipe,peer=near,queues=2", 2);
	for (uint32_t i = 0; i < 8; i++) {
		plx_txq_push(bad->txq[i & 1], frame(i));
		plx_txq_flush(bad->txq[i & 1]);
	}
	eq(dropped(PLX_DROP_IMPAIR_LOSS), 2);
	eq(t_drain(far, 0) + t_drain(far, 1), 6);
}

T(what_is_held_at_close_is_dropped_as_stopped)
{
	bench1("delay=1s");
	send_pkt(far, frame(1));
	expect(bad, now, -1);
	send_pkt(bad, frame(2));
	send_pkt(bad, frame(3));
	plx_port_close(bad);
	eq(dropped(PLX_DROP_STOPPED), 3);
	eq(rte_mempool_in_use_count(t_pool), 0);
	ok(!near->open);
	bad = t_open("bad", 1);
	now += PLX_SEC(2);
	expect(bad, now, -1);
	expect(far, now, -1);
}

T(models_change_while_it_runs)
{
	struct plx_impair_stats s;
	struct plx_error e;

	bench1("rx.loss=100%,rx.seed=4");
	send_pkt(far, frame(1));
	expect(bad, now, -1);
	eq(plx_net_impair_set(bad, PLX_NET_IMPAIR_RX, "loss=0%,limit=5000", &e), 0);
	send_pkt(far, frame(2));
	expect(bad, now, 2);
	plx_net_impair_stats(bad, PLX_NET_IMPAIR_RX, &s);
	eq(s.seen, 1);
	eq(s.lost, 0);
	eq(plx_net_impair_set(bad, PLX_NET_IMPAIR_TX, "loss=7", &e), -EINVAL);
	assert_non_null(strstr(e.text, "'loss=7', at character 6: this number is out of range"));
	eq(plx_net_impair_set(bad, PLX_NET_IMPAIR_TX, "gap=3", &e), -EINVAL);
	assert_non_null(strstr(e.text, "gap needs reorder"));
	eq(plx_net_impair_set(far, PLX_NET_IMPAIR_TX, "loss=1%", &e), -ENODEV);
	send_pkt(bad, frame(3));
	expect(far, now, 3);
}

T(it_stands_for_the_lower_port)
{
	struct plx_mac mac = {{2, 0, 0, 0, 0, 9}};
	struct plx_reta reta, got;
	struct plx_link link;

	bench("", "far=pipe,peer=near,queues=2", 2);
	assert_null(plx_port_find("near"));
	assert_ptr_equal(plx_port_get(1), bad);
	eq(bad->id, 1);
	eq(plx_port_count(), 2);
	str_eq(bad->caps.driver, "impair");
	eq(bad->caps.features, near->caps.features & ~(uint32_t)PLX_PORT_F_RX_INTR);
	eq(bad->caps.reta_size, 128);
	eq(plx_port_set_mac(bad, &mac), 0);
	ok(plx_mac_eq(&near->mac, &mac));
	eq(plx_port_set_mtu(bad, 900), 0);
	eq(near->mtu, 900);
	eq(plx_steer_reta_equal(&reta, 128, 1, 1), 0);
	eq(bad->ops->rss_set(bad, NULL, 0, &reta), 0);
	eq(near->ops->rss_get(near, NULL, NULL, &got), 0);
	eq(got.q[5], 1);
	plx_port_link(bad, &link);
	ok(link.up);
	eq(plx_port_set_link(bad, false), 0);
	plx_port_link(far, &link);
	ok(!link.up);
}

T(the_same_seed_loses_the_same_packets_in_each_direction_others)
{
	uint64_t fate[3] = {0};

	for (int run = 0; run < 2; run++) {
		struct rte_mbuf *m;

		bench1("loss=50%,seed=77");
		for (uint32_t i = 0; i < 64; i++) {
			send_pkt(far, frame(i));
			if (run == 0)
				send_pkt(bad, frame(i));
		}
		for (; (m = t_recv(bad, 0)); plx_pkt_deliver(m))
			fate[run] |= UINT64_C(1) << seq_of(m);
		for (; (m = t_recv(far, 0)); plx_pkt_deliver(m))
			fate[2] |= UINT64_C(1) << seq_of(m);
		plx_port_fini_all();
	}
	ok(fate[0] == fate[1]);
	ok(fate[0] != fate[2]);
	ok(fate[0] != 0 && ~fate[0] != 0);
}

T(bad_specs_say_what_is_wrong_and_leave_nothing)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
		{"x=impair", "needs lower"},
		{"x=impair,lower=nobody", "no such lower port"},
		{"x=impair,lower=near,loss=2", "'loss=2', at character 6"},
		{"x=impair,lower=near,rx.delay=5", "at character 8: a time needs a unit"},
		{"x=impair,lower=near,color=red", "no such key"},
		{"x=impair,lower=near,tx.reorder=1%", "needs a delay"},
		{"x=impair,lower=taken", "no such lower port"},
		{"x=impair,lower=open", "in use"},
	};
	struct plx_error e;

	eq(plx_port_create("far=pipe,peer=near", &e), 0);
	eq(plx_port_create("taken=pipe,peer=open", &e), 0);
	eq(plx_port_create("y=impair,lower=taken", &e), 0);
	t_open("open", 1);
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		eq(plx_port_create(rows[i].spec, &e), -EINVAL);
		eq(e.id, PLX_ERR_PORT_SPEC);
		if (!strstr(e.text, rows[i].says))
			print_message("%s: %s\n", rows[i].spec, e.text);
		assert_non_null(strstr(e.text, rows[i].says));
		eq(plx_port_count(), 4);
	}
	assert_non_null(plx_port_find("near"));
}

T(a_lower_port_that_does_not_open_is_left_closed)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 2};
	struct plx_error e;
	struct plx_port *lo;

	eq(plx_port_create("lo=loop,queues=2", &e), 0);
	lo = plx_port_find("lo");
	eq(plx_port_create("bad=impair,lower=lo", &e), 0);
	eq(plx_port_open(plx_port_find("bad"), &conf, &e), -EINVAL);
	eq(e.id, PLX_ERR_PORT_OPEN);
	ok(!plx_port_find("bad")->open);
	ok(!lo->open);
	t_open("bad", 2);
	ok(lo->open);
}

T(a_line_too_long_for_memory_does_not_open)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1};
	struct plx_error e = {0};
	struct plx_port *lo;

	eq(plx_port_create("lo=loop", &e), 0);
	lo = plx_port_find("lo");
	eq(plx_port_create("bad=impair,lower=lo,tx.limit=100000000", &e), 0);
	eq(plx_port_open(plx_port_find("bad"), &conf, &e), -ENOMEM);
	eq(e.id, PLX_ERR_PORT_OPEN);
	assert_non_null(strstr(e.remedy, "smaller limit"));
	ok(!plx_port_find("bad")->open);
	ok(!lo->open);
}

T(one_bad_link_may_lie_before_another)
{
	struct plx_error e;

	eq(plx_port_create("lo=loop", &e), 0);
	eq(plx_port_create("one=impair,lower=0,tx.nth=2", &e), 0);
	eq(plx_port_create("two=impair,lower=0,rx.nth=2", &e), 0);
	eq(plx_port_count(), 1);
	bad = t_open("two", 1);
	for (uint32_t i = 1; i <= 4; i++)
		send_pkt(bad, frame(i));
	expect(bad, now, 1);
	expect(bad, now, -1); /* 2 and 4 were lost on the way out, 3 on the way in */
	eq(dropped(PLX_DROP_IMPAIR_LOSS), 3);
}

/* Random everything on both sides: what is sent once is there, or lost with a reason, or doubled.
 */
T(nothing_leaks_under_all_models_at_once)
{
	struct plx_rng rng;
	unsigned int got = 0;

	bench("seed=5,loss=5%,ge=1%:30%,dup=5%,corrupt=5%:2,delay=2ms,jitter=2ms,reorder=5%,"
	      "rate=15mbit,queue=5k,limit=100",
		"far=pipe,peer=near,queues=2,depth=64", 2);
	plx_rng_init(&rng, t_seed(8));
	for (int i = 0; i < 20000; i++) {
		uint16_t q = plx_rng_below(&rng, 2);
		struct plx_port *p = plx_rng_below(&rng, 2) ? far : bad;
		struct rte_mbuf *m[PLX_PORT_BURST];
		uint16_t n;

		now += (plx_ns)plx_rng_below(&rng, PLX_US(50));
		plx_txq_push(p->txq[q], frame((uint32_t)i));
		plx_txq_flush(p->txq[q]);
		if (plx_rng_below(&rng, 3))
			continue;
		for (uint16_t k = 0; k < 2; k++) {
			n = plx_rxq_burst(far->rxq[k], m, PLX_PORT_BURST);
			got += n;
			while (n)
				plx_pkt_deliver(m[--n]);
			n = plx_rxq_burst(bad->rxq[k], m, PLX_PORT_BURST);
			got += n;
			while (n)
				plx_pkt_deliver(m[--n]);
		}
	}
	ok(got > 10000);
	ok(dropped(PLX_DROP_IMPAIR_LOSS) > 500);
	ok(dropped(PLX_DROP_IMPAIR_QUEUE) > 0);
}

RUN_EAL(T_EAL_(a_perfect_link_passes_both_ways),
	T_EAL_(each_direction_loses_its_own_and_the_account_closes),
	T_EAL_(received_packets_come_when_their_delay_is_over),
	T_EAL_(sent_packets_leave_with_a_poll_or_the_next_send), T_EAL_(reordered_packets_overtake),
	T_EAL_(duplicates_are_packets_of_their_own),
	T_EAL_(corruption_flips_bits_of_a_copy_of_its_own), T_EAL_(no_offload_hides_corruption),
	T_EAL_(an_aim_finds_the_transport_header),
	T_EAL_(the_rate_spreads_packets_and_its_queue_overflows),
	T_EAL_(the_limit_bounds_what_is_held),
	T_EAL_(a_full_lower_port_holds_up_the_sender_and_loses_nothing),
	T_EAL_(all_queues_share_one_link), T_EAL_(what_is_held_at_close_is_dropped_as_stopped),
	T_EAL_(models_change_while_it_runs), T_EAL_(it_stands_for_the_lower_port),
	T_EAL_(the_same_seed_loses_the_same_packets_in_each_direction_others),
	T_EAL_(bad_specs_say_what_is_wrong_and_leave_nothing),
	T_EAL_(a_lower_port_that_does_not_open_is_left_closed),
	T_EAL_(a_line_too_long_for_memory_does_not_open),
	T_EAL_(one_bad_link_may_lie_before_another), T_EAL_(nothing_leaks_under_all_models_at_once))
