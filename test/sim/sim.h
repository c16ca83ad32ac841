/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A network in virtual time: connections of lib/tcp over links that lose, delay, reorder and
 * squeeze. Segments carry no bytes but their place in the stream, so that each byte's way is
 * checked: it arrives once, in order, where it belongs.
 */
#include <plx_impair.h>
#include <plx_tcp.h>

#define SIM_ENDS_MAX 512

/** A way from some ends to others: a model of impairment, shared by all that use it. */
struct sim_link {
	struct plx_impair im;
	uint64_t pkts, bytes;
};

/** One end of a connection, and its program. */
struct sim_end {
	struct plx_tcp c;
	struct sim *sim;
	struct sim_end *peer;
	struct sim_link *out;
	plx_ns open_at; /* active open; PLX_NEVER = listens */
	struct plx_tcp_listener listener;
	struct plx_tcp_req *req;
	bool listens;
	/* the program */
	uint64_t to_send;   /* bytes in all */
	uint64_t answer;    /* the same for each byte read: 1 = echo */
	uint64_t read_rate; /* bytes a second; 0 = at once */
	bool keep_open;	    /* does not close when it has sent all */
	/* where it is */
	uint64_t written, acked, received, readable, read;
	struct plx_ranges kept; /* of the stream, beyond `received` */
	struct plx_range kept_v[4096];
	bool closed, fin, over;
	plx_ns over_at, read_at;
	uint64_t segs_out, bytes_out;
	uint64_t twice; /* segments that came with nothing new in them */
};

struct sim {
	plx_ns now;
	uint64_t seed;
	struct plx_tunables tun;
	uint64_t stat[PLX_STAT_MAX];
	struct plx_arena *mem;
	void *arena_mem;
	struct plx_tcp_ctx ctx;
	struct sim_end *end[SIM_ENDS_MAX];
	uint32_t n_ends;
	struct sim_pkt *heap;
	uint32_t n_heap, cap_heap;
	uint64_t order;
	bool trace;
	const char *broken; /* an invariant that did not hold */
	char why[256];
	uint16_t mtu;
};

void sim_init(struct sim *s, uint64_t seed);
void sim_fini(struct sim *s);
/** @param text as plx_impair_conf_parse()'s; "" = perfect */
void sim_link_init(struct sim *s, struct sim_link *l, const char *text);
/** Two ends, the first of which opens at `at`; the other one listens. */
void sim_connect(struct sim *s, struct sim_end *a, struct sim_link *ab, struct sim_end *b,
	struct sim_link *ba, plx_ns at);
/** Until all connections are over, or the time is. @return whether all are over. */
bool sim_run(struct sim *s, plx_ns until);
