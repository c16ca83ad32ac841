/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

#include <errno.h>

#define IP4_FRAG     0x3fff /* more fragments, or an offset */
#define TCP_FLAG_OFF 13
#define TCP_SUM_OFF  16
#define UDP_LEN_OFF  4
#define UDP_SUM_OFF  6

static uint8_t proto_of(const struct gso_cut *c)
{
	return c->udp ? PLX_IPPROTO_UDP : PLX_IPPROTO_TCP;
}

static bool ip4_fits(const struct gso_cut *c)
{
	const uint8_t *b = c->hdr + c->l2_bytes;

	if (c->l3_bytes < PLX_IP4_BYTES || b[0] >> 4 != 4 || (b[0] & 0xf) * 4 != c->l3_bytes)
		return false;
	/* What is a fragment already cannot be cut at a transport's borders. */
	if (b[9] != proto_of(c) || plx_get_be16(b + 6) & IP4_FRAG)
		return false;
	return (uint32_t)c->l3_bytes + c->l4_bytes + offload__gso_data_bytes(c, 0) <= UINT16_MAX;
}

static bool ip6_fits(const struct gso_cut *c)
{
	const uint8_t *b = c->hdr + c->l2_bytes;

	if (c->l3_bytes < PLX_IP6_BYTES || b[0] >> 4 != 6 || c->l3_bytes % 8)
		return false;
	if (c->l3_bytes == PLX_IP6_BYTES && b[6] != proto_of(c))
		return false;
	return (uint32_t)c->l3_bytes - PLX_IP6_BYTES + c->l4_bytes +
		       offload__gso_data_bytes(c, 0) <=
	       UINT16_MAX;
}

/* The L4 field holds the pseudo-header's sum, which is never zero: zero means "none". */
static bool l4_fits(struct gso_cut *c)
{
	const uint8_t *b = c->hdr + c->l2_bytes + c->l3_bytes;

	if (!c->udp)
		return c->l4_bytes >= PLX_TCP_BYTES && (b[12] >> 4) * 4 == c->l4_bytes &&
		       offload__ld16(b + TCP_SUM_OFF) != 0;
	if (c->l4_bytes != PLX_UDP_BYTES)
		return false;
	c->no_sum = offload__ld16(b + UDP_SUM_OFF) == 0;
	return !(c->no_sum && c->v6);
}

int offload__gso_check(struct gso_cut *c, uint32_t hdr_avail_bytes)
{
	uint32_t parts;

	if (c->seg_bytes == 0 || c->l4_bytes < PLX_UDP_BYTES || c->l3_bytes < PLX_IP4_BYTES)
		return -EINVAL;
	if (!c->udp && c->l4_bytes < PLX_TCP_BYTES)
		return -EINVAL;
	if (offload__gso_hdr_bytes(c) > hdr_avail_bytes)
		return -EINVAL;
	if (!(c->v6 ? ip6_fits(c) : ip4_fits(c)) || !l4_fits(c))
		return -EINVAL;
	parts = (uint32_t)(((uint64_t)c->payload_bytes + c->seg_bytes - 1) / c->seg_bytes);
	if (parts > UINT16_MAX)
		return -EINVAL;
	c->parts = (uint16_t)PLX_MAX(parts, 1u); /* a FIN alone */
	return 0;
}

static void tcp_header(const struct gso_cut *c, uint32_t i, uint8_t *b)
{
	if (i > 0) {
		plx_put_be32(b + 4, plx_get_be32(b + 4) + i * c->seg_bytes);
		b[TCP_FLAG_OFF] &= (uint8_t)~PLX_TCP_CWR;
	}
	if (i + 1u < c->parts)
		b[TCP_FLAG_OFF] &= (uint8_t) ~(PLX_TCP_FIN | PLX_TCP_PSH);
}

static void ip_header(const struct gso_cut *c, uint32_t i, uint8_t *b, uint32_t l4_bytes)
{
	uint16_t none = 0;

	if (c->v6) {
		plx_put_be16(b + 4, (uint16_t)(c->l3_bytes - PLX_IP6_BYTES + l4_bytes));
		return;
	}
	plx_put_be16(b + 2, (uint16_t)(c->l3_bytes + l4_bytes));
	if (!c->fixed_id)
		plx_put_be16(b + 4, (uint16_t)(plx_get_be16(b + 4) + i));
	memcpy(b + 10, &none, sizeof(none));
}

/* The length joins the pseudo-header's sum: the upper half of IPv6's is zero. */
static void sum_length(uint8_t *field, uint32_t l4_bytes)
{
	uint32_t len = __builtin_bswap16((uint16_t)l4_bytes);
	uint16_t sum = plx_cksum_fold(offload__ld16(field) + len);

	memcpy(field, &sum, sizeof(sum));
}

void offload__gso_header(const struct gso_cut *c, uint32_t i, uint8_t *to)
{
	uint32_t l4_bytes = c->l4_bytes + offload__gso_data_bytes(c, i);
	uint8_t *ip = to + c->l2_bytes, *l4 = ip + c->l3_bytes;

	memcpy(to, c->hdr, offload__gso_hdr_bytes(c));
	ip_header(c, i, ip, l4_bytes);
	if (!c->udp) {
		tcp_header(c, i, l4);
		sum_length(l4 + TCP_SUM_OFF, l4_bytes);
		return;
	}
	plx_put_be16(l4 + UDP_LEN_OFF, (uint16_t)l4_bytes);
	if (!c->no_sum)
		sum_length(l4 + UDP_SUM_OFF, l4_bytes);
}
