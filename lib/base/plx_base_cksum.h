/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A partial sum is a uint32_t that starts at 0, is carried from piece to piece, and means the
 * ones' complement sum of 16-bit words *as they stand in memory* (RFC 1071 2 (B): the sum does not
 * depend on byte order). So nothing here swaps bytes: a finished checksum is copied into the header
 * with memcpy, one that is read from a header goes into plx_cksum_adjust16() as it is.
 *
 *     sum = plx_cksum_pseudo(&src, &dst, IPPROTO_UDP, len);
 *     sum = plx_cksum_add(sum, udp, len);
 *     check = plx_cksum_finish(sum);    to be stored, where the field was zero; or
 *     right = check == 0;               when the field was part of the sum
 *
 * Pure; any thread.
 */
#include "plx_base_addr.h"

PLX_C_BEGIN

/** The out-of-line part of plx_cksum_add(). */
PLX_API uint32_t plx_cksum_add_bytes(uint32_t sum, const void *p, size_t len);

/** Ones' complement addition of 64-bit words: the carry comes back in at the bottom. */
static inline uint64_t plx_cksum_add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/** 64 to 32 bits; a sum that is not zero stays so. */
static inline uint32_t plx_cksum_fold64(uint64_t sum)
{
	/* both halves become the sum of both, and the carry of the lower goes into the upper */
	return (uint32_t)((sum + (sum >> 32 | sum << 32)) >> 32);
}

/**
 * Add len bytes at p, at any alignment. An odd length pads with a zero byte, so it is right for the
 * last piece only; see plx_cksum_combine() for others. A small constant length is inlined.
 */
static inline uint32_t plx_cksum_add(uint32_t sum, const void *p, size_t len)
{
	if (__builtin_constant_p(len) && len <= 64 && len % 4 == 0) {
		const uint8_t *b = (const uint8_t *)p;
		uint64_t acc = sum, w = 0;
		size_t i;

		for (i = 0; i + 8 <= len; i += 8) {
			memcpy(&w, b + i, 8);
			acc = plx_cksum_add64(acc, w);
		}
		if (i < len) {
			w = 0;
			memcpy(&w, b + i, 4);
			acc = plx_cksum_add64(acc, w);
		}
		return plx_cksum_fold64(acc);
	}
	return plx_cksum_add_bytes(sum, p, len);
}

/** The sum in 16 bits, not complemented. */
static inline uint16_t plx_cksum_fold(uint32_t sum)
{
	return (uint16_t)((sum + (sum >> 16 | sum << 16)) >> 16);
}

/** The checksum: complemented, as it stands in a header. 0 when a right one was summed. */
static inline uint16_t plx_cksum_finish(uint32_t sum)
{
	return (uint16_t)~plx_cksum_fold(sum);
}

/** The same for UDP's field, where 0 means "none" and ffff is sent in its place (RFC 768). */
static inline uint16_t plx_cksum_finish_udp(uint32_t sum)
{
	uint16_t check = plx_cksum_finish(sum);

	return check ? check : 0xffff;
}

/** The checksum of len bytes at p, as it stands in a header. */
static inline uint16_t plx_cksum(const void *p, size_t len)
{
	return plx_cksum_finish(plx_cksum_add(0, p, len));
}

/**
 * Join to sum the partial sum of a piece that was summed apart and begins offset bytes into the
 * whole: in a piece at an odd offset high and low bytes have changed places (RFC 1071 2 (B)).
 */
static inline uint32_t plx_cksum_combine(uint32_t sum, uint32_t part, size_t offset)
{
	if (offset & 1)
		part = part << 8 | part >> 24;
	return plx_cksum_fold64((uint64_t)sum + part);
}

/**
 * The checksum of an IPv4 header of ihl_bytes (20..60, a multiple of 4) as it stands in memory:
 * what belongs into its checksum field when that is zero, 0 when the header is right.
 */
static inline uint16_t plx_cksum_ip4(const void *hdr, unsigned int ihl_bytes)
{
	uint32_t sum = plx_cksum_add(0, hdr, 20);

	if (plx_unlikely(ihl_bytes > 20))
		sum = plx_cksum_add_bytes(sum, (const uint8_t *)hdr + 20, ihl_bytes - 20);
	return plx_cksum_finish(sum);
}

/**
 * The partial sum of the pseudo-header (RFC 768, RFC 9293 3.1, RFC 8200 8.1).
 *
 * One formula serves both families: the prefix ::ffff of an IPv4 address adds ffff, which is zero
 * in ones' complement, and the fields of both layouts fall on the same words.
 *
 * Folded but not complemented it is what a device that inserts the checksum expects in the field.
 *
 * @param proto the transport's number, not that of an extension header.
 * @param len   bytes of transport header and payload, host order.
 */
static inline uint32_t plx_cksum_pseudo(
	const struct plx_addr *src, const struct plx_addr *dst, uint8_t proto, uint32_t len)
{
	uint64_t acc = plx_cksum_add64(src->q[0], src->q[1]);

	acc = plx_cksum_add64(acc, dst->q[0]);
	acc = plx_cksum_add64(acc, dst->q[1]);
	acc = plx_cksum_add64(acc, (uint64_t)__builtin_bswap32(len) + ((uint32_t)proto << 24));
	return plx_cksum_fold64(acc);
}

/**
 * The checksum after a 16-bit field has changed: equation 3 of RFC 1624, HC' = ~(~HC + ~m + m').
 * All values as they stand in memory. The field must begin at an even offset of what is summed.
 * UDP's "no checksum" (0) is the caller's to leave alone.
 */
static inline uint16_t plx_cksum_adjust16(uint16_t check, uint16_t old_val, uint16_t new_val)
{
	return plx_cksum_finish(
		(uint32_t)(uint16_t)~check + (uint32_t)(uint16_t)~old_val + (uint32_t)new_val);
}

/** The same for a 32-bit field, such as an address. */
static inline uint16_t plx_cksum_adjust32(uint16_t check, uint32_t old_val, uint32_t new_val)
{
	return plx_cksum_finish(
		plx_cksum_fold64((uint64_t)(uint16_t)~check + (uint32_t)~old_val + new_val));
}

PLX_C_END
