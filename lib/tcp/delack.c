/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * When to acknowledge (RFC 1122 4.2.3.2, RFC 5681 4.2), as Linux does: every second full segment at
 * once, the first ones of a connection too (so that slow start is not held up), what opens or fills
 * a gap at once; else after the delayed ACK time-out, which follows the peer's rhythm, or with the
 * text of an answer.
 */

/* Linux's tcp_incr_quickack(): a dialogue stays one. */
static void more_quick(struct plx_tcp *c, uint32_t max)
{
	uint32_t n = c->rcv.mss ? tcp__rcv_wnd(c) / (2u * c->rcv.mss) : 0;

	n = PLX_MIN(PLX_MAX(n, 2u), max);
	c->rcv.quick = (uint8_t)PLX_MAX(c->rcv.quick, n);
}

/* Linux's tcp_enter_quickack_mode(). */
void tcp__delack_quick(struct plx_tcp *c, uint32_t max)
{
	more_quick(c, max);
	c->pingpong = false;
	c->pings = 0;
	c->rcv.ato_us = (uint32_t)tcp_tun(c, TCP_DELACK_MIN) * 1000;
}

/* Linux's tcp_measure_rcv_mss(), without its guesses about what was merged: a segment's size is
 * known here. */
static void measure_mss(struct plx_tcp *c, const struct plx_tcp_seg *seg)
{
	uint32_t len = seg->segs > 1 ? seg->len / seg->segs : seg->len;

	if (len >= c->rcv.mss) {
		c->rcv.mss = (uint16_t)PLX_MIN(len, 65535u);
		c->rcv.pushed |= !!(seg->flags & PLX_TCP_PSH);
	} else if (len >= TCP_MSS_DEFAULT && !(seg->flags & PLX_TCP_PSH)) {
		c->rcv.mss = (uint16_t)len;
	} else {
		c->rcv.pushed2 |= c->rcv.pushed;
		c->rcv.pushed = true;
	}
}

/* The program has read: is that the time for an ACK? A peer that waits for it before it sends its
 * next small segment (Nagle) gets it now, unless an answer is likely to follow (Linux's
 * __tcp_cleanup_rbuf()). */
bool tcp__delack_read(const struct plx_tcp *c)
{
	if (!c->ack_due)
		return false;
	if (c->rcv.nxt - c->rcv.wup > c->rcv.mss)
		return true;
	return (c->rcv.pushed2 || (c->rcv.pushed && !c->pingpong)) && !plx_tcp_readable(c) &&
	       !tcp__ofo_any(c);
}

void tcp__delack_text(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	uint32_t min_us = (uint32_t)tcp_tun(c, TCP_DELACK_MIN) * 1000, gap_us;

	c->ack_due = true;
	measure_mss(c, seg);
	tcp__rwnd_measure(c, seg, now);
	if (plx_unlikely(!c->rcv.ato_us)) { /* the first text */
		more_quick(c, TCP_QUICK_MAX);
		c->rcv.ato_us = min_us;
	} else {
		uint32_t ms = tcp__ms(now) - c->rcv.last_ms;

		gap_us = PLX_MIN(ms, 4000000u) * 1000;
		if (gap_us <= min_us / 2)
			c->rcv.ato_us = c->rcv.ato_us / 2 + min_us / 2;
		else if (gap_us < c->rcv.ato_us)
			c->rcv.ato_us = PLX_MIN(c->rcv.ato_us / 2 + gap_us, c->rtt.rto_us);
		else if (gap_us > c->rtt.rto_us) /* so long that our ACK may have been lost */
			more_quick(c, TCP_QUICK_MAX);
	}
	c->rcv.last_ms = tcp__ms(now);
	if (seg->len >= 128)
		tcp__rwnd_grow(c, seg->len);
}

/* Linux's tcp_send_delayed_ack(). */
static void delay(struct plx_tcp *c, plx_ns now)
{
	uint32_t min_us = (uint32_t)tcp_tun(c, TCP_DELACK_MIN) * 1000;
	uint32_t max_us = (uint32_t)tcp_tun(c, TCP_DELACK_MAX) * 1000;
	uint32_t ato = c->rcv.ato_us;
	plx_ns at;

	if (ato > min_us) {
		uint32_t max = c->pingpong ? max_us : 500000u;

		if (c->rtt.srtt8_us)
			max = PLX_MIN(max, PLX_MAX(c->rtt.srtt8_us / 8, min_us));
		ato = PLX_MIN(ato, max);
	}
	at = now + PLX_US(PLX_MIN(ato, max_us));
	/* a timer that is nearly due stays */
	c->delack_ns = PLX_MIN(c->delack_ns, at);
}

bool tcp__delack_due(struct plx_tcp *c, plx_ns now)
{
	uint32_t pending = c->rcv.nxt - c->rcv.wup;

	if ((pending > c->rcv.mss && tcp__rwnd_free(c) >= tcp__rcv_wnd(c)) ||
		(c->rcv.quick && !c->pingpong) || tcp__ofo_any(c) || c->dsack_due)
		return true;
	delay(c, now);
	return false;
}

/* Linux's tcp_dec_quickack_mode(): what acknowledges nothing new does not count. */
void tcp__delack_sent_ack(struct plx_tcp *c)
{
	if (c->rcv.quick && c->ack_due && --c->rcv.quick == 0)
		c->rcv.ato_us = (uint32_t)tcp_tun(c, TCP_DELACK_MIN) * 1000;
	c->ack_due = c->rcv.pushed = c->rcv.pushed2 = false;
	c->delack_ns = PLX_NEVER;
}

/* An answer soon after text: a dialogue (Linux's pingpong mode). */
void tcp__delack_sent_text(struct plx_tcp *c, plx_ns now)
{
	if (c->rcv.ato_us && (tcp__ms(now) - c->rcv.last_ms) < c->rcv.ato_us / 1000 &&
		c->pings < 3 && ++c->pings == 1)
		c->pingpong = true;
}

void tcp__delack_timer(struct plx_tcp *c, plx_ns now)
{
	(void)now;
	c->delack_ns = PLX_NEVER;
	if (!c->ack_due)
		return;
	if (!c->pingpong) {
		c->rcv.ato_us = PLX_MIN(c->rcv.ato_us * 2, c->rtt.rto_us);
	} else { /* no answer came that could have carried it */
		c->pingpong = false;
		c->pings = 0;
		c->rcv.ato_us = (uint32_t)tcp_tun(c, TCP_DELACK_MIN) * 1000;
	}
	c->ack_now = true; /* output() sends it */
	tcp_stat(c, TCPEXT_DELAYEDACKS);
}

void plx_tcp_set_quickack(struct plx_tcp *c, bool on, plx_ns now)
{
	if (!on) {
		c->pingpong = true;
		return;
	}
	tcp__delack_quick(c, TCP_QUICK_MAX);
	if (c->ack_due)
		c->delack_ns = now;
}
