/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* A connection's life as its program sees it: RFC 9293 3.9.1's calls. */

struct tcp_cold *tcp__cold(struct plx_tcp *c)
{
	if (!c->cold) {
		c->cold = plx_arena_alloc(c->ctx->mem, sizeof(*c->cold));
		if (c->cold)
			memset(c->cold, 0, sizeof(*c->cold));
	}
	return c->cold;
}

void plx_tcp_init(struct plx_tcp *c, struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id)
{
	memset(c, 0, sizeof(*c));
	c->id = *id;
	c->id.kind = PLX_TCP_KIND_CONN;
	c->id.state = PLX_TCP_CLOSED;
	c->ctx = ctx;
	c->rtx_ns = c->delack_ns = c->keep_ns = c->pace_ns = PLX_NEVER;
	c->rcv.buf = (uint32_t)tcp_tun(c, TCP_RMEM_DEFAULT) / 2;
	c->reordering = (uint16_t)tcp_tun(c, TCP_REORDERING);
	c->ssthresh = TCP_SSTHRESH_INF;
	c->rack_steps = 1;
	c->cc = tcp_tun(c, TCP_CUBIC) ? &plx_tcp_cubic : &plx_tcp_reno;
	tcp__rtt_init(c);
}

void plx_tcp_fini(struct plx_tcp *c)
{
	tcp__sndq_free(c);
	tcp__rcvq_free(c);
	if (c->cold)
		plx_arena_free(c->ctx->mem, c->cold, sizeof(*c->cold));
	c->cold = NULL;
}

int plx_tcp_adopt(struct plx_tcp *to, struct plx_tcp_ctx *ctx, const struct plx_tcp *c)
{
	*to = *c;
	to->ctx = ctx;
	to->cold = NULL;
	if (!tcp__sndq_copy(to, c))
		return -ENOBUFS;
	if (!tcp__rcvq_copy(to, c) || (c->cold && !tcp__cold(to))) {
		plx_tcp_fini(to);
		return -ENOBUFS;
	}
	if (c->cold)
		*to->cold = *c->cold;
	return 0;
}

static bool is_v6(const struct plx_tcp *c)
{
	return !plx_addr_is_v4(&c->id.raddr);
}

/* RFC 6691: options are deducted by the sender, the peer's MSS counts without them. */
void tcp__sync_mss(struct plx_tcp *c)
{
	struct plx_tcp_path path = {.mtu = c->pmtu, .v6 = is_v6(c)};
	uint32_t mss = PLX_MIN(plx_tcp_path_mss(&path), c->snd.mss_peer);

	if (c->snd.mss_clamp)
		mss = PLX_MIN(mss, c->snd.mss_clamp);
	mss = PLX_MAX(mss, (uint32_t)tcp_tun(c, TCP_MIN_SND_MSS));
	if (c->ts_ok)
		mss -= TCP_TS_BYTES;
	c->snd.mss = (uint16_t)mss;
}

uint16_t tcp__adv_mss(const struct plx_tcp *c)
{
	struct plx_tcp_path path = {.mtu = c->pmtu, .v6 = is_v6(c)};
	uint16_t mss = plx_tcp_path_mss(&path);

	return c->snd.mss_clamp ? PLX_MIN(mss, c->snd.mss_clamp) : mss;
}

static uint8_t wscale_for(const struct plx_tcp *c)
{
	uint32_t space = PLX_MAX(c->rcv.buf, c->fixed_buf ? 0 : (uint32_t)tcp_tun(c, TCP_RMEM_MAX));
	int bits;

	space = PLX_MIN(space, tcp__wnd_clamp(c));
	bits = 31 - __builtin_clz(space) - 15;
	return (uint8_t)PLX_MIN(PLX_MAX(bits, 0), TCP_WSCALE_MAX);
}

/* Linux's tcp_select_initial_window(): whole segments, and no more than a SYN can say. */
static void choose_window(struct plx_tcp *c, uint32_t mss)
{
	uint32_t space = PLX_MIN(c->rcv.buf, tcp__wnd_clamp(c));

	if (space > mss)
		space -= space % mss;
	c->rcv.wnd = PLX_MIN(space, 65535u);
}

void plx_tcp_open(
	struct plx_tcp *c, const struct plx_tcp_path *path, uint32_t iss_above, plx_ns now)
{
	c->pmtu = path->mtu;
	c->snd.mss_peer = is_v6(c) ? TCP_MSS6_DEFAULT : TCP_MSS_DEFAULT;
	c->ts_ok = tcp_tun(c, TCP_TIMESTAMPS) != 0;
	c->sack_ok = tcp_tun(c, TCP_SACK) != 0;
	c->wscale_ok = tcp_tun(c, TCP_WINDOW_SCALING) != 0;
	c->ecn_ok = tcp_tun(c, TCP_ECN) == 1;
	c->ts_off = tcp_tun(c, TCP_TIMESTAMPS) == 1 ? plx_tcp_ts_offset(c->ctx, &c->id) : 0;
	c->rcv_wscale = c->wscale_ok ? wscale_for(c) : 0;
	tcp__sync_mss(c);
	choose_window(c, plx_tcp_path_mss(path));
	c->iss = iss_above ? iss_above : plx_tcp_isn(c->ctx, &c->id, now);
	c->snd.una = c->iss;
	c->snd.nxt = c->snd.end = c->iss + 1;
	c->snd.sml = c->iss;
	c->rcv.mss = TCP_MSS_DEFAULT;
	c->syn_due = true;
	c->rack.xmit_ns = now;
	tcp_stat(c, TCP_ACTIVEOPENS);
	tcp__set_state(c, PLX_TCP_SYN_SENT, now);
}

void plx_tcp_accept(struct plx_tcp *c, const struct plx_tcp_start *s,
	const struct plx_tcp_path *path, plx_ns now)
{
	c->passive = true;
	c->pmtu = path->mtu;
	c->snd.mss_peer = s->mss;
	c->ts_ok = s->ts_ok;
	c->sack_ok = s->sack_ok;
	c->wscale_ok = s->wscale_ok;
	c->ecn_ok = s->ecn_ok;
	c->snd_wscale = s->snd_wscale;
	c->rcv_wscale = s->rcv_wscale;
	c->ts_off = s->ts_off;
	c->rcv.ts_recent = s->ts_recent;
	c->rcv.ts_ago_s = (uint32_t)(now / PLX_SEC(1));
	tcp__sync_mss(c);
	c->iss = s->iss;
	c->snd.una = c->iss;
	c->snd.nxt = c->snd.end = c->iss + 1;
	c->snd.sml = c->iss;
	c->snd.wl1 = s->irs;
	c->snd.wnd = c->snd.max_wnd = s->snd_wnd;
	c->rcv.nxt = c->rcv.wup = c->rcv.read = s->irs + 1;
	c->rcv.wnd = s->rcv_wnd;
	c->rcv.mss = PLX_MIN(c->snd.mss, (uint16_t)TCP_MSS_DEFAULT);
	c->rack.xmit_ns = s->sent_ns;
	c->retransmits = s->retrans;
	if (s->retrans && tcp__cold(c))
		c->cold->total_retrans = s->retrans;
	tcp_stat(c, TCP_PASSIVEOPENS);
	tcp__set_state(c, PLX_TCP_SYN_RECEIVED, now);
}

/* How long a segment of the peer may be, guessed until one comes (Linux's
 * tcp_initialize_rcv_mss()). */
static uint16_t guess_rcv_mss(const struct plx_tcp *c)
{
	uint32_t hint = PLX_MIN(c->snd.mss, c->rcv.wnd / 2);

	hint = PLX_MIN(hint, (uint32_t)TCP_MSS_DEFAULT);
	return (uint16_t)PLX_MAX(hint, 88u);
}

void tcp__established(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	bool clean = c->retransmits == 0 && c->rack.xmit_ns != PLX_NEVER;

	c->snd.una = seg->ack;
	c->snd.wnd = tcp__peer_wnd(c, seg);
	c->snd.max_wnd = c->snd.wnd;
	c->snd.wl1 = seg->seq;
	c->rcv.mss = guess_rcv_mss(c);
	tcp__sync_mss(c);
	tcp__rtx_stop(c);
	if (clean) /* RFC 6298 5.7: a SYN sent again gives no sample, */
		tcp__rtt_sample(c, tcp__us(now - c->rack.xmit_ns), now);
	else if (c->ts_ok && seg->opts.ts_ecr)
		tcp__rtt_sample(
			c, (plx_tcp_ts_now(now) + c->ts_off - seg->opts.ts_ecr) * 1000, now);
	else if (c->retransmits) /* and a time-out of three seconds */
		c->rtt.rto_us = 3 * TCP_RTO_INIT_US;
	if (c->rtt.srtt8_us)
		tcp__rtt_min(c, c->rtt.srtt8_us >> 3, now);
	c->cwnd = c->retransmits > 1 ? 1 : tcp__init_cwnd(c); /* RFC 6928 2, as Linux reads it */
	c->retransmits = 0;
	c->backoff = 0;
	c->rack.xmit_ns = 0;
	c->rack.end_seq = c->rack.fack = c->snd.una;
	c->max_out_seq = c->rtt.seq = c->rec.recover = c->rack.dsack_seq = c->snd.una;
	c->snd.last_ns = now;
	c->used_ms = tcp__ms(now);
	tcp__rwnd_init(c, now);
	if (c->cc->init)
		c->cc->init(c, now);
	tcp__set_state(c, PLX_TCP_ESTABLISHED, now);
	if (c->keepalive)
		tcp__keep_arm(c, now);
	if (c->fin_due) /* closed while it was opened (RFC 9293 3.10.4) */
		tcp__set_state(c, PLX_TCP_FIN_WAIT_1, now);
}

void plx_tcp_wrote(struct plx_tcp *c, uint32_t n, plx_ns now)
{
	(void)now;
	c->snd.end += n;
	c->more = c->unpushed = c->push_due = false;
}

void plx_tcp_wrote_more(struct plx_tcp *c, uint32_t n, plx_ns now)
{
	plx_tcp_wrote(c, n, now);
	c->more = c->unpushed = true;
}

uint32_t plx_tcp_unacked(const struct plx_tcp *c)
{
	int32_t n = plx_seq_diff(c->snd.end, tcp__first_text(c));

	return n > 0 ? (uint32_t)n : 0; /* -1: the FIN is acknowledged too */
}

uint32_t plx_tcp_unsent(const struct plx_tcp *c)
{
	int32_t n = plx_seq_diff(c->snd.end, c->snd.nxt);

	return n > 0 ? (uint32_t)n : 0;
}

uint32_t plx_tcp_sndbuf(const struct plx_tcp *c)
{
	/* twice the window, as ACKs take a round trip to make room, and what may be sent next */
	uint64_t segs = PLX_MAX(PLX_MAX(c->cwnd, tcp__init_cwnd(c)), c->reordering + 1u);
	uint64_t want = 2 * segs * c->snd.mss;

	if (plx_unlikely(c->cold && c->cold->sndbuf))
		return c->cold->sndbuf;
	if (plx_unlikely(c->ctx->pressure)) /* no more than at first (tcp_should_expand_sndbuf()) */
		want = 0;
	want = PLX_MAX(want, (uint64_t)tcp_tun(c, TCP_WMEM_DEFAULT));
	return (uint32_t)PLX_MIN(want, (uint64_t)tcp_tun(c, TCP_WMEM_MAX));
}

void plx_tcp_read(struct plx_tcp *c, uint32_t n, plx_ns now)
{
	uint32_t left, wnd;

	c->rcv.read += n;
	if (plx_unlikely(c->urg_rcvd))
		c->urg_rcvd = plx_seq_gt(c->cold->rcv_up, c->rcv.read);
	tcp__rwnd_tune(c, now);
	if (!tcp__synchronized(c))
		return;
	c->ack_now |= tcp__delack_read(c);
	if (c->fin_rcvd)
		return;
	/* Tell of a window that has opened by enough (Linux's __tcp_cleanup_rbuf()). */
	left = tcp__rcv_wnd(c);
	if (2 * left > c->rcv.buf)
		return;
	wnd = tcp__rwnd_free(c);
	if (wnd && wnd >= 2 * left)
		c->ack_due = c->ack_now = true;
}

void plx_tcp_shutdown(struct plx_tcp *c, plx_ns now)
{
	switch (c->id.state) {
	case PLX_TCP_ESTABLISHED:
		c->fin_due = true;
		tcp__set_state(c, PLX_TCP_FIN_WAIT_1, now);
		break;
	case PLX_TCP_CLOSE_WAIT:
		c->fin_due = true;
		tcp__set_state(c, PLX_TCP_LAST_ACK, now);
		break;
	case PLX_TCP_SYN_SENT:
	case PLX_TCP_SYN_RECEIVED: /* the FIN follows the handshake */
		c->fin_due = true;
		break;
	default:
		break;
	}
}

void plx_tcp_close(struct plx_tcp *c, plx_ns now)
{
	c->orphan = true;
	if (tcp__synchronized(c) && plx_tcp_readable(c)) {
		tcp_stat(c, TCPEXT_TCPABORTONCLOSE);
		plx_tcp_abort(c, now);
		return;
	}
	if (c->id.state == PLX_TCP_SYN_SENT) {
		tcp__done(c, 0, now);
		return;
	}
	plx_tcp_shutdown(c, now);
	if (!tcp__lingers(c))
		return;
	if (tcp__linger2(c) < 0) {
		tcp_stat(c, TCPEXT_TCPABORTONLINGER);
		tcp__done(c, 0, now);
		c->rst_due = true;
		return;
	}
	tcp__keep_arm(c, now);
}

void plx_tcp_abort(struct plx_tcp *c, plx_ns now)
{
	bool known = tcp__synchronized(c) && c->id.state != PLX_TCP_TIME_WAIT;

	/* RFC 9293 3.10.5; what CLOSING and LAST-ACK wait for is ours, too, to be given up */
	known = known || c->id.state == PLX_TCP_SYN_RECEIVED;
	c->orphan = true;
	if (c->id.state == PLX_TCP_CLOSED) /* its RST may still be due */
		return;
	tcp__done(c, ECONNABORTED, now);
	c->rst_due = known;
}
