/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The table behind plx_tcp_table.h.
 *
 * A bucket is a cache line: seven slots and a count. What finds its bucket full goes to the next
 * one that isn't, and each full bucket passed counts it; so a search ends at the first bucket with
 * a count of 0, a deletion needs no mark in the slot, and nothing moves but when the table changes
 * its size.
 *
 * It does so while adding: the new array is cleared by steps first (a page a call), then bucket
 * after bucket is moved, and until the last one has been both are searched.
 */
#include <plx_base.h>

#include "plx_tcp_table.h"

#define TABLE_SLOTS	 7   /* of a bucket */
#define TABLE_FULL	 5   /* connections a bucket, on average, at which the table grows */
#define TABLE_MAX	 6   /* and at which it refuses, if there is no memory to grow */
#define TABLE_CLEAR	 64  /* buckets cleared a call */
#define TABLE_MOVE	 4   /* buckets moved a call where it grows: 28 entries at most */
#define TABLE_PASS	 64  /* buckets looked at a call where it shrinks, and entries moved */
#define TABLE_SCAN	 128 /* slots that a step of an iteration looks at */
#define TABLE_PORTS_BITS 10
#define TABLE_BUSY	 64 /* chains of struct tcp_busy */

/* 48 bits of pointer, and 16 of the hash on top. 0 = empty. */
typedef uint64_t table_slot;

struct table_bucket {
	table_slot slot[TABLE_SLOTS];
	uint64_t passed; /* entries that had to go on from here */
};
static_assert(sizeof(struct table_bucket) == 64, "a cache line");

struct table_array {
	struct table_bucket *bucket;
	uint32_t mask; /* buckets - 1 */
	uint32_t count;
};

struct plx_tcp_table {
	uint64_t seed[2];
	struct table_array now;	 /* where additions go */
	struct table_array old;	 /* is being moved to `now`; bucket NULL = none */
	struct table_array next; /* is being cleared; bucket NULL = none */
	uint32_t least;		 /* buckets to have at least */
	uint32_t at;		 /* the next bucket to move or to clear */
	uint32_t moved;		 /* entries, by the last call: for the test */
	uint32_t shape;		 /* changes when entries have another place */
	struct plx_arena *mem;
	struct plx_tcp_port_uses *uses; /* NULL: nobody asks */
	struct tcp_busy *busy[TABLE_BUSY];
	uint32_t n_busy;
	uint32_t looked_up; /* ports, by choosing one: for the test */
	struct plx_tcp_listener *ports[1 << TABLE_PORTS_BITS]; /* newest first */
};

/* The tuple's hash. Peers choose it, so this is SipHash; an IPv4 tuple is two words of it. */
static inline uint64_t table_hash(const struct plx_tcp_table *t, const struct plx_tcp_id *id)
{
	uint64_t ports = (uint64_t)id->lport << 16 | id->rport;

	if (plx_addr_is_v4(&id->laddr)) {
		const uint64_t w[] = {(uint64_t)id->laddr.w[3] << 32 | id->raddr.w[3], ports};

		return plx_siphash13_words(t->seed, w, PLX_DIM(w));
	}
	const uint64_t w[] = {
		id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1], ports};

	return plx_siphash13_words(t->seed, w, PLX_DIM(w));
}

static inline uint32_t table_port(uint16_t port)
{
	/* Programs here choose these: no stranger makes the chains long. */
	return (uint32_t)(port * 0x9e3779b1u) >> (32 - TABLE_PORTS_BITS);
}

/* Somebody listens there, on whatever address. */
bool tcp__port_listened(const struct plx_tcp_table *t, uint16_t port);
