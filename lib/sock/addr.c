/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

#include <netinet/in.h>

/*
 * Linux's socket addresses. A socket of AF_INET6 sees IPv4 as mapped addresses, which is what they
 * are here.
 */

#define IN6_BYTES_LEAST 24 /* without sin6_scope_id: RFC 2133 */

static int get4(const void *sa, socklen_t len, struct plx_addr *a, uint16_t *port)
{
	struct sockaddr_in in;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, sa, sizeof(in));
	*a = plx_addr_from_v4(&in.sin_addr);
	*port = ntohs(in.sin_port);
	return 0;
}

int sock__addr_get(const struct sock_file *f, const struct sockaddr *sa, socklen_t len,
	struct plx_addr *a, uint16_t *port, uint16_t *iface)
{
	struct sockaddr_in6 in6 = {0};

	*iface = 0;
	if (len < sizeof(sa->sa_family) || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	if (!sa)
		return -EFAULT;
	if (len < (sock__is(f, SOCKF_V6) ? IN6_BYTES_LEAST : sizeof(struct sockaddr_in)))
		return -EINVAL;
	if (!sock__is(f, SOCKF_V6))
		return sa->sa_family == AF_INET ? get4(sa, len, a, port) : -EAFNOSUPPORT;
	if (sa->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&in6, sa, PLX_MIN((size_t)len, sizeof(in6)));
	*a = plx_addr_from_v6(&in6.sin6_addr);
	*port = ntohs(in6.sin6_port);
	if (plx_addr_is_linklocal(a) && !plx_addr_is_v4(a))
		*iface = sock__iface_no(in6.sin6_scope_id);
	return 0;
}

void sock__addr_put(const struct sock_file *f, const struct plx_addr *a, uint16_t port,
	uint16_t iface, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool v6 = sock__is(f, SOCKF_V6);
	socklen_t bytes = v6 ? sizeof(in6) : sizeof(in);

	memcpy(&in.sin_addr, &a->w[3], sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, a->b, sizeof(in6.sin6_addr));
	if (plx_addr_is_linklocal(a) && !plx_addr_is_v4(a))
		in6.sin6_scope_id = iface;
	memcpy(sa, v6 ? (const void *)&in6 : &in, PLX_MIN(*len, bytes));
	*len = bytes;
}
