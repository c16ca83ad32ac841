/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the tests of neigh share: messages written in a line.
 */
#include "t.h"

#include <plx_neigh.h>
#include <plx_wire.h>

#define MS(n)  PLX_MS(n)
#define SEC(n) PLX_SEC(n)

static inline struct plx_addr ip(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/** A MAC by one number: 02:00:00:00:00:n. */
static inline struct plx_mac mac(uint8_t n)
{
	return (struct plx_mac){{2, 0, 0, 0, 0, n}};
}

/** sender MAC, sender, target. */
static inline struct plx_arp arp(uint16_t op, uint8_t sha, const char *spa, const char *tpa)
{
	return (struct plx_arp){.op = op, .sha = mac(sha), .spa = ip(spa), .tpa = ip(tpa)};
}

/** Solicitation; slla 0: no option. */
static inline struct plx_nd ns(const char *target, uint8_t slla)
{
	return (struct plx_nd){.type = PLX_ICMP6_NS,
		.target = ip(target),
		.has_slla = slla != 0,
		.slla = mac(slla)};
}

/** Advertisement, flags as letters of "RSO"; tlla 0: no option. */
static inline struct plx_nd na(const char *target, const char *flags, uint8_t tlla)
{
	return (struct plx_nd){.type = PLX_ICMP6_NA,
		.target = ip(target),
		.router = strchr(flags, 'R') != NULL,
		.solicited = strchr(flags, 'S') != NULL,
		.override = strchr(flags, 'O') != NULL,
		.has_tlla = tlla != 0,
		.tlla = mac(tlla)};
}

static inline void ip_eq(const struct plx_addr *a, const char *text)
{
	char buf[PLX_ADDR_STRLEN];

	str_eq(plx_addr_format(a, buf), text);
}

static inline void mac_eq(const struct plx_mac *m, const char *text)
{
	char buf[PLX_MAC_STRLEN];

	str_eq(plx_mac_format(m, buf), text);
}
