/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * CUBIC (RFC 9438): after a loss the window returns to where it was by a cubic function of time,
 * flat near that point, so that flows of different round trips get similar shares. Windows in
 * segments, times in milliseconds; whole numbers.
 */

#define BETA_1024  717 /* beta_cubic = 0.7 (4.6) */
#define ALPHA_1024 542 /* 3 (1 - beta) / (1 + beta): as fast as Reno (4.3) */

#define EST_BITS 30 /* 1 / cwnd must not vanish */

struct cubic {
	uint32_t w_max;	     /* segments */
	uint32_t origin;     /* where the plateau is */
	uint32_t k_ms;	     /* when it is reached */
	uint32_t epoch_ms;   /* start of this congestion avoidance; 0 = none */
	uint32_t epoch_cwnd; /* cwnd_prior */
	uint64_t w_est_q;    /* what Reno's window would be, times 2^EST_BITS */
};
static_assert(sizeof(struct cubic) <= PLX_TCP_CC_PRIV_BYTES, "fits the record");

static struct cubic *priv(struct plx_tcp *c)
{
	return (struct cubic *)c->cc_priv;
}

/* The cube root, rounded down. */
static uint32_t cube_root(uint64_t x)
{
	uint64_t y = 0;

	for (int s = 63; s >= 0; s -= 3) {
		uint64_t b;

		y <<= 1;
		b = 3 * y * (y + 1) + 1;
		if (x >> s >= b) {
			x -= b << s;
			y++;
		}
	}
	return (uint32_t)y;
}

static void cubic_init(struct plx_tcp *c, plx_ns now)
{
	(void)now;
	memset(c->cc_priv, 0, sizeof(c->cc_priv));
}

static uint32_t cubic_ssthresh(struct plx_tcp *c)
{
	struct cubic *q = priv(c);

	q->epoch_ms = 0;
	/* fast convergence (4.7): below the last maximum, room is made for others */
	if (c->cwnd < q->w_max)
		q->w_max = (uint32_t)((uint64_t)c->cwnd * (1024 + BETA_1024) / 2048);
	else
		q->w_max = c->cwnd;
	q->epoch_cwnd = c->cwnd;
	return PLX_MAX((uint32_t)((uint64_t)c->cwnd * BETA_1024 / 1024), 2u);
}

static void begin(struct plx_tcp *c, struct cubic *q, uint32_t ms)
{
	q->epoch_ms = ms ? ms : 1;
	q->w_est_q = (uint64_t)c->cwnd << EST_BITS;
	c->cwnd_cnt = 0;
	if (q->w_max <= c->cwnd) {
		q->k_ms = 0;
		q->origin = c->cwnd;
	} else { /* K = cbrt((W_max - cwnd) / C), C = 0.4 (equation 2); in ms, 10^9 more */
		q->k_ms = cube_root((uint64_t)PLX_MIN(q->w_max - c->cwnd, 1u << 22) * 2500000000u);
		q->origin = q->w_max;
	}
}

/* Equation 1 at t: C (t - K)^3 + W_max. */
static uint32_t w_cubic(const struct cubic *q, uint32_t t_ms)
{
	int64_t d = (int64_t)t_ms - q->k_ms, w;
	uint64_t a = (uint64_t)(d < 0 ? -d : d);

	a = PLX_MIN(a, UINT64_C(1000000)); /* a quarter of an hour is for ever */
	w = (int64_t)(a * a * a / 1000 * 4 / 10000000);
	w = d < 0 ? (int64_t)q->origin - w : (int64_t)q->origin + w;
	return (uint32_t)PLX_MIN(PLX_MAX(w, 1), INT64_C(1) << 30);
}

/* How many segments must be acknowledged for one more. */
static uint32_t pace(struct plx_tcp *c, uint32_t acked, uint32_t ms)
{
	struct cubic *q = priv(c);
	uint32_t target, cnt, est, alpha;

	if (!q->epoch_ms)
		begin(c, q, ms);
	/* where the window should be a round trip from now (4.2), at most half as much again */
	target = w_cubic(q, ms - q->epoch_ms + (c->rtt.srtt8_us >> 3) / 1000);
	target = PLX_MIN(target, c->cwnd + c->cwnd / 2);
	cnt = target > c->cwnd ? c->cwnd / (target - c->cwnd) : 100 * c->cwnd;
	/* no slower than Reno (4.3); as fast as Reno once it has passed the last window */
	alpha = q->w_est_q >> EST_BITS >= q->epoch_cwnd ? 1024 : ALPHA_1024;
	q->w_est_q += ((uint64_t)alpha * acked << (EST_BITS - 10)) / c->cwnd;
	est = (uint32_t)PLX_MIN(q->w_est_q >> EST_BITS, UINT64_C(1) << 30);
	if (est > c->cwnd)
		cnt = PLX_MIN(cnt, c->cwnd / (est - c->cwnd));
	return PLX_MAX(cnt, 2u);
}

static void cubic_avoid(struct plx_tcp *c, uint32_t acked, plx_ns now)
{
	if (tcp__in_slow_start(c)) {
		acked = tcp__slow_start(c, acked);
		if (!acked)
			return;
	}
	tcp__additive(c, pace(c, acked, tcp__ms(now)), acked);
}

static uint32_t cubic_undo(struct plx_tcp *c)
{
	return PLX_MAX(c->cwnd, c->rec.prior_cwnd);
}

static void cubic_set_state(struct plx_tcp *c, enum plx_tcp_ca ca, plx_ns now)
{
	if (ca == PLX_TCP_CA_LOSS)
		cubic_init(c, now);
}

/* Idle time is not time of this epoch (4.8: else the window would jump). */
static void cubic_restart(struct plx_tcp *c, plx_ns idle_ns, plx_ns now)
{
	struct cubic *q = priv(c);

	if (!q->epoch_ms)
		return;
	q->epoch_ms += tcp__ms(idle_ns);
	if (plx_seq_gt(q->epoch_ms, tcp__ms(now)))
		q->epoch_ms = tcp__ms(now);
}

const struct plx_tcp_cc plx_tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.avoid = cubic_avoid,
	.undo = cubic_undo,
	.set_state = cubic_set_state,
	.restart = cubic_restart,
};
