/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * For the tests of capture files: a file in memory, random contents, a pump for the reader.
 */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_pcapng.h>

/** A file in memory. */
struct t_file {
	uint8_t *p;
	size_t len, room;
};

static inline uint8_t *t_grow(struct t_file *f, size_t n)
{
	if (f->len + n > f->room) {
		f->room = 2 * (f->len + n);
		f->p = realloc(f->p, f->room);
		assert_non_null(f->p);
	}
	f->len += n;
	return f->p + f->len - n;
}

/** Append what put(buf, room, ...) writes, into a buffer of just that size: ASan sees one more. */
#define t_put(f, put, ...)                                                                         \
	do {                                                                                       \
		size_t need_ = put(NULL, 0, __VA_ARGS__);                                          \
		uint8_t *exact_ = malloc(need_);                                                   \
		eq(put(exact_, need_, __VA_ARGS__), need_);                                        \
		memcpy(t_grow(f, need_), exact_, need_);                                           \
		free(exact_);                                                                      \
	} while (0)

static inline bool t_text_eq(struct plx_pcapng_text a, struct plx_pcapng_text b)
{
	return !a.p == !b.p && a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/** All that a packet says is the same. */
static inline void t_same_pkt(const struct plx_pcapng_pkt *a, const struct plx_pcapng_pkt *b)
{
	eq(a->ts_ns, b->ts_ns);
	eq(a->caplen, b->caplen);
	eq(a->len, b->len);
	eq(a->iface, b->iface);
	mem_eq(a->data, b->data, a->caplen);
	eq(a->has, b->has);
	ok(!(a->has & PLX_PCAPNG_FLAGS) || a->flags == b->flags);
	ok(!(a->has & PLX_PCAPNG_QUEUE) || a->queue == b->queue);
	ok(!(a->has & PLX_PCAPNG_HASH) || a->hash == b->hash);
	ok(!(a->has & PLX_PCAPNG_DROPS) || a->drops == b->drops);
	ok(!(a->has & PLX_PCAPNG_ID) || a->id == b->id);
	ok(!(a->has & PLX_PCAPNG_VERDICT) ||
		(a->verdict == b->verdict && a->verdict_kind == b->verdict_kind));
	ok(!(a->has & PLX_PCAPNG_META) ||
		(a->meta.hook == b->meta.hook && a->meta.reason == b->meta.reason &&
			a->meta.sample == b->meta.sample));
	ok(t_text_eq(a->comment, b->comment));
}

/** A reader that is given a file from memory, each time in a buffer of just the size shown. */
struct t_pump {
	struct plx_pcapng_reader r;
	struct plx_pcapng_clock ifaces[8];
	struct plx_pcapng_item item;
	struct plx_pcapng_error end; /* after PLX_PCAPNG_MORE at the file's end */
	const uint8_t *p;
	size_t len;   /* of the file */
	size_t at;    /* used */
	size_t shown; /* bytes that the reader sees next; grows as it wants */
	uint8_t *exact;
};

static inline void t_pump_init(struct t_pump *u, const void *p, size_t len)
{
	*u = (struct t_pump){.p = p, .len = len};
	plx_pcapng_reader_init(&u->r, u->ifaces, PLX_DIM(u->ifaces));
}

static inline void t_pump_fini(struct t_pump *u)
{
	free(u->exact);
	u->exact = NULL;
}

/**
 * The next item, showing extra bytes beyond what is wanted. PLX_PCAPNG_MORE only at the end of the
 * file, with u->end: text NULL if that is no error.
 */
static inline enum plx_pcapng_kind t_next(struct t_pump *u, size_t extra)
{
	enum plx_pcapng_kind kind;

	for (;;) {
		size_t left = u->len - u->at, show = PLX_MIN(u->shown + extra, left);
		int ended;

		free(u->exact);
		u->exact = malloc(show + !show);
		if (show)
			memcpy(u->exact, u->p + u->at, show);
		kind = plx_pcapng_next(&u->r, u->exact, show, &u->item);
		ok(u->item.used <= show);
		u->at += u->item.used;
		if (kind == PLX_PCAPNG_MORE) {
			eq(u->item.used, 0);
			ok(u->item.want > show && u->item.want <= PLX_PCAPNG_BLOCK_MAX);
			u->shown = u->item.want;
			if (show < left)
				continue;
			u->end.text = NULL;
			ended = plx_pcapng_end(&u->r, left, &u->end);
			eq(ended, u->end.text ? -EINVAL : 0);
			return kind;
		}
		u->shown = 0;
		ok(kind == PLX_PCAPNG_ERROR || u->item.used);
		ok(u->r.off == u->at);
		return kind;
	}
}

/** The next item must be of this kind. */
static inline void t_want(struct t_pump *u, enum plx_pcapng_kind kind)
{
	enum plx_pcapng_kind got = t_next(u, 0);

	if (got == PLX_PCAPNG_ERROR && got != kind)
		print_message(
			"at %llu: %s\n", (unsigned long long)u->item.error.off, u->item.error.text);
	eq(got, kind);
}

/** The file ends here as it should. */
static inline void t_want_end(struct t_pump *u)
{
	t_want(u, PLX_PCAPNG_MORE);
	assert_null(u->end.text);
}

/** Random bytes and options; the packet's bytes and comment stand in the two buffers. */
static inline void t_random_pkt(struct plx_rng *rng, struct plx_pcapng_pkt *pkt, uint32_t n_ifaces,
	uint8_t data[2048], char comment[64])
{
	uint32_t caplen = (uint32_t)plx_rng_below(rng, plx_rng_below(rng, 4) ? 80 : 2048);

	plx_rng_bytes(rng, data, caplen);
	*pkt = (struct plx_pcapng_pkt){
		.ts_ns = (plx_ns)(plx_rng_u64(rng) >> (1 + plx_rng_below(rng, 20))),
		.data = data,
		.caplen = caplen,
		.len = caplen + (uint32_t)plx_rng_below(rng, 3) * 100,
		.iface = (uint32_t)plx_rng_below(rng, n_ifaces),
		.has = (uint32_t)plx_rng_below(rng, 128),
		.flags = plx_rng_u32(rng),
		.queue = plx_rng_u32(rng),
		.hash = plx_rng_u32(rng),
		.meta = {.hook = (uint8_t)plx_rng_u32(rng),
			.reason = (uint16_t)plx_rng_u32(rng),
			.sample = plx_rng_u32(rng)},
		.drops = plx_rng_u64(rng),
		.id = plx_rng_u64(rng),
		.verdict = plx_rng_u64(rng),
		.verdict_kind = (uint8_t)plx_rng_below(rng, 3),
	};
	if (plx_rng_below(rng, 3) == 0) {
		memset(comment, 'c', 64);
		pkt->comment = (struct plx_pcapng_text){comment, (uint32_t)plx_rng_below(rng, 64)};
	}
}
