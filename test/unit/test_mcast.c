/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_mcast.h>
#include <plx_wire.h>

static struct plx_mcast *up_with(uint32_t groups, uint32_t sources)
{
	struct plx_mcast_conf c = {.groups = groups, .sources = sources, .seed = {5, 6}};
	struct plx_mcast *m = plx_mcast_init(aligned_alloc(64, plx_mcast_size(&c)), &c);

	ok(m);
	plx_mcast_link(m, true, 0);
	return m;
}

static struct plx_mcast *up(void)
{
	return up_with(20, 64);
}

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static int join(struct plx_mcast *m, const char *group, const char *src, plx_ns now)
{
	struct plx_addr g = addr(group), s = addr(src ? src : "::");

	return plx_mcast_join(m, &g, src ? &s : NULL, now);
}

static int leave(struct plx_mcast *m, const char *group, const char *src, plx_ns now)
{
	struct plx_addr g = addr(group), s = addr(src ? src : "::");

	return plx_mcast_leave(m, &g, src ? &s : NULL, now);
}

static bool member(const struct plx_mcast *m, const char *group)
{
	struct plx_addr g = addr(group);

	return plx_mcast_is_member(m, &g);
}

static bool accepts(const struct plx_mcast *m, const char *group, const char *src)
{
	struct plx_addr g = addr(group), s = addr(src);

	return plx_mcast_accepts(m, &g, &s);
}

static char *add_text(char *at, const char *text)
{
	strcpy(at, text);
	return at + strlen(text);
}

static char *add_addr(char *at, const struct plx_addr *a)
{
	char buf[PLX_ADDR_STRLEN];

	return add_text(at, plx_addr_format(a, buf));
}

/* "224.0.0.22: to_ex 239.1.1.1, allow 232.1.1.1 10.0.0.1 10.0.0.2"; older: "239.1.1.1: report2". */
static const char *text(const struct plx_mcast_report *r)
{
	static const char *const types[] = {
		[PLX_GROUP_IS_INCLUDE] = "is_in ",
		[PLX_GROUP_IS_EXCLUDE] = "is_ex ",
		[PLX_GROUP_TO_INCLUDE] = "to_in ",
		[PLX_GROUP_TO_EXCLUDE] = "to_ex ",
		[PLX_GROUP_ALLOW] = "allow ",
		[PLX_GROUP_BLOCK] = "block ",
	};
	static char buf[16384];
	char *at = add_addr(buf, &r->dst);

	if (r->msg.kind != PLX_GROUP_REPORTS) {
		at = add_text(at, r->msg.kind == PLX_GROUP_LEAVE ? ": leave" : ": report");
		*at++ = '0' + r->msg.version;
		*at++ = ' ';
		add_addr(at, &r->msg.group);
		return buf;
	}
	for (uint32_t i = 0; i < r->n; i++) {
		at = add_text(at, i ? ", " : ": ");
		at = add_text(at, types[r->rec[i].type]);
		at = add_addr(at, &r->rec[i].group);
		for (uint16_t k = 0; k < r->rec[i].n_src; k++)
			at = add_addr(add_text(at, " "), &r->rec[i].src[k]);
	}
	return buf;
}

#define ROOM 1400

static void out(struct plx_mcast *m, plx_ns now, const char *want)
{
	struct plx_mcast_report r;

	ok(plx_mcast_output(m, now, ROOM, &r));
	str_eq(text(&r), want);
}

static void none(struct plx_mcast *m, plx_ns now)
{
	struct plx_mcast_report r;

	plx_mcast_timer(m, now);
	if (plx_mcast_output(m, now, ROOM, &r))
		fail_msg("unexpected: %s", text(&r));
}

/* Nothing until the deadline, which comes in (from, to], then this. @return that time. */
static plx_ns out_later(struct plx_mcast *m, plx_ns from, plx_ns to, const char *want)
{
	plx_ns at = plx_mcast_deadline(m);

	assert_in_range(at, from, to);
	none(m, at - 1);
	eq(plx_mcast_deadline(m), at);
	plx_mcast_timer(m, at);
	out(m, at, want);
	return at;
}

static void query(struct plx_mcast *m, uint8_t version, const char *group, uint32_t max_ms,
	const char *const *src, plx_ns now)
{
	struct plx_group_msg msg = {
		.kind = PLX_GROUP_QUERY,
		.version = version,
		.group = addr(group),
		.max_resp_ms = max_ms,
		.qrv = 2,
		.qqi_s = 125,
		.src_off = 12,
	};
	bool v6 = !plx_addr_is_v4(&msg.group);
	uint8_t bytes[1024] = {0};

	for (; src && *src; src++) {
		struct plx_addr a = addr(*src);
		size_t n = v6 ? 16 : 4;

		memcpy(bytes + msg.src_off + n * msg.n_src++, a.b + 16 - n, n);
	}
	plx_mcast_input(m, &msg, bytes, now);
}

static void heard(struct plx_mcast *m, uint8_t version, const char *group, plx_ns now)
{
	struct plx_group_msg msg = {
		.kind = PLX_GROUP_REPORT, .version = version, .group = addr(group)};

	plx_mcast_input(m, &msg, NULL, now);
}

#define SRC(...) ((const char *const[]){__VA_ARGS__, NULL})

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

/* A machine with 239.1.1.1 (any), 232.1.1.1 (10.0.0.1, .2), all told by the end of second 2. */
static struct plx_mcast *settled(void)
{
	struct plx_mcast *m = up();
	struct plx_mcast_report r;

	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.2", 0), 0);
	for (plx_ns now = 0; now <= PLX_SEC(2); now += PLX_SEC(1))
		while (plx_mcast_output(m, now, ROOM, &r))
			;
	eq(plx_mcast_deadline(m), PLX_NEVER);
	return m;
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

/*
 * A router that believes every report (RFC 3376 6.4, without its timers). After each storm of
 * joins, leaves and queries, once all is told, it must know just what the host wants, though one
 * report of each storm got lost.
 */
#define R_GROUPS  4
#define R_SOURCES 5

struct r_group {
	bool exclude;
	unsigned int sources;		      /* bits */
	uint32_t users, src_users[R_SOURCES]; /* what the host was asked for */
};

static struct plx_addr r_group_addr(int i)
{
	return addr((const char *const[]){"239.1.1.1", "232.1.1.1", "ff02::5", "ff3e::1"}[i]);
}

static struct plx_addr r_source_addr(int group, int i)
{
	struct plx_addr a = addr(group < 2 ? "10.0.0.1" : "2001:db8::1");

	a.b[15] += i;
	return a;
}

static void r_take(struct r_group *groups, const struct plx_group_rec *rec)
{
	struct r_group *g = NULL;
	unsigned int set = 0;
	int i;

	for (i = 0; i < R_GROUPS; i++) {
		struct plx_addr a = r_group_addr(i);

		if (plx_addr_eq(&a, &rec->group))
			break;
	}
	ok(i < R_GROUPS);
	g = &groups[i];
	for (int k = 0; k < rec->n_src; k++) {
		struct plx_addr first = r_source_addr(i, 0);

		set |= 1u << (rec->src[k].b[15] - first.b[15]);
	}
	switch (rec->type) {
	case PLX_GROUP_IS_EXCLUDE:
		ok(g->users);
		/* fall through */
	case PLX_GROUP_TO_EXCLUDE:
		eq(rec->n_src, 0);
		g->exclude = true;
		break;
	case PLX_GROUP_TO_INCLUDE:
		/* Cut in two by the room, the second one adds to the first. */
		g->sources = g->exclude ? set : g->sources | set;
		g->exclude = false;
		break;
	case PLX_GROUP_IS_INCLUDE:
	case PLX_GROUP_ALLOW:
		g->sources |= g->exclude ? 0 : set;
		break;
	case PLX_GROUP_BLOCK:
		g->sources &= ~set;
		break;
	}
}

static void r_storm(struct plx_mcast *m, struct r_group *groups, struct plx_rng *r, plx_ns now)
{
	int i = plx_rng_below(r, R_GROUPS), k = plx_rng_below(r, R_SOURCES + 3) - 3;
	struct plx_addr group = r_group_addr(i), src = r_source_addr(i, k < 0 ? 0 : k);
	uint32_t *users = k < 0 ? &groups[i].users : &groups[i].src_users[k];
	struct plx_group_msg msg = {.kind = PLX_GROUP_QUERY, .qrv = 2, .qqi_s = 125};
	uint8_t bytes[32] = {0};

	switch (plx_rng_below(r, 5)) {
	case 0:
	case 1:
		eq(plx_mcast_join(m, &group, k < 0 ? NULL : &src, now), 0);
		++*users;
		break;
	case 2:
	case 3:
		eq(plx_mcast_leave(m, &group, k < 0 ? NULL : &src, now),
			*users ? 0 : -EADDRNOTAVAIL);
		*users -= *users > 0;
		break;
	default:
		msg.group = plx_rng_below(r, 2) ? group : addr(i < 2 ? "0.0.0.0" : "::");
		msg.version = i < 2 ? 3 : 2;
		msg.max_resp_ms = plx_rng_below(r, 3000);
		if (!plx_addr_is_any(&msg.group) && k >= 0) {
			msg.n_src = 1;
			memcpy(bytes, i < 2 ? src.b + 12 : src.b, i < 2 ? 4 : 16);
		}
		plx_mcast_input(m, &msg, bytes, now);
		break;
	}
}

/* All that is to be said, in its time. The report that lose counts down to is lost. */
static plx_ns r_listen(struct plx_mcast *m, struct r_group *groups, struct plx_rng *r, plx_ns now,
	plx_ns until, int *lose)
{
	struct plx_mcast_report rep;

	for (;;) {
		uint32_t room = plx_rng_below(r, 2) ? 64 : ROOM;

		while (plx_mcast_output(m, now, room, &rep)) {
			eq(rep.msg.kind, PLX_GROUP_REPORTS);
			if ((*lose)-- == 0)
				continue;
			for (uint32_t i = 0; i < rep.n; i++)
				r_take(groups, &rep.rec[i]);
		}
		if (plx_mcast_deadline(m) > until)
			return until == PLX_NEVER - 1 ? now : until;
		now = PLX_MAX(now, plx_mcast_deadline(m));
		plx_mcast_timer(m, now);
	}
}

T(a_router_that_misses_one_report_still_knows_all)
{
	struct r_group groups[R_GROUPS] = {0};
	struct plx_mcast *m = up_with(2, 30);
	struct plx_rng r;
	plx_ns now = 0;

	plx_rng_init(&r, t_seed(0x36c57));
	for (int storm = 0; storm < 3000; storm++) {
		int lose = plx_rng_below(&r, 12);

		for (uint32_t n = plx_rng_below(&r, 12); n; n--) {
			r_storm(m, groups, &r, now);
			if (plx_rng_below(&r, 2))
				now = r_listen(m, groups, &r, now,
					now + plx_rng_below(&r, PLX_SEC(1)), &lose);
		}
		now = r_listen(m, groups, &r, now, PLX_NEVER - 1, &lose) + 1;
		eq(plx_mcast_deadline(m), PLX_NEVER);
		for (int i = 0; i < R_GROUPS; i++) {
			struct plx_addr a = r_group_addr(i);
			unsigned int want = 0;

			for (int k = 0; k < R_SOURCES; k++)
				want |= (groups[i].src_users[k] > 0) << k;
			eq(groups[i].exclude, groups[i].users > 0);
			if (!groups[i].users)
				eq(groups[i].sources, want);
			eq(plx_mcast_is_member(m, &a), groups[i].users || want);
		}
	}
	free(m);
}

RUN(T_(a_join_is_told_at_once_and_once_more), T_(mld_says_the_same_in_its_own_words),
	T_(joins_are_counted), T_(what_is_no_group_is_refused),
	T_(all_hosts_are_always_members_and_never_told), T_(single_sources_come_and_go),
	T_(any_source_takes_over_and_gives_back), T_(a_general_query_is_answered_in_its_time),
	T_(a_group_query_is_answered_for_the_group), T_(a_source_query_is_answered_for_the_sources),
	T_(questions_that_meet_get_one_answer), T_(who_left_does_not_answer),
	T_(the_querier_sets_the_robustness), T_(an_igmpv2_querier_is_spoken_to_in_igmpv2),
	T_(in_igmpv2_others_reports_do_for_ours), T_(in_igmpv3_others_reports_do_not),
	T_(an_igmpv2_timer_is_set_anew_only_to_be_sooner), T_(an_igmpv1_querier_hears_no_goodbye),
	T_(an_mldv1_querier_is_spoken_to_in_mldv1), T_(a_version_change_drops_what_was_pending),
	T_(a_link_that_is_down_is_silent), T_(up_once_more_tells_all_again),
	T_(long_lists_are_split), T_(tables_that_are_full_say_so), T_(many_groups_are_told_apart),
	T_(a_source_that_left_gives_its_place_with_its_group), T_(a_walk_names_the_members),
	T_(on_the_wire), T_(configurations_that_cannot_be),
	T_(a_router_that_misses_one_report_still_knows_all))
