/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <stdlib.h>

/*
 * --so_flags: the only way in which packetdrill tells the library anything.
 */

static bool number(const char *text, unsigned long min, unsigned long max, uint16_t *v)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < min || n > max)
		return false;
	*v = (uint16_t)n;
	return true;
}

static bool address(const char *text, bool v4, struct plx_prefix *p)
{
	return plx_prefix_parse(p, text) == 0 && plx_addr_is_v4(&p->addr) == v4;
}

static const char *word(struct pd_flags *f, const char *w)
{
	if (strncmp(w, "ip4=", 4) == 0)
		return address(w + 4, true, &f->ip4) ? NULL : "ip4= is an IPv4 prefix";
	if (strncmp(w, "ip6=", 4) == 0)
		return address(w + 4, false, &f->ip6) ? NULL : "ip6= is an IPv6 prefix";
	if (strncmp(w, "mtu=", 4) == 0)
		return number(w + 4, 68, UINT16_MAX, &f->mtu) ? NULL : "mtu= is 68 to 65535";
	if (strcmp(w, "verbose") == 0) {
		f->verbose = true;
		return NULL;
	}
	return "keys are ip4, ip6, mtu and verbose";
}

const char *pd_flags_parse(struct pd_flags *f, const char *text)
{
	char copy[256], *rest = copy, *w;
	const char *wrong = NULL;

	*f = (struct pd_flags){.mtu = 1500};
	if (!text || strlen(text) >= sizeof(copy))
		return text ? "it is too long" : "it has to name an address";
	strcpy(copy, text);
	while (!wrong && (w = strsep(&rest, ",")))
		wrong = word(f, w);
	if (!wrong && !f->ip4.len && !f->ip6.len)
		wrong = "it has to name an address";
	return wrong;
}
