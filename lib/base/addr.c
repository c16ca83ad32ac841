/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int plx_addr_parse(struct plx_addr *a, const char *text)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		*a = plx_addr_from_v4(b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		*a = plx_addr_from_v6(b);
	else
		return -EINVAL;
	return 0;
}

const char *plx_addr_format(const struct plx_addr *a, char *buf)
{
	if (plx_addr_is_v4(a))
		inet_ntop(AF_INET, &a->w[3], buf, PLX_ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, a->b, buf, PLX_ADDR_STRLEN);
	return buf;
}

int plx_prefix_parse(struct plx_prefix *p, const char *text)
{
	char buf[PLX_ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct plx_addr a;
	unsigned int bits, len;

	if (n >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, n);
	buf[n] = '\0';
	if (plx_addr_parse(&a, buf) != 0)
		return -EINVAL;
	bits = plx_addr_is_v4(&a) ? 32 : 128;
	len = bits;
	if (slash) {
		char *end;

		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = (unsigned int)strtoul(slash + 1, &end, 10);
		if (*end != '\0' || end - slash > 4 || len > bits)
			return -EINVAL;
	}
	*p = (struct plx_prefix){.addr = a, .len = (uint8_t)(128 - bits + len)};
	return 0;
}

const char *plx_prefix_format(const struct plx_prefix *p, char *buf)
{
	/* Shorter than 96 bits it is not an IPv4 prefix, whatever its address looks like. */
	bool v4 = plx_addr_is_v4(&p->addr) && p->len >= 96;
	size_t n;

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &p->addr.b[12] : p->addr.b, buf, PLX_ADDR_STRLEN);
	n = strlen(buf);
	snprintf(buf + n, PLX_PREFIX_STRLEN - n, "/%u", v4 ? p->len - 96u : p->len);
	return buf;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* By hand, as scanf's %x takes blanks, signs and "0x" too. */
int plx_mac_parse(struct plx_mac *m, const char *text)
{
	struct plx_mac out;

	for (int i = 0; i < 6; i++) {
		int high = hex_digit(*text), low;

		if (high < 0)
			return -EINVAL;
		low = hex_digit(*++text);
		if (low >= 0)
			text++;
		out.b[i] = (uint8_t)(low >= 0 ? high << 4 | low : high);
		if (*text++ != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	*m = out;
	return 0;
}

const char *plx_mac_format(const struct plx_mac *m, char *buf)
{
	snprintf(buf, PLX_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		m->b[3], m->b[4], m->b[5]);
	return buf;
}
