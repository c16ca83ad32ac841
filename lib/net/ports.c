/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

#include <errno.h>

#include <plx_wire_ip.h>

/*
 * Linux's rules: which claims on one port can stand side by side (inet_csk_bind_conflict() for TCP,
 * udp_lib_lport_inuse() for UDP), and which port is taken when none is named.
 */

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

static void mark(struct net_ports *p, uint16_t port, bool bound)
{
	uint64_t *w = &p->tcp[port / 64], bit = UINT64_C(1) << port % 64;

	__atomic_store_n(w, bound ? *w | bit : *w & ~bit, __ATOMIC_RELAXED);
}

/* Linux's inet_rcv_saddr_equal() with wildcards: something could be for both. */
static bool addresses_meet(const struct plx_net_bind *a, const struct plx_net_bind *b)
{
	bool a6 = plx_addr_is_any6(&a->laddr), b6 = plx_addr_is_any6(&b->laddr);

	if (a6 && b6)
		return true;
	if (a6)
		return !(a->v6only && plx_addr_is_v4(&b->laddr));
	if (b6)
		return !(b->v6only && plx_addr_is_v4(&a->laddr));
	if (plx_addr_eq(&a->laddr, &b->laddr))
		return true;
	return plx_addr_is_v4(&a->laddr) && plx_addr_is_v4(&b->laddr) &&
	       (plx_addr_is_any(&a->laddr) || plx_addr_is_any(&b->laddr));
}

static bool ifaces_meet(const struct plx_net_bind *a, const struct plx_net_bind *b)
{
	return !a->iface || !b->iface || a->iface == b->iface;
}

/* May b stand beside what is there? Who listens shares with nobody who merely reuses the address.
 */
static bool share(const struct plx_net_bind *there, const struct plx_net_bind *b)
{
	if (there->reuseaddr && b->reuseaddr && !there->listening)
		return true;
	return there->reuseport && b->reuseport && there->uid == b->uid;
}

/* @param chosen by us: a TCP port that somebody has for the same address is none to be given out,
 * share as they may. */
static bool conflicts(struct net_ports *p, const struct plx_net_bind *b, uint16_t port, bool chosen)
{
	chosen = chosen && is_tcp(b);
	for (const struct plx_net_bind *o = *bucket(p, b->proto, port); o; o = o->next)
		if (o != b && o->lport == port && (chosen || !share(o, b)) && ifaces_meet(o, b) &&
			addresses_meet(o, b))
			return true;
	return false;
}

/* ---- when none is named (RFC 6056 3.3.1) ---- */

struct search {
	struct net_ports *p;
	struct plx_net_bind *b;
	bool (*choose)(void *arg, uint16_t port);
	void *arg;
};

static bool will_do(const struct search *s, uint32_t port)
{
	return !conflicts(s->p, s->b, (uint16_t)port, true) &&
	       (!s->choose || s->choose(s->arg, (uint16_t)port));
}

/* Every second port of lo .. hi - 1 from a random one on. */
static int every_second(const struct search *s, uint32_t lo, uint32_t hi, uint32_t start)
{
	uint32_t n = hi > lo ? (hi - lo + 1) / 2 : 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t port = lo + (start % n + i) % n * 2;

		if (will_do(s, port))
			return (int)port;
	}
	return -EADDRINUSE;
}

/* The parity that connect() likes less comes first. */
static int in_part(const struct search *s, uint32_t lo, uint32_t hi)
{
	uint32_t start = plx_rng_u32(&s->p->rng);
	int port = every_second(s, lo + 1, hi, start);

	return port < 0 ? every_second(s, lo, hi, start) : port;
}

/* inet_csk_find_open_port(): who may share addresses keeps to the lower half while it has room. */
static int find_tcp(const struct search *s, const struct net_port_range *r)
{
	uint32_t lo = r->lo, hi = r->hi + 1u, half = lo + ((hi - lo) >> 2 << 1);
	int port;

	if (!s->b->reuseaddr || hi - lo < 4)
		return in_part(s, lo, hi);
	port = in_part(s, lo, half);
	return port < 0 ? in_part(s, half, hi) : port;
}

static int find_udp(const struct search *s, const struct net_port_range *r)
{
	uint32_t n = r->hi - r->lo + 1u, start = (uint32_t)plx_rng_below(&s->p->rng, n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t port = r->lo + (start + i) % n;

		if (will_do(s, port))
			return (int)port;
	}
	return -EADDRINUSE;
}

/* ---- claims ---- */

int net__ports_add(struct net_ports *p, struct plx_net_bind *b, const struct net_port_range *range,
	bool (*choose)(void *arg, uint16_t port), void *arg)
{
	const struct search s = {p, b, choose, arg};
	struct plx_net_bind **head;
	int port = b->lport;

	if (b->held)
		return -EINVAL;
	if (!port && (range->lo == 0 || range->lo > range->hi))
		return -EADDRINUSE;
	if (!port)
		port = is_tcp(b) ? find_tcp(&s, range) : find_udp(&s, range);
	else if (conflicts(p, b, (uint16_t)port, false))
		port = -EADDRINUSE;
	if (port < 0)
		return port;
	b->lport = (uint16_t)port;
	head = bucket(p, b->proto, b->lport);
	b->next = *head;
	*head = b;
	b->held = true;
	if (is_tcp(b))
		mark(p, b->lport, true);
	return 0;
}

int net__ports_listen(struct net_ports *p, struct plx_net_bind *b)
{
	if (!b->listening && conflicts(p, b, b->lport, false))
		return -EADDRINUSE;
	b->listening = true;
	return 0;
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
	if (!is_tcp(b))
		return;
	for (o = *bucket(p, b->proto, b->lport); o && o->lport != b->lport;)
		o = o->next;
	mark(p, b->lport, o != NULL);
}
