/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * What sockets there are, and what memory they hold: a row an lcore, of which /proc/net/sockstat's
 * lines are the sums. Counters and pools are only read, so no lcore is asked, and no mbuf needed.
 */

static void add_socks(struct plx_telem_row *r, const struct net_lcore *nl)
{
	const struct net_tcp *t = nl->tcp;
	/* each lcore knows all listeners, and all sockets of UDP: the first tells of them */
	bool first = nl->sn->index == 0;
	uint64_t conns = plx_count_read(t->conns);
	uint64_t listeners = first ? plx_count_read(t->n_listeners) : 0;

	plx_telem_row_u64(r, "sockets", plx_count_read(nl->socks));
	plx_telem_row_u64(r, "tcp_inuse", conns + listeners);
	plx_telem_row_u64(r, "tcp_orphan", plx_count_read(t->orphans));
	plx_telem_row_u64(r, "tcp_tw", plx_count_read(t->ctx.time_waits));
	plx_telem_row_u64(r, "tcp_alloc", conns + listeners);
	plx_telem_row_u64(r, "udp_inuse", first ? plx_count_read(nl->net->udp_socks) : 0);
	plx_telem_row_u64(r, "raw_inuse", plx_count_read(nl->n_raws));
}

static void add_mem(struct plx_telem_row *r, const struct net_lcore *nl)
{
	const struct plx_frag_stats *frags = plx_frag_stats(nl->frag);
	const struct net_tcp *t = nl->tcp;

	plx_telem_row_u64(r, "tcp_rmem", (uint64_t)plx_quota_used(&t->rx));
	plx_telem_row_u64(r, "tcp_wmem", (uint64_t)plx_quota_used(&t->tx));
	plx_telem_row_u64(r, "udp_mem", (uint64_t)plx_quota_used(&nl->udp_quota));
	plx_telem_row_u64(r, "rcv_most", (uint64_t)net__mem_share(nl));
	plx_telem_row_u64(r, "frag_inuse", plx_count_read(frags->datagrams));
	plx_telem_row_u64(r, "frag_memory", plx_count_read(frags->memory_bytes));
	plx_telem_row_u64(r, "pressure", plx_count_read(t->ctx.pressure));
	plx_telem_row_u64(r, "refuse", plx_count_read(t->ctx.refuse));
}

static void add_pool(struct plx_telem_row *r, const char *size, const char *avail,
	const struct rte_mempool *pool)
{
	plx_telem_row_u64(r, size, pool ? pool->size : 0);
	plx_telem_row_u64(r, avail, pool ? rte_mempool_avail_count(pool) : 0);
}

enum plx_telem_more net__mem_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_net *net = arg;
	const struct net_lcore *nl;

	if (*cursor >= net->n_lcores)
		return PLX_TELEM_END;
	nl = net->lcore[(*cursor)++];
	plx_telem_row_u64(r, "lcore", nl->sn->lcore);
	add_socks(r, nl);
	add_mem(r, nl);
	add_pool(r, "mbufs", "mbufs_free", nl->sn->pool);
	add_pool(r, "reserve", "reserve_free", nl->sn->reserve);
	return PLX_TELEM_MORE;
}
