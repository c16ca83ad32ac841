/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Capture filters: tcpdump's expressions (pcap-filter(7)), asked about mbufs where they lie.
 *
 * libpcap compiles the expression, DPDK turns the program into machine code where it can. The
 * verdict is libpcap's own on the frame as it was on the wire: a VLAN tag that a device has taken
 * off, or is yet to put on, counts as if it stood in the frame, and chains of mbufs are read over
 * their ends. `inbound` and `outbound` go by the direction that the caller names. Whatever an
 * expression computes, nothing outside the packet is read.
 */
#include <rte_mbuf.h>

#include <plx_base_defs.h>

PLX_C_BEGIN

/** What a packet begins with. */
enum plx_tap_link {
	PLX_TAP_LINK_ETHER, /**< an Ethernet header */
	PLX_TAP_LINK_IP,    /**< an IP header: ports without Ethernet */
	PLX_TAP_LINKS
};

/** Why an expression cannot be used. */
struct plx_tap_filter_error {
	uint32_t column; /**< of the word that cannot be, from 1 on; 0 = it is none of its words */
	uint32_t match;	 /**< of a tap: it is that of plx_tap_conf.match[match - 1]; 0 = .filter */
	char text[400];	 /**< one line: the reason, the column, the word */
};

struct plx_tap_filter;

/**
 * Any thread but an lcore: names of hosts are looked up, which may take a while. Needs EAL.
 * @param expr "" accepts everything. @param e may be NULL.
 * @return NULL with *e filled; else the caller's, for plx_tap_filter_free().
 */
PLX_API struct plx_tap_filter *plx_tap_filter_compile(
	const char *expr, enum plx_tap_link link, struct plx_tap_filter_error *e);
/** Nobody runs it any more. NULL is fine. */
PLX_API void plx_tap_filter_free(struct plx_tap_filter *f);

/** Any thread, any number at a time. @param out m is on its way out. @return is it wanted? */
PLX_API bool plx_tap_filter_run(const struct plx_tap_filter *f, const struct rte_mbuf *m, bool out);
/** Does it run as machine code? false: DPDK interprets it. */
PLX_API bool plx_tap_filter_jitted(const struct plx_tap_filter *f);

PLX_C_END
