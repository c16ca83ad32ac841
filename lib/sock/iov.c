/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

size_t sock__iov_bytes(const struct msghdr *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->msg_iovlen; i++)
		n += m->msg_iov[i].iov_len;
	return n;
}

bool sock__iov_bad(const struct msghdr *m)
{
	for (size_t i = 0; i < m->msg_iovlen; i++)
		if (!m->msg_iov[i].iov_base && m->msg_iov[i].iov_len)
			return true;
	return false;
}

struct sock_iov sock__iov_at(const struct msghdr *m, size_t n)
{
	struct sock_iov it = {m->msg_iov, m->msg_iovlen, n};

	while (it.n && it.off >= it.v->iov_len) {
		it.off -= it.v->iov_len;
		it.v++;
		it.n--;
	}
	return it;
}

bool sock__iov_next(struct sock_iov *it, void **p, size_t *n)
{
	while (it->n && it->off >= it->v->iov_len) {
		it->off = 0;
		it->v++;
		it->n--;
	}
	if (!it->n)
		return false;
	*p = (uint8_t *)it->v->iov_base + it->off;
	*n = it->v->iov_len - it->off;
	it->off = it->v->iov_len;
	return true;
}
