/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram.h"

#include <netinet/in.h>

#include "opt.h"

/* Datagrams on their way out: sendmsg(2) as Linux's udp_sendmsg() and udpv6_sendmsg() take it. */

#define UDP_BYTES_MAX	0xffff
#define PAYLOAD_MAX(v4) (UDP_BYTES_MAX - (int)PLX_UDP_BYTES - ((v4) ? (int)PLX_IP4_BYTES : 0))

/* ---- where to ---- */

struct dest {
	struct plx_addr a;
	uint16_t port, scope;
	bool peer; /* the one that it is connected to */
};

static int named(const struct sock_dgram *d, const struct msghdr *m, struct dest *to)
{
	socklen_t len = PLX_MIN(m->msg_namelen, (socklen_t)sizeof(struct sockaddr_storage));
	int err = sock__dgram_addr(&d->f, m->msg_name, len, &to->a, &to->port, &to->scope);

	if (err)
		return err;
	sock__dgram_self(d, &to->a);
	to->peer = false;
	return to->port ? 0 : -EINVAL;
}

/* On a socket of IPv6 an address without a family is none. */
static bool has_name(const struct sock_dgram *d, const struct msghdr *m)
{
	if (!m->msg_name || !m->msg_namelen)
		return false;
	return !sock__is(&d->f, SOCKF_V6) ||
	       ((const struct sockaddr *)m->msg_name)->sa_family != AF_UNSPEC;
}

static int dest_of(struct sock_dgram *d, const struct msghdr *m, struct dest *to)
{
	if (has_name(d, m))
		return named(d, m, to);
	if (!d->connected) /* it has a port from now on (inet_send_prepare()) */
		return sock__dgram_autobind(d, NULL, 0) ? -EAGAIN : -EDESTADDRREQ;
	*to = (struct dest){.a = d->raddr, .port = d->rport, .scope = d->riface, .peer = true};
	return 0;
}

/* ---- what is said with it ---- */

/* IP's options, and what the call says otherwise. */
static void put_ip(const struct sock_dgram *d, const struct sock_cmsg_tx *tx, bool many,
	struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	bool v4 = plx_addr_is_v4(&msg->dst);
	int ttl = many ? (v4 ? o->mc_ttl : o->mc_hops) : v4 ? o->ttl : PLX_MAX(o->hops, 0);

	msg->ttl = (uint8_t)(tx->ttl >= 0 ? tx->ttl : ttl);
	msg->no_wire = many && !msg->ttl;
	msg->tos = (uint8_t)(tx->tos >= 0 ? tx->tos : v4 ? o->tos : o->tclass);
	msg->pmtudisc = v4 ? o->pmtudisc : o->pmtudisc6;
	if (!v4 && (tx->dontfrag >= 0 ? tx->dontfrag : o->dontfrag))
		msg->pmtudisc = PLX_NET_PMTU(IP_PMTUDISC_DO);
	msg->no_loop = many && !(v4 ? o->mc_loop : o->mc6_loop);
	msg->no_check = v4 ? o->no_check : o->no_check6;
	msg->gso = tx->gso >= 0 ? (uint16_t)tx->gso : o->udp_segment;
}

/* The source: of the call, of bind() or connect(), or of IP_MULTICAST_IF. */
static int put_src(const struct sock_dgram *d, const struct sock_cmsg_tx *tx, bool many,
	struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);

	msg->src = d->laddr;
	if (!plx_addr_is_any(&tx->src)) {
		if (!plx_net_is_ours(d->sl->sn, &tx->src, 0))
			return plx_addr_is_v4(&tx->src) ? -ENETUNREACH : -EINVAL;
		msg->src = tx->src;
	} else if (many && plx_addr_is_any(&msg->src) && plx_addr_is_v4(&msg->dst)) {
		msg->src = o->mc_src;
	}
	if (plx_addr_is_any(&msg->src) || plx_addr_is_v4(&msg->src) == plx_addr_is_v4(&msg->dst))
		return 0;
	return plx_addr_is_v4(&msg->dst) ? -ENETUNREACH : -EAFNOSUPPORT;
}

static void put_iface(const struct sock_dgram *d, const struct sock_cmsg_tx *tx, uint16_t scope,
	struct plx_net_udp_msg *msg)
{
	msg->iface = sock__dgram_iface(d, &msg->dst, scope, &msg->bound);
	if (tx->iface) {
		msg->iface = tx->iface;
		msg->bound = true;
	}
}

int sock__dgram_how(const struct sock_dgram *d, const struct sock_op *op, uint16_t scope,
	struct plx_net_udp_msg *msg)
{
	bool v4 = plx_addr_is_v4(&msg->dst), many = plx_addr_is_mcast(&msg->dst);
	struct sock_cmsg_tx tx;
	int err = sock__cmsg_get(&d->f, op->send, v4, &tx);

	if (err)
		return err;
	if (v4 && sock__is(&d->f, SOCKF_V6) && sock__opts(&d->f)->v6only)
		return -ENETUNREACH;
	put_ip(d, &tx, many, msg);
	put_iface(d, &tx, scope, msg);
	if (msg->iface && !sock__iface_is(d->sl, msg->iface))
		return tx.iface || v4 ? -ENODEV : -ENETUNREACH;
	return put_src(d, &tx, many, msg);
}

/* All that the stack has to know but the bytes. */
static int describe(struct sock_dgram *d, const struct sock_op *op, const struct dest *to,
	struct plx_net_udp_msg *msg)
{
	int err;

	*msg = (struct plx_net_udp_msg){.dst = to->a, .dport = to->port};
	err = sock__dgram_how(d, op, to->scope, msg);
	if (err)
		return err;
	if (sock__dgram_autobind(d, &to->a, to->port) != 0)
		return -EAGAIN;
	msg->sport = d->udp->s.lport;
	return 0;
}

/*
 * Only who has asked for it may talk to everybody, and SO_DONTROUTE passes no gateway. What else is
 * wrong with the way is told when the datagram is sent, and counted there.
 */
static int check_way(const struct sock_dgram *d, const struct sock_op *op, const struct dest *to,
	const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	bool near = o->dontroute || op->flags & MSG_DONTROUTE;
	struct plx_net_way way;

	if (!plx_addr_is_v4(&to->a) || (!near && (to->peer || o->broadcast)))
		return 0;
	if (plx_net_way(d->sl->sn, &to->a, msg->iface, msg->bound, &way) != 0)
		return 0;
	if (way.bcast && !o->broadcast && !to->peer)
		return -EACCES;
	return near && way.by_gateway ? -ENETUNREACH : 0;
}

/* ---- the bytes ---- */

struct rte_mbuf *sock__dgram_fill(
	struct sock_lcore *sl, struct rte_mbuf *m, const struct msghdr *msg, size_t off, size_t n)
{
	struct rte_mbuf *head = m ? m : plx_softnet_alloc(sl->sn), *last;
	struct sock_iov it = sock__iov_at(msg, off);
	size_t part;
	void *from;

	if (!head)
		return NULL;
	last = rte_pktmbuf_lastseg(head);
	while (n && sock__iov_next(&it, &from, &part)) {
		for (part = PLX_MIN(part, n), n -= part; part;) {
			uint16_t room = rte_pktmbuf_tailroom(last);
			uint16_t k = (uint16_t)PLX_MIN((size_t)room, part);

			memcpy(rte_pktmbuf_mtod_offset(last, void *, last->data_len), from, k);
			last->data_len = (uint16_t)(last->data_len + k);
			head->pkt_len += k;
			from = (uint8_t *)from + k;
			part -= k;
			if (!part)
				break;
			last->next = plx_softnet_alloc(sl->sn);
			if (!last->next) {
				rte_pktmbuf_free(head);
				return NULL;
			}
			last = last->next;
			head->nb_segs++;
		}
	}
	return head;
}

static int no_memory(bool v4)
{
	plx_stat_inc(v4 ? PLX_STAT_UDP_SNDBUFERRORS : PLX_STAT_UDP6_SNDBUFERRORS);
	return -ENOBUFS;
}

/* ---- and off ---- */

static int check_len(const struct plx_net_udp_msg *msg, size_t len)
{
	if (len > (size_t)PAYLOAD_MAX(plx_addr_is_v4(&msg->dst)))
		return -EMSGSIZE;
	if (msg->gso && (msg->no_check || len > (size_t)msg->gso * PLX_NET_UDP_SEGMENTS_MAX))
		return -EINVAL;
	return 0;
}

/* ip_send_skb(): that a queue was full is for who has asked for errors. */
static int told(struct sock_dgram *d, enum plx_drop drop, const struct plx_net_udp_msg *msg)
{
	const struct sock_opts *o = sock__opts(&d->f);
	int err = drop == PLX_DROP_NONE ? 0 : plx_net_errno(drop);

	if (err == EMSGSIZE)
		sock__dgram_too_big(d, msg);
	if (err == ENOBUFS && !(plx_addr_is_v4(&msg->dst) ? o->recverr : o->recverr6))
		return 0;
	return -err;
}

/* Takes m. */
static int transmit(struct sock_dgram *d, struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	return told(d, plx_net_udp_send(d->sl->sn, m, msg), msg);
}

/* ---- several calls for one datagram ---- */

void sock__dgram_cork_free(struct sock_dgram *d)
{
	struct sock_cork *k = d->cork;

	if (!k)
		return;
	d->cork = NULL;
	rte_pktmbuf_free(k->m);
	sock__free(d->sl, k, sizeof(*k));
}

long sock__dgram_uncork(struct sock_dgram *d)
{
	struct sock_cork *k = d->cork;
	struct plx_net_udp_msg msg;
	struct rte_mbuf *m;

	if (!k)
		return 0;
	m = k->m;
	msg = k->msg;
	k->m = NULL;
	sock__dgram_cork_free(d);
	return m ? transmit(d, m, &msg) : 0;
}

static long add(struct sock_dgram *d, const struct sock_op *op, size_t len, bool more)
{
	struct sock_cork *k = d->cork;
	bool v4 = plx_addr_is_v4(&k->msg.dst);
	int err = check_len(&k->msg, len + (k->m ? k->m->pkt_len : 0));

	if (!err) {
		k->m = sock__dgram_fill(d->sl, k->m, op->send, 0, len);
		err = k->m ? 0 : no_memory(v4);
	}
	if (err) {
		sock__dgram_cork_free(d);
		return err;
	}
	if (!more)
		err = (int)sock__dgram_uncork(d);
	return err ? err : (long)len;
}

static int cork(struct sock_dgram *d, const struct plx_net_udp_msg *msg)
{
	d->cork = sock__alloc(d->sl, sizeof(*d->cork));
	if (!d->cork)
		return -ENOBUFS;
	d->cork->msg = *msg;
	return 0;
}

/* MSG_ZEROCOPY: where the program has it, if it can be. */
static int send_lent(struct sock_dgram *d, struct sock_op *op, const struct plx_net_udp_msg *msg)
{
	struct plx_net_udp_msg how = *msg;
	struct rte_mbuf *m;
	enum plx_drop drop;
	int err = sock__zc_begin(d->sl, &d->f, op);
	bool kept, sent;

	if (err)
		return err;
	m = sock__zc_datagram(d->sl, op);
	how.keep = m;
	if (!m) {
		m = sock__dgram_fill(d->sl, NULL, op->send, 0, sock__iov_bytes(op->send));
		sock__zc_copied(op);
	}
	if (!m) {
		sock__zc_end(op, false);
		return no_memory(plx_addr_is_v4(&msg->dst));
	}
	drop = plx_net_udp_send(d->sl->sn, m, &how);
	kept = how.keep && drop != PLX_DROP_NONE && drop != PLX_DROP_NO_MBUF;
	sent = !plx_net_errno(drop) || drop == PLX_DROP_NO_MBUF; /* for all that it knows */
	if (kept && sent)
		rte_pktmbuf_free(m);
	else if (kept)
		sock__zc_refused(op, m);
	sock__zc_end(op, sent);
	return told(d, drop, msg);
}

static long send_one(
	struct sock_dgram *d, struct sock_op *op, const struct plx_net_udp_msg *msg, size_t len)
{
	struct rte_mbuf *m;
	int err = check_len(msg, len);

	if (err)
		return err;
	if (sock__zc_wanted(&d->f, op, len + PLX_UDP_BYTES)) {
		err = send_lent(d, op, msg);
		return err ? err : (long)len;
	}
	m = sock__dgram_fill(d->sl, NULL, op->send, 0, len);
	if (!m)
		return no_memory(plx_addr_is_v4(&msg->dst));
	err = transmit(d, m, msg);
	return err ? err : (long)len;
}

/* What there is to say of a datagram, and whether it may be sent. */
static int prepare(struct sock_dgram *d, const struct sock_op *op, struct plx_net_udp_msg *msg)
{
	struct dest to;
	int err = dest_of(d, op->send, &to);

	if (!err)
		err = describe(d, op, &to, msg);
	if (!err)
		err = check_way(d, op, &to, msg);
	if (!err)
		err = sock__dgram_pending(&d->f);
	return !err && sock__is(&d->f, SOCKF_SND_SHUT) ? -EPIPE : err;
}

/* Into one datagram with what others give: by a copy, which MSG_ZEROCOPY is told of. */
static long add_more(struct sock_dgram *d, struct sock_op *op, size_t len, bool more)
{
	size_t bytes = len + (d->cork->m ? 0 : PLX_UDP_BYTES);
	long r = sock__zc_wanted(&d->f, op, bytes) ? sock__zc_begin(d->sl, &d->f, op) : 0;

	if (plx_unlikely(r))
		sock__dgram_cork_free(d);
	else
		r = add(d, op, len, more);
	if (plx_unlikely(op->zc)) {
		sock__zc_copied(op);
		sock__zc_end(op, r >= 0);
	}
	return r;
}

long sock__dgram_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = (struct sock_dgram *)f;
	bool more = op->flags & MSG_MORE || sock__opts(f)->udp_cork;
	size_t len = sock__iov_bytes(op->send);
	struct plx_net_udp_msg msg;
	int err;

	op->block = false;
	if (len > UDP_BYTES_MAX)
		return -EMSGSIZE;
	if (op->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (plx_unlikely(sock__iov_bad(op->send)))
		return -EFAULT;
	if (d->cork)
		return add_more(d, op, len, more);
	err = prepare(d, op, &msg);
	if (err)
		return err;
	if (!more)
		return send_one(d, op, &msg, len);
	err = cork(d, &msg);
	return err ? err : add_more(d, op, len, more);
}

long sock__dgram_send_mbuf(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = (struct sock_dgram *)f;
	uint32_t len = op->mbuf->pkt_len;
	struct plx_net_udp_msg msg;
	int err;

	if (len > UDP_BYTES_MAX)
		return -EMSGSIZE;
	if (d->cork || sock__opts(f)->udp_cork || op->flags & MSG_MORE)
		return -EINVAL;
	err = prepare(d, op, &msg);
	if (!err)
		err = check_len(&msg, len);
	if (err)
		return err;
	err = plx_net_udp_send_lent(sl->sn, op->mbuf, &msg, op->lent);
	if (err == -EMSGSIZE)
		sock__dgram_too_big(d, &msg);
	return err ? err : (long)len;
}
