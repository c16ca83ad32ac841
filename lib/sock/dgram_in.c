/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include "opt.h"

/*
 * Datagrams on their way in: from the stack into the queue, and from there to the program. What is
 * charged against SO_RCVBUF is the room that the mbufs take, as Linux charges its skb->truesize.
 */

#define RUN_MAX 64 /* datagrams to a call */

/* ---- from the stack ---- */

static uint32_t charge_of(const struct rte_mbuf *m)
{
	uint32_t n = sizeof(struct sock_dmsg);

	for (; m; m = m->next)
		n += (uint32_t)sizeof(*m) + m->buf_len;
	return n;
}

/* It was delivered, as far as the account goes. */
static void lose(struct sock_dgram *d, struct rte_mbuf *m, bool v4)
{
	d->drops++;
	plx_stat_inc(v4 ? PLX_STAT_UDP_INERRORS : PLX_STAT_UDP6_INERRORS);
	rte_pktmbuf_free(m);
}

/* @param full its own buffer is, else memory is short. */
static void no_room(struct sock_dgram *d, struct rte_mbuf *m, bool full, bool v4)
{
	if (full)
		plx_stat_inc(v4 ? PLX_STAT_UDP_RCVBUFERRORS : PLX_STAT_UDP6_RCVBUFERRORS);
	else
		plx_stat_inc(v4 ? PLX_STAT_UDP_MEMERRORS : PLX_STAT_UDP6_MEMERRORS);
	lose(d, m, v4);
}

/* What was on its way when the socket was connected, or comes to a group of others. */
static bool wants(const struct sock_dgram *d, const struct plx_net_udp_msg *msg)
{
	if (plx_unlikely(msg->to_many) && plx_addr_is_mcast(&msg->dst))
		return sock__mc_hears(d, &msg->dst, msg->iface);
	return !d->connected || (msg->sport == d->rport && plx_addr_eq(&msg->src, &d->raddr));
}

void sock__dgram_push(struct sock_dgram *d, struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct sock_lcore *sl = d->sl;
	bool full = d->rmem > sock__rcvbuf(sl, &d->f);
	struct sock_dmsg *q = full ? NULL : sock__alloc(sl, sizeof(*q));
	uint32_t charge = charge_of(m);

	if (plx_unlikely(!q || !plx_net_mem_hold(sl->sn, d->rmem, charge))) {
		no_room(d, m, full, plx_addr_is_v4(&msg->dst));
		sock__free(sl, q, sizeof(*q));
		return;
	}
	q->m = m;
	q->msg = *msg;
	q->charge = charge;
	q->drops = d->drops;
	if (plx_unlikely(o->timestamp || o->timestampns))
		q->real_ns = sock__real_ns();
	d->rmem += q->charge;
	plx_fifo_push(&d->q, &q->node);
	sock__wake(sl, &d->f, SOCK_IN | EPOLLPRI | EPOLLRDBAND);
}

static void on_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	struct sock_dgram *d = plx_container_of(s, struct sock_udp, s)->d;

	if (plx_likely(d && wants(d, msg)))
		sock__dgram_push(d, m, msg);
	else
		rte_pktmbuf_free(m);
}

/* Of one whose program has let go of it, too. */
static void tell_info(const struct plx_net_udp *s, struct plx_net_udp_info *info)
{
	const struct sock_udp *u = plx_container_of(s, const struct sock_udp, s);
	const struct sock_dgram *d = u->d;

	if (!d)
		return;
	info->fd = sock__fd_of(&d->f);
	info->recv_q = d->rmem;
	info->rcvbuf = sock__rcvbuf(u->sl, &d->f);
	info->sndbuf = sock__sndbuf(u->sl, &d->f);
	info->drops = d->drops;
}

const struct plx_net_udp_ops sock__dgram_ops = {
	.rx = on_rx,
	.error = sock__dgram_error,
	.info = tell_info,
	.leave = sock__dgram_leave,
	.copy = sock__dgram_copy,
	.arrive = sock__dgram_arrive,
	.left = sock__dgram_left,
};

/* ---- the queue ---- */

static struct sock_dmsg *first(const struct sock_dgram *d)
{
	return (struct sock_dmsg *)plx_fifo_peek(&d->q);
}

uint32_t sock__dgram_next(const struct sock_dgram *d)
{
	const struct sock_dmsg *q = first(d);

	return q ? q->m->pkt_len : 0;
}

/* @return its mbuf, the caller's. */
static struct rte_mbuf *take(struct sock_dgram *d)
{
	struct sock_dmsg *q = (struct sock_dmsg *)plx_fifo_pop(&d->q);
	struct rte_mbuf *m = q->m;

	d->rmem -= q->charge;
	plx_net_mem_let_go(d->sl->sn, q->charge);
	sock__free(d->sl, q, sizeof(*q));
	return m;
}

void sock__dgram_queue_free(struct sock_dgram *d)
{
	while (!plx_fifo_empty(&d->q))
		rte_pktmbuf_free(take(d));
}

/* ---- to the program ---- */

void sock__iov_put(const struct msghdr *m, size_t off, const void *p, size_t n)
{
	struct sock_iov it = sock__iov_at(m, off);
	size_t room;
	void *to;

	while (n && sock__iov_next(&it, &to, &room)) {
		room = PLX_MIN(room, n);
		memcpy(to, p, room);
		p = (const uint8_t *)p + room;
		n -= room;
	}
}

void sock__iov_put_mbuf(const struct msghdr *msg, size_t off, const struct rte_mbuf *m, size_t n)
{
	for (; m && n; m = m->next) {
		size_t part = PLX_MIN((size_t)m->data_len, n);

		sock__iov_put(msg, off, rte_pktmbuf_mtod(m, const void *), part);
		off += part;
		n -= part;
	}
}

/* The address by which an answer would go: of a group's datagram one of its interface. */
static struct plx_addr local_of(struct sock_lcore *sl, const struct plx_net_udp_msg *msg)
{
	struct plx_net_way way;

	if (!msg->to_many)
		return msg->dst;
	if (plx_net_way(sl->sn, &msg->src, msg->iface, true, &way) != 0)
		memset(&way.src, 0, sizeof(way.src));
	return way.src;
}

/* Of what we have sent ourselves, the one that has the address. */
static uint16_t iface_of(struct sock_lcore *sl, const struct plx_net_udp_msg *msg)
{
	return msg->iface ? msg->iface : sock__iface_with(sl, &msg->dst);
}

static void put_pktinfo4(
	struct sock_lcore *sl, struct sock_cmsg *c, const struct plx_net_udp_msg *msg)
{
	struct in_pktinfo info = {.ipi_ifindex = iface_of(sl, msg)};
	struct plx_addr local = local_of(sl, msg);

	memcpy(&info.ipi_addr, &msg->dst.w[3], sizeof(info.ipi_addr));
	memcpy(&info.ipi_spec_dst, &local.w[3], sizeof(info.ipi_spec_dst));
	sock__cmsg_put(c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void put_pktinfo6(
	struct sock_lcore *sl, struct sock_cmsg *c, const struct plx_net_udp_msg *msg)
{
	struct in6_pktinfo info = {.ipi6_ifindex = iface_of(sl, msg)};

	memcpy(&info.ipi6_addr, msg->dst.b, sizeof(info.ipi6_addr));
	sock__cmsg_put(c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

/* ip_cmsg_recv_offset() */
static void put_ip4(struct sock_dgram *d, struct sock_cmsg *c, const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	const struct sock_file v4 = {0};
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	if (o->pktinfo)
		put_pktinfo4(d->sl, c, msg);
	if (o->recvttl)
		sock__cmsg_put_int(c, IPPROTO_IP, IP_TTL, msg->ttl);
	if (o->recvtos)
		sock__cmsg_put(c, IPPROTO_IP, IP_TOS, &msg->tos, 1);
	if (o->origdst) {
		sock__addr_put(&v4, &msg->dst, msg->dport, 0, (struct sockaddr *)&in, &len);
		sock__cmsg_put(c, IPPROTO_IP, IP_ORIGDSTADDR, &in, sizeof(in));
	}
}

/* ip6_datagram_recv_specific_ctl() */
static void put_ip6(struct sock_dgram *d, struct sock_cmsg *c, const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct sockaddr_in6 in6;
	socklen_t len = sizeof(in6);

	if (o->recvhops)
		sock__cmsg_put_int(c, IPPROTO_IPV6, IPV6_HOPLIMIT, msg->ttl);
	if (o->recvtclass)
		sock__cmsg_put_int(c, IPPROTO_IPV6, IPV6_TCLASS, msg->tos);
	if (o->origdst6) {
		sock__addr_put(
			&d->f, &msg->dst, msg->dport, msg->iface, (struct sockaddr *)&in6, &len);
		sock__cmsg_put(c, IPPROTO_IPV6, IPV6_ORIGDSTADDR, &in6, sizeof(in6));
	}
}

/* What the options ask to be told of it, in Linux's order. @param n datagrams that it stands for */
static void put_cmsgs(
	struct sock_dgram *d, struct msghdr *msg, const struct sock_dmsg *q, uint32_t n)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct sock_cmsg c = sock__cmsg_begin(msg);

	if (o->timestamp || o->timestampns)
		sock__cmsg_put_stamp(&c, o, q->real_ns ? q->real_ns : sock__real_ns());
	if (o->rxq_ovfl && q->drops)
		sock__cmsg_put(&c, SOL_SOCKET, SO_RXQ_OVFL, &q->drops, sizeof(q->drops));
	if (n > 1)
		sock__cmsg_put_int(&c, IPPROTO_UDP, UDP_GRO, (int)q->m->pkt_len);
	if (o->pktinfo6)
		put_pktinfo6(d->sl, &c, &q->msg);
	if (plx_addr_is_v4(&q->msg.dst))
		put_ip4(d, &c, &q->msg);
	else
		put_ip6(d, &c, &q->msg);
	sock__cmsg_end(&c);
}

static struct sock_dmsg *next_of(const struct sock_dmsg *q)
{
	return (struct sock_dmsg *)q->node.next;
}

/*
 * UDP_GRO: how many datagrams one call can take, which differ in nothing but what they carry; the
 * last one may be shorter. The stack has them one by one, so what is saved is the calls.
 */
static uint32_t run_of(const struct sock_dmsg *q, size_t room, size_t *bytes)
{
	const struct sock_dmsg *at = q;
	uint32_t n = 1, each = q->m->pkt_len;

	*bytes = each;
	while (each && at->m->pkt_len == each && n < RUN_MAX) {
		at = next_of(at);
		if (!at || !at->m->pkt_len || at->m->pkt_len > each ||
			*bytes + at->m->pkt_len > PLX_MIN(room, (size_t)UINT16_MAX) ||
			memcmp(&at->msg, &q->msg, sizeof(q->msg)) != 0)
			break;
		*bytes += at->m->pkt_len;
		n++;
	}
	return n;
}

static void copy_run(const struct msghdr *msg, const struct sock_dmsg *q, uint32_t n, size_t room)
{
	size_t off = 0;

	for (; n; n--, q = next_of(q)) {
		sock__iov_put_mbuf(msg, off, q->m, PLX_MIN((size_t)q->m->pkt_len, room - off));
		off += q->m->pkt_len;
	}
}

/* As in Linux the datagram is gone all the same. */
static long no_memory(struct sock_dgram *d, const struct sock_op *op)
{
	bool v4 = plx_addr_is_v4(&first(d)->msg.dst);

	if (!(op->flags & MSG_PEEK))
		lose(d, take(d), v4);
	return -EFAULT;
}

/* Besides the bytes: the sender, and what options ask for. */
static void told(struct sock_dgram *d, struct msghdr *msg, const struct sock_dmsg *q, uint32_t run)
{
	if (msg->msg_name)
		sock__addr_put(&d->f, &q->msg.src, q->msg.sport, q->msg.iface, msg->msg_name,
			&msg->msg_namelen);
	if (d->f.cold)
		put_cmsgs(d, msg, q, run);
	else
		msg->msg_controllen = 0;
}

/*
 * Where SO_PEEK_OFF says (__skb_try_recv_from_queue()). An empty datagram does not move it: that
 * one has been seen is kept with it. @param off in it. @return NULL: beyond all.
 */
static struct sock_dmsg *peek_at(const struct sock_dgram *d, uint32_t *off)
{
	struct sock_dmsg *q = first(d);

	*off = sock__peek_off(&d->f);
	for (; q && *off >= q->m->pkt_len && (*off || q->peeked); q = next_of(q))
		*off -= q->m->pkt_len;
	return q;
}

/* Linux calls it cut short as well when what is left of it just fits. */
static long peek_on(
	struct sock_dgram *d, struct sock_op *op, const struct sock_dmsg *q, uint32_t off)
{
	struct msghdr *msg = op->recv;
	const struct rte_mbuf *m = q->m;
	size_t room = sock__iov_bytes(msg), n = PLX_MIN(room, (size_t)m->pkt_len - off), part;
	uint32_t skip = off;
	long r = op->flags & MSG_TRUNC ? (long)m->pkt_len : (long)n;

	if (room <= m->pkt_len - off && room < m->pkt_len)
		msg->msg_flags |= MSG_TRUNC;
	for (; skip >= m->data_len && m->next; m = m->next)
		skip -= m->data_len;
	part = PLX_MIN((size_t)m->data_len - skip, n);
	sock__iov_put(msg, 0, rte_pktmbuf_mtod_offset(m, const void *, skip), part);
	sock__iov_put_mbuf(msg, part, m->next, n - part);
	told(d, msg, q, 1);
	sock__peek_moved(d->sl, &d->f, true, (size_t)r);
	return r;
}

static long receive(struct sock_dgram *d, struct sock_op *op)
{
	struct sock_dmsg *q = first(d);
	struct msghdr *msg = op->recv;
	size_t room = sock__iov_bytes(msg), whole = q->m->pkt_len, n;
	uint32_t run = sock__opts(&d->f)->udp_gro ? run_of(q, room, &whole) : 1;
	long r;

	n = PLX_MIN(room, whole);
	if (plx_unlikely(n && sock__iov_bad(msg)))
		return no_memory(d, op);
	if (n < whole)
		msg->msg_flags |= MSG_TRUNC;
	copy_run(msg, q, run, room);
	told(d, msg, q, run);
	r = (long)(op->flags & MSG_TRUNC ? whole : n);
	if (op->flags & MSG_PEEK) {
		q->peeked = true;
		return r;
	}
	for (; run; run--)
		rte_pktmbuf_free(take(d));
	sock__peek_moved(d->sl, &d->f, false, (size_t)r);
	return r;
}

int sock__dgram_pending(struct sock_file *f)
{
	int err = f->err;

	f->err = 0;
	return -err;
}

/* __skb_recv_udp(): who does not wait is not told of a shutdown. */
static long nothing(struct sock_file *f, struct sock_op *op)
{
	if (sock__waits(f, op) && sock__is(f, SOCKF_RCV_SHUT))
		return 0;
	return sock__again(op, SOCK_IN | EPOLLERR, sock__opts(f)->rcvtimeo_us);
}

static long peek_run(struct sock_dgram *d, struct sock_op *op)
{
	uint32_t off;
	struct sock_dmsg *q = peek_at(d, &off);

	if (!q)
		return nothing(&d->f, op);
	q->peeked = true;
	if (q->m->pkt_len && sock__iov_bad(op->recv))
		return -EFAULT;
	return peek_on(d, op, q, off);
}

long sock__dgram_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = (struct sock_dgram *)f;

	op->recv->msg_flags = 0;
	if (plx_unlikely(op->flags & MSG_ERRQUEUE))
		return sock__recv_err(sl, f, op);
	if (plx_unlikely(f->err))
		return sock__dgram_pending(f);
	if (plx_fifo_empty(&d->q))
		return nothing(f, op);
	if (plx_unlikely(op->flags & MSG_PEEK && sock__opts(f)->peek_off >= 0))
		return peek_run(d, op);
	return receive(d, op);
}

struct rte_mbuf *sock__dgram_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err)
{
	struct sock_dgram *d = (struct sock_dgram *)f;
	struct rte_mbuf *m;

	*err = 0;
	if (f->err)
		*err = -sock__dgram_pending(f);
	else if (plx_fifo_empty(&d->q))
		*err = EAGAIN;
	if (*err)
		return NULL;
	m = take(d);
	sock__peek_moved(sl, f, false, m->pkt_len);
	return m;
}
