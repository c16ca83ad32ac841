/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * What an ACK says (RFC 9293 3.10.7.4, fifth), in the order of Linux's tcp_ack(): is it one; the
 * window; SACKs; what is acknowledged leaves the queue of what was sent; then recovery, and the
 * congestion window.
 */

/* RFC 9293 3.10.7.4: not by an older segment than the last one that did. */
static void update_window(struct plx_tcp *c, struct tcp_ack *a)
{
	uint32_t ack = a->seg->ack, seq = a->seg->seq, wnd = tcp__peer_wnd(c, a->seg);

	if (!plx_seq_gt(ack, c->snd.una) && !plx_seq_gt(seq, c->snd.wl1) &&
		!(seq == c->snd.wl1 && (wnd > c->snd.wnd || wnd == 0)))
		return;
	c->snd.wl1 = seq;
	if (wnd == c->snd.wnd)
		return;
	a->flags |= ACK_WINDOW;
	c->snd.wnd = wnd;
	c->snd.max_wnd = PLX_MAX(c->snd.max_wnd, wnd);
}

struct cleaned {
	plx_ns first_ns, last_ns; /* of what was sent once; PLX_NEVER = nothing */
};

/* segs more of run r have been delivered, by a cumulative ACK. */
static void delivered(struct plx_tcp *c, struct tcp_ack *a, const struct tcp_run *r, uint32_t segs,
	struct cleaned *done)
{
	a->acked_segs += segs;
	if (r->flags & RUN_EVER)
		a->flags |= ACK_RETRANS;
	if (!(r->flags & (RUN_SACKED | RUN_EVER))) {
		done->last_ns = r->sent_ns;
		if (done->first_ns == PLX_NEVER)
			done->first_ns = r->sent_ns;
		if (c->sack_ok && plx_seq_lt(r->seq, a->prior_fack)) {
			if (!(a->flags & ACK_REORDERED) || plx_seq_lt(r->seq, a->reord_seq))
				a->reord_seq = r->seq;
			a->flags |= ACK_REORDERED;
		}
		if (!plx_seq_gt(r->end, c->rec.recover))
			a->flags |= ACK_ORIG_SACKED;
	}
	if (r->flags & RUN_SACKED)
		return;
	if (c->sack_ok)
		c->delivered += segs;
	tcp__rack_advance(c, r, a->seg->opts.ts_ecr, a->now);
}

/* Without SACK: duplicate ACKs stood for segments that have left (RFC 6582; Linux's
 * tcp_remove_reno_sacks()). */
static void reno_delivered(struct plx_tcp *c, uint32_t segs)
{
	if (!segs)
		return;
	c->delivered += PLX_MAX((int32_t)(segs - c->sacked_out), 1);
	c->sacked_out = segs > c->sacked_out ? 0 : c->sacked_out - (segs - 1);
	c->sacked_out = PLX_MIN(c->sacked_out, c->packets_out - PLX_MIN(c->packets_out, 1u));
}

/* Take what is acknowledged out of the queue. */
static void clean(struct plx_tcp *c, struct tcp_ack *a, struct plx_tcp_rx *rx)
{
	uint32_t ack = a->seg->ack;
	struct cleaned done = {.first_ns = PLX_NEVER, .last_ns = PLX_NEVER};

	while (c->snd.run_n) {
		struct tcp_run *r = tcp__run(c, 0), was = *r;

		if (!plx_seq_gt(ack, r->seq))
			break;
		if (plx_seq_lt(ack, r->end)) {
			tcp__sndq_trim(c, ack);
			was.end = ack;
			delivered(c, a, &was, was.segs - r->segs, &done);
			break;
		}
		if (r->flags & RUN_FIN)
			a->flags |= ACK_FIN;
		delivered(c, a, &was, was.segs, &done);
		tcp__sndq_pop(c);
	}
	rx->acked = ack - c->snd.una - !!(a->flags & ACK_FIN);
	if (rx->acked) {
		a->flags |= ACK_TEXT;
		rx->events |= PLX_TCP_EV_ACKED;
	}
	c->bytes_acked += rx->acked;
	c->snd.una = ack;
	if (!c->sack_ok) {
		reno_delivered(c, a->acked_segs);
		/* one retransmission among them may have let out what was waiting behind it */
		if (a->flags & ACK_RETRANS)
			a->flags &= ~(uint32_t)ACK_ORIG_SACKED;
	}
	/* Karn: what a retransmission has let out is no measure either (RFC 6298 3) */
	if (done.first_ns != PLX_NEVER && !(a->flags & ACK_RETRANS)) {
		a->rtt_us = (a->now - done.first_ns) / 1000;
		tcp__rtt_min(c, (uint32_t)((a->now - done.last_ns) / 1000), a->now);
	}
}

/* RFC 6298 3: of text that was sent once; timestamps tell more (RFC 7323 4). */
static void sample(struct plx_tcp *c, const struct tcp_ack *a)
{
	int64_t us = a->rtt_us >= 0 ? a->rtt_us : a->sack_rtt_us;

	if (us < 0 && c->ts_ok && a->seg->opts.ts_ecr && a->flags & ACK_ADVANCED) {
		uint32_t ms = plx_tcp_ts_now(a->now) + c->ts_off - a->seg->opts.ts_ecr;

		if (ms < 1000000)
			us = (int64_t)PLX_MAX(ms, 1u) * 1000; /* the clock's tick at least */
	}
	if (us >= 0)
		tcp__rtt_sample(c, (uint32_t)us, a->now);
}

static void control(struct plx_tcp *c, const struct tcp_ack *a)
{
	uint32_t n = c->delivered - a->prior_delivered;

	if (c->ca == PLX_TCP_CA_CWR || c->ca == PLX_TCP_CA_RECOVERY) {
		tcp__prr(c, n, a->newly_lost, a->flags);
		return;
	}
	if (!(a->flags & ACK_TEXT) && !(c->reordering > tcp_tun(c, TCP_REORDERING) &&
					      a->flags & (ACK_SACKED | ACK_ADVANCED)))
		return;
	c->used_ms = tcp__ms(a->now); /* an ACK that could have raised it: judged anew from here */
	if (n && tcp__window_used(c))
		c->cc->avoid(c, n, a->now);
}

/* Nothing was in flight: a window may have opened (RFC 9293 3.8.6.1). */
static void ack_of_nothing(struct plx_tcp *c, plx_ns now)
{
	if (c->rtx_kind != PLX_TCP_RTX_PROBE || tcp__waiting(c) == 0)
		return;
	if (c->snd.wnd >= PLX_MIN(tcp__waiting(c), (uint32_t)c->snd.mss)) {
		c->backoff = 0;
		tcp__rtx_stop(c);
	} else {
		tcp__rtx_stop(c);
		tcp__check_probe(c, now);
	}
}

/* An old ACK may bring new SACKs. */
static enum plx_drop old_ack(struct plx_tcp *c, struct tcp_ack *a)
{
	/* RFC 5961 5: within a window of what was acknowledged */
	if (plx_seq_lt(a->seg->ack, c->snd.una - PLX_MAX(c->snd.max_wnd, 1u)))
		return PLX_DROP_TCP_ACK_OLD;
	if (a->seg->opts.present & PLX_TCP_OPT_SACK && c->sack_ok && c->packets_out) {
		tcp__sack_input(c, a);
		tcp__recover(c, a);
		control(c, a);
	}
	return PLX_DROP_NONE;
}

/* Linux's tcp_ack_is_dubious(). */
static bool dubious(const struct plx_tcp *c, const struct tcp_ack *a)
{
	return c->ca != PLX_TCP_CA_OPEN || a->flags & (ACK_SACKED | ACK_ECE | ACK_DSACK) ||
	       !(a->flags & (ACK_SEG_TEXT | ACK_WINDOW | ACK_TEXT | ACK_FIN));
}

enum plx_drop tcp__ack_input(
	struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	struct tcp_ack a = {
		.seg = seg,
		.now = now,
		.prior_una = c->snd.una,
		.prior_fack = c->sacked_out ? c->rack.fack : c->snd.una,
		.prior_out = c->packets_out,
		.prior_in_flight = tcp__in_flight(c),
		.prior_delivered = c->delivered,
		.rtt_us = -1,
		.sack_rtt_us = -1,
	};

	if (plx_unlikely(plx_seq_lt(seg->ack, c->snd.una)))
		return old_ack(c, &a);
	if (plx_unlikely(plx_seq_gt(seg->ack, c->snd.nxt)))
		return PLX_DROP_TCP_ACK_FUTURE;
	if (seg->len)
		a.flags |= ACK_SEG_TEXT;
	if (seg->ack != c->snd.una) {
		a.flags |= ACK_ADVANCED;
		c->retransmits = 0;
	}
	update_window(c, &a);
	if (c->ecn_ok && (seg->flags & (PLX_TCP_ECE | PLX_TCP_SYN)) == PLX_TCP_ECE)
		a.flags |= ACK_ECE;
	c->probes = 0;
	if (plx_unlikely(c->cold))
		c->cold->soft_err = 0; /* since it goes on */
	if (c->keep_ns != PLX_NEVER && c->keepalive && !tcp__lingers(c))
		tcp__keep_arm(c, now);
	if (a.prior_out == 0) {
		if (c->tlp_out || (c->sack_ok && seg->opts.present & PLX_TCP_OPT_SACK)) {
			tcp__sack_input(c, &a);
			tcp__tlp_ack(c, &a);
			tcp__recover(c, &a);
		}
		ack_of_nothing(c, now);
		return PLX_DROP_NONE;
	}
	if (seg->opts.present & PLX_TCP_OPT_SACK && c->sack_ok)
		tcp__sack_input(c, &a);
	if (a.flags & ACK_ADVANCED)
		clean(c, &a, rx);
	if (a.flags & ACK_ADVANCED || a.sack_rtt_us >= 0)
		sample(c, &a);
	if (a.flags & ACK_REORDERED)
		tcp__reordered(c, a.reord_seq, false);
	tcp__rack_update(c, &a);
	if (plx_unlikely(c->tlp_out))
		tcp__tlp_ack(c, &a);
	if (plx_unlikely(dubious(c, &a)))
		tcp__recover(c, &a);
	else if (c->tlp_due) /* it came after all */
		c->tlp_due = false;
	if (a.flags & ACK_ADVANCED && !(a.flags & ACK_TIMER) && !tcp__impatient(c, a.prior_una)) {
		if (!tcp__schedule_tlp(c, true, now))
			tcp__rearm_rto(c, now);
	}
	control(c, &a);
	return PLX_DROP_NONE;
}
