/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_t.h"

#include <errno.h>

T(a_join_is_told_at_once_and_once_more)
{
	struct plx_mcast *m = up();
	plx_ns at;

	eq(plx_mcast_deadline(m), PLX_NEVER);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	ok(plx_mcast_deadline(m) <= 0);
	out(m, 0, "224.0.0.22: to_ex 239.1.1.1");
	at = out_later(m, 1, PLX_SEC(1), "224.0.0.22: to_ex 239.1.1.1");
	none(m, at);
	eq(plx_mcast_deadline(m), PLX_NEVER);

	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(5)), 0);
	ok(!member(m, "239.1.1.1"));
	out(m, PLX_SEC(5), "224.0.0.22: to_in 239.1.1.1");
	out_later(m, PLX_SEC(5) + 1, PLX_SEC(6), "224.0.0.22: to_in 239.1.1.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(mld_says_the_same_in_its_own_words)
{
	struct plx_mcast *m = up();

	eq(join(m, "ff02::1:ff00:1", NULL, 0), 0); /* a solicited-node group */
	out(m, 0, "ff02::16: to_ex ff02::1:ff00:1");
	out_later(m, 1, PLX_SEC(1), "ff02::16: to_ex ff02::1:ff00:1");
	eq(join(m, "ff3e::1", "2001:db8::1", PLX_SEC(2)), 0);
	out(m, PLX_SEC(2), "ff02::16: allow ff3e::1 2001:db8::1");
	free(m);
}

T(joins_are_counted)
{
	struct plx_mcast *m = up();
	uint32_t gen = plx_mcast_generation(m);

	eq(leave(m, "239.1.1.1", NULL, 0), -EADDRNOTAVAIL);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	ne(plx_mcast_generation(m), gen);
	gen = plx_mcast_generation(m);
	out(m, 0, "224.0.0.22: to_ex 239.1.1.1");
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(leave(m, "239.1.1.1", NULL, 0), 0);
	eq(plx_mcast_generation(m), gen);
	none(m, 0);
	ok(member(m, "239.1.1.1"));
	eq(leave(m, "239.1.1.1", "10.0.0.1", 0), -EADDRNOTAVAIL);
	eq(leave(m, "239.1.1.1", NULL, 0), 0);
	ne(plx_mcast_generation(m), gen);
	ok(!member(m, "239.1.1.1"));
	eq(leave(m, "239.1.1.1", NULL, 0), -EADDRNOTAVAIL);
	free(m);
}

T(what_is_no_group_is_refused)
{
	struct plx_mcast *m = up();

	eq(join(m, "10.0.0.1", NULL, 0), -EINVAL);
	eq(join(m, "fe80::1", NULL, 0), -EINVAL);
	eq(join(m, "239.1.1.1", "2001:db8::1", 0), -EINVAL);
	eq(join(m, "ff02::5", "10.0.0.1", 0), -EINVAL);
	eq(join(m, "239.1.1.1", "239.1.1.2", 0), -EINVAL);
	eq(join(m, "239.1.1.1", "0.0.0.0", 0), -EINVAL);
	eq(leave(m, "10.0.0.1", NULL, 0), -EADDRNOTAVAIL);
	none(m, 0);
	free(m);
}

T(all_hosts_are_always_members_and_never_told)
{
	static const char *const quiet[] = {
		"224.0.0.1", "ff02::1", "ff01::1", "ff01::5", "ff00::5"};
	struct plx_mcast *m = up();

	ok(member(m, "224.0.0.1") && member(m, "ff02::1") && member(m, "ff01::1"));
	ok(accepts(m, "224.0.0.1", "10.0.0.1"));
	ok(!member(m, "224.0.0.2") && !member(m, "ff02::2") && !member(m, "ff01::5"));
	ok(!member(m, "10.0.0.1") && !member(m, "::1"));
	for (size_t i = 0; i < PLX_DIM(quiet); i++) {
		eq(join(m, quiet[i], NULL, 0), 0);
		ok(member(m, quiet[i]));
	}
	none(m, 0);
	query(m, 3, "0.0.0.0", 1000, NULL, 0);
	query(m, 2, "::", 1000, NULL, 0);
	query(m, 3, "224.0.0.1", 1000, NULL, 0);
	none(m, PLX_SEC(10));
	for (size_t i = 0; i < PLX_DIM(quiet); i++)
		eq(leave(m, quiet[i], NULL, 0), 0);
	none(m, PLX_SEC(10));
	ok(member(m, "224.0.0.1") && !member(m, "ff01::5"));
	free(m);
}

T(single_sources_come_and_go)
{
	struct plx_mcast *m = up();
	plx_ns at;

	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	ok(member(m, "232.1.1.1"));
	ok(accepts(m, "232.1.1.1", "10.0.0.1"));
	ok(!accepts(m, "232.1.1.1", "10.0.0.2"));
	out(m, 0, "224.0.0.22: allow 232.1.1.1 10.0.0.1");
	/* The next change goes out at once, and takes what is left of the first along. */
	eq(join(m, "232.1.1.1", "10.0.0.2", 1), 0);
	out(m, 1, "224.0.0.22: allow 232.1.1.1 10.0.0.1 10.0.0.2");
	eq(leave(m, "232.1.1.1", "10.0.0.1", 2), 0);
	out(m, 2, "224.0.0.22: block 232.1.1.1 10.0.0.1, allow 232.1.1.1 10.0.0.2");
	at = out_later(m, 3, 2 + PLX_SEC(1), "224.0.0.22: block 232.1.1.1 10.0.0.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	/* Two users of one source. */
	eq(join(m, "232.1.1.1", "10.0.0.2", at), 0);
	eq(leave(m, "232.1.1.1", "10.0.0.2", at), 0);
	none(m, at);
	ok(accepts(m, "232.1.1.1", "10.0.0.2"));
	eq(leave(m, "232.1.1.1", "10.0.0.2", at), 0);
	ok(!member(m, "232.1.1.1"));
	out(m, at, "224.0.0.22: block 232.1.1.1 10.0.0.2");
	out_later(m, at + 1, at + PLX_SEC(1), "224.0.0.22: block 232.1.1.1 10.0.0.2");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(any_source_takes_over_and_gives_back)
{
	struct plx_mcast *m = up();
	plx_ns at;

	eq(join(m, "239.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	ok(accepts(m, "239.1.1.1", "10.0.0.9"));
	out(m, 0, "224.0.0.22: to_ex 239.1.1.1"); /* the source's allow is subsumed */
	at = out_later(m, 1, PLX_SEC(1), "224.0.0.22: to_ex 239.1.1.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	/* A source more is no news. */
	eq(join(m, "239.1.1.1", "10.0.0.2", at), 0);
	eq(leave(m, "239.1.1.1", "10.0.0.1", at), 0);
	none(m, at);
	eq(leave(m, "239.1.1.1", NULL, at), 0);
	ok(member(m, "239.1.1.1"));
	ok(!accepts(m, "239.1.1.1", "10.0.0.1"));
	ok(accepts(m, "239.1.1.1", "10.0.0.2"));
	out(m, at, "224.0.0.22: to_in 239.1.1.1 10.0.0.2");
	/* Changes of sources while the mode's is told: the next ones tell all. */
	eq(join(m, "239.1.1.1", "10.0.0.3", at), 0);
	out(m, at, "224.0.0.22: to_in 239.1.1.1 10.0.0.2 10.0.0.3");
	out_later(m, at + 1, at + PLX_SEC(1), "224.0.0.22: allow 239.1.1.1 10.0.0.3");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(a_link_that_is_down_is_silent)
{
	struct plx_mcast *m = settled();

	query(m, 3, "0.0.0.0", 1000, NULL, PLX_SEC(3));
	eq(join(m, "239.2.2.2", NULL, PLX_SEC(3)), 0);
	plx_mcast_link(m, false, PLX_SEC(3));
	eq(plx_mcast_deadline(m), PLX_NEVER);
	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(3)), 0);
	query(m, 2, "0.0.0.0", 1000, NULL, PLX_SEC(3));
	eq(plx_mcast_version(m, false), 3);
	none(m, PLX_SEC(10));
	plx_mcast_link(m, true, PLX_SEC(20));
	out(m, PLX_SEC(20), "224.0.0.22: allow 232.1.1.1 10.0.0.1 10.0.0.2, to_ex 239.2.2.2");
	out(m, PLX_SEC(21), "224.0.0.22: allow 232.1.1.1 10.0.0.1 10.0.0.2, to_ex 239.2.2.2");
	none(m, PLX_SEC(23));
	free(m);
}

T(up_once_more_tells_all_again)
{
	struct plx_mcast *m = settled();

	plx_mcast_link(m, true, PLX_SEC(3));
	for (int i = 0; i < 2; i++)
		out(m, PLX_SEC(3 + i),
			"224.0.0.22: to_ex 239.1.1.1, allow 232.1.1.1 10.0.0.1 10.0.0.2");
	none(m, PLX_SEC(6));
	query(m, 2, "0.0.0.0", 100000, NULL, PLX_SEC(6));
	plx_mcast_link(m, true, PLX_SEC(6)); /* the querier is still what it is */
	eq(plx_mcast_version(m, false), 2);
	out(m, PLX_SEC(6), "239.1.1.1: report2 239.1.1.1");
	out(m, PLX_SEC(6), "232.1.1.1: report2 232.1.1.1");
	free(m);
}

T(long_lists_are_split)
{
	struct plx_mcast *m = up();
	struct plx_mcast_report r;
	char src[32];

	plx_mcast_link(m, false, 0);
	for (int i = 1; i <= 20; i++) {
		snprintf(src, sizeof(src), "10.0.0.%d", i);
		eq(join(m, "232.1.1.1", src, 0), 0);
	}
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	plx_mcast_link(m, true, 0);
	query(m, 3, "0.0.0.0", 0, NULL, 0);
	for (int round = 0; round < 2; round++) { /* the change, then the answer */
		/* 8 for the report, 8 for the record, 12 sources. */
		ok(plx_mcast_output(m, 0, 64, &r));
		eq(r.n, 1);
		eq(r.rec[0].type, round ? PLX_GROUP_IS_INCLUDE : PLX_GROUP_ALLOW);
		eq(r.rec[0].n_src, 12);
		/* 8 sources are left, and the record of the other group fits in as well. */
		ok(plx_mcast_output(m, 0, 64, &r));
		eq(r.n, 2);
		eq(r.rec[0].n_src, 8);
		str_eq(text(&r) + strlen(text(&r)) - strlen("x 239.1.1.1"), "x 239.1.1.1");
	}
	ok(!plx_mcast_output(m, 0, 64, &r));
	ok(plx_mcast_deadline(m) > 0 && plx_mcast_deadline(m) <= PLX_SEC(1));
	free(m);
}

T(tables_that_are_full_say_so)
{
	struct plx_mcast *m = up_with(2, 3);

	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "239.1.1.2", NULL, 0), 0);
	eq(join(m, "239.1.1.3", NULL, 0), -ENOBUFS);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "ff02::5", NULL, 0), 0); /* each family has its own limit */
	eq(join(m, "ff02::6", NULL, 0), 0);
	eq(join(m, "ff02::7", NULL, 0), -ENOBUFS);
	/* Those that left and still tell of it give way. */
	eq(leave(m, "239.1.1.2", NULL, 0), 0);
	eq(join(m, "239.1.1.3", NULL, 0), 0);
	out(m, 0, "224.0.0.22: to_ex 239.1.1.1, to_ex 239.1.1.3");

	eq(join(m, "239.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "239.1.1.1", "10.0.0.2", 0), 0);
	/* A querier's question takes what is free, but never a place that a program wants. */
	query(m, 3, "239.1.1.3", 1000, SRC("10.0.0.9"), 0);
	eq(join(m, "239.1.1.1", "10.0.0.3", 0), 0);
	eq(join(m, "239.1.1.1", "10.0.0.4", 0), -ENOBUFS);
	out(m, PLX_SEC(1), "224.0.0.22: to_ex 239.1.1.1, to_ex 239.1.1.3");
	out(m, PLX_SEC(1), "224.0.0.22: is_ex 239.1.1.3");
	/* Nor is it left without an answer when nothing is free. */
	query(m, 3, "239.1.1.3", 0, SRC("10.0.0.9"), PLX_SEC(2));
	out(m, PLX_SEC(2), "224.0.0.22: is_ex 239.1.1.3");
	free(m);
}

T(many_groups_are_told_apart)
{
	struct plx_mcast *m = up_with(100, 1);
	struct plx_mcast_report r;
	struct plx_addr g = addr("239.1.1.0");
	uint32_t told = 0;

	for (int i = 0; i < 100; i++) {
		g.b[15] = i;
		eq(plx_mcast_join(m, &g, NULL, 0), 0);
	}
	while (plx_mcast_output(m, 0, ROOM, &r)) {
		ok(r.n <= PLX_MCAST_RECORDS_MAX);
		told += r.n;
	}
	eq(told, 100);
	for (int i = 0; i < 100; i++) {
		g.b[15] = i * 37 % 100;
		ok(plx_mcast_is_member(m, &g));
		eq(plx_mcast_leave(m, &g, NULL, 0), 0);
		ok(!plx_mcast_is_member(m, &g));
	}
	for (plx_ns now = 0; now <= PLX_SEC(2); now += PLX_SEC(1))
		while (plx_mcast_output(m, now, ROOM, &r))
			;
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(a_source_that_left_gives_its_place_with_its_group)
{
	struct plx_mcast *m = up_with(1, 2);

	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	out(m, 0, "224.0.0.22: allow 232.1.1.1 10.0.0.1");
	eq(leave(m, "232.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "232.1.1.2", "10.0.0.2", 0), 0);
	eq(leave(m, "232.1.1.2", "10.0.0.2", 0), 0);
	/* Two groups that left are all that there is room for. */
	eq(join(m, "232.1.1.3", NULL, 0), 0);
	out(m, 0, "224.0.0.22: block 232.1.1.2 10.0.0.2, to_ex 232.1.1.3");
	free(m);
}

T(a_walk_names_the_members)
{
	struct plx_mcast *m = settled();
	struct plx_mcast_group g;
	uint32_t cursor = 0;
	char buf[PLX_ADDR_STRLEN];

	eq(join(m, "ff02::1", NULL, PLX_SEC(3)), 0);
	eq(join(m, "239.7.7.7", NULL, PLX_SEC(3)), 0);
	eq(leave(m, "239.7.7.7", NULL, PLX_SEC(3)), 0); /* still to be told, no member any more */
	ok(plx_mcast_next(m, &cursor, &g));
	str_eq(plx_addr_format(&g.addr, buf), "239.1.1.1");
	eq(g.users, 1);
	eq(g.sources, 0);
	ok(g.reported);
	ok(plx_mcast_next(m, &cursor, &g));
	str_eq(plx_addr_format(&g.addr, buf), "232.1.1.1");
	eq(g.users, 0);
	eq(g.sources, 2);
	ok(plx_mcast_next(m, &cursor, &g));
	str_eq(plx_addr_format(&g.addr, buf), "ff02::1");
	ok(!g.reported);
	ok(!plx_mcast_next(m, &cursor, &g));
	free(m);
}

T(on_the_wire)
{
	static const uint8_t igmp3[] = {0x22, 0, 0xe7, 0xfa, 0, 0, 0, 2, 4, 0, 0, 0, 239, 1, 1, 1,
		5, 0, 0, 1, 232, 1, 1, 1, 10, 0, 0, 1};
	static const uint8_t igmp2[] = {0x16, 0, 0xf9, 0xfc, 239, 1, 1, 1};
	struct plx_mcast *m = up();
	struct plx_mcast_report r;
	uint8_t bytes[64];

	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	ok(plx_mcast_output(m, 0, ROOM, &r));
	eq(plx_wire_igmp3_report_emit(bytes, sizeof(bytes), r.rec, r.n), sizeof(igmp3));
	mem_eq(bytes, igmp3, 2);
	mem_eq(bytes + 4, igmp3 + 4, sizeof(igmp3) - 4);
	eq(plx_cksum(bytes, sizeof(igmp3)), 0);
	query(m, 2, "0.0.0.0", 0, NULL, 0);
	ok(plx_mcast_output(m, 0, ROOM, &r));
	eq(plx_wire_igmp_emit(bytes, &r.msg), sizeof(igmp2));
	mem_eq(bytes, igmp2, sizeof(igmp2));
	free(m);
}

T(configurations_that_cannot_be)
{
	struct plx_mcast_conf c = {.groups = 0, .sources = 1};

	eq(plx_mcast_size(&c), 0);
	ok(!plx_mcast_init(NULL, &c));
	c = (struct plx_mcast_conf){.groups = 1, .sources = 0};
	ok(!plx_mcast_init(NULL, &c));
}

RUN(T_(a_join_is_told_at_once_and_once_more), T_(mld_says_the_same_in_its_own_words),
	T_(joins_are_counted), T_(what_is_no_group_is_refused),
	T_(all_hosts_are_always_members_and_never_told), T_(single_sources_come_and_go),
	T_(any_source_takes_over_and_gives_back), T_(a_link_that_is_down_is_silent),
	T_(up_once_more_tells_all_again), T_(long_lists_are_split), T_(tables_that_are_full_say_so),
	T_(many_groups_are_told_apart), T_(a_source_that_left_gives_its_place_with_its_group),
	T_(a_walk_names_the_members), T_(on_the_wire), T_(configurations_that_cannot_be))
