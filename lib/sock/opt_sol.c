/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"

#include <linux/sock_diag.h>
#include <sys/time.h>

#include "dgram.h"
#include "packet.h"

/* SOL_SOCKET (Linux's net/core/sock.c). */

#define RCVBUF_LEAST 2304 /* SOCK_MIN_RCVBUF */
#define SNDBUF_LEAST 4608

/* ---- buffers ---- */

uint32_t sock__rcvbuf(const struct sock_lcore *sl, const struct sock_file *f)
{
	const struct sock_opts *o = sock__opts(f);

	return o->rcvbuf ? o->rcvbuf : (uint32_t)sock__tun(sl, PLX_TUN_RMEM_DEFAULT);
}

uint32_t sock__sndbuf(const struct sock_lcore *sl, const struct sock_file *f)
{
	const struct sock_opts *o = sock__opts(f);

	return o->sndbuf ? o->sndbuf : (uint32_t)sock__tun(sl, PLX_TUN_WMEM_DEFAULT);
}

/* Doubled, as what is kept with the bytes counts too. */
static uint32_t doubled(int64_t v, uint32_t least)
{
	return (uint32_t)PLX_MAX(PLX_MIN(v, INT32_MAX / 2) * 2, (int64_t)least);
}

static long set_rcvbuf(struct sock_optarg *a)
{
	a->opt->rcvbuf = doubled(
		PLX_MIN((int64_t)(uint32_t)a->v, sock__tun(a->sl, PLX_TUN_RMEM_MAX)), RCVBUF_LEAST);
	return 0;
}

static long set_sndbuf(struct sock_optarg *a)
{
	a->opt->sndbuf = doubled(
		PLX_MIN((int64_t)(uint32_t)a->v, sock__tun(a->sl, PLX_TUN_WMEM_MAX)), SNDBUF_LEAST);
	return 0;
}

static long force_rcvbuf(struct sock_optarg *a)
{
	a->opt->rcvbuf = doubled(PLX_MAX(a->v, 0), RCVBUF_LEAST);
	return 0;
}

static long force_sndbuf(struct sock_optarg *a)
{
	a->opt->sndbuf = doubled(PLX_MAX(a->v, 0), SNDBUF_LEAST);
	return 0;
}

static long get_rcvbuf(struct sock_optarg *a)
{
	struct plx_net_tcp *tc = sock__tcp_of(a->f);

	if (a->f->kind->type != SOCK_STREAM || sock__opts(a->f)->rcvbuf)
		a->v = (int)sock__rcvbuf(a->sl, a->f);
	else
		a->v = (int)(tc ? 2 * plx_net_tcp_tcb(tc)->rcv.buf
				: sock__tun(a->sl, PLX_TUN_TCP_RMEM_DEFAULT));
	return 0;
}

static long get_sndbuf(struct sock_optarg *a)
{
	struct plx_net_tcp *tc = sock__tcp_of(a->f);

	if (a->f->kind->type != SOCK_STREAM || sock__opts(a->f)->sndbuf)
		a->v = (int)sock__sndbuf(a->sl, a->f);
	else
		a->v = (int)(tc ? plx_tcp_sndbuf(plx_net_tcp_tcb(tc))
				: sock__tun(a->sl, PLX_TUN_TCP_WMEM_DEFAULT));
	return 0;
}

/* tcp_set_rcvlowat() */
static long set_rcvlowat(struct sock_optarg *a)
{
	int64_t v = a->v < 0 ? INT32_MAX : a->v, cap = INT32_MAX;

	if (a->f->kind->type == SOCK_STREAM)
		cap = (a->opt->rcvbuf ? a->opt->rcvbuf : sock__tun(a->sl, PLX_TUN_TCP_RMEM_MAX)) /
		      2;
	v = PLX_MIN(v, cap);
	a->opt->rcvlowat = v ? (uint32_t)v : 1;
	return 0;
}

static long get_one(struct sock_optarg *a)
{
	a->v = 1;
	return 0;
}

/* SO_BSDCOMPAT has no meaning since Linux 2.2. */
static long ignore(struct sock_optarg *a)
{
	return 0;
}

static long get_meminfo(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);
	struct plx_net_tcp *tc = sock__tcp_of(a->f);
	uint32_t v[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = tc  ? plx_net_tcp_rmem(tc)
					  : p ? p->rmem
					      : sock__dgram_rmem(a->f),
		[SK_MEMINFO_WMEM_QUEUED] = tc ? plx_net_tcp_wmem(tc) : 0,
		[SK_MEMINFO_DROPS] = p ? sock__packet_drops(p) : sock__dgram_drops(a->f),
	};

	get_rcvbuf(a);
	v[SK_MEMINFO_RCVBUF] = (uint32_t)a->v;
	get_sndbuf(a);
	v[SK_MEMINFO_SNDBUF] = (uint32_t)a->v;
	return sock__opt_put(a, v, sizeof(v));
}

/* ---- times ---- */

#define AT_ONCE_US 1 /* a negative time: Linux's calls never wait then */

static int64_t *timeo_of(const struct sock_optarg *a, struct sock_opts *o)
{
	bool rcv = a->def->name == SO_RCVTIMEO_OLD || a->def->name == SO_RCVTIMEO_NEW;

	return rcv ? &o->rcvtimeo_us : &o->sndtimeo_us;
}

static long set_timeo(struct sock_optarg *a)
{
	int64_t *us = timeo_of(a, a->opt);
	struct timeval tv;
	long err = sock__opt_take(a, &tv, sizeof(tv));

	if (err)
		return err;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		*us = AT_ONCE_US;
	else if (tv.tv_sec >= INT64_MAX / 1000000 - 1) /* so long that it is for ever */
		*us = 0;
	else
		*us = (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
	return 0;
}

static long get_timeo(struct sock_optarg *a)
{
	struct sock_opts o = *sock__opts(a->f);
	int64_t us = *timeo_of(a, &o);
	struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

	if (us == AT_ONCE_US)
		tv.tv_usec = 0;
	return sock__opt_put(a, &tv, sizeof(tv));
}

static long set_linger(struct sock_optarg *a)
{
	struct linger l;
	long err = sock__opt_take(a, &l, sizeof(l));

	if (err)
		return err;
	if (l.l_onoff)
		a->opt->linger_s = l.l_linger < 0 ? INT32_MAX : l.l_linger;
	else if (a->opt->linger_s >= 0) /* off, and remembered */
		a->opt->linger_s = ~a->opt->linger_s;
	return 0;
}

static long get_linger(struct sock_optarg *a)
{
	int32_t s = sock__opts(a->f)->linger_s;
	struct linger l = {.l_onoff = s >= 0, .l_linger = s >= 0 ? s : ~s};

	return sock__opt_put(a, &l, sizeof(l));
}

static bool is_ns(int name)
{
	return name == SO_TIMESTAMPNS_OLD || name == SO_TIMESTAMPNS_NEW;
}

static bool is_new(int name)
{
	return name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW;
}

static long set_timestamp(struct sock_optarg *a)
{
	a->opt->timestampns = a->v && is_ns(a->def->name);
	a->opt->timestamp = a->v && !is_ns(a->def->name);
	a->opt->stamp_new = a->v && is_new(a->def->name);
	return 0;
}

static long get_timestamp(struct sock_optarg *a)
{
	const struct sock_opts *o = sock__opts(a->f);

	a->v = (is_ns(a->def->name) ? o->timestampns : o->timestamp) &&
	       o->stamp_new == is_new(a->def->name);
	return 0;
}

/* Only those that can: TCP and UDP. */
static long set_zerocopy(struct sock_optarg *a)
{
	if (!a->f->kind->send_mbuf)
		return -EOPNOTSUPP;
	if (a->v < 0 || a->v > 1)
		return -EINVAL;
	a->opt->zerocopy = a->v;
	return 0;
}

/* Likewise. */
static bool has_peek_off(const struct sock_file *f)
{
	return f->kind->type != SOCK_RAW && !f->kind->domain;
}

static long set_peek_off(struct sock_optarg *a)
{
	if (!has_peek_off(a->f))
		return -EOPNOTSUPP;
	a->opt->peek_off = a->v;
	return 0;
}

static long get_peek_off(struct sock_optarg *a)
{
	return has_peek_off(a->f) ? 0 : -EOPNOTSUPP;
}

/* ---- what it is ---- */

static long get_type(struct sock_optarg *a)
{
	a->v = a->f->kind->type;
	return 0;
}

static long get_protocol(struct sock_optarg *a)
{
	a->v = a->f->kind->type == SOCK_RAW ? (int)a->f->spare /* 0 of a packet socket */
					    : a->f->kind->protocol;
	return 0;
}

static long get_domain(struct sock_optarg *a)
{
	int domain = a->f->kind->domain;

	a->v = domain ? domain : sock__is(a->f, SOCKF_V6) ? AF_INET6 : AF_INET;
	return 0;
}

static long get_acceptconn(struct sock_optarg *a)
{
	a->v = sock__is_listening(a->f);
	return 0;
}

/* Of a connection also what it has heard of and goes on in spite of (sk_err_soft). */
static long get_error(struct sock_optarg *a)
{
	struct plx_net_tcp *tc = sock__tcp_of(a->f);

	a->v = a->f->err;
	a->f->err = 0;
	if (!a->v && tc)
		a->v = plx_tcp_take_error(plx_net_tcp_tcb(tc));
	return 0;
}

static long get_incoming_cpu(struct sock_optarg *a)
{
	a->v = rte_lcore_to_cpu_id((int)a->sl->sn->lcore);
	return 0;
}

/* The lcore's number above a count of its own. */
static long get_cookie(struct sock_optarg *a)
{
	struct sock_cold *cold;

	if (a->len < (int)sizeof(uint64_t))
		return -EINVAL;
	cold = sock__cold(a->sl, a->f);
	if (!cold)
		return -ENOBUFS;
	if (!cold->opt.cookie)
		cold->opt.cookie = (uint64_t)(a->sl->sn->lcore + 1) << 48 | ++a->sl->cookies;
	return sock__opt_put(a, &cold->opt.cookie, sizeof(cold->opt.cookie));
}

/* ---- the interface ---- */

static long set_device(struct sock_optarg *a)
{
	char name[PLX_NET_IF_NAMELEN] = "";
	int n = PLX_MIN(a->len, (int)sizeof(name) - 1), i = 0;

	if (n && !a->op->cvalue)
		return -EFAULT;
	if (n)
		memcpy(name, a->op->cvalue, (size_t)n);
	if (name[0])
		i = sock__iface_find(a->sl, name);
	if (i < 0)
		return i;
	a->opt->iface = (uint16_t)i;
	return 0;
}

static long get_device(struct sock_optarg *a)
{
	uint16_t i = 0, want = sock__opts(a->f)->iface;
	struct plx_net_if ifc;

	if (!want)
		return sock__opt_put(a, "", 0);
	while (plx_net_if_next(a->sl->ns->net, &i, &ifc)) {
		if (ifc.index != want)
			continue;
		return a->len > (int)strlen(ifc.name)
			       ? sock__opt_put(a, ifc.name, strlen(ifc.name) + 1)
			       : -EINVAL;
	}
	return -ENODEV;
}

static long set_ifindex(struct sock_optarg *a)
{
	if (a->v < 0)
		return -EINVAL;
	a->opt->iface = sock__iface_no((uint32_t)a->v);
	a->opt->ifindex = a->v > UINT16_MAX ? (uint32_t)a->v : 0;
	return 0;
}

/* Linux takes any number, and says it again. */
static long get_ifindex(struct sock_optarg *a)
{
	const struct sock_opts *o = sock__opts(a->f);

	if (o->ifindex && o->iface == sock__iface_no(o->ifindex))
		a->v = (int)o->ifindex;
	return 0;
}

static const struct sock_optdef defs[] = {
	{SO_DEBUG, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(debug)},
	{SO_REUSEADDR, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(reuseaddr)},
	{SO_REUSEPORT, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(reuseport)},
	{SO_KEEPALIVE, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(keepalive)},
	{SO_BROADCAST, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(broadcast)},
	{SO_OOBINLINE, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(oobinline)},
	{SO_DONTROUTE, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(dontroute)},
	{SO_NO_CHECK, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(no_check)},
	{SO_PEEK_OFF, SOCK_OPT_U32, .at = SOCK_OPT_AT(peek_off), .set = set_peek_off,
		.get = get_peek_off},
	{SO_SELECT_ERR_QUEUE, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(select_err)},
	{SO_RXQ_OVFL, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(rxq_ovfl)},
	{SO_ZEROCOPY, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(zerocopy), .set = set_zerocopy},
	{SO_BSDCOMPAT, SOCK_OPT_INT, .set = ignore},
	{SO_MARK, SOCK_OPT_U32, .at = SOCK_OPT_AT(mark)},
	{SO_PRIORITY, SOCK_OPT_U32, .at = SOCK_OPT_AT(priority)},
	{SO_BUSY_POLL, SOCK_OPT_U32, .at = SOCK_OPT_AT(busy_poll_us), .min = 0, .max = INT32_MAX},
	{SO_RCVBUF, SOCK_OPT_INT, .set = set_rcvbuf, .get = get_rcvbuf},
	{SO_SNDBUF, SOCK_OPT_INT, .set = set_sndbuf, .get = get_sndbuf},
	{SO_RCVBUFFORCE, SOCK_OPT_INT, .set = force_rcvbuf, .get = sock__opt_none},
	{SO_SNDBUFFORCE, SOCK_OPT_INT, .set = force_sndbuf, .get = sock__opt_none},
	{SO_RCVLOWAT, SOCK_OPT_U32, .at = SOCK_OPT_AT(rcvlowat), .set = set_rcvlowat},
	{SO_SNDLOWAT, SOCK_OPT_INT, .get = get_one},
	{SO_RCVTIMEO_OLD, SOCK_OPT_BYTES, .set = set_timeo, .get = get_timeo},
	{SO_RCVTIMEO_NEW, SOCK_OPT_BYTES, .set = set_timeo, .get = get_timeo},
	{SO_SNDTIMEO_OLD, SOCK_OPT_BYTES, .set = set_timeo, .get = get_timeo},
	{SO_SNDTIMEO_NEW, SOCK_OPT_BYTES, .set = set_timeo, .get = get_timeo},
	{SO_LINGER, SOCK_OPT_BYTES, .set = set_linger, .get = get_linger},
	{SO_TIMESTAMP_OLD, SOCK_OPT_INT, .set = set_timestamp, .get = get_timestamp},
	{SO_TIMESTAMP_NEW, SOCK_OPT_INT, .set = set_timestamp, .get = get_timestamp},
	{SO_TIMESTAMPNS_OLD, SOCK_OPT_INT, .set = set_timestamp, .get = get_timestamp},
	{SO_TIMESTAMPNS_NEW, SOCK_OPT_INT, .set = set_timestamp, .get = get_timestamp},
	{SO_TYPE, SOCK_OPT_INT, .get = get_type},
	{SO_PROTOCOL, SOCK_OPT_INT, .get = get_protocol},
	{SO_DOMAIN, SOCK_OPT_INT, .get = get_domain},
	{SO_ACCEPTCONN, SOCK_OPT_INT, .get = get_acceptconn},
	{SO_ERROR, SOCK_OPT_INT, .get = get_error},
	{SO_INCOMING_CPU, SOCK_OPT_INT, .get = get_incoming_cpu},
	{SO_MEMINFO, SOCK_OPT_BYTES, .set = sock__opt_none, .get = get_meminfo},
	{SO_COOKIE, SOCK_OPT_BYTES, .set = sock__opt_none, .get = get_cookie},
	{SO_BINDTODEVICE, SOCK_OPT_BYTES, .set = set_device, .get = get_device},
	{SO_BINDTOIFINDEX, SOCK_OPT_U16, .at = SOCK_OPT_AT(iface), .set = set_ifindex,
		.get = get_ifindex},
	{SO_ATTACH_FILTER, SOCK_OPT_BYTES, SOCK_ONLY_PACKET, .set = sock__packet_attach},
	{SO_DETACH_FILTER, SOCK_OPT_INT, SOCK_ONLY_PACKET, .set = sock__packet_detach,
		.get = sock__opt_none},
	{SO_LOCK_FILTER, SOCK_OPT_INT, SOCK_ONLY_PACKET, .set = sock__packet_lock,
		.get = sock__packet_locked},
};

const struct sock_optlevel sock__level_sol = {
	.level = SOL_SOCKET,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};
