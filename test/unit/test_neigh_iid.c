/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

#include <rdisc.h>

static struct plx_prefix prefix(const char *text)
{
	struct plx_prefix p;

	eq(plx_prefix_parse(&p, text), 0);
	return p;
}

static const uint8_t secret[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

T(eui64_as_in_rfc_2464_4)
{
	struct plx_prefix p = prefix("fe80::/64");
	struct plx_mac m = {{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
	struct plx_addr a = plx_neigh_addr_eui64(&p, &m);

	ip_eq(&a, "fe80::3656:78ff:fe9a:bcde");
}

/* Computed apart from this code: SipHash-2-4 over prefix, MAC, counter and a zero. */
T(stable_addresses_are_the_ones_they_were)
{
	static const char *const want[] = {"2001:db8::bb88:a1e2:2881:fa5d",
		"2001:db8::7750:b8a4:f07c:9677", "2001:db8::bb49:7255:e9d0:53f7",
		"2001:db8::1a88:fdf:9591:2736"};
	struct plx_prefix p = prefix("2001:db8::/64");
	struct plx_mac m = mac(1);

	for (uint8_t i = 0; i < PLX_DIM(want); i++) {
		struct plx_addr a = plx_neigh_addr_stable(&p, &m, secret, i);

		ip_eq(&a, want[i]);
	}
}

/* RFC 7217 4: the same on the same network, unlinkable across networks, hosts and secrets. */
T(stable_addresses_depend_on_all_that_they_should)
{
	struct plx_prefix p = prefix("2001:db8::/64"), q = prefix("2001:db8:0:1::/64");
	struct plx_mac m = mac(1), n = mac(2);
	uint8_t other[16] = {1};
	struct plx_addr a[] = {plx_neigh_addr_stable(&p, &m, secret, 0),
		plx_neigh_addr_stable(&q, &m, secret, 0), plx_neigh_addr_stable(&p, &n, secret, 0),
		plx_neigh_addr_stable(&p, &m, other, 0), plx_neigh_addr_stable(&p, &m, secret, 1)};

	for (size_t i = 0; i < PLX_DIM(a); i++) {
		ok(plx_prefix_contains(i == 1 ? &q : &p, &a[i]));
		for (size_t j = 0; j < i; j++)
			ne(a[i].q[1], a[j].q[1]);
	}
}

T(reserved_identifiers_are_the_registered_ones)
{
	static const uint64_t edges[][2] = {{0, 0}, {0x02005efffe000000, 0x02005efffeffffff},
		{0xfdffffffffffff80, 0xfdffffffffffffff}};

	for (size_t i = 0; i < PLX_DIM(edges); i++) {
		ok(neigh__iid_is_reserved(edges[i][0]));
		ok(neigh__iid_is_reserved(edges[i][1]));
		ok(!neigh__iid_is_reserved(edges[i][0] - 1));
		ok(!neigh__iid_is_reserved(edges[i][1] + 1));
	}
}

RUN(T_(eui64_as_in_rfc_2464_4), T_(stable_addresses_are_the_ones_they_were),
	T_(stable_addresses_depend_on_all_that_they_should),
	T_(reserved_identifiers_are_the_registered_ones))
