/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"

#include <netinet/in.h>

#include "dgram.h"

/* IPPROTO_IP (Linux's net/ipv4/ip_sockglue.c). */

/* An int, or a byte that stands for one; nothing at all is 0. */
static long load(struct sock_optarg *a)
{
	uint8_t byte;

	if (a->len > 0 && !a->op->cvalue)
		return -EFAULT;
	if (a->len >= (int)sizeof(int))
		return sock__opt_load(a);
	if (a->len > 0) {
		memcpy(&byte, a->op->cvalue, 1);
		a->v = byte;
	}
	return 0;
}

/* Who has room for less than an int gets a byte if the value fits into one. */
static void store(struct sock_optarg *a)
{
	uint8_t byte = (uint8_t)a->v;

	if (a->len > 0 && a->len < (int)sizeof(int) && a->v >= 0 && a->v <= UINT8_MAX)
		sock__opt_put(a, &byte, 1);
	else
		sock__opt_put(a, &a->v, sizeof(a->v));
}

static bool is_stream(const struct sock_optarg *a)
{
	return a->f->kind->type == SOCK_STREAM;
}

/* The ECN bits of a stream are TCP's. */
static long set_tos(struct sock_optarg *a)
{
	a->opt->tos = (uint8_t)(is_stream(a) ? a->v & ~PLX_IP_ECN_MASK : a->v);
	return 0;
}

static long set_ttl(struct sock_optarg *a)
{
	if (a->len < 1 || (a->v != -1 && (a->v < 1 || a->v > UINT8_MAX)))
		return -EINVAL;
	a->opt->ttl = (uint8_t)(a->v == -1 ? 0 : a->v);
	return 0;
}

static long get_ttl(struct sock_optarg *a)
{
	if (!a->v)
		a->v = (int)sock__tun(a->sl, PLX_TUN_IP_DEFAULT_TTL);
	return 0;
}

static long set_min_ttl(struct sock_optarg *a)
{
	if (a->len < 1 || a->v < 0 || a->v > UINT8_MAX)
		return -EINVAL;
	a->opt->min_ttl = (uint8_t)a->v;
	return 0;
}

static long set_recverr(struct sock_optarg *a)
{
	a->opt->recverr = a->v != 0;
	if (!a->v)
		sock__dgram_errs_purge(a->sl, a->f);
	return 0;
}

static long set_pmtudisc(struct sock_optarg *a)
{
	if (a->v < IP_PMTUDISC_DONT || a->v > IP_PMTUDISC_OMIT)
		return -EINVAL;
	a->opt->pmtudisc = PLX_NET_PMTU(a->v);
	return 0;
}

static long get_pmtudisc(struct sock_optarg *a)
{
	uint8_t set = sock__opts(a->f)->pmtudisc;

	if (set)
		a->v = set - PLX_NET_PMTU(0);
	else
		a->v = sock__tun(a->sl, PLX_TUN_IP_NO_PMTU_DISC) ? IP_PMTUDISC_DONT
								 : IP_PMTUDISC_WANT;
	return 0;
}

long sock__opt_mtu(struct sock_optarg *a)
{
	struct plx_net_way way;
	struct plx_addr peer;
	uint16_t port, iface;

	if (a->f->kind->name(a->sl, a->f, true, &peer, &port, &iface) != 0)
		return -ENOTCONN;
	if (plx_net_way(a->sl->sn, &peer, iface, false, &way) != 0)
		return -ENOTCONN;
	a->v = way.mtu;
	return 0;
}

/* There are none, which is what one can ask for (as tcpd and sshd do). */
static long set_options(struct sock_optarg *a)
{
	return a->len == 0 ? 0 : -EINVAL;
}

static long get_options(struct sock_optarg *a)
{
	return sock__opt_put(a, "", 0);
}

/* ---- groups ---- */

static long set_mc_ttl(struct sock_optarg *a)
{
	if (is_stream(a) || a->len < 1)
		return -EINVAL;
	if (a->v == -1)
		a->v = 1;
	if (a->v < 0 || a->v > UINT8_MAX)
		return -EINVAL;
	a->opt->mc_ttl = (uint8_t)a->v;
	return 0;
}

static long set_mc_loop(struct sock_optarg *a)
{
	if (a->len < 1)
		return -EINVAL;
	a->opt->mc_loop = a->v != 0;
	return 0;
}

static long set_mc_all(struct sock_optarg *a)
{
	if (a->len < 1 || (a->v != 0 && a->v != 1))
		return -EINVAL;
	a->opt->mc_all = a->v;
	return 0;
}

static long get_mc_if(struct sock_optarg *a)
{
	return sock__opt_put(a, &sock__opts(a->f)->mc_src.w[3], sizeof(struct in_addr));
}

static const struct sock_optdef defs[] = {
	{IP_TOS, SOCK_OPT_U8, .at = SOCK_OPT_AT(tos), .set = set_tos},
	{IP_TTL, SOCK_OPT_U8, .at = SOCK_OPT_AT(ttl), .set = set_ttl, .get = get_ttl},
	{IP_MINTTL, SOCK_OPT_U8, .at = SOCK_OPT_AT(min_ttl), .set = set_min_ttl},
	{IP_PKTINFO, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(pktinfo)},
	{IP_HDRINCL, SOCK_OPT_BOOL, .only = SOCK_ONLY_RAW, .at = SOCK_OPT_AT(hdrincl)},
	{IP_RECVTTL, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recvttl)},
	{IP_RECVTOS, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recvtos)},
	{IP_RECVORIGDSTADDR, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(origdst)},
	{IP_RECVERR, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recverr), .set = set_recverr},
	{IP_MTU_DISCOVER, SOCK_OPT_INT, .set = set_pmtudisc, .get = get_pmtudisc},
	{IP_MTU, SOCK_OPT_BYTES, .set = sock__opt_none, .get = sock__opt_mtu},
	{IP_OPTIONS, SOCK_OPT_BYTES, .set = set_options, .get = get_options},
	{IP_BIND_ADDRESS_NO_PORT, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(bind_no_port)},
	{IP_MULTICAST_TTL, SOCK_OPT_U8, .at = SOCK_OPT_AT(mc_ttl), .set = set_mc_ttl},
	{IP_MULTICAST_LOOP, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(mc_loop), .set = set_mc_loop},
	{IP_MULTICAST_ALL, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(mc_all), .set = set_mc_all},
	{IP_MULTICAST_IF, SOCK_OPT_BYTES, .set = sock__mc_if4, .get = get_mc_if},
	{IP_ADD_MEMBERSHIP, SOCK_OPT_BYTES, .set = sock__mc_member4},
	{IP_DROP_MEMBERSHIP, SOCK_OPT_BYTES, .set = sock__mc_member4},
	{MCAST_JOIN_GROUP, SOCK_OPT_BYTES, .set = sock__mc_group_req},
	{MCAST_LEAVE_GROUP, SOCK_OPT_BYTES, .set = sock__mc_group_req},
};

const struct sock_optlevel sock__level_ip = {
	.level = IPPROTO_IP,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = load,
	.store = store,
};
