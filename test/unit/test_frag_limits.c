/* SPDX-License-Identifier: BSD-3-Clause */
#include "frag_t.h"

#include <errno.h>

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

RUN(T_(an_endless_datagram_stops_at_its_most_pieces), T_(a_source_pays_for_its_own_tiny_fragments),
	T_(one_datagram_over_the_limit_of_its_source_is_refused),
	T_(the_oldest_makes_room_for_the_new), T_(the_oldest_gives_its_buffers_back),
	T_(records_of_sources_are_used_again), T_(records_run_out_refused_ones_go_first),
	T_(fragments_run_out), T_(time_runs_out), T_(limits_change_while_it_runs),
	T_(the_timer_does_a_bounded_piece_of_work), T_(at_the_end_all_come_back),
	T_(configurations_that_cannot_be))
