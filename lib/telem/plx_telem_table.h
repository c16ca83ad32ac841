/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Tables that rte_telemetry serves: a name, a help text and a callback that makes one row.
 *
 * The request `/plx/NAME,CURSOR` (no CURSOR: from the start) is answered by one page,
 *
 *     {"/plx/NAME": {"0": {row}, "1": {row}, ..., "next": CURSOR}}
 *
 * without "next" when the table ends there. rte_telemetry drops silently what goes beyond 16 KB or
 * 256 entries, and DPDK 22.11 has no array of dictionaries, hence the pages and their form. It says
 * no reason for an error either: the answer is null.
 *
 * A table whose data belong to an lcore has run(): the page is filled there, into memory of the
 * reader's, and turned into a reply on the reader's thread. A row costs the owner no allocation, no
 * system call and no lock; PLX_TELEM_STEPS bounds the work of a page.
 *
 * Rows are read one page at a time: each is consistent if its owner makes it, the table is not.
 */
#include <plx_base_reasons.h>

PLX_C_BEGIN

#define PLX_TELEM_ROWS	200  /**< most rows of a page */
#define PLX_TELEM_STEPS 1024 /**< most calls of row() for a page */

/** The row being made; valid while row() runs. */
struct plx_telem_row;

/** What row() says. */
enum plx_telem_more {
	PLX_TELEM_END,	/**< nothing at the cursor nor behind it */
	PLX_TELEM_MORE, /**< go on at the cursor */
	PLX_TELEM_TURN, /**< go on at the cursor on a new page: it is of another owner */
};

/** A table. The caller's memory, constant from _add() to _del(). */
struct plx_telem_table {
	const char *name; /**< letters, digits, '_': at most 40 */
	const char *help; /**< one line of at most 100 characters */
	/**
	 * Make the row at *cursor and move *cursor behind it; 0 is where the table starts, and a
	 * cursor that it has moved to is in 1..INT64_MAX. A row without fields is none: so a sparse
	 * table is walked in bounded steps. The row is made again, on the next page, when it did
	 * not fit into this one. Any number may come as a cursor: it is what a client sent.
	 */
	enum plx_telem_more (*row)(struct plx_telem_row *r, uint64_t *cursor, void *arg);
	/**
	 * Have the owner of what is at the cursor call fn(fn_arg), and wait for it.
	 * NULL: any thread may read it. @return 0, or -errno and fn was not and will not be called.
	 */
	int (*run)(void *arg, uint64_t cursor, void (*fn)(void *fn_arg), void *fn_arg);
	void *arg;
	struct plx_telem_table *next; /**< the registry's */
};

/** Serve a table from now on. After rte_eal_init(). @return 0 or -errno; -EEXIST: name is taken. */
PLX_API int plx_telem_table_add(struct plx_telem_table *t);
/** The same for n of them, with one `arg`: all or, when it fails, none. */
PLX_API int plx_telem_tables_add(struct plx_telem_table *t, unsigned int n, void *arg);
/**
 * Serve it no more; its name may be taken again. Waits for the readers that are in it, so whoever
 * run() asks must still answer, be it by an error. Nothing happens if it was not added.
 */
PLX_API void plx_telem_table_del(struct plx_telem_table *t);
PLX_API void plx_telem_tables_del(struct plx_telem_table *t, unsigned int n);

/*
 * Fields of a row, for row() only. The name is a constant of letters, digits and '_'; a text is
 * copied, cut at 127 bytes, and what is not printable ASCII in it becomes '?'.
 */
PLX_API void plx_telem_row_str(struct plx_telem_row *r, const char *name, const char *value);
/** More than INT64_MAX comes out as that: the integers of JSON readers end there. */
PLX_API void plx_telem_row_u64(struct plx_telem_row *r, const char *name, uint64_t value);
/** Negative values below INT32_MIN come out as INT32_MIN: rte_telemetry of 22.11 has 32 bits. */
PLX_API void plx_telem_row_i64(struct plx_telem_row *r, const char *name, int64_t value);
/** Arrays, of at most 512. */
PLX_API void plx_telem_row_u64s(
	struct plx_telem_row *r, const char *name, const uint64_t *values, unsigned int n);
PLX_API void plx_telem_row_strs(
	struct plx_telem_row *r, const char *name, const char *const *values, unsigned int n);

/**
 * The tables that all programs have: drops (plx_drop.def with the lcores' counts), snmp
 * (plx_stat.def likewise) and sysctl (the tunables); and the command `sysctl`, which sets one.
 * @param tun the live set: read and written by atomic loads and stores. @return 0 or -errno.
 */
PLX_API int plx_telem_common_add(struct plx_tunables *tun);
PLX_API void plx_telem_common_del(void);

PLX_C_END
