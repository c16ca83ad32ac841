/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A capture: a tap, a thread of its own that empties the tap's rings, and pcapng or pcap files.
 *
 * The thread is an ordinary one: it touches no mempool, and no lcore waits for it or wakes it; when
 * there is nothing it sleeps, longer each time up to 2 ms. What cannot be written (a full disk, a
 * reader that went away) ends the capture with the error kept, never the traffic: a file then ends
 * with its last whole block.
 */
#include <plx_pcapng.h>
#include <plx_tap.h>
#include <plx_tap_record.h>

PLX_C_BEGIN

enum plx_tap_format {
	PLX_TAP_PCAPNG,
	/** Classic pcap, in microseconds and nanoseconds: packets of one link type, that of the
	 * first port, without all that pcapng says of them. Those of another are left out: unfit.
	 */
	PLX_TAP_PCAP_US,
	PLX_TAP_PCAP_NS,
};

struct plx_tap_writer_conf {
	/** With keep_bytes it is a recorder: nothing is written until something happens, then a
	 * file each time, and limit counts these. It matches what its triggers say. */
	struct plx_tap_conf tap;
	enum plx_tap_format format;
	const char *file; /**< a path, or "-" for the standard output; its old content is gone */
	bool there;	  /**< file is a named pipe, or none is made: -ENOENT */
	const char *app;  /**< the program and its release, for the file; may be NULL */
	/** If any of its limits is on, file is the base of plx_pcapng_rotate_name(), as it is for a
	 * recorder, of whose limits only .files counts. */
	struct plx_pcapng_rotate_conf rotate;
	struct plx_tap_record_conf record;
};

struct plx_tap_writer;

struct plx_tap_writer_stats {
	struct plx_tap_stats tap;
	uint64_t written; /**< packets */
	uint64_t unfit;	  /**< packets that a classic file cannot hold */
	uint64_t bytes;	  /**< of files, all together */
	uint32_t files;	  /**< begun */
	int err;	  /**< 0, or the -errno that ended the capture */
	struct plx_tap_record_stats record;
};

/**
 * From now on it captures. Strings are copied.
 * @return NULL with *e (NO_MEMORY, PCAP_FILE, RUN) or *why filled, as plx_tap_open().
 */
PLX_API struct plx_tap_writer *plx_tap_writer_start(struct plx_taps *ts,
	const struct plx_tap_writer_conf *conf, struct plx_error *e,
	struct plx_tap_filter_error *why);
/** Its tap: for plx_tap_detach() and plx_tap_gone(), which plx_tap_writer_stop() begins with. */
PLX_API struct plx_tap *plx_tap_writer_tap(struct plx_tap_writer *w);
/** Has it ended by itself: by its limit, or by an error? Any thread. */
PLX_API bool plx_tap_writer_ended(const struct plx_tap_writer *w);
/** A recorder: write what there is, as if something had happened. Does not wait. Any thread.
 * @return 0; -EINVAL: it is no recorder. */
PLX_API int plx_tap_writer_trigger(struct plx_tap_writer *w);
/** Any thread. */
PLX_API void plx_tap_writer_stats(const struct plx_tap_writer *w, struct plx_tap_writer_stats *s);
/**
 * Take no more, write what there is and the final statistics, close, free. Waits for the lcores as
 * plx_tap_close() does, and for the thread; for the reader of a pipe two seconds (-ECANCELED).
 * @param s may be NULL. @return 0 or s->err.
 */
PLX_API int plx_tap_writer_stop(struct plx_tap_writer *w, struct plx_tap_writer_stats *s);

PLX_C_END
