/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The timers of a connection:
 *
 *	rtx_ns    one of: retransmission time-out, tail loss probe, end of the reordering window,
 *	          zero-window probe (rtx_kind says which)
 *	delack_ns delayed ACK
 *	keep_ns   keep-alive probe, or the end of an orphan's FIN-WAIT-2
 *	pace_ns   next departure
 *
 * They say what is due; output() does it.
 */

void tcp__rtx_arm(struct plx_tcp *c, enum plx_tcp_rtx kind, plx_ns when)
{
	c->rtx_kind = (uint8_t)kind;
	c->rtx_ns = when;
}

void tcp__rtx_stop(struct plx_tcp *c)
{
	c->rtx_kind = PLX_TCP_RTX_NONE;
	c->rtx_ns = PLX_NEVER;
}

/* When the user's patience ends (RFC 5482), counted from the first time-out or the first SYN. */
static plx_ns user_end(const struct plx_tcp *c, plx_ns now)
{
	uint32_t user_ms = c->cold ? c->cold->user_timeout_ms : 0, since_ms;

	if (!user_ms || c->id.state == PLX_TCP_SYN_RECEIVED)
		return PLX_NEVER;
	since_ms =
		c->id.state == PLX_TCP_SYN_SENT ? tcp__ms(c->rack.xmit_ns) : c->cold->rto_since_ms;
	return now + PLX_MS((int64_t)user_ms - (int32_t)(tcp__ms(now) - since_ms));
}

plx_ns tcp__rto_end(const struct plx_tcp *c, plx_ns now)
{
	plx_ns end = now + PLX_US(tcp__rto_us(c));

	if (plx_unlikely(c->retransmits))
		end = PLX_MIN(end, user_end(c, now));
	return PLX_MAX(end, now + 1);
}

/* From now; or, where another timer stood in for it, from when the first segment was sent. */
void tcp__rearm_rto(struct plx_tcp *c, plx_ns now)
{
	plx_ns rto = PLX_US(tcp__rto_us(c)), from = now;

	if (!c->packets_out) {
		tcp__rtx_stop(c);
		return;
	}
	if ((c->rtx_kind == PLX_TCP_RTX_REO || c->rtx_kind == PLX_TCP_RTX_TLP) && c->snd.run_n)
		from = tcp__run(c, 0)->sent_ns;
	tcp__rtx_arm(c, PLX_TCP_RTX_RTO, PLX_MAX(from + rto, now + 1));
}

/* RFC 8985 7.2: after two round trips; a lone segment's ACK may be delayed. */
bool tcp__schedule_tlp(struct plx_tcp *c, bool advanced, plx_ns now)
{
	plx_ns pto, rto;

	if (!c->packets_out || !c->sack_ok || c->ca == PLX_TCP_CA_RECOVERY ||
		c->ca == PLX_TCP_CA_LOSS || c->ca == PLX_TCP_CA_DISORDER ||
		tcp_tun(c, TCP_EARLY_RETRANS) < 3 || !c->snd.run_n ||
		c->rtx_kind == PLX_TCP_RTX_REO)
		return false;
	if (c->rtt.srtt8_us) {
		pto = PLX_US(c->rtt.srtt8_us >> 2);
		pto += c->packets_out == 1 ? PLX_MS(tcp_tun(c, TCP_DELACK_MAX)) : PLX_MS(2);
	} else {
		pto = PLX_US(TCP_RTO_INIT_US);
	}
	/* not behind the time-out, which an ACK puts off (RFC 6298 5.3) */
	rto = PLX_US(tcp__rto_us(c)) - (advanced ? 0 : now - tcp__run(c, 0)->sent_ns);
	if (rto > 0)
		pto = PLX_MIN(pto, rto);
	tcp__rtx_arm(c, PLX_TCP_RTX_TLP, now + pto);
	return true;
}

/* When the user's patience with a window that is shut ends, counted from the first probe. */
static plx_ns probe_end(const struct plx_tcp *c, plx_ns now)
{
	const struct tcp_cold *cold = c->cold;
	int64_t left;

	if (!cold || !cold->user_timeout_ms || !c->backoff || !cold->probe_since_ms)
		return PLX_NEVER;
	left = (int64_t)cold->user_timeout_ms - (int32_t)(tcp__ms(now) - cold->probe_since_ms);
	return now + PLX_MS(PLX_MAX(left, 1));
}

/* Text waits, nothing is in flight: who tells us when the window opens? */
void tcp__check_probe(struct plx_tcp *c, plx_ns now)
{
	uint64_t us = (uint64_t)PLX_MAX(c->rtt.rto_us, (uint32_t)tcp_tun(c, TCP_RTO_MIN))
		      << PLX_MIN(c->backoff, (uint8_t)20);

	us = PLX_MIN(us, (uint64_t)tcp_tun(c, TCP_RTO_MAX) * 1000);
	if (c->rtx_kind == PLX_TCP_RTX_NONE)
		tcp__rtx_arm(c, PLX_TCP_RTX_PROBE, PLX_MIN(now + PLX_US(us), probe_end(c, now)));
}

static uint16_t give_up(struct plx_tcp *c, plx_ns now)
{
	tcp_stat(c, TCPEXT_TCPABORTONTIMEOUT);
	tcp__done(c, c->cold && c->cold->soft_err ? c->cold->soft_err : ETIMEDOUT, now);
	return PLX_TCP_EV_RESET;
}

/* ---- retransmission time-out ---- */

/* So long do n time-outs in a row take, from the least one on (Linux's tcp_model_timeout()). */
static uint64_t model_ms(const struct plx_tcp *c, uint32_t n)
{
	uint64_t base = (uint64_t)tcp_tun(c, TCP_RTO_MIN) / 1000, sum = 0;
	uint64_t max = (uint64_t)tcp_tun(c, TCP_RTO_MAX);

	for (uint32_t i = 0; i <= n; i++) {
		sum += base;
		base = PLX_MIN(base * 2, max);
	}
	return sum;
}

/* RFC 9293 3.8.3, R1: counted as R2 is (Linux's tcp_write_timeout()). */
static uint16_t doubt(const struct plx_tcp *c, plx_ns now)
{
	uint32_t n = (uint32_t)tcp_tun(c, TCP_RETRIES1);
	bool over;

	if (!c->retransmits)
		return 0;
	if (!tcp__synchronized(c))
		over = true;
	else if (c->cold)
		over = tcp__ms(now) - c->cold->rto_since_ms >= model_ms(c, n);
	else
		over = c->retransmits >= n;
	return over ? PLX_TCP_EV_DOUBT : 0;
}

static bool too_long(const struct plx_tcp *c, plx_ns now)
{
	uint32_t n = (uint32_t)tcp_tun(c, TCP_RETRIES2), waited;

	if (!c->retransmits)
		return false;
	if (!c->cold)
		return c->retransmits >= n;
	waited = tcp__ms(now) - c->cold->rto_since_ms;
	if (c->cold->user_timeout_ms)
		return user_end(c, now) <= now;
	if (c->orphan) {
		n = (uint32_t)tcp_tun(c, TCP_ORPHAN_RETRIES);
		n = n ? n : 8;
	}
	return waited >= model_ms(c, n);
}

static uint32_t or_tunable(uint32_t own, int64_t tunable)
{
	return own ? own : (uint32_t)tunable;
}

/* The first few SYNs do not back off (Linux's tcp_syn_linear_timeouts). */
static uint16_t syn_timeout(struct plx_tcp *c, plx_ns now)
{
	bool active = c->id.state == PLX_TCP_SYN_SENT;
	uint32_t own = c->cold ? c->cold->syn_retries : 0;
	int64_t linear = active ? tcp_tun(c, TCP_SYN_LINEAR_TIMEOUTS) : 0;
	int64_t n = active ? linear + or_tunable(own, tcp_tun(c, TCP_SYN_RETRIES))
			   : tcp_tun(c, TCP_SYNACK_RETRIES);
	uint16_t doubts;

	tcp_stat(c, TCPEXT_TCPTIMEOUTS);
	if (c->retransmits >= n || user_end(c, now) <= now) {
		tcp_stat(c, TCP_ATTEMPTFAILS);
		return give_up(c, now);
	}
	doubts = doubt(c, now);
	tcp_stat(c, TCPEXT_TCPTIMEOUTSSYN);
	tcp_stat(c, TCPEXT_TCPSYNRETRANS);
	tcp_stat(c, TCP_RETRANSSEGS);
	if (tcp__cold(c))
		c->cold->total_retrans++;
	c->retransmits++;
	c->backoff += c->retransmits > linear;
	c->syn_due = true;
	return doubts;
}

static void count_timeout(struct plx_tcp *c)
{
	tcp_stat(c, TCPEXT_TCPTIMEOUTS);
	if (c->cold)
		c->cold->total_rto++;
	if (c->ca == PLX_TCP_CA_RECOVERY) {
		if (c->sack_ok)
			tcp_stat(c, TCPEXT_TCPSACKFAILURES);
		else
			tcp_stat(c, TCPEXT_TCPRENOFAILURES);
	} else if (c->ca == PLX_TCP_CA_LOSS) {
		tcp_stat(c, TCPEXT_TCPLOSSFAILURES);
	}
}

static uint16_t rto_timeout(struct plx_tcp *c, plx_ns now)
{
	uint16_t doubts;

	if (!tcp__synchronized(c))
		return syn_timeout(c, now);
	if (!c->packets_out)
		return 0;
	if (too_long(c, now))
		return give_up(c, now);
	doubts = doubt(c, now);
	if (!c->retransmits && tcp__cold(c)) /* a tail loss probe may have come before */
		c->cold->rto_since_ms = c->rec.retrans_ms && c->ca < PLX_TCP_CA_RECOVERY
						? c->rec.retrans_ms
						: tcp__ms(now);
	count_timeout(c);
	tcp__enter_loss(c, now);
	c->retransmits = (uint8_t)PLX_MIN(c->retransmits + 1, 255);
	c->backoff = (uint8_t)PLX_MIN(c->backoff + 1, 30);
	tcp__rtx_arm(c, PLX_TCP_RTX_RTO, tcp__rto_end(c, now));
	tcp_event(c, now, RTO, .a = c->retransmits, .b = tcp__rto_us(c));
	return doubts;
}

/* ---- zero-window probe ---- */

static bool probed_enough(struct plx_tcp *c, plx_ns now)
{
	uint32_t max = (uint32_t)tcp_tun(c, TCP_RETRIES2);
	struct tcp_cold *cold = c->cold;

	if (cold && cold->user_timeout_ms) {
		if (!c->backoff || !cold->probe_since_ms)
			cold->probe_since_ms = tcp__ms(now);
		else if (tcp__ms(now) - cold->probe_since_ms >= cold->user_timeout_ms)
			return true;
	}
	if (!c->orphan)
		return c->probes >= max;
	/* a peer that answers and keeps its window shut holds no orphan for ever */
	if (tcp__rto_us(c) >= tcp_tun(c, TCP_RTO_MAX) * 1000)
		return true;
	max = (uint32_t)tcp_tun(c, TCP_ORPHAN_RETRIES);
	return c->probes >= (max ? max : 8);
}

static uint16_t probe_timeout(struct plx_tcp *c, plx_ns now)
{
	if (c->packets_out || !tcp__waiting(c)) {
		c->probes = 0;
		return 0;
	}
	/* a window that is open, but by less than a segment, gets what fits into it */
	if (plx_seq_gt(c->snd.una + c->snd.wnd, c->snd.nxt)) {
		c->force_due = true;
		c->probes = c->backoff = 0;
		return 0;
	}
	if (probed_enough(c, now))
		return give_up(c, now);
	c->probes++;
	c->probe_due = true;
	if (c->backoff < PLX_MIN(tcp_tun(c, TCP_RETRIES2), 30))
		c->backoff++;
	tcp__check_probe(c, now);
	tcp_stat(c, TCPEXT_TCPWINPROBE);
	tcp_event(c, now, PROBE, .a = c->probes);
	return 0;
}

/* The time-out that this timer stood in for counts from when it would have. */
static void back_to_rto(struct plx_tcp *c, enum plx_tcp_rtx kind, plx_ns now)
{
	c->rtx_kind = (uint8_t)kind;
	tcp__rearm_rto(c, now);
}

static uint16_t rtx_timeout(struct plx_tcp *c, plx_ns now)
{
	enum plx_tcp_rtx kind = c->rtx_kind;

	tcp__rtx_stop(c);
	switch (kind) {
	case PLX_TCP_RTX_RTO:
		return rto_timeout(c, now);
	case PLX_TCP_RTX_TLP:
		if (c->tlp_out) /* one at a time */
			back_to_rto(c, kind, now);
		else
			c->tlp_due = true;
		return 0;
	case PLX_TCP_RTX_REO:
		tcp__reo_timeout(c, now);
		if (c->rtx_kind == PLX_TCP_RTX_NONE)
			back_to_rto(c, kind, now);
		return 0;
	case PLX_TCP_RTX_PROBE:
		return probe_timeout(c, now);
	default:
		return 0;
	}
}

/* ---- keep-alive (RFC 9293 3.8.4), and orphans in FIN-WAIT-2 ---- */

plx_ns tcp__keep_idle(const struct plx_tcp *c)
{
	return PLX_SEC(
		or_tunable(c->cold ? c->cold->keep_idle_s : 0, tcp_tun(c, TCP_KEEPALIVE_TIME)));
}

void tcp__keep_arm(struct plx_tcp *c, plx_ns now)
{
	c->keep_ns = PLX_NEVER;
	if (tcp__lingers(c))
		c->keep_ns = now + PLX_SEC(or_tunable((uint32_t)PLX_MAX(tcp__linger2(c), 0),
					   tcp_tun(c, TCP_FIN_TIMEOUT)));
	else if (c->keepalive && tcp__synchronized(c))
		c->keep_ns = now + tcp__keep_idle(c);
}

static uint16_t keep_timeout(struct plx_tcp *c, plx_ns now)
{
	const struct tcp_cold *cold = c->cold;
	uint32_t user_ms = cold ? cold->user_timeout_ms : 0;
	plx_ns intvl =
		PLX_SEC(or_tunable(cold ? cold->keep_intvl_s : 0, tcp_tun(c, TCP_KEEPALIVE_INTVL)));
	uint32_t count = or_tunable(cold ? cold->keep_count : 0, tcp_tun(c, TCP_KEEPALIVE_PROBES));

	if (tcp__lingers(c)) {
		tcp_stat(c, TCPEXT_TCPABORTONLINGER);
		tcp__done(c, 0, now);
		return PLX_TCP_EV_CLOSED;
	}
	if (c->packets_out || tcp__waiting(c)) { /* it is asked already */
		tcp__keep_arm(c, now);
		return 0;
	}
	if (user_ms ? c->probes && tcp__keep_idle(c) + (plx_ns)c->probes * intvl >= PLX_MS(user_ms)
		    : c->probes >= count) {
		uint16_t ev = give_up(c, now);

		c->rst_due = true;
		return ev;
	}
	c->probes++;
	c->probe_due = true;
	c->keep_ns = now + intvl;
	tcp_stat(c, TCPEXT_TCPKEEPALIVE);
	tcp_event(c, now, KEEPALIVE, .a = c->probes);
	return 0;
}

uint16_t plx_tcp_timer(struct plx_tcp *c, plx_ns now)
{
	uint16_t events = 0;

	if (c->delack_ns <= now)
		tcp__delack_timer(c, now);
	if (c->pace_ns <= now)
		c->pace_ns = PLX_NEVER;
	if (c->rtx_ns <= now)
		events |= rtx_timeout(c, now);
	if (c->keep_ns <= now)
		events |= keep_timeout(c, now);
	return events;
}
