/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The Toeplitz hash of Microsoft's receive side scaling, as NICs compute it.
 *
 * The hash of n input bits is the XOR, over the bits that are set, of the 32 key bits that begin at
 * that bit's place. It is linear, H(a ^ b) = H(a) ^ H(b), so it must never key a hash table that
 * strangers can fill. As a product of polynomials over GF(2) it costs one carry-less multiplication
 * for 32 bits of input where the CPU has that, else a look-up in a small table for each half byte.
 * By GFNI, if asked for, it is an affine transformation for every byte of the key.
 *
 * Input, in network order: source address, destination address, then with ports source port and
 * destination port: 8 or 12 bytes of IPv4, 32 or 36 of IPv6.
 *
 * Read-only after init: any number of lcores may hash with one struct plx_toeplitz.
 *
 * Source: Microsoft, "RSS Hashing Functions" and "Verifying the RSS Hash Calculation".
 */
#include <plx_base_addr.h>
#include <plx_base_defs.h>
#include <plx_wire_tuple.h>

PLX_C_BEGIN

#define PLX_STEER_KEY_MIN 40 /**< an IPv6 tuple with ports reads 36 + 4 bytes of key */
#define PLX_STEER_KEY_MAX 64 /**< the longest key kept; NICs have 40 or 52 */

/** How it is computed; the hash is the same. */
enum plx_toeplitz_by {
	PLX_TOEPLITZ_TABLE, /**< any CPU */
	PLX_TOEPLITZ_CLMUL, /**< PCLMULQDQ */
	PLX_TOEPLITZ_GFNI,  /**< GFNI and AVX2; init never chooses it */
	PLX_TOEPLITZ_WAYS,
};

/** A key and what is made of it; the first cache lines are all that a CPU with PCLMULQDQ reads. */
struct plx_toeplitz {
	uint64_t window[9]; /**< key bits 32i..32i+62, the first in bit 0 */
	uint8_t by;	    /**< enum plx_toeplitz_by */
	bool symmetric;	    /**< sort the tuple first: both directions of a flow hash alike */
	uint8_t key_len;
	uint8_t key[PLX_STEER_KEY_MAX];
	uint32_t half[72][16]; /**< [place in half bytes][half byte] */
	uint64_t matrix[40];   /**< byte o of the k-th: key bits 8k+o..8k+o+7 */
} PLX_ALIGNED;

/** Microsoft's key of the verification suite, which many NICs start with. */
PLX_API extern const uint8_t plx_steer_key_microsoft[PLX_STEER_KEY_MIN];

/**
 * Prepare for a key: Microsoft's, a NIC's, or one of random bytes, so that strangers cannot aim
 * their flows at one queue. Not symmetric; set t->symmetric afterwards where it is wanted.
 * @param len  PLX_STEER_KEY_MIN..PLX_STEER_KEY_MAX bytes; the first 40 decide the hash.
 * @return 0, or -EINVAL and *t untouched.
 */
PLX_API int plx_steer_toeplitz_init(struct plx_toeplitz *t, const uint8_t *key, size_t len);

/**
 * Compute it another way than init chose: for tests and measurements. Init takes PCLMULQDQ where
 * the CPU has it, else the table. GFNI is for who asks: the CPUs that have it have PCLMULQDQ, too,
 * and which of the two is faster has not been measured.
 * @return 0, or -ENOTSUP when this CPU can't, and *t untouched.
 */
PLX_API int plx_steer_toeplitz_use(struct plx_toeplitz *t, enum plx_toeplitz_by by);

/**
 * Hash a pair of addresses, and ports if with_ports. IPv4 if both addresses are.
 *
 * With t->symmetric the greater of the two addresses and, apart from them, the greater of the two
 * ports is put last, as Linux's __flow_hash_consistentify() and DPDK's SYMMETRIC_TOEPLITZ_SORT do.
 *
 * @param sport,dport  host order; not read unless with_ports.
 * @return any 32-bit value, 0 included; see plx_steer_hash_nonzero().
 */
PLX_API uint32_t plx_steer_hash(const struct plx_toeplitz *t, const struct plx_addr *src,
	const struct plx_addr *dst, uint16_t sport, uint16_t dport, bool with_ports);

/** The same from a parsed tuple: with ports if it is TCP, UDP or SCTP and not a fragment. */
PLX_API uint32_t plx_steer_hash_tuple(const struct plx_toeplitz *t, const struct plx_tuple *tuple);

/**
 * The definition, bit by bit, of any input: for tests and for explaining a hash. A key shorter than
 * n + 4 bytes counts as followed by zeros.
 */
PLX_API uint32_t plx_steer_hash_bits(
	const uint8_t *key, size_t key_len, const uint8_t *input, size_t n);

/** For those to whom 0 means "no hash": 0 becomes 1, as in Linux's skb_get_hash(). */
static inline uint32_t plx_steer_hash_nonzero(uint32_t hash)
{
	return hash | !hash;
}

/** Spread a hash over 0..n-1 without a division (Linux's reciprocal_scale()). @param n > 0. */
static inline uint32_t plx_steer_reciprocal_scale(uint32_t hash, uint32_t n)
{
	return (uint32_t)(((uint64_t)hash * n) >> 32);
}

/**
 * The slot of a hash in a table of 2^log ones, from all bits of it (Linux's hash_32()).
 * @param log  0..32; Linux's own shifts by 32 for 0.
 */
static inline uint32_t plx_steer_hash_slot(uint32_t hash, uint8_t log)
{
	return (uint32_t)((uint64_t)(hash * UINT32_C(0x61c88647)) >> (32 - log));
}

PLX_C_END
