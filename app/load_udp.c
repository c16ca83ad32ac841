/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <errno.h>

/*
 * udp-rr: a datagram, its answer, the next one; what does not come within a second is lost.
 * udp-stream: datagrams as fast as told, or as they go. Each begins with a number.
 */

#define BURST	64	      /* datagrams of a pass */
#define CREDIT	1000000000ull /* of one datagram */
#define SAVE_MS 10	      /* what a rate allowed and was not used is kept so long */

static bool send_one(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	c->seq++;
	if (l->out_bytes >= sizeof(c->seq))
		memcpy(l->out, &c->seq, sizeof(c->seq));
	if (l->conf->unconnected)
		n = plx_sendto(c->w.fd, l->out, l->out_bytes, 0, &l->to.sa, l->to_len);
	else
		n = plx_send(c->w.fd, l->out, l->out_bytes, 0);
	if (n < 0 && errno != EAGAIN)
		plx_count(l->p.count[LOAD_ERRORS], 1);
	if (n > 0)
		plx_count(l->p.count[LOAD_SENT], (uint64_t)n);
	return n >= 0;
}

static void ask(struct load_lcore *l, struct load_conn *c)
{
	c->began = load_clock();
	load_waits(l, c);
	send_one(l, c);
}

static void rr_late(struct load_lcore *l, struct load_conn *c)
{
	plx_count(l->p.count[LOAD_LOST], 1);
	ask(l, c);
}

/* An answer that comes too late is not the one we wait for. */
static void rr_ready(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	while ((n = plx_recv(c->w.fd, l->in, sizeof(l->in), 0)) >= 0 || errno != EAGAIN) {
		if (n < 0) { /* nobody is there */
			plx_count(l->p.count[LOAD_ERRORS], 1);
			continue;
		}
		plx_count(l->p.count[LOAD_RECEIVED], (uint64_t)n);
		if (!c->waits || (n >= (ssize_t)sizeof(c->seq) &&
					 memcmp(l->in, &c->seq, sizeof(c->seq)) != 0))
			continue;
		load_answered(l, c);
		ask(l, c);
	}
}

const struct load_ops load_udp_rr = {.type = SOCK_DGRAM,
	.conn_bytes = sizeof(struct load_conn),
	.open = ask,
	.ready = rr_ready,
	.late = rr_late};

/* ---- one way ---- */

static void stream_open(struct load_lcore *l, struct load_conn *c)
{
	if (l->first == 0)
		l->first = load_clock();
	plx_list_add_tail(&l->all, &c->link);
}

static void stream_ready(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	while ((n = plx_recv(c->w.fd, l->in, sizeof(l->in), 0)) >= 0 || errno != EAGAIN)
		plx_count(l->p.count[n < 0 ? LOAD_ERRORS : LOAD_RECEIVED], n < 0 ? 1 : (uint64_t)n);
}

/* How many may go now, at a rate for all lcores together. */
static uint32_t allowed(struct load_lcore *l)
{
	uint64_t rate = l->conf->rate, most;

	if (rate == 0)
		return BURST;
	rate = PLX_MAX(rate / plx_engine_lcores(l->p.sn->eng), (uint64_t)1);
	most = PLX_MAX(rate * SAVE_MS / 1000, (uint64_t)1) * CREDIT;
	l->credit = PLX_MIN(l->credit + (uint64_t)(l->p.now - l->credited) * rate, most);
	l->credited = l->p.now;
	return (uint32_t)PLX_MIN(l->credit / CREDIT, (uint64_t)BURST);
}

static plx_ns stream_pass(struct load_lcore *l)
{
	uint32_t n;

	if (plx_list_empty(&l->all))
		return PLX_NEVER;
	if (l->credited == 0)
		l->credited = l->p.now;
	n = allowed(l);
	for (uint32_t i = 0; i < n; i++) {
		struct load_conn *c = plx_list_first(&l->all, struct load_conn, link);

		plx_list_move_tail(&l->all, &c->link);
		if (!send_one(l, c))
			break;
		if (l->conf->rate)
			l->credit -= CREDIT;
	}
	l->last = load_clock();
	return l->conf->rate ? l->p.now + PLX_US(20) : l->p.now;
}

const struct load_ops load_udp_stream = {.type = SOCK_DGRAM,
	.conn_bytes = sizeof(struct load_conn),
	.open = stream_open,
	.ready = stream_ready,
	.pass = stream_pass};
