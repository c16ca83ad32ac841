/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The machine behind plx_mcast.h.
 *
 * Two times stand for a family: general_at (answer to a general query) and change_at (next report
 * of changes). One stands for a group: answer_at (answer to a query of this group; where an older
 * version is spoken, any report of it). When a time comes it turns into marks on groups (todo), and
 * output() turns marks into messages.
 *
 * What is still to be told about changes is counted: mode_left for a change of the filter's mode,
 * source->left for a source that came or went (RFC 3376 5.1). A group or a source that nobody wants
 * any more stays while it has something to be told.
 */
#include <plx_base_hash.h>
#include <plx_base_list.h>
#include <plx_base_rng.h>

#include "plx_mcast.h"

enum todo {
	TODO_LEAVE = 1 << 0,   /* older versions: leave, done */
	TODO_REPORT = 1 << 1,  /* older versions: report */
	TODO_CHANGE = 1 << 2,  /* what mode_left and source->left count */
	TODO_ANSWER = 1 << 3,  /* to a query of this group, or of sources of it */
	TODO_GENERAL = 1 << 4, /* to a general query */
};

enum emission { NOT_WANTED, WANTED, EMITTED };

struct source {
	struct source *next;
	struct plx_addr addr;
	uint32_t users;
	uint8_t left;	  /* reports of its coming or going */
	bool asked;	  /* by a group-and-source query */
	uint8_t emission; /* in the record of its group that is being written */
};

struct group {
	struct group *hash_next;
	struct plx_list link;
	struct plx_addr addr;
	struct source *sources; /* in the order they came */
	uint32_t users;		/* of any source */
	uint32_t sources_used;	/* sources with users */
	plx_ns answer_at;
	bool v6;
	bool reported;	    /* announced at all: not all-hosts, not interface-local */
	bool asked_sources; /* answer for the sources asked only */
	bool last_reporter; /* older versions: nobody has reported it since we did */
	bool alone;	    /* its record stands without a source */
	uint8_t left;	    /* older versions: unsolicited reports */
	uint8_t mode_left;  /* reports of the mode's change */
	uint8_t todo;	    /* of enum todo */
	uint8_t emitting;   /* which of them has been begun */
};

struct family {
	uint8_t newest, version;
	uint8_t robustness;
	uint32_t members;
	plx_ns query_interval_ns, response_interval_ns;
	plx_ns older_until[2]; /* [version - 1]: an older querier is present; PLX_NEVER = none */
	plx_ns general_at, change_at;
};

struct plx_mcast {
	bool up;
	uint64_t seed[2];
	struct plx_rng rng;
	uint32_t max_members; /* of a family */
	uint32_t generation;
	plx_ns deadline;
	struct family family[2]; /* by v6 */
	struct plx_list groups;	 /* all, oldest first */
	struct group **buckets;
	uint32_t mask;
	struct group *free_group;
	struct source *free_source;
	struct plx_group_rec rec[PLX_MCAST_RECORDS_MAX];
	struct plx_addr src[PLX_MCAST_SOURCES_MAX];
};

static inline bool mcast__is_member(const struct group *g)
{
	return g->users || g->sources_used;
}

static inline bool mcast__speaks_newest(const struct plx_mcast *m, bool v6)
{
	return m->family[v6].version == m->family[v6].newest;
}

/* Unsolicited Report Interval: RFC 3376 8.11, RFC 2236 8.10, RFC 3810 9.11, RFC 2710 7.10. */
static inline plx_ns mcast__unsolicited_ns(const struct plx_mcast *m, bool v6)
{
	return mcast__speaks_newest(m, v6) ? PLX_SEC(1) : PLX_SEC(10);
}

/* A random time from now on, at most max later. */
plx_ns mcast__later(struct plx_mcast *m, plx_ns now, plx_ns max);
struct group *mcast__find(const struct plx_mcast *m, const struct plx_addr *addr);
/* A new record without members; NULL when there is none to be had. */
struct group *mcast__add(struct plx_mcast *m, const struct plx_addr *addr);
struct source *mcast__source(const struct group *g, const struct plx_addr *addr);
struct source *mcast__source_add(struct plx_mcast *m, struct group *g, const struct plx_addr *addr);
/* Let go of what neither has users nor anything to be told: sources, and the group itself. */
void mcast__prune(struct plx_mcast *m, struct group *g);
/* Forget all that was to be sent in a family. */
void mcast__cancel(struct plx_mcast *m, bool v6);
/* Times that have come become marks. */
void mcast__promote(struct plx_mcast *m, plx_ns now);
/* After every change: when is the next time? */
void mcast__settle(struct plx_mcast *m);
