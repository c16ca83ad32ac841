/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <errno.h>
#include <stdlib.h>

/* By TCP; and what both have in common. */

struct service_conn {
	struct watch w;
	char *wait; /* echo: what was read and not written yet */
	uint32_t wait_len, wait_at;
	uint32_t at; /* generator: in the pattern */
	bool eof;
};

static void conn_free(struct service_lcore *s, struct service_conn *c)
{
	free(c->wait);
	c->wait = NULL;
	prog_free(&s->p, &c->w);
}

static void conn_abort(struct service_lcore *s, struct service_conn *c)
{
	plx_count(s->p.count[SERVICE_ABORTED], 1);
	conn_free(s, c);
}

/* @return how many were taken; -1: it is gone. */
static ssize_t put(struct service_lcore *s, struct service_conn *c, const char *data, size_t n)
{
	ssize_t done = plx_write(c->w.fd, data, n);

	if (done < 0 && errno != EAGAIN) {
		conn_abort(s, c);
		return -1;
	}
	done = PLX_MAX(done, (ssize_t)0);
	plx_count(s->p.count[SERVICE_SENT], (uint64_t)done);
	return done;
}

/* @return how many came; 0: nothing has come, or it is gone (c->w.dead), or at its end (c->eof). */
static ssize_t get(struct service_lcore *s, struct service_conn *c)
{
	ssize_t n = plx_read(c->w.fd, s->buf, sizeof(s->buf));

	if (n > 0) {
		plx_count(s->p.count[SERVICE_RECEIVED], (uint64_t)n);
		return n;
	}
	c->eof |= n == 0;
	if (n < 0 && errno != EAGAIN)
		conn_abort(s, c);
	return 0;
}

static bool echo_rest(struct service_lcore *s, struct service_conn *c)
{
	ssize_t done;

	if (c->wait_len == 0)
		return true;
	done = put(s, c, c->wait + c->wait_at, c->wait_len - c->wait_at);
	if (done < 0)
		return false;
	c->wait_at += (uint32_t)done;
	if (c->wait_at < c->wait_len)
		return false;
	free(c->wait);
	c->wait = NULL;
	c->wait_len = c->wait_at = 0;
	return true;
}

/* No more is read than can be written: who does not read his echo cannot send for ever. */
static void echo(struct service_lcore *s, struct service_conn *c)
{
	ssize_t n, done;

	if (!echo_rest(s, c))
		return;
	while ((n = get(s, c)) > 0) {
		done = put(s, c, s->buf, (size_t)n);
		if (done < 0)
			return;
		if (done < n) {
			c->wait = malloc((size_t)(n - done));
			if (!c->wait) {
				conn_abort(s, c);
				return;
			}
			memcpy(c->wait, s->buf + done, (size_t)(n - done));
			c->wait_len = (uint32_t)(n - done);
			return;
		}
	}
	if (!c->w.dead && c->eof)
		conn_free(s, c);
}

static void discard(struct service_lcore *s, struct service_conn *c)
{
	while (get(s, c) > 0)
		;
	if (!c->w.dead && c->eof)
		conn_free(s, c);
}

/* What comes is thrown away (RFC 864). */
static void generate(struct service_lcore *s, struct service_conn *c)
{
	ssize_t done;

	discard(s, c);
	while (!c->w.dead) {
		done = put(s, c, s->pattern + c->at, sizeof(s->pattern) - c->at);
		if (done <= 0)
			return;
		c->at = (c->at + (uint32_t)done) % (uint32_t)sizeof(s->pattern);
	}
}

static void conn_ready(struct prog *p, struct watch *w, uint32_t events)
{
	struct service_lcore *s = (struct service_lcore *)p;
	struct service_conn *c = (struct service_conn *)w;

	if (events & EPOLLERR) {
		conn_abort(s, c);
		return;
	}
	switch (s->conf->kind) {
	case SERVICE_ECHO:
		echo(s, c);
		break;
	case SERVICE_DISCARD:
		discard(s, c);
		break;
	case SERVICE_CHARGEN:
		generate(s, c);
		break;
	}
}

/* A connection has nothing that is the lcore's. */
static bool conn_leave(struct prog *p, struct watch *w)
{
	return w->ready == conn_ready;
}

static void listener_ready(struct prog *p, struct watch *w, uint32_t events)
{
	int fd;

	while ((fd = prog_accept(w)) >= 0) {
		struct service_conn *c = calloc(1, sizeof(*c));

		if (!c) {
			plx_close(fd);
			return;
		}
		c->w = (struct watch){.fd = fd, .ready = conn_ready};
		plx_count(p->count[SERVICE_CONNECTIONS], 1);
		if (prog_watch(p, &c->w, EPOLLIN | EPOLLOUT | EPOLLET) != 0)
			conn_abort((struct service_lcore *)p, c);
	}
}

static int start(struct prog *p)
{
	struct service_lcore *s = (struct service_lcore *)p;
	int err;

	s->conf = p->arg;
	for (uint32_t i = 0; i < SERVICE_LINES; i++) {
		char *line = s->pattern + i * SERVICE_LINE;

		for (uint32_t k = 0; k < SERVICE_LINE - 2; k++)
			line[k] = (char)(' ' + (i + k) % 95);
		memcpy(line + SERVICE_LINE - 2, "\r\n", 2);
	}
	s->listener = (struct watch){
		.fd = prog_listen(&s->conf->listen, SOCK_STREAM), .ready = listener_ready};
	if (s->listener.fd < 0)
		return s->listener.fd;
	err = prog_watch(p, &s->listener, EPOLLIN);
	return err ? err : service_udp_start(s);
}

static const char *const counts[SERVICE_COUNTS + 1] = {
	[SERVICE_CONNECTIONS] = "connections",
	[SERVICE_DATAGRAMS] = "datagrams",
	[SERVICE_RECEIVED] = "bytes_received",
	[SERVICE_SENT] = "bytes_sent",
	[SERVICE_ABORTED] = "aborted",
	[SERVICE_IGNORED] = "ignored",
};

const struct prog_ops service_ops = {
	.bytes = sizeof(struct service_lcore),
	.counts = counts,
	.start = start,
	.leave = conn_leave,
};
