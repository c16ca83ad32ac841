/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The binding table in a test: a table on the heap, sockets and flows by text.
 */
#include "t.h"

#include <plx_udp.h>

static inline struct plx_udp_conf conf(void)
{
	return (struct plx_udp_conf){
		.sockets = 64, .groups = 4, .group_sockets = 8, .seed = {3, 4}};
}

static inline struct plx_udp *up_with(struct plx_udp_conf c)
{
	struct plx_udp *t = plx_udp_init(aligned_alloc(64, plx_udp_size(&c)), &c);

	ok(t);
	return t;
}

static inline struct plx_udp *up(void)
{
	return up_with(conf());
}

static inline void down(struct plx_udp *t)
{
	struct plx_udp_sock *s;

	while ((s = plx_udp_next(t, NULL)))
		plx_udp_unbind(t, s);
	eq(plx_udp_count(t), 0);
	free(t);
}

static inline struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/* sock("10.0.0.1", 53, .iface = 2): unbound, with its flags. */
#define sock(at, port, ...)                                                                        \
	((struct plx_udp_sock){.laddr = addr(at), .lport = (port), ##__VA_ARGS__})

static inline struct plx_udp_flow flow(
	const char *dst, uint16_t dport, const char *src, uint16_t sport, uint32_t iface)
{
	return (struct plx_udp_flow){
		.dst = addr(dst),
		.dport = dport,
		.src = addr(src),
		.sport = sport,
		.iface = iface,
		.home = PLX_UDP_NO_HOME,
	};
}

static inline void connects(
	struct plx_udp *t, struct plx_udp_sock *s, const char *l, const char *r, uint16_t rport)
{
	struct plx_addr laddr = addr(l), raddr = addr(r);

	eq(plx_udp_connect(t, s, &laddr, &raddr, rport), 0);
}

/* A packet to dst:53 from src:sport by iface is for s. */
static inline void hears(const struct plx_udp *t, const struct plx_udp_sock *s, const char *dst,
	const char *src, uint16_t sport, uint32_t iface)
{
	struct plx_udp_flow f = flow(dst, 53, src, sport, iface);

	assert_ptr_equal(plx_udp_lookup(t, &f), s);
}
