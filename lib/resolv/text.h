/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Files that people write: resolv.conf(5), hosts(5). Of base alone, so that they are fuzzed without
 * the rest.
 */
#include <errno.h>
#include <stdio.h>

#include "plx_resolv_conf.h"

/* conf.c */

/** What resolv.conf(5) says, and what stands in its place. */
struct resolv_conf {
	char server[PLX_RESOLV_SERVERS][PLX_ADDR_STRLEN + 8]; /**< "A:PORT", "[A6]:PORT" */
	unsigned int n_server;
	char search[PLX_RESOLV_SEARCH][256];
	unsigned int n_search;
	unsigned int ndots, timeout_s, attempts;
	bool rotate, use_vc, edns0;
};
/** Defaults, then the lines of f (NULL: there is no file). */
void resolv__conf_read(struct resolv_conf *c, FILE *f);
/** What was given in place of the file's. @return 0 or -EINVAL. */
int resolv__conf_override(struct resolv_conf *c, const struct plx_resolv_conf *given);

/* hosts.c */

/** A line of hosts(5) has an entry for each of its names. */
struct resolv_host {
	struct plx_addr addr;
	bool first; /**< name is the line's first, the canonical one */
	const char *name, *canon;
};
struct resolv_hosts {
	char *text; /**< the file; names point into it */
	struct resolv_host *host;
	unsigned int n;
};
/** @param f NULL: none. @return 0 or -ENOMEM. */
int resolv__hosts_read(struct resolv_hosts *h, FILE *f);
void resolv__hosts_free(struct resolv_hosts *h);
/** The next one of a name after *at (0 to begin). @return NULL: no more. */
const struct resolv_host *resolv__hosts_next(
	const struct resolv_hosts *h, const char *name, unsigned int *at);
/** The canonical name of an address, or NULL. */
const char *resolv__hosts_name(const struct resolv_hosts *h, const struct plx_addr *a);
