/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_explain.h"

#include <errno.h>

static void put_addr(struct plx_steer_explain *e, const struct plx_addr *a, bool v4)
{
	uint8_t skip = v4 ? 12 : 0, n = 16 - skip;

	memcpy(e->input + e->input_bytes, a->b + skip, n);
	e->input_bytes += n;
}

/* As plx_steer_hash() lays it out, but to be shown. */
static void explain_input(
	struct plx_steer_explain *e, const struct plx_steer_tables *t, const struct plx_tuple *u)
{
	bool v4 = plx_addr_is_v4(&u->src) && plx_addr_is_v4(&u->dst);
	bool sort = t->rss->key.symmetric;

	if (e->how == PLX_RSS_NONE)
		return;
	e->sorted_addrs = sort && memcmp(u->dst.b, u->src.b, sizeof(u->src.b)) < 0;
	e->sorted_ports = sort && e->how == PLX_RSS_PORTS && u->dport < u->sport;
	put_addr(e, e->sorted_addrs ? &u->dst : &u->src, v4);
	put_addr(e, e->sorted_addrs ? &u->src : &u->dst, v4);
	if (e->how != PLX_RSS_PORTS)
		return;
	plx_put_be16(e->input + e->input_bytes, e->sorted_ports ? u->dport : u->sport);
	plx_put_be16(e->input + e->input_bytes + 2, e->sorted_ports ? u->sport : u->dport);
	e->input_bytes += 4;
}

static void explain_queue(struct plx_steer_explain *e, const struct plx_steer_tables *t)
{
	e->bucket = (uint16_t)(e->hash & (t->reta->size - 1u));
	e->queue = t->reta->q[e->bucket];
	e->received = t->queue_lcore ? t->queue_lcore[e->queue] : e->queue;
	e->lcore = e->received;
	e->by = PLX_STEER_BY_QUEUE;
}

static void explain_steering(struct plx_steer_explain *e, const struct plx_steer_tables *t)
{
	e->steered = t->rfs && e->queue < t->rfs->queues;
	if (!e->steered)
		return;
	plx_steer_look(t->rfs, e->queue, e->hash, &e->choice);
	if (e->choice.lcore == PLX_STEER_NO_LCORE)
		return;
	e->lcore = e->choice.lcore;
	e->by = e->choice.rule == PLX_STEER_RPS ? PLX_STEER_BY_RPS : PLX_STEER_BY_RFS;
}

static void explain_owner(
	struct plx_steer_explain *e, const struct plx_steer_tables *t, const struct plx_tuple *u)
{
	e->owned = t->owners;
	if (e->owned) {
		e->owner_bucket = plx_steer_owner_bucket(t->owners, e->hash);
		e->owner = plx_steer_owner(t->owners, e->hash);
		e->lcore = e->owner;
		e->by = PLX_STEER_BY_OWNER;
	}
	e->pin = t->pins ? plx_steer_pins_find(t->pins, u) : -ENOENT;
	if (e->pin >= 0) {
		e->lcore = (uint16_t)e->pin;
		e->by = PLX_STEER_BY_PIN;
	}
}

/* What RPS or RFS chose goes through a backlog, even on the same lcore; what stays does not. */
static void explain_limit(struct plx_steer_explain *e, const struct plx_steer_tables *t)
{
	bool backlog =
		(e->steered && e->choice.lcore != PLX_STEER_NO_LCORE) || e->lcore != e->received;

	e->limited = backlog && t->limit && t->limit->bucket;
	if (!e->limited)
		return;
	e->limit_slot = plx_steer_hash_slot(e->hash, t->limit->log);
	e->drop = plx_steer_limit_look(t->limit, e->hash, t->qlen, t->max_backlog, &e->in_history);
}

void plx_steer_explain(struct plx_steer_explain *e, const struct plx_steer_tables *t,
	const struct plx_tuple *tuple)
{
	*e = (struct plx_steer_explain){.how = plx_steer_rss_how(t->rss->types, tuple)};
	e->hash = plx_steer_rss_tuple(t->rss, tuple);
	explain_input(e, t, tuple);
	explain_queue(e, t);
	explain_steering(e, t);
	explain_owner(e, t, tuple);
	explain_limit(e, t);
}

const char *plx_steer_rule_text(enum plx_steer_rule rule)
{
	static const char *const text[PLX_STEER_RULES] = {
		[PLX_STEER_NO_TABLES] = "the queue has neither an RPS map nor a flow table",
		[PLX_STEER_NO_HASH] = "the packet has no hash",
		[PLX_STEER_RFS_THERE] = "its packets already go where the socket is used",
		[PLX_STEER_RFS_MOVES] = "none of its packets waits, so it moves to its socket",
		[PLX_STEER_RFS_HELD] = "packets before it still wait there, so it follows them",
		[PLX_STEER_RPS] = "the RPS map's entry",
		[PLX_STEER_RPS_OFFLINE] = "the lcore that the RPS map names does not poll",
		[PLX_STEER_NO_MAP] = "the flow tables know no socket, and there is no RPS map",
	};

	return (unsigned int)rule < PLX_STEER_RULES ? text[rule] : "";
}
