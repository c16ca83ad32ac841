/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_t.h"

#include <errno.h>

#include <plx_base_rng.h>

/*
 * The naive model: all sockets in an array, one look at each. An address is a set of the packets'
 * addresses that it hears, so that conflicts are intersections.
 */
#define M_SOCKS 40

static const char *const m_dst[] = {"10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"};
static const char *const m_src[] = {"10.0.0.8", "10.0.0.9", "2001:db8::8", "2001:db8::9"};

struct m_sock {
	struct plx_udp_sock s;
	uint64_t shown; /* when it came to where it is found */
};

static unsigned int m_hears(const struct plx_udp_sock *s)
{
	unsigned int set = 0;

	for (int i = 0; i < 4; i++) {
		struct plx_addr a = addr(m_dst[i]);

		if (plx_addr_eq(&a, &s->laddr))
			set |= 1u << i;
	}
	if (plx_addr_is_any6(&s->laddr))
		return s->v6only ? 0xc : 0xf;
	return plx_addr_is_any(&s->laddr) ? 0x3 : set;
}

static bool m_conflict(const struct m_sock *all, const struct plx_udp_sock *s)
{
	for (int i = 0; i < M_SOCKS; i++) {
		const struct plx_udp_sock *o = &all[i].s;

		if (o != s && o->bound && o->lport == s->lport && (m_hears(o) & m_hears(s)) &&
			(!o->iface || !s->iface || o->iface == s->iface) &&
			!(o->reuseaddr && s->reuseaddr) &&
			!(o->reuseport && s->reuseport && o->uid == s->uid))
			return true;
	}
	return false;
}

static int m_score(const struct plx_udp_sock *s, const struct plx_udp_flow *f, int dst)
{
	int score = 0;

	if (!s->bound || s->lport != f->dport || !(m_hears(s) >> dst & 1))
		return -1;
	if (s->iface && s->iface != f->iface)
		return -1;
	if (s->connected && (s->rport != f->sport || !plx_addr_eq(&s->raddr, &f->src)))
		return -1;
	score += s->iface ? 2 : 0;
	score += plx_addr_is_v4(&s->laddr);
	score += s->connected ? 100 : 0;
	score += plx_addr_is_any(&s->laddr) ? 0 : 10;
	return score;
}

static void m_check(const struct plx_udp *t, const struct m_sock *all, struct plx_rng *r)
{
	int dst = plx_rng_below(r, 4), src = (dst & 2) + plx_rng_below(r, 2), best = -1;
	struct plx_udp_flow f = flow(m_dst[dst], 50 + plx_rng_below(r, 2), m_src[src],
		60 + plx_rng_below(r, 2), 1 + plx_rng_below(r, 3));
	const struct plx_udp_sock *got;
	const struct m_sock *newest = NULL;
	bool groups = false;

	f.hash = plx_rng_u32(r);
	f.home = plx_rng_below(r, 2) ? plx_rng_below(r, 3) : PLX_UDP_NO_HOME;
	got = plx_udp_lookup(t, &f);
	for (int i = 0; i < M_SOCKS; i++) {
		int score = m_score(&all[i].s, &f, dst);

		if (score > best)
			best = score, newest = NULL, groups = false;
		if (score < 0 || score < best)
			continue;
		groups |= all[i].s.group != NULL;
		if (!newest || all[i].shown > newest->shown)
			newest = &all[i];
	}
	if (!newest) {
		assert_null(got);
		return;
	}
	ok(got);
	eq(m_score(got, &f, dst), best);
	if (!groups)
		assert_ptr_equal(got, &newest->s);
}

static void m_step(struct plx_udp *t, struct m_sock *all, struct plx_rng *r, uint64_t when)
{
	static const char *const at[] = {"0.0.0.0", "::", "10.0.0.1", "10.0.0.2", "2001:db8::1"};
	struct m_sock *m = &all[plx_rng_below(r, M_SOCKS)];
	struct plx_udp_sock *s = &m->s;
	struct plx_addr l = addr(m_dst[plx_rng_below(r, 4)]), p = addr(m_src[plx_rng_below(r, 4)]);

	if (!s->bound) {
		m->shown = when;
		*s = sock(at[plx_rng_below(r, PLX_DIM(at))], 50 + plx_rng_below(r, 2),
			.iface = plx_rng_below(r, 2) ? plx_rng_below(r, 3) : 0,
			.reuseaddr = plx_rng_below(r, 2), .reuseport = plx_rng_below(r, 2),
			.uid = plx_rng_below(r, 2), .home = plx_rng_below(r, 3));
		s->v6only = !plx_addr_is_v4(&s->laddr) && plx_rng_below(r, 2);
		eq(plx_udp_bind(t, s), m_conflict(all, s) ? -EADDRINUSE : 0);
	} else if (plx_rng_below(r, 3) == 0) {
		plx_udp_unbind(t, s);
	} else if (plx_rng_below(r, 3) == 0) {
		m->shown = s->connected ? when : m->shown;
		eq(plx_udp_disconnect(t, s), 0);
	} else {
		if (plx_rng_below(r, 2) && !plx_addr_is_any(&s->laddr))
			l = s->laddr;
		if (plx_udp_connect(t, s, &l, &p, 60 + plx_rng_below(r, 2)) == 0)
			m->shown = when;
	}
}

T(random_binds_against_one_look_at_each)
{
	static struct m_sock all[M_SOCKS];
	struct plx_udp_conf c = {.sockets = M_SOCKS, .groups = M_SOCKS, .group_sockets = M_SOCKS};
	struct plx_udp *t = up_with(c);
	struct plx_rng r;

	plx_rng_init(&r, t_seed(0x0d9));
	for (uint64_t i = 1; i < 30000; i++) {
		uint32_t bound = 0;

		m_step(t, all, &r, i);
		for (int k = 0; k < 4; k++)
			m_check(t, all, &r);
		for (int k = 0; k < M_SOCKS; k++)
			bound += all[k].s.bound;
		eq(plx_udp_count(t), bound);
	}
	down(t);
}

RUN(T_(random_binds_against_one_look_at_each))
