/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <errno.h>

/*
 * tcp-rr: a request of so many bytes, as many come back, the next one.
 * tcp-crr: the same with a connection for each.
 * tcp-stream: write as long as there is room.
 */

/* Write what is left of n bytes. @return false: the connection is gone. */
static bool write_rest(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	if (c->unsent == 0)
		return true;
	n = plx_write(c->w.fd, l->out + l->out_bytes - c->unsent, c->unsent);
	if (n < 0 && errno != EAGAIN) {
		load_failed(l, c, errno);
		return false;
	}
	if (n > 0) {
		c->unsent -= (uint32_t)n;
		plx_count(l->p.count[LOAD_SENT], (uint64_t)n);
	}
	return true;
}

static void ask(struct load_lcore *l, struct load_conn *c, plx_ns now)
{
	c->began = now;
	load_asked(l, c);
	c->unsent = l->out_bytes;
	c->left = l->out_bytes;
	write_rest(l, c);
}

/* Read on. @return true: the answer is complete. */
static bool read_answer(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	do {
		n = plx_read(c->w.fd, l->in, sizeof(l->in));
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0 || (uint64_t)n > c->left) { /* it ends, or says more than we asked */
			load_failed(l, c, n < 0 ? errno : n == 0 ? ECONNRESET : EPROTO);
			return false;
		}
		plx_count(l->p.count[LOAD_RECEIVED], (uint64_t)n);
		c->left -= (uint64_t)n;
	} while (c->left);
	return true;
}

/* c may ask. With --in-flight those ask in turn that have been silent for longest. */
static void rr_next(struct load_lcore *l, struct load_conn *c, plx_ns now)
{
	if (l->in_flight_max == 0) {
		ask(l, c, now);
		return;
	}
	plx_list_add_tail(&l->all, &c->link);
	while (l->in_flight < l->in_flight_max && !plx_list_empty(&l->all)) {
		c = plx_list_first(&l->all, struct load_conn, link);
		plx_list_del(&c->link);
		plx_list_init(&c->link);
		ask(l, c, now);
	}
}

static void rr_open(struct load_lcore *l, struct load_conn *c)
{
	rr_next(l, c, load_clock());
}

static void rr_ready(struct load_lcore *l, struct load_conn *c)
{
	if (!c->waits || !write_rest(l, c) || !read_answer(l, c))
		return;
	rr_next(l, c, load_answered(l, c));
}

const struct load_ops load_tcp_rr = {.type = SOCK_STREAM,
	.conn_bytes = sizeof(struct load_conn),
	.open = rr_open,
	.ready = rr_ready};

/* ---- a connection for each request ---- */

/* The time of a connection begins with its SYN. */
static void crr_open(struct load_lcore *l, struct load_conn *c)
{
	load_asked(l, c);
	c->unsent = l->out_bytes;
	c->left = l->out_bytes;
}

static void crr_end(struct load_lcore *l, struct load_conn *c)
{
	static const struct linger reset = {.l_onoff = 1};

	switch (l->conf->close) {
	case LOAD_CLOSE_PEER: /* its end of the stream, which may be there already */
		if (plx_read(c->w.fd, l->in, sizeof(l->in)) == 0)
			load_over(l, c, LOAD_CLOSED_BY_PEER);
		return;
	case LOAD_CLOSE_RESET:
		plx_setsockopt(c->w.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case LOAD_CLOSE_US:
		break;
	}
	load_over(l, c, LOAD_CLOSED_BY_US);
}

static void crr_ready(struct load_lcore *l, struct load_conn *c)
{
	if (c->left && (!write_rest(l, c) || !read_answer(l, c)))
		return;
	if (!c->half) {
		c->half = true; /* answered: only its end is to come */
		load_answered(l, c);
	}
	crr_end(l, c);
}

const struct load_ops load_tcp_crr = {.type = SOCK_STREAM,
	.conn_bytes = sizeof(struct load_conn),
	.open = crr_open,
	.ready = crr_ready};

/* ---- one way ---- */

static void stream_open(struct load_lcore *l, struct load_conn *c)
{
	if (l->first == 0)
		l->first = load_clock();
}

static void stream_ready(struct load_lcore *l, struct load_conn *c)
{
	ssize_t n;

	do {
		n = plx_write(c->w.fd, l->out, l->out_bytes);
		if (n > 0)
			plx_count(l->p.count[LOAD_SENT], (uint64_t)n);
	} while (n == (ssize_t)l->out_bytes);
	l->last = load_clock();
	if (n < 0 && errno != EAGAIN)
		load_failed(l, c, errno);
}

const struct load_ops load_tcp_stream = {.type = SOCK_STREAM,
	.conn_bytes = sizeof(struct load_conn),
	.open = stream_open,
	.ready = stream_ready};
