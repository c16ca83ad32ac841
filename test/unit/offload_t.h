/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Packets of TCP and UDP by description, for the tests of lib/offload: written straight from the
 * headers' layout, with lengths and checksums right, so that what the library makes can be compared
 * byte by byte. Payload depends on its place, so a part that is misplaced is seen.
 */
#include "t_eal.h"

#include <errno.h>

#include <plx_base_cksum.h>
#include <plx_base_rng.h>
#include <plx_offload.h>

#define T_FRAME_MAX 66000

struct t_pkt {
	uint8_t l2; /**< 0, 14, 18 or 22 */
	bool v6, udp;
	bool no_sum; /**< UDP without a checksum */
	bool df, mf;
	uint16_t vlan[2];
	uint8_t tos, ttl, host; /**< host: last byte of the source address */
	uint16_t id;
	uint32_t label;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t win, urg;
	const uint8_t *opts; /**< TCP's */
	uint8_t opt_bytes;
	uint8_t ext_bytes; /**< of IPv4 options (no-operation) or an IPv6 destination header */
	uint8_t pad_bytes;
	uint32_t at, bytes; /**< payload: its place in the flow, its length */
	bool no_len;	    /**< the transport's checksum: only the pseudo-header, without length */
};

/** What most tests begin with; what comes after it in an initialiser wins. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define T_TCP4 .l2 = 14, .ttl = 64, .sport = 1000, .dport = 80, .flags = PLX_TCP_ACK, .win = 500
#define T_TCP6 T_TCP4, .v6 = true
#define T_UDP4 T_TCP4, .udp = true
#define T_UDP6 T_UDP4, .v6 = true

static inline uint8_t t_byte(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

static inline uint32_t t_l2(uint8_t *b, const struct t_pkt *p)
{
	struct plx_eth eth = {
		.dst = {{2, 0, 0, 0, 0, 1}},
		.src = {{2, 0, 0, 0, 0, 2}},
		.type = p->v6 ? PLX_ETHERTYPE_IP6 : PLX_ETHERTYPE_IP4,
		.vlan = {p->vlan[0], p->vlan[1]},
		.n_vlan = (uint8_t)(p->l2 > 14 ? (p->l2 - 14) / 4 : 0),
	};

	return p->l2 ? plx_wire_eth_emit(b, &eth) : 0;
}

/* Addresses are ::ffff:10.0.0.HOST and fd00::HOST, the other end is host 1. */
static inline uint32_t t_l3(uint8_t *b, const struct t_pkt *p, uint32_t l4_bytes)
{
	uint8_t proto = p->udp ? 17 : 6;
	uint16_t sum;

	if (p->v6) {
		memset(b, 0, 40);
		plx_put_be32(b, 6u << 28 | (uint32_t)p->tos << 20 | p->label);
		plx_put_be16(b + 4, (uint16_t)(p->ext_bytes + l4_bytes));
		b[6] = p->ext_bytes ? 60 : proto;
		b[7] = p->ttl;
		b[8] = b[24] = 0xfd;
		b[23] = p->host;
		b[39] = 1;
		if (p->ext_bytes) { /* padding options only */
			memset(b + 40, 0, p->ext_bytes);
			b[40] = proto;
			b[41] = (uint8_t)(p->ext_bytes / 8 - 1);
		}
		return 40u + p->ext_bytes;
	}
	b[0] = (uint8_t)(0x45 + p->ext_bytes / 4);
	b[1] = p->tos;
	plx_put_be16(b + 2, (uint16_t)(20 + p->ext_bytes + l4_bytes));
	plx_put_be16(b + 4, p->id);
	plx_put_be16(b + 6, (uint16_t)(p->df << 14 | p->mf << 13));
	b[8] = p->ttl;
	b[9] = proto;
	memset(b + 10, 0, 2);
	memcpy(b + 12, (uint8_t[]){10, 0, 0, p->host, 10, 0, 0, 1}, 8);
	memset(b + 20, 1, p->ext_bytes);
	sum = plx_cksum_ip4(b, 20u + p->ext_bytes);
	memcpy(b + 10, &sum, 2);
	return 20u + p->ext_bytes;
}

static inline uint32_t t_l4(uint8_t *b, const struct t_pkt *p)
{
	plx_put_be16(b, p->sport);
	plx_put_be16(b + 2, p->dport);
	if (p->udp) {
		plx_put_be16(b + 4, (uint16_t)(8 + p->bytes));
		memset(b + 6, 0, 2);
		return 8;
	}
	plx_put_be32(b + 4, p->seq);
	plx_put_be32(b + 8, p->ack);
	b[12] = (uint8_t)((20 + p->opt_bytes) / 4 << 4);
	b[13] = p->flags;
	plx_put_be16(b + 14, p->win);
	memset(b + 16, 0, 2);
	plx_put_be16(b + 18, p->urg);
	if (p->opt_bytes)
		memcpy(b + 20, p->opts, p->opt_bytes);
	return 20u + p->opt_bytes;
}

static inline uint32_t t_pseudo(const uint8_t *ip, bool v6, uint8_t proto, uint32_t len)
{
	struct plx_addr src = v6 ? plx_addr_from_v6(ip + 8) : plx_addr_from_v4(ip + 12);
	struct plx_addr dst = v6 ? plx_addr_from_v6(ip + 24) : plx_addr_from_v4(ip + 16);

	return plx_cksum_pseudo(&src, &dst, proto, len);
}

static inline uint32_t t_l4_bytes(const struct t_pkt *p)
{
	return (p->udp ? 8 : 20u + p->opt_bytes) + p->bytes;
}

/** The sum of the pseudo-header alone, as a device wants it. */
static inline uint16_t t_partial(const struct t_pkt *p, const uint8_t *ip, bool with_len)
{
	return plx_cksum_fold(t_pseudo(ip, p->v6, p->udp ? 17 : 6, with_len ? t_l4_bytes(p) : 0));
}

/** @param b room for T_FRAME_MAX. @return bytes of the frame. */
static inline uint32_t t_frame(uint8_t *b, const struct t_pkt *p)
{
	uint32_t l4_bytes = t_l4_bytes(p), at = t_l2(b, p), l3, l4;
	uint8_t *ip = b + at;
	uint16_t sum;

	l3 = t_l3(ip, p, l4_bytes);
	at += l3;
	l4 = t_l4(b + at, p);
	for (uint32_t i = 0; i < p->bytes; i++)
		b[at + l4 + i] = t_byte(p->at + i);
	if (p->no_len)
		sum = t_partial(p, ip, false);
	else if (p->udp)
		sum = plx_cksum_finish_udp(
			plx_cksum_add(t_pseudo(ip, p->v6, 17, l4_bytes), ip + l3, l4_bytes));
	else
		sum = plx_cksum_finish(
			plx_cksum_add(t_pseudo(ip, p->v6, 6, l4_bytes), ip + l3, l4_bytes));
	if (!p->no_sum)
		memcpy(ip + l3 + (p->udp ? 6 : 16), &sum, 2);
	memset(b + at + l4_bytes, 0xee, p->pad_bytes);
	return at + l4_bytes + p->pad_bytes;
}

/** Part i of p, cut at seg bytes, by Linux's rules. */
static inline struct t_pkt t_part(const struct t_pkt *p, uint32_t seg, uint32_t i, bool fixed_id)
{
	struct t_pkt q = *p;
	bool last = (i + 1) * seg >= p->bytes;

	q.no_len = false;
	q.at += i * seg;
	q.bytes = last ? p->bytes - i * seg : seg;
	q.seq += i * seg;
	if (!fixed_id)
		q.id = (uint16_t)(q.id + i);
	if (i > 0)
		q.flags &= (uint8_t)~PLX_TCP_CWR;
	if (!last)
		q.flags &= (uint8_t) ~(PLX_TCP_FIN | PLX_TCP_PSH);
	return q;
}

/** Bytes in a chain whose segments have at most seg_bytes; 0: as few as can be. Counts nothing. */
static inline struct rte_mbuf *t_chain(const uint8_t *b, uint32_t bytes, uint32_t seg_bytes)
{
	struct rte_mbuf *head = NULL;
	uint32_t room = seg_bytes ? seg_bytes : 2048;

	do {
		struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);
		uint32_t n = PLX_MIN(room, bytes);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), b, n);
		if (head)
			eq(rte_pktmbuf_chain(head, m), 0);
		else
			head = m;
		b += n;
		bytes -= n;
	} while (bytes);
	return head;
}

/** The frame p, in one mbuf if it fits, originated. */
static inline struct rte_mbuf *t_pkt_mbuf(const struct t_pkt *p)
{
	static uint8_t b[T_FRAME_MAX];
	uint32_t bytes = t_frame(b, p);

	plx_pkt_originate(1);
	return t_chain(b, bytes, 0);
}

/** p to be cut at seg bytes, headers and all in segments of at most seg_bytes. */
static inline struct rte_mbuf *t_super(struct t_pkt p, uint16_t seg, uint32_t seg_bytes)
{
	static uint8_t b[T_FRAME_MAX];
	struct rte_mbuf *m;
	uint32_t bytes, n = PLX_MAX((p.bytes + seg - 1) / seg, 1u);

	p.no_len = true;
	bytes = t_frame(b, &p);
	m = t_chain(b, bytes, seg_bytes);
	m->l2_len = p.l2;
	m->l3_len = (p.v6 ? 40u : 20u) + p.ext_bytes;
	m->l4_len = p.udp ? 8u : 20u + p.opt_bytes;
	m->tso_segsz = seg;
	m->ol_flags |= p.udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	m->ol_flags |= p.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	plx_pkt_set_wire(m, n);
	plx_pkt_originate(n);
	return m;
}

/** The bytes of m are these. */
static inline void t_same_bytes(const struct rte_mbuf *m, const uint8_t *b, uint32_t bytes)
{
	static uint8_t got[T_FRAME_MAX];
	uint32_t at = 0, segs = 0;

	eq(m->pkt_len, bytes);
	for (const struct rte_mbuf *s = m; s; s = s->next, segs++) {
		ok(s->data_len > 0);
		memcpy(got + at, rte_pktmbuf_mtod(s, const uint8_t *), s->data_len);
		at += s->data_len;
	}
	eq(m->nb_segs, segs);
	eq(at, bytes);
	mem_eq(got, b, bytes);
}

/** m is p on the wire: one packet. Delivers it. */
static inline void t_is_pkt(struct rte_mbuf *m, const struct t_pkt *p)
{
	static uint8_t b[T_FRAME_MAX];
	uint32_t bytes = t_frame(b, p);

	eq(plx_pkt_wire(m), 1);
	t_same_bytes(m, b, bytes);
	plx_pkt_deliver(m);
}
