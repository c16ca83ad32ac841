/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

#include <stdlib.h>

/*
 * ---- four-tuples with a port that was named, or is away ----
 *
 * Sockets of several lcores may be bound to one port (SO_REUSEADDR), and name the same peer. Each
 * lcore's table knows its own, so these four-tuples are in a table of all, behind a lock, until
 * their TIME-WAIT is over, or another lcore has taken it.
 */

struct net_named {
	struct net_named *next;
	struct plx_tcp_id id;
	uint16_t lcore;
	bool waits;   /* in TIME-WAIT, to be had */
	uint32_t iss; /* of that: what a new one's must lie above */
};

static bool same(const struct plx_tcp_id *a, const struct plx_tcp_id *b)
{
	return a->lport == b->lport && a->rport == b->rport && plx_addr_eq(&a->raddr, &b->raddr) &&
	       plx_addr_eq(&a->laddr, &b->laddr);
}

/* Locked. Where it is, or the end of its chain. */
static struct net_named **find(struct plx_net *net, const struct plx_tcp_id *id)
{
	const uint64_t w[] = {id->laddr.q[0], id->laddr.q[1], id->raddr.q[0], id->raddr.q[1],
		(uint64_t)id->lport << 16 | id->rport};
	struct net_named **at =
		&net->named[plx_siphash(net->key, w, sizeof(w)) % PLX_DIM(net->named)];

	while (*at && !same(&(*at)->id, id))
		at = &(*at)->next;
	return at;
}

bool net__tcp_named_take(struct net_lcore *nl, const struct plx_tcp_id *id, uint32_t *iss_above)
{
	struct net_named *fresh = calloc(1, sizeof(*fresh)), **at, *n;
	bool taken = false;

	if (!fresh)
		return false;
	fresh->id = *id;
	pthread_mutex_lock(&nl->net->named_lock);
	at = find(nl->net, id);
	n = *at;
	if (!n) {
		*at = n = fresh;
		fresh = NULL;
		taken = true;
	} else if (n->waits) {
		*iss_above = n->iss;
		taken = true;
	}
	if (taken) {
		n->lcore = nl->sn->index;
		n->waits = false;
	}
	pthread_mutex_unlock(&nl->net->named_lock);
	free(fresh);
	return taken;
}

void net__tcp_named_wait(struct net_lcore *nl, const struct plx_tcp_id *id, uint32_t iss)
{
	struct net_named *n;

	pthread_mutex_lock(&nl->net->named_lock);
	n = *find(nl->net, id);
	if (n && n->lcore == nl->sn->index) {
		n->waits = true;
		n->iss = iss;
	}
	pthread_mutex_unlock(&nl->net->named_lock);
}

void net__tcp_named_drop(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	struct net_named **at, *n;

	pthread_mutex_lock(&nl->net->named_lock);
	at = find(nl->net, id);
	n = *at && (*at)->lcore == nl->sn->index ? *at : NULL;
	if (n)
		*at = n->next;
	pthread_mutex_unlock(&nl->net->named_lock);
	free(n);
}

void net__tcp_named_move(struct net_lcore *nl, const struct plx_tcp_id *id, uint16_t from)
{
	struct net_named *n;

	pthread_mutex_lock(&nl->net->named_lock);
	n = *find(nl->net, id);
	if (n && n->lcore == from)
		n->lcore = nl->sn->index;
	pthread_mutex_unlock(&nl->net->named_lock);
}

/* Has another lcore taken the four-tuple of this TIME-WAIT? */
static bool is_given_away(const struct net_lcore *nl, const struct plx_tcp_id *id)
{
	const struct plx_tcp_tw *w = plx_container_of(id, struct plx_tcp_tw, id);
	const struct net_named *n;
	bool given;

	if (id->kind != PLX_TCP_KIND_TW || !w->named)
		return false;
	pthread_mutex_lock(&nl->net->named_lock);
	n = *find(nl->net, id);
	given = n && n->lcore != nl->sn->index;
	pthread_mutex_unlock(&nl->net->named_lock);
	return given;
}

/*
 * ---- away ----
 *
 * Connections that are not on the lcore of their flow's hash. connect() takes a port by which the
 * answers come to its own lcore; where the program has named the port, or no such port is left, the
 * answers come where they will, and are handed over: from the flow's lcore on, each one that has
 * such connections from this port is asked in turn. Only a segment for which nothing was found
 * asks.
 */

static void mark(struct net_tcp *t, uint16_t port, bool away)
{
	uint64_t *w = &t->away[port / 64], bit = UINT64_C(1) << port % 64;

	__atomic_store_n(w, away ? *w | bit : *w & ~bit, __ATOMIC_SEQ_CST);
}

void net__tcp_away_take(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	__atomic_add_fetch(&nl->net->tcp_away[id->lport], 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&nl->net->has_away, true, __ATOMIC_SEQ_CST);
	if (nl->tcp->away_n[id->lport]++ == 0)
		mark(nl->tcp, id->lport, true);
}

void net__tcp_away_drop(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	if (--nl->tcp->away_n[id->lport] == 0)
		mark(nl->tcp, id->lport, false);
	__atomic_sub_fetch(&nl->net->tcp_away[id->lport], 1, __ATOMIC_RELEASE);
}

/* Behind this one, if it was handed to us: so it ends. */
static int next_away(const struct net_lcore *nl, const struct plx_tcp_id *key, bool handed)
{
	uint16_t n = nl->net->n_lcores, first = net__tcp_owner(nl, key), self = nl->sn->index;
	uint16_t at = handed ? (uint16_t)((self + n - first) % n + 1) : 0;

	for (; at < n; at++) {
		uint16_t lcore = (uint16_t)((first + at) % n);
		const uint64_t *w = &nl->net->lcore[lcore]->tcp->away[key->lport / 64];

		if (lcore != self && __atomic_load_n(w, __ATOMIC_ACQUIRE) >> key->lport % 64 & 1)
			return lcore;
	}
	return -1;
}

int net__tcp_away_search(
	const struct net_lcore *nl, const struct plx_tcp_id *key, uint8_t flags, bool handed)
{
	struct plx_tcp_table *table = nl->tcp->ctx.table;
	const struct plx_tcp_id *there;

	if (!__atomic_load_n(&nl->net->tcp_away[key->lport], __ATOMIC_ACQUIRE))
		return -1;
	there = table ? plx_tcp_table_lookup(table, key) : NULL;
	if (there && !is_given_away(nl, there))
		return -1;
	if ((flags & (PLX_TCP_SYN | PLX_TCP_ACK)) == PLX_TCP_SYN && table &&
		plx_tcp_listener_find(table, key, 0))
		return -1;
	return next_away(nl, key, handed);
}
