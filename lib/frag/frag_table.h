/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The table behind plx_frag.h: records of datagrams and sources, fragments, the dead.
 *
 * A record is in progress (holds fragments, counts for its source) or refused (holds nothing, is
 * known by the reason). Records of one state and family have one time-out, so a queue in order of
 * age is all that a timer needs: its head is due first.
 */
#include <plx_base_list.h>

#include "plx_frag.h"

#define END_UNKNOWN UINT32_MAX

/** A fragment, held (sorted, by next) or dead (on frag->dead, by node). */
struct fragment {
	union {
		struct fragment *next;
		struct plx_fifo_node node;
	};
	void *pkt;
	uint32_t off, len;
	uint32_t charge, buffers;
	enum plx_drop reason;
};

struct datagram {
	struct plx_frag_key key;
	struct datagram *hash_next;
	struct plx_list of_age;
	struct plx_list of_source; /* in progress: on source->datagrams */
	struct source *source;
	plx_ns since;	       /* of the first fragment, or of the refusal */
	enum plx_drop refused; /* NONE = in progress */
	struct fragment *first, *last;
	uint32_t n;
	uint32_t have; /* bytes of data held */
	uint32_t end;  /* bytes of data in all, or END_UNKNOWN */
	uint64_t charge;
	uint32_t buffers;
	uint16_t head; /* of the fragment at offset 0 */
	uint16_t max_size, max_df_size;
	uint8_t ecn;	  /* of the fragment at offset 0 */
	uint8_t ecn_seen; /* bit n: codepoint n was seen */
	bool v6;
};

/** Who sent what is in progress. Lives while it has datagrams. */
struct source {
	struct plx_addr addr;
	struct source *hash_next;
	struct plx_list datagrams; /* oldest first */
	uint64_t charge;
};

struct plx_frag {
	struct plx_frag_stats stats;
	struct plx_frag_limits limits;
	uint64_t seed[2];
	uint32_t mask; /* of both hash tables */
	uint32_t max_held;
	uint32_t held;				 /* without the dead */
	struct plx_list progress[2], refused[2]; /* by family, oldest first */
	struct plx_fifo dead;
	struct fragment *free_fragment;
	struct datagram *free_datagram;
	struct source *free_source;
	struct datagram **datagrams;
	struct source **sources;
	struct plx_frag_piece *out;
};

static inline struct plx_frag_count *frag__count(struct plx_frag *f, bool v6)
{
	return v6 ? &f->stats.v6 : &f->stats.v4;
}

struct datagram *frag__find(const struct plx_frag *f, const struct plx_frag_key *key);
/* A record in progress for key. One has been spared. */
struct datagram *frag__add(struct plx_frag *f, const struct plx_frag_key *key, plx_ns now);
struct source *frag__source(const struct plx_frag *f, const struct plx_addr *addr);
/* Put a copy of in behind the fragment at (NULL = in front). Room has been made. */
void frag__hold(
	struct plx_frag *f, struct datagram *d, struct fragment *at, const struct plx_frag_in *in);
/* The record and its fragments go; the fragments' packets are the caller's. */
void frag__forget(struct plx_frag *f, struct datagram *d);
/* The record goes, its packets die of reason. */
void frag__evict(struct plx_frag *f, struct datagram *d, enum plx_drop reason);
/* The packets die of reason, the record stays to refuse what comes. */
void frag__refuse(struct plx_frag *f, struct datagram *d, enum plx_drop reason, plx_ns now);
/* The one in progress that came first, or NULL. */
struct datagram *frag__oldest(const struct plx_frag *f);
/* One record can be added: the oldest goes if need be, a refused one rather than one in progress.
 */
void frag__spare_record(struct plx_frag *f);
