/* SPDX-License-Identifier: BSD-3-Clause */
#include "hist.h"

uint64_t hist_upper(uint32_t index)
{
	uint32_t shift;

	if (index < 2048)
		return index;
	shift = (index >> 10) - 1;
	return ((((uint64_t)index & 1023) + 1025) << shift) - 1;
}

void hist_merge(struct hist *h, const struct hist *other)
{
	if (other->count == 0)
		return;
	if (h->count == 0 || other->min < h->min)
		h->min = other->min;
	h->max = PLX_MAX(h->max, other->max);
	h->count += other->count;
	h->sum += other->sum;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		h->bucket[i] += other->bucket[i];
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	double exact = (double)h->count * percent / 100;
	uint64_t want = (uint64_t)exact, seen = 0;

	want += (double)want < exact; /* rounded up: so many are not above it */
	want = PLX_MAX(want, (uint64_t)1);
	for (uint32_t i = 0; h->count && i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= want && i < HIST_BUCKETS - 1)
			return PLX_MAX(PLX_MIN(hist_upper(i), h->max), h->min);
	}
	return h->max;
}

double hist_mean(const struct hist *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}
