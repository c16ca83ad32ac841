/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

#include <plx_wire.h>

/*
 * Source and destination change places in each layer that has them: MAC, IP, TCP or UDP. No
 * checksum changes by that: a sum does not ask for the order of its words. What is not there, or
 * not whole, stays as it is.
 */

static void swap_ip4_addrs(uint8_t *p)
{
	uint64_t both;

	memcpy(&both, p, sizeof(both));
	both = both << 32 | both >> 32;
	memcpy(p, &both, sizeof(both));
}

static void swap_ports(uint8_t *p)
{
	uint32_t both;

	memcpy(&both, p, sizeof(both));
	both = both << 16 | both >> 16;
	memcpy(p, &both, sizeof(both));
}

static bool has_ports(uint8_t proto)
{
	return proto == PLX_IPPROTO_UDP || proto == PLX_IPPROTO_TCP;
}

static void swap_ip4(uint8_t *ip, uint32_t len)
{
	uint32_t hdr = (ip[0] & 0xfu) * 4;

	if (len < PLX_IP4_BYTES || ip[0] >> 4 != 4)
		return;
	swap_ip4_addrs(ip + 12);
	/* later fragments have no ports */
	if (has_ports(ip[9]) && !(plx_get_be16(ip + 6) & 0x1fff) && hdr >= PLX_IP4_BYTES &&
		len >= hdr + 4)
		swap_ports(ip + hdr);
}

static void swap_ip6(uint8_t *ip, uint32_t len)
{
	uint8_t src[16];

	if (len < PLX_IP6_BYTES || ip[0] >> 4 != 6)
		return;
	memcpy(src, ip + 8, sizeof(src));
	memcpy(ip + 8, ip + 24, sizeof(src));
	memcpy(ip + 24, src, sizeof(src));
	if (has_ports(ip[6]) && len >= PLX_IP6_BYTES + 4)
		swap_ports(ip + PLX_IP6_BYTES);
}

static void PLX_COLD swap_rare(struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	struct plx_eth eth;

	if (plx_wire_eth_parse(&eth, p, m->data_len) != PLX_DROP_NONE)
		return;
	if (eth.type == PLX_ETHERTYPE_IP4)
		swap_ip4(p + eth.hdr_bytes, m->data_len - eth.hdr_bytes);
	else if (eth.type == PLX_ETHERTYPE_IP6)
		swap_ip6(p + eth.hdr_bytes, m->data_len - eth.hdr_bytes);
}

/* What nearly every packet is: IPv4 without tags and options, with ports. */
static bool common(const uint8_t *p, uint16_t len)
{
	uint32_t type_ihl;

	memcpy(&type_ihl, p + 12, sizeof(type_ihl));
	return len >= PLX_ETH_BYTES + PLX_IP4_BYTES + 4 && (type_ihl & 0xffffff) == 0x450008 &&
	       has_ports(p[14 + 9]) && !(p[14 + 6] & 0x1f) && !p[14 + 7];
}

void fwd_5tswap(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t shortest = UINT16_MAX;

	for (uint16_t i = 0; i < n; i++) {
		uint8_t *p = rte_pktmbuf_mtod(pkts[i], uint8_t *);

		fwd_prefetch(pkts, i, n);
		fwd_swap_macs(p);
		if (plx_likely(common(p, pkts[i]->data_len))) {
			swap_ip4_addrs(p + PLX_ETH_BYTES + 12);
			swap_ports(p + PLX_ETH_BYTES + PLX_IP4_BYTES);
		} else {
			swap_rare(pkts[i]);
		}
		shortest = PLX_MIN(shortest, pkts[i]->data_len);
	}
	if (plx_unlikely(shortest < PLX_ETH_BYTES))
		n = fwd_drop_short(pkts, n);
	plx_softnet_tx_burst(sn, fwd.peer[q->port->id], pkts, n);
}
