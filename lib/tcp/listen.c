/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen.h"

#define WSCALE_MAX   14 /* RFC 7323 2.3 */
#define TS_OPT_BYTES 12 /* with its padding */
#define WND_NO_SCALE 65535u
#define REFUSED_NS   PLX_SEC(1)

/* A segment for a listener: what its steps pass on. */
struct arrival {
	struct plx_tcp_ctx *ctx;
	struct plx_tcp_listener *l;
	const struct plx_tcp_id *id;
	const struct plx_tcp_seg *seg;
	const struct plx_tcp_path *path;
	plx_ns now;
	uint32_t iss_above;
	struct plx_tcp_rx *rx;
	struct plx_tcp_start *start;
};

/*
 * Linux's tcp_select_initial_window(): half of the buffer, whole segments; the scale is that of the
 * largest buffer that there may ever be, as it is fixed from now on. The window of a SYN is not
 * scaled (RFC 7323 2.2).
 */
void tcp__listen_window(const struct plx_tcp_ctx *ctx, const struct plx_tcp_listener *l,
	uint16_t mss, struct plx_tcp_start *s)
{
	uint32_t buf =
		l->rcv_buf ? l->rcv_buf : (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_RMEM_DEFAULT);
	uint32_t most = l->rcv_buf ? buf / 2 : WND_NO_SCALE << WSCALE_MAX;
	uint32_t space = PLX_MIN(buf / 2, most);
	uint32_t text = mss - (s->ts_ok ? TS_OPT_BYTES : 0);

	if (text && space > text)
		space -= space % text;
	s->rcv_wnd = PLX_MIN(space, WND_NO_SCALE);
	s->rcv_wscale = 0;
	if (!s->wscale_ok)
		return;
	space = PLX_MAX(space, (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_RMEM_MAX));
	space = PLX_MIN(space, most);
	while (s->rcv_wscale < WSCALE_MAX && space >> s->rcv_wscale > WND_NO_SCALE)
		s->rcv_wscale++;
}

void tcp__listen_syn_ack(
	const struct plx_tcp_start *s, uint16_t mss, uint32_t ts_val, struct plx_tcp_tx *tx)
{
	*tx = (struct plx_tcp_tx){
		.seq = s->iss,
		.ack = s->irs + 1,
		.flags = PLX_TCP_SYN | PLX_TCP_ACK | (s->ecn_ok ? PLX_TCP_ECE : 0),
		.win = (uint16_t)s->rcv_wnd,
		.mss = mss,
		.opts = {.present = PLX_TCP_OPT_MSS, .mss = mss},
	};
	if (s->wscale_ok) {
		tx->opts.present |= PLX_TCP_OPT_WSCALE;
		tx->opts.wscale = s->rcv_wscale;
	}
	if (s->sack_ok)
		tx->opts.present |= PLX_TCP_OPT_SACK_OK;
	if (s->ts_ok) {
		tx->opts.present |= PLX_TCP_OPT_TS;
		tx->opts.ts_val = ts_val;
		tx->opts.ts_ecr = s->ts_recent;
	}
}

static bool offers(const struct arrival *a, uint8_t opt, enum plx_tunable allowed)
{
	return (a->seg->opts.present & opt) && plx_tcp__tun(a->ctx, allowed);
}

/* RFC 3168 6.1.1: an ECN-setup SYN has both flags, and is itself not ECN-capable. */
static bool asks_for_ecn(const struct arrival *a)
{
	const uint16_t both = PLX_TCP_ECE | PLX_TCP_CWR;

	return (a->seg->flags & both) == both && a->seg->ecn == PLX_TCP_NOT_ECT &&
	       plx_tcp__tun(a->ctx, PLX_TUN_TCP_ECN);
}

static uint16_t peer_mss(const struct arrival *a)
{
	const struct plx_tcp_opts *o = &a->seg->opts;
	uint16_t mss =
		o->present & PLX_TCP_OPT_MSS && o->mss ? o->mss : tcp__listen_mss_default(a->id);

	return a->l->mss_clamp ? PLX_MIN(mss, a->l->mss_clamp) : mss;
}

static struct plx_tcp_start agree(const struct arrival *a)
{
	struct plx_tcp_start s = {
		.irs = a->seg->seq,
		.mss = peer_mss(a),
		.snd_wnd = a->seg->win,
		.wscale_ok = offers(a, PLX_TCP_OPT_WSCALE, PLX_TUN_TCP_WINDOW_SCALING),
		.sack_ok = offers(a, PLX_TCP_OPT_SACK_OK, PLX_TUN_TCP_SACK),
		.ts_ok = offers(a, PLX_TCP_OPT_TS, PLX_TUN_TCP_TIMESTAMPS),
		.ecn_ok = asks_for_ecn(a),
		.sent_ns = a->now,
	};

	if (s.wscale_ok)
		s.snd_wscale = PLX_MIN(a->seg->opts.wscale, WSCALE_MAX);
	if (s.ts_ok) {
		s.ts_recent = a->seg->opts.ts_val;
		s.ts_off = plx_tcp_ts_offset(a->ctx, a->id);
	}
	return s;
}

/* Nothing of a SYN is kept but what returns with the cookie: options need the timestamp's bits. */
static void answer_by_cookie(const struct arrival *a, struct plx_tcp_start *s)
{
	uint16_t mss = tcp__listen_mss(a->l, a->path);

	if (!s->ts_ok)
		s->wscale_ok = s->sack_ok = s->ecn_ok = false;
	tcp__listen_window(a->ctx, a->l, mss, s);
	s->iss = tcp__cookie_make(a->ctx, a->id, s, a->now);
	tcp__listen_syn_ack(s, mss, tcp__cookie_ts(s, a->now) + s->ts_off, a->rx->tx);
	a->l->cookie_sent = true;
	a->l->cookie_last_ns = a->now;
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_SYNCOOKIESSENT);
}

static bool answer_by_record(
	const struct arrival *a, struct plx_tcp_start *s, struct plx_tcp_req **req)
{
	uint16_t mss = tcp__listen_mss(a->l, a->path);

	tcp__listen_window(a->ctx, a->l, mss, s);
	s->iss = plx_tcp_isn(a->ctx, a->id, a->now);
	if (a->iss_above && !plx_seq_gt(s->iss, a->iss_above))
		s->iss = a->iss_above + 1;
	*req = tcp__req_add(a->ctx, a->l, a->id, s, a->now);
	if (*req)
		tcp__listen_syn_ack(s, mss, plx_tcp_ts_now(a->now) + s->ts_off, a->rx->tx);
	return *req;
}

static enum plx_drop refuse_syn(const struct arrival *a, enum plx_drop why)
{
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_LISTENDROPS);
	return why;
}

/* Linux's tcp_conn_request(). Who comes from a TIME-WAIT is no flood. */
static enum plx_drop on_syn(const struct arrival *a, struct plx_tcp_req **req)
{
	int64_t cookies = plx_tcp__tun(a->ctx, PLX_TUN_TCP_SYNCOOKIES);
	bool full = !a->iss_above && a->l->syn_len >= tcp__listen_syn_max(a->ctx, a->l);
	bool cookie = full || ((cookies == 2 || a->ctx->refuse) && !a->iss_above);
	struct plx_tcp_start s;

	if (full && !cookies) {
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_TCPREQQFULLDROP);
		return refuse_syn(a, PLX_DROP_TCP_SYN_QUEUE_FULL);
	}
	if (plx_unlikely(a->ctx->refuse) && (!cookies || a->iss_above))
		return refuse_syn(a, PLX_DROP_TCP_NEW_MEMORY);
	if (cookie)
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_TCPREQQFULLDOCOOKIES);
	if (tcp__listen_full(a->l)) {
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_LISTENOVERFLOWS);
		return refuse_syn(a, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
	}
	s = agree(a);
	if (!cookie && !answer_by_record(a, &s, req)) {
		if (!cookies || a->iss_above) /* a cookie knows no lower bound */
			return refuse_syn(a, PLX_DROP_TCP_NO_MEMORY);
		cookie = true;
	}
	if (cookie)
		answer_by_cookie(a, &s);
	tcp__lone_count(a->ctx, PLX_STAT_TCP_OUTSEGS);
	return PLX_DROP_NONE;
}

/* Only then is an ACK worth two hashes, and a forger's chance more than none. */
static bool cookies_are_out(const struct arrival *a)
{
	return a->l->cookie_sent && plx_tcp__tun(a->ctx, PLX_TUN_TCP_SYNCOOKIES) &&
	       a->now - a->l->cookie_last_ns <= LISTEN_COOKIE_PERIODS * LISTEN_COOKIE_NS;
}

/* Linux's cookie_v4_check(): the handshake from what the ACK brings. */
static bool from_cookie(const struct arrival *a)
{
	const struct plx_tcp_seg *seg = a->seg;
	struct plx_tcp_start *s = a->start;

	*s = (struct plx_tcp_start){
		.iss = seg->ack - 1,
		.irs = seg->seq - 1,
		.sent_ns = PLX_NEVER,
	};
	s->mss = tcp__cookie_mss(a->ctx, a->id, s, a->now);
	if (!s->mss)
		return false;
	if (seg->opts.present & PLX_TCP_OPT_TS) {
		s->ts_off = plx_tcp_ts_offset(a->ctx, a->id);
		if (!tcp__cookie_options(a->ctx, seg->opts.ts_ecr - s->ts_off, s))
			return false;
		s->ts_ok = true;
		s->ts_recent = seg->opts.ts_val;
	}
	s->snd_wnd = (uint16_t)PLX_MIN((uint32_t)seg->win << s->snd_wscale, WND_NO_SCALE);
	tcp__listen_window(a->ctx, a->l, tcp__listen_mss(a->l, a->path), s);
	return true;
}

static enum plx_drop on_ack(const struct arrival *a)
{
	enum plx_drop why = PLX_DROP_TCP_NO_CONN;

	if (!(a->seg->flags & PLX_TCP_SYN) && cookies_are_out(a)) {
		if (from_cookie(a)) {
			tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_SYNCOOKIESRECV);
			/* without a word: it will say so again */
			if (plx_unlikely(a->ctx->refuse)) {
				a->l->refused_until_ns = a->now + REFUSED_NS;
				return refuse_syn(a, PLX_DROP_TCP_NEW_MEMORY);
			}
			if (!tcp__listen_full(a->l))
				return PLX_DROP_NONE;
			tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_LISTENOVERFLOWS);
			return refuse_syn(a, PLX_DROP_TCP_ACCEPT_QUEUE_FULL);
		}
		/* text behind an ACK that was dropped so has no cookie; it comes again, too */
		if (plx_unlikely(a->now < a->l->refused_until_ns))
			return refuse_syn(a, PLX_DROP_TCP_NEW_MEMORY);
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_SYNCOOKIESFAILED);
		why = PLX_DROP_TCP_COOKIE;
	}
	tcp__lone_rst(a->ctx, a->seg, a->now, a->rx);
	return why;
}

/* RFC 9293 3.10.7.2, in its order. */
enum plx_tcp_verdict plx_tcp_listener_input(struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l,
	const struct plx_tcp_id *id, const struct plx_tcp_seg *seg, const struct plx_tcp_path *path,
	plx_ns now, uint32_t iss_above, struct plx_tcp_rx *rx, struct plx_tcp_req **req,
	struct plx_tcp_start *start, enum plx_drop *drop)
{
	const struct arrival a = {ctx, l, id, seg, path, now, iss_above, rx, start};

	tcp__lone_clear(rx);
	*req = NULL;
	if (seg->flags & PLX_TCP_RST) {
		*drop = PLX_DROP_TCP_RST_BAD_ACK;
	} else if (seg->flags & PLX_TCP_ACK) {
		*drop = on_ack(&a);
		if (*drop == PLX_DROP_NONE)
			return PLX_TCP_VERDICT_ACCEPT;
	} else if (!(seg->flags & PLX_TCP_SYN)) {
		*drop = PLX_DROP_TCP_NO_ACK;
	} else if (seg->flags & PLX_TCP_FIN) {
		*drop = PLX_DROP_TCP_FLAGS;
	} else {
		*drop = on_syn(&a, req);
		if (*drop == PLX_DROP_NONE)
			return PLX_TCP_VERDICT_SYN_ACK;
	}
	return PLX_TCP_VERDICT_DROP;
}

void plx_tcp_listener_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l)
{
	struct plx_tcp_req *req, *tmp;

	for (size_t i = 0; i < PLX_DIM(ctx->req_due); i++)
		plx_list_foreach_safe (req, tmp, &ctx->req_due[i], of_due)
			if (req->listener == l)
				plx_tcp_req_fini(ctx, req);
}
