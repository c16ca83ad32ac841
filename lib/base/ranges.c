/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_ranges.h"

#include <errno.h>

/* The index of the first interval that ends at or behind `end`; n when none does. */
static uint32_t first_ending_from(const struct plx_ranges *r, uint64_t end)
{
	uint32_t lo = 0, hi = r->n;

	/* Most of what arrives is in order: it meets the last interval or comes behind it. */
	if (hi == 0 || r->v[hi - 1].end < end)
		return hi;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (r->v[mid].end < end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first interval that has an offset at or behind `at`. */
static uint32_t first_reaching(const struct plx_ranges *r, uint64_t at)
{
	return at == UINT64_MAX ? r->n : first_ending_from(r, at + 1);
}

/* Put v[to..] where v[from..] is: closes (to < from) or opens a hole. */
static void shift(struct plx_ranges *r, uint32_t to, uint32_t from)
{
	memmove(&r->v[to], &r->v[from], (r->n - from) * sizeof(r->v[0]));
	r->n = r->n - from + to;
}

int plx_ranges_add(struct plx_ranges *r, uint64_t start, uint64_t end)
{
	struct plx_range *v = r->v;
	uint32_t lo, hi;

	if (start >= end)
		return -EINVAL;
	/* v[lo..hi-1] overlap or touch the new one. */
	lo = first_ending_from(r, start);
	for (hi = lo; hi < r->n && v[hi].start <= end; hi++)
		;
	if (lo == hi) {
		if (r->n == r->cap)
			return -ENOSPC;
		shift(r, lo + 1, lo);
	} else {
		start = PLX_MIN(start, v[lo].start);
		end = PLX_MAX(end, v[hi - 1].end);
		if (hi > lo + 1)
			shift(r, lo + 1, hi);
	}
	v[lo] = (struct plx_range){.start = start, .end = end};
	return 0;
}

/* [start, end) lies inside of v[i], and both ends of v[i] stay. */
static int split(struct plx_ranges *r, uint32_t i, uint64_t start, uint64_t end)
{
	if (r->n == r->cap)
		return -ENOSPC;
	shift(r, i + 1, i);
	r->v[i].end = start;
	r->v[i + 1].start = end;
	return 0;
}

int plx_ranges_remove(struct plx_ranges *r, uint64_t start, uint64_t end)
{
	struct plx_range *v = r->v;
	uint32_t lo, hi;

	if (start >= end)
		return -EINVAL;
	lo = first_reaching(r, start);
	if (lo == r->n || v[lo].start >= end)
		return 0;
	if (v[lo].start < start) {
		if (v[lo].end > end)
			return split(r, lo, start, end);
		v[lo++].end = start;
	}
	/* v[lo..hi-1] go whole, of v[hi] perhaps the first part. */
	for (hi = lo; hi < r->n && v[hi].end <= end; hi++)
		;
	if (hi < r->n && v[hi].start < end)
		v[hi].start = end;
	shift(r, lo, hi);
	return 0;
}

const struct plx_range *plx_ranges_find(const struct plx_ranges *r, uint64_t at)
{
	uint32_t i = first_reaching(r, at);

	return i < r->n && r->v[i].start <= at ? &r->v[i] : NULL;
}

bool plx_ranges_contains(const struct plx_ranges *r, uint64_t start, uint64_t end)
{
	const struct plx_range *in = plx_ranges_find(r, start);

	return in && in->end >= end;
}

bool plx_ranges_overlaps(const struct plx_ranges *r, uint64_t start, uint64_t end)
{
	uint32_t i = first_reaching(r, start);

	return i < r->n && r->v[i].start < end;
}

bool plx_ranges_gap(const struct plx_ranges *r, uint64_t from, uint64_t to, struct plx_range *gap)
{
	uint32_t i = first_reaching(r, from);

	if (i < r->n && r->v[i].start <= from)
		from = r->v[i++].end;
	if (from >= to)
		return false;
	if (i < r->n && r->v[i].start < to)
		to = r->v[i].start;
	*gap = (struct plx_range){.start = from, .end = to};
	return true;
}

bool plx_ranges_piece(
	const struct plx_ranges *r, uint64_t from, uint64_t to, struct plx_range *piece)
{
	uint32_t i = first_reaching(r, from);

	if (i == r->n || r->v[i].start >= to || from >= to)
		return false;
	*piece = (struct plx_range){
		.start = PLX_MAX(from, r->v[i].start), .end = PLX_MIN(to, r->v[i].end)};
	return true;
}

uint64_t plx_ranges_total(const struct plx_ranges *r)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->n; i++)
		sum += r->v[i].end - r->v[i].start;
	return sum;
}
