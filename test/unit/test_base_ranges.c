/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <inttypes.h>

#include <plx_base_ranges.h>
#include <plx_base_rng.h>

/* The set says "0-3 5-7 ". */
static void is(const struct plx_ranges *r, const char *want)
{
	char got[256] = "";

	for (uint32_t i = 0; i < r->n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%" PRIu64 "-%" PRIu64 " ",
			r->v[i].start, r->v[i].end);
	str_eq(got, want);
}

T(pieces_of_a_datagram_arrive)
{
	struct plx_range v[4], gap;
	struct plx_ranges r;

	plx_ranges_init(&r, v, PLX_DIM(v));
	eq(plx_ranges_add(&r, 20, 30), 0);
	eq(plx_ranges_add(&r, 0, 10), 0);
	is(&r, "0-10 20-30 ");
	ok(plx_ranges_gap(&r, 0, 40, &gap));
	eq(gap.start, 10);
	eq(gap.end, 20);
	ok(plx_ranges_gap(&r, gap.end, 40, &gap));
	eq(gap.start, 30);
	eq(gap.end, 40);
	ok(plx_ranges_overlaps(&r, 9, 20));
	ok(!plx_ranges_overlaps(&r, 10, 20));
	eq(plx_ranges_add(&r, 10, 20), 0); /* touches both sides */
	is(&r, "0-30 ");
	eq(plx_ranges_add(&r, 5, 15), 0); /* nothing new */
	is(&r, "0-30 ");
	ok(plx_ranges_contains(&r, 0, 30) && !plx_ranges_contains(&r, 0, 31));
	ok(!plx_ranges_gap(&r, 0, 30, &gap));
	eq(plx_ranges_total(&r), 30);
	eq(plx_ranges_add(&r, 50, 60), 0);
	eq(plx_ranges_add(&r, 40, 45), 0);
	eq(plx_ranges_add(&r, 10, 70), 0); /* swallows the rest */
	is(&r, "0-70 ");
	plx_ranges_clear(&r);
	is(&r, "");
	ok(plx_ranges_gap(&r, 5, 6, &gap) && gap.start == 5 && gap.end == 6);
	ok(!plx_ranges_find(&r, 0));
}

T(acknowledged_from_the_left)
{
	struct plx_range v[2];
	struct plx_ranges r;

	plx_ranges_init(&r, v, PLX_DIM(v));
	plx_ranges_add(&r, 10, 20);
	plx_ranges_add(&r, 30, 40);
	eq(plx_ranges_remove(&r, 0, 15), 0);
	is(&r, "15-20 30-40 ");
	eq(plx_ranges_remove(&r, 0, 30), 0);
	is(&r, "30-40 ");
	eq(plx_ranges_remove(&r, 0, 30), 0);
	eq(plx_ranges_remove(&r, 40, UINT64_MAX), 0);
	is(&r, "30-40 ");
	eq(plx_ranges_remove(&r, 0, UINT64_MAX), 0);
	is(&r, "");
}

T(a_full_set_refuses_and_stays)
{
	struct plx_range v[2], none[1];
	struct plx_ranges r;

	plx_ranges_init(&r, v, PLX_DIM(v));
	plx_ranges_add(&r, 10, 20);
	plx_ranges_add(&r, 30, 40);
	eq(plx_ranges_add(&r, 50, 60), -ENOSPC);
	eq(plx_ranges_add(&r, 0, 9), -ENOSPC);
	eq(plx_ranges_add(&r, 21, 29), -ENOSPC);
	eq(plx_ranges_remove(&r, 12, 13), -ENOSPC);
	is(&r, "10-20 30-40 ");
	eq(plx_ranges_add(&r, 40, 41), 0); /* grows one that is there */
	eq(plx_ranges_remove(&r, 10, 12), 0);
	eq(plx_ranges_remove(&r, 18, 20), 0);
	is(&r, "12-18 30-41 ");
	plx_ranges_init(&r, none, 0);
	eq(plx_ranges_add(&r, 0, 1), -ENOSPC);
	eq(plx_ranges_remove(&r, 0, 1), 0);
}

T(empty_and_inverted_intervals_are_refused)
{
	struct plx_range v[2], out;
	struct plx_ranges r;

	plx_ranges_init(&r, v, PLX_DIM(v));
	plx_ranges_add(&r, 10, 20);
	eq(plx_ranges_add(&r, 30, 30), -EINVAL);
	eq(plx_ranges_add(&r, 31, 30), -EINVAL);
	eq(plx_ranges_remove(&r, 15, 15), -EINVAL);
	eq(plx_ranges_remove(&r, 16, 15), -EINVAL);
	is(&r, "10-20 ");
	ok(!plx_ranges_gap(&r, 30, 30, &out) && !plx_ranges_gap(&r, 5, 0, &out));
	ok(!plx_ranges_piece(&r, 15, 15, &out) && !plx_ranges_piece(&r, 16, 15, &out));
}

/* --- against a bitmap --- */

enum { BITS = 96 };

struct model {
	bool bit[BITS + 1]; /* the last stays false */
};

static unsigned int runs(const struct model *m)
{
	unsigned int n = m->bit[0];

	for (int i = 1; i < BITS; i++)
		n += m->bit[i] && !m->bit[i - 1];
	return n;
}

static unsigned int count(const struct model *m, unsigned int from, unsigned int to)
{
	unsigned int n = 0;

	for (; from < to; from++)
		n += m->bit[from];
	return n;
}

static void same(const struct plx_ranges *r, const struct model *m, uint64_t base)
{
	uint32_t i = 0;

	for (unsigned int b = 0; b < BITS; b++) {
		const struct plx_range *f = plx_ranges_find(r, base + b);

		eq(f != NULL, m->bit[b]);
		if (b == 0 ? m->bit[0] : m->bit[b] && !m->bit[b - 1])
			eq(r->v[i].start, base + b);
		if (m->bit[b] && !m->bit[b + 1])
			eq(r->v[i++].end, base + b + 1);
	}
	eq(r->n, i);
	eq(plx_ranges_total(r), count(m, 0, BITS));
}

/* Gaps and pieces of a window are what the bitmap has there, in turns and without holes. */
static void same_window(const struct plx_ranges *r, const struct model *m, uint64_t base,
	unsigned int from, unsigned int to)
{
	unsigned int missing = to - from - count(m, from, to), seen = 0;
	struct plx_range g;

	eq(plx_ranges_contains(r, base + from, base + to), missing == 0);
	eq(plx_ranges_overlaps(r, base + from, base + to), missing < to - from);
	for (uint64_t at = base + from; plx_ranges_gap(r, at, base + to, &g); at = g.end) {
		ok(g.start >= at && g.start < g.end && g.end <= base + to);
		eq(count(m, (unsigned int)(g.start - base), (unsigned int)(g.end - base)), 0);
		seen += (unsigned int)(g.end - g.start);
	}
	eq(seen, missing);
	seen = 0;
	for (uint64_t at = base + from; plx_ranges_piece(r, at, base + to, &g); at = g.end) {
		ok(g.start >= at && g.start < g.end && g.end <= base + to);
		eq(count(m, (unsigned int)(g.start - base), (unsigned int)(g.end - base)),
			g.end - g.start);
		seen += (unsigned int)(g.end - g.start);
	}
	eq(seen, to - from - missing);
}

static void against_bitmap(struct plx_rng *rng, uint64_t base, uint32_t cap, int steps)
{
	struct plx_range v[BITS];
	struct plx_ranges r;
	struct model m = {0};
	unsigned int refused = 0;

	plx_ranges_init(&r, v, cap);
	for (int i = 0; i < steps; i++) {
		unsigned int from = (unsigned int)plx_rng_below(rng, BITS);
		unsigned int most =
			plx_rng_chance(rng, 0.1) ? BITS - from : PLX_MIN(8u, BITS - from);
		unsigned int to = from + 1 + (unsigned int)plx_rng_below(rng, most);
		bool add = plx_rng_chance(rng, 0.55);
		struct model after = m;
		int rc;

		memset(&after.bit[from], add, to - from);
		rc = add ? plx_ranges_add(&r, base + from, base + to)
			 : plx_ranges_remove(&r, base + from, base + to);
		eq(rc, runs(&after) > cap ? -ENOSPC : 0);
		refused += rc != 0;
		if (rc == 0)
			m = after;
		same(&r, &m, base);
		same_window(&r, &m, base, from, to);
	}
	ok(refused > 0 || cap >= BITS / 2);
}

T(agrees_with_a_bitmap)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	against_bitmap(&rng, 0, 4, 20000);
	against_bitmap(&rng, 0, BITS / 2, 20000);
	against_bitmap(&rng, UINT64_C(1) << 32, 7, 20000);
	against_bitmap(&rng, UINT64_MAX - BITS, 5, 20000);
	against_bitmap(&rng, UINT64_MAX - BITS, 1, 5000);
}

RUN(T_(pieces_of_a_datagram_arrive), T_(acknowledged_from_the_left),
	T_(a_full_set_refuses_and_stays), T_(empty_and_inverted_intervals_are_refused),
	T_(agrees_with_a_bitmap))
