/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_l4.h"

/* ICMP (RFC 792) and IGMP are summed alone, everything else with its pseudo header. */
static uint32_t l4_sum(const struct plx_addr *src, const struct plx_addr *dst, uint8_t proto,
	const void *l4, uint32_t len)
{
	uint32_t sum = 0;

	if (proto != PLX_IPPROTO_ICMP && proto != PLX_IPPROTO_IGMP)
		sum = plx_cksum_pseudo(src, dst, proto, len);
	return plx_cksum_add(sum, l4, len);
}

bool plx_wire_l4_cksum_ok(const struct plx_ip *ip, const void *l4, uint32_t len)
{
	return plx_cksum_finish(l4_sum(&ip->src, &ip->dst, ip->proto, l4, len)) == 0;
}

uint16_t plx_wire_l4_cksum(const struct plx_addr *src, const struct plx_addr *dst, uint8_t proto,
	const void *l4, uint32_t len)
{
	uint32_t sum = l4_sum(src, dst, proto, l4, len);

	return proto == PLX_IPPROTO_UDP ? plx_cksum_finish_udp(sum) : plx_cksum_finish(sum);
}

void plx_wire_l4_cksum_fill(const struct plx_addr *src, const struct plx_addr *dst, uint8_t proto,
	void *l4, uint32_t len)
{
	uint8_t *field = l4;
	uint16_t check;

	switch (proto) {
	case PLX_IPPROTO_TCP:
		field += 16;
		break;
	case PLX_IPPROTO_UDP:
		field += 6;
		break;
	default:
		field += 2;
		break;
	}
	memset(field, 0, 2);
	check = plx_wire_l4_cksum(src, dst, proto, l4, len);
	memcpy(field, &check, 2);
}

enum plx_drop plx_wire_udp_check(const struct plx_udp *udp, const struct plx_ip *ip, const void *p)
{
	if (udp->check == 0)
		return ip->version == 4 ? PLX_DROP_NONE : PLX_DROP_UDP_ZERO_CHECKSUM;
	return plx_wire_l4_cksum_ok(ip, p, udp->len) ? PLX_DROP_NONE : PLX_DROP_UDP_CHECKSUM;
}

enum plx_drop plx_wire_sctp_parse(struct plx_sctp *sctp, const void *p, uint32_t len)
{
	const uint8_t *b = p;

	if (len < PLX_SCTP_BYTES)
		return PLX_DROP_SCTP_SHORT;
	sctp->sport = plx_get_be16(b);
	sctp->dport = plx_get_be16(b + 2);
	sctp->vtag = plx_get_be32(b + 4);
	memcpy(&sctp->check, b + 8, 4);
	return PLX_DROP_NONE;
}

uint32_t plx_wire_sctp_emit(void *p, const struct plx_sctp *sctp)
{
	uint8_t *b = p;

	plx_put_be16(b, sctp->sport);
	plx_put_be16(b + 2, sctp->dport);
	plx_put_be32(b + 4, sctp->vtag);
	memcpy(b + 8, &sctp->check, 4);
	return PLX_SCTP_BYTES;
}
