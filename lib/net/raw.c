/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * Raw sockets hear every packet of their protocol that is for us, before its protocol does (Linux's
 * raw_local_deliver()). Each is known to its own lcore alone; a mask for each protocol says which
 * lcores have any, and these get a copy.
 */

static uint64_t bit(const struct net_lcore *nl)
{
	return UINT64_C(1) << nl->sn->index;
}

void plx_net_raw_add(struct plx_softnet *sn, struct plx_net_raw *r)
{
	struct net_lcore *nl = net__self(sn);

	plx_list_add_tail(&nl->raws, &r->node);
	plx_count(nl->n_raws, 1);
	__atomic_fetch_or(&nl->net->raw_lcores[r->proto], bit(nl), __ATOMIC_RELAXED);
}

void plx_net_raw_del(struct plx_softnet *sn, struct plx_net_raw *r)
{
	struct net_lcore *nl = net__self(sn);
	const struct plx_net_raw *o;
	bool others = false;

	plx_list_del(&r->node);
	plx_count(nl->n_raws, -1u);
	plx_list_foreach (o, &nl->raws, node)
		others |= o->proto == r->proto;
	if (!others)
		__atomic_fetch_and(&nl->net->raw_lcores[r->proto], ~bit(nl), __ATOMIC_RELAXED);
}

static bool matches(const struct plx_net_raw *r, const struct plx_net_rx *rx)
{
	const struct plx_ip *ip = &rx->ip;

	return r->proto == ip->proto && r->v6 == (ip->version == 6) &&
	       (!r->iface || r->iface == rx->iface) &&
	       (plx_addr_is_any(&r->laddr) || plx_addr_eq(&r->laddr, &ip->dst)) &&
	       (plx_addr_is_any(&r->raddr) || plx_addr_eq(&r->raddr, &ip->src));
}

static struct rte_mbuf *copy_of(struct net_lcore *nl, const struct rte_mbuf *m)
{
	struct rte_mbuf *c = rte_pktmbuf_copy(m, nl->sn->pool, 0, UINT32_MAX);

	if (c)
		plx_pkt_originate(plx_pkt_wire(c));
	return c;
}

static bool tell_own(struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	struct plx_net_raw *r;
	bool heard = false;

	plx_list_foreach (r, &nl->raws, node) {
		struct rte_mbuf *c = matches(r, rx) ? copy_of(nl, m) : NULL;

		if (!c)
			continue;
		heard = true;
		plx_pkt_deliver_keep(c);
		r->rx(nl->sn, r, c, rx);
	}
	return heard;
}

PLX_NOINLINE bool net__raw_in(
	struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	uint64_t left = __atomic_load_n(&nl->net->raw_lcores[rx->ip.proto], __ATOMIC_RELAXED);
	bool heard = false;

	if (rx->ip.proto == PLX_IPPROTO_ICMP6 && !net__l4_ok(m, &rx->ip))
		return false;
	if (left & bit(nl))
		heard = tell_own(nl, m, rx);
	for (left &= rx->raw ? 0 : ~bit(nl); left; left &= left - 1) {
		struct rte_mbuf *c = copy_of(nl, m);

		if (!c)
			break;
		heard = true; /* by somebody there, as far as can be known here */
		net__stage(c, NET_STAGE_IP, rx->iface,
			NET_F_RAW | NET_F_HANDED | (rx->link_group ? NET_F_LINK_GROUP : 0) |
				(rx->looped ? NET_F_LOOPED : 0));
		plx_softnet_hand(nl->sn, (uint16_t)__builtin_ctzll(left), c);
	}
	return heard;
}
