/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_udp.h>

static struct plx_udp_conf conf(void)
{
	return (struct plx_udp_conf){
		.sockets = 64, .groups = 4, .group_sockets = 8, .seed = {3, 4}};
}

static struct plx_udp *up_with(struct plx_udp_conf c)
{
	struct plx_udp *t = plx_udp_init(aligned_alloc(64, plx_udp_size(&c)), &c);

	ok(t);
	return t;
}

static struct plx_udp *up(void)
{
	return up_with(conf());
}

static void down(struct plx_udp *t)
{
	struct plx_udp_sock *s;

	while ((s = plx_udp_next(t, NULL)))
		plx_udp_unbind(t, s);
	eq(plx_udp_count(t), 0);
	free(t);
}

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/* sock("10.0.0.1", 53, .iface = 2): unbound, with its flags. */
#define sock(at, port, ...)                                                                        \
	((struct plx_udp_sock){.laddr = addr(at), .lport = (port), ##__VA_ARGS__})

static struct plx_udp_flow flow(
	const char *dst, uint16_t dport, const char *src, uint16_t sport, uint32_t iface)
{
	return (struct plx_udp_flow){
		.dst = addr(dst),
		.dport = dport,
		.src = addr(src),
		.sport = sport,
		.iface = iface,
		.home = PLX_UDP_NO_HOME,
	};
}

static void connects(
	struct plx_udp *t, struct plx_udp_sock *s, const char *l, const char *r, uint16_t rport)
{
	struct plx_addr laddr = addr(l), raddr = addr(r);

	eq(plx_udp_connect(t, s, &laddr, &raddr, rport), 0);
}

/* A packet to dst:53 from src:sport by iface is for s. */
static void hears(const struct plx_udp *t, const struct plx_udp_sock *s, const char *dst,
	const char *src, uint16_t sport, uint32_t iface)
{
	struct plx_udp_flow f = flow(dst, 53, src, sport, iface);

	assert_ptr_equal(plx_udp_lookup(t, &f), s);
}

T(each_step_of_the_score)
{
	struct plx_udp *t = up();
	struct plx_udp_sock any6 = sock("::", 53, .reuseaddr = true);
	struct plx_udp_sock any4 = sock("0.0.0.0", 53, .reuseaddr = true);
	struct plx_udp_sock any4_if = sock("0.0.0.0", 53, .iface = 2, .reuseaddr = true);
	struct plx_udp_sock any6_if = sock("::", 53, .iface = 3, .reuseaddr = true);
	struct plx_udp_sock one = sock("10.0.0.1", 53, .reuseaddr = true);
	struct plx_udp_sock one_if = sock("10.0.0.1", 53, .iface = 2, .reuseaddr = true);
	struct plx_udp_sock con = sock("0.0.0.0", 53, .reuseaddr = true);
	struct plx_udp_sock con_if = sock("10.0.0.1", 53, .iface = 2, .reuseaddr = true);

	/* Nobody. */
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 999, 2);
	/* Dual stack hears both families. */
	eq(plx_udp_bind(t, &any6), 0);
	hears(t, &any6, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &any6, "2001:db8::1", "2001:db8::9", 999, 2);
	/* An IPv4 socket comes before a dual-stack one, for IPv4. */
	eq(plx_udp_bind(t, &any4), 0);
	hears(t, &any4, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &any6, "2001:db8::1", "2001:db8::9", 999, 2);
	/* One bound to the interface comes before one that is not, even across families. */
	eq(plx_udp_bind(t, &any4_if), 0);
	eq(plx_udp_bind(t, &any6_if), 0);
	hears(t, &any4_if, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &any6_if, "10.0.0.1", "10.0.0.9", 999, 3);
	hears(t, &any6_if, "2001:db8::1", "2001:db8::9", 999, 3);
	hears(t, &any4, "10.0.0.1", "10.0.0.9", 999, 4);
	hears(t, &any6, "2001:db8::1", "2001:db8::9", 999, 2);
	/* The address comes before any, even any on the interface. */
	eq(plx_udp_bind(t, &one), 0);
	hears(t, &one, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &any4_if, "10.0.0.2", "10.0.0.9", 999, 2);
	eq(plx_udp_bind(t, &one_if), 0);
	hears(t, &one_if, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &one, "10.0.0.1", "10.0.0.9", 999, 3);
	/* Connected comes first, for its peer only. */
	eq(plx_udp_bind(t, &con), 0);
	connects(t, &con, "10.0.0.1", "10.0.0.9", 999);
	hears(t, &con, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &one_if, "10.0.0.1", "10.0.0.9", 998, 2);
	hears(t, &one_if, "10.0.0.1", "10.0.0.8", 999, 2);
	hears(t, &any4_if, "10.0.0.2", "10.0.0.9", 999, 2);
	eq(plx_udp_bind(t, &con_if), 0);
	connects(t, &con_if, "10.0.0.1", "10.0.0.9", 999);
	hears(t, &con_if, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &con, "10.0.0.1", "10.0.0.9", 999, 3);
	/* And all the way back. */
	plx_udp_unbind(t, &con_if);
	hears(t, &con, "10.0.0.1", "10.0.0.9", 999, 2);
	eq(plx_udp_disconnect(t, &con), 0); /* to any again: newest of its kind */
	hears(t, &one_if, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &con, "10.0.0.2", "10.0.0.9", 999, 4);
	plx_udp_unbind(t, &con);
	hears(t, &any4, "10.0.0.2", "10.0.0.9", 999, 4);
	plx_udp_unbind(t, &any4);
	plx_udp_unbind(t, &any4_if);
	plx_udp_unbind(t, &one);
	plx_udp_unbind(t, &one_if);
	hears(t, &any6, "10.0.0.1", "10.0.0.9", 999, 2);
	plx_udp_unbind(t, &any6);
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 999, 2);
	hears(t, &any6_if, "10.0.0.1", "10.0.0.9", 999, 3);
	down(t);
}

T(other_ports_are_other_sockets)
{
	struct plx_udp *t = up();
	struct plx_udp_sock a = sock("0.0.0.0", 53), b = sock("0.0.0.0", 54);
	struct plx_udp_flow f = flow("10.0.0.1", 55, "10.0.0.9", 999, 1);

	eq(plx_udp_bind(t, &a), 0);
	eq(plx_udp_bind(t, &b), 0);
	hears(t, &a, "10.0.0.1", "10.0.0.9", 999, 1);
	assert_null(plx_udp_lookup(t, &f));
	f.dport = 54;
	assert_ptr_equal(plx_udp_lookup(t, &f), &b);
	down(t);
}

T(many_sockets_are_told_apart)
{
	struct plx_udp *t = up_with((struct plx_udp_conf){
		.sockets = 1024, .groups = 1, .group_sockets = 1, .seed = {7, 8}});
	static struct plx_udp_sock s[1024];
	char peer[PLX_ADDR_STRLEN];

	/* A port for every two; then one of each two is connected, the other is bound to an
	 * address. */
	for (int i = 0; i < 1024; i++) {
		s[i] = sock(i & 1 ? "0.0.0.0" : "10.0.0.1", 1 + i / 2 * 97, .reuseaddr = true);
		eq(plx_udp_bind(t, &s[i]), 0);
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1024; i++) {
			struct plx_udp_flow f = flow("10.0.0.1", s[i].lport, "10.0.0.9", 1 + i, 1);

			snprintf(peer, sizeof(peer), "10.0.%d.%d", 1 + i / 256, i % 256);
			if (!(i & 1) || !round) {
				assert_ptr_equal(plx_udp_lookup(t, &f), &s[i & ~1]);
				if (i & 1)
					connects(t, &s[i], "10.0.0.1", peer, 1 + i);
				continue;
			}
			f.src = addr(peer);
			assert_ptr_equal(plx_udp_lookup(t, &f), &s[i]);
		}
	}
	for (int i = 0; i < 1024; i++) {
		struct plx_udp_sock *gone = &s[i * 421 % 1024];
		struct plx_udp_flow f = flow("10.0.0.1", gone->lport, "10.0.0.9", 1, 1);

		plx_udp_unbind(t, gone);
		ok(plx_udp_lookup(t, &f) != gone);
	}
	down(t);
}

T(v6only_hears_no_ipv4)
{
	struct plx_udp *t = up();
	struct plx_udp_sock six = sock("::", 53, .v6only = true), four = sock("0.0.0.0", 53);

	eq(plx_udp_bind(t, &six), 0);
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 999, 1);
	hears(t, &six, "2001:db8::1", "2001:db8::9", 999, 1);
	eq(plx_udp_bind(t, &four), 0);
	hears(t, &four, "10.0.0.1", "10.0.0.9", 999, 1);
	hears(t, &six, "2001:db8::1", "2001:db8::9", 999, 1);
	down(t);
}

T(records_of_ports_are_used_again)
{
	struct plx_udp *t =
		up_with((struct plx_udp_conf){.sockets = 2, .groups = 1, .group_sockets = 1});

	for (int i = 1; i < 32; i++) {
		struct plx_udp_sock s = sock("0.0.0.0", i, .reuseport = true);

		eq(plx_udp_bind(t, &s), 0);
		plx_udp_unbind(t, &s);
	}
	down(t);
}

T(who_conflicts_with_whom)
{
	enum { NO = 0, YES = -EADDRINUSE };
	static const struct {
		const char *a;
		bool a_v6only;
		uint32_t a_iface;
		const char *b;
		bool b_v6only;
		uint32_t b_iface;
		int want;
	} rows[] = {
		{"0.0.0.0", 0, 0, "0.0.0.0", 0, 0, YES},
		{"0.0.0.0", 0, 0, "10.0.0.1", 0, 0, YES},
		{"10.0.0.1", 0, 0, "10.0.0.1", 0, 0, YES},
		{"10.0.0.1", 0, 0, "10.0.0.2", 0, 0, NO},
		{"0.0.0.0", 0, 0, "::", 0, 0, YES},
		{"0.0.0.0", 0, 0, "::", 1, 0, NO},
		{"10.0.0.1", 0, 0, "::", 0, 0, YES},
		{"10.0.0.1", 0, 0, "::", 1, 0, NO},
		{"10.0.0.1", 0, 0, "2001:db8::1", 0, 0, NO},
		{"0.0.0.0", 0, 0, "2001:db8::1", 0, 0, NO},
		{"::", 0, 0, "::", 0, 0, YES},
		{"::", 1, 0, "::", 1, 0, YES},
		{"::", 1, 0, "::", 0, 0, YES},
		{"::", 0, 0, "2001:db8::1", 0, 0, YES},
		{"::", 1, 0, "2001:db8::1", 0, 0, YES},
		{"2001:db8::1", 0, 0, "2001:db8::1", 1, 0, YES},
		{"2001:db8::1", 0, 0, "2001:db8::2", 0, 0, NO},
		{"0.0.0.0", 0, 2, "0.0.0.0", 0, 2, YES},
		{"0.0.0.0", 0, 2, "0.0.0.0", 0, 3, NO},
		{"0.0.0.0", 0, 2, "0.0.0.0", 0, 0, YES},
		{"10.0.0.1", 0, 0, "0.0.0.0", 0, 3, YES},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++)
		for (int turned = 0; turned < 2; turned++) {
			struct plx_udp *t = up();
			struct plx_udp_sock a = sock(rows[i].a, 53, .v6only = rows[i].a_v6only,
				.iface = rows[i].a_iface);
			struct plx_udp_sock b = sock(rows[i].b, 53, .v6only = rows[i].b_v6only,
				.iface = rows[i].b_iface);

			eq(plx_udp_bind(t, turned ? &b : &a), 0);
			eq(plx_udp_port_is_free(t, turned ? &a : &b, 53), rows[i].want == NO);
			eq(plx_udp_bind(t, turned ? &a : &b), rows[i].want);
			eq((turned ? &a : &b)->bound, rows[i].want == NO);
			eq(plx_udp_count(t), rows[i].want == NO ? 2 : 1);
			down(t);
		}
}

T(sharing_takes_both_sides)
{
	static const struct {
		bool a_addr, a_port, b_addr, b_port;
		uint32_t b_uid;
		bool may;
	} rows[] = {
		{0, 0, 0, 0, 0, false},
		{1, 0, 0, 0, 0, false},
		{0, 0, 1, 0, 0, false},
		{1, 0, 1, 0, 0, true},
		{1, 0, 1, 0, 7, true}, /* SO_REUSEADDR asks for no user */
		{0, 1, 0, 0, 0, false},
		{0, 1, 0, 1, 0, true},
		{0, 1, 0, 1, 7, false}, /* SO_REUSEPORT does */
		{1, 0, 0, 1, 0, false},
		{1, 1, 1, 1, 7, true},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_udp *t = up();
		struct plx_udp_sock a = sock(
			"0.0.0.0", 53, .reuseaddr = rows[i].a_addr, .reuseport = rows[i].a_port);
		struct plx_udp_sock b = sock("0.0.0.0", 53, .reuseaddr = rows[i].b_addr,
			.reuseport = rows[i].b_port, .uid = rows[i].b_uid);

		eq(plx_udp_bind(t, &a), 0);
		eq(plx_udp_bind(t, &b), rows[i].may ? 0 : -EADDRINUSE);
		down(t);
	}
}

T(every_socket_of_the_port_must_share)
{
	struct plx_udp *t = up();
	struct plx_udp_sock a = sock("10.0.0.1", 53, .reuseport = true), b = sock("10.0.0.2", 53);
	struct plx_udp_sock c = sock("0.0.0.0", 53, .reuseport = true);

	eq(plx_udp_bind(t, &a), 0);
	eq(plx_udp_bind(t, &b), 0);
	eq(plx_udp_bind(t, &c), -EADDRINUSE);
	plx_udp_unbind(t, &b);
	eq(plx_udp_bind(t, &c), 0);
	down(t);
}

T(bad_calls)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s = sock("0.0.0.0", 0);
	struct plx_addr l = addr("10.0.0.1"), r = addr("10.0.0.9"), six = addr("2001:db8::1");
	struct plx_addr any = addr("0.0.0.0");

	eq(plx_udp_bind(t, &s), -EINVAL);
	s.lport = 53;
	s.v6only = true;
	eq(plx_udp_bind(t, &s), -EINVAL);
	s.v6only = false;
	eq(plx_udp_connect(t, &s, &l, &r, 999), -EINVAL);
	plx_udp_unbind(t, &s);
	eq(plx_udp_bind(t, &s), 0);
	eq(plx_udp_bind(t, &s), -EINVAL);
	eq(plx_udp_connect(t, &s, &l, &r, 0), -EINVAL);
	eq(plx_udp_connect(t, &s, &any, &r, 999), -EINVAL);
	eq(plx_udp_connect(t, &s, &l, &any, 999), -EINVAL);
	eq(plx_udp_connect(t, &s, &l, &six, 999), -EINVAL);
	eq(plx_udp_connect(t, &s, &six, &six, 999), -EINVAL);
	eq(plx_udp_disconnect(t, &s), 0);
	plx_udp_unbind(t, &s);

	s = sock("10.0.0.2", 53);
	eq(plx_udp_bind(t, &s), 0);
	eq(plx_udp_connect(t, &s, &l, &r, 999), -EINVAL); /* not the address bound to */
	plx_udp_unbind(t, &s);

	s = sock("::", 53, .v6only = true);
	eq(plx_udp_bind(t, &s), 0);
	eq(plx_udp_connect(t, &s, &l, &r, 999), -EINVAL);
	down(t);
}

T(a_connected_socket_moves_and_comes_back)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s = sock("::", 53), other = sock("10.0.0.2", 53);
	struct plx_addr any6 = addr("::");

	eq(plx_udp_bind(t, &s), 0);
	connects(t, &s, "10.0.0.1", "10.0.0.9", 999);
	hears(t, &s, "10.0.0.1", "10.0.0.9", 999, 1);
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 998, 1);
	eq(plx_udp_bind(t, &other), 0); /* its address is specific now, so the other one is free */
	connects(t, &s, "2001:db8::1", "2001:db8::9", 999);
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 999, 1);
	hears(t, &s, "2001:db8::1", "2001:db8::9", 999, 1);
	eq(plx_udp_disconnect(t, &s), 0);
	ok(plx_addr_eq(&s.laddr, &any6));
	hears(t, &s, "10.0.0.1", "10.0.0.9", 998, 1);
	hears(t, &other, "10.0.0.2", "10.0.0.9", 998, 1);
	connects(t, &s, "10.0.0.1", "10.0.0.9", 999);
	plx_udp_unbind(t, &s);
	ok(plx_addr_eq(&s.laddr, &any6));
	hears(t, NULL, "10.0.0.1", "10.0.0.9", 999, 1);
	down(t);
}

T(the_newest_of_equals_hears)
{
	struct plx_udp *t = up();
	struct plx_udp_sock a = sock("0.0.0.0", 53, .reuseaddr = true), b = a, c = a;

	eq(plx_udp_bind(t, &a), 0);
	eq(plx_udp_bind(t, &b), 0);
	hears(t, &b, "10.0.0.1", "10.0.0.9", 999, 1);
	eq(plx_udp_bind(t, &c), 0);
	hears(t, &c, "10.0.0.1", "10.0.0.9", 999, 1);
	connects(t, &a, "10.0.0.1", "10.0.0.9", 999);
	connects(t, &b, "10.0.0.1", "10.0.0.9", 999);
	hears(t, &b, "10.0.0.1", "10.0.0.9", 999, 1);
	plx_udp_unbind(t, &b);
	hears(t, &a, "10.0.0.1", "10.0.0.9", 999, 1);
	plx_udp_unbind(t, &a);
	hears(t, &c, "10.0.0.1", "10.0.0.9", 999, 1);
	down(t);
}

/* How often each of n sockets is chosen over the whole range of hashes. */
static void spread(
	struct plx_udp *t, const struct plx_udp_sock *s, uint32_t n, uint16_t home, uint32_t *hits)
{
	struct plx_udp_flow f = flow("10.0.0.1", 53, "10.0.0.9", 999, 1);

	memset(hits, 0, n * sizeof(*hits));
	f.home = home;
	for (uint32_t i = 0; i < 4096; i++) {
		const struct plx_udp_sock *got;

		f.hash = i << 20;
		got = plx_udp_lookup(t, &f);
		ok(got >= s && got < s + n);
		hits[got - s]++;
	}
}

T(a_reuseport_group_shares_evenly)
{
	static const char *const at[] = {"0.0.0.0", "10.0.0.1"}; /* both ways of finding it */

	for (size_t i = 0; i < PLX_DIM(at); i++) {
		struct plx_udp *t = up();
		struct plx_udp_sock s[4];
		uint32_t hits[4];

		for (int k = 0; k < 4; k++) {
			s[k] = sock(at[i], 53, .reuseport = true, .home = k / 2);
			eq(plx_udp_bind(t, &s[k]), 0);
		}
		spread(t, s, 4, PLX_UDP_NO_HOME, hits);
		for (int k = 0; k < 4; k++)
			eq(hits[k], 1024);
		/* With a home in mind, among those there; nobody there: among all. */
		spread(t, s, 4, 1, hits);
		eq(hits[0] + hits[1], 0);
		eq(hits[2], 2048);
		eq(hits[3], 2048);
		spread(t, s, 4, 7, hits);
		eq(hits[0], 1024);
		/* The first one, which stands for the group, goes; then one more. */
		plx_udp_unbind(t, &s[0]);
		spread(t, s, 4, PLX_UDP_NO_HOME, hits);
		eq(hits[0], 0);
		for (int k = 1; k < 4; k++)
			assert_in_range(hits[k], 1365, 1366);
		/* A connected one hears its peer only. */
		connects(t, &s[1], "10.0.0.1", "10.0.0.8", 999);
		spread(t, s, 4, PLX_UDP_NO_HOME, hits);
		eq(hits[1], 0);
		eq(hits[2], 2048);
		hears(t, &s[1], "10.0.0.1", "10.0.0.8", 999, 1);
		eq(plx_udp_disconnect(t, &s[1]), 0);
		spread(t, s, 4, PLX_UDP_NO_HOME, hits);
		assert_in_range(hits[1], 1365, 1366);
		down(t);
	}
}

T(groups_are_of_one_user_address_and_interface)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s[3] = {
		sock("0.0.0.0", 53, .reuseport = true),
		sock("0.0.0.0", 53, .reuseport = true, .iface = 2),
		sock("10.0.0.1", 53, .reuseport = true),
	};
	uint32_t hits[3];

	for (int i = 0; i < 3; i++)
		eq(plx_udp_bind(t, &s[i]), 0);
	spread(t, s, 3, PLX_UDP_NO_HOME, hits);
	eq(hits[2], 4096);
	plx_udp_unbind(t, &s[2]);
	spread(t, s, 3, PLX_UDP_NO_HOME, hits);
	eq(hits[0], 4096);
	hears(t, &s[1], "10.0.0.1", "10.0.0.9", 999, 2);
	down(t);
}

T(tables_that_are_full_say_so)
{
	struct plx_udp_conf c = {.sockets = 4, .groups = 1, .group_sockets = 2};
	struct plx_udp *t = up_with(c);
	struct plx_udp_sock a = sock("0.0.0.0", 53, .reuseport = true), b = a, d = a;
	struct plx_udp_sock e = sock("0.0.0.0", 54, .reuseport = true);
	struct plx_udp_sock f = sock("0.0.0.0", 55), g = sock("0.0.0.0", 56),
			    h = sock("0.0.0.0", 57);

	eq(plx_udp_bind(t, &a), 0);
	eq(plx_udp_bind(t, &b), 0);
	eq(plx_udp_bind(t, &d), -ENOBUFS); /* the group's most members */
	eq(plx_udp_bind(t, &e), -ENOBUFS); /* the most groups */
	hears(t, &a, "10.0.0.1", "10.0.0.9", 999, 1);
	connects(t, &a, "10.0.0.1", "10.0.0.9", 999);
	eq(plx_udp_bind(t, &d), 0);
	eq(plx_udp_disconnect(t, &a), -ENOBUFS); /* its place has been taken */
	ok(a.connected);
	hears(t, &a, "10.0.0.1", "10.0.0.9", 999, 1);
	eq(plx_udp_bind(t, &f), 0);
	eq(plx_udp_bind(t, &g), -ENOBUFS);
	plx_udp_unbind(t, &d);
	eq(plx_udp_disconnect(t, &a), 0);
	eq(plx_udp_bind(t, &g), 0);
	eq(plx_udp_bind(t, &h), -ENOBUFS);
	eq(plx_udp_count(t), 4);
	down(t);
}

/* The sockets that get a clone, as bits. */
static unsigned int clones(const struct plx_udp *t, const struct plx_udp_sock *s, const char *dst,
	const char *src, uint16_t sport, uint32_t iface)
{
	struct plx_udp_flow f = flow(dst, 53, src, sport, iface);
	unsigned int bits = 0;

	for (struct plx_udp_sock *got = NULL; (got = plx_udp_mcast_next(t, &f, got));) {
		eq(bits >> (got - s) & 1, 0);
		bits |= 1u << (got - s);
	}
	return bits;
}

T(a_group_reaches_every_socket_that_matches)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s[] = {
		[0] = sock("0.0.0.0", 53, .reuseaddr = true, .reuseport = true),
		[1] = sock("0.0.0.0", 53, .reuseaddr = true, .reuseport = true),
		[2] = sock("0.0.0.0", 53, .reuseaddr = true, .iface = 2),
		[3] = sock("224.1.1.1", 53, .reuseaddr = true),
		[4] = sock("::", 53, .reuseaddr = true),
		[5] = sock("::", 53, .reuseaddr = true, .v6only = true),
		[6] = sock("10.0.0.1", 53, .reuseaddr = true),
		[7] = sock("224.1.1.1", 53, .reuseaddr = true), /* connected */
		[8] = sock("0.0.0.0", 54, .reuseaddr = true),
	};

	for (size_t i = 0; i < PLX_DIM(s); i++)
		eq(plx_udp_bind(t, &s[i]), 0);
	connects(t, &s[7], "224.1.1.1", "10.0.0.9", 999);
	eq(clones(t, s, "224.1.1.1", "10.0.0.9", 999, 2), 0x9f);
	eq(clones(t, s, "224.1.1.1", "10.0.0.9", 998, 2), 0x1f);
	eq(clones(t, s, "224.1.1.1", "10.0.0.9", 998, 1), 0x1b);
	eq(clones(t, s, "224.1.1.2", "10.0.0.9", 999, 2), 0x17);
	eq(clones(t, s, "10.0.0.255", "10.0.0.9", 999, 1), 0x13);
	eq(clones(t, s, "ff02::1", "fe80::9", 999, 1), 0x30);
	for (size_t i = 0; i < 8; i++)
		plx_udp_unbind(t, &s[i]);
	eq(clones(t, s, "224.1.1.1", "10.0.0.9", 999, 2), 0);
	down(t);
}

static bool odd(void *arg, uint16_t port)
{
	++*(int *)arg;
	return port & 1;
}

T(ephemeral_ports)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s[32], one = sock("0.0.0.0", 0), two = sock("10.0.0.7", 0);
	struct plx_udp_range range = {40000, 40031}, bad = {5, 4}, zero = {0, 5};
	struct plx_udp_range wide = {32768, 60999};
	struct plx_addr r1 = addr("10.0.0.8"), r2 = addr("10.0.0.9");
	uint32_t seen = 0;
	int asked = 0, same = 0;

	/* Each port once, then none; taken ports are left out. */
	for (int i = 0; i < 32; i++) {
		int port = plx_udp_port_pick(t, &one, &range, NULL, 0, NULL, NULL);

		assert_in_range(port, 40000, 40031);
		seen |= 1u << (port - 40000);
		s[i] = sock("0.0.0.0", port);
		eq(plx_udp_bind(t, &s[i]), 0);
	}
	eq(seen, UINT32_MAX);
	eq(plx_udp_port_pick(t, &one, &range, NULL, 0, NULL, NULL), -EADDRINUSE);
	plx_udp_unbind(t, &s[7]);
	eq(plx_udp_port_pick(t, &one, &range, NULL, 0, NULL, NULL), s[7].lport);
	for (int i = 0; i < 32; i++)
		plx_udp_unbind(t, &s[i]);

	/* A condition is asked once a port at most. */
	eq(plx_udp_port_pick(t, &one, &range, NULL, 0, odd, &asked) & 1, 1);
	asked = 0;
	range.lo = range.hi = 40000;
	eq(plx_udp_port_pick(t, &one, &range, NULL, 0, odd, &asked), -EADDRINUSE);
	eq(asked, 1);
	eq(plx_udp_port_pick(t, &one, &bad, NULL, 0, NULL, NULL), -EINVAL);
	eq(plx_udp_port_pick(t, &one, &zero, NULL, 0, NULL, NULL), -EINVAL);

	/* To one peer they go up one by one; where they start differs by peer and address. */
	for (int i = 0; i < 16; i++) {
		int a = plx_udp_port_pick(t, &one, &wide, &r1, 53, NULL, NULL);
		int b = plx_udp_port_pick(t, &one, &wide, &r1, 53, NULL, NULL);
		int c = plx_udp_port_pick(t, &one, &wide, &r2, 53, NULL, NULL);
		int d = plx_udp_port_pick(t, &one, &wide, &r1, 54, NULL, NULL);
		int e = plx_udp_port_pick(t, &two, &wide, &r1, 53, NULL, NULL);

		ok(b == a + 1 || b == wide.lo);
		same += c - b == 1 || d - c == 1 || e - d == 1;
	}
	eq(same, 0);
	down(t);
}

T(a_walk_goes_from_the_oldest_on)
{
	struct plx_udp *t = up();
	struct plx_udp_sock s[3] = {sock("0.0.0.0", 3), sock("0.0.0.0", 1), sock("0.0.0.0", 2)};
	struct plx_udp_sock *got = NULL;

	for (int i = 0; i < 3; i++)
		eq(plx_udp_bind(t, &s[i]), 0);
	for (int i = 0; i < 3; i++) {
		got = plx_udp_next(t, got);
		assert_ptr_equal(got, &s[i]);
	}
	assert_null(plx_udp_next(t, got));
	down(t);
}

T(configurations_that_cannot_be)
{
	struct plx_udp_conf c;

	c = conf(), c.sockets = 0;
	eq(plx_udp_size(&c), 0);
	ok(!plx_udp_init(NULL, &c));
	c = conf(), c.groups = 0;
	ok(!plx_udp_init(NULL, &c));
	c = conf(), c.group_sockets = 0;
	ok(!plx_udp_init(NULL, &c));
	c = conf(), c.group_sockets = 65536;
	ok(!plx_udp_init(NULL, &c));
}

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

RUN(T_(each_step_of_the_score), T_(other_ports_are_other_sockets), T_(many_sockets_are_told_apart),
	T_(v6only_hears_no_ipv4), T_(records_of_ports_are_used_again), T_(who_conflicts_with_whom),
	T_(sharing_takes_both_sides), T_(every_socket_of_the_port_must_share), T_(bad_calls),
	T_(a_connected_socket_moves_and_comes_back), T_(the_newest_of_equals_hears),
	T_(a_reuseport_group_shares_evenly), T_(groups_are_of_one_user_address_and_interface),
	T_(tables_that_are_full_say_so), T_(a_group_reaches_every_socket_that_matches),
	T_(ephemeral_ports), T_(a_walk_goes_from_the_oldest_on), T_(configurations_that_cannot_be),
	T_(random_binds_against_one_look_at_each))
