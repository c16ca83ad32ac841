/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"

#include <netinet/in.h>

#include "dgram.h"

/* Groups: which a socket is a member of, and by which interface it talks to them. */

#define MEMBERS_MOST 20 /* net.ipv4.igmp_max_memberships of a socket */

/* ---- interfaces ---- */

static uint16_t iface_by_route(const struct sock_lcore *sl, const struct plx_addr *group)
{
	struct plx_net_way way;

	return plx_net_way(sl->sn, group, 0, false, &way) == 0 ? way.iface : 0;
}

/* ---- memberships ---- */

bool sock__mc_hears(const struct sock_dgram *d, const struct plx_addr *group, uint16_t iface)
{
	const struct sock_opts *o = sock__opts(&d->f);
	bool v4 = plx_addr_is_v4(group);

	for (const struct sock_member *m = d->members; m; m = m->next)
		if (plx_addr_eq(&m->group, group) && (!v4 || m->iface == iface))
			return true;
	return v4 ? o->mc_all : o->mc6_all;
}

static void drop(struct sock_dgram *d, struct sock_member **at)
{
	struct sock_member *m = *at;

	*at = m->next;
	plx_net_group_post(d->sl->sn, m->iface, &m->group, false);
	sock__free(d->sl, m, sizeof(*m));
}

void sock__mc_leave_all(struct sock_dgram *d)
{
	while (d->members)
		drop(d, &d->members);
}

/* One call's wish. */
struct wish {
	struct plx_addr group;
	struct plx_addr by; /* an address of the interface; any = none is named */
	int iface;	    /* 0 = find it */
};

/* ip_mc_find_dev() */
static int find_iface(const struct sock_lcore *sl, const struct wish *w)
{
	int i = w->iface;

	if (i)
		return sock__iface_is(sl, i) ? i : -ENODEV;
	if (!plx_addr_is_any(&w->by))
		i = sock__iface_with(sl, &w->by);
	else
		i = iface_by_route(sl, &w->group);
	return i ? i : -ENODEV;
}

static long join(struct sock_dgram *d, const struct wish *w)
{
	int i = find_iface(d->sl, w), n = 0, err;
	struct sock_member *m;

	if (i < 0)
		return i;
	for (m = d->members; m; m = m->next) {
		if (m->iface == i && plx_addr_eq(&m->group, &w->group))
			return -EADDRINUSE;
		n++;
	}
	m = n < MEMBERS_MOST ? sock__alloc(d->sl, sizeof(*m)) : NULL;
	if (!m)
		return -ENOBUFS;
	err = plx_net_group_post(d->sl->sn, (uint16_t)i, &w->group, true);
	if (err) {
		sock__free(d->sl, m, sizeof(*m));
		return err;
	}
	*m = (struct sock_member){d->members, w->group, w->by, (uint16_t)i};
	d->members = m;
	return 0;
}

static bool is_meant(const struct sock_member *m, const struct wish *w)
{
	if (!plx_addr_eq(&m->group, &w->group))
		return false;
	if (w->iface)
		return m->iface == w->iface;
	return plx_addr_is_any(&w->by) || plx_addr_eq(&m->by, &w->by);
}

static long leave(struct sock_dgram *d, const struct wish *w)
{
	struct sock_member **at = &d->members;

	while (*at && !is_meant(*at, w))
		at = &(*at)->next;
	if (!*at)
		return !w->iface && plx_addr_is_any(&w->by) && find_iface(d->sl, w) < 0
			       ? -ENODEV
			       : -EADDRNOTAVAIL;
	drop(d, at);
	return 0;
}

/* Streams have no groups: Linux says EPROTO. */
static long change(struct sock_optarg *a, const struct wish *w, bool in)
{
	struct sock_dgram *d = sock__dgram(a->f);

	if (!d)
		return -EPROTO;
	if (!plx_addr_is_mcast(&w->group))
		return in || !plx_addr_is_v4(&w->group) ? -EINVAL : -EADDRNOTAVAIL;
	if (w->iface < 0 || w->iface > UINT16_MAX)
		return in ? -ENODEV : -EADDRNOTAVAIL;
	return in ? join(d, w) : leave(d, w);
}

/* ---- options ---- */

/* struct ip_mreqn, or what has less of it. @param least what must be there. */
static long take_mreq(const struct sock_optarg *a, struct ip_mreqn *m, size_t least)
{
	struct ip_mreq old;
	long err;

	memset(m, 0, sizeof(*m));
	if (a->len >= (int)sizeof(*m))
		return sock__opt_take(a, m, sizeof(*m));
	if (a->len < (int)sizeof(old) && least < sizeof(old))
		return sock__opt_take(a, &m->imr_address, sizeof(m->imr_address));
	err = sock__opt_take(a, &old, sizeof(old));
	if (!err) {
		m->imr_multiaddr = old.imr_multiaddr;
		m->imr_address = old.imr_interface;
	}
	return err;
}

long sock__mc_member4(struct sock_optarg *a)
{
	struct ip_mreqn m;
	struct wish w;
	long err;

	if (!sock__dgram(a->f))
		return -EPROTO;
	err = take_mreq(a, &m, sizeof(struct ip_mreq));
	if (err)
		return err;
	w = (struct wish){plx_addr_from_v4(&m.imr_multiaddr), plx_addr_from_v4(&m.imr_address),
		m.imr_ifindex};
	return change(a, &w, a->def->name == IP_ADD_MEMBERSHIP);
}

long sock__mc_member6(struct sock_optarg *a)
{
	struct ipv6_mreq m;
	struct wish w = {0};
	long err = sock__opt_take(a, &m, sizeof(m));

	if (err)
		return err;
	w.group = plx_addr_from_v6(&m.ipv6mr_multiaddr);
	w.iface = (int)m.ipv6mr_interface;
	if (plx_addr_is_v4(&w.group))
		return -EINVAL;
	return change(a, &w, a->def->name == IPV6_JOIN_GROUP);
}

long sock__mc_group_req(struct sock_optarg *a)
{
	int family = a->op->level == IPPROTO_IPV6 ? AF_INET6 : AF_INET;
	struct group_req g;
	struct wish w = {0};
	long err = sock__opt_take(a, &g, sizeof(g));

	if (err)
		return err;
	if (g.gr_group.ss_family != family)
		return family == AF_INET ? -EINVAL : -EADDRNOTAVAIL;
	if (family == AF_INET)
		w.group = plx_addr_from_v4(&((const struct sockaddr_in *)&g.gr_group)->sin_addr);
	else
		w.group = plx_addr_from_v6(&((const struct sockaddr_in6 *)&g.gr_group)->sin6_addr);
	w.iface = (int)g.gr_interface;
	return change(a, &w, a->def->name == MCAST_JOIN_GROUP);
}

long sock__mc_if4(struct sock_optarg *a)
{
	struct sock_opts *o = a->opt;
	struct ip_mreqn m;
	struct plx_addr by;
	long err;
	int i;

	if (a->f->kind->type == SOCK_STREAM)
		return -EINVAL;
	err = take_mreq(a, &m, sizeof(struct in_addr));
	if (err)
		return err;
	by = plx_addr_from_v4(&m.imr_address);
	i = m.imr_ifindex;
	if (!i && !plx_addr_is_any(&by)) {
		i = sock__iface_with(a->sl, &by);
		if (!i)
			return -EADDRNOTAVAIL;
	}
	if (i && !sock__iface_is(a->sl, i))
		return -EADDRNOTAVAIL;
	if (i && o->iface && o->iface != i)
		return -EINVAL;
	o->mc_if = (uint16_t)i;
	o->mc_src = by;
	return 0;
}

long sock__mc_if6(struct sock_optarg *a)
{
	if (a->v && a->opt->iface && a->opt->iface != a->v)
		return -EINVAL;
	if (a->v && !sock__iface_is(a->sl, a->v))
		return -ENODEV;
	a->opt->mc6_if = (uint16_t)a->v;
	return 0;
}
