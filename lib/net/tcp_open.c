/* SPDX-License-Identifier: BSD-3-Clause */
#include "move.h"

#include <errno.h>

/*
 * Connections that we begin: their way, their local port, their four-tuple.
 *
 * An lcore takes ports by which the answers come to it itself (plx_steer_ports.h). No two lcores
 * want the same four-tuple then, and nothing is shared. When none of these is left towards a peer,
 * or when it is not the hash that decides where a segment comes (net.pollux.soft_steer), it takes
 * one of the others: the answers are handed over to it (tcp_away.c). Its four-tuple is none that
 * another lcore has, if no other lcore has any connection from that port; and the lcore that would
 * have chosen the port for itself sees that it is away and leaves it alone.
 */

#define PICKS 8 /* of ports that another lcore takes at the same time */
#define TRIES 8 /* ports that are drawn, until one is of a bucket that is at rest */

struct choice {
	const struct net_lcore *nl;
	struct plx_steer_ports_to to;
};

/* A bit for each port of a word that another lcore has connections from, away or at all. */
static uint64_t others_away(const struct net_lcore *nl, uint32_t word)
{
	const struct plx_net *net = nl->net;
	uint64_t m = 0;

	if (plx_likely(!__atomic_load_n(&net->has_away, __ATOMIC_SEQ_CST)))
		return 0;
	for (uint16_t i = 0; i < net->n_lcores; i++)
		if (i != nl->sn->index)
			m |= __atomic_load_n(&net->lcore[i]->tcp->away[word], __ATOMIC_SEQ_CST);
	return m;
}

static uint64_t others_used(const struct net_lcore *nl, uint32_t word)
{
	const struct plx_net *net = nl->net;
	uint64_t m = 0;

	for (uint16_t i = 0; i < net->n_lcores; i++)
		if (i != nl->sn->index)
			m |= __atomic_load_n(
				&net->lcore[i]->tcp->uses->used[word], __ATOMIC_SEQ_CST);
	return m;
}

/* Nobody has bound it (Linux's __inet_hash_connect()). */
static uint64_t not_bound(const void *arg, uint32_t word)
{
	const struct choice *c = arg;

	return ~net__ports_bound(&c->nl->net->ports, word);
}

static uint64_t comes_here(const void *arg, uint32_t word)
{
	const struct choice *c = arg;
	uint64_t m = not_bound(c, word) & plx_steer_ports_word(&c->to, word);

	return m ? m & ~others_away(c->nl, word) : 0;
}

static uint64_t nobodys(const void *arg, uint32_t word)
{
	const struct choice *c = arg;
	uint64_t m = not_bound(c, word);

	return m ? m & ~others_away(c->nl, word) & ~others_used(c->nl, word) : 0;
}

/* Whose four-tuple may be that of a connection which is on its way here, is not taken. */
static int pick(
	struct net_lcore *nl, struct plx_tcp_id *id, const struct plx_tcp_port_filter *filter)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int port = plx_tcp_port_pick(&nl->tcp->ctx, id, nl->sn->now_ns, filter);

		if (port < 0)
			return port;
		id->lport = (uint16_t)port;
		if (plx_likely(!net__move_comes(nl, id)))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

static int pick_port(struct net_lcore *nl, struct plx_tcp_id *id)
{
	struct choice c = {.nl = nl};
	struct plx_tcp_port_filter f = {.word = not_bound, .arg = &c};
	int err;

	if (plx_likely(nl->net->n_lcores == 1))
		return pick(nl, id, &f);
	if (net__ports_to(nl, &id->laddr, &id->raddr, id->rport, &c.to)) {
		f.word = comes_here;
		f.most = plx_steer_ports_most(&c.to);
		err = f.most ? pick(nl, id, &f) : -EADDRNOTAVAIL;
		if (plx_likely(!err))
			return 0;
	}
	f.word = nobodys;
	f.most = 0;
	return pick(nl, id, &f);
}

/* A four-tuple in TIME-WAIT may be taken. @return 0 or -EADDRNOTAVAIL. */
static int take_tuple(
	struct net_lcore *nl, const struct plx_tcp_id *id, bool named, uint32_t *iss_above)
{
	struct plx_tcp_id *old = plx_tcp_table_lookup(nl->tcp->ctx.table, id);
	struct plx_tcp_tw *w = plx_container_of(old, struct plx_tcp_tw, id);

	if (!old)
		return 0;
	if (old->kind != PLX_TCP_KIND_TW)
		return -EADDRNOTAVAIL;
	if (named && plx_tcp_tw_stamped(w))
		*iss_above = plx_tcp_tw_iss(w);
	else if (!plx_tcp_tw_reusable(&nl->tcp->ctx, w, nl->sn->now_ns, iss_above))
		return -EADDRNOTAVAIL;
	net__tcp_tw_end(nl, w);
	return 0;
}

static int choose(struct net_lcore *nl, const struct plx_net_tcp_to *to, struct plx_tcp_id *id,
	struct plx_tcp_path *path)
{
	struct plx_ip ip = {.src = to->laddr, .dst = to->raddr};
	enum plx_drop drop;
	struct net_dst d;

	if (plx_addr_is_any(&to->raddr) || plx_addr_is_mcast(&to->raddr) || !to->rport)
		return -EINVAL;
	drop = to->bound ? net__route_by(nl, &to->raddr, to->iface, &d)
			 : net__route(nl, &to->raddr, to->iface, &d);
	if (drop != PLX_DROP_NONE || d.bcast)
		return drop == PLX_DROP_NONE ? -ENETUNREACH : -plx_net_errno(drop);
	if (!net__ip_defaults(nl, &ip, &d))
		return -EADDRNOTAVAIL;
	*id = (struct plx_tcp_id){
		.laddr = ip.src,
		.raddr = to->raddr,
		.lport = to->lport,
		.rport = to->rport,
		.iface = to->bound			     ? to->iface
			 : plx_addr_is_linklocal(&to->raddr) ? d.ifc->index
							     : 0,
	};
	*path = (struct plx_tcp_path){
		.mtu = net__tcp_mtu(nl, &d), .v6 = !plx_addr_is_v4(&to->raddr)};
	return 0;
}

/* Will its segments come by another lcore? */
static bool is_away(const struct net_lcore *nl, const struct plx_tcp_id *id)
{
	const struct plx_net *net = nl->net;

	return net->n_lcores > 1 &&
	       (!net__tun(net, PLX_TUN_SOFT_STEER) || net__tcp_owner(nl, id) != nl->sn->index);
}

/*
 * Has another lcore taken the port that we have chosen? Each one says first that it has it, and
 * then looks, so of two that choose it at the same time one at least sees the other. Who has named
 * its port is right about that.
 */
static bool taken_meanwhile(const struct net_lcore *nl, const struct plx_net_tcp *tc)
{
	uint16_t port = tc->c.id.lport;
	uint64_t m;

	if (plx_likely(nl->net->n_lcores == 1))
		return false;
	m = others_away(nl, port / 64);
	if (net__tcp_is(tc, TCPF_AWAY))
		m |= others_used(nl, port / 64);
	return m >> port % 64 & 1;
}

/* Into the tables: the lcore's own, and those that others look at. */
static int enter(struct net_lcore *nl, struct plx_net_tcp *tc, bool named, uint32_t *iss_above)
{
	const struct plx_tcp_id *id = &tc->c.id;
	bool away = is_away(nl, id);

	if (nl->net->n_lcores > 1 && (named || away)) {
		if (!net__tcp_named_take(nl, id, iss_above))
			return -EADDRNOTAVAIL;
		*net__tcp_flags(tc) |= TCPF_NAMED;
	}
	if (plx_unlikely(away)) {
		net__tcp_away_take(nl, id);
		*net__tcp_flags(tc) |= TCPF_AWAY;
	}
	if (plx_tcp_table_add(nl->tcp->ctx.table, &tc->c.id) != 0)
		return -ENOBUFS;
	return !named && taken_meanwhile(nl, tc) ? -EAGAIN : 0;
}

static int open_at(struct net_lcore *nl, struct plx_tcp_id *id, bool named, uint32_t *iss_above,
	struct plx_net_tcp **c)
{
	struct plx_net_tcp *tc;
	int err = named ? (net__move_comes(nl, id) ? -EADDRNOTAVAIL : 0) : pick_port(nl, id);

	*iss_above = 0;
	if (!err)
		err = take_tuple(nl, id, named, iss_above);
	if (err)
		return err;
	tc = net__tcp_conn_new(nl, id);
	if (!tc)
		return -ENOBUFS;
	err = enter(nl, tc, named, iss_above);
	if (err)
		net__tcp_conn_free(nl, tc);
	else
		*c = tc;
	return err;
}

int plx_net_tcp_connect(struct plx_softnet *sn, const struct plx_net_tcp_to *to,
	const struct plx_net_tcp_ops *ops, void *user, struct plx_net_tcp **c)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_tcp_path path;
	struct plx_net_tcp *tc = NULL;
	struct plx_tcp_id id;
	uint32_t iss_above = 0;
	int err;

	if (nl->tcp->stopping)
		return -ESHUTDOWN;
	net__begin(nl);
	if (net__tcp_mem(nl) != 0)
		return -ENOBUFS;
	err = choose(nl, to, &id, &path);
	if (err)
		return err;
	err = -EAGAIN;
	for (int i = 0; i < PICKS && err == -EAGAIN; i++)
		err = open_at(nl, &id, to->lport != 0, &iss_above, &tc);
	if (err)
		return err == -EAGAIN ? -EADDRNOTAVAIL : err;
	plx_net_tcp_take(tc, ops, user);
	if (to->setup)
		to->setup(tc, user);
	plx_tcp_open(&tc->c, &path, iss_above, sn->now_ns);
	net__tcp_touch(nl, tc);
	*c = tc;
	return 0;
}
