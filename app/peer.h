/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Whom a program of each lcore talks to, by address or by name. Each lcore looks for the name once,
 * at the start, and takes the first address that it is given.
 */
#include "names.h"

/** Of a command; lcores only read it. */
struct peer_conf {
	struct target to;
	struct names_conf names;
	int type, family; /**< SOCK_*, and AF_* as for getaddrinfo() */
	struct plx_resolv *resolv;
};

/** Of a lcore. Zeroed = not looked for yet. */
struct peer {
	struct endpoint ep; /**< once it is known */
	const struct peer_conf *conf;
	struct plx_resolv_query query;
	plx_ns next_ns, give_up_ns;
	bool known, asked;
};

/** For struct prog_ops.prepare: make the resolver, if a name is to be looked for. 0 or -errno with
 * *e filled. */
int peer_prepare(struct stack *s, struct peer_conf *conf, struct plx_error *e);
/** For struct prog_ops.end. */
void peer_finish(struct peer_conf *conf);
/**
 * Is it known? For each pass of p until it is: looks for it, and ends the run with p->err when
 * there is nothing. On the lcore. @param next when to ask again
 */
bool peer_known(struct peer *peer, struct prog *p, const struct peer_conf *conf, plx_ns *next);
