/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* getnameinfo(3). */

#define FLAGS (NI_NUMERICHOST | NI_NUMERICSERV | NI_NAMEREQD | NI_DGRAM | NI_NOFQDN)

int resolv__addr_of(const struct sockaddr *sa, socklen_t len, struct plx_addr *a, uint16_t *port,
	uint32_t *scope)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	*scope = 0;
	if (!sa || len < sizeof(sa->sa_family))
		return EAI_FAMILY;
	if (sa->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sa, sizeof(in));
		*a = plx_addr_from_v4(&in.sin_addr);
		*port = ntohs(in.sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, sa, sizeof(in6));
		*a = plx_addr_from_v6(&in6.sin6_addr);
		*port = ntohs(in6.sin6_port);
		*scope = in6.sin6_scope_id;
		return 0;
	}
	return EAI_FAMILY;
}

static int put(const char *text, char *to, socklen_t room)
{
	if (strlen(text) >= room)
		return EAI_OVERFLOW;
	strcpy(to, text);
	return 0;
}

/* As inet_ntop() writes it, a scope behind it: its interface's name, or the number. */
static int put_number(const struct sockaddr *sa, uint32_t scope, char *host, socklen_t room)
{
	char text[INET6_ADDRSTRLEN + PLX_IF_NAMESIZE + 2], name[PLX_IF_NAMESIZE];
	const void *from = sa->sa_family == AF_INET
				   ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
				   : &((const struct sockaddr_in6 *)sa)->sin6_addr;
	size_t n;

	inet_ntop(sa->sa_family, from, text, INET6_ADDRSTRLEN);
	n = strlen(text);
	if (scope && plx_if_indextoname(scope, name))
		snprintf(text + n, sizeof(text) - n, "%%%s", name);
	else if (scope)
		snprintf(text + n, sizeof(text) - n, "%%%u", scope);
	return put(text, host, room);
}

static int put_service(uint16_t port, char *serv, socklen_t room, int flags)
{
	char buf[1024], text[8];
	struct servent entry, *found = NULL;

	if (!(flags & NI_NUMERICSERV) &&
		getservbyport_r(htons(port), flags & NI_DGRAM ? "udp" : "tcp", &entry, buf,
			sizeof(buf), &found) == 0 &&
		found)
		return put(found->s_name, serv, room);
	snprintf(text, sizeof(text), "%u", port);
	return put(text, serv, room);
}

static int put_host(const struct sockaddr *sa, const struct plx_addr *a, uint32_t scope, char *host,
	socklen_t room, int flags)
{
	char name[RESOLV_NAME_MAX];
	int err;

	if (flags & NI_NUMERICHOST)
		return flags & NI_NAMEREQD ? EAI_NONAME : put_number(sa, scope, host, room);
	err = resolv__name_of(a, name);
	if (err == EAI_AGAIN)
		return err;
	if (err)
		return flags & NI_NAMEREQD ? EAI_NONAME : put_number(sa, scope, host, room);
	return put(name, host, room);
}

int plx_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen,
	char *serv, socklen_t servlen, int flags)
{
	struct plx_addr a;
	uint16_t port;
	uint32_t scope;
	int err;

	if (flags & ~FLAGS)
		return EAI_BADFLAGS;
	err = resolv__addr_of(sa, len, &a, &port, &scope);
	if (err)
		return err;
	if (flags & NI_NAMEREQD && !host && !serv) /* glibc lets others ask for nothing */
		return EAI_NONAME;
	if (host && hostlen)
		err = put_host(sa, &a, scope, host, hostlen, flags);
	if (!err && serv && servlen)
		err = put_service(port, serv, servlen, flags);
	return err;
}
