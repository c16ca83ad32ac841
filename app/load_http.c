/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/*
 * GET, the answer, the next GET by the same connection. Of the answer only its length is
 * understood, and whether the server goes on; one that is not 2xx is an error.
 */

static void ask(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	c->began = load_clock();
	c->head_len = 0;
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

/* Take n bytes into the head, as far as they belong to it. @return how many; -1: it is no answer.
 */
static ssize_t take_head(struct load_conn *c, const char *text, size_t n)
{
	size_t before = c->head_len, room = sizeof(c->head) - 1 - before;
	size_t part = PLX_MIN(n, room);
	const char *end, *length;

	memcpy(c->head + before, text, part);
	c->head[before + part] = '\0';
	c->head_len += (uint32_t)part;
	end = strstr(c->head, "\r\n\r\n");
	if (!end)
		return part == room ? -1 : (ssize_t)part;
	c->head[end - c->head + 2] = '\0';
	length = field(c->head, "content-length");
	if (strncmp(c->head, "HTTP/1.1 2", 10) != 0 || !length)
		return -1;
	c->left = strtoull(length, NULL, 10);
	c->half = false;
	return (ssize_t)((size_t)(end - c->head) + 4 - before);
}

/* @return false: that is no answer. */
static bool take(struct load_conn *c, const char *text, size_t n)
{
	ssize_t head = c->half ? take_head(c, text, n) : 0;

	if (head < 0 || (!c->half && n - (size_t)head > c->left))
		return false;
	if (!c->half)
		c->left -= n - (size_t)head;
	return true;
}

static bool server_ends(const struct load_conn *c)
{
	const char *value = field(c->head, "connection");

	return value && strncasecmp(value, "close", 5) == 0;
}

static void ready(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	do {
		n = plx_read(c->w.fd, l->in, sizeof(l->in));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || !take(c, l->in, (size_t)n)) {
			load_failed(l, c, n < 0 ? errno : n == 0 ? ECONNRESET : EPROTO);
			return;
		}
		plx_count(l->p.count[LOAD_RECEIVED], (uint64_t)n);
	} while (c->half || c->left);
	load_answered(l, c);
	if (server_ends(c))
		load_over(l, c, LOAD_CLOSED_BY_PEER);
	else
		ask(l, c);
}

const struct load_ops load_http = {.type = SOCK_STREAM, .open = ask, .ready = ready};
