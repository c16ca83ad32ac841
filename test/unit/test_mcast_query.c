/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_t.h"

T(a_general_query_is_answered_in_its_time)
{
	struct plx_mcast *m = up();

	plx_mcast_link(m, false, 0);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "ff02::5", NULL, 0), 0);
	plx_mcast_link(m, true, 0);
	out(m, 0, "224.0.0.22: to_ex 239.1.1.1, allow 232.1.1.1 10.0.0.1");
	out(m, 0, "ff02::16: to_ex ff02::5");
	out(m, PLX_SEC(1), "224.0.0.22: to_ex 239.1.1.1, allow 232.1.1.1 10.0.0.1");
	out(m, PLX_SEC(1), "ff02::16: to_ex ff02::5");
	eq(plx_mcast_deadline(m), PLX_NEVER);

	query(m, 3, "0.0.0.0", 10000, NULL, PLX_SEC(2));
	out_later(m, PLX_SEC(2), PLX_SEC(12),
		"224.0.0.22: is_ex 239.1.1.1, is_in 232.1.1.1 10.0.0.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	query(m, 2, "::", 10000, NULL, PLX_SEC(20));
	out_later(m, PLX_SEC(20), PLX_SEC(30), "ff02::16: is_ex ff02::5");
	query(m, 3, "0.0.0.0", 0, NULL, PLX_SEC(40));
	out(m, PLX_SEC(40), "224.0.0.22: is_ex 239.1.1.1, is_in 232.1.1.1 10.0.0.1");
	none(m, PLX_SEC(50));
	free(m);
}

T(a_group_query_is_answered_for_the_group)
{
	struct plx_mcast *m = settled();

	query(m, 3, "239.1.1.1", 1000, NULL, PLX_SEC(3));
	out_later(m, PLX_SEC(3), PLX_SEC(4), "224.0.0.22: is_ex 239.1.1.1");
	query(m, 3, "232.1.1.1", 1000, NULL, PLX_SEC(5));
	out_later(m, PLX_SEC(5), PLX_SEC(6), "224.0.0.22: is_in 232.1.1.1 10.0.0.1 10.0.0.2");
	query(m, 3, "239.9.9.9", 1000, NULL, PLX_SEC(7));
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(a_source_query_is_answered_for_the_sources)
{
	struct plx_mcast *m = settled();

	/* INCLUDE: of those asked, the ones that are heard. */
	query(m, 3, "232.1.1.1", 1000, SRC("10.0.0.2", "10.0.0.3"), PLX_SEC(3));
	out_later(m, PLX_SEC(3), PLX_SEC(4), "224.0.0.22: is_in 232.1.1.1 10.0.0.2");
	query(m, 3, "232.1.1.1", 1000, SRC("10.0.0.3"), PLX_SEC(5));
	none(m, PLX_SEC(6));
	/* EXCLUDE{}: all of those asked. */
	query(m, 3, "239.1.1.1", 1000, SRC("10.0.0.8", "10.0.0.9"), PLX_SEC(7));
	out_later(m, PLX_SEC(7), PLX_SEC(8), "224.0.0.22: is_in 239.1.1.1 10.0.0.8 10.0.0.9");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	none(m, PLX_SEC(9));
	free(m);
}

T(questions_that_meet_get_one_answer)
{
	struct plx_mcast *m = settled();

	/* More sources join the list; the earlier time counts. */
	query(m, 3, "239.1.1.1", 1000, SRC("10.0.0.8"), PLX_SEC(3));
	query(m, 3, "239.1.1.1", 100000, SRC("10.0.0.9"), PLX_SEC(3));
	out_later(m, PLX_SEC(3), PLX_SEC(4), "224.0.0.22: is_in 239.1.1.1 10.0.0.8 10.0.0.9");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	/* A question about the group makes the sources moot, before or after. */
	query(m, 3, "239.1.1.1", 1000, SRC("10.0.0.8"), PLX_SEC(5));
	query(m, 3, "239.1.1.1", 1000, NULL, PLX_SEC(5));
	out_later(m, PLX_SEC(5), PLX_SEC(6), "224.0.0.22: is_ex 239.1.1.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	query(m, 3, "239.1.1.1", 1000, NULL, PLX_SEC(7));
	query(m, 3, "239.1.1.1", 1000, SRC("10.0.0.8"), PLX_SEC(7));
	out_later(m, PLX_SEC(7), PLX_SEC(8), "224.0.0.22: is_ex 239.1.1.1");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	/* A general answer that comes sooner is enough. */
	query(m, 3, "0.0.0.0", 1, NULL, PLX_SEC(9));
	query(m, 3, "239.1.1.1", 1000000, NULL, PLX_SEC(9));
	out_later(m, PLX_SEC(9), PLX_SEC(9) + PLX_MS(1),
		"224.0.0.22: is_ex 239.1.1.1, is_in 232.1.1.1 10.0.0.1 10.0.0.2");
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(who_left_does_not_answer)
{
	struct plx_mcast *m = settled();

	query(m, 3, "239.1.1.1", 100000, SRC("10.0.0.8"), PLX_SEC(3));
	query(m, 3, "232.1.1.1", 100000, NULL, PLX_SEC(3));
	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(3)), 0);
	eq(leave(m, "232.1.1.1", "10.0.0.1", PLX_SEC(3)), 0);
	eq(leave(m, "232.1.1.1", "10.0.0.2", PLX_SEC(3)), 0);
	for (int i = 0; i < 2; i++)
		out(m, PLX_SEC(3 + i),
			"224.0.0.22: to_in 239.1.1.1, block 232.1.1.1 10.0.0.1 10.0.0.2");
	none(m, PLX_SEC(200));
	eq(plx_mcast_deadline(m), PLX_NEVER);
	free(m);
}

T(the_querier_sets_the_robustness)
{
	struct plx_mcast *m = up();
	struct plx_group_msg msg = {
		.kind = PLX_GROUP_QUERY,
		.version = 3,
		.group = addr("0.0.0.0"),
		.qrv = 4,
		.qqi_s = 60,
	};

	plx_mcast_input(m, &msg, NULL, 0);
	none(m, 0);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	for (int i = 0; i < 4; i++)
		out(m, PLX_SEC(i), "224.0.0.22: to_ex 239.1.1.1");
	none(m, PLX_SEC(5));
	eq(plx_mcast_deadline(m), PLX_NEVER);
	msg.qrv = 0; /* over 7: the default */
	plx_mcast_input(m, &msg, NULL, PLX_SEC(6));
	out(m, PLX_SEC(6), "224.0.0.22: is_ex 239.1.1.1");
	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(6)), 0);
	for (int i = 0; i < 2; i++)
		out(m, PLX_SEC(6 + i), "224.0.0.22: to_in 239.1.1.1");
	none(m, PLX_SEC(9));
	free(m);
}

T(an_igmpv2_querier_is_spoken_to_in_igmpv2)
{
	struct plx_mcast *m = settled();
	plx_ns at;

	query(m, 2, "0.0.0.0", 1000, NULL, PLX_SEC(3));
	eq(plx_mcast_version(m, false), 2);
	eq(plx_mcast_version(m, true), 2); /* MLD is none of its business */
	for (plx_ns now = PLX_SEC(3); now < PLX_SEC(4); now = at) { /* each group at its own time */
		struct plx_mcast_report r;

		at = plx_mcast_deadline(m);
		if (at > PLX_SEC(4))
			break;
		ok(plx_mcast_output(m, at, ROOM, &r));
		eq(r.msg.kind, PLX_GROUP_REPORT);
		eq(r.msg.version, 2);
		ok(plx_addr_eq(&r.dst, &r.msg.group));
	}
	/* Robustness * query interval + response interval. */
	eq(plx_mcast_deadline(m), PLX_SEC(3 + 2 * 125 + 10));

	eq(join(m, "239.2.2.2", NULL, PLX_SEC(5)), 0);
	out(m, PLX_SEC(5), "239.2.2.2: report2 239.2.2.2");
	at = out_later(m, PLX_SEC(5), PLX_SEC(15), "239.2.2.2: report2 239.2.2.2");
	eq(join(m, "239.2.2.2", "10.0.0.1", at), 0); /* sources are not told */
	eq(leave(m, "239.2.2.2", NULL, at), 0);
	none(m, at);
	eq(leave(m, "239.2.2.2", "10.0.0.1", at), 0);
	out(m, at, "224.0.0.2: leave2 239.2.2.2");
	none(m, at);

	/* Newer queries do not bring the newer version back, time does. */
	query(m, 3, "239.1.1.1", 0, NULL, PLX_SEC(20));
	out(m, PLX_SEC(20), "239.1.1.1: report2 239.1.1.1");
	plx_mcast_timer(m, PLX_SEC(263) - 1);
	eq(plx_mcast_version(m, false), 2);
	plx_mcast_timer(m, PLX_SEC(263));
	eq(plx_mcast_version(m, false), 3);
	eq(plx_mcast_deadline(m), PLX_NEVER);
	query(m, 3, "239.1.1.1", 0, NULL, PLX_SEC(264));
	out(m, PLX_SEC(264), "224.0.0.22: is_ex 239.1.1.1");
	free(m);
}

T(in_igmpv2_others_reports_do_for_ours)
{
	struct plx_mcast *m = up();

	query(m, 2, "0.0.0.0", 1000, NULL, 0);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	out(m, 0, "239.1.1.1: report2 239.1.1.1");
	heard(m, 2, "239.1.1.1", 1);
	heard(m, 2, "239.9.9.9", 1);
	none(m, PLX_SEC(20));
	query(m, 2, "239.1.1.1", 1000, NULL, PLX_SEC(20));
	heard(m, 2, "239.1.1.1", PLX_SEC(20));
	none(m, PLX_SEC(22));
	/* Nor need we say goodbye, where another was the last to report. */
	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(23)), 0);
	none(m, PLX_SEC(23));
	free(m);
}

T(in_igmpv3_others_reports_do_not)
{
	struct plx_mcast *m = settled();

	query(m, 3, "239.1.1.1", 1000, NULL, PLX_SEC(3));
	heard(m, 2, "239.1.1.1", PLX_SEC(3));
	out_later(m, PLX_SEC(3), PLX_SEC(4), "224.0.0.22: is_ex 239.1.1.1");
	free(m);
}

T(an_igmpv2_timer_is_set_anew_only_to_be_sooner)
{
	struct plx_mcast *m = up();
	plx_ns at;

	query(m, 2, "0.0.0.0", 1000, NULL, 0);
	eq(join(m, "239.1.1.1", NULL, 0), 0);
	out(m, 0, "239.1.1.1: report2 239.1.1.1");
	at = plx_mcast_deadline(m);
	query(m, 2, "239.1.1.1", 20000, NULL, 0);
	eq(plx_mcast_deadline(m), at);
	query(m, 2, "239.1.1.1", 1, NULL, 0);
	ok(plx_mcast_deadline(m) <= PLX_MS(1));
	free(m);
}

T(an_igmpv1_querier_hears_no_goodbye)
{
	struct plx_mcast *m = up();

	query(m, 2, "0.0.0.0", 1000, NULL, 0);
	query(m, 1, "0.0.0.0", 10000, NULL, PLX_SEC(1));
	eq(plx_mcast_version(m, false), 1);
	eq(join(m, "239.1.1.1", NULL, PLX_SEC(1)), 0);
	out(m, PLX_SEC(1), "239.1.1.1: report1 239.1.1.1");
	out_later(m, PLX_SEC(1), PLX_SEC(11), "239.1.1.1: report1 239.1.1.1");
	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(12)), 0);
	none(m, PLX_SEC(12));
	/* Version by version back up. */
	query(m, 2, "0.0.0.0", 1000, NULL, PLX_SEC(100));
	plx_mcast_timer(m, PLX_SEC(261));
	eq(plx_mcast_version(m, false), 2);
	plx_mcast_timer(m, PLX_SEC(360));
	eq(plx_mcast_version(m, false), 3);
	free(m);
}

T(an_mldv1_querier_is_spoken_to_in_mldv1)
{
	struct plx_mcast *m = up();

	eq(join(m, "ff02::5", NULL, 0), 0);
	query(m, 1, "::", 1000, NULL, 0); /* what was to be told in MLDv2 is dropped */
	eq(plx_mcast_version(m, true), 1);
	out_later(m, 0, PLX_SEC(1), "ff02::5: report1 ff02::5");
	eq(leave(m, "ff02::5", NULL, PLX_SEC(2)), 0);
	out(m, PLX_SEC(2), "ff02::2: leave1 ff02::5");
	none(m, PLX_SEC(3));
	eq(plx_mcast_version(m, false), 3);
	plx_mcast_timer(m, PLX_SEC(260));
	eq(plx_mcast_version(m, true), 2);
	free(m);
}

T(a_version_change_drops_what_was_pending)
{
	struct plx_mcast *m = settled();

	eq(leave(m, "239.1.1.1", NULL, PLX_SEC(3)), 0);
	query(m, 3, "0.0.0.0", 100000, NULL, PLX_SEC(3));
	query(m, 2, "0.0.0.0", 0, NULL, PLX_SEC(3));
	out(m, PLX_SEC(3), "232.1.1.1: report2 232.1.1.1");
	none(m, PLX_SEC(200));
	free(m);
}

RUN(T_(a_general_query_is_answered_in_its_time), T_(a_group_query_is_answered_for_the_group),
	T_(a_source_query_is_answered_for_the_sources), T_(questions_that_meet_get_one_answer),
	T_(who_left_does_not_answer), T_(the_querier_sets_the_robustness),
	T_(an_igmpv2_querier_is_spoken_to_in_igmpv2), T_(in_igmpv2_others_reports_do_for_ours),
	T_(in_igmpv3_others_reports_do_not), T_(an_igmpv2_timer_is_set_anew_only_to_be_sooner),
	T_(an_igmpv1_querier_hears_no_goodbye), T_(an_mldv1_querier_is_spoken_to_in_mldv1),
	T_(a_version_change_drops_what_was_pending))
