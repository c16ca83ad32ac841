/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"

#include <netinet/in.h>

#include "dgram.h"

/* IPPROTO_IPV6 (Linux's net/ipv6/ipv6_sockglue.c), of sockets of AF_INET6. */

#define MC_HOPS 1 /* IPV6_DEFAULT_MCASTHOPS */

/* No value at all is 0, as long as it would be long enough. */
static long load(struct sock_optarg *a)
{
	return a->op->cvalue || a->len < (int)sizeof(int) ? sock__opt_load(a) : 0;
}

static long set_v6only(struct sock_optarg *a)
{
	struct plx_addr any;
	uint16_t port = 0, iface;

	a->f->kind->name(a->sl, a->f, false, &any, &port, &iface);
	if (port)
		return -EINVAL;
	a->opt->v6only = a->v != 0;
	return 0;
}

static long set_hops(struct sock_optarg *a)
{
	if (a->v < -1 || a->v > UINT8_MAX)
		return -EINVAL;
	a->opt->hops = (int16_t)a->v;
	return 0;
}

static long get_hops(struct sock_optarg *a)
{
	if (a->v < 0)
		a->v = (int)sock__tun(a->sl, PLX_TUN_IP6_HOP_LIMIT);
	return 0;
}

static long set_mc_hops(struct sock_optarg *a)
{
	if (a->v < -1 || a->v > UINT8_MAX)
		return -EINVAL;
	a->opt->mc_hops = (int16_t)(a->v == -1 ? MC_HOPS : a->v);
	return 0;
}

static long set_mc_flag(struct sock_optarg *a)
{
	if (a->v != 0 && a->v != 1)
		return -EINVAL;
	if (a->def->name == IPV6_MULTICAST_LOOP)
		a->opt->mc6_loop = a->v;
	else
		a->opt->mc6_all = a->v;
	return 0;
}

static long set_tclass(struct sock_optarg *a)
{
	if (a->v < -1 || a->v > UINT8_MAX)
		return -EINVAL;
	if (a->v == -1)
		a->v = 0;
	a->opt->tclass =
		(uint8_t)(a->f->kind->type == SOCK_STREAM ? a->v & ~PLX_IP_ECN_MASK : a->v);
	return 0;
}

static long set_recverr(struct sock_optarg *a)
{
	a->opt->recverr6 = a->v != 0;
	if (!a->v)
		sock__dgram_errs_purge(a->sl, a->f);
	return 0;
}

static long set_pmtudisc(struct sock_optarg *a)
{
	if (a->v < IPV6_PMTUDISC_DONT || a->v > IPV6_PMTUDISC_OMIT)
		return -EINVAL;
	a->opt->pmtudisc6 = PLX_NET_PMTU(a->v);
	return 0;
}

static long get_pmtudisc(struct sock_optarg *a)
{
	uint8_t set = sock__opts(a->f)->pmtudisc6;

	a->v = set ? set - PLX_NET_PMTU(0) : IPV6_PMTUDISC_WANT;
	return 0;
}

static const struct sock_optdef defs[] = {
	{IPV6_V6ONLY, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(v6only), .set = set_v6only},
	{IPV6_UNICAST_HOPS, SOCK_OPT_I16, .at = SOCK_OPT_AT(hops), .set = set_hops,
		.get = get_hops},
	{IPV6_MINHOPCOUNT, SOCK_OPT_U8, .at = SOCK_OPT_AT(min_hops), .max = UINT8_MAX},
	{IPV6_TCLASS, SOCK_OPT_U8, .at = SOCK_OPT_AT(tclass), .set = set_tclass},
	{IPV6_RECVPKTINFO, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(pktinfo6)},
	{IPV6_RECVHOPLIMIT, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recvhops)},
	{IPV6_RECVTCLASS, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recvtclass)},
	{IPV6_RECVORIGDSTADDR, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(origdst6)},
	{IPV6_RECVERR, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(recverr6), .set = set_recverr},
	{IPV6_DONTFRAG, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(dontfrag)},
	{IPV6_MTU_DISCOVER, SOCK_OPT_INT, .set = set_pmtudisc, .get = get_pmtudisc},
	{IPV6_MTU, SOCK_OPT_INT, .set = sock__opt_none, .get = sock__opt_mtu},
	{IPV6_MULTICAST_HOPS, SOCK_OPT_I16, SOCK_ONLY_DGRAM, .at = SOCK_OPT_AT(mc_hops),
		.set = set_mc_hops},
	{IPV6_MULTICAST_LOOP, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(mc6_loop), .set = set_mc_flag},
	{IPV6_MULTICAST_ALL, SOCK_OPT_BOOL, .at = SOCK_OPT_AT(mc6_all), .set = set_mc_flag},
	{IPV6_MULTICAST_IF, SOCK_OPT_U16, SOCK_ONLY_DGRAM, .at = SOCK_OPT_AT(mc6_if),
		.set = sock__mc_if6},
	{IPV6_JOIN_GROUP, SOCK_OPT_BYTES, .set = sock__mc_member6},
	{IPV6_LEAVE_GROUP, SOCK_OPT_BYTES, .set = sock__mc_member6},
	{MCAST_JOIN_GROUP, SOCK_OPT_BYTES, .set = sock__mc_group_req},
	{MCAST_LEAVE_GROUP, SOCK_OPT_BYTES, .set = sock__mc_group_req},
};

const struct sock_optlevel sock__level_ip6 = {
	.level = IPPROTO_IPV6,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = load,
	.store = sock__opt_store,
};
