/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_table.h"

static bool by_iface(const struct plx_udp_sock *s, const struct plx_udp_flow *f)
{
	return s->iface == 0 || s->iface == f->iface;
}

/* Even over 0 .. n-1 as far as the hash is; Linux's reciprocal_scale(). */
static uint32_t scale(uint32_t hash, uint32_t n)
{
	return (uint32_t)((uint64_t)hash * n >> 32);
}

static struct plx_udp_sock *choose_at_home(
	const struct plx_udp_group *g, const struct plx_udp_flow *f)
{
	uint32_t at_home = 0, k;

	for (uint32_t i = 0; i < g->n; i++)
		at_home += g->home[i] == f->home;
	if (at_home == 0)
		return NULL;
	k = scale(f->hash, at_home);
	for (uint32_t i = 0;; i++)
		if (g->home[i] == f->home && k-- == 0)
			return g->sock[i];
}

PLX_NOINLINE static struct plx_udp_sock *choose_member(
	const struct plx_udp_group *g, const struct plx_udp_flow *f)
{
	struct plx_udp_sock *at_home = NULL;

	if (f->home != PLX_UDP_NO_HOME)
		at_home = choose_at_home(g, f);
	return at_home ? at_home : g->sock[scale(f->hash, g->n)];
}

/* The winner, or the member of its SO_REUSEPORT group that the flow belongs to. */
static struct plx_udp_sock *choose(struct plx_udp_sock *s, const struct plx_udp_flow *f)
{
	return plx_likely(!s || !s->group) ? s : choose_member(s->group, f);
}

/* Bound to the address, or connected: one bound to the interface wins, then the newest. */
static struct plx_udp_sock *probe(const struct plx_udp *t, const struct plx_udp_flow *f,
	const struct plx_addr *raddr, uint16_t rport)
{
	struct plx_udp_sock *best = NULL;

	for (struct plx_udp_sock *s = *udp__bucket(t, &f->dst, f->dport, raddr, rport); s;
		s = s->hash_next) {
		if (s->lport != f->dport || s->rport != rport || !plx_addr_eq(&s->laddr, &f->dst) ||
			!plx_addr_eq(&s->raddr, raddr) || !by_iface(s, f))
			continue;
		if (s->iface)
			return s;
		if (!best)
			best = s;
	}
	return best;
}

/* As Linux's compute_score(), the interface counts more than the family. */
static int score(const struct plx_udp_sock *s, bool v4)
{
	return (s->iface ? 2 : 0) + (v4 && plx_addr_is_v4(&s->laddr));
}

/* Bound to any. Mostly there is one, and no need to score it. */
static struct plx_udp_sock *search_any(const struct plx_udp_port *p, const struct plx_udp_flow *f)
{
	struct plx_udp_sock *s, *best = NULL;
	bool v4 = plx_addr_is_v4(&f->dst);

	plx_list_foreach (s, &p->any, of_any)
		if (by_iface(s, f) && udp__hears(s, v4) &&
			(!best || score(s, v4) > score(best, v4)))
			best = s;
	return best;
}

/* Where there are more than those bound to any. */
PLX_NOINLINE static struct plx_udp_sock *search(
	const struct plx_udp *t, const struct plx_udp_port *p, const struct plx_udp_flow *f)
{
	struct plx_udp_sock *s = NULL;

	if (p->connected)
		s = probe(t, f, &f->src, f->sport);
	if (!s && p->specific)
		s = probe(t, f, &any6, 0);
	return choose(s ? s : search_any(p, f), f);
}

struct plx_udp_sock *plx_udp_lookup(const struct plx_udp *t, const struct plx_udp_flow *f)
{
	const struct plx_udp_port *p = udp__port(t, f->dport);

	if (!p)
		return NULL;
	return p->connected | p->specific ? search(t, p, f) : choose(search_any(p, f), f);
}

/* A connected socket has the address that its peer knows, so it hears no group, but the one bound
 * to. */
static bool hears_group(const struct plx_udp_sock *s, const struct plx_udp_flow *f)
{
	if (!by_iface(s, f) || !udp__hears(s, plx_addr_is_v4(&f->dst)))
		return false;
	if (s->connected && (s->rport != f->sport || !plx_addr_eq(&s->raddr, &f->src)))
		return false;
	return plx_addr_is_any(&s->laddr) || plx_addr_eq(&s->laddr, &f->dst);
}

struct plx_udp_sock *plx_udp_mcast_next(
	const struct plx_udp *t, const struct plx_udp_flow *f, const struct plx_udp_sock *prev)
{
	const struct plx_udp_port *p = prev ? prev->port : udp__port(t, f->dport);
	const struct plx_list *link;

	if (!p)
		return NULL;
	link = prev ? &prev->of_port : &p->all;
	while ((link = link->next) != &p->all) {
		struct plx_udp_sock *s = plx_list_entry(link, struct plx_udp_sock, of_port);

		if (hears_group(s, f))
			return s;
	}
	return NULL;
}
