/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_t.h"

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

/* Told of in any order: the greater number is the newer, and nothing is refused. */
T(the_newest_by_the_callers_word)
{
	for (int way = 0; way < 2; way++) {
		struct plx_udp *t = up();
		struct plx_udp_sock old = sock("::", 53, .order = 7);
		struct plx_udp_sock new = sock("::", 53, .order = 8);
		struct plx_udp_sock one_old = sock("10.0.0.1", 53, .order = 5);
		struct plx_udp_sock one_new = sock("10.0.0.1", 53, .order = 6);
		struct plx_addr l = addr("10.0.0.1"), r = addr("10.0.0.9");

		eq(plx_udp_bind(t, way ? &old : &new), 0);
		eq(plx_udp_bind(t, way ? &new : &old), 0);
		hears(t, &new, "10.0.0.1", "10.0.0.9", 999, 0);
		eq(plx_udp_bind(t, way ? &one_old : &one_new), 0);
		eq(plx_udp_bind(t, way ? &one_new : &one_old), 0);
		hears(t, &one_new, "10.0.0.1", "10.0.0.9", 999, 0);
		/* so it is with connections */
		old.order = 10;
		new.order = 9;
		eq(plx_udp_connect(t, way ? &old : &new, &l, &r, 999), 0);
		eq(plx_udp_connect(t, way ? &new : &old, &l, &r, 999), 0);
		hears(t, &old, "10.0.0.1", "10.0.0.9", 999, 0);
		new.order = 11;
		eq(plx_udp_disconnect(t, &new), 0);
		hears(t, &new, "2001:db8::1", "2001:db8::9", 999, 0);
		plx_udp_unbind(t, &one_new);
		plx_udp_unbind(t, &old);
		hears(t, &one_old, "10.0.0.1", "10.0.0.9", 999, 0);
		down(t);
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

RUN(T_(each_step_of_the_score), T_(other_ports_are_other_sockets), T_(many_sockets_are_told_apart),
	T_(v6only_hears_no_ipv4), T_(a_connected_socket_moves_and_comes_back),
	T_(the_newest_of_equals_hears), T_(the_newest_by_the_callers_word),
	T_(a_reuseport_group_shares_evenly), T_(groups_are_of_one_user_address_and_interface),
	T_(a_group_reaches_every_socket_that_matches))
