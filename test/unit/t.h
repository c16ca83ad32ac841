/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What every unit test includes: cmocka and a few shorthands.
 *
 * T(name) { ... } defines a test; RUN(T_(a), T_(b)) is main(). Property tests draw from plx_rng
 * with a seed that PLX_TEST_SEED overrides and that a failure prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define T(name)	 static void name(void **state)
#define T_(name) cmocka_unit_test(name)

#define RUN(...)                                                                                   \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                   \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}

#define eq(a, b)	assert_int_equal(a, b)
#define ne(a, b)	assert_int_not_equal(a, b)
#define ok(x)		assert_true(x)
#define str_eq(a, b)	assert_string_equal(a, b)
#define mem_eq(a, b, n) assert_memory_equal(a, b, n)

/** The seed of a property test: PLX_TEST_SEED or the one given. */
static inline uint64_t t_seed(uint64_t seed)
{
	const char *s = getenv("PLX_TEST_SEED");

	if (s)
		seed = strtoull(s, NULL, 0);
	printf("seed %llu\n", (unsigned long long)seed);
	return seed;
}
