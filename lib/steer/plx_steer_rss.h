/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Receive side scaling from a frame on: which of its fields are hashed.
 *
 * What a NIC is told by DPDK's rss_hf and by `ethtool -N DEV rx-flow-hash`: TCP, UDP and SCTP by
 * addresses and ports ("sdfn") or by addresses alone ("sd"); fragments and other protocols by
 * addresses; or not at all. VLAN tags are passed over, tunnels opened if wanted.
 *
 * Read-only once it is set up: any number of lcores.
 *
 * Source: Microsoft, "RSS Hashing Types"; DPDK, rte_ethdev.h, RTE_ETH_RSS_*.
 */
#include "plx_steer_toeplitz.h"

PLX_C_BEGIN

/** Types of packets, in the places that they have in DPDK's rss_hf. */
#define PLX_RSS_IPV4	   (UINT32_C(1) << 2) /**< any IPv4 that has no bit of its own set */
#define PLX_RSS_IPV4_FRAG  (UINT32_C(1) << 3)
#define PLX_RSS_IPV4_TCP   (UINT32_C(1) << 4)
#define PLX_RSS_IPV4_UDP   (UINT32_C(1) << 5)
#define PLX_RSS_IPV4_SCTP  (UINT32_C(1) << 6)
#define PLX_RSS_IPV4_OTHER (UINT32_C(1) << 7)
#define PLX_RSS_IPV6	   (UINT32_C(1) << 8)
#define PLX_RSS_IPV6_FRAG  (UINT32_C(1) << 9)
#define PLX_RSS_IPV6_TCP   (UINT32_C(1) << 10)
#define PLX_RSS_IPV6_UDP   (UINT32_C(1) << 11)
#define PLX_RSS_IPV6_SCTP  (UINT32_C(1) << 12)
#define PLX_RSS_IPV6_OTHER (UINT32_C(1) << 13)
/** All of them. */
#define PLX_RSS_ALL UINT32_C(0x3ffc)

/** What of a packet is hashed. */
enum plx_rss_how {
	PLX_RSS_NONE,  /**< nothing: no hash, and the first queue of the table */
	PLX_RSS_ADDRS, /**< source and destination address: "sd", 2-tuple */
	PLX_RSS_PORTS, /**< and both ports: "sdfn", 4-tuple */
};

struct plx_rss {
	struct plx_toeplitz key;
	uint32_t types; /**< PLX_RSS_* */
	bool inner;	/**< hash what a tunnel carries (plx_wire_tuple_inner()) */
};

/** What became of a frame. */
struct plx_rss_out {
	struct plx_tuple tuple; /**< what is hashed; zeros if the frame is not IP */
	enum plx_rss_how how;
	uint32_t hash; /**< 0 with PLX_RSS_NONE */
	bool ip;       /**< the frame is IP */
	bool inner;    /**< tuple stands in a tunnel */
};

/** By what a packet is hashed. */
PLX_API enum plx_rss_how plx_steer_rss_how(uint32_t types, const struct plx_tuple *t);
/** Its hash; 0 with PLX_RSS_NONE. */
PLX_API uint32_t plx_steer_rss_tuple(const struct plx_rss *r, const struct plx_tuple *t);
/** The hash of an Ethernet frame of len bytes. @return out->how. */
PLX_API enum plx_rss_how plx_steer_rss_frame(
	const struct plx_rss *r, const void *frame, uint32_t len, struct plx_rss_out *out);

/**
 * As `ethtool -N DEV rx-flow-hash FLOW FIELDS`.
 * @param flow    tcp4, udp4, sctp4, tcp6, udp6, sctp6.
 * @param fields  "sd" or "sdfn", in any order.
 * @return 0, or -EINVAL and *types untouched: no such flow, or fields that no NIC of ours has.
 */
PLX_API int plx_steer_rss_fields_set(uint32_t *types, const char *flow, const char *fields);
/** Its counterpart. @return "sd", "sdfn" or "" (not hashed); NULL: no such flow. */
PLX_API const char *plx_steer_rss_fields(uint32_t types, const char *flow);

PLX_C_END
