/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Who may have a local port beside whom: bind(2)'s rules, for TCP and UDP alike.
 *
 * Source: Linux's inet_rcv_saddr_equal() with wildcards, inet_csk_bind_conflict() and
 * udp_lib_lport_inuse().
 */
#include "plx_base_addr.h"

PLX_C_BEGIN

/** A claim on a port, as far as others on the same port are concerned. */
struct plx_bind {
	struct plx_addr laddr; /**< any = all of its family; :: hears IPv4, too, unless v6only */
	uint32_t iface;	       /**< 0 = any */
	uint32_t uid;	       /**< SO_REUSEPORT is shared within a user only */
	bool v6only;
	/** SO_REUSEADDR. It does not count of a TCP socket that listens: its owner says false. */
	bool reuseaddr;
	bool reuseport;
};

/** Could one packet be for both? */
PLX_API bool plx_bind_meet(const struct plx_bind *a, const struct plx_bind *b);
/** Have both agreed to be beside the other? */
PLX_API bool plx_bind_share(const struct plx_bind *a, const struct plx_bind *b);

/** May they not have one port at a time? */
static inline bool plx_bind_conflict(const struct plx_bind *a, const struct plx_bind *b)
{
	return plx_bind_meet(a, b) && !plx_bind_share(a, b);
}

PLX_C_END
