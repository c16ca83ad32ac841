/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <endian.h>

#include <plx_base_cksum.h>

#define TCP_CKSUM_OFF 16
#define TCP_FLAGS_OFF 13
#define TCP_CWR	      0x80
#define UDP_CKSUM_OFF 6

#define TX_SEG (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/*
 * The header is little-endian (TUNSETVNETLE). hdr_len is a hint that the kernel itself does not
 * trust: it is written, not read.
 */

/* ---- what came ---- */

/* A checksum at a place that is neither TCP's nor UDP's: whoever reads the packet finds it right.
 */
static enum plx_drop sum_here(struct rte_mbuf *m, uint32_t start, uint32_t field)
{
	uint16_t check;

	if (field + sizeof(check) > m->data_len)
		return PLX_DROP_RX_OFFLOAD;
	check = plx_cksum_finish_udp(plx_pkt_csum_sum(m, start, UINT32_MAX));
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, field), &check, sizeof(check));
	return PLX_DROP_NONE;
}

static bool is_field_of(const struct plx_pkt_layers *l, uint32_t start, uint32_t field)
{
	return start == (uint32_t)l->l2_bytes + l->l3_bytes &&
	       field == start + (l->udp ? UDP_CKSUM_OFF : TCP_CKSUM_OFF);
}

static bool is_kind(const struct plx_pkt_layers *l, uint8_t gso)
{
	switch (gso) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return l->version == 4 && !l->udp;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return l->version == 6 && !l->udp;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return l->udp;
	default: /* never asked for: fragments of UDP */
		return false;
	}
}

static enum plx_drop merged(
	struct rte_mbuf *m, const struct plx_pkt_layers *l, const struct virtio_net_hdr *h)
{
	if (!is_kind(l, h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN) ||
		!plx_pkt_set_parts(m, l, le16toh(h->gso_size)))
		return PLX_DROP_RX_OFFLOAD;
	return PLX_DROP_NONE;
}

enum plx_drop vtap__hdr_in(struct rte_mbuf *m, const struct virtio_net_hdr *h, bool eth)
{
	uint32_t start = le16toh(h->csum_start), field = start + le16toh(h->csum_offset);
	bool gso = h->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	struct plx_pkt_layers l;

	if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		if (gso)
			return PLX_DROP_RX_OFFLOAD;
		if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return PLX_DROP_NONE;
	}
	if (field + 2 > m->pkt_len)
		return PLX_DROP_RX_OFFLOAD;
	if (!plx_pkt_layers(&l, m, eth) || !is_field_of(&l, start, field))
		return gso ? PLX_DROP_RX_OFFLOAD : sum_here(m, start, field);
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | plx_pkt_partial_flag;
	return gso ? merged(m, &l, h) : PLX_DROP_NONE;
}

/* ---- what is sent ---- */

/* The kernel wants the length in the sum of the pseudo-header, DPDK does not. */
static void add_len(struct vtap_patch *patch, const uint8_t *field, uint16_t at, uint32_t len)
{
	uint16_t sum;

	memcpy(&sum, field, sizeof(sum));
	patch->at = at;
	patch->value = plx_cksum_fold(plx_cksum_fold64((uint64_t)sum + __builtin_bswap32(len)));
}

static uint8_t gso_type(const struct rte_mbuf *m, const uint8_t *l4)
{
	uint8_t type = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
							: VIRTIO_NET_HDR_GSO_TCPV4;

	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return l4[TCP_FLAGS_OFF] & TCP_CWR ? type | VIRTIO_NET_HDR_GSO_ECN : type;
}

static enum plx_drop cut(const struct rte_mbuf *m, struct virtio_net_hdr *h,
	struct vtap_patch *patch, uint32_t start, uint32_t field)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t headers = start + m->l4_len;

	if (m->tso_segsz == 0 || m->l4_len < field + 2 - start || headers > m->data_len)
		return PLX_DROP_TX_ERROR;
	add_len(patch, p + field, (uint16_t)field, m->pkt_len - start);
	if (m->pkt_len - headers <= m->tso_segsz) /* the kernel would refuse it */
		return PLX_DROP_NONE;
	h->gso_type = gso_type(m, p + start);
	h->gso_size = htole16(m->tso_segsz);
	h->hdr_len = htole16((uint16_t)headers);
	return PLX_DROP_NONE;
}

enum plx_drop vtap__hdr_out(
	const struct rte_mbuf *m, struct virtio_net_hdr *h, struct vtap_patch *patch)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK, seg = m->ol_flags & TX_SEG;
	uint32_t start = (uint32_t)m->l2_len + m->l3_len, off;

	*h = (struct virtio_net_hdr){0};
	patch->at = 0;
	if (plx_likely(!(m->ol_flags & (TX_SEG | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM))))
		return PLX_DROP_NONE;
	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM || l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return PLX_DROP_TX_NO_OFFLOAD;
	off = l4 == RTE_MBUF_F_TX_UDP_CKSUM || seg & RTE_MBUF_F_TX_UDP_SEG ? UDP_CKSUM_OFF
									   : TCP_CKSUM_OFF;
	if (start + off + 2 > m->data_len)
		return PLX_DROP_TX_ERROR;
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = htole16((uint16_t)start);
	h->csum_offset = htole16((uint16_t)off);
	return seg ? cut(m, h, patch, start, start + off) : PLX_DROP_NONE;
}
