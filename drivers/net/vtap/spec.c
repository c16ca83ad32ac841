/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <stdlib.h>

#include <rte_kvargs.h>

#define MTU_MAX 65521 /* the kernel's: 65535 with an Ethernet header */

/* Only decimal digits, unlike strtoul(). */
static bool number(const char *text, unsigned long min, unsigned long max, uint16_t *v)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < min || n > max)
		return false;
	*v = (uint16_t)n;
	return true;
}

/* A name that fits, and can be one of a file. */
static bool name(const char *text, char *to, size_t room)
{
	size_t len = strlen(text);

	if (len == 0 || len >= room || strcspn(text, "/: \t\n%") != len || text[0] == '.')
		return false;
	memcpy(to, text, len + 1);
	return true;
}

static const char *take_flag(struct vtap_spec *s, const char *key, const char *v)
{
	static const struct {
		const char *key;
		size_t off;
	} flags[] = {
		{"lro", offsetof(struct vtap_spec, lro)},
		{"tso", offsetof(struct vtap_spec, tso)},
		{"uso", offsetof(struct vtap_spec, uso)},
		{"uring", offsetof(struct vtap_spec, uring)},
	};
	bool one = strcmp(v, "1") == 0, is_flag = one || strcmp(v, "0") == 0;

	if (strcmp(key, "persist") == 0) {
		s->persist = one;
		return is_flag ? NULL : "persist must be 0 or 1";
	}
	for (size_t i = 0; i < PLX_DIM(flags); i++) {
		if (strcmp(key, flags[i].key) != 0)
			continue;
		*(bool *)((uint8_t *)s + flags[i].off) = one;
		return is_flag ? NULL : "lro, tso, uso and uring must be 0 or 1";
	}
	return "keys of a vtap: iface, queues, mac, mtu, netns, persist, lro, tso, uso, uring";
}

static const char *take_key(struct vtap_spec *s, const char *key, const char *v)
{
	if (strcmp(key, "iface") == 0)
		return name(v, s->iface, sizeof(s->iface)) ? NULL
							   : "iface must be 1 to 15 characters "
							     "without '/', ':', '%' and spaces";
	if (strcmp(key, "netns") == 0)
		return name(v, s->netns, sizeof(s->netns))
			       ? NULL
			       : "netns must be a name that 'ip netns list' shows";
	if (strcmp(key, "queues") == 0)
		return number(v, 1, PLX_PORT_QUEUES_MAX, &s->queues) ? NULL
								     : "queues must be 1 to 16";
	if (strcmp(key, "mtu") == 0)
		return number(v, 68, MTU_MAX, &s->mtu) ? NULL : "mtu must be 68 to 65521";
	if (strcmp(key, "mac") == 0)
		return plx_mac_parse(&s->mac, v) == 0 && !plx_mac_is_mcast(&s->mac) &&
				       !plx_mac_is_zero(&s->mac)
			       ? NULL
			       : "mac must be one host's, as 02:00:00:00:00:01";
	return take_flag(s, key, v);
}

static_assert(PLX_PORT_QUEUES_MAX == 16, "the text above says so");

const char *vtap__spec(struct vtap_spec *s, const char *args)
{
	struct rte_kvargs *kv = rte_kvargs_parse(args, NULL);
	const char *wrong = *args && !kv ? "options are KEY=VALUE, separated by commas" : NULL;

	for (unsigned int i = 0; kv && !wrong && i < kv->count; i++)
		wrong = take_key(s, kv->pairs[i].key, kv->pairs[i].value ? kv->pairs[i].value : "");
	rte_kvargs_free(kv);
	return wrong;
}
