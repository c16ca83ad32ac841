/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt_watch.h"

static struct plx_pkt_watches nobody;

struct plx_pkt_watches plx_pkt_watches[RTE_MAX_LCORE];
__thread struct plx_pkt_watches *plx_pkt_watches_mine = &nobody;
int plx_pkt_came_offset;
uint64_t plx_pkt_came_flag;

void plx_pkt_watch_bind(unsigned int lcore)
{
	plx_pkt_watches_mine = lcore < RTE_MAX_LCORE ? &plx_pkt_watches[lcore] : &nobody;
}

void plx_pkt_watch_set(unsigned int lcore, enum plx_pkt_point point, const struct plx_pkt_watch *w)
{
	__atomic_store_n(&plx_pkt_watches[lcore].at[point], w, __ATOMIC_RELEASE);
}

static uint32_t buf_of(const struct rte_mbuf *m)
{
	return (uint32_t)((uintptr_t)m->buf_addr >> 4);
}

void plx_pkt_came_note(const struct plx_pkt_seen *s, struct rte_mbuf *const *pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		struct plx_pkt_came *c =
			(struct plx_pkt_came *)((uintptr_t)m + (size_t)plx_pkt_came_offset);

		c->buf = buf_of(m);
		c->start = m->data_off;
		c->port = (uint8_t)s->port;
		c->queue = s->queue & 0x7f;
		c->ip = s->link == PLX_PKT_LINK_IP;
		m->ol_flags |= plx_pkt_came_flag;
	}
}

const struct plx_pkt_came *plx_pkt_came(const struct rte_mbuf *m)
{
	const struct plx_pkt_came *c =
		(const struct plx_pkt_came *)((uintptr_t)m + (size_t)plx_pkt_came_offset);

	if (!(m->ol_flags & plx_pkt_came_flag) || c->buf != buf_of(m) || c->start > m->data_off)
		return NULL;
	return c;
}
