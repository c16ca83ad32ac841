/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <linux/if_arp.h>

#include "dgram.h"

/*
 * Frames on their way in: on the lcore where they are copied, through the socket's queue, and to
 * the program (Linux's packet_rcv() and packet_recvmsg()). What the stack knows of a frame comes
 * with it (struct plx_net_frame).
 */

#define FLAGS_KNOWN (MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE)

/* ---- from the stack ---- */

/* On any lcore. The filter is asked before there is known to be no room, as in Linux. */
void sock__packet_see(struct plx_softnet *sn, struct plx_net_tap *t, const struct rte_mbuf *m,
	struct plx_net_frame *f)
{
	struct sock_tap *st = plx_container_of(t, struct sock_tap, t);
	uint32_t off = st->cooked ? f->link_bytes : 0;
	uint32_t snap = st->prog ? sock__packet_run(st->prog, m, off) : UINT32_MAX;

	if (!snap)
		return;
	f->real_ns = __atomic_load_n(&st->stamp, __ATOMIC_RELAXED) ? sock__real_ns() : 0;
	if (__atomic_load_n(&st->full, __ATOMIC_RELAXED) ||
		!plx_net_tap_pass(sn, t, m, f, off, snap))
		__atomic_fetch_add(&st->lost, 1, __ATOMIC_RELAXED);
}

static uint32_t charge_of(const struct rte_mbuf *m)
{
	uint32_t n = 0;

	for (; m; m = m->next)
		n += (uint32_t)sizeof(*m) + m->buf_len;
	return n;
}

void sock__packet_room(struct sock_packet *p)
{
	if (p->tap)
		__atomic_store_n(
			&p->tap->full, p->rmem >= sock__rcvbuf(p->sl, &p->f), __ATOMIC_RELAXED);
}

void sock__packet_take(struct plx_softnet *sn, struct plx_net_tap *t, struct rte_mbuf *m)
{
	struct sock_packet *p = plx_container_of(t, struct sock_tap, t)->p;

	if (p->rmem >= sock__rcvbuf(p->sl, &p->f)) { /* was on its way when the queue became full */
		p->drops++;
		rte_pktmbuf_free(m);
		return;
	}
	p->got++;
	p->rmem += charge_of(m);
	plx_net_frame_of(m)->user = sock__packet_drops(p); /* those before it */
	plx_pkt_meta(m)->next = NULL;
	if (p->head)
		plx_pkt_meta(p->tail)->next = m;
	else
		p->head = m;
	p->tail = m;
	sock__packet_room(p);
	sock__wake(p->sl, &p->f, SOCK_IN | EPOLLPRI | EPOLLRDBAND);
}

/* @return the first frame, the caller's; there is one. */
static struct rte_mbuf *pop(struct sock_packet *p)
{
	struct rte_mbuf *m = p->head;

	p->head = plx_pkt_meta(m)->next;
	p->rmem -= charge_of(m);
	sock__packet_room(p);
	return m;
}

void sock__packet_queue_free(struct sock_packet *p)
{
	while (p->head)
		rte_pktmbuf_free(pop(p));
}

/* ---- to the program ---- */

/* At least a whole struct sockaddr_ll, whatever the address takes. */
static void put_name(const struct sock_packet *p, struct msghdr *msg, const struct plx_net_frame *f)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = htons(f->proto),
		.sll_ifindex = p->origdev ? f->port_iface : f->iface,
		.sll_hatype = f->link_bytes ? ARPHRD_ETHER : ARPHRD_NONE,
		.sll_pkttype = f->kind,
		.sll_halen = f->link_bytes ? sizeof(f->src) : 0};

	memcpy(ll.sll_addr, &f->src, ll.sll_halen);
	memcpy(msg->msg_name, &ll, PLX_MIN((size_t)msg->msg_namelen, sizeof(ll)));
	msg->msg_namelen = sizeof(ll);
}

static void put_auxdata(
	const struct sock_packet *p, struct sock_cmsg *c, const struct plx_net_frame *f)
{
	struct tpacket_auxdata aux = {.tp_status = TP_STATUS_USER,
		.tp_len = f->bytes - (p->cooked ? f->link_bytes : 0u),
		.tp_snaplen = f->snap_bytes,
		.tp_net = p->cooked ? 0 : f->link_bytes};

	if (f->no_csum)
		aux.tp_status |= TP_STATUS_CSUMNOTREADY;
	else if (f->csum_ok)
		aux.tp_status |= TP_STATUS_CSUM_VALID;
	if (f->tpid) {
		aux.tp_vlan_tci = f->tci;
		aux.tp_vlan_tpid = f->tpid;
		aux.tp_status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
	}
	sock__cmsg_put(c, SOL_PACKET, PACKET_AUXDATA, &aux, sizeof(aux));
}

static void put_cmsgs(
	const struct sock_packet *p, struct msghdr *msg, const struct plx_net_frame *f)
{
	const struct sock_opts *o = sock__opts(&p->f);
	struct sock_cmsg c = sock__cmsg_begin(msg);

	if (o->timestamp || o->timestampns)
		sock__cmsg_put_stamp(&c, o, f->real_ns ? f->real_ns : sock__real_ns());
	if (o->rxq_ovfl && f->user)
		sock__cmsg_put(&c, SOL_SOCKET, SO_RXQ_OVFL, &f->user, sizeof(f->user));
	if (p->auxdata)
		put_auxdata(p, &c, f);
	sock__cmsg_end(&c);
}

static long receive(struct sock_packet *p, struct sock_op *op)
{
	struct rte_mbuf *m = p->head;
	const struct plx_net_frame *f = plx_net_frame_of(m);
	struct msghdr *msg = op->recv;
	size_t room = sock__iov_bytes(msg), whole = m->pkt_len, n = PLX_MIN(room, whole);

	if (n && sock__iov_bad(msg))
		return -EFAULT;
	if (n < whole)
		msg->msg_flags |= MSG_TRUNC;
	sock__iov_put_mbuf(msg, 0, m, n);
	if (msg->msg_name)
		put_name(p, msg, f);
	put_cmsgs(p, msg, f);
	if (!(op->flags & MSG_PEEK))
		rte_pktmbuf_free(pop(p));
	return (long)(op->flags & MSG_TRUNC ? whole : n);
}

long sock__packet_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_packet *p = (struct sock_packet *)f;

	op->recv->msg_flags = 0;
	if (op->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (op->flags & MSG_ERRQUEUE) { /* where only time stamps of what was sent would be */
		op->block = false;
		return -EAGAIN;
	}
	if (f->err)
		return sock__dgram_pending(f);
	if (p->head)
		return receive(p, op);
	if (sock__is(f, SOCKF_NONBLOCK) || op->flags & MSG_DONTWAIT)
		op->block = false;
	return sock__again(op, SOCK_IN | EPOLLERR, sock__opts(f)->rcvtimeo_us);
}

struct rte_mbuf *sock__packet_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err)
{
	struct sock_packet *p = (struct sock_packet *)f;

	*err = 0;
	if (f->err)
		*err = -sock__dgram_pending(f);
	else if (!p->head)
		*err = EAGAIN;
	return *err ? NULL : pop(p);
}
