/* SPDX-License-Identifier: BSD-3-Clause */
#include "move.h"
#include "udp_sock.h"

/*
 * Connected UDP sockets move with their bucket (move.c). All lcores have a replica of each in their
 * tables, so none is taken out of one: what moves is home, and the program's object, of which the
 * new owner makes a copy in its own memory.
 *
 * A socket that was on its flow's lcore when it was connected is `by_flow`: lcores hand what comes
 * for it to who owns the bucket, whatever they believe of its home. So the map alone turns them to
 * the new owner, where datagrams wait as segments do; others are told of the new home later. One
 * that stays is `by_flow` still, so that its datagrams go on to take one way, by the bucket's
 * owner; all others have a home for good.
 */

/* ---- datagrams that wait: new ---- */

bool net__move_park_udp(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_udp_flow *f, const struct plx_udp_sock *s)
{
	const struct plx_tcp_id key = {
		.laddr = f->dst, .raddr = f->src, .lport = f->dport, .rport = f->sport};

	/* by an lcore that has not yet heard of its peer */
	if (plx_unlikely(nl->mover->ships && rx->handed && s->home == nl->net->moves->to &&
			 net__move_goes(nl, &key)))
		plx_count(nl->mover->reordered, plx_pkt_wire(m));
	return net__move_wait(nl, m, rx, &key);
}

/* ---- old ---- */

/* Its replica here, as that of any other lcore from now on. */
static void set_home(struct net_lcore *nl, struct net_udp_sock *k, uint16_t home, void *user)
{
	struct plx_udp_sock *r = &k->replica[nl->sn->index];

	r->home = home;
	r->user = user;
}

/* May it go? Then it is nobody's. */
static bool leave(struct net_lcore *nl, struct net_udp_sock *k)
{
	const struct plx_net_udp_ops *ops = k->pub->ops;
	uint16_t to = nl->net->moves->to;

	if (nl->mover->gives_up || !ops->leave ||
		!ops->leave(nl->sn, k->pub, nl->net->lcore[to]->sn)) {
		plx_count(nl->mover->stayed, 1);
		return false;
	}
	set_home(nl, k, to, NULL);
	return true;
}

static bool goes(struct net_lcore *nl, const struct net_udp_sock *k)
{
	const struct plx_tcp_id key = net__udp_key(&k->replica[nl->sn->index]);

	return net__move_goes(nl, &key);
}

void net__move_udp_begin(struct net_lcore *nl)
{
	plx_list_splice_tail(&nl->mover->udp_left, &nl->udp_flows);
}

bool net__move_udp_gather(struct net_lcore *nl, struct net_move_batch *b)
{
	struct plx_list *left = &nl->mover->udp_left;

	b->udp = true;
	for (uint32_t i = 0; i < MOVE_LOOK && b->n < MOVE_BATCH; i++) {
		struct net_udp_sock *k = plx_list_first(left, struct net_udp_sock, of_lcore);

		if (!k)
			break;
		net__udp_list(nl, k, !goes(nl, k)); /* those that stay have left the list, too */
		if (!k->listed && leave(nl, k))
			b->sock[b->n++] = k->pub;
	}
	if (b->n || !plx_list_empty(left))
		return true;
	b->udp = false;
	return false;
}

void net__move_udp_come_back(struct net_lcore *nl, struct plx_net_udp *s, bool taken)
{
	if (taken) { /* what was behind it is new's, and may be gone */
		s->ops->left(nl->sn, s);
		return;
	}
	set_home(nl, net__udp_sock_of(s), nl->sn->index, s);
	plx_count(nl->mover->stayed, 1);
	s->ops->arrive(nl->sn, s);
}

/* ---- new ---- */

/* The others, who are told now, need not hurry. */
static void settle(struct net_lcore *nl, struct net_udp_sock *k, const struct net_want *w)
{
	const struct plx_tcp_id key = net__udp_key(&k->replica[nl->sn->index]);

	net__move_came(nl, &key);
	set_home(nl, k, nl->sn->index, k->pub);
	net__udp_list(nl, k, true);
	net__tell(nl, &k->tell, w);
	plx_count(nl->mover->conns, 1);
}

bool net__move_udp_adopt(struct net_lcore *nl, struct plx_net_udp *from)
{
	struct net_udp_sock *k = net__udp_sock_of(from);
	struct net_want w = k->tell.want;
	struct plx_net_udp *s;

	if (net__udp_apply(nl, k, &w) != 0) /* this lcore may have done without */
		return false;
	s = from->ops->copy(nl->sn, from);
	if (!s)
		return false;
	s->home = w.udp.home = nl->sn->index;
	s->replica = from->replica;
	k->pub = s;
	settle(nl, k, &w);
	s->ops->arrive(nl->sn, s);
	return true;
}
