/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_table.h"

#include <errno.h>

bool plx_udp_port_is_free(const struct plx_udp *t, const struct plx_udp_sock *s, uint16_t port)
{
	const struct plx_udp_port *p = udp__port(t, port);

	return !p || !udp__conflicts(p, s);
}

/* Where a pair's ports start: nobody who knows one pair's ports knows another's (RFC 6056 3.3.3).
 */
static uint64_t offset(const struct plx_udp *t, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport)
{
	const uint64_t key[] = {~t->seed[0], ~t->seed[1]}; /* not the table's hash */
	uint64_t w[] = {laddr->q[0], laddr->q[1], 0, 0, rport};

	if (raddr)
		memcpy(w + 2, raddr->q, sizeof(raddr->q));
	return plx_siphash(key, w, sizeof(w)) >> 1;
}

int plx_udp_port_pick(struct plx_udp *t, const struct plx_udp_sock *s,
	const struct plx_udp_range *range, const struct plx_addr *raddr, uint16_t rport,
	bool (*accept)(void *arg, uint16_t port), void *arg)
{
	uint64_t start = offset(t, &s->laddr, raddr, rport);
	uint32_t n;

	if (range->lo == 0 || range->lo > range->hi)
		return -EINVAL;
	n = range->hi - range->lo + 1;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t port = range->lo + (start + t->next_ephemeral++) % n;

		if (plx_udp_port_is_free(t, s, port) && (!accept || accept(arg, port)))
			return port;
	}
	return -EADDRINUSE;
}
