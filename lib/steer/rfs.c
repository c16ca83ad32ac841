/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_rfs.h"

#include <errno.h>

#define GET(v)	  __atomic_load_n(&(v), __ATOMIC_RELAXED)
#define PUT(v, x) __atomic_store_n(&(v), x, __ATOMIC_RELAXED)

static uint8_t log_for(uint32_t n)
{
	uint8_t log = 0;

	while (UINT64_C(1) << log < n)
		log++;
	return log;
}

size_t plx_steer_rfs_socks_bytes(uint32_t entries)
{
	return sizeof(uint32_t) << log_for(entries);
}

int plx_steer_rfs_socks_init(struct plx_rfs_socks *s, void *mem, uint32_t entries, uint16_t lcores)
{
	if (entries == 0 || entries > PLX_RFS_SOCKS_MAX || lcores == 0 ||
		lcores > PLX_STEER_LCORES_MAX)
		return -EINVAL;
	*s = (struct plx_rfs_socks){.ent = mem,
		.mask = (UINT32_C(1) << log_for(entries)) - 1,
		.lcore_mask = (UINT32_C(1) << log_for(lcores)) - 1};
	for (uint32_t i = 0; i <= s->mask; i++)
		s->ent[i] = PLX_STEER_NO_LCORE;
	return 0;
}

void plx_steer_rfs_record(struct plx_rfs_socks *s, uint32_t hash, uint16_t lcore)
{
	uint32_t *ent, v = (hash & ~s->lcore_mask) | lcore;

	if (!s->ent || hash == 0)
		return;
	ent = &s->ent[hash & s->mask];
	if (GET(*ent) != v) /* or the cache line would go round between lcores for nothing */
		PUT(*ent, v);
}

uint16_t plx_steer_rfs_find(const struct plx_rfs_socks *s, uint32_t hash)
{
	uint32_t ident;

	if (!s->ent || hash == 0)
		return PLX_STEER_NO_LCORE;
	ident = GET(s->ent[hash & s->mask]);
	if ((ident ^ hash) & ~s->lcore_mask)
		return PLX_STEER_NO_LCORE;
	return (uint16_t)(ident & s->lcore_mask);
}

bool plx_steer_rfs_steady(struct plx_rfs_streak *s, uint16_t lcore, uint32_t now_us)
{
	if (s->lcore != lcore || s->calls == 0)
		*s = (struct plx_rfs_streak){.lcore = lcore, .since_us = now_us};
	if (s->calls < PLX_RFS_STEADY_CALLS)
		s->calls++;
	if (s->calls < PLX_RFS_STEADY_CALLS || now_us - s->since_us < PLX_RFS_STEADY_US)
		return false;
	s->calls = 0;
	return true;
}

size_t plx_steer_rfs_flows_bytes(uint32_t slots)
{
	return sizeof(struct plx_rfs_flow) << log_for(slots);
}

int plx_steer_rfs_flows_init(struct plx_rfs_flows *t, void *mem, uint32_t slots)
{
	if (slots == 0 || slots > PLX_RFS_FLOWS_MAX)
		return -EINVAL;
	*t = (struct plx_rfs_flows){.flow = mem, .log = log_for(slots)};
	for (uint32_t i = 0; i < UINT32_C(1) << t->log; i++)
		t->flow[i] = (struct plx_rfs_flow){
			.lcore = PLX_STEER_NO_LCORE, .filter = PLX_RFS_NO_FILTER};
	return 0;
}

static bool there(const struct plx_rfs *r, uint16_t lcore)
{
	return lcore < r->lcores && plx_lcore_set_has(r->online, lcore);
}

/* Packets that were taken out of the lcore's backlog since the flow's last one was put in; less
 * than 0: that one still waits, or others before it. */
static int32_t gone_since(const struct plx_rfs *r, uint16_t lcore, const struct plx_rfs_flow *f)
{
	return (int32_t)(GET(*r->head[lcore]) - GET(f->last_qtail));
}

/* The flow's last packet left the backlog, or will never: it may go elsewhere, and in order. */
static bool drained(const struct plx_rfs *r, const struct plx_rfs_flow *f)
{
	uint16_t lcore = GET(f->lcore);

	return !there(r, lcore) || gone_since(r, lcore, f) >= 0;
}

static bool active(
	const struct plx_rfs *r, const struct plx_rfs_flows *t, const struct plx_rfs_flow *f)
{
	uint16_t lcore = GET(f->lcore);

	return lcore < r->lcores &&
	       gone_since(r, lcore, f) < (int32_t)((uint32_t)PLX_RFS_ACTIVE_FOLD << t->log);
}

static void look_rps(const struct plx_rfs *r, const struct plx_rps_map *m, uint32_t hash,
	struct plx_steer_choice *c)
{
	c->flow = NULL;
	c->lcore = plx_steer_rps(m, hash, r->online);
	if (c->lcore != PLX_STEER_NO_LCORE)
		c->rule = PLX_STEER_RPS;
	else
		c->rule = m->len ? PLX_STEER_RPS_OFFLINE : PLX_STEER_NO_MAP;
}

/* @return whether the global table knows the flow; then c says of the slot. */
static bool look_rfs(const struct plx_rfs *r, const struct plx_rfs_queue *q, uint32_t hash,
	struct plx_steer_choice *c)
{
	uint32_t ident;

	c->rfs = q->flows.flow && r->socks && r->socks->ent;
	if (!c->rfs)
		return false;
	ident = GET(r->socks->ent[hash & r->socks->mask]);
	if ((ident ^ hash) & ~r->socks->lcore_mask)
		return false;
	c->match = true;
	c->want = (uint16_t)(ident & r->socks->lcore_mask);
	c->slot = plx_steer_hash_slot(hash, q->flows.log);
	c->flow = &q->flows.flow[c->slot];
	c->was = GET(c->flow->lcore);
	c->move = c->was != c->want && drained(r, c->flow);
	return true;
}

void plx_steer_look(
	const struct plx_rfs *r, uint16_t queue, uint32_t hash, struct plx_steer_choice *c)
{
	const struct plx_rfs_queue *q = &r->queue[queue];

	*c = (struct plx_steer_choice){
		.lcore = PLX_STEER_NO_LCORE, .want = PLX_STEER_NO_LCORE, .was = PLX_STEER_NO_LCORE};
	if (q->rps.len == 0 && !q->flows.flow) {
		c->rule = PLX_STEER_NO_TABLES;
		return;
	}
	if (hash == 0) {
		c->rule = PLX_STEER_NO_HASH;
		return;
	}
	if (look_rfs(r, q, hash, c)) {
		c->lcore = c->move ? c->want : c->was;
		if (there(r, c->lcore)) {
			c->rule = c->move	      ? PLX_STEER_RFS_MOVES
				  : c->was == c->want ? PLX_STEER_RFS_THERE
						      : PLX_STEER_RFS_HELD;
			return;
		}
	}
	look_rps(r, &q->rps, hash, c);
}

/*
 * Have the device send the flow to the queue of its new lcore. Slots of an active flow are left to
 * it, or two flows would have the device programmed by turns for nothing.
 * @return the slot of that queue's table, which stands for the flow from now on; else f.
 */
static struct plx_rfs_flow *accelerate(const struct plx_rfs *r, struct plx_rfs_flow *f,
	uint16_t queue, uint32_t hash, uint16_t want)
{
	uint16_t to = r->rmap && r->flow_steer ? r->rmap[want] : queue;
	struct plx_rfs_flow *other;
	struct plx_rfs_flows *t;
	uint32_t slot;
	int id;

	if (to == queue || to >= r->queues || !r->queue[to].flows.flow)
		return f;
	t = &r->queue[to].flows;
	slot = plx_steer_hash_slot(hash, t->log); /* its own: tables may differ in size */
	other = &t->flow[slot];
	if (GET(other->filter) != PLX_RFS_NO_FILTER && active(r, t, other) &&
		(hash != GET(other->hash) || want == GET(other->lcore)))
		return f;
	id = r->flow_steer(r->arg, to, slot, hash);
	if (id < 0)
		return f;
	PUT(other->filter, (uint16_t)id);
	PUT(other->hash, hash);
	if (GET(f->filter) == (uint16_t)id)
		PUT(f->filter, PLX_RFS_NO_FILTER);
	return other;
}

void plx_steer_choose(
	const struct plx_rfs *r, uint16_t queue, uint32_t hash, struct plx_steer_choice *c)
{
	struct plx_rfs_flow *f;

	plx_steer_look(r, queue, hash, c);
	if (!c->move)
		return;
	f = &r->queue[queue].flows.flow[c->slot];
	if (c->want < r->lcores) {
		f = accelerate(r, f, queue, hash, c->want);
		PUT(f->last_qtail, GET(*r->head[c->want]));
	}
	PUT(f->lcore, c->want);
	if (c->flow)
		c->flow = f;
}

void plx_steer_rfs_enqueued(struct plx_rfs_flow *f, uint32_t tail)
{
	if (f)
		PUT(f->last_qtail, tail);
}

bool plx_steer_rfs_may_expire(
	const struct plx_rfs *r, uint16_t queue, uint32_t slot, uint16_t filter)
{
	const struct plx_rfs_flows *t;

	if (queue >= r->queues)
		return true;
	t = &r->queue[queue].flows;
	if (!t->flow || slot >= UINT32_C(1) << t->log)
		return true;
	return GET(t->flow[slot].filter) != filter || !active(r, t, &t->flow[slot]);
}
