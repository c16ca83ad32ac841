/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * What to send next: one ladder of reasons, the most urgent first; each rung is a function that
 * either fills *tx or says no. Output is pulled: the caller has reserved what it takes.
 */

#define SUPER_BYTES   65536 /* of a super-segment that knows no bounds */
#define SUPER_RTT_LOG 9 /* us: for each so many of a round trip half as much (Linux's default) */

/* ---- the segment ---- */

static void fill_options(struct plx_tcp *c, struct plx_tcp_tx *tx, plx_ns now)
{
	struct plx_tcp_opts *o = &tx->opts;

	o->present = 0;
	if (c->ts_ok) {
		o->present = PLX_TCP_OPT_TS;
		o->ts_val = plx_tcp_ts_now(now) + c->ts_off;
		o->ts_ecr = c->rcv.ts_recent;
	}
	if (plx_unlikely(c->rcv.ofo || c->dsack_due) && c->sack_ok) {
		o->n_sack = (uint8_t)tcp__rcvq_sacks(
			c, o->sack, c->ts_ok ? PLX_TCP_SACKS_MAX - 1 : PLX_TCP_SACKS_MAX);
		if (o->n_sack)
			o->present |= PLX_TCP_OPT_SACK;
		c->dsack_due = false;
	}
}

/* Bytes that SACK blocks take from the text. */
static uint32_t sack_bytes(const struct plx_tcp *c)
{
	struct plx_tcp_sack sack[PLX_TCP_SACKS_MAX];
	uint32_t n;

	if (plx_likely(!c->rcv.ofo && !c->dsack_due) || !c->sack_ok)
		return 0;
	n = tcp__rcvq_sacks(c, sack, c->ts_ok ? PLX_TCP_SACKS_MAX - 1 : PLX_TCP_SACKS_MAX);
	return n ? 4 + 8 * n : 0;
}

static void fill(struct plx_tcp *c, struct plx_tcp_tx *tx, uint32_t seq, uint32_t len,
	uint16_t flags, plx_ns now)
{
	tx->seq = seq;
	tx->ack = c->rcv.nxt;
	tx->len = len;
	tx->off = seq - tcp__first_text(c);
	tx->flags = flags | PLX_TCP_ACK;
	tx->urg = 0;
	tx->ecn = PLX_TCP_NOT_ECT;
	tx->depart_ns = 0;
	tx->mss = (uint16_t)(c->snd.mss - sack_bytes(c));
	fill_options(c, tx, now);
}

/* Whatever leaves acknowledges (all states but SYN-SENT). */
static bool emit(struct plx_tcp *c, struct plx_tcp_tx *tx, uint32_t seq, uint32_t len,
	uint16_t flags, plx_ns now)
{
	fill(c, tx, seq, len, flags, now);
	tx->win = tcp__rwnd_announce(c);
	if (plx_unlikely(c->ece_due))
		tx->flags |= PLX_TCP_ECE;
	tcp__delack_sent_ack(c);
	c->ack_now = false;
	return true;
}

/* Until it is acknowledged: 2 GiB later the number would lie ahead again. */
static void point_to_urgent(struct plx_tcp *c, struct plx_tcp_tx *tx)
{
	uint32_t urg = c->cold->snd_up - tx->seq;

	if (!plx_seq_gt(c->cold->snd_up, c->snd.una)) {
		c->urg_due = false;
	} else if (plx_seq_gt(c->cold->snd_up, tx->seq)) {
		tx->flags |= PLX_TCP_URG;
		tx->urg = (uint16_t)PLX_MIN(urg, 65535u);
	}
}

/* Text to the peer (RFC 3168 6.1.5: a retransmission is not ECN-capable). */
static bool emit_text(struct plx_tcp *c, struct plx_tcp_tx *tx, uint32_t seq, uint32_t len,
	uint16_t flags, bool again, plx_ns now)
{
	if (c->ecn_ok && !again && len && c->cwr_due) {
		c->cwr_due = false;
		flags |= PLX_TCP_CWR;
	}
	if (len)
		tcp__delack_sent_text(c, now);
	emit(c, tx, seq, len, flags, now);
	if (c->ecn_ok && !again && len)
		tx->ecn = PLX_TCP_ECT_0;
	if (plx_unlikely(c->urg_due))
		point_to_urgent(c, tx);
	return true;
}

/* ---- RST, SYN ---- */

static bool send_rst(struct plx_tcp *c, struct plx_tcp_tx *tx, plx_ns now)
{
	c->rst_due = false;
	emit(c, tx, c->snd.nxt, 0, PLX_TCP_RST, now);
	tx->opts.present &= PLX_TCP_OPT_TS;
	tx->win = 0;
	return true;
}

/* The window in a SYN is not scaled (RFC 7323 2.2). */
static bool send_syn(struct plx_tcp *c, struct plx_tcp_tx *tx, plx_ns now)
{
	bool answer = c->id.state == PLX_TCP_SYN_RECEIVED;
	struct plx_tcp_opts *o = &tx->opts;

	c->syn_due = false;
	if (answer) /* to which of two SYNs will its ACK be? (Karn; RFC 6298 3) */
		c->rack.xmit_ns = PLX_NEVER;
	else if (c->retransmits == 0)
		c->rack.xmit_ns = now;
	fill(c, tx, c->iss, 0, PLX_TCP_SYN, now);
	tx->off = 0;
	tx->win = (uint16_t)c->rcv.wnd;
	c->ack_due = c->ack_now = false;
	if (!answer) {
		tx->flags = PLX_TCP_SYN;
		tx->ack = 0;
		if (c->ecn_ok && c->retransmits == 0) /* RFC 3168 6.1.1, and not again: 6.1.1.1 */
			tx->flags |= PLX_TCP_ECE | PLX_TCP_CWR;
	} else if (c->ecn_ok) {
		tx->flags |= PLX_TCP_ECE;
	}
	o->present |= PLX_TCP_OPT_MSS;
	o->mss = tcp__adv_mss(c);
	if (c->sack_ok)
		o->present |= PLX_TCP_OPT_SACK_OK;
	if (c->wscale_ok) {
		o->present |= PLX_TCP_OPT_WSCALE;
		o->wscale = c->rcv_wscale;
	}
	if (!answer)
		o->ts_ecr = 0;
	tcp__rtx_arm(c, PLX_TCP_RTX_RTO, tcp__rto_end(c, now));
	return true;
}

/* ---- lost text again ---- */

static int64_t cwnd_room(const struct plx_tcp *c)
{
	return (int64_t)c->cwnd - tcp__in_flight(c);
}

static void sent_again(struct plx_tcp *c, struct tcp_run *r, plx_ns now)
{
	struct tcp_cold *cold = tcp__cold(c);

	if (!c->rec.retrans_ms) {
		uint32_t ms = plx_tcp_ts_now(now);

		c->rec.retrans_ms = ms ? ms : 1;
	}
	c->rec.undo_retrans = PLX_MAX(c->rec.undo_retrans, 0) + (int32_t)r->segs;
	tcp__run_flag(c, r, RUN_RETRANS | RUN_EVER, 0);
	/* RACK goes by the order of departures, and a pass of the loop has only one time */
	r->sent_ns = c->snd.last_ns = PLX_MAX(now, c->snd.last_ns + 1);
	tcp_stat_add(c, TCP_RETRANSSEGS, r->segs);
	if (cold) {
		cold->total_retrans += r->segs;
		cold->bytes_retrans +=
			r->end - r->seq - !!(r->flags & RUN_SYN) - !!(r->flags & RUN_FIN);
	}
	tcp_event(c, now, RETRANS, .a = r->seq, .b = r->end);
}

static bool send_run(struct plx_tcp *c, const struct tcp_run *r, struct plx_tcp_tx *tx, plx_ns now)
{
	bool fin = r->flags & RUN_FIN;
	uint32_t len = r->end - r->seq - fin;

	return emit_text(c, tx, r->seq, len,
		(fin ? PLX_TCP_FIN : 0) | (len && r->end - fin == c->snd.end ? PLX_TCP_PSH : 0),
		true, now);
}

/* A run of at most max bytes of text at i: the rest becomes another one. */
static struct tcp_run *cut(struct plx_tcp *c, uint32_t i, uint32_t max)
{
	struct tcp_run *r = tcp__run(c, i);

	if (r->end - r->seq - !!(r->flags & RUN_FIN) > max && !tcp__sndq_split(c, i, r->seq + max))
		return NULL;
	return tcp__run(c, i);
}

static uint32_t first_lost(const struct plx_tcp *c)
{
	uint32_t i = 0;

	while (i < c->snd.run_n && (tcp__run(c, i)->flags & (RUN_LOST | RUN_RETRANS)) != RUN_LOST)
		i++;
	return i;
}

static bool retransmit(
	struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx, plx_ns now)
{
	uint32_t mss = c->snd.mss, max = room->max_len > mss ? room->max_len / mss : 1, i;
	int64_t quota = cwnd_room(c);
	struct tcp_run *r;

	/* F-RTO waits for what becomes of its new text */
	if (c->frto_new || (c->frto && plx_seq_gt(c->snd.nxt, c->rec.recover)))
		return false;
	i = first_lost(c);
	if (i == c->snd.run_n)
		return false;
	if (quota <= 0) {
		tx->why = PLX_TCP_WHY_CWND;
		return false;
	}
	r = tcp__run(c, i);
	if (plx_unlikely(room->bytes < PLX_MIN(mss, r->end - r->seq - !!(r->flags & RUN_FIN)))) {
		tx->why = PLX_TCP_WHY_ROOM;
		return false;
	}
	/* a window that has shrunk: only its first segment, as a probe */
	if (i > 0 && !plx_seq_lt(r->seq, c->snd.una + c->snd.wnd)) {
		tx->why = PLX_TCP_WHY_RWND;
		return false;
	}
	max = (uint32_t)PLX_MIN(PLX_MIN((int64_t)max, quota), (int64_t)room->segs);
	mss -= sack_bytes(c);
	r = cut(c, i, PLX_MIN(max, PLX_MAX(room->bytes / mss, 1u)) * mss);
	if (plx_unlikely(!r)) { /* no memory to note it: the time-out will see to the rest */
		if (i > 0 || c->rtx_ns > now + PLX_US(tcp__rto_us(c)) - 1)
			return false;
		tcp__rtx_arm(c, PLX_TCP_RTX_RTO, tcp__rto_end(c, now));
		return emit_text(c, tx, c->snd.una, mss, 0, true, now);
	}
	if (plx_unlikely(r->mss != c->snd.mss))
		tcp__sndq_recount(c, r);
	if (c->ca == PLX_TCP_CA_LOSS)
		tcp_stat_add(c, TCPEXT_TCPSLOWSTARTRETRANS, r->segs);
	else
		tcp_stat_add(c, TCPEXT_TCPFASTRETRANS, r->segs);
	sent_again(c, r, now);
	if (c->ca == PLX_TCP_CA_CWR || c->ca == PLX_TCP_CA_RECOVERY)
		c->rec.prr_out += r->segs;
	if (i == 0 && c->rtx_kind != PLX_TCP_RTX_REO && !tcp__impatient(c, c->snd.una))
		tcp__rtx_arm(c, PLX_TCP_RTX_RTO, tcp__rto_end(c, now));
	return send_run(c, r, tx, now);
}

/* ---- new text ---- */

/* RFC 2861: a window that was not used for a time-out says nothing any more. @return whether it is
 * another one now. */
static bool restart(struct plx_tcp *c, plx_ns now)
{
	uint32_t idle_ms = tcp__ms(now - c->snd.last_ns), rto_ms = c->rtt.rto_us / 1000;
	uint32_t least = PLX_MIN(tcp__init_cwnd(c), c->cwnd);
	uint32_t left = idle_ms;

	if (idle_ms <= rto_ms)
		return false;
	if (c->cc->restart)
		c->cc->restart(c, PLX_MS(idle_ms), now);
	if (!tcp_tun(c, TCP_SLOW_START_AFTER_IDLE))
		return false;
	c->ssthresh = tcp__current_ssthresh(c);
	while (c->cwnd > least && left > rto_ms) {
		c->cwnd >>= 1;
		left -= rto_ms;
	}
	c->cwnd = PLX_MAX(c->cwnd, least);
	c->cwnd_cnt = 0;
	c->used_out = 0;
	c->used_ms = tcp__ms(now);
	return true;
}

/* A window of which only a part was used for a time-out shrinks towards that part (RFC 2861 3.2;
 * Linux's tcp_cwnd_application_limited()). An orphan's program can't be what limits it. */
static void application_limited(struct plx_tcp *c, plx_ns now)
{
	uint32_t used = PLX_MAX(c->used_out, tcp__init_cwnd(c));

	c->used_ms = tcp__ms(now);
	if (c->ca != PLX_TCP_CA_OPEN || c->orphan)
		return;
	if (used < c->cwnd) {
		c->ssthresh = tcp__current_ssthresh(c);
		c->cwnd = (c->cwnd + used) >> 1;
	}
	c->used_out = 0;
}

/* Was the window in use in this flight? (Linux's tcp_cwnd_validate(); as there at the end of a
 * burst, since its first segments can't tell) */
static void validate(struct plx_tcp *c, plx_ns now)
{
	bool limited = tcp__in_flight(c) >= c->cwnd;

	c->burst = false;
	if (plx_seq_ge(c->snd.una, c->max_out_seq) || limited ||
		(!c->cwnd_limited && c->packets_out > c->max_out)) {
		c->cwnd_limited = limited;
		c->max_out = c->packets_out;
		c->max_out_seq = c->snd.nxt;
	}
	if (tcp__window_used(c)) {
		c->used_out = 0;
		c->used_ms = tcp__ms(now);
		return;
	}
	c->used_out = PLX_MAX(c->used_out, c->packets_out);
	if (tcp__ms(now) - c->used_ms >= c->rtt.rto_us / 1000 &&
		tcp_tun(c, TCP_SLOW_START_AFTER_IDLE))
		application_limited(c, now);
}

/* A peer with a tiny window still gets at least two segments into it (RFC 1122 4.2.3.4). */
static uint32_t text_mss(const struct plx_tcp *c)
{
	uint32_t mss = c->snd.mss - sack_bytes(c), cut = c->snd.max_wnd;

	if (plx_unlikely(cut < 2 * mss)) {
		if (cut > TCP_MSS_DEFAULT)
			cut /= 2;
		mss = PLX_MIN(mss, PLX_MAX(cut, 28u));
	}
	return mss;
}

/* RFC 9293 3.7.4 with Minshall's variant: a small segment waits for the last small one only. */
static bool nagle_holds(const struct plx_tcp *c, bool fin)
{
	if (fin || c->force_due || c->urg_due || c->push_due)
		return false;
	if (c->cork || c->more)
		return true;
	return !c->nodelay && c->packets_out && plx_seq_gt(c->snd.sml, c->snd.una) &&
	       !plx_seq_gt(c->snd.sml, c->snd.nxt);
}

static uint64_t pace_bytes_s(const struct plx_tcp *c)
{
	uint64_t rate = (uint64_t)c->snd.mss * PLX_MAX(c->cwnd, c->packets_out) * 8000000u /
			PLX_MAX(c->rtt.srtt8_us, 8u);
	uint64_t percent = (uint64_t)(c->cwnd < c->ssthresh / 2 ? tcp_tun(c, TCP_PACING_SS_RATIO)
								: tcp_tun(c, TCP_PACING_CA_RATIO));

	return PLX_MAX(rate * percent / 100, 1u);
}

/*
 * How long a burst may be that leaves as one: a millisecond's text at the pace, and more where the
 * round trip is short (Linux's tcp_tso_autosize()); never more than half of the window, so that
 * ACKs come in between. @return segments.
 */
static uint32_t super_segs(const struct plx_tcp *c, uint32_t mss)
{
	uint32_t half = PLX_MAX(c->cwnd / 2, 1u), shift = c->rtt.min_us >> SUPER_RTT_LOG;
	uint64_t bytes;

	if (!c->rtt.srtt8_us || shift == 0)
		return half;
	bytes = pace_bytes_s(c) / 1024 + (shift < 16 ? SUPER_BYTES >> shift : 0);
	bytes = PLX_MAX(bytes / mss, (uint64_t)tcp_tun(c, TCP_MIN_TSO_SEGS));
	return (uint32_t)PLX_MIN(bytes, (uint64_t)half);
}

/* How much text may leave in one segment now. @return bytes, 0: tx->why. */
static uint32_t may_send(struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx,
	bool fin, bool probe)
{
	uint32_t unsent = plx_tcp_unsent(c), mss = text_mss(c), max, len, part;
	int32_t wnd = plx_seq_diff(c->snd.una + c->snd.wnd, c->snd.nxt);
	int64_t quota = cwnd_room(c);

	if (plx_unlikely(room->bytes < PLX_MIN(mss, unsent))) {
		tx->why = PLX_TCP_WHY_ROOM;
		return 0;
	}
	if (quota <= 0 && !probe) {
		tx->why = PLX_TCP_WHY_CWND;
		return 0;
	}
	max = unsent > mss && room->max_len > mss ? room->max_len / mss : 1;
	if (max > 1)
		max = PLX_MIN(max, super_segs(c, mss));
	max = (uint32_t)PLX_MIN(PLX_MIN((int64_t)max, PLX_MAX(quota, 1)), (int64_t)room->segs);
	len = PLX_MIN(PLX_MIN(unsent, max * mss), room->bytes);
	if (wnd < (int32_t)PLX_MIN(len, mss)) {
		if (!c->force_due || wnd <= 0) {
			tx->why = PLX_TCP_WHY_RWND;
			return 0;
		}
		return PLX_MIN(len, (uint32_t)wnd); /* the probe's time: what fits */
	}
	if (len > (uint32_t)wnd)
		len = (uint32_t)wnd / mss * mss;
	/* blocks make its segments shorter than those that are counted: leave the rest for the next
	 */
	if (plx_unlikely(mss < c->snd.mss && len > mss))
		len -= len % mss;
	part = len < mss ? len : max == 1 ? 0 : len % mss;
	if (part && (len < unsent || nagle_holds(c, fin))) {
		len -= part;
		if (!len)
			tx->why = PLX_TCP_WHY_NAGLE;
	}
	return len;
}

/* The end of what was written is pushed; and of each two segments that leave together the second
 * one, so that a receiver that merges them passes them on (as Linux's TSO packets are, of two at
 * least). */
static bool pushed(struct plx_tcp *c, uint32_t len)
{
	bool second = (c->odd || len > c->snd.mss) && !c->urg_due;

	c->odd = !second;
	return second || (c->snd.nxt - c->fin_sent == c->snd.end && !c->unpushed);
}

/* Text that was never sent, with the FIN behind it. */
static bool new_text(struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx,
	bool probe, plx_ns now)
{
	uint32_t unsent = plx_tcp_unsent(c), seq = c->snd.nxt, len, before = c->packets_out;
	bool fin = c->fin_due && tcp__can_send(c), force;
	uint16_t mss;

	if (plx_likely(!unsent && !fin))
		return false;
	if (plx_unlikely(room->no_new && unsent)) {
		tx->why = PLX_TCP_WHY_ROOM;
		return false;
	}
	if (plx_unlikely(c->pace_ns > now && c->pace_ns != PLX_NEVER && !probe)) {
		tx->why = PLX_TCP_WHY_PACE;
		return false;
	}
	len = unsent ? may_send(c, room, tx, fin, probe) : 0;
	if (len && before == 0 && restart(c, now))
		len = may_send(c, room, tx, fin, probe);
	if (unsent && !len) {
		c->burst |= tx->why == PLX_TCP_WHY_CWND;
		return false;
	}
	/* a FIN takes room in the peer's window, too (RFC 9293 3.4) */
	fin = fin && len == unsent && plx_seq_lt(seq + len, c->snd.una + c->snd.wnd);
	if (!len && !fin) {
		tx->why = PLX_TCP_WHY_RWND;
		return false;
	}
	if (!tcp__sndq_reserve(c, 1)) {
		tx->why = PLX_TCP_WHY_ROOM;
		c->pace_ns = now + PLX_MS(10); /* ask again when others have freed some */
		return false;
	}
	mss = (uint16_t)text_mss(c); /* before what it deducts is said */
	if (len < mss)
		c->snd.sml = seq + len;
	force = c->force_due;
	c->force_due = false;
	c->snd.nxt = seq + len + fin;
	if (fin) {
		c->fin_sent = true;
		c->fin_due = false;
	}
	c->snd.last_ns = PLX_MAX(now, c->snd.last_ns);
	tcp__sndq_add(c, seq, seq + len + fin, fin ? RUN_FIN : 0, c->snd.last_ns);
	if (c->ca == PLX_TCP_CA_CWR || c->ca == PLX_TCP_CA_RECOVERY)
		c->rec.prr_out += c->packets_out - before;
	tcp_stat_add(c, TCPEXT_TCPORIGDATASENT, c->packets_out - before);
	c->burst = true;
	if (!tcp__schedule_tlp(c, false, now) && (before == 0 || c->rtx_kind == PLX_TCP_RTX_NONE))
		tcp__rearm_rto(c, now);
	emit_text(c, tx, seq, len,
		(fin ? PLX_TCP_FIN : 0) | (len && (pushed(c, len) || force) ? PLX_TCP_PSH : 0),
		false, now);
	tx->mss = mss;
	if (plx_unlikely(tcp_tun(c, TCP_PACING)) && c->rtt.srtt8_us) {
		tx->depart_ns = now;
		c->pace_ns = now + (plx_ns)((uint64_t)len * 1000000000u / pace_bytes_s(c));
	}
	return true;
}

/* ---- probes ---- */

/* RFC 8985 7.3: new text if there is any and it fits, else the last segment again. */
static bool tail_loss_probe(
	struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx, plx_ns now)
{
	struct tcp_run *r;
	uint32_t i, start;
	bool sent, one = true; /* of its segments; not so, when there is no memory to cut it off */

	c->tlp_due = false;
	if (!c->snd.run_n)
		return false;
	c->tlp_retrans = false;
	sent = new_text(c, room, tx, true, now);
	if (!sent) {
		i = c->snd.run_n - 1u;
		r = tcp__run(c, i);
		if (r->segs > 1) {
			uint32_t text = r->end - r->seq - !!(r->flags & RUN_FIN);

			start = r->seq + (text - 1) / r->mss * r->mss;
			one = start == r->seq || tcp__sndq_split(c, i, start);
			i += start != r->seq && one;
			r = tcp__run(c, i);
		}
		if (one && !(r->flags & RUN_SACKED) &&
			r->end - r->seq - !!(r->flags & RUN_FIN) <= room->bytes) {
			c->tlp_retrans = true;
			sent_again(c, r, now);
			sent = send_run(c, r, tx, now);
		}
	}
	tcp__rtx_stop(c);
	tcp__rearm_rto(c, now);
	if (!sent)
		return false;
	c->tlp_out = true;
	c->rec.tlp_end = c->snd.nxt;
	tcp_stat(c, TCPEXT_TCPLOSSPROBES);
	tcp_event(c, now, TLP, .a = tx->seq, .b = tx->seq + tx->len);
	return true;
}

/* Nothing, from before the window: the peer answers with its window, or at all (RFC 9293 3.8.4,
 * 3.8.6.1; as Linux's tcp_xmit_probe_skb()). */
static bool send_probe(struct plx_tcp *c, struct plx_tcp_tx *tx, plx_ns now)
{
	c->probe_due = false;
	emit(c, tx, c->snd.una - 1, 0, 0, now);
	tx->off = 0;
	return true;
}

static bool send_ack(struct plx_tcp *c, struct plx_tcp_tx *tx, plx_ns now)
{
	if (!c->ack_now && !tcp__delack_due(c, now))
		return false;
	return emit(c, tx, c->snd.nxt, 0, 0, now);
}

/* ---- the ladder ---- */

/* A burst of new text is over: none is left, or none may leave. */
static void text_ends(struct plx_tcp *c, plx_ns now)
{
	c->odd = c->more = false;
	if (c->burst)
		validate(c, now);
}

static bool open_output(
	struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx, plx_ns now)
{
	if (plx_unlikely(c->lost_out) && retransmit(c, room, tx, now))
		return true;
	if (plx_unlikely(c->tlp_due) && tail_loss_probe(c, room, tx, now))
		return true;
	if (new_text(c, room, tx, false, now))
		return true;
	text_ends(c, now);
	if (plx_unlikely(c->frto_new)) {
		c->frto_new = false;
		if (c->snd.nxt == c->rec.recover) { /* none could be sent: the conventional way */
			c->frto = false;
			return retransmit(c, room, tx, now);
		}
	}
	return false;
}

static bool ladder(
	struct plx_tcp *c, const struct plx_tcp_room *room, struct plx_tcp_tx *tx, plx_ns now)
{
	if (plx_unlikely(c->rst_due))
		return send_rst(c, tx, now);
	if (plx_unlikely(c->id.state == PLX_TCP_CLOSED))
		return false;
	if (plx_unlikely(c->syn_due))
		return send_syn(c, tx, now);
	if (tcp__can_send(c) && open_output(c, room, tx, now))
		return true;
	if (plx_unlikely(c->probe_due))
		return send_probe(c, tx, now);
	if (c->ack_due && c->id.state != PLX_TCP_SYN_SENT && send_ack(c, tx, now))
		return true;
	if (plx_unlikely(!c->packets_out && tcp__waiting(c)))
		tcp__check_probe(c, now);
	return false;
}

bool plx_tcp_output(
	struct plx_tcp *c, plx_ns now, const struct plx_tcp_room *room, struct plx_tcp_tx *tx)
{
	tx->why = PLX_TCP_WHY_ROOM;
	if (plx_unlikely(!room->segs))
		return false;
	tx->why = PLX_TCP_WHY_IDLE;
	if (!ladder(c, room, tx, now))
		return false;
	tcp_event(c, now, OUT, .tx = tx);
	return true;
}

bool plx_tcp_idle(struct plx_tcp *c, plx_ns now)
{
	if (c->rst_due || c->syn_due || c->fin_due || c->probe_due || c->tlp_due || c->frto_new ||
		c->ack_now || c->lost_out || plx_tcp_unsent(c))
		return false;
	if (tcp__can_send(c))
		text_ends(c, now);
	if (plx_unlikely(!c->snd.run_n && c->snd.run))
		tcp__sndq_free(c);
	return !c->ack_due || c->id.state == PLX_TCP_SYN_SENT || !tcp__delack_due(c, now);
}
