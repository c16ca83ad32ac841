/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "dgram.h"

/* Packet sockets (packet(7), Linux's net/packet/af_packet.c): their life and their names. */

static struct sock_packet *packet(struct sock_file *f)
{
	return (struct sock_packet *)f;
}

int sock__packet_if(const struct sock_packet *p, uint16_t iface, struct plx_net_if *ifc, bool *eth)
{
	uint16_t i = 0;

	while (plx_net_if_next(p->sl->ns->net, &i, ifc))
		if (ifc->index == iface) {
			*eth = !(plx_port_features(plx_port_get(ifc->port)) & PLX_PORT_F_NO_ETH);
			return 0;
		}
	return -ENODEV;
}

/* ---- what it hears ---- */

/* NETDEV_DOWN: whoever waits is told, and hears nothing meanwhile. */
static void on_link(struct plx_softnet *sn, struct plx_net_tap *t, bool up)
{
	struct sock_packet *p = plx_container_of(t, struct sock_tap, t)->p;

	if (up)
		return;
	p->f.err = ENETDOWN;
	sock__wake(p->sl, &p->f, EPOLLERR);
}

static void on_gone(struct plx_net_tap *t)
{
	struct sock_tap *st = plx_container_of(t, struct sock_tap, t);

	sock__packet_unref(st->prog);
	free(st);
}

static struct sock_tap *tap_new(struct sock_packet *p)
{
	const struct sock_opts *o = sock__opts(&p->f);
	struct sock_tap *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->t = (struct plx_net_tap){.iface = p->iface,
		.proto = p->proto,
		.no_out = p->no_out,
		.see = sock__packet_see,
		.take = sock__packet_take,
		.link = on_link,
		.gone = on_gone};
	st->p = p;
	st->cooked = p->cooked;
	st->stamp = o->timestamp || o->timestampns;
	st->full = p->rmem >= sock__rcvbuf(p->sl, &p->f);
	st->prog = p->prog;
	if (st->prog)
		__atomic_fetch_add(&st->prog->refs, 1, __ATOMIC_RELAXED);
	return st;
}

uint32_t sock__packet_drops(struct sock_packet *p)
{
	if (p->tap)
		p->drops += __atomic_exchange_n(&p->tap->lost, 0, __ATOMIC_RELAXED);
	return p->drops;
}

int sock__packet_rehook(struct sock_packet *p)
{
	struct sock_tap *old = p->tap, *st = NULL;
	int err;

	if (p->proto) {
		st = tap_new(p);
		if (!st)
			return -ENOBUFS;
	}
	if (!old && !st)
		return 0;
	err = plx_net_tap_set(p->sl->sn, old ? &old->t : NULL, st ? &st->t : NULL);
	if (err) {
		on_gone(&st->t);
		return -ENOBUFS;
	}
	p->tap = st;
	return 0;
}

/* ---- names ---- */

/* packet_do_bind() */
static long bind_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_packet *p = packet(f);
	struct sock_packet was = *p;
	struct plx_net_if ifc = {.up = true};
	struct sockaddr_ll ll;
	bool eth;
	int err;

	if (op->addr_len < sizeof(ll))
		return -EINVAL;
	if (!op->addr)
		return -EFAULT;
	memcpy(&ll, op->addr, sizeof(ll));
	if (ll.sll_family != AF_PACKET)
		return -EINVAL;
	if (ll.sll_ifindex && (ll.sll_ifindex < 0 || ll.sll_ifindex > UINT16_MAX ||
				      sock__packet_if(p, (uint16_t)ll.sll_ifindex, &ifc, &eth)))
		return -ENODEV;
	p->iface = (uint16_t)ll.sll_ifindex;
	if (ll.sll_protocol)
		p->proto = ntohs(ll.sll_protocol);
	if (p->iface == was.iface && p->proto == was.proto)
		return 0;
	sock__packet_drops(p); /* the tap that goes has counted some */
	err = sock__packet_rehook(p);
	if (err) {
		p->iface = was.iface;
		p->proto = was.proto;
		return err;
	}
	if (!ifc.up && p->proto) {
		f->err = ENETDOWN;
		sock__wake(sl, f, EPOLLERR);
	}
	return 0;
}

/* packet_getname(): as long as the address takes. */
static long sockname(
	struct sock_lcore *sl, struct sock_file *f, struct sockaddr *sa, socklen_t *len)
{
	const struct sock_packet *p = packet(f);
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_ifindex = p->iface, .sll_protocol = htons(p->proto)};
	struct plx_net_if ifc;
	socklen_t bytes;
	bool eth;

	if (p->iface && sock__packet_if(p, p->iface, &ifc, &eth) == 0) {
		ll.sll_hatype = eth ? ARPHRD_ETHER : ARPHRD_NONE;
		ll.sll_halen = eth ? sizeof(ifc.mac) : 0;
		memcpy(ll.sll_addr, &ifc.mac, ll.sll_halen);
	}
	bytes = (socklen_t)offsetof(struct sockaddr_ll, sll_addr) + ll.sll_halen;
	memcpy(sa, &ll, PLX_MIN(*len, bytes));
	*len = bytes;
	return 0;
}

/* ---- the rest of its life ---- */

/* datagram_poll() */
static uint32_t poll_now(struct sock_lcore *sl, struct sock_file *f)
{
	uint32_t mask = SOCK_OUT | EPOLLWRBAND;

	if (f->err)
		mask |= EPOLLERR;
	if (packet(f)->head)
		mask |= SOCK_IN;
	return mask;
}

static long queued(struct sock_lcore *sl, struct sock_file *f, unsigned long request)
{
	const struct rte_mbuf *m = packet(f)->head;

	if (request == SIOCOUTQ)
		return 0;
	return request == SIOCINQ ? (m ? (long)m->pkt_len : 0) : -ENOTTY;
}

static long applied(struct sock_lcore *sl, struct sock_file *f, int level, int name)
{
	const struct sock_opts *o = sock__opts(f);
	struct sock_packet *p = packet(f);

	if (p->tap)
		__atomic_store_n(&p->tap->stamp, o->timestamp || o->timestampns, __ATOMIC_RELAXED);
	sock__packet_room(p);
	return 0;
}

static void release(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_packet *p = packet(f);

	p->proto = 0;
	sock__packet_rehook(p);
	sock__packet_leave_all(p);
	sock__packet_queue_free(p);
	sock__packet_unref(p->prog);
	sock__cold_free(sl, f);
	sock__free(sl, p, sizeof(*p));
}

#define PACKET_KIND(type_)                                                                         \
	{                                                                                          \
		.type = type_, .domain = AF_PACKET, .poll = poll_now, .bind = bind_run,            \
		.recv = sock__packet_recv, .send = sock__packet_send,                              \
		.recv_mbuf = sock__packet_recv_mbuf, .sockname = sockname, .queued = queued,       \
		.applied = applied, .release = release,                                            \
	}

const struct sock_kind sock__packet_raw_kind = PACKET_KIND(SOCK_RAW);
const struct sock_kind sock__packet_dgram_kind = PACKET_KIND(SOCK_DGRAM);

long sock__packet_new(struct sock_lcore *sl, int type, int protocol, int flags)
{
	struct sock_packet *p;
	int fd, err;

	if (type != SOCK_RAW && type != SOCK_DGRAM) /* SOCK_PACKET is Linux 2.0's */
		return -ESOCKTNOSUPPORT;
	p = sock__alloc(sl, sizeof(*p));
	if (!p)
		return -ENOBUFS;
	p->f.kind = type == SOCK_RAW ? &sock__packet_raw_kind : &sock__packet_dgram_kind;
	p->f.flags = (flags & SOCK_NONBLOCK ? SOCKF_NONBLOCK : 0) |
		     (flags & SOCK_CLOEXEC ? SOCKF_CLOEXEC : 0);
	p->sl = sl;
	p->cooked = type == SOCK_DGRAM;
	p->proto = ntohs((uint16_t)protocol);
	fd = sock__fd_new(sl, &p->f);
	if (fd < 0) {
		sock__free(sl, p, sizeof(*p));
		return fd;
	}
	err = sock__packet_rehook(p);
	if (err) {
		sock__close(sl, &p->f);
		return err;
	}
	return fd;
}
