/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "errq.h"

/* Reading, writing and readiness of TCP sockets, after Linux's net/ipv4/tcp.c. */

static struct plx_tcp *tcb(const struct sock_tcp *t)
{
	return plx_net_tcp_tcb(t->tc);
}

/* Its error is told once. */
static long take_error(struct sock_file *f)
{
	int err = f->err;

	f->err = 0;
	return -err;
}

/* ---- readiness ---- */

/* As sk_stream_is_writeable(); else it is to be told when it is. */
static bool writable(const struct sock_file *f, struct plx_net_tcp *c)
{
	uint32_t room = plx_net_tcp_room(c), lowat = sock__opts(f)->notsent_lowat;
	const struct plx_tcp *tcp = plx_net_tcp_tcb(c);

	if (room && room >= plx_net_tcp_queued(c) / 2 && (!lowat || plx_tcp_unsent(tcp) < lowat))
		return true;
	plx_net_tcp_want_room(c);
	return false;
}

/* The urgent byte is not for who reads next. */
static uint32_t least_readable(const struct sock_file *f)
{
	const struct sock_opts *o = sock__opts(f);

	return PLX_MAX(o->rcvlowat, 1u) + (!o->oobinline && sock__tcp_is_mark(f, 0));
}

uint32_t sock__tcp_poll(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_tcp *t = sock__tcp(f);
	uint8_t state = sock__tcp_state(f);
	uint32_t mask = f->err || sock__has_errs(f) ? EPOLLERR : 0;

	if (state == PLX_TCP_LISTEN)
		return sock__tcp_waiting(f) ? SOCK_IN : 0;
	if (state == PLX_TCP_CLOSED || (f->flags & SOCKF_BOTH_SHUT) == SOCKF_BOTH_SHUT)
		mask |= EPOLLHUP;
	if (sock__is(f, SOCKF_RCV_SHUT))
		mask |= SOCK_IN | EPOLLRDHUP;
	if (state == PLX_TCP_SYN_SENT || state == PLX_TCP_SYN_RECEIVED)
		return mask;
	if (t->tc && plx_net_tcp_readable(t->tc) >= least_readable(f))
		mask |= SOCK_IN;
	if (!t->tc || sock__is(f, SOCKF_SND_SHUT) || writable(f, t->tc))
		mask |= SOCK_OUT;
	if (t->tc && sock__tcp_urgent(f))
		mask |= EPOLLPRI;
	return mask;
}

/* ---- reading ---- */

static size_t copy_out(
	struct sock_lcore *sl, struct plx_net_tcp *c, const struct sock_op *op, size_t most)
{
	struct sock_iov it = sock__iov_at(op->recv, op->done);
	size_t n, total = 0;
	void *p;

	if (plx_unlikely(op->flags & MSG_TRUNC)) /* read and thrown away (tcp(7)) */
		return plx_net_tcp_skip(
			sl->sn, c, (uint32_t)PLX_MIN(sock__iov_bytes(op->recv) - op->done, most));
	while (total < most && sock__iov_next(&it, &p, &n)) {
		uint32_t want = (uint32_t)PLX_MIN(n, most - total), got;

		got = plx_net_tcp_read(sl->sn, c, p, want);
		total += got;
		if (got < want)
			break;
	}
	return total;
}

/* @param from bytes that are left out. */
static size_t peek(const struct plx_net_tcp *c, uint32_t from, const struct msghdr *m, size_t most)
{
	struct sock_iov it = sock__iov_at(m, 0);
	size_t n, total = 0;
	void *p;

	while (total < most && sock__iov_next(&it, &p, &n)) {
		uint32_t want = (uint32_t)PLX_MIN(n, most - total);
		uint32_t got = plx_net_tcp_peek(c, from + (uint32_t)total, p, want);

		total += got;
		if (got < want)
			break;
	}
	return total;
}

/* Where a look begins: one that goes on after a wait, where it began. */
static uint32_t peek_from(const struct sock_file *f, const struct sock_op *op)
{
	uint32_t off = sock__peek_off(f);

	return off > op->done ? off - (uint32_t)op->done : 0;
}

/* The urgent byte may lie where SO_PEEK_OFF begins, before it or behind it. */
static size_t take(struct sock_lcore *sl, struct sock_file *f, const struct sock_op *op)
{
	struct plx_net_tcp *c = sock__tcp(f)->tc;
	uint32_t most, from, n;

	if (!c)
		return 0;
	if (plx_likely(!(op->flags & MSG_PEEK)))
		return copy_out(sl, c, op, sock__tcp_to_mark(sl, f, op, 0));
	from = peek_from(f, op);
	most = sock__tcp_to_mark(sl, f, op, from);
	from += sock__tcp_hole(f, from);
	n = plx_net_tcp_readable(c);
	n = n > from ? n - from : 0;
	if (plx_unlikely(op->flags & MSG_TRUNC))
		return PLX_MIN(sock__iov_bytes(op->recv), (size_t)PLX_MIN(most, n));
	return n ? peek(c, from, op->recv, most) : 0;
}

/* There is nothing (more) to read: is that the end? @return -EAGAIN: not yet. */
static long at_end(struct sock_file *f)
{
	if (sock__is(f, SOCKF_DONE))
		return 0;
	if (f->err)
		return take_error(f);
	if (sock__is(f, SOCKF_RCV_SHUT))
		return 0;
	return sock__tcp_state(f) == PLX_TCP_CLOSED ? -ENOTCONN : -EAGAIN;
}

static bool ended(const struct sock_file *f)
{
	return f->err || sock__is(f, SOCKF_RCV_SHUT) || sock__tcp_state(f) == PLX_TCP_CLOSED;
}

/* There is text, and it is to be copied. */
static bool goes_there(struct sock_file *f, const struct sock_op *op)
{
	struct plx_net_tcp *c = sock__tcp(f)->tc;

	return !(op->flags & MSG_TRUNC) && c && plx_net_tcp_readable(c);
}

/* There is something, and the urgent byte comes next: no call goes on over it. */
static bool stops(const struct sock_file *f, const struct sock_op *op)
{
	bool peeks = op->flags & MSG_PEEK;

	return sock__tcp_is_mark(f, peeks ? peek_from(f, op) + (uint32_t)op->done : 0);
}

static long receive(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	const struct sock_tcp *t = sock__tcp(f);
	size_t want = sock__iov_bytes(op->recv), got, least;
	bool peeks = op->flags & MSG_PEEK, waits = sock__waits(f, op);
	long r;

	if (sock__is_listening(f))
		return -ENOTCONN;
	if (plx_unlikely(op->flags & MSG_OOB))
		return sock__tcp_recv_urgent(sl, f, op);
	least = op->flags & MSG_WAITALL ? want : PLX_MIN(want, (size_t)sock__opts(f)->rcvlowat);
	least = PLX_MAX(least, (size_t)1);
	if (plx_unlikely(sock__iov_bad(op->recv)) && goes_there(f, op))
		return -EFAULT;
	got = take(sl, f, op);
	if (plx_unlikely(want == 0) && t->tc && plx_net_tcp_readable(t->tc))
		return 0;
	if (peeks) /* all of it again, unless somebody has read it meanwhile */
		got -= PLX_MIN(got, op->done);
	sock__peek_moved(sl, f, peeks, got);
	got = op->done += got;
	if (got >= least || (got && (!waits || ended(f) || stops(f, op))))
		return (long)got;
	r = at_end(f);
	return r == -EAGAIN ? sock__again(op, SOCK_IN | EPOLLERR, sock__opts(f)->rcvtimeo_us) : r;
}

/* Linux's tcp_inq_hint(): a FIN counts as a byte, so that who waits for bytes reads on. */
static int left_to_read(const struct sock_file *f)
{
	const struct plx_net_tcp *c = sock__tcp(f)->tc;

	return (c ? (int)plx_net_tcp_readable(c) : 0) + sock__is(f, SOCKF_DONE);
}

/* What recvmsg() says besides the bytes: nobody's name, and what is left (TCP_INQ). */
static void tell(const struct sock_file *f, struct msghdr *msg)
{
	struct sock_cmsg m = sock__cmsg_begin(msg);

	msg->msg_namelen = 0;
	msg->msg_flags = 0;
	if (sock__opts(f)->inq)
		sock__cmsg_put_int(&m, IPPROTO_TCP, TCP_CM_INQ, left_to_read(f));
	sock__cmsg_end(&m);
}

long sock__tcp_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	long r;

	if (plx_unlikely(op->flags & MSG_ERRQUEUE))
		return sock__recv_err(sl, f, op);
	r = receive(sl, f, op);
	if (r >= 0 && !(op->flags & MSG_OOB))
		tell(f, op->recv);
	return r;
}

struct rte_mbuf *sock__tcp_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err)
{
	struct sock_tcp *t = sock__tcp(f);
	struct rte_mbuf *m = t->tc ? plx_net_tcp_recv(sl->sn, t->tc) : NULL;
	long r;

	if (m) {
		sock__peek_moved(sl, f, false, m->pkt_len);
		return m;
	}
	r = at_end(f);
	*err = r ? (int)-r : ENODATA;
	return NULL;
}

/* ---- writing ---- */

static long not_open(struct sock_file *f, struct sock_op *op)
{
	uint8_t state = sock__tcp_state(f);

	if (op->done) /* the next call will tell */
		return (long)op->done;
	if (f->err)
		return take_error(f);
	op->sigpipe = !(op->flags & MSG_NOSIGNAL);
	return state == PLX_TCP_SYN_SENT || state == PLX_TCP_SYN_RECEIVED ? -EAGAIN : -EPIPE;
}

static size_t copy_in(struct sock_lcore *sl, struct plx_net_tcp *c, const struct sock_op *op)
{
	struct sock_iov it = sock__iov_at(op->send, op->done), next;
	size_t n, total = 0;
	void *p;

	for (next = it; sock__iov_next(&it, &p, &n);) {
		uint32_t want = (uint32_t)PLX_MIN(n, (size_t)UINT32_MAX), put;
		bool more = op->flags & MSG_MORE;

		if (!more) {
			void *p2;
			size_t n2;

			next = it;
			more = sock__iov_next(&next, &p2, &n2);
		}
		if (plx_unlikely(op->zc))
			put = sock__zc_write(sl, c, op, p, want, more);
		else
			put = more ? plx_net_tcp_write_more(sl->sn, c, p, want)
				   : plx_net_tcp_write(sl->sn, c, p, want);
		total += put;
		if (put < want)
			break;
	}
	return total;
}

static bool is_open(const struct sock_file *f)
{
	uint8_t state = sock__tcp_state(f);

	return (state == PLX_TCP_ESTABLISHED || state == PLX_TCP_CLOSE_WAIT) &&
	       !sock__is(f, SOCKF_SND_SHUT) && !f->err;
}

static long send_all(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op, size_t want)
{
	struct sock_tcp *t = sock__tcp(f);
	bool waits = sock__waits(f, op);
	size_t put;
	long r;

	if (!is_open(f)) {
		r = not_open(f, op);
		return r == -EAGAIN ? sock__again(op, 0, sock__opts(f)->sndtimeo_us) : r;
	}
	if (plx_unlikely(sock__iov_bad(op->send)))
		return -EFAULT;
	put = copy_in(sl, t->tc, op);
	op->done += put;
	if (put && op->flags & MSG_OOB) /* the last that there was room for, as tcp_push() */
		sock__tcp_sent_urgent(sl, t);
	if (op->done == want || (op->done && !waits))
		return (long)op->done;
	return sock__again(op, SOCK_OUT | EPOLLERR, sock__opts(f)->sndtimeo_us);
}

long sock__tcp_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	size_t want = sock__iov_bytes(op->send);
	long r;

	if (sock__zc_wanted(f, op, want) && !op->zc) {
		int err = sock__zc_begin(sl, f, op);

		if (err)
			return err;
	}
	r = send_all(sl, f, op, want);
	if (plx_unlikely(op->zc) && (r != -EAGAIN || !op->block))
		sock__zc_end(op, r > 0);
	return r;
}

long sock__tcp_send_mbuf(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	uint32_t n = op->mbuf->pkt_len;
	int err;

	if (!is_open(f))
		return not_open(f, op);
	err = plx_net_tcp_send(sl->sn, sock__tcp(f)->tc, op->mbuf, op->flags & MSG_MORE, op->lent);
	return err ? err : (long)n;
}

/* ---- ioctl ---- */

long sock__tcp_queued(struct sock_lcore *sl, struct sock_file *f, unsigned long request)
{
	struct sock_tcp *t = sock__tcp(f);
	uint8_t state = sock__tcp_state(f);

	if (request == SIOCATMARK)
		return sock__tcp_is_mark(f, 0);
	if (state == PLX_TCP_LISTEN)
		return -EINVAL;
	if (!t->tc || state == PLX_TCP_SYN_SENT || state == PLX_TCP_SYN_RECEIVED)
		return 0;
	switch (request) {
	case SIOCINQ:
		return sock__tcp_inq(f);
	case SIOCOUTQ:
		return plx_tcp_unacked(tcb(t));
	case SIOCOUTQNSD:
		return plx_tcp_unsent(tcb(t));
	default:
		return -ENOTTY;
	}
}
