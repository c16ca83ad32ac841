/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

#include <errno.h>

#include <plx_base_bind.h>
#include <plx_wire_ip.h>

/*
 * Claims on ports: who may stand beside whom says plx_bind_conflict(); here is which port is taken
 * when none is named.
 */

#define DRAWS 16

void net__ports_init(struct net_ports *p, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	plx_rng_init(&p->rng, seed);
}

static bool is_tcp(const struct plx_net_bind *b)
{
	return b->proto == PLX_IPPROTO_TCP;
}

static struct plx_net_bind **bucket(struct net_ports *p, uint8_t proto, uint16_t port)
{
	return &p->bucket[proto != PLX_IPPROTO_TCP][port % NET_PORT_BUCKETS];
}

static void mark(struct net_ports *p, const struct plx_net_bind *b, bool bound)
{
	uint64_t *w = &p->bound[!is_tcp(b)][b->lport / 64], bit = UINT64_C(1) << b->lport % 64;

	__atomic_store_n(w, bound ? *w | bit : *w & ~bit, __ATOMIC_RELAXED);
}

/* Who listens shares with nobody who merely reuses the address. */
static struct plx_bind claim_of(const struct plx_net_bind *b)
{
	return (struct plx_bind){
		.laddr = b->laddr,
		.iface = b->iface,
		.uid = b->uid,
		.v6only = b->v6only,
		.reuseaddr = b->reuseaddr && !b->listening,
		.reuseport = b->reuseport,
	};
}

/* @param chosen by us: a TCP port that somebody has for the same address is none to be given out,
 * share as they may. */
static bool conflicts(struct net_ports *p, const struct plx_net_bind *b, uint16_t port, bool chosen)
{
	struct plx_bind claim = claim_of(b);

	claim.reuseaddr = b->reuseaddr; /* about to listen, b still is as it was bound */
	chosen = chosen && is_tcp(b);
	for (const struct plx_net_bind *o = *bucket(p, b->proto, port); o; o = o->next) {
		const struct plx_bind there = claim_of(o);

		if (o != b && o->lport == port && plx_bind_meet(&there, &claim) &&
			(chosen || !plx_bind_share(&there, &claim)))
			return true;
	}
	return false;
}

/* ---- when none is named (RFC 6056 3.3.1) ---- */

struct search {
	struct net_ports *p;
	const struct plx_net_bind *b;
	plx_net_bind_choose choose;
	const void *arg;
	struct plx_port_set part[4]; /* in this order */
	uint32_t parts;
};

static uint64_t chosen(const struct search *s, uint32_t word)
{
	return s->choose ? s->choose(s->arg, word) : UINT64_MAX;
}

static uint64_t wanted(const void *arg, uint32_t word)
{
	return chosen(arg, word);
}

static uint64_t nobodys(const void *arg, uint32_t word)
{
	const struct search *s = arg;
	uint64_t m = ~s->p->bound[!is_tcp(s->b)][word];

	return m ? m & chosen(s, word) : 0;
}

static void add_part(struct search *s, uint32_t lo, uint32_t hi, uint64_t parity)
{
	s->part[s->parts++] = (struct plx_port_set){
		.lo = (uint16_t)lo,
		.hi = (uint16_t)hi,
		.parity = parity,
		.arg = s,
		.most = (uint32_t)__builtin_popcountll(parity),
	};
}

/* The parity that connect() likes less comes first. */
static void add_parities(struct search *s, uint32_t lo, uint32_t hi)
{
	add_part(s, lo, hi, lo & 1 ? PLX_PORT_EVEN : PLX_PORT_ODD);
	add_part(s, lo, hi, lo & 1 ? PLX_PORT_ODD : PLX_PORT_EVEN);
}

/* inet_csk_find_open_port(): who may share addresses keeps to the lower half while it has room. */
static void divide(struct search *s, const struct net_port_range *r)
{
	uint32_t n = r->hi - r->lo + 1u, half = r->lo + (n >> 2 << 1);

	if (!is_tcp(s->b)) {
		add_part(s, r->lo, r->hi, UINT64_MAX);
	} else if (!s->b->reuseaddr || n < 4) {
		add_parities(s, r->lo, r->hi);
	} else {
		add_parities(s, r->lo, half - 1);
		add_parities(s, half, r->hi);
	}
}

static uint32_t random_port(const struct search *s, const struct plx_port_set *part)
{
	return part->lo + (uint32_t)plx_rng_below(&s->p->rng, part->hi - part->lo + 1u);
}

/* One that nobody has on any address. Draws alone would not end when there are few; the words that
 * a search looks at are 1024 at most. */
static uint16_t find_free(const struct search *s, struct plx_port_set *part)
{
	uint16_t port = 0;

	part->word = nobodys;
	for (int i = 0; i < DRAWS && !port; i++)
		port = plx_port_draw(part, plx_rng_u64(&s->p->rng));
	if (!port)
		port = plx_port_next(part, random_port(s, part));
	return port ? port : plx_port_next(part, 0);
}

static uint16_t shared_from(const struct search *s, const struct plx_port_set *part, uint32_t from)
{
	uint16_t port;

	while ((port = plx_port_next(part, from)) && conflicts(s->p, s->b, port, true))
		from = port + 1u;
	return port;
}

/* All are somebody's: one that he has on another address alone. */
static uint16_t find_shared(const struct search *s, struct plx_port_set *part)
{
	uint16_t port;

	part->word = wanted;
	port = shared_from(s, part, random_port(s, part));
	return port ? port : shared_from(s, part, 0);
}

static int find(struct search *s, const struct net_port_range *r)
{
	uint16_t port = 0;

	divide(s, r);
	for (uint32_t i = 0; i < s->parts && !port; i++)
		port = find_free(s, &s->part[i]);
	for (uint32_t i = 0; i < s->parts && !port; i++)
		port = find_shared(s, &s->part[i]);
	return port ? port : -EADDRINUSE;
}

/* ---- claims ---- */

int net__ports_add(struct net_ports *p, struct plx_net_bind *b, const struct net_port_range *range,
	plx_net_bind_choose choose, const void *arg)
{
	struct search s = {.p = p, .b = b, .choose = choose, .arg = arg};
	struct plx_net_bind **head;
	int port = b->lport;

	if (b->held)
		return -EINVAL;
	if (!port && (range->lo == 0 || range->lo > range->hi))
		return -EADDRINUSE;
	if (!port)
		port = find(&s, range);
	else if (conflicts(p, b, (uint16_t)port, false))
		port = -EADDRINUSE;
	if (port < 0)
		return port;
	b->lport = (uint16_t)port;
	head = bucket(p, b->proto, b->lport);
	b->next = *head;
	*head = b;
	b->held = true;
	mark(p, b, true);
	return 0;
}

int net__ports_listen(struct net_ports *p, struct plx_net_bind *b)
{
	if (!b->listening && conflicts(p, b, b->lport, false))
		return -EADDRINUSE;
	b->listening = true;
	return 0;
}

void net__ports_move(struct plx_net_bind *b, uint16_t iface)
{
	b->iface = iface;
}

void net__ports_take(struct net_ports *p, struct plx_net_bind *to, struct plx_net_bind *from)
{
	struct plx_net_bind **at;

	*to = *from;
	if (!from->held)
		return;
	for (at = bucket(p, from->proto, from->lport); *at != from;)
		at = &(*at)->next;
	*at = to;
	from->next = NULL;
	from->held = false;
}

void net__ports_del(struct net_ports *p, struct plx_net_bind *b)
{
	struct plx_net_bind **at, *o;

	if (!b->held)
		return;
	for (at = bucket(p, b->proto, b->lport); *at != b;)
		at = &(*at)->next;
	*at = b->next;
	b->next = NULL;
	b->held = false;
	for (o = *bucket(p, b->proto, b->lport); o && o->lport != b->lport;)
		o = o->next;
	mark(p, b, o != NULL);
}
