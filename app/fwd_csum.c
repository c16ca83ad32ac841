/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

#include <plx_wire.h>

/*
 * Checksums of IPv4, TCP and UDP are made anew: by the device where it can, else here. A packet
 * that does not parse goes on as it is, as through a switch.
 */

/** Where the headers of a packet are. */
struct layers {
	uint8_t *l3, *l4;
	struct plx_ip ip;
};

/* All that is parsed of a chained packet must be in its first segment; the rest may be anywhere. */
static bool headers_in_first(const struct rte_mbuf *m, const struct plx_eth *eth)
{
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, eth->hdr_bytes);

	if (m->data_len < eth->hdr_bytes + PLX_IP4_MAX_BYTES)
		return false;
	return eth->type != PLX_ETHERTYPE_IP6 || l3[6] == PLX_IPPROTO_UDP ||
	       l3[6] == PLX_IPPROTO_TCP;
}

static bool parse(struct rte_mbuf *m, struct layers *l)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	struct plx_eth eth;
	uint8_t code;
	uint32_t len;

	if (plx_wire_eth_parse(&eth, p, m->data_len) != PLX_DROP_NONE)
		return false;
	l->l3 = p + eth.hdr_bytes;
	len = m->pkt_len - eth.hdr_bytes;
	if (plx_unlikely(m->nb_segs > 1) && !headers_in_first(m, &eth))
		return false;
	m->l2_len = eth.hdr_bytes;
	if (eth.type == PLX_ETHERTYPE_IP4) {
		if (plx_wire_ip4_parse(&l->ip, l->l3, len, false) != PLX_DROP_NONE)
			return false;
	} else if (eth.type == PLX_ETHERTYPE_IP6) {
		if (plx_wire_ip6_parse(&l->ip, l->l3, len, &code) != PLX_DROP_NONE)
			return false;
	} else {
		return false;
	}
	m->l3_len = l->ip.hdr_bytes;
	l->l4 = l->l3 + l->ip.hdr_bytes;
	return true;
}

static void ip4_header(struct rte_mbuf *m, const struct layers *l, bool device)
{
	uint16_t check = 0;

	memcpy(l->l3 + 10, &check, sizeof(check));
	if (device) {
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		return;
	}
	check = plx_cksum_ip4(l->l3, l->ip.hdr_bytes);
	memcpy(l->l3 + 10, &check, sizeof(check));
}

static void transport(struct rte_mbuf *m, const struct layers *l, bool device)
{
	bool udp = l->ip.proto == PLX_IPPROTO_UDP;
	uint8_t *field = l->l4 + (udp ? 6 : 16);
	uint32_t sum = plx_cksum_pseudo(&l->ip.src, &l->ip.dst, l->ip.proto, l->ip.l4_bytes);
	uint16_t check;

	memcpy(&check, field, sizeof(check));
	if (udp && check == 0)
		return; /* the sender wants none */
	if (device) {	/* it adds the rest to the pseudo-header's sum */
		check = plx_cksum_fold(sum);
		memcpy(field, &check, sizeof(check));
		m->ol_flags |= (l->ip.version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6) |
			       (udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
		return;
	}
	check = 0;
	memcpy(field, &check, sizeof(check));
	sum = plx_cksum_combine(sum, plx_pkt_csum_sum(m, m->l2_len + m->l3_len, l->ip.l4_bytes), 0);
	check = udp ? plx_cksum_finish_udp(sum) : plx_cksum_finish(sum);
	memcpy(field, &check, sizeof(check));
}

/* features: of the port that it leaves by */
static void mend(struct rte_mbuf *m, uint32_t features)
{
	struct layers l;
	uint32_t least;

	if (!parse(m, &l))
		return;
	if (l.ip.version == 4)
		ip4_header(m, &l, features & PLX_PORT_F_TX_CSUM_IP4);
	if (l.ip.is_frag) /* a part of what the checksum is about */
		return;
	least = l.ip.proto == PLX_IPPROTO_UDP ? PLX_UDP_BYTES : 20;
	if ((l.ip.proto == PLX_IPPROTO_UDP || l.ip.proto == PLX_IPPROTO_TCP) &&
		l.ip.l4_bytes >= least && m->data_len >= m->l2_len + m->l3_len + least)
		transport(m, &l, features & PLX_PORT_F_TX_CSUM_L4);
}

void fwd_csum(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t to = fwd.peer[q->port->id];
	uint32_t features = plx_port_features(plx_port_get(to));

	for (uint16_t i = 0; i < n; i++) {
		fwd_prefetch(pkts, i, n);
		mend(pkts[i], features);
	}
	plx_softnet_tx_burst(sn, to, pkts, n);
}
