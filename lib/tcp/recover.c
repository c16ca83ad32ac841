/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Loss recovery: the states of Linux's tcp_fastretrans_alert(), for what is not plain progress.
 *
 *	OPEN ----------> DISORDER ----------> RECOVERY (fast retransmission, PRR)
 *	  ^ \ ECN echo      |  something is lost   |
 *	  |  '-> CWR        |                      |  snd.una reaches RecoveryPoint, or undone
 *	  '-----------------+----------------------'
 *	any --time-out--> LOSS (slow start from one segment; F-RTO asks whether it was needless)
 *
 * A reduction that turns out to have been needless is taken back: by timestamps (Eifel detection,
 * RFC 3522), by D-SACKs for all that was sent again (RFC 3708), or by F-RTO (RFC 5682).
 */

void tcp__set_ca(struct plx_tcp *c, enum plx_tcp_ca ca, plx_ns now)
{
	enum plx_tcp_ca old = c->ca;

	if (old == ca)
		return;
	if (c->cc->set_state)
		c->cc->set_state(c, ca, now);
	c->ca = (uint8_t)ca;
	tcp_event(c, now, CA, .a = old, .b = ca);
}

uint32_t tcp__current_ssthresh(const struct plx_tcp *c)
{
	if (c->ca == PLX_TCP_CA_CWR || c->ca == PLX_TCP_CA_RECOVERY)
		return c->ssthresh;
	return PLX_MAX(c->ssthresh, (c->cwnd >> 1) + (c->cwnd >> 2));
}

/* ---- reordering: how far, in segments ---- */

void tcp__reordered(struct plx_tcp *c, uint32_t low_seq, bool ts)
{
	int32_t bytes = plx_seq_diff(c->rack.fack, low_seq);
	uint32_t max = (uint32_t)tcp_tun(c, TCP_MAX_REORDERING), old = c->reordering, metric;

	if (bytes <= 0)
		return;
	if (tcp__cold(c))
		c->cold->reord_seen++;
	c->reord_seen = true;
	metric = ((uint32_t)bytes + c->snd.mss - 1u) / c->snd.mss;
	if (metric > old) {
		c->reordering = (uint16_t)PLX_MIN(metric, max);
		tcp_event(c, 0, REORDER, .a = old, .b = c->reordering);
	}
	if (ts)
		tcp_stat(c, TCPEXT_TCPTSREORDER);
	else
		tcp_stat(c, TCPEXT_TCPSACKREORDER);
}

/* ---- undo ---- */

static void init_undo(struct plx_tcp *c)
{
	c->undo_ok = true;
	c->rec.marker = c->snd.una;
	c->rec.undo_retrans = c->retrans_out ? (int32_t)c->retrans_out : -1;
}

/* RFC 3522: the ACK echoes a time before the first retransmission: the original has arrived. */
static bool original_arrived(const struct plx_tcp *c, const struct tcp_ack *a)
{
	if (!c->rec.retrans_ms || !c->ts_ok || !a->seg->opts.ts_ecr)
		return false;
	return plx_seq_lt(a->seg->opts.ts_ecr, c->rec.retrans_ms + c->ts_off);
}

static bool may_undo(const struct plx_tcp *c, const struct tcp_ack *a)
{
	return c->undo_ok && (c->rec.undo_retrans == 0 || original_arrived(c, a));
}

static bool any_retransmitted(const struct plx_tcp *c)
{
	for (uint32_t i = 0; i < c->snd.run_n; i++)
		if (tcp__run(c, i)->flags & RUN_EVER)
			return true;
	return false;
}

void tcp__undo(struct plx_tcp *c, bool unmark, plx_ns now)
{
	uint32_t old = c->cwnd;

	if (unmark)
		for (uint32_t i = 0; i < c->snd.run_n; i++)
			tcp__run_flag(c, tcp__run(c, i), 0, RUN_LOST);
	if (c->rec.prior_ssthresh) {
		c->cwnd = c->cc->undo(c);
		if (c->rec.prior_ssthresh > c->ssthresh) {
			c->ssthresh = c->rec.prior_ssthresh;
			c->cwr_due = false;
		}
	}
	c->undo_ok = false;
	c->rack_new = true;
	tcp_event(c, now, UNDO, .a = old, .b = c->cwnd);
}

/* Everything up to RecoveryPoint is acknowledged. @return whether the state is to be held. */
static bool undo_recovery(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (may_undo(c, a)) {
		if (c->ca == PLX_TCP_CA_LOSS)
			tcp_stat(c, TCPEXT_TCPLOSSUNDO);
		else
			tcp_stat(c, TCPEXT_TCPFULLUNDO);
		tcp__undo(c, false, a->now);
	} else if (c->rack_persist) {
		c->rack_persist--;
	}
	/* Without SACK duplicate ACKs of this recovery may still come: not another one for them
	 * (RFC 6582 4) */
	if (!c->sack_ok && c->snd.una == c->rec.recover) {
		if (!any_retransmitted(c))
			c->rec.retrans_ms = 0;
		return true;
	}
	tcp__set_ca(c, PLX_TCP_CA_OPEN, a->now);
	return false;
}

static bool undo_dsack(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (!c->undo_ok || c->rec.undo_retrans != 0)
		return false;
	c->rack_persist = (uint8_t)PLX_MIN(c->rack_persist + 1, 16);
	tcp__undo(c, false, a->now);
	tcp_stat(c, TCPEXT_TCPDSACKUNDO);
	return true;
}

static bool undo_loss(struct plx_tcp *c, const struct tcp_ack *a, bool by_frto)
{
	if (!by_frto && !may_undo(c, a))
		return false;
	tcp__undo(c, true, a->now);
	tcp_stat(c, TCPEXT_TCPLOSSUNDO);
	if (by_frto)
		tcp_stat(c, TCPEXT_TCPSPURIOUSRTOS);
	c->retransmits = 0;
	c->frto = c->frto_new = false;
	if (by_frto || c->sack_ok)
		tcp__set_ca(c, PLX_TCP_CA_OPEN, a->now);
	return true;
}

/* ---- NewReno (RFC 6582): duplicate ACKs stand for segments that have left ---- */

static void add_reno_sack(struct plx_tcp *c)
{
	uint32_t left;

	c->sacked_out++;
	left = PLX_MIN(PLX_MAX(c->lost_out, 1u), c->packets_out);
	if (c->sacked_out + left > c->packets_out) { /* more than can be: they were reordered */
		c->sacked_out = c->packets_out - left;
		c->reordering = (uint16_t)PLX_MIN(
			c->packets_out + 1, (uint32_t)tcp_tun(c, TCP_MAX_REORDERING));
		c->reord_seen = true;
		tcp_stat(c, TCPEXT_TCPRENOREORDER);
		return;
	}
	c->delivered++;
}

/* The first segment is lost after DupThresh duplicates, and after each partial ACK. */
static void newreno_mark(struct plx_tcp *c, bool advanced, plx_ns now)
{
	struct tcp_run *r;

	if (!c->snd.run_n)
		return;
	if (!((c->ca < PLX_TCP_CA_RECOVERY && c->sacked_out >= c->reordering) ||
		    (c->ca == PLX_TCP_CA_RECOVERY && advanced)))
		return;
	r = tcp__run(c, 0);
	if (r->end - r->seq > r->mss && !tcp__sndq_split(c, 0, r->seq + r->mss))
		return;
	r = tcp__run(c, 0);
	tcp_event(c, now, LOST, .a = r->seq, .b = r->end);
	tcp__mark_lost(c, 0);
}

/* ---- states ---- */

static void identify_loss(struct plx_tcp *c, struct tcp_ack *a)
{
	uint32_t retrans = c->retrans_out;

	if (!c->snd.run_n)
		return;
	if (!c->sack_ok) {
		newreno_mark(c, a->flags & ACK_ADVANCED, a->now);
		return;
	}
	if (tcp__rack_detect(c, a->now))
		a->flags |= ACK_TIMER;
	if (retrans > c->retrans_out)
		a->flags |= ACK_LOST_RETRANS;
}

static void keep_open(struct plx_tcp *c, plx_ns now)
{
	enum plx_tcp_ca ca = PLX_TCP_CA_OPEN;

	if (c->sacked_out + c->lost_out || c->retrans_out || (c->undo_ok && any_retransmitted(c)))
		ca = PLX_TCP_CA_DISORDER;
	if (ca != c->ca) {
		tcp__set_ca(c, ca, now);
		c->rec.recover = c->snd.nxt;
	}
}

static void try_to_open(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (!any_retransmitted(c))
		c->rec.retrans_ms = 0;
	if (a->flags & ACK_ECE)
		tcp__enter_cwr(c, a->now);
	if (c->ca != PLX_TCP_CA_CWR)
		keep_open(c, a->now);
}

static void enter_recovery(struct plx_tcp *c, bool ece, plx_ns now)
{
	if (c->sack_ok)
		tcp_stat(c, TCPEXT_TCPSACKRECOVERY);
	else
		tcp_stat(c, TCPEXT_TCPRENORECOVERY);
	c->rec.prior_ssthresh = 0;
	init_undo(c);
	if (c->ca != PLX_TCP_CA_CWR && c->ca != PLX_TCP_CA_RECOVERY) {
		if (!ece)
			c->rec.prior_ssthresh = tcp__current_ssthresh(c);
		tcp__prr_init(c);
	}
	tcp__set_ca(c, PLX_TCP_CA_RECOVERY, now);
}

/* A partial ACK that the original has caused: the rest is late too, not lost. @return whether. */
static bool undo_partial(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (!c->undo_ok || !original_arrived(c, a))
		return false;
	tcp__reordered(c, a->prior_una, true);
	if (c->retrans_out) /* first see what becomes of those that are under way */
		return true;
	if (!any_retransmitted(c))
		c->rec.retrans_ms = 0;
	tcp__undo(c, true, a->now);
	tcp_stat(c, TCPEXT_TCPPARTIALUNDO);
	keep_open(c, a->now);
	return true;
}

/* RFC 5682 3.1 with SACK and without: is the time-out's loss real? @return whether the
 * retransmissions go on. */
static void frto_step(struct plx_tcp *c, const struct tcp_ack *a, bool dupack, bool recovered)
{
	if (a->flags & ACK_ORIG_SACKED && undo_loss(c, a, true))
		return; /* step 3.b: what was sent before the time-out, and never again, arrived */
	if (plx_seq_gt(c->snd.nxt, c->rec.recover)) {
		if (a->flags & ACK_SACKED || dupack)
			c->frto = c->frto_new = false; /* step 3.a: it was lost */
	} else if (a->flags & ACK_ADVANCED && !recovered) {
		c->rec.recover = c->snd.nxt;
		c->frto_new = plx_tcp_unsent(c) && plx_seq_gt(c->snd.una + c->snd.wnd, c->snd.nxt);
		c->frto = c->frto_new; /* step 2.b: new text, and see; or there is none */
	}
}

static void in_loss(struct plx_tcp *c, struct tcp_ack *a, bool dupack)
{
	bool recovered = plx_seq_ge(c->snd.una, c->rec.recover);

	if (a->flags & ACK_ADVANCED && undo_loss(c, a, false))
		return;
	if (c->frto) {
		frto_step(c, a, dupack, recovered);
		if (c->ca != PLX_TCP_CA_LOSS)
			return;
	}
	if (recovered) {
		undo_recovery(c, a);
		return;
	}
	if (!c->sack_ok) {
		if (plx_seq_gt(c->snd.nxt, c->rec.recover) && dupack)
			add_reno_sack(c);
		else if (a->flags & ACK_ADVANCED)
			c->sacked_out = 0;
	}
}

/* The ACK covers all that was in flight when the state began. @return whether nothing else is to
 * do.
 */
static bool leave(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (c->ca == PLX_TCP_CA_OPEN) {
		c->rec.retrans_ms = 0;
		return false;
	}
	if (!plx_seq_ge(c->snd.una, c->rec.recover))
		return false;
	if (c->ca == PLX_TCP_CA_CWR) {
		if (c->snd.una != c->rec.recover) {
			tcp__end_cwr(c);
			tcp__set_ca(c, PLX_TCP_CA_OPEN, a->now);
		}
	} else if (c->ca == PLX_TCP_CA_RECOVERY) {
		if (!c->sack_ok)
			c->sacked_out = 0;
		if (undo_recovery(c, a))
			return true;
		tcp__end_cwr(c);
	}
	return false;
}

/* RFC 2018 8: the peer has dropped what it had SACKed. Seen when the next byte wanted was SACKed:
 * it gets half a round trip to prove otherwise. */
static bool reneged(struct plx_tcp *c, struct tcp_ack *a)
{
	uint32_t us;

	if (!(a->flags & ACK_ADVANCED) || !c->snd.run_n || !(tcp__run(c, 0)->flags & RUN_SACKED))
		return false;
	us = PLX_MAX(c->rtt.srtt8_us >> 4, 10000u);
	tcp__rtx_arm(c, PLX_TCP_RTX_RTO, a->now + PLX_US(us));
	a->flags |= ACK_TIMER;
	return true;
}

static bool in_recovery(struct plx_tcp *c, struct tcp_ack *a, bool dupack)
{
	if (!(a->flags & ACK_ADVANCED)) {
		if (!c->sack_ok && dupack)
			add_reno_sack(c);
	} else if (undo_partial(c, a)) {
		return false;
	}
	if (undo_dsack(c, a))
		try_to_open(c, a);
	identify_loss(c, a);
	return c->ca != PLX_TCP_CA_RECOVERY;
}

static void act(struct plx_tcp *c, struct tcp_ack *a)
{
	/* RFC 9293 3.10.7.4's duplicate ACK: it acknowledges nothing and brings nothing */
	bool dupack = !(a->flags & (ACK_ADVANCED | ACK_SEG_TEXT | ACK_WINDOW)) && a->prior_out;

	if (!c->packets_out && c->sacked_out)
		c->sacked_out = 0;
	if (a->flags & ACK_ECE)
		c->rec.prior_ssthresh = 0;
	if (reneged(c, a) || leave(c, a))
		return;
	switch (c->ca) {
	case PLX_TCP_CA_RECOVERY:
		if (!in_recovery(c, a, dupack))
			return;
		break;
	case PLX_TCP_CA_LOSS:
		in_loss(c, a, dupack);
		identify_loss(c, a);
		if (c->ca != PLX_TCP_CA_OPEN)
			return;
		break; /* it was undone: see what is left */
	default:
		if (!c->sack_ok) {
			if (a->flags & ACK_ADVANCED)
				c->sacked_out = 0;
			if (dupack)
				add_reno_sack(c);
		}
		if (c->ca <= PLX_TCP_CA_DISORDER)
			undo_dsack(c, a);
		identify_loss(c, a);
		break;
	}
	if (!c->lost_out) {
		try_to_open(c, a);
		return;
	}
	enter_recovery(c, a->flags & ACK_ECE, a->now);
}

/* What is lost and not on its way again: grows by what is found lost, retransmissions too. */
static int32_t lost_waiting(const struct plx_tcp *c)
{
	return (int32_t)(c->lost_out - c->retrans_out);
}

void tcp__recover(struct plx_tcp *c, struct tcp_ack *a)
{
	int32_t lost = lost_waiting(c);

	act(c, a);
	a->newly_lost = (uint32_t)PLX_MAX(lost_waiting(c) - lost, 0);
}

/* The reordering window is over (Linux's tcp_rack_reo_timeout()). */
void tcp__reo_timeout(struct plx_tcp *c, plx_ns now)
{
	uint32_t flight = tcp__in_flight(c);
	int32_t lost = lost_waiting(c);

	c->rack_new = true;
	tcp__rack_detect(c, now);
	if (flight == tcp__in_flight(c) || c->ca == PLX_TCP_CA_RECOVERY)
		return;
	enter_recovery(c, false, now);
	tcp__prr(c, 1, (uint32_t)(lost_waiting(c) - lost), 0);
}

/* ---- the retransmission time-out (RFC 5681 3.1, RFC 8985 6.3) ---- */

static void mark_all(struct plx_tcp *c, plx_ns now)
{
	bool renege = tcp__run(c, 0)->flags & RUN_SACKED;

	if (renege) {
		tcp_stat(c, TCPEXT_TCPSACKRENEGING);
		tcp_event(c, now, RENEGED, .a = tcp__run(c, 0)->seq, .b = c->rack.fack);
	}
	if (!c->sack_ok)
		c->sacked_out = 0;
	for (uint32_t i = 0; i < c->snd.run_n; i++) {
		struct tcp_run *r = tcp__run(c, i);

		if (renege)
			tcp__run_flag(c, r, 0, RUN_SACKED);
		/* what was sent lately may still arrive (RFC 8985 6.3) */
		else if (c->sack_ok && i > 0 && tcp_tun(c, TCP_RECOVERY) & 1 &&
			 tcp__rack_left_us(c, r, 0, now) > 0)
			continue;
		tcp__mark_lost(c, i);
	}
	for (uint32_t i = c->snd.run_n; i-- > 1;)
		tcp__sndq_join(c, i - 1);
}

void tcp__enter_loss(struct plx_tcp *c, plx_ns now)
{
	bool fresh = c->ca < PLX_TCP_CA_RECOVERY;

	mark_all(c, now);
	/* once a recovery (RFC 5681 3.1, equation 4) */
	if (c->ca <= PLX_TCP_CA_DISORDER || !plx_seq_gt(c->rec.recover, c->snd.una) ||
		(c->ca == PLX_TCP_CA_LOSS && !c->retransmits)) {
		c->rec.prior_ssthresh = tcp__current_ssthresh(c);
		c->rec.prior_cwnd = c->cwnd;
		c->ssthresh = c->cc->ssthresh(c);
		init_undo(c);
	}
	c->cwnd = tcp__in_flight(c) + 1;
	c->cwnd_cnt = 0;
	if (c->ca <= PLX_TCP_CA_DISORDER && c->sacked_out >= tcp_tun(c, TCP_REORDERING))
		c->reordering = (uint16_t)PLX_MIN(c->reordering, tcp_tun(c, TCP_REORDERING));
	tcp__set_ca(c, PLX_TCP_CA_LOSS, now);
	c->rec.recover = c->snd.nxt;
	c->tlp_out = false;
	c->cwr_due = c->ecn_ok;
	/* RFC 5682 2.1 step 1: not when recovery was under way already */
	c->frto = tcp_tun(c, TCP_FRTO) && (fresh || c->retransmits);
	c->frto_new = false;
}

/* ---- tail loss probes (RFC 8985 7.4) ---- */

void tcp__tlp_ack(struct plx_tcp *c, const struct tcp_ack *a)
{
	uint32_t ack = a->seg->ack;

	if (!c->tlp_out || plx_seq_lt(ack, c->rec.tlp_end))
		return;
	if (!c->tlp_retrans) { /* new text: RACK sees to the rest */
		c->tlp_out = false;
	} else if (a->flags & ACK_DSACK) { /* both arrived: nothing was lost */
		c->tlp_out = false;
	} else if (plx_seq_gt(
			   ack, c->rec.tlp_end)) { /* the probe repaired a loss: it counts as one */
		tcp__prr_init(c);
		tcp__set_ca(c, PLX_TCP_CA_CWR, a->now);
		tcp__end_cwr(c);
		keep_open(c, a->now);
		tcp_stat(c, TCPEXT_TCPLOSSPROBERECOVERY);
		c->tlp_out = false;
	} else if (!(a->flags & (ACK_ADVANCED | ACK_SEG_TEXT | ACK_WINDOW | ACK_SACKED))) {
		c->tlp_out = false; /* a duplicate ACK without D-SACK: the original had arrived */
	}
}
