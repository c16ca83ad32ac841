/* SPDX-License-Identifier: BSD-3-Clause */
#include "arfs.h"
#include "udp.h"

#include <errno.h>
#include <stdlib.h>

/*
 * UDP (RFC 768, RFC 1122 4.1, RFC 8200 8.1). The binding table (lib/udp) is replicated on every
 * lcore, so that a lookup shares nothing; a datagram goes to the lcore of its socket. Where a
 * connected one goes along with its flow's bucket, only who owns that knows where it is: to it
 * first (move_udp.c).
 */

/* ---- input ---- */

PLX_COLD static void drop_udp(struct rte_mbuf *m, enum plx_drop reason, bool v6)
{
	if (reason == PLX_DROP_UDP_CHECKSUM || reason == PLX_DROP_UDP_ZERO_CHECKSUM)
		plx_stat_inc(net__stat(v6, PLX_STAT_UDP_INCSUMERRORS, PLX_STAT_UDP6_INCSUMERRORS));
	net__drop(m, reason, net__stat(v6, PLX_STAT_UDP_INERRORS, PLX_STAT_UDP6_INERRORS));
}

static enum plx_drop check_sum(
	const struct rte_mbuf *m, const struct plx_ip *ip, const struct plx_udp *udp)
{
	struct plx_ip shorter;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return PLX_DROP_NONE;
	if (plx_likely(m->nb_segs == 1))
		return plx_wire_udp_check(
			udp, ip, rte_pktmbuf_mtod_offset(m, const void *, ip->hdr_bytes));
	if (udp->check == 0)
		return ip->version == 6 ? PLX_DROP_UDP_ZERO_CHECKSUM : PLX_DROP_NONE;
	shorter = *ip;
	shorter.l4_bytes = udp->len;
	return net__l4_ok(m, &shorter) ? PLX_DROP_NONE : PLX_DROP_UDP_CHECKSUM;
}

/* Cut m down to the payload and give it to its socket, on whose lcore we are. */
static void deliver(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_udp *udp, const struct plx_udp_sock *s)
{
	struct plx_net_udp *user = s->user;
	struct plx_net_udp_msg msg = {
		.src = rx->ip.src,
		.dst = rx->ip.dst,
		.sport = udp->sport,
		.dport = udp->dport,
		.iface = rx->iface,
		.ttl = rx->ip.ttl,
		.tos = rx->ip.tos,
		.to_many = rx->to_many,
	};

	rte_pktmbuf_adj(m, (uint16_t)(rx->ip.hdr_bytes + PLX_UDP_BYTES));
	if (plx_unlikely(udp->len < rx->ip.l4_bytes)) /* more than it says */
		net__trim(m, udp->len - PLX_UDP_BYTES);
	plx_pkt_deliver_keep(m);
	plx_stat_inc(net__stat(
		rx->ip.version == 6, PLX_STAT_UDP_INDATAGRAMS, PLX_STAT_UDP6_INDATAGRAMS));
	user->ops->rx(nl->sn, user, m, &msg);
}

/*
 * Which lcore the flow belongs to, and the hash that says so: the device's where it hashes with our
 * key, of the packet m if there is one. An error has none and comes by any lcore: its flow's is
 * told by the hash even where datagrams stay where the device put them (soft_steer 0), which with
 * as many queues as lcores and an equal indirection table is the same.
 */
static void steer(const struct net_lcore *nl, const struct rte_mbuf *m, struct plx_udp_flow *f)
{
	const struct plx_net *net = nl->net;

	f->home = nl->sn->index;
	f->hash = 1;
	if (plx_likely(net->n_lcores == 1) || (m && !net__tun(net, PLX_TUN_SOFT_STEER)))
		return;
	if (m && m->ol_flags & RTE_MBUF_F_RX_RSS_HASH && net__if(nl, (uint16_t)f->iface)->rss_hash)
		f->hash = m->hash.rss;
	else
		f->hash =
			plx_steer_hash(&net->toeplitz, &f->src, &f->dst, f->sport, f->dport, true);
	f->home = plx_steer_flows_owner(&net->flows, &net->owners, f->hash);
}

/*
 * To a group or to everybody: each socket of this lcore gets its copy, and one copy goes to each
 * other lcore that has a listener.
 */
PLX_NOINLINE static void to_all(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct plx_udp *udp, const struct plx_udp_flow *f)
{
	uint64_t told = UINT64_C(1) << nl->sn->index;
	struct plx_udp_sock *s = NULL;
	uint32_t heard = 0;

	while ((s = plx_udp_mcast_next(nl->udp, f, s))) {
		struct rte_mbuf *c;

		if (s->home != nl->sn->index && (rx->copy || told & UINT64_C(1) << s->home)) {
			heard++;
			continue;
		}
		c = rte_pktmbuf_copy(m, nl->sn->pool, 0, UINT32_MAX);
		if (!c) {
			plx_stat_inc(net__stat(rx->ip.version == 6, PLX_STAT_UDP_RCVBUFERRORS,
				PLX_STAT_UDP6_RCVBUFERRORS));
			continue;
		}
		heard++;
		plx_pkt_originate(plx_pkt_wire(c));
		if (s->home == nl->sn->index) {
			deliver(nl, c, rx, udp, s);
			continue;
		}
		told |= UINT64_C(1) << s->home;
		net__stage(c, NET_STAGE_IP, rx->iface,
			NET_F_LINK_GROUP | NET_F_COPY | NET_F_HANDED |
				(rx->looped ? NET_F_LOOPED : 0));
		plx_softnet_hand(nl->sn, s->home, c);
	}
	if (heard)
		plx_pkt_deliver(m);
	else
		net__drop(m, PLX_DROP_UDP_NO_PORT,
			net__stat(rx->ip.version == 6, PLX_STAT_UDP_IGNOREDMULTI,
				PLX_STAT_UDP6_IGNOREDMULTI));
}

/*
 * Merged on the way here, for who forwards it: a socket gets each datagram by itself (Linux's
 * udp_queue_rcv_skb()).
 */
PLX_NOINLINE static void one_by_one(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	struct rte_mbuf *part[NET_PARTS_MAX];
	int n = net__apart(nl, m, true, part, PLX_DIM(part));

	if (n < 0)
		drop_udp(m, n == -ENOMEM ? PLX_DROP_NO_MBUF : PLX_DROP_UDP_LENGTH,
			rx->ip.version == 6);
	for (int i = 0; i < n; i++) {
		struct plx_net_rx one = *rx;

		one.ip.l4_bytes = (uint16_t)(part[i]->pkt_len - one.ip.hdr_bytes);
		part[i]->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
		part[i]->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD; /* that of the whole was */
		net__udp_in(nl, part[i], &one);
	}
}

/*
 * Handed over for a member of a SO_REUSEPORT group that is here, of which another lcore has another
 * picture: it is not passed on as long as there is one.
 */
PLX_NOINLINE static struct plx_udp_sock *at_home(
	const struct net_lcore *nl, const struct plx_udp_flow *f, struct plx_udp_sock *s)
{
	struct plx_udp_flow here = *f;
	struct plx_udp_sock *own;

	here.home = nl->sn->index;
	own = plx_udp_lookup(nl->udp, &here);
	return own->home == nl->sn->index ? own : s;
}

/* To whom, if it is not at home here; and if it is, all its datagrams take one way. */
static uint16_t lcore_of(const struct net_lcore *nl, const struct plx_udp_sock *s,
	const struct plx_udp_flow *f, bool handed)
{
	if (s->by_flow && f->home != nl->sn->index && (!handed || s->home != nl->sn->index))
		return f->home;
	return s->home;
}

/* @return m is taken. */
static bool waits(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_udp_flow *f, const struct plx_udp_sock *s)
{
	if (plx_likely(!rx->handed) && net__tun(nl->net, PLX_TUN_SOFT_STEER))
		plx_count(nl->bucket_pkts[plx_steer_owner_bucket(&nl->net->owners, f->hash)], 1);
	return plx_unlikely(nl->parks) && (rx->handed || f->home == nl->sn->index) &&
	       net__move_park_udp(nl, m, rx, f, s);
}

/* If that is because its flow has an lcore of its own, the device is to bring the next one there.
 */
PLX_NOINLINE static void hand_over(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct plx_udp_flow *f, uint16_t to)
{
	if (!rx->handed && plx_steer_flows_find(&nl->net->flows, f->hash) == to) {
		const struct plx_tuple flow = {.src = f->src,
			.dst = f->dst,
			.sport = f->sport,
			.dport = f->dport,
			.proto = PLX_IPPROTO_UDP};

		net__arfs_ask(nl, &flow, f->hash, to);
	}
	net__hand(nl, m, rx, to);
}

void net__udp_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	uint16_t to;
	bool v6 = rx->ip.version == 6;
	struct plx_udp udp;
	struct plx_udp_sock *s;
	struct plx_udp_flow f;
	enum plx_drop drop = plx_wire_udp_parse(
		&udp, rte_pktmbuf_mtod_offset(m, const void *, rx->ip.hdr_bytes), rx->ip.l4_bytes);

	if (plx_unlikely(m->ol_flags & RTE_MBUF_F_RX_LRO)) {
		one_by_one(nl, m, rx);
		return;
	}
	if (plx_likely(drop == PLX_DROP_NONE))
		drop = udp.dport ? check_sum(m, &rx->ip, &udp) : PLX_DROP_UDP_PORT_ZERO;
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		drop_udp(m, drop, v6);
		return;
	}
	f = (struct plx_udp_flow){.dst = rx->ip.dst,
		.src = rx->ip.src,
		.dport = udp.dport,
		.sport = udp.sport,
		.iface = rx->iface};
	steer(nl, m, &f);
	if (plx_unlikely(rx->to_many)) {
		to_all(nl, m, rx, &udp, &f);
		return;
	}
	s = plx_udp_lookup(nl->udp, &f);
	if (plx_unlikely(rx->handed) && s && s->home != nl->sn->index)
		s = at_home(nl, &f, s);
	if (plx_unlikely(!s)) {
		if (v6)
			net__icmp_error(nl, m, rx, PLX_ICMP6_UNREACH, PLX_ICMP6_UNREACH_PORT, 0);
		else
			net__icmp_error(nl, m, rx, PLX_ICMP_UNREACH, PLX_ICMP_UNREACH_PORT, 0);
		net__drop(m, PLX_DROP_UDP_NO_PORT,
			net__stat(v6, PLX_STAT_UDP_NOPORTS, PLX_STAT_UDP6_NOPORTS));
		return;
	}
	if (s->by_flow && waits(nl, m, rx, &f, s))
		return;
	to = lcore_of(nl, s, &f, rx->handed);
	if (plx_likely(to == nl->sn->index))
		deliver(nl, m, rx, &udp, s);
	else
		hand_over(nl, m, rx, &f, to);
}

/* The sender is found as the one to whom an answer would go. */
int net__udp_error(struct net_lcore *nl, const struct plx_tuple *quoted, uint16_t iface,
	bool handed, const struct plx_net_error *e)
{
	struct plx_udp_flow f = {
		.dst = quoted->src,
		.src = quoted->dst,
		.dport = quoted->sport,
		.sport = quoted->dport,
		.iface = iface,
	};
	struct plx_net_udp_msg msg = {.src = quoted->src,
		.dst = quoted->dst,
		.sport = quoted->sport,
		.dport = quoted->dport,
		.iface = iface};
	uint16_t self = nl->sn->index, to;
	const struct plx_udp_sock *s;
	struct plx_net_udp *user;

	steer(nl, NULL, &f);
	s = plx_udp_lookup(nl->udp, &f);
	if (!s)
		return -1;
	to = lcore_of(nl, s, &f, handed);
	if (to != self) /* where lcores have different pictures it goes no further */
		return handed && !s->by_flow ? self : to;
	user = s->user;
	if (e->err && user->ops->error)
		user->ops->error(nl->sn, user, e, &msg);
	return self;
}

/* ---- output ---- */

static void fill_sum(struct rte_mbuf *m, const struct plx_ip *ip, const struct net_dst *d)
{
	uint32_t pseudo = plx_cksum_pseudo(&ip->src, &ip->dst, PLX_IPPROTO_UDP, m->pkt_len);
	bool whole = m->pkt_len + (ip->version == 4 ? PLX_IP4_BYTES : PLX_IP6_BYTES) <= d->mtu;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t check;

	if (whole && !d->local && !d->loop && d->ifc->features & PLX_PORT_F_TX_CSUM_L4) {
		check = plx_cksum_fold(pseudo);
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
			       (ip->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
	} else if (plx_likely(m->nb_segs == 1)) {
		check = plx_cksum_finish_udp(plx_cksum_add(pseudo, p, m->pkt_len));
	} else {
		check = plx_cksum_finish_udp(
			plx_cksum_combine(pseudo, plx_pkt_csum_sum(m, 0, m->pkt_len), 0));
	}
	memcpy(p + 6, &check, 2);
}

/* As Linux counts when it finds no memory to send from. */
PLX_NOINLINE static enum plx_drop no_buffer(bool v6)
{
	plx_stat_inc(net__stat(v6, PLX_STAT_UDP_SNDBUFERRORS, PLX_STAT_UDP6_SNDBUFERRORS));
	return PLX_DROP_NO_MBUF;
}

bool net__udp_fits(uint32_t bytes, const struct plx_net_udp_msg *msg, struct net_dst *d)
{
	uint32_t ip_bytes = plx_addr_is_v4(&msg->dst) ? PLX_IP4_BYTES : PLX_IP6_BYTES;

	if (msg->pmtudisc <= PLX_NET_PMTU(NET_PMTU_WANT))
		return true;
	if (msg->pmtudisc >= PLX_NET_PMTU(NET_PMTU_PROBE) && !d->local)
		d->mtu = net__if_mtu(d->ifc, &msg->dst);
	return msg->pmtudisc == PLX_NET_PMTU(NET_PMTU_OMIT) ||
	       bytes + PLX_UDP_BYTES + ip_bytes <= d->mtu;
}

/*
 * With all that a datagram usually meets on its way out inside, as a dozen functions spend more on
 * each other's registers than some of them do; what is seldom met is PLX_NOINLINE.
 *
 * Itself not inlined: where the compiler sees msg being made it keeps the addresses in pieces, and
 * the copy of a whole one then waits for all its pieces to reach the cache.
 */
PLX_NOINLINE PLX_FLATTEN enum plx_drop plx_net_udp_send(
	struct plx_softnet *sn, struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	struct net_lcore *nl = net__self(sn);
	bool v6 = !plx_addr_is_v4(&msg->dst);
	struct plx_ip ip = {.src = msg->src,
		.dst = msg->dst,
		.proto = PLX_IPPROTO_UDP,
		.ttl = msg->ttl,
		.tos = msg->tos};
	struct plx_udp udp = {.sport = msg->sport,
		.dport = msg->dport,
		.len = (uint16_t)(m->pkt_len + PLX_UDP_BYTES)};
	struct net_dst d;
	enum plx_drop drop;

	if (plx_unlikely(msg->gso) && m->pkt_len > msg->gso)
		return net__udp_send_many(nl, m, msg);
	net__begin(nl);
	plx_pkt_originate(1);
	drop = plx_unlikely(msg->bound) ? net__route_by(nl, &msg->dst, msg->iface, &d)
					: net__route(nl, &msg->dst, msg->iface, &d);
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		net__udp_keep(m, msg);
		net__drop_out(m, drop, v6);
		return drop;
	}
	net__ask_loop(&d, msg);
	if (plx_unlikely(!net__ip_defaults(nl, &ip, &d)))
		drop = PLX_DROP_IP_NO_SRC;
	else if (plx_unlikely(!msg->dport)) /* who sends from port 0 wants no answer (RFC 768) */
		drop = PLX_DROP_UDP_PORT_ZERO;
	else if (plx_unlikely(m->pkt_len > 65535u - PLX_UDP_BYTES - (v6 ? 0 : PLX_IP4_BYTES)) ||
		 (plx_unlikely(msg->pmtudisc) && !net__udp_fits(m->pkt_len, msg, &d)))
		drop = PLX_DROP_IP_TOO_BIG;
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		net__udp_keep(m, msg);
		plx_pkt_drop(m, drop);
		return drop;
	}
	m = net__headroom(nl, m, PLX_UDP_BYTES);
	if (plx_unlikely(!m))
		return no_buffer(v6);
	m->ol_flags &= ~(RTE_MBUF_F_TX_OFFLOAD_MASK);
	plx_wire_udp_emit(net__push(m, PLX_UDP_BYTES), &udp);
	ip.df = !v6 && net__udp_df(nl->net, msg->pmtudisc);
	if (plx_likely(!msg->no_check))
		fill_sum(m, &ip, &d);
	if (plx_unlikely(net__ip_out(nl, m, &ip, &d) != PLX_DROP_NONE))
		return no_buffer(v6);
	plx_stat_inc(net__stat(v6, PLX_STAT_UDP_OUTDATAGRAMS, PLX_STAT_UDP6_OUTDATAGRAMS));
	return PLX_DROP_NONE;
}
