/* SPDX-License-Identifier: BSD-3-Clause */
#include "busy.h"

#include <errno.h>

#include "plx_tcp_ctx.h"
#include "plx_tcp_tw.h"

/*
 * A local port for an active open, in a bounded number of steps however many are taken:
 *
 * - DRAWS times one is drawn from all that will do; it is looked up in the connection table. Where
 *   a small part is taken that ends it.
 * - When TRIES of them were taken, who is taken towards this peer is put down as bits (busy.h): a
 *   cost of the range, once for as many connections as have made it so full.
 * - By these bits the rest is a look at each word of 64 ports: 1024 at most.
 *
 * Only of a range of FEW ports is each one looked up.
 */
#define DRAWS 32
#define TRIES 8
#define FEW   128

struct pick {
	struct plx_tcp_ctx *ctx;
	struct plx_tcp_id id; /* lport: the one that is looked at */
	plx_ns now;
	const struct plx_tcp_port_filter *filter;
	struct tcp_busy *busy; /* NULL: not known */
	struct plx_port_set set;
	uint32_t taken; /* that were found to be so */
};

/* RFC 6056 3.3.1, from a keyed hash: nobody who knows some of a pair's ports knows the next one,
 * nor one of another pair. */
static uint64_t random_bits(struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id)
{
	const uint64_t w[] = {id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1],
		id->rport, ctx->port_draws++};

	return plx_siphash(ctx->port_key, w, sizeof(w));
}

static uint64_t word(const void *arg, uint32_t i)
{
	const struct pick *p = arg;
	uint64_t m = p->busy ? ~p->busy->busy[i] : UINT64_MAX;

	return m && p->filter ? m & p->filter->word(p->filter->arg, i) : m;
}

static bool is_free(struct pick *p, uint16_t port)
{
	const struct plx_tcp_id *there;
	uint32_t isn;

	p->id.lport = port;
	if (tcp__port_listened(p->ctx->table, port))
		return false;
	p->ctx->table->looked_up++;
	there = plx_tcp_table_lookup(p->ctx->table, &p->id);
	if (!there || (there->kind == PLX_TCP_KIND_TW &&
			      plx_tcp_tw_reusable(
				      p->ctx, (const struct plx_tcp_tw *)there, p->now, &isn)))
		return true;
	p->taken++;
	if (p->busy)
		tcp__busy_learn(p->ctx, p->busy, &p->id, p->now);
	return false;
}

static uint16_t draw(struct pick *p)
{
	for (int i = 0; i < DRAWS && p->taken < TRIES; i++) {
		uint16_t port = plx_port_draw(&p->set, random_bits(p->ctx, &p->id));

		if (port && is_free(p, port))
			return port;
	}
	return 0;
}

/* @return a port, 0: there is none; -EAGAIN: too many were taken. */
static int search_from(struct pick *p, uint32_t from, uint32_t most)
{
	uint16_t port;

	for (; (port = plx_port_next(&p->set, from)); from = port + 1u) {
		if (is_free(p, port))
			return port;
		if (p->taken >= most)
			return -EAGAIN;
	}
	return 0;
}

static int search(struct pick *p, uint32_t most)
{
	uint32_t n = p->set.hi - p->set.lo + 1u;
	uint32_t start = p->set.lo + (uint32_t)(random_bits(p->ctx, &p->id) % n);
	int port = search_from(p, start, most);

	return port ? port : search_from(p, 0, most);
}

static int in_parity(struct pick *p, uint64_t parity)
{
	bool few = p->set.hi - p->set.lo < FEW;
	int port;

	p->set.parity = parity;
	p->taken = 0;
	port = draw(p);
	if (!port)
		port = search(p, p->busy || few ? UINT32_MAX : TRIES);
	if (port != -EAGAIN)
		return port;
	p->busy = tcp__busy_new(p->ctx, &p->id, p->set.lo, p->set.hi, p->now);
	return search(p, UINT32_MAX); /* without memory for it, as long as it takes */
}

/* One parity is for connect(), so that bind() finds the other one less used (Linux). */
int plx_tcp_port_pick(struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, plx_ns now,
	const struct plx_tcp_port_filter *filter)
{
	struct pick p = {.ctx = ctx, .id = *id, .now = now, .filter = filter};
	uint64_t first;
	int port;

	p.set = (struct plx_port_set){
		.lo = (uint16_t)plx_tcp__tun(ctx, PLX_TUN_IP_LOCAL_PORT_LO),
		.hi = (uint16_t)plx_tcp__tun(ctx, PLX_TUN_IP_LOCAL_PORT_HI),
		.word = word,
		.arg = &p,
		.most = filter && filter->most ? filter->most : 32,
	};
	if (p.set.lo > p.set.hi)
		return -EADDRNOTAVAIL;
	p.busy = tcp__busy_find(ctx, id, p.set.lo, p.set.hi);
	if (p.busy)
		tcp__busy_age(ctx, p.busy, id, now);
	first = p.set.lo & 1 ? PLX_PORT_ODD : PLX_PORT_EVEN;
	port = in_parity(&p, first);
	if (!port)
		port = in_parity(&p, ~first);
	return port ? port : -EADDRNOTAVAIL;
}
