/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

/*
 * Raw sockets (raw(7), ipv6(7); Linux's net/ipv4/raw.c, net/ipv6/raw.c): an IP protocol with the
 * headers above it. Their queue, their options and what is told of a packet are those of UDP's.
 * IPv4's packets come with their header; with IP_HDRINCL they are sent with one, too.
 */

#define ICMP6_CHECK_AT 2

static struct sock_raw *raw_of(struct sock_file *f)
{
	return (struct sock_raw *)f;
}

static uint8_t proto_of(const struct sock_file *f)
{
	return (uint8_t)f->spare;
}

bool sock__raw_includes_header(const struct sock_file *f)
{
	return !sock__is(f, SOCKF_V6) && (sock__opts(f)->hdrincl || proto_of(f) == IPPROTO_RAW);
}

/* ---- in ---- */

/* ICMP_FILTER, ICMPV6_FILTER: a bit for each type that is not wanted. */
static bool filtered(const struct sock_raw *r, const struct rte_mbuf *m, uint32_t hdr_bytes)
{
	uint8_t proto = proto_of(&r->d.f), type;

	if ((proto != IPPROTO_ICMP && proto != IPPROTO_ICMPV6) || m->data_len <= hdr_bytes)
		return false;
	type = *rte_pktmbuf_mtod_offset(m, const uint8_t *, hdr_bytes);
	if (proto == IPPROTO_ICMP && type >= 32)
		return false;
	return r->filter[type / 32] & 1u << type % 32;
}

static void on_rx(struct plx_softnet *sn, struct plx_net_raw *n, struct rte_mbuf *m,
	const struct plx_net_rx *rx)
{
	struct sock_raw *r = plx_container_of(n, struct sock_raw, net);
	struct plx_net_udp_msg msg = {
		.src = rx->ip.src,
		.dst = rx->ip.dst,
		.iface = rx->iface,
		.ttl = rx->ip.ttl,
		.tos = rx->ip.tos,
		.to_many = rx->to_many,
	};

	if (filtered(r, m, rx->ip.hdr_bytes)) {
		rte_pktmbuf_free(m);
		return;
	}
	if (n->v6)
		rte_pktmbuf_adj(m, rx->ip.hdr_bytes);
	sock__dgram_push(&r->d, m, &msg);
}

/* What it hears follows what it is bound and connected to. */
static void tune(struct sock_raw *r)
{
	const struct sock_dgram *d = &r->d;

	r->net.laddr = d->laddr;
	r->net.raddr = d->raddr;
	r->net.iface = sock__opts(&d->f)->iface;
}

/* ---- out ---- */

static int where(
	const struct sock_dgram *d, const struct msghdr *m, struct plx_addr *dst, uint16_t *iface)
{
	uint16_t port;
	int err;

	*iface = d->riface;
	*dst = d->raddr;
	if (!m->msg_name || !m->msg_namelen)
		return d->connected ? 0 : -EDESTADDRREQ;
	err = sock__addr_get(&d->f, m->msg_name, m->msg_namelen, dst, &port, iface);
	if (!err && !sock__is(&d->f, SOCKF_V6) != plx_addr_is_v4(dst))
		err = -EINVAL;
	return err;
}

/* The header is the caller's, but for what Linux fills in as well. @return its length or -EINVAL.
 */
static int header(const struct sock_op *op, struct plx_ip *ip)
{
	uint8_t h[PLX_IP4_BYTES];
	struct sock_iov it = sock__iov_at(op->send, 0);
	size_t at = 0, n;
	void *p;

	while (at < sizeof(h) && sock__iov_next(&it, &p, &n)) {
		n = PLX_MIN(n, sizeof(h) - at);
		memcpy(h + at, p, n);
		at += n;
	}
	if (at < sizeof(h) || h[0] >> 4 != 4 || (h[0] & 15) < 5)
		return -EINVAL;
	ip->tos = h[1];
	ip->df = h[6] & 0x40;
	ip->ttl = h[8];
	ip->proto = h[9];
	if (h[12] | h[13] | h[14] | h[15])
		ip->src = plx_addr_from_v4(h + 12);
	return (h[0] & 15) * 4;
}

/* ICMPv6's checksum is the stack's to make (RFC 3542 3.1). */
static void put_check(struct rte_mbuf *m, const struct plx_ip *ip)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t check = 0;

	if (ip->proto != IPPROTO_ICMPV6 || m->data_len < ICMP6_CHECK_AT + 2)
		return;
	memcpy(p + ICMP6_CHECK_AT, &check, 2);
	check = plx_cksum_finish(
		plx_cksum_combine(plx_cksum_pseudo(&ip->src, &ip->dst, ip->proto, m->pkt_len),
			plx_pkt_csum_sum(m, 0, m->pkt_len), 0));
	memcpy(p + ICMP6_CHECK_AT, &check, 2);
}

/* ip_sk_ignore_df(), ip6_sk_ignore_df() */
static bool may_fragment(const struct sock_opts *o, bool v4)
{
	uint8_t set = v4 ? o->pmtudisc : o->pmtudisc6;

	return set < PLX_NET_PMTU(IP_PMTUDISC_DO) || set == PLX_NET_PMTU(IP_PMTUDISC_OMIT);
}

/* Is it longer than what may go at once? A header of the caller's is another matter. */
static bool too_long(const struct sock_dgram *d, const struct sock_op *op, uint16_t mtu)
{
	bool v4 = !sock__is(&d->f, SOCKF_V6);
	size_t hdr = v4 ? PLX_IP4_BYTES : PLX_IP6_BYTES;

	return !may_fragment(sock__opts(&d->f), v4) && !sock__raw_includes_header(&d->f) &&
	       sock__iov_bytes(op->send) + hdr > mtu;
}

static int describe(struct sock_dgram *d, const struct sock_op *op, struct plx_ip *ip,
	struct plx_net_udp_msg *how)
{
	const struct sock_opts *o = sock__opts(&d->f);
	bool v4 = !sock__is(&d->f, SOCKF_V6);
	struct plx_net_way way;
	uint16_t scope;
	int err = where(d, op->send, &how->dst, &scope);

	if (!err)
		err = sock__dgram_how(d, op, scope, how);
	if (err)
		return err;
	*ip = (struct plx_ip){.src = how->src,
		.dst = how->dst,
		.proto = proto_of(&d->f),
		.tos = how->tos,
		.ttl = how->ttl,
		.df = v4 && o->pmtudisc != PLX_NET_PMTU(IP_PMTUDISC_DONT)};
	err = plx_net_way(d->sl->sn, &ip->dst, how->iface, how->bound, &way);
	if (err)
		return err;
	if (way.bcast && !o->broadcast)
		return -EACCES;
	if (too_long(d, op, way.mtu))
		return -EMSGSIZE;
	if (plx_addr_is_any(&ip->src))
		ip->src = way.src;
	return 0;
}

static long send_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_dgram *d = &raw_of(f)->d;
	size_t len = sock__iov_bytes(op->send);
	struct plx_ip ip = {0};
	struct plx_net_udp_msg how = {0};
	struct rte_mbuf *m;
	int err, skip = 0;

	op->block = false;
	if (len > 65535)
		return -EMSGSIZE;
	if (op->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = sock__dgram_pending(f);
	if (!err && sock__is(f, SOCKF_SND_SHUT))
		err = -EPIPE;
	if (!err)
		err = describe(d, op, &ip, &how);
	if (!err && sock__iov_bad(op->send))
		err = -EFAULT;
	if (!err && sock__raw_includes_header(f)) {
		skip = header(op, &ip);
		err = skip < 0 ? skip : skip > (int)len ? -EINVAL : 0;
	}
	if (err)
		return err;
	m = sock__dgram_fill(sl, NULL, op->send, (size_t)skip, len - (size_t)skip);
	if (!m)
		return -ENOBUFS;
	if (sock__is(f, SOCKF_V6))
		put_check(m, &ip);
	err = plx_net_errno(plx_net_ip_send_as(sl->sn, m, &ip, &how));
	return err ? -err : (long)len;
}

/* ---- its life ---- */

static long bind_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_raw *r = raw_of(f);
	uint16_t port, iface;
	struct plx_addr a;
	int err = sock__bind_addr(sl, f, op, &a, &port, &iface);

	if (err)
		return err;
	r->d.laddr = a;
	tune(r);
	return 0;
}

static long connect_run(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_raw *r = raw_of(f);
	struct sock_dgram *d = &r->d;
	uint16_t port;
	int err = 0;

	if (!op->addr)
		return -EFAULT;
	if (op->addr_len < sizeof(op->addr->sa_family))
		return -EINVAL;
	d->connected = op->addr->sa_family != AF_UNSPEC;
	memset(&d->raddr, 0, sizeof(d->raddr));
	if (d->connected)
		err = sock__addr_get(f, op->addr, op->addr_len, &d->raddr, &port, &d->riface);
	if (err)
		d->connected = false;
	tune(r);
	return err;
}

static long name_run(struct sock_lcore *sl, struct sock_file *f, bool peer, struct plx_addr *a,
	uint16_t *port, uint16_t *iface)
{
	const struct sock_dgram *d = &raw_of(f)->d;

	if (peer && !d->connected)
		return -ENOTCONN;
	*a = peer ? d->raddr : d->laddr;
	*port = peer ? 0 : proto_of(f); /* inet_num */
	*iface = peer ? d->riface : sock__opts(f)->iface;
	return 0;
}

static long applied(struct sock_lcore *sl, struct sock_file *f, int level, int name)
{
	tune(raw_of(f));
	return 0;
}

static void release(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_raw *r = raw_of(f);

	plx_net_raw_del(sl->sn, &r->net);
	sock__mc_leave_all(&r->d);
	sock__dgram_queue_free(&r->d);
	sock__dgram_errs_free(sl, f);
	sock__cold_free(sl, f);
	sock__free(sl, r, sizeof(*r));
}

const struct sock_kind sock__raw_kind = {
	.type = SOCK_RAW,
	.protocol = IPPROTO_RAW,
	.poll = sock__dgram_poll,
	.bind = bind_run,
	.connect = connect_run,
	.shutdown = sock__dgram_shutdown,
	.recv = sock__dgram_recv,
	.send = send_run,
	.recv_mbuf = sock__dgram_recv_mbuf,
	.name = name_run,
	.queued = sock__dgram_queued,
	.applied = applied,
	.release = release,
};

long sock__raw_new(struct sock_lcore *sl, int domain, int protocol, int flags)
{
	static const uint8_t none[4];
	struct sock_raw *r;
	int fd;

	if (protocol <= 0 || protocol > 255)
		return -EPROTONOSUPPORT;
	r = sock__alloc(sl, sizeof(*r));
	if (!r)
		return -ENOBUFS;
	r->d.f.kind = &sock__raw_kind;
	r->d.f.flags = sock__flags(flags) | (domain == AF_INET6 ? SOCKF_V6 : 0);
	r->d.f.spare = (uint32_t)protocol;
	r->d.sl = sl;
	if (domain == AF_INET)
		r->d.laddr = plx_addr_from_v4(none);
	fd = sock__fd_new(sl, &r->d.f);
	if (fd < 0) {
		sock__free(sl, r, sizeof(*r));
		return fd;
	}
	plx_list_init(&r->net.node);
	r->net.rx = on_rx;
	r->net.proto = (uint8_t)protocol;
	r->net.v6 = domain == AF_INET6;
	tune(r);
	if (protocol != IPPROTO_RAW) /* which is for sending alone */
		plx_net_raw_add(sl->sn, &r->net);
	return fd;
}

/* ---- options ---- */

/* 0: packets of its protocol have no types. */
static size_t filter_bytes(const struct sock_file *f)
{
	if (sock__is(f, SOCKF_V6))
		return proto_of(f) == IPPROTO_ICMPV6 ? sizeof(struct icmp6_filter) : 0;
	return proto_of(f) == IPPROTO_ICMP ? sizeof(uint32_t) : 0;
}

static long set_filter(struct sock_optarg *a)
{
	struct sock_raw *r = raw_of(a->f);
	size_t most = filter_bytes(a->f);

	if (!most)
		return -EOPNOTSUPP;
	if (a->len && !a->op->cvalue)
		return -EFAULT;
	if (a->len)
		memcpy(r->filter, a->op->cvalue, PLX_MIN((size_t)a->len, most));
	return 0;
}

static long get_filter(struct sock_optarg *a)
{
	size_t n = filter_bytes(a->f);

	return n ? sock__opt_put(a, raw_of(a->f)->filter, n) : -EOPNOTSUPP;
}

#define ICMP_FILTER_OPT 1 /* <linux/icmp.h>'s ICMP_FILTER */

static const struct sock_optdef raw_defs[] = {
	{ICMP_FILTER_OPT, SOCK_OPT_BYTES, .set = set_filter, .get = get_filter},
};
static const struct sock_optdef icmp6_defs[] = {
	{ICMP6_FILTER, SOCK_OPT_BYTES, .set = set_filter, .get = get_filter},
};

const struct sock_optlevel sock__level_raw = {
	.level = SOL_RAW,
	.def = raw_defs,
	.n = PLX_DIM(raw_defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};
const struct sock_optlevel sock__level_icmp6 = {
	.level = IPPROTO_ICMPV6,
	.def = icmp6_defs,
	.n = PLX_DIM(icmp6_defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};
