/* SPDX-License-Identifier: BSD-3-Clause */
#include "frag_t.h"

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

RUN(T_(four_pieces_in_every_order), T_(a_hole_waits_for_what_fills_it),
	T_(datagrams_are_told_apart_by_the_whole_key), T_(many_sources_are_told_apart),
	T_(overlaps_of_each_shape_end_the_datagram), T_(neighbours_do_not_overlap),
	T_(an_overlapped_datagram_is_refused_until_its_time_is_up),
	T_(an_exact_duplicate_goes_alone), T_(two_ends_end_the_datagram),
	T_(a_fragment_wrong_by_itself_is_refused_alone),
	T_(the_largest_datagrams_fit_and_no_larger_ones), T_(ecn_marks_are_merged),
	T_(the_largest_fragment_rules_size_and_df), T_(an_atomic_fragment_touches_nothing))
