/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * What is lost, told by time (RFC 8985): a segment is lost when one that was sent sufficiently
 * later has arrived. Text of one burst is one run, so a walk over the queue is short.
 */

static bool sent_after(plx_ns t1, uint32_t end1, plx_ns t2, uint32_t end2)
{
	return t1 > t2 || (t1 == t2 && plx_seq_gt(end1, end2));
}

/* RFC 8985 6.2 step 2: the segment sent last of those that arrived. */
void tcp__rack_advance(struct plx_tcp *c, const struct tcp_run *r, uint32_t tsecr, plx_ns now)
{
	int64_t us = (now - r->sent_ns) / 1000;

	if (r->flags & RUN_EVER) {
		/* is it the retransmission that arrived, or the original after all? */
		if (c->ts_ok && tsecr && plx_seq_lt(tsecr, plx_tcp_ts_now(r->sent_ns) + c->ts_off))
			return;
		if (us < (int64_t)c->rtt.min_us)
			return;
	}
	c->rack_new = true;
	c->rack.rtt_us = (uint32_t)us;
	if (sent_after(r->sent_ns, r->end, c->rack.xmit_ns, c->rack.end_seq)) {
		c->rack.xmit_ns = r->sent_ns;
		c->rack.end_seq = r->end;
	}
}

/* 6.2 step 4: how late may a segment be? */
uint32_t tcp__rack_reo_wnd_us(const struct plx_tcp *c)
{
	int64_t how = tcp_tun(c, TCP_RECOVERY);

	if (!c->reord_seen) {
		if (c->ca >= PLX_TCP_CA_RECOVERY)
			return 0;
		if (c->sacked_out >= c->reordering && !(how & 4))
			return 0;
	}
	if (c->rtt.min_us == UINT32_MAX)
		return 1000;
	return PLX_MIN(c->rtt.min_us / 4 * c->rack_steps, c->rtt.srtt8_us >> 3);
}

/* 6.2 step 4, RACK_update_reo_wnd(): grows with D-SACKs, once a round trip, for 16 recoveries. */
void tcp__rack_update(struct plx_tcp *c, const struct tcp_ack *a)
{
	if (tcp_tun(c, TCP_RECOVERY) & 2 || !c->sack_ok) {
		c->rack_dsack = false;
		return;
	}
	/* one D-SACK a round trip counts */
	if (c->rack_dsack && plx_seq_lt(a->seg->ack, c->rack.dsack_seq))
		c->rack_dsack = false;
	if (plx_unlikely(c->rack_dsack)) {
		c->rack_steps = (uint8_t)PLX_MIN(255, c->rack_steps + 1);
		c->rack_dsack = false;
		c->rack.dsack_seq = c->snd.nxt;
		c->rack_persist = 16;
	} else if (!c->rack_persist) {
		c->rack_steps = 1;
	}
}

void tcp__mark_lost(struct plx_tcp *c, uint32_t i)
{
	struct tcp_run *r = tcp__run(c, i);

	if (r->flags & RUN_SACKED || (r->flags & RUN_LOST && !(r->flags & RUN_RETRANS)))
		return;
	if (r->flags & RUN_RETRANS)
		tcp_stat_add(c, TCPEXT_TCPLOSTRETRANSMIT, r->segs);
	tcp__run_flag(c, r, RUN_LOST, RUN_RETRANS);
	if (!c->sack_ok) /* duplicate ACKs stand for others than these */
		c->sacked_out = PLX_MIN(c->sacked_out, c->packets_out - c->lost_out);
}

int64_t tcp__rack_left_us(
	const struct plx_tcp *c, const struct tcp_run *r, uint32_t reo_us, plx_ns now)
{
	return (int64_t)c->rack.rtt_us + reo_us - (now - r->sent_ns) / 1000;
}

/* RFC 6675 4, IsLost(): DupThresh segments, or so many bytes, were SACKed behind it. For those who
 * turn RACK off. */
static void count_detect(struct plx_tcp *c, plx_ns now)
{
	uint32_t sacked = 0;

	for (uint32_t i = c->snd.run_n; i-- > 0;) {
		struct tcp_run *r = tcp__run(c, i);

		if (r->flags & RUN_SACKED) {
			sacked += r->segs;
			continue;
		}
		if (sacked >= c->reordering && !(r->flags & RUN_EVER)) {
			tcp_event(c, now, LOST, .a = r->seq, .b = r->end);
			tcp__mark_lost(c, i);
		}
	}
}

bool tcp__rack_detect(struct plx_tcp *c, plx_ns now)
{
	uint32_t reo_us, i = 0;
	int64_t wait_us = 0;

	if (!(tcp_tun(c, TCP_RECOVERY) & 1)) {
		count_detect(c, now);
		return false;
	}
	if (!c->rack_new)
		return false;
	c->rack_new = false;
	reo_us = tcp__rack_reo_wnd_us(c);
	for (; i < c->snd.run_n; i++) {
		struct tcp_run *r = tcp__run(c, i);
		int64_t left;

		if (r->flags & RUN_SACKED || (r->flags & RUN_LOST && !(r->flags & RUN_RETRANS)))
			continue;
		if (!sent_after(c->rack.xmit_ns, c->rack.end_seq, r->sent_ns, r->end))
			continue;
		left = tcp__rack_left_us(c, r, reo_us, now);
		if (left <= 0) {
			tcp_event(c, now, LOST, .a = r->seq, .b = r->end);
			tcp__mark_lost(c, i);
		} else {
			wait_us = PLX_MAX(wait_us, left);
		}
	}
	for (i = c->snd.run_n; i-- > 1;)
		if (tcp__run(c, i - 1)->flags & RUN_LOST &&
			!(tcp__run(c, i - 1)->flags & RUN_RETRANS))
			tcp__sndq_join(c, i - 1);
	if (wait_us)
		tcp__rtx_arm(c, PLX_TCP_RTX_REO, now + PLX_US(wait_us + 1));
	return wait_us != 0;
}
