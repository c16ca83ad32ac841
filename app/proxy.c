/* SPDX-License-Identifier: BSD-3-Clause */
#include "proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

/*
 * Each direction of a pair goes on by itself: read, write, and what the writer did not take waits.
 * While something waits nothing more is read, so that the sender's window closes: a slow reader
 * slows the sender down, and costs one buffer. The end of one direction is passed on by shutdown();
 * the other goes on. What ends a connection by force ends the pair so.
 */

#define BUFFER_BYTES 65536

enum { PROXY_CONNECTIONS, PROXY_BYTES_UP, PROXY_BYTES_DOWN, PROXY_FAILED, PROXY_ABORTED };

struct proxy_pair;

/** An end of a pair, and the direction in which its bytes go. */
struct proxy_end {
	struct watch w;
	struct proxy_pair *pair;
	struct proxy_end *other;
	char *wait; /* read here, not written there yet */
	uint32_t wait_len, wait_at;
	bool eof; /* it has said all, and the other end was told */
	bool open;
};

struct proxy_pair {
	struct proxy_end *client, *server;
};

struct proxy_lcore {
	struct prog p;
	struct watch listener;
	struct peer server;
	bool accepts; /* the server is known: who came before that has waited in the backlog */
	char buf[BUFFER_BYTES];
};

static void end_free(struct proxy_lcore *x, struct proxy_end *e, bool reset)
{
	static const struct linger now = {.l_onoff = 1};

	if (reset && e->w.fd >= 0)
		plx_setsockopt(e->w.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	free(e->wait);
	e->wait = NULL;
	prog_free(&x->p, &e->w);
}

/* @param reset each peer is told by RST, as it would be without us between. */
static void pair_end(struct proxy_lcore *x, struct proxy_pair *pair, bool reset)
{
	if (pair->client->w.dead)
		return;
	if (reset)
		plx_count(x->p.count[PROXY_ABORTED], 1);
	end_free(x, pair->client, reset);
	end_free(x, pair->server, reset);
	free(pair);
}

/* Write to the other end. @return how many it took; -1: the pair is over. */
static ssize_t pass_on(struct proxy_lcore *x, struct proxy_end *e, const char *data, size_t n)
{
	ssize_t done = plx_write(e->other->w.fd, data, n);

	if (done < 0 && errno != EAGAIN) {
		pair_end(x, e->pair, true);
		return -1;
	}
	done = PLX_MAX(done, (ssize_t)0);
	plx_count(x->p.count[e == e->pair->client ? PROXY_BYTES_UP : PROXY_BYTES_DOWN],
		(uint64_t)done);
	return done;
}

/* @return true: nothing waits any more. */
static bool pass_rest(struct proxy_lcore *x, struct proxy_end *e)
{
	ssize_t done;

	if (e->wait_len == 0)
		return true;
	done = pass_on(x, e, e->wait + e->wait_at, e->wait_len - e->wait_at);
	if (done < 0)
		return false;
	e->wait_at += (uint32_t)done;
	if (e->wait_at < e->wait_len)
		return false;
	free(e->wait);
	e->wait = NULL;
	e->wait_len = e->wait_at = 0;
	return true;
}

static bool hold(struct proxy_lcore *x, struct proxy_end *e, const char *data, size_t n)
{
	e->wait = malloc(n);
	if (!e->wait) {
		pair_end(x, e->pair, true);
		return false;
	}
	memcpy(e->wait, data, n);
	e->wait_len = (uint32_t)n;
	e->wait_at = 0;
	return true;
}

static void end_of_stream(struct proxy_lcore *x, struct proxy_end *e)
{
	e->eof = true;
	plx_shutdown(e->other->w.fd, SHUT_WR);
	if (e->other->eof)
		pair_end(x, e->pair, false);
}

/* One direction, as far as it goes. */
static void forward(struct proxy_lcore *x, struct proxy_end *e)
{
	ssize_t n, done;

	if (e->w.dead || e->eof || !e->open || !e->other->open || !pass_rest(x, e))
		return;
	do {
		n = plx_read(e->w.fd, x->buf, BUFFER_BYTES);
		if (n == 0) {
			end_of_stream(x, e);
			return;
		}
		if (n < 0) {
			if (errno != EAGAIN)
				pair_end(x, e->pair, true);
			return;
		}
		done = pass_on(x, e, x->buf, (size_t)n);
		if (done < 0)
			return;
	} while (done == n);
	hold(x, e, x->buf + done, (size_t)(n - done));
}

static void end_ready(struct prog *p, struct watch *w, uint32_t events)
{
	struct proxy_lcore *x = (struct proxy_lcore *)p;
	struct proxy_end *e = (struct proxy_end *)w;

	if (events & EPOLLERR) {
		if (!e->open)
			plx_count(p->count[PROXY_FAILED], 1);
		pair_end(x, e->pair, true);
		return;
	}
	e->open |= !!(events & EPOLLOUT); /* the connection to the server is there */
	forward(x, e);
	if (!e->w.dead)
		forward(x, e->other);
}

/* ---- new pairs ---- */

static int connect_to(const struct endpoint *to)
{
	union prog_addr addr;
	socklen_t len = prog_sockaddr(&addr, to);
	const int one = 1;
	int fd = plx_socket(addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	plx_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (plx_connect(fd, &addr.sa, len) == 0 || errno == EINPROGRESS)
		return fd;
	plx_close(fd);
	return -ECONNREFUSED;
}

static struct proxy_end *end_new(struct proxy_pair *pair, int fd)
{
	struct proxy_end *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->w = (struct watch){.fd = fd, .ready = end_ready};
	e->pair = pair;
	return e;
}

/* @return NULL: no memory. */
static struct proxy_pair *pair_new(int client, int server)
{
	struct proxy_pair *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return NULL;
	pair->client = end_new(pair, client);
	pair->server = end_new(pair, server);
	if (!pair->client || !pair->server) {
		free(pair->client);
		free(pair->server);
		free(pair);
		return NULL;
	}
	pair->client->other = pair->server;
	pair->server->other = pair->client;
	pair->client->open = true;
	return pair;
}

static void take(struct proxy_lcore *x, int client)
{
	int server = connect_to(&x->server.ep);
	struct proxy_pair *pair = server >= 0 ? pair_new(client, server) : NULL;

	plx_count(x->p.count[PROXY_CONNECTIONS], 1);
	if (!pair) {
		plx_count(x->p.count[PROXY_FAILED], 1);
		plx_close(client);
		if (server >= 0)
			plx_close(server);
		return;
	}
	if (prog_watch(&x->p, &pair->client->w, EPOLLIN | EPOLLOUT | EPOLLET) != 0 ||
		prog_watch(&x->p, &pair->server->w, EPOLLIN | EPOLLOUT | EPOLLET) != 0)
		pair_end(x, pair, true);
}

static void listener_ready(struct prog *p, struct watch *w, uint32_t events)
{
	int fd;

	while ((fd = prog_accept(w)) >= 0)
		take((struct proxy_lcore *)p, fd);
}

static int start(struct prog *p)
{
	struct proxy_lcore *x = (struct proxy_lcore *)p;
	const struct proxy_conf *conf = p->arg;

	x->listener = (struct watch){
		.fd = prog_listen(&conf->listen, SOCK_STREAM), .ready = listener_ready};
	return PLX_MIN(x->listener.fd, 0);
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	struct proxy_lcore *x = (struct proxy_lcore *)p;
	const struct proxy_conf *conf = p->arg;
	plx_ns next = PLX_NEVER;

	if (x->accepts || !peer_known(&x->server, p, &conf->to, &next))
		return next;
	x->accepts = true;
	p->err = prog_watch(p, &x->listener, EPOLLIN);
	if (p->err)
		plx_engine_stop(p->sn->eng);
	return p->now; /* somebody may be there already */
}

static int prepare(struct stack *s, struct plx_error *e)
{
	return peer_prepare(s, &((struct proxy_conf *)prog_arg(s))->to, e);
}

static void end(struct stack *s)
{
	peer_finish(&((struct proxy_conf *)prog_arg(s))->to);
}

static const char *const counts[] = {
	[PROXY_CONNECTIONS] = "connections",
	[PROXY_BYTES_UP] = "bytes_to_server",
	[PROXY_BYTES_DOWN] = "bytes_to_client",
	[PROXY_FAILED] = "failed",
	[PROXY_ABORTED] = "aborted",
	NULL,
};

const struct prog_ops proxy_ops = {
	.bytes = sizeof(struct proxy_lcore),
	.counts = counts,
	.prepare = prepare,
	.start = start,
	.timer = timer,
	.end = end,
};
