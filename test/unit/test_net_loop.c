/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <errno.h>

#include <plx_net_loop.h>

static struct rte_mbuf *frame(uint8_t tag, uint16_t bytes)
{
	uint8_t f[2000] = {tag};

	return t_mbuf(f, bytes);
}

static uint8_t tag_of(struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, uint8_t *);
}

static struct plx_port *loop(const char *spec, uint16_t queues)
{
	struct plx_error e = {0};

	if (plx_port_create(spec, &e) != 0)
		print_message("%s: %s\n", spec, e.text);
	return t_open("lo", queues);
}

static uint64_t dropped(enum plx_drop reason)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.drop[reason];
}

T(what_is_sent_comes_back_on_the_same_queue_in_order)
{
	struct plx_port *p = loop("lo=loop,queues=3", 3);
	struct rte_mbuf *m;

	for (uint16_t q = 0; q < 3; q++)
		for (uint8_t i = 0; i < 100; i++)
			plx_txq_push(p->txq[q], frame((uint8_t)(q * 100 + i), 60));
	for (uint16_t q = 0; q < 3; q++)
		eq(plx_txq_flush(p->txq[q]), 100);
	eq(plx_net_loop_rx_pending(p->rxq[1]), 100);
	for (uint16_t q = 0; q < 3; q++) {
		for (uint8_t i = 0; i < 100; i++) {
			m = t_recv(p, q);
			assert_non_null(m);
			eq(tag_of(m), (uint8_t)(q * 100 + i));
			eq(m->port, p->id);
			plx_pkt_deliver(m);
		}
		assert_null(t_recv(p, q));
	}
}

T(a_full_queue_holds_up_the_sender)
{
	struct plx_port *p = loop("lo=loop,depth=8", 1);

	for (uint8_t i = 0; i < 10; i++)
		plx_txq_push(p->txq[0], frame(i, 60));
	eq(plx_txq_flush(p->txq[0]), 8);
	eq(t_drain(p, 0), 8);
	eq(plx_txq_flush(p->txq[0]), 2);
	eq(t_drain(p, 0), 2);
}

T(down_or_too_long_is_dropped_with_its_reason)
{
	struct plx_port *p = loop("lo=loop,mtu=1000", 1);
	struct plx_port_stats s;
	struct plx_link link;

	plx_txq_push(p->txq[0], frame(0, 1022));
	plx_txq_push(p->txq[0], frame(0, 1023));
	plx_txq_flush(p->txq[0]);
	eq(dropped(PLX_DROP_TX_TOO_LONG), 1);
	eq(t_drain(p, 0), 1);

	eq(plx_port_set_link(p, false), 0);
	plx_port_link(p, &link);
	ok(!link.up);
	plx_txq_push(p->txq[0], frame(0, 60));
	plx_txq_flush(p->txq[0]);
	eq(dropped(PLX_DROP_TX_DOWN), 1);
	eq(plx_port_set_link(p, true), 0);
	plx_port_link(p, &link);
	ok(link.up);

	eq(plx_port_set_mtu(p, 1500), 0);
	plx_txq_push(p->txq[0], frame(0, 1023));
	plx_txq_flush(p->txq[0]);
	eq(t_drain(p, 0), 1);
	plx_port_stats(p, &s);
	eq(s.tx_packets, 2);
	eq(s.tx_dropped, 2);
	eq(s.rx_packets, 2);
	eq(s.rx_bytes, 1022 + 1023);
}

T(a_shared_mbuf_is_copied)
{
	struct plx_port *p = loop("lo=loop", 1);
	struct rte_mbuf *m = frame(7, 60), *got;

	rte_pktmbuf_refcnt_update(m, 1);
	plx_txq_push(p->txq[0], m);
	plx_txq_flush(p->txq[0]);
	got = t_recv(p, 0);
	assert_non_null(got);
	ok(got != m);
	eq(tag_of(got), 7);
	plx_pkt_deliver(got);
	rte_pktmbuf_free(m);
}

T(closing_frees_what_waits_and_it_opens_again)
{
	struct plx_port *p = loop("lo=loop,queues=2", 2);

	plx_txq_push(p->txq[1], frame(0, 60));
	plx_txq_flush(p->txq[1]);
	plx_port_close(p);
	eq(rte_mempool_in_use_count(t_pool), 0);
	p = t_open("lo", 2);
	eq(t_drain(p, 1), 0);
}

T(bad_specs_say_what_is_wrong)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
		{"lo=loop,queues=17", "queues must be"},
		{"lo=loop,depth=0", "depth must be"},
		{"lo=loop,mtu=9x", "mtu must be"},
		{"lo=loop,peer=b", "keys of a loop"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_error e = {0};

		eq(plx_port_create(rows[i].spec, &e), -EINVAL);
		assert_non_null(strstr(e.text, rows[i].says));
		eq(plx_port_count(), 0);
	}
}

T(rx_and_tx_queues_must_be_as_many)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 2};
	struct plx_error e = {0};

	eq(plx_port_create("lo=loop,queues=2", &e), 0);
	eq(plx_port_open(plx_port_find("lo"), &conf, &e), -EINVAL);
	eq(e.id, PLX_ERR_PORT_OPEN);
	ok(!plx_port_find("lo")->open);
}

RUN_EAL(T_EAL_(what_is_sent_comes_back_on_the_same_queue_in_order),
	T_EAL_(a_full_queue_holds_up_the_sender),
	T_EAL_(down_or_too_long_is_dropped_with_its_reason), T_EAL_(a_shared_mbuf_is_copied),
	T_EAL_(closing_frees_what_waits_and_it_opens_again), T_EAL_(bad_specs_say_what_is_wrong),
	T_EAL_(rx_and_tx_queues_must_be_as_many))
