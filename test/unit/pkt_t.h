/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * TCP and UDP packets of any length, in chains of mbufs, with a checksum field as devices that are
 * to fill it want it, or right.
 */
#include "t_eal.h"

#include <plx_wire.h>

/** What is to be built; zeroes are usual. */
struct t_pkt {
	uint32_t text; /**< bytes of payload */
	bool v6, udp;
	uint8_t tcp_flags; /**< besides ACK */
	uint8_t vlans;
	bool bare;    /**< without Ethernet */
	uint16_t seg; /**< bytes of an mbuf; 0: 2000 */
	bool sum;     /**< the checksum is right; else that of the pseudo-header */
};

#define T_SRC4 "\x0a\x09\x00\x01"
#define T_DST4 "\x0a\x09\x00\x02"

static uint8_t t_bytes[70000];

static inline struct plx_ip t_ip(const struct t_pkt *k, uint32_t l4)
{
	struct plx_ip ip = {
		.version = k->v6 ? 6 : 4,
		.ttl = 64,
		.proto = k->udp ? PLX_IPPROTO_UDP : PLX_IPPROTO_TCP,
		.l4_bytes = (uint16_t)l4,
		.hdr_bytes = k->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES,
		.src = plx_addr_from_v4(T_SRC4),
		.dst = plx_addr_from_v4(T_DST4),
	};

	if (k->v6) {
		plx_addr_parse(&ip.src, "fd00:9::1");
		plx_addr_parse(&ip.dst, "fd00:9::2");
	}
	return ip;
}

/** Into t_bytes. @return its length; *l4 is where the transport's header stands. */
static inline uint32_t t_build(const struct t_pkt *k, uint32_t *l4)
{
	uint32_t hdr = k->udp ? PLX_UDP_BYTES : PLX_TCP_BYTES, at = 0, sum;
	struct plx_ip ip = t_ip(k, hdr + k->text);
	struct plx_eth eth = {
		.type = k->v6 ? PLX_ETHERTYPE_IP6 : PLX_ETHERTYPE_IP4,
		.n_vlan = k->vlans,
		.vlan = {5, 6},
		.dst = {{2}},
	};
	uint16_t check;
	uint8_t *p;

	if (!k->bare)
		at = plx_wire_eth_emit(t_bytes, &eth);
	at += k->v6 ? plx_wire_ip6_emit(t_bytes + at, &ip) : plx_wire_ip4_emit(t_bytes + at, &ip);
	*l4 = at;
	p = t_bytes + at;
	if (k->udp)
		plx_wire_udp_emit(
			p, &(struct plx_udp){
				   .sport = 1, .dport = 2, .len = (uint16_t)(hdr + k->text)});
	else
		plx_wire_tcp_emit(p, &(struct plx_tcp_hdr){.sport = 1,
					     .dport = 2,
					     .flags = PLX_TCP_ACK | k->tcp_flags,
					     .hdr_bytes = PLX_TCP_BYTES});
	for (uint32_t i = 0; i < k->text; i++)
		p[hdr + i] = (uint8_t)(i * 7 + i / 256);
	memset(p + (k->udp ? 6 : 16), 0, 2);
	sum = plx_cksum_pseudo(&ip.src, &ip.dst, ip.proto, hdr + k->text);
	if (k->sum)
		check = plx_cksum_finish(plx_cksum_add(sum, p, hdr + k->text));
	else
		check = plx_cksum_fold(sum);
	memcpy(p + (k->udp ? 6 : 16), &check, 2);
	return at + hdr + k->text;
}

/** n bytes in a chain. Counted as originated, as `pkts` packets. */
static inline struct rte_mbuf *t_chain(const uint8_t *p, uint32_t n, uint16_t seg, uint32_t pkts)
{
	struct rte_mbuf *head = NULL;

	while (n) {
		uint16_t part = (uint16_t)PLX_MIN(n, seg ? seg : 2000u);
		struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, part), p, part);
		if (head)
			eq(rte_pktmbuf_chain(head, m), 0);
		else
			head = m;
		p += part;
		n -= part;
	}
	plx_pkt_originate(pkts);
	return head;
}

static inline struct rte_mbuf *t_pkt(const struct t_pkt *k)
{
	uint32_t l4, n = t_build(k, &l4);

	return t_chain(t_bytes, n, k->seg, 1);
}

/** The checksum field as it stands in memory. */
static inline uint16_t t_field(const struct rte_mbuf *m, uint32_t at)
{
	uint16_t v;

	memcpy(&v, rte_pktmbuf_mtod_offset(m, const uint8_t *, at), 2);
	return v;
}

/** Is all of m what is in t_bytes? */
static inline void t_same(const struct rte_mbuf *m, uint32_t n)
{
	uint32_t at = 0;

	eq(m->pkt_len, n);
	for (; m; m = m->next) {
		mem_eq(rte_pktmbuf_mtod(m, const uint8_t *), t_bytes + at, m->data_len);
		at += m->data_len;
	}
	eq(at, n);
}
