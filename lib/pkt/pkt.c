/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_mempool.h>

struct plx_acct plx_acct[RTE_MAX_LCORE];
__thread struct plx_acct *plx_acct_mine = plx_acct;
int plx_pkt_meta_offset;
uint64_t plx_pkt_merged_flag;
uint64_t plx_pkt_fixed_id_flag;
uint64_t plx_pkt_partial_flag;
uint64_t plx_pkt_came_flags;

static int flag_register(const char *name, uint64_t *flag)
{
	struct rte_mbuf_dynflag f = {0};
	int bit;

	snprintf(f.name, sizeof(f.name), "%s", name);
	bit = rte_mbuf_dynflag_register(&f);
	if (bit < 0)
		return -rte_errno;
	*flag = UINT64_C(1) << bit;
	return 0;
}

int plx_pkt_init(void)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "plx_pkt_meta",
		.size = sizeof(struct plx_pkt_meta),
		.align = __alignof__(struct plx_pkt_meta),
	};
	static const struct rte_mbuf_dynfield came = {
		.name = "plx_pkt_came",
		.size = sizeof(struct plx_pkt_came),
		.align = __alignof__(struct plx_pkt_came),
	};
	int err;

	plx_pkt_meta_offset = rte_mbuf_dynfield_register(&field);
	if (plx_pkt_meta_offset < 0)
		return -rte_errno;
	plx_pkt_came_offset = rte_mbuf_dynfield_register(&came);
	if (plx_pkt_came_offset < 0)
		return -rte_errno;
	err = flag_register("plx_pkt_merged", &plx_pkt_merged_flag);
	if (!err)
		err = flag_register("plx_pkt_fixed_id", &plx_pkt_fixed_id_flag);
	if (!err)
		err = flag_register("plx_pkt_partial", &plx_pkt_partial_flag);
	if (!err)
		err = flag_register("plx_pkt_came", &plx_pkt_came_flag);
	plx_pkt_came_flags = plx_pkt_merged_flag | plx_pkt_fixed_id_flag | plx_pkt_partial_flag |
			     plx_pkt_came_flag | RTE_MBUF_F_RX_LRO;
	return err;
}

/* Before they are gone. */
static void show(
	const struct plx_pkt_watch *w, struct rte_mbuf **m, unsigned int n, enum plx_drop reason)
{
	const struct plx_pkt_seen s = {.point = PLX_PKT_AT_DROP,
		.link = PLX_PKT_LINK_UNKNOWN,
		.port = PLX_PKT_NO_PORT,
		.reason = (uint16_t)reason};

	w->see(w, &s, m, (uint16_t)n);
}

PLX_NOINLINE void plx_pkt_drop(struct rte_mbuf *m, enum plx_drop reason)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_DROP);

	if (plx_unlikely(w))
		show(w, &m, 1, reason);
	plx_count(plx_acct_self()->drop[reason], plx_pkt_wire(m));
	rte_pktmbuf_free(m);
}

PLX_NOINLINE void plx_pkt_drop_out(
	struct rte_mbuf *m, enum plx_drop reason, const struct plx_pkt_seen *s)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_DROP);
	struct plx_pkt_seen seen = *s;

	seen.point = PLX_PKT_AT_DROP;
	seen.reason = (uint16_t)reason;
	if (plx_unlikely(w))
		w->see(w, &seen, &m, 1);
	plx_count(plx_acct_self()->drop[reason], plx_pkt_wire(m));
	rte_pktmbuf_free(m);
}

static uint64_t wire_pkts(struct rte_mbuf **m, unsigned int n)
{
	uint64_t pkts = 0;

	for (unsigned int i = 0; i < n; i++)
		pkts += plx_pkt_wire(m[i]);
	return pkts;
}

void plx_pkt_free_bulk(struct rte_mbuf **m, unsigned int n)
{
	struct rte_mempool *pool = n ? m[0]->pool : NULL;
	unsigned int whole = 0;

	for (unsigned int i = 0; i < n; i++)
		if (plx_likely(RTE_MBUF_DIRECT(m[i]) && rte_mbuf_refcnt_read(m[i]) == 1 &&
			       m[i]->nb_segs == 1 && !m[i]->next && m[i]->pool == pool))
			m[whole++] = m[i];
		else
			rte_pktmbuf_free(m[i]);
	if (whole)
		rte_mempool_put_bulk(pool, (void *const *)m, whole);
}

void plx_pkt_drop_bulk(struct rte_mbuf **m, unsigned int n, enum plx_drop reason)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_DROP);

	if (plx_unlikely(w))
		show(w, m, n, reason);
	plx_count(plx_acct_self()->drop[reason], wire_pkts(m, n));
	plx_pkt_free_bulk(m, n);
}

void plx_pkt_deliver_bulk(struct rte_mbuf **m, unsigned int n)
{
	plx_count(plx_acct_self()->delivered_pkts, wire_pkts(m, n));
	plx_pkt_free_bulk(m, n);
}

void plx_acct_sum(struct plx_acct *sum)
{
	uint64_t *to = (uint64_t *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned int l = 0; l < RTE_MAX_LCORE; l++) {
		const uint64_t *from = (const uint64_t *)&plx_acct[l];

		for (size_t i = 0; i < offsetof(struct plx_acct, stat) / 8 + PLX_STAT_MAX; i++)
			to[i] += plx_count_read(from[i]);
	}
}

void plx_acct_bind(void)
{
	unsigned int id = rte_lcore_id();

	plx_acct_mine = &plx_acct[id < RTE_MAX_LCORE ? id : 0];
	plx_pkt_watch_bind(id);
}

uint64_t plx_acct_drops(const struct plx_acct *a)
{
	uint64_t n = 0;

	for (int i = 0; i < PLX_DROP_MAX; i++)
		n += a->drop[i];
	return n;
}

void plx_acct_reset(void)
{
	memset(plx_acct, 0, sizeof(plx_acct));
}
