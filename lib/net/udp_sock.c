/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"
#include "rfs.h"
#include "udp_sock.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * UDP sockets as programs see them. Each has a replica in each lcore's table; the claim on its port
 * is settled before any of them hears of it, and a number, the same for all, says which one is
 * newer.
 */

static void unbind(struct net_lcore *nl, struct plx_udp_sock *r)
{
	plx_udp_unbind(nl->udp, r);
	nl->udp_unbinds++;
}

/*
 * Home is told to all others; who it has come to knows it before that, and who it is on its way to
 * does not believe it yet.
 */
int net__udp_apply(struct net_lcore *nl, struct net_udp_sock *k, const struct net_want *w)
{
	struct plx_udp_sock *r = &k->replica[nl->sn->index];
	int err = 0;

	if (!r->bound) {
		*r = k->said;
		r->home = w->udp.home;
		r->user = r->home == nl->sn->index ? k->pub : NULL;
		err = plx_udp_bind(nl->udp, r);
	} else if (w->udp.home != nl->sn->index) {
		r->home = w->udp.home;
	}
	if (err || w->udp.order == r->order)
		return err;
	r->order = w->udp.order;
	r->by_flow = w->udp.by_flow;
	return w->udp.connected
		       ? plx_udp_connect(nl->udp, r, &w->udp.laddr, &w->udp.raddr, w->udp.rport)
		       : plx_udp_disconnect(nl->udp, r);
}

void net__udp_list(struct net_lcore *nl, struct net_udp_sock *k, bool by_flow)
{
	if (k->listed)
		plx_list_del(&k->of_lcore);
	if (by_flow)
		plx_list_add_tail(&nl->udp_flows, &k->of_lcore);
	k->listed = by_flow;
}

/* At home: it is going to have another peer, or none. */
static void leave_flow(struct net_lcore *nl, struct net_udp_sock *k)
{
	const struct plx_tcp_id key = net__udp_key(&k->replica[nl->sn->index]);

	if (k->listed)
		net__flow_over(nl, &key);
	net__udp_list(nl, k, false);
}

static int apply(struct net_lcore *nl, struct net_tell *t, const struct net_want *w)
{
	struct net_udp_sock *k = plx_container_of(t, struct net_udp_sock, tell);

	if (w->there)
		return net__udp_apply(nl, k, w);
	if (k->replica[nl->sn->index].home == nl->sn->index)
		leave_flow(nl, k);
	unbind(nl, &k->replica[nl->sn->index]);
	return 0;
}

static void free_sock(struct plx_net *net, struct net_udp_sock *k)
{
	plx_net_bind_del(net, &k->claim);
	k->pub->replica = NULL;
	pthread_spin_destroy(&k->tell.lock);
	free(k);
	__atomic_sub_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED);
}

static void gone(struct net_lcore *nl, struct net_tell *t)
{
	struct net_udp_sock *k = plx_container_of(t, struct net_udp_sock, tell);
	struct plx_net_udp *s = k->pub;

	free_sock(nl->net, k);
	if (s->gone)
		s->gone(nl->sn, s);
}

static const struct net_tell_ops ops = {.apply = apply, .gone = gone};

static uint64_t next_order(struct plx_net *net)
{
	return __atomic_add_fetch(&net->udp_order, 1, __ATOMIC_RELAXED);
}

/* No lcore's table is ever full: all sockets that any of them may know of are counted. */
static struct net_udp_sock *new_sock(struct plx_net *net, struct plx_net_udp *s)
{
	uint16_t n = net->n_lcores;
	struct net_udp_sock *k =
		calloc(1, sizeof(*k) + n * (sizeof(struct plx_udp_sock) + sizeof(struct net_told)));

	if (!k)
		return NULL;
	if (__atomic_add_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED) > net__udp_max(net)) {
		__atomic_sub_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED);
		free(k);
		return NULL;
	}
	k->pub = s;
	k->said = (struct plx_udp_sock){
		.laddr = s->laddr,
		.lport = s->lport,
		.iface = s->iface,
		.v6only = s->v6only,
		.reuseaddr = s->reuseaddr,
		.reuseport = s->reuseport,
		.order = next_order(net),
	};
	net__tell_init(&k->tell, net, &ops, (struct net_told *)&k->replica[n]);
	s->replica = k->replica;
	return k;
}

/* ---- by an lcore ---- */

/* Our own replica, then the others'. */
static int want(struct net_lcore *nl, struct net_udp_sock *k, const struct net_want *w)
{
	int err = apply(nl, &k->tell, w);

	if (!err)
		net__tell(nl, &k->tell, w);
	return err;
}

int plx_net_udp_bind(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_lcore *nl = net__self(sn);
	struct net_udp_sock *k = new_sock(nl->net, s);
	struct net_want w = {.there = true, .udp.home = s->home};
	int err;

	if (!k)
		return -ENOBUFS;
	w.udp.order = k->said.order;
	err = want(nl, k, &w);
	if (err)
		free_sock(nl->net, k);
	return err;
}

/*
 * Does it go where its flow's bucket does? Its datagrams go to the bucket's owner first then, which
 * is this lcore now. Not so those that come to many, which have no flow.
 */
static bool follows(const struct net_lcore *nl, const struct plx_net_udp *s,
	const struct plx_addr *laddr, const struct plx_addr *raddr, uint16_t rport)
{
	const struct plx_net *net = nl->net;

	if (net->n_lcores == 1 || !net__tun(net, PLX_TUN_SOFT_STEER) ||
		!plx_net_is_ours(nl->sn, laddr, 0))
		return false;
	return plx_steer_flows_owner(&net->flows, &net->owners,
		       plx_steer_hash(&net->toeplitz, raddr, laddr, rport, s->lport, true)) ==
	       nl->sn->index;
}

static int want_peer(struct net_lcore *nl, const struct plx_net_udp *s, struct net_want *w)
{
	struct net_udp_sock *k = net__udp_sock_of(s);
	int err;

	w->there = true;
	w->udp.home = s->home;
	w->udp.order = next_order(nl->net);
	leave_flow(nl, k);
	err = want(nl, k, w);
	net__udp_list(nl, k, k->replica[nl->sn->index].by_flow);
	return err;
}

int plx_net_udp_connect(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport)
{
	struct net_lcore *nl = net__self(sn);
	struct net_want w = {0};

	if (!s->replica)
		return -EINVAL;
	w.udp.connected = true;
	w.udp.by_flow = follows(nl, s, laddr, raddr, rport);
	w.udp.laddr = *laddr;
	w.udp.raddr = *raddr;
	w.udp.rport = rport;
	return want_peer(nl, s, &w);
}

int plx_net_udp_disconnect(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_want w = {0};

	return s->replica ? want_peer(net__self(sn), s, &w) : -EINVAL;
}

bool plx_net_udp_move(struct plx_softnet *sn, struct plx_net_udp *s, uint16_t lcore)
{
	struct net_lcore *nl = net__self(sn);
	const struct net_udp_sock *k = s->replica ? net__udp_sock_of(s) : NULL;
	struct plx_tcp_id key;

	if (!k || !k->listed || lcore >= nl->net->n_lcores)
		return false;
	key = net__udp_key(&k->replica[sn->index]);
	return net__flow_ask(nl, net__tcp_hash(nl->net, &key), lcore);
}

bool plx_net_udp_used(struct plx_softnet *sn, const struct plx_net_udp *s, uint16_t lcore,
	struct plx_rfs_streak *streak)
{
	const struct net_udp_sock *k = s->replica ? net__udp_sock_of(s) : NULL;
	struct plx_tcp_id key;

	if (!k || !k->listed)
		return false;
	key = net__udp_key(&k->replica[sn->index]);
	return net__rfs_used(net__self(sn), &key, lcore, streak);
}

void plx_net_udp_unbind(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_lcore *nl = net__self(sn);
	struct net_udp_sock *k;

	if (!s->replica)
		return;
	k = net__udp_sock_of(s);
	leave_flow(nl, k);
	unbind(nl, &k->replica[sn->index]);
	net__tell_end(nl, &k->tell);
}

/* ---- by an ordinary thread ---- */

int plx_net_udp_open(struct plx_net *net, struct plx_net_udp *s)
{
	struct net_want w = {.there = true, .udp.home = s->home};
	struct net_udp_sock *k = new_sock(net, s);
	int err;

	if (!k)
		return -ENOBUFS;
	k->claim = (struct plx_net_bind){
		.laddr = s->laddr,
		.lport = s->lport,
		.iface = s->iface,
		.proto = PLX_IPPROTO_UDP,
		.v6only = s->v6only,
		.reuseaddr = s->reuseaddr,
		.reuseport = s->reuseport,
		.uid = (uint32_t)geteuid(),
	};
	w.udp.order = k->said.order;
	err = net__bind_claim(net, &k->claim, NULL, NULL);
	if (!err) {
		s->lport = k->claim.lport;
		err = net__tell_wait(&k->tell, &w);
	}
	if (err)
		plx_net_udp_close(net, s);
	return err;
}

void plx_net_udp_close(struct plx_net *net, struct plx_net_udp *s)
{
	if (!s->replica)
		return;
	net__tell_wait(&net__udp_sock_of(s)->tell, &(struct net_want){.there = false});
	free_sock(net, net__udp_sock_of(s));
}
