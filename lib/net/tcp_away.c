/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Connections that are not on the lcore of their flow's hash. connect() takes a port by which the
 * answers come to its own lcore; where the program has named the port the answers come where they
 * will, and are handed over: a table says for each local port which lcore has such connections.
 * Only a segment for which nothing was found looks at it.
 */

/* The lcore's index and 1, then how many connections; the lcore stays when there are none, for
 * what is in TIME-WAIT. */
#define LCORE(v) ((v)&0xff)
#define ONE	 0x100u

bool net__tcp_away_take(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	uint32_t *at = &nl->net->tcp_away[id->lport], was = __atomic_load_n(at, __ATOMIC_RELAXED);
	uint32_t self = nl->sn->index + 1u;

	do
		if (was >= ONE && LCORE(was) != self)
			return false;
	while (!__atomic_compare_exchange_n(at, &was, ((was & ~0xffu) | self) + ONE, false,
		__ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	__atomic_store_n(&nl->net->has_away, true, __ATOMIC_RELEASE);
	return true;
}

void net__tcp_away_drop(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	__atomic_sub_fetch(&nl->net->tcp_away[id->lport], ONE, __ATOMIC_RELEASE);
}

int net__tcp_away_find(const struct net_lcore *nl, const struct plx_tcp_id *key, uint8_t flags)
{
	struct plx_tcp_table *table = nl->tcp->ctx.table;
	uint32_t lcore;

	if (plx_likely(!__atomic_load_n(&nl->net->has_away, __ATOMIC_RELAXED)))
		return -1;
	lcore = LCORE(__atomic_load_n(&nl->net->tcp_away[key->lport], __ATOMIC_ACQUIRE));
	if (!lcore || lcore - 1 == nl->sn->index)
		return -1;
	if (table && plx_tcp_table_lookup(table, key))
		return -1;
	if ((flags & (PLX_TCP_SYN | PLX_TCP_ACK)) == PLX_TCP_SYN && table &&
		plx_tcp_listener_find(table, key, 0))
		return -1;
	return (int)lcore - 1;
}
