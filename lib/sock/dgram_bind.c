/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"

#include <unistd.h>

#include "opt.h"

/* Addresses of UDP sockets: bind(2), connect(2), and the port of who has asked for none. */

/* ---- addresses from the program ---- */

/* Linux takes IPv4's form on a socket of IPv6, and none at all where it stands for any. */
int sock__dgram_addr(const struct sock_file *f, const struct sockaddr *sa, socklen_t len,
	struct plx_addr *a, uint16_t *port, uint16_t *iface)
{
	const struct sock_file v4 = {.flags = f->flags & ~(uint32_t)SOCKF_V6};
	struct sockaddr_in in;

	if (!sa || len < sizeof(in) || sa->sa_family == AF_INET6)
		return sock__addr_get(f, sa, len, a, port, iface);
	if (sa->sa_family == AF_UNSPEC && !sock__is(f, SOCKF_V6)) {
		memcpy(&in, sa, sizeof(in));
		in.sin_family = AF_INET;
		return sock__addr_get(f, (const struct sockaddr *)&in, sizeof(in), a, port, iface);
	}
	return sock__addr_get(&v4, sa, len, a, port, iface);
}

void sock__dgram_self(const struct sock_dgram *d, struct plx_addr *dst)
{
	static const uint8_t lo4[4] = {127, 0, 0, 1}, lo6[16] = {[15] = 1};

	if (!plx_addr_is_any(dst))
		return;
	if (!plx_addr_is_v4(dst) && !plx_addr_is_v4(&d->laddr))
		*dst = plx_addr_from_v6(lo6);
	else if (plx_addr_is_v4(&d->laddr) && !plx_addr_is_any(&d->laddr))
		*dst = d->laddr;
	else
		*dst = plx_addr_from_v4(lo4);
}

uint16_t sock__dgram_iface(
	const struct sock_dgram *d, const struct plx_addr *dst, uint16_t scope, bool *bound)
{
	const struct sock_opts *o = sock__opts(&d->f);

	*bound = o->iface != 0;
	if (o->iface)
		return o->iface;
	if (scope)
		return scope;
	if (plx_addr_is_mcast(dst))
		return plx_addr_is_v4(dst) ? o->mc_if : o->mc6_if;
	return 0;
}

static bool is_linklocal6(const struct plx_addr *a)
{
	return !plx_addr_is_v4(a) && plx_addr_is_linklocal(a);
}

/* ---- the stack's record ---- */

/* No lcore knows it any more. */
static void gone(struct plx_softnet *sn, struct plx_net_udp *s)
{
	struct sock_udp *u = plx_container_of(s, struct sock_udp, s);

	sock__free(u->sl, u, sizeof(*u));
}

/* d->bind is ours, but maybe for its interface: tell the stack. */
static int tell(struct sock_dgram *d, uint16_t iface)
{
	const struct plx_net_bind *b = &d->bind;
	struct sock_udp *u = sock__alloc(d->sl, sizeof(*u));
	int err;

	if (!u)
		return -ENOBUFS;
	*u = (struct sock_udp){
		.s = {.ops = &sock__dgram_ops,
			.user = u,
			.laddr = b->laddr,
			.lport = b->lport,
			.home = d->sl->sn->index,
			.iface = iface,
			.v6only = b->v6only,
			.reuseport = b->reuseport,
			.reuseaddr = b->reuseaddr,
			.gone = gone},
		.sl = d->sl,
		.d = d,
	};
	err = plx_net_udp_bind(d->sl->sn, &u->s);
	if (err)
		sock__free(d->sl, u, sizeof(*u));
	else
		d->udp = u;
	return err;
}

static uint64_t comes_here(const void *arg, uint32_t word)
{
	return plx_steer_ports_word(arg, word);
}

/* @param to from which ports answers come here; NULL = from all, or nobody knows. */
static int claim(struct sock_dgram *d, const struct plx_addr *laddr, uint16_t port, uint16_t iface,
	const struct plx_steer_ports_to *to)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct plx_net *net = d->sl->ns->net;
	int err;

	d->bind = (struct plx_net_bind){.laddr = *laddr,
		.lport = port,
		.iface = iface,
		.proto = PLX_IPPROTO_UDP,
		.v6only = o->v6only && !plx_addr_is_v4(laddr),
		.reuseaddr = o->reuseaddr,
		.reuseport = o->reuseport,
		.uid = (uint32_t)geteuid()};
	err = plx_net_bind_add(net, &d->bind, to ? comes_here : NULL, to);
	if (err == -EADDRINUSE && to) /* then by another lcore */
		err = plx_net_bind_add(net, &d->bind, NULL, NULL);
	if (err)
		return err;
	err = tell(d, iface);
	if (err)
		plx_net_bind_del(net, &d->bind);
	return err;
}

/* The stack forgets this record, if there is one. */
static void untell(struct sock_dgram *d, struct sock_udp *u)
{
	if (!u)
		return;
	u->d = NULL;
	plx_net_udp_unbind(d->sl->sn, &u->s);
}

void sock__dgram_unbind(struct sock_dgram *d)
{
	struct sock_udp *u = d->udp;

	if (!u)
		return;
	d->udp = NULL;
	plx_net_bind_del(d->sl->ns->net, &d->bind);
	untell(d, u);
}

static int tell_peer(struct sock_dgram *d)
{
	if (!d->connected)
		return 0;
	if (!d->rport) /* nothing comes from there, and what does come is looked at */
		return plx_net_udp_disconnect(d->sl->sn, &d->udp->s);
	return plx_net_udp_connect(d->sl->sn, &d->udp->s, &d->laddr, &d->raddr, d->rport);
}

int sock__dgram_rebind(struct sock_dgram *d)
{
	uint16_t iface = sock__opts(&d->f)->iface;
	struct sock_udp *old = d->udp;
	int err;

	if (!old)
		return 0;
	err = tell(d, iface);
	if (err)
		return err;
	err = tell_peer(d);
	if (err) {
		untell(d, d->udp);
		d->udp = old;
		return err;
	}
	plx_net_bind_move(d->sl->ns->net, &d->bind, iface);
	untell(d, old);
	return 0;
}

/* From which ports what dst:dport answers comes here, if that is known. */
static bool choice_of(struct sock_dgram *d, const struct plx_addr *dst, uint16_t dport,
	struct plx_steer_ports_to *to)
{
	struct plx_net_way way = {.src = d->laddr};
	uint16_t iface;
	bool bound;

	if (!dst || plx_addr_is_mcast(dst))
		return false;
	iface = sock__dgram_iface(d, dst, 0, &bound);
	if (plx_addr_is_any(&d->laddr) &&
		(plx_net_way(d->sl->sn, dst, iface, bound, &way) != 0 || way.bcast))
		return false;
	return plx_net_ports_to(d->sl->sn, &way.src, dst, dport, to);
}

int sock__dgram_autobind(struct sock_dgram *d, const struct plx_addr *dst, uint16_t dport)
{
	struct plx_steer_ports_to to;
	uint16_t iface = sock__opts(&d->f)->iface;

	if (d->udp)
		return 0;
	if (!iface && d->addr_lock) /* a link-local address's */
		iface = d->scope;
	return claim(d, &d->laddr, 0, iface, choice_of(d, dst, dport, &to) ? &to : NULL);
}

/* ---- bind(2) ---- */

/* A link-local address is one of an interface. */
static int scope_of(struct sock_dgram *d, const struct plx_addr *a, uint16_t scope, uint16_t *iface)
{
	*iface = sock__opts(&d->f)->iface;
	if (!is_linklocal6(a))
		return 0;
	if (scope && *iface && scope != *iface)
		return -EINVAL;
	if (scope && !sock__iface_is(d->sl, scope))
		return -ENODEV;
	if (scope)
		*iface = scope;
	return *iface ? 0 : -EINVAL;
}

/* Of bind() alone: IPv4's form is for IPv4 there. */
static int bind_addr(struct sock_dgram *d, const struct sock_op *op, struct plx_addr *a,
	uint16_t *port, uint16_t *scope)
{
	int err;

	if (sock__is(&d->f, SOCKF_V6))
		return sock__addr_get(&d->f, op->addr, op->addr_len, a, port, scope);
	err = sock__dgram_addr(&d->f, op->addr, op->addr_len, a, port, scope);
	if (!err && op->addr->sa_family == AF_UNSPEC && !plx_addr_is_any(a))
		return -EAFNOSUPPORT;
	return err;
}

static void forget_address(struct sock_dgram *d)
{
	static const uint8_t none[4];

	d->laddr = sock__is(&d->f, SOCKF_V6) ? (struct plx_addr){0} : plx_addr_from_v4(none);
	d->addr_lock = false;
}

long sock__dgram_bind(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = (struct sock_dgram *)f;
	uint16_t port, scope, iface;
	struct plx_addr a;
	int err = bind_addr(d, op, &a, &port, &scope);

	if (err)
		return err;
	if (sock__is(f, SOCKF_V6) && plx_addr_is_v4(&a) && sock__opts(f)->v6only)
		return -EINVAL;
	err = scope_of(d, &a, scope, &iface);
	if (err)
		return err;
	if (d->udp || d->connected)
		return -EINVAL;
	if (port || !sock__opts(f)->bind_no_port)
		err = claim(d, &a, port, iface, NULL);
	if (err) {
		forget_address(d);
		return err;
	}
	d->scope = iface;
	d->laddr = a;
	d->addr_lock = !plx_addr_is_any(&a);
	d->port_lock = port != 0;
	return 0;
}

/* ---- connect(2) ---- */

/* __udp_disconnect(), which forgets the interface, too. */
static long disconnect(struct sock_dgram *d)
{
	bool was_bound = d->udp && d->udp->s.iface && sock__opts(&d->f)->iface;
	struct sock_cold *cold;

	d->connected = false;
	d->raddr = (struct plx_addr){0};
	d->rport = 0;
	if (!d->addr_lock)
		forget_address(d);
	cold = sock__opts(&d->f)->iface ? sock__cold(d->sl, &d->f) : NULL;
	if (cold)
		cold->opt.iface = 0;
	if (!d->port_lock)
		sock__dgram_unbind(d);
	if (!d->udp)
		return 0;
	return was_bound ? sock__dgram_rebind(d) : plx_net_udp_disconnect(d->sl->sn, &d->udp->s);
}

/* Can what is bound to laddr send to dst? */
static int fits(const struct sock_dgram *d, const struct plx_addr *dst)
{
	bool v4 = plx_addr_is_v4(dst);

	if (v4 && sock__is(&d->f, SOCKF_V6) && sock__opts(&d->f)->v6only)
		return -ENETUNREACH;
	if (plx_addr_is_any6(&d->laddr) || plx_addr_is_v4(&d->laddr) == v4)
		return 0;
	return v4 ? -ENETUNREACH : -EAFNOSUPPORT;
}

/* The source of what goes to d->raddr: the first one stays, as in Linux. */
static int source(struct sock_dgram *d, const struct plx_addr *dst, uint16_t iface, bool bound,
	struct plx_addr *src)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct plx_net_way way;
	int err = plx_net_way(d->sl->sn, dst, iface, bound, &way);

	if (err)
		return err;
	if (way.bcast && !o->broadcast)
		return -EACCES;
	*src = d->laddr;
	if (!plx_addr_is_any(src))
		return 0;
	*src = way.src;
	if (plx_addr_is_mcast(dst) && plx_addr_is_v4(dst) && !plx_addr_is_any(&o->mc_src))
		*src = o->mc_src;
	return plx_addr_is_any(src) ? -EADDRNOTAVAIL : 0;
}

static int connect_to(
	struct sock_dgram *d, const struct plx_addr *dst, uint16_t port, uint16_t scope)
{
	const struct sock_dgram old = *d;
	struct plx_addr src;
	uint16_t iface;
	bool bound;
	int err = fits(d, dst);

	if (err)
		return err;
	iface = sock__dgram_iface(d, dst, scope, &bound);
	if (is_linklocal6(dst) && !iface)
		return -EINVAL;
	err = source(d, dst, iface, bound, &src);
	if (err)
		return err;
	d->laddr = src;
	d->raddr = *dst;
	d->rport = port;
	d->riface = is_linklocal6(dst) ? iface : 0;
	d->connected = true;
	err = tell_peer(d);
	if (err) {
		d->laddr = old.laddr;
		d->raddr = old.raddr;
		d->rport = old.rport;
		d->riface = old.riface;
		d->connected = old.connected;
	}
	return err;
}

long sock__dgram_connect(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = (struct sock_dgram *)f;
	uint16_t port, scope;
	struct plx_addr dst;
	int err;

	if (!op->addr)
		return -EFAULT;
	if (op->addr_len < sizeof(op->addr->sa_family))
		return -EINVAL;
	if (op->addr->sa_family == AF_UNSPEC)
		return disconnect(d);
	err = sock__dgram_addr(f, op->addr, op->addr_len, &dst, &port, &scope);
	if (err)
		return err;
	if (op->addr->sa_family == AF_INET && sock__is(f, SOCKF_V6) && sock__opts(f)->v6only)
		return -EAFNOSUPPORT;
	sock__dgram_self(d, &dst);
	op->block = false;
	if (sock__dgram_autobind(d, &dst, port) != 0)
		return -EAGAIN;
	return connect_to(d, &dst, port, scope);
}
