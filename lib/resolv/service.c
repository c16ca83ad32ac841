/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <stdlib.h>

/* Services and kinds of sockets (glibc's gaih_inet_typeproto[]). */

static const struct kind {
	int type, protocol;
	const char *name; /**< in services(5); NULL: has no ports */
} kinds[RESOLV_SERVICES] = {
	{SOCK_STREAM, IPPROTO_TCP, "tcp"},
	{SOCK_DGRAM, IPPROTO_UDP, "udp"},
	{SOCK_RAW, 0, NULL},
};

static bool wanted(const struct kind *k, const struct addrinfo *hints)
{
	return (!hints->ai_socktype || hints->ai_socktype == k->type) &&
	       (!hints->ai_protocol || !k->protocol || hints->ai_protocol == k->protocol);
}

/* The port, -1: it is not a number. Blanks may stand before it, and nothing at all is 0: glibc's
 * strtoul(). */
static long number_of(const char *name)
{
	char *end;
	int n = (int)strtoul(name, &end, 10);

	return *end || n < 0 ? -1 : n & 0xffff;
}

static int port_of(const char *name, const struct kind *k)
{
	char buf[1024];
	struct servent entry, *found = NULL;

	if (!k->name || getservbyname_r(name, k->name, &entry, buf, sizeof(buf), &found) != 0 ||
		!found)
		return -1;
	return ntohs((uint16_t)found->s_port);
}

int resolv__service(
	struct resolv_service s[RESOLV_SERVICES], const char *name, const struct addrinfo *hints)
{
	long number = name ? number_of(name) : 0;
	int n = 0, kinds_wanted = 0;

	if (number < 0 && hints->ai_flags & AI_NUMERICSERV)
		return EAI_NONAME;
	for (int i = 0; i < RESOLV_SERVICES; i++) {
		const struct kind *k = &kinds[i];
		long port = number;

		if (!wanted(k, hints))
			continue;
		if (name && !k->name && hints->ai_socktype)
			return EAI_SERVICE; /* raw sockets have none */
		kinds_wanted++;
		if (number < 0)
			port = port_of(name, k);
		if (port < 0)
			continue;
		s[n].type = k->type;
		s[n].protocol = k->protocol ? k->protocol : hints->ai_protocol;
		s[n++].port = (uint16_t)port;
		if (hints->ai_protocol && !hints->ai_socktype)
			break; /* the first kind that has it */
	}
	if (!kinds_wanted)
		return hints->ai_socktype ? EAI_SOCKTYPE : EAI_SERVICE;
	return n ? n : EAI_SERVICE;
}
