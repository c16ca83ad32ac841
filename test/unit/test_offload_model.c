/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GSO and GRO against each other: whatever goes in comes out of both in the same bytes, and each
 * flow in its order.
 */
#define T_EAL_MEM "128"
#include "offload_t.h"

#define FLOWS	 8
#define WAITING	 4096 /* packets of a flow between in and out: far more than can be held */
#define PKT_MAX	 1600
#define PKTS	 60000
#define SUPERS	 1500
#define LAST_OCT 15 /* of an IPv4 source, from the IP header */

static struct plx_rng rng;
static struct plx_gro g;
static struct rte_mbuf *out[PLX_GRO_OUT_MAX];
static const uint8_t ts[2][12] = {
	{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, {1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 2}};

static uint32_t below(uint32_t n)
{
	return (uint32_t)plx_rng_below(&rng, n);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* A packet as it came in. */
struct sent {
	uint8_t b[PKT_MAX];
	uint32_t bytes, pad_bytes;
};

struct flow {
	struct t_pkt p; /* the next one, if nothing happens */
	uint16_t seg;
	bool fixed_id;
	struct sent *sent; /* a ring of WAITING */
	uint32_t in, out;
};

static struct flow flow[FLOWS];

static void flow_begin(uint32_t i)
{
	struct flow *f = &flow[i];

	*f = (struct flow){
		.p = {T_TCP4, .l2 = 14, .v6 = i & 1, .udp = (i & 6) == 6, .host = (uint8_t)(16 + i),
			.seq = plx_rng_u32(&rng), .id = (uint16_t)plx_rng_u32(&rng), .df = i & 4},
		.seg = (uint16_t)(1 + below(1400)),
		.fixed_id = (i & 4) && one_in(2),
		.sent = calloc(WAITING, sizeof(struct sent)),
	};
	f->p.no_sum = f->p.udp && !f->p.v6;
	f->p.opts = ts[0];
	f->p.opt_bytes = f->p.udp || one_in(2) ? 0 : 12;
}

/* Something is wrong with every few of them. */
static void mutate(struct t_pkt *p)
{
	switch (below(60)) {
	case 0:
		p->flags ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		p->flags |= PLX_TCP_PSH;
		break;
	case 2:
		p->seq += below(3) - 1;
		break;
	case 3:
		p->bytes = below(p->bytes + 20);
		break;
	case 4:
		p->ttl--;
		break;
	case 5:
		p->tos ^= 1;
		break;
	case 6:
		p->id++;
		break;
	case 7:
		p->ack++;
		break;
	case 8:
		p->win++;
		break;
	case 9:
		p->opts = ts[1];
		break;
	case 10:
		p->ext_bytes = 8;
		break;
	case 11:
		p->mf = !p->v6;
		break;
	case 12:
		p->df = !p->df;
		break;
	case 13:
		p->label++;
		break;
	case 14:
		p->l2 = 18;
		break;
	case 15:
		p->pad_bytes = (uint8_t)below(20);
		break;
	case 16:
		p->bytes = 0;
		break;
	case 17:
		p->no_sum = p->udp && !p->no_sum;
		break;
	}
}

/* The flow goes on behind p, most often. */
static void advance(struct flow *f, const struct t_pkt *p)
{
	if (one_in(50))
		return; /* the same again, later */
	f->p.seq += p->bytes;
	f->p.at += p->bytes;
	f->p.id = (uint16_t)(f->p.id + !f->fixed_id);
	if (one_in(50))
		f->p.ack++;
	if (one_in(200))
		f->seg = (uint16_t)(1 + below(1400));
}

static struct rte_mbuf *to_mbuf(const uint8_t *b, uint32_t bytes)
{
	struct rte_mbuf *m = t_chain(b, bytes, one_in(20) ? 30 + below(200) : 0);

	plx_pkt_originate(1);
	return m;
}

/* Its bytes, with the driver's word about it. */
static struct rte_mbuf *next_pkt(struct flow *f)
{
	struct sent *s = &f->sent[f->in++ % WAITING];
	struct t_pkt p = f->p;
	bool bad = one_in(50);
	struct rte_mbuf *m;

	p.bytes = f->seg;
	mutate(&p);
	s->bytes = t_frame(s->b, &p);
	s->pad_bytes = p.pad_bytes;
	if (bad) /* but neither addresses nor lengths */
		s->b[s->bytes - p.pad_bytes - 1] ^= 0x40;
	m = to_mbuf(s->b, s->bytes);
	if (one_in(2)) {
		if (bad)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
		else
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	}
	if (p.udp && p.no_sum && bad)
		m->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK; /* nobody can know */
	advance(f, &p);
	ok(f->in - f->out < WAITING);
	return m;
}

/* One packet that leaves: the next of its flow. Padding may be missing where it was merged. */
static void left(struct rte_mbuf *m, bool was_merged)
{
	static uint8_t buf[T_FRAME_MAX];
	const uint8_t *b = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	uint32_t at = b[12] == 0x81 ? 18 : 14;
	uint8_t host = b[at] >> 4 == 6 ? b[at + 23] : b[at + LAST_OCT];
	const struct sent *s;
	struct flow *f;

	ok(host >= 16 && host < 16 + FLOWS);
	f = &flow[host - 16];
	ne(f->out, f->in);
	s = &f->sent[f->out++ % WAITING];
	t_same_bytes(m, s->b, s->bytes - (was_merged ? s->pad_bytes : 0));
	plx_pkt_deliver(m);
}

/* How m leaves by a port that cannot cut. @return wire packets. */
static uint32_t transmit(struct rte_mbuf *m)
{
	struct plx_gso_conf conf = {.pool = t_pool, .linear = one_in(2)};
	struct rte_mbuf *part[PLX_GRO_PARTS_MAX];
	uint32_t n = plx_pkt_wire(m);

	if (n == 1) {
		left(m, false);
		return 1;
	}
	eq(plx_gso_from_gro(m, m->l2_len), 0);
	eq(plx_gso_segment(m, &conf, part, PLX_DIM(part)), n);
	for (uint32_t i = 0; i < n; i++)
		left(part[i], true);
	return n;
}

T(streams_keep_their_bytes_and_their_order)
{
	uint32_t in = 0, gone = 0, mbufs = 0;

	plx_rng_init(&rng, t_seed(1));
	for (uint32_t i = 0; i < FLOWS; i++)
		flow_begin(i);
	plx_gro_init(&g, &(struct plx_gro_conf){.udp = true});
	while (in < PKTS) {
		struct rte_mbuf *burst[PLX_GRO_BURST_MAX];
		uint32_t n = 1 + below(PLX_GRO_BURST_MAX), flows = 1 + below(FLOWS), n_out;

		for (uint32_t i = 0; i < n; i++)
			burst[i] = next_pkt(&flow[below(flows)]);
		in += n;
		n_out = plx_gro_receive(&g, burst, n, in, out);
		for (uint32_t i = 0; i < n_out; i++)
			gone += transmit(out[i]);
		mbufs += n_out;
		eq(in - gone, plx_gro_held_pkts(&g));
		n_out = one_in(3) || in >= PKTS ? plx_gro_flush(&g, PLX_NEVER, out) : 0;
		for (uint32_t i = 0; i < n_out; i++)
			gone += transmit(out[i]);
		mbufs += n_out;
	}
	eq(gone, in);
	print_message("%u packets as %u\n", in, mbufs);
	ok(mbufs < in / 3 * 2); /* it did merge */
	for (uint32_t i = 0; i < FLOWS; i++) {
		eq(flow[i].in, flow[i].out);
		free(flow[i].sent);
	}
}

static struct t_pkt any_super(uint16_t *seg)
{
	uint32_t r = plx_rng_u32(&rng);
	struct t_pkt p = {T_TCP4, .l2 = (uint8_t[]){0, 14, 18, 22}[r & 3], .v6 = r >> 2 & 1,
		.udp = r >> 3 & 1, .vlan = {3, 4}, .tos = (uint8_t)(r >> 8), .df = r >> 4 & 1,
		.id = (uint16_t)plx_rng_u32(&rng), .seq = plx_rng_u32(&rng),
		.ack = plx_rng_u32(&rng), .label = 77, .urg = (uint16_t)below(3)};

	p.flags = (uint8_t)(r >> 24 & ~(PLX_TCP_SYN | PLX_TCP_RST | PLX_TCP_URG));
	p.opts = ts[0];
	p.opt_bytes = !p.udp && (r >> 5 & 1) ? 12 : 0;
	p.no_sum = p.udp && !p.v6 && (r >> 6 & 1);
	*seg = (uint16_t)(1 + below(1900));
	p.bytes = *seg + 1 + below(*seg * 63u);
	p.bytes = PLX_MIN(p.bytes, 65535u - 80);
	return p;
}

/* What was cut becomes one again, the transport's checksum apart. */
T(what_is_cut_is_merged_again)
{
	static uint8_t b[T_FRAME_MAX], was[T_FRAME_MAX];

	plx_rng_init(&rng, t_seed(2));
	for (uint32_t round = 0; round < SUPERS; round++) {
		uint16_t seg;
		struct t_pkt p = any_super(&seg);
		struct rte_mbuf *m = t_super(p, seg, 140 + below(1900)), *part[PLX_GRO_PARTS_MAX];
		bool fixed_id = p.df && !p.v6 && one_in(2);
		uint32_t wire = plx_pkt_wire(m), bytes = t_frame(b, &p), n_out;
		uint32_t sum = p.l2 + (p.v6 ? 40 : 20) + (p.udp ? 6 : 16);
		struct plx_gso_conf conf = {.pool = t_pool, .linear = true};

		if (fixed_id)
			m->ol_flags |= plx_pkt_fixed_id_flag;
		eq(plx_gso_segment(m, &conf, part, PLX_DIM(part)), wire);
		plx_gro_init(&g, &(struct plx_gro_conf){.udp = true, .raw_ip = p.l2 == 0});
		n_out = plx_gro_receive(&g, part, wire, round, out);
		n_out += plx_gro_flush(&g, PLX_NEVER, out + n_out);
		eq(n_out, 1);
		eq(plx_pkt_wire(out[0]), wire);
		eq(!!(out[0]->ol_flags & plx_pkt_fixed_id_flag), fixed_id);
		memcpy(was, rte_pktmbuf_read(out[0], 0, bytes, was), bytes);
		memcpy(b + sum, was + sum, 2);
		t_same_bytes(out[0], b, bytes);
		plx_pkt_deliver(out[0]);
	}
}

RUN_EAL(T_EAL_(streams_keep_their_bytes_and_their_order), T_EAL_(what_is_cut_is_merged_again))
