/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Frames as mbufs whose bytes end, or begin, with a page. Beside it nothing is mapped, so that a
 * read of one byte too far is seen also where the compiler was no sanitizer's: in machine code that
 * DPDK makes.
 *
 * Neither EAL nor a pool is there: what DPDK allocates comes from the C library, who watches it. So
 * these targets leave no files, and as many as one likes can run at a time.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "fuzz.h"

#define FENCED_SEGS 6
#define FENCED_MAX  4096 /* bytes of a frame: a page */

void *rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return calloc(1, size);
}

void rte_free(void *p)
{
	free(p);
}

/* One for each segment. @return FENCED_MAX bytes */
static inline uint8_t *fenced_page(unsigned int i)
{
	static uint8_t *page[FENCED_SEGS];
	uint8_t *p = page[i];

	if (p)
		return p;
	p = mmap(NULL, 3 * FENCED_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED && getpagesize() == FENCED_MAX);
	must(mprotect(p + FENCED_MAX, FENCED_MAX, PROT_READ | PROT_WRITE) == 0);
	return page[i] = p + FENCED_MAX;
}

static inline void fenced_init(void)
{
	rte_log_set_global_level(RTE_LOG_EMERG); /* what it refuses, and why */
}

/* m: a segment of these bytes. @param end  of the page, else its beginning */
static inline void fenced_seg(
	struct rte_mbuf *m, unsigned int i, const uint8_t *b, size_t n, bool end)
{
	uint8_t *to = fenced_page(i) + (end ? FENCED_MAX - n : 0);

	must(n <= FENCED_MAX);
	if (n)
		memcpy(to, b, n);
	*m = (struct rte_mbuf){.buf_addr = to,
		.buf_len = (uint16_t)n,
		.data_len = (uint16_t)n,
		.pkt_len = (uint32_t)n,
		.nb_segs = 1};
}

/** In one segment. Valid until the next one. */
static inline const struct rte_mbuf *fenced_whole(const uint8_t *b, size_t n, bool end)
{
	static struct rte_mbuf m;

	fenced_seg(&m, 0, b, n, end);
	return &m;
}

/** Cut in segments, of how many bytes the next ones of in say, which may be none. Valid until the
 * next one. */
static inline const struct rte_mbuf *fenced_chain(struct input *in, const uint8_t *b, size_t n)
{
	static struct rte_mbuf m[FENCED_SEGS];
	size_t at = 0;

	for (unsigned int i = 0; i < FENCED_SEGS; i++) {
		size_t some = i + 1 < FENCED_SEGS ? u8(in) % 32u : n - at;

		some = PLX_MIN(some, n - at);
		fenced_seg(&m[i], i, b + at, some, true);
		at += some;
		if (i)
			m[i - 1].next = &m[i];
	}
	m[0].pkt_len = (uint32_t)n;
	m[0].nb_segs = FENCED_SEGS;
	return &m[0];
}
