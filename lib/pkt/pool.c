/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

void *plx_pkt_mem_alloc(size_t bytes, int socket)
{
	void *mem = rte_zmalloc_socket(NULL, bytes, RTE_CACHE_LINE_SIZE, socket);

	return mem ? mem : rte_zmalloc(NULL, bytes, RTE_CACHE_LINE_SIZE);
}

/* 256 is a burst of 64 four times over; the bound is DPDK's (a cache holds at most n / 1.5). */
static unsigned int cache_size(uint32_t pkts)
{
	unsigned int cache = PLX_MIN(256u, RTE_MEMPOOL_CACHE_MAX_SIZE);

	return PLX_MIN(cache, pkts * 2 / 3);
}

struct rte_mempool *plx_pkt_pool_create(const struct plx_pkt_pool_conf *conf, struct plx_error *e)
{
	uint32_t pkts =
		conf->pkts; /* not 2^q - 1: that saves some of a ring and may double the rest */
	uint16_t bytes = conf->room_bytes ? conf->room_bytes : 2048;
	uint16_t room = conf->bare ? 0 : (uint16_t)(RTE_PKTMBUF_HEADROOM + bytes);
	/*
	 * The default MP/MC ring spins while a preempted lcore is between its two steps; RTS
	 * (relaxed tail sync) lets the others go on.
	 */
	const char *ops = conf->shared_cpu ? "ring_mt_rts" : NULL;
	unsigned int cache = conf->uncached ? 0 : cache_size(pkts);
	struct rte_mempool *mp;

	mp = rte_pktmbuf_pool_create_by_ops(conf->name, pkts, cache, 0, room, conf->socket, ops);
	if (!mp) /* an odd NUMA node (vdevs say -1, VMs have none): any memory is better than none
		  */
		mp = rte_pktmbuf_pool_create_by_ops(
			conf->name, pkts, cache, 0, room, SOCKET_ID_ANY, ops);
	if (!mp) {
		char what[96];

		snprintf(what, sizeof(what), "pool %s: %u mbufs of %u bytes", conf->name, pkts,
			room);
		plx_error_set(e, -rte_errno, PLX_ERR_NO_MEMORY, what);
	}
	return mp;
}

struct rte_mbuf *plx_pkt_linearize(struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (m->nb_segs == 1)
		return m;
	plx_pkt_loan_copied(m);
	if (rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m) && rte_pktmbuf_linearize(m) == 0)
		return m;
	if (m->pkt_len + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(m->pool))
		return NULL;
	copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);
	if (!copy)
		return NULL;
	rte_pktmbuf_free(m);
	return copy;
}

struct rte_mbuf *plx_pkt_in_segs(struct rte_mbuf *m, uint16_t max_segs)
{
	struct rte_mbuf *copy;

	if (m->nb_segs <= max_segs)
		return m;
	if (max_segs == 1)
		return plx_pkt_linearize(m);
	copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);
	if (copy && copy->nb_segs > max_segs) {
		rte_pktmbuf_free(copy);
		copy = NULL;
	}
	if (copy)
		rte_pktmbuf_free(m);
	return copy;
}
