/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_table.h"

#include <errno.h>

static bool is_silent(const struct plx_mcast *m, const struct group *g)
{
	return !m->up || !g->reported;
}

/* RFC 2236 3, RFC 2710 4: report at once and again; tell the last one's end to routers that know
 * how. */
static void older_changed(struct plx_mcast *m, struct group *g)
{
	const struct family *f = &m->family[g->v6];
	bool can_leave = g->v6 || f->version == 2;

	g->answer_at = PLX_NEVER;
	if (mcast__is_member(g)) {
		g->left = f->robustness - 1;
		g->todo = TODO_REPORT;
	} else {
		g->left = 0;
		g->todo = can_leave && g->last_reporter ? TODO_LEAVE : 0;
	}
}

/* RFC 3376 5.1: report at once, together with all that was to be reported again. */
static void report_changes(struct plx_mcast *m, struct group *g, plx_ns now)
{
	g->emitting = 0;
	m->family[g->v6].change_at = now;
}

/* The filter went from INCLUDE to EXCLUDE{} or back. */
static void mode_changed(struct plx_mcast *m, struct group *g, plx_ns now)
{
	g->mode_left = m->family[g->v6].robustness;
	for (struct source *s = g->sources; s; s = s->next)
		s->left = 0; /* the new mode's record names all that count */
	report_changes(m, g, now);
}

/* A source came or went while the filter is INCLUDE. */
static void source_changed(struct plx_mcast *m, struct group *g, struct source *s, plx_ns now)
{
	s->left = m->family[g->v6].robustness;
	report_changes(m, g, now);
}

/* After a join or leave that changed the filter: s came or went, or (NULL) the mode did. */
static void changed(
	struct plx_mcast *m, struct group *g, struct source *s, bool was_member, plx_ns now)
{
	struct family *f = &m->family[g->v6];

	if (mcast__is_member(g) != was_member) {
		m->generation++;
		f->members += was_member ? -1 : 1;
	}
	if (is_silent(m, g))
		return;
	if (!mcast__speaks_newest(m, g->v6)) {
		if (mcast__is_member(g) != was_member)
			older_changed(m, g);
	} else if (s) {
		source_changed(m, g, s, now);
	} else {
		mode_changed(m, g, now);
	}
}

static bool valid(const struct plx_addr *group, const struct plx_addr *src)
{
	if (!plx_addr_is_mcast(group))
		return false;
	return !src || (plx_addr_is_v4(group) == plx_addr_is_v4(src) && !plx_addr_is_mcast(src) &&
			       !plx_addr_is_any(src));
}

int plx_mcast_join(
	struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src, plx_ns now)
{
	struct source *s = NULL;
	bool was_member;
	struct group *g;

	if (!valid(group, src))
		return -EINVAL;
	g = mcast__find(m, group);
	was_member = g && mcast__is_member(g);
	if (!was_member && m->family[!plx_addr_is_v4(group)].members == m->max_members)
		return -ENOBUFS;
	if (!g)
		g = mcast__add(m, group);
	if (src) {
		s = mcast__source(g, src);
		if (!s)
			s = mcast__source_add(m, g, src);
		if (!s) {
			mcast__prune(m, g);
			return -ENOBUFS;
		}
		g->sources_used += s->users++ == 0;
	} else {
		g->users++;
	}
	/* A source more is no news where all are heard. */
	if (src ? s->users == 1 && !g->users : g->users == 1)
		changed(m, g, s, was_member, now);
	mcast__settle(m);
	return 0;
}

int plx_mcast_leave(
	struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src, plx_ns now)
{
	struct group *g = mcast__find(m, group);
	struct source *s = g && src ? mcast__source(g, src) : NULL;

	if (!g || !(src ? s && s->users : g->users))
		return -EADDRNOTAVAIL;
	if (src)
		g->sources_used -= --s->users == 0;
	else
		g->users--;
	if (src ? !s->users && !g->users : !g->users)
		changed(m, g, s, true, now);
	mcast__prune(m, g);
	mcast__settle(m);
	return 0;
}

/* As if all had just been joined. */
static void announce(struct plx_mcast *m, plx_ns now)
{
	struct group *g;

	plx_list_foreach (g, &m->groups, link) {
		if (!g->reported || !mcast__is_member(g))
			continue;
		if (!mcast__speaks_newest(m, g->v6))
			older_changed(m, g);
		else if (g->users)
			mode_changed(m, g, now);
		else
			for (struct source *s = g->sources; s; s = s->next)
				source_changed(m, g, s, now);
	}
}

void plx_mcast_link(struct plx_mcast *m, bool up, plx_ns now)
{
	for (int v6 = 0; v6 < 2 && up != m->up; v6++) {
		struct family *f = &m->family[v6];

		mcast__cancel(m, v6);
		f->version = f->newest;
		f->older_until[0] = f->older_until[1] = PLX_NEVER;
	}
	m->up = up;
	if (up)
		announce(m, now);
	mcast__settle(m);
}

/* The oldest querier that is present rules (RFC 3376 7.2.1, RFC 3810 8.2.1). */
static void choose_version(struct plx_mcast *m, bool v6)
{
	struct family *f = &m->family[v6];
	uint8_t version = f->newest;

	for (int i = f->newest - 2; i >= 0; i--)
		if (f->older_until[i] != PLX_NEVER)
			version = i + 1;
	if (version == f->version)
		return;
	f->version = version;
	mcast__cancel(m, v6);
}

/* What a query tells about the querier. */
static void learn(struct plx_mcast *m, const struct plx_group_msg *msg, bool v6, plx_ns now)
{
	struct family *f = &m->family[v6];
	bool general = plx_addr_is_any(&msg->group);

	if (msg->version == f->newest) {
		/* RFC 3376 4.1.6, 4.1.7: 0 is "more than fits", or a mistake */
		f->robustness = msg->qrv ? msg->qrv : 2;
		f->query_interval_ns = msg->qqi_s ? PLX_SEC(msg->qqi_s) : PLX_SEC(125);
		if (general)
			f->response_interval_ns = PLX_MS(msg->max_resp_ms);
	} else if (general) {
		f->older_until[msg->version - 1] =
			now + f->robustness * f->query_interval_ns + f->response_interval_ns;
		choose_version(m, v6);
	}
}

/* RFC 2236 3: a timer that runs is set anew only if it would come too late. */
static void older_query(struct plx_mcast *m, const struct plx_group_msg *msg, bool v6, plx_ns now)
{
	bool general = plx_addr_is_any(&msg->group);
	plx_ns max = PLX_MS(msg->max_resp_ms);
	struct group *g;

	plx_list_foreach (g, &m->groups, link) {
		if (g->v6 != v6 || !g->reported || !mcast__is_member(g))
			continue;
		if (!general && !plx_addr_eq(&g->addr, &msg->group))
			continue;
		if (g->answer_at > now + max)
			g->answer_at = mcast__later(m, now, max);
	}
}

/* Remember which sources were asked for; if that takes too much, all will be told. */
static bool remember_asked(
	struct plx_mcast *m, struct group *g, const struct plx_group_msg *msg, const void *p)
{
	for (unsigned int i = 0; i < msg->n_src; i++) {
		struct plx_addr a = plx_wire_group_src(msg, p, i);
		struct source *s = mcast__source(g, &a);

		if (!s && !g->users)
			continue; /* not in INCLUDE: nothing will be said about it */
		if (!s && m->free_source)
			s = mcast__source_add(m, g, &a);
		if (!s)
			return false;
		s->asked = true;
	}
	return true;
}

/* RFC 3376 5.2, the rules 3 to 5, after a delay was selected. */
static void group_query(struct plx_mcast *m, struct group *g, const struct plx_group_msg *msg,
	const void *p, plx_ns at)
{
	bool pending = g->answer_at != PLX_NEVER, whole = pending && !g->asked_sources;

	if (whole || msg->n_src == 0 || !remember_asked(m, g, msg, p)) {
		for (struct source *s = g->sources; s; s = s->next)
			s->asked = false;
		g->asked_sources = false;
	} else {
		g->asked_sources = true;
	}
	g->emitting = 0;
	g->answer_at = PLX_MIN(g->answer_at, at);
	mcast__prune(m, g);
}

/* RFC 3376 5.2, RFC 3810 6.2. */
static void newest_query(
	struct plx_mcast *m, const struct plx_group_msg *msg, const void *p, bool v6, plx_ns now)
{
	plx_ns at = mcast__later(m, now, PLX_MS(msg->max_resp_ms));
	struct family *f = &m->family[v6];
	struct group *g;

	if (f->general_at <= at)
		return; /* an answer that covers this one comes sooner */
	if (plx_addr_is_any(&msg->group)) {
		f->general_at = at;
		return;
	}
	g = mcast__find(m, &msg->group);
	if (g && g->reported && mcast__is_member(g))
		group_query(m, g, msg, p, at);
}

/* Somebody else's report does for ours, where routers don't track hosts one by one. */
static void heard(struct plx_mcast *m, const struct plx_addr *group)
{
	struct group *g = mcast__find(m, group);

	if (!g || mcast__speaks_newest(m, g->v6))
		return;
	g->answer_at = PLX_NEVER;
	g->todo &= ~TODO_REPORT;
	g->left = 0;
	g->last_reporter = false;
}

void plx_mcast_input(
	struct plx_mcast *m, const struct plx_group_msg *msg, const void *p, plx_ns now)
{
	bool v6 = !plx_addr_is_v4(&msg->group);

	if (!m->up)
		return;
	mcast__promote(m, now);
	if (msg->kind == PLX_GROUP_QUERY) {
		learn(m, msg, v6, now);
		if (mcast__speaks_newest(m, v6))
			newest_query(m, msg, p, v6, now);
		else
			older_query(m, msg, v6, now);
	} else if (msg->kind == PLX_GROUP_REPORT) {
		heard(m, &msg->group);
	}
	mcast__settle(m);
}

static void older_queriers_expire(struct plx_mcast *m, bool v6, plx_ns now)
{
	struct family *f = &m->family[v6];

	for (int i = 0; i < 2; i++)
		if (f->older_until[i] <= now)
			f->older_until[i] = PLX_NEVER;
	choose_version(m, v6);
}

static bool has_changes(const struct group *g)
{
	if (g->mode_left)
		return true;
	for (const struct source *s = g->sources; s; s = s->next)
		if (s->left)
			return true;
	return false;
}

void mcast__promote(struct plx_mcast *m, plx_ns now)
{
	bool general[2], change[2];
	struct group *g;

	for (int v6 = 0; v6 < 2; v6++) {
		struct family *f = &m->family[v6];

		older_queriers_expire(m, v6, now);
		general[v6] = f->general_at <= now;
		change[v6] = f->change_at <= now;
		f->general_at = general[v6] ? PLX_NEVER : f->general_at;
		f->change_at = change[v6] ? PLX_NEVER : f->change_at;
	}
	plx_list_foreach (g, &m->groups, link) {
		if (change[g->v6] && has_changes(g))
			g->todo |= TODO_CHANGE;
		if (general[g->v6] && g->reported && mcast__is_member(g))
			g->todo |= TODO_GENERAL;
		if (g->answer_at <= now) {
			g->answer_at = PLX_NEVER;
			g->todo |= mcast__speaks_newest(m, g->v6) ? TODO_ANSWER : TODO_REPORT;
		}
	}
}

void plx_mcast_timer(struct plx_mcast *m, plx_ns now)
{
	mcast__promote(m, now);
	mcast__settle(m);
}

void mcast__settle(struct plx_mcast *m)
{
	plx_ns at = PLX_NEVER;
	struct group *g;

	for (int v6 = 0; v6 < 2; v6++) {
		const struct family *f = &m->family[v6];

		at = PLX_MIN(at, PLX_MIN(f->general_at, f->change_at));
		at = PLX_MIN(at, PLX_MIN(f->older_until[0], f->older_until[1]));
	}
	plx_list_foreach (g, &m->groups, link)
		at = PLX_MIN(at, g->todo ? 0 : g->answer_at);
	m->deadline = at;
}

plx_ns plx_mcast_deadline(const struct plx_mcast *m)
{
	return m->deadline;
}
