/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The table behind plx_udp.h.
 *
 * A port's record says what kinds of sockets there are, so that lookup probes for those only:
 * connected sockets by their 4-tuple, those of a specific address by (address, port), both in one
 * hash table; those bound to any in the port's own list. A SO_REUSEPORT group stands there once, by
 * its first member.
 */
#include <plx_base_hash.h>

#include "plx_udp.h"

static const struct plx_addr any6;

struct plx_udp_port {
	struct plx_udp_port *hash_next;
	uint16_t port;
	uint32_t connected, specific; /* links in the hash table */
	struct plx_list any;	      /* unconnected, bound to any; newest first */
	struct plx_list all;	      /* oldest first */
};

struct plx_udp_group {
	uint32_t n;
	struct plx_udp_group *next_free;
	uint16_t *home;		    /* [n] of the members, side by side for the search */
	struct plx_udp_sock **sock; /* [n]; the first one stands for the group where lookup looks */
};

struct plx_udp {
	uint64_t seed[2];
	struct plx_udp_port **ports;
	struct plx_udp_sock **socks;
	unsigned int port_shift;
	uint32_t sock_mask;
	uint32_t count, max, group_max;
	uint64_t next_ephemeral;
	struct plx_list all; /* oldest first */
	struct plx_udp_port *free_port;
	struct plx_udp_group *free_group;
};

static inline uint32_t udp__port_bucket(const struct plx_udp *t, uint16_t port)
{
	/* Only ports that programs here have bound are in the chains: no stranger makes them long.
	 */
	return (uint32_t)(port * 0x9e3779b1u) >> t->port_shift;
}

static inline struct plx_udp_port *udp__port(const struct plx_udp *t, uint16_t port)
{
	struct plx_udp_port *p = t->ports[udp__port_bucket(t, port)];

	while (p && p->port != port)
		p = p->hash_next;
	return p;
}

/*
 * Peers that a program connects to are chosen by strangers, so this is SipHash. An IPv4 tuple is
 * two words of it. Unconnected sockets have the remote address :: and port 0.
 */
static inline struct plx_udp_sock **udp__bucket(const struct plx_udp *t,
	const struct plx_addr *laddr, uint16_t lport, const struct plx_addr *raddr, uint16_t rport)
{
	uint64_t ports = (uint64_t)lport << 16 | rport, h;

	if (plx_addr_is_v4(laddr)) {
		const uint64_t w[] = {(uint64_t)laddr->w[3] << 32 | raddr->w[3], ports};

		h = plx_siphash13_words(t->seed, w, PLX_DIM(w));
	} else {
		const uint64_t w[] = {laddr->q[0], laddr->q[1], raddr->q[0], raddr->q[1], ports};

		h = plx_siphash13_words(t->seed, w, PLX_DIM(w));
	}
	return &t->socks[h & t->sock_mask];
}

static inline bool udp__hears(const struct plx_udp_sock *s, bool v4)
{
	if (plx_addr_is_v4(&s->laddr))
		return v4;
	return !v4 || (!s->v6only && plx_addr_is_any6(&s->laddr));
}

/* A bind() of s to this port would conflict with one of the sockets there. */
bool udp__conflicts(const struct plx_udp_port *p, const struct plx_udp_sock *s);
