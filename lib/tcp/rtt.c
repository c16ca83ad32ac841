/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Round trips and the retransmission time-out (RFC 6298), all in microseconds. By default as Linux
 * estimates the deviation: RFC 6298's alpha and beta, but the time-out is never below the largest
 * deviation of the last flight, and a round trip that gets shorter does not raise it.
 */

#define MIN_WINDOW_MS 300000u /* of rtt.min_us (Linux: tcp_min_rtt_wlen) */

/* Least time-out, with jitter so that nobody can hit each retransmission (Kuzmanovic, Knightly
 * 2003). */
static uint32_t rto_min_us(const struct plx_tcp *c)
{
	uint32_t us = (uint32_t)tcp_tun(c, TCP_RTO_MIN),
		 jitter = (uint32_t)tcp_tun(c, TCP_RTO_JITTER);

	if (plx_unlikely(jitter))
		us += (uint32_t)plx_rng_below(&c->ctx->rng, (uint64_t)us * jitter / 100 + 1);
	return us;
}

static uint32_t rto_max_us(const struct plx_tcp *c)
{
	return (uint32_t)tcp_tun(c, TCP_RTO_MAX) * 1000;
}

void tcp__rtt_init(struct plx_tcp *c)
{
	c->rtt.rto_us = TCP_RTO_INIT_US;
	c->rtt.mdev4_us = TCP_RTO_INIT_US;
	c->rtt.min_us = UINT32_MAX;
}

/* RFC 6298 2.2 to 2.4. */
void tcp__rtt_set_rto(struct plx_tcp *c)
{
	uint32_t rto = (c->rtt.srtt8_us >> 3) + c->rtt.rttvar4_us;

	c->rtt.rto_us = PLX_MIN(rto, rto_max_us(c));
	c->backoff = 0;
}

/* RFC 6298 2.4: the least time-out counts as a whole, round trip and deviation. */
static void at_least_min(struct plx_tcp *c)
{
	uint32_t min = rto_min_us(c), srtt = c->rtt.srtt8_us >> 3;

	c->rtt.rttvar4_us = c->rtt.mdev4_us;
	if (srtt + c->rtt.rttvar4_us < min)
		c->rtt.rttvar4_us = min - srtt;
}

static void first(struct plx_tcp *c, uint32_t us)
{
	c->rtt.srtt8_us = us << 3;
	c->rtt.mdev4_us = us << 1; /* R/2, times 4: the time-out is three round trips */
	if (tcp_tun(c, TCP_RTT_STANDARD))
		at_least_min(c);
	else
		c->rtt.rttvar4_us = PLX_MAX(c->rtt.mdev4_us, rto_min_us(c));
	c->rtt.mdev_max4_us = c->rtt.rttvar4_us;
	c->rtt.seq = c->snd.nxt;
}

/* RFC 6298 2.3 as it stands. */
static void standard(struct plx_tcp *c, uint32_t us)
{
	int64_t err = (int64_t)us - (c->rtt.srtt8_us >> 3);

	c->rtt.mdev4_us += (uint32_t)((err < 0 ? -err : err) - (c->rtt.mdev4_us >> 2));
	c->rtt.srtt8_us += (uint32_t)err;
	at_least_min(c);
}

/* Linux's tcp_rtt_estimator(). */
static void linux_like(struct plx_tcp *c, uint32_t us)
{
	int64_t err = (int64_t)us - (c->rtt.srtt8_us >> 3);

	c->rtt.srtt8_us += (uint32_t)err;
	if (err < 0) {
		err = -err - (c->rtt.mdev4_us >> 2);
		/* it got faster: that is no reason to wait longer; weigh it by 1/32 */
		if (err > 0)
			err >>= 3;
	} else {
		err -= c->rtt.mdev4_us >> 2;
	}
	c->rtt.mdev4_us += (uint32_t)err;
	if (c->rtt.mdev4_us > c->rtt.mdev_max4_us) {
		c->rtt.mdev_max4_us = c->rtt.mdev4_us;
		c->rtt.rttvar4_us = PLX_MAX(c->rtt.rttvar4_us, c->rtt.mdev_max4_us);
	}
	if (plx_seq_gt(c->snd.una, c->rtt.seq)) { /* a flight is over: what was its largest? */
		if (c->rtt.mdev_max4_us < c->rtt.rttvar4_us)
			c->rtt.rttvar4_us -= (c->rtt.rttvar4_us - c->rtt.mdev_max4_us) >> 2;
		c->rtt.seq = c->snd.nxt;
		c->rtt.mdev_max4_us = rto_min_us(c);
	}
}

void tcp__rtt_sample(struct plx_tcp *c, uint32_t us, plx_ns now)
{
	us = PLX_MIN(PLX_MAX(us, 1u), 120000000u);
	if (c->rtt.srtt8_us == 0)
		first(c, us);
	else if (plx_unlikely(tcp_tun(c, TCP_RTT_STANDARD)))
		standard(c, us);
	else
		linux_like(c, us);
	c->rtt.srtt8_us = PLX_MAX(c->rtt.srtt8_us, 1u);
	tcp__rtt_set_rto(c);
	tcp_event(c, now, RTT, .a = us, .b = c->rtt.srtt8_us >> 3);
}

/* The least of some minutes; when that is over, the next sample begins anew. */
void tcp__rtt_min(struct plx_tcp *c, uint32_t us, plx_ns now)
{
	us = PLX_MAX(us, 1u);
	if (us <= c->rtt.min_us || tcp__ms(now) - c->rtt.min_at_ms > MIN_WINDOW_MS) {
		c->rtt.min_us = us;
		c->rtt.min_at_ms = tcp__ms(now);
	}
}

uint32_t tcp__rto_us(const struct plx_tcp *c)
{
	uint64_t us = (uint64_t)c->rtt.rto_us << PLX_MIN(c->backoff, (uint8_t)20);

	return (uint32_t)PLX_MIN(us, (uint64_t)rto_max_us(c));
}
