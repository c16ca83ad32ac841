/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Captures in several files: their names, when to go to the next, which one to delete.
 *
 * Decides only: opening, closing and unlinking are the caller's, who keeps the names of the files
 * that there are (rotate.conf.files of them in a ring).
 *
 *     plx_pcapng_rotate_init(&rot, &conf);
 *     old = plx_pcapng_rotate_next(&rot, now);        the first file: number rot.num
 *     for each packet, need bytes long:
 *             if (plx_pcapng_rotate_due(&rot, need, now)) {
 *                     finish the file
 *                     old = plx_pcapng_rotate_next(&rot, now);
 *                     open number rot.num; delete number old unless it is 0
 *             }
 *             plx_pcapng_rotate_wrote(&rot, need, 1);
 */
#include <time.h>

#include <plx_base_defs.h>

PLX_C_BEGIN

/** Limits of one file, and of all. Each is off at 0. */
struct plx_pcapng_rotate_conf {
	uint32_t files; /**< keep the newest so many */
	uint64_t bytes; /**< no file gets longer, unless by a packet that alone is */
	uint64_t pkts;
	plx_ns duration_ns;
};

/** Owned by one writer. num, bytes and pkts may be read. */
struct plx_pcapng_rotate {
	struct plx_pcapng_rotate_conf conf;
	uint32_t num;	/**< of the file that is open, from 1 on; 0 = none yet */
	uint64_t bytes; /**< in it */
	uint64_t pkts;	/**< in it */
	plx_ns opened_ns;
};

PLX_API void plx_pcapng_rotate_init(
	struct plx_pcapng_rotate *rot, const struct plx_pcapng_rotate_conf *conf);

/**
 * Does what comes now belong into another file? Also asked now and then without a packet, so that a
 * file ends in time though nothing comes.
 * @param bytes  that the packet needs; 0 = there is none, time alone counts
 * @param now    of any clock that does not go back
 */
PLX_API bool plx_pcapng_rotate_due(const struct plx_pcapng_rotate *rot, uint64_t bytes, plx_ns now);

/** Begin the next file. @return the number of the file that is to be deleted, or 0. */
PLX_API uint32_t plx_pcapng_rotate_next(struct plx_pcapng_rotate *rot, plx_ns now);

/** So much was written: the head of a file with pkts 0, packets. */
PLX_API void plx_pcapng_rotate_wrote(struct plx_pcapng_rotate *rot, uint64_t bytes, uint64_t pkts);

/**
 * A file's name, as dumpcap makes it: "DIR/name_00001_20261129154500.pcapng" of
 * "DIR/name.pcapng". What follows the last dot of the last component is the suffix; there may be
 * none. Numbers above 99999 get longer.
 * @param when  the time that the name shows, local or UTC
 * @return 0, -ENAMETOOLONG if it does not fit into room bytes with its end marker, -EINVAL if base
 *         has no last component
 */
PLX_API int plx_pcapng_rotate_name(
	char *name, size_t room, const char *base, uint32_t num, const struct tm *when);

PLX_C_END
