/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_reta.h"

#include <errno.h>

static bool size_ok(uint16_t size)
{
	return size >= PLX_RETA_SIZE_MIN && size <= PLX_RETA_SIZE_MAX && (size & (size - 1)) == 0;
}

int plx_steer_reta_equal(struct plx_reta *r, uint16_t size, uint16_t first, uint16_t n)
{
	if (!size_ok(size) || n == 0 || n > size)
		return -EINVAL;
	r->size = size;
	for (unsigned int i = 0; i < size; i++)
		r->q[i] = (uint16_t)(first + i % n);
	return 0;
}

int plx_steer_reta_weights(
	struct plx_reta *r, uint16_t size, uint16_t first, const uint32_t *w, uint16_t n)
{
	uint64_t sum = 0, partial = 0;
	unsigned int next = 0;

	for (unsigned int j = 0; j < n; j++)
		sum += w[j];
	if (!size_ok(size) || sum == 0 || sum > size)
		return -EINVAL;
	r->size = size;
	for (unsigned int i = 0; i < size; i++) {
		/* ethtool's rounding: a queue's share ends at the quotient of the sum so far. */
		while (i >= size * partial / sum)
			partial += w[next++];
		r->q[i] = (uint16_t)(first + next - 1);
	}
	return 0;
}

bool plx_steer_reta_valid(const struct plx_reta *r, uint16_t nqueues)
{
	if (!size_ok(r->size))
		return false;
	for (unsigned int i = 0; i < r->size; i++)
		if (r->q[i] >= nqueues)
			return false;
	return true;
}
