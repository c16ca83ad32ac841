/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"
#include "stream.h"

#include <netinet/in.h>
#include <unistd.h>

/*
 * TCP sockets: their life, after Linux's net/ipv4/af_inet.c. The sk_shutdown and sk_err of Linux
 * are flags and err of the file, as they outlive the connection.
 */

uint8_t sock__tcp_state(const struct sock_file *f)
{
	const struct sock_tcp *t = sock__tcp(f);

	if (sock__is_listening(f))
		return PLX_TCP_LISTEN;
	if (!t->tc)
		return PLX_TCP_CLOSED;
	/* what is left of it in TIME-WAIT is not the program's any more */
	return plx_net_tcp_tcb(t->tc)->id.state == PLX_TCP_TIME_WAIT
		       ? PLX_TCP_CLOSED
		       : plx_net_tcp_tcb(t->tc)->id.state;
}

bool sock__is_listening(const struct sock_file *f)
{
	return f->cold && f->cold->listen;
}

struct plx_net_tcp *sock__tcp_of(const struct sock_file *f)
{
	return f->kind == &sock__stream_kind ? sock__tcp(f)->tc : NULL;
}

/* ---- events of the connection ---- */

static struct sock_lcore *lcore_of(const struct plx_softnet *sn)
{
	return sock__lcores[sn->lcore];
}

static struct sock_file *file_of(const struct plx_net_tcp *c)
{
	return &((struct sock_tcp *)plx_net_tcp_user(c))->f;
}

static void on_established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	sock__wake(lcore_of(sn), file_of(c), 0);
}

/* SIGURG, to who has asked for it. */
static void on_urgent(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct sock_file *f = file_of(c);

	sock__sigurg(f);
	sock__wake(lcore_of(sn), f, EPOLLPRI);
}

static void on_readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	sock__wake(lcore_of(sn), file_of(c), SOCK_IN | EPOLLRDBAND | EPOLLPRI);
}

static void on_writable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	sock__wake(lcore_of(sn), file_of(c), SOCK_OUT | EPOLLWRBAND);
}

static void on_peer_closed(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct sock_file *f = file_of(c);

	f->flags |= SOCKF_RCV_SHUT | SOCKF_DONE;
	sock__wake(lcore_of(sn), f, 0);
}

static void on_fin_acked(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	sock__wake(lcore_of(sn), file_of(c), 0);
}

/* tcp_v4_err(), tcp_v6_err(): at once for who has asked for it, else when SO_ERROR is asked for. */
static void on_error(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct sock_file *f = file_of(c);
	const struct sock_opts *o = sock__opts(f);
	struct plx_tcp *tcb = plx_net_tcp_tcb(c);
	int err = 0;

	if (plx_addr_is_v4(&tcb->id.raddr) ? o->recverr : o->recverr6)
		err = plx_tcp_take_error(tcb);
	if (!err)
		return;
	f->err = err;
	sock__wake(lcore_of(sn), f, EPOLLERR);
}

/* As tcp_reset() and tcp_done(). When the engine stops, c is freed behind us. */
static void on_closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	struct sock_file *f = file_of(c);

	if (err == ESHUTDOWN)
		sock__tcp_drop(lcore_of(sn), sock__tcp(f), true);
	if (err != ESHUTDOWN || (f->flags & SOCKF_BOTH_SHUT) != SOCKF_BOTH_SHUT)
		f->err = err;
	f->flags |= SOCKF_BOTH_SHUT;
	sock__wake(lcore_of(sn), f, 0);
}

/* Nobody has that of one that waits for accept(). */
static int fd_of(const struct plx_net_tcp *c)
{
	const struct sock_file *f = file_of(c);

	return sock__is(f, SOCKF_QUEUED) ? -1 : sock__fd_of(f);
}

static uint8_t min_ttl_of(const struct plx_net_tcp *c, bool v4)
{
	const struct sock_opts *o = sock__opts(file_of(c));

	return v4 ? o->min_ttl : o->min_hops;
}

static const struct plx_net_tcp_ops events = {
	.established = on_established,
	.urgent = on_urgent,
	.readable = on_readable,
	.writable = on_writable,
	.peer_closed = on_peer_closed,
	.fin_acked = on_fin_acked,
	.error = on_error,
	.closed = on_closed,
	.min_ttl = min_ttl_of,
	.fd = fd_of,
	.leave = sock__tcp_leave,
	.arrive = sock__tcp_arrive,
	.left = sock__tcp_left,
};

/* ---- life ---- */

void sock__tcp_take(struct sock_tcp *t, struct plx_net_tcp *c)
{
	t->tc = c;
	plx_net_tcp_take(c, &events, t);
}

struct sock_tcp *sock__tcp_new(struct sock_lcore *sl, struct plx_net_tcp *c, bool v6)
{
	struct sock_tcp *t = sock__alloc(sl, sizeof(*t));

	if (!t)
		return NULL;
	t->f.kind = &sock__stream_kind;
	t->f.flags = v6 ? SOCKF_V6 : 0;
	if (c) {
		t->f.flags |= SOCKF_WAS_OPEN;
		sock__tcp_take(t, c);
	}
	return t;
}

void sock__tcp_free(struct sock_lcore *sl, struct sock_tcp *t)
{
	sock__cold_free(sl, &t->f);
	sock__free(sl, t, sizeof(*t));
}

void sock__tcp_drop(struct sock_lcore *sl, struct sock_tcp *t, bool abort)
{
	if (!t->tc)
		return;
	if (abort || sock__opts(&t->f)->linger_s == 0)
		plx_net_tcp_abort(sl->sn, t->tc);
	else
		plx_net_tcp_close(sl->sn, t->tc);
	t->tc = NULL;
}

static void release(struct sock_lcore *sl, struct sock_file *f)
{
	sock__tcp_unlisten(sl, f);
	sock__tcp_drop(sl, sock__tcp(f), false);
	sock__tcp_free(sl, sock__tcp(f));
}

/* SO_LINGER: until all has arrived, the FIN too. */
static long linger(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	const struct sock_opts *o = sock__opts(f);
	struct sock_tcp *t = sock__tcp(f);

	if (!t->tc || o->linger_s <= 0 || !op->block)
		return 0;
	switch (sock__tcp_state(f)) {
	case PLX_TCP_ESTABLISHED:
	case PLX_TCP_CLOSE_WAIT:
		if (plx_net_tcp_readable(t->tc))
			return 0; /* it ends by RST */
		plx_net_tcp_shutdown(sl->sn, t->tc);
		f->flags |= SOCKF_SND_SHUT;
		break;
	case PLX_TCP_FIN_WAIT_1:
	case PLX_TCP_CLOSING:
	case PLX_TCP_LAST_ACK:
		break;
	default:
		return 0;
	}
	return sock__again(op, 0, o->linger_s * INT64_C(1000000));
}

/* ---- bind ---- */

static struct plx_net_bind claim_of(
	const struct sock_file *f, const struct plx_addr *a, uint16_t port, uint16_t iface)
{
	const struct sock_opts *o = sock__opts(f);

	return (struct plx_net_bind){
		.laddr = *a,
		.lport = port,
		.iface = o->iface ? o->iface : iface,
		.proto = PLX_IPPROTO_TCP,
		.v6only = sock__is(f, SOCKF_V6) && o->v6only,
		.reuseaddr = o->reuseaddr,
		.reuseport = o->reuseport,
		.uid = geteuid(),
	};
}

static int claim(struct sock_lcore *sl, struct sock_file *f, const struct plx_addr *a,
	uint16_t port, uint16_t iface)
{
	struct sock_cold *cold = sock__cold(sl, f);
	int err;

	if (!cold)
		return -ENOBUFS;
	cold->bind = claim_of(f, a, port, iface);
	err = plx_net_bind_add(sl->ns->net, &cold->bind, NULL, NULL);
	if (err)
		cold->bind.lport = 0; /* an address alone goes on being one */
	else
		f->flags = (f->flags & ~SOCKF_BOUND_IP) | SOCKF_BOUND;
	return err;
}

/* IP_BIND_ADDRESS_NO_PORT: connect() chooses the port, which others can have to other peers. */
static int bind_address(
	struct sock_lcore *sl, struct sock_file *f, const struct plx_addr *a, uint16_t iface)
{
	struct sock_cold *cold = sock__cold(sl, f);

	if (!cold)
		return -ENOBUFS;
	cold->bind = claim_of(f, a, 0, iface);
	f->flags |= SOCKF_BOUND_IP;
	return 0;
}

int sock__tcp_autobind(struct sock_lcore *sl, struct sock_file *f, uint16_t port)
{
	static const struct plx_addr any6;
	static const uint8_t zero[4];
	struct plx_addr any4 = plx_addr_from_v4(zero);

	if (sock__is(f, SOCKF_BOUND))
		return 0;
	if (sock__is(f, SOCKF_BOUND_IP)) {
		const struct plx_net_bind b = f->cold->bind;

		return claim(sl, f, &b.laddr, port, b.iface);
	}
	return claim(sl, f, sock__is(f, SOCKF_V6) ? &any6 : &any4, port, 0);
}

static bool is_broadcast(struct sock_lcore *sl, const struct plx_addr *a)
{
	struct plx_net_way way;

	return plx_addr_is_v4(a) && plx_net_way(sl->sn, a, 0, false, &way) == 0 && way.bcast;
}

int sock__bind_addr(struct sock_lcore *sl, const struct sock_file *f, const struct sock_op *op,
	struct plx_addr *a, uint16_t *port, uint16_t *iface)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)op->addr;
	int err;

	/* AF_UNSPEC with INADDR_ANY is an old habit that Linux tolerates */
	if (in && !sock__is(f, SOCKF_V6) && op->addr_len >= sizeof(*in) &&
		in->sin_family == AF_UNSPEC && in->sin_addr.s_addr == 0) {
		*a = plx_addr_from_v4(&in->sin_addr);
		*port = ntohs(in->sin_port);
		*iface = 0;
		return 0;
	}
	err = sock__addr_get(f, op->addr, op->addr_len, a, port, iface);
	if (err)
		return err;
	if (sock__is(f, SOCKF_V6) && plx_addr_is_v4(a) && sock__opts(f)->v6only)
		return -EINVAL;
	if (plx_addr_is_any(a))
		return 0;
	if (plx_addr_is_mcast(a))
		return plx_addr_is_v4(a) ? 0 : -EINVAL;
	if (plx_addr_is_linklocal(a) && !plx_addr_is_v4(a)) {
		if (!*iface && !sock__opts(f)->iface)
			return -EINVAL;
		if (*iface && !sock__iface_is(sl, *iface))
			return -ENODEV;
	}
	return plx_net_is_ours(sl->sn, a, *iface) || is_broadcast(sl, a) ? 0 : -EADDRNOTAVAIL;
}

static long bind_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct plx_addr a;
	uint16_t port, iface;
	int err = sock__bind_addr(sl, f, op, &a, &port, &iface);

	if (err)
		return err;
	if (sock__is(f, SOCKF_BOUND) || sock__tcp(f)->tc)
		return -EINVAL;
	if (!port && sock__opts(f)->bind_no_port)
		return bind_address(sl, f, &a, iface);
	err = claim(sl, f, &a, port, iface);
	if (err) /* as __inet_bind(), which has no address then */
		f->flags &= ~SOCKF_BOUND_IP;
	return err;
}

/* ---- connect ---- */

static void set_up(struct plx_net_tcp *c, void *user)
{
	struct sock_tcp *t = user;

	if (t->f.cold)
		sock__apply_all(sock__lcores[rte_lcore_id()], &t->f, c);
}

/* Back to what socket() made, but for what it is bound to. */
static void forget(struct sock_lcore *sl, struct sock_file *f)
{
	sock__tcp_drop(sl, sock__tcp(f), true);
	f->flags &= ~(SOCKF_BOTH_SHUT | SOCKF_OPENING | SOCKF_WAS_OPEN | SOCKF_DONE);
}

/* As tcp_disconnect(): the port stays, and who had a connection is told that it is no more. */
static void disconnect(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_tcp *t = sock__tcp(f);
	uint16_t port = t->tc ? plx_net_tcp_tcb(t->tc)->id.lport : 0;
	uint8_t state = sock__tcp_state(f);

	forget(sl, f);
	if (state != PLX_TCP_CLOSED && state != PLX_TCP_LISTEN)
		f->err = ECONNRESET;
	if (port && !sock__is(f, SOCKF_BOUND))
		sock__tcp_autobind(sl, f, port);
}

static int destination(struct sock_lcore *sl, const struct sock_file *f, const struct sock_op *op,
	struct plx_net_tcp_to *to)
{
	const struct sock_opts *o = sock__opts(f);
	uint16_t iface;
	int err = sock__addr_get(f, op->addr, op->addr_len, &to->raddr, &to->rport, &iface);

	if (err)
		return err;
	if (sock__is(f, SOCKF_V6) && plx_addr_is_v4(&to->raddr) && o->v6only)
		return -ENETUNREACH;
	if (plx_addr_is_any(&to->raddr)) /* ourselves, as BSD has it */
		plx_addr_parse(&to->raddr, plx_addr_is_v4(&to->raddr) ? "127.0.0.1" : "::1");
	if (plx_addr_is_mcast(&to->raddr))
		return -ENETUNREACH;
	if (!to->rport) /* where nobody can listen */
		return -ECONNREFUSED;
	if (plx_addr_is_linklocal(&to->raddr) && !plx_addr_is_v4(&to->raddr) && !iface && !o->iface)
		return -EINVAL;
	to->iface = o->iface ? o->iface : iface;
	to->bound = o->iface != 0;
	to->setup = set_up;
	if (sock__is(f, SOCKF_BOUND | SOCKF_BOUND_IP)) {
		to->laddr = f->cold->bind.laddr;
		to->lport = f->cold->bind.lport;
	}
	return 0;
}

static long begin(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_tcp *t = sock__tcp(f);
	struct plx_net_tcp_to to = {0};
	int err = sock__is_listening(f) ? -EISCONN : destination(sl, f, op, &to);

	if (!err)
		err = plx_net_tcp_connect(sl->sn, &to, &events, t, &t->tc);
	if (err)
		return err;
	f->flags = (f->flags & ~SOCKF_BOTH_SHUT) | SOCKF_OPENING;
	f->err = 0;
	op->flags = 1; /* it is ours to finish */
	return -EINPROGRESS;
}

static long opening(struct sock_lcore *sl, struct sock_file *f)
{
	int err;

	switch (sock__tcp_state(f)) {
	case PLX_TCP_SYN_SENT:
	case PLX_TCP_SYN_RECEIVED:
		return -EALREADY;
	case PLX_TCP_CLOSED:
		err = f->err ? f->err : ECONNABORTED;
		f->err = 0;
		forget(sl, f);
		return -err;
	default:
		f->flags = (f->flags & ~SOCKF_OPENING) | SOCKF_WAS_OPEN;
		return 0;
	}
}

static long connect_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	long r;

	if (!op->addr)
		return -EFAULT;
	if (op->addr_len < sizeof(op->addr->sa_family))
		return -EINVAL;
	if (op->addr->sa_family == AF_UNSPEC) {
		sock__tcp_unlisten(sl, f);
		disconnect(sl, f);
		return 0;
	}
	if (sock__tcp(f)->tc && !sock__is(f, SOCKF_OPENING))
		return -EISCONN;
	r = sock__is(f, SOCKF_OPENING) ? opening(sl, f) : begin(sl, f, op);
	if ((r != -EINPROGRESS && r != -EALREADY) || !sock__waits(f, op))
		return r;
	if (!op->timeout_err)
		op->timeout_err = (int)r;
	return sock__again(op, 0, sock__opts(f)->sndtimeo_us);
}

/* ---- the rest ---- */

static long shutdown_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_tcp *t = sock__tcp(f);
	uint32_t how = (uint32_t)op->flags + 1; /* bits: receive, send */
	long err = 0;

	if (op->flags < SHUT_RD || op->flags > SHUT_RDWR)
		return -EINVAL;
	switch (sock__tcp_state(f)) {
	case PLX_TCP_CLOSED: /* whoever waits for it is woken even so */
		f->flags |= how * SOCKF_RCV_SHUT;
		err = -ENOTCONN;
		break;
	case PLX_TCP_LISTEN:
		if (how & 1)
			sock__tcp_unlisten(sl, f);
		break;
	case PLX_TCP_SYN_SENT:
		disconnect(sl, f);
		break;
	default:
		f->flags |= how * SOCKF_RCV_SHUT;
		if (how & 2)
			plx_net_tcp_shutdown(sl->sn, t->tc);
		break;
	}
	sock__wake(sl, f, 0);
	return err;
}

static long name_run(struct sock_lcore *sl, struct sock_file *f, bool peer, struct plx_addr *a,
	uint16_t *port, uint16_t *iface)
{
	struct sock_tcp *t = sock__tcp(f);
	uint8_t state = sock__tcp_state(f);
	const struct plx_tcp_id *id = t->tc ? &plx_net_tcp_tcb(t->tc)->id : NULL;
	static const uint8_t zero[4];

	*port = 0;
	*iface = 0;
	memset(a, 0, sizeof(*a));
	if (peer && (!id || state == PLX_TCP_CLOSED || state == PLX_TCP_SYN_SENT))
		return -ENOTCONN;
	if (id) {
		*a = peer ? id->raddr : id->laddr;
		*port = peer ? id->rport : id->lport;
		*iface = id->iface;
	} else if (sock__is(f, SOCKF_BOUND | SOCKF_BOUND_IP)) {
		*a = f->cold->bind.laddr;
		*port = f->cold->bind.lport;
		*iface = f->cold->bind.iface;
	} else if (!sock__is(f, SOCKF_V6)) {
		*a = plx_addr_from_v4(zero);
	}
	return 0;
}

static long applied(struct sock_lcore *sl, struct sock_file *f, int level, int name)
{
	if (sock__is_listening(f))
		sock__tcp_options(sl, f);
	return 0;
}

const struct sock_kind sock__stream_kind = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.poll = sock__tcp_poll,
	.bind = bind_run,
	.listen = sock__tcp_listen,
	.accept = sock__tcp_accept,
	.connect = connect_run,
	.shutdown = shutdown_run,
	.recv = sock__tcp_recv,
	.send = sock__tcp_send,
	.send_mbuf = sock__tcp_send_mbuf,
	.recv_mbuf = sock__tcp_recv_mbuf,
	.name = name_run,
	.queued = sock__tcp_queued,
	.applied = applied,
	.linger = linger,
	.release = release,
};

long sock__stream_new(struct sock_lcore *sl, int domain, int protocol, int flags)
{
	struct sock_tcp *t;
	int fd;

	if (protocol && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	t = sock__tcp_new(sl, NULL, domain == AF_INET6);
	if (!t)
		return -ENOBUFS;
	t->f.flags |= sock__flags(flags);
	fd = sock__fd_new(sl, &t->f);
	if (fd < 0)
		sock__tcp_free(sl, t);
	return fd;
}
