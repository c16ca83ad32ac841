/* SPDX-License-Identifier: BSD-3-Clause */
#include "bind_t.h"

#include <errno.h>

#include "../../lib/net/ports.h"

#include <plx_wire_ip.h>

#define CLAIMS 60

static struct net_ports p;
static struct plx_net_bind claim[CLAIMS];

/* ---- the naive model: what each could hear, and what Linux says of two who hear the same ---- */

static unsigned int hears(const struct plx_net_bind *b)
{
	return bind_hears(&b->laddr, b->v6only);
}

static bool m_conflict(const struct plx_net_bind *b, uint16_t port, bool chosen)
{
	bool tcp = b->proto == PLX_IPPROTO_TCP;

	for (int i = 0; i < CLAIMS; i++) {
		const struct plx_net_bind *o = &claim[i];
		bool reuse = o->reuseaddr && b->reuseaddr && !(tcp && o->listening);
		bool group = o->reuseport && b->reuseport && o->uid == b->uid;

		if (o == b || !o->held || o->proto != b->proto || o->lport != port ||
			!(hears(o) & hears(b)) || (o->iface && b->iface && o->iface != b->iface))
			continue;
		if ((tcp && chosen) || (!reuse && !group))
			return true;
	}
	return false;
}

static bool m_bound(uint16_t port)
{
	for (int i = 0; i < CLAIMS; i++)
		if (claim[i].held && claim[i].proto == PLX_IPPROTO_TCP && claim[i].lport == port)
			return true;
	return false;
}

static bool is_bound(uint16_t port)
{
	return net__ports_bound(&p, port / 64) >> port % 64 & 1;
}

static const struct net_port_range few = {40000, 40007};

static void make(struct plx_rng *r, struct plx_net_bind *b)
{
	*b = (struct plx_net_bind){
		.laddr = bind_any(r),
		.lport = plx_rng_chance(r, 0.5) ? 0 : (uint16_t)(40000 + plx_rng_below(r, 8)),
		.iface = (uint16_t)(plx_rng_chance(r, 0.7) ? 0 : 1 + plx_rng_below(r, 2)),
		.proto = plx_rng_chance(r, 0.5) ? PLX_IPPROTO_TCP : PLX_IPPROTO_UDP,
		.reuseaddr = plx_rng_chance(r, 0.5),
		.reuseport = plx_rng_chance(r, 0.5),
		.uid = (uint32_t)plx_rng_below(r, 2),
	};
	b->v6only = !plx_addr_is_v4(&b->laddr) && plx_rng_chance(r, 0.3);
}

static void check_add(struct plx_net_bind *b)
{
	uint16_t asked = b->lport;
	bool free_one = false;
	int err;

	for (uint16_t port = few.lo; port <= few.hi; port++)
		free_one |= !m_conflict(b, port, true);
	err = net__ports_add(&p, b, &few, NULL, NULL);
	if (asked) {
		eq(err, m_conflict(b, asked, false) ? -EADDRINUSE : 0);
		eq(b->lport, asked);
	} else {
		eq(err, free_one ? 0 : -EADDRINUSE);
		if (err) {
			eq(b->lport, 0);
		} else {
			ok(b->lport >= few.lo && b->lport <= few.hi);
			ok(!m_conflict(b, b->lport, true));
		}
	}
	eq(b->held, !err);
}

T(as_the_model_says)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	memset(claim, 0, sizeof(claim));
	net__ports_init(&p, 7);
	for (int i = 0; i < 40000; i++) {
		struct plx_net_bind *b = &claim[plx_rng_below(&r, CLAIMS)];

		if (!b->held) {
			make(&r, b);
			check_add(b);
		} else if (b->proto == PLX_IPPROTO_TCP && plx_rng_chance(&r, 0.5)) {
			int want =
				b->listening || !m_conflict(b, b->lport, false) ? 0 : -EADDRINUSE;

			eq(net__ports_listen(&p, b), want);
			eq(b->listening, !want);
		} else {
			net__ports_del(&p, b);
			ok(!b->held);
		}
		for (uint16_t port = few.lo; port <= few.hi; port++)
			eq(is_bound(port), m_bound(port));
	}
	for (int i = 0; i < CLAIMS; i++)
		net__ports_del(&p, &claim[i]);
	for (size_t i = 0; i < NET_PORT_BUCKETS; i++)
		ok(!p.bucket[0][i] && !p.bucket[1][i]);
}

static struct plx_net_bind tcp(uint16_t port)
{
	return (struct plx_net_bind){
		.laddr = bind_addr("0.0.0.0"), .lport = port, .proto = PLX_IPPROTO_TCP};
}

static const struct net_port_range wide = {32768, 60999};

/* connect() takes even ports first, so bind() leaves them as long as it can (Linux). */
T(odd_ports_come_first)
{
	static struct plx_net_bind b[8];
	uint32_t seen = 0;

	net__ports_init(&p, 3);
	for (int i = 0; i < 8; i++) {
		b[i] = tcp(0);
		eq(net__ports_add(&p, &b[i], &few, NULL, NULL), 0);
		eq(b[i].lport % 2, i < 4);
		ok(!(seen & 1u << (b[i].lport - few.lo)));
		seen |= 1u << (b[i].lport - few.lo);
	}
	eq(seen, 0xff);
	eq(net__ports_add(&p,
		   &(struct plx_net_bind){.laddr = bind_addr("0.0.0.0"), .proto = PLX_IPPROTO_TCP},
		   &few, NULL, NULL),
		-EADDRINUSE);
}

/* Who may share keeps to the lower half; nobody can tell the next one from the last. */
T(where_they_lie)
{
	static struct plx_net_bind b[200];
	uint32_t upper = 0, next_to = 0;

	net__ports_init(&p, 5);
	for (int i = 0; i < 200; i++) {
		b[i] = tcp(0);
		b[i].reuseaddr = i >= 100;
		eq(net__ports_add(&p, &b[i], &wide, NULL, NULL), 0);
		if (i >= 100)
			ok(b[i].lport < 32768 + 14116);
		else
			upper += b[i].lport >= 32768 + 14116;
		if (i)
			next_to += abs(b[i].lport - b[i - 1].lport) <= 2;
	}
	ok(upper > 25 && upper < 75);
	ok(next_to < 5);
}

static uint32_t asked;

static uint64_t multiples_of(const void *arg, uint32_t word)
{
	uint64_t m = 0;

	asked++;
	for (uint32_t i = 0; i < 64; i++)
		m |= (uint64_t)((word * 64 + i) % *(const uint32_t *)arg == 0) << i;
	return m;
}

T(the_caller_may_be_choosy)
{
	static const uint32_t some = 17, none = 65536;
	struct plx_net_bind t = tcp(0), u = t;

	net__ports_init(&p, 9);
	u.proto = PLX_IPPROTO_UDP;
	eq(net__ports_add(&p, &t, &wide, multiples_of, &some), 0);
	eq(t.lport % 17, 0);
	eq(net__ports_add(&p, &u, &wide, multiples_of, &some), 0);
	eq(u.lport % 17, 0);
	net__ports_del(&p, &t);
	net__ports_del(&p, &u);
	t.lport = u.lport = 0;
	eq(net__ports_add(&p, &t, &few, multiples_of, &none), -EADDRINUSE);
	eq(net__ports_add(&p, &u, &few, multiples_of, &none), -EADDRINUSE);
}

/* However few are left, a port costs some looks at words of 64; all are found. */
T(what_it_costs)
{
	static struct plx_net_bind b[28232];
	static const uint32_t every = 1;
	uint32_t most = 0;

	net__ports_init(&p, 11);
	for (uint32_t i = 0; i < PLX_DIM(b); i++) {
		b[i] = (struct plx_net_bind){
			.laddr = bind_addr("0.0.0.0"), .proto = PLX_IPPROTO_UDP};
		asked = 0;
		eq(net__ports_add(&p, &b[i], &wide, multiples_of, &every), 0);
		most = PLX_MAX(most, asked);
	}
	ok(most <= 16 + 2 * 443);
	eq(net__ports_add(&p,
		   &(struct plx_net_bind){.laddr = bind_addr("10.0.0.1"), .proto = PLX_IPPROTO_UDP},
		   &wide, NULL, NULL),
		-EADDRINUSE);
}

/* All are somebody's, but one of another address only. */
T(a_port_of_another_address)
{
	static struct plx_net_bind b[8];
	struct plx_net_bind one = {.laddr = bind_addr("10.0.0.2"), .proto = PLX_IPPROTO_UDP};

	net__ports_init(&p, 13);
	for (int i = 0; i < 8; i++) {
		b[i] = (struct plx_net_bind){
			.laddr = bind_addr(i == 5 ? "10.0.0.1" : "0.0.0.0"),
			.lport = (uint16_t)(40000 + i),
			.proto = PLX_IPPROTO_UDP,
		};
		eq(net__ports_add(&p, &b[i], &few, NULL, NULL), 0);
	}
	eq(net__ports_add(&p, &one, &few, NULL, NULL), 0);
	eq(one.lport, 40005);
}

/* Whoever else has the port (Linux's sock_bindtoindex()). */
T(it_moves_to_another_interface)
{
	struct plx_net_bind a = tcp(80), b = tcp(80), c = tcp(80);

	a.iface = 1;
	b.iface = 2;
	c.iface = 1;
	net__ports_init(&p, 15);
	eq(net__ports_add(&p, &a, &few, NULL, NULL), 0);
	eq(net__ports_add(&p, &b, &few, NULL, NULL), 0);
	eq(net__ports_add(&p, &c, &few, NULL, NULL), -EADDRINUSE);
	net__ports_move(&a, 2);
	eq(net__ports_add(&p, &c, &few, NULL, NULL), 0);
	net__ports_del(&p, &a);
	net__ports_del(&p, &b);
	net__ports_del(&p, &c);
	ok(!is_bound(80));
}

T(what_cannot_be)
{
	struct plx_net_bind t = tcp(80);
	const struct net_port_range none = {40000, 39999};

	net__ports_init(&p, 9);
	eq(net__ports_add(&p, &t, &few, NULL, NULL), 0);
	eq(net__ports_add(&p, &t, &few, NULL, NULL), -EINVAL);
	net__ports_del(&p, &t);
	net__ports_del(&p, &t); /* harmless */
	ok(!is_bound(80));
	t.lport = 0;
	eq(net__ports_add(&p, &t, &none, NULL, NULL), -EADDRINUSE);
}

RUN(T_(as_the_model_says), T_(odd_ports_come_first), T_(where_they_lie),
	T_(the_caller_may_be_choosy), T_(what_it_costs), T_(a_port_of_another_address),
	T_(it_moves_to_another_interface), T_(what_cannot_be))
