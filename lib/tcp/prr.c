/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Proportional rate reduction (RFC 6937): while the window is being reduced, what may be sent for
 * what was delivered, so that the flight ends at ssthresh without a pause and without a burst.
 */

void tcp__prr_init(struct plx_tcp *c)
{
	c->rec.recover = c->snd.nxt;
	c->tlp_out = false;
	c->cwnd_cnt = 0;
	c->rec.prior_cwnd = c->cwnd;
	c->rec.prr_delivered = 0;
	c->rec.prr_out = 0;
	c->ssthresh = c->cc->ssthresh(c);
	c->cwr_due = c->ecn_ok;
}

void tcp__prr(struct plx_tcp *c, uint32_t delivered, uint32_t newly_lost, uint32_t flags)
{
	int64_t flight = tcp__in_flight(c), delta = (int64_t)c->ssthresh - flight, n;

	if (delivered == 0 || c->rec.prior_cwnd == 0)
		return;
	c->rec.prr_delivered += delivered;
	if (delta < 0) { /* proportional */
		uint64_t share =
			(uint64_t)c->ssthresh * c->rec.prr_delivered + c->rec.prior_cwnd - 1;

		n = (int64_t)(share / c->rec.prior_cwnd) - c->rec.prr_out;
	} else { /* slow start, or conservation of packets while losses go on: the bound */
		n = PLX_MAX((int64_t)c->rec.prr_delivered - c->rec.prr_out, (int64_t)delivered);
		if (flags & ACK_ADVANCED && !newly_lost)
			n++;
		n = PLX_MIN(delta, n);
	}
	n = PLX_MAX(n, c->rec.prr_out ? 0 : 1); /* the fast retransmission itself */
	c->cwnd = (uint32_t)(flight + n);
}

void tcp__end_cwr(struct plx_tcp *c)
{
	if (c->ssthresh < TCP_SSTHRESH_INF && (c->ca == PLX_TCP_CA_CWR || c->undo_ok))
		c->cwnd = c->ssthresh;
}

/* RFC 3168 6.1.2: as for a loss, once a round trip, but nothing is to be sent again. */
void tcp__enter_cwr(struct plx_tcp *c, plx_ns now)
{
	c->rec.prior_ssthresh = 0;
	if (c->ca >= PLX_TCP_CA_CWR)
		return;
	c->undo_ok = false;
	tcp__prr_init(c);
	tcp__set_ca(c, PLX_TCP_CA_CWR, now);
}
