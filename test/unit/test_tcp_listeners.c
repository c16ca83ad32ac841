/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#include "table.h"

/* lst("10.0.0.1", .id.iface = 2) listens on port 80 */
static struct plx_tcp_listener lst_(const char *at, struct plx_tcp_listener l)
{
	l.id.laddr = addr(at);
	l.id.lport = 80;
	return l;
}
#define lst(at, ...) lst_(at, (struct plx_tcp_listener){__VA_ARGS__})

static struct plx_tcp_listener *find(struct lt *t, const char *dst, uint16_t iface, uint32_t hash)
{
	struct plx_tcp_id key = tuple(dst, 80, dst, 5);

	key.iface = iface;
	return plx_tcp_listener_find(t->ctx.table, &key, hash);
}

static void lt_up_empty(struct lt *t)
{
	lt_up(t);
	plx_tcp_listener_del(t->ctx.table, &t->l);
}

T(the_most_specific_one_wins)
{
	static struct lt t;
	struct plx_tcp_listener at = lst("10.0.0.1"), any = lst("0.0.0.0", .id.iface = 7),
				any6 = lst("::", .v6only = true), other = lst("10.0.0.2");

	lt_up_empty(&t);
	eq(plx_tcp_listener_add(t.ctx.table, &at), 0);
	eq(plx_tcp_listener_add(t.ctx.table, &any), -EADDRINUSE);
	at.id.iface = 1;
	any.id.iface = 2;
	eq(plx_tcp_listener_add(t.ctx.table, &any), 0);
	eq(plx_tcp_listener_add(t.ctx.table, &any6), 0);
	eq(plx_tcp_listener_add(t.ctx.table, &other), -EADDRINUSE); /* any by 2 */
	assert_ptr_equal(find(&t, "10.0.0.1", 1, 0), &at);
	assert_ptr_equal(find(&t, "10.0.0.1", 2, 0), &any);
	assert_null(find(&t, "10.0.0.1", 3, 0));
	assert_ptr_equal(find(&t, "2001:db8::1", 3, 0), &any6);
	plx_tcp_listener_del(t.ctx.table, &at);
	assert_null(find(&t, "10.0.0.1", 1, 0));
	plx_tcp_listener_del(t.ctx.table, &any);
	plx_tcp_listener_del(t.ctx.table, &any6);
	lt_down(&t);
}

T(a_dual_stack_listener_hears_ipv4)
{
	static struct lt t;
	struct plx_tcp_listener any6 = lst("::"), any4 = lst("0.0.0.0"), at6 = lst("2001:db8::1");

	lt_up_empty(&t);
	eq(plx_tcp_listener_add(t.ctx.table, &any6), 0);
	assert_ptr_equal(find(&t, "10.0.0.1", 1, 0), &any6);
	eq(plx_tcp_listener_add(t.ctx.table, &any4), -EADDRINUSE);
	eq(plx_tcp_listener_add(t.ctx.table, &at6), -EADDRINUSE);
	plx_tcp_listener_del(t.ctx.table, &any6);
	any6.v6only = true;
	eq(plx_tcp_listener_add(t.ctx.table, &any6), 0);
	assert_null(find(&t, "10.0.0.1", 1, 0));
	eq(plx_tcp_listener_add(t.ctx.table, &any4), 0);
	assert_ptr_equal(find(&t, "10.0.0.1", 1, 0), &any4);
	plx_tcp_listener_del(t.ctx.table, &any6);
	plx_tcp_listener_del(t.ctx.table, &any4);
	lt_down(&t);
}

T(what_cannot_listen_is_refused)
{
	static struct lt t;
	struct plx_tcp_listener l = lst("0.0.0.0", .v6only = true);

	lt_up_empty(&t);
	eq(plx_tcp_listener_add(t.ctx.table, &l), -EINVAL);
	l.v6only = false;
	l.id.lport = 0;
	eq(plx_tcp_listener_add(t.ctx.table, &l), -EINVAL);
	lt_down(&t);
}

T(a_reuseport_group_shares_by_hash_and_prefers_those_at_home)
{
	static struct lt t;
	struct plx_tcp_listener l[4], one = lst("0.0.0.0");
	uint32_t n[4] = {0};
	struct plx_rng r;

	lt_up_empty(&t);
	plx_rng_init(&r, t_seed(0x9e));
	for (int i = 0; i < 4; i++) {
		l[i] = lst("0.0.0.0", .reuseport = true);
		eq(plx_tcp_listener_add(t.ctx.table, &l[i]), 0);
	}
	eq(plx_tcp_listener_add(t.ctx.table, &one), -EADDRINUSE);
	for (int i = 0; i < 40000; i++)
		n[find(&t, "10.0.0.1", 1, plx_rng_u32(&r)) - l]++;
	for (int i = 0; i < 4; i++)
		ok(n[i] > 9500 && n[i] < 10500);
	l[1].home = true;
	for (int i = 0; i < 100; i++)
		assert_ptr_equal(find(&t, "10.0.0.1", 1, plx_rng_u32(&r)), &l[1]);
	for (int i = 0; i < 4; i++)
		plx_tcp_listener_del(t.ctx.table, &l[i]);
	lt_down(&t);
}

/* The naive model: which of the segments' addresses each one hears, as sets. */
#define M_LISTENERS 24

static const char *const m_dst[] = {"10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"};

static unsigned int m_hears(const struct plx_tcp_listener *l)
{
	unsigned int set = 0;

	if (plx_addr_is_any6(&l->id.laddr))
		return l->v6only ? 0xc : 0xf;
	if (plx_addr_is_any(&l->id.laddr))
		return 0x3;
	for (int i = 0; i < 4; i++) {
		struct plx_addr a = addr(m_dst[i]);

		set |= (unsigned int)plx_addr_eq(&a, &l->id.laddr) << i;
	}
	return set;
}

static bool m_conflict(
	const struct plx_tcp_listener *all, const bool *in, const struct plx_tcp_listener *l)
{
	for (int i = 0; i < M_LISTENERS; i++) {
		const struct plx_tcp_listener *o = &all[i];

		if (in[i] && o != l && o->id.lport == l->id.lport && m_hears(o) & m_hears(l) &&
			(!o->id.iface || !l->id.iface || o->id.iface == l->id.iface) &&
			!(o->reuseport && l->reuseport))
			return true;
	}
	return false;
}

static int m_score(const struct plx_tcp_listener *l, const struct plx_tcp_id *key, int dst)
{
	if (l->id.lport != key->lport || !(m_hears(l) >> dst & 1) ||
		(l->id.iface && l->id.iface != key->iface))
		return -1;
	return (plx_addr_is_any(&l->id.laddr) ? 0 : 100) + (l->id.iface ? 10 : 0) +
	       plx_addr_is_v4(&l->id.laddr);
}

static void m_check(struct plx_tcp_table *t, const struct plx_tcp_listener *all, const bool *in,
	struct plx_rng *r)
{
	int dst = (int)plx_rng_below(r, 4), best = -1;
	struct plx_tcp_id key = tuple(m_dst[dst], 80 + plx_rng_below(r, 2), m_dst[dst], 9);
	struct plx_tcp_listener *got;

	key.iface = 1 + plx_rng_below(r, 3);
	got = plx_tcp_listener_find(t, &key, plx_rng_u32(r));
	for (int i = 0; i < M_LISTENERS; i++)
		if (in[i])
			best = PLX_MAX(best, m_score(&all[i], &key, dst));
	if (best < 0)
		assert_null(got);
	else
		eq(m_score(got, &key, dst), best);
}

T(random_listeners_against_one_look_at_each)
{
	static const char *const at[] = {"0.0.0.0", "::", "10.0.0.1", "10.0.0.2", "2001:db8::1"};
	static struct plx_tcp_listener all[M_LISTENERS];
	static bool in[M_LISTENERS];
	static struct lt t;
	struct plx_rng r;

	lt_up_empty(&t);
	plx_rng_init(&r, t_seed(0x115));
	for (int n = 0; n < 30000; n++) {
		uint32_t i = (uint32_t)plx_rng_below(&r, M_LISTENERS);

		if (in[i]) {
			plx_tcp_listener_del(t.ctx.table, &all[i]);
			in[i] = false;
		} else {
			all[i] = lst(at[plx_rng_below(&r, 5)], .reuseport = plx_rng_below(&r, 2));
			all[i].id.lport = 80 + plx_rng_below(&r, 2);
			all[i].id.iface = plx_rng_below(&r, 2) ? plx_rng_below(&r, 3) : 0;
			all[i].v6only = !plx_addr_is_v4(&all[i].id.laddr) && plx_rng_below(&r, 2);
			in[i] = !m_conflict(all, in, &all[i]);
			eq(plx_tcp_listener_add(t.ctx.table, &all[i]), in[i] ? 0 : -EADDRINUSE);
		}
		m_check(t.ctx.table, all, in, &r);
	}
	for (int i = 0; i < M_LISTENERS; i++)
		plx_tcp_listener_del(t.ctx.table, &all[i]);
	lt_down(&t);
}

RUN(T_(the_most_specific_one_wins), T_(a_dual_stack_listener_hears_ipv4),
	T_(what_cannot_listen_is_refused),
	T_(a_reuseport_group_shares_by_hash_and_prefers_those_at_home),
	T_(random_listeners_against_one_look_at_each))
