/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_t.h"

#include <sys/mman.h>

#include <rte_malloc.h>

/*
 * NUMA on a machine with one node: a heap of the program's own (rte_malloc_heap_create()) is a node
 * of its own to EAL, whether there are huge pages or not.
 */
#define NODE "node"

static size_t node_bytes;
static void *node_mem;
static int node;

static void node_new(size_t mib)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	node_bytes = mib << 20;
	eq(rte_malloc_heap_create(NODE), 0);
	node = rte_malloc_heap_get_socket(NODE);
	ok(node > 0);
	if (!mib)
		return;
	node_mem =
		mmap(NULL, node_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(node_mem != MAP_FAILED);
	eq(rte_malloc_heap_memory_add(
		   NODE, node_mem, node_bytes, NULL, (unsigned int)(node_bytes / page), page),
		0);
}

static bool is_on_node(const void *p)
{
	return (const char *)p >= (const char *)node_mem &&
	       (const char *)p < (const char *)node_mem + node_bytes;
}

static int node_free(void **state)
{
	int err = t_eal_after(state);

	if (node_bytes)
		err |= rte_malloc_heap_memory_remove(NODE, node_mem, node_bytes);
	err |= rte_malloc_heap_destroy(NODE); /* fails when something was left there */
	if (node_bytes)
		munmap(node_mem, node_bytes);
	node_bytes = 0;
	return err;
}

static struct rte_mempool *pool_on(int socket)
{
	struct plx_error e = {0};
	const struct plx_pkt_pool_conf conf = {.name = "numa", .pkts = 1023, .socket = socket};
	struct rte_mempool *mp = plx_pkt_pool_create(&conf, &e);
	struct rte_mbuf *m;

	if (!mp)
		fail_msg("%s", e.text);
	m = rte_pktmbuf_alloc(mp);
	assert_non_null(m);
	eq(is_on_node(m), socket == node && node_bytes);
	rte_pktmbuf_free(m);
	eq(rte_mempool_avail_count(mp), 1023);
	return mp;
}

T(memory_is_where_it_was_asked_for)
{
	uint8_t *p;

	node_new(8);
	p = plx_pkt_mem_alloc(4000, node);
	ok(is_on_node(p));
	eq((uintptr_t)p % RTE_CACHE_LINE_SIZE, 0);
	for (int i = 0; i < 4000; i++)
		eq(p[i], 0);
	rte_free(p);
	p = plx_pkt_mem_alloc(4000, SOCKET_ID_ANY);
	ok(p && !is_on_node(p));
	rte_free(p);
	p = plx_pkt_mem_alloc(4000, 0);
	ok(p && !is_on_node(p));
	rte_free(p);
}

/* Half of it, half of it, and what then does not fit comes from elsewhere. */
T(a_node_that_is_full_is_helped_out)
{
	void *a, *b;

	node_new(4);
	a = plx_pkt_mem_alloc(3 << 20, node);
	ok(is_on_node(a));
	b = plx_pkt_mem_alloc(3 << 20, node);
	ok(b && !is_on_node(b));
	rte_free(a);
	rte_free(b);
	assert_null(plx_pkt_mem_alloc((size_t)1 << 40, node));
}

T(a_node_without_memory)
{
	void *p;

	node_new(0);
	p = plx_pkt_mem_alloc(4000, node);
	assert_non_null(p);
	rte_free(p);
	rte_mempool_free(pool_on(node));
}

T(a_pool_on_its_node)
{
	node_new(16);
	rte_mempool_free(pool_on(node));
	rte_mempool_free(pool_on(0));
	rte_mempool_free(pool_on(SOCKET_ID_ANY));
}

/* A device says where it is: its queues are there, too, if there is memory. */
static void port_on(size_t mib)
{
	static struct t_port tp;
	struct plx_port_conf conf = {.n_rxq = 2, .n_txq = 2, .pool = {t_pool, t_pool}};
	struct plx_error e = {0};

	node_new(mib);
	t_port_add(&tp, 2, PLX_PORT_F_SG);
	tp.port->caps.socket = node;
	eq(plx_port_open(tp.port, &conf, &e), 0);
	for (int i = 0; i < 2; i++) {
		eq(is_on_node(tp.port->rxq[i]), mib > 0);
		eq(is_on_node(tp.port->txq[i]), mib > 0);
		eq(is_on_node(tp.port->txq[i]->fifo), mib > 0);
	}
	plx_port_close(tp.port);
}

T(queues_are_on_the_node_of_their_port)
{
	port_on(4);
}

T(or_elsewhere_when_it_has_no_memory)
{
	port_on(0);
}

#define N_(name) cmocka_unit_test_teardown(name, node_free)

RUN_EAL(N_(memory_is_where_it_was_asked_for), N_(a_node_that_is_full_is_helped_out),
	N_(a_node_without_memory), N_(a_pool_on_its_node), N_(queues_are_on_the_node_of_their_port),
	N_(or_elsewhere_when_it_has_no_memory))
