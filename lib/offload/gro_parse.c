/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

/* Nothing may be merged behind these. */
#define TCP_ENDS (PLX_TCP_URG | PLX_TCP_PSH | PLX_TCP_RST | PLX_TCP_SYN | PLX_TCP_FIN)

/* Bytes before the IP header, *type set; or -1. */
static int ether(const struct gro_frame *f, uint16_t *type)
{
	uint32_t at = PLX_ETH_BYTES;

	if (plx_unlikely(f->avail_bytes < at))
		return -1;
	*type = plx_get_be16(f->p + 12);
	for (int tags = 0;
		plx_unlikely(*type == PLX_ETHERTYPE_8021Q || *type == PLX_ETHERTYPE_8021AD);
		tags++) {
		if (tags == 2 || f->avail_bytes < at + 4)
			return -1;
		*type = plx_get_be16(f->p + at + 2);
		at += 4;
	}
	return (int)at;
}

/*
 * The transport header: len bytes with the payload, avail of them at hand. A checksum that
 * verifies but that no sender writes is not merged: cutting would write the usual one.
 */
static enum gro_kind tcp(struct plx_gro_pkt *q, uint32_t avail, uint32_t len)
{
	const uint8_t *b = offload__l4(q);
	uint32_t hdr;

	if (plx_unlikely(len < PLX_TCP_BYTES || avail < PLX_TCP_BYTES))
		return GRO_LONE;
	hdr = (b[12] >> 4) * 4u;
	if (plx_unlikely(hdr < PLX_TCP_BYTES || hdr > avail || hdr > len))
		return GRO_LONE;
	q->hdr_bytes = (uint16_t)(q->hdr_bytes + hdr);
	q->data_bytes = (uint16_t)(len - hdr);
	q->ends = b[13] & TCP_ENDS;
	if (len == hdr || offload__ld16(b + 16) == 0xffff)
		return GRO_LONE;
	return GRO_JOIN;
}

static enum gro_kind udp(struct plx_gro_pkt *q, uint32_t avail, uint32_t len)
{
	const uint8_t *b = offload__l4(q);

	if (plx_unlikely(len <= PLX_UDP_BYTES || avail < PLX_UDP_BYTES))
		return GRO_LONE;
	if (plx_unlikely(plx_get_be16(b + 4) != len))
		return GRO_LONE;
	if (plx_unlikely(q->v6 && offload__ld16(b + 6) == 0)) /* RFC 8200 8.1 */
		return GRO_LONE;
	q->hdr_bytes = (uint16_t)(q->hdr_bytes + PLX_UDP_BYTES);
	q->data_bytes = (uint16_t)(len - PLX_UDP_BYTES);
	return GRO_JOIN;
}

/* @param hdr the IP header's bytes, len the packet's, avail those at hand. */
static enum gro_kind transport(struct plx_gro_pkt *q, uint32_t hdr, uint32_t avail, uint32_t len)
{
	if (plx_unlikely(avail < hdr + 4 || len < hdr + 4))
		return GRO_ODD; /* not even ports */
	q->end_bytes = q->l2_bytes + len;
	q->hdr_bytes = (uint16_t)(q->l2_bytes + hdr);
	q->ends = false;
	if (q->proto == PLX_IPPROTO_TCP)
		return tcp(q, avail - hdr, len - hdr);
	return udp(q, avail - hdr, len - hdr);
}

static enum gro_kind ip4(struct plx_gro_pkt *q, uint32_t avail, uint32_t len)
{
	const uint8_t *b = q->ip;
	enum gro_kind kind;
	uint32_t total;

	if (plx_unlikely(avail < PLX_IP4_BYTES || b[0] >> 4 != 4))
		return GRO_ALIEN;
	q->v6 = false;
	q->proto = b[9];
	if (q->proto != PLX_IPPROTO_TCP && q->proto != PLX_IPPROTO_UDP)
		return GRO_ALIEN;
	total = plx_get_be16(b + 2);
	if (plx_unlikely(b[0] != 0x45 || plx_get_be16(b + 6) & 0x3fff || total > len))
		return GRO_ODD;
	kind = transport(q, PLX_IP4_BYTES, avail, total);
	return kind == GRO_JOIN && plx_unlikely(offload__ld16(b + 10) == 0xffff) ? GRO_LONE : kind;
}

static enum gro_kind ip6(struct plx_gro_pkt *q, uint32_t avail, uint32_t len)
{
	const uint8_t *b = q->ip;
	uint32_t total;

	if (plx_unlikely(avail < PLX_IP6_BYTES || b[0] >> 4 != 6))
		return GRO_ALIEN;
	q->v6 = true;
	q->proto = b[6];
	switch (q->proto) {
	case PLX_IPPROTO_TCP:
	case PLX_IPPROTO_UDP:
		break;
	case PLX_IPPROTO_HOPOPTS:
	case PLX_IPPROTO_ROUTING:
	case PLX_IPPROTO_FRAGMENT:
	case PLX_IPPROTO_DSTOPTS:
		q->proto = 0;
		return GRO_ODD;
	default:
		return GRO_ALIEN;
	}
	total = PLX_IP6_BYTES + plx_get_be16(b + 4);
	if (plx_unlikely(total > len))
		return GRO_ODD;
	return transport(q, PLX_IP6_BYTES, avail, total);
}

enum gro_kind offload__gro_parse(struct plx_gro_pkt *q, const struct gro_frame *f)
{
	uint16_t type = 0;
	int l2 = 0;

	if (plx_unlikely(f->raw_ip)) {
		if (f->avail_bytes)
			type = f->p[0] >> 4 == 6 ? PLX_ETHERTYPE_IP6 : PLX_ETHERTYPE_IP4;
	} else {
		l2 = ether(f, &type);
		if (plx_unlikely(l2 < 0))
			return GRO_ALIEN;
	}
	q->ip = f->p + l2;
	q->l2_bytes = (uint8_t)l2;
	if (type == PLX_ETHERTYPE_IP4)
		return ip4(q, f->avail_bytes - (uint32_t)l2, f->bytes - (uint32_t)l2);
	if (type == PLX_ETHERTYPE_IP6)
		return ip6(q, f->avail_bytes - (uint32_t)l2, f->bytes - (uint32_t)l2);
	return GRO_ALIEN;
}
