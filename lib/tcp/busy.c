/* SPDX-License-Identifier: BSD-3-Clause */
#include "busy.h"

#include "lone.h"
#include "plx_tcp_tw.h"

#define BURST 32

static struct tcp_busy **chain(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	struct plx_tcp_id key = *id;

	key.lport = 0;
	return &t->busy[table_hash(t, &key) % TABLE_BUSY];
}

static bool same_peer(const struct tcp_busy *b, const struct plx_tcp_id *id)
{
	return b->key.rport == id->rport && plx_addr_eq(&b->key.raddr, &id->raddr) &&
	       plx_addr_eq(&b->key.laddr, &id->laddr);
}

static struct tcp_busy *find(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	struct tcp_busy *b = *chain(t, id);

	while (b && !same_peer(b, id))
		b = b->next;
	return b;
}

static bool knows(const struct tcp_busy *b, uint16_t port)
{
	return port >= b->lo && port <= b->hi;
}

static void set(uint64_t *words, uint16_t port, bool on)
{
	uint64_t bit = UINT64_C(1) << port % 64;

	words[port / 64] = on ? words[port / 64] | bit : words[port / 64] & ~bit;
}

static void free_one(struct plx_tcp_table *t, struct tcp_busy *b)
{
	struct tcp_busy **at = chain(t, &b->key);

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	t->n_busy--;
	plx_arena_free(t->mem, b, sizeof(*b));
}

/* What is there is a connection, a handshake or a TIME-WAIT: is it, or will it be, free? */
static void take_in(const struct plx_tcp_ctx *ctx, struct tcp_busy *b,
	const struct plx_tcp_id *there, plx_ns now)
{
	const struct plx_tcp_tw *w = plx_container_of(there, struct plx_tcp_tw, id);
	bool waits = there->kind == PLX_TCP_KIND_TW;
	uint32_t isn;

	set(b->busy, there->lport, !waits || !plx_tcp_tw_reusable(ctx, w, now, &isn));
	set(b->young, there->lport,
		waits && plx_tcp_tw_stamped(w) && plx_port_bit(b->busy, there->lport));
}

static void look_up(struct plx_tcp_ctx *ctx, struct tcp_busy *b, plx_ns now)
{
	struct plx_tcp_id id[BURST], *found[BURST];
	const struct plx_tcp_id *key[BURST];
	uint32_t n;

	for (uint32_t port = b->lo; port <= b->hi; port += n) {
		n = PLX_MIN((uint32_t)BURST, b->hi - port + 1u);
		for (uint32_t i = 0; i < n; i++) {
			id[i] = b->key;
			id[i].lport = (uint16_t)(port + i);
			key[i] = &id[i];
		}
		plx_tcp_table_lookup_burst(ctx->table, key, found, n);
		for (uint32_t i = 0; i < n; i++)
			if (found[i]) {
				take_in(ctx, b, found[i], now);
				b->entries++;
			}
	}
}

struct tcp_busy *tcp__busy_find(
	const struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, uint16_t lo, uint16_t hi)
{
	struct tcp_busy *b = ctx->table->n_busy ? find(ctx->table, id) : NULL;

	if (!b || (b->lo == lo && b->hi == hi))
		return b;
	free_one(ctx->table, b); /* the range has been changed */
	return NULL;
}

struct tcp_busy *tcp__busy_new(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_id *id, uint16_t lo, uint16_t hi, plx_ns now)
{
	struct plx_tcp_table *t = ctx->table;
	struct tcp_busy *b = plx_arena_alloc(t->mem, sizeof(*b)), **head = chain(t, id);

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	b->key = *id;
	b->lo = lo;
	b->hi = hi;
	b->young_s = tcp__lone_seconds(now);
	look_up(ctx, b, now);
	b->least = PLX_MAX(b->entries / 2, 1u);
	b->next = *head;
	*head = b;
	t->n_busy++;
	return b;
}

void tcp__busy_age(
	const struct plx_tcp_ctx *ctx, struct tcp_busy *b, const struct plx_tcp_id *id, plx_ns now)
{
	uint32_t s = tcp__lone_seconds(now);

	if (b->young_s == s || !tcp__tw_reuse(ctx, id))
		return;
	b->young_s = s;
	for (uint32_t i = b->lo / 64u; i <= b->hi / 64u; i++) {
		b->busy[i] &= ~b->young[i];
		b->young[i] = 0;
	}
}

void tcp__busy_learn(
	const struct plx_tcp_ctx *ctx, struct tcp_busy *b, const struct plx_tcp_id *id, plx_ns now)
{
	const struct plx_tcp_id *there = plx_tcp_table_lookup(ctx->table, id);

	if (there)
		take_in(ctx, b, there, now);
}

void tcp__busy_wait(const struct plx_tcp_ctx *ctx, const struct plx_tcp_tw *w, plx_ns now)
{
	struct tcp_busy *b = ctx->table->n_busy ? find(ctx->table, &w->id) : NULL;

	if (b && knows(b, w->id.lport))
		take_in(ctx, b, &w->id, now);
}

void tcp__busy_add(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	struct tcp_busy *b = find(t, id);

	if (!b || !knows(b, id->lport))
		return;
	b->entries++;
	set(b->busy, id->lport, true);
}

void tcp__busy_del(struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	struct tcp_busy *b = find(t, id);

	if (!b || !knows(b, id->lport))
		return;
	set(b->busy, id->lport, false);
	set(b->young, id->lport, false);
	if (--b->entries < b->least)
		free_one(t, b);
}

void tcp__busy_free_all(struct plx_tcp_table *t)
{
	for (uint32_t i = 0; i < TABLE_BUSY; i++)
		while (t->busy[i])
			free_one(t, t->busy[i]);
}
