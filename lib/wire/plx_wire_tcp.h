/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * TCP's header (RFC 9293 3.1) and options: MSS, window scale and timestamps (RFC 7323), SACK
 * (RFC 2018). The one parser and the one emitter; the emitter lays options out as Linux does.
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_TCP_BYTES	       20
#define PLX_TCP_MAX_BYTES      60
#define PLX_TCP_OPTS_MAX_BYTES 40
#define PLX_TCP_SACKS_MAX      4

/** Flags, as one number of nine bits. */
#define PLX_TCP_FIN 0x001
#define PLX_TCP_SYN 0x002
#define PLX_TCP_RST 0x004
#define PLX_TCP_PSH 0x008
#define PLX_TCP_ACK 0x010
#define PLX_TCP_URG 0x020
#define PLX_TCP_ECE 0x040
#define PLX_TCP_CWR 0x080
#define PLX_TCP_AE  0x100 /**< accurate ECN */

struct plx_tcp_hdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t flags; /**< PLX_TCP_* */
	uint16_t win;	/**< as sent, not scaled */
	uint16_t check; /**< as it stands in memory */
	uint16_t urg;
	uint8_t hdr_bytes; /**< 20..60, a multiple of 4: where the text begins */
};

/** Options present in a segment; wscale and mss mean something in a SYN only. */
#define PLX_TCP_OPT_MSS	    0x01
#define PLX_TCP_OPT_WSCALE  0x02
#define PLX_TCP_OPT_SACK_OK 0x04
#define PLX_TCP_OPT_TS	    0x08
#define PLX_TCP_OPT_SACK    0x10

struct plx_tcp_sack {
	uint32_t start, end; /**< [start, end) */
};

struct plx_tcp_opts {
	uint8_t present; /**< PLX_TCP_OPT_* */
	uint8_t wscale;	 /**< as sent; over 14 counts as 14 (RFC 7323 2.3), the reader's rule */
	uint8_t n_sack;	 /**< 1..4 with PLX_TCP_OPT_SACK */
	uint16_t mss;	 /**< bytes */
	uint32_t ts_val, ts_ecr;
	struct plx_tcp_sack sack[PLX_TCP_SACKS_MAX];
};

/** @param p the segment, len bytes (ip.l4_bytes). @return NONE, TCP_SHORT, or TCP_OFFSET. */
static inline enum plx_drop plx_wire_tcp_parse(struct plx_tcp_hdr *tcp, const void *p, uint32_t len)
{
	const uint8_t *b = (const uint8_t *)p;

	if (plx_unlikely(len < PLX_TCP_BYTES))
		return PLX_DROP_TCP_SHORT;
	tcp->sport = plx_get_be16(b);
	tcp->dport = plx_get_be16(b + 2);
	tcp->seq = plx_get_be32(b + 4);
	tcp->ack = plx_get_be32(b + 8);
	tcp->hdr_bytes = (uint8_t)((b[12] >> 4) * 4);
	tcp->flags = plx_get_be16(b + 12) & 0x1ff;
	tcp->win = plx_get_be16(b + 14);
	memcpy(&tcp->check, b + 16, 2);
	tcp->urg = plx_get_be16(b + 18);
	if (plx_unlikely(tcp->hdr_bytes < PLX_TCP_BYTES || tcp->hdr_bytes > len))
		return PLX_DROP_TCP_OFFSET;
	return PLX_DROP_NONE;
}

/** Write the 20 fixed bytes; hdr_bytes must count the options. @return 20. */
static inline uint32_t plx_wire_tcp_emit(void *p, const struct plx_tcp_hdr *tcp)
{
	uint8_t *b = (uint8_t *)p;

	plx_put_be16(b, tcp->sport);
	plx_put_be16(b + 2, tcp->dport);
	plx_put_be32(b + 4, tcp->seq);
	plx_put_be32(b + 8, tcp->ack);
	plx_put_be16(b + 12, (uint16_t)((tcp->hdr_bytes / 4) << 12 | (tcp->flags & 0x1ff)));
	plx_put_be16(b + 14, tcp->win);
	memcpy(b + 16, &tcp->check, 2);
	plx_put_be16(b + 18, tcp->urg);
	return PLX_TCP_BYTES;
}

/**
 * Parse options strictly: a length that cannot be drops the segment. Unknown ones, Fast Open among
 * them, are skipped; of two of a kind the later one counts.
 * @param p   what follows the fixed header, len = hdr_bytes - 20 bytes.
 * @param syn the segment has SYN: MSS, window scale and SACK-permitted are ignored otherwise.
 * @return NONE or TCP_OPTIONS.
 */
PLX_API enum plx_drop plx_wire_tcp_opts_parse(
	struct plx_tcp_opts *o, const void *p, uint32_t len, bool syn);
/**
 * Write options in Linux's order, padded to whole words; as many SACK blocks as there is room for.
 * @param p room for PLX_TCP_OPTS_MAX_BYTES. @return bytes written, a multiple of 4.
 */
PLX_API uint32_t plx_wire_tcp_opts_emit(void *p, const struct plx_tcp_opts *o);
/** What plx_wire_tcp_opts_emit() will write, bytes. */
PLX_API uint32_t plx_wire_tcp_opts_bytes(const struct plx_tcp_opts *o);

PLX_C_END
