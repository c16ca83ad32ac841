/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <stdlib.h>

/*
 * Path MTU records (RFC 1191, RFC 8201): the control lcore writes, all read. A record is believed
 * for mtu_expires, and never above the interface's MTU.
 */

#define PMTU_MAX 4096

uint16_t net__pmtu(const struct net_lcore *nl, const struct plx_addr *dst, uint16_t mtu)
{
	struct net_rnode *node = net__rtab_find(&nl->net->pmtu, dst, 0);
	const struct net_pmtu *e = node ? plx_container_of(node, struct net_pmtu, node) : NULL;

	return e && e->mtu < mtu && e->expires > nl->sn->now_ns ? e->mtu : mtu;
}

/* A router that does not say: the next plateau below what it refused (RFC 1191 7). */
static uint16_t plateau(uint16_t total)
{
	static const uint16_t below[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

	for (size_t i = 0; i < PLX_DIM(below); i++)
		if (below[i] < total)
			return below[i];
	return 68;
}

static void free_retired(struct net_retired *r)
{
	free(plx_container_of(r, struct net_pmtu, retired));
}

static void forget(struct plx_net *net, struct net_rnode *node)
{
	net__rtab_del(&net->pmtu, node);
	net__retire(net, &plx_container_of(node, struct net_pmtu, node)->retired, free_retired);
}

/* Make room: what has expired goes. */
static void sweep(struct plx_net *net, plx_ns now)
{
	for (uint32_t i = 0; i <= net->pmtu.mask; i++) {
		struct net_rnode *e = net->pmtu.bucket[i];

		while (e) {
			struct net_rnode *next = e->next;

			if (plx_container_of(e, struct net_pmtu, node)->expires <= now)
				forget(net, e);
			e = next;
		}
	}
}

static void learn(struct plx_net *net, const struct plx_addr *dst, uint16_t mtu, plx_ns now)
{
	struct net_rnode *old = net__rtab_find(&net->pmtu, dst, 0);
	struct net_pmtu *e;

	if (old) {
		const struct net_pmtu *o = plx_container_of(old, struct net_pmtu, node);

		if (o->expires > now && o->mtu <= mtu) /* only probing may raise it (RFC 8201 4) */
			return;
	}
	if (net->pmtu.n >= PMTU_MAX)
		sweep(net, now);
	e = net->pmtu.n < PMTU_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return;
	e->node.addr = *dst;
	e->mtu = mtu;
	e->expires = now + PLX_SEC(net__tun(net, PLX_TUN_MTU_EXPIRES));
	if (old)
		forget(net, old);
	net__rtab_add(&net->pmtu, &e->node);
}

/* m is an ICMP "too big" that error_in() has found right; data at its IP header. */
void net__pmtu_in(struct net_lcore *nl, struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	bool v6 = p[0] >> 4 == 6;
	struct plx_tuple t;
	struct plx_icmp icmp;
	struct plx_ip ip;
	uint32_t l4_off, mtu, least = v6 ? 1280 : (uint32_t)net__tun(nl->net, PLX_TUN_MIN_PMTU);
	uint8_t code;
	enum plx_drop drop;

	drop = v6 ? plx_wire_ip6_parse(&ip, p, m->pkt_len, &code)
		  : plx_wire_ip4_parse(&ip, p, m->pkt_len, false);
	if (drop == PLX_DROP_NONE)
		drop = plx_wire_icmp_parse(&icmp, p + ip.hdr_bytes, ip.l4_bytes);
	p += ip.hdr_bytes + PLX_ICMP_BYTES;
	if (drop == PLX_DROP_NONE)
		drop = plx_wire_icmp_quote(
			&t, &l4_off, p, m->data_len - ip.hdr_bytes - PLX_ICMP_BYTES);
	if (drop != PLX_DROP_NONE) {
		plx_pkt_drop(m, drop);
		return;
	}
	mtu = v6 ? icmp.rest : icmp.rest & 0xffff;
	if (mtu == 0 && !v6)
		mtu = plateau(plx_get_be16(p + 2));
	if (!v6)
		mtu = PLX_MAX(mtu, least);
	if (mtu >= least && mtu < UINT16_MAX) /* IPv6: less is to be ignored (RFC 8201 4) */
		learn(nl->net, &t.dst, (uint16_t)mtu, nl->sn->now_ns);
	plx_pkt_deliver(m);
	net__ctl_pump(nl->net);
}
