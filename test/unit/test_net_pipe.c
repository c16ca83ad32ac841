/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe_t.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <rte_epoll.h>

static uint64_t dropped(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

T(what_one_end_sends_the_other_receives_in_order)
{
	struct rte_mbuf *m;

	pair("a=pipe,peer=b", 1, 1);
	for (uint32_t i = 0; i < 200; i++)
		send_pkt(a, 0, udp(1, i));
	eq(plx_net_pipe_rx_pending(b->rxq[0]), 200);
	for (uint32_t i = 0; i < 200; i++) {
		m = t_recv(b, 0);
		assert_non_null(m);
		eq(seq_of(m), i);
		eq(m->pkt_len, BYTES);
		eq(m->ol_flags, 0);
		eq(m->port, b->id);
		plx_pkt_deliver(m);
	}
	assert_null(t_recv(b, 0));
	assert_null(t_recv(a, 0));
	send_pkt(b, 0, udp(1, 7));
	eq(t_drain(a, 0), 1);
}

T(a_full_queue_holds_up_the_sender_and_nothing_is_lost)
{
	struct rte_mbuf *m;

	pair("a=pipe,peer=b,depth=64", 1, 1);
	for (uint32_t i = 0; i < 200; i++)
		plx_txq_push(a->txq[0], udp(1, i));
	eq(plx_txq_flush(a->txq[0]), 64);
	eq(plx_txq_flush(a->txq[0]), 0);
	eq(plx_txq_len(a->txq[0]), 136);
	for (uint32_t i = 0; i < 200; i++) {
		m = t_recv(b, 0);
		assert_non_null(m);
		eq(seq_of(m), i);
		plx_pkt_deliver(m);
		plx_txq_flush(a->txq[0]);
	}
}

T(a_full_queue_loses_its_frames_when_told_so_and_only_its)
{
	struct plx_port_stats s;
	struct plx_reta reta;

	pair("a=pipe,peer=b,queues=2,depth=128,full=drop", 1, 2);
	eq(plx_steer_reta_equal(&reta, 128, 0, 1), 0);
	eq(b->ops->rss_set(b, NULL, 0, &reta), 0);
	for (uint32_t i = 0; i < 100; i++)
		send_pkt(a, 0, udp(1, i));
	eq(plx_steer_reta_equal(&reta, 128, 1, 1), 0);
	eq(b->ops->rss_set(b, NULL, 0, &reta), 0);
	send_pkt(a, 0, udp(1, 0));
	eq(t_drain(b, 0), 64); /* depth is shared by two tx queues */
	eq(t_drain(b, 1), 1);
	plx_port_stats(b, &s);
	eq(s.rx_missed_errors, 36);
	eq(s.rx_packets, 65);
}

T(without_a_carrier_frames_are_dropped_with_their_reason)
{
	struct plx_port_stats s;
	struct plx_link link;

	make("a=pipe,peer=b");
	a = t_open("a", 1);
	plx_port_link(a, &link);
	ok(!link.up);
	send_pkt(a, 0, udp(1, 0));
	eq(dropped(PLX_DROP_TX_DOWN), 1);

	b = t_open("b", 1);
	plx_port_link(a, &link);
	ok(link.up);
	eq(plx_port_set_link(b, false), 0);
	plx_port_link(a, &link);
	ok(!link.up);
	send_pkt(a, 0, udp(1, 0));
	eq(dropped(PLX_DROP_TX_DOWN), 2);
	eq(plx_port_set_link(b, true), 0);
	send_pkt(a, 0, udp(1, 0));
	eq(t_drain(b, 0), 1);

	plx_port_close(b);
	plx_port_link(a, &link);
	ok(!link.up);
	plx_port_stats(a, &s);
	eq(s.tx_packets, 1);
	eq(s.tx_dropped, 2);
}

T(frames_too_long_are_dropped_by_whom_they_are_too_long_for)
{
	uint8_t frame[1600] = {0};
	struct plx_port_stats s;

	pair("a=pipe,peer=b,mtu=1000", 1, 1);
	send_pkt(a, 0, t_mbuf(frame, 1022));
	eq(t_drain(b, 0), 1);
	send_pkt(a, 0, t_mbuf(frame, 1023));
	eq(t_drain(b, 0), 0);
	eq(dropped(PLX_DROP_TX_TOO_LONG), 1);

	eq(plx_port_set_mtu(a, 1500), 0);
	send_pkt(a, 0, t_mbuf(frame, 1023));
	eq(t_drain(b, 0), 0);
	eq(dropped(PLX_DROP_TX_TOO_LONG), 1);
	plx_port_stats(b, &s);
	eq(s.rx_errors, 1);

	eq(plx_port_set_mtu(b, 1500), 0);
	send_pkt(a, 0, t_mbuf(frame, 1023));
	eq(t_drain(b, 0), 1);
}

/* Both checksums left to the device: the pseudo-header's sum in UDP's field, nothing in IP's. */
static struct rte_mbuf *offloaded(uint16_t sport)
{
	struct rte_mbuf *m = udp(sport, 5);
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *);
	struct plx_addr src = plx_addr_from_v4(f + 26), dst = plx_addr_from_v4(f + 30);
	uint16_t pseudo = plx_cksum_fold(plx_cksum_pseudo(&src, &dst, 17, 8 + PAYLOAD));

	memset(f + 24, 0xee, 2);
	memcpy(f + 40, &pseudo, 2);
	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
	return m;
}

T(checksums_left_to_the_device_arrive_filled_and_marked_good)
{
	struct rte_mbuf *m, *want;

	pair("a=pipe,peer=b", 1, 1);
	send_pkt(a, 0, offloaded(9));
	m = t_recv(b, 0);
	assert_non_null(m);
	want = udp(9, 5);
	mem_eq(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod(want, void *), BYTES);
	eq(m->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	plx_pkt_deliver(m);
	plx_pkt_deliver(want);
}

T(a_checksum_that_cannot_be_filled_is_an_error)
{
	struct rte_mbuf *m;

	pair("a=pipe,peer=b", 1, 1);
	m = offloaded(9);
	m->l3_len = 200;
	send_pkt(a, 0, m);
	eq(t_drain(b, 0), 0);
	eq(dropped(PLX_DROP_TX_ERROR), 1);
}

T(a_shared_mbuf_is_copied_a_private_one_passed)
{
	struct rte_mbuf *m, *clone, *got;

	pair("a=pipe,peer=b", 1, 1);
	m = udp(1, 1);
	clone = rte_pktmbuf_clone(m, t_pool);
	plx_pkt_originate(1);
	send_pkt(a, 0, clone);
	got = t_recv(b, 0);
	assert_non_null(got);
	ok(!plx_pkt_shared(got));
	ne(rte_pktmbuf_mtod(got, uintptr_t), rte_pktmbuf_mtod(m, uintptr_t));
	mem_eq(rte_pktmbuf_mtod(got, void *), rte_pktmbuf_mtod(m, void *), BYTES);
	plx_pkt_deliver(got);

	send_pkt(a, 0, m);
	got = t_recv(b, 0);
	assert_ptr_equal(got, m);
	plx_pkt_deliver(got);
}

T(chains_pass_whole_with_their_checksum)
{
	struct rte_mbuf *m, *rest, *got, *want;
	uint8_t flat[BYTES];

	pair("a=pipe,peer=b", 1, 1);
	m = offloaded(3);
	rest = rte_pktmbuf_alloc(t_pool);
	memcpy(rte_pktmbuf_append(rest, 15), rte_pktmbuf_mtod_offset(m, void *, BYTES - 15), 15);
	rte_pktmbuf_trim(m, 15); /* cut at an odd place */
	eq(rte_pktmbuf_chain(m, rest), 0);
	send_pkt(a, 0, m);
	got = t_recv(b, 0);
	assert_non_null(got);
	eq(got->nb_segs, 2);
	want = udp(3, 5);
	mem_eq(rte_pktmbuf_read(got, 0, BYTES, flat), rte_pktmbuf_mtod(want, void *), BYTES);
	plx_pkt_deliver(got);
	plx_pkt_deliver(want);
}

/* n datagrams of PAYLOAD bytes as one, for the device to cut. */
static struct rte_mbuf *super(uint16_t sport, uint32_t n)
{
	struct rte_mbuf *m = offloaded(sport);
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *);
	struct plx_addr src = plx_addr_from_v4(f + 26), dst = plx_addr_from_v4(f + 30);
	uint16_t pseudo = plx_cksum_fold(plx_cksum_pseudo(&src, &dst, 17, 0));

	memset(f + 24, 0, 2);
	memcpy(f + 40, &pseudo, 2);
	plx_put_be16(f + 16, (uint16_t)(28 + n * PAYLOAD));
	plx_put_be16(f + 38, (uint16_t)(8 + n * PAYLOAD));
	for (uint32_t i = 1; i < n; i++) {
		uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, PAYLOAD);

		memset(p, 0, PAYLOAD);
		plx_put_be32(p, 5 + i);
	}
	m->l4_len = 8;
	m->tso_segsz = PAYLOAD;
	m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG;
	plx_pkt_set_wire(m, n);
	plx_pkt_originate(n - 1); /* the first one is */
	return m;
}

/* They arrive one by one, as they would by a wire. */
static void arrive(uint16_t sport, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = t_recv(b, 0), *want = udp(sport, 5 + i);

		assert_non_null(m);
		eq(m->pkt_len, BYTES);
		eq(m->ol_flags & (RTE_MBUF_F_RX_LRO | plx_pkt_merged_flag), 0);
		eq(seq_of(m), 5 + i);
		mem_eq(rte_pktmbuf_mtod_offset(m, void *, 34),
			rte_pktmbuf_mtod_offset(want, void *, 34), BYTES - 34);
		plx_pkt_deliver(m);
		plx_pkt_deliver(want);
	}
	assert_null(t_recv(b, 0));
}

T(super_segments_cross_whole_or_are_cut_as_the_receiver_wants)
{
	struct rte_mbuf *m;

	pair("a=pipe,peer=b,whole=on", 1, 1);
	send_pkt(a, 0, super(1, 30));
	m = t_recv(b, 0);
	assert_non_null(m);
	eq(plx_pkt_wire(m), 30);
	plx_pkt_deliver(m);

	plx_txq_push(a->txq[0], super(2, 3)); /* on its way when the switch is turned */
	eq(plx_port_set_features(b, b->wanted & ~(uint32_t)PLX_PORT_F_LRO), 0);
	ok(a->features & PLX_PORT_F_TSO);
	send_pkt(a, 0, super(3, 30));
	m = t_recv(b, 0);
	assert_non_null(m);
	eq(plx_pkt_wire(m), 3);
	plx_pkt_deliver(m);
	arrive(3, 30);

	eq(plx_port_set_features(b, b->wanted | PLX_PORT_F_LRO), 0);
	send_pkt(a, 0, super(4, 30));
	m = t_recv(b, 0);
	assert_non_null(m);
	eq(plx_pkt_wire(m), 30);
	plx_pkt_deliver(m);
}

T(a_receiver_opened_without_lro_gets_none_merged)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1, .features_off = PLX_PORT_F_LRO};
	struct plx_error e;

	conf.pool[0] = t_pool;
	make("a=pipe,peer=b,whole=on");
	a = t_open("a", 1);
	b = plx_port_find("b");
	eq(plx_port_open(b, &conf, &e), 0);
	send_pkt(a, 0, super(1, 30));
	arrive(1, 30);
}

T(closing_frees_what_waits)
{

	pair("a=pipe,peer=b,queues=2", 2, 2);
	for (uint16_t i = 0; i < 50; i++)
		send_pkt(a, i & 1, udp(i, i));
	plx_port_close(b);
	eq(rte_mempool_in_use_count(t_pool), 0);
	b = t_open("b", 1);
	eq(t_drain(b, 0), 0);
	send_pkt(a, 1, udp(1, 1));
	eq(t_drain(b, 0), 1);
	plx_pkt_originate(3); /* three that wait in the FIFO of a port that closes: dropped there */
	for (int i = 0; i < 3; i++)
		a->txq[0]->fifo[a->txq[0]->tail++] = rte_pktmbuf_alloc(t_pool);
	plx_port_close(b);
	plx_port_close(a);
	eq(dropped(PLX_DROP_TX_DOWN), 3);
}

T(a_sleeper_is_woken_once_and_never_missed)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1, .rx_intr = true};
	struct rte_epoll_event ev;
	int epfd = epoll_create1(0);

	make("a=pipe,peer=b");
	a = t_open("a", 1);
	b = plx_port_find("b");
	eq(plx_port_open(b, &conf, NULL), 0);
	eq(b->ops->rx_intr(b->rxq[0], epfd, true), 0);

	send_pkt(a, 0, udp(1, 0)); /* not armed: no bell */
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 0);
	eq(b->ops->rx_intr_arm(b->rxq[0], true), 0); /* one waits already: rings at once */
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 1);
	assert_ptr_equal(ev.epdata.data, b->rxq[0]);
	eq(t_drain(b, 0), 1);

	eq(b->ops->rx_intr_arm(b->rxq[0], true), 0);
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 0);
	send_pkt(a, 0, udp(1, 0));
	send_pkt(a, 0, udp(1, 1));
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 1);
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 0); /* the bell was taken with the first wake-up */
	eq(t_drain(b, 0), 2);

	eq(b->ops->rx_intr_arm(b->rxq[0], true), 0);
	eq(b->ops->rx_intr_arm(b->rxq[0], false), 0);
	send_pkt(a, 0, udp(1, 0));
	eq(rte_epoll_wait(epfd, &ev, 1, 0), 0);
	eq(t_drain(b, 0), 1);
	eq(b->ops->rx_intr(b->rxq[0], epfd, false), 0);
	eq(a->ops->rx_intr_arm(a->rxq[0], true), -EOPNOTSUPP); /* opened without */
	close(epfd);
}

/* A sender on a thread of its own, four flows. */
struct sender {
	struct plx_port *port;
	uint32_t frames;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	if (rte_thread_register() != 0)
		return arg;
	for (uint32_t i = 0; i < s->frames; i++) {
		plx_txq_push(s->port->txq[0], udp((uint16_t)(i % 4), i));
		while (plx_txq_len(s->port->txq[0]) && plx_txq_flush(s->port->txq[0]) == 0)
			sched_yield();
	}
	rte_thread_unregister();
	return NULL;
}

/* What one poll finds, in order within each flow. @return how many. */
static uint32_t take_in_order(struct plx_rxq *q, uint32_t *next)
{
	struct rte_mbuf *m[PLX_PORT_BURST];
	uint16_t n = plx_rxq_burst(q, m, PLX_PORT_BURST);

	for (uint16_t i = 0; i < n; i++) {
		uint32_t seq = seq_of(m[i]);

		eq(next[seq % 4], seq);
		next[seq % 4] += 4;
		plx_pkt_deliver(m[i]);
	}
	return n;
}

/* The receiver sleeps whenever it finds nothing: a lost wake-up would stop it for ever. */
T(a_sleeping_receiver_gets_all_of_another_threads_frames_in_order)
{
	struct plx_port_conf conf = {.n_rxq = 2, .n_txq = 1, .rx_intr = true};
	uint32_t next[4] = {0, 1, 2, 3}, got = 0, sleeps = 0;
	int epfd = epoll_create1(0);
	struct sender s = {.frames = 100000};
	struct rte_epoll_event ev[2];
	pthread_t thread;
	void *failed;

	make("a=pipe,peer=b,queues=2,depth=256");
	s.port = t_open("a", 1);
	b = plx_port_find("b");
	eq(plx_port_open(b, &conf, NULL), 0);
	for (int q = 0; q < 2; q++)
		eq(b->ops->rx_intr(b->rxq[q], epfd, true), 0);
	eq(pthread_create(&thread, NULL, send_all, &s), 0);
	while (got < s.frames) {
		uint32_t n = take_in_order(b->rxq[0], next) + take_in_order(b->rxq[1], next);

		got += n;
		if (n)
			continue;
		for (int q = 0; q < 2; q++)
			eq(b->ops->rx_intr_arm(b->rxq[q], true), 0);
		ok(rte_epoll_wait(epfd, ev, 2, 10000) > 0);
		for (int q = 0; q < 2; q++)
			eq(b->ops->rx_intr_arm(b->rxq[q], false), 0);
		sleeps++;
	}
	eq(pthread_join(thread, &failed), 0);
	assert_null(failed);
	ok(sleeps > 10);
	close(epfd);
}

T(bad_specs_say_what_is_wrong_and_leave_nothing)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
		{"a=pipe", "needs peer"},
		{"a=pipe,peer=", "needs peer"},
		{"a=pipe,peer=a", "taken"},
		{"a=pipe,peer=b,queues=0", "queues must be"},
		{"a=pipe,peer=b,queues=17", "queues must be"},
		{"a=pipe,peer=b,queues=x", "queues must be"},
		{"a=pipe,peer=b,depth=0", "depth must be"},
		{"a=pipe,peer=b,mtu=67", "mtu must be"},
		{"a=pipe,peer=b,mtu=65536", "mtu must be"},
		{"a=pipe,peer=b,full=maybe", "wait or drop"},
		{"a=pipe,peer=b,color=red", "keys of a pipe"},
		{"a=pipe,peer=b,queues", "queues must be"},
		{"a=pipe,peer=0123456789012345678901234567890123456789012345678901234567890123",
			"too long"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_error e = {0};

		eq(plx_port_create(rows[i].spec, &e), -EINVAL);
		eq(e.id, PLX_ERR_PORT_SPEC);
		if (!strstr(e.text, rows[i].says))
			print_message("%s: %s\n", rows[i].spec, e.text);
		assert_non_null(strstr(e.text, rows[i].says));
		eq(plx_port_count(), 0);
	}
	make("a=pipe,peer=b");
	eq(plx_port_create("c=pipe,peer=b", NULL), -EINVAL);
	eq(plx_port_count(), 2);
}

T(without_descriptors_it_does_not_open_and_leaves_none_behind)
{
	struct plx_port_conf conf = {.n_rxq = 4, .n_txq = 4, .rx_intr = true};
	struct rlimit old, low;
	struct plx_error e = {0};
	int next, after;

	make("a=pipe,peer=b,queues=4");
	b = plx_port_find("b");
	next = dup(0);
	close(next);
	eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){.rlim_cur = (rlim_t)next + 2, .rlim_max = old.rlim_max};
	eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	eq(plx_port_open(b, &conf, &e), -EMFILE);
	eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	eq(e.id, PLX_ERR_PORT_OPEN);
	assert_non_null(strstr(e.remedy, "ulimit -n"));
	ok(!b->open);
	after = dup(0);
	close(after);
	eq(after, next);
	eq(plx_port_open(b, &conf, &e), 0);
}

T(more_queues_than_the_pipe_has_are_refused)
{
	struct plx_port_conf conf = {.n_rxq = 3, .n_txq = 1};
	struct plx_error e;

	make("a=pipe,peer=b,queues=2");
	eq(plx_port_open(plx_port_find("a"), &conf, &e), -EINVAL);
	eq(e.id, PLX_ERR_PORT_QUEUES);
}

RUN_EAL(T_EAL_(what_one_end_sends_the_other_receives_in_order),
	T_EAL_(a_full_queue_holds_up_the_sender_and_nothing_is_lost),
	T_EAL_(a_full_queue_loses_its_frames_when_told_so_and_only_its),
	T_EAL_(without_a_carrier_frames_are_dropped_with_their_reason),
	T_EAL_(frames_too_long_are_dropped_by_whom_they_are_too_long_for),
	T_EAL_(checksums_left_to_the_device_arrive_filled_and_marked_good),
	T_EAL_(a_checksum_that_cannot_be_filled_is_an_error),
	T_EAL_(a_shared_mbuf_is_copied_a_private_one_passed),
	T_EAL_(chains_pass_whole_with_their_checksum),
	T_EAL_(super_segments_cross_whole_or_are_cut_as_the_receiver_wants),
	T_EAL_(a_receiver_opened_without_lro_gets_none_merged), T_EAL_(closing_frees_what_waits),
	T_EAL_(a_sleeper_is_woken_once_and_never_missed),
	T_EAL_(a_sleeping_receiver_gets_all_of_another_threads_frames_in_order),
	T_EAL_(bad_specs_say_what_is_wrong_and_leave_nothing),
	T_EAL_(without_descriptors_it_does_not_open_and_leaves_none_behind),
	T_EAL_(more_queues_than_the_pipe_has_are_refused))
