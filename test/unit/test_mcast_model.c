/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_t.h"

#include <errno.h>

#include <plx_base_rng.h>

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

RUN(T_(a_router_that_misses_one_report_still_knows_all))
