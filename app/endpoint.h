/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Where to listen or whom to talk to, in a user's words: an address and a port; and many addresses
 * to talk from.
 */
#include <plx_base.h>
#include <plx_base_error.h>

struct endpoint {
	struct plx_addr addr;
	uint16_t port;
};

#define TARGET_HOST_SIZE 254 /**< of a name in DNS, and its NUL */

/** Whom to talk to: an endpoint, or a name and a port. */
struct target {
	char host[TARGET_HOST_SIZE]; /**< "": it is ep's address */
	struct endpoint ep;	     /**< with a host: its port alone */
};

#define ENDPOINT_STRLEN (PLX_ADDR_STRLEN + 8)

/**
 * "10.9.0.2:80", "[fd00:9::2]:80", or "80": of any address. @return 0, or -EINVAL and *ep
 * untouched.
 */
int endpoint_parse(struct endpoint *ep, const char *text);
/**
 * "10.9.0.2:80", "[fd00:9::2]:80" or "www.example.org:80". @return 0, or -EINVAL and *t untouched.
 */
int target_parse(struct target *t, const char *text);
/** What --option of a command says: where to listen. 0 or -EINVAL with *e filled. */
int endpoint_listen(struct endpoint *ep, const char *cmd, const char *option, const char *text,
	struct plx_error *e);
/** Likewise: whom to talk to. */
int endpoint_target(struct target *t, const char *cmd, const char *option, const char *text,
	struct plx_error *e);
/** As it is parsed, into buf of ENDPOINT_STRLEN bytes. @return buf. */
const char *endpoint_format(const struct endpoint *ep, char *buf);

#define ADDR_LIST_RANGES 16
#define ADDR_LIST_MAX	 65536u /**< addresses */

/** Addresses by their number: ranges, one behind the other. Zeroed = none. */
struct addr_list {
	struct {
		struct plx_addr first;
		uint32_t n;
	} range[ADDR_LIST_RANGES];
	uint32_t n_ranges, n; /**< n: addresses */
};

/**
 * Add "10.9.0.2", "10.9.0.2-10.9.3.1" or "10.9.0.0/24": of an IPv4 prefix the hosts, without the
 * network's own and the broadcast address; of an IPv6 prefix all but the first, which is the
 * routers'. @return 0, -EINVAL, or -E2BIG; then *l is as it was.
 */
int addr_list_add(struct addr_list *l, const char *text);
/** @param i below l->n. */
struct plx_addr addr_list_get(const struct addr_list *l, uint32_t i);
