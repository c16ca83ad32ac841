/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The table of claims on local ports. One at a time may change it (bind.c has the lock); which TCP
 * ports are bound at all can be read beside that.
 */
#include <plx_base_port.h>
#include <plx_base_rng.h>

#include "plx_net_bind.h"

#define NET_PORT_BUCKETS 1024

struct net_ports {
	struct plx_net_bind *bucket[2][NET_PORT_BUCKETS]; /**< of TCP, of UDP */
	uint64_t bound[2][PLX_PORT_WORDS];		  /**< a bit for each port that is bound */
	struct plx_rng rng;
};

/** Both ends included. */
struct net_port_range {
	uint16_t lo, hi;
};

void net__ports_init(struct net_ports *p, uint64_t seed);
/** As plx_net_bind_add(), but for the address. */
int net__ports_add(struct net_ports *p, struct plx_net_bind *b, const struct net_port_range *range,
	plx_net_bind_choose choose, const void *arg);
int net__ports_listen(struct net_ports *p, struct plx_net_bind *b);
/** It is bound to this interface from now on: as Linux, whoever else has the port. */
void net__ports_move(struct plx_net_bind *b, uint16_t iface);
/** As plx_net_bind_take(). */
void net__ports_take(struct net_ports *p, struct plx_net_bind *to, struct plx_net_bind *from);
void net__ports_del(struct net_ports *p, struct plx_net_bind *b);
/** The TCP ports of a word that somebody has bound: connect() takes none of these. Any thread. */
static inline uint64_t net__ports_bound(const struct net_ports *p, uint32_t word)
{
	return __atomic_load_n(&p->bound[0][word], __ATOMIC_RELAXED);
}
