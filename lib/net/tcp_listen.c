/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Listeners: a replica on each lcore. The claim on the port is settled before any of them hears of
 * it.
 */

/* Behind plx_net_tcp_listener.replica. */
struct listener {
	struct net_tell tell;
	struct plx_net_tcp_listener *pub;
	struct plx_net_bind claim; /* of those of plx_net_tcp_listen() */
	struct net_tcp_replica replica[];
};

static struct listener *listener_of(const struct plx_net_tcp_listener *l)
{
	return plx_container_of(l->replica, struct listener, replica);
}

static void unlisten(struct net_lcore *nl, struct net_tcp_replica *r)
{
	if (r->l.id.kind != PLX_TCP_KIND_LISTENER)
		return;
	plx_tcp_listener_fini(&nl->tcp->ctx, &r->l);
	plx_tcp_listener_del(nl->tcp->ctx.table, &r->l);
	plx_list_del(&r->node);
	plx_count(nl->tcp->n_listeners, -1u);
	r->l.id.kind = 0;
}

static void inherit(struct net_lcore *nl, struct net_tcp_replica *r, const struct net_want *w)
{
	r->l.backlog =
		w->tcp.backlog ? w->tcp.backlog : (uint32_t)net__tun(nl->net, PLX_TUN_SOMAXCONN);
	r->l.rcv_buf = w->tcp.rcv_buf;
	r->l.mss_clamp = w->tcp.mss_clamp;
	r->l.defer_accept = w->tcp.defer_accept;
	r->l.home = w->tcp.home == PLX_NET_NO_HOME || w->tcp.home == nl->sn->index;
	r->ttl = w->tcp.ttl;
	r->tos = w->tcp.tos;
	r->min_ttl = w->tcp.min_ttl;
	r->min_hops = w->tcp.min_hops;
}

static int apply(struct net_lcore *nl, struct net_tell *t, const struct net_want *w)
{
	struct listener *k = plx_container_of(t, struct listener, tell);
	const struct plx_net_tcp_listener *l = k->pub;
	struct net_tcp_replica *r = &k->replica[nl->sn->index];
	int err;

	if (!w->there) {
		unlisten(nl, r);
		return 0;
	}
	if (r->l.id.kind == PLX_TCP_KIND_LISTENER) {
		inherit(nl, r, w);
		return 0;
	}
	err = net__tcp_mem(nl);
	if (err)
		return err;
	r->l = (struct plx_tcp_listener){
		.id = {.laddr = l->laddr, .lport = l->lport, .iface = l->iface},
		.v6only = l->v6only,
		.reuseport = l->reuseport,
		.unchecked = true,
		.user = k->pub,
	};
	inherit(nl, r, w);
	err = plx_tcp_listener_add(nl->tcp->ctx.table, &r->l);
	if (err)
		return err;
	plx_list_add_tail(&nl->tcp->listeners, &r->node);
	plx_count(nl->tcp->n_listeners, 1);
	return 0;
}

static void free_listener(struct plx_net *net, struct listener *k)
{
	plx_net_bind_del(net, &k->claim);
	k->pub->replica = NULL;
	pthread_spin_destroy(&k->tell.lock);
	free(k);
}

static void gone(struct net_lcore *nl, struct net_tell *t)
{
	struct listener *k = plx_container_of(t, struct listener, tell);
	struct plx_net_tcp_listener *l = k->pub;

	free_listener(nl->net, k);
	if (l->gone)
		l->gone(nl->sn, l);
}

static const struct net_tell_ops ops = {.apply = apply, .gone = gone};

static struct listener *new_listener(struct plx_net *net, struct plx_net_tcp_listener *l)
{
	uint16_t n = net->n_lcores;
	struct listener *k = calloc(
		1, sizeof(*k) + n * (sizeof(struct net_tcp_replica) + sizeof(struct net_told)));

	if (!k)
		return NULL;
	k->pub = l;
	net__tell_init(&k->tell, net, &ops, (struct net_told *)&k->replica[n]);
	l->replica = k->replica;
	return k;
}

static struct net_want want_of(const struct plx_net_tcp_listener *l)
{
	return (struct net_want){
		.there = true,
		.tcp = {.home = l->home,
			.backlog = l->backlog,
			.rcv_buf = l->rcv_buf,
			.ttl = l->ttl,
			.tos = l->tos,
			.min_ttl = l->min_ttl,
			.min_hops = l->min_hops,
			.mss_clamp = l->mss_clamp,
			.defer_accept = l->defer_accept},
	};
}

/* ---- by an lcore ---- */

int plx_net_tcp_listen_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l)
{
	struct net_lcore *nl = net__self(sn);
	struct listener *k = new_listener(nl->net, l);
	const struct net_want w = want_of(l);
	int err;

	if (!k)
		return -ENOBUFS;
	err = apply(nl, &k->tell, &w);
	if (err) {
		free_listener(nl->net, k);
		return err;
	}
	net__tell(nl, &k->tell, &w);
	return 0;
}

void plx_net_tcp_relisten_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l)
{
	struct net_lcore *nl = net__self(sn);
	const struct net_want w = want_of(l);

	if (!l->replica)
		return;
	apply(nl, &listener_of(l)->tell, &w);
	net__tell(nl, &listener_of(l)->tell, &w);
}

void plx_net_tcp_unlisten_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l)
{
	struct net_lcore *nl = net__self(sn);
	struct listener *k;

	if (!l->replica)
		return;
	k = listener_of(l);
	unlisten(nl, &k->replica[sn->index]);
	net__tell_end(nl, &k->tell);
}

void plx_net_tcp_waiting(struct plx_softnet *sn, struct plx_net_tcp_listener *l, int32_t n)
{
	if (l->replica)
		plx_count(l->replica[sn->index].l.accept_len, (uint32_t)n);
}

/* ---- by an ordinary thread ---- */

int plx_net_tcp_listen(struct plx_net *net, struct plx_net_tcp_listener *l)
{
	struct listener *k = new_listener(net, l);
	struct net_want w = want_of(l);
	int err;

	if (!k)
		return -ENOMEM;
	w.tcp.home = PLX_NET_NO_HOME;
	k->claim = (struct plx_net_bind){
		.laddr = l->laddr,
		.lport = l->lport,
		.iface = l->iface,
		.proto = PLX_IPPROTO_TCP,
		.v6only = l->v6only,
		.reuseport = l->reuseport,
		.listening = true,
		.uid = (uint32_t)geteuid(),
	};
	err = net__bind_claim(net, &k->claim, NULL, NULL);
	if (!err) {
		l->lport = k->claim.lport;
		err = net__tell_wait(&k->tell, &w);
	}
	if (err)
		plx_net_tcp_unlisten(net, l);
	return err;
}

void plx_net_tcp_unlisten(struct plx_net *net, struct plx_net_tcp_listener *l)
{
	if (!l->replica)
		return;
	net__tell_wait(&listener_of(l)->tell, &(struct net_want){.there = false});
	free_listener(net, listener_of(l));
}
