/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

/*
 * Urgent data as programs see them (tcp(7), RFC 6093): one byte, the last before the pointer, read
 * by MSG_OOB; reading stops in front of it, and goes on behind it unless SO_OOBINLINE is set.
 */

/* @return whether there is a mark that reading has not passed; *off: bytes in front of its byte. */
static bool mark(const struct sock_file *f, uint32_t *off)
{
	const struct sock_tcp *t = sock__tcp(f);
	const struct plx_tcp *c = t->tc ? plx_net_tcp_tcb(t->tc) : NULL;

	return c && plx_unlikely(c->urg_rcvd) && plx_tcp_urgent_at(c, off);
}

static bool was_read(const struct sock_file *f, uint32_t off)
{
	const struct plx_tcp *c = plx_net_tcp_tcb(sock__tcp(f)->tc);

	return sock__is(f, SOCKF_URG_READ) && f->spare == c->rcv.read + off;
}

bool sock__tcp_urgent(const struct sock_file *f)
{
	uint32_t off;

	return mark(f, &off) && off < plx_net_tcp_readable(sock__tcp(f)->tc) && !was_read(f, off);
}

uint32_t sock__tcp_inq(const struct sock_file *f)
{
	uint32_t n = plx_net_tcp_readable(sock__tcp(f)->tc), off;

	return !sock__opts(f)->oobinline && mark(f, &off) && off < n ? off : n;
}

bool sock__tcp_is_mark(const struct sock_file *f, uint32_t from)
{
	uint32_t off;

	return mark(f, &off) && off == from;
}

uint32_t sock__tcp_to_mark(
	struct sock_lcore *sl, const struct sock_file *f, const struct sock_op *op, uint32_t from)
{
	bool peeks = op->flags & MSG_PEEK;
	uint32_t off;

	if (plx_likely(!mark(f, &off)) || from > off)
		return UINT32_MAX;
	if (from < off)
		return off - from;
	if (op->done && !peeks)
		return 0;
	if (!sock__opts(f)->oobinline && !peeks)
		plx_net_tcp_skip(sl->sn, sock__tcp(f)->tc, 1);
	return UINT32_MAX;
}

uint32_t sock__tcp_hole(const struct sock_file *f, uint32_t from)
{
	return !sock__opts(f)->oobinline && sock__tcp_is_mark(f, from) &&
	       plx_net_tcp_readable(sock__tcp(f)->tc) > from;
}

long sock__tcp_recv_urgent(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_tcp *t = sock__tcp(f);
	struct sock_iov it = sock__iov_at(op->recv, 0);
	uint32_t off;
	uint8_t byte;
	size_t n;
	void *p;

	if (sock__opts(f)->oobinline || !mark(f, &off) || was_read(f, off))
		return -EINVAL;
	if (off >= plx_net_tcp_readable(t->tc))
		return -EAGAIN; /* it never waits */
	op->recv->msg_flags |= MSG_OOB;
	op->recv->msg_namelen = 0;
	plx_net_tcp_peek(t->tc, off, &byte, 1);
	if (!(op->flags & MSG_PEEK)) {
		f->flags |= SOCKF_URG_READ;
		f->spare = plx_net_tcp_tcb(t->tc)->rcv.read + off;
	}
	if (!sock__iov_next(&it, &p, &n)) {
		op->recv->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!p)
		return -EFAULT;
	memcpy(p, &byte, 1);
	return 1;
}

void sock__tcp_sent_urgent(struct sock_lcore *sl, struct sock_tcp *t)
{
	plx_tcp_urgent(plx_net_tcp_tcb(t->tc));
	plx_net_tcp_push(sl->sn, t->tc);
}
