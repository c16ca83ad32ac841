/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/*
 * The calls of a program, as Linux answers them. A call that has to wait says TD_BLOCK and is tried
 * again whenever something has happened.
 */

#define LOCAL_PORT 8080

enum td_done td_ret(struct td_pending *p, int64_t ret)
{
	p->ret = ret;
	p->err = 0;
	return TD_DONE;
}

enum td_done td_err(struct td_pending *p, int err)
{
	p->ret = -1;
	p->err = err;
	return TD_DONE;
}

const struct td_expr *td_arg_expr(const struct td_pending *p, unsigned int n)
{
	return td_expr_at(&p->ev->call.args, n);
}

int64_t td_arg(struct td_run *r, const struct td_pending *p, unsigned int n)
{
	const struct td_expr *e = td_arg_expr(p, n);
	int64_t v = 0;

	if (!td_expr_int(e, &v))
		td_fail(r, "%s(): argument %u is no number that is known: %s", p->ev->call.name,
			n + 1, e && e->s ? e->s : "?");
	return v;
}

struct td_sock *td_arg_sock(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_sock_find(r, td_arg(r, p, 0));

	if (!s)
		td_err(p, EBADF);
	return s;
}

static bool is_null(const struct td_expr *e)
{
	return e && e->kind == TD_EXPR_NAME && strcmp(e->s, "NULL") == 0;
}

/* The descriptor that the script says it will be. */
static enum td_done new_fd(struct td_run *r, struct td_pending *p, struct td_sock *s)
{
	int64_t fd;

	if (!td_expr_int(p->ev->call.result, &fd) || fd < 0) {
		td_fail(r, "%s() succeeds", p->ev->call.name);
		fd = 1000;
	} else if (td_sock_find(r, fd)) {
		td_fail(r, "descriptor %lld is in use", (long long)fd);
	}
	s->fd = (int)fd;
	return td_ret(p, fd);
}

/* ---- opening ---- */

static enum td_done call_socket(struct td_run *r, struct td_pending *p)
{
	int64_t type = td_arg(r, p, 1);
	struct td_sock *s = td_sock_new(r, TD_SOCK_NEW);

	if ((type & 15) != SOCK_STREAM)
		td_fail(r, "only SOCK_STREAM is there");
	s->nonblock = type & SOCK_NONBLOCK;
	return new_fd(r, p, s);
}

static enum td_done call_bind(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	const struct td_expr *port = td_expr_field(td_arg_expr(p, 1), "sin_port");
	int64_t v = LOCAL_PORT;

	if (!s)
		return TD_DONE;
	if (s->bound || s->kind != TD_SOCK_NEW)
		return td_err(p, EINVAL);
	if (!port)
		port = td_expr_field(td_arg_expr(p, 1), "sin6_port");
	if (port)
		td_expr_int(port, &v);
	s->bound = true;
	s->lport = (uint16_t)v;
	return td_ret(p, 0);
}

static enum td_done call_listen(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t backlog = td_arg(r, p, 1), most;
	int err;

	if (!s)
		return TD_DONE;
	if (s->kind != TD_SOCK_NEW && s->kind != TD_SOCK_LISTEN)
		return td_err(p, EINVAL);
	most = r->tun.v[PLX_TUN_SOMAXCONN];
	s->l.backlog = (uint32_t)(backlog < 0 || backlog > most ? most : backlog);
	if (s->kind == TD_SOCK_LISTEN)
		return td_ret(p, 0);
	if (!s->bound)
		s->lport = LOCAL_PORT;
	s->l.id = (struct plx_tcp_id){
		.laddr = r->local, .lport = s->lport, .kind = PLX_TCP_KIND_LISTENER};
	td_sock_apply(r, s);
	err = plx_tcp_listener_add(r->ctx.table, &s->l);
	if (err)
		return td_err(p, -err);
	s->kind = TD_SOCK_LISTEN;
	return td_ret(p, 0);
}

static enum td_done call_accept(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p), *child;

	if (!s)
		return TD_DONE;
	if (s->kind != TD_SOCK_LISTEN)
		return td_err(p, EINVAL);
	if (s->l.accept_len == 0)
		return s->nonblock ? td_err(p, EAGAIN) : TD_BLOCK;
	child = s->accepts[0];
	s->l.accept_len--;
	memmove(s->accepts, s->accepts + 1, s->l.accept_len * sizeof(s->accepts[0]));
	child->queued = false;
	child->nonblock = td_arg_expr(p, 3) && td_arg(r, p, 3) & SOCK_NONBLOCK;
	r->last = child;
	return new_fd(r, p, child);
}

static int begin_connect(struct td_run *r, struct td_sock *s)
{
	struct plx_tcp_path path = td_net_path(r);
	struct plx_tcp_id id = {.laddr = r->local,
		.raddr = r->remote,
		.rport = LOCAL_PORT,
		.lport = s->bound ? s->lport : 0,
		.kind = PLX_TCP_KIND_CONN};
	uint32_t iss_above;
	int port;

	if (!id.lport) {
		port = plx_tcp_port_pick(&r->ctx, &id, r->now, NULL);
		if (port < 0)
			return -port;
		id.lport = (uint16_t)port;
	}
	iss_above = td_net_tw_reuse(r, &id);
	td_sock_start(r, s, &id);
	if (plx_tcp_table_add(r->ctx.table, &s->c.id) != 0) {
		plx_tcp_fini(&s->c);
		s->started = false;
		return EADDRNOTAVAIL;
	}
	s->live = true;
	s->kind = TD_SOCK_CONN;
	s->connecting = true;
	s->lport = id.lport;
	s->flow = td_net_flow(r, id.lport, id.rport);
	r->cur = s->flow;
	r->last = s;
	plx_tcp_open(&s->c, &path, iss_above, r->now);
	td_net_drain(r, s);
	return 0;
}

/* What closed it, once. */
static int take_error(struct td_sock *s)
{
	int err = s->c.err;

	s->c.err = 0;
	return err;
}

static enum td_done call_connect(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int err;

	if (!s)
		return TD_DONE;
	if (s->kind == TD_SOCK_LISTEN)
		return td_err(p, EISCONN);
	if (s->kind == TD_SOCK_NEW) {
		err = begin_connect(r, s);
		p->begun = true;
		if (err)
			return td_err(p, err);
		return s->nonblock ? td_err(p, EINPROGRESS) : TD_BLOCK;
	}
	if (s->c.id.state == PLX_TCP_SYN_SENT || s->c.id.state == PLX_TCP_SYN_RECEIVED)
		return p->begun ? TD_BLOCK : td_err(p, s->nonblock ? EALREADY : EINPROGRESS);
	if (s->c.id.state == PLX_TCP_CLOSED) {
		err = take_error(s);
		s->connecting = false;
		return td_err(p, err ? err : ECONNABORTED);
	}
	if (p->begun || s->connecting)
		return s->connecting = false, td_ret(p, 0);
	return td_err(p, EISCONN);
}

/* ---- text ---- */

/* Of {msg_iov(2)=[{..., 40}, {..., 20}]}: all lengths. */
static int64_t iov_bytes(const struct td_expr *iov)
{
	int64_t sum = 0, n;

	for (const struct td_expr *e = iov ? iov->kids : NULL; e; e = e->next) {
		if (td_expr_int(td_expr_at(e, 1), &n))
			sum += n;
	}
	return sum;
}

struct text_call {
	int64_t bytes;
	int64_t flags;
	bool null;
};

static struct text_call text_args(struct td_run *r, const struct td_pending *p)
{
	const char *name = p->ev->call.name;
	struct text_call t = {0};

	if (strcmp(name, "sendmsg") == 0 || strcmp(name, "recvmsg") == 0) {
		t.bytes = iov_bytes(td_expr_field(td_arg_expr(p, 1), "msg_iov"));
		t.flags = td_arg(r, p, 2);
	} else if (strcmp(name, "readv") == 0 || strcmp(name, "writev") == 0) {
		t.bytes = iov_bytes(td_arg_expr(p, 1));
	} else {
		t.null = is_null(td_arg_expr(p, 1));
		t.bytes = td_arg(r, p, 2);
		if (strcmp(name, "read") != 0 && strcmp(name, "write") != 0)
			t.flags = td_arg(r, p, 3);
	}
	return t;
}

static enum td_done recv_nothing(struct td_sock *s, struct td_pending *p, const struct text_call *t)
{
	if (p->progress)
		return td_ret(p, (int64_t)p->progress);
	if (s->c.err && s->c.id.state == PLX_TCP_CLOSED)
		return td_err(p, take_error(s));
	if (s->fin || s->rd_shut || s->c.id.state == PLX_TCP_CLOSED)
		return td_ret(p, 0);
	return s->nonblock || t->flags & MSG_DONTWAIT ? td_err(p, EAGAIN) : TD_BLOCK;
}

static enum td_done recv_urgent(struct td_sock *s, struct td_pending *p)
{
	if (!s->oob || s->oob_read || s->opt.oobinline)
		return td_err(p, EINVAL);
	s->oob_read = true;
	return td_ret(p, 1);
}

static enum td_done call_recv(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	struct text_call t = text_args(r, p);
	uint32_t have, n;
	bool wait_all;

	if (!s)
		return TD_DONE;
	if (s->kind != TD_SOCK_CONN)
		return td_err(p, ENOTCONN);
	if (t.flags & MSG_OOB)
		return recv_urgent(s, p);
	have = plx_tcp_readable(&s->c);
	wait_all = t.flags & MSG_WAITALL && !s->nonblock && !(t.flags & MSG_DONTWAIT);
	if (have == 0 || s->c.id.state == PLX_TCP_SYN_SENT)
		return t.bytes ? recv_nothing(s, p, &t) : td_ret(p, 0);
	if (t.null)
		return td_err(p, EFAULT);
	if (have < s->opt.rcvlowat && !s->fin && !s->nonblock)
		return TD_BLOCK;
	n = (uint32_t)PLX_MIN((int64_t)have, t.bytes - (int64_t)p->progress);
	if (t.flags & MSG_PEEK)
		return td_ret(p, n);
	plx_tcp_read(&s->c, n, r->now);
	p->progress += n;
	td_net_drain(r, s);
	if (wait_all && (int64_t)p->progress < t.bytes && !s->fin)
		return TD_BLOCK;
	return td_ret(p, (int64_t)p->progress);
}

static int send_error(struct td_sock *s)
{
	uint8_t state = s->c.id.state;

	if (s->kind == TD_SOCK_LISTEN || s->kind == TD_SOCK_NEW)
		return EPIPE;
	if (s->c.err && state == PLX_TCP_CLOSED)
		return take_error(s);
	return s->wr_shut || state == PLX_TCP_CLOSED || state == PLX_TCP_TIME_WAIT ? EPIPE : 0;
}

static enum td_done send_blocks(struct td_sock *s, struct td_pending *p, const struct text_call *t)
{
	if (!s->nonblock && !(t->flags & MSG_DONTWAIT)) {
		p->begun = true;
		return TD_BLOCK;
	}
	return p->progress ? td_ret(p, (int64_t)p->progress) : td_err(p, EAGAIN);
}

static void wrote(struct td_run *r, struct td_sock *s, uint32_t n, int64_t flags)
{
	s->written += n;
	if (flags & MSG_MORE)
		plx_tcp_wrote_more(&s->c, n, r->now);
	else
		plx_tcp_wrote(&s->c, n, r->now);
	if (flags & MSG_OOB)
		plx_tcp_urgent(&s->c);
	td_net_drain(r, s);
}

static enum td_done call_send(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	struct text_call t = text_args(r, p);
	bool waits;
	uint32_t n;
	int err;

	if (!s)
		return TD_DONE;
	err = send_error(s);
	if (err)
		return p->progress ? td_ret(p, (int64_t)p->progress) : td_err(p, err);
	waits = s->c.id.state == PLX_TCP_SYN_SENT || s->c.id.state == PLX_TCP_SYN_RECEIVED;
	if (t.null && t.bytes)
		return td_err(p, EFAULT);
	if (waits)
		return send_blocks(s, p, &t);
	n = (uint32_t)(t.bytes - (int64_t)p->progress);
	/* who has waited for room waits for a third of the buffer (Linux's
	 * sk_stream_is_writeable()) */
	if (p->begun && td_sock_room(s) < td_sock_limit(s) / 3)
		return TD_BLOCK;
	/* a buffer that tunes itself makes room for whatever a call without "..." writes */
	if (s->opt.snd_buf || s->nonblock || p->ev->time.blocking)
		n = PLX_MIN(n, td_sock_room(s));
	if (n)
		wrote(r, s, n, t.flags);
	p->progress += n;
	if ((int64_t)p->progress < t.bytes)
		return send_blocks(s, p, &t);
	return td_ret(p, (int64_t)p->progress);
}

/* ---- closing ---- */

static enum td_done call_shutdown(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t how = td_arg(r, p, 1);

	if (!s)
		return TD_DONE;
	if (s->kind != TD_SOCK_CONN || s->c.id.state == PLX_TCP_CLOSED ||
		s->c.id.state == PLX_TCP_TIME_WAIT)
		return td_err(p, ENOTCONN);
	if (how < SHUT_RD || how > SHUT_RDWR)
		return td_err(p, EINVAL);
	if (how != SHUT_WR)
		s->rd_shut = true;
	if (how != SHUT_RD && !s->wr_shut) {
		s->wr_shut = true;
		plx_tcp_shutdown(&s->c, r->now);
		td_net_drain(r, s);
	}
	s->in_edges++;
	s->out_edges++;
	return td_ret(p, 0);
}

static bool lingers(const struct td_sock *s)
{
	switch (s->c.id.state) {
	case PLX_TCP_FIN_WAIT_1:
	case PLX_TCP_CLOSING:
	case PLX_TCP_LAST_ACK:
		return s->live;
	default:
		return false;
	}
}

/* SO_LINGER waits until the FIN has been acknowledged, or for so long. */
static enum td_done call_close(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);

	if (!s)
		return TD_DONE;
	if (s->opt.linger && s->opt.linger_s && s->live && td_sock_established(s)) {
		if (!p->begun) {
			p->begun = true;
			p->wake = r->now + PLX_SEC(s->opt.linger_s);
			plx_tcp_close(&s->c, r->now);
			td_net_drain(r, s);
		}
		if (lingers(s) && r->now < p->wake)
			return TD_BLOCK;
		s->opt.linger = false;
		s->fd = -1;
		td_net_drain(r, s);
		td_net_reap(r);
		return td_ret(p, 0);
	}
	td_sock_close(r, s);
	return td_ret(p, 0);
}

static const struct {
	const char *name;
	td_call_fn *fn;
} calls[] = {
	{"socket", call_socket},
	{"bind", call_bind},
	{"listen", call_listen},
	{"accept", call_accept},
	{"accept4", call_accept},
	{"connect", call_connect},
	{"read", call_recv},
	{"readv", call_recv},
	{"recv", call_recv},
	{"recvfrom", call_recv},
	{"recvmsg", call_recv},
	{"write", call_send},
	{"writev", call_send},
	{"send", call_send},
	{"sendto", call_send},
	{"sendmsg", call_send},
	{"shutdown", call_shutdown},
	{"close", call_close},
	{"setsockopt", td_call_setsockopt},
	{"getsockopt", td_call_getsockopt},
	{"fcntl", td_call_fcntl},
	{"ioctl", td_call_ioctl},
	{"poll", td_call_poll},
	{"epoll_create", td_call_epoll_create},
	{"epoll_create1", td_call_epoll_create},
	{"epoll_ctl", td_call_epoll_ctl},
	{"epoll_wait", td_call_epoll_wait},
};

enum td_done td_call_try(struct td_run *r, struct td_pending *p)
{
	for (unsigned int i = 0; i < PLX_DIM(calls); i++) {
		if (strcmp(calls[i].name, p->ev->call.name) == 0)
			return calls[i].fn(r, p);
	}
	td_fail(r, "%s() is not there", p->ev->call.name);
	return td_ret(p, 0);
}

bool td_call_check(struct td_run *r, const struct td_pending *p)
{
	const struct td_call *call = &p->ev->call;
	char seen[64];
	int64_t want;

	if (r->failed)
		return false;
	if (call->result->kind == TD_EXPR_UNKNOWN)
		return true;
	if (!td_expr_int(call->result, &want))
		return td_fail(r, "%s(): what should it return?", call->name);
	if (want == p->ret && (!call->err || call->err == p->err))
		return true;
	snprintf(seen, sizeof(seen), "%lld%s%s", (long long)p->ret, p->err ? " " : "",
		p->err ? td_errno_name(p->err) : "");
	return td_fail(r, "%s() returned %s\n  expected: %lld%s%s", call->name, seen,
		(long long)want, call->err ? " " : "", call->err ? td_errno_name(call->err) : "");
}
