/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_frag.h>

/* A table on the heap, the last verdict's output, and one packet pointer for each fragment sent. */
struct ft {
	struct plx_frag *f;
	struct plx_frag_out out;
	uintptr_t next_pkt;
};

#define PKT(n) ((void *)(uintptr_t)(n))

static struct plx_frag_conf conf(void)
{
	struct plx_frag_conf c = {.datagrams = 64, .pieces = 1024, .seed = {1, 2}};

	plx_frag_limits_init(&c.limits);
	return c;
}

static struct ft up_with(const struct plx_frag_conf *c)
{
	void *mem = aligned_alloc(64, plx_frag_size(c));
	struct ft t = {.f = plx_frag_init(mem, c)};

	ok(t.f);
	return t;
}

static struct ft up(void)
{
	struct plx_frag_conf c = conf();

	return up_with(&c);
}

static void down(struct ft *t)
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

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/* The fragment [off, off + len) of datagram id, from 10.0.0.1, unless the test says otherwise. */
static struct plx_frag_in frag(uint32_t id, uint32_t off, uint32_t len, bool more)
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

static struct plx_frag_in frag6(uint32_t id, uint32_t off, uint32_t len, bool more)
{
	struct plx_frag_in in = frag(id, off, len, more);

	in.key = (struct plx_frag_key){addr("2001:db8::1"), addr("2001:db8::2"), id, 0};
	in.head = 0;
	in.size = 48 + len;
	return in;
}

static enum plx_drop give(struct ft *t, struct plx_frag_in in, plx_ns now)
{
	in.pkt = PKT(++t->next_pkt);
	return plx_frag_input(t->f, &in, now, &t->out);
}

static void held(struct ft *t, struct plx_frag_in in, plx_ns now)
{
	eq(give(t, in, now), PLX_DROP_NONE);
	eq(t->out.n, 0);
}

static void whole(struct ft *t, struct plx_frag_in in, plx_ns now, uint32_t n, uint32_t len)
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

static void refused(struct ft *t, struct plx_frag_in in, plx_ns now, enum plx_drop why)
{
	eq(give(t, in, now), why);
	eq(t->out.n, 0);
}

/* The next dead one is packet number pkt. */
static void dead(struct ft *t, uintptr_t pkt, enum plx_drop why, bool time_exceeded)
{
	struct plx_frag_dead d;

	ok(plx_frag_pop_dead(t->f, &d));
	eq((uintptr_t)d.pkt, pkt);
	eq(d.reason, why);
	eq(d.time_exceeded, time_exceeded);
}

static void none_dead(struct ft *t)
{
	struct plx_frag_dead d;

	ok(!plx_frag_pop_dead(t->f, &d));
}

T(four_pieces_in_every_order)
{
	struct ft t = up();
	uint32_t id = 0;

	for (int order = 0; order < 256; order++) {
		int p[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
		uintptr_t first = t.next_pkt + 1;

		if ((1 << p[0] | 1 << p[1] | 1 << p[2] | 1 << p[3]) != 15)
			continue;
		id++;
		for (int i = 0; i < 4; i++) {
			struct plx_frag_in in =
				id & 1 ? frag(id, p[i] * 64, p[i] == 3 ? 7 : 64, p[i] != 3)
				       : frag6(id, p[i] * 64, p[i] == 3 ? 7 : 64, p[i] != 3);

			if (i < 3)
				held(&t, in, 0);
			else
				whole(&t, in, 0, 4, 3 * 64 + 7);
		}
		for (int i = 0; i < 4; i++)
			eq((uintptr_t)t.out.piece[p[i]].pkt, first + i);
	}
	eq(id, 24);
	eq(plx_frag_stats(t.f)->v4.reqds, 48);
	eq(plx_frag_stats(t.f)->v4.oks, 12);
	eq(plx_frag_stats(t.f)->v6.reqds, 48);
	eq(plx_frag_stats(t.f)->v6.oks, 12);
	eq(plx_frag_stats(t.f)->v4.fails, 0);
	eq(plx_frag_stats(t.f)->datagrams, 0);
	eq(plx_frag_stats(t.f)->memory_bytes, 0);
	down(&t);
}

T(a_hole_waits_for_what_fills_it)
{
	struct ft t = up();

	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag(1, 16, 8, true), 0);
	held(&t, frag(1, 32, 1, false), 0);
	held(&t, frag(1, 24, 8, true), 0);
	eq(plx_frag_stats(t.f)->held, 4);
	eq(plx_frag_stats(t.f)->memory_bytes, 4000);
	whole(&t, frag(1, 8, 8, true), 0, 5, 33);
	down(&t);
}

T(datagrams_are_told_apart_by_the_whole_key)
{
	static const struct {
		const char *src, *dst;
		uint32_t id, proto;
	} keys[] = {
		{"10.0.0.1", "10.0.0.2", 1, 17},
		{"10.0.0.3", "10.0.0.2", 1, 17},
		{"10.0.0.1", "10.0.0.3", 1, 17},
		{"10.0.0.1", "10.0.0.2", 2, 17},
		{"10.0.0.1", "10.0.0.2", 1, 1},
		{"2001:db8::1", "2001:db8::2", 1, 0},
		{"2001:db8::1", "2001:db8::2", 65537, 0},
	};
	struct ft t = up();

	for (int last = 0; last < 2; last++)
		for (size_t i = 0; i < PLX_DIM(keys); i++) {
			struct plx_frag_in in = frag(0, last ? 8 : 0, 8, !last);

			in.key = (struct plx_frag_key){
				addr(keys[i].src), addr(keys[i].dst), keys[i].id, keys[i].proto};
			if (!last) {
				held(&t, in, 0);
				eq(plx_frag_stats(t.f)->datagrams, i + 1);
				continue;
			}
			whole(&t, in, 0, 2, 16);
			eq((uintptr_t)t.out.piece[0].pkt, i + 1);
		}
	down(&t);
}

T(many_sources_are_told_apart)
{
	struct ft t = up();

	for (int last = 0; last < 2; last++)
		for (int i = 0; i < 64; i++) {
			int k = last ? i * 37 % 64 : i; /* not in the order they came */
			struct plx_frag_in in = frag(1, last ? 8 : 0, 8, !last);

			in.key.src.b[15] = k;
			if (!last) {
				held(&t, in, 0);
				continue;
			}
			whole(&t, in, 0, 2, 16);
			eq((uintptr_t)t.out.piece[0].pkt, k + 1);
			eq(plx_frag_stats(t.f)->datagrams, 63 - i);
		}
	none_dead(&t);
	down(&t);
}

T(overlaps_of_each_shape_end_the_datagram)
{
	/* Held: [64, 128) and [192, 256). */
	static const struct {
		uint32_t off, len;
	} shapes[] = {
		{64, 32},  /* starts with it, shorter */
		{64, 72},  /* starts with it, longer */
		{96, 32},  /* ends with it */
		{72, 8},   /* inside */
		{56, 16},  /* over its start */
		{120, 16}, /* over its end */
		{56, 80},  /* around it */
		{120, 80}, /* over the end of one and the start of the next */
		{64, 192}, /* around both */
		{184, 16}, /* over the start of the second */
		{248, 16}, /* over the end of the last */
		{0, 72},   /* from the start */
	};
	struct ft t = up();

	for (uint32_t i = 0; i < PLX_DIM(shapes); i++) {
		uintptr_t first = t.next_pkt + 1;

		held(&t, frag(i, 64, 64, true), 0);
		held(&t, frag(i, 192, 64, true), 0);
		refused(&t, frag(i, shapes[i].off, shapes[i].len, true), 0, PLX_DROP_FRAG_OVERLAP);
		dead(&t, first, PLX_DROP_FRAG_OVERLAP, false);
		dead(&t, first + 1, PLX_DROP_FRAG_OVERLAP, false);
		none_dead(&t);
		eq(plx_frag_stats(t.f)->v4.fails, i + 1);
		eq(plx_frag_stats(t.f)->memory_bytes, 0);
	}
	down(&t);
}

T(neighbours_do_not_overlap)
{
	struct ft t = up();

	held(&t, frag(1, 64, 64, true), 0);
	held(&t, frag(1, 192, 64, true), 0);
	held(&t, frag(1, 128, 64, true), 0);
	held(&t, frag(1, 0, 64, true), 0);
	whole(&t, frag(1, 256, 1, false), 0, 5, 257);
	down(&t);
}

T(an_overlapped_datagram_is_refused_until_its_time_is_up)
{
	struct ft t = up();

	held(&t, frag(1, 0, 16, true), PLX_SEC(1));
	refused(&t, frag(1, 8, 16, true), PLX_SEC(2), PLX_DROP_FRAG_OVERLAP);
	dead(&t, 1, PLX_DROP_FRAG_OVERLAP, false);
	refused(&t, frag(1, 32, 8, false), PLX_SEC(3), PLX_DROP_FRAG_OVERLAP);
	refused(&t, frag(1, 0, 16, true), PLX_SEC(31), PLX_DROP_FRAG_OVERLAP);
	eq(plx_frag_stats(t.f)->refused, 1);

	eq(plx_frag_deadline(t.f), PLX_SEC(32));
	plx_frag_timer(t.f, PLX_SEC(32));
	none_dead(&t);
	eq(plx_frag_stats(t.f)->refused, 0);
	eq(plx_frag_stats(t.f)->v4.timeouts, 0);
	eq(plx_frag_stats(t.f)->v4.fails, 1);
	held(&t, frag(1, 0, 16, true), PLX_SEC(32));
	whole(&t, frag(1, 16, 1, false), PLX_SEC(32), 2, 17);
	down(&t);
}

T(an_exact_duplicate_goes_alone)
{
	struct ft t = up();

	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag(1, 16, 5, false), 0);
	refused(&t, frag(1, 0, 8, true), 0, PLX_DROP_FRAG_DUPLICATE);
	refused(&t, frag(1, 16, 5, false), 0, PLX_DROP_FRAG_DUPLICATE);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->v4.fails, 0);
	whole(&t, frag(1, 8, 8, true), 0, 3, 21);
	down(&t);
}

T(two_ends_end_the_datagram)
{
	static const struct {
		uint32_t off, len;
		bool more;
		uint32_t off2, len2;
		bool more2;
	} rows[] = {
		{64, 8, false, 128, 8, false}, /* a later end */
		{64, 8, false, 32, 8, false},  /* an earlier end */
		{64, 8, false, 128, 8, true},  /* data beyond the end */
		{64, 8, false, 64, 8, true},   /* the same data, but more to come */
		{64, 8, true, 32, 8, false},   /* an end before data */
		{64, 8, true, 64, 8, false},   /* the same data, but the last */
		{64, 8, true, 64, 5, false},
	};
	struct ft t = up();

	for (uint32_t i = 0; i < PLX_DIM(rows); i++) {
		held(&t, frag(i, rows[i].off, rows[i].len, rows[i].more), 0);
		refused(&t, frag(i, rows[i].off2, rows[i].len2, rows[i].more2), 0,
			PLX_DROP_FRAG_MALFORMED);
		dead(&t, 2 * i + 1, PLX_DROP_FRAG_MALFORMED, false);
		eq(plx_frag_stats(t.f)->v4.fails, i + 1);
	}
	refused(&t, frag(0, 0, 64, true), 0, PLX_DROP_FRAG_MALFORMED);
	eq(plx_frag_stats(t.f)->refused, PLX_DIM(rows));
	down(&t);
}

T(a_fragment_wrong_by_itself_is_refused_alone)
{
	struct ft t = up();
	struct plx_frag_in in;

	held(&t, frag(1, 0, 8, true), 0);
	refused(&t, frag(1, 8, 0, true), 0, PLX_DROP_FRAG_MALFORMED);
	refused(&t, frag(1, 8, 0, false), 0, PLX_DROP_FRAG_MALFORMED);
	refused(&t, frag(1, 8, 7, true), 0, PLX_DROP_FRAG_MALFORMED);
	refused(&t, frag6(1, 8, 9, true), 0, PLX_DROP_FRAG_MALFORMED);
	refused(&t, frag(1, 65528, 8, false), 0, PLX_DROP_FRAG_TOO_BIG); /* the ping of death */
	refused(&t, frag6(1, 65528, 8, false), 0, PLX_DROP_FRAG_TOO_BIG);
	in = frag(1, UINT32_MAX - 7, 8, true);
	refused(&t, in, 0, PLX_DROP_FRAG_TOO_BIG);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->v4.fails, 5);
	eq(plx_frag_stats(t.f)->v6.fails, 2);
	eq(plx_frag_stats(t.f)->datagrams, 1);
	whole(&t, frag(1, 8, 1, false), 0, 2, 9);
	down(&t);
}

T(the_largest_datagrams_fit_and_no_larger_ones)
{
	struct ft t = up();
	struct plx_frag_in in;

	held(&t, frag(1, 0, 65512, true), 0);
	whole(&t, frag(1, 65512, 3, false), 0, 2, 65515);
	refused(&t, frag(2, 65512, 4, false), 0, PLX_DROP_FRAG_TOO_BIG);
	held(&t, frag6(1, 0, 65528, true), 0);
	whole(&t, frag6(1, 65528, 7, false), 0, 2, 65535);

	/* Options that only the first fragment carries count when it is whole. */
	held(&t, frag(3, 65504, 11, false), 0);
	in = frag(3, 0, 65504, true);
	in.head = 24;
	refused(&t, in, 0, PLX_DROP_FRAG_TOO_BIG);
	dead(&t, 6, PLX_DROP_FRAG_TOO_BIG, false);
	none_dead(&t);
	down(&t);
}

T(an_endless_datagram_stops_at_its_most_pieces)
{
	struct plx_frag_conf c = conf();
	struct ft t;

	c.limits.datagram_pieces = 100;
	t = up_with(&c);
	for (uint32_t i = 0; i < 100; i++)
		held(&t, frag(1, 8 * i, 8, true), 0);
	refused(&t, frag(1, 800, 8, true), 0, PLX_DROP_FRAG_MEMORY);
	for (uint32_t i = 0; i < 100; i++)
		dead(&t, i + 1, PLX_DROP_FRAG_MEMORY, false);
	none_dead(&t);
	refused(&t, frag(1, 808, 8, true), 0, PLX_DROP_FRAG_MEMORY);
	eq(plx_frag_stats(t.f)->v4.fails, 1);
	down(&t);
}

T(a_source_pays_for_its_own_tiny_fragments)
{
	struct plx_frag_conf c = conf();
	struct plx_frag_in other;
	struct ft t;

	c.limits.source_bytes = 10 * 1000;
	t = up_with(&c);
	other = frag(1, 0, 8, true);
	other.key.src = addr("10.0.0.9");
	held(&t, other, 0);
	for (uint32_t i = 0; i < 10; i++)
		held(&t, frag(i, 0, 8, true), 0);
	for (uint32_t i = 10; i < 40; i++) {
		held(&t, frag(i, 0, 8, true), 0);
		dead(&t, i - 10 + 2, PLX_DROP_FRAG_PER_SOURCE, false);
		none_dead(&t);
	}
	eq(plx_frag_stats(t.f)->memory_bytes, 11 * 1000);
	other.off = 8;
	other.more = false;
	whole(&t, other, 0, 2, 16);
	whole(&t, frag(39, 8, 8, false), 0, 2, 16);
	dead(&t, 32, PLX_DROP_FRAG_PER_SOURCE, false); /* room for the last one, too */
	down(&t);
}

T(one_datagram_over_the_limit_of_its_source_is_refused)
{
	struct plx_frag_conf c = conf();
	struct plx_frag_in in;
	struct ft t;

	c.limits.source_bytes = 2500;
	t = up_with(&c);
	in = frag(7, 0, 8, true);
	in.charge = 2500;
	held(&t, in, 0);
	in.off = 8;
	in.more = false;
	in.charge = 0;
	whole(&t, in, 0, 2, 16);
	in = frag(7, 0, 8, true);
	in.charge = 2501;
	refused(&t, in, 0, PLX_DROP_FRAG_PER_SOURCE);
	eq(plx_frag_stats(t.f)->datagrams, 0);
	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag(1, 8, 8, true), 0);
	refused(&t, frag(1, 16, 8, true), 0, PLX_DROP_FRAG_PER_SOURCE);
	dead(&t, 4, PLX_DROP_FRAG_PER_SOURCE, false);
	dead(&t, 5, PLX_DROP_FRAG_PER_SOURCE, false);
	refused(&t, frag(1, 24, 8, false), 0, PLX_DROP_FRAG_PER_SOURCE);
	eq(plx_frag_stats(t.f)->v4.fails, 2);
	down(&t);
}

T(the_oldest_makes_room_for_the_new)
{
	struct plx_frag_conf c = conf();
	struct plx_frag_in in;
	struct ft t;

	c.limits.memory_bytes = 4000;
	t = up_with(&c);
	held(&t, frag6(1, 0, 8, true), 1);
	held(&t, frag(1, 0, 8, true), 2);
	held(&t, frag(2, 0, 8, true), 3);
	held(&t, frag6(1, 8, 8, true), 4);
	held(&t, frag(3, 0, 8, true), 5);
	dead(&t, 1, PLX_DROP_FRAG_MEMORY, false);
	dead(&t, 4, PLX_DROP_FRAG_MEMORY, false);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->v6.fails, 1);

	in = frag(4, 0, 8, true); /* one large one takes several small ones' place */
	in.charge = 3000;
	held(&t, in, 6);
	dead(&t, 2, PLX_DROP_FRAG_MEMORY, false);
	dead(&t, 3, PLX_DROP_FRAG_MEMORY, false);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->memory_bytes, 4000);
	in.charge = 4001;
	in.off = 8;
	refused(&t, in, 7, PLX_DROP_FRAG_MEMORY);
	none_dead(&t);
	down(&t);
}

/* A fragment may take several buffers, of few bytes: bytes alone would not see the pool run dry. */
T(the_oldest_gives_its_buffers_back)
{
	struct plx_frag_conf c = conf();
	struct plx_frag_in in;
	struct ft t;

	c.limits.buffers = 6;
	t = up_with(&c);
	for (uint32_t i = 1; i <= 3; i++) {
		in = frag(i, 0, 8, true);
		in.buffers = 2;
		held(&t, in, i);
	}
	eq(plx_frag_stats(t.f)->buffers, 6);
	in = frag6(4, 0, 8, true);
	in.buffers = 3;
	held(&t, in, 4);
	dead(&t, 1, PLX_DROP_FRAG_BUFFERS, false);
	dead(&t, 2, PLX_DROP_FRAG_BUFFERS, false);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->buffers, 5);
	eq(plx_frag_stats(t.f)->v4.fails, 2);
	in = frag(3, 8, 8, false);
	in.buffers = 1;
	whole(&t, in, 5, 2, 16); /* the younger one has not suffered */
	eq(plx_frag_stats(t.f)->buffers, 3);

	in = frag(5, 0, 8, true); /* more than there may be at all */
	in.buffers = 7;
	refused(&t, in, 6, PLX_DROP_FRAG_BUFFERS);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->v4.fails, 3);
	in = frag6(
		4, 8, 8, true); /* a datagram that is too much by itself is refused from now on */
	in.buffers = 4;
	refused(&t, in, 7, PLX_DROP_FRAG_BUFFERS);
	dead(&t, 4, PLX_DROP_FRAG_BUFFERS, false);
	refused(&t, frag6(4, 16, 8, false), 7, PLX_DROP_FRAG_BUFFERS);
	eq(plx_frag_stats(t.f)->v6.fails, 1);
	eq(plx_frag_stats(t.f)->buffers, 0);
	down(&t);
}

T(records_of_sources_are_used_again)
{
	struct plx_frag_conf c = conf();
	struct ft t;

	c.datagrams = 2;
	t = up_with(&c);
	for (int i = 0; i < 32; i++) {
		struct plx_frag_in in = frag(1, 0, 8, true);

		in.key.src.b[15] = i;
		held(&t, in, 0);
		in.off = 8;
		in.more = false;
		whole(&t, in, 0, 2, 16);
	}
	down(&t);
}

T(records_run_out_refused_ones_go_first)
{
	struct plx_frag_conf c = conf();
	struct ft t;

	c.datagrams = 3;
	t = up_with(&c);
	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag(2, 0, 16, true), 1);
	refused(&t, frag(2, 8, 16, true), 2, PLX_DROP_FRAG_OVERLAP);
	dead(&t, 2, PLX_DROP_FRAG_OVERLAP, false);
	held(&t, frag(3, 0, 8, true), 3);
	held(&t, frag(4, 0, 8, true), 4);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->refused, 0);
	held(&t, frag(5, 0, 8, true), 5);
	dead(&t, 1, PLX_DROP_FRAG_MEMORY, false);
	down(&t);
}

T(fragments_run_out)
{
	struct plx_frag_conf c = conf();
	struct ft t;

	c.pieces = 3;
	t = up_with(&c);
	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag(1, 8, 8, true), 0);
	held(&t, frag(2, 0, 8, true), 1);
	held(&t, frag(2, 8, 8, true), 1);
	/* The dead have not been taken away yet, so there is no place for one more. */
	refused(&t, frag(3, 0, 8, true), 1, PLX_DROP_FRAG_MEMORY);
	eq(plx_frag_stats(t.f)->held, 4);
	dead(&t, 1, PLX_DROP_FRAG_MEMORY, false);
	dead(&t, 2, PLX_DROP_FRAG_MEMORY, false);
	held(&t, frag(3, 0, 8, true), 1);
	none_dead(&t);
	down(&t);
}

T(time_runs_out)
{
	struct ft t = up();

	eq(plx_frag_deadline(t.f), PLX_NEVER);
	held(&t, frag(1, 0, 8, true), PLX_SEC(1));
	held(&t, frag(1, 8, 8, true), PLX_SEC(20)); /* the first one starts the clock */
	held(&t, frag(2, 8, 8, true), PLX_SEC(2));
	held(&t, frag6(1, 0, 8, true), PLX_SEC(1));
	eq(plx_frag_deadline(t.f), PLX_SEC(31));
	plx_frag_timer(t.f, PLX_SEC(31) - 1);
	none_dead(&t);
	plx_frag_timer(t.f, PLX_SEC(31));
	dead(&t, 1, PLX_DROP_FRAG_TIMEOUT, true);
	dead(&t, 2, PLX_DROP_FRAG_TIMEOUT, false);
	none_dead(&t);
	eq(plx_frag_deadline(t.f), PLX_SEC(32));
	plx_frag_timer(t.f, PLX_SEC(32));
	dead(&t, 3, PLX_DROP_FRAG_TIMEOUT, false); /* no first fragment, no ICMP */
	eq(plx_frag_deadline(t.f), PLX_SEC(61));
	plx_frag_timer(t.f, PLX_SEC(61));
	dead(&t, 4, PLX_DROP_FRAG_TIMEOUT, true);
	none_dead(&t);
	eq(plx_frag_stats(t.f)->v4.timeouts, 2);
	eq(plx_frag_stats(t.f)->v4.fails, 2);
	eq(plx_frag_stats(t.f)->v6.timeouts, 1);
	eq(plx_frag_deadline(t.f), PLX_NEVER);
	down(&t);
}

T(limits_change_while_it_runs)
{
	struct plx_frag_conf c = conf();
	struct plx_frag_limits l = c.limits;
	struct ft t = up_with(&c);

	held(&t, frag(1, 0, 8, true), 0);
	l.timeout_v4_ns = PLX_SEC(5);
	l.memory_bytes = 1000;
	eq(plx_frag_limits_set(t.f, &l), 0);
	eq(plx_frag_deadline(t.f), PLX_SEC(5));
	held(&t, frag(2, 0, 8, true), 1);
	dead(&t, 1, PLX_DROP_FRAG_MEMORY, false);
	l.memory_bytes = 0; /* takes none at all */
	eq(plx_frag_limits_set(t.f, &l), 0);
	refused(&t, frag(3, 0, 8, true), 2, PLX_DROP_FRAG_MEMORY);
	l.timeout_v6_ns = 0;
	eq(plx_frag_limits_set(t.f, &l), -EINVAL);
	down(&t);
}

T(the_timer_does_a_bounded_piece_of_work)
{
	struct ft t = up();
	struct plx_frag_dead d;
	int n = 0;

	for (uint32_t i = 0; i < 64; i++)
		held(&t, frag(i, 0, 8, true), 0);
	plx_frag_timer(t.f, PLX_SEC(30));
	eq(plx_frag_stats(t.f)->datagrams, 32);
	ok(plx_frag_deadline(t.f) <= PLX_SEC(30));
	plx_frag_timer(t.f, PLX_SEC(30));
	eq(plx_frag_deadline(t.f), PLX_NEVER);
	while (plx_frag_pop_dead(t.f, &d))
		eq((uintptr_t)d.pkt, ++n);
	eq(n, 64);
	down(&t);
}

T(ecn_marks_are_merged)
{
	enum { NOT = 0, ECT1 = 1, ECT0 = 2, CE = 3, BAD = 99 };
	/* [first fragment][last fragment] */
	static const int want[4][4] = {
		[NOT] = {NOT, BAD, BAD, BAD},
		[ECT1] = {BAD, ECT1, ECT1, CE},
		[ECT0] = {BAD, ECT0, ECT0, CE},
		[CE] = {BAD, CE, CE, CE},
	};
	struct ft t = up();

	for (int first = 0; first < 4; first++)
		for (int last = 0; last < 4; last++)
			for (int turned = 0; turned < 2; turned++) {
				struct plx_frag_in a = frag(1, 0, 8, true),
						   b = frag(1, 8, 8, false);

				a.ecn = first;
				b.ecn = last;
				held(&t, turned ? b : a, 0);
				if (want[first][last] == BAD) {
					refused(&t, turned ? a : b, 0, PLX_DROP_FRAG_ECN);
					dead(&t, t.next_pkt - 1, PLX_DROP_FRAG_ECN, false);
					continue;
				}
				whole(&t, turned ? a : b, 0, 2, 16);
				eq(t.out.ecn, want[first][last]);
			}
	eq(plx_frag_stats(t.f)->datagrams, 0);
	eq(plx_frag_stats(t.f)->refused, 0);
	down(&t);
}

T(the_largest_fragment_rules_size_and_df)
{
	struct ft t = up();
	struct plx_frag_in a = frag(1, 0, 1000, true), b = frag(1, 1000, 400, false);

	a.df = true;
	held(&t, a, 0);
	whole(&t, b, 0, 2, 1400);
	eq(t.out.max_size, 1020);
	ok(t.out.df);

	a.df = false;
	b.df = true; /* the smaller one had it: nothing is known about a path for the larger one */
	held(&t, a, 0);
	whole(&t, b, 0, 2, 1400);
	eq(t.out.max_size, 1020);
	ok(!t.out.df);
	down(&t);
}

T(an_atomic_fragment_touches_nothing)
{
	struct plx_frag_in in = frag6(1, 0, 100, false);
	struct ft t = up();

	held(&t, frag6(1, 8, 8, true), 0);
	in.ecn = 3;
	whole(&t, in, 0, 1, 100); /* RFC 6946: though its key is that of one in progress */
	eq((uintptr_t)t.out.piece[0].pkt, 2);
	eq(t.out.ecn, 3);
	eq(t.out.max_size, 148);
	eq(plx_frag_stats(t.f)->v6.oks, 1);
	eq(plx_frag_stats(t.f)->v4.oks, 0);
	eq(plx_frag_stats(t.f)->held, 1);
	held(&t, frag6(1, 16, 8, false), 0);
	whole(&t, frag6(1, 0, 8, true), 0, 3, 24);
	down(&t);
}

T(at_the_end_all_come_back)
{
	struct ft t = up();

	held(&t, frag(1, 0, 8, true), 0);
	held(&t, frag6(1, 0, 8, true), 0);
	plx_frag_fini(t.f);
	dead(&t, 1, PLX_DROP_STOPPED, false);
	dead(&t, 2, PLX_DROP_STOPPED, false);
	none_dead(&t);
	down(&t);
}

T(configurations_that_cannot_be)
{
	struct plx_frag_conf c;

	c = conf(), c.datagrams = 0;
	eq(plx_frag_size(&c), 0);
	ok(!plx_frag_init(NULL, &c));
	c = conf(), c.pieces = 0;
	ok(!plx_frag_init(NULL, &c));
	c = conf(), c.limits.datagram_pieces = PLX_FRAG_PIECES_MAX + 1;
	ok(!plx_frag_init(NULL, &c));
	c = conf(), c.limits.datagram_pieces = 0;
	ok(!plx_frag_init(NULL, &c));
	c = conf(), c.limits.timeout_v4_ns = 0;
	ok(!plx_frag_init(NULL, &c));
}

/*
 * The naive model: for each datagram a map of bytes, and a list of what was held. No limits apply,
 * so each verdict is known.
 */
#define M_KEYS	6
#define M_BYTES 512

struct model {
	bool live;
	enum plx_drop refused;
	plx_ns since;
	uint8_t map[M_BYTES];	      /* number of the fragment that brought the byte, from 1 */
	struct plx_frag_in part[128]; /* [number] */
	int n;
	uint32_t end;
};

static uint32_t m_top(const struct model *m)
{
	uint32_t top = 0;

	for (uint32_t i = 0; i < M_BYTES; i++)
		if (m->map[i])
			top = i + 1;
	return top;
}

static enum plx_drop m_verdict(const struct model *m, const struct plx_frag_in *in)
{
	uint32_t end = in->off + in->len;

	if (in->len == 0 || (in->more && in->len % 8))
		return PLX_DROP_FRAG_MALFORMED;
	if (m->refused)
		return m->refused;
	if (m->end && (in->more ? end >= m->end : end != m->end))
		return PLX_DROP_FRAG_MALFORMED;
	if (!m->end && !in->more && m->n && m_top(m) >= end)
		return PLX_DROP_FRAG_MALFORMED;
	for (int i = 1; i <= m->n; i++)
		if (m->part[i].off == in->off && m->part[i].len == in->len)
			return PLX_DROP_FRAG_DUPLICATE;
	for (uint32_t i = in->off; i < end; i++)
		if (m->map[i])
			return PLX_DROP_FRAG_OVERLAP;
	return PLX_DROP_NONE;
}

static bool m_full(const struct model *m)
{
	for (uint32_t i = 0; i < m->end; i++)
		if (!m->map[i])
			return false;
	return m->end != 0;
}

/* Mostly one of the five parts of a datagram of 73 bytes, now and then anything. */
static struct plx_frag_in m_random(struct plx_rng *r, uint32_t id)
{
	uint32_t part = plx_rng_below(r, 5), off = 16 * part, len = part == 4 ? 9 : 16;
	bool more = part != 4;

	if (plx_rng_below(r, 16) == 0) {
		more = plx_rng_below(r, 3) != 0;
		off = 8 * plx_rng_below(r, 12);
		len = plx_rng_below(r, 2) ? 8 * plx_rng_below(r, 4) : plx_rng_below(r, 32);
	}
	if (off == 0 && !more)
		more = true; /* not the atomic ones */
	return id & 1 ? frag6(id, off, len, more) : frag(id, off, len, more);
}

/* Those held came back, each once, with this reason. */
static void m_dead(struct ft *t, struct model *m, enum plx_drop why)
{
	for (int i = 0; i < m->n; i++) {
		struct plx_frag_dead d;
		int j = 1;

		ok(plx_frag_pop_dead(t->f, &d));
		eq(d.reason, why);
		while (j <= m->n && m->part[j].pkt != d.pkt)
			j++;
		ok(j <= m->n);
		eq(d.time_exceeded, why == PLX_DROP_FRAG_TIMEOUT && m->part[j].off == 0);
		m->part[j].pkt = NULL;
	}
	none_dead(t);
}

static void m_expire(struct ft *t, struct model *models, plx_ns now)
{
	for (;;) {
		struct model *first = NULL;
		plx_ns at = PLX_NEVER;

		for (int id = 0; id < M_KEYS; id++) {
			plx_ns due = models[id].since + PLX_SEC(id & 1 ? 60 : 30);

			if ((models[id].live || models[id].refused) && due < at)
				at = due, first = &models[id];
		}
		eq(plx_frag_deadline(t->f), at);
		if (at > now)
			return;
		plx_frag_timer(t->f, at);
		m_dead(t, first, PLX_DROP_FRAG_TIMEOUT);
		*first = (struct model){0};
	}
}

static void m_step(struct ft *t, struct model *m, struct plx_frag_in in, plx_ns now)
{
	enum plx_drop want = m_verdict(m, &in), got = give(t, in, now);

	in.pkt = PKT(t->next_pkt);
	eq(got, want);
	if (want == PLX_DROP_NONE) {
		if (!m->live)
			m->live = true, m->since = now;
		m->part[++m->n] = in;
		memset(m->map + in.off, m->n, in.len);
		if (!in.more)
			m->end = in.off + in.len;
		eq(t->out.n, m_full(m) ? m->n : 0);
		for (uint32_t i = 0; i < t->out.n; i++)
			eq((uintptr_t)t->out.piece[i].pkt,
				(uintptr_t)m->part[m->map[t->out.piece[i].off]].pkt);
		if (t->out.n)
			*m = (struct model){0};
	} else if (m->live && want != PLX_DROP_FRAG_DUPLICATE && in.len &&
		   (!in.more || in.len % 8 == 0)) {
		m_dead(t, m, want);
		*m = (struct model){.refused = want, .since = now};
	}
	none_dead(t);
}

T(random_fragments_against_a_map_of_bytes)
{
	static struct model models[M_KEYS];
	struct ft t = up();
	struct plx_rng r;
	plx_ns now = 0;

	plx_rng_init(&r, t_seed(0xf4a6));
	for (int i = 0; i < 200000; i++) {
		uint32_t id = plx_rng_below(&r, M_KEYS);
		plx_ns next = now + plx_rng_below(&r, PLX_SEC(1));

		/* Two of one moment would make the order of their ends undecided. */
		now = next + 1;
		m_expire(&t, models, now);
		m_step(&t, &models[id], m_random(&r, id), now);
	}
	ok(plx_frag_stats(t.f)->v4.oks > 100);
	ok(plx_frag_stats(t.f)->v6.timeouts > 100);
	down(&t);
}

/* Under tight limits verdicts depend on history; that each packet comes out once does not. */
T(under_pressure_each_packet_comes_out_once)
{
	static uint8_t in_table[200001];
	bool seen[PLX_DROP_MAX] = {false};
	struct plx_frag_conf c = conf();
	struct plx_frag_dead d;
	struct plx_rng r;
	plx_ns now = 0;
	struct ft t;

	c.datagrams = 5;
	c.pieces = 11;
	c.limits.memory_bytes = 9000;
	c.limits.source_bytes = 6000;
	c.limits.datagram_pieces = 6;
	c.limits.buffers = 14;
	t = up_with(&c);
	plx_rng_init(&r, t_seed(0xf4a7));
	for (int i = 0; i < 200000; i++) {
		struct plx_frag_in in = m_random(&r, plx_rng_below(&r, 3));

		in.key.src.b[15] = plx_rng_below(&r, 2);
		in.charge = 300 + plx_rng_below(&r, 900);
		in.buffers = 1 + (uint32_t)plx_rng_below(&r, 3);
		now += plx_rng_below(&r, PLX_SEC(2));
		if (give(&t, in, now) == PLX_DROP_NONE)
			in_table[t.next_pkt] = 1;
		for (uint32_t k = 0; k < t.out.n; k++)
			ok(in_table[(uintptr_t)t.out.piece[k].pkt]--);
		plx_frag_timer(t.f, now);
		while (plx_frag_pop_dead(t.f, &d)) {
			seen[d.reason] = true;
			ok(in_table[(uintptr_t)d.pkt]--);
		}
		ok(plx_frag_stats(t.f)->memory_bytes <= 9000);
		ok(plx_frag_stats(t.f)->held <= 11);
		ok(plx_frag_stats(t.f)->buffers <= 14);
		ok(plx_frag_stats(t.f)->datagrams + plx_frag_stats(t.f)->refused <= 5);
	}
	plx_frag_fini(t.f);
	while (plx_frag_pop_dead(t.f, &d))
		ok(in_table[(uintptr_t)d.pkt]--);
	for (size_t i = 0; i < sizeof(in_table); i++)
		ok(!in_table[i]);
	ok(seen[PLX_DROP_FRAG_MEMORY] && seen[PLX_DROP_FRAG_PER_SOURCE]);
	ok(seen[PLX_DROP_FRAG_BUFFERS]);
	ok(seen[PLX_DROP_FRAG_TIMEOUT] && seen[PLX_DROP_FRAG_OVERLAP]);
	ok(plx_frag_stats(t.f)->v4.oks > 100);
	down(&t);
}

RUN(T_(four_pieces_in_every_order), T_(a_hole_waits_for_what_fills_it),
	T_(datagrams_are_told_apart_by_the_whole_key), T_(many_sources_are_told_apart),
	T_(overlaps_of_each_shape_end_the_datagram), T_(neighbours_do_not_overlap),
	T_(an_overlapped_datagram_is_refused_until_its_time_is_up),
	T_(an_exact_duplicate_goes_alone), T_(two_ends_end_the_datagram),
	T_(a_fragment_wrong_by_itself_is_refused_alone),
	T_(the_largest_datagrams_fit_and_no_larger_ones),
	T_(an_endless_datagram_stops_at_its_most_pieces),
	T_(a_source_pays_for_its_own_tiny_fragments),
	T_(one_datagram_over_the_limit_of_its_source_is_refused),
	T_(the_oldest_makes_room_for_the_new), T_(the_oldest_gives_its_buffers_back),
	T_(records_of_sources_are_used_again), T_(records_run_out_refused_ones_go_first),
	T_(fragments_run_out), T_(time_runs_out), T_(limits_change_while_it_runs),
	T_(the_timer_does_a_bounded_piece_of_work), T_(ecn_marks_are_merged),
	T_(the_largest_fragment_rules_size_and_df), T_(an_atomic_fragment_touches_nothing),
	T_(at_the_end_all_come_back), T_(configurations_that_cannot_be),
	T_(random_fragments_against_a_map_of_bytes), T_(under_pressure_each_packet_comes_out_once))
