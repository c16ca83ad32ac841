/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

#include <errno.h>

#include <plx_base_cksum.h>
#include <plx_wire_eth.h>
#include <plx_wire_ip.h>

#define TCP_BYTES     20
#define TCP_CKSUM_OFF 16
#define UDP_BYTES     8
#define UDP_CKSUM_OFF 6

/* The family is the address's: where an Ethernet header has been, it said the same. */
static bool l2(struct plx_pkt_layers *l, const uint8_t *p, uint32_t len, bool eth)
{
	struct plx_eth h;

	l->l2_bytes = 0;
	if (!eth) {
		l->version = len ? p[0] >> 4 : 0;
		return true;
	}
	if (plx_wire_eth_parse(&h, p, len) != PLX_DROP_NONE)
		return false;
	l->l2_bytes = h.hdr_bytes;
	l->version = h.type == PLX_ETHERTYPE_IP4 ? 4 : h.type == PLX_ETHERTYPE_IP6 ? 6 : 0;
	return true;
}

static bool ip4(struct plx_pkt_layers *l, const uint8_t *p, uint32_t len, uint8_t *proto)
{
	struct plx_addr src, dst;

	if (len < PLX_IP4_BYTES || p[0] >> 4 != 4 || plx_get_be16(p + 6) & 0x3fff)
		return false;
	l->l3_bytes = (uint16_t)((p[0] & 0xf) * 4);
	l->len = plx_get_be16(p + 2);
	if (l->l3_bytes < PLX_IP4_BYTES || l->len < l->l3_bytes)
		return false;
	l->len -= l->l3_bytes;
	*proto = p[9];
	src = plx_addr_from_v4(p + 12);
	dst = plx_addr_from_v4(p + 16);
	l->pseudo = plx_cksum_pseudo(&src, &dst, *proto, 0);
	return true;
}

static bool is_option(uint8_t nh)
{
	return nh == PLX_IPPROTO_HOPOPTS || nh == PLX_IPPROTO_DSTOPTS;
}

static bool ip6(struct plx_pkt_layers *l, const uint8_t *p, uint32_t len, uint8_t *proto)
{
	struct plx_addr src, dst;
	uint32_t at = PLX_IP6_BYTES;

	if (len < PLX_IP6_BYTES || p[0] >> 4 != 6)
		return false;
	for (*proto = p[6]; is_option(*proto); at += p[at + 1] * 8u + 8) {
		if (at + 8 > len)
			return false;
		*proto = p[at];
		if (at + p[at + 1] * 8u + 8 > len)
			return false;
	}
	l->l3_bytes = (uint16_t)at;
	l->len = plx_get_be16(p + 4) + (uint32_t)PLX_IP6_BYTES;
	if (l->len < at)
		return false;
	l->len -= at;
	memcpy(&src, p + 8, sizeof(src));
	memcpy(&dst, p + 24, sizeof(dst));
	l->pseudo = plx_cksum_pseudo(&src, &dst, *proto, 0);
	return true;
}

static bool l4(struct plx_pkt_layers *l, const uint8_t *p, uint32_t len, uint8_t proto)
{
	l->udp = proto == PLX_IPPROTO_UDP;
	if (l->udp) {
		l->l4_bytes = UDP_BYTES;
	} else {
		if (proto != PLX_IPPROTO_TCP || len < TCP_BYTES)
			return false;
		l->l4_bytes = (uint16_t)((p[12] >> 4) * 4);
		if (l->l4_bytes < TCP_BYTES)
			return false;
	}
	return l->l4_bytes <= len && l->l4_bytes <= l->len;
}

bool plx_pkt_layers(struct plx_pkt_layers *l, const struct rte_mbuf *m, bool eth)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t len = m->data_len, before;
	uint8_t proto;

	if (!l2(l, p, len, eth))
		return false;
	p += l->l2_bytes;
	len -= l->l2_bytes;
	if (l->version == 4 ? !ip4(l, p, len, &proto) : l->version != 6 || !ip6(l, p, len, &proto))
		return false;
	before = (uint32_t)l->l2_bytes + l->l3_bytes;
	if (l->l3_bytes > len || before + l->len > m->pkt_len)
		return false;
	return l4(l, p + l->l3_bytes, len - l->l3_bytes, proto);
}

/* Whoever holds it too sees it written only where it was not so already. */
static void put_sum(struct rte_mbuf *m, const struct plx_pkt_layers *l, uint32_t sum)
{
	uint16_t check = plx_cksum_fold(sum);
	uint8_t *field = rte_pktmbuf_mtod_offset(
		m, uint8_t *, l->l2_bytes + l->l3_bytes + (l->udp ? UDP_CKSUM_OFF : TCP_CKSUM_OFF));

	if (memcmp(field, &check, sizeof(check)) != 0)
		memcpy(field, &check, sizeof(check));
}

static uint32_t with_len(const struct plx_pkt_layers *l)
{
	return plx_cksum_fold64((uint64_t)l->pseudo + __builtin_bswap32(l->len));
}

int plx_pkt_ask(struct rte_mbuf *m, bool eth)
{
	bool merged = m->ol_flags & RTE_MBUF_F_RX_LRO;
	struct plx_pkt_layers l;
	uint64_t ask;

	if (!plx_pkt_layers(&l, m, eth))
		return -EINVAL;
	if (merged)
		ask = l.udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	else
		ask = l.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	ask |= l.version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	put_sum(m, &l, merged ? l.pseudo : with_len(&l));
	m->l2_len = l.l2_bytes;
	m->l3_len = l.l3_bytes;
	m->l4_len = l.l4_bytes;
	if (!merged)
		m->tso_segsz = 0;
	m->ol_flags &= ~(plx_pkt_partial_flag | RTE_MBUF_F_RX_LRO);
	m->ol_flags |= ask;
	return 0;
}

int plx_pkt_complete(struct rte_mbuf *m, bool eth)
{
	uint64_t flags = m->ol_flags;
	int err = plx_pkt_ask(m, eth);

	if (!err && flags & RTE_MBUF_F_RX_LRO)
		err = -EINVAL;
	if (!err)
		err = plx_pkt_csum_fill(m);
	m->ol_flags = flags & ~(err ? 0 : plx_pkt_partial_flag);
	return err;
}

bool plx_pkt_set_parts(struct rte_mbuf *m, const struct plx_pkt_layers *l, uint32_t part_bytes)
{
	uint32_t text = l->len - l->l4_bytes;

	m->ol_flags &= ~RTE_MBUF_F_RX_LRO;
	if (part_bytes == 0 || part_bytes > UINT16_MAX || text == 0)
		return false;
	if (text <= part_bytes) /* one packet after all */
		return true;
	m->ol_flags |= RTE_MBUF_F_RX_LRO;
	m->tso_segsz = (uint16_t)part_bytes;
	plx_pkt_set_wire(m, (text + part_bytes - 1) / part_bytes);
	return true;
}
