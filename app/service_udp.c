/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <errno.h>
#include <netinet/in.h>

/*
 * By UDP: a socket of each lcore. The answer comes from the address that was asked, which only
 * IP_PKTINFO and IPV6_RECVPKTINFO tell where there are several.
 */

#define BURST 64 /* datagrams before others have their turn */

/** Room for what says which address it was. */
union control {
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

static uint16_t port_of(const union prog_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

/* Services that answer each other would do so for ever. */
static bool answers_too(const union prog_addr *from, const struct service_conf *conf)
{
	uint16_t port = port_of(from);

	return port == 7 || port == 19 || port == conf->listen.port;
}

/* What is to be sent. The generator says no more than was asked, so that nobody can use it to have
 * others flooded. */
static ssize_t answer(struct service_lcore *s, ssize_t n)
{
	if (s->conf->kind == SERVICE_CHARGEN) {
		n = PLX_MIN(n, (ssize_t)512);
		memcpy(s->buf, s->pattern, (size_t)n);
	}
	return n;
}

/* By any interface, unless the address says nothing without it. */
static void any_iface(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
	} else if (c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

/* What came by m goes back. */
static void send_back(struct service_lcore *s, int fd, struct msghdr *m)
{
	ssize_t n;

	any_iface(m);
	n = plx_sendmsg(fd, m, 0);
	if (n < 0 && m->msg_controllen) { /* a group is no address to answer from */
		m->msg_controllen = 0;
		n = plx_sendmsg(fd, m, 0);
	}
	if (n < 0)
		plx_count(s->p.count[SERVICE_ABORTED], 1);
	else
		plx_count(s->p.count[SERVICE_SENT], (uint64_t)n);
}

static bool serve_one(struct service_lcore *s, int fd)
{
	union prog_addr from;
	union control control;
	struct iovec iov = {s->buf, sizeof(s->buf)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	ssize_t n = plx_recvmsg(fd, &m, 0);

	if (n < 0)
		return errno != EAGAIN; /* an error of one that was sent earlier */
	plx_count(s->p.count[SERVICE_DATAGRAMS], 1);
	plx_count(s->p.count[SERVICE_RECEIVED], (uint64_t)n);
	if (s->conf->kind == SERVICE_DISCARD)
		return true;
	if (answers_too(&from, s->conf)) {
		plx_count(s->p.count[SERVICE_IGNORED], 1);
		return true;
	}
	iov.iov_len = (size_t)answer(s, n);
	send_back(s, fd, &m);
	return true;
}

/* Level-triggered: what a burst leaves is told again. */
static void dgram_ready(struct prog *p, struct watch *w, uint32_t events)
{
	for (int i = 0; i < BURST && serve_one((struct service_lcore *)p, w->fd); i++)
		;
}

int service_udp_start(struct service_lcore *s)
{
	const int one = 1;

	s->dgram = (struct watch){
		.fd = prog_listen(&s->conf->listen, SOCK_DGRAM), .ready = dgram_ready};
	if (s->dgram.fd < 0)
		return s->dgram.fd;
	if (plx_addr_is_v4(&s->conf->listen.addr))
		plx_setsockopt(s->dgram.fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	else /* of IPv4 it tells by mapped addresses */
		plx_setsockopt(s->dgram.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	return prog_watch(&s->p, &s->dgram, EPOLLIN);
}
