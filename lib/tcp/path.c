/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* What ICMP says of the path. Whoever can't see the connection can't guess what is in flight: an
 * error that quotes anything else is not believed (RFC 5927 4.1, 7.2). */

#define MTU4_MIN 68   /* RFC 791 3.2 */
#define MTU6_MIN 1280 /* RFC 8201 4: discard what says less */

static bool in_flight(const struct plx_tcp *c, uint32_t seq)
{
	return plx_seq_ge(seq, c->snd.una) && plx_seq_lt(seq, c->snd.nxt);
}

/* Linux's tcp_simple_retransmit(): what was too long did not arrive, and says nothing of
 * congestion.
 */
static void resend_too_long(struct plx_tcp *c, plx_ns now)
{
	for (uint32_t i = 0; i < c->snd.run_n; i++) {
		struct tcp_run *r = tcp__run(c, i);

		uint32_t text = r->end - r->seq - !!(r->flags & RUN_FIN);

		if (r->flags & RUN_SACKED || PLX_MIN(text, r->mss) <= c->snd.mss)
			continue;
		tcp__mark_lost(c, i);
		tcp__sndq_recount(c, r);
	}
	if (!c->lost_out)
		return;
	if (c->ca != PLX_TCP_CA_LOSS) {
		c->rec.recover = c->snd.nxt;
		c->ssthresh = tcp__current_ssthresh(c);
		c->rec.prior_ssthresh = 0;
		c->undo_ok = false;
		tcp__set_ca(c, PLX_TCP_CA_LOSS, now);
	}
}

static void set_mtu(struct plx_tcp *c, uint16_t mtu, plx_ns now)
{
	uint16_t mss = c->snd.mss;

	c->pmtu = mtu;
	tcp__sync_mss(c);
	if (c->snd.mss < mss)
		resend_too_long(c, now);
}

bool plx_tcp_path_mtu(struct plx_tcp *c, uint16_t mtu, uint32_t seq, plx_ns now)
{
	bool v4 = plx_addr_is_v4(&c->id.raddr);

	if (v4)
		mtu = PLX_MAX(mtu, MTU4_MIN);
	if (!tcp__synchronized(c) || !in_flight(c, seq) || mtu >= c->pmtu ||
		(!v4 && mtu < MTU6_MIN)) {
		tcp_stat(c, TCPEXT_TCPMTUPFAIL);
		return false;
	}
	set_mtu(c, mtu, now);
	if (tcp__cold(c))
		c->cold->mtu_until_ns = now + PLX_SEC(tcp_tun(c, MTU_EXPIRES));
	return true;
}

void plx_tcp_route_mtu(struct plx_tcp *c, uint16_t mtu, plx_ns now)
{
	if (plx_likely(mtu == c->pmtu))
		return;
	/* the route's record may come later than our message, or there may be none at all */
	if (mtu > c->pmtu && c->cold && now < c->cold->mtu_until_ns)
		return;
	set_mtu(c, mtu, now);
}

uint16_t plx_tcp_error(struct plx_tcp *c, int err, bool hard, uint32_t seq, plx_ns now)
{
	if (c->id.state == PLX_TCP_CLOSED || !in_flight(c, seq))
		return 0;
	if (!tcp__synchronized(c) && hard) {
		tcp_stat(c, TCP_ATTEMPTFAILS);
		tcp__done(c, err, now);
		return PLX_TCP_EV_RESET;
	}
	if (tcp__cold(c))
		c->cold->soft_err = err;
	return 0;
}

int plx_tcp_take_error(struct plx_tcp *c)
{
	int err = c->cold ? c->cold->soft_err : 0;

	if (err)
		c->cold->soft_err = 0;
	return err;
}
