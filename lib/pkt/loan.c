/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

static void over(void *p, void *loan)
{
	struct plx_pkt_loan *l = loan;

	l->over(l);
}

void plx_pkt_loan_init(struct plx_pkt_loan *l, void (*fn)(struct plx_pkt_loan *l))
{
	*l = (struct plx_pkt_loan){.over = fn, .shared = {.free_cb = over, .fcb_opaque = l}};
	rte_mbuf_ext_refcnt_set(&l->shared, 1);
}

void plx_pkt_loan_put(struct plx_pkt_loan *l)
{
	if (rte_mbuf_ext_refcnt_update(&l->shared, -1) == 0)
		l->over(l);
}

void plx_pkt_loan_attach(
	struct plx_pkt_loan *l, struct rte_mbuf *m, const void *p, rte_iova_t iova, uint16_t n)
{
	rte_mbuf_ext_refcnt_update(&l->shared, 1);
	rte_pktmbuf_attach_extbuf(m, (void *)(uintptr_t)p, iova, n, &l->shared);
	m->data_off = 0;
	m->data_len = n;
	m->pkt_len = n;
}

struct plx_pkt_loan *plx_pkt_loan_of(struct rte_mbuf_ext_shared_info *shared)
{
	return shared->free_cb == over ? plx_container_of(shared, struct plx_pkt_loan, shared)
				       : NULL;
}

bool plx_pkt_lent(const struct rte_mbuf *m)
{
	for (; m; m = m->next)
		if (plx_pkt_loan_in(m))
			return true;
	return false;
}

/* Copies may be made by several lcores at a time. */
void plx_pkt_loan_copied(const struct rte_mbuf *m)
{
	for (; m; m = m->next) {
		struct plx_pkt_loan *l = plx_pkt_loan_in(m);

		if (l)
			__atomic_store_n(&l->copied, true, __ATOMIC_RELAXED);
	}
}
