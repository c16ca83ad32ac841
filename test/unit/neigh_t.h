/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the tests of neigh share: messages written in a line.
 */
#include "t.h"

#include <errno.h>

#include <plx_base.h>
#include <plx_neigh.h>
#include <plx_wire.h>

#define MS(n)  PLX_MS(n)
#define SEC(n) PLX_SEC(n)

static inline struct plx_addr ip(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/** A MAC by one number: 02:00:00:00:00:n. */
static inline struct plx_mac mac(uint8_t n)
{
	return (struct plx_mac){{2, 0, 0, 0, 0, n}};
}

/** sender MAC, sender, target. */
static inline struct plx_arp arp(uint16_t op, uint8_t sha, const char *spa, const char *tpa)
{
	return (struct plx_arp){.op = op, .sha = mac(sha), .spa = ip(spa), .tpa = ip(tpa)};
}

/** Solicitation; slla 0: no option. */
static inline struct plx_nd ns(const char *target, uint8_t slla)
{
	return (struct plx_nd){.type = PLX_ICMP6_NS,
		.target = ip(target),
		.has_slla = slla != 0,
		.slla = mac(slla)};
}

/** Advertisement, flags as letters of "RSO"; tlla 0: no option. */
static inline struct plx_nd na(const char *target, const char *flags, uint8_t tlla)
{
	return (struct plx_nd){.type = PLX_ICMP6_NA,
		.target = ip(target),
		.router = strchr(flags, 'R') != NULL,
		.solicited = strchr(flags, 'S') != NULL,
		.override = strchr(flags, 'O') != NULL,
		.has_tlla = tlla != 0,
		.tlla = mac(tlla)};
}

static inline void ip_eq(const struct plx_addr *a, const char *text)
{
	char buf[PLX_ADDR_STRLEN];

	str_eq(plx_addr_format(a, buf), text);
}

static inline void mac_eq(const struct plx_mac *m, const char *text)
{
	char buf[PLX_MAC_STRLEN];

	str_eq(plx_mac_format(m, buf), text);
}

/** A neighbour table; the peer that its tests talk about is 10.0.0.2 or fe80::2 on interface 1. */
struct nt {
	struct plx_neigh_table *t;
	struct plx_rng rng;
};

static inline void nt_init(struct nt *t, struct plx_neigh_conf conf)
{
	void *mem = NULL;

	eq(posix_memalign(&mem, 64, plx_neigh_table_size(&conf)), 0);
	plx_rng_init(&t->rng, 1);
	t->t = plx_neigh_table_init(mem, &conf, &t->rng);
	ok(t->t != NULL);
}

static inline void nt_fini(struct nt *t)
{
	struct plx_neigh *n;

	plx_neigh_table_fini(t->t);
	while (plx_neigh_event(t->t, &n) != 0)
		;
	eq(plx_neigh_count(t->t), 0);
	eq(plx_neigh_deadline(t->t), PLX_NEVER);
	free(t->t);
}

/** Nothing to send, nothing to tell. */
static inline void nt_quiet(struct nt *t, plx_ns now)
{
	struct plx_neigh_tx tx;
	struct plx_neigh *n;

	ok(!plx_neigh_output(t->t, now, &tx));
	eq(plx_neigh_event(t->t, &n), 0);
}

static inline const struct plx_neigh *nt_find(const struct nt *t, const char *addr)
{
	struct plx_addr a = ip(addr);

	return plx_neigh_find(t->t, 1, &a);
}

static inline void nt_state(const struct nt *t, const char *addr, const char *state)
{
	const struct plx_neigh *n = nt_find(t, addr);

	ok(n != NULL);
	str_eq(plx_neigh_state_name(n->state), state);
}

static inline struct plx_neigh *nt_use(struct nt *t, plx_ns now, const char *addr)
{
	struct plx_addr a = ip(addr);

	return plx_neigh_use(t->t, 1, &a, now);
}

/** The next message is this one, to this MAC. */
static inline struct plx_neigh_tx nt_sends(struct nt *t, plx_ns now, enum plx_neigh_tx_kind kind,
	const char *target, const char *dst_mac)
{
	struct plx_neigh_tx tx;

	ok(plx_neigh_output(t->t, now, &tx));
	eq(tx.kind, kind);
	eq(tx.iface, 1);
	ip_eq(&tx.target, target);
	mac_eq(&tx.dst_mac, dst_mac);
	return tx;
}

/** The next event is this one. */
static inline void nt_tells(struct nt *t, unsigned int what, const char *addr)
{
	struct plx_neigh *n = NULL;

	eq(plx_neigh_event(t->t, &n), what);
	ip_eq(&n->addr, addr);
	eq(n->iface, 1);
}

/** Time goes to `now`, which is when the next timer is due. */
static inline void nt_at(struct nt *t, plx_ns now)
{
	eq(plx_neigh_deadline(t->t), now);
	plx_neigh_timer(t->t, now - 1);
	nt_quiet(t, now - 1);
	plx_neigh_timer(t->t, now);
	ok(plx_neigh_deadline(t->t) > now);
}

static inline enum plx_drop nt_arp(struct nt *t, plx_ns now, struct plx_arp a, bool ours)
{
	return plx_neigh_input_arp(t->t, 1, &a, ours, now);
}

static inline enum plx_drop nt_nd(
	struct nt *t, plx_ns now, struct plx_nd nd, const char *src, bool ours)
{
	struct plx_addr s = ip(src);

	return plx_neigh_input_nd(t->t, 1, &nd, &s, ours, now);
}
