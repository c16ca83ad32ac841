/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"

#include <netinet/in.h>

#include "opt.h"
#include "stream.h"

/* Errors of UDP sockets: SO_ERROR, and the queue of IP_RECVERR (Linux's __udp4_lib_err()); reading
 * that of any socket. */

struct plx_fifo *sock__errs(struct sock_file *f)
{
	struct sock_dgram *d = sock__dgram(f);

	if (d)
		return &d->errs;
	return f->kind == &sock__stream_kind && f->cold && f->cold->zc ? &f->cold->zc->q : NULL;
}

static void derr_free(struct sock_lcore *sl, struct sock_file *f, struct sock_derr *e)
{
	if (e->ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
		sock__zc_read(f);
	else
		sock__dgram(f)->rmem -= sock__derr_bytes(e);
	sock__free(sl, e, sock__derr_bytes(e));
}

/* skb_errqueue_purge(): who has lent something still waits for it. */
void sock__dgram_errs_purge(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_dgram *d = sock__dgram(f);
	struct plx_fifo kept;

	if (!d)
		return;
	plx_fifo_init(&kept);
	while (!plx_fifo_empty(&d->errs)) {
		struct sock_derr *e = (struct sock_derr *)plx_fifo_pop(&d->errs);

		if (e->ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			plx_fifo_push(&kept, &e->node);
		else
			derr_free(sl, f, e);
	}
	plx_fifo_splice(&d->errs, &kept);
}

void sock__dgram_errs_free(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_dgram *d = sock__dgram(f);

	while (d && !plx_fifo_empty(&d->errs))
		derr_free(sl, f, (struct sock_derr *)plx_fifo_pop(&d->errs));
}

/* sock_queue_err_skb(). @return NULL: no room, it is forgotten. */
static struct sock_derr *queue(
	struct sock_dgram *d, const struct plx_net_udp_msg *msg, const void *data, uint32_t len)
{
	struct sock_derr *e;

	if (d->rmem + sizeof(*e) + len >= sock__rcvbuf(d->sl, &d->f))
		return NULL;
	e = sock__alloc(d->sl, sizeof(*e) + len);
	if (!e)
		return NULL;
	e->dst = msg->dst;
	e->dport = msg->dport;
	e->iface = msg->iface;
	e->real_ns = sock__real_ns();
	e->len = len;
	if (len)
		memcpy(e->data, data, len);
	d->rmem += sock__derr_bytes(e);
	plx_fifo_push(&d->errs, &e->node);
	return e;
}

static bool is_dont(const struct sock_dgram *d, bool v4)
{
	const struct sock_opts *o = sock__opts(&d->f);
	uint8_t set = v4 ? o->pmtudisc : o->pmtudisc6;

	if (!set && v4)
		return sock__tun(d->sl, PLX_TUN_IP_NO_PMTU_DISC);
	return set == PLX_NET_PMTU(IP_PMTUDISC_DONT);
}

void sock__dgram_error(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_net_error *e,
	const struct plx_net_udp_msg *msg)
{
	struct sock_dgram *d = plx_container_of(s, struct sock_udp, s)->d;
	bool v4 = plx_addr_is_v4(&msg->dst);
	const struct sock_opts *o;
	struct sock_derr *q;

	if (!d || (e->err == EMSGSIZE && is_dont(d, v4)))
		return;
	o = sock__opts(&d->f);
	if (v4 ? o->recverr : o->recverr6) {
		q = queue(d, msg, e->data, e->len);
		if (q) {
			q->from = e->from;
			q->ee = (struct sock_extended_err){.ee_errno = (uint32_t)e->err,
				.ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
				.ee_type = e->type,
				.ee_code = e->code,
				.ee_info = e->info};
		}
	} else if (!e->hard || !d->connected) {
		return;
	}
	d->f.err = e->err;
	sock__wake(d->sl, &d->f, EPOLLERR);
}

/* ip_local_error(): nobody is told who has not asked. */
void sock__dgram_too_big(struct sock_dgram *d, const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	struct plx_net_way way;
	struct sock_derr *q;

	if (!(plx_addr_is_v4(&msg->dst) ? o->recverr : o->recverr6))
		return;
	if (plx_net_way(d->sl->sn, &msg->dst, msg->iface, msg->bound, &way) != 0)
		return;
	q = queue(d, msg, NULL, 0);
	if (!q)
		return;
	q->ee = (struct sock_extended_err){
		.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = way.mtu};
	sock__wake(d->sl, &d->f, EPOLLERR);
}

/* ---- MSG_ERRQUEUE ---- */

static bool is_icmp(const struct sock_derr *e)
{
	return e->ee.ee_origin == SO_EE_ORIGIN_ICMP || e->ee.ee_origin == SO_EE_ORIGIN_ICMP6;
}

/* IP_RECVERR's value: the error, then who says so (SO_EE_OFFENDER()). */
static void put_recverr(const struct sock_file *f, struct sock_cmsg *c, const struct sock_derr *e)
{
	struct {
		struct sock_extended_err ee;
		union {
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
		} from;
	} v = {.ee = e->ee};
	bool v6 = sock__is(f, SOCKF_V6);
	socklen_t len = v6 ? sizeof(v.from.in6) : sizeof(v.from.in);

	if (is_icmp(e))
		sock__addr_put(f, &e->from, 0, e->iface, (struct sockaddr *)&v.from, &len);
	if (v6)
		sock__cmsg_put(c, IPPROTO_IPV6, IPV6_RECVERR, &v,
			offsetof(__typeof__(v), from) + sizeof(v.from.in6));
	else
		sock__cmsg_put(c, IPPROTO_IP, IP_RECVERR, &v,
			offsetof(__typeof__(v), from) + sizeof(v.from.in));
}

/* sock_dequeue_err_skb(): SO_ERROR is the next one's that came by ICMP. */
static void next_pending(struct sock_lcore *sl, struct sock_file *f, bool was_icmp)
{
	const struct sock_derr *e = (const struct sock_derr *)plx_fifo_peek(sock__errs(f));

	if (e && is_icmp(e))
		f->err = (int)e->ee.ee_errno;
	else if (was_icmp)
		f->err = 0;
	if (e)
		sock__wake(sl, f, EPOLLERR);
}

/* Of a notification there is no address to tell. */
static void put_name(const struct sock_file *f, struct msghdr *msg, const struct sock_derr *e)
{
	if (e->ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
		msg->msg_namelen = 0;
	else if (msg->msg_name)
		sock__addr_put(f, &e->dst, e->dport, e->iface, msg->msg_name, &msg->msg_namelen);
}

long sock__recv_err(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct plx_fifo *q = sock__errs(f);
	struct sock_derr *e = q ? (struct sock_derr *)plx_fifo_pop(q) : NULL;
	struct msghdr *msg = op->recv;
	struct sock_cmsg c;
	size_t n;

	op->block = false;
	if (!e)
		return -EAGAIN;
	msg->msg_flags = 0;
	next_pending(sl, f, is_icmp(e));
	n = PLX_MIN(sock__iov_bytes(msg), (size_t)e->len);
	if (plx_unlikely(n && sock__iov_bad(msg))) {
		derr_free(sl, f, e);
		return -EFAULT;
	}
	if (n < e->len)
		msg->msg_flags |= MSG_TRUNC;
	sock__iov_put(msg, 0, e->data, n);
	put_name(f, msg, e);
	c = sock__cmsg_begin(msg);
	sock__cmsg_put_stamp(&c, sock__opts(f), e->real_ns);
	put_recverr(f, &c, e);
	sock__cmsg_end(&c);
	msg->msg_flags |= MSG_ERRQUEUE;
	derr_free(sl, f, e);
	return (long)n;
}
