/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* What congestion controls share, and Reno (RFC 5681), which is little more than that. */

uint32_t tcp__init_cwnd(const struct plx_tcp *c)
{
	return (uint32_t)tcp_tun(c, TCP_INIT_CWND);
}

uint32_t tcp__slow_start(struct plx_tcp *c, uint32_t acked)
{
	uint32_t cwnd = PLX_MIN(c->cwnd + acked, c->ssthresh);

	acked -= cwnd - c->cwnd;
	c->cwnd = cwnd;
	return acked;
}

void tcp__additive(struct plx_tcp *c, uint32_t w, uint32_t acked)
{
	if (c->cwnd_cnt >= w) {
		c->cwnd_cnt = 0;
		c->cwnd++;
	}
	c->cwnd_cnt += acked;
	if (c->cwnd_cnt >= w) {
		uint32_t more = c->cwnd_cnt / w;

		c->cwnd_cnt -= more * w;
		c->cwnd += more;
	}
}

static uint32_t reno_ssthresh(struct plx_tcp *c)
{
	return PLX_MAX(c->cwnd >> 1, 2u);
}

static void reno_avoid(struct plx_tcp *c, uint32_t acked, plx_ns now)
{
	(void)now;
	if (tcp__in_slow_start(c)) {
		acked = tcp__slow_start(c, acked);
		if (!acked)
			return;
	}
	tcp__additive(c, c->cwnd, acked);
}

static uint32_t reno_undo(struct plx_tcp *c)
{
	return PLX_MAX(c->cwnd, c->rec.prior_cwnd);
}

const struct plx_tcp_cc plx_tcp_reno = {
	.name = "reno",
	.ssthresh = reno_ssthresh,
	.avoid = reno_avoid,
	.undo = reno_undo,
};

static const struct plx_tcp_cc *const all[] = {&plx_tcp_reno, &plx_tcp_cubic};

const struct plx_tcp_cc *plx_tcp_cc_find(const char *name)
{
	for (size_t i = 0; i < PLX_DIM(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const struct plx_tcp_cc *plx_tcp_cc_next(const struct plx_tcp_cc *cc)
{
	if (!cc)
		return all[0];
	for (size_t i = 0; i + 1 < PLX_DIM(all); i++)
		if (all[i] == cc)
			return all[i + 1];
	return NULL;
}
