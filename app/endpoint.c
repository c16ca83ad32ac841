/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "opt.h"

/* "[A]" or "A", n bytes. IPv6 only in brackets: its colons would hide the port's. */
static int host_parse(struct plx_addr *a, const char *text, size_t n)
{
	bool brackets = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	char copy[PLX_ADDR_STRLEN];

	if (brackets) {
		text++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (brackets != !!strchr(copy, ':'))
		return -EINVAL;
	return plx_addr_parse(a, copy);
}

int endpoint_parse(struct endpoint *ep, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct endpoint e = {0};
	uint32_t port;

	if (!opt_u32(colon ? colon + 1 : text, 1, 65535, &port))
		return -EINVAL;
	if (colon && host_parse(&e.addr, text, (size_t)(colon - text)) != 0)
		return -EINVAL;
	e.port = (uint16_t)port;
	*ep = e;
	return 0;
}

/* Letters, digits, '-' and '_' in labels. A last one of digits alone is an address mistyped. */
static bool is_host(const char *text, size_t n)
{
	size_t label = 0, digits = 0;

	if (n >= TARGET_HOST_SIZE)
		return false;
	n -= n > 1 && text[n - 1] == '.';
	for (size_t i = 0; i < n; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (text[i] == '.' && label) {
			label = digits = 0;
			continue;
		}
		if (!digit && !isalpha((unsigned char)text[i]) && !strchr("-_", text[i]))
			return false;
		label++;
		digits += digit;
	}
	return label > digits;
}

int target_parse(struct target *t, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct target to = {0};
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (!colon)
		return -EINVAL;
	if (is_host(text, n)) {
		memcpy(to.host, text, n);
		text = colon + 1;
	}
	if (endpoint_parse(&to.ep, text) != 0 || (!to.host[0] && plx_addr_is_any(&to.ep.addr)))
		return -EINVAL;
	*t = to;
	return 0;
}

int endpoint_listen(struct endpoint *ep, const char *cmd, const char *option, const char *text,
	struct plx_error *e)
{
	if (endpoint_parse(ep, text) == 0)
		return 0;
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, text, option,
		"form: 80, 10.9.0.2:80 or [fd00:9::2]:80");
}

int endpoint_target(struct target *t, const char *cmd, const char *option, const char *text,
	struct plx_error *e)
{
	if (target_parse(t, text) == 0)
		return 0;
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, text, option,
		"form: 10.9.0.2:80, [fd00:9::2]:80 or www.example.org:80");
}

const char *endpoint_format(const struct endpoint *ep, char *buf)
{
	bool v4 = plx_addr_is_v4(&ep->addr);
	char addr[PLX_ADDR_STRLEN];

	if (plx_addr_is_any6(&ep->addr))
		snprintf(buf, ENDPOINT_STRLEN, "%u", ep->port);
	else
		snprintf(buf, ENDPOINT_STRLEN, "%s%s%s:%u", v4 ? "" : "[",
			plx_addr_format(&ep->addr, addr), v4 ? "" : "]", ep->port);
	return buf;
}

/* ---- many addresses ---- */

static uint64_t low(const struct plx_addr *a)
{
	return be64toh(a->q[1]);
}

/* Both ends are in it. */
static int add_range(struct addr_list *l, const struct plx_addr *first, const struct plx_addr *last)
{
	uint64_t n = low(last) - low(first);

	if (first->q[0] != last->q[0] || plx_addr_is_v4(first) != plx_addr_is_v4(last) ||
		low(last) < low(first))
		return -EINVAL;
	if (l->n_ranges == ADDR_LIST_RANGES || n >= ADDR_LIST_MAX - l->n)
		return -E2BIG;
	l->range[l->n_ranges].first = *first;
	l->range[l->n_ranges++].n = (uint32_t)n + 1;
	l->n += (uint32_t)n + 1;
	return 0;
}

static int add_prefix(struct addr_list *l, const char *text)
{
	struct plx_addr first, last;
	struct plx_prefix p;
	uint64_t hosts;

	if (plx_prefix_parse(&p, text) != 0 || p.len == 0)
		return -EINVAL;
	if (p.len < 128 - 16)
		return -E2BIG;
	first = last = p.addr;
	hosts = (1ull << (128 - p.len)) - 1;
	first.q[1] = htobe64(low(&p.addr) & ~hosts);
	last.q[1] = htobe64(low(&p.addr) | hosts);
	if (p.len < 127) { /* RFC 3021, RFC 6164: of two both are hosts */
		first.q[1] = htobe64(low(&first) + 1);
		if (plx_addr_is_v4(&p.addr))
			last.q[1] = htobe64(low(&last) - 1);
	}
	return add_range(l, &first, &last);
}

int addr_list_add(struct addr_list *l, const char *text)
{
	const char *dash = strchr(text, '-');
	struct plx_addr first, last;
	char copy[PLX_ADDR_STRLEN];

	if (!dash)
		return add_prefix(l, text);
	if ((size_t)(dash - text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, (size_t)(dash - text));
	copy[dash - text] = '\0';
	if (plx_addr_parse(&first, copy) != 0 || plx_addr_parse(&last, dash + 1) != 0)
		return -EINVAL;
	return add_range(l, &first, &last);
}

struct plx_addr addr_list_get(const struct addr_list *l, uint32_t i)
{
	struct plx_addr a;
	uint32_t r = 0;

	while (i >= l->range[r].n)
		i -= l->range[r++].n;
	a = l->range[r].first;
	a.q[1] = htobe64(low(&a) + i);
	return a;
}
