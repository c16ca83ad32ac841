/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_offload.h"

#include <rte_prefetch.h>

#include "offload.h"

/*
 * Packets that wait for more of their flow, at most one of each flow: so whatever is of the same
 * flow and cannot be merged into it goes out behind it, and order is kept.
 */

#define RX_SUMS	  (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define RX_GOOD	  (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define RX_STRIPS (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)
#define AHEAD	  4 /* packets whose headers are fetched before their turn */

static_assert(sizeof(struct plx_gro_held) == 64, "a cache line each");

/* One packet on its way through. */
struct arrival {
	struct plx_gro_pkt q;
	struct rte_mbuf *m;
	enum gro_kind kind;
	uint32_t hash;
	plx_ns now_ns;
	uint8_t copy[GRO_HEADERS_MAX]; /* of headers that lie in several segments */
};

/* Where completed packets go. */
struct outlet {
	struct rte_mbuf **out;
	uint32_t n;
};

void plx_gro_init(struct plx_gro *g, const struct plx_gro_conf *conf)
{
	memset(g, 0, sizeof(*g));
	g->conf = *conf;
	g->oldest_ns = PLX_NEVER;
}

static void put(struct outlet *o, struct rte_mbuf *m)
{
	o->out[o->n++] = m;
}

/* What several packets became. The payload is all that is in the chain but the headers. */
static void finish(struct plx_gro_held *h)
{
	const struct plx_gro_pkt *f = &h->run.first;
	struct rte_mbuf *m = h->m;
	uint32_t l3 = f->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES;

	offload__gro_close(&h->run, m->pkt_len - f->hdr_bytes);
	m->ol_flags = (m->ol_flags & ~RX_SUMS) | RTE_MBUF_F_RX_LRO | RX_GOOD;
	if (h->run.fixed_id)
		m->ol_flags |= plx_pkt_fixed_id_flag;
	m->l2_len = f->l2_bytes;
	m->l3_len = l3;
	m->l4_len = f->hdr_bytes - f->l2_bytes - l3;
	m->tso_segsz = f->data_bytes;
	plx_pkt_set_wire(m, h->run.parts);
}

static void release(struct plx_gro *g, uint32_t bucket, uint32_t i, struct outlet *o)
{
	struct plx_gro_held *h = &g->slot[bucket][i];

	if (h->run.parts > 1)
		finish(h);
	put(o, h->m);
	plx_count(g->held_pkts, -h->run.parts);
	g->n_held--;
	g->used[bucket] &= (uint8_t) ~(1u << i);
	if (g->n_held == 0)
		g->oldest_ns = PLX_NEVER;
}

/* Of a bucket that has one. */
static uint32_t oldest_of(const struct plx_gro *g, uint32_t bucket)
{
	const struct plx_gro_held *slot = g->slot[bucket];
	uint32_t used = g->used[bucket], oldest = (uint32_t)__builtin_ctz(used);

	for (; used; used &= used - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(used);

		if ((int32_t)(slot[i].order - slot[oldest].order) < 0)
			oldest = i;
	}
	return oldest;
}

static bool no_sum(const struct plx_gro_pkt *q)
{
	return q->proto == PLX_IPPROTO_UDP && offload__ld16(offload__l4(q) + 6) == 0;
}

/* Its sums are right: if it comes out alone, the stack need not find that out again. */
static void mark_good(const struct arrival *a)
{
	if (!a->q.v6)
		a->m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	if (!no_sum(&a->q))
		a->m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

static void hold(struct plx_gro *g, const struct arrival *a, struct outlet *o)
{
	uint32_t bucket = a->hash >> 29, i;

	if (plx_unlikely(g->used[bucket] == 0xff))
		release(g, bucket, oldest_of(g, bucket), o);
	i = (uint32_t)__builtin_ctz(~(uint32_t)g->used[bucket]);
	g->slot[bucket][i] = (struct plx_gro_held){
		.run = {.first = a->q, .parts = 1},
		.m = a->m,
		.last = a->m->nb_segs == 1 ? a->m : rte_pktmbuf_lastseg(a->m),
		.since_ns = a->now_ns,
		.hash = a->hash,
		.order = g->order++,
	};
	mark_good(a);
	g->used[bucket] |= (uint8_t)(1u << i);
	plx_count(g->held_pkts, 1);
	g->n_held++;
	g->oldest_ns = PLX_MIN(g->oldest_ns, a->now_ns);
}

static struct plx_gro_held *find(struct plx_gro *g, const struct arrival *a)
{
	uint32_t bucket = a->hash >> 29;

	for (uint32_t used = g->used[bucket]; used; used &= used - 1) {
		struct plx_gro_held *h = &g->slot[bucket][__builtin_ctz(used)];

		if (h->hash == a->hash && offload__same_flow(&h->run.first, &a->q))
			return h;
	}
	return NULL;
}

static void release_held(struct plx_gro *g, const struct plx_gro_held *h, struct outlet *o)
{
	uint32_t n = (uint32_t)(h - g->slot[0]);

	release(g, n / PLX_GRO_SLOTS, n % PLX_GRO_SLOTS, o);
}

/* Whose ports are not known: everything between the same addresses could be its flow. */
PLX_NOINLINE static void release_pair(
	struct plx_gro *g, const struct plx_gro_pkt *q, struct outlet *o)
{
	for (uint32_t b = 0; b < PLX_GRO_BUCKETS; b++)
		for (uint32_t used = g->used[b]; used; used &= used - 1) {
			uint32_t i = (uint32_t)__builtin_ctz(used);
			const struct plx_gro_pkt *f = &g->slot[b][i].run.first;

			if (offload__same_addrs(f, q) && (!q->proto || q->proto == f->proto))
				release(g, b, i, o);
		}
}

static bool ip_sum_right(const struct arrival *a)
{
	uint64_t said = a->m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (a->q.v6)
		return true;
	if (said == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return plx_cksum_ip4(a->q.ip, PLX_IP4_BYTES) == 0;
	/* GOOD, or NONE: the field is of no use, the header is right */
	return said & RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

static bool l4_sum_right(const struct arrival *a)
{
	uint64_t said = a->m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint32_t off, sum;

	if (said != RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
		return said & RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (no_sum(&a->q))
		return true;
	off = a->q.l2_bytes + (uint32_t)(offload__l4(&a->q) - a->q.ip);
	sum = plx_pkt_csum_sum(a->m, off, a->q.end_bytes - off);
	sum = plx_cksum_combine(sum, offload__gro_pseudo(&a->q), 0);
	return plx_cksum_finish(sum) == 0;
}

/* Asked last, of what could be merged or held. A packet with a wrong sum is merged with none. */
static bool sums_right(struct arrival *a)
{
	if (plx_unlikely(!ip_sum_right(a) || !l4_sum_right(a)))
		a->kind = GRO_LONE;
	return a->kind == GRO_JOIN;
}

/* What the driver says of both. */
static bool same_link(const struct rte_mbuf *p, const struct rte_mbuf *m)
{
	uint64_t strips = (p->ol_flags | m->ol_flags) & RX_STRIPS;

	if (p->port != m->port)
		return false;
	if (plx_likely(!strips))
		return true;
	return !((p->ol_flags ^ m->ol_flags) & RX_STRIPS) && p->vlan_tci == m->vlan_tci &&
	       (!(strips & RTE_MBUF_F_RX_QINQ_STRIPPED) || p->vlan_tci_outer == m->vlan_tci_outer);
}

static bool follows(const struct plx_gro_held *h, const struct arrival *a)
{
	return (uint32_t)h->m->nb_segs + a->m->nb_segs <= PLX_GRO_PARTS_MAX &&
	       same_link(h->m, a->m) && offload__gro_follows(&h->run, &a->q);
}

/* The payload alone. A segment that held no more than headers goes. */
static struct rte_mbuf *strip(struct rte_mbuf *m, const struct plx_gro_pkt *q)
{
	struct rte_mbuf *rest = m->next;

	if (m->pkt_len > q->end_bytes)
		rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - q->end_bytes));
	rte_pktmbuf_adj(m, q->hdr_bytes);
	if (plx_likely(m->data_len))
		return m;
	rest->nb_segs = (uint16_t)(m->nb_segs - 1);
	rte_pktmbuf_free_seg(m);
	return rest;
}

/* @return true when nothing may be merged behind it. */
static bool join(struct plx_gro *g, struct plx_gro_held *h, const struct arrival *a)
{
	bool ends = offload__gro_join(&h->run, &a->q);
	struct rte_mbuf *p = h->m, *m;

	if (h->run.parts == 2 && p->pkt_len > h->run.first.end_bytes)
		rte_pktmbuf_trim(p, (uint16_t)(p->pkt_len - h->run.first.end_bytes));
	m = strip(a->m, &a->q);
	h->last->next = m;
	h->last = m->nb_segs == 1 ? m : rte_pktmbuf_lastseg(m);
	p->nb_segs = (uint16_t)(p->nb_segs + m->nb_segs);
	p->pkt_len += a->q.data_bytes;
	plx_count(g->held_pkts, 1);
	return ends;
}

/* Headers in pieces: a copy tells whose packet it is, but then it stays alone. */
PLX_NOINLINE static void parse_pieces(const struct plx_gro *g, struct arrival *a)
{
	struct gro_frame f = {
		.p = a->copy,
		.avail_bytes = PLX_MIN(a->m->pkt_len, (uint32_t)sizeof(a->copy)),
		.bytes = a->m->pkt_len,
		.raw_ip = g->conf.raw_ip,
	};
	const void *p = rte_pktmbuf_read(a->m, 0, f.avail_bytes, a->copy);

	if (p != a->copy)
		memcpy(a->copy, p, f.avail_bytes);
	a->kind = offload__gro_parse(&a->q, &f);
	if (a->kind == GRO_JOIN)
		a->kind = GRO_LONE;
}

/* May its headers be written, or cut off, and its padding? */
static bool pliable(const struct rte_mbuf *m, const struct plx_gro_pkt *q)
{
	if (m->ol_flags & (RTE_MBUF_F_RX_LRO | plx_pkt_merged_flag))
		return false;
	if (plx_likely(m->nb_segs == 1))
		return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
	return !plx_pkt_shared(m) && m->pkt_len == q->end_bytes;
}

static void classify(const struct plx_gro *g, struct arrival *a)
{
	struct rte_mbuf *m = a->m;
	struct gro_frame f = {
		.p = rte_pktmbuf_mtod(m, uint8_t *),
		.avail_bytes = m->data_len,
		.bytes = m->pkt_len,
		.raw_ip = g->conf.raw_ip,
	};

	a->kind = offload__gro_parse(&a->q, &f);
	if (plx_unlikely(a->kind != GRO_JOIN && m->nb_segs > 1 && m->data_len < GRO_HEADERS_MAX))
		parse_pieces(g, a);
	if (a->kind == GRO_JOIN && plx_unlikely(!pliable(m, &a->q)))
		a->kind = GRO_LONE;
	if (a->kind > GRO_ALIEN && a->q.proto == PLX_IPPROTO_UDP && !g->conf.udp)
		a->kind = GRO_ALIEN; /* none is held */
}

static uint32_t hash_of(const struct arrival *a)
{
	return a->m->ol_flags & RTE_MBUF_F_RX_RSS_HASH ? a->m->hash.rss * 0x9e3779b1u
						       : offload__hash(&a->q);
}

/* Of a flow whose ports are known. */
static void in_flow(struct plx_gro *g, struct arrival *a, struct outlet *o)
{
	struct plx_gro_held *h;

	if (g->n_held == 0 && (a->kind != GRO_JOIN || a->q.ends)) {
		put(o, a->m); /* nobody waits for it, nor will it for anybody */
		return;
	}
	a->hash = hash_of(a);
	h = find(g, a);
	if (h && a->kind == GRO_JOIN && follows(h, a) && sums_right(a)) {
		if (join(g, h, a))
			release_held(g, h, o);
		return;
	}
	if (h)
		release_held(g, h, o);
	if (a->kind == GRO_JOIN && !a->q.ends && sums_right(a))
		hold(g, a, o);
	else
		put(o, a->m);
}

uint32_t plx_gro_receive(struct plx_gro *g, struct rte_mbuf *const *pkts, uint32_t n, plx_ns now_ns,
	struct rte_mbuf **out)
{
	struct outlet o = {.out = out};
	struct arrival a;

	a.now_ns = now_ns;
	for (uint32_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + AHEAD], const void *));
		a.m = pkts[i];
		classify(g, &a);
		if (plx_likely(a.kind >= GRO_LONE)) {
			in_flow(g, &a, &o);
			continue;
		}
		if (a.kind == GRO_ODD && g->n_held)
			release_pair(g, &a.q, &o);
		put(&o, a.m);
	}
	return o.n;
}

uint32_t plx_gro_flush(struct plx_gro *g, plx_ns until_ns, struct rte_mbuf **out)
{
	struct outlet o = {.out = out};
	plx_ns oldest_ns = PLX_NEVER;

	for (uint32_t b = 0; b < PLX_GRO_BUCKETS; b++)
		while (g->used[b]) {
			uint32_t i = oldest_of(g, b);

			if (g->slot[b][i].since_ns > until_ns) {
				oldest_ns = PLX_MIN(oldest_ns, g->slot[b][i].since_ns);
				break;
			}
			release(g, b, i, &o);
		}
	g->oldest_ns = oldest_ns;
	return o.n;
}
