/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Writing: each function encodes one block at buf, at any alignment, little-endian.
 *
 * All return how many bytes the block needs, a multiple of 4 in pcapng. They write if room is
 * enough for that, else nothing: so a call with room 0 asks for the size, as plx_pcapng_pkt_need()
 * does for packets. Everything in the block is written, also padding: no byte of the buffer's past
 * leaks out.
 *
 * A pcapng file is a section, then each interface before the first packet that names it, packets,
 * statistics. A classic file is its header, then packets of one interface.
 */
#include "plx_pcapng_block.h"

PLX_C_BEGIN

#define PLX_PCAPNG_PKT_DATA 28 /**< offset of a packet's bytes in its block */
#define PLX_PCAP_PKT_DATA   16 /**< the same in a classic file */
#define PLX_PCAP_HEAD	    24 /**< bytes of a classic file's header */

/** Section Header Block, of unknown length, as is usual for what grows. */
PLX_API size_t plx_pcapng_section_put(
	void *buf, size_t room, const struct plx_pcapng_section *section);

/** Interface Description Block, with times in nanoseconds. */
PLX_API size_t plx_pcapng_iface_put(void *buf, size_t room, const struct plx_pcapng_iface *iface);

/** Interface Statistics Block. */
PLX_API size_t plx_pcapng_stats_put(void *buf, size_t room, const struct plx_pcapng_stats *stats);

/** Bytes that plx_pcapng_pkt_put() will write. */
PLX_API size_t plx_pcapng_pkt_need(const struct plx_pcapng_pkt *pkt);

/**
 * Enhanced Packet Block. pkt->data may be NULL: then the caplen bytes at buf + PLX_PCAPNG_PKT_DATA
 * are left as they are, for a caller who gathers them from several places, before or after.
 */
PLX_API size_t plx_pcapng_pkt_put(void *buf, size_t room, const struct plx_pcapng_pkt *pkt);

/** Units of a classic file's times. */
enum plx_pcap_unit {
	PLX_PCAP_US, /**< what everybody reads */
	PLX_PCAP_NS,
};

/** Classic pcap: the file's header. @param snaplen 0 = PLX_PCAPNG_SNAPLEN_MAX. */
PLX_API size_t plx_pcap_head_put(
	void *buf, size_t room, enum plx_pcap_unit unit, uint32_t link, uint32_t snaplen);

/** Classic pcap: a packet, data NULL as above. Its time ends in the year 2106. */
PLX_API size_t plx_pcap_pkt_put(
	void *buf, size_t room, enum plx_pcap_unit unit, const struct plx_pcapng_pkt *pkt);

PLX_C_END
