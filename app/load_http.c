/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/*
 * GET, the answer, the next GET by the same connection. Of the answer only its length is
 * understood, and whether the server goes on; one that is not 2xx is an error.
 */

struct http_conn {
	struct load_conn c;
	uint32_t head_len;
	bool ends;		  /* the connection, with this answer */
	char head[LOAD_HEAD_MAX]; /* so far */
};

static void ask(struct load_lcore *l, struct load_conn *c, plx_ns now)
{
	ssize_t n;

	c->began = now;
	load_asked(l, c);
	((struct http_conn *)c)->head_len = 0;
	c->half = true;
	n = plx_write(c->w.fd, l->out, l->out_bytes);
	if (n != (ssize_t)l->out_bytes) { /* there is room for a few hundred bytes, or it is over */
		load_failed(l, c, n < 0 ? errno : ENOBUFS);
		return;
	}
	plx_count(l->p.count[LOAD_SENT], (uint64_t)n);
}

/* A field of a head that ends in an empty line. @return its value, or NULL. */
static const char *field(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strchr(head, '\n'); p; p = strchr(p + 1, '\n'))
		if (strncasecmp(p + 1, name, n) == 0 && p[1 + n] == ':')
			return p + 2 + n + strspn(p + 2 + n, " ");
	return NULL;
}

/* Most answers of a server have the same head for a second. One that lets the connection go on is
 * remembered, so as not to be read again. */
static void remember(struct load_lcore *l, const struct http_conn *h, const char *text, uint32_t n)
{
	memcpy(l->head, text, n);
	l->head_len = n;
	l->head_body = h->c.left;
}

static bool is_known(
	const struct load_lcore *l, const struct http_conn *h, const char *text, size_t n)
{
	return h->head_len == 0 && l->head_len && n >= l->head_len &&
	       memcmp(text, l->head, l->head_len) == 0;
}

/* Take n bytes into the head, as far as they belong to it. @return how many; -1: it is no answer.
 */
static ssize_t take_head(struct load_lcore *l, struct http_conn *h, const char *text, size_t n)
{
	size_t before = h->head_len, room = sizeof(h->head) - 1 - before;
	size_t part = PLX_MIN(n, room);
	const char *end, *value;
	size_t bytes;

	if (is_known(l, h, text, n)) {
		h->c.left = l->head_body;
		h->c.half = false;
		h->ends = false;
		return (ssize_t)l->head_len;
	}
	memcpy(h->head + before, text, part);
	h->head[before + part] = '\0';
	h->head_len += (uint32_t)part;
	end = strstr(h->head, "\r\n\r\n");
	if (!end)
		return part == room ? -1 : (ssize_t)part;
	bytes = (size_t)(end - h->head) + 4;
	h->head[bytes - 2] = '\0';
	value = field(h->head, "content-length");
	if (strncmp(h->head, "HTTP/1.1 2", 10) != 0 || !value)
		return -1;
	h->c.left = strtoull(value, NULL, 10);
	h->c.half = false;
	value = field(h->head, "connection");
	h->ends = value && strncasecmp(value, "close", 5) == 0;
	if (before == 0 && !h->ends)
		remember(l, h, text, (uint32_t)bytes);
	return (ssize_t)(bytes - before);
}

/* @return false: that is no answer. */
static bool take(struct load_lcore *l, struct http_conn *h, const char *text, size_t n)
{
	ssize_t head = h->c.half ? take_head(l, h, text, n) : 0;

	if (head < 0 || (!h->c.half && n - (size_t)head > h->c.left))
		return false;
	if (!h->c.half)
		h->c.left -= n - (size_t)head;
	return true;
}

static void ready(struct load_lcore *l, struct load_conn *c)
{
	struct http_conn *h = (struct http_conn *)c;
	plx_ns now;
	ssize_t n;

	do {
		n = plx_read(c->w.fd, l->in, sizeof(l->in));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || !take(l, h, l->in, (size_t)n)) {
			load_failed(l, c, n < 0 ? errno : n == 0 ? ECONNRESET : EPROTO);
			return;
		}
		plx_count(l->p.count[LOAD_RECEIVED], (uint64_t)n);
	} while (c->half || c->left);
	now = load_answered(l, c);
	if (h->ends)
		load_over(l, c, LOAD_CLOSED_BY_PEER);
	else
		ask(l, c, now);
}

static void http_open(struct load_lcore *l, struct load_conn *c)
{
	ask(l, c, load_clock());
}

const struct load_ops load_http = {.type = SOCK_STREAM,
	.conn_bytes = sizeof(struct http_conn),
	.open = http_open,
	.ready = ready};
