/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The window that we announce: never shrinks (RFC 9293 3.8.6), opens by steps worth announcing
 * (silly windows, RFC 9293 3.8.6.2.2), grows with what comes (Linux's rcv_ssthresh) and follows
 * what the program reads in a round trip (Linux's dynamic right-sizing, tcp_rcv_space_adjust()).
 */

/* Of rcv.buf, which is half of what memory may be held: so is the text's, as long as it fills at
 * least half of its room (Linux's tcp_win_from_space()). */
static uint32_t held(const struct plx_tcp *c)
{
	return PLX_MAX(plx_tcp_readable(c) + tcp__ofo_bytes(c), c->rcv.room / 2);
}

uint32_t tcp__rwnd_free(const struct plx_tcp *c)
{
	uint32_t used = held(c), full = c->rcv.buf, mss = PLX_MIN(c->rcv.mss, full);
	uint32_t free = used < full ? full - used : 0, wnd;

	if (free < full / 2) { /* to close it in time, and not by halves */
		free &= ~((1u << c->rcv_wscale) - 1);
		if (free < full / 16 || free < mss)
			return 0;
	}
	free = PLX_MIN(PLX_MIN(free, c->rcv.ssthresh), tcp__wnd_clamp(c));
	if (c->rcv_wscale) /* what the scale rounds off is announced: it fits */
		return (free + (1u << c->rcv_wscale) - 1) & ~((1u << c->rcv_wscale) - 1);
	/* whole segments, so that the peer is not led to send small ones */
	wnd = c->rcv.wnd;
	if (mss && (wnd + mss <= free || wnd > free))
		wnd = free / mss * mss;
	else if (mss == full && free > wnd + full / 2)
		wnd = free;
	return wnd;
}

/* Linux's tcp_adjust_rcv_ssthresh(). */
void tcp__rwnd_shy(struct plx_tcp *c)
{
	c->rcv.ssthresh = PLX_MIN(c->rcv.ssthresh, 4u * tcp__adv_mss(c));
}

uint16_t tcp__rwnd_announce(struct plx_tcp *c)
{
	uint32_t left = tcp__rcv_wnd(c), wnd = tcp__rwnd_free(c);
	uint32_t old = c->rcv.wnd;

	if (plx_unlikely(c->ctx->pressure) && wnd < c->rcv.buf / 2) {
		tcp__rwnd_shy(c);
		wnd = PLX_MIN(wnd, tcp__rwnd_free(c));
	}
	if (plx_unlikely(c->no_room)) { /* as Linux: it shrinks, for once */
		c->no_room = false;
		wnd = 0;
	} else if (wnd < left) {
		if (wnd == 0)
			tcp_stat(c, TCPEXT_TCPWANTZEROWINDOWADV);
		wnd = (left + (1u << c->rcv_wscale) - 1) & ~((1u << c->rcv_wscale) - 1);
	}
	wnd = PLX_MIN(wnd, 65535u << c->rcv_wscale);
	c->rcv.wnd = wnd;
	c->rcv.wup = c->rcv.nxt;
	if (plx_unlikely(wnd == 0) && old)
		tcp_stat(c, TCPEXT_TCPTOZEROWINDOWADV);
	else if (plx_unlikely(old == 0) && wnd)
		tcp_stat(c, TCPEXT_TCPFROMZEROWINDOWADV);
	return (uint16_t)(wnd >> c->rcv_wscale);
}

void tcp__rwnd_init(struct plx_tcp *c, plx_ns now)
{
	c->rcv.ssthresh = c->rcv.wnd;
	c->rcv.space = PLX_MIN(c->rcv.wnd, tcp__init_cwnd(c) * c->snd.mss);
	c->rcv.space_seq = c->rcv.nxt;
	c->rcv.space_at_us = tcp__us(now);
}

/* Linux's tcp_grow_window(): by two segments for each full one, not for small ones that fill more
 * memory than they hold. */
void tcp__rwnd_grow(struct plx_tcp *c, uint32_t len)
{
	if (c->rcv.ssthresh < c->rcv.buf && len >= c->rcv.mss / 2u && !c->ctx->pressure)
		c->rcv.ssthresh = PLX_MIN(c->rcv.ssthresh + 2 * len, c->rcv.buf);
}

static void rtt_sample(struct plx_tcp *c, uint32_t us, bool wide)
{
	uint32_t old = c->rcv.rtt_us;

	us = PLX_MAX(us, 1u);
	if (!old)
		c->rcv.rtt_us = us;
	else if (!wide) /* by the window: an upper bound */
		c->rcv.rtt_us = PLX_MIN(old, us);
	else
		c->rcv.rtt_us = old + (uint32_t)(((int64_t)us - old) / 8);
}

/* The receiver's round trip: by timestamps echoed, else the time that a window takes. */
void tcp__rwnd_measure(struct plx_tcp *c, const struct plx_tcp_seg *seg, plx_ns now)
{
	if (c->ts_ok && seg->opts.present & PLX_TCP_OPT_TS && seg->opts.ts_ecr) {
		uint32_t ms = plx_tcp_ts_now(now) + c->ts_off - seg->opts.ts_ecr;

		if (seg->len >= c->rcv.mss && ms < 1000000)
			rtt_sample(c, PLX_MAX(ms, 1u) * 1000, true);
		return;
	}
	if (!c->rcv.rtt_on) {
		c->rcv.rtt_on = true;
	} else {
		if (plx_seq_lt(c->rcv.nxt, c->rcv.rtt_seq))
			return;
		rtt_sample(c, tcp__us(now) - c->rcv.rtt_at_us, false);
	}
	c->rcv.rtt_seq = c->rcv.nxt + c->rcv.wnd;
	c->rcv.rtt_at_us = tcp__us(now);
}

void tcp__rwnd_tune(struct plx_tcp *c, plx_ns now)
{
	uint32_t us = tcp__us(now) - c->rcv.space_at_us, copied;

	if (c->rcv.rtt_us == 0 || us < c->rcv.rtt_us)
		return;
	copied = c->rcv.read - c->rcv.space_seq;
	if (copied > c->rcv.space) {
		if (!c->fixed_buf && !c->ctx->pressure && tcp_tun(c, TCP_MODERATE_RCVBUF)) {
			/* twice what was read, and the growth of slow start ahead of it */
			uint64_t want = 2 * (uint64_t)copied + 16u * c->rcv.mss;
			uint64_t grow = want * (copied - c->rcv.space) / PLX_MAX(c->rcv.space, 1u);

			want = PLX_MIN(want + 2 * grow, (uint64_t)tcp_tun(c, TCP_RMEM_MAX) / 2);
			c->rcv.buf = PLX_MAX(c->rcv.buf, (uint32_t)want);
		}
		c->rcv.space = copied;
	}
	c->rcv.space_seq = c->rcv.read;
	c->rcv.space_at_us = tcp__us(now);
}

int plx_tcp_set_rcvbuf(struct plx_tcp *c, uint32_t bytes)
{
	c->fixed_buf = true;
	c->rcv.buf = PLX_MAX(bytes / 2, (uint32_t)TCP_MSS_DEFAULT);
	if (c->id.state == PLX_TCP_CLOSED)
		return 0;
	c->rcv.ssthresh = PLX_MIN(PLX_MAX(c->rcv.ssthresh, c->rcv.wnd), c->rcv.buf);
	return 0;
}

/* ---- memory is short ---- */

/* Linux's tcp_clamp_window(): more, as long as there is more. */
static void grow(struct plx_tcp *c)
{
	uint32_t most = (uint32_t)tcp_tun(c, TCP_RMEM_MAX) / 2;

	if (!c->fixed_buf && !c->ctx->pressure && tcp_tun(c, TCP_MODERATE_RCVBUF))
		c->rcv.buf = PLX_MAX(c->rcv.buf, PLX_MIN((c->rcv.room + 1) / 2, most));
	if (plx_tcp_is_full(c))
		c->rcv.ssthresh = PLX_MIN(c->rcv.ssthresh, 2u * tcp__adv_mss(c));
}

void plx_tcp_clamp(struct plx_tcp *c)
{
	tcp_stat(c, TCPEXT_PRUNECALLED);
	if (plx_tcp_is_full(c))
		grow(c);
	else if (c->ctx->pressure)
		tcp__rwnd_shy(c);
}

void plx_tcp_refuse(struct plx_tcp *c)
{
	tcp_stat(c, TCPEXT_RCVPRUNED);
	if (!tcp__synchronized(c) || c->fin_rcvd)
		return;
	c->no_room = c->ack_due = c->ack_now = true;
}
