/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "opt.h"

/* UDP sockets (Linux's net/ipv4/udp.c, net/ipv6/udp.c): their life, and what they are asked. */

static struct sock_dgram *dgram(struct sock_file *f)
{
	return (struct sock_dgram *)f;
}

uint32_t sock__dgram_rmem(struct sock_file *f)
{
	const struct sock_dgram *d = sock__dgram(f);

	return d ? d->rmem : 0;
}

uint32_t sock__dgram_drops(struct sock_file *f)
{
	const struct sock_dgram *d = sock__dgram(f);

	return d ? d->drops : 0;
}

/* datagram_poll(). What is sent is the stack's at once, so there is always room. */
uint32_t sock__dgram_poll(struct sock_lcore *sl, struct sock_file *f)
{
	const struct sock_dgram *d = dgram(f);
	uint32_t mask = SOCK_OUT | EPOLLWRBAND;

	if (f->err || !plx_fifo_empty(&d->errs))
		mask |= EPOLLERR | (sock__opts(f)->select_err ? EPOLLPRI : 0);
	if (sock__is(f, SOCKF_RCV_SHUT))
		mask |= EPOLLRDHUP | SOCK_IN;
	if ((f->flags & SOCKF_BOTH_SHUT) == SOCKF_BOTH_SHUT)
		mask |= EPOLLHUP;
	if (!plx_fifo_empty(&d->q))
		mask |= SOCK_IN;
	return mask;
}

/* inet_shutdown(): who is not connected is told so, and shut down all the same. */
long sock__dgram_shutdown(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	static const uint32_t what[] = {[SHUT_RD] = SOCKF_RCV_SHUT,
		[SHUT_WR] = SOCKF_SND_SHUT,
		[SHUT_RDWR] = SOCKF_BOTH_SHUT};

	if (op->flags < 0 || op->flags > SHUT_RDWR)
		return -EINVAL;
	f->flags |= what[op->flags];
	sock__wake(sl, f, 0);
	return dgram(f)->connected ? 0 : -ENOTCONN;
}

static long dgram_name(struct sock_lcore *sl, struct sock_file *f, bool peer, struct plx_addr *a,
	uint16_t *port, uint16_t *iface)
{
	const struct sock_dgram *d = dgram(f);

	if (peer && (!d->connected || !d->rport))
		return -ENOTCONN;
	*a = peer ? d->raddr : d->laddr;
	*port = peer ? d->rport : d->udp ? d->udp->s.lport : 0;
	*iface = peer && d->riface ? d->riface : sock__opts(f)->iface;
	return 0;
}

long sock__dgram_queued(struct sock_lcore *sl, struct sock_file *f, unsigned long request)
{
	switch (request) {
	case SIOCINQ:
		return sock__dgram_next(dgram(f));
	case SIOCOUTQ:
		return 0;
	default:
		return -ENOTTY;
	}
}

static long dgram_applied(struct sock_lcore *sl, struct sock_file *f, int level, int name)
{
	struct sock_dgram *d = dgram(f);

	if (level == SOL_SOCKET && (name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX))
		return sock__dgram_rebind(d);
	if (level == IPPROTO_UDP && name == UDP_CORK && !sock__opts(f)->udp_cork)
		return sock__dgram_uncork(d);
	return 0;
}

static void dgram_release(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_dgram *d = dgram(f);

	sock__dgram_unbind(d);
	sock__mc_leave_all(d);
	sock__dgram_cork_free(d);
	sock__dgram_queue_free(d);
	sock__dgram_errs_free(sl, f);
	sock__cold_free(sl, f);
	sock__free(sl, d, sizeof(*d));
}

const struct sock_kind sock__dgram_kind = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_UDP,
	.poll = sock__dgram_poll,
	.bind = sock__dgram_bind,
	.connect = sock__dgram_connect,
	.shutdown = sock__dgram_shutdown,
	.recv = sock__dgram_recv,
	.send = sock__dgram_send,
	.send_mbuf = sock__dgram_send_mbuf,
	.recv_mbuf = sock__dgram_recv_mbuf,
	.name = dgram_name,
	.queued = sock__dgram_queued,
	.applied = dgram_applied,
	.release = dgram_release,
};

long sock__dgram_new(struct sock_lcore *sl, int domain, int protocol, int flags)
{
	static const uint8_t none[4];
	struct sock_dgram *d;
	int fd;

	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (protocol && protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	d = sock__alloc(sl, sizeof(*d));
	if (!d)
		return -ENOBUFS;
	d->f.kind = &sock__dgram_kind;
	d->sl = sl;
	d->f.flags = sock__flags(flags);
	if (domain == AF_INET6)
		d->f.flags |= SOCKF_V6;
	else
		d->laddr = plx_addr_from_v4(none);
	fd = sock__fd_new(sl, &d->f);
	if (fd < 0)
		sock__free(sl, d, sizeof(*d));
	return fd;
}

/* ---- IPPROTO_UDP ---- */

static const struct sock_optdef defs[] = {
	{UDP_CORK, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(udp_cork)},
	{UDP_GRO, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(udp_gro)},
	{UDP_NO_CHECK6_TX, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(no_check6)},
	{UDP_SEGMENT, SOCK_OPT_U16, .at = SOCK_OPT_AT(udp_segment), .min = 0, .max = UINT16_MAX},
};

const struct sock_optlevel sock__level_udp = {
	.level = IPPROTO_UDP,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};
