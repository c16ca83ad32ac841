/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Blocks to files: buffered, and never half a block at the end. For one thread. */
#include <pthread.h>

#include "plx_tap_writer.h"

#define TAP_OUT_BYTES	    (1u << 20) /* more than the longest block */
#define TAP_OUT_PATIENCE_MS 2000

/** A file that is being deleted. All zeros: none is. */
struct tap_unlink {
	pthread_t thread;
	bool busy;
};

struct tap_out {
	int fd;		/* -1: none is open */
	bool given;	/* the standard output: not ours to close */
	bool whole;	/* a file: what is written can be cut again, and a write does not wait */
	bool there;	/* it is a pipe that there is: nothing is made */
	bool stop;	/* no reader is waited for long any more; any thread sets it */
	int64_t until;	/* nor at all from then on, ms; 0: stop was not seen yet */
	bool classic;	/* pcap; else pcapng */
	uint32_t head;	/* of pcap: bytes of the file's header that is at the front of buf */
	uint32_t n;	/* bytes in buf, whole blocks */
	uint64_t bytes; /* written, all files; single writer */
	uint8_t *buf;
	char **names; /* of the newest files, where old ones are deleted: a ring by number */
	uint32_t n_names;
	struct tap_unlink old;
};

/** unlink.c: its name is gone behind it; what a large file has taken a moment later. */
void tap__unlink(struct tap_unlink *u, const char *path);
/** All of it. */
void tap__unlink_wait(struct tap_unlink *u);

/** @param keep files that there may be; 0 = any number. @return 0 or -ENOMEM. */
int tap__out_init(struct tap_out *o, uint32_t keep);
/**
 * Open and empty. "-" is the standard output. Does not wait: a FIFO without a reader is -ENXIO.
 * @param num of the file. @return 0 or -errno.
 */
int tap__out_open(struct tap_out *o, const char *path, uint32_t num);
/** Room for a block of so many bytes at the end of the buffer. @return NULL: *err is set. */
void *tap__out_room(struct tap_out *o, size_t bytes, int *err);
/**
 * All of the buffer. Upon an error the file ends with its last whole block. A pipe's reader is
 * waited for, but behind o->stop for TAP_OUT_PATIENCE_MS in all: -ECANCELED.
 */
int tap__out_flush(struct tap_out *o);
/** The same if that waits for nobody; else nothing happens. */
int tap__out_flush_now(struct tap_out *o);
/** Is there still somebody to read? @return 0, or -EPIPE. */
int tap__out_check(const struct tap_out *o);
/** @return the error of the flush, or of close(). */
int tap__out_close(struct tap_out *o);
void tap__out_delete(struct tap_out *o, uint32_t num);
void tap__out_fini(struct tap_out *o);
