/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Router discovery from inside.
 *
 *   rdisc.c    solicitations, routers, link parameters, events
 *   slaac.c    prefixes and the addresses made from them
 *   iid.c      the lower half of an address
 */
#include "plx_neigh_rdisc.h"

/** Heed one prefix option. */
void neigh__slaac_input(struct plx_rdisc *r, const struct plx_nd_prefix *pi, plx_ns now);

/** Deprecate and remove what is due. */
void neigh__slaac_timer(struct plx_rdisc *r, plx_ns now);

/** When that has to be done next. */
plx_ns neigh__slaac_deadline(const struct plx_rdisc *r);

/** RFC 5453 and its registry: the subnet-router anycast address, IANA's Ethernet block, the
 * reserved anycast addresses. */
bool neigh__iid_is_reserved(uint64_t iid);

/** now + a lifetime in seconds, of which UINT32_MAX is infinity (RFC 4861 4.6.2). */
static inline plx_ns neigh__until(plx_ns now, uint32_t lifetime_s)
{
	return lifetime_s == UINT32_MAX ? PLX_NEVER : now + PLX_SEC(lifetime_s);
}
