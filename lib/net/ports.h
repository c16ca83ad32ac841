/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The table of claims on local ports. One at a time may change it (bind.c has the lock); which TCP
 * ports are bound at all can be read beside that.
 */
#include <plx_base_rng.h>

#include "plx_net_bind.h"

#define NET_PORT_BUCKETS 1024

struct net_ports {
	struct plx_net_bind *bucket[2][NET_PORT_BUCKETS]; /**< of TCP, of UDP */
	uint64_t tcp[65536 / 64];			  /**< a bit for each port that is bound */
	struct plx_rng rng;
};

/** Both ends included. */
struct net_port_range {
	uint16_t lo, hi;
};

void net__ports_init(struct net_ports *p, uint64_t seed);
/** As plx_net_bind_add(), but for the address. */
int net__ports_add(struct net_ports *p, struct plx_net_bind *b, const struct net_port_range *range,
	bool (*choose)(void *arg, uint16_t port), void *arg);
int net__ports_listen(struct net_ports *p, struct plx_net_bind *b);
void net__ports_del(struct net_ports *p, struct plx_net_bind *b);
/** Has somebody bound this TCP port? connect() takes none of these. Any thread. */
static inline bool net__ports_bound(const struct net_ports *p, uint16_t port)
{
	return __atomic_load_n(&p->tcp[port / 64], __ATOMIC_RELAXED) >> port % 64 & 1;
}
