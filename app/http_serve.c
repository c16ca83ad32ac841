/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_serve.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/*
 * An event means: read once, answer all requests that have come, write once. Both go by buffers of
 * the lcore; a connection has memory of its own only while a request has come in part, or while
 * somebody reads too slowly.
 */

#define IN_BYTES  (2 * HTTP_HEAD_MAX)
#define OUT_BYTES 32768
#define SMALL_BYTES                                                                                \
	4096 /* a body that is copied behind its head; larger ones are written from where they are \
	      */
#define IDLE   PLX_SEC(60)
#define LINGER PLX_SEC(2)

struct http_conn {
	struct watch w;
	struct plx_list link; /* of http_lcore.idle or .lingering, the longest there first */
	plx_ns used, listed;
	const char *body; /* what of an answer is to be sent yet */
	uint64_t body_left;
	uint64_t skip; /* of a request's body, which nobody wants */
	char *in;      /* the part of a request that has come, or what is not answered yet */
	char *out;     /* what a write left */
	uint32_t in_len, out_len, out_at;
	bool eof;	/* the peer has said all */
	bool close;	/* no more requests are answered */
	bool lingering; /* we have said all: what comes is read and forgotten */
};

struct http_lcore {
	struct prog p;
	struct watch listener;
	const struct http_files *files;
	struct plx_list idle, lingering;
	plx_ns next_date;
	uint32_t out_len;
	char date[HTTP_DATE_BYTES + 1];
	char in[IN_BYTES];
	char out[OUT_BYTES];
};

static void http_free(struct http_lcore *h, struct http_conn *c)
{
	if (c->w.dead)
		return;
	plx_list_del(&c->link);
	free(c->in);
	free(c->out);
	prog_free(&h->p, &c->w);
}

static void http_abort(struct http_lcore *h, struct http_conn *c)
{
	plx_count(h->p.count[HTTP_ABORTED], 1);
	http_free(h, c);
}

/* ---- out ---- */

/* What a write did not take waits with its connection. */
static bool stash(struct http_conn *c, const char *data, uint32_t n)
{
	c->out = n ? malloc(n) : NULL;
	c->out_len = c->out ? n : 0;
	c->out_at = 0;
	if (c->out)
		memcpy(c->out, data, n);
	return c->out_len == n;
}

/* Write n bytes and then the body. @return how many of the n were taken; -1: the connection is
 * gone.
 */
static ssize_t write_some(struct http_lcore *h, struct http_conn *c, char *data, uint32_t n)
{
	const struct iovec iov[] = {{data, n}, {(void *)(uintptr_t)c->body, c->body_left}};
	ssize_t done = c->body_left ? plx_writev(c->w.fd, iov, 2) : plx_write(c->w.fd, data, n);

	if (done < 0) {
		if (errno == EAGAIN)
			return 0;
		http_abort(h, c);
		return -1;
	}
	plx_count(h->p.count[HTTP_BYTES], (uint64_t)done);
	if ((size_t)done <= n)
		return done;
	c->body += (size_t)done - n;
	c->body_left -= (size_t)done - n;
	return n;
}

/* Write the answers. @return false: not all was taken, or the connection is gone. */
static bool flush(struct http_lcore *h, struct http_conn *c)
{
	uint32_t n = h->out_len;
	ssize_t done;

	h->out_len = 0;
	if (n == 0 && c->body_left == 0)
		return true;
	done = write_some(h, c, h->out, n);
	if (done < 0)
		return false;
	if ((uint32_t)done < n && !stash(c, h->out + done, n - (uint32_t)done)) {
		http_abort(h, c);
		return false;
	}
	return c->out_len == 0 && c->body_left == 0;
}

/* The same with what waits. */
static bool flush_rest(struct http_lcore *h, struct http_conn *c)
{
	ssize_t done = write_some(h, c, c->out + c->out_at, c->out_len - c->out_at);

	if (done < 0)
		return false;
	c->out_at += (uint32_t)done;
	if (c->out_at < c->out_len)
		return false;
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_at = 0;
	return c->body_left == 0;
}

/* ---- answers ---- */

static const char *date(struct http_lcore *h)
{
	if (h->p.now >= h->next_date) {
		http_date(time(NULL), h->date);
		h->next_date = h->p.now + PLX_MS(500);
	}
	return h->date;
}

static void say(struct http_lcore *h, struct http_conn *c, const struct http_answer *a)
{
	plx_count(h->p.count[HTTP_REQUESTS], 1);
	if (a->status >= 400)
		plx_count(h->p.count[HTTP_ERRORS], 1);
	c->close = a->close;
	h->out_len += (uint32_t)http_answer_head(a, date(h), h->out + h->out_len);
	if (a->head || a->bytes == 0)
		return;
	if (a->bytes <= SMALL_BYTES) {
		memcpy(h->out + h->out_len, a->file->body + a->first, a->bytes);
		h->out_len += (uint32_t)a->bytes;
	} else {
		c->body = a->file->body + a->first;
		c->body_left = a->bytes;
	}
}

/* Answer what the n bytes hold, as far as there is room. @return how many are done with. */
static uint32_t answer(struct http_lcore *h, struct http_conn *c, const char *text, uint32_t n)
{
	uint32_t at = 0;

	while (at < n && !c->close && c->body_left == 0 &&
		h->out_len + HTTP_ANSWER_HEAD_MAX + SMALL_BYTES <= OUT_BYTES) {
		struct http_request r;
		struct http_answer a;
		int len;

		if (c->skip) {
			uint32_t part = (uint32_t)PLX_MIN(c->skip, (uint64_t)n - at);

			c->skip -= part;
			at += part;
			continue;
		}
		len = http_parse(&r, text + at, n - at);
		if (len == 0)
			break;
		a = len < 0 ? http_refusal(-len) : http_answer(&r, h->files);
		say(h, c, &a);
		if (len > 0) {
			at += (uint32_t)len;
			c->skip = r.body_bytes;
		}
	}
	return at;
}

/* ---- a connection ---- */

/* All is said. If we just closed while something comes yet, our reset could overtake the answer
 * (RFC 9112, 9.6). */
static void part(struct http_lcore *h, struct http_conn *c)
{
	if (c->eof || plx_shutdown(c->w.fd, SHUT_WR) != 0) {
		http_free(h, c);
		return;
	}
	c->lingering = true;
	c->listed = h->p.now;
	plx_list_move_tail(&h->lingering, &c->link);
}

static void linger(struct http_lcore *h, struct http_conn *c)
{
	ssize_t n;

	while ((n = plx_read(c->w.fd, h->in, IN_BYTES)) > 0)
		;
	if (n == 0 || errno != EAGAIN)
		http_free(h, c);
}

/* Put what was kept in front of what comes now. @return how many there are; -1: nothing is new, or
 * it is gone. */
static ssize_t fill(struct http_lcore *h, struct http_conn *c, bool *more)
{
	uint32_t kept = c->in_len;
	ssize_t n = 0;

	if (kept) {
		memcpy(h->in, c->in, kept);
		free(c->in);
		c->in = NULL;
		c->in_len = 0;
	}
	*more = false;
	if (kept == IN_BYTES)
		return kept;
	n = plx_read(c->w.fd, h->in + kept, IN_BYTES - kept);
	if (n > 0) {
		*more = (size_t)n == IN_BYTES - kept;
		return kept + n;
	}
	if (n < 0 && errno != EAGAIN) {
		http_abort(h, c);
		return -1;
	}
	c->eof |= n == 0;
	return kept;
}

static bool keep(struct http_lcore *h, struct http_conn *c, const char *text, uint32_t n)
{
	if (n == 0)
		return true;
	c->in = malloc(n);
	if (!c->in) {
		http_abort(h, c);
		return false;
	}
	memcpy(c->in, text, n);
	c->in_len = n;
	return true;
}

/* Read, answer, write, until nothing more comes or nothing more is taken. */
static void converse(struct http_lcore *h, struct http_conn *c)
{
	bool more = true, free_to_write = true;

	while (more && free_to_write && !c->close) {
		ssize_t got = fill(h, c, &more);
		uint32_t n = (uint32_t)got, at = 0, done;

		if (got < 0)
			return;
		do {
			done = answer(h, c, h->in + at, n - at);
			at += done;
			free_to_write = flush(h, c);
			if (c->w.dead)
				return;
		} while (done && at < n && free_to_write && !c->close);
		if (!c->close && !keep(h, c, h->in + at, n - at))
			return;
	}
	if (free_to_write && (c->close || c->eof))
		part(h, c);
}

static void conn_ready(struct prog *p, struct watch *w, uint32_t events)
{
	struct http_lcore *h = (struct http_lcore *)p;
	struct http_conn *c = (struct http_conn *)w;

	c->used = p->now;
	if (events & EPOLLERR)
		http_abort(h, c);
	else if (c->lingering)
		linger(h, c);
	else if ((c->out_len || c->body_left) && !flush_rest(h, c))
		return;
	else if (c->close)
		part(h, c);
	else
		converse(h, c);
}

static bool conn_leave(struct prog *p, struct watch *w)
{
	if (w->ready != conn_ready)
		return false;
	plx_list_del(&((struct http_conn *)w)->link);
	return true;
}

/* As if it had come now: those that are listed are in order. */
static void conn_arrive(struct prog *p, struct watch *w)
{
	struct http_lcore *h = (struct http_lcore *)p;
	struct http_conn *c = (struct http_conn *)w;

	c->listed = p->now;
	plx_list_add_tail(c->lingering ? &h->lingering : &h->idle, &c->link);
}

static void listener_ready(struct prog *p, struct watch *w, uint32_t events)
{
	struct http_lcore *h = (struct http_lcore *)p;
	int fd;

	while ((fd = prog_accept(w)) >= 0) {
		struct http_conn *c = calloc(1, sizeof(*c));

		if (!c) {
			plx_close(fd);
			return;
		}
		c->w = (struct watch){.fd = fd, .ready = conn_ready};
		c->used = c->listed = p->now;
		plx_list_add_tail(&h->idle, &c->link);
		plx_count(p->count[HTTP_CONNECTIONS], 1);
		/* edges: what changes is told once, and nothing has ever to be asked for */
		if (prog_watch(p, &c->w, EPOLLIN | EPOLLOUT | EPOLLET) != 0)
			http_abort(h, c);
	}
}

/* ---- a program ---- */

static int start(struct prog *p)
{
	struct http_lcore *h = (struct http_lcore *)p;
	const struct http_conf *conf = p->arg;

	h->files = &conf->files;
	plx_list_init(&h->idle);
	plx_list_init(&h->lingering);
	h->listener = (struct watch){
		.fd = prog_listen(&conf->listen, SOCK_STREAM), .ready = listener_ready};
	if (h->listener.fd < 0)
		return h->listener.fd;
	return prog_watch(p, &h->listener, EPOLLIN);
}

/* End those that nobody has used for so long. Uses are only noted: who is first in line and was
 * used since goes to its end. @return when to look again. */
static plx_ns expire(struct http_lcore *h, struct plx_list *list, plx_ns limit)
{
	struct http_conn *c;

	while ((c = plx_list_first(list, struct http_conn, link)) &&
		c->listed + limit <= h->p.now) {
		if (c->lingering || c->used <= c->listed) {
			plx_count(h->p.count[HTTP_TIMEOUTS], 1);
			http_free(h, c);
		} else {
			c->listed = h->p.now;
			plx_list_move_tail(list, &c->link);
		}
	}
	return c ? c->listed + limit : PLX_NEVER;
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	struct http_lcore *h = (struct http_lcore *)p;
	plx_ns idle = expire(h, &h->idle, IDLE), linger_end = expire(h, &h->lingering, LINGER);

	return PLX_MIN(idle, linger_end);
}

static const char *const counts[HTTP_COUNTS + 1] = {
	[HTTP_CONNECTIONS] = "connections",
	[HTTP_REQUESTS] = "requests",
	[HTTP_ERRORS] = "errors",
	[HTTP_BYTES] = "bytes_sent",
	[HTTP_ABORTED] = "aborted",
	[HTTP_TIMEOUTS] = "timeouts",
};

const struct prog_ops http_serve_ops = {
	.bytes = sizeof(struct http_lcore),
	.counts = counts,
	.start = start,
	.leave = conn_leave,
	.arrive = conn_arrive,
	.timer = timer,
};
