/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the tests of the wire library share: packets written in hex, and spans that end where they
 * say, so that the sanitizer sees every byte read beyond.
 */
#include "t.h"

#include <ctype.h>
#include <string.h>

#include <plx_wire.h>

struct pkt {
	uint32_t len;
	uint8_t b[2048];
};

/** Append "45 00 0014 ..."; blanks are for the reader. */
static inline void hex_add(struct pkt *k, const char *text)
{
	for (; *text; text++) {
		unsigned int byte;

		if (isspace((unsigned char)*text))
			continue;
		eq(sscanf(text, "%2x", &byte), 1);
		ok(k->len < sizeof(k->b));
		k->b[k->len++] = (uint8_t)byte;
		text++;
	}
}

static inline struct pkt hex(const char *text)
{
	struct pkt k = {0};

	hex_add(&k, text);
	return k;
}

/** A copy on the heap of exactly len bytes; free() it. */
static inline void *exact(const void *p, uint32_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return len ? copy : (uint8_t *)copy + 1;
}

static inline void exact_free(void *p, uint32_t len)
{
	free(len ? p : (uint8_t *)p - 1);
}

/** Run `call`, in which `p` is a span of exactly n bytes, for every n below the packet's length. */
#define EACH_TRUNCATION(k, n, p, call)                                                             \
	for (uint32_t n = 0; n < (k).len; n++) {                                                   \
		void *p = exact((k).b, n);                                                         \
		call;                                                                              \
		exact_free(p, n);                                                                  \
	}

static inline struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static inline struct plx_mac mac(const char *text)
{
	struct plx_mac m;

	eq(plx_mac_parse(&m, text), 0);
	return m;
}

#define addr_eq(a, text)                                                                           \
	do {                                                                                       \
		char buf_[PLX_ADDR_STRLEN];                                                        \
		str_eq(plx_addr_format(&(a), buf_), text);                                         \
	} while (0)

#define mac_eq(m, text)                                                                            \
	do {                                                                                       \
		char buf_[PLX_MAC_STRLEN];                                                         \
		str_eq(plx_mac_format(&(m), buf_), text);                                          \
	} while (0)

/** Mend the checksum of the IPv4 header at p after it has been tampered with. */
static inline void ip4_mend(uint8_t *p)
{
	uint16_t check;

	memset(p + 10, 0, 2);
	check = plx_cksum_ip4(p, (p[0] & 0xf) * 4u);
	memcpy(p + 10, &check, 2);
}

static inline struct plx_addr random_addr(struct plx_rng *rng, uint8_t version)
{
	struct plx_addr a;

	plx_rng_bytes(rng, &a, sizeof(a));
	if (version == 4)
		return plx_addr_from_v4(a.b);
	a.b[0] = 0x20;
	return a;
}
