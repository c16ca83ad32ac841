/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * Path MTU discovery (RFC 1191, RFC 8201): what an ICMP "too big" says becomes an exception
 * (exc.c).
 */

/* A router that does not say: the next plateau below what it refused (RFC 1191 7). */
static uint16_t plateau(uint16_t total)
{
	static const uint16_t below[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

	for (size_t i = 0; i < PLX_DIM(below); i++)
		if (below[i] < total)
			return below[i];
	return 68;
}

uint16_t net__pmtu_of(const struct plx_net *net, bool v6, uint32_t rest, uint16_t quoted_bytes)
{
	uint32_t least = v6 ? 1280 : (uint32_t)net__tun(net, PLX_TUN_MIN_PMTU);
	uint32_t mtu = v6 ? rest : rest & 0xffff;

	if (mtu == 0 && !v6)
		mtu = plateau(quoted_bytes);
	if (!v6)
		mtu = PLX_MAX(mtu, least);
	/* IPv6: less is to be ignored (RFC 8201 4) */
	return mtu >= least && mtu < UINT16_MAX ? (uint16_t)mtu : 0;
}

/* m is an ICMP "too big" that error_in() has found right; data at its IP header. */
void net__pmtu_in(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct net_quote q;
	uint16_t mtu;
	enum plx_drop drop = net__quote(m, &q);

	if (drop != PLX_DROP_NONE) {
		plx_pkt_drop(m, drop);
		return;
	}
	mtu = net__pmtu_of(nl->net, q.ip.version == 6, q.icmp.rest, plx_get_be16(q.p + 2));
	if (mtu)
		net__exc_mtu(nl->net, &q.t.dst, mtu, nl->sn->now_ns);
	plx_pkt_deliver(m);
	net__ctl_pump(nl->net);
}
