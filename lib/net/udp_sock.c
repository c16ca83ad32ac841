/* SPDX-License-Identifier: BSD-3-Clause */
#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * UDP sockets as programs see them. Each has a replica in each lcore's table; the claim on its port
 * is settled before any of them hears of it, and a number, the same for all, says which one is
 * newer.
 */

/* Behind plx_net_udp.replica. */
struct sock {
	struct net_tell tell;
	struct plx_net_udp *pub;
	struct plx_net_bind claim; /* of those that plx_net_udp_open() has opened */
	uint64_t bound_order;
	struct net_told *told;
	struct plx_udp_sock replica[];
};

static struct sock *sock_of(const struct plx_net_udp *s)
{
	return plx_container_of(s->replica, struct sock, replica);
}

static void unbind(struct net_lcore *nl, struct plx_udp_sock *r)
{
	plx_udp_unbind(nl->udp, r);
	nl->udp_unbinds++;
}

static int apply(struct net_lcore *nl, struct net_tell *t, const struct net_want *w)
{
	struct sock *k = plx_container_of(t, struct sock, tell);
	const struct plx_net_udp *s = k->pub;
	struct plx_udp_sock *r = &k->replica[nl->sn->index];
	int err = 0;

	if (!w->there) {
		unbind(nl, r);
		return 0;
	}
	if (!r->bound) {
		*r = (struct plx_udp_sock){
			.laddr = s->laddr,
			.lport = s->lport,
			.home = s->home,
			.iface = s->iface,
			.v6only = s->v6only,
			.reuseaddr = s->reuseaddr,
			.reuseport = s->reuseport,
			.user = k->pub,
			.order = k->bound_order,
		};
		err = plx_udp_bind(nl->udp, r);
	}
	if (err || w->udp.order == r->order)
		return err;
	r->order = w->udp.order;
	return w->udp.connected
		       ? plx_udp_connect(nl->udp, r, &w->udp.laddr, &w->udp.raddr, w->udp.rport)
		       : plx_udp_disconnect(nl->udp, r);
}

static void free_sock(struct plx_net *net, struct sock *k)
{
	plx_net_bind_del(net, &k->claim);
	k->pub->replica = NULL;
	pthread_spin_destroy(&k->tell.lock);
	free(k);
	__atomic_sub_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED);
}

static void gone(struct net_lcore *nl, struct net_tell *t)
{
	struct sock *k = plx_container_of(t, struct sock, tell);
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
static struct sock *new_sock(struct plx_net *net, struct plx_net_udp *s)
{
	uint16_t n = net->n_lcores;
	struct sock *k =
		calloc(1, sizeof(*k) + n * (sizeof(struct plx_udp_sock) + sizeof(struct net_told)));

	if (!k)
		return NULL;
	if (__atomic_add_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED) > net__udp_max(net)) {
		__atomic_sub_fetch(&net->udp_socks, 1, __ATOMIC_RELAXED);
		free(k);
		return NULL;
	}
	k->pub = s;
	k->bound_order = next_order(net);
	net__tell_init(&k->tell, net, &ops, (struct net_told *)&k->replica[n]);
	s->replica = k->replica;
	return k;
}

/* ---- by an lcore ---- */

/* Our own replica, then the others'. */
static int want(struct net_lcore *nl, struct sock *k, const struct net_want *w)
{
	int err = apply(nl, &k->tell, w);

	if (!err)
		net__tell(nl, &k->tell, w);
	return err;
}

int plx_net_udp_bind(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_lcore *nl = net__self(sn);
	struct sock *k = new_sock(nl->net, s);
	struct net_want w = {.there = true};
	int err;

	if (!k)
		return -ENOBUFS;
	w.udp.order = k->bound_order;
	err = want(nl, k, &w);
	if (err)
		free_sock(nl->net, k);
	return err;
}

int plx_net_udp_connect(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport)
{
	struct net_lcore *nl = net__self(sn);
	struct net_want w = {.there = true};

	if (!s->replica)
		return -EINVAL;
	w.udp.connected = true;
	w.udp.laddr = *laddr;
	w.udp.raddr = *raddr;
	w.udp.rport = rport;
	w.udp.order = next_order(nl->net);
	return want(nl, sock_of(s), &w);
}

int plx_net_udp_disconnect(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_lcore *nl = net__self(sn);
	struct net_want w = {.there = true};

	if (!s->replica)
		return -EINVAL;
	w.udp.order = next_order(nl->net);
	return want(nl, sock_of(s), &w);
}

void plx_net_udp_unbind(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct net_lcore *nl = net__self(sn);
	struct sock *k;

	if (!s->replica)
		return;
	k = sock_of(s);
	unbind(nl, &k->replica[sn->index]);
	net__tell_end(nl, &k->tell);
}

/* ---- by an ordinary thread ---- */

int plx_net_udp_open(struct plx_net *net, struct plx_net_udp *s)
{
	struct net_want w = {.there = true};
	struct sock *k = new_sock(net, s);
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
	w.udp.order = k->bound_order;
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
	net__tell_wait(&sock_of(s)->tell, &(struct net_want){.there = false});
	free_sock(net, sock_of(s));
}
