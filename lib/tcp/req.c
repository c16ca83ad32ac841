/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen.h"

#include <errno.h>

/*
 * SYN-RECEIVED. One timer: the SYN-ACK's, 1 s doubled each time up to 120 s (RFC 6298 2.1, 5.5).
 * All records with the same number of time-outs wait equally long, so each such list is in order.
 */
static plx_ns backoff_ns(const struct plx_tcp_req *req)
{
	return req->timeouts < PLX_TCP_REQ_BACKOFFS - 1 ? PLX_SEC(1) << req->timeouts
							: PLX_SEC(120);
}

static void arm(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req, plx_ns now)
{
	uint32_t i = PLX_MIN(req->timeouts, PLX_TCP_REQ_BACKOFFS - 1);

	req->due_ns = now + backoff_ns(req);
	plx_list_move_tail(&ctx->req_due[i], &req->of_due);
}

plx_ns plx_tcp_req_deadline(const struct plx_tcp_ctx *ctx)
{
	plx_ns when = PLX_NEVER;

	for (size_t i = 0; i < PLX_DIM(ctx->req_due); i++) {
		const struct plx_tcp_req *req =
			plx_list_first(&ctx->req_due[i], struct plx_tcp_req, of_due);

		if (req && req->due_ns < when)
			when = req->due_ns;
	}
	return when;
}

struct plx_tcp_req *plx_tcp_req_due(struct plx_tcp_ctx *ctx, plx_ns now)
{
	for (size_t i = 0; i < PLX_DIM(ctx->req_due); i++) {
		struct plx_tcp_req *req =
			plx_list_first(&ctx->req_due[i], struct plx_tcp_req, of_due);

		if (req && req->due_ns <= now)
			return req;
	}
	return NULL;
}

struct plx_tcp_req *tcp__req_add(struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l,
	const struct plx_tcp_id *id, const struct plx_tcp_start *s, plx_ns now)
{
	struct plx_tcp_req *req = plx_arena_alloc(ctx->mem, sizeof(*req));

	if (!req)
		return NULL;
	*req = (struct plx_tcp_req){
		.id = *id,
		.listener = l,
		.iss = s->iss,
		.irs = s->irs,
		.ts_recent = s->ts_recent,
		.ts_off = s->ts_off,
		.rcv_wnd = s->rcv_wnd,
		.mss = s->mss,
		.snd_wnd = s->snd_wnd,
		.snd_wscale = s->snd_wscale & 15,
		.rcv_wscale = s->rcv_wscale & 15,
		.wscale_ok = s->wscale_ok,
		.sack_ok = s->sack_ok,
		.ts_ok = s->ts_ok,
		.ecn_ok = s->ecn_ok,
		.sent_ns = now,
	};
	req->id.kind = PLX_TCP_KIND_REQ;
	req->id.state = PLX_TCP_SYN_RECEIVED;
	if (plx_tcp_table_add(ctx->table, &req->id)) {
		plx_arena_free(ctx->mem, req, sizeof(*req));
		return NULL;
	}
	plx_list_init(&req->of_due);
	arm(ctx, req, now);
	l->syn_len++;
	l->syn_young++;
	return req;
}

void plx_tcp_req_leave(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req)
{
	plx_tcp_table_del(ctx->table, &req->id);
	plx_list_del(&req->of_due);
	req->listener->syn_len--;
	if (!req->timeouts)
		req->listener->syn_young--;
	req->listener = NULL;
}

void plx_tcp_req_free(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req)
{
	plx_arena_free(ctx->mem, req, sizeof(*req));
}

void plx_tcp_req_fini(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req)
{
	plx_tcp_req_leave(ctx, req);
	plx_tcp_req_free(ctx, req);
}

/* Where it belongs among those that wait equally long: it may be older than the last of them. */
static void place(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req)
{
	struct plx_list *due = &ctx->req_due[PLX_MIN(req->timeouts, PLX_TCP_REQ_BACKOFFS - 1)];
	struct plx_list *at = due;

	while (at->prev != due &&
		plx_list_entry(at->prev, struct plx_tcp_req, of_due)->due_ns > req->due_ns)
		at = at->prev;
	plx_list_add_tail(at, &req->of_due); /* before it */
}

int plx_tcp_req_adopt(
	struct plx_tcp_ctx *ctx, struct plx_tcp_listener *l, const struct plx_tcp_req *from)
{
	struct plx_tcp_req *req = plx_arena_alloc(ctx->mem, sizeof(*req));

	if (!req)
		return -ENOBUFS;
	*req = *from;
	req->listener = l;
	if (plx_tcp_table_add(ctx->table, &req->id)) {
		plx_arena_free(ctx->mem, req, sizeof(*req));
		return -ENOBUFS;
	}
	place(ctx, req);
	l->syn_len++;
	l->syn_young += !req->timeouts;
	return 0;
}

static struct plx_tcp_start start_of(const struct plx_tcp_req *req)
{
	return (struct plx_tcp_start){
		.iss = req->iss,
		.irs = req->irs,
		.rcv_wnd = req->rcv_wnd,
		.ts_recent = req->ts_recent,
		.ts_off = req->ts_off,
		.mss = req->mss,
		.snd_wnd = req->snd_wnd,
		.snd_wscale = req->snd_wscale,
		.rcv_wscale = req->rcv_wscale,
		.wscale_ok = req->wscale_ok,
		.sack_ok = req->sack_ok,
		.ts_ok = req->ts_ok,
		.ecn_ok = req->ecn_ok,
		.retrans = req->retrans,
		.sent_ns = req->sent_ns,
	};
}

static void syn_ack_again(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req,
	const struct plx_tcp_path *path, plx_ns now, struct plx_tcp_tx *tx)
{
	const struct plx_tcp_start s = start_of(req);

	tcp__listen_syn_ack(
		&s, tcp__listen_mss(req->listener, path), plx_tcp_ts_now(now) + req->ts_off, tx);
	if (req->retrans < UINT8_MAX)
		req->retrans++;
	tcp__lone_count(ctx, PLX_STAT_TCP_RETRANSSEGS);
	tcp__lone_count(ctx, PLX_STAT_TCPEXT_TCPSYNRETRANS);
}

/*
 * Linux's reqsk_timer_handler(): half of the queue is for the young. When they are fewer than that,
 * the old ones, each time-out halved, get fewer tries, but two.
 */
static uint32_t tries(const struct plx_tcp_ctx *ctx, const struct plx_tcp_listener *l)
{
	uint32_t most = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_SYNACK_RETRIES);
	uint64_t young = 2 * (uint64_t)l->syn_young;

	if (2 * (uint64_t)l->syn_len <= PLX_MAX(8u, tcp__listen_syn_max(ctx, l)))
		return most;
	for (; most > 2 && l->syn_len >= young; young *= 2)
		most--;
	return most;
}

/* Linux's syn_ack_recalc(): who has acknowledged and owes text is asked again only at the end. */
enum plx_tcp_req_fate plx_tcp_req_timer(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req,
	const struct plx_tcp_path *path, plx_ns now, struct plx_tcp_tx *tx)
{
	uint32_t defer = req->listener->defer_accept;
	bool waits = defer && req->acked && req->timeouts < defer;
	bool send = !waits || req->timeouts + 1u >= defer;

	tcp__lone_count(ctx, PLX_STAT_TCPEXT_TCPTIMEOUTS);
	if (req->timeouts >= tries(ctx, req->listener) && !waits)
		return PLX_TCP_REQ_OVER;
	if (req->timeouts++ == 0)
		req->listener->syn_young--;
	arm(ctx, req, now);
	if (!send)
		return PLX_TCP_REQ_WAIT;
	syn_ack_again(ctx, req, path, now, tx);
	return PLX_TCP_REQ_SEND;
}

/* Only the SYN-ACK is under way, so nothing else can be quoted (RFC 5927 4.1). */
bool plx_tcp_req_error(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_req *req, bool ends, uint32_t seq)
{
	if (!ends || seq != req->iss)
		return false;
	tcp__lone_count(ctx, PLX_STAT_TCPEXT_LISTENDROPS);
	return true;
}

/* A segment for a record: what its steps pass on. */
struct arrival {
	struct plx_tcp_ctx *ctx;
	struct plx_tcp_req *req;
	const struct plx_tcp_seg *seg;
	plx_ns now;
	struct plx_tcp_rx *rx;
};

static void reply_ack(const struct arrival *a)
{
	const struct plx_tcp_req *req = a->req;

	*a->rx->tx = (struct plx_tcp_tx){
		.seq = req->iss + 1,
		.ack = req->irs + 1,
		.flags = PLX_TCP_ACK,
		.win = (uint16_t)(req->rcv_wnd >> req->rcv_wscale),
	};
	if (req->ts_ok) {
		a->rx->tx->opts.present = PLX_TCP_OPT_TS;
		a->rx->tx->opts.ts_val = plx_tcp_ts_now(a->now) + req->ts_off;
		a->rx->tx->opts.ts_ecr = req->ts_recent;
	}
	a->rx->reply = true;
	tcp__lone_count(a->ctx, PLX_STAT_TCP_OUTSEGS);
}

/* All answers of a record, the SYN-ACK for a repeated SYN too, share one limit. */
static bool may_answer(const struct arrival *a)
{
	return tcp__lone_may_answer(
		a->ctx, a->seg, a->now, &a->req->oow_ms, PLX_STAT_TCPEXT_TCPACKSKIPPEDSYNRECV);
}

/* RFC 5961 3.2, 7: a blind guess is asked back; the true peer will say RST again, and hit. */
static void challenge(const struct arrival *a)
{
	uint32_t per_second = (uint32_t)plx_tcp__tun(a->ctx, PLX_TUN_TCP_CHALLENGE_ACK_LIMIT);

	if (!may_answer(a))
		return;
	if (!plx_tcp_limit_take(&a->ctx->challenge, a->now, per_second)) {
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_TCPACKSKIPPEDCHALLENGE);
		return;
	}
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_TCPCHALLENGEACK);
	reply_ack(a);
}

static bool paws(const struct arrival *a)
{
	const struct tcp_lone_ts ts = {
		.recent = a->req->ts_recent,
		.ago_s = tcp__lone_seconds(a->req->sent_ns),
	};

	return a->req->ts_ok && tcp__lone_paws(&ts, a->seg, a->now);
}

/* An echo that is none of our SYN-ACKs' times: someone who has not seen them (as Linux). */
static bool echo_is_wrong(const struct arrival *a)
{
	const struct plx_tcp_opts *o = &a->seg->opts;
	uint32_t ts = o->ts_ecr - a->req->ts_off;

	if (!a->req->ts_ok || !(o->present & PLX_TCP_OPT_TS) || o->ts_ecr == 0)
		return false;
	return plx_seq_lt(ts, plx_tcp_ts_now(a->req->sent_ns)) ||
	       plx_seq_gt(ts, plx_tcp_ts_now(a->now));
}

static bool is_syn_again(const struct arrival *a)
{
	return a->seg->seq == a->req->irs &&
	       (a->seg->flags & (PLX_TCP_SYN | PLX_TCP_ACK | PLX_TCP_RST)) == PLX_TCP_SYN &&
	       !paws(a);
}

/* RFC 9293 3.10.7.4, first: sequence number, with PAWS. */
static enum plx_drop check_seq(const struct arrival *a)
{
	enum plx_drop why = PLX_DROP_NONE;

	if (paws(a)) {
		tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_PAWSESTAB);
		why = PLX_DROP_TCP_PAWS;
	} else if (echo_is_wrong(a)) {
		why = PLX_DROP_TCP_TS_ECHO;
	} else if (!tcp__lone_in_window(a->seg, a->req->irs + 1, a->req->rcv_wnd)) {
		why = PLX_DROP_TCP_SEQ_OUT;
	}
	if (why && !(a->seg->flags & PLX_TCP_RST) && may_answer(a))
		reply_ack(a);
	return why;
}

/* The peer has given it up. */
static void give_up(const struct arrival *a)
{
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_EMBRYONICRSTS);
	a->rx->events = PLX_TCP_EV_RESET;
}

/* Linux's listen_overflow: the peer thinks that it is connected. */
static enum plx_drop overflow(const struct arrival *a)
{
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_LISTENOVERFLOWS);
	tcp__lone_count(a->ctx, PLX_STAT_TCPEXT_LISTENDROPS);
	if (plx_tcp__tun(a->ctx, PLX_TUN_TCP_ABORT_ON_OVERFLOW)) {
		tcp__lone_rst(a->ctx, a->seg, a->now, a->rx);
		give_up(a);
	} else {
		a->req->acked = true;
	}
	return PLX_DROP_TCP_ACCEPT_QUEUE_FULL;
}

/* Second: RST; fourth: SYN. Goes on when neither is there. */
static bool check_rst_syn(const struct arrival *a, enum plx_drop *drop)
{
	if (a->seg->flags & PLX_TCP_RST) {
		*drop = PLX_DROP_NONE;
		if (a->seg->seq != a->req->irs + 1) {
			*drop = PLX_DROP_TCP_RST_BLIND;
			challenge(a);
			return false;
		}
		tcp__lone_count(a->ctx, PLX_STAT_TCP_ATTEMPTFAILS);
		give_up(a);
		return false;
	}
	if (a->seg->flags & PLX_TCP_SYN) { /* back to LISTEN; Linux tells the peer, too */
		*drop = PLX_DROP_TCP_SYN_BLIND;
		tcp__lone_count(a->ctx, PLX_STAT_TCP_ATTEMPTFAILS);
		tcp__lone_rst(a->ctx, a->seg, a->now, a->rx);
		give_up(a);
		return false;
	}
	return true;
}

/* Fifth: ACK. @return true: the handshake is complete and its connection welcome. */
static bool check_ack(const struct arrival *a, enum plx_drop *drop)
{
	struct plx_tcp_listener *l = a->req->listener;

	*drop = PLX_DROP_NONE;
	if (!(a->seg->flags & PLX_TCP_ACK)) {
		*drop = PLX_DROP_TCP_NO_ACK;
		return false;
	}
	if (a->req->timeouts < l->defer_accept && plx_tcp_seg_space(a->seg) == 0 &&
		a->seg->seq == a->req->irs + 1) {
		a->req->acked = true;
		return false;
	}
	if (tcp__listen_full(l)) {
		*drop = overflow(a);
		return false;
	}
	return true;
}

enum plx_tcp_verdict plx_tcp_req_input(struct plx_tcp_ctx *ctx, struct plx_tcp_req *req,
	const struct plx_tcp_seg *seg, const struct plx_tcp_path *path, plx_ns now,
	struct plx_tcp_rx *rx, struct plx_tcp_start *start, enum plx_drop *drop)
{
	const struct arrival a = {ctx, req, seg, now, rx};

	tcp__lone_clear(rx);
	if (is_syn_again(&a)) {
		*drop = PLX_DROP_TCP_SYN_AGAIN;
		if (!may_answer(&a))
			return PLX_TCP_VERDICT_DROP;
		syn_ack_again(ctx, req, path, now, rx->tx);
		arm(ctx, req, now);
		return PLX_TCP_VERDICT_SYN_ACK;
	}
	/* RFC 9293 3.5.2, group 1 and 3.10.7.4: what acknowledges nothing of ours is reset */
	if (seg->flags & PLX_TCP_ACK && seg->ack != req->iss + 1) {
		*drop = seg->flags & PLX_TCP_RST ? PLX_DROP_TCP_RST_BAD_ACK
						 : PLX_DROP_TCP_ACK_FUTURE;
		tcp__lone_rst(ctx, seg, now, rx);
		return PLX_TCP_VERDICT_DROP;
	}
	*drop = check_seq(&a);
	if (*drop)
		return PLX_TCP_VERDICT_DROP;
	if (req->ts_ok && seg->opts.present & PLX_TCP_OPT_TS && !plx_seq_gt(seg->seq, req->irs + 1))
		req->ts_recent = seg->opts.ts_val;
	if (!check_rst_syn(&a, drop) || !check_ack(&a, drop))
		return PLX_TCP_VERDICT_DROP;
	*start = start_of(req);
	return PLX_TCP_VERDICT_ACCEPT;
}
