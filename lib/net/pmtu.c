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

/* m is an ICMP "too big" that error_in() has found right; data at its IP header. */
void net__pmtu_in(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct net_quote q;
	bool v6;
	uint32_t mtu, least;
	enum plx_drop drop = net__quote(m, &q);

	if (drop != PLX_DROP_NONE) {
		plx_pkt_drop(m, drop);
		return;
	}
	v6 = q.ip.version == 6;
	least = v6 ? 1280 : (uint32_t)net__tun(nl->net, PLX_TUN_MIN_PMTU);
	mtu = v6 ? q.icmp.rest : q.icmp.rest & 0xffff;
	if (mtu == 0 && !v6)
		mtu = plateau(plx_get_be16(q.p + 2));
	if (!v6)
		mtu = PLX_MAX(mtu, least);
	if (mtu >= least && mtu < UINT16_MAX) /* IPv6: less is to be ignored (RFC 8201 4) */
		net__exc_mtu(nl->net, &q.t.dst, (uint16_t)mtu, nl->sn->now_ns);
	plx_pkt_deliver(m);
	net__ctl_pump(nl->net);
}
