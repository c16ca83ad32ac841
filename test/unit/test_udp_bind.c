/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_t.h"

#include <errno.h>

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

RUN(T_(records_of_ports_are_used_again), T_(who_conflicts_with_whom), T_(sharing_takes_both_sides),
	T_(every_socket_of_the_port_must_share), T_(bad_calls), T_(tables_that_are_full_say_so),
	T_(ephemeral_ports), T_(a_walk_goes_from_the_oldest_on), T_(configurations_that_cannot_be))
