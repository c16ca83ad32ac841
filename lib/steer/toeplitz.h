/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The ways to compute the hash. Each takes the input as 32-bit words in host order, first bit
 * highest: 2 or 3 words of IPv4, 8 or 9 of IPv6.
 */
#include "plx_steer_toeplitz.h"

#define STEER_WORDS_MAX 9

/** gfni.c: whether this CPU can. */
bool steer__gfni_there(void);
/** An affine transformation for each byte of the key: eight bits of input at once. */
uint32_t steer__gfni(const struct plx_toeplitz *t, const uint32_t *w, unsigned int n);
