/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"
#include "stream.h"

#include <pthread.h>

/*
 * Listening. The stack has a replica of a listener on each lcore, and a connection belongs to the
 * lcore of its flow; so does its socket. The queue of those that wait for accept() is the
 * listener's lcore's: what comes on another one is told to it by a message.
 */

/** A connection that waits to be accepted; of the lcore that it is on. */
struct arrival {
	struct plx_msg msg;
	struct sock_listen *listen;
	struct arrival *next;
	struct sock_lcore *sl;
	struct plx_addr raddr;
	int fd;
	int flags; /**< of accept4() */
	bool own;  /**< which an lcore's program has called */
	uint16_t rport, iface;
};

struct sock_listen {
	struct plx_net_tcp_listener l;
	struct sock_lcore *sl;
	struct sock_file *f; /**< NULL: it is closed */
	struct arrival *first, **end;
	uint32_t n;
	bool v6;
	bool inherits;		 /**< opt is not all defaults */
	pthread_spinlock_t lock; /**< of opt, which the lcores of connections read */
	struct sock_opts opt;
};

/* ---- on the lcore of the connection ---- */

static void free_arrival(struct arrival *a)
{
	sock__free(a->sl, a, sizeof(*a));
}

/* It is accepted. */
static void do_accepted(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct arrival *a = plx_container_of(msg, struct arrival, msg);
	struct sock_file *f = sock__file(a->sl, a->fd);

	if (f) {
		f->flags &= ~(SOCKF_QUEUED | SOCKF_PROGRAM);
		f->flags |= sock__flags(a->flags) | (a->own ? SOCKF_PROGRAM : 0);
	}
	plx_net_tcp_waiting(sn, &a->listen->l, -1);
	free_arrival(a);
}

/* Nobody will accept it: RST, as inet_csk_listen_stop(). The listener may be gone. */
static void do_refused(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct arrival *a = plx_container_of(msg, struct arrival, msg);
	struct sock_file *f = sock__file(a->sl, a->fd);

	if (f) {
		sock__tcp_drop(a->sl, sock__tcp(f), true);
		sock__close(a->sl, f);
	}
	free_arrival(a);
}

static void answer(struct arrival *a, const struct sock_lcore *by,
	void (*fn)(struct plx_softnet *sn, struct plx_msg *msg))
{
	if (a->sl == by) {
		fn(a->sl->sn, &a->msg);
		return;
	}
	a->msg.fn = fn;
	plx_softnet_post(a->sl->sn, &a->msg);
}

/* ---- on the listener's ---- */

static void arrived(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct arrival *a = plx_container_of(msg, struct arrival, msg);
	struct sock_listen *l = a->listen;

	if (!l->f) {
		answer(a, l->sl, do_refused);
		return;
	}
	a->next = NULL;
	*l->end = a;
	l->end = &a->next;
	l->n++;
	sock__wake(l->sl, l->f, SOCK_IN);
}

/* ---- on the lcore of the connection ---- */

static bool inherit(struct sock_lcore *sl, struct sock_listen *l, struct sock_tcp *t)
{
	struct sock_opts o;

	if (!l->inherits)
		return true;
	pthread_spin_lock(&l->lock);
	o = l->opt;
	pthread_spin_unlock(&l->lock);
	if (!sock__cold_take(sl, &t->f, &o))
		return false;
	sock__apply_all(sl, &t->f, t->tc);
	return true;
}

static struct arrival *arrival_new(
	struct sock_lcore *sl, struct sock_listen *l, struct plx_net_tcp *c)
{
	struct arrival *a = sock__alloc(sl, sizeof(*a));
	const struct plx_tcp_id *id = &plx_net_tcp_tcb(c)->id;
	struct sock_tcp *t = a ? sock__tcp_new(sl, c, l->v6) : NULL;
	int fd = t && inherit(sl, l, t) ? sock__fd_new(sl, &t->f) : -1;

	if (fd < 0) {
		if (t)
			sock__tcp_free(sl, t);
		sock__free(sl, a, sizeof(*a));
		return NULL;
	}
	t->f.flags |= SOCKF_QUEUED;
	a->listen = l;
	a->sl = sl;
	a->fd = fd;
	a->raddr = id->raddr;
	a->rport = id->rport;
	a->iface = id->iface;
	return a;
}

static bool on_accept(
	struct plx_softnet *sn, struct plx_net_tcp_listener *nl, struct plx_net_tcp *c)
{
	struct sock_listen *l = plx_container_of(nl, struct sock_listen, l);
	struct sock_lcore *sl = sock__lcores[sn->lcore];
	struct arrival *a = arrival_new(sl, l, c);

	if (!a)
		return false;
	plx_net_tcp_waiting(sn, nl, 1);
	if (sl == l->sl) {
		arrived(sn, &a->msg);
	} else {
		a->msg.fn = arrived;
		plx_softnet_post(l->sl->sn, &a->msg);
	}
	return true;
}

/* ---- the calls ---- */

uint32_t sock__tcp_waiting(const struct sock_file *f)
{
	return f->cold->listen->n;
}

long sock__tcp_accept(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_listen *l = f->cold ? f->cold->listen : NULL;
	struct arrival *a = l ? l->first : NULL;
	int fd;

	if (!l)
		return -EINVAL;
	if (!a) {
		sock__waits(f, op);
		return sock__again(op, SOCK_IN, sock__opts(f)->rcvtimeo_us);
	}
	l->first = a->next;
	if (!l->first)
		l->end = &l->first;
	l->n--;
	fd = a->fd;
	a->flags = op->flags;
	a->own = op->own;
	if (op->name)
		sock__addr_put(f, &a->raddr, a->rport, a->iface, op->name, op->name_len);
	answer(a, sl, do_accepted);
	return fd;
}

void sock__tcp_unlisten(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_listen *l = f->cold ? f->cold->listen : NULL;

	if (!l)
		return;
	f->cold->listen = NULL;
	plx_net_bind_unlisten(sl->ns->net, &f->cold->bind);
	l->f = NULL;
	while (l->first) {
		struct arrival *a = l->first;

		l->first = a->next;
		answer(a, sl, do_refused);
	}
	l->n = 0;
	plx_net_tcp_unlisten_on(sl->sn, &l->l);
}

/* What those that it lets in shall be like. */
static void describe(struct sock_listen *l, const struct sock_file *f, int backlog)
{
	const struct sock_opts *o = &f->cold->opt;

	pthread_spin_lock(&l->lock);
	l->opt = *o;
	l->opt.cookie = 0;
	pthread_spin_unlock(&l->lock);
	l->inherits = memcmp(o, &sock__default_opts, sizeof(*o)) != 0;
	/* as __sys_listen(); 0 would be somaxconn to the stack */
	l->l.backlog = (uint32_t)PLX_MAX(
		PLX_MIN((int64_t)(uint32_t)backlog, sock__tun(l->sl, PLX_TUN_SOMAXCONN)), 1);
	l->l.rcv_buf = o->rcvbuf;
	l->l.ttl = l->v6 ? (uint8_t)PLX_MAX(o->hops, 0) : o->ttl;
	l->l.tos = l->v6 ? o->tclass : o->tos;
	l->l.min_ttl = o->min_ttl;
	l->l.min_hops = o->min_hops;
	l->l.mss_clamp = o->maxseg;
	l->l.defer_accept = o->defer_accept;
}

void sock__tcp_options(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_listen *l = f->cold->listen;

	describe(l, f, (int)l->l.backlog);
	plx_net_tcp_relisten_on(sl->sn, &l->l);
}

static void listen_free(struct sock_listen *l)
{
	pthread_spin_destroy(&l->lock);
	sock__free(l->sl, l, sizeof(*l));
}

static void gone(struct plx_softnet *sn, struct plx_net_tcp_listener *nl)
{
	listen_free(plx_container_of(nl, struct sock_listen, l));
}

static struct sock_listen *listen_new(struct sock_lcore *sl, struct sock_file *f)
{
	const struct plx_net_bind *b = &f->cold->bind;
	struct sock_listen *l = sock__alloc(sl, sizeof(*l));

	if (!l)
		return NULL;
	l->sl = sl;
	l->f = f;
	l->end = &l->first;
	pthread_spin_init(&l->lock, PTHREAD_PROCESS_PRIVATE);
	l->v6 = sock__is(f, SOCKF_V6);
	l->l = (struct plx_net_tcp_listener){
		.accept = on_accept,
		.laddr = b->laddr,
		.lport = b->lport,
		.iface = b->iface,
		.v6only = b->v6only,
		.reuseport = b->reuseport,
		.home = b->reuseport ? sl->sn->index : PLX_NET_NO_HOME,
		.fd = sock__fd_of(f),
		.by = sl->sn->index,
		.gone = gone,
	};
	return l;
}

static int start(struct sock_lcore *sl, struct sock_file *f, int backlog)
{
	struct sock_listen *l = listen_new(sl, f);
	int err;

	if (!l)
		return -ENOBUFS;
	describe(l, f, backlog);
	err = plx_net_tcp_listen_on(sl->sn, &l->l);
	if (err) {
		listen_free(l);
		return err;
	}
	f->cold->listen = l;
	f->flags &= ~SOCKF_BOTH_SHUT;
	return 0;
}

static int begin(struct sock_lcore *sl, struct sock_file *f, int backlog)
{
	struct plx_net *net = sl->ns->net;
	int err = plx_net_bind_listen(net, &f->cold->bind);

	if (err)
		return err;
	err = start(sl, f, backlog);
	if (err)
		plx_net_bind_unlisten(net, &f->cold->bind);
	return err;
}

long sock__tcp_listen(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	int err;

	if (sock__is_listening(f)) {
		describe(f->cold->listen, f, op->flags);
		plx_net_tcp_relisten_on(sl->sn, &f->cold->listen->l);
		return 0;
	}
	if (sock__tcp_state(f) != PLX_TCP_CLOSED || sock__tcp(f)->tc)
		return -EINVAL;
	err = sock__tcp_autobind(sl, f, 0);
	return err ? err : begin(sl, f, op->flags);
}
