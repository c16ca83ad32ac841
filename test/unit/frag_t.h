/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Reassembly in a test: a table on the heap, a pointer for each fragment sent, what comes of it.
 */
#include "t.h"

#include <plx_base_rng.h>
#include <plx_frag.h>

/* A table on the heap, the last verdict's output, and one packet pointer for each fragment sent. */
struct ft {
	struct plx_frag *f;
	struct plx_frag_out out;
	uintptr_t next_pkt;
};

#define PKT(n) ((void *)(uintptr_t)(n))

static inline struct plx_frag_conf conf(void)
{
	struct plx_frag_conf c = {.datagrams = 64, .pieces = 1024, .seed = {1, 2}};

	plx_frag_limits_init(&c.limits);
	return c;
}

static inline struct ft up_with(const struct plx_frag_conf *c)
{
	void *mem = aligned_alloc(64, plx_frag_size(c));
	struct ft t = {.f = plx_frag_init(mem, c)};

	ok(t.f);
	return t;
}

static inline struct ft up(void)
{
	struct plx_frag_conf c = conf();

	return up_with(&c);
}

static inline void down(struct ft *t)
{
	struct plx_frag_dead dead;

	plx_frag_fini(t->f);
	while (plx_frag_pop_dead(t->f, &dead))
		;
	eq(plx_frag_stats(t->f)->held, 0);
	eq(plx_frag_stats(t->f)->memory_bytes, 0);
	eq(plx_frag_stats(t->f)->buffers, 0);
	eq(plx_frag_stats(t->f)->datagrams, 0);
	eq(plx_frag_stats(t->f)->refused, 0);
	eq(plx_frag_deadline(t->f), PLX_NEVER);
	free(t->f);
}

static inline struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/* The fragment [off, off + len) of datagram id, from 10.0.0.1, unless the test says otherwise. */
static inline struct plx_frag_in frag(uint32_t id, uint32_t off, uint32_t len, bool more)
{
	return (struct plx_frag_in){
		.key = {addr("10.0.0.1"), addr("10.0.0.2"), id, 17},
		.off = off,
		.len = len,
		.head = 20,
		.size = 20 + len,
		.more = more,
		.charge = 1000,
	};
}

static inline struct plx_frag_in frag6(uint32_t id, uint32_t off, uint32_t len, bool more)
{
	struct plx_frag_in in = frag(id, off, len, more);

	in.key = (struct plx_frag_key){addr("2001:db8::1"), addr("2001:db8::2"), id, 0};
	in.head = 0;
	in.size = 48 + len;
	return in;
}

static inline enum plx_drop give(struct ft *t, struct plx_frag_in in, plx_ns now)
{
	in.pkt = PKT(++t->next_pkt);
	return plx_frag_input(t->f, &in, now, &t->out);
}

static inline void held(struct ft *t, struct plx_frag_in in, plx_ns now)
{
	eq(give(t, in, now), PLX_DROP_NONE);
	eq(t->out.n, 0);
}

static inline void whole(struct ft *t, struct plx_frag_in in, plx_ns now, uint32_t n, uint32_t len)
{
	uint32_t off = 0;

	eq(give(t, in, now), PLX_DROP_NONE);
	eq(t->out.n, n);
	eq(t->out.len, len);
	for (uint32_t i = 0; i < n; i++) {
		eq(t->out.piece[i].off, off);
		off += t->out.piece[i].len;
	}
	eq(off, len);
}

static inline void refused(struct ft *t, struct plx_frag_in in, plx_ns now, enum plx_drop why)
{
	eq(give(t, in, now), why);
	eq(t->out.n, 0);
}

/* The next dead one is packet number pkt. */
static inline void dead(struct ft *t, uintptr_t pkt, enum plx_drop why, bool time_exceeded)
{
	struct plx_frag_dead d;

	ok(plx_frag_pop_dead(t->f, &d));
	eq((uintptr_t)d.pkt, pkt);
	eq(d.reason, why);
	eq(d.time_exceeded, time_exceeded);
}

static inline void none_dead(struct ft *t)
{
	struct plx_frag_dead d;

	ok(!plx_frag_pop_dead(t->f, &d));
}
