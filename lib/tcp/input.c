/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * A segment arrives: the steps of RFC 9293 3.10.7, in its order, one function each. Each says NONE
 * to go on, or why the segment is dropped.
 */

/* Not delayed; but what is sent next may have it. */
static void ack_soon(struct plx_tcp *c)
{
	c->ack_due = c->ack_now = true;
}

/* An ACK that cannot wait. */
static void ack_now(struct plx_tcp *c, struct plx_tcp_rx *rx)
{
	ack_soon(c);
	rx->ack_now = true;
}

bool tcp__oow_limited(struct plx_tcp *c, plx_ns now)
{
	struct tcp_cold *cold = tcp__cold(c);
	plx_ns gap = PLX_MS(tcp_tun(c, TCP_INVALID_RATELIMIT));

	if (!cold)
		return true; /* it would be an answer to what we could do without */
	if (cold->oow_ns && now - cold->oow_ns < gap)
		return true;
	cold->oow_ns = now ? now : 1;
	return false;
}

/* An answer to a segment out of window: text is answered always, since a peer out of step needs it
 * to get back; the rest at most twice a second, or two that are out of step answer each other for
 * ever (Linux's tcp_oow_rate_limited()). */
static void answer(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now,
	struct plx_tcp_rx *rx, enum plx_stat skipped)
{
	if ((!plx_tcp_seg_space(seg) || seg->flags & PLX_TCP_SYN) && tcp__oow_limited(c, now)) {
		plx_count(c->ctx->stat[skipped], 1);
		return;
	}
	ack_now(c, rx);
}

/* RFC 5961 7: limited for each connection, and for all together. */
static void challenge(struct plx_tcp *c, plx_ns now, struct plx_tcp_rx *rx)
{
	if (tcp__oow_limited(c, now) || !plx_tcp_limit_take(&c->ctx->challenge, now,
						(uint32_t)tcp_tun(c, TCP_CHALLENGE_ACK_LIMIT))) {
		tcp_stat(c, TCPEXT_TCPACKSKIPPEDCHALLENGE);
		return;
	}
	tcp_stat(c, TCPEXT_TCPCHALLENGEACK);
	tcp_event(c, now, CHALLENGE, .a = 0);
	ack_now(c, rx);
}

static void reset_reply(const struct plx_tcp_seg *seg, struct plx_tcp_rx *rx)
{
	rx->reply = plx_tcp_reset_for(seg, rx->tx);
}

/* ---- RFC 7323 5: protection against wrapped sequence numbers ---- */

static bool paws_rejects(const struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	int32_t newer = plx_seq_diff(seg->opts.ts_val, c->rcv.ts_recent);

	/* some send 0 in their SYN and have a clock later (Linux's tcp_paws_check()) */
	if (plx_likely(newer >= 0) || c->rcv.ts_recent == 0)
		return false;
	/* ts_recent is too old to say anything (5.5) */
	return (uint32_t)(now / PLX_SEC(1)) - c->rcv.ts_ago_s < TCP_PAWS_S;
}

/* An ACK that was overtaken by another is no attack (Linux's tcp_disordered_ack()). */
static bool disordered_ack(const struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	return seg->len == 0 && !(seg->flags & (PLX_TCP_SYN | PLX_TCP_FIN)) &&
	       seg->seq == c->rcv.nxt && seg->ack == c->snd.una &&
	       tcp__peer_wnd(c, seg) == c->snd.wnd &&
	       plx_seq_diff(c->rcv.ts_recent, seg->opts.ts_val) <=
		       (int32_t)(c->rtt.rto_us / 1000 + 1);
}

static bool has_ts(const struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	return c->ts_ok && seg->opts.present & PLX_TCP_OPT_TS;
}

/* 4.3: what will be echoed comes from the segment that the last ACK's edge lies in. */
static void take_ts(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	if (!has_ts(c, seg) || plx_seq_gt(seg->seq, c->rcv.wup))
		return;
	if (plx_seq_diff(seg->opts.ts_val, c->rcv.ts_recent) < 0 && paws_rejects(c, seg, now))
		return;
	c->rcv.ts_recent = seg->opts.ts_val;
	c->rcv.ts_ago_s = (uint32_t)(now / PLX_SEC(1));
}

/* ---- first: the sequence number ---- */

/* Some reset at the FIN that they have sent, not behind it (Linux's tcp_reset_check()). */
static bool at_fin(const struct plx_tcp *c, uint32_t seq)
{
	return c->fin_rcvd && c->id.state != PLX_TCP_TIME_WAIT && seq + 1 == c->rcv.nxt;
}

/* What had come before is reported (RFC 2883 4), also when it is not taken. */
static void duplicate(struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	uint32_t space = plx_tcp_seg_space(seg);

	if (space && !(seg->flags & PLX_TCP_SYN) && plx_seq_lt(seg->seq, c->rcv.nxt))
		tcp__rcvq_dsack(c, seg->seq, plx_seq_min(seg->seq + space, c->rcv.nxt));
}

static enum plx_drop check_seq(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	uint32_t end = seg->seq + plx_tcp_seg_space(seg);

	if (has_ts(c, seg) && plx_unlikely(paws_rejects(c, seg, now)) &&
		!(seg->flags & PLX_TCP_RST) && !disordered_ack(c, seg)) {
		tcp_stat(c, TCPEXT_PAWSESTAB);
		duplicate(c, seg);
		answer(c, seg, now, rx, PLX_STAT_TCPEXT_TCPACKSKIPPEDPAWS);
		return PLX_DROP_TCP_PAWS;
	}
	/* As Linux: what touches [last ACK, right edge] is looked at. */
	if (plx_likely(plx_seq_ge(end, c->rcv.wup) &&
		       plx_seq_le(seg->seq, c->rcv.nxt + tcp__rcv_wnd(c))))
		return PLX_DROP_NONE;
	if (seg->flags & PLX_TCP_RST)
		return at_fin(c, seg->seq) ? PLX_DROP_NONE : PLX_DROP_TCP_SEQ_OUT;
	if (seg->flags & PLX_TCP_SYN) { /* RFC 5961 4.2 */
		tcp_stat(c, TCPEXT_TCPSYNCHALLENGE);
		challenge(c, now, rx);
		return PLX_DROP_TCP_SYN_BLIND;
	}
	duplicate(c, seg);
	answer(c, seg, now, rx, PLX_STAT_TCPEXT_TCPACKSKIPPEDSEQ);
	return PLX_DROP_TCP_SEQ_OUT;
}

/* ---- second: RST (RFC 9293 3.10.7.4, RFC 5961 3.2) ---- */

/* A receiver that has SACKed up to somewhere may be reset there: the peer's snd.nxt may be that. */
static bool at_sacked_edge(const struct plx_tcp *c, uint32_t seq)
{
	struct plx_tcp_sack sack[PLX_TCP_SACKS_MAX];
	uint32_t n, edge = c->rcv.nxt;

	if (!c->sack_ok || !tcp__ofo_any(c))
		return false;
	n = tcp__rcvq_sacks(c, sack, PLX_DIM(sack));
	for (uint32_t i = c->dsack_due; i < n; i++)
		edge = plx_seq_max(edge, sack[i].end);
	return seq == edge;
}

static void reset(struct plx_tcp *c, plx_ns now, struct plx_tcp_rx *rx)
{
	int err = ECONNRESET;

	switch (c->id.state) {
	case PLX_TCP_SYN_SENT:
	case PLX_TCP_SYN_RECEIVED:
		err = ECONNREFUSED;
		tcp_stat(c, TCP_ATTEMPTFAILS);
		break;
	case PLX_TCP_ESTABLISHED:
		tcp_stat(c, TCP_ESTABRESETS);
		break;
	case PLX_TCP_CLOSE_WAIT:
		err = EPIPE;
		tcp_stat(c, TCP_ESTABRESETS);
		break;
	default:
		break;
	}
	tcp__done(c, err, now);
	rx->events |= PLX_TCP_EV_RESET;
}

static enum plx_drop check_rst(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	if (plx_likely(!(seg->flags & PLX_TCP_RST)))
		return PLX_DROP_NONE;
	if (seg->seq == c->rcv.nxt || at_fin(c, seg->seq) || at_sacked_edge(c, seg->seq)) {
		reset(c, now, rx);
		return PLX_DROP_NONE;
	}
	challenge(c, now, rx);
	return PLX_DROP_TCP_RST_BLIND;
}

/* ---- fourth: SYN (RFC 5961 4) ---- */

static enum plx_drop check_syn(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	if (plx_likely(!(seg->flags & PLX_TCP_SYN)))
		return PLX_DROP_NONE;
	/* Simultaneous open: the peer's SYN-ACK repeats its SYN (RFC 9293 3.5, figure 7). */
	if (c->id.state == PLX_TCP_SYN_RECEIVED && seg->flags & PLX_TCP_ACK &&
		seg->seq + 1 == c->rcv.nxt && seg->ack == c->snd.nxt)
		return PLX_DROP_NONE;
	tcp_stat(c, TCPEXT_TCPSYNCHALLENGE);
	challenge(c, now, rx);
	return PLX_DROP_TCP_SYN_BLIND;
}

/* ---- fifth: ACK ---- */

/* What the acknowledgement of our FIN leads to. */
static void fin_acked(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	switch (c->id.state) {
	case PLX_TCP_FIN_WAIT_1:
		tcp__set_state(c, PLX_TCP_FIN_WAIT_2, now);
		if (c->orphan && tcp__linger2(c) < 0) {
			tcp_stat(c, TCPEXT_TCPABORTONDATA);
			reset_reply(seg, rx);
			tcp__done(c, 0, now);
			rx->events |= PLX_TCP_EV_CLOSED;
		} else if (c->orphan) {
			tcp__keep_arm(c, now);
		}
		break;
	case PLX_TCP_CLOSING:
		tcp__set_state(c, PLX_TCP_TIME_WAIT, now);
		rx->events |= PLX_TCP_EV_TIME_WAIT;
		break;
	case PLX_TCP_LAST_ACK:
		tcp__done(c, 0, now);
		rx->events |= PLX_TCP_EV_CLOSED;
		break;
	default:
		return; /* it was before */
	}
	rx->events |= PLX_TCP_EV_FIN_ACKED;
}

static enum plx_drop check_ack(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	enum plx_drop drop;

	if (plx_unlikely(!(seg->flags & PLX_TCP_ACK)))
		return PLX_DROP_TCP_NO_ACK;
	if (plx_unlikely(c->id.state == PLX_TCP_SYN_RECEIVED)) {
		if (!plx_seq_gt(seg->ack, c->snd.una) || !plx_seq_le(seg->ack, c->snd.nxt)) {
			reset_reply(seg, rx);
			return PLX_DROP_TCP_ACK_FUTURE;
		}
		tcp__established(c, seg, now);
		rx->events |= PLX_TCP_EV_ESTABLISHED;
	}
	drop = tcp__ack_input(c, seg, now, rx);
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		challenge(c, now, rx);
		return drop;
	}
	if (plx_unlikely(c->fin_sent) && c->snd.una == c->snd.end + 1)
		fin_acked(c, seg, now, rx);
	return PLX_DROP_NONE;
}

/* ---- sixth: URG (RFC 9293 3.8.5, RFC 6093: the pointer is to the byte behind urgent data) ---- */

static void check_urg(struct plx_tcp *c, const struct plx_tcp_seg *seg, struct plx_tcp_rx *rx)
{
	uint32_t up = seg->seq + seg->urg;

	if (plx_likely(!(seg->flags & PLX_TCP_URG)) || !seg->urg || !tcp__cold(c))
		return;
	if (!plx_seq_gt(up, c->rcv.read))
		return;
	if (c->urg_rcvd && plx_seq_gt(c->cold->rcv_up, c->rcv.read) &&
		!plx_seq_gt(up, c->cold->rcv_up))
		return;
	c->cold->rcv_up = up;
	c->urg_rcvd = true;
	rx->events |= PLX_TCP_EV_URGENT;
}

/* ---- ECN (RFC 3168 6.1.3): the receiver's part ---- */

static void check_ecn(struct plx_tcp *c, const struct plx_tcp_seg *seg, struct plx_tcp_rx *rx)
{
	if (seg->flags & PLX_TCP_CWR)
		c->ece_due = false;
	if (seg->ecn == PLX_TCP_CE) {
		if (!c->ece_due) { /* quickly, for the sender's sake */
			tcp__delack_quick(c, 2);
			rx->ack_now = true;
		}
		c->ece_due = true;
	}
	c->ecn_seen |= seg->ecn != PLX_TCP_NOT_ECT;
}

/* ---- seventh: the text ---- */

static enum plx_drop take_text(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	enum plx_drop drop;

	if (c->ecn_ok)
		check_ecn(c, seg, rx);
	if (plx_unlikely(c->fin_rcvd)) {
		/* a retransmission is acknowledged, and there is nothing behind the FIN */
		bool more = plx_seq_gt(seg->seq + plx_tcp_seg_space(seg), c->rcv.nxt);

		duplicate(c, seg);
		ack_now(c, rx);
		return more ? PLX_DROP_TCP_TEXT_AFTER_FIN : PLX_DROP_TCP_TEXT_OLD;
	}
	if (plx_unlikely(c->orphan) && seg->len && plx_seq_gt(seg->seq + seg->len, c->rcv.nxt)) {
		/* nobody will read it: say so (RFC 9293 3.10.7.4; RFC 2525 2.17) */
		tcp_stat(c, TCPEXT_TCPABORTONDATA);
		reset_reply(seg, rx);
		tcp__done(c, 0, now);
		rx->events |= PLX_TCP_EV_CLOSED;
		return PLX_DROP_TCP_TEXT_CLOSED;
	}
	drop = tcp__rcvq_input(c, seg, now, rx);
	if (rx->ack_now)
		ack_now(c, rx);
	if (drop != PLX_DROP_NONE)
		return drop;
	if (rx->ready)
		rx->events |= PLX_TCP_EV_READABLE;
	if (seg->len)
		tcp__delack_text(c, seg, now);
	return PLX_DROP_NONE;
}

/* ---- eighth: FIN ---- */

static void take_fin(struct plx_tcp *c, plx_ns now, struct plx_tcp_rx *rx)
{
	if (plx_likely(!(rx->events & PLX_TCP_EV_FIN)))
		return;
	c->rcv.nxt++;
	c->fin_rcvd = true;
	ack_soon(c);
	tcp__rcvq_free(c);
	switch (c->id.state) {
	case PLX_TCP_SYN_RECEIVED:
	case PLX_TCP_ESTABLISHED:
		tcp__set_state(c, PLX_TCP_CLOSE_WAIT, now);
		break;
	case PLX_TCP_FIN_WAIT_1:
		tcp__set_state(c, PLX_TCP_CLOSING, now);
		break;
	case PLX_TCP_FIN_WAIT_2:
		c->keep_ns = PLX_NEVER;
		tcp__set_state(c, PLX_TCP_TIME_WAIT, now);
		rx->events |= PLX_TCP_EV_TIME_WAIT;
		break;
	default:
		break;
	}
}

/* ---- SYN-SENT (RFC 9293 3.10.7.3) ---- */

static void take_options(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	const struct plx_tcp_opts *o = &seg->opts;

	c->wscale_ok = c->wscale_ok && o->present & PLX_TCP_OPT_WSCALE;
	c->snd_wscale = c->wscale_ok ? PLX_MIN(o->wscale, (uint8_t)TCP_WSCALE_MAX) : 0;
	if (!c->wscale_ok) {
		c->rcv_wscale = 0;
		c->rcv.buf = PLX_MIN(c->rcv.buf, 65535u);
	}
	c->sack_ok = c->sack_ok && o->present & PLX_TCP_OPT_SACK_OK;
	c->ts_ok = c->ts_ok && o->present & PLX_TCP_OPT_TS;
	if (c->ts_ok) {
		c->rcv.ts_recent = o->ts_val;
		c->rcv.ts_ago_s = (uint32_t)(now / PLX_SEC(1));
	}
	if (o->present & PLX_TCP_OPT_MSS && o->mss)
		c->snd.mss_peer = o->mss;
	tcp__sync_mss(c);
}

/* A SYN comes to our SYN: simultaneous open. */
static void cross(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	c->ecn_ok = c->ecn_ok &&
		    (seg->flags & (PLX_TCP_ECE | PLX_TCP_CWR)) == (PLX_TCP_ECE | PLX_TCP_CWR);
	c->snd.wnd = c->snd.max_wnd = seg->win;
	c->snd.wl1 = seg->seq;
	c->syn_due = true;
	tcp__set_state(c, PLX_TCP_SYN_RECEIVED, now);
}

static bool ack_of_syn(const struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	return plx_seq_gt(seg->ack, c->snd.una) && plx_seq_le(seg->ack, c->snd.nxt);
}

/* RFC 7323 3.2's echo must be of a SYN of ours. */
static bool echoes_us(const struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	uint32_t latest = plx_tcp_ts_now(now) + c->ts_off;
	uint32_t first = plx_tcp_ts_now(c->rack.xmit_ns) + c->ts_off;

	if (!(seg->opts.present & PLX_TCP_OPT_TS) || !c->ts_ok || !seg->opts.ts_ecr)
		return true;
	return plx_seq_ge(seg->opts.ts_ecr, first) && plx_seq_le(seg->opts.ts_ecr, latest);
}

/* What is left of an earlier connection of the peer's meets our SYN. The RST that answers it may
 * end that one: ours is soon said again (as Linux's tcp_rcv_synsent_state_process()). */
static enum plx_drop not_of_syn(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	if (!c->retransmits)
		tcp__rtx_arm(c, PLX_TCP_RTX_RTO, PLX_MIN(c->rtx_ns, now + TCP_SYN_SOON_NS));
	reset_reply(seg, rx);
	return seg->flags & PLX_TCP_RST ? PLX_DROP_TCP_RST_BAD_ACK : PLX_DROP_TCP_ACK_FUTURE;
}

static enum plx_drop syn_sent(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	bool ack = seg->flags & PLX_TCP_ACK;

	if (ack && !ack_of_syn(c, seg))
		return not_of_syn(c, seg, now, rx);
	if (ack && !echoes_us(c, seg, now)) {
		tcp_stat(c, TCPEXT_PAWSACTIVE);
		reset_reply(seg, rx);
		return PLX_DROP_TCP_PAWS;
	}
	if (seg->flags & PLX_TCP_RST) {
		if (!ack)
			return PLX_DROP_TCP_RST_BAD_ACK;
		reset(c, now, rx);
		return PLX_DROP_NONE;
	}
	if (!(seg->flags & PLX_TCP_SYN))
		return PLX_DROP_TCP_FLAGS;
	c->rcv.nxt = c->rcv.wup = c->rcv.read = seg->seq + 1;
	take_options(c, seg, now);
	if (!ack) {
		cross(c, seg, now);
		return PLX_DROP_NONE;
	}
	c->ecn_ok = c->ecn_ok && (seg->flags & (PLX_TCP_ECE | PLX_TCP_CWR)) == PLX_TCP_ECE;
	c->syn_due = false;
	tcp__established(c, seg, now);
	rx->events |= PLX_TCP_EV_ESTABLISHED;
	ack_soon(c);
	return PLX_DROP_NONE;
}

/* ---- the whole ---- */

static enum plx_drop steps(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	enum plx_drop drop;

	if ((drop = check_seq(c, seg, now, rx)) || (drop = check_rst(c, seg, now, rx)))
		return drop;
	if (c->id.state == PLX_TCP_CLOSED) /* that was it */
		return PLX_DROP_NONE;
	if ((drop = check_syn(c, seg, now, rx)) || (drop = check_ack(c, seg, now, rx)))
		return drop;
	if (c->id.state == PLX_TCP_CLOSED)
		return PLX_DROP_NONE;
	take_ts(c, seg, now);
	check_urg(c, seg, rx);
	/* a SYN's text lies a number further on: it is left to be sent again */
	if ((seg->len || seg->flags & PLX_TCP_FIN) && !(seg->flags & PLX_TCP_SYN)) {
		drop = take_text(c, seg, now, rx);
		if (drop)
			return drop;
		take_fin(c, now, rx);
	}
	return PLX_DROP_NONE;
}

enum plx_drop plx_tcp_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	enum plx_drop drop;

	rx->n_keep = 0;
	rx->ack_now = rx->reply = false;
	rx->events = 0;
	rx->ready = rx->acked = 0;
	switch (c->id.state) {
	case PLX_TCP_CLOSED:
		reset_reply(seg, rx);
		drop = PLX_DROP_TCP_CLOSED;
		break;
	case PLX_TCP_SYN_SENT:
		drop = syn_sent(c, seg, now, rx);
		break;
	default:
		drop = steps(c, seg, now, rx);
		break;
	}
	tcp_event(c, now, IN, .seg = seg, .drop = drop);
	return drop;
}
