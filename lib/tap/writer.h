/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file A capture's insides: writer.c, and recorder.c for one that is a recorder. */
#include "out.h"
#include "tap.h"

#include "plx_tap_clock.h"

#define TAP_BATCH   256 /* packets between two looks at the time */
#define TAP_IDLE_US 2000
#define TAP_IFACES  (PLX_PORT_MAX + PLX_TAP_LINKS) /* ports, then what is of none */

/* An interface of the file that is open. */
struct tap_iface {
	uint32_t id;   /* NO_IFACE: the file does not have it */
	uint8_t links; /* of a port that there is: a bit, with (0) or without (1) Ethernet */
	uint64_t delivered;
};

struct plx_tap_writer {
	struct plx_tap *tap;
	struct tap_out out;
	struct plx_pcapng_rotate rotate;
	struct plx_tap_clock clock;
	struct tap_iface iface[TAP_IFACES];
	uint32_t n_ifaces;
	uint64_t tail_bytes;	   /* that the statistics at the end of the file will take */
	plx_ns start_ns;	   /* wall time */
	plx_ns last_ns;		   /* of the packet that was read last */
	plx_ns told_ns;		   /* when statistics were written */
	uint64_t told;		   /* packets that had been written by then */
	struct plx_pcapng_pkt pkt; /* the one that is written */
	plx_ns ts_ns, ts_wall;	   /* of the packet before: many have the same */
	uint32_t opts;		   /* plx_pcapng_pkt.has of the one before, */
	size_t opts_need;	   /* and what a block of it takes without its bytes */
	enum plx_tap_format format;
	bool ip; /* of a classic file: without Ethernet */
	char *file, *app;
	const char *note;	  /* a comment for the next file; or NULL */
	struct tap_recorder *rec; /* or NULL */
	pthread_t thread;
	uint64_t written; /* single writer, as the next two */
	uint64_t unfit;
	uint32_t files;
	uint64_t full_before; /* packets lost before this file: a recorder's */
	int err;	      /* the thread's, while it runs */
	bool stop;	      /* no more will come */
	bool ended;
};

/* writer.c: by the thread. Errors are left in w->err. */

/** What is still to come is not older than at: what has been read does not get newer than that. */
void tap__writer_keep_time(struct plx_tap_writer *w, plx_ns at);
/** Begin the next file. */
void tap__writer_begin(struct plx_tap_writer *w);
/** The opposite. */
void tap__writer_end(struct plx_tap_writer *w);
/** As plx_tap_read_fn. */
bool tap__writer_put(struct plx_tap_writer *w, const struct plx_tap_pkt *p);

/* recorder.c */

/** @return NULL: there is no memory. */
struct tap_recorder *tap__recorder_new(const struct plx_tap_record_conf *conf, uint64_t files);
void tap__recorder_free(struct tap_recorder *rec);
/** What its tap is to look for. */
void tap__recorder_match(const struct tap_recorder *rec, struct plx_tap_conf *tap);
/** Before the thread: can it be? @return 0 or -errno with *e filled. */
int tap__recorder_begin(struct plx_tap_writer *w, struct plx_error *e);
/** The thread's life. */
void tap__recorder_run(struct plx_tap_writer *w);
/** Behind the thread, or if there was none. */
void tap__recorder_end(struct plx_tap_writer *w);
/** A comment for a packet that it waited for. @return NULL: it is none. */
const char *tap__recorder_note(const struct tap_recorder *rec, const struct plx_tap_pkt *p);
/** Any thread. */
void tap__recorder_stats(const struct plx_tap_writer *w, struct plx_tap_record_stats *s);
