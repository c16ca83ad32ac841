/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * For targets that read their input as a list of steps.
 */
#include <plx_base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			__builtin_trap();                                                          \
	} while (0)

/** The input, byte by byte; zeroes when it is used up. */
struct input {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t u8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

/** The next bytes, as many as wanted or left. */
static inline const uint8_t *span(struct input *in, size_t want, size_t *got)
{
	const uint8_t *p = in->p;

	*got = PLX_MIN(want, in->left);
	in->p += *got;
	in->left -= *got;
	return p;
}
