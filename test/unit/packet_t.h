/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Packet sockets in a test: the stack of sock_t.h, and what the last frame of a socket was.
 */
#include "sock_t.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define PRIVATE 0x88b5 /* an EtherType for experiments (IEEE 802) */

static struct {
	uint8_t b[4096];
	ssize_t n; /* or -errno */
	struct sockaddr_ll ll;
	socklen_t ll_len;
	int flags;
	struct tpacket_auxdata aux;
	bool has_aux, has_stamp;
	uint32_t ovfl; /* SO_RXQ_OVFL; 0: not told */
} pt;

static inline int pt_open(int type, uint16_t proto)
{
	int fd = plx_socket(AF_PACKET, type, htons(proto));

	ok(fd >= 0);
	return fd;
}

static inline int pt_bind(int fd, int iface, uint16_t proto)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_ifindex = iface, .sll_protocol = htons(proto)};

	return plx_bind(fd, (struct sockaddr *)&ll, sizeof(ll));
}

/** The next frame goes to pt. @return its bytes, or -errno. */
static inline ssize_t pt_get(int fd, size_t room, int flags)
{
	struct iovec v = {pt.b, room};
	union {
		struct cmsghdr h;
		char b[256];
	} control;
	struct msghdr m = {.msg_name = &pt.ll,
		.msg_namelen = sizeof(pt.ll),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	pt.has_aux = pt.has_stamp = false;
	pt.ovfl = 0;
	pt.n = plx_recvmsg(fd, &m, flags);
	if (pt.n < 0)
		return pt.n = -errno;
	pt.flags = m.msg_flags;
	pt.ll_len = m.msg_namelen;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level == SOL_PACKET && h->cmsg_type == PACKET_AUXDATA) {
			pt.has_aux = true;
			memcpy(&pt.aux, CMSG_DATA(h), sizeof(pt.aux));
		}
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL)
			memcpy(&pt.ovfl, CMSG_DATA(h), sizeof(pt.ovfl));
		pt.has_stamp |= h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_TIMESTAMPNS;
	}
	return pt.n;
}

/** What port 0 sent next, to wire. @return its bytes, 0: nothing. */
static struct {
	uint8_t b[4096];
} wire;
static inline uint32_t pt_sent(void)
{
	struct t_port *tp = &nt.port[0];
	struct rte_mbuf *m = NULL;
	const void *p;
	uint32_t n;

	nt_run();
	for (uint16_t q = 0; q < tp->port->n_txq && !m; q++)
		m = t_port_sent(tp, q);
	if (!m)
		return 0;
	n = m->pkt_len;
	p = rte_pktmbuf_read(m, 0, n, wire.b);
	if (p != wire.b)
		memcpy(wire.b, p, n);
	rte_pktmbuf_free(m);
	return n;
}

#define pt_none(fd) eq(pt_get(fd, sizeof(pt.b), 0), -EAGAIN)

static inline void pt_on(int fd, int level, int name)
{
	int one = 1;

	eq(plx_setsockopt(fd, level, name, &one, sizeof(one)), 0);
}

/** PACKET_STATISTICS since asked last. */
static inline struct tpacket_stats pt_stats(int fd)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	eq(plx_getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len), 0);
	eq(len, sizeof(stats));
	return stats;
}
