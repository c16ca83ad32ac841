/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <string.h>

#include "../../app/endpoint.h"

/* What was understood, in words; "?" if nothing was. */
static const char *read_as(const char *text)
{
	static char buf[ENDPOINT_STRLEN];
	struct endpoint ep = {.port = 4711}, before = ep;

	if (endpoint_parse(&ep, text) == 0)
		return endpoint_format(&ep, buf);
	mem_eq(&ep, &before, sizeof(ep));
	return "?";
}

T(an_endpoint_has_a_port_and_maybe_an_address)
{
	str_eq(read_as("80"), "80");
	str_eq(read_as("65535"), "65535");
	str_eq(read_as("10.9.0.2:80"), "10.9.0.2:80");
	str_eq(read_as("0.0.0.0:80"), "0.0.0.0:80");
	str_eq(read_as("[fd00:9::2]:8080"), "[fd00:9::2]:8080");
	str_eq(read_as("[::]:8080"), "8080");
}

T(others_are_none)
{
	str_eq(read_as(""), "?");
	str_eq(read_as("0"), "?");
	str_eq(read_as("65536"), "?");
	str_eq(read_as(":80"), "?");
	str_eq(read_as("10.9.0.2"), "?");
	str_eq(read_as("10.9.0.2:"), "?");
	str_eq(read_as("10.9.0:80"), "?");
	str_eq(read_as("10.9.0.2:80 "), "?");
	str_eq(read_as("fd00:9::2:80"), "?"); /* is 80 the port? */
	str_eq(read_as("[10.9.0.2]:80"), "?");
	str_eq(read_as("[fd00:9::2]80"), "?");
	str_eq(read_as("[]:80"), "?");
	str_eq(read_as("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"), "?");
}

/* Whom to talk to, in words; "?" if nothing was understood. */
static const char *target_as(const char *text)
{
	static char buf[TARGET_HOST_SIZE + ENDPOINT_STRLEN];
	struct target t = {.ep.port = 4711}, before = t;
	char ep[ENDPOINT_STRLEN];

	if (target_parse(&t, text) != 0) {
		mem_eq(&t, &before, sizeof(t));
		return "?";
	}
	snprintf(buf, sizeof(buf), "%s %s", t.host, endpoint_format(&t.ep, ep));
	return buf;
}

T(a_target_has_an_address_or_a_name)
{
	char text[300];

	str_eq(target_as("10.9.0.2:80"), " 10.9.0.2:80");
	str_eq(target_as("[fd00:9::2]:80"), " [fd00:9::2]:80");
	str_eq(target_as("www.example.org:80"), "www.example.org 80");
	str_eq(target_as("www.example.org.:80"), "www.example.org. 80");
	str_eq(target_as("localhost:7"), "localhost 7");
	str_eq(target_as("3com:7"), "3com 7");
	str_eq(target_as("a_b-c.x2:65535"), "a_b-c.x2 65535");
	memset(text, 'a', sizeof(text));
	strcpy(text + 253, ":80");
	eq(strlen(target_as(text)), 253 + 3);
	strcpy(text + 254, ":80");
	str_eq(target_as(text), "?");
}

T(others_are_no_targets)
{
	static const char *const bad[] = {"", "80", ":80", ".:80", "www", "www:", "www:0",
		"www:65536", "www:http", "0.0.0.0:80", "[::]:80", "10.9.0:80", "10.9.0.256:80",
		"www.1:80", "a..b:80", ".a:80", "a b:80", "a/b:80", "fd00:9::2:80", "[www]:80"};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		str_eq(target_as(bad[i]), "?");
}

T(an_option_says_what_is_wrong_with_it)
{
	struct plx_error e = {0};
	struct endpoint ep;
	struct target t;

	eq(endpoint_listen(&ep, "proxy", "listen", "8080", &e), 0);
	eq(ep.port, 8080);
	eq(endpoint_listen(&ep, "proxy", "listen", "x", &e), -EINVAL);
	str_eq(e.text, "proxy: bad value 'x' for --listen");
	eq(endpoint_target(&t, "proxy", "to", "10.9.0.2:80", &e), 0);
	eq(endpoint_target(&t, "proxy", "to", "0.0.0.0:80", &e), -EINVAL);
	str_eq(e.text, "proxy: bad value '0.0.0.0:80' for --to");
}

static const char *nth(const struct addr_list *l, uint32_t i)
{
	static char buf[PLX_ADDR_STRLEN];
	struct plx_addr a = addr_list_get(l, i);

	return plx_addr_format(&a, buf);
}

T(addresses_by_number)
{
	struct addr_list l = {0};

	eq(addr_list_add(&l, "10.9.0.254-10.9.1.1"), 0);
	eq(addr_list_add(&l, "10.7.0.7"), 0);
	eq(addr_list_add(&l, "fd00:9::ffff-fd00:9::1:1"), 0);
	eq(l.n, 4 + 1 + 3);
	str_eq(nth(&l, 0), "10.9.0.254");
	str_eq(nth(&l, 2), "10.9.1.0");
	str_eq(nth(&l, 3), "10.9.1.1");
	str_eq(nth(&l, 4), "10.7.0.7");
	str_eq(nth(&l, 5), "fd00:9::ffff");
	str_eq(nth(&l, 6), "fd00:9::1:0");
	str_eq(nth(&l, 7), "fd00:9::1:1");
}

T(a_prefix_is_its_hosts)
{
	struct addr_list l = {0};

	eq(addr_list_add(&l, "10.9.0.77/24"), 0);
	eq(l.n, 254);
	str_eq(nth(&l, 0), "10.9.0.1");
	str_eq(nth(&l, 253), "10.9.0.254");
	eq(addr_list_add(&l, "10.9.1.4/31"), 0);
	eq(l.n, 256);
	str_eq(nth(&l, 254), "10.9.1.4");
	eq(addr_list_add(&l, "fd00:9::/120"), 0);
	eq(l.n, 256 + 255);
	str_eq(nth(&l, 256), "fd00:9::1");
	eq(addr_list_add(&l, "fd00:9::8/128"), 0);
	str_eq(nth(&l, 256 + 255), "fd00:9::8");
	eq(addr_list_add(&l, "10.8.0.0/16"), -E2BIG); /* not beside the others */
	eq(l.n, 256 + 256);
	l = (struct addr_list){0};
	eq(addr_list_add(&l, "10.8.0.0/16"), 0);
	eq(l.n, 65534);
	str_eq(nth(&l, 65533), "10.8.255.254");
}

T(bad_ranges_change_nothing)
{
	struct addr_list l = {0};

	eq(addr_list_add(&l, "10.9.0.1"), 0);
	eq(addr_list_add(&l, ""), -EINVAL);
	eq(addr_list_add(&l, "-"), -EINVAL);
	eq(addr_list_add(&l, "10.9.0.1-"), -EINVAL);
	eq(addr_list_add(&l, "10.9.0.2-10.9.0.1"), -EINVAL);
	eq(addr_list_add(&l, "10.9.0.1-fd00::1"), -EINVAL);
	eq(addr_list_add(&l, "10.9.0.1/33"), -EINVAL);
	eq(addr_list_add(&l, "::/0"), -EINVAL);
	eq(addr_list_add(&l, "10.0.0.0/8"), -E2BIG);
	eq(addr_list_add(&l, "fd00::/64"), -E2BIG);
	eq(addr_list_add(&l, "0.0.0.0-255.255.255.255"), -E2BIG);
	eq(addr_list_add(&l, "fd00::-fd01::"), -EINVAL);
	eq(l.n, 1);
	for (int i = 1; i < ADDR_LIST_RANGES; i++)
		eq(addr_list_add(&l, "10.9.0.1"), 0);
	eq(addr_list_add(&l, "10.9.0.1"), -E2BIG);
	eq(l.n, ADDR_LIST_RANGES);
}

RUN(T_(an_endpoint_has_a_port_and_maybe_an_address), T_(others_are_none),
	T_(a_target_has_an_address_or_a_name), T_(others_are_no_targets),
	T_(an_option_says_what_is_wrong_with_it), T_(addresses_by_number),
	T_(a_prefix_is_its_hosts), T_(bad_ranges_change_nothing))
