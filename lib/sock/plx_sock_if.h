/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Interfaces and their addresses, as Linux's calls tell them (getifaddrs(3), if_nametoindex(3)).
 *
 * Indexes are those that scope IDs, SO_BINDTODEVICE and the like know: the stack's own.
 */
#include <ifaddrs.h>
#include <net/if.h>

#include <plx_base.h>

PLX_C_BEGIN

/**
 * All interfaces as AF_PACKET (ifa_data: struct rtnl_link_stats of the port; NULL for a VLAN, which
 * has no counters of its own), then their addresses, those of IPv4 first. Addresses belong to the
 * control lcore: that one and ordinary threads may ask, other lcores get EXDEV.
 * @return 0, or -1 and errno. *list is the caller's, to be freed by plx_freeifaddrs().
 */
PLX_API int plx_getifaddrs(struct ifaddrs **list);
PLX_API void plx_freeifaddrs(struct ifaddrs *list);

/** Any thread. @return 0 and errno ENODEV: there is none. */
PLX_API unsigned int plx_if_nametoindex(const char *name);
/** Any thread. @param name room for PLX_IF_NAMESIZE bytes. @return name, or NULL and ENXIO. */
PLX_API char *plx_if_indextoname(unsigned int index, char *name);
/** Names of ports are longer than Linux's (IF_NAMESIZE is 16). */
#define PLX_IF_NAMESIZE 72
/** All of them, the end marked by index 0. @return NULL and errno. */
PLX_API struct if_nameindex *plx_if_nameindex(void);
PLX_API void plx_if_freenameindex(struct if_nameindex *list);

PLX_C_END
