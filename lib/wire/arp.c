/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_eth.h"

#define ARP_HTYPE_ETHER 1

enum plx_drop plx_wire_arp_parse(struct plx_arp *arp, const void *p, uint32_t len)
{
	const uint8_t *b = p;

	if (len < PLX_ARP_BYTES || plx_get_be16(b) != ARP_HTYPE_ETHER ||
		plx_get_be16(b + 2) != PLX_ETHERTYPE_IP4 || b[4] != 6 || b[5] != 4)
		return PLX_DROP_ARP_MALFORMED;
	arp->op = plx_get_be16(b + 6);
	memcpy(&arp->sha, b + 8, 6);
	arp->spa = plx_addr_from_v4(b + 14);
	memcpy(&arp->tha, b + 18, 6);
	arp->tpa = plx_addr_from_v4(b + 24);
	return PLX_DROP_NONE;
}

uint32_t plx_wire_arp_emit(void *p, const struct plx_arp *arp)
{
	uint8_t *b = p;

	plx_put_be16(b, ARP_HTYPE_ETHER);
	plx_put_be16(b + 2, PLX_ETHERTYPE_IP4);
	b[4] = 6;
	b[5] = 4;
	plx_put_be16(b + 6, arp->op);
	memcpy(b + 8, &arp->sha, 6);
	memcpy(b + 14, &arp->spa.w[3], 4);
	memcpy(b + 18, &arp->tha, 6);
	memcpy(b + 24, &arp->tpa.w[3], 4);
	return PLX_ARP_BYTES;
}
