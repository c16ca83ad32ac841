/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <poll.h>
#include <stdlib.h>

/* Sockets: descriptors, what they remember, what they are ready for. */

struct td_sock *td_sock_new(struct td_run *r, enum td_kind kind)
{
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		struct td_sock *s;

		if (r->socks[i])
			continue;
		s = calloc(1, sizeof(*s));
		if (!s)
			abort();
		s->kind = kind;
		plx_ranges_init(&s->kept, s->kept_v, TD_RANGES);
		r->socks[i] = s;
		return s;
	}
	fprintf(stderr, "tdrill: more than %d sockets\n", TD_SOCKS);
	abort();
}

struct td_sock *td_sock_find(struct td_run *r, int64_t fd)
{
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		if (r->socks[i] && r->socks[i]->fd == fd && fd >= 0)
			return r->socks[i];
	}
	return NULL;
}

/* tcp_defer_accept in time-outs of the SYN-ACK: Linux's secs_to_retrans(). */
static uint8_t defer_timeouts(uint32_t seconds)
{
	uint32_t n = 0, period = 1, wait = 1;

	if (!seconds)
		return 0;
	for (n = 1; seconds > period && n < 255; n++) {
		wait = PLX_MIN(wait * 2, 120u);
		period += wait;
	}
	return (uint8_t)n;
}

/* A listener's are for what it accepts. */
static void apply_listener(struct td_sock *s)
{
	s->l.reuseport = s->opt.reuseport;
	s->l.rcv_buf = 2 * s->opt.rcv_buf;
	s->l.mss_clamp = s->opt.maxseg;
	s->l.defer_accept = defer_timeouts(s->opt.defer_s);
}

void td_sock_apply(struct td_run *r, struct td_sock *s)
{
	const struct td_sockopts *o = &s->opt;

	apply_listener(s);
	if (!s->started)
		return;

	plx_tcp_set_nodelay(&s->c, o->nodelay);
	plx_tcp_set_cork(&s->c, o->cork);
	if (o->keepalive || o->keep_idle_s || o->keep_intvl_s || o->keep_count)
		plx_tcp_set_keepalive(&s->c, o->keepalive, o->keep_idle_s, o->keep_intvl_s,
			o->keep_count, r->now);
	if (o->user_timeout_ms)
		plx_tcp_set_user_timeout(&s->c, o->user_timeout_ms);
	plx_tcp_set_syncnt(&s->c, (uint8_t)o->syncnt);
	plx_tcp_set_window_clamp(&s->c, o->wnd_clamp);
	plx_tcp_set_linger2(&s->c, o->linger2_s);
	if (o->rcv_buf)
		plx_tcp_set_rcvbuf(&s->c, 2 * o->rcv_buf);
	if (o->maxseg)
		plx_tcp_set_maxseg(&s->c, o->maxseg);
	if (o->cc[0])
		plx_tcp_set_cc(&s->c, o->cc, r->now);
}

void td_sock_start(struct td_run *r, struct td_sock *s, const struct plx_tcp_id *id)
{
	plx_tcp_init(&s->c, &r->ctx, id);
	s->started = true;
	td_sock_apply(r, s);
}

static void free_listener(struct td_run *r, struct td_sock *s)
{
	plx_tcp_listener_fini(&r->ctx, &s->l);
	plx_tcp_listener_del(r->ctx.table, &s->l);
}

void td_sock_free(struct td_run *r, struct td_sock *s)
{
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		struct td_sock *other = r->socks[i];

		for (unsigned int k = 0; other && other->kind == TD_SOCK_EPOLL && k < TD_WATCHES;
			k++) {
			if (other->watch[k].sock == s)
				memset(&other->watch[k], 0, sizeof(other->watch[k]));
		}
		if (r->socks[i] == s)
			r->socks[i] = NULL;
	}
	if (s->kind == TD_SOCK_LISTEN)
		free_listener(r, s);
	if (s->live)
		plx_tcp_table_del(r->ctx.table, &s->c.id);
	if (s->started)
		plx_tcp_fini(&s->c);
	if (r->last == s)
		r->last = NULL;
	free(s);
}

bool td_sock_established(const struct td_sock *s)
{
	return s->kind == TD_SOCK_CONN && s->started && s->c.id.state != PLX_TCP_SYN_SENT &&
	       s->c.id.state != PLX_TCP_SYN_RECEIVED && s->c.id.state != PLX_TCP_CLOSED;
}

/* Connections that nobody accepts any more are reset, as in Linux's inet_csk_listen_stop(). */
static void close_listener(struct td_run *r, struct td_sock *s)
{
	uint32_t n = s->l.accept_len;

	free_listener(r, s);
	s->kind = TD_SOCK_NEW;
	s->l.accept_len = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct td_sock *child = s->accepts[i];

		child->queued = false;
		plx_tcp_abort(&child->c, r->now);
		td_net_drain(r, child);
	}
}

void td_sock_close(struct td_run *r, struct td_sock *s)
{
	bool orphan = s->started && s->live;

	s->fd = -1;
	if (s->kind == TD_SOCK_LISTEN)
		close_listener(r, s);
	if (orphan) {
		if (s->opt.linger && s->opt.linger_s == 0)
			plx_tcp_abort(&s->c, r->now);
		else
			plx_tcp_close(&s->c, r->now);
		td_net_drain(r, s);
	}
	if (!s->live && !s->queued && s->kind != TD_SOCK_CONN)
		td_sock_free(r, s);
	td_net_reap(r);
}

/* ---- readiness ---- */

uint32_t td_sock_limit(const struct td_sock *s)
{
	return s->opt.snd_buf ? s->opt.snd_buf : plx_tcp_sndbuf(&s->c);
}

uint32_t td_sock_room(const struct td_sock *s)
{
	uint32_t limit = td_sock_limit(s);
	uint64_t held = s->written - s->acked;

	return held < limit ? (uint32_t)(limit - held) : 0;
}

static uint32_t conn_ready(const struct td_sock *s)
{
	uint8_t state = s->c.id.state;
	uint32_t bits = 0;
	bool rd_over = s->fin || s->rd_shut;

	if (state == PLX_TCP_SYN_SENT || state == PLX_TCP_SYN_RECEIVED)
		return 0;
	if (s->c.err && state == PLX_TCP_CLOSED)
		bits |= POLLERR;
	if (state == PLX_TCP_CLOSED || (rd_over && s->wr_shut))
		bits |= POLLHUP;
	if (rd_over || state == PLX_TCP_CLOSED)
		bits |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (plx_tcp_readable(&s->c) > 0)
		bits |= POLLIN | POLLRDNORM;
	if (s->oob && !s->oob_read)
		bits |= POLLPRI;
	if (s->wr_shut || state == PLX_TCP_CLOSED || td_sock_room(s) >= td_sock_limit(s) / 3)
		bits |= POLLOUT | POLLWRNORM;
	return bits;
}

uint32_t td_sock_ready(const struct td_sock *s)
{
	switch (s->kind) {
	case TD_SOCK_LISTEN:
		return s->l.accept_len ? POLLIN | POLLRDNORM : 0;
	case TD_SOCK_CONN:
		return conn_ready(s);
	case TD_SOCK_NEW:
		return POLLOUT | POLLWRNORM | POLLHUP;
	default:
		return 0;
	}
}
