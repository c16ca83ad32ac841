/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments in any order under any limits: each packet comes out once and no limit is exceeded;
 * what is complete has neither hole nor overlap; the timer always gets on; and at the end nothing
 * is left.
 *
 * Four bytes of limits, then eight bytes for each fragment.
 */
#include <stdlib.h>

#include <plx_frag.h>

#include "fuzz.h"

#define PACKETS	   1024
#define STEP_BYTES 8

struct run {
	struct plx_frag *f;
	struct plx_frag_conf conf;
	uint8_t held[PACKETS]; /* a packet is a pointer into this */
	uint32_t n_held;
	plx_ns now;
};

static void came_out(struct run *r, void *pkt)
{
	uint8_t *held = pkt;

	must(held >= r->held && held < r->held + PACKETS && *held);
	*held = 0;
	r->n_held--;
}

static void drain(struct run *r)
{
	struct plx_frag_dead dead;

	while (plx_frag_pop_dead(r->f, &dead)) {
		must(dead.reason != PLX_DROP_NONE);
		must(!dead.time_exceeded || dead.reason == PLX_DROP_FRAG_TIMEOUT);
		came_out(r, dead.pkt);
	}
}

static void check_limits(const struct run *r)
{
	const struct plx_frag_stats *s = plx_frag_stats(r->f);

	must(s->held == r->n_held);
	must(s->held <= r->conf.pieces);
	must(s->datagrams + s->refused <= r->conf.datagrams);
	must(s->memory_bytes <= r->conf.limits.memory_bytes);
	must(s->buffers <= r->conf.limits.buffers);
	must((s->datagrams == 0) == (s->held == 0));
}

static void check_whole(struct run *r, const struct plx_frag_out *out)
{
	uint32_t off = 0;

	must(out->n <= r->conf.limits.datagram_pieces);
	for (uint32_t i = 0; i < out->n; i++) {
		must(out->piece[i].off == off && out->piece[i].len > 0);
		off += out->piece[i].len;
		came_out(r, out->piece[i].pkt);
	}
	must(out->n == 0 || (off == out->len && off <= 65535 && out->ecn < 4));
}

/* What is due is done, and the deadline moves on. */
static void pass_time(struct run *r, plx_ns by)
{
	r->now += by;
	for (uint32_t i = 0; plx_frag_deadline(r->f) <= r->now; i++) {
		must(i <= r->conf.datagrams);
		plx_frag_timer(r->f, r->now);
		drain(r);
	}
}

static void give(struct run *r, uint32_t n, const uint8_t *b)
{
	struct plx_frag_in in = {
		.key.id = b[0] & 3,
		.off = (plx_get_be16(b + 2) & 0x1fff) * 8,
		.len = plx_get_be16(b + 4),
		.head = b[1] & 0x3c,
		.more = b[1] & 1,
		.df = b[1] & 2,
		.ecn = b[1] >> 6,
		.charge = b[6] * 16,
		.buffers = b[6] & 7,
		.pkt = &r->held[n],
	};
	struct plx_frag_out out;

	plx_addr_parse(&in.key.src, b[0] & 4 ? "2001:db8::1" : "10.0.0.1");
	in.key.dst = in.key.src;
	in.key.src.b[14] = b[0] >> 3 & 3;
	in.key.proto = b[0] & 4 ? 0 : b[0] >> 5 & 1;
	in.size = (uint16_t)(in.head + in.len);

	r->held[n] = 1;
	r->n_held++;
	if (plx_frag_input(r->f, &in, r->now, &out)) {
		must(out.n == 0);
		came_out(r, in.pkt);
	}
	check_whole(r, &out);
	drain(r);
	check_limits(r);
	pass_time(r, PLX_MS(b[7] * b[7]));
}

static void configure(struct plx_frag_conf *conf, const uint8_t *b)
{
	*conf = (struct plx_frag_conf){
		.datagrams = 1 + b[0] % 16,
		.pieces = 1 + b[1] % 64,
		.seed = {b[0], b[1]},
	};
	plx_frag_limits_init(&conf->limits);
	conf->limits.memory_bytes = b[2] * 256;
	conf->limits.source_bytes = (b[3] >> 4) * 1024;
	conf->limits.buffers = b[0] >> 4 ? b[0] >> 1 : UINT32_MAX;
	conf->limits.datagram_pieces = 1 + (b[3] & 15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {0};
	size_t bytes;
	void *mem;

	if (size < 4)
		return 0;
	configure(&r.conf, data);
	bytes = plx_frag_size(&r.conf);
	mem = aligned_alloc(64, bytes);
	must(mem);
	r.f = plx_frag_init(mem, &r.conf);
	must(r.f);
	for (uint32_t n = 0; n < PACKETS && 4 + (n + 1) * STEP_BYTES <= size; n++)
		give(&r, n, data + 4 + n * STEP_BYTES);
	plx_frag_fini(r.f);
	drain(&r);
	check_limits(&r);
	must(r.n_held == 0 && plx_frag_deadline(r.f) == PLX_NEVER);
	free(mem);
	return 0;
}
