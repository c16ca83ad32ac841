/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/*
 * The bytes of fragmentation: lib/frag keeps the numbers. Reassembly chains the mbufs as they came;
 * cutting copies, since every port takes a single segment.
 */

/* What holding a packet costs: its buffers, not its bytes. */
static uint32_t charge(const struct rte_mbuf *m)
{
	uint32_t n = 0;

	for (; m; m = m->next)
		n += m->buf_len + (uint32_t)sizeof(*m);
	return n;
}

static void put(enum plx_stat id, uint64_t v)
{
	__atomic_store_n(&plx_acct_self()->stat[id], v, __ATOMIC_RELAXED);
}

/* lib/frag counts; its counters are this lcore's. */
static void export_stats(const struct net_lcore *nl)
{
	const struct plx_frag_stats *s = plx_frag_stats(nl->frag);

	put(PLX_STAT_IP_REASMREQDS, s->v4.reqds);
	put(PLX_STAT_IP_REASMOKS, s->v4.oks);
	put(PLX_STAT_IP_REASMFAILS, s->v4.fails);
	put(PLX_STAT_IP_REASMTIMEOUT, s->v4.timeouts);
	put(PLX_STAT_IP6_REASMREQDS, s->v6.reqds);
	put(PLX_STAT_IP6_REASMOKS, s->v6.oks);
	put(PLX_STAT_IP6_REASMFAILS, s->v6.fails);
	put(PLX_STAT_IP6_REASMTIMEOUT, s->v6.timeouts);
}

/* RFC 792, RFC 8200 4.5: the first fragment is quoted. */
static void time_exceeded(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct plx_net_rx rx = {.sn = nl->sn, .iface = plx_pkt_meta(m)->iface};
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint8_t code;

	if (p[0] >> 4 == 4) {
		if (plx_wire_ip4_parse(&rx.ip, p, m->pkt_len, false) == PLX_DROP_NONE)
			net__icmp_error(nl, m, &rx, PLX_ICMP_TIME_EXCEEDED, PLX_ICMP_TIME_FRAG, 0);
	} else if (plx_wire_ip6_parse(&rx.ip, p, m->pkt_len, &code) == PLX_DROP_NONE) {
		net__icmp_error(nl, m, &rx, PLX_ICMP6_TIME_EXCEEDED, PLX_ICMP6_TIME_FRAG, 0);
	}
}

static void bury(struct net_lcore *nl)
{
	struct plx_frag_dead dead;

	while (plx_frag_pop_dead(nl->frag, &dead)) {
		if (dead.time_exceeded)
			time_exceeded(nl, dead.pkt);
		plx_pkt_drop(dead.pkt, dead.reason);
	}
	export_stats(nl);
}

static void rearm(struct net_lcore *nl)
{
	plx_ns when = plx_frag_deadline(nl->frag);

	/* a timer may fire early, never late */
	if (!plx_timer_is_armed(&nl->frag_timer) || when < nl->frag_timer.when)
		plx_wheel_add(&nl->sn->wheel, &nl->frag_timer, when);
}

/*
 * Reception lives on the pool that fragments are held from: they get a share of what the drivers
 * left of it. A lcore holds fragments that came by any lcore, so all lcores' fragments together
 * stay below the share of each pool.
 */
static uint32_t max_buffers(const struct net_lcore *nl)
{
	uint64_t percent = (uint64_t)net__tun(nl->net, PLX_TUN_IPFRAG_MBUFS);

	return net__mem_frag_mbufs(
		nl, (uint32_t)(nl->spare_mbufs * percent / 100 / nl->net->n_lcores));
}

void net__frag_start(struct net_lcore *nl)
{
	nl->spare_mbufs = rte_mempool_avail_count(nl->sn->pool);
}

/* Tunables may change at any time. */
static void set_limits(struct net_lcore *nl)
{
	struct plx_frag_limits l = {
		.memory_bytes = (uint64_t)net__tun(nl->net, PLX_TUN_IPFRAG_HIGH_THRESH),
		.source_bytes = (uint64_t)net__tun(nl->net, PLX_TUN_IPFRAG_MAX_SOURCE),
		.buffers = max_buffers(nl),
		.timeout_v4_ns = PLX_SEC(net__tun(nl->net, PLX_TUN_IPFRAG_TIME)),
		.timeout_v6_ns = PLX_SEC(net__tun(nl->net, PLX_TUN_IP6FRAG_TIME)),
		.datagram_pieces = 128,
	};

	plx_frag_limits_set(nl->frag, &l);
}

void net__frag_timer(struct net_lcore *nl)
{
	set_limits(nl);
	plx_frag_timer(nl->frag, nl->sn->now_ns);
	bury(nl);
	rearm(nl);
}

void net__frag_stop(struct net_lcore *nl)
{
	struct plx_frag_dead dead;

	plx_wheel_del(&nl->sn->wheel, &nl->frag_timer);
	plx_frag_fini(nl->frag);
	while (plx_frag_pop_dead(nl->frag, &dead))
		plx_pkt_drop(dead.pkt, dead.reason);
}

/* The first fragment's header becomes that of the whole. */
static void mend4(uint8_t *p, const struct plx_frag_out *out, uint16_t hdr_bytes)
{
	uint16_t check;

	p[1] = (uint8_t)((p[1] & ~PLX_IP_ECN_MASK) | out->ecn);
	plx_put_be16(p + 2, (uint16_t)(hdr_bytes + out->len));
	plx_put_be16(p + 6, out->df ? 0x4000 : 0);
	memset(p + 10, 0, 2);
	check = plx_cksum_ip4(p, hdr_bytes);
	memcpy(p + 10, &check, 2);
}

/* The fragment header is cut out (RFC 8200 4.5). */
static void mend6(struct rte_mbuf *m, const struct plx_frag_out *out)
{
	const struct plx_pkt_meta *meta = plx_pkt_meta(m);
	uint16_t frag_at = meta->aux, nh_at = meta->wire_pkts;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	p[nh_at] = p[frag_at];
	memmove(p + PLX_IP6_FRAG_BYTES, p, frag_at);
	p = (uint8_t *)rte_pktmbuf_adj(m, PLX_IP6_FRAG_BYTES);
	plx_put_be16(p + 4, (uint16_t)(frag_at - PLX_IP6_BYTES + out->len));
	plx_put_be32(p, (plx_get_be32(p) & ~(3u << 20)) | (uint32_t)out->ecn << 20);
}

/* Where a piece's data begin. IPv4: behind its header; IPv6: behind its fragment header. */
static uint16_t data_at(struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	return p[0] >> 4 == 4 ? (uint16_t)((p[0] & 0xf) * 4)
			      : (uint16_t)(plx_pkt_meta(m)->aux + PLX_IP6_FRAG_BYTES);
}

static struct rte_mbuf *join(const struct plx_frag_out *out)
{
	struct rte_mbuf *head = out->piece[0].pkt, *tail = rte_pktmbuf_lastseg(head);

	for (uint32_t i = 1; i < out->n; i++) {
		struct rte_mbuf *m = out->piece[i].pkt;

		rte_pktmbuf_adj(m, data_at(m));
		tail->next = m;
		tail = rte_pktmbuf_lastseg(m);
		head->nb_segs = (uint16_t)(head->nb_segs + m->nb_segs);
		head->pkt_len += m->pkt_len;
	}
	return head;
}

static void whole(struct net_lcore *nl, const struct plx_frag_out *out, struct plx_net_rx *rx)
{
	uint32_t n = out->n;
	struct rte_mbuf *m = join(out);
	bool v4 = rx->ip.version == 4;
	uint8_t code = PLX_IP6_SILENT;
	enum plx_drop drop;

	if (v4)
		mend4(rte_pktmbuf_mtod(m, uint8_t *), out, data_at(m));
	else
		mend6(m, out);
	plx_pkt_set_wire(m, n);
	rx->handed = false; /* the whole is new to all */
	m->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_RSS_HASH);
	if (v4)
		drop = plx_wire_ip4_parse(
			&rx->ip, rte_pktmbuf_mtod(m, const void *), m->pkt_len, false);
	else
		drop = plx_wire_ip6_parse(
			&rx->ip, rte_pktmbuf_mtod(m, const void *), m->pkt_len, &code);
	if (drop == PLX_DROP_NONE) {
		net__ip_deliver(nl, m, rx);
		return;
	}
	if (code != PLX_IP6_SILENT)
		net__icmp_error(nl, m, rx, PLX_ICMP6_PARAM_PROBLEM, code, rx->ip.err_ptr);
	plx_pkt_drop(m, drop);
}

void net__frag_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	const struct plx_ip *ip = &rx->ip;
	bool v4 = ip->version == 4;
	struct plx_frag_out out;
	struct plx_frag_in in = {
		.key = {.src = ip->src, .dst = ip->dst, .id = ip->id, .proto = v4 ? ip->proto : 0},
		.off = ip->frag_off,
		.len = ip->l4_bytes,
		.head = (uint16_t)(v4 ? ip->hdr_bytes : ip->frag_hdr_off - PLX_IP6_BYTES),
		.size = (uint16_t)PLX_MIN(
			(uint32_t)ip->hdr_bytes + ip->l4_bytes, (uint32_t)UINT16_MAX),
		.more = ip->mf,
		.df = ip->df,
		.ecn = ip->tos & PLX_IP_ECN_MASK,
		.charge = charge(m),
		.buffers = m->nb_segs,
		.pkt = m,
	};
	enum plx_drop drop;

	net__stage(m, NET_STAGE_IP, rx->iface, 0);
	plx_pkt_meta(m)->aux = ip->frag_hdr_off;	/* for join() and mend6() */
	plx_pkt_meta(m)->wire_pkts = ip->unfrag_nh_off; /* no merged flag: the field is free */
	set_limits(nl);
	drop = plx_frag_input(nl->frag, &in, nl->sn->now_ns, &out);
	if (drop == PLX_DROP_NONE && out.n) {
		whole(nl, &out, rx);
	} else if (drop != PLX_DROP_NONE) {
		if (drop == PLX_DROP_FRAG_TOO_BIG && !v4)
			net__icmp_error(nl, m, rx, PLX_ICMP6_PARAM_PROBLEM, PLX_ICMP6_PARAM_FIELD,
				ip->frag_hdr_off + 2u);
		plx_pkt_drop(m, drop);
	}
	bury(nl);
	rearm(nl);
}

/* ---- cutting ---- */

/* One fragment: header, then n bytes of m from off on. */
static struct rte_mbuf *cut(struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_ip *ip,
	const uint8_t *opt, uint16_t hdr, uint32_t off, uint32_t n)
{
	struct rte_mbuf *f = plx_softnet_alloc(nl->sn);
	const void *from;
	uint8_t *p;

	if (!f)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(f, (uint16_t)(hdr + n));
	if (ip->version == 6) {
		plx_wire_ip6_emit(p, ip);
		plx_wire_ip6_frag_emit(p + PLX_IP6_BYTES, ip);
	} else {
		plx_wire_ip4_emit_opts(p, ip, opt ? opt : p, hdr - PLX_IP4_BYTES);
	}
	from = rte_pktmbuf_read(m, off, n, p + hdr);
	if (from != p + hdr)
		memcpy(p + hdr, from, n);
	f->l3_len = hdr;
	return f;
}

enum plx_drop net__fragment(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_ip *whole_ip,
	const struct net_opts *opts, uint16_t mtu, const struct net_if *ifc,
	const struct plx_addr *nexthop, bool bcast)
{
	bool v6 = whole_ip->version == 6;
	uint16_t plain = v6 ? PLX_IP6_BYTES + PLX_IP6_FRAG_BYTES : PLX_IP4_BYTES;
	uint32_t max = PLX_MIN((uint32_t)mtu,
		(uint32_t)rte_pktmbuf_data_room_size(nl->sn->pool) - RTE_PKTMBUF_HEADROOM);
	uint8_t flags = plx_pkt_meta(m)->flags;
	uint32_t done = 0, made = 0;

	while (done < m->pkt_len) {
		uint16_t hdr = (uint16_t)(plain + (!opts	 ? 0
							  : done ? opts->rest_bytes
								 : opts->first_bytes));
		uint32_t n = PLX_MIN((max - hdr) & ~7u, m->pkt_len - done);
		struct plx_ip ip = *whole_ip;
		struct rte_mbuf *f;

		ip.frag_off = (uint16_t)(whole_ip->frag_off + done);
		ip.mf = done + n < m->pkt_len || whole_ip->mf;
		ip.df = false;
		ip.is_frag = true;
		ip.l4_bytes = (uint16_t)n;
		f = cut(nl, m, &ip, !opts ? NULL : done ? opts->rest : opts->first, hdr, done, n);
		if (!f) {
			plx_pkt_originate(made);
			net__drop(m, PLX_DROP_NO_MBUF,
				net__stat(v6, PLX_STAT_IP_FRAGFAILS, PLX_STAT_IP6_FRAGFAILS));
			return PLX_DROP_NO_MBUF;
		}
		plx_pkt_meta(f)->flags = flags;
		net__link_out(nl, f, ifc, nexthop, bcast);
		done += n;
		made++;
	}
	plx_pkt_originate(made - 1); /* the datagram itself is counted already */
	plx_count(plx_acct_self()
			  ->stat[net__stat(v6, PLX_STAT_IP_FRAGCREATES, PLX_STAT_IP6_FRAGCREATES)],
		made);
	plx_stat_inc(net__stat(v6, PLX_STAT_IP_FRAGOKS, PLX_STAT_IP6_FRAGOKS));
	plx_pkt_loan_copied(m);
	rte_pktmbuf_free(m);
	return PLX_DROP_NONE;
}
