/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_table.h"

#define REPORT_BYTES 8 /* IGMPv3 and MLDv2: before the records */

static struct plx_addr v4(uint32_t host)
{
	const uint32_t be = __builtin_bswap32(host);

	return plx_addr_from_v4(&be);
}

static struct plx_addr link_scope(uint8_t id)
{
	return (struct plx_addr){.b = {0xff, 2, [15] = id}};
}

/* The report being written. */
struct pen {
	uint32_t room; /* bytes left */
	uint32_t n_rec, n_src;
	uint32_t rec_bytes, src_bytes;
};

/* Is this source named in the group's record of this kind? */
static bool wants(const struct group *g, const struct source *s, enum todo kind)
{
	bool included = !g->users && s->users;

	if (kind == TODO_CHANGE)
		return g->mode_left ? included : s->left > 0;
	if (kind == TODO_ANSWER && g->asked_sources)
		return s->asked && (g->users || s->users);
	return included;
}

/* Does its record say something without a source: EXCLUDE{}, or TO_INCLUDE{}, "nobody any more"? */
static bool stands_alone(const struct group *g, enum todo kind)
{
	if (kind == TODO_CHANGE)
		return g->mode_left > 0;
	return g->users && !(kind == TODO_ANSWER && g->asked_sources);
}

static enum plx_group_rec_type type_of(
	const struct group *g, const struct source *s, enum todo kind)
{
	if (kind == TODO_CHANGE && g->mode_left)
		return g->users ? PLX_GROUP_TO_EXCLUDE : PLX_GROUP_TO_INCLUDE;
	if (kind == TODO_CHANGE)
		return s->users ? PLX_GROUP_ALLOW : PLX_GROUP_BLOCK;
	return s ? PLX_GROUP_IS_INCLUDE : PLX_GROUP_IS_EXCLUDE;
}

static void begin(struct group *g, enum todo kind)
{
	g->alone = stands_alone(g, kind);
	for (struct source *s = g->sources; s; s = s->next) {
		s->emission = wants(g, s, kind) ? WANTED : NOT_WANTED;
		if (s->emission == WANTED)
			g->alone = false;
	}
	g->emitting = kind;
}

static void finish(struct plx_mcast *m, struct group *g, enum todo kind)
{
	g->todo &= ~kind;
	g->emitting = 0;
	if (kind == TODO_CHANGE && g->mode_left)
		g->mode_left--;
	if (kind == TODO_ANSWER)
		g->asked_sources = false;
	for (struct source *s = g->sources; s; s = s->next) {
		if (kind == TODO_CHANGE && s->emission == EMITTED && s->left)
			s->left--;
		if (kind == TODO_ANSWER)
			s->asked = false;
	}
	mcast__prune(m, g);
}

static struct source *next_wanted(struct source *s)
{
	while (s && s->emission != WANTED)
		s = s->next;
	return s;
}

/* One record: the sources from s on that share its type, as many as there is room for. */
static bool write_record(
	struct plx_mcast *m, struct pen *pen, struct group *g, struct source *s, enum todo kind)
{
	struct plx_group_rec *rec = &m->rec[pen->n_rec];
	uint32_t least = pen->rec_bytes + (s ? pen->src_bytes : 0);

	if (pen->room < least || pen->n_rec == PLX_MCAST_RECORDS_MAX ||
		(s && pen->n_src == PLX_MCAST_SOURCES_MAX))
		return false;
	*rec = (struct plx_group_rec){
		.type = type_of(g, s, kind),
		.group = g->addr,
		.src = &m->src[pen->n_src],
	};
	pen->n_rec++;
	pen->room -= pen->rec_bytes;
	g->alone = false;
	for (; s && pen->room >= pen->src_bytes && pen->n_src < PLX_MCAST_SOURCES_MAX;
		s = next_wanted(s->next)) {
		if (type_of(g, s, kind) != rec->type)
			continue;
		m->src[pen->n_src++] = s->addr;
		rec->n_src++;
		pen->room -= pen->src_bytes;
		s->emission = EMITTED;
	}
	return true;
}

/* @return false: no more room in this report, the rest of the group goes into the next one. */
static bool write_group(struct plx_mcast *m, struct pen *pen, struct group *g, enum todo kind)
{
	struct source *s;

	if (g->emitting != kind)
		begin(g, kind);
	while ((s = next_wanted(g->sources)) || g->alone)
		if (!write_record(m, pen, g, s, kind))
			return false;
	finish(m, g, kind);
	return true;
}

static uint32_t write_groups(struct plx_mcast *m, bool v6, enum todo kind, uint32_t room,
	struct plx_mcast_report *report)
{
	struct pen pen = {
		.room = room - REPORT_BYTES,
		.rec_bytes = v6 ? 20 : 8,
		.src_bytes = v6 ? 16 : 4,
	};
	struct group *g, *next;

	plx_list_foreach_safe (g, next, &m->groups, link)
		if (g->v6 == v6 && (g->todo & kind) && !write_group(m, &pen, g, kind))
			break;
	*report = (struct plx_mcast_report){
		.dst = v6 ? link_scope(0x16) : v4(0xe0000016),
		.msg = {.kind = PLX_GROUP_REPORTS, .version = m->family[v6].newest},
		.rec = m->rec,
		.n = pen.n_rec,
	};
	return pen.n_rec;
}

/* When changes are told, the next time for what is to be told once more. */
static void repeat_changes(struct plx_mcast *m, bool v6, plx_ns now)
{
	struct family *f = &m->family[v6];
	const struct group *g;
	bool more = false;

	plx_list_foreach (g, &m->groups, link) {
		if (g->v6 != v6)
			continue;
		if (g->todo & TODO_CHANGE)
			return;
		more |= g->mode_left > 0;
		for (const struct source *s = g->sources; s; s = s->next)
			more |= s->left > 0;
	}
	if (more && f->change_at == PLX_NEVER)
		f->change_at = mcast__later(m, now, mcast__unsolicited_ns(m, v6));
}

static bool newest_output(
	struct plx_mcast *m, bool v6, plx_ns now, uint32_t room, struct plx_mcast_report *report)
{
	static const enum todo kinds[] = {TODO_CHANGE, TODO_ANSWER, TODO_GENERAL};

	for (size_t i = 0; i < PLX_DIM(kinds); i++) {
		uint32_t n = write_groups(m, v6, kinds[i], room, report);

		if (kinds[i] == TODO_CHANGE)
			repeat_changes(m, v6, now);
		if (n)
			return true;
	}
	return false;
}

static void older_report(struct plx_mcast *m, struct group *g, plx_ns now)
{
	g->last_reporter = true;
	if (g->left == 0)
		return;
	g->left--;
	g->answer_at = mcast__later(m, now, mcast__unsolicited_ns(m, g->v6));
}

static bool older_output(struct plx_mcast *m, bool v6, plx_ns now, struct plx_mcast_report *report)
{
	struct group *g;

	plx_list_foreach (g, &m->groups, link) {
		bool leave = g->todo & TODO_LEAVE;

		if (g->v6 != v6 || !g->todo)
			continue;
		*report = (struct plx_mcast_report){
			.dst = !leave ? g->addr
			       : v6   ? link_scope(2)
				      : v4(0xe0000002),
			.msg =
				{
					.kind = leave ? PLX_GROUP_LEAVE : PLX_GROUP_REPORT,
					.version = m->family[v6].version,
					.group = g->addr,
				},
		};
		g->todo = 0;
		if (!leave)
			older_report(m, g, now);
		mcast__prune(m, g);
		return true;
	}
	return false;
}

bool plx_mcast_output(
	struct plx_mcast *m, plx_ns now, uint32_t room, struct plx_mcast_report *report)
{
	bool sent = false;

	mcast__promote(m, now);
	for (int v6 = 0; v6 < 2 && !sent; v6++)
		sent = mcast__speaks_newest(m, v6) ? newest_output(m, v6, now, room, report)
						   : older_output(m, v6, now, report);
	mcast__settle(m);
	return sent;
}
