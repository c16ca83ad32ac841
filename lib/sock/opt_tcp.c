/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"
#include "stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <plx_tcp_info.h>

/* IPPROTO_TCP (Linux's net/ipv4/tcp.c), and how a connection hears of options. */

#define MSS_LEAST     88    /* TCP_MIN_MSS */
#define MSS_MOST      32767 /* MAX_TCP_WINDOW */
#define MSS_DEFAULT   536
#define KEEP_MOST     32767
#define PROBES_MOST   127
#define FIN_WAIT_MOST 120 /* s */
#define RTO_MOST_S    120
#define RCVBUF_LEAST  2304

static struct plx_tcp *tcb_of(const struct sock_optarg *a)
{
	struct plx_net_tcp *tc = sock__tcp_of(a->f);

	return tc ? plx_net_tcp_tcb(tc) : NULL;
}

/* ---- rows that are more than a field ---- */

/* What has been set, else the tunable's; 0 is no value of theirs. */
static long or_tun(struct sock_optarg *a, enum plx_tunable t)
{
	if (!a->v)
		a->v = (int)sock__tun(a->sl, t);
	return 0;
}

static long get_keepidle(struct sock_optarg *a)
{
	return or_tun(a, PLX_TUN_TCP_KEEPALIVE_TIME);
}

static long get_keepintvl(struct sock_optarg *a)
{
	return or_tun(a, PLX_TUN_TCP_KEEPALIVE_INTVL);
}

static long get_keepcnt(struct sock_optarg *a)
{
	return or_tun(a, PLX_TUN_TCP_KEEPALIVE_PROBES);
}

static long get_syncnt(struct sock_optarg *a)
{
	return or_tun(a, PLX_TUN_TCP_SYN_RETRIES);
}

static long set_maxseg(struct sock_optarg *a)
{
	if (a->v && (a->v < MSS_LEAST || a->v > MSS_MOST))
		return -EINVAL;
	a->opt->maxseg = (uint16_t)a->v;
	return 0;
}

static long get_maxseg(struct sock_optarg *a)
{
	const struct plx_tcp *c = tcb_of(a);

	if (c)
		a->v = c->snd.mss;
	else if (!a->v)
		a->v = MSS_DEFAULT;
	return 0;
}

static long set_linger2(struct sock_optarg *a)
{
	a->opt->linger2_s = a->v < 0 ? -1 : PLX_MIN(a->v, FIN_WAIT_MOST);
	return 0;
}

static long get_linger2(struct sock_optarg *a)
{
	a->v = sock__opts(a->f)->linger2_s;
	return or_tun(a, PLX_TUN_TCP_FIN_TIMEOUT);
}

/* Seconds are kept as time-outs of the SYN-ACK: secs_to_retrans(). */
static long set_defer_accept(struct sock_optarg *a)
{
	int timeout = 1, period = 1, n = a->v > 0;

	while (n && a->v > period && n < UINT8_MAX) {
		n++;
		timeout = PLX_MIN(timeout * 2, RTO_MOST_S);
		period += timeout;
	}
	a->opt->defer_accept = (uint8_t)n;
	return 0;
}

static long get_defer_accept(struct sock_optarg *a)
{
	int timeout = 1, period = 0;

	for (int n = a->v; n > 0; n--) {
		period += timeout;
		timeout = PLX_MIN(timeout * 2, RTO_MOST_S);
	}
	a->v = period;
	return 0;
}

static long set_window_clamp(struct sock_optarg *a)
{
	if (!a->v && tcb_of(a))
		return -EINVAL;
	a->opt->window_clamp = a->v ? (uint32_t)PLX_MAX(a->v, RCVBUF_LEAST / 2) : 0;
	return 0;
}

static long set_quickack(struct sock_optarg *a)
{
	struct plx_net_tcp *tc = sock__tcp_of(a->f);

	if (!tc)
		return 0;
	plx_tcp_set_quickack(plx_net_tcp_tcb(tc), a->v != 0, a->sl->sn->now_ns);
	plx_net_tcp_push(a->sl->sn, tc);
	return 0;
}

static long get_quickack(struct sock_optarg *a)
{
	const struct plx_tcp *c = tcb_of(a);

	a->v = !c || !c->pingpong;
	return 0;
}

static long get_info(struct sock_optarg *a)
{
	struct plx_tcp_info info = {
		.tcpi_state = sock__is_listening(a->f) ? TCP_LISTEN : TCP_CLOSE};
	const struct plx_tcp *c = tcb_of(a);

	if (c)
		plx_tcp_info_get(c, a->sl->sn->now_ns, &info);
	return sock__opt_put(a, &info, sizeof(info));
}

/* Neither CUBIC nor Reno has anything to tell. */
static long get_cc_info(struct sock_optarg *a)
{
	return sock__opt_put(a, "", 0);
}

static long set_cc(struct sock_optarg *a)
{
	char name[PLX_TCP_CC_NAMELEN] = "";
	const struct plx_tcp_cc *cc;

	if (a->len < 1)
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(name, a->op->cvalue, (size_t)PLX_MIN(a->len, (int)sizeof(name) - 1));
	cc = plx_tcp_cc_find(name);
	if (!cc)
		return -ENOENT;
	memcpy(a->opt->cc, name, sizeof(name));
	return 0;
}

static const char *cc_name(const struct sock_optarg *a)
{
	const struct plx_tcp *c = tcb_of(a);

	if (c)
		return c->cc->name;
	if (sock__opts(a->f)->cc[0])
		return sock__opts(a->f)->cc;
	return sock__tun(a->sl, PLX_TUN_TCP_CUBIC) ? plx_tcp_cubic.name : plx_tcp_reno.name;
}

static long get_cc(struct sock_optarg *a)
{
	char name[PLX_TCP_CC_NAMELEN] = "";
	const char *cc = cc_name(a);

	memcpy(name, cc, strnlen(cc, sizeof(name) - 1));
	return sock__opt_put(a, name, sizeof(name));
}

static const struct sock_optdef defs[] = {
	{TCP_NODELAY, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(nodelay)},
	{TCP_CORK, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(cork)},
	{TCP_MAXSEG, SOCK_OPT_U16, .at = SOCK_OPT_AT(maxseg), .set = set_maxseg, .get = get_maxseg},
	{TCP_KEEPIDLE, SOCK_OPT_U16, .at = SOCK_OPT_AT(keepidle_s), .min = 1, .max = KEEP_MOST,
		.get = get_keepidle},
	{TCP_KEEPINTVL, SOCK_OPT_U16, .at = SOCK_OPT_AT(keepintvl_s), .min = 1, .max = KEEP_MOST,
		.get = get_keepintvl},
	{TCP_KEEPCNT, SOCK_OPT_U8, .at = SOCK_OPT_AT(keepcnt), .min = 1, .max = PROBES_MOST,
		.get = get_keepcnt},
	{TCP_SYNCNT, SOCK_OPT_U8, .at = SOCK_OPT_AT(syncnt), .min = 1, .max = PROBES_MOST,
		.get = get_syncnt},
	{TCP_LINGER2, SOCK_OPT_INT, .set = set_linger2, .get = get_linger2},
	{TCP_DEFER_ACCEPT, SOCK_OPT_U8, .at = SOCK_OPT_AT(defer_accept), .set = set_defer_accept,
		.get = get_defer_accept},
	{TCP_WINDOW_CLAMP, SOCK_OPT_U32, .at = SOCK_OPT_AT(window_clamp), .set = set_window_clamp},
	{TCP_QUICKACK, SOCK_OPT_INT, .set = set_quickack, .get = get_quickack},
	{TCP_USER_TIMEOUT, SOCK_OPT_U32, .at = SOCK_OPT_AT(user_timeout_ms), .min = 0,
		.max = INT32_MAX},
	{TCP_NOTSENT_LOWAT, SOCK_OPT_U32, .at = SOCK_OPT_AT(notsent_lowat)},
	{TCP_INQ, SOCK_OPT_U8, .at = SOCK_OPT_AT(inq), .min = 0, .max = 1},
	{TCP_INFO, SOCK_OPT_BYTES, .set = sock__opt_none, .get = get_info},
	{TCP_CC_INFO, SOCK_OPT_BYTES, .set = sock__opt_none, .get = get_cc_info},
	{TCP_CONGESTION, SOCK_OPT_BYTES, .set = set_cc, .get = get_cc},
};

const struct sock_optlevel sock__level_tcp = {
	.level = IPPROTO_TCP,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};

/* ---- to the connection ---- */

/* A connection, and what its socket has set. */
struct apply {
	struct sock_lcore *sl;
	const struct sock_opts *o;
	struct plx_net_tcp *tc;
	struct plx_tcp *c;
};

static void do_nodelay(const struct apply *a)
{
	plx_tcp_set_nodelay(a->c, a->o->nodelay);
}

static void do_cork(const struct apply *a)
{
	plx_tcp_set_cork(a->c, a->o->cork);
}

static void do_keepalive(const struct apply *a)
{
	plx_tcp_set_keepalive(a->c, a->o->keepalive, a->o->keepidle_s, a->o->keepintvl_s,
		a->o->keepcnt, a->sl->sn->now_ns);
}

static void do_user_timeout(const struct apply *a)
{
	plx_tcp_set_user_timeout(a->c, a->o->user_timeout_ms);
}

static void do_rcvbuf(const struct apply *a)
{
	if (a->o->rcvbuf)
		plx_tcp_set_rcvbuf(a->c, a->o->rcvbuf);
}

static void do_sndbuf(const struct apply *a)
{
	plx_tcp_set_sndbuf(a->c, a->o->sndbuf);
}

static void do_window_clamp(const struct apply *a)
{
	plx_tcp_set_window_clamp(a->c, a->o->window_clamp);
}

static void do_syncnt(const struct apply *a)
{
	plx_tcp_set_syncnt(a->c, a->o->syncnt);
}

static void do_linger2(const struct apply *a)
{
	plx_tcp_set_linger2(a->c, a->o->linger2_s);
}

static void do_maxseg(const struct apply *a)
{
	plx_tcp_set_maxseg(a->c, a->o->maxseg);
}

static void do_cc(const struct apply *a)
{
	if (a->o->cc[0])
		plx_tcp_set_cc(a->c, a->o->cc, a->sl->sn->now_ns);
}

static void do_ip(const struct apply *a)
{
	if (plx_addr_is_v4(&a->c->id.raddr))
		plx_net_tcp_set_ip(a->tc, a->o->ttl, a->o->tos);
	else
		plx_net_tcp_set_ip(a->tc, (uint8_t)PLX_MAX(a->o->hops, 0), a->o->tclass);
}

static void do_min_ttl(const struct apply *a)
{
	plx_net_tcp_set_min_ttl(a->tc, a->o->min_ttl || a->o->min_hops);
}

static const struct {
	int level, name;
	void (*fn)(const struct apply *a);
} live[] = {
	{IPPROTO_TCP, TCP_NODELAY, do_nodelay},
	{IPPROTO_TCP, TCP_CORK, do_cork},
	{SOL_SOCKET, SO_KEEPALIVE, do_keepalive},
	{IPPROTO_TCP, TCP_KEEPIDLE, do_keepalive},
	{IPPROTO_TCP, TCP_KEEPINTVL, do_keepalive},
	{IPPROTO_TCP, TCP_KEEPCNT, do_keepalive},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, do_user_timeout},
	{SOL_SOCKET, SO_RCVBUF, do_rcvbuf},
	{SOL_SOCKET, SO_RCVBUFFORCE, do_rcvbuf},
	{SOL_SOCKET, SO_SNDBUF, do_sndbuf},
	{SOL_SOCKET, SO_SNDBUFFORCE, do_sndbuf},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP, do_window_clamp},
	{IPPROTO_TCP, TCP_SYNCNT, do_syncnt},
	{IPPROTO_TCP, TCP_LINGER2, do_linger2},
	{IPPROTO_TCP, TCP_MAXSEG, do_maxseg},
	{IPPROTO_TCP, TCP_CONGESTION, do_cc},
	{IPPROTO_IP, IP_TTL, do_ip},
	{IPPROTO_IP, IP_TOS, do_ip},
	{IPPROTO_IP, IP_MINTTL, do_min_ttl},
	{IPPROTO_IPV6, IPV6_MINHOPCOUNT, do_min_ttl},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, do_ip},
	{IPPROTO_IPV6, IPV6_TCLASS, do_ip},
};

void sock__apply(struct sock_lcore *sl, struct sock_file *f, int level, int name)
{
	struct plx_net_tcp *tc = sock__tcp_of(f);
	struct apply a = {.sl = sl, .o = sock__opts(f), .tc = tc};

	if (sock__is_listening(f)) {
		sock__tcp_options(sl, f);
		return;
	}
	if (!tc)
		return;
	a.c = plx_net_tcp_tcb(tc);
	for (size_t i = 0; i < PLX_DIM(live); i++)
		if (live[i].level == level && live[i].name == name)
			live[i].fn(&a);
	plx_net_tcp_push(sl->sn, tc);
}

void sock__apply_all(struct sock_lcore *sl, struct sock_file *f, struct plx_net_tcp *tc)
{
	struct apply a = {sl, sock__opts(f), tc, plx_net_tcp_tcb(tc)};

	if (!f->cold)
		return;
	if (a.o->nodelay)
		do_nodelay(&a);
	if (a.o->cork)
		do_cork(&a);
	if (a.o->keepalive)
		do_keepalive(&a);
	if (a.o->user_timeout_ms)
		do_user_timeout(&a);
	if (a.o->maxseg)
		do_maxseg(&a);
	if (a.o->sndbuf)
		do_sndbuf(&a);
	if (a.o->window_clamp)
		do_window_clamp(&a);
	if (a.o->syncnt)
		do_syncnt(&a);
	if (a.o->linger2_s)
		do_linger2(&a);
	do_rcvbuf(&a);
	do_cc(&a);
	if (a.o->ttl || a.o->tos || a.o->hops > 0 || a.o->tclass)
		do_ip(&a);
	do_min_ttl(&a);
}
