/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * For tests of GRO: what goes in, and what comes out of it in which order. A merged packet is
 * looked at, then cut again and compared with what went in.
 */
#include "offload_t.h"

#define ACK PLX_TCP_ACK
#define PSH PLX_TCP_PSH
#define SEG 1000 /* payload of most packets here */

static struct plx_gro g;
static struct rte_mbuf *out[PLX_GRO_OUT_MAX];
static uint32_t n_out; /* of them, not yet looked at: from at_out on */
static uint32_t at_out;
static plx_ns now = PLX_SEC(1);

static inline void begin(bool udp, bool raw_ip)
{
	plx_gro_init(
		&g, &(struct plx_gro_conf){.udp = udp, .raw_ip = raw_ip, .timeout_ns = PLX_US(20)});
	n_out = at_out = 0;
}

static inline void receive(struct rte_mbuf *m)
{
	ok(n_out < PLX_DIM(out));
	n_out += plx_gro_receive(&g, &m, 1, now, out + n_out);
}

static inline void in(const struct t_pkt *p)
{
	receive(t_pkt_mbuf(p));
}

static inline struct rte_mbuf *next_out(void)
{
	ok(at_out < n_out);
	return out[at_out++];
}

static inline void nothing(void)
{
	eq(at_out, n_out);
}

static inline void flush(void)
{
	if (at_out == n_out)
		at_out = n_out = 0;
	n_out += plx_gro_flush(&g, PLX_NEVER, out + n_out);
	eq(plx_gro_held_pkts(&g), 0);
	eq(plx_gro_deadline(&g), PLX_NEVER);
}

/* Out comes p alone, as it was: no header and no byte of padding is another. */
static inline void alone(const struct t_pkt *p)
{
	struct rte_mbuf *m = next_out();

	ok(!(m->ol_flags & RTE_MBUF_F_RX_LRO));
	t_is_pkt(m, p);
}

/* Out comes p as parts of seg bytes, merged: and cut again it is what came in. */
static inline void merged(const struct t_pkt *p, uint16_t seg, bool fixed_id)
{
	struct rte_mbuf *m = next_out(), *part[PLX_GRO_PARTS_MAX];
	uint32_t n = (p->bytes + seg - 1) / seg, l3 = (p->v6 ? 40 : 20);
	static uint8_t b[T_FRAME_MAX], was[T_FRAME_MAX];
	struct plx_gso_conf conf = {.pool = t_pool};
	uint32_t bytes = t_frame(b, p), l4 = p->l2 + l3 + (p->udp ? 6 : 16);

	eq(plx_pkt_wire(m), n);
	eq(m->pkt_len, bytes);
	eq(m->tso_segsz, seg);
	eq(m->l2_len, p->l2);
	eq(m->l3_len, l3);
	eq(m->l4_len, p->udp ? 8 : 20 + p->opt_bytes);
	ok(m->ol_flags & RTE_MBUF_F_RX_LRO);
	eq(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	eq(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
	eq(!!(m->ol_flags & plx_pkt_fixed_id_flag), fixed_id);
	/* the same packet but for the transport's checksum, which is the first part's */
	memcpy(was, rte_pktmbuf_read(m, 0, bytes, was), bytes);
	memcpy(b + l4, was + l4, 2);
	t_same_bytes(m, b, bytes);

	eq(plx_gso_from_gro(m, p->l2), 0);
	eq(plx_gso_segment(m, &conf, part, PLX_DIM(part)), n);
	for (uint32_t i = 0; i < n; i++) {
		struct t_pkt q = t_part(p, seg, i, fixed_id);

		t_is_pkt(part[i], &q);
	}
}

/* Its i-th part, which is to be sent by itself. */
static inline struct t_pkt part(const struct t_pkt *p, uint32_t i)
{
	return t_part(p, SEG, i, false);
}

static inline void in_part(const struct t_pkt *p, uint32_t i)
{
	struct t_pkt q = part(p, i);

	in(&q);
}

static inline void in_parts(const struct t_pkt *p, uint16_t seg, bool fixed_id)
{
	for (uint32_t i = 0; i * seg < p->bytes; i++) {
		struct t_pkt q = t_part(p, seg, i, fixed_id);

		in(&q);
	}
}

/* All of p's parts become one packet that comes out when it's flushed. */
static inline void all_merge(const struct t_pkt *p, uint16_t seg, bool fixed_id)
{
	begin(true, p->l2 == 0);
	in_parts(p, seg, fixed_id);
	if (p->bytes % seg == 0)
		nothing();
	flush();
	merged(p, seg, fixed_id);
	nothing();
}

static const uint8_t ts_1[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

/* Two packets that would merge; the second is then changed by each test. */
#define PAIR(what, ...)                                                                            \
	struct t_pkt p = {what, .seq = 5, .id = 5, .bytes = 2 * SEG, __VA_ARGS__};                 \
	struct t_pkt a = part(&p, 0), b = part(&p, 1)
