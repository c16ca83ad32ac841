/* SPDX-License-Identifier: BSD-3-Clause */
#include "move.h"
#include "udp.h"

#include <errno.h>

/*
 * ICMP (RFC 792, RFC 1122 3.2.2) and ICMPv6 (RFC 4443): echo, errors sent and received.
 */

/* ---- rate limits, of each lcore ---- */

#define DEST_BURST                                                                                 \
	6 /* errors that a destination may get at once, as Linux's XRLIM_BURST_FACTOR              \
	   */

/*
 * A bucket of burst tokens, one more each `each`, as the time at which it will be full again
 * (0: it is).
 */
static bool take_token(plx_ns *full_at, plx_ns now, plx_ns each, int64_t burst)
{
	plx_ns when = PLX_MAX(*full_at, now);

	if (when - now > (burst - 1) * each)
		return false;
	*full_at = when + each;
	return true;
}

static bool global_allows(struct net_lcore *nl)
{
	int64_t rate = net__tun(nl->net, PLX_TUN_ICMP_MSGS_PER_SEC);
	int64_t burst = net__tun(nl->net, PLX_TUN_ICMP_MSGS_BURST);

	return rate && burst &&
	       take_token(&nl->errors_full_at, nl->sn->now_ns, PLX_SEC(1) / rate, burst);
}

/* One error to a destination each icmp_ratelimit ms, DEST_BURST at first. Destinations share 256
 * buckets. */
static bool dest_allows(struct net_lcore *nl, const struct plx_addr *dst)
{
	plx_ns each = PLX_MS(net__tun(nl->net, PLX_TUN_ICMP_RATELIMIT));
	uint64_t h = plx_hash_words(nl->net->key, dst->q, 2);
	struct net_token *t = &nl->dest[h & (PLX_DIM(nl->dest) - 1)];

	if (each == 0)
		return true;
	if (t->tag != (uint32_t)(h >> 32)) /* somebody else's: a new destination starts full */
		*t = (struct net_token){.tag = (uint32_t)(h >> 32)};
	return take_token(&t->full_at, nl->sn->now_ns, each, DEST_BURST);
}

/* @param looped what it is about never was on a wire: nobody can be flooded (icmpv4_xrlim_allow()).
 */
static bool allowed(
	struct net_lcore *nl, const struct plx_addr *dst, bool v6, uint8_t type, bool looped)
{
	if (looped)
		return true;
	if (!v6 && type == PLX_ICMP_REDIRECT) /* has limits of its own (Linux's icmp_ratemask) */
		return true;
	if (!dest_allows(nl, dst)) {
		plx_stat_inc(net__stat(
			v6, PLX_STAT_ICMP_OUTRATELIMITHOST, PLX_STAT_ICMP6_OUTRATELIMITHOST));
		return false;
	}
	if (!global_allows(nl)) {
		plx_stat_inc(net__stat(
			v6, PLX_STAT_ICMP_OUTRATELIMITGLOBAL, PLX_STAT_ICMP6_OUTRATELIMITHOST));
		return false;
	}
	return true;
}

/* ---- errors sent ---- */

/* Never about errors, later fragments (IPv4), groups or senders that cannot be (RFC 1122 3.2.2, RFC
 * 4443 2.4 e). */
static bool may_answer(struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx,
	uint8_t type, uint8_t code)
{
	const struct plx_ip *ip = &rx->ip;
	bool v6 = ip->version == 6;
	bool group_ok =
		v6 && (type == PLX_ICMP6_TOO_BIG ||
			      (type == PLX_ICMP6_PARAM_PROBLEM && code == PLX_ICMP6_PARAM_OPTION));
	int32_t rt;

	if (plx_addr_is_any(&ip->src) || plx_addr_is_mcast(&ip->src) ||
		plx_addr_is_loopback(&ip->src) || (!v6 && ip->frag_off))
		return false;
	if (!group_ok && (rx->link_group || plx_addr_is_mcast(&ip->dst)))
		return false;
	rt = plx_addr_is_mcast(&ip->dst) ? -1 : net__lpm_lookup(&nl->cfg->lpm, &ip->dst);
	if (rt >= 0 && nl->cfg->routes[rt].type == PLX_NET_ROUTE_BROADCAST)
		return false;
	if (ip->proto == (v6 ? PLX_IPPROTO_ICMP6 : PLX_IPPROTO_ICMP)) {
		uint8_t t;
		const uint8_t *p = rte_pktmbuf_read(m, ip->hdr_bytes, 1, &t);

		if (!p || plx_icmp_is_error(ip->version, *p) || (v6 && *p == PLX_ICMP6_REDIRECT))
			return false;
	}
	return true;
}

static void count_sent(bool v6, uint8_t type)
{
	plx_stat_inc(net__stat(v6, PLX_STAT_ICMP_OUTMSGS, PLX_STAT_ICMP6_OUTMSGS));
	if (v6)
		plx_stat_inc(type == PLX_ICMP6_UNREACH	       ? PLX_STAT_ICMP6_OUTDESTUNREACHS
			     : type == PLX_ICMP6_TOO_BIG       ? PLX_STAT_ICMP6_OUTPKTTOOBIGS
			     : type == PLX_ICMP6_TIME_EXCEEDED ? PLX_STAT_ICMP6_OUTTIMEEXCDS
							       : PLX_STAT_ICMP6_OUTPARMPROBLEMS);
	else
		plx_stat_inc(type == PLX_ICMP_UNREACH	      ? PLX_STAT_ICMP_OUTDESTUNREACHS
			     : type == PLX_ICMP_TIME_EXCEEDED ? PLX_STAT_ICMP_OUTTIMEEXCDS
			     : type == PLX_ICMP_REDIRECT      ? PLX_STAT_ICMP_OUTREDIRECTS
							      : PLX_STAT_ICMP_OUTPARMPROBS);
}

/* An answer comes from the address that was called, if it is ours. */
static struct plx_addr answer_src(const struct net_lcore *nl, const struct plx_addr *called)
{
	int32_t rt = plx_addr_is_mcast(called) ? -1 : net__lpm_lookup(&nl->cfg->lpm, called);

	if (rt >= 0 && nl->cfg->routes[rt].type == PLX_NET_ROUTE_LOCAL)
		return *called;
	return (struct plx_addr){0};
}

void net__icmp_error(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	uint8_t type, uint8_t code, uint32_t rest)
{
	bool v6 = rx->ip.version == 6;
	/* RFC 1812 4.3.2.3: up to 576 bytes in all; RFC 4443 3.1: up to the minimum MTU */
	uint32_t quote = PLX_MIN(m->pkt_len, v6 ? 1280u - PLX_IP6_BYTES - PLX_ICMP_BYTES
						: 576u - PLX_IP4_BYTES - PLX_ICMP_BYTES);
	struct plx_icmp icmp = {.type = type, .code = code, .rest = rest};
	struct plx_ip ip = {
		.dst = rx->ip.src,
		.src = answer_src(nl, &rx->ip.dst),
		.proto = v6 ? PLX_IPPROTO_ICMP6 : PLX_IPPROTO_ICMP,
		.tos = v6 ? 0 : 0xc0, /* RFC 1812 4.3.2.5: internetwork control */
	};
	struct rte_mbuf *e;
	struct net_dst d;
	const void *from;
	uint8_t *p;

	if (!may_answer(nl, m, rx, type, code) || !allowed(nl, &rx->ip.src, v6, type, rx->looped))
		return;
	if (net__route(nl, &ip.dst, rx->iface, &d) != PLX_DROP_NONE)
		return;
	net__ip_defaults(nl, &ip, &d);
	if (plx_addr_is_any(&ip.src))
		return;
	e = plx_softnet_alloc(nl->sn);
	if (!e)
		return;
	plx_pkt_originate(1);
	p = (uint8_t *)rte_pktmbuf_append(e, (uint16_t)(PLX_ICMP_BYTES + quote));
	plx_wire_icmp_emit(p, &icmp);
	from = rte_pktmbuf_read(m, 0, quote, p + PLX_ICMP_BYTES);
	if (from != p + PLX_ICMP_BYTES)
		memcpy(p + PLX_ICMP_BYTES, from, quote);
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, p, PLX_ICMP_BYTES + quote);
	count_sent(v6, type);
	net__ip_out(nl, e, &ip, &d);
}

/* ---- echo ---- */

/* Records of the way go back with it, ours among them (RFC 1122 3.2.2.6). */
static void echo_opts(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	struct plx_ip *ip, const struct net_dst *d)
{
	struct net_dst to = *d;
	struct net_opts opts;
	uint32_t fault;

	to.src = &ip->src; /* that was called */
	if (net__opts_echoed(&opts, rte_pktmbuf_mtod(m, const uint8_t *), rx->ip.hdr_bytes) &&
		!net__opts_record(nl, opts.first, opts.first_bytes, &to, &fault))
		opts.first_bytes = 0; /* the way is too long to be told: an answer is better */
	rte_pktmbuf_adj(m, rx->ip.hdr_bytes);
	net__ip_out_opts(nl, m, ip, &opts, d);
}

/* The request becomes the reply: type, addresses and checksum change, the data stay where they are.
 */
static void echo(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx, uint8_t reply)
{
	bool v6 = rx->ip.version == 6;
	uint8_t *p = rte_pktmbuf_mtod_offset(m, uint8_t *, rx->ip.hdr_bytes);
	struct plx_ip ip = {.src = answer_src(nl, &rx->ip.dst),
		.dst = rx->ip.src,
		.proto = rx->ip.proto,
		.tos = rx->ip.tos};
	struct net_dst d;
	enum plx_drop drop;
	uint16_t old_type, new_type, check;

	plx_pkt_deliver_keep(m);
	plx_pkt_originate(1);
	drop = net__route(nl, &ip.dst, rx->iface, &d);
	if (drop == PLX_DROP_NONE) {
		net__ip_defaults(nl, &ip, &d);
		if (plx_addr_is_any(&ip.src))
			drop = PLX_DROP_IP_NO_SRC;
	}
	if (drop != PLX_DROP_NONE) {
		net__drop_out(m, drop, v6);
		return;
	}
	memcpy(&old_type, p, 2);
	p[0] = reply;
	memcpy(&new_type, p, 2);
	memcpy(&check, p + 2, 2);
	check = plx_cksum_adjust16(check, old_type, new_type);
	/* a message of nothing but zeros sums to +0, which no update can tell from -0 (RFC 1624 3);
	 * for all others both are right */
	if (plx_unlikely(check == 0))
		check = 0xffff;
	memcpy(p + 2, &check, 2);
	if (v6 && !plx_addr_eq(
			  &ip.src, &rx->ip.dst)) /* asked by a group address: it was in the sum */
		for (unsigned int i = 0; i < 4; i++) {
			check = plx_cksum_adjust32(check, rx->ip.dst.w[i], ip.src.w[i]);
			memcpy(p + 2, &check, 2);
		}
	m->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
	plx_stat_inc(net__stat(v6, PLX_STAT_ICMP_OUTMSGS, PLX_STAT_ICMP6_OUTMSGS));
	plx_stat_inc(reply == PLX_ICMP_TIMESTAMP_REPLY ? PLX_STAT_ICMP_OUTTIMESTAMPREPS
						       : net__stat(v6, PLX_STAT_ICMP_OUTECHOREPS,
								 PLX_STAT_ICMP6_OUTECHOREPLIES));
	if (plx_unlikely(!v6 && rx->ip.has_options)) {
		echo_opts(nl, m, rx, &ip, &d);
		return;
	}
	rte_pktmbuf_adj(m, rx->ip.hdr_bytes);
	net__ip_out(nl, m, &ip, &d);
}

/*
 * RFC 792, RFC 1122 3.2.2.8; Linux's icmp_timestamp(): received and sent at the time of this pass.
 * What follows the three times goes.
 */
static void timestamp(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	const uint16_t bytes = (uint16_t)(rx->ip.hdr_bytes + PLX_ICMP_TIMESTAMP_BYTES);
	uint32_t now = net__time_ms(nl);
	uint8_t *p;

	if (rx->ip.l4_bytes < PLX_ICMP_TIMESTAMP_BYTES) {
		net__drop(m, PLX_DROP_ICMP_SHORT, PLX_STAT_ICMP_INERRORS);
		return;
	}
	if (m->data_len < bytes && !plx_pkt_linearize(m)) {
		net__drop(m, PLX_DROP_NO_MBUF, PLX_STAT_IP_INDISCARDS);
		return;
	}
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	m->nb_segs = 1;
	m->data_len = bytes;
	m->pkt_len = bytes;
	p = rte_pktmbuf_mtod_offset(m, uint8_t *, rx->ip.hdr_bytes);
	p[1] = 0;
	plx_put_be32(p + 12, now);
	plx_put_be32(p + 16, now);
	memset(p + 2, 0, 2);
	plx_wire_l4_cksum_fill(
		&rx->ip.src, &rx->ip.dst, PLX_IPPROTO_ICMP, p, PLX_ICMP_TIMESTAMP_BYTES);
	echo(nl, m, rx, PLX_ICMP_TIMESTAMP_REPLY);
}

/* ---- errors received ---- */

/* What a program is told, as Linux's icmp_err_convert[] and icmpv6_err_convert(). */
static int errno4(uint8_t type, uint8_t code)
{
	static const int unreach[] = {ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED,
		EMSGSIZE, EOPNOTSUPP, ENETUNREACH, EHOSTDOWN, ENONET, ENETUNREACH, EHOSTUNREACH,
		ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH};

	if (type == PLX_ICMP_UNREACH)
		return code < PLX_DIM(unreach) ? unreach[code] : EHOSTUNREACH;
	return type == PLX_ICMP_PARAM_PROBLEM ? EPROTO : EHOSTUNREACH;
}

static int errno6(uint8_t type, uint8_t code)
{
	static const int unreach[] = {
		ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES};

	if (type == PLX_ICMP6_UNREACH)
		return code < PLX_DIM(unreach) ? unreach[code] : EPROTO;
	if (type == PLX_ICMP6_TOO_BIG)
		return EMSGSIZE;
	return type == PLX_ICMP6_PARAM_PROBLEM ? EPROTO : EHOSTUNREACH;
}

/* Of those, which Linux calls fatal: programs are told though they did not ask. "Too big" is told
 * to whoever does not want fragments: udp_err(), udpv6_err(). */
static bool hard4(uint8_t type, uint8_t code)
{
	static const uint16_t unreach = 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 |
					1u << 9 | 1u << 10 | 1u << 13 | 1u << 14 | 1u << 15;

	if (type == PLX_ICMP_UNREACH)
		return code < 16 && unreach >> code & 1;
	return type == PLX_ICMP_PARAM_PROBLEM;
}

static bool hard6(uint8_t type, uint8_t code)
{
	if (type == PLX_ICMP6_UNREACH)
		return code != PLX_ICMP6_UNREACH_NOROUTE && code != PLX_ICMP6_UNREACH_SCOPE &&
		       code != PLX_ICMP6_UNREACH_ADDR;
	return type == PLX_ICMP6_TOO_BIG || type == PLX_ICMP6_PARAM_PROBLEM;
}

static bool redirect(const struct plx_net_rx *rx, const struct plx_icmp *icmp)
{
	return rx->ip.version == 4 && icmp->type == PLX_ICMP_REDIRECT;
}

static bool too_big(const struct plx_net_rx *rx, const struct plx_icmp *icmp)
{
	return rx->ip.version == 6
		       ? icmp->type == PLX_ICMP6_TOO_BIG
		       : icmp->type == PLX_ICMP_UNREACH && icmp->code == PLX_ICMP_UNREACH_NEEDFRAG;
}

/* Does it end a handshake for a listener? As Linux's tcp_v4_err(), which leaves out what others
 * than routers say, and tcp_v6_err(): what icmpv6_err_convert() calls fatal. */
static bool ends_handshake(bool v6, const struct plx_icmp *icmp)
{
	uint8_t code = icmp->code;

	if (v6)
		return icmp->type == PLX_ICMP6_PARAM_PROBLEM ||
		       (icmp->type == PLX_ICMP6_UNREACH && code != PLX_ICMP6_UNREACH_NOROUTE &&
			       code != PLX_ICMP6_UNREACH_SCOPE && code != PLX_ICMP6_UNREACH_ADDR);
	return icmp->type == PLX_ICMP_PARAM_PROBLEM || icmp->type == PLX_ICMP_TIME_EXCEEDED ||
	       (icmp->type == PLX_ICMP_UNREACH &&
		       (code == PLX_ICMP_UNREACH_NET || code == PLX_ICMP_UNREACH_HOST));
}

/* Whose connection is it? Errors of "too big" are told by their number alone. */
static int tell_tcp(struct net_lcore *nl, const struct plx_net_rx *rx, const struct plx_icmp *icmp,
	const struct plx_tuple *t, const uint8_t *quote, uint32_t l4_off)
{
	bool v6 = rx->ip.version == 6;
	struct net_tcp_error e = {0};

	if (too_big(rx, icmp))
		e.mtu = net__pmtu_of(nl->net, v6, icmp->rest, plx_get_be16(quote + 2));
	else if (!redirect(rx, icmp))
		e.err = v6 ? errno6(icmp->type, icmp->code) : errno4(icmp->type, icmp->code);
	e.ends = ends_handshake(v6, icmp);
	e.ttl = v6 ? rx->ip.ttl : quote[8];
	return net__tcp_error(nl, t, quote + l4_off, rx->iface, rx->handed, &e);
}

/* Whose datagram was it? @param quote its transport header, and what follows, bytes in all */
static int tell_udp(struct net_lcore *nl, const struct plx_net_rx *rx, const struct plx_icmp *icmp,
	const struct plx_tuple *t, const uint8_t *quote, uint32_t bytes)
{
	bool v6 = rx->ip.version == 6;
	struct plx_net_error e = {
		.type = icmp->type,
		.code = icmp->code,
		.from = rx->ip.src,
		.data = quote + PLX_UDP_BYTES,
		.len = bytes > PLX_UDP_BYTES ? bytes - PLX_UDP_BYTES : 0,
	};

	if (!redirect(rx, icmp)) {
		e.err = v6 ? errno6(icmp->type, icmp->code) : errno4(icmp->type, icmp->code);
		e.hard = v6 ? hard6(icmp->type, icmp->code) : hard4(icmp->type, icmp->code);
	}
	if (too_big(rx, icmp))
		e.info = v6 ? icmp->rest : icmp->rest & 0xffff;
	else if (v6 && icmp->type == PLX_ICMP6_PARAM_PROBLEM)
		e.info = icmp->rest;
	return net__udp_error(nl, t, rx->iface, rx->handed, &e);
}

/*
 * Believed only when the quoted packet is one that we may have sent (RFC 5927 4): from an address
 * of ours, for UDP from a socket that exists, and for TCP what a connection has in flight. An echo
 * reply has no socket.
 */
static void error_in(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_icmp *icmp)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, rx->ip.hdr_bytes);
	uint32_t have =
		PLX_MIN((uint32_t)m->data_len - rx->ip.hdr_bytes, (uint32_t)rx->ip.l4_bytes);
	bool v6 = rx->ip.version == 6, known = false;
	int home = nl->sn->index;
	int32_t rt;
	struct plx_tuple t;
	uint32_t l4_off;
	enum plx_drop drop;

	drop = plx_wire_icmp_quote(&t, &l4_off, p + PLX_ICMP_BYTES, have - PLX_ICMP_BYTES);
	if (drop == PLX_DROP_NONE && plx_addr_is_v4(&t.src) == v6)
		drop = PLX_DROP_ICMP_QUOTE;
	if (drop != PLX_DROP_NONE) {
		net__drop(m, drop, net__stat(v6, PLX_STAT_ICMP_INERRORS, PLX_STAT_ICMP6_INERRORS));
		return;
	}
	rt = net__lpm_lookup(&nl->cfg->lpm, &t.src);
	if (rt >= 0 && nl->cfg->routes[rt].type == PLX_NET_ROUTE_LOCAL) {
		if (plx_unlikely(nl->parks) && net__move_park_error(nl, m, rx, &t))
			return;
		known = t.proto == (v6 ? PLX_IPPROTO_ICMP6 : PLX_IPPROTO_ICMP);
		if (t.proto == PLX_IPPROTO_UDP) {
			home = tell_udp(nl, rx, icmp, &t, p + PLX_ICMP_BYTES + l4_off,
				have - PLX_ICMP_BYTES - l4_off);
			known = home >= 0;
		} else if (t.proto == PLX_IPPROTO_TCP) {
			home = tell_tcp(nl, rx, icmp, &t, p + PLX_ICMP_BYTES, l4_off);
			known = home >= 0;
		}
	}
	if (!known)
		plx_pkt_drop(m, PLX_DROP_ICMP_ERROR_UNMATCHED);
	else if (home != nl->sn->index)
		net__hand(nl, m, rx, (uint16_t)home);
	else if (too_big(rx, icmp))
		net__to_control(nl, m, NET_STAGE_PMTU, rx->iface, 0);
	else if (redirect(rx, icmp))
		net__to_control(nl, m, NET_STAGE_REDIRECT, rx->iface, 0);
	else
		plx_pkt_deliver(m);
}

enum plx_drop net__quote(const struct rte_mbuf *m, struct net_quote *q)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t l4_off;
	uint8_t code;
	enum plx_drop drop;

	drop = p[0] >> 4 == 6 ? plx_wire_ip6_parse(&q->ip, p, m->pkt_len, &code)
			      : plx_wire_ip4_parse(&q->ip, p, m->pkt_len, false);
	if (drop == PLX_DROP_NONE)
		drop = plx_wire_icmp_parse(&q->icmp, p + q->ip.hdr_bytes, q->ip.l4_bytes);
	if (drop != PLX_DROP_NONE)
		return drop;
	q->p = p + q->ip.hdr_bytes + PLX_ICMP_BYTES;
	return plx_wire_icmp_quote(
		&q->t, &l4_off, q->p, m->data_len - q->ip.hdr_bytes - PLX_ICMP_BYTES);
}

/* What came by another lcore has been counted there. */
static void count_in(const struct plx_net_rx *rx, enum plx_stat id)
{
	if (!rx->handed)
		plx_stat_inc(id);
}

static bool parse(struct rte_mbuf *m, const struct plx_net_rx *rx, struct plx_icmp *icmp)
{
	bool v6 = rx->ip.version == 6;
	enum plx_drop drop = plx_wire_icmp_parse(
		icmp, rte_pktmbuf_mtod_offset(m, const void *, rx->ip.hdr_bytes), rx->ip.l4_bytes);

	count_in(rx, net__stat(v6, PLX_STAT_ICMP_INMSGS, PLX_STAT_ICMP6_INMSGS));
	if (drop == PLX_DROP_NONE && !net__l4_ok(m, &rx->ip)) {
		drop = PLX_DROP_ICMP_CHECKSUM;
		plx_stat_inc(
			net__stat(v6, PLX_STAT_ICMP_INCSUMERRORS, PLX_STAT_ICMP6_INCSUMERRORS));
	}
	if (drop == PLX_DROP_NONE)
		return true;
	net__drop(m, drop, net__stat(v6, PLX_STAT_ICMP_INERRORS, PLX_STAT_ICMP6_INERRORS));
	return false;
}

void net__icmp4_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	struct plx_icmp icmp;

	if (!parse(m, rx, &icmp))
		return;
	switch (icmp.type) {
	case PLX_ICMP_ECHO_REQUEST:
		plx_stat_inc(PLX_STAT_ICMP_INECHOS);
		if (net__tun(nl->net, PLX_TUN_ICMP_ECHO_IGNORE_ALL) ||
			(rx->to_many && net__tun(nl->net, PLX_TUN_ICMP_ECHO_IGNORE_BROADCASTS)))
			plx_pkt_drop(m, PLX_DROP_ICMP_ECHO_IGNORED);
		else
			echo(nl, m, rx, PLX_ICMP_ECHO_REPLY);
		break;
	case PLX_ICMP_TIMESTAMP:
		plx_stat_inc(PLX_STAT_ICMP_INTIMESTAMPS);
		if (rx->to_many && net__tun(nl->net, PLX_TUN_ICMP_ECHO_IGNORE_BROADCASTS))
			plx_pkt_drop(m, PLX_DROP_ICMP_ECHO_IGNORED);
		else
			timestamp(nl, m, rx);
		break;
	case PLX_ICMP_UNREACH:
		count_in(rx, PLX_STAT_ICMP_INDESTUNREACHS);
		error_in(nl, m, rx, &icmp);
		break;
	case PLX_ICMP_TIME_EXCEEDED:
		count_in(rx, PLX_STAT_ICMP_INTIMEEXCDS);
		error_in(nl, m, rx, &icmp);
		break;
	case PLX_ICMP_PARAM_PROBLEM:
		count_in(rx, PLX_STAT_ICMP_INPARMPROBS);
		error_in(nl, m, rx, &icmp);
		break;
	case PLX_ICMP_REDIRECT:
		count_in(rx, PLX_STAT_ICMP_INREDIRECTS);
		if (net__redirects_wanted(nl->net, false))
			error_in(nl, m, rx, &icmp);
		else
			plx_pkt_drop(m, PLX_DROP_ICMP_REDIRECT);
		break;
	default:
		if (icmp.type == PLX_ICMP_ECHO_REPLY)
			plx_stat_inc(PLX_STAT_ICMP_INECHOREPS);
		else if (icmp.type == PLX_ICMP_TIMESTAMP_REPLY)
			plx_stat_inc(PLX_STAT_ICMP_INTIMESTAMPREPS);
		plx_pkt_drop(m, PLX_DROP_ICMP_TYPE);
	}
}

static enum plx_stat error6(uint8_t type)
{
	return type == PLX_ICMP6_UNREACH	 ? PLX_STAT_ICMP6_INDESTUNREACHS
	       : type == PLX_ICMP6_TOO_BIG	 ? PLX_STAT_ICMP6_INPKTTOOBIGS
	       : type == PLX_ICMP6_TIME_EXCEEDED ? PLX_STAT_ICMP6_INTIMEEXCDS
						 : PLX_STAT_ICMP6_INPARMPROBLEMS;
}

void net__icmp6_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	struct plx_icmp icmp;

	if (!parse(m, rx, &icmp))
		return;
	switch (icmp.type) {
	case PLX_ICMP6_ECHO_REQUEST:
		plx_stat_inc(PLX_STAT_ICMP6_INECHOS);
		if (net__tun(nl->net, PLX_TUN_ICMP_ECHO_IGNORE_ALL))
			plx_pkt_drop(m, PLX_DROP_ICMP_ECHO_IGNORED);
		else
			echo(nl, m, rx, PLX_ICMP6_ECHO_REPLY);
		break;
	case PLX_ICMP6_UNREACH:
	case PLX_ICMP6_TOO_BIG:
	case PLX_ICMP6_TIME_EXCEEDED:
	case PLX_ICMP6_PARAM_PROBLEM:
		count_in(rx, error6(icmp.type));
		error_in(nl, m, rx, &icmp);
		break;
	case PLX_ICMP6_RS:
	case PLX_ICMP6_RA:
	case PLX_ICMP6_NS:
	case PLX_ICMP6_NA:
	case PLX_ICMP6_REDIRECT:
		if (icmp.type == PLX_ICMP6_REDIRECT)
			plx_stat_inc(PLX_STAT_ICMP6_INREDIRECTS);
		net__to_control(nl, m, NET_STAGE_ND, net__wire_if(rx),
			rx->link_group ? NET_F_LINK_GROUP : 0);
		break;
	case PLX_ICMP6_MLD_QUERY:
	case PLX_ICMP6_MLD_REPORT:
	case PLX_ICMP6_MLD_DONE:
	case PLX_ICMP6_MLD2_REPORT:
		net__to_control(nl, m, NET_STAGE_GROUP, net__wire_if(rx), 0);
		break;
	default:
		if (icmp.type == PLX_ICMP6_ECHO_REPLY)
			plx_stat_inc(PLX_STAT_ICMP6_INECHOREPLIES);
		plx_pkt_drop(m, PLX_DROP_ICMP_TYPE);
	}
}
