/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file What the benchmarks of captures have in common: packets, and filters that none matches. */
#include <rte_mbuf.h>

#include <plx_wire.h>

#define FRAME 60 /* 64 with the frame check sequence */
#define SNAP  64
#define KEEP  (16u << 20) /* bytes: more than caches hold */

#define SHORT "udp port 1"
#define LONG                                                                                       \
	"ip and udp and (host 192.0.2.1 or host 192.0.2.2 or net 198.51.100.0/24 or port 1 or "    \
	"port 2 or portrange 3-6 or greater 1000)"

/** A datagram of a flow's own, into an mbuf that is empty. */
static void build(struct rte_mbuf *m, uint32_t flow)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, FRAME);
	struct plx_eth eth = {.src = {{2, 0, 0, 0, 0, 8}},
		.dst = {{2, 0, 0, 0, 0, 9}},
		.type = PLX_ETHERTYPE_IP4};
	struct plx_ip ip = {
		.version = 4, .l4_bytes = 26, .ttl = 64, .proto = PLX_IPPROTO_UDP, .df = true};
	struct plx_udp udp = {.sport = (uint16_t)(1024 + flow), .dport = 4789, .len = 26};

	memset(p, 0, FRAME);
	plx_addr_parse(&ip.src, "10.0.0.1");
	plx_addr_parse(&ip.dst, "10.0.0.2");
	plx_wire_eth_emit(p, &eth);
	plx_wire_ip4_emit(p + 14, &ip);
	plx_wire_udp_emit(p + 34, &udp);
}
