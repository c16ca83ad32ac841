/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What getaddrinfo(3) is asked for, and what it gives: flags, families, the list. */

#define FLAGS                                                                                      \
	(AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG |       \
		AI_NUMERICSERV)

/* ---- asked for ---- */

int resolv__want(
	struct resolv_want *w, const char *node, const char *service, const struct addrinfo *hints)
{
	static const struct addrinfo none = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
	int n;

	if (!hints)
		hints = &none;
	w->no_node = !node || strcmp(node, "*") == 0;
	if (service && strcmp(service, "*") == 0)
		service = NULL;
	if (w->no_node && !service)
		return EAI_NONAME;
	if (hints->ai_flags & ~FLAGS || (hints->ai_flags & AI_CANONNAME && w->no_node))
		return EAI_BADFLAGS;
	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
		hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	if (!w->no_node && (!*node || strlen(node) >= sizeof(w->node)))
		return EAI_NONAME;
	n = resolv__service(w->service, service, hints);
	if (n < 0)
		return n;
	strcpy(w->node, w->no_node ? "" : node);
	w->flags = hints->ai_flags;
	w->family = hints->ai_family;
	w->n_services = n;
	return 0;
}

/* As glibc has it: also of addresses in numbers, and of one family alone if the other is not there.
 */
int resolv__addrconfig(struct resolv_want *w, bool v4, bool v6)
{
	if (!(w->flags & AI_ADDRCONFIG))
		return 0;
	if (w->family == AF_UNSPEC && v4 != v6)
		w->family = v4 ? AF_INET : AF_INET6;
	if ((w->family == AF_INET && !v4) || (w->family == AF_INET6 && !v6))
		return EAI_NONAME;
	return 0;
}

int resolv__dns_family(const struct resolv_want *w)
{
	return w->family == AF_INET6 && w->flags & AI_V4MAPPED ? AF_UNSPEC : w->family;
}

/* ---- found without anybody's help ---- */

int resolv__found_add(struct resolv_found *f, const struct plx_addr *a, uint32_t scope)
{
	if (f->n == f->room) {
		unsigned int room = f->room ? 2 * f->room : 4;
		struct resolv_addr *more = realloc(f->v, room * sizeof(*more));

		if (!more)
			return EAI_MEMORY;
		f->v = more;
		f->room = room;
	}
	f->v[f->n++] = (struct resolv_addr){.addr = *a, .scope = scope};
	return 0;
}

void resolv__found_free(struct resolv_found *f)
{
	free(f->v);
	f->v = NULL;
	f->n = f->room = 0;
}

/* No host at all: any address to listen on, else this host. */
static int nobody(const struct resolv_want *w, struct resolv_found *f)
{
	bool passive = w->flags & AI_PASSIVE;
	struct in_addr in = {htonl(passive ? INADDR_ANY : INADDR_LOOPBACK)};
	const struct in6_addr *in6 = passive ? &in6addr_any : &in6addr_loopback;
	struct plx_addr a6 = plx_addr_from_v6(in6), a4 = plx_addr_from_v4(&in);
	int err = 0;

	if (w->family != AF_INET)
		err = resolv__found_add(f, &a6, 0);
	if (!err && w->family != AF_INET6)
		err = resolv__found_add(f, &a4, 0);
	return err;
}

/* "%eth0" or "%2": of an address that needs a scope a name, of the others a number alone. */
static bool scope_of(const char *text, const struct plx_addr *a, uint32_t *scope)
{
	bool local = plx_addr_is_linklocal(a) || (a->b[0] == 0xff && (a->b[1] & 15) <= 2);
	char *end;

	*scope = local ? plx_if_nametoindex(text) : 0;
	if (*scope)
		return true;
	*scope = (uint32_t)strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end;
}

/* @param scope what is written behind '%', or NULL. @return false: it is no address. */
static bool address(const struct resolv_want *w, struct plx_addr *a, const char **scope)
{
	const char *percent = strchr(w->node, '%');
	char text[INET6_ADDRSTRLEN];
	struct in_addr in;
	struct in6_addr in6;
	size_t n = percent ? (size_t)(percent - w->node) : strlen(w->node);

	*scope = percent ? percent + 1 : NULL;
	if (inet_aton(w->node, &in) && !strpbrk(w->node, " \t\n")) {
		*a = plx_addr_from_v4(&in);
		return true;
	}
	if (n >= sizeof(text))
		return false;
	memcpy(text, w->node, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return false;
	*a = plx_addr_from_v6(&in6);
	return true;
}

/* IPv4 is held as mapped IPv6: which of them was written matters here alone. */
int resolv__numeric(const struct resolv_want *w, struct resolv_found *f)
{
	bool six = strchr(w->node, ':');
	const char *scope_text;
	struct plx_addr a;
	uint32_t scope = 0;

	if (w->no_node)
		return nobody(w, f);
	if (!address(w, &a, &scope_text))
		return w->flags & AI_NUMERICHOST ? EAI_NONAME : 1;
	if ((w->family == AF_INET6 && !six && !(w->flags & AI_V4MAPPED)) ||
		(w->family == AF_INET && six && !plx_addr_is_v4(&a)))
		return EAI_ADDRFAMILY;
	if (scope_text && !scope_of(scope_text, &a, &scope))
		return EAI_NONAME;
	strcpy(f->canon, w->node);
	return resolv__found_add(f, &a, scope);
}

void resolv__filter(const struct resolv_want *w, struct resolv_found *f)
{
	bool six = false;
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n; i++)
		six |= !plx_addr_is_v4(&f->v[i].addr);
	for (unsigned int i = 0; i < f->n; i++) {
		bool v4 = plx_addr_is_v4(&f->v[i].addr), keep = true;

		if (w->family == AF_INET)
			keep = v4;
		else if (w->family == AF_INET6 && v4)
			keep = w->flags & AI_V4MAPPED && (!six || w->flags & AI_ALL);
		if (keep)
			f->v[n++] = f->v[i];
	}
	f->n = n;
}

/* ---- the result ---- */

/** An entry, with the address that it points to. */
struct entry {
	struct addrinfo ai;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
};

static struct entry *entry_new(
	const struct resolv_want *w, const struct resolv_addr *a, const struct resolv_service *s)
{
	/* an address of IPv6 that means IPv4 stays one if it was written so */
	bool six = w->family == AF_INET6 || !plx_addr_is_v4(&a->addr) ||
		   (w->family == AF_UNSPEC && strchr(w->node, ':'));
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->ai = (struct addrinfo){.ai_flags = w->flags,
		.ai_family = six ? AF_INET6 : AF_INET,
		.ai_socktype = s->type,
		.ai_protocol = s->protocol,
		.ai_addrlen = six ? sizeof(e->addr.in6) : sizeof(e->addr.in),
		.ai_addr = &e->addr.sa};
	if (six) {
		e->addr.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
			.sin6_port = htons(s->port),
			.sin6_scope_id = a->scope};
		memcpy(&e->addr.in6.sin6_addr, a->addr.b, 16);
	} else {
		e->addr.in = (struct sockaddr_in){.sin_family = AF_INET,
			.sin_port = htons(s->port),
			.sin_addr.s_addr = a->addr.w[3]};
	}
	return e;
}

int resolv__result(const struct resolv_want *w, const struct resolv_found *f, struct addrinfo **res)
{
	struct addrinfo *first = NULL, **at = &first;
	bool ok = true;

	for (unsigned int i = 0; ok && i < f->n; i++)
		for (int k = 0; ok && k < w->n_services; k++) {
			struct entry *e = entry_new(w, &f->v[i], &w->service[k]);

			ok = e;
			if (e) {
				*at = &e->ai;
				at = &e->ai.ai_next;
			}
		}
	if (ok && first && w->flags & AI_CANONNAME) {
		first->ai_canonname = strdup(f->canon[0] ? f->canon : w->node);
		ok = first->ai_canonname;
	}
	if (!ok) {
		plx_freeaddrinfo(first);
		return EAI_MEMORY;
	}
	*res = first;
	return 0;
}

void plx_freeaddrinfo(struct addrinfo *res)
{
	while (res) {
		struct entry *e = plx_container_of(res, struct entry, ai);

		res = res->ai_next;
		free(e->ai.ai_canonname);
		free(e);
	}
}
