/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"
#include "packet.h"
#include "raw.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

/* setsockopt(2), getsockopt(2): to the row of a level's table, and what rows have in common. */

const struct sock_opts sock__default_opts = {
	.rcvlowat = 1,
	.peek_off = -1,
	.linger_s = -1,
	.linger2_s = 0,
	.mc_ttl = 1,
	.hops = -1,
	.mc_hops = 1,
	.mc_loop = true,
	.mc6_loop = true,
	.mc_all = true,
	.mc6_all = true,
};

static const struct sock_optlevel *const levels[] = {&sock__level_sol, &sock__level_tcp,
	&sock__level_ip, &sock__level_ip6, &sock__level_udp, &sock__level_raw, &sock__level_icmp6,
	&sock__level_packet};

/* ---- values ---- */

int sock__opt_field(const struct sock_optdef *def, const struct sock_opts *o)
{
	const void *p = (const uint8_t *)o + def->at;

	switch (def->how) {
	case SOCK_OPT_BOOL:
		return *(const bool *)p;
	case SOCK_OPT_U8:
		return *(const uint8_t *)p;
	case SOCK_OPT_U16:
		return *(const uint16_t *)p;
	case SOCK_OPT_I16:
		return *(const int16_t *)p;
	case SOCK_OPT_U32:
		return (int)*(const uint32_t *)p;
	default:
		return 0;
	}
}

static long set_field(struct sock_optarg *a)
{
	const struct sock_optdef *def = a->def;
	void *p = (uint8_t *)a->opt + def->at;

	if (def->how == SOCK_OPT_BOOL) {
		*(bool *)p = a->v != 0;
		return 0;
	}
	if (def->min < def->max && (a->v < def->min || a->v > def->max))
		return -EINVAL;
	switch (def->how) {
	case SOCK_OPT_U8:
		*(uint8_t *)p = (uint8_t)a->v;
		return 0;
	case SOCK_OPT_U16:
		*(uint16_t *)p = (uint16_t)a->v;
		return 0;
	case SOCK_OPT_I16:
		*(int16_t *)p = (int16_t)a->v;
		return 0;
	case SOCK_OPT_U32:
		*(uint32_t *)p = (uint32_t)a->v;
		return 0;
	default:
		return -ENOPROTOOPT; /* it can only be read */
	}
}

long sock__opt_load(struct sock_optarg *a)
{
	if (a->len < (int)sizeof(int))
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(&a->v, a->op->cvalue, sizeof(int));
	return 0;
}

long sock__opt_take(const struct sock_optarg *a, void *p, size_t n)
{
	if (a->len < (int)n)
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(p, a->op->cvalue, n);
	return 0;
}

long sock__opt_put(struct sock_optarg *a, const void *p, size_t n)
{
	socklen_t len = (socklen_t)PLX_MIN((size_t)a->len, n);

	if (len && !a->op->value)
		return -EFAULT;
	if (len)
		memcpy(a->op->value, p, len);
	*a->op->value_len = len;
	return SOCK_OPT_PUT;
}

void sock__opt_store(struct sock_optarg *a)
{
	sock__opt_put(a, &a->v, sizeof(a->v));
}

long sock__opt_none(struct sock_optarg *a)
{
	return -ENOPROTOOPT;
}

/* ---- interfaces ---- */

int sock__iface_find(const struct sock_lcore *sl, const char *name)
{
	struct plx_net_if ifc;
	uint16_t i = 0;

	while (plx_net_if_next(sl->ns->net, &i, &ifc))
		if (strcmp(ifc.name, name) == 0)
			return ifc.index;
	return -ENODEV;
}

bool sock__iface_is(const struct sock_lcore *sl, int index)
{
	struct plx_net_if ifc;
	uint16_t i = 0;

	while (plx_net_if_next(sl->ns->net, &i, &ifc))
		if (ifc.index == index)
			return true;
	return false;
}

uint16_t sock__iface_with(const struct sock_lcore *sl, const struct plx_addr *a)
{
	struct plx_net_if ifc;
	uint16_t i = 0;

	while (plx_net_if_next(sl->ns->net, &i, &ifc))
		if (plx_net_is_ours(sl->sn, a, ifc.index))
			return ifc.index;
	return 0;
}

/* ---- which row ---- */

static uint8_t only_of(const struct sock_file *f)
{
	if (f->kind->domain == AF_PACKET)
		return SOCK_ONLY_PACKET;
	switch (f->kind->type) {
	case SOCK_STREAM:
		return SOCK_ONLY_STREAM;
	case SOCK_RAW:
		return SOCK_ONLY_DGRAM | SOCK_ONLY_RAW;
	default:
		return SOCK_ONLY_DGRAM;
	}
}

/* As the protocols of Linux's sockets pass a level on: TCP or UDP, then IPv6, then IP. */
static bool has_level(const struct sock_file *f, int level)
{
	if (f->kind->domain == AF_PACKET)
		return level == SOL_SOCKET || level == SOL_PACKET;
	switch (level) {
	case SOL_SOCKET:
	case IPPROTO_IP:
		return true;
	case IPPROTO_IPV6:
		return sock__is(f, SOCKF_V6);
	case SOL_RAW:
		return f->kind->type == SOCK_RAW && !sock__is(f, SOCKF_V6);
	case IPPROTO_ICMPV6:
		return f->kind->type == SOCK_RAW && sock__is(f, SOCKF_V6);
	default:
		return level == f->kind->protocol;
	}
}

static const struct sock_optlevel *level_of(const struct sock_file *f, int level)
{
	for (size_t i = 0; i < PLX_DIM(levels); i++)
		if (levels[i]->level == level)
			return has_level(f, level) ? levels[i] : NULL;
	return NULL;
}

/* They look at the option first. */
static bool option_first(const struct sock_optlevel *l)
{
	return l->level == IPPROTO_IP || l->level == IPPROTO_IPV6 || l->level == SOL_PACKET;
}

static const struct sock_optdef *def_of(
	const struct sock_optlevel *l, const struct sock_file *f, int name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->def[i].name == name)
			return !l->def[i].only || l->def[i].only & only_of(f) ? &l->def[i] : NULL;
	return NULL;
}

/* ---- calls ---- */

static long set(struct sock_optarg *a, const struct sock_optlevel *l)
{
	struct sock_cold *cold;
	long err = a->def->how == SOCK_OPT_BYTES ? 0 : l->load(a);

	if (err)
		return err;
	cold = sock__cold(a->sl, a->f);
	if (!cold)
		return -ENOBUFS;
	a->opt = &cold->opt;
	return a->def->set ? a->def->set(a) : set_field(a);
}

/* SOL_SOCKET, TCP and UDP look at the value before the option. */
static long unknown(struct sock_optarg *a, const struct sock_optlevel *l)
{
	long err = l && !option_first(l) ? l->load(a) : 0;

	return err ? err : -ENOPROTOOPT;
}

/* What an option may make true: sk_write_space(), tcp_set_rcvlowat(). */
static uint32_t may_change(const struct sock_file *f, int level, int name)
{
	bool tcp = f->kind->type == SOCK_STREAM;

	if (level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_SNDBUFFORCE))
		return SOCK_OUT;
	if (level == SOL_SOCKET && name == SO_RCVLOWAT)
		return tcp ? SOCK_IN : 0;
	return level == IPPROTO_TCP && name == TCP_NOTSENT_LOWAT ? SOCK_OUT : 0;
}

/* Whoever waits is told then, as if it had not been true before. */
static void tell_change(struct sock_lcore *sl, struct sock_file *f, uint32_t key)
{
	if (key && f->kind->poll(sl, f) & key)
		sock__wake(sl, f, key);
}

long sock__setsockopt(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	const struct sock_optlevel *l;
	struct sock_optarg a = {.sl = sl, .f = f, .op = op, .len = (int)op->cvalue_len};
	long err;

	if (!f->kind->type)
		return -ENOTSOCK;
	if (a.len < 0)
		return -EINVAL;
	l = level_of(f, op->level);
	a.def = l ? def_of(l, f, op->opt) : NULL;
	if (!a.def)
		return unknown(&a, l);
	err = set(&a, l);
	if (err)
		return err;
	sock__apply(sl, f, op->level, op->opt);
	err = f->kind->applied ? f->kind->applied(sl, f, op->level, op->opt) : 0;
	sock__cold_share(sl, f);
	tell_change(sl, f, may_change(f, op->level, op->opt));
	return err;
}

/* ip_getsockopt() has its own word for a level that is not its. */
static long no_level(const struct sock_file *f)
{
	return sock__is(f, SOCKF_V6) || f->kind->domain ? -ENOPROTOOPT : -EOPNOTSUPP;
}

long sock__getsockopt(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	const struct sock_optlevel *l;
	struct sock_optarg a = {.sl = sl, .f = f, .op = op};
	long r;

	if (!f->kind->type)
		return -ENOTSOCK;
	l = level_of(f, op->level);
	if (!l)
		return no_level(f);
	if (!op->value_len)
		return -EFAULT;
	a.len = (int)*op->value_len;
	if (a.len < 0)
		return -EINVAL;
	a.def = def_of(l, f, op->opt);
	if (!a.def)
		return -ENOPROTOOPT;
	a.v = SOCK_OPT_FIELD(&a);
	r = a.def->get ? a.def->get(&a) : a.def->how == SOCK_OPT_BYTES ? -ENOPROTOOPT : 0;
	if (r == 0 && a.len && !op->value)
		return -EFAULT;
	if (r == 0)
		l->store(&a);
	return r < 0 ? r : 0;
}
