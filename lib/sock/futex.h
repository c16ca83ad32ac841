/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * How an ordinary thread sleeps and is woken: futex(2), and the clock that its limits go by.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** Sleep while *word is as it was. @param limit NULL = for ever. @return 0 or -errno. */
static inline int sock__futex_wait(const uint32_t *word, uint32_t is, const struct timespec *limit)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, is, limit, NULL, 0) < 0 ? -errno : 0;
}

/** Wake one. */
static inline void sock__futex_wake(const uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/** CLOCK_MONOTONIC. */
static inline int64_t sock__mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
