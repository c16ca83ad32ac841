/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Addresses: link layer and IP.
 *
 * One IP address type serves both families: an IPv4 address is held as its IPv4-mapped IPv6 address
 * (RFC 4291 2.5.5.2), so that tables of addresses, routes, neighbours and sockets are written once.
 * A mapped address in a real IPv6 header never gets this far: the wire library refuses it.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

struct plx_mac {
	uint8_t b[6];
};

/** Network order bytes; comparable with plx_addr_eq(), hashable as two words. */
struct plx_addr {
	union {
		uint8_t b[16];
		uint32_t w[4]; /**< network order words; w[3] is the IPv4 address */
		uint64_t q[2];
	};
};

/** A prefix: len counts from the start of the 128 bits, so an IPv4 /24 has len 120. */
struct plx_prefix {
	struct plx_addr addr;
	uint8_t len;
};

#define PLX_ADDR_STRLEN	  46 /**< longest text and its NUL, as INET6_ADDRSTRLEN */
#define PLX_PREFIX_STRLEN 50
#define PLX_MAC_STRLEN	  18

/** "10.0.0.1" or "fe80::1". @return 0, or -EINVAL and *a untouched. */
PLX_API int plx_addr_parse(struct plx_addr *a, const char *text);
/** Text into buf of PLX_ADDR_STRLEN bytes. @return buf. */
PLX_API const char *plx_addr_format(const struct plx_addr *a, char *buf);
/** "10.0.0.0/8", "fe80::/64"; without a slash the whole address. Host bits are kept. @return 0 or
 * -EINVAL. */
PLX_API int plx_prefix_parse(struct plx_prefix *p, const char *text);
/** Text into buf of PLX_PREFIX_STRLEN bytes, with the family's own length. @return buf. */
PLX_API const char *plx_prefix_format(const struct plx_prefix *p, char *buf);
/** "02:00:00:00:00:01", one or two digits each. @return 0, or -EINVAL and *m untouched. */
PLX_API int plx_mac_parse(struct plx_mac *m, const char *text);
/** Text into buf of PLX_MAC_STRLEN bytes. @return buf. */
PLX_API const char *plx_mac_format(const struct plx_mac *m, char *buf);

static inline bool plx_addr_eq(const struct plx_addr *a, const struct plx_addr *b)
{
	return ((a->q[0] ^ b->q[0]) | (a->q[1] ^ b->q[1])) == 0;
}

static inline bool plx_addr_is_any6(const struct plx_addr *a)
{
	return (a->q[0] | a->q[1]) == 0;
}

static inline bool plx_addr_is_v4(const struct plx_addr *a)
{
	/*
	 * One test of both: from a test of each the compiler learns their values and puts them back
	 * in pieces, which a copy of the whole then has to wait for.
	 */
	return (a->q[0] | (a->w[2] ^ __builtin_bswap32(0xffff))) == 0;
}

/** :: or 0.0.0.0 */
static inline bool plx_addr_is_any(const struct plx_addr *a)
{
	return plx_addr_is_any6(a) || (plx_addr_is_v4(a) && a->w[3] == 0);
}

/** 224.0.0.0/4 or ff00::/8 */
static inline bool plx_addr_is_mcast(const struct plx_addr *a)
{
	return plx_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

/** 127.0.0.0/8 or ::1 */
static inline bool plx_addr_is_loopback(const struct plx_addr *a)
{
	if (plx_addr_is_v4(a))
		return a->b[12] == 127;
	return a->q[0] == 0 && a->q[1] == __builtin_bswap64(1);
}

/** 169.254.0.0/16 or fe80::/10 */
static inline bool plx_addr_is_linklocal(const struct plx_addr *a)
{
	if (plx_addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/** From an IPv4 address as it stands in a header: four bytes in network order, at any alignment. */
static inline struct plx_addr plx_addr_from_v4(const void *be32)
{
	/* one store of 16 bytes: a copy made next is then forwarded, not stalled */
	typedef uint32_t quad __attribute__((vector_size(16)));
	quad words = {0, 0, __builtin_bswap32(0xffff), 0};
	struct plx_addr a;
	uint32_t v;

	memcpy(&v, be32, sizeof(v));
	words[3] = v;
	memcpy(&a, &words, sizeof(a));
	return a;
}

/** From an IPv6 address as it stands in a header: sixteen bytes, at any alignment. */
static inline struct plx_addr plx_addr_from_v6(const void *bytes)
{
	struct plx_addr a;

	memcpy(a.b, bytes, 16);
	return a;
}

/** The IPv4 address in host order. Only where plx_addr_is_v4(). */
static inline uint32_t plx_addr_v4(const struct plx_addr *a)
{
	return __builtin_bswap32(a->w[3]);
}

/** True when the first len bits of a and p are the same. */
static inline bool plx_prefix_contains(const struct plx_prefix *p, const struct plx_addr *a)
{
	unsigned int len = p->len;

	if (len == 0)
		return true;
	if (len <= 64)
		return ((plx_get_be64(a->b) ^ plx_get_be64(p->addr.b)) >> (64 - len)) == 0;
	return a->q[0] == p->addr.q[0] &&
	       ((plx_get_be64(a->b + 8) ^ plx_get_be64(p->addr.b + 8)) >> (128 - len)) == 0;
}

static inline bool plx_mac_eq(const struct plx_mac *a, const struct plx_mac *b)
{
	uint32_t a4, b4;
	uint16_t a2, b2;

	memcpy(&a4, a->b, 4);
	memcpy(&a2, a->b + 4, 2);
	memcpy(&b4, b->b, 4);
	memcpy(&b2, b->b + 4, 2);
	return ((a4 ^ b4) | (uint32_t)(a2 ^ b2)) == 0;
}

/** The group bit; broadcast included. */
static inline bool plx_mac_is_mcast(const struct plx_mac *m)
{
	return m->b[0] & 1;
}

static inline bool plx_mac_is_bcast(const struct plx_mac *m)
{
	return (m->b[0] & m->b[1] & m->b[2] & m->b[3] & m->b[4] & m->b[5]) == 0xff;
}

static inline bool plx_mac_is_zero(const struct plx_mac *m)
{
	return (m->b[0] | m->b[1] | m->b[2] | m->b[3] | m->b[4] | m->b[5]) == 0;
}

PLX_C_END
