/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

#include <errno.h>

#include "busy.h"
#include "lone.h"

/* One timer, until_ns: 2 MSL, or net.ipv4.tcp_fin_timeout for an orphan in FIN-WAIT-2, if its
 * program has named no time (TCP_LINGER2). */
static void restart(const struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w, plx_ns now)
{
	enum plx_tunable t = w->fin_wait_2 ? PLX_TUN_TCP_FIN_TIMEOUT : PLX_TUN_TCP_TW_TIMEOUT;
	int64_t s = w->fin_wait_2 && w->linger_s ? w->linger_s : plx_tcp__tun(ctx, t);

	w->until_ns = now + PLX_SEC(s);
}

int plx_tcp_tw_init(struct plx_tcp_tw *w, struct plx_tcp *c, plx_ns now)
{
	struct plx_tcp_ctx *ctx = c->ctx;

	if (ctx->time_waits >= (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_MAX_TW_BUCKETS)) {
		tcp__lone_count(ctx, PLX_STAT_TCPEXT_TCPTIMEWAITOVERFLOW);
		return -ENOBUFS;
	}
	w->id = c->id;
	w->id.kind = PLX_TCP_KIND_TW;
	w->snd_nxt = c->snd.nxt;
	w->rcv_nxt = c->rcv.nxt;
	w->rcv_wnd = tcp__rcv_wnd(c);
	w->ts_recent = c->rcv.ts_recent;
	w->ts_ago_s = c->rcv.ts_ago_s;
	w->ts_off = c->ts_off;
	w->oow_ms = 0;
	w->rcv_wscale = c->rcv_wscale;
	w->ts_ok = c->ts_ok;
	w->fin_wait_2 = c->id.state == PLX_TCP_FIN_WAIT_2;
	w->cut_short = false;
	w->named = w->away = false;
	w->linger_s = (uint8_t)PLX_MAX(tcp__linger2(c), 0);
	w->id.state = w->fin_wait_2 ? PLX_TCP_FIN_WAIT_2 : PLX_TCP_TIME_WAIT;
	restart(ctx, w, now);
	plx_tcp_table_replace(ctx->table, &c->id, &w->id);
	tcp__busy_wait(ctx, w, now);
	ctx->time_waits++;
	return 0;
}

void plx_tcp_tw_leave(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w)
{
	plx_tcp_table_del(ctx->table, &w->id);
	ctx->time_waits--;
}

int plx_tcp_tw_adopt(
	struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w, const struct plx_tcp_tw *from, plx_ns now)
{
	*w = *from;
	if (plx_tcp_table_add(ctx->table, &w->id))
		return -ENOBUFS;
	tcp__busy_wait(ctx, w, now);
	ctx->time_waits++;
	return 0;
}

void plx_tcp_tw_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w, plx_ns now)
{
	plx_tcp_tw_leave(ctx, w);
	if (w->cut_short)
		return;
	tcp__lone_count(ctx, now >= w->until_ns ? PLX_STAT_TCPEXT_TW : PLX_STAT_TCPEXT_TWRECYCLED);
}

/* A segment for a record: what its steps pass on. */
struct arrival {
	struct plx_tcp_ctx *ctx;
	struct plx_tcp_tw *w;
	const struct plx_tcp_seg *seg;
	plx_ns now;
	struct plx_tcp_rx *rx;
	uint32_t end; /* seq behind it */
	bool paws;    /* it is an old duplicate */
	bool ts;      /* it has a timestamp that counts */
};

static void write_ack(const struct arrival *a)
{
	const struct plx_tcp_tw *w = a->w;

	*a->rx->tx = (struct plx_tcp_tx){
		.seq = w->snd_nxt,
		.ack = w->rcv_nxt,
		.flags = PLX_TCP_ACK,
		.win = (uint16_t)PLX_MIN(w->rcv_wnd >> w->rcv_wscale, UINT16_MAX),
	};
	if (w->ts_ok) {
		a->rx->tx->opts.present = PLX_TCP_OPT_TS;
		a->rx->tx->opts.ts_val = plx_tcp_ts_now(a->now) + w->ts_off;
		a->rx->tx->opts.ts_ecr = w->ts_recent;
	}
}

static void reply_ack(const struct arrival *a)
{
	write_ack(a);
	a->rx->reply = true;
	tcp__lone_count(a->ctx, PLX_STAT_TCP_OUTSEGS);
}

static void reply_limited(const struct arrival *a, enum plx_stat skipped)
{
	if (tcp__lone_may_answer(a->ctx, a->seg, a->now, &a->w->oow_ms, skipped))
		reply_ack(a);
}

static void end(const struct arrival *a, uint16_t event)
{
	if (event == PLX_TCP_EV_CLOSED)
		a->w->cut_short = true;
	a->rx->events |= event;
}

static enum plx_drop reset(const struct arrival *a, enum plx_drop why)
{
	tcp__lone_rst(a->ctx, a->seg, a->now, a->rx);
	end(a, PLX_TCP_EV_CLOSED);
	return why;
}

static void take_ts(const struct arrival *a)
{
	if (!a->ts)
		return;
	a->w->ts_recent = a->seg->opts.ts_val;
	a->w->ts_ago_s = tcp__lone_seconds(a->now);
}

/* Nobody would read more text, and only a FIN behind what came leads on. */
static enum plx_drop in_fin_wait_2(const struct arrival *a)
{
	struct plx_tcp_tw *w = a->w;
	uint16_t flags = a->seg->flags;

	if (a->paws || !tcp__lone_in_window(a->seg, w->rcv_nxt, w->rcv_wnd)) {
		reply_limited(a, PLX_STAT_TCPEXT_TCPACKSKIPPEDFINWAIT2);
		return a->paws ? PLX_DROP_TCP_PAWS : PLX_DROP_TCP_SEQ_OUT;
	}
	if (flags & PLX_TCP_RST) {
		end(a, PLX_TCP_EV_CLOSED);
		return PLX_DROP_NONE;
	}
	if (flags & PLX_TCP_SYN && !plx_seq_lt(a->seg->seq, w->rcv_nxt))
		return reset(a, PLX_DROP_TCP_SYN_BLIND);
	if (!(flags & PLX_TCP_ACK))
		return PLX_DROP_TCP_NO_ACK;
	if (!plx_seq_gt(a->end, w->rcv_nxt) || a->end == a->seg->seq)
		return PLX_DROP_TCP_ACK_DUP;
	if (!(flags & PLX_TCP_FIN) || a->end != w->rcv_nxt + 1) /* RFC 1122 4.2.2.13 */
		return reset(a, PLX_DROP_TCP_TEXT_CLOSED);
	w->fin_wait_2 = false;
	w->id.state = PLX_TCP_TIME_WAIT;
	w->rcv_nxt = a->end;
	take_ts(a);
	restart(a->ctx, w, a->now);
	tcp__busy_wait(a->ctx, w, a->now);
	reply_ack(a);
	return PLX_DROP_NONE;
}

/* A bare ACK or a RST that fits. The RST is TIME-WAIT's assassination (RFC 1337). */
static enum plx_drop in_sequence(const struct arrival *a)
{
	if (!(a->seg->flags & PLX_TCP_RST)) {
		restart(a->ctx, a->w, a->now);
	} else if (!plx_tcp__tun(a->ctx, PLX_TUN_TCP_RFC1337)) {
		end(a, PLX_TCP_EV_CLOSED);
		return PLX_DROP_NONE;
	}
	take_ts(a);
	return PLX_DROP_TCP_TIME_WAIT;
}

/* RFC 6191 2, RFC 1122 4.2.2.13: newer by sequence number, or by timestamp. */
static bool begins_anew(const struct arrival *a)
{
	const uint16_t mask = PLX_TCP_SYN | PLX_TCP_RST | PLX_TCP_ACK;

	if ((a->seg->flags & mask) != PLX_TCP_SYN || a->paws)
		return false;
	return plx_seq_gt(a->seg->seq, a->w->rcv_nxt) ||
	       (a->ts && plx_seq_gt(a->seg->opts.ts_val, a->w->ts_recent));
}

static enum plx_drop in_time_wait(const struct arrival *a)
{
	uint16_t flags = a->seg->flags;

	if (!a->paws && a->seg->seq == a->w->rcv_nxt &&
		(a->end == a->seg->seq || flags & PLX_TCP_RST))
		return in_sequence(a);
	if (begins_anew(a)) {
		write_ack(a); /* for the case that nobody listens any more */
		end(a, PLX_TCP_EV_REOPEN);
		return PLX_DROP_NONE;
	}
	if (flags & PLX_TCP_RST)
		return a->paws ? PLX_DROP_TCP_PAWS : PLX_DROP_TCP_TIME_WAIT;
	/* A SYN alone may be a new one whose number is too low: 2 MSL go on for the old ones. */
	if (a->paws || flags & PLX_TCP_ACK)
		restart(a->ctx, a->w, a->now);
	reply_limited(a, PLX_STAT_TCPEXT_TCPACKSKIPPEDTIMEWAIT);
	return a->paws ? PLX_DROP_TCP_PAWS : PLX_DROP_TCP_TIME_WAIT;
}

enum plx_drop plx_tcp_tw_input(struct plx_tcp_ctx *ctx, struct plx_tcp_tw *w,
	const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	const struct tcp_lone_ts ts = {.recent = w->ts_recent, .ago_s = w->ts_ago_s};
	const struct arrival a = {
		.ctx = ctx,
		.w = w,
		.seg = seg,
		.now = now,
		.rx = rx,
		.end = seg->seq + plx_tcp_seg_space(seg),
		.ts = w->ts_ok && seg->opts.present & PLX_TCP_OPT_TS,
		.paws = w->ts_ok && tcp__lone_paws(&ts, seg, now),
	};

	tcp__lone_clear(rx);
	if (a.paws)
		tcp__lone_count(ctx, PLX_STAT_TCPEXT_PAWSESTAB);
	return w->fin_wait_2 ? in_fin_wait_2(&a) : in_time_wait(&a);
}

bool tcp__tw_reuse(const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id)
{
	int64_t reuse = plx_tcp__tun(ctx, PLX_TUN_TCP_TW_REUSE);

	if (reuse == 2)
		return plx_addr_is_loopback(&id->laddr) || plx_addr_is_loopback(&id->raddr);
	return reuse;
}

/* Linux's tcp_twsk_unique(): a second later our timestamps tell the old segments from the new. */
bool plx_tcp_tw_reusable(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_tw *w, plx_ns now, uint32_t *isn)
{
	if (!tcp__tw_reuse(ctx, &w->id) || !plx_tcp_tw_stamped(w))
		return false;
	if ((int32_t)(tcp__lone_seconds(now) - w->ts_ago_s) <= 0)
		return false;
	*isn = plx_tcp_tw_iss(w);
	return true;
}
