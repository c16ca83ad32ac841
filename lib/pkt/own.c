/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

bool plx_pkt_shared(const struct rte_mbuf *m)
{
	for (; m; m = m->next)
		if (!RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1)
			return true;
	return false;
}

static struct rte_mbuf *copy_of(struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);

	if (!copy)
		return NULL;
	plx_pkt_loan_copied(m);
	rte_pktmbuf_free(m);
	return copy;
}

struct rte_mbuf *plx_pkt_own(struct rte_mbuf *m)
{
	return plx_pkt_shared(m) ? copy_of(m) : m;
}

struct rte_mbuf *plx_pkt_own_head(struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 ? m : copy_of(m);
}
