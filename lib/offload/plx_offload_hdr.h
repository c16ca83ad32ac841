/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What GRO knows of a packet's headers: no mbufs here. Opaque to users; included by plx_offload.h
 * so that a struct plx_gro has a size.
 */
#include <plx_wire.h>

PLX_C_BEGIN

/** Most packets that one merged packet stands for, and most segments that its chain has. */
#define PLX_GRO_PARTS_MAX 64
/** Most bytes of a merged packet, from its IP header on. */
#define PLX_GRO_BYTES_MAX 65535

/** One TCP or UDP packet: where its parts stand. */
struct plx_gro_pkt {
	uint8_t *ip;	     /**< the IP header; 20 or 40 bytes, then TCP or UDP */
	uint32_t end_bytes;  /**< from the frame's start to the end of the payload; then padding */
	uint16_t hdr_bytes;  /**< all headers: where the payload begins */
	uint16_t data_bytes; /**< payload */
	uint8_t l2_bytes;    /**< before the IP header: 0, 14, 18 or 22 */
	uint8_t proto;	     /**< PLX_IPPROTO_TCP or _UDP */
	bool v6;
	bool ends; /**< a TCP flag that nothing may be merged behind */
};

/** Packets of one flow in a row, merged into the first one. */
struct plx_gro_run {
	struct plx_gro_pkt first;
	uint16_t parts; /**< packets; all but the last have first.data_bytes of payload */
	bool fixed_id;	/**< IPv4, with two parts or more: one identification for all */
};

PLX_C_END
