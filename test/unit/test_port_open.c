/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_t.h"

#include <rte_malloc.h>

static struct t_port tp;

static int try_open(const struct plx_port_conf *conf, struct plx_error *e)
{
	struct plx_port_conf c = *conf;

	for (uint16_t i = 0; i < c.n_rxq && i < PLX_PORT_QUEUES_MAX; i++)
		c.pool[i] = t_pool;
	*e = (struct plx_error){0};
	return plx_port_open(tp.port, &c, e);
}

static size_t heap_used(void)
{
	struct rte_malloc_socket_stats s;
	size_t used = 0;

	for (int i = 0; i < 8; i++)
		if (rte_malloc_get_socket_stats(i, &s) == 0)
			used += s.heap_allocsz_bytes;
	return used;
}

static void is_closed(const struct plx_port *p)
{
	ok(!p->open && !p->admin_up);
	eq(p->n_rxq + p->n_txq, 0);
	for (unsigned int i = 0; i < PLX_PORT_QUEUES_MAX; i++)
		ok(!p->rxq[i] && !p->txq[i]);
	eq(p->mtu, 1500);
	eq(p->features, p->caps.features);
}

T(opens_and_closes)
{
	struct plx_port_conf conf = {.n_rxq = 2, .n_txq = 3, .mtu = 1400};
	struct plx_error e;
	size_t before;

	t_port_add(&tp, 4, PLX_PORT_F_SG);
	before = heap_used();
	eq(try_open(&conf, &e), 0);
	ok(tp.port->open && tp.port->admin_up);
	eq(tp.port->mtu, 1400);
	eq(tp.port->n_txq, 3);
	eq(tp.port->txq[2]->limit, 1000);
	plx_port_close(tp.port);
	eq(tp.stops, 1);
	plx_port_close(tp.port);
	eq(tp.stops, 1);
	eq(heap_used(), before);
}

T(a_driver_that_fails_leaves_nothing)
{
	struct plx_port_conf conf = {
		.n_rxq = 4, .n_txq = 4, .mtu = 1400, .features_off = PLX_PORT_F_SG};
	struct plx_error e;
	size_t before;

	t_port_add(&tp, 4, PLX_PORT_F_SG);
	before = heap_used();
	tp.open_err = -EIO;
	eq(try_open(&conf, &e), -EIO);
	eq(e.id, PLX_ERR_PORT_OPEN);
	is_closed(tp.port);
	eq(heap_used(), before);
	eq(tp.stops, 0);
	tp.open_err = 0;
	eq(try_open(&conf, &e), 0);
	eq(tp.port->features & PLX_PORT_F_SG, 0);
}

/* Each allocation in turn finds no memory. */
T(no_memory_leaves_nothing)
{
	struct plx_port_conf conf = {.n_rxq = 2, .n_txq = 2, .tx_limit = 65536};
	void *hog[4096];
	struct plx_error e;
	unsigned int n = 0;
	size_t before;
	int err;

	t_port_add(&tp, 2, 0);
	for (size_t bytes = 8 << 20; bytes >= 256; bytes /= 2)
		while (n < PLX_DIM(hog) && (hog[n] = rte_malloc(NULL, bytes, 0)))
			n++;
	do { /* with a little more memory each time */
		before = heap_used();
		err = try_open(&conf, &e);
		if (err) {
			eq(err, -ENOMEM);
			eq(e.id, PLX_ERR_PORT_OPEN);
			eq(tp.opens, 0);
			is_closed(tp.port);
			eq(heap_used(), before);
			ok(n > 0);
			rte_free(hog[--n]);
		}
	} while (err);
	plx_port_close(tp.port);
	while (n)
		rte_free(hog[--n]);
}

T(too_many_queues)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 5};
	struct plx_error e;

	t_port_add(&tp, 4, 0);
	eq(try_open(&conf, &e), -EINVAL);
	eq(e.id, PLX_ERR_PORT_QUEUES);
	is_closed(tp.port);
	eq(tp.opens, 0);
}

T(only_once)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1};
	struct plx_error e;

	t_port_add(&tp, 4, 0);
	eq(try_open(&conf, &e), 0);
	eq(try_open(&conf, &e), -EBUSY);
	eq(tp.opens, 1);
	ok(tp.port->open);
}

T(control_calls)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1};
	struct plx_mac mac = t_pool ? (struct plx_mac){{2, 0, 0, 0, 9, 9}} : (struct plx_mac){{0}};
	struct plx_mac group = {{1, 0, 0, 0, 0, 1}}, zero = {{0}}, many[PLX_PORT_MCAST_MAX + 1];
	struct plx_error e;

	t_port_add(&tp, 4, PLX_PORT_F_RX_FILTER);
	eq(try_open(&conf, &e), 0);
	eq(plx_port_set_mtu(tp.port, 67), -EINVAL);
	eq(plx_port_set_mtu(tp.port, 9001), -EINVAL);
	eq(plx_port_set_mtu(tp.port, 9000), 0);
	eq(plx_port_set_mac(tp.port, &group), -EADDRNOTAVAIL);
	eq(plx_port_set_mac(tp.port, &zero), -EADDRNOTAVAIL);
	eq(plx_port_set_mac(tp.port, &mac), 0);
	mem_eq(&tp.port->mac, &mac, 6);
	memset(many, 1, sizeof(many));
	eq(plx_port_set_mcast(tp.port, many, PLX_PORT_MCAST_MAX), 0);
	eq(tp.n_mcast, PLX_PORT_MCAST_MAX);
	ok(!tp.port->allmulti);
	eq(plx_port_set_mcast(tp.port, many, PLX_PORT_MCAST_MAX + 1), 0); /* too many: all */
	ok(tp.port->allmulti && !tp.port->promisc);
	tp.port->allmulti = false;
	tp.mcast_err = -EIO;
	eq(plx_port_set_mcast(tp.port, many, 1), 0);
	ok(tp.port->allmulti);
	tp.mode_err = -EIO; /* nothing works: the caller is told */
	eq(plx_port_set_mcast(tp.port, many, 1), -EIO);
}

T(counters_outlive_queues)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 1};
	struct plx_port_stats s;
	struct plx_error e;
	uint8_t frame[60] = {0};

	t_port_add(&tp, 1, 0);
	eq(try_open(&conf, &e), 0);
	plx_txq_push(tp.port->txq[0], t_mbuf(frame, sizeof(frame)));
	plx_txq_flush(tp.port->txq[0]);
	t_port_feed(&tp, 0, frame, sizeof(frame), 0);
	eq(t_drain(tp.port, 0), 1);
	plx_port_close(tp.port);
	plx_port_stats(tp.port, &s);
	eq(s.rx_packets, 1);
	eq(s.tx_packets, 1);
}

T(mbufs_are_foreseen)
{
	struct plx_port_conf conf = {.n_rxq = 2, .n_txq = 2, .rxd = 100, .txd = 50, .tx_limit = 10};

	t_port_add(&tp, 4, 0);
	eq(plx_port_mbufs(tp.port, &conf), 2 * (100 + 64) + 2 * 10 + 2 * 50);
	tp.port->quirks = PLX_QUIRK_COPIES;
	eq(plx_port_mbufs(tp.port, &conf), 2 * (100 + 64) + 2 * 10);
	tp.port->quirks = PLX_QUIRK_COPIES | PLX_QUIRK_PREALLOC;
	eq(plx_port_mbufs(tp.port, &conf), 2 * (100 + 64) + 2 * 10 + 2 * 100);
}

RUN_EAL(T_EAL_(opens_and_closes), T_EAL_(a_driver_that_fails_leaves_nothing),
	T_EAL_(no_memory_leaves_nothing), T_EAL_(too_many_queues), T_EAL_(only_once),
	T_EAL_(control_calls), T_EAL_(counters_outlive_queues), T_EAL_(mbufs_are_foreseen))
