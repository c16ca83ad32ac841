/* SPDX-License-Identifier: BSD-3-Clause */
#include "up_tcp.h"

#include <errno.h>

/*
 * The TCP services: echo, sink and source. Each connection ends when the peer has said that it will
 * send no more and all has been answered.
 */

#define PERIOD 251 /* of what the source sends: a prime, so that a shift by a power of 2 shows */
#define PIECE  4096
#define BLOCK  32768 /* that the source writes at a time */

static uint8_t text[BLOCK + PERIOD]; /* the source's: byte i is i modulo PERIOD */

static struct up_tcp *of(struct plx_net_tcp *c)
{
	return plx_net_tcp_user(c);
}

/* ---- echo ---- */

static void echo(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[PIECE];
	uint32_t n;

	/* never more than can be written: the rest waits where it is, and closes the window */
	while ((n = PLX_MIN(plx_net_tcp_room(c), sizeof(buf))) &&
		(n = plx_net_tcp_read(sn, c, buf, n))) {
		uint32_t done = plx_net_tcp_write(sn, c, buf, n);

		plx_count(of(c)->received[sn->index], n);
		plx_count(of(c)->sent[sn->index], done);
		if (done < n) { /* no memory: what was read is lost */
			plx_net_tcp_abort(sn, c);
			return;
		}
	}
	if (plx_net_tcp_readable(c))
		plx_net_tcp_want_room(c);
	else if (plx_net_tcp_tcb(c)->fin_rcvd)
		plx_net_tcp_close(sn, c);
}

/* ---- sink ---- */

static void sink(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct rte_mbuf *m;

	while ((m = plx_net_tcp_recv(sn, c))) {
		plx_count(of(c)->received[sn->index], m->pkt_len);
		rte_pktmbuf_free(m);
	}
	if (plx_net_tcp_tcb(c)->fin_rcvd)
		plx_net_tcp_close(sn, c);
}

/* ---- source ---- */

static void source(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	const struct plx_tcp *tcb = plx_net_tcp_tcb(c);
	uint32_t n = BLOCK;

	while (n == BLOCK) {
		uint64_t at = tcb->bytes_acked + plx_tcp_unacked(tcb);

		n = plx_net_tcp_write(sn, c, text + at % PERIOD, BLOCK);
		plx_count(of(c)->sent[sn->index], n);
	}
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops ops[UP_KINDS] = {
	[UP_TCP_ECHO] = {.readable = echo, .writable = echo, .peer_closed = echo, .closed = closed},
	[UP_TCP_SINK] = {.readable = sink, .peer_closed = sink, .closed = closed},
	[UP_TCP_SOURCE] = {.writable = source, .peer_closed = plx_net_tcp_close, .closed = closed},
};

static bool take(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c,
	enum up_kind kind)
{
	struct up_tcp *t = l->user;

	plx_net_tcp_take(c, &ops[kind], t);
	plx_count(t->accepted[sn->index], 1);
	return true;
}

static bool accept_echo(
	struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	return take(sn, l, c, UP_TCP_ECHO);
}

static bool accept_sink(
	struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	return take(sn, l, c, UP_TCP_SINK);
}

static bool accept_source(
	struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	take(sn, l, c, UP_TCP_SOURCE);
	source(sn, c);
	return true;
}

int up_tcp_open(
	struct up_tcp *t, struct plx_net *net, const struct up_service *s, struct plx_error *e)
{
	struct plx_net_tcp_listener *l = &t->listener[t->n];
	int err;

	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i % PERIOD);
	*l = (struct plx_net_tcp_listener){
		.accept = s->kind == UP_TCP_ECHO   ? accept_echo
			  : s->kind == UP_TCP_SINK ? accept_sink
						   : accept_source,
		.user = t,
		.lport = s->port,
	};
	err = plx_net_tcp_listen(net, l);
	if (err)
		return plx_error_set(e, err, PLX_ERR_RUN, "a TCP listener", strerror(-err));
	t->n++;
	return 0;
}

void up_tcp_close(struct up_tcp *t, struct plx_net *net)
{
	while (t->n)
		plx_net_tcp_unlisten(net, &t->listener[--t->n]);
}
