/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* setsockopt() and its kin. */

#define SIOCOUTQNSD_ 0x894B

/* ---- set ---- */

static int64_t number(const struct td_expr *e, const char *field, unsigned int at)
{
	const struct td_expr *f = td_expr_field(e, field);
	int64_t v = 0;

	td_expr_int(f ? f : td_expr_at(e, at), &v);
	return v;
}

static int set_socket(
	struct td_run *r, struct td_sock *s, int64_t opt, int64_t v, const struct td_expr *e)
{
	struct td_sockopts *o = &s->opt;

	switch (opt) {
	case SO_KEEPALIVE:
		o->keepalive = v;
		break;
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		o->snd_buf = (uint32_t)PLX_MAX(2 * v, 4608);
		break;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		o->rcv_buf = (uint32_t)PLX_MAX(v, 1152);
		break;
	case SO_LINGER:
		o->linger = number(e, "onoff", 0);
		o->linger_s = (uint32_t)number(e, "linger", 1);
		break;
	case SO_REUSEPORT:
		o->reuseport = v;
		break;
	case SO_OOBINLINE:
		o->oobinline = v;
		break;
	case SO_RCVLOWAT:
		o->rcvlowat = (uint32_t)v;
		break;
	default: /* of no concern to TCP */
		break;
	}
	if (opt == SO_KEEPALIVE || opt == SO_RCVBUF || opt == SO_RCVBUFFORCE)
		td_sock_apply(r, s);
	return 0;
}

static int set_maxseg(struct td_run *r, struct td_sock *s, int64_t v)
{
	if (v && (v < 88 || v > 32767)) /* Linux's TCP_MIN_MSS, MAX_TCP_WINDOW */
		return EINVAL;
	s->opt.maxseg = (uint16_t)v;
	td_sock_apply(r, s);
	return 0;
}

static int set_keep(struct td_run *r, struct td_sock *s, uint32_t *where, int64_t v, int64_t most)
{
	if (v < 1 || v > most)
		return EINVAL;
	*where = (uint32_t)v;
	td_sock_apply(r, s);
	return 0;
}

static int set_cc(struct td_run *r, struct td_sock *s, const struct td_expr *e)
{
	if (e->kind == TD_EXPR_LIST)
		e = e->kids;
	if (!e || e->kind != TD_EXPR_STR)
		return EINVAL;
	if (!plx_tcp_cc_find(e->s))
		return ENOENT;
	snprintf(s->opt.cc, sizeof(s->opt.cc), "%s", e->s);
	if (s->started)
		plx_tcp_set_cc(&s->c, s->opt.cc, r->now);
	return 0;
}

static int set_tcp(
	struct td_run *r, struct td_sock *s, int64_t opt, int64_t v, const struct td_expr *e)
{
	struct td_sockopts *o = &s->opt;

	switch (opt) {
	case TCP_NODELAY:
		o->nodelay = v;
		if (s->started) {
			plx_tcp_set_nodelay(&s->c, v);
			td_net_drain(r, s);
		}
		return 0;
	case TCP_CORK:
		o->cork = v;
		if (s->started)
			plx_tcp_set_cork(&s->c, v);
		return 0;
	case TCP_QUICKACK:
		if (s->started)
			plx_tcp_set_quickack(&s->c, v, r->now);
		return 0;
	case TCP_MAXSEG:
		return set_maxseg(r, s, v);
	case TCP_KEEPIDLE:
		return set_keep(r, s, &o->keep_idle_s, v, 32767);
	case TCP_KEEPINTVL:
		return set_keep(r, s, &o->keep_intvl_s, v, 32767);
	case TCP_KEEPCNT:
		return set_keep(r, s, &o->keep_count, v, 127);
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return EINVAL;
		o->user_timeout_ms = (uint32_t)v;
		if (s->started)
			plx_tcp_set_user_timeout(&s->c, o->user_timeout_ms);
		return 0;
	case TCP_DEFER_ACCEPT:
		o->defer_s = (uint32_t)v;
		td_sock_apply(r, s);
		return 0;
	case TCP_CONGESTION:
		return set_cc(r, s, e);
	case TCP_SYNCNT:
		if (v < 1 || v > 127)
			return EINVAL;
		o->syncnt = (uint32_t)v;
		td_sock_apply(r, s);
		return 0;
	case TCP_LINGER2:
		o->linger2_s = (int32_t)v;
		td_sock_apply(r, s);
		return 0;
	case TCP_WINDOW_CLAMP:
		o->wnd_clamp = (uint32_t)v;
		td_sock_apply(r, s);
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

enum td_done td_call_setsockopt(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t level = td_arg(r, p, 1), opt = td_arg(r, p, 2), v = 0;
	const struct td_expr *e = td_arg_expr(p, 3);
	int err = 0;

	if (!s)
		return TD_DONE;
	td_expr_int(e, &v);
	if (level == SOL_SOCKET)
		err = set_socket(r, s, opt, v, e && e->kind == TD_EXPR_LIST ? e->kids : e);
	else if (level == IPPROTO_TCP)
		err = set_tcp(r, s, opt, v, e);
	if (s->started)
		td_net_drain(r, s);
	return err ? td_err(p, err) : td_ret(p, 0);
}

/* ---- get ---- */

static int64_t get_socket(struct td_sock *s, int64_t opt)
{
	int64_t err;

	switch (opt) {
	case SO_ERROR:
		err = s->started ? s->c.err : 0;
		s->c.err = 0;
		return err;
	case SO_SNDBUF:
		return s->opt.snd_buf;
	case SO_RCVBUF:
		return 2 * (int64_t)s->opt.rcv_buf;
	case SO_KEEPALIVE:
		return s->opt.keepalive;
	case SO_REUSEPORT:
		return s->opt.reuseport;
	case SO_OOBINLINE:
		return s->opt.oobinline;
	case SO_ACCEPTCONN:
		return s->kind == TD_SOCK_LISTEN;
	case SO_TYPE:
		return SOCK_STREAM;
	default:
		return 1;
	}
}

static int64_t tunable_or(const struct td_run *r, uint32_t own, enum plx_tunable id)
{
	return own ? own : r->tun.v[id];
}

static int64_t get_maxseg(const struct td_sock *s)
{
	if (td_sock_established(s))
		return s->c.snd.mss;
	return s->opt.maxseg ? s->opt.maxseg : 536;
}

static int64_t get_tcp(struct td_run *r, struct td_sock *s, int64_t opt)
{
	struct plx_tcp_info info;

	switch (opt) {
	case TCP_NODELAY:
		return s->opt.nodelay;
	case TCP_CORK:
		return s->opt.cork;
	case TCP_MAXSEG:
		return get_maxseg(s);
	case TCP_KEEPIDLE:
		return tunable_or(r, s->opt.keep_idle_s, PLX_TUN_TCP_KEEPALIVE_TIME);
	case TCP_KEEPINTVL:
		return tunable_or(r, s->opt.keep_intvl_s, PLX_TUN_TCP_KEEPALIVE_INTVL);
	case TCP_KEEPCNT:
		return tunable_or(r, s->opt.keep_count, PLX_TUN_TCP_KEEPALIVE_PROBES);
	case TCP_USER_TIMEOUT:
		return s->opt.user_timeout_ms;
	case TCP_DEFER_ACCEPT:
		return s->opt.defer_s;
	case TCP_SYNCNT:
		return tunable_or(r, s->opt.syncnt, PLX_TUN_TCP_SYN_RETRIES);
	case TCP_LINGER2:
		return s->opt.linger2_s < 0
			       ? -1
			       : tunable_or(r, (uint32_t)s->opt.linger2_s, PLX_TUN_TCP_FIN_TIMEOUT);
	case TCP_WINDOW_CLAMP:
		return s->opt.wnd_clamp;
	case TCP_INFO:
		if (s->started)
			plx_tcp_info_get(&s->c, r->now, &info);
		return 0;
	default:
		td_fail(r, "option %lld is not there", (long long)opt);
		return 0;
	}
}

enum td_done td_call_getsockopt(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t level = td_arg(r, p, 1), opt = td_arg(r, p, 2), v, want;
	const struct td_expr *e = td_arg_expr(p, 3);

	if (!s)
		return TD_DONE;
	if (level == SOL_SOCKET)
		v = get_socket(s, opt);
	else if (level == IPPROTO_TCP)
		v = get_tcp(r, s, opt);
	else
		return td_ret(p, 0);
	if (e && e->kind == TD_EXPR_LIST && td_expr_int(e, &want) && want != v)
		td_fail(r, "getsockopt() says %lld\n  expected: %lld", (long long)v,
			(long long)want);
	return td_ret(p, 0);
}

/* ---- fcntl, ioctl ---- */

enum td_done td_call_fcntl(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t cmd = td_arg(r, p, 1);

	if (!s)
		return TD_DONE;
	if (cmd == F_GETFL)
		return td_ret(p, O_RDWR | (s->nonblock ? O_NONBLOCK : 0));
	if (cmd == F_SETFL)
		s->nonblock = td_arg(r, p, 2) & O_NONBLOCK;
	return td_ret(p, 0);
}

enum td_done td_call_ioctl(struct td_run *r, struct td_pending *p)
{
	struct td_sock *s = td_arg_sock(r, p);
	int64_t req = td_arg(r, p, 1), v, want;

	if (!s)
		return TD_DONE;
	if (req == FIONBIO) {
		s->nonblock = td_arg(r, p, 2);
		return td_ret(p, 0);
	}
	if (s->kind == TD_SOCK_LISTEN)
		return td_err(p, EINVAL);
	if (!s->started)
		v = 0;
	else if (req == SIOCINQ)
		v = plx_tcp_readable(&s->c);
	else if (req == SIOCOUTQ)
		v = plx_tcp_unacked(&s->c);
	else if (req == SIOCOUTQNSD_)
		v = plx_tcp_unsent(&s->c);
	else
		return td_err(p, EINVAL);
	if (td_expr_int(td_arg_expr(p, 2), &want) && want != v)
		td_fail(r, "ioctl() says %lld\n  expected: %lld", (long long)v, (long long)want);
	return td_ret(p, 0);
}
