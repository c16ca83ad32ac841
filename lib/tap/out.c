/* SPDX-License-Identifier: BSD-3-Clause */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 50 /* for a reader, between two looks whether to stop */

int tap__out_init(struct tap_out *o, uint32_t keep)
{
	*o = (struct tap_out){.fd = -1, .n_names = keep};
	o->buf = malloc(TAP_OUT_BYTES);
	o->names = keep ? calloc(keep, sizeof(*o->names)) : NULL;
	return o->buf && (o->names || !keep) ? 0 : -ENOMEM;
}

static int remember(struct tap_out *o, const char *path, uint32_t num)
{
	char **at = o->n_names ? &o->names[num % o->n_names] : NULL;

	if (!at)
		return 0;
	free(*at);
	*at = strdup(path);
	return *at ? 0 : -ENOMEM;
}

int tap__out_open(struct tap_out *o, const char *path, uint32_t num)
{
	struct stat st;

	o->given = strcmp(path, "-") == 0;
	o->fd = o->given ? STDOUT_FILENO
			 : open(path,
				   O_WRONLY | O_CLOEXEC | O_NONBLOCK |
					   (o->there ? 0 : O_CREAT | O_TRUNC),
				   0644);
	if (o->fd < 0)
		return -errno;
	o->whole = fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode);
	return o->given ? 0 : remember(o, path, num);
}

/* A block of pcapng has its length behind its type, a packet of pcap behind its time. */
static uint32_t block_bytes(const struct tap_out *o, uint32_t at)
{
	uint32_t len;

	memcpy(&len, o->buf + at + (o->classic ? 8 : 4), sizeof(len));
	return o->classic ? PLX_PCAP_PKT_DATA + len : len;
}

/* Of the first n bytes of the buffer those that are whole blocks; none is shorter than 12. */
static uint32_t whole_blocks(const struct tap_out *o, uint32_t n)
{
	uint32_t at = o->head, len;

	if (n < at)
		return 0;
	while (at + 12 <= n) {
		len = block_bytes(o, at);
		if (len < 12 || len > n - at)
			break;
		at += len;
	}
	return at;
}

/* What was written of a block that will not be whole. */
static void cut(struct tap_out *o, uint32_t done)
{
	off_t end = o->whole ? lseek(o->fd, 0, SEEK_CUR) : -1;

	if (end >= 0 && ftruncate(o->fd, end - (off_t)(done - whole_blocks(o, done))) != 0)
		o->whole = false; /* nothing else can be done */
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static bool has_to_end(struct tap_out *o)
{
	if (!__atomic_load_n(&o->stop, __ATOMIC_RELAXED))
		return false;
	if (!o->until)
		o->until = now_ms() + TAP_OUT_PATIENCE_MS;
	return now_ms() >= o->until;
}

/* Until something can be written to what is no file. */
static int wait_for(struct tap_out *o)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};

	while (!has_to_end(o)) {
		int n = poll(&p, 1, WAIT_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	return -ECANCELED;
}

/* The standard output may be a pipe that blocks, which is others' affair as well: so many bytes
 * find room in any that can be written to (pipe(7)). */
static ssize_t write_some(struct tap_out *o, uint32_t from)
{
	uint32_t n = o->n - from;
	int err = o->whole ? 0 : wait_for(o);
	ssize_t sent;

	if (err)
		return err;
	sent = write(o->fd, o->buf + from, o->whole ? n : PLX_MIN(n, (uint32_t)PIPE_BUF));
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int tap__out_flush(struct tap_out *o)
{
	uint32_t done = 0;
	int err = 0;

	while (!err && done < o->n) {
		ssize_t n = write_some(o, done);

		if (n >= 0)
			done += (uint32_t)n;
		else
			err = (int)n;
	}
	plx_count(o->bytes, done);
	if (err && done)
		cut(o, done);
	o->n = o->head = 0;
	return err;
}

int tap__out_flush_now(struct tap_out *o)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};

	if (!o->whole && (o->n > PIPE_BUF || poll(&p, 1, 0) != 1))
		return 0;
	return tap__out_flush(o);
}

int tap__out_check(const struct tap_out *o)
{
	struct pollfd p = {.fd = o->fd};

	return !o->whole && poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLHUP) ? -EPIPE : 0;
}

void *tap__out_room(struct tap_out *o, size_t bytes, int *err)
{
	uint8_t *p;

	*err = 0;
	if (bytes > TAP_OUT_BYTES - o->n)
		*err = tap__out_flush(o);
	if (!*err && bytes > TAP_OUT_BYTES)
		*err = -EMSGSIZE;
	if (*err)
		return NULL;
	p = o->buf + o->n;
	o->n += (uint32_t)bytes;
	return p;
}

int tap__out_close(struct tap_out *o)
{
	int err;

	if (o->fd < 0)
		return 0;
	err = tap__out_flush(o);
	if (!o->given && close(o->fd) != 0 && !err)
		err = -errno;
	o->fd = -1;
	return err;
}

void tap__out_delete(struct tap_out *o, uint32_t num)
{
	char **at = o->n_names && num ? &o->names[num % o->n_names] : NULL;

	if (!at || !*at)
		return;
	tap__unlink(&o->old, *at);
	free(*at);
	*at = NULL;
}

void tap__out_fini(struct tap_out *o)
{
	tap__unlink_wait(&o->old);
	for (uint32_t i = 0; i < o->n_names && o->names; i++)
		free(o->names[i]);
	free(o->names);
	free(o->buf);
}
