/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_live.h"

#include <string.h>

#include "fmt.h"

static long long at(const json_t *row, const char *key, size_t i)
{
	return json_integer_value(json_array_get(json_object_get(row, key), i));
}

static size_t length(const json_t *row, const char *key)
{
	return json_array_size(json_object_get(row, key));
}

static bool same_addr(const char *text, const struct plx_addr *a)
{
	struct plx_addr b;

	return plx_addr_parse(&b, text) == 0 && plx_addr_eq(a, &b);
}

static bool set_key(struct plx_rss *rss, const json_t *row)
{
	uint8_t key[PLX_STEER_KEY_MAX];
	size_t n = length(row, "key");

	if (n > sizeof(key))
		return false;
	for (size_t i = 0; i < n; i++)
		key[i] = (uint8_t)at(row, "key", i);
	return plx_steer_toeplitz_init(&rss->key, key, n) == 0;
}

/* --- the ports ---------------------------------------------------------------------------------
 */

/* All of a port's entries are there, each of a queue that it has. */
static bool read_reta(struct plx_reta *r, const json_t *indir, const json_t *port)
{
	size_t i, seen = 0;
	json_t *row;

	*r = (struct plx_reta){.size = (uint16_t)fmt_num(port, "indir_size")};
	json_array_foreach(indir, i, row)
	{
		size_t first = (size_t)fmt_num(row, "first"), n = length(row, "queues");

		if (strcmp(fmt_str(row, "ifname"), fmt_str(port, "ifname")) != 0 || first != seen ||
			first + n > PLX_RETA_SIZE_MAX)
			continue;
		for (size_t q = 0; q < n; q++)
			r->q[first + q] = (uint16_t)at(row, "queues", q);
		seen += n;
	}
	return seen == r->size && plx_steer_reta_valid(r, (uint16_t)fmt_num(port, "rings"));
}

bool live_rss(struct plx_rss *rss, struct plx_reta *reta, const json_t *indir, const json_t *port)
{
	*rss = (struct plx_rss){.types = (uint32_t)fmt_num(port, "types")};
	return length(port, "lcores") > 0 && set_key(rss, port) && read_reta(reta, indir, port);
}

static void reckon_port(
	struct live_port *p, const struct live_tables *t, const struct plx_tuple *tuple)
{
	struct plx_steer_tables by = {0};
	struct plx_reta reta;
	struct plx_rss rss;
	size_t n = length(p->row, "lcores");

	p->known = live_rss(&rss, &reta, t->indir, p->row);
	p->lcore = n == 1 ? (int)at(p->row, "lcores", 0) : LIVE_NONE;
	if (!p->known)
		return;
	by.rss = &rss;
	by.reta = &reta;
	plx_steer_explain(&p->e, &by, tuple);
	p->lcore = (int)at(p->row, "lcores", p->e.queue);
}

/* Whatever its hash says (aRFS). */
static void find_rule(struct live_port *p, const struct live *l, const struct live_tables *t)
{
	size_t i;
	json_t *row;

	p->rule = LIVE_NONE;
	json_array_foreach(t->flows, i, row)
	{
		if (fmt_num(row, "hash") == l->e.hash && json_object_get(row, "queue") &&
			strcmp(fmt_str(row, "ifname"), fmt_str(p->row, "ifname")) == 0)
			p->rule = (int)fmt_num(row, "queue");
	}
	if (p->rule != LIVE_NONE)
		p->lcore = (int)at(p->row, "lcores", (size_t)p->rule);
}

static void reckon_ports(struct live *l, const struct live_tables *t)
{
	size_t i;
	json_t *row;

	json_array_foreach(t->rss, i, row)
	{
		struct live_port *p = &l->port[l->n_ports];

		if (l->n_ports == LIVE_PORTS)
			break;
		l->n_ports++;
		p->row = row;
		reckon_port(p, t, &l->t);
		find_rule(p, l, t);
	}
}

/* The lcore that receives it, if by all ports it is the same. */
static int received(const struct live *l)
{
	for (unsigned int i = 1; i < l->n_ports; i++)
		if (l->port[i].lcore != l->port[0].lcore)
			return LIVE_NONE;
	return l->n_ports ? l->port[0].lcore : LIVE_NONE;
}

/* --- RPS ---------------------------------------------------------------------------------------
 */

static uint32_t rps_hash(const struct live *l, const struct live_port *p)
{
	struct plx_toeplitz sorted = l->rss.key;
	bool hashed = p->known && fmt_num(p->row, "rxhash");

	sorted.symmetric = true;
	return plx_steer_rps_hash(
		&sorted, &l->t, hashed ? (uint32_t)fmt_num(p->row, "types") : 0, p->e.hash);
}

/* Who forwards what comes by this queue. */
static int by_queue(struct live_port *p, const struct live_tables *t, size_t queue, uint32_t hash)
{
	size_t i, n;
	json_t *row;

	json_array_foreach(t->rps, i, row)
	{
		n = length(row, "lcores");
		if (n == 0 || strcmp(fmt_str(row, "ifname"), fmt_str(p->row, "ifname")) != 0 ||
			fmt_num(row, "queue") != (long long)queue)
			continue;
		p->spread = true;
		return (int)at(row, "lcores", plx_steer_reciprocal_scale(hash, (uint32_t)n));
	}
	return (int)at(p->row, "lcores", queue);
}

static void reckon_rps(struct live *l, const struct live_tables *t)
{
	for (unsigned int i = 0; i < l->n_ports; i++) {
		struct live_port *p = &l->port[i];
		size_t n = length(p->row, "lcores"), q = p->known ? p->e.queue : 0;
		uint32_t hash = rps_hash(l, p);

		p->rps = n ? by_queue(p, t, q, hash) : LIVE_NONE;
		for (q = 0; !p->known && q < n; q++)
			if (by_queue(p, t, q, hash) != p->rps)
				p->rps = LIVE_NONE;
	}
}

/* --- the owner map -----------------------------------------------------------------------------
 */

static bool reckon_owner(struct live *l, const json_t *steer)
{
	static struct plx_reta any; /* no device: the hash is what is wanted */
	struct plx_steer_tables by = {.rss = &l->rss, .reta = &any};
	struct plx_owner_map owners;
	size_t n = length(steer, "owners");

	if (n == 0 || n > PLX_OWNER_BUCKETS_MAX || n & (n - 1) || !set_key(&l->rss, steer))
		return false;
	owners.size = l->buckets = (uint16_t)n;
	for (size_t i = 0; i < n; i++)
		owners.lcore[i] = (uint16_t)at(steer, "owners", i);
	any.size = PLX_RETA_SIZE_MIN;
	by.owners = &owners;
	l->rss.types = PLX_RSS_ALL;
	l->lcores = (unsigned int)length(steer, "lcores");
	plx_steer_explain(&l->e, &by, &l->t);
	l->owner = l->e.owner;
	return l->lcores > 0 && l->lcores <= LIVE_LCORES;
}

/* Has this flow an lcore of its own? */
static void find_flow(struct live *l, const struct live_tables *t)
{
	size_t i;
	json_t *row;

	l->flow = LIVE_NONE;
	json_array_foreach(t->flows, i, row)
	{
		if (fmt_num(row, "hash") == l->e.hash)
			l->flow = (int)fmt_num(row, "lcore");
	}
}

/* --- for whom it is ----------------------------------------------------------------------------
 */

static enum live_to to_whom(
	const struct plx_addr *dst, const struct live_tables *t, const json_t *steer)
{
	size_t i;
	json_t *row;

	if (plx_addr_is_mcast(dst) || same_addr("255.255.255.255", dst))
		return LIVE_TO_MANY;
	json_array_foreach(t->addr, i, row)
	{
		if (same_addr(fmt_str(row, "local"), dst))
			return LIVE_TO_US;
		if (same_addr(fmt_str(row, "broadcast"), dst))
			return LIVE_TO_MANY;
	}
	if (plx_addr_is_loopback(dst))
		return LIVE_TO_US;
	return fmt_num(steer, plx_addr_is_v4(dst) ? "forward4" : "forward6") ? LIVE_TO_FORWARD
									     : LIVE_TO_NOBODY;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static bool fits_local(const json_t *row, const struct plx_tuple *t)
{
	const char *local = fmt_str(row, "local");

	if (fmt_num(row, "local_port") != t->dport)
		return false;
	if (strcmp(local, "*") == 0)
		return !plx_addr_is_v4(&t->dst) || !fmt_num(row, "v6only");
	if (strcmp(local, "0.0.0.0") == 0)
		return plx_addr_is_v4(&t->dst);
	return same_addr(local, &t->dst);
}

/* How well a socket fits a packet; 0: not. What is connected comes first, as in a lookup. */
static int fit(const json_t *row, const struct plx_tuple *t)
{
	bool connected = fmt_num(row, "dst_port") != 0;
	const char *local = fmt_str(row, "local");

	if (!fits_local(row, t))
		return 0;
	if (connected &&
		(fmt_num(row, "dst_port") != t->sport || !same_addr(fmt_str(row, "dst"), &t->src)))
		return 0;
	return 1 + (strcmp(local, "*") != 0 && strcmp(local, "0.0.0.0") != 0) + 2 * connected;
}

/* Of several that fit alike, that of the flow's lcore, if there is one: SO_REUSEPORT. */
static void find_socket(struct live *l, const struct live_tables *t, int home)
{
	int best = 0;
	size_t i;
	json_t *row;

	l->sock_lcore = LIVE_NONE;
	json_array_foreach(t->socks, i, row)
	{
		int how = fit(row, &l->t), lcore = (int)fmt_num(row, "lcore");

		if (how == 0 || how < best)
			continue;
		if (how > best || lcore == home) {
			l->sock = row;
			l->sock_lcore = lcore;
		} else if (l->sock_lcore != home && l->sock_lcore != lcore) {
			l->sock_lcore = LIVE_NONE;
		}
		best = how;
	}
}

/* --- who decides -------------------------------------------------------------------------------
 */

static void decide(struct live *l, enum live_by by, int lcore)
{
	l->by = by;
	l->lcore = lcore;
}

/* Whose the flow is: by its override, else by the map. */
static int owner_of(const struct live *l)
{
	return l->flow != LIVE_NONE ? l->flow : l->owner;
}

static void decide_owned(struct live *l)
{
	decide(l, l->flow != LIVE_NONE ? LIVE_BY_FLOW : LIVE_BY_OWNER, owner_of(l));
}

static void decide_tcp(struct live *l, const struct live_tables *t, const json_t *steer)
{
	bool steered = fmt_num(steer, "soft_steer");

	find_socket(l, t, LIVE_NONE);
	if (l->sock && strcmp(fmt_str(l->sock, "state"), "LISTEN") == 0)
		l->sock_lcore = LIVE_NONE; /* each lcore has its own */
	if (l->sock_lcore != LIVE_NONE && l->sock_lcore != owner_of(l))
		decide(l, LIVE_BY_CONNECTION, l->sock_lcore);
	else if (steered)
		decide_owned(l);
	else
		decide(l, LIVE_BY_QUEUE, received(l));
}

static void decide_udp(struct live *l, const struct live_tables *t, const json_t *steer)
{
	int home = fmt_num(steer, "soft_steer") ? owner_of(l) : received(l);

	find_socket(l, t, home);
	if (!l->sock)
		decide(l, LIVE_BY_QUEUE, received(l));
	else if (l->sock_lcore == owner_of(l) && home == owner_of(l))
		decide_owned(l);
	else
		decide(l, LIVE_BY_SOCKET, l->sock_lcore);
}

static void decide_forwarded(struct live *l, const struct live_tables *t)
{
	enum live_by by = LIVE_BY_QUEUE;

	reckon_rps(l, t);
	for (unsigned int i = 0; i < l->n_ports; i++)
		if (l->port[i].spread)
			by = LIVE_BY_RPS;
	decide(l, by, by == LIVE_BY_QUEUE ? received(l) : LIVE_NONE);
	if (by == LIVE_BY_RPS) {
		l->lcore = l->port[0].rps;
		for (unsigned int i = 1; i < l->n_ports; i++)
			if (l->port[i].rps != l->lcore)
				l->lcore = LIVE_NONE;
	}
}

static void decide_all(struct live *l, const struct live_tables *t, const json_t *steer)
{
	if (l->to == LIVE_TO_MANY)
		decide(l, LIVE_BY_MEMBERS, LIVE_NONE);
	else if (l->to == LIVE_TO_FORWARD)
		decide_forwarded(l, t);
	else if (l->to == LIVE_TO_NOBODY)
		decide(l, LIVE_BY_QUEUE, received(l));
	else if (l->t.frag)
		decide(l, LIVE_BY_OWNER, l->owner);
	else if (l->t.proto == PLX_IPPROTO_TCP)
		decide_tcp(l, t, steer);
	else if (l->t.proto == PLX_IPPROTO_UDP)
		decide_udp(l, t, steer);
	else
		decide(l, LIVE_BY_QUEUE, received(l));
	if (l->lcores == 1 && l->by != LIVE_BY_MEMBERS)
		l->lcore = (int)at(steer, "lcores", 0);
}

/* --- the flow limit ----------------------------------------------------------------------------
 */

/* The lcore's history, and what it says of this flow. */
static void look(struct live_limit *m, const struct live *l, const json_t *row)
{
	struct plx_flow_limit f = {.log = (uint8_t)(31 - __builtin_clz(m->buckets))};
	static uint8_t bucket[PLX_FLOW_LIMIT_BUCKETS_MAX];
	uint32_t hash = plx_steer_hash_nonzero(l->e.hash);

	memset(bucket, 0, sizeof(bucket));
	f.bucket = bucket;
	for (size_t i = 0; i < PLX_FLOW_LIMIT_HISTORY && i < length(row, "history"); i++) {
		f.history[i] = (uint16_t)at(row, "history", i);
		bucket[f.history[i]] = (uint8_t)at(row, "packets", i);
	}
	m->e.limit_slot = plx_steer_hash_slot(hash, f.log);
	m->e.drop = plx_steer_limit_look(&f, hash, m->waiting, m->max_backlog, &m->e.in_history);
}

/* Those that may have to hand it over, to where it is handled. */
static void reckon_limits(struct live *l, const struct live_tables *t, const json_t *steer)
{
	size_t i, to = 0;
	json_t *row;

	while (to < l->lcores && at(steer, "lcores", to) != l->lcore)
		to++;
	json_array_foreach(t->limit, i, row)
	{
		struct live_limit *m = &l->limit[l->n_limits];
		long long buckets = fmt_num(row, "buckets");

		if (l->lcore == LIVE_NONE || !fmt_num(row, "on") || l->n_limits == LIVE_LCORES ||
			fmt_num(row, "lcore") == l->lcore || buckets < 1 ||
			buckets > PLX_FLOW_LIMIT_BUCKETS_MAX)
			continue;
		m->lcore = (int)fmt_num(row, "lcore");
		m->buckets = (uint32_t)buckets;
		m->waiting = (uint32_t)at(row, "waiting", to);
		m->max_backlog = (uint32_t)fmt_num(row, "max_backlog");
		look(m, l, row);
		l->n_limits++;
	}
}

bool live_reckon(struct live *l, const struct live_tables *t)
{
	const json_t *steer = json_array_get(t->steer, 0);

	if (!reckon_owner(l, steer))
		return false;
	find_flow(l, t);
	reckon_ports(l, t);
	l->to = to_whom(&l->t.dst, t, steer);
	l->sock_lcore = LIVE_NONE;
	decide_all(l, t, steer);
	if (l->by != LIVE_BY_QUEUE)
		reckon_limits(l, t, steer);
	return true;
}
