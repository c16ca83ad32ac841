/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The vocabulary of all libraries: nanoseconds, byte order, addresses, compiler helpers.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define PLX_C_BEGIN extern "C" {
#define PLX_C_END   }
#else
#define PLX_C_BEGIN
#define PLX_C_END
#endif

PLX_C_BEGIN

#define PLX_API		      __attribute__((visibility("default")))
#define PLX_PACKED	      __attribute__((packed))
#define PLX_ALIGNED	      __attribute__((aligned(64))) /**< one cache line */
#define PLX_COLD	      __attribute__((cold, noinline))
#define PLX_NOINLINE	      __attribute__((noinline)) /**< keeps its registers off its caller */
#define PLX_FLATTEN	      __attribute__((flatten))	/**< what it calls is inlined */
#define PLX_MUST_USE	      __attribute__((warn_unused_result))
#define PLX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define plx_likely(x)	__builtin_expect(!!(x), 1)
#define plx_unlikely(x) __builtin_expect(!!(x), 0)

#define PLX_DIM(a)    (sizeof(a) / sizeof((a)[0]))
#define PLX_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PLX_MAX(a, b) ((a) > (b) ? (a) : (b))

#define plx_container_of(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))

/**
 * A point in time or a duration, in nanoseconds. Signed, so that a difference is a duration and a
 * clock that starts at 0 may be asked for "one second ago". Points count from the engine's start.
 */
typedef int64_t plx_ns;

#define PLX_NEVER  INT64_MAX /**< a deadline that does not come */
#define PLX_US(n)  ((plx_ns)(n)*1000)
#define PLX_MS(n)  ((plx_ns)(n)*1000000)
#define PLX_SEC(n) ((plx_ns)(n)*1000000000)

/*
 * A statistic has one writer and is read by other threads by relaxed atomic loads. A relaxed atomic
 * store would be its counterpart, but compilers make three instructions of it where a plain sum is
 * one, and an aligned word is never written in halves on what DPDK runs on; so only ThreadSanitizer
 * is told.
 */
/** Add n to the statistic v, an integer of its only writer. */
#if defined(__has_feature) /* clang's way to say so */
#if __has_feature(thread_sanitizer)
#define PLX_TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define PLX_TSAN
#endif
#ifdef PLX_TSAN
#define plx_count(v, n) __atomic_store_n(&(v), (v) + (n), __ATOMIC_RELAXED)
#else
#define plx_count(v, n) ((void)((v) += (n)))
#endif
/** Its value of about now. Any thread. */
#define plx_count_read(v) __atomic_load_n(&(v), __ATOMIC_RELAXED)

/* Network order stands in bytes, host order in plain integers; these cross over, at any alignment.
 */

static inline uint16_t plx_get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t plx_get_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t plx_get_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline void plx_put_be16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_put_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_put_be64(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "big-endian hosts are not supported"
#endif

PLX_C_END
