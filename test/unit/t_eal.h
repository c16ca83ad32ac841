/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * For unit tests that need EAL: started once for the program, without huge pages, devices or files.
 *
 * RUN_EAL(T_(a), T_(b)) is main(). t_pool is there for mbufs; after each test it must be whole
 * again and the account must close, and the ports are gone. T_EAL_LCORES, defined before, gives
 * more lcores than one: "(0-3)@0" are four on one CPU.
 */
#include "t.h"

#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include <plx_pkt.h>
#include <plx_port.h>

#ifndef T_EAL_LCORES
#define T_EAL_LCORES "0"
#endif

#ifndef T_EAL_MEM
#define T_EAL_MEM "64"
#endif

static struct rte_mempool *t_pool;

static inline int t_eal_start(void **state)
{
	char name[] = "test", huge[] = "--no-huge", pci[] = "--no-pci", mem[] = "-m",
	     mib[] = T_EAL_MEM;
	char files[] = "--no-shconf", tel[] = "--no-telemetry", l[] = "--lcores",
	     cpu[] = T_EAL_LCORES;
	char prefix[] = "--file-prefix", unique[32], level[] = "--log-level=error";
	char *argv[] = {name, huge, pci, mem, mib, files, tel, l, cpu, prefix, unique, level};

	snprintf(unique, sizeof(unique), "plx-test-%d", (int)getpid());
	if (rte_eal_init((int)PLX_DIM(argv), argv) < 0) {
		print_message("EAL did not start: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	if (plx_pkt_init() != 0)
		return -1;
	t_pool = plx_pkt_pool_create(
		&(struct plx_pkt_pool_conf){.name = "test", .pkts = 4095, .socket = SOCKET_ID_ANY},
		NULL);
	return t_pool ? 0 : -1;
}

static inline int t_eal_stop(void **state)
{
	const char *dir = rte_eal_get_runtime_dir();
	int err;

	rte_mempool_free(t_pool);
	err = rte_eal_cleanup();
	return err ? err : rmdir(dir); /* EAL leaves it behind */
}

/** After each test: the ports are closed, the account closes, no mbuf is missing. */
static inline int t_eal_after(void **state)
{
	struct plx_acct sum;
	uint64_t in, out;
	unsigned int held;

	plx_port_fini_all();
	plx_acct_sum(&sum);
	plx_acct_reset();
	in = sum.rx_pkts + sum.originated_pkts;
	out = sum.tx_pkts + sum.delivered_pkts + plx_acct_drops(&sum);
	held = rte_mempool_in_use_count(t_pool);
	if (in != out || held != 0)
		print_message("in %lu, out %lu, mbufs missing %u\n", in, out, held);
	return in != out || held != 0;
}

/** A frame of one segment, counted as originated. */
static inline struct rte_mbuf *t_mbuf(const void *frame, uint16_t bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, bytes), frame, bytes);
	plx_pkt_originate(1);
	return m;
}

/** Open with so many queues each way. */
static inline struct plx_port *t_open(const char *name, uint16_t queues)
{
	struct plx_port_conf conf = {.n_rxq = queues, .n_txq = queues};
	struct plx_port *p = plx_port_find(name);
	struct plx_error e = {0};

	assert_non_null(p);
	for (uint16_t i = 0; i < queues; i++)
		conf.pool[i] = t_pool;
	if (plx_port_open(p, &conf, &e) != 0)
		print_message("%s\n", e.text);
	ok(p->open);
	return p;
}

/** Receive one frame, or NULL. The caller delivers or drops it. */
static inline struct rte_mbuf *t_recv(struct plx_port *p, uint16_t queue)
{
	struct rte_mbuf *m;

	return plx_rxq_burst(p->rxq[queue], &m, 1) ? m : NULL;
}

/** Receive and deliver all that there is. @return how many. */
static inline unsigned int t_drain(struct plx_port *p, uint16_t queue)
{
	struct rte_mbuf *m;
	unsigned int n = 0;

	for (; (m = t_recv(p, queue)); n++)
		plx_pkt_deliver(m);
	return n;
}

#define T_EAL_(name) cmocka_unit_test_teardown(name, t_eal_after)

#define RUN_EAL(...)                                                                               \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                   \
		return cmocka_run_group_tests(tests, t_eal_start, t_eal_stop);                     \
	}
