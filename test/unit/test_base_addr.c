/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_addr.h>

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static struct plx_prefix prefix(const char *text)
{
	struct plx_prefix p;

	eq(plx_prefix_parse(&p, text), 0);
	return p;
}

T(addresses_go_to_text_and_back)
{
	static const char *const good[] = {"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1",
		"fe80::1", "2001:db8::ff00:42:8329", "ff02::1:ff00:1"};
	char buf[PLX_ADDR_STRLEN];

	for (size_t i = 0; i < PLX_DIM(good); i++) {
		struct plx_addr a = addr(good[i]);

		str_eq(plx_addr_format(&a, buf), good[i]);
		eq(plx_addr_is_v4(&a), strchr(good[i], '.') != NULL);
	}
}

T(bad_addresses_are_refused_and_leave_no_trace)
{
	static const char *const bad[] = {
		"", "1.2.3", "1.2.3.4.5", "256.1.1.1", ":::", "fe80::1%eth0", "x"};
	struct plx_addr a = addr("1.2.3.4"), before = a;

	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		eq(plx_addr_parse(&a, bad[i]), -EINVAL);
		ok(plx_addr_eq(&a, &before));
	}
}

T(kinds_of_address)
{
	struct plx_addr a;

	ok((a = addr("0.0.0.0"), plx_addr_is_any(&a)));
	ok((a = addr("::"), plx_addr_is_any(&a)));
	ok((a = addr("224.0.0.1"), plx_addr_is_mcast(&a)));
	ok((a = addr("239.255.255.255"), plx_addr_is_mcast(&a)));
	ok((a = addr("223.255.255.255"), !plx_addr_is_mcast(&a)));
	ok((a = addr("240.0.0.1"), !plx_addr_is_mcast(&a)));
	ok((a = addr("ff02::1"), plx_addr_is_mcast(&a)));
	ok((a = addr("127.1.2.3"), plx_addr_is_loopback(&a)));
	ok((a = addr("::1"), plx_addr_is_loopback(&a)));
	ok((a = addr("fe80::1"), plx_addr_is_linklocal(&a)));
	ok((a = addr("febf::1"), plx_addr_is_linklocal(&a)));
	ok((a = addr("fec0::1"), !plx_addr_is_linklocal(&a)));
	eq((a = addr("10.1.2.3"), plx_addr_v4(&a)), 0x0a010203);
}

T(prefixes_contain)
{
	static const struct {
		const char *p, *in, *out;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
		{"10.0.0.1/32", "10.0.0.1", "10.0.0.2"},
		{"0.0.0.0/0", "1.2.3.4", "2001:db8::1"},
		{"192.168.1.128/25", "192.168.1.129", "192.168.1.127"},
		{"::/0", "fe80::1", NULL},
		{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"},
		{"fe80::/64", "fe80::ffff:1:2:3", "fe80:0:0:1::1"},
		{"2001:db8::/65", "2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:1"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_prefix p = prefix(rows[i].p);
		struct plx_addr a = addr(rows[i].in);
		char buf[PLX_PREFIX_STRLEN];

		ok(plx_prefix_contains(&p, &a));
		str_eq(plx_prefix_format(&p, buf), rows[i].p);
		if (rows[i].out) {
			a = addr(rows[i].out);
			ok(!plx_prefix_contains(&p, &a));
		}
	}
}

T(bad_prefixes_are_refused)
{
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
		"::/129", "/8", "10.0.0.0/ 8", "10.0.0.0/00000008"};
	struct plx_prefix p;

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		eq(plx_prefix_parse(&p, bad[i]), -EINVAL);
}

T(macs)
{
	struct plx_mac m;
	char buf[PLX_MAC_STRLEN];

	eq(plx_mac_parse(&m, "02:00:5e:Ff:00:01"), 0);
	str_eq(plx_mac_format(&m, buf), "02:00:5e:ff:00:01");
	ok(!plx_mac_is_mcast(&m));
	eq(plx_mac_parse(&m, "ff:ff:ff:ff:ff:ff"), 0);
	ok(plx_mac_is_bcast(&m) && plx_mac_is_mcast(&m));
	eq(plx_mac_parse(&m, "2:0:5E:ff:0:1"), 0);
	str_eq(plx_mac_format(&m, buf), "02:00:5e:ff:00:01");
}

T(bad_macs_are_refused_and_leave_no_trace)
{
	static const char *const bad[] = {"", "02:00:5e:ff:00", "02:00:5e:ff:00:01:02",
		"02:00:5e:ff:00:", "02:00:5e:ff:00:01 ", " 2:00:5e:ff:00:01", "-1:00:5e:ff:00:01",
		"0x:00:5e:ff:00:01", "02:00:5e:ff:00:001", "02:00:5e:fg:00:01", "02-00-5e-ff-00-01",
		"02::5e:ff:00:01"};
	struct plx_mac m, before;

	eq(plx_mac_parse(&m, "02:00:5e:00:00:01"), 0);
	before = m;
	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		eq(plx_mac_parse(&m, bad[i]), -EINVAL);
		ok(plx_mac_eq(&m, &before));
	}
}

T(a_short_prefix_of_mapped_form_is_ipv6)
{
	struct plx_prefix p = {.addr = addr("1.2.3.4"), .len = 64};
	char buf[PLX_PREFIX_STRLEN];

	str_eq(plx_prefix_format(&p, buf), "::ffff:1.2.3.4/64");
}

RUN(T_(addresses_go_to_text_and_back), T_(bad_addresses_are_refused_and_leave_no_trace),
	T_(kinds_of_address), T_(prefixes_contain), T_(bad_prefixes_are_refused),
	T_(a_short_prefix_of_mapped_form_is_ipv6), T_(macs),
	T_(bad_macs_are_refused_and_leave_no_trace))
