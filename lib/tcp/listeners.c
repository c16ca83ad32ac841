/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>

#include "plx_tcp_listen.h"

/* SO_REUSEADDR does not count among those that listen. */
static struct plx_bind claim_of(const struct plx_tcp_listener *l)
{
	return (struct plx_bind){
		.laddr = l->id.laddr,
		.iface = l->id.iface,
		.v6only = l->v6only,
		.reuseport = l->reuseport,
	};
}

static bool conflicts(const struct plx_tcp_listener *a, const struct plx_tcp_listener *b)
{
	const struct plx_bind there = claim_of(a), claim = claim_of(b);

	return a->id.lport == b->id.lport && plx_bind_conflict(&there, &claim);
}

int plx_tcp_listener_add(struct plx_tcp_table *t, struct plx_tcp_listener *l)
{
	struct plx_tcp_listener **head = &t->ports[table_port(l->id.lport)];

	if (l->id.lport == 0 || (l->v6only && plx_addr_is_v4(&l->id.laddr)))
		return -EINVAL;
	for (const struct plx_tcp_listener *o = *head; o; o = o->next)
		if (!l->unchecked && conflicts(o, l))
			return -EADDRINUSE;
	l->id.kind = PLX_TCP_KIND_LISTENER;
	l->id.state = PLX_TCP_LISTEN;
	l->id.rport = 0;
	l->next = *head;
	*head = l;
	return 0;
}

void plx_tcp_listener_del(struct plx_tcp_table *t, struct plx_tcp_listener *l)
{
	struct plx_tcp_listener **at = &t->ports[table_port(l->id.lport)];

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
	l->next = NULL;
}

bool tcp__port_listened(const struct plx_tcp_table *t, uint16_t port)
{
	const struct plx_tcp_listener *l = t->ports[table_port(port)];

	while (l && l->id.lport != port)
		l = l->next;
	return l;
}

/* Linux's compute_score(): address, interface, family, in this order. < 0: not for it. */
static int score(const struct plx_tcp_listener *l, const struct plx_tcp_id *key, bool v4)
{
	bool l4 = plx_addr_is_v4(&l->id.laddr);
	int s = 0;

	if (l->id.lport != key->lport || (l->id.iface && l->id.iface != key->iface))
		return -1;
	if (plx_addr_eq(&l->id.laddr, &key->laddr))
		s += 4;
	else if (!plx_addr_is_any(&l->id.laddr) || (l4 && !v4) || (!l4 && v4 && l->v6only))
		return -1;
	return s + (l->id.iface ? 2 : 0) + (l4 ? 1 : 0);
}

/* Those of a SO_REUSEPORT group that are at home here, or any if none is. */
static bool may_share(const struct plx_tcp_listener *l, bool home)
{
	return l->reuseport && (!home || l->home);
}

/* The k-th of those that are as good as the best one. */
static struct plx_tcp_listener *choose(struct plx_tcp_listener *best, const struct plx_tcp_id *key,
	bool v4, int best_score, uint32_t hash)
{
	uint32_t n[2] = {0, 0}, k;
	struct plx_tcp_listener *l;
	bool home;

	for (l = best; l; l = l->next)
		if (l->reuseport && score(l, key, v4) == best_score)
			n[l->home]++;
	home = n[1] > 0;
	k = (uint32_t)((uint64_t)hash * (home ? n[1] : n[0]) >>
		       32); /* Linux's reciprocal_scale() */
	for (l = best;; l = l->next)
		if (may_share(l, home) && score(l, key, v4) == best_score && k-- == 0)
			return l;
}

struct plx_tcp_listener *plx_tcp_listener_find(
	struct plx_tcp_table *t, const struct plx_tcp_id *key, uint32_t hash)
{
	struct plx_tcp_listener *best = NULL;
	bool v4 = plx_addr_is_v4(&key->laddr);
	int best_score = -1;

	for (struct plx_tcp_listener *l = t->ports[table_port(key->lport)]; l; l = l->next) {
		int s = score(l, key, v4);

		if (s > best_score) {
			best = l;
			best_score = s;
		}
	}
	return best && best->reuseport ? choose(best, key, v4, best_score, hash) : best;
}
