/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Ethernet II with 802.1Q and 802.1ad (QinQ) tags, and ARP (RFC 826).
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_ETHERTYPE_IP4    0x0800
#define PLX_ETHERTYPE_ARP    0x0806
#define PLX_ETHERTYPE_8021Q  0x8100
#define PLX_ETHERTYPE_IP6    0x86dd
#define PLX_ETHERTYPE_8021AD 0x88a8

#define PLX_ETH_BYTES	  14   /**< without tags */
#define PLX_ETH_MAX_BYTES 22   /**< with two tags */
#define PLX_ETH_TYPE_MIN  1536 /**< a smaller type is an 802.3 length */

#define PLX_VLAN_VID(tci) ((tci)&0xfff)
#define PLX_VLAN_PCP(tci) ((tci) >> 13)

struct plx_eth {
	struct plx_mac dst, src;
	uint16_t type;	   /**< of what follows the tags; below PLX_ETH_TYPE_MIN an 802.3 length */
	uint16_t vlan[2];  /**< tag control information (PCP, DEI, VID), outer first; 0 if absent */
	uint8_t n_vlan;	   /**< tags, 0..2; a third one stands in type */
	uint8_t hdr_bytes; /**< 14, 18 or 22 */
};

/** @param p a frame of len bytes. @return PLX_DROP_NONE or PLX_DROP_ETH_SHORT. */
static inline enum plx_drop plx_wire_eth_parse(struct plx_eth *eth, const void *p, uint32_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	uint32_t at = PLX_ETH_BYTES;

	if (plx_unlikely(len < PLX_ETH_BYTES))
		return PLX_DROP_ETH_SHORT;
	memcpy(&eth->dst, b, 6);
	memcpy(&eth->src, b + 6, 6);
	eth->type = plx_get_be16(b + 12);
	eth->vlan[0] = eth->vlan[1] = 0;
	eth->n_vlan = 0;
	while (plx_unlikely(
		       eth->type == PLX_ETHERTYPE_8021Q || eth->type == PLX_ETHERTYPE_8021AD) &&
		eth->n_vlan < 2) {
		if (len < at + 4)
			return PLX_DROP_ETH_SHORT;
		eth->vlan[eth->n_vlan++] = plx_get_be16(b + at);
		eth->type = plx_get_be16(b + at + 2);
		at += 4;
	}
	eth->hdr_bytes = (uint8_t)at;
	return PLX_DROP_NONE;
}

/**
 * Write the header: the outer one of two tags as 802.1ad, every other as 802.1Q.
 * @param p room for PLX_ETH_BYTES + 4 * n_vlan bytes. @return bytes written.
 */
static inline uint32_t plx_wire_eth_emit(void *p, const struct plx_eth *eth)
{
	uint8_t *b = (uint8_t *)p;
	uint32_t at = 12;

	memcpy(b, &eth->dst, 6);
	memcpy(b + 6, &eth->src, 6);
	for (unsigned int i = 0; plx_unlikely(i < eth->n_vlan); i++) {
		plx_put_be16(
			b + at, i + 1 < eth->n_vlan ? PLX_ETHERTYPE_8021AD : PLX_ETHERTYPE_8021Q);
		plx_put_be16(b + at + 2, eth->vlan[i]);
		at += 4;
	}
	plx_put_be16(b + at, eth->type);
	return at + 2;
}

#define PLX_ARP_REQUEST 1
#define PLX_ARP_REPLY	2

#define PLX_ARP_BYTES 28

/** ARP for IPv4 over Ethernet; spa and tpa are IPv4 addresses. */
struct plx_arp {
	uint16_t op; /**< PLX_ARP_REQUEST, PLX_ARP_REPLY, or one that the caller ignores */
	struct plx_mac sha, tha;
	struct plx_addr spa, tpa;
};

/** @param p the ARP packet, len bytes; padding may follow. @return NONE or ARP_MALFORMED. */
PLX_API enum plx_drop plx_wire_arp_parse(struct plx_arp *arp, const void *p, uint32_t len);
/** @param p room for PLX_ARP_BYTES. @return bytes written. */
PLX_API uint32_t plx_wire_arp_emit(void *p, const struct plx_arp *arp);

PLX_C_END
