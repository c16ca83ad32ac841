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
	size_t n;

	plx_addr_format(&p->addr, buf);
	n = strlen(buf);
	snprintf(buf + n, PLX_PREFIX_STRLEN - n, "/%u",
		plx_addr_is_v4(&p->addr) ? p->len - 96u : p->len);
	return buf;
}

int plx_mac_parse(struct plx_mac *m, const char *text)
{
	unsigned int b[6];
	int n = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		    &n) != 6 ||
		text[n] != '\0')
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		m->b[i] = (uint8_t)b[i];
	return 0;
}

const char *plx_mac_format(const struct plx_mac *m, char *buf)
{
	snprintf(buf, PLX_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		m->b[3], m->b[4], m->b[5]);
	return buf;
}
